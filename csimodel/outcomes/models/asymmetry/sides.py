"""Quality below and above expectations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LEVEL = 1e-12  # of both: a smaller gap is rounding of weighted means that are equal


def sides(quality: Floats, expectations: Floats | float) -> tuple[Floats, Floats]:
    """Return how far quality falls short of expectations (negative) and exceeds them (positive).

    Both have the shape of `quality`. Who gives one answer throughout has two equal indexes that
    rounding may part: such a gap is none.
    """
    gap = np.asarray(quality - expectations)
    largest = np.abs(quality) + np.abs(expectations)
    gap = np.where(np.isfinite(largest) & (np.abs(gap) <= _LEVEL * largest), 0.0, gap)
    return np.minimum(gap, 0.0), np.maximum(gap, 0.0)
