"""Segments, and what they pass."""

from __future__ import annotations

import numpy as np

from csimodel.plots.labels import Array


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
