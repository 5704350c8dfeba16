"""Missing answers by the respondent's and the item's mean, with a drawn error.

``x_ij = PM_i + IM_j - OM + e``: mean of the respondent, of the item, of all answers; e is normal
with the variance of the answers about the same sum. Of a respondent who answered none of the items
nothing is known, so ``x_ij = IM_j + e`` with the variance of the item's answers; so it is for an
item that is a construct by itself. Rounded where answers are whole numbers, and held between the
lowest and the highest answer.

References
----------
Bernaards, C. A., Sijtsma, K. (2000). Influence of imputation and EM methods on factor analysis when
item nonresponse in questionnaire data is nonignorable. Multivariate Behavioral Research 35,
321-364. https://doi.org/10.1207/S15327906MBR3503_03
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def impute_two_way(values: Floats, rng: np.random.Generator) -> Floats:
    """Return one completed table.

    Parameters
    ----------
    values
        (rows, items), NaN where missing; each item has an answer.
    rng
        Random numbers.

    Examples
    --------
    >>> table = np.array([[1.0, 3.0], [2.0, 4.0], [3.0, np.nan]])
    >>> impute_two_way(table, np.random.default_rng(1))[2]
    array([3., 4.])
    """
    gone = np.isnan(values)
    there = ~gone
    answered = there.sum(axis=1)
    overall, of_item = np.nanmean(values), np.nanmean(values, axis=0)
    filled = np.where(gone, 0.0, values)
    person = np.where(answered > 0, filled.sum(axis=1) / np.maximum(answered, 1), overall)
    sums = person[:, None] + of_item - overall
    left = (values - sums)[there]
    apart = np.where(answered[:, None] > 0, np.sqrt((left**2).mean()), np.nanstd(values, axis=0))
    drawn = sums + apart * rng.standard_normal(values.shape)
    if (values[there] == np.round(values[there])).all():
        drawn = np.round(drawn)
    drawn = np.clip(drawn, np.nanmin(values, axis=0), np.nanmax(values, axis=0))
    return np.where(gone, drawn, values)
