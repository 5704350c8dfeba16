"""Codebooks: what each column of a survey means, written by hand in TOML."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from csimodel import limits
from csimodel.arguments import checked, checked_in
from csimodel.errors import OptionError, SurveyError
from csimodel.options import shown
from csimodel.survey.codebook_text import codebook_text
from csimodel.survey.codebook_values import (
    code_of,
    parse_answers,
    parse_codes,
    parse_missing,
    parse_scale,
    require_keys,
    short,
    table_of,
    text_of,
)
from csimodel.survey.composition import Composition, composition
from csimodel.survey.item import Item
from csimodel.survey.replicates import ReplicateMethod, require_scheme

_DEEP = re.compile(r"^[^=#\n]*(?:\.[^=#\n.]*){100}", re.MULTILINE)

_SECTIONS = ("survey", "defaults", "items", "columns", "composed")
_TEXT_KEYS = ("title", "source", "doi", "weights", "strata", "cluster", "population")
_SURVEY_KEYS = (*_TEXT_KEYS, "replicate_weights", "replicate_method")
_METHOD_KEYS = ("scheme", "fay", "scale", "rscales", "mse", "combined")
_DEFAULT_KEYS = ("scale", "missing_codes", "missing", "reversed", "answers")
_ITEM_KEYS = ("construct", "wording", "labels", *_DEFAULT_KEYS)
_MOST_BYTES = 4 * limits.CODEBOOK_CHARACTERS
_COLUMN_KEYS = ("wording", "missing_codes", "labels", "missing", "answers")


@checked_in
@dataclass(frozen=True)
class Codebook:
    """Say what the columns of a survey mean.

    A codebook is a TOML file with up to five sections, all optional::

        [survey]
        title = "Mobile phone customers"
        source = "Who asked whom, and when"
        doi = "10.1016/j.csda.2004.03.005"
        weights = "w"                       # design columns, when there are any
        strata = "region"
        cluster = "firm"
        population = "firms_in_region"      # units of the stratum in the population
        replicate_weights = "rw*"           # or a list of columns
        replicate_method = { scheme = "fay", fay = 0.3 }    # or only "brr"

        [defaults]                          # for every item that does not say otherwise
        scale = [1, 10]                     # lowest and highest answer
        missing_codes = [98, 99]            # values that stand for no answer
        missing = ["Blank", "DK"]           # words that stand for no answer
        answers = { "poor" = 1, "很好" = 10 }     # codes of answers in words

        [items]                             # one line per item, or a table [items.CUSA1]
        CUSA1 = { construct = "Satisfaction", wording = "overall satisfaction" }
        CUSA2 = { construct = "Satisfaction", scale = [1, 5], missing_codes = [9] }
        "投诉" = { construct = "顾客抱怨", reversed = true }   # quote names that are not ASCII

        [columns]                           # other columns worth a word
        firm = { wording = "service provider", labels = { 1 = "Alpha", 2 = "Beta" } }

        [composed.price]                    # one item of questions asked of some each
        scale = [-26, 26]
        censored = [26]                     # answers that stand for so much or more
        missing_codes = [101]
        [[composed.price.parts]]
        column = "price_rise"
        asked = { again = [6, 10] }         # where the answer to again is 6 to 10
        [[composed.price.parts]]
        column = "price_cut"
        asked = { again = [1, 5] }
        sign = -1                           # counts the other way round

    Keys of an item: ``construct``, ``wording``, ``scale``, ``missing_codes``, ``missing``,
    ``reversed`` (true: asked the other way round, so answers are turned to lowest + highest − x at
    reading), ``labels`` (texts of answer codes) and ``answers``. Keys of another column:
    ``wording``, ``missing_codes``, ``missing``, ``labels``, ``answers``.

    Answers in words are read as the codes that ``answers`` and ``labels`` of an item give them,
    whatever their case; where they begin or end with a number of the scale ("8 - good",
    "非常满意 (10)"), that is the code. What was read so is counted, and a wording that is not
    known refused. Another column takes the codes of ``answers`` only.

    Keys of ``replicate_method`` are those of a `ReplicateMethod`. Every column named must be in the
    data; a key that is not known is an error.

    Attributes
    ----------
    items
        The items by name, in the order of the file.
    title, source, doi
        What the survey is and where it comes from.
    weights, strata, cluster, population
        Names of design columns, or None.
    replicate_weights, replicate_method
        Columns of replicate weights and how they were made, as in `read_survey`, or None.
    column_labels, value_labels
        Texts of columns and of answer codes.
    column_codes
        Missing codes of columns that are not items.
    composed
        Items that are made of questions of which each respondent is asked one.
    column_words
        Words for no answer of columns that are not items.
    column_answers
        Codes of answers in words of columns that are not items.

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
    replicate_weights: str | tuple[str, ...] | None = None
    replicate_method: str | ReplicateMethod | None = None
    column_labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[float | str, str]] = field(default_factory=dict)
    column_codes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    composed: Mapping[str, Composition] = field(default_factory=dict)
    column_words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    column_answers: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

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

    def to_toml(self) -> str:
        r"""Return the codebook as TOML text, to be edited by hand and read back.

        Examples
        --------
        >>> book = Codebook.from_toml("[items.q1]\nscale = [1, 5]")
        >>> print(book.to_toml())
        [items]
        q1 = { scale = [1, 5] }
        >>> Codebook.from_toml(book.to_toml()) == book
        True
        """
        return codebook_text(self)


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
    require_keys(document, _SECTIONS, f"{name}: the file", "section")
    for section in document:
        table_of(document[section], f"{name}: section [{section}]")
    survey = document.get("survey", {})
    require_keys(survey, _SURVEY_KEYS, f"{name}: [survey]")
    texts = {
        key: text_of(survey[key], f"{name}: [survey] {key}") for key in _TEXT_KEYS if key in survey
    }
    defaults = document.get("defaults", {})
    require_keys(defaults, _DEFAULT_KEYS, f"{name}: [defaults]")
    items: dict[str, Item] = {}
    column_labels: dict[str, str] = {}
    value_labels: dict[str, Mapping[float | str, str]] = {}
    column_codes: dict[str, tuple[float, ...]] = {}
    column_words: dict[str, tuple[str, ...]] = {}
    column_answers: dict[str, Mapping[str, float]] = {}
    for column, entry in document.get("items", {}).items():
        where = f"{name}: item {column!r}"
        require_keys(table_of(entry, where), _ITEM_KEYS, where)
        items[column] = _item(column, {**defaults, **entry}, where)
        _labels(column, entry, where, column_labels, value_labels)
    for column, entry in document.get("columns", {}).items():
        where = f"{name}: column {column!r}"
        require_keys(table_of(entry, where), _COLUMN_KEYS, where)
        if column in items:
            raise SurveyError(f"{where} is also an item; describe it in one of the two sections.")
        codes, words = _missing(entry, where)
        if codes:
            column_codes[column] = codes
        if words:
            column_words[column] = words
        if "answers" in entry:
            column_answers[column] = parse_answers(entry["answers"], where)
        _labels(column, entry, where, column_labels, value_labels)
    composed = {
        column: composition(column, entry, f"{name}: composed item {column!r}")
        for column, entry in document.get("composed", {}).items()
    }
    return Codebook(
        items=items,
        composed=composed,
        column_labels=column_labels,
        value_labels=value_labels,
        column_codes=column_codes,
        column_words=column_words,
        column_answers=column_answers,
        replicate_weights=_replicate_weights(survey, name),
        replicate_method=_replicate_method(survey, name),
        **texts,
    )


def _replicate_weights(survey: Mapping[str, Any], name: str) -> str | tuple[str, ...] | None:
    """Return a pattern, or names of columns."""
    where = f"{name}: [survey] replicate_weights"
    columns = survey.get("replicate_weights")
    if isinstance(columns, list):
        return tuple(text_of(column, where) for column in columns)
    return None if columns is None else text_of(columns, where)


def _replicate_method(survey: Mapping[str, Any], name: str) -> str | ReplicateMethod | None:
    """Return a method by its name, or with what it is told."""
    where = f"{name}: [survey] replicate_method"
    method = survey.get("replicate_method")
    if not isinstance(method, dict):
        return None if method is None else text_of(method, where)
    require_keys(method, _METHOD_KEYS, where)
    for key in ("mse", "combined"):
        if not isinstance(method.get(key, True), bool):
            raise SurveyError(f"{where} has {key} = {short(method[key])}; write true or false.")
    factors = method.get("rscales", [])
    if not isinstance(factors, list):
        raise SurveyError(f"{where} has rscales = {short(factors)}; write a list of numbers.")
    options = {key: value for key, value in method.items() if key not in ("scheme", "rscales")}
    try:
        scheme = require_scheme(text_of(method.get("scheme"), f"{where} scheme"))
        return ReplicateMethod(scheme, rscales=tuple(factors) or None, **options)
    except OptionError as error:
        raise SurveyError(f"{where}: {error}") from error


def _item(column: str, entry: dict[str, Any], where: str) -> Item:
    construct = entry.get("construct")
    wording = entry.get("wording")
    low, high = parse_scale(entry["scale"], where) if "scale" in entry else (None, None)
    turned = entry.get("reversed", False)
    if not isinstance(turned, bool):
        raise SurveyError(f"{where} has reversed = {short(turned)}; write true or false.")
    if turned and low is None:
        raise SurveyError(f"{where} is reversed but has no scale; add scale = [lowest, highest].")
    codes, words = _missing(entry, where)
    return Item(
        name=column,
        construct=None if construct is None else text_of(construct, f"{where} construct"),
        wording=None if wording is None else text_of(wording, f"{where} wording"),
        minimum=low,
        maximum=high,
        missing_codes=codes,
        reversed=turned,
        answers=parse_answers(entry.get("answers", {}), where),
        missing_words=words,
    )


def _missing(entry: dict[str, Any], where: str) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Return codes and words for no answer, of both keys."""
    codes = parse_codes(entry.get("missing_codes", []), where)
    more, words = parse_missing(entry.get("missing", []), where)
    return (*codes, *more), words


def _labels(
    column: str,
    entry: dict[str, Any],
    where: str,
    column_labels: dict[str, str],
    value_labels: dict[str, Mapping[float | str, str]],
) -> None:
    if "wording" in entry:
        column_labels[column] = text_of(entry["wording"], f"{where} wording")
    if "labels" in entry:
        table = table_of(entry["labels"], f"{where} labels")
        value_labels[column] = {
            code_of(code): text_of(text, f"{where} label {code!r}") for code, text in table.items()
        }
