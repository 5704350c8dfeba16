"""Resamples of ordered answers: thresholds and correlations again in every draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import OptionError, SurveyError
from csimodel.moments.association import Association, associate
from csimodel.moments.copies import Copies
from csimodel.moments.cross_products import CrossProducts
from csimodel.moments.margins import Bread, Margins, margins_of
from csimodel.moments.moments import Moments
from csimodel.moments.ordinal import OrdinalMoments, ordinal_moments
from csimodel.moments.responses import Responses
from csimodel.moments.unit_sums import UnitSums
from csimodel.survey import Answers
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_STRETCH = 2048  # respondents whose influences are held at once


@dataclass(frozen=True, eq=False)
class OrdinalSamples:
    """What `CrossProducts` is for means and covariances, for ordered answers.

    Attributes
    ----------
    answers
        Complete answers.
    ordered
        Names of the ordered items.
    products
        For the means and covariances of the answers.
    normal
        As in `ordinal_moments`.
    errors
        Whether resamples have sampling variances of their correlations.
    """

    answers: Answers
    ordered: tuple[str, ...]
    products: CrossProducts
    normal: bool = False
    errors: bool = True

    @classmethod
    def of(
        cls,
        answers: Answers,
        ordered: Sequence[str],
        normal: bool = False,
        *,
        errors: bool = True,
    ) -> OrdinalSamples:
        """Prepare answers for resampling."""
        return cls(answers, tuple(ordered), CrossProducts.of(answers), normal, errors)

    def resampled(self, counts: Floats | Copies) -> Moments:
        """Return the statistics of resamples, (draws, rows).

        A draw in which an item keeps one answer has NaN for all sampling variances, one with a
        correlation at the edge NaN for that correlation's; without sampling variances it has no
        correlations, and one with a correlation at the edge has ±1 but for rounding.
        """
        times = counts.counts if isinstance(counts, Copies) else counts
        draws = [self._draw(own) for own in times]
        return replace(self.products.resampled(counts), responses=Responses.join(draws))

    def _draw(self, counts: Floats) -> Responses:
        answers = self.answers
        weights = counts if answers.weights is None else counts * answers.weights
        whole = bool((counts == np.round(counts)).all())
        if whole:
            rows = np.repeat(np.arange(len(counts)), counts.astype(np.intp))
            given = None if answers.weights is None else answers.weights[rows]
        else:
            rows = np.flatnonzero(counts)
            given = weights[rows]
        try:
            if not self.errors:
                share = np.ones(len(rows)) if given is None else given
                pairs = associate(self._margins(answers.values[rows], share))
                return Responses.of_pairs(pairs)[None]
            moments = ordinal_moments(
                answers.values[rows],
                answers.items,
                self.ordered,
                given,
                normal=self.normal,
                weighting="frequency",
            )
        except SurveyError:  # an item kept one answer
            return self._nothing[None]
        return Responses.of(moments)[None]

    @property
    def _nothing(self) -> Responses:
        size = len(self.answers.items)
        if not self.errors:
            return Responses.unknown(size)
        return Responses(np.eye(size), np.full(size * (size + 1) // 2, np.nan), np.ones(size))

    def leave_out(
        self, units: SurveyDesign, counts: Floats | None = None
    ) -> Callable[[Codes], Moments]:
        """Return the function from units to statistics without each in turn, to first order.

        Covariances move by the influences of those left out, ``s + Σ w IF / Σ w`` over the
        others, whatever the distribution of continuous items. No correlation is estimated again;
        the error is of order 1/n². Their sampling variances stay those of the sample. Arguments
        are those of `CrossProducts`.

        Raises
        ------
        OptionError
            For `counts`, which the jackknife inside draws would need.

        References
        ----------
        Efron, B. (1982). The Jackknife, the Bootstrap and Other Resampling Plans, chapter 6.
        https://doi.org/10.1137/1.9781611970319
        """
        if counts is not None:
            raise OptionError(
                "interval='studentized' is not available for ordered answers; use 'bca' or "
                "'percentile'."
            )
        sums = UnitSums(units, self._of_rows, _STRETCH)
        plain = self.products.leave_out(units)
        return lambda chosen: self._moved(plain(chosen), sums.without_each(chosen))

    def nudge(self, units: SurveyDesign) -> Callable[[Codes, Floats], Moments]:
        """Return the function from units and steps to statistics, weights times ``1 + step``."""
        sums, plain = UnitSums(units, self._of_rows, _STRETCH), self.products.nudge(units)
        return lambda chosen, steps: self._moved(
            plain(chosen, steps), sums.nudged(chosen, steps, slice(None))
        )

    def _moved(self, moments: Moments, left: Floats) -> Moments:
        """Return statistics moved by sums of influences, (samples, any), weights last."""
        moved = left[:, :-1] / left[:, -1:]
        own = self._sample
        items = len(self.answers.items)
        cov = np.repeat(own.cov[None], len(left), axis=0)
        column, row = np.triu_indices(items, 1)
        free = np.flatnonzero(~self._association.margins.ordered)
        cov[:, free, free] += moved[:, : len(free)]
        cov[:, row, column] += moved[:, len(free) :]
        cov[:, column, row] = cov[:, row, column]
        same = Responses.of(own)
        variance, clarity = (
            np.broadcast_to(part, (len(left), len(part))) for part in (same.variance, same.clarity)
        )
        return replace(moments, responses=Responses(cov, variance, clarity))

    def _of_rows(self, rows: Codes) -> Floats:
        """Return the weighted influences of some rows, and their weights, (rows, any)."""
        weights = self.products.weights[rows, None]
        influences = self._association.influences(rows)
        return np.hstack([influences * weights, weights])

    @cached_property
    def _sample(self) -> OrdinalMoments:
        answers = self.answers
        return ordinal_moments(
            answers.values,
            answers.items,
            self.ordered,
            answers.weights,
            normal=self.normal,
            weighting="frequency",
        )

    @cached_property
    def _association(self) -> Association:
        values, weights = self.answers.values, self.products.weights
        return associate(self._margins(values, weights, "curvature"))

    def _margins(self, values: Floats, weights: Floats, bread: Bread = "mixed") -> Margins:
        """Return step one of rows with weights."""
        items = self.answers.items
        ordered = np.array([item in self.ordered for item in items], dtype=np.bool_)
        return margins_of(values, items, ordered, weights / weights.sum(), bread)
