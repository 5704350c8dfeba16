"""Step two of the statistics of ordered items: a correlation for each pair, given step one.

Pairs are those below the diagonal, column by column.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.likeliest import EDGE
from csimodel.moments.margins import Margins
from csimodel.moments.polychoric import polychoric_pairs
from csimodel.moments.polyserial import (
    normal_scores,
    polyserial_correlations,
    polyserial_scores,
)

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]

_CELLS = 2**20  # respondents times pairs handled together
_ROWS = 4096  # respondents whose scores are held at once
_ADDED = 0.5  # respondents put into an empty cell of a table of two answers by two


@dataclass(frozen=True, eq=False)
class Association:
    """Correlations of all pairs, and what their asymptotic covariance needs.

    Attributes
    ----------
    margins
        Step one.
    row, column
        Items of each pair, ``row > column``, (pairs,).
    rho
        Correlations, (pairs,).
    information
        Mean squared score in ρ, (pairs,).
    cross
        Mean product of that score with the pair's scores in thresholds, means and variances,
        (pairs, statistics of step one).
    tables
        Score of each cell of two ordered items, (ordered pairs, categories, categories).
    filled
        Pairs of two answers by two whose table had an empty cell, (pairs,).
    """

    margins: Margins
    row: Positions
    column: Positions
    rho: Floats
    information: Floats
    cross: Floats
    tables: Floats
    filled: NDArray[np.bool_]

    @property
    def at_edge(self) -> NDArray[np.bool_]:
        """Pairs whose correlation cannot be told from ±1, (pairs,)."""
        return (np.abs(self.rho) >= EDGE) | (self.information <= 0.0)

    def gamma(self) -> Floats:
        """Return n times the asymptotic covariance of step one's statistics and covariances.

        ``Γ = A⁻¹ B A⁻¹'`` of the stacked estimating equations (Muthén 1984), every part of A a
        mean outer product of scores. Rows and columns of pairs at the edge are NaN.
        """
        margins, n, first = self.margins, len(self.margins.share), self.margins.size
        total = np.zeros((first + len(self.rho),) * 2)
        for start in range(0, n, _ROWS):
            rows = slice(start, start + _ROWS)
            moved = np.hstack([margins.influence(rows), self._scores(rows)])
            moved *= margins.share[rows, None]
            total += moved.T @ moved
        usable = ~self.at_edge
        row_sd, column_sd = margins.sd[self.row], margins.sd[self.column]
        scale = np.full(len(self.rho), np.nan)
        scale[usable] = (row_sd * column_sd)[usable] / self.information[usable]
        outer = np.eye(len(total))
        outer[first:, :first] = -scale[:, None] * self.cross
        outer[first:, first:] = np.diag(np.where(usable, scale, 0.0))
        for items, own, other in (
            (self.row, row_sd, column_sd),
            (self.column, column_sd, row_sd),
        ):
            free = np.flatnonzero(~margins.ordered[items])
            by_variance = (self.rho * other / (2.0 * own))[free]
            outer[first + free, margins.variance_at[items[free]]] += by_variance
        return n * (outer @ total @ outer.T)

    def _scores(self, rows: slice) -> Floats:
        margins, out = self.margins, np.empty((len(self.margins.share[rows]), len(self.rho)))
        rho = np.clip(self.rho, -EDGE, EDGE)
        both, mixed, neither = _kinds(margins, self.row, self.column)
        if both.size:
            size = self.tables.shape[-1]
            cell = margins.codes[rows][:, self.row[both]] * size
            cell += margins.codes[rows][:, self.column[both]]
            out[:, both] = self.tables.ravel()[cell + np.arange(len(both)) * size**2]
        if mixed.size:
            chosen, free = _serial(margins, self.row[mixed], self.column[mixed])
            codes, z = margins.codes[rows][:, chosen], margins.z[rows][:, free]
            lower, upper = margins.edges[chosen, codes], margins.edges[chosen, codes + 1]
            out[:, mixed] = polyserial_scores(rho[mixed], z, lower, upper).rho
        if neither.size:
            z = margins.z[rows]
            one, other = z[:, self.row[neither]], z[:, self.column[neither]]
            out[:, neither] = normal_scores(rho[neither], one, other)[0]
        return out


def associate(margins: Margins) -> Association:
    """Return the correlation of every pair.

    A table of two answers by two with an empty cell gets half a respondent in that cell, and the
    other cells change so that the margins, hence the thresholds, stay; scores are averaged over
    the table as it was answered.
    """
    column, row = np.triu_indices(len(margins.ordered), 1)
    pairs = len(row)
    rho, information = np.zeros(pairs), np.zeros(pairs)
    cross, filled = np.zeros((pairs, margins.size)), np.zeros(pairs, dtype=np.bool_)
    both, mixed, neither = _kinds(margins, row, column)
    step = max(_CELLS // len(margins.share), 1)
    for kind, correlate in ((mixed, _polyserial), (neither, _ordinary)):
        for start in range(0, len(kind), step):
            part = kind[start : start + step]
            found = correlate(margins, row[part], column[part])
            rho[part], information[part], cross[part] = found
    scores = np.zeros((0, 1, 1))
    if both.size:
        tables = _tables(margins, row[both], column[both])
        full, filled[both] = _fill(tables, margins.counts[row[both]], margins.counts[column[both]],
                                   _ADDED / len(margins.share))  # fmt: skip
        edges = margins.edges[:, 1:-1]
        tabled = polychoric_pairs(full, edges[row[both]], edges[column[both]], tables)
        rho[both], information[both], scores = tabled.rho, tabled.information, tabled.scores
        for items, products in ((row, tabled.row_cross), (column, tabled.column_cross)):
            _spread(cross, margins, both, items[both], products)
    return Association(margins, row, column, rho, information, cross, scores, filled)


def _kinds(margins: Margins, row: Positions, column: Positions) -> list[Positions]:
    """Return the pairs with two, one and no ordered item."""
    number = margins.ordered[row].astype(np.intp) + margins.ordered[column]
    return [np.flatnonzero(number == wanted) for wanted in (2, 1, 0)]


def _tables(margins: Margins, row: Positions, column: Positions) -> Floats:
    """Return the share of respondents in each cell of each pair, (pairs, most, most)."""
    items, most = np.flatnonzero(margins.ordered), int(margins.counts.max())
    joint = np.zeros((len(items) * most,) * 2)
    for start in range(0, len(margins.share), _ROWS):
        codes = margins.codes[start : start + _ROWS, items]
        chosen = (codes[:, :, None] == np.arange(most)).reshape(len(codes), -1).astype(np.float64)
        joint += (chosen * margins.share[start : start + _ROWS, None]).T @ chosen
    by_item = joint.reshape(len(items), most, len(items), most).swapaxes(1, 2)
    return by_item[np.searchsorted(items, row), np.searchsorted(items, column)]


def _fill(
    tables: Floats, rows: Positions, columns: Positions, added: float
) -> tuple[Floats, NDArray[np.bool_]]:
    """Put `added` into the empty cell of tables of two by two; also tell which had just one."""
    corner = tables[:, :2, :2]
    empty = corner <= 0.0
    filled = (rows == 2) & (columns == 2) & (empty.sum(axis=(1, 2)) == 1)
    on_diagonal = empty[:, 0, 0] | empty[:, 1, 1]
    sign = np.where(on_diagonal, 1.0, -1.0)[:, None, None] * np.array([[1.0, -1.0], [-1.0, 1.0]])
    room = np.where(sign < 0.0, corner, np.inf).min(axis=(1, 2))
    amount = np.where(filled, np.minimum(added, 0.5 * room), 0.0)
    full = tables.copy()
    full[:, :2, :2] += amount[:, None, None] * sign
    return full, filled


def _spread(
    cross: Floats, margins: Margins, pairs: Positions, items: Positions, products: Floats
) -> None:
    """Write products with thresholds, (pairs, most - 1), where the items' thresholds stand."""
    level = np.arange(products.shape[1])
    known = level < margins.counts[items][:, None] - 1
    at = margins.level_start[items][:, None] + level
    cross[np.broadcast_to(pairs[:, None], at.shape)[known], at[known]] = products[known]


def _serial(margins: Margins, row: Positions, column: Positions) -> tuple[Positions, Positions]:
    """Return the ordered and the continuous item of each pair."""
    first = margins.ordered[row]
    return np.where(first, row, column), np.where(first, column, row)


def _polyserial(
    margins: Margins, row: Positions, column: Positions
) -> tuple[Floats, Floats, Floats]:
    chosen, free = _serial(margins, row, column)
    codes, z, share = _combinations(margins, chosen, free)
    lower, upper = margins.edges[chosen, codes], margins.edges[chosen, codes + 1]
    rho = polyserial_correlations(z, lower, upper, share)
    scores = polyserial_scores(rho, z, lower, upper)
    weighted = share * scores.rho
    cross = np.zeros((len(rho), margins.size))
    _add_continuous(cross, margins, free, weighted, z, scores.z)
    for pair, item in enumerate(chosen):
        size, start = margins.counts[item], margins.level_start[item]
        below, above = (
            np.bincount(codes[:, pair], weighted[:, pair] * by_edge[:, pair], size)
            for by_edge in (scores.upper, scores.lower)
        )
        cross[pair, start : start + size - 1] = below[:-1] + above[1:]
    return rho, (weighted * scores.rho).sum(axis=0), cross


def _combinations(
    margins: Margins, chosen: Positions, free: Positions
) -> tuple[Positions, Floats, Floats]:
    """Return the combinations of answers in use and their shares, (combinations, pairs).

    Columns with fewer combinations than others repeat theirs at no weight.
    """
    cells: list[Positions] = []
    shares: list[Floats] = []
    for item, other in zip(chosen, free, strict=True):
        cell = margins.codes[:, other] * margins.counts[item] + margins.codes[:, item]
        total = np.bincount(cell, margins.share)
        cells.append(np.flatnonzero(total))
        shares.append(np.asarray(total[cells[-1]], dtype=np.float64))
    shape = max(len(cell) for cell in cells), len(chosen)
    codes, z, share = np.empty(shape, dtype=np.intp), np.empty(shape), np.zeros(shape)
    for pair, (item, other) in enumerate(zip(chosen, free, strict=True)):
        size = len(cells[pair])
        every = np.resize(cells[pair], shape[0])
        codes[:, pair] = every % margins.counts[item]
        z[:, pair] = margins.values[other][every // margins.counts[item]]
        share[:size, pair] = shares[pair]
    return codes, z, share


def _ordinary(margins: Margins, row: Positions, column: Positions) -> tuple[Floats, Floats, Floats]:
    one, other = margins.z[:, row], margins.z[:, column]
    rho = margins.share @ (one * other)
    by_rho, by_one, by_other = normal_scores(np.clip(rho, -EDGE, EDGE), one, other)
    weighted = margins.share[:, None] * by_rho
    cross = np.zeros((len(rho), margins.size))
    _add_continuous(cross, margins, row, weighted, one, by_one)
    _add_continuous(cross, margins, column, weighted, other, by_other)
    return rho, (weighted * by_rho).sum(axis=0), cross


def _add_continuous(
    cross: Floats, margins: Margins, items: Positions, weighted: Floats, z: Floats, by_z: Floats
) -> None:
    """Write products with the scores ``-s_z / σ`` in the mean, ``-(1 + z s_z) / 2σ²`` in σ²."""
    pairs, sd = np.arange(len(items)), margins.sd[items]
    cross[pairs, margins.level_start[items]] = -(weighted * by_z).sum(axis=0) / sd
    by_variance = -(weighted * (1.0 + z * by_z)).sum(axis=0) / (2.0 * sd**2)
    cross[pairs, margins.variance_at[items]] = by_variance
