"""Whether a straight effect bends anywhere, when nobody says where."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.outcomes.kernels.wald import outcome_of_test
from csimodel.outcomes.models.regression import Regression

Floats = NDArray[np.float64]


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
    of 0 and 1. The straight regression is all it needs.

    References
    ----------
    Hansen, B. E. (1996). Inference when a nuisance parameter is not identified under the null
    hypothesis. Econometrica 64, 413-430. https://doi.org/10.2307/2171789
    """
    sample = regression.sample
    weights = np.ones(sample.n) if sample.weights is None else sample.weights
    score, information, _ = regression.family.working(regression.eta, sample.outcome)
    X, w = regression.design, (weights * information)[:, None]
    h = np.maximum(sample.regressors[:, moved, None] - grid, 0.0)
    h -= X @ np.linalg.solve(X.T @ (w * X), X.T @ (w * h))
    dispersion = float((weights @ score**2) / (weights @ information))
    pulls = h * (weights * score)[:, None] / np.sqrt(dispersion * (w * h**2).sum(axis=0))
    if regression.cluster is not None:
        summed = np.zeros((int(regression.cluster.max()) + 1, len(grid)))
        np.add.at(summed, regression.cluster, pulls)
        pulls = summed
    largest = float(np.abs(pulls.sum(axis=0)).max())
    rng = np.random.default_rng(seed)
    reached = 0
    together = 64
    for first in range(0, draws, together):
        some = min(together, draws - first)
        signs = 2.0 * rng.integers(0, 2, (some, len(pulls))) - 1.0
        reached += int((np.abs(signs @ pulls).max(axis=1) >= largest * (1 - 1e-12)).sum())
    p = (1.0 + reached) / (1.0 + draws)
    return outcome_of_test(largest**2, f"multiplier bootstrap ({draws} draws)", p)
