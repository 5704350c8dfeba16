"""Strata, lonely strata and finite populations in models of repurchase: values of R's survey."""

import numpy as np
import pandas as pd
import pytest
from conftest import REFERENCE
from numpy.testing import assert_allclose
from wordings import row_of

import csimodel as csi
from csimodel.inference.sources import CENSUS
from csimodel.outcomes.kernels.families import family_of
from csimodel.outcomes.models.shape.threshold_scores import multiplier_test
from csimodel.outcomes.prediction.compare import _scores
from csimodel.outcomes.prediction.goodness import goodness
from csimodel.outcomes.prediction.recalibration import recalibrated
from csimodel.survey.sampling import SurveyDesign

MODEL = csi.Model.from_syntax("Q =~ CUSA1\nE =~ CUSA2\nC =~ CUSCO\nC ~ Q\nQ ~ E")
SCALE = dict.fromkeys(("CUSA1", "CUSA2", "CUSCO", "CUSL1"), (1, 10))
UNITS = {"strata": "stratum", "cluster": "psu"}
DESIGNS = {
    "strata": UNITS,
    "full": {**UNITS, "population": "fpc"},
    "rows_of_400": {"population": 400},
}


@pytest.fixture(scope="module")
def data():
    frame = pd.read_csv(REFERENCE / "mobi_survey_data.csv")
    return frame.assign(
        months=1 + frame["id"] * 7 % 23,
        left=((frame["id"] % 5 < 2) | (frame["CUSA1"] < 6)).astype(int),
        spoke=(frame["id"] % 3 == 0).astype(int),
        old=(frame["age"] == "55+").astype(int),
    )


def survey_of(data, **design):
    return csi.read_survey(data, scale=SCALE, items=list(SCALE), weights="weight", **design)


def fit_of(data, **design):
    return csi.fit(MODEL, survey_of(data, **design))


def by_time(data, **design):
    return csi.outcomes.repurchase_time(
        fit_of(data, **design), duration="months", event="left", kind="churn", index="Q"
    )


@pytest.mark.parametrize("name", DESIGNS)
def test_hazards_have_the_errors_of_the_design(reference, data, name):
    theirs = reference("outcomes_design.json")[name]
    found = by_time(data, **DESIGNS[name])
    row = found.coefficients.loc["Q"]
    assert_allclose([row["estimate"], row["se"]], list(theirs["cox"].values()), rtol=1e-7)
    assert row["df"] == theirs["degf"]
    assert "errors of the sampling design, linearized" in found.interval_kind
    assert (found.predict([60.0], [6.0, 12.0])["df"] == theirs["degf"]).all()


@pytest.mark.parametrize("name", DESIGNS)
def test_sides_of_expectations_have_the_errors_of_the_design(reference, data, name):
    theirs = reference("outcomes_design.json")[name]["sides"]
    found = csi.outcomes.repurchase_asymmetry(
        fit_of(data, **DESIGNS[name]), "C", quality="Q", expectations="E"
    )
    of_points = 100.0 / 9.0  # the index of a single item counts its answers so
    table = found.table.loc[["quality", "shortfall", "surplus"]]
    assert_allclose(table["estimate"], of_points * np.array(theirs["b"][1:]), rtol=1e-7)
    assert_allclose(table["se"], of_points * np.array(theirs["se"][1:]), rtol=1e-7)
    assert found.regression.errors == "linearized"


@pytest.mark.parametrize("name", DESIGNS)
def test_corrected_slopes_have_the_errors_of_the_design(reference, data, name):
    theirs = reference("outcomes_design.json")[name]
    fit = fit_of(data, **DESIGNS[name])
    found = csi.outcomes.corrected_slopes(fit, "CUSL1", ["eiv"], index="Q", reliability=0.8).table
    se, degf = theirs["slope"]["se"], theirs["degf"]
    # a reliability that is known divides slope and error
    assert_allclose(found["slope"], theirs["slope"]["b"] / np.array([1.0, 0.8]), rtol=1e-7)
    assert_allclose(found["se"], se / np.array([1.0, 0.8]), rtol=1e-7)
    assert found["df"].tolist() == [degf, degf]


def test_a_reliability_of_its_own_error_moves_with_the_strata(data):
    model = csi.Model.from_syntax("Q =~ CUSA1 + CUSA2 + CUSA3\nC =~ CUSCO\nC ~ Q")
    scale = {**SCALE, "CUSA3": (1, 10)}
    units = data.groupby("stratum")["psu"].nunique()
    rows = []
    for size in (1e12 * units, 2.0 * units):
        survey = csi.read_survey(data, scale=scale, items=list(scale), **UNITS,
                                 population=size.to_dict())  # fmt: skip
        fit = csi.fit(model, survey, csi.PLS(modes="unit"))
        rows.append(csi.outcomes.corrected_slopes(fit, "CUSL1", ["eiv"], index="Q").table.iloc[1])
    # where half of each stratum was drawn, half the variance is left
    assert_allclose(rows[1]["se"], rows[0]["se"] / np.sqrt(2.0), rtol=1e-6)


def test_a_census_has_no_error(data):
    fit = fit_of(data, population=len(data))
    slopes = csi.outcomes.corrected_slopes(fit, "CUSL1", ["eiv"], index="Q", reliability=0.8).table
    for table in (by_time(data, population=len(data)).coefficients, slopes):
        assert (table["se"] == 0).all()
        assert (table["reason"] == CENSUS).all()


@pytest.mark.parametrize("name", DESIGNS)
def test_groups_have_the_errors_of_the_design(reference, data, name):
    theirs = reference("outcomes_design.json")[name]
    survey = survey_of(data, **DESIGNS[name])
    found = csi.outcomes.complaint_repurchase(
        survey, complained="spoke", handling="CUSCO", repurchase="CUSL1", satisfied="CUSA1"
    )
    table = found.table.loc[theirs["groups"]["names"]]
    assert_allclose(table["mean"], theirs["groups"]["mean"], rtol=1e-9)
    assert_allclose(table["se"], theirs["groups"]["se"], rtol=1e-9)
    assert (table["df"] <= theirs["degf"]).all()
    apart = found.paradox.loc["handled well - no complaint"]
    assert_allclose(apart["difference"], theirs["groups"]["difference"], rtol=1e-8)
    assert_allclose(apart["se"], theirs["groups"]["difference_se"], rtol=1e-9)
    rate = found.rates.loc["complaint rate"]
    assert_allclose([rate["share"], rate["se"]], list(theirs["rate"].values()), rtol=1e-9)
    assert rate["df"] == theirs["degf"]
    drop = csi.outcomes.repurchase_top_drop(
        survey, satisfaction="CUSA1", repurchase="CUSL1", top=(9, 10), below=(7, 8)
    ).table.loc["all"]
    assert_allclose([drop["drop"], drop["se"]], list(theirs["drop"].values()), rtol=1e-8)
    rates = csi.outcomes.money.buying_rates(survey, bought="high", existing="old")
    shares = [*theirs["buying"]["share"], theirs["buying"]["difference"]]
    assert_allclose(rates["share"], shares, rtol=1e-8)
    errors = [*theirs["buying"]["se"], theirs["buying"]["difference_se"]]
    assert_allclose(rates["se"], errors, rtol=1e-8)


def test_domains_have_the_units_they_touch(data):
    survey = survey_of(data, **DESIGNS["strata"])
    rates = csi.outcomes.money.buying_rates(survey, bought="high", existing="old")
    for old, label in ((1, "existing"), (0, "new")):
        part = data[data["old"] == old]
        units = part.groupby("stratum")["psu"].nunique()
        assert rates.loc[label, "df"] == units.sum() - len(units)
    markets = csi.outcomes.repurchase_top_drop(
        survey, satisfaction="CUSA1", repurchase="CUSL1", by="sex", top=(9, 10), below=(7, 8),
        fewest=5,
    )  # fmt: skip
    (p,), (of_pair,) = markets.tests["p"], markets.pairwise["p"]
    assert_allclose(p, of_pair, rtol=1e-9)  # of two markets F(1, d) is the square of t


def test_shares_of_a_census_are_known(data):
    survey = survey_of(data, population=len(data))
    rates = csi.outcomes.money.buying_rates(survey, bought="high", existing="old")
    assert (rates["se"] == 0).all()
    assert (rates["reason"] == CENSUS).all()
    assert_allclose(rates[["lower", "upper"]], rates[["share", "share"]])


def test_rows_without_a_weight_are_no_units(data):
    half = data["id"] % 2 == 0
    light = data.assign(weight=data["weight"].where(half, 0.0))
    whole = csi.outcomes.money.buying_rates(
        survey_of(light, strata="stratum"), bought="high", existing="old"
    )
    kept = csi.outcomes.money.buying_rates(
        survey_of(data[half], strata="stratum"), bought="high", existing="old"
    )
    pd.testing.assert_frame_equal(whole, kept)


def test_clusters_of_ones_own_beside_strata_are_refused(data):
    survey = survey_of(data, **UNITS)
    with pytest.raises(
        csi.errors.OptionError, match=r"^cluster='psu2' names other clusters than the surv"
    ):
        csi.outcomes.money.buying_rates(survey, bought="high", existing="old", cluster="psu2")
    alone = data.assign(stratum=data["stratum"].where(data["psu"] != data["psu"].iloc[0], 99))
    survey = survey_of(alone, strata="stratum", cluster="psu", lonely="fail")
    with pytest.raises(
        csi.errors.SurveyError, match=r"hold a single cluster or respondent \(lonely='fail'"
    ):
        csi.outcomes.money.buying_rates(survey, bought="high", existing="old")


def test_slopes_between_groups_say_what_they_leave_out(data):
    fit = fit_of(data, **DESIGNS["full"])
    found = csi.outcomes.corrected_slopes(fit, "CUSL1", index="Q", by="psu2")
    (finding,) = [f for f in found.findings if f.code == "design-unused"]
    assert finding.values["by"] == "psu2"
    assert row_of(finding).case == "strata and population"
    given = {"firm": "psu2", "period": "sex", "index": "Q", "scale": (1, 10), "effects": "firm"}
    panel = csi.outcomes.repurchase_panel(fit, "CUSL1", **given)
    mixed = csi.outcomes.repurchase_mixed(
        fit, "CUSL1", by="psu2", index="Q", scale=(1, 10), model="population-averaged"
    )
    for other in (panel, mixed):
        assert finding in other.findings
    plain = csi.outcomes.corrected_slopes(
        fit_of(data, cluster="psu2"), "CUSL1", index="Q", by="psu2"
    )
    assert "design-unused" not in {f.code for f in plain.findings}


def repurchase_of(data, **design):
    return csi.repurchase(fit_of(data, **design), "CUSL1", index="Q")


@pytest.mark.parametrize("name", DESIGNS)
def test_calibration_has_the_errors_of_the_design(reference, data, name):
    theirs = reference("goodness_design.json")[name]
    rep = repurchase_of(data, **DESIGNS[name])
    points = (data["CUSA1"].to_numpy() - 1) / 9 * 100
    expected = family_of("logit").mean((points - 50) / 25)
    table, test = recalibrated(rep, expected)
    for row in ("intercept", "slope"):
        ours = table.loc[row]
        assert_allclose(ours["estimate"], theirs[row], rtol=1e-6)
        assert_allclose(ours["se"], theirs[f"{row}_se"], rtol=1e-6)
        assert ours["df"] == theirs["degf"]
    assert_allclose([test["statistic"], test["p"]], [theirs["statistic"], theirs["p"]], rtol=1e-5)
    other = family_of("logit").mean((points - 40) / 30 + (points / 100) ** 2)
    sample, design = rep.regression.sample, rep.regression.design_of_sample
    predicted = pd.DataFrame({"one": expected, "other": other})
    row = _scores(sample.outcome, predicted, sample.share, design).loc["other"]
    mean, se = (np.array(theirs["scores"][part]) for part in ("mean", "se"))
    names = ["brier_difference", "log_score_difference"]
    assert_allclose(row[names].to_numpy(float), mean[:2], rtol=1e-9)
    assert_allclose(row[[f"{part}_se" for part in names]].to_numpy(float), se[:2], rtol=1e-9)
    assert_allclose(row["log_score_difference_p"], theirs["scores"]["p"], rtol=1e-9)
    fit = goodness(rep.regression, data["id"].to_numpy() % 4)["fit by groups"]
    groups = theirs["groups"]
    assert_allclose([fit["statistic"], fit["p"]], [groups["statistic"], groups["p"]], rtol=1e-6)
    assert fit["distribution"] == f"F(3, {theirs['degf'] - 2})"


def test_too_few_units_leave_no_test_of_the_fit(data):
    rep = repurchase_of(data, cluster="psu2", population=None)
    units = rep.regression.design_of_sample.units
    assert goodness(rep.regression, np.arange(rep.n) % (units + 1))["fit by groups"].isna()["p"]
    few = data.assign(psu2=data["psu2"] % 3)
    found = csi.outcomes.calibration(repurchase_of(few, cluster="psu2"), folds=0, groups=8)
    assert np.isnan(found.tests.loc["fit by groups", "p"])
    (finding,) = [f for f in found.findings if f.code == "no-fit-test"]
    assert finding.values["df"] == 2


def test_shapes_draw_as_the_sample_was_drawn(data):
    """Where all of a stratum's units were asked it does not vary, in draws and multipliers."""
    census = repurchase_of(data, population=len(data))
    straight = csi.outcomes.repurchase_shape(census, "hinge", knots=60, draws=20, rng=1)
    assert (straight.fitted.linear(np.eye(3))["se"] == 0).all()
    for kind in ("isotonic", "hinge"):
        found = csi.outcomes.repurchase_shape(census, kind, draws=30, rng=1)
        assert np.isnan(found.p)
        assert found.tests["distribution"].tolist() == ["none"]
        assert (found.curve([50.0, 80.0])["se"].fillna(0) < 1e-12).all()
    stratified = repurchase_of(data, **DESIGNS["strata"])
    found = csi.outcomes.repurchase_shape(stratified, "hinge", draws=30, rng=1)
    assert (found.table["df"] == stratified.regression.df).all()
    resampling = found.fitted.bend.resamples.resampling
    assert resampling.strata is not None
    counts = resampling.counts(0)
    units = pd.DataFrame(counts.T).groupby(data["psu"].to_numpy()).first()
    stratum = data.groupby("psu")["stratum"].first()
    for sums in units.groupby(stratum).sum().to_numpy():
        assert_allclose(sums, sums[0])  # as many units as the stratum has, in every draw


def test_average_spreads_the_draws_of_lonely_strata(data):
    alone = data.assign(stratum=data["stratum"].where(data["psu"] != data["psu"].iloc[0], 99))
    spread = {}
    for lonely in ("average", "certainty"):
        rep = repurchase_of(alone, **UNITS, lonely=lonely)
        found = csi.outcomes.repurchase_shape(rep, "hinge", draws=40, rng=1)
        spread[lonely] = found.table.loc[["threshold", "slope below"], "se"].to_numpy()
    strata = alone["stratum"].nunique()
    assert_allclose(spread["average"], spread["certainty"] * np.sqrt(strata / (strata - 1)))


def test_multipliers_have_the_covariance_of_the_design_and_leave_sizes_as_they_are():
    rng = np.random.default_rng(3)
    strata = np.array([0, 1, 0, 2, 1, 0, 0, 1, 3, 3, 3, 3, 3])
    population = np.array([8.0, 30.0, 9.0, 20.0])[strata]
    for lonely in ("adjust", "average", "remove"):
        design = SurveyDesign.of(13, strata, lonely=lonely, population=population)
        totals = rng.normal(size=(13, 2))
        drawn = design.multipliers(200_000, rng) @ totals
        assert_allclose(np.cov(drawn.T), design.covariance(totals), rtol=0.03, atol=0.03)
        assert_allclose(drawn.mean(axis=0), 0.0, atol=0.03)
    drawn = SurveyDesign.of(6, np.repeat([0, 1], [4, 2])).multipliers(20, rng)
    assert_allclose(drawn**2, 1.0)
    assert_allclose(drawn[:, 4], -drawn[:, 5])


@pytest.mark.parametrize("strata", [6, 24])
def test_the_threshold_test_keeps_its_size_in_strata(strata):
    """Strata of two clusters that differ much: at most some 5 % of straight samples are rejected."""
    rejected = bent = 0
    for seed in range(120):
        rejected += threshold_p(stratified_sample(seed, strata), seed) <= 0.05
    for seed in range(20):
        bent += threshold_p(stratified_sample(seed, strata, change=-0.012), seed) <= 0.05
    assert rejected <= 12
    assert bent >= 15


def threshold_p(rep, seed):
    return multiplier_test(rep.regression, 0, np.linspace(40.0, 80.0, 15), 99, seed)["p"]


def stratified_sample(seed, strata, rows=20, change=0.0):
    """Return a regression in fixed strata of two clusters; of each two alike in x one is higher."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(2 * strata), rows)
    stratum, n = cluster // 2, 2 * strata * rows
    level = np.where(stratum % 2 == 0, 0.08, -0.08) + 0.04 * rng.normal(size=2 * strata)[cluster]
    middle = 60 + 10 * np.sin(2.4 * (stratum // 2))
    x = np.clip(middle + 15 * rng.normal(size=n), 0, 100)
    y = 0.3 + 0.004 * x + change * np.maximum(x - 60, 0) + level + 0.1 * rng.normal(size=n)
    frame = pd.DataFrame({"x": x, "y": y, "s": stratum, "c": cluster})
    survey = csi.read_survey(frame, items=["x"], scale=(0, 100), strata="s", cluster="c")
    return csi.repurchase(survey, "y", index="x", family="ols", scale=(-2, 3))
