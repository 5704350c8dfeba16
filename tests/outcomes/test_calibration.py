"""Calibration, goodness of fit, link, and shapes compared by what they predict."""

from dataclasses import replace
from html import escape

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from scipy import stats
from scipy.stats import f

from csimodel.errors import EstimationError, OptionError
from csimodel.inference.folds import split
from csimodel.outcomes import calibration, compare_shapes, repurchase
from csimodel.outcomes.prediction.goodness import goodness

KINDS = ["line", "quadratic", "spline", "hinge", "isotonic"]


@pytest.fixture(scope="module")
def rep(fit, mobi):
    return repurchase(fit, mobi.data["CUSL1"] >= 8, family="logit")


def simulated(n, seed, bend=0.0, square=False):
    rng = np.random.default_rng(seed)
    x = rng.uniform(5, 100, n)
    eta = -2.5 + 0.05 * x + bend * np.maximum(x - 55, 0)
    p = 1 / (1 + np.exp(-eta))
    if square:
        p = np.clip(p**3, 0, 1)
    return pd.Series(x, name="index"), (rng.random(n) < p).astype(float)


# --- calibration ---------------------------------------------------------------------------------


def test_predictions_of_those_fitted_are_calibrated_by_construction(rep):
    found = calibration(rep, folds=0)
    assert_allclose(found.coefficients["estimate"], [0, 1], atol=1e-8)
    assert found.p == pytest.approx(1)
    assert [f.code for f in found.findings] == ["own-predictions"]
    table = found.table
    assert table["n"].sum() == 250
    assert_allclose(table["share"] @ table["observed"], rep.regression.sample.outcome.mean())
    assert_allclose(table["share"] @ table["predicted"], table["share"] @ table["observed"])
    assert table["predicted"].is_monotonic_increasing


def test_slope_and_intercept_of_left_out_folds_are_statsmodels(rep):
    found = calibration(rep, folds=5, rng=3)
    fold = split(250, None, 5, np.random.default_rng(int(np.random.default_rng(3).integers(2**63))))
    x, y = rep.regression.sample.regressors[:, 0], rep.regression.sample.outcome
    eta = np.empty(250)
    for left in range(5):
        X = sm.add_constant(x)
        part = sm.GLM(y[fold != left], X[fold != left], family=sm.families.Binomial()).fit()
        eta[fold == left] = X[fold == left] @ part.params
    assert_allclose(found.predictions, 1 / (1 + np.exp(-eta)), rtol=1e-6)
    both = sm.GLM(y, sm.add_constant(eta), family=sm.families.Binomial()).fit(cov_type="HC0")
    level = sm.GLM(y, np.ones(250), family=sm.families.Binomial(), offset=eta).fit(cov_type="HC0")
    estimates = found.coefficients["estimate"]
    assert_allclose(estimates["slope"], both.params[1], rtol=1e-6)
    assert_allclose(estimates["intercept"], level.params[0], rtol=1e-5)
    se = found.coefficients["se"] / np.sqrt([250 / 249, 250 / 248])
    assert_allclose(se, [level.bse[0], both.bse[1]], rtol=1e-5)


def test_hosmer_lemeshow_by_hand_and_its_robust_form(rep):
    group = np.arange(250) % 10
    found = goodness(rep.regression, group)
    mean, y = rep.family.mean(rep.regression.eta), rep.regression.sample.outcome
    table = pd.DataFrame({"g": group, "y": y, "e": mean}).groupby("g").agg(["sum", "size"])
    gap = (table["y", "sum"] - table["e", "sum"]) ** 2
    expected = table["e", "sum"]
    by_hand = (gap / expected + gap / (table["e", "size"] - expected)).sum()
    assert found["Hosmer-Lemeshow"]["statistic"] == pytest.approx(by_hand)
    assert found["Hosmer-Lemeshow"]["distribution"] == "χ²(8)"
    assert found["Hosmer-Lemeshow"]["p"] == pytest.approx(stats.chi2.sf(by_hand, 8), rel=1e-10)
    robust = found["fit by groups"]
    assert robust["p"] == pytest.approx(stats.chi2.sf(robust["statistic"], 9), rel=1e-10)
    assert found["fit by groups"]["distribution"] == "χ²(9)"


def test_tests_of_fit_keep_their_size_and_see_a_wrong_link():
    rejected = np.zeros(2)
    for seed in range(150):
        x, y = simulated(400, seed)
        found = calibration(repurchase(index=x, outcome=y, family="logit"), groups=5, rng=1)
        rejected += found.tests["p"][["fit by groups", "link"]].to_numpy() <= 0.05
    assert (rejected >= 1).all()
    assert (rejected <= 17).all()
    x, y = simulated(3000, 1, bend=-0.06)
    wrong = calibration(repurchase(index=x, outcome=y, family="logit"), rng=1)
    assert wrong.tests.loc["link", "p"] < 1e-4
    assert wrong.tests.loc["fit by groups", "p"] < 1e-4


def test_a_form_that_does_not_fit_is_said_though_intercept_and_slope_are_right():
    x, y = simulated(3000, 1, bend=-0.06)
    found = calibration(repurchase(index=x, outcome=y, family="logit"), rng=1)
    assert found.p > 0.05
    (finding,) = found.findings
    gap = 100 * (found.table["observed"] - found.table["predicted"]).abs().max()
    assert (finding.code, finding.severity) == ("form-does-not-fit", "warning")
    assert finding.subjects == ("outcome",)
    assert finding.values["gap"] == pytest.approx(gap, rel=1e-12)
    assert finding.values["p"] == found.tests.loc["fit by groups", "p"] < 0.001


def test_the_link_test_is_the_squared_predictor_added(fit, mobi):
    rep = repurchase(fit, mobi.data["CUSL1"] >= 8, family="logit", errors="HC0")
    eta = rep.regression.eta
    X = np.column_stack([np.ones(250), rep.regression.sample.regressors, eta**2])
    theirs = sm.Logit(rep.regression.sample.outcome, X).fit(disp=0, cov_type="HC0")
    found = calibration(rep, rng=1)
    assert found.tests.loc["link", "p"] == pytest.approx(theirs.pvalues[-1], rel=1e-5)


def test_overfitted_predictions_have_a_slope_below_one():
    rng = np.random.default_rng(2)
    x, y = simulated(120, 3)
    frame = pd.DataFrame({"index": x, **{f"i{j}": rng.uniform(0, 100, 120) for j in range(12)}})
    found = calibration(repurchase(index=frame, outcome=y, family="logit"), rng=1)
    assert found.coefficients.loc["slope", "estimate"] < 0.9


def test_calibration_keeps_clusters_together_and_respects_weights(fit, mobi):
    x, y = simulated(300, 5)
    groups = np.arange(300) % 30
    rep = repurchase(index=x, outcome=y, family="logit", cluster=groups, weights=np.full(300, 3.0))
    found = calibration(rep, rng=1)
    assert "Hosmer-Lemeshow" not in found.tests.index
    plain = calibration(repurchase(index=x, outcome=y, family="logit", cluster=groups), rng=1)
    pd.testing.assert_frame_equal(found.table, plain.table)
    fold = split(300, groups, 10, np.random.default_rng(1))
    assert (pd.Series(fold).groupby(groups).nunique() == 1).all()


@pytest.mark.parametrize("family", ["fractional-logit", "ols", "fractional-probit"])
def test_calibration_of_other_families(fit, family):
    found = calibration(repurchase(fit, "CUSL1", family=family, controls="CUSCO"), rng=2)
    curve = found.curve([0.4, 0.8])
    assert curve.columns.tolist() == [
        "predicted", "observed", "se", "df", "lower", "upper", "reason",
    ]  # fmt: skip
    assert_allclose(curve["observed"], [0.4, 0.8], atol=0.12)
    assert found.tests.index[0] == "calibrated"
    assert 0 < found.error < 0.1
    assert escape(found.headline) in found._repr_html_()
    assert repr(found) == f"<Calibration: {found.headline}>"


def test_tied_predictions_make_fewer_groups():
    x = np.repeat([20.0, 50.0, 80.0, 100.0], 50)
    y = (np.random.default_rng(1).random(200) < x / 120).astype(float)
    found = calibration(repurchase(index=x, outcome=y, family="logit"), folds=0)
    assert len(found.table) == 4
    tied = found.findings[-1]
    assert (tied.code, tied.severity) == ("groups-tied", "note")
    assert tied.values == {"count": 4, "groups": 10}


def test_errors_of_calibration(rep):
    with pytest.raises(OptionError) as raised:
        calibration(rep, groups=2)
    assert str(raised.value) == "groups=2 must be at least 3, and 10 as a rule."
    with pytest.raises(OptionError) as raised:
        calibration(rep, folds=300)
    assert str(raised.value) == "folds=300 must be from 2 to the number of respondents, 250."


# --- comparison ----------------------------------------------------------------------------------


def test_a_shape_that_is_there_wins_and_one_that_is_not_does_not():
    x, y = simulated(3000, 4, bend=-0.06)
    bent = compare_shapes(repurchase(index=x, outcome=y, family="logit"), ["line", "spline"], rng=1)
    assert bent.best == "spline"
    assert bent.p < 0.01
    assert bent.statistic < -2
    x, y = simulated(3000, 5)
    straight = compare_shapes(
        repurchase(index=x, outcome=y, family="logit"), ["line", "spline"], rng=1
    )
    assert straight.p > 0.05


def test_scores_are_of_left_out_predictions(rep):
    found = compare_shapes(rep, KINDS, rng=1, draws=20)
    y, x = rep.regression.sample.outcome, rep.regression.sample.regressors[:, 0]
    X = np.column_stack([np.ones(250), x, x**2])
    mean = np.empty(250)
    for left in range(10):
        out = found.folds == left
        assert out.sum() == 25
        mean[out] = sm.Logit(y[~out], X[~out]).fit(disp=0).predict(X[out])
    assert_allclose(found.predictions["quadratic"], mean, rtol=1e-5)
    row = found.table.loc["quadratic"]
    scores = -(y * np.log(mean) + (1 - y) * np.log(1 - mean))
    assert row["log_score"] == pytest.approx(scores.mean())
    assert row["brier"] == pytest.approx(((y - mean) ** 2).mean())
    line = found.predictions["line"].to_numpy()
    gap = (y - mean) ** 2 - (y - line) ** 2
    assert row["brier_difference"] == pytest.approx(gap.mean())
    assert row["brier_difference_se"] == pytest.approx(gap.std(ddof=1) / np.sqrt(250))
    whole = sm.Logit(y, X).fit(disp=0)
    assert row["aic"] == pytest.approx(whole.aic)
    assert row["bic"] == pytest.approx(whole.bic)
    assert found.table.index.tolist() == KINDS
    assert list(found.curves([30, 60]).index.unique("shape")) == KINDS
    assert escape(found.headline) in found._repr_html_()


def test_splines_are_compared_at_the_knots_asked_for(rep):
    knots = (55.0, 70.0, 90.0)
    found = compare_shapes(rep, ["line", "spline"], knots=knots, rng=1, draws=20)
    y, x = rep.regression.sample.outcome, rep.regression.sample.regressors[:, 0]
    a, b, c = knots
    bent = sum(
        weight * np.maximum(x - knot, 0) ** 3
        for weight, knot in ((1, a), (-(c - a) / (c - b), b), ((b - a) / (c - b), c))
    )
    X = np.column_stack([np.ones(250), x, bent / 1e4])
    mean = np.empty(250)
    for left in range(10):
        out = found.folds == left
        mean[out] = sm.Logit(y[~out], X[~out]).fit(disp=0).predict(X[out])
    assert_allclose(found.predictions["spline"], mean, rtol=1e-5)
    usual = compare_shapes(rep, ["line", "spline"], rng=1, draws=20)
    assert abs(usual.table.loc["spline", "brier"] - found.table.loc["spline", "brier"]) > 1e-6
    assert usual.shapes["spline"].fitted.basis.knots != knots
    assert found.shapes["spline"].fitted.basis.knots == knots


def test_aic_of_least_squares_counts_the_variance(fit):
    rep = repurchase(fit, "CUSL1", family="ols")
    found = compare_shapes(rep, ["line"], rng=1)
    X = sm.add_constant(rep.regression.sample.regressors)
    theirs = sm.OLS(rep.regression.sample.outcome, X).fit()
    assert found.table.loc["line", "aic"] == pytest.approx(theirs.aic + 2)
    assert found.table.loc["line", "bic"] == pytest.approx(theirs.bic + np.log(250))


def test_scores_do_not_depend_on_the_unit_of_the_index_or_of_weights():
    x, y = simulated(300, 6)
    w = np.random.default_rng(1).uniform(0.5, 2, 300)
    kinds = ["line", "quadratic", "hinge"]
    one, turned, heavier = (
        compare_shapes(
            repurchase(index=points, outcome=y, family="logit", weights=k * w),
            kinds,
            rng=2,
            draws=20,
        ).table
        for points, k in ((x, 1), (100 - x, 1), (x, 7))
    )
    columns = ["log_score", "brier"]
    assert_allclose(one[columns], heavier[columns], rtol=1e-8)
    assert_allclose(one.loc[kinds[:2], columns], turned.loc[kinds[:2], columns], rtol=1e-7)
    assert_allclose(one.loc["hinge", columns], turned.loc["hinge", columns], rtol=0.02)


def test_the_order_of_kinds_changes_the_reference_only(rep):
    one = compare_shapes(rep, ["line", "spline"], rng=1).table
    other = compare_shapes(rep, ["spline", "line"], rng=1).table
    assert_allclose(one.loc["line", "brier"], other.loc["line", "brier"])
    assert_allclose(one.loc["spline", "brier_difference"], -other.loc["line", "brier_difference"])


def test_clusters_stay_in_one_fold_and_errors_are_theirs():
    x, y = simulated(200, 7)
    twice = repurchase(
        index=np.tile(x, 2),
        outcome=np.tile(y, 2),
        family="logit",
        cluster=np.tile(np.arange(200), 2),
    )
    found = compare_shapes(twice, ["line", "quadratic"], rng=1)
    assert (found.folds[:200] == found.folds[200:]).all()
    once = compare_shapes(
        repurchase(index=x, outcome=y, family="logit"), ["line", "quadratic"], rng=1
    )
    assert_allclose(found.table["brier"], once.table["brier"], rtol=1e-6)
    assert_allclose(
        found.table["brier_difference_se"], once.table["brier_difference_se"], rtol=1e-6
    )


def test_shares_have_no_likelihood(fit):
    found = compare_shapes(repurchase(fit, "CUSL1"), ["line", "quadratic"], rng=1)
    assert found.table["aic"].isna().all()
    (told,) = found.findings
    assert (told.code, told.severity) == ("no-likelihood", "note")


def test_errors_of_comparison(rep):
    with pytest.raises(OptionError) as raised:
        compare_shapes(rep, ["line", "line"])
    assert str(raised.value) == "kinds=['line', 'line'] must name different shapes, such as 'line'."
    with pytest.raises(OptionError, match=r"^kinds='lines' is not known \(did you mean 'line'\?\)"):
        compare_shapes(rep, ["lines"])
    with pytest.raises(OptionError) as raised:
        compare_shapes(rep, ["line"], folds=1)
    assert str(raised.value) == "folds=1 must be from 2 to the number of respondents, 250."
    x = np.r_[np.arange(49.0), np.arange(50.0, 100), 49.0]
    y = (x >= 50).astype(float)
    y[-1], y[49] = 1.0, 0.0
    nearly = repurchase(index=x, outcome=y, family="logit")
    with pytest.raises(
        EstimationError, match=r"^Without fold \d+, the line has no solution \(outco"
    ):
        compare_shapes(nearly, ["line"], folds=50, rng=1)


def test_groups_that_are_fitted_exactly_have_no_test():
    x = np.repeat([20.0, 80.0], 150)
    y = (np.random.default_rng(0).random(300) < 0.2 + 0.006 * x) * 1.0
    tests = calibration(repurchase(index=x, outcome=y, family="logit"), folds=0).tests
    assert tests["distribution"].loc["fit by groups"] == "none"
    assert np.isnan(tests["p"].loc["fit by groups"])


def test_a_bend_that_the_fit_shows_is_shown_by_left_out_respondents():
    found, straight = [], []
    for seed in range(8):
        x, y = simulated(700, seed, bend=-0.06)
        bent = compare_shapes(
            repurchase(index=x, outcome=y, family="logit"), ["line", "quadratic"], rng=1
        )
        found.append(bent.p < 0.05)
        x, y = simulated(700, seed + 100)
        rep = repurchase(index=x, outcome=y, family="logit")
        straight.append(compare_shapes(rep, ["line", "quadratic"], rng=1).p < 0.05)
    assert sum(found) >= 7
    assert sum(straight) <= 2


def test_what_a_shape_adds_is_forecast_encompassing(rep):
    found = compare_shapes(rep, ["line", "quadratic"], rng=1)
    y, mu = rep.regression.sample.outcome, found.predictions
    eta = np.log(mu / (1 - mu))
    gain = (y - mu["line"]) * (eta["quadratic"] - eta["line"])
    t = gain.mean() / (gain.std(ddof=1) / np.sqrt(250))
    row = found.table.loc["quadratic"]
    assert row["log_score_difference_p"] == pytest.approx(stats.t.sf(t, 249))
    gain = (y - mu["line"]) ** 2 - (y - mu["quadratic"]) ** 2 + (mu["line"] - mu["quadratic"]) ** 2
    t = gain.mean() / (gain.std(ddof=1) / np.sqrt(250))
    assert row["brier_difference_p"] == pytest.approx(stats.t.sf(t, 249))


def test_fit_by_groups_of_clusters_of_one_is_hotellings_of_respondents():
    """Variances are then about the mean of the sums, with n - 1 for n, and learnt from n - 1."""
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 100, 120)
    y = (rng.random(120) < 1 / (1 + np.exp(2 - 0.04 * x))).astype(float)
    group = np.digitize(x, [25, 50, 75])
    plain, clustered = (
        goodness(repurchase(index=x, outcome=y, family="logit", **options).regression, group)
        for options in ({"errors": "HC0"}, {"errors": "cluster", "cluster": np.arange(120)})
    )
    whole = plain["fit by groups"]["statistic"]
    expected = 117 / (3 * 119) * whole / (1 - whole / 120) * 119 / 120
    test = clustered["fit by groups"]
    assert test["distribution"] == "F(3, 117)"
    assert_allclose(test["statistic"], expected, rtol=1e-9)
    assert_allclose(test["p"], f.sf(expected, 3, 117), rtol=1e-9)


@pytest.mark.parametrize("change", ["weights", "cluster", "ols"])
def test_the_test_of_hosmer_and_lemeshow_is_of_independent_answers_of_equal_weight(change):
    index, bought = simulated(200, 3)
    group = np.arange(200) % 5
    options = {
        "weights": {"weights": 1.0 + group},
        "cluster": {"cluster": np.arange(200) // 4},
        "ols": {"family": "ols"},
    }[change]
    plain = repurchase(index=index, outcome=bought, family="logit")
    other = repurchase(index=index, outcome=bought, **{"family": "logit", **options})
    assert list(goodness(plain.regression, group)) == ["fit by groups", "Hosmer-Lemeshow"]
    assert list(goodness(other.regression, group)) == ["fit by groups"]


def test_the_p_value_of_the_best_of_several_shapes_is_at_most_one(rep):
    table = pd.DataFrame(
        {"log_score": [0.5, 0.4, 0.6], "log_score_difference_p": [np.nan, 0.7, 0.9]},
        ["line", "quadratic", "spline"],
    )
    found = compare_shapes(rep, ["line", "quadratic"], folds=3, rng=1)
    assert "3 folds" in found.page.facts[0]
    assert replace(found, table=table).p == 1.0
    few = table.assign(log_score_difference_p=[np.nan, 0.3, 0.9])
    assert replace(found, table=few).p == pytest.approx(0.6)
    assert replace(found, table=table.assign(log_score=[0.1, 0.4, 0.6])).p == 1.0
