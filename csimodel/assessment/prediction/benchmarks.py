"""The methods that predictions are compared by: the path model, regressions on items, averages."""

from __future__ import annotations

from collections.abc import Sequence
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
    sd = solution.moments.sd
    with np.errstate(invalid="ignore", divide="ignore"):
        half = np.ascontiguousarray(solution.moments.cov) / sd[..., None]
        cor = half / sd[..., None, :]
    slopes = np.zeros((*cor.shape[:-1], len(places)))
    targets = np.flatnonzero(explained(model))
    each, alike = np.unique(antecedents(model, technique)[targets], axis=0, return_inverse=True)
    for place, sources in enumerate(each):
        inputs = np.flatnonzero(sources[model.owner])
        own = targets[alike.reshape(-1) == place]
        columns = np.flatnonzero(np.isin(model.owner[places], own))
        among = inputs[:, None]
        between = cor[..., among, inputs]
        unknown = ~np.isfinite(between).all(axis=(-2, -1))
        between[unknown] = np.eye(len(inputs))
        with np.errstate(invalid="ignore", divide="ignore"):
            values = inverse_of(between) @ half[..., among, places[columns]]
            values /= sd[..., inputs, None]
        values[unknown] = np.nan
        slopes[..., among, columns] = values
    return slopes


def slopes_of(solution: Solution, methods: Sequence[Method]) -> Floats:
    """Return the slopes of methods, 0 of the average, (..., items, methods, items predicted)."""
    model = solution.model
    shape = len(model.items), len(methods), len(predicted_items(model))
    slopes = np.zeros((*solution.moments.batch_shape, *shape))
    for place, method in enumerate(methods):
        technique = technique_of(method)
        if technique is not None:
            kind = path_slopes if method.startswith("pls") else regression_slopes
            slopes[..., place, :] = kind(solution, technique)
    return slopes


def inputs_of(model: Model, methods: Sequence[Method]) -> Truths:
    """Return the items whose answers predictions need, (items, methods, items predicted)."""
    owner = model.owner
    inputs = np.zeros((len(owner), len(methods), len(predicted_items(model))), dtype=np.bool_)
    for place, method in enumerate(methods):
        technique = technique_of(method)
        if technique is not None:
            sources = antecedents(model, technique)
            inputs[:, place] = sources[owner[predicted_items(model)]].T[owner]
    return inputs


def method_of(kind: str, technique: Technique) -> Method:
    """Return the method of a kind, ``"pls"``, ``"lm"`` or ``"average"``, from these antecedents.

    >>> method_of("lm", "earliest"), method_of("average", "direct")
    ('lm-earliest', 'average')
    """
    return next(own for own in METHODS if own in (kind, f"{kind}-{technique}"))


def technique_of(method: Method) -> Technique | None:
    """Return which antecedents a method predicts from; None of the average.

    >>> technique_of("lm-earliest"), technique_of("average")
    ('earliest', None)
    """
    return next((own for own in TECHNIQUES if method.endswith(own)), None)
