"""Sums over rows by sampled unit and by stratum, and those of samples without some units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class UnitSums:
    """What each unit, and each stratum, adds to sums over rows.

    Rows are gone through once for the strata, and the rows of a unit when it is asked for, so that
    leaving out each of n units a block at a time takes two passes.

    Attributes
    ----------
    units
        Which unit each row belongs to, and the units' strata.
    of_rows
        From numbers of rows to what each adds, (rows, sums).
    step
        Rows handled together.
    counts
        How often each row is present, (rows,); once where None. For one stratum only.
    of_segments
        From numbers of rows, and where segments of them begin, to what each segment adds,
        (segments, sums), where that is known without what each row adds; else None.

    Examples
    --------
    >>> values = np.array([[1.0], [2.0], [4.0]])
    >>> sums = UnitSums(SurveyDesign.of(3), lambda rows: values[rows], step=2)
    >>> sums.without_each(np.array([0, 2]))
    array([[6.],
           [3.]])
    """

    units: SurveyDesign
    of_rows: Callable[[Codes], Floats]
    step: int
    counts: Floats | None = None
    of_segments: Callable[[Codes, Codes], Floats] | None = None

    @cached_property
    def by_stratum(self) -> Floats:
        """Sums of each stratum, (strata, sums)."""
        whole: Floats | None = None
        for start in range(0, len(self.units.unit), self.step):
            rows = np.arange(start, min(start + self.step, len(self.units.unit)))
            stratum = self.units.stratum[self.units.unit[rows]]
            for own in np.unique(stratum):
                among = rows if self.units.strata == 1 else rows[stratum == own]
                sums = self._present(among)
                whole = np.zeros((self.units.strata, len(sums))) if whole is None else whole
                whole[own] += sums
        assert whole is not None
        return whole

    def _present(self, rows: Codes) -> Floats:
        """Return the sums over some rows, each as often as it is present, (sums,)."""
        if self.counts is not None:
            return np.asarray(self.counts[rows] @ self.of_rows(rows))
        return np.asarray(self._by_segment(rows, np.zeros(1, dtype=np.intp))[0])

    def _by_segment(self, rows: Codes, starts: Codes) -> Floats:
        """Return the sums over rows from each start to the next, (segments, sums)."""
        if self.of_segments is not None:
            return self.of_segments(rows, starts)
        return np.asarray(np.add.reduceat(self.of_rows(rows), starts, axis=0))

    def of(self, chosen: Codes) -> Floats:
        """Return the sums of some units, (chosen, sums)."""
        sums = np.zeros((len(chosen), self.by_stratum.shape[1]))
        first, last = self._ends[chosen], self._ends[chosen + 1]
        place = np.repeat(np.arange(len(chosen)), last - first)
        before = np.cumsum(last - first) - (last - first)
        rows = self._order[np.arange(len(place)) - before[place] + first[place]]
        alone = len(place) == len(chosen) and bool((last > first).all())
        for start in range(0, len(rows), self.step):
            part = slice(start, start + self.step)
            if alone:
                sums[part] = self.of_rows(rows[part])
            else:
                own = place[part]  # in order of the units
                starts = np.flatnonzero(np.diff(own, prepend=-1))
                sums[own[starts]] += self._by_segment(rows[part], starts)
        return sums

    def without_each(self, chosen: Codes) -> Floats:
        """Return the sums with one copy of each chosen unit left out in turn, (chosen, sums).

        With several strata the others of the unit's stratum are weighted up to keep its total,
        ``m / (m - 1)`` for m units.
        """
        return self.units.leave_out(self.of(chosen), self.by_stratum, chosen)

    def nudged(self, chosen: Codes, steps: Floats, sums: slice) -> Floats:
        """Return the sums with some of them weighted ``1 + step`` for each chosen unit in turn.

        Parameters
        ----------
        chosen
            Numbers of units.
        steps
            (chosen,)
        sums
            Which sums move with weights.
        """
        everything = np.repeat(self.by_stratum.sum(axis=0)[None], len(chosen), axis=0)
        everything[:, sums] += steps[:, None] * self.of(chosen)[:, sums]
        return everything

    @cached_property
    def _order(self) -> Codes:
        """Rows by unit."""
        return np.argsort(self.units.unit, kind="stable")

    @cached_property
    def _ends(self) -> Codes:
        """Where the rows of each unit begin among those by unit, (units + 1,)."""
        return np.concatenate(
            [[0], np.cumsum(np.bincount(self.units.unit, minlength=self.units.units))]
        )
