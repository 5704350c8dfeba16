"""Definitions: quantities computed from labelled parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csimodel.arguments import checked_in
from csimodel.errors import ModelError, suggest
from csimodel.findings import listed
from csimodel.model.expressions import Values, names_in, normalised, value_of
from csimodel.model.parameters import check_label


@checked_in
@dataclass(frozen=True)
class Definition:
    """A quantity computed from labelled parameters, ``name := expression``.

    Attributes
    ----------
    name
        A name that no parameter has as its label.
    expression
        Labels, earlier definitions and numbers with ``+ - * / ^``, parentheses, ``sqrt``,
        ``exp``, ``log`` and ``abs``; spaced in one way.

    Raises
    ------
    ModelError
        When the expression cannot be read or the name is none.

    Examples
    --------
    >>> Definition("indirect", "a*b+c")
    Definition(name='indirect', expression='a*b + c')
    """

    name: str
    expression: str

    def __post_init__(self) -> None:
        check_label(self.name)
        object.__setattr__(self, "expression", normalised(self.expression))

    def __str__(self) -> str:
        return f"{self.name} := {self.expression}"


def evaluate(
    definitions: Iterable[Definition], values: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Compute definitions from the values of the labels.

    Parameters
    ----------
    definitions
        Each uses labels and those before it; `Model.definitions` stands in such an order.
    values
        An array for each label, real or complex; their shapes broadcast.

    Returns
    -------
    dict
        An array of that shape for each definition. Where an expression has no value, as the
        root of a negative number, it is NaN.

    Raises
    ------
    ModelError
        When an expression cannot be read, or uses a name that has no value.

    Examples
    --------
    >>> evaluate([Definition("indirect", "a*b")], {"a": np.array([0.5, 2]), "b": np.array(3)})
    {'indirect': array([1.5, 6. ])}
    """
    known: dict[str, Values] = {name: np.asarray(value) for name, value in values.items()}
    shape = np.broadcast_shapes(*(value.shape for value in known.values()))
    computed: dict[str, NDArray[Any]] = {}
    for definition in definitions:
        for name in names_in(definition.expression):
            if name not in known:
                raise ModelError(_unknown(definition, name, known))
        value = value_of(definition.expression, known)
        computed[definition.name] = known[definition.name] = np.broadcast_to(value, shape)
    return computed


def ordered(definitions: Iterable[Definition], labels: Iterable[str]) -> tuple[Definition, ...]:
    """Put definitions so that each uses labels and those before it only.

    Raises
    ------
    ModelError
        For a name defined twice or that is a label as well, a name that is neither, and for
        definitions that use each other in a circle.
    """
    every, labels = list(definitions), list(labels)
    by_name: dict[str, Definition] = {}
    for definition in every:
        if definition.name in labels:
            raise ModelError(
                f"{definition.name!r} is both the label of a parameter and a definition "
                f"({str(definition)!r}); give the definition another name."
            )
        if definition.name in by_name:
            raise ModelError(
                f"{definition.name!r} is defined twice, by {str(by_name[definition.name])!r} and "
                f"{str(definition)!r}; keep one."
            )
        by_name[definition.name] = definition
    waiting: TopologicalSorter[str] = TopologicalSorter()
    for definition in every:
        names = names_in(definition.expression)
        for name in names:
            if name not in by_name and name not in labels:
                raise ModelError(_unknown(definition, name, [*labels, *by_name]))
        waiting.add(definition.name, *(name for name in names if name in by_name))
    try:
        waiting.prepare()
    except CycleError as error:
        circle = error.args[1][::-1]
        raise ModelError(
            f"The definitions use each other in a circle, {' → '.join(circle)}; "
            "define each by labels and by definitions that do not lead back to it."
        ) from None
    placed: dict[str, Definition] = {}

    def place(definition: Definition) -> None:
        stack = [definition]
        while stack:
            missing = [
                by_name[name]
                for name in names_in(stack[-1].expression)
                if name in by_name and name not in placed
            ]
            if missing:
                stack.append(missing[0])
            else:
                done = stack.pop()
                placed[done.name] = done

    for definition in every:
        if definition.name not in placed:
            place(definition)
    return tuple(placed.values())


def _unknown(definition: Definition, name: str, known: Iterable[str]) -> str:
    known = list(known)
    there = f"the labels are {listed(known, 12)}" if known else "no parameter has a label"
    return (
        f"The definition {str(definition)!r} uses {name!r}, which is neither a label nor a "
        f"definition{suggest(name, known)}; {there}, and a label is given as in 'Y ~ {name}*X'."
    )
