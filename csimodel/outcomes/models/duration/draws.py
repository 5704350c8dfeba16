"""The whole chain in every draw: item weights, index and hazard together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.inference import Bootstrap
from csimodel.outcomes.kernels.cox import Cox
from csimodel.outcomes.kernels.hazard_terms import hazard_steps, terms_of
from csimodel.outcomes.kernels.kernel import Ending, Samples, Standardised, fit_samples
from csimodel.outcomes.models.draws import lost_draws, require_regressions
from csimodel.outcomes.models.duration.regression import CoxRegression
from csimodel.outcomes.models.duration.survival import (
    SurvivalMembers,
    average_effect,
    average_survival,
)
from csimodel.outcomes.rows.cells import Cells
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CoxBatch:
    """Some draws with their hazards.

    Attributes
    ----------
    draws
        Their numbers.
    weights
        Of the respondents in risk order, (draws, rows).
    columns
        Regressors centred as in the sample, each (draws, rows) or (rows,).
    coefficients
        (draws, regressors)
    cumulative
        Cumulative hazard of mean regressors after each slot, with 0 in front, of all slots in a
        row, (draws, slots + 1).
    """

    draws: NDArray[np.intp]
    weights: Floats
    columns: list[Floats]
    coefficients: Floats
    cumulative: Floats


@dataclass(frozen=True, eq=False)
class HazardDraws:
    """The hazard in every draw of a bootstrap.

    Attributes
    ----------
    bootstrap
        The draws.
    regression
        The one of the sample.
    cells
        Respondents in risk order.
    every
        Coefficients of all draws, NaN where there are none, (draws, regressors).
    ending
        An `Ending` for each draw, (draws,).
    progress
        Whether to show a bar when something takes longer than a second.
    """

    bootstrap: Bootstrap
    regression: CoxRegression
    cells: Cells
    every: Floats
    ending: NDArray[np.int64]
    progress: bool

    @property
    def design(self) -> SurveyDesign:
        """The sampling design the draws repeat."""
        return self.bootstrap.survey_design

    @property
    def df(self) -> float:
        """Degrees of freedom of the design: units less strata."""
        return float(self.design.df)

    @cached_property
    def usable(self) -> NDArray[np.bool_]:
        """Draws whose model and hazard both have a solution, (draws,)."""
        return np.asarray(self.ending == Ending.CONVERGED)

    @cached_property
    def lost(self) -> pd.Series:
        """Number of draws lost in the hazard or before, by reason."""
        return lost_draws(self.ending, self.bootstrap)

    @property
    def coefficients(self) -> Floats:
        """Coefficients of the usable draws, (draws, regressors)."""
        return self.every[self.usable]

    def survival(self, moved: int, levels: Floats, times: Floats) -> Floats:
        """Return mean survival in the usable draws, (draws, times · levels)."""
        step = levels - self.regression.centre[moved]

        def batch_values(batch: CoxBatch) -> Floats:
            members = self._members(batch, moved)
            slope = batch.coefficients[:, moved]
            return average_survival(members, self._hazard(batch, times), slope, step)

        return self._over_draws(batch_values, (len(times), len(levels))).reshape(
            -1, levels.size * len(times)
        )

    def effects(self, moved: int, times: Floats) -> Floats:
        """Return the mean derivative of survival by an index in the usable draws."""

        def batch_values(batch: CoxBatch) -> Floats:
            eta = _predictor(batch, np.ones(len(batch.columns)))
            share = batch.weights / batch.weights.sum(axis=1, keepdims=True)
            stratum = self.regression.risk.row_stratum
            fall = average_effect(eta, share, stratum, self._hazard(batch, times))
            return -batch.coefficients[:, moved, None] * fall

        return self._over_draws(batch_values, (len(times),))

    def medians(self, moved: int, levels: Floats) -> Floats:
        """Return when mean survival first is a half or less, (draws, levels); ∞ for never seen."""
        risk = self.regression.risk
        times = np.unique(risk.time)
        step = levels - self.regression.centre[moved]

        def batch_values(batch: CoxBatch) -> Floats:
            members = self._members(batch, moved)
            hazard = self._hazard(batch, times)
            slope, every = batch.coefficients[:, moved], np.arange(len(batch.draws))
            low = np.zeros((len(every), len(step)), dtype=np.intp)
            high = np.full_like(low, len(times))
            while (low < high).any():
                middle = (low + high) // 2
                for k in range(len(step)):
                    at = hazard[every, :, np.minimum(middle[:, k], len(times) - 1)][:, :, None]
                    half = average_survival(members, at, slope, step[[k]])[:, 0, 0] <= 0.5
                    moving = low[:, k] < high[:, k]
                    high[:, k] = np.where(moving & half, middle[:, k], high[:, k])
                    low[:, k] = np.where(moving & ~half, middle[:, k] + 1, low[:, k])
            return np.append(times, np.inf)[low]

        return self._over_draws(batch_values, (len(levels),))

    def _members(self, batch: CoxBatch, moved: int) -> SurvivalMembers:
        stratum = self.regression.risk.row_stratum
        if len(batch.columns) == 1 and not stratum.any():
            ones = np.ones((len(batch.draws), 1))
            return SurvivalMembers(np.zeros_like(ones), stratum[:1], ones)
        keep = np.ones(len(batch.columns))
        keep[moved] = 0.0
        share = batch.weights / batch.weights.sum(axis=1, keepdims=True)
        return SurvivalMembers(_predictor(batch, keep), stratum, share)

    def _hazard(self, batch: CoxBatch, times: Floats) -> Floats:
        """Return the cumulative hazard of each stratum at times, (draws, strata, times)."""
        slots = self.regression.risk.slots_at(times)
        begin = self.regression.risk.begin
        reached = batch.cumulative[:, slots + 1] - batch.cumulative[:, begin][:, :, None]
        return np.where(slots >= 0, reached, 0.0)

    def _over_draws(self, function: Callable[[CoxBatch], Floats], shape: tuple[int, ...]) -> Floats:
        results = np.full((len(self.usable), *shape), np.nan)
        for batch in self._batches():
            results[batch.draws] = function(batch)
        return results[self.usable]

    def _batches(self) -> Iterator[CoxBatch]:
        regression, risk = self.regression, self.regression.risk
        drawn = self.cells.draws(self.bootstrap.design, self.usable, "survival", self.progress)
        for draws, weights in drawn:
            regressors = self.cells.regressors(draws)
            x = [v - m for v, m in zip(regressors, regression.centre, strict=True)]
            b, w = self.every[draws], weights[:, : risk.counted]
            cut = [v[..., : risk.counted] for v in x]
            steps = hazard_steps(risk, terms_of(risk, b, cut, w, regression.kernel.efron))
            cumulative = np.pad(np.cumsum(steps, axis=1), ((0, 0), (1, 0)))
            yield CoxBatch(draws, weights, x, b, cumulative)


def hazard_draws(bootstrap: Bootstrap, regression: CoxRegression, progress: bool) -> HazardDraws:
    """Regress the hazard on the index of every draw.

    Raises
    ------
    InferenceError
        When fewer than 20 draws are usable.
    """
    sample, risk = regression.sample, regression.risk
    place = np.empty(sample.n)
    place[risk.order] = np.arange(sample.n)
    cells = _in_risk_order(Cells.of(bootstrap, replace(sample, outcome=place)))
    start = regression.coefficients * regression.spread
    start = np.where(np.isfinite(start), start, 0.0)
    kernel = Standardised(
        Cox(risk, start, regression.kernel.efron),
        regression.centre,
        regression.spread,
        constant=False,
    )
    drawn = cells.draws(bootstrap.design, bootstrap.usable, "whole chain", progress)
    samples = (Samples(draws, cells.regressors(draws), weights, []) for draws, weights in drawn)
    hazards = fit_samples(kernel, samples, len(bootstrap.usable))
    result = HazardDraws(
        bootstrap, regression, cells, hazards.coefficients, hazards.ending, progress
    )
    require_regressions(result.usable, result.lost, "have a hazard")
    return result


def _in_risk_order(cells: Cells) -> Cells:
    """Return cells of one respondent each in the order of their outcome, which is their place."""
    place = np.argsort(cells.outcome)
    return replace(
        cells.take(place, np.arange(len(place))),
        order=cells.order[place],
        weights=None if cells.weights is None else cells.weights[place],
    )


def _predictor(batch: CoxBatch, keep: Floats) -> Floats:
    eta = np.zeros(batch.weights.shape)
    for j, column in enumerate(batch.columns):
        if keep[j]:
            eta += batch.coefficients[:, j, None] * column
    return eta
