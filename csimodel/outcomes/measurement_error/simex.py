"""Simulation and extrapolation: add more error, watch the slope fall, go back to none.

With error variance σ² in an index, errors of variance λσ² are added, the regression is made, and
its slope as a function of λ is extrapolated to λ = -1, where no error is left.

References
----------
Cook, J. R., Stefanski, L. A. (1994). Simulation-extrapolation estimation in parametric measurement
error models. Journal of the American Statistical Association 89, 1314-1328.
https://doi.org/10.1080/01621459.1994.10476871

Carroll, R. J., Küchenhoff, H., Lombard, F., Stefanski, L. A. (1996). Asymptotics for the SIMEX
estimator in nonlinear measurement error models. Journal of the American Statistical Association
91, 242-250. https://doi.org/10.1080/01621459.1996.10476682
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from csimodel.options import generator_of
from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.kernels.glm import regress_draws
from csimodel.outcomes.kernels.kernel import Ending
from csimodel.outcomes.measurement_error.errors_in_variables import (
    Pulls,
    moved_pulls,
    moved_slopes,
    regression_pulls,
)
from csimodel.outcomes.models.regression import Regression

Floats = NDArray[np.float64]

GRID = (0.5, 1.0, 1.5, 2.0)  # λ, besides 0
_LAST_STEP = 1e-6  # of a coefficient in simulated regressions; the next would be its square
_EXACT = 1e-9  # of a curve's height: a curve that does not fall has no error to take off


def extrapolated(curve: Floats, quadratic: bool = False) -> Floats:
    """Return a curve's value at λ = -1, (...), from (points, ...), points at 0 and `GRID`.

    ``(a + b λ) / (c + λ)``, fitted as the linear regression ``y λ = a + b λ - c y`` and exact for
    one index in least squares; NaN where its pole lies between -1 and the grid. Or the parabola of
    least squares.

    Examples
    --------
    >>> grid = np.array([0.0, *GRID])
    >>> extrapolated(0.0058 / (1.0 + 0.25 * (1.0 + grid)))
    array(0.0058)
    """
    grid = np.array([0.0, *GRID])
    if quadratic:
        powers = grid[:, None] ** np.arange(3)
        return np.asarray(
            np.tensordot(np.array([1.0, -1.0, 1.0]) @ np.linalg.pinv(powers), curve, axes=1)
        )
    y = np.moveaxis(curve, 0, -1)
    size = np.abs(y).max(axis=-1, keepdims=True)
    unit = y / np.where(size > 0, size, 1.0)
    along = np.broadcast_to(grid, y.shape)
    design = np.stack([np.ones_like(y), along, -unit], axis=-1)
    finite = np.isfinite(design).all(axis=(-2, -1))
    safe = np.where(finite[..., None, None], design, 0.0)
    right = np.where(finite[..., None], unit * along, 0.0)
    a, b, c = np.moveaxis((np.linalg.pinv(safe, rcond=1e-10) @ right[..., None])[..., 0], -1, 0)
    still = np.ptp(unit, axis=-1) < _EXACT
    with np.errstate(invalid="ignore", divide="ignore"):
        limit = np.where(still, unit[..., 0], (a - b) / (c - 1.0)) * size[..., 0]
    return np.where(finite & (still | (c > 1.0)), limit, np.nan)


def least_squares_curve(cov: Floats, reliability: Floats, slopes: Floats) -> Floats:
    """Return the curve of least squares, (points, ..., r), λ = 0 first.

    Errors orthogonal to all else add ``λσ²`` to the index's variance and nothing to covariances,
    so that the mean over all pseudo-errors needs no simulation.
    """
    return np.stack([moved_slopes(cov, reliability, slopes, at) for at in (0.0, *GRID)])


def noise_of(
    replications: int, indexes: int, rows: int, rng: int | np.random.Generator | None
) -> Floats:
    """Return standard normal pseudo-errors, (replications, indexes, rows).

    The second half is the first with the sign turned, so that what is odd in them cancels.
    """
    half = (replications + 1) // 2
    noise = generator_of(rng).standard_normal((half, indexes, rows))
    return np.concatenate([noise, -noise])[:replications]


def simulated_curve(
    family: Family,
    outcome: Floats,
    regressors: Sequence[Floats],
    weights: Floats,
    error_sd: Floats,
    noise: Floats,
    start: Floats,
) -> tuple[Floats, Floats]:
    """Return average slopes with more and more error added, and the coefficients.

    Each pseudo-error is made orthogonal to the constant, the regressors, the outcome and the errors
    of other indexes and given unit variance, under the weights of its draw (Cook & Stefanski's
    pseudo-errors that are not independent). That leaves means and covariances as they are on
    average, so that few replications do.

    Parameters
    ----------
    family, outcome, weights
        As in `regress_draws`.
    regressors
        In their own units, each (draws, rows).
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
    share = weights / weights.sum(axis=1, keepdims=True)
    stacked = np.stack(regressors, axis=1)  # (draws, r, rows)
    centre = np.einsum("dc,drc->dr", share, stacked)
    spread = np.sqrt(np.einsum("dc,drc->dr", share, (stacked - centre[..., None]) ** 2))
    standard = (stacked - centre[..., None]) / spread[..., None]
    first = np.append(start[0] + start[1:] @ centre[0], start[1:] * spread[0])
    k, r = error_sd.shape[1], stacked.shape[1]
    share_of_error = (error_sd / spread[:, :k]).mean(axis=0) ** 2
    slopes = np.zeros((len(GRID), len(weights), r))
    coefficients = np.empty((len(GRID), len(noise), len(weights), 1 + r))
    for b, repetition in enumerate(noise):
        errors = orthogonal_noise(repetition, standard, outcome, share)
        errors *= (error_sd / spread[:, :k])[..., None]
        for at, more in enumerate(GRID):
            columns = standard.copy()
            columns[:, :k] += np.sqrt(more) * errors
            near = first.copy()
            near[1 : 1 + k] /= 1.0 + more * share_of_error
            regressions = regress_draws(
                family,
                outcome,
                list(np.moveaxis(columns, 1, 0)),
                weights,
                near,
                tolerance=_LAST_STEP,
            )
            solved = (regressions.ending == Ending.CONVERGED)[:, None]
            own = np.where(solved, regressions.coefficients, np.nan)
            own[:, 1:] /= spread
            own[:, 0] -= (own[:, 1:] * centre).sum(axis=1)
            slopes[at] += own[:, 1:] * regressions.mean_slope[:, None] / len(noise)
            coefficients[at, b] = own
    return slopes, coefficients


def orthogonal_noise(noise: Floats, regressors: Floats, outcome: Floats, share: Floats) -> Floats:
    """Return each index's pseudo-error, orthogonal to the data in every draw, (draws, k, rows)."""
    basis = [np.ones_like(share), *np.moveaxis(regressors, 1, 0), np.zeros_like(share) + outcome]
    errors: list[Floats] = []
    for pseudo_error in noise:
        columns = np.stack([*basis, *errors], axis=1)  # (draws, columns, rows)
        weighted = columns * share[:, None]
        gram = weighted @ np.swapaxes(columns, 1, 2)
        on = np.linalg.pinv(gram, hermitian=True) @ (weighted @ pseudo_error)[..., None]
        left = pseudo_error - (on * columns).sum(axis=1)
        size = np.sqrt(np.einsum("dc,dc->d", share, left**2))
        errors.append(left / size[:, None])
    return np.stack(errors, axis=1)


def simex_points(regression: Regression, reliability: Floats, noise: Floats) -> list[Pulls]:
    """Return slopes at every λ, 0 and `GRID`, and how they move."""
    if regression.family.bounded:
        return _simulated_pulls(regression, reliability, noise)
    return [moved_pulls(regression, reliability, at) for at in (0.0, *GRID)]


def simex_pulls(points: Sequence[Pulls], quadratic: bool) -> Pulls:
    """Return extrapolated slopes and how they move.

    Errors are asymptotic (Carroll et al. 1996): each respondent's pull on the extrapolated slope is
    the same combination of the pulls at every λ, averaged over replications.
    """
    effects = np.stack([point.effects for point in points])
    by_points = _derivatives(effects, quadratic)
    return Pulls(
        extrapolated(np.stack([point.coefficients for point in points]), quadratic),
        extrapolated(effects, quadratic),
        np.einsum("pr,pnr->nr", by_points, np.stack([point.rows for point in points])),
        np.einsum("pr,pkr->kr", by_points, np.stack([point.by_reliability for point in points])),
    )


def _simulated_pulls(regression: Regression, reliability: Floats, noise: Floats) -> list[Pulls]:
    sample, family, share = regression.sample, regression.family, regression.sample.share
    k = len(reliability)
    regressors = sample.regressors.T[None]
    centred = sample.regressors - share @ sample.regressors
    variance = share @ centred[:, :k] ** 2
    error_sd = np.sqrt((1.0 - reliability) * variance)
    curve, coefficients = simulated_curve(
        family,
        sample.outcome,
        list(np.moveaxis(regressors, 1, 0)),
        share[None],
        error_sd[None],
        noise,
        regression.coefficients,
    )
    standard = (centred / np.sqrt(share @ centred**2)).T[None]
    rows = np.zeros((len(GRID), *centred.shape))
    for b, repetition in enumerate(noise):
        errors = orthogonal_noise(repetition, standard, sample.outcome, share[None])[0]
        for at, more in enumerate(GRID):
            design = regression.design
            design[:, 1 : 1 + k] += np.sqrt(more) * (error_sd[:, None] * errors).T
            rows[at] += _effect_pulls(regression, design, coefficients[at, b, 0]) / len(noise)
    naive = moved_pulls(regression, reliability, 0.0)
    by_step = [naive]
    points = np.concatenate([naive.effects[None], curve[:, 0]])
    along = np.gradient(points, np.array([0.0, *GRID]), axis=0, edge_order=2)
    for at, more in enumerate(GRID):
        # A larger error variance moves a point to the right: dλ/λ = dσ²/σ². With several indexes
        # their error variances count as known.
        by = np.zeros((k, centred.shape[1]))
        pulls = rows[at]
        if k == 1 and reliability[0] < 1.0:
            by[0] = -more * along[1 + at] / (1.0 - reliability[0])
            pulls = pulls + share[:, None] * (centred[:, :1] ** 2 / variance - 1.0) * (
                more * along[1 + at]
            )
        mean = coefficients[at, :, 0, 1:].mean(axis=0)
        by_step.append(Pulls(mean, curve[at, 0], pulls, by))
    return by_step


def _effect_pulls(regression: Regression, design: Floats, coefficients: Floats) -> Floats:
    """Return each respondent's pull on average marginal effects, (rows, regressors)."""
    family, share = regression.family, regression.sample.share
    of_coefficients, of_mean = regression_pulls(
        family, design, regression.sample.outcome, share, coefficients
    )
    mean_slope = share @ family.slope(design @ coefficients)
    return np.asarray(of_coefficients[:, 1:] * mean_slope + of_mean[:, None] * coefficients[1:])


def _derivatives(points: Floats, quadratic: bool) -> Floats:
    """Return derivatives of the extrapolated value by each point, (points, r)."""
    derivatives = np.empty_like(points)
    step = 1e-6 * np.abs(points).max(axis=0)
    for place in range(len(points)):
        up, down = points.copy(), points.copy()
        up[place] += step
        down[place] -= step
        change = extrapolated(up, quadratic) - extrapolated(down, quadratic)
        derivatives[place] = change / (2.0 * step)
    still = np.ptp(points, axis=0) < _EXACT * np.abs(points).max(axis=0)
    derivatives[:, still] = np.arange(len(points))[:, None] == 0  # no error: the naive slope
    return derivatives
