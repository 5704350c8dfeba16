"""PLSc: the correction of PLS for measurement error, a step of its own after the weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.bounds import BOUNDS
from csimodel.estimators.estimates import Inadmissible
from csimodel.estimators.structural import pivots_last
from csimodel.model import Model
from csimodel.model.stages import factors_of
from csimodel.model.terms import parts_of

Floats = NDArray[np.float64]


def correct(
    model: Model, weights: Floats, loadings: Floats, cor: Floats
) -> tuple[Floats, Floats, Floats]:
    """Correct reflective constructs for measurement error (Dijkstra & Henseler 2015, PLSc).

    With w the weights of one construct, scaled to unit score variance,
    ``rho_A = (w'w)² (1 - w'w) / ((w'w)² - Σ w⁴)``; loadings become ``w sqrt(rho_A) / w'w``, and
    correlations are divided by the square roots of both reliabilities.

    Returns
    -------
    Loadings, correlations and reliabilities.
    """
    reliability = rho_a(model, weights)
    corrected = loadings.copy()
    square = sum_blocks(weights**2, model)
    for j, (construct, block) in enumerate(zip(model.constructs, model.slices, strict=True)):
        if construct.kind == "reflective":
            corrected[block] = weights[block] * (np.sqrt(reliability[j]) / square[j])
        else:
            reliability[j] = 1.0
    root = np.sqrt(reliability)
    disattenuated = cor / (root * root[:, None])
    own = np.arange(len(disattenuated))
    disattenuated[own, own] = 1.0
    return corrected, disattenuated, reliability


def correct_products(
    model: Model, covariances: Floats, variances: Floats, reliability: Floats, cor: Floats
) -> None:
    """Put what is known of products of constructs into reliabilities and correlations.

    The reliability of a product's score is the square of its correlation with the product of the
    constructs, where that of each factor goes with the construct: with Q the product of the
    factors' reliabilities, ``Q var(product) / var(product of scores)``.

    Parameters
    ----------
    covariances
        Of products with all constructs, as `product_covariances` returns them.
    variances
        Of the products of scores, (products, samples).
    reliability, cor
        Of all constructs; those of products are written.
    """
    sd = np.ones_like(reliability)
    for k, (name, j) in enumerate(model.products.items()):
        sd[j] = np.sqrt(covariances[j, j])
        factors = np.prod([reliability[i] for i in model.factors[name]], axis=0)
        reliability[j] = factors * covariances[j, j] / variances[k]
    for j in model.products.values():
        cor[j] = cor[:, j] = covariances[j] / (sd * sd[j])
        cor[j, j] = 1.0


def freed_of_error(model: Model, cor: Floats, reliability: Floats) -> Floats:
    """Free correlations between items of different constructs of the constructs' errors.

    The score of a part counts as an item of the part: it stands for the part itself, without error,
    and what a construct of constructs is made of beside it are the other constructs themselves
    (van Riel, Henseler, Kemény & Sasovova 2017, https://doi.org/10.1108/IMDS-07-2016-0286).

    Parameters
    ----------
    cor
        Of the items and of the parts' scores, (items, items, samples).
    reliability
        Of the first stage's constructs, (constructs, samples).
    """
    owner = _measured_owner(model)
    root = np.sqrt(reliability)[owner]
    apart = (owner[:, None] != owner)[..., None]
    return np.asarray(np.where(apart, cor / (root * root[:, None]), cor))


def correct_orders(
    model: Model, weights: Floats, loadings: Floats, cor: Floats, reliability: Floats
) -> tuple[Floats, Floats, Floats]:
    """Correct a model with constructs of constructs, whose parts are free of error already.

    A reflective construct of constructs is corrected for what its parts do not share, by rho_A of
    the parts; it correlates with its own parts by their loadings. A composite of constructs is what
    its parts make it.

    Returns
    -------
    Loadings, correlations, and the reliabilities that the score of a construct of constructs would
    have if the parts' scores were without error.
    """
    corrected, _, own = correct(model, weights, loadings, cor)
    measured = len(model.measured)
    root = np.sqrt(np.concatenate([np.ones_like(own[:measured]), own[measured:]]))
    own[:measured] = reliability
    disattenuated = cor / (root * root[:, None])
    for whole, items, parts in _orders(model):
        disattenuated[whole, parts] = disattenuated[parts, whole] = corrected[items]
    at = np.arange(len(cor))
    disattenuated[at, at] = 1.0
    return corrected, disattenuated, own


def weights_of_scores(model: Model, weights: Floats, cor: Floats, reliability: Floats) -> Floats:
    """Weigh the parts' scores so that their sum is what `weights` make of the parts, and error.

    The weight of a part goes to its score divided by the root of its reliability, and all of a
    construct's are scaled to a score of variance 1; `reliability`, of the constructs of constructs
    if the parts were known, is written as that of this score: divided by its variance before.

    Parameters
    ----------
    weights
        Of the parts themselves, (items, samples).
    cor
        Of the items and of the parts' scores, (items, items, samples).
    reliability
        (constructs, samples)
    """
    observed = weights.copy()
    for whole, items, parts in _orders(model):
        own = weights[items] / np.sqrt(reliability[parts])
        variance = np.einsum("id,ijd,jd->d", own, cor[items][:, items], own)
        observed[items] = own / np.sqrt(variance)
        reliability[whole] /= variance
    return observed


def _orders(model: Model) -> list[tuple[int, list[int], list[int]]]:
    """Return each construct of constructs, its items and the parts whose scores they are."""
    names = model.construct_names
    return [
        (
            names.index(whole.name),
            [model.items.index(part) for part in whole.parts],
            [names.index(part) for part in whole.parts],
        )
        for whole in model.wholes
    ]


def _measured_owner(model: Model) -> NDArray[np.intp]:
    """Return the construct of items that each item belongs to, the score of a part to the part."""
    scores = factors_of(model)
    owner = np.array(model.owner)
    for item, own in scores.items():
        owner[model.items.index(item)] = model.construct_names.index(own.names[0])
    return owner


def inadmissible(
    model: Model, loadings: Floats, cor: Floats, reliability: Floats
) -> NDArray[np.int64]:
    """Return `Inadmissible` flags of what was corrected, (samples,).

    Correlations of parts are left out: a construct that they make has nothing beside them.
    """
    flags = np.zeros(cor.shape[-1], dtype=np.int64)
    flags |= Inadmissible.RELIABILITY * BOUNDS["reliability"].above(reliability).any(axis=0)
    flags |= Inadmissible.LOADING * BOUNDS["loading"].beyond(loadings).any(axis=0)
    parts = parts_of(model.terms)
    own = [j for j, name in enumerate(model.construct_names) if name not in parts]
    pivots = pivots_last(cor[np.ix_(own, own)] if parts else cor)
    flags |= Inadmissible.NOT_POSITIVE_DEFINITE * ~(pivots > 0).all(axis=0)
    return flags


def rho_a(model: Model, weights: Floats) -> Floats:
    """Return Dijkstra and Henseler's rho_A from mode A weights, (constructs, draws).

    Single items have 1.
    """
    square = sum_blocks(weights**2, model)
    fourth = sum_blocks(weights**4, model)
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = square**2 * (1.0 - square) / (square**2 - fourth)
    for j, block in enumerate(model.slices):
        if block.stop - block.start == 1:
            rho[j] = 1.0
    return np.asarray(rho)


def sum_blocks(values: Floats, model: Model) -> Floats:
    """Sum item values within constructs, (items, draws) to (constructs, draws)."""
    return np.add.reduceat(values, [block.start for block in model.slices], axis=0)
