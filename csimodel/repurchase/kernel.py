"""One regression for each draw of a batch, all at once, in NumPy.

A draw is a row of weights over the same cells (respondents, merged where they are alike), with
regressors that may differ from draw to draw, as an index with re-estimated weights does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from csimodel.repurchase.families import Family

Floats = NDArray[np.float64]

_LARGEST_STEP = 5.0  # of a coefficient of a standardised regressor, in one Newton step
_SINGULAR = 1e-13  # determinant of an information matrix with unit diagonal
_SATURATED = 15.0  # |η| at which a fitted probability is 0 or 1 but for 3e-7


class Ending(IntEnum):
    """How the regression of one draw ended; only CONVERGED gives numbers to use."""

    CONVERGED = 0
    NOT_CONVERGED = 1
    SEPARATED = 2
    SINGULAR = 3
    ONE_OUTCOME = 4
    NO_FIT = 5

    @property
    def reason(self) -> str:
        """The ending in words."""
        return {
            Ending.CONVERGED: "converged",
            Ending.NOT_CONVERGED: "regression not converged",
            Ending.SEPARATED: "outcomes separated by the regressors",
            Ending.SINGULAR: "a regressor without variation of its own",
            Ending.ONE_OUTCOME: "every outcome the same",
            Ending.NO_FIT: "no solution of the model",
        }[self]


@dataclass(frozen=True, eq=False)
class Regressions:
    """Coefficients of a batch of regressions.

    Attributes
    ----------
    coefficients
        (draws, 1 + regressors), the constant first.
    mean_slope
        Mean of μ'(η) over the draw's respondents, (draws,): times a coefficient, the average
        marginal effect.
    ending
        An `Ending` for each draw, (draws,).
    """

    coefficients: Floats
    mean_slope: Floats
    ending: NDArray[np.int64]


def regress_draws(
    family: Family,
    outcome: Floats,
    regressors: Sequence[Floats],
    weights: Floats,
    start: Floats,
    *,
    tolerance: float = 1e-9,
    max_iterations: int = 40,
) -> Regressions:
    """Fit one weighted regression for each draw by Fisher scoring.

    For the logistic families this is Newton's method. Draws leave the batch when they are done.

    Parameters
    ----------
    family
        Mean and information as functions of η.
    outcome
        From 0 to 1, (cells,).
    regressors
        Without the constant, each (draws, cells) or (cells,); about standardised, so that
        `tolerance` means the same for all.
    weights
        How much each cell counts in each draw, (draws, cells).
    start
        Coefficients to start from, (1 + regressors,).
    tolerance
        Largest last step of a coefficient.
    max_iterations
        After which a draw is given up.
    """
    draws, size = len(weights), len(start)
    coefficients = np.full((draws, size), np.nan)
    mean_slope = np.full(draws, np.nan)
    ending = np.full(draws, int(Ending.NOT_CONVERGED))
    varied = _varied(outcome, weights)
    ending[~varied] = Ending.ONE_OUTCOME
    left = np.flatnonzero(varied)
    w, x = _take(weights, regressors, varied)
    b = np.tile(start, (len(left), 1))
    for iteration in range(max_iterations):
        if not len(left):
            break
        eta = _predictor(b, x, w.shape)
        score, information, slope = family.working(eta, outcome)
        gradient, hessian = _normal_equations(score * w, information * w, x)
        step, solved = _solve(gradient, hessian)
        largest = np.abs(step).max(axis=1)
        step *= np.minimum(1.0, _LARGEST_STEP / np.maximum(largest, _LARGEST_STEP))[:, None]
        done = solved & (largest < tolerance)
        b += step
        if done.any():
            coefficients[left[done]] = b[done]
            total = np.einsum("dc,dc->d", slope[done], w[done])
            mean_slope[left[done]] = total / w[done].sum(axis=1)
            ending[left[done]] = Ending.CONVERGED
        gone = ~solved
        if iteration == max_iterations - 1:
            gone |= ~done
        if gone.any():
            reach = np.where(w[gone] > 0, np.abs(eta[gone]), 0.0).max(axis=1)
            unsolved = Ending.SINGULAR if iteration == 0 else Ending.NOT_CONVERGED
            ending[left[gone]] = np.where(
                reach > _SATURATED,
                Ending.SEPARATED,
                np.where(solved[gone], Ending.NOT_CONVERGED, unsolved),
            )
            coefficients[left[gone]] = b[gone]
        stay = ~(done | gone)
        if not stay.all():
            left, b = left[stay], b[stay]
            w, x = _take(w, x, stay)
    return Regressions(coefficients, mean_slope, ending)


def average_at(
    function: Callable[[Floats], Floats],
    coefficients: Floats,
    regressors: Sequence[Floats],
    weights: Floats,
    moved: int,
    levels: Floats,
) -> Floats:
    """Return a function of η averaged over each draw's cells, one regressor set to a level.

    Parameters
    ----------
    function
        Of η: a family's mean or slope.
    coefficients
        (draws, 1 + regressors)
    regressors, weights
        As in `regress_draws`.
    moved
        Position of the regressor that is set.
    levels
        Where to, (levels,).

    Returns
    -------
    (draws, levels)
    """
    without = coefficients.copy()
    without[:, 1 + moved] = 0.0
    others = _predictor(without, regressors, weights.shape)
    share = weights / weights.sum(axis=1, keepdims=True)
    reached = coefficients[:, 1 + moved, None] * levels
    found = np.empty(reached.shape)
    for position in range(len(levels)):
        values = function(others + reached[:, position, None])
        found[:, position] = np.einsum("dc,dc->d", values, share)
    return found


def _varied(outcome: Floats, weights: Floats) -> NDArray[np.bool_]:
    """Mark the draws whose outcomes are not all the same."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = weights @ outcome / weights.sum(axis=1)
        second = weights @ outcome**2 / weights.sum(axis=1)
    return np.asarray(second - mean**2 > 1e-12)


def _take(
    weights: Floats, regressors: Sequence[Floats], keep: NDArray[np.bool_]
) -> tuple[Floats, list[Floats]]:
    if keep.all():
        return weights, list(regressors)
    return weights[keep], [x[keep] if x.ndim == 2 else x for x in regressors]


def _predictor(b: Floats, regressors: Sequence[Floats], shape: tuple[int, ...]) -> Floats:
    """Return η, (draws, cells)."""
    eta = np.empty(shape)
    eta[:] = b[:, :1]
    for j, x in enumerate(regressors):
        eta += b[:, 1 + j, None] * x
    return eta


def _normal_equations(
    score: Floats, information: Floats, regressors: Sequence[Floats]
) -> tuple[Floats, Floats]:
    """Return the gradient, (draws, k), and the information, (draws, k, k), of every draw."""
    size = 1 + len(regressors)
    gradient = np.empty((len(score), size))
    hessian = np.empty((len(score), size, size))
    gradient[:, 0] = score.sum(axis=1)
    hessian[:, 0, 0] = information.sum(axis=1)
    for j, x in enumerate(regressors, 1):
        gradient[:, j] = _dot(score, x)
        weighted = information * x
        hessian[:, 0, j] = hessian[:, j, 0] = weighted.sum(axis=1)
        for k in range(j, size):
            hessian[:, j, k] = hessian[:, k, j] = _dot(weighted, regressors[k - 1])
    return gradient, hessian


def _dot(a: Floats, x: Floats) -> Floats:
    return np.asarray(a @ x if x.ndim == 1 else np.einsum("dc,dc->d", a, x))


def _solve(gradient: Floats, hessian: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return Newton steps, (draws, k), and which draws have one; steps of the others are 0."""
    step = np.zeros_like(gradient)
    diagonal = np.diagonal(hessian, axis1=1, axis2=2)
    solved = np.asarray((diagonal > 0).all(axis=1))
    scale = np.sqrt(diagonal[solved])
    unit = hessian[solved] / (scale[:, :, None] * scale[:, None, :])
    regular = np.linalg.det(unit) > _SINGULAR
    solved[solved] = regular
    scale = scale[regular]
    right = gradient[solved] / scale
    step[solved] = np.linalg.solve(unit[regular], right[:, :, None])[:, :, 0] / scale
    return step, solved
