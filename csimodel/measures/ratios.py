"""What was felt over what was paid, and judgement after use over expectation before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import SurveyError
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.inference.domains import function_of_means
from csimodel.measures.measure import Measure
from csimodel.measures.respondents import GroupedSurvey, Names
from csimodel.survey import Survey
from csimodel.survey.checks import number
from csimodel.survey.headers import ColumnName
from csimodel.translation import message

Floats = NDArray[np.float64]


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Balance(Measure):
    """A ratio of two columns.

    Attributes
    ----------
    sides
        Shares of respondents whose own ratio is below, at and above 1.
    """

    sides: Measure

    @property
    def shares(self) -> pd.DataFrame:
        """Shares of respondents whose own ratio is below, at and above 1."""
        return self.sides.table


@own_errstate
@checked
def value_balance(
    data: Survey | pd.DataFrame,
    felt: ColumnName,
    paid: ColumnName,
    *,
    by: Names | None = None,
    level: float = 0.95,
) -> Balance:
    """Return the value balance: what was felt to be received over what was paid.

    Above 1 a customer feels to have got more than was paid for, at 1 the two are balanced, below 1
    it was not worth the price. The ratio of means, ``Σ w felt / Σ w paid``, weighs customers by
    what they paid; the mean of ratios takes each alike. Errors are by the delta method
    (linearised, as of R's ``svyratio``); ``bootstrap()`` has those of draws.

    Parameters
    ----------
    data
        A survey or frame; weights, strata and clusters are the survey's. Only respondents with
        both columns count.
    felt, paid
        Columns in the same unit, such as money; `paid` above 0.
    by
        Column or columns that make groups.
    level
        Coverage.

    Returns
    -------
    Balance
        ``table`` with rows ``"ratio of means"`` and ``"mean of ratios"`` (p is for a ratio of 1),
        ``shares`` of those below, at and above 1, ``differences``, ``bootstrap()``.

    Raises
    ------
    SurveyError
        When a column is not there, holds text, or something paid is not above 0.

    References
    ----------
    Cochran, W. G. (1977). Sampling Techniques, chapter 6. Wiley.

    Examples
    --------
    >>> one = pd.DataFrame({"felt": [180.0], "paid": [120.0]})
    >>> value_balance(one, "felt", "paid").table["estimate"].tolist()
    [1.5, 1.5]
    """
    return _balance(data, ("felt", felt), ("paid", paid), message("Value balance"), by, level)


@own_errstate
@checked
def after_use_satisfaction(
    data: Survey | pd.DataFrame,
    after: ColumnName,
    before: ColumnName,
    *,
    by: Names | None = None,
    level: float = 0.95,
) -> Balance:
    """Return after-use satisfaction: the judgement after use over the expectation before.

    Otherwise as `value_balance`. A ratio of ratings has a meaning only on a scale whose 0 is
    nothing; on others compare by differences (`disconfirmation`).

    Examples
    --------
    >>> frame = pd.DataFrame({"after": [80, 60, 90], "before": [80, 80, 60]})
    >>> after_use_satisfaction(frame, "after", "before").table["estimate"].round(4).tolist()
    [1.0455, 1.0833]
    """
    return _balance(
        data, ("after", after), ("before", before), message("After-use satisfaction"), by, level
    )


def _balance(
    data: Survey | pd.DataFrame,
    above: tuple[str, str],
    below: tuple[str, str],
    title: str,
    by: Names | None,
    level: float,
) -> Balance:
    grouped = GroupedSurvey.of(data, by)
    names = tuple(grouped.names(option, name)[0] for option, name in (above, below))
    values = grouped.numbers(names)
    low = np.flatnonzero(values[:, 1] <= 0)
    if len(low):
        raise SurveyError(
            f"Column {names[1]!r}, given as {below[0]}, holds {number(values[low[0], 1])} in "
            f"{len(low)} of {len(values)} rows or its like; a ratio needs numbers above 0, so make "
            "such cells empty or leave the rows out."
        )
    both = np.isfinite(values).all(axis=1, keepdims=True)
    pair = np.where(both, values, np.nan)
    each = pair[:, :1] / pair[:, 1:]
    told = grouped.findings(names, values)
    sides = np.hstack([each < 1.0, each == 1.0, each > 1.0])
    return Balance(
        title=title,
        statistics=function_of_means(grouped.domains, np.hstack([pair, each]), _ratios),
        groups=grouped.labels,
        names=pd.Index(["ratio of means", "mean of ratios"], name="ratio"),
        level=level,
        null=1.0,
        told=told,
        sides=Measure(
            message("{title}: shares", title=title),
            function_of_means(grouped.domains, np.where(both, sides, np.nan)),
            grouped.labels,
            pd.Index(["below 1", "at 1", "above 1"], name="side"),
            level,
            share=True,
            told=told,
        ),
    )


def _ratios(mean: NDArray[np.inexact]) -> NDArray[np.inexact]:
    return np.concatenate([mean[..., :1] / mean[..., 1:2], mean[..., 2:]], axis=-1)
