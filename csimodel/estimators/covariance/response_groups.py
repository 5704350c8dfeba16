"""What groups of respondents must share for thresholds of ordered answers to be compared."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from csimodel.errors import EstimationError
from csimodel.findings import listed
from csimodel.moments import Moments


def threshold_counts(moments: Sequence[Moments], labels: Sequence[Hashable]) -> tuple[int, ...]:
    """Return how many thresholds each item has, 0 for continuous ones: as many in every group.

    Raises
    ------
    EstimationError
        For an answer that nobody in one group gave and somebody in another did, which leaves
        thresholds without their like.
    """
    statistics = [own.ordinal for own in moments if own.ordinal is not None]
    for i, item in enumerate(moments[0].items):
        used = [set(own.categories[i].tolist()) for own in statistics]
        every = sorted(set().union(*used))
        for label, own in zip(labels, used, strict=True):
            lost = [value for value in every if value not in own]
            if lost:
                names = listed([f"{value:g}" for value in lost])
                raise EstimationError(
                    f"Nobody in group {label} answered {names} on {item!r}, so its thresholds have "
                    "no like in the other groups; join such answers with a neighbour in all "
                    "groups, or leave the item or the group out."
                )
    first = statistics[0]
    counts = [int(np.maximum(len(own) - 1, 0)) for own in first.categories]
    return tuple(counts)
