"""Paths, loadings, effects and impacts of the units of a programme, each by its own fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators import Fit, GroupFits, Quantity
from csimodel.index.programme.cells import ProgrammeCells, reason_of, sparse_by_entry
from csimodel.index.programme.scanned_cells import scanned_quantity_cells
from csimodel.inference import without_influence
from csimodel.inference.influence import free_influence_values
from csimodel.inference.linearized import still
from csimodel.survey.group_rows import GroupRows

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


def quantity_cells(groups: GroupFits, quantity: Quantity) -> ProgrammeCells:
    """Return a quantity of every cell with what respondents add to it.

    An entry that no respondent of any cell moves, such as the loading of a single item, is steady.
    """
    if groups.scanned is not None:
        return scanned_quantity_cells(groups, quantity, True)
    estimate = groups.table(quantity).to_numpy(np.float64)
    parts = (
        (cell, rows, still(free_influence_values(fit, quantity)))
        for cell, rows, fit in fits_of_cells(groups)
        if not without_influence(fit)
    )
    return cells_of(groups, estimate, parts)


def fits_of_cells(groups: GroupFits) -> Iterator[tuple[int, Codes, Fit]]:
    """Yield cells that have a solution: their number, rows among the answers, and fit."""
    members = GroupRows.of(groups.codes, len(groups))
    for cell in np.flatnonzero(groups.converged.to_numpy()).tolist():
        yield cell, members[cell], groups[groups.labels[cell]]


def cells_of(
    groups: GroupFits, estimate: Floats, parts: Iterable[tuple[int, Codes, Floats]]
) -> ProgrammeCells:
    """Return estimates of cells with what respondents add to them.

    Parameters
    ----------
    groups
        The fits of the cells.
    estimate
        (cells, entries); NaN where there is none.
    parts
        Cells, their rows, and what these add, (rows, entries).
    """
    rows, cells, values = [], [], []
    moves = np.zeros(estimate.shape[1], dtype=np.bool_)
    for cell, members, added in parts:
        moves |= (added != 0).any(axis=0)
        rows.append(members)
        cells.append(np.full(len(members), cell))
        values.append(added)
    shape = (len(groups.codes), len(groups))
    return ProgrammeCells(
        groups.answers,
        groups.codes,
        estimate,
        sparse_by_entry(rows, cells, values, shape, estimate.shape[1]),
        None,
        None,
        groups.solution.model.owner,
        "" if rows else reason_of(groups),
        ~moves if rows else np.zeros_like(moves),
    )
