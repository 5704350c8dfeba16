"""Ceilings over scatters of points: how much of the plane no case reaches.

A condition is necessary for an outcome where a high outcome is seen with a high condition only, so
that the upper left corner of the scatter is empty. A ceiling line bounds that corner; the effect
size is the area above it over the area between the smallest and largest values of both. Two
ceilings: the steps of the free disposal hull (CE-FDH), and the least squares line through its
corners (CR-FDH). Coordinates here run from 0 to 1, of which the effect size does not depend.

References
----------
Dul, J. (2016). Necessary condition analysis (NCA): logic and methodology of "necessary but not
sufficient" causality. Organizational Research Methods 19(1), 10-52.
https://doi.org/10.1177/1094428115584005
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

CeilingKind = Literal["ce_fdh", "cr_fdh"]
CEILINGS: tuple[CeilingKind, ...] = get_args(CeilingKind)

_DECIMALS = 11  # of coordinates: values this near are the same but for rounding


def unit_coordinates(values: Floats) -> Floats:
    """Return values between 0, the smallest, and 1, the largest; NaN where all are alike.

    Values equal but for rounding become equal.

    Examples
    --------
    >>> unit_coordinates(np.array([2.0, 6.0, 4.0])).tolist()
    [0.0, 1.0, 0.5]
    """
    low, high = values.min(), values.max()
    width = high - low
    if not width > 1e-12 * max(abs(low), abs(high), 1e-300):
        return np.full(len(values), np.nan)
    return np.asarray(np.round((values - low) / width, _DECIMALS))


@dataclass(frozen=True, eq=False)
class Scatter:
    """A condition whose outcomes may be exchanged among the cases.

    Attributes
    ----------
    condition
        Of each case, from 0 to 1, (cases,).

    Examples
    --------
    >>> scatter = Scatter(np.array([0.0, 0.5, 1.0]))
    >>> [float(size.round(4)) for size in scatter.effect_sizes(np.array([0.0, 0.25, 1.0]))]
    [0.875, 0.5799]
    """

    condition: Floats

    @cached_property
    def _order(self) -> Codes:
        """Cases from the smallest condition on."""
        return np.argsort(self.condition, kind="stable")

    @cached_property
    def _last(self) -> Codes:
        """Places in the order of the last case of each value of the condition."""
        ordered = self.condition[self._order]
        return np.flatnonzero(np.append(ordered[1:] > ordered[:-1], True))

    @cached_property
    def levels(self) -> Floats:
        """The values of the condition, rising, (levels,)."""
        return np.asarray(self.condition[self._order][self._last])

    def highest(self, outcome: Floats) -> Floats:
        """Return the highest outcome up to each level of the condition, (..., levels)."""
        return np.maximum.accumulate(outcome[..., self._order], axis=-1)[..., self._last]

    def effect_sizes(self, outcome: Floats) -> Floats:
        """Return the areas above both ceilings, (..., 2), for outcomes from 0 to 1, (..., cases).

        CE-FDH: ``Σ (x₍ⱼ₊₁₎ - x₍ⱼ₎) (1 - max y up to x₍ⱼ₎)`` over the levels of the condition.
        CR-FDH: ``∫ (1 - (a + b x))`` with the line cut off at 0 and 1; 0 where the ceiling is flat.
        """
        highest = self.highest(outcome)
        steps = (1.0 - highest[..., :-1]) @ np.diff(self.levels)
        return np.stack([steps, area_above(*self.line(highest))], axis=-1)

    def corners(self, highest: Floats) -> NDArray[np.bool_]:
        """Mark the levels at which the hull rises, the first among them, (..., levels)."""
        rises = np.ones(highest.shape, dtype=np.bool_)
        rises[..., 1:] = highest[..., 1:] > highest[..., :-1]
        return rises

    def line(self, highest: Floats) -> tuple[Floats, Floats]:
        """Return intercept and slope of least squares through the corners, (...); NaN of one."""
        rises = self.corners(highest).astype(np.float64)
        x, count = self.levels, rises.sum(axis=-1)
        mean_x, mean_y = rises @ x / count, (rises * highest).sum(axis=-1) / count
        spread = rises @ x**2 - count * mean_x**2
        products = (rises * highest) @ x - count * mean_x * mean_y
        with np.errstate(invalid="ignore", divide="ignore"):
            slope = np.where(count > 1, products / spread, np.nan)
        return np.asarray(mean_y - slope * mean_x), np.asarray(slope)


def area_above(intercept: Floats, slope: Floats) -> Floats:
    """Return the area of the unit square above rising lines, (...); 0 where there is no line.

    Examples
    --------
    >>> area_above(np.array([0.0, -1.0, np.nan]), np.array([1.0, 2.0, np.nan])).tolist()
    [0.5, 0.75, 0.0]
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        begins = np.clip(-intercept / slope, 0.0, 1.0)
        ends = np.clip((1.0 - intercept) / slope, 0.0, 1.0)
        under = (1.0 - intercept) * (ends - begins) - slope / 2.0 * (ends**2 - begins**2)
    return np.asarray(np.where(np.isfinite(slope), begins + under, 0.0))


@dataclass(frozen=True, eq=False)
class Ceiling:
    """A ceiling over the cases as they were seen.

    Attributes
    ----------
    kind
        ``"ce_fdh"`` or ``"cr_fdh"``.
    levels, highest
        Values of the condition, and the highest outcome up to each, (levels,).
    intercept, slope
        Of the line of CR-FDH; NaN where the hull does not rise.
    """

    kind: CeilingKind
    levels: Floats
    highest: Floats
    intercept: float
    slope: float

    @classmethod
    def of(cls, kind: CeilingKind, scatter: Scatter, outcome: Floats) -> Ceiling:
        """Return the ceiling over outcomes from 0 to 1, (cases,)."""
        highest = scatter.highest(outcome)
        intercept, slope = scatter.line(highest)
        return cls(kind, scatter.levels, highest, float(intercept), float(slope))

    def at(self, condition: Floats) -> Floats:
        """Return the highest outcome that a condition allows, from 0 to 1."""
        if self.kind == "cr_fdh":
            if np.isnan(self.slope):
                return np.ones_like(condition)
            return np.clip(self.intercept + self.slope * condition, 0.0, 1.0)
        place = np.searchsorted(self.levels, condition, side="right") - 1
        return np.asarray(self.highest[place])

    def required(self, outcome: Floats) -> Floats:
        """Return the condition below which an outcome is not seen, 0 where none is needed.

        NaN where the ceiling does not reach the outcome.
        """
        if self.kind == "cr_fdh":
            if np.isnan(self.slope):
                return np.zeros_like(outcome)
            own = np.maximum((outcome - self.intercept) / self.slope, 0.0)
            return np.where(own <= 1.0 + 10.0**-_DECIMALS, np.minimum(own, 1.0), np.nan)
        place = np.searchsorted(self.highest, outcome - 10.0**-_DECIMALS, side="left")
        return np.asarray(self.levels[place])

    def accuracy(self, condition: Floats, outcome: Floats) -> float:
        """Return the share of cases on or below the ceiling, 0 to 1."""
        return float((outcome <= self.at(condition) + 10.0**-_DECIMALS).mean())
