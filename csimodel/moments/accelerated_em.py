"""Means and covariances of resamples of answers with gaps: EM with Anderson's acceleration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.incomplete_likelihood import Patterns, completed, loglik_of
from csimodel.moments.saturated import saturated
from csimodel.moments.saturated_result import Saturated
from csimodel.moments.vech import vech_indices

Floats = NDArray[np.float64]

_MEMORY, _MOST = 6, 60  # steps combined; steps after which the slower and surer way is taken


def saturated_near(
    patterns: Patterns, mean: Floats, cov: Floats, tolerance: float = 1e-7
) -> Saturated:
    """Maximise the observed-data likelihood from moments nearby, by accelerated EM steps.

    A Newton step costs some fifty EM steps, so a resample is finished sooner without. What does
    not settle is left to `saturated`.

    References
    ----------
    Walker, H. F., Ni, P. (2011). Anderson acceleration for fixed-point iterations. SIAM Journal on
    Numerical Analysis 49, 1715-1735. https://doi.org/10.1137/10078356X
    """
    items, (row, column) = len(mean), vech_indices(len(mean))
    points: list[Floats] = []
    steps: list[Floats] = []
    m, s = mean, cov
    for iteration in range(_MOST):
        done = completed(patterns, m, s)
        if done is None:
            break
        sd = np.sqrt(np.diagonal(s))
        slopes = done.slope
        gradient = max(np.abs(slopes[0] * sd).max(), np.abs(slopes[1] * sd * sd[:, None]).max())
        if gradient < tolerance:
            value = loglik_of(patterns, done.value)
            return Saturated(m, s, value, iteration, float(gradient))
        moved = done.second - np.outer(done.first, done.first)
        here = np.concatenate([m, s[row, column]])
        step = np.concatenate([m + done.first, moved[row, column]]) - here
        points, steps = [*points, here][-_MEMORY:], [*steps, step][-_MEMORY:]
        scale = np.concatenate([sd, sd[row] * sd[column]])
        towards = here + step
        if len(points) > 1:
            changes = np.diff(np.array(steps), axis=0).T
            shares = np.linalg.lstsq(changes / scale[:, None], step / scale, rcond=None)[0]
            towards = towards - (np.diff(np.array(points), axis=0).T + changes) @ shares
        m, s = towards[:items], np.zeros_like(cov)
        s[row, column] = s[column, row] = towards[items:]
    return saturated(patterns, (mean, cov))
