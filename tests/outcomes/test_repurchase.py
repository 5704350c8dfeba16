"""Regressions of repurchase on the index: values of other programs, the whole chain, messages."""

import copy
import pickle
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from statsmodels.miscmodels.ordinal_model import OrderedModel
from statsmodels.othermod.betareg import BetaModel
from statsmodels.tools.sm_exceptions import ConvergenceWarning
from wordings import row_of

import csimodel as csi
from csimodel.errors import (
    EstimationError,
    InferenceError,
    ModelError,
    OptionError,
    SurveyError,
)
from csimodel.outcomes import Estimate, repurchase
from csimodel.outcomes.kernels import sample_fit
from csimodel.outcomes.kernels.families import CLOGLOG, FAMILIES, LOGIT
from csimodel.outcomes.kernels.glm import regress_draws
from csimodel.outcomes.kernels.kernel import Ending
from csimodel.outcomes.models.findings import diagnose
from csimodel.survey import datasets

REFERENCE = Path(__file__).parents[1] / "reference"
DRIVERS = ["Image", "Quality", "Value", "Satisfaction", "Complaints"]


@pytest.fixture(scope="module")
def acsi():
    try:
        datasets._acsi_file(None)
    except SurveyError:
        pytest.skip("the public ACSI 2015 file is not on this computer; name it in CSIMODEL_DATA")
    return csi.load_acsi2015()


@pytest.fixture(scope="module")
def r(reference):
    return reference("mobi_repurchase.json")


@pytest.fixture(scope="module")
def lines():
    return pd.read_csv(REFERENCE / "mobi_index_scores.csv")


@pytest.fixture(scope="module")
def again(mobi):
    return (mobi.data["CUSL1"] >= 8).rename("again")


def by_statsmodels(y, x, family, weights=None):
    """Fit with statsmodels, straight on the columns."""
    x = np.asarray(x, dtype=float).reshape(len(y), -1)
    design = sm.add_constant(x)
    spread = x.std(axis=0)
    options = {"method": "bfgs", "gtol": 1e-9, "maxiter": 500, "disp": 0}
    if family == "beta":
        with warnings.catch_warnings():  # its line search stops at rounding
            warnings.simplefilter("ignore", ConvergenceWarning)
            found = BetaModel(y, design / np.r_[1.0, spread]).fit(**options).params[:-1]
        return found / np.r_[1.0, spread]
    if family.startswith("ordered"):
        model = OrderedModel(y, x / spread, distr=family.removeprefix("ordered-"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            found = model.fit(**options).params
        thresholds = model.transform_threshold_params(found)[1:-1]
        cut = np.searchsorted(np.unique(y), 5.5) - 1
        return np.r_[-thresholds[cut], found[: x.shape[1]] / spread]
    weights = np.ones(len(y)) if weights is None else weights
    if family in ("ols", "wls"):
        return sm.WLS(y, design, weights=weights).fit().params
    links = sm.families.links
    link = {"probit": links.Probit, "cloglog": links.CLogLog}.get(
        family.removeprefix("fractional-"), links.Logit
    )
    model = sm.GLM(y, design, family=sm.families.Binomial(link()), freq_weights=weights)
    return model.fit(tol=1e-13, tol_criterion="params").params


def explained(family, answers):
    """Return an outcome of the kind a family explains, options, and what statsmodels is given."""
    kind = FAMILIES[family].outcome
    if kind == "binary":
        again = (answers >= 8).rename("again")
        return again, {}, again.astype(float)
    if kind == "open share":
        return answers, {"scale": (0.5, 10.5)}, (answers - 0.5) / 10
    return answers, {"scale": (1, 10)}, answers if kind == "ordered" else (answers - 1) / 9


UNWEIGHTED = [name for name in FAMILIES if name != "wls"]


# --- values from other programs -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("errors", "entry"), [("nonrobust", "logit"), ("HC0", "logit_HC0"), ("HC1", "logit_HC1")]
)
def test_logit_of_r(r, lines, mobi, errors, entry):
    found = repurchase(
        index=lines[DRIVERS], outcome=mobi.data["CUSL1"] >= 8, family="logit", errors=errors
    )
    assert_allclose(found.coefficients["estimate"], r[entry]["Estimate"], atol=1e-6)
    assert_allclose(found.coefficients["se"], r[entry]["Std. Error"], atol=1e-6)
    assert_allclose(found.coefficients["p"], r[entry]["Pr(>|z|)"], atol=1e-6)


@pytest.mark.parametrize(
    ("errors", "entry"),
    [
        ("nonrobust", "ols"),
        ("HC1", "ols_HC1"),
        ("HC3", "ols_HC3"),
        ("cluster", "ols_cluster_by_satisfaction_decile_HC1"),
    ],
)
def test_least_squares_of_r(r, lines, mobi, errors, entry):
    found = repurchase(
        index=lines[DRIVERS],
        outcome=mobi.data["CUSL1"],
        scale=(1, 10),
        family="ols",
        errors=errors,
        cluster=r["cluster_id"] if errors == "cluster" else None,
    )
    constant = np.r_[1.0, np.zeros(5)]
    assert_allclose(found.coefficients["estimate"] * 9 + constant, r[entry]["Estimate"], atol=1e-6)
    assert_allclose(found.coefficients["se"] * 9, r[entry]["Std. Error"], atol=1e-6)
    if errors != "cluster":  # that p-value of R keeps n - k degrees of freedom
        assert_allclose(found.coefficients["p"].iloc[1:], r[entry]["Pr(>|t|)"][1:], atol=1e-6)


def test_the_index_inside_the_fit_gives_the_same(r, fit, again):
    found = repurchase(fit, again, index=DRIVERS, family="logit", errors="nonrobust")
    assert_allclose(found.coefficients["estimate"], r["logit"]["Estimate"], atol=1e-6)
    assert_allclose(found.coefficients["se"], r["logit"]["Std. Error"], atol=1e-6)
    assert found.coefficients.index.tolist() == ["const", *DRIVERS]


def test_hc0_of_statsmodels(lines, mobi):
    y = (mobi.data["CUSL1"].to_numpy() - 1) / 9
    theirs = sm.OLS(y, sm.add_constant(lines[DRIVERS].to_numpy())).fit(cov_type="HC0")
    found = repurchase(
        index=lines[DRIVERS], outcome=mobi.data["CUSL1"], scale=(1, 10), family="ols", errors="HC0"
    )
    assert_allclose(found.coefficients["se"], theirs.bse, rtol=1e-10)


@pytest.mark.parametrize("group", ["all", "1001", "3003", "3013", "5001"])
def test_acsi_2015(acsi, reference, group):
    theirs = reference("acsi2015.json")["groups"][group]
    data = acsi.data if group == "all" else acsi.data[acsi.data["INDUSTRY"] == int(group)]
    index = ((data[["SATIS", "CONFIRM", "IDEAL"]].mean(axis=1) - 1) / 9 * 100).rename("index")
    line = repurchase(index=index, outcome=data["REPUR"], scale=(1, 10), family="ols")
    assert line.n == theirs["n"]
    assert round(line.slope, 5) == theirs["slope"]
    assert round(line.slope.se, 5) == theirs["slope_hc1"]
    bent = repurchase(index=index, outcome=data["REPUR"], scale=(1, 10), family="fractional-logit")
    assert round(bent.slope, 5) == theirs["b"]
    assert round(bent.coefficients.loc["const", "estimate"], 4) == theirs["const"]
    assert round(bent.average_marginal_effect, 5) == theirs["ame"]
    contrast = bent.contrast(67, 70)["probability"]
    assert round(contrast["at 67"], 4) == theirs["at_67"]
    assert round(contrast["at 70"], 4) == theirs["at_70"]
    assert bent.findings[0].code == "rows-left-out"


# --- laws and equivalences -----------------------------------------------------------------------


@pytest.mark.parametrize("family", UNWEIGHTED)
def test_the_same_coefficients_as_statsmodels(fit, mobi, family):
    outcome, options, y = explained(family, mobi.data["CUSL1"])
    found = repurchase(fit, outcome, family=family, controls=["CUSCO"], **options)
    x = np.column_stack([csi.respondent_index(fit)["Satisfaction"], mobi.data["CUSCO"]])
    theirs = by_statsmodels(y.to_numpy(), x, family)
    assert_allclose(found.coefficients["estimate"], theirs, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("family", [name for name in UNWEIGHTED if not FAMILIES[name].further])
def test_scoring_ends_where_statsmodels_does_without_it(fit, mobi, family, monkeypatch):
    """To rounding, and the half second of importing statsmodels is not spent."""
    theirs, calls = sample_fit.by_statsmodels, []
    monkeypatch.setattr(sample_fit, "by_statsmodels", lambda *given: calls.append(given))
    outcome, options, _ = explained(family, mobi.data["CUSL1"])
    own = repurchase(fit, outcome, family=family, controls=["CUSCO"], **options).regression
    assert not calls
    assert_allclose(
        own.coefficients,
        theirs(own.family, own.sample.outcome, own.sample.regressors, np.ones(own.sample.n))[0],
        rtol=1e-11,
    )


def test_marginal_effects_of_statsmodels(fit, again):
    found = repurchase(fit, again, family="logit", errors="nonrobust", controls="CUSCO")
    x = np.column_stack([csi.respondent_index(fit)["Satisfaction"], fit.survey.data["CUSCO"]])
    theirs = sm.Logit(again.to_numpy(float), sm.add_constant(x)).fit(disp=0).get_margeff()
    table = found.average_marginal_effects
    assert_allclose(table["estimate"], theirs.margeff, rtol=1e-6)
    # theirs hold the respondents fixed
    se, _ = found.regression.errors_of(found.regression.average_slopes().gradient)
    assert_allclose(se, theirs.margeff_se, rtol=1e-6)
    assert (table["se"] > se).all()
    assert table.index.tolist() == ["Satisfaction", "CUSCO"]


def test_predictions_of_statsmodels(fit, again):
    found = repurchase(fit, again, family="logit", errors="nonrobust")
    design = sm.add_constant(csi.respondent_index(fit)["Satisfaction"].to_numpy())
    model = sm.GLM(again.to_numpy(float), design, family=sm.families.Binomial()).fit()
    theirs = model.get_prediction(np.array([[1.0, 67.0], [1.0, 70.0]])).summary_frame()
    ours = found.predict([67, 70])
    assert_allclose(ours["probability"], theirs["mean"], rtol=1e-8)
    assert_allclose(ours["se"], theirs["mean_se"], rtol=1e-6)
    assert_allclose(ours["lower"], theirs["mean_ci_lower"], rtol=1e-6)
    assert_allclose(ours["upper"], theirs["mean_ci_upper"], rtol=1e-6)


@pytest.mark.parametrize("family", UNWEIGHTED)
def test_delta_method_against_numerical_gradients(fit, mobi, family):
    outcome, options, _ = explained(family, mobi.data["CUSL1"])
    found = repurchase(fit, outcome, family=family, index=["Satisfaction", "Image"], **options)
    base, levels = found.regression, np.array([40.0, 80.0])
    quantities = {
        "average": lambda g: g.average_slopes(),
        "predictions": lambda g: g.predictions(0, levels),
        "slopes": lambda g: g.slopes(1, levels),
    }
    for name, quantity in quantities.items():
        gradient = quantity(base).gradient
        for j in range(3):
            step = np.zeros(3)
            step[j] = 1e-6
            up = quantity(replace(base, coefficients=base.coefficients + step)).value
            down = quantity(replace(base, coefficients=base.coefficients - step)).value
            assert_allclose(gradient[:, j], (up - down) / 2e-6, rtol=1e-5, atol=1e-8, err_msg=name)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_weights_of_two_are_rows_twice(seed):
    rng = np.random.default_rng(seed)
    index, weights = rng.uniform(0, 100, 60), rng.integers(1, 4, 60)
    y = (rng.random(60) < 0.2 + 0.006 * index).astype(float)
    order = np.repeat(np.arange(60), weights)
    answers = np.clip(np.round(1 + 9 * (0.2 + 0.006 * index) + rng.normal(0, 2, 60)), 1, 10)
    for family in FAMILIES:
        outcome, options = y, {}
        if FAMILIES[family].outcome in ("open share", "ordered"):
            outcome, options = answers, {"scale": (0.5, 10.5)}
        one = repurchase(index=index, outcome=outcome, family=family, weights=weights, **options)
        if family == "wls":
            continue
        many = repurchase(index=index[order], outcome=outcome[order], family=family, **options)
        assert_allclose(one.coefficients["estimate"], many.coefficients["estimate"], rtol=1e-6)
        assert_allclose(one.average_marginal_effect, many.average_marginal_effect, rtol=1e-6)


def test_weighted_errors_do_not_depend_on_the_scale_of_weights(lines, again):
    w = np.random.default_rng(1).uniform(0.2, 3.0, 250)
    one, ten = (
        repurchase(index=lines["Satisfaction"], outcome=again, weights=k * w).coefficients
        for k in (1, 10)
    )
    pd.testing.assert_frame_equal(one, ten)


def test_survey_weights_and_clusters_are_taken_from_the_survey(mobi, ecsi):
    rng = np.random.default_rng(3)
    frame = mobi.data.assign(w=rng.uniform(0.5, 2.0, 250), firm=np.arange(250) % 25)
    survey = csi.read_survey(frame, scale=(1, 10), weights="w", cluster="firm")
    fit = csi.fit(ecsi, survey)
    found = repurchase(fit, "CUSL1", scale=(1, 10))
    same = repurchase(
        index=csi.respondent_index(fit)["Satisfaction"],
        outcome=frame["CUSL1"],
        scale=(1, 10),
        weights=frame["w"],
        cluster=frame["firm"],
    )
    assert found.errors == "CR2"
    pd.testing.assert_frame_equal(found.coefficients, same.coefficients)
    x = csi.respondent_index(fit)["Satisfaction"].to_numpy()
    y = (frame["CUSL1"].to_numpy() - 1) / 9
    assert_allclose(
        found.coefficients["estimate"],
        by_statsmodels(y, x, "fractional-logit", frame["w"]),
        rtol=1e-8,
    )
    assert repurchase(fit, "CUSL1", scale=(1, 10), errors="HC1").errors == "HC1"


def test_answers_agree_with_each_other(fit):
    found = repurchase(fit, "CUSL1", index=["Satisfaction", "Image"], controls=["CUSCO"])
    contrast = found.contrast(67, 70)
    assert contrast.index.tolist() == ["at 67", "at 70", "difference"]
    assert contrast.columns.tolist() == ["probability", "se", "df", "lower", "upper", "reason"]
    assert contrast["probability"].iloc[1] - contrast["probability"].iloc[0] == pytest.approx(
        contrast.loc["difference", "probability"]
    )
    curve = found.curve()
    assert curve.columns.tolist() == ["index", *contrast.columns]
    assert curve["index"].tolist() == list(range(101))
    assert ((curve["lower"] > 0) & (curve["upper"] < 1)).all()
    assert curve["probability"].is_monotonic_increasing
    assert_allclose(curve["probability"][67], contrast["probability"].iloc[0])
    step = found.predict([69.999, 70.001])["probability"]
    assert found.effect_at(70) == pytest.approx((step.iloc[1] - step.iloc[0]) / 0.002, rel=1e-6)
    other = found.predict(50, index="Image")
    assert other.index.name == "index"
    assert found.slope == found.coefficients.loc["Satisfaction", "estimate"]


def test_least_squares_has_one_effect_everywhere(fit):
    found = repurchase(fit, "CUSL1", family="ols", bootstrap=csi.bootstrap(fit, 50, 1))
    for effect in (found.average_marginal_effect, found.effect_at(5), found.effect_at(95)):
        assert_allclose(effect, found.slope, rtol=1e-12)
        assert_allclose(effect.se, found.slope.se, rtol=1e-10)


def test_an_estimate_is_a_number(fit):
    effect = repurchase(fit, "CUSL1").average_marginal_effect
    assert isinstance(effect, float)
    assert effect.lower < effect < effect.upper
    assert effect.estimate == float(effect)
    assert f"{effect:.3f}" == "0.009"
    assert "95 % interval" in repr(effect)
    assert effect.to_series().index.tolist() == ["estimate", "se", "lower", "upper", "p"]
    for twin in (copy.deepcopy(effect), pickle.loads(pickle.dumps(effect))):
        assert (twin, twin.se, twin.level) == (effect, effect.se, effect.level)
    with pytest.raises(AttributeError, match="fixed"):
        effect.se = 0.0
    assert isinstance(effect, Estimate)


def test_outcomes_of_many_kinds(fit, mobi, again):
    as_column = repurchase(fit, "CUSL1").slope
    assert repurchase(fit, mobi.data["CUSL1"]).slope == as_column
    assert repurchase(fit, mobi.data["CUSL1"].to_numpy(), scale=(1, 10)).slope == as_column
    shuffled = mobi.data["CUSL1"].sample(frac=1, random_state=1)
    assert repurchase(fit, shuffled).slope == as_column
    binary = repurchase(fit, again, family="logit").slope
    for kind in ("boolean", "Int64", "float32", "category", object):
        values = again.astype(int if kind != "boolean" else bool).astype(kind)
        assert repurchase(fit, values, family="logit").slope == binary
    # a fractional logit of 0/1 answers is the logit
    assert_allclose(repurchase(fit, again).slope, binary, rtol=1e-9)
    named = (mobi.data["CUSL1"] >= 8).rename("CUSL1")  # keeps the item's name, not its scale
    assert repurchase(fit, named, family="logit").slope == binary


# --- the whole chain -----------------------------------------------------------------------------


def one_draw(survey, ecsi, rows, family, outcome, index, controls=()):
    """Fit the model and then the regression on the rows of one draw, with the usual tools."""
    frame = survey.data.iloc[rows].reset_index(drop=True)
    drawn = csi.read_survey(frame, scale=(1, 10), missing=survey.missing)
    part = csi.fit(ecsi, drawn, csi.PLS())
    x = csi.respondent_index(part)[index]
    y = outcome.iloc[rows].to_numpy(float)
    x = np.column_stack([x, *(frame[name] for name in controls)])
    whole = np.isfinite(y) & np.isfinite(x).all(axis=1)
    return by_statsmodels(y[whole], x[whole], family), x[whole]


@pytest.mark.parametrize("family", UNWEIGHTED)
def test_every_draw_is_a_fit_and_a_regression(fit, mobi, ecsi, family):
    rng = np.random.default_rng(5)
    rows = rng.integers(0, 250, (25, 250))
    boot = csi.bootstrap(fit, resamples=rows)
    outcome, options, y = explained(family, mobi.data["CUSL1"])
    names = ["Satisfaction", "Image"]
    found = repurchase(
        fit, outcome, index=names, controls="CUSCO", family=family, bootstrap=boot, **options
    )
    levels = np.array([67.0, 70.0])
    predictions, effects = found.draws.predictions(0, levels), found.draws.average_slopes()
    slopes = found.draws.slopes(1, levels)
    for draw in range(0, 25, 6):
        b, x = one_draw(mobi, ecsi, rows[draw], family, y, names, ["CUSCO"])
        drawn = found.draws.coefficients[draw]
        assert_allclose(drawn, b, rtol=1e-5, atol=1e-7)
        b = drawn  # statsmodels' beta and ordered models stop a little earlier
        mean, slope = FAMILIES[family].mean, FAMILIES[family].slope
        eta = b[0] + x @ b[1:]
        assert_allclose(effects[draw], b[1:] * slope(eta).mean(), rtol=1e-8, atol=1e-10)
        for k, level in enumerate(levels):
            at = eta + b[1] * (level - x[:, 0])
            assert_allclose(predictions[draw, k], mean(at).mean(), rtol=1e-8)
            at = eta + b[2] * (level - x[:, 1])
            assert_allclose(slopes[draw, k], b[2] * slope(at).mean(), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("missing", ["mean", "pairwise"])
def test_every_draw_with_missing_answers(mobi, ecsi, missing):
    mask = pd.read_csv(REFERENCE / "mobi_missing_mask.csv").to_numpy(bool)
    frame = mobi.data.astype(float).mask(mask)
    survey = csi.read_survey(frame, scale=(1, 10), missing=missing)
    fit = csi.fit(ecsi, survey)
    rows = np.random.default_rng(8).integers(0, 250, (24, 250))
    found = repurchase(fit, "CUSL1", bootstrap=csi.bootstrap(fit, resamples=rows))
    dropped = frame["CUSL1"].isna()
    if missing == "pairwise":
        dropped |= frame[["CUSA1", "CUSA2", "CUSA3"]].isna().any(axis=1)
    (note,) = [f for f in found.findings if f.code == "rows-left-out"]
    assert note.count == dropped.sum() == 250 - found.n
    for draw in (0, 11, 23):
        b, _ = one_draw(
            survey, ecsi, rows[draw], "fractional-logit", (frame["CUSL1"] - 1) / 9, ["Satisfaction"]
        )
        assert_allclose(found.draws.coefficients[draw], b, rtol=1e-8)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("design", [{}, {"strata": "s", "cluster": "c"}], ids=["plain", "complex"])
def test_weighted_draws(mobi, ecsi, family, design):
    weights = np.random.default_rng(3).uniform(0.5, 2.0, 250)
    groups = {"s": np.arange(250) % 2, "c": np.arange(250) % 60}
    frame = mobi.data.assign(w=weights, **groups)
    fit = csi.fit(ecsi, csi.read_survey(frame, scale=(1, 10), weights="w", **design))
    boot = csi.bootstrap(fit, 30, rng=4)
    outcome, options, _ = explained(family, mobi.data["CUSL1"])
    found = repurchase(fit, outcome, family=family, bootstrap=boot, **options)
    counts, item_weights = boot.design.counts(0), boot.solution.index_weights
    block = fit.model.slices[fit.model.construct_names.index("Satisfaction")]
    points = (mobi.data[["CUSA1", "CUSA2", "CUSA3"]].to_numpy() - 1) / 9 * 100
    for draw in (0, 29):
        x, w = points @ item_weights[draw, block], counts[draw] * weights
        one = repurchase(index=x, outcome=outcome.to_numpy(), family=family, weights=w, **options)
        assert_allclose(found.draws.coefficients[draw], one.coefficients["estimate"], rtol=1e-6)
    effects = found.average_marginal_effects
    assert (effects["lower"] < effects["upper"]).all()


def test_respondents_once_or_merged_give_the_same(fit, mobi):
    boot = csi.bootstrap(fit, 40, rng=2)
    merged = repurchase(fit, "CUSL1", bootstrap=boot)
    assert len(merged.draws.cells.starts) < 250
    noise = pd.Series(np.random.default_rng(0).normal(size=250))
    frame = mobi.data.assign(noise=noise)
    other = csi.fit(fit.model, replace(mobi, data=frame))
    apart = repurchase(other, "CUSL1", controls="noise", bootstrap=csi.bootstrap(other, 40, rng=2))
    assert len(apart.draws.cells.starts) == 250
    assert_allclose(
        merged.draws.coefficients[:, 1], apart.draws.coefficients[:, 1], rtol=0.2
    )  # a control of noise changes little


def test_chain_intervals_are_percentiles_of_the_draws(fit, boot):
    found = repurchase(fit, "CUSL1", bootstrap=boot)
    drawn = found.draws.predictions(0, np.array([67.0, 70.0]))
    table = found.contrast(67, 70)
    difference = drawn[:, 1] - drawn[:, 0]
    assert_allclose(
        table.loc["difference", ["lower", "upper"]].tolist(),
        np.quantile(difference, [0.025, 0.975]),
    )
    assert table.loc["difference", "se"] == pytest.approx(difference.std(ddof=1))
    assert_allclose(found.slope.lower, np.quantile(found.draws.coefficients[:, 1], 0.025))
    wide = repurchase(fit, "CUSL1", bootstrap=boot, level=0.99)
    assert wide.slope.upper - wide.slope.lower > found.slope.upper - found.slope.lower
    basic = repurchase(fit, "CUSL1", bootstrap=boot, interval="basic")
    assert basic.slope.lower == pytest.approx(2 * found.slope - found.slope.upper)
    assert "bootstrap" in found.interval_kind
    assert "known without error" in found.naive.interval_kind
    assert found.naive.slope.se == repurchase(fit, "CUSL1").slope.se
    assert found.naive.slope.se == pytest.approx(found.slope.se, rel=0.3)


def test_progress_and_chunks_do_not_change_draws(fit, boot, monkeypatch):
    from csimodel.inference import draws

    one = repurchase(fit, "CUSL1", bootstrap=boot, progress=False)
    monkeypatch.setattr(draws, "_TOGETHER", 1000)
    two = repurchase(fit, "CUSL1", bootstrap=boot)
    assert_allclose(one.draws.coefficients, two.draws.coefficients, rtol=1e-11)


def test_draws_that_are_lost_are_counted_by_reason(chain, population):
    frame = population(40, seed=2)
    again = pd.Series((frame["b1"] > frame["b1"].quantile(0.9)).astype(float), name="again")
    survey = csi.read_survey(frame, scale=(-5, 16))
    fit = csi.fit(chain, survey)
    boot = csi.bootstrap(fit, 400, rng=1)
    found = repurchase(fit, again, index="B", family="logit", bootstrap=boot)
    lost = found.draws.lost
    assert lost["outcomes separated by the regressors"] > 0
    assert lost["every outcome the same"] > 0
    assert lost.sum() == 400 - found.draws.usable.sum()
    (finding,) = [f for f in found.findings if f.code == "lost-draws"]
    assert finding.count == lost.sum()
    separated = lost["outcomes separated by the regressors"]
    assert f"{separated} outcomes separated by the regressors" in finding.values["reasons"]
    for draw in np.flatnonzero(found.draws.regressions.ending == Ending.SEPARATED)[:5]:
        present = boot.design.counts(0)[draw] > 0
        index = (frame[["b1", "b2", "b3"]].to_numpy() + 5) / 21 * 100
        x = index @ boot.solution.index_weights[draw, fit.model.slices[1]]
        low, high = x[present & (again == 0)], x[present & (again == 1)]
        assert low.max() < high.min() + 1.0


def test_draws_lost_in_the_model_are_not_regressed(fit, boot):
    usable = boot.usable.copy()
    usable[:7] = False
    found = repurchase(fit, "CUSL1", bootstrap=replace(boot, usable=usable))
    assert len(found.draws.coefficients) == len(usable) - 7
    assert (found.draws.regressions.ending[:7] == Ending.NO_FIT).all()


# --- the kernel ----------------------------------------------------------------------------------


def test_kernel_says_how_each_draw_ended():
    x = np.linspace(-1.5, 1.5, 8)
    y = np.array([0.0, 0, 1, 0, 1, 0, 1, 1])
    everyone = np.ones(8)
    split = np.array([1.0, 1, 0, 1, 0, 0, 1, 1])  # rows left have 0 0 0 | 1 1
    same = y.copy()
    still = np.array([0.0, 0, 1, 1, 0, 0, 0, 0])
    flat = np.where(np.arange(8) < 4, 0.0, x)
    found = regress_draws(
        LOGIT, y, [np.stack([x, x, x, flat])], np.stack([everyone, split, same, still]), np.zeros(2)
    )
    assert [Ending(code).name for code in found.ending] == [
        "CONVERGED",
        "SEPARATED",
        "ONE_OUTCOME",
        "SINGULAR",
    ]
    assert_allclose(found.coefficients[0], by_statsmodels(y, x, "logit"), rtol=1e-8, atol=1e-12)
    stopped = regress_draws(LOGIT, y, [x], everyone[None], np.zeros(2), max_iterations=1)
    assert Ending(stopped.ending[0]).reason == "regression not converged"


@pytest.mark.parametrize("start", [[0.0, 0.0], [8.0, -20.0], [-30.0, 30.0]])
def test_kernel_finds_the_solution_from_far_away(start):
    rng = np.random.default_rng(2)
    x = rng.normal(size=300)
    y = (rng.random(300) < 1 / (1 + np.exp(-x))).astype(float)
    found = regress_draws(LOGIT, y, [x], np.ones((1, 300)), np.array(start))
    if found.ending[0] == Ending.CONVERGED:
        assert_allclose(found.coefficients[0], by_statsmodels(y, x, "logit"), rtol=1e-7)
    else:
        assert start != [0.0, 0.0]


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_families_are_consistent(family):
    eta = np.linspace(-6, 6, 41)
    step = 1e-5
    slope = (family.mean(eta + step) - family.mean(eta - step)) / (2 * step)
    bend = (family.slope(eta + step) - family.slope(eta - step)) / (2 * step)
    assert_allclose(family.slope(eta), slope, atol=1e-8)
    assert_allclose(family.curvature(eta), bend, atol=1e-8)
    score, information, again = family.working(eta, np.full_like(eta, 0.3))
    assert_allclose(again, family.slope(eta), atol=1e-12)
    assert (information > 0).all()
    mean = np.clip(family.mean(eta), 1e-16, 1 - 1e-16) if family.bounded else None
    pull = 1.0 if mean is None else again / (mean * (1 - mean))
    near = np.abs(eta) < 3 if family is CLOGLOG else np.abs(eta) < 5
    assert_allclose(score[near], ((0.3 - family.mean(eta)) * pull)[near], rtol=1e-6)
    assert_allclose(information[near], (again * pull)[near], rtol=1e-6)


# --- what is said --------------------------------------------------------------------------------


def codes(result):
    return [finding.code for finding in result.findings]


def test_nothing_to_say_when_all_is_well(fit):
    assert repurchase(fit, "CUSL1").findings == ()
    assert repurchase(fit, "CUSL1").converged


def test_perfect_separation_gives_no_numbers():
    index = pd.Series(np.linspace(5, 95, 40), name="S")
    found = repurchase(index=index, outcome=(index > 60).rename("again"), family="logit")
    (finding,) = [f for f in found.findings if "separation" in f.code]
    assert finding.values == {"names": ("'S'",), "outcome": "again", "family": "logit"}
    assert finding.severity == "failure"
    assert not found.converged
    assert np.isnan(found.slope)
    contrast = found.contrast(67, 70)
    assert contrast[["probability", "se", "lower", "upper"]].isna().all().all()
    assert (contrast["reason"] != "").all()
    assert "no finite effect" in str(found.summary())
    assert repurchase(index=index, outcome=index > 60, family="ols").slope > 0


def test_quasi_separation_names_the_control():
    rng = np.random.default_rng(0)
    index = pd.Series(rng.uniform(0, 100, 80), name="S")
    y = pd.Series((rng.random(80) < 0.5).astype(float), name="again")
    vip = pd.DataFrame({"vip": ((np.arange(80) % 4 == 0) & (y == 1)).astype(int)})
    found = repurchase(index=index, outcome=y, controls=vip, family="logit")
    (finding,) = [f for f in found.findings if "separation" in f.code]
    assert finding.code == "quasi-separation"
    assert finding.values["names"] == ("'vip'",)


def test_what_else_is_said(fit, mobi):
    rng = np.random.default_rng(0)
    wild = repurchase(
        index=pd.Series(np.linspace(-10, 110, 200), name="S"),
        outcome=(rng.random(200) < 0.5).astype(int),
    )
    (outside,) = [f for f in wild.findings if f.code == "index-outside-0-100"]
    assert (outside.values["count"], outside.values["n"]) == (34, 200)
    few = repurchase(index=np.linspace(10, 90, 20), outcome=[0, 1] * 10)
    assert {"few-rows"} <= set(codes(few))
    rare = repurchase(index=np.linspace(10, 90, 100), outcome=np.arange(100) % 25 == 7)
    assert rare.findings[0].code == "few-events"
    assert (rare.findings[0].values["count"], rare.findings[0].values["n"]) == (4, 100)
    down = repurchase(fit, 11 - mobi.data["CUSL1"])
    assert codes(down) == ["negative-slope"]
    assert row_of(down.findings[0]).case == "one regressor"
    line = repurchase(
        index=np.linspace(0, 100, 100), outcome=np.linspace(0, 1, 100) > 0.5, family="ols"
    )
    assert "probability-outside-0-1" in codes(line)
    own = repurchase(fit, "CUSA1")
    assert codes(own) == ["outcome-in-index"]
    groups = repurchase(
        index=np.linspace(0, 100, 90), outcome=rng.random(90) < 0.5, cluster=np.arange(90) % 9
    )
    assert "few-clusters" in codes(groups)
    stuck = replace(repurchase(fit, "CUSL1").regression, ending=Ending.NOT_CONVERGED)
    assert [f.severity for f in diagnose(stuck)] == ["failure"]


def test_an_unsound_model_is_said_again(ecsi, mobi):
    fit = csi.fit(ecsi, mobi, csi.PLS(max_iterations=1))
    assert not fit.converged
    found = repurchase(fit, "CUSL1").findings
    place = [finding.code for finding in found].index("model-not-sound")
    assert found[place].values["codes"] == ("not-converged",)
    assert (found[place + 1].code, found[place + 1].scope) == ("not-converged", "Model")


def test_rows_left_out_are_counted_by_column(fit, mobi):
    outcome = mobi.data["CUSL1"].astype(float)
    outcome.iloc[:5] = np.nan
    frame = mobi.data.astype(float).assign(age=np.where(np.arange(250) < 8, np.nan, 40.0))
    frame.loc[100:, "age"] = np.arange(150.0)
    other = csi.fit(fit.model, replace(mobi, data=frame))
    found = repurchase(other, outcome, controls=["age"])
    assert found.findings[0].values["columns"] == ("CUSL1 (5)", "age (8)")
    assert found.n == 242


def test_summary_says_the_result_in_words(fit, boot):
    found = repurchase(fit, "CUSL1", bootstrap=boot)
    text = str(found.summary())
    assert (
        "Each point of Satisfaction goes with 0.88 percentage points more of CUSL1 "
        "(95 % interval 0." in text
    )
    assert "Whole-chain intervals (percentile, 600 bootstrap draws)" in text
    assert "at 82" in text
    assert repr(found) == f"<Repurchase, 250 respondents: {found.headline}>"
    less = repurchase(fit, 11 - fit.survey.data["CUSL1"])
    assert "0.88 percentage points less of" in str(less.summary())
    assert ", 1 finding: Each point of" in repr(less)
    html = found._repr_html_()
    assert "<strong>Each point" in html


def test_html_is_escaped():
    index = pd.Series(np.linspace(5, 95, 60), name="<b>S</b>")
    y = pd.Series(np.arange(60) % 3 == 0, name="<script>x</script>")
    html = repurchase(index=index, outcome=y)._repr_html_()
    assert "<script>" not in html
    assert "<b>S</b>" not in html


# --- errors, message by message --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"outcome": "CUSL9"},
            SurveyError,
            "Outcome 'CUSL9' is not a column of the survey (did you mean 'CUSL3'?); name one of "
            "its columns, or give a Series with a value for each row.",
        ),
        (
            {"outcome": "word"},
            SurveyError,
            "Outcome 'word' holds 'yes' in row 1 (250 such cells) where numbers are needed; "
            "recode it, or give a column of numbers.",
        ),
        (
            {"outcome": "empty"},
            SurveyError,
            "Outcome 'empty' is missing for all 250 respondents; choose another column.",
        ),
        (
            {"outcome": "endless"},
            SurveyError,
            "Outcome 'endless' holds 1 infinite values; make such cells empty or mend them.",
        ),
        (
            {"outcome": "ones"},
            EstimationError,
            "Outcome 'ones' is the same for all 250 respondents used (1 on 0 to 1), so nothing can "
            "be explained; choose an outcome that differs between customers.",
        ),
        (
            {"outcome": "CUSL1", "family": "logit"},
            SurveyError,
            "family='logit' needs an outcome of 0 and 1, but 'CUSL1' holds 10 different values "
            "from 1 to 10; use family='fractional-logit', or an outcome such as "
            "survey.data['CUSL1'] >= 8.",
        ),
        (
            {"outcome": "CUSL1", "scale": (1, 9)},
            SurveyError,
            "Outcome 'CUSL1' holds 81 values outside its scale 1 to 9 (the first is 10); give "
            "its own lowest and highest answer, or declare missing codes.",
        ),
        (
            {"outcome": "intention"},
            SurveyError,
            "The scale of outcome 'intention' is unknown (values from 1 to 10 were seen); give its "
            "own lowest and highest answer, such as (1, 10).",
        ),
        (
            {"outcome": "CUSL1", "scale": (10, 1)},
            OptionError,
            "scale=(10, 1) is not a lowest and a highest answer; write for example (1, 10).",
        ),
        (
            {"outcome": "CUSL1", "scale": 10},
            OptionError,
            "scale=10 is not a lowest and a highest answer; write for example (1, 10).",
        ),
        (
            {"outcome": "CUSL1", "family": "logitt"},
            OptionError,
            "family='logitt' is not known (did you mean 'logit'?); use one of 'ols', 'wls', "
            "'logit', 'fractional-logit', 'probit', 'fractional-probit', 'cloglog', 'beta', "
            "'ordered-logit', 'ordered-probit'.",
        ),
        (
            {"outcome": "CUSL1", "errors": "HC9"},
            OptionError,
            "errors='HC9' is not known (did you mean 'HC3'?); use one of 'HC0', 'HC1', 'HC3', "
            "'nonrobust', 'cluster', 'CR2', 'linearized'.",
        ),
        (
            {"outcome": "CUSL1", "errors": "cluster"},
            OptionError,
            "errors='cluster' needs clusters; name their column as "
            "read_survey(..., cluster='firm').",
        ),
        (
            {"outcome": "CUSL1", "errors": "nonrobust"},
            OptionError,
            "errors='nonrobust' is wrong for family='fractional-logit'; use 'HC1', 'HC0', 'HC3' or "
            "'cluster'.",
        ),
        (
            {"outcome": "CUSL1", "interval": "bca"},
            OptionError,
            "interval='bca' is not known (did you mean 'bc'?); use one of 'auto', 'percentile', 'basic', 'normal', 't', 'bc'.",
        ),
        (
            {"outcome": "CUSL1", "level": 95},
            OptionError,
            "level=95 must lie between 0 and 1, for example 0.95.",
        ),
        (
            {"outcome": "CUSL1", "index": "Satisfacton"},
            ModelError,
            "index='Satisfacton' is not a construct of the model (did you mean 'Satisfaction'?); "
            "use index= with one of 'Image', 'Expectation', 'Quality', 'Value', 'Satisfaction', "
            "'Complaints', 'Loyalty'.",
        ),
        (
            {"outcome": "CUSL1", "index": ["Image", "Image"]},
            OptionError,
            "index=['Image', 'Image'] must name one construct, or several different ones; use "
            "'Image', 'Expectation', 'Quality', 'Value', 'Satisfaction', 'Complaints' and "
            "'Loyalty'.",
        ),
        (
            {"outcome": "CUSL1", "controls": ["agee"]},
            SurveyError,
            "Control 'agee' is not a column of the survey (did you mean 'age'?); name one of its "
            "columns, or give a Series with a value for each row.",
        ),
        (
            {"outcome": "CUSL1", "controls": ["word"]},
            SurveyError,
            "Control 'word' holds 'yes' in row 1 (250 such cells) where numbers are needed; turn "
            "categories into columns of 0 and 1, as pandas.get_dummies does.",
        ),
        (
            {"outcome": "CUSL1", "controls": ["ones"]},
            EstimationError,
            "Regressor 'ones' does not vary over the 250 respondents used, so it has no slope; "
            "leave it out.",
        ),
        (
            {"outcome": "CUSL1", "controls": ["age", "months"]},
            EstimationError,
            "Regressors 'age' and 'months' are tied by an exact formula, so their slopes cannot "
            "be told apart; leave one out.",
        ),
        (
            {"outcome": "CUSL1", "controls": ["Satisfaction"]},
            OptionError,
            "The control 'Satisfaction' has the name of another regressor; rename the column.",
        ),
        (
            {"outcome": "rare"},
            EstimationError,
            "Only 3 respondents have both 'rare' and 'Satisfaction', and this regression needs at "
            "least 4; look for missing values or use fewer regressors.",
        ),
        (
            {"outcome": pd.Series([1, 0, 1], name="y")},
            SurveyError,
            "Outcome 'y' has 3 rows whose labels are not those of the 250 rows it should go with; "
            "take it from the same data frame.",
        ),
        (
            {"outcome": [1, 0, 1]},
            SurveyError,
            "Outcome 'outcome' has the shape (3,), but there are 250 respondents; give one value "
            "for each.",
        ),
    ],
)
def test_errors_of_repurchase(mobi, ecsi, options, error, message):
    age = np.arange(250.0) % 60
    frame = mobi.data.assign(
        word="yes",
        empty=np.nan,
        endless=np.r_[np.inf, np.zeros(249)],
        ones=1,
        intention=mobi.data["CUSL1"],
        age=age,
        months=12 * age,
        Satisfaction=age,
        rare=np.r_[0.0, 1.0, 1.0, np.full(247, np.nan)],
    )
    fit = csi.fit(ecsi, replace(mobi, data=frame))
    with pytest.raises(error) as raised:
        repurchase(fit, **options)
    assert str(raised.value) == message


def test_errors_of_fits(fit, boot, mobi, ecsi, chain, population):
    twin = csi.fit(ecsi, mobi, csi.PLS(scheme="centroid"))
    with pytest.raises(OptionError, match=r"made from another fit; make it again"):
        repurchase(twin, "CUSL1", bootstrap=boot)
    bare = csi.fit(ecsi, csi.read_survey(mobi.data))
    with pytest.raises(SurveyError, match=r"The index needs the scale of .*scale=\(1, 10\)"):
        repurchase(bare, "CUSL1")
    with pytest.raises(SurveyError, match="repurchase needs the respondents"):
        repurchase(csi.fit(ecsi, fit.moments), "CUSL1")
    with pytest.raises(ModelError, match=r"index='Satisfaction' is not a construct.*'A', 'B', 'C'"):
        repurchase(csi.fit(chain, csi.read_survey(population(60), scale=(-9, 20))), "a1")
    with pytest.raises(InferenceError, match="Only 5 of 5 draws have a regression"):
        repurchase(fit, "CUSL1", bootstrap=csi.bootstrap(fit, 5))


def test_errors_of_levels(fit):
    found = repurchase(fit, "CUSL1")
    with pytest.raises(OptionError, match=r"Level 101 is not on the index, which goes from 0"):
        found.contrast(67, 101)
    with pytest.raises(OptionError, match=r"index='Image' is not in this regression.*Satisfaction"):
        found.effect_at(50, index="Image")


def test_errors_of_an_index_from_elsewhere():
    index, y = np.linspace(0, 100, 30), np.arange(30) % 2
    with pytest.raises(SurveyError, match="Weights 'weights' hold 1 negative values"):
        repurchase(index=index, outcome=y, weights=np.r_[-1.0, np.ones(29)])
    with pytest.raises(SurveyError, match="Cluster 'cluster' has 1 missing cells"):
        repurchase(index=index, outcome=y, cluster=np.r_[np.nan, np.ones(29)])
    with pytest.raises(OptionError, match="at least 2 clusters"):
        repurchase(index=index, outcome=y, cluster=np.ones(29 + 1), errors="cluster")
    with pytest.raises(OptionError, match=r"the default where a survey has clusters.*'HC1'"):
        repurchase(index=index, outcome=y, cluster=np.ones(29 + 1))
    with pytest.raises(OptionError, match="wrong for a survey with weights"):
        repurchase(index=index, outcome=y, family="ols", weights=index + 1, errors="nonrobust")
    with pytest.raises(SurveyError, match=r"Index 'index' has the shape \(30, 1\)"):
        repurchase(index=index[:, None], outcome=y)
    zero = repurchase(index=index, outcome=y, weights=np.r_[0.0, np.ones(29)])
    assert zero.findings[0].code == "rows-left-out"
    assert zero.findings[0].values["columns"] == ("weight (1)",)
    assert row_of(zero.findings[0]).case == "weights"


# --- recovery ------------------------------------------------------------------------------------


def simulated(rows, seed, slope=0.04):
    """Return answers from 1 to 10, and repurchase whose log-odds rise with the mean of block b."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=rows)
    columns = {
        name: np.clip(np.round(6 + 1.6 * latent + 0.8 * rng.normal(size=rows)), 1, 10)
        for name in ("b1", "b2", "b3")
    }
    for name in ("a1", "a2", "a3", "c1", "c2", "c3"):
        columns[name] = np.clip(np.round(6 + latent + rng.normal(size=rows)), 1, 10)
    frame = pd.DataFrame(columns)
    index = (frame[["b1", "b2", "b3"]].mean(axis=1) - 1) / 9 * 100
    probability = 1 / (1 + np.exp(-(-1.5 + slope * index)))
    return frame.assign(again=(rng.random(rows) < probability).astype(int))


def test_recovery_of_a_known_slope(chain):
    frame = simulated(20_000, 1)
    fit = csi.fit(chain, csi.read_survey(frame, scale=dict.fromkeys(frame.columns[:-1], (1, 10))))
    found = repurchase(fit, "again", index="B", family="logit")
    assert abs(found.slope - 0.04) < 3 * found.slope.se
    truth = 1 / (1 + np.exp(-(-1.5 + 0.04 * np.array([67.0, 70.0]))))
    assert_allclose(found.predict([67, 70])["probability"], truth, atol=0.02)


@pytest.mark.slow
def test_coverage_of_whole_chain_intervals(chain):
    """In short form: 95 % intervals of the slope must cover in 88 % of the samples or more."""
    covered, samples = 0, 60
    scale = {f"{block}{k}": (1, 10) for block in "abc" for k in (1, 2, 3)}
    for seed in range(samples):
        fit = csi.fit(chain, csi.read_survey(simulated(400, seed), scale=scale))
        boot = csi.bootstrap(fit, 400, rng=seed)
        slope = repurchase(fit, "again", index="B", family="logit", bootstrap=boot).slope
        covered += slope.lower <= 0.04 <= slope.upper
    assert covered >= 0.88 * samples


def test_a_scale_for_all_columns_is_not_taken_for_an_outcomes(chain, population):
    """The README's block: one scale for the questions, an outcome of 0 and 1 beside them."""
    data = population(120).round().clip(1, 10)
    rng = np.random.default_rng(0)
    data["buys"] = (rng.random(120) < data["c1"] / 10).astype(int)
    data["likely"] = np.where(data["buys"] == 1, 5, rng.integers(1, 5, 120))
    fit = csi.fit(chain, csi.read_survey(data, scale=(1, 10)))
    found = csi.repurchase(fit, "buys", index="C", family="logit")
    assert found.n == 120
    with pytest.raises(
        SurveyError,
        match=r"^The scale of outcome 'likely' is unknown \(values from 1 to 5 were seen\)",
    ):
        csi.repurchase(fit, "likely", index="C")
    stated = csi.read_survey(data, scale={**dict.fromkeys(chain.items, (1, 10)), "likely": (1, 5)})
    ours = csi.repurchase(csi.fit(chain, stated), "likely", index="C")
    given = csi.repurchase(fit, "likely", index="C", scale=(1, 5))
    assert float(ours.average_marginal_effect) == pytest.approx(
        float(given.average_marginal_effect)
    )


def test_equal_weights_change_no_error_of_clusters(ecsi, mobi):
    frame = mobi.data.assign(
        one=1.0, two=2.0, cl=np.arange(250) // 5, again=(np.arange(250) % 3 > 0) * 1.0
    )

    def averages(**weights):
        survey = csi.read_survey(
            frame, scale=(1, 10), items=list(mobi.items), cluster="cl", **weights
        )
        rep = csi.repurchase(csi.fit(ecsi, survey), "again")
        assert "difference" in str(rep.page)
        return rep.average_marginal_effects.select_dtypes("number")

    plain = averages()
    for name in ("one", "two"):
        pd.testing.assert_frame_equal(averages(weights=name), plain, rtol=1e-8)
