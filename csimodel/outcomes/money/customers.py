"""Winning customers or keeping them; losing fewer; who buys."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError, SurveyError
from csimodel.findings import Finding
from csimodel.floats import own_errstate
from csimodel.options import require_level, require_number
from csimodel.outcomes.kernels.group_means import group_means
from csimodel.outcomes.money.cash_flows import cash_flows
from csimodel.outcomes.money.result import Money, money
from csimodel.outcomes.money.retention import Retention, together
from csimodel.outcomes.money.row import AmountRow
from csimodel.outcomes.money.value import (
    Economics,
    lifetime_values,
    present_values,
    require_economics,
    require_positive,
    require_share,
)
from csimodel.outcomes.rows.arguments import Column
from csimodel.outcomes.rows.rows import Rows
from csimodel.survey import Survey
from csimodel.translation import message

Floats = NDArray[np.float64]


@own_errstate
@checked
def acquisition_or_retention(
    retention: float | Retention,
    economics: Economics,
    *,
    acquisition_cost: float,
    retention_cost: float,
    retention_of_new: float | Retention | None = None,
    level: float | None = None,
) -> Money:
    """Compare money spent on winning customers with money spent on keeping them.

    Both are the same customer: money is spent now, and he is there this period, who without it
    would not be; from then on he stays with his retention r each period. So both bring the same
    margins at the same times, as many as the horizon says: ``Σ margin · r^s / (1 + d)^t`` with s
    the margins before, the first at t = 0 or at the end of the period, t = 1, as `economics` says
    of the first margin. Each is divided by what it costs; `Money.cash_flows` shows when money
    flows, and how much. With one retention and one cost, neither has an advantage.

    Parameters
    ----------
    retention
        Share of customers who stay a period: a number, or from `retention_of`.
    economics
        The terms.
    acquisition_cost
        Money spent per customer won, such as ``literature.acquisition_ratio.value *
        retention_cost``.
    retention_cost
        Money spent per customer kept who would have left.
    retention_of_new
        Retention of customers won; that of the others by default.
    level
        Coverage.

    Returns
    -------
    Money
        The main row says by how much more a unit of money brings in keeping than in winning;
        it is about the last unit spent only if costs do not rise with spending. `cash_flows` has
        the money expected of either at each time, in today's money too.

    Raises
    ------
    OptionError
        When a cost is not above 0, or as in `lifetime_value`.

    References
    ----------
    Pfeifer, P. E. (2005). The optimal ratio of acquisition and retention costs. Journal of
    Targeting, Measurement and Analysis for Marketing 13, 179-188.
    https://doi.org/10.1057/palgrave.jt.5740142

    Examples
    --------
    >>> from csimodel.outcomes import literature
    >>> from csimodel.outcomes.money import Economics
    >>> terms = Economics(margin=100, currency="EUR", period="year", discount_rate=0.1)
    >>> found = acquisition_or_retention(
    ...     0.7, terms, acquisition_cost=literature.acquisition_ratio.value * 40, retention_cost=40
    ... )
    >>> found.table["estimate"].round(3).tolist()
    [250.0, 250.0, 50.0, 210.0, 1.25, 6.25, 5.0]
    """
    economics = require_economics(economics)
    require_positive("acquisition_cost", acquisition_cost)
    require_positive("retention_cost", retention_cost)
    given = together(
        level,
        kept=retention,
        won=retention if retention_of_new is None else retention_of_new,
    )
    won = np.append(*given.average("won", lambda r: present_values(r, economics)))
    kept = np.append(*given.average("kept", lambda r: present_values(r, economics)))
    unit = economics.currency
    each = f"{unit} per {unit} spent"
    steps = {
        message("value of a customer won"): (won, unit),
        message("value of a customer kept"): (kept, unit),
        message("net value of a customer won"): (won - acquisition_cost, unit),
        message("net value of a customer kept"): (kept - retention_cost, unit),
        message("return on winning"): (won / acquisition_cost, each),
        message("return on keeping"): (kept / retention_cost, each),
        message("advantage of keeping"): (kept / retention_cost - won / acquisition_cost, each),
    }
    rows = [AmountRow(name, unit, float(v[0]), v[1:]) for name, (v, unit) in steps.items()]
    more: list[Finding] = []
    if won[0] < acquisition_cost:
        more.append(
            Finding(
                "winning-does-not-pay",
                "A customer won costs {cost:,.2f} {unit} and is worth {worth:,.2f}, so winning "
                "customers loses money on these terms.",
                values={"cost": float(acquisition_cost), "unit": unit, "worth": float(won[0])},
            )
        )
    return money(
        message("Winning or keeping customers"),
        "advantage of keeping",
        rows,
        economics,
        given,
        more=more,
        cash_flows=cash_flows(given, economics, {"won": acquisition_cost, "kept": retention_cost}),
    )


@own_errstate
@checked
def fewer_defections(
    retention: float | Retention,
    economics: Economics,
    *,
    cut: float,
    acquisition_cost: float = 0.0,
    level: float | None = None,
) -> Money:
    """Return the lift of profit when a smaller share of customers leaves in a period.

    Of customers who differ, the defection of each falls by the same proportion, and values are
    means over them.

    Parameters
    ----------
    retention
        Share of customers who stay today: a number, or from `retention_of`.
    economics
        The terms.
    cut
        By what share of all customers defection falls, 0.05 for five points of the rate, such as
        ``literature.defections_cut.value``.
    acquisition_cost
        Money a customer cost to win, taken off the lifetime value before the lift is computed.
    level
        Coverage.

    Returns
    -------
    Money
        Rows defection rate, stay of a customer, lifetime value (net of acquisition), value of
        all customers, and the lift of the lifetime value as a share.

    Raises
    ------
    OptionError
        When the cut is larger than the defection rate, or the value before is not above 0, or
        as in `lifetime_value`.

    References
    ----------
    Reichheld, F. F., Sasser, W. E. (1990). Zero defections: quality comes to services. Harvard
    Business Review 68(5), 105-111.

    Examples
    --------
    >>> from csimodel.outcomes.money import Economics
    >>> terms = Economics(margin=100, currency="EUR", period="year", discount_rate=0.1)
    >>> fewer_defections(0.8, terms, cut=0.05)
    <Money: Fewer defections. lift of the lifetime value: 0.275 as a share.>
    """
    economics = require_economics(economics)
    require_share("cut", cut)
    require_number("acquisition_cost", acquisition_cost, least=0)
    given = together(level, retention=retention)
    before = np.append(*given.pair("retention"))
    if before[0] + cut > 1:
        raise OptionError(
            f"cut={cut:g} is larger than the defection rate of {1 - before[0]:.4g}; nobody can "
            "lose fewer than no customers."
        )
    beyond = int((before[1:] + cut > 1).sum())
    left = 0.0 if before[0] == 1 else 1.0 - cut / (1.0 - before[0])
    same = given.alike("retention")

    def fewer(r: Floats) -> Floats:
        """Return retention after the cut."""
        return np.asarray(np.minimum(r + cut, 1.0) if same else 1.0 - left * (1.0 - r))

    def ends(function: Callable[[Floats], Floats]) -> tuple[Floats, Floats]:
        return (
            np.append(*given.average("retention", function)),
            np.append(*given.average("retention", lambda r: function(fewer(r)))),
        )

    now, then = (
        values - acquisition_cost for values in ends(lambda r: lifetime_values(r, economics))
    )
    if now[0] <= 0:
        raise OptionError(
            f"A customer is worth {now[0]:,.2f} {economics.currency} net of acquisition_cost="
            f"{acquisition_cost:g}, so a lift as a share of it means nothing."
        )
    more: list[Finding] = []
    if beyond:
        more.append(
            Finding(
                "nobody-left-to-lose",
                "In {beyond} of {draws} draws nobody is left to lose after the cut.",
                count=beyond,
                values={"beyond": beyond, "draws": len(before) - 1},
            )
        )
    worthless = int((now[1:] <= 0).sum())
    if worthless:
        more.append(
            Finding(
                "worthless-before",
                "In {worthless} of {draws} draws a customer is worth nothing net of "
                "acquisition_cost={cost!r} before the cut, where a lift as a share of it means "
                "nothing; the lift rests on the others and its interval may be too narrow.",
                count=worthless,
                values={"worthless": worthless, "draws": len(before) - 1, "cost": acquisition_cost},
            )
        )
    unit, everyone = economics.currency, economics.customers
    with np.errstate(divide="ignore"):
        stay = ends(lambda r: 1.0 / (1.0 - r))
    changes = {
        "defection rate": (*ends(lambda r: 1.0 - r), f"share per {economics.period}"),
        "lifetime value of a customer": (now, then, unit),
        "value of all customers": (now * everyone, then * everyone, unit),
    }
    if np.isfinite(stay[1]).all():
        changes = {"stay of a customer": (*stay, f"{economics.period}s"), **changes}
    rows = [
        AmountRow.change(name, unit, (float(a[0]), a[1:]), (float(b[0]), b[1:]))
        for name, (a, b, unit) in changes.items()
    ]
    lift = then / np.where(now > 0, now, np.nan) - 1.0
    rows.append(
        AmountRow(message("lift of the lifetime value"), "as a share", float(lift[0]), lift[1:])
    )
    return money(
        message("Fewer defections"),
        rows[-1].name,
        rows,
        economics,
        given,
        more=more,
    )


@own_errstate
@checked
def buying_rates(
    data: Survey | pd.DataFrame,
    *,
    bought: Column,
    existing: Column,
    weights: Column | None = None,
    cluster: Column | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the share of existing and of new customers who buy, and the difference.

    Parameters
    ----------
    data
        A survey, or a frame such as the contacts of a campaign.
    bought, existing
        Columns (or values) of 0 and 1. Rows without both are left out; n counts those used.
    weights, cluster
        Columns (or values); the survey's own by default.
    level
        Coverage. Wilson limits for shares, t limits for the difference.

    Returns
    -------
    DataFrame
        Rows existing, new, difference; columns n, share, se, df, lower, upper, and reason, why
        there is no error, or empty.

    Raises
    ------
    SurveyError
        When a column is not there or holds more than 0 and 1, or a group is empty.

    Examples
    --------
    >>> frame = pd.DataFrame({"old": [1] * 20 + [0] * 20, "sold": [1] * 10 + [0] * 27 + [1] * 3})
    >>> buying_rates(frame, bought="sold", existing="old")["share"].round(2).tolist()
    [0.5, 0.15, 0.35]
    """
    require_level(level)
    rows = Rows.of(data, "buying_rates", weights=weights, cluster=cluster)
    rows.require_clusters()
    _, y = rows.binary(bought, "bought")
    _, old = rows.binary(existing, "existing")
    used = rows.usable & np.isfinite(y) & np.isfinite(old)
    groups = [np.flatnonzero(used & (old == 1)), np.flatnonzero(used & (old == 0))]
    means = group_means(np.nan_to_num(y), groups, rows.weights, rows.design)
    if (means.n < 2).any():
        raise SurveyError(
            f"There are {means.n[0]} existing and {means.n[1]} new customers with an answer, and "
            "at least 2 of each are needed."
        )
    apart = means.contrasts(np.array([[1.0, -1.0]]), ["difference"], level)
    apart = apart.rename(columns={"estimate": "share"}).drop(columns="p")
    apart.insert(0, "n", means.n.sum())
    return pd.concat([means.shares(["existing", "new"], level), apart])
