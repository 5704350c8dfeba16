"""The regression on quality below and above expectations in every draw of a bootstrap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.index import IndexDraws
from csimodel.inference import Bootstrap, draws_of, require_draws
from csimodel.outcomes.kernels.glm import Ending, regress_draws
from csimodel.outcomes.models.regression import Regression

Floats = NDArray[np.float64]


def coefficients_of_draws(
    bootstrap: Bootstrap,
    regression: Regression,
    names: tuple[str, str, str | None],
    progress: bool,
) -> Floats:
    """Return the coefficients of each draw, NaN where lost, (draws, 4).

    Parameters
    ----------
    bootstrap
        The draws.
    regression
        The regression in the sample.
    names
        Quality, expectations, and the outcome if it is an index.
    progress
        Whether to show a bar when it takes longer than a second.

    Raises
    ------
    InferenceError
        When fewer than 20 draws are usable.
    """
    sample = regression.sample
    indexes = IndexDraws.of(bootstrap, [name for name in names if name], sample.rows)
    own = np.ones(sample.n) if sample.weights is None else sample.weights
    centre, spread = sample.regressors.mean(axis=0), sample.regressors.std(axis=0)
    b = regression.coefficients
    start = np.append(b[0] + b[1:] @ centre, b[1:] * spread)
    coefficients = np.full((len(bootstrap.usable), len(b)), np.nan)
    drawn = draws_of(
        bootstrap.design, bootstrap.usable, cells=sample.n, what="asymmetric", progress=progress
    )
    for draws, counts in drawn:
        weights = counts[:, sample.rows] * own
        quality, expectations, *outcome = indexes.at(draws)
        gap = quality - expectations
        columns = [quality, np.minimum(gap, 0.0), np.maximum(gap, 0.0)]
        standard = [(x - m) / s for x, m, s in zip(columns, centre, spread, strict=True)]
        if outcome:
            coefficients[draws] = _least_squares(outcome[0], standard, weights)
        else:
            fitted = regress_draws(regression.family, sample.outcome, standard, weights, start)
            fitted.coefficients[fitted.ending != Ending.CONVERGED] = np.nan
            coefficients[draws] = fitted.coefficients
    coefficients[:, 1:] /= spread
    coefficients[:, 0] -= coefficients[:, 1:] @ centre
    used = int(np.isfinite(coefficients).all(axis=1).sum())
    require_draws(used, len(coefficients), "have a regression", "a simpler regression")
    return coefficients


def _least_squares(outcome: Floats, regressors: list[Floats], weights: Floats) -> Floats:
    """Return weighted least squares of each draw's own outcome, (draws, terms)."""
    X = np.stack([np.ones(weights.shape), *regressors], axis=2)
    weighted = X * weights[:, :, None]
    normal = np.einsum("dci,dcj->dij", weighted, X)
    right = np.einsum("dci,dc->di", weighted, outcome)
    found = np.full(right.shape, np.nan)
    # A draw in which nobody lies on one side has no effect there.
    scale = np.sqrt(np.diagonal(normal, axis1=1, axis2=2))
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = normal / (scale[:, :, None] * scale[:, None, :])
    regular = np.isfinite(unit).all(axis=(1, 2))
    regular[regular] = np.linalg.det(unit[regular]) > 1e-13
    solved = np.linalg.solve(unit[regular], (right[regular] / scale[regular])[:, :, None])
    found[regular] = solved[:, :, 0] / scale[regular]
    return found
