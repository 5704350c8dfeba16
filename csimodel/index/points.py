"""Answers as points from 0 to 100, and the weights that make an index of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.bounds import BOUNDS
from csimodel.errors import SurveyError
from csimodel.estimators import Quantity, Solution, register
from csimodel.estimators.item_solution import item_model, item_solution
from csimodel.estimators.quantities import by_construct, by_item
from csimodel.findings import listed
from csimodel.model import Model
from csimodel.moments import Moments

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


POINT_WEIGHTS = Quantity("point_weights", by_item, point_weights, null=None)


def _index(solution: Solution) -> Floats:
    solution = item_solution(solution)
    minimum, width = scale_of(solution.moments)
    mean = solution.moments.mean
    if mean.size and np.isnan(mean).all():
        raise SurveyError(
            "The index needs the items' means; give them to Moments.from_cov(mean=...)."
        )
    points = (mean - minimum) / width * 100.0
    return by_block(solution.model, point_weights(solution) * points)


INDEX = register(
    Quantity(
        "index",
        lambda model: by_construct(item_model(model)),
        _index,
        null=None,
        bounds=(BOUNDS["index"].lower, BOUNDS["index"].upper),
    )
)
