"""What a covariance structure leaves unexplained: residual moments with their standard errors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.estimators.covariance.error_columns import error_columns
from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.estimators.covariance.least_squares import normal_weight
from csimodel.estimators.covariance.response_moments import response_cov, response_vector
from csimodel.estimators.covariance.robust import gamma_of
from csimodel.estimators.covariance.structure import Implied, moments_vector
from csimodel.moments import Moments
from csimodel.moments.forms import DenseWeight, Weight
from csimodel.moments.gamma import require_gamma
from csimodel.moments.incomplete_likelihood import information
from csimodel.moments.responses import response_moments
from csimodel.moments.saturated import saturated_gamma
from csimodel.moments.vech import vech_indices
from csimodel.translation import message

Floats = NDArray[np.float64]

EXACT = message("fitted exactly by every sample")
_LEVEL = 0.95
_EXACT = 1e-7  # a residual or an error this small, relative to the moment's own, is rounding
_ROUNDING = 1e-5  # what the error of a moment that is fitted exactly may come to, likewise


def residual_tables(fitted: Fitted) -> list[pd.DataFrame]:
    """Return the residual moments of every group, a row each.

    With ``P = Δ A⁻¹ Δ'V`` the derivative of the model's moments by the sample's, the residuals
    ``s - σ`` have covariance ``(I - P) Γ (I - P)' / n``, over all groups. V is the weight of the
    discrepancy at the solution, of full information the observed information about the moments
    there; ``A = Δ'VΔ``, or half the observed Hessian with ``se="observed"`` and ``"mlr"``, so that
    P is the derivative of the fit itself. Γ is that of normal answers with the sample's
    covariances, or the one of robust errors.

    They are lavaan's (lavResiduals) but for MLR of complete answers, where lavaan's A leaves out
    the bend of the model and gives errors to variances that are always fitted exactly.

    Columns: ``observed`` and ``implied`` in scale units; ``residual`` with se, z, df, p, lower and
    upper (95 %), and the reason where it has no error, as what is fitted exactly; then
    ``cor_residual``, the observed less the implied correlation, with the same columns, ``cor_``
    before their names. Indexed by item and other; variances have an item twice, means an empty
    other, thresholds their names (``t1``).

    References
    ----------
    Bollen, K. A. (1989). Structural Equations with Latent Variables, page 258.
    https://doi.org/10.1002/9781118619179

    Maydeu-Olivares, A. (2017). Assessing the size of model misfit in structural equation models.
    Psychometrika 82, 533-558. https://doi.org/10.1007/s11336-016-9552-7
    """
    fitted.require_solution()
    parts = [_part(fitted, g) for g in range(len(fitted.moments))]
    bread = sum(part.share * part.slopes.T @ part.pulled for part in parts)
    observed = fitted.estimator.observed_information or fitted.estimator.robust == "mlr"
    if observed and fitted.moments[0].patterns is None:
        bread = 0.5 * fitted.hessian(True)
    inverse = np.linalg.inv(np.asarray(bread))
    middle = sum(part.share * part.pulled.T @ part.gamma @ part.pulled for part in parts)
    spread = inverse @ np.asarray(middle) @ inverse
    rows = float(fitted.sizes.sum())
    tables = []
    for g, part in enumerate(parts):
        mixed = part.gamma @ part.pulled @ inverse @ part.slopes.T
        among = part.slopes @ spread @ part.slopes.T
        covariance = (part.gamma / part.share - mixed - mixed.T + among) / rows
        own = np.sqrt(np.diag(part.gamma) / (part.share * rows))
        tables.append(_table(fitted, g, covariance, own))
    return tables


def _group(fitted: Fitted, g: int) -> tuple[Moments, ParameterLayout, Implied]:
    return list(zip(fitted.moments, fitted.layouts, fitted.at, strict=True))[g]


class _GroupMoments(NamedTuple):
    """A group's share of the rows, Δ, AΔ and Γ."""

    share: float
    slopes: Floats
    pulled: Floats
    gamma: Floats


def _part(fitted: Fitted, g: int) -> _GroupMoments:
    own, layout, at = _group(fitted, g)
    estimator, means = fitted.estimator, layout.mean_structure
    cov = estimator.sample_cov(own)
    require_gamma(len(fitted.slopes[g]))
    if own.patterns is not None:
        weight: Weight = DenseWeight(information(own.patterns, at.mean, at.sigma))
        gamma = saturated_gamma(own.patterns, own.mean, cov, estimator.design_based)
    else:
        weight = estimator.weight(own, layout, at.sigma)
        gamma = np.asarray(np.linalg.inv(normal_weight(cov, means)))
        if estimator.robust is not None:
            gamma = gamma_of(estimator, own).matrix
            gamma = gamma if means else gamma[len(cov) :, len(cov) :]
    slopes = fitted.slopes[g]
    return _GroupMoments(float(fitted.shares[g]), slopes, weight.applied(slopes), gamma)


def _table(fitted: Fitted, g: int, covariance: Floats, own_errors: Floats) -> pd.DataFrame:
    own, layout, at = _group(fitted, g)
    means = layout.mean_structure
    cov, items = fitted.estimator.sample_cov(own), list(fitted.model.items)
    row, column = vech_indices(len(items))
    observed = moments_vector(cov, own.mean if means else None)
    implied = moments_vector(at.sigma, at.mean if means else None)
    sigma, levels = at.sigma, [(item, "") for item in items] if means else []
    if layout.levels is not None and own.ordinal is not None:
        observed, implied = response_moments(own.ordinal)[0], response_vector(layout, at)
        sigma = response_cov(layout, at)
        names = [layout.rows[r].rhs if r >= 0 else "" for r in layout.levels.row.tolist()]
        levels = [(items[i], name) for i, name in zip(layout.levels.item, names, strict=True)]
    residual = observed - implied
    se = _errors(np.diag(covariance), own_errors, residual)
    start = len(observed) - len(row)
    turn = _to_correlations(cov)
    cor_residual = (cov / _scale(cov) - sigma / _scale(sigma))[row, column]
    inner = covariance[start:, start:]
    cor_se = _errors(
        ((turn @ inner) * turn).sum(axis=1),
        own_errors[start:] / _scale(cov)[row, column],
        cor_residual,
    )
    cor_se[row == column] = np.nan
    none = np.full(start, np.nan)
    names = levels + [(items[k], items[i]) for i, k in zip(row, column, strict=True)]
    of_covariances = error_columns(
        np.concatenate([none, cor_residual]), np.concatenate([none, cor_se]), _LEVEL, none=EXACT
    )
    return pd.DataFrame(
        {
            "observed": observed,
            "implied": implied,
            "residual": residual,
            **error_columns(residual, se, _LEVEL, none=EXACT),
            "cor_residual": np.concatenate([none, cor_residual]),
            **{f"cor_{name}": values for name, values in of_covariances.items()},
        },
        pd.MultiIndex.from_tuples(names, names=["item", "other"]),
    )


def _errors(variance: Floats, own: Floats, residual: Floats) -> Floats:
    """Return square roots, NaN where a moment is fitted exactly."""
    se = np.sqrt(np.maximum(variance, 0.0))
    nothing = (se <= _ROUNDING * own) & (np.abs(residual) <= _EXACT * own)
    return np.where(nothing | (se <= _EXACT * own), np.nan, se)


def _scale(cov: Floats) -> Floats:
    sd = np.sqrt(np.diag(cov))
    return np.outer(sd, sd)


def _to_correlations(cov: Floats) -> Floats:
    """Return the derivatives of correlations by covariances, (covariances, the same)."""
    row, column = vech_indices(len(cov))
    place = np.zeros(cov.shape, dtype=np.intp)
    place[row, column] = place[column, row] = np.arange(len(row))
    cor, variance = (cov / _scale(cov))[row, column], np.diag(cov)
    here = np.arange(len(row))
    turn = np.zeros((len(row), len(row)))
    turn[here, here] = 1.0 / _scale(cov)[row, column]
    turn[here, place[row, row]] -= cor / (2.0 * variance[row])
    turn[here, place[column, column]] -= cor / (2.0 * variance[column])
    return turn
