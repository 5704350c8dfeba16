"""Croon's correction of factor score regression, from moments, one sample or a batch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.measurement_error.item_moments import ItemMoments
from csimodel.outcomes.measurement_error.one_factor import one_factor

Floats = NDArray[np.float64]


class Croon(NamedTuple):
    """Slopes on factors.

    Attributes
    ----------
    slopes
        Of indexes (per point of their true part) and controls, (..., r); NaN without a solution.
    reliability
        ``1 - v'Θv / var(index)``, v the item weights, (..., indexes).
    inadmissible
        Whether an item has a negative error variance, (...,).
    """

    slopes: Floats
    reliability: Floats
    inadmissible: NDArray[np.bool_]


def croon_slopes(moments: ItemMoments) -> Croon:
    """Regress the outcome on factor scores, with Croon's covariances.

    Each index's items have a common factor ξ with loadings Λ and error variances Θ from a factor
    analysis of their own. Its regression scores ``F = A'x``, A = Σ⁻¹Λ, covary with other variables
    ``A'Λ`` times as much as ξ does, and vary by ``A'ΘA`` too much; so

        ``cov(ξ, z) = cov(F, z) / A'Λ``,  ``var(ξ) = (var(F) - A'ΘA) / (A'Λ)²``.

    The outcome is regressed on the ξ with these covariances. One point of an index with item
    weights v is ``1/(v'Λ)`` of ξ, and slopes are per point. Scores that are proportional to each
    other give the same slope, so regression and Bartlett scores agree.

    NaN where a factor has no solution or the corrected covariances are not positive definite.

    References
    ----------
    Croon, M. (2002). Using predicted latent scores in general latent structure models. In
    Latent Variable and Latent Structure Models, 195-224. https://doi.org/10.4324/9781410602961

    Devlieger, I., Mayer, A., Rosseel, Y. (2016). Hypothesis testing using factor score regression:
    a comparison of four methods. Educational and Psychological Measurement 76, 741-770.
    https://doi.org/10.1177/0013164415607618
    """
    cov, weights = moments.cov, moments.weights
    items, indexes = weights.shape[-1], len(moments.blocks)
    scores = np.array(moments.turned)  # from variables to scores, controls and outcome
    error = np.zeros((*cov.shape[:-2], indexes))
    points = np.ones((*cov.shape[:-2], scores.shape[-1] - 1))
    reliability = np.empty((*cov.shape[:-2], indexes))
    inadmissible = np.zeros(cov.shape[:-2], dtype=bool)
    sd = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))[..., :items]
    for j, block in enumerate(moments.blocks):
        own = cov[..., block, block]
        with np.errstate(invalid="ignore", divide="ignore"):
            cor = own / (sd[..., block, None] * sd[..., None, block])
        standard = one_factor(cor)
        loadings = sd[..., block] * standard
        theta = sd[..., block] ** 2 * (1.0 - standard**2)
        inadmissible |= (theta < 0).any(axis=-1)
        a, regular = _solved(cor, sd[..., block], loadings)
        reach = np.where(regular, (a * loadings).sum(axis=-1), np.nan)[..., None]
        scores[..., block, j] = a / reach
        error[..., j] = ((a / reach) ** 2 * theta).sum(axis=-1)
        v = weights[..., block]
        points[..., j] = (v * loadings).sum(axis=-1)
        variance = np.einsum("...i,...ik,...k->...", v, own, v)
        reliability[..., j] = 1.0 - (v**2 * theta).sum(axis=-1) / variance
    scores_cov = np.swapaxes(scores, -1, -2) @ cov @ scores
    own_places = np.arange(indexes)
    scores_cov[..., own_places, own_places] -= error
    inner, with_outcome = scores_cov[..., :-1, :-1], scores_cov[..., :-1, -1]
    scale = np.sqrt(np.abs(np.diagonal(inner, axis1=-2, axis2=-1)))
    with np.errstate(invalid="ignore", divide="ignore"):
        cor = inner / (scale[..., :, None] * scale[..., None, :])
    slopes, regular = _solved(cor, scale, with_outcome)
    with np.errstate(invalid="ignore", divide="ignore"):
        slopes = np.where(regular[..., None], slopes / points, np.nan)
    return Croon(slopes, reliability, inadmissible)


def _solved(cor: Floats, scale: Floats, right: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Solve ``D cor D x = right``; also where cor is positive definite, else x is 0."""
    finite = np.asarray(np.isfinite(cor).all(axis=(-2, -1)) & np.isfinite(right).all(axis=-1))
    safe = np.where(finite[..., None, None], cor, np.eye(cor.shape[-1]))
    regular = finite & (np.linalg.eigvalsh(safe)[..., 0] > 1e-9)
    safe = np.where(regular[..., None, None], safe, np.eye(cor.shape[-1]))
    scaled = np.where(regular[..., None], right / scale, 0.0)
    solved = np.linalg.solve(safe, scaled[..., None])[..., 0] / scale
    return np.where(regular[..., None], solved, 0.0), np.asarray(regular)
