"""What thresholds and polychoric correlations suffer from, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from csimodel.bounds import THRESHOLDS
from csimodel.findings import Finding
from csimodel.moments.ordinal import OrdinalMoments

_FEW = int(THRESHOLDS["few answers of a category"].value)
_TAILS = THRESHOLDS["normal tails"].value  # normal over estimated variance of a variance
_NEGATIVE = -1e-6  # eigenvalue that no rounding explains


def ordinal_findings(ordinal: OrdinalMoments, normal: bool) -> Iterator[Finding]:
    """Yield unused and rare categories, filled cells, what is not normal, contradictions.

    `normal` tells whether Γ takes continuous items as normal.
    """
    yield from ordinal.findings
    yield from _few_answers(ordinal)
    if normal:
        yield from _not_normal(ordinal)
    smallest = float(np.linalg.eigvalsh(ordinal.cor)[0])
    if smallest < _NEGATIVE:
        yield Finding(
            "response-correlations-not-positive-definite",
            "The polychoric and polyserial correlations contradict each other "
            "(smallest eigenvalue {smallest:.3g}), as correlations estimated pair by "
            "pair can; the fit does not need them to agree, but they are rough, so "
            "join rare categories or collect more rows.",
            values={"smallest": smallest},
        )


_ONE_NOT_NORMAL = (
    "Errors and χ² take continuous items as normal, and {items} is far from it, so both mislead; "
    "use normal=False, or take such items as ordered too."
)
_NOT_NORMAL = (
    "Errors and χ² take continuous items as normal, and {items} are far from it, so both mislead; "
    "use normal=False, or take such items as ordered too."
)
_ONE_RARE = (
    "Fewer than {few} respondents gave the answer {answers}, so the thresholds beside it are "
    "rough; join such answers with their neighbours."
)
_RARE = (
    "Fewer than {few} respondents gave the answers {answers}, so the thresholds beside them are "
    "rough; join such answers with their neighbours."
)


def _not_normal(ordinal: OrdinalMoments) -> Iterator[Finding]:
    """Name continuous items with the tails of another distribution.

    Γ of a normal item's variance is ``2σ⁴``; with kurtosis κ in the place of 3 it is estimated at
    ``4σ⁴/(κ - 1)`` while the truth is ``σ⁴(κ - 1)``.
    """
    place = {label: at for at, label in enumerate(ordinal.labels)}
    wrong = []
    for i in np.flatnonzero(~ordinal.ordered).tolist():
        at = place[f"{ordinal.items[i]}~~{ordinal.items[i]}"]
        ratio = ordinal.variances[at] / (2.0 * ordinal.cov[i, i] ** 2)
        if not 1.0 / _TAILS < ratio < _TAILS:
            wrong.append(ordinal.items[i])
    if wrong:
        yield Finding(
            "continuous-not-normal",
            _ONE_NOT_NORMAL if len(wrong) == 1 else _NOT_NORMAL,
            tuple(wrong),
            count=len(wrong),
            values={"items": tuple(wrong)},
        )


def _few_answers(ordinal: OrdinalMoments) -> Iterator[Finding]:
    """Name the categories that few respondents chose, in one sentence."""
    from scipy.special import ndtr

    rare = []
    for i in np.flatnonzero(ordinal.ordered).tolist():
        own = ordinal.thresholds[ordinal.threshold_item == i]
        counts = ordinal.n * np.diff(ndtr(own), prepend=0.0, append=1.0)
        rare += [
            f"{value:g} on {ordinal.items[i]} ({count:.0f})"
            for value, count in zip(ordinal.categories[i], counts.tolist(), strict=True)
            if count < _FEW - 1e-6
        ]
    if rare:
        yield Finding(
            "rare-categories",
            _ONE_RARE if len(rare) == 1 else _RARE,
            tuple(rare),
            "note",
            len(rare),
            {"few": _FEW, "answers": tuple(rare)},
        )
