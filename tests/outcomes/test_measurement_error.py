"""Corrected slopes: values of other programs, laws, recovery, messages."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from wordings import row_of

import csimodel as csi
from csimodel.errors import EstimationError, ModelError, OptionError, SurveyError
from csimodel.estimators.covariance.true_variance import true_shares
from csimodel.estimators.points import point_weights
from csimodel.outcomes.measurement_error import omega as omega_module
from csimodel.outcomes.measurement_error import one_factor as one_factor_module
from csimodel.outcomes.measurement_error import reliability
from csimodel.outcomes.measurement_error.croon import croon_slopes
from csimodel.outcomes.measurement_error.errors_in_variables import moved_slopes
from csimodel.outcomes.measurement_error.groups import _FEW, GroupMoments, _told
from csimodel.outcomes.measurement_error.item_moments import ItemMoments, draw_moments
from csimodel.outcomes.measurement_error.latent import latent_slopes
from csimodel.outcomes.measurement_error.omega import ReliabilityOf, index_omega
from csimodel.outcomes.measurement_error.one_factor import one_factor
from csimodel.outcomes.measurement_error.simex import GRID, extrapolated, simex_points
from csimodel.survey import datasets

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def small_boot(fit):
    return csi.bootstrap(fit, draws=120, rng=3, progress=False)


@pytest.fixture(scope="module")
def found(fit, small_boot):
    methods = ("eiv", "simex", "simex-quadratic", "croon", "sem")
    return csi.outcomes.corrected_slopes(
        fit, "CUSL1", methods, bootstrap=small_boot, progress=False
    )


@pytest.fixture(scope="module")
def acsi():
    try:
        datasets._acsi_file(None)
    except SurveyError:
        pytest.skip("the public ACSI 2015 file is not on this computer; name it in CSIMODEL_DATA")
    return csi.load_acsi2015()


def simulated(rows, seed, *, reliability=0.8, slope=0.0058, binary=False):
    """Return an index with a known reliability and an outcome that depends on the true one."""
    rng = np.random.default_rng(seed)
    true = 10.0 * rng.standard_normal(rows)
    index = 60.0 + true + 10.0 * np.sqrt(1 / reliability - 1) * rng.standard_normal(rows)
    if binary:
        again = rng.random(rows) < 1 / (1 + np.exp(-(0.4 + slope * true)))
        return index, again.astype(float)
    return index, 0.5 + slope * true + 0.08 * rng.standard_normal(rows)


# --- values from other programs -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "index"),
    [("one", ["Satisfaction"]), ("image", ["Image"]), ("two", ["Satisfaction", "Image"])],
)
def test_latent_slope_and_croon_of_lavaan(fit, reference, model, index):
    theirs = reference("mobi_corrected.json")[model]
    ours = csi.outcomes.corrected_slopes(fit, "CUSL1", ("sem", "croon"), index=index)
    weight = dict(zip(fit.model.items, point_weights(fit.solution), strict=True))
    for method, fitted in (("sem", "sem"), ("croon", "local")):
        for name in index:
            letter = name[0]
            items = fit.model.blocks[name]
            points = sum(weight[i] * theirs[fitted].get(f"{letter}=~{i}", 1.0) for i in items)
            # answers of 1 to 10 on both sides: a point of the index is 0.09, of the outcome 9
            slope = theirs[fitted][f"y~{letter}"] / points / 100.0
            assert_allclose(ours.effect(method, name).estimate, slope, rtol=1e-5)


@pytest.mark.parametrize(
    ("group", "slope", "alpha", "corrected"),
    [
        (None, 0.00981, 0.9134, 0.01074),
        (1001, 0.00760, 0.7777, 0.00977),
        (3003, 0.00821, 0.8897, 0.00923),
        (3013, 0.01025, 0.9538, 0.01075),
        (5001, 0.01014, 0.9023, 0.01124),
    ],
)
def test_acsi_2015(acsi, group, slope, alpha, corrected):
    data = acsi.data if group is None else acsi.data[acsi.data["INDUSTRY"] == group]
    items = data[["SATIS", "CONFIRM", "IDEAL"]].astype(float)
    index = (items.mean(axis=1) - 1) / 9 * 100
    found = csi.outcomes.corrected_slopes(
        index=index,
        outcome=data["REPUR"].astype(float),
        reliability=alpha,
        methods=["eiv", "simex"],
        scale=(1, 10),
    )
    slopes = found.table.set_index("method")["slope"]
    assert round(slopes["naive"], 5) == slope
    assert round(slopes["eiv"], 5) == corrected
    assert round(slopes["simex"], 5) == corrected


# --- laws ---------------------------------------------------------------------------------------


def test_errors_in_variables_is_slope_over_reliability(found):
    table = found.table.set_index("method")
    assert_allclose(
        table["slope"]["eiv"], table["slope"]["naive"] / found.reliability["Satisfaction"].value
    )
    draws = found.draws.droplevel("index", axis=1)
    assert (draws["eiv"] > draws["naive"]).all()


def test_simex_of_least_squares_is_errors_in_variables(fit, found):
    table = found.table.set_index("method")
    for column in ("slope", "se", "lower", "upper"):
        assert_allclose(table[column]["simex"], table[column]["eiv"], rtol=1e-6)
    plain = csi.outcomes.corrected_slopes(fit, "CUSL1", ("eiv", "simex"), controls="CUEX1").table
    plain = plain.set_index("method")
    assert_allclose(plain["se"]["simex"], plain["se"]["eiv"], rtol=1e-5)


def test_reliability_of_one_changes_nothing(fit):
    for family, method in (("ols", "eiv"), ("logit", "regression-calibration")):
        outcome = (fit.survey.data["CUSL1"] >= 8).astype(float).rename("again")
        table = csi.outcomes.corrected_slopes(
            fit, outcome, (method, "simex"), family=family, reliability=1.0, replications=2
        ).table
        for column in ("slope", "average_marginal_effect"):
            assert_allclose(table[column], table[column][0], rtol=1e-6)


def test_naive_row_is_repurchase(fit, small_boot, found):
    rep = csi.repurchase(fit, "CUSL1", family="ols", bootstrap=small_boot)
    row = found.table.iloc[0]
    effect = rep.average_marginal_effect
    assert row["method"] == "naive"
    assert_allclose(
        row[["slope", "se", "lower", "upper"]].astype(float),
        [float(rep.slope), effect.se, effect.lower, effect.upper],
    )
    alone = csi.repurchase(fit, "CUSL1", family="ols").average_marginal_effect
    plain = csi.outcomes.corrected_slopes(fit, "CUSL1", "eiv").effect("naive")
    assert (plain.estimate, plain.se, plain.lower) == (alone.estimate, alone.se, alone.lower)


def test_population_moments_return_the_slopes():
    loadings, theta = np.array([0.9, 0.8, 0.7, 0.6]), np.array([0.3, 0.5, 0.2, 0.4])
    latent = np.array([[1.0, 0.3], [0.3, 2.0]])  # the factor and a control
    beta = np.array([0.5, -0.2])
    size = 6
    cov = np.zeros((size, size))
    cov[:4, :4] = np.outer(loadings, loadings) + np.diag(theta)
    cov[:4, 4] = cov[4, :4] = loadings * latent[0, 1]
    cov[4, 4] = latent[1, 1]
    cov[:4, 5] = cov[5, :4] = loadings * (latent[0] @ beta)
    cov[4, 5] = cov[5, 4] = latent[1] @ beta
    cov[5, 5] = 2.0
    weights = np.array([0.4, 0.3, 0.2, 0.1])
    moments = ItemMoments(cov, weights, (slice(0, 4),))
    truth = beta / [weights @ loadings, 1.0]
    reliability = 1 - weights**2 @ theta / (weights @ cov[:4, :4] @ weights)
    for fitted in (croon_slopes(moments), latent_slopes(moments)):
        assert_allclose(fitted.slopes, truth, rtol=1e-5)
        assert_allclose(fitted.reliability, [reliability], rtol=1e-5)
        assert not fitted.inadmissible
    regressors, outcome = moments.of_regressors
    gamma = np.linalg.solve(regressors, outcome)
    points = truth * [1.0, 1.0]
    assert_allclose(moved_slopes(regressors, np.array([reliability]), gamma), points, rtol=1e-10)


def test_one_factor_with_negative_items_and_a_batch():
    loadings = np.array([[0.9, -0.8, 0.7], [0.5, 0.6, 0.7]])
    cor = loadings[:, :, None] * loadings[:, None, :]
    cor[:, range(3), range(3)] = 1.0
    assert_allclose(one_factor(cor), loadings, rtol=1e-12)
    impossible = np.array([[1.0, 0.5, 0.5], [0.5, 1.0, -0.5], [0.5, -0.5, 1.0]])
    assert np.isnan(one_factor(impossible)).all()


def test_omega_of_equal_loadings_is_alpha():
    rng = np.random.default_rng(0)
    cor = np.full((3, 3), 0.5) + 0.5 * np.eye(3)
    x = rng.multivariate_normal(np.zeros(6), np.kron(np.array([[1, 0.4], [0.4, 1]]), cor), 50)
    x -= x.mean(axis=0)
    x = x @ np.linalg.inv(np.linalg.cholesky(x.T @ x / 49)).T
    full = np.kron(np.array([[1, 0.4], [0.4, 1]]), cor)
    x = x @ np.linalg.cholesky(full).T
    names = ["a1", "a2", "a3", "b1", "b2", "b3"]
    model = csi.Model.from_syntax("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A")
    fit = csi.fit(model, csi.Moments.from_array(x, names), csi.PLS(modes="unit"))
    assert_allclose(index_omega(fit.solution), 0.75)
    assert csi.outcomes.index_reliability(fit, "A").source.startswith("alpha")
    assert_allclose(csi.outcomes.index_reliability(fit, "A").value, 0.75)


def test_draws_are_the_regressions_of_the_resampled_respondents(fit, small_boot, found):
    """Draw 5, made again from respondents with the weights of that draw."""
    counts = np.concatenate(list(small_boot.design))[5]
    rows = np.repeat(np.arange(250), counts.astype(int))
    points = (fit.survey.data[list(fit.model.items)].to_numpy(float) - 1) / 9 * 100
    block = fit.model.slices[fit.model.construct_names.index("Satisfaction")]
    weights = point_weights(small_boot.solution)[5][block]
    index = points[:, block] @ weights
    outcome = (fit.survey.data["CUSL1"].to_numpy(float) - 1) / 9
    naive = np.polyfit(index[rows], outcome[rows], 1)[0]
    draws = found.draws.droplevel("index", axis=1)
    assert_allclose(draws["naive"][5], naive, rtol=1e-8)
    place = fit.model.construct_names.index("Satisfaction")
    omega = index_omega(small_boot.solution)[5, place]
    assert_allclose(draws["eiv"][5], naive / omega, rtol=1e-8)
    again = np.cov(np.column_stack([points[rows][:, block], outcome[rows]]).T, bias=True)
    moments = ItemMoments(again, weights, (slice(0, 3),))
    assert_allclose(draws["croon"][5], croon_slopes(moments).slopes[0], rtol=1e-6)
    assert_allclose(draws["sem"][5], latent_slopes(moments).slopes[0], rtol=1e-4)


def test_only_the_index_asked_for_is_factored_and_once(fit, small_boot, monkeypatch):
    """Three items have a closed form; seven need a search in the sample and one in the draws."""
    blocks, searches = [], []

    def factor(cor):
        blocks.append(cor.shape)
        return one_factor(cor)

    def search(cor):
        searches.append(cor.shape)
        return by_ml(cor)

    by_ml = one_factor_module._by_ml
    monkeypatch.setattr(omega_module, "one_factor", factor)
    monkeypatch.setattr(one_factor_module, "_by_ml", search)
    csi.outcomes.corrected_slopes(fit, "CUSL1", ["eiv"], bootstrap=small_boot)
    assert blocks == [(3, 3), (120, 3, 3)]
    assert not searches
    csi.outcomes.corrected_slopes(fit, "CUSL1", ["eiv"], index="Quality", bootstrap=small_boot)
    assert searches == [(7, 7), (120, 7, 7)]


def test_a_reliability_of_other_draws_is_estimated_in_these(fit, small_boot):
    """One with an error from the jackknife, or from other draws, gives the same slopes."""
    own = csi.outcomes.corrected_slopes(fit, "CUSL1", ["eiv"], bootstrap=small_boot)
    other = csi.bootstrap(fit, draws=60, rng=9, progress=False)
    for given in (
        csi.outcomes.index_reliability(fit),
        csi.outcomes.index_reliability(fit, bootstrap=other),
    ):
        again = csi.outcomes.corrected_slopes(
            fit, "CUSL1", ["eiv"], reliability=given, bootstrap=small_boot
        )
        assert_allclose(again.draws, own.draws, rtol=1e-13)


def test_missing_answers_count_as_the_mean_of_each_draw(mobi, ecsi):
    data = mobi.data.copy()
    data.loc[data.index[:20], "CUSA1"] = np.nan
    survey = csi.read_survey(data, scale=(1, 10), missing="mean")
    fit = csi.fit(ecsi, survey)
    boot = csi.bootstrap(fit, draws=30, rng=1, progress=False)
    rep = csi.repurchase(fit, "CUSL1", family="ols", bootstrap=boot)
    moments = draw_moments(rep.draws)
    cov, with_outcome = moments.of_regressors
    assert_allclose(with_outcome[:, 0] / cov[:, 0, 0], rep.draws.coefficients[:, 1], rtol=1e-8)


@pytest.mark.parametrize("family", ["ols", "fractional-logit"])
def test_linearised_errors_are_near_those_of_the_whole_chain(fit, boot, family):
    methods = ["simex"] + (["croon", "sem"] if family == "ols" else ["regression-calibration"])
    options = {"family": family, "replications": 4, "progress": False}
    if family == "fractional-logit":
        boot = csi.bootstrap(fit, draws=200, rng=1, progress=False)
    plain = csi.outcomes.corrected_slopes(fit, "CUSL1", methods, **options).table
    drawn = csi.outcomes.corrected_slopes(fit, "CUSL1", methods, bootstrap=boot, **options).table
    assert_allclose(plain["se"], drawn["se"], rtol=0.15)
    assert_allclose(plain["average_marginal_effect"], drawn["average_marginal_effect"])


def test_simulated_curve_of_simex_meets_the_closed_form():
    """A logit of tiny effects is a straight line, whose curve is known."""
    index, again = simulated(4000, 5, slope=0.05, binary=True)
    found = csi.outcomes.corrected_slopes(
        index=index,
        outcome=again,
        reliability=0.8,
        methods=["regression-calibration", "simex"],
        family="logit",
        replications=3,
    )
    slopes = found.table.set_index("method")
    assert_allclose(slopes["slope"]["simex"], slopes["slope"]["regression-calibration"], rtol=0.03)
    assert_allclose(slopes["se"]["simex"], slopes["se"]["regression-calibration"], rtol=0.1)


def test_what_the_reliability_does_to_simulated_points():
    """The derivative is taken along λ (a larger error variance moves a point to the right)."""
    rng = np.random.default_rng(3)
    index = rng.normal(60, 15, 400)
    again = (rng.random(400) < 1 / (1 + np.exp(-(index - 60) / 20))).astype(float)
    regression = csi.repurchase(index=index, outcome=again, family="logit").regression
    noise = rng.normal(size=(2, 1, 400))
    step = 1e-4
    below, here, above = (
        simex_points(regression, np.array([0.8 + move]), noise) for move in (-step, 0.0, step)
    )
    assert len(here) == 1 + len(GRID)
    for low, point, high in zip(below[1:], here[1:], above[1:], strict=True):
        moved = (high.effects - low.effects) / (2 * step)
        assert_allclose(point.by_reliability[0], moved, rtol=0.03)


def test_extrapolations():
    grid = np.array([0.0, *GRID])
    assert_allclose(extrapolated(3.0 - grid + 0.5 * grid**2, quadratic=True), 4.5)
    assert_allclose(extrapolated(np.full(5, 2.0)), 2.0)
    assert np.isnan(extrapolated(1.0 / (0.9 + grid)))  # its pole lies at -0.9


def test_two_clusters_of_copies_have_the_errors_of_one(mobi, ecsi):
    """Respondents twice, each pair a cluster: errors of one copy, but for degrees of freedom."""
    data = pd.concat([mobi.data, mobi.data], ignore_index=True)
    data["pair"] = np.tile(np.arange(250), 2)
    twice = csi.fit(ecsi, csi.read_survey(data, scale=(1, 10), cluster="pair"))
    once = csi.fit(ecsi, csi.read_survey(mobi.data, scale=(1, 10)))
    methods = ("eiv", "croon", "sem")
    ours, theirs = (
        csi.outcomes.corrected_slopes(fit, "CUSL1", methods).table for fit in (twice, once)
    )
    assert_allclose(ours["slope"], theirs["slope"], rtol=1e-5)
    assert_allclose(ours["se"], theirs["se"], rtol=0.01)


# --- firms --------------------------------------------------------------------------------------


def firms(seed, firms=60, each=15):
    rng = np.random.default_rng(seed)
    firm = np.repeat(np.arange(firms), each)
    between, own = rng.standard_normal(firms), 1.5 * rng.standard_normal(firm.size)
    columns = {
        f"{letter}{k}": 50 + 5 * (weight * (between[firm] + own) + rng.standard_normal(firm.size))
        for letter, weight in (("s", 1.0), ("q", 0.7))
        for k in (1, 2, 3)
    }
    frame = pd.DataFrame(columns)
    again = 0.5 + 0.0058 * 5 * (between[firm] + 2 * own) + 0.02 * rng.standard_normal(firm.size)
    return frame.assign(firm=firm, again=again)


@pytest.fixture(scope="module")
def by_firm():
    model = csi.Model.from_syntax(
        "Quality =~ q1 + q2 + q3\nSatisfaction =~ s1 + s2 + s3\nSatisfaction ~ Quality"
    )
    data = firms(3)
    survey = csi.read_survey(data, scale=(0, 100), cluster="firm")
    return csi.fit(model, survey), data


def test_between_firms_by_hand(by_firm):
    fit, data = by_firm
    found = csi.outcomes.corrected_slopes(fit, data["again"], by="firm", scale=(0, 1))
    index = csi.respondent_index(fit)["Satisfaction"]
    both = pd.DataFrame({"index": index, "again": data["again"]})
    means = both.groupby(data["firm"]).mean()
    within = both.groupby(data["firm"]).cov() / 15
    error = within.xs("index", level=1)["index"].mean()
    joint = within.xs("index", level=1)["again"].mean()
    total, cross = means["index"].var(), means.cov().loc["index", "again"]
    table = found.table.set_index("method")
    assert_allclose(table["slope"]["naive"], cross / total)
    assert_allclose(table["slope"]["eiv"], (cross - joint) / (total - error))
    assert_allclose(table["reliability"]["eiv"], 1 - error / total)
    assert found.n == 60
    assert abs(table["slope"]["eiv"] - 0.0058) < 2 * table["se"]["eiv"]


def test_draws_of_clustered_rows_are_draws_of_clusters():
    """Five copies of a row in a cluster of their own tell no more than one of them."""
    index, again = simulated(120, 8)
    options = {"draws": 400, "rng": 1, "progress": False, "scale": (0, 1)}
    once = csi.outcomes.corrected_slopes(
        index=index, outcome=again, reliability=0.8, methods=["eiv"], **options
    )
    copies = csi.outcomes.corrected_slopes(
        index=np.repeat(index, 5), outcome=np.repeat(again, 5), reliability=0.8, methods=["eiv"],
        cluster=np.repeat(np.arange(120), 5), **options,
    )  # fmt: skip
    assert_allclose(copies.table["slope"], once.table["slope"], rtol=1e-9)
    assert_allclose(copies.table["se"], once.table["se"], rtol=0.12)
    rows = csi.outcomes.corrected_slopes(
        index=np.repeat(index, 5), outcome=np.repeat(again, 5), reliability=0.8, methods=["eiv"],
        cluster=np.repeat(np.arange(120), 5), errors="HC1", **options,
    )  # fmt: skip
    assert_allclose(rows.table["se"] * np.sqrt(5), once.table["se"], rtol=0.12)


def test_naive_errors_between_firms_in_regions_are_statsmodels(by_firm):
    """Fewer clusters than groups: G/(G - 1) · (n - 1)/(n - k), n groups."""
    model, data = by_firm[0].model, by_firm[1].copy()
    data["region"] = data["firm"] % 12
    fit = csi.fit(model, csi.read_survey(data, scale=(0, 100), cluster="region"))
    found = csi.outcomes.corrected_slopes(fit, data["again"], by="firm", scale=(0, 1))
    means = data.assign(x=csi.respondent_index(fit)["Satisfaction"]).groupby("firm").mean()
    ols = sm.OLS(means["again"], sm.add_constant(means["x"]))
    theirs = ols.fit(cov_type="cluster", cov_kwds={"groups": means["region"].astype(int)})
    naive = found.table.set_index("method").loc["naive"]
    assert_allclose(naive["slope"], theirs.params["x"], rtol=1e-9)
    assert_allclose(naive["se"], theirs.bse["x"], rtol=1e-9)
    alone = csi.outcomes.corrected_slopes(by_firm[0], data["again"], by="firm", scale=(0, 1))
    robust = alone.table.set_index("method").loc["naive", "se"]
    assert_allclose(robust, ols.fit(cov_type="HC1").bse["x"], rtol=1e-9)


def test_between_firms_in_draws(by_firm):
    fit, data = by_firm
    boot = csi.bootstrap(fit, draws=200, rng=1, progress=False)
    drawn = csi.outcomes.corrected_slopes(
        fit, data["again"], by="firm", scale=(0, 1), bootstrap=boot
    )
    plain = csi.outcomes.corrected_slopes(fit, data["again"], by="firm", scale=(0, 1))
    assert_allclose(drawn.table["se"], plain.table["se"], rtol=0.25)
    assert drawn.draws.shape == (200, 2)
    counts = np.concatenate(list(boot.design))[7, ::15]
    points = point_weights(boot.solution)[7][3:]
    index = data[["s1", "s2", "s3"]].to_numpy() @ points
    means = pd.DataFrame({"x": index, "y": data["again"]}).groupby(data["firm"]).mean()
    slope = np.polyfit(means["x"], means["y"], 1, w=np.sqrt(counts))[0]
    assert_allclose(drawn.draws["naive"]["Satisfaction"][7], slope, rtol=1e-8)


def test_firms_left_out_are_counted(by_firm):
    fit, data = by_firm
    survey = fit.survey.data.copy()
    survey.loc[:1, "firm"] = [900, 901]
    survey.loc[2:4, "firm"] = np.nan
    again = csi.fit(fit.model, csi.read_survey(survey, scale=(0, 100)))
    found = csi.outcomes.corrected_slopes(again, data["again"], by="firm", scale=(0, 1))
    told = {finding.code: finding for finding in found.findings}
    assert told["groups-left-out"].count == 2
    assert told["no-group"].count == 3


def test_table_of_firms_with_standard_errors():
    rng = np.random.default_rng(2)
    true = 70 + 8 * rng.standard_normal(300)
    se = rng.uniform(2, 6, 300)
    index = true + se * rng.standard_normal(300)
    share = 0.4 + 0.0058 * (true - 70) + 0.03 * rng.standard_normal(300)
    found = csi.outcomes.corrected_slopes(
        index=index, outcome=share, index_se=se, scale=(0, 1), draws=300, rng=1, progress=False
    )
    table = found.table.set_index("method")
    reliability = 1 - (se**2).mean() / index.var(ddof=1)
    assert_allclose(table["reliability"]["eiv"], reliability)
    assert_allclose(table["slope"]["eiv"], table["slope"]["naive"] / reliability)
    assert abs(table["slope"]["eiv"] - 0.0058) < 2.5 * table["se"]["eiv"]
    plain = csi.outcomes.corrected_slopes(
        index=index, outcome=share, index_se=se, scale=(0, 1)
    ).table
    assert_allclose(plain["se"], found.table["se"], rtol=0.15)
    assert "300 groups" in str(found.summary())


# --- what is said -------------------------------------------------------------------------------


def test_page(found):
    text = str(found.summary())
    assert found.headline in text
    assert "against 0.93 as measured" in text
    assert "omega of the index of 'Satisfaction'" in text
    assert "Whole-chain intervals (percentile, 120 bootstrap draws)" in text
    assert "No findings." in text
    assert "<table" in found._repr_html_()
    assert repr(found).startswith(
        "<CorrectedSlopes: A point of the true Satisfaction goes with 1.20"
    )
    figure = csi.plots.slopes(found.table)
    assert len(figure.axes[0].texts) == 6


def test_a_page_has_the_columns_that_tell_something(fit, mobi):
    two = ["Satisfaction", "Image"]
    bought = (mobi.data["CUSL1"] > 7) * 1.0
    for outcome, index, family, columns in (
        ("CUSL1", "Image", "ols", ["slope"]),
        ("CUSL1", two, "ols", ["index", "slope"]),
        (bought, "Image", "logit", ["slope", "effect"]),
        (bought, two, "logit", ["index", "slope", "effect"]),
    ):
        method = "eiv" if family == "ols" else "regression-calibration"
        slopes = csi.outcomes.corrected_slopes(fit, outcome, method, index=index, family=family)
        (part,) = slopes.page.sections
        shown = part.table.columns.intersection(["index", "slope", "effect"]).tolist()
        assert shown == columns
        assert "average_marginal_effect" not in part.table


@pytest.mark.parametrize("few", [0, 1])
def test_slopes_of_few_groups_are_told(few):
    n = np.full(int(_FEW) - few, 2)
    told = _told(np.array([0]), n, range(len(n)))
    assert [finding.code for finding in told] == ["few-groups"] * few


def test_effect(found, fit):
    effect = found.effect("sem")
    row = found.table.set_index("method").loc["sem"]
    assert (effect.estimate, effect.lower, effect.level) == (row["slope"], row["lower"], 0.95)
    assert effect.p == 2 / 121  # no draw beyond 0
    with pytest.raises(OptionError, match="method='semm' is not known \\(did you mean 'sem'"):
        found.effect("semm")
    with pytest.raises(OptionError, match="index='Image' is not in this table; use one of"):
        found.effect("sem", "Image")
    assert csi.outcomes.corrected_slopes(fit, "CUSL1", "eiv").effect("eiv").p < 1e-6


def codes(found):
    return [finding.code for finding in found.findings]


def test_low_and_impossible_reliability(fit):
    low = csi.outcomes.corrected_slopes(fit, "CUSL1", "eiv", reliability=0.3)
    assert {"low-reliability", "implausible-slope"} <= set(codes(low))
    ml = csi.fit(csi.models.ecsi(), csi.load_mobi(), csi.PLS(modes="unit"))
    none = csi.outcomes.corrected_slopes(ml, "CUSL1", ("eiv", "simex"), reliability="rho_a")
    assert codes(none).count("impossible-reliability") == 1
    assert codes(none).count("no-corrected-slope") == 2
    assert none.table["slope"].isna().tolist() == [False, True, True]
    assert "rho_A is for PLS mode A weights only" in str(none.summary())
    assert "no method could correct this" in none.headline


def test_groups_without_differences_have_no_slope():
    rng = np.random.default_rng(0)
    index, se = 70 + 3 * rng.standard_normal(30), np.full(30, 5.0)
    found = csi.outcomes.corrected_slopes(
        index=index,
        outcome=rng.random(30),
        methods="eiv",
        index_se=se,
        scale=(0, 1),
        draws=50,
        progress=False,
    )
    (impossible,) = [f for f in found.findings if f.code == "impossible-reliability"]
    assert (impossible.severity, impossible.values["kind"]) == ("failure", "groups")
    assert row_of(impossible).case == "groups"
    assert str(impossible) in str(found.summary())
    lost = next(f for f in found.findings if f.code == "lost-draws")
    assert lost.count > 25
    assert lost.severity == "failure"


def test_shaky_extrapolation_is_told():
    index, again = simulated(600, 1, reliability=0.5)
    found = csi.outcomes.corrected_slopes(
        index=index, outcome=again, reliability=0.5, methods="simex-quadratic", scale=(-1, 2)
    )
    assert "shaky-extrapolation" in codes(found)
    fine = csi.outcomes.corrected_slopes(
        index=index, outcome=again, reliability=0.9, methods="simex-quadratic", scale=(-1, 2)
    )
    assert "shaky-extrapolation" not in codes(fine)


def test_negative_error_variance_is_told():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(400)
    data = {f"s{k}": x + s * rng.standard_normal(400) for k, s in ((1, 0.02), (2, 1), (3, 1))}
    data["s2"] = data["s2"] + 0.8 * (data["s1"] - x) / 0.02
    data["s3"] = data["s3"] - 0.8 * (data["s1"] - x) / 0.02
    data |= {f"q{k}": x + rng.standard_normal(400) for k in (1, 2, 3)}
    frame = 50 + 5 * pd.DataFrame(data)
    model = csi.Model.from_syntax(
        "Quality =~ q1 + q2 + q3\nSatisfaction =~ s1 + s2 + s3\nSatisfaction ~ Quality"
    )
    fit = csi.fit(model, csi.read_survey(frame, scale=(0, 100)))
    boot = csi.bootstrap(fit, draws=60, rng=1, progress=False)
    again = pd.Series((x > 0).astype(float), name="again")
    found = csi.outcomes.corrected_slopes(fit, again, ("croon",), bootstrap=boot)
    assert "negative-error-variance" in codes(found)
    told = next(f for f in found.findings if f.code == "inadmissible-draws")
    assert told.count > 30


def test_defaults_by_family_and_index(fit):
    def methods(**options):
        return csi.outcomes.corrected_slopes(fit, "CUSL1", replications=1, **options).table[
            "method"
        ]

    assert methods().tolist() == ["naive", "regression-calibration", "simex"]
    naive = csi.outcomes.corrected_slopes(fit, "CUSL1", replications=1).effect("naive")
    plain = csi.repurchase(fit, "CUSL1").average_marginal_effect
    assert (float(naive), naive.se) == (float(plain), plain.se)
    assert methods(family="ols").tolist() == ["naive", "eiv", "simex", "croon", "sem"]
    assert methods(methods=["simex", "eiv"]).tolist() == ["naive", "simex", "eiv"]
    logit = methods(family="fractional-logit").tolist()
    assert logit == ["naive", "regression-calibration", "simex"]
    single = methods(index="Complaints", family="ols", reliability=0.7).tolist()
    assert single == ["naive", "eiv", "simex"]
    two = methods(index=["Satisfaction", "Image"], family="ols").unique().tolist()
    assert two == ["naive", "eiv", "simex-quadratic", "croon", "sem"]


def test_reliability_by_index(fit):
    found = csi.outcomes.corrected_slopes(
        fit,
        "CUSL1",
        "eiv",
        index=["Satisfaction", "Complaints"],
        reliability={"Satisfaction": "alpha", "Complaints": 0.6},
    )
    assert found.reliability["Complaints"].value == 0.6
    assert_allclose(found.reliability["Satisfaction"].value, 0.7792, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"methods": "simx"}, OptionError, "methods='simx' is not known (did you mean 'simex'?)"),
        (
            {"methods": "eiv", "family": "fractional-probit"},
            OptionError,
            "does not go with family='fractional-probit'; use 'regression-calibration'",
        ),
        (
            {"methods": "sem", "family": "fractional-logit"},
            OptionError,
            "methods='sem' is for least squares, and family='fractional-logit'",
        ),
        (
            {"methods": "croon", "index": "Complaints", "reliability": 0.7},
            OptionError,
            "learns the error from several items, and 'Complaints' has one item",
        ),
        ({"family": "beta"}, OptionError, "family='beta' is not known to corrected slopes"),
        ({"index": "Complaints"}, EstimationError, "'Complaints' has one item, 'CUSCO'"),
        ({"reliability": 1.2}, OptionError, "reliability=1.2 is not a share of variance"),
        (
            {"reliability": True},
            OptionError,
            "reliability=True must be a dict by name, a Reliability",
        ),
        ({"reliability": "omgea"}, OptionError, "kind='omgea' is not known (did you mean 'omega'"),
        ({"replications": 0}, OptionError, "replications=0 must be a whole number of at least 1"),
        ({"by": "CUSL2", "family": "logit"}, OptionError, "by= goes with family='ols'"),
        ({"by": "CUSL2", "methods": "sem"}, OptionError, "methods='sem' does not go with by="),
        ({"by": "CUSL2", "reliability": 0.8}, OptionError, "reliability= does not go with by="),
        ({"by": "CUSL2", "controls": "CUSL3"}, OptionError, "controls= does not go with by="),
        ({"by": "CUSL22"}, SurveyError, "by='CUSL22' is not a column of the survey"),
        ({"index": "Satsfaction"}, ModelError, "is not a construct of the model"),
    ],
)
def test_messages(fit, options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        csi.outcomes.corrected_slopes(fit, "CUSL1", **options)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {},
            OptionError,
            "needs either reliability= or index_se= for an index computed elsewhere, and got neither",
        ),
        ({"reliability": 0.8, "index_se": [1.0] * 60}, OptionError, "and got both"),
        ({"reliability": 0.8, "methods": "sem"}, OptionError, "this index has no items here"),
        ({"reliability": 0.8, "draws": -1}, OptionError, "draws=-1 must be a whole number"),
        ({"reliability": 0.8, "interval": "bca"}, OptionError, "interval='bca' is not known"),
        ({"index_se": [1.0] * 20}, SurveyError, "index_se 'index_se' has the shape (20,)"),
        ({"index_se": [-1.0] * 60}, SurveyError, "60 of 60 groups lack a mean or a standard error"),
        ({"index_se": [1.0] * 60, "weights": np.ones(60)}, OptionError, "does not go with weights"),
    ],
)
def test_messages_of_index(options, error, message):
    index, again = simulated(60, 0)
    with pytest.raises(error, match=re.escape(message)):
        csi.outcomes.corrected_slopes(index=index, outcome=again, scale=(-1, 2), **options)


def test_messages_of_groups(fit, by_firm, small_boot):
    clustered, data = by_firm
    plain = csi.fit(clustered.model, csi.read_survey(data, scale=(0, 100)))
    boot = csi.bootstrap(plain, draws=30, rng=1, progress=False)
    with pytest.raises(OptionError, match="must draw whole groups, and this one draws respondents"):
        csi.outcomes.corrected_slopes(plain, data["again"], by="firm", scale=(0, 1), bootstrap=boot)
    with pytest.raises(OptionError, match="made from another fit"):
        csi.outcomes.corrected_slopes(
            plain, data["again"], by="firm", scale=(0, 1), bootstrap=small_boot
        )
    alone = data.assign(firm=np.arange(len(data)))
    lonely = csi.fit(clustered.model, csi.read_survey(alone, scale=(0, 100)))
    with pytest.raises(EstimationError, match="Only 0 of 900 groups have at least 2 respondents"):
        csi.outcomes.corrected_slopes(lonely, data["again"], by="firm", scale=(0, 1))
    with pytest.raises(ModelError, match="construct='Imge' is not in the model"):
        csi.outcomes.index_reliability(fit, "Imge")
    with pytest.raises(OptionError, match="made from another fit"):
        csi.outcomes.index_reliability(plain, bootstrap=small_boot)
    with pytest.raises(SurveyError, match="There are 3 group means and 2 standard errors"):
        csi.outcomes.group_reliability([1.0, 2, 3], [1.0, 2])
    with pytest.raises(EstimationError, match="Only 2 groups have a mean"):
        csi.outcomes.group_reliability([1.0, 2], [1.0, 2])


# --- recovery -----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("part", ["batched", "firms", "survey", "logit"])
def test_coverage_in_short(part, monkeypatch):
    """The table of docs/corrected_slopes.md in 40 samples of one cell."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    sys.modules.pop("coverage_corrected", None)
    import coverage_corrected as coverage

    table = next(coverage.cells(part, 40, (0.8,))).set_index("method")
    corrected = table.drop(index=["naive", "simex-quadratic"], errors="ignore")
    assert (corrected["covered %"] >= 82.5).all()
    assert (corrected["bias %"].abs() < 15).all()
    assert_allclose(corrected["sd / mean se"], 1, atol=0.35)
    if part != "logit":
        assert abs(table["bias %"]["naive"] - table["theory %"]["naive"]) < 6
    assert (table["without slope"] == 0).all()


def moments_of_groups(rng, size=40, scale=1.0):
    """Means of two indexes and an outcome of groups, with their sampling covariances."""
    root = rng.normal(size=(size, 3, 3)) * [[8.0], [6.0], [0.1]] / 4.0
    mean = rng.normal(size=(size, 3)) * [8.0, 6.0, 0.05] + [60.0, 70.0, 0.5]
    mean[:, 1] += 0.5 * mean[:, 0]
    mean[:, 2] += 0.004 * mean[:, 0] - 0.002 * mean[:, 1]
    units = np.array([scale, scale, 1.0])
    error = root @ np.swapaxes(root, 1, 2) * units[:, None] * units
    each = np.arange(size)
    return GroupMoments(mean * units, error, np.eye(3), each, each, ())


def test_naive_slopes_of_two_indexes_between_groups_are_statsmodels_hc1():
    groups = moments_of_groups(np.random.default_rng(2))
    theirs = sm.OLS(groups.mean[:, 2], sm.add_constant(groups.mean[:, :2])).fit(cov_type="HC1")
    assert_allclose(groups.slopes(0.0), theirs.params[1:], rtol=1e-9)
    assert_allclose(groups.se(0.0), theirs.bse[1:], rtol=1e-9)


def test_corrected_slopes_of_two_indexes_between_groups_have_the_error_of_leaving_groups_out():
    groups = moments_of_groups(np.random.default_rng(2), 400)
    left = np.array([
        replace(
            groups, mean=np.delete(groups.mean, g, 0), error=np.delete(groups.error, g, 0)
        ).slopes(-1.0)
        for g in range(400)
    ])  # fmt: skip
    jackknife = np.sqrt(399 / 400 * ((left - left.mean(axis=0)) ** 2).sum(axis=0))
    assert_allclose(groups.se(-1.0), jackknife, rtol=0.03)


def test_slopes_between_groups_do_not_depend_on_the_unit_of_the_indexes():
    rng = np.random.default_rng
    whole, small = moments_of_groups(rng(2)), moments_of_groups(rng(2), scale=1e-7)
    assert_allclose(small.slopes(-1.0) * 1e-7, whole.slopes(-1.0), rtol=1e-9)


def test_a_pole_beyond_what_is_extrapolated_to_does_no_harm():
    grid = np.array([0.0, *GRID])
    assert_allclose(extrapolated(1.0 / (1.5 + grid)), 2.0)
    assert_allclose(extrapolated(np.zeros(len(grid))), 0.0)


def test_true_shares_by_hand(mobi):
    """``(Σλ)² φ`` over itself and the error variances."""
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ2 + PERQ3\nV =~ PERV1 + PERV2 + CUSA1\nV ~ Q")
    fit = csi.fit(model, mobi, csi.ML())
    p = fit.parameters.set_index(["lhs", "op", "rhs"])["estimate"]
    own = {"Q": ["PERQ1", "PERQ2", "PERQ3"], "V": ["PERV1", "PERV2", "CUSA1"]}
    variance = {"Q": p["Q", "~~", "Q"]}
    variance["V"] = p["V", "~~", "V"] + p["V", "~", "Q"] ** 2 * variance["Q"]
    expected = []
    for name, items in own.items():
        common = sum(p[name, "=~", item] for item in items) ** 2 * variance[name]
        expected.append(common / (common + sum(p[item, "~~", item] for item in items)))
    assert_allclose(true_shares(fit.solution), expected, rtol=1e-9)


def test_draws_of_rows_do_not_depend_on_the_unit_of_a_control():
    index, again = simulated(150, 3)
    age = 40 + 0.3 * (index - 60) + np.random.default_rng(2).normal(0, 5, 150)
    tables = [
        csi.outcomes.corrected_slopes(
            index=index, outcome=again, controls=pd.DataFrame({"age": control}), reliability=0.8,
            methods=["naive", "eiv"], draws=60, rng=1, scale=(-1, 2), progress=False,
        ).table
        for control in (age, 100 * age)
    ]  # fmt: skip
    for column in ("slope", "se"):
        assert_allclose(tables[0][column], tables[1][column], rtol=1e-6)


@pytest.mark.parametrize("kind", ["omega", "rho_a", "alpha_raw"])
def test_the_error_of_a_reliability_is_that_of_influence_values(ecsi, mobi, monkeypatch, kind):
    """Eight copies of each respondent: nearly that of the jackknife, without its refits."""
    eight = pd.concat([mobi.data] * 8, ignore_index=True)
    fit = csi.fit(ecsi, csi.read_survey(eight, items=ecsi.items, scale=(1, 10)))
    quantity = ReliabilityOf(kind, 3).quantity
    leave_out = csi.jackknife(fit)
    values = leave_out.values(quantity)
    se = leave_out.se(values, np.asarray(quantity.values(fit.solution)))[0]
    monkeypatch.setattr(reliability, "jackknife", None)
    result = csi.outcomes.index_reliability(fit, "Value", kind)
    assert result.se != se
    assert_allclose(result.se, se, rtol=0.005)
    assert_allclose(result.units.variance(result.pulls[:, None])[0], result.se**2, rtol=1e-12)
