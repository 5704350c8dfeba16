"""The sampling design: what was drawn, and so how much is known about the error of an estimate.

Respondents, or whole clusters of them, are the units that were drawn, within strata. An estimate
varies as its units do: with T_u what unit u adds to it (the sum of its respondents' influence
values), its variance is ``Σ_h (1 - m_h/N_h) m_h/(m_h - 1) Σ_u (T_hu - T̄_h)²`` over strata h with
m_h units of the N_h in the population (infinitely many where nothing is known of it), and it is
known with as many degrees of freedom as there are units less strata. Without degrees of freedom
there is no error; where all units of the population are in the sample it is 0.

References
----------
Binder, D. A. (1983). On the variances of asymptotically normal estimators from complex surveys.
International Statistical Review 51, 279-292. https://doi.org/10.2307/1402588

Cochran, W. G. (1977). Sampling Techniques, sections 2.6, 5.4 and 9.5. Wiley.

Korn, E. L., Graubard, B. I. (1999). Analysis of Health Surveys, chapter 5.
https://doi.org/10.1002/9781118032619
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from csimodel.bounds import FEW_DEGREES
from csimodel.errors import choose
from csimodel.findings import Finding, counted

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Lonely = Literal["fail", "remove", "certainty", "average", "adjust"]


def require_lonely(lonely: object) -> Lonely:
    """Return the treatment of lonely strata when it is one of those allowed.

    Raises
    ------
    OptionError
        When it is not.
    """
    for allowed in get_args(Lonely):
        if lonely == allowed:
            treatment: Lonely = allowed
            return treatment
    choose("lonely", lonely, get_args(Lonely))
    raise AssertionError


class DrawVariance(Protocol):
    """How estimates from samples that are no draws of units become an error."""

    @property
    def df(self) -> int:
        """Degrees of freedom."""

    @property
    def method(self) -> str:
        """How the samples were made, in a word."""

    def deviations(self, draws: Floats, estimate: Floats) -> Floats:
        """Return what has the covariance of estimates as its product, (any, entries)."""


@dataclass(frozen=True, eq=False)
class ReplicateVariance:
    """How estimates from replicates of a sample become an error.

    Attributes
    ----------
    scales
        What the square of each replicate's deviation counts, (replicates,).
    mse
        Whether deviations are from the estimate, not from the mean of the replicates.
    df
        Degrees of freedom.
    method
        How the replicates were made, in a word.
    """

    scales: Floats
    mse: bool
    df: int
    method: str

    def deviations(self, draws: Floats, estimate: Floats) -> Floats:
        """Return what has the covariance of estimates as its product, (replicates, entries).

        NaN where a replicate has no solution.

        >>> ReplicateVariance(np.full(2, 0.5), False, 1, "jk1").deviations(
        ...     np.array([[1.0], [3.0]]), np.array([2.5])
        ... ).T
        array([[-0.70710678,  0.70710678]])
        """
        if len(draws) != len(self.scales):
            return np.full((1, draws.shape[1]), np.nan)
        centre = estimate if self.mse else draws[self.scales > 0].mean(axis=0)
        return np.asarray(np.sqrt(self.scales)[:, None] * (draws - centre))


def count_of_units(count: int, kind: Literal["respondent", "cluster"]) -> str:
    """Return how many units were drawn, in the language of the moment.

    >>> count_of_units(1, "cluster"), count_of_units(1250, "respondent")
    ('1 cluster', '1,250 respondents')
    """
    if kind == "cluster":
        return counted(count, "{count:,} cluster", "{count:,} clusters")
    return counted(count, "{count:,} respondent", "{count:,} respondents")


@dataclass(frozen=True, eq=False)
class SurveyDesign:
    """The units a sample was drawn in: respondents, or clusters, within strata.

    Attributes
    ----------
    unit
        Unit of each respondent, codes 0, 1, …, (rows,).
    stratum
        Stratum of each unit, codes 0, 1, …, (units,).
    weights
        Survey weights, (rows,), or None.
    lonely
        How a stratum of a single unit is treated, which says nothing of its own spread:
        ``"adjust"`` (default) takes the unit's distance from the mean of all units, which is
        cautious; ``"average"`` gives such strata the mean variance of the others; ``"certainty"``
        and ``"remove"`` let them add nothing, as right where the unit was certain to be drawn;
        ``"fail"`` refuses them. A unit that is its whole stratum in the population too is certain
        to be drawn and not lonely.
    kind
        What a unit is called: ``"respondent"`` or ``"cluster"``.
    population
        Number of units of each stratum in the population, (strata,), or None for infinitely many.
    replication
        How draws become errors, where they are replicates that somebody made; None where they
        repeat the drawing of units.

    Examples
    --------
    >>> design = SurveyDesign.of(6, cluster=np.array([0, 0, 1, 1, 2, 2]))
    >>> design.df
    2
    >>> design.variance(np.array([[-1.0], [0.0], [1.0]]))
    array([3.])
    """

    unit: Codes
    stratum: Codes
    weights: Floats | None = None
    lonely: Lonely = "adjust"
    kind: Literal["respondent", "cluster"] = "respondent"
    population: Floats | None = None
    replication: DrawVariance | None = None

    @classmethod
    def of(
        cls,
        rows: int,
        strata: Codes | None = None,
        cluster: Codes | None = None,
        weights: Floats | None = None,
        lonely: Lonely = "adjust",
        population: Floats | None = None,
    ) -> SurveyDesign:
        """Return the design of rows with these strata and clusters; a cluster is in one stratum.

        `population` is the number of units in the population of each row's stratum, (rows,).
        """
        unit = np.arange(rows) if cluster is None else cluster
        stratum = np.zeros(int(unit.max(initial=-1)) + 1, dtype=np.intp)
        if strata is not None:
            stratum[unit] = strata
        whole = None
        if population is not None:
            whole = np.full(int(stratum.max(initial=-1)) + 1, np.inf)
            whole[stratum[unit]] = population
        kind: Literal["respondent", "cluster"] = "respondent" if cluster is None else "cluster"
        return cls(unit, stratum, weights, lonely, kind, whole)

    @property
    def respondents(self) -> int:
        """Number of respondents."""
        return len(self.unit)

    @property
    def units(self) -> int:
        """Number of units."""
        return len(self.stratum)

    @property
    def first_stage(self) -> SurveyDesign:
        """The design of the clusters, where units within clusters were drawn."""
        return self

    @cached_property
    def touched(self) -> Codes:
        """Units with somebody who is looked at: all of a whole sample."""
        return np.arange(self.units)

    @property
    def unit_count(self) -> int:
        """Number of units with somebody who is looked at."""
        return self.units

    @property
    def stratum_count(self) -> int:
        """Number of their strata."""
        return self.strata

    @property
    def lonely_count(self) -> int:
        """Number of those that are alone in their stratum, and could be others."""
        return int(self.lonely_units.sum())

    @property
    def source_units(self) -> SurveyDesign:
        """The units that influence values are computed of."""
        return self

    def of_sources(self, values: Floats) -> Floats:
        """Return totals of all units from what the source units add, (units, any)."""
        return values

    @cached_property
    def strata(self) -> int:
        """Number of strata."""
        return int(self.stratum.max(initial=-1)) + 1

    @cached_property
    def sizes(self) -> Codes:
        """Number of units of each stratum, (strata,)."""
        return np.bincount(self.stratum, minlength=self.strata)

    @cached_property
    def remainder(self) -> Floats:
        """Share of each stratum of the population that is not in the sample, (strata,).

        ``1 - m_h/N_h``, the finite population correction of variances.
        """
        if self.population is None:
            return np.ones(self.strata)
        return np.asarray(np.maximum(1.0 - self.sizes / self.population, 0.0))

    @property
    def census(self) -> bool:
        """Whether all units of the population are in the sample, so that nothing varies."""
        return self.population is not None and not self.remainder.any()

    def census_of(self, codes: Codes, groups: int) -> NDArray[np.bool_]:
        """Mark groups of respondents whose strata are wholly in the sample, (groups,)."""
        drawn = np.flatnonzero((codes >= 0) & (self.remainder > 0)[self.stratum[self.unit]])
        return np.asarray(np.bincount(codes[drawn], minlength=groups) == 0)

    def census_of_units(self, units: Codes) -> bool:
        """Whether the strata of some units, (some,), are wholly in the sample."""
        return not bool(self.remainder[self.stratum[units]].any())

    def population_of_part(self, rows: Codes) -> Floats | None:
        """Return the units in the population of a part of the sample, by stratum of each row.

        The part is as large a share of its population as its strata are of theirs, (rows,).
        """
        if self.population is None:
            return None
        unit = np.unique(self.unit[rows])
        size = np.bincount(self.stratum[unit], minlength=self.strata)
        part = self.population * size / self.sizes
        return np.asarray(part[self.stratum[self.unit[rows]]])

    @cached_property
    def lonely_units(self) -> NDArray[np.bool_]:
        """Mark the units that are alone in their stratum, (units,), and could be others."""
        alone: NDArray[np.bool_] = ((self.sizes == 1) & (self.remainder > 0))[self.stratum]
        return alone if self.strata > 1 else np.zeros_like(alone)

    @property
    def df(self) -> int:
        """Degrees of freedom of the whole sample: units less strata, or those of replicates."""
        return self.units - self.strata if self.replication is None else self.replication.df

    @property
    def df_of_tests(self) -> float:
        """Degrees of freedom of tests of several coefficients; infinite of drawn respondents."""
        few = self.kind == "cluster" or self.replication is not None
        return float(self.df) if few else float("inf")

    def degrees(self, codes: Codes, groups: int) -> Codes:
        """Return the degrees of freedom of each group: its units less their strata, (groups,).

        Parameters
        ----------
        codes
            Group of each respondent, (rows,); -1 for none.
        groups
            How many there are.

        References
        ----------
        Korn and Graubard (1999), section 5.2.
        """
        if self.replication is not None:
            own = replace(self, replication=None).degrees(codes, groups)
            return np.minimum(own, self.replication.df)
        member = codes >= 0
        if self.kind == "respondent" and self.strata == 1:
            return np.maximum(np.bincount(codes[member], minlength=groups) - 1, 0)
        pairs = np.unique(codes[member] * self.units + self.unit[member])
        group, unit = np.divmod(pairs, self.units)
        cells = np.unique(group * self.strata + self.stratum[unit]) // self.strata
        units, strata = (np.bincount(of, minlength=groups) for of in (group, cells))
        return np.asarray(units - strata, dtype=np.intp)

    def degrees_of(self, units: Codes) -> int:
        """Return some of the units less their strata."""
        return len(units) - len(np.unique(self.stratum[units]))

    def totals(self, values: Floats) -> Floats:
        """Sum values of respondents, (rows, any), within units, (units, any)."""
        if self.kind == "respondent":
            return values
        sums = np.zeros((self.units, values.shape[1]))
        np.add.at(sums, self.unit, values)
        return sums

    def of_rows(self, values: Floats) -> Floats:
        """Return what each respondent adds, from values of rows that may stand for several."""
        return values

    @property
    def inflation(self) -> float:
        """What the variance is multiplied by for strata of one unit: 1 but for ``"average"``."""
        alone = int(self.lonely_units.sum())
        if self.lonely != "average" or alone in (0, self.strata):
            return 1.0
        return self.strata / (self.strata - alone)

    @cached_property
    def factors(self) -> tuple[Floats, Floats]:
        """``(c_h, a_h)`` of ``Σ_h c_h (Σ_u T_hu² - a_h (Σ_u T_hu)²)``, (strata,) each.

        ``m/(m - 1)`` and ``1/m`` for m units; ``1`` and ``0``, or ``0`` and ``0``, for one; the
        first of both times ``1 - m/N`` in a population of N units.
        """
        size = self.sizes.astype(np.float64)
        alone = 1.0 if self.lonely == "adjust" and self.strata > 1 else 0.0
        several = np.maximum(size, 2.0)
        factor = np.where(size > 1, several / (several - 1.0), alone) * self.inflation
        return factor * self.remainder, np.where(size > 1, 1.0 / several, 0.0)

    @cached_property
    def cells(self) -> tuple[tuple[Codes, Floats], ...]:
        """Cells of units, and what the square of a cell's total counts in a variance.

        ``Σ_h c_h (Σ_u T_hu² - a_h (Σ_u T_hu)²)`` is a sum over units and strata. Of each kind of
        cell that counts: the cell of each unit, (units,), and what the cells count, (cells,).

        Examples
        --------
        >>> SurveyDesign.of(4, strata=np.array([0, 0, 1, 1])).cells[1]
        (array([0, 0, 1, 1]), array([-1., -1.]))
        """
        factor, share = self.factors
        kinds = (np.arange(self.units), factor[self.stratum]), (self.stratum, -factor * share)
        return tuple(own for own in kinds if own[1].any())

    def deviations(self, totals: Floats) -> Floats:
        """Return what has the covariance of estimates as its product, (units, any).

        ``√c_h (T_hu - a_h Σ_u T_hu)``, from what each unit adds.
        """
        factor, share = self.factors
        sums = [np.bincount(self.stratum, own, self.strata) for own in totals.T]
        centre = (share * np.array(sums).reshape(-1, self.strata)).T
        return np.asarray(np.sqrt(factor)[self.stratum, None] * (totals - centre[self.stratum]))

    def variance(self, totals: Floats) -> Floats:
        """Return the variance of estimates from what each unit adds, (units, any) to (any,)."""
        factor, share = self.factors
        squares, sums = np.zeros((2, self.strata, totals.shape[1]))
        for k, own in enumerate(totals.T):
            squares[:, k] = np.bincount(self.stratum, own**2, self.strata)
            sums[:, k] = np.bincount(self.stratum, own, self.strata)
        variance = factor @ squares - (factor * share) @ sums**2
        return np.asarray(np.where(variance < 0, 0.0, variance))

    def variance_of_rows(self, rows: Codes, values: Floats) -> Floats:
        """Return the variance of estimates of a domain from what its rows add, (any,).

        Units without a row in it add 0, and count among those drawn.

        Parameters
        ----------
        rows
            Respondents in the domain, (rows,).
        values
            What each of them adds, (rows, any).

        Examples
        --------
        >>> design = SurveyDesign.of(6, cluster=np.array([0, 0, 1, 1, 2, 2]))
        >>> design.variance_of_rows(np.array([0, 2]), np.array([[-1.0], [1.0]]))
        array([3.])
        """
        unit, place = np.unique(self.unit[rows], return_inverse=True)
        factor, share = self.factors
        stratum, variance = self.stratum[unit], np.empty(values.shape[1])
        for k, own in enumerate(values.T):
            totals = np.bincount(place, own, len(unit))
            sums = np.bincount(stratum, totals, self.strata)
            variance[k] = factor[stratum] @ totals**2 - (factor * share) @ sums**2
        return np.asarray(np.where(variance < 0, 0.0, variance))

    def covariance(self, totals: Floats) -> Floats:
        """Return the covariance matrix of estimates from what each unit adds, (any, any)."""
        factor, share = self.factors
        sums = np.zeros((self.strata, totals.shape[1]))
        for k, own in enumerate(totals.T):
            sums[:, k] = np.bincount(self.stratum, own, self.strata)
        whole = (totals * factor[self.stratum, None]).T @ totals
        return np.asarray(whole - (sums * (factor * share)[:, None]).T @ sums)

    def covariance_of_draws(self, draws: Floats, estimate: Floats) -> Floats:
        """Return the covariance of estimates from draws, (draws, any) to (any, any)."""
        if self.replication is not None:
            deviations = self.replication.deviations(draws, estimate)
            return np.asarray(deviations.T @ deviations)
        return np.cov(draws, rowvar=False).reshape(2 * draws.shape[1:]) * self.inflation

    def multipliers(self, draws: int, rng: np.random.Generator) -> Floats:
        """Return random multipliers of what each unit adds to estimates, (draws, units).

        Half the units of a stratum, drawn at random, get +1 and the others -1, or the other way
        round; of an odd number, with their mean taken off and as large together. Sums over units
        of totals times multipliers have the covariance of the estimates (`covariance`) over draws,
        while each unit counts about as it does: half-samples of McCarthy, balanced by chance.

        References
        ----------
        McCarthy, P. J. (1969). Pseudo-replication: half samples. Review of the International
        Statistical Institute 37, 239-264. https://doi.org/10.2307/1402116

        Examples
        --------
        >>> design = SurveyDesign.of(4, strata=np.array([0, 0, 1, 1]))
        >>> np.abs(design.multipliers(3, np.random.default_rng(1)).sum(axis=1))
        array([0., 0., 0.])
        """
        order = np.lexsort((rng.random((draws, self.units)), np.tile(self.stratum, (draws, 1))))
        place = np.arange(self.units) - np.repeat(np.cumsum(self.sizes) - self.sizes, self.sizes)
        stratum = np.sort(self.stratum)
        half = np.where(2 * place < self.sizes[stratum], 1.0, -1.0)
        factor, share = self.factors
        centred = half - (np.bincount(stratum, half) * share)[stratum]
        size = np.bincount(stratum, centred**2)
        scale = np.sqrt(factor * np.maximum(self.sizes - 1.0, 1.0) / size)[stratum]
        values = np.empty((draws, self.units))
        np.put_along_axis(values, order, np.broadcast_to(centred * scale, values.shape), axis=1)
        signs = 2.0 * rng.integers(0, 2, (draws, self.strata)) - 1.0
        return np.asarray(values * signs[:, self.stratum])

    def leave_out(self, parts: Floats, whole: Floats, units: Codes) -> Floats:
        """Return totals over all units with each of some left out, (chosen, any).

        With several strata the others of the unit's stratum are weighted up to keep its total,
        ``m / (m - 1)`` for m units; a unit alone in its stratum is just left out.

        Parameters
        ----------
        parts, whole
            Totals of each unit left out, (chosen, any), and of each stratum, (strata, any).
        units
            Numbers of the units.
        """
        everything, own = whole.sum(axis=0), self.stratum[units]
        if self.strata == 1:
            return np.asarray(everything - parts)
        m = self.sizes[own][:, None].astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            kept = everything + whole[own] / (m - 1.0) - parts * (m / (m - 1.0))
        return np.asarray(np.where(m > 1, kept, everything - parts))

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Strata of one unit, and few units to learn the error from."""
        return tuple(self._findings())

    def _findings(self) -> Iterator[Finding]:
        units, strata, alone = self.unit_count, self.stratum_count, self.lonely_count
        values: dict[str, object] = {
            "units": units,
            "strata": strata,
            "df": self.df,
            "alone": alone,
            "lonely": self.lonely,
        }
        if self.population is not None:
            yield self._finite_population()
            if self.census:
                return
        if self.df == 0:
            sentence = _ONE_UNIT if units == 1 else _ALL_LONELY
            yield Finding("no-degrees-of-freedom", sentence, count=0, values=values)
            return
        if isinstance(self.replication, ReplicateVariance):
            if self.df < FEW_DEGREES:
                yield Finding("few-units", _FEW_REPLICATES, count=self.df, values=values)
            return
        if alone:
            yield Finding("lonely-strata", _LONELY[self.lonely], count=alone, values=values)
        if self.df < FEW_DEGREES and (strata > 1 or self.kind == "cluster"):
            sentence = _FEW_UNITS if strata == 1 else _FEW_UNITS_IN_STRATA
            yield Finding("few-units", sentence, count=self.df, values=values)

    def _finite_population(self) -> Finding:
        assert self.population is not None
        total = float(self.population.sum())
        values = {"units": self.units, "total": total, "share": self.units / total}
        if self.census:
            return Finding("census", _CENSUS[self.kind], (), "note", self.units, values)
        return Finding("finite-population", _FINITE[self.kind], (), "note", self.units, values)


_FINITE = {
    "respondent": "{units:,} of the {total:,.0f} members of the population {units:is|are} in "
    "the sample ({share:.1%}), and errors allow for it; they are about this "
    "population, not about customers to come.",
    "cluster": "{units:,} of the {total:,.0f} clusters of the population {units:is|are} in "
    "the sample ({share:.1%}), and errors allow for it; they are about this "
    "population, not about customers to come.",
}
_CENSUS = {
    "respondent": "All {units:,} members of the population are in the sample, so the errors of "
    "sampling are 0; this is about this population, not about customers to come.",
    "cluster": "All {units:,} clusters of the population are in the sample, so the errors of "
    "sampling are 0; this is about this population, not about customers to come.",
}
_ONE_UNIT = (
    "All answers come from a single cluster or respondent, so nothing has a standard error, an "
    "interval or a p-value."
)
_ALL_LONELY = (
    "Each of the {strata} strata holds a single cluster or respondent, so nothing has a standard "
    "error, an interval or a p-value; merge similar strata."
)
_FEW_REPLICATES = (
    "Errors are learnt from replicate weights with {df} {df:degree|degrees} of freedom, so they "
    "are rough; limits are by t, which allows for it."
)
_FEW_UNITS = (
    "Errors are learnt from {units} clusters, so they are rough; limits are by t with {df} "
    "{df:degree|degrees} of freedom, which allows for it, as percentiles of draws would come out "
    "too narrow."
)
_FEW_UNITS_IN_STRATA = (
    "Errors are learnt from {units} units in {strata} strata, so they are rough; limits are by t "
    "with {df} {df:degree|degrees} of freedom, which allows for it, as percentiles of draws "
    "would come out too narrow."
)
_LONELY: dict[str, str] = {
    "adjust": "{alone} of {strata} strata {alone:holds|hold} a single unit, which shows no "
    "spread; its distance from the mean of all units is taken for it "
    "(lonely='adjust').",
    "average": "{alone} of {strata} strata {alone:holds|hold} a single unit, which shows no "
    "spread; the mean variance of the other strata is taken for it "
    "(lonely='average').",
    "certainty": "{alone} of {strata} strata {alone:holds|hold} a single unit, taken as "
    "certain to be drawn, so that it adds nothing to the errors "
    "(lonely='certainty').",
    "remove": "{alone} of {strata} strata {alone:holds|hold} a single unit and "
    "{alone:is|are} left out of the errors, which may be too small "
    "(lonely='remove').",
}
