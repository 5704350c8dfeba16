"""The index that a probability of repurchase needs, from the curve and its band."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import EstimationError, OptionError
from csimodel.options import number_of, shown

Floats = NDArray[np.float64]
Curve = Callable[[Floats], pd.DataFrame]

_GRID = np.linspace(0.0, 100.0, 21)
_FINE = 9  # levels looked at around each limit


@dataclass(frozen=True, repr=False)
class NeededLevel:
    """Hold the index at which the curve reaches a probability, and what the data leave open.

    Attributes
    ----------
    probability
        The one aimed at.
    index
        Name of the index.
    estimate
        Index points; infinite when no level from 0 to 100 has that probability: positive when
        it lies beyond 100, negative when it lies below 0.
    lower, upper
        The levels around the estimate at which the interval of the prediction contains the
        probability; infinite where they go on beyond 0 or 100.
    level
        Coverage.
    at_ends
        Probability predicted at 0 and at 100.
    unbounded
        Whether the slope may be zero, so that no amount of the index bounds the interval.
    """

    probability: float
    index: str
    estimate: float
    lower: float
    upper: float
    level: float
    at_ends: tuple[float, float]
    unbounded: bool

    def __float__(self) -> float:
        return self.estimate

    @property
    def reached(self) -> bool:
        """Whether some index from 0 to 100 goes with the probability."""
        return bool(np.isfinite(self.estimate))

    def to_series(self) -> pd.Series:
        """Return probability, estimate, lower and upper, labelled."""
        names = ("probability", "estimate", "lower", "upper")
        return pd.Series({name: float(getattr(self, name)) for name in names})

    def __str__(self) -> str:
        target, percent = f"{self.probability:.4g}", f"{100 * self.level:.4g} %"
        if self.reached:
            sentences = [
                f"A probability of {target} needs {self.estimate:.1f} points of {self.index} "
                f"({percent} interval {_end(self.lower)} to {_end(self.upper)})"
            ]
        else:
            beyond = "above 100" if self.estimate > 0 else "below 0"
            first, last = self.at_ends
            sentences = [
                f"No level of {self.index} from 0 to 100 goes with a probability of {target}, "
                f"which would lie {beyond} (at 0 it is {first:.3f}, at 100 {last:.3f})"
            ]
            inside = self.lower if self.estimate > 0 else self.upper
            if np.isfinite(inside):
                side = "from" if self.estimate > 0 else "up to"
                sentences.append(f"the data do not rule out levels {side} {inside:.1f}")
            else:
                sentences.append(f"nor does any within the {percent} interval")
        if self.unbounded:
            sentences.append("the interval is unbounded, because the slope itself may be zero")
        return "; ".join(sentences) + "."

    __repr__ = __str__


def level_for(
    curve: Curve,
    middle: Callable[[Floats], Floats],
    probability: float,
    *,
    index: str,
    level: float,
    unbounded: bool,
) -> NeededLevel:
    """Return the level of an index at which a curve reaches a probability.

    The interval holds the levels at which the interval of the prediction contains the
    probability. For a straight line this is Fieller's; from bootstrap percentiles of rising
    curves, the percentiles of each draw's own level.

    Parameters
    ----------
    curve
        From levels, (levels,), to a table with columns probability, lower, upper; asked twice.
    middle
        From levels to the probabilities alone; asked often.
    probability
        The target.
    index, level, unbounded
        As in `NeededLevel`.

    Raises
    ------
    OptionError
        When the probability is not between 0 and 1.
    EstimationError
        When the curve has no finite values.

    References
    ----------
    Fieller, E. C. (1954). Some problems in interval estimation. Journal of the Royal Statistical
    Society B 16, 175-185. https://doi.org/10.1111/j.2517-6161.1954.tb00159.x

    Examples
    --------
    >>> def line(x):
    ...     return 0.2 + 0.006 * x
    >>> def band(x):
    ...     ends = {"lower": line(x) - 0.03, "upper": line(x) + 0.03}
    ...     return pd.DataFrame({"probability": line(x), **ends})
    >>> level_for(band, line, 0.65, index="Satisfaction", level=0.95, unbounded=False)
    A probability of 0.65 needs 75.0 points of Satisfaction (95 % interval 70.0 to 80.0).
    """
    number = number_of(probability)
    if number is None or not 0 < number < 1:
        raise OptionError(
            f"probability={shown(probability)} must lie between 0 and 1, for example 0.75."
        )
    probability = number
    gaps = _gaps(curve, probability, _GRID)
    if not np.isfinite(gaps).all():
        raise EstimationError(
            "The regression has no finite predictions, so no level of the index can be found; "
            "read its findings."
        )
    first, last = (gaps[0, [0, -1]] + probability).tolist()
    estimate = _estimate(middle, probability, gaps[0])
    lower, upper = _limits(curve, probability, estimate, gaps)
    return NeededLevel(
        float(probability), index, estimate, lower, upper, level, (first, last), unbounded
    )


def _end(limit: float) -> str:
    if np.isfinite(limit):
        return f"{limit:.1f}"
    return "beyond 100" if limit > 0 else "below 0"


def _gaps(curve: Curve, probability: float, levels: Floats) -> Floats:
    """Return prediction, lower and upper limit less the target, (3, levels)."""
    table = curve(levels)[["probability", "lower", "upper"]]
    return np.asarray(table.to_numpy().T - probability)


def _estimate(middle: Callable[[Floats], Floats], probability: float, gaps: Floats) -> float:
    """Return where the curve crosses the target, the lowest such level on its way up if any."""
    from scipy.optimize import brentq

    crossing = np.flatnonzero(np.signbit(gaps[1:]) != np.signbit(gaps[:-1]))
    if not len(crossing):
        rising = gaps[-1] >= gaps[0]
        return np.inf if rising == (gaps[0] < 0) else -np.inf
    upward = crossing[gaps[crossing] < 0]
    first = int(upward[0] if len(upward) else crossing[0])
    if gaps[first] == 0:
        return float(_GRID[first])

    def gap(level: float) -> float:
        return float(middle(np.array([level]))[0]) - probability

    return float(brentq(gap, _GRID[first], _GRID[first + 1], rtol=1e-10))


def _limits(curve: Curve, probability: float, estimate: float, gaps: Floats) -> tuple[float, float]:
    """Return the ends of the levels around the estimate whose interval holds the target."""
    _, low, high = gaps
    inside = (low <= 0) & (high >= 0)
    if np.isinf(estimate) and not inside[-1 if estimate > 0 else 0]:
        return estimate, estimate
    limits, around = [-np.inf, np.inf], []
    for side, step in enumerate((-1, 1)):
        ahead = np.flatnonzero(~inside & ((_GRID - estimate) * step > 0))
        if not len(ahead):
            continue
        out = int(ahead[-1] if step < 0 else ahead[0])
        back = out - step
        near = _GRID[back] if 0 <= back < len(_GRID) else estimate
        # the estimate may lie between the last level outside and the first inside
        near = estimate if (near - estimate) * step < 0 else near
        edge = 2 if high[out] < 0 else 1
        around.append((side, edge, np.linspace(_GRID[out], near, _FINE)))
    if around:
        fine = _gaps(curve, probability, np.concatenate([levels for *_, levels in around]))
        for (side, edge, levels), own in zip(
            around, np.split(fine, len(around), axis=1), strict=True
        ):
            limits[side] = _crossing(levels, own[edge])
    return limits[0], limits[1]


def _crossing(levels: Floats, gaps: Floats) -> float:
    """Return where a smooth curve seen at some levels is zero, nearest to the last level."""
    from scipy.interpolate import CubicSpline
    from scipy.optimize import brentq

    outside = np.flatnonzero(np.signbit(gaps) != np.signbit(gaps[-1]))
    if not len(outside):  # a band without width
        return float(levels[-1])
    order = np.argsort(levels)
    between = CubicSpline(levels[order], gaps[order])
    ends = levels[outside[-1] : outside[-1] + 2]
    if between(ends).prod() >= 0:  # zero at a level itself, but for rounding
        return float(ends[np.argmin(np.abs(between(ends)))])
    return float(brentq(between, *ends))
