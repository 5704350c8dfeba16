"""The likelihood of answers with gaps against lavaan, row by row, and by differences."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import multivariate_normal

from csimodel.errors import SurveyError
from csimodel.moments import fourth, incomplete_information, missing_patterns
from csimodel.moments.fourth import fourth_moments
from csimodel.moments.incomplete_likelihood import (
    first_order,
    information,
    loglik,
    minus_two_loglik,
    patterns_of,
    slope,
    value_and_slope,
)
from csimodel.moments.vech import vech_indices

MASK = Path(__file__).parents[2] / "reference" / "mobi_missing_mask.csv"
RNG = np.random.default_rng(11)
ITEMS = 4
COMPLETE = RNG.standard_normal((70, ITEMS)) @ RNG.standard_normal((ITEMS, ITEMS)) + 3.0
VALUES = np.where(RNG.random(COMPLETE.shape) < 0.3, np.nan, COMPLETE)
VALUES[[5, 9]] = np.nan
WEIGHTS = RNG.integers(0, 4, 70).astype(float)
CLUSTER = RNG.integers(0, 9, 70)
MEAN = np.full(ITEMS, 2.8)
COV = np.cov(COMPLETE.T) + 0.3 * np.eye(ITEMS)
ROWS, COLUMNS = vech_indices(ITEMS)


def packed(mean, cov):
    return np.concatenate([mean, cov[ROWS, COLUMNS]])


def unpacked(values):
    cov = np.empty((ITEMS, ITEMS))
    cov[ROWS, COLUMNS] = cov[COLUMNS, ROWS] = values[ITEMS:]
    return values[:ITEMS], cov


def gradient(patterns, values):
    mean, cov = slope(patterns, *unpacked(values))
    return np.concatenate([mean, cov[ROWS, COLUMNS] * np.where(ROWS == COLUMNS, 1.0, 2.0)])


def differences(function, at, step=1e-5):
    shifts = step * np.eye(len(at))
    return np.array([(function(at + s) - function(at - s)) / (2 * step) for s in shifts])


def by_rows(values, mean, cov):
    """Log-likelihood of each row that answers something."""
    found = []
    for row in values:
        seen = ~np.isnan(row)
        if seen.any():
            found.append(multivariate_normal(mean[seen], cov[np.ix_(seen, seen)]).logpdf(row[seen]))
    return np.array(found)


@pytest.fixture(scope="module")
def lavaan(reference):
    return reference("mobi_missing.json")


@pytest.fixture(scope="module")
def hidden(mobi, lavaan):
    mask = np.genfromtxt(MASK, delimiter=",", names=True)
    columns = [mobi.data[name].mask(mask[name] == 1) for name in lavaan["items"]]
    return patterns_of(np.array(columns).T)


def test_a_pattern_has_its_rows_means_and_covariances():
    patterns = patterns_of(VALUES)
    seen = ~np.isnan(VALUES)
    assert patterns.unanswered == 2
    assert patterns.total == 68
    assert len(patterns.n) == len(np.unique(seen[seen.any(axis=1)], axis=0))
    for j, observed in enumerate(patterns.observed):
        own = VALUES[(seen == observed).all(axis=1)][:, observed]
        assert patterns.n[j] == len(own)
        assert_allclose(patterns.mean[j, observed], own.mean(axis=0))
        cross = patterns.cross[j][np.ix_(observed, observed)]
        assert_allclose(cross, np.cov(own.T, ddof=0).reshape(cross.shape), atol=1e-12)
        assert not patterns.mean[j, ~observed].any()
        assert not patterns.cross[j][~observed].any()
    assert_array_equal(patterns.observed[patterns.pattern], seen[patterns.rows])


def test_many_items_are_told_apart():
    values = np.ones((40, 70))
    values[np.arange(40), np.arange(40) + 30] = np.nan
    assert len(patterns_of(np.vstack([values, values])).n) == 40


def test_the_likelihood_is_that_of_the_rows():
    expected = by_rows(VALUES, MEAN, COV).sum()
    assert_allclose(loglik(patterns_of(VALUES), MEAN, COV), expected, rtol=1e-12)


def test_likelihood_and_information_are_lavaans(hidden, lavaan):
    at = lavaan["implied"]["mean"], lavaan["implied"]["cov"]
    assert_allclose(loglik(hidden, *at), lavaan["logl"], rtol=1e-13)
    assert_allclose(information(hidden, *at), lavaan["observed"], atol=1e-11)
    assert_allclose(information(hidden, *at, observed=False), lavaan["expected"], atol=1e-11)
    assert_allclose(first_order(hidden, *at), lavaan["first_order"], atol=1e-11)


def test_the_slope_is_that_of_the_value():
    patterns, at = patterns_of(VALUES, WEIGHTS), packed(MEAN, COV)
    numeric = differences(lambda x: minus_two_loglik(patterns, *unpacked(x)), at)
    assert_allclose(gradient(patterns, at), numeric, atol=1e-8)


def test_observed_information_is_the_curvature():
    patterns, at = patterns_of(VALUES, WEIGHTS), packed(MEAN, COV)
    numeric = differences(lambda x: gradient(patterns, x), at) / 2.0
    assert_allclose(information(patterns, MEAN, COV), numeric, atol=1e-8)


def test_expected_information_is_the_mean_of_observed_over_samples():
    rng = np.random.default_rng(2)
    lost = np.isnan(VALUES)
    draws = rng.multivariate_normal(MEAN, COV, (400, len(VALUES)))
    observed = np.mean(
        [information(patterns_of(np.where(lost, np.nan, x)), MEAN, COV) for x in draws], axis=0
    )
    expected = information(patterns_of(VALUES), MEAN, COV, observed=False)
    assert_allclose(observed, expected, atol=0.05 * np.abs(expected).max())


@pytest.mark.parametrize("cluster", [None, CLUSTER])
def test_first_order_information_row_by_row(cluster):
    patterns, at = patterns_of(VALUES, WEIGHTS), packed(MEAN, COV)
    scores = differences(lambda x: by_rows(VALUES, *unpacked(x)), at).T
    kept = ~np.isnan(VALUES).all(axis=1)
    w = WEIGHTS[kept] / WEIGHTS[kept].mean()
    weighted = w[:, None] * scores
    if cluster is not None:
        weighted = np.array([weighted[cluster[kept] == g].sum(axis=0) for g in range(9)])
        weighted *= np.sqrt(9 / 8)
    found = first_order(patterns, MEAN, COV, cluster)
    assert_allclose(found, weighted.T @ weighted / 68, atol=1e-7)


def test_complete_answers_reduce_to_the_complete_formulas():
    patterns = patterns_of(COMPLETE)
    mean, cov = COMPLETE.mean(axis=0), np.cov(COMPLETE.T, ddof=0)
    assert len(patterns.n) == 1
    assert_allclose(minus_two_loglik(patterns, mean, cov), np.linalg.slogdet(cov)[1] + ITEMS)
    weight = information(patterns, mean, cov)
    assert_allclose(weight, information(patterns, mean, cov, observed=False), atol=1e-12)
    assert_allclose(weight[:ITEMS, :ITEMS], np.linalg.inv(cov))
    inverse = np.linalg.inv(weight)[ITEMS:, ITEMS:]
    row, column = ROWS[:, None], COLUMNS[:, None]
    normal = cov[row, ROWS] * cov[column, COLUMNS] + cov[row, COLUMNS] * cov[column, ROWS]
    assert_allclose(inverse, normal, rtol=1e-9)
    middle = first_order(patterns, mean, cov)
    assert_allclose(middle, weight @ fourth_moments(COMPLETE) @ weight, atol=1e-10)


def test_weights_and_draws_equal_rows_repeated():
    times = WEIGHTS.astype(int)
    again = patterns_of(np.repeat(VALUES, times, axis=0))
    for patterns in (patterns_of(VALUES, 3 * WEIGHTS), patterns_of(VALUES).reweighted(WEIGHTS)):
        assert patterns.total == 68
        assert_array_equal(patterns.observed, again.observed)
        value, mean, cov = value_and_slope(patterns, MEAN, COV)
        assert_allclose(value, minus_two_loglik(again, MEAN, COV))
        assert_allclose(np.vstack([mean, cov]), np.vstack(slope(again, MEAN, COV)), atol=1e-12)
        assert_allclose(information(patterns, MEAN, COV), information(again, MEAN, COV), atol=1e-12)


def test_the_size_of_portions_does_not_matter(monkeypatch):
    def everything():
        patterns = patterns_of(VALUES, WEIGHTS)
        return np.concatenate([
            np.ravel(part)
            for part in (*value_and_slope(patterns, MEAN, COV), information(patterns, MEAN, COV),
                         first_order(patterns, MEAN, COV, CLUSTER))
        ])  # fmt: skip

    whole = everything()
    for module, name in [
        (missing_patterns, "_CELLS"),
        (incomplete_information, "_CELLS"),
        (fourth, "_STRETCH"),
    ]:
        monkeypatch.setattr(module, name, 3)
    assert_allclose(everything(), whole, atol=1e-12)


def test_nearly_singular_covariances_keep_their_digits():
    cov = COV.copy()
    cov[3] = cov[:, 3] = cov[0] + cov[1]
    cov[3, 3] = cov[0, 0] + 2 * cov[0, 1] + cov[1, 1] + 1e-6
    values = VALUES.copy()
    values[:, 3] = np.where(np.isnan(values[:, 3]), np.nan, COMPLETE[:, 0] + COMPLETE[:, 1])
    assert_allclose(
        loglik(patterns_of(values), MEAN * [1, 1, 1, 2], cov),
        by_rows(values, MEAN * [1, 1, 1, 2], cov).sum(),
        rtol=1e-8,
    )


def test_a_covariance_that_is_not_positive_definite_has_no_likelihood():
    patterns = patterns_of(VALUES)
    assert minus_two_loglik(patterns, MEAN, -COV) == np.inf
    assert loglik(patterns, MEAN, -COV) == -np.inf
    assert np.isnan(slope(patterns, MEAN, np.full_like(COV, np.nan))[1]).all()
    for function in (information, first_order):
        with pytest.raises(SurveyError) as caught:
            function(patterns, MEAN, -COV)
        assert str(caught.value) == (
            "The covariance matrix is not positive definite, so the information about it is not "
            "defined; look for items that are sums of others, or drop one."
        )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: patterns_of([1.0, np.nan]),
         "Answers must be a table of rows by items, finite or missing; the values of shape (2,) "
         "are not."),
        (lambda: patterns_of([[np.nan, np.nan]]),
         "No row answers any item, so there is nothing to estimate from."),
        (lambda: patterns_of(VALUES, [1.0]),
         "Weights of shape (1,) do not fit 70 rows; give one each."),
        (lambda: first_order(patterns_of(VALUES), MEAN, COV, [1, 2]),
         "Cluster codes of shape (2,) do not fit 70 rows; give one each."),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(SurveyError) as caught:
        make()
    assert str(caught.value) == message
