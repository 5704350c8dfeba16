"""Long work that no bootstrap does has a bar, too."""

import sys
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import csimodel as csi

TEXT = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A"


@pytest.fixture
def bars(monkeypatch):
    """Record what bars are given, instead of showing them."""
    bars = []

    @contextmanager
    def bar(total, what, shown, unit="draw"):
        bars.append(SimpleNamespace(total=total, what=what, shown=shown, unit=unit, done=0))

        def update(steps=1):
            bars[-1].done += steps

        yield SimpleNamespace(update=update)

    for module in ("simulate.replicate", "estimators.covariance.semopy"):
        monkeypatch.setattr(sys.modules[f"csimodel.{module}"], "progress_bar", bar)
    return bars


@pytest.fixture(scope="module")
def truth():
    return csi.simulate.population(csi.Model.from_syntax(TEXT), paths=0.5, loadings=0.8)


@pytest.mark.parametrize("estimator", [csi.ML(), csi.PLS()], ids=["ML", "PLS"])
def test_every_sample_of_a_population_is_counted(bars, truth, estimator):
    csi.simulate.power(truth, [60, 80], estimator, 5, rng=1, resamples=20, progress=False)
    assert [(bar.total, bar.what, bar.unit, bar.done) for bar in bars] == [
        (5, "samples of 60", "sample", 5),
        (5, "samples of 80", "sample", 5),
    ]
    assert not any(bar.shown for bar in bars)


def test_evaluations_of_semopy_are_counted_and_change_nothing(bars, truth):
    values = next(iter(truth.answers(200, 1, 3)))[0]
    frame = pd.DataFrame(values, columns=list(truth.solution.moments.items))
    fits = [csi.fit(truth.model, frame, csi.Semopy(progress=shown)) for shown in (True, False)]
    assert [bar.shown for bar in bars] == [True, False]
    assert bars[0].total is None
    assert bars[0].done == bars[1].done > 5
    np.testing.assert_array_equal(fits[0].paths, fits[1].paths)
    assert csi.Semopy(progress=False) == csi.Semopy()
