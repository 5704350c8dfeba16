"""The test of a fit nested in another where χ² is that of ordered answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.parameters import inverted
from csimodel.estimators.covariance.robust import sandwich_parts
from csimodel.estimators.covariance.tests_of_fit import ChiSquare, bread, middle, scaled

Floats = NDArray[np.float64]

_YES = np.array(True)
_ROUNDING = 1e-8  # singular value of a direction that both fits have


def nested_test(free: Fitted, equal: Fitted) -> ChiSquare:
    """Return the scaled and shifted difference of χ² of two nested fits by weighted squares.

    With Δ₁ and Δ₀ the derivatives of the moments in the free and the equal fit, Δ₀ = Δ₁H says that
    the equal fit is nested; A' spans what is orthogonal to H, ``A θ = 0`` being the restriction.
    The difference has under it the weights of the eigenvalues of UΓ, ``U = V Δ₁ K Δ₁'V``,
    ``K = P⁻¹A'(A P⁻¹ A')⁻¹ A P⁻¹``, ``P = Δ₁'VΔ₁`` (Satorra 2000), by whose mean and variance it is
    scaled and shifted (Asparouhov and Muthén 2010), as lavaan's lavTestLRT does. H is found by
    least squares, each fit's Δ at its own solution.

    NaN without degrees of freedom, and where the rank of A is not their difference.

    References
    ----------
    Satorra, A. (2000). Scaled and adjusted restricted tests in multi-sample analysis of moment
    structures. In Heijmans, Pollock, Satorra (eds.), Innovations in Multivariate Statistical
    Analysis, 233-247. https://doi.org/10.1007/978-1-4615-4603-0_17

    Asparouhov, T., Muthén, B. (2010). Simple second order chi-square correction. Mplus technical
    appendix.
    """
    df = equal.df - free.df
    restriction = _restriction(np.vstack(free.slopes), np.vstack(equal.slopes))
    if df <= 0 or restriction.shape[1] != df:
        return ChiSquare(np.nan, df)
    parts = sandwich_parts(free)
    inverse = inverted(bread(parts), _YES)
    across = inverse @ restriction
    kernel = across @ np.linalg.solve(restriction.T @ across, across.T)
    product = kernel @ middle(parts)
    plain = ChiSquare(equal.chisq - free.chisq, df)
    kind = free.estimator.robust or "mlm"
    return scaled(kind, plain, float(np.trace(product)), float(np.trace(product @ product))).test


def _restriction(free: Floats, equal: Floats) -> Floats:
    """Return A', what is orthogonal to H of ``equal = free H``, (parameters, restrictions)."""
    turn = np.linalg.lstsq(free, equal, rcond=None)[0]
    left, size, _ = np.linalg.svd(turn, full_matrices=True)
    return np.asarray(left[:, int((size > _ROUNDING * size[0]).sum()) :])
