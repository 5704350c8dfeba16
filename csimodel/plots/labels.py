"""Rectangles, and labels that keep clear of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Label:
    """A label that has several places to go.

    Attributes
    ----------
    size
        Width and height.
    centres
        Candidate centres, (candidates, 2), best first.
    costs
        What each candidate costs when nothing is in its way, (candidates,).
    """

    size: tuple[float, float]
    centres: Array
    costs: Array

    def boxes(self) -> Array:
        """Return the candidate rectangles, (candidates, 4): left, bottom, right, top."""
        half = np.asarray(self.size) / 2
        return np.concatenate([self.centres - half, self.centres + half], axis=1)


def overlap(first: Array, second: Array) -> Array:
    """Return the areas shared by rectangles (…, 4): left, bottom, right, top.

    Examples
    --------
    >>> overlap(np.array([0.0, 0, 2, 2]), np.array([[1.0, 1, 3, 3], [2, 0, 3, 1]])).tolist()
    [1.0, 0.0]
    """
    width = np.minimum(first[..., 2], second[..., 2]) - np.maximum(first[..., 0], second[..., 0])
    height = np.minimum(first[..., 3], second[..., 3]) - np.maximum(first[..., 1], second[..., 1])
    shared: Array = np.clip(width, 0, None) * np.clip(height, 0, None)
    return shared


def place(
    labels: Sequence[Label],
    *,
    obstacles: Array | None = None,
    pad: float = 1.0,
    sweeps: int = 12,
) -> list[int]:
    """Choose a candidate for every label so that labels and obstacles stay apart.

    Each label in turn moves to its cheapest candidate given where the others are, until
    none wants to move. The answer depends on nothing but the arguments.

    Parameters
    ----------
    labels
        The labels with their candidates.
    obstacles
        Rectangles nothing should touch, (rectangles, 4).
    pad
        Space kept around every label.
    sweeps
        How often every label may move.

    Returns
    -------
    list of int
        The index of the chosen candidate of each label.

    Examples
    --------
    >>> here = np.array([[0.0, 0.0], [0.0, 5.0]])
    >>> both = [Label((4.0, 2.0), here, np.array([0.0, 1.0]))] * 2
    >>> sorted(place(both))
    [0, 1]
    """
    boxes = [label.boxes() + np.array([-pad, -pad, pad, pad]) for label in labels]
    fixed = [
        label.costs + _obstructed(candidates, obstacles)
        for label, candidates in zip(labels, boxes, strict=True)
    ]
    chosen = [int(np.argmin(cost)) for cost in fixed]
    for _ in range(sweeps):
        moved = False
        for i, candidates in enumerate(boxes):
            others = np.array([boxes[j][k] for j, k in enumerate(chosen) if j != i]).reshape(-1, 4)
            shared = overlap(candidates[:, None, :], others[None, :, :])
            cost = fixed[i] + ((shared > 0) * 60.0 + shared).sum(axis=1)
            best = int(np.argmin(cost))
            moved |= best != chosen[i]
            chosen[i] = best
        if not moved:
            break
    return chosen


def _obstructed(boxes: Array, obstacles: Array | None) -> Array:
    if obstacles is None or not len(obstacles):
        return np.zeros(len(boxes))
    shared = overlap(boxes[:, None, :], obstacles[None, :, :])
    cost: Array = ((shared > 0) * 60.0 + shared).sum(axis=1)
    return cost


def points_inside(boxes: Array, points: Array) -> Array:
    """Return how many of `points` (points, 2) lie in each of `boxes` (boxes, 4).

    Examples
    --------
    >>> points_inside(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 1], [3, 1]])).tolist()
    [1]
    """
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    x, y = points[((points > low) & (points < high)).all(axis=1)].T
    left, bottom, right, top = boxes.T[:, :, None]
    counted: Array = ((x > left) & (x < right) & (y > bottom) & (y < top)).sum(axis=1)
    return counted
