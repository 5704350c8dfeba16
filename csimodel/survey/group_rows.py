"""The rows of each group, sorted once, and sums over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.intp]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GroupRows:
    """The rows of each group: ``rows[group]``, ascending.

    Attributes
    ----------
    order
        Rows by group, those of no group first, (rows,).
    starts
        Where each group begins in `order`, and where the last ends, (groups + 1,).
    """

    order: Codes
    starts: Codes

    @classmethod
    def of(cls, codes: Codes, groups: int) -> GroupRows:
        """Sort the rows by their group, 0 … groups - 1; -1 is none.

        Examples
        --------
        >>> rows = GroupRows.of(np.array([1, 0, -1, 1]), 3)
        >>> [rows[group].tolist() for group in range(3)]
        [[1], [0, 3], []]
        """
        order = np.argsort(codes, kind="stable")
        return cls(order, np.searchsorted(codes[order], np.arange(groups + 1)))

    def __getitem__(self, group: int) -> Codes:
        """Return the rows of a group."""
        return self.order[self.starts[group] : self.starts[group + 1]]


def sums_by_group(codes: Codes, values: Floats, groups: int) -> Floats:
    """Return sums of rows' values by their group, 0 … groups - 1, (groups, any).

    Examples
    --------
    >>> sums_by_group(np.array([1, 0, 1]), np.array([[1.0], [2.0], [4.0]]), 2).tolist()
    [[2.0], [5.0]]
    """
    sums = [np.bincount(codes, column, groups) for column in values.T]
    return np.array(sums, np.float64).reshape(values.shape[1], groups).T
