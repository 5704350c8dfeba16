"""Whether predicted probabilities come true: calibration, goodness of fit, link."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked, checked_in
from csimodel.errors import OptionError
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.formatting import told_p
from csimodel.inference.folds import split
from csimodel.options import require_array, require_count
from csimodel.outcomes.design.basis import Basis
from csimodel.outcomes.kernels.robust import OF_DESIGN
from csimodel.outcomes.kernels.wald import table_of_tests
from csimodel.outcomes.models.regression import Regression
from csimodel.outcomes.models.result import Repurchase
from csimodel.outcomes.models.shape.design import plain
from csimodel.outcomes.models.shape.resamples import seed_of
from csimodel.outcomes.prediction.folds import predictions_of_folds
from csimodel.outcomes.prediction.goodness import goodness, link_test
from csimodel.outcomes.prediction.recalibration import (
    groups_of,
    predictor_of,
    recalibrated,
    smooth,
    table_of,
)
from csimodel.page import HasHeadline, Page, sections

Floats = NDArray[np.float64]


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Calibration(HasHeadline):
    """How predictions compare with what happened. Made by `calibration`.

    Attributes
    ----------
    repurchase
        The regression judged.
    table
        One row a group of respondents with like predictions: n, share (of the respondents,
        weighted), predicted, observed (means), se, lower, upper (of observed).
    coefficients
        Rows ``"intercept"`` (of the observed over the predicted, at slope 1: 0 when predictions
        are right on average) and ``"slope"`` (1 when they spread as they should; smaller when
        they are too extreme): estimate, se, lower, upper. On log-odds, for least squares on
        probabilities.
    tests
        Rows ``"calibrated"`` (intercept 0 and slope 1), ``"fit by groups"``, ``"link"``, and
        ``"Hosmer-Lemeshow"`` where it holds; columns statistic, distribution, p.
    predictions
        The predictions that were compared, (rows,).
    smoothed
        The regression of the outcome on a spline of the predictions.
    folds
        Number of folds; 0 when predictions are of the respondents fitted.
    findings
        What a reader must know, in plain words.
    """

    repurchase: Repurchase
    table: pd.DataFrame
    coefficients: pd.DataFrame
    tests: pd.DataFrame
    predictions: Floats
    smoothed: tuple[Basis, Regression]
    folds: int
    findings: tuple[Finding, ...]

    @property
    def statistic(self) -> float:
        """Statistic of the test that predictions are calibrated."""
        return float(self.tests["statistic"].iloc[0])

    @property
    def p(self) -> float:
        """p-value of the test that predictions are calibrated."""
        return float(self.tests["p"].iloc[0])

    @property
    def error(self) -> float:
        """Mean absolute distance of the smooth curve from the diagonal over the respondents."""
        share, curve = self.repurchase.regression.sample.share, self.smoothed[1]
        return float(share @ np.abs(curve.expected - self.predictions))

    def curve(self, levels: ArrayLike | None = None) -> pd.DataFrame:
        """Return the smooth curve: what happens over what is predicted.

        Parameters
        ----------
        levels
            Predicted probabilities; 101 over those that occur by default.

        Returns
        -------
        DataFrame
            Columns predicted, observed, se, lower, upper.
        """
        basis, regression = self.smoothed
        points = (
            np.linspace(self.predictions.min(), self.predictions.max(), 101)
            if levels is None
            else require_array("levels", levels, "predicted probabilities").ravel()
        )
        x = predictor_of(points, regression.family.bounded)
        X = np.column_stack([np.ones(len(x)), *basis.columns(x)])
        averages = regression.averages([regression.predict(row[None]) for row in X])
        table = regression.table(averages, self.repurchase.level, probability=True)
        table = table.rename(columns={"estimate": "observed"})
        table.insert(0, "predicted", points)
        return table.drop(columns="p")

    @property
    def page(self) -> Page:
        """The result on a page."""
        rep = self.repurchase
        how = (
            text("from {folds} folds, each left out", folds=self.folds)
            if self.folds
            else text("of those fitted")
        )
        tables = {
            text("Intercept and slope"): self.coefficients,
            text("Tests"): self.tests,
            text("Groups"): self.table,
        }
        facts = (
            text(
                "{label}, {n} respondents; predictions {how}",
                label=rep.family.label,
                n=rep.n,
                how=how,
            ),
        )
        title = text(
            "Calibration of {outcome} on {names}", outcome=rep.outcome, names=", ".join(rep.indexes)
        )
        return Page(title, self.headline, facts, self.findings, sections(tables))

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        return text(
            "What happens differs from what is predicted by {error:.1f} "
            "percentage points on average (slope {slope:.2f}, intercept 0 and "
            "slope 1: {p}).",
            error=100 * self.error,
            slope=self.coefficients["estimate"].iloc[1],
            p=told_p(self.p),
        )


@own_errstate
@checked
def calibration(
    rep: Repurchase,
    *,
    groups: int = 10,
    folds: int = 10,
    rng: int | np.random.Generator | None = None,
) -> Calibration:
    """Compare predicted with observed repurchase.

    Predictions come from folds that were left out, as those of the respondents fitted are
    calibrated by construction: a logistic regression reproduces its own mean and slope. The index
    counts as known. Survey weights, clusters, strata and the kind of errors are those of `rep`.
    The folds are fitted to nearly the same respondents as they predict, so that the test of
    intercept 0 and slope 1, made for predictions from elsewhere, finds overfitting but rejects a
    regression of the right form far less often than its p-value says.

    Tests of the fit to all respondents go with it:

    - fit by groups: sums of residuals in groups of like predictions, against their robust variance
      after estimation (a score test; χ² with as many degrees of freedom as independent sums; of
      clusters, strata and a finite population Hotelling's F, and no test where the design has too
      few degrees of freedom for the groups). It holds for shares, weights and clusters. Like the
      Hosmer-Lemeshow test, which is given for answers of 0 and 1 without weights or clusters, it
      depends on the grouping, says little in small samples, and finds trifles in large ones: look
      at the curve first.
    - link: the square of the linear predictor added to the regression.

    Parameters
    ----------
    rep
        A regression of repurchase.
    groups
        Groups of like predictions; ties stay together, so there may be fewer.
    folds
        Number of folds; 0 for the predictions of the respondents fitted.
    rng
        Seed or Generator.

    Raises
    ------
    OptionError
        When an option is unknown or does not fit the others.
    EstimationError
        When the regression has no solution, in all respondents or without a fold.

    References
    ----------
    Cox, D. R. (1958). Two further applications of a model for binary regression. Biometrika 45,
    562-565. https://doi.org/10.1093/biomet/45.3-4.562

    Pregibon, D. (1980). Goodness of link tests for generalized linear models. Applied Statistics
    29, 15-24. https://doi.org/10.2307/2346405

    Hosmer, D. W., Lemeshow, S. (1980). Goodness of fit tests for the multiple logistic regression
    model. Communications in Statistics 9, 1043-1069. https://doi.org/10.1080/03610928008827941

    Examples
    --------
    >>> import csimodel as csi
    >>> rep = csi.repurchase(csi.fit(csi.models.ecsi(), csi.load_mobi()), "CUSL1")
    >>> calibration(rep, folds=0).coefficients["estimate"].round(6).abs().tolist()
    [0.0, 1.0]
    """
    require_count("groups", groups, ", and 10 as a rule")
    folds = require_count("folds", folds, ", or 0 for the respondents fitted", least=0)
    if groups < 3:
        raise OptionError(f"groups={groups!r} must be at least 3, and 10 as a rule.")
    rep, findings = plain(rep)
    sample, seed = rep.regression.sample, seed_of(rng)
    if folds:
        unit = rep.regression.cluster
        fold = split(sample.n, unit, folds, np.random.default_rng(seed))
        predicted = predictions_of_folds(rep, 0, "line", None, fold)
    else:
        predicted = rep.regression.expected
    group = groups_of(predicted, sample.share, groups)
    coefficients, calibrated = recalibrated(rep, predicted)
    own = groups_of(rep.regression.expected, sample.share, groups)
    tests = table_of_tests(
        {
            "calibrated": calibrated,
            **goodness(rep.regression, own),
            "link": link_test(rep.regression),
        }
    )
    table = table_of(rep, predicted, group)
    return Calibration(
        rep,
        table,
        coefficients,
        tests,
        predicted,
        smooth(rep, predicted),
        folds,
        (*findings, *_about(rep, table, tests, groups, folds)),
    )


def _about(
    rep: Repurchase, table: pd.DataFrame, tests: pd.DataFrame, groups: int, folds: int
) -> list[Finding]:
    findings = []
    p = float(tests["p"].loc["fit by groups"])
    design = rep.regression.design_of_sample
    if np.isnan(p) and not design.census and rep.errors in OF_DESIGN:
        findings.append(
            Finding(
                "no-fit-test",
                "The sampling design leaves {df} {df:degree|degrees} of freedom, too few to test "
                "the fit in {groups} groups of like predictions; use fewer groups=.",
                (rep.outcome,),
                "note",
                values={"df": design.df, "groups": len(table)},
            )
        )
    if p < 1.0 - rep.level:
        gap = 100.0 * float((table["observed"] - table["predicted"]).abs().max())
        findings.append(
            Finding(
                "form-does-not-fit",
                "Groups of like predictions do not behave as predicted, by up to "
                "{gap:.1f} percentage points ({p:p}), so the form of the regression is not "
                "quite right; compare others with compare_shapes.",
                (rep.outcome,),
                values={"gap": gap, "p": p},
            )
        )
    if not folds:
        findings.append(
            Finding(
                "own-predictions",
                "Predictions are of the respondents the regression was fitted to, so intercept "
                "and slope are right by construction and the curve looks better than it is; "
                "use folds=10.",
            )
        )
    if len(table) < groups:
        findings.append(
            Finding(
                "groups-tied",
                (
                    "Predictions are tied, so there {count:is|are} {count} {count:group|groups} "
                    "instead of {groups}."
                ),
                severity="note",
                count=len(table),
                values={"count": len(table), "groups": groups},
            )
        )
    if rep.draws is not None:
        findings.append(
            Finding(
                "index-known",
                "Calibration treats the index as known; the whole-chain draws are not used here.",
                severity="note",
            )
        )
    return findings
