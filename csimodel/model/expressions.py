"""Arithmetic over labels, read safely and computed on arrays.

An expression has labels and definitions, numbers, ``+ - * / ^`` (or ``**``), parentheses and
``sqrt exp log abs``. It is read by Python's own parser, every name replaced before by one that
the parser cannot change, and only the nodes listed here are computed.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import ModelError, suggest
from csimodel.findings import listed

Values = NDArray[Any]  # real, or complex where a derivative is taken by the complex step

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![\w.])"
    r"|(?P<name>[^\W\d][\w.]*)|(?P<sign>\*\*|[-+*/^()]))\s*"
)
_BINARY: dict[type[ast.operator], Callable[[Values, Values], Values]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_UNARY: dict[type[ast.unaryop], Callable[[Values], Values]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
FUNCTIONS: dict[str, Callable[[Values], Values]] = {
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "abs": lambda x: x * np.sign(x.real),  # analytic on either side of zero
}


def value_of(expression: str, values: Mapping[str, Values]) -> Values:
    """Return the value of an expression for the values of its names, NaN where it has none.

    >>> value_of("a^2 + 1", {"a": np.array([1.0, 2.0])})
    array([2., 5.])
    """
    tree, names = _parsed(expression)
    with np.errstate(all="ignore"):
        return _value(tree, [values[name] for name in names])


def names_in(expression: str) -> tuple[str, ...]:
    """Return the labels and definitions that an expression uses, in order of appearance.

    >>> names_in("a*b + sqrt(a)")
    ('a', 'b')
    """
    return _parsed(expression)[1]


def normalised(expression: str) -> str:
    """Return an expression with one way of spacing, powers written ``^``.

    >>> normalised("a*b+ - c **2")
    'a*b + -c^2'
    """
    _parsed(expression)
    return _spaced("^" if text == "**" else text for _, text in _tokens(expression))


def renamed(expression: str, names: Mapping[str, str]) -> str:
    """Return an expression with other names for some labels.

    >>> renamed("a*b", {"b": "a"})
    'a*a'
    """
    return _spaced(
        names.get(text, text) if kind == "name" else text for kind, text in _tokens(expression)
    )


def _tokens(expression: str) -> list[tuple[str, str]]:
    """Split an expression into (kind, text)."""
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(expression):
        match = _TOKEN.match(expression, position)
        if match is None:
            raise _unreadable(expression, f"has {expression[position:].strip()[:1]!r} in it")
        kind = match.lastgroup or ""
        called = kind == "name" and expression[match.end() : match.end() + 1] == "("
        tokens.append(("function" if called else kind, match[kind]))
        position = match.end()
    return tokens


def _spaced(texts: Iterable[str]) -> str:
    """Join signs and names, with blanks around the + and - that join two terms."""
    written, before = "", ""
    for text in texts:
        joins = text in ("+", "-") and before not in ("", "(", "+", "-", "*", "/", "^")
        written += f" {text} " if joins else text
        before = text
    return written


@lru_cache(maxsize=512)
def _parsed(expression: str) -> tuple[ast.expr, tuple[str, ...]]:
    """Return the tree of an expression, its names replaced by their numbers, and the names."""
    if not isinstance(expression, str) or not expression.strip():
        raise ModelError(
            f"The expression {expression!r} is blank or no text; write arithmetic over labels, "
            "as in 'a*b + c'."
        )
    names: list[str] = []
    written = []
    for kind, text in _tokens(expression):
        if kind == "function" and text not in FUNCTIONS:
            raise _unreadable(expression, f"calls {text!r}{suggest(text, FUNCTIONS)}")
        if kind == "name" and text not in names:
            names.append(text)
        plain = {"name": lambda text: f"_{names.index(text)}", "number": lambda text: f"{text} "}
        written.append(plain[kind](text) if kind in plain else "**" if text == "^" else text)
    try:
        tree = ast.parse("".join(written), mode="eval").body
        _check(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _unreadable(expression, "is not complete arithmetic") from None
    return tree, tuple(names)


def _unreadable(expression: str, what: str) -> ModelError:
    return ModelError(
        f"The expression {expression!r} {what}; write labels and numbers joined by + - * / ^, "
        f"parentheses, and the functions {listed(FUNCTIONS)}."
    )


def _check(node: ast.expr) -> None:
    """Raise ValueError for a node that `_value` does not compute."""
    match node:
        case ast.Constant() | ast.Name():
            return
        case ast.BinOp(left, op, right) if type(op) in _BINARY:
            _check(left)
            _check(right)
        case ast.UnaryOp(op, operand) if type(op) in _UNARY:
            _check(operand)
        case ast.Call(ast.Name(), [argument], []):
            _check(argument)
        case _:
            raise ValueError


def _value(node: ast.expr, values: list[Values]) -> Values:
    match node:
        case ast.Constant(number):
            return np.float64(number)  # type: ignore[arg-type,return-value]
        case ast.Name(name):
            return values[int(name[1:])]
        case ast.BinOp(left, op, right):
            return _BINARY[type(op)](_value(left, values), _value(right, values))
        case ast.UnaryOp(op, operand):
            return _UNARY[type(op)](_value(operand, values))
        case ast.Call(ast.Name(function), [argument]):
            return FUNCTIONS[function](_value(argument, values))
    raise AssertionError(node)
