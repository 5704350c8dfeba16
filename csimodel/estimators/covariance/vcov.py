"""Covariances of the estimates of a covariance structure, of every kind of error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.parameters import (
    covariance_structure,
    inverted,
    sample_information,
)
from csimodel.estimators.covariance.robust import sandwich, sandwiches
from csimodel.estimators.estimates import Status
from csimodel.estimators.solution import Solution

Floats = NDArray[np.float64]


def vcov(solution: Solution) -> Floats:
    """Return covariances of the free parameters' estimates, (..., q, q); NaN without a solution.

    Raises
    ------
    EstimationError
        For robust errors of moments without fourth-order moments.
    """
    estimator, estimates = covariance_structure(solution)
    if estimates.covariance is not None:
        return estimates.covariance
    if estimator.robust is not None and solution.moments.batch_shape:
        return sandwiches(solution)
    if estimator.robust is not None:
        return sandwich(Fitted.of(solution))
    usable = np.asarray(estimates.outcome == Status.CONVERGED)
    return inverted(sample_information(solution, estimator.observed_information), usable)
