"""Means and covariances from answers with gaps: the saturated and the independence model.

Both maximise the observed-data normal likelihood of `csimodel.moments.incomplete_likelihood`: one
over all means and covariances, by EM and then Newton steps; the other with all covariances 0, in
closed form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csimodel.moments.incomplete_likelihood import (
    Completed,
    Patterns,
    completed,
    first_order,
    information,
    loglik_of,
)
from csimodel.moments.saturated_result import Failure, Saturated
from csimodel.moments.vech import vech_indices
from csimodel.progress import step

__all__ = ["Failure", "Independence", "Saturated", "independence", "saturated", "saturated_gamma"]

Floats = NDArray[np.float64]

_NEAR = 1e-2  # an EM step that lowers the discrepancy by less invites a Newton step
_FLAT = 1e-12  # a Newton step that promises less is the last
_LARGEST = 2500  # parameters beyond which a Newton step costs more than it saves
_SINGULAR = 1e-6  # eigenvalue of the correlations below which their inverse is mostly rounding


@dataclass(frozen=True, eq=False)
class Independence:
    """The baseline model under gaps: each item's own mean and variance, no covariances.

    Attributes
    ----------
    mean, variance
        Of the rows that answered the item, denominator their number, (items,).
    loglik
        Log-likelihood there, with its constant; infinite when an item is constant.
    """

    mean: Floats
    variance: Floats
    loglik: float


def saturated(
    patterns: Patterns,
    start: tuple[ArrayLike, ArrayLike] | None = None,
    *,
    tolerance: float = 1e-10,
    max_iterations: int = 2000,
) -> Saturated:
    """Maximise the observed-data normal likelihood over all means and covariances.

    EM from each item's own mean and variance, or from `start`; once a step changes little,
    Newton's method with the observed information (scoring with the expected one where that is not
    positive definite), shortened until the likelihood does not fall.

    Parameters
    ----------
    patterns
        Of the sample.
    start
        (means, covariances) to begin with, for example the sample's for a resample.
    tolerance
        Stop when no derivative of minus twice the log-likelihood per row, for items of unit
        variance, is larger.
    max_iterations
        Give up after so many steps.

    References
    ----------
    Dempster, A. P., Laird, N. M., Rubin, D. B. (1977). Maximum likelihood from incomplete data via
    the EM algorithm. Journal of the Royal Statistical Society B 39, 1-22.
    https://doi.org/10.1111/j.2517-6161.1977.tb01600.x

    Examples
    --------
    >>> from csimodel.moments.incomplete_likelihood import patterns_of
    >>> answers = [[1.0, 2.0], [2.0, 2.0], [3.0, 5.0], [6.0, np.nan]]
    >>> found = saturated(patterns_of(answers))
    >>> found.mean
    array([3. , 4.5])
    >>> found.cov
    array([[3.5  , 5.25 ],
           [5.25 , 8.375]])
    """
    ruled_out = _ruled_out(patterns)
    if ruled_out is not None:
        return ruled_out
    own = independence(patterns)
    mean, cov = own.mean, np.diag(own.variance)
    if start is not None:
        mean, cov = (np.asarray(part, dtype=np.float64) for part in start)
    done = completed(patterns, mean, cov)
    if done is None:
        mean, cov = own.mean, np.diag(own.variance)
        done = completed(patterns, mean, cov)
        assert done is not None
    near, iterations, fell = _NEAR, 0, np.inf if start is None else 0.0
    settled = _scaled_gradient(done) <= tolerance
    while not settled and iterations < max_iterations:
        iterations += 1
        step()
        moved = _newton(patterns, mean, done) if fell < near else None
        if moved is None:
            near = near / 10.0 if fell < near else near
            moved = _expectation_maximisation(patterns, mean, done)
        if moved is None:
            return _degenerate(patterns, mean, done, iterations)
        fell = done.value - moved.done.value
        mean, done = moved.mean, moved.done
        settled = moved.promise < _FLAT or _scaled_gradient(done) <= tolerance
    failure = None if settled else Failure.NOT_CONVERGED
    loglik, gradient = loglik_of(patterns, done.value), _scaled_gradient(done)
    return Saturated(mean, done.cov, loglik, iterations, gradient, failure)


def independence(patterns: Patterns) -> Independence:
    """Return each item's mean and variance among those who answered it, and their likelihood.

    Examples
    --------
    >>> from csimodel.moments.incomplete_likelihood import patterns_of
    >>> independence(patterns_of([[1.0, 2.0], [3.0, np.nan], [5.0, 8.0]])).mean
    array([3., 5.])
    """
    seen = patterns.observed.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        n = patterns.n @ seen
        mean = patterns.n @ patterns.mean / n
        away = np.where(patterns.observed, patterns.mean - mean, 0.0)
        variance = (patterns.n @ away**2 + (patterns.spread**2).sum(axis=0)) / n
        loglik = -0.5 * float(n @ (np.log(2.0 * np.pi * variance) + 1.0))
    return Independence(mean, variance, loglik)


def saturated_gamma(
    patterns: Patterns,
    mean: ArrayLike,
    cov: ArrayLike,
    robust: bool = True,
    cluster: ArrayLike | None = None,
) -> Floats:
    """Return the covariance matrix of √n (μ̂, vech Σ̂) of the saturated model, (p + p*, p + p*).

    ``H⁻¹`` for normal answers, with H the observed information per row; ``H⁻¹ J H⁻¹`` when
    `robust`, with J the mean of outer products of the scores (squared weights, by cluster if
    given). The second stage of two-stage estimation takes it for Γ. With complete answers the
    robust one is `fourth_moments`.

    Parameters
    ----------
    patterns
        Of the sample.
    mean, cov
        The solution of `saturated`.
    robust
        Whether to allow for answers that are not normal.
    cluster
        Codes of the clusters, one for each row given, those of the patterns by default; for the
        robust one only.

    Raises
    ------
    SurveyError
        When Σ is not positive definite, or the clusters do not fit.

    References
    ----------
    Yuan, K.-H., Bentler, P. M. (2000). Three likelihood-based methods for mean and covariance
    structure analysis with nonnormal missing data. Sociological Methodology 30, 165-200.
    https://doi.org/10.1111/0081-1750.00078

    Savalei, V., Bentler, P. M. (2009). A two-stage approach to missing data: theory and application
    to auxiliary variables. Structural Equation Modeling 16, 477-497.
    https://doi.org/10.1080/10705510903008238

    Examples
    --------
    >>> from csimodel.moments.incomplete_likelihood import patterns_of
    >>> saturated_gamma(patterns_of([[0.0], [0.0], [3.0]]), [1.0], [[2.0]])
    array([[2., 2.],
           [2., 2.]])
    """
    inverse = np.linalg.inv(information(patterns, mean, cov))
    if robust:
        inverse = inverse @ first_order(patterns, mean, cov, cluster) @ inverse
    return np.asarray((inverse + inverse.T) / 2.0)


def _ruled_out(patterns: Patterns) -> Saturated | None:
    """Look for items whose answers leave a mean or a covariance without an estimate."""
    together, seen = patterns.answered, ~np.isnan(patterns.values)
    lowest = np.where(seen, patterns.values, np.inf).min(axis=0)
    highest = np.where(seen, patterns.values, -np.inf).max(axis=0)
    row, column = np.nonzero(np.triu(together == 0))
    failure: tuple[Failure, NDArray[np.intp]]
    if (np.diagonal(together) == 0).any():
        failure = Failure.UNANSWERED_ITEM, np.flatnonzero(np.diagonal(together) == 0)
    elif (lowest == highest).any():
        failure = Failure.CONSTANT_ITEM, np.flatnonzero(lowest == highest)
    elif len(row):
        failure = Failure.NEVER_TOGETHER, np.array([row[0], column[0]])
    else:
        return None
    items = patterns.items
    nothing = np.full(items, np.nan), np.full((items, items), np.nan)
    return Saturated(*nothing, np.nan, 0, np.nan, failure[0], tuple(failure[1].tolist()))


def _degenerate(patterns: Patterns, mean: Floats, done: Completed, iterations: int) -> Saturated:
    """Name the items that carry the direction in which the covariance has no variance."""
    towards = _moved(done)
    sd = np.sqrt(np.diagonal(towards))
    share = np.linalg.eigh(towards / sd / sd[:, None])[1][:, 0] ** 2
    heavy = np.sort(np.argsort(-share, kind="stable")[: max(2, int((share > 0.05).sum()))])
    return Saturated(
        mean,
        done.cov,
        loglik_of(patterns, done.value),
        iterations,
        _scaled_gradient(done),
        Failure.NOT_POSITIVE_DEFINITE,
        tuple(heavy.tolist()),
    )


def _moved(done: Completed) -> Floats:
    """Return the covariance of the completed data."""
    return done.second - np.outer(done.first, done.first)


class _Step(NamedTuple):
    """Where a step leads, and by how much the local parabola promised to lower the discrepancy."""

    mean: Floats
    done: Completed
    promise: float


def _expectation_maximisation(patterns: Patterns, mean: Floats, done: Completed) -> _Step | None:
    """Take the moments of the completed data; None where they are singular."""
    moved = _moved(done)
    if _smallest(moved) < _SINGULAR:
        return None
    then = completed(patterns, mean + done.first, moved)
    return None if then is None else _Step(mean + done.first, then, np.inf)


def _newton(patterns: Patterns, mean: Floats, done: Completed) -> _Step | None:
    """Step towards the top of the local parabola, with the observed or the expected curvature.

    Steps that lower the likelihood are shortened; None when none is left, or items are many.
    """
    size, (row, column) = len(mean), vech_indices(len(mean))
    if size + len(row) > _LARGEST:
        return None
    means, covariances = done.slope
    twice = np.where(row == column, 1.0, 2.0)
    slope = np.concatenate([means, covariances[row, column] * twice])
    for observed in (True, False):
        curvature = 2.0 * information(patterns, mean, done.cov, observed)
        try:
            np.linalg.cholesky(curvature)
        except np.linalg.LinAlgError:
            continue
        step = np.linalg.solve(curvature, -slope)
        promise = -0.5 * float(slope @ step)
        for length in (1.0, 0.5, 0.25, 0.125):
            moved = done.cov.copy()
            moved[row, column] += length * step[size:]
            moved[column, row] = moved[row, column]
            then = completed(patterns, mean + length * step[:size], moved)
            if then is None or _smallest(moved) < _SINGULAR:
                continue
            if then.value <= done.value or promise < _FLAT:
                return _Step(mean + length * step[:size], then, promise)
    return None


def _scaled_gradient(done: Completed) -> float:
    sd = np.sqrt(np.diagonal(done.cov))
    means, covariances = np.abs(done.slope[0]), np.abs(done.slope[1])
    return float(max((means * sd).max(), (covariances * sd * sd[:, None]).max()))


def _smallest(cov: Floats) -> float:
    sd = np.sqrt(np.diagonal(cov))
    return float(np.linalg.eigvalsh(cov / sd / sd[:, None])[0])
