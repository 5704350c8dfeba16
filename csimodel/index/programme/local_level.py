"""The level of each unit over the periods, freed of the errors of its answers as far as known.

With x a unit's scores, V the covariance of their sampling errors under the design (known; periods
that share respondents or clusters covary) and μ the levels behind them:

    x_t = μ_t + e_t,   e ~ N(0, V);     μ_t = μ_{t-1} + η_t,   η_t ~ N(0, q Δ_t)

with Δ the time between two measurements, and nothing assumed of the first level (a local level
with a diffuse start). Differences d of successive scores then have the covariance ``D V D' + q Δ``,
D the matrix of differences; q, the variance of a move, is one for all units of a level, and its
estimate has the largest restricted likelihood of their d. For a given q the level given all scores
is ``x - V P x`` with the error ``V - V P V`` and ``P = D' (D V D' + q Δ)⁻¹ D``; both are averaged
over the likelihood of √q (a flat prior), since few changes say little of q. What the scores before
do not let expect of a score is its innovation, of which ``L⁻¹ d`` is the standardised one, ``L L' =
D V D' + q Δ`` with q as estimated.

References
----------
Harvey, A. C. (1989). Forecasting, Structural Time Series Models and the Kalman Filter, chapter 4.
https://doi.org/10.1017/CBO9781107049994

Gelman, A. (2006). Prior distributions for variance parameters in hierarchical models. Bayesian
Analysis 1, 515-534. https://doi.org/10.1214/06-BA117A

Binder, D. A., Hidiroglou, M. A. (1988). Sampling in time. Handbook of Statistics 6, 187-211.
https://doi.org/10.1016/S0169-7161(88)06010-5
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]
Codes = NDArray[np.intp]

_GRID = 400  # variances of a move that are tried, before the best is sharpened
_LEAST = 1e-6  # of the mean variance of a difference: the least variance of a move above 0
_FAR = 1e6  # of the largest square of a difference: the largest variance of a move
_LIKELY = 25  # variances of a move that levels are averaged over
_ROUNDING = 1e-12  # of the largest variance


@dataclass(frozen=True, eq=False)
class SeriesOfScores:
    """Scores of units over the periods, with the covariance of their sampling errors.

    Attributes
    ----------
    score
        (units, periods, entries)
    covariance
        (units, periods, periods, entries)
    measured
        Whether a unit was measured in a period, (units, periods); scores that are carried on are
        not.
    known
        Whether all measured scores have an error, (units, entries).
    steps
        When the periods were, (periods,).
    family
        The level of each unit, whose units have one variance of moves, (units,).
    """

    score: Floats
    covariance: Floats
    measured: Truths
    known: Truths
    steps: Floats
    family: Codes


@dataclass(frozen=True, eq=False)
class LocalLevels:
    """Levels of units over the periods.

    Attributes
    ----------
    level, error
        The level given all scores and its standard error, (units, periods, entries); NaN where a
        unit was not measured, or has a score without an error.
    innovation, innovation_error
        What the scores before do not let expect, and its standard error; NaN in the first period.
    move
        Variance of a move in a step of time, (levels, entries); NaN where no unit was measured
        twice.
    changes
        Differences of successive scores that it is learnt from, (levels, entries).
    """

    level: Floats
    error: Floats
    innovation: Floats
    innovation_error: Floats
    move: Floats
    changes: Codes


def local_levels(series: SeriesOfScores) -> LocalLevels:
    """Return the levels behind scores.

    Examples
    --------
    >>> variance = np.diag([1.0, 1.0, 1.0])[None, :, :, None]
    >>> scores = np.array([60.0, 63.0, 60.0])[None, :, None]
    >>> known, seen = np.ones((1, 1), dtype=bool), np.ones((1, 3), dtype=bool)
    >>> series = SeriesOfScores(scores, variance, seen, known, np.arange(3.0), np.zeros(1, int))
    >>> levels = local_levels(series)
    >>> levels.move.round(3), levels.level[0, :, 0].round(3)
    (array([[4.646]]), array([60.235, 62.529, 60.235]))
    """
    parts = list(_parts(series))
    count, entries = int(series.family.max(initial=-1)) + 1, series.score.shape[2]
    move, likely = np.full((count, entries), np.nan), np.full((_LIKELY, count, entries), np.nan)
    changes = np.zeros((count, entries), dtype=np.intp)
    for level in range(count):
        for entry in range(entries):
            own = [part.spectrum(level, entry) for part in parts]
            values, squares = (np.concatenate([each[k] for each in own]) for k in (0, 1))
            changes[level, entry] = len(values)
            if len(values):
                move[level, entry] = variance_of_moves(values, squares)
                likely[:, level, entry] = likely_variances(values, squares)
    arrays = np.full((4, *series.score.shape), np.nan)
    for part in parts:
        part.fill(arrays, move, likely)
    level, error, innovation, innovation_error = arrays
    return LocalLevels(level, error, innovation, innovation_error, move, changes)


def variance_of_moves(values: Floats, squares: Floats) -> float:
    """Return the q of the largest likelihood of independent d ~ N(0, λ + q).

    Parameters
    ----------
    values
        The λ, (terms,), not below 0.
    squares
        The d², (terms,).

    Examples
    --------
    >>> round(variance_of_moves(np.array([1.0, 1.0]), np.array([4.0, 6.0])), 6)
    4.0
    >>> variance_of_moves(np.array([1.0, 1.0]), np.array([0.5, 1.0]))
    0.0
    """
    grid = _grid(values, squares, 1.0)
    each = _deviance(grid, values, squares)
    best = int(each.argmin())
    if best == 0:
        return 0.0
    ends = (float(grid[best - 1]), float(grid[min(best + 1, _GRID)]))
    sharp = minimize_scalar(
        lambda q: _deviance(np.array([q]), values, squares)[0],
        bounds=ends,
        method="bounded",
        options={"xatol": 1e-9 * ends[1]},
    )
    return float(sharp.x) if sharp.fun < each[best] else float(grid[best])


def likely_variances(values: Floats, squares: Floats) -> Floats:
    """Return quantiles of q by the likelihood of independent d ~ N(0, λ + q), flat in √q.

    Examples
    --------
    >>> many = likely_variances(np.full(2_000, 1.0), np.full(2_000, 5.0))
    >>> round(float(many.mean()), 1), bool(likely_variances(np.ones(1), np.ones(1))[-1] > 100)
    (4.0, True)
    """
    grid = _grid(values, squares, _FAR)
    deviance = _deviance(grid, values, squares)
    density = np.exp(-0.5 * (deviance - deviance.min()))
    roots = np.sqrt(grid)
    mass = np.concatenate([[0.0], np.cumsum(np.diff(roots) * (density[1:] + density[:-1]) / 2)])
    chances = (np.arange(_LIKELY) + 0.5) / _LIKELY
    return np.asarray(np.interp(chances, mass / mass[-1], roots) ** 2)


def _grid(values: Floats, squares: Floats, far: float) -> Floats:
    """Return 0 and variances of a move up to `far` times the largest square, ascending."""
    scale = float(values.mean())
    high = far * max(float(squares.max()), scale)
    return np.concatenate([[0.0], np.geomspace(_LEAST * scale, high, _GRID)])


def _deviance(q: Floats, values: Floats, squares: Floats) -> Floats:
    """Return minus twice the log-likelihood but for a constant, (q,)."""
    total = values + q[:, None]
    return np.asarray((np.log(total) + squares / total).sum(axis=1))


@dataclass(frozen=True, eq=False)
class _AlikeUnits:
    """Units that were measured in the same periods.

    Attributes
    ----------
    series
        All of them.
    units
        Places of the units, (units,).
    periods
        Places of the periods, (measured,), at least one.
    """

    series: SeriesOfScores
    units: Codes
    periods: Codes

    @cached_property
    def score(self) -> Floats:
        """(units, entries, measured)."""
        return np.moveaxis(self.series.score[np.ix_(self.units, self.periods)], 2, 1)

    @cached_property
    def covariance(self) -> Floats:
        """(units, entries, measured, measured)."""
        own = self.series.covariance[np.ix_(self.units, self.periods, self.periods)]
        return np.moveaxis(own, 3, 1)

    @cached_property
    def apart(self) -> Floats:
        """Time between successive measurements, (measured - 1,)."""
        return np.diff(self.series.steps[self.periods])

    @cached_property
    def known(self) -> Truths:
        """Whether scores have errors, (units, entries); not those of error 0."""
        variance = np.diagonal(self.covariance, axis1=2, axis2=3)
        return self.series.known[self.units] & (variance > 0).all(axis=2)

    @cached_property
    def _rotation(self) -> tuple[Floats, Floats]:
        """``λ`` and U of ``Δ^-½ D V D' Δ^-½``, (units, entries, changes) and with two of them."""
        differences = np.diff(np.diff(self.covariance, axis=2), axis=3)
        differences /= np.sqrt(np.outer(self.apart, self.apart))
        differences[~self.known] = np.eye(len(self.apart))
        values, vectors = np.linalg.eigh(differences)
        floor = _ROUNDING * values[..., -1:]
        return np.maximum(values, floor), vectors

    def _rotated(self) -> Floats:
        """``U' Δ^-½ d``, (units, entries, changes)."""
        scaled = np.diff(self.score, axis=2) / np.sqrt(self.apart)
        return np.asarray((self._rotation[1] * scaled[..., None]).sum(axis=2))

    def spectrum(self, level: int, entry: int) -> tuple[Floats, Floats]:
        """Return λ and squares of d of the units of a level, (terms,) each."""
        own = self.known[:, entry] & (self.series.family[self.units] == level)
        values, rotated = self._rotation[0][own, entry], self._rotated()[own, entry]
        return values.ravel(), (rotated**2).ravel()

    def fill(self, arrays: Floats, move: Floats, likely: Floats) -> None:
        """Write level, error, innovation and its error of these units, (4, …)."""
        family = self.series.family[self.units]
        level, error = self._levels(np.nan_to_num(likely[:, family]))
        innovation, innovation_error = self._innovations(np.nan_to_num(move[family]))
        for which, values, first in (
            (0, level, 0), (1, error, 0), (2, innovation, 1), (3, innovation_error, 1),
        ):  # fmt: skip
            place = np.ix_(self.units, self.periods[first:])
            shown = np.where(self.known[..., None], values, np.nan)
            arrays[which][place] = np.moveaxis(shown, 1, 2)

    def _levels(self, likely: Floats) -> tuple[Floats, Floats]:
        """Return levels and errors averaged over variances of a move, (variances, …)."""
        values, vectors = self._rotation
        spread = np.diff(self.covariance, axis=3) @ (vectors / np.sqrt(self.apart)[:, None])
        sampling = np.diagonal(self.covariance, axis1=2, axis2=3)
        rotated, first, second, variance = self._rotated(), *np.zeros((3, *self.score.shape))
        for q in likely:
            weights = 1.0 / (values + q[..., None])
            level = self.score - (spread @ (weights * rotated)[..., None])[..., 0]
            first += level - self.score
            second += (level - self.score) ** 2
            variance += sampling - ((spread**2) * weights[..., None, :]).sum(axis=3)
        count = len(likely)
        between = second / count - (first / count) ** 2
        return self.score + first / count, np.sqrt(np.maximum(variance / count + between, 0.0))

    def _innovations(self, move: Floats) -> tuple[Floats, Floats]:
        """Return innovations and their standard errors, (units, entries, changes) each."""
        values, vectors = self._rotation
        roots = vectors * np.sqrt(values + move[..., None])[..., None, :]
        roots *= np.sqrt(self.apart)[:, None]
        lower = np.swapaxes(np.linalg.qr(np.swapaxes(roots, 2, 3), mode="r"), 2, 3)
        error = np.diagonal(lower, axis1=2, axis2=3)
        standard = np.linalg.solve(lower, np.diff(self.score, axis=2)[..., None])[..., 0]
        return standard * error, abs(error)


def _parts(series: SeriesOfScores) -> Iterator[_AlikeUnits]:
    """Yield the units by the periods in which they were measured."""
    patterns, number = np.unique(series.measured, axis=0, return_inverse=True)
    number = np.ravel(number)
    for place, pattern in enumerate(patterns):
        if pattern.any():
            yield _AlikeUnits(series, np.flatnonzero(number == place), np.flatnonzero(pattern))
