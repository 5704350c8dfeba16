"""Answers with gaps, reduced to what the normal likelihood needs of each missing-data pattern."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csimodel.errors import SurveyError
from csimodel.moments.fourth import scaled_weights

Floats = NDArray[np.float64]

_CELLS = 2**21  # numbers held at once for a group of patterns


class Lacking(NamedTuple):
    """Patterns that lack the same number of items.

    Attributes
    ----------
    which
        Numbers of the patterns, (k,).
    missing
        Positions of the items they lack, (k, number lacking).
    cells
        Positions in a flat (items, items) matrix of pairs of those, (k, lacking, lacking).
    """

    which: NDArray[np.intp]
    missing: NDArray[np.intp]
    cells: NDArray[np.intp]


class Members(NamedTuple):
    """The vectors that belong to patterns of one `Lacking`.

    Attributes
    ----------
    place
        Position of each vector's pattern in `Lacking.which`, (r,).
    cells
        Positions in the flat table of vectors of what they lack, (r, number lacking).
    """

    place: NDArray[np.intp]
    cells: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Patterns:
    """Answers with gaps, gathered by which items were answered.

    Attributes
    ----------
    observed
        Which items a pattern has, (patterns, items).
    n
        Sum of the weights, scaled to mean 1, of each pattern's rows, (patterns,).
    mean
        Weighted means of each pattern, 0 where not answered, (patterns, items).
    spread
        Vectors about those means, 0 where not answered, (any, items): the products of a pattern's
        vectors sum to n times its covariance (denominator n). A pattern needs no more of them than
        it has rows or items.
    spread_of
        Pattern of each such vector, in ascending order, (any,).
    values
        Answers of the rows that count, NaN where missing, (rows, items).
    pattern
        Pattern of each of those rows, (rows,).
    weights
        Their weights, scaled to mean 1 over the sample, (rows,); None when all are 1.
    rows
        Their positions among the rows given, (rows,).
    given
        Number of rows given.
    unanswered
        Number of rows left out because they answer no item.
    cluster
        Codes of the clusters of the rows given, (given,); None without clusters.
    """

    observed: NDArray[np.bool_]
    n: Floats
    mean: Floats
    spread: Floats
    spread_of: NDArray[np.intp]
    values: Floats
    pattern: NDArray[np.intp]
    weights: Floats | None
    rows: NDArray[np.intp]
    given: int
    unanswered: int
    cluster: NDArray[np.intp] | None = None

    @property
    def total(self) -> float:
        """Number of rows the likelihood counts: the sum of `n`."""
        return float(self.n.sum())

    @property
    def items(self) -> int:
        """Number of items."""
        return int(self.observed.shape[1])

    @cached_property
    def cross(self) -> Floats:
        """Covariances of each pattern (denominator n), 0 where not answered, (patterns, i, i)."""
        cross = np.zeros((len(self.n), self.items, self.items))
        np.add.at(cross, self.spread_of, self.spread[:, :, None] * self.spread[:, None, :])
        return np.asarray(cross / self.n[:, None, None])

    def spread_in(self, part: slice) -> Floats:
        """Return covariances of some patterns (denominator n), (patterns, items, items)."""
        rows = self.vectors_of(part)
        vectors, of = self.spread[rows], self.spread_of[rows]
        spread = np.zeros((part.stop - part.start, self.items, self.items))
        present, first = np.unique(of, return_index=True)
        for pattern, own in zip(present, np.split(vectors, first[1:]), strict=True):
            spread[pattern - part.start] = own.T @ own / self.n[pattern]
        return spread

    def vectors_of(self, part: slice) -> slice:
        """Return where the vectors of some patterns stand in `spread`."""
        ends = np.searchsorted(self.spread_of, [part.start, part.stop])
        return slice(int(ends[0]), int(ends[1]))

    @cached_property
    def answered(self) -> Floats:
        """Weighted number of rows that answered both of two items, (items, items)."""
        seen = self.observed.astype(np.float64)
        return np.asarray(seen.T @ (self.n[:, None] * seen))

    @cached_property
    def lacking(self) -> tuple[Lacking, ...]:
        """The patterns that lack something, by how many items they lack."""
        lost = self.items - self.observed.sum(axis=1)
        groups = []
        for size in np.unique(lost[lost > 0]):
            for which in _portions(np.flatnonzero(lost == size), max(1, _CELLS // int(size) ** 2)):
                missing = np.nonzero(~self.observed[which])[1].reshape(len(which), size)
                cells = missing[:, :, None] * self.items + missing[:, None, :]
                groups.append(Lacking(which, missing, cells))
        return tuple(groups)

    @cached_property
    def stacked(self) -> Stack:
        """The patterns' means and, below them, their spread: what the likelihood reads."""
        of = np.concatenate([np.arange(len(self.n)), self.spread_of])
        return Stack(
            np.concatenate([self.mean, self.spread]),
            np.concatenate([self.n, np.ones(len(self.spread))]),
            self.members(of),
        )

    def members(self, of: NDArray[np.intp]) -> list[Members]:
        """For each of `lacking`, find its vectors among vectors of the patterns `of`."""
        number, place = np.full(len(self.n), -1), np.zeros(len(self.n), dtype=np.intp)
        for position, group in enumerate(self.lacking):
            number[group.which], place[group.which] = position, np.arange(len(group.which))
        rows_of_draws = []
        for position, group in enumerate(self.lacking):
            own = np.flatnonzero(number[of] == position)
            missing = group.missing[place[of[own]]]
            rows_of_draws.append(Members(place[of[own]], own[:, None] * self.items + missing))
        return rows_of_draws

    def reweighted(self, row_weights: ArrayLike) -> Patterns:
        """Return the patterns under other weights, on any scale, one for each row given.

        Rows of weight zero do not count. A bootstrap draw gives how often each row is drawn,
        times its weight. The total stays the number of rows answered in the sample.

        Examples
        --------
        >>> patterns_of([[1.0, 2.0], [3.0, np.nan], [5.0, np.nan]]).reweighted([1, 0, 2]).n
        array([2., 1.])
        """
        weights = np.asarray(row_weights, dtype=np.float64)
        if weights.shape != (self.given,):
            raise SurveyError(
                f"Weights of shape {weights.shape} do not fit {self.given} rows; give one each."
            )
        scaled = scaled_weights(weights[self.rows], len(self.rows))
        kept = np.flatnonzero(scaled)
        present, pattern = np.unique(self.pattern[kept], return_inverse=True)
        return _summarised(
            self.values[kept],
            scaled[kept],
            self.observed[present],
            pattern,
            self.rows[kept],
            self.given,
            self.unanswered,
            self.cluster,
        )


class Stack(NamedTuple):
    """Vectors of patterns, their weights, and for each group of patterns which are its own.

    Attributes
    ----------
    vectors
        Zero where not answered, (any, items).
    weights
        What their products count, (any,).
    members
        The vectors of each of `Patterns.lacking`.
    """

    vectors: Floats
    weights: Floats
    members: list[Members]


def patterns_of(
    values: ArrayLike,
    weights: ArrayLike | None = None,
    cluster: NDArray[np.intp] | None = None,
) -> Patterns:
    """Gather answers, (rows, items) with NaN where missing, by which items were answered.

    Rows that answer no item are left out and counted.

    Raises
    ------
    SurveyError
        When no row answers anything, a value is infinite, or the weights do not fit the rows.

    Examples
    --------
    >>> patterns = patterns_of([[1.0, 2.0], [3.0, np.nan], [5.0, np.nan], [np.nan, np.nan]])
    >>> patterns.observed
    array([[ True, False],
           [ True,  True]])
    >>> patterns.n
    array([2., 1.])
    >>> patterns.mean
    array([[4., 0.],
           [1., 2.]])
    >>> patterns.unanswered
    1
    """
    data = np.asarray(values, dtype=np.float64)
    if data.ndim != 2 or np.isinf(data).any():
        raise SurveyError(
            "Answers must be a table of rows by items, finite or missing; "
            f"the values of shape {data.shape} are not."
        )
    seen = ~np.isnan(data)
    rows = np.flatnonzero(seen.any(axis=1))
    if not len(rows):
        raise SurveyError("No row answers any item, so there is nothing to estimate from.")
    observed, pattern = _coded(seen[rows])
    lost = len(data) - len(rows)
    patterns = _summarised(data[rows], None, observed, pattern, rows, len(data), lost, cluster)
    return patterns if weights is None else patterns.reweighted(weights)


def _coded(seen: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Return the distinct rows of a table of booleans, and which of them each row is."""
    packed = np.packbits(seen, axis=1)
    words = np.zeros((len(seen), -(-packed.shape[1] // 4) * 4), dtype=np.uint8)
    words[:, : packed.shape[1]] = packed
    code = np.zeros(len(seen), dtype=np.int64)
    for word in words.view(">u4").T:
        code = np.unique(code * 2**32 + word, return_inverse=True)[1]
    _, first, pattern = np.unique(code, return_index=True, return_inverse=True)
    return seen[first], pattern


def _summarised(
    values: Floats,
    weights: Floats | None,
    observed: NDArray[np.bool_],
    pattern: NDArray[np.intp],
    rows: NDArray[np.intp],
    given: int,
    unanswered: int,
    cluster: NDArray[np.intp] | None,
) -> Patterns:
    """Reduce rows to what the likelihood needs of each pattern."""
    order = np.argsort(pattern, kind="stable")
    sorted_of = pattern[order]
    starts = np.searchsorted(sorted_of, np.arange(len(observed) + 1))
    x = np.where(observed[sorted_of], values[order], 0.0)
    w = np.ones(len(order)) if weights is None else weights[order]
    n = np.add.reduceat(w, starts[:-1])
    mean = np.add.reduceat(x * w[:, None], starts[:-1], axis=0) / n[:, None]
    x -= mean[sorted_of]
    x *= np.sqrt(w)[:, None]
    size = np.diff(starts)
    many = size > observed.sum(axis=1)
    few = np.flatnonzero((~many & (size > 1))[sorted_of])
    parts, of = [x[few]], [sorted_of[few]]
    for j in np.flatnonzero(many & (size > 1)):
        inside = x[starts[j] : starts[j + 1]][:, observed[j]]
        scale = np.sqrt((inside**2).sum(axis=0))
        inside = np.divide(inside, scale, out=np.zeros_like(inside), where=scale > 0)
        root, vectors = np.linalg.eigh(inside.T @ inside)
        part = np.zeros((len(root), len(observed[j])))
        part[:, observed[j]] = (vectors * np.sqrt(np.maximum(root, 0.0))).T * scale
        parts.append(part)
        of.append(np.full(len(root), j))
    spread_of = np.concatenate(of)
    ascending = np.argsort(spread_of, kind="stable")
    return Patterns(
        observed=observed,
        n=n,
        mean=mean,
        spread=np.concatenate(parts)[ascending],
        spread_of=spread_of[ascending],
        values=values,
        pattern=pattern,
        weights=weights,
        rows=rows,
        given=given,
        unanswered=unanswered,
        cluster=cluster,
    )


def _portions(which: NDArray[np.intp], step: int) -> Iterator[NDArray[np.intp]]:
    return (which[start : start + step] for start in range(0, len(which), step))
