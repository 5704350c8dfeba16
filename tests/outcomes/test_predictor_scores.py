"""Influence values are derivatives by weights; scores of further columns need no other fit."""

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

from csimodel.outcomes.kernels.families import family_of
from csimodel.outcomes.kernels.predictor_scores import PredictorScores


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(7)
    X = np.column_stack([np.ones(60), rng.normal(size=(60, 2))])
    y = (rng.random(60) < 1 / (1 + np.exp(-X @ [0.2, 0.8, -0.5]))).astype(float)
    return X, y, rng.uniform(0.5, 2.0, 60), rng.normal(size=(60, 2))


def solution(family, X, y, weights):
    if family == "ols":
        return np.asarray(sm.WLS(y, X, weights).fit().params)
    model = sm.GLM(y, X, sm.families.Binomial(), var_weights=weights)
    return np.asarray(model.fit(tol=1e-13, tol_criterion="params").params)


@pytest.mark.parametrize("family", ["ols", "logit"])
def test_influence_is_the_derivative_by_the_weight(data, family):
    X, y, weights, _ = data
    b = solution(family, X, y, weights)
    scores = PredictorScores.of(family_of(family), X, y, weights, b)
    for row in (0, 17, 59):
        step = np.where(np.arange(60) == row, 1e-4, 0.0)
        ends = [solution(family, X, y, weights + sign * step) for sign in (1, -1)]
        slope = (ends[0] - ends[1]) / 2e-4
        assert_allclose(scores.influence.values[row] / weights[row], slope, rtol=1e-5)
    assert_allclose(scores.influence.values.sum(axis=0), 0.0, atol=1e-9)


def test_further_columns_are_free_of_the_regressors_and_score_them(data):
    X, y, weights, columns = data
    scores = PredictorScores.of(family_of("logit"), X, y, weights, solution("logit", X, y, weights))
    apart = scores.beyond(columns)
    assert_allclose((X * scores.heavy[:, None]).T @ apart, 0.0, atol=1e-10)
    # at the solution what is taken out has no score: their sums are those of the columns themselves
    mean = 1 / (1 + np.exp(-X @ solution("logit", X, y, weights)))
    assert_allclose(scores.pull @ apart, (weights * (y - mean)) @ columns, rtol=1e-7)


def test_leaving_out_a_respondent_is_by_the_leverage(data):
    X, y, weights, _ = data
    scores = PredictorScores.of(family_of("ols"), X, y, weights, solution("ols", X, y, weights))
    without = scores.influence.without()
    for row in (3, 44):
        keep = np.arange(60) != row
        moved = solution("ols", X[keep], y[keep], weights[keep])
        assert_allclose(solution("ols", X, y, weights) - moved, without[row], rtol=1e-8)
