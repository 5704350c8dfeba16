"""The quantities a solution has, by name: what tables, draws and groups can be asked for.

A quantity says how its entries are labelled and how they are computed from a solution, single or
batched. Other folders add theirs with `register`; nothing but `_ELSEWHERE` has to know of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError, SurveyError, suggest
from csimodel.estimators.solution import Solution
from csimodel.estimators.structural import causal_order
from csimodel.model import Model
from csimodel.options import require_kind

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Quantity:
    """A named set of numbers derived from a solution.

    Attributes
    ----------
    name
        What tables call it.
    labels
        From the model to the labels of its entries.
    values
        From a solution to the entries, (..., entries).
    null
        The value of no effect, against which p-values are computed; None for none.
    resampled
        False when ordinary bootstrap draws say nothing about its error.
    bounds
        The lowest and highest value that it can have, which draws are held to.
    """

    name: str
    labels: Callable[[Model], pd.Index]
    values: Callable[[Solution], Floats]
    null: float | None = 0.0
    resampled: bool = True
    bounds: tuple[float, float] = (-np.inf, np.inf)


_REGISTRY: dict[str, Quantity] = {}
_ELSEWHERE = ("csimodel.assessment", "csimodel.index")  # folders that register theirs when loaded


@checked
def register(quantity: Quantity) -> Quantity:
    """Make a quantity available by its name.

    Raises
    ------
    OptionError
        For anything that is no `Quantity`.
    """
    way_out = "make one with csi.Quantity(name, labels, function)"
    quantity = require_kind("quantity", quantity, Quantity, way_out)
    _REGISTRY[quantity.name] = quantity
    return quantity


def registered() -> Mapping[str, Quantity]:
    """Return all quantities by name, those of other folders too."""
    for folder in _ELSEWHERE:
        import_module(folder)
    return _REGISTRY


def find(quantity: str | Quantity) -> Quantity:
    """Return a quantity by name, or as it is.

    Raises
    ------
    OptionError
        For an unknown name, with the nearest spelling, or more than one name.
    """
    if isinstance(quantity, Quantity):
        return quantity
    if not isinstance(quantity, str):
        raise OptionError(f"The quantity {quantity!r} is not a name; give one, such as 'paths'.")
    if quantity not in _REGISTRY and quantity not in registered():
        raise OptionError(
            f"There is no quantity {quantity!r}{suggest(quantity, _REGISTRY)}; "
            f"use one of {', '.join(_REGISTRY)}."
        )
    return _REGISTRY[quantity]


def bounded(solution: Solution) -> Iterator[Quantity]:
    """Return the quantities with bounds that this solution has."""
    for quantity in registered().values():
        if np.isfinite(quantity.bounds).all():
            try:
                quantity.values(solution)
            except SurveyError:  # no scale, no index
                continue
            yield quantity


def by_construct(model: Model) -> pd.Index:
    """Label one entry a construct."""
    return pd.Index(model.construct_names, name="construct")


def by_target(model: Model) -> pd.Index:
    """Label one entry an endogenous construct."""
    return pd.Index(model.endogenous, name="construct")


def by_item(model: Model) -> pd.MultiIndex:
    """Label one entry an item, (item, construct)."""
    owners = [model.construct_names[j] for j in model.owner]
    return pd.MultiIndex.from_arrays([list(model.items), owners], names=["item", "construct"])


def by_loading(model: Model) -> pd.MultiIndex:
    """Label one entry a loading, (item, construct); an item of several constructs has several."""
    if not model.shared_items:
        return by_item(model)
    pairs = [(item, c.name) for c in model.constructs for item in c.items]
    return pd.MultiIndex.from_tuples(pairs, names=["item", "construct"])


def _loadings(solution: Solution) -> Floats:
    model = solution.model
    if not model.shared_items:
        return solution.estimates.loadings
    from csimodel.estimators.covariance.parameters import loading_matrix

    place = {item: i for i, item in enumerate(model.items)}
    cells = [(place[item], j) for j, c in enumerate(model.constructs) for item in c.items]
    row, column = np.array(cells).T
    return np.asarray(loading_matrix(solution)[..., row, column])


def matrix_entries(mask: Callable[[Model], NDArray[np.bool_]]) -> Callable[[Model], pd.MultiIndex]:
    """Label one entry a marked cell of a targets × sources matrix, (target, source)."""

    def labels(model: Model) -> pd.MultiIndex:
        names = np.array(model.construct_names, dtype=object)
        row, column = np.nonzero(mask(model))
        return pd.MultiIndex.from_arrays(
            [names[row].tolist(), names[column].tolist()], names=["target", "source"]
        )

    return labels


def pairs_of_constructs(model: Model) -> pd.MultiIndex:
    """Label one entry a pair of constructs, lower triangle row by row."""
    return _pairs(model, *np.tril_indices(len(model.constructs), -1))


def places_told_apart(model: Model) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows and columns of the pairs that should differ, lower triangle row by row.

    All, but a product and anything, and a part and its whole.
    """
    row, column = np.nonzero(np.tril(model.apart))
    return row, column


def pairs_told_apart(model: Model) -> pd.MultiIndex:
    """Label one entry a pair of constructs that should differ, lower triangle row by row."""
    return _pairs(model, *places_told_apart(model))


def _pairs(model: Model, row: NDArray[np.intp], column: NDArray[np.intp]) -> pd.MultiIndex:
    names = np.array(model.construct_names, dtype=object)
    return pd.MultiIndex.from_arrays(
        [names[row].tolist(), names[column].tolist()], names=["construct", "other"]
    )


def reachable(model: Model) -> NDArray[np.bool_]:
    """Mark where the column's construct affects the row's, directly or through others."""
    reach = model.adjacency.copy()
    for target in causal_order(model):
        reach[target] |= reach[model.adjacency[target]].any(axis=0)
    return reach


def indirectly_reachable(model: Model) -> NDArray[np.bool_]:
    """Mark where the column's construct affects the row's through another."""
    return np.asarray(model.adjacency @ reachable(model))


def _cells(mask: Callable[[Model], NDArray[np.bool_]], matrix: Floats, model: Model) -> Floats:
    row, column = np.nonzero(mask(model))
    return np.asarray(matrix[..., row, column])


def _adjacency(model: Model) -> NDArray[np.bool_]:
    return model.adjacency


def _endogenous(values: Floats, model: Model) -> Floats:
    return np.asarray(values[..., model.adjacency.any(axis=1)])


def lower_triangle(matrix: Floats) -> Floats:
    """Return the cells below the diagonal, (..., pairs)."""
    row, column = np.tril_indices(matrix.shape[-1], -1)
    return np.asarray(matrix[..., row, column])


register(
    Quantity(
        "paths",
        matrix_entries(_adjacency),
        lambda s: _cells(_adjacency, s.estimates.paths, s.model),
    )
)
register(Quantity("loadings", by_loading, lambda s: _loadings(s)))
register(Quantity("weights", by_item, lambda s: s.estimates.weights))
register(Quantity("unstandardized_weights", by_item, lambda s: s.index_weights))
register(Quantity("r2", by_target, lambda s: _endogenous(s.r2, s.model), null=None))
register(
    Quantity("r2_adjusted", by_target, lambda s: _endogenous(s.r2_adjusted, s.model), null=None)
)
register(
    Quantity(
        "total_effects",
        matrix_entries(reachable),
        lambda s: _cells(reachable, s.total_effects, s.model),
    )
)
register(
    Quantity(
        "indirect_effects",
        matrix_entries(indirectly_reachable),
        lambda s: _cells(indirectly_reachable, s.indirect_effects, s.model),
    )
)
register(
    Quantity(
        "construct_cor", pairs_of_constructs, lambda s: lower_triangle(s.estimates.construct_cor)
    )
)
