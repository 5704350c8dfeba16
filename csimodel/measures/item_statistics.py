"""Statistics of the items of a scale from their covariances, for a batch.

References
----------
Cronbach, L. J. (1951). Coefficient alpha and the internal structure of tests. Psychometrika 16,
297-334. https://doi.org/10.1007/BF02310555

McDonald, R. P. (1999). Test Theory, chapter 6 (omega). Erlbaum.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.measures.factors.extraction import extract

Floats = NDArray[np.float64]

_DEPENDENT = 1e-10  # eigenvalue of a correlation matrix up to which items depend on one another


def alpha_of(cov: Floats) -> Floats:
    """Return Cronbach's alpha of the items' sum, (...,); NaN of a single item.

    ``p/(p - 1) (1 - Σ variances / variance of the sum)``

    Examples
    --------
    >>> round(float(alpha_of(np.full((3, 3), 0.5) + 0.5 * np.eye(3))), 4)
    0.75
    """
    items = cov.shape[-1]
    if items < 2:
        return np.full(cov.shape[:-2], np.nan)
    trace = np.trace(cov, axis1=-2, axis2=-1)
    return np.asarray(items / (items - 1) * (1 - trace / cov.sum(axis=(-2, -1))))


def squared_multiple(cor: Floats) -> Floats:
    """Return the squared multiple correlation of each item with the others, (items,).

    ``1 - 1/(R⁻¹)_jj``; NaN of an item that has part in a linear dependency, which the others would
    predict without error. Of any other it is that with the directions there are.

    Examples
    --------
    >>> squared_multiple(np.array([[1, 0.6], [0.6, 1]])).round(4).tolist()
    [0.36, 0.36]
    >>> squared_multiple(np.ones((2, 2))).tolist()
    [nan, nan]
    """
    if not np.isfinite(cor).all():
        return np.full(len(cor), np.nan)
    values, vectors = np.linalg.eigh(cor)
    none = values < _DEPENDENT
    if not none.any():
        return np.asarray(1 - 1 / np.diagonal(np.linalg.inv(cor)))
    inverse = (vectors[:, ~none] ** 2 / values[~none]).sum(axis=1)
    part = (vectors[:, none] ** 2).sum(axis=1) > _DEPENDENT
    return np.asarray(np.where(part, np.nan, 1 - 1 / inverse))


def omega_of(cov: Floats) -> Floats:
    """Return McDonald's omega of the standardised items' sum, (...,), by one minres factor.

    ``(Σ λ)²/((Σ λ)² + Σ ψ)``; NaN of fewer than 3 items, which one factor cannot be told from.

    Examples
    --------
    >>> loadings = np.array([[0.8, 0.7, 0.6]]).T
    >>> cor = loadings @ loadings.T
    >>> np.fill_diagonal(cor, 1)
    >>> round(float(omega_of(cor)), 4), round(2.1**2 / (2.1**2 + 3 - 1.49), 4)
    (0.7449, 0.7449)
    """
    items = cov.shape[-1]
    omega = np.full(cov.shape[:-2], np.nan)
    if items < 3:
        return omega
    spread = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))
    cor = (cov / (spread[..., :, None] * spread[..., None, :])).reshape(-1, items, items)
    usable = np.isfinite(cor).all(axis=(-2, -1))
    usable[usable] = np.linalg.eigvalsh(cor[usable])[:, 0] > _DEPENDENT
    if usable.any():
        factor = extract(cor[usable], 1, "principal-axis")
        common = factor.loadings[..., 0].sum(axis=-1) ** 2
        own = np.where(factor.converged, common / (common + factor.unique.sum(axis=-1)), np.nan)
        omega.reshape(-1)[usable] = own
    return omega


def without_each(cov: Floats) -> list[Floats]:
    """Return covariances with each item left out in turn."""
    items = np.arange(cov.shape[-1])
    return [cov[..., items != k, :][..., items != k] for k in items]


def item_totals(cov: Floats) -> Floats:
    """Return the correlation of each item with the sum of the others, (..., items).

    Examples
    --------
    >>> item_totals(np.full((3, 3), 0.5) + 0.5 * np.eye(3)).round(4)
    array([0.5774, 0.5774, 0.5774])
    """
    variance = np.diagonal(cov, axis1=-2, axis2=-1)
    with_others = cov.sum(axis=-1) - variance
    rest = cov.sum(axis=(-2, -1))[..., None] - 2 * with_others - variance
    return np.asarray(with_others / np.sqrt(variance * rest))


def alphas_without(cov: Floats) -> Floats:
    """Return alpha with each item left out, (..., items)."""
    return np.stack([alpha_of(part) for part in without_each(cov)], axis=-1)


def omegas_without(cov: Floats) -> Floats:
    """Return omega with each item left out, (..., items)."""
    return np.stack([omega_of(part) for part in without_each(cov)], axis=-1)


def shorter_scales(cov: Floats) -> list[tuple[int, ...]]:
    """Return positions of the items of ever shorter scales, one fewer each, down to 2.

    The item goes without which alpha of the others is highest.

    Examples
    --------
    >>> cov = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    >>> cov[3, :3] = cov[:3, 3] = 0.1
    >>> shorter_scales(cov)[0]
    (0, 1, 2)
    """
    places = tuple(range(len(cov)))
    scales = []
    while len(places) > 2:
        left = alphas_without(cov[np.ix_(places, places)])
        out = int(np.argmax(left))
        places = places[:out] + places[out + 1 :]
        scales.append(places)
    return scales
