"""Whose an item is that measures several constructs."""

from __future__ import annotations

from collections.abc import Sequence

from csimodel.errors import ModelError
from csimodel.model.constructs import Construct


def own_blocks(constructs: Sequence[Construct]) -> tuple[tuple[str, ...], ...]:
    """Return the items that are each construct's own, so that every item is of one construct.

    An item that several name is that of the construct with the fewest items, of the first among
    equals; a construct left with none takes one back from the construct that has most.

    Raises
    ------
    ModelError
        For constructs that have no items of their own left.

    Examples
    --------
    >>> from csimodel.model import reflective
    >>> own_blocks([reflective("g", list("abcde")), reflective("s", list("abc"))])
    (('d', 'e'), ('a', 'b', 'c'))
    """
    owner: dict[str, int] = {}
    for j in sorted(range(len(constructs)), key=lambda j: len(constructs[j].items)):
        for item in constructs[j].items:
            owner.setdefault(item, j)
    for j, construct in enumerate(constructs):
        if j in owner.values():
            continue
        sizes = {item: list(owner.values()).count(owner[item]) for item in construct.items}
        most = max(construct.items, key=lambda item: sizes[item])
        if sizes[most] < 2:
            raise ModelError(
                f"Construct {construct.name!r} has no item that is not needed by another; give "
                "the constructs more items, or remove one of them."
            )
        owner[most] = j
    return tuple(
        tuple(item for item in construct.items if owner[item] == j)
        for j, construct in enumerate(constructs)
    )


def shared_items(constructs: Sequence[Construct]) -> dict[str, tuple[str, ...]]:
    """Return the items that several constructs name, with those constructs."""
    named: dict[str, tuple[str, ...]] = {}
    for construct in constructs:
        for item in construct.items:
            named[item] = (*named.get(item, ()), construct.name)
    return {item: names for item, names in named.items() if len(names) > 1}
