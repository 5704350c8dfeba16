"""The result of a regression of firms over periods."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked_in
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate_in
from csimodel.inference.draws import without_losses
from csimodel.inference.infer import infer
from csimodel.inference.intervals import interval_name
from csimodel.inference.sources import Draws, ErrorSource, StandardErrors
from csimodel.outcomes.kernels.fixed_effects import Panel
from csimodel.outcomes.models.estimate import Estimate
from csimodel.outcomes.models.levels import on_index, quartiles
from csimodel.page import HasHeadline, Page, sections

Floats = NDArray[np.float64]

_HELD = {
    "two-way": "within the same firm, periods held equal",
    "firm": "within the same firm",
    "period": "between firms of the same period",
    "none": "over all firms and periods",
}
_EFFECTS = {
    "two-way": "firm and period effects",
    "firm": "firm effects",
    "period": "period effects",
    "none": "no effects",
}
_ERRORS = {
    "CR2": (
        "Intervals of the regression alone (errors clustered by firms without the bias of few "
        "firms (CR2), t with Satterthwaite's degrees of freedom): item weights are treated as "
        "known."
    ),
    "cluster": (
        "Intervals of the regression alone (errors clustered by firms, t with {df} "
        "{df:degree|degrees} of freedom): item weights are treated as known."
    ),
    "two-way": (
        "Intervals of the regression alone (errors clustered by firms and by periods, t with "
        "{df} {df:degree|degrees} of freedom): item weights are treated as known."
    ),
}


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class RepurchasePanel(HasHeadline):
    """What a point of a firm's index is worth in its repurchase. Made by `repurchase_panel`.

    Attributes
    ----------
    panel
        The regression as arrays.
    cells
        Firm × period: n (respondents, where known), index, outcome, controls, weight.
    outcome, names
        Names of the outcome and of the regressors, the index first.
    errors
        ``"CR2"`` or ``"cluster"`` (firms), or ``"two-way"`` (firms and periods).
    draws
        Constant and slopes in the usable bootstrap draws, (draws, 1 + regressors), or None.
    level, interval
        Coverage and kind of intervals.
    findings
        What a reader must know, in plain words.
    """

    panel: Panel
    cells: pd.DataFrame
    outcome: str
    names: tuple[str, ...]
    errors: str
    draws: Floats | None
    level: float
    interval: str
    findings: tuple[Finding, ...]

    @property
    def n(self) -> int:
        """Number of firm × period rows used."""
        return self.panel.n

    @property
    def firms(self) -> int:
        """Number of firms used."""
        return len(np.unique(self.panel.firm))

    @property
    def periods(self) -> int:
        """Number of periods used."""
        return len(np.unique(self.panel.period))

    @property
    def df(self) -> int:
        """Degrees of freedom of draws and clusters: firms (two-way, or periods) less one.

        Those of CR2 belong to each number and stand in its row.
        """
        return (min(self.firms, self.periods) if self.errors == "two-way" else self.firms) - 1

    @property
    def naive(self) -> RepurchasePanel:
        """The same with the regression's own errors, the cells' index and outcome as known."""
        return replace(self, draws=None, findings=without_losses(self.findings))

    @property
    def interval_kind(self) -> str:
        """What errors and intervals account for, in a sentence."""
        if self.draws is not None:
            return text(
                "Whole-chain intervals ({interval}, {draws} bootstrap draws): item weights, each "
                "firm's index and repurchase, and the regression were made again in each draw.",
                interval=interval_name(self.interval, self.df),
                draws=len(self.draws),
            )
        return text(_ERRORS[self.errors], df=self.df)

    @cached_property
    def slopes(self) -> pd.DataFrame:
        """Change of the repurchase share per unit of each regressor, other effects held.

        Rows the index (per point) and controls; columns estimate, se, df, lower, upper, p, reason.
        """
        size = len(self.names)
        return self._table(np.eye(1 + size)[1:]).set_axis(list(self.names))

    @property
    def slope(self) -> Estimate:
        """Change of the repurchase share per index point: a number with se, limits and p."""
        return Estimate.of(self.slopes, self.level)

    def predict(self, levels: float | ArrayLike) -> pd.DataFrame:
        """Return the share of repurchase at levels of the index, in the average firm and period.

        Rows levels; columns probability, se, df, lower, upper, reason. The line may leave 0 to 1.

        Raises
        ------
        OptionError
            When a level is outside 0 to 100.
        """
        points = on_index(levels)
        table = self._table(self._rows(points)).drop(columns="p")
        table = table.rename(columns={"estimate": "probability"})
        return table.set_axis(pd.Index(points, name="index"))

    def contrast(self, start: float, end: float) -> pd.DataFrame:
        """Return the share of repurchase at two levels of the index and the difference.

        Rows "at <start>", "at <end>", "difference" (end less start); columns as in `predict`.

        Raises
        ------
        OptionError
            When a level is outside 0 to 100.
        """
        rows = self._rows(on_index([start, end]))
        table = self._table(np.vstack([rows, rows[1] - rows[0]])).drop(columns="p")
        table = table.rename(columns={"estimate": "probability"})
        return table.set_axis([f"at {start:g}", f"at {end:g}", "difference"])

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        slope, points = self.slope, 100.0 * float(self.slope)
        ends = sorted(100.0 * np.sign(points or 1.0) * np.array([slope.lower, slope.upper]))
        return text(
            "A point more of {index} goes with {points:.2f} percentage points more {outcome} "
            "{held} ({level:g} % interval {lower:.2f} to {upper:.2f})."
            if points >= 0
            else "A point more of {index} goes with {points:.2f} percentage points less {outcome} "
            "{held} ({level:g} % interval {lower:.2f} to {upper:.2f}).",
            index=self.names[0],
            points=abs(points),
            outcome=self.outcome,
            held=text(_HELD[self.panel.effects]),
            level=100 * self.level,
            lower=ends[0],
            upper=ends[1],
        )

    @property
    def page(self) -> Page:
        """The result on a page."""
        facts = (
            text(
                "Least squares with {effects}: {n} rows of {firms} firms in {periods} periods",
                effects=text(_EFFECTS[self.panel.effects]),
                n=self.n,
                firms=self.firms,
                periods=self.periods,
            ),
            self.interval_kind,
        )
        low, high = quartiles(self.panel.regressors[:, 0])
        tables = {text("Change of the share per unit"): self.slopes}
        if high > low:
            tables[text("Share at the quartiles of the index")] = self.contrast(low, high)
        title = text(
            "{outcome} of firms over periods on the index of {name}",
            outcome=self.outcome,
            name=self.names[0],
        )
        return Page(title, self.headline, facts, self.findings, sections(tables))

    def _rows(self, points: Floats) -> Floats:
        share = self.panel.weights / self.panel.weights.sum()
        rows = np.tile(np.append(1.0, share @ self.panel.regressors), (len(points), 1))
        rows[:, 1] = points
        return rows

    def _table(self, rows: Floats) -> pd.DataFrame:
        value = rows @ self.panel.coefficients
        source: ErrorSource
        if self.draws is None:
            source = StandardErrors(*self.panel.errors_of(rows, self.errors))
        else:
            df = np.full(len(rows), float(self.df))
            source = Draws(value, self.draws @ rows.T, df, self.interval)
        return infer(pd.RangeIndex(len(value)), value, source, self.level)
