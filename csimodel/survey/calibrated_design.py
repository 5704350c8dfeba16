"""The design of a sample whose weights were brought to margins, and of parts of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from csimodel.findings import Finding
from csimodel.survey.calibration import WeightCalibration
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class CalibratedDesign(SurveyDesign):
    """Units of all respondents whose weights meet margins together, some of whom are looked at.

    What the respondents looked at add to an estimate is replaced by what is left of it once the
    margins are met, which the others add to as well: ``w (z - x'B)`` with z of 0 for them.
    Estimates of a part of the respondents are estimates of a domain.

    Attributes
    ----------
    everyone
        The design of all respondents with a weight, which knows their weights.
    calibration
        What is known of them, in the same order.
    place
        Which of them each respondent looked at is, (rows,); -1 for one without a weight.
    rows
        Positions of all respondents with a weight in the table of the survey, (everyone,).

    References
    ----------
    Deville, J.-C., Särndal, C.-E. (1992). Calibration estimators in survey sampling. Journal of
    the American Statistical Association 87, 376-382.
    https://doi.org/10.1080/01621459.1992.10475217

    Examples
    --------
    >>> everyone = SurveyDesign.of(4, weights=np.ones(4))
    >>> sexes = WeightCalibration(np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]]), np.ones(4))
    >>> design = CalibratedDesign.within(everyone, sexes, np.arange(4))
    >>> design.totals(np.array([[1.0], [3.0], [4.0], [8.0]]))[:, 0]
    array([-1.,  1., -2.,  2.])
    >>> design.part(np.array([0, 2, 3])).totals(np.array([[1.0], [4.0], [8.0]]))[:, 0]
    array([ 0.5, -0.5, -2. ,  2. ])
    """

    everyone: SurveyDesign | None = None
    calibration: WeightCalibration | None = None
    place: Codes | None = None
    rows: Codes | None = None

    @classmethod
    def within(
        cls, everyone: SurveyDesign, calibration: WeightCalibration, rows: Codes | None = None
    ) -> CalibratedDesign:
        """Look at all respondents with a weight."""
        every = np.arange(len(everyone.unit))
        return cls(
            everyone.unit, everyone.stratum, everyone.weights, everyone.lonely, everyone.kind,
            everyone.population, None, everyone, calibration, every,
            every if rows is None else rows,
        )  # fmt: skip

    def clustered(self, cluster: Codes) -> CalibratedDesign:
        """Take other clusters of all respondents with a weight, (everyone,), without strata."""
        codes, own = np.unique(cluster, return_inverse=True)[1], self.whole
        everyone = SurveyDesign.of(len(codes), None, codes, own.weights, own.lonely)
        return CalibratedDesign.within(everyone, self._margins, self.drawn)

    def part(self, rows: Codes) -> CalibratedDesign:
        """Look at some of the respondents looked at, (rows,)."""
        return self._looking_at(self._place[rows])

    def at(self, positions: Codes) -> CalibratedDesign:
        """Look at the respondents at positions in the table of the survey, (rows,)."""
        size = 1 + max(int(self.drawn.max(initial=-1)), int(positions.max(initial=-1)))
        place = np.full(size, -1, dtype=np.intp)
        place[self.drawn] = np.arange(len(self.drawn))
        return self._looking_at(place[positions])

    @property
    def whole(self) -> SurveyDesign:
        """The design of all respondents with a weight."""
        assert self.everyone is not None
        return self.everyone

    @property
    def drawn(self) -> Codes:
        """Positions of all respondents with a weight in the table of the survey, (everyone,)."""
        assert self.rows is not None
        return self.rows

    @property
    def df(self) -> int:
        """Degrees of freedom: units less strata of those looked at."""
        return self.degrees_of(np.unique(self.unit[self.unit >= 0]))

    @property
    def census(self) -> bool:
        """Whether all units of the population are in the sample."""
        return self.whole.census

    def degrees(self, codes: Codes, groups: int) -> Codes:
        """Return the degrees of freedom of each group, (groups,)."""
        every = np.full(len(self.drawn), -1, dtype=np.intp)
        every[self._place] = codes
        return self.whole.degrees(every, groups)

    def degrees_of(self, units: Codes) -> int:
        """Return some of the units less their strata."""
        return self.whole.degrees_of(units)

    def totals(self, values: Floats) -> Floats:
        """Sum what is left of values once the margins are met within units, (units, any).

        Values are those of the respondents looked at, (rows, any).
        """
        every = np.zeros((len(self.drawn), values.shape[1]))
        seen = self._place >= 0
        every[self._place[seen]] = values[seen]
        return self.whole.totals(self._margins.residuals(every, self.weights))

    def deviations(self, totals: Floats) -> Floats:
        """Return what has the covariance of estimates as its product, (any, any)."""
        return self.whole.deviations(totals)

    def variance(self, totals: Floats) -> Floats:
        """Return the variance of estimates from what each unit adds, (units, any) to (any,)."""
        return self.whole.variance(totals)

    def covariance(self, totals: Floats) -> Floats:
        """Return the covariance matrix of estimates from what each unit adds, (any, any)."""
        return self.whole.covariance(totals)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is said of all respondents."""
        return self.whole.findings

    @property
    def _margins(self) -> WeightCalibration:
        assert self.calibration is not None
        return self.calibration

    @property
    def _place(self) -> Codes:
        assert self.place is not None
        return self.place

    def _looking_at(self, place: Codes) -> CalibratedDesign:
        unit = np.where(place < 0, -1, self.whole.unit[place]).astype(np.intp)
        return replace(self, unit=unit, place=place)
