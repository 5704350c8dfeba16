"""Scores and information of a regression with one linear predictor, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.kernels.influence import Influence, predictor_information

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PredictorScores:
    """Derivatives of the log-likelihood by η at given coefficients.

    Attributes
    ----------
    family
        What was fitted.
    X
        Regressors with the constant in front, (rows, terms).
    score, information
        First derivative by η and the expected information about it, (rows,).
    slope
        Derivative of the mean by η, (rows,).
    weights
        Survey weights, (rows,), or None.
    respondents
        How many the rows stand for, where that is more than one each.

    Examples
    --------
    >>> from csimodel.outcomes.kernels.families import OLS
    >>> X, y = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), np.array([0.0, 2.0, 1.0])
    >>> scores = PredictorScores.of(OLS, X, y, None, np.array([0.5, 0.5]))
    >>> scores.influence.values.round(3).tolist()
    [[-0.417, 0.25], [0.333, 0.0], [0.083, -0.25]]
    """

    family: Family
    X: Floats
    score: Floats
    information: Floats
    slope: Floats
    weights: Floats | None
    respondents: int | None = None

    @classmethod
    def of(
        cls,
        family: Family,
        X: Floats,
        outcome: Floats,
        weights: Floats | None,
        coefficients: Floats,
        respondents: int | None = None,
    ) -> PredictorScores:
        """Take the derivatives at coefficients, (terms,)."""
        scores = cls.at(family, X, outcome, weights, X @ coefficients)
        return replace(scores, respondents=respondents)

    @classmethod
    def at(
        cls, family: Family, X: Floats, outcome: Floats, weights: Floats | None, eta: Floats
    ) -> PredictorScores:
        """Take the derivatives at linear predictors, (rows,)."""
        score, information, slope = family.working(eta, outcome)
        return cls(family, X, score, information, slope, weights)

    @cached_property
    def heavy(self) -> Floats:
        """Information times survey weights, (rows,)."""
        return self.information if self.weights is None else self.weights * self.information

    @cached_property
    def pull(self) -> Floats:
        """Score times survey weights, (rows,)."""
        return self.score if self.weights is None else self.weights * self.score

    def beyond(self, columns: Floats) -> Floats:
        """Return further columns less their weighted projection on the regressors, (rows, any).

        Times `pull` they are what respondents add to the scores of further columns, whose sums
        test them without another fit.
        """
        w = self.heavy[:, None]
        across = np.linalg.solve(self.X.T @ (w * self.X), self.X.T @ (w * columns))
        return np.asarray(columns - self.X @ across)

    def dispersion(self, terms: int) -> float:
        """Return the variance of a score over its information, with so many parameters.

        1 of a full likelihood, else ``Σ w u²/i / (rows - terms)``.
        """
        if not self.family.robust and self.family.bounded:
            return 1.0
        with np.errstate(divide="ignore", invalid="ignore"):
            squares = np.where(self.information > 0, self.score**2 / self.information, 0.0)
        weights = np.ones(len(squares)) if self.weights is None else self.weights
        rows = len(squares) if self.respondents is None else self.respondents
        left = rows - terms
        return float(weights @ squares) / left if left > 0 else float("nan")

    @cached_property
    def influence(self) -> Influence:
        """What respondents add to the coefficients."""
        X, total = self.X, predictor_information(self.X, self.information)
        dispersion = self.dispersion(X.shape[1])
        score = X * self.score[:, None]
        return Influence.of(score, total, self.weights, dispersion, self._without)

    def _without(self) -> Floats:
        """Return ``(A - Aᵢ)⁻¹ uᵢ``, which is ``B uᵢ/(1 - hᵢ)``, (rows, terms)."""
        bread = self.influence.bread
        leverage = np.einsum("ij,jk,ik->i", self.X, bread, self.X) * self.heavy
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.influence.values / (1.0 - leverage)[:, None])
