"""Columns of a design taken apart: for every column the factors of each power of the indexes.

A column is a product of factors, as patsy makes them. A factor that names no index is what it is;
one that does is asked for at a few levels of the indexes it names, and must be a polynomial in
them. So nothing is as large as the design times the levels.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import OptionError
from csimodel.outcomes.design.layout import Column, Part, value_of

Floats = NDArray[np.float64]
Polynomial = dict[tuple[int, ...], Floats]  # of the indexes' powers; each (rows,)
Refusal = Callable[[str], OptionError]
Values = Callable[[Any, Floats], Floats]  # of a design where the indexes have some levels

DEGREE = 3  # highest power of an index
TINY = 1e-9
# As many levels, about 0, as a polynomial of one degree more has coefficients: rounding stays small
# for products of several indexes, too.
_LEVELS = np.linspace(-1.0, 1.0, DEGREE + 2)
_COEFFICIENTS = np.linalg.inv(np.vander(_LEVELS, increasing=True))
_POINTS = 100.0


def monomials(
    info: Any,
    values: Values,
    named: Callable[[str], Sequence[int]],
    points: Floats,
    refusal: Refusal,
) -> Iterator[Polynomial]:
    """Yield the columns of a design as polynomials in the indexes.

    Parameters
    ----------
    info
        patsy's design.
    values
        Returns a design's columns, (rows, columns), where the indexes are (rows, indexes).
    named
        Returns the indexes that a piece of the formula names.
    points
        The indexes, (rows, indexes).
    refusal
        Returns the error to raise when an index enters a column, whose name it gets, otherwise
        than by powers up to the third.
    """
    known: dict[tuple[Any, int], list[Polynomial]] = {}
    place = 0
    for subterms in info.term_codings.values():
        for subterm in subterms:
            parts = []
            for factor in subterm.factors:
                contrast = subterm.contrast_matrices.get(factor)
                if (factor, id(contrast)) not in known:
                    alone = _alone(info, factor, contrast)
                    known[factor, id(contrast)] = _of_factor(
                        alone, values, list(named(factor.code)), points, refusal(factor.code)
                    )
                parts.append(known[factor, id(contrast)])
            # The left-most factor's columns change fastest, as patsy lays them out.
            for chosen in product(*parts[::-1]):
                yield _multiplied(chosen[::-1], points, refusal(info.column_names[place]))
                place += 1


def _alone(info: Any, factor: Any, contrast: Any) -> Any:
    """Return the design that consists of one factor."""
    import patsy

    known = info.factor_infos[factor]
    width = known.num_columns if contrast is None else contrast.matrix.shape[1]
    subterm = patsy.SubtermInfo([factor], {} if contrast is None else {factor: contrast}, width)
    names = [f"column {k}" for k in range(width)]
    return patsy.DesignInfo(names, {factor: known}, OrderedDict({patsy.Term([factor]): [subterm]}))


def _of_factor(
    alone: Any, values: Values, own: list[int], points: Floats, refusal: OptionError
) -> list[Polynomial]:
    """Return the columns of a factor as polynomials."""
    none = (0,) * points.shape[1]
    if not own:
        return [{none: column} for column in values(alone, points).T]
    at = np.zeros(points.shape)
    seen = []
    for levels in product(_LEVELS, repeat=len(own)):
        at[:, own] = _POINTS * np.array(levels)
        seen.append(values(alone, at))
    size = len(_LEVELS)
    coefficients = np.stack(seen).reshape(*[size] * len(own), *seen[0].shape)
    with np.errstate(invalid="ignore"):
        for axis in range(len(own)):
            coefficients = np.moveaxis(
                np.tensordot(_COEFFICIENTS, coefficients, axes=(1, axis)), 0, axis
            )
    return [
        _polynomial(coefficients[..., k], own, none, refusal) for k in range(coefficients.shape[-1])
    ]


def _polynomial(
    coefficients: Floats, own: list[int], none: tuple[int, ...], refusal: OptionError
) -> Polynomial:
    """Return the coefficients that are not 0 of one column, (levels, …, rows)."""
    largest = np.abs(coefficients).max()
    if not np.isfinite(largest):
        raise refusal
    kept: Polynomial = {}
    for powers in product(range(len(_LEVELS)), repeat=len(own)):
        if np.abs(coefficients[powers]).max() <= TINY * largest:
            continue
        if sum(powers) > DEGREE:
            raise refusal
        every = list(none)
        for index, power in zip(own, powers, strict=True):
            every[index] = power
        kept[tuple(every)] = coefficients[powers] / _POINTS ** sum(powers)
    return kept


def _multiplied(parts: Sequence[Polynomial], points: Floats, refusal: OptionError) -> Polynomial:
    """Return a product of polynomials."""
    total: Polynomial = {(0,) * points.shape[1]: np.ones(len(points))}
    for part in parts:
        longer: Polynomial = {}
        for (exponents, a), (other, b) in product(total.items(), part.items()):
            powers = tuple(i + j for i, j in zip(exponents, other, strict=True))
            if sum(powers) > DEGREE:
                raise refusal
            longer[powers] = longer[powers] + a * b if powers in longer else a * b
        total = longer
    return total


class Shelf:
    """The factors of a design, each kept once.

    Attributes
    ----------
    factors
        Each (rows,).
    """

    def __init__(self) -> None:
        self.factors: list[Floats] = []
        self._places: dict[bytes, int] = {}

    def column(self, polynomial: Polynomial) -> Column:
        """Return a column as parts, its factors put on the shelf."""
        return tuple(self._part(values, powers) for powers, values in sorted(polynomial.items()))

    def _part(self, values: Floats, powers: tuple[int, ...]) -> Part:
        scale = float(values[np.argmax(np.abs(values))])
        if scale == 0.0:
            return Part(0.0, None, powers)
        unit = values / scale
        if np.ptp(unit) < TINY:
            return Part(_rounded(scale), None, powers)
        key = (np.round(unit, 10) + 0.0).tobytes()
        if key not in self._places:
            self._places[key] = len(self.factors)
            self.factors.append(unit)
        return Part(scale, self._places[key], powers)


def agrees(column: Column, points: Floats, factors: list[Floats], values: Floats) -> bool:
    """Tell whether a column taken apart is the column itself."""
    again = value_of(column, list(points.T), factors)
    return bool(np.abs(again - values).max() <= 10 * TINY * max(np.abs(values).max(), TINY))


def _rounded(scale: float) -> float:
    """Free a whole number of the rounding of the interpolation."""
    return float(round(scale)) if abs(scale - round(scale)) < TINY else scale
