"""Paths, loadings, effects and impacts of the units of a programme, each by its own fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators import GroupFits, Quantity
from csimodel.index.programme.cells import ProgrammeCells, reason_of, sparse_by_entry
from csimodel.inference import without_influence
from csimodel.inference.influence import free_influence_values
from csimodel.inference.linearized import still
from csimodel.survey.group_rows import GroupRows

Codes = NDArray[np.intp]


def quantity_cells(groups: GroupFits, quantity: Quantity) -> ProgrammeCells:
    """Return a quantity of every cell with what respondents add to it.

    An entry that no respondent of any cell moves, such as the loading of a single item, is steady.
    """
    estimate = groups.table(quantity).to_numpy(np.float64)
    members = GroupRows.of(groups.codes, len(groups))
    rows, cells, values = [], [], []
    moves = np.zeros(estimate.shape[1], dtype=np.bool_)
    for cell in np.flatnonzero(groups.converged.to_numpy()).tolist():
        fit = groups[groups.labels[cell]]
        if without_influence(fit):
            continue
        added = still(free_influence_values(fit, quantity))
        moves |= (added != 0).any(axis=0)
        rows.append(members[cell])
        cells.append(np.full(len(members[cell]), cell))
        values.append(added)
    shape = (len(groups.codes), len(groups))
    model = groups.solution.model
    return ProgrammeCells(
        groups.answers,
        groups.codes,
        estimate,
        sparse_by_entry(rows, cells, values, shape, estimate.shape[1]),
        None,
        None,
        model.owner,
        "" if rows else reason_of(groups),
        ~moves if rows else np.zeros_like(moves),
    )
