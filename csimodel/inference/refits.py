"""How a fit is repeated on resamples: from moments, or from answers with gaps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators import ML, Fit, Outcome, Solution, samples_for
from csimodel.estimators.covariance.estimator import standardised_estimates, usable
from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.incomplete_draws import full_information_near
from csimodel.moments import Moments
from csimodel.moments.accelerated_em import saturated_near
from csimodel.moments.incomplete_likelihood import Patterns, minus_two_loglik, patterns_of
from csimodel.survey import Answers

Floats = NDArray[np.float64]
Refit = Callable[[Floats], Solution]


def refits_of(fit: Fit, answers: Answers) -> Refit:
    """Return the function from counts of each row, (draws, rows), to fits of those resamples."""
    if isinstance(fit.estimator, ML) and fit.estimator.missing != "survey" and fit.converged:
        return _of_incomplete(fit, fit.estimator, answers)
    products = samples_for(fit.estimator, answers)

    def refit(counts: Floats) -> Solution:
        moments = products.resampled(counts)
        estimates = fit.estimator.estimate(moments, fit.model, fit.estimates)
        return Solution(fit.model, fit.estimator, moments, estimates)

    return refit


def _of_incomplete(fit: Fit, estimator: ML, answers: Answers) -> Refit:
    """Refit from the saturated moments of each draw, or from its likelihood."""
    patterns = patterns_of(answers.values)
    fitted = Fitted.of(fit.solution)
    hessian = fitted.hessian(True)
    (layout,) = fitted.layouts

    def refit(counts: Floats) -> Solution:
        weights = counts if answers.weights is None else counts * answers.weights
        draws = [patterns.reweighted(own) for own in weights]
        moments = _saturated(fit, estimator, draws, weights)
        if estimator.missing == "two-stage":
            complete = replace(estimator, missing="survey", se="expected", means=True)
            estimates = complete.estimate(moments, fit.model, fit.estimates)
            return Solution(fit.model, estimator, moments, estimates)
        found = full_information_near(
            layout, draws, fitted.parameters, hessian, estimator.tolerance
        )
        outcome = usable(moments)
        outcome[(outcome == Outcome.CONVERGED) & ~found.settled] = Outcome.NOT_CONVERGED
        likeliest = estimator.sample_cov(moments)
        floor = np.array(
            [minus_two_loglik(*one) for one in zip(draws, moments.mean, likeliest, strict=True)]
        )
        estimates = standardised_estimates(fit.model, layout, found, outcome, floor)
        return Solution(fit.model, estimator, moments, estimates)

    return refit


def _saturated(fit: Fit, estimator: ML, draws: list[Patterns], weights: Floats) -> Moments:
    """Return the saturated moments of every draw; singular ones where there are none."""
    own = fit.moments
    near = own.mean, estimator.sample_cov(own)
    found = [saturated_near(patterns, *near) for patterns in draws]
    n = np.array([patterns.total for patterns in draws])
    cov = np.array([one.cov if one.converged else np.ones_like(one.cov) for one in found])
    mean = np.array([one.mean if one.converged else own.mean for one in found])
    effective = weights.sum(axis=1) ** 2 / (weights**2).sum(axis=1)
    spread = cov * (n / (n - 1.0))[:, None, None]
    plain = n if fit.answers is None or fit.answers.weights is None else effective
    return Moments(own.items, n, mean, spread, own.minimum, own.maximum, plain)
