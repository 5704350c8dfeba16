"""Customer-perceived value: what customers get, less and over what it costs them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.inference.domains import Functional, function_of_means
from csimodel.measures.measure import Measure
from csimodel.measures.respondents import GroupedSurvey, Names
from csimodel.survey import Survey
from csimodel.translation import message


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class CustomerValue(Measure):
    """Value to customers. Made by `customer_value`.

    Attributes
    ----------
    sums
        Total value and total cost.
    quotient
        Total value over total cost.
    parts
        Each part over its total.
    """

    sums: Measure
    quotient: Measure
    parts: Measure

    @property
    def totals(self) -> pd.DataFrame:
        """Total value and total cost."""
        return self.sums.table

    @property
    def ratio(self) -> pd.DataFrame:
        """Total value over total cost; p is for a ratio of 1."""
        return self.quotient.table

    @property
    def contributions(self) -> pd.DataFrame:
        """What each part of value is of total value, and each cost of total cost."""
        return self.parts.table


@own_errstate
@checked
def customer_value(
    data: Survey | pd.DataFrame,
    *,
    value: Names,
    cost: Names,
    by: Names | None = None,
    level: float = 0.95,
) -> CustomerValue:
    """Return customer-delivered value: total value less total cost, and one over the other.

    Parameters
    ----------
    data
        A survey or frame; weights, strata and clusters are the survey's. Respondents with all
        parts count.
    value
        Columns of what customers get: product, service, personnel, image.
    cost
        Columns of what it costs them: money, time, energy, psychological; in the same unit, all
        rated or all in money.
    by
        Column or columns that make groups.
    level
        Coverage.

    Returns
    -------
    CustomerValue
        ``table`` (each part, costs with a minus sign, and ``"difference"``, their sum; p is for
        0), ``totals``, ``ratio``, ``contributions``, ``differences``.

    Raises
    ------
    SurveyError
        When a column is not there or holds text.
    OptionError
        When a column is a value and a cost.

    References
    ----------
    Kotler, P. (1994). Marketing Management, 8th edition, chapter 2. Prentice Hall.

    Examples
    --------
    >>> frame = pd.DataFrame({"product": [60, 80], "service": [30, 20], "money": [50, 70]})
    >>> result = customer_value(frame, value=["product", "service"], cost="money")
    >>> result.table["estimate"].tolist(), result.ratio["estimate"].round(4).tolist()
    ([70.0, 25.0, -60.0, 35.0], [1.5833])
    """
    grouped = GroupedSurvey.of(data, by)
    gains, costs = grouped.names("value", value), grouped.names("cost", cost)
    for name in gains:
        if name in costs:
            raise OptionError(f"Column {name!r} is given as a value and as a cost; choose one.")
    names = (*gains, *costs)
    values = grouped.numbers(names)
    told = grouped.findings(names, values)
    columns = np.where(np.isnan(values).any(axis=1, keepdims=True), np.nan, values)
    count = len(gains)

    def measure(title: str, kind: Functional, rows: list[str], null: float | None) -> Measure:
        return Measure(
            title,
            function_of_means(grouped.domains, columns, kind),
            grouped.labels,
            pd.Index(rows, name="part"),
            level,
            null,
            told=told,
        )

    return CustomerValue(
        title=message("Customer-delivered value"),
        statistics=function_of_means(grouped.domains, columns, ValueLessCost(count)),
        groups=grouped.labels,
        names=pd.Index([*names, "difference"], name="part"),
        level=level,
        null=0.0,
        told=told,
        sums=measure(message("Totals"), Totals(count), ["total value", "total cost"], None),
        quotient=measure(message("Value over cost"), ValueOverCost(count), ["value / cost"], 1.0),
        parts=measure(message("Contributions"), SharesOfTotals(count), [*names], None),
    )


@dataclass(frozen=True)
class Totals:
    """Sums of the first means and of the others."""

    count: int

    def __call__(self, mean: NDArray[np.inexact]) -> NDArray[np.inexact]:
        """Return both, (..., 2)."""
        parts = [mean[..., : self.count], mean[..., self.count :]]
        return np.stack([own.sum(axis=-1) for own in parts], axis=-1)


@dataclass(frozen=True)
class ValueLessCost:
    """Means, those after the first ones negative, and the sum of all."""

    count: int

    def __call__(self, mean: NDArray[np.inexact]) -> NDArray[np.inexact]:
        """Return them, (..., parts + 1)."""
        signed = np.concatenate([mean[..., : self.count], 0.0 - mean[..., self.count :]], axis=-1)
        return np.concatenate([signed, signed.sum(axis=-1, keepdims=True)], axis=-1)


@dataclass(frozen=True)
class ValueOverCost:
    """The sum of the first means over that of the others, NaN where these cost nothing."""

    count: int

    def __call__(self, mean: NDArray[np.inexact]) -> NDArray[np.inexact]:
        """Return the ratio, (..., 1)."""
        totals = Totals(self.count)(mean)
        cost = np.where(totals[..., 1:] == 0, np.nan, totals[..., 1:])
        return np.asarray(totals[..., :1] / cost)


@dataclass(frozen=True)
class SharesOfTotals:
    """The first means over their sum, and the others over theirs."""

    count: int

    def __call__(self, mean: NDArray[np.inexact]) -> NDArray[np.inexact]:
        """Return the shares, (..., parts)."""
        parts = (mean[..., : self.count], mean[..., self.count :])
        return np.concatenate([own / own.sum(axis=-1, keepdims=True) for own in parts], axis=-1)
