"""Respondents in groups, and the fits of all groups under any labelling of them, in one batch.

What a permutation gives a group are the moments of its rows: one matrix product of which rows are
in it with the products of items makes them for all permutations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import OptionError, SurveyError
from csimodel.estimators import Estimator, GroupFits, Solution, Status, fit_groups
from csimodel.estimators.groups import shown_label
from csimodel.estimators.solution import Refit
from csimodel.findings import Finding, listed
from csimodel.model import Model
from csimodel.moments.copies import Copies
from csimodel.moments.label_permutations import LabelPermutations
from csimodel.options import shown
from csimodel.progress import progress_bar
from csimodel.survey import Answers, Survey
from csimodel.survey.scanning.scan import Scan

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

LEAST_PERMUTATIONS = 20  # below which a p-value of 0.05 cannot be
_CELLS = 2**23  # labels held at once

_WEIGHTS = (
    "Each respondent keeps the weight when groups are permuted, which supposes that weights are "
    "distributed alike in the groups."
)
_CLUSTERS = "Every cluster lies in one group, so the {units} clusters are permuted, whole."
_CLUSTERS_IN_STRATA = (
    "Every cluster lies in one group, so the {units} clusters are permuted, whole, within the "
    "{blocks} strata."
)
_WITHIN = (
    "Groups run through clusters, so respondents are permuted within their cluster; what differs "
    "between clusters says nothing of the groups here."
)
_POPULATION = (
    "Permutations do not allow for the finite population (population=); the test is about "
    "customers like these, not about this population."
)


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

    def solutions(self, labels: Codes) -> Solution:
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
    ) -> Floats:
        """Return a statistic of the groups' fits in every permutation, (permutations, entries).

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
        parts = []
        with progress_bar(permutations.count, "Permutations", progress, "permutation") as bar:
            for span in permutations.spans(max(together, 1)):
                parts.append(statistic(self.solutions(permutations.labels(span))))
                bar.update(span.stop - span.start)
        return np.concatenate(parts)

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


def given_labels(permutations: object, fits: GroupFits, sample: GroupedSample) -> Codes:
    """Return labellings that somebody made as groups of the respondents used, (count, rows).

    Raises
    ------
    OptionError
        For an array of another shape, labels of no group, or groups of other sizes.
    """
    labels = np.atleast_2d(np.asarray(permutations))
    rows, whole = len(sample.codes), len(fits.survey.data)
    if labels.ndim != 2 or labels.shape[1] not in (rows, whole) or not len(labels):
        raise OptionError(
            f"permutations= holds an array of shape {labels.shape}; give one row for each "
            f"permutation, with the group of each of the {rows} respondents."
        )
    if len(labels) < LEAST_PERMUTATIONS:
        raise OptionError(
            f"permutations= holds {len(labels)} permutations, from which no p-value below "
            f"{1.0 / (1.0 + len(labels)):.2f} can come; give at least {LEAST_PERMUTATIONS}."
        )
    if labels.shape[1] != rows:
        labels = labels[:, fits.answers.rows[fits.codes >= 0]]
    known = list(sample.labels)
    seen = pd.unique(labels.ravel()).tolist()
    for own in (known, list(range(1, sample.groups + 1)), list(range(sample.groups))):
        if all(label in own for label in seen):
            codes = np.asarray(pd.Index(own).get_indexer(pd.Index(labels.ravel())), dtype=np.intp)
            break
    else:
        raise OptionError(
            f"permutations= holds {listed(map(repr, seen), 3)}; give labels of the groups, "
            f"{listed(map(repr, known))}, or their numbers from 1."
        )
    codes = codes.reshape(labels.shape)
    sizes = np.bincount(sample.codes, minlength=sample.groups)
    counts = np.stack([(codes == group).sum(axis=1) for group in range(sample.groups)], axis=1)
    if (counts != sizes).any():
        place = int(np.flatnonzero((counts != sizes).any(axis=1))[0])
        raise OptionError(
            f"Row {place} of permutations= makes groups of {listed(counts[place].tolist())} "
            f"respondents, and the groups have {listed(sizes.tolist())}; a permutation exchanges "
            "labels and keeps the sizes."
        )
    return codes


def about_permutations(sample: GroupedSample, permutations: LabelPermutations) -> Iterator[Finding]:
    """Say how the sampling design is allowed for, and what is not."""
    answers = sample.answers
    if permutations.given is None and permutations.exchange == "clusters":
        design = answers.design
        values = {"units": design.units, "blocks": design.strata}
        template = _CLUSTERS if design.strata == 1 else _CLUSTERS_IN_STRATA
        yield Finding("clusters-permuted", template, (), "note", design.units, values)
    if permutations.given is None and permutations.exchange == "respondents within clusters":
        yield Finding("permuted-within-clusters", _WITHIN, severity="note")
    if answers.weights is not None:
        yield Finding("weights-permuted", _WEIGHTS, severity="note")
    if answers.population is not None:
        yield Finding("population-not-permuted", _POPULATION)


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
