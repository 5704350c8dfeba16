"""What respondents add to a proportional hazard: its coefficients and its cumulative hazard."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.hazard_terms import HazardTerms, by_slot, log_likelihood, terms_of
from csimodel.outcomes.kernels.influence import Influence
from csimodel.outcomes.kernels.risk_sets import RiskSets

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HazardInfluence:
    """A Cox regression of one sample at its estimates.

    Attributes
    ----------
    risk
        Who is at risk when.
    columns
        Regressors in risk order, (rows, regressors); the cumulative hazard is that of a row of 0.
    weights
        Survey weights in risk order, (rows,).
    coefficients
        (regressors,)
    information
        About the coefficients, (regressors, regressors).
    efron
        Ties by Efron, else by Breslow.
    """

    risk: RiskSets
    columns: Floats
    weights: Floats
    coefficients: Floats
    information: Floats
    efron: bool

    @cached_property
    def terms(self) -> HazardTerms:
        """The parts of the likelihood."""
        return terms_of(self.risk, self.coefficients[None], *self._counted, self.efron)

    @property
    def loglik(self) -> float:
        """Logarithm of the partial likelihood."""
        b = self.coefficients[None]
        return float(log_likelihood(self.risk, self.terms, b, *self._counted)[0])

    @cached_property
    def influence(self) -> Influence:
        """What respondents add to the coefficients, rows as given.

        Scores are ``δ (x - x̄) - Σ r (x - x̄ₖ) ω/S`` over the event times at which the respondent
        was at risk; an event tied with others is at risk for 1 - l/m of the l-th part of its own
        time.

        References
        ----------
        Lin, D. Y., Wei, L. J. (1989). The robust inference for the Cox proportional hazards model.
        Journal of the American Statistical Association 84, 1074-1078.
        https://doi.org/10.1080/01621459.1989.10478874
        """
        risk, terms, x = self.risk, self.terms, self.columns
        whole, tied = self._slots
        passed = np.vstack([np.zeros(whole.shape[1]), np.cumsum(whole, axis=0)])
        met = passed[risk.last + 1] - passed[np.minimum(risk.before, risk.last) + 1]
        at, slot = risk.events, risk.event_slot
        met[at] -= tied[slot]
        ratio = np.exp(x @ self.coefficients)[:, None]
        residuals = -ratio * (x * met[:, -1:] - met[:, :-1])
        parts = np.stack(terms.means, axis=-1)[0]
        mean = self._event_mean(parts)
        residuals[at] += x[at] - mean[slot]
        inverse = np.asarray(np.linalg.inv(self.information))
        return Influence(risk.as_given(residuals), inverse, risk.as_given(self.weights))

    def cumulative_hazard(self, times: Floats) -> Floats:
        """Return the cumulative hazard of a row of 0 in each stratum, (strata, times)."""
        passed = np.append(0.0, np.cumsum(self._slots[0][:, -1]))
        first, slots = self.risk.begin, self.risk.slots_at(times)
        return np.asarray(np.where(slots >= 0, passed[slots + 1] - passed[first][:, None], 0.0))

    def values(self, times: Floats) -> Floats:
        """Return what respondents add to coefficients and cumulative hazards.

        (rows, regressors + strata · times), strata by strata.
        """
        slots = self.risk.slots_at(times)
        return np.column_stack([self.influence.values, self._of_hazards(slots)])

    def model_covariance(self, times: Floats) -> Floats:
        """Return the model-based covariance of coefficients and cumulative hazards.

        (regressors + strata · times) each way: ``Var H = Σ ω/S² + a' I⁻¹ a`` with
        ``a = -Σ x̄ ω/S``.

        References
        ----------
        Tsiatis, A. A. (1981). A large sample study of Cox's regression model. Annals of Statistics
        9, 93-108. https://doi.org/10.1214/aos/1176345335
        """
        risk, p, first = self.risk, self.columns.shape[1], self.risk.begin
        inverse, slots = self.influence.bread, risk.slots_at(times)
        strata, many = slots.shape
        tilt = self._tilt(slots)
        squares = by_slot(risk, self.terms.share / self.terms.total**2)[0]
        summed = np.append(0.0, np.cumsum(squares))
        own = np.where(slots >= 0, summed[slots + 1] - summed[first][:, None], 0.0)
        later = np.minimum(np.arange(many)[:, None], np.arange(many))
        covariance = np.zeros((p + strata * many, p + strata * many))
        for s in range(strata):
            block = slice(p + s * many, p + (s + 1) * many)
            order = np.argsort(np.argsort(times, kind="stable"), kind="stable")
            covariance[block, block] = np.sort(own[s])[later][np.ix_(order, order)]
        covariance[p:, p:] += tilt @ inverse @ tilt.T
        covariance[:p, p:] = inverse @ tilt.T
        covariance[p:, :p] = covariance[:p, p:].T
        covariance[:p, :p] = inverse
        return covariance

    @property
    def _counted(self) -> tuple[list[Floats], Floats]:
        """Columns and weights of those ever at risk, as a batch of one."""
        counted = self.risk.counted
        return list(self.columns[:counted].T), self.weights[None, :counted]

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

    def _tilt(self, slots: NDArray[np.intp]) -> Floats:
        """Return the derivative of cumulative hazards by coefficients, (strata · times, any)."""
        whole, _ = self._slots
        passed = np.vstack([np.zeros(whole.shape[1]), np.cumsum(whole, axis=0)])
        met = passed[slots + 1] - passed[self.risk.begin][:, None]
        reached = np.where(slots[..., None] >= 0, met, 0.0)
        return np.asarray(-reached[..., :-1].reshape(slots.size, -1))

    def _event_mean(self, parts: Floats) -> Floats:
        """Return the mean of the parts of each slot, (slots, any)."""
        if len(parts) == len(self.risk.time):
            return parts
        starts = self.risk.event_starts
        number = np.diff(np.append(starts, len(parts)))
        return np.asarray(np.add.reduceat(parts, starts, axis=0) / number[:, None])

    def _of_hazards(self, slots: NDArray[np.intp]) -> Floats:
        """Return what respondents add to the cumulative hazards, (rows, strata · times)."""
        risk, terms = self.risk, self.terms
        strata, many = slots.shape
        squares = terms.share / terms.total**2
        passed = np.append(0.0, np.cumsum(by_slot(risk, squares)[0]))
        tied = by_slot(risk, squares * terms.fraction)[0]
        inverse = self._event_mean((1.0 / terms.total)[0][:, None])[:, 0]
        ratio = np.exp(self.columns @ self.coefficients)
        values = np.zeros((len(ratio), strata * many))
        at, own = risk.events, risk.event_slot
        for s in range(strata):
            mine = risk.row_stratum == s
            for t in range(many):
                upper = np.minimum(risk.last, slots[s, t])
                met = passed[upper + 1] - passed[np.minimum(risk.before, upper) + 1]
                met[at] -= np.where(own <= slots[s, t], tied[own], 0.0)
                column = -ratio * met
                column[at] += np.where(own <= slots[s, t], inverse[own], 0.0)
                values[:, s * many + t] = np.where(mine, column * self.weights, 0.0)
        return risk.as_given(values) + self.influence.values @ self._tilt(slots).T
