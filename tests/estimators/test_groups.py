"""Group fits in one batch."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel import limits
from csimodel.errors import OptionError, SurveyError
from csimodel.estimators import groups
from csimodel.findings import collected
from csimodel.survey.group_rows import GroupRows


@pytest.fixture(scope="module")
def grouped(ecsi, mobi):
    from conftest import REFERENCE

    labels = np.loadtxt(REFERENCE / "mobi_group.csv", dtype=str, skiprows=1)
    return mobi.data.assign(group=[label.strip('"') for label in labels])


def test_groups_as_csem(reference, frame, ecsi, grouped):
    fits = csi.fit_groups(ecsi, grouped, by="group", estimator=csi.PLS(tolerance=1e-13))
    theirs = reference("mobi_pls.json")["csem"]["groups"]
    assert list(fits) == ["g1", "g2"]
    for label, found in fits.items():
        paths = frame(theirs[label]["paths"]).loc[found.paths.index, found.paths.columns]
        assert_allclose(found.paths, paths, atol=1e-8)


def test_a_group_equals_a_fit_of_its_rows(ecsi, grouped):
    fits = csi.fit_groups(ecsi, grouped, by=["group"])
    alone = csi.fit(ecsi, grouped[grouped["group"] == "g2"])
    assert_allclose(fits["g2"].paths, alone.paths, atol=1e-9)
    assert_allclose(fits["g2"].scores, alone.scores, atol=1e-8)
    assert fits["g2"].scores.index.equals(alone.scores.index)
    assert_allclose(
        fits.table("paths").loc["g2", ("Value", "Quality")], alone.paths.loc["Value", "Quality"]
    )
    boot = csi.bootstrap(fits["g2"], 50, 3)
    assert_allclose(boot.draws("paths"), csi.bootstrap(alone, 50, 3).draws("paths"), atol=1e-8)


def test_two_columns_make_tuples_and_rows_without_group_are_counted(chain, population):
    data = population(120).assign(firm=["x", "y", None] * 40, year=[2024, 2025] * 60)
    fits = csi.fit_groups(chain, data, by=["firm", "year"])
    assert list(fits) == [("x", 2024), ("x", 2025), ("y", 2024), ("y", 2025)]
    assert fits.findings[0].code == "rows-without-group"
    assert fits.findings[0].values == {"count": 40, "codes": 120, "by": ["firm", "year"]}
    assert fits[("x", 2024)].n == 20


def test_a_group_that_cannot_be_fitted_says_so_and_stops_nothing(chain, population):
    data = population(100).assign(firm=["big"] * 90 + ["tiny"] * 2 + ["flat"] * 8)
    data.loc[data["firm"] == "flat", "b2"] = 5.0
    fits = csi.fit_groups(chain, data, by="firm")
    assert fits.converged.to_dict() == {"big": True, "flat": False, "tiny": False}
    assert fits.failed.to_dict() == {"an item without variation": 1, "fewer than 3 rows": 1}
    assert repr(fits) == (
        "<3 group fits by PLS, path scheme, 2 without a solution: big, flat and tiny>"
    )
    flat, tiny = fits["flat"].diagnostics[-1], fits["tiny"].diagnostics[-1]
    assert (flat.code, flat.severity) == ("constant-item", "failure")
    assert flat.values == {"names": ("b2",), "n": 8}
    assert (tiny.code, tiny.severity, tiny.values["count"]) == ("too-few-rows", "failure", 2)
    assert not fits["tiny"].converged
    assert fits.table("paths").loc["flat"].isna().all()
    assert "Nothing was estimated" in str(fits["flat"].summary())


def test_unknown_group_and_column(chain, population):
    data = population(60).assign(firm="a")
    with pytest.raises(SurveyError) as caught:
        csi.fit_groups(chain, data, by="frm")
    assert str(caught.value) == "Group column 'frm' is not in the data (did you mean 'firm'?)."
    with pytest.raises(SurveyError) as caught:
        csi.fit_groups(chain, data.assign(firm=np.nan), by="firm")
    assert str(caught.value) == "No row has a value in 'firm'; choose a column that is filled."
    with pytest.raises(KeyError, match=r"There is no group 'b'; groups by firm are a\."):
        csi.fit_groups(chain, data, by="firm")["b"]
    fits = csi.fit_groups(chain, data.assign(year=[1, 2] * 30), by=["firm", "year"])
    with pytest.raises(
        KeyError, match=r"There is no group 'a'; groups by firm and year are \(a, 1\) and \(a, 2\)."
    ):
        fits["a"]
    assert "a" not in fits


@pytest.mark.parametrize("by", [[], ["firm", "firm"], None, 5, {"firm"}, [["firm"]], {"firm": 1}])
def test_columns_that_make_no_groups_are_refused(chain, population, by):
    with pytest.raises(OptionError) as caught:
        csi.fit_groups(chain, population(60).assign(firm="a"), by=by)
    assert str(caught.value) in (
        f"by={by!r} must be a name, or several in a list.",
        f"by={by!r} names the column 'firm' twice.",
    )


def test_an_index_may_be_called_like_the_group_column(chain, population):
    data = population(60).assign(firm=["a", "b"] * 30)
    named = data.set_axis(data.index.rename("firm"))
    fits = csi.fit_groups(chain, named, by="firm")
    assert_allclose(fits.table("paths"), csi.fit_groups(chain, data, by="firm").table("paths"))
    assert fits["a"].scores.index.equals(named.index[::2])


def test_rows_and_groups_lost_to_missing_answers_are_told(chain, population):
    data = population(90).assign(firm=["a", "b", "c"] * 30)
    data.loc[data["firm"] == "b", "a1"] = np.nan
    data.loc[[0, 3], "b1"] = np.nan
    survey = csi.read_survey(data, missing="listwise")
    fits = csi.fit_groups(chain, survey, by="firm")
    assert [(finding.code, dict(finding.values)) for finding in fits.findings] == [
        ("rows-dropped", {"dropped": 32, "rows": 90, "items": ("a1 (30)", "b1 (2)")}),
        ("rows-dropped-by-group", {"losers": 2, "groups": 3, "counts": ("a (2/30)", "b (30/30)")}),
        ("groups-without-rows", {"count": 1, "names": 3, "empty": ("b",)}),
    ]
    assert list(fits) == ["a", "b", "c"]
    assert fits.converged.to_dict() == {"a": True, "b": False, "c": True}
    dropped = fits["a"].diagnostics[0]
    assert dropped.code == "rows-dropped"
    assert dropped.values == {"count": 2, "total": 30, "label": "a"}
    assert not any(finding.code == "rows-dropped" for finding in fits["c"].diagnostics)
    filled = csi.fit_groups(chain, csi.read_survey(data.drop("firm", axis=1).assign(
        firm=["a", "b"] * 45), missing="mean"), by="firm")  # fmt: skip
    cells = filled["a"].diagnostics[0]
    assert (cells.scope, cells.code) == ("In all groups together", "cells-filled")
    assert cells.values == {"cells": 32, "items": ("a1 (30)", "b1 (2)")}


def test_strata_and_clusters_of_a_group_are_counted_from_0(chain, population):
    place = np.arange(120)
    data = population(120).assign(firm=np.where(place < 60, "a", "b"), s=place // 30, c=place // 5)
    fits = csi.fit_groups(chain, csi.read_survey(data, strata="s", cluster="c"), by="firm")
    alone = csi.fit(chain, csi.read_survey(data[60:], strata="s", cluster="c"))
    answers = fits["b"].answers
    assert np.array_equal(np.unique(answers.strata), [0, 1])
    assert np.array_equal(np.unique(answers.cluster), np.arange(12))
    # The group fills its strata, so that the rest of the design adds nothing to its errors.
    ours, theirs = (csi.linearize(one).table("paths") for one in (fits["b"], alone))
    assert_allclose(ours["se"], theirs["se"], rtol=1e-9)
    assert (ours["df"] == theirs["df"]).all()


@pytest.mark.parametrize("column", ["construct", "n", "mean", "se", "lower", "reason"])
def test_a_group_column_may_be_called_like_a_part_of_our_tables(ecsi, mobi, column):
    survey = csi.read_survey(mobi.data.assign(**{column: ["a", "b"] * 125}), scale=(1, 10))
    table = csi.index_scores(csi.fit(ecsi, survey), by=column)
    plain = survey.data.rename(columns={column: "half"})
    theirs = csi.index_scores(csi.fit(ecsi, csi.read_survey(plain, scale=(1, 10))), by="half")
    assert list(table.index.names) == [f"{column} (label)", "construct"]
    assert_allclose(table["mean"], theirs["mean"])
    assert table.reset_index()[f"{column} (label)"].unique().tolist() == ["a", "b"]
    assert csi.fit_groups(ecsi, survey, by=column).labels.tolist() == ["a", "b"]


def test_groups_without_a_usable_row_are_named(ecsi, mobi):
    frame = mobi.data.astype(float).assign(firm=["a"] * 100 + ["b"] * 100 + ["c"] * 50)
    frame.loc[200:, "CUSA1"] = np.nan
    fit = csi.fit(
        ecsi, csi.read_survey(frame, scale=dict.fromkeys(ecsi.items, (1, 10)), missing="listwise")
    )
    with collected() as findings:
        table = csi.index_scores(fit, by="firm")
    assert table.index.get_level_values("firm").unique().tolist() == ["a", "b"]
    assert (findings[-1].code, findings[-1].severity) == ("groups-without-rows", "warning")
    assert findings[-1].values == {"groups": ("c",)}


def test_a_group_without_rows_has_nobody_to_resample(chain, population):
    data = population(60).assign(firm=["a"] * 40 + ["b"] * 20)
    data.loc[40:, "a1"] = np.nan
    fits = csi.fit_groups(chain, csi.read_survey(data, missing="listwise"), by="firm")
    with pytest.raises(SurveyError, match=r"^There is nobody to resample, because no row is"):
        csi.bootstrap(fits["b"])


def test_a_page_says_how_many_groups_it_leaves_out(ecsi, grouped, monkeypatch):
    fits = csi.fit_groups(ecsi, grouped, by="group")
    assert "more group" not in str(fits.summary())
    monkeypatch.setattr(groups, "_SHOWN", 1)
    text = str(fits.summary())
    assert len(fits) == 2
    assert text.count("1 more group is in `table`.") == 2
    shown = fits.table("r2")["Satisfaction"].iloc[0]
    assert f"{shown:.3f}" in text.split()


def test_rows_of_groups_are_those_that_have_their_code():
    codes = np.random.default_rng(3).integers(-1, 6, 200)
    codes[codes == 4] = 5
    rows = GroupRows.of(codes, 7)
    for group in range(7):
        np.testing.assert_array_equal(rows[group], np.flatnonzero(codes == group))
    assert len(rows[4]) == len(rows[6]) == 0


def test_memory_grows_with_the_square_of_the_items(ecsi, mobi, monkeypatch):
    frame = mobi.data.assign(firm=np.arange(250) % 5)
    needed = 3 * 8.0 * 5 * 24**2
    monkeypatch.setattr(limits, "free_bytes", lambda: 1.01 * needed)
    assert len(csi.fit_groups(ecsi, frame, by="firm").labels) == 5
    monkeypatch.setattr(limits, "free_bytes", lambda: 0.99 * needed)
    with pytest.raises(OptionError, match=r"^csi\.fit_groups with 5 groups of 24 items would hold"):
        csi.fit_groups(ecsi, frame, by="firm")


def test_a_page_names_groups_by_the_labels_of_their_codes(mobi):
    frame = mobi.data.assign(half=[1, 2] * 125, brand=np.arange(250) % 3)
    book = csi.Codebook(value_labels={"half": {1.0: "男", 2.0: "女"}, "brand": {0.0: "甲"}})
    survey = csi.read_survey(frame, codebook=book, scale=dict.fromkeys(mobi.items, (1, 10)))
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ3\nV =~ PERV1 + PERV2\nV ~ Q")
    fits = csi.fit_groups(model, survey, by=["half", "brand"])
    assert next(iter(fits)) == (1, 0)
    ending, explained = (section.grid for section in fits.page.sections)
    assert ending.rows[0] == ("男", "甲", "42", "converged")
    assert explained.rows[-1][:2] == ("女", "2")
    alone = csi.fit_groups(model, survey, by="half")
    assert [row[0] for row in alone.page.sections[0].grid.rows] == ["男", "女"]
    with csi.language("zh"):
        assert alone.page.sections[0].grid.rows[0][-1] == "已收敛"
