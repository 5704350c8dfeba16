"""Terms of a model that are no constructs of items: products, powers, constructs of constructs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from csimodel.characters import composed
from csimodel.errors import ModelError, suggest
from csimodel.findings import listed
from csimodel.model.constructs import Construct, Kind, Path
from csimodel.options import shown

Order = Literal["reflective", "composite"]


@dataclass(frozen=True)
class Product:
    """A product of constructs, whose score is the product of theirs; a power where one is repeated.

    Attributes
    ----------
    factors
        Names of the constructs, two or more.
    items
        Products of items that measure it, each the items' names; none where it is the product of
        scores. Estimators put them in (`csimodel.model.stages.compiled`).
    residual
        Whether those are residuals of their regression on all items of the factors.

    Raises
    ------
    ModelError
        For fewer than two factors, or a name that is blank or not text.

    Examples
    --------
    >>> Product(("Value", "Image")).name, Product(("Value", "Value")).name
    ('Value:Image', 'Value^2')
    """

    factors: tuple[str, ...]
    items: tuple[tuple[str, ...], ...] = field(default=(), repr=False)
    residual: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "factors", _names(self.factors, "A product", "factors"))

    @property
    def name(self) -> str:
        """Its factors, joined by a colon and repeated ones with their exponent."""
        return self.written(str)

    def written(self, name: Callable[[str], str]) -> str:
        """Write it with names of constructs as `name` writes them, in quotes for instance."""
        exponents = Counter(self.factors).items()
        return ":".join(name(own) if k == 1 else f"{name(own)}^{k}" for own, k in exponents)


@dataclass(frozen=True)
class HigherOrder:
    """A construct of constructs, whose items are their scores.

    Attributes
    ----------
    name
        As that of a construct.
    parts
        Names of the constructs that measure or form it, two or more.
    kind
        ``"reflective"`` (a common factor of the parts) or ``"composite"`` (a weighted sum).
    items
        Items of the parts that it repeats as its own; none where its items are the parts' scores.
        Estimators put them in (`csimodel.model.stages.compiled`).

    Raises
    ------
    ModelError
        For fewer than two parts, one named twice, a name that is blank or not text, or another
        kind.

    Examples
    --------
    >>> HigherOrder("Quality", ("Product", "Service"), "composite").parts
    ('Product', 'Service')
    """

    name: str
    parts: tuple[str, ...]
    kind: Order
    items: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        (name,) = _names((self.name,), "A construct of constructs", "name", least=1)
        object.__setattr__(self, "name", name)
        parts = _names(self.parts, f"Construct {name!r} of constructs", "parts", least=0)
        if len(parts) < 2:
            seen = f"has one part, {parts[0]!r}" if parts else "has no parts"
            way = f", or let paths lead to and from {parts[0]!r} itself" if parts else ""
            raise ModelError(f"Construct {name!r} of constructs {seen}; name at least 2{way}.")
        object.__setattr__(self, "parts", parts)
        for part, count in Counter(self.parts).items():
            if count > 1:
                raise ModelError(f"Construct {name!r} names part {part!r} twice; name it once.")
        if self.kind not in get_args(Order):
            raise ModelError(
                f"Construct {name!r} of constructs is of kind {self.kind!r}; use 'reflective' or "
                "'composite'."
            )


Term = Product | HigherOrder


def _names(names: Iterable[str], whose: str, what: str, least: int = 2) -> tuple[str, ...]:
    listing = (names,) if isinstance(names, str) else tuple(names)
    for name in listing:
        if not isinstance(name, str) or not name.strip():
            raise ModelError(
                f"{whose} has {what} {listing!r}, and {name!r} is no name; give names of "
                "constructs as text."
            )
    if len(listing) < least:
        raise ModelError(f"{whose} has {what} {listing!r}; name at least {least} constructs.")
    return tuple(map(composed, listing))


def parts_of(terms: Iterable[Term]) -> frozenset[str]:
    """Return the constructs whose scores are the items of others."""
    wholes = (term for term in terms if isinstance(term, HigherOrder) and not term.items)
    return frozenset(part for term in wholes for part in term.parts)


@dataclass(frozen=True)
class Factors:
    """What a variable made of scores is the product of; one for a score itself.

    Attributes
    ----------
    names
        Of constructs, or of items.
    items
        Whether they are of items.
    """

    names: tuple[str, ...]
    items: bool = False


def variables_of(term: Term) -> dict[str, Factors]:
    """Return the variables that are the items of the construct that a term makes.

    >>> list(variables_of(HigherOrder("H", ("A", "B"), "composite", ("a1", "b1"))))
    ['a1 in H', 'b1 in H']
    """
    if isinstance(term, HigherOrder):
        if term.items:
            return {f"{item} in {term.name}": Factors((item,), True) for item in term.items}
        return {part: Factors((part,)) for part in term.parts}
    if term.items:
        return {":".join(own): Factors(own, True) for own in term.items}
    return {term.name: Factors(term.factors)}


def construct_of(term: Term) -> Construct:
    """Return a term as a construct: a product is its own item, a construct of constructs has parts.

    >>> construct_of(Product(("Value", "Image")))
    Construct(name='Value:Image', items=('Value:Image',), kind='single')
    """
    kind: Kind = term.kind if isinstance(term, HigherOrder) else "reflective"
    return Construct(term.name, tuple(variables_of(term)), kind)


def check_terms(
    constructs: Sequence[Construct], terms: Sequence[Term], paths: Sequence[Path]
) -> tuple[Term, ...]:
    """Return terms in one order; refuse those that do not fit the constructs and paths.

    Products come last, in the order of their factors.

    Raises
    ------
    ModelError
        For a name given twice, a product given twice, factors and parts that are no constructs of
        items, a part in two constructs or with the name of an item, a factor or the end of a path
        that is a part of another construct, and a path to a product.
    """
    known = [construct.name for construct in constructs]
    whole_of: dict[str, str] = {}
    items = {item: construct.name for construct in constructs for item in construct.items}
    taken, same = set(known), dict[tuple[str, ...], str]()
    for term in terms:
        if term.name in taken or term.name in items:
            raise ModelError(
                f"The term {term.name!r} has the name of another construct, item or term; give "
                "each a name of its own, once."
            )
        taken.add(term.name)
        for name in term.factors if isinstance(term, Product) else term.parts:
            if name not in known:
                raise ModelError(
                    f"The term {term.name!r} names {name!r}, which is no construct of items"
                    f"{suggest(name, known)}; constructs of items are {listed(known, 12)}."
                )
            if isinstance(term, Product):
                continue
            if name in items:
                raise ModelError(
                    f"Construct {term.name!r} has the part {name!r}, which is the name of an item, "
                    f"too; give the part another name, or make {name!r} an item of {term.name!r}."
                )
            if name in whole_of:
                raise ModelError(
                    f"Construct {name!r} is a part of both {whole_of[name]!r} and {term.name!r}; "
                    "let it be a part of one."
                )
            whole_of[name] = term.name
    for term in terms:
        if not isinstance(term, Product):
            continue
        other = same.setdefault(tuple(sorted(term.factors)), term.name)
        if other != term.name:
            raise ModelError(
                f"{other!r} and {term.name!r} are one product; write it in one way everywhere."
            )
        for name in term.factors:
            if name in whole_of:
                raise ModelError(
                    f"The product {term.name!r} has the factor {name!r}, which is a part of "
                    "another construct; multiply constructs that are no parts."
                )
    products = {term.name for term in terms if isinstance(term, Product)}
    for path in paths:
        if path.target in products:
            raise ModelError(
                f"The path from {path.source!r} leads to the product {path.target!r}, and nothing "
                "explains a product; let paths lead from it."
            )
        for end in path:
            if end in parts_of(terms):
                raise ModelError(
                    f"The path from {path.source!r} to {path.target!r} names {end!r}, which is a "
                    "part of another construct; let the path name the whole."
                )

    def order(term: Term) -> tuple[int, ...]:
        if isinstance(term, HigherOrder):
            return ()
        return (len(term.factors), *sorted(map(known.index, term.factors)))

    return tuple(sorted(terms, key=order))


def check_products(terms: Sequence[Term], paths: Sequence[Path]) -> None:
    """Refuse products whose factors have no path of their own, or follow from what they explain.

    Raises
    ------
    ModelError
        Saying what the path of the product would mean.
    """
    sources: dict[str, set[str]] = {}
    for path in paths:
        sources.setdefault(path.target, set()).add(path.source)
    for term in terms:
        if not isinstance(term, Product):
            continue
        for path in paths:
            if path.source != term.name:
                continue
            for factor in term.factors:
                if factor == path.target or path.target in _causes(factor, sources):
                    raise ModelError(
                        f"The product {term.name!r} leads to {path.target!r}, from which its "
                        f"factor {factor!r} follows, so the paths form a cycle; let products lead "
                        "to what comes after all their factors."
                    )
                if factor not in sources[path.target]:
                    raise ModelError(
                        f"The product {term.name!r} leads to {path.target!r}, and {factor!r} has "
                        f"no path there, so the product would take over the effect of {factor!r}; "
                        f"add the path, as in '{path.target} ~ {factor} + {term.name}'."
                    )


def _causes(name: str, sources: Mapping[str, Iterable[str]]) -> set[str]:
    """Return everything from which paths lead to a construct."""
    causes: set[str] = set()
    open_ends = [name]
    while open_ends:
        for source in sources.get(open_ends.pop(), ()):
            if source not in causes:
                causes.add(source)
                open_ends.append(source)
    return causes


def terms_of(given: object) -> tuple[Term, ...]:
    """Return terms given in a list or a tuple.

    Raises
    ------
    ModelError
        For anything else.
    """
    if not isinstance(given, list | tuple):
        raise ModelError(
            f"terms={shown(given)} must be a list of products and constructs of constructs, made "
            "with Product(factors) and HigherOrder(name, parts, kind) of csimodel.model.terms."
        )
    return tuple(_only_terms(given))


def _only_terms(terms: Iterable[object]) -> Iterable[Term]:
    for term in terms:
        if not isinstance(term, Product | HigherOrder):
            raise ModelError(
                f"{term!r} is no term; give products and constructs of constructs, made with "
                "Product(factors) and HigherOrder(name, parts, kind) of csimodel.model.terms."
            )
        yield term
