"""Arguments of public functions held to their annotations, by one table.

`options` checks values within a function (bounds, names that are known); what can be told from an
annotation alone (text, a truth value, a number, names, a result of another function) is told here.
An annotation with an alternative that is not in the table says nothing; an alias for one, such as
`ColumnName`, says that the function looks the value up and tells what is wrong with it.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from os import PathLike
from types import FunctionType
from typing import Any, Literal, ParamSpec, TypeVar, get_args, get_origin

import numpy as np
import pandas as pd

from csimodel.characters import composed
from csimodel.errors import OptionError, choose
from csimodel.options import number_of, shown

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

Check = Callable[[str, object], object]

# How a result is made, by the name of its class.
_MAKERS = {
    "Analysis": "csi.analyze(survey, model)",
    "Comparison": "csi.compare(fit, other)",
    "CorrectedSlopes": "csi.outcomes.corrected_slopes(fit, outcome)",
    "Economics": "csi.money.Economics(margin=…, currency=…, period=…, discount_rate=…)",
    "Model": "csi.Model.from_syntax(text)",
    "Money": "csi.money.profit_of_change(rep, from_, to, economics)",
    "Programme": "csi.programme(model, survey, levels, period)",
    "Population": "csi.simulate.population(model)",
    "Reliability": "csi.outcomes.index_reliability(fit)",
    "Repurchase": "csi.repurchase(fit, outcome)",
    "Retention": "csi.money.retention_of(rep, at, economics)",
    "Survey": "csi.read_survey(data)",
}

# Options whose own checks say more than could be said here: coverages, points of an index and
# probabilities, money, tables that are drawn, texts of a model or codebook; counts and seeds.
_OWN = frozenset(
    {"below", "compensation", "cut", "data", "end", "from_", "importance", "level", "levels",
     "performance", "probability", "quantity", "resamples", "scores", "spending", "start", "text",
     "to", "top"}
)  # fmt: skip
_WITHIN = (frozenset({"int"}), frozenset({"int", "np.random.Generator"}))

# Classes that functions look at themselves, and say more of than could be said here.
_ELSEWHERE = frozenset(
    {"Answers", "Bootstrap", "Construct", "CovarianceEstimator", "Estimator", "Fit", "Model",
     "Moments", "Path"}
)  # fmt: skip

_TOGETHER = {
    frozenset({"str", "Sequence[str]"}): "names",
    frozenset({"str", "PathLike[str]"}): "path",
}


@dataclass(frozen=True)
class Kind:
    """One alternative of an annotation.

    Attributes
    ----------
    words
        What a value of this kind is called in a sentence.
    holds
        Whether a value is one.
    plain
        The value as the function gets it.
    choices
        The texts that are allowed, of a choice.
    """

    words: str
    holds: Callable[[Any], bool]
    plain: Callable[[Any], object] = lambda value: value
    choices: tuple[str, ...] = ()


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Hold the arguments of a function to their annotations before it is called.

    NumPy's numbers become Python's, names in an array or an index become a tuple, and text takes
    the Unicode form in which names are compared.

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
    names = getattr(inspect.unwrap(function), "__globals__", {})
    checks = {
        name: check
        for name, parameter in signature.parameters.items()
        if (name not in _OWN or "Sequence[str]" in str(parameter.annotation))
        and (check := _check_of(parameter.annotation, names)) is not None
    }

    places = {
        name: place
        for place, (name, parameter) in enumerate(signature.parameters.items())
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    }

    @wraps(function)
    def call(*args: P.args, **options: P.kwargs) -> R:
        values: Any = list(args)
        given = len(values)
        for name, check in checks.items():
            if name in options:
                options[name] = check(name, options[name])
            elif (place := places.get(name, given)) < given:
                values[place] = check(name, values[place])
        return function(*values, **options)

    return call if checks else function


def checked_in(cls: type[T]) -> type[T]:
    """Hold the arguments of a class's public methods to their annotations.

    And those of its constructor, where it has checks of its own: a class that users make.

    Examples
    --------
    >>> @checked_in
    ... class Curve:
    ...     def at(self, points: float): ...
    >>> Curve().at("high")
    Traceback (most recent call last):
    csimodel.errors.OptionError: points='high' must be a finite number.
    """
    members: Mapping[str, Any] = dict(vars(cls))
    for name, member in members.items():
        if name.startswith("_") and not (name == "__init__" and "__post_init__" in members):
            continue
        if isinstance(member, FunctionType):
            setattr(cls, name, checked(member))
        elif isinstance(member, classmethod):
            setattr(cls, name, classmethod(checked(member.__func__)))
    return cls


def _check_of(annotation: object, names: Mapping[str, object]) -> Check | None:
    """Return the check of an annotation as written, None where nothing can be told from it."""
    if not isinstance(annotation, str):
        return None
    parts = frozenset(_alternatives(annotation))
    if parts - {"None"} in _WITHIN:
        return None
    kinds = _kinds_of(parts - {"None"}, names)
    if not kinds:
        return None
    optional = "None" in parts
    ending = "; ".join(
        f"make one with {_MAKERS[part]}" for part in sorted(parts) if part in _MAKERS
    )

    def check(option: str, value: object) -> object:
        if optional and value is None:
            return None
        for kind in kinds:
            if kind.holds(value):
                return kind.plain(value)
        if isinstance(value, str) and len(kinds) == 1 and kinds[0].choices:
            return choose(option, value, kinds[0].choices)
        raise OptionError(_sentence(option, value, kinds, ending))

    return check


def _sentence(option: str, value: object, kinds: Iterable[Kind], ending: str) -> str:
    *first, last = (kind.words for kind in kinds)
    words = f"{', '.join(first)} or {last}" if first else last
    ending = f"; {ending}." if ending else "."
    written = shown(value)
    if written.startswith(("a ", "an ", "the class ")):
        return f"{option} must be {words}, and it is {written}{ending}"
    return f"{option}={written} must be {words}{ending}"


def _alternatives(annotation: str) -> list[str]:
    """Return the parts of an annotation between its outer bars.

    >>> _alternatives("int | Mapping[str, str | None]")
    ['int', 'Mapping[str, str | None]']
    """
    tree: ast.expr = ast.parse(annotation, mode="eval").body
    parts: list[str] = []
    while isinstance(tree, ast.BinOp):
        parts.insert(0, ast.unparse(tree.right))
        tree = tree.left
    return [ast.unparse(tree), *parts]


def _kinds_of(parts: frozenset[str], names: Mapping[str, object]) -> tuple[Kind, ...]:
    """Return what an annotation allows, nothing where a part of it is not known here."""
    kinds: list[Kind] = []
    for together, name in _TOGETHER.items():
        if together <= parts:
            kinds.append(_KINDS[name])
            parts -= together
    if "Column" in parts:
        parts = parts - {"Column"} | {"str", "pd.Series", "ArrayLike"}
    order = {part: place for place, part in enumerate(_KINDS)}
    for part in sorted(parts, key=lambda part: (order.get(part, -1), part)):
        kind = _KINDS.get(part) or _structure(part, names)
        if kind is None:
            return ()
        kinds.append(kind)
    return tuple(kinds)


def _structure(part: str, names: Mapping[str, object]) -> Kind | None:
    """Return the kind of a mapping, a choice or a class."""
    if part.startswith("Mapping[str, "):
        return _mapping(_kinds_of(frozenset(_alternatives(part[13:-1])), names))
    if part.startswith("tuple[") and part.endswith(", ...]"):
        return _tuple(part[6:-6], names)
    meant = names.get(part)
    if part.startswith("Literal["):
        return _choice(ast.literal_eval(f"({part[8:-1]},)"))
    if get_origin(meant) is Literal:
        return _choice(get_args(meant))
    ours = isinstance(meant, type) and meant.__module__.startswith("csimodel")
    if part in _ELSEWHERE or getattr(meant, "_is_protocol", False) or not (ours or part in _MAKERS):
        return None
    article = "an" if part[0] in "AEIOU" else "a"

    known: dict[type, bool] = {}

    def holds(value: object) -> bool:
        own = type(value)
        if own not in known:
            known[own] = part in (base.__name__ for base in own.__mro__)
        return known[own]

    return Kind(f"{article} {part}", holds)


def _choice(allowed: tuple[str, ...]) -> Kind:
    words = ", ".join(map(repr, allowed[:-1]))
    words = f"{words} or {allowed[-1]!r}" if words else repr(allowed[-1])
    return Kind(words, lambda value: isinstance(value, str) and value in allowed, choices=allowed)


def _tuple(part: str, names: Mapping[str, object]) -> Kind | None:
    """Return the kind of several of a class in a list or tuple."""
    kinds = _kinds_of(frozenset({part}), names)
    if not kinds and part not in _ELSEWHERE:
        return None

    def holds(value: object) -> bool:
        if not kinds and isinstance(value, Iterator):
            return True
        if not isinstance(value, list | tuple):
            return False
        return not kinds or all(any(kind.holds(entry) for kind in kinds) for entry in value)

    words = f"a list, each entry {kinds[0].words}" if kinds else "a list"
    return Kind(words, holds, tuple)


def _mapping(kinds: tuple[Kind, ...]) -> Kind:
    """Return the kind of a mapping by name, whose values are held to their kinds where known."""

    def holds(value: object) -> bool:
        return (
            isinstance(value, Mapping)
            and all(isinstance(name, str) for name in value)
            and (not kinds or all(any(k.holds(v) for k in kinds) for v in value.values()))
        )

    def plain(value: Mapping[str, object]) -> object:
        return {
            composed(name): next((k.plain(own) for k in kinds if k.holds(own)), own)
            for name, own in value.items()
        }

    words = " or ".join(kind.words for kind in kinds)
    return Kind(
        f"a dict by name with values that are each {words}" if words else "a dict by name",
        holds,
        plain,
    )


def _is_number(value: object) -> bool:
    number = number_of(value)
    return number is not None and bool(np.isfinite(number))


def _python(value: Any) -> object:
    return value.item() if isinstance(value, np.generic) else value


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple | np.ndarray | pd.Index | pd.Series)


def _are_names(value: Any) -> bool:
    if not _is_list(value):
        return False
    names = list(value)
    return {*map(type, names)} <= {str} or all(isinstance(name, str) for name in names)


def _names(value: Any) -> object:
    """Return names in order as they were written: one alone, several in a list or a tuple."""
    if isinstance(value, str):
        return composed(value)
    names = [composed(name) for name in value]
    return names if isinstance(value, list) else tuple(names)


def _is_array(value: Any) -> bool:
    """Return whether a value is a list or an array; a number, text and a set are none."""
    if isinstance(value, list | tuple | range):
        try:
            return bool(np.asarray(value).ndim)
        except ValueError:  # rows of different lengths
            return False
    return not isinstance(value, type) and getattr(value, "ndim", 0) > 0


_KINDS: Mapping[str, Kind] = {
    "bool": Kind("True or False", lambda value: isinstance(value, bool | np.bool_), bool),
    "float": Kind("a finite number", _is_number, _python),
    "tuple[float, float]": Kind(
        "two numbers, the lowest and the highest, such as (1, 10)",
        lambda value: (
            isinstance(value, list | tuple | np.ndarray)
            and len(list(value)) == 2
            and all(number_of(end) is not None for end in value)
        ),
    ),
    "int": Kind(
        "a whole number",
        lambda value: isinstance(value, int | np.integer) and _is_number(value),
        _python,
    ),
    "np.random.Generator": Kind(
        "a numpy.random.Generator", lambda value: isinstance(value, np.random.Generator)
    ),
    "str": Kind("text, written in quotes", lambda value: isinstance(value, str), composed),
    "names": Kind(
        "a name, or several in a list",
        lambda value: isinstance(value, str) or _are_names(value),
        _names,
    ),
    "Sequence[str]": Kind(
        "a name, or several in a list",
        lambda value: isinstance(value, str) or _are_names(value),
        lambda value: (composed(value),) if isinstance(value, str) else _names(value),
    ),
    "Sequence[Any]": Kind("a list", _is_list),
    "Sequence[float]": Kind(
        "a list of numbers", lambda value: _is_list(value) and all(map(_is_number, list(value)))
    ),
    "path": Kind("the path of a file", lambda value: isinstance(value, str | PathLike)),
    "pd.Series": Kind("a Series", lambda value: isinstance(value, pd.Series)),
    "pd.Series[float]": Kind("a Series", lambda value: isinstance(value, pd.Series)),
    "pd.DataFrame": Kind("a DataFrame", lambda value: isinstance(value, pd.DataFrame)),
    "ArrayLike": Kind("an array of values", _is_array),
}
