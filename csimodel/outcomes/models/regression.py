"""One regression, with its errors and averages over the sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import OptionError
from csimodel.inference import Bootstrap
from csimodel.inference.infer import infer
from csimodel.inference.sources import StandardErrors
from csimodel.outcomes.design.layout import Column, value_of
from csimodel.outcomes.kernels.families import WLS, Family
from csimodel.outcomes.kernels.kernel import (
    Ending,
    Kernel,
    Observations,
    Regressions,
    influence_of,
    predict_of,
)
from csimodel.outcomes.kernels.predictor_kernels import PredictorKernel, kernel_of, standardised
from csimodel.outcomes.kernels.predictor_scores import PredictorScores
from csimodel.outcomes.kernels.robust import OF_DESIGN, checked_errors, design_of
from csimodel.outcomes.kernels.sample_fit import fit_further, solve
from csimodel.outcomes.kernels.score_errors import ScoreErrors, score_errors
from csimodel.outcomes.kernels.wald import wald
from csimodel.outcomes.models.averages import Averages, OfRows
from csimodel.outcomes.rows.alike import AlikeSample
from csimodel.outcomes.rows.alike_cells import AlikeCells
from csimodel.outcomes.rows.cells import Cells
from csimodel.outcomes.rows.sample import Sample
from csimodel.significance import t_limits, t_pvalue
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]

_WIDE = 60  # coefficients above which their derivatives are taken one effect at a time


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
        return np.column_stack([np.ones(len(self.sample.regressors)), self.sample.regressors])

    @cached_property
    def eta(self) -> Floats:
        """Linear predictor of each respondent, (rows,)."""
        return np.asarray(self.design @ self.coefficients)

    @property
    def cluster(self) -> NDArray[np.intp] | None:
        """Cluster of each respondent where errors are clustered, (rows,), else None."""
        return self.sample.cluster if self.errors in OF_DESIGN else None

    @property
    def df(self) -> float:
        """Degrees of freedom of t intervals, where they do not depend on what is estimated.

        Clusters (or respondents) less strata where the errors are those of a design; else rows less
        coefficients for least squares, infinite (normal) otherwise.
        """
        if self.errors in OF_DESIGN:
            return float(self.design_of_sample.df)
        return float("inf") if self.family.bounded else float(self.sample.n - self.terms)

    @property
    def terms(self) -> int:
        """Number of coefficients."""
        return len(self.coefficients)

    @cached_property
    def design_of_sample(self) -> SurveyDesign:
        """The units the respondents were drawn in, as far as the errors look at them."""
        return design_of(self.sample, self.errors)

    @cached_property
    def design_of_draws(self) -> SurveyDesign:
        """The same without margins of weights, which draws of respondents do not meet."""
        return design_of(replace(self.sample, calibrated=None), self.errors)

    @cached_property
    def score_errors(self) -> ScoreErrors:
        """Errors of all that is estimated, thresholds or precision included.

        In the order thresholds, slopes for ordered answers; coefficients, precision for beta. The
        information is the expected one, as in R's sandwich; statsmodels takes the observed one in
        robust errors of probit and complementary log-log, which differ a little. Beta and ordered
        families take the observed one. Survey weights multiply the scores and the information, as
        for probability weights.
        """
        design, sample = self.design_of_sample, self.sample
        if not np.isfinite(self.coefficients).all():
            size = len(self.kernel.start)
            nothing = np.full((size, size), np.nan)
            return ScoreErrors("nonrobust", nothing, None, design, sample.share, self.df)
        observations = Observations(self.design, sample.outcome, sample.weights, sample.respondents)
        estimates = Regressions.of_sample(self.coefficients, self.ending, self.further)
        influence = influence_of(self.kernel, observations, estimates)
        return score_errors(influence, self.errors, design, self.df)

    @cached_property
    def kernel(self) -> PredictorKernel:
        """The kind of regression, its answers at the estimates."""
        ordering = self.sample.ordering
        codes, cut = (None, 0) if ordering is None else (ordering.codes, ordering.cut)
        return kernel_of(self.family, self.coefficients, self.further, codes, cut)

    def predict(self, design: Floats, along: Floats | None = None) -> OfRows:
        """Return expected outcomes at design rows as a function of coefficients.

        Or their derivatives along others; see `Family.predict`.
        """
        predict = predict_of(self.kernel)
        return lambda b: predict(b, design, along)

    @cached_property
    def expected(self) -> Floats:
        """Expected outcome of each respondent, (rows,)."""
        return self.family.mean(self.eta)

    @property
    def scores(self) -> PredictorScores:
        """Derivatives of the log-likelihood by the linear predictor."""
        sample = self.sample
        return PredictorScores.of(
            self.family, self.design, sample.outcome, sample.weights, self.coefficients
        )

    @property
    def joint_covariance(self) -> Floats:
        """Covariance of all that is estimated; order as in `score_errors`."""
        return self.score_errors.covariance

    @cached_property
    def covariance(self) -> Floats:
        """Covariance of the coefficients, (terms, terms); see `score_errors`."""
        turn = self.to_joint(np.eye(self.terms))
        return np.asarray(turn @ self.joint_covariance @ turn.T)

    def errors_of(
        self, gradient: Floats, individual: Floats | None = None, *, joint: bool = False
    ) -> tuple[Floats, Floats]:
        """Return standard errors and degrees of freedom of functions of the coefficients.

        Parameters
        ----------
        gradient
            By the coefficients, (functions, terms).
        individual
            For averages over the respondents, the value of each, (rows, functions).
        joint
            Whether the gradient is by all that is estimated, in the order of `score_errors`.
        """
        return self.score_errors.of(gradient if joint else self.to_joint(gradient), individual)

    def table(
        self, averages: Averages, level: float, *, probability: bool = False, joint: bool = False
    ) -> pd.DataFrame:
        """Return averages with their errors by the delta method, as `infer` has them.

        Limits of probabilities that are bounded are made on the log-odds scale. `joint` as in
        `errors_of`.
        """
        se, df = self.errors_of(averages.gradient, averages.individual, joint=joint)
        return self.table_of(averages.value, se, df, level, probability=probability)

    def table_of(
        self, value: Floats, se: Floats, df: Floats, level: float, *, probability: bool = False
    ) -> pd.DataFrame:
        """Return values with errors that are known, as `table` does, (entries,) each."""
        errors = StandardErrors(se, df, census=self.design_of_sample.census)
        table = infer(pd.RangeIndex(len(value)), value, errors, level)
        if probability and self.family.bounded:
            given = (table["reason"] == "").to_numpy()
            for name, end in zip(
                ("lower", "upper"), self.limits(value, se, level, True, df), strict=True
            ):
                table[name] = np.where(given, end, table[name].to_numpy())
        return table

    def test(self, matrix: Floats, value: Floats | None = None) -> pd.Series:
        """Test that sums of coefficients, the weights in rows (k, terms), are all zero.

        `value` is what is tested instead of the sums, (k,), such as their distance from 1.
        """
        gradient = self.to_joint(matrix)
        value = matrix @ self.coefficients if value is None else value
        covariance = gradient @ self.joint_covariance @ gradient.T
        of_design = self.errors in OF_DESIGN
        return wald(value, covariance, self.score_errors.joint_df(gradient), design=of_design)

    def to_joint(self, gradient: Floats) -> Floats:
        """Turn a gradient by the coefficients into one by all that is estimated."""
        return self.kernel.to_parameters(gradient)

    @cached_property
    def mean_slope(self) -> float:
        """Mean of μ'(η) over the sample."""
        return float(self.sample.share @ self.family.slope(self.eta))

    @property
    def effect_names(self) -> tuple[str, ...]:
        """What average effects are about: indexes, and columns free of them."""
        return tuple(self.sample.names[j] for j, _ in self.sample.layout.effects)

    def averages(self, functions: Sequence[OfRows]) -> Averages:
        """Average functions of the coefficients over the sample."""
        variances = np.diagonal(self.covariance)
        return Averages.of(functions, self.coefficients, variances, self.sample.share)

    @property
    def draw_columns(self) -> tuple[Column, ...]:
        """What the kernel of the draws is given of the design."""
        return self.sample.layout.columns

    @property
    def parts(self) -> int:
        """How many runs of cells are fitted one after another in the draws."""
        return 1

    def cells(self, bootstrap: Bootstrap) -> Cells:
        """Return the respondents merged where they are alike in every draw."""
        if isinstance(self.sample, AlikeSample):
            return AlikeCells.of_alike(bootstrap, self.sample)
        return Cells.of(bootstrap, self.sample)

    def kernel_of_draws(self, cells: Cells) -> Kernel:
        """Return what fits the draws, starting from this fit."""
        x, ordering = self.sample.regressors, self.sample.ordering
        return standardised(
            self.family,
            self.coefficients,
            x.mean(axis=0),
            x.std(axis=0),
            self.further,
            cells.codes,
            0 if ordering is None else ordering.cut,
        )

    def average_slopes(self) -> Averages:
        """Return average marginal effects: ``mean(μ'(η) ∂η/∂x)``, through products and powers."""
        points = list(self.sample.points.T)
        effects = self.sample.layout.effects
        if len(self.coefficients) > _WIDE:
            return self._average_slopes_of_many(points)
        every = [self._matrix(columns, points) for _, columns in effects]
        design = self.design
        return self.averages([self.predict(design, D) for D in every])

    def index_slopes(self) -> Floats:
        """Return the average marginal effect of each index without its error, (indexes,)."""
        sample = self.sample
        points, factors = list(sample.points.T), list(sample.factors.T)
        slope = sample.share * self.family.slope(self.eta)
        effects = []
        for j in range(len(sample.indexes)):
            rise = np.zeros(len(sample.outcome))
            for b, column in zip(self.coefficients[1:], sample.layout.by_index(j), strict=True):
                if column:
                    rise += b * value_of(column, points, factors)
            effects.append(float(slope @ rise))
        return np.array(effects)

    def _average_slopes_of_many(self, points: list[Floats]) -> Averages:
        """Return average marginal effects of a wide design, one effect at a time.

        A batch of perturbed coefficients grows with the square of their number, and the derivatives
        of all effects together are as many designs; here the derivative is
        ``mean(μ''(η) (∂η/∂x) X + μ'(η) D)``, D the columns that move with x.
        """
        slope, bend = self.family.slope(self.eta), self.family.curvature(self.eta)
        share, factors = self.sample.share, list(self.sample.factors.T)
        gradients, individual, design = [], [], self.design
        for _, derivatives in self.sample.layout.effects:
            moving = [j for j, column in enumerate(derivatives) if column]
            D = np.empty((len(self.sample.outcome), len(moving)))
            for place, j in enumerate(moving):
                D[:, place] = value_of(derivatives[j], points, factors)
            terms = np.array(moving) + 1
            along = D @ self.coefficients[terms]
            gradient = (share * bend * along) @ design
            gradient[terms] += (share * slope) @ D
            gradients.append(gradient)
            individual.append(slope * along)
        values = np.stack(individual, axis=1)
        return Averages(share @ values, np.array(gradients), values)

    def predictions(self, moved: int, levels: Floats) -> Averages:
        """Return average predictions at levels of an index."""
        return self.averages([self.predict(X) for X, _ in self.at_levels(moved, levels)])

    def slopes(self, moved: int, levels: Floats) -> Averages:
        """Return average effects of one more point at levels of an index."""
        return self.averages([self.predict(X, D) for X, D in self.at_levels(moved, levels)])

    def limits(
        self,
        value: Floats,
        se: Floats,
        level: float,
        probability: bool,
        df: Floats | float | None = None,
    ) -> tuple[Floats, Floats]:
        """Return confidence limits; of a probability that is bounded, made on its log-odds.

        Degrees of freedom are those of the sample unless others are given.
        """
        from scipy.special import expit, logit

        degrees = self.df if df is None else df
        if not (probability and self.family.bounded):
            return t_limits(value, se, degrees, level)
        with np.errstate(divide="ignore", invalid="ignore"):
            lower, upper = t_limits(logit(value), se / (value * (1.0 - value)), degrees, level)
        return expit(lower), expit(upper)

    def p_value(self, value: Floats, se: Floats) -> Floats:
        """Return two-sided p-values against zero."""
        return t_pvalue(value, se, self.df)

    def at_levels(self, moved: int, levels: Floats) -> list[tuple[Floats, Floats]]:
        """Return the design at each level of an index and its derivative by the index.

        A single row where nothing but the index differs between respondents.
        """
        points = list(self.sample.points.T)
        parts = [self._matrix(part, points) for part in self.sample.layout.by_power(moved)]
        if all((part == part[:1]).all() for part in parts):
            parts = [part[:1] for part in parts]
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
        matrix = np.zeros((len(self.sample.outcome), 1 + len(columns)))
        for j, column in enumerate(columns, 1):
            matrix[:, j] = value_of(column, points, factors)
        return matrix


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
    kind = required_errors(sample, family, errors)
    if family.further:
        solution, further, ending = fit_further(sample, family)
        return Regression(family, sample, kind, solution, ending, further)
    x = sample.regressors
    weights = sample.row_weights
    solution, ending = solve(family, sample.outcome, x, weights, x.mean(axis=0), x.std(axis=0))
    return Regression(family, sample, kind, solution, ending)


def required_errors(sample: Sample, family: Family, errors: str | None) -> str:
    """Return the kind of errors, as `checked_errors`, and refuse least squares without weights."""
    kind = checked_errors(sample, family, errors)
    if family is WLS and not sample.weighted:
        raise OptionError(
            "family='wls' needs weights; name their column as read_survey(..., weights='w'), or "
            "use family='ols'."
        )
    return kind
