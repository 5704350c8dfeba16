"""Missing answers: the observed-data normal likelihood of means and covariances.

Rows that answered the same items form a pattern, and a pattern enters the likelihood only through
its number of rows, means and cross-products. With ``K = Σ⁻¹`` and ``m`` the items a pattern lacks::

    Σ_oo⁻¹, padded with zeros    = K - K_.m C K_m.       C = K_mm⁻¹
    ln|Σ_oo|                     = ln|Σ| + ln|K_mm|
    E[x_m - μ_m | x_o]           = -C (K d)_m            d = x - μ, zero where not answered

so one inverse of Σ and small matrices of the size of what is missing give everything. The slope is
that of the likelihood of the completed data, with the answers' conditional expectation.

References
----------
Little, R. J. A., Rubin, D. B. (2019). Statistical Analysis with Missing Data, 3rd ed.
https://doi.org/10.1002/9781119482260

Louis, T. A. (1982). Finding the observed information matrix when using the EM algorithm. Journal
of the Royal Statistical Society B 44, 226-233. https://doi.org/10.1111/j.2517-6161.1982.tb01203.x
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csimodel.moments.incomplete_information import first_order, guess, information, inverted
from csimodel.moments.missing_patterns import Patterns, patterns_of

__all__ = [
    "Completed",
    "Patterns",
    "completed",
    "first_order",
    "information",
    "loglik",
    "loglik_of",
    "minus_two_loglik",
    "patterns_of",
    "slope",
    "value_and_slope",
]

Floats = NDArray[np.float64]


def loglik(patterns: Patterns, mean: ArrayLike, cov: ArrayLike) -> float:
    """Return the observed-data normal log-likelihood, with its constant; -inf where Σ is not PD.

    Examples
    --------
    >>> loglik(patterns_of([[0.0, np.nan], [0.0, 0.0]]), [0.0, 0.0], np.eye(2))
    -2.7568
    """
    return loglik_of(patterns, minus_two_loglik(patterns, mean, cov))


def loglik_of(patterns: Patterns, value: float) -> float:
    """Return the log-likelihood, with its constant, where `minus_two_loglik` has a value."""
    answers = float(patterns.n @ patterns.observed.sum(axis=1))
    return float(-0.5 * (patterns.total * value + np.log(2.0 * np.pi) * answers))


def minus_two_loglik(patterns: Patterns, mean: ArrayLike, cov: ArrayLike) -> float:
    """Return minus twice the log-likelihood per row, without its constant.

    ``F = Σ n_j [ln|Σ_j| + tr(Σ_j⁻¹ (S_j + (x̄_j - μ_j)(x̄_j - μ_j)'))] / n`` over patterns j, each
    with its own items; infinite where Σ is not positive definite.

    Parameters
    ----------
    patterns
        Of the sample.
    mean, cov
        μ, (items,), and Σ, (items, items).

    Examples
    --------
    >>> minus_two_loglik(patterns_of([[2.0, np.nan], [0.0, 1.0]]), [0.0, 0.0], np.eye(2))
    2.5
    """
    done = completed(patterns, mean, cov)
    return np.inf if done is None else done.value


def slope(patterns: Patterns, mean: ArrayLike, cov: ArrayLike) -> tuple[Floats, Floats]:
    """Return the derivative of `minus_two_loglik`: g, (items,), and G, (items, items).

    ``dF = g'dμ + tr(G dΣ)`` with G symmetric; NaN where Σ is not positive definite.

    Examples
    --------
    >>> slope(patterns_of([[2.0, np.nan], [0.0, 1.0]]), [0.0, 0.0], np.eye(2))
    (array([-2., -1.]), array([[-1.,  0.],
           [ 0.,  0.]]))
    """
    return value_and_slope(patterns, mean, cov)[1:]


def value_and_slope(
    patterns: Patterns, mean: ArrayLike, cov: ArrayLike
) -> tuple[float, Floats, Floats]:
    """Return `minus_two_loglik` and its `slope` for the price of one."""
    done = completed(patterns, mean, cov)
    if done is None:
        size = patterns.items
        return np.inf, np.full(size, np.nan), np.full((size, size), np.nan)
    return done.value, *done.slope


class Completed(NamedTuple):
    """The likelihood at (μ, Σ), and the conditional expectation of the complete data's moments.

    Attributes
    ----------
    value
        `minus_two_loglik`.
    first, second
        Mean over rows of E[x - μ | answers], (items,), and of E[(x - μ)(x - μ)' | answers].
    cov, inverse
        Σ and Σ⁻¹.
    """

    value: float
    first: Floats
    second: Floats
    cov: Floats
    inverse: Floats

    @property
    def slope(self) -> tuple[Floats, Floats]:
        """The derivative of the value: for means, (items,), and covariances, (items, items)."""
        change = self.inverse @ (self.cov - self.second) @ self.inverse
        return -2.0 * (self.inverse @ self.first), (change + change.T) / 2.0


def completed(patterns: Patterns, mean: ArrayLike, cov: ArrayLike) -> Completed | None:
    """Complete the moments given (μ, Σ), the E step; None where Σ is not positive definite."""
    mu, sigma = np.asarray(mean, dtype=np.float64), np.asarray(cov, dtype=np.float64)
    solved = inverted(sigma)
    if solved is None:
        return None
    inverse, logdet = solved
    size, n = patterns.items, patterns.total
    vectors, weights, members = patterns.stacked
    whole = vectors.copy()
    whole[: len(patterns.n)] -= np.where(patterns.observed, mu, 0.0)
    value, uncertain = n * logdet, np.zeros(size * size)
    conditional = []
    for group in patterns.lacking:
        times = patterns.n[group.which]
        block = inverse.take(group.cells)
        conditional.append(np.asarray(np.linalg.inv(block)))
        value += times @ np.linalg.slogdet(block)[1]
        weighted = times[:, None, None] * conditional[-1]
        uncertain += np.bincount(group.cells.ravel(), weighted.ravel(), size * size)
    for _ in range(2):  # the second time takes away the rounding of the first
        turned = whole @ inverse
        for among, own in zip(conditional, members, strict=True):
            better = whole.take(own.cells) + guess(among[own.place], turned.take(own.cells))
            whole.put(own.cells, better)
    value += weights @ np.einsum("ij,ij->i", whole, whole @ inverse)
    second = (whole.T @ (weights[:, None] * whole) + uncertain.reshape(size, size)) / n
    first = patterns.n @ whole[: len(patterns.n)] / n
    return Completed(float(value / n), first, second, sigma, inverse)
