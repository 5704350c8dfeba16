"""How far the item correlations that the model implies are from those observed.

Two models are asked about. The estimated one has the paths as drawn; the saturated one lets all
constructs correlate freely, so that only the measurement is judged. Implied correlations are
those of `Solution.implied_cor`, cSEM's conventions: reflective blocks follow the
common-factor model with the estimated loadings, composite blocks are as observed, every
implied item variance is 1.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.estimators import Quantity, Solution, register
from csimodel.model import Model

Floats = NDArray[np.float64]

_DEFINITE = 1e-10  # smallest eigenvalue of a correlation matrix that counts as positive


def srmr(solution: Solution, saturated: bool = False) -> Floats:
    """Return the standardised root mean square residual, (...,).

    ``√(Σᵢ≤ₖ (rᵢₖ - r̂ᵢₖ)² / (p(p + 1)/2))`` over p items, the zero residuals of the diagonal
    counted, as cSEM and lavaan (without means) do.

    References
    ----------
    Hu, L., Bentler, P. M. (1999). Cutoff criteria for fit indexes in covariance structure
    analysis. Structural Equation Modeling 6(1), 1-55. https://doi.org/10.1080/10705519909540118

    Examples
    --------
    >>> import csimodel as csi
    >>> model, survey = csi.models.ecsi(), csi.load_mobi()
    >>> fit = csi.fit(model, survey, csi.PLS(consistent=True))
    >>> float(srmr(fit.solution).round(4))
    0.0692
    """
    p = len(solution.model.items)
    squared = (_residuals(solution, saturated) ** 2).sum(axis=(-2, -1))
    return np.asarray(np.sqrt(squared / (p * (p + 1))))


def d_uls(solution: Solution, saturated: bool = False) -> Floats:
    """Return the squared Euclidean distance, (...,).

    ``½ Σᵢₖ (rᵢₖ - r̂ᵢₖ)²``; cSEM calls it d_L.

    References
    ----------
    Dijkstra, T. K., Henseler, J. (2015). Consistent and asymptotically normal PLS estimators for
    linear structural equations. Computational Statistics & Data Analysis 81, 10-23.
    https://doi.org/10.1016/j.csda.2014.07.008

    Examples
    --------
    >>> import csimodel as csi
    >>> model, survey = csi.models.ecsi(), csi.load_mobi()
    >>> fit = csi.fit(model, survey, csi.PLS(consistent=True))
    >>> float(d_uls(fit.solution).round(4))
    1.4382
    """
    return np.asarray(0.5 * (_residuals(solution, saturated) ** 2).sum(axis=(-2, -1)))


def d_g(solution: Solution, saturated: bool = False) -> Floats:
    """Return the geodesic distance, (...,).

    ``½ Σₖ (ln φₖ)²`` with φ the eigenvalues of ``S⁻¹ Σ̂``. Natural logarithms, as in the source;
    cSEM takes them to base 10, so this number is cSEM's times (ln 10)² = 5.301898. The base changes
    no test of a bootstrap whose draws have the same base, but numbers of the two programs must not
    be set against each other's quantiles.
    NaN when the observed or the implied correlations are not positive definite, because then
    there is no such distance: PLSc often implies such a matrix in small samples.

    References
    ----------
    Dijkstra, T. K., Henseler, J. (2015). https://doi.org/10.1016/j.csda.2014.07.008

    Examples
    --------
    >>> import csimodel as csi
    >>> model, survey = csi.models.ecsi(), csi.load_mobi()
    >>> fit = csi.fit(model, survey, csi.PLS(consistent=True))
    >>> float(d_g(fit.solution).round(4))
    2.7256
    """
    return _geodesic(_inverse_root(solution.moments.response_cor), solution.implied_cor(saturated))


def geodesic(cor: Floats, other: Floats) -> Floats:
    """Return the geodesic distance of correlations, (..., items, items) each, as in `d_g`, (...,).

    >>> float(geodesic(np.eye(2), np.array([[1.0, 0.5], [0.5, 1.0]])).round(4))
    0.3224
    """
    return _geodesic(_inverse_root(cor), other)


def _residuals(solution: Solution, saturated: bool) -> Floats:
    return np.asarray(solution.moments.response_cor - solution.implied_cor(saturated))


def _inverse_root(cor: Floats) -> Floats:
    """Return S^(-1/2), NaN where S is not positive definite."""
    known = np.asarray(np.isfinite(cor).all(axis=(-2, -1)))[..., None, None]
    values, vectors = np.linalg.eigh(np.where(known, cor, np.eye(cor.shape[-1])))
    definite = np.logical_and(known, values[..., :1, None] > _DEFINITE)
    with np.errstate(invalid="ignore", divide="ignore"):
        root = (vectors / np.sqrt(values)[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    return np.where(definite, root, np.nan)


def _geodesic(root: Floats, implied: Floats) -> Floats:
    middle = root @ implied @ root
    known = np.asarray(np.isfinite(middle).all(axis=(-2, -1)))
    values = np.linalg.eigvalsh(np.where(known[..., None, None], middle, np.eye(middle.shape[-1])))
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = 0.5 * (np.log(values) ** 2).sum(axis=-1)
    return np.asarray(np.where(known & (values[..., 0] > _DEFINITE), distance, np.nan))


def _both_srmr(solution: Solution) -> Floats:
    return np.stack([srmr(solution), srmr(solution, saturated=True)], axis=-1)


def _both_d_uls(solution: Solution) -> Floats:
    return np.stack([d_uls(solution), d_uls(solution, saturated=True)], axis=-1)


def _both_d_g(solution: Solution) -> Floats:
    root = _inverse_root(solution.moments.response_cor)
    both = [_geodesic(root, solution.implied_cor(saturated)) for saturated in (False, True)]
    return np.stack(both, axis=-1)


def by_model(model: Model) -> pd.Index:
    """Label the estimated and the saturated model."""
    return pd.Index(["estimated", "saturated"], name="model")


register(Quantity("srmr", by_model, _both_srmr, null=None, resampled=False))
register(Quantity("d_uls", by_model, _both_d_uls, null=None, resampled=False))
register(Quantity("d_g", by_model, _both_d_g, null=None, resampled=False))
