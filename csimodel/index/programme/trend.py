"""Straight lines through the scores of units over the periods."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from csimodel.index.programme.hierarchy import Hierarchy

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_FEWEST = 3  # periods of a line


def slopes_of(hierarchy: Hierarchy) -> tuple[Codes, sparse.csr_array, Codes]:
    """Return nodes with enough periods, their slopes as sums of cells, and how many periods.

    Points a period, ``Σ (t - t̄) x_t / Σ (t - t̄)²`` over the periods with a score, by
    their times.

    Returns
    -------
    nodes, sums, periods
        (slopes,), (cells, slopes) and (slopes,).
    """
    scored = hierarchy.scored
    count = scored.sum(axis=1)
    node = np.flatnonzero(count >= _FEWEST)
    own = scored[node].astype(np.float64)
    time = hierarchy.times.steps
    centred = own * (time - (own @ time / count[node])[:, None])
    with np.errstate(invalid="ignore", divide="ignore"):
        centred /= (centred**2).sum(axis=1)[:, None]
    row, period = np.nonzero(scored[node])
    place = (node[row] * scored.shape[1] + period, row)
    counts = sparse.coo_array((centred[row, period], place), (scored.size, len(node)))
    return node, (hierarchy.sums @ counts.tocsr()).tocsr(), count[node]
