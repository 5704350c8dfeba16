"""Totals of cells of a scan: of the clusters in them, or what stands for respondents.

Of clusters and buckets the sums of each in each cell are held. A respondent drawn by itself is in
one cell, so that nothing of it need be held: with z what it adds, the covariance of a cell is
``C = Σ_h c_h (Σ z z' - a_h S_h S_h')`` over the respondents of its strata, S_h their sums, and with
``C = F F'`` the columns of F stand for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from csimodel.limits import require_memory
from csimodel.moments.scanned import RowsOfUnits, ScannedGroups
from csimodel.moments.scanned_sums import factor_of
from csimodel.survey import Answers
from csimodel.survey.group_rows import sums_by_group

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Added = Callable[[RowsOfUnits, Codes], Floats]


@dataclass(frozen=True, eq=False)
class RowsOfCells:
    """Clusters in cells, or rows that stand for the respondents of cells.

    Attributes
    ----------
    answers
        With their strata and clusters, and no cells.
    codes
        The cell of each, (rows,); -1 for none.
    values
        What they add, (rows, any).
    """

    answers: Answers
    codes: Codes
    values: Floats


def rows_of_cells(groups: ScannedGroups, added: Added, width: int, progress: bool) -> RowsOfCells:
    """Pass over the rows, and sum what they add to their cells.

    Parameters
    ----------
    groups
        The cells.
    added
        From rows of a batch and the cell of each (-1 for none) to what they add, (rows, any).
    width
        To how many numbers.
    progress
        Whether to show how many rows are read.

    Raises
    ------
    OptionError
        When there are more clusters in cells than memory holds.
    """
    kind = _ByCluster if groups.whole.rows.clustered else _ByRespondent
    sums = kind(groups, width)
    for own in groups.whole.passes(groups.combinations.columns, progress):
        cell = own.used.used(groups.codes_of(own.used))[own.places]
        sums.add(own, cell, added(own, cell))
    return sums.rows


def strata_of_cells(groups: ScannedGroups) -> tuple[Codes, Floats]:
    """Return cell times strata plus stratum of each met together, ascending, and its rows."""
    members, strata = groups.members, groups.whole.design.strata
    places, own = np.unique(members[:, 0] * strata + members[:, 1], return_inverse=True)
    return places, np.bincount(own, members[:, 3], len(places)).astype(np.float64)


@dataclass(eq=False)
class _ByCluster:
    """Sums of what clusters add to cells in which they have respondents."""

    groups: ScannedGroups
    width: int
    keys: Codes = field(init=False)
    values: Floats = field(init=False)

    def __post_init__(self) -> None:
        members, units = self.groups.members, self.groups.whole.design.units
        pairs = (members[:, 0] + 1) * units + members[:, 2]
        self.keys = np.unique(np.concatenate([np.arange(units), pairs]))
        require_memory(
            f"What {units:,} clusters add to {len(self.groups.labels):,} cells of a programme",
            2 * 8.0 * len(self.keys) * self.width,
            "scan with buckets=200",
        )
        self.values = np.zeros((len(self.keys), self.width))

    def add(self, own: RowsOfUnits, cell: Codes, values: Floats) -> None:
        """Add rows of a batch."""
        assert own.unit is not None
        keys = (cell + 1) * self.groups.whole.design.units + own.unit
        place, inverse = np.unique(np.searchsorted(self.keys, keys), return_inverse=True)
        self.values[place] += sums_by_group(inverse, values, len(place))

    @property
    def rows(self) -> RowsOfCells:
        """The clusters in cells, and each once in none."""
        whole = self.groups.whole
        cell, unit = np.divmod(self.keys, whole.design.units)
        strata = None if whole.rows.template.strata is None else whole.design.stratum[unit]
        answers = _without_cells(whole.nobody, len(unit), strata, unit)
        return RowsOfCells(answers, cell - 1, self.values)


@dataclass(eq=False)
class _ByRespondent:
    """Sums of products of what respondents add, by cell, and their sums by cell and stratum."""

    groups: ScannedGroups
    width: int
    keys: Codes = field(init=False)
    factor: Floats = field(init=False)
    share: Floats = field(init=False)
    alone: float = field(init=False)
    products: Floats = field(init=False)
    sums: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.keys, size = strata_of_cells(self.groups)
        design, cells = self.groups.whole.design, len(self.groups.labels)
        strata = len(self.keys) + self.groups.without
        self.alone = 1.0 if design.lonely == "adjust" and strata > 1 else 0.0
        several = np.maximum(size, 2.0)
        self.factor = np.where(size > 1, several / (several - 1.0), self.alone)
        self.share = np.where(size > 1, 1.0 / several, 0.0)
        require_memory(
            f"Products of {self.width} numbers of {cells:,} cells of a programme",
            2 * 8.0 * (cells + 1) * self.width**2,
            "take levels by fewer columns",
        )
        self.products = np.zeros((cells + 1, self.width, self.width))
        self.sums = np.zeros((len(self.keys), self.width))

    def add(self, own: RowsOfUnits, cell: Codes, values: Floats) -> None:
        """Add rows of a batch."""
        member = cell >= 0
        keys = cell * self.groups.whole.design.strata + own.stratum
        place = np.searchsorted(self.keys, keys[member])
        factor = np.full(len(cell), self.alone)
        factor[member] = self.factor[place]
        self.sums += sums_by_group(place, values[member], len(self.keys))
        order = np.argsort(cell, kind="stable")
        starts = np.flatnonzero(np.diff(cell[order], prepend=-2))
        for rows in np.split(order, starts[1:]):
            if len(rows):
                own_values = values[rows]
                self.products[cell[rows[0]]] += (own_values * factor[rows, None]).T @ own_values

    @property
    def rows(self) -> RowsOfCells:
        """Rows whose products are the covariances of cells, and of what is in none."""
        scaled = self.sums * (self.factor * self.share)[:, None]
        cell = self.keys // self.groups.whole.design.strata
        starts = np.flatnonzero(np.diff(cell, prepend=-1))
        between = self.products.copy()
        for own in np.split(np.arange(len(cell)), starts[1:]):
            between[cell[own[0]]] -= scaled[own].T @ self.sums[own]
        values = np.concatenate([factor_of(own).T for own in between])
        codes = np.repeat(np.append(np.arange(len(between) - 1), -1), self.width)
        answers = _without_cells(self.groups.whole.nobody, len(codes), None, None)
        return RowsOfCells(answers, codes, values)


def _without_cells(
    nobody: Answers, rows: int, strata: Codes | None, cluster: Codes | None
) -> Answers:
    """Return rows of units without an answer."""
    return replace(
        nobody,
        values=np.zeros((rows, 0)),
        weights=None,
        strata=strata,
        cluster=cluster,
        rows=np.arange(rows),
    )
