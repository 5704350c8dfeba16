"""One regression for each draw of a batch, all at once, in NumPy.

A draw is a row of weights over the same cells (respondents, merged where they are alike), with
regressors that may differ from draw to draw, as an index with re-estimated weights does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.kernels.influence import Influence
from csimodel.outcomes.kernels.kernel import Ending, Observations, Regressions, Samples
from csimodel.outcomes.kernels.predictor_scores import PredictorScores

Floats = NDArray[np.float64]

LARGEST_STEP = 5.0  # of a coefficient of a standardised regressor, in one Newton step
REGULAR = 1e-13  # smallest eigenvalue of an information matrix with unit diagonal
_SATURATED = 3e-7  # distance from 0 or 1 at which a fitted probability counts as certain


@dataclass(frozen=True, eq=False)
class GeneralisedLinear:
    """A regression with one function of η for the mean: a `Kernel`.

    Attributes
    ----------
    family
        Mean and information as functions of η.
    start
        Where draws start, (1 + regressors,).
    whole
        Whether samples with one outcome throughout are set aside; a part of a regression, such as
        a segment, may have one.
    """

    family: Family
    start: Floats
    whole: bool = True
    extra: int = 0

    @property
    def terms(self) -> int:
        """Number of coefficients."""
        return len(self.start)

    def fit(self, samples: Samples) -> Regressions:
        """Fit each of the samples; see `regress_draws`."""
        _, columns, weights, (outcome,) = samples
        fit = regress_draws if self.whole else score_draws
        return fit(self.family, outcome, columns, weights, self.start)

    def influence(self, sample: Observations, estimates: Regressions) -> Influence:
        """Return what rows add to the coefficients; see `PredictorScores`."""
        design, outcome, weights, respondents = sample
        b = estimates.coefficients[0]
        scores = PredictorScores.of(self.family, design, outcome, weights, b, respondents)
        return scores.influence

    def predict(self, b: Floats, design: Floats, along: Floats | None = None) -> Floats:
        """Return expected outcomes; see `Family.predict`."""
        return self.family.predict(b, design, along)

    def outcomes(self, outcome: Floats) -> list[Floats]:
        """Return what samples have of the outcome: itself."""
        return [outcome]

    def to_parameters(self, gradient: Floats) -> Floats:
        """Turn a gradient by the coefficients into one by all that is estimated: the same."""
        return gradient


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

    For the logistic families this is Newton's method. Draws leave the batch when they are done;
    those without a solution from `start` are tried again from zero.

    Parameters
    ----------
    family
        Mean and information as functions of η.
    outcome
        From 0 to 1, (cells,); or where cells hold respondents of different outcomes, their mean
        in each draw, (draws, cells).
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
    varied = varied_draws(outcome, weights)
    (w, y), x = take([weights, outcome], varied), take(regressors, varied)
    fitted = score_draws(family, y, x, w, start, tolerance=tolerance, max_iterations=max_iterations)
    if varied.all():
        return fitted
    coefficients = np.full((len(weights), len(start)), np.nan)
    mean_slope = np.full(len(weights), np.nan)
    ending = np.full(len(weights), int(Ending.ONE_OUTCOME))
    coefficients[varied], mean_slope[varied] = fitted.coefficients, fitted.mean_slope
    ending[varied] = fitted.ending
    return Regressions(coefficients, mean_slope, ending)


def score_draws(
    family: Family,
    outcome: Floats,
    regressors: Sequence[Floats],
    weights: Floats,
    start: Floats,
    *,
    tolerance: float = 1e-9,
    max_iterations: int = 40,
) -> Regressions:
    """Fit as `regress_draws`, draws with one outcome throughout as all others."""
    draws, size = len(weights), len(start)
    coefficients = np.full((draws, size), np.nan)
    mean_slope = np.full(draws, np.nan)
    ending = np.full(draws, int(Ending.NOT_CONVERGED))
    left, w, y, x = np.arange(draws), weights, outcome, list(regressors)
    b = np.tile(start, (draws, 1))
    for iteration in range(max_iterations):
        if not len(left):
            break
        eta = predictor_of(b, x, w.shape)
        score, information, slope = family.working(eta, y)
        gradient, hessian = normal_equations(score * w, information * w, x)
        step, solved = newton_step(gradient, hessian)
        largest = np.abs(step).max(axis=1)
        step *= (LARGEST_STEP / np.maximum(largest, LARGEST_STEP))[:, None]
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
            unsolved = Ending.SINGULAR if iteration == 0 else Ending.NOT_CONVERGED
            ending[left[gone]] = np.where(
                _saturated(family, eta[gone], w[gone]),
                Ending.SEPARATED,
                np.where(solved[gone], Ending.NOT_CONVERGED, unsolved),
            )
            coefficients[left[gone]] = b[gone]
        stay = ~(done | gone)
        if not stay.all():
            left, b = left[stay], b[stay]
            (w, y), x = take([w, y], stay), take(x, stay)
    lost = ending != Ending.CONVERGED
    if lost.any() and np.any(start):
        (w, y), x = take([weights, outcome], lost), take(regressors, lost)
        again = score_draws(
            family, y, x, w, np.zeros(size), tolerance=tolerance, max_iterations=max_iterations
        )
        coefficients[lost], mean_slope[lost] = again.coefficients, again.mean_slope
        ending[lost] = again.ending
    return Regressions(coefficients, mean_slope, ending)


def average_along(
    function: Callable[[Floats], Floats],
    predictor: Sequence[Floats],
    weights: Floats,
    levels: Floats,
    *,
    times_slope: bool = False,
) -> Floats:
    """Return a function of η averaged over each draw's cells, η a polynomial in an index.

    Parameters
    ----------
    function
        Of η: a family's mean or slope.
    predictor
        What in η is multiplied by 1, by the index, by its square, …; each (draws, cells) or
        (draws, 1).
    weights
        How much each cell counts in each draw, (draws, cells).
    levels
        Where the index is set, (levels,), or for each draw its own, (draws, levels).
    times_slope
        Multiply by the derivative of η by the index.

    Returns
    -------
    (draws, levels)
    """
    share = weights / weights.sum(axis=1, keepdims=True)
    alone = all(part.shape[1] == 1 for part in predictor)
    levels = np.broadcast_to(levels, (len(weights), levels.shape[-1]))
    rising = [power * part for power, part in enumerate(predictor[1:], 1)]
    averages = np.empty(levels.shape)
    for position in range(levels.shape[1]):
        level = levels[:, position, None]
        values = function(_polynomial(predictor, level))
        if times_slope:
            values = values * _polynomial(rising, level)
        averages[:, position] = values[:, 0] if alone else np.einsum("dc,dc->d", values, share)
    return averages


def _polynomial(parts: Sequence[Floats], level: Floats) -> Floats:
    value = parts[-1]
    for part in parts[-2::-1]:
        value = value * level + part
    return value


def _saturated(family: Family, eta: Floats, weights: Floats) -> NDArray[np.bool_]:
    """Mark the draws with a fitted probability of 0 or 1."""
    if not family.bounded:
        return np.zeros(len(eta), dtype=bool)
    mean = family.mean(eta)
    distance = np.where(weights > 0, np.minimum(mean, 1.0 - mean), 1.0)
    return np.asarray(distance.min(axis=1) < _SATURATED)


def varied_draws(outcome: Floats, weights: Floats) -> NDArray[np.bool_]:
    """Mark the draws whose outcomes are not all the same."""
    with np.errstate(invalid="ignore", divide="ignore"):
        total = weights.sum(axis=1)
        mean = dot_cells(weights, outcome) / total
        if outcome.ndim == 2:  # means, which may agree where respondents do not
            return np.asarray((mean > 1e-12) & (mean < 1.0 - 1e-12))
        return np.asarray(weights @ outcome**2 / total - mean**2 > 1e-12)


def take(arrays: Sequence[Floats], keep: NDArray[np.bool_]) -> list[Floats]:
    """Keep some draws; arrays that are the same for all draws stay as they are."""
    if keep.all():
        return list(arrays)
    return [array[keep] if array.ndim == 2 else array for array in arrays]


def predictor_of(b: Floats, regressors: Sequence[Floats], shape: tuple[int, ...]) -> Floats:
    """Return η, (draws, cells)."""
    eta = np.empty(shape)
    eta[:] = b[:, :1]
    for j, x in enumerate(regressors):
        eta += b[:, 1 + j, None] * x
    return eta


def normal_equations(
    score: Floats, information: Floats, regressors: Sequence[Floats]
) -> tuple[Floats, Floats]:
    """Return the gradient, (draws, k), and the information, (draws, k, k), of every draw."""
    size = 1 + len(regressors)
    gradient = np.empty((len(score), size))
    hessian = np.empty((len(score), size, size))
    gradient[:, 0] = score.sum(axis=1)
    hessian[:, 0, 0] = information.sum(axis=1)
    for j, x in enumerate(regressors, 1):
        gradient[:, j] = dot_cells(score, x)
        weighted = information * x
        hessian[:, 0, j] = hessian[:, j, 0] = weighted.sum(axis=1)
        for k in range(j, size):
            hessian[:, j, k] = hessian[:, k, j] = dot_cells(weighted, regressors[k - 1])
    return gradient, hessian


def dot_cells(a: Floats, x: Floats) -> Floats:
    """Return the sum over cells of a product, (draws,); `x` is (draws, cells) or (cells,)."""
    return np.asarray(a @ x if x.ndim == 1 else np.einsum("dc,dc->d", a, x))


def newton_step(gradient: Floats, hessian: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return Newton steps, (draws, k), and which draws have one; steps of the others are 0."""
    step = np.zeros_like(gradient)
    diagonal = np.diagonal(hessian, axis1=1, axis2=2)
    solved = np.asarray((diagonal > 0).all(axis=1))
    scale = np.sqrt(diagonal[solved])
    unit = hessian[solved] / (scale[:, :, None] * scale[:, None, :])
    # A small determinant of a large matrix need not be a small eigenvalue.
    with np.errstate(invalid="ignore"):
        regular = np.linalg.det(unit) > REGULAR
    doubtful = ~regular & np.isfinite(unit).all(axis=(1, 2))
    if unit.shape[1] > 3 and doubtful.any():
        regular[doubtful] = np.linalg.eigvalsh(unit[doubtful])[:, 0] > REGULAR
    solved[solved] = regular
    scale = scale[regular]
    right = gradient[solved] / scale
    step[solved] = np.linalg.solve(unit[regular], right[:, :, None])[:, :, 0] / scale
    return step, solved
