"""Arrows between constructs: straight where that is free, bent around what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csimodel.plots.geometry import inside_length
from csimodel.plots.labels import Array, Label, points_inside
from csimodel.plots.layers import Integers

_BENDS = tuple(sign * size for size in (14, 26, 40, 56, 74, 94, 116, 140, 170) for sign in (1, -1))
_BEND_COST = 0.18  # of a point
_SPOTS = np.linspace(0, 1, 15)
_NEAR = 6.0  # points between two arrows that seem to be one
_HEAD = 15.0  # length of an arrowhead, points
_CLEARANCE = 4.0  # points between an arrow and what it passes


@dataclass(frozen=True)
class Route:
    """A quadratic Bézier curve from the border of one ellipse to the border of another.

    Attributes
    ----------
    control
        The three control points, (3, 2).
    bend
        How far the middle control point is from the straight line, points; 0 is straight.
    """

    control: Array
    bend: float

    def strokes(self) -> Array:
        """Return points along the curve, about every 3 points of length."""
        length = float(np.hypot(*(self.control[2] - self.control[0])))
        return self.points(np.linspace(0.0, 1.0, 2 + int(length / 3)))

    def points(self, spots: Sequence[float] | Array) -> Array:
        """Return the points of the curve at `spots` between 0 and 1, (spots, 2)."""
        t = np.asarray(spots, dtype=float)[:, None]
        a, b, c = self.control
        curve: Array = (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c
        return curve


def route(centres: Array, sizes: Array, edges: Integers, extents: Array) -> list[Route]:
    """Route every arrow.

    Parameters
    ----------
    centres, sizes
        Of the ellipses, (constructs, 2), points.
    edges
        (arrows, 2): source, target.
    extents
        Rectangles of the item blocks, (blocks, 4), that arrows should not pass.

    Examples
    --------
    >>> centres = np.array([[0.0, 0], [100, 0], [200, 0]])
    >>> edges = np.array([[0, 1], [1, 2], [0, 2]])
    >>> routes = route(centres, np.full((3, 2), 40.0), edges, np.zeros((0, 4)))
    >>> [route.bend != 0 for route in routes]
    [False, False, True]
    """
    half = sizes / 2 + _CLEARANCE
    ellipses = np.concatenate([centres - half, centres + half], axis=1)
    routes: list[Route] = []
    placed = np.empty((len(edges), len(_SPOTS), 2))
    for source, target in edges:
        others = np.delete(ellipses, [source, target], axis=0)
        best = _curve(centres, sizes, int(source), int(target), 0.0)
        best_cost = _cost(best, others, extents, placed[:0], np.inf)
        for bend in _BENDS if best_cost >= 1 else ():
            if _BEND_COST * abs(bend) >= best_cost:
                break
            candidate = _curve(centres, sizes, int(source), int(target), bend)
            cost = _cost(candidate, others, extents, placed[: len(routes)], best_cost)
            if cost < best_cost - 1e-9:
                best, best_cost = candidate, cost
        placed[len(routes)] = best.points(_SPOTS)
        routes.append(best)
    return routes


def _curve(centres: Array, sizes: Array, source: int, target: int, bend: float) -> Route:
    start, end = centres[source], centres[target]
    along = end - start
    across = np.array([-along[1], along[0]]) / np.hypot(*along)
    middle = (start + end) / 2 + 2 * across * bend
    a = border(start, sizes[source], middle if bend else end, 0.5)
    c = border(end, sizes[target], middle if bend else start, 2.0)
    b = middle if bend else (a + c) / 2
    return Route(np.array([a, b, c]), bend)


def border(centre: Array, size: Array, towards: Array, gap: float = 0.0) -> Array:
    """Return where the ray from `centre` towards a point leaves an ellipse of `size`.

    Examples
    --------
    >>> border(np.zeros(2), np.array([40.0, 20.0]), np.array([100.0, 0.0])).tolist()
    [20.0, 0.0]
    """
    ray = towards - centre
    reach = 1 / np.hypot(*(ray / (size / 2)))
    on_border: Array = centre + ray * reach + ray / np.hypot(*ray) * gap
    return on_border


def _cost(arrow: Route, ellipses: Array, extents: Array, placed: Array, limit: float) -> float:
    """Return the cost of a route, or of a part of it that is not below a limit already."""
    points = arrow.points(_SPOTS)
    cost = _BEND_COST * abs(arrow.bend)
    for boxes, weight in ((ellipses, 10.0), (extents, 1.0)):  # items are the lesser evil
        inside = inside_length(points[:-1, None], points[1:, None], boxes[None]).sum()
        cost += weight * (20.0 * (inside > 0) + 5.0 * inside)
    if arrow.bend and cost < limit:
        # A bend must not trade an ellipse for running along another arrow.
        inner = points[3:-1]
        low, high = inner.min(axis=0) - _NEAR, inner.max(axis=0) + _NEAR
        close = ((placed > low) & (placed < high)).all(axis=-1).any(axis=-1)
        near = np.hypot(*np.moveaxis(placed[close][:, None] - inner[:, None], -1, 0)) < _NEAR
        cost += 2.0 * near.any(axis=-1).sum()
    return float(cost)


def label_of(arrow: Route, size: tuple[float, float], strokes: Array) -> Label:
    """Return the label of an arrow: on its inner part, near its middle, off other strokes.

    Parameters
    ----------
    arrow
        The arrow.
    size
        Width and height of the label, points.
    strokes
        Points along all other lines of the drawing, (points, 2).

    Examples
    --------
    >>> straight = Route(np.array([[0.0, 0], [50, 0], [100, 0]]), 0.0)
    >>> label = label_of(straight, (20.0, 8.0), np.zeros((0, 2)))
    >>> label.centres[label.costs.argmin()].tolist()
    [46.0, 0.0]
    """
    spots = np.linspace(0.16, 0.84, 35)
    label = Label(size, arrow.points(spots), 20.0 * np.abs(spots - 0.45))
    grown = label.boxes() + np.array([-2.0, -2.0, 2.0, 2.0])
    costs = label.costs + 4.0 * points_inside(grown, strokes)
    length = float(np.hypot(*(arrow.control[2] - arrow.control[0])))
    # The head of the arrow stays in sight, also where the arrow is short.
    head = arrow.points([max(0.5, 1 - _HEAD / length)])
    return Label(size, label.centres, costs + 25.0 * points_inside(label.boxes(), head))
