"""The parameters of a covariance structure with their errors, raw and standardised."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import OptionError
from csimodel.estimators import lisrel
from csimodel.estimators.estimates import Outcome
from csimodel.estimators.lisrel import Implied, Layout
from csimodel.estimators.ml import ML, CovarianceEstimates
from csimodel.estimators.solution import Solution
from csimodel.model import Model

Floats = NDArray[np.float64]


class Rows(NamedTuple):
    """What stands in the table of parameters, one entry a row, in lavaan's words.

    Attributes
    ----------
    lhs, op, rhs
        ``Image =~ IMAG1`` loading, ``Loyalty ~ Image`` path, ``a ~~ b`` variance or covariance;
        a construct's own is that of its disturbance when paths point to it.
    place
        Position in the parameter vector, -1 for what is fixed.
    fixed
        Value of what is fixed.
    of_item
        Whether it is an item's error variance (an item and a construct may share a name).
    exponents
        Standardised values are ``value · exp(exponents @ [ln Φ's diagonal, ln Σ's diagonal])``,
        (rows, constructs + items).
    """

    lhs: tuple[str, ...]
    op: tuple[str, ...]
    rhs: tuple[str, ...]
    place: NDArray[np.intp]
    fixed: Floats
    of_item: NDArray[np.bool_]
    exponents: Floats

    @property
    def names(self) -> tuple[str, ...]:
        """The rows as text, ``Loyalty ~ Image``."""
        return tuple(" ".join(parts) for parts in zip(self.lhs, self.op, self.rhs, strict=True))


@lru_cache(maxsize=64)
def rows_of(model: Model, scaling: str) -> Rows:
    """List every parameter: loadings, paths, error variances, construct (co)variances."""
    names, items, constructs = model.construct_names, model.items, len(model.constructs)
    layout = lisrel.layout_of(model, scaling)
    lam, beta, psi, theta = _places(layout)
    found: list[tuple[str, str, str, int, float]] = []
    exponents: list[Floats] = []

    def add(
        lhs: str, op: str, rhs: str, place: int, fixed: float, *scale: tuple[int, float]
    ) -> None:
        found.append((lhs, op, rhs, place, fixed))
        row = np.zeros(constructs + len(items))
        for position, power in scale:
            row[position] += power
        exponents.append(row)

    for i, j in enumerate(model.owner):
        scale = ((j, 0.5), (constructs + i, -0.5))
        add(names[j], "=~", items[i], lam.get((i, j), -1), layout.fixed_loadings[i, j], *scale)
    for (target, source), place in beta.items():
        add(names[target], "~", names[source], place, 0.0, (source, 0.5), (target, -0.5))
    for i, item in enumerate(items):
        add(item, "~~", item, theta.get((i,), -1), 0.0, (constructs + i, -1.0))
    for j, name in enumerate(names):
        fixed = layout.fixed_variances[j, j]
        add(name, "~~", name, psi.get((j, j), -1), fixed, (j, -1.0))
    for (j, k), place in psi.items():
        if j != k:
            add(names[k], "~~", names[j], place, 0.0, (j, -0.5), (k, -0.5))
    lhs, op, rhs, places, values = zip(*found, strict=True)
    powers = np.array(exponents)
    of_item = (powers[:, constructs:] == -1.0).any(axis=1)
    return Rows(lhs, op, rhs, np.array(places), np.array(values), of_item, powers)


def _places(layout: Layout) -> list[dict[tuple[int, ...], int]]:
    """Return, for each kind of parameter, where its cells stand in the vector."""
    kinds = (layout.loadings, layout.paths, layout.covariances, (layout.errors,))
    return [
        dict(
            zip(zip(*(c.tolist() for c in kind), strict=True), range(s.start, s.stop), strict=True)
        )
        for kind, s in zip(kinds, layout.spans, strict=True)
    ]


def model_cov(solution: Solution) -> Floats | None:
    """Return Σ of a covariance structure, (..., items, items); None for other estimators."""
    if not (
        isinstance(solution.estimator, ML) and isinstance(solution.estimates, CovarianceEstimates)
    ):
        return None
    layout = solution.estimator.layout(solution.model)
    return lisrel.implied(layout, solution.estimates.parameters).sigma


def information(solution: Solution) -> Floats:
    """Return the information of the sample in the free parameters, (..., q, q): ``N/2 · H``."""
    estimator, estimates = covariance_structure(solution)
    layout = estimator.layout(solution.model)
    _, hessian = lisrel.slope_and_curvature(
        layout,
        lisrel.implied(layout, estimates.parameters),
        estimator.sample_cov(solution.moments),
        observed=estimator.se == "observed",
    )
    return 0.5 * estimator.sample_size(solution.moments)[..., None, None] * hessian


def vcov(solution: Solution) -> Floats:
    """Return covariances of the free parameters' estimates, (..., q, q); NaN without a solution."""
    matrix = information(solution)
    with np.errstate(invalid="ignore", divide="ignore"):
        root = np.sqrt(np.diagonal(matrix, axis1=-2, axis2=-1))
        scale = root[..., :, None] * root[..., None, :]
        scaled = matrix / scale
    usable = solution.estimates.outcome == Outcome.CONVERGED
    usable = (usable & np.isfinite(scaled).all(axis=(-2, -1)))[..., None, None]
    inverse = np.linalg.inv(np.where(usable, scaled, np.eye(scaled.shape[-1]))) / scale
    return np.where(usable, inverse, np.nan)


def standardised(solution: Solution) -> tuple[Floats, Floats]:
    """Return standardised parameters (..., rows) and their derivatives (..., rows, q).

    The scale of a row is a product of powers of construct and item variances, so its logarithm is
    linear in theirs, and ``∂s = ∂p · scale + s · exponents @ ∂ln(variances)``.
    """
    estimator, estimates = covariance_structure(solution)
    layout = estimator.layout(solution.model)
    rows = rows_of(solution.model, estimator.scaling)
    at = lisrel.implied(layout, estimates.parameters)
    with np.errstate(invalid="ignore", divide="ignore"):
        variances = _variances(at)
        scale = np.exp(np.log(variances) @ rows.exponents.T)
        slopes = _variance_slopes(layout, at) / variances[..., None]
    values = raw(rows, estimates.parameters) * scale
    jacobian = values[..., None] * (rows.exponents @ slopes)
    free = np.flatnonzero(rows.place >= 0)
    jacobian[..., free, rows.place[free]] += scale[..., free]
    return values, jacobian


def raw(rows: Rows, parameters: Floats) -> Floats:
    """Return the unstandardised values of all rows, (..., rows)."""
    return np.where(rows.place >= 0, parameters[..., rows.place], rows.fixed)


def _variances(at: Implied) -> Floats:
    """Return the variances of constructs and items, (..., constructs + items)."""
    parts = [np.diagonal(matrix, axis1=-2, axis2=-1) for matrix in (at.phi, at.sigma)]
    return np.concatenate(parts, axis=-1)


def _variance_slopes(layout: Layout, at: Implied) -> Floats:
    """Return derivatives of `_variances`, (..., constructs + items, parameters)."""
    u, v = lisrel.directions(layout, at)
    of_items = 2.0 * u * v
    of_constructs = np.zeros((*of_items.shape[:-2], at.phi.shape[-1], layout.size))
    _, beta, psi, _ = layout.spans
    (to, of), (m, k) = layout.paths, layout.covariances
    of_constructs[..., beta] = 2.0 * at.total[..., to] * at.phi[..., of]
    twice = np.where(m == k, 1.0, 2.0)
    of_constructs[..., psi] = twice * at.total[..., m] * at.total[..., k]
    return np.concatenate([of_constructs, of_items], axis=-2)


def errors_of(jacobian: Floats, covariance: Floats) -> Floats:
    """Return delta-method standard errors, (..., rows); NaN where a variance is negative."""
    spread = ((jacobian @ covariance) * jacobian).sum(axis=-1)
    with np.errstate(invalid="ignore"):
        return np.sqrt(np.where(np.abs(spread) < 1e-20, 0.0, spread))


def covariance_structure(solution: Solution) -> tuple[ML, CovarianceEstimates]:
    """Return estimator and estimates of a covariance structure.

    Raises
    ------
    OptionError
        For a solution by another estimator.
    """
    if not (
        isinstance(solution.estimator, ML) and isinstance(solution.estimates, CovarianceEstimates)
    ):
        raise OptionError(
            f"Parameters with errors need a covariance structure and this fit is by "
            f"{solution.estimator.label}; fit with csi.ML(), or take errors for PLS from "
            "csi.bootstrap(fit)."
        )
    return solution.estimator, solution.estimates


def parameter_table(solution: Solution, level: float = 0.95) -> pd.DataFrame:
    """Return all parameters of one covariance structure with errors and intervals.

    ``vcov = 2/N · H⁻¹``, H the expected or observed Hessian of the discrepancy and N what the
    discrepancy is multiplied with to give χ². Standardised errors are by the delta method. Errors
    are NaN for what is fixed, and for all when there is no solution.

    References
    ----------
    Bollen, K. A. (1989). Structural Equations with Latent Variables, chapter 4.
    https://doi.org/10.1002/9781118619179
    """
    from scipy.special import ndtr, ndtri

    estimator, estimates = covariance_structure(solution)
    rows = rows_of(solution.model, estimator.scaling)
    covariance = vcov(solution)
    free = rows.place >= 0
    with np.errstate(invalid="ignore"):
        own = np.sqrt(np.diag(covariance))
    se = np.where(free, own[rows.place], np.nan)
    std, jacobian = standardised(solution)
    std_se = errors_of(jacobian, covariance)
    estimate, far = raw(rows, estimates.parameters), float(ndtri(0.5 + level / 2.0))
    z = estimate / se
    return pd.DataFrame(
        {
            "lhs": rows.lhs,
            "op": rows.op,
            "rhs": rows.rhs,
            "estimate": estimate,
            "se": se,
            "z": z,
            "p": 2.0 * ndtr(-np.abs(z)),
            "lower": estimate - far * se,
            "upper": estimate + far * se,
            "std": std,
            "std_se": std_se,
            "std_lower": std - far * std_se,
            "std_upper": std + far * std_se,
        }
    )
