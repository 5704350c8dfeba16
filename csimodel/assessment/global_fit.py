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


def distances(solution: Solution, saturated: bool) -> dict[str, Floats]:
    """Return SRMR, d_ULS and d_G of implied correlations of unit variances, (...,) each.

    Disturbances make the variance of every construct 1, so that implied correlations are those of
    constructs that the paths make; `srmr` and its like take cSEM's, whose off-diagonal entries
    belong to variances that are not 1. Saturated models are the same both ways.
    """
    cor, implied = solution.moments.response_cor, solution.implied_cor(saturated, unit=True)
    squared = ((cor - implied) ** 2).sum(axis=(-2, -1))
    p = cor.shape[-1]
    return {
        "srmr": np.sqrt(squared / (p * (p + 1))),
        "d_uls": np.asarray(0.5 * squared),
        "d_g": geodesic(cor, implied),
    }


def nfi(solution: Solution, saturated: bool = False) -> Floats:
    """Return the normed fit index of the implied correlations, (...,).

    ``1 - F/F₀`` with the discrepancy of maximum likelihood, ``F = ln |Σ̂| - ln |S| + tr(S Σ̂⁻¹) -
    p``, and F₀ that of uncorrelated items, ``-ln |S|``. PLS does not minimise F, so that it is
    smaller than by ML. NaN where one of them is not positive definite.

    References
    ----------
    Bentler, P. M., Bonett, D. G. (1980). Significance tests and goodness of fit in the analysis of
    covariance structures. Psychological Bulletin 88, 588-606.
    https://doi.org/10.1037/0033-2909.88.3.588

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi(), csi.PLS(consistent=True))
    >>> float(nfi(fit.solution).round(4))
    0.7858
    """
    cor, implied = solution.moments.response_cor, solution.implied_cor(saturated)
    observed, root = _eigenvalues(cor), _inverse_root(implied)
    with np.errstate(invalid="ignore", divide="ignore"):
        null = -np.log(np.where(observed > _DEFINITE, observed, np.nan)).sum(axis=-1)
        ratio = _eigenvalues(root @ cor @ root)
        discrepancy = (ratio - np.log(np.where(ratio > 0, ratio, np.nan)) - 1.0).sum(axis=-1)
        return np.asarray(1.0 - discrepancy / null)


def rms_theta(solution: Solution) -> Floats:
    """Return the root mean square covariance of the items' residuals, (...,).

    Residuals are what items have beyond loading times score: ``Θ = S - S W Λ' - Λ W' S + Λ P Λ'``,
    the mean of the squares of its entries below the diagonal, as cSEM takes it; SmartPLS scales
    residuals to unit variances before. It is meant for reflective constructs.

    References
    ----------
    Lohmöller, J.-B. (1989). Latent Variable Path Modeling with Partial Least Squares, page 54.
    https://doi.org/10.1007/978-3-642-52512-4

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> float(rms_theta(fit.solution).round(4))
    0.0647
    """
    solution.model.require_one_stage("RMS theta is of residuals from")
    owner, loadings = solution.model.owner, solution.estimates.loadings
    by_score = solution.cross_loadings[..., owner] * loadings[..., None, :]
    between = solution.estimates.construct_cor[..., owner[:, None], owner]
    both = loadings[..., :, None] * loadings[..., None, :] * between
    theta = solution.moments.response_cor - by_score - np.swapaxes(by_score, -1, -2) + both
    below = np.tril_indices(len(owner), -1)
    return np.asarray(np.sqrt((theta[..., below[0], below[1]] ** 2).mean(axis=-1)))


def _eigenvalues(matrix: Floats) -> Floats:
    """Return the eigenvalues of symmetric matrices, NaN where entries are."""
    known = np.asarray(np.isfinite(matrix).all(axis=(-2, -1)))
    own = np.linalg.eigvalsh(np.where(known[..., None, None], matrix, np.eye(matrix.shape[-1])))
    return np.where(known[..., None], own, np.nan)


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
    values = _eigenvalues(root @ implied @ root)
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = 0.5 * (np.log(values) ** 2).sum(axis=-1)
        return np.asarray(np.where(values[..., 0] > _DEFINITE, distance, np.nan))


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
