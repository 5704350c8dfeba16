"""A pass over the rows of a scan: batches → complete answers, counted on the way."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.progress import progress_bar
from csimodel.survey import checks, missing
from csimodel.survey.item import Item
from csimodel.survey.missing import MissingCounts
from csimodel.survey.scanning.batches import RowBatch, RowSource, read_ahead
from csimodel.survey.scanning.tally import Tally
from csimodel.survey.survey import Survey

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


_EXACT = 2.0**53  # below which every whole number has its own float


@dataclass(frozen=True, eq=False)
class UsedRows:
    """The rows of a batch that are used.

    Attributes
    ----------
    values
        Complete answers, (rows, items).
    weights
        As they stand in the data, (rows,), or None.
    batch
        What they come from.
    kept
        Their places in the batch, (rows,); None for all.
    """

    values: Floats
    weights: Floats | None
    batch: RowBatch
    kept: Codes | None

    @property
    def places(self) -> Codes:
        """Their places in the batch, (rows,)."""
        return np.arange(self.batch.rows) if self.kept is None else self.kept

    def used(self, of_batch: Codes) -> Codes:
        """Return the codes of the rows used, from those of all rows of the batch."""
        return of_batch if self.kept is None else of_batch[self.kept]


@dataclass(frozen=True, eq=False)
class RowPass:
    """What passes over rows read, and how answers are taken from it.

    Attributes
    ----------
    source
        The rows.
    template
        What is known about the items, and what is done with missing answers.
    names
        Name of each column in the source, by its name here.
    blocks
        Items by construct.
    guessed
        Whether missing codes were given for all columns.
    strict
        Columns that have to keep their scale in every row, with a weight or without.
    buckets
        How many random groups of clusters or respondents are the units; None for themselves.
    bucket
        Column of the source that holds them, where a database made them.
    """

    source: RowSource
    template: Survey
    names: Mapping[str, str]
    blocks: Mapping[str, Sequence[str]]
    guessed: bool
    strict: frozenset[str]
    buckets: int | None = None
    bucket: str | None = None

    @property
    def clustered(self) -> bool:
        """Whether the units have labels: clusters, or buckets."""
        return self.template.cluster is not None or self.buckets is not None

    @property
    def items(self) -> tuple[str, ...]:
        """Names of the items, in the order of the blocks."""
        return tuple(item for block in self.blocks.values() for item in block)

    @property
    def columns(self) -> list[str]:
        """Their columns."""
        construct_of = {item: name for name, own in self.blocks.items() for item in own}
        return checks.columns_of_items(self.template.data, construct_of)

    def wanted(self, extra: Sequence[str]) -> list[str]:
        """Return the columns of the source that a pass reads, with further ones."""
        weights = [] if self.template.weights is None else [self.template.weights]
        names = [self.names[name] for name in (*self.columns, *weights, *extra)]
        return list(dict.fromkeys(names if self.bucket is None else [*names, self.bucket]))

    def tally(self) -> Tally:
        """Return counts of nothing yet."""
        minimum, maximum = self.template.bounds(self.columns)
        items = self.items
        losses = MissingCounts.none(0, len(items), len(self.blocks))
        guessed = frozenset(items if self.guessed else ())
        known = self.template.items
        labels = {
            item: self.template.value_labels[column]
            for item, column in zip(items, self.columns, strict=True)
            if column in self.template.value_labels
            and (column not in known or known[column].minimum is None or known[column].assumed)
        }
        return Tally(items, minimum, maximum, self.template.weights, losses, guessed, labels)

    def parts(
        self, tally: Tally, extra: Sequence[str] = (), progress: bool = True
    ) -> Generator[UsedRows, None, None]:
        """Yield the rows used, batch after batch; `tally` counts what is changed and left out.

        Parameters
        ----------
        tally
            From `tally()`.
        extra
            Further columns to read.
        progress
            Show a bar when it takes longer than a second.
        """
        columns = self.columns
        with (
            closing(read_ahead(self.source, self.wanted(extra))) as batches,
            progress_bar(self.source.rows, "Rows", progress, "row") as bar,
        ):
            for batch in batches:
                part = self._part(batch, columns, tally)
                if not tally.broken:
                    yield part
                bar.update(batch.rows)

    def labels(self, part: UsedRows, name: str) -> pd.Series:
        """Return a further column, of all rows of the batch."""
        return part.batch.labels(self.names[name]).rename(name)

    def whole_labels(self, labels: pd.DataFrame) -> pd.DataFrame:
        """Return labels, whole numbers without a decimal point where a text file has none."""
        texts = self.source.text_numbers
        whole = {
            name: "int64"
            for name, column in labels.items()
            if self.names[str(name)] in texts
            and pd.api.types.is_float_dtype(column)
            and (column == column.round()).all()
            and column.abs().max() < _EXACT
        }
        return labels.astype(whole)

    def numbers(self, batch: RowBatch, name: str) -> Floats:
        """Return a further column as numbers, as the survey has it, NaN where missing, (rows,).

        Raises
        ------
        SurveyError
            When it holds text, dates or the like.
        """
        values = np.array(batch.numbers(self.names[name])[0], dtype=np.float64)
        known = self.template.items.get(name, Item(name))
        if known.missing_codes:
            values[np.isin(values, known.missing_codes)] = np.nan
        if known.reversed and known.minimum is not None and known.maximum is not None:
            values = known.minimum + known.maximum - values
        return values

    def _part(self, batch: RowBatch, columns: Sequence[str], tally: Tally) -> UsedRows:
        """Take the rows with a weight, and count what is wrong with their answers."""
        values, low, high, gaps = self._answers(batch, columns, tally)
        tally.rows += batch.rows
        kept, weights = None, None
        name = self.template.weights
        if name is not None:
            given, text = batch.numbers(self.names[name])
            if text:
                tally.text[name] = None
            weights = np.asarray(given, dtype=np.float64)
            usable = tally.count_weights(weights, batch.start)
            if not usable.all():
                declared = np.array([column in self.strict for column in columns])
                tally.count_outside(values[~usable], declared)
                kept = np.flatnonzero(usable)
                values, weights = values[kept], weights[kept]
                low, high, gaps = checks.extremes(values)
        tally.with_weight += len(values)
        rows = np.arange(batch.rows) if kept is None else kept
        tally.count_answers(values, low, high, batch.start + rows)
        losses = MissingCounts.none(len(values), len(self.items), len(self.blocks))
        if gaps:
            own = (self.blocks, self.items, tally.minimum, tally.maximum)
            treated = missing.apply(self.template.missing, values, *own)
            values, losses = treated.values, treated.losses
            if treated.kept is not None:
                kept = rows[treated.kept]
                weights = None if weights is None else weights[treated.kept]
            low, high, _ = checks.extremes(values)
        tally.losses += losses
        tally.count_used(low, high)
        return UsedRows(values, weights, batch, kept)

    def _answers(
        self, batch: RowBatch, columns: Sequence[str], tally: Tally
    ) -> tuple[Floats, Floats, Floats, bool]:
        """Return answers (rows, items), their extremes, and whether any is missing.

        Codes are set missing and items turned.
        """
        values = np.empty((len(columns), batch.rows))
        low, high = np.full((2, len(columns)), np.nan)
        gaps = False
        for place, (item, column) in enumerate(zip(self.items, columns, strict=True)):
            given, text = batch.numbers(self.names[column])
            if text:
                tally.text[item] = None
            own = values[place]
            own[:] = given
            known = self.template.items.get(column, Item(column))
            bottom, top, empty = _extremes(given)
            codes = known.missing_codes
            if codes and not (bottom > max(codes) or top < min(codes)):
                hit = np.isin(own, codes)
                if hit.any():
                    tally.count_codes(item, own, hit)
                    own[hit] = np.nan
                    bottom, top, empty = _extremes(own)
            if known.reversed:
                assert known.minimum is not None
                assert known.maximum is not None
                turn = known.minimum + known.maximum
                np.subtract(turn, own, out=own)
                bottom, top = turn - top, turn - bottom
            low[place], high[place] = bottom, top
            gaps |= empty
        return values.T, low, high, gaps


def _extremes(column: NDArray[np.generic]) -> tuple[float, float, bool]:
    """Return the smallest and the largest, NaN where there is none, and whether one is missing."""
    if not len(column):
        return np.nan, np.nan, False
    low, high = float(column.min()), float(column.max())
    if np.isnan(low):
        return float(np.fmin.reduce(column)), float(np.fmax.reduce(column)), True
    return low, high, False
