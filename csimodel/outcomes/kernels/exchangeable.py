"""Generalised estimating equations of exchangeable rows in groups: what rows add to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.kernels.influence import Codes, Influence, predictor_information
from csimodel.outcomes.kernels.kernel import Observations

Floats = NDArray[np.float64]


def exchangeable_influence(
    family: Family, sample: Observations, group: Codes, correlation: float, b: Floats
) -> Influence:
    """Return what rows add to the coefficients of generalised estimating equations.

    With D the derivatives of the means, V their working covariance and e what is left, scores are
    ``D'V⁻¹e`` and the information ``D'V⁻¹D``; of exchangeable rows ``R⁻¹ = (I - c 1 1')/(1 - r)``
    with ``c = r/(1 + (k - 1) r)`` in a group of k rows.

    Parameters
    ----------
    family
        Means and their variances.
    sample
        Rows; those with weights have no working correlation.
    group
        Codes 0, 1, …, (rows,).
    correlation
        r, of two rows of a group.
    b
        Coefficients, (terms,).

    References
    ----------
    Liang, K.-Y., Zeger, S. L. (1986). Longitudinal data analysis using generalized linear models.
    Biometrika 73, 13-22. https://doi.org/10.1093/biomet/73.1.13
    """
    X, outcome, weights, _ = sample
    pull, information, _ = family.working(X @ b, outcome)
    root = np.sqrt(information)
    with np.errstate(divide="ignore", invalid="ignore"):
        residual = np.where(root > 0, pull / root, 0.0)
    scaled = X * root[:, None]
    size = np.bincount(group)
    shrink = correlation / (1.0 + (size - 1.0) * correlation)
    left = (shrink * np.bincount(group, residual))[group]
    sums = np.stack([np.bincount(group, column) for column in scaled.T], axis=1)
    together = shrink[:, None, None] * sums[:, :, None] * sums[:, None, :]
    independent = predictor_information(scaled, np.ones(len(X)))

    def total(factor: Floats, cluster: Codes | None) -> Floats:
        shared = together.sum(axis=0)[None] if cluster is None else together
        return (independent(factor, cluster) - shared) / (1.0 - correlation)

    counted = np.ones(len(X)) if weights is None else weights
    dispersion = float(counted @ residual**2) / (len(X) - len(b))
    score = scaled * (residual - left)[:, None] / (1.0 - correlation)
    return Influence.of(score, total, weights, dispersion)
