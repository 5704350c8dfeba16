"""Step one of the statistics of ordered items: thresholds, means and variances of each item alone.

Thresholds are normal quantiles of the cumulative (weighted) shares, means and variances are the
maximum likelihood ones (denominator n).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import SurveyError
from csimodel.moments.bivariate import FAR, normal_pdf
from csimodel.moments.fourth import Rows

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
Bread = Literal["products", "mixed", "curvature"]

_TWO_VALUES = 1e-10  # kurtosis - 1 - skewness² of an item that takes two values is 0


@dataclass(frozen=True, eq=False)
class Margins:
    """Each item alone: its answers as categories or standardised values, and its parameters.

    Attributes
    ----------
    ordered
        Which items are ordered, (items,).
    share
        Weight of each row, summing to 1, (rows,).
    codes
        Which of the item's distinct values each answer is, counted from 0, (rows, items).
    z
        Standardised values; 0 for ordered items, (rows, items).
    mean, sd
        0 and 1 for ordered items, (items,).
    values
        Distinct values of each item, ascending; standardised for continuous items.
    edges
        Thresholds with ±`FAR` at both ends and beyond, (items, most categories + 1).
    bread
        How A is estimated: ``"products"``, mean products of scores; ``"mixed"``, second
        derivatives where continuous items are concerned; ``"curvature"``, second derivatives
        throughout, for influences that are right in any sample.
    """

    ordered: NDArray[np.bool_]
    share: Floats
    codes: Positions
    z: Floats
    mean: Floats
    sd: Floats
    values: tuple[Floats, ...]
    edges: Floats
    bread: Bread = "mixed"

    @cached_property
    def counts(self) -> Positions:
        """Number of categories, 0 for continuous items, (items,)."""
        sizes = np.array([len(values) for values in self.values], dtype=np.intp)
        return np.where(self.ordered, sizes, 0)

    @cached_property
    def level_item(self) -> Positions:
        """Item of each threshold or mean, item by item, (levels,)."""
        return np.repeat(np.arange(len(self.ordered)), np.maximum(self.counts - 1, 1))

    @cached_property
    def level_start(self) -> Positions:
        """Position of the first threshold, or of the mean, of each item, (items,)."""
        return np.searchsorted(self.level_item, np.arange(len(self.ordered)))

    @cached_property
    def variance_at(self) -> Positions:
        """Position of each continuous item's variance, behind thresholds and means, (items,)."""
        return len(self.level_item) + np.cumsum(~self.ordered) - 1

    @property
    def size(self) -> int:
        """Number of thresholds, means and variances."""
        return len(self.level_item) + int((~self.ordered).sum())

    @cached_property
    def levels(self) -> Floats:
        """Thresholds and means, item by item, (levels,)."""
        number = np.arange(len(self.level_item)) - self.level_start[self.level_item]
        thresholds = self.edges[self.level_item, number + 1]
        return np.where(self.ordered[self.level_item], thresholds, self.mean[self.level_item])

    def influence(self, rows: Rows) -> Floats:
        """Return each respondent's influence on thresholds, means and variances, (rows, size).

        ``(1[x ≤ c] - F_c) / φ(τ_c)`` on a threshold; on mean and variance the inverse of their
        mean outer product of scores times the scores ``z/σ`` and ``(z² - 1) / 2σ²``, or without
        normality ``σz`` and ``σ²(z² - 1)``.
        """
        item = self.level_item
        number = np.arange(len(item)) - self.level_start[item]
        tau = np.where(self.ordered[item], self.levels, 0.0)
        on_levels = (self.codes[rows][:, item] <= number) - _cdf(tau)
        moved = np.empty((len(on_levels), self.size))
        moved[:, : len(item)] = on_levels / normal_pdf(tau)
        free = np.flatnonzero(~self.ordered)
        scores = self._scores(self.z[rows][:, free], self.sd[free])
        by_scores = np.einsum("cij,rcj->rci", self._inverse, scores)
        moved[:, self.level_start[free]] = by_scores[:, :, 0]
        moved[:, self.variance_at[free]] = by_scores[:, :, 1]
        return moved

    @cached_property
    def _inverse(self) -> Floats:
        free = np.flatnonzero(~self.ordered)
        if self.bread != "products":
            variance = self.sd[free] ** 2
            return np.eye(2) * np.stack([variance, 2.0 * variance**2], axis=-1)[:, None, :]
        scores = self._scores(self.z[:, free], self.sd[free])
        return np.linalg.inv(np.einsum("r,rci,rcj->cij", self.share, scores, scores))

    @staticmethod
    def _scores(z: Floats, sd: Floats) -> Floats:
        return np.stack([z / sd, (z**2 - 1.0) / (2.0 * sd**2)], axis=-1)


def margins_of(
    values: Floats,
    items: Sequence[str],
    ordered: NDArray[np.bool_],
    share: Floats,
    bread: Bread = "mixed",
) -> Margins:
    """Return step one of complete answers, (rows, items).

    Raises
    ------
    SurveyError
        When an ordered item has one category, or a continuous one fewer than three values.
    """
    codes = np.empty(values.shape, dtype=np.intp)
    used: list[Floats] = []
    for i, column in enumerate(values.T):
        distinct, codes[:, i] = np.unique(column, return_inverse=True)
        used.append(distinct)
    mean = np.where(ordered, 0.0, share @ values)
    centred = np.where(ordered, 0.0, values - mean)
    sd = np.sqrt(np.where(ordered, 1.0, share @ centred**2))
    z = centred / np.where(sd > 0.0, sd, 1.0)
    most = max((len(used[i]) for i in np.flatnonzero(ordered)), default=1)
    edges = np.full((len(items), most + 1), FAR)
    edges[:, 0] = -FAR
    for i, name in enumerate(items):
        if ordered[i]:
            _check_ordered(name, used[i])
            shares = np.bincount(codes[:, i], share, len(used[i]))[:-1]
            edges[i, 1 : len(used[i])] = _quantiles(np.cumsum(shares, dtype=np.float64))
        else:
            _check_continuous(name, used[i], z[:, i], share)
            used[i] = (used[i] - mean[i]) / sd[i]
    return Margins(ordered, share, codes, z, mean, sd, tuple(used), edges, bread)


def _check_ordered(name: str, used: Floats) -> None:
    if len(used) < 2:
        raise SurveyError(
            f"Ordered item {name!r} has one category only ({used[0]:g}); an ordered item needs at "
            "least two answers in use, so leave it out of the model."
        )


def _check_continuous(name: str, used: Floats, z: Floats, share: Floats) -> None:
    if len(used) < 2:
        raise SurveyError(
            f"Item {name!r} has the same value in every row; leave it out of the model."
        )
    if share @ z**4 - 1.0 - (share @ z**3) ** 2 < _TWO_VALUES:
        raise SurveyError(
            f"Item {name!r} takes two values only and cannot be treated as continuous; name it "
            "among the ordered items."
        )


def _cdf(x: Floats) -> Floats:
    from scipy.special import ndtr

    return np.asarray(ndtr(x))


def _quantiles(shares: Floats) -> Floats:
    from scipy.special import ndtri

    return np.asarray(ndtri(shares))
