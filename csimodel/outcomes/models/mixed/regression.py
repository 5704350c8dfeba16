"""Regressions of customers within firms, with their errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.exchangeable import exchangeable_influence
from csimodel.outcomes.kernels.families import LOGIT, OLS
from csimodel.outcomes.kernels.influence import Influence
from csimodel.outcomes.kernels.kernel import Observations
from csimodel.outcomes.kernels.random_effects import GroupProducts, random_effects_influence
from csimodel.outcomes.kernels.score_errors import ScoreErrors, score_errors
from csimodel.outcomes.models.mixed.customers import Customers
from csimodel.quiet import quiet
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MixedRegression:
    """Coefficients of customers within firms and what varies between firms.

    Attributes
    ----------
    coefficients
        Constant, within, between, controls, (terms,).
    score_errors
        Their errors, and those of averages over customers.
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
    score_errors: ScoreErrors
    firm_covariance: Floats | None
    residual: float
    firm_effects: Floats | None
    correlation: float
    converged: bool

    @property
    def covariance(self) -> Floats:
        """Covariance of the coefficients, (terms, terms)."""
        return self.score_errors.covariance


def mixed(customers: Customers, random_slope: bool, errors: str) -> MixedRegression:
    """Fit a linear mixed model by restricted maximum likelihood.

    ``y = X b + u_firm (+ v_firm (index - firm's mean)) + e``. Given the variances
    (`GroupProducts.fit`), b and its covariance are generalised least squares, ``(Σ X'V⁻¹X)⁻¹``,
    or clustered, ``B Σ X'V⁻¹e e'V⁻¹X B`` over firms, by CR2 without the bias of few of them.

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
    mean, scale = float(y.mean()), float(y.std())
    sums = GroupProducts.of(
        (X - centre) / spread, (y - mean) / scale, customers.starts, 2 if random_slope else 1
    )
    estimates = sums.fit()
    back = np.diag(1.0 / spread)  # X back = (X - centre) / spread
    back[0, 1:] = -centre[1:] / spread[1:]
    b = scale * (back @ estimates.coefficients)
    b[0] += mean
    there = np.diag(spread)
    there[0, 1:] = centre[1:]
    information = there.T @ estimates.information @ there / scale**2
    turn = scale / spread[: sums.varying]
    firm_covariance = turn[:, None] * estimates.covariance * turn
    effects, residual = estimates.effects * turn, estimates.residual * scale**2
    moved = (X[:, : sums.varying] * effects[customers.firm]).sum(axis=1)
    influence = random_effects_influence(X, y - X @ b - moved, residual, information)
    return MixedRegression(
        b,
        _firm_errors(customers, influence, errors),
        firm_covariance,
        residual,
        effects,
        float("nan"),
        estimates.converged,
    )


_KINDS = {"CR2": "CR2", "cluster": "CR0", "model": "nonrobust"}


def _firm_errors(customers: Customers, influence: Influence, errors: str) -> ScoreErrors:
    """Return errors clustered by firm (``"CR2"``, ``"cluster"``), or those of the ``"model"``."""
    design = SurveyDesign.of(customers.n, cluster=customers.firm)
    return score_errors(influence, _KINDS[errors], design, float(customers.df))


def population_averaged(
    customers: Customers, link: str, errors: str = "cluster"
) -> MixedRegression:
    """Fit generalised estimating equations with robust errors.

    Customers of a firm are exchangeable; with survey weights the working correlation is none,
    because weighted pairs have no agreed meaning. Either way errors are right whatever the
    correlation is (`exchangeable_influence`).

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
        estimates = model.fit(ctol=1e-10, maxiter=200)
    b = np.asarray(estimates.params)
    sound = bool(estimates.converged) and bool(np.isfinite(b).all())
    if link == "logit":
        eta = customers.design @ b
        sound = sound and bool(np.abs(eta).max() < 30.0)
    correlation = float("nan") if weighted else float(structure.dep_params)
    sample = Observations(customers.design, customers.outcome, customers.weights)
    influence = exchangeable_influence(
        LOGIT if link == "logit" else OLS,
        sample,
        customers.firm,
        0.0 if weighted else correlation,
        b,
    )
    own = _firm_errors(customers, influence, errors)
    return MixedRegression(b, own, None, float("nan"), None, correlation, sound)
