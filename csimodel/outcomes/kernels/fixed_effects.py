"""Regressions of firms over periods with firm and period effects, for many draws at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.families import OLS
from csimodel.outcomes.kernels.glm import newton_step, normal_equations
from csimodel.outcomes.kernels.influence import Influence
from csimodel.outcomes.kernels.kernel import Ending, Observations, Regressions, Samples
from csimodel.outcomes.kernels.predictor_scores import PredictorScores
from csimodel.outcomes.kernels.score_errors import ScoreErrors, score_errors
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

EFFECTS = ("two-way", "firm", "period", "none")


@dataclass(frozen=True, eq=False)
class Panel:
    """A firm in a period, one row each, sorted by firm.

    Attributes
    ----------
    outcome
        From 0 to 1, (cells,).
    regressors
        The index in points, then controls, (cells, regressors).
    weights
        How much each row counts, (cells,).
    firm, period
        Codes 0, 1, …, (cells,).
    effects
        One of `EFFECTS`.
    """

    outcome: Floats
    regressors: Floats
    weights: Floats
    firm: Codes
    period: Codes
    effects: str

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.outcome)

    @cached_property
    def dummies(self) -> Floats:
        """A column of 0 and 1 for each period but the first, (cells, periods - 1); or none.

        Of firms' own effects, for each but the first of each part of the panel: periods that no
        firm joins to the others, directly or through further firms, are compared among themselves.
        """
        if self.effects not in ("two-way", "period"):
            return np.empty((self.n, 0))
        periods = int(self.period.max()) + 1
        part = np.zeros(periods, dtype=np.intp)
        if self.effects == "two-way":
            part = _parts(self.firm, self.period)
        later = np.ones(periods, dtype=np.bool_)
        later[np.unique(part, return_index=True)[1]] = False
        return np.asarray(np.eye(periods)[self.period][:, later])

    def within(self, values: Floats, weights: Floats) -> Floats:
        """Take firms' weighted means out and put the mean of all in, (draws, cells)."""
        if self.effects not in ("two-way", "firm"):
            return values
        starts = np.searchsorted(self.firm, np.arange(int(self.firm.max()) + 1))
        total = np.add.reduceat(weights, starts, axis=1)
        heavy = values * weights
        with np.errstate(invalid="ignore", divide="ignore"):
            means = np.where(total > 0, np.add.reduceat(heavy, starts, axis=1) / total, 0.0)
        mean = heavy.sum(axis=1, keepdims=True) / weights.sum(axis=1, keepdims=True)
        return np.asarray(values - means[:, self.firm] + mean)

    @cached_property
    def design(self) -> Floats:
        """Constant, regressors and periods, firms taken out, (cells, terms)."""
        columns = np.column_stack([self.regressors, self.dummies])
        w = np.broadcast_to(self.weights, (columns.shape[1], self.n))
        return np.column_stack([np.ones(self.n), self.within(columns.T, w).T])

    @cached_property
    def response(self) -> Floats:
        """Outcome, firms taken out, (cells,)."""
        return np.asarray(self.within(self.outcome[None], self.weights[None])[0])

    @cached_property
    def all_coefficients(self) -> Floats:
        """Constant, slopes and periods, by statsmodels' weighted least squares, (terms,)."""
        from statsmodels.regression.linear_model import WLS

        return np.asarray(WLS(self.response, self.design, self.weights).fit().params)

    @property
    def coefficients(self) -> Floats:
        """Constant and slopes, (1 + regressors,); the constant is about the mean period."""
        return np.asarray(self.turn @ self.all_coefficients)

    @property
    def turn(self) -> Floats:
        """How constant and slopes follow from all coefficients, as a matrix."""
        size = 1 + self.regressors.shape[1]
        turn_back = np.eye(size, self.design.shape[1])
        share = self.weights / self.weights.sum()
        turn_back[0, size:] = share @ self.dummies
        return turn_back

    @cached_property
    def _moves(self) -> tuple[Floats, Floats]:
        """Columns that vary within firms, and how constant and slopes follow from coefficients.

        (cells, columns), (1 + regressors, columns). Effects of firms leave nothing to the
        constant: what is said of the average firm is ``ȳ - x̄b``, of these firms, and errs as
        the slopes do.
        """
        if self.effects not in ("two-way", "firm"):
            return self.design, self.turn
        columns = self.design[:, 1:]
        mean = self.weights / self.weights.sum() @ columns
        turn = self.turn[:, 1:].copy()
        turn[0] -= mean
        return columns - mean, turn

    @cached_property
    def reduced(self) -> ScoreErrors:
        """Errors clustered by firm without the bias of few firms (CR2).

        The working model has independent rows with variances inverse to their weights: that of
        least squares once rows are multiplied by the root of their weights. Under it, and it alone,
        errors with firms taken out are those of a regression with a column for each firm (the
        correction's theorem 2).

        References
        ----------
        Pustejovsky, J. E., Tipton, E. (2018). Small-sample methods for cluster-robust variance
        estimation and hypothesis testing in fixed effects models. Journal of Business & Economic
        Statistics 36, 672-683. https://doi.org/10.1080/07350015.2016.1247004

        Pustejovsky, J. E., Tipton, E. (2023). Corrigendum to the same (of its theorem 2).
        https://doi.org/10.1080/07350015.2023.2174123
        """
        X, _ = self._moves
        residual = self.response - self.design @ self.all_coefficients
        scores = PredictorScores(OLS, X, self.weights * residual, self.weights, self.weights, None)
        by_firm = SurveyDesign.of(self.n, cluster=self.firm)
        return score_errors(scores.influence, "CR2", by_firm, float("nan"))

    def errors_of(self, rows: Floats, errors: str) -> tuple[Floats, Floats]:
        """Return standard errors and degrees of freedom of sums of constant and slopes.

        By CR2 after Satterthwaite, for each sum; else clusters less one, of the kind that has
        fewer (Cameron, Gelbach and Miller).

        Parameters
        ----------
        rows
            (sums, 1 + regressors)
        errors
            ``"CR2"``, ``"cluster"`` or ``"two-way"``.

        Returns
        -------
        (sums,), twice
        """
        if errors == "CR2":
            se, df = self.reduced.of(rows @ self._moves[1])
            return se, np.where(np.isfinite(df), df, float(self.firm.max()))
        covariance, _ = self.covariance(errors)
        variance = np.maximum(np.einsum("ij,jk,ik->i", rows, covariance, rows), 0.0)
        most = min(self.firm.max(), self.period.max()) if errors == "two-way" else self.firm.max()
        return np.sqrt(variance), np.full(len(rows), float(most))

    def covariance(self, errors: str) -> tuple[Floats, bool]:
        """Return the covariance of constant and slopes, and whether it had to be mended.

        Negative eigenvalues, which a two-way covariance may have, are put to 0.
        """
        cov = self.clustered(errors)
        values, vectors = np.linalg.eigh(cov)
        mended = bool(values[0] < -1e-12 * max(values[-1], 0.0))
        if mended:
            cov = (vectors * np.maximum(values, 0.0)) @ vectors.T
        return np.asarray(cov), mended

    def clustered(self, errors: str) -> Floats:
        """Return the clustered covariance of constant and slopes as it is.

        Errors clustered by firm, with ``G/(G - 1) · (N - 1)/(N - K)``; two-way adds those
        clustered by period and takes off those of rows alone, each with its own G. K counts
        constant, slopes and periods, not firms, which are nested in the clusters.

        References
        ----------
        Arellano, M. (1987). Computing robust standard errors for within-groups estimators. Oxford
        Bulletin of Economics and Statistics 49, 431-434.
        https://doi.org/10.1111/j.1468-0084.1987.mp49004006.x

        Cameron, A. C., Gelbach, J. B., Miller, D. L. (2011). Robust inference with multiway
        clustering. Journal of Business & Economic Statistics 29, 238-249.
        https://doi.org/10.1198/jbes.2010.07136
        """
        sample = Observations(self.design, self.response, self.weights)
        b = Regressions.of_sample(self.all_coefficients, Ending.CONVERGED, None)
        influence = self.influence(sample, b)

        def by(cluster: Codes | None) -> Floats:
            design = SurveyDesign.of(self.n, cluster=cluster)
            return score_errors(influence, "cluster", design, float("inf")).covariance

        cov = by(self.firm)
        if errors == "two-way":
            cov = cov + by(self.period) - by(None)
        return np.asarray(self.turn @ cov @ self.turn.T)

    @property
    def terms(self) -> int:
        """Number of coefficients: constant and slopes."""
        return 1 + int(self.regressors.shape[1])

    @property
    def extra(self) -> int:
        """Number of parameters besides: none."""
        return 0

    def influence(self, sample: Observations, estimates: Regressions) -> Influence:
        """Return what rows add to constant, slopes and periods, firms taken out of the design."""
        design, outcome, weights, _ = sample
        b = estimates.coefficients[0]
        return PredictorScores.of(OLS, design, outcome, weights, b).influence

    def predict(self, b: Floats, design: Floats, along: Floats | None = None) -> Floats:
        """Return expected outcomes of the average firm; see `Family.predict`."""
        return OLS.predict(b, design, along)

    def fit(self, samples: Samples) -> Regressions:
        """Return constant and slopes of each sample: a `Kernel`; all arrays (samples, cells)."""
        _, regressors, weights, (outcome,) = samples
        seen = weights > 0
        columns = [np.where(seen, column, 0.0) for column in regressors]
        y = self.within(np.where(seen, outcome, 0.0), weights)
        dummies = [np.broadcast_to(column, weights.shape) for column in self.dummies.T]
        x = [self.within(column, weights) for column in [*columns, *dummies]]
        gradient, hessian = normal_equations(weights * y, weights, x)
        b, solved = newton_step(gradient, hessian)
        share = weights / weights.sum(axis=1, keepdims=True)
        coefficients = b[:, : self.terms].copy()
        coefficients[:, 0] += np.einsum("dt,dt->d", b[:, self.terms :], share @ self.dummies)
        ending = np.where(solved, int(Ending.CONVERGED), int(Ending.SINGULAR))
        return Regressions(coefficients, np.ones(len(b)), ending)


def _parts(firm: Codes, period: Codes) -> Codes:
    """Return which part of the panel each period is in, firms and periods joined by rows."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    firms, periods = int(firm.max()) + 1, int(period.max()) + 1
    size = firms + periods
    joined = csr_array((np.ones(len(firm)), (firm, firms + period)), shape=(size, size))
    return np.asarray(connected_components(joined, directed=False)[1][firms:], dtype=np.intp)


def connected_rows(firm: Codes, period: Codes, effects: str) -> NDArray[np.bool_]:
    """Mark the rows that say something about a slope: not alone in their firm or period.

    Rows whose effect fits them exactly are taken out, again and again until none is left.

    References
    ----------
    Correia, S. (2015). Singletons, cluster-robust standard errors and fixed effects: a bad mix.
    Technical note, Duke University.
    """
    keep = np.ones(len(firm), dtype=bool)
    while True:
        alone = np.zeros(len(firm), dtype=bool)
        for codes, own in ((firm, ("two-way", "firm")), (period, ("two-way", "period"))):
            if effects in own:
                size = np.bincount(codes[keep], minlength=codes.max() + 1)
                alone |= keep & (size[codes] < 2)
        if not alone.any():
            return keep
        keep &= ~alone
