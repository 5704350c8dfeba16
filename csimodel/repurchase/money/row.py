"""A row of a table of money in the making."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Row:
    """One row of a table in the making.

    Attributes
    ----------
    name, unit
        What it is, and of what unit.
    estimate
        The number the row is about; where it is a change, from `start` to `end`.
    draws
        Of the estimate, (draws,); empty when nothing was drawn.
    start, end
        Both ends of a change, or NaN.
    """

    name: str
    unit: str
    estimate: float
    draws: Floats
    start: float = np.nan
    end: float = np.nan

    @classmethod
    def change(
        cls, name: str, unit: str, start: tuple[float, Floats], end: tuple[float, Floats]
    ) -> Row:
        """Make the row of a change from its ends, each an estimate and draws."""
        return cls(name, unit, end[0] - start[0], end[1] - start[1], start[0], end[0])
