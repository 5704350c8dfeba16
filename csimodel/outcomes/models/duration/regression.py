"""One Cox regression with its errors, its cumulative hazard and the errors of both together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.cox import Cox
from csimodel.outcomes.kernels.cox_influence import HazardInfluence
from csimodel.outcomes.kernels.kernel import (
    Ending,
    Observations,
    Regressions,
    Samples,
    Standardised,
)
from csimodel.outcomes.kernels.risk_sets import RiskSets
from csimodel.outcomes.kernels.robust import OF_DESIGN, design_of
from csimodel.outcomes.kernels.score_errors import ScoreErrors, value_errors
from csimodel.outcomes.rows.sample import Sample
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]

_SUMS = {"robust": "CR0", "cluster": "CR0", "linearized": "linearized"}


@dataclass(frozen=True, eq=False)
class CoxRegression:
    """Coefficients of a proportional hazard and what they rest on.

    Regressors are centred at `centre`, so that the cumulative hazard is that of a respondent with
    mean regressors.

    Attributes
    ----------
    sample
        Durations (as its outcome), regressors, weights and clusters.
    kernel
        Who is at risk when, and how ties are counted.
    errors
        ``"model"``, ``"robust"``, ``"cluster"`` or ``"linearized"``.
    solution
        A batch of one.
    observed
        Durations, events and entries (or None), rows as given.
    """

    sample: Sample
    kernel: Cox
    errors: str
    solution: Regressions
    observed: tuple[Floats, Floats, Floats | None]

    @property
    def risk(self) -> RiskSets:
        """Who is at risk when."""
        return self.kernel.risk

    @property
    def coefficients(self) -> Floats:
        """Logarithms of hazard ratios per unit, (regressors,)."""
        return np.asarray(self.solution.solved[0])

    @property
    def ending(self) -> Ending:
        """How it ended."""
        return Ending(int(self.solution.ending[0]))

    @property
    def loglik(self) -> float:
        """Logarithm of the partial likelihood."""
        return self.hazard.loglik

    @property
    def centre(self) -> Floats:
        """Mean of each regressor, (regressors,)."""
        return np.asarray(self.sample.regressors.mean(axis=0))

    @property
    def spread(self) -> Floats:
        """Standard deviation of each regressor, (regressors,)."""
        return np.asarray(self.sample.regressors.std(axis=0))

    @cached_property
    def hazard(self) -> HazardInfluence:
        """What respondents add to coefficients and cumulative hazard."""
        sample = self.sample
        centred = sample.regressors - self.centre
        observations = Observations(centred, sample.outcome, sample.weights)
        return self.kernel.hazard(observations, self.solution)

    @property
    def covariance(self) -> Floats:
        """Covariance of the coefficients, (regressors, regressors)."""
        return self._errors(np.eye(len(self.coefficients)), None).covariance

    def cumulative_hazard(self, times: Floats) -> Floats:
        """Return the cumulative hazard of mean regressors in each stratum, (strata, times)."""
        return self.hazard.cumulative_hazard(times)

    @property
    def df(self) -> float:
        """Degrees of freedom of limits: units less strata of a design, or infinite (normal)."""
        return float(self.design.df) if self.errors in OF_DESIGN else float("inf")

    @cached_property
    def design(self) -> SurveyDesign:
        """The units the respondents were drawn in, as far as the errors look at them."""
        return design_of(self.sample, self.errors)

    def errors_of(
        self, gradient: Floats, times: Floats | None, individual: Floats | None = None
    ) -> Floats:
        """Return standard errors of functions of coefficients and cumulative hazards.

        An average over respondents varies as the respondents do, too: each adds his share times
        what his own value differs from the average.

        Parameters
        ----------
        gradient
            By the coefficients, or with times by coefficients and cumulative hazards, strata by
            strata, (functions, regressors + strata · times).
        times
            Of the cumulative hazards, or None.
        individual
            For averages, the value of each respondent, (rows, functions).
        """
        errors = self._errors(gradient, times)
        return errors.of(np.eye(len(gradient)), individual)[0]

    def _errors(self, gradient: Floats, times: Floats | None) -> ScoreErrors:
        """Return the errors of functions of coefficients and cumulative hazards."""
        hazard, share = self.hazard, self.sample.share
        if self.errors == "model":
            whole = hazard.influence.bread if times is None else hazard.model_covariance(times)
            covariance = gradient @ whole @ gradient.T
            return ScoreErrors("model", covariance, None, self.design, share, self.df)
        values = hazard.influence.values if times is None else hazard.values(times)
        return value_errors(values @ gradient.T, _SUMS[self.errors], self.design, share, self.df)


def cox_regression(
    sample: Sample,
    event: Floats,
    entry: Floats | None,
    stratum: NDArray[np.intp] | None,
    *,
    efron: bool,
    errors: str,
) -> CoxRegression:
    """Fit a proportional hazard to a sample whose outcome is the duration.

    Parameters
    ----------
    sample
        Durations, regressors, weights and clusters.
    event, entry, stratum
        As in `RiskSets.of`, one for each respondent of the sample.
    efron
        Ties by Efron, else by Breslow.
    errors
        ``"model"``, ``"robust"``, ``"cluster"`` or ``"linearized"``.
    """
    x = sample.regressors
    risk = RiskSets.of(sample.outcome, event, entry, stratum)
    kernel = Cox(risk, np.zeros(len(sample.names)), efron)
    standard = Standardised(kernel, x.mean(axis=0), x.std(axis=0), constant=False)
    weights = sample.row_weights[risk.order]
    draws = np.zeros(1, dtype=np.intp)
    solution = standard.fit(Samples(draws, list(x[risk.order].T), weights[None], []))
    return CoxRegression(sample, kernel, errors, solution, (sample.outcome, event, entry))
