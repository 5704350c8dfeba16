"""Information about means and covariances in answers with gaps, and scores row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csimodel.errors import SurveyError
from csimodel.moments.fourth import Rows, outer_products
from csimodel.moments.missing_patterns import Patterns
from csimodel.moments.vech import vech_indices

Floats = NDArray[np.float64]

_CELLS = 2**21  # numbers held at once for a group of patterns
SMALL = 2500  # covariances, up to which a few matrices over pairs of them cost nothing


def information(
    patterns: Patterns, mean: ArrayLike, cov: ArrayLike, observed: bool = True
) -> Floats:
    """Return the information about (μ, vech Σ) per row, (p + p*, p + p*).

    Minus the second derivative of the log-likelihood over n: as `observed`, or its expectation
    when the answers are normal with these moments, given which items were answered. With
    ``W_j = Σ_j⁻¹`` padded with zeros and ``B_j = W_j A_j W_j``, ``A_j = S_j + d_j d_j'``::

        (dμ, dμ)   Σ n_j dμ' W_j dμ / n
        (dμ, dΣ)   Σ n_j dμ' W_j dΣ W_j d_j / n             expected: 0
        (dΣ, dΣ)   Σ n_j tr(W_j dΣ (B_j - W_j / 2) dΣ) / n  expected: B_j = W_j

    Raises
    ------
    SurveyError
        When Σ is not positive definite.

    References
    ----------
    Savalei, V. (2010). Expected versus observed information in SEM with incomplete normal and
    nonnormal data. Psychological Methods 15, 352-367. https://doi.org/10.1037/a0020143

    Examples
    --------
    >>> from csimodel.moments.missing_patterns import patterns_of
    >>> information(patterns_of([[0.0], [2.0]]), [1.0], [[1.0]], observed=False)
    array([[1. , 0. ],
           [0. , 0.5]])
    """
    mu, inverse = checked_inverse(mean, cov)
    size = patterns.items
    row, column = vech_indices(size)
    whole = np.zeros((size + len(row), size + len(row)))
    mixed = np.zeros((len(row), size))
    small = len(row) <= SMALL
    packed = np.zeros((len(row), len(row)) if small else (0, 0))
    flat = row * size + column
    for part, own in precisions(patterns, inverse):
        n = patterns.n[part]
        whole[:size, :size] += np.tensordot(n, own, 1)
        left = own.reshape(-1, size * size).take(flat, axis=1)
        right = 0.5 * n[:, None] * left
        if observed:
            away = np.where(patterns.observed[part], patterns.mean[part] - mu, 0.0)
            scores = np.matmul(own, away[:, :, None])[:, :, 0]
            mixed += left.T @ (n[:, None] * scores)
            rows = patterns.vectors_of(part)
            of = patterns.spread_of[rows] - part.start
            spread = np.matmul(own[of], patterns.spread[rows, :, None])[:, :, 0]
            right = n[:, None] * _products(scores, row, column) - right
            np.add.at(right, of, _products(spread, row, column))
        if small:
            packed += left.T @ right
        else:
            _add_products(whole[size:, size:], left, right)
    if small:
        whole[size:, size:] = _unpacked(packed, size)
    half = np.where(row == column, 0.5, 1.0)
    at = _places(size)
    whole[:size, size:] = half * (mixed[at[:, row], column] + mixed[at[:, column], row])
    whole[size:, :size] = whole[:size, size:].T
    whole[size:, size:] *= half
    whole[size:, size:] *= half[:, None]
    whole /= patterns.total
    return whole


def first_order(
    patterns: Patterns, mean: ArrayLike, cov: ArrayLike, cluster: ArrayLike | None = None
) -> Floats:
    """Return the mean over rows of outer products of scores about (μ, vech Σ), (p + p*, p + p*).

    ``J = Σ w_i² s_i s_i' / n``, and with clusters ``G / (G - 1) Σ_g t_g t_g' / n`` where
    ``t_g = Σ_{i in g} w_i s_i``: the middle of a sandwich. With v_i = Σ_oo⁻¹(x_i - μ)_o padded with
    zeros the score is (v_i ; ∂/∂vech Σ of tr((v_i v_i' - Σ_oo⁻¹)Σ) / 2).

    Parameters
    ----------
    patterns, mean, cov
        As in `minus_two_loglik`.
    cluster
        Codes of the clusters, one for each row given, those that answer nothing included; those
        of the patterns by default.

    Raises
    ------
    SurveyError
        When Σ is not positive definite, or the clusters do not fit or are a single one.

    Examples
    --------
    >>> from csimodel.moments.missing_patterns import patterns_of
    >>> first_order(patterns_of([[0.0], [2.0]]), [1.0], [[1.0]])
    array([[1., 0.],
           [0., 0.]])
    """
    scores, size = scores_of(patterns, mean, cov)
    codes = row_codes(patterns, cluster)
    return outer_products(scores, len(patterns.rows), size, codes) / patterns.total


def row_codes(patterns: Patterns, cluster: ArrayLike | None) -> NDArray[np.intp] | None:
    """Return the clusters of the rows that count, of the patterns' own where none are given.

    Raises
    ------
    SurveyError
        When the clusters do not fit.
    """
    cluster = patterns.cluster if cluster is None else cluster
    if cluster is None:
        return None
    codes = np.asarray(cluster)
    if codes.shape != (patterns.given,):
        raise SurveyError(
            f"Cluster codes of shape {codes.shape} do not fit {patterns.given} rows; give one each."
        )
    return np.asarray(codes[patterns.rows])


def row_scores(patterns: Patterns, mean: ArrayLike, cov: ArrayLike) -> Floats:
    """Return each row's score about (μ, vech Σ) times its weight, (given, p + p*).

    As in `first_order`; 0 for rows that answer nothing.

    Raises
    ------
    SurveyError
        When Σ is not positive definite.

    Examples
    --------
    >>> from csimodel.moments.missing_patterns import patterns_of
    >>> row_scores(patterns_of([[0.0], [2.0]]), [1.0], [[1.0]])
    array([[-1.,  0.],
           [ 1.,  0.]])
    """
    scores, size = scores_of(patterns, mean, cov)
    derivatives = np.zeros((patterns.given, size))
    step = max(64, _CELLS // size)
    for start in range(0, len(patterns.rows), step):
        part = slice(start, min(start + step, len(patterns.rows)))
        derivatives[patterns.rows[part]] = scores(part).T
    return derivatives


def scores_of(
    patterns: Patterns, mean: ArrayLike, cov: ArrayLike
) -> tuple[Callable[[Rows], Floats], int]:
    """Return the function from rows to their weighted scores, (p + p*, rows), and p + p*."""
    mu, inverse = checked_inverse(mean, cov)
    row, column = vech_indices(patterns.items)
    half = np.where(row == column, 0.5, 1.0)[:, None]
    size, items = patterns.items + len(row), patterns.items
    constant = np.concatenate([own[:, row, column] for _, own in precisions(patterns, inverse)])

    def scores(part: Rows) -> Floats:
        of = patterns.pattern[part]
        v = np.ascontiguousarray(rows_pulled(patterns, mu, inverse, part).T)
        derivatives = np.empty((size, v.shape[1]))
        derivatives[:items] = v
        derivatives[items:] = half * (v[row] * v[column] - constant[of].T)
        if patterns.weights is not None:
            derivatives *= patterns.weights[part]
        return derivatives

    return scores, size


def rows_pulled(patterns: Patterns, mu: Floats, inverse: Floats, part: Rows) -> Floats:
    """Return ``Σ_oo⁻¹(x - μ)_o`` of some rows, padded with zeros, (rows, items)."""
    of = patterns.pattern[part]
    d = np.where(patterns.observed[of], patterns.values[part] - mu, 0.0)
    turned = d @ inverse
    for group, own in zip(patterns.lacking, patterns.members(of), strict=True):
        among = np.asarray(np.linalg.inv(inverse.take(group.cells)))[own.place]
        d.put(own.cells, guess(among, turned.take(own.cells)))
    return np.asarray((inverse @ d.T).T)


def precisions(
    patterns: Patterns, inverse: Floats, most: int | None = None
) -> Iterator[tuple[slice, Floats]]:
    """Yield Σ_oo⁻¹ padded with zeros, (some patterns, items, items), in order.

    Not more than `most` patterns at a time.
    """
    step = max(1, _CELLS // patterns.items**2)
    step = step if most is None else min(step, most)
    for start in range(0, len(patterns.n), step):
        part = slice(start, min(start + step, len(patterns.n)))
        own = np.repeat(inverse[None], part.stop - part.start, axis=0)
        for group in patterns.lacking:
            here = np.flatnonzero((group.which >= part.start) & (group.which < part.stop))
            rows = inverse[group.missing[here]]
            among = np.linalg.inv(inverse.take(group.cells[here]))
            own[group.which[here] - part.start] -= np.swapaxes(rows, 1, 2) @ (among @ rows)
        seen = patterns.observed[part]
        own *= seen[:, :, None] & seen[:, None, :]
        yield part, own


def _products(vectors: Floats, row: NDArray[np.intp], column: NDArray[np.intp]) -> Floats:
    return np.asarray(vectors.take(row, axis=1) * vectors.take(column, axis=1))


def _places(size: int) -> NDArray[np.intp]:
    """Return where each cell of a symmetric matrix stands in vech, (size, size)."""
    row, column = vech_indices(size)
    at = np.zeros((size, size), dtype=np.intp)
    at[row, column] = at[column, row] = np.arange(len(row))
    return at


def _unpacked(products: Floats, size: int) -> Floats:
    """Return what `_add_products` adds from ``Σ vech X vech Y'``, (covariances, covariances)."""
    row, column = vech_indices(size)
    at = _places(size)
    products = products + products.T
    straight = at[row[:, None], row] * len(row) + at[column[:, None], column]
    crossed = at[row[:, None], column] * len(row) + at[column[:, None], row]
    return np.asarray(products.take(straight) + products.take(crossed))


def _add_products(total: Floats, first: Floats, second: Floats) -> None:
    """Add ``Σ X_rk Y_cl + Y_rk X_cl + X_rl Y_ck + Y_rl X_ck`` at ((r, c), (k, l)), in place.

    `first` and `second` hold vech X and vech Y, (patterns, covariances); one column of covariances
    at a time, so that nothing beside the total grows with its size.
    """
    places = _places(round((2 * len(total) + 0.25) ** 0.5 - 0.5))
    size = len(places)
    row, column = vech_indices(size)
    left, other = (own[:, places] for own in (first, second))
    start = 0
    for c in range(size):
        part = total[start : start + size - c]
        for held, lines in ((left[:, c:], other[:, c]), (other[:, c:], left[:, c])):
            products = np.tensordot(held, lines, (0, 0))  # Σ X_rk Y_cl, (rows, k, l)
            products = products.reshape(size - c, size * size)
            part += products.take(row * size + column, axis=1)
            part += products.take(column * size + row, axis=1)
        start += size - c


def checked_inverse(mean: ArrayLike, cov: ArrayLike) -> tuple[Floats, Floats]:
    """Return μ and Σ⁻¹.

    Raises
    ------
    SurveyError
        When Σ is not positive definite.
    """
    mu, sigma = np.asarray(mean, dtype=np.float64), np.asarray(cov, dtype=np.float64)
    solved = inverted(sigma)
    if solved is None:
        raise SurveyError(
            "The covariance matrix is not positive definite, so the information about it is not "
            "defined; look for items that are sums of others, or drop one."
        )
    return mu, solved[0]


def guess(among: Floats, turned: Floats) -> Floats:
    """Return what is missing given the rest, -C (K d)_m, for each vector, (vectors, m)."""
    return np.asarray(-np.matmul(among, turned[:, :, None])[:, :, 0])


def inverted(sigma: Floats) -> tuple[Floats, float] | None:
    """Return Σ⁻¹ and ln|Σ|; None where Σ is not finite and positive definite."""
    if not np.isfinite(sigma).all():
        return None
    try:
        root = np.linalg.cholesky(sigma)
    except np.linalg.LinAlgError:
        return None
    inverse_root = np.linalg.inv(root)
    return inverse_root.T @ inverse_root, 2.0 * float(np.log(np.diagonal(root)).sum())
