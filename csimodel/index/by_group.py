"""Item means of groups, in the sample, in bootstrap draws, and without each unit.

A group's mean of an item is over its members who answered it, under every missing-data policy, so
that a group is never filled with the answers of others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators import Fit
from csimodel.index.points import by_block, point_weights, scale_of
from csimodel.inference import Bootstrap, Jackknife
from csimodel.moments import Moments
from csimodel.survey import Answers

Floats = NDArray[np.float64]


def group_points(
    answers: Answers, codes: NDArray[np.intp], groups: int, moments: Moments
) -> Floats:
    """Return each group's mean points of every item, (groups, items); NaN where none answered."""
    weight, weighted = _contributions(answers, moments)
    found = np.full((groups, weight.shape[1]), np.nan)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(groups + 1))
    with np.errstate(invalid="ignore"):
        for g in range(groups):
            own = order[starts[g] : starts[g + 1]]
            found[g] = weighted[own].sum(axis=0) / weight[own].sum(axis=0)
    return found


def group_draws(fit: Fit, bootstrap: Bootstrap, codes: NDArray[np.intp], groups: int) -> Floats:
    """Return the index of each group in each usable draw, (groups, draws, constructs).

    The item weights are the whole draw's, the item means the group's.
    """
    answers = fit.require_answers("the index by group")
    weight, weighted = _contributions(answers, fit.moments)
    complete = answers.missing == "complete"
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(groups + 1))
    design, solution = bootstrap.design, bootstrap.solution
    found = np.empty((groups, design.draws, len(fit.model.constructs)))
    for block in range(design.blocks):
        span, counts = design.span(block), design.counts(block)
        weights = point_weights(solution[span])
        for g in range(groups):
            own = order[starts[g] : starts[g + 1]]
            times = counts[:, own]
            below = times @ (weight[own, :1] if complete else weight[own])
            with np.errstate(invalid="ignore", divide="ignore"):
                points = times @ weighted[own] / below
            found[g, span] = by_block(fit.model, weights * points)
    return found[:, bootstrap.usable]


def group_errors(fit: Fit, jackknife: Jackknife, codes: NDArray[np.intp], points: Floats) -> Floats:
    """Return the standard error of each group's index, (groups, constructs).

    A unit (respondent or cluster) pulls on a group's index through the item weights, which is its
    jackknife deviation times the group's item means, and through those means if it has members
    in the group, which is linearised. With c = m/(m - 1) in a stratum of m units and T the sum of
    both pulls, ``se² = Σ_h c_h Σ_u (T_hu - T̄_h)²``.

    Parameters
    ----------
    jackknife
        Of the whole sample.
    codes
        Group of each respondent, (rows,); -1 for none.
    points
        The groups' mean points, (groups, items).
    """
    answers = fit.require_answers("the index by group")
    weight, weighted = _contributions(answers, fit.moments)
    units = jackknife.units
    weights = point_weights(fit.solution)
    pulls = np.nan_to_num(jackknife.pulls(point_weights(jackknife.solution)))
    size = units.sizes.astype(np.float64)
    with np.errstate(divide="ignore"):
        factor = np.where(size > 1, size / (size - 1.0), 0.0)
    spread = [
        (pulls[:, block] * factor[units.stratum, None]).T @ pulls[:, block]
        for block in fit.model.slices
    ]
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(points) + 1))
    found = np.empty((len(points), len(fit.model.constructs)))
    for g, mean in enumerate(points):
        own = order[starts[g] : starts[g + 1]]
        with np.errstate(invalid="ignore", divide="ignore"):
            share = (weighted[own] - weight[own] * mean) / weight[own].sum(axis=0)
        unit, place = np.unique(units.of_row[own], return_inverse=True)
        through_mean = np.zeros((len(unit), found.shape[1]))
        np.add.at(through_mean, place, by_block(fit.model, share * weights))
        through_weights = by_block(fit.model, pulls[unit] * mean)
        stratum = units.stratum[unit]
        totals = np.zeros((units.strata, found.shape[1]))
        np.add.at(totals, stratum, through_mean)
        variance = (
            factor[stratum, None] * through_mean * (through_mean + 2 * through_weights)
        ).sum(axis=0)
        variance -= (factor / size) @ totals**2
        variance += [
            mean[block] @ matrix @ mean[block]
            for block, matrix in zip(fit.model.slices, spread, strict=True)
        ]
        found[g] = np.sqrt(np.maximum(variance, 0.0)) if len(unit) > 1 else np.nan
    return found


def _contributions(answers: Answers, moments: Moments) -> tuple[Floats, Floats]:
    """Return each cell's weight, 0 where missing, and weight times points, (rows, items)."""
    minimum, width = scale_of(moments)
    seen = ~np.isnan(answers.values)
    weight = seen.astype(np.float64)
    if answers.weights is not None:
        weight *= answers.weights[:, None]
    points = (answers.values - minimum) / width * 100.0
    return weight, np.where(seen, points, 0.0) * weight
