"""Additive moments: what blocks of rows add up to, whoever counted them.

Of a block of rows only the number of rows, the weights, the means and the products about the means
are kept. Two blocks merge without a look at their rows, and nothing cancels, as the products stay
about the means (Chan, Golub and LeVeque): with ``d`` the difference of the means,

    W = W_a + W_b,  m = m_a + d W_b / W,  P = P_a + P_b + d d' W_a W_b / W

For robust errors products up to the fourth order are kept too: the sums of ``r u u'`` with
``u = (1 ; x - c ; vech((x - c)(x - c)') - v)`` about any values c and v near the means and the
covariances; another c and v turn u by a matrix, and the sums with it (Pébay et al. write it out).

References
----------
Chan, T. F., Golub, G. H., LeVeque, R. J. (1983). Algorithms for computing the sample variance:
analysis and recommendations. The American Statistician 37, 242-247.
https://doi.org/10.1080/00031305.1983.10483115

Pébay, P., Terriberry, T. B., Kolla, H., Bennett, J. (2016). Numerically stable, scalable formulas
for parallel and online computation of higher-order multivariate central moments with arbitrary
weights. Computational Statistics 31, 1305-1325. https://doi.org/10.1007/s00180-015-0637-z
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.batches import Arrays
from csimodel.moments.vech import vech_indices

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Weighting = Literal["probability", "frequency"]

_PRECISION = float(np.finfo(np.float64).eps)
_ROUNDING = 64.0 * _PRECISION  # of a mean, what its sum may be off by
_ROWS = 4096  # rows centred and multiplied together, so that they stay in cache
_NEAR = 256  # rows from all over a block whose mean its rows are centred at first
_TOGETHER = 64  # sets whose covariances are laid last together, so that they stay in cache
_OWN = ("rows", "weight", "squared_weight", "centre", "shift", "products")


@dataclass(frozen=True, eq=False)
class Block:
    """Some complete rows.

    Attributes
    ----------
    values
        (rows, items)
    weights
        (rows,), or None.
    group
        Group of each row, codes 0, 1, …, ascending, (rows,), or None.
    """

    values: Floats
    weights: Floats | None = None
    group: Codes | None = None

    def part(self, start: int, stop: int) -> Block:
        """Return the rows from one to another."""
        weights = None if self.weights is None else self.weights[start:stop]
        group = None if self.group is None else self.group[start:stop]
        return Block(self.values[start:stop], weights, group)


@dataclass(frozen=True, eq=False)
class AdditiveMoments:
    """Rows, weights, means and products about the means, of one set of rows or a batch of sets.

    Attributes
    ----------
    rows, weight, squared_weight
        Number of rows, Σ w and Σ w², (...,).
    centre, shift
        The means in two parts, so that they keep their digits far from 0, (..., items) each.
    products
        Σ w (x - mean)(x - mean)', (..., items, items).
    fourth
        Products up to the fourth order, or None.

    Examples
    --------
    >>> first = AdditiveMoments.of(Block(np.array([[1.0], [3.0]])))
    >>> both = first + AdditiveMoments.of(Block(np.array([[8.0]])))
    >>> float(both.rows), both.mean, both.products
    (3.0, array([4.]), array([[26.]]))
    >>> (both - first).mean
    array([8.])
    """

    rows: Floats
    weight: Floats
    squared_weight: Floats
    centre: Floats
    shift: Floats
    products: Floats
    fourth: FourthProducts | None = None

    @classmethod
    def of(cls, block: Block, fourth: Weighting | None = None) -> AdditiveMoments:
        """Return the moments of some rows, as one set."""
        return cls.of_segments(block, np.zeros(1, dtype=np.intp), fourth)[0]

    @classmethod
    def of_segments(
        cls, block: Block, starts: Codes, fourth: Weighting | None = None
    ) -> AdditiveMoments:
        """Return the moments of rows from each start to the next, as a batch."""
        values, weights = block.values, block.weights
        stops = np.append(starts[1:], len(values))
        size = stops - starts
        rows = size.astype(np.float64)
        weight = squared = rows
        if weights is not None:
            weight, squared = (np.add.reduceat(own, starts) for own in (weights, weights**2))
        whole = np.where(weight == 0.0, 1.0, weight)
        if len(starts) == 1:  # near the mean: the whole is passed over once
            centre = values[:: 1 + len(values) // _NEAR].mean(axis=0)[None]
        else:
            centre = np.add.reduceat(values, starts, axis=0) / rows[:, None]
        sums, products = _sums_about(block, starts, stops, centre)
        shift = sums / whole[:, None]
        moved = weight[:, None] * shift
        if (moved * shift > _PRECISION * _diagonal(products)).any():
            products -= moved[:, :, None] * shift[:, None]
        _still(block, starts, stops, centre, shift, products)
        moments = cls(rows, weight, squared, centre, shift, products)
        if fourth is None:
            return moments
        about = zip(starts.tolist(), stops.tolist(), centre, moments.spread, strict=True)
        fourths = [
            fourth_products(block.part(start, stop), fourth, middle, spread)
            for start, stop, middle, spread in about
        ]
        return replace(moments, fourth=FourthProducts(moments.spread, np.stack(fourths)))

    @classmethod
    def none(cls, items: int, sets: int, fourth: bool = False) -> AdditiveMoments:
        """Return the moments of sets without a row."""
        rows, weight, squared_weight = np.zeros((3, sets))
        centre, shift = np.zeros((2, sets, items))
        products = np.zeros((sets, items, items))
        own = cls(rows, weight, squared_weight, centre, shift, products)
        if not fourth:
            return own
        size = items * (items + 1) // 2
        sums = np.zeros((sets, 1 + items + size, 1 + items + size))
        return replace(own, fourth=FourthProducts(np.zeros((sets, size)), sums))

    @property
    def _arrays(self) -> dict[str, Floats]:
        own = {name: getattr(self, name) for name in _OWN}
        if self.fourth is not None:
            own |= {"fourth.spread": self.fourth.spread, "fourth.sums": self.fourth.sums}
        return own

    @classmethod
    def _of_arrays(cls, arrays: Arrays) -> AdditiveMoments:
        fourth = None
        if "fourth.sums" in arrays:
            fourth = FourthProducts(arrays["fourth.spread"], arrays["fourth.sums"])
        own = {name: arrays[name] for name in _OWN}
        return cls(**own, fourth=fourth)

    def __add__(self, other: AdditiveMoments) -> AdditiveMoments:
        """Merge with the moments of other rows, set by set."""
        return self._merged(other, 1.0)

    def __sub__(self, other: AdditiveMoments) -> AdditiveMoments:
        """Take away rows that are among these, set by set."""
        return self._merged(other, -1.0)

    def _merged(self, other: AdditiveMoments, way: float) -> AdditiveMoments:
        weight = self.weight + way * other.weight
        share = way * other.weight / np.where(weight == 0.0, 1.0, weight)
        own = np.where(self.weight[..., None] == 0.0, other.centre, self.centre)
        step = (other.centre - own) + (other.shift - self.shift)
        between = (self.weight * share)[..., None, None] * step[..., :, None] * step[..., None, :]
        shift = self.shift + share[..., None] * step
        centre = own + shift
        merged = AdditiveMoments(
            self.rows + way * other.rows,
            weight,
            self.squared_weight + way * other.squared_weight,
            centre,
            (own - centre) + shift,
            self.products + way * other.products + between,
        )
        if self.fourth is None or other.fourth is None:
            return merged
        spread = merged.spread
        first = self.fourth.about(own - centre, spread)
        second = other.fourth.about(other.centre - centre, spread)
        return replace(merged, fourth=FourthProducts(spread, first + way * second))

    def __getitem__(self, key: int | slice | Codes) -> AdditiveMoments:
        """Return one set, or several, of a batch."""
        return self._of_arrays({name: values[key] for name, values in self._arrays.items()})

    def put(self, sets: Codes, other: AdditiveMoments) -> None:
        """Merge a batch into some of these sets, each named once, in place."""
        empty = self.rows[sets] == 0.0
        if empty.all():
            for name, values in self._arrays.items():
                values[sets] = other._arrays[name]
            return
        for name, values in self._arrays.items():
            values[sets[empty]] = other._arrays[name][empty]
        known = sets[~empty]
        merged = self[known] + other[np.flatnonzero(~empty)]
        for name, values in self._arrays.items():
            values[known] = merged._arrays[name]

    def total(self) -> AdditiveMoments:
        """Merge the sets of a batch, two by two."""
        if len(self.rows) == 1:
            return self[0]
        half = len(self.rows) // 2
        merged = self[:half] + self[half : 2 * half]
        return merged.total() if len(self.rows) % 2 == 0 else merged.total() + self[-1]

    @property
    def mean(self) -> Floats:
        """Means ``Σ w x / W``, (..., items); 0 where there is no row."""
        return self.centre + self.shift

    @property
    def spread(self) -> Floats:
        """Mean products about the means ``P / W``, in the order of vech, (..., any)."""
        row, column = vech_indices(self.centre.shape[-1])
        whole = np.where(self.weight == 0.0, 1.0, self.weight)[..., None]
        return np.asarray(self.products[..., row, column] / whole)

    def gamma(self, weighting: Weighting = "probability") -> Floats:
        """Return Γ of `fourth_moments` from the fourth-order products, (..., moments, moments).

        Parameters
        ----------
        weighting
            What the products were accumulated with.
        """
        assert self.fourth is not None
        sums = self.fourth.about(-self.shift, self.spread)[..., 1:, 1:]
        whole = self.weight**2 / self.rows if weighting == "probability" else self.weight
        return np.asarray(sums / whole[..., None, None])

    @property
    def cov(self) -> Floats:
        """Covariances ``P / W · n / (n - 1)``, (..., items, items); NaN of fewer than 2 rows.

        Sets lie last in memory, as estimators want them.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = self.rows / (self.rows - 1.0) / self.weight
        factor = np.where(self.rows > 1, spread, np.nan)
        if factor.ndim != 1:
            return np.asarray(self.products * factor[..., None, None])
        cov = np.moveaxis(np.empty((*self.products.shape[1:], len(factor))), -1, 0)
        for start in range(0, len(factor), _TOGETHER):
            own = slice(start, start + _TOGETHER)
            np.multiply(self.products[own], factor[own, None, None], out=cov[own])
        return cov

    @property
    def effective_rows(self) -> Floats:
        """Kish's number of equally weighted rows, (...,)."""
        squared = np.where(self.squared_weight == 0.0, 1.0, self.squared_weight)
        return np.asarray(self.weight**2 / squared)


@dataclass(frozen=True, eq=False)
class FourthProducts:
    """Sums of products up to the fourth order, about a centre and values near the covariances.

    Attributes
    ----------
    spread
        v, (..., items (items + 1) / 2) in the order of `vech_indices`.
    sums
        Σ r u u' with r = w² (probability weights) or w (frequency weights), (..., 1 + moments,
        the same); c is the `centre` of the moments they belong to.
    """

    spread: Floats
    sums: Floats

    def about(self, step: Floats, spread: Floats) -> Floats:
        """Return the sums about another centre, c - step, and other values than v."""
        half = np.swapaxes(self._turned(self.sums, step, spread), -1, -2)
        return self._turned(half, step, spread)

    def _turned(self, sums: Floats, step: Floats, spread: Floats) -> Floats:
        """Multiply by the matrix that turns u about these values into u about others."""
        items = step.shape[-1]
        row, column = vech_indices(items)
        level = step[..., row] * step[..., column] + self.spread - spread
        ones, means = sums[..., :1, :], sums[..., 1 : 1 + items, :]
        turned = np.array(sums)
        turned[..., 1 : 1 + items, :] += step[..., :, None] * ones
        turned[..., 1 + items :, :] += (
            step[..., row, None] * means[..., column, :]
            + step[..., column, None] * means[..., row, :]
            + level[..., :, None] * ones
        )
        return turned


def _sums_about(block: Block, starts: Codes, stops: Codes, centre: Floats) -> tuple[Floats, Floats]:
    """Return ``Σ w (x - c)`` and ``Σ w (x - c)(x - c)'`` of each segment."""
    if len(starts) == 1:
        return _sums_of_one(block, centre[0])
    x = block.values - np.repeat(centre, stops - starts, axis=0)
    left = x if block.weights is None else x * block.weights[:, None]
    products = np.empty((len(starts), *centre.shape[1:], *centre.shape[1:]))
    for at, (start, stop) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True)):
        # NumPy does half the work where both are the same array
        np.matmul(left[start:stop].T, x[start:stop], out=products[at])
    return np.add.reduceat(left, starts, axis=0), products


def _sums_of_one(block: Block, centre: Floats) -> tuple[Floats, Floats]:
    """Return the same of all rows as one segment, some rows at a time."""
    items = len(centre)
    sums, products = np.zeros((1, items)), np.zeros((1, items, items))
    ones = np.ones(min(_ROWS, len(block.values)))
    for start in range(0, len(block.values), _ROWS):
        part = slice(start, start + _ROWS)
        x = block.values[part] - centre
        weights = ones[: len(x)] if block.weights is None else block.weights[part]
        left = x if block.weights is None else x * weights[:, None]
        sums[0] += weights @ x
        products[0] += left.T @ x
    return sums, products


def _still(
    block: Block, starts: Codes, stops: Codes, centre: Floats, shift: Floats, products: Floats
) -> None:
    """Where an item has one value, make that its mean, and 0 what rounding left of its products."""
    size = (stops - starts)[:, None]
    still = _diagonal(products) <= size * (_ROUNDING * centre) ** 2
    if not still.any():
        return
    values = block.values
    low, high = (extreme.reduceat(values, starts, axis=0) for extreme in (np.minimum, np.maximum))
    sets, item = np.nonzero(still & (low == high))
    centre[sets, item], shift[sets, item] = low[sets, item], 0.0
    products[sets, item], products[sets, :, item] = 0.0, 0.0


def _diagonal(products: Floats) -> Floats:
    return np.diagonal(products, axis1=-2, axis2=-1)


def fourth_products(block: Block, weighting: Weighting, centre: Floats, spread: Floats) -> Floats:
    """Return the sums ``Σ r u u'`` of `FourthProducts` over some rows."""
    u = np.empty((1 + len(centre) + len(spread), len(block.values)))
    u[0] = 1.0
    products_about(block.values, centre, spread, u[1:])
    if block.weights is not None:
        u *= block.weights if weighting == "probability" else np.sqrt(block.weights)
    return np.asarray(u @ u.T)


def products_about(values: Floats, centre: Floats, spread: Floats, out: Floats) -> None:
    """Write ``(x - c ; vech((x - c)(x - c)') - v)`` of some rows, (moments, rows)."""
    x = np.ascontiguousarray((values - centre).T)
    items = len(x)
    out[:items] = x
    at = items
    for i in range(items):
        np.multiply(x[i], x[i:], out=out[at : at + items - i])
        at += items - i
    out[items:] -= spread[:, None]


class Engine(Protocol):
    """Who counts: rows in memory, or whatever else adds blocks up."""

    def accumulate(
        self, blocks: Iterable[Block], groups: int | None = None, fourth: Weighting | None = None
    ) -> AdditiveMoments:
        """Return the moments of all rows, or of each group as a batch.

        Parameters
        ----------
        blocks
            At least one; with codes of groups where `groups` are asked for.
        groups
            How many there are.
        fourth
            Whether to keep products up to the fourth order, and with which weights.
        """


@dataclass(frozen=True)
class Memory:
    """The engine of rows in memory.

    Examples
    --------
    >>> values = np.array([[1.0], [3.0], [8.0]])
    >>> blocks = [Block(values[:2], group=np.array([0, 2])), Block(values[2:], group=np.array([2]))]
    >>> Memory().accumulate(blocks).mean
    array([4.])
    >>> Memory().accumulate(blocks, groups=3).mean[:, 0].tolist()
    [1.0, 0.0, 5.5]
    """

    def accumulate(
        self, blocks: Iterable[Block], groups: int | None = None, fourth: Weighting | None = None
    ) -> AdditiveMoments:
        """Return the moments of all rows, or of each group as a batch."""
        if groups is None:
            parts = (AdditiveMoments.of(block, fourth) for block in blocks)
            return reduce(AdditiveMoments.__add__, parts)
        sets: AdditiveMoments | None = None
        for block in blocks:
            assert block.group is not None
            starts = np.flatnonzero(np.diff(block.group, prepend=-1))
            part = AdditiveMoments.of_segments(block, starts, fourth)
            if sets is None:
                sets = AdditiveMoments.none(block.values.shape[1], groups, fourth is not None)
            sets.put(block.group[starts], part)
        assert sets is not None
        return sets
