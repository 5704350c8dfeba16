"""Values that are equal but for rounding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDING = 1e-12  # of the largest value


def settled(values: Floats) -> Floats:
    """Return values, (rows,), in which those that only rounding parts are the same number.

    Weighted means of equal answers differ in their last digits; what orders, counts or groups
    values (steps, thresholds, tenths of predictions) must not.
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    apart = np.diff(ordered) > _ROUNDING * np.abs(values).max(initial=0.0)
    first = np.concatenate([[0], np.flatnonzero(apart) + 1]).astype(np.intp)
    level = np.concatenate([[0], np.cumsum(apart)]).astype(np.intp)
    out = np.empty_like(values)
    out[order] = ordered[first[level[: len(ordered)]]] if len(ordered) else ordered
    return out
