"""Which item gives a construct its scale while a minimum is searched: not whichever stands first.

The marker of a construct is a convention (its first item), and a poor one makes the search long: in
small samples two orders of the same items could end at different minima, or one at none. The search
therefore gives each construct the scale of the item that stands for it best in the data, and its
end is put on the scale the model asks for. A construct whose scale is more than a convention
(bounds, labels, starting or fixed values in anything that has it) keeps its marker.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.layout import KINDS, Matrices, ParameterLayout
from csimodel.estimators.covariance.rows import Row
from csimodel.estimators.covariance.structure import implied
from csimodel.model import Model

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_SCALES = ("loadings", "weights")  # kinds of parameters that give a construct its scale
_SAME = 1e-6  # loadings that differ by less, relatively, are one


def reference_items(model: Model, layout: ParameterLayout, start: Floats, cov: Floats) -> Indices:
    """Return each construct's item with the largest standardised loading to start from.

    Of several, as of two items alone, the one that correlates most with all items.

    Parameters
    ----------
    start
        Starting values, (samples, size).
    cov
        Covariances of the items, (samples, items, items).

    Returns
    -------
    Items, (samples, constructs); -1 for constructs that keep their marker.
    """
    chosen = np.full((len(cov), len(model.constructs)), -1, dtype=np.intp)
    sd = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))
    together = ((cov / (sd[:, :, None] * sd[:, None, :])) ** 2).sum(axis=-1)
    loadings = np.abs(implied(layout, np.nan_to_num(start)).loadings) / sd[:, :, None]
    for j, marker in conventional_markers(layout).items():
        items = np.array([marker, *_free_items(layout, j)])
        own = loadings[:, items, j]
        largest = own > own.max(axis=-1, keepdims=True) * (1.0 - _SAME)
        chosen[:, j] = items[np.where(largest, together[:, items], 0.0).argmax(axis=-1)]
    return chosen


@lru_cache(maxsize=64)
def conventional_markers(layout: ParameterLayout) -> dict[int, int]:
    """Return the markers, by construct, whose value is a convention: another would fit the same."""
    shared = Counter(place for place in layout.place.tolist() if place >= 0)
    following = {composite.variance for composite in layout.composites}
    summed = {dependent.position for dependent in layout.dependent}
    places = {int(place) for dependent in layout.dependent for place in dependent.places}
    markers: dict[int, list[int]] = {j: [] for j in range(len(layout.matrices.paths))}
    kept: set[int] = set()
    for position, (row, place) in enumerate(zip(layout.rows, layout.place.tolist(), strict=True)):
        bare = row.label is None and row.start is None
        bare &= not np.isfinite([row.lower, row.upper]).any()
        own = shared[place] == 1 and place not in places and position not in summed
        own |= position in following
        movable = bare and (own if row.fixed is None else row.fixed == 0.0)
        for j in _constructs(row):
            if row.kind in _SCALES and row.fixed and row.label is None:
                markers[j].append(row.at[0])
            elif not movable:
                kept.add(j)
    return {
        j: items[0]
        for j, items in markers.items()
        if j not in kept and len(items) == 1 and _free_items(layout, j)
    }


def _constructs(row: Row) -> tuple[int, ...]:
    """Return the constructs whose scale a row is on."""
    if row.kind in _SCALES:
        return (row.at[1],)
    if row.kind == "means":
        return (row.at[0],)
    return row.at if row.kind in ("paths", "covariances") else ()


@lru_cache(maxsize=1024)
def _free_items(layout: ParameterLayout, construct: int) -> list[int]:
    rows = zip(layout.rows, layout.place.tolist(), strict=True)
    return [
        row.at[0]
        for row, place in rows
        if row.kind in _SCALES and row.at[1] == construct and place >= 0
    ]


@lru_cache(maxsize=64)
def search_layout(layout: ParameterLayout, items: tuple[int, ...]) -> ParameterLayout:
    """Return the layout in which the loadings of reference items are 1, and the markers are free.

    Parameters
    ----------
    items
        One a construct, -1 for those that keep their marker.
    """
    markers = conventional_markers(layout)
    moved = {j: item for j, item in enumerate(items) if item >= 0 and item != markers[j]}
    if not moved:
        return layout
    rows, place = list(layout.rows), layout.place.copy()
    loadings = layout.matrices.loadings.copy()
    for j, item in moved.items():
        at = {row.at: r for r, row in enumerate(rows) if row.kind in _SCALES}
        marker, reference = at[markers[j], j], at[item, j]
        rows[marker] = rows[marker]._replace(fixed=None)
        rows[reference] = rows[reference]._replace(fixed=1.0)
        place[marker], place[reference] = place[reference], -1
        if rows[marker].kind == "loadings":
            loadings[markers[j], j], loadings[item, j] = 0.0, 1.0
    if layout.plain:  # and stays so: free cells are numbered in their order
        order = sorted(np.flatnonzero(place >= 0), key=lambda r: KINDS.index(rows[r].kind))
        place[np.array(order, dtype=np.intp)] = np.arange(layout.size)
    matrices = Matrices(loadings, *layout.matrices[1:])
    return replace(layout, rows=tuple(rows), place=place, matrices=matrices)


def rescaled(to: ParameterLayout, of: ParameterLayout, parameters: Floats) -> Floats:
    """Return parameters of one layout, (samples, size), on the scale of another's markers.

    With Λ = Λ' S, B = S⁻¹ B' S, Ψ = S⁻¹ Ψ' S⁻¹, α = S⁻¹ α' and weights S⁻¹ w', S diagonal, the
    moments are the same; S makes the markers' loadings and weights what the layout says.
    """
    if of is to:
        return parameters
    rows = of.values(parameters)
    markers, constructs, fixed, powers = _markers(to, of)
    own, place, up, down = _powers(to)
    scale = np.ones((len(parameters), len(to.matrices.paths) + 1))  # the last is that of nothing
    values = np.full_like(parameters, np.nan)
    values[:, to.size :] = parameters[:, to.size :]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratios = fixed / rows[:, markers]
        scale[:, constructs] = np.where(powers > 0, ratios, 1.0 / ratios)
        values[:, place] = rows[:, own] * (scale[:, up] / (scale[:, down[0]] * scale[:, down[1]]))
    return values


@lru_cache(maxsize=64)
def _markers(to: ParameterLayout, of: ParameterLayout) -> tuple[Indices, Indices, Floats, Indices]:
    """Return what one layout fixes and the other does not: row, construct, value, power of S.

    The power is 1 for loadings, -1 for weights.
    """
    both = enumerate(zip(to.rows, of.rows, strict=True))
    moved = [at for at, (row, other) in both if row.fixed is not None and other.fixed is None]
    constructs = np.array([to.rows[at].at[1] for at in moved], dtype=np.intp)
    powers = np.array([1 if to.rows[at].kind == "loadings" else -1 for at in moved], dtype=np.intp)
    return np.array(moved, dtype=np.intp), constructs, to.fixed[moved], powers


@lru_cache(maxsize=64)
def _powers(layout: ParameterLayout) -> tuple[Indices, Indices, Indices, Indices]:
    """Return the free rows, their places, and by which constructs' scales they change.

    They are multiplied by one, and divided by two of them: (free,) and (2, free).
    """
    own, none = np.flatnonzero(layout.place >= 0), len(layout.matrices.paths)
    up, down = np.full(len(own), none), np.full((2, len(own)), none)
    for at, row in enumerate(layout.rows[r] for r in own):
        if row.kind in ("loadings", "paths"):
            up[at] = row.at[1]
        if row.kind in ("paths", "covariances", "means"):
            down[0, at] = row.at[0]
        if row.kind == "weights":
            down[0, at] = row.at[1]
        if row.kind == "covariances":
            down[1, at] = row.at[1]
    return own, layout.place[own], up, down
