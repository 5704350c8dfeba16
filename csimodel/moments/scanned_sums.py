"""Sums of products of items of a scan: their derivatives' steps, and how they vary by design.

An estimate is a function of sums of products of items, and what a sampled unit adds to it is its
own sums s_u times the gradient g: ``T_u = s_u' g``. So the variance of any estimate is ``g' M g``
with ``M = Σ_h c_h (Σ_u s_u s_u' - a_h S_h S_h')``, S_h the sums of stratum h, which one pass over
the rows adds up. With ``M = F F'`` the columns of F stand for the units: the products of ``F' g``
are the covariances of estimates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from csimodel.limits import require_memory
from csimodel.moments.additive import AdditiveMoments
from csimodel.moments.blocks import moments_of_sets
from csimodel.moments.cross_products import CrossProducts
from csimodel.moments.moments import Moments
from csimodel.moments.scanned import RowsOfUnits, ScannedAnswers
from csimodel.moments.scanned_counts import GroupedSums
from csimodel.moments.sums import put_products
from csimodel.survey.group_rows import sums_by_group
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_TOGETHER = 512  # rows whose products are made together, so that they stay in cache


@dataclass(frozen=True, eq=False)
class AddedProducts(CrossProducts):
    """Sums of products of items from moments that were added up; no row is held.

    Attributes
    ----------
    sums
        The moments.
    """

    sums: AdditiveMoments

    @classmethod
    def of_scan(cls, scanned: ScannedAnswers) -> AddedProducts:
        """Return the sums about the means."""
        return cls(scanned.nobody, scanned.sums.mean, scanned.sums)

    def sample(self) -> Moments:
        """Return the moments of the answers themselves."""
        return moments_of_sets(self.sums, self.answers)

    @cached_property
    def totals(self) -> Floats:
        """Sums over all rows: products, weights, rows, squared weights; weights of mean 1."""
        own, size = self.sums, len(self.centre)
        factor = own.rows / own.weight
        products = (own.products * factor)[np.triu_indices(size)]
        rest = [own.rows, own.rows, own.squared_weight * factor**2]
        return np.concatenate([np.zeros(size), products, rest])


def unit_products(own: RowsOfUnits, centre: Floats) -> Iterator[tuple[slice, Floats]]:
    """Yield what rows add to the sums, and last to the sum of weights, some rows at a time.

    The next ones take the place of those before.
    """
    size = len(centre)
    pieces = size + size * (size + 1) // 2
    room = np.ones((pieces + 1, min(_TOGETHER, len(own.values))))
    for start in range(0, len(own.values), _TOGETHER):
        part = slice(start, min(start + _TOGETHER, len(own.values)))
        products = room[:, : part.stop - start]
        products[-1] = 1.0
        put_products(own.values[part].T - centre[:, None], products[:-1])
        if own.weights is not None:
            products *= own.weights[part]
        yield part, products.T


_FACTORS: WeakKeyDictionary[ScannedAnswers, Floats] = WeakKeyDictionary()


def spread_factor(scanned: ScannedAnswers) -> Floats:
    """Return F, (pieces + 1, the same), from one pass over the rows, which is made once.

    It is kept as long as somebody holds what was scanned.
    """
    if scanned not in _FACTORS:
        _FACTORS[scanned] = factor_of(spread_of(scanned, None))
    return _FACTORS[scanned]


def factor_of(spread: Floats) -> Floats:
    """Return F with ``F F'`` a covariance matrix, (any, any)."""
    scale = np.sqrt(np.maximum(np.diagonal(spread), 0.0))
    divisor = np.where(scale > 0, scale, 1.0)
    values, vectors = np.linalg.eigh(spread / np.outer(divisor, divisor))
    return np.asarray(scale[:, None] * vectors * np.sqrt(np.maximum(values, 0.0)))


def spread_of(scanned: ScannedAnswers, gradient: Floats | None) -> Floats:
    """Return ``G' M G``, the covariance of estimates, from one pass over the rows.

    Parameters
    ----------
    scanned
        The rows.
    gradient
        G, derivatives of the estimates by the sums, (pieces + 1, estimates); None for the sums
        themselves.
    """
    design = scanned.design
    if design.kind == "cluster":
        return design.covariance(cluster_totals(scanned, gradient))
    spread = RowSpread(design, _estimates(scanned, gradient))
    for own in scanned.passes():
        for part, products in unit_products(own, scanned.sums.mean):
            totals = products if gradient is None else products @ gradient
            spread.add(own.stratum[part], totals)
    return spread.covariance


class RowSpread:
    """Sums over respondents from which covariances of estimates follow."""

    def __init__(self, design: SurveyDesign, estimates: int) -> None:
        self._factor, self._share = design.factors
        self._products = np.zeros((estimates, estimates))
        self._sums = np.zeros((design.strata, estimates))

    def add(self, stratum: Codes, totals: Floats) -> None:
        """Add respondents: what each adds to the estimates, (rows, estimates)."""
        equal = len(self._factor) == 1
        scaled = totals * self._factor[0 if equal else stratum[:, None]]
        self._products += scaled.T @ totals
        if equal:
            self._sums[0] += totals.sum(axis=0)
        else:
            self._sums += sums_by_group(stratum, totals, len(self._sums))

    @property
    def covariance(self) -> Floats:
        """The covariance of estimates, (estimates, estimates)."""
        weight = (self._factor * self._share)[:, None]
        return np.asarray(self._products - (self._sums * weight).T @ self._sums)


def sums_of_units(scanned: ScannedAnswers) -> Floats:
    """Return what each unit adds to sums about the means, (units, pieces + 3).

    Products of items, weights, respondents and squared weights, weights of mean 1 over all rows;
    from the moments of buckets, or one pass over the rows.
    """
    own, centre = _unit_moments(scanned), scanned.sums.mean
    factor = scanned.sums.rows / scanned.sums.weight
    step, weight = own.mean - centre, own.weight[:, None]
    row, column = np.triu_indices(len(centre))
    products = own.products[:, row, column] + weight * step[:, row] * step[:, column]
    rest = [own.weight * factor, own.rows, own.squared_weight * factor**2]
    return np.column_stack([weight * step * factor, products * factor, *rest])


def _unit_moments(scanned: ScannedAnswers) -> AdditiveMoments:
    if scanned.by_unit is not None:
        return scanned.by_unit
    units = scanned.design.units
    sums = GroupedSums(len(scanned.sums.mean), ("clusters", "scan with buckets=200"))
    for own in scanned.passes():
        assert own.unit is not None
        weights = own.weights
        if weights is not None:
            weights = weights * (scanned.sums.weight / scanned.sums.rows)
        sums.add(own.values, weights, own.unit, units)
    return sums.sums[:units]


def _estimates(scanned: ScannedAnswers, gradient: Floats | None) -> int:
    size = len(scanned.sums.mean)
    return size + size * (size + 1) // 2 + 1 if gradient is None else gradient.shape[1]


def cluster_totals(scanned: ScannedAnswers, gradient: Floats | None) -> Floats:
    """Return what each cluster adds to estimates, (clusters, estimates), from one pass.

    Parameters
    ----------
    scanned, gradient
        As in `spread_of`.

    Raises
    ------
    OptionError
        When there are more clusters than memory holds.
    """
    if scanned.by_unit is not None:
        sums = sums_of_units(scanned)[:, :-2]
        return sums if gradient is None else sums @ gradient
    units, estimates = scanned.design.units, _estimates(scanned, gradient)
    require_memory(
        f"What {units:,} clusters add to {estimates} sums",
        2 * 8.0 * units * estimates,
        "scan with buckets=200, or fit a sample of the scan",
    )
    totals = np.zeros((units, estimates))
    for own in scanned.passes():
        assert own.unit is not None
        values = np.empty((len(own.values), estimates))
        for part, products in unit_products(own, scanned.sums.mean):
            values[part] = products if gradient is None else products @ gradient
        unit, place = np.unique(own.unit, return_inverse=True)
        totals[unit] += sums_by_group(place, values, len(unit))
    return totals
