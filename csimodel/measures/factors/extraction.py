"""Common factors of correlation matrices, by maximum likelihood or principal axes, for a batch.

Both are functions of the unique variances alone once the loadings are the best for them, so one
Newton iteration over unique variances, with exact second derivatives, serves either.

References
----------
Jöreskog, K. G. (1967). Some contributions to maximum likelihood factor analysis. Psychometrika 32,
443-482. https://doi.org/10.1007/BF02289658

Clarke, M. R. B. (1970). A rapidly convergent method for maximum-likelihood factor analysis. British
Journal of Mathematical and Statistical Psychology 23, 43-52.
https://doi.org/10.1111/j.2044-8317.1970.tb00434.x

Harman, H. H., Jones, W. H. (1966). Factor analysis by minimizing residuals (minres). Psychometrika
31, 351-368. https://doi.org/10.1007/BF02289468
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Extraction = Literal["ml", "principal-axis"]

LEAST_UNIQUE = 1e-6  # of unit variance; a unique variance at it is a Heywood case
_STEPS = 60
_PRECISION = 1e-7  # of the gradient
_STALLED = 1e-4  # where no step goes lower, by rounding


class Extracted(NamedTuple):
    """Loadings on uncorrelated factors, the largest first.

    Attributes
    ----------
    loadings
        (..., items, factors)
    unique
        Unique variances, (..., items).
    discrepancy
        The value of the fit function: ML's log-likelihood ratio, or half the squared residuals.
    converged
        (...,)
    """

    loadings: Floats
    unique: Floats
    discrepancy: Floats
    converged: NDArray[np.bool_]


class _Curvature(NamedTuple):
    value: Floats
    gradient: Floats
    hessian: Floats
    cautious: Floats  # positive semi-definite in every case


def extract(cor: Floats, factors: int, extraction: Extraction = "ml") -> Extracted:
    """Return the loadings of common factors.

    Parameters
    ----------
    cor
        Correlations, (..., items, items), positive definite.
    factors
        How many.
    extraction
        ``"ml"`` for normal answers; ``"principal-axis"``, iterated till communalities stay, which
        is where the squared residuals are least (minres).

    Examples
    --------
    >>> loadings = np.array([[0.8, 0.7, 0.6, 0.5]]).T
    >>> cor = loadings @ loadings.T
    >>> np.fill_diagonal(cor, 1)
    >>> abs(extract(cor, 1).loadings[:, 0]).round(6)
    array([0.8, 0.7, 0.6, 0.5])
    """
    batch, items = cor.shape[:-2], cor.shape[-1]
    flat = cor.reshape(-1, items, items)
    ml = extraction == "ml"
    smc = 1.0 / np.diagonal(np.linalg.inv(flat), axis1=-2, axis2=-1)
    first = (1.0 - 0.5 * factors / items) * smc if ml else smc
    place = np.clip(first, 1e-3, 1.0)
    converged = np.zeros(len(flat), dtype=np.bool_)
    value = np.full(len(flat), np.inf)
    at = np.arange(len(flat))
    curvature = _curvature(flat, place, factors, ml)
    value[:] = curvature.value
    for _ in range(_STEPS):
        step, size = _newton(curvature, place[at])
        done = size < _PRECISION
        converged[at[done]] = True
        if done.all():
            break
        at, step, size = at[~done], step[~done], size[~done]
        place[at], moved = _line(flat[at], place[at], step, value[at], factors, ml)
        converged[at[~moved]] = size[~moved] < _STALLED
        at = at[moved]
        if not len(at):
            break
        curvature = _curvature(flat[at], place[at], factors, ml)
        value[at] = curvature.value
    loadings = _loadings(flat, place, factors, ml)
    return Extracted(
        loadings.reshape(*batch, items, factors),
        place.reshape(*batch, items),
        value.reshape(batch),
        converged.reshape(batch),
    )


def _roots(cor: Floats, place: Floats, ml: bool) -> tuple[Floats, Floats]:
    """Return eigenvalues and vectors, the largest first, of what is left without unique parts."""
    if ml:
        scale = 1 / np.sqrt(place)
        matrix = cor * scale[:, :, None] * scale[:, None, :]
    else:
        matrix = cor.copy()
        items = np.arange(cor.shape[-1])
        matrix[:, items, items] -= place
    roots, vectors = np.linalg.eigh(matrix)
    return roots[:, ::-1], vectors[:, :, ::-1]


def _curvature(cor: Floats, place: Floats, factors: int, ml: bool) -> _Curvature:
    """Return the fit function with its derivatives by unique variances."""
    roots, vectors = _roots(cor, place, ml)
    inside, outside = vectors[:, :, :factors], vectors[:, :, factors:]
    common, rest = roots[:, :factors], roots[:, factors:]
    product = outside @ np.swapaxes(outside, -1, -2)
    between = common[:, None, :] - rest[:, :, None]
    if ml:
        value = (rest - np.log(rest) - 1).sum(axis=-1)
        gradient = np.einsum("bm,bim->bi", 1 - rest, outside**2)
        weighted = (outside * rest[:, None, :]) @ np.swapaxes(outside, -1, -2)
        hessian = weighted * product
        factor = (1 - rest)[:, :, None] * (rest[:, :, None] + common[:, None, :]) / between
    else:
        value = 0.5 * (rest**2).sum(axis=-1)
        gradient = -np.einsum("bm,bim->bi", rest, outside**2)
        hessian = product**2
        factor = -2 * rest[:, :, None] / between
    for n in range(factors):
        own = (outside * factor[:, None, :, n]) @ np.swapaxes(outside, -1, -2)
        hessian = hessian + own * (inside[:, :, None, n] * inside[:, None, :, n])
    cautious = product**2
    if ml:  # so far by logarithms of unique variances
        scale = place[:, :, None] * place[:, None, :]
        items = np.arange(place.shape[-1])
        hessian[:, items, items] -= gradient
        hessian, cautious, gradient = hessian / scale, cautious / scale, gradient / place
    return _Curvature(value, gradient, hessian, cautious)


def _newton(curvature: _Curvature, place: Floats) -> tuple[Floats, Floats]:
    """Return the step, and how large the gradient is where it can be followed.

    Unique variances at the bound that would leave it stay there.
    """
    items = place.shape[-1]
    held = (place <= LEAST_UNIQUE) & (curvature.gradient > 0)
    gradient = np.where(held, 0.0, curvature.gradient)
    apart = held[:, :, None] | held[:, None, :]
    eye = np.eye(items)
    exact = np.where(apart, eye, curvature.hessian)
    lowest = np.linalg.eigvalsh(exact)[:, 0]
    cautious = np.where(apart, eye, curvature.cautious)
    cautious = cautious + 1e-6 * eye * np.abs(cautious).max(axis=(-2, -1), keepdims=True)
    matrix = np.where((lowest > 1e-8)[:, None, None], exact, cautious)
    step = -np.linalg.solve(matrix, gradient[:, :, None])[:, :, 0]
    return step, np.abs(gradient).max(axis=-1)


def _line(
    cor: Floats, place: Floats, step: Floats, value: Floats, factors: int, ml: bool
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return places no higher along the steps, halved where need be, and whether they moved."""
    place = place.copy()
    waiting, share = np.arange(len(place)), 1.0
    for _ in range(12):
        trial = np.clip(place[waiting] + share * step[waiting], LEAST_UNIQUE, 1.0)
        roots, _ = _roots(cor[waiting], trial, ml)
        rest = roots[:, factors:]
        with np.errstate(invalid="ignore", divide="ignore"):
            reached = (rest - np.log(rest) - 1).sum(-1) if ml else 0.5 * (rest**2).sum(-1)
        lower = reached <= value[waiting] + 1e-14 * np.abs(value[waiting])
        place[waiting[lower]] = trial[lower]
        waiting = waiting[~lower]
        if not len(waiting):
            break
        share /= 2
    moved = np.ones(len(place), dtype=np.bool_)
    moved[waiting] = False
    return place, moved


def _loadings(cor: Floats, unique: Floats, factors: int, ml: bool) -> Floats:
    roots, vectors = _roots(cor, unique, ml)
    common = np.maximum(roots[:, :factors] - ml, 0.0)
    loadings = vectors[:, :, :factors] * np.sqrt(common)[:, None, :]
    return np.asarray(loadings * np.sqrt(unique)[:, :, None] if ml else loadings)
