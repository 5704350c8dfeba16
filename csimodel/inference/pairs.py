"""Every two of several groups against each other, with Holm's correction."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.limits import require_memory
from csimodel.significance import holm

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
    """
    first, second = np.triu_indices(len(names), 1)
    known = np.array(names, dtype=object)
    index = pd.MultiIndex.from_arrays([known[first], known[second]], names=["segment", "other"])
    return table.assign(p_holm=holm(table["p"])).set_axis(index)
