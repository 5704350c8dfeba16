"""What is said of single parameters of a covariance structure: fixed, started, labelled, bounded.

Nothing of this changes which constructs and paths there are, and estimators that know of
composites only have no use for it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args, overload

from csimodel.arguments import checked_in
from csimodel.errors import ModelError
from csimodel.model.expressions import FUNCTIONS

Operator = Literal["=~", "~", "~~", "~1"]
Number = Literal["fixed", "start", "lower", "upper"]
KINDS = ("fixed", "label", "start", "lower", "upper")
PLAIN = re.compile(r"[^\W\d][\w.]*")  # a name that needs no quotes
NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_RESERVED = frozenset({"NA", "Inf", *FUNCTIONS})


@checked_in
@dataclass(frozen=True)
class Parameter:
    """Something said about one parameter of a covariance structure.

    Each entry of `fixed`, `start`, `label`, `lower` and `upper` is for one group of respondents;
    a single entry stands for every group, and none says nothing. None in an entry says nothing
    in that group.

    Attributes
    ----------
    lhs, op, rhs
        ``construct =~ item`` a loading, ``target ~ source`` a path, ``one ~~ other`` a covariance
        (with itself a variance; of errors where there is something to explain), ``name ~1`` an
        intercept, with a blank `rhs`.
    fixed
        The value it is fixed at; NaN frees what would be fixed otherwise, as a first loading.
    start
        Where an iteration starts.
    label
        A name; parameters of one label are equal, and definitions are written with labels.
    lower, upper
        Bounds.

    Raises
    ------
    ModelError
        For an unknown operator, a blank name, a value that is no finite number, a label that is no
        name, entries for different numbers of groups, a lower bound above the upper or a value
        fixed outside of them.

    Examples
    --------
    >>> Parameter("Loyalty", "~", "Satisfaction", label="b")
    Parameter(lhs='Loyalty', op='~', rhs='Satisfaction', fixed=(), start=(), label=('b',),
              lower=(), upper=())
    >>> print(Parameter("Value", "=~", "v1", fixed=(math.nan,), lower=(0, None)))
    Value =~ NA*v1 + lower(c(0, NA))*v1
    """

    lhs: str
    op: str
    rhs: str = ""
    fixed: tuple[float | None, ...] = ()
    start: tuple[float | None, ...] = ()
    label: tuple[str | None, ...] = ()
    lower: tuple[float | None, ...] = ()
    upper: tuple[float | None, ...] = ()

    def __post_init__(self) -> None:
        if self.op not in get_args(Operator):
            raise ModelError(
                f"A parameter has the operator {self.op!r}; use '=~' (a loading), '~' (a path), "
                "'~~' (a covariance) or '~1' (an intercept)."
            )
        if (self.op == "~1") == bool(self.rhs):
            raise ModelError(
                f"The parameter of {self.lhs!r} with the operator {self.op!r} has {self.rhs!r} on "
                "its right; an intercept ('~1') has nothing there, every other parameter a name."
            )
        for kind in KINDS:
            entries = _entries(getattr(self, kind))
            known = tuple(self._checked(kind, entry) for entry in entries)
            any_entry = any(entry is not None for entry in known)
            object.__setattr__(self, kind, known if any_entry else ())
        lengths = {len(getattr(self, kind)) for kind in KINDS} - {0, 1}
        if len(lengths) > 1:
            raise ModelError(
                f"{str(self)!r} gives entries for {min(lengths)} and for {max(lengths)} groups; "
                "give one entry for all groups, or one for each."
            )
        self._check_bounds()

    @property
    def groups(self) -> int:
        """For how many groups something is said; 1 when the same is said of all."""
        return max(1, *(len(getattr(self, kind)) for kind in KINDS))

    @overload
    def value(self, kind: Number, group: int = 0) -> float | None: ...

    @overload
    def value(self, kind: Literal["label"], group: int = 0) -> str | None: ...

    def value(self, kind: str, group: int = 0) -> float | str | None:
        """Return what is said in one group, None when nothing is.

        >>> Parameter("Loyalty", "~", "Value", label=("a", "b"), fixed=(0,)).value("label", 1)
        'b'
        """
        entries: tuple[float | str | None, ...] = getattr(self, kind)
        if not entries:
            return None
        return entries[0] if len(entries) == 1 else entries[group]

    def in_group(self, group: int) -> Parameter:
        """Return what is said in one group.

        >>> print(Parameter("Loyalty", "~", "Value", label=("a", "b")).in_group(1))
        Loyalty ~ b*Value
        """
        settings: dict[str, Any] = {kind: _entry(getattr(self, kind), group) for kind in KINDS}
        return replace(self, **settings)

    def merged(self, other: Parameter) -> Parameter:
        """Return what this and another say of the same parameter.

        Raises
        ------
        ModelError
            When one says another value of anything.
        """
        together: dict[str, Any] = {}
        for kind in KINDS:
            mine, theirs = getattr(self, kind), getattr(other, kind)
            size = max(len(mine), len(theirs))
            unequal = len({len(mine), len(theirs)} - {0, 1}) > 1  # of 2 and of 3 groups
            pairs = [(_entry(mine, group), _entry(theirs, group)) for group in range(size)]
            if unequal or any(_differ(a, b) for a, b in pairs):
                raise ModelError(
                    f"{str(self)!r} and {str(other)!r} say different things of the same "
                    "parameter; keep one."
                )
            together[kind] = tuple(b if a is None else a for a, b in pairs)
        return replace(self, **together)

    def __str__(self) -> str:
        head = _readable(self.lhs)
        if self.op == "~1":
            return f"{head} ~ " + " + ".join(terms(self, "1"))
        return f"{head} {self.op} " + " + ".join(terms(self, _readable(self.rhs)))

    def __reduce__(self) -> tuple[type[Parameter], tuple[Any, ...]]:
        """Pickle what was given, so that NaN is the one NaN that equals itself in tuples."""
        return type(self), tuple(getattr(self, entry.name) for entry in fields(self))

    def _checked(self, kind: str, entry: object) -> float | str | None:
        if entry is None:
            return None
        where = (
            f"The {_NOUN[self.op]} {_readable(self.lhs)} {self.op} {_readable(self.rhs)}".strip()
        )
        if kind == "label":
            if isinstance(entry, str):
                check_label(entry)
                return entry
            raise ModelError(f"{where} has the label {entry!r}; give a name, as in 'b1'.")
        try:
            number = float(entry)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            number = math.inf
        if math.isnan(number) and kind == "fixed":
            return math.nan
        if not math.isfinite(number) or isinstance(entry, str):
            raise ModelError(f"{where} has {kind}={entry!r}; give a finite number.")
        return number + 0.0  # no negative zero

    def _check_bounds(self) -> None:
        for group in range(self.groups):
            lower, upper = self.value("lower", group), self.value("upper", group)
            fixed = self.value("fixed", group)
            lowest = -math.inf if lower is None else lower
            highest = math.inf if upper is None else upper
            if lowest > highest:
                raise ModelError(f"{str(self)!r} has a lower bound above the upper; swap them.")
            if fixed is not None and (fixed < lowest or fixed > highest):
                raise ModelError(
                    f"{str(self)!r} is fixed outside of its bounds; change the value or the bounds."
                )


_NOUN = {"=~": "loading", "~": "path", "~~": "covariance", "~1": "intercept"}


def check_label(label: object) -> None:
    """Raise a ModelError for what cannot be the name of a parameter or definition."""
    if not isinstance(label, str) or not PLAIN.fullmatch(label) or label in _RESERVED:
        raise ModelError(
            f"{label!r} cannot be a label; use letters, digits, dots and underscores, a letter "
            f"first, and none of {', '.join(sorted(_RESERVED))}."
        )


def terms(parameter: Parameter, name: str, nothing: str = "''") -> list[str]:
    """Write what is said of a parameter, one term a kind; the bare name when nothing is.

    `nothing` stands for a group in which no value is fixed.
    """
    written = []
    for kind in KINDS:
        entries = getattr(parameter, kind)
        if not entries:
            continue
        blank = {"fixed": nothing, "label": "''"}.get(kind, "NA")
        write: Callable[[Any], str] = str if kind == "label" else number
        texts = [blank if entry is None else write(entry) for entry in entries]
        text = texts[0] if len(texts) == 1 else f"c({', '.join(texts)})"
        written.append(f"{text}*{name}" if kind in ("fixed", "label") else f"{kind}({text})*{name}")
    return written or [name]


def number(value: float) -> str:
    """Write a number that reads back exactly, without the sign + in it.

    >>> number(1.0), number(-0.25), number(1e20), number(math.nan)
    ('1', '-0.25', '1e20', 'NA')
    """
    return "NA" if math.isnan(value) else repr(value).removesuffix(".0").replace("e+", "e")


def _readable(name: str) -> str:
    return name if PLAIN.fullmatch(name) else f'"{name}"'


def _entries(given: object) -> tuple[object, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        return () if given is None else (given,)
    return tuple(given)


def _entry(entries: tuple[Any, ...], group: int) -> Any:
    return None if not entries else entries[0] if len(entries) == 1 else entries[group]


def _differ(value: object, other: object) -> bool:
    """Whether two entries say different things; NaN, which frees, equals itself."""
    return value is not None and other is not None and value is not other and value != other
