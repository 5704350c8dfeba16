"""Influence values after full information, or two stages, on incomplete answers.

An estimate is a function of the parameters θ, where the likelihood of what was observed is highest,
and of the saturated means and covariances m = (μ, vech Σ), where it is highest without a model.
With s the score of a respondent about m, Δ the derivatives of the moments by θ, and I the observed
information of the sample, respondent i adds ::

    to m   I_m⁻¹ w_i s_i(m)              to θ   I_θ⁻¹ Δ' w_i s_i(m(θ))

and to an estimate the sum of both times its derivatives. In two stages θ is a function of m. The
squares of what is added to θ are the sandwich of MLR.

References
----------
Yuan, K.-H., Bentler, P. M. (2000). Three likelihood-based methods for mean and covariance structure
analysis with nonnormal missing data. Sociological Methodology 30, 165-200.
https://doi.org/10.1111/0081-1750.00078
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators import CovarianceFit, Fit, Quantity, Solution, Status
from csimodel.estimators.covariance.estimator import CovarianceEstimator, standardised_estimates
from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.parameters import covariance_structure
from csimodel.estimators.covariance.scoring import no_minima
from csimodel.moments import Moments
from csimodel.moments.incomplete_information import information, row_scores
from csimodel.moments.incomplete_likelihood import patterns_of
from csimodel.moments.missing_patterns import Patterns
from csimodel.moments.vech import vech_indices

Floats = NDArray[np.float64]

_STEP = 1e-4  # of what one respondent typically adds
_TIGHT = 1e-12  # stopping rule of the perturbed fits
_CELLS = 2**22  # moments of perturbed samples held at once


@dataclass(frozen=True, eq=False)
class IncompleteInfluence:
    """What each respondent adds to parameters and saturated moments of incomplete answers.

    Attributes
    ----------
    fit
        By `ML` with ``missing="fiml"`` or ``"two-stage"``.
    estimator
        Its estimator.
    """

    fit: Fit
    estimator: CovarianceEstimator

    @classmethod
    def of(cls, fit: Fit) -> IncompleteInfluence | None:
        """Return what respondents add where the estimator takes incomplete answers, else None."""
        if isinstance(fit, CovarianceFit) and fit.estimator.resampling == "nearby":
            estimator, _ = covariance_structure(fit.solution)
            return cls(fit, estimator)
        return None

    @cached_property
    def _patterns(self) -> Patterns:
        answers = self.fit.require_answers("influence values")
        return patterns_of(answers.values, answers.weights, answers.cluster)

    @cached_property
    def moments(self) -> Floats:
        """What each respondent adds to means and covariances (denominator n), (rows, p + p*)."""
        own, patterns = self.fit.moments, self._patterns
        cov = self.estimator.sample_cov(own)
        known = information(patterns, own.mean, cov) * patterns.total
        return np.asarray(np.linalg.solve(known, row_scores(patterns, own.mean, cov).T).T)

    @cached_property
    def parameters(self) -> Floats:
        """What each respondent adds to the free parameters, (rows, parameters)."""
        fitted = Fitted.of(self.fit.solution)
        (at,), (slopes,) = fitted.at, fitted.slopes
        scores = row_scores(self._patterns, at.mean, at.sigma) @ slopes
        return np.asarray(scores @ fitted.inverse(observed=True))

    def values(self, quantity: Quantity) -> Floats:
        """Return what each respondent adds to a quantity, (rows, entries).

        NaN where the fit, or a fit near it, has no solution.
        """
        entries = len(quantity.values(self.fit.solution))
        if not self.fit.converged:
            return np.full((self._patterns.given, entries), np.nan)
        total = np.zeros((self._patterns.given, entries))
        if self.estimator.second_stage is None:
            steps = _steps(self.parameters)
            moved = np.concatenate([np.diag(steps), -np.diag(steps)])
            values = quantity.values(self._with_parameters(moved))
            total += self.parameters @ _slopes(values, steps)
        total += self.moments @ self.by_moments(lambda moments: self._quantity(quantity, moments))
        return total

    def by_moments(self, function: Callable[[Moments], Floats]) -> Floats:
        """Return derivatives by means and covariances (denominator n), (p + p*, entries).

        Parameters
        ----------
        function
            From moments of a batch of samples to entries, (samples, entries).
        """
        steps = _steps(self.moments)
        chunk = max(1, _CELLS // len(self.fit.model.items) ** 2)
        parts = []
        for start in range(0, len(steps), chunk):
            own = np.arange(start, min(start + chunk, len(steps)))
            moved = np.zeros((2 * len(own), len(steps)))
            moved[np.arange(len(own)), own] = steps[own]
            moved[len(own) + np.arange(len(own)), own] = -steps[own]
            parts.append(_slopes(function(self._moved(moved)), steps[own]))
        return np.concatenate(parts)

    def _moved(self, moved: Floats) -> Moments:
        """Return moments moved by changes of means and covariances, (samples, p + p*)."""
        own, items = self.fit.moments, len(self.fit.model.items)
        samples = len(moved)
        row, column = vech_indices(items)
        change = np.zeros((samples, items, items))
        change[:, row, column] = change[:, column, row] = moved[:, items:]
        scale = float(np.mean(np.diagonal(own.cov) / np.diagonal(self.estimator.sample_cov(own))))
        n, effective = (np.full(samples, float(size)) for size in (own.n, own.effective_n))
        mean, cov = own.mean + moved[:, :items], own.cov + change * scale
        return Moments(own.items, n, mean, cov, own.minimum, own.maximum, effective)

    def _quantity(self, quantity: Quantity, moments: Moments) -> Floats:
        """Return a quantity of samples with these moments; by full information at θ itself."""
        fit, samples = self.fit, len(moments.n)
        second = self.estimator.second_stage
        if second is None:
            estimates = self._with_parameters(np.zeros((samples, self.parameters.shape[1])))
            return np.array(quantity.values(replace(estimates, moments=moments)))
        fitted = replace(second, tolerance=_TIGHT).estimate(moments, fit.model, fit.estimates)
        values = np.array(quantity.values(Solution(fit.model, self.estimator, moments, fitted)))
        values[fitted.outcome != Status.CONVERGED] = np.nan
        return values

    def _with_parameters(self, moved: Floats) -> Solution:
        """Return solutions at parameters moved by changes, (samples, parameters)."""
        fit, fitted = self.fit, Fitted.of(self.fit.solution)
        samples = len(moved)
        minima = no_minima(samples, moved.shape[1])
        minima.parameters[:] = fitted.parameters + moved
        minima.value[:], minima.gradient[:] = fitted.discrepancy, 0.0
        minima.settled[:] = True
        outcome = np.full(samples, int(Status.CONVERGED))
        (layout,) = fitted.layouts
        estimates = standardised_estimates(fit.model, layout, minima, outcome, np.zeros(samples))
        still = self._moved(np.zeros((samples, self.moments.shape[1])))
        return Solution(fit.model, self.estimator, still, estimates)


def _steps(pulls: Floats) -> Floats:
    """Return steps of a part of what respondents typically add together, (any,)."""
    size = np.sqrt((pulls**2).sum(axis=0) * len(pulls))
    return np.asarray(_STEP * np.where(size > 0, size, 1.0))


def _slopes(values: Floats, steps: Floats) -> Floats:
    """Return derivatives from values ahead, then behind, (steps, entries)."""
    ahead, behind = values[: len(steps)], values[len(steps) :]
    return np.asarray((ahead - behind) / (2.0 * steps[:, None]))
