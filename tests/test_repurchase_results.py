"""What follows a regression of repurchase shows itself alike, through one public name each."""

from html import escape

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel import limits
from csimodel.errors import OptionError
from csimodel.outcomes.kernels.wald import wald
from csimodel.outcomes.models.segments.pairs import corrected_pairs, pairs_of


@pytest.fixture(scope="module")
def results(mobi, ecsi):
    fit = csi.fit(ecsi, mobi)
    rep = csi.repurchase(fit, "CUSL1")
    half = pd.Series(np.where(np.arange(250) % 2, "odd", "even"), mobi.data.index, name="half")
    frame = mobi.data.assign(spoke=(np.arange(250) % 4 == 0) * 1)
    terms = csi.money.Economics(margin=10, currency="EUR", period="year", discount_rate=0.1)
    return {
        "shape": csi.outcomes.repurchase_shape(rep, "quadratic"),
        "asymmetry": csi.outcomes.repurchase_asymmetry(fit),
        "comparison": csi.outcomes.compare_shapes(rep, ["line", "quadratic"], folds=3, rng=1),
        "calibration": csi.outcomes.calibration(rep, folds=3, rng=1),
        "segments": csi.outcomes.repurchase_segments(fit, "CUSL1", by=half),
        "drop": csi.outcomes.repurchase_top_drop(
            frame, satisfaction="CUSA1", repurchase="CUSL1", fewest=10
        ),
        "complaints": csi.outcomes.complaint_repurchase(
            frame,
            complained="spoke",
            handling="CUSCO",
            repurchase="CUSL1",
            well_from=8,
            scale=(1, 10),
        ),
        "money": csi.money.profit_of_change(rep, 67, 70, terms, draws=200),
    }


def test_a_line_and_a_page(results):
    for name, found in results.items():
        assert found.headline in repr(found), name
        assert repr(found).startswith(f"<{type(found).__name__}"), name
        page = found.summary()
        text, html = str(page), page._repr_html_()
        assert text.startswith(page.title + "\n="), name
        assert found.headline in text, name
        assert html == found._repr_html_(), name
        assert escape(found.headline) in html, name
        assert all(str(finding) in text for finding in found.findings), name
        assert all(part.title in text and escape(part.title) in html for part in page.sections), (
            name
        )


def test_tests_are_tables_of_the_same_columns(results):
    for name in ("shape", "asymmetry", "calibration", "segments", "drop"):
        assert results[name].tests.columns.tolist() == ["statistic", "distribution", "p"], name


def test_a_singular_covariance_gives_no_test():
    singular = wald(np.array([1.0, 1.0]), np.ones((2, 2)))
    assert singular["distribution"] == "none"
    assert np.isnan(wald(np.array([1.0]), np.zeros((1, 1)))["p"])


def test_pairs_are_corrected_by_holm_and_unknown_ones_left_out():
    assert len(pairs_of(1, "segments")[0]) == 0
    value, (first, second) = np.array([5.0, 3.0, 1.0]), pairs_of(3, "segments")
    assert_allclose(value[first] - value[second], [2, 4, 2])
    table = pd.DataFrame({"difference": value[first] - value[second], "p": [0.01, 0.04, np.nan]})
    found = corrected_pairs(table, ("a", "b", "c"))
    assert found.index.tolist() == [("a", "b"), ("a", "c"), ("b", "c")]
    assert_allclose(found["p_holm"], [0.02, 0.04, np.nan])


def test_a_table_of_more_pairs_than_memory_is_refused(monkeypatch):
    monkeypatch.setattr(limits, "free_bytes", lambda: 1e9)
    with pytest.raises(OptionError) as refusal:
        pairs_of(10_000, "segments")
    assert str(refusal.value) == (
        "A table of the differences between every two of 10,000 segments would hold some 16.5 GB, "
        "and 1.0 GB of memory are free; compare fewer of them, or read the table of each."
    )


def test_the_elasticity_in_draws_is_the_slope_of_logarithms(ecsi, mobi):
    """``d log p / d log x`` in each draw, by a difference of its own predictions."""
    fit = csi.fit(ecsi, mobi)
    boot = csi.bootstrap(fit, draws=80, rng=2, progress=False)
    rep = csi.repurchase(fit, "CUSL1", bootstrap=boot, interval="percentile")
    ends = np.array([70 * (1 - 1e-5), 70 * (1 + 1e-5)])
    low, high = np.log(rep.draws.predictions(0, ends)).T
    draws = (high - low) / np.log(ends[1] / ends[0])
    own = rep.elasticity(70)
    assert_allclose(own.se, draws.std(ddof=1), rtol=1e-6)
    assert_allclose([own.lower, own.upper], np.quantile(draws, [0.025, 0.975]), rtol=1e-6)
