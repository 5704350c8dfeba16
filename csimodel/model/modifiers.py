"""One term of model text with what is said of its parameter: ``a*start(1)*x``."""

from __future__ import annotations

import re
from typing import NamedTuple

from csimodel.errors import ModelError
from csimodel.model.parameters import NUMBER, PLAIN

_CALL = re.compile(r"(start|lower|upper|label)\s*\((.*)\)", re.DOTALL)
_EQUAL = re.compile(r"equal\s*\(\s*([\"'])(.*)\1\s*\)", re.DOTALL)
_EACH = re.compile(r"c\s*\((.*)\)", re.DOTALL)
_EXPONENT = re.compile(r"(?:^|[^\w.])(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE]$")  # '+' follows in 1e+5

Entries = tuple[float | str | None, ...]


class Term(NamedTuple):
    """The name of a term as it is written, what is said of it, and factors of a product."""

    name: str
    fixed: tuple[float | None, ...] = ()
    start: tuple[float | None, ...] = ()
    label: tuple[str | None, ...] = ()
    lower: tuple[float | None, ...] = ()
    upper: tuple[float | None, ...] = ()
    equal: str = ""
    factors: tuple[str, ...] = ()

    @property
    def settings(self) -> dict[str, Entries]:
        """What is said, by kind; empty for a bare name."""
        own = self._asdict().items()
        other = ("name", "equal", "factors")
        return {kind: entries for kind, entries in own if kind not in other and entries}


def split(text: str, sign: str) -> list[str]:
    """Split text at a sign that stands outside of quotes, parentheses and numbers.

    >>> split("1e+5*a + c(0, 1)*b", "+")
    ['1e+5*a ', ' c(0, 1)*b']
    """
    parts: list[list[str]] = [[]]
    depth = 0
    for token in re.findall(r"\"[^\"]*\"|'[^']*'|.", text, re.DOTALL):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == sign and depth == 0 and not (sign == "+" and _in_number(parts[-1])):
            parts.append([])
        else:
            parts[-1].append(token)
    return ["".join(part) for part in parts]


def _in_number(tokens: list[str]) -> bool:
    """Return whether a ``+`` that follows belongs to a number, as in ``1e+5``."""
    return tokens[-1:] in (["e"], ["E"]) and bool(_EXPONENT.search("".join(tokens[-99:])))


def term_of(text: str, statement: str) -> Term:
    """Read ``0.5*x``, ``a*start(1)*x``, ``c(a, b)*x`` and the like.

    Raises
    ------
    ModelError
        For a modifier that cannot be read.
    """
    *modifiers, name = split(text, "*")
    settings: dict[str, Entries] = {}
    equal = ""
    for modifier in modifiers:
        if match := _EQUAL.fullmatch(modifier.strip()):
            equal = match.group(2)
            continue
        kind, entries = _modifier(modifier.strip(), statement)
        if kind in settings:
            raise ModelError(
                f"The line {statement!r} says twice what the {kind} of {name.strip()!r} is; "
                "keep one."
            )
        settings[kind] = entries
    return Term(name, equal=equal, **settings)  # type: ignore[arg-type]


def _modifier(text: str, statement: str) -> tuple[str, Entries]:
    """Return the kind of a modifier and its entries, one for all groups or one a group."""
    call = _CALL.fullmatch(text)
    kind, inside = (call.group(1), call.group(2).strip()) if call else ("", text)
    each = _EACH.fullmatch(inside)
    pieces = [part.strip() for part in (split(each.group(1), ",") if each else [inside])]
    if kind and kind != "label":
        return kind, tuple(_bound_or_start(piece, statement) for piece in pieces)
    told = [piece for piece in pieces if piece not in ("''", '""')]  # nothing is said in a group
    if not kind and told and all(NUMBER.fullmatch(piece) or piece == "NA" for piece in told):
        return "fixed", tuple(
            None if piece not in told else float("nan" if piece == "NA" else piece)
            for piece in pieces
        )
    labels = [_label(piece) for piece in told]
    if labels and all(labels):
        return "label", tuple(_label(piece) for piece in pieces)
    raise ModelError(
        f"The line {statement!r} has {text!r} before *, which is no modifier; write a number "
        "(fixed), NA (free), a label, start(0.5), lower(0) or upper(1), and for groups numbers or "
        "labels in c(…, …), with '' where nothing is said."
    )


def _label(piece: str) -> str | None:
    quoted = len(piece) > 1 and piece[0] == piece[-1] and piece[0] in "\"'"
    name = piece[1:-1] if quoted else piece
    return name if PLAIN.fullmatch(name) and name != "NA" else None


def _bound_or_start(piece: str, statement: str) -> float | None:
    if piece in ("NA", "Inf", "-Inf"):
        return None
    if not NUMBER.fullmatch(piece):
        raise ModelError(
            f"The line {statement!r} has {piece!r} where a number is expected, as in start(0.5)."
        )
    return float(piece)
