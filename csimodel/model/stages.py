"""A model compiled to stages: what is estimated together, from moments that follow one another.

The items of the first stage are those of the answers. Those of a later stage are scores of the
stage before, weighted sums of its items, so their moments are a linear map of its moments: of
means m and covariances C the next stage has ``W m`` and ``W C Wᵀ``, with one row of W an item. A
batch of samples goes through all stages together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import ModelError
from csimodel.model.constructs import Construct, Path
from csimodel.model.specification import Specification
from csimodel.model.terms import HigherOrder, Product, parts_of
from csimodel.moments import Moments

Floats = NDArray[np.float64]
AnyModel = TypeVar("AnyModel", bound=Specification)


@dataclass(frozen=True)
class Stage(Generic[AnyModel]):
    """What is estimated together, and where its items come from.

    Attributes
    ----------
    model
        The constructs and paths estimated here, without terms.
    sources
        Of each item of `model`, the items of the stage before that it is a weighted sum of: itself
        in the first stage, none where it is a product.
    """

    model: AnyModel
    sources: tuple[tuple[str, ...], ...]

    def moments(self, before: Moments, weights: Floats | None = None) -> Moments:
        """Return the moments of this stage's items.

        Parameters
        ----------
        before
            Moments of the stage before, (..., items before); of the answers for the first stage.
        weights
            Of the items of the stage before in the scores, in scale units, (..., items before);
            None for the first stage, which takes the answers' items as they are.

        Raises
        ------
        ModelError
            For a product, whose moments follow from no means and covariances.
        """
        items = self.model.items
        if weights is None:
            return before if before.items == items else before.select(items)
        for item, sources in zip(items, self.sources, strict=True):
            if not sources:
                raise ModelError(
                    f"The moments of the product {item!r} do not follow from means and covariances "
                    "of the stage before; fit the model without it."
                )
        chosen = [[name in sources for name in before.items] for sources in self.sources]
        weighting = np.where(chosen, weights[..., None, :], 0.0)
        unknown = np.full(len(items), np.nan)
        return Moments(
            items=items,
            n=before.n,
            mean=np.einsum("...ij,...j->...i", weighting, before.mean),
            cov=weighting @ before.cov @ np.swapaxes(weighting, -1, -2),
            minimum=unknown,
            maximum=unknown,
            effective_n=before.effective_n,
        )


def stages_of(model: AnyModel) -> tuple[Stage[AnyModel], ...]:
    """Return the stages of a model: itself, or for one with terms two.

    First come the constructs of items, with the paths of a construct of constructs led to and from
    each of its parts, and no products. Then come all paths: a construct of items is its score, the
    parts' scores are the items of a construct of constructs, a product is an item of its own.

    References
    ----------
    Sarstedt, M., Hair, J. F., Cheah, J.-H., Becker, J.-M., Ringle, C. M. (2019). How to specify,
    estimate, and validate higher-order constructs in PLS-SEM (disjoint two-stage approach).
    https://doi.org/10.1016/j.ausmj.2019.05.003
    """
    if not model.terms:
        return (Stage(model, tuple((item,) for item in model.items)),)
    first = replace(model, paths=tuple(dict.fromkeys(_paths_of_parts(model))), terms=())
    second = replace(model, constructs=tuple(_constructs_of_scores(model)), terms=())
    blocks = first.own_blocks
    return (
        Stage(first, tuple((item,) for item in first.items)),
        Stage(second, tuple(blocks.get(item, ()) for item in second.items)),
    )


def _paths_of_parts(model: Specification) -> Iterator[Path]:
    ends: dict[str, Sequence[str]] = {name: (name,) for name in model.construct_names}
    for term in model.terms:
        ends[term.name] = term.parts if isinstance(term, HigherOrder) else ()
    for path in model.paths:
        for source in ends[path.source]:
            for target in ends[path.target]:
                yield Path(source, target)


def _constructs_of_scores(model: Specification) -> Iterator[Construct]:
    parts = parts_of(model.terms)
    for name in model.construct_names:
        if name not in parts:
            yield Construct(name, (name,), "single")
    for term in model.terms:
        if isinstance(term, Product):
            yield Construct(term.name, (term.name,), "single")
        else:
            yield Construct(term.name, term.parts, term.kind)
