"""From answers to moments: of the sample, of resamples, of the sample without some, of groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError
from csimodel.floats import own_errstate
from csimodel.moments.additive import AdditiveMoments, Block, Memory
from csimodel.moments.copies import Copies, Whole
from csimodel.moments.moments import Moments
from csimodel.moments.resample_sums import ProductBlock, StretchProducts, resample_sums
from csimodel.options import require_names, shown
from csimodel.survey import Answers, Survey
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]

_STRETCH = 4096  # rows handled together
_BLOCK = 8192  # rows of a block of additive moments
_QUADRATIC = 1024  # rows whose quadratic forms are made together, so that they stay in cache
_CELLS = 2**22  # products of items held at once
_ROUNDING = 1e-12  # of the squared mean about the centre: a variance below is what sums leave


@own_errstate
@checked
def moments_of(source: Answers | Survey | Moments, items: Sequence[str] | None = None) -> Moments:
    """Return the moments of a survey's items, of prepared answers, or moments as they are.

    Examples
    --------
    >>> from csimodel.survey import load_mobi
    >>> moments_of(load_mobi(), ["CUSA1", "CUSA2"]).mean.round(3)
    array([7.988, 7.128])
    """
    items = None if items is None else require_names("items", items, "item")
    if isinstance(source, Moments):
        return source if items is None or tuple(items) == source.items else source.select(items)
    if isinstance(source, Survey):
        names = tuple(items if items is not None else source.items)
        source = source.answers({"": names})
    if not isinstance(source, Answers):
        raise OptionError(
            f"source={shown(source)} has no answers; give a survey read with csi.read_survey(data)."
        )
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
        Values near the middle that the answers are centred at, for accuracy, (items,).
    """

    answers: Answers
    centre: Floats

    @classmethod
    def of(cls, answers: Answers) -> CrossProducts:
        """Choose the centre: the medians of the first rows that answered.

        A mean would be carried off by a single answer of 999999999, and take the accuracy of
        resamples without that answer along.
        """
        first = np.sort(answers.values[:_STRETCH], axis=0)  # NaN last
        middle = np.maximum((~np.isnan(first)).sum(axis=0) - 1, 0) // 2
        return cls(answers, np.nan_to_num(first[middle, np.arange(first.shape[1])]))

    def sample(self) -> Moments:
        """Return the moments of the answers themselves."""
        if self.answers.missing != "complete":
            return self._with_gaps()
        return _moments(Memory().accumulate(_blocks(self.answers)), self.answers)

    def _with_gaps(self) -> Moments:
        answers = self.answers
        rows = len(answers.values)
        weights = self._given
        squared = None if answers.weights is None else np.array([(weights**2).sum()])
        seen_rows = (~np.isnan(answers.values)).sum(axis=0)[:, None] * 1.0
        total, n = np.array([weights.sum()]), np.array([float(rows)])
        return self._moments(self._sums[:, None], total, n, squared, seen_rows)[0]

    def resampled(self, counts: Floats | Copies) -> Moments:
        """Return the moments of resamples, (draws, rows): one matrix product for each stretch."""
        answers = self.answers
        if isinstance(counts, Copies):
            plain = counts.factor is None and answers.weights is None
            bound = self._largest_product if plain else np.inf
            sums, extra = self._resample_sums(counts.numbers, counts.factor, bound)
            if counts.base is not None:
                fixed, besides = self._resample_sums(counts.base[None])
                sums, extra = sums + fixed, extra + besides
        else:
            sums, extra = self._resample_sums(counts)
        n, total, squared = extra[0], extra[0], None
        if answers.weights is not None:
            total, squared = extra[1:3]
        seen_rows = None if answers.missing == "complete" else extra[-len(self.centre) :]
        return self._moments(sums, total, n, squared, seen_rows)

    def _resample_sums(
        self, times: Floats | Whole, factor: Floats | None = None, bound: float = np.inf
    ) -> tuple[Floats, Floats]:
        return resample_sums(lambda part: self._stretch_products(part, factor), times, bound)

    def _stretch_products(self, part: slice, factor: Floats | None) -> StretchProducts:
        """Return the products of items of some rows, a copy of each counting `factor`."""
        weights = self.answers.weights
        x = np.ascontiguousarray((self.answers.values[part] - self.centre).T)
        once = np.ones((1, x.shape[1])) if factor is None else factor[None, part]
        given = once if weights is None else once * weights[part]
        extra = [once] if weights is None else [once, given, given * weights[part]]
        if self.answers.missing == "complete":
            left = x if given is once and factor is None else x * given
            blocks = [ProductBlock(given, x), ProductBlock(left, x, triangular=True)]
            return StretchProducts(blocks, np.concatenate(extra))
        seen = (~np.isnan(x)).astype(np.float64)
        x = np.nan_to_num(x, nan=0.0)
        wx, weighted = x * given, seen * given
        pairs = [(wx, seen), (wx, x), (wx * x, seen), (weighted, seen)]
        blocks = [ProductBlock(left, right) for left, right in pairs]
        return StretchProducts(blocks, np.concatenate([*extra, seen * once]))

    @cached_property
    def _largest_product(self) -> float:
        """The largest square of an answer about the centre; infinite unless all are whole."""
        largest = 1.0
        for part in self._stretches():
            x = np.nan_to_num(self.answers.values[part] - self.centre)
            if (x != np.rint(x)).any():
                return np.inf
            largest = max(largest, float(np.abs(x).max(initial=0.0)))
        return largest**2

    def without_each(
        self, units: SurveyDesign, chosen: NDArray[np.intp], counts: Floats | None = None
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
        parts, whole = self._totals(units, chosen, counts)
        left = units.leave_out(parts, whole, chosen)
        return self._of_totals(left.T)

    def nudged(self, units: SurveyDesign, chosen: NDArray[np.intp], steps: Floats) -> Moments:
        """Return the moments with the weight of each chosen unit times ``1 + step`` in turn.

        Counts of rows stay as they are, so that the moments are those of weights alone.
        """
        parts, whole = self._totals(units, chosen, None)
        everything = np.repeat(whole.sum(axis=0)[None], len(chosen), axis=0)
        everything[:, : self.pieces + 1] += steps[:, None] * parts[:, : self.pieces + 1]
        return self._of_totals(everything.T)

    def moved(self, sums: NDArray[np.intp], steps: Floats) -> Moments:
        """Return the moments with some of the sums moved by `steps`, one sample for each.

        The sums are those of the products of items, and last the sum of weights.
        """
        everything = np.repeat(self._everything[:, None], len(sums), axis=1)
        everything[sums, np.arange(len(sums))] += steps
        return self._of_totals(everything)

    def unit_totals(self, units: SurveyDesign, gradient: Floats) -> Floats:
        """Return the sums of each unit times a gradient by them, (units, entries).

        Parameters
        ----------
        units
            Which unit each row belongs to.
        gradient
            (pieces + 1, entries)
        """
        totals = np.zeros((units.units, gradient.shape[1]))
        given = self._given
        for start in range(0, len(given), _QUADRATIC):
            part = slice(start, start + _QUADRATIC)
            values = self._weighed(part, gradient)
            values *= given[part, None]
            if units.kind == "respondent":
                totals[part] = values
            else:
                np.add.at(totals, units.unit[part], values)
        return totals

    def _weighed(self, part: slice, gradient: Floats) -> Floats:
        """Return the products of items of some rows times a gradient, (rows, entries).

        As quadratic forms ``x'(Qx + g)``, so that no product is made by itself.
        """
        x = self.answers.values[part] - self.centre
        size, entries = x.shape[1], gradient.shape[1]
        shape = len(x), entries, size

        def form(matrix: Floats, right: Floats) -> Floats:
            """Return a matrix for each entry, (left, right, entries), times rows of the right."""
            return np.asarray(right @ matrix.transpose(1, 2, 0).reshape(size, -1))

        if self.answers.missing == "complete":
            square = np.zeros((size, size, entries))
            square[np.triu_indices(size)] = gradient[size:-1]
            inner = form(square, x) + gradient[:size].T.ravel()
            return np.asarray(np.einsum("rek,rk->re", inner.reshape(shape), x) + gradient[-1])
        seen = (~np.isnan(x)).astype(np.float64)
        x = np.nan_to_num(x, nan=0.0)
        first, product, squared, weight = gradient[:-1].reshape(4, size, size, entries)
        by_answer = form(first, seen) + form(product, x)
        by_seen = form(squared.swapaxes(0, 1), x**2) + form(weight, seen)
        values = np.einsum("rek,rk->re", by_answer.reshape(shape), x)
        values += np.einsum("rek,rk->re", by_seen.reshape(shape), seen)
        return np.asarray(values + gradient[-1])

    @cached_property
    def scales(self) -> Floats:
        """The size that a move of each sum by the whole sample would have, (pieces + 1,)."""
        everything, size = self._everything, len(self.centre)
        total = everything[self.pieces]
        sample = self.sample()
        sd = np.sqrt(np.diagonal(sample.cov))
        if self.answers.missing == "complete":
            row, column = np.triu_indices(size)
            pieces = np.concatenate([sd, sd[row] * sd[column]])
        else:
            one = np.ones((size, size))
            pairs = [sd[:, None] * one, np.outer(sd, sd), (sd**2)[:, None] * one, one]
            pieces = np.stack(pairs).ravel()
        return np.asarray(total * np.concatenate([pieces, [1.0]]))

    @cached_property
    def _everything(self) -> Floats:
        """Sums over all rows: products, weights, rows, squared weights, answers of each item."""
        answers, given = self.answers, self._given
        rest = [given.sum(), len(given), (given**2).sum()]
        if answers.missing != "complete":
            rest += list((~np.isnan(answers.values)).sum(axis=0))
        return np.concatenate([self._sums, rest])

    @cached_property
    def _sums(self) -> Floats:
        """Weighted sums of the products of items over all rows, (pieces,), by matrix products."""
        answers, size = self.answers, len(self.centre)
        total, sums = np.zeros(size), np.zeros((4, size, size))
        for start in range(0, len(answers.values), _STRETCH):
            part = slice(start, start + _STRETCH)
            x = answers.values[part] - self.centre
            w = None if answers.weights is None else answers.weights[part, None]
            if answers.missing == "complete":
                wx = x if w is None else x * w
                total += wx.sum(axis=0)
                sums[1] += wx.T @ x
                continue
            seen = (~np.isnan(x)).astype(np.float64)
            x = np.nan_to_num(x, nan=0.0)
            wx, wm = (x, seen) if w is None else (x * w, seen * w)
            sums += np.stack([wx.T @ seen, wx.T @ x, (wx * x).T @ seen, wm.T @ seen])
        if answers.missing == "complete":
            return np.concatenate([total, sums[1][np.triu_indices(size)]])
        return sums.ravel()

    @property
    def _given(self) -> Floats:
        weights = self.answers.weights
        return np.ones(len(self.answers.values)) if weights is None else weights

    def _totals(
        self, units: SurveyDesign, chosen: NDArray[np.intp], counts: Floats | None
    ) -> tuple[Floats, Floats]:
        """Return sums of each chosen unit, (chosen, any), and of each stratum, (strata, any)."""
        answers, given = self.answers, self._given
        times = np.ones(len(given)) if counts is None else counts
        extras = [given, np.ones(len(given)), given**2]
        if answers.missing != "complete":
            extras += list((~np.isnan(answers.values)).T)
        extra = np.stack(extras, axis=1)

        place = np.full(len(units.stratum), -1, dtype=np.intp)
        place[chosen] = np.arange(len(chosen))
        size = self.pieces
        parts = np.zeros((len(chosen), size + extra.shape[1]))
        whole = np.zeros((units.strata, size + extra.shape[1]))
        for part in self._stretches():
            products = np.hstack([self._products(part) * given[part, None], extra[part]])
            unit = units.unit[part]
            for stratum in np.unique(units.stratum[unit]):
                own = units.stratum[unit] == stratum
                whole[stratum] += times[part][own] @ products[own]
            here = np.flatnonzero(place[unit] >= 0)
            np.add.at(parts, place[unit[here]], products[here])
        return parts, whole

    def _of_totals(self, totals: Floats) -> Moments:
        """Turn sums as in `_everything`, (any, samples), into moments."""
        sums, rest = totals[: self.pieces], totals[self.pieces :]
        squared = None if self.answers.weights is None else rest[2]
        seen_rows = None if self.answers.missing == "complete" else rest[3:]
        return self._moments(sums, rest[0], rest[1], squared, seen_rows)

    @property
    def pieces(self) -> int:
        """Number of sums of products of items."""
        size = len(self.centre)
        return size + size * (size + 1) // 2 if self.answers.missing == "complete" else 4 * size**2

    def _stretches(self) -> list[slice]:
        """Cut the rows so that a stretch's products stay below some 64 MB."""
        rows = len(self.answers.values)
        step = max(64, _CELLS // self.pieces)
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
            own = np.arange(size)
            variance = cov[own, own]
            cov[own, own] = np.where(variance > _ROUNDING * mean**2, variance, 0.0 * variance)
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


def _blocks(answers: Answers, codes: NDArray[np.intp] | None = None) -> Iterator[Block]:
    """Cut complete answers into blocks, by group where there are any; rows of none are left out."""
    whole = Block(answers.values, answers.weights)
    if codes is not None:
        order = np.argsort(codes, kind="stable")[(codes < 0).sum() :]
        by_row = np.ascontiguousarray(answers.values)  # rows are taken three times as fast
        weights = None if answers.weights is None else answers.weights[order]
        whole = Block(by_row.take(order, axis=0), weights, codes[order])
    for start in range(0, len(whole.values), _BLOCK):
        yield whole.part(start, start + _BLOCK)


def _moments(sums: AdditiveMoments, answers: Answers) -> Moments:
    return Moments(
        items=answers.items,
        n=sums.rows,
        mean=sums.mean,
        cov=sums.cov,
        minimum=answers.minimum,
        maximum=answers.maximum,
        effective_n=sums.effective_rows,
    )


def group_moments(answers: Answers, codes: NDArray[np.intp], groups: int) -> Moments:
    """Return a batch of moments, one for each group code 0 … groups - 1, in one pass.

    Groups of fewer than 2 rows get NaN moments.
    """
    if answers.missing == "complete" and (codes >= 0).any():
        sums = Memory().accumulate(_blocks(answers, codes), groups)
        batch = _moments(sums, answers)
        return replace(batch, mean=np.where(sums.rows[:, None] > 1, sums.mean, np.nan))
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(groups + 1))
    n = np.diff(starts).astype(np.float64)
    size = len(answers.items)
    mean, cov = np.full((size, groups), np.nan), np.full((size, size, groups), np.nan)
    effective = n.copy()
    for group in np.flatnonzero(n > 1):
        own = order[starts[group] : starts[group + 1]]
        part = replace(
            answers,
            values=answers.values[own],
            weights=None if answers.weights is None else answers.weights[own],
        )
        alone = moments_of(part)
        mean[:, group], cov[:, :, group] = alone.mean, alone.cov
        effective[group] = alone.effective_n
    return Moments(
        items=answers.items,
        n=n,
        mean=mean.T,
        cov=np.moveaxis(cov, -1, 0),
        minimum=answers.minimum,
        maximum=answers.maximum,
        effective_n=effective,
    )
