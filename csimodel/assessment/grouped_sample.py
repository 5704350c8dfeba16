"""Respondents in groups, and the fits of all groups under any labelling of them, in one batch.

What a permutation gives a group are the moments of its rows: one matrix product of which rows are
in it with the products of items makes them for all permutations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import OptionError, SurveyError
from csimodel.estimators import Estimator, GroupFits, Solution, Status, fit_groups
from csimodel.estimators.groups import shown_label
from csimodel.estimators.solution import Refit
from csimodel.findings import Finding, listed
from csimodel.inference.draws import loss_severity
from csimodel.limits import FEWEST_DRAWS
from csimodel.model import Model
from csimodel.moments.copies import Copies
from csimodel.moments.label_permutations import LabelPermutations, Labels
from csimodel.options import shown
from csimodel.progress import progress_bar
from csimodel.survey import Answers, Survey
from csimodel.survey.scanning.scan import Scan
from csimodel.translation import message

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_CELLS = 2**23  # labels held at once
FEW_PERMUTATIONS = message("too few permutations with a solution")


class PermutedStatistics(NamedTuple):
    """A statistic of the groups' fits in permutations of the groups.

    Attributes
    ----------
    values
        (permutations, entries)
    solved
        Whether every group has a solution, (permutations,).
    """

    values: Floats
    solved: NDArray[np.bool_]

    @property
    def lost(self) -> int:
        """Number of permutations in which a group has no solution."""
        return int((~self.solved).sum())

    @property
    def reason(self) -> str:
        """Why what needs a solution cannot be tested; empty where it can."""
        total = len(self.solved)
        few = total - self.lost < FEWEST_DRAWS or loss_severity(self.lost, total) == "failure"
        return FEW_PERMUTATIONS if few else ""


@dataclass(frozen=True, eq=False)
class GroupedSample:
    """Respondents of several groups, fitted together and by group.

    Attributes
    ----------
    model, estimator
        What is fitted, and how.
    answers
        Of respondents in one of the groups.
    codes
        Group of each of them, 0, 1, …, (rows,).
    labels
        What the groups are called, (groups,).
    """

    model: Model
    estimator: Estimator
    answers: Answers
    codes: Codes
    labels: pd.Index

    @property
    def groups(self) -> int:
        """Number of groups."""
        return len(self.labels)

    @cached_property
    def pooled(self) -> Solution:
        """The fit to all of them together."""
        return self.estimator.solve(self.estimator.moments_of(self.answers), self.model)

    @cached_property
    def _refit(self) -> Refit:
        return self.estimator.resampler(self.pooled, self.answers)

    @cached_property
    def observed(self) -> Solution:
        """The fits of the groups, as a batch, (groups,)."""
        return self.solutions(self.codes[None])

    def solutions(self, labels: Labels) -> Solution:
        """Return the fits of all groups by labels, (permutations, rows), as a batch.

        Group by group, all permutations of the first, then of the second.
        """
        members = np.concatenate([labels == group for group in range(self.groups)])
        return self._refit(Copies(members.view(np.uint8)))

    def permutations(self, count: int, seed: int) -> LabelPermutations:
        """Return the permutations that the sampling design allows."""
        return LabelPermutations.of_design(self.answers.design, self.codes, count, seed)

    def over(
        self,
        permutations: LabelPermutations,
        statistic: Callable[[Solution], Floats],
        progress: bool = False,
    ) -> PermutedStatistics:
        """Return a statistic of the groups' fits in every permutation.

        Parameters
        ----------
        permutations
            Which group each respondent is in.
        statistic
            From the fits of all groups in some permutations, as of `solutions`, to its entries.
        progress
            Show a bar when it takes longer than a second.
        """
        rows = max(len(self.codes), 1)
        together = min(self.estimator.together // self.groups, _CELLS // rows)
        parts, solved = [], []
        with progress_bar(permutations.count, "Permutations", progress, "permutation") as bar:
            for span in permutations.spans(max(together, 1)):
                solution = self.solutions(permutations.labels(span))
                parts.append(statistic(solution))
                solved.append(self.converged(solution))
                bar.update(span.stop - span.start)
        return PermutedStatistics(np.concatenate(parts), np.concatenate(solved))

    def converged(self, solution: Solution) -> NDArray[np.bool_]:
        """Mark permutations in which every group has a solution, (permutations,)."""
        done = solution.estimates.outcome == Status.CONVERGED
        return np.asarray(done.reshape(self.groups, -1).all(axis=0))

    def of_groups(self, chosen: Sequence[int]) -> GroupedSample:
        """Return the respondents of some of the groups."""
        rows = np.flatnonzero(np.isin(self.codes, chosen))
        place = np.full(self.groups, -1)
        place[list(chosen)] = np.arange(len(chosen))
        return GroupedSample(
            self.model,
            self.estimator,
            replace(self.answers.part(rows), domain=None),  # permuted as a sample of its own
            place[self.codes[rows]],
            self.labels[list(chosen)],
        )


def grouped_sample(
    model: Model, survey: Survey | object, by: str | Sequence[str], estimator: Estimator | None
) -> tuple[GroupFits, GroupedSample]:
    """Fit every group, and return its fits and the respondents.

    Raises
    ------
    SurveyError
        For a scan, a column that makes fewer than two groups, or as `fit_groups` does.
    OptionError
        For an estimator that does not fit resamples.
    """
    if isinstance(survey, Scan):
        raise SurveyError(
            "Groups are compared by sampling respondents again, who have to be in memory; give a "
            "sample of the scan of stated size, such as scan.sample(100_000, rng=1)."
        )
    fits = fit_groups(model, survey, by, estimator)
    chosen = fits.solution.estimator
    with_rows = np.flatnonzero(fits.solution.moments.n > 0)
    if len(with_rows) < 2:
        names = listed(shown_label(fits.labels[g]) for g in with_rows.tolist())
        raise SurveyError(
            f"by={shown(by)} makes a single group with answers ({names}), and a comparison needs "
            "two; choose another column."
        )
    if chosen.resampling == "none":
        raise OptionError(
            "Groups are compared by fitting samples of respondents again, and "
            f"{chosen.label} needs of each what only the answers tell; use csi.WLSMV(), or "
            "csi.ML(se='mlr')."
        )
    whole = GroupedSample(model, chosen, fits.answers, fits.codes, fits.labels)
    return fits, whole.of_groups(with_rows.tolist())


def without_solution(sample: GroupedSample) -> str:
    """Return which group has no solution, and why; empty where all have one."""
    outcomes = sample.observed.estimates.outcome.tolist()
    for label, outcome in zip(sample.labels, outcomes, strict=True):
        if outcome != Status.CONVERGED:
            return f"no solution in group {shown_label(label)}: {Status(outcome).reason}"
    pooled = int(sample.pooled.estimates.outcome)
    if pooled != Status.CONVERGED:
        return f"no solution in all groups together: {Status(pooled).reason}"
    return ""


def about_answers(fits: GroupFits) -> tuple[Finding, ...]:
    """Return what is to be known of the answers, and that replicate weights are not used."""
    return (*fits.findings, *fits.answers.without_replicates("permutations"))
