"""What lines as ``a == b``, ``a == 0.5`` and ``a > 0`` do to the parameters of those labels."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from csimodel.errors import ModelError, suggest
from csimodel.findings import listed
from csimodel.model.definitions import Definition
from csimodel.model.expressions import renamed
from csimodel.model.parameters import NUMBER, PLAIN, Parameter, number
from csimodel.model.restrictions import Restriction

_KIND = {"==": "fixed", ">": "lower", ">=": "lower", "<": "upper", "<=": "upper"}
_TURNED = {"==": "==", ">": "<", ">=": "<=", "<": ">", "<=": ">="}


class Constraint(NamedTuple):
    """A line of model text that restricts labels."""

    left: str
    sign: str
    right: str
    statement: str


def constrained(
    parameters: Sequence[Parameter],
    definitions: Sequence[Definition],
    constraints: Iterable[Constraint],
) -> tuple[tuple[Parameter, ...], tuple[Definition, ...], tuple[Restriction, ...]]:
    """Turn constraints into shared labels, fixed values, bounds and linear restrictions.

    Equal labels become the one on the left, in definitions too. Strict and weak bounds are one.

    Raises
    ------
    ModelError
        For a constraint of another form, one about a label that no parameter has, or one that
        contradicts what is said already.
    """
    names = {label: label for label in _labels(parameters)}
    valued: list[tuple[str, str, float]] = []
    linear: list[Restriction] = []
    for constraint in constraints:
        if constraint.sign == "==" and not all(map(_plain, (constraint.left, constraint.right))):
            linear.append(Restriction(constraint.left, constraint.right))
            continue
        left, sign, right = _turned(constraint)
        require_label(parameters, left, constraint.statement)
        if NUMBER.fullmatch(right):
            valued.append((left, _KIND[sign], float(right)))
            continue
        require_label(parameters, right, constraint.statement)
        kept, gone = names[left], names[right]
        names = {name: kept if now == gone else now for name, now in names.items()}
    told = [
        replace(parameter, label=tuple(entry and names[entry] for entry in parameter.label))
        for parameter in parameters
    ]
    for label, kind, value in valued:
        told = labelled(told, names[label], kind, value)
    defined = (
        replace(definition, expression=renamed(definition.expression, names))
        for definition in definitions
    )
    restricted = (
        Restriction(renamed(restriction.left, names), renamed(restriction.right, names))
        for restriction in linear
    )
    return tuple(told), tuple(defined), tuple(restricted)


def _plain(side: str) -> bool:
    """Tell whether a side of a constraint is a label or a number."""
    return bool(PLAIN.fullmatch(side) or NUMBER.fullmatch(side))


def labelled(
    parameters: Iterable[Parameter], label: str, kind: str, value: float
) -> list[Parameter]:
    """Fix, start or bound the parameters of a label, each in the groups where it has it."""
    rows = []
    for parameter in parameters:
        if label in parameter.label:
            entries = tuple(value if entry == label else None for entry in parameter.label)
            bare = Parameter(parameter.lhs, parameter.op, parameter.rhs)
            parameter = parameter.merged(replace(bare, **{kind: entries}))  # type: ignore[arg-type]
        rows.append(parameter)
    return rows


def equated(
    parameters: Sequence[Parameter], equalities: Iterable[tuple[Parameter, str]]
) -> list[Parameter]:
    """Give parameters the label of the one that ``equal("Q =~ q2")`` names, or a new one to both.

    Raises
    ------
    ModelError
        When no parameter is named like that.
    """
    told = list(parameters)
    for parameter, reference in equalities:
        match = re.fullmatch(r"\s*(.+?)\s*(=~|~~|~)\s*(.+?)\s*", reference)
        if match is None:
            raise ModelError(
                f'equal({reference!r}) names no parameter; write it as in equal("Q =~ q2")*q3.'
            )
        lhs, op, rhs = (part.strip("\"'") for part in match.groups())
        intercept = op == "~" and rhs == "1"
        other = Parameter(lhs, "~1" if intercept else op, "" if intercept else rhs)
        labels = [
            known.label
            for known in told
            if known.label and (known.lhs, known.op, known.rhs) == (other.lhs, other.op, other.rhs)
        ]
        taken = _labels(told)
        new = next(f"equal{k}" for k in range(1, len(taken) + 2) if f"equal{k}" not in taken)
        label = labels[0] if labels else (new,)
        told += [replace(parameter, label=label)]
        told += [] if labels else [replace(other, label=label)]
    return told


def settled(parameters: Iterable[Parameter]) -> list[Parameter]:
    """Fix all parameters of a label of which one is fixed, for one group.

    Raises
    ------
    ModelError
        For a label with two values.
    """
    told = list(parameters)
    values: dict[str, float] = {}
    for parameter in told:
        label, fixed = parameter.value("label"), parameter.value("fixed")
        if label is None or fixed is None or math.isnan(fixed):
            continue
        if values.setdefault(label, fixed) != fixed:
            raise ModelError(
                f"The label {label!r} stands for {number(values[label])} and, in "
                f"{str(parameter)!r}, for {number(fixed)} (a first loading is 1 unless the text "
                "says otherwise); give equal parameters one value."
            )
    return [
        replace(parameter, fixed=(values[label],))
        if (label := parameter.value("label") or "") in values
        else parameter
        for parameter in told
    ]


def require_label(parameters: Iterable[Parameter], label: str, statement: str) -> None:
    """Raise a ModelError when no parameter has this label."""
    labels = _labels(parameters)
    if label not in labels:
        there = f"the labels are {listed(labels, 12)}" if labels else "no parameter has a label"
        raise ModelError(
            f"The line {statement!r} is about {label!r}, which is no label of a parameter"
            f"{suggest(label, labels)}; {there}, and one is given as in 'Y ~ {label}*X'."
        )


def _labels(parameters: Iterable[Parameter]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(entry for parameter in parameters for entry in parameter.label if entry)
    )


def _turned(constraint: Constraint) -> tuple[str, str, str]:
    """Return label, sign, and label or number; a number on the left goes to the right."""
    left, sign, right = constraint.left, constraint.sign, constraint.right
    if NUMBER.fullmatch(left):
        left, sign, right = right, _TURNED[sign], left
    number = bool(NUMBER.fullmatch(right))
    if not PLAIN.fullmatch(left) or not (number or (sign == "==" and PLAIN.fullmatch(right))):
        raise ModelError(
            f"The line {constraint.statement!r} cannot be used as a constraint; write 'a == b' for "
            "equal parameters, 'a == 0.5' for a value, 'b + d == 1' for a linear equation, 'a > 0' "
            "or 'a < 1' for a bound of one label."
        )
    return left, sign, right
