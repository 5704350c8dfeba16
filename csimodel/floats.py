"""The state of floating-point errors in which the package computes, whatever the caller's.

What has no value is NaN, and a finding or a reason says why; NumPy's own warnings about it, or the
exceptions that ``np.seterr(all="raise")`` turns them into, say nothing that a reader could use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, wraps
from types import FunctionType
from typing import Any, Literal, ParamSpec, TypeVar

import numpy as np

Kind = Literal["ignore", "warn", "raise", "call", "print", "log"]
P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

# Tests set these to "warn", so that an operation without a value is seen there.
STATE: dict[Literal["over", "divide", "invalid"], Kind] = {
    "over": "ignore",
    "divide": "ignore",
    "invalid": "ignore",
}


def own_errstate(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function in the package's state of floating-point errors.

    Examples
    --------
    >>> @own_errstate
    ... def product(x, y):
    ...     return float(np.float64(x) * y)
    >>> with np.errstate(all="raise"):
    ...     product(1e-300, 1e-300)
    0.0
    """

    @wraps(function)
    def within(*args: P.args, **options: P.kwargs) -> R:
        with np.errstate(
            over=STATE["over"], divide=STATE["divide"], invalid=STATE["invalid"], under="ignore"
        ):
            return function(*args, **options)

    return within


def own_errstate_in(cls: type[T]) -> type[T]:
    """Make the methods and properties of a class run in the package's state.

    Examples
    --------
    >>> @own_errstate_in
    ... class Half:
    ...     @cached_property
    ...     def value(self):
    ...         return np.float64(5e-324) / 2
    >>> with np.errstate(all="raise"):
    ...     float(Half().value)
    0.0
    """
    members: Mapping[str, Any] = dict(vars(cls))
    for name, member in members.items():
        if name.startswith("__") and name not in ("__repr__", "__str__", "__getitem__"):
            continue
        if isinstance(member, FunctionType):
            setattr(cls, name, own_errstate(member))
        elif isinstance(member, classmethod):
            setattr(cls, name, classmethod(own_errstate(member.__func__)))
        elif isinstance(member, property) and member.fget is not None:
            setattr(cls, name, property(own_errstate(member.fget), doc=member.__doc__))
        elif isinstance(member, cached_property):
            lazy = cached_property(own_errstate(member.func))
            lazy.__set_name__(cls, name)
            setattr(cls, name, lazy)
    return cls
