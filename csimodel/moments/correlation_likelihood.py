"""Correlations that maximise likelihoods of one correlation each, many at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Slopes = Callable[[Floats, NDArray[np.intp]], tuple[Floats, Floats]]

EDGE = 0.99999  # largest correlation searched; one that reaches it has no maximum below 1
_SMALL_STEP = 1e-9  # a Newton step this small leaves an error of about its square
_ROUNDS = 200


def likeliest_correlations(slopes: Slopes, start: Floats) -> Floats:
    """Return the correlation at which each likelihood is largest, within ±`EDGE`.

    Newton's method on ``atanh ρ``, kept between the nearest points known to lie below and above
    the maximum and replaced by halving where a step would leave them; a likelihood that rises up
    to the edge ends at exactly ±`EDGE`.

    Parameters
    ----------
    slopes
        Called with correlations and the positions they belong to; returns first and second
        derivatives of the mean log-likelihood with respect to the correlation.
    start
        Where to begin, (pairs,).

    Examples
    --------
    The maximum of ``-(ρ - 0.3)² / 2``, and one beyond the edge:

    >>> aim = np.array([0.3, 2.0])
    >>> likeliest_correlations(lambda r, at: (aim[at] - r, -np.ones(len(at))), np.zeros(2))
    array([0.3    , 0.99999])
    """
    limit = np.arctanh(EDGE)
    z = np.clip(np.arctanh(np.clip(start, -0.9, 0.9)), -limit, limit)
    low, high = np.full(z.shape, -limit), np.full(z.shape, limit)
    open_pairs = np.arange(len(z))
    for _ in range(_ROUNDS):
        if not open_pairs.size:
            break
        here = z[open_pairs]
        r = np.tanh(here)
        slope, bend = slopes(r, open_pairs)
        rate = 1.0 - r * r
        slope, bend = slope * rate, bend * rate**2 - 2.0 * r * rate * slope
        low[open_pairs] = np.where(slope > 0.0, here, low[open_pairs])
        high[open_pairs] = np.where(slope < 0.0, here, high[open_pairs])
        least, most = low[open_pairs], high[open_pairs]
        aim = here - slope / np.where(bend < 0.0, bend, np.nan)
        outside = ~((aim > least) & (aim < most)) & (slope != 0.0)
        aim = np.where(outside, 0.5 * (least + most), aim)
        z[open_pairs] = np.where(slope == 0.0, here, aim)
        open_pairs = open_pairs[np.abs(z[open_pairs] - here) > _SMALL_STEP]
    at_edge = np.abs(z) > limit - 1e-6
    return np.asarray(np.where(at_edge, np.sign(z) * EDGE, np.tanh(z)))
