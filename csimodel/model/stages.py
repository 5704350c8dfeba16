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
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from csimodel.model.constructs import Path
from csimodel.model.specification import Specification
from csimodel.model.terms import HigherOrder, Product

AnyModel = TypeVar("AnyModel", bound=Specification)


def stages_of(model: AnyModel) -> tuple[AnyModel, ...]:
    """Return what is estimated one after another: the model alone, or first one without its terms.

    In the first stage a construct that has no path but to a product has no path at all.
    """
    if not model.terms:
        return (model,)
    paths = tuple(dict.fromkeys(_paths_of_parts(model)))
    return replace(model, constructs=model.measured, paths=paths, terms=()), model


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


def factors_of(model: Specification) -> dict[str, tuple[str, ...]]:
    """Return the constructs whose scores each variable of the second stage is the product of.

    One for a part of a construct of constructs, which is a score itself.
    """
    variables: dict[str, tuple[str, ...]] = {}
    for term in model.terms:
        if isinstance(term, Product):
            variables[term.name] = term.factors
        else:
            variables |= {part: (part,) for part in term.parts}
    return variables
