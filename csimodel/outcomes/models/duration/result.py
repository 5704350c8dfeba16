"""The result of a proportional hazard on the index, in hazard ratios, probabilities and times."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked_in
from csimodel.errors import OptionError, suggest
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate_in
from csimodel.inference.draws import without_losses
from csimodel.inference.infer import infer
from csimodel.inference.intervals import interval_name
from csimodel.inference.sources import Draws, ErrorSource, StandardErrors
from csimodel.options import require_array
from csimodel.outcomes.kernels.kernel import Ending
from csimodel.outcomes.models.duration.draws import HazardDraws
from csimodel.outcomes.models.duration.median import log_log, median_times
from csimodel.outcomes.models.duration.proportional import proportional_hazards
from csimodel.outcomes.models.duration.regression import CoxRegression
from csimodel.outcomes.models.duration.survival import (
    effects,
    survival,
)
from csimodel.outcomes.models.estimate import Estimate
from csimodel.outcomes.models.levels import on_index, quartiles
from csimodel.page import HasHeadline, Page, sections

Floats = NDArray[np.float64]

_ERRORS = {
    "model": "model-based errors",
    "robust": "robust errors",
    "cluster": "cluster-robust errors",
    "linearized": "errors of the sampling design, linearized",
}
_PROBABILITIES = {  # what the hazard is of, whether it is more
    ("repurchase", True): (
        "{points:.2f} percentage points more probability of having bought again by {middle:.3g}"
    ),
    ("repurchase", False): (
        "{points:.2f} percentage points less probability of having bought again by {middle:.3g}"
    ),
    ("churn", True): (
        "{points:.2f} percentage points more probability of having stayed by {middle:.3g}"
    ),
    ("churn", False): (
        "{points:.2f} percentage points less probability of having stayed by {middle:.3g}"
    ),
}


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class RepurchaseTime(HasHeadline):
    """What a point of the index does to the time until repurchase or churn.

    Made by `repurchase_time`. Probabilities are always of the good: of having bought again by a
    time (kind ``"repurchase"``), or of still being a customer then (kind ``"churn"``). With several
    regressors or strata they are averaged over the respondents, the index set to a level for all.

    Attributes
    ----------
    regression
        The regression as arrays.
    draws
        The regression in every bootstrap draw, or None.
    kind
        ``"repurchase"`` or ``"churn"``.
    event
        Name of the event.
    level
        Coverage of intervals.
    interval
        Kind of bootstrap interval.
    findings
        What a reader must know, in plain words.
    """

    regression: CoxRegression
    draws: HazardDraws | None
    kind: str
    event: str
    level: float
    interval: str
    findings: tuple[Finding, ...]

    @property
    def n(self) -> int:
        """Number of respondents used."""
        return self.regression.sample.n

    @property
    def events(self) -> int:
        """Number of events among them."""
        return len(self.regression.risk.events)

    @property
    def indexes(self) -> tuple[str, ...]:
        """Names of the indexes; the first is the one meant by default."""
        return self.regression.sample.indexes

    @property
    def converged(self) -> bool:
        """Whether the numbers are a solution at all."""
        return self.regression.ending == Ending.CONVERGED

    @property
    def naive(self) -> RepurchaseTime:
        """The same with the regression's own errors, the index treated as if it were known."""
        return replace(self, draws=None, findings=without_losses(self.findings))

    @property
    def interval_kind(self) -> str:
        """What errors and intervals account for, in a sentence."""
        if self.draws is not None:
            return text(
                "Whole-chain intervals ({interval}, {draws} bootstrap draws): item weights, index "
                "and hazard were estimated again in each draw.",
                interval=interval_name(self.interval, self.draws.df),
                draws=int(self.draws.usable.sum()),
            )
        return text(
            "Intervals of the regression alone ({errors}, delta method): the index is "
            "treated as known without error.",
            errors=text(_ERRORS[self.regression.errors]),
        )

    @cached_property
    def coefficients(self) -> pd.DataFrame:
        """Logarithms of hazard ratios per unit, with their errors and p-values."""
        b = self.regression.coefficients
        draws = None if self.draws is None else self.draws.coefficients
        table = self._table(b, np.eye(len(b)), None, draws)
        return table.set_axis(list(self.regression.sample.names))

    @property
    def hazard_ratios(self) -> pd.DataFrame:
        """Ratio of hazards per index point, per ten points, and per unit of a control.

        Above 1, the event comes sooner to the more satisfied. Columns ratio, se (the coefficient's
        times the ratio), df, lower, upper, p (against 1), reason.
        """
        rows, names = [], []
        for name, row in self.coefficients.iterrows():
            index = name in self.indexes
            for points in (1.0, 10.0) if index else (1.0,):
                ratio, lower, upper = (
                    np.exp(points * float(row[end])) for end in ("estimate", "lower", "upper")
                )
                se = ratio * points * float(row["se"])
                rows.append([ratio, se, row["df"], lower, upper, row["p"], row["reason"]])
                unit = "unit" if not index else "point" if points == 1 else "10 points"
                names.append((name, f"per {unit}"))
        labels = pd.MultiIndex.from_tuples(names, names=["regressor", "step"])
        return pd.DataFrame(rows, labels, ["ratio", "se", "df", "lower", "upper", "p", "reason"])

    @property
    def hazard_ratio(self) -> Estimate:
        """Ratio of hazards per point of the (first) index, with its interval; p against 1.

        Its standard error is the coefficient's times the ratio.
        """
        return Estimate.of(self.hazard_ratios.rename(columns={"ratio": "estimate"}), self.level)

    @cached_property
    def proportional_hazards(self) -> pd.DataFrame:
        """Test that each hazard ratio is the same at all times; columns chi2, df, p.

        Rows regressors and ``"all together"``; see `proportional.proportional_hazards`.
        """
        return proportional_hazards(self.regression)

    def predict(
        self,
        levels: float | ArrayLike,
        times: float | ArrayLike | None = None,
        index: str | None = None,
    ) -> pd.DataFrame:
        """Return the probability of having bought again, or of having stayed, by time and level.

        Parameters
        ----------
        levels
            Index points, 0 to 100.
        times
            In the unit of the durations; by default the quartiles of the event times.
        index
            Which index to set; the first by default.

        Returns
        -------
        DataFrame
            Rows (time, index); columns probability, se, lower, upper. Without a bootstrap, limits
            are made on the log-log scale, so they stay in 0 to 1.

        Raises
        ------
        OptionError
            When a level is outside 0 to 100, a time outside what was seen, or the index is not in
            the regression.
        """
        points, when = on_index(levels), self._times(times)
        value, gradient, own, draws = self._survival(self._moved(index), points, when)
        table = self._probability(value, gradient, when, draws, own)
        labels = [when, points]
        return table.set_axis(pd.MultiIndex.from_product(labels, names=["time", "index"]))

    def contrast(
        self,
        start: float,
        end: float,
        times: float | ArrayLike | None = None,
        index: str | None = None,
    ) -> pd.DataFrame:
        """Return the probability at two levels of an index and the difference, by time.

        Parameters
        ----------
        start, end
            Index points, 0 to 100.
        times, index
            As in `predict`.

        Returns
        -------
        DataFrame
            Rows (time, "at <start>" / "at <end>" / "difference"), the difference end less start;
            columns probability, se, lower, upper.

        Raises
        ------
        OptionError
            As in `predict`.
        """
        points, when = on_index([start, end]), self._times(times)
        value, gradient, own, draws = self._survival(self._moved(index), points, when)
        ends = self._probability(value, gradient, when, draws, own)
        turn = np.kron(np.eye(len(when)), np.array([[-1.0, 1.0]])) * self._sign
        steps = None if draws is None else draws @ turn.T
        own = None if own is None else own @ turn.T
        step = self._table(turn @ value, turn @ gradient, when, steps, own)
        step = step.rename(columns={"estimate": "probability"}).drop(columns="p")
        parts = [f"at {start:g}", f"at {end:g}", "difference"]
        labels = pd.MultiIndex.from_product([when, parts], names=["time", "index"])
        rows = [r for t in range(len(when)) for r in (2 * t, 2 * t + 1, 2 * len(when) + t)]
        return pd.concat([ends, step]).iloc[rows].set_axis(labels)

    def average_marginal_effects(
        self, times: float | ArrayLike | None = None, index: str | None = None
    ) -> pd.DataFrame:
        """Return the change of probability per index point, averaged over respondents, by time.

        Rows times; columns estimate, se, df, lower, upper, p, reason.
        """
        when, moved = self._times(times), self._moved(index)
        value, gradient, own = effects(self.regression, moved, when)
        turned = None if own is None else self._sign * own
        draws = None if self.draws is None else self._sign * self.draws.effects(moved, when)
        table = self._table(self._sign * value, self._sign * gradient, when, draws, turned)
        return table.set_axis(pd.Index(when, name="time"))

    def median_time(self, levels: float | ArrayLike, index: str | None = None) -> pd.DataFrame:
        """Return when half of the respondents have had the event, at levels of an index.

        The first event time at which survival is a half or less. Limits are where the limits of
        survival pass a half (Brookmeyer & Crowley 1982), or the percentiles of the draws. Infinite
        where that was not seen.

        Returns
        -------
        DataFrame
            Rows levels; columns time, df, lower, upper, and reason, why there are no limits.

        References
        ----------
        Brookmeyer, R., Crowley, J. (1982). A confidence interval for the median survival time.
        Biometrics 38, 29-41. https://doi.org/10.2307/2530286
        """
        points, moved = on_index(levels), self._moved(index)
        medians = median_times(self.regression, moved, points, self.level)
        reason = str(self.coefficients["reason"].iloc[moved])
        df = self.regression.df if self.draws is None else float(self.draws.df)
        if self.draws is not None:
            draws = self.draws.medians(moved, points)
            ends = [(1.0 - self.level) / 2.0, (1.0 + self.level) / 2.0]
            medians[:, 1:] = np.quantile(draws, ends, axis=0, method="inverted_cdf").T
        if reason:
            medians[:, 1:] = np.nan
        if not self.converged:
            medians[:] = np.nan
        labels = pd.Index(points, name="index")
        table = pd.DataFrame(medians, labels, ["time", "lower", "upper"])
        table.insert(1, "df", df)
        return table.assign(reason=reason)

    @property
    def page(self) -> Page:
        """The result on a page."""
        sample = self.regression.sample
        facts = (
            text(
                "Cox proportional hazard ({ties}), {n} respondents, {events} "
                "{events:event|events}, {others} without one when last seen"
                if sample.weights is None
                else "Cox proportional hazard ({ties}), {n} respondents, survey weights, "
                "{events} {events:event|events}, {others} without one when last seen",
                ties="Efron" if self.regression.kernel.efron else "Breslow",
                n=self.n,
                events=self.events,
                others=self.n - self.events,
            ),
            self.interval_kind,
        )
        tables = {text("Hazard ratios"): self.hazard_ratios}
        if self.converged:
            low, high = quartiles(sample.regressors[:, 0])
            tables |= {
                text(
                    "Change of probability per index point, averaged over respondents, by time"
                ): self.average_marginal_effects(),
                text("Probability at the quartiles of the index, by time"): (
                    self.contrast(low, high)
                ),
                text("Median time"): self.median_time([low, high]),
                text("Is the hazard ratio the same at all times? (score test)"): (
                    self.proportional_hazards
                ),
            }
        title = text(
            "Repurchase by {time} on the index of {names}"
            if self.kind == "repurchase"
            else "Churn by {time} on the index of {names}",
            time=sample.label,
            names=", ".join(self.indexes),
        )
        return Page(title, self.headline, facts, self.findings, sections(tables))

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        if not self.converged:
            return text(
                "There is no finite effect of {name} on {outcome}.",
                name=self.indexes[0],
                outcome=self.event,
            )
        ratio, others = self.hazard_ratio, len(self.regression.sample.names) > 1
        change = 100.0 * (float(ratio) - 1.0)
        ends = 100.0 * (np.array([ratio.lower, ratio.upper]) - 1.0)
        risk = self.regression.risk
        middle = np.quantile(risk.time[risk.event_slot], 0.5, method="inverted_cdf")
        value = effects(self.regression, 0, np.array([middle])).value
        points = 100.0 * self._sign * float(value[0])
        hazard = text(
            "{change:.2f} % higher hazard of {event}"
            if change >= 0
            else "{change:.2f} % lower hazard of {event}",
            change=abs(change),
            event=self.event,
        )
        probability = text(
            _PROBABILITIES[self.kind, bool(points >= 0)], points=abs(points), middle=middle
        )
        return text(
            "Each point of {index} goes with {hazard} ({level:g} % interval {lower:+.2f} % to "
            "{upper:+.2f} %), which makes {probability}, other regressors held as they are."
            if others
            else "Each point of {index} goes with {hazard} ({level:g} % interval {lower:+.2f} % to "
            "{upper:+.2f} %), which makes {probability}.",
            index=self.indexes[0],
            hazard=hazard,
            level=100 * self.level,
            lower=ends[0],
            upper=ends[1],
            probability=probability,
        )

    @property
    def _sign(self) -> float:
        return 1.0 if self.kind == "churn" else -1.0

    def _survival(
        self, moved: int, points: Floats, times: Floats
    ) -> tuple[Floats, Floats, Floats | None, Floats | None]:
        """Return survival, its gradient, that of each respondent, and draws."""
        value, gradient, own = survival(self.regression, moved, points, times)
        draws = None if self.draws is None else self.draws.survival(moved, points, times)
        return value, gradient, own, draws

    def _table(
        self,
        value: Floats,
        gradient: Floats,
        times: Floats | None,
        draws: Floats | None,
        individual: Floats | None = None,
    ) -> pd.DataFrame:
        source: ErrorSource
        if draws is None:
            se = self.regression.errors_of(gradient, times, individual)
            df = np.full(len(value), self.regression.df)
            source = StandardErrors(se, df, census=self.regression.design.census)
        else:
            assert self.draws is not None
            source = Draws.of_design(value, draws, self.draws.design, self.interval)
        return infer(pd.RangeIndex(len(value)), value, source, self.level)

    def _probability(
        self,
        value: Floats,
        gradient: Floats,
        times: Floats,
        draws: Floats | None,
        individual: Floats | None,
    ) -> pd.DataFrame:
        """Return probabilities with limits; of the log-log of survival without draws."""
        table = self._table(value, gradient, times, draws, individual)
        if draws is None:
            se, df = table["se"].to_numpy(), self.regression.df
            ends = log_log(value, se, self.level, df)
            for end, limit in zip(("lower", "upper"), ends, strict=True):
                table[end] = np.where(table["reason"] == "", limit, table[end])
        table = table.rename(columns={"estimate": "probability"}).drop(columns="p")
        if self.kind == "repurchase":
            turned = {"probability": 1.0 - table["probability"], "lower": 1.0 - table["upper"]}
            table = table.assign(**turned, upper=1.0 - table["lower"])
        return table

    def _moved(self, index: str | None) -> int:
        name = self.indexes[0] if index is None else index
        if name not in self.indexes:
            raise OptionError(
                f"index={name!r} is not in this regression{suggest(str(name), self.indexes)}; "
                f"use one of {', '.join(map(repr, self.indexes))}."
            )
        return self.indexes.index(name)

    def _times(self, times: float | ArrayLike | None) -> Floats:
        longest = float(self.regression.sample.outcome.max())
        if times is None:
            risk = self.regression.risk
            when = risk.time[risk.event_slot]
            return np.unique(np.quantile(when, [0.25, 0.5, 0.75], method="inverted_cdf"))
        values = require_array("times", times, "times since the start").ravel()
        if not len(values):
            raise OptionError("times=[] names no time; give one or several, or leave it out.")
        outside = values[~((values >= 0) & (values <= longest))]
        if len(outside):
            raise OptionError(
                f"Time {outside[0]:g} is outside what was seen, 0 to {longest:g}; choose a time "
                "between them, because a Cox regression says nothing beyond."
            )
        return values
