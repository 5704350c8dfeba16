"""Sums of the answers in a database, added up by it: grouped aggregates, and no row is fetched.

Rows are dropped, codes set missing and items turned by expressions of the query, as `RowPass` does
with rows. Answers are taken about the middle of their scale, so that nothing cancels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import SurveyError
from csimodel.survey.item import Item
from csimodel.survey.missing import MissingCounts
from csimodel.survey.scanning.batches import RowBatch
from csimodel.survey.scanning.database import Database
from csimodel.survey.scanning.rows import RowPass, UsedRows
from csimodel.survey.scanning.tally import LEVELS, Tally

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, eq=False)
class GroupSums:
    """What a database added up of each combination of labels.

    Attributes
    ----------
    labels
        The combinations as rows of a batch; those of which rows are used are used.
    given, rows
        Rows there were, and rows used, (sets,).
    weight, squared_weight
        Sums of weights and of their squares, (sets,).
    sums
        ``Σ w (x - c)``, (sets, items).
    products
        ``Σ w (x - c)(x - c)'``, (sets, items, items); None where none were asked for.
    """

    labels: UsedRows
    given: Codes
    rows: Codes
    weight: Floats
    squared_weight: Floats
    sums: Floats
    products: Floats | None


@dataclass(frozen=True, eq=False)
class Aggregates:
    """Queries of the answers to some items.

    Attributes
    ----------
    rows
        How answers are taken from the table.
    database
        The table, and what answers queries of it.
    keys
        Columns of the table by whose labels is grouped, by what they are called here.
    """

    rows: RowPass
    database: Database
    keys: Mapping[str, str]

    @cached_property
    def centre(self) -> Floats:
        """What answers are taken about, (items,): the middle of the scale, else near the mean."""
        minimum, maximum = self.rows.template.bounds(self.rows.columns)
        centre = (minimum + maximum) / 2.0
        unknown = np.flatnonzero(~np.isfinite(centre)).tolist()
        if unknown:
            answers = self._answers
            means = self._row({f"m{k}": answers[f"q{k}"].mean() for k in unknown})
            centre[unknown] = [round(means[f"m{k}"]) if means[f"m{k}"] else 0 for k in unknown]
        return np.asarray(centre)

    def tally(self) -> Tally | None:
        """Return what is changed and left out, counted; None where rows have to be looked at."""
        answers, items = self._answers, range(len(self.rows.items))
        usable, used, weights = answers["usable"], answers["used"], answers["weight"]
        asked = {
            "rows": answers.count(),
            "with_weight": _count(usable),
            "used": _count(used),
            "wrong": _count((weights < 0) | (weights > _LARGEST)),
        }
        for k in items:
            own = answers[f"q{k}"]
            asked[f"lost{k}"] = _count(usable & own.isnull())
            asked[f"low{k}"], asked[f"high{k}"] = own.min(where=usable), own.max(where=usable)
            asked[f"used_low{k}"] = own.min(where=used)
            asked[f"used_high{k}"] = own.max(where=used)
            asked[f"coded{k}"] = _count(answers[f"c{k}"])
            asked[f"outside{k}"] = _count(answers[f"o{k}"])
        told = self._row(asked)

        def each(name: str) -> Floats:
            return np.array([told[f"{name}{k}"] for k in items])

        low, high = each("low"), each("high")
        endless = np.isinf(low) | np.isinf(high)
        if told["wrong"] > 0 or endless.any() or each("outside").any():
            return None
        tally = self.rows.tally()
        tally.rows, tally.with_weight = int(told["rows"]), int(told["with_weight"])
        tally.low, tally.high = low, high
        tally.count_used(each("used_low"), each("used_high"))
        none = MissingCounts.none(tally.with_weight, len(items), len(self.rows.blocks))
        dropped, cells = tally.with_weight - int(told["used"]), each("lost").astype(np.intp)
        tally.losses = replace(none, dropped=dropped, cells=cells)
        coded = zip(self.rows.items, each("coded").tolist(), strict=True)
        tally.coded.update({item: int(count) for item, count in coded if count})
        self._count_levels(tally)
        return tally

    def sums(self, keys: Sequence[str], products: bool = True) -> GroupSums:
        """Return sums of each combination of labels of some of the columns.

        Parameters
        ----------
        keys
            The columns; none for all rows together.
        products
            Whether to ask for products, too.
        """
        answers, used = self._answers, self._answers["used"]
        items = list(range(len(self.rows.items)))
        weights = answers["weight"]
        about = [used.ifelse(answers[f"q{k}"] - float(self.centre[k]), None) for k in items]
        scaled = about
        if self.rows.template.weights is not None:
            scaled = [own * weights for own in about]
        asked = {"given": answers.count(), "rows": _count(used)}
        asked["weight"] = used.ifelse(weights, 0.0).sum()
        asked["squared_weight"] = used.ifelse(weights * weights, 0.0).sum()
        asked |= {f"s{k}": scaled[k].sum() for k in items}
        if products:
            asked |= {f"p{k}_{j}": (scaled[k] * about[j]).sum() for k in items for j in items[k:]}
        places = {key: f"k{place}" for place, key in enumerate(self.keys)}
        names = {places[key]: self.keys[key] for key in keys}
        grouped = answers.group_by(list(names)) if names else answers
        table = self.database.run(grouped.aggregate(**asked))
        columns = {name: _numbers(table, name) for name in asked}
        matrices = None
        if products:
            matrices = np.empty((table.num_rows, len(items), len(items)))
            for k in items:
                for j in items[k:]:
                    matrices[:, k, j] = matrices[:, j, k] = columns[f"p{k}_{j}"]
        return GroupSums(
            self._labels(table, names),
            columns["given"].astype(np.intp),
            columns["rows"].astype(np.intp),
            columns["weight"],
            columns["squared_weight"],
            np.column_stack([columns[f"s{k}"] for k in items]),
            matrices,
        )

    def _labels(self, table: pa.Table, names: Mapping[str, str]) -> UsedRows:
        """Return combinations of labels as rows, those used of which rows are."""
        arrays = {raw: table.column(name).combine_chunks() for name, raw in names.items()}
        kept = np.flatnonzero(_numbers(table, "rows") > 0)
        batch = RowBatch(arrays, table.num_rows, "The database", 0)
        return UsedRows(np.empty((len(kept), 0)), None, batch, kept)

    @cached_property
    def _answers(self) -> Any:
        """The rows of the table as they are used.

        Answers q0, …, whether they hold a code (c0, …) or lie outside their scale (o0, …), labels
        k0, …, weight, and whether the row has one (usable) and all answers (used).
        """
        template, columns = self.rows.template, self.rows.columns
        minimum, maximum = template.bounds(columns)
        table = self.database.table
        own = {f"k{k}": table[raw] for k, raw in enumerate(self.keys.values())}
        for k, name in enumerate(columns):
            known, answer = template.items.get(name, Item(name)), self._number(name)
            own[f"c{k}"] = _one_of(answer, known.missing_codes)
            if known.missing_codes:
                answer = own[f"c{k}"].ifelse(None, answer)
            if known.reversed and known.minimum is not None and known.maximum is not None:
                answer = float(known.minimum + known.maximum) - answer
            own[f"q{k}"] = answer
        weight = None if template.weights is None else self._number(template.weights)
        own["weight"] = _literal(1.0) if weight is None else weight
        rows = table.select(**own)
        rows = rows.mutate(usable=(rows["weight"] > 0.0).fill_null(False))
        used, outside = rows["usable"], {}
        for k, name in enumerate(columns):
            answer = rows[f"q{k}"]
            used &= answer.notnull()
            if np.isfinite(minimum[k]) and np.isfinite(maximum[k]):
                wrong = (answer < float(minimum[k])) | (answer > float(maximum[k]))
                wrong = wrong if name in self.rows.strict else wrong & rows["usable"]
                outside[f"o{k}"] = wrong.fill_null(False)
            else:
                outside[f"o{k}"] = _one_of(answer, ())
        return rows.mutate(used=used, **outside)

    def _number(self, name: str) -> Any:
        """Return a column as numbers, without a value where it is not a number.

        Raises
        ------
        SurveyError
            When it holds text, dates or the like.
        """
        column = self.database.table[self.rows.names[name]]
        kind = column.type()
        if kind.is_boolean():
            column = column.cast("int8")
        elif not kind.is_numeric():
            raise SurveyError(
                f"engine='sql' adds up columns of numbers, and {name!r} of "
                f"{self.rows.source.name} is {kind}; turn it into numbers in the query."
            )
        number = column.cast("float64")
        if kind.is_floating() and self.database.not_numbers:
            number = number.isnan().ifelse(None, number)
        return number

    def _row(self, asked: Mapping[str, Any]) -> dict[str, float]:
        """Return aggregates of all rows by name, NaN for those of nothing."""
        table = self.database.run(self._answers.aggregate(**asked))
        return {name: float(_numbers(table, name, np.nan)[0]) for name in asked}

    def _count_levels(self, tally: Tally) -> None:
        """Count different answers of items without a scale or with labels, and codes of guessed."""
        answers = self._answers
        for k, item in enumerate(self.rows.items):
            if np.isnan(tally.minimum[k]) or item in tally.labels:
                rows = answers.filter(answers["usable"] & answers[f"q{k}"].notnull())
                tally.levels[item] = self._times(rows[f"q{k}"])
            if item in tally.guessed and tally.coded[item]:
                number = self._number(self.rows.columns[k])
                codes = self.rows.template.items[self.rows.columns[k]].missing_codes
                rows = self.database.table.select(q=number)
                rows = rows.filter(rows["q"].isin([float(code) for code in codes]))
                tally.codes[item] = self._times(rows["q"])

    def _times(self, column: Any) -> Counter[float]:
        """Return how often each value was given, of at most some."""
        asked = column.as_table().rename(value=column.get_name()).group_by("value")
        table = self.database.run(asked.aggregate(times=lambda own: own.count()).limit(LEVELS + 1))
        values, times = _numbers(table, "value"), _numbers(table, "times").astype(np.intp)
        return Counter(dict(zip(values.tolist(), times.tolist(), strict=True)))


def _count(condition: Any) -> Any:
    """Return how many rows meet a condition."""
    return condition.ifelse(1, 0).sum()


def _numbers(table: pa.Table, name: str, empty: float = 0.0) -> Floats:
    """Return a column of an answer, (rows,); `empty` where there is no value."""
    column = table.column(name).combine_chunks().cast("float64", safe=False)
    values = np.array(column.to_numpy(zero_copy_only=False), dtype=np.float64)
    null = np.array(column.is_null().to_numpy(zero_copy_only=False), dtype=np.bool_)
    values[null] = empty
    return values


def _one_of(column: Any, values: Sequence[float]) -> Any:
    """Return whether a column holds one of some values."""
    return (
        column.isin([float(own) for own in values]).fill_null(False) if values else _literal(False)
    )


def _literal(value: object) -> Any:
    import ibis

    return ibis.literal(value)
