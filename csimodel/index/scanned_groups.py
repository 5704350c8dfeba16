"""The index of groups of a scan: item means from one pass, what their units add from another.

A unit adds to the index of a group through the item weights, by its influence on them, and through
the group's item means if it has members there (`group_errors`). Of the square of both what depends
on the unit is added up: with t what a unit adds through the means and a through the weights,
``Σ_h c_h (Σ_u (t + a'p)² - a_h (Σ_u t + a'p)²)``, p the group's mean points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import SurveyError
from csimodel.estimators import Fit
from csimodel.estimators.points import by_block, point_weights, scale_of
from csimodel.index.by_group import without_rounding
from csimodel.index.points import POINT_WEIGHTS
from csimodel.inference.scanned_influence import scanned_gradient
from csimodel.moments.scanned import RowsOfUnits, ScannedAnswers, ScannedGroups, scanned_groups
from csimodel.moments.scanned_sums import RowSpread, cluster_totals, unit_products
from csimodel.survey.group_rows import sums_by_group
from csimodel.survey.scanning.pair_sums import PairSums

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class ScannedIndexes:
    """The index of groups of a scan, with the weights of all rows.

    Attributes
    ----------
    fit, scanned
        What was fitted.
    groups
        What one pass told of all groups.
    used
        Places of the groups that have rows, (groups,).
    progress
        Whether to show how many rows are read.
    """

    fit: Fit
    scanned: ScannedAnswers
    groups: ScannedGroups
    used: Codes
    progress: bool = True

    @classmethod
    def of(
        cls, fit: Fit, scanned: ScannedAnswers, columns: Sequence[str], progress: bool
    ) -> ScannedIndexes:
        """Pass over the rows of a fit, group by group.

        Raises
        ------
        SurveyError
            When the fit is one of a group.
        """
        if scanned.group is not None:
            raise SurveyError(
                "The index by group of one group of a scan is not to be had from it; scan the "
                "files of the group alone, or fit a sample, such as scan.sample(100_000, rng=1)."
            )
        groups = scanned_groups(scanned.scan, fit.model.answered_blocks, columns, progress)
        return cls(fit, scanned, groups, np.flatnonzero(groups.sums.rows > 0), progress)

    @property
    def labels(self) -> pd.Index:
        """The groups that have rows."""
        return self.groups.labels[self.used]

    @property
    def n(self) -> Codes:
        """Respondents, (groups,)."""
        return self.groups.sums.rows[self.used].astype(np.intp)

    @cached_property
    def points(self) -> Floats:
        """Mean points of every item, (groups, items)."""
        minimum, width = scale_of(self.fit.moments)
        return np.asarray((self.groups.sums.mean[self.used] - minimum) / width * 100.0)

    @property
    def estimate(self) -> Floats:
        """The index, (groups, constructs)."""
        return by_block(self.fit.model, point_weights(self.fit.solution) * self.points)

    @cached_property
    def _place(self) -> Codes:
        """Place of each group among those that have rows, -1 for none and for others."""
        place = np.full(len(self.groups.labels) + 1, -1)
        place[self.used] = np.arange(len(self.used))
        return place

    @cached_property
    def df(self) -> Codes:
        """Units less strata of each group, (groups,)."""
        members = self.groups.members
        group = self._place[members[:, 0]]
        if self.scanned.design.kind == "respondent":
            units = np.bincount(group, members[:, 3], len(self.used)).astype(np.intp)
        else:
            units = np.bincount(group, minlength=len(self.used))
        cells = np.unique(group * self.scanned.design.strata + members[:, 1])
        strata = np.bincount(cells // self.scanned.design.strata, minlength=len(self.used))
        return np.asarray(units - strata, dtype=np.intp)

    def errors(self) -> Floats:
        """Return standard errors, (groups, constructs), from one pass more over the rows."""
        scanned = self.scanned
        gradient = scanned_gradient(self.fit, scanned, POINT_WEIGHTS)
        sums = _Sums(self, gradient)
        if scanned.design.kind == "respondent":
            whole = RowSpread(scanned.design, gradient.shape[1])
            for own in scanned.passes(self.groups.combinations.columns, self.progress):
                group, through = self._through(own)
                pulls = np.empty((len(group), gradient.shape[1]))
                for part, products in unit_products(own, scanned.sums.mean):
                    np.matmul(products, gradient, out=pulls[part])
                    whole.add(own.stratum[part], pulls[part])
                sums.add(own.stratum, group, pulls, through)
            spread = whole.covariance
        else:
            pulls = cluster_totals(scanned, gradient)
            spread = scanned.design.covariance(pulls)
            sums.add_pulls(scanned.design.stratum, pulls)
            unit, group, through = self._members()
            sums.add_members(scanned.design.stratum[unit], group, pulls[unit], through)
        return sums.errors(spread)

    def _members(self) -> tuple[Codes, Codes, Floats]:
        """Return units and groups in which they have members, and what these add, (any, …).

        Of buckets from the sums of the first pass, of clusters from one pass more.
        """
        known, members = self.groups.member_sums, self.groups.members
        if known is None:
            pairs = PairSums(len(self.fit.model.constructs))
            for own in self.scanned.passes(self.groups.combinations.columns, self.progress):
                group, through = self._through(own)
                assert own.unit is not None
                member = group >= 0
                pairs.add(own.unit[member], group[member], list(through[member].T))
            unit, group, sums = pairs.totals()
            return unit, group, np.stack(sums, axis=1)
        group, weight = self._place[members[:, 0]], known[:, :1]
        minimum, width = scale_of(self.fit.moments)
        points = (known[:, 1:] - weight * minimum) / width * 100.0 - weight * self.points[group]
        through = by_block(self.fit.model, points * point_weights(self.fit.solution))
        total = self.groups.sums.weight[self.used]
        unit = self.groups.whole.units.places_in(self.scanned.units)[members[:, 2]]
        return unit, group, through / total[group, None]

    def _through(self, own: RowsOfUnits) -> tuple[Codes, Floats]:
        """Return the group of rows, and what they add through its means, (rows, constructs)."""
        group = self._place[own.used.used(self.groups.codes_of(own.used))[own.places]]
        minimum, width = scale_of(self.fit.moments)
        points = (own.values - minimum) / width * 100.0 - self.points[group]
        points *= point_weights(self.fit.solution)
        weights = self.groups.sums
        total = weights.weight[self.used] * (self.scanned.sums.rows / self.scanned.sums.weight)
        share = (1.0 if own.weights is None else own.weights) / total[group]
        through = by_block(self.fit.model, points) * share[:, None]
        through[group < 0] = 0.0
        return group, through


class _Sums:
    """Sums over units from which the errors of all groups follow."""

    def __init__(self, indexes: ScannedIndexes, gradient: Floats) -> None:
        model, design = indexes.fit.model, indexes.scanned.design
        groups, constructs, items = len(indexes.used), len(model.constructs), gradient.shape[1]
        self._model, self._points, self._strata = model, indexes.points, design.strata
        self._factor, self._share = design.factors
        self._squares = np.zeros((groups, constructs))
        self._both = np.zeros((groups, items))
        self._totals = np.zeros((groups * design.strata, constructs))
        self._pulls = np.zeros((design.strata, items))

    def add(self, stratum: Codes, group: Codes, pulls: Floats, through: Floats) -> None:
        """Add units that are rows: what they add through weights and through means."""
        self.add_pulls(stratum, pulls)
        member = np.flatnonzero(group >= 0)
        self.add_members(stratum[member], group[member], pulls[member], through[member])

    def add_pulls(self, stratum: Codes, pulls: Floats) -> None:
        """Add what units add through weights."""
        self._pulls += sums_by_group(stratum, pulls, self._strata)

    def add_members(self, stratum: Codes, group: Codes, pulls: Floats, through: Floats) -> None:
        """Add what units add through the means of groups."""
        scaled = through * self._factor[stratum, None]
        self._squares += sums_by_group(group, scaled * through, len(self._squares))
        self._both += sums_by_group(group, scaled[:, self._model.owner] * pulls, len(self._both))
        self._totals += sums_by_group(group * self._strata + stratum, through, len(self._totals))

    def errors(self, spread: Floats) -> Floats:
        """Return standard errors, (groups, constructs), given the covariance of the weights."""
        model, points = self._model, self._points
        variance = self._squares + 2.0 * by_block(model, self._both * points)
        totals = self._totals.reshape(len(points), self._strata, -1)
        weighted = self._factor * self._share
        for stratum in range(self._strata):
            own = totals[:, stratum]
            through = by_block(model, self._pulls[stratum] * points)
            variance -= weighted[stratum] * own * (own + 2.0 * through)
        size = self._squares.copy()
        for place, block in enumerate(model.slices):
            own, part = points[:, block], spread[block, block]
            variance[:, place] += ((own @ part) * own).sum(axis=1)
            size[:, place] += ((abs(own) @ abs(part)) * abs(own)).sum(axis=1)
        return np.sqrt(without_rounding(variance, size))
