"""Checks of options: the same sentence wherever an option of that kind occurs."""

from __future__ import annotations

import secrets
from collections.abc import Set as AbstractSet
from numbers import Integral, Real
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import OptionError, choose

T = TypeVar("T")

__all__ = [
    "choose",
    "generator_of",
    "number_of",
    "require_array",
    "require_count",
    "require_flag",
    "require_kind",
    "require_level",
    "require_names",
    "require_number",
    "require_numbers",
    "seed_of",
    "shown",
]


def require_count(
    option: str, value: object, advice: str = "", *, least: int = 1, most: int = 10**9
) -> int:
    """Return a whole number within bounds; NumPy's integers are whole numbers too.

    Raises
    ------
    OptionError
        For anything else: a truth value, text, NaN, a fraction.

    Examples
    --------
    >>> require_count("draws", np.int64(500))
    500
    >>> require_count("draws", 0, ", and some thousands for intervals")
    Traceback (most recent call last):
    csimodel.errors.OptionError: draws=0 must be a whole number of at least 1, and some thousands
    for intervals.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise OptionError(
            f"{option}={shown(value)} must be a whole number of at least {least}{advice}."
        )
    if int(value) > most:
        raise OptionError(f"{option}={shown(value)} must be at most {most:,}.")
    return int(value)


def require_level(level: object, option: str = "level") -> float:
    """Return a coverage between 0 and 1.

    Raises
    ------
    OptionError
        For anything else, such as 95 or ``"0.95"``.

    Examples
    --------
    >>> require_level(np.float32(0.5))
    0.5
    >>> require_level("0.95")
    Traceback (most recent call last):
    csimodel.errors.OptionError: level='0.95' must lie between 0 and 1, for example 0.95.
    """
    number = number_of(level)
    if number is None or not (number > 0.0 and 0.5 + number / 2.0 < 1.0):
        raise OptionError(f"{option}={shown(level)} must lie between 0 and 1, for example 0.95.")
    return number


def require_number(
    option: str,
    value: object,
    *,
    least: float = -np.inf,
    most: float = np.inf,
    above: float = -np.inf,
    below: float = np.inf,
    advice: str = "",
) -> float:
    """Return a finite number within bounds; `above` and `below` are not themselves allowed.

    Raises
    ------
    OptionError
        For anything else: a truth value, text, NaN, an infinity.

    Examples
    --------
    >>> require_number("margin", np.float32(2.5), above=0)
    2.5
    >>> require_number("margin", "a lot", above=0)
    Traceback (most recent call last):
    csimodel.errors.OptionError: margin='a lot' must be a number above 0.
    """
    number = number_of(value)
    inside = number is not None and least <= number <= most and above < number < below
    if number is None or not inside or not np.isfinite(number):
        bounds = [
            f"above {above:g}" if np.isfinite(above) else "",
            f"of at least {least:g}" if np.isfinite(least) else "",
            f"of at most {most:g}" if np.isfinite(most) else "",
            f"below {below:g}" if np.isfinite(below) else "",
        ]
        limits = " and ".join(bound for bound in bounds if bound).replace(" and of", " and")
        kind = f"a number {limits}" if limits else "a finite number"
        raise OptionError(f"{option}={shown(value)} must be {kind}{advice}.")
    return number


def require_numbers(option: str, value: object, what: str) -> NDArray[np.float64]:
    """Return several numbers as an array; `what` says in the sentence what they are.

    Raises
    ------
    OptionError
        For text, a set, a single number and whatever else is no list of numbers.

    Examples
    --------
    >>> require_numbers("points", [60, 70], "levels of the index")
    array([60., 70.])
    >>> require_numbers("points", "60", "levels of the index")
    Traceback (most recent call last):
    csimodel.errors.OptionError: points='60' must be a list of numbers: levels of the index.
    """
    if not isinstance(value, list | tuple | range | np.ndarray | pd.Series | pd.Index):
        raise OptionError(f"{option}={shown(value)} must be a list of numbers: {what}.")
    return require_array(option, value, what).ravel()


def require_array(option: str, value: object, what: str) -> NDArray[np.float64]:
    """Return numbers as an array of the shape they were given in; one number has no dimension.

    Raises
    ------
    OptionError
        For text, a set, rows of different lengths and whatever else is no array of numbers.

    Examples
    --------
    >>> require_array("cov", [[1, 0.5], [0.5, 1]], "covariances").shape
    (2, 2)
    >>> require_array("cov", [["a"]], "covariances")
    Traceback (most recent call last):
    csimodel.errors.OptionError: cov=[['a']] must be a list of numbers: covariances.
    """
    refusal = OptionError(f"{option}={shown(value)} must be a list of numbers: {what}.")
    try:
        array = np.asarray(value)
        if array.dtype.kind == "O" and array.ndim:  # whole numbers beyond 64 bits, missing cells
            array = np.vectorize(float, otypes=[np.float64])(array)
    except (TypeError, ValueError, OverflowError):
        raise refusal from None
    if array.dtype.kind not in "biuf":
        raise refusal
    return array.astype(np.float64)


def number_of(value: object) -> float | None:
    """Return a number as a float; None for what is none, such as a truth value or text.

    >>> number_of(np.int64(3)), number_of(True), number_of("3")
    (3.0, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def require_flag(option: str, value: object) -> bool:
    """Return True or False.

    Raises
    ------
    OptionError
        For anything else, though Python would take it as true or false.

    Examples
    --------
    >>> require_flag("means", np.False_)
    False
    """
    if not isinstance(value, bool | np.bool_):
        raise OptionError(f"{option}={shown(value)} must be True or False.")
    return bool(value)


def require_kind(option: str, value: object, kind: type[T], way_out: str) -> T:
    """Return a value of a kind, or say how one is made.

    Raises
    ------
    OptionError
        For a value of another kind.

    Examples
    --------
    >>> require_kind("frame", 3, pd.DataFrame, "read one with csi.read_survey(path).data")
    Traceback (most recent call last):
    csimodel.errors.OptionError: frame=3 must be a DataFrame; read one with
    csi.read_survey(path).data.
    """
    if isinstance(value, kind):
        return value
    article = "an" if kind.__name__[0] in "AEIOU" else "a"
    raise OptionError(f"{option}={shown(value)} must be {article} {kind.__name__}; {way_out}.")


def require_names(option: str, value: object, what: str = "column") -> tuple[str, ...]:
    """Return names in order: one is written alone, several in a list without repetition.

    Raises
    ------
    OptionError
        For a set or mapping (which has no order of its own), names that are not text, and a name
        given twice.

    Examples
    --------
    >>> require_names("by", "firm"), require_names("by", ["firm", "year"])
    (('firm',), ('firm', 'year'))
    >>> require_names("by", {"firm"})
    Traceback (most recent call last):
    csimodel.errors.OptionError: by={'firm'} must be a name, or several in a list.
    """
    if isinstance(value, str):
        return (value,)
    names: list[object] = []
    if isinstance(value, list | tuple | np.ndarray | pd.Index | pd.Series):
        names = list(value)
    if not names or not all(isinstance(name, str) for name in names):
        raise OptionError(f"{option}={shown(value)} must be a name, or several in a list.")
    twice = [name for position, name in enumerate(names) if name in names[:position]]
    if twice:
        raise OptionError(f"{option}={shown(value)} names the {what} {twice[0]!r} twice.")
    return tuple(map(str, names))


def seed_of(rng: object) -> int:
    """Return the entropy of the random streams.

    Raises
    ------
    OptionError
        For what is neither a whole number, a generator nor None.

    Examples
    --------
    >>> seed_of(np.int64(7))
    7
    """
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63))
    if rng is None:
        return secrets.randbits(63)
    if isinstance(rng, bool) or not isinstance(rng, Integral) or rng < 0:
        raise OptionError(
            f"rng={shown(rng)} must be a whole number from 0, a numpy.random.Generator, or None."
        )
    return int(rng)


def generator_of(rng: object) -> np.random.Generator:
    """Return a generator: the one given, or a new one from a whole number or None.

    Raises
    ------
    OptionError
        For anything else.

    Examples
    --------
    >>> int(generator_of(3).integers(10)) == int(np.random.default_rng(3).integers(10))
    True
    """
    if isinstance(rng, np.random.Generator):
        return rng
    return np.random.default_rng(None if rng is None else seed_of(rng))


def shown(value: object, width: int = 60) -> str:
    """Return what the user wrote, on one line and not too long.

    >>> shown(np.float64(0.5)), shown("0.95"), shown(pd.DataFrame())
    ('0.5', "'0.95'", 'a DataFrame')
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, type):
        return f"the class {value.__name__}"
    plain = (
        isinstance(value, str | bytes | Real | list | tuple | dict | AbstractSet) or value is None
    )
    if not plain:
        article = "an" if type(value).__name__[0] in "AEIOUaeiou" else "a"
        return f"{article} {type(value).__name__}"
    text = " ".join(repr(value).split())
    return text if len(text) <= width else f"{text[: width - 1]}…"
