"""Moments from sums of products of items: of complete answers, by pairs, with means filled in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.moments import Moments
from csimodel.survey import Answers

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_ROUNDING = 1e-12  # of the squared mean about the centre: a variance below is what sums leave


def pieces_of(answers: Answers) -> int:
    """Return the number of sums of products of items."""
    size = len(answers.items)
    return size + size * (size + 1) // 2 if answers.missing == "complete" else 4 * size**2


def put_products(x: Floats, products: Floats) -> None:
    """Put items, and their products with those that follow and themselves, one below another.

    Parameters
    ----------
    x
        Complete answers about a centre, (items, rows).
    products
        What is filled, (pieces, rows).
    """
    size = start = len(x)
    products[:size] = x
    for i in range(size):
        stop = start + size - i
        np.multiply(x[i], x[i:], out=products[start:stop])
        start = stop


def products_of(answers: Answers, x: Floats) -> Floats:
    """Return the products of items of some rows, in the order of the sums, (rows, pieces).

    Parameters
    ----------
    answers
        What is done with missing ones.
    x
        Answers about a centre, (rows, items).
    """
    if answers.missing == "complete":
        products = np.empty((pieces_of(answers), len(x)))
        put_products(np.ascontiguousarray(x.T), products)
        return np.ascontiguousarray(products.T)
    seen = (~np.isnan(x)).astype(np.float64)
    x = np.nan_to_num(x, nan=0.0)
    pairs = [
        x[:, :, None] * seen[:, None],
        x[:, :, None] * x[:, None],
        (x**2)[:, :, None] * seen[:, None],
        seen[:, :, None] * seen[:, None],
    ]
    return np.stack(pairs, axis=1).reshape(len(x), -1)


def sums_of_segments(answers: Answers, x: Floats, weights: Floats | None, starts: Codes) -> Floats:
    """Return the sums of products over rows from each start to the next, (segments, pieces).

    A matrix product for each segment, which saves the products of each row where segments are long.

    Parameters
    ----------
    answers
        What is done with missing ones.
    x
        Answers about a centre, (rows, items).
    weights
        (rows,), or None.
    starts
        Where segments begin, from 0 on, (segments,).
    """
    size, whole = x.shape[1], answers.missing == "complete"
    seen = None if whole else (~np.isnan(x)).astype(np.float64)
    x = x if whole else np.nan_to_num(x, nan=0.0)
    wx = x if weights is None else x * weights[:, None]
    if seen is None:
        pairs = [(wx, x)]
    else:
        pairs = [(wx, seen), (wx, x), (wx * x, seen)]
        pairs.append((seen if weights is None else seen * weights[:, None], seen))
    sums = np.empty((len(starts), len(pairs), size, size))
    bounds = zip(starts.tolist(), [*starts[1:].tolist(), len(x)], strict=True)
    for at, (start, stop) in enumerate(bounds):
        for place, (left, right) in enumerate(pairs):
            np.matmul(left[start:stop].T, right[start:stop], out=sums[at, place])
    if seen is not None:
        return sums.reshape(len(starts), -1)
    row, column = np.triu_indices(size)
    return np.hstack([np.add.reduceat(wx, starts, axis=0), sums[:, 0, row, column]])


def moments_of_totals(answers: Answers, centre: Floats, totals: Floats) -> Moments:
    """Turn the sums of each sample, (any, samples), into moments.

    Parameters
    ----------
    answers
        What was summed.
    centre
        What the answers are centred at, (items,).
    totals
        Products, weights, rows, squared weights, and where answers are missing those of each item.
    """
    pieces = pieces_of(answers)
    sums, rest = totals[:pieces], totals[pieces:]
    squared = None if answers.weights is None else rest[2]
    seen_rows = None if answers.missing == "complete" else rest[3:]
    return moments_of_sums(answers, centre, sums, rest[0], rest[1], squared, seen_rows)


def moments_of_sums(
    answers: Answers,
    centre: Floats,
    sums: Floats,
    total: Floats,
    n: Floats,
    squared: Floats | None,
    seen_rows: Floats | None,
) -> Moments:
    """Turn weighted sums, (pieces, samples), into moments; samples lie last in memory.

    Parameters
    ----------
    answers, centre
        As in `moments_of_totals`.
    sums
        Of products of items.
    total, n, squared
        Weight, rows and squared weights, (samples,); no weights where None.
    seen_rows
        Rows that answered each item, (items, samples); None of complete answers.
    """
    size = len(centre)
    with np.errstate(invalid="ignore", divide="ignore"):
        if seen_rows is None:
            mean, cov = _complete(sums, total, n, size)
        else:
            parts = sums.reshape(4, size, size, -1)
            pairwise = answers.missing == "pairwise"
            mean, cov = _pairwise(parts, seen_rows) if pairwise else _filled(parts, total, n)
        own = np.arange(size)
        variance = cov[own, own]
        cov[own, own] = np.where(variance > _ROUNDING * mean**2, variance, 0.0 * variance)
        effective = n if squared is None else total**2 / squared
    return Moments(
        items=answers.items,
        n=n,
        mean=(mean + centre[:, None]).T,
        cov=np.moveaxis(cov, -1, 0),
        minimum=answers.minimum,
        maximum=answers.maximum,
        effective_n=effective,
    )


def _complete(sums: Floats, total: Floats, n: Floats, size: int) -> tuple[Floats, Floats]:
    """Return means and covariances when every cell was answered."""
    sums = sums / total
    mean, second = sums[:size], sums[size:]
    cov = np.empty((size, size, sums.shape[-1]))
    start = 0
    for i in range(size):
        stop = start + size - i
        np.subtract(second[start:stop], mean[i] * mean[i:], out=cov[i, i:])
        cov[i, i:] *= n / (n - 1.0)
        cov[i + 1 :, i] = cov[i, i + 1 :]
        start = stop
    return mean, cov


def _pairwise(parts: Floats, seen_rows: Floats) -> tuple[Floats, Floats]:
    """Return means and covariances by pairs of items, from the rows that answered both."""
    first, product, square, weight = parts
    centre = first / weight  # mean of item i over rows that answered k
    spread = np.maximum(square / weight - centre**2, 0.0)
    turned = centre.swapaxes(0, 1)
    cor = (product / weight - centre * turned) / np.sqrt(spread * spread.swapaxes(0, 1))
    own = np.arange(len(first))
    variance = spread[own, own] * seen_rows / (seen_rows - 1.0)
    sd = np.sqrt(variance)
    cov = cor * sd * sd[:, None]
    cov[own, own] = variance
    return centre[own, own], cov


def _filled(parts: Floats, total: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Return means and covariances as if missing cells held the item's mean."""
    first, product, _, weight = parts
    own = np.arange(len(first))
    mean = first[own, own] / weight[own, own]
    cov = product - mean[None, :] * first - mean[:, None] * first.swapaxes(0, 1)
    cov += mean[:, None] * mean[None, :] * weight
    cov *= n / (n - 1.0) / total
    return mean, cov
