"""Terms of a model that are no constructs of items: products, powers, constructs of constructs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from csimodel.characters import composed
from csimodel.errors import ModelError, suggest
from csimodel.findings import listed
from csimodel.model.constructs import Construct, Path
from csimodel.options import shown

Order = Literal["reflective", "composite"]


@dataclass(frozen=True)
class Product:
    """A product of constructs, whose score is the product of theirs; a power where one is repeated.

    Attributes
    ----------
    factors
        Names of the constructs, two or more.

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

    def __post_init__(self) -> None:
        object.__setattr__(self, "factors", _names(self.factors, "A product", "factors"))

    @property
    def name(self) -> str:
        """Its factors, joined by a colon and repeated ones with their exponent."""
        exponents = Counter(self.factors).items()
        return ":".join(name if k == 1 else f"{name}^{k}" for name, k in exponents)


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

    def __post_init__(self) -> None:
        (name,) = _names((self.name,), "A construct of constructs", "name", least=1)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "parts", _names(self.parts, f"Construct {name!r}", "parts"))
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
    """Return the constructs that are parts of others."""
    return frozenset(part for term in terms if isinstance(term, HigherOrder) for part in term.parts)


def check_terms(
    constructs: Sequence[Construct], terms: Sequence[Term], paths: Sequence[Path]
) -> None:
    """Refuse terms that do not fit the constructs and paths of a model.

    Raises
    ------
    ModelError
        For what is no term, a name given twice, factors and parts that are no constructs of items,
        a factor or the end of a path that is a part of another construct, and a path to a product.
    """
    known = [construct.name for construct in constructs]
    parts, taken = parts_of(_only_terms(terms)), set(known)
    for term in terms:
        if term.name in taken:
            raise ModelError(
                f"The term {term.name!r} has the name of another construct or term; give each a "
                "name of its own, once."
            )
        taken.add(term.name)
        for name in term.factors if isinstance(term, Product) else term.parts:
            if name not in known:
                raise ModelError(
                    f"The term {term.name!r} names {name!r}, which is no construct of items"
                    f"{suggest(name, known)}; constructs of items are {listed(known, 12)}."
                )
            if isinstance(term, Product) and name in parts:
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
            if end in parts:
                raise ModelError(
                    f"The path from {path.source!r} to {path.target!r} names {end!r}, which is a "
                    "part of another construct; let the path name the whole."
                )


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
