"""What may be spent: the spending at which a change pays for itself, and what is left of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from csimodel.arguments import checked
from csimodel.errors import OptionError, choose
from csimodel.findings import Finding
from csimodel.floats import own_errstate
from csimodel.options import number_of, require_kind, shown
from csimodel.outcomes.money.result import Money, money
from csimodel.outcomes.money.retention import Together
from csimodel.outcomes.money.row import AmountRow
from csimodel.outcomes.money.value import payments_value
from csimodel.translation import message

Paid = Literal["once", "every period"]

_VALUE = "value of all customers"


@own_errstate
@checked
def break_even_spending(change: Money, *, paid: Paid = "once") -> Money:
    """Return the largest spending per point moved at which a change still pays.

    ``value of all customers / (points · a)``, with a = 1 for spending paid once, now, and
    a = Σ (1 + d)^-t, from now on as many times as margins are counted, for spending that has to
    be repeated to keep the change.

    Parameters
    ----------
    change
        From `profit_of_driver` or `profit_of_change` (per index point), or from
        `profit_of_retention` (for the whole change).
    paid
        ``"once"`` or ``"every period"``.

    Raises
    ------
    OptionError
        When nothing was moved, or spending has an infinite present value.

    Examples
    --------
    >>> from csimodel.outcomes.money import Economics, profit_of_retention
    >>> terms = Economics(margin=100, currency="EUR", period="year", discount_rate=0.1)
    >>> found = break_even_spending(profit_of_retention(0.75, 0.7674, terms))
    >>> found
    <Money: Break-even spending. largest spending per point: 16.44 EUR.>
    """
    change = require_kind("change", change, Money, "make one with profit_of_change(rep, …)")
    factor, unit = _terms(change, paid)
    value = change[_VALUE].estimate
    drawn = change.draws[_VALUE].to_numpy()
    rows = [
        AmountRow(_VALUE, change.currency, value, drawn),
        AmountRow(message("largest spending per point"), unit, value / factor, drawn / factor),
    ]
    result = money(
        message("Break-even spending"),
        rows[1].name,
        rows,
        change.economics,
        _as_given(change),
        points=change.points,
    )
    return replace(result, findings=(*result.findings, *_doubtful(result)))


@own_errstate
@checked
def net_present_value(change: Money, spending: float, *, paid: Paid = "once") -> Money:
    """Return what is left of a change's value after spending on it.

    Parameters
    ----------
    change
        As in `break_even_spending`.
    spending
        Per point moved, in the change's currency.
    paid
        As in `break_even_spending`.

    Returns
    -------
    Money
        ``chance()`` is the share of draws in which the spending pays.

    Raises
    ------
    OptionError
        As in `break_even_spending`, and when spending is no number.

    Examples
    --------
    >>> from csimodel.outcomes.money import Economics, profit_of_retention
    >>> terms = Economics(margin=100, currency="EUR", period="year", discount_rate=0.1)
    >>> net_present_value(profit_of_retention(0.75, 0.7674, terms), 10).estimate.estimate
    6.44
    """
    change = require_kind("change", change, Money, "make one with profit_of_change(rep, …)")
    number = number_of(spending)
    if number is None or not np.isfinite(number):
        raise OptionError(f"spending={shown(spending)} must be a number, in {change.currency}.")
    factor, _ = _terms(change, paid)
    cost = float(spending) * factor
    drawn = change.draws[_VALUE].to_numpy()
    value = change[_VALUE].estimate
    rows = [
        AmountRow(_VALUE, change.currency, value, drawn),
        AmountRow(message("spending"), change.currency, cost, np.full(len(drawn), cost)),
        AmountRow(message("net present value"), change.currency, value - cost, drawn - cost),
    ]
    return money(
        message("Net present value of spending"),
        rows[2].name,
        rows,
        change.economics,
        _as_given(change),
        points=change.points,
    )


def _as_given(change: Money) -> Together:
    return Together(
        {}, len(change.draws), change.level, change.errors, change.source, change.findings,
        change.shortfall,
    )  # fmt: skip


def _terms(change: Money, paid: str) -> tuple[float, str]:
    """Return what one unit of spending per point costs at present, and the unit."""
    choose("paid", paid, ["once", "every period"])
    if _VALUE not in change.table.index or "start" not in change.table:
        raise OptionError(
            f"{change.title!r} is no change that money could bring about; use profit_of_driver, "
            "profit_of_change or profit_of_retention."
        )
    if change.points == 0:
        raise OptionError("Nothing was moved (0 points), so there is no spending per point.")
    if paid == "once":
        return change.points, f"{change.currency}"
    return (
        change.points * payments_value(change.economics),
        f"{change.currency} per {change.period}",
    )


def _doubtful(result: Money) -> tuple[Finding, ...]:
    spending = result.estimate
    if spending.estimate <= 0 or spending.upper < 0:
        message = "The change loses money on these terms, so no spending on it pays."
        return (Finding("no-spending-pays", message),)
    if not spending.lower <= 0 <= spending.upper:
        return ()
    return (
        Finding(
            "break-even-includes-zero",
            "The {level:g} % interval of the largest spending includes 0, so these data do not "
            "show that any spending pays.",
            values={"level": 100.0 * result.level},
        ),
    )
