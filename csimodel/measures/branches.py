"""Staff and customers of branches: the service-profit chain across branches, both with errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError, SurveyError
from csimodel.findings import Finding
from csimodel.floats import own_errstate
from csimodel.inference.domains import function_of_means, one_group
from csimodel.measures.measure import Measure
from csimodel.survey import read_survey
from csimodel.survey.survey import respondents

Floats = NDArray[np.float64]

_LEAST = 3


@own_errstate
@checked
def branch_regression(
    customers: pd.DataFrame, staff: pd.DataFrame, *, level: float = 0.95
) -> Measure:
    """Regress the customers' index of branches on the staff's, with the errors of both known.

    Both are means of samples, so that the slope of the one on the other is too flat by the share of
    sampling error in the variance of the staff's index. With σ² and τ² the squared standard errors
    of x (staff) and y (customers), the slope is ``S_xy/(S_xx - mean σ²)`` and the share of the
    customers' true variance that it explains ``slope² (S_xx - mean σ²)/(S_yy - mean τ²)``. The
    slope's error is that of a function of means over branches, so branches may differ beyond what
    staff explain, and in their sampling errors. Whether staff or customers come first it does not
    say.

    Parameters
    ----------
    customers, staff
        Tables with a row for each branch and columns estimate (or mean) and se: as those of
        `csi.measures.comparison`, or of `csi.index_scores` by branch for one construct. Branches
        in both count; errors of the two are taken as independent, of different people.
    level
        Coverage.

    Returns
    -------
    Measure
        Rows ``"slope"``, ``"slope, errors ignored"``, ``"reliability"`` (of the staff's index
        between branches) and ``"explained"``.

    Raises
    ------
    OptionError
        When a table has no such columns.
    SurveyError
        When fewer than 3 branches are in both, or an error is missing or negative.

    References
    ----------
    Fuller, W. A. (1987). Measurement Error Models, section 3.1. Wiley.
    https://doi.org/10.1002/9780470316665

    Heskett, J. L., Jones, T. O., Loveman, G. W., Sasser, W. E., Schlesinger, L. A. (1994). Putting
    the service-profit chain to work. Harvard Business Review 72(2), 164-174.

    Examples
    --------
    >>> staff = pd.DataFrame({"estimate": [50.0, 60, 70, 80], "se": 3.0}, list("abcd"))
    >>> customers = pd.DataFrame({"estimate": [60.0, 66, 69, 75], "se": 1.0}, list("abcd"))
    >>> branch_regression(customers, staff).table["estimate"].round(3).tolist()
    [0.507, 0.48, 0.946, 1.068]
    """
    y, x = _columns("customers", customers), _columns("staff", staff)
    both = pd.concat([x, y], axis=1, join="inner").dropna()
    if len(both) < _LEAST:
        raise SurveyError(
            f"{len(both)} branches are in both tables with an estimate and an error, and at least "
            f"{_LEAST} are needed; give tables whose rows are branches of the same names."
        )
    numbers = both.to_numpy(dtype=np.float64)
    a, b = numbers[:, 0] - numbers[:, 0].mean(), numbers[:, 2] - numbers[:, 2].mean()
    less = 1.0 - 1.0 / len(both)  # of a variance whose sum of squares is divided by all branches
    sampling = less * numbers[:, [1, 3]] ** 2
    columns = np.column_stack([a, b, a * a, b * b, a * b, sampling])
    answers = respondents(read_survey(pd.DataFrame({"branch": np.arange(len(both))})))
    statistics = function_of_means(one_group(answers), columns, slopes_of_means)
    return Measure(
        "Customers' index on the staff's, across branches",
        statistics,
        None,
        pd.Index(["slope", "slope, errors ignored", "reliability", "explained"], name="branches"),
        level,
        told=_findings(float(statistics.estimate[0, 2]), len(both)),
    )


def slopes_of_means(mean: NDArray[np.inexact]) -> NDArray[np.inexact]:
    """Return slopes, reliability and explained share from moments over branches, (..., 4).

    Moments are means of x, y, xx, yy, xy and of squared errors of x and y, (..., 7).
    """
    x, y, xx, yy, xy, sigma, tau = np.moveaxis(mean, -1, 0)
    sxx, syy, sxy = xx - x * x, yy - y * y, xy - x * y
    true, rest = sxx - sigma, syy - tau
    true = np.where(true.real > 0, true, np.nan)
    rest = np.where(rest.real > 0, rest, np.nan)
    slope = sxy / true
    return np.stack([slope, sxy / sxx, 1.0 - sigma / sxx, slope * sxy / rest], axis=-1)


def _columns(option: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return estimate and error of each branch."""
    name = next((own for own in ("estimate", "mean") if own in table.columns), None)
    if name is None or "se" not in table.columns:
        raise OptionError(
            f"{option} must have columns estimate (or mean) and se, a row for each branch, and has "
            f"{', '.join(map(str, table.columns)) or 'none'}."
        )
    if not table.index.is_unique:
        raise OptionError(
            f"{option} has several rows of one branch; take one construct or item of the table, "
            "such as table.xs('Satisfaction', level='construct')."
        )
    pair = table[[name, "se"]].set_axis(["estimate", "se"], axis=1)
    if not all(pd.api.types.is_numeric_dtype(dtype) for dtype in pair.dtypes):
        raise OptionError(f"{option} has an estimate or se that is no number.")
    if (pair["se"] < 0).any() or np.isinf(pair.to_numpy(dtype=np.float64, na_value=np.nan)).any():
        raise SurveyError(f"{option} has an error below 0, or an infinite number.")
    return pair.astype(np.float64)


def _findings(reliability: float, branches: int) -> tuple[Finding, ...]:
    if reliability > 0:
        return ()
    values = {"branches": branches}
    return (Finding("no-difference-of-branches", _SAME, ("staff",), "failure", None, values),)


_SAME = (
    "The staff's indexes of {branches} branches differ no more than their sampling errors do, so "
    "there is no slope; ask more staff in each branch."
)
