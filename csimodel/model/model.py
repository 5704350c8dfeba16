"""The model as a frozen value: constructs and the paths between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import ModelError, suggest
from csimodel.findings import listed
from csimodel.model.constructs import Construct, Path, composite, reflective
from csimodel.model.definitions import ordered
from csimodel.model.parameters import Definition, Parameter
from csimodel.model.said import checked


@dataclass(frozen=True)
class Model:
    """A structural equation model of customer satisfaction.

    Parameters
    ----------
    constructs
        Made with `reflective` or `composite`; their order is kept in every table.
    paths
        Pairs ``(source, target)`` of construct names. They are kept in the order of the targets,
        then of the sources, in `constructs`, however they are given.
    parameters
        What is said of single parameters of a covariance structure: fixed values, starts, labels,
        bounds, covariances, intercepts. PLS takes none.
    definitions
        Quantities computed from labelled parameters.
    name
        For titles; it does not tell models apart.

    Raises
    ------
    ModelError
        For a construct or item named twice, a path from or to an unknown construct
        (with the nearest spelling), a path to itself or given twice, a cycle, or a
        construct that no path reaches while others have paths.

    Examples
    --------
    >>> model = Model(
    ...     constructs=(reflective("Quality", ["q1", "q2"]), reflective("Loyalty", ["l1", "l2"])),
    ...     paths=(("Quality", "Loyalty"),),
    ... )
    >>> print(model)
    Quality =~ q1 + q2
    Loyalty =~ l1 + l2
    Loyalty ~ Quality
    """

    constructs: tuple[Construct, ...]
    paths: tuple[Path, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    definitions: tuple[Definition, ...] = ()
    name: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "constructs", tuple(self.constructs))
        _check_constructs(self.constructs)
        paths = _pairs(self.paths)
        _check_paths(self.construct_names, paths)
        place = {name: i for i, name in enumerate(self.construct_names)}
        paths.sort(key=lambda path: (place[path.target], place[path.source]))
        object.__setattr__(self, "paths", tuple(paths))
        said = checked(self.parameters, self.constructs, self.paths)
        object.__setattr__(self, "parameters", said)
        object.__setattr__(self, "definitions", ordered(self.definitions, self.labels))

    @classmethod
    def from_syntax(cls, text: str) -> Model:
        r"""Read lavaan-style text: ``=~``, ``<~``, ``~``, ``~~``, ``:=``, one statement a line.

        For covariance structures a term may carry modifiers: ``0.5*x`` fixes, ``NA*x`` frees,
        ``b*x`` labels (one label, one value), ``start(1)*x``, ``lower(0)*x``, ``upper(1)*x``, and
        ``c(0, NA)*x`` says it group by group. ``a ~~ b`` is a covariance, ``a ~ 1`` an intercept,
        ``total := b + c*d`` a definition; ``a == b``, ``a == 0.5``, ``a > 0`` restrict labels.

        Names may be quoted (``"perceived value"``) and need not be ASCII (``满意度``).
        ``#`` and ``!`` start a comment; a line that ends in ``+`` goes on in the next.

        Raises
        ------
        ModelError
            When a line cannot be read (it is quoted) or the model contradicts itself.

        Examples
        --------
        >>> model = Model.from_syntax("满意度 =~ s1 + s2\n忠诚 =~ l1\n忠诚 ~ 满意度")
        >>> model.paths
        (Path(source='满意度', target='忠诚'),)
        """
        from csimodel.model.syntax import parse

        found = parse(text)
        return cls(found.constructs, found.paths, found.parameters, found.definitions)

    def to_syntax(self) -> str:
        """Write the model as text that `from_syntax` reads back to an equal model.

        Raises
        ------
        ModelError
            For a name that cannot be quoted: with both kinds of quotes, or a line break.
        """
        from csimodel.model.syntax import render

        return render(self)

    def to_lavaan(self) -> str:
        """Write the model for lavaan, the error of a single item fixed to zero."""
        from csimodel.model.syntax import render_covariance

        return render_covariance(self, program="lavaan")

    def to_semopy(self) -> str:
        """Write the model for semopy, the error of a single item fixed to zero."""
        from csimodel.model.syntax import render_covariance

        return render_covariance(self, program="semopy")

    def with_items(self, items: Mapping[str, str | Sequence[str]]) -> Model:
        """Return the same constructs and paths measured by other columns.

        >>> from csimodel.model import catalogue
        >>> catalogue.ecsi().with_items({"Value": ["v1", "v2", "v3"]}).blocks["Value"]
        ('v1', 'v2', 'v3')
        """
        for name in items:
            if name not in self.construct_names:
                raise ModelError(
                    f"Construct {name!r} is not in the model{suggest(name, self.construct_names)}; "
                    f"it has {listed(self.construct_names, 12)}."
                )
        constructs = tuple(
            (composite if construct.kind == "composite" else reflective)(
                construct.name, items[construct.name]
            )
            if construct.name in items
            else construct
            for construct in self.constructs
        )
        return replace(self, constructs=constructs)

    @cached_property
    def construct_names(self) -> tuple[str, ...]:
        """Names of the constructs, in order."""
        return tuple(construct.name for construct in self.constructs)

    @cached_property
    def items(self) -> tuple[str, ...]:
        """All items, construct by construct."""
        return tuple(item for construct in self.constructs for item in construct.items)

    @cached_property
    def blocks(self) -> dict[str, tuple[str, ...]]:
        """Items of each construct."""
        return {construct.name: construct.items for construct in self.constructs}

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Where each construct's items stand in `items`."""
        ends = np.cumsum([len(construct.items) for construct in self.constructs]).tolist()
        return tuple(slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True))

    @cached_property
    def owner(self) -> NDArray[np.intp]:
        """Construct number of each item, (items,)."""
        return np.repeat(
            np.arange(len(self.constructs)), [len(construct.items) for construct in self.constructs]
        )

    @cached_property
    def adjacency(self) -> NDArray[np.bool_]:
        """True where a path runs from the column's to the row's construct, (targets, sources)."""
        adjacency = np.zeros((len(self.constructs),) * 2, dtype=bool)
        position = {name: i for i, name in enumerate(self.construct_names)}
        for source, target in self.paths:
            adjacency[position[target], position[source]] = True
        return adjacency

    @cached_property
    def endogenous(self) -> tuple[str, ...]:
        """Constructs that some path points to, in order."""
        targets = {path.target for path in self.paths}
        return tuple(name for name in self.construct_names if name in targets)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Labels of parameters, in order."""
        entries = (entry for parameter in self.parameters for entry in parameter.label if entry)
        return tuple(dict.fromkeys(entries))

    def without_parameters(self) -> Model:
        """Return the same constructs and paths with nothing said of parameters."""
        return replace(self, parameters=(), definitions=())

    def sources_of(self, target: str) -> tuple[str, ...]:
        """Direct antecedents of a construct, in order."""
        sources = {path.source for path in self.paths if path.target == target}
        return tuple(name for name in self.construct_names if name in sources)

    def __str__(self) -> str:
        return self.to_syntax()

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """The hash, kept because every look-up of what is known of a model asks for it."""
        return hash((self.constructs, self.paths, self.parameters, self.definitions))

    def __getstate__(self) -> dict[str, Any]:
        """Pickle what was given only: the hash of a text differs from process to process."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}


def _check_constructs(constructs: Iterable[Construct]) -> None:
    owner: dict[str, str] = {}
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
            if item in owner:
                raise ModelError(
                    f"Item {item!r} belongs to both {owner[item]!r} and {construct.name!r}; "
                    "an item may measure one construct only."
                )
            owner[item] = construct.name
    if not seen:
        raise ModelError(
            "The model has no constructs; define at least one, as in 'Value =~ v1 + v2'."
        )


def _pairs(paths: Iterable[Sequence[str]]) -> list[Path]:
    found = []
    for path in paths:
        if isinstance(path, str) or not isinstance(path, Sequence) or len(path) != 2:
            raise ModelError(
                f"The path {path!r} is not a pair; write (source, target), as in "
                "('Quality', 'Loyalty')."
            )
        found.append(Path(*path))
    return found


def _check_paths(names: tuple[str, ...], paths: Sequence[Path]) -> None:
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
    linked = {end for path in paths for end in path}
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
