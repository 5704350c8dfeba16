"""Permutations of groups: made or given, what they lose, and how they allow for the design."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.assessment.grouped_sample import GroupedSample, PermutedStatistics, without_solution
from csimodel.errors import OptionError
from csimodel.estimators import GroupFits
from csimodel.estimators.groups import shown_label
from csimodel.findings import Finding, listed
from csimodel.inference.draws import about_lost
from csimodel.inference.pairs import pairs_of
from csimodel.moments.label_permutations import LabelPermutations
from csimodel.options import require_count

Codes = NDArray[np.intp]

LEAST_PERMUTATIONS = 20  # below which a p-value of 0.05 cannot be

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
_ONE_LOST = (
    "{lost} of {total} permutations of {groups:8} has no solution in one of the groups and is left "
    "out."
)
_LOST = (
    "{lost} of {total} permutations of {groups:8} have no solution in one of the groups and are "
    "left out."
)


def require_permutations(permutations: int | ArrayLike, advice: str) -> int | ArrayLike:
    """Return the number of permutations where one is given, and else the labels as they are.

    Raises
    ------
    OptionError
        For fewer than 20, with the advice.
    """
    if not isinstance(permutations, int):
        return permutations
    return require_count("permutations", permutations, advice, least=LEAST_PERMUTATIONS, most=10**7)


def require_given(count: int) -> None:
    """Refuse fewer permutations that somebody made than a p-value needs.

    Raises
    ------
    OptionError
        For fewer than 20.
    """
    if count < LEAST_PERMUTATIONS:
        raise OptionError(
            f"permutations= holds {count} permutations, from which no p-value below "
            f"{1.0 / (1.0 + count):.2f} can come; give at least {LEAST_PERMUTATIONS}."
        )


def permutations_of(
    sample: GroupedSample, fits: GroupFits, permutations: int | ArrayLike, seed: int
) -> LabelPermutations:
    """Return a number of permutations, or those that somebody made.

    Raises
    ------
    OptionError
        As `given_labels`.
    """
    if isinstance(permutations, int):
        return sample.permutations(permutations, seed)
    return sample.permutations(0, seed).with_labels(given_labels(permutations, fits, sample))


def permuted_pairs(
    sample: GroupedSample, fits: GroupFits, permutations: int | ArrayLike, seed: int
) -> Iterator[tuple[GroupedSample, LabelPermutations]]:
    """Yield the respondents of every two groups, and the permutations of these.

    Raises
    ------
    OptionError
        For labels of more than two groups, and as `given_labels`.
    """
    if not isinstance(permutations, int) and sample.groups > 2:
        raise OptionError(
            f"permutations= holds labels and by= makes {sample.groups} groups, each two of which "
            "are permuted by themselves; give the number of permutations, or two groups."
        )
    first, second = pairs_of(sample.groups, "groups")
    for place, pair in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        own = sample.of_groups(pair)
        yield own, permutations_of(own, fits, permutations, seed + place)


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
    require_given(len(labels))
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


def without_permutations(sample: GroupedSample, permutations: LabelPermutations) -> str:
    """Return why permutations of the groups test nothing; empty where they may."""
    few = permutations.different < LEAST_PERMUTATIONS
    return without_solution(sample) or ("fewer than 20 ways to permute the groups" if few else "")


def about_losses(sample: GroupedSample, permuted: PermutedStatistics) -> Iterator[Finding]:
    """Count permutations without a solution."""
    lost, total = permuted.lost, len(permuted.solved)
    names = tuple(map(shown_label, sample.labels))
    finding = Finding(
        "lost-permutations",
        _ONE_LOST if lost == 1 else _LOST,
        names,
        values={"lost": lost, "total": total, "groups": names},
    )
    yield from about_lost(finding, lost, total)
