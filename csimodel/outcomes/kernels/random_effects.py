"""Linear mixed models by restricted maximum likelihood, from sums of products of each group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.influence import Codes, Influence

Floats = NDArray[np.float64]

_START = 0.3  # of the factor of effects' variance over that of rows, which is unknown
_STEP = 1e-5  # of the factor, for second derivatives
_POLISH = 6  # Newton steps at most
_FLAT = 1e-6  # gradient of the deviance over the number of groups


@dataclass(frozen=True, eq=False)
class RandomEffects:
    """A linear mixed model, fitted.

    Attributes
    ----------
    coefficients
        (terms,)
    covariance
        Of a group's effects, (effects, effects).
    residual
        Variance of a row.
    information
        X'V⁻¹X of each group, (groups, terms, terms).
    effects
        Predicted effects of each group, (groups, effects).
    converged
        Whether the restricted likelihood is flat there.
    """

    coefficients: Floats
    covariance: Floats
    residual: float
    information: Floats
    effects: Floats
    converged: bool


@dataclass(frozen=True, eq=False)
class GroupProducts:
    """Sums of products of columns and outcome in each group: all that the likelihood sees.

    A group of k rows costs its products once, k (terms + 1)², and no k × k matrix.

    Attributes
    ----------
    products
        (X, y)'(X, y) of each group, (groups, terms + 1, terms + 1).
    rows
        Number of rows of all groups.
    varying
        How many of the first columns have effects that vary between groups.
    """

    products: Floats
    rows: int
    varying: int

    @classmethod
    def of(cls, X: Floats, y: Floats, starts: NDArray[np.intp], varying: int) -> GroupProducts:
        """Sum products of rows sorted by group, of which each begins at `starts`."""
        columns = [*X.T, y]
        products = np.empty((len(starts), len(columns), len(columns)))
        for i, left in enumerate(columns):
            for j, right in enumerate(columns[: i + 1]):
                products[:, i, j] = products[:, j, i] = np.add.reduceat(left * right, starts)
        return cls(products, len(y), varying)

    def fit(self) -> RandomEffects:
        r"""Maximise the restricted likelihood.

        ``y = Xb + Zu + e`` in each group, Z the first columns of X, ``u ~ N(0, σ²LL')``. With
        ``W = I + L'Z'ZL``, V⁻¹ is ``I - ZLW⁻¹L'Z'``, so that with P the products and T the first
        rows of L'P of a group ``A = Σ (P - T'W⁻¹T)``; coefficients are least squares in A, and L
        minimises ``(N - p) log rss + Σ log |W| + log |A_XX|``, by BFGS, then by Newton's steps.

        References
        ----------
        Harville, D. A. (1977). Maximum likelihood approaches to variance component estimation and
        to related problems. Journal of the American Statistical Association 72, 320-338.
        https://doi.org/10.1080/01621459.1977.10480998

        Examples
        --------
        >>> y = np.array([1.0, 2.0, 4.0, 5.0, 9.0, 10.0])
        >>> sums = GroupProducts.of(np.ones((6, 1)), y, np.array([0, 2, 4]), 1)
        >>> fit = sums.fit()  # balanced: what the analysis of variance says
        >>> bool(np.isclose(fit.residual, 0.5)), bool(np.isclose(fit.covariance, 16.08333333))
        (True, True)
        """
        from scipy.optimize import minimize

        cells = np.tril_indices(self.varying)

        def factor(theta: Floats) -> Floats:
            lower = np.zeros((self.varying, self.varying))
            lower[cells] = theta
            return lower

        def deviance(theta: Floats) -> tuple[float, Floats]:
            value, gradient = self._deviance(factor(theta))
            return value / len(self.products), gradient[cells] / len(self.products)

        theta = np.where(cells[0] == cells[1], _START, 0.0)
        theta = minimize(deviance, theta, jac=True, method="BFGS", options={"gtol": 1e-9}).x
        for _ in range(_POLISH):
            gradient = deviance(theta)[1]
            moves = _STEP * np.eye(len(theta))
            second = [deviance(theta + m)[1] - deviance(theta - m)[1] for m in moves]
            curvature = np.stack(second) / (2.0 * _STEP)
            if np.linalg.eigvalsh(curvature + curvature.T)[0] <= 0.0:
                break
            nearer = theta - np.linalg.solve(curvature, gradient)
            if not np.abs(deviance(nearer)[1]).max() < np.abs(gradient).max():
                break
            theta = nearer
        return self._at(factor(theta), bool(np.abs(deviance(theta)[1]).max() < _FLAT))

    def _reduced(self, L: Floats) -> tuple[Floats, Floats, Floats]:
        """Return W and A of each group, and Z'V⁻¹(X, y), times σ²."""
        P, q = self.products, self.varying
        T = L.T @ P[:, :q]
        W = np.eye(q) + T[:, :, :q] @ L
        solved = np.linalg.solve(W, T)
        return W, P - np.swapaxes(T, 1, 2) @ solved, P[:, :q] - P[:, :q, :q] @ (L @ solved)

    def _deviance(self, L: Floats) -> tuple[float, Floats]:
        """Return -2 times the restricted log likelihood, and its gradient in L."""
        W, A, K = self._reduced(L)
        b, rss, total = _least_squares(A)
        spare = self.rows - len(b)
        value = spare * np.log(rss) + np.linalg.slogdet(W)[1].sum() + np.linalg.slogdet(total)[1]
        KX, u = K[:, :, :-1], K[:, :, -1] - K[:, :, :-1] @ b
        slope = K[:, :, : self.varying].sum(axis=0) - spare / rss * (u.T @ u)
        slope -= (KX @ np.linalg.solve(total, np.swapaxes(KX, 1, 2))).sum(axis=0)
        return float(value), (slope + slope.T) @ L

    def _at(self, L: Floats, flat: bool) -> RandomEffects:
        """Return the model whose variances are these."""
        _, A, K = self._reduced(L)
        b, rss, _ = _least_squares(A)
        residual = rss / (self.rows - len(b))
        covariance = L @ L.T
        effects = (K[:, :, -1] - K[:, :, :-1] @ b) @ covariance
        return RandomEffects(
            b,
            covariance * residual,
            residual,
            A[:, :-1, :-1] / residual,
            effects,
            flat,
        )


def random_effects_influence(
    X: Floats, left: Floats, residual: float, information: Floats
) -> Influence:
    """Return what rows add to the coefficients of a linear mixed model.

    ``V⁻¹(y - Xb) = (y - Xb - Zu)/σ²`` with u the predicted effects, so that rows have scores of
    their own; only groups have information.

    Parameters
    ----------
    X
        (rows, terms)
    left
        What coefficients and predicted effects leave of the outcome, (rows,).
    residual
        Variance of a row, σ².
    information
        X'V⁻¹X of each group, (groups, terms, terms).
    """

    def total(factor: Floats, cluster: Codes | None) -> Floats:
        return information.sum(axis=0)[None] if cluster is None else information

    return Influence.of(X * (left / residual)[:, None], total, None)


def _least_squares(A: Floats) -> tuple[Floats, float, Floats]:
    """Return coefficients, the sum of squares that is left, and the matrix of the columns."""
    whole = A.sum(axis=0)
    b = np.linalg.solve(whole[:-1, :-1], whole[:-1, -1])
    rss = float(whole[-1, -1] - whole[:-1, -1] @ b)
    return np.asarray(b), max(rss, np.finfo(np.float64).tiny), whole[:-1, :-1]
