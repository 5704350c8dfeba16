"""What handling complaints may cost, and what it is worth that the dissatisfied speak.

References
----------
Fornell, C., Wernerfelt, B. (1987). Defensive marketing strategy by customer complaint management:
a theoretical analysis. Journal of Marketing Research 24, 337-346.
https://doi.org/10.1177/002224378702400401

Fornell, C., Wernerfelt, B. (1988). A model for customer complaint management. Marketing Science 7,
287-298. https://doi.org/10.1287/mksc.7.3.287
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError
from csimodel.findings import Finding
from csimodel.floats import own_errstate
from csimodel.options import number_of, shown
from csimodel.outcomes.money.result import Money, money
from csimodel.outcomes.money.retention import Retention, together
from csimodel.outcomes.money.row import AmountRow
from csimodel.outcomes.money.value import (
    Economics,
    require_economics,
    require_share,
    staying_values,
)
from csimodel.translation import message

Floats = NDArray[np.float64]
Pair = tuple[float, Floats]


@own_errstate
@checked
def complaint_budget(
    handled: float | Retention,
    unhandled: float | Retention,
    economics: Economics,
    *,
    retention: float | Retention,
    dissatisfied: float,
    complaint_rate: float,
    level: float | None = None,
) -> Money:
    """Return the largest compensation per complaint that still pays.

    ``c = (r₁ - r₀) V``: r₁ and r₀ the shares of complainers who stay when their complaint is
    handled well and when it is not, V what a customer who stays is worth, who from then on stays
    with the ordinary retention: ``margin/(1 + d - r)``. Everybody whose complaint is handled is
    paid, those too who would have stayed anyway, which r₀ accounts for.

    Parameters
    ----------
    handled, unhandled
        r₁ and r₀: numbers, or from `Complaints.retention`.
    economics
        The terms.
    retention
        Ordinary retention of customers: a number, or from `retention_of`.
    dissatisfied
        Share of customers who have a reason to complain in a period.
    complaint_rate
        Share of those who complain.
    level
        Coverage.

    Returns
    -------
    Money
        Rows: retention won by handling, value of a customer who stays, largest compensation per
        complaint, complaints, largest budget.

    Raises
    ------
    OptionError
        When a share is not from 0 to 1, a value is infinite, or numbers of draws differ.

    References
    ----------
    Fornell, C., Wernerfelt, B. (1987). Defensive marketing strategy by customer complaint
    management: a theoretical analysis. Journal of Marketing Research 24, 337-346.
    https://doi.org/10.1177/002224378702400401

    Examples
    --------
    >>> from csimodel.outcomes.money import Economics
    >>> terms = Economics(
    ...     margin=100, currency="EUR", period="year", discount_rate=0.1, customers=1_000
    ... )
    >>> complaint_budget(
    ...     0.8, 0.3, terms, retention=0.7, dissatisfied=0.2, complaint_rate=0.25
    ... ).table["estimate"].tolist()
    [0.5, 250.0, 125.0, 50.0, 6250.0]
    """
    economics = require_economics(economics)
    require_share("dissatisfied", dissatisfied)
    require_share("complaint_rate", complaint_rate)
    given = together(level, handled=handled, unhandled=unhandled, retention=retention)
    won = _less(given.pair("handled"), given.pair("unhandled"))
    stay = given.average("retention", lambda r: staying_values(r, economics))
    each = _times(won, stay)
    complaints = economics.customers * dissatisfied * complaint_rate
    unit, period = economics.currency, economics.period
    rows = [
        AmountRow(message("retention won by handling"), f"share per {period}", *won),
        AmountRow(message("value of a customer who stays"), unit, *stay),
        AmountRow(message("largest compensation per complaint"), unit, *each),
        AmountRow(
            message("complaints"),
            f"complaints per {period}",
            complaints,
            np.full(len(won[1]), complaints),
        ),
        AmountRow(
            message("largest budget"),
            f"{unit} per {period}",
            each[0] * complaints,
            each[1] * complaints,
        ),
    ]
    return money(
        message("Complaint handling"),
        rows[2].name,
        rows,
        economics,
        given,
        more=_shown_to_pay(won, each),
    )


@own_errstate
@checked
def more_complaints(
    handled: float | Retention,
    silent: float | Retention,
    economics: Economics,
    *,
    retention: float | Retention,
    dissatisfied: float,
    from_: float,
    to: float,
    compensation: float,
    level: float | None = None,
) -> Money:
    """Return what it is worth that more of the dissatisfied complain, and are heard.

    ``customers · dissatisfied · (to - from) · ((r₁ - r_s) V - compensation)``: a dissatisfied
    customer who is silent stays with r_s, one who is heard with r₁; V as in `complaint_budget`.

    Parameters
    ----------
    handled, silent
        r₁ and r_s: numbers, or from `Complaints.retention`.
    economics, retention, dissatisfied, level
        As in `complaint_budget`.
    from_, to
        Shares of the dissatisfied who complain, before and after.
    compensation
        Cost of handling one complaint, compensation included.

    Raises
    ------
    OptionError
        As in `complaint_budget`, and when compensation is negative.

    References
    ----------
    Fornell, C., Wernerfelt, B. (1988). A model for customer complaint management. Marketing
    Science 7, 287-298. https://doi.org/10.1287/mksc.7.3.287

    Examples
    --------
    >>> from csimodel.outcomes.money import Economics
    >>> terms = Economics(
    ...     margin=100, currency="EUR", period="year", discount_rate=0.1, customers=1_000
    ... )
    >>> more_complaints(
    ...     0.8, 0.4, terms, retention=0.7, dissatisfied=0.2, from_=0.05, to=0.25, compensation=30
    ... )
    <Money: More complaints. value of the complaints raised: 2,800.00 EUR per year.>
    """
    economics = require_economics(economics)
    for name, share in (("dissatisfied", dissatisfied), ("from_", from_), ("to", to)):
        require_share(name, share)
    cost = number_of(compensation)
    if cost is None or not (np.isfinite(cost) and cost >= 0):
        raise OptionError(
            f"compensation={shown(compensation)} must be a number from 0, in {economics.currency}."
        )
    given = together(level, handled=handled, silent=silent, retention=retention)
    won = _less(given.pair("handled"), given.pair("silent"))
    gain = _times(won, given.average("retention", lambda r: staying_values(r, economics)))
    more = economics.customers * dissatisfied * (to - from_)
    left = gain[0] - compensation, gain[1] - compensation
    unit, period = economics.currency, economics.period
    rows = [
        AmountRow(message("retention won by hearing the silent"), f"share per {period}", *won),
        AmountRow(message("largest cost of a further complaint"), unit, *gain),
        AmountRow(
            message("further complaints"), f"complaints per {period}",
            more, np.full(len(won[1]), more),
        ),
        AmountRow(
            message("customers kept"), f"customers per {period}", more * won[0], more * won[1]
        ),
        AmountRow(
            message("value of the complaints raised"), f"{unit} per {period}",
            more * left[0], more * left[1],
        ),
    ]  # fmt: skip
    return money(
        message("More complaints"),
        rows[-1].name,
        rows,
        economics,
        given,
        more=_shown_to_pay(won, gain),
    )


def _less(pair: Pair, other: Pair) -> Pair:
    return pair[0] - other[0], pair[1] - other[1]


def _times(pair: Pair, other: Pair) -> Pair:
    return pair[0] * other[0], pair[1] * other[1]


def _shown_to_pay(won: Pair, each: Pair) -> tuple[Finding, ...]:
    """Say when handling keeps nobody, or may keep nobody."""
    if won[0] <= 0:
        message = "Handling keeps nobody in these numbers, so no compensation pays."
        return (Finding("handling-does-not-pay", message),)
    share = float((each[1] <= 0).mean()) if len(each[1]) else 0.0
    if share > 0.025:
        sentence = (
            "In {percent:.1f} % of the draws handling keeps nobody, so these data do not show that "
            "compensation pays."
        )
        return (Finding("break-even-includes-zero", sentence, values={"percent": 100.0 * share}),)
    return ()
