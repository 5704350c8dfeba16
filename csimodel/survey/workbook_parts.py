"""What an Excel workbook is made of, looked at before any cell is read: sizes, sheets, formulas."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from posixpath import join, normpath
from xml.etree.ElementTree import Element, ParseError, iterparse, parse
from zipfile import BadZipFile, ZipFile

from csimodel import limits
from csimodel.errors import SurveyError

_OLD_FORMAT = b"\xd0\xcf\x11\xe0"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook: its name, whether a reader sees it, whether it has cells, its part."""

    name: str
    visible: bool
    cells: bool
    part: str


@dataclass(frozen=True)
class Parts:
    """The sheets of a workbook, and what holds for all.

    Attributes
    ----------
    sheets
        The sheets in order.
    computed_on_load
        Whether formulas are computed when it is opened.
    since_1904
        Whether its days are counted from 1904.
    texts, styles
        The parts with texts and styles of cells, or nothing.
    """

    sheets: tuple[Sheet, ...]
    computed_on_load: bool
    since_1904: bool
    texts: str
    styles: str


def parts_of(path: Path) -> Parts:
    """Return the sheets of a workbook, its sizes checked.

    Raises
    ------
    SurveyError
        When the workbook is of the old format or protected, too large unpacked, or packed as no
        workbook of answers is.
    """
    with path.open("rb") as stream:
        if stream.read(4) == _OLD_FORMAT:
            raise SurveyError(
                f"The file {path.name!r} is an Excel workbook of the old format (.xls), or one "
                "protected by a password; save it as .xlsx without a password."
            )
    with ZipFile(path) as archive:
        _require_size(path, archive)
        relations = _root(archive, "xl/_rels/workbook.xml.rels")
        root = _root(archive, "xl/workbook.xml")
        present = set(archive.namelist())
    kinds, links = {}, {}
    for relation in relations:
        part = normpath(join("/xl", relation.get("Target", ""))).lstrip("/")
        if part in present:
            links[relation.get("Id", "")] = part
            kinds[part] = relation.get("Type", "").rpartition("/")[2]
    sheets = []
    for element in root.iter():
        if _tag(element) == "sheet":
            link = next((value for key, value in element.items() if key.endswith("}id")), "")
            visible = element.get("state", "visible") == "visible"
            part = links.get(link, "")
            cells = kinds.get(part, "chartsheet") != "chartsheet"
            sheets.append(Sheet(element.get("name", ""), visible, cells, part))
    return Parts(
        tuple(sheets),
        _states(root, "calcPr", "fullCalcOnLoad"),
        _states(root, "workbookPr", "date1904"),
        next((part for part, kind in kinds.items() if kind == "sharedStrings"), ""),
        next((part for part, kind in kinds.items() if kind == "styles"), ""),
    )


def _states(root: Element, tag: str, name: str) -> bool:
    """Return whether an element states that something holds."""
    return any(
        _tag(element) == tag and element.get(name, "0") in ("1", "true", "t")
        for element in root.iter()
    )


def _require_size(path: Path, archive: ZipFile) -> None:
    unpacked = sum(entry.file_size for entry in archive.infolist())
    packed = max(1, path.stat().st_size)
    if unpacked > limits.WORKBOOK_BYTES:
        raise SurveyError(
            f"The workbook {path.name!r} has {unpacked:,} bytes unpacked, and at most "
            f"{limits.WORKBOOK_BYTES:,} are read; save the sheet of answers as CSV or Parquet."
        )
    if unpacked > limits.UNPACKED_SAFE_BYTES and unpacked > limits.COMPRESSION * packed:
        raise SurveyError(
            f"The workbook {path.name!r} unpacks to {unpacked // packed:,} times its size "
            f"({unpacked:,} bytes), and at most {limits.COMPRESSION} times are read, as no sheet "
            "of answers is packed so; delete what is far from the table, or save it as CSV."
        )


def _root(archive: ZipFile, part: str) -> Element:
    with archive.open(part) as stream:
        return parse(stream).getroot()


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


@dataclass(frozen=True)
class Peculiarities:
    """What a sheet holds that its cells' values do not show."""

    formulas: int = 0
    without_value: int = 0
    zeros: int = 0
    first: str = ""
    hidden_rows: int = 0
    merged: tuple[str, ...] = ()


_MARKS = re.compile(
    rb"<(?:\w+:)?f[\s>/]|<(?:\w+:)?row\s[^>]*hidden=.(?:1|true)|<(?:\w+:)?mergeCell\s[^>]*"
)
_SIGNS = (b"<f", b":f", b"hidden", b"mergeCell")
"""Each mark holds one of these; a search for them takes a tenth of the time."""
_RANGE = re.compile(rb"ref=.([A-Z]+[0-9]+:[A-Z]+[0-9]+)")


def peculiarities_of(path: Path, sheet: Sheet) -> Peculiarities:
    """Return the formulas without a value, hidden rows and merged cells of a sheet."""
    formulas = hidden = 0
    merged: list[str] = []
    with ZipFile(path) as archive, archive.open(sheet.part) as stream:
        rest = b""
        while block := stream.read(_BLOCK):
            text = rest + block
            cut = text.rfind(b"<")
            may_hold = any(sign in text for sign in _SIGNS)
            for mark in _MARKS.findall(text[:cut]) if may_hold else ():
                if b"mergeCell" in mark:
                    merged += [match.decode() for match in _RANGE.findall(mark)]
                elif b"row" in mark:
                    hidden += 1
                else:
                    formulas += 1
            rest = text[cut:] if cut >= 0 else b""
            if len(rest) > limits.LINE_BYTES:
                raise ParseError("a sign without end")
    if not formulas:
        return Peculiarities(hidden_rows=hidden, merged=tuple(merged))
    without, zeros, first = _without_value(path, sheet)
    return Peculiarities(formulas, without, zeros, first, hidden, tuple(merged))


def _without_value(path: Path, sheet: Sheet) -> tuple[int, int, str]:
    """Count formulas without a computed value and those of 0, and name the first such cell."""
    without = zeros = 0
    first = ""
    with ZipFile(path) as archive, archive.open(sheet.part) as stream:
        for _, element in iterparse(stream):
            tag = _tag(element)
            if tag == "c":
                inner = {_tag(child): child.text or "" for child in element}
                if "f" in inner and element.get("t", "n") != "str":
                    value = inner.get("v", "")
                    without += not value
                    zeros += value == "0"
                    if not value or (value == "0" and not first):
                        first = first or element.get("r", "")
            elif tag == "row":
                element.clear()
    return without, zeros, first


DAMAGE = (BadZipFile, ParseError, KeyError)
"""What damaged parts raise here."""
