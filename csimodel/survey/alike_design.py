"""Designs of rows that stand for several respondents who are alike.

What a respondent adds to an estimate is the same for all of a row but for the weight w, so what a
sampled unit adds is ``Σ w`` times what one of weight 1 does, and squares add up as ``Σ w²``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False, kw_only=True)
class AlikeRespondents(SurveyDesign):
    """A design of respondents, of whom those that are alike are one row.

    Attributes
    ----------
    counts, weight, squares
        Respondents of each row, the sum of their weights and of the squares, (rows,).

    Examples
    --------
    >>> one = np.zeros(2, dtype=np.intp)
    >>> two, twice = np.array([1.0, 2.0]), np.array([[-2.0], [2.0]])
    >>> design = AlikeRespondents(one, one, counts=two, weight=two, squares=two)
    >>> each = np.array([[-2.0], [1.0], [1.0]])
    >>> design.variance(design.of_rows(twice)), SurveyDesign.of(3).variance(each)
    (array([9.]), array([9.]))
    """

    counts: Floats
    weight: Floats
    squares: Floats

    @property
    def respondents(self) -> int:
        """Number of respondents."""
        return int(self.counts.sum())

    @property
    def units(self) -> int:
        """Number of units."""
        return self.respondents

    @cached_property
    def sizes(self) -> Codes:
        """Number of units of each stratum, (strata,)."""
        return np.bincount(self.stratum, self.counts, self.strata).astype(np.intp)

    @cached_property
    def lonely_units(self) -> NDArray[np.bool_]:
        """Mark the rows that are alone in their stratum, (rows,)."""
        return np.asarray((self.sizes == 1)[self.stratum] & (self.strata > 1))

    @cached_property
    def _scale(self) -> Floats:
        return np.asarray(np.sqrt(self.squares) / self.weight)

    def of_rows(self, values: Floats) -> Floats:
        """Return what has the squares of respondents, from what rows add together, (rows, any)."""
        return np.asarray(values * self._scale[:, None])

    def totals(self, values: Floats) -> Floats:
        """Return the same."""
        return self.of_rows(values)

    def covariance(self, totals: Floats) -> Floats:
        """Return the covariance matrix of estimates from totals, (any, any)."""
        factor, share = self.factors
        sums = np.zeros((self.strata, totals.shape[1]))
        for k, own in enumerate(totals.T):
            sums[:, k] = np.bincount(self.stratum, own / self._scale, self.strata)
        whole = (totals * factor[self.stratum, None]).T @ totals
        return np.asarray(whole - (sums * (factor * share)[:, None]).T @ sums)

    def variance(self, totals: Floats) -> Floats:
        """Return the variance of estimates from totals, (any,)."""
        every = [self.covariance(own[:, None])[0, 0] for own in totals.T]
        return np.asarray(np.maximum(np.array(every), 0.0))


@dataclass(frozen=True, eq=False, kw_only=True)
class AlikeMembers(SurveyDesign):
    """A design of clusters whose members that are alike are one row.

    Attributes
    ----------
    counts
        Respondents of each row, (rows,).
    weight
        Sum of the weights of each row, (rows,).
    members
        Sums of weights to the powers 0, 1 and 2 (of the power 1 alone without weights) of the
        members of each cluster in each row, sparse, (clusters, rows) each.
    """

    counts: Floats
    weight: Floats
    members: tuple[csr_array, ...]

    @property
    def respondents(self) -> int:
        """Number of respondents."""
        return int(self.counts.sum())

    def totals(self, values: Floats) -> Floats:
        """Sum within clusters what rows add together, (rows, any) to (clusters, any)."""
        plain = self.members[1 if len(self.members) > 1 else 0]
        return np.asarray(plain @ (values / self.weight[:, None]))

    def of_powers(self, values: Floats) -> list[Floats]:
        """Sum within clusters values of one respondent of each row, by power of the weight.

        (rows, any) to (clusters, any).
        """
        return [np.asarray(own @ values) for own in self.members]
