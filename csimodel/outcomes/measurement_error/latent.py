"""The slope of the outcome on the latent variable behind an index, by covariance SEM."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators import ML, Estimates, Status
from csimodel.model import Construct, Model, Path, reflective
from csimodel.moments import Moments
from csimodel.outcomes.measurement_error.item_moments import ItemMoments

Floats = NDArray[np.float64]


class Latent(NamedTuple):
    """Slopes on the latent variables.

    Attributes
    ----------
    slopes
        Of indexes (per point of their true part) and controls, (..., r); NaN without a solution.
    reliability
        ``1 - Σ v² θ / var(index)`` under this model, (..., indexes).
    inadmissible
        Whether the solution cannot be, (...,).
    estimates
        Of the standardised variables, with how each fit ended.
    """

    slopes: Floats
    reliability: Floats
    inadmissible: NDArray[np.bool_]
    estimates: Estimates


def latent_slopes(moments: ItemMoments, near: Estimates | None = None) -> Latent:
    """Fit the covariance structure by maximum likelihood and put its slopes on index points.

    The items of each index measure one common factor ξ; the outcome is a construct with one item
    and no error, regressed on the factors and the controls, which covary freely. The index is
    ``Σ vᵢ xᵢ`` and its true part ``(Σ vᵢ λᵢ) ξ``, v the index's item weights. One standard
    deviation of ξ is therefore ``τ = Σ vᵢ λᵢ sd(xᵢ)`` index points, λ standardised, and the slope
    per point of the true index is the standardised path from ξ times ``sd(outcome) / τ``.

    Parameters
    ----------
    moments
        One sample or a batch.
    near
        Solution of the full sample to start from.

    References
    ----------
    Bollen, K. A. (1989). Structural Equations with Latent Variables, chapter 8.
    https://doi.org/10.1002/9781118619179
    """
    cov, weights = moments.cov, moments.weights
    indexes, items = len(moments.blocks), weights.shape[-1]
    sizes = tuple(block.stop - block.start for block in moments.blocks)
    model = _model(sizes, cov.shape[-1] - items - 1)
    sd = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        cor = cov / (sd[..., :, None] * sd[..., None, :])
    rows = np.full(cov.shape[:-2], 1000.0)  # only the chi-square depends on it
    unknown = np.full(cov.shape[-1], np.nan)
    source = Moments(model.items, rows, np.zeros_like(sd), cor, unknown, unknown, rows)
    estimates = ML(tolerance=1e-9).estimate(source, model, near)
    solved = np.asarray(estimates.outcome == Status.CONVERGED)[..., None]
    common = weights * estimates.loadings[..., :items] * sd[..., :items]
    error = (weights * sd[..., :items]) ** 2 * (1.0 - estimates.loadings[..., :items] ** 2)
    own = [block.start for block in moments.blocks]
    spread = np.concatenate([np.add.reduceat(common, own, axis=-1), sd[..., items:-1]], axis=-1)
    variance = np.diagonal(moments.of_regressors[0], axis1=-2, axis2=-1)[..., :indexes]
    with np.errstate(invalid="ignore", divide="ignore"):
        slopes = estimates.paths[..., -1, :-1] * sd[..., -1:] / spread
        reliability = 1.0 - np.add.reduceat(error, own, axis=-1) / variance
    return Latent(
        np.where(solved, slopes, np.nan),
        np.where(solved, reliability, np.nan),
        np.asarray(solved[..., 0] & (estimates.inadmissible > 0)),
        estimates,
    )


@lru_cache(maxsize=16)
def _model(sizes: tuple[int, ...], controls: int) -> Model:
    """Return the model: factors of so many items, controls and an outcome."""
    constructs: list[Construct] = []
    for j, size in enumerate(sizes):
        constructs.append(reflective(f"index {j}", [f"index {j} item {i}" for i in range(size)]))
    constructs += [reflective(f"control {j}", f"column {j}") for j in range(controls)]
    names = [construct.name for construct in constructs]
    return Model(
        (*constructs, reflective("outcome", "answer")),
        tuple(Path(name, "outcome") for name in names),
    )
