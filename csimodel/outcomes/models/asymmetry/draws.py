"""The regression on quality below and above expectations in every draw of a bootstrap."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from csimodel.index import IndexDraws
from csimodel.inference import Bootstrap, draws_of, require_draws
from csimodel.outcomes.kernels.kernel import Samples, Standardised, fit_samples
from csimodel.outcomes.kernels.least_squares import WeightedLeastSquares
from csimodel.outcomes.kernels.predictor_kernels import standardised
from csimodel.outcomes.models.asymmetry.sides import sides
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
    own = sample.row_weights
    centre, spread = sample.regressors.mean(axis=0), sample.regressors.std(axis=0)
    b = regression.coefficients
    kernel = (
        standardised(regression.family, b, centre, spread)
        if names[2] is None
        else Standardised(WeightedLeastSquares(len(b)), centre, spread)
    )
    design, usable = bootstrap.design, bootstrap.usable

    def samples() -> Iterator[Samples]:
        for draws, counts in draws_of(
            design, usable, cells=sample.n, what="asymmetric", progress=progress
        ):
            quality, expectations, *outcome = indexes.at(draws)
            columns = [quality, *sides(quality, expectations)]
            weights = counts[:, sample.rows] * own
            yield Samples(draws, columns, weights, outcome or [sample.outcome])

    coefficients = fit_samples(kernel, samples(), len(usable)).solved
    used = int(np.isfinite(coefficients).all(axis=1).sum())
    require_draws(used, len(coefficients), "have a regression", "a simpler regression")
    return coefficients
