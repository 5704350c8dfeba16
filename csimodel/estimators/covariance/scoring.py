"""Minimise the discrepancies of many samples at once, each at its own pace.

A sample is first moved by Fisher scoring, near the minimum by Newton's method, both with
Levenberg-Marquardt damping. What has not settled so starts again from its own data with Newton
steps in which directions of negative curvature are walked downhill (the eigenvalues of the scaled
Hessian enter by their size): where a model is nearly unidentified the discrepancy has several
minima and valleys that run to infinity, and these steps find a minimum far more often. Parameters
at a bound stay there while the discrepancy falls beyond it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.cholesky import solve, without_negative
from csimodel.estimators.covariance.objective import Objective
from csimodel.estimators.covariance.structure import Implied
from csimodel.progress import step

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]
# From samples and their dampings, which it may raise, to steps and expected gains.
Propose = Callable[[Indices, Floats], tuple[Floats, Floats]]

_FIRST_ITERATIONS = 40  # of plain scoring; a sample that needs more is in a bent valley
_CLOSE = 4e-3  # when no scaled derivative is larger, the observed Hessian is used
_FLATTEST = 1e-11  # scaled curvature this flat in some direction identifies nothing there
_FIRST_DAMPING, _MOST_DAMPING = 1e-4, 1e10
# What becomes of the damping when a step is refused, gains little, as expected, or much.
_DAMPINGS = np.array([10.0, 4.0, 1.0, 0.1])
_LEAST_DAMPING = np.array([1e-11, 0.0, 0.0, 1e-14])
_PATIENCE, _STALLED = 10, 1e-12  # give up when so many iterations gain less than this, relatively
# A draw is given up in a valley: walked so long from its own start, gaining less than this of late.
_VALLEY, _VALLEY_GAIN = 80, 1e-3


class Minima(NamedTuple):
    """Where the minimisation ended, one entry a sample."""

    parameters: Floats
    value: Floats
    gradient: Floats
    iterations: NDArray[np.int64]
    settled: Mask
    flat: Mask


def no_minima(samples: int, parameters: int) -> Minima:
    """Return the result of samples of which none could be fitted."""
    return Minima(
        parameters=np.full((samples, parameters), np.nan),
        value=np.full(samples, np.nan),
        gradient=np.full(samples, np.nan),
        iterations=np.zeros(samples, dtype=np.int64),
        settled=np.zeros(samples, dtype=bool),
        flat=np.zeros(samples, dtype=bool),
    )


def minimise(
    objective: Objective,
    first: Floats,
    own: Callable[[], Floats],
    tolerance: float,
    max_iterations: int,
    draws: bool = False,
) -> Minima:
    """Minimise the objective of each sample.

    `first` holds starting values, (samples, parameters), not finite where nothing shall be done;
    `own` returns the samples' own starting values for those that did not settle. Draws of a
    bootstrap, of which there are many, are given up where they walk a valley that does not end.
    """
    before = min(_FIRST_ITERATIONS, max_iterations)
    todo = np.flatnonzero(np.isfinite(first).all(axis=-1))
    minima = _Descent(objective, first, todo, bent=False).run(tolerance, before)
    left = todo[~minima.settled[todo]]
    if not len(left) or max_iterations <= before:
        return minima
    descent = _Descent(objective, own(), left, bent=True, valleys=not draws)
    again = descent.run(tolerance, max_iterations - before)
    again.iterations[:] += before
    for old, new in zip(minima, again, strict=True):
        old[left] = new[left]
    return minima


class _Descent:
    """The walk of a batch of samples downhill; its arrays are changed in place."""

    def __init__(
        self,
        objective: Objective,
        first: Floats,
        active: Indices,
        bent: bool,
        valleys: bool = True,
    ) -> None:
        draws = len(first)
        layout = objective.layouts[0]
        self.size = layout.size
        self.objective, self.bent, self.valleys = objective, bent, valleys
        self.lower, self.upper = layout.lower, layout.upper
        self.bounded = layout.bounded
        start = np.where(np.isfinite(first), first, 0.0)
        if self.bounded:
            start[:, : self.size] = np.clip(start[:, : self.size], self.lower, self.upper)
        self.at = objective.implied(start)
        self.place = np.arange(draws)  # of a sample in these matrices
        self.minima = Minima(
            parameters=np.where(np.isfinite(first), start, np.nan),
            value=np.full(draws, np.nan),
            gradient=np.full(draws, np.nan),
            iterations=np.zeros(draws, dtype=np.int64),
            settled=np.zeros(draws, dtype=bool),
            flat=np.zeros(draws, dtype=bool),
        )
        self._keep(active)
        self.minima.value[active] = objective.value(self.at, active)
        self.active = active[np.isfinite(self.minima.value[active])]  # else there is no way down
        self.damping = np.full(draws, _FIRST_DAMPING)
        self.close = np.full(draws, bent)
        self.unit = objective.units(draws)

    def run(self, tolerance: float, most: int) -> Minima:
        """Walk until scaled derivatives vanish or nothing is gained."""
        minima = self.minima
        reached = minima.value.copy()
        for iteration in range(1, most + 1):
            active = self.active
            if not len(active):
                break
            step()
            self._keep(active)
            slope, curvature = self._local(active)
            held = self._held(active, slope) if self.bounded else None
            if held is not None:
                slope[held] = 0.0
            root = _roots(curvature)
            minima.gradient[active] = np.abs(slope).max(axis=-1)
            slope /= root
            steepest = np.abs(slope).max(axis=-1) / self.unit[active]
            self.close[active] |= steepest < _CLOSE
            curvature /= root[:, :, None] * root[:, None, :]
            if held is not None:
                _hold(curvature, held)
            done = steepest < tolerance
            if done.any():
                self._settle(active[done], curvature[done])
            minima.iterations[active] = iteration
            if done.any():
                go = ~done
                active, root, curvature, slope = active[go], root[go], curvature[go], slope[go]
            self.active = active[self._move(active, root, curvature, slope)]
            if iteration % _PATIENCE == 0:
                gained = reached[self.active] - minima.value[self.active]
                reached[self.active] = minima.value[self.active]
                least = _STALLED * np.abs(reached[self.active])
                if not self.valleys and iteration >= _VALLEY:
                    least = np.maximum(least, _VALLEY_GAIN)
                self.active = self.active[gained > least]
        return minima

    def _keep(self, active: Indices) -> None:
        """Drop the matrices of samples that have ended."""
        if len(active) < len(self.at[0].sigma):
            self.at = tuple(own.at(self.place[active]) for own in self.at)
            self.place[active] = np.arange(len(active))

    def _local(self, active: Indices) -> tuple[Floats, Floats]:
        """Return gradient and Hessian: expected far from the solution, observed near to it."""
        close = self.close[active]
        if close.all() or not close.any():
            return self.objective.local(self.at, active, bool(close.all()))
        size = self.size
        slope, curvature = np.empty((len(active), size)), np.empty((len(active), size, size))
        for observed in (False, True):
            part = np.flatnonzero(close == observed)
            here = tuple(own.at(part) for own in self.at)
            slope[part], curvature[part] = self.objective.local(here, active[part], observed)
        return slope, curvature

    def _held(self, active: Indices, slope: Floats) -> Mask:
        """Mark parameters at a bound that the discrepancy would push beyond it."""
        parameters = self.minima.parameters[active, : self.size]
        low, high = parameters <= self.lower, parameters >= self.upper
        return np.asarray((low & (slope > 0)) | (high & (slope < 0)))

    def _settle(self, ended: Indices, curvature: Floats) -> None:
        """Note the samples that ended: at a minimum, a flat one, or (not settled) a saddle."""
        definite = np.isfinite(solve(_lifted(curvature, -_FLATTEST), curvature[:, 0])[:, 0])
        self.minima.settled[ended] = definite
        self.minima.flat[ended] = ~definite
        if definite.all():
            return
        ended, curvature = ended[~definite], curvature[~definite]
        smallest = np.linalg.eigvalsh(curvature)[:, 0]
        self.minima.settled[ended] = smallest > -_FLATTEST
        self.minima.flat[ended] = smallest < _FLATTEST

    def _move(self, active: Indices, root: Floats, curvature: Floats, slope: Floats) -> Mask:
        """Move each active sample downhill; tell which could move."""
        minima, damping = self.minima, self.damping
        propose = (_bent if self.bent else _damped)(curvature, slope)
        waiting = np.arange(len(active))
        moved = np.zeros(len(active), dtype=bool)
        while len(waiting):
            who = active[waiting]
            trial = minima.parameters[who]
            here = trial[:, : self.size].copy()
            damped = damping[who]
            step, expected = propose(waiting, damped)
            trial[:, : self.size] += step / root[waiting]
            if self.bounded:
                trial[:, : self.size] = np.clip(trial[:, : self.size], self.lower, self.upper)
                step = (trial[:, : self.size] - here) * root[waiting]
                half = 0.5 * np.einsum("sa,sab,sb->s", step, curvature[waiting], step)
                expected = -(slope[waiting] * step).sum(axis=-1) - half
            at = self.objective.implied(trial)
            value = self.objective.value(at, who)
            gain = minima.value[who] - value
            better = gain >= -1e-13 * np.abs(minima.value[who])
            kind = better * (1 + (gain >= 0.05 * expected) + (gain > 0.25 * expected))
            damping[who] = np.maximum(damped * _DAMPINGS[kind], _LEAST_DAMPING[kind])
            accepted = who[better]
            minima.parameters[accepted], minima.value[accepted] = trial[better], value[better]
            self._accept(accepted, at, better)
            moved[waiting[better]] = True
            waiting = waiting[~better & (damping[who] < _MOST_DAMPING)]
        return moved

    def _accept(self, accepted: Indices, at: tuple[Implied, ...], better: Mask) -> None:
        """Keep the matrices of the steps that were taken."""
        if len(accepted) == len(self.at[0].sigma):
            self.at = at
            return
        place = self.place[accepted]
        for old, new in zip(self.at, at, strict=True):
            for kept, fresh in zip(old, new, strict=True):
                if kept is not None and fresh is not None:
                    kept[place] = fresh[better]


def _roots(curvature: Floats) -> Floats:
    """Return what makes the diagonal of the curvature 1."""
    diagonal = np.abs(np.diagonal(curvature, axis1=-2, axis2=-1))
    return np.sqrt(np.where(diagonal > 0, diagonal, 1.0))


def _hold(curvature: Floats, held: Mask) -> None:
    """Take parameters that stay at a bound out of the equations, in place."""
    if held.any():
        keep = ~held
        curvature *= keep[:, :, None] & keep[:, None, :]
        own = np.arange(held.shape[-1])
        curvature[:, own, own] = np.where(held, 1.0, curvature[:, own, own])


def _lifted(matrices: Floats, by: Floats | float) -> Floats:
    """Add to the diagonals of a copy."""
    lifted = matrices.copy()
    size = matrices.shape[-1]
    lifted.reshape(-1, size**2)[:, :: size + 1] += by
    return lifted


def _damped(curvature: Floats, slope: Floats) -> Propose:
    """Return Levenberg-Marquardt steps, with more damping where the curvature is not positive."""

    def propose(who: Indices, damping: Floats) -> tuple[Floats, Floats]:
        own = slice(None) if len(who) == len(slope) else who
        bends, right = curvature[own], slope[own]
        step = -solve(_lifted(bends, damping[:, None]), right)
        failed = np.isnan(step[:, 0]) & (damping < _MOST_DAMPING)
        while failed.any():
            damping[failed] = np.maximum(damping[failed], 1e-12) * 10.0
            step[failed] = -solve(_lifted(bends[failed], damping[failed, None]), right[failed])
            failed = np.isnan(step[:, 0]) & (damping < _MOST_DAMPING)
        drop = 0.5 * ((damping[:, None] * step - right) * step).sum(axis=-1)
        return step, np.asarray(drop)

    return propose


def _bent(curvature: Floats, slope: Floats) -> Propose:
    """Return steps that go downhill along negative curvature too."""
    upright = without_negative(curvature)
    turned = upright - curvature
    damped = _damped(upright, slope)

    def propose(who: Indices, damping: Floats) -> tuple[Floats, Floats]:
        step, drop = damped(who, damping)
        further = ((turned[who] @ step[..., None])[..., 0] * step).sum(axis=-1)
        return step, np.asarray(drop + 0.5 * further)

    return propose
