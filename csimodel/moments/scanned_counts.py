"""What a pass over the rows of a scan adds up: sums of all, of groups and of buckets; counts."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from csimodel.limits import require_memory
from csimodel.moments.additive import AdditiveMoments, Block
from csimodel.survey.group_rows import sums_by_group
from csimodel.survey.scanning.batches import RowBatch
from csimodel.survey.scanning.labels import Combinations
from csimodel.survey.scanning.rows import RowPass, UsedRows
from csimodel.survey.scanning.spark import PartitionRows, SparkRows
from csimodel.survey.scanning.tally import Tally
from csimodel.survey.scanning.units import Units

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
_Number = TypeVar("_Number", np.intp, np.float64)


@dataclass
class GroupedSums:
    """Sums of groups of rows so far; their number grows as groups are met.

    Attributes
    ----------
    items
        How many there are.
    what
        What the groups are called, and the way out where there are too many.
    sums
        Of each group, and room for more.
    """

    items: int
    what: tuple[str, str] = ("groups", "take groups by fewer columns")
    sums: AdditiveMoments = field(init=False)

    def __post_init__(self) -> None:
        self.sums = AdditiveMoments.none(self.items, 0)

    def add(self, values: Floats, weights: Floats | None, codes: Codes, groups: int) -> None:
        """Add rows, (rows, items), to the groups that codes name; -1 is none."""
        if groups > len(self.sums.rows):
            self._grow(groups)
        order = np.argsort(codes, kind="stable")[int((codes < 0).sum()) :]
        if not len(order):
            return
        own = codes[order]
        starts = np.flatnonzero(np.diff(own, prepend=-1))
        sorted_weights = None if weights is None else weights[order]
        block = Block(np.ascontiguousarray(values)[order], sorted_weights, own)
        self.sums.put(own[starts], AdditiveMoments.of_segments(block, starts))

    def merge(self, other: AdditiveMoments, codes: Codes, groups: int) -> None:
        """Add the sums of groups with these codes, (groups,), counted elsewhere."""
        if groups > len(self.sums.rows):
            self._grow(groups)
        self.sums.put(codes[: len(other.rows)], other)

    def _grow(self, groups: int) -> None:
        """Make room for more groups."""
        room = max(groups, 2 * len(self.sums.rows))
        require_memory(
            f"The moments of {room:,} {self.what[0]} of {self.items} items",
            2 * 8.0 * room * self.items**2,
            self.what[1],
        )
        larger = AdditiveMoments.none(self.items, room)
        if len(self.sums.rows):
            larger.put(np.arange(len(self.sums.rows)), self.sums)
        self.sums = larger


@dataclass
class Total:
    """Sums of all rows so far."""

    items: int
    sums: AdditiveMoments | None = None

    def fresh(self, rows: RowPass) -> Total:
        """Return sums of nothing yet."""
        return Total(self.items)

    def add(self, part: UsedRows, stratum: Codes, unit: Codes | None) -> None:
        """Add the rows of a batch."""
        if len(part.values):
            own = AdditiveMoments.of(Block(part.values, part.weights))
            self.sums = own if self.sums is None else self.sums + own

    def merge(self, other: Total | ByGroup, strata: Codes, units: Codes) -> None:
        """Add the sums of other rows."""
        assert isinstance(other, Total)
        if other.sums is not None:
            self.sums = other.sums if self.sums is None else self.sums + other.sums

    @property
    def whole(self) -> AdditiveMoments:
        """The sums of all rows."""
        return AdditiveMoments.none(self.items, 1)[0] if self.sums is None else self.sums


@dataclass
class ByGroup:
    """Sums of each group so far; their number grows as labels are met."""

    rows: RowPass
    combinations: Combinations
    grouped: GroupedSums = field(init=False)
    total: Total = field(init=False)
    given_rows: Codes = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    without: int = 0
    members: Combinations = field(
        default_factory=lambda: Combinations(("group", "stratum", "unit"))
    )
    member_rows: Codes = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    member_answers: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    def __post_init__(self) -> None:
        self.member_answers = np.zeros((0, 1 + len(self.rows.items)))
        self.total = Total(len(self.rows.items))
        self.grouped = GroupedSums(len(self.rows.items))

    @property
    def sums(self) -> AdditiveMoments:
        """The sums of each group."""
        return self.grouped.sums

    @property
    def given(self) -> Codes:
        """Rows of each group before any was dropped, (groups,)."""
        return self.given_rows[: len(self.combinations)]

    @property
    def sizes(self) -> Codes:
        """Rows of what was met together, (members,)."""
        return self.member_rows[: len(self.members)]

    @property
    def member_sums(self) -> Floats:
        """Weights and weighted answers of what was met together, (members, 1 + items)."""
        return self.member_answers[: len(self.members)]

    def fresh(self, rows: RowPass) -> ByGroup:
        """Return sums of nothing yet."""
        return ByGroup(rows, Combinations(self.combinations.columns))

    def add(self, part: UsedRows, stratum: Codes, unit: Codes | None) -> None:
        """Add the rows of a batch, group by group."""
        self.total.add(part, stratum, unit)
        names = self.combinations.columns
        every = self.combinations.codes([self.rows.labels(part, name) for name in names])
        groups = len(self.combinations)
        self.given_rows = _counted(self.given_rows, every, groups)
        codes = part.used(every)
        self.without += int((codes < 0).sum())
        self.grouped.add(part.values, part.weights, codes, groups)
        units = np.zeros_like(codes) if unit is None else unit
        met = self.members.codes_of(np.stack([codes, stratum, units], axis=1))
        self.member_rows = _counted(self.member_rows, met, len(self.members))
        if self.rows.buckets is not None:
            self._add_sums(part, met)

    def _add_sums(self, part: UsedRows, met: Codes) -> None:
        """Add weights and weighted answers to what is met together."""
        known = np.flatnonzero(met >= 0)
        weights = np.ones(len(known)) if part.weights is None else part.weights[known]
        place, own = np.unique(met[known], return_inverse=True)
        values = np.column_stack([weights, weights[:, None] * part.values[known]])
        self.member_answers = _with_room(self.member_answers, len(self.members))
        self.member_answers[place] += sums_by_group(own, values, len(place))

    def merge(self, other: Total | ByGroup, strata: Codes, units: Codes) -> None:
        """Add the sums of other rows, whose strata and units have these codes here."""
        assert isinstance(other, ByGroup)
        self.total.merge(other.total, strata, units)
        groups = self.combinations.merge(other.combinations)
        known, everywhere = len(groups), len(self.combinations)
        self.given_rows = _with_room(self.given_rows, everywhere)
        self.given_rows[groups] += other.given
        self.without += other.without
        self.grouped.merge(other.grouped.sums[:known], groups, everywhere)
        met = np.array(list(other.members.places), dtype=np.intp).reshape(-1, 3)
        units = units if self.rows.clustered else np.zeros(1, dtype=np.intp)
        own = np.stack([groups[met[:, 0]], strata[met[:, 1]], units[met[:, 2]]], axis=1)
        places = self.members.codes_of(own)
        self.member_rows = _with_room(self.member_rows, len(self.members))
        self.member_rows[places] += other.sizes
        if len(other.member_answers):
            self.member_answers = _with_room(self.member_answers, len(self.members))
            self.member_answers[places] += other.member_sums

    @property
    def whole(self) -> AdditiveMoments:
        """The sums of all rows."""
        return self.total.whole


def _with_room(sums: NDArray[_Number], size: int) -> NDArray[_Number]:
    """Return sums with rows of 0 to a size and beyond, so that few steps reach any, (any, …)."""
    if size <= len(sums):
        return sums
    larger = np.zeros((max(size, 2 * len(sums)), *sums.shape[1:]), sums.dtype)
    larger[: len(sums)] = sums
    return larger


def _counted(counts: Codes, codes: Codes, size: int) -> Codes:
    """Return counts of codes, -1 for none, those of more rows added, (size or more,)."""
    counts = _with_room(counts, size)
    seen, times = np.unique(codes[codes >= 0], return_counts=True)
    counts[seen] += times
    return counts


@dataclass
class Counts:
    """What was counted of some rows: faults and changes, units, sums.

    Attributes
    ----------
    rows
        How they are read.
    total
        Sums of all of them, or of each group.
    """

    rows: RowPass
    total: Total | ByGroup
    tally: Tally = field(init=False)
    units: Units = field(init=False)
    by_unit: GroupedSums = field(init=False)

    def __post_init__(self) -> None:
        self.tally, self.units = self.rows.tally(), Units(self.rows)
        self.by_unit = GroupedSums(len(self.rows.items))

    def count(self, extra: Sequence[str], progress: bool) -> None:
        """Pass over the rows."""
        for part in self.rows.parts(self.tally, [*self.units.columns, *extra], progress):
            stratum, unit = self.units.count(part)
            self.total.add(part, stratum, unit)
            if self.rows.buckets is not None and unit is not None:
                self.by_unit.add(part.values, part.weights, unit, len(self.units.units))

    def merge(self, other: Counts) -> None:
        """Add what was counted elsewhere."""
        self.tally.merge(other.tally)
        strata, units = self.units.merge(other.units)
        self.total.merge(other.total, strata, units)
        if self.rows.buckets is not None:
            self.by_unit.merge(other.by_unit.sums[: len(units)], units, len(self.units.units))


def counts_by_workers(
    rows: RowPass, source: SparkRows, total: Total | ByGroup, extra: Sequence[str]
) -> Counts | None:
    """Let each worker of Spark count its rows, and add up what they tell.

    None where something is refused: its words name rows, which have to be numbered through.
    """
    nobody = PartitionRows(source.name, source.columns)
    plain = replace(rows, source=nobody, blocks=dict(rows.blocks), names=dict(rows.names))
    empty = total.fresh(plain)

    def count(batches: Iterator[RowBatch]) -> bytes:
        own = replace(plain, source=replace(nobody, parts=batches))
        counts = Counts(own, empty.fresh(own))
        counts.count(extra, False)
        return pickle.dumps(counts)

    counts = Counts(rows, total)
    columns = rows.wanted([*counts.units.columns, *extra])
    for part in source.counted(columns, count):
        counts.merge(pickle.loads(part))
    return None if counts.tally.broken else counts
