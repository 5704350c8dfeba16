"""Two stages of sampling: clusters, then a part of each, where both populations are finite.

With T_hu what cluster u adds to an estimate and T_hus what unit s in it adds, the variance is ::

    Σ_h (1 - m_h/N_h) m_h/(m_h - 1) Σ_u (T_hu - T̄_h)²
        + Σ_h m_h/N_h Σ_u (1 - k_u/K_u) k_u/(k_u - 1) Σ_s (T_hus - T̄_hu)²

with m_h of N_h clusters of a stratum, and k_u of K_u units of a cluster in the sample. Where
clusters are drawn from infinitely many the second line is 0: their spread has it already.

References
----------
Cochran, W. G. (1977). Sampling Techniques, section 11.9. Wiley.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import SurveyError
from csimodel.findings import Finding
from csimodel.survey.checks import labels_of, number, numeric_block, plural
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class TwoStageDesign(SurveyDesign):
    """Units within clusters: the strata are the clusters, which `first` was drawn of.

    Attributes
    ----------
    first
        The design of the clusters.

    Examples
    --------
    >>> first = SurveyDesign.of(4, cluster=np.array([0, 0, 1, 1]), population=np.full(4, 4.0))
    >>> design = TwoStageDesign.within(first, np.arange(4), np.full(4, 10.0))
    >>> totals = np.array([[1.0], [2.0], [-1.0], [-2.0]])
    >>> first.variance(first.totals(totals)), design.variance(totals).round(6)
    (array([18.]), array([18.8]))
    """

    first: SurveyDesign | None = None

    @classmethod
    def within(cls, first: SurveyDesign, unit: Codes, population: Floats | None) -> TwoStageDesign:
        """Return the design of units of rows within the clusters of a first stage.

        Parameters
        ----------
        first
            The clusters.
        unit
            Second-stage unit of each row, codes 0, 1, …, each in one cluster, (rows,).
        population
            Number of units of each row's cluster in the population, (rows,), or None.
        """
        cluster = np.zeros(int(unit.max(initial=-1)) + 1, dtype=np.intp)
        cluster[unit] = first.unit
        whole = None
        if population is not None:
            whole = np.full(first.units, np.inf)
            whole[first.unit] = population
        return cls(unit, cluster, first.weights, "remove", first.kind, whole, first=first)

    @property
    def clusters(self) -> SurveyDesign:
        """The design of the first stage."""
        assert self.first is not None
        return self.first

    @property
    def first_stage(self) -> SurveyDesign:
        """The design of the clusters."""
        return self.clusters

    @property
    def df(self) -> int:
        """Degrees of freedom: clusters less strata."""
        return self.clusters.df

    @property
    def census(self) -> bool:
        """Whether everybody in the population is in the sample."""
        return self.clusters.census and not self.remainder.any()

    def degrees(self, codes: Codes, groups: int) -> Codes:
        """Return the degrees of freedom of each group, (groups,)."""
        return self.clusters.degrees(codes, groups)

    def degrees_of(self, units: Codes) -> int:
        """Return clusters less strata of some of the units."""
        return self.clusters.degrees_of(np.unique(self.stratum[units]))

    def census_of_units(self, units: Codes) -> bool:
        """Whether the clusters of some units and their strata are wholly in the sample."""
        clusters = np.unique(self.stratum[units])
        return super().census_of_units(units) and self.clusters.census_of_units(clusters)

    def totals(self, values: Floats) -> Floats:
        """Sum values of respondents within second-stage units, (units, any)."""
        if self.units == len(self.unit):
            return values[np.argsort(self.unit)]
        sums = np.zeros((self.units, values.shape[1]))
        np.add.at(sums, self.unit, values)
        return sums

    @cached_property
    def cells(self) -> tuple[tuple[Codes, Floats], ...]:
        """Cells of units, and what the square of a cell's total counts: units, clusters, strata."""
        clusters, (factor, share) = self.clusters, self.factors
        drawn = (1.0 - clusters.remainder)[clusters.stratum] * factor
        kinds = [(np.arange(self.units), drawn[self.stratum]), (self.stratum, -drawn * share)]
        kinds += [(codes[self.stratum], counts) for codes, counts in clusters.cells]
        return tuple(own for own in kinds if own[1].any())

    def deviations(self, totals: Floats) -> Floats:
        """Return what has the covariance of estimates as its product, (any, any)."""
        clusters = self.clusters
        sums = np.zeros((clusters.units, totals.shape[1]))
        np.add.at(sums, self.stratum, totals)
        drawn = np.sqrt(1.0 - clusters.remainder)[clusters.stratum][self.stratum]
        inner = super().deviations(totals)
        return np.concatenate([clusters.deviations(sums), drawn[:, None] * inner])

    def variance(self, totals: Floats) -> Floats:
        """Return the variance of estimates from what each unit adds, (units, any) to (any,)."""
        return np.asarray((self.deviations(totals) ** 2).sum(axis=0))

    def variance_of_rows(self, rows: Codes, values: Floats) -> Floats:
        """Return the variance of estimates of a domain from what its rows add, (any,)."""
        totals = np.zeros((self.units, values.shape[1]))
        np.add.at(totals, self.unit[rows], values)
        return self.variance(totals)

    def covariance(self, totals: Floats) -> Floats:
        """Return the covariance matrix of estimates from what each unit adds, (any, any)."""
        deviations = self.deviations(totals)
        return np.asarray(deviations.T @ deviations)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What is said of the clusters."""
        return self.clusters.findings


def second_stage(
    frame: pd.DataFrame,
    subcluster: str | None,
    subpopulation: str | None,
    rows: Codes,
    cluster: Codes,
) -> tuple[Codes, Floats | None]:
    """Return the second-stage unit of the rows at `rows`, and how many their clusters hold.

    Raises
    ------
    SurveyError
        When a label or number is missing, differs within a cluster, or is smaller than the sample.
    """
    unit = np.arange(len(rows))
    if subcluster is not None:
        cells = frame[subcluster].iloc[rows]
        codes, _ = labels_of(cells, f"Column {subcluster!r}, given as subcluster,", sort=False)
        lost = int((codes < 0).sum())
        if lost:
            raise SurveyError(
                f"Column {subcluster!r}, given as subcluster, has {lost} missing "
                f"{plural(lost, 'cell')}; fill them, or drop those rows before reading."
            )
        unit = np.unique(cluster * (codes.max(initial=0) + 1) + codes, return_inverse=True)[1]
    if subpopulation is None:
        return unit, None
    size = numeric_block(frame, [subpopulation])[0][rows, 0]
    each = pd.Series(size).groupby(cluster)
    sampled = pd.Series(unit).groupby(cluster).nunique().to_numpy()
    low, high = each.min().to_numpy(), each.max().to_numpy()
    lost = int(np.isnan(size).sum())
    if lost:
        raise SurveyError(
            f"Column {subpopulation!r}, given as subpopulation, has {lost} missing "
            f"{plural(lost, 'cell')}; every row needs the number of units of its cluster in the "
            "population."
        )
    wrong = np.flatnonzero((low != high) | (low < sampled))
    if len(wrong):
        first = wrong[0]
        held = number(low[first])
        held = held if low[first] == high[first] else f"{held} to {number(high[first])}"
        raise SurveyError(
            f"Column {subpopulation!r}, given as subpopulation, has {held} in a cluster with "
            f"{sampled[first]} {plural(int(sampled[first]), 'unit')} in the data; it must be one "
            "number within a cluster, and not smaller than the sample."
        )
    return unit, size
