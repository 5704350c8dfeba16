"""Item means of groups, in the sample, in bootstrap draws, and what each unit adds to them.

A group's mean of an item is over its members who answered it, so that a group is not filled with
the answers of others. Only where the fit's own means are the most likely ones given all answers
(full information, two stages), a group's are of what its members are expected to have answered,
given what they did answer, by the means and covariances of all: the same estimator, so that a
group that holds everybody has the index of all. An item that no member answered has no mean.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators import Fit
from csimodel.index.expected import Expected
from csimodel.index.points import POINT_WEIGHTS, by_block, point_weights, scale_of
from csimodel.inference import Bootstrap, draws_of, influence_values
from csimodel.inference.incomplete_influence import IncompleteInfluence
from csimodel.moments import Moments
from csimodel.survey import Answers
from csimodel.survey.group_rows import GroupRows
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]


def group_points(
    answers: Answers, codes: NDArray[np.intp], groups: int, moments: Moments
) -> Floats:
    """Return each group's mean points of every item, (groups, items); NaN where none answered."""
    weight, weighted = _contributions(answers, moments)
    expected = Expected.of(answers, moments)
    points = np.full((groups, weight.shape[1]), np.nan)
    rows = GroupRows.of(codes, groups)
    with np.errstate(invalid="ignore"):
        for g in range(groups):
            own = rows[g]
            if expected is not None:
                points[g] = expected.points(own, np.ones((1, len(own))), moments)[0]
                continue
            points[g] = weighted[own].sum(axis=0) / weight[own].sum(axis=0)
    return points


def group_draws(fit: Fit, bootstrap: Bootstrap, codes: NDArray[np.intp], groups: int) -> Floats:
    """Return the index of each group in each usable draw, (groups, draws, constructs).

    The item weights are the whole draw's, the item means the group's.
    """
    answers = fit.require_answers("the index by group")
    weight, weighted = _contributions(answers, fit.moments)
    expected = Expected.of(answers, fit.moments)
    complete = answers.missing == "complete"
    rows = GroupRows.of(codes, groups)
    design, solution = bootstrap.design, bootstrap.solution
    indexes = np.empty((groups, design.draws, len(fit.model.constructs)))
    for draws, counts in draws_of(design, bootstrap.usable):
        weights = point_weights(solution[draws])
        for g in range(groups):
            own = rows[g]
            times = counts[:, own]
            if expected is not None:
                points = expected.points(own, times, solution[draws].moments)
                indexes[g, draws] = by_block(fit.model, weights * points)
                continue
            below = times @ (weight[own, :1] if complete else weight[own])
            with np.errstate(invalid="ignore", divide="ignore"):
                points = times @ weighted[own] / below
            indexes[g, draws] = by_block(fit.model, weights * points)
    return indexes[:, bootstrap.usable]


def group_errors(fit: Fit, codes: NDArray[np.intp], points: Floats) -> Floats:
    """Return the standard error of each group's index, (groups, constructs).

    A unit (respondent or cluster) adds to a group's index through the item weights, which are the
    whole sample's, by its influence on them times the group's item means, and through those means
    if it has members in the group. With T the sum of both, ``se² = Σ_h c_h (Σ_u T_hu² - a_h (Σ_u
    T_hu)²)`` with the factors of `SurveyDesign`; the square is taken apart, so that each group
    costs its own members only.

    Parameters
    ----------
    codes
        Group of each respondent, (rows,); -1 for none.
    points
        The groups' mean points, (groups, items).
    """
    answers = fit.require_answers("the index by group")
    if Expected.of(answers, fit.moments) is not None:
        each = range(len(fit.model.constructs))
        variances = [
            answers.design.variance(group_influence(fit, codes, points, own)) for own in each
        ]
        return np.sqrt(np.stack(variances, axis=1))
    weight, weighted = _contributions(answers, fit.moments)
    design, model = answers.design, fit.model
    factor, share = design.factors
    weights = point_weights(fit.solution)
    pulls = influence_values(fit, POINT_WEIGHTS)
    spread = design.covariance(pulls)
    sums = np.zeros((design.strata, pulls.shape[1]))
    np.add.at(sums, design.stratum, pulls)
    rows = GroupRows.of(codes, len(points))
    errors = np.empty((len(points), len(model.constructs)))
    for g, mean in enumerate(points):
        own = rows[g]
        unit, through_mean = _through_means(fit, design, own, weight, weighted, mean, weights)
        through_weights = by_block(model, pulls[unit] * mean)
        stratum = design.stratum[unit]
        totals = np.zeros((design.strata, errors.shape[1]))
        np.add.at(totals, stratum, through_mean)
        both = through_mean * (through_mean + 2.0 * through_weights)
        variance = (factor[stratum, None] * both).sum(axis=0)
        variance -= (factor * share) @ (totals * (totals + 2.0 * by_block(model, sums * mean)))
        variance += [mean[block] @ spread[block, block] @ mean[block] for block in model.slices]
        errors[g] = np.sqrt(np.where(variance < 0, 0.0, variance))
    return errors


def group_influence(fit: Fit, codes: NDArray[np.intp], points: Floats, construct: int) -> Floats:
    """Return what each unit adds to each group's index of a construct, (units, groups)."""
    answers = fit.require_answers("the index by group")
    weight, weighted = _contributions(answers, fit.moments)
    block = fit.model.slices[construct]
    values = influence_values(fit, POINT_WEIGHTS)[:, block] @ points[:, block].T
    weights = point_weights(fit.solution)
    rows = GroupRows.of(codes, len(points))
    expected, incomplete = Expected.of(answers, fit.moments), IncompleteInfluence.of(fit)
    if expected is not None and incomplete is not None:
        for g, mean in enumerate(points):
            own = rows[g]
            through = _through_expected(expected, incomplete, own, mean)
            values[:, g] += answers.design.totals(through[:, block] @ weights[block, None])[:, 0]
        return values
    for g, mean in enumerate(points):
        own = rows[g]
        unit, through = _through_means(fit, answers.design, own, weight, weighted, mean, weights)
        values[unit, g] += through[:, construct]
    return values


def _through_expected(
    expected: Expected, incomplete: IncompleteInfluence, own: NDArray[np.intp], mean: Floats
) -> Floats:
    """Return what each respondent adds to a group's expected item means, (rows, items).

    Members by their own answers, and everybody by the means and covariances that what is missing
    is expected by.
    """
    moments = incomplete.fit.moments

    def of_moments(moved: Moments) -> Floats:
        return expected.points(own, np.ones((len(moved.n), len(own))), moved)

    through = incomplete.moments @ incomplete.by_moments(of_moments)
    share = expected.weights[own] / expected.weights[own].sum()
    through[own] += share[:, None] * (expected.answers(own, moments) - mean)
    return np.asarray(through)


def _through_means(
    fit: Fit,
    design: SurveyDesign,
    own: NDArray[np.intp],
    weight: Floats,
    weighted: Floats,
    mean: Floats,
    weights: Floats,
) -> tuple[NDArray[np.intp], Floats]:
    """Return units with members in a group, and what they add through its item means."""
    with np.errstate(invalid="ignore", divide="ignore"):
        part = (weighted[own] - weight[own] * mean) / weight[own].sum(axis=0)
    unit, place = np.unique(design.unit[own], return_inverse=True)
    through = np.zeros((len(unit), len(fit.model.constructs)))
    np.add.at(through, place, by_block(fit.model, part * weights))
    return unit, through


def _contributions(answers: Answers, moments: Moments) -> tuple[Floats, Floats]:
    """Return each cell's weight, 0 where missing, and weight times points, (rows, items)."""
    minimum, width = scale_of(moments)
    seen = ~np.isnan(answers.values)
    weight = seen.astype(np.float64)
    if answers.weights is not None:
        weight *= answers.weights[:, None]
    points = (answers.values - minimum) / width * 100.0
    return weight, np.where(seen, points, 0.0) * weight
