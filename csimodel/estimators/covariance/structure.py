"""What parameters imply for the moments of items, and how the moments move with them.

``Σ = Λ Φ Λ' + Θ`` with ``Φ = A Ψ A'`` and ``A = (I - B)⁻¹``, and with means ``μ = ν + Λ A α``:
Λ loadings, B paths, Ψ covariances of exogenous constructs and of disturbances, Θ covariances of
errors, ν intercepts of items, α means and intercepts of constructs (Jöreskog 1973; Bollen 1989,
chapters 7 and 8, https://doi.org/10.1002/9781118619179).

Every derivative of Σ has the form ``u v' + v u'``, so gradient and expected information need no
matrices of derivatives, only the vectors u and v. Arrays have the batch in front.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.layout import Layout

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


class Implied(NamedTuple):
    """The matrices that parameters stand for, each with the batch in front."""

    loadings: Floats  # Λ (..., items, constructs)
    paths: Floats  # B (..., constructs, constructs)
    total: Floats  # A (..., constructs, constructs)
    psi: Floats  # Ψ (..., constructs, constructs)
    phi: Floats  # Φ (..., constructs, constructs)
    errors: Floats  # Θ (..., items, items)
    sigma: Floats  # Σ (..., items, items)
    level: Floats  # A α, the constructs' means (..., constructs)
    mean: Floats  # μ (..., items); 0 without a mean structure

    def at(self, who: Indices | slice) -> Implied:
        """Return some samples of a batch."""
        return Implied(*(matrix[who] for matrix in self))


def implied(layout: Layout, parameters: Floats) -> Implied:
    """Return the matrices for parameter vectors (..., parameters)."""
    lead = parameters.shape[:-1]
    free = parameters if layout.plain else parameters[..., layout.target]
    filled = []
    for matrix, (row, column), span in zip(
        layout.matrices, layout.cells, layout.spans, strict=True
    ):
        values = np.empty((*lead, *matrix.shape))
        values[...] = matrix
        if matrix.ndim == 1:
            values[..., row] = free[..., span]
        else:
            values[..., row, column] = free[..., span]
        filled.append(values)
    loadings, paths, psi, errors, intercepts, means = filled
    for matrix, (row, column), span in (
        (psi, layout.cells[2], layout.spans[2]),
        (errors, layout.cells[3], layout.spans[3]),
    ):
        matrix[..., column, row] = free[..., span]
    total = np.asarray(np.linalg.inv(np.eye(paths.shape[-1]) - paths))
    phi = total @ psi @ np.swapaxes(total, -1, -2)
    common = loadings @ phi @ np.swapaxes(loadings, -1, -2)
    if layout.ordered.any():
        own = np.flatnonzero(layout.ordered)
        errors[..., own, own] = 1.0 - common[..., own, own]
    level = (total @ means[..., None])[..., 0]
    mean = intercepts + (loadings @ level[..., None])[..., 0]
    return Implied(loadings, paths, total, psi, phi, errors, common + errors, level, mean)


def directions(layout: Layout, at: Implied) -> tuple[Floats, Floats]:
    """Return u and v of every free cell, each (..., items, cells): ``∂Σ = u v' + v u'``."""
    lead, items = at.sigma.shape[:-2], at.sigma.shape[-1]
    u = np.zeros((*lead, items, len(layout.target)))
    v = np.zeros_like(u)
    reach, cross = at.loadings @ at.total, at.loadings @ at.phi
    lam, beta, psi, theta, _, _ = layout.spans
    (item, own), (to, of), (m, k), (i, j) = layout.cells[:4]
    u[..., item, np.arange(lam.start, lam.stop)] = 1.0
    v[..., lam] = cross[..., own]
    u[..., beta] = reach[..., to]
    v[..., beta] = cross[..., of]
    u[..., psi] = reach[..., m]
    v[..., psi] = reach[..., k] * np.where(m == k, 0.5, 1.0)
    u[..., i, np.arange(theta.start, theta.stop)] = 1.0
    v[..., j, np.arange(theta.start, theta.stop)] = np.where(i == j, 0.5, 1.0)
    return u, v


def mean_slopes(layout: Layout, at: Implied) -> Floats:
    """Return the derivatives of μ by every free cell, (..., items, cells)."""
    lead, items = at.sigma.shape[:-2], at.sigma.shape[-1]
    slopes = np.zeros((*lead, items, len(layout.target)))
    reach = at.loadings @ at.total
    lam, beta, _, _, nu, alpha = layout.spans
    (item, own), (to, of) = layout.cells[:2]
    slopes[..., item, np.arange(lam.start, lam.stop)] = at.level[..., own]
    slopes[..., beta] = reach[..., to] * at.level[..., None, of]
    slopes[..., layout.cells[4][0], np.arange(nu.start, nu.stop)] = 1.0
    slopes[..., alpha] = reach[..., layout.cells[5][0]]
    return slopes


def moment_slopes(layout: Layout, at: Implied) -> Floats:
    """Return Δ, the derivatives of the moments by the parameters, (..., moments, parameters).

    The moments are the means, where they are modelled, and below them vech Σ in the order of
    `vech`.
    """
    u, v = directions(layout, at)
    row, column = vech(at.sigma.shape[-1])
    slopes = u[..., row, :] * v[..., column, :] + u[..., column, :] * v[..., row, :]
    if layout.mean_structure:
        slopes = np.concatenate([mean_slopes(layout, at), slopes], axis=-2)
    return layout.columns(slopes)


def moments_vector(cov: Floats, mean: Floats | None) -> Floats:
    """Return ``(mean ; vech cov)``, (..., moments), or vech cov alone."""
    row, column = vech(cov.shape[-1])
    lower = np.asarray(cov[..., row, column])
    return lower if mean is None else np.concatenate([mean, lower], axis=-1)


def vech(size: int) -> tuple[Indices, Indices]:
    """Return rows and columns of the lower triangle, column by column: the order of vech."""
    column, row = np.triu_indices(size)
    return row, column


def second_order(layout: Layout, at: Implied, residual: Floats, pull: Floats | None) -> Floats:
    """Return ``tr(G Σₐᵦ) + g' μₐᵦ`` over cells, (..., cells, cells).

    `residual` is G, symmetric, (..., items, items); `pull` is g, (..., items), or None.
    """
    reach, cross = at.loadings @ at.total, at.loadings @ at.phi
    g_reach, g_cross = residual @ reach, residual @ cross
    among = np.swapaxes(reach, -1, -2) @ g_reach
    mixed = np.swapaxes(reach, -1, -2) @ g_cross
    (item, own), (to, of), (m, k) = layout.cells[:3]
    total, phi = at.total, at.phi
    once = np.where(m == k, 0.5, 1.0)
    cells = len(layout.target)
    second = np.zeros((*at.sigma.shape[:-2], cells, cells))
    lam, beta, psi, _, _, _ = layout.spans
    second[..., lam, lam] = _pick(residual, item, item) * _pick(phi, own, own)
    second[..., lam, beta] = _pick(total, own, to) * _pick(g_cross, item, of)
    second[..., lam, beta] += _pick(phi, own, of) * _pick(g_reach, item, to)
    second[..., lam, psi] = _pick(total, own, m) * _pick(g_reach, item, k)
    second[..., lam, psi] += _pick(total, own, k) * _pick(g_reach, item, m)
    second[..., lam, psi] *= once
    back = np.swapaxes(_pick(total, of, to), -1, -2) * np.swapaxes(_pick(mixed, to, of), -1, -2)
    second[..., beta, beta] = back + np.swapaxes(back, -1, -2)
    second[..., beta, beta] += _pick(phi, of, of) * _pick(among, to, to)
    second[..., beta, psi] = _pick(total, of, m) * _pick(among, to, k)
    second[..., beta, psi] += _pick(total, of, k) * _pick(among, to, m)
    second[..., beta, psi] *= once
    second *= 2.0
    if pull is not None:
        _second_order_of_means(layout, at, reach, pull, second)
    second[..., beta, lam] = np.swapaxes(second[..., lam, beta], -1, -2)
    second[..., psi, lam] = np.swapaxes(second[..., lam, psi], -1, -2)
    second[..., psi, beta] = np.swapaxes(second[..., beta, psi], -1, -2)
    return second


def _second_order_of_means(
    layout: Layout, at: Implied, reach: Floats, pull: Floats, second: Floats
) -> None:
    """Add ``g' μₐᵦ`` in place, the blocks above the diagonal and that of paths."""
    (item, own), (to, of) = layout.cells[:2]
    latent = layout.cells[5][0]
    lam, beta, _, _, _, alpha = layout.spans
    pulled = (pull[..., None, :] @ reach)[..., 0, :]  # g' Λ A
    level, total = at.level, at.total
    by_item = pull[..., item, None]
    second[..., lam, beta] += by_item * _pick(total, own, to) * level[..., None, of]
    second[..., lam, alpha] = by_item * _pick(total, own, latent)
    ahead = pulled[..., to, None] * _pick(total, of, to) * level[..., None, of]
    second[..., beta, beta] += ahead + np.swapaxes(ahead, -1, -2)
    second[..., beta, alpha] = pulled[..., to, None] * _pick(total, of, latent)
    second[..., alpha, lam] = np.swapaxes(second[..., lam, alpha], -1, -2)
    second[..., alpha, beta] = np.swapaxes(second[..., beta, alpha], -1, -2)


def _pick(matrix: Floats, rows: Indices, columns: Indices) -> Floats:
    return np.asarray(matrix[..., rows[:, None], columns])
