"""Lifetime value, and the profit of a change of retention or of the index."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.floats import own_errstate
from csimodel.outcomes.models.result import Repurchase, require_repurchase
from csimodel.outcomes.money.draws import drawn, fixed
from csimodel.outcomes.money.findings import require_levels
from csimodel.outcomes.money.index_change import (
    VALUE_OF_ALL,
    Change,
    Variant,
    profits,
    rows_of_retention,
    times,
)
from csimodel.outcomes.money.measurement import Given, MeasurementError, corrected
from csimodel.outcomes.money.result import Money, money
from csimodel.outcomes.money.retention import Retention, together
from csimodel.outcomes.money.row import AmountRow
from csimodel.outcomes.money.value import Economics, lifetime_values, require_economics
from csimodel.translation import message

Floats = NDArray[np.float64]
Pair = tuple[float, Floats]


@own_errstate
@checked
def lifetime_value(
    retention: float | Retention, economics: Economics, *, level: float | None = None
) -> Money:
    """Return what a customer, and all of them, are worth.

    ``margin · r/(1 + d - r)`` with the first margin at the end of the period, from those who
    stay; ``margin · (1 + d)/(1 + d - r)`` with the first margin now; sums of as many margins as
    the horizon says, where there is one. Of customers who differ it is the mean of what each of
    them is worth, which is more than the value at their mean retention.

    Parameters
    ----------
    retention
        Share of customers who stay a period: a number, which makes all of them alike, or from
        `retention_of`.
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

    Fader, P. S., Hardie, B. G. S. (2010). Customer-base valuation in a contractual setting: the
    perils of ignoring heterogeneity. Marketing Science 29(1), 85-93.
    https://doi.org/10.1287/mksc.1080.0482

    Examples
    --------
    >>> terms = Economics(margin=100, currency="EUR", period="year", discount_rate=0.1)
    >>> lifetime_value(0.8, terms)
    <Money: Lifetime value. lifetime value of a customer: 266.67 EUR.>
    """
    economics = require_economics(economics)
    given = together(level, retention=retention)
    value = given.average("retention", lambda r: lifetime_values(r, economics))
    rows = [
        AmountRow(message("retention"), f"share per {economics.period}", *given.pair("retention")),
        AmountRow(message("lifetime value of a customer"), economics.currency, *value),
        AmountRow(VALUE_OF_ALL, economics.currency, *times(value, economics.customers)),
    ]
    return money(message("Lifetime value"), rows[1].name, rows, economics, given)


@own_errstate
@checked
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
    economics = require_economics(economics)
    given = together(level, from_=from_, to=to)

    def values(name: str) -> Pair:
        return given.average(name, lambda r: lifetime_values(r, economics))

    rows = rows_of_retention(
        (given.pair("from_"), given.pair("to")), (values("from_"), values("to")), economics
    )
    return money(message("Profit of a change of retention"), VALUE_OF_ALL, rows, economics, given)


@own_errstate
@checked
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
    measurement_error: MeasurementError = "corrected",
    reliability: float | Mapping[str, float] | None = None,
) -> Money:
    """Return the profit of moving the index from one level to another.

    Both ends are as if every customer's true index stood at that level. Customers as they are,
    spread around their mean, are moved by `profit_of_driver`, with the index itself as the driver.

    Parameters
    ----------
    rep
        From `repurchase`. With draws of the whole chain the error of
        weights, index, reliability and regression is carried to the money; without, that of the
        regression.
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
    measurement_error, reliability
        As in `profit_of_driver`.

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
    >>> from csimodel.outcomes.money import Economics, profit_of_change
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> terms = Economics(
    ...     margin=120, currency="EUR", period="year", discount_rate=0.08, customers=1_000
    ... )
    >>> rep = csi.repurchase(fit, "CUSL1")
    >>> profit_of_change(rep, 67, 70, terms)["customers kept"]
    39.87 (se 6.5, 95 % interval 27.66 to 52.96)
    """
    economics = require_economics(economics)
    rep = require_repurchase(rep)
    require_levels(from_, to)
    moved = rep._moved(index)
    given = Given.of(measurement_error, reliability, rep.indexes[moved], rep.fit)
    plain = drawn(rep, draws, rng)
    turned, short = corrected(plain, rep.fit, given)
    sources = [turned, plain] if given.wanted else [plain, turned]
    variants = [
        Variant.between(source, fixed(from_, source), fixed(to, source), alike=True)
        for source in (sources[:1] if turned is plain else sources)
    ]
    title = message("Profit of moving the index from {start:g} to {end:g}", start=from_, end=to)
    change = Change(title, variants, to - from_, short if given.wanted else None)
    (profit,) = profits([change], moved, economics, level, given.wanted)
    return profit
