"""Places for the constructs of a model: layers from left to right, few crossings, free sight.

Constructs stand in columns by their longest path from an exogenous construct. Heights
start from a barycentre ordering and are then improved by letting each construct in turn
take the best height, and the best side for its items, while the others stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.plots.blocks import SIDES
from csimodel.plots.geometry import inside_length
from csimodel.plots.labels import Array, overlap
from csimodel.plots.layers import Integers, barycentre_order, layers
from csimodel.plots.layout_cost import STEP, Cost, Graph

_STARTS = 7
_SWEEPS = 15
_WORK = 3.5e7  # terms priced before the best layout so far is taken
_LEAST = 4  # sweeps that this should be enough for
_GAIN = 1e-3  # less than this is no gain, points of cost
_FINE = np.arange(-2.0, 3.0)[:, None]


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
    level, side = search.starts()
    search.descend(level, side)
    best = int(np.argmin(search.cost.total(level, side, search.cost.terms)))
    centres = np.column_stack([search.x, level[:, best] * STEP])
    return Placement(centres, tuple(SIDES[k] for k in side[:, best]))


def stand(graph: Graph, centres: Array) -> Placement:
    """Choose the sides of items of constructs whose places are given, (constructs, 2) points.

    Examples
    --------
    >>> from csimodel.plots.blocks import fan
    >>> few = fan(80, 40, [(30, 14)] * 2)
    >>> graph = Graph(np.tile([80.0, 40.0], (2, 1)), [few, few], np.array([[0, 1]]))
    >>> stand(graph, np.array([[0.0, 0], [0, 200]])).sides
    ('below', 'above')
    """
    half = graph.sizes / 2
    ellipses = np.concatenate([centres - half, centres + half], axis=1)
    arrows = centres[graph.edges]
    order = ("above", "below", "left", "right")
    sides = ["above"] * len(centres)

    def block(node: int, side: str) -> Array:
        extent: Array = graph.blocks[node][side].extent + np.tile(centres[node], 2)
        return extent

    def price(node: int, side: str) -> float:
        own = block(node, side)
        others = [k for k in range(len(centres)) if k != node]
        boxes = np.array([*ellipses[others], *(block(k, sides[k]) for k in others)]).reshape(-1, 4)
        shared = overlap(own, boxes)
        passed = inside_length(arrows[:, 0], arrows[:, 1], own)
        return float((60.0 * (shared > 0) + shared).sum() + 5.0 * passed.sum())

    for _ in range(_STARTS):
        before = list(sides)
        for node in range(len(centres)):
            if len(graph.blocks[node]["above"].boxes):
                prices = {side: price(node, side) for side in order}
                sides[node] = min(prices, key=prices.__getitem__)
        if sides == before:
            break
    return Placement(centres, tuple(sides))


class _Search:
    """Descents on the cost of a layout from several starts."""

    def __init__(self, graph: Graph) -> None:
        self.count = len(graph.sizes)
        column = layers(self.count, graph.edges)
        self.order = barycentre_order(column, graph.edges)
        widths = np.array([graph.sizes[members, 0].max() for members in self.order])
        steps = np.concatenate([[0.0], (widths[:-1] + widths[1:]) / 2 + graph.gap])
        self.x = np.cumsum(steps)[column]
        self.has_items = np.array([len(b["above"].boxes) > 0 for b in graph.blocks])
        most = max(len(members) for members in self.order)
        self.tall = float(graph.sizes[:, 1].max()) + (60.0 if self.has_items.any() else 12.0)
        self.reach = int(np.ceil(max(most * self.tall * 0.65, 2.2 * self.tall) / STEP))
        self.cost = Cost(graph, self.x)
        self.coarse = np.arange(-self.reach, self.reach + 1, 3, dtype=float)[:, None]
        self.terms = [self.cost.terms_of(node) for node in range(self.count)]
        layouts = len(self.coarse) + len(_FINE) + self.count
        self.work = float(layouts * sum(map(len, self.terms)))  # of a sweep over a layout

    def starts(self) -> tuple[Array, Integers]:
        """Return first heights and sides: the barycentre order, tilted, and disturbed.

        They are fewer where a sweep over one of them is much work.
        """
        spread = np.zeros(self.count)
        for members in self.order:
            for i, node in enumerate(members):
                spread[node] = ((len(members) - 1) / 2 - i) * self.tall / STEP
        zigzag = np.where(np.arange(self.count) % 2, 1.0, -1.0) * self.reach / 3
        rng = np.random.default_rng(1)
        tilts = [np.zeros(self.count), zigzag, -zigzag]
        tilts += [rng.uniform(-self.reach, self.reach, self.count) / 1.5 for _ in range(_STARTS)]
        tilts = tilts[: self._affordable(0.0)]
        level = np.column_stack([spread + tilt for tilt in tilts])
        side = np.where(level >= 0, 0, 1).astype(np.intp)
        return np.round(np.clip(level, -self.reach, self.reach)), side

    def _affordable(self, spent: float) -> int:
        """Return how many layouts there is time for."""
        return max(1, int((_WORK - spent) / (_LEAST * max(self.work, 1.0))))

    def descend(self, level: Array, side: Integers) -> None:
        """Move one construct at a time, then exchange two, until nothing gets better.

        Where that is much work, only the best layouts are improved on. Heights and sides,
        (constructs, starts), are changed in place.
        """
        running = np.arange(level.shape[1])
        spent = 0.0
        for _ in range(_SWEEPS):
            levels, sides = level[:, running], side[:, running]
            moved = np.zeros(len(running), dtype=bool)
            for node in range(self.count):
                moved |= self._move(node, levels, sides)
            moved |= self._exchange(levels, sides)
            level[:, running], side[:, running] = levels, sides
            spent += self.work * len(running)
            best = self.cost.total(level, side, self.cost.terms).argsort()
            running = np.intersect1d(running[moved], best[: self._affordable(spent)])
            if not len(running) or spent > _WORK:
                break

    def _move(self, node: int, level: Array, side: Integers) -> NDArray[np.bool_]:
        """Give a construct its best height and side in each layout; say where that is new.

        Items are placed only at heights where the construct without them costs less than now.
        """
        starts = level.shape[1]
        bare, items = self.terms[node].parted(node, self.count)
        heights = np.concatenate([np.repeat(self.coarse, starts, axis=1), level[node] + _FINE])
        levels = np.repeat(level[:, None], len(heights), axis=1)
        levels[node] = heights
        levels, sides = levels.reshape(self.count, -1), np.tile(side, len(heights))
        costs = self.cost.of_terms(levels, sides, bare).reshape(-1, starts)
        least = self.cost.extent(levels, sides, without=node).reshape(-1, starts)
        present = self.cost.total(level, side, items) + costs[len(self.coarse) + len(_FINE) // 2]
        row, start = np.nonzero(costs + least < present - _GAIN)
        choices = np.arange(len(SIDES) if self.has_items[node] else 1)
        levels = np.tile(level[:, start], len(choices))
        sides = np.tile(side[:, start], len(choices))
        levels[node] = np.tile(heights[row, start], len(choices))
        sides[node] = np.repeat(choices, len(row))
        prices = np.full((len(choices), len(heights), starts), np.inf)
        of_items = self.cost.total(levels, sides, items).reshape(len(choices), -1)
        prices[:, row, start] = of_items + costs[row, start]
        each, best = np.arange(starts), prices.reshape(-1, starts).argmin(axis=0)
        cheapest = prices.min(axis=(0, 1))
        better: NDArray[np.bool_] = cheapest < present - _GAIN
        level[node] = np.where(better, heights[best % len(heights), each], level[node])
        side[node] = np.where(better, best // len(heights), side[node])
        return better

    def _exchange(self, level: Array, side: Integers) -> NDArray[np.bool_]:
        """Exchange the places of the best two constructs of each layout; say where that helps."""
        added = np.stack(
            [self.cost.exchange(i, level, side, terms) for i, terms in enumerate(self.terms)]
        )
        gains = added + added.transpose(1, 0, 2)
        best = gains.reshape(-1, level.shape[1]).argmin(axis=0)
        first, second = np.divmod(best, self.count)
        each = np.arange(level.shape[1])
        better: NDArray[np.bool_] = gains[first, second, each] < -_GAIN
        first, second, each = first[better], second[better], each[better]
        for places in (level, side):
            places[first, each], places[second, each] = places[second, each], places[first, each]
        return better
