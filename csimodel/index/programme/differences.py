"""Differences of any two scores of a programme, and of all units of a level."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import OptionError, choose, suggest
from csimodel.findings import listed
from csimodel.index.programme.hierarchy import WHOLE, Hierarchy
from csimodel.inference.pairs import pairs_of
from csimodel.options import number_of, shown

Codes = NDArray[np.intp]

PAIRS = "pairs"
_WAY = "give the level, the unit and the period, as ('firm', 'a', 2)"


def score_place(hierarchy: Hierarchy, option: str, name: object) -> int:
    """Return the place of a score in ``hierarchy.sums``, by level, unit and period.

    Raises
    ------
    OptionError
        For what is no such name, an unknown level, unit or period, and a unit without a score then.
    """
    if not isinstance(name, Sequence) or isinstance(name, str) or len(name) != 3:
        raise OptionError(f"{option}={shown(name)} names no score; {_WAY}.")
    level, unit, period = name
    at = period_place(hierarchy, option, period)
    chosen = choose_level(hierarchy, option, level, (WHOLE, *hierarchy.levels))
    own = np.flatnonzero(hierarchy.deep == chosen).tolist()
    names = {hierarchy.names[node]: node for node in own}
    if str(unit) not in names:
        raise OptionError(
            f"{option} names unit {shown(unit)}, which is not of level {level}"
            f"{suggest(str(unit), names)}; its units are {listed(names)}."
        )
    node = names[str(unit)]
    if not hierarchy.scored[node, at]:
        raise OptionError(f"{option} names {unit} in {period}, when it has no score.")
    return node * len(hierarchy.periods) + at


def period_place(hierarchy: Hierarchy, option: str, period: object) -> int:
    """Return the place of a period, of None the last.

    Raises
    ------
    OptionError
        When there is none.
    """
    periods = hierarchy.periods.tolist()
    if period is None:
        return len(periods) - 1
    number = number_of(period)
    for place, own in enumerate(periods):
        if str(own) == str(period) or (number is not None and number == number_of(own)):
            return place
    raise OptionError(
        f"{option}={shown(period)} is not among the periods, {periods[0]} to {periods[-1]}."
    )


def choose_level(hierarchy: Hierarchy, option: str, level: object, among: Sequence[str]) -> int:
    """Return how deep a level is, 0 for the whole.

    Raises
    ------
    OptionError
        When it is not among those allowed.
    """
    return (WHOLE, *hierarchy.levels).index(choose(option, level, among))


def compared_places(
    hierarchy: Hierarchy, level: object, period: object, against: object
) -> tuple[Codes, Codes]:
    """Return places of scores that are compared, and of what they are compared with.

    Parameters
    ----------
    level
        Whose units; the lowest by default.
    period
        When; the last by default.
    against
        ``"pairs"`` for each other, or the whole (``"all"``) or a level above them.
    """
    deep = choose_level(
        hierarchy, "level", hierarchy.levels[-1] if level is None else level, hierarchy.levels
    )
    at = period_place(hierarchy, "period", period)
    above = (WHOLE, *hierarchy.levels[: deep - 1])
    choose("against", against, (PAIRS, *above))
    nodes = np.flatnonzero((hierarchy.deep == deep) & hierarchy.scored[:, at])
    periods = len(hierarchy.periods)
    if against == PAIRS:
        first, second = pairs_of(len(nodes), f"units of level {hierarchy.levels[deep - 1]}")
        return nodes[first] * periods + at, nodes[second] * periods + at
    outer = above.index(str(against))
    parents = [hierarchy.place[hierarchy.nodes[node][:outer]] for node in nodes.tolist()]
    return nodes * periods + at, np.array(parents, dtype=np.intp) * periods + at


def labels_of_pairs(
    hierarchy: Hierarchy, first: Codes, second: Codes
) -> dict[str, list[Hashable | object]]:
    """Return level, unit, period and what it is compared with, of some pairs of scores."""
    labels = hierarchy.labels(first)
    labels["from"] = hierarchy.labels(second)["unit"]
    return labels
