"""What stands for the units of a scan: values whose products are covariances of estimates."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators import Fit, Quantity
from csimodel.inference.influence import influence_gradient
from csimodel.moments.scanned import ScannedAnswers
from csimodel.moments.scanned_sums import AddedProducts, factor_of, spread_factor, spread_of
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class SummedDesign(SurveyDesign):
    """A design whose units were added up: totals stand for all of them.

    Attributes
    ----------
    drawn
        The design of the units themselves.

    Examples
    --------
    >>> drawn = SurveyDesign.of(6, cluster=np.array([0, 0, 1, 1, 2, 2]))
    >>> SummedDesign.of_design(drawn).variance(np.array([[3.0], [4.0]]))
    array([25.])
    """

    drawn: SurveyDesign | None = None

    @classmethod
    def of_design(cls, drawn: SurveyDesign) -> SummedDesign:
        """Return the same of units that were added up."""
        own = {field.name: getattr(drawn, field.name) for field in fields(SurveyDesign)}
        return cls(**own, drawn=drawn)

    @property
    def units(self) -> int:
        """Number of units."""
        return 0 if self.drawn is None else self.drawn.units

    @cached_property
    def strata(self) -> int:
        """Number of strata."""
        return 0 if self.drawn is None else self.drawn.strata

    @cached_property
    def sizes(self) -> Codes:
        """Number of units of each stratum, (strata,)."""
        return np.zeros(0, dtype=np.intp) if self.drawn is None else self.drawn.sizes

    @cached_property
    def lonely_units(self) -> NDArray[np.bool_]:
        """Mark those that are alone in their stratum."""
        none = np.zeros(0, dtype=np.bool_)
        return none if self.drawn is None else self.drawn.lonely_units

    @property
    def unit_count(self) -> int:
        """Number of units that were added up."""
        return 0 if self.drawn is None else self.drawn.unit_count

    @property
    def stratum_count(self) -> int:
        """Number of their strata."""
        return 0 if self.drawn is None else self.drawn.stratum_count

    @property
    def lonely_count(self) -> int:
        """Number of those that are alone in their stratum."""
        return 0 if self.drawn is None else self.drawn.lonely_count

    @property
    def df(self) -> int:
        """Degrees of freedom of the units that were added up."""
        return 0 if self.drawn is None else self.drawn.df

    def degrees_of(self, units: Codes) -> int:
        """Return the degrees of freedom; every estimate rests on all units."""
        return self.df

    def deviations(self, totals: Floats) -> Floats:
        """Return what has the covariance of estimates as its product: the totals."""
        return totals

    def variance(self, totals: Floats) -> Floats:
        """Return the variance of estimates, (any,)."""
        return np.asarray((totals**2).sum(axis=0))

    def covariance(self, totals: Floats) -> Floats:
        """Return the covariance matrix of estimates, (any, any)."""
        return np.asarray(totals.T @ totals)


def scanned_influence(
    fit: Fit, scanned: ScannedAnswers, quantity: Quantity, alone: bool = False
) -> Floats:
    """Return what stands for the units of a scan, (any, entries): see `SummedDesign`.

    One pass over the rows for all quantities whose covariances are wanted; `alone` a faster one
    for a quantity whose covariances with others are not.
    """
    if alone:
        own = _OWN.setdefault(fit, {})
        if quantity not in own:
            own[quantity] = _own_influence(fit, scanned, quantity)
        return own[quantity]
    return np.asarray(spread_factor(scanned).T @ scanned_gradient(fit, scanned, quantity))


_OWN: WeakKeyDictionary[Fit, dict[Quantity, Floats]] = WeakKeyDictionary()


def _own_influence(fit: Fit, scanned: ScannedAnswers, quantity: Quantity) -> Floats:
    """Return the same from the sums of what units add to the quantity."""
    gradient = scanned_gradient(fit, scanned, quantity)
    if gradient.shape[1] >= len(gradient):
        return scanned_influence(fit, scanned, quantity)
    known = np.flatnonzero(np.isfinite(gradient).all(axis=0))
    totals = np.full((len(known), gradient.shape[1]), np.nan)
    totals[:, known] = factor_of(spread_of(scanned, gradient[:, known])).T
    return totals


def scanned_gradient(fit: Fit, scanned: ScannedAnswers, quantity: Quantity) -> Floats:
    """Return derivatives by the sums of a scan about its means, (pieces + 1, entries)."""
    products = AddedProducts.of_scan(scanned)
    return influence_gradient(fit, quantity, products, scanned.design.unit_count)
