"""Sums of products of items over many resamples at once: a matrix product for a stretch of rows.

Where all products are whole numbers, as with answers on a scale of points, two or three of them are
packed into one number, ``p + 2¹⁷ q + 2³⁴ r``: as long as no sum over the stretch reaches 2¹⁶ the
three sums can be told apart, exactly, and the matrix product has a third of the rows. A stretch
drawn so often that a sum might be larger is multiplied without packing. The cost is that of the
matrix product, ``2 (items² / 2) rows draws`` operations, a third of it when packed.
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

_STEP = 1024  # rows of a stretch, whose sums are unpacked together
_DEPTH = 256  # rows of a matrix product: products and copies stay in cache
_LEAST = 256  # rows of a stretch below which packing does not pay
_MARGIN = 1.3  # room for rows of a stretch drawn more often than others


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
        return float(2 ** {1: 0, 2: 26, 3: 17}[self.fields])

    def step(self, bound: float) -> int:
        """Rows of a stretch in which sums of products up to `bound` stay apart."""
        if self.fields == 1:
            return _STEP
        return int(min(_STEP, self.base / 2.0 / (_MARGIN * bound)))

    @classmethod
    def of(cls, bound: float, rows: int) -> Packing:
        """Return the closest packing for products of whole numbers up to `bound`."""
        for fields in (3, 2):
            if cls(fields).step(bound) >= min(_LEAST, rows):
                return cls(fields)
        return cls(1)

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
        out[at:] = stretch.extra

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

    def unpack(self, sums: Floats, totals: Floats, scratch: Floats) -> None:
        """Add packed sums, which are used up, to the totals of each field, (fields, any, draws)."""
        for field in range(self.fields - 1, 0, -1):
            unit = self.base**field
            np.multiply(sums, 1.0 / unit, out=scratch)
            np.rint(scratch, out=scratch)
            totals[field] += scratch
            scratch *= unit
            sums -= scratch
        totals[0] += sums


def resample_sums(
    products: Callable[[slice], StretchProducts], times: Floats | Whole, bound: float
) -> tuple[Floats, Floats]:
    """Return sums of products, (pieces, draws), and of what is summed besides, (any, draws).

    Parameters
    ----------
    products
        Gives what is summed over some rows.
    times
        How often each row is present in each draw, (draws, rows).
    bound
        The largest product, where products and `times` are whole numbers; infinite where not.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 3.0]])
    >>> def products(part):
    ...     own = x[:, part]
    ...     return StretchProducts([ProductBlock(own, own, True)], np.ones_like(own))
    >>> resample_sums(products, np.array([[2, 0, 1]]), bound=9.0)
    (array([[11.]]), array([[3.]]))
    """
    draws, rows = times.shape
    packing = Packing.of(bound, rows)
    step = min(packing.step(bound), max(rows, 1))
    depth = min(step, _DEPTH)
    step -= step % depth
    first = products(slice(0, min(depth, rows)))
    field, place = packing.places(first)
    size = int(place[-1])
    factors, given = np.empty((size + len(first.extra), depth)), np.empty((draws, depth))
    sums, part, scratch = np.empty((3, len(factors), draws))
    totals = np.zeros((packing.fields, size, draws))
    extra = np.zeros((len(first.extra), draws))
    unpacked = np.zeros((len(place) - 1, draws))
    for start in range(0, rows, step):
        whole = slice(start, min(start + step, rows))
        for at in range(start, whole.stop, depth):
            end = min(at + depth, rows)
            here, own = given[:, : end - at], factors[:, : end - at]
            np.copyto(here, times[:, at:end])
            packing.fill(products(slice(at, end)) if at else first, own)
            np.matmul(own, here.T, out=part if at > start else sums)
            if at > start:
                sums += part
        extra += sums[size:]
        if packing.fields > 1 and sums[size].max(initial=0.0) * bound >= packing.base / 2.0:
            plain = np.empty((len(unpacked) + len(extra), whole.stop - start))
            Packing(1).fill(products(whole), plain)
            unpacked += plain[: len(unpacked)] @ times[:, whole].T.astype(np.float64)
        else:
            packing.unpack(sums[:size], totals, scratch[:size])
    return unpacked + totals[field[:-1], place[:-1]], extra
