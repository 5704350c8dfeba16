"""Answers of a scan of which only what each sampled unit adds is held: a row for each unit.

Draws of units, and samples without one or with the weight of one moved, need the sums of products
of each unit and nothing of its respondents.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import SurveyError
from csimodel.moments.copies import Copies
from csimodel.moments.cross_products import CrossProducts
from csimodel.moments.moments import Moments
from csimodel.moments.scanned import ScannedAnswers
from csimodel.moments.scanned_sums import sums_of_units
from csimodel.survey import Answers
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_SAMPLE = 100_000  # rows of a sample that is offered where a scan will not do


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitAnswers(Answers):
    """Answers of units instead of respondents.

    `values` has a row without a cell for each unit, `weights` what its respondents count together.

    Attributes
    ----------
    unit_sums
        What each unit adds: products of items about the centre, weights, respondents, squared
        weights, (units, any).
    centre
        (items,)
    places
        Which unit of the scan each is, (units,).
    """

    unit_sums: Floats
    centre: Floats
    places: Codes

    @cached_property
    def design(self) -> SurveyDesign:
        """The units that were drawn."""
        return SurveyDesign.of(len(self.values), self.strata, self.cluster, None, self.lonely)


@dataclass(frozen=True, eq=False)
class UnitProducts(CrossProducts):
    """Sums of products of items over units.

    Attributes
    ----------
    units
        What the units add.
    """

    units: UnitAnswers

    @classmethod
    def of_units(cls, units: UnitAnswers) -> UnitProducts:
        """Return the sums about the centre of the units."""
        return cls(units, units.centre, units)

    def sample(self) -> Moments:
        """Return the moments of all units."""
        return self.of_totals(self.totals[None])[0]

    def resampled(self, counts: Floats | Copies) -> Moments:
        """Return the moments of resamples of units, (draws, units)."""
        times = counts.counts if isinstance(counts, Copies) else counts
        return self.of_totals(times @ self.units.unit_sums)

    def _of_rows(self, rows: Codes) -> Floats:
        """Return what some units add to the totals, (units, any)."""
        return np.asarray(self.units.unit_sums[rows])

    def _of_segments(self, rows: Codes, starts: Codes) -> Floats:
        """Return what units add to the totals from each start to the next, (segments, any)."""
        return np.asarray(np.add.reduceat(self._of_rows(rows), starts, axis=0))

    @cached_property
    def totals(self) -> Floats:
        """Sums over all units."""
        return np.asarray(self.units.unit_sums.sum(axis=0))


_UNITS: WeakKeyDictionary[ScannedAnswers, UnitAnswers] = WeakKeyDictionary()


def unit_answers(scanned: ScannedAnswers, purpose: str) -> UnitAnswers:
    """Return what units of a scan add, from one pass over the rows, or none where it had buckets.

    Units are in the order of their labels, as in memory.

    Raises
    ------
    SurveyError
        Where respondents were drawn one by one, and for one group of a scan.
    OptionError
        When there are more clusters than memory holds.
    """
    if scanned.group is not None:
        raise SurveyError(
            f"{purpose} draws units of all rows, and this fit is of one group of a scan; scan the "
            "files of the group alone, or fit a sample, such as scan.sample(100_000, rng=1)."
        )
    if not scanned.rows.clustered:
        rows = int(scanned.sums.rows)
        raise SurveyError(
            f"{purpose} needs the respondents in memory, or clusters or buckets whose sums are "
            f"held, and this fit was made from a scan of {rows:,} rows; scan with "
            "csi.scan(…, buckets=200), or fit a sample of stated size, such as "
            f"csi.fit(model, scan.sample({min(rows, _SAMPLE):,}, rng=1))."
        )
    if scanned not in _UNITS:
        _UNITS[scanned] = _of_scan(scanned)
    return _UNITS[scanned]


def _of_scan(scanned: ScannedAnswers) -> UnitAnswers:
    design, nobody = scanned.design, scanned.nobody
    order = scanned.units.order
    strata = scanned.units.stratum_ranks[design.stratum[order]]
    sums = sums_of_units(scanned)[order]
    weight = sums[:, -3]
    return UnitAnswers(
        items=nobody.items,
        values=np.zeros((len(order), 0)),
        weights=weight * (len(order) / weight.sum()),
        strata=None if scanned.rows.template.strata is None else strata,
        cluster=np.arange(len(order)),
        rows=np.arange(len(order)),
        missing="complete",
        findings=scanned.findings,
        minimum=nobody.minimum,
        maximum=nobody.maximum,
        lonely=nobody.lonely,
        unit_sums=sums,
        centre=scanned.sums.mean,
        places=order,
    )
