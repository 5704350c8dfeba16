"""Moments of an index's items, the outcome and the controls: in the sample and in every draw.

Corrections for measurement error need no respondents beyond these: the covariances of indexes,
controls and outcome follow from those of the items by the item weights. NumPy only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators import Fit
from csimodel.estimators.points import point_weights, respondent_points
from csimodel.index.draws import side_by_side
from csimodel.outcomes.models.draws import RegressionDraws
from csimodel.outcomes.rows.sample import Sample

Floats = NDArray[np.float64]

_STEP = 1e-4  # of a standardised covariance, in numerical derivatives


@dataclass(frozen=True, eq=False)
class ItemMoments:
    """Covariances of the items (in points), the controls and the outcome, in this order.

    Attributes
    ----------
    cov
        (..., variables, variables)
    weights
        What each item counts in its index, (..., items).
    blocks
        Which items belong to each index.
    """

    cov: Floats
    weights: Floats
    blocks: tuple[slice, ...]

    @cached_property
    def turned(self) -> Floats:
        """From variables to indexes, controls and outcome, (..., variables, regressors + 1)."""
        items, indexes = self.weights.shape[-1], len(self.blocks)
        others = self.cov.shape[-1] - items
        turned = np.zeros((*self.cov.shape[:-1], indexes + others))
        for j, block in enumerate(self.blocks):
            turned[..., block, j] = self.weights[..., block]
        own = np.arange(others)
        turned[..., items + own, indexes + own] = 1.0
        return turned

    @cached_property
    def of_regressors(self) -> tuple[Floats, Floats]:
        """Covariances of indexes and controls, (..., r, r), and with the outcome, (..., r)."""
        cov = np.swapaxes(self.turned, -1, -2) @ self.cov @ self.turned
        return cov[..., :-1, :-1], cov[..., :-1, -1]


def sample_moments(fit: Fit, sample: Sample) -> tuple[ItemMoments, Floats]:
    """Return the moments of a regression's respondents, and their variables about the means.

    The variables are (rows, variables), in the order of `ItemMoments`.
    """
    answers = fit.require_answers("corrected slopes")
    slices = [fit.model.slices[fit.model.construct_names.index(name)] for name in sample.indexes]
    items = np.concatenate([np.arange(block.start, block.stop) for block in slices])
    points = respondent_points(answers, fit.moments)[np.ix_(sample.rows, items)]
    controls = sample.regressors[:, len(slices) :]
    variables = np.column_stack([points, controls, sample.outcome])
    variables = variables - sample.share @ variables
    cov = (variables * sample.share[:, None]).T @ variables
    weights = point_weights(fit.solution)[items]
    return ItemMoments(cov, weights, side_by_side(slices)), variables


def moment_pulls(
    slopes_of: Callable[[ItemMoments], Floats],
    moments: ItemMoments,
    variables: Floats,
    share: Floats,
) -> Floats:
    """Return each respondent's pull on slopes, (rows, r), the item weights taken as known.

    The slopes are functions of the covariances: their derivatives, by central differences in one
    batch, times each respondent's deviation ``share (x x' - S)``.

    Parameters
    ----------
    slopes_of
        Slopes of a batch of moments.
    moments, variables
        From `sample_moments`.
    share
        How much each respondent counts, (rows,).
    """
    scale = np.sqrt(np.diag(moments.cov))
    row, column = np.triu_indices(len(scale))
    each = np.arange(len(row))
    steps = np.zeros((2, len(row), len(scale), len(scale)))
    for k, sign in enumerate((1.0, -1.0)):
        steps[k, each, row, column] = sign * _STEP
        steps[k, each, column, row] = sign * _STEP
    moved = moments.cov + steps.reshape(-1, *moments.cov.shape) * np.outer(scale, scale)
    weights = np.broadcast_to(moments.weights, (len(moved), len(moments.weights)))
    up, down = slopes_of(ItemMoments(moved, weights, moments.blocks)).reshape(2, len(row), -1)
    gradient = (up - down) / (2.0 * _STEP)
    unit = variables / scale
    standard = moments.cov / np.outer(scale, scale)
    deviations = unit[:, row] * unit[:, column] - standard[row, column]
    return np.asarray((share[:, None] * deviations) @ gradient)


def draw_moments(source: RegressionDraws) -> ItemMoments:
    """Return the moments in the usable draws of a whole chain, one matrix product a block.

    Where an answer is missing and counts as the item's mean, it is the mean of the draw.
    """
    cells, bootstrap = source.cells, source.bootstrap
    index, places = cells.index, np.flatnonzero(source.usable)
    seen = np.ones_like(index.points) if index.missing is None else 1.0 - index.missing
    centre = (index.points * seen).sum(axis=0) / np.maximum(seen.sum(axis=0), 1.0)
    others = np.column_stack([cells.controls, cells.outcome])
    parts = [
        np.ones((len(others), 1)),
        (index.points - centre) * seen,
        others - others.mean(axis=0),
    ]
    if index.missing is not None:
        parts.append(index.missing)
    stacked = np.hstack(parts)
    row, column = np.triu_indices(stacked.shape[1])
    products = stacked[:, row] * stacked[:, column]
    second = np.empty((len(places), stacked.shape[1], stacked.shape[1]))
    for draws, weights in cells.draws(bootstrap.design, source.usable):
        here = np.searchsorted(places, draws)
        share = weights / weights.sum(axis=1, keepdims=True)
        second[here[:, None], row, column] = second[here[:, None], column, row] = share @ products
    if index.missing is not None:
        second = _filled(second, index.means[places] - centre, others.shape[1])
    mean = second[:, 0, 1:]
    cov = second[:, 1:, 1:] - mean[:, :, None] * mean[:, None, :]
    return ItemMoments(cov, index.weights[places], index.blocks)


def _filled(second: Floats, fill: Floats, others: int) -> Floats:
    """Put each draw's item means, (draws, items), where answers are missing."""
    draws, items = fill.shape
    whole = 1 + items + others
    turned = np.zeros((draws, second.shape[-1], whole))
    own = np.arange(whole)
    turned[:, own, own] = 1.0
    item = np.arange(items)
    turned[:, whole + item, 1 + item] = fill
    return np.asarray(np.swapaxes(turned, -1, -2) @ second @ turned)
