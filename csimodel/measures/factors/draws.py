"""Bootstrap draws of rotated loadings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.measures.factors.extraction import Extracted, Extraction, extract
from csimodel.measures.factors.rotation import Rotated, Rotation, rotate_near
from csimodel.moments import CrossProducts, Resampling
from csimodel.progress import progress_bar
from csimodel.survey import Answers

Floats = NDArray[np.float64]


def loading_draws(
    answers: Answers,
    extracted: Extracted,
    rotated: Rotated,
    extraction: Extraction,
    rotation: Rotation,
    draws: int,
    seed: int,
    progress: bool = False,
) -> Floats:
    """Return loadings in draws of the respondents, turned to those of the sample.

    Returns
    -------
    ndarray
        (draws, items, factors); NaN where a draw's correlations are not positive definite or its
        factors were not found.
    """
    samples = CrossProducts.of(answers)
    design = Resampling.of_design(answers.design, draws, seed)
    items, factors = extracted.loadings.shape
    loadings = np.full((draws, items, factors), np.nan)
    with progress_bar(draws, "factors", progress) as bar:
        for span in design.spans():
            cov = samples.resampled(design.copies(span)).cov
            spread = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))
            cor = cov / (spread[:, :, None] * spread[:, None, :])
            usable = np.isfinite(cor).all(axis=(-2, -1))
            usable[usable] = np.linalg.eigvalsh(cor[usable])[:, 0] > 1e-10
            at = np.flatnonzero(usable)
            if len(at):
                own = extract(cor[at], factors, extraction)
                turned = rotate_near(own.loadings, rotation, extracted.loadings, rotated.axes)
                complete = own.converged & turned.converged
                loadings[span.start + at[complete]] = turned.loadings[complete]
            bar.update(span.stop - span.start)
    return in_order(loadings, rotated.loadings)


def in_order(loadings: Floats, sample: Floats) -> Floats:
    """Return the factors of draws in the order and with the signs that are closest to a sample's.

    Examples
    --------
    >>> sample = np.array([[0.8, 0.0], [0.7, 0.1], [0.0, 0.9]])
    >>> in_order(-sample[None, :, ::-1], sample)[0].tolist() == sample.tolist()
    True
    """
    from scipy.optimize import linear_sum_assignment

    products = np.einsum("dij,ik->djk", np.nan_to_num(loadings), sample)
    ordered = np.empty_like(loadings)
    for own, product, aligned in zip(loadings, products, ordered, strict=True):
        _, place = linear_sum_assignment(-np.abs(product.T))
        sign = np.where(product[place, np.arange(len(place))] < 0, -1.0, 1.0)
        aligned[:] = own[:, place] * sign
    return ordered
