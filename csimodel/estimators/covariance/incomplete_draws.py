"""Full information for many resamples of one sample, from the solution of the sample itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.estimators.covariance.scoring import Minima, no_minima
from csimodel.estimators.covariance.structure import directions, implied, levels
from csimodel.moments.incomplete_likelihood import Patterns, completed

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_MOST, _SHORTER, _SHORTEST = 60, 0.4, 12
_ENOUGH = 1e-4  # of the decrease that the slope promises (Armijo)


def full_information_near(
    layout: ParameterLayout,
    samples: Sequence[Patterns],
    parameters: Floats,
    hessian: Floats,
    tolerance: float,
) -> Minima:
    """Minimise ``-2/n`` log-likelihood of every sample from `parameters`, by BFGS.

    One pass over the patterns gives value and slope of a sample; the curvature starts as that of
    the whole sample at its solution, `hessian`, and is learnt from the slopes. What does not
    settle in 60 steps is reported so.

    References
    ----------
    Nocedal, J., Wright, S. J. (2006). Numerical Optimization, chapter 6.
    https://doi.org/10.1007/978-0-387-40065-5
    """
    draws, size = len(samples), layout.size
    root = np.sqrt(np.diag(hessian))
    inverse = np.tile(np.linalg.inv(hessian / np.outer(root, root)), (draws, 1, 1))
    at = np.tile(parameters, (draws, 1))
    active = np.arange(draws)
    value, slope = _value_and_slope(layout, samples, at, active)
    slope = slope / root
    minima = no_minima(draws, size)
    for iteration in range(_MOST + 1):
        steepest = np.abs(slope[active]).max(axis=1, initial=0.0)
        minima.iterations[active] = iteration
        minima.settled[active[steepest < tolerance]] = True
        active = active[steepest >= tolerance]
        if not len(active) or iteration == _MOST:
            break
        step = -(inverse[active] @ slope[active][:, :, None])[:, :, 0]
        moved, new_value, new_slope, taken = _searched(
            layout, samples, active, at[active], value[active], slope[active], step, root
        )
        here = active[taken]
        _learn(inverse, here, moved[taken], new_slope[taken] - slope[here])
        at[here] += moved[taken] / root
        value[here], slope[here] = new_value[taken], new_slope[taken]
        active = here
    minima.parameters[:], minima.value[:] = at, value
    minima.gradient[:] = np.abs(slope * root).max(axis=1)
    return minima


def _searched(
    layout: ParameterLayout,
    samples: Sequence[Patterns],
    active: Indices,
    at: Floats,
    value: Floats,
    slope: Floats,
    step: Floats,
    root: Floats,
) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
    """Shorten steps until the value falls; return them, values, slopes, and which were taken."""
    promise = (step * slope).sum(axis=1)
    length = np.ones(len(active))
    new_value, new_slope = value.copy(), slope.copy()
    taken = np.zeros(len(active), dtype=bool)
    waiting = np.flatnonzero(promise < 0)
    for _ in range(_SHORTEST):
        trial = at[waiting] + length[waiting, None] * step[waiting] / root
        values, slopes = _value_and_slope(layout, samples, trial, active[waiting])
        most = value[waiting] + _ENOUGH * length[waiting] * promise[waiting]
        good = values <= most + 1e-14 * np.abs(value[waiting])
        here = waiting[good]
        new_value[here], new_slope[here], taken[here] = values[good], slopes[good] / root, True
        waiting = waiting[~good]
        if not len(waiting):
            break
        length[waiting] *= _SHORTER
    return length[:, None] * step, new_value, new_slope, taken


def _learn(inverse: Floats, who: Indices, step: Floats, change: Floats) -> None:
    """Update the inverse curvatures of samples `who`, in place."""
    both = (step * change).sum(axis=1)
    sizes = np.linalg.norm(step, axis=1) * np.linalg.norm(change, axis=1)
    useful = both > 1e-12 * sizes
    who, step, change, both = who[useful], step[useful], change[useful], both[useful]
    pushed = (inverse[who] @ change[:, :, None])[:, :, 0]
    along = (both + (change * pushed).sum(axis=1)) / both**2
    mixed = pushed[:, :, None] * step[:, None, :]
    inverse[who] += (
        along[:, None, None] * step[:, :, None] * step[:, None, :]
        - (mixed + np.swapaxes(mixed, 1, 2)) / both[:, None, None]
    )


def _value_and_slope(
    layout: ParameterLayout, samples: Sequence[Patterns], parameters: Floats, who: Indices
) -> tuple[Floats, Floats]:
    """Return the discrepancies of the samples `who`, infinite where Σ is not PD, and slopes."""
    at = implied(layout, parameters)
    value = np.full(len(who), np.inf)
    pull, residual = np.zeros(at.mean.shape), np.zeros(at.sigma.shape)
    for k, sample in enumerate(who):
        done = completed(samples[sample], at.mean[k], at.sigma[k])
        if done is not None:
            value[k], (pull[k], residual[k]) = done.value, done.slope
    u, v = directions(layout, at)
    of_means = (pull[:, None, :] @ u)[:, 0] * levels(layout, at)
    return value, layout.vector(np.asarray(2.0 * (u * (residual @ v)).sum(axis=-2) + of_means))
