"""Where the parameters of a covariance structure stand in its matrices, one layout a group.

The groups share one vector of free parameters; what is equal, within a group or between groups,
is one entry of it. `csimodel.estimators.covariance.layouts` makes them from a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.rows import Row

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

KINDS = ("loadings", "paths", "covariances", "errors", "intercepts", "means")
ORDER = (*KINDS, "weights", "within", "thresholds")  # the last three are in no matrix
_SYMMETRIC = ("covariances", "errors")


class Dependent(NamedTuple):
    """A row that is a sum of free parameters: ``constant + Σ weights · parameters[places]``."""

    position: int
    places: Indices
    weights: Floats
    constant: float


class Composite(NamedTuple):
    """A composite and where its parameters stand among the rows.

    The cells of the matrices that follow from them are those of
    `csimodel.estimators.covariance.composite_cells`.
    """

    construct: int
    items: Indices  # (items of the composite,)
    weights: Indices  # rows, (items of the composite,)
    within: Indices  # rows of the covariances of its items, as np.tril_indices
    variance: int  # row of its variance or that of its disturbance, which follows from the others


class CompositeCells(NamedTuple):
    """Where the cells that follow from a composite stand among all cells."""

    loadings: Indices  # (items of the composite,)
    variance: int
    errors: Indices  # as np.tril_indices


class ResponseLevels(NamedTuple):
    """What stands before the covariances in the moments of ordered answers, item by item.

    Thresholds of an ordered item and the mean of a continuous one.
    """

    item: Indices  # of each, (levels,)
    row: Indices  # of each threshold among the rows, -1 for a mean, (levels,)
    ordered: NDArray[np.bool_]  # items, (items,)

    def among(self, rows: Sequence[Row]) -> ResponseLevels:
        """Return the same levels, with the thresholds' places among these rows."""
        place = {row.at: r for r, row in enumerate(rows) if row.kind == "thresholds"}
        first = np.searchsorted(self.item, self.item)  # of an item
        pairs = zip(self.item.tolist(), (np.arange(len(self.item)) - first).tolist(), strict=True)
        return self._replace(row=np.array([place.get(pair, -1) for pair in pairs], dtype=np.intp))

    @property
    def is_threshold(self) -> NDArray[np.bool_]:
        """Which are thresholds, (levels,)."""
        return self.row >= 0


class Matrices(NamedTuple):
    """The matrices of a covariance structure with their fixed cells filled."""

    loadings: Floats  # Λ (items, constructs)
    paths: Floats  # B (constructs, constructs)
    covariances: Floats  # Ψ (constructs, constructs)
    errors: Floats  # Θ (items, items)
    intercepts: Floats  # ν (items,)
    means: Floats  # α (constructs,)


@dataclass(frozen=True, eq=False)
class ParameterLayout:
    """The parameters of one group.

    Attributes
    ----------
    rows
        All parameters, free and fixed.
    place
        Position of each row in the vector of free parameters, -1 for what is fixed or a sum of
        others, (rows,).
    size
        Free parameters of all groups together.
    matrices
        The fixed cells.
    mean_structure
        Whether means are modelled.
    ordered
        Items whose total variance is fixed to 1, (items,).
    lower, upper
        Bounds, (size,).
    starts
        Starting values that were given, NaN elsewhere, (size,).
    dependent
        Rows that are sums of free parameters.
    composites
        Constructs that are weighted sums of their items.
    constant
        Number of each row among those that are held at the sample's own moments, -1 for all
        others, (rows,). Vectors of parameters have them behind the free ones, (..., width).
    levels
        Thresholds and means of ordered and continuous items, where thresholds are modelled.
    """

    rows: tuple[Row, ...]
    place: Indices
    size: int
    matrices: Matrices
    mean_structure: bool
    ordered: NDArray[np.bool_]
    lower: Floats
    upper: Floats
    starts: Floats
    dependent: tuple[Dependent, ...] = ()
    composites: tuple[Composite, ...] = ()
    constant: Indices | None = None
    levels: ResponseLevels | None = None
    cells: tuple[tuple[Indices, Indices], ...] = field(init=False)
    target: Indices = field(init=False)

    def __post_init__(self) -> None:
        cells, target = [], []
        sums = {dependent.position for dependent in self.dependent}
        for kind in KINDS:
            own = [
                r
                for r, row in enumerate(self.rows)
                if row.kind == kind and (self.place[r] >= 0 or r in sums)
            ]
            places = [self.rows[r].at for r in own]
            target += [int(self.place[r]) for r in own]
            for composite in self.composites:
                more = _cells_that_follow(composite).get(kind, [])
                places += more
                target += [-1] * len(more)
            at = np.array(places, dtype=np.intp).reshape(-1, 2)
            cells.append((at[:, 0].copy(), at[:, 1].copy()))
        object.__setattr__(self, "cells", tuple(cells))
        object.__setattr__(self, "target", np.array(target, dtype=np.intp))

    @cached_property
    def spans(self) -> tuple[slice, ...]:
        """Where each kind of parameter stands among the free cells, in the order of KINDS."""
        ends = np.cumsum([len(rows) for rows, _ in self.cells]).tolist()
        return tuple(slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True))

    @cached_property
    def corners(self) -> tuple[slice, ...]:
        """Where each matrix stands when all are flattened one after another."""
        ends = np.cumsum([matrix.size for matrix in self.matrices]).tolist()
        return tuple(slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True))

    @cached_property
    def template(self) -> Floats:
        """All matrices flattened one after another, the free cells at 0."""
        return np.concatenate([matrix.ravel() for matrix in self.matrices])

    @cached_property
    def filled(self) -> tuple[Indices, Indices]:
        """Places of the free cells in the template, and the parameter (or cell) each is.

        Cells of symmetric matrices have two places. Where some rows are sums, `cell_values` has
        the values, and the second is the number of the cell.
        """
        numbers = np.arange(len(self.target)) if self.indirect else self.target
        kept = self.cell_rows >= 0
        places, sources = [], []
        for kind, matrix, corner, (row, column), span in zip(
            KINDS, self.matrices, self.corners, self.cells, self.spans, strict=True
        ):
            width = matrix.shape[-1] if matrix.ndim == 2 else 1
            ends = [row * width + column] + [column * width + row] * (kind in _SYMMETRIC)
            for end in ends:
                places.append(corner.start + end[kept[span]])
                sources.append(numbers[span][kept[span]])
        return np.concatenate(places), np.concatenate(sources)

    @property
    def indirect(self) -> bool:
        """Whether some free cells are not parameters themselves."""
        return bool(self.dependent or self.composites)

    @cached_property
    def constants(self) -> int:
        """How many rows are held at the sample's own moments."""
        return 0 if self.constant is None else int((self.constant >= 0).sum())

    @property
    def width(self) -> int:
        """How long vectors of parameters are: the free ones, and what is held."""
        return self.size + self.constants

    @cached_property
    def source(self) -> Indices:
        """Position of each row in the vectors of parameters, -1 for what is in none, (rows,)."""
        if self.constant is None:
            return self.place
        return np.where(self.constant >= 0, self.size + self.constant, self.place)

    def held(self, cov: Floats) -> Floats:
        """Return what is held at covariances of the items, (..., constants)."""
        if self.constant is None:
            return np.empty((*cov.shape[:-2], 0))
        rows = np.flatnonzero(self.constant >= 0)
        at = np.array([self.rows[r].at for r in rows[np.argsort(self.constant[rows])]])
        at = at.reshape(-1, 2)
        return np.asarray(cov[..., at[:, 0], at[:, 1]])

    @cached_property
    def composite_cells(self) -> tuple[CompositeCells, ...]:
        """Where the cells of every composite stand among all cells."""
        starts = {kind: span.start for kind, span in zip(KINDS, self.spans, strict=True)}
        number = {
            (kind, at): starts[kind] + place
            for kind, (first, second) in zip(KINDS, self.cells, strict=True)
            for place, at in enumerate(zip(first.tolist(), second.tolist(), strict=True))
        }

        def places(composite: Composite, kind: str) -> Indices:
            cells = _cells_that_follow(composite)[kind]
            return np.array([number[kind, at] for at in cells], dtype=np.intp)

        return tuple(
            CompositeCells(
                places(composite, "loadings"),
                int(places(composite, "covariances")[0]),
                places(composite, "errors"),
            )
            for composite in self.composites
        )

    @cached_property
    def unit(self) -> Floats:
        """The identity over constructs."""
        return np.eye(len(self.matrices.paths))

    @cached_property
    def identity(self) -> Floats:
        """The identity over items."""
        return np.eye(len(self.matrices.errors))

    @cached_property
    def has_ordered(self) -> bool:
        """Whether the total variance of any item is fixed."""
        return bool(self.ordered.any())

    @cached_property
    def doublings(self) -> int | None:
        """How often B is squared until it is 0; None where free paths could close a cycle."""
        power = self.matrices.paths != 0.0
        power[self.cells[1]] = True
        count = -1
        while power.any():
            count, power = count + 1, power @ power
            if 2**count > len(power):
                return None
        return max(count, 0)

    @cached_property
    def plain(self) -> bool:
        """Whether every free cell is a parameter of its own, in order."""
        if self.indirect:
            return False
        return len(self.target) == self.size and bool((self.target == np.arange(self.size)).all())

    @cached_property
    def spread(self) -> Floats:
        """Which parameter each free cell is, or the sum of which, (cells, size).

        0 for what follows from composites, whose derivatives move with the parameters.
        """
        known = self.cell_rows >= 0
        return np.where(known[:, None], self.row_slopes[self.cell_rows], 0.0)

    @cached_property
    def cell_rows(self) -> Indices:
        """The row of each free cell, -1 for what follows from composites, (cells,)."""
        sums = {dependent.position for dependent in self.dependent}
        free = [r for r in range(len(self.rows)) if self.place[r] >= 0 or r in sums]
        order = []
        for kind in KINDS:
            order += [r for r in free if self.rows[r].kind == kind]
            for composite in self.composites:
                order += [-1] * len(_cells_that_follow(composite).get(kind, []))
        return np.array(order, dtype=np.intp)

    @cached_property
    def row_slopes(self) -> Floats:
        """Derivatives of the rows by the parameters, (rows, size)."""
        slopes = np.array(self.place[:, None] == np.arange(self.size), dtype=np.float64)
        for dependent in self.dependent:
            slopes[dependent.position, dependent.places] = dependent.weights
        return slopes

    def cell_values(self, parameters: Floats) -> Floats:
        """Return the values of the free cells, (..., cells)."""
        return np.asarray(self.values(parameters)[..., self.cell_rows])

    @cached_property
    def bounded(self) -> bool:
        """Whether any parameter has a bound."""
        return bool(np.isfinite(self.lower).any() or np.isfinite(self.upper).any())

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The free parameters as text; equal ones are joined by =."""
        by_number: dict[int, list[str]] = {}
        for row, place in zip(self.rows, self.place.tolist(), strict=True):
            if place >= 0:
                by_number.setdefault(place, []).append(row.name)
        return tuple(
            " = ".join(by_number.get(place, ["in another group"])) for place in range(self.size)
        )

    @cached_property
    def fixed(self) -> Floats:
        """Values of the rows that are fixed, NaN of the free ones, (rows,)."""
        return np.array([np.nan if row.fixed is None else row.fixed for row in self.rows])

    @cached_property
    def own(self) -> Indices:
        """The parameters this group has cells of, ascending, (own,)."""
        return np.flatnonzero(self.row_slopes.any(axis=0))

    @cached_property
    def alone(self) -> bool:
        """Whether there are no parameters of other groups only."""
        return len(self.own) == self.size

    @cached_property
    def _own_spread(self) -> Floats:
        """`spread` of the group's own parameters, (cells, own)."""
        return np.ascontiguousarray(self.spread[:, self.own])

    def own_vector(self, cells: Floats, slopes: Floats | None = None) -> Floats:
        """Sum what belongs to cells, (..., cells), over the group's own parameters, (..., own).

        `slopes` are the derivatives of the cells by the parameters, (..., cells, size), where
        there are composites, whose move with them.
        """
        if slopes is not None:
            return np.asarray((cells[..., None, :] @ slopes)[..., 0, :])
        return cells if self.plain else cells @ self._own_spread

    def own_matrix(self, cells: Floats, slopes: Floats | None = None) -> Floats:
        """Sum what belongs to pairs of cells over the own parameters, (..., own, own)."""
        if slopes is not None:
            return np.asarray(np.swapaxes(slopes, -1, -2) @ cells @ slopes)
        return cells if self.plain else self._own_spread.T @ cells @ self._own_spread

    def vector(self, cells: Floats) -> Floats:
        """Sum what belongs to cells, (..., cells), over the parameter they share."""
        if self.plain or self.alone:
            return self.own_vector(cells)
        whole = np.zeros((*cells.shape[:-1], self.size))
        whole[..., self.own] = self.own_vector(cells)
        return whole

    def matrix(self, cells: Floats, slopes: Floats | None = None) -> Floats:
        """Sum what belongs to pairs of cells, (..., cells, cells), over parameters."""
        if self.plain or self.alone:
            return self.own_matrix(cells, slopes)
        whole = np.zeros((*cells.shape[:-2], self.size, self.size))
        whole[..., self.own[:, None], self.own] = self.own_matrix(cells)
        return whole

    def columns(self, cells: Floats, slopes: Floats | None = None) -> Floats:
        """Sum derivatives by cells, (..., any, cells), into derivatives by parameters."""
        return self.vector(cells) if slopes is None else np.asarray(cells @ slopes)

    def values(self, parameters: Floats) -> Floats:
        """Return the values of all rows, (..., rows); NaN of variances that composites give."""
        values = np.where(self.source >= 0, parameters[..., self.source], self.fixed)
        for dependent in self.dependent:
            values[..., dependent.position] = (
                parameters[..., dependent.places] @ dependent.weights + dependent.constant
            )
        return np.asarray(values)


def _cells_that_follow(composite: Composite) -> dict[str, list[tuple[int, int]]]:
    """Return the cells of the matrices that follow from a composite, by kind."""
    items, own = composite.items.tolist(), composite.construct
    return {
        "loadings": [(item, own) for item in items],
        "covariances": [(own, own)],
        "errors": [(items[i], items[k]) for i in range(len(items)) for k in range(i + 1)],
    }
