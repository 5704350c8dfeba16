"""Errors of parameters by the normal distribution, as columns; why there is none where none is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.significance import BY_CONSTRUCTION, NO_ESTIMATE, t_limits, t_pvalue
from csimodel.translation import message

Floats = NDArray[np.float64]

FIXED = message("fixed, not estimated")
NO_ERROR = message("no error follows from this solution")


def error_columns(
    estimate: Floats,
    se: Floats,
    level: float,
    fixed: NDArray[np.bool_] | None = None,
    none: str = NO_ERROR,
) -> dict[str, Floats | NDArray[np.str_]]:
    """Return se, z, df (infinite), p, lower, upper and reason.

    Parameters
    ----------
    estimate, se
        (entries,); errors are NaN where there is none, 0 for what is the same in every sample.
    level
        Coverage of the limits.
    fixed
        What is not estimated, (entries,).
    none
        Why an estimate has no error.

    Examples
    --------
    >>> columns = error_columns(np.array([1.0, 2.0]), np.array([np.nan, 1.0]), 0.95,
    ...                         np.array([True, False]))
    >>> columns["reason"].tolist(), columns["z"]
    (['fixed, not estimated', ''], array([nan,  2.]))
    """
    df = np.full(len(estimate), np.inf)
    lower, upper = t_limits(estimate, se, df, level)
    reason = np.where(np.isfinite(se), np.where(se > 0, "", BY_CONSTRUCTION), none)
    if fixed is not None:
        reason = np.where(fixed & ~np.isfinite(se), FIXED, reason)
    reason = np.where(np.isfinite(estimate), reason, NO_ESTIMATE)
    return {
        "se": se,
        "z": estimate / np.where(se > 0, se, np.nan),
        "df": df,
        "p": t_pvalue(estimate, se, df),
        "lower": lower,
        "upper": upper,
        "reason": reason,
    }
