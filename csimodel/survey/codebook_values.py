"""Values in a codebook: scales, codes, texts and tables, each held to its form."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable, Mapping, Set
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
    """Return a code of an answer: a number where it is one."""
    try:
        return float(text)
    except ValueError:
        return text
