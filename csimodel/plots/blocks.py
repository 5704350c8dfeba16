"""The item boxes of a construct: four ways to fan them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csimodel.plots.labels import Array

SIDES = ("above", "below", "left", "right")

_FAN = 36.0  # length of the fan of arrows between an ellipse and its row of boxes, points
_REACH = 42.0  # the same to a column beside it; loadings are written along it
_GAP = 4.0


@dataclass(frozen=True)
class ItemBlock:
    """The boxes of one construct on one side of it, in points from its centre.

    Attributes
    ----------
    boxes
        Rectangles, (items, 4): left, bottom, right, top.
    anchors
        Where the arrow meets each box, (items, 2).
    extent
        The rectangle that holds boxes and arrows, (4,).
    """

    boxes: Array
    anchors: Array
    extent: Array


def fan(width: float, height: float, boxes: Sequence[tuple[float, float]]) -> dict[str, ItemBlock]:
    """Return the block on each side of an ellipse of `width` × `height` points.

    Parameters
    ----------
    width, height
        The ellipse.
    boxes
        Width and height of each item's box.

    Examples
    --------
    >>> block = fan(80, 40, [(30, 14), (30, 14)])["above"]
    >>> block.boxes[:, 0].tolist(), float(block.boxes[0, 1])
    ([-32.0, 2.0], 56.0)
    """
    if not boxes:
        empty = ItemBlock(np.zeros((0, 4)), np.zeros((0, 2)), np.zeros(4))
        return dict.fromkeys(SIDES, empty)
    wide = max(w for w, _ in boxes)
    tall = max(h for _, h in boxes)
    n = len(boxes)
    row = (np.arange(n) - (n - 1) / 2) * (wide + _GAP)
    column = ((n - 1) / 2 - np.arange(n)) * (tall + _GAP)
    half = np.array([-wide / 2, -tall / 2, wide / 2, tall / 2])
    blocks = {}
    for side in SIDES:
        sign = 1.0 if side in ("above", "right") else -1.0
        if side in ("above", "below"):
            away = height / 2 + _FAN + max(0.0, 2.0 * (n - 5))
            centres = np.column_stack([row, np.full(n, sign * (away + tall / 2))])
            anchors = np.column_stack([row, np.full(n, sign * away)])
        else:
            away = width / 2 + _REACH
            centres = np.column_stack([np.full(n, sign * (away + wide / 2)), column])
            anchors = np.column_stack([np.full(n, sign * away), column])
        rectangles = np.tile(centres, 2) + half
        vertical = side in ("above", "below")
        inner = np.array([0.0, sign * height / 2] if vertical else [sign * width / 2, 0.0])
        corners = np.vstack([rectangles[:, :2], rectangles[:, 2:], inner])
        extent = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
        blocks[side] = ItemBlock(rectangles, anchors, extent)
    return blocks
