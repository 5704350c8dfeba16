"""What a reader of a layout would stumble over, priced for many layouts at once.

A cost is a sum of terms of few constructs each: two boxes that overlap, an arrow behind a
box, two arrows that cross or run close together, an arrow that is steep or too short. When
constructs move, only the terms that hold one of them are priced again. Columns do not move,
so that pairs without a common abscissa are never terms. The batch of layouts is the last axis.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.plots.blocks import SIDES, ItemBlock
from csimodel.plots.labels import Array
from csimodel.plots.layers import Integers

STEP = 22.0  # heights are multiples of this, points
_ROOM = 4.5  # free space kept on every side of constructs and item blocks, points
_SHORTEST = 60.0  # points of an arrow that must be seen, so that it can carry its number
_SMALLEST_ANGLE = 0.30  # radians between two arrows at one construct before it costs
_BLOCK = 1 << 17  # terms of layouts that are priced together, to fit a processor's cache
_LEVEL = 1e-6  # rise of an arrow, points, below which it is level


@dataclass(frozen=True)
class Graph:
    """What is to be laid out: ellipse sizes, item blocks and arrows.

    Attributes
    ----------
    sizes
        Width and height of each construct's ellipse, points, (constructs, 2).
    blocks
        For each construct, its item block on each side.
    edges
        Arrows as (source, target) positions, (arrows, 2).
    gap
        Free width between two columns, points.
    """

    sizes: Array
    blocks: Sequence[Mapping[str, ItemBlock]]
    edges: Integers
    gap: float = 30.0


@dataclass(frozen=True)
class Terms:
    """The terms of a cost. Boxes are the ellipses, then the item blocks, in order.

    Attributes
    ----------
    boxes
        Boxes that may overlap, (terms, 2).
    hidden
        An arrow and a box that it may pass behind, (terms, 2).
    crossed
        Arrows without a common construct that may cross, (terms, 2).
    fanned
        Arrows with a common construct, (terms, 2).
    edges
        Arrows, (terms,).
    """

    boxes: Integers
    hidden: Integers
    crossed: Integers
    fanned: Integers
    edges: Integers

    def __len__(self) -> int:
        """Return how many terms there are."""
        return sum(map(len, (self.boxes, self.hidden, self.crossed, self.fanned, self.edges)))

    def parted(self, node: int, count: int) -> tuple[Terms, Terms]:
        """Part the terms of one of `count` constructs: without its items, and of its items."""
        items = (self.boxes == count + node).any(axis=1), self.hidden[:, 1] == count + node
        none = self.edges[:0]
        return (
            replace(self, boxes=self.boxes[~items[0]], hidden=self.hidden[~items[1]]),
            Terms(
                self.boxes[items[0]],
                self.hidden[items[1]],
                self.crossed[:0],
                self.fanned[:0],
                none,
            ),
        )


@dataclass(frozen=True)
class _Boxes:
    """Left, bottom, right and top of the boxes of layouts, points, each (boxes, layouts)."""

    left: Array
    bottom: Array
    right: Array
    top: Array


class Cost:
    """The cost of layouts of `graph` whose constructs stand at the abscissae `x`, points."""

    def __init__(self, graph: Graph, x: Array) -> None:
        self.count = len(graph.sizes)
        self.edges = graph.edges
        half = graph.sizes / 2
        fans = [
            [np.asarray(fan[side].extent, dtype=float) for side in SIDES] for fan in graph.blocks
        ]
        self._ellipse = np.concatenate([-half, half], axis=1)
        self._block = np.array(fans).reshape(self.count, len(SIDES), 4)
        source, target = graph.edges.T
        self._x = x[:, None]
        self._step = (x[target] - x[source])[:, None]
        self._half = (half[source] + half[target])[:, :, None]

    @cached_property
    def terms(self) -> Terms:
        """All terms."""
        x, count, edges = self._x, self.count, self.edges
        left = np.concatenate([self._ellipse[:, 0], self._block[..., 0].min(axis=1)]) - _ROOM
        right = np.concatenate([self._ellipse[:, 2], self._block[..., 2].max(axis=1)]) + _ROOM
        left, right = left + np.tile(x[:, 0], 2), right + np.tile(x[:, 0], 2)
        boxes = _meeting(left, right)
        boxes = boxes[boxes[:, 1] - boxes[:, 0] != count]  # an ellipse and its own items
        start, end = x[edges, 0].T
        hidden = np.argwhere((start[:, None] < right) & (left < end[:, None]))
        hidden = hidden[(edges[hidden[:, 0]] != hidden[:, 1:]).all(axis=1)]
        pairs = _meeting(start, end)
        common = (edges[pairs[:, 0], :, None] == edges[pairs[:, 1], None, :]).any(axis=(1, 2))
        every = np.array(np.triu_indices(len(edges), 1)).T
        shared = (edges[every[:, 0], :, None] == edges[every[:, 1], None, :]).any(axis=(1, 2))
        return Terms(boxes, hidden, pairs[~common], every[shared], np.arange(len(edges)))

    def terms_of(self, node: int) -> Terms:
        """Return the terms that hold a construct."""
        every = self.terms
        own: NDArray[np.bool_] = (self.edges == node).any(axis=1)
        touched = own[every.hidden[:, 0]] | (every.hidden[:, 1] % self.count == node)
        return Terms(
            every.boxes[(every.boxes % self.count == node).any(axis=1)],
            every.hidden[touched],
            every.crossed[own[every.crossed].any(axis=1)],
            every.fanned[own[every.fanned].any(axis=1)],
            np.flatnonzero(own),
        )

    def total(self, level: Array, side: Integers, terms: Terms) -> Array:
        """Return the cost of layouts, (layouts,): of some terms, and of the height of all.

        Parameters
        ----------
        level
            Heights of the constructs in steps, (constructs, layouts).
        side
            Positions in `SIDES` of their items, (constructs, layouts).
        terms
            What is priced.
        """
        return self.extent(level, side) + self.of_terms(level, side, terms)

    def extent(self, level: Array, side: Integers, *, without: int | None = None) -> Array:
        """Return the cost of the paper, (layouts,), without the items of a construct."""
        boxes = self._boxes(level, side)
        if without is not None:
            for edge in (boxes.left, boxes.bottom, boxes.right, boxes.top):
                edge[self.count + without] = edge[without]
        return _extent(boxes)

    def of_terms(self, level: Array, side: Integers, terms: Terms) -> Array:
        """Return the cost of some terms alone, as in `total`."""
        parts = _parts(level, side, len(terms))
        return np.concatenate([self._sum(levels, sides, terms) for levels, sides in parts])

    def _sum(self, level: Array, side: Integers, terms: Terms) -> Array:
        total = np.zeros(level.shape[1])
        for _, prices in self._prices(level, side, self._boxes(level, side), terms):
            total += prices.sum(axis=0)
        return total

    def exchange(self, node: int, level: Array, side: Integers, terms: Terms) -> Array:
        """Return what each construct adds to a cost by an exchange of places with `node`.

        A term that holds both of them counts half, so that the sum of the two constructs'
        additions is the difference that their exchange makes.

        Parameters
        ----------
        node
            One of the two.
        level, side
            As in `total`, with one layout for each start, (constructs, starts).
        terms
            The terms that hold `node`.

        Returns
        -------
        ndarray
            (constructs, starts), of the other construct.
        """
        parts = _parts(level, side, len(terms) * self.count)
        return np.concatenate([self._added(node, *part, terms) for part in parts], axis=1)

    def _added(self, node: int, level: Array, side: Integers, terms: Terms) -> Array:
        count, starts = level.shape
        others = np.arange(count)
        levels = np.repeat(level[:, None], count, axis=1)
        sides = np.repeat(side[:, None], count, axis=1)
        levels[node], levels[others, others] = level, level[node]
        sides[node], sides[others, others] = side, side[node]
        levels, sides = levels.reshape(count, -1), sides.reshape(count, -1)
        boxes = self._boxes(levels, sides)
        extent = _extent(boxes).reshape(count, starts)
        added: Array = 0.5 * (extent - extent[node])
        for members, prices in self._prices(levels, sides, boxes, terms):
            each = prices.reshape(len(prices), count, starts)
            both = (members[:, :, None] == others).any(axis=1)
            added += np.einsum("tc,tcs->cs", 1.0 - 0.5 * both, each - each[:, node, None])
        return added

    def _boxes(self, level: Array, side: Integers) -> _Boxes:
        block = side + len(SIDES) * np.arange(self.count)[:, None]
        y = level * STEP
        edges = np.empty((4, 2 * self.count, y.shape[1]))
        for k, centre in enumerate((self._x, y, self._x, y)):
            edges[k, : self.count] = self._ellipse[:, k, None] + centre
            edges[k, self.count :] = self._block[..., k].ravel().take(block)
            edges[k, self.count :] += centre
        return _Boxes(*edges)

    def _prices(
        self, level: Array, side: Integers, boxes: _Boxes, terms: Terms
    ) -> Iterator[tuple[Integers, Array]]:
        """Yield, by kind, the constructs of each term, (terms, some), and prices."""
        start = level * STEP
        yield terms.boxes % self.count, _overlaps(boxes, terms.boxes)
        for items in (False, True):
            arrow, box = terms.hidden[(terms.hidden[:, 1] >= self.count) == items].T
            members = np.column_stack([self.edges[arrow], box % self.count])
            yield members, self._behind(start, side if items else None, arrow, box)
        members = self.edges[terms.crossed].reshape(-1, 4)
        yield members, self._crossings(start, *terms.crossed.T)
        members = self.edges[terms.fanned].reshape(-1, 4)
        yield members, self._narrow(start, *terms.fanned.T)
        yield self.edges[terms.edges], self._length(start, terms.edges)

    def _rise(self, y: Array, arrow: Integers) -> tuple[Array, Array]:
        source, target = self.edges[arrow].T
        start = y[source]
        return start, y[target] - start

    @cached_property
    def _windows(self) -> Array:
        """Where arrows pass boxes, (4, arrows, boxes, sides).

        Middle and half of the part of the arrow that is over the box, and the middle and half
        of the height of the box, from its construct, points.
        """
        ellipses = np.repeat(self._ellipse[:, None], len(SIDES), axis=1)
        left, bottom, right, top = np.moveaxis(np.concatenate([ellipses, self._block]), -1, 0)
        away = np.concatenate([self._x, self._x]) - self._x[self.edges[:, 0], None]
        run = self._step[:, None]
        enter = np.maximum((away + left - _ROOM) / run, 0.0)
        leave = np.minimum((away + right + _ROOM) / run, 1.0)
        middle, half = (bottom + top) / 2, (top - bottom) / 2 + _ROOM
        over = (enter + leave) / 2, np.maximum(leave - enter, 0.0) / 2
        return np.stack([*over, *np.broadcast_arrays(middle, half, over[0])[:2]])

    def _behind(self, y: Array, side: Integers | None, arrow: Integers, box: Integers) -> Array:
        """Charge the parts of arrows that lie inside ellipses, or inside item blocks by side."""
        windows = self._windows[:, arrow, box]
        if side is None:
            windows = windows[..., :1]
        else:
            spot = side[box - self.count] + len(SIDES) * np.arange(len(box))[:, None]
            windows = windows.reshape(4, -1).take(spot, axis=1)
        part, half_part, centre, half = windows
        start, rise = self._rise(y, arrow)
        away = start + part * rise - y[box % self.count] - centre
        spread = half_part * np.abs(rise)
        prices = np.zeros(away.shape)
        at = np.nonzero(np.abs(away) < half + spread)
        away, spread, rise = away[at], spread[at], rise[at]
        half_part, half = (np.broadcast_to(array, prices.shape)[at] for array in (half_part, half))
        low, high = away - spread, away + spread + _LEVEL
        inside = (np.minimum(high, half) - np.maximum(low, -half)) / (high - low)
        inside = (
            np.maximum(inside, 0.0) * 2 * half_part * np.hypot(self._step[arrow[at[0]], 0], rise)
        )
        prices[at] = (inside > 0) * 260.0 + 3.0 * inside
        return prices

    def _crossings(self, y: Array, first: Integers, second: Integers) -> Array:
        """Charge arrows that change sides over the abscissae that they have in common."""
        (a, rise), (b, climb) = self._rise(y, first), self._rise(y, second)
        x, run, walk = self._x[self.edges[:, 0]], self._step[first], self._step[second]
        gap = x[second] - x[first]
        begin = np.maximum(gap, 0.0)
        end = np.minimum(run, gap + walk)
        left = a + begin / run * rise - b - (begin - gap) / walk * climb
        right = a + end / run * rise - b - (end - gap) / walk * climb
        charged: Array = 45.0 * (left * right < 0)
        return charged

    def _narrow(self, y: Array, first: Integers, second: Integers) -> Array:
        """Charge pairs of arrows that leave or reach a construct in nearly one direction."""
        arrows, place = np.unique(np.stack([first, second]), return_inverse=True)
        arrow, partner = np.reshape(place, (2, -1))
        slope = np.arctan2(self._rise(y, arrows)[1], self._step[arrows])
        angle = np.abs(slope[arrow] - slope[partner])
        alike = (self.edges[first] == self.edges[second]).any(axis=1)[:, None]
        angle = np.where(alike, angle, np.pi - angle)
        charged: Array = 500.0 * np.maximum(_SMALLEST_ANGLE - angle, 0.0)
        return charged

    def _length(self, y: Array, arrow: Integers) -> Array:
        """Charge steep arrows, and arrows too short to carry a number."""
        rise = np.abs(self._rise(y, arrow)[1])
        run, half = self._step[arrow], self._half[arrow]
        distance = np.hypot(run, rise)
        covered = distance / np.hypot(run / half[:, 0], rise / half[:, 1])
        short = np.maximum(_SHORTEST - (distance - covered), 0.0)
        charged: Array = 0.25 * rise + 25.0 * short
        return charged


def _parts(level: Array, side: Integers, terms: int) -> Iterator[tuple[Array, Integers]]:
    """Yield layouts, a part at a time, for which a processor's cache holds what is computed."""
    parts = max(1, min(level.shape[1], terms * level.shape[1] // _BLOCK))
    yield from zip(
        np.array_split(level, parts, axis=1), np.array_split(side, parts, axis=1), strict=True
    )


def _meeting(left: Array, right: Array) -> Integers:
    """Return the pairs of intervals with a common interior, (pairs, 2)."""
    first, second = np.triu_indices(len(left), 1)
    meets = (left[first] < right[second]) & (left[second] < right[first])
    return np.column_stack([first[meets], second[meets]])


def _extent(boxes: _Boxes) -> Array:
    width = boxes.right.max(axis=0) - boxes.left.min(axis=0)
    height = boxes.top.max(axis=0) - boxes.bottom.min(axis=0)
    charged: Array = 0.5 * (width + height)
    return charged


def _overlaps(boxes: _Boxes, pairs: Integers) -> Array:
    """Charge boxes that overlap, with the free space around them."""
    i, j = pairs.T
    both = 2 * _ROOM
    width = np.minimum(boxes.right[i], boxes.right[j]) - np.maximum(boxes.left[i], boxes.left[j])
    height = np.minimum(boxes.top[i], boxes.top[j]) - np.maximum(boxes.bottom[i], boxes.bottom[j])
    hit = np.maximum(width + both, 0.0) * np.maximum(height + both, 0.0)
    charged: Array = (hit > 0) * 400.0 + hit
    return charged
