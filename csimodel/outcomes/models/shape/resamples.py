"""Draws for quantities without a formula: the whole chain's, or respondents drawn again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel import options
from csimodel.inference import draws_of
from csimodel.moments import Resampling
from csimodel.outcomes.models.draws import RegressionDraws
from csimodel.outcomes.models.result import Repurchase
from csimodel.outcomes.rows.cells import pooled
from csimodel.outcomes.rows.sample import Sample
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ResampleBatch:
    """Some draws: numbers, cells' weights, mean outcome, the index that bends, other regressors.

    `weights` is (draws, cells); the others (draws, cells) or (cells,).
    """

    draws: NDArray[np.intp]
    weights: Floats
    outcome: Floats
    index: Floats
    others: list[Floats]


@dataclass(frozen=True, eq=False)
class Resamples:
    """Draws of the respondents, with the index as it is in each.

    Attributes
    ----------
    sample
        The respondents.
    moved
        Which regressor bends.
    draws
        The whole chain, or None: then respondents (or clusters) are drawn with replacement, as the
        errors of the regression look at them, and the index counts as known.
    design
        The sampling design that draws repeat.
    resampling
        How respondents are drawn without a bootstrap of the model.
    progress
        Whether passes over the draws show a bar.
    """

    sample: Sample
    moved: int
    draws: RegressionDraws | None
    design: SurveyDesign
    resampling: Resampling
    progress: bool

    @classmethod
    def of(cls, rep: Repurchase, moved: int, draws: int, seed: int, progress: bool) -> Resamples:
        """Take the regression's draws, or plan `draws` of the sample."""
        regression = rep.regression
        design = regression.design_of_draws if rep.draws is None else rep.draws.design
        resampling = Resampling.of_design(regression.design_of_draws, draws, seed)
        return cls(regression.sample, moved, rep.draws, design, resampling, progress)

    @property
    def total(self) -> int:
        """Number of draws, lost ones included."""
        return self.resampling.draws if self.draws is None else len(self.draws.usable)

    @property
    def others(self) -> int:
        """Number of regressors that do not bend."""
        return len(self.sample.names) - 1

    def batches(
        self, what: str, wanted: NDArray[np.bool_] | None = None
    ) -> Iterator[ResampleBatch]:
        """Yield the wanted draws a few at a time, the same in every pass."""
        if self.draws is not None:
            outcome = [self.draws.cells.outcome]
            for batch in self.draws.batches(what, outcome, wanted, self.progress):
                regressors = [*batch.points, *batch.factors]
                index = regressors.pop(self.moved)
                means = batch.outcomes[0]
                yield ResampleBatch(batch.draws, batch.weights, means, index, regressors)
            return
        cells, order, starts = self._merged
        regressors = list(cells.T)
        index = regressors.pop(self.moved)
        own = self.sample.row_weights
        outcome_of_rows = self.sample.outcome[order]
        design, size, shown = self.resampling, len(cells), self.progress
        for draws, counts in draws_of(design, wanted, cells=size, what=what, progress=shown):
            every = counts[:, order] * own[order]
            weights, means = pooled(every, outcome_of_rows, starts)
            yield ResampleBatch(draws, weights, means, index, regressors)

    @cached_property
    def _merged(self) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp]]:
        """Regressors of respondents that are alike, their order and where each starts.

        (cells, regressors), (rows,), (cells,).
        """
        cells, cell = np.unique(self.sample.regressors, axis=0, return_inverse=True)
        order = np.argsort(cell.reshape(-1), kind="stable")
        starts = np.searchsorted(cell.reshape(-1)[order], np.arange(len(cells)))
        return cells, order, starts


def seed_of(rng: int | np.random.Generator | None) -> int:
    """Return a whole number to start random streams from.

    Raises
    ------
    OptionError
        When `rng` is neither a whole number from 0 nor a Generator.
    """
    if not isinstance(rng, np.random.Generator) and rng is not None:
        rng = options.seed_of(rng)
    return int(np.random.default_rng(rng).integers(2**63))
