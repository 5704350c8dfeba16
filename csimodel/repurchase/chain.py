"""The whole chain in every bootstrap draw: item weights, index and regression together.

The model of each draw is estimated already (`Bootstrap`); here its item weights make each
respondent's index by one matrix product, and all draws of a block are regressed at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import InferenceError
from csimodel.index import point_weights, respondent_points, scale_of
from csimodel.inference import Bootstrap, progress_bar
from csimodel.repurchase.families import Family
from csimodel.repurchase.kernel import Ending, Regressions, average_at, regress_draws
from csimodel.repurchase.regression import Regression
from csimodel.repurchase.sample import Sample

Floats = NDArray[np.float64]

_TOGETHER = 2**16  # draws times cells handled at once, so that they stay in cache
_FEWEST = 20  # usable draws below which no interval is given


@dataclass(frozen=True, eq=False)
class Cells:
    """Respondents of a regression, merged where answers, outcome and controls are alike.

    Attributes
    ----------
    points
        Answers to the index's items on 0 to 100, 0 where missing, (cells, items).
    gaps
        1 where an answer is missing and counts as the item's mean, (cells, items); or None.
    outcome
        (cells,)
    controls
        (cells, controls)
    order
        Positions, among all respondents of the fit, of those used, sorted by cell, (rows,).
    starts
        Where each cell begins in `order`, (cells,).
    weights
        Survey weights in that order, (rows,), or None.
    blocks
        Which of the items belong to each index.
    items
        Their positions among the model's items, (items,).
    """

    points: Floats
    gaps: Floats | None
    outcome: Floats
    controls: Floats
    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    weights: Floats | None
    blocks: tuple[slice, ...]
    items: NDArray[np.intp]

    @classmethod
    def of(cls, bootstrap: Bootstrap, sample: Sample) -> Cells:
        """Merge the respondents of a sample that was drawn from the bootstrap's fit."""
        fit = bootstrap.fit
        answers = fit.require_answers("whole-chain intervals")
        own = [fit.model.slices[fit.model.construct_names.index(name)] for name in sample.indexes]
        items = np.concatenate([np.arange(block.start, block.stop) for block in own])
        ends = np.cumsum([block.stop - block.start for block in own])
        blocks = tuple(
            slice(int(end) - (block.stop - block.start), int(end))
            for block, end in zip(own, ends, strict=True)
        )
        seen = ~np.isnan(answers.values[np.ix_(sample.rows, items)])
        points = respondent_points(answers, fit.moments)[np.ix_(sample.rows, items)]
        points = np.where(seen, points, 0.0)
        controls = sample.regressors[:, len(blocks) :]
        key = np.column_stack([sample.outcome, points, seen, controls])
        _, first, cell = np.unique(key, axis=0, return_index=True, return_inverse=True)
        cell = cell.reshape(-1)
        sorting = np.argsort(cell, kind="stable")
        return cls(
            points=points[first],
            gaps=None if seen.all() else (~seen[first]).astype(np.float64),
            outcome=sample.outcome[first],
            controls=controls[first],
            order=sample.rows[sorting],
            starts=np.searchsorted(cell[sorting], np.arange(len(first))),
            weights=None if sample.weights is None else sample.weights[sorting],
            blocks=blocks,
            items=items,
        )

    def drawn(self, counts: Floats) -> Floats:
        """Turn how often each respondent was drawn, (draws, all rows), into cells' weights."""
        taken = counts[:, self.order]
        if self.weights is not None:
            taken *= self.weights
        if len(self.starts) == len(self.order):
            return taken
        return np.asarray(np.add.reduceat(taken, self.starts, axis=1))

    def regressors(self, weights: Floats, means: Floats) -> list[Floats]:
        """Return each draw's indexes, (draws, cells), and the controls, (cells,).

        `weights` are the draws' item weights and `means` their item means in points,
        (draws, items).
        """
        found = []
        for block in self.blocks:
            index = weights[:, block] @ self.points[:, block].T
            if self.gaps is not None:
                index += (weights[:, block] * means[:, block]) @ self.gaps[:, block].T
            found.append(index)
        return [*found, *self.controls.T]


@dataclass(frozen=True, eq=False)
class Chain:
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
    """

    bootstrap: Bootstrap
    family: Family
    cells: Cells
    regressions: Regressions
    progress: bool = True

    @cached_property
    def usable(self) -> NDArray[np.bool_]:
        """Draws whose model and regression both have a solution, (draws,)."""
        return np.asarray(self.regressions.ending == Ending.CONVERGED)

    @cached_property
    def lost(self) -> pd.Series:
        """Number of draws lost in the regression or before, by reason; empty when none was."""
        ending = self.regressions.ending
        counts = {
            Ending(code).reason: int((ending == code).sum())
            for code in np.unique(ending)
            if code not in (Ending.CONVERGED, Ending.NO_FIT)
        }
        before = {str(k): int(v) for k, v in self.bootstrap.failed.items()}
        return pd.Series({**before, **counts}, dtype="int64", name="lost")

    @property
    def coefficients(self) -> Floats:
        """Coefficients of the usable draws, (draws, terms)."""
        return self.regressions.coefficients[self.usable]

    def average_slopes(self) -> Floats:
        """Return average marginal effects in the usable draws, (draws, regressors)."""
        return self.coefficients[:, 1:] * self.regressions.mean_slope[self.usable, None]

    def predictions(self, moved: int, levels: Floats) -> Floats:
        """Return average predictions at levels of a regressor in the usable draws."""
        return self._average(self.family.mean, moved, levels)

    def slopes(self, moved: int, levels: Floats) -> Floats:
        """Return average effects of one more unit at levels in the usable draws."""
        b = self.coefficients[:, 1 + moved, None]
        return b * self._average(self.family.slope, moved, levels)

    def _average(self, function: Any, moved: int, levels: Floats) -> Floats:
        if self.coefficients.shape[1] == 2:  # nothing else to average over
            b = self.coefficients
            return np.asarray(function(b[:, :1] + b[:, 1:] * levels))
        found = np.full((len(self.usable), len(levels)), np.nan)
        batches = _draws(self.bootstrap, self.cells, self.usable, "averages", self.progress)
        for draws, weights, regressors in batches:
            b = self.regressions.coefficients[draws]
            found[draws] = average_at(function, b, regressors, weights, moved, levels)
        return found[self.usable]


def chain_of(bootstrap: Bootstrap, regression: Regression, progress: bool = True) -> Chain:
    """Regress the outcome on the index of every draw.

    Raises
    ------
    InferenceError
        When fewer than 20 draws are usable.
    """
    sample, family = regression.sample, regression.family
    cells = Cells.of(bootstrap, sample)
    centre, spread = sample.regressors.mean(axis=0), sample.regressors.std(axis=0)
    start = np.append(0.0, regression.coefficients[1:] * spread)
    start[0] = regression.coefficients[0] + regression.coefficients[1:] @ centre
    if not np.isfinite(start).all():
        start = np.zeros(len(start))
    total = len(bootstrap.usable)
    coefficients = np.full((total, len(start)), np.nan)
    mean_slope = np.full(total, np.nan)
    ending = np.full(total, int(Ending.NO_FIT))
    batches = _draws(bootstrap, cells, bootstrap.usable, "whole chain", progress)
    for draws, weights, regressors in batches:
        standard = [(x - m) / s for x, m, s in zip(regressors, centre, spread, strict=True)]
        found = regress_draws(family, cells.outcome, standard, weights, start)
        b = found.coefficients
        b[:, 1:] /= spread
        b[:, 0] -= b[:, 1:] @ centre
        coefficients[draws] = b
        mean_slope[draws], ending[draws] = found.mean_slope, found.ending
    chain = Chain(bootstrap, family, cells, Regressions(coefficients, mean_slope, ending), progress)
    used = int(chain.usable.sum())
    if used < _FEWEST:
        reasons = ", ".join(f"{count} {reason}" for reason, count in chain.lost.items())
        raise InferenceError(
            f"Only {used} of {total} draws have a regression ({reasons or 'too few asked for'}), "
            f"and intervals need at least {_FEWEST}; take more draws or a simpler regression."
        )
    return chain


def _draws(
    bootstrap: Bootstrap, cells: Cells, wanted: NDArray[np.bool_], what: str, progress: bool
) -> Iterator[tuple[NDArray[np.intp], Floats, list[Floats]]]:
    """Yield the wanted draws a few at a time: numbers, cells' weights, regressors."""
    solution, design = bootstrap.solution, bootstrap.design
    minimum, width = scale_of(bootstrap.fit.moments)
    items = cells.items
    every = point_weights(solution)
    together = max(1, _TOGETHER // len(cells.outcome))
    total = int(wanted.sum())
    with progress_bar(total, what, progress) as bar:
        for block in range(design.blocks):
            span = design.span(block)
            own = np.flatnonzero(wanted[span])
            if not len(own):
                continue
            counts = design.counts(block)
            for first in range(0, len(own), together):
                some = own[first : first + together]
                draws = some + span.start
                means = (solution.moments.mean[draws] - minimum) / width * 100.0
                weights = every[draws][:, items]
                yield draws, cells.drawn(counts[some]), cells.regressors(weights, means[:, items])
                bar.update(len(some))
