"""From a driver to money without measurement error: laws, a known truth, and what is said."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit, ndtri

import csimodel as csi
from csimodel.errors import OptionError
from csimodel.estimators import find
from csimodel.outcomes import repurchase
from csimodel.outcomes.design.layout import Layout
from csimodel.outcomes.kernels.families import FAMILIES
from csimodel.outcomes.measurement_error.curve import true_curve, true_points
from csimodel.outcomes.measurement_error.errors_in_variables import moved_slopes
from csimodel.outcomes.money import (
    Economics,
    acquisition_or_retention,
    break_even_spending,
    fewer_defections,
    lifetime_value,
    profit_of_change,
    profit_of_driver,
    profits_of_drivers,
    retention_of,
)
from csimodel.outcomes.money.effects import measured_effects, of_interest, true_effects
from csimodel.outcomes.money.value import lifetime_values

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

TERMS = Economics(margin=120, currency="EUR", period="year", discount_rate=0.08, customers=1_000)


@pytest.fixture(scope="module")
def whole(fit, boot):
    return repurchase(fit, "CUSL1", bootstrap=boot)


@pytest.fixture(scope="module")
def sample():
    """Two indexes that go together, a control, weights: 3 draws of 200 rows."""
    rng = np.random.default_rng(4)
    control = rng.standard_normal(200)
    one = 60 + 15 * rng.standard_normal((3, 200)) + 5 * control
    other = 0.3 * one + 10 * rng.standard_normal((3, 200)) + 30
    share = rng.random((3, 200))
    return [one, other], [control], share / share.sum(axis=1, keepdims=True)


def covariances(columns, share):
    stacked = np.stack(np.broadcast_arrays(*columns), axis=1)
    apart = stacked - np.einsum("dc,dkc->dk", share, stacked)[..., None]
    return np.einsum("dc,dkc,dlc->dkl", share, apart, apart)


# --- the true index and its curve ----------------------------------------------------------------


def test_true_indexes_have_the_true_covariances(sample):
    points, factors, share = sample
    reliability = np.array([[0.8, 0.7], [0.9, 0.6], [1.0, 1.0]])
    before = covariances([*points, *factors], share)
    after = covariances([*true_points(points, factors, share, reliability), *factors], share)
    wanted = before.copy()
    for j in range(2):
        wanted[:, j, j] *= reliability[:, j]
    assert_allclose(after, wanted, rtol=1e-9)
    assert_allclose(true_points(points, factors, share, reliability)[0][2], points[0][2])
    turned = true_points(points[::-1], factors, share, reliability[:, ::-1])[::-1]
    assert_allclose(turned, true_points(points, factors, share, reliability), rtol=1e-9)


def test_a_reliability_below_what_controls_explain_has_no_true_index(sample):
    points, factors, share = sample
    assert np.isnan(true_points(points[:1], factors, share, np.full((3, 1), 0.01))[0]).all()
    assert np.isnan(true_points(points[:1], factors, share, np.full((3, 1), -0.5))[0]).all()


def test_least_squares_is_errors_in_variables(sample):
    points, factors, share = sample
    b = np.random.default_rng(1).normal(0, 0.01, (3, 4))
    reliability = np.array([[0.8, 0.7], [0.9, 0.6], [0.95, 0.99]])
    true = true_points(points, factors, share, reliability)
    found = true_curve(FAMILIES["ols"], Layout.plain(2, 1), b, points, true, factors, share)
    cov = covariances([*points, *factors], share)
    assert_allclose(found[:, 1:], moved_slopes(cov, reliability, b[:, 1:]), rtol=1e-8)


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "wls"])
def test_reliability_one_changes_nothing(sample, name):
    points, factors, share = sample
    b = np.tile([-1.2, 0.03, -0.01, 0.2], (3, 1))
    true = true_points(points, factors, share, np.ones((3, 2)))
    found = true_curve(FAMILIES[name], Layout.plain(2, 1), b, points, true, factors, share)
    assert_allclose(found, b, rtol=1e-7)


def test_probit_has_its_closed_form_under_normality():
    """Probit attenuates by 1/√(1 + β² var(X|W)) (Carroll et al. 2006, section 4.8.2)."""
    reliability, sd = 0.7, 12.0
    x = 65 + sd * ndtri((np.arange(40_000) + 0.5) / 40_000)
    beta = 0.06
    calibrated = reliability * beta / np.sqrt(1 + beta**2 * reliability * (1 - reliability) * sd**2)
    b = np.array([[-0.1 - calibrated * 65, calibrated]])
    share = np.full((1, len(x)), 1 / len(x))
    true = true_points([x[None]], [], share, np.array([[reliability]]))
    family, layout = FAMILIES["probit"], Layout.plain(1, 0)
    found = true_curve(family, layout, b, [x[None]], true, [], share)[0]
    # var(X|W) = reliability (1 - reliability) var(W), the slope on W times 1/reliability
    assert_allclose(found[1], beta, rtol=2e-3)


def test_a_curve_that_cannot_be_is_no_number():
    x = np.array([[0.0, 100.0]])
    share = np.array([[0.5, 0.5]])
    true = true_points([x], [], share, np.array([[0.05]]))
    b = np.array([[-4.0, 0.08]])
    family, layout = FAMILIES["logit"], Layout.plain(1, 0)
    assert np.isnan(true_curve(family, layout, b, [x], true, [], share)).all()


# --- effects -------------------------------------------------------------------------------------


def test_effects_of_plsc_from_a_plain_fit(fit, ecsi, mobi):
    consistent = csi.fit(ecsi, mobi, csi.PLS(consistent=True))
    impacts = find("impacts")
    labels = list(impacts.labels(ecsi))
    names = ecsi.construct_names
    places = tuple(zip(*[(names.index(t), names.index(s)) for t, s in labels], strict=True))
    free = impacts.values(consistent.solution)
    for one in (fit, consistent):
        assert_allclose(true_effects(one.solution).total[places], free, rtol=1e-9)
        measured = impacts.values(fit.solution)
        assert_allclose(measured_effects(one.solution).total[places], measured, rtol=1e-9)


def test_effects_of_a_covariance_structure_are_per_point_of_the_true_index(population, chain):
    frame = population(4_000, seed=3, loadings=(0.8, 0.6, 0.5))
    fit = csi.fit(chain, csi.read_survey(frame, scale=(-5, 16)), csi.ML())
    effects = true_effects(fit.solution)
    a, b = (fit.model.slices[j] for j in range(2))
    est = fit.estimates
    points = 100 / 21 * fit.moments.sd
    slope = points * csi.index.point_weights(fit.solution)
    ratio = (slope[b] @ est.loadings[b]) / (slope[a] @ est.loadings[a])
    assert_allclose(effects.total[1, 0], est.paths[1, 0] * ratio, rtol=1e-3)


def test_ordered_answers_have_the_reliability_of_the_answers(mobi):
    """Loadings of the responses behind ordered answers say too much for the answers' index."""
    model = csi.Model.from_syntax(
        "Quality =~ PERQ1 + PERQ2 + PERQ3\nSatisfaction =~ CUSA1 + CUSA2 + CUSA3\n"
        "Satisfaction ~ Quality"
    )
    ordered, plain = (csi.fit(model, mobi, e) for e in (csi.WLSMV(), csi.ML()))
    found, near = (true_effects(fit.solution).reliability for fit in (ordered, plain))
    assert_allclose(found, near, atol=0.05)


def test_by_pls_the_reliability_is_rho_a_omega_or_1():
    """rho_A in mode A, omega in mode B (by hand from one factor), 1 for questions and composites."""
    text = "I =~ IMAG1 + IMAG2 + IMAG3\nQ =~ PERQ1 + PERQ2 + PERQ3\nV <~ PERV1 + PERV2\n"
    model = csi.Model.from_syntax(text + "S =~ CUSA1\nS ~ I + Q + V")
    modes = {"I": "A", "Q": "B", "V": "B"}
    solution = csi.fit(model, csi.load_mobi(), csi.PLS(modes=modes)).solution
    cor = solution.moments.cor[3:6, 3:6]
    loadings = np.sqrt([cor[0, 1] * cor[0, 2] / cor[1, 2], cor[0, 1] * cor[1, 2] / cor[0, 2],
                        cor[0, 2] * cor[1, 2] / cor[0, 1]])  # fmt: skip
    w = solution.estimates.weights[3:6]
    omega = 1 - w**2 @ (1 - loadings**2) / (w @ cor @ w)
    rho = find("rho_a").values(solution)[0]
    assert_allclose(true_effects(solution).reliability, [rho, omega, 1, 1], rtol=1e-5)


def test_a_batch_of_effects_is_that_of_single_fits(fit, boot):
    for of in (true_effects, measured_effects):
        batch, one = of(boot.solution[:3]), of(boot.solution[:3][1])
        assert_allclose(batch.total[1], one.total, rtol=1e-9)
        assert_allclose(batch.reliability[1], one.reliability)
    among = of_interest(fit.solution, "Satisfaction", "Quality")
    assert [*np.array(fit.model.construct_names)[among]] == [
        "Image", "Expectation", "Quality", "Value", "Satisfaction",
    ]  # fmt: skip


# --- a known truth -------------------------------------------------------------------------------


def test_worth_of_a_point_by_integration():
    """Another way to the same number: the normal integral over the latent variable.

    With x normal and answers of least squares exact, the probability is expit(α + β x), the
    driver's effect γ, and the worth of a point E[V(p(x + γ)) - V(p(x))] by Gauss-Hermite.
    """
    rng = np.random.default_rng(8)
    rows, loadings = 12_000, (0.9, 0.8, 0.7)
    driver = ndtri((rng.permutation(rows) + 0.5) / rows)
    latent = 0.6 * driver + 0.8 * rng.standard_normal(rows)
    columns = {}
    for name, own in (("d", driver), ("s", latent)):
        for k, loading in enumerate(loadings):
            noise = np.sqrt(1 - loading**2) * rng.standard_normal(rows)
            columns[f"{name}{k}"] = 500 + 80 * (loading * own + noise)
    p = expit(0.8 + 0.9 * latent)
    model = csi.Model.from_syntax("D =~ d0 + d1 + d2\nS =~ s0 + s1 + s2\nS ~ D")
    fit = csi.fit(model, csi.read_survey(pd.DataFrame(columns), scale=(0, 1000)))
    rep = repurchase(fit, pd.Series(p, name="again"), index="S", scale=(0, 1))
    found = profit_of_driver(fit, rep, "D", TERMS, draws=20)
    weights = csi.index.point_weights(fit.solution).reshape(2, 3)
    point_of_d, point_of_s = 8.0 * weights @ np.array(loadings)  # index points of one sd
    node, weight = np.polynomial.hermite_e.hermegauss(80)
    weight = weight / weight.sum()
    step = 0.6 / point_of_d  # of the latent variable of S, by a point of D
    values = [lifetime_values(expit(0.8 + 0.9 * (node + up)), TERMS) for up in (0.0, step)]
    truth = 1_000 * weight @ (values[1] - values[0])
    assert_allclose(found.estimate, truth, rtol=0.04)
    assert_allclose(found["index of S"], step * point_of_s, rtol=0.04)
    kept = found.table.loc["retention", "start"]
    assert_allclose(kept, weight @ expit(0.8 + 0.9 * node), rtol=0.01)
    ignored = profit_of_driver(fit, rep, "D", TERMS, draws=20, measurement_error="ignored")
    assert ignored.estimate < 0.8 * truth


@pytest.mark.slow
def test_mean_and_coverage_on_simulated_truth():
    from coverage_money import TRUTHS, cell

    table = cell(TRUTHS[0], rows=500, samples=50, draws=199).set_index(
        ["measurement error", "driver"]
    )
    free, left = table.loc["corrected"], table.loc["ignored"]
    assert abs(free.loc["Quality", "bias %"]) < 6
    assert left.loc["Quality", "bias %"] < -25
    assert free["covered %"].min() > 84
    assert free.loc["Image", "0 excluded %"] < 15


# --- what is said --------------------------------------------------------------------------------


def test_both_stand_side_by_side_and_parting_is_said(whole, boot):
    free = profit_of_driver(boot, whole, "Quality", TERMS)
    left = profit_of_driver(boot, whole, "Quality", TERMS, measurement_error="ignored")
    pd.testing.assert_frame_equal(free.side_by_side, left.side_by_side)
    both = free.side_by_side["estimate"]
    assert_allclose([free.estimate, left.estimate], both)
    assert "measurement-error-matters" in [f.code for f in free.findings]
    assert free.shortfall is None
    percent = 100 * (1 - both["ignored"] / both["corrected"])
    assert left.headline.startswith(
        "Measurement error is left in, as asked, so that the profit of 1 point of Quality falls "
        f"short of the {both['corrected']:,.2f} EUR without it by {percent:.0f} %. value of all customers: "
    )
    assert break_even_spending(left).headline.startswith("Measurement error is left in, as asked")
    assert "Measurement error corrected and ignored" in str(free.summary())


def test_drivers_together_are_drivers_alone(whole, boot):
    both = profits_of_drivers(boot, whole, ["Image", "Quality"], TERMS)
    for driver, found in both.items():
        alone = profit_of_driver(boot, whole, driver, TERMS)
        pd.testing.assert_frame_equal(found.table, alone.table)
        assert found.findings == alone.findings


def test_single_questions_are_the_first_sentence(fit, boot):
    rep = repurchase(fit, "CUSL1", index="Complaints", bootstrap=boot)
    found = profit_of_driver(boot, rep, "Satisfaction", TERMS)
    assert found.shortfall.code == "counts-as-without-error"
    assert found.headline.startswith(
        "The index of Complaints counts as without error, because answers to a single question or "
        "a formative construct do not tell how reliable it is: what a point is worth falls short "
        "by about the share of that index's variance that is error; give reliability= from a study "
        "that asked twice. value of all customers: "
    )
    given = profit_of_driver(boot, rep, "Satisfaction", TERMS, reliability=0.7)
    assert given.shortfall is None
    chance = found["probability of repurchase"]
    assert_allclose(given["probability of repurchase"] / chance, 1 / 0.7, rtol=0.03)


def test_an_index_from_elsewhere_needs_its_reliability():
    rng = np.random.default_rng(2)
    x = rng.uniform(20, 100, 400)
    y = (rng.random(400) < expit(-2 + 0.04 * x)) * 1.0
    rep = repurchase(index=pd.Series(x, name="index"), outcome=y, family="logit")
    found = profit_of_change(rep, 60, 65, TERMS)
    assert found.shortfall.code == "reliability-unknown"
    assert found.headline.startswith("Nothing here tells how reliable the index of index is")
    given = profit_of_change(rep, 60, 65, TERMS, reliability=0.8)
    assert given.shortfall is None
    assert given.estimate > 1.1 * found.estimate
    assert_allclose(profit_of_change(rep, 60, 65, TERMS, reliability=1.0).table["estimate"],
                    found.table["estimate"])  # fmt: skip


def test_formative_and_bent_are_said(mobi):
    model = csi.Model.from_syntax(
        "Quality <~ PERQ1 + PERQ2 + PERQ3\nSatisfaction =~ CUSA1 + CUSA2 + CUSA3\n"
        "Satisfaction ~ Quality"
    )
    fit = csi.fit(model, mobi)
    found = profit_of_driver(fit, repurchase(fit, "CUSL1"), "Quality", TERMS, draws=50)
    assert found.shortfall.subjects == ("Quality",)
    bent = repurchase(fit, formula="CUSL1 ~ index + I(index ** 2)")
    found = profit_of_driver(fit, bent, "Satisfaction", TERMS, draws=50)
    assert found.shortfall.code == "bend-not-corrected"
    error = 100 * (1 - true_effects(fit.solution).reliability[1])
    assert f" {error:.0f} % of the variance of the index of Satisfaction" in found.headline
    assert found.side_by_side is None


def test_an_inadmissible_solution_is_said(population):
    """Answers of two constructs that are one: correlations without error reach 1."""
    frame = population(200, seed=1, path=0.999, loadings=(0.7, 0.6, 0.5))
    model = csi.Model.from_syntax(
        "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ A\nC ~ A + B"
    )
    fit = csi.fit(model, csi.read_survey(frame, scale=(-5, 16)))
    again = pd.Series(np.clip((frame["c1"] - 2) / 7, 0, 1), name="again")
    rep = repurchase(fit, again, index="C", scale=(0, 1))
    found = profit_of_driver(fit, rep, "A", TERMS, draws=50)
    assert not true_effects(fit.solution).admissible(np.ones(3, dtype=bool))
    assert found.shortfall.code == "effect-not-corrected"
    assert found.headline.startswith("Without measurement error the model has no admissible")


def test_few_clusters_are_said(mobi):
    frame = mobi.data.assign(firm=np.arange(250) % 3)
    model = csi.Model.from_syntax(
        "Quality =~ PERQ1 + PERQ2 + PERQ3\nSatisfaction =~ CUSA1 + CUSA2 + CUSA3\n"
        "Satisfaction ~ Quality"
    )
    scale = dict.fromkeys(mobi.items, (1, 10))
    fit = csi.fit(model, csi.read_survey(frame, scale=scale, cluster="firm"))
    boot = csi.bootstrap(fit, draws=30, rng=1)
    rep = repurchase(fit, "CUSL1", bootstrap=boot)
    found = profit_of_driver(boot, rep, "Quality", TERMS)
    assert "few-units" in [finding.code for finding in found.findings]
    assert (found.table["df"] == 2).all()


def test_plain_numbers_have_a_reason_for_no_error():
    found = lifetime_value(0.8, TERMS)
    assert (found.table["reason"] == "a plain number was given, without draws").all()
    assert found.table[["se", "lower", "upper", "p"]].isna().all(axis=None)


def test_options_are_checked(fit, whole, boot, population, chain):
    ml = csi.fit(chain, csi.read_survey(population(300), scale=(-5, 16)), csi.ML())
    again = pd.Series((np.arange(300) % 2) * 1.0, name="again")
    structure = repurchase(ml, again, index="C")
    for call, message in (
        (
            lambda: profit_of_driver(boot, whole, "Quality", TERMS, measurement_error="off"),
            "measurement_error='off' is not known; use one of 'corrected', 'ignored'.",
        ),
        (
            lambda: profit_of_driver(boot, whole, "Quality", TERMS, reliability=1.2),
            "reliability=1.2 of 'Satisfaction' is no share of variance; give a number above 0 and "
            "up to 1, such as 0.85.",
        ),
        (
            lambda: retention_of(whole, 70, TERMS, reliability={"Satisfacton": 0.8}),
            "reliability= names 'Satisfacton', which is no index here (did you mean "
            "'Satisfaction'?); use 'Image', 'Expectation', 'Quality', 'Value', 'Satisfaction', "
            "'Complaints' and 'Loyalty'.",
        ),
        (
            lambda: profit_of_driver(ml, structure, "A", TERMS, reliability=0.8),
            "reliability= does not go with a fit by ML, whose model has error variances of its "
            "own; fix the error variance of the item in the model.",
        ),
    ):
        with pytest.raises(OptionError) as raised:
            call()
        assert str(raised.value) == message


# --- customers who differ ------------------------------------------------------------------------


def test_each_customers_own_purchases_and_value(fit, whole):
    """Retention of k purchases is mean(p^k), the lifetime value the mean of values, by hand."""
    terms = Economics(
        margin=100, currency="EUR", period="year", discount_rate=0.1, purchases=4, customers=7
    )
    x = csi.respondent_index(fit)["Satisfaction"].to_numpy()
    b = whole.regression.coefficients
    p = expit(b[0] + b[1] * x)
    kept = retention_of(whole, None, terms, measurement_error="ignored")
    assert_allclose(kept.estimate, (p**4).mean(), rtol=1e-10)
    assert kept.estimate > 1.05 * p.mean() ** 4
    found = lifetime_value(kept, terms)
    values = 100 * p**4 / (1.1 - p**4)
    assert_allclose(found["lifetime value of a customer"], values.mean(), rtol=1e-10)
    assert_allclose(found["value of all customers"], 7 * values.mean(), rtol=1e-10)
    change = profit_of_driver(
        fit, repurchase(fit, "CUSL1"), "Satisfaction", terms, measurement_error="ignored", draws=20
    )
    after = expit(b[0] + b[1] * (x + 1)) ** 4
    assert_allclose(change.estimate, 7 * (100 * after / (1.1 - after) - values).mean(), rtol=1e-9)


def test_true_customers_are_less_unlike(fit, whole):
    reliability = true_effects(fit.solution).reliability[4]
    x = csi.respondent_index(fit)["Satisfaction"].to_numpy()
    true = x.mean() + np.sqrt(reliability) * (x - x.mean())
    kept = retention_of(whole, None, TERMS)
    b = kept.customers.source.curve()
    p = expit(b[0] + b[1] * true)
    y = whole.regression.sample.outcome
    assert_allclose([p.mean(), (p * (true - true.mean())).mean()],
                    [y.mean(), (y * (x - x.mean())).mean()], rtol=1e-8)  # fmt: skip
    assert_allclose(lifetime_value(kept, TERMS).estimate, lifetime_values(p, TERMS).mean())


def test_a_cut_of_defection_falls_on_each_in_proportion(whole):
    kept = retention_of(whole, None, TERMS)
    found = fewer_defections(kept, TERMS, cut=0.05)
    assert_allclose(found["defection rate"], -0.05, atol=1e-9)
    p = kept.customers.average(np.asarray)[0]
    left = 1 - 0.05 / (1 - p)
    after = kept.average(lambda r: lifetime_values(1 - left * (1 - r), TERMS))[0]
    assert_allclose(found.table.loc["lifetime value of a customer", "end"], after)


# --- winning or keeping --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "flows", "today"),
    [
        ("end", [-40, 100, 80, 64], [-40, 100 / 1.1, 80 / 1.21, 64 / 1.331]),
        ("now", [60, 80, 64], [60, 80 / 1.1, 64 / 1.21]),
    ],
)
def test_cash_flows_by_hand(first, flows, today):
    terms = Economics(
        margin=100, currency="EUR", period="year", discount_rate=0.1, first_margin=first, horizon=3
    )
    found = acquisition_or_retention(0.8, terms, acquisition_cost=200, retention_cost=40)
    assert_allclose(found.cash_flows["kept"].iloc[:-1], flows)
    assert_allclose(found.cash_flows["kept, today"], [*today, 0])
    assert_allclose(found["net value of a customer kept"], sum(today))
    assert_allclose(found.cash_flows["won"].iloc[0], flows[0] + 40 - 200)
    assert_allclose(found["net value of a customer won"], sum(today) + 40 - 200)
    assert found.cash_flows.index.tolist() == [*map(str, range(len(flows))), "later"]


@pytest.mark.parametrize("first", ["end", "now"])
@pytest.mark.parametrize("horizon", [None, 1, 30])
def test_neither_has_an_advantage_at_one_cost(first, horizon):
    terms = Economics(
        margin=100, currency="EUR", period="year", discount_rate=0.1, first_margin=first,
        horizon=horizon,
    )  # fmt: skip
    same = acquisition_or_retention(0.8, terms, acquisition_cost=90, retention_cost=90)
    assert same.estimate == 0
    found = acquisition_or_retention(0.8, terms, acquisition_cost=100, retention_cost=90)
    assert found.estimate > 0
    net = found["net value of a customer won"]
    assert_allclose(found.cash_flows["won, today"].sum(), net)
    loyal = acquisition_or_retention(
        0.8, terms, acquisition_cost=90, retention_cost=90, retention_of_new=0.5
    )
    assert (loyal.estimate > 0) == (horizon != 1)
