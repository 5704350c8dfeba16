"""Values in a codebook: scales, codes, texts and tables, each held to its form."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable, Iterator, Mapping, Set
from numbers import Real
from typing import Any

import numpy as np

from csimodel.errors import SurveyError, suggest
from csimodel.findings import listed


def parse_scale(value: object, where: str) -> tuple[float, float]:
    """Return (lowest, highest) as floats, or say in one sentence why `value` is not a scale.

    >>> parse_scale([1, 10], "item 'q1'")
    (1.0, 10.0)
    """
    ends = _numbers(value)
    if ends is not None and not isinstance(value, Set) and len(ends) == 2 and ends[0] < ends[1]:
        return ends[0], ends[1]
    raise SurveyError(
        f"{where} has the scale {short(value)}; give the lowest and the highest answer, such as "
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
        f"{where} has the missing codes {short(value)}; give numbers, such as (98, 99)."
    )


def parse_missing(value: object, where: str) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Return what stands for no answer: codes and words, which are texts that are no number.

    >>> parse_missing([99, "DK", "0"], "item 'q1'")
    ((99.0, 0.0), ('DK',))
    """
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, Iterable) or isinstance(value, bytes | Mapping):
        return parse_codes(value, where), ()
    every = list(value)
    if not any(isinstance(entry, str) for entry in every):
        return parse_codes(every if isinstance(value, Iterator) else value, where), ()
    if isinstance(value, Set):
        every.sort(key=lambda entry: (isinstance(entry, str), entry))
    entries = [code_of(entry) if isinstance(entry, str) else entry for entry in every]
    words = tuple(entry for entry in entries if isinstance(entry, str))
    if any(not word.strip() for word in words):
        raise SurveyError(
            f"{where} has the missing code {short('')}; cells that are empty are missing anyway, "
            "so leave it out."
        )
    numbers = tuple(entry for entry in entries if not isinstance(entry, str))
    return parse_codes(numbers, where), words


def parse_answers(value: object, where: str) -> dict[str, float]:
    """Return the code of each wording, or say in one sentence what is none.

    >>> parse_answers({"bad": 1, "good": 2}, "item 'q1'")
    {'bad': 1.0, 'good': 2.0}
    """
    if not isinstance(value, Mapping):
        raise SurveyError(
            f"{where} has answers = {short(value)}; give the code of each wording, such as "
            "{ bad = 1, good = 2 }."
        )
    for text, code in value.items():
        if not isinstance(text, str) or not _is_number(code):
            raise SurveyError(
                f"{where} has answers with {short(text)} = {short(code)}; give the code of each "
                "wording, a number, such as { bad = 1, good = 2 }."
            )
    return {text: float(code) for text, code in value.items()}


def _numbers(value: object) -> tuple[float, ...] | None:
    """Return the numbers of a list, array or the like, or None where it holds anything else."""
    if not isinstance(value, Iterable) or isinstance(value, str | bytes | Mapping):
        return None
    every = list(value)
    return tuple(float(label) for label in every) if all(map(_is_number, every)) else None


def short(value: object) -> str:
    """Return a value as an error shows it."""
    return reprlib.repr(value)


def _is_number(value: object) -> bool:
    if not isinstance(value, Real) or isinstance(value, bool | np.bool_):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def text_of(value: object, where: str) -> str:
    """Return a text, or say in one sentence that `value` is none."""
    if not isinstance(value, str):
        raise SurveyError(f"{where} is {short(value)}; write text in quotes.")
    return value


def table_of(value: object, where: str) -> dict[str, Any]:
    """Return keys with their values, or say in one sentence that `value` has none."""
    if not isinstance(value, dict):
        raise SurveyError(f"{where} is {short(value)}; write keys and values, such as {{ … = … }}.")
    return value


def require_keys(
    table: Mapping[str, Any], allowed: tuple[str, ...], where: str, kind: str = "key"
) -> None:
    """Refuse a key that is not known, and name the nearest."""
    for key in table:
        if key not in allowed:
            ending = (suggest(key, allowed) or f"; use {listed(allowed, 10)}") + "."
            raise SurveyError(f"{where} has the unknown {kind} {key!r}{ending}")


def code_of(text: str) -> float | str:
    """Return a code of an answer: a number where it is one.

    >>> code_of("7"), code_of("nan")
    (7.0, 'nan')
    """
    try:
        value = float(text)
    except ValueError:
        return text
    return value if math.isfinite(value) else text
