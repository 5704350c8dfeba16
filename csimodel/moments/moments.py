"""Sample moments: number of rows, means and covariances, one set or a batch of them.

Weighted moments are ``mean = Σ w x / Σ w`` and
``cov = Σ w (x - mean)(x - mean)' / Σ w · n / (n - 1)``, so that equal weights give the usual
sample moments whatever their scale.

Under ``"pairwise"`` means and variances use the rows that answered the item and each correlation
the rows that answered both items, with the means and variances of those rows, as pandas' corr and
R's cor do; the covariance is that correlation times the two standard deviations.
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
from csimodel.moments.resampling import Units
from csimodel.survey import Answers, Survey

Floats = NDArray[np.float64]

_STRETCH = 4096  # rows handled together
_CELLS = 2**22  # products of items held at once


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
        if not n >= 2:
            raise SurveyError(
                f"n={n!r} is too small for a covariance matrix; it needs at least 2 rows."
            )
        if len(set(items)) < size:
            raise SurveyError(
                "An item name is given twice; name each row of the matrix differently."
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
    return CrossProducts.of(source).sample()


@dataclass(frozen=True, eq=False)
class CrossProducts:
    """Sums of products of items over rows, for the sample itself and for any resample.

    Rows are handled a stretch at a time, so memory does not grow with their number.

    Attributes
    ----------
    answers
        Where they come from.
    centre
        Item means the answers are centred at, for accuracy, (items,).
    """

    answers: Answers
    centre: Floats

    @classmethod
    def of(cls, answers: Answers) -> CrossProducts:
        """Choose the centre: the means of the first rows that answered."""
        first = answers.values[:_STRETCH]
        if answers.missing == "complete":
            return cls(answers, first.mean(axis=0))
        seen = ~np.isnan(first)
        return cls(
            answers, np.where(seen, first, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
        )

    def sample(self) -> Moments:
        """Return the moments of the answers themselves."""
        answers = self.answers
        rows, size = answers.values.shape
        weights = np.ones(rows) if answers.weights is None else answers.weights
        complete = answers.missing == "complete"
        sums = np.zeros((size, size + 1) if complete else (4, size, size))
        for start in range(0, rows, _STRETCH):
            w = weights[start : start + _STRETCH]
            x = answers.values[start : start + _STRETCH] - self.centre
            if complete:
                wx = x if answers.weights is None else x * w[:, None]
                sums[:, 0] += wx.sum(axis=0)
                sums[:, 1:] += wx.T @ x
                continue
            seen = (~np.isnan(x)).astype(np.float64)
            x = np.nan_to_num(x, nan=0.0)
            wx, wm = (x * w[:, None]).T, seen * w[:, None]
            sums += np.stack([wx @ seen, wx @ x, (wx * x.T) @ seen, wm.T @ seen])
        if complete:
            triangle = sums[:, 1:][np.triu_indices(size)]
            flat = np.concatenate([sums[:, 0], triangle])
        else:
            flat = sums.ravel()
        squared = None if answers.weights is None else np.array([(weights**2).sum()])
        seen_rows = None if complete else (~np.isnan(answers.values)).sum(axis=0)[:, None] * 1.0
        total, n = np.array([weights.sum()]), np.array([float(rows)])
        return self._moments(flat[:, None], total, n, squared, seen_rows)[0]

    def resampled(self, counts: Floats) -> Moments:
        """Return the moments of resamples, `counts` (draws, rows): one matrix product."""
        answers = self.answers
        weights, squared = counts, None
        if answers.weights is not None:
            weights, squared = counts * answers.weights, counts @ answers.weights**2
        sums = sum(self._products(part).T @ weights[:, part].T for part in self._stretches())
        seen_rows = None
        if answers.missing != "complete":
            seen_rows = (counts @ ~np.isnan(answers.values)).T
        n = counts.sum(axis=1)
        return self._moments(np.asarray(sums), weights.sum(axis=1), n, squared, seen_rows)

    def without_each(
        self, units: Units, chosen: NDArray[np.intp], counts: Floats | None = None
    ) -> Moments:
        """Return the moments with one copy of each chosen unit left out in turn.

        With several strata the others of the unit's stratum are weighted up to keep its total,
        ``m / (m - 1)`` for m units.

        Parameters
        ----------
        units
            Which unit (respondent or cluster) each row belongs to, and the units' strata.
        chosen
            Numbers of the units to leave out, one sample each.
        counts
            How often each row is present, (rows,); once by default. For one stratum only.
        """
        answers = self.answers
        given = np.ones(len(answers.values)) if answers.weights is None else answers.weights
        times = np.ones(len(given)) if counts is None else counts
        extras = [given, np.ones(len(given)), given**2]
        if answers.missing != "complete":
            extras += list((~np.isnan(answers.values)).T)
        extra = np.stack(extras, axis=1)

        place = np.full(len(units.stratum), -1, dtype=np.intp)
        place[chosen] = np.arange(len(chosen))
        size = self._pieces
        parts = np.zeros((len(chosen), size + extra.shape[1]))
        whole = np.zeros((units.strata, size + extra.shape[1]))
        for part in self._stretches():
            products = np.hstack([self._products(part) * given[part, None], extra[part]])
            unit = units.of_row[part]
            for stratum in np.unique(units.stratum[unit]):
                own = units.stratum[unit] == stratum
                whole[stratum] += times[part][own] @ products[own]
            here = np.flatnonzero(place[unit] >= 0)
            np.add.at(parts, place[unit[here]], products[here])
        left = units.leave_out(parts, whole, chosen)
        sums, rest = left[:, :size].T, left[:, size:].T
        squared = None if answers.weights is None else rest[2]
        seen_rows = None if answers.missing == "complete" else rest[3:]
        return self._moments(sums, rest[0], rest[1], squared, seen_rows)

    @property
    def _pieces(self) -> int:
        size = len(self.centre)
        return size + size * (size + 1) // 2 if self.answers.missing == "complete" else 4 * size**2

    def _stretches(self) -> list[slice]:
        """Cut the rows so that a stretch's products stay below some 64 MB."""
        rows = len(self.answers.values)
        step = max(64, _CELLS // self._pieces)
        return [slice(start, min(start + step, rows)) for start in range(0, rows, step)]

    def _products(self, part: slice) -> Floats:
        """Return the products of items of some rows, (rows, pieces)."""
        x = self.answers.values[part] - self.centre
        if self.answers.missing == "complete":
            row, column = np.triu_indices(x.shape[1])
            return np.hstack([x, x[:, row] * x[:, column]])
        seen = (~np.isnan(x)).astype(np.float64)
        x = np.nan_to_num(x, nan=0.0)
        pairs = [
            x[:, :, None] * seen[:, None],
            x[:, :, None] * x[:, None],
            (x**2)[:, :, None] * seen[:, None],
            seen[:, :, None] * seen[:, None],
        ]
        return np.stack(pairs, axis=1).reshape(len(x), -1)

    def _moments(
        self,
        sums: Floats,
        total: Floats,
        n: Floats,
        squared: Floats | None,
        seen_rows: Floats | None,
    ) -> Moments:
        """Turn weighted sums, (pieces, draws), into moments; draws lie last in memory."""
        answers, size = self.answers, len(self.centre)
        with np.errstate(invalid="ignore", divide="ignore"):
            if seen_rows is None:
                mean, cov = _complete(sums, total, n, size)
            else:
                parts = sums.reshape(4, size, size, -1)
                pairwise = answers.missing == "pairwise"
                mean, cov = _pairwise(parts, seen_rows) if pairwise else _filled(parts, total, n)
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


def group_moments(answers: Answers, codes: NDArray[np.intp], groups: int) -> Moments:
    """Return a batch of moments, one for each group code 0 … groups - 1, in one pass.

    Groups of fewer than 2 rows get NaN moments.
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
