"""`predict`: how well a fit predicts respondents that it was not made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked, checked_in
from csimodel.assessment.prediction.benchmarks import METHODS, Method, method_of
from csimodel.assessment.prediction.held_out import (
    HeldOut,
    PredictionErrors,
    errors_in_sample,
    require_predictive,
)
from csimodel.assessment.prediction.losses import LossSums
from csimodel.assessment.prediction.power import judge_power
from csimodel.assessment.verdicts import Verdict, as_table
from csimodel.errors import choose
from csimodel.estimators import Fit
from csimodel.estimators.predictors import TECHNIQUES, Technique, predicted_items
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.inference.folds import folds_of
from csimodel.page import HasPage, Page, Section

Floats = NDArray[np.float64]


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Prediction(HasPage):
    """Errors of predictions of respondents who were held out; made by `predict`.

    Attributes
    ----------
    fit
        Whose model predicts.
    held_out
        The fits without each fold.
    technique, benchmark
        Which antecedents predict, in the path model and in the linear benchmark.
    metric
        What the verdicts compare.
    items
        Sums of losses of items held out, by `compared`.
    scores, in_sample
        Of scores held out, and of items of the respondents fitted, by the path model.
    """

    fit: Fit
    held_out: HeldOut
    technique: Technique
    benchmark: Technique
    metric: Literal["rmse", "mae"]
    items: LossSums
    scores: LossSums
    in_sample: LossSums

    @property
    def compared(self) -> tuple[Method, ...]:
        """The path model, the linear benchmark and the average, by the techniques chosen."""
        return _compared(self.technique, self.benchmark)

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row an item that the model predicts.

        Columns construct; rmse, mae and q2_predict of the path model; rmse_lm and mae_lm of the
        linear benchmark; rmse_average and mae_average of the means of the respondents not held out;
        rmse_in_sample, of the respondents that the fit was made from; overfit, ``rmse /
        rmse_in_sample - 1``; predictions, how many there are. In scale units.
        """
        own, inside = self.items, self.in_sample.rmse[0]
        pls, lm, average = range(len(self.compared))
        rmse, mae, model = own.rmse, own.mae, self.fit.model
        lost = own.cells[lm] < own.cells[pls]  # of other respondents, so not to be compared
        places = predicted_items(model)
        with np.errstate(invalid="ignore", divide="ignore"):
            columns = {
                "construct": [model.construct_names[j] for j in model.owner[places]],
                "rmse": rmse[pls],
                "mae": mae[pls],
                "q2_predict": own.q2[pls],
                "rmse_lm": np.where(lost, np.nan, rmse[lm]),
                "mae_lm": np.where(lost, np.nan, mae[lm]),
                "rmse_average": rmse[average],
                "mae_average": mae[average],
                "rmse_in_sample": inside,
                "overfit": rmse[pls] / inside - 1.0,
                "predictions": own.cells[pls].astype(np.intp),
            }
        return pd.DataFrame(columns, pd.Index([model.items[i] for i in places], name="item"))

    @cached_property
    def methods(self) -> pd.DataFrame:
        """A row a method and item: rmse, mae, q2_predict and predictions.

        Methods are the path model from direct and from earliest antecedents, least squares on the
        items of the same constructs, and the average.
        """
        names = [str(item) for item in self.table.index]
        index = pd.MultiIndex.from_product([METHODS, names], names=["method", "item"])
        own, _ = _sums(self.fit, self.held_out.errors(METHODS), len(METHODS))
        columns = {"rmse": own.rmse, "mae": own.mae, "q2_predict": own.q2}
        table = pd.DataFrame({name: values.ravel() for name, values in columns.items()}, index)
        return table.assign(predictions=own.cells.ravel().astype(np.intp))

    @cached_property
    def constructs(self) -> pd.DataFrame:
        """A row a construct that the model predicts.

        Columns q2_predict, rmse and mae of its score, in standard deviations, where the truth is
        the respondent's own score by the weights of the fit without them; items; better, how many
        of them are predicted better than by their averages and by the linear benchmark; verdict.
        """
        own = self.scores
        model = self.fit.model
        places = np.flatnonzero(model.adjacency.any(axis=1))
        verdicts = self.judgements
        return pd.DataFrame(
            {
                "q2_predict": own.q2[0, places],
                "rmse": own.rmse[0, places],
                "mae": own.mae[0, places],
                "items": [verdict.values["items"] for verdict in verdicts],
                "better": [verdict.values["better"] for verdict in verdicts],
                "verdict": [verdict.verdict for verdict in verdicts],
            },
            pd.Index([model.construct_names[j] for j in places], name="construct"),
        )

    @cached_property
    def judgements(self) -> tuple[Verdict, ...]:
        """A verdict on the predictive power of each construct."""
        return tuple(judge_power(self.table, self.metric, self.held_out.unusable))

    @property
    def verdicts(self) -> pd.DataFrame:
        """The verdicts with thresholds, sources and sentences, a row each."""
        return as_table(self.judgements)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader must know: folds lost, benchmarks that there are not."""
        without = self.table.index[self.table["rmse_lm"].isna() & self.table["rmse"].notna()]
        findings = list(self.held_out.findings)
        if len(without):
            names = tuple(map(str, without))
            findings.append(
                Finding(
                    "no-linear-benchmark",
                    "Without some folds the items of the antecedents carry the same information, "
                    "or there are too few respondents for so many, so that there is no linear "
                    "benchmark for {items:12}.",
                    names,
                    "warning",
                    len(names),
                    values={"items": names},
                )
            )
        return tuple(findings)

    def predictions(self, method: str | None = None) -> pd.DataFrame:
        """Return what was predicted, respondents × items, in scale units.

        The mean over repetitions; NaN where there is no prediction, or no answer.

        Parameters
        ----------
        method
            ``"pls-direct"``, ``"pls-earliest"``, ``"lm-direct"``, ``"lm-earliest"`` or
            ``"average"``; by default the path model by the technique of the result.
        """
        own = self.compared[0]
        if method is not None:
            own = METHODS[METHODS.index(choose("method", method, METHODS))]
        places = predicted_items(self.fit.model)
        truth = self.fit.require_answers("predictions").values[:, places]
        total = np.zeros(truth.shape)
        for errors in self.held_out.errors((own,)):
            errors.add(truth[errors.rows] - errors.items[:, 0], total)
        return pd.DataFrame(
            total / len(self.held_out.folds), self.fit.respondents, list(self.table.index)
        )

    @property
    def page(self) -> Page:
        """Errors and verdicts on a page."""
        folds = self.held_out.folds
        fit = self.fit
        shown = ["construct", "rmse", "mae", "q2_predict", "rmse_lm", "mae_lm", "rmse_average",
                 "rmse_in_sample"]  # fmt: skip
        return Page(
            text(
                "Prediction of {name} by {label}",
                name=fit.model.name or text("the model"),
                label=fit.estimator.label,
            ),
            facts=(
                text(
                    "{respondents:,} respondents in {folds} folds, repetitions: {repetitions}",
                    respondents=len(folds[0]),
                    folds=int(folds[0].max()) + 1,
                    repetitions=len(folds),
                ),
                text(
                    "Predicted from {technique} antecedents; linear benchmark on items "
                    "of {benchmark} antecedents; compared by {upper}",
                    technique=self.technique,
                    benchmark=self.benchmark,
                    upper=self.metric.upper(),
                ),
            ),
            findings=(*fit.diagnostics, *self.findings),
            clean="",
            points=tuple((verdict.verdict, verdict.sentence) for verdict in self.judgements),
            sections=(
                Section(text("Items"), self.table[shown], decimals=3),
                Section(text("Scores of constructs"), self.constructs, decimals=3),
            ),
        )


@own_errstate
@checked
def predict(
    fit: Fit,
    folds: int | ArrayLike = 10,
    repetitions: int = 10,
    rng: int | np.random.Generator | None = 0,
    *,
    technique: Literal["direct", "earliest"] = "direct",
    benchmark: Literal["direct", "earliest"] | None = None,
    metric: Literal["rmse", "mae"] = "rmse",
) -> Prediction:
    """Predict items of respondents who were held out (PLSpredict).

    Respondents are divided into folds; the model is fitted without each fold, and predicts the
    items of its endogenous constructs from the answers of the respondents held out. Answers are
    standardised by the means and standard deviations of the respondents fitted, a score is
    predicted from scores of antecedents by the paths, an item is its mean plus loading times
    standard deviation times the predicted score. All folds of all repetitions are moments of the
    sample less those of the fold, fitted in one batch.

    Parameters
    ----------
    fit
        By PLS, of a survey or data frame.
    folds
        Number of folds; or the fold of each respondent, one column for each repetition.
    repetitions
        How often respondents are divided anew.
    rng
        Seed or Generator of the division.
    technique
        ``"direct"``: from the respondent's scores of direct antecedents; ``"earliest"``: from
        exogenous constructs only, by their total effects.
    benchmark
        Items of which antecedents the linear benchmark regresses on; by default as `technique`,
        so that both know the same.
    metric
        What verdicts compare; ``"mae"`` where errors are very skewed.

    Raises
    ------
    OptionError
        For folds that are none, and fits of which scores are no weighted sums of answers.
    ModelError
        For models with products or constructs of constructs.
    SurveyError
        When the fit was made from moments.
    EstimationError
        When there is no solution, in all respondents or without any fold.

    Notes
    -----
    ``Q²predict = 1 - Σ (x - x̂)²/Σ (x - x̄)²``, x̄ the mean of the respondents not held out. Squared
    errors are averaged over repetitions, so that they are those of one fit, as it will be used;
    predictions averaged over repetitions before would have smaller errors. Survey weights count in
    fits and errors. Clusters are held out whole. Missing answers are treated as in the fit: under
    ``missing="mean"`` they count as the mean of the respondents fitted, under ``"pairwise"`` there
    is no prediction from them; what was not answered is not compared.
    An item counts as predicted where ``Q²predict > 0`` and its error is smaller than that of the
    linear benchmark.

    References
    ----------
    Shmueli, G., Sarstedt, M., Hair, J. F., Cheah, J.-H., Ting, H., Vaithilingam, S., Ringle, C. M.
    (2019). Predictive model assessment in PLS-SEM: guidelines for using PLSpredict. European
    Journal of Marketing 53, 2322-2347. https://doi.org/10.1108/EJM-02-2019-0189

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> prediction = csi.predict(fit, folds=10, repetitions=10, rng=1)
    >>> prediction.table["q2_predict"].loc[["CUSA1", "CUSL2"]].round(2).tolist()
    [0.42, 0.01]
    >>> prediction.constructs["verdict"].loc["Expectation"]
    'high'
    """
    own = require_predictive(fit, "predict")
    choose("technique", technique, TECHNIQUES)
    held_out = HeldOut.of(own, folds_of(own, folds, repetitions, rng, "predict"))
    against: Technique = technique if benchmark is None else benchmark
    methods = _compared(technique, against)
    items, scores = _sums(own, held_out.errors(methods, technique), len(methods))
    in_sample, _ = _sums(own, errors_in_sample(own, methods[:1]), 1)
    return Prediction(own, held_out, technique, against, metric, items, scores, in_sample)


def _compared(technique: Technique, benchmark: Technique) -> tuple[Method, ...]:
    """Return the path model, the linear benchmark and the average."""
    return method_of("pls", technique), method_of("lm", benchmark), "average"


def _sums(fit: Fit, errors: Iterator[PredictionErrors], methods: int) -> tuple[LossSums, LossSums]:
    """Return sums of losses of items, by method, and of scores."""
    answers, constructs = fit.require_answers("predict"), len(fit.model.constructs)
    weights = answers.row_weights
    items = LossSums.of(methods, len(predicted_items(fit.model)))
    scores = LossSums.of(1, constructs)
    for part in errors:
        own = weights[part.rows]
        items.add(part.items, part.average, own)
        scores.add(part.scores[:, None], part.zero, own)
    return items, scores
