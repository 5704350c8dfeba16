"""The 0 to 100 index, its intervals, and the drivers behind it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.errors import CsimodelWarning, InferenceError, ModelError, OptionError, SurveyError
from csimodel.estimators import fit_of
from csimodel.findings import collected


def test_values_from_r(reference, fit):
    theirs = reference("mobi_index.json")
    assert_allclose(csi.index_scores(fit)["mean"], list(theirs["mean"].values()), atol=1e-8)
    scores = csi.respondent_index(fit)
    assert_allclose(scores.std(), list(theirs["sd"].values()), atol=1e-8)
    from conftest import REFERENCE

    lines = pd.read_csv(REFERENCE / "mobi_index_scores.csv")
    assert_allclose(scores[lines.columns], lines, atol=1e-7)


def test_headline_values(ecsi, mobi, fit):
    centroid = csi.fit(ecsi, mobi, csi.PLS(scheme="centroid"))
    assert csi.index_scores(centroid).loc["Satisfaction", "mean"] == pytest.approx(
        72.5428, abs=1e-3
    )
    assert csi.index_scores(fit).loc["Satisfaction", "mean"] == pytest.approx(72.4541, abs=1e-3)


def numbers(table):
    return table.drop(columns="reason").to_numpy(dtype=float)


def test_all_maximum_is_100_and_all_minimum_0(fit, ecsi):
    from dataclasses import replace

    for answer, points in ((10.0, 100.0), (1.0, 0.0)):
        moments = replace(fit.moments, mean=np.full(24, answer))
        solution = replace(fit.solution, moments=moments)
        assert_allclose(csi.index_scores(fit_of(solution))["mean"], points, atol=1e-10)


@settings(max_examples=10, deadline=None)
@given(low=st.floats(-50, 50), width=st.floats(0.5, 200))
def test_the_index_does_not_depend_on_the_scale_of_the_questions(fit, ecsi, mobi, low, width):
    moved = low + (mobi.data - 1) / 9 * width
    again = csi.fit(ecsi, csi.read_survey(moved, scale=(low - 1e-9, low + width + 1e-9)))
    assert_allclose(csi.index_scores(again)["mean"], csi.index_scores(fit)["mean"], atol=1e-5)


def test_the_mean_of_respondents_is_the_index(fit):
    assert_allclose(csi.respondent_index(fit).mean(), csi.index_scores(fit)["mean"], atol=1e-10)


def test_intervals_re_estimate_the_weights(fit, boot, mobi, ecsi):
    table = csi.index_scores(fit, bootstrap=boot)
    assert list(table.columns) == ["mean", "se", "df", "lower", "upper", "n", "reason"]
    assert (table["lower"] < table["mean"]).all()
    assert (table["mean"] < table["upper"]).all()
    rows = np.repeat(np.arange(250), boot.design.counts(0)[5].astype(int))
    again = csi.fit(
        ecsi, csi.read_survey(mobi.data.iloc[rows].reset_index(drop=True), scale=(1, 10))
    )
    assert_allclose(boot.draws("index").iloc[5], csi.index_scores(again)["mean"], atol=1e-8)
    assert_allclose(table["se"], csi.index_scores(fit)["se"], rtol=0.15)


def test_items_on_different_scales_count_as_if_on_one(ecsi, mobi, fit):
    """Coding the same answers of one item 0 to 1000 instead of 1 to 10 changes nothing."""
    data = mobi.data.assign(CUSA2=(mobi.data["CUSA2"] - 1) / 9 * 1000)
    scale = {item: (0, 1000) if item == "CUSA2" else (1, 10) for item in ecsi.items}
    other = csi.fit(ecsi, csi.read_survey(data, scale=scale))
    assert_allclose(csi.index_scores(other)["mean"], csi.index_scores(fit)["mean"], atol=1e-9)
    assert_allclose(csi.respondent_index(other), csi.respondent_index(fit), atol=1e-8)
    ours, theirs = (csi.importance_performance(f)["importance"] for f in (other, fit))
    assert_allclose(ours, theirs, atol=1e-9)
    scores = csi.respondent_index(other)["Satisfaction"]
    assert np.corrcoef(scores, other.scores["Satisfaction"])[0, 1] == pytest.approx(1)


def test_bca_is_available(fit, boot):
    table = csi.index_scores(fit, bootstrap=boot, interval="bca", level=0.9)
    assert (table["lower"] < table["upper"]).all()


@pytest.fixture(scope="module")
def two_groups(ecsi, mobi):
    data = mobi.data.assign(group=["a", "b", "b", "c", "c"] * 50)
    return csi.fit(ecsi, csi.read_survey(data, scale=(1, 10)))


def test_groups_are_measured_by_one_yardstick(two_groups):
    table = csi.index_scores(two_groups, by="group")
    scores = csi.respondent_index(two_groups).groupby(two_groups.survey.data["group"]).mean()
    for label in "abc":
        assert_allclose(table.loc[label, "mean"], scores.loc[label], atol=1e-10)
    assert table.loc[("b", "Value"), "n"] == 100
    assert table.index.names == ["group", "construct"]


def test_group_intervals_come_from_the_draws(two_groups):
    boot = csi.bootstrap(two_groups, 300, 2)
    table = csi.index_scores(two_groups, by=["group"], bootstrap=boot)
    known = csi.index_scores(two_groups, by="group")
    assert_allclose(table["mean"], known["mean"])
    assert_allclose(table["se"], known["se"], rtol=0.2)
    one = csi.index_scores(two_groups, bootstrap=boot)
    everyone = two_groups.survey.data.assign(all="x")
    whole = csi.fit(two_groups.model, csi.read_survey(everyone, scale=(1, 10)))
    grouped = csi.index_scores(whole, by="all", bootstrap=csi.bootstrap(whole, 300, 2))
    assert_allclose(numbers(grouped.loc["x"]), numbers(one), atol=1e-9)


@pytest.mark.parametrize("missing", ["mean", "pairwise"])
def test_groups_with_missing_cells(ecsi, mobi, missing):
    holes = mobi.data.mask(np.random.default_rng(0).random(mobi.data.shape) < 0.05)
    data = holes.assign(all="x")
    fit = csi.fit(ecsi, csi.read_survey(data, scale=(1, 10), missing=missing))
    boot = csi.bootstrap(fit, 100, 2)
    one, drawn = csi.index_scores(fit), csi.index_scores(fit, bootstrap=boot)
    assert_allclose(one["mean"], drawn["mean"])
    known = csi.index_scores(fit, by="all").loc["x"]
    assert_allclose(known["mean"], one["mean"])
    assert_allclose(known["se"], one["se"], rtol=0.03)
    grouped = csi.index_scores(fit, by="all", bootstrap=boot)
    assert_allclose(numbers(grouped.loc["x"]), numbers(drawn), atol=1e-8)


def test_a_group_is_not_filled_with_the_answers_of_others(chain, population):
    data = population(400).assign(g=["low", "high"] * 200)
    data.loc[data["g"] == "high", list(chain.items)] += 3
    holes = data.mask(np.random.default_rng(0).random(data.shape) < [0.3] * 9 + [0.0])
    survey = csi.read_survey(holes, missing="mean", scale=(-10, 20), items=list(chain.items))
    table = csi.index_scores(csi.fit(chain, survey), by="g")["mean"]
    assert_allclose(table["high"] - table["low"], 10, atol=0.9)


def test_a_group_that_did_not_answer_an_item_has_no_index(chain, population):
    data = population(90).assign(g=np.arange(90) % 3)
    data.loc[data["g"] == 1, "a1"] = np.nan
    survey = csi.read_survey(data, missing="pairwise", scale=(-10, 20), items=list(chain.items))
    fit = csi.fit(chain, survey)
    for table in (
        csi.index_scores(fit, by="g"),
        csi.index_scores(fit, by="g", bootstrap=csi.bootstrap(fit, 50, 1)),
    ):
        assert table.loc[(1, "A"), ["mean", "se", "lower"]].isna().all()
        assert table.loc[(1, "B")].notna().all()


def test_rows_without_a_group_are_counted(ecsi, mobi):
    data = mobi.data.assign(g=["a"] * 200 + [None] * 50)
    fit = csi.fit(ecsi, csi.read_survey(data, scale=(1, 10)))
    with collected() as findings:
        csi.index_scores(fit, by="g")
    assert [(one.code, dict(one.values)) for one in findings] == [
        ("rows-without-group", {"count": 50, "total": 250})
    ]


def test_small_groups_are_pointed_out(ecsi, mobi):
    data = mobi.data.assign(group=["big"] * 245 + ["small"] * 5)
    fit = csi.fit(ecsi, csi.read_survey(data, scale=(1, 10)))
    with pytest.warns(CsimodelWarning) as caught:
        csi.index_scores(fit, by="group")
    with collected() as findings:
        csi.index_scores(fit, by="group")
    assert [str(one.message) for one in caught] == [str(finding) for finding in findings]
    assert [(one.code, dict(one.values)) for one in findings] == [
        ("small-groups", {"count": 1, "total": 2, "few": 10, "groups": ("small (5)",)})
    ]


def test_errors_respect_the_design(ecsi, mobi):
    data = mobi.data.assign(firm=np.repeat(np.arange(50), 5), s=np.repeat([0, 1], 125), w=1.0)
    for column in ecsi.items:
        data[column] = np.sort(data[column])
    plain = csi.index_scores(csi.fit(ecsi, csi.read_survey(data, scale=(1, 10))))
    clustered = csi.index_scores(
        csi.fit(ecsi, csi.read_survey(data, scale=(1, 10), cluster="firm"))
    )
    stratified = csi.index_scores(csi.fit(ecsi, csi.read_survey(data, scale=(1, 10), strata="s")))
    weighted = csi.index_scores(csi.fit(ecsi, csi.read_survey(data, scale=(1, 10), weights="w")))
    assert_allclose(numbers(plain), numbers(weighted), rtol=1e-8)
    assert (clustered["se"] > 1.9 * plain["se"]).all()
    assert (stratified["se"] < 0.8 * plain["se"]).all()


def test_importance_as_csem(reference, frame, fit, boot):
    theirs = frame(reference("mobi_pls.json")["csem"]["ipma"]["importance"])
    for target in ("Satisfaction", "Loyalty", "Value"):
        table = csi.importance_performance(fit, target)
        assert_allclose(table["importance"], theirs.loc[target, table.index], atol=1e-8)
    assert_allclose(table["performance"], csi.index_scores(fit).loc[table.index, "mean"])
    with_draws = csi.importance_performance(fit, "Satisfaction", boot)
    assert list(with_draws.columns) == [
        "importance",
        "performance",
        "se",
        "df",
        "lower",
        "upper",
        "reason",
    ]
    assert with_draws.index[0] == "Quality"


def test_what_the_index_cannot_do_is_said(ecsi, mobi, fit, boot):
    bare = csi.fit(ecsi, mobi.data)
    with pytest.raises(SurveyError) as caught:
        csi.index_scores(bare)
    assert str(caught.value) == (
        "The index needs the scale of IMAG1, IMAG2, IMAG3, IMAG4, IMAG5 and 19 more; give the lowest and "
        "highest answer in the codebook, or as read_survey(..., scale=(1, 10))."
    )
    moments = csi.Moments.from_cov(
        mobi.data[list(ecsi.items)].cov(), 250, list(ecsi.items), scale=(1, 10)
    )
    with pytest.raises(SurveyError, match=r"^The index needs the items' means"):
        csi.index_scores(csi.fit(ecsi, moments))
    with pytest.raises(OptionError, match=r"^The bootstrap was made from another fit"):
        csi.index_scores(bare, bootstrap=boot)
    with pytest.raises(OptionError, match=r"^The bootstrap was made from another fit"):
        csi.importance_performance(bare, bootstrap=boot)
    data = mobi.data.assign(g=["a", "b"] * 125)
    other = csi.fit(ecsi, csi.read_survey(data, scale=(1, 10)))
    few = csi.bootstrap(other, 10, 1)
    with pytest.raises(OptionError, match=r"^interval='bca' is not available by group"):
        csi.index_scores(other, by="g", bootstrap=few, interval="bca")
    with pytest.raises(InferenceError, match=r"^Only 10 of 10 draws are usable"):
        csi.index_scores(other, by="g", bootstrap=few)
    with pytest.raises(
        ModelError, match=r"^Target 'Satisfation' is not in the model \(did you mean"
    ):
        csi.importance_performance(fit, "Satisfation")
    with pytest.raises(ModelError, match=r"^No construct affects 'Image'"):
        csi.importance_performance(fit, "Image")


@pytest.mark.parametrize(
    "design", [{"strata": "s"}, {"cluster": "firm"}, {"strata": "s", "cluster": "firm"}]
)
def test_group_errors_respect_the_design_as_the_bootstrap_does(chain, population, design):
    rng = np.random.default_rng(2)
    firm = np.repeat(np.arange(80), 5)
    data = population(400).add(rng.standard_normal(80)[firm] + 2.0 * (firm % 4), axis=0)
    data = data.assign(firm=firm, s=firm % 4, g=rng.integers(0, 3, 400))
    survey = csi.read_survey(data, scale=(-99, 99), items=list(chain.items), **design)
    fit = csi.fit(chain, survey)
    drawn = csi.index_scores(fit, by="g", bootstrap=csi.bootstrap(fit, 2000, 1))
    assert_allclose(csi.index_scores(fit, by="g")["se"], drawn["se"], rtol=0.12)


def test_an_index_outside_0_to_100_is_told_where_it_is_read():
    """One of two questions asked the other way round, in the index, its draws and the bootstrap."""
    rng = np.random.default_rng(3)
    u = rng.normal(size=250)
    rows = pd.DataFrame(
        {c: np.clip(np.round(5.5 + 1.2 * u + rng.normal(size=250)), 1, 10) for c in "abcd"}
    )
    rows["d"] = 11 - rows["d"]
    model = csi.Model.from_syntax("A =~ a + b\nB =~ c + d\nB ~ A")
    fit = csi.fit(model, csi.read_survey(rows, scale=(1, 10)))
    boot = csi.bootstrap(fit, 300, rng=1, progress=False)
    (finding,) = [f for f in boot.findings if f.code == "draws-beyond-bounds"]
    assert finding.severity == "failure"
    assert finding.subjects == ("B",)
    values = boot.values("index")[:, 1]
    assert finding.count == ((values < 0) | (values > 100)).sum()
    assert finding.values["most"] == values.max()
    assert (finding.values["quantity"], finding.values["names"]) == ("index", ("B",))
    assert (finding.values["low"], finding.values["high"]) == (0, 100)
    with collected() as findings:
        csi.index_scores(fit, bootstrap=boot)
    assert finding in findings
    half = ["x", "y"] * 125
    grouped = csi.fit(
        model, csi.read_survey(rows.assign(g=half), scale=(1, 10), items=list("abcd"))
    )
    drawn = csi.bootstrap(grouped, 300, rng=1, progress=False)
    with collected() as findings:
        csi.index_scores(grouped, by="g", bootstrap=drawn)
    assert "draws-beyond-bounds" not in [f.code for f in findings]  # those of the whole sample
    with collected() as findings:
        csi.index_scores(grouped, bootstrap=drawn)
    assert "draws-beyond-bounds" in [f.code for f in findings]
    turned = csi.fit(model, csi.read_survey(rows, scale=(1, 10), reverse="d"))
    assert not csi.bootstrap(turned, 300, rng=1, progress=False).findings


@pytest.mark.parametrize(("bad", "severity"), [(2, "warning"), (3, "failure")])
def test_more_than_a_hundredth_of_draws_beyond_bounds_is_a_failure(bad, severity):
    rng = np.random.default_rng(3)
    u = rng.normal(size=250)
    rows = pd.DataFrame(
        {c: np.clip(np.round(5.5 + 1.2 * u + rng.normal(size=250)), 1, 10) for c in "abcd"}
    )
    rows["d"] = 11 - rows["d"]
    model = csi.Model.from_syntax("A =~ a + b\nB =~ c + d\nB ~ A")
    fit = csi.fit(model, csi.read_survey(rows, scale=(1, 10)))
    drawn = csi.bootstrap(fit, 100, rng=1, progress=False)
    values = drawn.values("index")[:, 1]
    beyond = (values < 0) | (values > 100)
    inside, outside = (
        np.repeat(np.arange(250), drawn.design.counts(0)[np.argmax(which)].astype(int))
        for which in (~beyond, beyond)
    )
    resamples = np.stack([inside] * (200 - bad) + [outside] * bad)
    boot = csi.bootstrap(fit, resamples=resamples, progress=False)
    (finding,) = [f for f in boot.findings if f.code == "draws-beyond-bounds"]
    assert (finding.count, finding.severity) == (bad, severity)
