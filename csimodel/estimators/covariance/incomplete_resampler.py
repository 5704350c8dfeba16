"""How fits of incomplete answers are repeated on resamples, near the solution of the sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.estimator import (
    standardised_estimates,
    usable,
)
from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.incomplete_draws import full_information_near
from csimodel.estimators.estimates import Status
from csimodel.estimators.solution import Refit, Solution
from csimodel.moments import Moments
from csimodel.moments.accelerated_em import saturated_near
from csimodel.moments.copies import Copies
from csimodel.moments.incomplete_likelihood import Patterns, minus_two_loglik, patterns_of
from csimodel.survey import Answers

Floats = NDArray[np.float64]


def incomplete_resampler(solution: Solution, answers: Answers) -> Refit:
    """Return the function from copies of each row to fits of those resamples.

    Parameters
    ----------
    solution
        Of the sample, converged: every draw is sought near it.
    answers
        What is drawn from.
    """
    fitted = Fitted.of(solution)
    estimator, model, (layout,) = fitted.estimator, solution.model, fitted.layouts
    second = estimator.second_stage
    patterns = patterns_of(answers.values)
    hessian = fitted.hessian(True)

    def refit(copies: Copies) -> Solution:
        counts = copies.counts
        weights = counts if answers.weights is None else counts * answers.weights
        draws = [patterns.reweighted(own) for own in weights]
        moments = _saturated(fitted, answers, draws, weights)
        if second is not None:
            estimates = second.estimate(moments, model, solution.estimates)
            return Solution(model, estimator, moments, estimates)
        minima = full_information_near(
            layout, draws, fitted.parameters, hessian, estimator.tolerance
        )
        outcome = usable(moments)
        outcome[(outcome == Status.CONVERGED) & ~minima.settled] = Status.NOT_CONVERGED
        likeliest = estimator.sample_cov(moments)
        floor = np.array(
            [
                minus_two_loglik(*sample)
                for sample in zip(draws, moments.mean, likeliest, strict=True)
            ]
        )
        estimates = standardised_estimates(model, layout, minima, outcome, floor)
        return Solution(model, estimator, moments, estimates)

    return refit


def _saturated(fitted: Fitted, answers: Answers, draws: list[Patterns], weights: Floats) -> Moments:
    """Return the saturated moments of every draw; singular ones where there are none."""
    (own,) = fitted.moments
    near = own.mean, fitted.estimator.sample_cov(own)
    fits = [saturated_near(patterns, *near) for patterns in draws]
    n = np.array([patterns.total for patterns in draws])
    cov = np.array([fit.cov if fit.converged else np.ones_like(fit.cov) for fit in fits])
    mean = np.array([fit.mean if fit.converged else own.mean for fit in fits])
    effective = weights.sum(axis=1) ** 2 / (weights**2).sum(axis=1)
    spread = cov * (n / (n - 1.0))[:, None, None]
    plain = n if answers.weights is None else effective
    return Moments(own.items, n, mean, spread, own.minimum, own.maximum, plain)
