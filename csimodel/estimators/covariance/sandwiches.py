"""Robust errors of many samples at once, from the fourth-order moments of each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.estimator import CovarianceEstimator
from csimodel.estimators.covariance.layout import Layout
from csimodel.estimators.covariance.parameters import covariance_structure, information, inverted
from csimodel.estimators.covariance.structure import implied, moment_slopes
from csimodel.estimators.covariance.tests_of_fit import about_model
from csimodel.estimators.estimates import Outcome
from csimodel.estimators.solution import Solution
from csimodel.moments import Moments

Floats = NDArray[np.float64]

_CHUNK = 32  # samples whose weights and Γ are held together


def sandwiches(solution: Solution) -> Floats:
    """Return the robust covariance of the estimates of every sample of a batch, (samples, q, q).

    The formulas are those of `csimodel.estimators.covariance.robust.sandwich`, which is for one
    sample and for groups that share parameters. NaN for samples without a solution.

    Raises
    ------
    EstimationError
        When the moments have no fourth-order moments.
    """
    estimator, _ = covariance_structure(solution)
    estimator.require(solution.moments)
    starts = range(0, len(solution.moments.n), _CHUNK)
    return np.concatenate([_some(solution[at : at + _CHUNK]) for at in starts])


def _some(solution: Solution) -> Floats:
    estimator, estimates = covariance_structure(solution)
    layout, own = estimates.layout, solution.moments
    usable = np.asarray(estimates.outcome == Outcome.CONVERGED)
    at = implied(layout, np.where(usable[:, None], estimates.parameters, 0.1))
    slopes = moment_slopes(layout, at)
    pulled = np.stack(
        [estimator.weight(own[k], layout, at.sigma[k]) @ slopes[k] for k in range(len(slopes))]
    )
    gamma = _gamma(estimator, own, layout)
    n = estimator.sample_size(own)[:, None, None]
    robust = estimator.robust == "mlr"
    if robust:
        gap = own.mean - at.mean if layout.mean_structure else None
        residual = estimator.sample_cov(own) - at.sigma
        gamma = about_model(gamma, gap, residual, own.n / own.effective_n)
        bread = n * inverted(information(solution, observed=True), usable)
    else:
        bread = inverted(np.swapaxes(slopes, -1, -2) @ pulled, usable)
    middle = np.swapaxes(pulled, -1, -2) @ gamma @ pulled
    return np.asarray(bread @ middle @ bread / n)


def _gamma(estimator: CovarianceEstimator, own: Moments, layout: Layout) -> Floats:
    """Return Γ of the moments that are modelled."""
    assert own.fourth is not None
    if layout.mean_structure:
        return own.fourth
    items = own.mean.shape[-1]
    return own.fourth[..., items:, items:]
