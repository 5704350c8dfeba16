"""PLSc: the correction of PLS for measurement error, a step of its own after the weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.bounds import BOUNDS
from csimodel.estimators.estimates import Inadmissible
from csimodel.estimators.structural import pivots_last
from csimodel.model import Model

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


def inadmissible(loadings: Floats, cor: Floats, reliability: Floats) -> NDArray[np.int64]:
    """Return `Inadmissible` flags of what was corrected, (samples,)."""
    flags = np.zeros(cor.shape[-1], dtype=np.int64)
    flags |= Inadmissible.RELIABILITY * BOUNDS["reliability"].above(reliability).any(axis=0)
    flags |= Inadmissible.LOADING * BOUNDS["loading"].beyond(loadings).any(axis=0)
    flags |= Inadmissible.NOT_POSITIVE_DEFINITE * ~(pivots_last(cor) > 0).all(axis=0)
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
