"""The SIMEX curve: average slopes under more and more error, and where they go. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from csimodel.repurchase.families import Family
from csimodel.repurchase.kernel import Ending, regress_draws

Floats = NDArray[np.float64]

GRID = (0.5, 1.0, 1.5, 2.0)
_TOGETHER = 2**17  # regressions times rows handled at once


def extrapolation(kind: str) -> Floats:
    """Return what each point of the curve, λ = 0 and `GRID`, counts at λ = -1, (points,).

    The least-squares polynomial through the points is linear in them: of degree 2 for
    ``"quadratic"``, 3 for ``"cubic"``.
    """
    powers = np.arange({"quadratic": 2, "cubic": 3}[kind] + 1)
    grid = np.array([0.0, *GRID])[:, None] ** powers
    return np.asarray((-1.0) ** powers @ np.linalg.pinv(grid))


def extrapolated(curve: Floats, kind: str) -> Floats:
    """Return a curve's value at λ = -1, (..., r) from (points, ..., r).

    ``"rational"`` is ``(a + b λ) / (c + λ)``, exact for one index in least squares: fitted as the
    linear regression ``y λ = a + b λ - c y``; NaN where its pole lies between -1 and the grid.
    """
    if kind != "rational":
        return np.asarray(np.tensordot(extrapolation(kind), curve, axes=1))
    y = np.moveaxis(curve, 0, -1)
    grid = np.broadcast_to(np.array([0.0, *GRID]), y.shape)
    size = np.abs(y).max(axis=-1, keepdims=True)
    unit = y / np.where(size > 0, size, 1.0)
    design = np.stack([np.ones_like(y), grid, -unit], axis=-1)
    finite = np.asarray(np.isfinite(design).all(axis=(-2, -1)))
    safe = np.where(finite[..., None, None], design, 0.0)
    a, b, c = np.moveaxis(
        (np.linalg.pinv(safe, rcond=1e-10) @ (unit * grid)[..., None])[..., 0], -1, 0
    )
    still = np.ptp(unit, axis=-1) < 1e-9  # no error to take off
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(still, unit[..., 0], (a - b) / (c - 1.0)) * size[..., 0]
    return np.where(finite & (still | (c > 1.0)), found, np.nan)


def noise_of(
    replications: int, indexes: int, rows: int, rng: int | np.random.Generator | None
) -> Floats:
    """Return standard normal pseudo-errors, (replications, indexes, rows)."""
    return np.random.default_rng(rng).standard_normal((replications, indexes, rows))


def simex_curve(
    family: Family,
    outcome: Floats,
    regressors: Sequence[Floats],
    weights: Floats,
    error_sd: Floats,
    noise: Floats,
    start: Floats,
) -> tuple[Floats, Floats]:
    """Return average slopes with more and more error added, and mean coefficients.

    Before use, each pseudo-error is made orthogonal to the constant, the regressors, the outcome
    and the errors of other indexes and given unit variance, under the weights of its sample. That
    leaves means and covariances as they are on average, so that few replications do.

    Parameters
    ----------
    family, outcome, regressors, weights
        As in `regress_draws`, but regressors in their own units, each (draws, rows).
    error_sd
        Standard deviation of the measurement error, (draws, indexes).
    noise
        From `noise_of`.
    start
        Coefficients to start from, in own units, (1 + regressors,).

    Returns
    -------
    Average marginal effects, (grid, draws, r), means over replications, NaN where a regression has
    no solution; and coefficients, (grid, replications, draws, 1 + r).
    """
    draws, rows = weights.shape
    k, r = error_sd.shape[1], len(regressors)
    share = weights / weights.sum(axis=1, keepdims=True)
    centre = np.stack([np.einsum("dc,dc->d", share, x) for x in regressors], axis=1)
    spread = np.sqrt(
        np.stack(
            [
                np.einsum("dc,dc->d", share, x**2) - centre[:, j] ** 2
                for j, x in enumerate(regressors)
            ],
            axis=1,
        )
    )
    standard = [(x - centre[:, [j]]) / spread[:, [j]] for j, x in enumerate(regressors)]
    first = np.append(0.0, start[1:] * spread[0])
    first[0] = start[0] + start[1:] @ centre[0]
    slopes = np.zeros((len(GRID), draws, r))
    coefficients = np.empty((len(GRID), len(noise), draws, 1 + r))
    root = np.sqrt(np.array(GRID))
    together = max(1, _TOGETHER // (draws * rows))
    jobs = [(b, at) for b in range(len(noise)) for at in range(len(GRID))]
    orthogonal: dict[int, Floats] = {}
    for start_at in range(0, len(jobs), together):
        some = jobs[start_at : start_at + together]
        wanted = {b for b, _ in some}
        orthogonal = {
            b: orthogonal[b]
            if b in orthogonal
            else orthogonal_noise(noise[b], standard, outcome, share)
            for b in wanted
        }
        columns = []
        for j, x in enumerate(standard):
            if j < k:
                size = (error_sd[:, j] / spread[:, j])[:, None]
                parts = [x + root[at] * size * orthogonal[b][j] for b, at in some]
            else:
                parts = [x] * len(some)
            columns.append(np.concatenate(parts))
        found = regress_draws(family, outcome, columns, np.tile(weights, (len(some), 1)), first)
        good = (found.ending == Ending.CONVERGED)[:, None]
        b_found = np.where(good, found.coefficients, np.nan)
        b_found[:, 1:] /= np.tile(spread, (len(some), 1))
        b_found[:, 0] -= (b_found[:, 1:] * np.tile(centre, (len(some), 1))).sum(axis=1)
        average = b_found[:, 1:] * found.mean_slope[:, None]
        for place, (b, at) in enumerate(some):
            here = slice(place * draws, (place + 1) * draws)
            slopes[at] += average[here] / len(noise)
            coefficients[at, b] = b_found[here]
    return slopes, coefficients


def orthogonal_noise(
    noise: Floats, regressors: Sequence[Floats], outcome: Floats, share: Floats
) -> list[Floats]:
    """Return each index's pseudo-error, orthogonal to the data in every draw, (draws, rows)."""
    basis = [np.ones_like(share), *regressors, np.broadcast_to(outcome, share.shape)]
    found: list[Floats] = []
    for one in noise:
        columns = np.stack([*basis, *found], axis=1)  # (draws, columns, rows)
        weighted = columns * share[:, None]
        gram = weighted @ np.swapaxes(columns, 1, 2)
        on = np.linalg.pinv(gram, hermitian=True) @ (weighted @ one)[..., None]
        left = one - (on * columns).sum(axis=1)
        size = np.sqrt(np.einsum("dc,dc->d", share, left**2))
        found.append(left / size[:, None])
    return found
