"""Cox's proportional hazard of all draws at once, by Newton's method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.glm import LARGEST_STEP, newton_step, take
from csimodel.outcomes.kernels.kernel import Ending, Regressions, Samples
from csimodel.outcomes.kernels.risk_sets import RiskSets

Floats = NDArray[np.float64]

_ENDLESS = 15.0  # size of a standardised coefficient at which the likelihood has no maximum


class HazardTerms(NamedTuple):
    """What the likelihood is made of at given coefficients; a part is a slot, or by Efron an event.

    Attributes
    ----------
    share
        Weight of the events that each part stands for, ω, (draws, parts).
    fraction
        How much of the tied events is taken out of the risk set, l/m, (draws, parts) or 0.
    total
        Σ w exp(η) over the risk set less that, (draws, parts).
    means
        Weighted mean of each regressor in it, each (draws, parts).
    risk
        w exp(η), (draws, counted).
    """

    share: Floats
    fraction: Floats | float
    total: Floats
    means: list[Floats]
    risk: Floats


@dataclass(frozen=True, eq=False)
class Hazards:
    """Coefficients of a batch of Cox regressions.

    Attributes
    ----------
    coefficients
        Logarithms of hazard ratios, (draws, regressors).
    information
        Less the second derivatives of the likelihood there, (draws, regressors, regressors).
    loglik
        Logarithm of the partial likelihood there, (draws,).
    ending
        An `Ending` for each draw, (draws,).
    """

    coefficients: Floats
    information: Floats
    loglik: Floats
    ending: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cox:
    """A proportional hazard: a `Kernel` without a constant, whose outcome is in the risk sets.

    Attributes
    ----------
    risk
        Who is at risk when.
    start
        Where draws start, (regressors,).
    efron
        Ties by Efron, else by Breslow.
    """

    risk: RiskSets
    start: Floats
    efron: bool
    extra: int = 0

    @property
    def terms(self) -> int:
        """Number of coefficients."""
        return len(self.start)

    def fit(self, samples: Samples) -> Regressions:
        """Fit each of the samples; see `cox_draws`."""
        part = cox_draws(self.risk, samples.columns, samples.weights, self.start, self.efron)
        without = np.full(len(part.ending), np.nan)
        return Regressions(part.coefficients, without, part.ending)


def cox_draws(
    risk: RiskSets,
    regressors: Sequence[Floats],
    weights: Floats,
    start: Floats,
    efron: bool,
    *,
    tolerance: float = 1e-9,
    max_iterations: int = 40,
) -> Hazards:
    """Fit one weighted Cox regression for each draw.

    With D the events of a slot, m their number, R its risk set and r = w exp(η), the logarithm of
    the likelihood is ``Σ_D w η - Σ_{l<m} w̄_D log(Σ_R r - (l/m) Σ_D r)`` summed over slots (Efron),
    w̄ the mean weight in D; Breslow leaves out l/m. A weight counts in m when it is above 0.
    statsmodels' PHReg gives the same coefficients, but takes no weights and one sample at a time.

    Parameters
    ----------
    risk
        Who is at risk when.
    regressors
        About standardised, in risk order, each (draws, rows) or (rows,).
    weights
        How much each respondent counts in each draw, (draws, rows).
    start
        Coefficients to start from, (regressors,).
    efron
        Ties by Efron, else by Breslow.
    tolerance, max_iterations
        As in `regress_draws`.

    References
    ----------
    Cox, D. R. (1972). Regression models and life-tables. Journal of the Royal Statistical Society
    B 34, 187-220. https://doi.org/10.1111/j.2517-6161.1972.tb00899.x

    Efron, B. (1977). The efficiency of Cox's likelihood function for censored data. Journal of the
    American Statistical Association 72, 557-565. https://doi.org/10.1080/01621459.1977.10480613

    Breslow, N. (1974). Covariance analysis of censored survival data. Biometrics 30, 89-99.
    https://doi.org/10.2307/2529620
    """
    draws, size = len(weights), len(start)
    coefficients = np.full((draws, size), np.nan)
    information = np.full((draws, size, size), np.nan)
    loglik = np.full(draws, np.nan)
    ending = np.full(draws, int(Ending.NOT_CONVERGED))
    some = weights[:, risk.events].sum(axis=1) > 0
    ending[~some] = Ending.ONE_OUTCOME
    left = np.flatnonzero(some)
    cut = [x[..., : risk.counted] for x in regressors]
    (w,), x = take([weights[:, : risk.counted]], some), take(cut, some)
    b = np.tile(start, (len(left), 1))
    for iteration in range(max_iterations):
        if not len(left):
            break
        terms = terms_of(risk, b, x, w, efron)
        gradient, hessian = _equations(risk, terms, x, w)
        step, solved = newton_step(gradient, hessian)
        largest = np.abs(step).max(axis=1)
        step *= np.minimum(1.0, LARGEST_STEP / np.maximum(largest, LARGEST_STEP))[:, None]
        done = solved & (largest < tolerance)
        endless = np.abs(b).max(axis=1) > _ENDLESS
        gone = done | ~solved | endless
        coefficients[left[gone]] = (b + step)[gone]
        information[left[gone]] = hessian[gone]
        loglik[left[done]] = _loglik(risk, terms, b, x, w)[done]
        ending[left[done]] = Ending.CONVERGED
        ending[left[~solved]] = Ending.SINGULAR if iteration == 0 else Ending.NOT_CONVERGED
        ending[left[endless & ~done]] = Ending.SEPARATED
        b = b + step
        if gone.any():
            left, b = left[~gone], b[~gone]
            (w,), x = take([w], ~gone), take(x, ~gone)
    return Hazards(coefficients, information, loglik, ending)


def terms_of(risk: RiskSets, b: Floats, x: Sequence[Floats], w: Floats, efron: bool) -> HazardTerms:
    """Return what likelihood, derivatives and cumulative hazard are made of.

    `x` and `w` are of the respondents counted, in risk order.
    """
    r = w * np.exp(_predictor(b, x, w.shape))
    total = risk.at_risk(r)
    first = [risk.at_risk(r * column) for column in x]
    share = risk.at_events(w)
    fraction: Floats | float = 0.0
    if efron and risk.tied:
        slot = risk.event_slot
        number = np.maximum(risk.at_events((w > 0).astype(np.float64))[:, slot], 1.0)
        fraction = np.minimum(risk.event_rank / number, 1.0)
        share = np.where(risk.event_rank < number, share[:, slot] / number, 0.0)
        total = total[:, slot] - fraction * risk.at_events(r)[:, slot]
        first = [
            sums[:, slot] - fraction * risk.at_events(r * column)[:, slot]
            for sums, column in zip(first, x, strict=True)
        ]
    total = np.where(share > 0, total, 1.0)
    return HazardTerms(share, fraction, total, [sums / total for sums in first], r)


def hazard_steps(risk: RiskSets, terms: HazardTerms) -> Floats:
    """Return the steps of the cumulative hazard of η = 0 at each slot, (draws, slots)."""
    return by_slot(risk, terms.share / terms.total)


def by_slot(risk: RiskSets, parts: Floats) -> Floats:
    """Sum parts within slots, (draws, parts) to (draws, slots)."""
    if parts.shape[1] == len(risk.time):
        return parts
    return np.asarray(np.add.reduceat(parts, risk.event_starts, axis=1))


def second_sums(risk: RiskSets, terms: HazardTerms, one: Floats, two: Floats) -> Floats:
    """Return the weighted mean of the product of two regressors in each part, (draws, parts)."""
    product = terms.risk * one * two
    sums = risk.at_risk(product)
    if not isinstance(terms.fraction, float):
        slot = risk.event_slot
        sums = sums[:, slot] - terms.fraction * risk.at_events(product)[:, slot]
    return sums / terms.total


def _predictor(b: Floats, x: Sequence[Floats], shape: tuple[int, ...]) -> Floats:
    eta = np.zeros(shape)
    for j, column in enumerate(x):
        eta += b[:, j, None] * column
    return eta


def _equations(
    risk: RiskSets, terms: HazardTerms, x: Sequence[Floats], w: Floats
) -> tuple[Floats, Floats]:
    size = len(x)
    gradient, hessian = np.empty((len(w), size)), np.empty((len(w), size, size))
    happened = w[:, risk.events]
    for j, column in enumerate(x):
        own = (happened * column[..., risk.events]).sum(axis=1)
        gradient[:, j] = own - (terms.share * terms.means[j]).sum(axis=1)
        for k in range(j, size):
            spread = second_sums(risk, terms, column, x[k]) - terms.means[j] * terms.means[k]
            hessian[:, j, k] = hessian[:, k, j] = (terms.share * spread).sum(axis=1)
    return gradient, hessian


def _loglik(
    risk: RiskSets, terms: HazardTerms, b: Floats, x: Sequence[Floats], w: Floats
) -> Floats:
    eta = _predictor(b, x, w.shape)[:, risk.events]
    own = (w[:, risk.events] * eta).sum(axis=1)
    return np.asarray(own - (terms.share * np.log(terms.total)).sum(axis=1))
