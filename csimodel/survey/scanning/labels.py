"""Codes for the labels of strata, clusters and groups, in the order in which they are met."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import SurveyError
from csimodel.survey.checks import labels_of
from csimodel.survey.group_rows import distinct_rows

Codes = NDArray[np.intp]


def other_rows(source: str, seen: str) -> SurveyError:
    """Return the refusal of rows that are others than those of the fit."""
    return SurveyError(
        f"The scan of {source} does not give the rows that it gave to the fit ({seen}); write "
        "them to a file or a table, scan that, and fit again."
    )


@dataclass
class Labels:
    """Labels met so far, each with its code.

    Attributes
    ----------
    places
        Code of each label.
    closed
        What is read again, where every label has been met; None before.
    categories
        Labels that a column of categories may have, in their order.

    Examples
    --------
    >>> labels = Labels()
    >>> labels.codes(pd.Series(["b", "a", None])).tolist(), labels.codes(pd.Series(["a"])).tolist()
    ([0, 1, -1], [1])
    """

    places: dict[Hashable, int] = field(default_factory=dict)
    closed: str | None = None
    categories: dict[Hashable, None] = field(default_factory=dict)

    def codes(self, column: pd.Series, what: str = "Column") -> Codes:
        """Return the code of each cell, -1 where there is none, (rows,).

        Raises
        ------
        SurveyError
            When cells are no labels, such as lists, or rows are read again and are others.
        """
        own, labels = labels_of(column, what, sort=False)
        if isinstance(column.dtype, pd.CategoricalDtype):
            self.categories |= dict.fromkeys(column.cat.categories)
        if self.closed is not None:
            for label in labels.tolist():
                if label not in self.places:
                    raise other_rows(self.closed, f"{label} was not in {column.name!r}")
        places = [self.places.setdefault(label, len(self.places)) for label in labels.tolist()]
        table = np.array([*places, -1], dtype=np.intp)
        return np.asarray(table[own])

    def merge(self, other: Labels) -> Codes:
        """Add the labels met elsewhere, and return the code here of each code there.

        >>> here, there = Labels({"a": 0}), Labels({"b": 0, "a": 1})
        >>> here.merge(there).tolist()
        [1, 0]
        """
        self.categories |= other.categories
        places = [self.places.setdefault(label, len(self.places)) for label in other.places]
        return np.array(places, dtype=np.intp)

    @property
    def column(self) -> pd.Series:
        """The labels in the order of their codes; categories where they are some."""
        known = pd.Series(list(self.places), dtype=object)
        if self.categories and set(self.places) <= set(self.categories):
            return known.astype(pd.CategoricalDtype(list(self.categories)))
        return known.infer_objects()

    def __len__(self) -> int:
        return len(self.places)


@dataclass
class Combinations:
    """Combinations of labels of several columns met so far, each with its code."""

    columns: tuple[str, ...]
    labels: tuple[Labels, ...] = ()
    places: dict[tuple[int, ...], int] = field(default_factory=dict)
    closed: str | None = None

    def __post_init__(self) -> None:
        self.labels = tuple(Labels() for _ in self.columns)

    def codes(self, columns: Sequence[pd.Series]) -> Codes:
        """Return the code of each row, -1 where a cell is empty, (rows,)."""
        each = [
            own.codes(column, f"Group column {column.name!r}")
            for own, column in zip(self.labels, columns, strict=True)
        ]
        return self.codes_of(np.stack(each, axis=1))

    def codes_of(self, parts: NDArray[np.intp]) -> Codes:
        """Return the codes of rows of codes, -1 where one of them is, (rows,)."""
        own, first = distinct_rows(parts)
        if self.closed is not None:
            for row in map(tuple, parts[first].tolist()):
                if min(row, default=0) >= 0 and row not in self.places:
                    names = " and ".join(map(repr, self.columns))
                    raise other_rows(self.closed, f"with labels of {names} that were not together")
        table = np.array(
            [
                -1 if min(row, default=0) < 0 else self.places.setdefault(row, len(self.places))
                for row in map(tuple, parts[first].tolist())
            ],
            dtype=np.intp,
        )
        return np.asarray(table[own])

    def merge(self, other: Combinations) -> Codes:
        """Add the combinations met elsewhere, and return the code here of each code there."""
        codes = [own.merge(theirs) for own, theirs in zip(self.labels, other.labels, strict=True)]
        rows = np.array(list(other.places), dtype=np.intp).reshape(-1, len(codes))
        columns = [own[part] for own, part in zip(codes, rows.T, strict=True)]
        return self.codes_of(np.stack(columns, axis=1) if columns else rows)

    def close(self, source: str) -> None:
        """Refuse from now on what has not been met in these rows."""
        self.closed = source
        for own in self.labels:
            own.closed = source

    def frame(self) -> pd.DataFrame:
        """Return the labels of each code, a row for each."""
        rows = np.array(list(self.places), dtype=np.intp).reshape(-1, len(self.columns))
        cells = {}
        for name, own, place in zip(self.columns, self.labels, rows.T, strict=True):
            cells[name] = own.column.iloc[place].reset_index(drop=True)
        return pd.DataFrame(cells)

    def __len__(self) -> int:
        return len(self.places)
