"""The saturated and the independence model under gaps against lavaan, and by their laws."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from csimodel.moments.fourth import fourth_moments
from csimodel.moments.incomplete_likelihood import loglik, patterns_of, slope
from csimodel.moments.saturated import Failure, independence, saturated, saturated_gamma

MASK = Path(__file__).parents[2] / "reference" / "mobi_missing_mask.csv"
RNG = np.random.default_rng(3)
MIXING = RNG.standard_normal((6, 6)) + 3 * np.eye(6)
ANSWERS = RNG.standard_normal((300, 6)) @ MIXING + 5.0
LOST = RNG.random(ANSWERS.shape) < 0.15
GAPS = np.where(LOST, np.nan, ANSWERS)


@pytest.fixture(scope="module")
def lavaan(reference):
    return reference("mobi_missing.json")


@pytest.fixture(scope="module")
def hidden(mobi):
    mask = np.genfromtxt(MASK, delimiter=",", names=True)

    def of(items):
        columns = [mobi.data[name].mask(mask[name] == 1) for name in items]
        return patterns_of(np.array(columns).T)

    return of


def test_five_items_are_lavaans(hidden, lavaan):
    patterns = hidden(lavaan["items"])
    found = saturated(patterns)
    assert found.converged
    assert_allclose(found.mean, lavaan["saturated"]["mean"], rtol=1e-11)
    assert_allclose(found.cov, lavaan["saturated"]["cov"], atol=1e-11)
    assert_allclose(found.loglik, lavaan["unrestricted_logl"], rtol=1e-13)
    chisq = 2 * (found.loglik - independence(patterns).loglik)
    assert_allclose(chisq, lavaan["baseline_chisq"], rtol=1e-9)


def test_all_items_are_lavaans(hidden, lavaan):
    every = lavaan["all_items"]
    patterns = hidden(every["items"])
    found = saturated(patterns)
    assert found.converged
    assert found.gradient < 1e-9
    assert_allclose(found.loglik, every["unrestricted_logl"], rtol=1e-13)
    assert_allclose(found.mean, every["mean"], atol=1e-8)
    assert_allclose(found.cov, every["cov"], atol=1e-8)
    chisq = 2 * (found.loglik - independence(patterns).loglik)
    assert_allclose(chisq, every["baseline_chisq"], rtol=1e-9)
    assert found.iterations < 20


def test_its_covariance_matrix_is_lavaans(hidden, lavaan):
    patterns = hidden(lavaan["items"])
    at = saturated(patterns)
    found = saturated_gamma(patterns, at.mean, at.cov, robust=False)
    assert_allclose(found, lavaan["normal_gamma"], rtol=1e-9, atol=1e-9)
    found = saturated_gamma(patterns, at.mean, at.cov)
    assert_allclose(found, lavaan["robust_gamma"], rtol=1e-9, atol=1e-9)


def test_complete_answers_give_the_sample_moments():
    weights, cluster = RNG.random(300) + 0.5, np.arange(300) % 20
    found = saturated(patterns_of(ANSWERS, weights))
    assert_allclose(found.mean, np.average(ANSWERS, axis=0, weights=weights))
    assert_allclose(found.cov, np.cov(ANSWERS.T, aweights=weights, ddof=0))
    for option in ({}, {"cluster": cluster}):
        assert_allclose(
            saturated_gamma(patterns_of(ANSWERS, weights), found.mean, found.cov, **option),
            fourth_moments(ANSWERS, weights, **option),
            atol=1e-8,
        )


def test_a_maximum_and_the_same_from_anywhere():
    patterns = patterns_of(GAPS)
    found = saturated(patterns)
    mean, cov = slope(patterns, found.mean, found.cov)
    assert np.abs(mean).max() < 1e-9
    assert np.abs(cov).max() < 1e-9
    elsewhere = saturated(patterns, (np.full(6, 4.0), 9 * np.eye(6)))
    assert_allclose(elsewhere.cov, found.cov, rtol=1e-8)
    assert_allclose(elsewhere.loglik, found.loglik, rtol=1e-13)
    again = saturated(patterns, (found.mean, found.cov))
    assert again.iterations == 0
    assert_allclose(found.loglik, loglik(patterns, found.mean, found.cov))


def test_a_start_that_is_no_covariance_is_passed_over():
    patterns = patterns_of(GAPS)
    assert_allclose(saturated(patterns, (np.zeros(6), -np.eye(6))).cov, saturated(patterns).cov)


def test_rescaled_items_rescale_the_solution():
    scale = np.array([1.0, 10.0, 0.01, 3.0, 1e4, 1.0])
    one, other = saturated(patterns_of(GAPS)), saturated(patterns_of(GAPS * scale))
    assert other.converged
    assert_allclose(other.cov, one.cov * np.outer(scale, scale), rtol=1e-8, atol=1e-8)


def test_the_truth_is_found_when_answers_are_lost_by_what_others_say():
    rng = np.random.default_rng(1)
    cov = np.array([[1.0, 0.6], [0.6, 1.0]])
    values = rng.multivariate_normal([0.0, 0.0], cov, 40_000)
    values[values[:, 0] > 0.3, 1] = np.nan
    found = saturated(patterns_of(values))
    assert_allclose(found.mean, [0.0, 0.0], atol=0.03)
    assert_allclose(found.cov, cov, atol=0.04)
    assert np.nanmean(values[:, 1]) < -0.2


def test_robust_errors_cover_the_spread_over_samples():
    rng = np.random.default_rng(6)
    estimates, promised = [], []
    for _ in range(300):
        values = rng.exponential(size=(200, 2)) @ [[1.0, 0.6], [0.0, 0.8]]
        values[rng.random(values.shape) < 0.15] = np.nan
        patterns = patterns_of(values)
        found = saturated(patterns)
        estimates.append([*found.mean, *found.cov[[0, 1, 1], [0, 0, 1]]])
        promised.append(np.diag(saturated_gamma(patterns, found.mean, found.cov)) / patterns.total)
    ratio = np.mean(promised, axis=0) / np.var(estimates, axis=0)
    assert ((ratio > 0.7) & (ratio < 1.25)).all()


def test_the_baseline_takes_each_item_alone():
    found = independence(patterns_of(GAPS))
    assert_allclose(found.mean, np.nanmean(GAPS, axis=0))
    assert_allclose(found.variance, np.nanvar(GAPS, axis=0))
    at = loglik(patterns_of(GAPS), found.mean, np.diag(found.variance))
    assert_allclose(found.loglik, at, rtol=1e-13)


def never_answered(values):
    values[:, 2] = np.nan


def constant(values):
    values[:, 2] = np.where(np.isnan(values[:, 2]), np.nan, 7.1)


def never_together(values):
    values[:150, 0] = np.nan
    values[150:, 1] = np.nan


def a_sum(values):
    values[:, 5] = values[:, 0] + values[:, 1]


@pytest.mark.parametrize(
    ("spoil", "failure", "message"),
    [
        (never_answered, Failure.UNANSWERED_ITEM,
         "c is never answered; leave it out of the model."),
        (constant, Failure.CONSTANT_ITEM,
         "c is the same in every answer, so there is no covariance with others; leave it out of "
         "the model."),
        (never_together, Failure.NEVER_TOGETHER,
         "No respondent answered both a and b, so nothing tells how they vary together; leave one "
         "out of the model."),
        (a_sum, Failure.NOT_POSITIVE_DEFINITE,
         "The covariances of a, b and f are not positive definite: one of them is all but a sum of "
         "the others, because too few respondents answered them together or because they say the "
         "same; leave one out of the model."),
    ],
)  # fmt: skip
def test_what_has_no_solution_is_named(spoil, failure, message):
    values = GAPS.copy()
    spoil(values)
    found = saturated(patterns_of(values))
    assert not found.converged
    assert found.failure == failure
    assert found.sentence("abcdef") == message


def test_fewer_rows_than_items_are_not_positive_definite():
    found = saturated(patterns_of(ANSWERS[:5]))
    assert found.failure == Failure.NOT_POSITIVE_DEFINITE
    assert len(found.concerned) >= 2


def test_too_few_steps_are_said():
    found = saturated(patterns_of(GAPS), max_iterations=2)
    assert found.failure == Failure.NOT_CONVERGED
    assert found.sentence("abcdef") == (
        "Means and covariances did not settle in 2 steps (largest derivative "
        f"{found.gradient:.1e}): the answers hardly tell how some items vary together; leave out "
        "the items fewest answered, or allow more iterations."
    )
    assert saturated(patterns_of(GAPS)).sentence("abcdef") == ""
