"""Ordered answers: how likely each is at a level of the index, and the answer to expect."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from csimodel.repurchase.chain import Chain
from csimodel.repurchase.regression import Regression

Floats = NDArray[np.float64]


def reached(regression: Regression, moved: int, levels: Floats) -> tuple[Floats, Floats]:
    """Return ``P(answer ≥ j)`` of every category but the lowest, averaged over the sample.

    Returns
    -------
    (levels, categories - 1), and gradients by thresholds and slopes,
    (levels, categories - 1, parameters).
    """
    family, share = regression.family, regression.sample.share
    thresholds = regression.further
    assert thresholds is not None
    bounds = len(thresholds)
    values = np.empty((len(levels), bounds))
    gradients = np.zeros((len(levels), bounds, bounds + len(regression.coefficients) - 1))
    for place, (X, _) in enumerate(regression.at_levels(moved, levels)):
        eta = (X[:, 1:] @ regression.coefficients[1:])[:, None] - thresholds
        dense = share[:, None] * family.slope(eta)
        values[place] = share @ family.mean(eta)
        gradients[place, :, :bounds] = -np.diag(dense.sum(axis=0))
        gradients[place, :, bounds:] = dense.T @ X[:, 1:]
    return values, gradients


def reached_in_draws(chain: Chain, moved: int, levels: Floats) -> Floats:
    """Return the same in the usable draws, (draws, levels, categories - 1)."""
    assert chain.further is not None
    return chain.predictions_from(-chain.further, moved, levels)


def shares(up: Floats) -> Floats:
    """Turn ``P(answer ≥ j)`` into the probability of each answer, along the last axis."""
    ones = np.ones((*up.shape[:-1], 1))
    return -np.diff(np.concatenate([ones, up, 0.0 * ones], axis=-1), axis=-1)


def expected(up: Floats, categories: Floats) -> Floats:
    """Turn ``P(answer ≥ j)`` into the expected answer, along the last axis."""
    return np.asarray(categories[0] + up @ np.diff(categories))


def gradients_of_shares(up: Floats) -> Floats:
    """Turn gradients of ``P(answer ≥ j)``, (…, categories - 1, any), into those of the shares."""
    edge = np.zeros((*up.shape[:-2], 1, up.shape[-1]))
    return -np.diff(np.concatenate([edge, up, edge], axis=-2), axis=-2)


def threshold_names(categories: Floats) -> list[str]:
    """Return what tables call the thresholds, such as ``1|2``.

    >>> threshold_names(np.array([1.0, 2.0, 5.0]))
    ['1|2', '2|5']
    """
    return [f"{low:g}|{high:g}" for low, high in pairwise(categories)]
