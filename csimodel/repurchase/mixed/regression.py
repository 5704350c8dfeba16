"""Regressions of customers within firms through statsmodels, with their errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csimodel.quiet import quiet
from csimodel.repurchase.mixed.customers import Customers

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MixedRegression:
    """Coefficients of customers within firms and what varies between firms.

    Attributes
    ----------
    coefficients
        Constant, within, between, controls, (terms,).
    covariance
        Theirs, (terms, terms).
    firm_covariance
        Covariance of the firms' constants, or constants and slopes, (1, 1) or (2, 2); None for
        population averages.
    residual
        Variance of what is left of a customer; NaN for population averages.
    firm_effects
        Predicted deviation of each firm's constant (and slope), (firms, 1 or 2), or None.
    correlation
        Working correlation of customers of a firm; NaN for a mixed model.
    converged
        Whether the numbers are a solution.
    """

    coefficients: Floats
    covariance: Floats
    firm_covariance: Floats | None
    residual: float
    firm_effects: Floats | None
    correlation: float
    converged: bool


def mixed(customers: Customers, random_slope: bool, errors: str) -> MixedRegression:
    """Fit a linear mixed model by restricted maximum likelihood.

    ``y = X b + u_firm (+ v_firm (index - firm's mean)) + e``. statsmodels finds the
    variances; given them, b and its covariance are generalised least squares, ``(Σ X'V⁻¹X)⁻¹``,
    or clustered, ``B Σ X'V⁻¹e e'V⁻¹X B`` over firms.

    References
    ----------
    Laird, N. M., Ware, J. H. (1982). Random-effects models for longitudinal data. Biometrics 38,
    963-974. https://doi.org/10.2307/2529876

    Liang, K.-Y., Zeger, S. L. (1986). Longitudinal data analysis using generalized linear models.
    Biometrika 73, 13-22. https://doi.org/10.1093/biomet/73.1.13
    """
    X, y = customers.design, customers.outcome
    centre, spread = X.mean(axis=0), X.std(axis=0)
    centre[:2], spread[0] = 0.0, 1.0
    scale = float(y.std())
    standard = (X - centre) / spread
    found = _restricted((y - y.mean()) / scale, standard, customers.firm, random_slope)
    turn = np.diag(1.0 / spread[: 2 if random_slope else 1])
    firm_covariance = turn @ np.asarray(found.cov_re) @ turn * scale**2
    residual = float(found.scale) * scale**2
    b, bread, score, effects = _generalised(customers, X, y, firm_covariance, residual)
    covariance = bread
    if errors == "cluster":
        pulls = score @ bread
        covariance = pulls.T @ pulls
    return MixedRegression(
        b, covariance, firm_covariance, residual, effects, float("nan"), bool(found.converged)
    )


def population_averaged(customers: Customers, link: str) -> MixedRegression:
    """Fit generalised estimating equations with robust errors.

    Customers of a firm are exchangeable; with survey weights the working correlation is none,
    because weighted pairs have no agreed meaning. Either way errors are right whatever the
    correlation is.

    References
    ----------
    Liang, K.-Y., Zeger, S. L. (1986). Longitudinal data analysis using generalized linear models.
    Biometrika 73, 13-22. https://doi.org/10.1093/biomet/73.1.13
    """
    import statsmodels.genmod.cov_struct as structures
    from statsmodels.genmod.families import Binomial, Gaussian
    from statsmodels.genmod.generalized_estimating_equations import GEE

    weighted = customers.weights is not None
    structure = structures.Independence() if weighted else structures.Exchangeable()
    family = Binomial() if link == "logit" else Gaussian()
    with quiet():  # told as a finding: not converged
        model = GEE(
            customers.outcome, customers.design, customers.firm, family=family,
            cov_struct=structure, weights=customers.weights,
        )  # fmt: skip
        found = model.fit(ctol=1e-10, maxiter=200)
    b = np.asarray(found.params)
    sound = bool(found.converged) and bool(np.isfinite(b).all())
    if link == "logit":
        eta = customers.design @ b
        sound = sound and bool(np.abs(eta).max() < 30.0)
    correlation = float("nan") if weighted else float(structure.dep_params)
    covariance = np.asarray(found.cov_params())
    return MixedRegression(b, covariance, None, float("nan"), None, correlation, sound)


def _restricted(y: Floats, X: Floats, firm: NDArray[np.intp], random_slope: bool) -> Any:
    """Return statsmodels' fit of standardised columns; its warnings become findings later."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    model = MixedLM(y, X, groups=firm, exog_re=X[:, :2] if random_slope else None)
    with quiet():
        found = model.fit(reml=True, method=["bfgs"], gtol=1e-8)
        if not found.converged:
            found = model.fit(reml=True, method=["cg", "bfgs", "powell"], gtol=1e-6)
    return found


def _generalised(
    customers: Customers, X: Floats, y: Floats, firm_covariance: Floats, residual: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return coefficients, their covariance, firms' scores and predicted firm effects."""
    Z = X[:, : len(firm_covariance)]
    ends = np.append(customers.starts[1:], customers.n)
    spans = [slice(a, b) for a, b in zip(customers.starts, ends, strict=True)]
    information, right = np.zeros((X.shape[1],) * 2), np.zeros(X.shape[1])
    solved = []
    for span in spans:
        v = Z[span] @ firm_covariance @ Z[span].T + residual * np.eye(span.stop - span.start)
        whole = np.linalg.solve(v, np.column_stack([X[span], y[span]]))
        solved.append(whole)
        information += X[span].T @ whole[:, :-1]
        right += X[span].T @ whole[:, -1]
    bread = np.linalg.inv(information)
    b = bread @ right
    left = [whole[:, -1] - whole[:, :-1] @ b for whole in solved]  # V⁻¹ e
    score = np.stack([X[span].T @ e for span, e in zip(spans, left, strict=True)])
    effects = np.stack(
        [firm_covariance @ Z[span].T @ e for span, e in zip(spans, left, strict=True)]
    )
    return np.asarray(b), np.asarray(bread), score, effects
