"""Constructs of constructs as factors that lead to their parts, as covariance structures have them.

``η₂ = Γ ξ + ζ``: a part is explained by the construct it measures, and what is left of it is its
own. A factor without items has loadings of 0 here, on items of its parts, so that the model is one
of constructs of items and estimated in one stage.

References
----------
Rindskopf, D., Rose, T. (1988). Some theory and applications of confirmatory second-order factor
analysis. Multivariate Behavioral Research 23, 51-67. https://doi.org/10.1207/s15327906mbr2301_3
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from csimodel.errors import ModelError
from csimodel.model.constructs import Construct, Path
from csimodel.model.parameters import Parameter
from csimodel.model.specification import Specification
from csimodel.model.terms import HigherOrder

AnyModel = TypeVar("AnyModel", bound=Specification)


def with_factors_of_constructs(model: AnyModel, label: str, marker: bool = True) -> AnyModel:
    """Return the model whose constructs of constructs are factors with paths to their parts.

    A model with products, or without constructs of constructs, is returned as it is.

    Parameters
    ----------
    model
        As it is written.
    label
        What the estimator is called, for messages.
    marker
        Whether the path to the first part is 1; else the scale comes from elsewhere.

    Raises
    ------
    ModelError
        For a composite of constructs, and where no construct has two items to stand in.

    Examples
    --------
    >>> from csimodel.model import Model
    >>> model = Model.from_syntax("A =~ a1 + a2; B =~ b1 + b2; C =~ c1; Q =~ A + B; C ~ Q")
    >>> print(with_factors_of_constructs(model, "ML"))
    A =~ a1 + a2
    B =~ b1 + b2
    C =~ c1
    Q =~ 0*a1 + 0*b1
    A ~ 1*Q
    B ~ Q
    C ~ Q
    """
    wholes = tuple(term for term in model.terms if isinstance(term, HigherOrder))
    if not wholes or len(wholes) < len(model.terms):
        return model
    factors: list[Construct] = []
    paths, parameters = list(model.paths), list(model.parameters)
    for whole in wholes:
        if whole.kind == "composite":
            raise ModelError(
                f"{label} takes constructs of constructs as common factors, and {whole.name!r} is "
                "a composite (<~); define it with =~, or fit with csi.PLS()."
            )
        items = _items_of(model, whole)
        factors.append(Construct(whole.name, items, "reflective"))
        parameters += [Parameter(whole.name, "=~", item, fixed=(0.0,)) for item in items]
        paths += [Path(whole.name, part) for part in whole.parts]
        if marker:
            parameters.append(Parameter(whole.parts[0], "~", whole.name, fixed=(1.0,)))
        else:  # a start that says which way the factor points
            parameters += [Parameter(part, "~", whole.name, start=(1.0,)) for part in whole.parts]
    return replace(
        model,
        constructs=(*model.measured, *factors),
        paths=tuple(paths),
        parameters=tuple(parameters),
        terms=(),
    )


def _items_of(model: Specification, whole: HigherOrder) -> tuple[str, str]:
    """Return two items that a factor of constructs has loadings of 0 on."""
    several = [
        construct
        for construct in model.measured
        if construct.kind == "reflective" and len(construct.items) > 1
    ]
    own = [construct for construct in several if construct.name in whole.parts]
    for among in (own, several):
        if len(among) > 1:
            return among[0].items[0], among[1].items[0]
        if among:
            return among[0].items[0], among[0].items[1]
    raise ModelError(
        f"{whole.name!r} is made of constructs of one item each; define it by those items, with =~."
    )
