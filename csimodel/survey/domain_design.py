"""The design of a part of a sample: a domain of the whole design."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from csimodel.findings import Finding
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class DomainDesign(SurveyDesign):
    """Units of all respondents, some of whom are looked at.

    Estimates of a part of the respondents are estimates of a domain: the others add 0, and their
    units were drawn, too, so that a unit is alone in its stratum only where it is so in the whole
    sample. Degrees of freedom are the units with somebody in the domain less their strata.

    Attributes
    ----------
    everyone
        The design of all respondents.
    place
        Which of them each respondent looked at is, (rows,); -1 for one without a weight.

    References
    ----------
    Lumley, T. (2010). Complex Surveys, section 2.3. Wiley. https://doi.org/10.1002/9780470580066

    Korn, E. L., Graubard, B. I. (1999). Analysis of Health Surveys, section 5.2.
    https://doi.org/10.1002/9781118032619

    Examples
    --------
    >>> strata, clusters = np.array([0, 0, 1, 1]), np.arange(4)
    >>> design = DomainDesign.within(SurveyDesign.of(4, strata, clusters)).part(np.array([0, 2, 3]))
    >>> design.totals(np.array([[1.0], [-3.0], [2.0]]))[:, 0]
    array([ 1.,  0., -3.,  2.])
    >>> design.df
    1
    """

    everyone: SurveyDesign | None = None
    place: Codes | None = None

    @classmethod
    def within(cls, everyone: SurveyDesign) -> Self:
        """Look at all respondents."""
        return cls(
            everyone.unit, everyone.stratum, everyone.weights, everyone.lonely, everyone.kind,
            everyone.population, None, everyone, np.arange(len(everyone.unit)),
        )  # fmt: skip

    def part(self, rows: Codes) -> Self:
        """Look at some of the respondents looked at, (rows,)."""
        return self.looking_at(self.members[rows])

    @property
    def whole(self) -> SurveyDesign:
        """The design of all respondents."""
        assert self.everyone is not None
        return self.everyone

    @property
    def members(self) -> Codes:
        """Which of all respondents each one looked at is, (rows,); -1 for one without a weight."""
        assert self.place is not None
        return self.place

    @property
    def first_stage(self) -> DomainDesign:
        """The same domain of the clusters of a first stage alone, and without margins."""
        return DomainDesign.within(self.whole.first_stage).looking_at(self.members)

    @cached_property
    def touched(self) -> Codes:
        """Units with somebody who is looked at."""
        return np.unique(self.unit[self.unit >= 0])

    @property
    def unit_count(self) -> int:
        """Number of units with somebody who is looked at."""
        return len(self.touched)

    @property
    def stratum_count(self) -> int:
        """Number of their strata."""
        return len(np.unique(self.stratum[self.touched]))

    @property
    def lonely_count(self) -> int:
        """Number of those that are alone in their stratum, and could be others."""
        return int(self.lonely_units[self.touched].sum())

    @property
    def df(self) -> int:
        """Degrees of freedom: units less strata of those looked at, at most those of replicates."""
        df = self.degrees_of(self.touched)
        return df if self.replication is None else min(df, self.replication.df)

    @property
    def census(self) -> bool:
        """Whether all units of the population are in the sample."""
        return self.whole.census

    def degrees(self, codes: Codes, groups: int) -> Codes:
        """Return the degrees of freedom of each group, (groups,)."""
        every = np.full(len(self.whole.unit), -1, dtype=np.intp)
        every[self.members] = codes
        degrees = self.whole.degrees(every, groups)
        return degrees if self.replication is None else np.minimum(degrees, self.replication.df)

    def degrees_of(self, units: Codes) -> int:
        """Return some of the units less their strata."""
        return self.whole.degrees_of(units)

    def census_of_units(self, units: Codes) -> bool:
        """Whether the strata of some of all units are wholly in the sample."""
        return self.whole.census_of_units(units)

    def totals(self, values: Floats) -> Floats:
        """Sum values of the respondents looked at, (rows, any), within units, (units, any)."""
        return self.whole.totals(self._of_everyone(values))

    @cached_property
    def source_units(self) -> SurveyDesign:
        """The units with somebody in the domain, which influence values are computed of."""
        unit = np.searchsorted(self.touched, self.unit).astype(np.intp)
        alone = len(self.touched) == len(unit) and bool((np.diff(unit) > 0).all())
        kind: Literal["respondent", "cluster"] = "respondent" if alone else "cluster"
        return SurveyDesign(unit, np.zeros(len(self.touched), dtype=np.intp), kind=kind)

    def of_sources(self, values: Floats) -> Floats:
        """Return totals of all units from what the source units add, (units, any)."""
        totals = np.zeros((self.units, values.shape[1]))
        totals[self.touched] = values
        return totals

    @property
    def cells(self) -> tuple[tuple[Codes, Floats], ...]:
        """Cells of all units, and what the square of a cell's total counts in a variance."""
        return self.whole.cells

    def deviations(self, totals: Floats) -> Floats:
        """Return what has the covariance of estimates as its product, (any, any)."""
        return self.whole.deviations(totals)

    def variance(self, totals: Floats) -> Floats:
        """Return the variance of estimates from what each unit adds, (units, any) to (any,)."""
        return self.whole.variance(totals)

    def variance_of_rows(self, rows: Codes, values: Floats) -> Floats:
        """Return the variance of estimates of a domain of those looked at, (any,)."""
        return self.whole.variance_of_rows(self.members[rows], values)

    def covariance(self, totals: Floats) -> Floats:
        """Return the covariance matrix of estimates from what each unit adds, (any, any)."""
        return self.whole.covariance(totals)

    def _findings(self) -> Iterator[Finding]:
        """Return what is said of the clusters of the domain."""
        stages = self.whole.first_stage
        return super()._findings() if stages is self.whole else self.first_stage._findings()

    def _of_everyone(self, values: Floats) -> Floats:
        """Return values of all respondents, 0 for those who are not looked at."""
        every = np.zeros((len(self.whole.unit), values.shape[1]))
        seen = self.members >= 0
        every[self.members[seen]] = values[seen]
        return every

    def looking_at(self, place: Codes) -> Self:
        """Look at respondents by their places among all, (rows,); -1 for one without a weight."""
        unit = np.where(place < 0, -1, self.whole.unit[place]).astype(np.intp)
        return replace(self, unit=unit, place=place)
