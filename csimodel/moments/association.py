"""Correlations of all pairs of items, and Γ, the asymptotic covariance of all statistics.

Step one gives each item's thresholds, or mean and variance, θ; step two each pair's correlation ρ,
with θ held. Both solve estimating equations, Σ u(respondent) = 0, and stacked they are those of
an M-estimator (Muthén 1984, doi:10.1007/BF02294210; Muthén and Satorra 1995,
doi:10.1007/BF02294325)::

    Γ = A⁻¹ B A⁻ᵀ,   A = | A₁₁  0   |,   B = mean of u u'
                         | A₂₁  A₂₂ |

With ℓ the log-likelihood of a pair, A₂₂ is the diagonal of ``E (∂ℓ/∂ρ)²`` and A₂₁ holds
``E (∂ℓ/∂ρ)(∂ℓ/∂θ)``. The scores of step one are taken as influences, already times A₁₁⁻¹.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.correlation_likelihood import EDGE
from csimodel.moments.fourth import Rows, outer_products
from csimodel.moments.margins import Margins
from csimodel.moments.pairs import SolvedPairs, both_ordered, none_ordered, one_ordered

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Association:
    """The correlation of each pair, below the diagonal column by column.

    Attributes
    ----------
    row, column
        Positions of the two items, ``row > column``, (pairs,).
    rho
        Polychoric, polyserial and ordinary correlations, (pairs,).
    filled
        Tables of two by two with an empty cell, where half a respondent was put, (pairs,).
    """

    row: Positions
    column: Positions
    rho: Floats
    filled: NDArray[np.bool_]
    margins: Margins
    parts: tuple[SolvedPairs, ...]

    @property
    def at_edge(self) -> NDArray[np.bool_]:
        """Correlations whose likelihood has no maximum inside ±1, (pairs,)."""
        return np.abs(self.rho) >= EDGE

    def gamma(self, cluster: NDArray[np.intp] | None = None) -> Floats:
        """Return Γ of thresholds and means, variances, covariances, (statistics, statistics).

        Covariances are ``ρ sᵢ sⱼ``, with the standard deviation 1 of an ordered item; rows and
        columns of correlations at the edge are NaN. With codes of the clusters respondents were
        drawn in, (respondents,), scores are summed within clusters, as in `fourth_moments`.
        """
        first, (lean, scale) = self.margins.size, self._to_covariances()
        middle = self._products(cluster)
        across = middle[first:, :first] * scale[:, None] + lean @ middle[:first, :first]
        within = scale[:, None] * middle[first:, first:] * scale
        mixed = (scale[:, None] * middle[first:, :first]) @ lean.T
        within += mixed + mixed.T + lean @ middle[:first, :first] @ lean.T
        lost = np.flatnonzero(self.at_edge)
        across[lost] = np.nan
        within[lost], within[:, lost] = np.nan, np.nan
        return np.block([[middle[:first, :first], across.T], [across, within]])

    def influences(self, rows: Rows) -> Floats:
        """Return each respondent's influence on variances of continuous items and covariances.

        (respondents, continuous items + pairs); with weights w their weighted mean is 0.
        """
        first, (lean, scale) = self.margins.size, self._to_covariances()
        moved = self._stacked(rows)
        spread = moved[:, len(self.margins.level_item) : first]
        return np.hstack([spread, moved[:, :first] @ lean.T + moved[:, first:] * scale])

    def _stacked(self, rows: Rows) -> Floats:
        """Return the stacked scores of respondents, (respondents, statistics)."""
        first = self.margins.size
        moved = np.empty((len(self.margins.share[rows]), first + len(self.rho)))
        moved[:, :first] = self.margins.influence(rows)
        for part in self.parts:
            moved[:, first + part.at] = part.scores(rows)
        return moved

    def _products(self, cluster: NDArray[np.intp] | None) -> Floats:
        """Return B, weighted with squared weights of mean 1, or of sums within clusters."""
        scale = self.margins.share * np.sqrt(len(self.margins.share))
        size = self.margins.size + len(self.rho)
        return outer_products(
            lambda rows: (self._stacked(rows) * scale[rows, None]).T, len(scale), size, cluster
        )

    def _to_covariances(self) -> tuple[Floats, Floats]:
        """Return what turns stacked scores into influences on covariances.

        A matrix for those of step one, (pairs, parameters), and a factor for those of step two:
        ``dρ = A₂₂⁻¹ (u₂ - A₂₁ dθ)`` and ``d(ρ sᵢ sⱼ) = sᵢ sⱼ dρ + ρ sⱼ dsᵢ² / 2sᵢ + …``.
        """
        margins = self.margins
        lean, scale = np.empty((len(self.rho), margins.size)), np.empty(len(self.rho))
        for part in self.parts:
            with np.errstate(divide="ignore", invalid="ignore"):
                scale[part.at] = 1.0 / part.information
            lean[part.at] = -scale[part.at, None] * part.cross
        product = margins.sd[self.row] * margins.sd[self.column]
        lean, scale = lean * product[:, None], scale * product
        for item in (self.row, self.column):
            free = np.flatnonzero(~margins.ordered[item])
            own = item[free]
            lean[free, margins.variance_at[own]] += (
                0.5 * self.rho[free] * product[free] / margins.sd[own] ** 2
            )
        return lean, scale


def associate(margins: Margins) -> Association:
    """Return step two: the correlation of every pair of items, given each item's own parameters."""
    column, row = np.triu_indices(len(margins.ordered), 1)
    kinds = margins.ordered[row].astype(int) + margins.ordered[column]
    filled = np.zeros(len(row), dtype=bool)
    parts: list[SolvedPairs] = []
    if (at := np.flatnonzero(kinds == 2)).size:
        part, filled[at] = both_ordered(margins, at, row[at], column[at])
        parts.append(part)
    if (at := np.flatnonzero(kinds == 1)).size:
        turned = margins.ordered[row[at]]
        ordinal = np.where(turned, row[at], column[at])
        parts += one_ordered(margins, at, ordinal, np.where(turned, column[at], row[at]))
    if (at := np.flatnonzero(kinds == 0)).size:
        parts.append(none_ordered(margins, at, row[at], column[at]))
    rho = np.empty(len(row))
    for part in parts:
        rho[part.at] = part.rho
    return Association(row, column, rho, filled, margins, tuple(parts))
