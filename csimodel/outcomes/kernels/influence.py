"""What respondents add to what a regression estimates: all that its errors are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Information = Callable[[Floats, Codes | None], Floats]


@dataclass(frozen=True, eq=False)
class Influence:
    """What respondents add to the parameters of a regression.

    Attributes
    ----------
    score
        Of each respondent, survey weights left out, (rows, parameters).
    bread
        Inverse of the weighted information, (parameters, parameters).
    weights
        Survey weights with a mean of 1, (rows,), or None.
    dispersion
        Variance of a score over its information; 1 of a full likelihood.
    information
        From a factor of each respondent, (rows,), and codes of clusters or None, to the sum of
        what respondents add to the information times the factor, (clusters, parameters,
        parameters), or of all together, (1, parameters, parameters); None where it is known of
        the whole alone, so that there is no CR2.
    without
        ``(A - Aᵢ)⁻¹ uᵢ`` of each respondent with the weighted information A; None where no
        respondent can be left out, so that there is no HC3.
    """

    score: Floats
    bread: Floats
    weights: Floats | None
    dispersion: float = 1.0
    information: Information | None = None
    without: Callable[[], Floats] | None = None

    @classmethod
    def of(
        cls,
        score: Floats,
        information: Information,
        weights: Floats | None,
        dispersion: float = 1.0,
        without: Callable[[], Floats] | None = None,
    ) -> Influence:
        """Invert the information of all respondents together."""
        factor = np.ones(len(score)) if weights is None else weights
        bread = np.asarray(np.linalg.inv(information(factor, None)[0]))
        return cls(score, bread, weights, dispersion, information, without)

    @property
    def rows(self) -> int:
        """Number of respondents."""
        return len(self.score)

    @property
    def share(self) -> Floats:
        """How much each respondent counts in an average, summing to 1, (rows,)."""
        if self.weights is None:
            return np.full(self.rows, 1.0 / self.rows)
        return np.asarray(self.weights / self.weights.sum())

    @property
    def weighted_score(self) -> Floats:
        """Scores times survey weights, (rows, parameters)."""
        return self.score if self.weights is None else self.score * self.weights[:, None]

    @cached_property
    def values(self) -> Floats:
        """What each respondent adds to the parameters, ``B u``, (rows, parameters)."""
        return np.asarray(self.weighted_score @ self.bread)


def constant_information(factor: Floats, cluster: Codes | None) -> Floats:
    """Return the information about a mean."""
    total = np.array([factor.sum()]) if cluster is None else np.bincount(cluster, factor)
    return np.asarray(total[:, None, None])


def predictor_information(X: Floats, information: Floats) -> Information:
    """Return the information about coefficients of a linear predictor, (rows, terms).

    Parameters
    ----------
    X
        Regressors, (rows, terms).
    information
        About the predictor, (rows,).
    """

    def total(factor: Floats, cluster: Codes | None) -> Floats:
        weighted = X * (factor * information)[:, None]
        if cluster is None:
            return np.asarray((X.T @ weighted)[None])
        k = X.shape[1]
        sums = np.empty((int(cluster.max()) + 1, k, k))
        for i in range(k):
            for j in range(i, k):
                sums[:, i, j] = sums[:, j, i] = np.bincount(cluster, weighted[:, i] * X[:, j])
        return sums

    return total


def pieces_influence(score: Floats, pieces: Floats, weights: Floats | None) -> Influence:
    """Return the influence of a full likelihood from every respondent's information.

    Parameters
    ----------
    score
        (rows, parameters)
    pieces
        Less the second derivatives, (rows, parameters, parameters).
    weights
        Survey weights, (rows,), or None.
    """

    def total(factor: Floats, cluster: Codes | None) -> Floats:
        if cluster is None:
            return np.asarray(np.einsum("i,ijk->jk", factor, pieces)[None])
        sums = np.zeros((int(cluster.max()) + 1, *pieces.shape[1:]))
        np.add.at(sums, cluster, pieces * factor[:, None, None])
        return sums

    factor = np.ones(len(score)) if weights is None else weights

    def without() -> Floats:
        own = pieces * factor[:, None, None]
        left = own.sum(axis=0) - own
        return np.linalg.solve(left, (score * factor[:, None])[:, :, None])[:, :, 0]

    return Influence.of(score, total, weights, without=without)
