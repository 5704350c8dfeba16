"""The design of a sample whose weights were brought to margins, and of parts of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from csimodel.survey.calibration import WeightCalibration
from csimodel.survey.domain_design import DomainDesign
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class CalibratedDesign(DomainDesign):
    """Units of all respondents whose weights meet margins together, some of whom are looked at.

    What the respondents looked at add to an estimate is replaced by what is left of it once the
    margins are met, which the others add to as well: ``w (z - x'B)`` with z of 0 for them.

    Attributes
    ----------
    calibration
        What is known of all respondents with a weight, whose design `everyone` is.
    rows
        Their positions in the table of the survey, (everyone,).

    References
    ----------
    Deville, J.-C., Särndal, C.-E. (1992). Calibration estimators in survey sampling. Journal of
    the American Statistical Association 87, 376-382.
    https://doi.org/10.1080/01621459.1992.10475217

    Examples
    --------
    >>> everyone = SurveyDesign.of(4, weights=np.ones(4))
    >>> sexes = WeightCalibration(np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]]), np.ones(4))
    >>> design = CalibratedDesign.of_margins(everyone, sexes, np.arange(4))
    >>> design.totals(np.array([[1.0], [3.0], [4.0], [8.0]]))[:, 0].round(12)
    array([-1.,  1., -2.,  2.])
    >>> design.part(np.array([0, 2, 3])).totals(np.array([[1.0], [4.0], [8.0]]))[:, 0].round(12)
    array([ 0.5, -0.5, -2. ,  2. ])
    """

    calibration: WeightCalibration | None = None
    rows: Codes | None = None

    @classmethod
    def of_margins(
        cls, everyone: SurveyDesign, calibration: WeightCalibration, rows: Codes
    ) -> CalibratedDesign:
        """Look at all respondents with a weight."""
        return replace(cls.within(everyone), calibration=calibration, rows=rows)

    def clustered(self, cluster: Codes) -> CalibratedDesign:
        """Take other clusters of all respondents with a weight, (everyone,), without strata."""
        codes, own = np.unique(cluster, return_inverse=True)[1], self.whole
        everyone = SurveyDesign.of(len(codes), None, codes, own.weights, own.lonely)
        return CalibratedDesign.of_margins(everyone, self.margins, self.drawn)

    def at(self, positions: Codes) -> Self:
        """Look at the respondents at positions in the table of the survey, (rows,)."""
        size = 1 + max(int(self.drawn.max(initial=-1)), int(positions.max(initial=-1)))
        place = np.full(size, -1, dtype=np.intp)
        place[self.drawn] = np.arange(len(self.drawn))
        return self.looking_at(place[positions])

    @property
    def drawn(self) -> Codes:
        """Positions of all respondents with a weight in the table of the survey, (everyone,)."""
        assert self.rows is not None
        return self.rows

    @property
    def margins(self) -> WeightCalibration:
        """What is known of all respondents with a weight."""
        assert self.calibration is not None
        return self.calibration

    def totals(self, values: Floats) -> Floats:
        """Sum what is left of values once the margins are met within units, (units, any).

        Values are those of the respondents looked at, (rows, any).
        """
        return self.whole.totals(self.margins.residuals(self._of_everyone(values), self.weights))

    @cached_property
    def source_units(self) -> SurveyDesign:
        """The respondents looked at: what is left once margins are met is known of each alone."""
        return SurveyDesign.of(len(self.unit))

    def of_sources(self, values: Floats) -> Floats:
        """Return totals of all units from what the respondents looked at add, (units, any)."""
        return self.totals(values)

    @cached_property
    def known_totals(self) -> Floats:
        """What units add to the known totals, with the calibrated weights, (units, totals)."""
        own = np.ones(len(self.whole.unit)) if self.weights is None else self.weights
        return self.whole.totals(own[:, None] * self.margins.known)

    def projection(self, rows: Codes) -> Floats:
        """Return what gives slopes on the known totals from what respondents add, (totals, rows).

        What is left of sums by unit once the margins are met is the sums less `known_totals` times
        the slopes.

        Parameters
        ----------
        rows
            Those of the respondents looked at who add anything, (rows,).
        """
        return self.margins.projection(self.weights, self.members[rows])

    def variance_of_rows(self, rows: Codes, values: Floats) -> Floats:
        """Return the variance of estimates of a domain of those looked at, (any,)."""
        sums = np.zeros((self.units, values.shape[1]))
        np.add.at(sums, self.unit[rows], values)
        return self.whole.variance(sums - self.known_totals @ (self.projection(rows) @ values))
