"""The cost of a layout: against plain geometry, and priced in parts."""

from itertools import combinations

import numpy as np
import pytest

from csimodel.plots import layout, routes
from csimodel.plots.blocks import SIDES, fan
from csimodel.plots.layout import lay_out
from csimodel.plots.layout_cost import STEP, Cost, Graph

WIDTH, HEIGHT, ROOM = 70.0, 34.0, 4.5


def graph_of(count, seed, items=2):
    """Return a random acyclic model, a third of its constructs without items."""
    rng = np.random.default_rng(seed)
    edges = [
        (int(source), target)
        for target in range(1, count)
        for source in rng.choice(target, size=min(target, 1 + target % 3), replace=False)
    ]
    boxes = [(30.0, 14.0)] * items
    blocks = [fan(WIDTH, HEIGHT, boxes if i % 3 else []) for i in range(count)]
    return Graph(np.tile([WIDTH, HEIGHT], (count, 1)), blocks, np.array(edges))


def layouts(count, number, seed):
    rng = np.random.default_rng(seed)
    level = rng.integers(-5, 6, (count, number)).astype(float)
    return level, rng.integers(0, 4, (count, number))


def columns(graph):
    x = np.zeros(len(graph.sizes))
    for source, target in sorted(map(tuple, graph.edges), key=lambda edge: edge[1]):
        x[target] = max(x[target], x[source] + 110.0)
    return x


def clipped(start, end, box):
    """Return the length of a segment inside a box: Liang and Barsky, edge by edge."""
    first, last = 0.0, 1.0
    for axis in (0, 1):
        step = end[axis] - start[axis]
        low, high = box[axis] - start[axis], box[axis + 2] - start[axis]
        if step == 0:
            if not low < 0 < high:
                return 0.0
            continue
        near, far = sorted((low / step, high / step))
        first, last = max(first, near), min(last, far)
    return max(last - first, 0.0) * np.hypot(*(end - start))


def crosses(a, b, c, d):
    def turn(p, q, r):
        return np.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0


def plain_cost(graph, x, level, side):
    """Return the cost of one layout, written down pair by pair."""
    count = len(x)
    centres = np.column_stack([x, level * STEP])
    half = np.array([WIDTH, HEIGHT]) / 2
    boxes = [np.concatenate([c - half, c + half]) for c in centres]
    boxes += [graph.blocks[i][SIDES[side[i]]].extent + np.tile(centres[i], 2) for i in range(count)]
    cost = 0.5 * (np.max(boxes, axis=0)[2:] - np.min(boxes, axis=0)[:2]).sum()
    boxes = [box + np.array([-ROOM, -ROOM, ROOM, ROOM]) for box in boxes]
    for i, j in combinations(range(2 * count), 2):
        if j - i != count:
            shared = np.minimum(boxes[i], boxes[j])[2:] - np.maximum(boxes[i], boxes[j])[:2]
            area = float(np.prod(np.maximum(shared, 0)))
            cost += 400.0 * (area > 0) + area
    arrows = [(int(s), int(t)) for s, t in graph.edges]
    for source, target in arrows:
        start, end = centres[source], centres[target]
        for k, box in enumerate(boxes):
            if k not in (source, target):
                inside = clipped(start, end, box)
                cost += 260.0 * (inside > 0) + 3.0 * inside
        step = np.abs(end - start)
        length = np.hypot(*step)
        covered = length / np.hypot(*(step / (2 * half)))
        cost += 0.25 * step[1] + 25.0 * max(60.0 - (length - covered), 0.0)
    for (a, b), (c, d) in combinations(arrows, 2):
        if not {a, b} & {c, d}:
            cost += 45.0 * crosses(*centres[[a, b, c, d]])
            continue
        common = ({a, b} & {c, d}).pop()
        rays = [centres[({*ends} - {common}).pop()] - centres[common] for ends in ((a, b), (c, d))]
        cosine = rays[0] @ rays[1] / np.hypot(*rays[0]) / np.hypot(*rays[1])
        cost += 500.0 * max(0.30 - np.arccos(np.clip(cosine, -1, 1)), 0.0)
    return cost


@pytest.mark.parametrize("count", [2, 5, 9])
def test_the_cost_is_that_of_plain_geometry(count):
    graph = graph_of(count, seed=count)
    x = columns(graph)
    cost = Cost(graph, x)
    level, side = layouts(count, 12, seed=1)
    expected = [plain_cost(graph, x, level[:, k], side[:, k]) for k in range(12)]
    np.testing.assert_allclose(cost.total(level, side, cost.terms), expected, rtol=1e-6)


def test_a_move_is_priced_by_the_terms_of_its_construct():
    graph = graph_of(11, seed=3)
    cost = Cost(graph, columns(graph))
    level, side = layouts(11, 20, seed=2)
    for node in range(11):
        moved, turned = level.copy(), side.copy()
        moved[node] += np.arange(20) % 7 - 3
        turned[node] = (turned[node] + 1) % 4
        all_terms, own = (
            cost.total(moved, turned, terms) - cost.total(level, side, terms)
            for terms in (cost.terms, cost.terms_of(node))
        )
        np.testing.assert_allclose(own, all_terms, atol=1e-6)
        parts = cost.terms_of(node).parted(node, 11)
        assert sum(map(len, parts)) == len(cost.terms_of(node)) < len(cost.terms)


@pytest.mark.parametrize("block", [1, 1 << 17])
def test_an_exchange_is_priced_by_the_two_constructs(block, monkeypatch):
    monkeypatch.setattr("csimodel.plots.layout_cost._BLOCK", block)
    graph = graph_of(9, seed=4)
    cost = Cost(graph, columns(graph))
    level, side = layouts(9, 6, seed=5)
    added = [cost.exchange(node, level, side, cost.terms_of(node)) for node in range(9)]
    before = cost.total(level, side, cost.terms)
    for i, j in combinations(range(9), 2):
        exchanged, turned = level.copy(), side.copy()
        exchanged[[i, j]], turned[[i, j]] = level[[j, i]], side[[j, i]]
        difference = cost.total(exchanged, turned, cost.terms) - before
        np.testing.assert_allclose(added[i][j] + added[j][i], difference, atol=1e-6)


def test_no_move_of_one_construct_and_no_exchange_makes_a_layout_better():
    graph = graph_of(8, seed=6)
    place = lay_out(graph)
    cost = Cost(graph, place.centres[:, 0])
    level = place.centres[:, 1:] / STEP
    side = np.array([[SIDES.index(name)] for name in place.sides])
    best = cost.total(level, side, cost.terms)[0]
    for node in range(8):
        for shift in (-2, -1, 1, 2):
            for turn in range(4):
                moved, turned = level.copy(), side.copy()
                moved[node] += shift
                turned[node] = turn
                assert cost.total(moved, turned, cost.terms)[0] > best - 1e-2
    for i, j in combinations(range(8), 2):
        moved, turned = level.copy(), side.copy()
        moved[[i, j]], turned[[i, j]] = level[[j, i]], side[[j, i]]
        assert cost.total(moved, turned, cost.terms)[0] > best - 1e-2


def test_every_term_is_priced_at_most_once_for_each_of_its_constructs():
    graph = graph_of(20, seed=7)
    cost = Cost(graph, columns(graph))
    each = sum(len(cost.terms_of(node)) for node in range(20))
    assert each <= 4 * len(cost.terms)


def arrows_of(kind, count):
    half = count // 2
    return {
        "star": [(0, place) for place in range(1, count)],
        "sink": [(place, count - 1) for place in range(count - 1)],
        "chain": [(place, place + 1) for place in range(count - 1)],
        "bipartite": [(one, two) for one in range(half) for two in range(half, count)],
        "dense": list(combinations(range(count), 2)),
    }[kind]


@pytest.mark.parametrize("kind", ["star", "sink", "chain", "bipartite", "dense"])
def test_the_work_is_bounded_whatever_the_model(kind, monkeypatch):
    work = 3e5
    monkeypatch.setattr(layout, "_WORK", work)
    graph = graph_of(16, seed=8)
    graph = Graph(graph.sizes, graph.blocks, np.array(arrows_of(kind, 16)))
    priced = []
    own = Cost._prices

    def counted(cost, level, side, boxes, terms):
        priced.append(len(terms) * level.shape[1])
        return own(cost, level, side, boxes, terms)

    monkeypatch.setattr(Cost, "_prices", counted)
    place = lay_out(graph)
    assert sum(priced) < 1.5 * (work + layout._Search(graph).work)
    assert len(np.unique(place.centres, axis=0)) == 16


def test_a_route_is_the_cheapest_of_all_bends():
    rng = np.random.default_rng(9)
    centres = np.column_stack([np.arange(8) * 90.0, rng.uniform(-60, 60, 8)])
    sizes = np.tile([WIDTH, HEIGHT], (8, 1))
    edges = np.array(list(combinations(range(8), 2)))
    below, above = np.array([20.0, 70.0]), np.array([20.0, -30.0])
    extents = np.concatenate([centres - below, centres + above], axis=1)
    found = routes.route(centres, sizes, edges, extents)
    half = sizes / 2 + routes._CLEARANCE
    ellipses = np.concatenate([centres - half, centres + half], axis=1)
    for k, (source, target) in enumerate(edges):
        others = np.delete(ellipses, [source, target], axis=0)
        placed = np.array([one.points(routes._SPOTS) for one in found])[:k]

        def cost(bend, ends=(source, target), others=others, placed=placed):
            one = routes._curve(centres, sizes, *ends, bend)
            return routes._cost(one, others, extents, placed, np.inf)

        straight = cost(0.0)
        bends = (0.0,) if straight < 1 else (0.0, *routes._BENDS)
        assert cost(found[k].bend) <= min(map(cost, bends)) + 1e-6
    assert any(one.bend for one in found)
