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


def left_out_groups(fit: Fit, jackknife: Jackknife, codes: NDArray[np.intp], groups: int) -> Floats:
    """Return the jackknife standard error of each group's index, (groups, constructs)."""
    answers = fit.require_answers("the index by group")
    weight, weighted = _contributions(answers, fit.moments)
    items = weight.shape[1]
    both = np.hstack([weighted, weight])
    units = jackknife.units
    weights = point_weights(jackknife.solution)
    every = np.arange(len(units.stratum))
    found = np.empty((groups, len(fit.model.constructs)))
    for g in range(groups):
        own = np.flatnonzero(codes == g)
        parts = np.zeros((len(every), 2 * items))
        np.add.at(parts, units.of_row[own], both[own])
        whole = np.zeros((units.strata, 2 * items))
        np.add.at(whole, units.stratum, parts)
        left = units.leave_out(parts, whole, every)
        with np.errstate(invalid="ignore", divide="ignore"):
            points = left[:, :items] / left[:, items:]
        found[g] = jackknife.se(by_block(fit.model, weights * points))
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
