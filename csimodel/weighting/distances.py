"""Weights that meet totals of the population and move as little as a distance lets them.

Deville and Särndal's calibration: of all weights ``w_i = d_i F(x_i'λ)`` those with
``Σ w_i x_i = T``, where d are the weights before, x what is known of each respondent and T its
totals in the population. F comes from the distance: ``1 + u`` (linear, the regression estimator),
``e^u`` (raking), or the logit that keeps w/d between two bounds. λ is found by Newton's method.

References
----------
Deville, J.-C., Särndal, C.-E. (1992). Calibration estimators in survey sampling. Journal of the
American Statistical Association 87, 376-382. https://doi.org/10.1080/01621459.1992.10475217
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Method = Literal["linear", "raking", "logit"]

_ITERATIONS, _HALVINGS = 200, 40
_TOLERANCE = 1e-11  # of a total, what may be missing to it
_LARGEST = 500.0  # exponents beyond are far from any solution


@dataclass(frozen=True)
class Distance:
    """How far weights may move from those before, and in which form.

    Attributes
    ----------
    method
        ``"linear"``, ``"raking"`` or ``"logit"``.
    low, high
        Bounds of the ratio of new to old weights.

    Examples
    --------
    >>> Distance("linear", 0.5, 3.0).ratios(np.array([-0.9, 0.0, 0.5]))
    (array([0.5, 1. , 1.5]), array([0., 1., 1.]))
    """

    method: Method
    low: float = -np.inf
    high: float = np.inf

    def ratios(self, u: Floats) -> tuple[Floats, Floats]:
        """Return ``F(u)`` and its derivative, (rows,) each."""
        if self.method == "logit":
            return self._logit(u)
        if self.method == "linear":
            free, slope = 1.0 + u, np.ones_like(u)
        else:
            free = slope = np.exp(np.clip(u, -_LARGEST, _LARGEST))
        inside = (free > self.low) & (free < self.high)
        return np.clip(free, self.low, self.high), np.where(inside, slope, 0.0)

    def _logit(self, u: Floats) -> tuple[Floats, Floats]:
        low, high = self.low, self.high
        steepness = (high - low) / ((1.0 - low) * (high - 1.0))
        odds = (1.0 - low) / (high - 1.0) * np.exp(np.clip(steepness * u, -_LARGEST, _LARGEST))
        share = odds / (1.0 + odds)
        return low + (high - low) * share, (high - low) * steepness * share * (1.0 - share)


def calibrated(
    known: Floats, base: Floats, totals: Floats, distance: Distance
) -> tuple[Floats, Floats]:
    """Return ratios of new to old weights, and what is still missing to each total.

    Parameters
    ----------
    known
        What is known of each respondent, x, (rows, totals); columns may depend on one another.
    base
        Weights before, d, positive, (rows,).
    totals
        Totals in the population, T, (totals,).
    distance
        The form of the ratios.

    Returns
    -------
    Ratios, (rows,), and ``(T - Σ w x)`` relative to the size of each total, (totals,): 0 where the
    totals are met.

    Examples
    --------
    >>> known = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> ratios, missing = calibrated(known, np.ones(3), np.array([3.0, 1.0]), Distance("raking"))
    >>> ratios.round(6)
    array([1.5, 1.5, 1. ])
    """
    size = np.maximum(np.abs(totals), np.abs(known).T @ base / max(len(base), 1))
    size = np.where(size > 0.0, size, 1.0)
    scaled = known / size
    goal = totals / size
    multipliers = np.zeros(len(totals))
    ratios, slopes = distance.ratios(np.zeros(len(base)))
    missing = goal - scaled.T @ (base * ratios)
    for _ in range(_ITERATIONS):
        if np.abs(missing).max(initial=0.0) < _TOLERANCE:
            break
        curvature = scaled.T @ ((base * slopes)[:, None] * scaled)
        step = np.linalg.lstsq(curvature, missing, rcond=1e-12)[0]
        for _ in range(_HALVINGS):
            trial, trial_slopes = distance.ratios(scaled @ (multipliers + step))
            left = goal - scaled.T @ (base * trial)
            if np.isfinite(left).all() and (left**2).sum() < (missing**2).sum():
                break
            step = 0.5 * step
        else:
            break
        multipliers = multipliers + step
        ratios, slopes, missing = trial, trial_slopes, left
    return ratios, missing
