"""One regression through statsmodels, with its errors and averages over the sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import OptionError
from csimodel.repurchase.families import WLS, Family
from csimodel.repurchase.kernel import Ending, regress_draws
from csimodel.repurchase.layout import Column, value_of
from csimodel.repurchase.likelihood import fit_further, joint_covariance
from csimodel.repurchase.robust import checked_errors, sandwich
from csimodel.repurchase.sample import Sample

Floats = NDArray[np.float64]


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
        The constant first, (terms,); NaN when there are none. Of ordered answers, the constant is
        less the threshold of the cut.
    ending
        How it ended.
    further
        Thresholds, (categories - 1,), or the logarithm of the precision, (1,), where the family
        has them.
    """

    family: Family
    sample: Sample
    errors: str
    coefficients: Floats
    ending: Ending
    further: Floats | None = None

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
    def joint_covariance(self) -> Floats:
        """Covariance of all that is estimated, thresholds or precision included.

        In the order thresholds, slopes for ordered answers; coefficients, precision for beta.
        """
        if self.further is None:
            return self.covariance
        return joint_covariance(
            self.family, self.sample, self.coefficients, self.further, self.errors
        )

    @cached_property
    def covariance(self) -> Floats:
        """Covariance of the coefficients, (terms, terms); see `robust.sandwich`.

        The information is the expected one, as in R's sandwich; statsmodels takes the observed
        one in robust errors of probit and complementary log-log, which differ a little. Beta
        and ordered families take the observed one.
        Survey weights multiply the scores and the information, as for probability weights.
        """
        X, sample = self.design, self.sample
        n, k = X.shape
        if not np.isfinite(self.coefficients).all():
            return np.full((k, k), np.nan)
        if sample.ordering is not None and self.further is not None:
            turn = self.to_coefficients(sample.ordering.cut)
            return np.asarray(turn @ self.joint_covariance @ turn.T)
        if self.further is not None:
            return self.joint_covariance[:k, :k]
        weights = np.ones(n) if sample.weights is None else sample.weights
        score, information, _ = self.family.working(self.eta, sample.outcome)
        whole = X.T @ (X * (weights * information)[:, None])
        u = X * (weights * score)[:, None]
        without = None
        if self.errors == "HC3":
            bread = np.linalg.inv(whole)
            leverage = np.einsum("ij,jk,ik->i", X, bread, X) * weights * information
            with np.errstate(divide="ignore", invalid="ignore"):
                without = u @ bread / (1.0 - leverage)[:, None]
        found = sandwich(u, whole, self.errors, sample.cluster, without)
        if self.errors == "nonrobust" and not self.family.bounded:
            return np.asarray(found * (weights @ score**2) / (n - k))
        return found

    def to_coefficients(self, cut: int) -> Floats:
        """Return how (-θ, slopes) at a cut follow from thresholds and slopes, as a matrix."""
        assert self.further is not None
        bounds, slopes = len(self.further), len(self.coefficients) - 1
        turn = np.zeros((1 + slopes, bounds + slopes))
        turn[0, cut - 1] = -1.0
        turn[1:, bounds:] = np.eye(slopes)
        return turn

    @cached_property
    def mean_slope(self) -> float:
        """Mean of μ'(η) over the sample."""
        return float(self.sample.share @ self.family.slope(self.eta))

    @property
    def effect_names(self) -> tuple[str, ...]:
        """What average effects are about: indexes, and columns free of them."""
        return tuple(self.sample.names[j] for j, _ in self.sample.layout.effects)

    def average_slopes(self) -> tuple[Floats, Floats]:
        """Return average marginal effects, (effects,), and their gradient by coefficients.

        ``mean(μ'(η) ∂η/∂x)``, through interactions and powers.
        """
        slope = self.sample.share * self.family.slope(self.eta)
        bend = self.sample.share * self.family.curvature(self.eta)
        points = list(self.sample.points.T)
        values, gradients = [], []
        for _, derivatives in self.sample.layout.effects:
            D = self._matrix(derivatives, points)
            along = D @ self.coefficients
            values.append(slope @ along)
            gradients.append((bend * along) @ self.design + slope @ D)
        return np.array(values), np.array(gradients)

    def predictions(self, moved: int, levels: Floats) -> tuple[Floats, Floats]:
        """Return average predictions at levels of an index, (levels,), and their gradient."""
        share, family = self.sample.share, self.family
        values, gradients = [], []
        for X, _ in self.at_levels(moved, levels):
            eta = X @ self.coefficients
            values.append(share @ family.mean(eta))
            gradients.append((share * family.slope(eta)) @ X)
        return np.array(values), np.array(gradients)

    def slopes(self, moved: int, levels: Floats) -> tuple[Floats, Floats]:
        """Return average effects of one more point at levels, (levels,), and their gradient."""
        share, family, b = self.sample.share, self.family, self.coefficients
        values, gradients = [], []
        for X, D in self.at_levels(moved, levels):
            eta, along = X @ b, D @ b
            slope = share * family.slope(eta)
            values.append(slope @ along)
            gradients.append((share * family.curvature(eta) * along) @ X + slope @ D)
        return np.array(values), np.array(gradients)

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

    def at_levels(self, moved: int, levels: Floats) -> list[tuple[Floats, Floats]]:
        """Return the design at each level of an index and its derivative by the index."""
        points = list(self.sample.points.T)
        parts = [self._matrix(part, points) for part in self.sample.layout.by_power(moved)]
        parts[0][:, 0] = 1.0
        return [
            (
                sum((level**p * part for p, part in enumerate(parts)), np.zeros(())),
                sum(
                    (p * level ** (p - 1) * part for p, part in enumerate(parts) if p),
                    np.zeros(()),
                ),
            )
            for level in levels
        ]

    def _matrix(self, columns: tuple[Column, ...], points: list[Floats]) -> Floats:
        """Return columns side by side behind a column of 0 for the constant, (rows, terms)."""
        factors = list(self.sample.factors.T)
        found = np.zeros((self.sample.n, 1 + len(columns)))
        for j, column in enumerate(columns, 1):
            found[:, j] = value_of(column, points, factors)
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
        For errors that do not fit the family or the sample, or weighted least squares without
        weights.
    """
    kind = checked_errors(sample, family, errors)
    if family is WLS and sample.weights is None:
        raise OptionError(
            "family='wls' needs weights; name their column as read_survey(..., weights='w'), or "
            "use family='ols'."
        )
    if family.further:
        found, further, ending = fit_further(sample, family)
        return Regression(family, sample, kind, found, ending, further)
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
    found, converged = by_statsmodels(sample, family)
    ending = Ending.CONVERGED if converged else Ending.NOT_CONVERGED
    return Regression(family, sample, kind, found, ending)


def by_statsmodels(sample: Sample, family: Family) -> tuple[Floats, bool]:
    """Return coefficients of least squares or of a binomial model, and whether they converged."""
    from statsmodels.genmod.families import Binomial, links
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.regression.linear_model import WLS

    design = np.column_stack([np.ones(sample.n), sample.regressors])
    weights = np.ones(sample.n) if sample.weights is None else sample.weights
    if not family.bounded:
        return np.asarray(WLS(sample.outcome, design, weights=weights).fit().params), True
    known: dict[str, Callable[[], object]] = {"probit": links.Probit, "cloglog": links.CLogLog}
    link = known.get(family.name.removeprefix("fractional-"), links.Logit)()
    model = GLM(sample.outcome, design, family=Binomial(link=link), var_weights=weights)
    result = model.fit(tol=1e-12, tol_criterion="params", maxiter=100)
    return np.asarray(result.params), bool(result.converged)
