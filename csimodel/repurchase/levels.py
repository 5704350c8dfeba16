"""Levels of an index that a result is asked about."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csimodel.errors import OptionError


def on_index(levels: float | ArrayLike) -> NDArray[np.float64]:
    """Return levels as an array, (levels,).

    Raises
    ------
    OptionError
        When one is outside 0 to 100.

    Examples
    --------
    >>> on_index([67, 70])
    array([67., 70.])
    """
    points = np.atleast_1d(np.asarray(levels, dtype=np.float64)).ravel()
    outside = points[~((points >= 0) & (points <= 100))]
    if len(outside):
        raise OptionError(
            f"Level {outside[0]:g} is not on the index, which goes from 0 to 100; choose a level "
            "between them."
        )
    return points
