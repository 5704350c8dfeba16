"""Rows of many units: the first and the last of each group, with a count of those between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from csimodel.findings import counted
from csimodel.formatting import label


@dataclass(frozen=True)
class RowOfUnits:
    """A row of a picture.

    Attributes
    ----------
    name
        What stands at its left.
    place
        The row of the table; None for a heading or a count.
    heading
        Whether it names the group of the rows below.
    """

    name: str
    place: int | None = None
    heading: bool = False


def rows_of_blocks(units: pd.Index, most: int) -> list[RowOfUnits]:
    """Return the rows of units by their groups, (group, unit) in order.

    Groups have a heading where there are several.

    >>> units = pd.MultiIndex.from_product([["x"], list("abcdef")])
    >>> [row.name for row in rows_of_blocks(units, 4)]
    ['a', 'b', '… 2 units between …', 'e', 'f']
    """
    groups: dict[str, list[int]] = {}
    for place, key in enumerate(units):
        group = label(key[0]) if isinstance(key, tuple) else ""
        groups.setdefault(group, []).append(place)
    return list(_blocks(units, groups, most))


def _blocks(units: pd.Index, groups: dict[str, list[int]], most: int) -> Iterator[RowOfUnits]:
    shown = list(groups)[: max(1, most // 2)]
    each = most if len(units) <= most else max(1, most // (2 * len(shown)))
    for group in shown:
        if len(groups) > 1:
            yield RowOfUnits(group, heading=True)
        for place in first_and_last(groups[group], each, len(units) <= most):
            if isinstance(place, str):
                yield RowOfUnits(place)
            else:
                key = units[place]
                yield RowOfUnits(label(key[-1] if isinstance(key, tuple) else key), place)
    if len(shown) < len(groups):
        yield RowOfUnits(
            counted(len(groups) - len(shown), "… {count:,} group more", "… {count:,} groups more")
        )


def first_and_last(places: list[int], each: int, whole: bool) -> list[int | str]:
    """Return places, or of too many the first and last so many with a count of those between.

    >>> first_and_last([0, 1, 2, 3, 4], 1, False)
    [0, '… 3 units between …', 4]
    """
    between = len(places) - 2 * each
    if whole or between <= 1:
        return list(places)
    count = counted(between, "… {count:,} unit between …", "… {count:,} units between …")
    return [*places[:each], count, *places[len(places) - each :]]
