"""Cells of a programme from a scan: what their units add, from one pass more over the rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from csimodel.estimators import Fit, GroupFits, Quantity
from csimodel.estimators.covariance_fit import fit_of
from csimodel.estimators.points import by_block, point_weights, scale_of
from csimodel.index.own_weights import OwnWeights
from csimodel.index.points import INDEX, POINT_WEIGHTS
from csimodel.index.programme.cell_totals import rows_of_cells, strata_of_cells
from csimodel.index.programme.cells import ProgrammeCells, reason_of, sparse_by_entry
from csimodel.inference import without_influence
from csimodel.inference.linearized import still
from csimodel.inference.scanned_influence import scanned_gradient
from csimodel.moments.scanned import RowsOfUnits, ScannedGroups
from csimodel.moments.scanned_sums import unit_products
from csimodel.survey.group_rows import GroupRows
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class ScannedCells(ProgrammeCells):
    """Indexes of cells of a scan; rows are clusters in cells, or stand for respondents.

    Attributes
    ----------
    groups
        What one pass told of the cells.
    """

    groups: ScannedGroups | None = None

    @property
    def _scanned(self) -> ScannedGroups:
        assert self.groups is not None
        return self.groups

    @property
    def _clustered(self) -> bool:
        return self._scanned.whole.rows.clustered

    @cached_property
    def n(self) -> Floats:
        """Respondents of each cell, (cells,)."""
        return self._scanned.sums.rows

    @cached_property
    def effective_n(self) -> Floats:
        """Kish's number of equally weighted respondents, (cells,)."""
        return np.where(self.n > 0, self._scanned.sums.effective_rows, np.nan)

    @cached_property
    def design(self) -> SurveyDesign:
        """The units that were drawn, in strata that cells are apart in; or what stands for them."""
        if self._clustered:
            return super().design
        unit = np.arange(len(self.codes))
        return SummedRespondents(unit, np.zeros_like(unit))

    @cached_property
    def df(self) -> Floats:
        """Degrees of freedom of each cell: its units less their strata, (cells,)."""
        if self._clustered:
            return super().df
        place, _ = strata_of_cells(self._scanned)
        strata = np.bincount(place // self._scanned.whole.design.strata, minlength=len(self.n))
        return np.asarray(self.n - strata)

    def units_less_strata(self, sums: sparse.csr_array) -> Floats:
        """Return the units that sums of cells rest on less their strata, (sums,)."""
        if self._clustered:
            return super().units_less_strata(sums)
        return np.asarray((abs(sums) > 0).T.astype(np.float64) @ self.df)


@dataclass(frozen=True, eq=False)
class SummedRespondents(SurveyDesign):
    """Rows that stand for respondents: their products are covariances as they are.

    Examples
    --------
    >>> rows = np.arange(2)
    >>> SummedRespondents(rows, 0 * rows).variance(np.array([[3.0], [4.0]]))
    array([25.])
    """

    @cached_property
    def factors(self) -> tuple[Floats, Floats]:
        """1 and 0; see `SurveyDesign.factors`."""
        return np.ones(1), np.zeros(1)


def scanned_own_cells(groups: GroupFits, progress: bool) -> ProgrammeCells:
    """Return cells of a scan that each have item weights of their own."""
    return _own(groups, INDEX, OwnWeights(groups).estimate, progress)


def scanned_quantity_cells(groups: GroupFits, quantity: Quantity, progress: bool) -> ProgrammeCells:
    """Return a quantity of every cell of a scan, each by its own fit."""
    estimate = groups.table(quantity).to_numpy(np.float64)
    cells = _own(groups, quantity, estimate, progress)
    if cells.reason:
        return cells
    moves = np.array([(own != 0).nnz > 0 for own in cells.added], dtype=np.bool_)
    return replace(cells, steady=~moves)


def scanned_pooled_cells(groups: GroupFits, progress: bool) -> ProgrammeCells:
    """Return cells of a scan that share the item weights of a fit to all of it."""
    scanned, model, estimator = _scan_of(groups), groups.solution.model, groups.solution.estimator
    whole = scanned.whole
    fit = fit_of(estimator.solve(whole.moments, model), None, None, whole)
    reason = without_influence(fit)
    points, weights = _points(groups, fit), point_weights(fit.solution)
    gradient = np.zeros((0, 0)) if reason else scanned_gradient(fit, scanned.whole, POINT_WEIGHTS)

    def added(own: RowsOfUnits, cell: Codes) -> Floats:
        through = _through_means(groups, own, cell, points, weights)
        if reason:
            return through
        pulls = [part @ gradient for _, part in unit_products(own, scanned.whole.sums.mean)]
        return np.hstack([through, np.concatenate(pulls)])

    constructs = len(model.constructs)
    width = constructs if reason else constructs + len(model.items)
    rows = rows_of_cells(scanned, added, width, progress)
    member = np.flatnonzero(rows.codes >= 0)
    estimate = by_block(model, weights * points)
    estimate[(groups.solution.moments.n < 1) | groups.suppressed] = np.nan
    values = [rows.values[member, :constructs]]
    shape = (len(rows.codes), len(groups))
    through = sparse_by_entry([member], [rows.codes[member]], values, shape, constructs)
    shared = None if reason else rows.values[:, constructs:]
    return ScannedCells(
        rows.answers, rows.codes, estimate, through, shared, points, model.owner, reason,
        groups=scanned,
    )  # fmt: skip


def scanned_base_cells(groups: GroupFits, base: Codes, progress: bool) -> ProgrammeCells:
    """Return cells of a scan that keep the item weights of a base cell each, (cells,)."""
    scanned, model = _scan_of(groups), groups.solution.model
    gradients = dict(_gradients(groups, POINT_WEIGHTS, np.unique(base)))
    points, items, constructs = _points(groups), len(model.items), len(model.constructs)
    with np.errstate(invalid="ignore"):
        weights = point_weights(groups.solution)[base]

    def added(own: RowsOfUnits, cell: Codes) -> Floats:
        through = _through_means(groups, own, cell, points, weights)
        return np.hstack([through, _of_cells(groups, own, cell, gradients, items)])

    rows = rows_of_cells(scanned, added, constructs + items, progress)
    member = np.flatnonzero(rows.codes >= 0)
    places, cells, values = [member], [rows.codes[member]], [rows.values[member, :constructs]]
    by_cell = GroupRows.of(rows.codes, len(groups))
    for cell, place in enumerate(base.tolist()):
        if place in gradients:
            places.append(by_cell[place])
            cells.append(np.full(len(places[-1]), cell))
            pulls = rows.values[places[-1], constructs:]
            values.append(by_block(model, pulls * np.nan_to_num(points[cell])))
    estimate = by_block(model, weights * points)
    estimate[groups.suppressed] = np.nan
    shape = (len(rows.codes), len(groups))
    return ScannedCells(
        rows.answers, rows.codes, estimate,
        sparse_by_entry(places, cells, values, shape, constructs), None, None, model.owner,
        "" if gradients else reason_of(groups), groups=scanned,
    )  # fmt: skip


def _own(groups: GroupFits, quantity: Quantity, estimate: Floats, progress: bool) -> ProgrammeCells:
    """Return estimates that each rest on the answers of their cell alone."""
    known = np.flatnonzero(groups.converged.to_numpy())
    gradients = dict(_gradients(groups, quantity, known))
    entries = estimate.shape[1]

    def added(own: RowsOfUnits, cell: Codes) -> Floats:
        return _of_cells(groups, own, cell, gradients, entries)

    rows = rows_of_cells(_scan_of(groups), added, entries, progress)
    members = GroupRows.of(rows.codes, len(groups))
    places = [members[cell] for cell in gradients]
    cells = [np.full(len(own), cell) for cell, own in zip(gradients, places, strict=True)]
    values = [still(rows.values[own]) for own in places]
    shape = (len(rows.codes), len(groups))
    added_up = sparse_by_entry(places, cells, values, shape, entries)
    return ScannedCells(
        rows.answers, rows.codes, estimate, added_up, None, None, groups.solution.model.owner,
        "" if gradients else reason_of(groups), groups=groups.scanned,
    )  # fmt: skip


def _scan_of(groups: GroupFits) -> ScannedGroups:
    assert groups.scanned is not None
    return groups.scanned


def _gradients(groups: GroupFits, quantity: Quantity, cells: Codes) -> Iterator[tuple[int, Floats]]:
    """Yield cells with influence values, and derivatives by the sums of each, (sums, entries)."""
    known = groups.converged.to_numpy()
    for cell in cells.tolist():
        fit = groups[groups.labels[cell]] if known[cell] else None
        if fit is not None and fit.scanned is not None and not without_influence(fit):
            yield cell, scanned_gradient(fit, fit.scanned, quantity)


def _points(groups: GroupFits, fit: Fit | None = None) -> Floats:
    """Return mean points of the items of each cell, (cells, items); NaN of nobody."""
    minimum, width = scale_of(groups.solution.moments if fit is None else fit.moments)
    sums = _scan_of(groups).sums
    return np.where(sums.rows[:, None] > 0, (sums.mean - minimum) / width * 100.0, np.nan)


def _through_means(
    groups: GroupFits, own: RowsOfUnits, cell: Codes, points: Floats, weights: Floats
) -> Floats:
    """Return what rows add to the index of their cell through its means, (rows, constructs).

    As `by_group.through_means`, with sums of weights of whole cells.
    """
    minimum, width = scale_of(groups.solution.moments)
    about = (own.values - minimum) / width * 100.0 - points[cell]
    about *= weights if weights.ndim == 1 else weights[cell]
    through = by_block(groups.solution.model, about) * _shares(groups, own, cell)[:, None]
    through[cell < 0] = 0.0
    return through


def _shares(groups: GroupFits, own: RowsOfUnits, cell: Codes) -> Floats:
    """Return the weight of rows as a part of that of their cell, (rows,)."""
    scanned = _scan_of(groups)
    total = scanned.sums.weight * (scanned.whole.sums.rows / scanned.whole.sums.weight)
    return np.asarray((1.0 if own.weights is None else own.weights) / total[cell])


def _of_cells(
    groups: GroupFits,
    own: RowsOfUnits,
    cell: Codes,
    gradients: Mapping[int, Floats],
    entries: int,
) -> Floats:
    """Return what rows add to what is estimated from their cell alone, (rows, entries)."""
    sums = _scan_of(groups).sums
    values = np.zeros((len(cell), entries))
    weights = _shares(groups, own, cell) * sums.rows[cell]
    order = np.argsort(cell, kind="stable")
    starts = np.flatnonzero(np.diff(cell[order], prepend=-2))
    for rows in np.split(order, starts[1:]):
        place = int(cell[rows[0]]) if len(rows) else -1
        if place in gradients:
            part = replace(own, values=own.values[rows], weights=weights[rows])
            for piece, products in unit_products(part, sums.mean[place]):
                values[rows[piece]] = products @ gradients[place]
    return values
