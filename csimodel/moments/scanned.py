"""The moments of a scan: one pass over its rows, in memory that does not grow with them."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import SurveyError
from csimodel.findings import Finding
from csimodel.moments.additive import AdditiveMoments
from csimodel.moments.blocks import moments_of_sets
from csimodel.moments.database_counts import counts_by_database
from csimodel.moments.moments import Moments
from csimodel.moments.scanned_counts import ByGroup, Counts, Total, counts_by_workers
from csimodel.survey import Answers
from csimodel.survey.design import require_several
from csimodel.survey.sampling import SurveyDesign
from csimodel.survey.scanning.labels import Combinations, other_rows
from csimodel.survey.scanning.rows import RowPass, UsedRows
from csimodel.survey.scanning.scan import Scan
from csimodel.survey.scanning.spark import SparkRows
from csimodel.survey.scanning.units import Units, design_of_members

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_SAME = 1e-9  # of the answers' sum, by which sums of the same rows in another order may differ


@dataclass(frozen=True, eq=False)
class ScannedAnswers:
    """What one pass over the answers to a model's items told, of all rows or of a group.

    Attributes
    ----------
    scan
        Where they are.
    rows
        How they are read.
    nobody
        Items, bounds and weights as in `Answers`, without a row.
    sums
        Their moments.
    units
        Strata and clusters of all rows.
    design
        The units that were drawn; no rows belong to them.
    findings
        Rows dropped and cells filled, counted.
    reading
        Cells set missing, counted.
    group
        The groups and the number of this one, or None for all rows.
    by_unit
        Moments of each bucket, (units,), where there are buckets.
    """

    scan: Scan
    rows: RowPass
    nobody: Answers
    sums: AdditiveMoments
    units: Units
    design: SurveyDesign
    findings: tuple[Finding, ...]
    reading: tuple[Finding, ...]
    group: tuple[ScannedGroups, int] | None = None
    by_unit: AdditiveMoments | None = None

    @property
    def moments(self) -> Moments:
        """Means and covariances."""
        return moments_of_sets(self.sums, self.nobody)

    def passes(
        self, extra: Sequence[str] = (), progress: bool = True
    ) -> Generator[RowsOfUnits, None, None]:
        """Yield the rows used once more, with their units as in the design.

        Parameters
        ----------
        extra
            Further columns to read.
        progress
            Show a bar when it takes longer than a second.

        Raises
        ------
        SurveyError
            When the rows are not those of the first pass.
        """
        tally, rows = self.rows.tally(), 0
        total, size = np.zeros((2, len(self.sums.mean)))
        extra = [*self.units.columns, *extra]
        if self.group is not None:
            extra = [*extra, *self.group[0].combinations.columns]
        for part in self.rows.parts(tally, extra, progress):
            own = self._of_units(part)
            rows += len(own.values)
            weights = np.ones(len(own.values)) if own.weights is None else own.weights
            total += weights @ own.values
            size += weights @ abs(own.values)
            yield own
        if rows != int(self.sums.rows):
            raise SurveyError(
                f"The scan of {self.rows.source.name} held {int(self.sums.rows):,} rows that are "
                f"used, and holds {rows:,} now; make it again with csi.scan, and fit again."
            )
        moved = abs(total - rows * self.sums.mean) > _SAME * size
        if moved.any():
            items = [name for name, own in zip(self.rows.items, moved, strict=True) if own]
            raise other_rows(self.rows.source.name, f"as many, with other answers to {items[0]!r}")

    def _of_units(self, part: UsedRows) -> RowsOfUnits:
        """Return the rows of a batch, or those of the group, with weights of mean 1."""
        stratum, unit = self.units.codes(part)
        values, weights = part.values, part.weights
        places = np.arange(len(values))
        if self.group is not None:
            groups, position = self.group
            places = np.flatnonzero(part.used(groups.codes_of(part)) == position)
            values, stratum = values[places], stratum[places]
            weights = None if weights is None else weights[places]
            unit = None if unit is None else unit[places]
        if weights is not None:
            weights = weights * (self.sums.rows / self.sums.weight)
        return RowsOfUnits(self.nobody, values, weights, stratum, unit, part, places)


@dataclass(frozen=True, eq=False)
class RowsOfUnits:
    """Rows of a batch that are used, and the units they belong to.

    Attributes
    ----------
    nobody
        Items and bounds.
    values, weights
        Answers, (rows, items), and weights of mean 1 over all rows, (rows,), or None.
    stratum, unit
        Codes as in the design, (rows,); None for respondents.
    used
        What they are part of.
    places
        Their places in it, (rows,).
    """

    nobody: Answers
    values: Floats
    weights: Floats | None
    stratum: Codes
    unit: Codes | None
    used: UsedRows
    places: Codes


@dataclass(frozen=True, eq=False)
class ScannedGroups:
    """What one pass told of groups of rows.

    Attributes
    ----------
    whole
        All rows.
    sums
        Moments of each group, in the order of the labels.
    labels
        The groups.
    codes
        Place of each combination of labels among the groups, (groups,).
    combinations
        Labels of the columns that make the groups.
    given, without
        Rows of each group before any was dropped, (groups,), and rows used of no group.
    members
        Group, stratum and unit of what was met together, and the rows of each, (any, 4).
    member_sums
        With buckets, weights and weighted answers of each of these, (any, 1 + items); else None.
    """

    whole: ScannedAnswers
    sums: AdditiveMoments
    labels: pd.Index
    codes: Codes
    combinations: Combinations
    given: Codes
    without: int
    members: Codes
    member_sums: Floats | None = None

    @property
    def moments(self) -> Moments:
        """Means and covariances of each group."""
        batch = moments_of_sets(self.sums, self.whole.nobody)
        return replace(batch, mean=np.where(self.sums.rows[:, None] > 1, self.sums.mean, np.nan))

    def alone(self, position: int, findings: tuple[Finding, ...]) -> ScannedAnswers:
        """Return the answers of one group."""
        return replace(
            self.whole,
            sums=self.sums[position],
            design=design_of_members(self.whole.units, self._members[position]),
            findings=findings,
            group=(self, position),
            by_unit=None,
        )

    def codes_of(self, part: UsedRows) -> Codes:
        """Return the place of the group of each row of a batch, -1 for none."""
        rows = self.whole.rows
        columns = [rows.labels(part, name) for name in self.combinations.columns]
        return np.append(self.codes, -1)[self.combinations.codes(columns)]

    @cached_property
    def _members(self) -> list[Codes]:
        """The strata, units and rows met in each group."""
        order = np.argsort(self.members[:, 0], kind="stable")
        bounds = np.searchsorted(self.members[order, 0], np.arange(1, len(self.labels)))
        return np.split(self.members[order, 1:], bounds)


def scanned_answers(
    scan: Scan, blocks: Mapping[str, Sequence[str]], progress: bool = True
) -> ScannedAnswers:
    """Pass over the answers to a model's items.

    Raises
    ------
    SurveyError
        For what `Survey.answers` refuses, and when a file is gone, changed or damaged.
    """
    rows = scan.rows(blocks)
    return _counted(scan, rows, Total(len(rows.items)), (), progress)


def scanned_groups(
    scan: Scan,
    blocks: Mapping[str, Sequence[str]],
    columns: Sequence[str],
    progress: bool = True,
) -> ScannedGroups:
    """Pass over the answers to a model's items, group by group.

    Raises
    ------
    SurveyError
        As `scanned_answers`, and when no row has a group.
    """
    rows, known = scan.rows(blocks), tuple(columns)
    by_group = ByGroup(rows, Combinations(known))
    whole = _counted(scan, rows, by_group, known, progress)
    by_group.combinations.close(scan.source.name)
    if not len(by_group.combinations):
        raise SurveyError(f"No row has a value in {list(known)!r}; choose a column that is filled.")
    grouped = rows.whole_labels(by_group.combinations.frame()).groupby(
        list(known) if len(known) > 1 else known[0], observed=True, sort=True
    )
    codes = np.asarray(grouped.ngroup(), dtype=np.intp)
    order = np.argsort(codes)
    members = np.array(list(by_group.members.places), dtype=np.intp).reshape(-1, 3)
    members = np.column_stack([codes[members[:, 0]], members[:, 1:], by_group.sizes])
    return ScannedGroups(
        whole,
        by_group.sums[order],
        grouped.size().index,
        codes,
        by_group.combinations,
        by_group.given[order],
        by_group.without,
        members,
        None if rows.buckets is None else by_group.member_sums,
    )


def _counted(
    scan: Scan,
    rows: RowPass,
    total: Total | ByGroup,
    extra: Sequence[str],
    progress: bool,
) -> ScannedAnswers:
    """Add up all rows, and check what was met on the way."""
    counts = None
    if isinstance(rows.source, SparkRows):
        counts = counts_by_workers(rows, rows.source, total, extra)
    elif scan.engine == "sql":
        counts = counts_by_database(scan, rows, total, extra)
    if counts is None:
        counts = Counts(rows, total)
        counts.count(extra, progress)
    tally, units, total = counts.tally, counts.units, counts.total
    tally.require_sound()
    findings = tally.findings(rows.template.missing, list(rows.blocks))
    units.require_known()
    require_several(units.design, rows.template.strata)
    nobody = Answers(
        items=rows.items,
        values=np.zeros((0, len(rows.items))),
        weights=None if rows.template.weights is None else np.zeros(0),
        strata=None,
        cluster=None,
        rows=np.zeros(0, dtype=np.intp),
        missing="complete",
        findings=(),
        minimum=tally.minimum,
        maximum=tally.maximum,
        lonely=rows.template.lonely,
    )
    told, reading = (*findings, *units.findings()), tally.reading()
    own = None if rows.buckets is None else counts.by_unit.sums[: len(units.units)]
    return ScannedAnswers(
        scan, rows, nobody, total.whole, units, units.design, told, reading, by_unit=own
    )
