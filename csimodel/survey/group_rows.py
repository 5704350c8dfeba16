"""The rows of each group, sorted once, and sums over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
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


def effective_sizes(codes: Codes, weights: Floats | None, groups: int) -> Floats:
    """Return Kish's numbers of equally weighted rows of groups, ``(Σ w)²/Σ w²``, (groups,).

    Parameters
    ----------
    codes
        Group of each row, 0 … groups - 1, (rows,); -1 for none.
    weights
        (rows,), or None where rows count alike.
    groups
        How many there are; NaN for one without rows.

    Examples
    --------
    >>> effective_sizes(np.array([0, 0, -1, 1]), np.array([1.0, 3.0, 9.0, 2.0]), 2).tolist()
    [1.6, 1.0]
    """
    member = codes >= 0
    own = np.ones(int(member.sum())) if weights is None else weights[member]
    sums = sums_by_group(codes[member], np.stack([own, own**2], axis=1), groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[:, 0] ** 2 / sums[:, 1])


def distinct_rows(rows: Codes | Floats) -> tuple[Codes, Codes]:
    """Return codes of rows that differ, (rows,), and where each is met first, (distinct,).

    Codes count up in the order in which rows are met; cells are (rows, any) without NaN.

    Examples
    --------
    >>> codes, first = distinct_rows(np.array([[3, 1], [2, 1], [3, 1]]))
    >>> codes.tolist(), first.tolist()
    ([0, 1, 0], [0, 1])
    """
    codes = np.zeros(len(rows), dtype=np.intp)
    for place, column in enumerate(rows.T):
        own, levels = pd.factorize(column)  # as few codes as rows, so that products are exact
        codes = pd.factorize(codes * max(1, len(levels)) + own)[0] if place else own
    first = np.zeros(int(codes.max(initial=-1)) + 1, dtype=np.intp)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return codes, first
