"""The likelihood of incomplete answers as a discrepancy: full information maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.discrepancy import normal_slopes
from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.estimators.covariance.structure import Implied, second_order, slope_forms
from csimodel.moments.forms import MixedWeight, NormalWeight, Weight
from csimodel.moments.incomplete_information import SMALL, checked_inverse, information, precisions
from csimodel.moments.incomplete_likelihood import Patterns, minus_two_loglik, value_and_slope
from csimodel.moments.saturated import saturated
from csimodel.moments.vech import vech_indices

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_PAIRS = 2**21  # pairs of cells of patterns held at once


@dataclass(frozen=True, eq=False)
class FullInformation:
    """``F = -2/n`` times the log-likelihood of what was observed, of one sample.

    Rows with the same items observed form a pattern; ``F = 1/n Σ_j n_j [ln|Σ_j| + tr(Σ_j⁻¹ S_j)]``
    with Σ_j the part of Σ the pattern observes and S_j its mean squares about μ_j (Arbuckle 1996).

    Attributes
    ----------
    patterns
        What was observed together.
    near
        Means and covariances near those of the saturated model, or None.
    """

    patterns: Patterns
    near: tuple[Floats, Floats] | None = None

    @property
    def unit(self) -> Floats | None:
        """Return None: F does not depend on units."""
        return None

    @cached_property
    def floor(self) -> Floats:
        """Return the value of the saturated model, found by EM, (1,)."""
        free = saturated(self.patterns, self.near)
        return np.array([minus_two_loglik(self.patterns, free.mean, free.cov)])

    def prepared(self, at: Implied) -> Implied:
        """Return the matrices as they are."""
        return at

    def value(self, at: Implied, who: Indices) -> Floats:
        """Return F of each set of parameters; infinite where Σ is not positive definite."""
        return np.array([self._value(mean, cov) for mean, cov in zip(*_moments(at), strict=True)])

    def _value(self, mean: Floats, cov: Floats) -> float:
        if not np.isfinite(cov).all() or np.linalg.eigvalsh(cov)[0] <= 0:
            return np.inf
        return minus_two_loglik(self.patterns, mean, cov)

    def local(
        self, layout: ParameterLayout, at: Implied, who: Indices, observed: bool
    ) -> tuple[Floats, Floats]:
        """Return gradient and Hessian; expected given what is missing, or observed."""
        each = [self._local(layout, at.at(slice(k, k + 1)), observed) for k in range(len(at.sigma))]
        gradients, hessians = zip(*each, strict=True)
        return np.concatenate(gradients), np.concatenate(hessians)

    def moment_slope(self, at: Implied) -> tuple[Floats, Floats | None]:
        """Return the slopes of F by the moments."""
        mean, cov = _moments(at)
        _, pull, residual = value_and_slope(self.patterns, mean[0], cov[0])
        return residual, pull

    def moment_weight(self, at: Implied) -> Weight:
        """Return the expected information given what was observed."""
        mean, cov = _moments(at)
        _, inverse = checked_inverse(mean[0], cov[0])
        parts = [own for _, part in precisions(self.patterns, inverse) for own in part]
        weights = tuple(NormalWeight(own, True) for own in parts)
        return MixedWeight(weights, self.patterns.n / self.patterns.total)

    def _local(self, layout: ParameterLayout, at: Implied, observed: bool) -> tuple[Floats, Floats]:
        """Return gradient and Hessian for one set of parameters.

        From sums over patterns for every pair of parameters, or where that is more work from the
        information about the moments.
        """
        mean, cov = _moments(at)
        if self._by_moments(layout):
            return self._through_moments(layout, at, mean[0], cov[0], observed)
        mu, inverse = checked_inverse(mean[0], cov[0])
        size = len(layout.own)
        gradient, hessian = np.zeros((1, size)), np.zeros((1, size, size))
        patterns = self.patterns
        most = max(1, _PAIRS // len(layout.target) ** 2)
        for part, own in precisions(patterns, inverse, most):
            n = patterns.n[part]
            gap = np.where(patterns.observed[part], patterns.mean[part] - mu, 0.0)
            spread = patterns.spread_in(part) + gap[:, :, None] * gap[:, None, :]
            shares = n / patterns.total
            slope, curvature = normal_slopes(layout, at, own, spread, gap, observed, shares)
            gradient += slope
            hessian += curvature
        return gradient, hessian

    def _by_moments(self, layout: ParameterLayout) -> bool:
        """Compare the work, in nanoseconds of one processor."""
        items, cells, patterns = self.patterns.items, len(layout.target), len(self.patterns.n)
        moments = items * (items + 1) // 2
        pairs = 35.0 * patterns * cells**2
        return moments <= SMALL and pairs > moments**2 * (40.0 + 0.1 * (patterns + cells))

    def _through_moments(
        self, layout: ParameterLayout, at: Implied, mean: Floats, cov: Floats, observed: bool
    ) -> tuple[Floats, Floats]:
        _, pull, residual = value_and_slope(self.patterns, mean, cov)
        slopes = slope_forms(layout, at.at(0)).directions
        row, column = vech_indices(len(mean))
        twice = np.where(row == column, 1.0, 2.0)
        gradient = np.concatenate([pull, twice * residual[row, column]]) @ slopes
        hessian = slopes.T @ (2.0 * information(self.patterns, mean, cov, observed)) @ slopes
        if observed:
            hessian = hessian + second_order(layout, at, residual[None], pull[None])[0]
        return layout.own_vector(gradient[None]), layout.own_matrix(hessian[None])


def _moments(at: Implied) -> tuple[Floats, Floats]:
    """Return means and covariances, the same means where they do not move."""
    return np.broadcast_to(at.mean, at.sigma.shape[:-1]), at.sigma
