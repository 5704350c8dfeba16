"""The methods that predictions are compared by: the path model, regressions on items, averages."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators import Solution
from csimodel.estimators.predictors import (
    TECHNIQUES,
    Technique,
    antecedents,
    explained,
    path_slopes,
    predicted_items,
)
from csimodel.estimators.weighting import inverse_of
from csimodel.model import Model

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]

Method = Literal["pls-direct", "pls-earliest", "lm-direct", "lm-earliest", "average"]
METHODS: tuple[Method, ...] = get_args(Method)


def regression_slopes(solution: Solution, technique: Technique) -> Floats:
    """Return slopes by least squares on the items of the antecedents, (..., items, predicted).

    NaN where these items carry the same information, or one does not vary.
    """
    model, places = solution.model, predicted_items(solution.model)
    cov, sd = solution.moments.cov, solution.moments.sd
    slopes = np.zeros((*cov.shape[:-1], len(places)))
    sources = antecedents(model, technique)
    for target in np.flatnonzero(explained(model)):
        inputs = np.flatnonzero(sources[target, model.owner])
        columns = np.flatnonzero(model.owner[places] == target)
        scale = sd[..., inputs]
        with np.errstate(invalid="ignore", divide="ignore"):
            between = cov[..., inputs[:, None], inputs] / scale[..., None] / scale[..., None, :]
        known = np.asarray(np.isfinite(between).all(axis=(-2, -1)))[..., None, None]
        inverse = inverse_of(np.where(known, between, np.eye(len(inputs))))
        with np.errstate(invalid="ignore", divide="ignore"):
            sides = cov[..., inputs[:, None], places[columns]] / scale[..., None]
            own = inverse @ sides / scale[..., None]
        slopes[..., inputs[:, None], columns] = np.where(known, own, np.nan)
    return slopes


def slopes_of(solution: Solution) -> Floats:
    """Return the slopes of all methods but the average, (..., items, 4, items predicted)."""
    each = [
        path_slopes(solution, "direct"),
        path_slopes(solution, "earliest"),
        regression_slopes(solution, "direct"),
        regression_slopes(solution, "earliest"),
    ]
    return np.stack(each, axis=-2)


def inputs_of(model: Model) -> Truths:
    """Return the items whose answers each prediction needs, (items, 4, items predicted)."""
    places = predicted_items(model)
    own = [antecedents(model, technique).T[model.owner][:, model.owner[places]]
           for technique in TECHNIQUES]  # fmt: skip
    return np.stack(own * 2, axis=1)
