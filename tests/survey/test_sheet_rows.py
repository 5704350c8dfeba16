"""Rows of worksheets, whatever form the sheet is written in: those that openpyxl reads."""

import datetime as dt
import re
import zipfile

import numpy as np
import pytest

openpyxl = pytest.importorskip("openpyxl")

from csimodel.quiet import quiet  # noqa: E402
from csimodel.survey import read_survey, sheet_rows  # noqa: E402
from csimodel.survey.workbook_parts import parts_of  # noqa: E402

DAY = dt.datetime(2024, 2, 29, 13, 5)
ROWS = [
    ["id", "firm & co", "q", "odd"],
    [1, "a<b> é 満", 7, DAY],
    [2, "", -7.25, dt.date(2024, 1, 2)],
    [],
    [3, None, 1e-7, dt.time(13, 5)],
    [None, None, None, dt.timedelta(days=1, hours=3)],
    [4, "a<b> é 満", True, "#N/A"],
    [5, "=1+1", 12345678901234567890, "_x0041_"],
    [6, " two\nlines ", 0.1 + 0.2, None, None, "far"],
]

SPACE = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
KIND = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPE = b"application/vnd.openxmlformats-officedocument.spreadsheetml"


@pytest.fixture
def file(tmp_path):
    book = openpyxl.Workbook()
    for row in ROWS:
        book.active.append(row)
    book.active["A12"] = 9
    book.active["D12"] = 3e9
    book.active["D12"].number_format = "yyyy-mm-dd"  # no day
    book.active["C12"] = 45.5
    book.active["C12"].number_format = '"d" 0.0'  # a number
    book.save(tmp_path / "a.xlsx")
    return tmp_path / "a.xlsx"


def rewritten(file, *changes):
    """Write the workbook anew with patterns replaced in its sheet."""
    other = file.with_name("other.xlsx")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if "sheet1" in name:
                for pattern, replacement in changes:
                    text, count = re.subn(pattern, replacement, text)
                    assert count
            new.writestr(name, text)
    return other


def with_shared_texts(file):
    """Write the workbook anew with its texts in a part of their own, as spreadsheet programs do."""
    other, texts = file.with_name("shared.xlsx"), []

    def shared(match):
        texts.append(match[1])
        return b't="s"><v>%d</v></c>' % (len(texts) - 1)

    link = b'<Relationship Id="rId99" Type="%s/sharedStrings" Target="sharedStrings.xml" />' % KIND
    part = (
        b'<Override PartName="/xl/sharedStrings.xml" ContentType="%s.sharedStrings+xml" />' % TYPE
    )
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            text = re.sub(rb't="inlineStr"><is>(.*?)</is></c>', shared, text, flags=re.DOTALL)
            text = text.replace(b"</Relationships>", link + b"</Relationships>")
            new.writestr(name, text.replace(b"</Types>", part + b"</Types>"))
        every = b"".join(b"<si>" + text + b"</si>" for text in texts)
        new.writestr("xl/sharedStrings.xml", b'<sst xmlns="%s">%s</sst>' % (SPACE, every))
    assert texts
    return other


def rows(file):
    parts = parts_of(file)
    epoch = dt.datetime(1904, 1, 1) if parts.since_1904 else dt.datetime(1899, 12, 30)
    with quiet(), zipfile.ZipFile(file) as archive:
        values = sheet_rows.values_of(archive, parts, epoch)
        every = [list(row) for row in sheet_rows.rows_of(archive, parts.sheets[0], values)]
    return [
        row[: max((i + 1 for i, c in enumerate(row) if c is not None), default=0)] for row in every
    ]


def by_openpyxl(file):
    with quiet():
        book = openpyxl.load_workbook(file, data_only=True)
    every = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
    return [
        row[: max((i + 1 for i, c in enumerate(row) if c is not None), default=0)] for row in every
    ]


def kinds(table):
    return [[type(cell) for cell in row] for row in table]


USUAL = {
    "as it is": [],
    "numbers without a type": [(rb' t="n"', b"")],
    "white space": [(rb"(?<!<v)><(?=/?(?:row|c|v)\b)", b">\n  <")],
    "empty rows without cells": [(rb'<row r="5"', b'<row r="4" /><row r="5"')],
    "rows that state their height": [(rb'<row r="3"', b'<row ht="15" r="3"')],
}
UNUSUAL = {
    "a namespace with a prefix": [
        (rb"<(/?)(?=[a-zA-Z])", rb"<\1x:"),
        (rb'xmlns="', b'xmlns:x="'),
    ],
    "cells without a place": [(rb'<c r="[A-Z]+\d+"', b"<c")],
    "one cell without a place": [(rb'<c r="B7"', b"<c")],
    "rows without a place": [(rb'<row r="\d+"', b"<row"), (rb'<c r="[A-Z]+\d+"', b"<c")],
    "another order of attributes": [(rb'<c r="([A-Z]+\d+)"([^>/]*)', rb'<c\2 r="\1"')],
    "a comment": [(rb'<row r="6"', b'<!-- <c r="Z1"><v>1</v></c> --><row r="6"')],
    "text that is not marked up": [(rb'<c r="A7"[^/]*/v></c>', b'<c r="A7" t="str"><v><![CDATA[<x>]]></v></c>')],
    "cells not in order": [(rb'(<c r="A3".*?</c>)(<c r="B3".*?</c>)', rb"\2\1")],
    "another encoding": [(rb"^", b'<?xml version="1.0" encoding="latin-1"?>')],
}  # fmt: skip


@pytest.mark.parametrize("form", [*USUAL, *UNUSUAL])
@pytest.mark.parametrize("block", [50, 1 << 20])
def test_rows_are_those_of_openpyxl_in_every_form(file, form, block, monkeypatch):
    monkeypatch.setattr(sheet_rows, "_BLOCK", max(block, 1 << 10))
    monkeypatch.setattr(sheet_rows, "_DISTINCT", block)
    other = rewritten(file, *{**USUAL, **UNUSUAL}[form])
    expected = by_openpyxl(other)
    assert rows(other) == expected
    assert kinds(rows(other)) == kinds(expected)
    assert expected[1][:3:2] == [1, 7]


def test_texts_in_a_part_of_their_own(file):
    other = with_shared_texts(file)
    assert rows(other) == by_openpyxl(other) == rows(file)


def test_days_since_1904(file):
    with quiet():
        book = openpyxl.load_workbook(file)
    book.epoch = dt.datetime(1904, 1, 1)
    book.active["E2"] = DAY
    book.save(file)
    assert parts_of(file).since_1904
    assert rows(file)[1][4] == by_openpyxl(file)[1][4] == DAY


@pytest.mark.parametrize("form", USUAL)
def test_cells_that_are_written_alike_are_parsed_once(tmp_path, form, monkeypatch):
    book = openpyxl.Workbook()
    answers = np.random.default_rng(1).integers(1, 11, (400, 6)).tolist()
    for row in [list("abcdef"), *answers]:
        book.active.append([None if cell == 10 else cell for cell in row])
    book.save(tmp_path / "a.xlsx")
    file = rewritten(tmp_path / "a.xlsx", *USUAL[form])
    parsed = []
    own = sheet_rows._Cells._parsed
    monkeypatch.setattr(
        sheet_rows._Cells, "_parsed", lambda cells, text: parsed.append(text) or own(cells, text)
    )
    monkeypatch.setattr(sheet_rows, "_parsed_rows", None)
    survey = read_survey(file)
    assert survey.data.fillna(10).to_numpy().tolist() == answers
    assert len(parsed) < 60
