"""Polychoric correlations of all pairs of ordered items at once, from their two-way tables.

Answers a and b to items i and j have probability
``π_ab = Φ₂(τ_a, τ_b) - Φ₂(τ_a-1, τ_b) - Φ₂(τ_a, τ_b-1) + Φ₂(τ_a-1, τ_b-1)``,
and the correlation maximises ``Σ p_ab log π_ab`` given the thresholds of the margins
(Olsson 1979, two-step; doi:10.1007/BF02296207). A respondent's score depends on the cell only, so
every quantity here is a table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.bivariate import bivariate_cdf, bivariate_pdf, normal_pdf
from csimodel.moments.correlation_likelihood import likeliest_correlations

Floats = NDArray[np.float64]

_CELLS = 2**19  # cells of tables handled together
_LEAST = 1e-18  # a probability below what differences of Φ₂ can tell from 0


@dataclass(frozen=True, eq=False)
class PolychoricPairs:
    """Correlations of pairs of ordered items, and what their asymptotic covariance needs.

    Attributes
    ----------
    rho
        Correlations, (pairs,).
    scores
        ``∂ log π / ∂ρ`` of each cell, 0 in cells without respondents, (pairs, rows, columns).
    information
        Mean squared score, or minus the mean of its derivative, (pairs,).
    row_cross, column_cross
        Mean product of the score with ``∂ log π / ∂τ``, or minus the mean of its derivative, for
        each threshold of the item in the rows, (pairs, rows - 1), and of the one in the columns,
        (pairs, columns - 1).
    """

    rho: Floats
    scores: Floats
    information: Floats
    row_cross: Floats
    column_cross: Floats


def polychoric_pairs(
    tables: Floats,
    row_thresholds: Floats,
    column_thresholds: Floats,
    observed: Floats,
    curved: bool = False,
) -> PolychoricPairs:
    """Return the polychoric correlation of each table.

    Parameters
    ----------
    tables
        Shares of respondents in each cell, (pairs, rows, columns).
    row_thresholds, column_thresholds
        Thresholds of the two margins, (pairs, rows - 1) and (pairs, columns - 1); those of
        categories an item does not have lie beyond `FAR`, with empty cells in the table.
    observed
        The tables the scores are averaged over: `tables` without what was added to empty cells.
    curved
        Whether information and cross products are second derivatives.

    Examples
    --------
    A table with halved margins, where ρ = sin(2π (p₁₁ - 1/4)):

    >>> table, half = np.array([[[1, 0.5], [0.5, 1]]]) / 3, np.zeros((1, 1))
    >>> polychoric_pairs(table, half, half, table).rho
    array([0.5])
    """
    size = max(1, _CELLS // max(tables[0].size, 1)) if len(tables) else 1
    stretches = [slice(s, s + size) for s in range(0, max(len(tables), 1), size)]
    parts = [
        _stretch(tables[s], row_thresholds[s], column_thresholds[s], observed[s], curved)
        for s in stretches
    ]
    return PolychoricPairs(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _stretch(
    tables: Floats, h: Floats, k: Floats, observed: Floats, curved: bool
) -> tuple[Floats, ...]:
    seen = tables > 0.0

    def slopes(rho: Floats, at: NDArray[np.intp]) -> tuple[Floats, Floats]:
        probability, first, second = _cells(rho, h[at], k[at])
        ratio = np.where(seen[at], first / probability, 0.0)
        bend = np.where(seen[at], second / probability, 0.0) - ratio**2
        return _total(tables[at] * ratio), _total(tables[at] * bend)

    rho = likeliest_correlations(slopes, _correlations_of_ranks(tables))
    probability, first, second = _cells(rho, h, k)
    scores = np.where(observed > 0.0, first / probability, 0.0)
    weighted = observed * scores / probability
    by_row = _cross(weighted, rho, h, k)
    by_column = _cross(weighted.swapaxes(1, 2), rho, k, h)
    information = _total(observed * scores**2)
    if curved:
        share = observed / probability
        information -= _total(share * second)
        by_row -= _bend(share, rho, h, k)
        by_column -= _bend(share.swapaxes(1, 2), rho, k, h)
    return rho, scores, information, by_row, by_column


def _cells(rho: Floats, h: Floats, k: Floats) -> tuple[Floats, Floats, Floats]:
    """Return cell probabilities and their first and second derivatives in ρ, (pairs, r, c)."""
    from scipy.special import ndtr

    r, edge, other = rho[:, None, None], h[:, :, None], k[:, None, :]
    pairs, rows, columns = len(h), h.shape[1] + 1, k.shape[1] + 1
    below = np.zeros((pairs, rows + 1, columns + 1))
    below[:, 1:-1, 1:-1] = bivariate_cdf(edge, other, r)
    below[:, -1, 1:-1], below[:, 1:-1, -1], below[:, -1, -1] = ndtr(k), ndtr(h), 1.0
    density = bivariate_pdf(edge, other, r)
    rest = 1.0 - r * r
    bend = density * (r + (edge - r * other) * (other - r * edge) / rest) / rest
    first, second = (np.pad(each, ((0, 0), (1, 1), (1, 1))) for each in (density, bend))
    return np.maximum(_differences(below), _LEAST), _differences(first), _differences(second)


def _differences(corners: Floats) -> Floats:
    """Return what lies between neighbouring corners of a grid, (pairs, r + 1, c + 1) to (…, r, c).

    >>> _differences(np.array([[[0.0, 0.0, 0.0], [0.0, 0.3, 0.5], [0.0, 0.6, 1.0]]]))
    array([[[0.3, 0.2],
            [0.3, 0.2]]])
    """
    return np.asarray(np.diff(np.diff(corners, axis=1), axis=2))


def _cross(weighted: Floats, rho: Floats, h: Floats, k: Floats) -> Floats:
    """Return Σ p s ∂ log π / ∂τ for the thresholds τ of the rows, `weighted` being p s / π.

    ``∂Φ₂(h, k) / ∂h = φ(h) Φ((k - ρh) / √(1 - ρ²))``: a threshold moves people from the row above
    it to the one below.
    """
    from scipy.special import ndtr

    r = rho[:, None, None]
    inner = ndtr((k[:, None, :] - r * h[:, :, None]) / np.sqrt(1.0 - r * r))
    beyond = np.pad(inner, ((0, 0), (0, 0), (1, 1)))
    beyond[:, :, -1] = 1.0
    moved = normal_pdf(h)[:, :, None] * np.diff(beyond, axis=2)
    return np.asarray((moved * (weighted[:, :-1] - weighted[:, 1:])).sum(axis=2))


def _bend(share: Floats, rho: Floats, h: Floats, k: Floats) -> Floats:
    """Return Σ (p / π) ∂²π / ∂ρ∂τ for the thresholds τ of the rows.

    ``∂²Φ₂(h, k) / ∂ρ∂h = -(h - ρk) / (1 - ρ²) · φ₂(h, k)``.
    """
    r, edge, other = rho[:, None, None], h[:, :, None], k[:, None, :]
    slope = -(edge - r * other) / (1.0 - r * r) * bivariate_pdf(edge, other, r)
    moved = np.diff(np.pad(slope, ((0, 0), (0, 0), (1, 1))), axis=2)
    return np.asarray((moved * (share[:, :-1] - share[:, 1:])).sum(axis=2))


def _correlations_of_ranks(tables: Floats) -> Floats:
    """Return the correlation of category numbers, a start."""
    share = tables / _total(tables)[:, None, None]
    rows, columns = (np.arange(float(size)) for size in tables.shape[1:])
    by_row, by_column = share.sum(axis=2), share.sum(axis=1)
    product = np.einsum("pab,a,b->p", share, rows, columns)
    mean_row, mean_column = by_row @ rows, by_column @ columns
    variances = (by_row @ rows**2 - mean_row**2) * (by_column @ columns**2 - mean_column**2)
    return np.asarray((product - mean_row * mean_column) / np.sqrt(variances))


def _total(tables: Floats) -> Floats:
    return np.asarray(tables.sum(axis=(1, 2)))
