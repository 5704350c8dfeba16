"""The rows behind a batch of samples, for sums that means and covariances do not hold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.copies import Copies
from csimodel.survey import Answers
from csimodel.survey.group_rows import GroupRows
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_CELLS = 2**20  # samples times rows handled at once
_ARRAYS = 8  # arrays of so many cells that are held beside each other


@dataclass(frozen=True, eq=False)
class SampleRows(ABC):
    """The rows of a batch of samples, and what each counts in which.

    Attributes
    ----------
    answers
        Where the rows come from.
    """

    answers: Answers

    @property
    @abstractmethod
    def samples(self) -> int:
        """Number of samples."""

    @abstractmethod
    def times(self, rows: slice) -> Floats:
        """Return how often each row of a stretch is present in each sample, (samples, rows)."""

    def parts(self, arrays: int = 1) -> Iterator[tuple[slice, Floats, Floats]]:
        """Yield samples, answers of rows (rows, items), and what these count, (samples, rows).

        Parameters
        ----------
        arrays
            How many arrays, (samples, rows), are made of a part; the more, the smaller it is.
        """
        step = max(64, _CELLS // (self.samples * max(1, arrays // _ARRAYS)))
        weights = self.answers.weights
        for start in range(0, len(self.answers.values), step):
            rows = slice(start, start + step)
            times = self.times(rows)
            counts = times if weights is None else times * weights[rows]
            yield slice(0, self.samples), self.answers.values[rows], counts


class WholeSample(SampleRows):
    """Every row once, in one sample."""

    @property
    def samples(self) -> int:
        """Number of samples."""
        return 1

    def times(self, rows: slice) -> Floats:
        """Return how often each row of a stretch is present in each sample, (samples, rows)."""
        return np.ones((1, len(self.answers.values[rows])))


@dataclass(frozen=True, eq=False)
class ResampledRows(SampleRows):
    """Rows drawn again.

    Attributes
    ----------
    copies
        How often each row was drawn, or what it counts, (draws, rows).
    """

    copies: Copies | Floats

    @property
    def samples(self) -> int:
        """Number of samples."""
        numbers = self.copies.numbers if isinstance(self.copies, Copies) else self.copies
        return len(numbers)

    def times(self, rows: slice) -> Floats:
        """Return how often each row of a stretch is present in each sample, (samples, rows)."""
        if not isinstance(self.copies, Copies):
            return self.copies[:, rows]
        own = self.copies
        factor, base = (None if part is None else part[rows] for part in (own.factor, own.base))
        return Copies(own.numbers[:, rows], factor, base).counts


@dataclass(frozen=True, eq=False)
class WithoutUnits(SampleRows):
    """One copy of each of some units left out in turn, as `CrossProducts.leave_out` does it.

    Attributes
    ----------
    units
        Which unit each row belongs to, and the units' strata.
    chosen
        Numbers of the units left out, (samples,).
    counts
        How often each row is present, (rows,); once where None.
    """

    units: SurveyDesign
    chosen: Codes
    counts: Floats | None = None

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(self.chosen)

    def times(self, rows: slice) -> Floats:
        """Return how often each row of a stretch is present in each sample, (samples, rows)."""
        unit = self.units.unit[rows]
        out = (unit == self.chosen[:, None]).astype(np.float64)
        if self.units.strata == 1:
            return np.asarray((1.0 if self.counts is None else self.counts[rows]) - out)
        own = self.units.stratum[self.chosen]
        m = self.units.sizes[own].astype(np.float64)
        raised = np.divide(m, m - 1.0, out=np.ones_like(m), where=m > 1)
        among = self.units.stratum[unit] == own[:, None]
        return np.where(among, raised[:, None] * (1.0 - out), 1.0)


@dataclass(frozen=True, eq=False)
class NudgedUnits(SampleRows):
    """Weights of each of some units times ``1 + step`` in turn.

    Attributes
    ----------
    units
        Which unit each row belongs to.
    chosen, steps
        Numbers of the units and their steps, (samples,).
    """

    units: SurveyDesign
    chosen: Codes
    steps: Floats

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(self.chosen)

    def times(self, rows: slice) -> Floats:
        """Return how often each row of a stretch is present in each sample, (samples, rows)."""
        own = self.units.unit[rows] == self.chosen[:, None]
        return np.asarray(1.0 + self.steps[:, None] * own)


@dataclass(frozen=True, eq=False)
class Groups(SampleRows):
    """Each group of rows as a sample.

    Attributes
    ----------
    codes
        Group of each row, -1 for none, (rows,).
    groups
        How many there are.
    """

    codes: Codes
    groups: int

    @property
    def samples(self) -> int:
        """Number of samples."""
        return self.groups

    def times(self, rows: slice) -> Floats:
        """Return how often each row of a stretch is present in each sample, (samples, rows)."""
        own = self.codes[rows] == np.arange(self.groups)[:, None]
        return np.asarray(own, dtype=np.float64)

    def parts(self, arrays: int = 1) -> Iterator[tuple[slice, Floats, Floats]]:
        """Yield samples, answers of rows (rows, items), and what these count, (samples, rows)."""
        weights, rows_of = self.answers.weights, GroupRows.of(self.codes, self.groups)
        step = _CELLS // max(1, arrays // _ARRAYS)
        for group in range(self.groups):
            own = rows_of[group]
            for start in range(0, len(own), step):
                rows = own[start : start + step]
                counts = np.ones((1, len(rows))) if weights is None else weights[None, rows]
                yield slice(group, group + 1), self.answers.values[rows], counts
