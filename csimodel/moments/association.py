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
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.correlation_likelihood import EDGE
from csimodel.moments.fourth import Rows, Weighting, cluster_codes, outer_products, stretches
from csimodel.moments.gamma import DenseGamma, Gamma, RootGamma
from csimodel.moments.margins import Margins
from csimodel.moments.pairs import SolvedPairs, both_ordered, none_ordered, one_ordered

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]

_BLOCK = 2**22  # what respondents add to statistics, held at once


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

    @cached_property
    def cov(self) -> Floats:
        """Covariances of all items, with variances 1 of ordered ones, (items, items)."""
        sd = self.margins.sd
        cov = np.diag(sd**2)
        cov[self.row, self.column] = self.rho * sd[self.row] * sd[self.column]
        cov[self.column, self.row] = cov[self.row, self.column]
        return np.asarray(cov)

    def gamma(
        self, cluster: NDArray[np.intp] | None = None, weighting: Weighting = "probability"
    ) -> Gamma:
        """Return Γ of thresholds and means, variances, covariances.

        Covariances are ``ρ sᵢ sⱼ``, with the standard deviation 1 of an ordered item; rows and
        columns of correlations at the edge are NaN. With codes of the clusters respondents were
        drawn in, (respondents,), scores are summed within clusters, as in `fourth_moments`, which
        says what `weighting` is. Where
        respondents, or clusters, are fewer than statistics, what they add is kept as a root of Γ.
        """
        respondents, statistics = len(self.margins.share), self.margins.size + len(self.rho)
        codes = None if cluster is None else cluster_codes(cluster, respondents)
        units = respondents if codes is None else int(codes.max()) + 1
        if units >= statistics:
            return DenseGamma(self._matrix(cluster, weighting))
        root = np.zeros((units, statistics))
        scale = self._factors(weighting)
        for rows in stretches(respondents, max(1, _BLOCK // statistics)):
            moved = self._on_covariances(rows) * scale[rows, None]
            if codes is None:
                root[rows] = moved
            else:
                np.add.at(root, codes[rows], moved)
        if codes is not None:
            root *= np.sqrt(units / (units - 1.0))
        root[:, self.margins.size + np.flatnonzero(self.at_edge)] = np.nan
        return RootGamma(root)

    def _on_covariances(self, rows: Rows) -> Floats:
        """Return what respondents add to all statistics, (respondents, statistics)."""
        first, (lean, scale) = self.margins.size, self._linear
        moved = self._stacked(rows)
        moved[:, first:] *= scale
        moved[:, first:] += (lean @ moved[:, :first].T).T
        return moved

    def _matrix(self, cluster: NDArray[np.intp] | None, weighting: Weighting) -> Floats:
        """Return Γ from the mean outer products of scores, (statistics, statistics)."""
        first, (lean, scale) = self.margins.size, self._to_covariances()
        middle = self._products(cluster, weighting)
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

    @cached_property
    def _linear(self) -> tuple[csr_array, Floats]:
        """`_to_covariances` with the few cells of its matrix that are not 0."""
        from scipy.sparse import csr_array

        lean, scale = self._to_covariances()
        known = np.isfinite(scale)
        return csr_array(np.where(known[:, None], lean, 0.0)), np.where(known, scale, 0.0)

    def _stacked(self, rows: Rows) -> Floats:
        """Return the stacked scores of respondents, (respondents, statistics)."""
        first = self.margins.size
        moved = np.empty((len(self.margins.share[rows]), first + len(self.rho)))
        moved[:, :first] = self.margins.influence(rows)
        for part in self.parts:
            moved[:, first + part.at] = part.scores(rows)
        return moved

    def _factors(self, weighting: Weighting) -> Floats:
        """Return what scores are multiplied with, so that their products sum to B, (rows,)."""
        share = self.margins.share
        return np.sqrt(share) if weighting == "frequency" else share * np.sqrt(len(share))

    def _products(self, cluster: NDArray[np.intp] | None, weighting: Weighting) -> Floats:
        """Return B, weighted with squared weights of mean 1, or of sums within clusters."""
        scale = self._factors(weighting)
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
