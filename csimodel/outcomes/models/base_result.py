"""A regression with its draws: names, coefficients, and numbers with their errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import OptionError, suggest
from csimodel.estimators import Fit
from csimodel.findings import Finding, text
from csimodel.inference.infer import infer
from csimodel.inference.intervals import interval_name
from csimodel.inference.sources import Draws
from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.kernels.wald import wald
from csimodel.outcomes.models.averages import Averages
from csimodel.outcomes.models.categories import threshold_names
from csimodel.outcomes.models.draws import RegressionDraws
from csimodel.outcomes.models.estimate import Estimate
from csimodel.outcomes.models.regression import Regression

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Regressed:
    """A regression on the index and the errors of what is computed from it.

    Attributes
    ----------
    regression
        The regression as arrays.
    draws
        The regression in every bootstrap draw, or None.
    level
        Coverage of intervals.
    interval
        Kind of bootstrap interval.
    findings
        What a reader must know, in plain words; empty when all is well.
    fit
        Where the indexes come from; None where they were computed elsewhere.
    """

    regression: Regression
    draws: RegressionDraws | None
    level: float
    interval: str
    findings: tuple[Finding, ...]
    fit: Fit | None = None

    @property
    def n(self) -> int:
        """Number of respondents used."""
        return self.regression.sample.n

    @property
    def outcome(self) -> str:
        """Name of the outcome."""
        return self.regression.sample.label

    @property
    def family(self) -> Family:
        """The family, with its `name` and the `scale` of its coefficients."""
        return self.regression.family

    @property
    def indexes(self) -> tuple[str, ...]:
        """Names of the indexes among the regressors; the first is the one meant by default."""
        return self.regression.sample.indexes

    @property
    def cut(self) -> float | None:
        """Of ordered answers, the lowest that counts as repurchase; else None."""
        return self.regression.sample.cut

    @property
    def errors(self) -> str:
        """Kind of standard errors of the regression."""
        return self.regression.errors

    @property
    def converged(self) -> bool:
        """Whether the numbers are a solution at all."""
        return self.regression.ending == 0

    @property
    def interval_kind(self) -> str:
        """What the standard errors and intervals account for, in a sentence."""
        errors = {
            "nonrobust": text("model-based errors"),
            "CR2": text("cluster-robust errors without the bias of few clusters (CR2)"),
            "cluster": text("cluster-robust errors"),
            "linearized": text("errors of the sampling design, linearized"),
        }.get(self.errors, text("{kind} robust errors", kind=self.errors))
        if self.draws is None:
            return text(
                "Intervals of the regression alone ({errors}, delta method): the index is "
                "treated as known without error.",
                errors=errors,
            )
        return text(
            "Whole-chain intervals ({kind}, {count} {draws}): item weights, index and regression "
            "were estimated again in each draw.",
            kind=interval_name(self.draws.interval(self.interval), self.draws.df),
            count=int(self.draws.usable.sum()),
            draws=self.draws.kind,
        )

    @property
    def coefficients(self) -> pd.DataFrame:
        """Coefficients on the family's scale; rows const, indexes, controls.

        Columns estimate, se, df, lower, upper, p, reason; `family.scale` says what they are
        (probability for least squares, log-odds for the logistic families), per index point or
        unit of a control.
        Of ordered answers, const is less the threshold of the cut.
        """
        terms = self.regression.sample.terms
        draws = None if self.draws is None else self.draws.coefficients
        return self._linear(np.eye(len(terms)), draws).set_axis(list(terms))

    @property
    def slope(self) -> Estimate:
        """Coefficient of the (first) index per index point, on the family's scale."""
        return self._estimate(self.coefficients.iloc[1:])

    @property
    def thresholds(self) -> pd.DataFrame:
        """Of ordered answers, the thresholds between them; rows such as ``1|2``.

        ``P(answer ≤ j) = F(threshold - slope · index - …)``; columns estimate, se, df, lower,
        upper, reason. An outer one is infinite in draws without any such answer; it then has
        neither se nor limits.

        Raises
        ------
        OptionError
            When the family is not ordered.
        """
        categories = self._categories()
        regression, size = self.regression, len(categories) - 1
        assert regression.further is not None
        draws = None if self.draws is None else self.draws.further
        if draws is not None:
            draws = np.where(np.isfinite(draws).all(axis=0), draws, np.nan)
        own = np.eye(size, len(regression.joint_covariance))
        table = self._table(Averages(regression.further, own, None), draws, joint=True)
        return table.drop(columns="p").set_axis(threshold_names(categories))

    @property
    def precision(self) -> Estimate:
        """Of beta regression, the precision φ: the variance of y is ``μ(1 - μ)/(1 + φ)``.

        Limits are made on its logarithm; there is no p, as φ is positive anyhow.

        Raises
        ------
        OptionError
            When the family is another.
        """
        regression = self.regression
        if self.family.further != "precision":
            raise OptionError(
                f"family={self.family.name!r} has no precision; it belongs to family='beta'."
            )
        assert regression.further is not None
        draws = None if self.draws is None else self.draws.further
        own = np.eye(len(regression.joint_covariance))[-1:]
        log = self._estimate(
            self._table(Averages(regression.further, own, None), draws, joint=True)
        )
        value, lower, upper = np.exp([float(log), log.lower, log.upper]).tolist()
        se = value * log.se if draws is None else float(np.exp(draws).std(ddof=1))
        return Estimate(value, se, lower, upper, float("nan"), self.level, log.df, log.reason)

    def _moved(self, index: str | None) -> int:
        name = self.indexes[0] if index is None else index
        if name not in self.indexes:
            raise OptionError(
                f"index={name!r} is not in this regression{suggest(str(name), self.indexes)}; "
                f"use one of {', '.join(map(repr, self.indexes))}."
            )
        return self.indexes.index(name)

    def _categories(self) -> Floats:
        ordering = self.regression.sample.ordering
        if ordering is None:
            raise OptionError(
                f"family={self.family.name!r} does not tell answers apart; use "
                "family='ordered-logit' or 'ordered-probit'."
            )
        return ordering.categories

    def _estimate(self, table: pd.DataFrame) -> Estimate:
        """Return the first row of a table."""
        return Estimate.of(table, self.level)

    def _table(
        self,
        averages: Averages,
        draws: Floats | None,
        *,
        probability: bool = False,
        joint: bool = False,
    ) -> pd.DataFrame:
        """Put errors and limits to values, from draws or else by the delta method.

        `joint` where the gradient is by all that is estimated. Without draws limits of bounded
        probabilities are made on the log-odds scale.
        """
        if draws is None:
            return self.regression.table(averages, self.level, probability=probability, joint=joint)
        assert self.draws is not None
        value = averages.value
        source = Draws.of_design(value, draws, self.draws.design, self.interval)
        return infer(pd.RangeIndex(len(value)), value, source, self.level)

    def _test(self, matrix: Floats) -> pd.Series:
        """Test that sums of coefficients, the weights in rows, are all zero."""
        if self.draws is None:
            return self.regression.test(matrix)
        value, df = matrix @ self.regression.coefficients, self.draws.design_df
        drawn = self.draws.coefficients @ matrix.T
        covariance = self.draws.design.covariance_of_draws(drawn, value)
        return wald(value, covariance, df, design=True)

    def _linear(self, gradient: Floats, draws: Floats | None) -> pd.DataFrame:
        """Return weighted sums of the coefficients with their errors."""
        value = gradient @ self.regression.coefficients
        return self._table(Averages(value, gradient, None), draws)
