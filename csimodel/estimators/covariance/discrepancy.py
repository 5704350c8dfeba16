"""Distances between the moments of samples and those a model implies, with their derivatives.

A discrepancy F of a batch of samples gives its value, and its gradient and Hessian by the
parameters of a layout. χ² is F times a number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.cholesky import inverse_and_logdet
from csimodel.estimators.covariance.composite_cells import cell_curvature
from csimodel.estimators.covariance.derivative_blocks import flattened, frame_of
from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.estimators.covariance.structure import (
    Implied,
    bend,
    levels,
    moment_slopes,
    moments_vector,
    second_order,
    slopes_of_cells,
)
from csimodel.moments.forms import DenseWeight, DiagonalWeight, NormalWeight, Weight
from csimodel.moments.vech import vech_indices

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


class Discrepancy(Protocol):
    """A distance of each sample of a batch; methods are for the samples `who`."""

    @property
    def floor(self) -> Floats:
        """Value when moments and model agree, (samples,)."""

    @property
    def unit(self) -> Floats | None:
        """What √F is in the units of, (samples,); None where F has none."""

    def prepared(self, at: Implied) -> Implied:
        """Return the matrices with what both value and slopes need, found once."""

    def value(self, at: Implied, who: Indices) -> Floats:
        """Return F, (samples,); infinite where the model's matrices cannot be moments."""

    def local(
        self, layout: ParameterLayout, at: Implied, who: Indices, observed: bool
    ) -> tuple[Floats, Floats]:
        """Return gradient and Hessian, expected (or Gauss-Newton) or observed.

        By the parameters of the layout's own group, `ParameterLayout.own`.
        """

    def moment_slope(self, at: Implied) -> tuple[Floats, Floats | None]:
        """Return the slopes of F of one sample by Σ, symmetric, and by μ, None without means."""

    def moment_weight(self, at: Implied) -> Weight:
        """Return half the expected curvature of F of one sample by the moments."""


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

    @property
    def unit(self) -> Floats | None:
        """Return None: F does not depend on units."""
        return None

    def prepared(self, at: Implied) -> Implied:
        """Add Σ⁻¹ and ln|Σ|, NaN where Σ is not positive definite."""
        inverse, logdet = inverse_and_logdet(at.sigma)
        return at._replace(inverse=inverse, logdet=logdet)

    def value(self, at: Implied, who: Indices) -> Floats:
        """Return F; infinite where Σ is not positive definite."""
        inverse, logdet = _inverse_and_logdet(at)
        value = logdet + np.einsum("sij,sij->s", inverse, self._spread(at, who)[0])
        value[np.isnan(value)] = np.inf
        return np.asarray(value)

    def local(
        self, layout: ParameterLayout, at: Implied, who: Indices, observed: bool
    ) -> tuple[Floats, Floats]:
        """Return gradient and Hessian.

        With ``W = Σ⁻¹``, ``d = m - μ``, ``M = W (S + dd') W``, ``G = W - M`` and
        ``{X, Y} = tr(X Σₐ Y Σᵦ)``: ``gₐ = tr(G Σₐ) - 2 d'W μₐ``; expected
        ``Hₐᵦ = {W, W} + 2 μₐ'W μᵦ``; observed ``{2M - W, W} + 2 μₐ'W μᵦ + 2 d'W(Σₐ W μᵦ + Σᵦ W μₐ)
        + tr(G Σₐᵦ) - 2 d'W μₐᵦ``. With ``Σₐ = h (u v' + v u')``, ``½ {X, Y}`` is
        ``hₐhᵦ (u'Xu v'Yv + u'Xv v'Yu)``, the same with X and Y exchanged, both halved.
        """
        inverse, _ = _inverse_and_logdet(at)
        return normal_slopes(layout, at, inverse, *self._spread(at, who), observed)

    def moment_slope(self, at: Implied) -> tuple[Floats, Floats | None]:
        """Return ``W - W (S + dd') W`` and ``-2 W d`` of one sample."""
        inverse = inverse_and_logdet(at.sigma)[0][0]
        spread, gap = self._spread(at, np.arange(1))
        slope = inverse - inverse @ spread[0] @ inverse
        return slope, None if gap is None else -2.0 * inverse @ gap[0]

    def moment_weight(self, at: Implied) -> Weight:
        """Return the weight of normal theory at Σ."""
        return NormalWeight(inverse_and_logdet(at.sigma)[0][0], self.mean is not None)

    def _spread(self, at: Implied, who: Indices) -> tuple[Floats, Floats | None]:
        """Return ``S + dd'`` and d."""
        if self.mean is None:
            return self.cov[who], None
        gap = self.mean[who] - at.mean
        return self.cov[who] + gap[..., :, None] * gap[..., None, :], gap


def _inverse_and_logdet(at: Implied) -> tuple[Floats, Floats]:
    if at.inverse is None or at.logdet is None:
        return inverse_and_logdet(at.sigma)
    return at.inverse, at.logdet


def normal_slopes(
    layout: ParameterLayout,
    at: Implied,
    inverse: Floats,
    spread: Floats,
    gap: Floats | None,
    observed: bool,
    shares: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Return gradient and Hessian of normal theory, those of `NormalTheory.local`.

    Parameters
    ----------
    at
        Of each sample, or with `shares` of a single one.
    inverse
        W, (samples, items, items).
    spread, gap
        ``S + dd'``, (samples, items, items), and d, (samples, items), or None.
    shares
        Weights of parts that make up one sample, (parts,): patterns of what was observed, each
        with W, S and d of its own, 0 elsewhere.
    """
    frame = frame_of(layout)
    ahead = inverse @ at.frame
    product = np.swapaxes(at.frame, -1, -2) @ ahead
    residual = product - np.swapaxes(ahead, -1, -2) @ (spread @ ahead)

    def summed(values: Floats) -> Floats:
        return values if shares is None else np.tensordot(shares, values, 1)[None]

    w = frame.pairs(product)
    whole = summed(residual)
    gradient = 2.0 * frame.h * flattened(whole).take(frame.slope, axis=-1)
    hessian = w.uu * w.vv
    hessian += w.uv * w.vu
    pulled = of_means = None
    if observed:  # 2M - W = W - 2G
        g = frame.pairs(residual)
        hessian -= g.uv * w.vu
        hessian -= g.vu * w.uv
        hessian -= g.uu * w.vv
        hessian -= g.vv * w.uu
    hessian *= 2.0 * frame.hh
    if gap is not None:
        level = levels(layout, at)
        pulled = -2.0 * (gap[..., None, :] @ ahead)[..., 0, :]
        la, lb = level[..., frame.a], level[..., frame.b]
        hessian += 2.0 * la * lb * w.uu
        if observed:
            pu, pv = (frame.h * pulled.take(end, axis=-1) for end in (frame.u, frame.v))
            hessian -= lb * (pu[..., frame.a] * w.vu + pv[..., frame.a] * w.uu)
            hessian -= la * (pu[..., frame.b] * w.uv + pv[..., frame.b] * w.uu)
        of_means = summed(pulled)
        gradient += level * of_means.take(frame.u, axis=-1)
    hessian = summed(hessian)
    if observed:
        hessian += bend(layout, at, frame.pairs(whole), of_means)
    slopes = slopes_of_cells(layout, at)
    whole_hessian = layout.own_matrix(hessian.take(frame.whole, axis=-1), slopes)
    if observed and slopes is not None and at.parameters is not None:
        values = layout.values(at.parameters)
        bent = cell_curvature(layout, values, at.total, at.phi, slopes, gradient)
        whole_hessian = whole_hessian + bent
    return layout.own_vector(gradient, slopes), whole_hessian


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
    plain
        Whether V is 1 for every moment, whatever the items' units.
    """

    cov: Floats
    mean: Floats | None
    weight: Floats
    used: NDArray[np.bool_]
    plain: bool = False

    @property
    def floor(self) -> Floats:
        """Return 0."""
        return np.zeros(len(self.cov))

    @property
    def unit(self) -> Floats | None:
        """The mean variance of the items where V is 1, so that F grows with their fourth power."""
        if not self.plain:
            return None
        return np.asarray(np.diagonal(self.cov, axis1=-2, axis2=-1).mean(axis=-1))

    def prepared(self, at: Implied) -> Implied:
        """Return the matrices as they are."""
        return at

    def value(self, at: Implied, who: Indices) -> Floats:
        """Return F; infinite where the model's moments are not finite."""
        gap = self._gap(at, who)
        with np.errstate(invalid="ignore", over="ignore"):
            squares = (gap * self._weighted(gap[..., None], who)[..., 0]).sum(axis=-1)
        return np.where(np.isfinite(squares), squares, np.inf)

    def local(
        self, layout: ParameterLayout, at: Implied, who: Indices, observed: bool
    ) -> tuple[Floats, Floats]:
        """Return ``-2 Δ'V(s - σ)`` and ``2 Δ'VΔ``, or that and what the bend of σ adds."""
        slopes = moment_slopes(layout, at)[..., self.used, :]
        if not layout.alone:
            slopes = slopes[..., layout.own]
        weighted = self._weighted(slopes, who)
        gap = self._gap(at, who)[..., None]
        gradient = -2.0 * (np.swapaxes(weighted, -1, -2) @ gap)[..., 0]
        hessian = 2.0 * np.swapaxes(slopes, -1, -2) @ weighted
        if observed:
            residual, pull = self._pulls(self._weighted(gap, who)[..., 0], at)
            hessian = hessian + layout.own_matrix(second_order(layout, at, residual, pull))
        return np.asarray(gradient), np.asarray(hessian)

    def moment_slope(self, at: Implied) -> tuple[Floats, Floats | None]:
        """Return the slopes of one sample."""
        who = np.arange(1)
        residual, pull = self._pulls(self._weighted(self._gap(at, who)[..., None], who)[..., 0], at)
        return residual[0], None if pull is None else pull[0]

    def moment_weight(self, at: Implied) -> Weight:
        """Return V."""
        return self.fixed_weight

    @property
    def fixed_weight(self) -> Weight:
        """V of one sample over all moments, 0 for those that do not count."""
        own = self.weight[0]
        if own.ndim == 2:
            return DenseWeight(own)
        whole = np.zeros(len(self.used))
        whole[self.used] = own
        return DiagonalWeight(whole)

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
        row, column = vech_indices(items)
        residual = np.zeros_like(at.sigma)
        residual[..., row, column] -= full
        residual[..., column, row] -= full
        return residual, pull
