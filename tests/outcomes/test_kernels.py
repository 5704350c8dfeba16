"""Kernels declare what they can: what rows add is a derivative, and what they cannot is refused."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose

from csimodel.endings import count_reasons
from csimodel.errors import EstimationError, OptionError
from csimodel.estimators import Status
from csimodel.outcomes.kernels.cox import Cox
from csimodel.outcomes.kernels.families import BETA, FAMILIES
from csimodel.outcomes.kernels.fixed_effects import Panel
from csimodel.outcomes.kernels.glm import GeneralisedLinear
from csimodel.outcomes.kernels.kernel import (
    Ending,
    Observations,
    Regressions,
    Samples,
    Standardised,
    influence_of,
    predict_of,
)
from csimodel.outcomes.kernels.least_squares import WeightedLeastSquares
from csimodel.outcomes.kernels.predictor_kernels import kernel_of, standardised
from csimodel.outcomes.kernels.random_intercept import RandomIntercept
from csimodel.outcomes.kernels.risk_sets import RiskSets
from csimodel.outcomes.kernels.score_errors import score_errors
from csimodel.survey.sampling import SurveyDesign

ROWS = 80
ONE = np.zeros(1, dtype=np.intp)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(11)
    x = rng.normal(size=(ROWS, 2))
    eta = 0.2 + x @ [0.7, -0.4]
    share = rng.beta(5 / (1 + np.exp(-eta)), 5 / (1 + np.exp(eta)))
    answer = (eta + rng.logistic(size=ROWS) > np.array([[-0.8], [0.3], [1.2]])).sum(axis=0)
    order = np.argsort(answer, kind="stable")
    yes = (rng.random(ROWS) < 1 / (1 + np.exp(-eta))) * 1.0
    return x[order], yes[order], share[order], answer[order], rng.uniform(0.5, 2.0, ROWS)


def kernel_and_outcome(name, data):
    _, yes, share, answer, _ = data
    family = FAMILIES[name]
    if family.further == "precision":
        return kernel_of(family, np.zeros(3), np.array([1.5])), share
    if family.further == "thresholds":
        first = np.array([-1.0, 0.0, 1.0])
        return kernel_of(family, np.zeros(3), first, answer, 2), (answer >= 2) * 1.0
    return kernel_of(family, np.zeros(3)), share if family.outcome == "share" else yes


def estimates_of(kernel, x, outcomes, weights):
    fitted = kernel.fit(Samples(ONE, list(x.T), weights[None], outcomes))
    assert fitted.ending.tolist() == [Ending.CONVERGED]
    return fitted


def parameters(fitted, family):
    b = fitted.coefficients[0]
    if family.further == "thresholds":
        return np.concatenate([fitted.further[0], b[1:]])
    return b if fitted.further is None else np.append(b, fitted.further[0])


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "wls"])
def test_influence_is_the_derivative_by_the_weight(data, name):
    x, weights, family = data[0], data[-1], FAMILIES[name]
    kernel, outcome = kernel_and_outcome(name, data)
    outcomes = kernel.outcomes(outcome)
    fitted = estimates_of(kernel, x, outcomes, weights)
    sample = Observations(np.column_stack([np.ones(ROWS), x]), outcome, weights)
    influence = influence_of(kernel, sample, fitted)
    exact = name in ("ols", "logit", "fractional-logit", "beta", "ordered-logit", "ordered-probit")
    for row in (2, 41, 77):
        step = np.where(np.arange(ROWS) == row, 1e-4, 0.0)
        ends = [
            parameters(estimates_of(kernel, x, outcomes, weights + sign * step), family)
            for sign in (1, -1)
        ]
        slope = (ends[0] - ends[1]) / 2e-4
        own = influence.values[row] / weights[row]
        # by the expected information elsewhere: near the derivative, not equal to it
        assert_allclose(own, slope, rtol=1e-4 if exact else 0.3, atol=1e-6 if exact else 0.02)


@pytest.mark.parametrize("name", FAMILIES)
def test_predictions_are_the_mean_and_their_derivatives_its_slope(data, name):
    kernel, _ = kernel_and_outcome(name, data)
    X = np.column_stack([np.ones(ROWS), data[0]])
    along = np.zeros((1, 3))
    along[0, 1] = 1.0
    b, predict = np.array([[0.1, 0.6, -0.3]]), predict_of(kernel)
    step = 1e-6 * along
    slope = (predict(b, X + step, None) - predict(b, X - step, None)) / 2e-6
    assert_allclose(predict(b, X, along), slope, atol=1e-9)
    assert_allclose(predict(b, X, None), FAMILIES[name].mean(b @ X.T))


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "wls"])
def test_gradients_by_all_parameters_move_as_the_coefficients_do(data, name):
    x, weights, family = data[0], data[-1], FAMILIES[name]
    kernel, outcome = kernel_and_outcome(name, data)
    fitted = estimates_of(kernel, x, kernel.outcomes(outcome), weights)
    turn = kernel.to_parameters(np.eye(3))
    assert turn.shape == (3, len(kernel.start))
    assert_allclose(turn @ parameters(fitted, family), fitted.coefficients[0], rtol=1e-12)


def test_standard_units_start_at_the_fit_and_come_back_to_it(data):
    x, weights = 40.0 + 9.0 * data[0], data[-1]
    centre, spread = x.mean(axis=0), x.std(axis=0)
    for name in ("logit", "beta", "ordered-probit"):
        kernel, outcome = kernel_and_outcome(name, data)
        first = estimates_of(
            Standardised(kernel, centre, spread, thresholds=name == "ordered-probit"),
            x, kernel.outcomes(outcome), weights,
        )  # fmt: skip
        further = None if first.further is None else first.further[0]
        codes = data[3] if name == "ordered-probit" else None
        again = standardised(
            FAMILIES[name], first.coefficients[0], centre, spread, further, codes, 2
        )
        fitted = estimates_of(again, x, kernel.outcomes(outcome), weights)
        assert_allclose(fitted.coefficients, first.coefficients, rtol=1e-9)
        sample = Samples(ONE, list(((x - centre) / spread).T), weights[None],
                         kernel.outcomes(outcome))  # fmt: skip
        inner = again.kernel.fit(sample)
        assert_allclose(parameters(inner, FAMILIES[name]), again.kernel.start, rtol=1e-8, atol=1e-9)


def test_hazards_declare_influence_by_a_weight_and_no_prediction(data):
    x, rng = data[0] - data[0].mean(axis=0), np.random.default_rng(5)
    risk = RiskSets.of(np.ceil(rng.exponential(4, ROWS)), (rng.random(ROWS) < 0.7) * 1.0)
    kernel, weights = Cox(risk, np.zeros(2), True), data[-1]

    def fit(w):
        return kernel.fit(Samples(ONE, list(x[risk.order].T), w[risk.order][None], []))

    influence = influence_of(kernel, Observations(x, np.zeros(ROWS), weights), fit(weights))
    step = np.where(np.arange(ROWS) == 9, 1e-4, 0.0)
    slope = (fit(weights + step).coefficients - fit(weights - step).coefficients)[0] / 2e-4
    assert_allclose(influence.values[9] / weights[9], slope, rtol=1e-5)
    with pytest.raises(EstimationError, match="Cox regressions declare no expected outcomes"):
        predict_of(kernel)
    for errors in ("HC3", "CR2"):
        with pytest.raises(OptionError, match=f"errors='{errors}' cannot be had"):
            score_errors(influence, errors, SurveyDesign.of(ROWS), float("inf"))


def test_fixed_effects_have_the_influence_of_dummies(data):
    x, _, share, _, weights = data
    firm, period = np.repeat(np.arange(20), 4), np.tile(np.arange(4), 20)
    panel = Panel(share, x, weights, firm, period, "two-way")
    dummies = np.column_stack([np.eye(20)[firm][:, 1:], np.eye(4)[period][:, 1:]])
    X = np.column_stack([np.ones(ROWS), x, dummies])
    b = np.linalg.lstsq(X * np.sqrt(weights)[:, None], share * np.sqrt(weights), rcond=None)[0]
    own = influence_of(
        GeneralisedLinear(FAMILIES["ols"], b),
        Observations(X, share, weights),
        Regressions.of_sample(b, Ending.CONVERGED, None),
    )
    inner = influence_of(
        panel,
        Observations(panel.design, panel.response, weights),
        Regressions.of_sample(panel.all_coefficients, Ending.CONVERGED, None),
    )
    assert_allclose(inner.values[:, 1:3], own.values[:, 1:3], atol=1e-12)


@pytest.mark.parametrize("kernel", [WeightedLeastSquares(2), RandomIntercept(2, ONE)])
def test_kernels_of_draws_alone_refuse_influence(kernel):
    sample = Observations(np.ones((3, 2)), np.zeros(3), None)
    estimates = Regressions.of_sample(np.zeros(2), Ending.CONVERGED, None)
    with pytest.raises(EstimationError, match="declare no influence values; use errors from a"):
        influence_of(kernel, sample, estimates)
    assert predict_of(kernel)(np.array([[1.0, 2.0]]), np.array([[1.0, 3.0]]), None) == 7.0


def test_beta_has_no_thresholds():
    assert kernel_of(BETA, np.zeros(2), np.zeros(1)).extra == 1


@pytest.mark.parametrize("kind", [Ending, Status])
def test_endings_are_codes_with_reasons_of_their_own(kind):
    assert [kind(int(member)) for member in kind] == list(kind)
    assert kind.CONVERGED == 0
    assert len({member.reason for member in kind}) == len(kind)
    assert pickle.loads(pickle.dumps(kind.SINGULAR)) is kind.SINGULAR
    codes = np.array([0, kind.SINGULAR, kind.NOT_CONVERGED, kind.SINGULAR])
    counts = count_reasons(kind, codes, apart=(kind.NOT_CONVERGED,))
    assert counts.to_dict() == {kind.SINGULAR.reason: 2}
