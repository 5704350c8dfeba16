"""Fits without each fold, made in one batch from moments, and errors of what they predict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.assessment.prediction.benchmarks import Method, inputs_of, slopes_of
from csimodel.endings import count_reasons, told_reasons
from csimodel.errors import EstimationError, OptionError
from csimodel.estimators import Fit, Solution, Status, require_alone, require_fit, require_rows
from csimodel.estimators.predictors import Technique, effects, predicted_items, score_weights
from csimodel.findings import Finding
from csimodel.inference.draws import about_lost
from csimodel.moments import CrossProducts, Moments

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_TOGETHER = 4096  # rows predicted together
_CELLS = 2**22  # slopes made together


class PredictionErrors(NamedTuple):
    """What some respondents answered less what was predicted, one row a prediction.

    Attributes
    ----------
    rows
        Their places among the respondents of the fit, (rows,); one may have several.
    items
        (rows, methods, items predicted), in scale units; NaN without a prediction or an answer.
    average
        Those of the average, (rows, items predicted).
    scores
        (rows, constructs) by the path model, in standard deviations of the score.
    zero
        Their own scores, which are errors of the average, (rows, constructs).
    """

    rows: Codes
    items: Floats
    average: Floats
    scores: Floats
    zero: Floats

    def add(self, values: Floats, totals: Floats) -> None:
        """Add values, (rows, ...), to the totals of their respondents, in place."""
        order = np.argsort(self.rows, kind="stable")
        ordered = self.rows[order]
        starts = np.flatnonzero(np.diff(ordered, prepend=-1))
        totals[ordered[starts]] += np.add.reduceat(values[order], starts, axis=0)


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
        moments = CrossProducts.of(answers).without_folds(folds)
        held_out = cls(fit, folds, fit.estimator.solve(moments, fit.model, fit.estimates))
        total, failed = len(moments.n), held_out.failed
        if failed.sum() == total:
            raise EstimationError(
                f"Without any of the {total} folds the model has a solution "
                f"({', '.join(told_reasons(failed))}), so nothing can be predicted; use more "
                "folds, or a simpler model."
            )
        return held_out

    def errors(
        self, methods: Sequence[Method], technique: Technique = "direct"
    ) -> Iterator[PredictionErrors]:
        """Yield errors for respondents, each once in every repetition.

        Parameters
        ----------
        methods
            What predicts items.
        technique
            Which antecedents predict scores.
        """
        rows = np.concatenate([np.argsort(codes, kind="stable") for codes in self.folds])
        sizes = np.concatenate([np.bincount(codes) for codes in self.folds])
        held = _HeldRows(rows, np.cumsum(sizes) - sizes, sizes)
        together = max(1, _CELLS // (len(methods) * len(self.fit.model.items) ** 2))
        for first in range(0, len(sizes), together):
            chunk = slice(first, first + together)
            batch = PredictorBatch.of(self.solution[chunk], methods, technique)
            for own, rows in held.blocks(chunk):
                yield _errors(self.fit, batch, own, rows)

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
    methods: Sequence[Method]
    slopes: Floats  # (samples, items, methods, items predicted)
    weights: Floats  # (samples, items, constructs)
    effects: Floats  # (samples, constructs, constructs)

    @classmethod
    def of(
        cls, solution: Solution, methods: Sequence[Method], technique: Technique
    ) -> PredictorBatch:
        """Make it from fits."""
        return cls(
            solution.moments,
            methods,
            slopes_of(solution, methods),
            score_weights(solution),
            effects(solution, technique),
        )


def errors_in_sample(
    fit: Fit, methods: Sequence[Method], technique: Technique = "direct"
) -> Iterator[PredictionErrors]:
    """Yield the errors for the respondents that a fit was made from."""
    solution = fit.solution
    alone = {name: np.asarray(own)[None] for name, own in solution.estimates.arrays.items()}
    lifted = replace(
        solution,
        moments=solution.moments.lifted(),
        estimates=replace(solution.estimates, **alone),
    )
    batch, own = PredictorBatch.of(lifted, methods, technique), np.zeros(1, dtype=np.intp)
    for first in range(0, len(fit.require_answers("prediction").values), _TOGETHER):
        last = min(first + _TOGETHER, len(fit.require_answers("prediction").values))
        yield _errors(fit, batch, own, np.arange(first, last)[None])


class _HeldRows(NamedTuple):
    """The respondents of each fold, fold after fold, where they begin, and how many there are."""

    rows: Codes
    starts: Codes
    sizes: Codes

    def blocks(self, folds: slice) -> Iterator[tuple[Codes | slice, Codes]]:
        """Yield places among some folds, of one size, and their respondents, (folds, any)."""
        starts, sizes = self.starts[folds], self.sizes[folds]
        for size in np.unique(sizes).tolist():
            alike = np.flatnonzero(sizes == size)
            step = max(1, _TOGETHER // size)
            for first in range(0, len(alike), step):
                own = alike[first : first + step]
                for begin in range(0, size, _TOGETHER):
                    part = np.arange(begin, min(begin + _TOGETHER, size))
                    yield _run(own), self.rows[starts[own][:, None] + part]


def _run(places: Codes) -> Codes | slice:
    """Return places that follow one another as a slice, which saves copies of what they choose."""
    first, last = int(places[0]), int(places[-1])
    return slice(first, last + 1) if last - first + 1 == len(places) else places


def _errors(
    fit: Fit, batch: PredictorBatch, samples: Codes | slice, rows: Codes
) -> PredictionErrors:
    """Return the errors for respondents, (samples, any), each by the sample of its row."""
    answers, model = fit.require_answers("prediction"), fit.model
    places = predicted_items(model)
    centred = answers.values[rows] - batch.moments.mean[samples][:, None]
    slopes, weights = batch.slopes[samples], batch.weights[samples]
    known = centred if answers.missing == "complete" else np.nan_to_num(centred)
    items = (known @ slopes.reshape(*slopes.shape[:2], -1)).reshape(*rows.shape, *slopes.shape[2:])
    scores = known @ weights
    if answers.missing == "pairwise":
        unknown = np.isnan(centred).astype(np.float64)
        items[np.tensordot(unknown, inputs_of(model, batch.methods), 1) > 0] = np.nan
        block = np.arange(len(model.constructs)) == model.owner[:, None]
        scores[unknown @ block > 0] = np.nan
    average = centred[..., places]
    np.subtract(average[:, :, None], items, out=items)
    left = scores - _predicted_scores(scores, batch.effects[samples])
    every = rows.size
    return PredictionErrors(
        rows.ravel(),
        items.reshape(every, *items.shape[2:]),
        average.reshape(every, -1),
        left.reshape(every, -1),
        scores.reshape(every, -1),
    )


def _predicted_scores(scores: Floats, effects: Floats) -> Floats:
    """Return scores predicted from others, (samples, rows, constructs); NaN of unknown ones."""
    by_score, missing = np.swapaxes(effects, -1, -2), np.isnan(scores)
    predicted = np.nan_to_num(scores) @ by_score
    if missing.any():
        predicted[missing.astype(np.float64) @ (by_score != 0) > 0] = np.nan
    return np.asarray(predicted)


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
