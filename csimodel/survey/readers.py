"""Files and frames → a pandas table with its labels; nothing is judged here but the table."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from csimodel.errors import SurveyError
from csimodel.findings import Finding, listed
from csimodel.survey.checks import counted, plural, require_table
from csimodel.survey.headers import cleaned_names, place_of, require_unique

_EXTRAS = {"openpyxl": "excel", "pyarrow": "parquet", "pyreadstat": "spss"}


@dataclass(frozen=True, eq=False)
class Table:
    """A table as read: columns, where it came from, labels, and what reading changed."""

    frame: pd.DataFrame
    source: str
    column_labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[float | str, str]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def read_table(data: object) -> Table:
    """Read a path, or a pandas, polars or Arrow table, into a pandas table.

    A pandas frame is not copied under copy-on-write (pandas 3); under pandas 2 it is copied
    once, so that later changes of the frame never reach the survey.

    Raises
    ------
    SurveyError
        When the file is missing, of a kind not known, damaged or wrongly encoded, when an
        optional package is needed, or when the table is empty or has repeated column names.
    """
    if isinstance(data, str | PathLike):
        table = _read_file(Path(data))
    elif isinstance(data, pd.DataFrame):
        table = Table(independent(data), "frame")
    else:
        table = Table(_from_other_frame(data), "frame")
    names = table.frame.columns.tolist()
    odd = [name for name in names if not isinstance(name, str)]
    if odd:
        raise SurveyError(
            f"{place_of(table.source)} has the column name {odd[0]!r}, which is not text; "
            "rename the columns, for instance with frame.columns = list(map(str, frame.columns))."
        )
    own, findings = cleaned_names(names, table.source)
    if own != names:
        table = replace(table, frame=table.frame.set_axis(own, axis=1))
    require_table(table.frame, table.source)
    return replace(table, findings=(*table.findings, *findings))


def independent(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame that changes of the other do not reach, without a copy under pandas 3."""
    copies_on_write = int(pd.__version__.partition(".")[0]) >= 3
    return frame.copy(deep=not copies_on_write)


def _read_file(path: Path) -> Table:
    reader = _READERS.get(path.suffix.casefold())
    if reader is None:
        raise SurveyError(
            f"The file {path.name!r} is of a kind not known; "
            f"use {listed(_READERS, 10)}, or pass a data frame."
        )
    if not path.exists():
        raise SurveyError(f"There is no file {str(path)!r}; check the path.")
    if path.is_dir():
        raise SurveyError(f"{str(path)!r} is a folder; give the file in it.")
    try:
        return reader(path)
    except ImportError as error:
        needed = next((name for name in _EXTRAS if name in str(error)), None)
        if needed is None:
            raise
        raise SurveyError(_needs(f"Reading {path.suffix} files", needed)) from error


def _needs(task: str, package: str) -> str:
    return (
        f"{task} needs the package {package}; install it with "
        f'pip install "csimodel[{_EXTRAS[package]}]".'
    )


def _read_csv(path: Path) -> Table:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            first = re.sub(r'"[^"]*"', "", stream.readline())
            delimiter = max(",;\t", key=first.count)
            stream.seek(0)
            header = next(csv.reader(stream, delimiter=delimiter), [])
        require_unique([name for name in header if name], path.name)
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path, encoding="utf-8-sig", sep=delimiter, index_col=False, low_memory=False
            )
    except UnicodeDecodeError as error:
        raise SurveyError(
            f"The file {path.name!r} is not UTF-8 (byte {error.object[error.start]:#04x}); save it "
            "as UTF-8, or pass pandas.read_csv(path, encoding=...) with its encoding, such as "
            "'gb18030' or 'latin-1'."
        ) from error
    except pd.errors.EmptyDataError as error:
        raise SurveyError(
            f"The file {path.name!r} is empty; it needs a header and one row per respondent."
        ) from error
    except pd.errors.ParserWarning as error:
        raise SurveyError(
            f"The file {path.name!r} has more fields in its rows than names in its header; "
            "every column needs a name."
        ) from error
    except pd.errors.ParserError as error:
        raise SurveyError(
            f"The file {path.name!r} cannot be read as CSV ({str(error).strip().rstrip('.')}); "
            "every row needs as many fields as the header."
        ) from error
    return Table(frame, path.name)


def _read_parquet(path: Path) -> Table:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            require_unique(file.schema_arrow.names, path.name)
            frame: pd.DataFrame = file.read().to_pandas()
    except pa.ArrowException as error:
        raise SurveyError(_damaged(path, "a Parquet file")) from error
    return Table(frame, path.name)


def _read_excel(path: Path) -> Table:
    from zipfile import BadZipFile

    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with pd.ExcelFile(path, engine="openpyxl") as book:
            sheets = [str(name) for name in book.sheet_names]
            header = pd.read_excel(book, header=None, nrows=1)
            names = [str(name) for name in header.to_numpy().ravel() if not pd.isna(name)]
            require_unique(names, path.name)
            frame = pd.read_excel(book)
    except (BadZipFile, InvalidFileException, KeyError) as error:
        raise SurveyError(_damaged(path, "an Excel workbook (.xlsx)")) from error
    findings: tuple[Finding, ...] = ()
    if len(sheets) > 1:
        message = f"Only the first of {len(sheets)} sheets, {sheets[0]!r}, was read."
        findings = (Finding("first-sheet", message, (sheets[0],), "note", 1),)
    return Table(frame, path.name, findings=findings)


def _damaged(path: Path, kind: str) -> str:
    return f"The file {path.name!r} cannot be read as {kind}; it may be damaged or misnamed."


def _read_spss(path: Path) -> Table:
    import pyreadstat

    frame, meta = _read_stat(path, pyreadstat.read_sav, "an SPSS file")
    counts: dict[str, int] = {}
    for column, ranges in meta.missing_ranges.items():
        if column in frame.columns:
            hit = _within(frame[column], ranges)
            if hit.any():
                counts[column] = int(hit.sum())
                frame[column] = frame[column].mask(hit)
    return _with_labels(path, frame, meta, counts)


def _read_stata(path: Path) -> Table:
    import pyreadstat

    frame, meta = _read_stat(path, pyreadstat.read_dta, "a Stata file")
    counts: dict[str, int] = {}
    for column in meta.missing_user_values:
        codes = set(meta.missing_user_values[column])
        hit = frame[column].isin(codes)
        if hit.any():
            counts[column] = int(hit.sum())
            frame[column] = pd.to_numeric(frame[column].mask(hit))
    return _with_labels(path, frame, meta, counts)


def _read_stat(
    path: Path, reader: Callable[..., tuple[pd.DataFrame, Any]], kind: str
) -> tuple[pd.DataFrame, Any]:
    import pyreadstat

    try:
        return reader(str(path), user_missing=True)
    except pyreadstat.ReadstatError as error:
        raise SurveyError(_damaged(path, kind)) from error


def _within(column: pd.Series, ranges: list[dict[str, Any]]) -> np.ndarray:
    hit = np.zeros(len(column), dtype=bool)
    for bounds in ranges:
        low, high = bounds["lo"], bounds["hi"]
        if low == high:
            hit |= (column == low).to_numpy(dtype=bool)
        else:
            hit |= column.between(low, high).to_numpy(dtype=bool)
    return hit


def _with_labels(path: Path, frame: pd.DataFrame, meta: Any, counts: dict[str, int]) -> Table:
    findings: tuple[Finding, ...] = ()
    if counts:
        cells = sum(counts.values())
        message = (
            f"{cells} user-missing {plural(cells, 'cell')} were set missing: "
            f"{counted(counts, counts.values())}."
        )
        findings = (Finding("user-missing", message, tuple(counts), "note", cells),)
    return Table(
        frame,
        path.name,
        column_labels={name: text for name, text in meta.column_names_to_labels.items() if text},
        value_labels={name: dict(texts) for name, texts in meta.variable_value_labels.items()},
        findings=findings,
    )


def _from_other_frame(data: object) -> pd.DataFrame:
    import narwhals.stable.v1 as nw

    names = getattr(data, "column_names", None)
    if isinstance(names, list):
        require_unique(names, "frame")
    try:
        frame = nw.from_native(data, eager_only=True)
    except TypeError as error:
        raise SurveyError(
            f"The data are of type {type(data).__name__}; give a path, a pandas or polars data "
            "frame or an Arrow table (collect a lazy frame first)."
        ) from error
    try:
        table: pd.DataFrame = frame.to_pandas()
    except ImportError as error:
        raise SurveyError(_needs(f"Reading a {type(data).__name__}", "pyarrow")) from error
    return table


_READERS: dict[str, Callable[[Path], Table]] = {
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".parquet": _read_parquet,
    ".xlsx": _read_excel,
    ".sav": _read_spss,
    ".dta": _read_stata,
}
