"""Errors and tests that hold when answers are not normal: sandwiches and scaled χ².

With Δ the derivatives of the moments, V their weight in the discrepancy (of normal theory, at the
model's moments), Γ the sampling covariance of the moments (`fourth_moments`) and N rows::

    A = Δ'VΔ (expected) or half the observed Hessian,   B = Δ'VΓVΔ,   errors from A⁻¹BA⁻¹ / N

The mean outer product of respondents' scores is B with Γ about the model's moments, so nothing
needs another pass over the answers. For incomplete answers A and B are the observed information
and that mean of the likelihood of what was observed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.estimator import CovarianceEstimator
from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.estimators.covariance.parameters import (
    covariance_structure,
    inverted,
    sample_information,
)
from csimodel.estimators.covariance.structure import (
    Implied,
    implied,
    moment_slopes,
    moments_vector,
    slope_forms,
    slopes_of_cells,
)
from csimodel.estimators.covariance.tests_of_fit import (
    ChiSquare,
    Sandwich,
    Scaled,
    about_model,
    bread,
    middle,
    residual_test,
    scaled,
    trace,
    traces,
)
from csimodel.estimators.estimates import Status
from csimodel.estimators.solution import Solution
from csimodel.moments import Moments
from csimodel.moments.forms import Columns, DiagonalWeight, Forms, directions_of
from csimodel.moments.gamma import Gamma
from csimodel.moments.incomplete_products import between, saturated_trace, score_products
from csimodel.moments.saturated import independence
from csimodel.moments.vech import vech_indices

Floats = NDArray[np.float64]

_YES = np.array(True)
_CHUNK = 32  # samples whose weights and Γ are held together


def sandwich(fitted: Fitted) -> Floats:
    """Return the robust covariance of the free parameters' estimates, (size, size).

    MLR (Huber-White) takes the observed information and scores about the model, MLM, MLMV and
    MLMVS the expected information and Γ about the sample (lavaan's robust.sem). They are the same
    with and without a mean structure that fits the means exactly. Survey weights enter Γ squared,
    and clusters as sums of their respondents, which makes MLR pseudo-maximum likelihood.

    Raises
    ------
    EstimationError
        When there are only means and covariances.

    References
    ----------
    Huber, P. J. (1967). The behavior of maximum likelihood estimates under nonstandard conditions.
    Proceedings of the Fifth Berkeley Symposium 1, 221-233.

    Browne, M. W. (1984). Asymptotically distribution-free methods for the analysis of covariance
    structures. British Journal of Mathematical and Statistical Psychology 37, 62-83.
    https://doi.org/10.1111/j.2044-8317.1984.tb00789.x

    Muthén, B. O., Satorra, A. (1995). Complex sample data in structural equation modeling.
    Sociological Methodology 25, 267-316. https://doi.org/10.2307/271070
    """
    if fitted.outcome != Status.CONVERGED:
        return np.full((fitted.npar, fitted.npar), np.nan)
    if fitted.estimator.robust == "mlr":
        outside, inner = inverted(0.5 * fitted.hessian(True), _YES), _score_products(fitted)
    else:
        parts = sandwich_parts(fitted)
        outside, inner = inverted(bread(parts), _YES), middle(parts)
    return np.asarray(outside @ inner @ outside / float(fitted.sizes.sum()))


def sandwiches(solution: Solution) -> Floats:
    """Return the robust covariance of the estimates of every sample of a batch, (samples, q, q).

    The formulas are those of `sandwich`, which is for one sample and for groups that share
    parameters. NaN for samples without a solution.

    Raises
    ------
    EstimationError
        When the moments have no fourth-order moments.
    """
    estimator, _ = covariance_structure(solution)
    estimator.require(solution.moments)
    starts = range(0, len(solution.moments.n), _CHUNK)
    return np.concatenate([_chunk_sandwiches(solution[at : at + _CHUNK]) for at in starts])


def _chunk_sandwiches(solution: Solution) -> Floats:
    estimator, estimates = covariance_structure(solution)
    layout, own = estimates.layout, solution.moments
    usable = np.asarray(estimates.outcome == Status.CONVERGED)
    at = implied(layout, np.where(usable[:, None], estimates.parameters, 0.1))
    slopes = moment_slopes(layout, at)
    pulled = np.stack(
        [
            estimator.weight(own[k], layout, at.sigma[k]).applied(slopes[k])
            for k in range(len(slopes))
        ]
    )
    gamma = _matrices(gamma_of(estimator, own), layout)
    n = estimator.sample_size(own)[:, None, None]
    robust = estimator.robust == "mlr"
    if robust:
        gap = own.mean - at.mean if layout.mean_structure else None
        residual = estimator.sample_cov(own) - at.sigma
        gamma = about_model(gamma, gap, residual, own.n / own.effective_n)
        outside = n * inverted(sample_information(solution, observed=True), usable)
    else:
        outside = inverted(np.swapaxes(slopes, -1, -2) @ pulled, usable)
    inside = np.swapaxes(pulled, -1, -2) @ gamma @ pulled
    return np.asarray(outside @ inside @ outside / n)


def scaled_tests(fitted: Fitted, baseline: ChiSquare) -> tuple[Scaled, Scaled]:
    """Return the scaled χ² of the model and of its baseline.

    ``tr UΓ`` of MLR is ``tr(A₁⁻¹B₁) - tr(A⁻¹B)``, A₁ and B₁ of the saturated model, in the form of
    Mplus. The kinds are those of `csimodel.estimators.covariance.tests_of_fit.scaled`.
    """
    kind = fitted.estimator.robust
    assert kind is not None
    model = ChiSquare(fitted.chisq, fitted.df)
    if kind == "mlr":
        own, apart, whole = _score_traces(fitted)
        return scaled(kind, model, whole - own), scaled(kind, baseline, whole - apart)
    joint, alone = sandwich_parts(fitted), _at_independence(fitted)
    if kind == "mlm":
        first = trace(joint, inverted(bread(joint), _YES))
        apart = sum(trace([part], inverted(bread([part]), _YES)) for part in alone)
        return scaled(kind, model, first), scaled(kind, baseline, apart)
    both = np.array([traces([part], inverted(bread([part]), _YES)) for part in alone])
    return (
        scaled(kind, model, *traces(joint, inverted(bread(joint), _YES))),
        scaled(kind, baseline, *both.sum(axis=0).tolist()),
    )


def residual_chisq(fitted: Fitted) -> ChiSquare:
    """Return the residual-based test of the kinds whose Γ is that of the moments."""
    residuals = []
    for own, layout, at in zip(fitted.moments, fitted.layouts, fitted.at, strict=True):
        gap = own.mean - at.mean if layout.mean_structure else None
        residuals.append(moments_vector(fitted.estimator.sample_cov(own) - at.sigma, gap))
    chisq = residual_test(sandwich_parts(fitted), residuals, float(fitted.sizes.sum()))
    return ChiSquare(chisq, fitted.df)


def _score_traces(fitted: Fitted) -> tuple[float, float, float]:
    """Return ``tr A⁻¹B`` of the model, of independent items, and of the saturated model."""
    outside = inverted(0.5 * fitted.hessian(True), _YES)
    whole = apart = 0.0
    for own, layout in zip(fitted.moments, fitted.layouts, strict=True):
        whole += _saturated_trace(fitted.estimator, own, layout)
        apart += _independent_trace(fitted.estimator, own, layout)
    return float((outside * _score_products(fitted)).sum()), apart, whole


def _score_products(fitted: Fitted) -> Floats:
    """Return B, the mean outer product of respondents' scores, (size, size)."""
    total = np.zeros((fitted.npar, fitted.npar))
    parts = zip(fitted.shares, fitted.moments, fitted.layouts, fitted.at, strict=True)
    for share, own, layout, at in parts:
        slopes = slope_forms(layout, at)
        if own.patterns is not None:
            products = score_products(own.patterns, at.mean, at.sigma, slopes)
        else:
            products = _about_model(fitted.estimator, own, layout, at)
        total += share * layout.matrix(products, slopes_of_cells(layout, at))
    return total


def _about_model(
    estimator: CovarianceEstimator, own: Moments, layout: ParameterLayout, at: Implied
) -> Floats:
    """Return ``Δ'VΓVΔ`` by cells with Γ about the moments of the model, as `about_model`.

    At a distance d of the means a function ``l'Er`` of products about the model's means adds
    ``(l'd) r + (r'd) l`` to what it makes of the means.
    """
    weight = estimator.weight(own, layout, at.sigma)
    pulled = weight.of(slope_forms(layout, at))
    gamma, residual = gamma_of(estimator, own), estimator.sample_cov(own) - at.sigma
    uneven = float(own.n / own.effective_n)
    assert isinstance(pulled, Forms)  # robust errors of scores are those of ML
    if pulled.level is None:
        difference = pulled.values(residual)
        return gamma.quadratic(pulled) + uneven * np.outer(difference, difference)
    gap = own.mean - at.mean
    difference = pulled.values(residual + np.outer(gap, gap), gap)
    tilt = pulled.left * (gap @ pulled.right) + pulled.right * (gap @ pulled.left)
    tilted = replace(pulled, level=pulled.level + tilt)
    return gamma.quadratic(tilted) + uneven * np.outer(difference, difference)


def _saturated_trace(
    estimator: CovarianceEstimator, own: Moments, layout: ParameterLayout
) -> float:
    cov = estimator.sample_cov(own)
    if own.patterns is not None:
        return saturated_trace(own.patterns, own.mean, cov)
    return gamma_of(estimator, own).trace(estimator.weight(own, layout, cov))


def _independent_trace(
    estimator: CovarianceEstimator, own: Moments, layout: ParameterLayout
) -> float:
    free = independent(len(layout.ordered), layout.mean_structure)
    if own.patterns is not None:
        apart = independence(own.patterns)
        cov = np.diag(apart.variance)
        outside = between(own.patterns, apart.mean, cov, free, free)
        inside = score_products(own.patterns, apart.mean, cov, free)
    else:
        cov = np.diag(np.diag(estimator.sample_cov(own)))
        weight = estimator.weight(own, layout, cov)
        outside = weight.between(free, free)
        inside = gamma_of(estimator, own).quadratic(weight.of(free))
    return float(np.trace(np.linalg.solve(outside, inside)))


def sandwich_parts(fitted: Fitted) -> list[Sandwich]:
    """Return what each group has in the distribution of χ² and of the estimates."""
    parts = zip(fitted.shares, fitted.moments, fitted.layouts, fitted.at, strict=True)
    if fitted.layouts[0].levels is not None:
        return [
            Sandwich(
                float(share),
                slopes,
                fitted.estimator.weight(own, layout, at.sigma),
                gamma_of(fitted.estimator, own),
                None,
            )
            for (share, own, layout, at), slopes in zip(parts, fitted.slopes, strict=True)
        ]
    return [
        Sandwich(
            float(share),
            slope_forms(layout, at),
            fitted.estimator.weight(own, layout, at.sigma),
            gamma_of(fitted.estimator, own),
            layout,
            slopes_of_cells(layout, at),
        )
        for share, own, layout, at in parts
    ]


def _at_independence(fitted: Fitted) -> list[Sandwich]:
    """Return the parts of the baseline, in which each group has parameters of its own."""
    parts = []
    for own, layout in zip(fitted.moments, fitted.layouts, strict=True):
        cov = np.diag(np.diag(fitted.estimator.sample_cov(own)))
        weight = fitted.estimator.weight(own, layout, cov)
        free: Columns = independent(len(layout.ordered), layout.mean_structure)
        if layout.levels is not None:
            row, column = vech_indices(len(cov))
            free = np.eye(len(layout.levels.item) + len(row))
            free = free[:, np.concatenate([layout.levels.item >= 0, row == column])]
        if isinstance(weight, DiagonalWeight):
            directions = directions_of(free)
            free = directions[:, weight.values[directions.argmax(axis=0)] > 0]
        parts.append(Sandwich(1.0, free, weight, gamma_of(fitted.estimator, own), None))
    return parts


def independent(items: int, means: bool) -> Forms:
    """Return Δ of the baseline: own means and variances, no covariances."""
    own, none = np.eye(items), np.zeros((items, items))
    if not means:
        return Forms(own, 0.5 * own)
    left, right = np.hstack([none, own]), np.hstack([none, 0.5 * own])
    return Forms(left, right, np.hstack([own, none]))


def gamma_of(estimator: CovarianceEstimator, own: Moments) -> Gamma:
    """Return Γ of one sample or of every sample of a batch."""
    estimator.require(own)
    assert own.gamma is not None
    return own.gamma


def _matrices(gamma: Gamma, layout: ParameterLayout) -> Floats:
    """Return Γ of the moments that are modelled, (..., moments, moments)."""
    items = 0 if layout.mean_structure else len(layout.ordered)
    return np.asarray(gamma.matrix[..., items:, items:])
