"""A table of texts: the one form in which a table is shown, on a terminal and in HTML."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from csimodel.characters import printable
from csimodel.formatting import figures, label, number, p_value
from csimodel.translation import Message, gettext, pgettext, shown_message

_MARKS = re.compile(r"([\\`*_\[\]<>#|~])")
_WORDS = (
    "reason",
    "verdict",
    "threshold",
    "method",
    "ending",
)  # columns of the package's own words
_COUNTS = ("df", "df_diff", "n")  # whole numbers as a rule, so no decimals are forced on them


@dataclass(frozen=True)
class Grid:
    """A table of texts.

    Attributes
    ----------
    caption
        What it shows.
    head
        Titles of the columns; the first column names the rows.
    rows
        Cells.
    words
        Positions of the columns that hold words and not numbers.
    labels
        Number of columns, from the first, that name the rows.

    Examples
    --------
    >>> print(Grid("", ("", "Index"), (("Image", "72.5"), ("满意度", "8.0"))).text())
            Index
    Image    72.5
    满意度    8.0
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: frozenset[int] = frozenset({0})
    labels: int = 1

    @classmethod
    def of(cls, table: pd.DataFrame, decimals: int | None = None, caption: str = "") -> Grid:
        """Write a table out; its labels are the first columns.

        Left out are reasons where everything has its error, and degrees of freedom where all
        errors are normal. No number is an empty cell; p-values are written alike everywhere.

        Parameters
        ----------
        table
            Any data frame.
        decimals
            Of its numbers; None for four figures.
        caption
            What it shows.

        Examples
        --------
        >>> frame = pd.DataFrame({"estimate": [0.5, np.nan], "p": [1e-9, 0.04]}, ["a", "b"])
        >>> Grid.of(frame, 3).rows
        (('a', '0.500', '< .001'), ('b', '', '.040'))
        """
        table = table.drop(columns=_silent(table))
        names = [column_title(name) for name in table.index.names]
        levels = [table.index.get_level_values(i) for i in range(len(names))]
        columns = [[row_name(value) for value in level] for level in levels]
        words = set(range(len(names)))
        for position, name in enumerate(table.columns):
            values = table.iloc[:, position]
            numeric = pd.api.types.is_numeric_dtype(values) and not _is_truth(values)
            if not numeric:
                words.add(len(columns))
            columns.append([_cell(value, name, decimals) for value in values])
        head = (*names, *(column_title(name) for name in table.columns))
        rows = tuple(zip(*columns, strict=True))
        return cls(caption, head, rows, frozenset(words), len(names))

    def beside(self, title: str, cells: Sequence[str]) -> Grid:
        """Return the table with a column of words more."""
        rows = tuple((*row, cell) for row, cell in zip(self.rows, cells, strict=True))
        words = self.words | {len(self.head)}
        return Grid(self.caption, (*self.head, title), rows, words, self.labels)

    def text(self) -> str:
        """Return the table for a terminal, in columns as wide as what they hold."""
        rows = [self.head, *self.rows]
        widths = [max(columns_of(row[j]) for row in rows) for j in range(len(self.head))]
        return "\n".join(self._line(row, widths) for row in rows)

    def html(self, kind: str = "") -> str:
        """Return the table as HTML with every text escaped; `kind` is its class."""
        caption = f"<caption>{escaped(self.caption)}</caption>" if self.caption else ""
        head = "".join(self._html_cell("th", "col", j, name) for j, name in enumerate(self.head))
        body = "\n".join(f"<tr>{''.join(self._html_row(row))}</tr>" for row in self.rows)
        css = f' class="{escaped(kind)}"' if kind else ""
        return (
            f"<table{css}>{caption}\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>"
            "</table>"
        )

    def markdown(self) -> str:
        r"""Return the table as Markdown; numbers stand at the right.

        >>> print(grid("", ["", "Index"], [["a|b", "72.5"]]).markdown())
        |  | Index |
        | --- | ---: |
        | a\|b | 72.5 |
        """
        rule = ["---" if j in self.words else "---:" for j in range(len(self.head))]
        rows = [list(map(marked_down, row)) for row in (self.head, *self.rows)]
        return "\n".join(f"| {' | '.join(row)} |" for row in (rows[0], rule, *rows[1:]))

    def _line(self, row: Sequence[str], widths: Sequence[int]) -> str:
        cells = (
            _padded(cell, width, left=j in self.words)
            for j, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    def _html_row(self, row: Sequence[str]) -> Iterator[str]:
        for j, cell in enumerate(row):
            named = j < self.labels
            yield self._html_cell("th" if named else "td", "row" if named else "", j, cell)

    def _html_cell(self, tag: str, scope: str, position: int, text: str) -> str:
        of = f' scope="{scope}"' if scope else ""
        css = ' class="word"' if position in self.words else ""
        return f"<{tag}{of}{css}>{escaped(text)}</{tag}>"


def grid(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], words: Iterable[int] = (0,)
) -> Grid:
    """Return a table of texts from any sequences of them.

    >>> grid("Index", ["", "Index"], [["Image", "72.5"]]).rows
    (('Image', '72.5'),)
    """
    return Grid(caption, tuple(head), tuple(tuple(row) for row in rows), frozenset(words))


def escaped(text: str) -> str:
    """Return text as HTML holds it, without characters that no page can hold.

    >>> escaped("a < b & c")
    'a &lt; b &amp; c'
    """
    return escape(printable(text))


def marked_down(text: str) -> str:
    r"""Return text as Markdown holds it in one line, its signs taken for themselves.

    >>> print(marked_down("a*b <c>"))
    a\*b \<c\>
    """
    return _MARKS.sub(r"\\\1", " ".join(printable(text).split()))


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes; Chinese characters take two.

    >>> columns_of("满意度"), columns_of("index")
    (6, 5)
    """
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _padded(text: str, width: int, *, left: bool) -> str:
    space = " " * (width - columns_of(text))
    return text + space if left else space + text


def _silent(table: pd.DataFrame) -> list[Hashable]:
    """Return the columns that tell nothing: empty reasons, infinite degrees of freedom."""
    reasons = [name for name in ("reason",) if name in table and (table[name] == "").all()]
    normal = [name for name in ("df",) if name in table and not np.isfinite(table[name]).any()]
    return [*reasons, *normal]


def column_title(name: object) -> str:
    """Return the title of a column, in the language of the moment if it is one of the package's."""
    if isinstance(name, tuple):
        return " · ".join(column_title(part) for part in name)
    return "" if name is None else pgettext("column", label(name))


def row_name(value: object) -> str:
    """Return the name of a row: a text of the package in the language of the moment.

    >>> row_name(3.0), row_name("north")
    ('3', 'north')
    """
    return shown_message(value) if isinstance(value, Message) else label(value)


def _is_truth(values: pd.Series) -> bool:
    return pd.api.types.is_bool_dtype(values)


def _is_p_value(name: str) -> bool:
    return name in ("p", "pvalue") or name.startswith("p_") or name.endswith("_p")


def _cell(value: object, name: object, decimals: int | None) -> str:
    """Write one value; nothing where there is none."""
    last = name[-1] if isinstance(name, tuple) else name
    if isinstance(value, bool | np.bool_):
        return word(value, last)
    if isinstance(value, int | np.integer):
        return number(float(value), 0)
    if isinstance(value, float | np.floating):
        if _is_p_value(str(last)):
            return p_value(float(value), "")
        if last in _COUNTS:
            return number(float(value), 0 if float(value).is_integer() else 1, "")
        if decimals is None:
            return figures(float(value), "")
        return number(float(value), decimals, "")
    return word(value, last)


def word(value: object, column: object) -> str:
    """Return what is no number as a cell shows it, in the language of the moment.

    Parameters
    ----------
    value
        A truth value, a text, or None.
    column
        The name of its column, which says whether the text is one of the package's own.

    Examples
    --------
    >>> word(True, "holds"), word(None, "reason"), word("north", "region")
    ('yes', '', 'north')
    """
    if isinstance(value, bool | np.bool_):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, Message):
        return shown_message(value)
    text = "" if value is None or value is pd.NA or value is pd.NaT else label(value)
    return gettext(text) if column in _WORDS else text
