"""More starts where one may have missed the lowest minimum.

A discrepancy can have several minima: least squares weighted by the sample's own covariances (GLS)
where the model fits badly, all of them where constructs hardly hang together. Then the first start
can end in a higher one, or in a valley without an end. Samples in doubt are started again from
values around their own, and the lowest minimum counts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.layout import Layout
from csimodel.estimators.covariance.objective import Objective
from csimodel.estimators.covariance.scoring import Found, minimise

Floats = NDArray[np.float64]

STARTS = 16  # of each sample in doubt
_FIRST, _FURTHER = 15, 60  # iterations of every start, and of the most promising ones
_PROMISING = 6
_SPREAD, _TURN = 0.5, 0.2  # sd of the logarithm of a factor, probability of another sign
_SEED = 20260  # the same starts for every sample and every run
_SAME = 1e-6  # minima that differ by less, relative to the larger or to 1, are one


def lowest_minimum(
    objective: Objective,
    found: Found,
    own: Floats,
    doubtful: NDArray[np.bool_],
    tolerance: float,
    max_iterations: int,
) -> Floats:
    """Start samples in doubt again; put lower minima into `found`, return the next ones above.

    Every start walks a few steps; those that are lowest then walk on.

    Parameters
    ----------
    own
        The samples' own starting values, (samples, parameters).
    doubtful
        Which samples to start again, (samples,).

    Returns
    -------
    The lowest other minimum of each sample, with the floor of the discrepancy, NaN where none was
    seen, (samples,).
    """
    other = np.full(len(own), np.nan)
    for sample in np.flatnonzero(doubtful & np.isfinite(own).all(axis=-1)).tolist():
        known = bool(found.settled[sample])
        here = float(found.value[sample]) if np.isfinite(found.value[sample]) else np.inf
        apart = _SAME * max(1.0, abs(here)) if np.isfinite(here) else 0.0
        again = _ends(objective, sample, own[sample], tolerance, max_iterations)
        values = np.where(again.settled & ~again.flat, again.value, np.inf)
        best = int(values.argmin())
        if np.isfinite(values[best]) and values[best] < here + (-apart if known else apart):
            for old, new in zip(found, again, strict=True):
                old[sample] = new[best]
            values = np.append(values, here if known else np.inf)
        above = values[np.isfinite(values) & (values > found.value[sample] + apart)]
        if found.settled[sample] and len(above):
            other[sample] = above.min()
    return other


def _ends(objective: Objective, sample: int, own: Floats, tolerance: float, most: int) -> Found:
    """Return where starts around one sample's own end."""
    starts = _around(objective.layouts, own)
    everywhere = objective.repeated(np.full(len(starts), sample))
    again = minimise(everywhere, starts, starts.copy, tolerance, min(most, _FIRST))
    walking = np.flatnonzero(~again.settled & np.isfinite(again.value))
    walking = walking[np.argsort(again.value[walking])][:_PROMISING]
    if not len(walking) or most <= _FIRST:
        return again
    begin = again.parameters[walking]
    few = objective.repeated(np.full(len(walking), sample))
    further = minimise(few, begin, begin.copy, tolerance, min(most - _FIRST, _FURTHER))
    further.iterations[:] += _FIRST
    for old, new in zip(again, further, strict=True):
        old[walking] = new
    return again


def _around(layouts: tuple[Layout, ...], own: Floats) -> Floats:
    """Return starts around one, (starts, parameters); variances stay positive."""
    rng = np.random.default_rng(_SEED)
    size = (STARTS, len(own))
    factors = np.exp(_SPREAD * rng.normal(size=size))
    turned = np.where(rng.random(size) < _TURN, -1.0, 1.0)
    for layout in layouts:
        for row, place in zip(layout.rows, layout.place.tolist(), strict=True):
            if place >= 0 and row.op == "~~" and row.lhs == row.rhs:
                turned[:, place] = 1.0
    starts = own * factors * turned
    given = np.isfinite(layouts[0].starts)
    starts[:, given] = own[given]
    return np.asarray(starts)
