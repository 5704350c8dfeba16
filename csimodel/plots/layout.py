"""Places for the constructs of a model: layers from left to right, few crossings, free sight.

Constructs stand in columns by their longest path from an exogenous construct. Heights
start from a barycentre ordering and are then improved by letting each construct in turn
take the best height, and the best side for its items, while the others stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.plots.blocks import SIDES, Block
from csimodel.plots.geometry import crossings, inside_length
from csimodel.plots.labels import Array, overlap
from csimodel.plots.layers import Integers, barycentre_order, layers

_STEP = 22.0  # heights are multiples of this, points
_ROOM = 9.0  # free space kept around constructs and item blocks, points
_SHORTEST = 60.0  # points of an arrow that must be seen, so that it can carry its number
_STARTS = 7
_SWEEPS = 15
_SMALLEST_ANGLE = 0.30  # radians between two arrows at one construct before it costs


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
    blocks: Sequence[Mapping[str, Block]]
    edges: Integers
    gap: float = 30.0


@dataclass(frozen=True)
class Placement:
    """Where each construct stands, (constructs, 2) points, and the side of its items."""

    centres: Array
    sides: tuple[str, ...]


def lay_out(graph: Graph) -> Placement:
    """Find places for the constructs of `graph`; the answer depends on nothing else.

    Examples
    --------
    >>> from csimodel.plots.blocks import fan
    >>> bare = fan(80, 40, [])
    >>> place = lay_out(Graph(np.full((2, 2), 40.0), [bare, bare], np.array([[0, 1]])))
    >>> bool(place.centres[0, 0] < place.centres[1, 0])
    True
    """
    search = _Search(graph)
    placements = [search.descend(level, side) for level, side in search.starts()]
    _, best_level, best_side = min(placements, key=lambda layout: layout[0])
    centres = np.column_stack([search.x, best_level * _STEP])
    return Placement(centres, tuple(SIDES[k] for k in best_side))


@dataclass(frozen=True)
class _Pairs:
    """What can be in each other's way, as pairs of positions.

    Boxes are the ellipses, then the item blocks, in the order of the constructs.
    """

    boxes: Integers  # (box, box)
    hidden: Integers  # (arrow, box): the box is not at an end of the arrow
    apart: Integers  # (arrow, arrow) without a common construct
    fanned: Integers  # (arrow, arrow) with one
    edges: Integers  # arrows
    total: int  # constructs

    def of(self, node: int, edges: Integers) -> _Pairs:
        """Keep what changes when `node` moves."""
        moving: NDArray[np.bool_] = (edges == node).any(axis=1)
        own = (self.boxes % self.total == node).any(axis=1)
        seen = moving[self.hidden[:, 0]] | (self.hidden[:, 1] % self.total == node)
        return _Pairs(
            self.boxes[own],
            self.hidden[seen],
            self.apart[moving[self.apart].any(axis=1)],
            self.fanned[moving[self.fanned].any(axis=1)],
            np.flatnonzero(moving),
            self.total,
        )


def _all_pairs(count: int, edges: Integers) -> _Pairs:
    boxes = np.array(np.triu_indices(2 * count, 1)).T
    boxes = boxes[boxes[:, 1] - boxes[:, 0] != count]  # an ellipse and its own items
    hidden = np.array(
        [(e, b) for e, ends in enumerate(edges) for b in range(2 * count) if b not in ends]
    )
    pairs = np.array(np.triu_indices(len(edges), 1)).T
    touching = (edges[pairs[:, 0], :, None] == edges[pairs[:, 1], None, :]).any(axis=(1, 2))
    return _Pairs(
        boxes,
        hidden.reshape(-1, 2).astype(np.intp),
        pairs[~touching],
        pairs[touching],
        np.arange(len(edges)),
        count,
    )


class _Search:
    """The cost of a layout, for many layouts at once, and the descent on it."""

    def __init__(self, graph: Graph) -> None:
        self.count = len(graph.sizes)
        self.edges = graph.edges
        column = layers(self.count, graph.edges)
        self.order = barycentre_order(column, graph.edges)
        widths = np.array([graph.sizes[members, 0].max() for members in self.order])
        steps = np.concatenate([[0.0], (widths[:-1] + widths[1:]) / 2 + graph.gap])
        self.x = np.cumsum(steps)[column]
        half = graph.sizes / 2
        self.half = half
        self.node = np.concatenate([-half, half], axis=1)
        self.block = np.array([[b[side].extent for side in SIDES] for b in graph.blocks])
        self.has_items = np.array([len(b["above"].boxes) > 0 for b in graph.blocks])
        most = max(len(members) for members in self.order)
        self.tall = float(graph.sizes[:, 1].max()) + (60.0 if self.has_items.any() else 12.0)
        self.reach = int(np.ceil(max(most * self.tall * 0.65, 2.2 * self.tall) / _STEP))
        self.everything = _all_pairs(self.count, graph.edges)
        self.moving = [self.everything.of(node, graph.edges) for node in range(self.count)]

    def starts(self) -> Iterator[tuple[Array, Integers]]:
        """Yield first heights and sides: the barycentre order, tilted, and disturbed."""
        spread = np.zeros(self.count)
        for members in self.order:
            for i, node in enumerate(members):
                spread[node] = ((len(members) - 1) / 2 - i) * self.tall / _STEP
        zigzag = np.where(np.arange(self.count) % 2, 1.0, -1.0) * self.reach / 3
        rng = np.random.default_rng(1)
        tilts = [np.zeros(self.count), zigzag, -zigzag]
        tilts += [rng.uniform(-self.reach, self.reach, self.count) / 1.5 for _ in range(_STARTS)]
        for tilt in tilts:
            side = np.where(spread + tilt >= 0, 0, 1).astype(np.intp)
            yield np.round(np.clip(spread + tilt, -self.reach, self.reach)), side

    def descend(self, level: Array, side: Integers) -> tuple[float, Array, Integers]:
        """Move one construct at a time, then exchange two, until nothing gets better."""
        coarse = np.arange(-self.reach, self.reach + 1, 3, dtype=float)
        fine = np.arange(-2.0, 3.0)
        swaps = np.array(np.triu_indices(self.count, 1)).T
        for _ in range(_SWEEPS):
            moved = False
            for node in range(self.count):
                choices = range(4) if self.has_items[node] else range(1)
                heights = np.concatenate([coarse, level[node] + fine])
                grid = np.array([(h, s) for s in choices for h in heights])
                levels = np.repeat(level[None], len(grid) + 1, axis=0)
                sides = np.repeat(side[None], len(grid) + 1, axis=0)
                levels[1:, node] = grid[:, 0]
                sides[1:, node] = grid[:, 1].astype(np.intp)
                moved |= self._take(levels, sides, level, side, self.moving[node])
            levels = np.repeat(level[None], len(swaps) + 1, axis=0)
            sides = np.repeat(side[None], len(swaps) + 1, axis=0)
            rows = np.arange(1, len(swaps) + 1)[:, None]
            levels[rows, swaps] = level[swaps[:, ::-1]]
            sides[rows, swaps] = side[swaps[:, ::-1]]
            moved |= self._take(levels, sides, level, side, self.everything)
            if not moved:
                break
        return float(self.cost(level[None], side[None], self.everything)[0]), level, side

    def _take(
        self, levels: Array, sides: Integers, level: Array, side: Integers, pairs: _Pairs
    ) -> bool:
        """Put the cheapest layout into `level` and `side`; the first row is the present one."""
        costs = self.cost(levels, sides, pairs)
        k = int(np.argmin(costs))
        if costs[k] >= costs[0] - 1e-9:
            return False
        level[:], side[:] = levels[k], sides[k]
        return True

    def cost(self, level: Array, side: Integers, pairs: _Pairs) -> Array:
        """Return the cost of layouts (batch, constructs): what a reader would stumble over."""
        y = level * _STEP
        centres = np.stack([np.broadcast_to(self.x, y.shape), y], axis=-1)
        offset = np.tile(centres, 2)
        block = self.block[np.arange(self.count), side] + offset
        boxes = np.concatenate([self.node + offset, block], axis=1)
        low, high = boxes[..., :2].min(axis=1), boxes[..., 2:].max(axis=1)
        cost = (0.5 * (high - low)).sum(axis=1)
        room = np.array([-_ROOM, -_ROOM, _ROOM, _ROOM]) / 2
        boxes = boxes + room
        hit = overlap(boxes[:, pairs.boxes[:, 0]], boxes[:, pairs.boxes[:, 1]])
        cost += ((hit > 0) * 400.0 + hit).sum(axis=1)
        start, end = centres[:, self.edges[:, 0]], centres[:, self.edges[:, 1]]
        arrow, box = pairs.hidden.T
        through = inside_length(start[:, arrow], end[:, arrow], boxes[:, box])
        cost += ((through > 0) * 260.0 + 3.0 * through).sum(axis=1)
        cost += 45.0 * crossings(start, end, pairs.apart)
        cost += self._narrow(start, end, pairs.fanned)
        total: Array = cost + self._length(start, end, pairs.edges)
        return total

    def _length(self, start: Array, end: Array, edges: Integers) -> Array:
        """Charge steep arrows, and arrows too short to carry a number."""
        step = np.abs(end - start)[:, edges]
        half = self.half[self.edges[edges, 0]] + self.half[self.edges[edges, 1]]
        distance = np.hypot(step[..., 0], step[..., 1])
        covered = distance / np.hypot(step[..., 0] / half[:, 0], step[..., 1] / half[:, 1])
        short = np.clip(_SHORTEST - (distance - covered), 0, None)
        charged: Array = (0.25 * step[..., 1] + 25.0 * short).sum(axis=1)
        return charged

    def _narrow(self, start: Array, end: Array, fanned: Integers) -> Array:
        """Charge pairs of arrows that leave or reach a construct in nearly one direction."""
        i, j = fanned.T
        alike = (self.edges[i] == self.edges[j]).any(axis=1)
        one = (end - start)[:, i]
        two = (end - start)[:, j] * np.where(alike, 1.0, -1.0)[:, None]
        turned = np.abs(one[..., 0] * two[..., 1] - one[..., 1] * two[..., 0])
        angle = np.arctan2(turned, (one * two).sum(axis=-1))
        charged: Array = (500.0 * np.clip(_SMALLEST_ANGLE - angle, 0, None)).sum(axis=1)
        return charged
