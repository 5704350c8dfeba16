"""What replicate weights look like: the method that most likely made them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.survey.checks import number, numeric_block

Floats = NDArray[np.float64]

_DIGITS = 4  # of factors, as files print weights with about seven


def likely_method(frame: pd.DataFrame, columns: Sequence[str], weights: str | None) -> str:
    """Return which method replicate weights look made by, as the end of a sentence.

    What a replicate multiplies the weights by tells them apart: half of a sample counts twice and
    the other not (BRR) or less (Fay's), rows are left out and all others raised alike (JK1) or
    those of their stratum (JKn), or rows count by how often they were drawn (bootstrap). After
    raking, or where errors must know a finite population, weights no longer tell.

    Parameters
    ----------
    frame
        The survey's table.
    columns
        Columns of replicate weights.
    weights
        The column of weights they vary; None where they are factors.

    Examples
    --------
    >>> frame = pd.DataFrame({"w": [1.0, 2.0, 3.0], "r1": [2.0, 0.0, 6.0], "r2": [0.0, 4.0, 0.0]})
    >>> likely_method(frame, ["r1", "r2"], "w")
    "'brr' is likely, as each replicate doubles some rows and leaves out the others"
    """
    values = numeric_block(frame, columns)[0]
    base = np.ones(len(values)) if weights is None else numeric_block(frame, [weights])[0][:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = values / base[:, None]
    factors = factors[(base > 0) & np.isfinite(factors).all(axis=1)].round(_DIGITS)
    return _told([np.unique(own) for own in factors.T], len(factors))


def _told(levels: list[Floats], rows: int) -> str:
    """Return the end of the sentence, from the different factors of each replicate."""
    if not all(map(len, levels)):
        return "the weights do not tell which"
    lowest = float(levels[0][0])
    if all(len(own) == 2 and own[0] == lowest and own.sum() == 2.0 for own in levels):
        if lowest == 0.0:
            return "'brr' is likely, as each replicate doubles some rows and leaves out the others"
        kept, raised = number(lowest), number(2.0 - lowest)
        return (
            f"'fay' with fay={kept} is likely, as each replicate multiplies some weights by {kept} "
            f"and the others by {raised}"
        )
    left_out = all(own[0] == 0.0 for own in levels)
    if left_out and all(len(own) == 2 for own in levels):
        return "'jk1' is likely, as each replicate leaves out some rows and raises all others alike"
    if left_out and all(len(own) == 3 and own[1] == 1.0 for own in levels):
        return (
            "'jkn' is likely, as each replicate leaves out some rows, raises some and keeps the "
            "others"
        )
    if all(2 < len(own) < rows / 2 for own in levels):
        return "'bootstrap' is likely, as rows count several times, once or less"
    return "the weights do not tell which"
