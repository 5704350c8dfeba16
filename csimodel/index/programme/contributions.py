"""What units add to the change of the whole: by their scores, and by what they count.

With x a unit's score, a its share in the whole and X the score of the whole, in periods 0 and 1:

    X₁ - X₀ = Σ (a₀ + a₁)/2 (x₁ - x₀) + Σ (a₁ - a₀) ((x₀ + x₁)/2 - (X₀ + X₁)/2)

exactly, as shares sum to 1 in both (Bennet's indicator). A unit scored in one of the two periods
alone counts by its share.

References
----------
Bennet, T. L. (1920). The theory of measurement of changes in cost of living. Journal of the Royal
Statistical Society 83, 455-462. https://doi.org/10.2307/2340960
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.index.programme.hierarchy import Hierarchy, rows_of

Floats = NDArray[np.float64]


def contributions_of(hierarchy: Hierarchy, estimates: Floats, constructs: pd.Index) -> pd.DataFrame:
    """Return what each unit of each level adds to the change of the whole.

    Parameters
    ----------
    estimates
        Scores, (nodes × periods, constructs).
    """
    nodes, periods = len(hierarchy.nodes), len(hierarchy.periods)
    score = estimates.reshape(nodes, periods, -1)
    share = np.where(hierarchy.scored, hierarchy.whole_share, 0.0)
    was, now = share[:, :-1, None], share[:, 1:, None]
    before, after = score[:, :-1], score[:, 1:]
    filled = np.where(np.isnan(before), after, before), np.where(np.isnan(after), before, after)
    middle = 0.5 * (score[0, :-1] + score[0, 1:])
    by_scores = 0.5 * (was + now) * (filled[1] - filled[0])
    by_weights = (now - was) * (0.5 * (filled[0] + filled[1]) - middle)
    there = hierarchy.scored[:, :-1] | hierarchy.scored[:, 1:]
    there &= hierarchy.scored[0, :-1] & hierarchy.scored[0, 1:]
    there[0] = False
    node, at = np.nonzero(there)
    labels = hierarchy.labels(node * periods + at + 1)
    index = rows_of(labels, constructs)
    scores, weights = by_scores[node, at].ravel(), by_weights[node, at].ravel()
    columns = {"scores": scores, "weights": weights, "total": scores + weights}
    return pd.DataFrame(columns, index=index)
