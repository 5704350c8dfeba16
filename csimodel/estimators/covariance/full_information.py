"""The likelihood of incomplete answers as a discrepancy: full information maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.layout import Layout
from csimodel.estimators.covariance.structure import Implied, moment_slopes, second_order
from csimodel.moments.patterns import Patterns, information, minus_two_loglik, value_and_slope
from csimodel.moments.saturated import saturated

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


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

    @cached_property
    def floor(self) -> Floats:
        """Return the value of the saturated model, found by EM, (1,)."""
        found = saturated(self.patterns, self.near)
        return np.array([minus_two_loglik(self.patterns, found.mean, found.cov)])

    def value(self, at: Implied, who: Indices) -> Floats:
        """Return F, (1,); infinite where Σ is not positive definite."""
        if not np.isfinite(at.sigma).all() or np.linalg.eigvalsh(at.sigma[0])[0] <= 0:
            return np.array([np.inf])
        return np.array([minus_two_loglik(self.patterns, at.mean[0], at.sigma[0])])

    def local(
        self, layout: Layout, at: Implied, who: Indices, observed: bool
    ) -> tuple[Floats, Floats]:
        """Return gradient and Hessian; expected given what is missing, or observed."""
        mean, cov = at.mean[0], at.sigma[0]
        _, pull, residual = value_and_slope(self.patterns, mean, cov)
        slopes = moment_slopes(layout, at)[0]
        items = len(mean)
        row, column = np.triu_indices(items)
        twice = np.where(row == column, 1.0, 2.0)
        gradient = np.concatenate([pull, twice * residual[column, row]]) @ slopes
        middle = 2.0 * information(self.patterns, mean, cov, observed=observed)
        hessian = slopes.T @ middle @ slopes
        if observed:
            bend = second_order(layout, at, residual[None], pull[None])
            hessian = hessian + layout.matrix(bend)[0]
        return gradient[None], hessian[None]
