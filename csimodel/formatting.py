"""Numbers and names as people write them, for every text the package makes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from numbers import Real

from csimodel.translation import gettext, zero_before_point

LARGEST = 1e15
"""Size from which numbers are written with powers of ten: floats have no more figures."""


def number(value: float, decimals: int = 1, missing: str = "–") -> str:
    """Write a number with a true minus sign; `missing` stands where there is none.

    >>> number(72.4541), number(-0.2, 2), number(-0.001, 2), number(float("nan")), number(1e300)
    ('72.5', '−0.20', '0.00', '–', '1e+300')
    """
    if not math.isfinite(value):
        return _not_finite(value, missing)
    text = f"{value:,.{decimals}f}" if abs(value) < LARGEST else f"{value:.4g}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return text.replace("-", "−")


def figures(value: float, missing: str = "–") -> str:
    """Write a number of any size: four figures, or two decimals and thousands from 100 to 10¹⁵.

    >>> figures(0.012345), figures(12345.678), figures(-3.0), figures(float("inf"))
    ('0.01234', '12,345.68', '−3', '∞')
    """
    if not math.isfinite(value):
        return _not_finite(value, missing)
    text = f"{value:,.2f}" if 100 <= abs(value) < LARGEST else f"{value:.4g}"
    return text.replace("-", "−", 1) if value < 0 else text


def in_form(value: float | Real, form: str) -> str:
    r"""Write a number as a field of a sentence asks for it.

    Thousands are separated, the minus sign is a true one, nothing is a negative zero, and a
    percentage has the sign of the language.

    Parameters
    ----------
    value
        A number; an integer is a count, so that a label such as a year is to be given as text.
    form
        A format of Python for numbers, or none.

    Examples
    --------
    >>> in_form(12345, ""), in_form(-12345.678, ".1f"), in_form(-0.001, ".2f")
    ('12,345', '−12,345.7', '0.00')
    >>> in_form(0.6806, ".1%"), in_form(float("nan"), ".3f"), in_form(1e-07, ".2g")
    ('68.1\xa0%', '–', '1e−07')
    """
    if not math.isfinite(value):
        return _not_finite(float(value), "–")
    if form.endswith("%"):
        points = in_form(100 * float(value), f"{form[:-1]}f")
        return gettext("{number}\u00a0%").format(number=points)
    separated = form if "," in form else re.sub(r"(?=\.|[a-z]?$)", ",", form, count=1)
    text = format(value, separated)
    if not text.strip("+-0.,"):
        text = text.lstrip("+-")
    return text.replace("-", "−")


def _not_finite(value: float, missing: str) -> str:
    return missing if math.isnan(value) else "∞" if value > 0 else "−∞"


def p_value(p: float, missing: str = "–") -> str:
    """Write a p-value: three decimals; in English without the zero before them, as it is below 1.

    >>> p_value(0.0312), p_value(1e-9), p_value(1.0), p_value(float("nan"))
    ('.031', '< .001', '1.000', '–')
    """
    if math.isnan(p):
        return missing
    least, exact = "0.001", f"{p:.3f}"
    if not zero_before_point():
        least, exact = least.removeprefix("0"), exact.removeprefix("0")
    return f"< {least}" if p < 0.001 else exact


def told_p(p: float) -> str:
    """Write a p-value for a sentence.

    >>> told_p(0.0312), told_p(1e-9), told_p(float("nan"))
    ('p = .031', 'p < .001', 'no test was possible')
    """
    if math.isnan(p):
        return gettext("no test was possible")
    return f"p {p_value(p)}" if p < 0.001 else f"p = {p_value(p)}"


def span(lower: float, upper: float, decimals: int = 1) -> str:
    """Write an interval in words; a dash where there is none.

    >>> span(70.69, 74.22), span(float("nan"), float("nan"))
    ('70.7 to 74.2', '–')
    """
    if math.isnan(lower) and math.isnan(upper):
        return "–"
    return gettext("{lower} to {upper}").format(
        lower=number(lower, decimals), upper=number(upper, decimals)
    )


def bracketed(value: float, lower: float, upper: float, decimals: int = 1) -> str:
    """Write a number with its interval in brackets, or alone where there is none of any width.

    >>> bracketed(0.5, -0.1, 1.0, 2), bracketed(0.5, float("nan"), float("nan"))
    ('0.50 [−0.10, 1.00]', '0.5')
    """
    text = number(value, decimals)
    if not (math.isfinite(lower) and math.isfinite(upper) and upper > lower):
        return text
    return f"{text} [{number(lower, decimals)}, {number(upper, decimals)}]"


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
    return gettext("{number}\u00a0%").format(number=f"{100 * level:.6g}")


def percent_sign() -> str:
    """Return the sign of percentages, with the space before it that the language wants.

    >>> percent_sign()
    ' %'
    """
    return gettext("{number}\u00a0%").format(number="").replace("\u00a0", " ")


def share(value: float, decimals: int = 1) -> str:
    r"""Write a probability as a percentage.

    >>> share(0.6806)
    '68.1\xa0%'
    """
    return gettext("{number}\u00a0%").format(number=number(100 * value, decimals))


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
