"""Excel workbooks: which sheet, its cells within limits, then the same as any table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pandas as pd

from csimodel import limits
from csimodel.errors import SurveyError, suggest
from csimodel.findings import Finding, listed
from csimodel.quiet import quiet
from csimodel.survey.cells import Decimal, is_number, typed_columns
from csimodel.survey.checks import plural
from csimodel.survey.edges import layout_of, named_frame, require_no_totals, without_notes
from csimodel.survey.headers import require_names
from csimodel.survey.sheet_rows import Row, Values, rows_of, values_of
from csimodel.survey.table import Table
from csimodel.survey.workbook_parts import Parts, Sheet, parts_of, peculiarities_of

_PREVIEW_ROWS = 40
_ROWS = 1_048_576


def read_excel(path: Path, sheet: str | None = None, decimal: Decimal | None = None) -> Table:
    """Read the sheet of answers of a workbook.

    That named, or the only visible one with columns of numbers; other sheets are told.

    Raises
    ------
    SurveyError
        When several sheets may be meant, or the sheet is too large, or holds formulas that were
        never computed.
    """
    from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH

    parts = parts_of(path)
    # A sheet that is left half read keeps the file of its archive open until it is collected.
    with quiet(), path.open("rb") as stream, ZipFile(stream) as archive:
        epoch = MAC_EPOCH if parts.since_1904 else WINDOWS_EPOCH
        book = _Book(path, parts, archive, values_of(archive, parts, epoch))
        own, told = _choice(book, sheet)
        special = _peculiar(path, parts, own)
        rows = _rows(book, own)
    layout = layout_of(rows[:_PREVIEW_ROWS])
    require_names(layout.names, path.name)
    width = max((len(row) for row in rows[layout.first :]), default=0)
    if width > len(layout.names):
        layout = layout.widened(width)
    frame = _frame([row for row in rows[layout.first :] if row], len(layout.names))
    frame, below = without_notes(frame)
    frame, names = named_frame(frame, layout.names, path.name)
    frame, changed = typed_columns(frame, decimal)
    frame = _dated(frame)
    require_no_totals(frame, path.name)
    return Table(
        frame,
        path.name,
        column_labels=layout.labels(frame.columns),
        findings=(*told, *special, *layout.findings(), *below, *names, *changed),
    )


@dataclass(frozen=True)
class _Book:
    """A workbook that is open: its path, parts and archive, and what its cells refer to."""

    path: Path
    parts: Parts
    archive: ZipFile
    values: Values


def _choice(book: _Book, wanted: str | None) -> tuple[Sheet, tuple[Finding, ...]]:
    """Return the sheet to read, and why that one when there are others."""
    names = [sheet.name for sheet in book.parts.sheets]
    sheets = [sheet for sheet in book.parts.sheets if sheet.cells]
    if wanted is not None:
        for sheet in sheets:
            if sheet.name == wanted:
                return sheet, ()
        raise SurveyError(
            f"sheet={wanted!r} is not a sheet of {book.path.name!r}{suggest(wanted, names)}; use "
            f"one of {listed(map(repr, names), 12)}."
        )
    if len(sheets) == 1:
        return sheets[0], ()
    visible = [sheet for sheet in sheets if sheet.visible]
    numeric = {sheet.name: _columns_of_numbers(book, sheet) for sheet in visible}
    most = [sheet for sheet in visible if numeric[sheet.name] > 1]
    some = most or [sheet for sheet in visible if numeric[sheet.name]]
    if len(some) != 1:
        which = some or visible or sheets
        raise SurveyError(
            f"The workbook {book.path.name!r} has {len(which)} sheets that may hold the answers, "
            f"{listed((repr(sheet.name) for sheet in which), 12)}; say which with "
            f"sheet={which[0].name!r}."
            if which
            else f"The workbook {book.path.name!r} has no sheet with cells; give another file."
        )
    return some[0], (_told_choice(some[0], sheets),)


def _told_choice(own: Sheet, sheets: list[Sheet]) -> Finding:
    hidden = tuple(repr(sheet.name) for sheet in sheets if not sheet.visible)
    others = tuple(repr(sheet.name) for sheet in sheets if sheet.visible and sheet is not own)
    among = _HIDDEN_AND_OTHERS if others else _HIDDEN
    template = among if hidden else _OTHERS
    values = {"count": len(sheets), "sheet": repr(own.name), "others": others, "hidden": hidden}
    return Finding("sheet-read", template, (own.name,), "note", 1, values)


_OTHERS = (
    "Of {count} sheets {sheet} was read, the only one with columns of numbers; not read: {others}."
)
_HIDDEN = "Of {count} sheets {sheet} was read, the only one that is not hidden; hidden: {hidden}."
_HIDDEN_AND_OTHERS = (
    "Of {count} sheets {sheet} was read, the only visible one with columns of numbers; not read: "
    "{others}; hidden: {hidden}."
)


def _columns_of_numbers(book: _Book, sheet: Sheet) -> int:
    """Return how many columns of the beginning of a sheet hold numbers only, below their names."""
    rows = list(islice(_cells(book, sheet), _PREVIEW_ROWS))
    layout = layout_of(rows)
    after = [row for row in rows[layout.first :] if row]
    if len(after) < 2 or len(layout.names) < 1:
        return 0
    count = 0
    for place in range(len(layout.names)):
        cells = [row[place] for row in after if place < len(row) and row[place] is not None]
        numbers = sum(not isinstance(cell, bool) and is_number(str(cell)) for cell in cells)
        count += bool(layout.names[place]) and numbers > 1 and numbers >= 0.8 * len(cells)
    return count


def _peculiar(path: Path, parts: Parts, sheet: Sheet) -> tuple[Finding, ...]:
    """Refuse formulas never computed; tell of merged cells and hidden rows."""
    seen = peculiarities_of(path, sheet)
    never = parts.computed_on_load and seen.zeros == seen.formulas > 0
    if seen.without_value or never:
        count = seen.without_value or seen.formulas
        raise SurveyError(
            f"Sheet {sheet.name!r} of {path.name!r} holds {count:,} {plural(count, 'formula')} "
            f"never computed (the first in {seen.first}), so the values are not in the file; open "
            "and save it in a spreadsheet program, or put values in their place."
        )
    findings = []
    if seen.merged:
        template = (
            "{count} range of merged cells, {ranges:3}, has its value in the first cell only; the "
            "others are empty."
            if len(seen.merged) == 1
            else "{count} ranges of merged cells, {ranges:3}, have their value in the first cell "
            "only; the others are empty."
        )
        values: dict[str, object] = {"count": len(seen.merged), "ranges": seen.merged}
        findings.append(Finding("merged-cells", template, count=len(seen.merged), values=values))
    if seen.hidden_rows:
        template = (
            "{count} hidden row of the sheet was read too."
            if seen.hidden_rows == 1
            else "{count} hidden rows of the sheet were read too."
        )
        values = {"count": seen.hidden_rows}
        findings.append(Finding("hidden-rows", template, count=seen.hidden_rows, values=values))
    return tuple(findings)


def _cells(book: _Book, sheet: Sheet) -> Iterator[Row]:
    """Yield the rows of a sheet without the empty cells at their ends, within the limits."""
    widest = height = 0
    for place, row in enumerate(rows_of(book.archive, sheet, book.values), 1):
        last = len(row)
        while last and row[last - 1] is None:
            last -= 1
        if last:
            widest, height = max(widest, last), place
        if widest * height > limits.SHEET_CELLS or place > _ROWS:
            raise SurveyError(
                f"Sheet {sheet.name!r} of {book.path.name!r} reaches to row {place:,} and column "
                f"{widest:,}, and at most {limits.SHEET_CELLS:,} cells are read; delete what "
                "stands far from the table, or save the table as CSV or Parquet."
            )
        yield row[:last]


def _rows(book: _Book, sheet: Sheet) -> list[Row]:
    rows = list(_cells(book, sheet))
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _frame(rows: list[Row], width: int) -> pd.DataFrame:
    """Return rows as columns, numbered: numbers where all filled cells are numbers."""
    filled = [row + (None,) * (width - len(row)) for row in rows]
    columns: dict[int, Any] = {}
    for place, cells in enumerate(zip(*filled, strict=True) if rows else [()] * width):
        kinds = set(map(type, cells))
        if kinds <= {int}:
            columns[place] = pd.Series(cells)
        elif kinds <= {int, float, type(None)}:
            columns[place] = np.array(cells, dtype=float)  # None becomes NaN
        elif kinds == {bool}:
            columns[place] = np.array(cells)
        else:
            columns[place] = pd.Series(
                [np.nan if cell is None else cell for cell in cells], dtype=object
            )
    return pd.DataFrame(columns, index=range(len(rows)))


def _dated(frame: pd.DataFrame) -> pd.DataFrame:
    """Make columns of dates datetimes."""
    frame = frame.copy(deep=False)
    for name in frame.columns:
        cells = frame[name].dropna() if frame[name].dtype == object else ()
        if len(cells) and all(isinstance(cell, date) for cell in cells):
            frame[name] = pd.to_datetime(frame[name], errors="coerce")
    return frame
