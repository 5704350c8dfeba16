"""Sums of products of items over many resamples at once: a matrix product for a stretch of rows.

Where all products are whole numbers, as with answers on a scale of points, two or three of them are
packed into one number, ``p + 2¹⁸ q + 2³⁶ r``: as long as no sum over the stretch reaches 2¹⁷ the
three sums can be told apart, exactly, and the matrix product has a third of the rows. The largest
product of each row is summed, too, and says so. A stretch drawn so often that a sum might be larger
is multiplied without packing, and those after it are shorter. The cost is that of the matrix
product, ``2 (items² / 2) rows draws`` operations, a third of it when packed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.copies import Whole

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_STEP = 8192  # most rows of a stretch, whose sums are unpacked together
_DEPTH = 320  # rows of a matrix product: products and copies stay in cache
_LEAST = 256  # rows of a stretch below which packing does not pay
_MARGIN = 1.3  # room for rows of a stretch drawn more often than others
_HALF = 0.5 - 2.0**-11  # of the base, what sums stay below
_FILL = 960  # rows whose products are made together
_ROWS = 16  # sums of so many pieces are unpacked at once, so that they stay in cache


@dataclass(frozen=True, eq=False)
class ProductBlock:
    """Products of each left row with the right rows, or with those from its own on.

    Attributes
    ----------
    left, right
        (any, rows)
    triangular
        Whether left row i meets the right rows i, i + 1, … only.
    """

    left: Floats
    right: Floats
    triangular: bool = False

    def meetings(self, fields: int) -> tuple[tuple[slice, int], ...]:
        """Return runs of left rows, and the first of the packed right rows that they meet."""
        return _meetings(len(self.left), fields) if self.triangular else ((slice(None), 0),)

    def corners(self, fields: int) -> tuple[Codes, Codes]:
        """Return left and right rows of the pieces that come before those packed rows."""
        return _corners(len(self.left) if self.triangular else 0, fields)


@lru_cache(maxsize=64)
def _meetings(size: int, fields: int) -> tuple[tuple[slice, int], ...]:
    groups = range(-(-size // fields))
    ends = [fields * group + 1 for group in groups]
    return tuple((slice(a, b), at) for at, (a, b) in enumerate(zip([0, *ends], ends, strict=False)))


@lru_cache(maxsize=64)
def _corners(size: int, fields: int) -> tuple[Codes, Codes]:
    i, j = np.triu_indices(size)
    before = j < -(-i // fields) * fields
    return i[before], j[before]


@dataclass(frozen=True, eq=False)
class StretchProducts:
    """What is summed over some rows.

    Attributes
    ----------
    blocks
        Products, in the order of the pieces.
    extra
        What is summed besides, (any, rows); first what a copy of each row counts.
    """

    blocks: Sequence[ProductBlock]
    extra: Floats


@dataclass(frozen=True, eq=False)
class Packing:
    """How many whole numbers share one floating-point number.

    Attributes
    ----------
    fields
        1, 2 or 3.
    """

    fields: int

    @property
    def base(self) -> float:
        """What the second number is multiplied by."""
        return float(2 ** {1: 0, 2: 27, 3: 18}[self.fields])

    @property
    def limit(self) -> float:
        """What no sum may reach; infinite where nothing is packed.

        A little below half the base, so that the whole number stays below 2⁵³.
        """
        return np.inf if self.fields == 1 else self.base * _HALF

    @classmethod
    def of(cls, largest: Floats | None) -> Packing:
        """Return the closest packing for rows of whole numbers whose largest products are known."""
        if largest is None or not len(largest):
            return cls(1)
        bound = min(_LEAST, len(largest)) * float(largest.mean()) * _MARGIN
        return next((cls(fields) for fields in (3, 2) if bound <= cls(fields).limit), cls(1))

    def packed(self, rows: Floats) -> Floats:
        """Put each `fields` rows that follow each other into one, (any, rows)."""
        together = np.array(rows[:: self.fields])
        for field in range(1, self.fields):
            part = rows[field :: self.fields]
            together[: len(part)] += part * self.base**field
        return together

    def fill(self, stretch: StretchProducts, out: Floats) -> None:
        """Write the packed products and what is summed besides, (any, rows)."""
        at = 0
        for block in stretch.blocks:
            right = self.packed(block.right)
            for left, first in block.meetings(self.fields):
                own, size = block.left[left, None], len(right) - first
                to = out[at : at + len(own) * size].reshape(len(own), size, -1)
                np.multiply(own, right[first:], out=to)
                at += len(own) * size
            i, j = block.corners(self.fields)
            if len(i):
                corners = self.packed(block.left[i] * block.right[j])
                out[at : at + len(corners)] = corners
                at += len(corners)
        out[at : at + len(stretch.extra)] = stretch.extra

    def places(self, stretch: StretchProducts) -> tuple[Codes, Codes]:
        """Return field and row of each piece, and one entry more: (0, number of rows)."""
        fields, rows, at = [], [], 0
        for block in stretch.blocks:
            left, right = len(block.left), len(block.right)
            field, row = np.zeros((2, left, right), dtype=np.intp)
            j = np.arange(right)
            for own, first in block.meetings(self.fields):
                size = -(-right // self.fields) - first
                for i in range(left)[own]:
                    field[i], row[i] = j % self.fields, at + j // self.fields - first
                    at += size
            corners = block.corners(self.fields)
            k = np.arange(len(corners[0]))
            field[corners], row[corners] = k % self.fields, at + k // self.fields
            at += -(-len(k) // self.fields)
            pieces = np.triu_indices(right) if block.triangular else np.indices((left, right))
            fields.append(field[*pieces].ravel())
            rows.append(row[*pieces].ravel())
        return np.concatenate([*fields, [0]]), np.concatenate([*rows, [at]])

    def unpack(self, sums: Floats, totals: Floats) -> None:
        """Add packed sums, which are used up, to the totals of each field, (fields, any, draws).

        Those of a field are multiples of ``base ** field``, to which sums are rounded by a number
        so large that it has no finer digits.
        """
        scratch = np.empty_like(sums[:_ROWS])
        for first in range(0, len(sums), _ROWS):
            own, to = sums[first : first + _ROWS], totals[:, first : first + _ROWS]
            whole = scratch[: len(own)]
            for field in range(self.fields - 1, 0, -1):
                coarse = 1.5 * 2.0**52 * self.base**field
                np.add(own, coarse, out=whole)
                whole -= coarse
                to[field] += whole
                own -= whole
            to[0] += own


def resample_sums(
    products: Callable[[slice], StretchProducts], times: Floats | Whole, largest: Floats | None
) -> tuple[Floats, Floats]:
    """Return sums of products, (pieces, draws), and of what is summed besides, (any, draws).

    Parameters
    ----------
    products
        Gives what is summed over some rows.
    times
        How often each row is present in each draw, (draws, rows).
    largest
        The largest product of each row, (rows,), where products and `times` are whole numbers;
        None where not.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 3.0]])
    >>> def products(part):
    ...     own = x[:, part]
    ...     return StretchProducts([ProductBlock(own, own, True)], np.ones_like(own))
    >>> resample_sums(products, np.array([[2, 0, 1]]), x[0] ** 2)
    (array([[11.]]), array([[3.]]))
    """
    draws, rows = times.shape
    packing, depth = Packing.of(largest), min(_DEPTH, max(rows, 1))
    fill = min(max(_FILL // depth, 1) * depth, max(rows, 1))
    stretch = products(slice(0, min(fill, rows)))
    sums = _PackedSums(packing, stretch, draws)
    factors, given = np.zeros((len(sums.own), fill)), np.empty((draws, depth))
    start = 0
    for at in range(0, rows, depth):
        end, place = min(at + depth, rows), at % fill
        if place == 0:
            whole = slice(at, min(at + fill, rows))
            stretch = products(whole) if at else stretch
            packing.fill(stretch, factors[:, : whole.stop - at])
            if largest is not None:
                factors[-1, : whole.stop - at] = largest[whole]
        here, own = given[:, : end - at], factors[:, place : place + end - at]
        np.copyto(here, times[:, at:end])
        expected = float(own[-1].sum())
        if at > start and (at - start >= _STEP or not sums.room(expected)):
            if not sums.finish():
                sums.add_plain(products, times, range(start, at, depth))
            start = at
        sums.add(own, here, expected)
    if rows and not sums.finish():
        sums.add_plain(products, times, range(start, rows, depth))
    return sums.whole


class _PackedSums:
    """Packed sums over a stretch, and totals of the stretches before it.

    Parameters
    ----------
    packing
        How many sums share a number.
    stretch
        Some of what is summed.
    draws
        Number of draws.
    """

    def __init__(self, packing: Packing, stretch: StretchProducts, draws: int) -> None:
        self._packing = packing
        self._field, place = packing.places(stretch)
        self._place, self._size = place[:-1], int(place[-1])
        besides = len(stretch.extra)
        self.own, self._part = np.zeros((2, self._size + besides + 1, draws))
        self._totals = np.zeros((packing.fields, self._size, draws))
        self._extra = np.zeros((besides, draws))
        self._plain = np.zeros((len(self._place), draws))
        self._expected, self._margin = 0.0, _MARGIN

    def room(self, expected: float) -> bool:
        """Tell whether rows with largest products of that sum are likely to fit in."""
        return (self._expected + expected) * self._margin <= self._packing.limit

    def add(self, factors: Floats, times: Floats, expected: float) -> None:
        """Add rows, (any, rows) and (draws, rows), the largest product of each row last."""
        np.matmul(factors, times.T, out=self._part)
        self.own += self._part
        self._expected += expected

    def finish(self) -> bool:
        """End the stretch: add its sums to the totals, and tell whether they could be told apart.

        Where not, what is summed besides was added, and later stretches are to be shorter.
        """
        size, own = self._size, self.own
        self._extra += own[size:-1]
        most = float(own[-1].max(initial=0.0))
        apart = most < self._packing.limit
        if apart:
            self._packing.unpack(own[:size], self._totals)
        else:
            self._margin = max(self._margin, 1.1 * most / self._expected)
        own[:] = 0.0
        self._expected = 0.0
        return apart

    def add_plain(
        self, products: Callable[[slice], StretchProducts], times: Floats | Whole, starts: range
    ) -> None:
        """Add the products of rows from each start on, none packed."""
        for start in starts:
            part = slice(start, min(start + starts.step, times.shape[1]))
            stretch = products(part)
            plain = np.empty((len(self._plain) + len(stretch.extra), part.stop - start))
            Packing(1).fill(stretch, plain)
            self._plain += plain[: len(self._plain)] @ times[:, part].T.astype(np.float64)

    @property
    def whole(self) -> tuple[Floats, Floats]:
        """Sums of products, (pieces, draws), and of what is summed besides, (any, draws)."""
        for field in range(1, self._packing.fields):
            self._totals[field] /= self._packing.base**field
        return self._plain + self._totals[self._field[:-1], self._place], self._extra
