"""How much of the variance of a sum of items is that of their construct."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.estimator import CovarianceEstimates
from csimodel.estimators.covariance.structure import implied
from csimodel.estimators.solution import Solution

Floats = NDArray[np.float64]


def true_shares(solution: Solution) -> Floats | None:
    """Return true over whole implied variance of the sum of each construct's items.

    ``(Σλ)² φ / Σᵢₖ σᵢₖ`` in scale units, (..., constructs), with loadings λ, the construct's
    variance φ and implied (co)variances σ of its items. None of what is no covariance structure.
    """
    estimates = solution.estimates
    if not isinstance(estimates, CovarianceEstimates):
        return None
    at = implied(estimates.layout, estimates.parameters)
    shares = np.empty(at.phi.shape[:-1])
    with np.errstate(invalid="ignore", divide="ignore"):
        for j, block in enumerate(solution.model.slices):
            common = at.loadings[..., block, j].sum(axis=-1) ** 2 * at.phi[..., j, j]
            shares[..., j] = common / at.sigma[..., block, block].sum(axis=(-2, -1))
    return shares
