"""Regressions of customers within firms, with their errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.bias_reduced import BiasReduced
from csimodel.outcomes.kernels.families import LOGIT, OLS
from csimodel.outcomes.kernels.random_effects import GroupProducts
from csimodel.outcomes.kernels.score_errors import ScoreErrors, predictor_information
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
    score = estimates.score @ there / scale
    turn = scale / spread[: sums.varying]
    firm_covariance = turn[:, None] * estimates.covariance * turn
    own = firm_errors(customers, score[None], information[None], errors, 1.0)
    return MixedRegression(
        b,
        own,
        firm_covariance,
        estimates.residual * scale**2,
        estimates.effects * turn,
        float("nan"),
        estimates.converged,
    )


def firm_errors(
    customers: Customers, score: Floats, information: Floats, errors: str, dispersion: float
) -> ScoreErrors:
    """Return errors from the scores of firms.

    Parameters
    ----------
    customers
        Whose firms they are.
    score
        Without survey weights, and with them where there are any, (1 or 2, firms, terms).
    information
        With weights to the powers 0, 1 and 2, or once, (1 or 3, firms, terms, terms).
    errors
        ``"CR2"``, ``"cluster"`` or ``"model"``.
    dispersion
        Variance of a score over its information.
    """
    design, share = SurveyDesign.of(customers.n, cluster=customers.firm), customers.share
    bread = np.linalg.inv(information[len(information) // 2].sum(axis=0))
    df = float(customers.df)
    if errors == "model":
        return ScoreErrors("nonrobust", bread, None, design, share, df)
    if errors == "cluster":
        pulls = score[-1] @ bread
        return ScoreErrors("CR0", pulls.T @ pulls, pulls, design, share, df)
    reduced = BiasReduced.of(score, information)
    powers = [np.ones(customers.n)]
    if customers.weights is not None:
        powers += [customers.weights, customers.weights**2]
    sums = [np.bincount(customers.firm, power) for power in powers]
    sizes = np.stack(sums).astype(np.float64)
    levels = BiasReduced.of(np.zeros((len(score), customers.firms, 1)), sizes[:, :, None, None])
    covariance = reduced.pulls.T @ reduced.pulls
    return ScoreErrors(
        "CR2", covariance, reduced.pulls, design, share, df, dispersion, reduced, levels
    )


def population_averaged(
    customers: Customers, link: str, errors: str = "cluster"
) -> MixedRegression:
    """Fit generalised estimating equations with robust errors.

    Customers of a firm are exchangeable; with survey weights the working correlation is none,
    because weighted pairs have no agreed meaning. Either way errors are right whatever the
    correlation is. With D the derivatives of the means, V their working covariance and e what is
    left, scores are ``D'V⁻¹e`` and the information ``D'V⁻¹D``, firm by firm.

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
    own = _exchangeable(customers, b, link, 0.0 if weighted else correlation, errors)
    return MixedRegression(b, own, None, float("nan"), None, correlation, sound)


def _exchangeable(
    customers: Customers, b: Floats, link: str, correlation: float, errors: str
) -> ScoreErrors:
    """Return the errors of generalised estimating equations, of one working correlation."""
    family = LOGIT if link == "logit" else OLS
    X, firm, firms = customers.design, customers.firm, customers.firms
    score, information, _ = family.working(X @ b, customers.outcome)
    root = np.sqrt(information)
    with np.errstate(divide="ignore", invalid="ignore"):
        residual = np.where(root > 0, score / root, 0.0)
    scaled = X * root[:, None]
    # R⁻¹ = (I - c 1 1')/(1 - r), c = r/(1 + (n - 1) r)
    shrink = correlation / (1.0 + (customers.size - 1.0) * correlation)
    powers = [np.ones(customers.n)]
    if customers.weights is not None:
        powers += [customers.weights, customers.weights**2]
    total = predictor_information(scaled, np.ones(customers.n))

    def summed(values: Floats) -> Floats:
        return np.stack([np.bincount(firm, column, firms) for column in values.T], axis=1)

    sums, left = summed(scaled), np.bincount(firm, residual, firms)
    scores = [summed(scaled * (power * residual)[:, None]) for power in powers[:2]]
    inside = [total(power, firm) for power in powers]
    scores = [own - shrink[:, None] * sums * left[:, None] for own in scores]
    outer = sums[:, :, None] * sums[:, None, :]
    inside = [own - shrink[:, None, None] * outer for own in inside]
    score = np.stack(scores) / (1.0 - correlation)
    weights = powers[min(1, len(powers) - 1)]
    dispersion = float(weights @ residual**2) / (customers.n - len(b))
    return firm_errors(customers, score, np.stack(inside) / (1.0 - correlation), errors, dispersion)
