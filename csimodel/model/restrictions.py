"""Linear restrictions of labelled parameters, as ``b + d == 1``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from csimodel.arguments import checked_in
from csimodel.errors import ModelError, suggest
from csimodel.findings import listed
from csimodel.model.definitions import Definition, evaluate
from csimodel.model.expressions import names_in, normalised

_TOLERANCE = 1e-10  # of coefficients, relative to the largest


@checked_in
@dataclass(frozen=True)
class Restriction:
    """An equation that labels of parameters satisfy, linear in them.

    Attributes
    ----------
    left, right
        Arithmetic over labels and numbers.

    Raises
    ------
    ModelError
        When a side cannot be read, or the equation is not linear in the labels.

    Examples
    --------
    >>> print(Restriction("b+d", "1"))
    b + d == 1
    >>> Restriction("2*b", "d + 1").coefficients
    ({'b': 2.0, 'd': -1.0}, 1.0)
    """

    left: str
    right: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "left", normalised(self.left))
        object.__setattr__(self, "right", normalised(self.right))
        _ = self.coefficients

    @property
    def names(self) -> tuple[str, ...]:
        """The labels of both sides."""
        return tuple(dict.fromkeys((*names_in(self.left), *names_in(self.right))))

    @property
    def coefficients(self) -> tuple[dict[str, float], float]:
        """``Σ coefficient · label == constant``.

        Raises
        ------
        ModelError
            When the equation is not linear.
        """
        names = self.names
        points = np.vstack([np.zeros(len(names)), np.eye(len(names))])
        trial = np.random.default_rng(1).normal(size=(2, len(names))) * 3.0
        values = {name: np.append(points, trial, axis=0)[:, k] for k, name in enumerate(names)}
        gap = Definition("gap", f"{self.left} - ({self.right})")
        if "gap" in values:
            gap = Definition("gap_", gap.expression)
        gaps = evaluate([gap], values or {"unused": np.zeros(3)})[gap.name]
        slopes = gaps[1 : len(names) + 1] - gaps[0]
        straight = gaps[0] + trial @ slopes
        if not names or not np.allclose(gaps[len(names) + 1 :], straight, rtol=1e-9, atol=1e-9):
            raise ModelError(
                f"The line '{self}' is not linear in labels of parameters, and only linear "
                "equations restrict them, as 'b + d == 1'; give equal parameters one label, or fix "
                "a value."
            )
        return dict(zip(names, slopes.tolist(), strict=True)), -float(gaps[0])

    def __str__(self) -> str:
        return f"{self.left} == {self.right}"


def check_restrictions(restrictions: Iterable[Restriction], labels: Sequence[str]) -> None:
    """Raise a ModelError for a restriction of what is no label."""
    for restriction in restrictions:
        for name in restriction.names:
            if name not in labels:
                there = f"the labels are {listed(labels, 12)}" if labels else "there are none"
                raise ModelError(
                    f"The line '{restriction}' is about {name!r}, which is no label of a parameter"
                    f"{suggest(name, labels)}; {there}, and one is given as in 'Y ~ {name}*X'."
                )


def eliminated(
    restrictions: Sequence[Restriction], fixed: Mapping[str, float]
) -> dict[str, tuple[dict[str, float], float]]:
    """Solve restrictions for some labels: each is a sum of others and a constant.

    Parameters
    ----------
    fixed
        Values of labels that have one.

    Raises
    ------
    ModelError
        For restrictions that contradict each other or the fixed values.

    Examples
    --------
    >>> eliminated([Restriction("b + d", "1")], {})
    {'b': ({'d': -1.0}, 1.0)}
    """
    every = dict.fromkeys(name for restriction in restrictions for name in restriction.names)
    names = [name for name in every if name not in fixed]
    system = np.zeros((len(restrictions), len(names) + 1))
    for row, restriction in zip(system, restrictions, strict=True):
        known, constant = restriction.coefficients
        row[-1] = constant
        for name, value in known.items():
            if name in fixed:
                row[-1] -= value * fixed[name]
            else:
                row[names.index(name)] += value
    pivots: list[int] = []
    for column in range(len(names)):
        rest = system[len(pivots) :, column]
        if not len(rest) or np.abs(rest).max() <= _TOLERANCE * max(1.0, np.abs(system).max()):
            continue
        first, best = len(pivots), len(pivots) + int(np.abs(rest).argmax())
        system[[first, best]] = system[[best, first]]
        system[first] /= system[first, column]
        others = np.arange(len(system)) != first
        system[others] -= system[others, column][:, None] * system[first]
        pivots.append(column)
    if len(left := system[len(pivots) :, -1]) and np.abs(left).max() > 1e-9:
        lines = listed(f"'{restriction}'" for restriction in restrictions)
        raise ModelError(
            f"No values satisfy {lines} together with the fixed values; take one of them out."
        )
    return {
        names[column]: (
            {
                names[k]: -float(row[k])
                for k in range(len(names))
                if k != column and abs(row[k]) > _TOLERANCE
            },
            float(row[-1]),
        )
        for column, row in zip(pivots, system, strict=False)
    }
