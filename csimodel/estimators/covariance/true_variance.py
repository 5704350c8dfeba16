"""How much of the variance of a sum of items is that of their construct, where errors covary."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.estimator import CovarianceEstimates
from csimodel.estimators.covariance.structure import implied
from csimodel.estimators.solution import Solution

Floats = NDArray[np.float64]


def true_shares(solution: Solution) -> dict[int, Floats]:
    """Return true over whole variance of the sum of a construct's items, (...,), by construct.

    ``(Σλ)² φ / ((Σλ)² φ + Σᵢₖ θᵢₖ)`` in scale units, of the constructs whose items have covarying
    errors in a covariance structure; none of other solutions.
    """
    estimates = solution.estimates
    if not isinstance(estimates, CovarianceEstimates):
        return {}
    owner, layout = solution.model.owner, estimates.layout
    covarying = {
        int(owner[row.at[0]])
        for row in layout.rows
        if row.kind == "errors" and row.at[0] != row.at[1] and owner[row.at[0]] == owner[row.at[1]]
    }
    if not covarying:
        return {}
    at = implied(layout, estimates.parameters)
    shares = {}
    for j in sorted(covarying):
        block = solution.model.slices[j]
        common = at.loadings[..., block, j].sum(axis=-1) ** 2 * at.phi[..., j, j]
        whole = common + at.errors[..., block, block].sum(axis=(-2, -1))
        shares[j] = np.asarray(common / whole)
    return shares
