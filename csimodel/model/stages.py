"""A model with terms compiled to stages: what is estimated first, without them.

Constructs of items are estimated first, with the paths of a construct of constructs led to and from
each of its parts, and no products. Their scores then become variables beside the items: the parts'
scores are the items of a construct of constructs, a product is an item of its own, and all paths
are estimated. A batch of samples goes through both together.

References
----------
Chin, W. W., Marcolin, B. L., Newsted, P. R. (2003). A partial least squares latent variable
modeling approach for measuring interaction effects (the second stage for products: Henseler, J.,
Chin, W. W., 2010, https://doi.org/10.1080/10705510903439003).
https://doi.org/10.1287/isre.14.2.189.16018

Sarstedt, M., Hair, J. F., Cheah, J.-H., Becker, J.-M., Ringle, C. M. (2019). How to specify,
estimate, and validate higher-order constructs in PLS-SEM (disjoint two-stage approach).
https://doi.org/10.1016/j.ausmj.2019.05.003

Henseler, J., Chin, W. W. (2010). A comparison of approaches for the analysis of interaction effects
between latent variables using partial least squares path modeling (product indicators,
orthogonalising). https://doi.org/10.1080/10705510903439003

Becker, J.-M., Klein, K., Wetzels, M. (2012). Hierarchical latent variable models in PLS-SEM:
guidelines for using reflective-formative type models (repeated indicators, total effects).
https://doi.org/10.1016/j.lrp.2012.10.001
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import Literal, TypeVar

from csimodel.errors import ModelError
from csimodel.model.constructs import Path
from csimodel.model.specification import Specification
from csimodel.model.terms import Factors, HigherOrder, Term, variables_of

AnyModel = TypeVar("AnyModel", bound=Specification)
Products = Literal["two-stage", "product-indicator", "orthogonalizing"]
Order = Literal["disjoint", "embedded", "repeated", "extended"]


def stages_of(model: AnyModel) -> tuple[AnyModel, ...]:
    """Return what is estimated one after another: the model alone, or first one without its terms.

    In the first stage a construct that has no path but to a product has no path at all.
    """
    if not model.terms:
        return (model,)
    paths = tuple(dict.fromkeys(_paths_of_parts(model)))
    return replace(model, constructs=model.measured, paths=paths, terms=()), model


@lru_cache(maxsize=64)
def compiled(
    model: AnyModel, products: Products = "two-stage", higher_order: Order = "disjoint"
) -> tuple[AnyModel, ...]:
    """Return the stages of a model by other ways with products and constructs of constructs.

    Parameters
    ----------
    model
        As it is written, or the last stage of what this function returned.
    products
        Products of scores (in two stages), or constructs whose items are all products of the
        factors' items, as they are or as residuals of their regression on those items.
    higher_order
        What stands for a construct of constructs in the first stage: its parts (disjoint), or
        beside them one that repeats their items (embedded); or such a one for good (repeated),
        with paths from its parts (composite) or to them (reflective). Extended, what leads to a
        composite leads to its parts instead.

    Raises
    ------
    ModelError
        When a variable that is put in has the name of an item.
    """
    if not model.terms:
        return (model,)
    last = model
    if higher_order in ("repeated", "extended"):
        last = _repeated(last, higher_order == "extended")
    if products != "two-stage":
        last = _with_product_items(last, products == "orthogonalizing")
    if higher_order == "disjoint":
        return stages_of(last)[0], last
    linear = tuple(path for path in last.paths if path.source not in last.products)
    wholes = tuple(term for term in last.terms if isinstance(term, HigherOrder))
    first = replace(last, constructs=last.measured, paths=linear, terms=wholes)
    first = _repeated(first, False) if higher_order == "embedded" else first
    return (last,) if first == last else (first, last)


def _repeated(model: AnyModel, extended: bool) -> AnyModel:
    """Return the model whose constructs of constructs repeat the items of their parts."""
    wholes = {
        term.name: replace(
            term, items=tuple(item for part in term.parts for item in model.blocks[part])
        )
        for term in model.terms
        if isinstance(term, HigherOrder) and not term.items
    }
    if not wholes:
        return model
    paths: list[Path] = []
    for path in model.paths:
        whole = wholes.get(path.target)
        if extended and whole is not None and whole.kind == "composite":
            paths += [Path(path.source, part) for part in whole.parts]
        else:
            paths.append(path)
    for name, whole in wholes.items():
        ends = [(part, name) for part in whole.parts]
        paths += [Path(*(pair if whole.kind == "composite" else pair[::-1])) for pair in ends]
    terms = tuple(wholes.get(term.name, term) for term in model.terms)
    _require_new_variables(model, terms)
    return replace(model, constructs=model.measured, paths=tuple(paths), terms=terms)


def _with_product_items(model: AnyModel, residual: bool) -> AnyModel:
    """Return the model whose products are measured by all products of their factors' items."""

    def measured(term: Term) -> Term:
        if isinstance(term, HigherOrder) or term.items:
            return term
        items = tuple(product(*(model.blocks[factor] for factor in term.factors)))
        return replace(term, items=items, residual=residual)

    terms = tuple(measured(term) for term in model.terms)
    _require_new_variables(model, terms)
    return replace(model, constructs=model.measured, terms=terms)


def _require_new_variables(model: Specification, terms: Sequence[Term]) -> None:
    """Refuse variables made of items that have the name of an item."""
    for term in terms:
        for name in variables_of(term) if term.items else ():
            if name in model.answered:
                raise ModelError(
                    f"The estimator makes a variable {name!r} of the items, and the data have an "
                    "item of that name; give the item another."
                )


def _paths_of_parts(model: Specification) -> Iterator[Path]:
    ends: dict[str, Sequence[str]] = {
        construct.name: (construct.name,) for construct in model.measured
    }
    for term in model.terms:
        ends[term.name] = term.parts if isinstance(term, HigherOrder) else ()
    for path in model.paths:
        for source in ends[path.source]:
            for target in ends[path.target]:
                yield Path(source, target)


def factors_of(model: Specification) -> dict[str, Factors]:
    """Return what each variable of a model that is made of scores is the product of."""
    return {name: factors for term in model.terms for name, factors in variables_of(term).items()}
