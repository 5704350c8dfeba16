"""Files and frames → a pandas table with its labels; nothing is judged here but the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from csimodel.errors import OptionError, SurveyError, choose
from csimodel.findings import listed
from csimodel.survey.cells import Decimal
from csimodel.survey.checks import require_table
from csimodel.survey.damage import DAMAGE
from csimodel.survey.headers import cleaned_names, place_of, require_unique
from csimodel.survey.parquet_files import read_parquet
from csimodel.survey.signatures import require_signature
from csimodel.survey.stat_files import read_spss, read_stata
from csimodel.survey.table import Table
from csimodel.survey.text_files import read_csv
from csimodel.survey.workbooks import read_excel

_EXTRAS = {
    "ibis-framework": "ibis", "maketables": "tables", "openpyxl": "excel", "pyarrow": "parquet",
    "pyreadstat": "spss", "python-docx": "word",
}  # fmt: skip


@dataclass(frozen=True)
class Form:
    """What is said of a file's form: sheet of a workbook, encoding, decimal sign."""

    sheet: str | None = None
    encoding: str | None = None
    decimal: Decimal | None = None


def read_table(data: object, form: Form = Form()) -> Table:
    """Read a path, or a pandas, polars or Arrow table, into a pandas table.

    A pandas frame is not copied under copy-on-write (pandas 3); under pandas 2 it is copied
    once, so that later changes of the frame never reach the survey.

    Raises
    ------
    SurveyError
        When the file is missing, of a kind not known, damaged or wrongly encoded, when an
        optional package is needed, or when the table is empty or has repeated column names.
    OptionError
        When `form` says what files of this kind do not have.
    """
    if isinstance(data, str | PathLike):
        table = _read_file(Path(data), form)
    else:
        require_form(form, "a data frame", ())
        frame = independent(data) if isinstance(data, pd.DataFrame) else _from_other_frame(data)
        table = Table(frame, "frame")
    table = _with_names(table)
    require_table(table.frame, table.source)
    return table


def _with_names(table: Table) -> Table:
    """Return a table with the names of its columns cleaned."""
    names = table.frame.columns.tolist()
    odd = [name for name in names if not isinstance(name, str)]
    if odd:
        raise SurveyError(
            f"{place_of(table.source)} has the column name {odd[0]!r}, which is not text; "
            "rename the columns, for instance with frame.columns = list(map(str, frame.columns))."
        )
    own, findings = cleaned_names(names, table.source)
    if own == names:
        return table
    new = dict(zip(names, own, strict=True))
    return replace(
        table,
        frame=table.frame.set_axis(own, axis=1),
        column_labels={new[name]: text for name, text in table.column_labels.items()},
        value_labels={new[name]: texts for name, texts in table.value_labels.items()},
        findings=(*table.findings, *findings),
    )


def independent(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame that changes of the other do not reach, without a copy under pandas 3."""
    copies_on_write = int(pd.__version__.partition(".")[0]) >= 3
    return frame.copy(deep=not copies_on_write)


def _read_file(path: Path, form: Form) -> Table:
    kind = _KINDS.get(path.suffix.casefold())
    if kind is None and "\0" not in str(path) and path.is_dir():
        raise SurveyError(f"{str(path)!r} is a folder; give the file in it.")
    if kind is None:
        raise SurveyError(
            f"The file {path.name!r} is of a kind not known; "
            f"use {listed(_KINDS, 10)}, or pass a data frame."
        )
    require_form(form, kind.name, kind.options)
    options = {name: getattr(form, name) for name in kind.options}
    try:
        if "\0" in str(path) or not path.exists():
            raise SurveyError(f"There is no file {str(path)!r}; check the path.")
        if path.is_dir():
            raise SurveyError(f"{str(path)!r} is a folder; give the file in it.")
        if not path.is_file():
            raise SurveyError(f"{str(path)!r} is no file but a device or pipe; give a file.")
        require_signature(path)
        return kind.reader(path, **options)
    except SurveyError:
        raise
    except ImportError as error:
        needed = next((name for name in _EXTRAS if name in str(error)), None)
        if needed is None:
            raise
        raise SurveyError(needs(f"Reading {path.suffix} files", needed)) from error
    except OSError as error:
        raise SurveyError(
            f"The file {str(path)!r} cannot be read ({error.strerror or error}); check the path "
            "and the rights."
        ) from error
    except (*DAMAGE, MemoryError) as error:
        raise SurveyError(
            f"The file {path.name!r} cannot be read as {kind.name}; it may be damaged or misnamed."
        ) from error


def require_form(form: Form, kind: str, options: tuple[str, ...]) -> None:
    """Refuse what is said of a form that data of this kind do not have, or that is no such word."""
    for name in ("sheet", "encoding", "decimal"):
        value = getattr(form, name)
        if value is None:
            continue
        if name not in options:
            raise OptionError(f"{name}={value!r} is not for {kind}; leave it out.")
        if name == "decimal":
            choose("decimal", value, (".", ","))


def needs(task: str, package: str) -> str:
    """Return the sentence that names an optional package and how to install it."""
    return (
        f"{task} needs the package {package}; install it with "
        f'pip install "csimodel[{_EXTRAS[package]}]".'
    )


def _from_other_frame(data: Any) -> pd.DataFrame:
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
        raise SurveyError(needs(f"Reading a {type(data).__name__}", "pyarrow")) from error
    return table


@dataclass(frozen=True)
class _Kind:
    """A kind of file: its name in sentences, its reader, and the options that it takes."""

    name: str
    reader: Callable[..., Table]
    options: tuple[str, ...] = ()


_CSV = _Kind("CSV", read_csv, ("encoding", "decimal"))
_KINDS = {
    ".csv": _CSV,
    ".tsv": _CSV,
    ".parquet": _Kind("a Parquet file", read_parquet),
    ".xlsx": _Kind("an Excel workbook (.xlsx)", read_excel, ("sheet", "decimal")),
    ".sav": _Kind("an SPSS file", read_spss, ("encoding",)),
    ".dta": _Kind("a Stata file", read_stata, ("encoding",)),
}
