"""A codebook as TOML text, which `Codebook.from_toml` reads back."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from csimodel.survey.composition import Composition
from csimodel.survey.item import Item

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SURVEY = ("title", "source", "doi", "weights", "strata", "cluster", "population",
           "replicate_weights", "replicate_method")  # fmt: skip
_METHOD = ("scheme", "fay", "scale", "rscales", "mse", "combined")


class CodebookFields(Protocol):
    """What of a codebook is written."""

    @property
    def items(self) -> Mapping[str, Item]:
        """The items by name."""

    @property
    def column_labels(self) -> Mapping[str, str]:
        """Texts of columns."""

    @property
    def value_labels(self) -> Mapping[str, Mapping[float | str, str]]:
        """Texts of answer codes."""

    @property
    def column_codes(self) -> Mapping[str, tuple[float, ...]]:
        """Missing codes of columns that are no items."""

    @property
    def column_words(self) -> Mapping[str, tuple[str, ...]]:
        """Words for no answer of columns that are no items."""

    @property
    def column_answers(self) -> Mapping[str, Mapping[str, float]]:
        """Codes of answers in words of columns that are no items."""

    @property
    def composed(self) -> Mapping[str, Composition]:
        """Items composed of questions."""


def codebook_text(book: CodebookFields) -> str:
    """Return the TOML of a codebook, a line for each item and column."""
    return "\n".join(_lines(book)) + "\n"


def _lines(book: CodebookFields) -> Iterator[str]:
    told = {key: _value(getattr(book, key)) for key in _SURVEY if getattr(book, key) is not None}
    if told:
        yield "[survey]"
        yield from (f"{key} = {value}" for key, value in told.items())
        yield ""
    if book.items:
        yield "[items]"
        yield from (f"{_key(name)} = {_item(book, item)}" for name, item in book.items.items())
        yield ""
    named = (book.column_labels, book.value_labels, book.column_codes, book.column_words)
    others = dict.fromkeys(name for own in (*named, book.column_answers) for name in own)
    columns = [name for name in others if name not in book.items]
    if columns:
        yield "[columns]"
        yield from (f"{_key(name)} = {_column(book, name)}" for name in columns)
        yield ""
    for name, own in book.composed.items():
        yield f"[composed.{_key(name)}]"
        yield from _composed(own)
        yield ""


def _composed(own: Composition) -> Iterator[str]:
    """Write what a composed item is and of which questions, a line each."""
    item = own.item
    if item.construct is not None:
        yield f"construct = {_text(item.construct)}"
    if item.wording is not None:
        yield f"wording = {_text(item.wording)}"
    if item.minimum is not None and item.maximum is not None:
        yield f"scale = {_numbers((item.minimum, item.maximum))}"
    yield f"censored = {_numbers(own.censored)}"
    yield f"missing_codes = {_numbers(item.missing_codes)}"
    parts = []
    for part in own.parts:
        lowest, highest = part.lowest, part.highest
        ends = _number(lowest) if lowest == highest else _numbers((lowest, highest))
        rule = _inline({_key(part.by): ends})
        entries = {"column": _text(part.column), "sign": _number(part.sign), "asked": rule}
        parts.append(_inline(entries))
    yield f"parts = [{', '.join(parts)}]"


def _value(value: object) -> str:
    """Return text, a truth value, a number, a list of them, or the fields of a method."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return _number(float(value))
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(_value, value)) + "]"
    own = {key: getattr(value, key) for key in _METHOD}
    return _inline({key: _value(part) for key, part in own.items() if part is not None})


def _item(book: CodebookFields, item: Item) -> str:
    entries: dict[str, str] = {}
    if item.construct is not None:
        entries["construct"] = _text(item.construct)
    wording = item.wording if item.wording is not None else book.column_labels.get(item.name)
    if wording is not None:
        entries["wording"] = _text(wording)
    if item.minimum is not None and item.maximum is not None:
        entries["scale"] = _numbers((item.minimum, item.maximum))
    entries |= _missing(item.missing_codes, item.missing_words)
    if item.reversed:
        entries["reversed"] = "true"
    return _inline(entries | _labels(book, item.name) | _answers(item.answers))


def _column(book: CodebookFields, name: str) -> str:
    entries: dict[str, str] = {}
    if name in book.column_labels:
        entries["wording"] = _text(book.column_labels[name])
    entries |= _missing(book.column_codes.get(name, ()), book.column_words.get(name, ()))
    answers = _answers(book.column_answers.get(name, {}))
    return _inline(entries | _labels(book, name) | answers)


def _missing(codes: tuple[float, ...], words: tuple[str, ...]) -> dict[str, str]:
    entries = {"missing_codes": _numbers(codes)} if codes else {}
    return entries | ({"missing": _value(words)} if words else {})


def _answers(answers: Mapping[str, float]) -> dict[str, str]:
    if not answers:
        return {}
    return {"answers": _inline({_key(text): _number(code) for text, code in answers.items()})}


def _labels(book: CodebookFields, name: str) -> dict[str, str]:
    labels = book.value_labels.get(name)
    if not labels:
        return {}
    texts = {_code(code): _text(label) for code, label in labels.items()}
    return {"labels": _inline(texts)}


def _code(code: float | str) -> str:
    return _key(_number(code) if isinstance(code, float) else str(code))


def _inline(entries: Mapping[str, str]) -> str:
    if not entries:
        return "{}"
    return "{ " + ", ".join(f"{key} = {value}" for key, value in entries.items()) + " }"


def _numbers(values: Iterable[float]) -> str:
    return "[" + ", ".join(map(_number, values)) + "]"


def _number(value: float) -> str:
    whole = math.isfinite(value) and value == int(value) and abs(value) < 1e15
    return str(int(value)) if whole else repr(float(value))


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    # A JSON string is a TOML string but for the delete character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
