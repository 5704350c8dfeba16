"""Composites in a covariance structure: the cells of its matrices that follow from their weights.

A composite ``η = w'x`` of a block of items with covariances T carries all covariances of its items
with those of other blocks. With ``g = Tw`` and ``v = w'Tw``, the variance of η::

    Λ = g / v,   Θ = T - gg'/v,   so that the block's part of Σ is T,

and the variance ψ of η, or of its disturbance, makes ``(AΨA')`` at η equal to v. So a composite is
the factor of Henseler and Ogasawara's specification, whose error covariances have one rank less
than its items: the same Σ, with weights as parameters.

References
----------
Schuberth, F. (2023). The Henseler-Ogasawara specification of composites in structural equation
modeling: A tutorial. Psychological Methods 28, 843-859. https://doi.org/10.1037/met0000432

Schamberger, T., Schuberth, F., Henseler, J., Rosseel, Y. (2025). Structural equation modeling with
composites. British Journal of Mathematical and Statistical Psychology.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.layout import Composite, ParameterLayout

Floats = NDArray[np.float64]


class _Block(NamedTuple):
    """A composite's w, T, ``g = Tw`` and ``v = w'Tw``, with the batch in front."""

    weights: Floats  # (..., items)
    cov: Floats  # (..., items, items)
    towards: Floats  # (..., items)
    variance: Floats  # (...,)


class _BlockSlopes(NamedTuple):
    """Derivatives of a block by the parameters."""

    weights: Floats  # (items, size)
    cov: Floats  # (items, items, size)
    moved: Floats  # (∂T) w (..., items, size)
    towards: Floats  # (..., items, size)
    variance: Floats  # (..., size)


def fill(
    layout: ParameterLayout,
    values: Floats,
    total: Floats,
    loadings: Floats,
    psi: Floats,
    errors: Floats,
) -> None:
    """Fill Λ, Ψ and Θ with what follows from composites, in place.

    Parameters
    ----------
    values
        Of all rows, (..., rows).
    total
        ``A = (I - B)⁻¹``, (..., constructs, constructs).
    """
    blocks = [_block(composite, values) for composite in layout.composites]
    own = _constructs(layout)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for composite, block in zip(layout.composites, blocks, strict=True):
            items, v = composite.items, block.variance[..., None]
            loadings[..., items, composite.construct] = block.towards / v
            outer = block.towards[..., :, None] * block.towards[..., None, :] / v[..., None]
            errors[..., items[:, None], items] = block.cov - outer
        psi[..., own, own] = 0.0
        others = ((total @ psi) * total).sum(axis=-1)[..., own]
        left = np.stack([block.variance for block in blocks], axis=-1) - others
    psi[..., own, own] = np.linalg.solve(_shares(total, own), left[..., None])[..., 0]


def cell_slopes(layout: ParameterLayout, values: Floats, total: Floats, phi: Floats) -> Floats:
    """Return the derivatives of all cells by the parameters, (..., cells, size).

    ψ of composites moves so that ``∂(AΨA') = ∂v`` at them.
    """
    slopes = np.empty((*values.shape[:-1], *layout.spread.shape))
    slopes[...] = layout.spread
    of_variances = []
    pairs = zip(layout.composites, layout.composite_cells, strict=True)
    for composite, cells in pairs:
        block = _block(composite, values)
        moves = _block_slopes(layout, composite, block)
        row, column = np.tril_indices(len(composite.items))
        v, g = block.variance[..., None, None], block.towards[..., None]
        dg, dv = moves.towards, moves.variance[..., None, :]
        slopes[..., cells.loadings, :] = dg / v - g * dv / v**2
        first, second = g[..., row, :], g[..., column, :]
        outer = dg[..., row, :] * second + first * dg[..., column, :]
        slopes[..., cells.errors, :] = (
            moves.cov[row, column] - outer / v + first * second * dv / v**2
        )
        of_variances.append(moves.variance)
    own = _constructs(layout)
    _, beta, psi, *_ = layout.spans
    (to, of), (m, k) = layout.cells[1:3]
    by_cell = np.zeros((*values.shape[:-1], len(own), len(layout.target)))
    whole = total[..., own, :]
    by_cell[..., beta] = 2.0 * whole[..., to] * phi[..., own, :][..., of]
    by_cell[..., psi] = np.where(m == k, 1.0, 2.0) * whole[..., m] * whole[..., k]
    moved = np.stack(of_variances, axis=-2) - by_cell @ slopes
    variances = [cells.variance for cells in layout.composite_cells]
    slopes[..., variances, :] = np.linalg.solve(_shares(total, own), moved)
    return slopes


def cell_curvature(
    layout: ParameterLayout,
    values: Floats,
    total: Floats,
    phi: Floats,
    slopes: Floats,
    gradient: Floats,
) -> Floats:
    """Return ``Σ gradient ∂²cell`` over the cells that follow from composites, (..., size, size).

    Those of ψ are implicit: with multipliers μ that turn ``∂(AΨA')`` at composites into ∂ψ, the
    sum is that of ``μ (∂²v - ∂²(AΨA'))``, the latter along the slopes of all cells.

    Parameters
    ----------
    slopes
        Those of `cell_slopes`.
    gradient
        Of the discrepancy by all cells, (..., cells).
    """
    own = _constructs(layout)
    variances = [cells.variance for cells in layout.composite_cells]
    pull = gradient[..., variances, None]
    solved = np.linalg.solve(np.swapaxes(_shares(total, own), -1, -2), pull)
    multipliers = np.asarray(solved[..., 0], dtype=np.float64)
    curvature = -_curvature_of_constructs(layout, total, phi, slopes, own, multipliers)
    pairs = zip(layout.composites, layout.composite_cells, strict=True)
    for position, (composite, cells) in enumerate(pairs):
        block = _block(composite, values)
        moves = _block_slopes(layout, composite, block)
        row, column = np.tril_indices(len(composite.items))
        half = np.where(row == column, 1.0, 0.5) * gradient[..., cells.errors]
        inner = np.empty_like(block.cov)
        inner[..., row, column] = inner[..., column, row] = half
        curvature += _curvature_of_block(
            block, moves, gradient[..., cells.loadings], inner, multipliers[..., position]
        )
    return curvature


def _curvature_of_block(
    block: _Block, moves: _BlockSlopes, outer: Floats, inner: Floats, multiplier: Floats
) -> Floats:
    """Return ``a'∂²λ + tr(N ∂²Θ) + μ ∂²v``, (..., size, size), a `outer` and N `inner`."""
    v, g, dg, dv = block.variance, block.towards, moves.towards, moves.variance
    bent = (inner @ g[..., None])[..., 0]
    along, across = (outer * g).sum(axis=-1), (bent * g).sum(axis=-1)
    by_v = v[..., None, None]
    pulled = outer / v[..., None] - 2.0 * bent / v[..., None]
    turned = np.einsum("...i,ijs->...js", pulled, moves.cov)
    whole = _both(np.swapaxes(turned, -1, -2) @ moves.weights)
    whole -= 2.0 * (np.swapaxes(dg, -1, -2) @ inner @ dg) / by_v
    mixed = ((2.0 * bent - outer)[..., None, :] @ dg)[..., 0, :]
    whole += _both(mixed[..., :, None] * dv[..., None, :]) / by_v**2
    crossed = np.swapaxes(moves.moved, -1, -2) @ moves.weights
    of_variance = 2.0 * (moves.weights.T @ block.cov @ moves.weights + _both(crossed))
    factor = (across - along) / v**2 + multiplier
    whole += factor[..., None, None] * of_variance
    twice = 2.0 * (along - across) / v**3
    whole += twice[..., None, None] * (dv[..., :, None] * dv[..., None, :])
    return np.asarray(whole)


def _curvature_of_constructs(
    layout: ParameterLayout,
    total: Floats,
    phi: Floats,
    slopes: Floats,
    own: list[int],
    multipliers: Floats,
) -> Floats:
    """Return ``Σ μ ∂²(AΨA')`` at composites along the slopes of B and Ψ, (..., size, size)."""
    _, beta, psi, *_ = layout.spans
    (to, of), (m, k) = layout.cells[1:3]
    size, constructs = slopes.shape[-1], total.shape[-1]
    by_paths, by_covariances = np.zeros((2, *slopes.shape[:-2], size, constructs, constructs))
    by_paths[..., to, of] = np.swapaxes(slopes[..., beta, :], -1, -2)
    by_covariances[..., m, k] = by_covariances[..., k, m] = np.swapaxes(slopes[..., psi, :], -1, -2)
    weighted = np.zeros(total.shape)
    weighted[..., own, own] = multipliers
    weighted = weighted @ total  # D A

    def products(left: Floats, right: Floats) -> Floats:
        """Return ``tr(left right')`` for all pairs, (..., size, size)."""
        flat = [part.reshape(*part.shape[:-2], constructs**2) for part in (left, right)]
        return np.asarray(flat[0] @ np.swapaxes(flat[1], -1, -2))

    inside = (np.swapaxes(total, -1, -2) @ weighted)[..., None, :, :] @ by_paths
    beyond = total[..., None, :, :]
    around = (phi @ weighted)[..., None, :, :] @ by_paths @ beyond
    whole = _both(products(around, np.swapaxes(by_paths, -1, -2)))
    whole += products(inside @ phi[..., None, :, :], by_paths)
    whole += _both(products(inside @ beyond, by_covariances))
    return 2.0 * whole


def _constructs(layout: ParameterLayout) -> list[int]:
    return [composite.construct for composite in layout.composites]


def _shares(total: Floats, own: list[int]) -> Floats:
    """Return by how much ``AΨA'`` at composites moves with their ψ, (..., those, those)."""
    place = np.array(own)
    return np.asarray(total[..., place[:, None], place] ** 2)


def _block(composite: Composite, values: Floats) -> _Block:
    row, column = np.tril_indices(len(composite.items))
    weights = values[..., composite.weights]
    cov = np.empty((*weights.shape, len(composite.items)))
    cov[..., row, column] = cov[..., column, row] = values[..., composite.within]
    towards = (cov @ weights[..., None])[..., 0]
    return _Block(weights, cov, towards, (towards * weights).sum(axis=-1))


def _block_slopes(layout: ParameterLayout, composite: Composite, block: _Block) -> _BlockSlopes:
    row, column = np.tril_indices(len(composite.items))
    weights = layout.row_slopes[composite.weights]
    cov = np.empty((len(composite.items), *weights.shape))
    cov[row, column] = cov[column, row] = layout.row_slopes[composite.within]
    moved = np.einsum("iks,...k->...is", cov, block.weights)
    towards = block.cov @ weights + moved
    of_weights = 2.0 * (block.towards[..., None, :] @ weights)[..., 0, :]
    of_cov = (block.weights[..., None, :] @ moved)[..., 0, :]
    return _BlockSlopes(weights, cov, moved, towards, of_weights + of_cov)


def _both(matrix: Floats) -> Floats:
    """Return a matrix and its transpose together."""
    return np.asarray(matrix + np.swapaxes(matrix, -1, -2))
