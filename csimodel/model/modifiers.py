"""One term of model text with what is said of its parameter: ``a*start(1)*x``."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from csimodel.errors import ModelError
from csimodel.model.parameters import PLAIN

_CALL = re.compile(r"\s*(start|lower|upper|label)\s*\((.*)\)\s*$", re.DOTALL)
_EACH = re.compile(r"\s*c\s*\((.*)\)\s*$", re.DOTALL)
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$")


class Term(NamedTuple):
    """The name of a term as it is written, and what is said of it."""

    name: str
    fixed: tuple[float | None, ...] = ()
    start: tuple[float | None, ...] = ()
    label: tuple[str | None, ...] = ()
    lower: tuple[float | None, ...] = ()
    upper: tuple[float | None, ...] = ()

    @property
    def said(self) -> dict[str, tuple[float | str | None, ...]]:
        """What is said, by kind; empty for a bare name."""
        return {kind: said for kind, said in self._asdict().items() if kind != "name" and said}


def split(text: str, sign: str) -> list[str]:
    """Split text at a sign that stands outside of quotes and parentheses."""
    parts, depth = [""], 0
    for token in re.findall(r"\"[^\"]*\"|'[^']*'|.", text, re.DOTALL):
        depth += {"(": 1, ")": -1}.get(token, 0)
        exponent = sign == "+" and re.search(r"\d[eE]$", parts[-1]) and not depth
        if token == sign and depth == 0 and not exponent:
            parts.append("")
        else:
            parts[-1] += token
    return parts


def term_of(text: str, statement: str) -> Term:
    """Read ``0.5*x``, ``a*start(1)*x``, ``c(a, b)*x`` and the like.

    Raises
    ------
    ModelError
        For a modifier that cannot be read.
    """
    *modifiers, name = split(text, "*")
    said: dict[str, tuple[float | str | None, ...]] = {}
    for modifier in modifiers:
        kind, entries = _modifier(modifier, statement)
        if kind in said:
            raise ModelError(
                f"The line {statement!r} says twice what the {kind} of {name.strip()!r} is; "
                "keep one."
            )
        said[kind] = entries
    return Term(name, **said)  # type: ignore[arg-type]


def _modifier(text: str, statement: str) -> tuple[str, tuple[float | str | None, ...]]:
    call = _CALL.match(text)
    kind, inside = (call.group(1), call.group(2)) if call else ("", text)
    each = _EACH.match(inside)
    pieces = [part.strip() for part in (split(each.group(1), ",") if each else [inside])]
    if kind:
        entries = tuple(_label(p) if kind == "label" else _value(p, statement) for p in pieces)
        return kind, tuple(None if isinstance(e, float) and math.isnan(e) else e for e in entries)
    if all(_NUMBER.match(piece) or piece == "NA" for piece in pieces):
        return "fixed", tuple(_value(piece, statement) for piece in pieces)
    if all(PLAIN.fullmatch(_label(piece) or "x") for piece in pieces):
        return "label", tuple(None if piece == "NA" else _label(piece) for piece in pieces)
    raise ModelError(
        f"The line {statement!r} has {text.strip()!r} before *, which is no modifier; write a "
        "number (fixed), NA (free), a label, start(0.5), lower(0), upper(1), or c(…, …) for groups."
    )


def _label(piece: str) -> str | None:
    return piece.strip("\"'") or None


def _value(piece: str, statement: str) -> float:
    if piece == "NA":
        return math.nan
    if not _NUMBER.match(piece):
        raise ModelError(
            f"The line {statement!r} has {piece!r} where a number is expected, as in start(0.5)."
        )
    return float(piece)
