"""Arguments of public functions held to their annotations, by one table.

`options` checks values within a function (bounds, names that are known); what can be told from an
annotation alone (text, a truth value, a number, names, a result of another function) is told here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np
import pandas as pd

from csimodel.errors import OptionError
from csimodel.options import number_of, require_flag, require_number, shown

P = ParamSpec("P")
R = TypeVar("R")

Check = Callable[[str, object], object]

# How a result is made, by the name of its class.
_MAKERS = {
    "Comparison": "csi.compare(fit, other)",
    "Economics": "csi.money.Economics(margin=…, currency=…, period=…, discount_rate=…)",
    "Money": "csi.money.profit_of_change(rep, from_, to, economics)",
    "Repurchase": "csi.repurchase(fit, outcome)",
    "Truth": "csi.simulate.population(model)",
}


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Hold the arguments of a function to their annotations before it is called.

    NumPy's numbers become Python's, and names in an array or an index become a tuple.

    Raises
    ------
    OptionError
        By the function, for an argument of another kind.

    Examples
    --------
    >>> @checked
    ... def scores(by: str | Sequence[str] | None = None, rounded: bool = False): ...
    >>> scores(by={"firm"})
    Traceback (most recent call last):
    csimodel.errors.OptionError: by={'firm'} must be a name, or several in a list.
    >>> scores(rounded="no")
    Traceback (most recent call last):
    csimodel.errors.OptionError: rounded='no' must be True or False.
    """
    signature = inspect.signature(function)
    checks = {
        name: check
        for name, parameter in signature.parameters.items()
        if name != "level" and (check := _check_of(parameter.annotation)) is not None
    }

    @wraps(function)
    def call(*args: P.args, **options: P.kwargs) -> R:
        bound = signature.bind(*args, **options)
        for name, check in checks.items():
            if name in bound.arguments:
                bound.arguments[name] = check(name, bound.arguments[name])
        return function(*bound.args, **bound.kwargs)

    return call


def _check_of(annotation: object) -> Check | None:
    """Return the check of an annotation as written, None where nothing can be told from it."""
    if not isinstance(annotation, str):
        return None
    kinds = frozenset(part.strip() for part in annotation.split("|"))
    check = _CHECKS.get(kinds - {"None"})
    (kind, *more) = kinds - {"None"} or {"None"}
    if check is None and not more and kind in _MAKERS:
        check = _result_of(kind)
    return _or_none(check) if check is not None and "None" in kinds else check


def _or_none(check: Check) -> Check:
    return lambda option, value: None if value is None else check(option, value)


def _text(option: str, value: object) -> object:
    if not isinstance(value, str):
        raise OptionError(f"{option}={shown(value)} must be text, written in quotes.")
    return value


def _number(option: str, value: object) -> object:
    require_number(option, value)
    return value.item() if isinstance(value, np.generic) else value


def _names(option: str, value: object) -> object:
    """Return a name, or several as they were written."""
    if isinstance(value, str):
        return value
    return _several(option, value)


def _several(option: str, value: object) -> object:
    """Return several names in order; a name alone is one of them."""
    if isinstance(value, str):
        return (value,)
    names: list[object] | None = None
    if isinstance(value, list | tuple | np.ndarray | pd.Index | pd.Series):
        names = list(value)
    if names is None or not all(isinstance(name, str) for name in names):
        raise OptionError(f"{option}={shown(value)} must be a name, or several in a list.")
    return value if isinstance(value, list | tuple) else tuple(names)


def _bounds(option: str, value: object) -> object:
    """Return the two numbers of a scale."""
    pair = list(value) if isinstance(value, list | tuple | np.ndarray) else []
    if len(pair) != 2 or any(number_of(end) is None for end in pair):
        raise OptionError(
            f"{option}={shown(value)} must be two numbers, the lowest and the highest, such as "
            "(1, 10)."
        )
    return value


def _result_of(kind: str) -> Check:
    """Return the check for a result of another function, known by the name of its class."""

    def check(option: str, value: object) -> object:
        if kind in (one.__name__ for one in type(value).__mro__):
            return value
        article = "an" if kind[0] in "AEIOU" else "a"
        written = f"{option}={shown(value)}" if isinstance(value, str) else shown(value)
        raise OptionError(
            f"{option} must be {article} {kind}, and it is {written}; make one with "
            f"{_MAKERS[kind]}."
        )

    return check


_CHECKS: Mapping[frozenset[str], Check] = {
    frozenset({"str"}): _text,
    frozenset({"bool"}): require_flag,
    frozenset({"float"}): _number,
    frozenset({"str", "Sequence[str]"}): _names,
    frozenset({"Sequence[str]"}): _several,
    frozenset({"tuple[float, float]"}): _bounds,
}
