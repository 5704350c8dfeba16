"""What parameters imply for the moments of items, and how the moments move with them.

``Σ = Λ Φ Λ' + Θ`` with ``Φ = A Ψ A'`` and ``A = (I - B)⁻¹``, and with means ``μ = ν + Λ A α``:
Λ loadings, B paths, Ψ covariances of exogenous constructs and of disturbances, Θ covariances of
errors, ν intercepts of items, α means and intercepts of constructs (Jöreskog 1973; Bollen 1989,
chapters 7 and 8, https://doi.org/10.1002/9781118619179).

Every derivative of Σ has the form ``u v' + v u'`` with u and v columns of the frame (`frame`), so
gradients and Hessians need no matrices of derivatives. Arrays have the batch in front.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.composite_cells import cell_slopes, fill
from csimodel.estimators.covariance.derivative_blocks import Pairs, cells_of, flattened, frame_of
from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.moments.forms import Forms
from csimodel.moments.vech import vech_indices

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
    frame: Floats  # F = [ΛA | ΛΦ | I] (..., items, 2 constructs + items)
    inverse: Floats | None = None  # Σ⁻¹, where the discrepancy needs it (..., items, items)
    logdet: Floats | None = None  # ln|Σ| (...,)
    parameters: Floats | None = None  # where there are composites (..., width)
    thresholds: Floats | None = None  # where they are modelled, 0 for means (..., levels)

    def at(self, who: Indices | slice | int) -> Implied:
        """Return some samples of a batch."""
        return Implied(*(None if matrix is None else matrix[who] for matrix in self))  # type: ignore[arg-type]


def implied(layout: ParameterLayout, parameters: Floats) -> Implied:
    """Return the matrices for parameter vectors (..., parameters)."""
    lead = parameters.shape[:-1]
    place, source = layout.filled
    flat = np.empty((*lead, len(layout.template)))
    flat[...] = layout.template
    known = layout.cell_values(parameters) if layout.indirect else parameters
    flat[..., place] = known[..., source]
    loadings, paths, psi, errors, intercepts, means = (
        flat[..., span].reshape(*lead, *matrix.shape)
        for span, matrix in zip(layout.corners, layout.matrices, strict=True)
    )
    items, constructs = layout.matrices.loadings.shape
    total = _total(layout, paths)
    if layout.composites:
        fill(layout, layout.values(parameters), total, loadings, psi, errors)
    phi = total @ psi @ np.swapaxes(total, -1, -2)
    frame = np.empty((*lead, items, 2 * constructs + items))
    frame[..., :constructs] = loadings @ total
    cross = frame[..., constructs : 2 * constructs]
    cross[...] = loadings @ phi
    frame[..., 2 * constructs :] = layout.identity
    common = cross @ np.swapaxes(loadings, -1, -2)
    if layout.has_ordered:
        own = np.flatnonzero(layout.ordered)
        errors[..., own, own] = 1.0 - common[..., own, own]
    level, mean = means, intercepts  # both 0 without a mean structure
    if layout.mean_structure:
        level = (total @ means[..., None])[..., 0]
        mean = intercepts + (loadings @ level[..., None])[..., 0]
    whole = Implied(loadings, paths, total, psi, phi, errors, common + errors, level, mean, frame)
    if layout.levels is not None:
        bars = np.where(
            layout.levels.is_threshold, layout.values(parameters)[..., layout.levels.row], 0.0
        )
        whole = whole._replace(thresholds=bars)
    return whole._replace(parameters=parameters) if layout.composites else whole


def row_values(layout: ParameterLayout, parameters: Floats) -> Floats:
    """Return the values of all rows, those of variances of composites too, (..., rows)."""
    values = layout.values(parameters)
    if layout.composites:
        psi = implied(layout, parameters).psi
        for composite in layout.composites:
            own = composite.construct
            values[..., composite.variance] = psi[..., own, own]
    return values


def slopes_of_cells(layout: ParameterLayout, at: Implied) -> Floats | None:
    """Return derivatives of the cells by the parameters, (..., cells, size); None if constant."""
    if at.parameters is None:
        return None
    return cell_slopes(layout, layout.values(at.parameters), at.total, at.phi)


def _total(layout: ParameterLayout, paths: Floats) -> Floats:
    """Return ``(I - B)⁻¹ = (I + B)(I + B²)(I + B⁴)…``: without a cycle the powers of B end."""
    if layout.doublings is None:
        return np.asarray(np.linalg.inv(layout.unit - paths))
    total, power = layout.unit + paths, paths
    for _ in range(layout.doublings):
        power = power @ power
        total = total + total @ power
    return np.asarray(total)


def directions(layout: ParameterLayout, at: Implied) -> tuple[Floats, Floats]:
    """Return u and v of every free cell, each (..., items, cells): ``∂Σ = u v' + v u'``."""
    cells = cells_of(layout)
    return at.frame.take(cells.u, axis=-1), at.frame.take(cells.v, axis=-1) * cells.h


def levels(layout: ParameterLayout, at: Implied) -> Floats:
    """Return ℓ of every free cell, (..., cells): ``∂μ = ℓ u``."""
    ends = np.zeros((*at.level.shape[:-1], 2))
    ends[..., 1] = 1.0
    return np.concatenate([at.level, ends], axis=-1).take(cells_of(layout).level, axis=-1)


def slope_forms(layout: ParameterLayout, at: Implied) -> Forms:
    """Return the directions of every free cell of one sample: `moment_slopes` before sums."""
    u, v = directions(layout, at)
    level = u * levels(layout, at) if layout.mean_structure else None
    return Forms(u, v, level)


def moment_slopes(layout: ParameterLayout, at: Implied) -> Floats:
    """Return Δ, the derivatives of the moments by the parameters, (..., moments, parameters).

    The moments are the means, where they are modelled, and below them vech Σ in the order of
    `vech_indices`.
    """
    u, v = directions(layout, at)
    row, column = vech_indices(at.sigma.shape[-1])
    slopes = u[..., row, :] * v[..., column, :] + u[..., column, :] * v[..., row, :]
    if layout.mean_structure:
        own = u * levels(layout, at)[..., None, :]
        slopes = np.concatenate([own, slopes], axis=-2)
    return layout.columns(slopes, slopes_of_cells(layout, at))


def moments_vector(cov: Floats, mean: Floats | None) -> Floats:
    """Return ``(mean ; vech cov)``, (..., moments), or vech cov alone."""
    row, column = vech_indices(cov.shape[-1])
    lower = np.asarray(cov[..., row, column])
    return lower if mean is None else np.concatenate([mean, lower], axis=-1)


def second_order(
    layout: ParameterLayout, at: Implied, residual: Floats, pull: Floats | None
) -> Floats:
    """Return ``tr(G Σₐᵦ) + g' μₐᵦ`` over cells, (..., cells, cells).

    `residual` is G, symmetric, (..., items, items); `pull` is g, (..., items), or None.
    """
    frame = frame_of(layout)
    pairs = frame.pairs(np.swapaxes(at.frame, -1, -2) @ residual @ at.frame)
    pulled = None if pull is None else (pull[..., None, :] @ at.frame)[..., 0, :]
    return np.asarray(bend(layout, at, pairs, pulled).take(frame.whole, axis=-1))


def bend(layout: ParameterLayout, at: Implied, residual: Pairs, pulled: Floats | None) -> Floats:
    """Return `second_order` of pairs of cells, (..., pairs), from ``F'GF`` and ``g'F``.

    ``tr(G Σₐᵦ) = 2 hₐhᵦ (v'Gu X(u) + v'Gv Y(u) + u'Gu X(v) + u'Gv Y(v))`` with X and Y of b at the
    columns of a, and ``g' μₐᵦ = hᵦ ℓₐ (g'uᵦ X(u) + g'vᵦ Y(u)) + ℓᵦ g'uₐ Y(v)``.
    """
    frame = frame_of(layout)
    nothing = np.zeros((*at.total.shape[:-2], 1))
    table = np.concatenate([flattened(at.total), flattened(at.phi), nothing], axis=-1)
    xu, yu = table.take(frame.xu, axis=-1), table.take(frame.yu, axis=-1)
    yv = table.take(frame.yv, axis=-1)
    second = table.take(frame.xv, axis=-1)
    second *= residual.uu
    second += residual.vu * xu
    second += residual.vv * yu
    second += residual.uv * yv
    second *= 2.0 * frame.hh
    if pulled is not None:
        level = levels(layout, at)
        pu, pv = pulled.take(frame.u, axis=-1), pulled.take(frame.v, axis=-1)
        first = (frame.h * pu)[..., frame.b] * xu + (frame.h * pv)[..., frame.b] * yu
        second += level[..., frame.a] * first
        second += pu[..., frame.a] * level[..., frame.b] * yv
    return second
