"""What a model says: constructs, the paths between them, parameters, and what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from csimodel.arguments import checked_in
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
from csimodel.model.terms import (
    HigherOrder,
    Product,
    Term,
    check_products,
    check_terms,
    construct_of,
    parts_of,
    terms_of,
)
from csimodel.options import shown


@checked_in
@dataclass(frozen=True)
class Specification:
    """What a `Model` says, without its text. Attributes and errors are those of `Model`."""

    constructs: tuple[Construct, ...]
    paths: tuple[Path, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    definitions: tuple[Definition, ...] = ()
    name: str | None = field(default=None, compare=False)
    restrictions: tuple[Restriction, ...] = ()
    terms: tuple[Term, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", terms_of(self.terms))
        derived = [construct_of(term) for term in self.terms]
        given = tuple(construct for construct in self.constructs if construct not in derived)
        check_constructs(given)
        paths = pairs(self.paths)
        covarying = (
            parameter
            for parameter in self.parameters
            if parameter.op == "~~" and parameter.lhs != parameter.rhs
        )
        joined = {end for parameter in covarying for end in (parameter.lhs, parameter.rhs)}
        joined |= {name for names in shared_items(given).values() for name in names}
        object.__setattr__(self, "terms", check_terms(given, self.terms, paths))
        derived = [construct_of(term) for term in self.terms]
        object.__setattr__(self, "constructs", (*given, *derived))
        check_products(self.terms, paths)
        check_paths(self.construct_names, paths, joined | parts_of(self.terms))
        place = {name: i for i, name in enumerate(self.construct_names)}
        paths.sort(key=lambda path: (place[path.target], place[path.source]))
        object.__setattr__(self, "paths", tuple(paths))
        if self.terms and (self.parameters or self.definitions or self.restrictions):
            raise ModelError(
                f"The model has the term {self.terms[0].name!r} and says something of single "
                "parameters, which no estimator takes together; leave out one or the other."
            )
        parameters = checked(self.parameters, self.constructs, self.paths)
        object.__setattr__(self, "parameters", parameters)
        object.__setattr__(self, "definitions", ordered(self.definitions, self.labels))
        check_restrictions(self.restrictions, self.labels)

    def with_items(self, items: Mapping[str, str | Sequence[str]]) -> Self:
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
        for parameter in self.parameters:
            for item in self.blocks[name]:
                if item in (parameter.lhs, parameter.rhs):
                    raise ModelError(
                        f"Construct {name!r} cannot get other items while {str(parameter)!r} says "
                        f"something of its item {item!r}; take that out first, as "
                        "model.without_parameters() does."
                    )

    @cached_property
    def construct_names(self) -> tuple[str, ...]:
        """Names of the constructs, in order; those of terms last."""
        return tuple(construct.name for construct in self.constructs)

    @cached_property
    def items(self) -> tuple[str, ...]:
        """All items, construct by construct; an item of several with the construct it is of."""
        return tuple(item for block in self.own_blocks.values() for item in block)

    @cached_property
    def measured(self) -> tuple[Construct, ...]:
        """The constructs of items that are answered, without those that terms make."""
        return self.constructs[: len(self.constructs) - len(self.terms)]

    @cached_property
    def answered_blocks(self) -> dict[str, tuple[str, ...]]:
        """The own items of each construct of `measured`."""
        return {construct.name: self.own_blocks[construct.name] for construct in self.measured}

    @cached_property
    def answered(self) -> tuple[str, ...]:
        """All items that are answered; of a model without terms all items."""
        return tuple(item for block in self.answered_blocks.values() for item in block)

    @cached_property
    def derived(self) -> tuple[str, ...]:
        """Variables made of scores, which are items of the constructs that terms make."""
        return self.items[len(self.answered) :]

    @cached_property
    def products(self) -> dict[str, int]:
        """Places of the constructs that are products, by name."""
        names = {term.name for term in self.terms if isinstance(term, Product)}
        return {name: j for j, name in enumerate(self.construct_names) if name in names}

    @cached_property
    def wholes(self) -> tuple[HigherOrder, ...]:
        """Constructs of constructs that are made of their parts' scores."""
        return tuple(
            term for term in self.terms if isinstance(term, HigherOrder) and not term.items
        )

    @cached_property
    def factors(self) -> dict[str, tuple[int, ...]]:
        """Places of the constructs that each product is of, repeated ones for powers, by name."""
        place = {name: j for j, name in enumerate(self.construct_names)}
        return {
            term.name: tuple(sorted(place[name] for name in term.factors))
            for term in self.terms
            if isinstance(term, Product)
        }

    @cached_property
    def predictors(self) -> dict[str, tuple[str, ...]]:
        """Items that products are made residuals on, by the name of the product."""
        return {
            term.name: tuple(
                item for factor in dict.fromkeys(term.factors) for item in self.blocks[factor]
            )
            for term in self.terms
            if isinstance(term, Product) and term.residual
        }

    @cached_property
    def apart(self) -> NDArray[np.bool_]:
        """True for pairs that should differ, (constructs, constructs).

        All but a construct and itself, a product and anything, a part and its whole.
        """
        apart = ~np.eye(len(self.constructs), dtype=bool)
        position = {name: i for i, name in enumerate(self.construct_names)}
        for term in self.terms:
            own = position[term.name]
            others = slice(None) if isinstance(term, Product) else [position[p] for p in term.parts]
            apart[own, others] = apart[others, own] = False
        return apart

    @cached_property
    def own_blocks(self) -> dict[str, tuple[str, ...]]:
        r"""The items of each construct, those of several constructs with one of them only.

        >>> from csimodel.model import Model
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

    def require_one_stage(self, what: str, instead: str = "") -> None:
        """Refuse what is made of constructs of items alone where the model has other terms.

        Parameters
        ----------
        what
            What wants such a model, with its verb.
        instead
            Another way out than taking the terms out of the model.

        Raises
        ------
        ModelError
            Naming a term.
        """
        if self.terms:
            raise ModelError(
                f"{what} constructs of items estimated in one stage, and {self.terms[0].name!r} "
                f"needs a stage of its own; {instead}{', or ' if instead else ''}take products and "
                "constructs of constructs out of the model."
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

        >>> from csimodel.model import Model
        >>> sorted(Model.from_syntax("Value =~ v1 + v2\nValue ~ age").observed)
        ['age']
        """
        loaded = {parameter.lhs for parameter in self.parameters if parameter.op == "=~"}
        return frozenset(c.name for c in self.measured if c.observed and c.name not in loaded)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Labels of parameters, in order."""
        entries = (entry for parameter in self.parameters for entry in parameter.label if entry)
        return tuple(dict.fromkeys(entries))

    def without_parameters(self) -> Self:
        """Return the same constructs and paths with nothing said of parameters."""
        return replace(self, parameters=(), definitions=(), restrictions=())

    def in_group(self, group: int) -> Self:
        r"""Return the model of one group of a joint fit: what c(…) says there.

        Definitions that need labels of other groups are left out.

        >>> from csimodel.model import Model
        >>> model = Model.from_syntax("A =~ a1 + a2\nB =~ b1\nB ~ c(p, q)*A\nd := p - q")
        >>> print(model.in_group(1))
        A =~ a1 + a2
        B =~ b1
        B ~ q*A
        """
        if all(parameter.groups == 1 for parameter in self.parameters):
            return self
        parameters = tuple(parameter.in_group(group) for parameter in self.parameters)
        known = {entry for parameter in parameters for entry in parameter.label}
        restrictions = tuple(
            restriction for restriction in self.restrictions if known.issuperset(restriction.names)
        )
        definitions = []
        for definition in self.definitions:
            if known.issuperset(names_in(definition.expression)):
                known.add(definition.name)
                definitions.append(definition)
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

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """The hash, kept because every look-up of what is known of a model asks for it."""
        statements = (self.parameters, self.definitions, self.restrictions, self.terms)
        return hash((self.constructs, self.paths, *statements))

    def __getstate__(self) -> dict[str, Any]:
        """Pickle what was given only: the hash of a text differs from process to process."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}
