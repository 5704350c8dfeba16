"""Answers as points from 0 to 100, and the weights that make an index of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.bounds import BOUNDS
from csimodel.errors import SurveyError
from csimodel.estimators import Quantity, Solution, register
from csimodel.estimators.item_solution import item_model, item_solution
from csimodel.estimators.points import by_block, point_weights, scale_of
from csimodel.estimators.quantities import by_construct, by_item

Floats = NDArray[np.float64]


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
