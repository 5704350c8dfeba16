"""Normal responses behind ordered answers: their covariances, of one sample or a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.association import Association
from csimodel.moments.batches import BatchBuffer
from csimodel.moments.bivariate import normal_pdf
from csimodel.moments.gamma import DenseGamma, Gamma, RootGamma
from csimodel.moments.ordinal import OrdinalMoments

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Responses:
    """Covariances of the responses, and how well each is known.

    Attributes
    ----------
    cov
        As in `OrdinalMoments`, (..., items, items).
    variance
        n times the sampling variance of each covariance, 0 for the variances of ordered items,
        which are 1 by definition, (..., items (items + 1) / 2) in the order of vech; NaN where
        there is none or nobody asked for it.
    clarity
        Correlation of each item's answers, as numbers, with the responses behind them, (...,
        items): ``Σ φ(τ) Δx / s`` over the thresholds τ, Δx the step of the answer there and s its
        standard deviation (Olsson, Drasgow and Dorans 1982, doi:10.1007/BF02294164); 1 for
        continuous items.
    """

    cov: Floats
    variance: Floats
    clarity: Floats

    @classmethod
    def of(cls, ordinal: OrdinalMoments) -> Responses:
        """Take them from the statistics of a sample."""
        items = len(ordinal.items)
        variance = covariance_gamma(ordinal).diagonal[items:].copy()
        thresholds = [ordinal.thresholds[ordinal.threshold_item == i] for i in range(items)]
        return cls(ordinal.cov, variance, _clarity(thresholds, ordinal.categories))

    @classmethod
    def of_pairs(cls, pairs: Association) -> Responses:
        """Take them from the correlations of a sample, without sampling variances."""
        margins, items = pairs.margins, len(pairs.margins.ordered)
        thresholds = [
            edges[1:count] for edges, count in zip(margins.edges, margins.counts, strict=True)
        ]
        unknown = np.full(items * (items + 1) // 2, np.nan)
        return cls(pairs.cov, unknown, _clarity(thresholds, margins.values))

    @classmethod
    def unknown(cls, items: int, batch: tuple[int, ...] = ()) -> Responses:
        """Return those of samples that have none: NaN throughout."""
        shapes = (items, items), (items * (items + 1) // 2,), (items,)
        return cls(*(np.full(batch + shape, np.nan) for shape in shapes))

    @cached_property
    def cor(self) -> Floats:
        """Correlations, (..., items, items)."""
        sd = np.sqrt(np.diagonal(self.cov, axis1=-2, axis2=-1))
        return np.asarray(self.cov / (sd[..., :, None] * sd[..., None, :]))

    def __getitem__(
        self, key: int | slice | NDArray[np.bool_] | NDArray[np.intp] | None
    ) -> Responses:
        """Return one sample, or several, of a batch; None makes one sample a batch."""
        return Responses(self.cov[key], self.variance[key], self.clarity[key])

    @property
    def arrays(self) -> dict[str, Floats]:
        """What each sample of a batch has, by name."""
        return {"cov": self.cov, "variance": self.variance, "clarity": self.clarity}

    @classmethod
    def join(cls, parts: Sequence[Responses]) -> Responses:
        """Put batches one after another."""
        buffer = BatchBuffer(sum(len(part.clarity) for part in parts))
        for part in parts:
            buffer.add(part.arrays)
        return cls(**buffer.arrays)


def _clarity(thresholds: Sequence[Floats], categories: Sequence[Floats]) -> Floats:
    """Return the clarity of each item; items without thresholds are continuous."""
    from scipy.special import ndtr

    clarity = np.ones(len(thresholds))
    for i, (tau, value) in enumerate(zip(thresholds, categories, strict=True)):
        if not len(tau):
            continue
        share = np.diff(ndtr(tau), prepend=0.0, append=1.0)
        spread = share @ value**2 - (share @ value) ** 2
        clarity[i] = normal_pdf(tau) @ np.diff(value) / np.sqrt(spread)
    return clarity


def covariance_gamma(ordinal: OrdinalMoments) -> Gamma:
    """Return Γ in the order of `fourth_moments`: means of all items, vech of covariances.

    Rows and columns of what an ordered item does not have, its mean and variance, are 0.

    >>> from csimodel.moments.ordinal import ordinal_moments
    >>> answers = [[1, 1.0], [1, 2.0], [2, 1.5], [2, 4.0]]
    >>> gamma = covariance_gamma(ordinal_moments(answers, ["a", "x"], ["a"]))
    >>> (gamma.diagonal > 0).tolist()
    [False, True, False, True, True]
    """
    return _taken(ordinal, _sources(ordinal, [f"{name}~1" for name in ordinal.items]))


def response_gamma(ordinal: OrdinalMoments) -> Gamma:
    """Return Γ of thresholds and means, item by item, and vech of covariances.

    Rows and columns of variances of ordered items are 0.
    """
    return _taken(ordinal, _sources(ordinal, ordinal.labels[: len(ordinal.levels)]))


def response_moments(ordinal: OrdinalMoments) -> tuple[Floats, Floats]:
    """Return the moments that `response_gamma` is of, and n times their variances, (moments,).

    The variances are those in which a weight of 2 is a row twice.
    """
    column, row = np.triu_indices(len(ordinal.items))
    source = _sources(ordinal, ordinal.labels[: len(ordinal.levels)])
    own = ordinal.variances if ordinal.row_variances is None else ordinal.row_variances
    return (
        np.concatenate([ordinal.levels, ordinal.cov[row, column]]),
        np.where(source < 0, 0.0, own[source]),
    )


def _sources(ordinal: OrdinalMoments, levels: Sequence[str]) -> Indices:
    """Return where levels and vech stand among the statistics, -1 for what there is not."""
    place = {label: at for at, label in enumerate(ordinal.labels)}
    column, row = np.triu_indices(len(ordinal.items))
    names = [f"{ordinal.items[k]}~~{ordinal.items[i]}" for i, k in zip(row, column, strict=True)]
    return np.array([place.get(name, -1) for name in (*levels, *names)])


def _taken(ordinal: OrdinalMoments, source: Indices) -> Gamma:
    """Return rows and columns of Γ, 0 for what there is not."""
    if isinstance(ordinal.spread, RootGamma):
        root = ordinal.spread.root[:, source]
        root[:, source < 0] = 0.0
        return RootGamma(root)
    gamma = ordinal.gamma[np.ix_(source, source)]
    gamma[source < 0], gamma[:, source < 0] = 0.0, 0.0
    return DenseGamma(gamma)
