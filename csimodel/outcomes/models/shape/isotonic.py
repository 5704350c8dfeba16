"""Isotonic regression: nothing is assumed but that repurchase rises with the index."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.inference.infer import infer
from csimodel.inference.sources import Draws
from csimodel.outcomes.models.regression import Regression
from csimodel.outcomes.models.result import Repurchase
from csimodel.outcomes.models.shape.curved_fit import curve_table
from csimodel.outcomes.models.shape.resamples import Resamples
from csimodel.outcomes.models.shape.threshold_scores import (
    outcome_of_multipliers,
    unit_multipliers,
)
from csimodel.outcomes.rows.ties import settled

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Steps:
    """A monotone step function, drawn as a line through the ends of its steps.

    Attributes
    ----------
    repurchase
        The regression it is a check of.
    values, fitted
        Different values of the index and the fit at each, (values,).
    parametric
        The regression's own predictions, averaged over the respondents at each value and made
        monotone, (values,).
    share
        Share of respondents at each value, (values,).
    resamples
        The draws.
    rising
        Whether the fit rises or falls with the index.
    """

    repurchase: Repurchase
    values: Floats
    fitted: Floats
    parametric: Floats
    share: Floats
    resamples: Resamples
    rising: bool

    @property
    def distance(self) -> float:
        """Root mean square distance from the regression over the respondents, probability."""
        return float(np.sqrt(self.share @ (self.fitted - self.parametric) ** 2))

    @property
    def largest(self) -> tuple[float, float]:
        """The largest distance from the regression, with its sign, and the index where it is."""
        gap = self.fitted - self.parametric
        place = int(np.abs(gap).argmax())
        return float(gap[place]), float(self.values[place])

    @cached_property
    def draws(self) -> tuple[tuple[Floats, Floats], ...]:
        """Values of the index and fit of each draw."""
        curves = []
        for batch in self.resamples.batches("isotonic"):
            shape = batch.weights.shape
            index, outcome = (np.broadcast_to(a, shape) for a in (batch.index, batch.outcome))
            for x, y, weights in zip(index, outcome, batch.weights, strict=True):
                drawn = weights > 0
                curves.append(fit_steps(x[drawn], y[drawn], weights[drawn], self.rising))
        return tuple(curves)

    def curve(self, levels: Floats) -> pd.DataFrame:
        """Return probability and its errors at levels; NaN where no index was observed."""
        value = np.interp(levels, self.values, self.fitted, left=np.nan, right=np.nan)
        drawn = np.stack([np.interp(levels, x, y) for x, y in self.draws])
        drawn[:, np.isnan(value)] = np.nan
        rep = self.repurchase
        source = Draws.of_design(value, drawn, self.resamples.design, rep.interval)
        table = infer(pd.RangeIndex(len(levels)), value, source, rep.level)
        return curve_table(levels, table)

    def departure(self, multipliers: int, seed: int) -> pd.Series:
        """Test the regression by the distance of the isotonic fit from it.

        Outcomes are made again as predictions plus residuals times random signs (one for each
        respondent or cluster; with linearized errors, times the multipliers of the sampling
        design), the regression is moved by one scoring step and the isotonic fit
        made again: the p-value is the share of such distances that reach the observed one. The
        index counts as known.
        """
        regression, moved = self.repurchase.regression, self.resamples.moved
        sample = regression.sample
        rng = np.random.default_rng(seed)
        mean = regression.expected
        residual = sample.outcome - mean
        step = _scoring_step(regression)
        x = sample.regressors[:, moved]
        _, place = np.unique(settled(x), return_inverse=True)
        place = place.reshape(-1)
        unit = regression.design_of_sample.unit
        reached = 0
        for drawn in chain.from_iterable(unit_multipliers(regression, multipliers, rng)):
            error = residual * drawn[unit]
            predicted = regression.family.mean(regression.eta + regression.design @ (step @ error))
            means = [
                np.bincount(place, sample.share * y) / self.share for y in (mean + error, predicted)
            ]
            new, own = (isotonic(y, self.share, self.rising) for y in means)
            reached += float(np.sqrt(self.share @ (new - own) ** 2)) >= self.distance
        return outcome_of_multipliers(regression, self.distance, reached, multipliers)


def steps(rep: Repurchase, moved: int, resamples: Resamples) -> Steps:
    """Fit an isotonic regression of the outcome on the index alone."""
    sample = rep.regression.sample
    x, share = sample.regressors[:, moved], sample.share
    rising = bool(rep.regression.coefficients[1 + moved] >= 0)
    values, means, shares = _pooled(x, sample.outcome, share)
    predicted = _pooled(x, rep.regression.expected, share)[1]
    return Steps(
        repurchase=rep,
        values=values,
        fitted=isotonic(means, shares, rising),
        parametric=isotonic(predicted, shares, rising),
        share=shares,
        resamples=resamples,
        rising=rising,
    )


def fit_steps(x: Floats, y: Floats, weights: Floats, rising: bool) -> tuple[Floats, Floats]:
    """Return different values of x and the isotonic fit of y at each."""
    values, means, masses = _pooled(x, y, weights)
    return values, isotonic(means, masses, rising)


def isotonic(y: Floats, weights: Floats, rising: bool = True) -> Floats:
    """Return the weighted least-squares fit to y that never falls (or never rises).

    Neighbours that fall are pooled to their mean until none does.

    Parameters
    ----------
    y, weights
        In the order of the regressor, (values,); weights positive.
    rising
        Whether the fit rises.

    References
    ----------
    Ayer, M., Brunk, H. D., Ewing, G. M., Reid, W. T., Silverman, E. (1955). An empirical
    distribution function for sampling with incomplete information. Annals of Mathematical
    Statistics 26, 641-647. https://doi.org/10.1214/aoms/1177728423

    Examples
    --------
    >>> isotonic(np.array([0.1, 0.5, 0.3, 0.8]), np.ones(4))
    array([0.1, 0.4, 0.4, 0.8])
    """
    if not rising:
        return -isotonic(-y, weights)
    means: list[float] = []
    masses: list[float] = []
    counts: list[int] = []
    for value, weight in zip(y.tolist(), weights.tolist(), strict=True):
        count = 1
        while means and means[-1] >= value:
            mass = masses.pop()
            value = (mass * means.pop() + weight * value) / (mass + weight)
            weight += mass
            count += counts.pop()
        means.append(value)
        masses.append(weight)
        counts.append(count)
    return np.repeat(means, counts)


def _pooled(x: Floats, y: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Return different values of x, mean of y and weight at each."""
    values, place = np.unique(settled(x), return_inverse=True)
    mass = np.bincount(place.reshape(-1), weights).astype(np.float64)
    return values, np.bincount(place.reshape(-1), weights * y) / mass, mass


def _scoring_step(regression: Regression) -> Floats:
    """Return what turns errors of the outcome into a change of coefficients, (terms, rows)."""
    outcome, scores = regression.sample.outcome, regression.scores
    mean = regression.expected
    with np.errstate(divide="ignore", invalid="ignore"):
        by_error = np.where(outcome == mean, 0.0, scores.pull / (outcome - mean))
    return np.asarray(scores.influence.bread @ (scores.X * by_error[:, None]).T)
