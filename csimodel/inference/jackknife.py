"""The jackknife: estimates with each respondent, or each cluster, left out in turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import InferenceError
from csimodel.estimators import Fit, Outcome, Quantity, Solution, find
from csimodel.moments import CrossProducts

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
    unit
        What is left out: ``"respondent"`` or ``"cluster"``.
    """

    fit: Fit
    solution: Solution
    unit: str

    def values(self, quantity: str | Quantity) -> Floats:
        """Return a quantity with each unit left out, (units, entries); NaN where it failed."""
        failed = self.solution.estimates.outcome != Outcome.CONVERGED
        values = np.array(find(quantity).values(self.solution))
        values[failed] = np.nan
        return values

    def table(self, quantity: str | Quantity) -> pd.DataFrame:
        """Return estimate, bias and standard error of a quantity.

        ``bias = (m - 1)(mean - estimate)``, ``se² = (m - 1)/m Σ (value - mean)²`` over m units.

        References
        ----------
        Efron, B., Tibshirani, R. (1993). An Introduction to the Bootstrap, chapter 11.
        https://doi.org/10.1201/9780429246593
        """
        found = find(quantity)
        estimate = found.values(self.fit.solution)
        values = self.values(found)
        values = values[np.isfinite(values).all(axis=1)]
        m = len(values)
        mean = values.mean(axis=0)
        return pd.DataFrame(
            {
                "estimate": estimate,
                "bias": (m - 1) * (mean - estimate),
                "se": np.sqrt((m - 1) / m * ((values - mean) ** 2).sum(axis=0)),
            },
            index=found.labels(self.fit.model),
        )

    @property
    def failed(self) -> pd.Series:
        """Number of units whose removal leaves nothing to estimate, by reason."""
        return count_outcomes(self.solution)

    def __repr__(self) -> str:
        units = len(self.solution.estimates.outcome)
        return f"<Jackknife of {self.fit!r}: {units} {self.unit}s left out in turn>"


def jackknife(fit: Fit) -> Jackknife:
    """Refit a model with each respondent (each cluster, if the survey has them) left out.

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
    answers = fit.require_answers("jackknife")
    units = np.arange(len(answers.values)) if answers.cluster is None else answers.cluster
    size = int(units.max()) + 1
    if size < 2:
        raise InferenceError("The jackknife needs at least 2 clusters; there is 1.")
    products = CrossProducts.of(answers)
    step = max(1, _CELLS // len(fit.model.items) ** 2)
    parts = []
    for start in range(0, size, step):
        moments = products.without_each(units, slice(start, start + step))
        estimates = fit.estimator.estimate(moments, fit.model, fit.estimates)
        parts.append(Solution(fit.model, fit.estimator, moments, estimates))
    unit = "respondent" if answers.cluster is None else "cluster"
    return Jackknife(fit, Solution.join(parts), unit)


def count_outcomes(solution: Solution) -> pd.Series:
    """Count samples without a solution, by reason."""
    outcome = solution.estimates.outcome
    counts = {
        Outcome(code).reason: int((outcome == code).sum())
        for code in np.unique(outcome)
        if code != Outcome.CONVERGED
    }
    return pd.Series(counts, dtype="int64", name="lost")
