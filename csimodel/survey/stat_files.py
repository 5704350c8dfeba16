"""SPSS and Stata files: values, labels, user-missing codes, dates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from csimodel import limits
from csimodel.errors import SurveyError
from csimodel.findings import Finding
from csimodel.quiet import quiet
from csimodel.survey.headers import require_names, require_unique
from csimodel.survey.spss_records import is_sound
from csimodel.survey.table import Table

_SPSS_DATES = ("DATE", "ADATE", "EDATE", "SDATE", "JDATE")
_SPSS_TIMES = ("DATETIME", "YMDHMS")
_SPSS_START, _STATA_START = datetime(1582, 10, 14), datetime(1960, 1, 1)
_UNPACKED = 1_000


def read_spss(path: Path, encoding: str | None = None) -> Table:
    """Read an SPSS file; user-missing codes are set missing and counted."""
    import pyreadstat

    if not is_sound(path):
        raise SurveyError(_damaged(path, "an SPSS file"))
    frame, meta, findings = _read(path, pyreadstat.read_sav, "an SPSS file", encoding)
    counts: dict[str, int] = {}
    for column, ranges in meta.missing_ranges.items():
        if column in frame.columns:
            hit = _within(frame[column], ranges)
            if hit.any():
                counts[column] = int(hit.sum())
                frame[column] = frame[column].mask(hit)
    return _labelled(path, frame, meta, counts, findings)


def read_stata(path: Path, encoding: str | None = None) -> Table:
    """Read a Stata file; extended missing values are set missing and counted."""
    import pyreadstat

    frame, meta, findings = _read(path, pyreadstat.read_dta, "a Stata file", encoding)
    counts: dict[str, int] = {}
    for column in meta.missing_user_values:
        codes = set(meta.missing_user_values[column])
        hit = frame[column].isin(codes)
        if hit.any():
            counts[column] = int(hit.sum())
            frame[column] = pd.to_numeric(frame[column].mask(hit))
    return _labelled(path, frame, meta, counts, findings)


def _read(
    path: Path,
    reader: Callable[..., tuple[pd.DataFrame, Any]],
    kind: str,
    encoding: str | None,
) -> tuple[pd.DataFrame, Any, tuple[Finding, ...]]:
    """Return values and labels; where a date is impossible, dates are converted one by one."""
    import pyreadstat

    options: dict[str, Any] = {"user_missing": True}
    if encoding is not None:
        options["encoding"] = encoding
    try:
        with quiet():
            _, meta = reader(str(path), metadataonly=True, **options)
            _require_size(path, meta)
            try:
                return (*reader(str(path), **options), ())
            except OverflowError:
                frame, meta = reader(str(path), disable_datetime_conversion=True, **options)
                return _with_dates(frame, meta, kind)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeError) as error:
        told = str(error).rstrip(".")
        if "convert" in told or "encoding" in told or isinstance(error, UnicodeError):
            raise SurveyError(
                f"Texts in the file {path.name!r} are not of the encoding that it declares "
                f"({told}); give the right one, such as encoding='gb18030' or 'windows-1252'."
            ) from error
        raise SurveyError(_damaged(path, kind)) from error


def _damaged(path: Path, kind: str) -> str:
    return f"The file {path.name!r} cannot be read as {kind}; it may be damaged or misnamed."


def _require_size(path: Path, meta: Any) -> None:
    rows, columns = meta.number_rows or 0, meta.number_columns or 0
    require_names(meta.column_names, path.name)
    require_unique(meta.column_names, path.name)
    if rows * columns > limits.CELLS:
        raise SurveyError(
            f"The file {path.name!r} says that it holds {rows:,} rows of {columns:,} columns, and "
            f"at most {limits.CELLS:,} cells are read; it may be damaged."
        )
    if rows * columns > _UNPACKED * path.stat().st_size:
        raise SurveyError(
            f"The file {path.name!r} says that it holds {rows:,} rows of {columns:,} columns, for "
            "which it is far too short; it may be damaged."
        )


def _with_dates(
    frame: pd.DataFrame, meta: Any, kind: str
) -> tuple[pd.DataFrame, Any, tuple[Finding, ...]]:
    counts: dict[str, int] = {}
    first: tuple[str, int] | None = None
    for name in frame.columns:
        convert = _conversion(meta.original_variable_types.get(name, ""), kind)
        if convert is None or not pd.api.types.is_numeric_dtype(frame[name]):
            continue
        numbers = frame[name].to_numpy(np.float64)
        cells = [None if np.isnan(value) else _date(convert, value) for value in numbers]
        lost = [
            row for row, cell in enumerate(cells) if cell is None and not np.isnan(numbers[row])
        ]
        frame[name] = pd.Series(cells, index=frame.index, dtype=object)
        if lost:
            counts[name] = len(lost)
            first = first or (name, lost[0] + 1)
    if first is None:
        return frame, meta, ()
    count = sum(counts.values())
    template = (
        "{count} date that cannot be was set missing: {columns}; it is in row {row} of {first}."
        if count == 1
        else "{count} dates that cannot be were set missing: {columns}; the first is in row {row} "
        "of {first}."
    )
    columns = tuple(f"{name} ({times})" for name, times in counts.items())
    values = {"count": count, "columns": columns, "row": first[1], "first": first[0]}
    finding = Finding("impossible-dates", template, tuple(counts), "warning", count, values)
    return frame, meta, (finding,)


def _conversion(form: str, kind: str) -> Callable[[float], date] | None:
    """Return how numbers of a format become dates, or None where they are no dates."""
    if kind == "an SPSS file":
        name = form.rstrip("0123456789.")
        if name in _SPSS_DATES:
            return lambda value: (_SPSS_START + timedelta(seconds=value)).date()
        if name in _SPSS_TIMES:
            return lambda value: _SPSS_START + timedelta(seconds=value)
        return None
    if form.startswith(("%td", "%d")):
        return lambda value: (_STATA_START + timedelta(days=value)).date()
    if form.startswith(("%tc", "%tC")):
        return lambda value: _STATA_START + timedelta(milliseconds=value)
    return None


def _date(convert: Callable[[float], date], value: float) -> date | None:
    try:
        return convert(value)
    except (OverflowError, ValueError):
        return None


def _within(column: pd.Series, ranges: list[dict[str, Any]]) -> np.ndarray:
    hit = np.zeros(len(column), dtype=bool)
    for bounds in ranges:
        low, high = bounds["lo"], bounds["hi"]
        if low == high:
            hit |= (column == low).to_numpy(dtype=bool)
        else:
            hit |= column.between(low, high).to_numpy(dtype=bool)
    return hit


def _labelled(
    path: Path,
    frame: pd.DataFrame,
    meta: Any,
    counts: Mapping[str, int],
    findings: tuple[Finding, ...],
) -> Table:
    for name in frame.columns:
        if frame[name].dtype == object or isinstance(frame[name].dtype, pd.StringDtype):
            frame[name] = frame[name].mask(frame[name] == "")
    if counts:
        cells = sum(counts.values())
        template = (
            "{cells} user-missing cell was set missing: {columns}."
            if cells == 1
            else "{cells} user-missing cells were set missing: {columns}."
        )
        columns = tuple(f"{name} ({count})" for name, count in counts.items())
        values = {"cells": cells, "columns": columns}
        findings += (Finding("user-missing", template, tuple(counts), "note", cells, values),)
    return Table(
        frame,
        path.name,
        column_labels={name: text for name, text in meta.column_names_to_labels.items() if text},
        value_labels={name: dict(texts) for name, texts in meta.variable_value_labels.items()},
        findings=findings,
    )
