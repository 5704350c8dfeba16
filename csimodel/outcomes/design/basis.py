"""Columns that let a regression bend: powers, restricted cubic splines, hinges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Quantiles of the index at which knots are placed, by their number (Harrell 2015, table 2.3).
KNOTS = {
    3: (0.10, 0.50, 0.90),
    4: (0.05, 0.35, 0.65, 0.95),
    5: (0.05, 0.275, 0.50, 0.725, 0.95),
    6: (0.05, 0.23, 0.41, 0.59, 0.77, 0.95),
    7: (0.025, 0.1833, 0.3417, 0.50, 0.6583, 0.8167, 0.975),
}


@dataclass(frozen=True)
class Basis:
    """How an index enters a regression.

    Attributes
    ----------
    kind
        ``"line"``, ``"quadratic"``, ``"spline"`` or ``"hinge"``.
    knots
        Index points: of the spline, or the hinge's threshold.

    Examples
    --------
    >>> Basis("hinge", (60.0,)).columns(np.array([50.0, 70.0]))
    [array([50., 70.]), array([ 0., 10.])]
    """

    kind: Literal["line", "quadratic", "spline", "hinge"]
    knots: tuple[float, ...] = ()

    @property
    def size(self) -> int:
        """Number of columns."""
        return {"line": 1, "quadratic": 2, "hinge": 2}.get(self.kind, len(self.knots) - 1)

    def columns(self, x: Floats) -> list[Floats]:
        """Return the columns, each of x's shape; the first is x itself."""
        if self.kind == "quadratic":
            return [x, x**2]
        if self.kind == "hinge":
            return [x, np.maximum(x - self.knots[0], 0.0)]
        if self.kind == "spline":
            return [x, *restricted_cubic(x, self.knots)]
        return [x]

    def names(self, index: str) -> tuple[str, ...]:
        """Return the names of the columns."""
        if self.kind == "quadratic":
            return index, f"{index}²"
        if self.kind == "hinge":
            return index, f"{index} above {self.knots[0]:.4g}"
        if self.kind == "spline":
            return index, *(f"{index}{mark}" for mark in _primes(self.size - 1))
        return (index,)


def restricted_cubic(x: Floats, knots: tuple[float, ...]) -> list[Floats]:
    """Return the bending columns of a restricted cubic spline, which is straight in both tails.

    With knots t₁ < … < t_k, column j = 1 … k - 2 is

        ``[(x-t_j)₊³ - (x-t_{k-1})₊³ (t_k-t_j)/(t_k-t_{k-1})
        + (x-t_k)₊³ (t_{k-1}-t_j)/(t_k-t_{k-1})] / (t_k-t₁)²``,

    so that it has the unit of x.

    References
    ----------
    Harrell, F. E. (2015). Regression Modeling Strategies, section 2.4.5.
    https://doi.org/10.1007/978-3-319-19425-7

    Examples
    --------
    >>> restricted_cubic(np.array([0.0, 50.0, 100.0, 110.0, 120.0]), (10.0, 50.0, 90.0))
    [array([ 0., 10., 75., 90., 105.])]
    """
    before, last = knots[-2:]
    cubes = [np.maximum(x - knot, 0.0) ** 3 for knot in knots]
    columns = []
    for knot, cube in zip(knots[:-2], cubes[:-2], strict=True):
        bent = cube - cubes[-2] * (last - knot) / (last - before)
        bent += cubes[-1] * (before - knot) / (last - before)
        columns.append(bent / (last - knots[0]) ** 2)
    return columns


def quantiles_of(x: Floats, share: Floats, probabilities: tuple[float, ...]) -> Floats:
    """Return weighted quantiles: interpolated without weights, else the first value that reaches.

    `share` sums to 1 over the rows.
    """
    if np.ptp(share) <= 1e-12 * share.max():
        return np.asarray(np.quantile(x, probabilities))
    order = np.argsort(x, kind="stable")
    reached = np.cumsum(share[order])
    place = np.searchsorted(reached, np.array(probabilities) * reached[-1] * (1 - 1e-12))
    return np.asarray(x[order][np.minimum(place, len(x) - 1)])


def _primes(count: int) -> list[str]:
    return ["′" * (j + 1) for j in range(count)]
