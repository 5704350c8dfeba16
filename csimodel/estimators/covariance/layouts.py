"""From a model to the layouts of its covariance structure, one a group of respondents."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import ModelError
from csimodel.estimators.covariance.equality import equal_between_groups, fixed_together
from csimodel.estimators.covariance.layout import (
    KINDS,
    ORDER,
    Composite,
    Dependent,
    Matrices,
    ParameterLayout,
    ResponseLevels,
)
from csimodel.estimators.covariance.response_rows import response_rows
from csimodel.estimators.covariance.rows import Row, rows_of
from csimodel.model import Model
from csimodel.model.restrictions import eliminated

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@lru_cache(maxsize=64)
def layouts_of(
    model: Model,
    scaling: str = "marker",
    means: bool = False,
    ordered: tuple[str, ...] = (),
    groups: int = 1,
    equal: tuple[str, ...] = (),
    free: tuple[str, ...] = (),
    held: bool = True,
    thresholds: tuple[int, ...] = (),
) -> tuple[ParameterLayout, ...]:
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
    held
        Whether the covariances of a composite's items are those of the sample, or free.
    thresholds
        Of each item, 0 where it is continuous: they are modelled. Empty where they are not.
    """
    means = means or any(parameter.op == "~1" for parameter in model.parameters)
    tables = [
        list(rows_of(model, scaling, means, ordered, group, equal)) for group in range(groups)
    ]
    if thresholds:
        tables = [
            response_rows(model, rows, thresholds, group, equal, free, scaling)
            for group, rows in enumerate(tables)
        ]
    keys = [[_key(row, group, equal, free) for row in rows] for group, rows in enumerate(tables)]
    tables = fixed_together(tables, keys)
    numbers: dict[object, int] = {}
    places = []
    sums = _sums(model, tables, keys)
    composites = _composites(model, tables[0])
    following = {composite.variance for composite in composites}
    constant = None
    if composites and held:
        within = np.array([row.kind == "within" for row in tables[0]])
        constant = np.where(within, np.cumsum(within) - 1, -1)
        following |= set(np.flatnonzero(within).tolist())
    for rows, own in zip(tables, keys, strict=True):
        place = np.full(len(rows), -1, dtype=np.intp)
        for position in sorted(range(len(rows)), key=lambda at: ORDER.index(rows[at].kind)):
            if position in following:
                continue
            if rows[position].fixed is None and own[position] not in sums:
                place[position] = numbers.setdefault(own[position], len(numbers))
        places.append(place)
    bounds = _bounds(tables, places, len(numbers))
    mask = np.isin(np.array(model.items, dtype=object), np.array(ordered, dtype=object))
    return tuple(
        ParameterLayout(
            tuple(rows),
            place,
            len(numbers),
            _matrices(model, rows),
            means,
            mask,
            *bounds,
            _dependent(sums, own, numbers),
            composites,
            constant,
            _levels(rows, thresholds),
        )
        for rows, place, own in zip(tables, places, keys, strict=True)
    )


def _levels(rows: list[Row], thresholds: tuple[int, ...]) -> ResponseLevels | None:
    """Return where the thresholds of a group stand among its rows, and which items have a mean."""
    if not thresholds:
        return None
    item = np.repeat(np.arange(len(thresholds)), np.maximum(thresholds, 1))
    ordered = np.array(thresholds) > 0
    return ResponseLevels(item, np.full(len(item), -1), ordered).among(rows)


def _composites(model: Model, rows: list[Row]) -> tuple[Composite, ...]:
    """Return the composites and where their parameters stand among the rows."""
    composites = []
    for j, construct in enumerate(model.constructs):
        if construct.kind != "composite":
            continue
        block = model.slices[j]
        items = np.arange(block.start, block.stop)

        def places(kind: str, block: slice = block) -> Indices:
            inside = range(block.start, block.stop)
            own = (r for r, row in enumerate(rows) if row.kind == kind and row.at[0] in inside)
            return np.array(list(own), dtype=np.intp)

        variance = next(
            r for r, row in enumerate(rows) if row.kind == "covariances" and row.at == (j, j)
        )
        composites.append(Composite(j, items, places("weights"), places("within"), variance))
    return tuple(composites)


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
    restricted = {name for restriction in model.restrictions for name in restriction.names}
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
    matrices = Matrices(
        np.zeros((items, constructs)),
        np.zeros((constructs, constructs)),
        np.zeros((constructs, constructs)),
        np.zeros((items, items)),
        np.zeros(items),
        np.zeros(constructs),
    )
    for i, j in enumerate(model.owner.tolist()):
        matrices.loadings[i, j] = float(model.construct_names[j] in model.observed)
    for row in rows:
        if row.fixed is None or row.kind not in KINDS:
            continue
        matrix = matrices[KINDS.index(row.kind)]
        if row.kind in ("intercepts", "means"):
            matrix[row.at[0]] = row.fixed
            continue
        matrix[row.at] = row.fixed
        if row.kind in ("covariances", "errors"):
            matrix[row.at[::-1]] = row.fixed
    return matrices
