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
from csimodel.endings import count_reasons, told_reasons
from csimodel.errors import EstimationError, OptionError
from csimodel.estimators import Fit, Solution, Status, require_alone, require_fit, require_rows
from csimodel.estimators.predictors import effects, predicted_items, score_weights
from csimodel.findings import Finding
from csimodel.inference.draws import about_lost
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
        """Fit all without each fold, in one batch.

        Raises
        ------
        EstimationError
            When there is no solution without any fold.
        """
        answers = fit.require_answers("prediction")
        products = CrossProducts.of(answers)
        parts = []
        for codes in folds:
            units = SurveyDesign.of(len(codes), None, codes)
            parts.append(products.leave_out(units)(np.arange(units.units)))
        moments = Moments.join(parts)
        held_out = cls(fit, folds, fit.estimator.solve(moments, fit.model, fit.estimates))
        total, failed = len(moments.n), held_out.failed
        if failed.sum() == total:
            raise EstimationError(
                f"Without any of the {total} folds the model has a solution "
                f"({', '.join(told_reasons(failed))}), so nothing can be predicted; use more "
                "folds, or a simpler model."
            )
        return held_out

    def errors(self) -> Iterator[tuple[int, PredictionErrors]]:
        """Yield repetitions and errors for some of the respondents in them, each once in each."""
        count = self.folds.max(axis=1) + 1
        owner = np.repeat(np.arange(len(count)), count)
        fold = np.concatenate([np.arange(size) for size in count])
        items = len(self.fit.model.items)
        together = max(1, _CELLS // (4 * items * items))
        for first in range(0, len(owner), together):
            chunk = slice(first, first + together)
            batch = PredictorBatch.of(self.solution[chunk])
            for repetition in np.unique(owner[chunk]).tolist():
                samples = np.flatnonzero(owner[chunk] == repetition)
                for own, rows in _blocks(self.folds[repetition], fold[chunk][samples]):
                    yield repetition, _errors(self.fit, batch, samples[own], rows)

    @cached_property
    def failed(self) -> pd.Series:
        """Number of folds without which there is no solution, by reason."""
        return count_reasons(Status, self.solution.estimates.outcome)

    @property
    def unusable(self) -> bool:
        """Whether so many folds have no solution that nothing is judged from the others."""
        return any(finding.severity == "failure" for finding in self.findings)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader must know: folds that could not be predicted."""
        total, lost = len(self.solution.estimates.outcome), int(self.failed.sum())
        finding = Finding(
            "lost-folds",
            "Without {lost} of {total} folds the model has no solution ({reasons:20}), so "
            "respondents of these folds were not predicted.",
            values={"lost": lost, "total": total, "reasons": told_reasons(self.failed)},
        )
        return about_lost(finding, lost, total)


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
    batch, own = PredictorBatch.of(lifted), np.zeros(1, dtype=np.intp)
    for first in range(0, len(fit.require_answers("prediction").values), _TOGETHER):
        last = min(first + _TOGETHER, len(fit.require_answers("prediction").values))
        yield _errors(fit, batch, own, np.arange(first, last)[None])


def _blocks(codes: Codes, folds: Codes) -> Iterator[tuple[Codes, Codes]]:
    """Yield places among folds of one size, and their respondents, (folds, respondents)."""
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes)
    starts = np.cumsum(sizes) - sizes
    for size in np.unique(sizes[folds]).tolist():
        alike = np.flatnonzero(sizes[folds] == size)
        step = max(1, _TOGETHER // size)
        for first in range(0, len(alike), step):
            own = alike[first : first + step]
            for begin in range(0, size, _TOGETHER):
                part = np.arange(begin, min(begin + _TOGETHER, size))
                yield own, order[starts[folds[own]][:, None] + part]


def _errors(fit: Fit, batch: PredictorBatch, samples: Codes, rows: Codes) -> PredictionErrors:
    """Return the errors for respondents, (samples, any), each by the sample of its row."""
    answers, model = fit.require_answers("prediction"), fit.model
    places = predicted_items(model)
    centred = answers.values[rows] - batch.moments.mean[samples][:, None]
    slopes, weights = batch.slopes[samples], batch.weights[samples]
    known = centred if answers.missing == "complete" else np.nan_to_num(centred)
    items = np.zeros((*rows.shape, 5, len(places)))
    flat = known @ slopes.reshape(*slopes.shape[:2], -1)
    items[:, :, :4] = flat.reshape(*rows.shape, 4, len(places))
    scores = known @ weights
    if answers.missing == "pairwise":
        unknown = np.isnan(centred).astype(np.float64)
        items[:, :, :4][np.tensordot(unknown, inputs_of(model), 1) > 0] = np.nan
        block = np.arange(len(model.constructs)) == model.owner[:, None]
        scores[unknown @ block > 0] = np.nan
    np.subtract(centred[:, :, None, places], items, out=items)
    left = scores[:, :, None] - _predicted_scores(scores, batch.effects[samples])
    every = rows.size
    return PredictionErrors(
        rows.ravel(),
        items.reshape(every, 5, len(places)),
        left.reshape(every, 2, -1),
        scores.reshape(every, -1),
    )


def _predicted_scores(scores: Floats, effects: Floats) -> Floats:
    """Return scores predicted from others, (samples, rows, 2, constructs); NaN of unknown ones."""
    shape = (*scores.shape[:2], *effects.shape[1:3])
    by_score = effects.reshape(len(effects), -1, effects.shape[-1]).swapaxes(-1, -2)
    missing = np.isnan(scores)
    if not missing.any():
        return np.asarray((scores @ by_score).reshape(shape))
    predicted = np.nan_to_num(scores) @ by_score
    predicted[missing.astype(np.float64) @ (by_score != 0) > 0] = np.nan
    return np.asarray(predicted.reshape(shape))


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
    if own.estimator.weighs_responses:
        raise OptionError(
            f"{purpose} predicts answers, and loadings by {own.estimator.label} are of the "
            "responses behind them; fit with correlations='pearson'."
        )
    if "other" in own.estimator.modes_of(own.model):
        raise OptionError(
            f"{purpose} predicts items from scores that are weighted sums of answers, and "
            f"{own.estimator.label} has none; fit with csi.PLS()."
        )
    own.model.require_one_stage(f"{purpose} predicts items of")
    own.require_converged(purpose)
    return own
