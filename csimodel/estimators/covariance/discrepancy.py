"""Distances between the moments of samples and those a model implies, with their derivatives.

A discrepancy F of a batch of samples gives its value, and its gradient and Hessian by the
parameters of a layout. χ² is F times a number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.layout import Layout
from csimodel.estimators.covariance.structure import (
    Implied,
    directions,
    mean_slopes,
    moment_slopes,
    moments_vector,
    second_order,
    vech,
)

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


class Discrepancy(Protocol):
    """A distance of each sample of a batch; methods are for the samples `who`."""

    @property
    def floor(self) -> Floats:
        """Value when moments and model agree, (samples,)."""

    def value(self, at: Implied, who: Indices) -> Floats:
        """Return F, (samples,); infinite where the model's matrices cannot be moments."""

    def local(
        self, layout: Layout, at: Implied, who: Indices, observed: bool
    ) -> tuple[Floats, Floats]:
        """Return gradient and Hessian, expected (or Gauss-Newton) or observed."""


@dataclass(frozen=True, eq=False)
class NormalTheory:
    """``F = ln|Σ| + tr(S Σ⁻¹) + (m - μ)' Σ⁻¹ (m - μ)``, that of maximum likelihood.

    Attributes
    ----------
    cov
        S, (samples, items, items).
    mean
        m, (samples, items), or None when means are not modelled.
    """

    cov: Floats
    mean: Floats | None = None

    @property
    def floor(self) -> Floats:
        """Return ``ln|S| + items``."""
        return np.asarray(np.linalg.slogdet(self.cov)[1] + self.cov.shape[-1])

    def value(self, at: Implied, who: Indices) -> Floats:
        """Return F; infinite where Σ is not positive definite."""
        root, definite = _roots(at.sigma)
        log_determinant = 2.0 * np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum(axis=-1)
        sigma = at.sigma if definite.all() else np.where(definite[:, None, None], at.sigma, root)
        trace = np.trace(np.linalg.solve(sigma, self._spread(at, who)[0]), axis1=-2, axis2=-1)
        return np.where(definite, log_determinant + trace, np.inf)

    def local(
        self, layout: Layout, at: Implied, who: Indices, observed: bool
    ) -> tuple[Floats, Floats]:
        """Return gradient and Hessian.

        With ``W = Σ⁻¹``, ``d = m - μ``, ``M = W (S + dd') W``, ``G = W - M`` and
        ``{X, Y} = tr(X Σₐ Y Σᵦ)``: ``gₐ = tr(G Σₐ) - 2 d'W μₐ``; expected
        ``Hₐᵦ = {W, W} + 2 μₐ'W μᵦ``; observed ``{2M - W, W} + 2 μₐ'W μᵦ + 2 d'W(Σₐ W μᵦ + Σᵦ W μₐ)
        + tr(G Σₐᵦ) - 2 d'W μₐᵦ``.
        """
        inverse = np.asarray(np.linalg.inv(at.sigma))
        spread, gap = self._spread(at, who)
        middle = inverse @ spread @ inverse
        residual = inverse - middle
        u, v = directions(layout, at)
        gradient = 2.0 * (u * (residual @ v)).sum(axis=-2)
        ut, vt = np.swapaxes(u, -1, -2), np.swapaxes(v, -1, -2)
        wu, wv = inverse @ u, inverse @ v
        uu, uv, vv = ut @ wu, ut @ wv, vt @ wv
        vu = np.swapaxes(uv, -1, -2)
        if observed:
            weight = 2.0 * middle - inverse
            nu, nv = weight @ u, weight @ v
            hessian = (ut @ nu) * vv + (vt @ nv) * uu + (ut @ nv) * vu + (vt @ nu) * uv
        else:
            hessian = 2.0 * (uu * vv + uv * vu)
        pull = None
        if gap is not None:
            slopes = mean_slopes(layout, at)
            pull = -2.0 * (inverse @ gap[..., None])[..., 0]
            gradient = gradient + (pull[..., None, :] @ slopes)[..., 0, :]
            tilted = inverse @ slopes
            hessian = hessian + 2.0 * np.swapaxes(slopes, -1, -2) @ tilted
            if observed:
                drag = (pull[..., None, :] @ u)[..., 0, :], (pull[..., None, :] @ v)[..., 0, :]
                cross = -(
                    drag[0][..., :, None] * (vt @ tilted) + drag[1][..., :, None] * (ut @ tilted)
                )
                hessian += cross + np.swapaxes(cross, -1, -2)
        if observed:
            hessian = hessian + second_order(layout, at, residual, pull)
        return layout.vector(np.asarray(gradient)), layout.matrix(np.asarray(hessian))

    def _spread(self, at: Implied, who: Indices) -> tuple[Floats, Floats | None]:
        """Return ``S + dd'`` and d."""
        if self.mean is None:
            return self.cov[who], None
        gap = self.mean[who] - at.mean
        return self.cov[who] + gap[..., :, None] * gap[..., None, :], gap


@dataclass(frozen=True, eq=False)
class WeightedSquares:
    """``F = (s - σ)' V (s - σ)``, s the moments of the sample and σ those of the model.

    Attributes
    ----------
    cov, mean
        As in `NormalTheory`.
    weight
        V, (samples, moments, moments), or its diagonal, (samples, moments); moments are those of
        `moments_vector`, of which those with `used` count.
    used
        Which moments count, (moments,).
    """

    cov: Floats
    mean: Floats | None
    weight: Floats
    used: NDArray[np.bool_]

    @property
    def floor(self) -> Floats:
        """Return 0."""
        return np.zeros(len(self.cov))

    def value(self, at: Implied, who: Indices) -> Floats:
        """Return F; infinite where the model's moments are not finite."""
        gap = self._gap(at, who)
        with np.errstate(invalid="ignore", over="ignore"):
            found = (gap * self._weighted(gap[..., None], who)[..., 0]).sum(axis=-1)
        return np.where(np.isfinite(found), found, np.inf)

    def local(
        self, layout: Layout, at: Implied, who: Indices, observed: bool
    ) -> tuple[Floats, Floats]:
        """Return ``-2 Δ'V(s - σ)`` and ``2 Δ'VΔ``, or that and what the bend of σ adds."""
        slopes = moment_slopes(layout, at)[..., self.used, :]
        weighted = self._weighted(slopes, who)
        gap = self._gap(at, who)[..., None]
        gradient = -2.0 * (np.swapaxes(weighted, -1, -2) @ gap)[..., 0]
        hessian = 2.0 * np.swapaxes(slopes, -1, -2) @ weighted
        if observed:
            residual, pull = self._pulls(self._weighted(gap, who)[..., 0], at)
            hessian = hessian + layout.matrix(second_order(layout, at, residual, pull))
        return np.asarray(gradient), np.asarray(hessian)

    def _gap(self, at: Implied, who: Indices) -> Floats:
        mean = None if self.mean is None else self.mean[who] - at.mean
        return np.asarray(moments_vector(self.cov[who] - at.sigma, mean)[..., self.used])

    def _weighted(self, columns: Floats, who: Indices) -> Floats:
        weight = self.weight[who]
        return weight[..., None] * columns if weight.ndim == 2 else np.asarray(weight @ columns)

    def _pulls(self, weighted: Floats, at: Implied) -> tuple[Floats, Floats | None]:
        """Return the slope of F by Σ, symmetric, and by μ."""
        items = at.sigma.shape[-1]
        full = np.zeros((*weighted.shape[:-1], len(self.used)))
        full[..., self.used] = weighted
        pull = None
        if self.mean is not None:
            pull, full = -2.0 * full[..., :items], full[..., items:]
        row, column = vech(items)
        residual = np.zeros_like(at.sigma)
        residual[..., row, column] -= full
        residual[..., column, row] -= full
        return residual, pull


def _roots(sigma: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return Cholesky roots, and which matrices have one; the others get that of I."""
    try:
        root = np.asarray(np.linalg.cholesky(sigma))
        return root, np.full(sigma.shape[:-2], True)
    except np.linalg.LinAlgError:
        unit = np.eye(sigma.shape[-1])
        definite = np.asarray(np.isfinite(sigma).all(axis=(-2, -1)))
        safe = np.where(definite[..., None, None], sigma, unit)
        definite = definite & (np.linalg.eigvalsh(safe)[..., 0] > 0)
        safe = np.where(definite[..., None, None], safe, unit)
        return np.asarray(np.linalg.cholesky(safe)), definite
