"""Indexes of firms in periods, and the covariance of any sums of them.

A cell is a unit of the lowest level in a period. What respondents add to its index (through its
answers, and through the item weights, which may rest on others) is kept as a sparse matrix, units
by cells; a roll-up, a change, a gap or a slope is a sum of cells with fixed counts a, and the
covariance of two of them is ``a'V b`` with V that of the cells under the sampling design. Where no
unit (respondent, or cluster) answers in two cells, each cell is a sample of its own; cells that
share units form strata together, and covary.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from csimodel.errors import OptionError
from csimodel.estimators import Fit, GroupFits
from csimodel.estimators.points import by_block, point_weights, scale_of
from csimodel.index.by_group import (
    group_points,
    points_of_answers,
    through_means,
    without_rounding,
)
from csimodel.index.own_weights import OwnWeights
from csimodel.index.points import POINT_WEIGHTS
from csimodel.inference import without_influence
from csimodel.inference.domains import working_variance
from csimodel.inference.influence import free_influence_values
from csimodel.survey import Answers
from csimodel.survey.group_rows import effective_sizes
from csimodel.survey.sampling import SurveyDesign
from csimodel.translation import message

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
ItemWeights = Literal["own", "pooled", "base"]

NO_PART_ERROR = message("a part of it has no error")
_SAME = 1e-6  # points between means of the answers there are and those of a fit
_EXPECTED_MEANS = (
    "item_weights='base' takes the means of the answers there are, and the fits of these units "
    "have the means of expected answers (full information); use item_weights='own', or another "
    "treatment of missing answers, such as missing='mean'."
)


@dataclass(frozen=True, eq=False)
class ProgrammeCells:
    """Indexes of cells with what respondents add to them.

    Attributes
    ----------
    answers
        Of all respondents.
    codes
        Cell of each respondent, (rows,); -1 for none.
    estimate
        (cells, constructs); NaN where there is no solution.
    added
        What respondents add to each construct's indexes, sparse, (rows, cells) each.
    shared
        What respondents add through item weights that all cells have, (rows, items), or None.
    points
        Mean points of items, by which the shared part counts, (cells, items), or None.
    owner
        The construct of each item, (items,).
    reason
        Why nothing has an error, in a few words; empty where it has.
    steady
        Entries that are the same in every sample by construction, (constructs,), or None.
    """

    answers: Answers
    codes: Codes
    estimate: Floats
    added: tuple[sparse.csr_array, ...]
    shared: Floats | None
    points: Floats | None
    owner: Codes
    reason: str = ""
    steady: NDArray[np.bool_] | None = None

    @property
    def census(self) -> bool:
        """Whether all units of the population are in the sample."""
        return self.design.census

    @cached_property
    def n(self) -> Floats:
        """Respondents of each cell, (cells,)."""
        counts = np.bincount(self.codes[self.codes >= 0], minlength=len(self.estimate))
        return counts.astype(np.float64)

    @cached_property
    def effective_n(self) -> Floats:
        """Kish's number of equally weighted respondents, (cells,)."""
        return effective_sizes(self.codes, self.answers.weights, len(self.estimate))

    @cached_property
    def design(self) -> SurveyDesign:
        """The units that were drawn: those of the survey, in strata that cells are apart in.

        Those of the survey as they are where its population is finite, or weights meet margins.
        """
        if self.answers.calibrated is not None:
            return self.answers.calibrated.first_stage
        design = self.answers.design
        if design.population is not None:
            return design
        member = np.flatnonzero(self.codes >= 0)
        size = design.units + len(self.estimate)
        pairs = (design.unit[member], design.units + self.codes[member])
        graph = sparse.coo_array((np.ones(len(member)), pairs), (size, size))
        component = connected_components(graph, directed=False)[1][: design.units]
        keys = component.astype(np.int64) * design.strata + design.stratum
        return replace(design, stratum=np.unique(keys, return_inverse=True)[1].astype(np.intp))

    @cached_property
    def _units(self) -> sparse.csr_array:
        """From respondents to units, (units, rows)."""
        unit = self.design.unit
        ones = np.ones(len(unit))
        return sparse.csr_array(
            (ones, (unit, np.arange(len(unit)))), (self.design.units, len(unit))
        )

    @cached_property
    def members(self) -> sparse.csr_array:
        """How many respondents units have in cells, (units, cells)."""
        own = np.flatnonzero(self.codes >= 0)
        shape = (len(self.codes), len(self.estimate))
        of_rows = sparse.csr_array((np.ones(len(own)), (own, self.codes[own])), shape)
        return self._by_unit(of_rows)

    def _by_unit(self, rows: sparse.csr_array) -> sparse.csr_array:
        if self.design.kind == "respondent" and self.answers.calibrated is None:
            return rows
        return self._units @ rows

    @cached_property
    def df(self) -> Floats:
        """Degrees of freedom of each cell: its units less their strata, (cells,)."""
        design = replace(self.design, replication=None)
        return design.degrees(self.codes, len(self.estimate)).astype(np.float64)

    @cached_property
    def _by_stratum(self) -> sparse.csr_array:
        """From units to strata, (strata, units)."""
        place = (self.design.stratum, np.arange(self.design.units))
        return sparse.csr_array((np.ones(self.design.units), place))

    @cached_property
    def _forms(self) -> tuple[_CellCovariance, ...]:
        """The covariance of cells by construct."""
        factor, share = self.design.factors
        forms = []
        scored = np.isfinite(self.estimate)
        for j, added in enumerate(self.added):
            totals = self._by_unit(_of_cells(added, scored[:, j]))
            sums = self._by_stratum @ totals
            scaled = sparse.csr_array(sparse.diags(factor[self.design.stratum])) @ totals
            centred = sparse.csr_array(sparse.diags(factor * share)) @ sums
            own = (totals.T @ scaled - sums.T @ centred).tocsr()
            crossed = between = None
            pulls, points = self._common(j)
            if points.size:
                crossed = np.asarray(scaled.T @ pulls - centred.T @ (self._by_stratum @ pulls))
                between = self.design.covariance(pulls)
            forms.append(_CellCovariance(own, crossed, between, points if points.size else None))
        return tuple(forms)

    def _common(self, construct: int) -> tuple[Floats, Floats]:
        """Return what units add to what cells have in common, and how it counts in each.

        (units, common) and (cells, common): the weights of items, and the known totals of margins,
        which what is left of cells once these are met has with the slopes of cells on them.
        """
        cells = len(self.estimate)
        values, points = np.empty((len(self.codes), 0)), np.empty((cells, 0))
        if self.shared is not None and self.points is not None:
            block = self.owner == construct
            values, points = self.shared[:, block], np.nan_to_num(self.points[:, block])
        pulls, margins = self.design.totals(values), self.answers.calibrated
        if margins is None:
            return pulls, points
        projection = margins.projection(np.arange(len(self.codes)))
        slopes = (self.added[construct].T @ projection.T) + points @ (projection @ values).T
        return np.hstack([pulls, margins.known_totals]), np.hstack([points, -slopes])

    def variance(self, sums: sparse.csr_array) -> Floats:
        """Return the variance of sums of cells, (cells, sums) to (sums, constructs)."""
        return np.stack([form.variance(sums) for form in self._forms], axis=1)

    def covariance(self, construct: int, sums: sparse.csr_array) -> Floats:
        """Return the covariance matrix of some sums of cells, (sums, sums)."""
        return self._forms[construct].covariance(sums)

    def covariances(self, sums: sparse.csr_array, others: sparse.csr_array) -> Floats:
        """Return the covariance of each sum with another, (sums, constructs)."""
        return np.stack([form.covariances(sums, others) for form in self._forms], axis=1)

    @cached_property
    def _alone(self) -> Floats:
        """The variance of each cell, (cells, constructs)."""
        return self.variance(sparse.csr_array(sparse.identity(len(self.estimate), format="csr")))

    def degrees(self, sums: sparse.csr_array) -> Floats:
        """Return degrees of freedom of sums of cells, (sums, constructs); 0 without an error.

        The smaller of the units less strata they rest on, and Satterthwaite's of the cells:
        ``(Σ a²v)² / Σ (a²v)²/df`` with a what a cell counts and v its variance, in clusters what
        its size makes it (`working_variance`).
        """
        squares = sums.multiply(sums).T.tocsr()
        degrees = np.empty((sums.shape[1], len(self.added)))
        unknown = ~(self.df > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            for j in range(len(self.added)):
                v = working_variance(self.design, self._alone[:, j], self.effective_n)
                v = np.where(self._alone[:, j] > 0, np.nan_to_num(v), 0.0)
                below = squares.multiply(squares) @ (v**2 / np.where(unknown, 1.0, self.df))
                degrees[:, j] = (squares @ v) ** 2 / below
                lacking = unknown | ~np.isfinite(self._alone[:, j]) | ~(self._alone[:, j] >= 0)
                degrees[(squares @ lacking.astype(np.float64)) > 0, j] = 0.0
        most = self.units_less_strata(sums)
        return np.where(np.isnan(degrees), most[:, None], np.minimum(degrees, most[:, None]))

    def units_less_strata(self, sums: sparse.csr_array) -> Floats:
        """Return the units that sums of cells rest on less their strata, (sums,)."""
        units = (self.members @ abs(sums) > 0).astype(np.float64)
        strata = (self._by_stratum @ units > 0).sum(axis=0)
        return np.asarray(units.sum(axis=0) - strata, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _CellCovariance:
    """The covariance of cells: a sparse part, and that of weights that cells share."""

    own: sparse.csr_array
    crossed: Floats | None
    between: Floats | None
    points: Floats | None

    def variance(self, sums: sparse.csr_array) -> Floats:
        variance = self.covariances(sums, sums)
        if self.points is not None and self.between is not None:
            points = abs(sums.T @ self.points)
            size = self._of_cells(sums, sums) + ((points @ abs(self.between)) * points).sum(axis=1)
            return without_rounding(variance, size)
        return np.asarray(np.maximum(variance, 0.0))

    def covariances(self, sums: sparse.csr_array, others: sparse.csr_array) -> Floats:
        covariance = self._of_cells(sums, others)
        if self.points is not None and self.crossed is not None and self.between is not None:
            points, crossed = sums.T @ self.points, sums.T @ self.crossed
            others_points, others_crossed = others.T @ self.points, others.T @ self.crossed
            covariance += (points * others_crossed + crossed * others_points).sum(axis=1)
            covariance += ((points @ self.between) * others_points).sum(axis=1)
        return covariance

    def _of_cells(self, sums: sparse.csr_array, others: sparse.csr_array) -> Floats:
        """Return the part of covariances that does not come from shared weights, (sums,)."""
        return np.array(sums.multiply(self.own @ others).sum(axis=0)).ravel()

    def covariance(self, sums: sparse.csr_array) -> Floats:
        covariance = np.asarray((sums.T @ (self.own @ sums)).toarray())
        if self.points is not None and self.crossed is not None and self.between is not None:
            points, crossed = sums.T @ self.points, sums.T @ self.crossed
            covariance += points @ crossed.T + crossed @ points.T
            covariance += points @ self.between @ points.T
        return covariance


def own_cells(groups: GroupFits) -> ProgrammeCells:
    """Return cells that each have item weights of their own."""
    own = OwnWeights(groups)
    constructs = len(groups.solution.model.constructs)
    rows, cells, values = [], [], []
    for cell, members, added in own.influence():
        rows.append(members)
        cells.append(np.full(len(members), cell))
        values.append(added)
    return ProgrammeCells(
        groups.answers,
        groups.codes,
        own.estimate,
        sparse_by_entry(rows, cells, values, (len(groups.codes), len(groups)), constructs),
        None,
        None,
        groups.solution.model.owner,
        "" if rows else reason_of(groups),
    )


def pooled_cells(fit: Fit, groups: GroupFits) -> ProgrammeCells:
    """Return cells that share the item weights of a fit to all respondents."""
    answers, model, cells = groups.answers, fit.model, len(groups)
    points = group_points(answers, groups.codes, cells, fit.moments)
    weights = point_weights(fit.solution)
    means = through_means(answers, model, groups.codes, points, weights)
    known = np.flatnonzero(groups.codes >= 0)
    added = sparse_by_entry(
        [known], [groups.codes[known]], [means[known]], (len(groups.codes), cells), means.shape[1]
    )
    shared = None if without_influence(fit) else free_influence_values(fit, POINT_WEIGHTS)
    estimate = by_block(model, weights * points)
    few = groups.solution.moments.n < 1
    estimate[few | groups.suppressed] = np.nan
    reason = without_influence(fit)
    return ProgrammeCells(
        answers, groups.codes, estimate, added, shared, points, model.owner, reason
    )


def base_cells(groups: GroupFits, base: Codes) -> ProgrammeCells:
    """Return cells that keep the item weights of a base cell each, (cells,)."""
    answers, model = groups.answers, groups.solution.model
    shape = (len(groups.codes), len(groups))
    moments = groups.solution.moments
    minimum, width = scale_of(moments)
    points = points_of_answers(answers, groups.codes, len(groups), minimum, width)
    fitted = (moments.mean - minimum) / width * 100.0
    if (abs(points - fitted)[groups.converged.to_numpy()] > _SAME).any():
        raise OptionError(_EXPECTED_MEANS)
    with np.errstate(invalid="ignore"):
        weights = point_weights(groups.solution)[base]
    estimate = by_block(model, weights * points)
    estimate[groups.suppressed] = np.nan
    own = np.flatnonzero(groups.codes >= 0)
    rows, cells, values = [own], [groups.codes[own]], []
    values.append(through_means(answers, model, groups.codes, points, weights)[own])
    for place, members, pulls in _pulls(groups, np.unique(base)):
        for cell in np.flatnonzero(base == place).tolist():
            rows.append(members)
            cells.append(np.full(len(members), cell))
            values.append(by_block(model, pulls * np.nan_to_num(points[cell])))
    added = sparse_by_entry(rows, cells, values, shape, len(model.constructs))
    reason = "" if len(rows) > 1 else reason_of(groups)
    return ProgrammeCells(answers, groups.codes, estimate, added, None, None, model.owner, reason)


def _pulls(groups: GroupFits, chosen: Codes) -> Iterator[tuple[int, Codes, Floats]]:
    """Yield groups, their rows and what these add to the weights of points, (rows, items)."""
    for place in chosen.tolist():
        fit = groups[groups.labels[place]]
        if fit.converged and not without_influence(fit):
            rows = np.flatnonzero(groups.codes == place)
            yield place, rows, free_influence_values(fit, POINT_WEIGHTS)


def reason_of(groups: GroupFits) -> str:
    """Return why no group has influence values, in a few words."""
    known = np.flatnonzero(groups.converged.to_numpy())
    return without_influence(groups[groups.labels[known[0]]]) if len(known) else ""


def _of_cells(added: sparse.csr_array, chosen: NDArray[np.bool_]) -> sparse.csr_array:
    """Return what respondents add to some cells, and nothing to the others, (rows, cells)."""
    entries = added.tocoo()
    own = chosen[entries.col]
    place = (entries.row[own], entries.col[own])
    return sparse.coo_array((entries.data[own], place), added.shape).tocsr()


def sparse_by_entry(
    rows: list[Codes],
    cells: list[Codes],
    values: list[Floats],
    shape: tuple[int, int],
    constructs: int,
) -> tuple[sparse.csr_array, ...]:
    """Return what respondents add, sparse, for each construct."""
    if not rows:
        return tuple(sparse.csr_array(shape) for _ in range(constructs))
    place = (np.concatenate(rows), np.concatenate(cells))
    whole = np.concatenate(values)
    return tuple(sparse.coo_array((whole[:, j], place), shape).tocsr() for j in range(constructs))
