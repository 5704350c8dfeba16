"""Long work that no bootstrap does has a bar, too."""

import importlib
import inspect
import io
import sys
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from public_names import functions

import csimodel as csi
from csimodel import progress
from csimodel.progress import progress_bar

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

    for module in (
        "simulate.replicate", "estimators.covariance.semopy", "estimators.groups",
        "estimators.covariance.invariance", "inference.jackknife", "outcomes.prediction.folds",
    ):  # fmt: skip
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


OF_DRAWS = {"bootstrap", "draws", "resamples", "samples"}
WITHOUT_A_PASS = {
    "assess", "compare", "importance_performance", "plots.path_diagram", "plots.to_dot",  # read what was drawn
    "assessment.tetrads",
    "outcomes.index_reliability", "simple_slopes", "what_if", "goal_seek", "analyze_items",
    "money.profit_of_change", "money.profit_of_driver", "money.profits_of_drivers",
    "money.retention_of",  # normal draws of coefficients, made at once
}  # fmt: skip


def test_groups_levels_and_units_left_out_are_counted(bars, mobi):
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ3\nS =~ CUSA1 + CUSA2\nS ~ Q")
    frame = mobi.data.assign(half=["a", "b"] * 125)
    incomplete = csi.read_survey(
        frame.assign(PERQ1=frame["PERQ1"].where(frame.index > 9)), scale=(1, 10), missing="pairwise"
    )
    csi.fit_groups(model, incomplete, "half", csi.ML(missing="fiml"))
    csi.invariance(model, frame, "half", progress=False)
    csi.jackknife(csi.fit(model, mobi)).table("paths")
    assert [(own.what, own.total, own.done, own.unit, own.shown) for own in bars] == [
        ("Groups", 2, 2, "group", True),
        ("Invariance", 4, 4, "level", False),
        ("Jackknife", 250, 250, "respondent", True),
    ]


def test_folds_that_are_fitted_in_turn_are_counted(bars, mobi):
    rep = csi.repurchase(csi.fit(csi.models.ecsi(), mobi), "CUSL1")
    kinds = ["line", "hinge", "isotonic"]
    for shown in (True, False):
        csi.outcomes.compare_shapes(rep, kinds, folds=3, draws=20, rng=1, progress=shown)
    assert [(bar.what, bar.total, bar.done, bar.unit, bar.shown) for bar in bars] == [
        (f"Predictions by {kind}", 3, 3, "fold", shown)
        for shown in (True, False)
        for kind in kinds[1:]
    ]


def incomplete():
    data = csi.load_mobi().data
    return csi.read_survey(data.assign(PERQ1=data["PERQ1"].where(data.index > 9)), scale=(1, 10))


STEPS = {
    "Fit": lambda shown: csi.fit(csi.models.ecsi(), csi.load_mobi(), csi.ML(), progress=shown),
    "Fit ": lambda shown: csi.fit(
        csi.Model.from_syntax("Q =~ PERQ1 + PERQ3 + PERQ5"),
        incomplete(),
        csi.ML(missing="two-stage"),
        progress=shown,
    ),
    "Groups together": lambda shown: csi.fit_multigroup(
        csi.Model.from_syntax("Q =~ PERQ1 + PERQ3 + PERQ5"),
        csi.load_mobi().data.assign(half=["a", "b"] * 125),
        "half",
        progress=shown,
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_steps_of_iterations_are_counted_where_they_are_seen(name, monkeypatch):
    bars = []

    @contextmanager
    def bar(total, what, shown, unit="draw"):
        bars.append(SimpleNamespace(total=total, what=what, unit=unit, done=0))

        def update():
            bars[-1].done += 1

        yield SimpleNamespace(update=update)

    monkeypatch.setattr(progress, "progress_bar", bar)
    STEPS[name](True)
    assert bars == []  # nobody watches
    monkeypatch.setattr(progress, "watched", lambda: True)
    STEPS[name](False)
    assert bars == []
    STEPS[name](True)
    assert [(own.total, own.what, own.unit) for own in bars] == [(None, name.strip(), "step")]
    done = bars[0].done
    assert done > 3
    progress.step()  # outside, nobody counts
    assert bars[0].done == done


def test_steps_are_shown_once(monkeypatch):
    monkeypatch.setattr(progress, "watched", lambda: True)
    with progress.steps_shown("outer", True):
        told = progress._STEP.get()
        with progress.steps_shown("inner", True):
            assert progress._STEP.get() is told
        assert progress._STEP.get() is told
    assert progress._STEP.get() is None


GROUP_BY_GROUP = {"fit", "fit_groups", "fit_multigroup", "invariance", "jackknife"}


def test_every_call_that_goes_through_draws_takes_progress():
    signatures = {name: inspect.signature(call).parameters for name, call in functions().items()}
    with_draws = {name for name, own in signatures.items() if OF_DRAWS & set(own)}
    with_bar = {name for name, own in signatures.items() if "progress" in own}
    assert with_draws - with_bar == WITHOUT_A_PASS & with_draws
    assert with_bar >= GROUP_BY_GROUP
    for name in with_bar:
        assert signatures[name]["progress"].default is True, name
        assert signatures[name]["progress"].kind is inspect.Parameter.KEYWORD_ONLY, name
        assert "progress" in functions()[name].__doc__, name


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [io.StringIO(), None, "closed"])
def test_a_bar_that_nobody_sees_is_not_written(stream, monkeypatch):
    if stream == "closed":
        stream = io.StringIO()
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    assert progress_bar(3, "draws", True).disable
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert progress_bar(3, "draws", False).disable
    bar = progress_bar(3, "draws", True)
    assert not bar.disable
    assert bar.delay == 1
    bar.close()
    assert sys.stderr.getvalue() == ""  # all was done within a second


PASSES = {
    "csimodel.index.by_group.point_weights": lambda fit, boot: csi.index_scores(
        fit, by="firm", bootstrap=boot
    ),
    "csimodel.outcomes.models.shape.resamples.pooled": lambda fit, boot: (
        csi.outcomes.repurchase_shape(csi.repurchase(fit, "CUSL1"), "hinge", draws=30)
    ),
    "csimodel.outcomes.models.asymmetry.draws.sides": lambda fit, boot: (
        csi.outcomes.repurchase_asymmetry(fit, "CUSL1", bootstrap=boot)
    ),
    "csimodel.outcomes.models.mixed.draws._within_and_between": lambda fit, boot: (
        csi.outcomes.repurchase_mixed(fit, "CUSL1", by="firm", bootstrap=boot)
    ),
    "csimodel.inference.nested_jackknife._weighted_error": lambda fit, boot: boot.table(
        "paths", interval="studentized"
    ),
}


@pytest.mark.parametrize("place", PASSES)
def test_no_bar_is_left_behind_by_what_ends_the_work(place, monkeypatch):
    firms = [f"firm {place}" for place in range(25)] * 10
    survey = csi.read_survey(csi.load_mobi().data.assign(firm=firms), scale=(1, 10), cluster="firm")
    fit = csi.fit(csi.models.ecsi(), survey)
    boot = csi.bootstrap(fit, 40, rng=1, progress=False)
    shown = []

    @contextmanager
    def bar(total, what, watched, unit="draw"):
        shown.append(what)
        try:
            yield SimpleNamespace(update=lambda steps=1: None)
        finally:
            shown.remove(what)

    def stopped(*arguments):
        if not shown:
            return own(*arguments)
        raise KeyboardInterrupt("under a bar")

    module, name = place.rsplit(".", 1)
    own = getattr(importlib.import_module(module), name)
    monkeypatch.setattr("csimodel.inference.draws.progress_bar", bar)
    monkeypatch.setattr(place, stopped)
    with pytest.raises(KeyboardInterrupt, match="under a bar") as caught:
        PASSES[place](fit, boot)
    assert shown == []
    assert caught.value.__traceback__ is not None  # which keeps what was at work
