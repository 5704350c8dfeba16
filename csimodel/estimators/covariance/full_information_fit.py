"""How well full information estimates would fit if nothing were missing: corrected χ²."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.least_squares import normal_weight
from csimodel.estimators.covariance.robust import independent
from csimodel.estimators.covariance.tests_of_fit import ChiSquare, Scaled, scaled
from csimodel.moments.incomplete_likelihood import information
from csimodel.moments.saturated import independence, saturated_gamma

Floats = NDArray[np.float64]


def complete_data_tests(fitted: Fitted, df: tuple[float, float]) -> tuple[Scaled, Scaled]:
    """Return χ² of the model and of its baseline as of complete answers, with their scaling.

    χ² of full information shrinks with what is missing, and with it CFI and RMSEA change. So the
    discrepancy of complete data is taken between the saturated moments and those implied at the
    estimates, ``X = N F(m̂, Σ̂; μ, Σ)``. With Γ the sampling covariance of the saturated moments
    (robust for ``se="mlr"``), A their observed information, V their weight in complete data, all at
    the saturated moments, and ``M = I - Δ (Δ'AΔ)⁻¹ Δ'A`` the mean of X under the model is
    ``tr(V M Γ M')``, which takes the place of the degrees of freedom.

    Parameters
    ----------
    fitted
        By full information.
    df
        Degrees of freedom of the model and of the baseline.

    References
    ----------
    Zhang, X., Savalei, V. (2023). New computations for RMSEA and CFI following FIML and TS
    estimation with missing data. Psychological Methods 28, 263-283.
    https://doi.org/10.1037/met0000445
    """
    groups = len(fitted.moments)
    model, baseline, chisq, apart = [], [], 0.0, 0.0
    for g, (own, at) in enumerate(zip(fitted.moments, fitted.at, strict=True)):
        assert own.patterns is not None
        cov = fitted.estimator.sample_cov(own)
        part = _Part(
            float(fitted.shares[g]),
            fitted.slopes[g],
            normal_weight(cov, True),
            saturated_gamma(own.patterns, own.mean, cov, fitted.estimator.design_based),
            information(own.patterns, own.mean, cov),
        )
        free = independent(fitted.layouts[g])
        blocks = np.hstack([free if k == g else np.zeros_like(free) for k in range(groups)])
        model.append(part)
        baseline.append(part._replace(slopes=blocks))
        n = float(fitted.sizes[g])
        chisq += n * _distance(own.mean, cov, at.mean, at.sigma)
        alone = independence(own.patterns)
        apart += n * _distance(own.mean, cov, alone.mean, np.diag(alone.variance))
    return (
        scaled("mlr", ChiSquare(chisq, df[0]), _expected(model)),
        scaled("mlr", ChiSquare(apart, df[1]), _expected(baseline)),
    )


class _Part(NamedTuple):
    """A group's share of the rows, Δ, V, Γ and A."""

    share: float
    slopes: Floats
    weight: Floats
    gamma: Floats
    information: Floats


def _expected(parts: list[_Part]) -> float:
    """Return ``tr(V M Γ M')`` over groups that share parameters."""
    size = parts[0].slopes.shape[1]
    whole, bread, mixed, inner, outer = 0.0, *(np.zeros((size, size)) for _ in range(4))
    for share, slopes, weight, gamma, known in parts:
        pulled = known @ slopes
        whole += float((weight * gamma).sum())
        bread += share * (slopes.T @ pulled)
        mixed += share * (pulled.T @ gamma @ weight @ slopes)
        inner += share * (pulled.T @ gamma @ pulled)
        outer += share * (slopes.T @ weight @ slopes)
    inverse = np.linalg.inv(bread)
    spread = inverse @ inner @ inverse
    return float(whole - 2.0 * np.trace(inverse @ mixed) + np.trace(spread @ outer))


def _distance(mean: Floats, cov: Floats, level: Floats, sigma: Floats) -> float:
    """Return the discrepancy of complete answers."""
    gap = mean - level
    spread = cov + np.outer(gap, gap)
    logdet = np.linalg.slogdet(sigma)[1] - np.linalg.slogdet(cov)[1]
    return float(logdet + np.trace(np.linalg.solve(sigma, spread)) - len(cov))
