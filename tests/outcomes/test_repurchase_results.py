"""What follows a regression of repurchase shows itself alike, through one public name each."""

import re
from dataclasses import fields
from html import escape

import numpy as np
import pandas as pd
import pytest
from conftest import REFERENCE
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel import limits
from csimodel.errors import OptionError
from csimodel.formatting import told_p
from csimodel.inference.pairs import corrected_pairs, pairs_of
from csimodel.outcomes.kernels.wald import wald

ENDS = ["estimate", "lower", "upper"]
NUMBERS = {
    "shape": lambda of: [],
    "asymmetry": lambda of: of.table["estimate"].loc[["effect below", "effect above"]],
    "comparison": lambda of: [],
    "calibration": lambda of: [100 * of.error, of.coefficients["estimate"].loc["slope"]],
    "segments": lambda of: 100 * of.table["effect"].sort_values(),
    "drop": lambda of: of.table.loc["all", ["drop", "lower", "upper"]],
    "drops": lambda of: of.table["drop"].sort_values(),
    "complaints": lambda of: of.table["mean"].loc[
        ["no complaint", "handled badly", "handled well"]
    ],
    "money": lambda of: of.table.loc[of.main, ENDS],
    "mixed": lambda of: 100 * of.slopes.loc[["between", "within"], ENDS],
    "panel": lambda of: 100 * of.slopes.loc["index", ENDS],
    "time": lambda of: [
        100 * (1 - of.hazard_ratio.estimate),
        100 * (of.hazard_ratio.lower - 1),
        100 * (of.hazard_ratio.upper - 1),
        100 * of.average_marginal_effects()["estimate"].iloc[1],
        of.average_marginal_effects().index[1],
    ],
    "corrected": lambda of: 100 * np.append(
        of.table.loc[1, ["slope", "lower", "upper"]].to_numpy(float), of.table["slope"].iloc[0]
    ),
}  # fmt: skip
TESTS = {
    "shape": lambda of: of.p,
    "asymmetry": lambda of: of.tests["p"].iloc[0],
    "calibration": lambda of: of.tests["p"].loc["calibrated"],
    "segments": lambda of: of.tests["p"].iloc[-1],
    "drops": lambda of: of.tests["p"].iloc[0],
}


@pytest.fixture(scope="module")
def results(mobi, ecsi):
    fit = csi.fit(ecsi, mobi)
    rep = csi.repurchase(fit, "CUSL1")
    half = pd.Series(np.where(np.arange(250) % 2, "odd", "even"), mobi.data.index, name="half")
    frame = mobi.data.assign(spoke=(np.arange(250) % 4 == 0) * 1)
    times = pd.read_csv(REFERENCE / "duration.csv")
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
        "drops": csi.outcomes.repurchase_top_drop(
            frame.join(half), satisfaction="CUSA1", repurchase="CUSL1", by="half", fewest=10
        ),
        "mixed": csi.outcomes.repurchase_mixed(fit, "CUSL1", by=np.arange(250) // 10),
        "panel": panel_of(pd.read_csv(REFERENCE / "panel.csv")),
        "time": csi.outcomes.repurchase_time(
            fit, duration=times["exact"], event=times["happened"], kind="churn", progress=False
        ),
        "corrected": csi.outcomes.corrected_slopes(fit, "CUSL1", "eiv"),
    }


def panel_of(table):
    return csi.outcomes.repurchase_panel(
        table, "again", controls="price", firm="firm", period="period", index="index"
    )


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


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_a_headline_are_those_of_the_tables(results, name):
    told = re.findall(r"−?\d+\.\d+", results[name].headline)
    written = [number.split(".")[1] for number in told]
    numbers = [float(number.replace("−", "-")) for number in told]
    expected = np.ravel(NUMBERS[name](results[name])).astype(float)
    assert len(numbers) == len(expected)
    half = 0.5000001 * 10.0 ** -np.array([len(decimals) for decimals in written])
    assert (np.abs(numbers - expected) <= half).all()
    assert name not in TESTS or told_p(TESTS[name](results[name])) in results[name].headline


def test_headlines_of_the_opposite_outcome_are_the_same_but_for_the_sign(results, ecsi, mobi):
    table = pd.read_csv(REFERENCE / "panel.csv")
    turned = {
        "panel": panel_of(table.assign(again=1.0 - table["again"])),
        "mixed": csi.outcomes.repurchase_mixed(
            csi.fit(ecsi, mobi),
            (11 - mobi.data["CUSL1"]).rename("CUSL1"),
            by=np.arange(250) // 10,
            scale=(1, 10),
        ),
    }
    for name, found in turned.items():
        assert found.headline.replace("points less", "points more") == results[name].headline
        assert "points more" not in found.headline


def test_a_page_shows_every_table_that_has_rows(results):
    lists = ("predictions", "draws", "cells")  # of respondents, draws, and firms in periods
    for name, found in results.items():
        shown = [part.table for part in found.page.sections]
        assert all(len(table) for table in shown), name
        if name == "corrected":  # whose page has its table in other words
            continue
        for field in fields(found):
            table = getattr(found, field.name)
            if isinstance(table, pd.DataFrame) and len(table) and field.name not in lists:
                assert any(part is table for part in shown), (name, field.name)


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
    high = corrected_pairs(table.assign(p=[0.4, 0.6, 0.9]), ("a", "b", "c"))
    assert_allclose(high["p_holm"], 1.0)


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
