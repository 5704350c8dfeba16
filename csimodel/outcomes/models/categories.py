"""Ordered answers: how likely each is at a level of the index, and the answer to expect."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.models.averages import Averages, OfRows
from csimodel.outcomes.models.draws import RegressionDraws
from csimodel.outcomes.models.regression import Regression

Floats = NDArray[np.float64]


def reached(regression: Regression, moved: int, levels: Floats) -> Averages:
    """Return ``P(answer ≥ j)`` of every category but the lowest, averaged over the sample.

    Levels times categories less one; the gradient is by thresholds and slopes.
    """
    kernel = regression.kernel
    bounds = kernel.extra

    def of(X: Floats, j: int) -> OfRows:
        at = regression.predict(X)
        return lambda b: at(np.column_stack([-b[:, j], b[:, bounds:]]))

    functions = [of(X, j) for X, _ in regression.at_levels(moved, levels) for j in range(bounds)]
    variances = np.diagonal(regression.joint_covariance)
    return Averages.of(functions, kernel.start, variances, regression.sample.share)


def reached_in_draws(draws: RegressionDraws, moved: int, levels: Floats) -> Floats:
    """Return the same in the usable draws, (draws, levels, categories - 1)."""
    assert draws.further is not None
    return draws.predictions_from(-draws.further, moved, levels)


def shares_matrix(bounds: int) -> Floats:
    """Return how the probability of each answer but for a constant follows from `reached`.

    >>> shares_matrix(2).tolist()
    [[-1.0, 0.0], [1.0, -1.0], [0.0, 1.0]]
    """
    return np.eye(bounds + 1, bounds, -1) - np.eye(bounds + 1, bounds)


def shares(up: Floats) -> Floats:
    """Turn ``P(answer ≥ j)`` into the probability of each answer, along the last axis."""
    ones = np.ones((*up.shape[:-1], 1))
    return -np.diff(np.concatenate([ones, up, 0.0 * ones], axis=-1), axis=-1)


def expected(up: Floats, categories: Floats) -> Floats:
    """Turn ``P(answer ≥ j)`` into the expected answer, along the last axis."""
    return np.asarray(categories[0] + up @ np.diff(categories))


def threshold_names(categories: Floats) -> list[str]:
    """Return what tables call the thresholds, such as ``1|2``.

    >>> threshold_names(np.array([1.0, 2.0, 5.0]))
    ['1|2', '2|5']
    """
    return [f"{low:g}|{high:g}" for low, high in pairwise(categories)]
