"""Moments with scores beside the items: weighted sums of them, and products of such sums.

Means and covariances of weighted sums follow from those of the items, ``W m`` and ``W C W'``. Those
of products do not: of k items they would need all k⁴/24 products of four, and rows need far less.
Scores of a row are k multiplications, and what the product of scores shares with each item k more,
so that resamples cost two matrix products of draws by rows by items.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import SurveyError
from csimodel.moments.moments import Moments
from csimodel.moments.sample_rows import SampleRows

Floats = NDArray[np.float64]


def with_scores(before: Moments, weights: Floats, factors: Mapping[str, Sequence[int]]) -> Moments:
    """Return moments of a batch with variables appended that are made of scores.

    Scores are weighted sums of the items about their means in each sample. Products are of scores
    as they are: neither centred nor scaled again. A missing cell counts as the mean of its item in
    the sample.

    Parameters
    ----------
    before
        Moments of the items of a batch, (samples, items), with the rows behind them.
    weights
        Of items in scale units in each score, (samples, scores, items).
    factors
        Of each variable the numbers of the scores it is the product of; one for a score itself.

    Raises
    ------
    SurveyError
        For products, where there are no rows, or answers that are missing pairwise.
    """
    items, terms = len(before.items), list(factors.values())
    cov = np.moveaxis(before.cov, 0, -1)
    size, samples = items + len(terms), cov.shape[-1]
    whole = np.empty((size, size, samples))
    whole[:items, :items] = cov
    mean = np.zeros((samples, size))
    mean[:, :items] = before.mean
    linear = [(items + k, own[0]) for k, own in enumerate(terms) if len(own) == 1]
    curved = [(items + k, tuple(own)) for k, own in enumerate(terms) if len(own) > 1]
    if curved:
        products = _product_moments(before, weights, [own for _, own in curved], list(factors)[-1])
        places = [place for place, _ in curved]
        mean[:, places] = products.mean.T
        whole[:items, places] = products.with_items
        whole[places, :items] = products.with_items.swapaxes(0, 1)
        whole[np.ix_(places, places)] = products.between
    for place, score in linear:
        known = [*range(items), *(at for at, _ in linear if at < place), *(at for at, _ in curved)]
        column = np.einsum("ijd,dj->id", whole[known, :items], weights[:, score])
        whole[known, place], whole[place, known] = column, column
        whole[place, place] = np.einsum("id,di->d", column[:items], weights[:, score])
    unknown = np.full(len(terms), np.nan)
    return replace(
        before,
        items=(*before.items, *factors),
        mean=mean,
        cov=np.moveaxis(whole, -1, 0),
        minimum=np.concatenate([before.minimum, unknown]),
        maximum=np.concatenate([before.maximum, unknown]),
        gamma=None,
    )


def with_residuals(whole: Moments, predictors: Mapping[str, tuple[int, ...]]) -> Moments:
    """Return moments of a batch with some variables replaced by residuals of regressions.

    Parameters
    ----------
    whole
        Moments of a batch, (samples, items).
    predictors
        Of each variable the numbers of those it is regressed on, with a constant.
    """
    if not predictors:
        return whole
    mean, size = whole.mean.copy(), len(whole.items)
    linear = np.zeros((len(mean), size, size))
    linear[:, range(size), range(size)] = 1.0
    places: dict[tuple[int, ...], list[int]] = {}
    for name, own in predictors.items():
        places.setdefault(own, []).append(whole.items.index(name))
    for own, residuals in places.items():
        among = np.nan_to_num(whole.cov[:, np.array(own)[:, None], own])
        across = np.nan_to_num(whole.cov[:, np.array(own)[:, None], residuals])
        slopes = np.linalg.pinv(among, rcond=1e-10, hermitian=True) @ across
        linear[:, np.array(residuals)[:, None], own] = -np.swapaxes(slopes, -1, -2)
        mean[:, residuals] = 0.0
    return replace(whole, mean=mean, cov=linear @ whole.cov @ np.swapaxes(linear, -1, -2))


@dataclass(frozen=True, eq=False)
class _ProductMoments:
    """Means of products, (products, samples), their covariances with items and each other."""

    mean: Floats
    with_items: Floats
    between: Floats


def _product_moments(
    before: Moments, weights: Floats, products: Sequence[tuple[int, ...]], name: str
) -> _ProductMoments:
    """Return the moments of products of scores, from sums over the rows."""
    count, samples = len(products), len(before.n)
    total, sums = np.zeros(samples), np.zeros((count, samples))
    level, known = np.zeros((count, samples)), np.zeros(samples, dtype=bool)
    shared = np.zeros((count, samples, len(before.items)))
    between = np.zeros((count, count, samples))
    for own in _stretches(before, name, count):
        part, counts = own.part, own.counts
        factors = list(_products_of_scores(own, weights, products))
        if not known[part].all():  # near the mean, so that nothing cancels
            whole = np.maximum(counts.sum(axis=1), 1.0)
            level[:, part] = [(factor * counts).sum(axis=1) / whole for factor in factors]
            known[part] = True
        total[part] += counts.sum(axis=1)
        for k, factor in enumerate(factors):
            factor -= level[k, part, None]
            weighted = factor * counts
            sums[k, part] += weighted.sum(axis=1)
            share = weighted.sum(axis=1)[:, None] if len(own.seen) == 1 else weighted @ own.seen
            shared[k, part] += weighted @ own.x - own.shift * share
            for other in range(k + 1):
                between[k, other, part] += (weighted * factors[other]).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = before.n / (before.n - 1.0)
        off = sums / total
        with_items = np.moveaxis(shared, -1, 0) / total * spread
        between = (between / total - off[:, None] * off) * spread
    row, column = np.triu_indices(count, 1)
    between[row, column] = between[column, row]
    return _ProductMoments(level + off, with_items, between)


def mean_products(before: Moments, weights: Floats, products: Sequence[tuple[int, ...]]) -> Floats:
    """Return means of products of scores, (products, samples), by n - 1 as variances are.

    Parameters
    ----------
    before, weights
        As in `with_scores`.
    products
        Numbers of the scores that each is made of, repeated ones for powers.

    Raises
    ------
    SurveyError
        Where there are no rows, or answers that are missing pairwise.
    """
    total, sums = np.zeros(len(before.n)), np.zeros((len(products), len(before.n)))
    for own in _stretches(before, "of scores"):
        total[own.part] += own.counts.sum(axis=1)
        for k, values in enumerate(_products_of_scores(own, weights, products)):
            sums[k, own.part] += (values * own.counts).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums / total * (before.n / (before.n - 1.0)))


@dataclass(frozen=True, eq=False)
class _Stretch:
    """A stretch of rows in some samples.

    Attributes
    ----------
    part
        The samples.
    x
        Answers about a centre, 0 where missing, (rows, items).
    seen
        1 where there is an answer, (rows, items), or (1, 1) where there are all.
    shift
        Means of the samples about the centre, (samples, items).
    counts
        What the rows count, (samples, rows).
    """

    part: slice
    x: Floats
    seen: Floats
    shift: Floats
    counts: Floats


def _stretches(before: Moments, name: str, arrays: int = 1) -> Iterator[_Stretch]:
    """Yield the rows behind moments, whose scores are multiplied, stretch by stretch."""
    rows = _rows_with_scores(before, name)
    own = [rows.answers.items.index(item) for item in before.items]
    complete, means = rows.answers.missing == "complete", np.nan_to_num(before.mean)
    for part, values, counts in rows.parts(arrays):
        centre = means[part].mean(axis=0)
        x, shift = values[:, own] - centre, means[part] - centre
        seen = np.ones((1, 1)) if complete else (~np.isnan(x)).astype(np.float64)
        yield _Stretch(part, x if complete else np.nan_to_num(x), seen, shift, counts)


def _rows_with_scores(before: Moments, name: str) -> SampleRows:
    """Return the rows behind moments, whose scores can be multiplied."""
    if before.rows is None:
        raise SurveyError(
            f"The product {name!r} is made of the answers of each respondent, and there are "
            "moments alone; fit a survey or a data frame instead."
        )
    if before.rows.answers.missing == "pairwise":
        raise SurveyError(
            f"The product {name!r} needs a score of every respondent, and under "
            "missing='pairwise' those with a missing answer have none; use missing='listwise' or "
            "'mean'."
        )
    return before.rows


def _products_of_scores(
    rows: _Stretch, weights: Floats, products: Sequence[tuple[int, ...]]
) -> Iterator[Floats]:
    """Yield products of the scores of rows in each sample, (samples, rows) each."""
    weights = np.nan_to_num(weights[rows.part])  # without a solution
    scores = {}
    for score in {score for product in products for score in product}:
        own = weights[:, score]
        everywhere = (own * rows.shift).sum(axis=1)[:, None]
        level = everywhere if len(rows.seen) == 1 else (own * rows.shift) @ rows.seen.T
        scores[score] = own @ rows.x.T - level
    for product in products:
        values = scores[product[0]].copy()
        for score in product[1:]:
            values *= scores[score]
        yield values
