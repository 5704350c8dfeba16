"""Numbers and names as people write them, for every text the package makes."""

from __future__ import annotations

import math
from collections.abc import Iterable


def number(value: float, decimals: int = 1) -> str:
    """Write a number with a true minus sign; one that is not finite is a dash.

    >>> number(72.4541), number(-0.2, 2), number(-0.001, 2), number(float("nan"))
    ('72.5', '−0.20', '0.00', '–')
    """
    if not math.isfinite(value):
        return "–"
    text = f"{value:,.{decimals}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return text.replace("-", "−")


def span(lower: float, upper: float, decimals: int = 1) -> str:
    """Write an interval in words; a dash where there is none.

    >>> span(70.69, 74.22), span(float("nan"), float("nan"))
    ('70.7 to 74.2', '–')
    """
    if math.isnan(lower) and math.isnan(upper):
        return "–"
    return f"{number(lower, decimals)} to {number(upper, decimals)}"


def amount(value: float, currency: str) -> str:
    r"""Write money with its currency; cents only where they matter.

    >>> amount(6.557, "EUR"), amount(-1390753.8, "EUR")
    ('6.56\xa0EUR', '−1,390,754\xa0EUR')
    """
    return f"{number(value, 2 if abs(value) < 1000 else 0)}\u00a0{currency}"


def amounts(lower: float, upper: float) -> str:
    """Write an interval of money, its currency said before.

    >>> amounts(232785.4, 631348)
    '232,785 to 631,348'
    """
    return span(lower, upper, 2 if max(abs(lower), abs(upper)) < 1000 else 0)


def percent(level: float) -> str:
    r"""Write a share as a percentage without needless digits.

    The space before the sign does not break, so that a line never starts with it.

    >>> percent(0.95), percent(0.999)
    ('95\xa0%', '99.9\xa0%')
    """
    return f"{100 * level:.6g}\u00a0%"


def share(value: float, decimals: int = 1) -> str:
    r"""Write a probability as a percentage.

    >>> share(0.6806)
    '68.1\xa0%'
    """
    return f"{number(100 * value, decimals)}\u00a0%"


def plural(count: int, noun: str) -> str:
    """Write a count with its noun.

    >>> plural(1, "respondent"), plural(1250, "respondent")
    ('1 respondent', '1,250 respondents')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def label(key: object) -> str:
    """Write a group's label: a value, or several joined.

    >>> label("north"), label(("north", 2)), label(3.0)
    ('north', 'north · 2', '3')
    """
    if isinstance(key, tuple):
        return " · ".join(label(part) for part in key)
    if isinstance(key, float) and key.is_integer():
        return str(int(key))
    return str(key)


def sentence(parts: Iterable[str]) -> str:
    """Join the sentences that are not empty.

    >>> sentence(["One.", "", "Two."])
    'One. Two.'
    """
    return " ".join(part for part in parts if part)
