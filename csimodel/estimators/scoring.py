"""Minimise the ML discrepancy of many samples at once, each at its own pace.

A sample is first moved by Fisher scoring, near the minimum by Newton's method, both with
Levenberg-Marquardt damping. What has not settled so starts again from its own data with Newton
steps in which directions of negative curvature are walked downhill (the eigenvalues of the scaled
Hessian enter by their size): where a model is nearly unidentified the discrepancy has several
minima and valleys that run to infinity, and these steps find a minimum far more often.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators import lisrel
from csimodel.estimators.lisrel import Implied, Layout

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Propose = Callable[[Indices, Floats], Floats]

_FIRST_ITERATIONS = 40  # of plain scoring; a sample that needs more is in a bent valley
_CLOSE = 1e-2  # when no scaled derivative is larger, the observed Hessian is used
_FLATTEST = 1e-11  # scaled curvature this flat in some direction identifies nothing there
_MOST_DAMPING = 1e10
_PATIENCE, _STALLED = 10, 1e-12  # give up when so many iterations gain less than this, relatively


class Found(NamedTuple):
    """Where the minimisation ended, one entry a sample."""

    parameters: Floats
    value: Floats
    gradient: Floats
    iterations: NDArray[np.int64]
    settled: NDArray[np.bool_]
    flat: NDArray[np.bool_]


def minimise(
    layout: Layout,
    cov: Floats,
    first: Floats,
    own: Callable[[], Floats],
    tolerance: float,
    max_iterations: int,
) -> Found:
    """Minimise ``ln|Σ| + tr(S Σ⁻¹)`` of each sample.

    `first` holds starting values, (samples, parameters), not finite where nothing shall be done;
    `own` returns the samples' own starting values for those that did not settle.
    """
    before = min(_FIRST_ITERATIONS, max_iterations)
    found = _descend(layout, cov, first, tolerance, before, bent=False)
    left = np.flatnonzero(np.isfinite(first).all(axis=-1) & ~found.settled)
    if not len(left) or max_iterations <= before:
        return found
    again = _descend(layout, cov[left], own()[left], tolerance, max_iterations - before, bent=True)
    again.iterations[:] += before
    for old, new in zip(found, again, strict=True):
        old[left] = new
    return found


def _descend(
    layout: Layout, cov: Floats, first: Floats, tolerance: float, most: int, bent: bool
) -> Found:
    """Walk every sample downhill until its scaled derivatives vanish or nothing is gained."""
    draws = len(first)
    found = Found(
        parameters=first.copy(),
        value=np.full(draws, np.nan),
        gradient=np.full(draws, np.nan),
        iterations=np.zeros(draws, dtype=np.int64),
        settled=np.zeros(draws, dtype=bool),
        flat=np.zeros(draws, dtype=bool),
    )
    active = np.flatnonzero(np.isfinite(first).all(axis=-1))
    found.value[active] = _value(layout, first[active], cov[active])
    reached = found.value.copy()
    damping = np.full(draws, 1e-3)
    close = np.full(draws, bent)
    for iteration in range(1, most + 1):
        if not len(active):
            break
        at = lisrel.implied(layout, found.parameters[active])
        slope, curvature = _local(layout, at, cov[active], close[active])
        root = _roots(curvature)
        found.gradient[active] = np.abs(slope).max(axis=-1)
        scaled_slope = slope / root
        steepest = np.abs(scaled_slope).max(axis=-1)
        close[active] |= steepest < _CLOSE
        curvature /= root[:, :, None] * root[:, None, :]
        done = steepest < tolerance
        if done.any():
            _settle(found, active[done], curvature[done])
        found.iterations[active] = iteration
        go = np.flatnonzero(~done)
        local = (curvature[go], scaled_slope[go])
        propose = (_bent if bent else _damped)(*local)
        moved = _move(layout, cov, found, damping, active[go], root[go], propose, local)
        active = active[go][moved]
        if iteration % _PATIENCE == 0:
            gained = reached[active] - found.value[active]
            reached[active] = found.value[active]
            active = active[gained > _STALLED * np.abs(reached[active])]
    return found


def _value(layout: Layout, parameters: Floats, cov: Floats) -> Floats:
    return lisrel.discrepancy(lisrel.implied(layout, parameters).sigma, cov)


def _roots(curvature: Floats) -> Floats:
    """Return what makes the diagonal of the curvature 1."""
    diagonal = np.abs(np.diagonal(curvature, axis1=-2, axis2=-1))
    return np.sqrt(np.where(diagonal > 0, diagonal, 1.0))


def _settle(found: Found, ended: Indices, curvature: Floats) -> None:
    """Note the samples that ended: at a minimum, a flat one, or (not settled) a saddle."""
    smallest = np.linalg.eigvalsh(curvature)[:, 0]
    found.settled[ended] = smallest > -_FLATTEST
    found.flat[ended] = smallest < _FLATTEST


def _local(
    layout: Layout, at: Implied, cov: Floats, close: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Return gradient and Hessian: expected far from the solution, observed near to it."""
    if close.all() or not close.any():
        return lisrel.slope_and_curvature(layout, at, cov, observed=bool(close.all()))
    slope, curvature = np.empty((len(cov), layout.size)), np.empty((len(cov), *(layout.size,) * 2))
    for observed in (False, True):
        part = np.flatnonzero(close == observed)
        some = Implied(*(matrix[part] for matrix in at))
        slope[part], curvature[part] = lisrel.slope_and_curvature(layout, some, cov[part], observed)
    return slope, curvature


def _damped(curvature: Floats, slope: Floats) -> Propose:
    """Return Levenberg-Marquardt steps for the samples and dampings asked for."""
    own = np.arange(slope.shape[-1])

    def propose(who: Indices, damping: Floats) -> Floats:
        system = curvature[who]
        system[:, own, own] += damping[:, None]
        return np.asarray(-np.linalg.solve(system, slope[who][..., None])[..., 0])

    return propose


def _bent(curvature: Floats, slope: Floats) -> Propose:
    """Return steps that go downhill along negative curvature too."""
    values, vectors = np.linalg.eigh(curvature)
    along = np.einsum("dab,da->db", vectors, slope)
    sizes = np.maximum(np.abs(values), 1e-14)

    def propose(who: Indices, damping: Floats) -> Floats:
        parts = along[who] / (sizes[who] + damping[:, None])
        return np.asarray(-np.einsum("dab,db->da", vectors[who], parts))

    return propose


def _move(
    layout: Layout,
    cov: Floats,
    found: Found,
    damping: Floats,
    active: Indices,
    root: Floats,
    propose: Propose,
    local: tuple[Floats, Floats],
) -> NDArray[np.bool_]:
    """Move each active sample downhill, in place; tell which could move."""
    curvature, slope = local
    waiting = np.arange(len(active))
    moved = np.zeros(len(active), dtype=bool)
    while len(waiting):
        who = active[waiting]
        step = propose(waiting, damping[who])
        trial = found.parameters[who] + step / root[waiting]
        value = _value(layout, trial, cov[who])
        better = value <= found.value[who] + 1e-13 * np.abs(found.value[who])
        half = 0.5 * np.einsum("da,dab,db->d", step, curvature[waiting], step)
        expected = -(slope[waiting] * step).sum(axis=-1) - half
        with np.errstate(invalid="ignore"):
            gain = found.value[who] - value
            good, poor = better & (gain > 0.25 * expected), better & (gain < 0.05 * expected)
        accepted = who[better]
        found.parameters[accepted], found.value[accepted] = trial[better], value[better]
        moved[waiting[better]] = True
        damping[who[good]] = np.maximum(damping[who[good]] / 10.0, 1e-14)
        damping[who[poor]] *= 4.0
        refused = who[~better]
        damping[refused] = np.maximum(damping[refused], 1e-12) * 10.0
        waiting = waiting[~better & (damping[who] < _MOST_DAMPING)]
    return moved
