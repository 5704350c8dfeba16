"""Missing answers drawn given those there are: chained equations, matched or normal.

Columns are taken in turn. Each is regressed on all others among the rows that answered it; the
coefficients are drawn from their posterior; a row that lacks it gets the answer of a donor, drawn
from the `donors` rows whose predicted value (by the estimates) is nearest to its own (by the drawn
coefficients). So only answers that were given are imputed, and the scale is kept. Without donors it
gets its own predicted value and a drawn residual, which is exact for normal answers. After some
sweeps over the columns one completed table stands; each imputation is a chain of its own.

References
----------
van Buuren, S. (2018). Flexible Imputation of Missing Data, 2nd edition, sections 3.4 and 4.5.
https://doi.org/10.1201/9780429492259

Little, R. J. A. (1988). Missing-data adjustments in large surveys. Journal of Business and Economic
Statistics 6, 287-296. https://doi.org/10.1080/07350015.1988.10509663
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_RIDGE = 1e-5  # of a regressor's sum of squares, so that columns may depend on one another


def impute_chain(
    values: Floats,
    known: Floats,
    weights: Floats,
    sweeps: int,
    donors: int | None,
    rng: np.random.Generator,
    swept: Callable[[], object] = lambda: None,
) -> Floats:
    """Return one completed table.

    Parameters
    ----------
    values
        Columns with missing cells, (rows, columns), NaN where missing; each has an answer.
    known
        Complete columns that predict, without a constant, (rows, any).
    weights
        How much each row counts in the regressions, (rows,).
    sweeps
        How often all columns are taken in turn.
    donors
        From how many nearest rows an answer is drawn; None for a normal residual.
    rng
        Random numbers.
    swept
        Called after each sweep.

    Examples
    --------
    >>> x = np.arange(20.0)
    >>> y = np.where(x == 7, np.nan, np.round(x / 2))
    >>> full = impute_chain(np.column_stack([x, y]), np.empty((20, 0)), np.ones(20), 5, 3,
    ...                     np.random.default_rng(1))
    >>> bool(2 <= full[7, 1] <= 5)
    True
    """
    missing = np.isnan(values)
    full = _start(values, missing, rng)
    centre, scale = _standards(np.column_stack([full, known]), weights)
    z = (np.column_stack([full, known]) - centre) / scale
    z = np.column_stack([np.ones(len(z)), z])
    products = (z * weights[:, None]).T @ z
    order = np.argsort(missing.sum(axis=0), kind="stable")
    order = order[missing.sum(axis=0)[order] > 0]
    for _ in range(sweeps):
        for column in order:
            gone = missing[:, column]
            own, regression = 1 + column, _drawn(z, products, weights, column, gone, rng)
            wanted = z[np.ix_(gone, regression.others)] @ regression.drawn
            if donors is None:
                residual = regression.sd * rng.standard_normal(len(wanted))
                full[gone, column] = centre[column] + scale[column] * (wanted + residual)
            else:
                offered = z[np.ix_(~gone, regression.others)] @ regression.slopes
                full[gone, column] = _matched(offered, values[~gone, column], wanted, donors, rng)
            z[gone, own] = (full[gone, column] - centre[column]) / scale[column]
            products[own] = products[:, own] = (z[:, own] * weights) @ z
        swept()
    return full


def _start(values: Floats, missing: Mask, rng: np.random.Generator) -> Floats:
    """Fill each column with answers drawn from its own."""
    full = values.copy()
    for column in np.flatnonzero(missing.any(axis=0)):
        gone = missing[:, column]
        full[gone, column] = rng.choice(values[~gone, column], int(gone.sum()))
    return full


def _standards(table: Floats, weights: Floats) -> tuple[Floats, Floats]:
    centre = weights @ table / weights.sum()
    scale = np.sqrt(weights @ (table - centre) ** 2 / weights.sum())
    return centre, np.where(scale > 0.0, scale, 1.0)


class _Regression(NamedTuple):
    """Of a column on the others: those, slopes as estimated and as drawn, residual sd as drawn."""

    others: NDArray[np.intp]
    slopes: Floats
    drawn: Floats
    sd: float


def _drawn(
    z: Floats,
    products: Floats,
    weights: Floats,
    column: int,
    gone: Mask,
    rng: np.random.Generator,
) -> _Regression:
    """Regress a column on the others among the rows that answered it, and draw the coefficients."""
    own, lacking = 1 + column, z[gone]
    within = products - (lacking * weights[gone, None]).T @ lacking
    others = np.delete(np.arange(z.shape[1]), own)
    gram, cross = within[np.ix_(others, others)], within[others, own]
    gram[np.diag_indices_from(gram)] *= 1.0 + _RIDGE
    gram[np.diag_indices_from(gram)] += _RIDGE * _TINY
    inverse_root = _inverse_root(gram)
    slopes = inverse_root @ (inverse_root.T @ cross)
    left = max(float(within[own, own] - slopes @ cross), 0.0)
    df = max(float((~gone).sum()) - len(others), 1.0)
    sd = float(np.sqrt(left / rng.chisquare(df)))
    drawn = slopes + sd * (inverse_root @ rng.standard_normal(inverse_root.shape[1]))
    return _Regression(others, slopes, drawn, sd)


def _inverse_root(gram: Floats) -> Floats:
    """Return R with ``R R'`` the inverse of sums of products, (regressors, directions).

    Directions in which the rows that answered do not differ, as of a stratum in which nobody was
    asked, are left out, so that nothing is drawn along them.

    >>> _inverse_root(np.array([[4.0, 0.0], [0.0, 4.0]])).tolist()
    [[0.5, 0.0], [0.0, 0.5]]
    >>> _inverse_root(np.array([[1.0, 1.0], [1.0, 1.0]])).shape
    (2, 1)
    """
    sd = np.sqrt(np.diagonal(gram))
    correlations = gram / sd / sd[:, None]
    try:
        root = np.linalg.cholesky(correlations)
    except np.linalg.LinAlgError:
        root = np.zeros_like(gram)
    if (np.diagonal(root) ** 2).min(initial=1.0) > _KNOWN:
        return np.asarray(np.linalg.inv(root).T / sd[:, None])
    values, vectors = np.linalg.eigh(correlations)
    known = values > _KNOWN
    return np.asarray(vectors[:, known] / np.sqrt(values[known]) / sd[:, None])


_KNOWN = 3e-5  # share of a regressor's variance that others leave, above the ridge
_TINY = 1e-6  # for a regressor that is 0 throughout


def _matched(
    offered: Floats, answers: Floats, wanted: Floats, donors: int, rng: np.random.Generator
) -> Floats:
    """Return the answers of donors whose predicted values are near those wanted.

    Among rows predicted alike the donors are drawn by chance, too.
    """
    mixed = rng.permutation(len(offered))
    order = mixed[np.argsort(offered[mixed], kind="stable")]
    ordered = offered[order]
    near = min(donors, len(order))
    left = np.searchsorted(ordered, wanted)[:, None] + np.arange(-near, near)
    outside = (left < 0) | (left >= len(order))
    places = np.clip(left, 0, len(order) - 1)
    distance = np.where(outside, np.inf, np.abs(ordered[places] - wanted[:, None]))
    nearest = np.argsort(distance, axis=1, kind="stable")[:, :near]
    chosen = nearest[np.arange(len(wanted)), rng.integers(0, near, len(wanted))]
    return np.asarray(answers[order[places[np.arange(len(wanted)), chosen]]])
