"""Whether a straight effect bends anywhere, when nobody says where."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.outcomes.kernels.wald import outcome_of_test
from csimodel.outcomes.models.regression import Regression

Floats = NDArray[np.float64]

_TOGETHER = 64  # draws whose multipliers are made together


def multiplier_test(
    regression: Regression, moved: int, grid: Floats, draws: int, seed: int
) -> pd.Series:
    """Test a straight effect against a hinge whose threshold is not known.

    The threshold is not identified when the effect is straight, so the largest of the score
    statistics over the thresholds γ has no tabled distribution. With u the scores and w the
    information of the straight regression, ``T(γ) = (Σ h̃ᵢ(γ) uᵢ)² / (φ Σ wᵢ h̃ᵢ(γ)²)``, where h̃
    is ``max(x - γ, 0)`` less its weighted projection on the regressors and φ the dispersion; and
    ``T*(γ)`` the same with u times random signs, one for each respondent (or cluster). The p-value
    is the share of draws with ``max T* ≥ max T``. It is robust, as the draws have the variance of
    the scores as they are; to divide by that variance instead would reject too often with answers
    of 0 and 1. The straight regression is all it needs. With linearized errors the multipliers are
    those of the sampling design (`SurveyDesign.multipliers`), times ``√(d/χ²_d)`` with its d
    degrees of freedom, which makes T* one of t; with few strata of two clusters the test is
    cautious.

    References
    ----------
    Hansen, B. E. (1996). Inference when a nuisance parameter is not identified under the null
    hypothesis. Econometrica 64, 413-430. https://doi.org/10.2307/2171789
    """
    scores = regression.scores
    h = scores.beyond(np.maximum(regression.sample.regressors[:, moved, None] - grid, 0.0))
    dispersion = float((scores.pull @ scores.score) / scores.heavy.sum())
    size = np.sqrt(dispersion * (scores.heavy[:, None] * h**2).sum(axis=0))
    pulls = h * scores.pull[:, None] / size
    pulls = regression.design_of_sample.totals(pulls)
    largest = float(np.abs(pulls.sum(axis=0)).max())
    rng = np.random.default_rng(seed)
    reached = 0
    for multipliers in unit_multipliers(regression, draws, rng):
        drawn = multipliers @ pulls
        if regression.errors == "linearized" and (df := regression.df) > 0:
            drawn *= np.sqrt(df / rng.chisquare(df, (len(drawn), 1)))
        reached += int((np.abs(drawn).max(axis=1) >= largest * (1 - 1e-12)).sum())
    return outcome_of_multipliers(regression, largest**2, reached, draws)


def unit_multipliers(
    regression: Regression, draws: int, rng: np.random.Generator
) -> Iterator[Floats]:
    """Yield what the scores of each unit are multiplied by, some draws at a time, (some, units).

    Random signs; of linearized errors, what the sampling design makes of them.
    """
    design = regression.design_of_sample
    for first in range(0, draws, _TOGETHER):
        some = min(_TOGETHER, draws - first)
        if regression.errors == "linearized":
            yield design.multipliers(some, rng)
        else:
            yield np.asarray(2.0 * rng.integers(0, 2, (some, design.units)) - 1.0)


def outcome_of_multipliers(
    regression: Regression, statistic: float, reached: int, draws: int
) -> pd.Series:
    """Return the test whose statistic so many of the draws reached.

    No test (NaN) where the design leaves nothing to chance, or nothing to learn it from.
    """
    design = regression.design_of_sample
    if design.census or design.df < 1:
        return outcome_of_test(statistic, "none", float("nan"))
    p = (1.0 + reached) / (1.0 + draws)
    return outcome_of_test(statistic, f"multiplier bootstrap ({draws} draws)", p)
