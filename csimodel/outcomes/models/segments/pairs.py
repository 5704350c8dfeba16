"""Every two segments against each other, with Holm's correction."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.limits import require_memory

Codes = NDArray[np.intp]


_BYTES = 250.0  # of a pair in a table: numbers, names and what is between


def pairs_of(count: int, what: str) -> tuple[Codes, Codes]:
    """Return every two of several numbers, the first of each and the second, (pairs,).

    Raises
    ------
    OptionError
        When a table of all pairs needs more memory than is free.

    >>> [codes.tolist() for codes in pairs_of(3, "segments")]
    [[0, 0, 1], [1, 2, 2]]
    """
    pairs = count * (count - 1) // 2
    require_memory(
        f"A table of the differences between every two of {count:,} {what}",
        _BYTES * pairs + 40.0 * count**2,
        "compare fewer of them, or read the table of each",
    )
    return np.triu_indices(count, 1)


def corrected_pairs(table: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """Name the rows of a table of differences by their pair, and correct their p-values.

    Parameters
    ----------
    table
        One row for each of `pairs_of`; a column p among others.
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
    first, second = np.triu_indices(len(names), 1)
    known = np.array(names, dtype=object)
    index = pd.MultiIndex.from_arrays([known[first], known[second]], names=["segment", "other"])
    return table.assign(p_holm=holm).set_axis(index)
