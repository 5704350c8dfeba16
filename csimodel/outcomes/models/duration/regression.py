"""One Cox regression with its errors, its cumulative hazard and the errors of both together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.cox import (
    Hazards,
    HazardTerms,
    by_slot,
    cox_draws,
    terms_of,
)
from csimodel.outcomes.kernels.kernel import Ending
from csimodel.outcomes.kernels.risk_sets import RiskSets
from csimodel.outcomes.kernels.robust import OF_DESIGN, design_of
from csimodel.outcomes.rows.sample import Sample
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CoxRegression:
    """Coefficients of a proportional hazard and what they rest on.

    Regressors are centred at `centre`, so that the cumulative hazard is that of a respondent with
    mean regressors.

    Attributes
    ----------
    sample
        Durations (as its outcome), regressors, weights and clusters.
    risk
        Who is at risk when.
    efron
        Ties by Efron, else by Breslow.
    errors
        ``"model"``, ``"robust"``, ``"cluster"`` or ``"linearized"``.
    solution
        A batch of one.
    observed
        Durations, events and entries (or None), rows as given.
    """

    sample: Sample
    risk: RiskSets
    efron: bool
    errors: str
    solution: Hazards
    observed: tuple[Floats, Floats, Floats | None]

    @property
    def coefficients(self) -> Floats:
        """Logarithms of hazard ratios per unit, (regressors,)."""
        slopes = self.solution.coefficients[0] / self.spread
        return np.asarray(
            slopes if self.ending == Ending.CONVERGED else np.full_like(slopes, np.nan)
        )

    @property
    def ending(self) -> Ending:
        """How it ended."""
        return Ending(int(self.solution.ending[0]))

    @property
    def loglik(self) -> float:
        """Logarithm of the partial likelihood."""
        return float(self.solution.loglik[0])

    @property
    def centre(self) -> Floats:
        """Mean of each regressor, (regressors,)."""
        return np.asarray(self.sample.regressors.mean(axis=0))

    @property
    def spread(self) -> Floats:
        """Standard deviation of each regressor, (regressors,)."""
        return np.asarray(self.sample.regressors.std(axis=0))

    @cached_property
    def columns(self) -> Floats:
        """Centred regressors in risk order, (rows, regressors)."""
        return np.asarray((self.sample.regressors - self.centre)[self.risk.order])

    @cached_property
    def weights(self) -> Floats:
        """Survey weights in risk order, (rows,)."""
        own = self.sample.weights
        return np.ones(self.sample.n) if own is None else np.asarray(own[self.risk.order])

    @cached_property
    def terms(self) -> HazardTerms:
        """The parts of the likelihood."""
        counted = self.risk.counted
        x, w = list(self.columns[:counted].T), self.weights[None, :counted]
        return terms_of(self.risk, self.coefficients[None], x, w, self.efron)

    @cached_property
    def inverse(self) -> Floats:
        """Inverse information of the coefficients, (regressors, regressors)."""
        information = self.solution.information[0] * np.outer(self.spread, self.spread)
        return np.asarray(np.linalg.inv(information))

    @cached_property
    def _slots(self) -> tuple[Floats, Floats]:
        """By slot, regressors and a last 1: Σ ω e/S and Σ ω e (l/m)/S, (slots, regressors + 1)."""
        terms = self.terms
        hazard = terms.share / terms.total
        e = [*terms.means, np.ones_like(hazard)]
        whole = np.stack([by_slot(self.risk, hazard * column)[0] for column in e], axis=1)
        lost = hazard * terms.fraction
        tied = np.stack([by_slot(self.risk, lost * column)[0] for column in e], axis=1)
        return whole, tied

    @cached_property
    def score_residuals(self) -> Floats:
        """Derivative of the score by each respondent's weight, rows as given, (rows, regressors).

        ``δ (x - x̄) - Σ r (x - x̄ₖ) ω/S`` over the event times at which the respondent was at risk;
        an event tied with others is at risk for 1 - l/m of the l-th part of its own time.

        References
        ----------
        Lin, D. Y., Wei, L. J. (1989). The robust inference for the Cox proportional hazards model.
        Journal of the American Statistical Association 84, 1074-1078.
        https://doi.org/10.1080/01621459.1989.10478874
        """
        risk, terms, x = self.risk, self.terms, self.columns
        whole, tied = self._slots
        passed = np.vstack([np.zeros(whole.shape[1]), np.cumsum(whole, axis=0)])
        met = passed[risk.last + 1] - passed[np.minimum(self._before, risk.last) + 1]
        at, slot = risk.events, risk.event_slot
        met[at] -= tied[slot]
        ratio = np.exp(x @ self.coefficients)[:, None]
        residuals = -ratio * (x * met[:, -1:] - met[:, :-1])
        parts = np.stack(terms.means, axis=-1)[0]
        mean = self._event_mean(parts)
        residuals[at] += x[at] - mean[slot]
        return self.as_given(residuals)

    @cached_property
    def influence(self) -> Floats:
        """Pull of each respondent on the coefficients: weight times derivative, (rows, any)."""
        own = np.ones(self.sample.n) if self.sample.weights is None else self.sample.weights
        return np.asarray(own[:, None] * self.score_residuals @ self.inverse)

    @property
    def covariance(self) -> Floats:
        """Covariance of the coefficients, (regressors, regressors)."""
        return self.inverse if self.errors == "model" else self._meat(self.influence)

    def cumulative_hazard(self, times: Floats) -> Floats:
        """Return the cumulative hazard of mean regressors in each stratum, (strata, times)."""
        passed = np.append(0.0, np.cumsum(self._slots[0][:, -1]))
        first, slots = self.begin, self.risk.slots_at(times)
        return np.asarray(np.where(slots >= 0, passed[slots + 1] - passed[first][:, None], 0.0))

    def joint_covariance(self, times: Floats) -> Floats:
        """Return the covariance of coefficients and cumulative hazards, strata by strata.

        (regressors + strata · times) each way. Model-based, ``Var H = Σ ω/S² + a' I⁻¹ a`` with
        ``a = -Σ x̄ ω/S``; robust, from each respondent's influence on both.

        References
        ----------
        Tsiatis, A. A. (1981). A large sample study of Cox's regression model. Annals of Statistics
        9, 93-108. https://doi.org/10.1214/aos/1176345335
        """
        risk, p, first = self.risk, self.columns.shape[1], self.begin
        slots = self.risk.slots_at(times)
        strata, many = slots.shape
        tilt = self.tilt(slots)
        if self.errors != "model":
            return self._meat(self.joint_influence(times))
        squares = by_slot(risk, self.terms.share / self.terms.total**2)[0]
        summed = np.append(0.0, np.cumsum(squares))
        own = np.where(slots >= 0, summed[slots + 1] - summed[first][:, None], 0.0)
        later = np.minimum(np.arange(many)[:, None], np.arange(many))
        covariance = np.zeros((p + strata * many, p + strata * many))
        for s in range(strata):
            block = slice(p + s * many, p + (s + 1) * many)
            order = np.argsort(np.argsort(times, kind="stable"), kind="stable")
            covariance[block, block] = np.sort(own[s])[later][np.ix_(order, order)]
        covariance[p:, p:] += tilt @ self.inverse @ tilt.T
        covariance[:p, p:] = self.inverse @ tilt.T
        covariance[p:, :p] = covariance[:p, p:].T
        covariance[:p, :p] = self.inverse
        return covariance

    def tilt(self, slots: NDArray[np.intp]) -> Floats:
        """Return the derivative of cumulative hazards by coefficients, (strata · times, any)."""
        whole, _ = self._slots
        passed = np.vstack([np.zeros(whole.shape[1]), np.cumsum(whole, axis=0)])
        met = passed[slots + 1] - passed[self.begin][:, None]
        reached = np.where(slots[..., None] >= 0, met, 0.0)
        return np.asarray(-reached[..., :-1].reshape(slots.size, -1))

    @property
    def begin(self) -> NDArray[np.intp]:
        """First slot of each stratum, (strata,)."""
        strata = int(self.risk.row_stratum.max()) + 1
        return np.searchsorted(self.risk.stratum, np.arange(strata))

    @property
    def _before(self) -> NDArray[np.intp]:
        """Last slot before each respondent is at risk, in risk order, (rows,)."""
        return np.maximum(self.risk.first, self.begin[self.risk.row_stratum] - 1)

    def _event_mean(self, parts: Floats) -> Floats:
        """Return the mean of the parts of each slot, (slots, any)."""
        if len(parts) == len(self.risk.time):
            return parts
        starts = self.risk.event_starts
        number = np.diff(np.append(starts, len(parts)))
        return np.asarray(np.add.reduceat(parts, starts, axis=0) / number[:, None])

    def hazard_influence(self, slots: NDArray[np.intp], tilt: Floats) -> Floats:
        """Return each respondent's influence on the cumulative hazards, (rows, strata · times)."""
        risk, terms = self.risk, self.terms
        strata, many = slots.shape
        squares = terms.share / terms.total**2
        passed = np.append(0.0, np.cumsum(by_slot(risk, squares)[0]))
        tied = by_slot(risk, squares * terms.fraction)[0]
        inverse = self._event_mean((1.0 / terms.total)[0][:, None])[:, 0]
        ratio = np.exp(self.columns @ self.coefficients)
        influence = np.zeros((self.sample.n, strata * many))
        at, own = risk.events, risk.event_slot
        for s in range(strata):
            mine = risk.row_stratum == s
            for t in range(many):
                upper = np.minimum(risk.last, slots[s, t])
                met = passed[upper + 1] - passed[np.minimum(self._before, upper) + 1]
                met[at] -= np.where(own <= slots[s, t], tied[own], 0.0)
                column = -ratio * met
                column[at] += np.where(own <= slots[s, t], inverse[own], 0.0)
                influence[:, s * many + t] = np.where(mine, column * self.weights, 0.0)
        return self.as_given(influence) + self.influence @ tilt.T

    def as_given(self, values: Floats) -> Floats:
        """Return rows in risk order as they were given."""
        ordered = np.empty_like(values)
        ordered[self.risk.order] = values
        return ordered

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
            By the coefficients, or with times as in `joint_covariance`, (functions, any).
        times
            Of the cumulative hazards, or None.
        individual
            For averages, the value of each respondent, (rows, functions).
        """
        if individual is None or self.errors == "model":
            covariance = self.covariance if times is None else self.joint_covariance(times)
            variance = np.einsum("ij,jk,ik->i", gradient, covariance, gradient)
            if individual is not None:
                variance = variance + (self._gaps(individual) ** 2).sum(axis=0)
            return np.asarray(np.sqrt(variance))
        pulls = self.influence if times is None else self.joint_influence(times)
        return np.sqrt(np.diagonal(self._meat(pulls @ gradient.T + self._gaps(individual))))

    def _gaps(self, individual: Floats) -> Floats:
        own = self.sample.weights
        share = np.ones(self.sample.n) if own is None else own
        share = share / share.sum()
        return np.asarray(share[:, None] * (individual - share @ individual))

    def joint_influence(self, times: Floats) -> Floats:
        """Return each respondent's pull on coefficients and cumulative hazards, (rows, any)."""
        slots = self.risk.slots_at(times)
        return np.column_stack([self.influence, self.hazard_influence(slots, self.tilt(slots))])

    def _meat(self, pulls: Floats) -> Floats:
        """Return the covariance from influences, summed in units of the design first."""
        totals = self.design.totals(pulls)
        return self.design.covariance(totals) if self.errors == "linearized" else totals.T @ totals


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
    risk = RiskSets.of(sample.outcome, event, entry, stratum)
    spread = sample.regressors.std(axis=0)
    standard = ((sample.regressors - sample.regressors.mean(axis=0)) / spread)[risk.order]
    weights = np.ones(sample.n) if sample.weights is None else sample.weights[risk.order]
    start = np.zeros(len(sample.names))
    solution = cox_draws(risk, list(standard.T), weights[None], start, efron)
    observed = (sample.outcome, event, entry)
    return CoxRegression(sample, risk, efron, errors, solution, observed)
