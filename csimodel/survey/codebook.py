"""Codebooks: what each column of a survey means, written by hand in TOML."""

from __future__ import annotations

import math
import re
import reprlib
import tomllib
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from numbers import Real
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from csimodel import limits
from csimodel.arguments import checked, checked_in
from csimodel.errors import SurveyError, suggest
from csimodel.findings import listed
from csimodel.options import shown
from csimodel.survey.item import Item

_DEEP = re.compile(r"^[^=#\n]*(?:\.[^=#\n.]*){100}", re.MULTILINE)

_SECTIONS = ("survey", "defaults", "items", "columns")
_SURVEY_KEYS = ("title", "source", "doi", "weights", "strata", "cluster", "population")
_DEFAULT_KEYS = ("scale", "missing_codes", "reversed")
_ITEM_KEYS = ("construct", "wording", "scale", "missing_codes", "reversed", "labels")
_MOST_BYTES = 4 * limits.CODEBOOK_CHARACTERS
_COLUMN_KEYS = ("wording", "missing_codes", "labels")


@checked_in
@dataclass(frozen=True)
class Codebook:
    """Say what the columns of a survey mean.

    A codebook is a TOML file with up to four sections, all optional::

        [survey]
        title = "Mobile phone customers"
        source = "Who asked whom, and when"
        doi = "10.1016/j.csda.2004.03.005"
        weights = "w"                       # design columns, when there are any
        strata = "region"
        cluster = "firm"
        population = "firms_in_region"      # units of the stratum in the population

        [defaults]                          # for every item that does not say otherwise
        scale = [1, 10]                     # lowest and highest answer
        missing_codes = [98, 99]            # values that stand for no answer

        [items]                             # one line per item, or a table [items.CUSA1]
        CUSA1 = { construct = "Satisfaction", wording = "overall satisfaction" }
        CUSA2 = { construct = "Satisfaction", scale = [1, 5], missing_codes = [9] }
        "投诉" = { construct = "顾客抱怨", reversed = true }   # quote names that are not ASCII

        [columns]                           # other columns worth a word
        firm = { wording = "service provider", labels = { 1 = "Alpha", 2 = "Beta" } }

    Keys of an item: ``construct``, ``wording``, ``scale``, ``missing_codes``, ``reversed`` (true:
    asked the other way round, so answers are turned to lowest + highest − x at reading) and
    ``labels`` (texts of answer codes). Keys of another column: ``wording``, ``missing_codes``,
    ``labels``. Every column named must be in the data; a key that is not known is an error.

    Attributes
    ----------
    items
        The items by name, in the order of the file.
    title, source, doi
        What the survey is and where it comes from.
    weights, strata, cluster, population
        Names of design columns, or None.
    column_labels, value_labels
        Texts of columns and of answer codes.
    column_codes
        Missing codes of columns that are not items.

    Examples
    --------
    >>> book = Codebook.from_toml('''
    ... [defaults]
    ... scale = [1, 10]
    ... [items]
    ... CUSA1 = { construct = "Satisfaction" }
    ... "投诉" = { construct = "顾客抱怨", reversed = true }
    ... ''')
    >>> book.items["投诉"]
    Item(name='投诉', construct='顾客抱怨', wording=None, minimum=1.0, maximum=10.0,
         missing_codes=(), reversed=True)
    """

    items: Mapping[str, Item] = field(default_factory=dict)
    title: str | None = None
    source: str | None = None
    doi: str | None = None
    weights: str | None = None
    strata: str | None = None
    cluster: str | None = None
    population: str | None = None
    column_labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[float | str, str]] = field(default_factory=dict)
    column_codes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @classmethod
    def from_toml(cls, text: str, name: str = "codebook") -> Codebook:
        r"""Read a codebook from TOML text; `name` stands for it in error messages.

        Raises
        ------
        SurveyError
            When the text is not TOML, or a section, key or value is not one described above.

        Examples
        --------
        >>> Codebook.from_toml("[items.q1]\nscael = [1, 5]")
        Traceback (most recent call last):
        ...
        csimodel.errors.SurveyError: codebook: item 'q1' has the unknown key 'scael' (did you
        mean 'scale'?).
        """
        if not isinstance(text, str):
            raise SurveyError(f"{name} is {shown(text)}; give the text of a codebook in TOML.")
        if len(text) > limits.CODEBOOK_CHARACTERS or _DEEP.search(text):
            raise SurveyError(
                f"{name} has more than {limits.CODEBOOK_CHARACTERS:,} characters, or a key of more "
                "than 100 parts; it needs a line or two for each column."
            )
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise SurveyError(f"{name} is not valid TOML: {str(error).rstrip('.')}.") from error
        except ValueError as error:  # more digits than Python reads
            raise SurveyError(
                f"{name} holds a number of thousands of digits; give numbers that answers can have."
            ) from error
        except RecursionError as error:
            raise SurveyError(
                f"{name} has lists or tables in each other too deeply; a column needs one table."
            ) from error
        return _parse(document, name)


@checked
def read_codebook(path: str | PathLike[str]) -> Codebook:
    """Read a codebook from a TOML file; see `Codebook` for the format.

    Raises
    ------
    SurveyError
        When the file is missing, not UTF-8, not TOML, or holds something not understood.

    Examples
    --------
    >>> read_codebook("nowhere.toml")
    Traceback (most recent call last):
    ...
    csimodel.errors.SurveyError: There is no codebook 'nowhere.toml'; check the path.
    """
    file = Path(path)
    try:
        size = file.stat().st_size
        text = file.read_text(encoding="utf-8-sig") if size <= _MOST_BYTES else ""
    except FileNotFoundError as error:
        raise SurveyError(f"There is no codebook {str(path)!r}; check the path.") from error
    except IsADirectoryError as error:
        raise SurveyError(f"The codebook {str(path)!r} is a folder; give a TOML file.") from error
    except UnicodeDecodeError as error:
        raise SurveyError(f"The codebook {file.name!r} is not UTF-8; save it as UTF-8.") from error
    except OSError as error:
        raise SurveyError(
            f"The codebook {str(path)!r} cannot be read ({error.strerror}); check the path."
        ) from error
    except ValueError as error:  # a path that cannot be
        raise SurveyError(f"There is no codebook {str(path)!r}; check the path.") from error
    if size > _MOST_BYTES:
        raise SurveyError(
            f"{file.name} has {size:,} bytes, and a codebook of at most "
            f"{limits.CODEBOOK_CHARACTERS:,} characters is read; is it one?"
        )
    return Codebook.from_toml(text, file.name)


def _parse(document: dict[str, Any], name: str) -> Codebook:
    _only(document, _SECTIONS, f"{name}: the file", "section")
    for section in document:
        _table(document[section], f"{name}: section [{section}]")
    survey = document.get("survey", {})
    _only(survey, _SURVEY_KEYS, f"{name}: [survey]")
    texts = {key: _text(value, f"{name}: [survey] {key}") for key, value in survey.items()}
    defaults = document.get("defaults", {})
    _only(defaults, _DEFAULT_KEYS, f"{name}: [defaults]")
    items: dict[str, Item] = {}
    column_labels: dict[str, str] = {}
    value_labels: dict[str, Mapping[float | str, str]] = {}
    column_codes: dict[str, tuple[float, ...]] = {}
    for column, entry in document.get("items", {}).items():
        where = f"{name}: item {column!r}"
        _only(_table(entry, where), _ITEM_KEYS, where)
        items[column] = _item(column, {**defaults, **entry}, where)
        _labels(column, entry, where, column_labels, value_labels)
    for column, entry in document.get("columns", {}).items():
        where = f"{name}: column {column!r}"
        _only(_table(entry, where), _COLUMN_KEYS, where)
        if column in items:
            raise SurveyError(f"{where} is also an item; describe it in one of the two sections.")
        if "missing_codes" in entry:
            column_codes[column] = parse_codes(entry["missing_codes"], where)
        _labels(column, entry, where, column_labels, value_labels)
    return Codebook(
        items=items,
        column_labels=column_labels,
        value_labels=value_labels,
        column_codes=column_codes,
        **texts,
    )


def _item(column: str, entry: dict[str, Any], where: str) -> Item:
    construct = entry.get("construct")
    wording = entry.get("wording")
    low, high = parse_scale(entry["scale"], where) if "scale" in entry else (None, None)
    turned = entry.get("reversed", False)
    if not isinstance(turned, bool):
        raise SurveyError(f"{where} has reversed = {_short(turned)}; write true or false.")
    if turned and low is None:
        raise SurveyError(f"{where} is reversed but has no scale; add scale = [lowest, highest].")
    return Item(
        name=column,
        construct=None if construct is None else _text(construct, f"{where} construct"),
        wording=None if wording is None else _text(wording, f"{where} wording"),
        minimum=low,
        maximum=high,
        missing_codes=parse_codes(entry.get("missing_codes", []), where),
        reversed=turned,
    )


def _labels(
    column: str,
    entry: dict[str, Any],
    where: str,
    column_labels: dict[str, str],
    value_labels: dict[str, Mapping[float | str, str]],
) -> None:
    if "wording" in entry:
        column_labels[column] = _text(entry["wording"], f"{where} wording")
    if "labels" in entry:
        table = _table(entry["labels"], f"{where} labels")
        value_labels[column] = {
            _code(code): _text(text, f"{where} label {code!r}") for code, text in table.items()
        }


def _code(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def parse_scale(value: object, where: str) -> tuple[float, float]:
    """Return (lowest, highest) as floats, or say in one sentence why `value` is not a scale.

    >>> parse_scale([1, 10], "item 'q1'")
    (1.0, 10.0)
    """
    ends = _numbers(value)
    if ends is not None and not isinstance(value, Set) and len(ends) == 2 and ends[0] < ends[1]:
        return ends[0], ends[1]
    raise SurveyError(
        f"{where} has the scale {_short(value)}; give the lowest and the highest answer, such as "
        "(1, 10)."
    )


def parse_codes(value: object, where: str) -> tuple[float, ...]:
    """Return missing codes as floats, or say in one sentence why `value` is not a list of them.

    >>> parse_codes([98, 99], "item 'q1'"), parse_codes(99, "item 'q1'")
    ((98.0, 99.0), (99.0,))
    """
    codes = _numbers([value] if _is_number(value) else value)
    if codes is not None:
        return tuple(sorted(codes)) if isinstance(value, Set) else codes
    raise SurveyError(
        f"{where} has the missing codes {_short(value)}; give numbers, such as (98, 99)."
    )


def _numbers(value: object) -> tuple[float, ...] | None:
    """Return the numbers of a list, array or the like, or None where it holds anything else."""
    if not isinstance(value, Iterable) or isinstance(value, str | bytes | Mapping):
        return None
    every = list(value)
    return tuple(float(label) for label in every) if all(map(_is_number, every)) else None


def _short(value: object) -> str:
    return reprlib.repr(value)


def _is_number(value: object) -> bool:
    if not isinstance(value, Real) or isinstance(value, bool | np.bool_):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise SurveyError(f"{where} is {_short(value)}; write text in quotes.")
    return value


def _table(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SurveyError(
            f"{where} is {_short(value)}; write keys and values, such as {{ … = … }}."
        )
    return value


def _only(
    table: Mapping[str, Any], allowed: tuple[str, ...], where: str, kind: str = "key"
) -> None:
    for key in table:
        if key not in allowed:
            ending = (suggest(key, allowed) or f"; use {listed(allowed, 10)}") + "."
            raise SurveyError(f"{where} has the unknown {kind} {key!r}{ending}")
