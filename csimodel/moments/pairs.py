"""Correlations of pairs of items given each item alone, by kind: both, one or none ordered.

Each pair's log-likelihood ℓ depends on its correlation ρ and on the parameters θ of its two items;
beside ρ come its scores ∂ℓ/∂ρ and their mean products with ∂ℓ/∂ρ itself and with ∂ℓ/∂θ. Pairs with
continuous items that are not taken as normal have second derivatives, -∂²ℓ/∂ρ² and -∂²ℓ/∂ρ∂θ, in
place of those products, which equal them under normality only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.correlation_likelihood import EDGE
from csimodel.moments.fourth import Rows
from csimodel.moments.margins import Margins
from csimodel.moments.polychoric import polychoric_pairs
from csimodel.moments.polyserial import (
    SerialScores,
    normal_scores,
    polyserial_correlations,
    polyserial_curvature,
    polyserial_scores,
)

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]

_CELLS = 2**19  # respondents, or pairs of answers, times pairs of items held at once
_HALF = 0.5  # respondents put into the empty cell of a table of two by two


class SolvedPairs(NamedTuple):
    """Some of the pairs, solved.

    `cross` and `information` are their rows of A₂₁, by all parameters of step one, and A₂₂;
    `scores` returns ∂ℓ/∂ρ of a stretch of respondents, (respondents, pairs).
    """

    at: Positions
    rho: Floats
    information: Floats
    cross: Floats
    scores: Callable[[Rows], Floats]


def _stretches(size: int, length: int) -> Iterator[slice]:
    """Cut a range into slices of `length`; the last may be shorter."""
    for begin in range(0, size, length):
        yield slice(begin, min(begin + length, size))


def both_ordered(
    margins: Margins, at: Positions, row: Positions, column: Positions
) -> tuple[SolvedPairs, NDArray[np.bool_]]:
    """Solve polychoric pairs from their tables; tell which tables were filled."""
    most, codes = int(margins.counts.max()), margins.codes
    observed = np.empty((len(at), most, most))
    for pair, (i, j) in enumerate(zip(row.tolist(), column.tolist(), strict=True)):
        shares = np.bincount(codes[:, i] * most + codes[:, j], margins.share, most * most)
        observed[pair] = shares.reshape(most, most)
    small = (margins.counts[row] == 2) & (margins.counts[column] == 2)
    tables, filled = _filled(observed, small, _HALF / len(margins.share))
    inner = margins.edges[:, 1:-1]
    curved = margins.bread == "curvature"
    polychoric = polychoric_pairs(tables, inner[row], inner[column], observed, curved)
    cross = np.zeros((len(at), margins.size))
    for item, values in ((row, polychoric.row_cross), (column, polychoric.column_cross)):
        _add_thresholds(margins, cross, item, values)
    table = polychoric.scores.reshape(len(at), -1)

    def scores(rows: Rows) -> Floats:
        answers = codes[rows]
        cell = answers[:, row] * most + answers[:, column]
        return np.asarray(np.take(table, cell + np.arange(len(at)) * most**2))

    return SolvedPairs(at, polychoric.rho, polychoric.information, cross, scores), filled


def _filled(
    tables: Floats, small: NDArray[np.bool_], amount: float
) -> tuple[Floats, NDArray[np.bool_]]:
    """Put `amount` into the empty cell of tables of two by two that have one, margins kept.

    >>> table = np.array([[[0.4, 0.0], [0.1, 0.5]]])
    >>> _filled(table, np.array([True]), 0.05)[0].round(2).tolist()
    [[[0.35, 0.05], [0.15, 0.45]]]
    """
    corner = tables[:, :2, :2]
    filled = small & ((corner == 0.0).sum(axis=(1, 2)) == 1)
    if not filled.any():
        return tables, filled
    tables = tables.copy()
    diagonal = np.eye(2, dtype=bool)
    for pair in np.flatnonzero(filled):
        own = tables[pair, :2, :2]
        beside = diagonal != diagonal[np.unravel_index(int(own.argmin()), (2, 2))]
        step = min(amount, 0.5 * float(own[beside].min()))
        own += np.where(beside, -step, step)
    return tables, filled


def one_ordered(
    margins: Margins, at: Positions, ordinal: Positions, continuous: Positions
) -> Iterator[SolvedPairs]:
    """Solve polyserial pairs, from tables of answers where those are shorter than the sample."""
    most, respondents = int(margins.counts.max()), len(margins.share)
    distinct = np.array([len(values) for values in margins.values])[continuous]
    tabled = most * distinct <= respondents
    order = np.argsort(distinct, kind="stable")
    for which, solve in ((order[tabled[order]], _from_tables), (order[~tabled[order]], _from_rows)):
        if not which.size:
            continue
        height = most * int(distinct[which[-1]]) if solve is _from_tables else respondents
        for some in _stretches(len(which), max(1, _CELLS // height)):
            own = which[some]
            yield solve(margins, at[own], ordinal[own], continuous[own])


def _from_tables(
    margins: Margins, at: Positions, ordinal: Positions, continuous: Positions
) -> SolvedPairs:
    """Solve polyserial pairs with one row a combination of answers."""
    most, wide = int(margins.counts.max()), max(len(margins.values[c]) for c in continuous)
    codes, pairs = margins.codes, np.arange(len(at))
    z = np.zeros((most, wide, len(at)))
    share = np.empty((most * wide, len(at)))
    for pair, (o, c) in enumerate(zip(ordinal.tolist(), continuous.tolist(), strict=True)):
        z[:, : len(margins.values[c]), pair] = margins.values[c]
        share[:, pair] = np.bincount(codes[:, o] * wide + codes[:, c], margins.share, most * wide)
    code = np.broadcast_to(np.repeat(np.arange(most), wide)[:, None], share.shape)
    rho, information, cross, table = _serial(
        margins, ordinal, continuous, z.reshape(share.shape), code, share
    )

    def scores(rows: Rows) -> Floats:
        answers = codes[rows]
        return np.asarray(table[answers[:, ordinal] * wide + answers[:, continuous], pairs])

    return SolvedPairs(at, rho, information, cross, scores)


def _from_rows(
    margins: Margins, at: Positions, ordinal: Positions, continuous: Positions
) -> SolvedPairs:
    """Solve polyserial pairs with one row a respondent."""
    share = np.broadcast_to(margins.share[:, None], (len(margins.share), len(at)))
    rho, information, cross, _ = _serial(
        margins, ordinal, continuous, margins.z[:, continuous], margins.codes[:, ordinal], share
    )

    def scores(rows: Rows) -> Floats:
        code, z = margins.codes[rows][:, ordinal], margins.z[rows][:, continuous]
        lower, upper = margins.edges[ordinal, code], margins.edges[ordinal, code + 1]
        return polyserial_scores(rho, z, lower, upper).rho

    return SolvedPairs(at, rho, information, cross, scores)


def _serial(
    margins: Margins,
    ordinal: Positions,
    continuous: Positions,
    z: Floats,
    code: Positions,
    share: Floats,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return correlations, A₂₂, A₂₁ and ∂ℓ/∂ρ of each row; arrays are (rows, pairs)."""
    lower, upper = margins.edges[ordinal, code], margins.edges[ordinal, code + 1]
    rho = polyserial_correlations(z, lower, upper, share)
    derivatives = polyserial_scores(rho, z, lower, upper)
    products = SerialScores(*(derivatives.rho * each for each in derivatives))
    if margins.bread != "products":
        products = polyserial_curvature(rho, z, lower, upper)
    products = SerialScores(*(np.where(share > 0.0, share * each, 0.0) for each in products))
    cross = np.zeros((len(rho), margins.size))
    most, pairs = margins.edges.shape[1] - 1, np.arange(len(rho))
    cell = (code + most * pairs).ravel()
    above, below = (
        np.bincount(cell, each.ravel(), most * len(rho)).reshape(-1, most)
        for each in (products.upper, products.lower)
    )
    _add_thresholds(margins, cross, ordinal, np.asarray(above[:, :-1] + below[:, 1:], np.float64))
    _add_means(margins, cross, continuous, *_by_value(products.z, z))
    return rho, products.rho.sum(axis=0), cross, np.where(share > 0.0, derivatives.rho, 0.0)


def none_ordered(margins: Margins, at: Positions, row: Positions, column: Positions) -> SolvedPairs:
    """Take ordinary correlations."""
    rho = np.clip((margins.z.T @ (margins.share[:, None] * margins.z))[row, column], -EDGE, EDGE)

    if margins.bread != "products":
        return _products_of_values(margins, at, rho, row, column)

    def scores(rows: Rows) -> Floats:
        return normal_scores(rho, margins.z[rows][:, row], margins.z[rows][:, column])[0]

    information, sums = np.zeros(len(at)), np.zeros((4, len(at)))
    for rows in _stretches(len(margins.share), max(1, _CELLS // len(at))):
        values, other = margins.z[rows][:, row], margins.z[rows][:, column]
        own, by_one, by_other = normal_scores(rho, values, other)
        weighted = margins.share[rows, None] * own
        information += (weighted * own).sum(axis=0)
        sums += [*_by_value(weighted * by_one, values), *_by_value(weighted * by_other, other)]
    cross = np.zeros((len(at), margins.size))
    _add_means(margins, cross, row, *sums[:2])
    _add_means(margins, cross, column, *sums[2:])
    return SolvedPairs(at, rho, information, cross, scores)


def _products_of_values(
    margins: Margins, at: Positions, rho: Floats, row: Positions, column: Positions
) -> SolvedPairs:
    """Take correlations as moments: ``dρ = (zz' - ρ) - ρ (ds²/2s² + …)``, whatever the answers."""
    cross, pairs = np.zeros((len(at), margins.size)), np.arange(len(at))
    for item in (row, column):
        cross[pairs, margins.variance_at[item]] += 0.5 * rho / margins.sd[item] ** 2

    def scores(rows: Rows) -> Floats:
        return np.asarray(margins.z[rows][:, row] * margins.z[rows][:, column] - rho)

    return SolvedPairs(at, rho, np.ones(len(at)), cross, scores)


def _by_value(weighted: Floats, z: Floats) -> tuple[Floats, Floats]:
    return weighted.sum(axis=0), (weighted * z).sum(axis=0)


def _add_means(
    margins: Margins, cross: Floats, item: Positions, level: Floats, spread: Floats
) -> None:
    """Add to A₂₁ at mean and variance, from mean products with ∂ℓ/∂z, and with that times z.

    ``∂z/∂μ = -1/s``, ``∂z/∂s² = -z/2s²``; the score's own mean is 0, so constants drop out.
    """
    sd, pairs = margins.sd[item], np.arange(len(item))
    cross[pairs, margins.level_start[item]] -= level / sd
    cross[pairs, margins.variance_at[item]] -= spread / (2.0 * sd**2)


def _add_thresholds(margins: Margins, cross: Floats, item: Positions, values: Floats) -> None:
    """Add to A₂₁ at the thresholds an item has, (pairs, most thresholds)."""
    pair, number = np.nonzero(np.arange(values.shape[1]) < margins.counts[item, None] - 1)
    cross[pair, margins.level_start[item][pair] + number] += values[pair, number]
