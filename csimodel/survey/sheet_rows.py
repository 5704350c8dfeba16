"""Rows of a worksheet: cells that are written alike are parsed once.

The answers of a survey are few different values, so that most of its cells are, but for their
place, the same bytes. A sheet in the usual form is split at its rows and cells, and openpyxl parses
each distinct cell when it first occurs. From where a sheet has any other form, openpyxl's own
parser reads on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import IO, Any
from xml.etree.ElementTree import ParseError, fromstring, parse
from zipfile import ZipFile

from csimodel import limits
from csimodel.survey.workbook_parts import Parts, Sheet

Row = tuple[object, ...]

_BLOCK = 1 << 20
_DISTINCT = 100_000  # cells remembered
_SPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DEFAULT = re.compile(rb"<worksheet\s[^>]*xmlns=.%b" % re.escape(_SPACE.encode()))
_ENCODED = re.compile(rb"<\?xml[^>]*encoding=.(?!utf-8)", re.IGNORECASE)
_ROW = re.compile(rb'\s*(?:<row\s[^<>]*/>\s*)*<row\s(?:[^<>]*\s)?r="([0-9]{1,7})"[^<>]*>\s*')
_CELL = re.compile(rb'<c r="([A-Z]{1,3})[0-9]{1,7}"')
_PLAIN = re.compile(
    rb'(?: s="([0-9]+)")?(?: t="([ns])")?>\s*<v>(-?[0-9]+(\.[0-9]+)?)</v>\s*</c>\s*'
)


class _UnusualFormError(Exception):
    """A sheet is not in the usual form."""


@dataclass(frozen=True)
class Values:
    """What cells of a workbook refer to: its texts, its formats of dates, its first day."""

    texts: list[str]
    dates: frozenset[int]
    durations: frozenset[int]
    epoch: datetime

    def parser(self, stream: IO[bytes] | None = None) -> Any:
        """Return openpyxl's parser of a sheet, or of single cells."""
        from openpyxl.worksheet._reader import WorkSheetParser

        return WorkSheetParser(stream, self.texts, True, self.epoch, self.dates, self.durations)


def values_of(archive: ZipFile, parts: Parts, epoch: datetime) -> Values:
    """Read what cells of a workbook, with a first day of dates, refer to."""
    from openpyxl.reader.strings import read_string_table
    from openpyxl.styles.numbers import is_date_format, is_timedelta_format

    texts: list[str] = []
    if parts.texts:
        with archive.open(parts.texts) as stream:
            texts = read_string_table(stream)
    formats = dict(enumerate(_formats(archive, parts.styles) if parts.styles else ()))
    return Values(
        texts,
        frozenset(style for style, code in formats.items() if is_date_format(code)),
        frozenset(style for style, code in formats.items() if is_timedelta_format(code)),
        epoch,
    )


def _formats(archive: ZipFile, part: str) -> list[str | None]:
    """Return the format of numbers of each style of cells."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS

    with archive.open(part) as stream:
        root = parse(stream).getroot()
    codes: dict[int, str | None] = dict(BUILTIN_FORMATS)
    for code in root.iter(f"{{{_SPACE}}}numFmt"):
        codes[int(code.get("numFmtId", "0"))] = code.get("formatCode")
    styles = root.findall(f"{{{_SPACE}}}cellXfs/{{{_SPACE}}}xf")
    return [codes.get(int(style.get("numFmtId", "0"))) for style in styles]


def rows_of(archive: ZipFile, sheet: Sheet, values: Values) -> Iterator[Row]:
    """Yield the rows of a sheet from the first, empty ones too, each to its last written cell."""
    count = 0
    try:
        for row in _usual_rows(archive, sheet, values):
            yield row
            count += 1
    except _UnusualFormError:
        yield from islice(_parsed_rows(archive, sheet, values), count, None)


def _parsed_rows(archive: ZipFile, sheet: Sheet, values: Values) -> Iterator[Row]:
    """Yield rows as openpyxl parses them."""
    next_place = 1
    with archive.open(sheet.part) as stream:
        for place, cells in values.parser(stream).parse():
            if place < next_place:
                continue
            for _ in range(next_place, place):
                yield ()
            row: list[object] = [None] * (cells[-1]["column"] if cells else 0)
            for cell in cells:
                if cell["column"] <= len(row):
                    row[cell["column"] - 1] = cell["value"]
            yield tuple(row)
            next_place = place + 1


def _usual_rows(archive: ZipFile, sheet: Sheet, values: Values) -> Iterator[Row]:
    """Yield rows split at their cells.

    Raises
    ------
    _UnusualFormError
        When the rest of the sheet is not in the usual form.
    """
    columns, cells = _Columns(), _Cells(values)
    letters: list[bytes] = []
    places: list[int] = []
    next_place = 1
    for text in _row_texts(archive, sheet):
        head, *parts = _CELL.split(text)
        match = _ROW.fullmatch(head)
        place = int(match[1]) if match else 0
        if place < next_place:
            raise _UnusualFormError
        if parts[::2] != letters:
            letters = parts[::2]
            places = list(map(columns.__getitem__, letters))
            if places != sorted(set(places)):
                raise _UnusualFormError
        own = tuple(map(cells.__getitem__, parts[1::2]))
        for _ in range(next_place, place):
            yield ()
        if not places or len(places) == places[-1]:
            yield own
        else:
            row: list[object] = [None] * places[-1]
            for column, value in zip(places, own, strict=True):
                row[column - 1] = value
            yield tuple(row)
        next_place = place + 1


def _row_texts(archive: ZipFile, sheet: Sheet) -> Iterator[bytes]:
    """Yield the text of each row of a sheet without its end tag."""
    rest = head = b""
    with archive.open(sheet.part) as stream:
        while block := stream.read(_BLOCK):
            text = rest + block
            if not head:
                head, start, text = text.partition(b"<sheetData>")
                if not start or _ENCODED.search(head) or not _DEFAULT.search(head):
                    raise _UnusualFormError
            text, end, _ = text.partition(b"</sheetData>")
            *rows, rest = text.split(b"</row>")
            if b"<!" in text or (end and b"<c" in rest):
                raise _UnusualFormError
            yield from rows
            if end:
                return
            if len(rest) > limits.LINE_BYTES:
                raise ParseError("a row without end")


class _Columns(dict[bytes, int]):
    """The place of a column by its letters, from 1."""

    def __missing__(self, letters: bytes) -> int:
        from openpyxl.utils import column_index_from_string

        place: int = column_index_from_string(letters.decode())
        self[letters] = place
        return place


class _Cells(dict[bytes, object]):
    """The value of a cell by what is written after its place."""

    def __init__(self, values: Values) -> None:
        super().__init__()
        self._values = values
        self._parser = values.parser()

    def __missing__(self, text: bytes) -> object:
        if len(self) >= _DISTINCT:
            self.clear()
        value = self[text] = self._parsed(text)
        return value

    def _parsed(self, text: bytes) -> object:
        plain = _PLAIN.fullmatch(text)
        if plain and plain[2] == b"s":
            return self._values.texts[int(plain[3])]
        if plain:
            style, number = int(plain[1] or 0), float(plain[3]) if plain[4] else int(plain[3])
            if style not in self._values.dates:
                return number
            with suppress(OverflowError, ValueError):
                return self._day(number, style)
        try:
            cell = fromstring(f'<c xmlns="{_SPACE}"'.encode() + text)
        except ParseError as error:
            raise _UnusualFormError from error
        value: object = self._parser.parse_cell(cell)["value"]
        return value

    def _day(self, number: float, style: int) -> object:
        """Return what a number means in a style of dates."""
        from openpyxl.utils.datetime import from_excel

        durations = style in self._values.durations
        value: object = from_excel(number, self._values.epoch, timedelta=durations)
        return value
