"""A journal table on a sheet of a workbook."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from csimodel.characters import printable
from csimodel.formatting import figures
from csimodel.grid import columns_of
from csimodel.tables.cells import Cell

_RULE = Side(style="thin")
_WIDEST = 60  # characters that a column is made wide for


Line = tuple[str, tuple[Cell, ...]]  # the title of a row and its cells, none for a section


def fill_sheet(
    sheet: Any,
    heads: Sequence[tuple[str, str]],
    lines: Sequence[Line],
    caption: str,
    notes: Sequence[str],
) -> None:
    """Fill a sheet of openpyxl: caption, two lines of titles, rows, notes, with three rules."""
    width = len(heads) + 1
    row = 1
    if caption:
        _put(sheet, row, 1, caption, Font(italic=True))
        row += 1
    top = row
    if any(name for name, _ in heads):
        for place, (name, _) in enumerate(heads, 2):
            before = heads[place - 3][0] if place > 2 else None
            if name != before:
                _put(sheet, row, place, name)
        row += 1
    for place, (_, what) in enumerate(heads, 2):
        _put(sheet, row, place, what, align="center")
    _rule(sheet, top, width, top=True)
    _rule(sheet, row, width, bottom=True)
    for name, cells in lines:
        row += 1
        _put(sheet, row, 1, name, Font(bold=not cells))
        for place, cell in enumerate(cells, 2):
            own = _put(sheet, row, place, cell.text, align="right")
            if cell.value is not None and not cell.text.startswith("<"):
                own.data_type, own.value, own.number_format = "n", cell.value, cell.form
    _rule(sheet, row, width, bottom=True)
    widths = [_width(lines, place) for place in range(width)]
    for note in notes:
        row += 1
        cell = _put(sheet, row, 1, note, Font(size=9))
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=width)
        sheet.row_dimensions[row].height = 13 * (1 + columns_of(note) // int(1.1 * sum(widths)))
    for place, own in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(place)].width = own
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def fill_plain(sheet: Any, table: pd.DataFrame) -> None:
    """Fill a sheet with a data frame, its labels left out: numbers as numbers, the rest as text.

    What is missing is an empty cell.
    """
    for column, name in enumerate(table.columns, 1):
        _put(sheet, 1, column, str(name), Font(bold=True))
        texts = [str(name)]
        for row, value in enumerate(table.iloc[:, column - 1].tolist(), 2):
            if value is None or value is pd.NA or value is pd.NaT or value != value:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                _put(sheet, row, column, str(value))
                texts.append(str(value))
            elif math.isfinite(value):
                sheet.cell(row, column).value = value
            else:
                _put(sheet, row, column, figures(value), align="right")
        widest = min(max(map(columns_of, texts)), _WIDEST)
        sheet.column_dimensions[get_column_letter(column)].width = 3.0 + max(8, widest)
    sheet.freeze_panes = "A2"


def _width(lines: Sequence[Line], place: int) -> float:
    """Return how wide a column is, in characters."""
    texts = [
        name if place == 0 else cells[place - 1].text if cells else "" for name, cells in lines
    ]
    return 3.0 + max([8, *map(columns_of, texts)])


def _put(
    sheet: Any, row: int, column: int, text: str, font: Font | None = None, align: str = "left"
) -> Any:
    """Write a text, which is never a formula."""
    cell = sheet.cell(row, column)
    cell.value, cell.data_type = printable(text), "s"
    cell.alignment = Alignment(horizontal=align)
    if font is not None:
        cell.font = font
    return cell


def _rule(sheet: Any, row: int, width: int, *, top: bool = False, bottom: bool = False) -> None:
    for column in range(1, width + 1):
        old = sheet.cell(row, column).border
        sheet.cell(row, column).border = Border(
            top=_RULE if top else old.top, bottom=_RULE if bottom else old.bottom
        )
