"""A straight effect that changes at a threshold found in the data, and whether it is there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import EstimationError
from csimodel.inference.infer import infer
from csimodel.inference.sources import Draws
from csimodel.outcomes.design.basis import Basis, quantiles_of
from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.kernels.glm import regress_draws
from csimodel.outcomes.kernels.kernel import Ending
from csimodel.outcomes.models.result import Repurchase
from csimodel.outcomes.models.shape.curved_fit import (
    Bend,
    bend,
    curve_table,
    predictions_of_draws,
    require_values,
)
from csimodel.outcomes.models.shape.resamples import Resamples
from csimodel.outcomes.models.shape.threshold_scores import multiplier_test
from csimodel.outcomes.rows.ties import settled
from csimodel.translation import message

Floats = NDArray[np.float64]

GIVEN = message("interval given the threshold; whether there is a change is tested apart")
TRIM = 0.10  # share of respondents that must lie below and above every threshold tried
_GRID = 25  # thresholds tried first
_ROUNDS_SAMPLE, _ROUNDS_DRAW = 16, 4  # of halving the step around the best


@dataclass(frozen=True, eq=False)
class Hinge:
    """A hinge with its threshold estimated, in the sample and in every draw.

    Attributes
    ----------
    bend
        The regression at the estimated threshold.
    grid
        Thresholds tried, index points, (grid,).
    criterion
        Profile log-likelihood (least squares: minus half the sum of squares) on the grid, (grid,).
    changes
        Change of slope at each threshold of the grid: of the sample, (grid,).
    draws
        Threshold, then coefficients (constant, slope below, change, others) of each draw, NaN
        where lost, (draws, 1 + terms).
    """

    bend: Bend
    grid: Floats
    criterion: Floats
    changes: Floats
    draws: Floats

    @property
    def threshold(self) -> float:
        """The estimated threshold, index points."""
        return self.bend.basis.knots[0]

    @cached_property
    def usable(self) -> NDArray[np.bool_]:
        """Draws with a solution, (draws,)."""
        return np.asarray(np.isfinite(self.draws).all(axis=1))

    @property
    def solved(self) -> NDArray[np.bool_]:
        """Thresholds of the grid at which the sample has a solution, (grid,)."""
        return np.asarray(np.isfinite(self.changes))

    def table(self) -> pd.DataFrame:
        """Return threshold, slopes below and above, and change, with their errors.

        The draws carry the error of the threshold into all but the change: that one is given the
        threshold, as it has no distribution of its own where there is none, and has no p-value, as
        a threshold that was sought makes it too small; `existence` tests whether it is there.
        """
        b = self.bend.regression.coefficients
        value = np.array([self.threshold, b[1], b[1] + b[2]])
        drawn = self.draws[self.usable]
        drawn = np.column_stack([drawn[:, 0], drawn[:, 2], drawn[:, 2] + drawn[:, 3]])
        labels = pd.Index(["threshold", "slope below", "slope above"])
        table = infer(labels, value, self._draws(value, drawn), self.bend.repurchase.level)
        table.loc["threshold", "p"] = np.nan
        change = self.bend.linear(np.eye(len(b))[2:3]).set_axis(["change"])
        change = change.assign(p=np.nan, reason=GIVEN)
        return pd.concat([table, change])

    def curve(self, levels: Floats) -> pd.DataFrame:
        """Return probability and its errors at levels, the threshold's error included."""
        value = self.bend.averages(levels).value
        thresholds = self.draws[:, 0]

        def columns(draws: NDArray[np.intp], index: Floats) -> list[Floats]:
            return [index, np.maximum(index - thresholds[draws, None], 0.0)]

        rep = self.bend.repurchase
        drawn = predictions_of_draws(
            self.bend.resamples, rep.family, self.draws[:, 1:], columns, levels
        )
        source = self._draws(value, drawn)
        return curve_table(levels, infer(pd.RangeIndex(len(levels)), value, source, rep.level))

    def _draws(self, value: Floats, drawn: Floats) -> Draws:
        rep, design = self.bend.repurchase, self.bend.resamples.design
        return Draws.of_design(value, drawn, design, rep.interval)

    def existence(self, multipliers: int, seed: int) -> pd.Series:
        """Test that the slope changes nowhere on the grid: `multiplier_test`.

        With the whole chain it is the same test, at the index by the estimated item weights: their
        error moves the scores little, while draws of the change itself, recentred, have a third of
        its power, as their spread at the best threshold is not that of no threshold.
        """
        rep, moved = self.bend.repurchase, self.bend.resamples.moved
        return multiplier_test(rep.regression, moved, self.grid, multipliers, seed)


def hinge(rep: Repurchase, moved: int, resamples: Resamples) -> Hinge:
    """Estimate a hinge: profile likelihood over a grid of thresholds, then refined.

    Raises
    ------
    EstimationError
        When the index has too few different values between its outer tenths.
    """
    search = _ThresholdSearch.of(rep, moved)
    first, profile, path = _best(rep, moved, search)
    fitted = bend(rep, moved, Basis("hinge", (float(first[0]),)), resamples)
    draws = np.full((resamples.total, len(first)), np.nan)
    for batch in resamples.batches("threshold"):
        draws[batch.draws], _, _ = search(
            batch.outcome, batch.index, batch.others, batch.weights, path, _ROUNDS_DRAW
        )
    return Hinge(fitted, search.grid, profile, path[:, 2] / search.spread, draws)


def best_hinge(rep: Repurchase, moved: int) -> float:
    """Return the threshold of the sample alone, index points."""
    return float(_best(rep, moved, _ThresholdSearch.of(rep, moved))[0][0])


def _best(rep: Repurchase, moved: int, search: _ThresholdSearch) -> tuple[Floats, Floats, Floats]:
    """Return the sample's threshold and coefficients, profile, and coefficients over the grid."""
    sample = rep.regression.sample
    others = np.delete(sample.regressors, moved, axis=1)
    weights = sample.row_weights[None, :]
    start = np.zeros((len(search.grid), 3 + others.shape[1]))
    index = sample.regressors[:, moved]
    ends = search(sample.outcome, index, list(others.T), weights, start, _ROUNDS_SAMPLE)
    if not np.isfinite(ends[0]).all():
        raise EstimationError(
            f"No threshold of {rep.indexes[moved]!r} gives the {rep.family.label} a finite "
            "solution; use kind='quadratic', or family='ols'."
        )
    return ends[0][0], ends[1][0], ends[2][0]


@dataclass(frozen=True, eq=False)
class _ThresholdSearch:
    """Profile the threshold of many draws at once, on standardised regressors."""

    family: Family
    grid: Floats
    centre: float
    spread: float
    others_centre: Floats
    others_spread: Floats

    @classmethod
    def of(cls, rep: Repurchase, moved: int) -> _ThresholdSearch:
        """Place the thresholds to be tried."""
        require_values(rep, moved, 5)
        x = rep.regression.sample.regressors
        index, others = x[:, moved], np.delete(x, moved, axis=1)
        return cls(
            family=rep.family,
            grid=_grid(rep, moved),
            centre=float(index.mean()),
            spread=float(index.std()),
            others_centre=others.mean(axis=0),
            others_spread=others.std(axis=0),
        )

    def __call__(
        self,
        outcome: Floats,
        index: Floats,
        others: list[Floats],
        weights: Floats,
        starts: Floats,
        rounds: int,
    ) -> tuple[Floats, Floats, Floats]:
        """Return the best, the profile and the standardised coefficients over the grid.

        (draws, 1 + terms) with the threshold first, (draws, grid), (draws, grid, terms).
        """
        z = (index - self.centre) / self.spread
        further = [
            (x - m) / s
            for x, m, s in zip(others, self.others_centre, self.others_spread, strict=True)
        ]
        draws = np.arange(len(weights))
        paths = np.empty((len(weights), len(self.grid), starts.shape[1]))
        profile = np.empty(paths.shape[:2])
        knots = (self.grid - self.centre) / self.spread
        for place, knot in enumerate(knots):
            paths[:, place], profile[:, place] = self._fit(
                outcome, z, further, weights, np.full(len(weights), knot), starts[place]
            )
        best = profile.argmax(axis=1)
        knot, top, b = knots[best], profile[draws, best], paths[draws, best]
        step = (knots[1] - knots[0]) / 2.0
        start = starts[len(starts) // 2]
        for _ in range(rounds):
            middle = knot
            for side in (-1.0, 1.0):
                tried = np.clip(middle + side * step, knots[0], knots[-1])
                estimates, value = self._fit(outcome, z, further, weights, tried, start)
                better = value > top
                knot = np.where(better, tried, knot)
                top = np.where(better, value, top)
                b = np.where(better[:, None], estimates, b)
            step /= 2.0
        return self._in_points(knot, b, np.isfinite(top)), profile, paths

    def _fit(
        self,
        outcome: Floats,
        z: Floats,
        others: list[Floats],
        weights: Floats,
        knots: Floats,
        start: Floats,
    ) -> tuple[Floats, Floats]:
        """Return coefficients and criterion of each draw at its threshold; -inf where lost."""
        bent = np.maximum(z - knots[:, None], 0.0)
        every = [z, bent, *others]
        fitted = regress_draws(self.family, outcome, every, weights, start, tolerance=1e-7)
        b = fitted.coefficients
        lost = fitted.ending != Ending.CONVERGED
        b[lost] = np.nan
        eta = b[:, :1] + sum(b[:, 1 + j, None] * x for j, x in enumerate(every))
        value = np.einsum("dc,dc->d", likelihood(self.family, eta, outcome), weights)
        return b, np.where(lost, -np.inf, value)

    def _in_points(self, knot: Floats, b: Floats, fine: NDArray[np.bool_]) -> Floats:
        """Turn standardised coefficients into index points and the controls' own units."""
        values = np.column_stack([self.centre + self.spread * knot, b])
        values[:, 2:4] /= self.spread
        values[:, 4:] /= self.others_spread
        values[:, 1] -= values[:, 2] * self.centre + values[:, 4:] @ self.others_centre
        # The hinge is zero below its threshold in either unit, so it moves no constant.
        values[~fine] = np.nan
        return values


def likelihood(family: Family, eta: Floats, outcome: Floats) -> Floats:
    """Return what is maximised, of η's shape: Bernoulli log-(quasi-)likelihood or -(y - η)²/2."""
    if not family.bounded:
        return np.asarray(-0.5 * (outcome - eta) ** 2)
    mean = np.clip(family.mean(eta), 1e-15, 1.0 - 1e-15)
    return np.asarray(outcome * np.log(mean) + (1.0 - outcome) * np.log1p(-mean))


def _grid(rep: Repurchase, moved: int) -> Floats:
    """Return thresholds with a tenth of the respondents, and two values, on either side."""
    sample = rep.regression.sample
    x = sample.regressors[:, moved]
    low, high = quantiles_of(x, sample.share, (TRIM, 1.0 - TRIM))
    values = np.unique(settled(x))
    low, high = max(float(low), float(values[1])), min(float(high), float(values[-2]))
    if not low < high:
        raise EstimationError(
            f"The index of {rep.indexes[moved]!r} has no room for a threshold: a tenth of the "
            f"respondents or two values must lie on either side, and that leaves {low:.4g} to "
            f"{high:.4g}; use kind='spline', or give the threshold as knots=."
        )
    return np.linspace(low, high, _GRID)
