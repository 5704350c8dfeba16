"""Sums of products of items: of the sample, of resamples, of the sample without some units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.blocks import complete_moments
from csimodel.moments.copies import Copies, Whole
from csimodel.moments.moments import Moments
from csimodel.moments.resample_sums import ProductBlock, StretchProducts, resample_sums
from csimodel.moments.sample_rows import NudgedUnits, ResampledRows, WholeSample, WithoutUnits
from csimodel.moments.sums import (
    moments_of_sums,
    moments_of_totals,
    pieces_of,
    products_of,
    sums_of_segments,
)
from csimodel.moments.unit_sums import UnitSums
from csimodel.survey import Answers
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_STRETCH = 4096  # rows handled together
_CELLS = 2**20  # products of items held at once
_LONG = 4  # rows of a segment from which on a matrix product of its own is faster


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
        if self.answers.missing == "complete":
            return complete_moments(self.answers)
        return replace(self.of_totals(self.totals[None])[0], rows=WholeSample(self.answers))

    def resampled(self, counts: Floats | Copies) -> Moments:
        """Return the moments of resamples, (draws, rows): one matrix product for each stretch."""
        answers = self.answers
        if isinstance(counts, Copies):
            plain = counts.factor is None and answers.weights is None
            largest = self._largest_products if plain else None
            sums, extra = self._resample_sums(counts.numbers, counts.factor, largest)
            if counts.base is not None:
                fixed, besides = self._resample_sums(counts.base[None])
                sums, extra = sums + fixed, extra + besides
        else:
            sums, extra = self._resample_sums(counts)
        n, total, squared = extra[0], extra[0], None
        if answers.weights is not None:
            total, squared = extra[1:3]
        seen_rows = None if answers.missing == "complete" else extra[-len(self.centre) :]
        moments = moments_of_sums(answers, self.centre, sums, total, n, squared, seen_rows)
        return replace(moments, rows=ResampledRows(answers, counts))

    def _resample_sums(
        self, times: Floats | Whole, factor: Floats | None = None, largest: Floats | None = None
    ) -> tuple[Floats, Floats]:
        return resample_sums(lambda part: self._stretch_products(part, factor), times, largest)

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
    def _largest_products(self) -> Floats | None:
        """The largest square of an answer of each row about the centre, (rows,), at least 1.

        None unless all answers are whole.
        """
        values = self.answers.values
        largest = np.empty(len(values))
        for start in range(0, len(values), _STRETCH):
            x = values[start : start + _STRETCH] - self.centre
            rounding = np.abs(x - np.rint(x))
            if np.fmax.reduce(rounding, axis=None, initial=0.0) > 0.0:
                return None
            largest[start : start + _STRETCH] = np.fmax.reduce(np.abs(x), axis=1, initial=1.0)
        return largest**2

    def leave_out(
        self, units: SurveyDesign, counts: Floats | None = None
    ) -> Callable[[Codes], Moments]:
        """Return the function from units to moments with one copy of each left out in turn.

        With several strata the others of the unit's stratum are weighted up to keep its total,
        ``m / (m - 1)`` for m units.

        Parameters
        ----------
        units
            Which unit (respondent or cluster) each row belongs to, and the units' strata.
        counts
            How often each row is present, (rows,); once by default. For one stratum only.
        """
        sums = self._by_unit(units, counts)

        def without(chosen: Codes) -> Moments:
            rows = WithoutUnits(self.answers, units, chosen, counts)
            return replace(self.of_totals(sums.without_each(chosen)), rows=rows)

        return without

    def without_folds(self, folds: Codes) -> Moments:
        """Return the moments without the rows of each fold, as one batch.

        Parameters
        ----------
        folds
            Fold of each row in each division of the sample, codes 0, 1, …, (divisions, rows).
        """
        rows = np.concatenate([np.argsort(codes, kind="stable") for codes in folds])
        sizes = np.concatenate([np.bincount(codes) for codes in folds])
        sums, ends = np.zeros((len(sizes), len(self.totals))), np.cumsum(sizes)
        place = np.repeat(np.arange(len(sizes)), sizes)
        step = max(64, _CELLS // self.pieces)
        for start in range(0, len(rows), step):
            own = place[start : start + step]
            first = own[0]
            starts = np.maximum(ends[first : own[-1] + 1] - sizes[first : own[-1] + 1] - start, 0)
            sums[first : own[-1] + 1] += self._of_segments(rows[start : start + step], starts)
        return self.of_totals(self.totals - sums)

    def nudge(self, units: SurveyDesign) -> Callable[[Codes, Floats], Moments]:
        """Return the function from units and steps to moments with weights times ``1 + step``.

        In turn, one sample for each unit. Counts of rows stay as they are, so that the moments are
        those of weights alone.
        """
        sums, weighted = self._by_unit(units, None), slice(0, self.pieces + 1)

        def nudged(chosen: Codes, steps: Floats) -> Moments:
            rows = NudgedUnits(self.answers, units, chosen, steps)
            return replace(self.of_totals(sums.nudged(chosen, steps, weighted)), rows=rows)

        return nudged

    def _by_unit(self, units: SurveyDesign, counts: Floats | None) -> UnitSums:
        step = max(64, _CELLS // self.pieces)
        return UnitSums(units, self._of_rows, step, counts, self._of_segments)

    def _of_segments(self, rows: Codes, starts: Codes) -> Floats:
        """Return what rows add to the totals from each start to the next, (segments, any)."""
        if len(rows) < _LONG * len(starts):
            return np.asarray(np.add.reduceat(self._of_rows(rows), starts, axis=0))
        values, weights = self.answers.values[rows], self.answers.weights
        own = None if weights is None else weights[rows]
        sums = sums_of_segments(self.answers, values - self.centre, own, starts)
        return np.hstack([sums, np.add.reduceat(self._besides(rows, values), starts, axis=0)])

    def _of_rows(self, rows: Codes) -> Floats:
        """Return what some rows add to the totals, (rows, any)."""
        values, weights = self.answers.values[rows], self.answers.weights
        products = products_of(self.answers, values - self.centre)
        if weights is not None:
            products *= weights[rows, None]
        return np.hstack([products, self._besides(rows, values)])

    def _besides(self, rows: Codes, values: Floats) -> Floats:
        """Return what some rows add to what is summed beside products, (rows, any)."""
        once = np.ones(len(rows))
        weights = once if self.answers.weights is None else self.answers.weights[rows]
        extras = [weights, once, weights**2]
        if self.answers.missing != "complete":
            extras += list((~np.isnan(values)).T)
        return np.stack(extras, axis=1)

    def of_totals(self, totals: Floats) -> Moments:
        """Turn the totals of samples, (samples, any) as in `totals`, into moments."""
        return moments_of_totals(self.answers, self.centre, totals.T)

    @property
    def pieces(self) -> int:
        """Number of sums of products of items."""
        return pieces_of(self.answers)

    @property
    def weights(self) -> Floats:
        """Weights of the rows, 1 where none were given, (rows,)."""
        return self.answers.row_weights

    @cached_property
    def totals(self) -> Floats:
        """Sums over all rows: products, weights, rows, squared weights, answers of each item."""
        answers, weights = self.answers, self.weights
        rest = [weights.sum(), len(weights), (weights**2).sum()]
        if answers.missing != "complete":
            rest += list((~np.isnan(answers.values)).sum(axis=0))
        return np.concatenate([self._sums, rest])

    @cached_property
    def _sums(self) -> Floats:
        """Weighted sums of the products of items over all rows, (pieces,), by matrix products."""
        answers, whole = self.answers, np.zeros(1, dtype=np.intp)
        sums = np.zeros(self.pieces)
        for start in range(0, len(answers.values), _STRETCH):
            part = slice(start, start + _STRETCH)
            weights = None if answers.weights is None else answers.weights[part]
            x = answers.values[part] - self.centre
            sums += sums_of_segments(answers, x, weights, whole)[0]
        return sums
