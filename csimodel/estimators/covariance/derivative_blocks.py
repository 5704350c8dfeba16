"""Where the derivatives of a covariance structure are found.

The frame of a model is the matrix ``F = [ΛA | ΛΦ | I]``, (items, columns). The derivative of Σ by
every parameter is ``h (u v' + v u')`` and that of μ is ``ℓ u``, with u and v columns of F, so all
that gradients and Hessians need is picked from small products such as ``F' Σ⁻¹ F``. The columns
move with the parameters themselves: ``∂Fc/∂θᵦ = hᵦ (uᵦ Xᵦc + vᵦ Yᵦc)``, where X and Y are picked
from ``A = (I - B)⁻¹`` and ``Φ = A Ψ A'``, which gives second derivatives.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.layout import ParameterLayout

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


class Pairs(NamedTuple):
    """A symmetric product P of the frame, u'Pu, u'Pv, … for pairs of cells, (..., pairs)."""

    uu: Floats
    uv: Floats
    vu: Floats
    vv: Floats


class CellColumns(NamedTuple):
    """Which columns of the frame belong to the free cells of a layout.

    Attributes
    ----------
    u, v
        Columns of F, (cells,).
    h
        1, ½ where u and v are the same parameter's both ends, 0 where Σ does not move, (cells,).
    level
        Place of ℓ in ``[construct means, 0, 1]``, (cells,).
    """

    u: Indices
    v: Indices
    h: Floats
    level: Indices


class Frame(NamedTuple):
    """Pairs of the free cells of a layout; indices into flattened matrices.

    Pairs of cells (a, b) are those of the lower triangle, a ≥ b, row by row.

    Attributes
    ----------
    u, v, h
        As in `CellColumns`.
    slope
        Place of u'·v in a flattened product, (cells,).
    a, b
        The cells of each pair, (pairs,).
    hh
        ``hₐ hᵦ``, (pairs,).
    ends
        Places of u'u, u'v, v'u and v'v of pairs in a flattened product, (4, pairs).
    xu, xv, yu, yv
        Places of X and Y of b at u and v of a, in ``[A, Φ, 0]`` flattened, (pairs,).
    whole
        Place of every cell of the full matrix among the pairs, (cells, cells).
    """

    u: Indices
    v: Indices
    h: Floats
    slope: Indices
    a: Indices
    b: Indices
    hh: Floats
    ends: Indices
    xu: Indices
    xv: Indices
    yu: Indices
    yv: Indices
    whole: Indices

    def pairs(self, product: Floats) -> Pairs:
        """Pick what belongs to pairs of cells from a product, (..., columns, columns)."""
        values = flattened(product).take(self.ends, axis=-1)
        return Pairs(*(values[..., end, :] for end in range(4)))


def flattened(matrices: Floats) -> Floats:
    """Return the cells of each matrix in one row, (..., cells)."""
    return matrices.reshape(*matrices.shape[:-2], matrices.shape[-2] * matrices.shape[-1])


@lru_cache(maxsize=64)
def cells_of(layout: ParameterLayout) -> CellColumns:
    """Return the columns of the frame that belong to the cells of a layout."""
    constructs = layout.matrices.loadings.shape[1]
    (item, own), (to, of), (m, k), (i, j), (known, _), (latent, _) = layout.cells
    cross, unit = constructs, 2 * constructs
    nowhere = np.zeros(len(known) + len(latent), dtype=np.intp)
    u = np.concatenate([unit + item, to, m, unit + i, unit + known, latent])
    v = np.concatenate([cross + own, cross + of, k, unit + j, nowhere])
    h = np.where(u == v, 0.5, 1.0)
    h[len(u) - len(nowhere) :] = 0.0
    zero, unity = np.full(len(m) + len(i), constructs), np.full(len(nowhere), constructs + 1)
    return CellColumns(u, v, h, np.concatenate([own, of, zero, unity]))


@lru_cache(maxsize=64)
def frame_of(layout: ParameterLayout) -> Frame:
    """Return the frame's places for a layout."""
    items, constructs = layout.matrices.loadings.shape
    columns, square = 2 * constructs + items, constructs**2
    (_, own), (to, of), (m, k), _, _, (latent, _) = layout.cells
    cross, unit = constructs, 2 * constructs
    u, v, h, _ = cells_of(layout)
    x, y = np.full((2, len(u), columns), 2 * square)  # at first all 0
    lam, beta, psi, _, _, alpha = layout.spans
    every = np.arange(constructs)
    for span, row in ((lam, own), (beta, of)):
        x[span, :cross] = row[:, None] * constructs + every  # A from the row's construct
        x[span, cross:unit] = square + row[:, None] * constructs + every  # Φ
    x[psi, cross:unit] = every * constructs + k[:, None]
    for span, column in ((beta, to), (psi, m), (alpha, latent)):
        y[span, cross:unit] = every * constructs + column[:, None]
    a, b = np.tril_indices(len(u))
    row, column = np.indices((len(u), len(u)))
    high, low = np.maximum(row, column), np.minimum(row, column)
    return Frame(
        u=u,
        v=v,
        h=h,
        slope=u * columns + v,
        a=a,
        b=b,
        hh=h[a] * h[b],
        ends=np.stack([place[a] * columns + other[b] for place in (u, v) for other in (u, v)]),
        xu=x[b, u[a]],
        xv=x[b, v[a]],
        yu=y[b, u[a]],
        yv=y[b, v[a]],
        whole=high * (high + 1) // 2 + low,
    )
