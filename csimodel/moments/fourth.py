"""Fourth-order sample moments: how means and covariances of items vary from sample to sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csimodel.errors import SurveyError, choose
from csimodel.moments.additive import Block, Memory, products_about
from csimodel.moments.vech import vech_indices

Floats = NDArray[np.float64]
Rows = slice | NDArray[np.intp]

_STRETCH = 2048  # rows handled together: their products stay in cache
Weighting = Literal["probability", "frequency"]


def fourth_moments(
    values: ArrayLike,
    weights: ArrayLike | None = None,
    mean: ArrayLike | None = None,
    *,
    cluster: ArrayLike | None = None,
    weighting: Weighting = "probability",
) -> Floats:
    """Estimate the covariance matrix of √n times the sample means and covariances.

    With ``v_i = (x_i - x̄ ; vech((x_i - x̄)(x_i - x̄)'))``, its weighted mean ``v̄ = (0 ; vech S)``
    and ``d_i = v_i - v̄``, weights scaled to mean 1 and n the number of rows::

        Γ = Σ d_i d_i' / n                             no weights (lavaan's NACOV, Browne's Γ)
        Γ = Σ w_i² d_i d_i' / n                        probability weights
        Γ = Σ w_i  d_i d_i' / n                        frequency weights
        Γ = G / (G - 1) Σ_g t_g t_g' / n,              clusters g = 1 … G
            t_g = Σ_{i in g} w_i d_i

    The squared weights give the sampling covariance of weighted moments, the middle of a sandwich
    for a survey with unequal probabilities. Unsquared they give the fourth-order moments of the
    population the weights stand for: a weight of 2 is a row twice.

    Parameters
    ----------
    values
        Complete answers, (rows, items).
    weights
        Weights on any scale, (rows,).
    mean
        Where the products are centred, (items,); the weighted sample mean by default.
    cluster
        Codes of the clusters the rows were drawn in, (rows,).
    weighting
        ``"probability"`` (default) or ``"frequency"``; the same when there are clusters.

    Returns
    -------
    Floats
        Γ, (items + items (items + 1) / 2, the same), in the order (means, vech of covariances) of
        `vech_indices`. Rows are handled a stretch at a time: memory does not grow with them.

    Raises
    ------
    SurveyError
        When a value is missing or infinite, weights or clusters do not fit the rows, or there is
        a single cluster.

    References
    ----------
    Browne, M. W. (1984). Asymptotically distribution-free methods for the analysis of covariance
    structures. British Journal of Mathematical and Statistical Psychology 37, 62-83.
    https://doi.org/10.1111/j.2044-8317.1984.tb00789.x

    Muthén, B. O., Satorra, A. (1995). Complex sample data in structural equation modeling.
    Sociological Methodology 25, 267-316. https://doi.org/10.2307/271070

    Examples
    --------
    >>> fourth_moments([[0.0], [0.0], [3.0]])
    array([[2., 2.],
           [2., 2.]])
    """
    choose("weighting", weighting, ["probability", "frequency"])
    data = np.asarray(values, dtype=np.float64)
    w = checked_rows(data, weights)
    rows, items = data.shape
    sample = Memory().accumulate(Block(data[part], w[part]) for part in stretches(rows))
    centre, expected = sample.mean, sample.spread
    if mean is not None:
        centre = np.asarray(mean, dtype=np.float64)
        row, column = vech_indices(items)
        step = sample.mean - centre
        expected = expected + step[row] * step[column]
    power = w if weighting == "probability" or cluster is not None else np.sqrt(w)
    shift = sample.mean - centre

    def deviations(part: Rows) -> Floats:
        d = np.empty((items + len(expected), len(power[part])))
        products_about(data[part], centre, expected, d)
        d[:items] -= shift[:, None]
        if weights is not None:
            d *= power[part]
        return d

    size = items + len(expected)
    return np.asarray(outer_products(deviations, rows, size, cluster) / rows)


def fourth_moments_of_samples(values: Floats, cluster: NDArray[np.intp] | None = None) -> Floats:
    """Return `fourth_moments` of many samples of complete answers, without weights.

    Parameters
    ----------
    values
        (samples, rows, items).
    cluster
        Codes of the clusters in ascending order, (rows,), the same in all samples.

    Returns
    -------
    Floats
        Γ of each sample, (samples, moments, moments).

    Examples
    --------
    >>> fourth_moments_of_samples(np.array([[[0.0], [0.0], [3.0]]]))
    array([[[2., 2.],
            [2., 2.]]])
    """
    samples, rows, items = values.shape
    row, column = vech_indices(items)
    deviations = np.empty((samples, rows, items + len(row)))
    centred = values - values.mean(axis=1, keepdims=True)
    deviations[..., :items] = centred
    np.multiply(centred[..., row], centred[..., column], out=deviations[..., items:])
    deviations -= deviations.mean(axis=1, keepdims=True)
    if cluster is None:
        return np.asarray(np.swapaxes(deviations, -1, -2) @ deviations / rows)
    starts = np.flatnonzero(np.diff(cluster, prepend=-1))
    sums = np.add.reduceat(deviations, starts, axis=1)
    few = len(starts) / (len(starts) - 1.0)
    return np.asarray(np.swapaxes(sums, -1, -2) @ sums * (few / rows))


def checked_rows(data: Floats, weights: ArrayLike | None) -> Floats:
    """Return the weights of complete answers, of mean 1, (rows,).

    Raises
    ------
    SurveyError
        When a value is missing or infinite, or weights do not fit the rows.
    """
    if data.ndim != 2 or not len(data) or not np.isfinite(data).all():
        raise SurveyError(
            "Fourth-order moments need complete answers, one row per respondent; "
            "drop rows with missing cells, or use the patterns of missing answers."
        )
    return scaled_weights(weights, len(data))


def stretches(rows: int, most: int | None = None) -> list[slice]:
    """Cut rows into stretches that are handled together, of at most so many rows.

    >>> stretches(5, most=2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    step = _STRETCH if most is None else min(_STRETCH, most)
    return [slice(start, min(start + step, rows)) for start in range(0, rows, step)]


def cluster_codes(cluster: ArrayLike, rows: int) -> NDArray[np.intp]:
    """Return codes of clusters, counted from 0, (rows,).

    Raises
    ------
    SurveyError
        When the codes do not fit the rows, or there is a single cluster.
    """
    given = np.asarray(cluster)
    if given.shape != (rows,):
        raise SurveyError(
            f"Cluster codes of shape {given.shape} do not fit {rows} rows; give one each."
        )
    codes = np.unique(given, return_inverse=True)[1]
    if codes.max() < 1:
        raise SurveyError(
            "All rows lie in one cluster, and errors by clusters need at least 2; "
            "leave the clusters out."
        )
    return np.asarray(codes, dtype=np.intp)


def scaled_weights(weights: ArrayLike | None, rows: int) -> Floats:
    """Return weights of mean 1, (rows,); ones when there are none.

    Raises
    ------
    SurveyError
        When they do not fit the rows, or are negative, missing or all zero.

    Examples
    --------
    >>> scaled_weights([10, 30], rows=2)
    array([0.5, 1.5])
    """
    if weights is None:
        return np.ones(rows)
    given = np.asarray(weights, dtype=np.float64)
    if given.shape != (rows,):
        raise SurveyError(f"Weights of shape {given.shape} do not fit {rows} rows; give one each.")
    if not np.isfinite(given).all() or (given < 0).any() or not given.any():
        raise SurveyError("Weights must be finite, not negative and not all zero.")
    return np.asarray(given * (rows / given.sum()))


def outer_products(
    vectors: Callable[[Rows], Floats], rows: int, size: int, cluster: ArrayLike | None = None
) -> Floats:
    """Sum the outer products of casewise vectors, or of their sums within clusters.

    The sum over clusters is multiplied by G / (G - 1) for G clusters.

    Parameters
    ----------
    vectors
        Gives the vectors of some rows, (size, those rows), weighted already.
    rows, size
        Number of rows, and length of a vector.
    cluster
        Codes of the clusters, (rows,).

    Raises
    ------
    SurveyError
        When the codes do not fit the rows, or there is a single cluster.
    """
    total = np.zeros((size, size))
    if cluster is None:
        for stretch in stretches(rows):
            part = vectors(stretch)
            total += part @ part.T
        return total
    codes = cluster_codes(cluster, rows)
    clusters = int(codes.max()) + 1
    order = np.argsort(codes, kind="stable")
    open_code, open_sum = -1, np.zeros(size)  # the cluster a stretch ends in may go on in the next
    for start in range(0, rows, _STRETCH):
        chosen = order[start : start + _STRETCH]
        here = codes[chosen]
        starts = np.flatnonzero(np.diff(here, prepend=-1))
        sums = np.add.reduceat(vectors(chosen), starts, axis=1)
        if here[0] == open_code:
            sums[:, 0] += open_sum
        else:
            total += np.outer(open_sum, open_sum)
        open_code, open_sum = int(here[-1]), sums[:, -1].copy()
        sums = sums[:, :-1]
        total += sums @ sums.T
    total += np.outer(open_sum, open_sum)
    return np.asarray(total * (clusters / (clusters - 1.0)))
