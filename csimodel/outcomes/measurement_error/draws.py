"""Corrected slopes in every draw: of the whole chain, or of rows drawn again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.estimators import Estimates
from csimodel.inference import draws_of
from csimodel.moments import Resampling
from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.kernels.kernel import Ending, Samples, fit_samples
from csimodel.outcomes.kernels.predictor_kernels import standardised
from csimodel.outcomes.measurement_error.croon import Croon, croon_slopes
from csimodel.outcomes.measurement_error.errors_in_variables import moved_slopes
from csimodel.outcomes.measurement_error.item_moments import ItemMoments, draw_moments
from csimodel.outcomes.measurement_error.latent import Latent, latent_slopes
from csimodel.outcomes.measurement_error.reliability import Reliability, of_groups
from csimodel.outcomes.measurement_error.simex import (
    least_squares_curve,
    simulated_curve,
)
from csimodel.outcomes.models.draws import RegressionDraws, lost_draws, require_regressions
from csimodel.outcomes.models.regression import Regression

Floats = NDArray[np.float64]
Batch = tuple[slice, Floats, Floats, list[Floats]]  # draws, weights, outcome, regressors


@dataclass(frozen=True, eq=False)
class SlopeDraws(ABC):
    """The naive regression in every usable draw, and what corrections need besides.

    Attributes
    ----------
    family
        What was fitted.
    coefficients, mean_slope
        (draws, 1 + r) and (draws,).
    cov
        Of the regressors, (draws, r, r).
    reliability
        (draws, indexes)
    total, lost
        Number of draws asked for, and of those without a regression, by reason.
    """

    family: Family
    coefficients: Floats
    mean_slope: Floats
    cov: Floats
    reliability: Floats
    total: int
    lost: pd.Series

    @property
    def naive(self) -> Floats:
        """Average marginal effects as they are, (draws, r)."""
        return self.coefficients[:, 1:] * self.mean_slope[:, None]

    @abstractmethod
    def batches(self) -> Iterator[Batch]:
        """Yield draws a few at a time, with a column for every row of the sample."""

    def calibrated(self) -> Floats:
        """Return errors-in-variables or regression calibration, (draws, r)."""
        slopes = moved_slopes(self.cov, self.reliability, self.coefficients[:, 1:])
        return slopes * self.mean_slope[:, None]

    def simex_curve(self, noise: Floats) -> Floats:
        """Return average slopes with more and more error, (points, draws, r)."""
        if self.family.bounded:
            return self._simulated(noise)
        return least_squares_curve(self.cov, self.reliability, self.coefficients[:, 1:])

    def _simulated(self, noise: Floats) -> Floats:
        """Return the simulated curve, (points, draws, r).

        Rows keep their pseudo-errors in all draws, so that results do not depend on how draws are
        put together.
        """
        naive, k = self.naive, self.reliability.shape[1]
        curve = np.concatenate([naive[None], np.full((4, *naive.shape), np.nan)])
        start = self.coefficients.mean(axis=0)
        variance = np.diagonal(self.cov, axis1=1, axis2=2)[:, :k]
        possible = ((self.reliability > 0) & (self.reliability <= 1)).all(axis=1)
        for draws, weights, outcome, regressors in self.batches():
            keep = np.flatnonzero(np.asarray(possible)[draws])
            if not len(keep):
                continue
            here = keep + draws.start
            error_sd = np.sqrt((1.0 - self.reliability[here]) * variance[here])
            columns = [np.broadcast_to(x, weights.shape)[keep] for x in regressors]
            curve[1:, here], _ = simulated_curve(
                self.family, outcome, columns, weights[keep], error_sd, noise, start
            )
        return curve


@dataclass(frozen=True, eq=False)
class ModelDraws(SlopeDraws):
    """Item weights, index, reliability and regression estimated again in every draw."""

    source: RegressionDraws
    items: ItemMoments

    @classmethod
    def of(cls, draws: RegressionDraws, reliability: Sequence[Reliability]) -> ModelDraws:
        """Take the draws of a whole chain, and the reliability of each index."""
        items = draw_moments(draws)
        values = [part.in_draws(draws.bootstrap, draws.usable) for part in reliability]
        regressions = draws.regressions
        return cls(
            draws.family,
            draws.coefficients,
            regressions.mean_slope[draws.usable],
            items.of_regressors[0],
            np.stack(values, axis=1),
            len(draws.usable),
            draws.lost,
            draws,
            items,
        )

    def from_items(self, method: str, near: Estimates | None) -> Croon | Latent:
        """Return slopes by Croon or by covariance SEM, which starts from `near`."""
        return croon_slopes(self.items) if method == "croon" else latent_slopes(self.items, near)

    def batches(self) -> Iterator[Batch]:
        """Yield draws a few at a time, in the order of the sample's rows."""
        source = self.source
        cells = source.cells.each
        back = np.argsort(cells.order)
        done = 0
        drawn = cells.draws(source.bootstrap.design, source.usable, "simex", source.progress)
        for draws, weights in drawn:
            span = slice(done, done := done + len(draws))
            columns = [x[..., back] for x in cells.regressors(draws)]
            yield span, weights[:, back], cells.outcome[back], columns


@dataclass(frozen=True, eq=False)
class RowDraws(SlopeDraws):
    """Rows (or clusters) drawn again; the index itself counts as known."""

    regression: Regression
    design: Resampling
    usable: NDArray[np.bool_]
    progress: bool

    @classmethod
    def of(
        cls,
        regression: Regression,
        reliability: Sequence[Reliability],
        draws: int,
        seed: int,
        progress: bool,
    ) -> RowDraws:
        """Regress in every draw.

        Raises
        ------
        InferenceError
            When fewer than 20 draws have a regression.
        """
        sample, family = regression.sample, regression.family
        x, k = sample.regressors, len(sample.indexes)
        design = Resampling.of_design(regression.design_of_draws, draws, seed)
        centre, spread = x.mean(axis=0), x.std(axis=0)
        standard = (x - centre) / spread
        row, column = np.triu_indices(x.shape[1])
        products = standard[:, row] * standard[:, column]
        cov = np.empty((draws, x.shape[1], x.shape[1]))
        shares = np.empty((draws, k))
        every = sample.row_weights

        def samples() -> Iterator[Samples]:
            for own, counts in draws_of(
                design, cells=sample.n, what="bootstrap", progress=progress
            ):
                weights = counts * every
                share = weights / weights.sum(axis=1, keepdims=True)
                mean, at = share @ standard, own[:, None]
                cov[at, row, column] = cov[at, column, row] = share @ products
                cov[own] -= mean[:, :, None] * mean[:, None, :]
                for j, part in enumerate(reliability):
                    shares[own, j] = (
                        part.value if part.groups is None else of_groups(part.groups, counts)
                    )
                yield Samples(own, list(x.T), weights, [sample.outcome])

        kernel = standardised(family, regression.coefficients, centre, spread)
        naive = fit_samples(kernel, samples(), draws)
        usable = naive.ending == Ending.CONVERGED
        lost = lost_draws(naive.ending)
        require_regressions(usable, lost)
        return cls(
            family,
            naive.coefficients[usable],
            naive.mean_slope[usable],
            cov[usable] * np.outer(spread, spread),
            shares[usable],
            draws,
            lost,
            regression,
            design,
            usable,
            progress,
        )

    def batches(self) -> Iterator[Batch]:
        """Yield draws a few at a time."""
        sample, done = self.regression.sample, 0
        every = sample.row_weights
        for _, counts in draws_of(
            self.design, self.usable, cells=sample.n, what="simex", progress=self.progress
        ):
            own = slice(done, done := done + len(counts))
            yield own, counts * every, sample.outcome, list(sample.regressors.T)
