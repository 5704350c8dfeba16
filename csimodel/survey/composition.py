"""Items composed of questions of which each respondent was asked one, by a skip rule.

A respondent is asked one of several questions, by the answer to an earlier question. Together they
are one item: the answer to the question asked, times its sign. Answers that stand for "so much or
more" are censored: how far beyond they lie is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from csimodel.errors import SurveyError
from csimodel.survey.codebook_values import (
    parse_codes,
    parse_scale,
    require_keys,
    short,
    table_of,
    text_of,
)
from csimodel.survey.item import Item

_KEYS = ("construct", "wording", "scale", "censored", "missing_codes", "parts")
_PART_KEYS = ("column", "sign", "asked")


@dataclass(frozen=True)
class AskedQuestion:
    """One question of a composed item.

    Attributes
    ----------
    column
        Its column.
    sign
        1, or -1 where more of it is less of the item.
    by
        Column of the answer by which it is asked.
    lowest, highest
        It is asked where that answer lies from the lowest to the highest.
    """

    column: str
    sign: float
    by: str
    lowest: float
    highest: float


@dataclass(frozen=True)
class Composition:
    """An item composed of questions of which each respondent was asked one.

    Attributes
    ----------
    item
        Name, construct, wording, scale; its missing codes are those of the questions.
    parts
        The questions.
    censored
        Answers to a question, before the sign, that stand for so much or more.
    """

    item: Item
    parts: tuple[AskedQuestion, ...]
    censored: tuple[float, ...] = ()


def composition(name: str, entry: Mapping[str, Any], where: str) -> Composition:
    """Return what a codebook says of a composed item.

    Raises
    ------
    SurveyError
        When a key is not known, or a part has no column, sign or rule.

    Examples
    --------
    >>> part = {"column": "up", "asked": {"again": [6, 10]}}
    >>> composition("price", {"scale": [0, 26], "parts": [part]}, "item 'price'").parts[0].highest
    10.0
    """
    require_keys(table_of(entry, where), _KEYS, where)
    parts = entry.get("parts")
    if not isinstance(parts, list) or not parts:
        raise SurveyError(
            f"{where} has parts = {short(parts)}; write a list of questions, such as "
            "[{ column = 'up', asked = { again = [6, 10] } }]."
        )
    low, high = parse_scale(entry.get("scale"), where)
    construct, wording = entry.get("construct"), entry.get("wording")
    item = Item(
        name,
        None if construct is None else text_of(construct, f"{where} construct"),
        None if wording is None else text_of(wording, f"{where} wording"),
        low,
        high,
        parse_codes(entry.get("missing_codes", []), where),
    )
    censored = parse_codes(entry.get("censored", []), where)
    return Composition(item, tuple(_question(part, where) for part in parts), censored)


def _question(part: object, where: str) -> AskedQuestion:
    own = table_of(part, f"{where} part")
    require_keys(own, _PART_KEYS, f"{where} part")
    sign = own.get("sign", 1)
    if isinstance(sign, bool) or sign not in (1, -1):
        raise SurveyError(f"{where} has a part with sign = {short(sign)}; write 1 or -1.")
    rule = table_of(own.get("asked"), f"{where} part asked")
    if len(rule) != 1:
        raise SurveyError(
            f"{where} has a part asked = {short(rule)}; name the one column by which it is asked, "
            "with the lowest and the highest answer."
        )
    ((by, ends),) = rule.items()
    low, high = (ends, ends) if isinstance(ends, int | float) else parse_scale(ends, where)
    return AskedQuestion(text_of(own.get("column"), f"{where} column"), float(sign), by, low, high)
