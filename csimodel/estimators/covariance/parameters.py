"""The parameters of a covariance structure with their errors, raw and standardised."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.estimators.covariance.error_columns import error_columns
from csimodel.estimators.covariance.estimator import CovarianceEstimates, CovarianceEstimator
from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.estimators.covariance.objective import Objective
from csimodel.estimators.covariance.structure import (
    Implied,
    directions,
    implied,
    row_values,
    slopes_of_cells,
)
from csimodel.estimators.missing_results import missing_result
from csimodel.estimators.solution import Solution
from csimodel.significance import t_limits

Floats = NDArray[np.float64]
TableRow = tuple[str, str, str, float, float, float, float]
"""lhs, op, rhs, estimate, se, std and std_se of a row."""


def covariance_structure(solution: Solution) -> tuple[CovarianceEstimator, CovarianceEstimates]:
    """Return estimator and estimates of a covariance structure.

    Raises
    ------
    MissingResultError
        For a solution by another estimator.
    """
    estimator, estimates = solution.estimator, solution.estimates
    if not (
        isinstance(estimator, CovarianceEstimator) and isinstance(estimates, CovarianceEstimates)
    ):
        raise missing_result("parameters", estimator.label)
    return estimator, estimates


def loading_matrix(solution: Solution) -> Floats:
    """Return the standardised loadings of every item on every construct, (..., items, constructs).

    ``λᵢⱼ √φⱼⱼ / √σᵢᵢ``; NaN where there is no solution.
    """
    _, estimates = covariance_structure(solution)
    at = implied(estimates.layout, estimates.parameters)
    with np.errstate(invalid="ignore", divide="ignore"):
        sd = np.sqrt(np.diagonal(at.sigma, axis1=-2, axis2=-1))
        spread = np.sqrt(np.diagonal(at.phi, axis1=-2, axis2=-1))
        return np.asarray(at.loadings * spread[..., None, :] / sd[..., :, None])


def sample_information(solution: Solution, observed: bool = False) -> Floats:
    """Return the information of the sample in the free parameters, (..., q, q): ``N/2 · H``."""
    estimator, estimates = covariance_structure(solution)
    single = not solution.moments.batch_shape
    moments = solution.moments.lifted() if single else solution.moments
    parameters = np.atleast_2d(estimates.parameters)
    layout, who = estimates.layout, np.arange(len(parameters))
    objective = Objective((layout,), (estimator.discrepancy(moments, layout),))
    _, hessian = objective.local(objective.implied(parameters), who, observed)
    information = 0.5 * estimator.sample_size(moments)[:, None, None] * hessian
    return np.asarray(information[0] if single else information)


def inverted(matrix: Floats, usable: NDArray[np.bool_]) -> Floats:
    """Invert information matrices, scaled to a unit diagonal; NaN where not `usable`."""
    with np.errstate(invalid="ignore", divide="ignore"):
        root = np.sqrt(np.diagonal(matrix, axis1=-2, axis2=-1))
        scale = root[..., :, None] * root[..., None, :]
        scaled = matrix / scale
    fine = (usable & np.isfinite(scaled).all(axis=(-2, -1)))[..., None, None]
    inverse = np.linalg.inv(np.where(fine, scaled, np.eye(scaled.shape[-1]))) / scale
    return np.where(fine, inverse, np.nan)


def standardised(
    layout: ParameterLayout, parameters: Floats, latent: bool = False
) -> tuple[Floats, Floats]:
    """Return standardised rows (..., rows) and their derivatives (..., rows, q).

    With `latent` constructs have variance 1 and items keep their units.

    The scale of a row is a product of powers of variances (of constructs, items, disturbances,
    errors), so its logarithm is linear in theirs, and
    ``∂s = ∂p · scale + s · exponents @ ∂ln(variances)``.
    """
    powers = exponents(layout, latent)
    at = implied(layout, parameters)
    needed = np.asarray(powers.any(axis=0))
    scale = row_scales(powers, layout, parameters)
    with np.errstate(invalid="ignore", divide="ignore"):
        slopes = np.asarray(_variance_slopes(layout, at) / _variances(at)[..., None])
    values = row_values(layout, parameters) * scale
    jacobian = values[..., None] * (powers @ np.where(needed[:, None], slopes, 0.0))
    free = np.flatnonzero(layout.place >= 0)
    jacobian[..., free, layout.place[free]] += scale[..., free]
    for dependent in layout.dependent:
        jacobian[..., dependent.position, dependent.places] += (
            scale[..., dependent.position, None] * dependent.weights
        )
    of_cells = slopes_of_cells(layout, at)
    if of_cells is not None:
        for composite, cells in zip(layout.composites, layout.composite_cells, strict=True):
            jacobian[..., composite.variance, :] += (
                scale[..., composite.variance, None] * of_cells[..., cells.variance, :]
            )
    return values, jacobian


def row_scales(powers: Floats, layout: ParameterLayout, parameters: Floats) -> Floats:
    """Return what makes each row standardised, (..., rows): products of powers of variances."""
    variances = _variances(implied(layout, parameters))
    positive = variances > 0
    scale = np.exp(np.log(np.where(positive, variances, 1.0)) @ powers.T)
    return np.where((~positive).astype(np.float64) @ (powers != 0.0).T > 0, np.nan, scale)


@lru_cache(maxsize=64)
def exponents(layout: ParameterLayout, latent: bool = False) -> Floats:
    """Return the powers of variances in each row's scale, (rows, 2 constructs + 2 items).

    Variances of constructs, items, disturbances and errors. A covariance of disturbances or of
    errors becomes their correlation; with `latent`, what belongs to items only stays as it is.
    """
    items, constructs = layout.matrices.loadings.shape
    item, left, error = constructs, constructs + items, 2 * constructs + items
    powers = np.zeros((len(layout.rows), 2 * (items + constructs)))
    for own, row in zip(powers, layout.rows, strict=True):
        i, j = row.at
        match row.kind:
            case "loadings":
                own[[j, item + i]] = 0.5, -0.5
            case "paths":
                own[[j, i]] = 0.5, -0.5
            case "intercepts" | "thresholds":
                own[item + i] = -0.5
            case "means":
                own[i] = -0.5
            case "weights":
                own[[j, item + i]] = -0.5, 0.5
            case "within":
                own[item + i] -= 0.5
                own[item + j] -= 0.5
            case _:
                whole, part = (item, error) if row.kind == "errors" else (0, left)
                if i == j:
                    own[whole + i] = -1.0
                else:
                    own[[part + i, part + j]] = -0.5
    if latent:
        powers[:, item:left] = 0.0
        powers[[row.kind == "errors" for row in layout.rows], error:] = 0.0
    return powers


def _variances(at: Implied) -> Floats:
    """Return variances of constructs, items, disturbances and errors, (..., all)."""
    matrices = (at.phi, at.sigma, at.psi, at.errors)
    return np.concatenate([np.diagonal(m, axis1=-2, axis2=-1) for m in matrices], axis=-1)


def _variance_slopes(layout: ParameterLayout, at: Implied) -> Floats:
    """Return derivatives of `_variances`, (..., all, parameters)."""
    u, v = directions(layout, at)
    of_items = 2.0 * u * v
    of_items[..., layout.ordered, :] = 0.0
    lead, constructs = of_items.shape[:-2], at.phi.shape[-1]
    of_constructs = np.zeros((*lead, constructs, len(layout.target)))
    of_disturbances = np.zeros_like(of_constructs)
    of_errors = np.zeros_like(of_items)
    _, beta, psi, theta, _, _ = layout.spans
    (to, of), (m, k), (i, j) = layout.cells[1:4]
    of_constructs[..., beta] = 2.0 * at.total[..., to] * at.phi[..., of]
    of_constructs[..., psi] = np.where(m == k, 1.0, 2.0) * at.total[..., m] * at.total[..., k]
    of_disturbances[..., m, np.arange(psi.start, psi.stop)] = m == k
    of_errors[..., i, np.arange(theta.start, theta.stop)] = i == j
    parts = [of_constructs, of_items, of_disturbances, of_errors]
    return layout.columns(np.concatenate(parts, axis=-2), slopes_of_cells(layout, at))


def errors_of(jacobian: Floats, covariance: Floats) -> Floats:
    """Return delta-method standard errors, (..., rows); NaN where a variance is negative."""
    moving = np.flatnonzero(jacobian.reshape(-1, jacobian.shape[-1]).any(axis=0))
    if covariance.ndim == 2 and 0 < len(moving) < len(covariance):  # of one group of many
        jacobian, covariance = jacobian[..., moving], covariance[np.ix_(moving, moving)]
    with np.errstate(invalid="ignore", over="ignore"):  # a derivative may be infinite, as of 1/0
        spread = ((jacobian @ covariance) * jacobian).sum(axis=-1)
        return np.sqrt(np.where(np.abs(spread) < 1e-20, 0.0, spread))


def standardised_table(
    layout: ParameterLayout,
    parameters: Floats,
    covariance: Floats,
    latent: bool,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the standardised solution with delta-method errors and intervals, a row each."""
    values, jacobian = standardised(layout, parameters, latent)
    errors = errors_of(jacobian, covariance)
    table = pd.DataFrame([(row.lhs, row.op, row.rhs) for row in layout.rows])
    return table.set_axis(["lhs", "op", "rhs"], axis=1).assign(
        std=values, **error_columns(values, errors, level)
    )


def parameter_table(
    layout: ParameterLayout, parameters: Floats, covariance: Floats, level: float = 0.95
) -> pd.DataFrame:
    """Return all parameters of one covariance structure with errors and intervals.

    `covariance` is that of the free parameters. Standardised errors are by the delta method.
    Errors are NaN for what is fixed, and for all when there is no solution.

    References
    ----------
    Bollen, K. A. (1989). Structural Equations with Latent Variables, chapter 4.
    https://doi.org/10.1002/9781118619179
    """
    with np.errstate(invalid="ignore"):
        own = np.sqrt(np.diag(covariance))
    se = np.where(layout.place >= 0, own[layout.place], np.nan)
    for dependent in layout.dependent:
        if dependent.weights.any():
            part = covariance[np.ix_(dependent.places, dependent.places)]
            se[dependent.position] = errors_of(dependent.weights[None], part)[0]
    following = [composite.variance for composite in layout.composites]
    of_cells = slopes_of_cells(layout, implied(layout, parameters))
    if of_cells is not None:
        cells = [cells.variance for cells in layout.composite_cells]
        se[following] = errors_of(of_cells[cells], covariance)
    std, jacobian = standardised(layout, parameters)
    std_se = errors_of(jacobian, covariance)
    estimate = row_values(layout, parameters)
    estimated = {dependent.position for dependent in layout.dependent if dependent.weights.any()}
    estimated |= set(following)
    fixed = np.array([k not in estimated for k in range(len(layout.rows))]) & (layout.place < 0)
    table = {
        "lhs": [row.lhs for row in layout.rows],
        "op": [row.op for row in layout.rows],
        "rhs": [row.rhs for row in layout.rows],
        "estimate": estimate,
        **error_columns(estimate, se, level, fixed),
        **standardised_columns(std, std_se, level),
    }
    labels = [row.label or "" for row in layout.rows]
    if any(labels):
        table["label"] = labels
    return pd.DataFrame(table)


def standardised_columns(std: Floats, std_se: Floats, level: float) -> dict[str, Floats]:
    """Return std, std_se, std_lower and std_upper."""
    lower, upper = t_limits(std, std_se, np.inf, level)
    return {"std": std, "std_se": std_se, "std_lower": lower, "std_upper": upper}


def table_of(rows: Sequence[TableRow], level: float) -> pd.DataFrame:
    """Return rows beside those of the layout, each a `TableRow`, as a `parameter_table`."""
    lhs, op, rhs, *numbers = zip(*rows, strict=True)
    estimate, se, std, std_se = (np.array(column, dtype=np.float64) for column in numbers)
    return pd.DataFrame(
        {
            "lhs": lhs,
            "op": op,
            "rhs": rhs,
            "estimate": estimate,
            **error_columns(estimate, se, level),
            **standardised_columns(std, std_se, level),
        }
    )
