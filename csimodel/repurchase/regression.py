"""One regression through statsmodels, with its errors and averages over the sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import OptionError, choose
from csimodel.repurchase.families import Family
from csimodel.repurchase.kernel import Ending, average_at, regress_draws
from csimodel.repurchase.sample import Sample

Floats = NDArray[np.float64]

ERRORS = ("HC0", "HC1", "HC3", "nonrobust", "cluster")


@dataclass(frozen=True, eq=False)
class Regression:
    """Coefficients of a regression and their covariance.

    Attributes
    ----------
    family, sample
        What was fitted.
    errors
        Kind of standard errors.
    coefficients
        The constant first, (terms,); NaN when there are none.
    ending
        How it ended.
    """

    family: Family
    sample: Sample
    errors: str
    coefficients: Floats
    ending: Ending

    @property
    def design(self) -> Floats:
        """Regressors with the constant in front, (rows, terms)."""
        return np.column_stack([np.ones(self.sample.n), self.sample.regressors])

    @cached_property
    def eta(self) -> Floats:
        """Linear predictor of each respondent, (rows,)."""
        return np.asarray(self.design @ self.coefficients)

    @property
    def df(self) -> float:
        """Degrees of freedom of t intervals for least squares; infinite (normal) otherwise.

        Rows less coefficients, or with clustered errors clusters less one.
        """
        if self.family.bounded:
            return float("inf")
        if self.errors == "cluster":
            assert self.sample.cluster is not None
            return float(self.sample.cluster.max())
        return float(self.sample.n - len(self.coefficients))

    @cached_property
    def covariance(self) -> Floats:
        """Covariance of the coefficients, (terms, terms).

        ``B (Σ u u') B`` with B the inverse of the weighted information and u the score of each
        respondent: HC1 times n/(n - k), HC3 with u/(1 - h), cluster with scores summed in
        clusters and times G/(G - 1) · (n - 1)/(n - k). Survey weights multiply the scores and
        the information, as for probability weights.

        References
        ----------
        MacKinnon, J. G., White, H. (1985). Some heteroskedasticity-consistent covariance matrix
        estimators with improved finite sample properties. Journal of Econometrics 29, 305-325.
        https://doi.org/10.1016/0304-4076(85)90158-7
        """
        X, sample = self.design, self.sample
        n, k = X.shape
        if not np.isfinite(self.coefficients).all():
            return np.full((k, k), np.nan)
        weights = np.ones(n) if sample.weights is None else sample.weights
        score, information, _ = self.family.working(self.eta, sample.outcome)
        bread = np.linalg.inv(X.T @ (X * (weights * information)[:, None]))
        if self.errors == "nonrobust":
            dispersion = 1.0 if self.family.bounded else (weights @ score**2) / (n - k)
            return np.asarray(bread * dispersion)
        u = X * (weights * score)[:, None]
        factor = 1.0
        if self.errors == "HC1":
            factor = n / (n - k)
        elif self.errors == "HC3":
            leverage = np.einsum("ij,jk,ik->i", X, bread, X) * weights * information
            with np.errstate(divide="ignore", invalid="ignore"):
                u = u / (1.0 - leverage)[:, None]
        elif self.errors == "cluster":
            assert sample.cluster is not None
            u = np.stack([np.bincount(sample.cluster, column) for column in u.T], axis=1)
            factor = len(u) / (len(u) - 1) * (n - 1) / (n - k)
        return np.asarray(factor * (bread @ (u.T @ u) @ bread))

    @cached_property
    def mean_slope(self) -> float:
        """Mean of μ'(η) over the sample."""
        return float(self.sample.share @ self.family.slope(self.eta))

    def average_slopes(self) -> tuple[Floats, Floats]:
        """Return average marginal effects, (regressors,), and their gradient by coefficients."""
        b = self.coefficients[1:]
        bend = (self.sample.share * self.family.curvature(self.eta)) @ self.design
        gradient = b[:, None] * bend
        gradient[:, 1:] += self.mean_slope * np.eye(len(b))
        return np.asarray(b * self.mean_slope), gradient

    def predictions(self, moved: int, levels: Floats) -> tuple[Floats, Floats]:
        """Return average predictions at levels of a regressor, (levels,), and their gradient."""
        value = self._average(self.family.mean, moved, levels)
        return value, self._by_coefficient(self.family.slope, moved, levels)

    def slopes(self, moved: int, levels: Floats) -> tuple[Floats, Floats]:
        """Return average effects of one more unit at levels, (levels,), and their gradient."""
        b = self.coefficients[1 + moved]
        slope = self._average(self.family.slope, moved, levels)
        gradient = b * self._by_coefficient(self.family.curvature, moved, levels)
        gradient[:, 1 + moved] += slope
        return np.asarray(b * slope), gradient

    def limits(
        self, value: Floats, se: Floats, level: float, probability: bool
    ) -> tuple[Floats, Floats]:
        """Return confidence limits; of a probability that is bounded, made on its log-odds."""
        from scipy.special import expit, logit, ndtri, stdtrit

        share = 0.5 + level / 2.0
        reach = (ndtri(share) if np.isinf(self.df) else stdtrit(self.df, share)) * se
        if not (probability and self.family.bounded):
            return value - reach, value + reach
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = reach / (value * (1.0 - value))
        return expit(logit(value) - reach), expit(logit(value) + reach)

    def p_value(self, value: Floats, se: Floats) -> Floats:
        """Return two-sided p-values against zero."""
        from scipy.special import ndtr, stdtr

        with np.errstate(divide="ignore", invalid="ignore"):
            tail = -np.abs(value / se)
        return np.asarray(2.0 * (ndtr(tail) if np.isinf(self.df) else stdtr(self.df, tail)))

    def _average(self, function: Callable[[Floats], Floats], moved: int, levels: Floats) -> Floats:
        columns = list(self.sample.regressors.T)
        share = self.sample.share[None, :]
        b = self.coefficients[None, :]
        return np.asarray(average_at(function, b, columns, share, moved, levels)[0])

    def _by_coefficient(
        self, function: Callable[[Floats], Floats], moved: int, levels: Floats
    ) -> Floats:
        """Return Σ share f(η) x at levels, (levels, terms)."""
        X = self.design
        found = np.empty((len(levels), X.shape[1]))
        for position, level in enumerate(levels):
            X[:, 1 + moved] = level
            found[position] = (self.sample.share * function(X @ self.coefficients)) @ X
        return found


def regress(sample: Sample, family: Family, errors: str | None) -> Regression:
    """Fit a regression of the outcome on all regressors.

    Parameters
    ----------
    sample, family
        What to fit.
    errors
        One of HC0, HC1, HC3, nonrobust, cluster; None is cluster when the sample has clusters,
        else HC1.

    Raises
    ------
    OptionError
        For errors that do not fit the family or the sample.
    """
    kind = _errors(sample, family, errors)
    centre, spread = sample.regressors.mean(axis=0), sample.regressors.std(axis=0)
    standard = list(((sample.regressors - centre) / spread).T)
    weights = np.ones(sample.n) if sample.weights is None else sample.weights
    probe = regress_draws(
        family, sample.outcome, standard, weights[None, :], np.zeros(1 + len(standard))
    )
    ending = Ending(int(probe.ending[0]))
    if ending == Ending.SEPARATED:
        nothing = np.full(1 + len(standard), np.nan)
        return Regression(family, sample, kind, nothing, ending)
    return _by_statsmodels(sample, family, kind)


def _errors(sample: Sample, family: Family, errors: str | None) -> str:
    if errors is None:
        return "HC1" if sample.cluster is None else "cluster"
    choose("errors", errors, ERRORS)
    if errors == "cluster":
        if sample.cluster is None:
            raise OptionError(
                "errors='cluster' needs clusters; name their column as "
                "read_survey(..., cluster='firm')."
            )
        if sample.cluster.max() < 1:
            raise OptionError(
                "errors='cluster' needs at least 2 clusters among the respondents used, and there "
                "is 1; use errors='HC1'."
            )
    if errors == "nonrobust" and (family.robust or sample.weights is not None):
        why = f"family={family.name!r}" if family.robust else "a survey with weights"
        raise OptionError(
            f"errors='nonrobust' is wrong for {why}; use 'HC1', 'HC0', 'HC3' or 'cluster'."
        )
    return errors


def _by_statsmodels(sample: Sample, family: Family, errors: str) -> Regression:
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.regression.linear_model import WLS

    design = np.column_stack([np.ones(sample.n), sample.regressors])
    weights = np.ones(sample.n) if sample.weights is None else sample.weights
    if not family.bounded:
        found = np.asarray(WLS(sample.outcome, design, weights=weights).fit().params)
        return Regression(family, sample, errors, found, Ending.CONVERGED)
    model = GLM(sample.outcome, design, family=Binomial(), var_weights=weights)
    result = model.fit(tol=1e-12, tol_criterion="params", maxiter=100)
    ending = Ending.CONVERGED if result.converged else Ending.NOT_CONVERGED
    return Regression(family, sample, errors, np.asarray(result.params), ending)
