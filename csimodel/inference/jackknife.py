"""The jackknife: estimates with each respondent, or each cluster, left out in turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import InferenceError
from csimodel.estimators import Fit, Outcome, Quantity, Solution, find, require_fit, samples_for
from csimodel.moments import Units, units_of

Floats = NDArray[np.float64]

_CELLS = 2**24  # units handled together, times squared items


@dataclass(frozen=True, eq=False, repr=False)
class Jackknife:
    """Estimates with each unit left out.

    Attributes
    ----------
    fit
        The fit on all respondents.
    solution
        One sample for each unit left out.
    units
        What is left out: respondents, or clusters, and their strata.
    """

    fit: Fit
    solution: Solution
    units: Units

    def values(self, quantity: str | Quantity) -> Floats:
        """Return a quantity with each unit left out, (units, entries); NaN where it failed."""
        failed = self.solution.estimates.outcome != Outcome.CONVERGED
        values = np.array(find(quantity).values(self.solution))
        values[failed] = np.nan
        return values

    def deviations(self, quantity: str | Quantity) -> Floats:
        """Return each unit's pull on a quantity, (units, entries), zero on average.

        ``(m_h - 1)/m_h (mean of its stratum's values - value)``; NaN where it failed, and in a
        stratum of one unit.
        """
        return self.pulls(self.values(quantity))

    def table(self, quantity: str | Quantity) -> pd.DataFrame:
        """Return estimate, bias and standard error of a quantity.

        With m_h units in stratum h, θ_hi the value without unit i, θ̄_h the mean of those:
        ``bias = Σ_h (m_h - 1)(θ̄_h - θ)`` and ``se² = Σ_h (m_h - 1)/m_h Σ_i (θ_hi - θ̄_h)²``.

        References
        ----------
        Shao, J., Tu, D. (1995). The Jackknife and Bootstrap, sections 1.3 and 6.2.
        https://doi.org/10.1007/978-1-4612-0795-5
        """
        found = find(quantity)
        estimate = np.asarray(found.values(self.fit.solution))
        values = self.values(found)
        size, mean = self._by_stratum(values)
        bias = np.where(size > 1, (size - 1.0) * (mean - estimate), 0.0).sum(axis=0)
        return pd.DataFrame(
            {"estimate": estimate, "bias": bias, "se": self.se(values)},
            index=found.labels(self.fit.model),
        )

    def se(self, values: Floats) -> Floats:
        """Return standard errors from values with each unit left out, (units, entries)."""
        size = self._by_stratum(values)[0][self.units.stratum]
        with np.errstate(invalid="ignore", divide="ignore"):
            terms = self.pulls(values) ** 2 * size / (size - 1.0)
        seen = np.isfinite(terms)
        total = np.where(seen, terms, 0.0).sum(axis=0)
        return np.where(seen.any(axis=0), np.sqrt(total), np.nan)

    def _by_stratum(self, values: Floats) -> tuple[Floats, Floats]:
        """Return number and mean of the usable values of each stratum, (strata, entries)."""
        usable = np.isfinite(values)
        size = np.zeros((self.units.strata, values.shape[1]))
        sums = np.zeros_like(size)
        np.add.at(size, self.units.stratum, usable)
        np.add.at(sums, self.units.stratum, np.where(usable, values, 0.0))
        with np.errstate(invalid="ignore", divide="ignore"):
            return size, sums / size

    def pulls(self, values: Floats) -> Floats:
        """Return the deviations of values with each unit left out, (units, entries)."""
        size, mean = (part[self.units.stratum] for part in self._by_stratum(values))
        with np.errstate(invalid="ignore", divide="ignore"):
            pulls = (1.0 - 1.0 / size) * (mean - values)
        return np.where(size > 1, pulls, np.nan)

    @property
    def failed(self) -> pd.Series:
        """Number of units whose removal leaves nothing to estimate, by reason."""
        return count_outcomes(self.solution)

    def __repr__(self) -> str:
        clustered = self.fit.answers is not None and self.fit.answers.cluster is not None
        units, what = len(self.units.stratum), "clusters" if clustered else "respondents"
        return f"<Jackknife of {self.fit!r}: {units} {what} left out in turn>"


def jackknife(fit: Fit) -> Jackknife:
    """Refit a model with each respondent (each cluster, if the survey has them) left out.

    With strata, the others of the stratum are weighted up to keep its total.

    All refits are one batch: each costs a subtraction of moments and a fit.

    Raises
    ------
    SurveyError
        When the fit was made from moments.
    InferenceError
        When there are fewer than 2 clusters.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> csi.jackknife(fit).table("paths").loc[("Loyalty", "Satisfaction")].round(3)
    estimate    0.485
    bias        ...
    se          ...
    Name: (Loyalty, Satisfaction), dtype: float64
    """
    fit = require_fit(fit, "jackknife")
    answers = fit.require_answers("jackknife")
    if fit.estimator.needs_answers:
        raise InferenceError(
            f"The jackknife refits moments, and {fit.estimator.label} needs the answers; take "
            "percentile intervals from csi.bootstrap(fit)."
        )
    units = units_of(len(answers.values), answers.strata, answers.cluster)
    size = len(units.stratum)
    if size < 2:
        raise InferenceError("The jackknife needs at least 2 clusters; there is 1.")
    products = samples_for(fit.estimator, answers)
    step = max(1, _CELLS // len(fit.model.items) ** 2)
    parts = []
    for start in range(0, size, step):
        moments = products.without_each(units, np.arange(start, min(start + step, size)))
        estimates = fit.estimator.estimate(moments, fit.model, fit.estimates)
        parts.append(Solution(fit.model, fit.estimator, moments, estimates))
    return Jackknife(fit, Solution.join(parts), units)


def count_outcomes(solution: Solution) -> pd.Series:
    """Count samples without a solution, by reason."""
    outcome = solution.estimates.outcome
    counts = {
        Outcome(code).reason: int((outcome == code).sum())
        for code in np.unique(outcome)
        if code != Outcome.CONVERGED
    }
    return pd.Series(counts, dtype="int64", name="lost")
