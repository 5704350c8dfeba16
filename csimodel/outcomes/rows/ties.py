"""Values that are equal but for rounding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDING = 1e-12  # of the largest value


def settled(values: Floats, at: Sequence[float] = ()) -> Floats:
    """Return values, (rows,), in which those that only rounding parts are the same number.

    Weighted means of equal answers differ in their last digits; what orders, counts or groups
    values (steps, thresholds, tenths of predictions) must not. Those beside a level of `at` are
    that level. NaN stays.
    """
    out = np.array(values, dtype=np.float64)
    finite = np.flatnonzero(np.isfinite(out))
    if not len(finite):
        return out
    order = finite[np.argsort(out[finite], kind="stable")]
    ordered = out[order]
    rounding = _ROUNDING * np.abs(ordered[[0, -1]]).max()
    apart = np.diff(ordered) > rounding
    first = np.concatenate([[0], np.flatnonzero(apart) + 1]).astype(np.intp)
    out[order] = ordered[first[np.concatenate([[0], np.cumsum(apart)]).astype(np.intp)]]
    for level in at:
        out[np.abs(out - level) <= rounding] = level
    return out
