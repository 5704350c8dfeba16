"""Which parameters a covariance structure has, and where they stand in its matrices.

`layouts_of` turns a model into the table of its parameters, one `Layout` a group of respondents.
The groups share one vector of free parameters; what is equal, within a group or between groups,
is one entry of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import ModelError
from csimodel.estimators.covariance.equality import equal_between_groups, fixed_together
from csimodel.model import Model
from csimodel.model.parameters import Parameter
from csimodel.model.restrictions import eliminated

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

KINDS = ("loadings", "paths", "covariances", "errors", "intercepts", "means")
_SYMMETRIC = ("covariances", "errors")


class Row(NamedTuple):
    """One parameter in the table, in lavaan's words: ``Image =~ IMAG1``, ``Loyalty ~ Image``.

    `kind` says which matrix holds it, at cell `at` (for intercepts and means the first number);
    `group_kind`, where it is another, as what it is made equal between groups.
    """

    lhs: str
    op: str
    rhs: str
    kind: str
    at: tuple[int, int]
    label: str | None = None
    fixed: float | None = None
    start: float | None = None
    lower: float = -np.inf
    upper: float = np.inf
    group_kind: str | None = None

    @property
    def name(self) -> str:
        """The row as text."""
        return f"{self.lhs} ~ 1" if self.op == "~1" else f"{self.lhs} {self.op} {self.rhs}"


class Dependent(NamedTuple):
    """A row that is a sum of free parameters: ``constant + Σ weights · parameters[places]``."""

    position: int
    places: Indices
    weights: Floats
    constant: float


class Matrices(NamedTuple):
    """The matrices of a covariance structure with their fixed cells filled."""

    loadings: Floats  # Λ (items, constructs)
    paths: Floats  # B (constructs, constructs)
    covariances: Floats  # Ψ (constructs, constructs)
    errors: Floats  # Θ (items, items)
    intercepts: Floats  # ν (items,)
    means: Floats  # α (constructs,)


@dataclass(frozen=True, eq=False)
class Layout:
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
    cells: tuple[tuple[Indices, Indices], ...] = field(init=False)
    target: Indices = field(init=False)

    def __post_init__(self) -> None:
        cells, target = [], []
        sums = {one.position for one in self.dependent}
        for kind in KINDS:
            own = [
                r
                for r, row in enumerate(self.rows)
                if row.kind == kind and (self.place[r] >= 0 or r in sums)
            ]
            at = np.array([self.rows[r].at for r in own], dtype=np.intp).reshape(-1, 2)
            cells.append((at[:, 0].copy(), at[:, 1].copy()))
            target += [int(self.place[r]) for r in own]
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
        numbers = np.arange(len(self.target)) if self.dependent else self.target
        places, sources = [], []
        for kind, matrix, corner, (row, column), span in zip(
            KINDS, self.matrices, self.corners, self.cells, self.spans, strict=True
        ):
            width = matrix.shape[-1] if matrix.ndim == 2 else 1
            ends = [row * width + column] + [column * width + row] * (kind in _SYMMETRIC)
            for end in ends:
                places.append(corner.start + end)
                sources.append(numbers[span])
        return np.concatenate(places), np.concatenate(sources)

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
        if self.dependent:
            return False
        return len(self.target) == self.size and bool((self.target == np.arange(self.size)).all())

    @cached_property
    def spread(self) -> Floats:
        """Which parameter each free cell is, or the sum of which, (cells, size)."""
        return self.row_slopes[self.cell_rows]

    @cached_property
    def cell_rows(self) -> Indices:
        """The row of each free cell, (cells,)."""
        sums = {one.position for one in self.dependent}
        free = [r for r in range(len(self.rows)) if self.place[r] >= 0 or r in sums]
        order = sorted(free, key=lambda r: KINDS.index(self.rows[r].kind))
        return np.array(order, dtype=np.intp)

    @cached_property
    def row_slopes(self) -> Floats:
        """Derivatives of the rows by the parameters, (rows, size)."""
        slopes = np.array(self.place[:, None] == np.arange(self.size), dtype=np.float64)
        for one in self.dependent:
            slopes[one.position, one.places] = one.weights
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
        found: dict[int, list[str]] = {}
        for row, place in zip(self.rows, self.place.tolist(), strict=True):
            if place >= 0:
                found.setdefault(place, []).append(row.name)
        return tuple(
            " = ".join(found.get(place, ["in another group"])) for place in range(self.size)
        )

    @cached_property
    def fixed(self) -> Floats:
        """Values of the rows that are fixed, NaN of the free ones, (rows,)."""
        return np.array([np.nan if row.fixed is None else row.fixed for row in self.rows])

    def vector(self, cells: Floats) -> Floats:
        """Sum what belongs to cells, (..., cells), over the parameter they share."""
        return cells if self.plain else cells @ self.spread

    def matrix(self, cells: Floats) -> Floats:
        """Sum what belongs to pairs of cells, (..., cells, cells), over parameters."""
        return cells if self.plain else self.spread.T @ cells @ self.spread

    def columns(self, cells: Floats) -> Floats:
        """Sum derivatives by cells, (..., any, cells), into derivatives by parameters."""
        return cells if self.plain else cells @ self.spread

    def values(self, parameters: Floats) -> Floats:
        """Return the values of all rows, (..., rows)."""
        values = np.where(self.place >= 0, parameters[..., self.place], self.fixed)
        for one in self.dependent:
            values[..., one.position] = parameters[..., one.places] @ one.weights + one.constant
        return np.asarray(values)


@lru_cache(maxsize=64)
def layouts_of(
    model: Model,
    scaling: str = "marker",
    means: bool = False,
    ordered: tuple[str, ...] = (),
    groups: int = 1,
    equal: tuple[str, ...] = (),
    free: tuple[str, ...] = (),
) -> tuple[Layout, ...]:
    """Return the parameters of a model, one layout a group.

    Exogenous constructs covary freely, disturbances and errors do not unless the model says so; a
    single item has no error. With ``scaling="marker"`` each construct's first loading is 1; with
    ``"variance"`` the variances of exogenous constructs and of disturbances are 1, those of a
    single item too (in the first group only, when loadings are equal between groups). Columns of
    the data that stand in paths keep their variances.

    Parameters
    ----------
    equal
        Kinds of parameters that are equal between groups, of KINDS.
    free
        Names of parameters (``Image =~ IMAG2``) or labels excepted from that.
    """
    said = _said(model)
    means = means or any(parameter.op == "~1" for parameter in model.parameters)
    tables = [
        list(_rows(model, said, scaling, means, ordered, group, equal)) for group in range(groups)
    ]
    keys = [[_key(row, group, equal, free) for row in rows] for group, rows in enumerate(tables)]
    tables = fixed_together(tables, keys)
    numbers: dict[object, int] = {}
    places = []
    sums = _sums(model, tables, keys)
    for rows, own in zip(tables, keys, strict=True):
        place = np.full(len(rows), -1, dtype=np.intp)
        for position in sorted(range(len(rows)), key=lambda at: KINDS.index(rows[at].kind)):
            if rows[position].fixed is None and own[position] not in sums:
                place[position] = numbers.setdefault(own[position], len(numbers))
        places.append(place)
    bounds = _bounds(tables, places, len(numbers))
    mask = np.isin(np.array(model.items, dtype=object), np.array(ordered, dtype=object))
    return tuple(
        Layout(
            tuple(rows),
            place,
            len(numbers),
            _matrices(model, rows),
            means,
            mask,
            *bounds,
            _dependent(sums, own, numbers),
        )
        for rows, place, own in zip(tables, places, keys, strict=True)
    )


def _sums(
    model: Model, tables: list[list[Row]], keys: list[list[object]]
) -> dict[str, tuple[dict[str, float], float]]:
    """Return the labels that restrictions make sums of others.

    Raises
    ------
    ModelError
        For restrictions without a solution, and bounds of their labels.
    """
    if not model.restrictions:
        return {}
    restricted = {name for one in model.restrictions for name in one.names}
    fixed: dict[str, float] = {}
    every = zip(chain.from_iterable(tables), chain.from_iterable(keys), strict=True)
    for row, key in every:
        if row.label is None or key not in restricted:
            continue
        if row.fixed is not None:
            fixed[row.label] = row.fixed
        if row.lower > -np.inf or row.upper < np.inf:
            raise ModelError(
                f"{row.name!r} has bounds and its label {key!r} stands in an equation of several; "
                "take out the bounds or the equation."
            )
    return eliminated(model.restrictions, fixed)


def _dependent(
    sums: dict[str, tuple[dict[str, float], float]],
    keys: list[object],
    numbers: dict[object, int],
) -> tuple[Dependent, ...]:
    """Return the rows of one group that are sums."""
    return tuple(
        Dependent(
            position,
            np.array([numbers[name] for name in sums[key][0]], dtype=np.intp),
            np.array(list(sums[key][0].values())),
            sums[key][1],
        )
        for position, key in enumerate(keys)
        if isinstance(key, str) and key in sums
    )


def _key(row: Row, group: int, equal: tuple[str, ...], free: tuple[str, ...]) -> object:
    """Return what tells parameters apart: those of one key have one value."""
    excepted = row.name in free or (row.label is not None and row.label in free)
    if row.label is not None and not (excepted and group):
        return row.label
    shared = equal_between_groups(row, equal) and not excepted
    return row.kind, row.at, -1 if shared else group


def _said(model: Model) -> dict[tuple[str, str, str], Parameter]:
    found = {}
    for parameter in model.parameters:
        found[parameter.op, parameter.lhs, parameter.rhs] = parameter
    return found


def _rows(
    model: Model,
    said: dict[tuple[str, str, str], Parameter],
    scaling: str,
    means: bool,
    ordered: tuple[str, ...],
    group: int,
    equal: tuple[str, ...],
) -> Iterator[Row]:
    """List every parameter of a group: loadings, paths, (co)variances of errors and constructs."""
    names, items = model.construct_names, model.items
    exogenous = np.asarray(~model.adjacency.any(axis=1))
    unobserved = [item for item in items if item not in model.observed]
    loose = scaling == "variance" and group > 0 and "loadings" in equal  # scaled by group one

    def row(
        lhs: str, op: str, rhs: str, kind: str, at: tuple[int, int], usual: float | None
    ) -> Row:
        """Fill in what the model says; `usual` is the value of what is fixed otherwise."""
        plain = Row(lhs, op, rhs, kind, at, fixed=usual)
        # Where an item and a construct share a name, ~~ means the construct and ~1 the item.
        other: Collection[str] = {"errors": names, "means": unobserved}.get(kind, ())
        parameter = said.get((op, lhs, rhs)) or (said.get((op, rhs, lhs)) if op == "~~" else None)
        if parameter is None or (lhs in other and rhs in (lhs, "")):
            return plain
        fixed = parameter.value("fixed", group)
        written = op in ("~~", "~1")  # to write it down is to free it
        freed = written if fixed is None else bool(np.isnan(fixed))
        lower, upper = parameter.value("lower", group), parameter.value("upper", group)
        return plain._replace(
            label=parameter.value("label", group),
            fixed=None if freed else usual if fixed is None else fixed,
            start=parameter.value("start", group),
            lower=-np.inf if lower is None else lower,
            upper=np.inf if upper is None else upper,
        )

    def as_in_lavaan(j: int, kind: str) -> str | None:
        """Return as what a row of construct j is made equal: an observed variable is no construct.

        Those of variables that nothing explains are never equal.
        """
        if names[j] not in model.observed:
            return None
        return "" if exogenous[j] else kind

    for j, construct in enumerate(model.constructs):
        for item in construct.items if construct.name not in model.observed else ():
            marked = scaling == "marker" and item == construct.items[0]
            at = (items.index(item), j)
            yield row(construct.name, "=~", item, "loadings", at, 1.0 if marked else None)
    for target, source in np.argwhere(model.adjacency).tolist():
        yield row(names[target], "~", names[source], "paths", (target, source), None)
    for i, j in enumerate(model.owner.tolist()):
        if items[i] not in ordered and names[j] not in model.observed:
            usual = 0.0 if model.constructs[j].kind == "single" else None
            yield row(items[i], "~~", items[i], "errors", (i, i), usual)
    for i, k in _joined(said, items, names):
        yield row(items[k], "~~", items[i], "errors", (i, k), None)
    for j, name in enumerate(names):
        unit = scaling == "variance" and name not in model.observed and not loose
        own = row(name, "~~", name, "covariances", (j, j), 1.0 if unit else None)
        yield own._replace(group_kind=as_in_lavaan(j, "errors"))
    pairs = [(j, k) for j in range(len(names)) for k in range(j) if exogenous[j] and exogenous[k]]
    for j, k in sorted({*pairs, *_joined(said, names, ())}):
        kinds = {as_in_lavaan(j, "errors"), as_in_lavaan(k, "errors")}
        shared = row(names[k], "~~", names[j], "covariances", (j, k), None)
        yield shared._replace(
            group_kind="" if "" in kinds else kinds.pop() if len(kinds) == 1 else None
        )
    if means:
        free_means = group > 0 and "intercepts" in equal
        for i, item in enumerate(items):
            if item in unobserved and item not in ordered:
                yield row(item, "~1", "", "intercepts", (i, 0), None)
        for j, name in enumerate(names):
            free = free_means or name in model.observed
            mean = row(name, "~1", "", "means", (j, 0), None if free else 0.0)
            yield mean._replace(group_kind=as_in_lavaan(j, "intercepts"))


def _joined(
    said: dict[tuple[str, str, str], Parameter], names: tuple[str, ...], others: tuple[str, ...]
) -> list[tuple[int, int]]:
    """Return the pairs of different names that the model joins by ~~, the later one first."""
    place = {name: i for i, name in enumerate(names) if name not in others}
    pairs = {
        (max(place[lhs], place[rhs]), min(place[lhs], place[rhs]))
        for op, lhs, rhs in said
        if op == "~~" and lhs != rhs and lhs in place and rhs in place
    }
    return sorted(pairs)


def _bounds(
    tables: list[list[Row]], places: list[Indices], size: int
) -> tuple[Floats, Floats, Floats]:
    """Return bounds and given starting values of the free parameters."""
    lower, upper = np.full(size, -np.inf), np.full(size, np.inf)
    starts = np.full(size, np.nan)
    for rows, place in zip(tables, places, strict=True):
        for row, at in zip(rows, place.tolist(), strict=True):
            if at < 0:
                continue
            lower[at], upper[at] = max(lower[at], row.lower), min(upper[at], row.upper)
            if row.start is not None:
                starts[at] = row.start
    return lower, upper, starts


def _matrices(model: Model, rows: list[Row]) -> Matrices:
    """Fill the fixed cells."""
    items, constructs = len(model.items), len(model.constructs)
    made = Matrices(
        np.zeros((items, constructs)),
        np.zeros((constructs, constructs)),
        np.zeros((constructs, constructs)),
        np.zeros((items, items)),
        np.zeros(items),
        np.zeros(constructs),
    )
    for i, j in enumerate(model.owner.tolist()):
        made.loadings[i, j] = float(model.construct_names[j] in model.observed)
    for row in rows:
        if row.fixed is None or not row.fixed:
            continue
        matrix = made[KINDS.index(row.kind)]
        if row.kind in ("intercepts", "means"):
            matrix[row.at[0]] = row.fixed
            continue
        matrix[row.at] = row.fixed
        if row.kind in ("covariances", "errors"):
            matrix[row.at[::-1]] = row.fixed
    return made
