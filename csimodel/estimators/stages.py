"""The stages of a model for a batch of samples: variables made of scores, and what stays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.estimates import Estimates
from csimodel.estimators.product_covariances import needed_products, product_covariances
from csimodel.estimators.weighting import Mode
from csimodel.model import Model
from csimodel.model.stages import factors_of
from csimodel.model.terms import HigherOrder
from csimodel.moments import Moments
from csimodel.moments.score_moments import mean_products, with_residuals, with_scores

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stage:
    """One stage of a model, for a batch of samples.

    Attributes
    ----------
    model, modes
        What is estimated, and the mode of each construct.
    signs
        Loadings that each construct's should point along, (items,).
    before
        What the stage before came to, if there was one.
    start
        Weights to start from, (items, samples); equal where None.
    kept
        Constructs that keep theirs.
    products
        Covariances of products of constructs where they are corrected.
    """

    model: Model
    modes: tuple[Mode, ...]
    signs: Floats
    before: Estimates | None = None
    start: Floats | None = None
    kept: frozenset[str] = frozenset()
    products: Floats | None = None

    def __getitem__(self, own: slice) -> Stage:
        """Return the stage of some of the samples."""
        return replace(
            self,
            before=None if self.before is None else self.before[own],
            start=None if self.start is None else self.start[:, own],
            products=None if self.products is None else self.products[..., own],
        )

    def first_reliability(self, unusable: NDArray[np.bool_]) -> Floats:
        """Return the reliability of each construct of the first stage, 1 without a solution."""
        assert self.before is not None
        return np.where(unusable, 1.0, self.before.reliability.T)

    def starting_weights(self, unusable: NDArray[np.bool_]) -> Floats | None:
        """Return the weights to start from, equal ones in samples without a solution."""
        return None if self.start is None else np.where(unusable, 1.0, self.start)


def repeating(model: Model) -> set[str]:
    """Return the constructs of constructs that repeat the items of their parts."""
    return {term.name for term in model.terms if isinstance(term, HigherOrder) and term.items}


def signs_of(model: Model, known: dict[str, float]) -> Floats:
    """Return loadings to point along, by item; a repeated item has that of the item."""
    if not known:
        return np.ones(len(model.items))
    factors = factors_of(model)
    names = (item if item in known else factors[item].names[0] for item in model.items)
    return np.array([known[name] for name in names])


def score_weights(batch: Moments, first: Model, estimates: Estimates) -> Floats:
    """Return the weights of items in scale units in scores of the first stage.

    Returns
    -------
    (samples, constructs, items), of constructs of items and answered items
    """
    answered = len(first.answered)
    with np.errstate(invalid="ignore", divide="ignore"):
        weights = estimates.weights[:, :answered] / batch.sd
    own = np.arange(len(first.measured))[:, None] == first.owner[:answered]
    return np.where(own, weights[:, None], 0.0)


def with_terms(batch: Moments, model: Model, scores: Floats | None) -> Moments:
    """Return the moments of a batch with the variables that terms are measured by.

    Parameters
    ----------
    scores
        Weights of items in scores of constructs, where the variables are made of those.
    """
    if not model.derived:
        return batch
    variables = factors_of(model)
    constructs = [construct.name for construct in model.measured]
    items = list(dict.fromkeys(n for own in variables.values() if own.items for n in own.names))
    single = np.zeros((len(batch.n), len(items), len(batch.items)))
    places = [batch.items.index(item) for item in items]
    with np.errstate(invalid="ignore", divide="ignore"):
        single[:, range(len(items)), places] = 1.0 / batch.sd[:, places]
    weights = single if scores is None else np.concatenate([single, scores], axis=1)
    numbers = {
        name: [
            items.index(factor) if own.items else len(items) + constructs.index(factor)
            for factor in own.names
        ]
        for name, own in variables.items()
    }
    whole = with_scores(batch, weights, {name: numbers[name] for name in model.derived})
    predictors = {
        item: tuple(map(whole.items.index, names))
        for product, names in model.predictors.items()
        for item in model.blocks[product]
    }
    return with_residuals(whole, predictors)


def corrected_products(
    batch: Moments, model: Model, weights: Floats, estimates: Estimates, corrected: bool
) -> Floats | None:
    """Return covariances of products corrected for error, (constructs, constructs, samples)."""
    if not corrected:
        return None
    terms = [(j,) for j in range(len(model.measured))] + list(model.factors.values())
    needed = needed_products(terms)
    means = dict(zip(needed, mean_products(batch, weights, needed), strict=True))
    with np.errstate(all="ignore"):
        return product_covariances(terms, estimates.reliability.T, {**means, (): batch.n})
