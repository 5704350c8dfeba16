"""The model as a frozen value: constructs and the paths between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import ModelError, suggest
from csimodel.findings import listed
from csimodel.model.checks import check_constructs, check_paths, pairs
from csimodel.model.constructs import Construct, Path, composite, reflective
from csimodel.model.definitions import Definition, ordered
from csimodel.model.expressions import names_in
from csimodel.model.ownership import own_blocks, shared_items
from csimodel.model.parameter_checks import checked
from csimodel.model.parameters import Parameter
from csimodel.model.restrictions import Restriction, check_restrictions
from csimodel.options import shown


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
        bounds, covariances, intercepts, in one order however they are given. PLS takes none.
    definitions
        Quantities computed from labelled parameters.
    name
        For titles; it does not tell models apart.
    restrictions
        Linear equations of labels.

    Raises
    ------
    ModelError
        For a construct named twice, an item that a composite or a single item shares with another
        construct, a path from or to an unknown construct
        (with the nearest spelling), a path to itself or given twice, a cycle, a
        construct that no path reaches while others have paths, a parameter the model does not
        have or that is told two things, or a definition of unknown labels.

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
    restrictions: tuple[Restriction, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "constructs", tuple(self.constructs))
        check_constructs(self.constructs)
        paths = pairs(self.paths)
        covarying = (one for one in self.parameters if one.op == "~~" and one.lhs != one.rhs)
        joined = {end for one in covarying for end in (one.lhs, one.rhs)}
        joined |= {name for names in self.shared_items.values() for name in names}
        check_paths(self.construct_names, paths, joined)
        place = {name: i for i, name in enumerate(self.construct_names)}
        paths.sort(key=lambda path: (place[path.target], place[path.source]))
        object.__setattr__(self, "paths", tuple(paths))
        said = checked(self.parameters, self.constructs, self.paths)
        object.__setattr__(self, "parameters", said)
        object.__setattr__(self, "definitions", ordered(self.definitions, self.labels))
        check_restrictions(self.restrictions, self.labels)

    @classmethod
    def from_syntax(cls, text: str) -> Model:
        r"""Read lavaan-style text: ``=~``, ``<~``, ``~``, ``~~``, ``:=``, one statement a line.

        For covariance structures a term may carry modifiers: ``0.5*x`` fixes, ``NA*x`` frees,
        ``b*x`` labels (one label, one value), ``start(1)*x``, ``lower(0)*x``, ``upper(1)*x``, and
        ``c(0, NA)*x`` says it group by group. ``a ~~ b`` is a covariance, ``a ~ 1`` an intercept,
        ``total := b + c*d`` a definition; ``a == b``, ``a == 0.5``, ``a > 0`` and
        linear equations as ``b + d == 1`` restrict labels.

        A name in a path that has no items is a column of the data (``Value ~ age``), unless it is
        nearly that of a construct. An item may stand in several ``=~`` (a cross-loading).

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

        return cls(**parse(text)._asdict())

    @classmethod
    def from_semopy(cls, text: str) -> Model:
        r"""Read semopy's model text: ``=~``, ``~``, ``~~``, ``START``, ``BOUND``, ``CONSTRAINT``.

        semopy fixes the first loading that has neither number nor label where no loading has a
        number; the model says so wherever that is not the first of all. The error of a single
        item is zero, as everywhere here, unless the text says otherwise. semopy keeps variances
        at zero or above; here only what `BOUND` says is kept, and a negative one is reported.

        Raises
        ------
        ModelError
            When a line cannot be read, or says what this package's models cannot.

        Examples
        --------
        >>> print(Model.from_semopy("A =~ k*a1 + a2 + a3\nSTART(0.8) k"))
        A =~ NA*a1 + k*a1 + start(0.8)*a1 + 1*a2 + a3
        """
        from csimodel.model.semopy_text import parse_semopy

        return cls(**parse_semopy(text)._asdict())

    def to_syntax(self) -> str:
        """Write the model as text that `from_syntax` reads back to an equal model.

        Raises
        ------
        ModelError
            For a name that cannot be quoted: with both kinds of quotes, or a line break.
        """
        from csimodel.model.writing import render

        whole = render(self, brief=False)
        if not self.observed:
            return whole
        try:
            text = render(self, brief=True)
            return text if Model.from_syntax(text) == self else whole
        except ModelError:  # a name that is nearly another's must be defined
            return whole

    def to_lavaan(self) -> str:
        """Write the model for lavaan, the error of a single item fixed to zero.

        Raises
        ------
        ModelError
            For a composite, and for names that lavaan cannot read.
        """
        from csimodel.model.writing import render_lavaan

        return render_lavaan(self)

    def to_semopy(self) -> str:
        """Write the model for semopy, the error of a single item fixed to zero.

        Starts and bounds become ``START`` and ``BOUND`` lines on labels (``_p1`` where the model
        has none); loadings of a construct of which none is fixed start at 1, since semopy does not
        end without. semopy keeps variances at zero or above, whatever the model here says, so it
        stops short of the optimum where that has a negative one. A model with intercepts needs
        ``semopy.ModelMeans``.

        Raises
        ------
        ModelError
            For what semopy cannot be told: composites, names it cannot read, values by group,
            definitions, intercepts of constructs.
        """
        from csimodel.model.semopy_text import render_semopy

        return render_semopy(self)

    def with_items(self, items: Mapping[str, str | Sequence[str]]) -> Model:
        """Return the same constructs and paths measured by other columns.

        Raises
        ------
        ModelError
            For a construct that the model does not have, or whose items it says something of.

        >>> from csimodel.model import catalogue
        >>> catalogue.ecsi().with_items({"Value": ["v1", "v2", "v3"]}).blocks["Value"]
        ('v1', 'v2', 'v3')
        """
        if not isinstance(items, Mapping):
            raise ModelError(
                f"items={shown(items)} must say the items by construct, such as "
                f"{{{self.construct_names[0]!r}: ['q1', 'q2']}}."
            )
        for name in items:
            if name not in self.construct_names:
                raise ModelError(
                    f"Construct {name!r} is not in the model{suggest(name, self.construct_names)}; "
                    f"it has {listed(self.construct_names, 12)}."
                )
            self._require_silence(name, items[name])
        constructs = tuple(
            (composite if construct.kind == "composite" else reflective)(
                construct.name, items[construct.name]
            )
            if construct.name in items
            else construct
            for construct in self.constructs
        )
        return replace(self, constructs=constructs)

    def _require_silence(self, name: str, items: str | Sequence[str]) -> None:
        """Refuse other items for a construct whose items the parameters name."""
        if reflective(name, items).items == self.blocks[name]:
            return
        for one in self.parameters:
            for item in self.blocks[name]:
                if item in (one.lhs, one.rhs):
                    raise ModelError(
                        f"Construct {name!r} cannot get other items while {str(one)!r} says "
                        f"something of its item {item!r}; take that out first, as "
                        "model.without_parameters() does."
                    )

    @cached_property
    def construct_names(self) -> tuple[str, ...]:
        """Names of the constructs, in order."""
        return tuple(construct.name for construct in self.constructs)

    @cached_property
    def items(self) -> tuple[str, ...]:
        """All items, construct by construct; an item of several with the construct it is of."""
        return tuple(item for block in self.own_blocks.values() for item in block)

    @cached_property
    def own_blocks(self) -> dict[str, tuple[str, ...]]:
        r"""The items of each construct, those of several constructs with one of them only.

        >>> Model.from_syntax("g =~ a + b + c + d\nf =~ c + d").own_blocks
        {'g': ('a', 'b'), 'f': ('c', 'd')}
        """
        return dict(zip(self.construct_names, own_blocks(self.constructs), strict=True))

    @cached_property
    def shared_items(self) -> dict[str, tuple[str, ...]]:
        """Items that measure several constructs (cross-loadings, bifactor), with those."""
        return shared_items(self.constructs)

    def require_own_items(self, what: str) -> None:
        """Refuse what is made of each construct's own items where constructs share some.

        Raises
        ------
        ModelError
            Naming an item and its constructs.
        """
        for item, names in self.shared_items.items():
            raise ModelError(
                f"{what} each construct's own items, and {item!r} measures {listed(names)}; take "
                "csi.factor_scores(fit), or give each item one construct."
            )

    @cached_property
    def blocks(self) -> dict[str, tuple[str, ...]]:
        """Items of each construct, as the model names them."""
        return {construct.name: construct.items for construct in self.constructs}

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Where each construct's own items stand in `items`."""
        ends = np.cumsum([len(block) for block in self.own_blocks.values()]).tolist()
        return tuple(slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True))

    @cached_property
    def owner(self) -> NDArray[np.intp]:
        """Construct number of each item, (items,)."""
        sizes = [len(block) for block in self.own_blocks.values()]
        return np.repeat(np.arange(len(self.constructs)), sizes)

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
    def observed(self) -> frozenset[str]:
        r"""Constructs that are a column of the data themselves, nothing said of a loading.

        >>> sorted(Model.from_syntax("Value =~ v1 + v2\nValue ~ age").observed)
        ['age']
        """
        loaded = {one.lhs for one in self.parameters if one.op == "=~"}
        return frozenset(c.name for c in self.constructs if c.observed and c.name not in loaded)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Labels of parameters, in order."""
        entries = (entry for parameter in self.parameters for entry in parameter.label if entry)
        return tuple(dict.fromkeys(entries))

    def without_parameters(self) -> Model:
        """Return the same constructs and paths with nothing said of parameters."""
        return replace(self, parameters=(), definitions=(), restrictions=())

    def in_group(self, group: int) -> Model:
        r"""Return the model of one group of a joint fit: what c(…) says there.

        Definitions that need labels of other groups are left out.

        >>> model = Model.from_syntax("A =~ a1 + a2\nB =~ b1\nB ~ c(p, q)*A\nd := p - q")
        >>> print(model.in_group(1))
        A =~ a1 + a2
        B =~ b1
        B ~ q*A
        """
        if all(one.groups == 1 for one in self.parameters):
            return self
        parameters = tuple(one.in_group(group) for one in self.parameters)
        known = {entry for one in parameters for entry in one.label}
        restrictions = tuple(one for one in self.restrictions if known.issuperset(one.names))
        definitions = []
        for one in self.definitions:
            if known.issuperset(names_in(one.expression)):
                known.add(one.name)
                definitions.append(one)
        return replace(
            self,
            parameters=parameters,
            definitions=tuple(definitions),
            restrictions=restrictions,
        )

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
        said = (self.parameters, self.definitions, self.restrictions)
        return hash((self.constructs, self.paths, *said))

    def __getstate__(self) -> dict[str, Any]:
        """Pickle what was given only: the hash of a text differs from process to process."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}
