"""The result of a calculation in money: a table with an interval in every row, and its draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked_in
from csimodel.errors import OptionError, suggest
from csimodel.findings import Finding, listed, text
from csimodel.floats import own_errstate_in
from csimodel.formatting import figures, percent
from csimodel.outcomes.models.estimate import Estimate
from csimodel.outcomes.money.retention import Together
from csimodel.outcomes.money.row import AmountRow, Errors, infer_rows, row_title, unit_title
from csimodel.outcomes.money.value import Economics
from csimodel.page import HasHeadline, Page, sections
from csimodel.translation import ngettext, shown_message

Floats = NDArray[np.float64]


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Money(HasHeadline):
    """Money that follows from customers' staying. Made by the functions of `money`.

    Attributes
    ----------
    title
        What was computed.
    main
        The row of the table that answers the question.
    table
        Rows steps; columns estimate, se, df, lower, upper, p (against 0), reason, unit, and in
        front start and end where the rows are changes. se, lower, upper and p are NaN where there
        is no error, and the reason says why.
    draws
        Draws of the estimates, draws × rows.
    level
        Coverage of intervals.
    economics
        The terms.
    points
        How far the cause was moved (index points; 1 where it is no index).
    source
        Where the draws come from, in words.
    findings
        What a reader must know.
    shortfall
        What the numbers are known to fall short by because measurement error is left in; None
        where it is taken off, and where no index is involved. It is the headline's first sentence.
    side_by_side
        The main row with measurement error corrected and ignored; columns estimate, se, lower,
        upper, unit; None where there is but one of them.
    errors
        How draws become errors.
    cash_flows
        Money spent and expected at each time, where alternatives are compared; else None.
    """

    title: str
    main: str
    table: pd.DataFrame
    draws: pd.DataFrame
    level: float
    economics: Economics
    points: float
    source: str
    findings: tuple[Finding, ...]
    shortfall: Finding | None = None
    side_by_side: pd.DataFrame | None = None
    cash_flows: pd.DataFrame | None = None
    errors: Errors = field(default_factory=Errors)

    @property
    def currency(self) -> str:
        """What the money is in."""
        return self.economics.currency

    @property
    def period(self) -> str:
        """The period of margin and retention."""
        return self.economics.period

    @property
    def estimate(self) -> Estimate:
        """The number of the main row, with se, lower, upper and p (two-sided, against 0)."""
        return self[self.main]

    def __getitem__(self, row: str) -> Estimate:
        """Return a row's number with its error.

        Raises
        ------
        OptionError
            For an unknown row.
        """
        self._require(row)
        return Estimate.of(self.table.loc[[row]], self.level)

    def chance(self, row: str | None = None) -> float:
        """Return the share of draws in which a row (the main one by default) is above 0.

        NaN when nothing was drawn, as with replicates and linearised errors.
        """
        name = self.main if row is None else row
        self._require(name)
        drawn = self.draws[name].to_numpy()
        drawn = drawn[np.isfinite(drawn) & (self.errors.replication is None)]
        return float((drawn > 0).mean()) if len(drawn) else float("nan")

    @property
    def headline(self) -> str:
        """The answer in a sentence, after one on what it is known to fall short by."""
        estimate = self.estimate
        values = {
            "main": row_title(self.main),
            "estimate": figures(estimate.estimate),
            "unit": unit_title(str(self.table["unit"].loc[self.main])),
        }
        answer = text("{main}: {estimate} {unit}.", **values)
        if np.isfinite(estimate.se):
            answer = text(
                "{main}: {estimate} {unit} ({level} interval {lower} to {upper}).",
                **values,
                level=percent(self.level),
                lower=figures(estimate.lower),
                upper=figures(estimate.upper),
            )
        return answer if self.shortfall is None else f"{self.shortfall} {answer}"

    @property
    def page(self) -> Page:
        """The result on a page."""
        tables = {text("Steps"): self.table}
        if self.side_by_side is not None:
            tables[text("Measurement error corrected and ignored")] = self.side_by_side
        if self.cash_flows is not None:
            title = text(
                "Cash flows, {currency} by {period}", currency=self.currency, period=self.period
            )
            tables[title] = self.cash_flows
        return Page(
            shown_message(self.title), self.headline, self._facts(), self.findings, sections(tables)
        )

    def __repr__(self) -> str:
        return f"<Money: {self.title}. {self.headline}>"

    @property
    def terms(self) -> str:
        """The terms of trade in a sentence."""
        terms = self.economics
        first = (
            text("now")
            if terms.first_margin == "now"
            else text("at the end of the {period}", period=terms.period)
        )
        ending = (
            text("without end")
            if terms.horizon is None
            else text("{margins} of them", margins=terms.horizon)
        )
        return text(
            "Margin {margin} {currency} per customer and {period}, the first {first}, {ending}; "
            "discount rate {discount:g} % per {period}; {customers}.",
            margin=figures(terms.margin),
            currency=terms.currency,
            period=terms.period,
            first=first,
            ending=ending,
            discount=100 * terms.discount_rate,
            customers=_customers(terms.customers),
        )

    def _facts(self) -> tuple[str, ...]:
        return self.terms, text("Uncertainty: {source}.", source=self.source)

    def _require(self, row: str) -> None:
        if row not in self.table.index:
            raise OptionError(
                f"There is no row {row!r}{suggest(row, self.table.index)}; use one of "
                f"{listed(map(repr, self.table.index), 20)}."
            )


def money(
    title: str,
    main: str,
    rows: Sequence[AmountRow],
    economics: Economics,
    given: Together,
    *,
    more: Sequence[Finding] = (),
    points: float = 1.0,
    side_by_side: pd.DataFrame | None = None,
    cash_flows: pd.DataFrame | None = None,
) -> Money:
    """Put intervals to rows, of the level and kind of what was given."""
    names = [row.name for row in rows]
    table = infer_rows(rows, given.errors, given.level)
    if any(np.isfinite(row.start) for row in rows):
        table.insert(0, "end", [row.end for row in rows])
        table.insert(0, "start", [row.start for row in rows])
    table["unit"] = [row.unit for row in rows]
    drawn = pd.DataFrame(np.column_stack([row.draws for row in rows]), columns=pd.Index(names))
    first = () if given.shortfall is None else (given.shortfall,)
    findings = tuple(dict.fromkeys((*first, *given.findings, *more)))
    return Money(
        title, main, table, drawn, given.level, economics, points, given.source, findings,
        given.shortfall, side_by_side, cash_flows, given.errors,
    )  # fmt: skip


def _customers(customers: float) -> str:
    several = 1 if customers == 1 else 2
    return ngettext("{count:,g} customer", "{count:,g} customers", several).format(count=customers)
