"""Errors of averages over the respondents of all segments, one average a segment.

An average ``θ_g = Σ_i s_i f(x_i, b_g)`` varies as the segment's coefficients do and as the
respondents do: a unit adds ``γ_g'ψ_ug + Σ_i ℓ_i (f(x_i, b_g) - θ_g)`` (see `ScoreErrors`). The
second part is a sum over the different values of x, so that nothing has respondents times segments
numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.bias_reduced import BiasReduced
from csimodel.outcomes.kernels.margin_totals import TermsOfTotals
from csimodel.outcomes.kernels.score_errors import level_errors, level_weights
from csimodel.outcomes.kernels.segment_errors import SegmentErrors
from csimodel.outcomes.kernels.shared_clusters import SharedWorking
from csimodel.survey.group_rows import sums_by_group

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_TOGETHER = 2**22  # numbers handled at once


@dataclass(frozen=True, eq=False)
class SegmentAverages:
    """Errors of one average a segment.

    Attributes
    ----------
    errors
        Of the segments' coefficients.
    value
        Which of the different values each respondent has, (rows,).
    share
        How much each respondent counts in an average, (rows,).
    gradient
        Of the averages, by the segment's own coefficients, (segments, size).
    function
        At each of the different values, (segments, values).
    """

    errors: SegmentErrors
    value: Codes
    share: Floats
    gradient: Floats
    function: Floats

    @cached_property
    def value_share(self) -> Floats:
        """How much each different value counts in an average, (values,)."""
        return np.asarray(np.bincount(self.value, self.share), dtype=np.float64)

    @cached_property
    def mean(self) -> Floats:
        """The averages, (segments,)."""
        return np.asarray(self.function @ self.value_share)

    @cached_property
    def levels(self) -> BiasReduced | None:
        """CR2 errors of weighted means over the respondents."""
        if self.errors.kind != "CR2":
            return None
        return level_errors(len(self.share), self.errors.scores.weights, self.errors.design)

    @cached_property
    def level_sums(self) -> csr_array:
        """What respondents of each unit and value add to a weighted mean, (units, values)."""
        from scipy.sparse import csr_array

        errors = self.errors
        own = level_weights(errors.kind, self.share, errors.design, errors.terms, self.levels)
        shape = (errors.design.units, len(self.value_share))
        return csr_array((own, (errors.design.unit, self.value)), shape)

    @cached_property
    def pulls(self) -> csr_array | None:
        """What units add to the averages through the coefficients, (units, segments)."""
        errors = self.errors
        if errors.pulls is None:
            return None
        return errors.by_unit((errors.pulls * self.gradient[errors.parts.segment]).sum(axis=1))

    def each(self) -> tuple[Floats, Floats]:
        """Return standard errors and degrees of freedom of the averages, (segments,) twice."""
        gradient, errors = self.gradient, self.errors
        variance = ((gradient[:, None] @ errors.covariance)[:, 0] * gradient).sum(axis=1)
        together = max(1, _TOGETHER // max(self.function.shape[1], errors.design.units))
        spread = np.empty(len(variance))
        for own in np.split(np.arange(len(variance)), np.arange(together, len(variance), together)):
            gap = self.function[own] - self.mean[own, None]
            variance[own] += self._variance_of_levels(gap)
            if self.pulls is not None:
                across = errors.product(self.pulls[:, own], self.level_sums)
                variance[own] += 2.0 * across.multiply(gap).sum(axis=1)
            spread[own] = gap**2 @ self.value_share
            variance[own] += self._variance_of_margins(gap, own)
        return np.sqrt(np.maximum(variance, 0.0)), self._df(spread)

    def differences(self, first: Codes, second: Codes) -> tuple[Floats, Floats]:
        """Return standard errors and degrees of freedom of differences of two, (pairs,) twice.

        Parameters
        ----------
        first, second
            Segments, the second taken off the first, (pairs,).
        """
        gap = self.function - self.function.mean(axis=0)  # which differences do not see
        gap -= (gap @ self.value_share)[:, None]
        errors = self.errors
        covariance = self._covariance_of_levels(gap)
        if self.pulls is None:
            own = ((self.gradient[:, None] @ errors.covariance)[:, 0] * self.gradient).sum(axis=1)
            covariance[np.diag_indices_from(covariance)] += own
        else:
            covariance += errors.product(self.pulls, self.pulls).toarray()
            across = errors.product(self.pulls, self.level_sums) @ gap.T
            covariance += across + across.T
        if errors.margins is not None and self._terms is not None:
            through, levels = self._terms
            terms = through + levels.of(lambda own: gap @ own)
            covariance += errors.margins.covariance(terms, terms)
        spread = _of_differences((gap * self.value_share) @ gap.T, first, second)
        variance = _of_differences(covariance, first, second)
        return np.sqrt(np.maximum(variance, 0.0)), self._df(spread, (first, second))

    @cached_property
    def _terms(self) -> tuple[TermsOfTotals, TermsOfTotals] | None:
        """What averages have to do with known totals through the coefficients, (segments, totals).

        And means of the different values, (values, totals); None without margins.
        """
        margins, own = self.errors.margins, self.errors.terms_of_totals
        if margins is None or own is None:
            return None
        share = self.share[:, None] * margins.projection.T
        slopes = sums_by_group(self.value, share, len(self.value_share))
        levels = TermsOfTotals(self.level_sums.T @ margins.heavy, slopes)
        return own.of(lambda terms: (self.gradient[:, None] @ terms)[:, 0]), levels

    def _variance_of_margins(self, gap: Floats, chosen: Codes) -> Floats:
        """Return what margins add to variances of averages beyond those of the coefficients."""
        if self.errors.margins is None or self._terms is None:
            return np.zeros(len(gap))
        through = self._terms[0].of(lambda terms: terms[chosen])
        both = through + self._terms[1].of(lambda terms: gap @ terms)
        margins = self.errors.margins
        return margins.variance(both) - margins.variance(through)

    def _variance_of_levels(self, gap: Floats) -> Floats:
        """Return variances of weighted means, (functions,), of (functions, values)."""
        variance = np.zeros(len(gap))
        for at, (_, counts) in enumerate(self.errors.cells):
            if self._squares(at):
                variance += gap**2 @ self._level_squares
            else:
                variance += counts @ (self._level_cells[at] @ gap.T) ** 2
        return variance

    def _covariance_of_levels(self, gap: Floats) -> Floats:
        """Return covariances of weighted means, (functions, functions)."""
        whole = np.zeros((len(gap), len(gap)))
        for at, (_, counts) in enumerate(self.errors.cells):
            if self._squares(at):
                whole += (gap * self._level_squares) @ gap.T
            else:
                sums = self._level_cells[at] @ gap.T
                whole += (sums * counts[:, None]).T @ sums
        return whole

    def _squares(self, at: int) -> bool:
        """Whether cells of a kind are respondents, who have one value each."""
        return at == 0 and self.errors.design.kind == "respondent"

    @cached_property
    def _level_squares(self) -> Floats:
        """Squares of what respondents add, by value, where each is a unit, (values,)."""
        own = self.level_sums.copy()
        own.data **= 2
        return np.asarray(own.T @ self.errors.cells[0][1])

    @cached_property
    def _level_cells(self) -> list[csr_array]:
        """What cells of each kind add to weighted means, (cells, values) each."""
        return [self.errors.cell_sums(at, self.level_sums) for at in range(len(self.errors.cells))]

    def _df(self, spread: Floats, pairs: tuple[Codes, Codes] | None = None) -> Floats:
        """Return degrees of freedom of averages, or of differences, after Satterthwaite.

        `spread` is the variance between respondents of what is averaged.
        """
        if self.levels is None:
            return np.full(len(spread), self.errors.plain_df)
        working = SharedWorking.of(
            self.errors.parts, self.errors.reduced, self.gradient[:, None, :]
        )
        level = self.levels.working(np.eye(1))
        trace, across, size = working.trace, working.products_with(level), self.errors.dispersion
        if pairs is None:
            square = working.squares()
        else:
            first, second = pairs
            products = working.products()
            square = products[first, first] + products[second, second]
            square += 2.0 * products[first, second]
            trace, across = trace[first] + trace[second], across[first] + across[second]
        whole = size * trace + spread * level.trace
        return np.asarray(
            whole**2 / (size**2 * square + 2.0 * size * spread * across + spread**2 * level.square)
        )


def _of_differences(matrix: Floats, first: Codes, second: Codes) -> Floats:
    own = np.diagonal(matrix)
    return np.asarray(own[first] + own[second] - 2.0 * matrix[first, second])
