"""Which shape predicts best for respondents it was not fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked, checked_in
from csimodel.errors import OptionError, choose
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.formatting import told_p
from csimodel.inference.folds import split
from csimodel.options import require_count
from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.models.result import Repurchase
from csimodel.outcomes.models.shape.design import basis_of, plain, which
from csimodel.outcomes.models.shape.entry import KINDS, repurchase_shape
from csimodel.outcomes.models.shape.hinge import Hinge, likelihood
from csimodel.outcomes.models.shape.isotonic import Steps
from csimodel.outcomes.models.shape.resamples import seed_of
from csimodel.outcomes.models.shape.result import Shape
from csimodel.outcomes.prediction.folds import predictions_of_folds
from csimodel.page import HasHeadline, Page, sections
from csimodel.significance import t_pvalue
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]

LINE = "line"
_EDGE = 1e-4  # predictions are kept this far from 0 and 1 in the log score


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class ShapeComparison(HasHeadline):
    """Shapes compared by how they predict. Made by `compare_shapes`.

    Attributes
    ----------
    repurchase
        The straight regression.
    index
        The index that bends.
    table
        One row a shape, in the order asked for. Columns log_score and brier: mean over
        respondents left out, smaller is better; log_score_difference and brier_difference: less
        the first shape's, with their se, and p of the test whether the shape adds to the first;
        parameters, aic, bic: of the fit to all, NaN where there is no likelihood.
    predictions
        Predictions for left-out respondents, one column a shape.
    folds
        The fold each respondent was left out with, (rows,).
    shapes
        The shapes fitted to all respondents, the line left out.
    findings
        What a reader must know, in plain words.
    """

    repurchase: Repurchase
    index: str
    table: pd.DataFrame
    predictions: pd.DataFrame
    folds: NDArray[np.intp]
    shapes: dict[str, Shape]
    findings: tuple[Finding, ...]

    @property
    def best(self) -> str:
        """The shape with the smallest log score."""
        return str(self.table["log_score"].idxmin())

    @property
    def statistic(self) -> float:
        """Difference of the best shape's log score from the first's, in standard errors."""
        gap, se = (self._best(f"log_score_difference{part}") for part in ("", "_se"))
        return gap / se if se > 0 else 0.0

    @property
    def p(self) -> float:
        """p-value that the best shape knows nothing that the first does not.

        Of the test of `compare_shapes`, times the number of shapes the best was chosen from
        (Bonferroni); 1 when the first is the best.
        """
        p = self._best("log_score_difference_p") * (len(self.table) - 1)
        return min(p, 1.0) if np.isfinite(p) else 1.0

    def _best(self, column: str) -> float:
        return float(self.table[column].to_numpy()[self.table["log_score"].argmin()])

    def curves(self, levels: ArrayLike | None = None) -> pd.DataFrame:
        """Return the curve of every shape, for `plots.repurchase_curves`.

        Parameters
        ----------
        levels
            Index points, 0 to 100; every whole point by default.

        Returns
        -------
        DataFrame
            Rows (shape, index); columns probability, se, lower, upper.
        """
        by_name = {name: shape.curve(levels) for name, shape in self.shapes.items()}
        if LINE in self.table.index:
            by_name[LINE] = self.repurchase.curve(levels, self.index)
        tables = {name: by_name[str(name)].set_index("index") for name in self.table.index}
        return pd.DataFrame(pd.concat(tables, names=["shape"]))

    @property
    def page(self) -> Page:
        """The result on a page."""
        count = int(self.folds.max()) + 1
        rep = self.repurchase
        return Page(
            text(
                "Shapes of {outcome} on the index of {index}", outcome=rep.outcome, index=self.index
            ),
            self.headline,
            (
                text(
                    "{family}, {n} respondents in {count} folds; smaller is better",
                    family=rep.family.label,
                    n=rep.n,
                    count=count,
                ),
            ),
            self.findings,
            sections({text("Scores"): self.table}),
        )

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        first = self.table.index[0]
        if self.best == first:
            return text(
                "No shape predicts left-out respondents better than {first!r}.", first=first
            )
        better = self.p < 1.0 - self.repurchase.level
        return text(
            "{best!r} predicts left-out respondents best, and clearly better than {first!r} ({p})."
            if better
            else "{best!r} predicts left-out respondents best, but not clearly better than "
            "{first!r} ({p}).",
            best=self.best,
            first=first,
            p=told_p(self.p),
        )


@own_errstate
@checked
def compare_shapes(
    rep: Repurchase,
    kinds: Sequence[str] = (LINE, "quadratic", "spline", "hinge"),
    *,
    index: str | None = None,
    knots: int | Sequence[float] | None = None,
    folds: int = 10,
    draws: int = 199,
    rng: int | np.random.Generator | None = None,
    progress: bool = True,
) -> ShapeComparison:
    """Compare shapes by cross-validation, and by AIC and BIC where there is a likelihood.

    Respondents (whole clusters, where errors are clustered) are split at random into folds; each
    fold is predicted from the others. With μ the prediction and y the outcome,

    - log score ``-(y log μ + (1 - y) log(1 - μ))``, with μ kept 0.0001 from 0 and 1;
    - Brier score ``(y - μ)²``,

    both averaged over respondents with survey weights. Differences between shapes are paired, with
    standard errors of a mean over respondents (or clusters, within strata). A shape that contains
    the first pays for its further parameters, so that a difference of zero is not what to expect
    where it adds nothing, and a test of the difference hardly ever finds what is there. The
    p-values are therefore of what is left of the difference without that price, one-sided: the mean
    of ``(y - μ₁)(η₂ - η₁)``, η log-odds, for the log score, and of ``2 (y - μ₁)(μ₂ - μ₁)`` for the
    Brier score, which are zero where the first shape leaves nothing to be known (Harvey and others;
    Clark and West). Folds share respondents, which neither errors nor tests account for.
    The threshold of a hinge is found again in each fold; knots of a spline, which look at the
    index only, stay. The index counts as known.

    Parameters
    ----------
    rep
        A regression of repurchase on an index.
    kinds
        ``"line"`` and kinds of `repurchase_shape`; differences are from the first.
    index, knots
        As in `repurchase_shape`; knots are the spline's.
    folds
        Number of folds, at least 2.
    draws
        As in `repurchase_shape`, for the bands of curves that need draws.
    rng
        Seed or Generator.
    progress
        Show a bar when the draws of a shape take longer than a second.

    Raises
    ------
    OptionError
        When an option is unknown or does not fit the others.
    EstimationError
        When a shape has no solution, in all respondents or without a fold.

    References
    ----------
    Clark, T. E., West, K. D. (2007). Approximately normal tests for equal predictive accuracy in
    nested models. Journal of Econometrics 138, 291-311.
    https://doi.org/10.1016/j.jeconom.2006.05.023

    Harvey, D. I., Leybourne, S. J., Newbold, P. (1998). Tests for forecast encompassing. Journal of
    Business & Economic Statistics 16, 254-259. https://doi.org/10.1080/07350015.1998.10524759

    Gneiting, T., Raftery, A. E. (2007). Strictly proper scoring rules, prediction, and estimation.
    Journal of the American Statistical Association 102, 359-378.
    https://doi.org/10.1198/016214506000001437

    Examples
    --------
    >>> import csimodel as csi
    >>> rep = csi.repurchase(csi.fit(csi.models.ecsi(), csi.load_mobi()), "CUSL1")
    >>> compare_shapes(rep, ["line", "quadratic"], rng=1)
    <ShapeComparison: 'quadratic' predicts left-out respondents best, but not clearly better than
    'line' (p = .239).>
    """
    names = [choose("kinds", kind, (LINE, *KINDS)) for kind in kinds]
    if not names or len(set(names)) < len(names):
        raise OptionError(f"kinds={list(kinds)!r} must name different shapes, such as 'line'.")
    require_count("folds", folds, ", and 5 to 10 as a rule")
    rep, about_rep = plain(rep)
    moved, seed = which(rep, index), seed_of(rng)
    sample = rep.regression.sample
    unit = rep.regression.cluster
    fold = split(sample.n, unit, folds, np.random.default_rng(seed))
    known = replace(rep, draws=None)
    fitted = {
        name: repurchase_shape(
            known,
            name,
            index=index,
            knots=knots if name == "spline" else None,
            draws=draws,
            rng=seed,
            progress=progress,
        )
        for name in names
        if name != LINE
    }
    straight = (LINE, "hinge", "isotonic")  # without knots of their own
    bases = {
        name: None
        if name in straight
        else basis_of(rep, moved, name, knots if name == "spline" else None)
        for name in names
    }
    predicted = pd.DataFrame(
        {
            name: predictions_of_folds(rep, moved, name, bases[name], fold, progress)
            for name in names
        }
    )
    table = _scores(sample.outcome, predicted, sample.share, rep.regression.design_of_sample)
    table = table.join(_criteria(rep, fitted, names))
    findings = (*about_rep, *_about(predicted, table))
    return ShapeComparison(rep, rep.indexes[moved], table, predicted, fold, fitted, findings)


def _scores(
    outcome: Floats, predicted: pd.DataFrame, share: Floats, design: SurveyDesign
) -> pd.DataFrame:
    mu = predicted.to_numpy()
    kept = np.clip(mu, _EDGE, 1.0 - _EDGE)
    y, eta = outcome[:, None], np.log(kept) - np.log1p(-kept)
    left = y - mu[:, :1]
    scores = {
        "log_score": (-(y * np.log(kept) + (1.0 - y) * np.log1p(-kept)), left * (eta - eta[:, :1])),
        "brier": ((y - mu) ** 2, 2.0 * left * (mu - mu[:, :1])),
    }
    table = {name: share @ values for name, (values, _) in scores.items()}
    for name, (values, gain) in scores.items():
        mean, se = _paired(values - values[:, :1], share, design)
        added, added_se = _paired(gain, share, design)
        p = t_pvalue(added, added_se, design.df) / 2.0
        table[f"{name}_difference"], table[f"{name}_difference_se"] = mean, se
        table[f"{name}_difference_p"] = np.where(added > 0, p, 1.0 - p)
    return pd.DataFrame(table, index=list(predicted.columns))


def _paired(values: Floats, share: Floats, design: SurveyDesign) -> tuple[Floats, Floats]:
    """Return means over respondents and their errors; NaN for the first, and without an error."""
    mean = share @ values
    se = np.sqrt(design.variance(design.totals(share[:, None] * (values - mean))))
    se[0] = np.nan
    return mean, se if design.df > 0 else np.full(len(se), np.nan)


def _criteria(rep: Repurchase, fitted: dict[str, Shape], names: list[str]) -> pd.DataFrame:
    """Return number of parameters, AIC and BIC of the shapes fitted to all."""
    rows = []
    for name in names:
        if name == LINE:
            regression, extra = rep.regression, 0
        else:
            behind = fitted[name].fitted
            if isinstance(behind, Steps):
                rows.append([np.nan] * 3)
                continue
            regression = (behind.bend if isinstance(behind, Hinge) else behind).regression
            extra = int(isinstance(behind, Hinge))
        sample = regression.sample
        count = len(regression.coefficients) + extra + int(not rep.family.bounded)
        top = _log_likelihood(rep.family, regression.eta, sample.outcome, sample.weights is None)
        rows.append([count, 2 * count - 2 * top, np.log(sample.n) * count - 2 * top])
    return pd.DataFrame(rows, names, ["parameters", "aic", "bic"])


def _log_likelihood(family: Family, eta: Floats, outcome: Floats, unweighted: bool) -> float:
    """Return the log-likelihood; NaN for shares and weighted surveys, which have a quasi one."""
    if not unweighted or family.robust:
        return float("nan")
    if family.bounded:
        return float(likelihood(family, eta, outcome).sum())
    variance = float(((outcome - eta) ** 2).mean())
    return float(-0.5 * len(outcome) * (np.log(2.0 * np.pi * variance) + 1.0))


def _about(predicted: pd.DataFrame, table: pd.DataFrame) -> list[Finding]:
    findings = []
    outside = ((predicted < _EDGE) | (predicted > 1.0 - _EDGE)).sum()
    kept = {str(name): int(count) for name, count in outside.items() if count}
    if kept:
        shapes = tuple(f"{name} ({count})" for name, count in kept.items())
        findings.append(
            Finding(
                "predictions-kept-inside",
                "Predictions at or beyond 0 and 1 were moved to {edge:g} from them for "
                "the log score: {shapes}; the Brier score takes them as they are.",
                tuple(kept),
                "note",
                sum(kept.values()),
                values={"edge": _EDGE, "shapes": shapes},
            )
        )
    if table["aic"].isna().all():
        findings.append(
            Finding(
                "no-likelihood",
                "There is no AIC or BIC: shares and weighted surveys are fitted by a "
                "quasi-likelihood; use the cross-validated scores.",
                severity="note",
            )
        )
    return findings
