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
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from csimodel.limits import require_memory
from csimodel.moments.additive import AdditiveMoments
from csimodel.moments.blocks import moments_of_sets
from csimodel.moments.cross_products import CrossProducts
from csimodel.moments.moments import Moments
from csimodel.moments.scanned import RowsOfUnits, ScannedAnswers
from csimodel.moments.sums import products_of

Floats = NDArray[np.float64]

_TOGETHER = 1024  # rows whose products are made together, so that they stay in cache


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
    """Yield what rows add to the sums, and last to the sum of weights, some rows at a time."""
    size = len(centre)
    pieces = size + size * (size + 1) // 2
    for start in range(0, len(own.values), _TOGETHER):
        part = slice(start, start + _TOGETHER)
        x = np.ascontiguousarray(own.values[part]) - centre
        products = np.ones((len(x), pieces + 1))
        products[:, :-1] = products_of(own.nobody, x)
        if own.weights is not None:
            products *= own.weights[part, None]
        yield part, products


@lru_cache(maxsize=8)
def spread_factor(scanned: ScannedAnswers) -> Floats:
    """Return F, (pieces + 1, the same), from one pass over the rows, which is made once."""
    spread = _spread(scanned)
    scale = np.sqrt(np.maximum(np.diagonal(spread), 0.0))
    scale[scale == 0.0] = 1.0
    values, vectors = np.linalg.eigh(spread / np.outer(scale, scale))
    return np.asarray(scale[:, None] * vectors * np.sqrt(np.maximum(values, 0.0)))


def cluster_sums(scanned: ScannedAnswers) -> Floats:
    """Return the sums of each cluster, (clusters, pieces + 1), from one pass over the rows.

    Raises
    ------
    OptionError
        When there are more clusters than memory holds.
    """
    centre = scanned.sums.mean
    pieces = len(centre) + len(centre) * (len(centre) + 1) // 2
    require_memory(
        f"What {scanned.design.units:,} clusters add to {pieces} sums",
        2 * 8.0 * scanned.design.units * pieces,
        "name larger clusters, or fit a sample of the scan",
    )
    totals = np.zeros((scanned.design.units, pieces + 1))
    for own in scanned.passes():
        assert own.unit is not None
        for part, products in unit_products(own, centre):
            unit = own.unit[part]
            order = np.argsort(unit, kind="stable")
            starts = np.flatnonzero(np.diff(unit[order], prepend=-1))
            totals[unit[order][starts]] += np.add.reduceat(products[order], starts, axis=0)
    return totals


def _spread(scanned: ScannedAnswers) -> Floats:
    """Return M, (pieces + 1, the same)."""
    design = scanned.design
    if design.kind == "cluster":
        return design.covariance(cluster_sums(scanned))
    centre = scanned.sums.mean
    factor, share = design.factors
    root = np.sqrt(factor)
    size = len(centre) + len(centre) * (len(centre) + 1) // 2 + 1
    spread, sums = np.zeros((size, size)), np.zeros((design.strata, size))
    for own in scanned.passes():
        for part, products in unit_products(own, centre):
            stratum = own.stratum[part]
            products *= root[stratum, None]
            spread += products.T @ products
            if design.strata == 1:
                sums[0] += products.sum(axis=0)
            else:
                np.add.at(sums, stratum, products)
    return np.asarray(spread - (sums * share[:, None]).T @ sums)
