"""Levels of an index that a result is asked about."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.errors import OptionError
from csimodel.options import number_of, shown

Point = float  # of an index; `on_index` says what is wrong with it


def on_index(levels: float | ArrayLike) -> NDArray[np.float64]:
    """Return levels as an array, (levels,).

    Raises
    ------
    OptionError
        When one is no number or outside 0 to 100, or there is none.

    Examples
    --------
    >>> on_index([67, 70])
    array([67., 70.])
    """
    if isinstance(levels, np.ndarray | pd.Series | pd.Index):
        several = np.asarray(levels, dtype=object).ravel().tolist()
    else:
        several = list(levels) if isinstance(levels, list | tuple | range) else [levels]
    numbers = [number_of(level) for level in several]
    known = [number for number in numbers if number is not None]
    if not numbers or len(known) < len(numbers):
        strange = several[numbers.index(None)] if numbers else levels
        raise OptionError(
            f"The level {shown(strange)} is no number; give points of the index, 0 to 100, such as "
            "70 or [60, 70]."
        )
    points = np.array(known)
    outside = points[~((points >= 0) & (points <= 100))]
    if len(outside):
        raise OptionError(
            f"Level {outside[0]:g} is not on the index, which goes from 0 to 100; choose a level "
            "between them."
        )
    return points


def quartiles(points: NDArray[np.float64]) -> tuple[float, float]:
    """Return the quartiles of an index, whole points from 0 to 100, where a page looks.

    >>> quartiles(np.array([-20.0, 40.2, 60.0, 130.0]))
    (25.0, 78.0)
    """
    low, high = np.round(np.quantile(points, [0.25, 0.75])).clip(0, 100)
    return float(low), float(high)
