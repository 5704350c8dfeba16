"""Every two segments against each other, with Holm's correction."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def pair_steps(count: int) -> NDArray[np.float64]:
    """Return the differences between every two of several numbers, (pairs, count).

    >>> pair_steps(3)[1].tolist()
    [1.0, 0.0, -1.0]
    """
    unit = np.eye(count)
    steps = [unit[a] - unit[b] for a, b in combinations(range(count), 2)]
    return np.array(steps).reshape(-1, count)


def corrected_pairs(table: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """Name the rows of a table of differences by their pair, and correct their p-values.

    Parameters
    ----------
    table
        One row for each of `pair_steps`; a column p among others.
    names
        Of what is paired.

    Returns
    -------
    DataFrame
        Rows (segment, other); column p_holm besides, over the pairs whose p is known.

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal
    of Statistics 6, 65-70. https://www.jstor.org/stable/4615733
    """
    p = table["p"].to_numpy(dtype=np.float64)
    order = np.argsort(p)[: np.isfinite(p).sum()]
    left = np.arange(len(order), 0, -1)
    holm = np.full(len(p), np.nan)
    holm[order] = np.minimum(np.maximum.accumulate(p[order] * left), 1.0)
    first, second = [], []
    for one, other in combinations(names, 2):
        first.append(one)
        second.append(other)
    index = pd.MultiIndex.from_arrays([first, second], names=["segment", "other"])
    return table.assign(p_holm=holm).set_axis(index)
