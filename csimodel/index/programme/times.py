"""When the periods of a programme were, in steps from the first.

Evenly spaced periods are a step apart. Otherwise numbers count by their distances, dates of one day
of the month (or all ends of months) by months, and pandas Periods by theirs, each in the largest
step that all distances are whole numbers of. Other labels count by their positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.findings import Finding

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

SAME_TIME = 1e-9
_LEAST = 3  # periods, from which distances differ


@dataclass(frozen=True, eq=False)
class Times:
    """When periods were.

    Attributes
    ----------
    steps
        From the first period, (periods,).
    known
        Whether the labels say so; False where they count by position.

    Examples
    --------
    >>> Times.of(pd.Index([1, 2, 5])).steps.tolist()
    [0.0, 1.0, 4.0]
    """

    steps: Floats
    known: bool

    @classmethod
    def of(cls, periods: pd.Index) -> Times:
        """Return the times of periods, in their order."""
        positions = np.arange(len(periods), dtype=np.float64)
        if len(periods) < _LEAST:
            return cls(positions, True)
        values = _values(pd.Index(periods.tolist()))
        if values is None or not np.isfinite(values).all() or not (np.diff(values) > 0).all():
            return cls(positions, False)
        distances = values - values[0]
        gaps = np.diff(values)
        if (abs(gaps - gaps[0]) <= SAME_TIME * gaps[0]).all():
            return cls(positions, True)
        whole = (distances == np.round(distances)).all() and distances[-1] < 2.0**53
        step = int(np.gcd.reduce(distances.astype(np.int64))) if whole else 1
        return cls(distances / step, True)

    def before(self, back: int) -> Codes:
        """Return the period that lies so many steps before each, (periods,); -1 for none."""
        near = abs(self.steps - (self.steps[:, None] - back)) <= SAME_TIME
        return np.where(near.any(axis=1), near.argmax(axis=1), -1)


def _values(periods: pd.Index) -> Floats | None:
    """Return numbers whose distances are those of the periods, or None."""
    if isinstance(periods, pd.PeriodIndex):
        return np.asarray(periods.asi8, dtype=np.float64)
    if isinstance(periods, pd.DatetimeIndex):
        ends = bool(periods.is_month_end.all())
        if (ends or bool((periods.day == periods.day[0]).all())) and bool(
            (periods == periods.normalize()).all()
        ):
            return np.asarray(12 * periods.year + periods.month, dtype=np.float64)
        return None
    if pd.api.types.is_numeric_dtype(periods) and not pd.api.types.is_bool_dtype(periods):
        return np.asarray(periods, dtype=np.float64)
    return None


def about_times(periods: pd.Index, times: Times) -> Iterator[Finding]:
    """Say how periods count that are not evenly spaced, or whose distances are not known."""
    labels = tuple(map(str, periods))
    if not times.known:
        yield Finding(
            "periods-by-position",
            "The distances of the periods cannot be told from their labels, so trends, year= and "
            "rolling= take them as one step apart each, in this order: {periods}; give numbers or "
            "dates where some are missing.",
            labels,
            "note",
            len(labels),
            {"periods": labels},
        )
    elif (abs(np.diff(times.steps) - 1.0) > SAME_TIME).any():
        yield Finding(
            "periods-uneven",
            "The periods are not evenly spaced ({periods}), so trends and rolling= are by the "
            "distances of their values, and year= finds only periods that lie exactly so far "
            "before; codes such as 20204 and 20211 for quarters are better given as pandas "
            "Periods.",
            labels,
            count=len(labels),
            values={"periods": labels},
        )
