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
from csimodel.estimators.points import by_block, point_weights, scale_of
from csimodel.index.expected import Expected
from csimodel.index.points import POINT_WEIGHTS
from csimodel.inference import Bootstrap, draws_of, influence_values
from csimodel.inference.incomplete_influence import IncompleteInfluence
from csimodel.inference.influence import free_influence_values
from csimodel.limits import require_memory
from csimodel.model import Model
from csimodel.moments import Moments
from csimodel.survey import Answers
from csimodel.survey.group_rows import GroupRows, sums_by_group
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]

_ROUNDING = 1e-12  # of the parts of a variance


def group_points(
    answers: Answers, codes: NDArray[np.intp], groups: int, moments: Moments
) -> Floats:
    """Return each group's mean points of every item, (groups, items); NaN where none answered."""
    expected = Expected.of(answers, moments)
    if expected is not None:
        rows = GroupRows.of(codes, groups)
        ones = (np.ones((1, len(rows[g]))) for g in range(groups))
        each = [expected.points(rows[g], own, moments)[0] for g, own in enumerate(ones)]
        return np.array(each).reshape(groups, len(answers.items))
    return points_of_answers(answers, codes, groups, *scale_of(moments))


def points_of_answers(
    answers: Answers, codes: NDArray[np.intp], groups: int, minimum: Floats, width: Floats
) -> Floats:
    """Return each group's mean points of the answers there are, (groups, items)."""
    member = codes >= 0
    own, values = codes[member], answers.values[member]
    weights = answers.row_weights[member]
    total = np.bincount(own, weights, groups)
    points = np.empty((groups, values.shape[1]))
    for k, (low, wide) in enumerate(zip(minimum, width, strict=True)):
        answer = (values[:, k] - low) / wide * 100.0
        with np.errstate(invalid="ignore"):
            if answers.missing != "complete":
                seen = ~np.isnan(answer)
                total = np.bincount(own[seen], weights[seen], groups)
                answer = np.where(seen, answer, 0.0)
            points[:, k] = np.bincount(own, weights * answer, groups) / total
    return points


def group_draws(
    fit: Fit, bootstrap: Bootstrap, codes: NDArray[np.intp], groups: int, progress: bool = True
) -> Floats:
    """Return the index of each group in each usable draw, (draws, groups, constructs).

    The item weights are the whole draw's, the item means the group's.

    Raises
    ------
    OptionError
        When they need more memory than is free.
    """
    answers = fit.require_answers("the index by group")
    weight, weighted = _contributions(answers, fit.moments)
    expected = Expected.of(answers, fit.moments)
    complete = answers.missing == "complete"
    rows = GroupRows.of(codes, groups)
    design, solution = bootstrap.design, bootstrap.solution
    place = np.cumsum(bootstrap.usable) - 1
    size = (int(place[-1]) + 1, groups, len(fit.model.constructs))
    require_memory(
        f"The index of {groups:,} groups in {size[0]:,} draws",
        8.0 * float(np.prod(size)),
        "take fewer draws, or leave bootstrap= out: errors then come from influence values",
    )
    indexes = np.empty(size)
    for draws, counts in draws_of(design, bootstrap.usable, what="groups", progress=progress):
        weights = point_weights(solution[draws])
        for g in range(groups):
            own = rows[g]
            times = counts[:, own]
            if expected is not None:
                points = expected.points(own, times, solution[draws].moments)
                indexes[place[draws], g] = by_block(fit.model, weights * points)
                continue
            below = times @ (weight[own, :1] if complete else weight[own])
            sums = times @ weighted[own]
            points = np.divide(sums, below, out=np.full_like(sums, np.nan), where=below > 0)
            indexes[place[draws], g] = by_block(fit.model, weights * points)
    return indexes


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
    parts = (answers.calibrated, answers.domain, answers.subcluster)
    known = any(part is not None for part in parts)
    if known or Expected.of(answers, fit.moments) is not None:
        each = range(len(fit.model.constructs))
        variances = [
            answers.stages.variance(group_influence(fit, codes, points, own)) for own in each
        ]
        return np.sqrt(np.stack(variances, axis=1))
    design, model = answers.design, fit.model
    factor, share = design.factors
    pulls = influence_values(fit, POINT_WEIGHTS)
    through = through_means(answers, fit.model, codes, points, point_weights(fit.solution))
    spread = design.covariance(pulls)
    sums = np.zeros((design.strata, pulls.shape[1]))
    np.add.at(sums, design.stratum, pulls)
    rows, items = GroupRows.of(codes, len(points)), np.arange(len(model.items))
    errors = np.empty((len(points), len(model.constructs)))
    for g, mean in enumerate(points):
        unit, through_mean = _by_unit(design, rows[g], through)
        means = np.zeros((len(items), len(model.constructs)))
        means[items, model.owner] = mean
        stratum = design.stratum[unit]
        totals = sums_by_group(stratum, through_mean, design.strata)
        both = through_mean * (through_mean + 2.0 * (pulls[unit] @ means))
        variance = factor[stratum] @ both
        variance -= (factor * share) @ (totals * (totals + 2.0 * (sums @ means)))
        variance += [mean[block] @ spread[block, block] @ mean[block] for block in model.slices]
        size = factor[stratum] @ through_mean**2
        size += [
            abs(mean[block]) @ abs(spread[block, block]) @ abs(mean[block])
            for block in model.slices
        ]
        errors[g] = np.sqrt(without_rounding(variance, size))
    return errors


def without_rounding(variance: Floats, size: Floats) -> Floats:
    """Return variances that are sums, 0 where they are but the rounding of their parts.

    Parameters
    ----------
    variance, size
        Sums of parts, and of their sizes, of one shape.

    Examples
    --------
    >>> without_rounding(np.array([4.0, 1e-15, -1e-15]), np.array([9.0, 1.0, 1.0])).tolist()
    [4.0, 0.0, 0.0]
    """
    return np.where(variance <= _ROUNDING * size, 0.0, variance)


def group_influence(fit: Fit, codes: NDArray[np.intp], points: Floats, construct: int) -> Floats:
    """Return what each unit adds to each group's index of a construct, (units, groups).

    Units are those of the last stage of the design.
    """
    answers = fit.require_answers("the index by group")
    design = answers.stages
    values = _free_group_influence(fit, design.source_units, codes, points, construct)
    return design.of_sources(values)


def _free_group_influence(
    fit: Fit, design: SurveyDesign, codes: NDArray[np.intp], points: Floats, construct: int
) -> Floats:
    """Return what each unit of a design adds, as if weights had not been calibrated."""
    answers = fit.require_answers("the index by group")
    block = fit.model.slices[construct]
    values = free_influence_values(fit, POINT_WEIGHTS, design)[:, block] @ points[:, block].T
    weights = point_weights(fit.solution)
    rows = GroupRows.of(codes, len(points))
    expected, incomplete = Expected.of(answers, fit.moments), IncompleteInfluence.of(fit)
    if expected is not None and incomplete is not None:
        for g, mean in enumerate(points):
            own = rows[g]
            through = _through_expected(expected, incomplete, own, mean)
            values[:, g] += design.totals(through[:, block] @ weights[block, None])[:, 0]
        return values
    through = through_means(answers, fit.model, codes, points, weights)[:, construct, None]
    for g in range(len(points)):
        unit, through_mean = _by_unit(design, rows[g], through)
        values[unit, g] += through_mean[:, 0]
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


def through_means(
    answers: Answers, model: Model, codes: NDArray[np.intp], points: Floats, counts: Floats
) -> Floats:
    """Return what respondents add to the index of their group through its item means.

    Parameters
    ----------
    answers, model
        What was fitted.
    codes, points
        Group of each respondent, (rows,), -1 for none, and groups' mean points, (groups, items).
    counts
        What each item's points count in the index, (items,), or of each group, (groups, items).

    Returns
    -------
    ndarray
        (rows, constructs); 0 for those of no group.
    """
    minimum, width = answers.minimum, answers.maximum - answers.minimum
    member = np.flatnonzero(codes >= 0)
    own, groups = codes[member], len(points)
    weights = answers.row_weights[member]
    through = np.zeros((len(model.constructs), len(codes)))
    for k in range(points.shape[1]):
        answer = (answers.values[member, k] - minimum[k]) / width[k] * 100.0
        seen = ~np.isnan(answer)
        total = np.bincount(own, weights * seen, groups)
        with np.errstate(divide="ignore", invalid="ignore"):
            count = counts[k] if counts.ndim == 1 else counts[own, k]
            part = count * weights * (answer - points[own, k]) / total[own]
        unanswered = ~seen & (total[own] > 0)
        part[unanswered] = 0.0
        through[model.owner[k], member] += part
    return through.T


def _by_unit(
    design: SurveyDesign, own: NDArray[np.intp], values: Floats
) -> tuple[NDArray[np.intp], Floats]:
    """Return units with some of the rows, and sums of those rows' values, (units, any)."""
    if design.kind == "respondent":
        return own, values[own]
    unit, place = np.unique(design.unit[own], return_inverse=True)
    return unit, sums_by_group(place, values[own], len(unit))


def _contributions(answers: Answers, moments: Moments) -> tuple[Floats, Floats]:
    """Return each cell's weight, 0 where missing, and weight times points, (rows, items)."""
    minimum, width = scale_of(moments)
    seen = ~np.isnan(answers.values)
    weight = seen.astype(np.float64)
    if answers.weights is not None:
        weight *= answers.weights[:, None]
    points = (answers.values - minimum) / width * 100.0
    return weight, np.where(seen, points, 0.0) * weight
