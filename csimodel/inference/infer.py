"""`infer`: an estimate and a source of error → one table; nobody else makes limits or p-values."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.inference.sources import ALIKE, CENSUS, NO_VARIATION, ONE_SIDE, ErrorSource
from csimodel.options import require_level
from csimodel.significance import BY_CONSTRUCTION, NO_ESTIMATE

Floats = NDArray[np.float64]


def infer(
    labels: pd.Index,
    estimate: Floats,
    source: ErrorSource,
    level: float = 0.95,
    null: float | None = 0.0,
    *,
    steady: bool | NDArray[np.bool_] = True,
) -> pd.DataFrame:
    """Return estimates with their error, limits and p-values.

    Parameters
    ----------
    labels
        One an entry.
    estimate
        (entries,)
    source
        `Draws`, `Coefficients`, or `StandardErrors`.
    level
        Coverage of the limits.
    null
        The value of no effect for p-values; None where zero means nothing.
    steady
        Whether an estimate that never varies is the same in every sample by construction, as the
        loading of a single item is: then its error is 0, and the reason says so. False for parts
        of a sample, where answers that happen to be alike say nothing of the error. One for all,
        or (entries,).

    Returns
    -------
    DataFrame
        Columns estimate, se, df (degrees of freedom), lower, upper, p and reason: a few words
        where there is no error or no limits, which are NaN there, or where the error is 0; empty
        where there are.

    Raises
    ------
    OptionError
        For a level outside 0 to 1.

    Examples
    --------
    >>> from csimodel.inference.sources import StandardErrors
    >>> source = StandardErrors(np.array([1.0, np.nan]), np.array([10.0, 0.0]))
    >>> table = infer(pd.Index(["a", "b"]), np.array([2.0, 3.0]), source)
    >>> table.loc["a"].drop("reason").astype(float).round(2).tolist()
    [2.0, 1.0, 10.0, -0.23, 4.23, 0.07]
    >>> table.loc["b", "reason"]
    'no degrees of freedom: not more sampled units than strata'
    """
    require_level(level)
    reasons = np.array(source.reasons(estimate), dtype=object)
    reasons[~np.isfinite(estimate)] = NO_ESTIMATE
    known = (reasons == "") | (reasons == ONE_SIDE)
    constant = (reasons == NO_VARIATION) & steady
    same = constant | (reasons == CENSUS)
    se = np.where(known, source.se, np.where(same, 0.0, np.nan))
    lower, upper = (
        np.where((reasons == "") | (reasons == ALIKE), end, np.where(same, estimate, np.nan))
        for end in source.limits(estimate, level)
    )
    p = np.full(len(estimate), np.nan)
    if null is not None:
        p = np.where(known, source.pvalue(estimate, null), np.nan)
    reasons[constant] = BY_CONSTRUCTION
    columns = {"estimate": estimate, "se": se, "df": np.asarray(source.df, np.float64)}
    limits = {"lower": lower, "upper": upper, "p": p}
    return pd.DataFrame({**columns, **limits, "reason": reasons.astype(str)}, index=labels)
