"""Columns of text as files hold them → numbers or labels, with what was changed counted."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from csimodel.findings import Finding, Severity
from csimodel.survey.checks import number

Decimal = Literal[".", ","]

_WORDS = frozenset(
    {"na", "n/a", "n.a.", "nan", "null", "none", "<na>", "#n/a", "#na", ".", "-", "--"}
)
_ERRORS = frozenset(
    {"#n/a", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!", "#spill!", "#calc!"}
)
_POINT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_POINT_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(?:([, '])\d{3})(?:\1\d{3})*(?:\.\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d{1,3})?|[+-]?\d+", re.ASCII)
_COMMA_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(?:([. '])\d{3})(?:\1\d{3})*(?:,\d+)?", re.ASCII)


@dataclass(frozen=True)
class _Changes:
    """What reading changed in cells, by column: how it is told."""

    words: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    forms: dict[str, str] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    doubtful: dict[str, str] = field(default_factory=dict)


def typed_columns(
    frame: pd.DataFrame, decimal: Decimal | None = None, shared: Decimal | None = None
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Turn columns of text into numbers where every filled cell is one, and tidy labels.

    A word for a missing answer ("NA", "null", "-") among numbers is a missing cell; in a column
    of labels it is a label. Numbers may have a decimal point or comma, groups of thousands and
    full-width digits; where "1,234" may mean either, `decimal` decides, else the sign of the other
    columns (`shared`), else the column stays text. Labels lose outer blanks and get one Unicode
    form (NFC).

    Examples
    --------
    >>> frame = pd.DataFrame({"q": ["1", "NA", "３"], "firm": ["NA", "Alba ", "Alba"]})
    >>> typed, findings = typed_columns(frame)
    >>> typed["q"].tolist(), typed["firm"].tolist()
    ([1.0, nan, 3.0], ['NA', 'Alba', 'Alba'])
    """
    texts = {name: _texts(frame[name]) for name in frame.columns if _may_hold_text(frame[name])}
    shared = shared or decimal_of(frame)
    changes = _Changes()
    columns = {}
    for name, own in texts.items():
        column = _typed(frame[name], own, decimal, shared, changes)
        if column is not None:
            columns[name] = column
    if columns:
        frame = frame.copy(deep=False)
        for name, column in columns.items():
            frame[name] = column
    return frame, tuple(_findings(changes))


def decimal_of(frame: pd.DataFrame) -> Decimal | None:
    """Return the decimal sign that columns of text show without doubt, unless they differ.

    Where none shows one, numbers read already with a point do; beside a comma for sure, their
    point may stand between thousands.

    >>> decimal_of(pd.DataFrame({"q": ["3,5", "4"], "spend": ["1,234", "2,345"]}))
    ','
    """
    seen: set[Decimal] = set()
    points = False
    for name in frame.columns:
        if _may_hold_text(frame[name]):
            plain, _ = _numbers_and_words(_texts(frame[name]).values())
            sign = _sign(plain) if plain and all(any(_forms(text)) for text in plain) else None
            if sign is not None:
                seen.add(sign)
        elif frame[name].dtype.kind == "f":
            points = points or bool((frame[name] % 1 > 0).any())
    if not seen:
        return "." if points else None
    return seen.pop() if len(seen) == 1 else None


def _may_hold_text(column: pd.Series) -> bool:
    return column.dtype == object or isinstance(column.dtype, pd.StringDtype)


def _texts(column: pd.Series) -> dict[str, str]:
    """Return the different texts of a column, each with its tidy form."""
    every = pd.unique(column.dropna().astype(object))
    return {text: tidy(text) for text in every if isinstance(text, str)}


def tidy(text: str) -> str:
    r"""Return a label without outer blanks, in one Unicode form.

    >>> tidy("\u3000Alba\xa0")
    'Alba'
    """
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFC", text.strip("\ufeff\u200b \t\r\n\xa0\u3000\u202f")).strip()


def label_of(text: str) -> str | None:
    """Return the label that a cell of text holds; None for a blank and an error of a spreadsheet.

    >>> label_of(" N "), label_of(" "), label_of("#REF!")
    ('N', None, None)
    """
    own = tidy(text)
    return own if own and not _is_error(own) else None


def _plain(text: str) -> str:
    """Return a text with full-width digits, blanks and minus signs made plain."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text).replace("\u2212", "-").replace("\u2019", "'")


def _forms(text: str) -> tuple[bool, bool]:
    """Return whether a text is a number with a decimal point, and one with a decimal comma."""
    point = bool(_POINT.fullmatch(text) or _POINT_GROUPS.fullmatch(text))
    return point, bool(_COMMA.fullmatch(text) or _COMMA_GROUPS.fullmatch(text))


def is_number(text: str) -> bool:
    """Return whether a text is a number in some form.

    >>> is_number("3,5"), is_number("q1")
    (True, False)
    """
    return any(_forms(_plain(text)))


def is_wording(text: str) -> bool:
    """Return whether a text is neither a number nor a word for a missing answer.

    >>> is_wording("How is it?"), is_wording("NA"), is_wording("")
    (True, False, False)
    """
    return bool(text) and not is_number(text) and not _is_word(text)


def _numbers_and_words(tidied: Iterable[str]) -> tuple[list[str], list[str]]:
    """Split filled texts into those that may be numbers or labels, and words for missing."""
    filled = [text for text in tidied if text]
    words = [text for text in filled if _is_word(text)]
    return [_plain(text) for text in filled if not _is_word(text)], words


def _is_word(text: str) -> bool:
    return text.casefold() in _WORDS or _is_error(text)


def _is_error(text: str) -> bool:
    return text.startswith("#") and text.casefold() in _ERRORS


def _sign(plain: list[str]) -> Decimal | None:
    """Return the decimal sign of numbers, or None where both fit or none."""
    forms = [_forms(text) for text in plain]
    point, comma = all(form[0] for form in forms), all(form[1] for form in forms)
    if point == comma:
        return None
    return "." if point else ","


def _typed(
    column: pd.Series,
    texts: Mapping[str, str],
    decimal: Decimal | None,
    shared: Decimal | None,
    changes: _Changes,
) -> pd.Series | None:
    """Return a column in its type, or None where nothing changes."""
    name = str(column.name)
    plain, words = _numbers_and_words(texts.values())
    cells = () if isinstance(column.dtype, pd.StringDtype) else column.dropna()
    numbers_beside = any(map(_is_number, cells))
    if not texts and (all(map(_is_number, cells)) or column.isna().all()):
        return whole(pd.to_numeric(column.astype(object)))
    if not texts:
        return None
    if not plain and not words and not numbers_beside:
        return pd.Series(np.nan, column.index, dtype=np.float64)
    if not (plain or numbers_beside) or not all(any(_forms(text)) for text in plain):
        return _labels(column, texts, numbers_beside, changes)
    signs = [sign for sign in (decimal, _sign(plain), shared) if sign is not None]
    if not signs and any("," in text or "." in text for text in plain):
        changes.doubtful[name] = next(text for text in plain if "," in text or "." in text)
        return _labels(column, texts, numbers_beside, changes)
    sign: Decimal = signs[0] if signs else "."
    if any(not _forms(text)[0 if sign == "." else 1] for text in plain):
        return _labels(column, texts, numbers_beside, changes)
    return _numbers(column, texts, sign, changes)


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _numbers(
    column: pd.Series, texts: Mapping[str, str], sign: Decimal, changes: _Changes
) -> pd.Series:
    name = str(column.name)
    values = {
        text: np.nan if not own or _is_word(own) else value_of(own, sign)
        for text, own in texts.items()
    }
    times = column.value_counts()
    words = sum(int(times[text]) for text, own in texts.items() if own and _is_word(own))
    errors = sum(int(times[text]) for text, own in texts.items() if _is_error(own))
    if words - errors:
        changes.words[name] = words - errors
    if errors:
        changes.errors[name] = errors
    unusual = [
        text
        for text, own in texts.items()
        if own and not _is_word(own) and not _POINT.fullmatch(own)
    ]
    if unusual:
        changes.forms[name] = f"{unusual[0]!r} is {number(values[unusual[0]])}"
    cells = column.astype(object).map(lambda cell: values.get(cell, cell), na_action="ignore")
    return whole(pd.to_numeric(cells))


def whole(column: pd.Series) -> pd.Series:
    """Return a column of whole floating-point numbers as integers, any other as it is."""
    if column.dtype.kind != "f" or not ((column % 1 == 0) & (column.abs() < 2**53)).all():
        return column
    return column.astype(np.int64)


def value_of(text: str, sign: Decimal) -> float:
    """Return the number that a text writes with this decimal sign.

    >>> value_of("1.234,5", ","), value_of("1,234.5", ".")
    (1234.5, 1234.5)
    """
    groups = ", '" if sign == "." else ". '"
    plain = _plain(text).translate(dict.fromkeys(map(ord, groups)))
    return float(plain.replace(",", "."))


def _labels(
    column: pd.Series, texts: Mapping[str, str], numbers_beside: bool, changes: _Changes
) -> pd.Series | None:
    """Return labels tidied, blank and error cells missing, numbers among them as text."""
    name = str(column.name)
    values: dict[object, object] = {
        text: own if own and not _is_error(own) else np.nan
        for text, own in texts.items()
        if text != own or _is_error(own)
    }
    if not values and not numbers_beside:
        return None
    times = column.value_counts()
    errors = sum(int(times[text]) for text, own in texts.items() if _is_error(own))
    outer = sum(int(times[text]) for text, own in texts.items() if own and text != own)
    if errors:
        changes.errors[name] = errors
    if outer:
        changes.labels[name] = outer
    cells = column.astype(object).map(lambda cell: values.get(cell, cell), na_action="ignore")
    if numbers_beside:
        cells = cells.map(lambda cell: number(cell) if _is_number(cell) else cell, "ignore")
    return cells


def _findings(changes: _Changes) -> Iterator[Finding]:
    yield from _counted("words-for-missing", changes.words, "note")
    yield from _counted("error-cells", changes.errors, "warning")
    yield from _counted("labels-tidied", changes.labels, "note")
    if changes.forms:
        columns = tuple(f"{name} ({example})" for name, example in changes.forms.items())
        template = "Numbers written in other forms were read as numbers: {columns}."
        yield Finding(
            "number-forms", template, tuple(changes.forms), "note", values={"columns": columns}
        )
    if changes.doubtful:
        columns = tuple(f"{name} ({example!r})" for name, example in changes.doubtful.items())
        template = (
            "Numbers whose comma or point may be a decimal sign or stand between thousands were "
            "left as text: {columns}; say which with csi.read_survey(…, decimal=',') or "
            "decimal='.'."
        )
        yield Finding(
            "doubtful-numbers", template, tuple(changes.doubtful), values={"columns": columns}
        )


def _counted(code: str, counts: Mapping[str, int], severity: Severity) -> Iterator[Finding]:
    if counts:
        cells = sum(counts.values())
        columns = tuple(f"{name} ({count})" for name, count in counts.items())
        values = {"cells": cells, "columns": columns}
        template = _COUNTED[code, cells == 1]
        yield Finding(code, template, tuple(counts), severity, cells, values)


_COUNTED = {  # by code, and whether it is a single cell
    ("words-for-missing", True): (
        "{cells} cell with a word such as NA among numbers is missing: {columns}."
    ),
    ("words-for-missing", False): (
        "{cells} cells with a word such as NA among numbers are missing: {columns}."
    ),
    ("error-cells", True): (
        "{cells} cell that holds an error of a spreadsheet is missing: {columns}."
    ),
    ("error-cells", False): (
        "{cells} cells that hold an error of a spreadsheet are missing: {columns}."
    ),
    ("labels-tidied", True): (
        "{cells} label was read without outer blanks, in one Unicode form: {columns}."
    ),
    ("labels-tidied", False): (
        "{cells} labels were read without outer blanks, in one Unicode form: {columns}."
    ),
}
