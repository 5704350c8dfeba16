"""Errors and tests that hold when answers are not normal: sandwiches and scaled χ².

With Δ the derivatives of the moments, V the normal-theory weight at the model's moments, Γ the
sampling covariance of the moments (`fourth_moments`) and N rows::

    A = Δ'VΔ (expected) or half the observed Hessian,   B = Δ'VΓVΔ,   errors from A⁻¹BA⁻¹ / N

For incomplete answers A and B are the observed information and the mean outer product of the
scores of the likelihood of what was observed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import EstimationError
from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.least_squares import normal_weight
from csimodel.estimators.covariance.structure import Implied, moments_vector, vech
from csimodel.estimators.estimates import Outcome
from csimodel.moments import Moments
from csimodel.moments.patterns import first_order, information
from csimodel.moments.saturated import independence

Floats = NDArray[np.float64]


class Scaling(NamedTuple):
    """How χ² is made to follow its distribution: ``χ² / factor + shift``; `mean` is tr(UΓ)/df."""

    factor: float
    shift: float
    mean: float


def sandwich(fitted: Fitted) -> Floats:
    """Return the robust covariance of the free parameters' estimates, (size, size).

    MLR (Huber-White) takes the observed information, MLM and MLMV the expected one (robust.sem of
    lavaan).

    References
    ----------
    Huber, P. J. (1967). The behavior of maximum likelihood estimates under nonstandard conditions.
    Proceedings of the Fifth Berkeley Symposium 1, 221-233.

    Browne, M. W. (1984). Asymptotically distribution-free methods for the analysis of covariance
    structures. British Journal of Mathematical and Statistical Psychology 37, 62-83.
    https://doi.org/10.1111/j.2044-8317.1984.tb00789.x
    """
    if fitted.outcome != Outcome.CONVERGED:
        return np.full((fitted.npar, fitted.npar), np.nan)
    bread, middle = _bread(fitted), _middle(fitted)
    root = np.sqrt(np.abs(np.diag(bread)))
    scale = np.outer(root, root)
    inverse = np.linalg.inv(bread / scale) / scale
    return np.asarray(inverse @ middle @ inverse / float(fitted.sizes.sum()))


def scalings(fitted: Fitted) -> tuple[Scaling, Scaling]:
    """Return how χ² of the model and of the baseline are scaled.

    MLM: ``tr(UΓ)/df`` with ``U = V - VΔ A⁻¹ Δ'V`` (Satorra and Bentler 1994). MLMV: divided by
    ``√(tr((UΓ)²)/df)`` and shifted so that mean and variance are those of χ² (Asparouhov and
    Muthén 2010). MLR: ``(tr(A₁⁻¹B₁) - tr(A⁻¹B))/df``, A₁ and B₁ of the saturated model (Yuan and
    Bentler 2000, in the form of Mplus).

    References
    ----------
    Satorra, A., Bentler, P. M. (1994). Corrections to test statistics and standard errors in
    covariance structure analysis. In von Eye, Clogg (eds.), Latent Variables Analysis, 399-419.

    Yuan, K.-H., Bentler, P. M. (2000). Three likelihood-based methods for mean and covariance
    structure analysis with nonnormal missing data. Sociological Methodology 30, 165-200.
    https://doi.org/10.1111/0081-1750.00078
    """
    fitted.require_solution()
    slopes = [_independence_slopes(own, fitted) for own in fitted.moments]
    apart = len(slopes) * slopes[0].shape[1]
    df = fitted.estimator.statistics(fitted.model) * len(slopes) - apart
    if fitted.estimator.robust == "mlr":
        whole = sum(_saturated_trace(fitted, own) for own in fitted.moments)
        own = float(np.trace(np.linalg.solve(_bread(fitted), _middle(fitted))))
        model = _plain((whole - own) / fitted.df) if fitted.df else _plain(np.nan)
        alone = sum(
            _independence_trace(fitted, own, part)
            for own, part in zip(fitted.moments, slopes, strict=True)
        )
        return model, _plain((whole - alone) / df)
    weights = [normal_weight(at.sigma, _means(fitted)) for at in fitted.at]
    model = _moment_scaling(fitted, weights, list(fitted.slopes), fitted.df)
    covs = [np.diag(np.diag(fitted.estimator.sample_cov(own))) for own in fitted.moments]
    blocks = [
        np.hstack([part if g == k else np.zeros_like(part) for k in range(len(slopes))])
        for g, part in enumerate(slopes)
    ]
    return model, _moment_scaling(
        fitted, [normal_weight(cov, _means(fitted)) for cov in covs], blocks, df
    )


def _plain(factor: float) -> Scaling:
    return Scaling(factor, 0.0, factor)


def _moment_scaling(
    fitted: Fitted, weights: list[Floats], slopes: list[Floats], df: int
) -> Scaling:
    """Scale by the mean of ``UΓ``'s eigenvalues, or by their mean and variance."""
    if not df:
        return _plain(np.nan)
    shares = fitted.shares
    bread = sum(s * d.T @ v @ d for s, d, v in zip(shares, slopes, weights, strict=True))
    pulled = [v @ d for v, d in zip(weights, slopes, strict=True)]
    inverse = np.linalg.inv(np.asarray(bread))
    size = len(weights[0])
    product = np.zeros((size * len(weights),) * 2)
    for g, own in enumerate(fitted.moments):
        gamma = _gamma(own, fitted)
        for k in range(len(weights)):
            part = -shares[k] * pulled[k] @ inverse @ pulled[g].T @ gamma
            if k == g:
                part = part + weights[g] @ gamma
            product[k * size : (k + 1) * size, g * size : (g + 1) * size] = part
    first, second = float(np.trace(product)), float((product * product.T).sum())
    if fitted.estimator.robust == "mlm":
        return _plain(first / df)
    return Scaling(np.sqrt(second / df), df - np.sqrt(df * first**2 / second), first / df)


def _bread(fitted: Fitted) -> Floats:
    """Return A."""
    return 0.5 * fitted.hessian(fitted.estimator.robust == "mlr")


def _middle(fitted: Fitted) -> Floats:
    """Return B."""
    total = np.zeros((fitted.npar, fitted.npar))
    for share, own, at, slopes in zip(
        fitted.shares, fitted.moments, fitted.at, fitted.slopes, strict=True
    ):
        if own.patterns is not None:
            scores = first_order(own.patterns, at.mean, at.sigma)
            total += share * slopes.T @ scores @ slopes
            continue
        pulled = normal_weight(at.sigma, _means(fitted)) @ slopes
        gamma = _gamma(own, fitted)
        if fitted.estimator.robust == "mlr":
            gamma = _about_model(gamma, own, at, fitted)
        total += share * pulled.T @ gamma @ pulled
    return total


def _about_model(gamma: Floats, own: Moments, at: Implied, fitted: Fitted) -> Floats:
    """Return the mean outer product of deviations from the model's moments, not the sample's.

    With ``δ = m - μ`` the deviations of products move by ``δ(x - m)' + (x - m)δ'`` and by the
    constants ``r = (δ ; vech(S + δδ' - Σ))``: ``J Γ J' + r r'``.
    """
    cov = fitted.estimator.sample_cov(own)
    if not _means(fitted):
        gap = moments_vector(cov - at.sigma, None)
        return np.asarray(gamma + np.outer(gap, gap))
    shift = own.mean - at.mean
    items = len(shift)
    row, column = vech(items)
    turn = np.eye(len(gamma))
    unit = np.eye(items)
    turn[items:, :items] = shift[row, None] * unit[column] + shift[column, None] * unit[row]
    gap = moments_vector(cov + np.outer(shift, shift) - at.sigma, shift)
    return np.asarray(turn @ gamma @ turn.T + np.outer(gap, gap))


def _saturated_trace(fitted: Fitted, own: Moments) -> float:
    cov = fitted.estimator.sample_cov(own)
    if own.patterns is not None:
        scores = first_order(own.patterns, own.mean, cov)
        return float(np.trace(np.linalg.solve(information(own.patterns, own.mean, cov), scores)))
    return float(np.sum(normal_weight(cov, _means(fitted)) * _gamma(own, fitted)))


def _independence_trace(fitted: Fitted, own: Moments, slopes: Floats) -> float:
    if own.patterns is not None:
        apart = independence(own.patterns)
        cov = np.diag(apart.variance)
        bread = slopes.T @ information(own.patterns, apart.mean, cov) @ slopes
        middle = slopes.T @ first_order(own.patterns, apart.mean, cov) @ slopes
        return float(np.trace(np.linalg.solve(bread, middle)))
    cov = np.diag(np.diag(fitted.estimator.sample_cov(own)))
    pulled = normal_weight(cov, _means(fitted)) @ slopes
    middle = pulled.T @ _gamma(own, fitted) @ pulled
    return float(np.trace(np.linalg.solve(slopes.T @ pulled, middle)))


def _independence_slopes(own: Moments, fitted: Fitted) -> Floats:
    """Return Δ of the baseline: own means and variances, no covariances."""
    items = len(own.mean)
    row, column = np.triu_indices(items)
    free = np.concatenate([np.ones(items if _means(fitted) else 0, dtype=bool), row == column])
    return np.eye(len(free))[:, free]


def _means(fitted: Fitted) -> bool:
    return fitted.layouts[0].mean_structure


def _gamma(own: Moments, fitted: Fitted) -> Floats:
    """Return Γ of the moments that are modelled."""
    require_fourth(fitted.estimator.robust, own)
    assert own.fourth is not None
    return own.fourth if _means(fitted) else own.fourth[len(own.mean) :, len(own.mean) :]


def require_fourth(kind: str | None, moments: Moments) -> None:
    """Refuse robust errors of complete answers where there are only means and covariances.

    Raises
    ------
    EstimationError
        Saying that the answers are needed.
    """
    if kind is not None and moments.fourth is None and moments.patterns is None:
        raise EstimationError(
            f"se={kind!r} needs the answers, and this fit was made from "
            "moments; fit a survey or a data frame, or use se='expected'."
        )
