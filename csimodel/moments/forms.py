"""Directions of means and covariances, each as two vectors, and weights they are multiplied with.

A covariance structure moves covariances in directions of rank two, ``Σₐ = l r' + r l'``, and means
along ``μₐ``. So a direction among thousands of covariances is two vectors of items, and products
with the weight of normal theory need matrices of items only, none over pairs of covariances.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.vech import vech_indices

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Forms:
    """Directions in which means and covariances move, or linear functions of them.

    As a direction column a moves Σ by ``l r' + r l'`` and μ by m; as a function of covariances E
    and means e it is ``l'Er + m'e``.

    Attributes
    ----------
    left, right
        l and r, (items, columns).
    level
        m, (items, columns), or None without means.

    Examples
    --------
    >>> forms = Forms(np.array([[1.0], [0.0]]), np.array([[0.0], [1.0]]))
    >>> forms.directions[:, 0].tolist(), forms.values(np.array([[1.0, 0.5], [0.5, 1.0]])).tolist()
    ([0.0, 1.0, 0.0], [0.5])
    """

    left: Floats
    right: Floats
    level: Floats | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Number of moments and of columns."""
        items, columns = self.left.shape
        return items * (items + 1) // 2 + (0 if self.level is None else items), columns

    def take(self, columns: NDArray[np.intp]) -> Forms:
        """Return some of the columns."""
        level = None if self.level is None else self.level[:, columns]
        return Forms(self.left[:, columns], self.right[:, columns], level)

    @property
    def directions(self) -> Floats:
        """``(m ; vech (l r' + r l'))`` of every column, (moments, columns)."""
        row, column = vech_indices(len(self.left))
        spread = self.left[row] * self.right[column] + self.left[column] * self.right[row]
        return spread if self.level is None else np.concatenate([self.level, spread])

    @property
    def functions(self) -> Floats:
        """What every column multiplies ``(e ; vech E)`` with, (moments, columns)."""
        row, column = vech_indices(len(self.left))
        functions = self.directions
        functions[-len(row) :][row == column] *= 0.5
        return functions

    def values(self, cov: Floats, mean: Floats | None = None) -> Floats:
        """Return the functions of covariances, (items, items), and means, (items,): (columns,)."""
        values = (self.left * (cov @ self.right)).sum(axis=0)
        if self.level is not None and mean is not None:
            values += mean @ self.level
        return np.asarray(values)

    def of_rows(self, rows: Floats, expected: Floats) -> Floats:
        """Return ``l'(zz')r - expected + m'z`` of vectors z, (rows, items): (rows, columns)."""
        values = rows @ self.left
        values *= rows @ self.right
        values -= expected
        if self.level is not None:
            values += rows @ self.level
        return values


Columns = Forms | Floats


def functions_of(columns: Columns) -> Floats:
    """Return functions as a matrix, (moments, columns)."""
    return columns.functions if isinstance(columns, Forms) else columns


def directions_of(columns: Columns) -> Floats:
    """Return directions as a matrix, (moments, columns)."""
    return columns.directions if isinstance(columns, Forms) else columns


class Weight(Protocol):
    """V, a symmetric weight of means and covariances."""

    @property
    def size(self) -> int:
        """Number of moments."""

    @property
    def matrix(self) -> Floats:
        """V itself, (moments, moments)."""

    def applied(self, columns: Floats) -> Floats:
        """Return V times columns, (moments, columns)."""

    def of(self, columns: Columns) -> Columns:
        """Return V times directions, as functions."""

    def between(self, columns: Columns, other: Columns) -> Floats:
        """Return ``one' V other`` of directions, (columns of one, columns of other)."""

    def squares(self, columns: Columns) -> Floats:
        """Return the diagonal of `between` of directions with themselves, (columns,)."""


@dataclass(frozen=True, eq=False)
class DenseWeight:
    """A weight that is known as a matrix, (moments, moments)."""

    matrix: Floats

    @property
    def size(self) -> int:
        """Number of moments."""
        return len(self.matrix)

    def applied(self, columns: Floats) -> Floats:
        """Return V times columns, (moments, columns)."""
        return np.asarray(self.matrix @ columns)

    def of(self, columns: Columns) -> Columns:
        """Return V times directions, as functions."""
        return self.applied(directions_of(columns))

    def between(self, columns: Columns, other: Columns) -> Floats:
        """Return ``one' V other`` of directions, (columns of one, columns of other)."""
        return np.asarray(directions_of(columns).T @ self.applied(directions_of(other)))

    def squares(self, columns: Columns) -> Floats:
        """Return the diagonal of `between` of directions with themselves, (columns,)."""
        own = directions_of(columns)
        return np.asarray((own * self.applied(own)).sum(axis=0))


@dataclass(frozen=True, eq=False)
class DiagonalWeight:
    """A weight of every moment by itself, (moments,)."""

    values: Floats

    @property
    def size(self) -> int:
        """Number of moments."""
        return len(self.values)

    @property
    def matrix(self) -> Floats:
        """V itself, (moments, moments)."""
        return np.diag(self.values)

    def applied(self, columns: Floats) -> Floats:
        """Return V times columns, (moments, columns)."""
        return np.asarray(self.values[:, None] * columns)

    def of(self, columns: Columns) -> Columns:
        """Return V times directions, as functions."""
        return self.applied(directions_of(columns))

    def between(self, columns: Columns, other: Columns) -> Floats:
        """Return ``one' V other`` of directions, (columns of one, columns of other)."""
        return np.asarray(directions_of(columns).T @ self.applied(directions_of(other)))

    def squares(self, columns: Columns) -> Floats:
        """Return the diagonal of `between` of directions with themselves, (columns,)."""
        return np.asarray(self.values @ directions_of(columns) ** 2)


@dataclass(frozen=True, eq=False)
class NormalWeight:
    """The weight of normal theory, ``½ D'(W ⊗ W) D`` of covariances and W of means.

    Attributes
    ----------
    inverse
        W, the inverse of covariances, (items, items).
    means
        Whether means are weighed too.

    Examples
    --------
    >>> weight, column = NormalWeight(np.diag([1.0, 0.5])), np.array([[1.0], [2.0], [3.0]])
    >>> weight.applied(column)[:, 0].tolist(), (weight.matrix @ column)[:, 0].tolist()
    ([0.5, 1.0, 0.375], [0.5, 1.0, 0.375])
    """

    inverse: Floats
    means: bool = False

    @property
    def size(self) -> int:
        """Number of moments."""
        items = len(self.inverse)
        return items * (items + 1) // 2 + (items if self.means else 0)

    @property
    def matrix(self) -> Floats:
        """V itself, (moments, moments)."""
        return normal_matrix(self.inverse, self.means)

    def parts(self) -> Iterator[Floats]:
        """Yield V a stretch of its rows at a time: those of means, and of each column of vech."""
        items = len(self.inverse)
        row, column = vech_indices(items)
        means = items if self.means else 0
        if self.means:
            yield np.hstack([self.inverse, np.zeros((items, len(row)))])
        twice = np.where(row == column, 0.5, 1.0)
        for c, own in enumerate(self.inverse):
            part = np.zeros((items - c, means + len(row)))
            part[:, means:] = self.inverse[c:, row] * own[column]
            part[:, means:] += self.inverse[c:, column] * own[row]
            part[:, means:] *= twice
            part[0] *= 0.5
            yield part

    def applied(self, columns: Floats) -> Floats:
        """Return V times columns, (moments, columns)."""
        items = len(self.inverse)
        row, column = vech_indices(items)
        spread = columns[len(columns) - len(row) :]
        matrices = np.empty((columns.shape[1], items, items))
        matrices[:, row, column] = matrices[:, column, row] = spread.T
        turned = (self.inverse @ matrices @ self.inverse)[:, row, column].T
        turned[row == column] *= 0.5
        if not self.means:
            return np.asarray(turned)
        return np.concatenate([self.inverse @ columns[:items], turned])

    def pulled(self, forms: Forms) -> Forms:
        """Return V times directions of rank two, as functions."""
        level = None if forms.level is None else self.inverse @ forms.level
        return Forms(self.inverse @ forms.left, self.inverse @ forms.right, level)

    def of(self, columns: Columns) -> Columns:
        """Return V times directions, as functions."""
        return self.pulled(columns) if isinstance(columns, Forms) else self.applied(columns)

    def between(self, columns: Columns, other: Columns) -> Floats:
        """Return ``one' V other`` of directions, (columns of one, columns of other).

        ``½ tr(W Σₐ W Σᵦ) = lₐ'Wlᵦ rₐ'Wrᵦ + lₐ'Wrᵦ rₐ'Wlᵦ``, and ``μₐ'W μᵦ``.
        """
        if not (isinstance(columns, Forms) and isinstance(other, Forms)):
            return np.asarray(directions_of(columns).T @ self.applied(directions_of(other)))
        pulled = self.pulled(other)
        product = columns.left.T @ pulled.left
        product *= columns.right.T @ pulled.right
        crossed = columns.left.T @ pulled.right
        crossed *= columns.right.T @ pulled.left
        product += crossed
        if columns.level is not None and pulled.level is not None:
            product += columns.level.T @ pulled.level
        return np.asarray(product)

    def squares(self, columns: Columns) -> Floats:
        """Return the diagonal of `between` of directions with themselves, (columns,)."""
        if not isinstance(columns, Forms):
            return np.asarray((columns * self.applied(columns)).sum(axis=0))
        forms, pulled = columns, self.pulled(columns)
        squares = (forms.left * pulled.left).sum(axis=0) * (forms.right * pulled.right).sum(axis=0)
        squares += (forms.left * pulled.right).sum(axis=0) ** 2
        if forms.level is not None and pulled.level is not None:
            squares += (forms.level * pulled.level).sum(axis=0)
        return np.asarray(squares)


@dataclass(frozen=True, eq=False)
class MixedWeight:
    """A sum of weights of normal theory, each with its share."""

    parts: tuple[NormalWeight, ...]
    shares: Floats

    @property
    def size(self) -> int:
        """Number of moments."""
        return self.parts[0].size

    @property
    def matrix(self) -> Floats:
        """V itself, (moments, moments)."""
        return self._summed([part.matrix for part in self.parts])

    def applied(self, columns: Floats) -> Floats:
        """Return V times columns, (moments, columns)."""
        return self._summed([part.applied(columns) for part in self.parts])

    def of(self, columns: Columns) -> Columns:
        """Return V times directions, as functions."""
        return self.applied(directions_of(columns))

    def between(self, columns: Columns, other: Columns) -> Floats:
        """Return ``one' V other`` of directions, (columns of one, columns of other)."""
        total = np.zeros((columns.shape[1], other.shape[1]))
        for share, part in zip(self.shares, self.parts, strict=True):
            total += share * part.between(columns, other)
        return total

    def squares(self, columns: Columns) -> Floats:
        """Return the diagonal of `between` of directions with themselves, (columns,)."""
        return self._summed([part.squares(columns) for part in self.parts])

    def _summed(self, values: list[Floats]) -> Floats:
        total = np.zeros(values[0].shape)
        for share, own in zip(self.shares, values, strict=True):
            total += share * own
        return total


def normal_matrix(inverse: Floats, means: bool) -> Floats:
    """Return the weight of normal theory from W, (..., moments, moments)."""
    items = inverse.shape[-1]
    row, column = vech_indices(items)
    twice = np.where(row == column, 1.0, 2.0)
    products = (
        inverse[..., row[:, None], row] * inverse[..., column[:, None], column]
        + inverse[..., row[:, None], column] * inverse[..., column[:, None], row]
    )
    weight = np.asarray(0.25 * twice[:, None] * twice * products)
    if not means:
        return weight
    size = items + len(row)
    whole = np.zeros((*inverse.shape[:-2], size, size))
    whole[..., :items, :items] = inverse
    whole[..., items:, items:] = weight
    return whole
