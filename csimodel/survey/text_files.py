"""CSV files: encoding, separator, names of the columns, then pandas."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path

import pandas as pd

from csimodel.errors import SurveyError
from csimodel.findings import Finding
from csimodel.quiet import quiet
from csimodel.survey.cells import Decimal, decimal_of, typed_columns
from csimodel.survey.edges import (
    TableLayout,
    layout_of,
    named_frame,
    require_no_totals,
    without_notes,
)
from csimodel.survey.encodings import encoding_of
from csimodel.survey.headers import require_names
from csimodel.survey.table import Table

_PREVIEW_CHARACTERS = 4_000_000
_PREVIEW_ROWS = 40
_SEPARATORS = ",;\t|"
_EXCEL_SEPARATOR = re.compile(r'"?sep=(.)"?\r?\n')


def read_csv(path: Path, encoding: str | None = None, decimal: Decimal | None = None) -> Table:
    """Read a text file with a separator between its columns.

    Raises
    ------
    SurveyError
        When its bytes are not of the encoding, or its rows do not make a table.
    """
    coding = encoding_of(path, encoding)
    form = _form_of(path, coding.name)
    frame = _frame(path, form, decimal)
    shared = decimal_of(frame)
    if decimal is None and shared == ",":  # then a point may stand between thousands
        frame = _frame(path, form, ",")
    frame, below = without_notes(frame)
    frame, names = named_frame(frame, form.layout.names, path.name)
    frame, changed = typed_columns(frame, decimal, shared)
    require_no_totals(frame, path.name)
    return Table(
        frame,
        path.name,
        column_labels=form.layout.labels(frame.columns),
        findings=(
            *coding.findings,
            *form.layout.findings(),
            *_cut_off(path, form),
            *below,
            *names,
            *changed,
        ),
    )


@dataclass(frozen=True)
class _Form:
    """How a text file is written."""

    encoding: str
    separator: str
    lines: int
    layout: TableLayout
    width: int


def _form_of(path: Path, encoding: str) -> _Form:
    """Find the separator, and the row of names, from the beginning of a file."""
    with path.open(encoding=encoding, newline="") as stream:
        text = stream.read(_PREVIEW_CHARACTERS)
    if not text.strip():
        raise SurveyError(
            f"The file {path.name!r} is empty; it needs a header and one row per respondent."
        )
    if len(text) == _PREVIEW_CHARACTERS:
        text = text[: text.rfind("\n") + 1]
    told = _EXCEL_SEPARATOR.match(text)
    skipped = 0 if told is None else 1
    lines = StringIO(text[told.end() :] if told else text, newline="").readlines()
    best: tuple[tuple[bool, float, int], str, list[list[str]], TableLayout] | None = None
    endless = False
    for separator in told.group(1) if told else _SEPARATORS:
        records = _records(lines, separator)
        if records is None:
            endless = True
            continue
        layout = layout_of(records)
        count = len(layout.names)
        data = [_filled(record) for record in records[layout.first :] if record]
        fit = sum(number == count for number in data) / len(data) if data else 1.0
        loose = sum(0 < number <= count for number in data) / len(data) if data else 1.0
        score = (count > 1, round(max(fit, 0.9 * loose), 1), count)
        if best is None or score > best[0]:
            best = score, separator, records, layout
    if best is None or (endless and len(best[3].names) < 2):
        raise SurveyError(
            f"The file {path.name!r} cannot be read as CSV: a cell at its beginning has more than "
            f"{csv.field_size_limit():,} characters; is a quotation mark left open?"
        )
    _, separator, records, layout = best
    require_names(layout.names, path.name)
    return _Form(encoding, separator, skipped, layout, _width(path, records, layout))


def _records(lines: Sequence[str], separator: str) -> list[list[str]] | None:
    """Return the first records, or None where a cell is longer than any may be."""
    try:
        return list(islice(csv.reader(lines, delimiter=separator), _PREVIEW_ROWS))
    except csv.Error:
        return None


def _filled(record: Sequence[str]) -> int:
    """Return how many cells a record has, blank ones at its end left out."""
    return max((place for place, cell in enumerate(record, 1) if cell.strip()), default=0)


def _width(path: Path, records: Sequence[Sequence[str]], layout: TableLayout) -> int:
    """Return how many fields rows have, blank ones behind the last name included."""
    count = len(layout.names)
    rows = [record for record in records[layout.first :] if record]
    if rows and _filled(rows[0]) > count:
        raise SurveyError(
            f"The file {path.name!r} has more fields in its rows than names in its header; "
            "every column needs a name."
        )
    return max([count, *(len(row) for row in rows if _filled(row) <= count)])


def _frame(path: Path, form: _Form, decimal: Decimal | None) -> pd.DataFrame:
    """Return the rows below the names, columns numbered, text where cells are no numbers."""
    count = len(form.layout.names)
    skipped = form.lines
    try:
        with path.open(encoding=form.encoding, newline="") as stream:
            for _ in range(form.lines):
                stream.readline()
            reader = csv.reader(stream, delimiter=form.separator)
            for _ in range(form.layout.first):
                next(reader)
            skipped += reader.line_num
            with quiet():
                frame = pd.read_csv(
                    stream,
                    sep=form.separator,
                    decimal=decimal or ".",
                    header=None,
                    names=list(range(form.width)),
                    index_col=False,
                    low_memory=False,
                    keep_default_na=False,
                    na_values=[""],
                )
    except (StopIteration, pd.errors.EmptyDataError):
        return pd.DataFrame(columns=range(count), dtype=object)
    except (pd.errors.ParserError, OverflowError, MemoryError, ValueError) as error:
        told = re.sub(r"\bline (\d+)", lambda at: f"line {int(at[1]) + skipped}", str(error))
        raise SurveyError(
            f"The file {path.name!r} cannot be read as CSV ({told.strip().rstrip('.')}); "
            "every row needs as many fields as the header."
        ) from error
    surplus = frame.iloc[:, count:].notna().any(axis=1).to_numpy()
    if surplus.any():
        raise SurveyError(
            f"The file {path.name!r} has more fields in row {int(surplus.argmax()) + 1} than names "
            "in its header; every column needs a name."
        )
    return frame.iloc[:, :count]


def _cut_off(path: Path, form: _Form) -> tuple[Finding, ...]:
    """Tell of a last line that ends before its last field."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - (1 << 16)))
        tail = stream.read()
    if form.encoding not in ("utf-8", "utf-8-sig") or tail.endswith((b"\n", b"\r")):
        return ()
    last = tail.rpartition(b"\n")[2].decode("utf-8", "replace")
    fields, count = last.count(form.separator) + 1, len(form.layout.names)
    if fields >= count or not last.strip() or '"' in last:
        return ()
    template = (
        "The last line of the file ends after {fields} of {count} fields, so the file may have "
        "been cut off; the rest of the row is missing."
    )
    values = {"fields": fields, "count": count}
    return (Finding("file-cut-off", template, (), "warning", 1, values),)
