"""The result of a regression of customers within firms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked_in
from csimodel.errors import choose
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate_in
from csimodel.inference.draws import without_losses
from csimodel.inference.infer import infer
from csimodel.inference.intervals import interval_name
from csimodel.inference.sources import Draws, ErrorSource, StandardErrors
from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.models.averages import Averages, OfRows
from csimodel.outcomes.models.estimate import Estimate
from csimodel.outcomes.models.levels import on_index, quartiles
from csimodel.outcomes.models.mixed.customers import Customers
from csimodel.outcomes.models.mixed.regression import MixedRegression
from csimodel.page import HasHeadline, Page, sections

Floats = NDArray[np.float64]

LEVELS = ("between", "within")

_METHODS = {
    "random-intercept": "Linear mixed model with random firm constants",
    "random-slope": "Linear mixed model with random firm constants and slopes",
    "population-averaged": "Generalised estimating equations, {family}",
}
_ERRORS = {
    "CR2": (
        "Intervals of the regression alone (errors clustered by firm without the bias of few "
        "firms (CR2), t with the degrees of freedom of each number): the index is treated as "
        "known without error."
    ),
    "cluster": (
        "Intervals of the regression alone (errors clustered by firm, t with {df} "
        "{df:degree|degrees} of freedom): the index is treated as known without error."
    ),
    "model": (
        "Intervals of the regression alone (model-based errors, t with {df} {df:degree|degrees} "
        "of freedom): the index is treated as known without error."
    ),
}
_SENTENCES = {  # whose point, whether it is more
    ("between", True): (
        "Each point of a firm's mean {index} goes with {points:.2f} percentage points more "
        "{outcome} ({level:g} % interval {lower:.2f} to {upper:.2f})"
    ),
    ("between", False): (
        "Each point of a firm's mean {index} goes with {points:.2f} percentage points less "
        "{outcome} ({level:g} % interval {lower:.2f} to {upper:.2f})"
    ),
    ("within", True): (
        "each point of a customer above others of the same firm goes with {points:.2f} percentage "
        "points more {outcome} ({level:g} % interval {lower:.2f} to {upper:.2f})"
    ),
    ("within", False): (
        "each point of a customer above others of the same firm goes with {points:.2f} percentage "
        "points less {outcome} ({level:g} % interval {lower:.2f} to {upper:.2f})"
    ),
}


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class RepurchaseMixed(HasHeadline):
    """What a point of the index is worth within and between firms. Made by `repurchase_mixed`.

    Attributes
    ----------
    customers
        Customers by firm, as arrays.
    regression
        The regression as arrays.
    family
        Least squares or logit: how the linear predictor becomes a probability.
    model
        ``"random-intercept"``, ``"random-slope"`` or ``"population-averaged"``.
    errors
        ``"CR2"``, ``"cluster"`` or ``"model"``.
    index, outcome, by
        Names of the construct, the outcome and the groups.
    controls
        Names of the further regressors.
    firm_names
        Of the groups.
    draws
        Coefficients in the usable bootstrap draws and the mean columns of the design in each,
        both (draws, terms); or None.
    level, interval
        Coverage and kind of intervals.
    findings
        What a reader must know, in plain words.
    """

    customers: Customers
    regression: MixedRegression
    family: Family
    model: str
    errors: str
    index: str
    outcome: str
    by: str
    controls: tuple[str, ...]
    firm_names: tuple[str, ...]
    draws: tuple[Floats, Floats] | None
    level: float
    interval: str
    findings: tuple[Finding, ...]

    @property
    def n(self) -> int:
        """Number of customers used."""
        return self.customers.n

    @property
    def firms(self) -> int:
        """Number of firms."""
        return self.customers.firms

    @property
    def converged(self) -> bool:
        """Whether the numbers are a solution at all."""
        return self.regression.converged

    @property
    def naive(self) -> RepurchaseMixed:
        """The same with the regression's own errors, the index treated as if it were known."""
        return replace(self, draws=None, findings=without_losses(self.findings))

    @property
    def interval_kind(self) -> str:
        """What errors and intervals account for, in a sentence."""
        if self.draws is not None:
            return text(
                "Whole-chain intervals ({interval}, {draws} bootstrap draws of whole firms): item "
                "weights, index and mixed model were estimated again in each draw.",
                interval=interval_name(self.interval, self.firms - 1.0),
                draws=len(self.draws[0]),
            )
        return text(_ERRORS[self.errors], df=self.customers.df)

    @cached_property
    def coefficients(self) -> pd.DataFrame:
        """Coefficients on the family's scale.

        Rows const, within, between, ``"between - within"`` and controls; columns estimate, se, df,
        lower, upper, p, reason. ``between - within`` tests whether firms differ as their customers
        do (Mundlak 1978; a form of Hausman's test).
        """
        size = 3 + len(self.controls)
        rows = np.insert(np.eye(size), 3, np.eye(size)[2] - np.eye(size)[1], axis=0)
        value = rows @ self.regression.coefficients
        draws = None if self.draws is None else self.draws[0] @ rows.T
        table = self._table(Averages(value, rows, None), draws)
        return table.set_axis(["const", "within", "between", "between - within", *self.controls])

    @cached_property
    def slopes(self) -> pd.DataFrame:
        """Change of probability per index point, averaged over customers.

        Rows ``"within"`` (a customer more satisfied than others of the same firm), ``"between"``
        (a firm with a more satisfied clientele) and ``"between - within"``.
        """
        X, terms = self.customers.design, np.eye(3 + len(self.controls))

        def of(term: int) -> OfRows:
            return lambda b: self.family.predict(b, X, terms[[term]])

        draws = None if self.draws is None else self.draws[0][:, 1:3] @ _TURN.T
        table = self._table(self._averages([of(1), of(2)]).turned(_TURN), draws)
        return table.set_axis(["within", "between", "between - within"])

    @property
    def within(self) -> Estimate:
        """Change of probability per point of a customer above others of the same firm."""
        return self._estimate("within")

    @property
    def between(self) -> Estimate:
        """Change of probability per point of a firm's mean index."""
        return self._estimate("between")

    @property
    def variances(self) -> pd.Series:
        """What is left of firms and customers after the index.

        ``firms`` (variance of constants), ``slopes`` and ``correlation`` with a random slope,
        ``customers`` (residual variance), ``icc`` (share of firms in what is left). Population
        averages have the working correlation only.
        """
        regression = self.regression
        if regression.firm_covariance is None:
            return pd.Series({"working correlation": regression.correlation})
        parts = {"firms": float(regression.firm_covariance[0, 0])}
        if len(regression.firm_covariance) > 1:
            parts["slopes"] = float(regression.firm_covariance[1, 1])
            below = np.sqrt(parts["firms"] * parts["slopes"])
            together = float(regression.firm_covariance[0, 1])
            parts["correlation"] = together / below if below > 0 else float("nan")
        parts["customers"] = regression.residual
        parts["icc"] = parts["firms"] / (parts["firms"] + regression.residual)
        return pd.Series(parts)

    @property
    def firm_table(self) -> pd.DataFrame:
        """Firms: n, index and outcome (means) and what is predicted of each beyond the index.

        ``effect`` is the best linear prediction of the firm's constant, ``slope_effect`` that of
        its slope (random slope); population averages have none.
        """
        customers = self.customers
        columns = {
            "n": customers.size,
            "index": customers.mean_of(customers.index),
            "outcome": customers.mean_of(customers.outcome),
        }
        effects = self.regression.firm_effects
        if effects is not None:
            columns |= dict(zip(("effect", "slope_effect"), effects.T, strict=False))
        return pd.DataFrame(columns, pd.Index(self.firm_names, name=self.by))

    def contrast(self, start: float, end: float, move: str = "between") -> pd.DataFrame:
        """Return the probability at two levels of the index and the difference.

        Parameters
        ----------
        start, end
            Index points, 0 to 100.
        move
            ``"between"`` sets every firm's mean index, customers keeping their distance to it;
            ``"within"`` sets every customer's index, firms keeping their mean. Both average over
            customers.

        Returns
        -------
        DataFrame
            Rows "at <start>", "at <end>", "difference"; columns probability, se, lower, upper.

        Raises
        ------
        OptionError
            When a level is outside 0 to 100 or `move` is unknown.
        """
        choose("move", move, LEVELS)
        points = on_index([start, end])

        def of(X: Floats) -> OfRows:
            return lambda b: self.family.predict(b, X)

        designs, draws = [], []
        for point in points:
            X = self.customers.design
            if move == "between":
                X[:, 2] = point
            else:
                X[:, 1] = point - X[:, 2]
            designs.append(X)
            if self.draws is not None:
                draws.append(self._line_in_draws(point, move))
        drawn = np.stack(draws, axis=1) @ _TURN.T if draws else None
        table = self._table(self._averages([of(X) for X in designs]).turned(_TURN), drawn)
        table = table.rename(columns={"estimate": "probability"}).drop(columns="p")
        return table.set_axis([f"at {start:g}", f"at {end:g}", "difference"])

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        if not self.converged:
            return text(
                "There is no solution for {outcome} of customers within {by}.",
                outcome=self.outcome,
                by=self.by,
            )
        parts = {}
        for name in ("between", "within"):
            slope = self._estimate(name)
            points = 100.0 * float(slope)
            ends = sorted(100.0 * np.sign(points or 1.0) * np.array([slope.lower, slope.upper]))
            parts[name] = text(
                _SENTENCES[name, bool(points >= 0)],
                index=self.index,
                points=abs(points),
                outcome=self.outcome,
                level=100 * self.level,
                lower=ends[0],
                upper=ends[1],
            )
        return text("{between}; {within}.", **parts)

    @property
    def page(self) -> Page:
        """The result on a page."""
        facts = (
            text(
                "{method}, {n} customers of {firms} firms"
                if self.customers.weights is None
                else "{method}, {n} customers of {firms} firms, survey weights",
                method=text(_METHODS[self.model], family=self.family.label),
                n=self.n,
                firms=self.firms,
            ),
            self.interval_kind,
        )
        tables = {text("Change of probability per index point"): self.slopes}
        if self.converged:
            low, high = quartiles(self.customers.between)
            if high > low:
                title = text("Probability at the quartiles of firms' mean index")
                tables[title] = self.contrast(low, high)
            left = text("What is left between and within firms")
            tables[left] = self.variances.to_frame("value")
        title = text(
            "{outcome} of customers within {by} on the index of {index}",
            outcome=self.outcome,
            by=self.by,
            index=self.index,
        )
        return Page(title, self.headline, facts, self.findings, sections(tables))

    def _line_in_draws(self, point: float, move: str) -> Floats:
        """Return the straight line's average at a level in the draws, (draws,)."""
        assert self.draws is not None
        b, means = self.draws
        line = b[:, 0] + np.einsum("dk,dk->d", means[:, 3:], b[:, 3:])
        if move == "between":
            return np.asarray(line + b[:, 2] * point)
        return np.asarray(line + b[:, 2] * means[:, 2] + b[:, 1] * (point - means[:, 2]))

    def _averages(self, functions: Sequence[OfRows]) -> Averages:
        regression = self.regression
        variances = np.diagonal(regression.covariance)
        return Averages.of(functions, regression.coefficients, variances, self.customers.share)

    def _estimate(self, name: str) -> Estimate:
        return Estimate.of(self.slopes.loc[[name]], self.level)

    def _table(self, averages: Averages, draws: Floats | None) -> pd.DataFrame:
        value = averages.value
        source: ErrorSource
        if draws is None:
            errors = self.regression.score_errors
            source = StandardErrors(*errors.of(averages.gradient, averages.individual))
        else:
            source = Draws(value, draws, np.full(len(value), self.firms - 1.0), self.interval)
        return infer(pd.RangeIndex(len(value)), value, source, self.level)


_TURN: Floats = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 1.0]])
