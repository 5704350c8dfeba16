"""Numbers of tidy tables as journals write them (APA 7), with what a spreadsheet needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from csimodel.formatting import LARGEST, number, p_value
from csimodel.grid import word
from csimodel.tables.blocks import FIT, ResultColumns
from csimodel.translation import message, zero_before_point

STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
HEADS = {
    "estimate": message("Est."), "se": message("SE"), "df": message("df"), "p": message("p"),
    "t": message("t"), "n": message("n"),
}  # fmt: skip

_COUNTS = ("N", "df", "n")
_WIDE = ("χ²", "AIC", "BIC")


@dataclass(frozen=True)
class Cell:
    """What stands in a cell.

    Attributes
    ----------
    text
        As it is printed.
    value
        The number, or None for words.
    form
        How a spreadsheet writes the number.
    """

    text: str = ""
    value: float | None = None
    form: str = "General"


def apa_number(value: float, decimals: int, bounded: bool) -> str:
    """Write a number as APA does: no zero before the point where it cannot exceed 1.

    Languages that write that zero keep it.

    American Psychological Association (2020). Publication Manual, 7th edition, section 6.36.
    https://doi.org/10.1037/0000165-000

    >>> apa_number(0.52, 2, True), apa_number(-0.521, 2, True), apa_number(1.0, 2, True)
    ('.52', '−.52', '1.00')
    >>> apa_number(0.52, 2, False), apa_number(float("nan"), 2, True)
    ('0.52', '')
    """
    text = number(value, decimals, "")
    bare = bounded and not zero_before_point()
    return text.replace("0.", ".", 1) if bare and text.lstrip("−").startswith("0.") else text


def stars_of(p: float) -> str:
    """Return the stars of a p-value.

    >>> stars_of(0.02), stars_of(0.0001), stars_of(float("nan"))
    ('*', '***', '')
    """
    return next((marks for limit, marks in STARS if p < limit), "")


def columns_of(blocks: Sequence[ResultColumns], show: Sequence[str]) -> list[list[str]]:
    """Return the columns of each block: those asked for that it has, in that order."""
    kept = []
    for block in blocks:
        has = {str(name) for table in block.sections.values() for name in table.columns}
        own = [name for name in show if name in has or (name == "interval" and "lower" in has)]
        kept.append(own or ["estimate"])
    return kept


def cells_of(
    blocks: Sequence[ResultColumns], columns: Sequence[Sequence[str]], decimals: int, stars: bool
) -> dict[tuple[str, str], list[Cell]]:
    """Return the cells of every row, by section and label."""
    rows: dict[tuple[str, str], list[Cell]] = {}
    for title in dict.fromkeys(title for block in blocks for title in block.sections):
        tables = [block.sections.get(title, pd.DataFrame()) for block in blocks]
        for name in dict.fromkeys(name for table in tables for name in table.index):
            rows[title, name] = []
            for table, own in zip(tables, columns, strict=True):
                bounds = {column: _bounded(tables, column) for column in own}
                entry = table.loc[name] if name in table.index else None
                for column in own:
                    at = _Place(title, str(name), column, bounds[column], decimals)
                    rows[title, name].append(Cell() if entry is None else at.cell(entry, stars))
    return rows


@dataclass(frozen=True)
class _Place:
    """Where a cell stands, which says how its number is written."""

    section: str
    row: str
    column: str
    bounded: bool
    decimals: int

    def cell(self, entry: pd.Series, stars: bool) -> Cell:
        """Return the cell from a row of a tidy table."""
        if self.column == "interval":
            ends = [_real(entry.get(end)) for end in ("lower", "upper")]
            if not all(map(math.isfinite, ends)):
                return Cell()
            low, high = (apa_number(end, self.decimals, self.bounded) for end in ends)
            return Cell(f"[{low}, {high}]")
        value = entry.get(self.column)
        if not _is_real(value):
            return Cell(word(value, self.column))
        own = _real(value)
        if not math.isfinite(own):
            return Cell(number(own, 0, ""))
        marks = stars_of(_real(entry.get("p"))) if stars and self._estimate else ""
        if abs(own) >= LARGEST:
            return Cell(number(own) + marks, own, "0.000E+00")
        if self.column == "p" or self.row == "p of χ²":
            return Cell(p_value(own), own, "0.000" if zero_before_point() else ".000")
        if self._count:
            places = 0 if own.is_integer() else 1
            return Cell(number(own, places), own, "#,##0" if not places else "#,##0.0")
        bounded = abs(own) <= 1 and self.section == FIT and self.row not in _WIDE
        text = apa_number(own, self._places, self.bounded or bounded)
        bare = (self.bounded or bounded) and not zero_before_point()
        whole = "" if bare else "#,##0" if abs(own) >= 1000 else "0"
        form = f"{whole}.{'0' * self._places}" if self._places else "#,##0"
        ending = f'"{marks}"' if marks else ""
        return Cell(text + marks, own, f"{form}{ending};−{form}{ending}")

    @property
    def _estimate(self) -> bool:
        return self.column == "estimate" and self.section != FIT

    @property
    def _count(self) -> bool:
        return (self.row if self.section == FIT else self.column) in _COUNTS

    @property
    def _places(self) -> int:
        return 3 if self.section == FIT and self.row not in _WIDE else self.decimals


def _is_real(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(
        value, bool | np.complexfloating
    )


def _real(value: object) -> float:
    """Return a number as a float, and NaN for what is none."""
    if isinstance(value, int | float | np.integer | np.floating) and _is_real(value):
        return float(value)
    return math.nan


def _is_real_dtype(values: pd.Series) -> bool:
    kinds = pd.api.types
    return kinds.is_numeric_dtype(values) and not kinds.is_complex_dtype(values)


def _bounded(tables: Sequence[pd.DataFrame], column: str) -> bool:
    """Return whether no number of a column, nor of those that go with it, exceeds 1."""
    together = ("estimate", "se", "lower", "upper", "interval")
    names = together if column in together else (column,)
    values = [
        table[name].to_numpy(dtype=float, na_value=np.nan)
        for table in tables
        for name in names
        if name in table and _is_real_dtype(table[name])
    ]
    joined = np.concatenate([np.zeros(0), *values])
    finite = joined[np.isfinite(joined)]
    return bool(len(finite)) and float(np.abs(finite).max()) <= 1.0
