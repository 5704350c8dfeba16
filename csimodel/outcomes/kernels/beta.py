"""Beta regression of all draws at once: a mean on the logit scale and one precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.families import BETA, logistic
from csimodel.outcomes.kernels.glm import (
    LARGEST_STEP,
    dot_cells,
    newton_step,
    normal_equations,
    predictor_of,
    take,
)
from csimodel.outcomes.kernels.influence import Influence, pieces_influence
from csimodel.outcomes.kernels.kernel import Ending, Observations, Regressions, Samples

Floats = NDArray[np.float64]


class BetaTerms(NamedTuple):
    """Derivatives of the log-likelihood by η and by τ = log φ, and the information about them."""

    by_eta: Floats
    by_tau: Floats
    eta_eta: Floats
    eta_tau: Floats
    tau_tau: Floats
    slope: Floats


def beta_terms(
    eta: Floats, tau: Floats, log_odds: Floats, log_rest: Floats, *, expected: bool
) -> BetaTerms:
    """Return what a beta regression's step and its errors are made of.

    The density of y is ``Γ(φ)/(Γ(μφ)Γ((1-μ)φ)) y^(μφ-1) (1-y)^((1-μ)φ-1)``.

    Parameters
    ----------
    eta
        Logit of the mean μ.
    tau
        Logarithm of the precision φ, of a shape that broadcasts with `eta`.
    log_odds, log_rest
        ``log(y/(1-y))`` and ``log(1-y)``, or their means over alike respondents.
    expected
        Take the expected information, which is positive everywhere, instead of the observed.

    References
    ----------
    Ferrari, S., Cribari-Neto, F. (2004). Beta regression for modelling rates and proportions.
    Journal of Applied Statistics 31, 799-815. https://doi.org/10.1080/0266476042000214501
    """
    from scipy.special import psi, zeta

    mean = np.clip(logistic(eta), 1e-10, 1.0 - 1e-10)
    rest, precision = 1.0 - mean, np.exp(np.clip(tau, -20.0, 20.0))
    slope = mean * rest
    above, below = psi(mean * precision), psi(rest * precision)
    bent, bent_rest = zeta(2.0, mean * precision), zeta(2.0, rest * precision)  # trigamma
    off = log_odds - (above - below)
    by_precision = mean * off + log_rest - below + psi(precision)
    surprise = 0.0 if expected else 1.0
    tilt = mean * bent - rest * bent_rest
    spread = mean**2 * bent + rest**2 * bent_rest - zeta(2.0, precision)
    return BetaTerms(
        by_eta=precision * off * slope,
        by_tau=precision * by_precision,
        eta_eta=(precision * slope) ** 2 * (bent + bent_rest)
        - surprise * precision * off * slope * (rest - mean),
        eta_tau=precision * slope * (precision * tilt - surprise * off),
        tau_tau=precision**2 * spread - surprise * precision * by_precision,
        slope=slope,
    )


@dataclass(frozen=True, eq=False)
class Beta:
    """A share between 0 and 1: a `Kernel` whose further parameter is the logarithm of precision.

    Its outcomes are ``log(y/(1-y))`` and ``log(1-y)``.

    Attributes
    ----------
    start
        Coefficients and the logarithm of the precision, (2 + regressors,).
    """

    start: Floats
    extra: int = 1

    @property
    def terms(self) -> int:
        """Number of coefficients."""
        return len(self.start) - 1

    def fit(self, samples: Samples) -> Regressions:
        """Fit each of the samples; see `beta_draws`."""
        return beta_draws(samples.outcomes, samples.columns, samples.weights, self.start)

    def influence(self, sample: Observations, estimates: Regressions) -> Influence:
        """Return what rows add to coefficients and log precision, by the observed information."""
        X, outcome, weights, _ = sample
        assert estimates.further is not None
        eta, tau = X @ estimates.coefficients[0], estimates.further[0]
        terms = beta_terms(eta, tau, *beta_statistics(outcome), expected=False)
        score = np.column_stack([X * terms.by_eta[:, None], terms.by_tau])
        rows, k = X.shape
        pieces = np.empty((rows, k + 1, k + 1))
        pieces[:, :k, :k] = terms.eta_eta[:, None, None] * X[:, :, None] * X[:, None, :]
        pieces[:, :k, k] = pieces[:, k, :k] = terms.eta_tau[:, None] * X
        pieces[:, k, k] = terms.tau_tau
        return pieces_influence(score, pieces, weights)

    def predict(self, b: Floats, design: Floats, along: Floats | None = None) -> Floats:
        """Return expected outcomes; see `Family.predict`."""
        return BETA.predict(b, design, along)

    def outcomes(self, outcome: Floats) -> list[Floats]:
        """Return what samples have of the outcome."""
        return list(beta_statistics(outcome))

    def to_parameters(self, gradient: Floats) -> Floats:
        """Turn a gradient by the coefficients into one by all that is estimated."""
        return np.hstack([gradient, np.zeros((len(gradient), 1))])


def beta_statistics(outcome: Floats) -> tuple[Floats, Floats]:
    """Return ``log(y/(1-y))`` and ``log(1-y)``."""
    return np.log(outcome) - np.log1p(-outcome), np.log1p(-outcome)


def beta_draws(
    statistics: Sequence[Floats],
    regressors: Sequence[Floats],
    weights: Floats,
    start: Floats,
    *,
    tolerance: float = 1e-9,
    max_iterations: int = 60,
) -> Regressions:
    """Fit one weighted beta regression for each draw by Fisher scoring.

    Parameters
    ----------
    statistics
        ``log(y/(1-y))`` and ``log(1-y)``, each (cells,), or their means in each draw where cells
        hold respondents of different outcomes, (draws, cells).
    regressors, weights, tolerance, max_iterations
        As in `regress_draws`.
    start
        Coefficients and the logarithm of the precision to start from, (2 + regressors,).
    """
    draws, size = len(weights), len(start)
    parameters = np.full((draws, size), np.nan)
    mean_slope = np.full(draws, np.nan)
    ending = np.full(draws, int(Ending.NOT_CONVERGED))
    left = np.arange(draws)
    w, x, y = weights, list(regressors), list(statistics)
    b = np.tile(start, (draws, 1))
    for iteration in range(max_iterations):
        if not len(left):
            break
        eta = predictor_of(b[:, :-1], x, w.shape)
        terms = beta_terms(eta, b[:, -1:], y[0], y[1], expected=True)
        gradient, hessian = _equations(terms, w, x)
        step, solved = newton_step(gradient, hessian)
        largest = np.abs(step).max(axis=1)
        step *= (LARGEST_STEP / np.maximum(largest, LARGEST_STEP))[:, None]
        done = solved & (largest < tolerance)
        b += step
        gone = done | ~solved
        parameters[left[gone]] = b[gone]
        mean_slope[left[done]] = np.einsum("dc,dc->d", terms.slope, w)[done] / w[done].sum(axis=1)
        ending[left[done]] = Ending.CONVERGED
        ending[left[~solved]] = Ending.SINGULAR if iteration == 0 else Ending.NOT_CONVERGED
        if gone.any():
            left, b = left[~gone], b[~gone]
            (w,), x, y = take([w], ~gone), take(x, ~gone), take(y, ~gone)
    return Regressions(parameters[:, :-1], mean_slope, ending, parameters[:, -1:])


def beta_start(outcome: Floats, weights: Floats, eta: Floats) -> float:
    """Return a first logarithm of the precision from what a logit leaves over."""
    mean = BETA.mean(eta)
    variance = float(weights @ (outcome - mean) ** 2 / weights.sum())
    expected = float(weights @ (mean * (1.0 - mean)) / weights.sum())
    return float(np.log(max(expected / max(variance, 1e-9) - 1.0, 0.1)))


def _equations(terms: BetaTerms, w: Floats, x: list[Floats]) -> tuple[Floats, Floats]:
    """Return the gradient, (draws, k), and the information, (draws, k, k)."""
    gradient, inner = normal_equations(terms.by_eta * w, terms.eta_eta * w, x)
    crossed = terms.eta_tau * w
    side = np.stack([crossed.sum(axis=1), *(dot_cells(crossed, column) for column in x)], axis=1)
    last = (terms.tau_tau * w).sum(axis=1)
    k = inner.shape[1]
    hessian = np.empty((len(w), k + 1, k + 1))
    hessian[:, :k, :k] = inner
    hessian[:, k, :k] = hessian[:, :k, k] = side
    hessian[:, k, k] = last
    by_tau = (terms.by_tau * w).sum(axis=1)
    return np.column_stack([gradient, by_tau]), hessian
