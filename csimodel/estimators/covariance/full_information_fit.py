"""How well full information estimates would fit if nothing were missing: corrected χ²."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.estimators.covariance.least_squares import weight_at
from csimodel.estimators.covariance.robust import independent
from csimodel.estimators.covariance.structure import slope_forms
from csimodel.estimators.covariance.tests_of_fit import ChiSquare, Scaled, scaled
from csimodel.limits import require_memory
from csimodel.moments.forms import Forms
from csimodel.moments.incomplete_information import information
from csimodel.moments.incomplete_products import Factor, between, score_products, unit_scores
from csimodel.moments.missing_patterns import Patterns
from csimodel.moments.saturated import independence

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
    model, baseline, chisq, apart = [], [], 0.0, 0.0
    parts = zip(fitted.shares, fitted.moments, fitted.layouts, fitted.at, strict=True)
    for share, own, layout, at in parts:
        assert own.patterns is not None
        cov = fitted.estimator.sample_cov(own)
        slopes = (slope_forms(layout, at), independent(len(cov), True))
        robust = fitted.estimator.design_based
        first, second = _parts(own.patterns, own.mean, cov, slopes, robust)
        model.append(first.summed(float(share), layout))
        baseline.append(second)
        n = float(fitted.sizes.sum() * share)
        chisq += n * _distance(own.mean, cov, at.mean, at.sigma)
        alone = independence(own.patterns)
        apart += n * _distance(own.mean, cov, alone.mean, np.diag(alone.variance))
    return (
        scaled("mlr", ChiSquare(chisq, df[0]), _expected(model)),
        scaled("mlr", ChiSquare(apart, df[1]), sum(_expected([part]) for part in baseline)),
    )


class _Part(NamedTuple):
    """What a group adds to ``tr(V M Γ M')``: ``tr VΓ``, Δ'AΔ, Δ'AΓVΔ, Δ'AΓAΔ and Δ'VΔ."""

    whole: float
    bread: Floats
    mixed: Floats
    inner: Floats
    outer: Floats

    def summed(self, share: float, layout: ParameterLayout) -> _Part:
        """Return the matrices by parameters, times a share of the rows."""
        return _Part(self.whole, *(share * layout.matrix(own) for own in self[1:]))


def _parts(
    patterns: Patterns, mean: Floats, cov: Floats, slopes: tuple[Forms, ...], robust: bool
) -> list[_Part]:
    """Return the parts of several Δ.

    Where answers are taken as normal ``Γ = A⁻¹``, so that ``AΓ`` is 1. Otherwise ``Γ = A⁻¹JA⁻¹``
    with J the mean outer product of scores.
    """
    weight = weight_at(cov, True)
    moments = weight.size
    what = f"Fit measures of full information about {moments:,} means and covariances"
    require_memory(what, 9.0 * moments**2, "use fewer items")
    factor = Factor.of(information(patterns, mean, cov))
    breads = [between(patterns, mean, cov, own, own) for own in slopes]
    outers = [weight.between(own, own) for own in slopes]
    if factor is None or not robust:
        whole = np.nan if factor is None else factor.trace(weight)
        plain = zip(breads, outers, strict=True)
        return [_Part(whole, bread, outer, bread, outer) for bread, outer in plain]
    turned = [factor.solved(weight.pulled(own).functions) for own in slopes]
    mixed = [np.zeros(bread.shape) for bread in breads]
    directions = [own.directions for own in slopes]
    whole = 0.0
    for scores in unit_scores(patterns, mean, cov):
        moved = factor.solved(scores)
        whole += float((moved * weight.applied(moved)).sum())
        for total, own, other in zip(mixed, directions, turned, strict=True):
            total += (own.T @ scores) @ (scores.T @ other)
    rows = patterns.total
    inner = [score_products(patterns, mean, cov, own) for own in slopes]
    each = zip(breads, mixed, inner, outers, strict=True)
    return [
        _Part(whole / rows, bread, crossed / rows, meat, outer)
        for bread, crossed, meat, outer in each
    ]


def _expected(parts: list[_Part]) -> float:
    """Return ``tr(V M Γ M')`` over groups that share parameters."""
    bread, mixed, inner, outer = (sum(own) for own in list(zip(*parts, strict=True))[1:])
    inverse = np.linalg.inv(np.asarray(bread))
    spread = inverse @ inner @ inverse
    whole = sum(part.whole for part in parts)
    return float(whole - 2.0 * np.trace(inverse @ mixed) + np.trace(spread @ outer))


def _distance(mean: Floats, cov: Floats, level: Floats, sigma: Floats) -> float:
    """Return the discrepancy of complete answers."""
    gap = mean - level
    spread = cov + np.outer(gap, gap)
    logdet = np.linalg.slogdet(sigma)[1] - np.linalg.slogdet(cov)[1]
    return float(logdet + np.trace(np.linalg.solve(sigma, spread)) - len(cov))
