"""The slope of the outcome on the latent variable behind an index, by covariance SEM.

The items of each index measure one common factor ξ; the outcome is a single item regressed on the
factors and the controls, which covary freely. In points, the index is ``Σ vᵢ xᵢ`` and its true
part ``(Σ vᵢ λᵢ) ξ``, v the index's item weights. One standard deviation of ξ is therefore
``τ = Σ vᵢ λᵢ sd(ξ)`` index points, and the slope per point of the true index is the path from ξ,
standardised, times ``sd(outcome) / τ``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators import ML, Estimates, Outcome, Solution
from csimodel.estimators.covariance.parameters import model_cov
from csimodel.model import Construct, Model, Path, reflective
from csimodel.moments import Moments
from csimodel.repurchase.corrected.error_moments import ErrorMoments

Floats = NDArray[np.float64]

_STEP = 1e-4  # of a standardised covariance, in numerical derivatives


class Latent(NamedTuple):
    """Slopes on the latent variables.

    Attributes
    ----------
    slopes
        Of indexes (per point of their true part) and controls, (..., r); NaN without a solution.
    reliability
        ``1 - Σ v² θ / var(index)`` under this model, (..., indexes).
    outcome
        How the fit ended, (...,).
    inadmissible
        Flags of what cannot be, (...,).
    estimates
        Of the standardised variables.
    """

    slopes: Floats
    reliability: Floats
    outcome: NDArray[np.int64]
    inadmissible: NDArray[np.int64]
    estimates: Estimates


def latent_slopes(
    moments: ErrorMoments, n: float, scale: Floats, near: Estimates | None = None
) -> Latent:
    """Fit the covariance structure and put its slopes on index points.

    Parameters
    ----------
    moments
        One sample or a batch.
    n
        Number of respondents.
    scale
        What the variables are divided by before the fit, (variables,); it changes nothing but
        rounding.
    near
        Solution of the full sample to start from.

    References
    ----------
    Bollen, K. A. (1989). Structural Equations with Latent Variables, chapter 8.
    https://doi.org/10.1002/9781118619179
    """
    indexes, items = len(moments.blocks), moments.weights.shape[-1]
    sizes = tuple(block.stop - block.start for block in moments.blocks)
    model = _model(sizes, moments.cov.shape[-1] - items - 1)
    unit = moments.cov / (scale[:, None] * scale)
    lead = unit.shape[:-2]
    nothing = np.full(unit.shape[-1], np.nan)
    source = Moments(
        items=model.items,
        n=np.full(lead, n),
        mean=np.zeros(unit.shape[:-1]),
        cov=unit,
        minimum=nothing,
        maximum=nothing,
        effective_n=np.full(lead, n),
    )
    estimator = ML(tolerance=1e-9)
    found = estimator.estimate(source, model, near)
    implied = model_cov(Solution(model, estimator, source, found))
    assert implied is not None
    sd = np.sqrt(np.diagonal(implied, axis1=-2, axis2=-1)) * scale
    solved = np.asarray(found.outcome == Outcome.CONVERGED)[..., None]
    common = moments.weights * found.loadings[..., :items] * sd[..., :items]
    error = (moments.weights * sd[..., :items]) ** 2 * (1.0 - found.loadings[..., :items] ** 2)
    own = [block.start for block in moments.blocks]
    spread = np.concatenate([np.add.reduceat(common, own, axis=-1), sd[..., items:-1]], axis=-1)
    regressors = moments.of_regressors[0]
    variance = np.diagonal(regressors, axis1=-2, axis2=-1)[..., :indexes]
    with np.errstate(invalid="ignore", divide="ignore"):
        slopes = found.paths[..., -1, :-1] * sd[..., -1:] / spread
        reliability = 1.0 - np.add.reduceat(error, own, axis=-1) / variance
    return Latent(
        slopes=np.where(solved, slopes, np.nan),
        reliability=np.where(solved, reliability, np.nan),
        outcome=np.asarray(found.outcome),
        inadmissible=np.asarray(found.inadmissible),
        estimates=found,
    )


def latent_pulls(
    moments: ErrorMoments, variables: Floats, share: Floats, scale: Floats, near: Estimates
) -> Floats:
    """Return each respondent's pull on the slopes, (rows, r), the item weights taken as known.

    The slopes are functions of the covariances: their derivatives, by central differences in one
    batch of fits, times each respondent's deviation ``share (x x' - S)``.
    """
    size = len(scale)
    row, column = np.triu_indices(size)
    steps = np.zeros((2, len(row), size, size))
    each = np.arange(len(row))
    for k, sign in enumerate((1.0, -1.0)):
        steps[k, each, row, column] = sign * _STEP
        steps[k, each, column, row] = sign * _STEP
    moved = (moments.cov / (scale[:, None] * scale) + steps.reshape(-1, size, size)) * (
        scale[:, None] * scale
    )
    weights = np.broadcast_to(moments.weights, (len(moved), len(moments.weights)))
    found = latent_slopes(
        ErrorMoments(moved, weights, moments.blocks), len(variables), scale, near
    ).slopes
    up, down = found.reshape(2, len(row), -1)
    gradient = (up - down) / (2.0 * _STEP)
    unit = variables / scale
    deviations = (
        unit[:, row] * unit[:, column] - (moments.cov / (scale[:, None] * scale))[row, column]
    )
    return np.asarray((share[:, None] * deviations) @ gradient)


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
