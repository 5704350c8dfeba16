"""A share of customers who stay, with its draws, and several of them side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked, checked_in
from csimodel.errors import OptionError
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.outcomes.models.levels import Point
from csimodel.outcomes.models.result import Repurchase, require_repurchase
from csimodel.outcomes.money.draws import Drawn, Place, drawn, fixed
from csimodel.outcomes.money.findings import (
    about_draws,
    about_outcome,
    about_place,
    require_levels,
)
from csimodel.outcomes.money.measurement import Given, MeasurementError, corrected
from csimodel.outcomes.money.row import AmountRow, Errors, infer_rows
from csimodel.outcomes.money.value import Economics, require_economics, require_share
from csimodel.page import HasPage, Page, sections
from csimodel.survey.sampling import DrawVariance
from csimodel.translation import message

Floats = NDArray[np.float64]
Pair = tuple[float, Floats]


@dataclass(frozen=True, eq=False)
class CustomerMix:
    """Customers who differ in how likely they are to stay.

    Attributes
    ----------
    source
        The regression in many draws.
    moved, place
        Where they stand on which of its indexes.
    economics
        Its `purchases` turns probability into retention.
    """

    source: Drawn
    moved: int
    place: Place
    economics: Economics

    def average(self, function: Callable[[Floats], Floats]) -> Pair:
        """Return the mean over customers of a function of each one's own retention."""
        (rate,) = self.source.averages(
            self.moved, [self.place], [lambda p: function(self.economics.retention(p))]
        )
        return rate.values[0]


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Retention(HasPage):
    """A share of customers who stay a period, with its draws. Made by `retention_of`.

    Attributes
    ----------
    estimate
        From 0 to 1.
    draws
        (draws,); draws of the same origin belong together, draw by draw.
    level
        Coverage of intervals.
    interval
        Kind of intervals made of the draws.
    source
        Where the draws come from, in words.
    findings
        What a reader must know.
    origin
        A number of the data that parametric draws were made from; 0 for draws of the whole chain.
    customers
        Who they are, each with his own retention, so that a mean of what they are worth can be
        had; None where all count as alike.
    shortfall
        What it is known to fall short by because measurement error is left in, or None.
    df, inflation, replication
        What the draws rest on, as in `Errors`.
    """

    estimate: float
    draws: Floats
    level: float
    interval: str
    source: str
    findings: tuple[Finding, ...] = ()
    origin: int = 0
    customers: CustomerMix | None = None
    shortfall: Finding | None = None
    df: float = float("inf")
    inflation: float = 1.0
    replication: DrawVariance | None = None

    @property
    def errors(self) -> Errors:
        """How the draws become errors."""
        return Errors(self.interval, self.df, self.inflation, self.replication)

    def average(self, function: Callable[[Floats], Floats]) -> Pair:
        """Return the mean over customers of a function of each one's own retention."""
        if self.customers is None:
            return float(function(np.asarray(self.estimate))), function(self.draws)
        return self.customers.average(function)

    @property
    def table(self) -> pd.DataFrame:
        """The share with its error: estimate, se, df, lower, upper, p, reason."""
        row = AmountRow(message("retention"), "share", self.estimate, self.draws)
        return infer_rows([row], self.errors, self.level)

    @property
    def page(self) -> Page:
        """The share with its error, on a page."""
        return Page(
            text("Share of customers who stay a period"),
            facts=(text("Uncertainty: {source}.", source=self.source),),
            findings=self.findings,
            sections=sections(
                {text("Retention, {level:g} % interval", level=100 * self.level): self.table}
            ),
        )

    def __repr__(self) -> str:
        row = self.table.iloc[0]
        return (
            f"<Retention {self.estimate:.4g} (se {row['se']:.2g}, {100 * self.level:g} % interval "
            f"{row['lower']:.4g} to {row['upper']:.4g}; {self.source})>"
        )


@dataclass(frozen=True, eq=False)
class Together:
    """Retentions that are used together.

    Attributes
    ----------
    given
        By name.
    size
        Number of draws; 0 when all are plain numbers.
    level, source, findings, shortfall
        As in `Retention`.
    errors
        How draws become errors; the fewest degrees of freedom of those given.
    """

    given: Mapping[str, float | Retention]
    size: int
    level: float
    errors: Errors
    source: str
    findings: tuple[Finding, ...]
    shortfall: Finding | None = None

    def pair(self, name: str) -> Pair:
        """Return a retention and its draws."""
        return self.average(name, np.asarray)

    def alike(self, name: str) -> bool:
        """Tell whether all customers stay with the same probability."""
        value = self.given[name]
        return not isinstance(value, Retention) or value.customers is None

    def average(self, name: str, function: Callable[[Floats], Floats]) -> Pair:
        """Return the mean over customers of a function of each one's own retention.

        Parametric draws of different data are independent although their seeds may be the same:
        those of another origin than the first are put in an order of their own.
        """
        value = self.given[name]
        if not isinstance(value, Retention):
            number = float(function(np.asarray(float(value))))
            return number, np.full(self.size, number)
        estimate, own = value.average(function)
        first = next(v for v in self.given.values() if isinstance(v, Retention))
        if value.origin != first.origin:
            own = own[np.random.default_rng(value.origin).permutation(self.size)]
        return estimate, own


def together(level: float | None, **given: float | Retention) -> Together:
    """Put retentions side by side, of which some may be plain numbers.

    Raises
    ------
    OptionError
        When a plain number is not from 0 to 1, or numbers of draws differ.
    """
    known = [value for value in given.values() if isinstance(value, Retention)]
    sizes = {len(value.draws) for value in known}
    if len(sizes) > 1:
        raise OptionError(
            f"The retentions have {' and '.join(map(str, sorted(sizes)))} draws; make them with "
            "the same draws= and rng=."
        )
    for name, value in given.items():
        if not isinstance(value, Retention):
            require_share(name, value)
    findings = {finding.message: finding for value in known for finding in value.findings}
    if not known:
        note = Finding(
            "no-uncertainty",
            "Every retention was given as a plain number, so there are no intervals; use "
            "retention_of for one with its draws.",
            severity="note",
        )
        findings[note.message] = note
    source = "; ".join(dict.fromkeys(value.source for value in known)) or "no draws"
    shown = known[0].level if known and level is None else 0.95 if level is None else level
    errors = min((value.errors for value in known), key=lambda errors: errors.df, default=Errors())
    size = sizes.pop() if sizes else 0
    short = next((value.shortfall for value in known if value.shortfall is not None), None)
    return Together(given, size, shown, errors, source, tuple(findings.values()), short)


@own_errstate
@checked
def retention_of(
    rep: Repurchase,
    at: Point | None,
    economics: Economics,
    *,
    index: str | None = None,
    draws: int = 4_000,
    rng: int | np.random.Generator = 0,
    measurement_error: MeasurementError = "corrected",
    reliability: float | Mapping[str, float] | None = None,
) -> Retention:
    """Return the share of customers kept in a period, with its draws.

    The mean over customers of ``probability ** purchases``, each with his own probability: more
    than the mean probability to that power, as those who buy again anyway go on doing so.

    Parameters
    ----------
    rep
        From `repurchase`.
    at
        Index points, 0 to 100: what would be kept if every customer stood there, other regressors
        as they are. None for the customers as they are.
    economics
        Its `purchases` turns probability into retention.
    index
        Which index; the first by default.
    draws, rng
        Number of parametric draws and their seed, where `rep` has none of the whole chain. Two
        retentions of the same respondents with the same integer seed belong together, draw by
        draw; those of other respondents are independent.
    measurement_error, reliability
        As in `profit_of_driver`.

    Raises
    ------
    OptionError
        When the level is outside 0 to 100, or the prediction outside 0 to 1.
    EstimationError
        When the regression has no solution.

    References
    ----------
    Fader, P. S., Hardie, B. G. S. (2010). Customer-base valuation in a contractual setting: the
    perils of ignoring heterogeneity. Marketing Science 29(1), 85-93.
    https://doi.org/10.1287/mksc.1080.0482

    Examples
    --------
    >>> import csimodel as csi
    >>> from csimodel.outcomes.money import Economics, retention_of
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> terms = Economics(margin=120, currency="EUR", period="year", discount_rate=0.08)
    >>> retention_of(csi.repurchase(fit, "CUSL1"), 70, terms)
    <Retention 0.709 (se 0.02, 95 % interval 0.6696 to 0.7461; 4000 parametric draws from the
    covariance of the coefficients (HC1 errors), the index taken as known)>
    """
    economics = require_economics(economics)
    rep = require_repurchase(rep)
    moved = rep._moved(index)
    if at is not None:
        require_levels(at)
    given = Given.of(measurement_error, reliability, rep.indexes[moved], rep.fit)
    source, short = drawn(rep, draws, rng), None
    if given.wanted:
        source, short = corrected(source, rep.fit, given)
    place = Place(fixed(0.0 if at is None else at, source), alike=at is not None)
    (rate,) = source.averages(moved, [place], [economics.retention])
    told = (*about_place(source, moved, place, rate), *about_draws(rate))
    estimate, kept = rate.values[0]
    alike = at is not None and len(rep.regression.coefficients) == 2
    return Retention(
        estimate,
        kept,
        rep.level,
        source.errors.interval,
        source.source,
        (*(() if short is None else (short,)), *told, *about_outcome(rep)),
        origin=0 if rep.draws is not None else crc32(rep.regression.sample.outcome.tobytes()),
        customers=None if alike else CustomerMix(source, moved, place, economics),
        shortfall=short,
        df=source.errors.df,
        inflation=source.errors.inflation,
        replication=source.errors.replication,
    )
