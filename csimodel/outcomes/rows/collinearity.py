"""Regressors that an exact formula ties together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import EstimationError
from csimodel.findings import listed

Floats = NDArray[np.float64]

_NOTHING = 1e-9  # of the largest singular value
_SHARE = 1e-5  # of a direction: a regressor with less has no part in it


def require_independent(columns: Floats, names: Sequence[str]) -> None:
    """Refuse regressors, (rows, regressors), of mean 0 and size 1, that are tied to each other.

    Raises
    ------
    EstimationError
        Naming those that the formula holds.

    Examples
    --------
    >>> require_independent(np.array([[1.0, -1.0], [-1.0, 1.0]]), ["age", "born"])
    Traceback (most recent call last):
    csimodel.errors.EstimationError: Regressors 'age' and 'born' are tied by an exact formula, so \
their slopes cannot be told apart; leave one out.
    """
    _, size, directions = np.linalg.svd(np.linalg.qr(columns, mode="r"), full_matrices=False)
    if size[-1] < _NOTHING * size[0]:
        tied = [name for name, d in zip(names, directions[-1], strict=True) if abs(d) > _SHARE]
        raise EstimationError(
            f"Regressors {listed(map(repr, tied))} are tied by an exact formula, so their slopes "
            "cannot be told apart; leave one out."
        )
