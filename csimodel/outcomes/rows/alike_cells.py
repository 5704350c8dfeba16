"""Cells of respondents of a scan, who are merged already, in draws of clusters or buckets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from csimodel.index import IndexDraws
from csimodel.inference import Bootstrap
from csimodel.moments import Resampling
from csimodel.moments.unit_answers import UnitAnswers
from csimodel.outcomes.rows.alike import AlikeSample
from csimodel.outcomes.rows.cells import Cells

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False, kw_only=True)
class AlikeCells(Cells):
    """Rows of alike respondents as cells; draws count units.

    Attributes
    ----------
    members
        What the members of each unit count in each cell, sparse, (cells, units).
    """

    members: csr_array

    @classmethod
    def of_alike(cls, bootstrap: Bootstrap, sample: AlikeSample) -> Self:
        """Sort the rows of a sample of the bootstrap's fit, those that differ in the outcome last.

        Units are in the order in which the bootstrap draws them.
        """
        units = bootstrap.fit.drawn_answers("whole-chain intervals")
        assert isinstance(units, UnitAnswers)
        points, controls = sample.points_of_items, sample.factors
        order = np.lexsort(np.column_stack([points, controls, sample.outcome]).T[::-1])
        weight = sample.members[1 if len(sample.members) > 1 else 0]
        place = np.empty(len(units.places), dtype=np.intp)
        place[units.places] = np.arange(len(place))
        by_row = weight.tocsc()
        unit = place[sample.unit_codes][by_row.indices]
        shape = (len(order), len(place))
        members = csr_array((by_row.data, unit.astype(np.int32), by_row.indptr), shape)[order]
        rows = np.arange(len(order))
        return cls(
            index=IndexDraws.of_points(bootstrap, sample.indexes, points[order]),
            outcome=sample.outcome[order],
            controls=controls[order],
            order=rows,
            starts=rows,
            weights=None,
            members=members,
        )

    def drawn(self, counts: Floats) -> Floats:
        """Turn how often each unit was drawn, (draws, units), into cells' weights."""
        return np.ascontiguousarray((self.members @ counts.T).T)

    def tally(self, design: Resampling, block: int, wanted: Codes) -> Floats:
        """Return the cells' weights in some draws of a block, (draws, cells)."""
        return self.drawn(design.counts(block)[wanted])

    def take(self, cells: Codes, starts: Codes) -> Cells:
        """Return some of the cells, in their order."""
        own = self.index.take(cells)
        outcome, controls = self.outcome[cells], self.controls[cells]
        return replace(self, index=own, outcome=outcome, controls=controls, starts=starts)
