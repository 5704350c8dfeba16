"""Sample moments: number of rows, means and covariances, one set or a batch of them.

Weighted moments are ``mean = Σ w x / Σ w`` and
``cov = Σ w (x - mean)(x - mean)' / Σ w · n / (n - 1)``, so that equal weights give the usual
sample moments whatever their scale.

Under ``"pairwise"`` each mean uses the rows that answered the item and each covariance the
rows that answered both, with the number of those rows less 1 as denominator, as R's cov does.
Under ``"mean"`` a missing cell counts as the item's mean of the same (re)sample, so a bootstrap
repeats the replacement in every draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csimodel.errors import SurveyError, suggest
from csimodel.survey import Answers, Survey

Floats = NDArray[np.float64]

_STRETCH = 4096  # rows handled together


@dataclass(frozen=True, eq=False)
class Moments:
    """Means and covariances of items, with any leading batch axes.

    Attributes
    ----------
    items
        Names, in the order of the last axes.
    n
        Number of rows, (...,).
    mean
        Item means in scale units, (..., items); NaN when only covariances are known.
    cov
        Covariances with denominator n - 1, (..., items, items).
    minimum, maximum
        Scale bounds, (items,); NaN where unknown.
    effective_n
        Kish's number of equally weighted rows, (...,); n when there are no weights.

    Examples
    --------
    >>> moments = Moments.from_array([[1, 2], [3, 2], [5, 8]], ["a", "b"])
    >>> moments.mean
    array([3., 4.])
    >>> moments.cov
    array([[ 4.,  6.],
           [ 6., 12.]])
    """

    items: tuple[str, ...]
    n: NDArray[np.float64]
    mean: Floats
    cov: Floats
    minimum: Floats
    maximum: Floats
    effective_n: NDArray[np.float64]

    @classmethod
    def from_array(
        cls, values: ArrayLike, items: Sequence[str], scale: tuple[float, float] | None = None
    ) -> Moments:
        """Return the moments of complete answers, (rows, items) or (batch, rows, items).

        Raises
        ------
        SurveyError
            When the shapes disagree or a value is missing or infinite.
        """
        data = np.asarray(values, dtype=np.float64)
        if data.ndim < 2 or data.shape[-1] != len(items):
            raise SurveyError(
                f"Values of shape {data.shape} do not fit {len(items)} item names; "
                "give (rows, items) or (batch, rows, items)."
            )
        if not np.isfinite(data).all():
            raise SurveyError(
                "Values hold missing or infinite cells; use read_survey with a missing-data policy."
            )
        rows = data.shape[-2]
        mean = data.mean(axis=-2)
        centred = data - mean[..., None, :]
        cov = np.swapaxes(centred, -1, -2) @ centred / max(rows - 1, 1)
        return cls._build(items, np.full(data.shape[:-2], float(rows)), mean, cov, scale)

    @classmethod
    def from_cov(
        cls,
        cov: ArrayLike,
        n: float,
        items: Sequence[str],
        mean: ArrayLike | None = None,
        scale: tuple[float, float] | None = None,
    ) -> Moments:
        """Return moments that are known already: a covariance or correlation matrix and n.

        Raises
        ------
        SurveyError
            When the matrix is not square, symmetric and finite, does not fit the names,
            or n is below 2.

        Examples
        --------
        >>> Moments.from_cov([[1, 0.5], [0.5, 1]], n=250, items=["a", "b"]).n
        array(250.)
        """
        matrix = np.asarray(cov, dtype=np.float64)
        size = len(items)
        if matrix.ndim < 2 or matrix.shape[-2:] != (size, size):
            raise SurveyError(
                f"A covariance of shape {matrix.shape} does not fit {size} item names; "
                f"give ({size}, {size})."
            )
        if not np.isfinite(matrix).all():
            raise SurveyError(
                "The covariance matrix holds missing or infinite cells; fill or drop them."
            )
        if not np.allclose(matrix, np.swapaxes(matrix, -1, -2), rtol=1e-8, atol=1e-10):
            raise SurveyError("The covariance matrix is not symmetric; give both triangles alike.")
        if n < 2:
            raise SurveyError(
                f"n={n!r} is too small for a covariance matrix; it needs at least 2 rows."
            )
        means = np.full(matrix.shape[:-1], np.nan) if mean is None else np.asarray(mean, np.float64)
        if means.shape != matrix.shape[:-1]:
            raise SurveyError(
                f"Means of shape {means.shape} do not fit a covariance of shape {matrix.shape}."
            )
        return cls._build(items, np.full(matrix.shape[:-2], float(n)), means, matrix, scale)

    @classmethod
    def _build(
        cls,
        items: Sequence[str],
        n: Floats,
        mean: Floats,
        cov: Floats,
        scale: tuple[float, float] | None,
    ) -> Moments:
        low, high = (np.nan, np.nan) if scale is None else scale
        size = len(items)
        return cls(tuple(items), n, mean, cov, np.full(size, low), np.full(size, high), n)

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """Shape of the leading axes; empty for a single sample."""
        return self.cov.shape[:-2]

    @cached_property
    def sd(self) -> Floats:
        """Standard deviations, (..., items)."""
        variance = np.diagonal(self.cov, axis1=-2, axis2=-1)
        return np.sqrt(np.maximum(variance, 0.0))

    @cached_property
    def cor(self) -> Floats:
        """Correlations, (..., items, items); NaN for items that do not vary."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.cov / (self.sd[..., :, None] * self.sd[..., None, :]))

    def select(self, items: Sequence[str]) -> Moments:
        """Return the moments of some of the items, in the order given."""
        position = {name: i for i, name in enumerate(self.items)}
        missing = [name for name in items if name not in position]
        if missing:
            raise SurveyError(
                f"Item {missing[0]!r} is not among the items of the moments"
                f"{suggest(missing[0], self.items)}."
            )
        take = np.array([position[name] for name in items], dtype=np.intp)
        return replace(
            self,
            items=tuple(items),
            mean=self.mean[..., take],
            cov=self.cov[..., take[:, None], take],
            minimum=self.minimum[take],
            maximum=self.maximum[take],
        )

    def lifted(self) -> Moments:
        """Return a single sample as a batch of one."""
        return replace(
            self,
            n=self.n[None],
            mean=self.mean[None],
            cov=self.cov[None],
            effective_n=self.effective_n[None],
        )

    @classmethod
    def join(cls, parts: Sequence[Moments]) -> Moments:
        """Put batches one after another."""
        return replace(
            parts[0],
            n=np.concatenate([part.n for part in parts]),
            mean=join_last([part.mean for part in parts]),
            cov=join_last([part.cov for part in parts]),
            effective_n=np.concatenate([part.effective_n for part in parts]),
        )

    def __getitem__(self, key: int | slice | NDArray[np.bool_]) -> Moments:
        """Return one sample, or several, of a batch."""
        return replace(
            self,
            n=self.n[key],
            mean=self.mean[key],
            cov=self.cov[key],
            effective_n=self.effective_n[key],
        )


def join_last(parts: Sequence[Floats]) -> Floats:
    """Join batches along their first axis, samples staying last in memory."""
    return np.moveaxis(np.concatenate([np.moveaxis(part, 0, -1) for part in parts], axis=-1), -1, 0)


def moments_of(source: Answers | Survey | Moments, items: Sequence[str] | None = None) -> Moments:
    """Return the moments of a survey's items, of prepared answers, or moments as they are.

    Examples
    --------
    >>> from csimodel.survey import load_mobi
    >>> moments_of(load_mobi(), ["CUSA1", "CUSA2"]).mean.round(3)
    array([7.988, 7.128])
    """
    if isinstance(source, Moments):
        return source if items is None or tuple(items) == source.items else source.select(items)
    if isinstance(source, Survey):
        names = tuple(items if items is not None else source.items)
        source = source.answers({"": names})
    if source.missing == "complete" and source.weights is None:
        return _plain(source)
    return CrossProducts.of(source).resampled(np.ones((1, len(source.values))))[0]


def _plain(answers: Answers) -> Moments:
    """Return the moments of complete, unweighted answers, a stretch of rows in cache at a time."""
    values = answers.values
    n, size = values.shape
    centre = values[:_STRETCH].mean(axis=0)
    total, products = np.zeros(size), np.zeros((size, size))
    for start in range(0, n, _STRETCH):
        x = values[start : start + _STRETCH] - centre
        total += x.sum(axis=0)
        products += x.T @ x
    shift = total / n
    cov = (products - n * np.outer(shift, shift)) / (n - 1.0)
    rows = np.array(float(n))
    return Moments(answers.items, rows, centre + shift, cov, answers.minimum, answers.maximum, rows)


@dataclass(frozen=True, eq=False)
class CrossProducts:
    """Products of items whose weighted sums over rows give the moments of any resample.

    Attributes
    ----------
    answers
        Where they come from.
    centre
        Item means the answers were centred at, for accuracy, (items,).
    products
        Centred items, their products and, with missing cells, who answered, (rows, pieces).
    """

    answers: Answers
    centre: Floats
    products: Floats

    @classmethod
    def of(cls, answers: Answers) -> CrossProducts:
        """Multiply the items of every row, once for all resamples."""
        values = answers.values
        row, column = np.triu_indices(values.shape[1])
        if answers.missing == "complete":
            centre = values.mean(axis=0)
            x = values - centre
            return cls(answers, centre, np.hstack([x, x[:, row] * x[:, column]]))
        seen = ~np.isnan(values)
        centre = np.nanmean(values, axis=0)
        x = np.where(seen, values - centre, 0.0)
        crossed = (x[:, :, None] * seen[:, None, :]).reshape(len(x), -1)
        both = (seen[:, row] & seen[:, column]).astype(np.float64)
        return cls(answers, centre, np.hstack([crossed, x[:, row] * x[:, column], both]))

    def resampled(self, counts: Floats) -> Moments:
        """Return the moments of resamples, `counts` (draws, rows): one matrix product."""
        weights, squared = counts, None
        if self.answers.weights is not None:
            weights, squared = counts * self.answers.weights, counts @ self.answers.weights**2
        return self._moments(
            self.products.T @ weights.T, weights.sum(axis=1), counts.sum(axis=1), squared
        )

    def without_each(
        self,
        units: NDArray[np.intp],
        chosen: slice | NDArray[np.intp],
        counts: Floats | None = None,
    ) -> Moments:
        """Return the moments with one copy of each chosen unit left out in turn.

        Parameters
        ----------
        units
            The unit (respondent or cluster) of each row, codes 0, 1, …, (rows,).
        chosen
            Which units to leave out, one sample each.
        counts
            How often each row is present, (rows,); once by default.
        """
        given, rows = self.answers.weights, len(units)
        weights = np.ones(rows) if given is None else given
        present = np.ones(rows) if counts is None else counts
        size = int(units.max()) + 1
        if size == rows:
            own = np.argsort(units)[chosen]
            parts = (self.products[own] * weights[own, None]).T
        else:
            parts = np.stack(
                [np.bincount(units, x * weights, size)[chosen] for x in self.products.T]
            )
        total = np.bincount(units, weights, size)[chosen]
        squared = None if given is None else np.bincount(units, given**2, size)[chosen]
        return self._moments(
            (present * weights @ self.products)[:, None] - parts,
            present @ weights - total,
            present.sum() - np.bincount(units, minlength=size)[chosen],
            None if squared is None else present @ weights**2 - squared,
        )

    def _moments(self, sums: Floats, total: Floats, n: Floats, squared: Floats | None) -> Moments:
        """Turn weighted sums, (pieces, draws), into moments; draws lie last in memory."""
        answers = self.answers
        with np.errstate(invalid="ignore", divide="ignore"):
            if answers.missing == "complete":
                mean, cov = self._complete(sums, total, n)
            else:
                mean, cov = self._incomplete(sums, total, n)
            effective = n if squared is None else total**2 / squared
        return Moments(
            items=answers.items,
            n=n,
            mean=(mean + self.centre[:, None]).T,
            cov=np.moveaxis(cov, -1, 0),
            minimum=answers.minimum,
            maximum=answers.maximum,
            effective_n=effective,
        )

    def _complete(self, sums: Floats, total: Floats, n: Floats) -> tuple[Floats, Floats]:
        size = len(self.centre)
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

    def _incomplete(self, sums: Floats, total: Floats, n: Floats) -> tuple[Floats, Floats]:
        size, draws = len(self.centre), sums.shape[-1]
        row, column = np.triu_indices(size)
        first = sums[: size * size].reshape(size, size, draws)  # item i over rows that answered k
        second, weight = sums[size * size : -len(row)], sums[-len(row) :]
        mean = first[np.arange(size), np.arange(size)] / weight[row == column]
        if self.answers.missing == "pairwise":
            rows = weight / total * n
            upper = second / weight - first[row, column] * first[column, row] / weight**2
            upper *= rows / (rows - 1.0)
        else:
            upper = second - mean[column] * first[row, column] - mean[row] * first[column, row]
            upper += mean[row] * mean[column] * weight
            upper *= n / (n - 1.0) / total
        cov = np.empty((size, size, draws))
        cov[row, column] = upper
        cov[column, row] = upper
        return mean, cov


def group_moments(answers: Answers, codes: NDArray[np.intp], groups: int) -> Moments:
    """Return a batch of moments, one for each group code 0 … groups - 1, in one pass.

    Groups without rows get n = 0 and NaN moments.
    """
    size = len(answers.items)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(groups + 1))
    n = np.diff(starts).astype(np.float64)
    mean = np.full((size, groups), np.nan)
    cov = np.full((size, size, groups), np.nan)
    effective = n.copy()
    plain = answers.missing == "complete" and answers.weights is None
    values = answers.values[order] if plain else answers.values
    for group in range(groups):
        here = slice(starts[group], starts[group + 1])
        if n[group] < 2:
            continue
        if plain:
            rows = values[here]
            mean[:, group] = centre = rows.mean(axis=0)
            rows = rows - centre
            cov[:, :, group] = rows.T @ rows / (n[group] - 1.0)
            continue
        part = replace(
            answers,
            values=values[order[here]],
            weights=None if answers.weights is None else answers.weights[order[here]],
        )
        one = moments_of(part)
        mean[:, group], cov[:, :, group], effective[group] = one.mean, one.cov, one.effective_n
    return Moments(
        items=answers.items,
        n=n,
        mean=mean.T,
        cov=np.moveaxis(cov, -1, 0),
        minimum=answers.minimum,
        maximum=answers.maximum,
        effective_n=effective,
    )
