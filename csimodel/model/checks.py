"""Whether constructs and paths make a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from graphlib import CycleError, TopologicalSorter

from csimodel.characters import composed
from csimodel.errors import ModelError, suggest
from csimodel.findings import listed
from csimodel.model.constructs import Construct, Path


def check_constructs(constructs: Iterable[Construct]) -> None:
    """Raise a ModelError for no constructs, for one named twice, or an item that cannot be shared.

    Constructs that reflect in their items may share some; one of a single item, which is that
    item, and a composite may not.
    """
    owner: dict[str, Construct] = {}
    seen: set[str] = set()
    for construct in constructs:
        if not isinstance(construct, Construct):
            raise ModelError(
                f"{construct!r} is not a construct; make one with csi.reflective(name, items) or "
                "csi.composite(name, items)."
            )
        if construct.name in seen:
            raise ModelError(
                f"Construct {construct.name!r} is defined twice; give all its items in one place."
            )
        seen.add(construct.name)
        for item in construct.items:
            other = owner.setdefault(item, construct)
            if other is not construct and {other.kind, construct.kind} != {"reflective"}:
                raise ModelError(
                    f"Item {item!r} belongs to both {other.name!r} and {construct.name!r}; "
                    "an item may measure one construct only, unless both are reflective (=~) and "
                    "have other items."
                )
    if not seen:
        raise ModelError(
            "The model has no constructs; define at least one, as in 'Value =~ v1 + v2'."
        )


def pairs(paths: Iterable[Sequence[str]]) -> list[Path]:
    """Return paths as `Path`; raise a ModelError for what is no pair."""
    ends = []
    for path in paths:
        if isinstance(path, str) or not isinstance(path, Sequence) or len(path) != 2:
            raise ModelError(
                f"The path {path!r} is not a pair; write (source, target), as in "
                "('Quality', 'Loyalty')."
            )
        ends.append(Path(*(composed(end) if isinstance(end, str) else end for end in path)))
    return ends


def check_paths(names: tuple[str, ...], paths: Sequence[Path], joined: Collection[str]) -> None:
    """Raise a ModelError for a path that leads nowhere, twice, in a circle, or past a construct.

    `joined` are constructs that something else ties to others.
    """
    for path in paths:
        for end in path:
            if end not in names:
                raise ModelError(
                    f"The path from {path.source!r} to {path.target!r} names construct {end!r}, "
                    f"which has no items{suggest(end, names)}; "
                    f"constructs with items are {listed(names, 12)}."
                )
        if path.source == path.target:
            raise ModelError(f"Construct {path.source!r} has a path to itself; remove it.")
    for path, count in Counter(paths).items():
        if count > 1:
            raise ModelError(
                f"The path from {path.source!r} to {path.target!r} is given {count} times; "
                "give it once."
            )
    if cycle := _find_cycle(names, paths):
        raise ModelError(
            f"The paths form a cycle, {' → '.join(cycle)}; "
            "remove one of them, since only recursive models can be estimated."
        )
    linked = {*joined, *(end for path in paths for end in path)}
    isolated = [name for name in names if name not in linked]
    if paths and isolated:
        raise ModelError(
            f"Construct {isolated[0]!r} has no path to or from another construct; "
            "add a path or remove the construct."
        )


def _find_cycle(names: tuple[str, ...], paths: Sequence[Path]) -> list[str]:
    """Return the names on one cycle, the first repeated at the end; empty without one."""
    order: TopologicalSorter[str] = TopologicalSorter()
    for source, target in paths:
        order.add(target, source)
    try:
        order.prepare()
    except CycleError as error:
        cycle = error.args[1][1:]
        first = min(range(len(cycle)), key=lambda i: names.index(cycle[i]))
        return [*cycle[first:], *cycle[: first + 1]]
    return []
