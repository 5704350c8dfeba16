"""Simulation and extrapolation: add more error, watch the slope fall, go back to none.

With error variance σ² in an index, errors of variance λσ² are added, the regression is made, and
its average slope as a function of λ is extrapolated to λ = -1, where no error is left.

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

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from csimodel.repurchase.chain import Cells, Chain
from csimodel.repurchase.chain import _draws as drawn
from csimodel.repurchase.corrected.errors_in_variables import Pulls, average_pulls
from csimodel.repurchase.corrected.simex_curve import (
    GRID,
    extrapolated,
    extrapolation,
    orthogonal_noise,
    simex_curve,
)
from csimodel.repurchase.regression import Regression

Floats = NDArray[np.float64]


def simex_of_sample(regression: Regression, reliability: Floats, noise: Floats, kind: str) -> Pulls:
    """Return extrapolated average slopes of a sample and how they move.

    Errors are asymptotic (Carroll et al. 1996): each respondent's pull on the extrapolated slope is
    the same combination of his pulls at every λ, averaged over replications, to which comes that
    on the error variance ``(1 - reliability) var(index)``; with several indexes those variances
    count as known.
    """
    sample, family = regression.sample, regression.family
    k, r = len(reliability), sample.regressors.shape[1]
    share = sample.share
    centred = sample.regressors - share @ sample.regressors
    variance = share @ centred[:, :k] ** 2
    columns = [x[None, :] for x in sample.regressors.T]
    error_sd = np.sqrt((1.0 - reliability) * variance)[None, :]
    curve, coefficients = simex_curve(
        family, sample.outcome, columns, share[None, :], error_sd, noise, regression.coefficients
    )
    naive = regression.coefficients[1:] * regression.mean_slope
    points = np.concatenate([naive[None], curve[:, 0]])
    slopes = extrapolated(points, kind)
    rows = np.zeros((1 + len(GRID), sample.n, r))
    rows[0] = average_pulls(
        family, regression.design, sample.outcome, share, regression.coefficients
    )
    basis = [x[None, :] for x in (centred / centred.std(axis=0)).T]
    for b, one in enumerate(noise):
        errors = orthogonal_noise(one, basis, sample.outcome, share[None, :])
        for at, more in enumerate(GRID):
            design = regression.design.copy()
            for j in range(k):
                design[:, 1 + j] += np.sqrt(more) * error_sd[0, j] * errors[j][0]
            pulls = average_pulls(family, design, sample.outcome, share, coefficients[at, b, 0])
            rows[1 + at] += pulls / len(noise)
    by_points = _derivatives(points, kind)  # (points, r)
    pulls = np.einsum("pr,pnr->nr", by_points, rows)
    by = np.zeros((k, r))
    if k == 1:
        # A larger error variance moves every point of the curve to the right: dλ/λ = dσ²/σ².
        grid = np.array([0.0, *GRID])
        along = np.gradient(points, grid, axis=0, edge_order=2)
        by_size = (by_points * along * grid[:, None]).sum(axis=0)
        pulls = pulls + share[:, None] * (centred[:, :1] ** 2 / variance - 1.0) * by_size
        by[0] = -by_size / max(1.0 - reliability[0], 1e-12)
    return Pulls(slopes, pulls, by)


def _derivatives(points: Floats, kind: str) -> Floats:
    """Return derivatives of the extrapolated value by each point, (points, r)."""
    if kind != "rational":
        return np.repeat(extrapolation(kind)[:, None], points.shape[1], axis=1)
    found = np.empty_like(points)
    step = 1e-6 * np.abs(points).max(axis=0)
    for place in range(len(points)):
        up, down = points.copy(), points.copy()
        up[place] += step
        down[place] -= step
        found[place] = (extrapolated(up, kind) - extrapolated(down, kind)) / (2.0 * step)
    return found


def simex_of_draws(chain: Chain, reliability: Floats, noise: Floats, kind: str) -> Floats:
    """Return extrapolated average slopes in the usable draws of a chain, (draws, r).

    Respondents keep their pseudo-errors in all draws, so that results do not depend on how draws
    are put together.
    """
    cells = _respondents(chain.cells)
    k = reliability.shape[1]
    place = np.full(len(chain.usable), -1)
    place[chain.usable] = np.arange(len(reliability))
    found = np.full((len(reliability), chain.coefficients.shape[1] - 1), np.nan)
    naive = chain.average_slopes()
    start = chain.coefficients.mean(axis=0)
    noise = noise[:, :, np.searchsorted(np.sort(cells.order), cells.order)]
    for draws, weights, regressors in drawn(
        chain.bootstrap, cells, chain.usable, "simex", chain.progress
    ):
        here = place[draws]
        columns = [np.broadcast_to(x, weights.shape) for x in regressors]
        share = weights / weights.sum(axis=1, keepdims=True)
        variance = np.stack(
            [(share * x**2).sum(axis=1) - (share * x).sum(axis=1) ** 2 for x in columns[:k]],
            axis=1,
        )
        with np.errstate(invalid="ignore"):
            sd = np.sqrt((1.0 - reliability[here]) * variance)
        possible = np.isfinite(sd).all(axis=1) & (reliability[here] > 0).all(axis=1)
        if not possible.any():
            continue
        curve, _ = simex_curve(
            chain.family,
            cells.outcome,
            [x[possible] for x in columns],
            weights[possible],
            sd[possible],
            noise,
            start,
        )
        points = np.concatenate([naive[here[possible]][None], curve])
        found[here[possible]] = extrapolated(points, kind)
    return found


def _respondents(cells: Cells) -> Cells:
    """Return the cells with every respondent in one of his own."""
    ends = np.append(cells.starts, len(cells.order))
    cell = np.repeat(np.arange(len(cells.starts)), np.diff(ends))
    return replace(
        cells,
        points=cells.points[cell],
        gaps=None if cells.gaps is None else cells.gaps[cell],
        outcome=cells.outcome[cell],
        controls=cells.controls[cell],
        starts=np.arange(len(cell)),
    )
