"""Columns of a design as polynomials in the indexes, so that they can be made again.

In every bootstrap draw, and at every level a prediction asks for, the indexes change and all
else stays. A column is therefore kept as ``Σ scale · factor · Π index^power``, with factors
that are free of the indexes. NumPy only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """A monomial: ``scale · factor · Π index^power``.

    Attributes
    ----------
    scale
        A number.
    factor
        Which factor, or None for 1.
    powers
        One for each index.
    """

    scale: float
    factor: int | None
    powers: tuple[int, ...]


Column = tuple[Part, ...]


@dataclass(frozen=True)
class Layout:
    """How the columns of a design, without the constant, follow from indexes and factors.

    The first columns are the indexes themselves.

    Attributes
    ----------
    columns
        Each a sum of parts.
    indexes
        How many indexes there are.
    without_effect
        Columns that cannot change alone, as they are made of the same controls as others.

    Examples
    --------
    >>> plain = Layout.plain(indexes=1, factors=1)
    >>> plain.columns[1]
    (Part(scale=1.0, factor=0, powers=(0,)),)
    >>> value_of(plain.columns[0], [np.array([60.0, 70.0])], [np.array([1.0, 0.0])])
    array([60., 70.])
    """

    columns: tuple[Column, ...]
    indexes: int
    without_effect: tuple[int, ...] = ()

    @classmethod
    def plain(cls, indexes: int, factors: int) -> Layout:
        """Return indexes and factors side by side, without interactions."""
        own = [tuple(int(i == j) for j in range(indexes)) for i in range(indexes)]
        none = (0,) * indexes
        first = [(Part(1.0, None, powers),) for powers in own]
        return cls((*first, *((Part(1.0, j, none),) for j in range(factors))), indexes)

    def by_power(self, moved: int) -> tuple[tuple[Column, ...], ...]:
        """Split every column by the power of an index: multiplied by 1, it, its square."""
        highest = max(part.powers[moved] for column in self.columns for part in column)
        return tuple(
            tuple(
                tuple(
                    Part(part.scale, part.factor, _with(part.powers, moved, 0))
                    for part in column
                    if part.powers[moved] == power
                )
                for column in self.columns
            )
            for power in range(highest + 1)
        )

    @cached_property
    def effects(self) -> tuple[tuple[int, tuple[Column, ...]], ...]:
        """Derivatives of all columns by each index and by each column free of the indexes.

        Pairs of the column that changes by a unit and the derivatives. A column free of the
        indexes takes its interactions with the indexes along.
        """
        by_index = [(j, self.by_index(j)) for j in range(self.indexes)]
        for j, column in enumerate(self.columns):
            if j in self.without_effect:
                continue
            if len(column) == 1 and column[0].factor is not None and not any(column[0].powers):
                by_index.append((j, self._by_factor(column[0])))
        return tuple(by_index)

    def by_index(self, moved: int) -> tuple[Column, ...]:
        """Return derivatives of all columns by an index."""
        return tuple(
            tuple(
                Part(
                    part.scale * part.powers[moved],
                    part.factor,
                    _with(part.powers, moved, part.powers[moved] - 1),
                )
                for part in column
                if part.powers[moved]
            )
            for column in self.columns
        )

    def _by_factor(self, changed: Part) -> tuple[Column, ...]:
        return tuple(
            tuple(
                Part(part.scale / changed.scale, None, part.powers)
                for part in column
                if part.factor == changed.factor
            )
            for column in self.columns
        )


def value_of(
    column: Column, points: Sequence[Floats | float], factors: Sequence[Floats]
) -> Floats | float:
    """Return a column where the indexes and the factors have these values.

    Parameters
    ----------
    column
        Its parts; none is 0.
    points
        Of each index, (rows,), (draws, rows), or a number.
    factors
        Each (rows,).
    """
    total: Floats | float = 0.0
    for position, part in enumerate(column):
        value: Floats | float = part.scale if part.factor is None else factors[part.factor]
        if part.factor is not None and part.scale != 1.0:
            value = part.scale * value
        for index, power in zip(points, part.powers, strict=True):
            if power:
                raised = index if power == 1 else index**power
                value = raised if isinstance(value, float) and value == 1.0 else value * raised
        total = value if position == 0 else total + value
    return total


def _with(powers: tuple[int, ...], place: int, power: int) -> tuple[int, ...]:
    return (*powers[:place], power, *powers[place + 1 :])
