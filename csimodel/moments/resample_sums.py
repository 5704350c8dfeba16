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

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.copies import Whole

Floats = NDArray[np.float64]

_STEP = 1024  # rows of a stretch: products and copies stay in cache
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
            for i, row in enumerate(block.left):
                own = right[i // self.fields if block.triangular else 0 :]
                np.multiply(row, own, out=out[at : at + len(own)])
                at += len(own)
        out[at:] = stretch.extra

    def places(self, stretch: StretchProducts) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return field and row of each piece, and one entry more: (0, number of rows)."""
        fields, rows, at = [], [], 0
        for block in stretch.blocks:
            size = len(block.right)
            for i in range(len(block.left)):
                j = np.arange(i if block.triangular else 0, size)
                first = i // self.fields if block.triangular else 0
                fields.append(j % self.fields)
                rows.append(at + j // self.fields - first)
                at += -(-size // self.fields) - first
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
    first = products(slice(0, min(step, rows)))
    field, place = packing.places(first)
    size = int(place[-1])
    factors = np.empty((size + len(first.extra), step))
    given = np.empty((draws, step))
    sums, scratch = np.empty((len(factors), draws)), np.empty((size, draws))
    totals = np.zeros((packing.fields, size, draws))
    extra = np.zeros((len(first.extra), draws))
    unpacked = np.zeros((len(place) - 1, draws))
    for start in range(0, rows, step):
        stop = min(start + step, rows)
        stretch = products(slice(start, stop)) if start else first
        here, own = given[:, : stop - start], factors[:, : stop - start]
        np.copyto(here, times[:, start:stop])
        packing.fill(stretch, own)
        np.matmul(own, here.T, out=sums)
        extra += sums[size:]
        if packing.fields > 1 and sums[size].max(initial=0.0) * bound >= packing.base / 2.0:
            plain = np.empty((len(unpacked) + len(extra), stop - start))
            Packing(1).fill(stretch, plain)
            unpacked += plain[: len(unpacked)] @ here.T
        else:
            packing.unpack(sums[:size], totals, scratch)
    return unpacked + totals[field[:-1], place[:-1]], extra
