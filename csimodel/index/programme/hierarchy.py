"""Levels of a programme: units, what each counts in the one above, and scores as sums of cells."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from csimodel.findings import Finding
from csimodel.index.programme.level_weights import LevelWeights
from csimodel.index.programme.times import SAME_TIME, Times

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Unit = tuple[Hashable, ...]

WHOLE = "all"


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """Units of all levels over the periods.

    Attributes
    ----------
    levels
        Names, the highest first; the whole is above them all.
    periods
        Labels, in their order.
    keys
        Units of the lowest level, each by its names from the highest level on.
    cell
        Cell that each of them is scored by in each period, (units, periods); -1 for none.
    cells
        How many there are.
    weights
        What units count in the one above.
    """

    levels: tuple[str, ...]
    periods: pd.Index
    keys: tuple[Unit, ...]
    cell: Codes
    cells: int
    weights: LevelWeights

    @classmethod
    def of(
        cls,
        labels: pd.MultiIndex,
        levels: Sequence[str],
        periods: pd.Index,
        weights: LevelWeights,
        cell: Codes,
    ) -> Hierarchy:
        """Return the hierarchy of cells, by their units and period.

        Raises
        ------
        OptionError
            For weights that are missing.
        """
        keys = tuple(dict.fromkeys(_units(labels)))
        own = cls(tuple(levels), periods, keys, cell, len(labels), weights)
        assert own.share.shape == own.scored.shape
        return own

    @cached_property
    def nodes(self) -> tuple[Unit, ...]:
        """Units of all levels: the whole, ``()``, then by level, each by its names from above."""
        every = {key[:deep] for key in self.keys for deep in range(len(self.levels) + 1)}
        first: dict[Unit, int] = {}
        for place, key in enumerate(self.keys):
            for deep in range(len(self.levels) + 1):
                first.setdefault(key[:deep], place)
        return tuple(sorted(every, key=lambda node: (len(node), first[node])))

    @cached_property
    def place(self) -> dict[Unit, int]:
        """The number of each node."""
        return {node: number for number, node in enumerate(self.nodes)}

    @cached_property
    def times(self) -> Times:
        """When the periods were."""
        return Times.of(self.periods)

    @cached_property
    def parent(self) -> Codes:
        """The number of the node above, (nodes,); -1 above the whole."""
        return np.array([self.place[node[:-1]] if node else -1 for node in self.nodes])

    @cached_property
    def deep(self) -> Codes:
        """The level of each node, 0 for the whole, (nodes,)."""
        return np.array([len(node) for node in self.nodes])

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What tables call nodes: their own name, with those above where it is not the only one."""
        plain = [str(node[-1]) if node else WHOLE for node in self.nodes]
        seen = pd.Series(list(zip(self.deep, plain, strict=True))).duplicated(keep=False)
        return tuple(
            " / ".join(map(str, node)) if twice else name
            for node, name, twice in zip(self.nodes, plain, seen, strict=True)
        )

    @cached_property
    def level_names(self) -> tuple[str, ...]:
        """The level of each node, by name."""
        every = (WHOLE, *self.levels)
        return tuple(every[deep] for deep in self.deep)

    @cached_property
    def share(self) -> Floats:
        """What each node counts in the one above, (nodes, periods); 0 without a score."""
        share = np.zeros((len(self.nodes), len(self.periods)))
        share[0] = 1.0
        for level in range(1, len(self.levels) + 1):
            own = np.flatnonzero(self.deep == level)
            nodes = [self.nodes[node] for node in own.tolist()]
            weights = self.weights.counts(self.levels[level - 1], nodes, self.scored[own])
            above = np.zeros((len(self.nodes), len(self.periods)))
            np.add.at(above, self.parent[own], weights)
            total = above[self.parent[own]]
            share[own] = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
        return share

    @cached_property
    def whole_share(self) -> Floats:
        """What each node counts in the whole, (nodes, periods)."""
        share = self.share.copy()
        for node in range(1, len(self.nodes)):
            share[node] *= share[self.parent[node]]
        return share

    @cached_property
    def scored(self) -> NDArray[np.bool_]:
        """Whether a node has a score, (nodes, periods)."""
        scored = np.zeros((len(self.nodes), len(self.periods)), dtype=np.bool_)
        for key, cells in zip(self.keys, self.cell, strict=True):
            for deep in range(len(key) + 1):
                scored[self.place[key[:deep]]] |= cells >= 0
        return scored

    @cached_property
    def sums(self) -> sparse.csr_array:
        """Every score as a sum of cells, (cells, nodes × periods); column node · periods + t."""
        periods, deepest = len(self.periods), len(self.levels)
        rows, columns, values = [], [], []
        for key, cells in zip(self.keys, self.cell, strict=True):
            known = np.flatnonzero(cells >= 0)
            counts = np.ones(len(known))
            for deep in range(deepest, -1, -1):
                node = self.place[key[:deep]]
                rows.append(cells[known])
                columns.append(node * periods + known)
                values.append(counts.copy())
                counts *= self.share[node, known]
        place = (np.concatenate(rows), np.concatenate(columns))
        shape = (self.cells, len(self.nodes) * periods)
        return sparse.coo_array((np.concatenate(values), place), shape).tocsr()

    def labels(self, scored: Codes) -> dict[str, list[object]]:
        """Return level, unit and period of some columns of `sums`."""
        node, period = np.divmod(scored, len(self.periods))
        return {
            "level": [self.level_names[own] for own in node.tolist()],
            "unit": [self.names[own] for own in node.tolist()],
            "period": [self.periods[own] for own in period.tolist()],
        }


def latest_cells(
    labels: pd.MultiIndex, periods: pd.Index, scored: NDArray[np.bool_], rolling: int
) -> Codes:
    """Return the cell that each unit is scored by in each period, (units, periods); -1 for none.

    Parameters
    ----------
    labels
        Units and period of the cells.
    scored
        ProgrammeCells that have a score, (cells,).
    rolling
        For how many steps of the periods' times a score counts, its own with them, where there is
        no newer one.
    """
    steps = Times.of(periods).steps
    units = _units(labels)
    number = {unit: place for place, unit in enumerate(dict.fromkeys(units))}
    cell = np.full((len(number), len(periods)), -1, dtype=np.intp)
    at = periods.get_indexer(labels.get_level_values(-1))
    for own in np.flatnonzero(scored).tolist():
        cell[number[units[own]], at[own]] = own
    latest = cell.copy()
    for back in range(1, len(periods)):
        near = steps[back:] - steps[:-back] < rolling - SAME_TIME
        if not near.any():
            break
        earlier = np.full_like(cell, -1)
        earlier[:, back:] = np.where(near, cell[:, :-back], -1)
        latest = np.where(latest < 0, earlier, latest)
    return latest


def _units(labels: pd.MultiIndex) -> list[Unit]:
    return [tuple(label[:-1]) for label in labels]


def rows_of(labels: Mapping[str, Sequence[object]], entries: pd.Index) -> pd.MultiIndex:
    """Return labels of rows, each with all entries, in the order in which they are given.

    >>> rows_of({"unit": ["b", "a"]}, pd.Index(["S", "L"], name="construct")).tolist()
    [('b', 'S'), ('b', 'L'), ('a', 'S'), ('a', 'L')]
    """
    size, each = len(next(iter(labels.values()))), len(entries)
    levels: list[list[Hashable]] = []
    codes: list[list[int]] = []
    for own in labels.values():
        places, level = pd.factorize(np.array(own, dtype=object))
        levels.append(level.tolist())
        codes.append(np.repeat(places, each).tolist())
    for deep in range(entries.nlevels):
        inner, names = pd.factorize(entries.get_level_values(deep))
        levels.append(names.tolist())
        codes.append(np.tile(inner, size).tolist())
    return pd.MultiIndex(levels, codes, names=[*labels, *entries.names])


def about_periods(hierarchy: Hierarchy) -> Iterator[Finding]:
    """Name units that are not scored in all periods, as the others take their place."""
    lacking = [
        f"{hierarchy.names[hierarchy.place[key]]} ({int((cells < 0).sum())})"
        for key, cells in zip(hierarchy.keys, hierarchy.cell, strict=True)
        if (cells < 0).any()
    ]
    if lacking:
        yield Finding(
            "units-not-in-all-periods",
            _ONE_LACKS if len(lacking) == 1 else _SEVERAL_LACK,
            tuple(lacking),
            "note",
            len(lacking),
            {"count": len(lacking), "level": hierarchy.levels[-1], "units": tuple(lacking)},
        )


def about_weights(hierarchy: Hierarchy) -> Iterator[Finding]:
    """Name units that have a weight and no score, and shares that do not sum to 1."""
    uneven = hierarchy.weights.uneven_shares()
    if uneven:
        yield Finding(
            "weights-not-to-one",
            "Weights of {groups} lie between 0 and 1 and do not sum to 1 as shares would; they "
            "count by their ratios within one parent.",
            uneven,
            count=len(uneven),
            values={"groups": uneven},
        )
    scored = [
        node
        for node, own in zip(hierarchy.nodes, hierarchy.scored, strict=True)
        if node and own.any()
    ]
    units = hierarchy.weights.without_score(scored)
    if units:
        yield Finding(
            "weights-without-scores",
            _ONE_WEIGHT if len(units) == 1 else _WEIGHTS,
            units,
            count=len(units),
            values={"count": len(units), "units": units},
        )


_ONE_WEIGHT = (
    "{count} unit has a weight and no score in any period: {units}; the others of its parent count "
    "for it, so that the whole is not of all that was weighed."
)
_WEIGHTS = (
    "{count} units have a weight and no score in any period: {units}; the others of their parents "
    "count for them, so that the whole is not of all that was weighed."
)
_ONE_LACKS = (
    "{count} unit of level {level} has no score in some periods (how many): {units}; there the "
    "others of its parent count for it, so that the change of a parent is also one of who is in it."
)
_SEVERAL_LACK = (
    "{count} units of level {level} have no score in some periods (how many): {units}; there the "
    "others of their parents count for them, so that the change of a parent is also one of who is "
    "in it."
)
