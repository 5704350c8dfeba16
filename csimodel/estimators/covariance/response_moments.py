"""Moments of ordered answers that a model of the responses behind them implies.

A model gives means μ and covariances Σ of the responses and thresholds τ. Of an ordered item a
sample shows thresholds and correlations in units of the response's own standard deviation::

    (τᵢₖ - μᵢ) / √σᵢᵢ,    σᵢⱼ / √(σᵢᵢ σⱼⱼ)

and of a continuous one its mean and covariances as they are. The moments are, item by item,
thresholds or the mean, and then vech of the covariances, in which variances of ordered items are 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.estimators.covariance.structure import Implied, moment_slopes
from csimodel.moments.vech import vech_indices

Floats = NDArray[np.float64]


def response_units(layout: ParameterLayout, at: Implied) -> Floats:
    """Return standard deviations of the responses of ordered items, 1 of others, (..., items)."""
    assert layout.levels is not None
    variance = np.diagonal(at.sigma, axis1=-2, axis2=-1)
    with np.errstate(invalid="ignore"):  # below 0 there is none: NaN
        return np.where(layout.levels.ordered, np.sqrt(variance), 1.0)


def response_cov(layout: ParameterLayout, at: Implied) -> Floats:
    """Return covariances in units in which responses of ordered items have variance 1."""
    unit = response_units(layout, at)
    return np.asarray(at.sigma / (unit[..., :, None] * unit[..., None, :]))


def response_vector(layout: ParameterLayout, at: Implied) -> Floats:
    """Return the moments of the model, (..., moments)."""
    assert layout.levels is not None
    assert at.thresholds is not None
    item, bar = layout.levels.item, layout.levels.is_threshold
    row, column = vech_indices(at.sigma.shape[-1])
    mean, unit = at.mean[..., item], response_units(layout, at)[..., item]
    level = np.where(bar, (at.thresholds - mean) / unit, mean)
    return np.concatenate([level, response_cov(layout, at)[..., row, column]], axis=-1)


def response_slopes(layout: ParameterLayout, at: Implied) -> Floats:
    """Return derivatives of the moments by the parameters, (..., moments, size).

    With d a derivative and κ a threshold, ρ a covariance of the moments:
    ``dκ = (dτ - dμᵢ)/√σᵢᵢ - κ dσᵢᵢ/2σᵢᵢ`` and
    ``dρ = dσᵢⱼ/√(σᵢᵢσⱼⱼ) - ρ (dσᵢᵢ/2σᵢᵢ + dσⱼⱼ/2σⱼⱼ)``.
    """
    assert layout.levels is not None
    levels, items, raw = layout.levels, at.sigma.shape[-1], moment_slopes(layout, at)
    row, column = vech_indices(items)
    vector, unit = response_vector(layout, at), response_units(layout, at)
    of_mean, of_cov = raw[..., :items, :], raw[..., items:, :]
    growth = of_cov[..., row == column, :] / (2.0 * unit**2)[..., None]
    growth = np.where(levels.ordered[:, None], growth, 0.0)
    item, count = levels.item, len(levels.item)
    sign = np.where(levels.is_threshold, -1.0, 1.0)[:, None]
    moved = sign * of_mean[..., item, :] + layout.row_slopes[levels.row] * (sign < 0)
    level = moved / unit[..., item, None] - vector[..., :count, None] * growth[..., item, :]
    scale = (unit[..., row] * unit[..., column])[..., None]
    both = growth[..., row, :] + growth[..., column, :]
    cov = of_cov / scale - vector[..., count:, None] * both
    return np.concatenate([level, cov], axis=-2)
