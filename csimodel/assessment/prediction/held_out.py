"""Fits without each fold, made in one batch from moments, and errors of what they predict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.assessment.prediction.benchmarks import inputs_of, slopes_of
from csimodel.endings import count_reasons
from csimodel.errors import EstimationError, OptionError
from csimodel.estimators import Fit, Solution, Status, require_alone, require_fit, require_rows
from csimodel.estimators.predictors import effects, predicted_items, score_weights
from csimodel.findings import Finding
from csimodel.inference.draws import loss_severity
from csimodel.moments import CrossProducts, Moments
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_TOGETHER = 4096  # rows predicted together
_CELLS = 2**22  # slopes made together


class PredictionErrors(NamedTuple):
    """What some respondents answered less what was predicted.

    Attributes
    ----------
    rows
        Their places among the respondents of the fit, (rows,).
    items
        (rows, methods, items predicted), in scale units; NaN without a prediction or an answer.
    scores
        (rows, 2, constructs) by the path model, in standard deviations of the score.
    zero
        Their own scores, which are errors of the average, (rows, constructs).
    """

    rows: Codes
    items: Floats
    scores: Floats
    zero: Floats


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Fits without each fold.

    Attributes
    ----------
    fit
        The fit to all respondents.
    folds
        Fold of each respondent, codes 0, 1, …, (repetitions, rows).
    solution
        A sample for each fold of each repetition, in this order.
    """

    fit: Fit
    folds: Codes
    solution: Solution

    @classmethod
    def of(cls, fit: Fit, folds: Codes) -> HeldOut:
        """Fit all without each fold, in one batch."""
        answers = fit.require_answers("prediction")
        products = CrossProducts.of(answers)
        parts = []
        for codes in folds:
            units = SurveyDesign.of(len(codes), None, codes)
            parts.append(products.leave_out(units)(np.arange(units.units)))
        moments = Moments.join(parts)
        return cls(fit, folds, fit.estimator.solve(moments, fit.model, fit.estimates))

    def errors(self) -> Iterator[tuple[int, PredictionErrors]]:
        """Yield the repetition and the errors for respondents of a fold, a fold after another."""
        sample = 0
        for repetition, codes in enumerate(self.folds):
            order = np.argsort(codes, kind="stable")
            ends = np.cumsum(np.bincount(codes))
            for first, chunk in self._chunks(sample, len(ends)):
                for own in range(len(chunk.moments.n)):
                    fold = first + own
                    rows = order[ends[fold - 1] if fold else 0 : ends[fold]]
                    for errors in _errors(self.fit, chunk, own, rows):
                        yield repetition, errors
            sample += len(ends)

    def _chunks(self, sample: int, folds: int) -> Iterator[tuple[int, PredictorBatch]]:
        items = len(self.fit.model.items)
        together = max(1, _CELLS // (4 * items * items))
        for first in range(0, folds, together):
            last = min(first + together, folds)
            yield first, PredictorBatch.of(self.solution[slice(sample + first, sample + last)])

    @cached_property
    def failed(self) -> pd.Series:
        """Number of folds without which there is no solution, by reason."""
        return count_reasons(Status, self.solution.estimates.outcome)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader must know: folds that could not be predicted.

        Raises
        ------
        EstimationError
            When no fold could be.
        """
        total, lost = len(self.solution.estimates.outcome), int(self.failed.sum())
        if not lost:
            return ()
        reasons = tuple(f"{count} {reason}" for reason, count in self.failed.items())
        if lost == total:
            raise EstimationError(
                f"Without any of the {total} folds the model has a solution "
                f"({', '.join(reasons)}), so nothing can be predicted; use more folds, or a "
                "simpler model."
            )
        return (
            Finding(
                "lost-folds",
                "Without {lost} of {total} folds the model has no solution ({reasons:20}), so "
                "respondents of these folds were not predicted.",
                severity=loss_severity(lost, total),
                count=lost,
                values={"lost": lost, "total": total, "reasons": reasons},
            ),
        )


class PredictorBatch(NamedTuple):
    """What predicts, for a batch of samples."""

    moments: Moments
    slopes: Floats  # (samples, items, 4, items predicted)
    weights: Floats  # (samples, items, constructs)
    effects: Floats  # (samples, 2, constructs, constructs)

    @classmethod
    def of(cls, solution: Solution) -> PredictorBatch:
        """Make it from fits."""
        both = [effects(solution, "direct"), effects(solution, "earliest")]
        return cls(
            solution.moments, slopes_of(solution), score_weights(solution), np.stack(both, axis=1)
        )


def errors_in_sample(fit: Fit) -> Iterator[PredictionErrors]:
    """Yield the errors for the respondents that a fit was made from."""
    solution = fit.solution
    alone = {name: np.asarray(own)[None] for name, own in solution.estimates.arrays.items()}
    lifted = replace(
        solution,
        moments=solution.moments.lifted(),
        estimates=replace(solution.estimates, **alone),
    )
    rows = np.arange(len(fit.require_answers("prediction").values))
    yield from _errors(fit, PredictorBatch.of(lifted), 0, rows)


def _errors(
    fit: Fit, batch: PredictorBatch, sample: int, rows: Codes
) -> Iterator[PredictionErrors]:
    """Yield the errors for some respondents by one of the samples."""
    answers, model = fit.require_answers("prediction"), fit.model
    places, mean = predicted_items(model), batch.moments.mean[sample]
    slopes = batch.slopes[sample]
    for first in range(0, len(rows), _TOGETHER):
        own = rows[first : first + _TOGETHER]
        centred = answers.values[own] - mean
        truth = centred[:, places]
        items = np.empty((len(own), 5, len(places)))
        if answers.missing == "complete":
            items[:, :4] = np.tensordot(centred, slopes, 1)
            scores = centred @ batch.weights[sample]
        else:
            known = np.nan_to_num(centred)
            items[:, :4] = np.tensordot(known, slopes, 1)
            scores = known @ batch.weights[sample]
            if answers.missing == "pairwise":
                unknown = np.isnan(centred).astype(np.float64)
                items[:, :4][np.tensordot(unknown, inputs_of(model), 1) > 0] = np.nan
                block = np.arange(len(model.constructs)) == model.owner[:, None]
                scores[unknown @ block > 0] = np.nan
        items[:, 4] = 0.0
        np.subtract(truth[:, None], items, out=items)
        predicted = _predicted_scores(scores, batch.effects[sample])
        yield PredictionErrors(own, items, scores[:, None] - predicted, scores)


def _predicted_scores(scores: Floats, effects: Floats) -> Floats:
    """Return scores predicted from others, (rows, 2, constructs); NaN where one is needed."""
    known = np.nan_to_num(scores)
    predicted = np.asarray(np.einsum("rs,kts->rkt", known, effects))
    missing = np.isnan(scores)
    if missing.any():
        needed = np.einsum("rs,kts->rkt", missing.astype(np.float64), (effects != 0) * 1.0)
        predicted[needed > 0] = np.nan
    return predicted


def require_predictive(fit: object, purpose: str, option: str = "fit") -> Fit:
    """Return a fit whose scores predict items of respondents that it does not know.

    Raises
    ------
    OptionError, ModelError, SurveyError, EstimationError
        For fits that do not, with the way out.
    """
    own = require_fit(fit, purpose, option)
    answers = own.require_answers(purpose)
    require_alone(own, purpose)
    require_rows(answers)
    if "other" in own.estimator.modes_of(own.model) or own.moments.responses is not None:
        raise OptionError(
            f"{purpose} predicts items from scores that are weighted sums of answers, and "
            f"{own.estimator.label} has none; fit with csi.PLS()."
        )
    own.model.require_one_stage(f"{purpose} predicts items of")
    own.require_converged(purpose)
    return own
