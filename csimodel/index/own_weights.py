"""The index of groups that have weights of their own, and what each respondent adds to it.

A group's index is a function of its items' means, variances and weights, and by PLS the weights are
one of its correlations whose derivative is known in closed form (`weight_influence`), so no group
is fitted again: with t standardised answers and g the derivative of the index by the weights of
standardised items, a respondent adds ``Σ_i (∂I/∂m_i) s_i t_i - ½ Σ_i w_i g_i t_i²`` by means and
standard deviations, and what the weights add. Other estimators, incomplete answers and models of
several stages have influence values by perturbed fits, one group at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators import GroupFits, Solution, Status
from csimodel.estimators.points import by_block, scale_of
from csimodel.estimators.weight_influence import WeightInfluence
from csimodel.index.points import INDEX
from csimodel.inference import without_influence
from csimodel.inference.influence import free_influence_values
from csimodel.survey import Answers
from csimodel.survey.group_rows import GroupRows

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_TOGETHER = 256  # groups whose derivatives are made at once, so that they stay in cache


@dataclass(frozen=True, eq=False)
class OwnWeights:
    """The index of groups, each by its own fit.

    Attributes
    ----------
    groups
        From `fit_groups`.
    """

    groups: GroupFits

    @cached_property
    def known(self) -> Codes:
        """The groups that have a solution."""
        return np.flatnonzero(self.groups.solution.estimates.outcome == Status.CONVERGED)

    @cached_property
    def estimate(self) -> Floats:
        """The indexes, (groups, constructs); NaN without a solution."""
        solution = self.groups.solution
        scale_of(solution.moments)
        values = np.full((len(self.groups), len(solution.model.constructs)), np.nan)
        if len(self.known):
            values[self.known] = INDEX.values(solution[self.known])
        return values

    @cached_property
    def variance(self) -> Floats:
        """Sampling variances of the indexes, (groups, constructs); NaN where not known.

        Within strata or clusters a group is a domain of the whole sample: units without a member
        were drawn too.
        """
        answers = self.groups.answers
        variance = np.full(self.estimate.shape, np.nan)
        domain = answers.in_units or answers.calibrated is not None
        design = answers.stages
        for group, rows, values in self.influence():
            if domain:
                variance[group] = design.variance_of_rows(rows, values)
            elif answers.population is not None:
                part = answers.part(rows).stages
                variance[group] = part.variance(part.totals(values))
            else:
                n = len(rows)
                variance[group] = (values**2).sum(axis=0) * n / max(n - 1, 1)
        return variance

    @cached_property
    def df(self) -> Floats:
        """Degrees of freedom: units of each group less their strata, (groups,)."""
        answers = self.groups.answers
        return answers.first_stage.degrees(self.groups.codes, len(self.groups)).astype(np.float64)

    def influence(self) -> Iterator[tuple[int, Codes, Floats]]:
        """Yield each group with a solution, its rows, and what they add, (rows, constructs).

        Nothing of groups whose estimator has no influence values.
        """
        solution, answers = self.groups.solution, self.groups.answers
        rows = GroupRows.of(self.groups.codes, len(self.groups))
        for start in range(0, len(self.known), _TOGETHER):
            known = self.known[start : start + _TOGETHER]
            derivatives = None
            if answers.missing == "complete" and not solution.estimator.needs_answers:
                derivatives = _Derivatives.of(solution[known])
            for place, group in enumerate(known.tolist()):
                own = rows[group]
                if derivatives is not None:
                    yield group, own, derivatives.of_rows(place, answers, own)
                    continue
                fit = self.groups[self.groups.labels[group]]
                if not without_influence(fit):
                    yield group, own, free_influence_values(fit, INDEX)


@dataclass(frozen=True, eq=False)
class _Derivatives:
    """Derivatives of the indexes of some groups by answers.

    Attributes
    ----------
    solution
        Of the groups.
    sd
        Standard deviations by the mean product about the mean, (groups, items).
    level
        What a standardised answer counts through the item's mean, (groups, constructs, items).
    weights
        What respondents add through weights and standard deviations.
    """

    solution: Solution
    sd: Floats
    level: Floats
    weights: WeightInfluence

    @classmethod
    def of(cls, solution: Solution) -> _Derivatives | None:
        """Return the derivatives where the estimator has them in closed form."""
        moments, model = solution.moments, solution.model
        minimum, width = scale_of(moments)
        sd = moments.sd * np.sqrt((moments.n - 1.0) / moments.n)[:, None]
        weights = solution.estimates.weights
        own = model.owner[:, None] == np.arange(len(model.constructs))
        with np.errstate(divide="ignore", invalid="ignore"):
            whole = by_block(model, weights / sd * width)[:, model.owner]
            counts = 100.0 / whole
            index = INDEX.values(solution)[:, model.owner]
            slope = counts / sd * (moments.mean - minimum - width * index / 100.0)
        cotangents = np.where(own, slope[..., None], 0.0)
        through = solution.estimator.weight_influence(solution, cotangents)
        if through is None:
            return None
        spread = 0.5 * weights[..., None] * cotangents
        through = replace(through, squares=through.squares - spread)
        level = np.where(own.T, (counts * weights)[:, None], 0.0)
        return cls(solution, sd, level, through)

    def of_rows(self, place: int, answers: Answers, rows: Codes) -> Floats:
        """Return what respondents of a group add to its indexes, (rows, constructs)."""
        items = _taken(answers.values, rows).T - self.solution.moments.mean[place][:, None]
        items /= self.sd[place][:, None]
        values = self.weights.of_rows(place, items, self.solution.model.owner)
        values += self.level[place] @ items
        if answers.weights is None:
            values /= len(rows)
        else:
            weights = answers.weights[rows]
            values *= weights / weights.sum()
        return values.T


def _taken(values: Floats, rows: Codes) -> Floats:
    """Return some rows, without a copy where they follow one another."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        return values[rows[0] : rows[-1] + 1]
    return values[rows]
