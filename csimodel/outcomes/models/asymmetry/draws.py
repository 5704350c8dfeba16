"""The regression on quality below and above expectations in every draw of a bootstrap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import InferenceError
from csimodel.index import point_weights, respondent_points, scale_of
from csimodel.inference import Bootstrap, progress_bar
from csimodel.outcomes.kernels.glm import Ending, regress_draws
from csimodel.outcomes.models.regression import Regression

Floats = NDArray[np.float64]

_TOGETHER = 2**16
_FEWEST = 20


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
    fit, sample = bootstrap.fit, regression.sample
    answers = fit.require_answers("whole-chain intervals")
    model = fit.model
    minimum, width = scale_of(fit.moments)
    points = respondent_points(answers, fit.moments)[sample.rows]
    seen = ~np.isnan(answers.values[sample.rows])
    points = np.where(seen, points, 0.0)
    blocks = [model.slices[model.construct_names.index(name)] for name in names if name]
    own = np.ones(sample.n) if sample.weights is None else sample.weights
    centre, spread = sample.regressors.mean(axis=0), sample.regressors.std(axis=0)
    b = regression.coefficients
    start = np.append(b[0] + b[1:] @ centre, b[1:] * spread)
    every = point_weights(bootstrap.solution)
    means = (bootstrap.solution.moments.mean - minimum) / width * 100.0
    found = np.full((len(bootstrap.usable), len(b)), np.nan)
    together = max(1, _TOGETHER // sample.n)
    with progress_bar(int(bootstrap.usable.sum()), "asymmetric", progress) as bar:
        for block in range(bootstrap.design.blocks):
            span, counts = bootstrap.design.span(block), bootstrap.design.counts(block)
            usable = np.flatnonzero(bootstrap.usable[span])
            for first in range(0, len(usable), together):
                some = usable[first : first + together]
                draws = some + span.start
                weights = counts[some][:, sample.rows] * own
                made = [
                    every[draws][:, s] @ points[:, s].T
                    + (every[draws][:, s] * means[draws][:, s]) @ (~seen[:, s]).T
                    for s in blocks
                ]
                gap = made[0] - made[1]
                columns = [made[0], np.minimum(gap, 0.0), np.maximum(gap, 0.0)]
                standard = [(x - m) / s for x, m, s in zip(columns, centre, spread, strict=True)]
                if len(made) == 3:
                    found[draws] = _least_squares(made[2], standard, weights)
                else:
                    fitted = regress_draws(
                        regression.family, sample.outcome, standard, weights, start
                    )
                    fitted.coefficients[fitted.ending != Ending.CONVERGED] = np.nan
                    found[draws] = fitted.coefficients
                bar.update(len(some))
    found[:, 1:] /= spread
    found[:, 0] -= found[:, 1:] @ centre
    used = int(np.isfinite(found).all(axis=1).sum())
    if used < _FEWEST:
        raise InferenceError(
            f"Only {used} of {len(found)} draws have a regression, and intervals need at least "
            f"{_FEWEST}; take more draws or a simpler regression."
        )
    return found


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
