"""Loadings of items on one common factor, over a batch of correlation matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators import ML, Status
from csimodel.model import Model, reflective
from csimodel.moments import Moments

Floats = NDArray[np.float64]


def one_factor(cor: Floats) -> Floats:
    """Return standardised loadings by maximum likelihood, (..., items), NaN without a solution.

    Three items have the closed form ``λ₁² = r₁₂ r₁₃ / r₂₃``, which may exceed 1 (a negative error
    variance); two are given equal loadings, the square root of their correlation. The loadings
    sum to a positive number.

    References
    ----------
    Jöreskog, K. G. (1971). Statistical analysis of sets of congeneric tests. Psychometrika 36,
    109-133. https://doi.org/10.1007/BF02291393

    Examples
    --------
    >>> loadings = np.array([0.9, 0.8, 0.7])
    >>> cor = np.outer(loadings, loadings)
    >>> np.fill_diagonal(cor, 1.0)
    >>> one_factor(cor)
    array([0.9, 0.8, 0.7])
    """
    size = cor.shape[-1]
    if size == 2:
        with np.errstate(invalid="ignore"):
            return np.asarray(np.repeat(np.sqrt(cor[..., 0, 1])[..., None], 2, axis=-1))
    if size == 3:
        a, b, c = cor[..., 0, 1], cor[..., 0, 2], cor[..., 1, 2]
        with np.errstate(invalid="ignore", divide="ignore"):
            sizes = np.sqrt(np.stack([a * b / c, a * c / b, b * c / a], axis=-1))
        loadings = sizes * np.stack([np.ones_like(a), np.sign(a), np.sign(b)], axis=-1)
    else:
        loadings = _by_ml(cor)
    with np.errstate(invalid="ignore"):
        return np.asarray(loadings * np.where(loadings.sum(axis=-1, keepdims=True) < 0, -1.0, 1.0))


def _by_ml(cor: Floats) -> Floats:
    names = tuple(f"item {i}" for i in range(cor.shape[-1]))
    lead = cor.shape[:-2]
    rows = np.full(lead, 1000.0)  # only the chi-square depends on it
    unknown = np.full(len(names), np.nan)
    moments = Moments(names, rows, np.zeros(cor.shape[:-1]), cor, unknown, unknown, rows)
    estimates = ML().estimate(moments, Model((reflective("factor", names),)))
    solved = np.asarray(estimates.outcome == Status.CONVERGED)[..., None]
    return np.where(solved, estimates.loadings, np.nan)
