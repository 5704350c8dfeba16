"""Covariance structures of constructs and items: what the parameters imply, and how it moves.

``Σ = Λ Φ Λ' + Θ`` with ``Φ = A Ψ A'`` and ``A = (I - B)⁻¹``: Λ loadings, B paths, Ψ covariances of
exogenous constructs and variances of disturbances, Θ error variances of items (Jöreskog 1973;
Bollen 1989, chapter 8, https://doi.org/10.1002/9781118619179).

Every derivative of Σ has the form ``u v' + v u'``, so gradient and expected information need no
matrices of derivatives, only the vectors u and v. Arrays have the batch in front.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.model import Model

Floats = NDArray[np.float64]
Places = tuple[NDArray[np.intp], NDArray[np.intp]]


class Layout(NamedTuple):
    """Which cells of the matrices are free; the parameter vector holds them in this order.

    Attributes
    ----------
    loadings
        Free cells (item, construct) of Λ.
    paths
        Cells (target, source) of B.
    covariances
        Free cells (construct, construct) of Ψ, lower triangle.
    errors
        Items with a free error variance.
    fixed_loadings, fixed_variances
        Λ and Ψ with their fixed cells filled.
    """

    loadings: Places
    paths: Places
    covariances: Places
    errors: NDArray[np.intp]
    fixed_loadings: Floats
    fixed_variances: Floats

    @property
    def spans(self) -> tuple[slice, slice, slice, slice]:
        """Where each kind of parameter stands in the vector."""
        a = len(self.loadings[0])
        b = a + len(self.paths[0])
        c = b + len(self.covariances[0])
        return slice(0, a), slice(a, b), slice(b, c), slice(c, c + len(self.errors))

    @property
    def size(self) -> int:
        """Number of free parameters."""
        return int(self.spans[-1].stop)


@lru_cache(maxsize=64)
def layout_of(model: Model, scaling: str) -> Layout:
    """Return the free parameters of a model.

    Exogenous constructs covary freely, disturbances do not; a single item has no error. With
    ``scaling="marker"`` each construct's first loading is 1; with ``"variance"`` the variances of
    exogenous constructs and of disturbances are 1.
    """
    items, constructs = len(model.items), len(model.constructs)
    single = np.array([construct.kind == "single" for construct in model.constructs])
    first = np.array([block.start for block in model.slices])
    fixed_loadings = np.zeros((items, constructs))
    marked = np.ones(constructs, dtype=bool) if scaling == "marker" else single
    fixed_loadings[first[marked], np.flatnonzero(marked)] = 1.0
    free = np.array([i for i in range(items) if not fixed_loadings[i].any()], dtype=np.intp)
    exogenous = np.flatnonzero(~model.adjacency.any(axis=1))
    own = np.flatnonzero(marked)
    pairs = [(j, j) for j in own] + [(i, j) for i in exogenous for j in exogenous if j < i]
    row, column = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
    target, source = np.nonzero(model.adjacency)
    return Layout(
        loadings=(free, model.owner[free]),
        paths=(target, source),
        covariances=(row, column),
        errors=np.flatnonzero(~single[model.owner]),
        fixed_loadings=fixed_loadings,
        fixed_variances=np.diag((~marked).astype(np.float64)),
    )


class Implied(NamedTuple):
    """The matrices that parameters stand for, each with the batch in front."""

    loadings: Floats  # Λ (..., items, constructs)
    paths: Floats  # B (..., constructs, constructs)
    total: Floats  # A (..., constructs, constructs)
    phi: Floats  # Φ (..., constructs, constructs)
    errors: Floats  # diagonal of Θ (..., items)
    sigma: Floats  # Σ (..., items, items)


def implied(layout: Layout, parameters: Floats) -> Implied:
    """Return the matrices for parameter vectors (..., parameters)."""
    lead = parameters.shape[:-1]
    lam, beta, psi, theta = (parameters[..., span] for span in layout.spans)
    items, constructs = layout.fixed_loadings.shape
    loadings = np.broadcast_to(layout.fixed_loadings, (*lead, items, constructs)).copy()
    loadings[..., layout.loadings[0], layout.loadings[1]] = lam
    paths = np.zeros((*lead, constructs, constructs))
    paths[..., layout.paths[0], layout.paths[1]] = beta
    variances = np.broadcast_to(layout.fixed_variances, paths.shape).copy()
    variances[..., layout.covariances[0], layout.covariances[1]] = psi
    variances[..., layout.covariances[1], layout.covariances[0]] = psi
    errors = np.zeros((*lead, items))
    errors[..., layout.errors] = theta
    total = np.linalg.inv(np.eye(constructs) - paths)
    phi = total @ variances @ np.swapaxes(total, -1, -2)
    sigma = loadings @ phi @ np.swapaxes(loadings, -1, -2)
    own = np.arange(items)
    sigma[..., own, own] += errors
    return Implied(loadings, paths, np.asarray(total), phi, errors, sigma)


def directions(layout: Layout, at: Implied) -> tuple[Floats, Floats]:
    """Return u and v of every parameter, each (..., items, parameters): ``∂Σ = u v' + v u'``."""
    lead, items = at.sigma.shape[:-2], at.sigma.shape[-1]
    u = np.zeros((*lead, items, layout.size))
    v = np.zeros_like(u)
    reach, cross = at.loadings @ at.total, at.loadings @ at.phi
    lam, beta, psi, theta = layout.spans
    u[..., layout.loadings[0], np.arange(lam.start, lam.stop)] = 1.0
    v[..., lam] = cross[..., layout.loadings[1]]
    u[..., beta] = reach[..., layout.paths[0]]
    v[..., beta] = cross[..., layout.paths[1]]
    row, column = layout.covariances
    u[..., psi] = reach[..., row]
    v[..., psi] = reach[..., column] * np.where(row == column, 0.5, 1.0)
    u[..., layout.errors, np.arange(theta.start, theta.stop)] = 1.0
    v[..., layout.errors, np.arange(theta.start, theta.stop)] = 0.5
    return u, v


def slope_and_curvature(
    layout: Layout, at: Implied, cov: Floats, observed: bool = False
) -> tuple[Floats, Floats]:
    """Return gradient and Hessian of ``F = ln|Σ| + tr(S Σ⁻¹)``, expected or observed.

    Shapes (..., parameters) and (..., parameters, parameters). With ``W = Σ⁻¹``, ``M = W S W``,
    ``G = W - M`` and ``{X, Y} = tr(X Σₐ Y Σᵦ)``: ``gₐ = tr(G Σₐ)``, expected ``Hₐᵦ = {W, W}``,
    observed ``Hₐᵦ = {2M - W, W} + tr(G Σₐᵦ)``.
    """
    inverse = np.linalg.inv(at.sigma)
    middle = inverse @ cov @ inverse
    residual = inverse - middle
    u, v = directions(layout, at)
    gradient = 2.0 * (u * (residual @ v)).sum(axis=-2)
    ut, vt = np.swapaxes(u, -1, -2), np.swapaxes(v, -1, -2)
    wu, wv = inverse @ u, inverse @ v
    uu, uv, vv = ut @ wu, ut @ wv, vt @ wv
    if not observed:
        return np.asarray(gradient), 2.0 * (uu * vv + uv * np.swapaxes(uv, -1, -2))
    weight = 2.0 * middle - inverse
    nu, nv = weight @ u, weight @ v
    vu = np.swapaxes(uv, -1, -2)
    curvature: Floats = (ut @ nu) * vv + (vt @ nv) * uu + (ut @ nv) * vu + (vt @ nu) * uv
    return np.asarray(gradient), curvature + _second_order(layout, at, np.asarray(residual))


def _second_order(layout: Layout, at: Implied, residual: Floats) -> Floats:
    """Return ``tr(G Σₐᵦ)``, (..., parameters, parameters), G symmetric."""
    reach, cross = at.loadings @ at.total, at.loadings @ at.phi
    g_reach, g_cross = residual @ reach, residual @ cross
    among = np.swapaxes(reach, -1, -2) @ g_reach
    mixed = np.swapaxes(reach, -1, -2) @ g_cross
    (item, own), (to, of), (m, k) = layout.loadings, layout.paths, layout.covariances
    total, phi = at.total, at.phi
    once = np.where(m == k, 0.5, 1.0)

    def pick(matrix: Floats, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Floats:
        return np.asarray(matrix[..., rows[:, None], columns])

    second = np.zeros((*at.sigma.shape[:-2], layout.size, layout.size))
    lam, beta, psi, _ = layout.spans
    second[..., lam, lam] = pick(residual, item, item) * pick(phi, own, own)
    second[..., lam, beta] = pick(total, own, to) * pick(g_cross, item, of)
    second[..., lam, beta] += pick(phi, own, of) * pick(g_reach, item, to)
    second[..., lam, psi] = pick(total, own, m) * pick(g_reach, item, k)
    second[..., lam, psi] += pick(total, own, k) * pick(g_reach, item, m)
    second[..., lam, psi] *= once
    back = np.swapaxes(pick(total, of, to), -1, -2) * np.swapaxes(pick(mixed, to, of), -1, -2)
    second[..., beta, beta] = back + np.swapaxes(back, -1, -2)
    second[..., beta, beta] += pick(phi, of, of) * pick(among, to, to)
    second[..., beta, psi] = pick(total, of, m) * pick(among, to, k)
    second[..., beta, psi] += pick(total, of, k) * pick(among, to, m)
    second[..., beta, psi] *= once
    second[..., beta, lam] = np.swapaxes(second[..., lam, beta], -1, -2)
    second[..., psi, lam] = np.swapaxes(second[..., lam, psi], -1, -2)
    second[..., psi, beta] = np.swapaxes(second[..., beta, psi], -1, -2)
    return 2.0 * second


def discrepancy(sigma: Floats, cov: Floats) -> Floats:
    """Return ``ln|Σ| + tr(S Σ⁻¹)``, (...,); infinite where Σ is not positive definite."""
    try:
        root = np.linalg.cholesky(sigma)
        definite = np.ones(sigma.shape[:-2], dtype=bool)
    except np.linalg.LinAlgError:
        finite = np.asarray(np.isfinite(sigma).all(axis=(-2, -1)))
        safe = np.where(finite[..., None, None], sigma, np.eye(sigma.shape[-1]))
        definite = finite & (np.linalg.eigvalsh(safe)[..., 0] > 0)
        safe = np.where(definite[..., None, None], safe, np.eye(sigma.shape[-1]))
        root = np.linalg.cholesky(safe)
    log_determinant = 2.0 * np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum(axis=-1)
    kept = sigma if definite.all() else np.where(definite[..., None, None], sigma, root)
    trace = np.trace(np.linalg.solve(kept, cov), axis1=-2, axis2=-1)
    return np.where(definite, log_determinant + trace, np.inf)


def start(model: Model, layout: Layout, cov: Floats) -> Floats:
    """Return starting values, (..., parameters), from sums of covariances of blocks.

    Loadings are proportional to an item's covariances with the others of its block; construct
    covariances follow; error variances take the rest, at least a fifth of the item's variance.
    """
    lead, constructs = cov.shape[:-2], len(model.constructs)
    loadings = np.ones((*lead, len(model.items)))
    errors = np.zeros_like(loadings)
    phi = np.zeros((*lead, constructs, constructs))
    variance = np.diagonal(cov, axis1=-2, axis2=-1)
    for j, block in enumerate(model.slices):
        if model.constructs[j].kind == "single":
            phi[..., j, j] = variance[..., block.start]
            continue
        inside = cov[..., block, block]
        sums = inside.sum(axis=-1) - variance[..., block]
        with np.errstate(divide="ignore", invalid="ignore"):
            own = np.clip(np.nan_to_num(sums / sums[..., :1], nan=1.0), 0.2, 5.0)
        loadings[..., block] = own
        products = own.sum(axis=-1) ** 2 - (own**2).sum(axis=-1)
        common = np.maximum(sums.sum(axis=-1) / products, 0.1 * variance[..., block.start])
        phi[..., j, j] = common
        rest = variance[..., block] - own**2 * common[..., None]
        errors[..., block] = np.maximum(rest, 0.2 * variance[..., block])
    for i, one in enumerate(model.slices):
        for j, other in enumerate(model.slices[:i]):
            scale = loadings[..., one].sum(axis=-1) * loadings[..., other].sum(axis=-1)
            most = 0.8 * np.sqrt(phi[..., i, i] * phi[..., j, j])
            between = np.clip(cov[..., one, other].sum(axis=(-2, -1)) / scale, -most, most)
            phi[..., i, j] = phi[..., j, i] = between
    paths, left = _start_paths(model, phi)
    if layout.fixed_variances.any():  # unit variances: move the scale into the loadings
        unit = np.sqrt(np.where(np.diag(layout.fixed_variances) > 0, left, 1.0))
        loadings = loadings * unit[..., model.owner]
        paths = paths * unit[..., None, :] / unit[..., :, None]
        phi = phi / (unit[..., :, None] * unit[..., None, :])
    row, column = layout.covariances
    between = np.where(row == column, left[..., row], phi[..., row, column])
    beta = paths[..., layout.paths[0], layout.paths[1]]
    parts = [loadings[..., layout.loadings[0]], beta, between, errors[..., layout.errors]]
    return np.concatenate(parts, axis=-1)


def _start_paths(model: Model, phi: Floats) -> tuple[Floats, Floats]:
    """Regress constructs on their antecedents, a little shrunk; return paths and disturbances."""
    paths = np.zeros_like(phi)
    left = np.diagonal(phi, axis1=-2, axis2=-1).copy()
    for target, row in enumerate(model.adjacency):
        sources = np.flatnonzero(row)
        if not len(sources):
            continue
        among = phi[..., sources[:, None], sources] * (1.0 + 0.1 * np.eye(len(sources)))
        with_target = phi[..., sources, target]
        slope = np.linalg.solve(among, with_target[..., None])[..., 0]
        paths[..., target, sources] = slope
        explained = (slope * with_target).sum(axis=-1)
        left[..., target] = np.maximum(left[..., target] - explained, 0.2 * left[..., target])
    return paths, left
