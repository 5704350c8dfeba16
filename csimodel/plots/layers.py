"""Columns for the constructs, and a first order inside each column."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.intp]


def layers(count: int, edges: Integers) -> Integers:
    """Return the column of each node: the length of its longest path from a source.

    Examples
    --------
    >>> layers(3, np.array([[0, 1], [1, 2], [0, 2]])).tolist()
    [0, 1, 2]
    """
    column = np.zeros(count, dtype=np.intp)
    for _ in range(count):
        for source, target in edges:
            column[target] = max(column[target], column[source] + 1)
    return column


def barycentre_order(column: Integers, edges: Integers, sweeps: int = 8) -> list[list[int]]:
    """Order the nodes of each column by the mean position of their neighbours.

    Examples
    --------
    >>> barycentre_order(np.array([0, 0, 1, 1]), np.array([[0, 3], [1, 2]]))
    [[0, 1], [3, 2]]
    """
    order = [
        [int(i) for i in np.flatnonzero(column == k)] for k in range(int(column.max(initial=0)) + 1)
    ]
    for sweep in range(sweeps):
        forwards = sweep % 2 == 0
        for members in order if forwards else order[::-1]:
            spot = {node: (i + 0.5) / len(layer) for layer in order for i, node in enumerate(layer)}
            pull = {node: _barycentre(node, edges, column, spot, forwards) for node in members}
            members.sort(key=lambda node: pull[node])
    return order


def _barycentre(
    node: int, edges: Integers, column: Integers, spot: Mapping[int, float], forwards: bool
) -> float:
    near = [int(s) for s, t in edges if t == node] + [int(t) for s, t in edges if s == node]
    near = [i for i in near if (column[i] < column[node]) == forwards]
    return float(np.mean([spot[i] for i in near])) if near else spot[node]
