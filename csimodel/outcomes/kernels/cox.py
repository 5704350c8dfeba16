"""Cox's proportional hazard of all draws at once, by Newton's method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.cox_influence import HazardInfluence
from csimodel.outcomes.kernels.glm import LARGEST_STEP, newton_step, take
from csimodel.outcomes.kernels.hazard_terms import HazardTerms, second_sums, terms_of
from csimodel.outcomes.kernels.influence import Influence
from csimodel.outcomes.kernels.kernel import Ending, Observations, Regressions, Samples
from csimodel.outcomes.kernels.risk_sets import RiskSets

Floats = NDArray[np.float64]

_ENDLESS = 15.0  # size of a standardised coefficient at which the likelihood has no maximum


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
    predict: ClassVar[None] = None  # an outcome to expect takes the hazard and a time, too

    @property
    def terms(self) -> int:
        """Number of coefficients."""
        return len(self.start)

    def fit(self, samples: Samples) -> Regressions:
        """Fit each of the samples; see `cox_draws`."""
        return cox_draws(self.risk, samples.columns, samples.weights, self.start, self.efron)

    def hazard(self, sample: Observations, estimates: Regressions) -> HazardInfluence:
        """Return what rows add to coefficients and to the cumulative hazard.

        The hazard is that of a row of zeros, so columns had better be centred.
        """
        order, information = self.risk.order, estimates.information
        assert information is not None
        weights = np.ones(len(order)) if sample.weights is None else sample.weights
        return HazardInfluence(
            self.risk,
            sample.design[order],
            weights[order],
            estimates.solved[0],
            information[0],
            self.efron,
        )

    def influence(self, sample: Observations, estimates: Regressions) -> Influence:
        """Return what rows add to the coefficients."""
        return self.hazard(sample, estimates).influence


def cox_draws(
    risk: RiskSets,
    regressors: Sequence[Floats],
    weights: Floats,
    start: Floats,
    efron: bool,
    *,
    tolerance: float = 1e-9,
    max_iterations: int = 40,
) -> Regressions:
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
        step *= (LARGEST_STEP / np.maximum(largest, LARGEST_STEP))[:, None]
        done = solved & (largest < tolerance)
        endless = np.abs(b).max(axis=1) > _ENDLESS
        gone = done | ~solved | endless
        coefficients[left[gone]] = (b + step)[gone]
        information[left[gone]] = hessian[gone]
        ending[left[done]] = Ending.CONVERGED
        ending[left[~solved]] = Ending.SINGULAR if iteration == 0 else Ending.NOT_CONVERGED
        ending[left[endless & ~done]] = Ending.SEPARATED
        b = b + step
        if gone.any():
            left, b = left[~gone], b[~gone]
            (w,), x = take([w], ~gone), take(x, ~gone)
    return Regressions(coefficients, np.full(draws, np.nan), ending, information=information)


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
