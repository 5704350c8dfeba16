"""Quantities that a model defines from its labelled parameters, with errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.estimators.covariance.error_columns import error_columns
from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.estimators.covariance.parameters import covariance_structure, errors_of
from csimodel.estimators.quantities import Quantity, register
from csimodel.estimators.solution import Solution
from csimodel.model import Model
from csimodel.model.definitions import evaluate

Floats = NDArray[np.float64]

_STEP = 1e-30  # of the complex step: exact to rounding, since nothing is subtracted


def defined_values(
    model: Model, layouts: Sequence[ParameterLayout], parameters: NDArray[np.generic]
) -> Floats:
    """Return the definitions' values, (..., definitions), for parameters (..., size).

    A label is that of any group.
    """
    if not model.definitions:
        return np.zeros((*parameters.shape[:-1], 0))
    values = {}
    for layout in layouts:
        for row, place in zip(layout.rows, layout.place.tolist(), strict=True):
            if row.label is None or row.label in values:
                continue
            fixed = np.full(parameters.shape[:-1], np.nan if row.fixed is None else row.fixed)
            values[row.label] = fixed if place < 0 else np.asarray(parameters[..., place])
        for dependent in layout.dependent:
            label = layout.rows[dependent.position].label
            assert label is not None
            terms = np.asarray(parameters[..., dependent.places]) * dependent.weights
            values[label] = np.asarray(terms.sum(axis=-1) + dependent.constant)
    by_name = evaluate(model.definitions, values)
    return np.stack([by_name[definition.name] for definition in model.definitions], axis=-1)


def defined_table(
    model: Model,
    layouts: Sequence[ParameterLayout],
    parameters: Floats,
    covariance: Floats,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return definitions with delta-method errors, a row each.

    What rests on fixed values alone has none, as they have: NaN.

    Derivatives are taken by the complex step (Squire and Trapp 1998,
    https://doi.org/10.1137/S003614459631241X).
    """
    estimate = defined_values(model, layouts, parameters)
    moved = parameters + 1j * _STEP * np.eye(len(parameters))
    jacobian = np.imag(defined_values(model, layouts, moved)).T / _STEP
    jacobian = jacobian.reshape(len(estimate), len(parameters))
    se = np.where(jacobian.any(axis=1), errors_of(jacobian, covariance), np.nan)
    columns = error_columns(estimate, se, level, np.asarray(~jacobian.any(axis=1)))
    names = [definition.name for definition in model.definitions]
    return pd.DataFrame({"estimate": estimate, **columns}, pd.Index(names, name="defined"))


def _values(solution: Solution) -> Floats:
    _, estimates = covariance_structure(solution)
    return defined_values(solution.model, (estimates.layout,), estimates.parameters)


register(
    Quantity(
        "defined",
        lambda model: pd.Index(
            [definition.name for definition in model.definitions], name="defined"
        ),
        _values,
    )
)
