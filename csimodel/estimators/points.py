"""Answers as points from 0 to 100, and the weights that make an index of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import SurveyError
from csimodel.estimators.solution import Solution
from csimodel.findings import listed
from csimodel.model import Model
from csimodel.moments import Moments
from csimodel.survey import Answers

Floats = NDArray[np.float64]


def scale_of(moments: Moments) -> tuple[Floats, Floats]:
    """Return each item's lowest answer and the width of its scale, (items,).

    Raises
    ------
    SurveyError
        When bounds are unknown or empty.
    """
    width = moments.maximum - moments.minimum
    unknown = [item for item, w in zip(moments.items, width, strict=True) if not w > 0]
    if unknown:
        raise SurveyError(
            f"The index needs the scale of {listed(unknown)}; give the lowest and highest answer "
            "in the codebook, or as read_survey(..., scale=(1, 10))."
        )
    return moments.minimum, width


def point_weights(solution: Solution) -> Floats:
    """Return what each item's points count in its construct's index, (..., items).

    ``vᵢ rangeᵢ / Σ vₖ rangeₖ`` with ``vᵢ = wᵢ/sᵢ``; the unstandardised weights themselves where the
    items of a construct share one scale.
    """
    solution.model.require_one_stage("Weights of points are of")
    _, width = scale_of(solution.moments)
    raw = solution.index_weights * width
    sums = by_block(solution.model, raw)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(raw / sums[..., solution.model.owner])


def by_block(model: Model, values: Floats) -> Floats:
    """Sum item values within constructs, (..., items) to (..., constructs)."""
    return np.stack([values[..., block].sum(axis=-1) for block in model.slices], axis=-1)


def respondent_points(answers: Answers, moments: Moments) -> Floats:
    """Return every answer on 0 to 100, (rows, items); the mean's points under ``"mean"``."""
    minimum, width = scale_of(moments)
    values = answers.values
    if answers.missing == "mean":
        values = np.where(np.isnan(values), moments.mean, values)
    return np.asarray((values - minimum) / width * 100.0)


def index_of_answers(solution: Solution, answers: Answers) -> Floats:
    """Return every respondent's index, (rows, constructs), of a solution of items alone."""
    points = respondent_points(answers, solution.moments) * point_weights(solution)
    return by_block(solution.model, points)
