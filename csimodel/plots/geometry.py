"""Segments, and what they pass."""

from __future__ import annotations

import numpy as np

from csimodel.plots.labels import Array
from csimodel.plots.layers import Integers


def inside_length(start: Array, end: Array, boxes: Array) -> Array:
    """Return how much of each segment lies inside each rectangle, points.

    Examples
    --------
    >>> box = np.array([1.0, -1, 3, 1])
    >>> float(inside_length(np.array([0.0, 0]), np.array([4.0, 0]), box))
    2.0
    """
    step = end - start
    step = np.where(np.abs(step) < 1e-9, 1e-9, step)
    enter = (boxes[..., :2] - start) / step
    leave = (boxes[..., 2:] - start) / step
    first = np.minimum(enter, leave).max(axis=-1)
    last = np.maximum(enter, leave).min(axis=-1)
    share = np.clip(np.minimum(last, 1) - np.maximum(first, 0), 0, None)
    length: Array = share * np.hypot(step[..., 0], step[..., 1])
    return length


def crossings(start: Array, end: Array, pairs: Integers) -> Array:
    """Return how many of the `pairs` of segments cross, for each layout of a batch.

    Examples
    --------
    >>> start = np.array([[[0.0, 0.0], [0.0, 1.0]]])
    >>> end = np.array([[[1.0, 1.0], [1.0, 0.0]]])
    >>> crossings(start, end, np.array([[0, 1]])).tolist()
    [1]
    """
    i, j = pairs.T

    def side(a: Array, b: Array, c: Array) -> Array:
        u, v = b - a, c - a
        turned: Array = u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
        return turned

    a, b, c, d = start[:, i], end[:, i], start[:, j], end[:, j]
    cross = (side(a, b, c) * side(a, b, d) < 0) & (side(c, d, a) * side(c, d, b) < 0)
    counted: Array = cross.sum(axis=1)
    return counted
