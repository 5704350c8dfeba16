"""The order in which a symmetric matrix is stacked."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=64)
def vech_indices(size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows and columns of vech: the lower triangle of a matrix, column by column.

    This is the only order in which the package stacks a symmetric matrix; on a symmetric matrix
    it reads the same numbers as the upper triangle row by row, ``np.triu_indices``. The arrays are
    shared and cannot be written to.

    Examples
    --------
    >>> vech_indices(3)
    (array([0, 1, 2, 1, 2, 2]), array([0, 0, 0, 1, 1, 2]))
    """
    columns, rows = np.triu_indices(size)
    for indices in (rows, columns):
        indices.flags.writeable = False
    return rows, columns
