"""Lifetime value, and the profit of a change of retention or of the index."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.findings import Finding
from csimodel.floats import own_errstate
from csimodel.repurchase.money.draws import (
    Drawn,
    about_outcome,
    drawn,
    probability_after,
    probability_at,
)
from csimodel.repurchase.money.result import Money, Row, money
from csimodel.repurchase.money.retention import Retention, Together, together
from csimodel.repurchase.money.value import Economics, lifetime_values
from csimodel.repurchase.result import Repurchase

Floats = NDArray[np.float64]
Pair = tuple[float, Floats]

_ALL = "value of all customers"


@own_errstate
def lifetime_value(
    retention: float | Retention, economics: Economics, *, level: float | None = None
) -> Money:
    """Return what a customer, and all of them, are worth.

    ``margin · r/(1 + d - r)`` with the first margin at the end of the period, from those who
    stay; ``margin · (1 + d)/(1 + d - r)`` with the first margin now; sums of as many margins as
    the horizon says, where there is one.

    Parameters
    ----------
    retention
        Share of customers who stay a period: a number, or from `retention_of`.
    economics
        The terms.
    level
        Coverage; the retention's own by default, 0.95 for a plain number.

    Raises
    ------
    OptionError
        When the value is infinite.

    References
    ----------
    Gupta, S., Lehmann, D. R. (2003). Customers as assets. Journal of Interactive Marketing 17(1),
    9-24. https://doi.org/10.1002/dir.10045

    Examples
    --------
    >>> terms = Economics(margin=100, currency="EUR", period="year", discount_rate=0.1)
    >>> lifetime_value(0.8, terms)
    <Money: Lifetime value. lifetime value of a customer: 266.67 EUR.>
    """
    given = together(level, retention=retention)
    kept = given.pairs["retention"]
    rows = [
        Row("retention", f"share per {economics.period}", *kept),
        Row("lifetime value of a customer", economics.currency, *_value(kept, economics)),
    ]
    rows.append(
        Row(
            _ALL,
            economics.currency,
            economics.customers * rows[1].estimate,
            economics.customers * rows[1].draws,
        )
    )
    return money(
        "Lifetime value",
        rows[1].name,
        rows,
        economics,
        given,
    )


@own_errstate
def profit_of_retention(
    from_: float | Retention,
    to: float | Retention,
    economics: Economics,
    *,
    level: float | None = None,
) -> Money:
    """Return the profit of a change of retention.

    Parameters
    ----------
    from_, to
        Shares of customers who stay a period: numbers, or from `retention_of`.
    economics, level
        As in `lifetime_value`.

    Raises
    ------
    OptionError
        As in `lifetime_value`.

    Examples
    --------
    >>> terms = Economics(
    ...     margin=100, currency="EUR", period="year", discount_rate=0.1, customers=1_000
    ... )
    >>> profit_of_retention(0.75, 0.7674, terms)["value of all customers"].estimate
    16441.886
    """
    given = together(level, from_=from_, to=to)
    return money(
        "Profit of a change of retention",
        _ALL,
        _of_retention(given.pairs["from_"], given.pairs["to"], economics),
        economics,
        given,
    )


@own_errstate
def profit_of_change(
    rep: Repurchase,
    from_: float,
    to: float,
    economics: Economics,
    *,
    index: str | None = None,
    draws: int = 4_000,
    rng: int | np.random.Generator = 0,
    level: float | None = None,
) -> Money:
    """Return the profit of moving the index from one level to another.

    Both ends are as if every customer stood at that level, as in `Repurchase.contrast`. Customers
    as they are, spread around their mean, are moved by `profit_of_driver`, with the index itself
    as the driver.

    Parameters
    ----------
    rep
        From `repurchase` or `repurchase_of_index`. With draws of the whole chain the error of
        weights, index and regression is carried to the money; without, that of the regression.
    from_, to
        Index points, 0 to 100.
    economics
        The terms.
    index
        Which index; the first by default.
    draws, rng
        Number of parametric draws and their seed, where `rep` has none of the whole chain.
    level
        Coverage; that of `rep` by default.

    Returns
    -------
    Money
        Rows index, probability of repurchase, retention, customers kept, profit of a period,
        lifetime value of a customer, value of all customers; columns start, end, estimate (end
        less start), se, lower, upper, unit.

    Raises
    ------
    OptionError
        When a level is outside 0 to 100, a prediction outside 0 to 1, or a value infinite.
    EstimationError
        When the regression has no solution.

    Examples
    --------
    >>> import csimodel as csi
    >>> from csimodel.repurchase.money import Economics, profit_of_change
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> terms = Economics(
    ...     margin=120, currency="EUR", period="year", discount_rate=0.08, customers=1_000
    ... )
    >>> profit_of_change(csi.repurchase(fit, "CUSL1"), 67, 70, terms)["customers kept"]
    30.4 (se 4.7, 95 % interval 21.42 to 39.57)
    """
    found = drawn(rep, draws, rng)
    start, end = fixed(from_, found), fixed(to, found)
    return of_index(
        found, start, end, index, economics, level,
        f"Profit of moving the index from {from_:g} to {to:g}",
    )  # fmt: skip


def _value(retention: Pair, economics: Economics) -> Pair:
    return float(lifetime_values(retention[0], economics)), lifetime_values(retention[1], economics)


def fixed(level: float, found: Drawn) -> Pair:
    """Return a level that is the same in every draw."""
    return float(level), np.full(found.size, float(level))


def _of_retention(start: Pair, end: Pair, economics: Economics) -> list[Row]:
    """Return the rows from retention to money."""
    money_unit, period = economics.currency, economics.period
    everyone, margin = economics.customers, economics.margin

    def times(pair: Pair, factor: float) -> Pair:
        return pair[0] * factor, pair[1] * factor

    one, other = _value(start, economics), _value(end, economics)
    kept, profit = everyone, everyone * margin
    return [
        Row.change("retention", f"share per {period}", start, end),
        Row.change(
            "customers kept", f"customers per {period}", times(start, kept), times(end, kept)
        ),
        Row.change(
            f"profit of a {period}", f"{money_unit} per {period}",
            times(start, profit), times(end, profit),
        ),
        Row.change("lifetime value of a customer", money_unit, one, other),
        Row.change(_ALL, money_unit, times(one, everyone), times(other, everyone)),
    ]  # fmt: skip


def of_index(
    found: Drawn, start: Pair, end: Pair, index: str | None, economics: Economics,
    level: float | None, title: str, first: Row | None = None,
    notes: tuple[Finding, ...] = (), points: float | None = None, spread: bool = False,
) -> Money:  # fmt: skip
    """Return the profit of moving the index, each draw from its own level to its own level.

    With `spread`, customers start where they are, around the level, and all move alike.
    """
    rep = found.rep
    if spread:
        still, step = fixed(0.0, found), (end[0] - start[0], end[1] - start[1])
        p_start, start_draws, about_start = probability_after(found, still, index)
        p_end, end_draws, about_end = probability_after(found, step, index)
    else:
        p_start, start_draws, about_start = probability_at(found, start[0], index, start[1])
        p_end, end_draws, about_end = probability_at(found, end[0], index, end[1])
    kept = [
        (float(economics.retention(np.asarray(p))), economics.retention(draws))
        for p, draws in ((p_start, start_draws), (p_end, end_draws))
    ]
    rows = [
        *([] if first is None else [first]),
        Row.change(
            f"index of {rep.indexes[0] if index is None else index}", "index points", start, end
        ),
        Row.change(
            "probability of repurchase", "probability", (p_start, start_draws), (p_end, end_draws)
        ),
        *_of_retention(kept[0], kept[1], economics),
    ]  # fmt: skip
    findings = (*notes, *about_start, *about_end, *about_outcome(rep))
    return money(
        title,
        _ALL,
        rows,
        economics,
        Together({}, rep.level if level is None else level, rep.interval, found.source, findings),
        points=end[0] - start[0] if points is None else points,
    )
