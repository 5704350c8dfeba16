"""The whole chain in every bootstrap draw: item weights, index and regression together.

The model of each draw is estimated already (`Bootstrap`); here its item weights make each
respondent's index by one matrix product, and all draws of a block are regressed at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.endings import count_reasons, told_reasons
from csimodel.findings import Finding, text
from csimodel.inference import Bootstrap, about_lost, interval_of_source, require_draws
from csimodel.outcomes.design.layout import Column, Layout, value_of
from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.kernels.glm import average_along
from csimodel.outcomes.kernels.kernel import Ending, Regressions, Samples, fit_samples
from csimodel.outcomes.models.regression import Regression
from csimodel.outcomes.rows.cells import Cells
from csimodel.survey.sampling import ReplicateVariance, SurveyDesign

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Batch:
    """Some draws with their merged cells.

    Attributes
    ----------
    draws
        Their numbers.
    weights
        Of the cells, (draws, cells).
    outcomes
        Means of functions of the outcome, (draws, cells) or (cells,).
    points, factors
        The indexes, each (draws, cells), and what a design has besides, each (cells,).
    """

    draws: NDArray[np.intp]
    weights: Floats
    outcomes: list[Floats]
    points: list[Floats]
    factors: list[Floats]

    def columns(self, columns: tuple[Column, ...]) -> list[Floats | float]:
        """Return columns of a design, or their derivatives."""
        return [value_of(column, self.points, self.factors) for column in columns]

    def predictor(self, b: Floats, columns: tuple[Column, ...]) -> Floats:
        """Return ``Σ b · column``, (draws, cells), or (draws, 1) if it is the same in all cells."""
        linear = np.zeros((len(b), 1))
        for slope, column in zip(b.T, self.columns(columns), strict=True):
            if isinstance(column, float):
                linear = linear + slope[:, None] * column if column else linear
            else:
                linear = linear + slope[:, None] * column
        return linear


@dataclass(frozen=True, eq=False)
class RegressionDraws:
    """The regression in every draw of a bootstrap.

    Attributes
    ----------
    bootstrap
        The draws.
    family
        What was fitted.
    cells
        The respondents.
    regressions
        Coefficients, mean slope and ending of each draw.
    progress
        Whether to show a bar when something takes longer than a second.
    formula_layout
        How the columns follow from indexes and factors, where a formula says so.
    """

    bootstrap: Bootstrap
    family: Family
    cells: Cells
    regressions: Regressions
    progress: bool = True
    formula_layout: Layout | None = None

    @cached_property
    def usable(self) -> NDArray[np.bool_]:
        """Draws whose model and regression both have a solution, (draws,)."""
        return np.asarray(self.regressions.ending == Ending.CONVERGED)

    @cached_property
    def lost(self) -> pd.Series:
        """Number of draws lost in the regression or before, by reason; empty when none was."""
        return lost_draws(self.regressions.ending, self.bootstrap)

    @property
    def design(self) -> SurveyDesign:
        """The sampling design the draws repeat."""
        return self.bootstrap.survey_design

    def interval(self, kind: str) -> str:
        """Return the kind of interval that the draws are given."""
        return interval_of_source(self.bootstrap, kind)

    @property
    def kind(self) -> str:
        """What the draws are called."""
        replication = self.bootstrap.replication
        if replication is None:
            return text("bootstrap draws")
        known = isinstance(replication, ReplicateVariance)
        return text("replicates") if known else replication.method

    @property
    def df(self) -> int:
        """Degrees of freedom of the design: units less strata."""
        return self.design.df

    @property
    def design_df(self) -> float:
        """The same for tests of several coefficients; infinite where respondents were drawn."""
        return self.design.df_of_tests

    @property
    def coefficients(self) -> Floats:
        """Coefficients of the usable draws, (draws, terms)."""
        return self.regressions.coefficients[self.usable]

    @property
    def further(self) -> Floats | None:
        """Thresholds or log precision of the usable draws, (draws, any)."""
        parameters = self.regressions.further
        return None if parameters is None else parameters[self.usable]

    @property
    def layout(self) -> Layout:
        """How the columns follow from indexes and factors."""
        if self.formula_layout is not None:
            return self.formula_layout
        return Layout.plain(len(self.cells.index.blocks), self.cells.controls.shape[1])

    def average_slopes(self) -> Floats:
        """Return average marginal effects in the usable draws, (draws, effects)."""
        if self.formula_layout is None:
            return self.coefficients[:, 1:] * self.regressions.mean_slope[self.usable, None]
        effects = self.layout.effects

        def batch_values(batch: Batch, b: Floats) -> Floats:
            eta = b[:, :1] + batch.predictor(b[:, 1:], self.layout.columns)
            slope = self.family.slope(eta) * batch.weights
            slope /= batch.weights.sum(axis=1, keepdims=True)
            values = [
                (slope * batch.predictor(b[:, 1:], derivatives)).sum(axis=1)
                for _, derivatives in effects
            ]
            return np.stack(values, axis=1)

        return self.over_draws(batch_values, len(effects))

    def predictions(self, moved: int, levels: Floats) -> Floats:
        """Return average predictions at levels of an index in the usable draws.

        Levels are the same for all draws, (levels,), or each usable draw's own, (draws, levels).
        """
        return self._average(self.family.mean, moved, levels, False)

    def slopes(self, moved: int, levels: Floats) -> Floats:
        """Return average effects of one more point at levels in the usable draws."""
        return self._average(self.family.slope, moved, levels, True)

    def predictions_from(self, constants: Floats, moved: int, levels: Floats) -> Floats:
        """Return average predictions with other constants, (draws, levels, constants).

        `constants` are each usable draw's own, (draws, constants): less the thresholds, for all
        categories of ordered answers.
        """
        averages = self._average(self.family.mean, moved, levels, False, constants)
        return np.moveaxis(averages.reshape(len(averages), -1, len(levels)), 1, 2)

    def _average(
        self,
        function: Callable[[Floats], Floats],
        moved: int,
        levels: Floats,
        times_slope: bool,
        constants: Floats | None = None,
    ) -> Floats:
        """Return a function of η at levels, averaged, (draws, constants times levels)."""
        b = self.coefficients
        constants = b[:, :1] if constants is None else constants

        def along(parts: list[Floats], weights: Floats, levels: Floats, start: Floats) -> Floats:
            values = [
                average_along(
                    function,
                    [parts[0] + constant[:, None], *parts[1:]],
                    weights,
                    levels,
                    times_slope=times_slope,
                )
                for constant in start.T
            ]
            return np.concatenate(values, axis=1)

        if b.shape[1] == 2:  # nothing else to average over
            return along([np.zeros((1, 1)), b[:, 1:]], np.ones((len(b), 1)), levels, constants)
        by_power = self.layout.by_power(moved)
        own, start = (
            np.zeros((len(self.usable), values.shape[-1])) for values in (levels, constants)
        )
        own[self.usable], start[self.usable] = levels, constants

        def batch_values(batch: Batch, b: Floats) -> Floats:
            parts = [batch.predictor(b[:, 1:], columns) for columns in by_power]
            return along(parts, batch.weights, own[batch.draws], start[batch.draws])

        return self.over_draws(batch_values, own.shape[1] * start.shape[1])

    def batches(
        self,
        what: str,
        statistics: Sequence[Floats] = (),
        wanted: NDArray[np.bool_] | None = None,
        progress: bool = True,
    ) -> Iterator[Batch]:
        """Yield the usable draws, or those wanted of them, a few at a time.

        Parameters
        ----------
        what
            What a progress bar calls it.
        statistics
            Functions of the outcome whose means the batches have, each (cells,).
        wanted
            Which draws, (draws,).
        progress
            Whether to show a bar, where the chain shows them.
        """
        keep = self.usable if wanted is None else self.usable & wanted
        shown = progress and self.progress
        return _batches(self.bootstrap, self.cells, list(statistics), keep, what, shown)

    def over_draws(self, function: Callable[[Batch, Floats], Floats], size: int) -> Floats:
        """Return a function of batches of draws and their coefficients, for the usable draws.

        The function and the result are (draws, size).
        """
        results = np.full((len(self.usable), size), np.nan)
        for batch in self.batches("averages"):
            results[batch.draws] = function(batch, self.regressions.coefficients[batch.draws])
        return results[self.usable]


def regression_draws(
    bootstrap: Bootstrap, regression: Regression, progress: bool = True
) -> RegressionDraws:
    """Regress the outcome on the index of every draw.

    Raises
    ------
    InferenceError
        When fewer than 20 draws are usable.
    """
    sample, family = regression.sample, regression.family
    cells = regression.cells(bootstrap)
    kernel, columns = regression.kernel_of_draws(cells), regression.draw_columns
    outcomes = regression.kernel.outcomes(cells.outcome)
    wanted, parts = bootstrap.usable, regression.parts
    batches = _batches(bootstrap, cells, outcomes, wanted, "whole chain", progress, parts)
    samples = (
        Samples(
            batch.draws,
            [np.asarray(column) for column in batch.columns(columns)],
            batch.weights,
            batch.outcomes,
        )
        for batch in batches
    )
    regressions = fit_samples(kernel, samples, len(bootstrap.usable))
    draws = RegressionDraws(bootstrap, family, cells, regressions, progress, sample.formula_layout)
    if bootstrap.replication is None:
        require_regressions(draws.usable, draws.lost)
    return draws


def lost_draws(ending: NDArray[np.int64], bootstrap: Bootstrap | None = None) -> pd.Series:
    """Count draws lost in a regression, and in the model before it, by reason.

    Parameters
    ----------
    ending
        An `Ending` for each draw, (draws,).
    bootstrap
        Whose draws they are; None where respondents are drawn and the index is known.
    """
    lost = count_reasons(Ending, ending, apart=(Ending.NO_FIT,))
    if bootstrap is not None and len(bootstrap.failed):
        lost = pd.concat([bootstrap.failed, lost]).rename("lost").astype("int64")
    return lost


class Losses(Protocol):
    """What draws of a regression say of those that were lost."""

    @property
    def bootstrap(self) -> Bootstrap:
        """The draws of the model."""

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Draws that have a regression, (draws,)."""

    @property
    def lost(self) -> pd.Series:
        """Number of draws lost, by reason."""


@dataclass(frozen=True, eq=False)
class RegressionLosses:
    """Which draws have a regression, and why the others have none: `Losses` by themselves.

    Attributes
    ----------
    bootstrap
        The draws of the model.
    usable
        Draws that have a regression, (draws,).
    lost
        Number of draws lost, by reason.
    """

    bootstrap: Bootstrap
    usable: NDArray[np.bool_]
    lost: pd.Series

    @classmethod
    def of(cls, bootstrap: Bootstrap, ending: NDArray[np.int64]) -> RegressionLosses:
        """Count an `Ending` for each draw of a model, (draws,)."""
        return cls(bootstrap, ending == Ending.CONVERGED, lost_draws(ending, bootstrap))


def about_losses(draws: Losses) -> Iterator[Finding]:
    """Count draws lost in a regression or before it, and pass on what is known of the draws."""
    total, used = len(draws.usable), int(draws.usable.sum())
    lost, reasons = total - used, told_reasons(draws.lost)
    finding = Finding(
        "lost-draws",
        "{count} of {total} draws {count:was|were} lost ({reasons:20}); intervals rest on the "
        "others and may be too narrow.",
        values={"count": lost, "total": total, "reasons": reasons},
    )
    yield from about_lost(finding, lost, total)
    yield from (finding for finding in draws.bootstrap.findings if finding.code != "lost-draws")


def require_regressions(
    usable: NDArray[np.bool_],
    lost: pd.Series,
    have: str = "have a regression",
    simpler: str = "a simpler regression",
) -> None:
    """Refuse to make intervals from fewer than 20 usable draws, with the reasons.

    Raises
    ------
    InferenceError
        When they are fewer.
    """
    require_draws(int(usable.sum()), len(usable), have, simpler, lost)


def _batches(
    bootstrap: Bootstrap,
    cells: Cells,
    statistics: list[Floats],
    wanted: NDArray[np.bool_],
    what: str,
    progress: bool,
    parts: int = 1,
) -> Iterator[Batch]:
    """Yield the wanted draws a few at a time, cells that differ in the outcome alone as one."""
    merged = cells.merged
    indexes = len(cells.index.blocks)
    for draws, weights in cells.draws(bootstrap.design, wanted, what, progress, parts):
        regressors = merged.regressors(draws)
        own, outcomes = cells.pooled(weights, statistics)
        yield Batch(draws, own, outcomes, regressors[:indexes], regressors[indexes:])
