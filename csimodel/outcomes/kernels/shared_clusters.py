"""Degrees of freedom of bias-reduced errors (CR2) of segments that share clusters.

Under the working model respondents are independent, so what two clusters u and v add to segment g
has a covariance ``K_uv`` that is a sum over the segments both have respondents in. Satterthwaite's
and the Wishart approximation need sums of products of these over pairs of clusters, which are sums
over pairs of segments that share clusters. Where every cluster lies in one segment, the work grows
with the number of segments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.bias_reduced import BiasReduced, Working

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_TOGETHER = 2**20  # numbers of pairs of parts handled at once


class SegmentPairs(NamedTuple):
    """Parts of the same cluster, by the two segments they belong to.

    Attributes
    ----------
    first, second
        Numbers of parts, those of two segments following each other, (pairs of parts,).
    starts
        Where each two segments begin in them, (pairs of segments,).
    segment, other
        The segments, the first at most the other, (pairs of segments,).
    """

    first: Codes
    second: Codes
    starts: Codes
    segment: Codes
    other: Codes


@dataclass(frozen=True, eq=False)
class ClusterParts:
    """What each cluster has of each segment, sorted by segment, then by cluster.

    Attributes
    ----------
    segment, cluster
        (parts,)
    segments
        Number of segments.

    Examples
    --------
    >>> parts = ClusterParts(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
    >>> [(int(a), int(b)) for p in parts.pairs(1) for a, b in zip(p.first, p.second)]
    [(0, 0), (1, 1), (1, 2), (2, 2)]
    """

    segment: Codes
    cluster: Codes
    segments: int

    @property
    def ends(self) -> Codes:
        """Where each segment ends, (segments,)."""
        return np.cumsum(np.bincount(self.segment, minlength=self.segments))

    def pairs(self, size: int, *, across: bool = True) -> Iterator[SegmentPairs]:
        """Yield all parts of the same cluster, of some segments at a time.

        `size` is how many numbers a pair of parts needs; not `across` segments, each part is with
        itself alone.
        """
        order = np.argsort(self.cluster, kind="stable")  # within a cluster by segment
        position = np.empty_like(order)
        position[order] = np.arange(len(order))
        last = np.searchsorted(self.cluster[order], self.cluster, side="right")
        count = last - position if across else np.ones_like(position)
        ends = self.ends
        whole = np.cumsum(count)[ends - 1] * size // _TOGETHER
        for own in np.split(np.arange(self.segments), np.flatnonzero(np.diff(whole)) + 1):
            low = int(ends[own[0] - 1]) if own[0] else 0
            part = np.arange(low, int(ends[own[-1]]))
            first = np.repeat(part, count[part])
            begin = np.repeat(np.cumsum(count[part]) - count[part], count[part])
            second = order[position[first] + np.arange(len(first)) - begin]
            code = self.segment[first] * self.segments + self.segment[second]
            sorting = np.argsort(code, kind="stable")
            codes, starts = np.unique(code[sorting], return_index=True)
            segment, other = np.divmod(codes, self.segments)
            yield SegmentPairs(first[sorting], second[sorting], starts, segment, other)


@dataclass(frozen=True, eq=False)
class SharedWorking:
    """The working covariance of several sums of each segment between clusters.

    Attributes
    ----------
    parts
        Clusters and segments.
    own, shared, between
        As in `Working`, (parts, sums, sums), (parts, sums, any) and (segments, any, any).
    """

    parts: ClusterParts
    own: Floats
    shared: Floats
    between: Floats

    @classmethod
    def of(
        cls, parts: ClusterParts, reduced: Sequence[BiasReduced], gradient: Floats
    ) -> SharedWorking:
        """Join the segments' own, of sums of their own coefficients, (segments, sums, size)."""
        workings = [own.working(rows) for own, rows in zip(reduced, gradient, strict=True)]
        return cls(
            parts,
            np.concatenate([working.own for working in workings]),
            np.concatenate([working.shared for working in workings]),
            np.stack([working.between for working in workings]),
        )

    @property
    def along(self) -> Floats:
        """``z'Cz`` of each part, (parts, sums, sums)."""
        inner = self.shared @ self.between[self.parts.segment]
        return np.asarray(inner @ np.swapaxes(self.shared, 1, 2))

    @property
    def trace(self) -> Floats:
        """Sums over clusters of K_uu, of one sum a segment, (segments,)."""
        total = (self.own + self.along)[:, 0, 0]
        sums = np.bincount(self.parts.segment, total, self.parts.segments)
        return np.asarray(sums, dtype=np.float64)

    def squares(self) -> Floats:
        """Return sums over two clusters of squares of K_uv, of one sum a segment, (segments,)."""
        return np.concatenate([value for _, value in self._products(across=False)])

    def products(self) -> Floats:
        """Return sums over two clusters of products of K_uv, of one sum a segment.

        Of every two segments, (segments, segments).
        """
        whole = np.zeros((self.parts.segments, self.parts.segments))
        for pair, value in self._products(across=True):
            whole[pair.segment, pair.other] = whole[pair.other, pair.segment] = value
        return whole

    def _products(self, *, across: bool) -> Iterator[tuple[SegmentPairs, Floats]]:
        own, along = self.own[:, 0, 0], self.along[:, 0, 0]
        for pair in self.parts.pairs(self.shared.shape[2] ** 2, across=across):
            first, second = pair.first, pair.second
            plain = own[first] * (own[second] + along[second]) + along[first] * own[second]
            outer = self.shared[first, 0, :, None] * self.shared[second, 0, None, :]
            M = np.add.reduceat(outer, pair.starts)
            turned = self.between[pair.segment] @ M @ self.between[pair.other]
            yield pair, np.add.reduceat(plain, pair.starts) + (turned * M).sum(axis=(1, 2))

    def products_with(self, other: Working) -> Floats:
        """Return sums over two clusters of products with one other sum's K_uv, (segments,)."""
        cluster, segments = self.parts.cluster, self.parts.segments
        own, along = self.own[:, 0, 0], self.along[:, 0, 0]
        theirs, beside = other.own[cluster, 0, 0], other.shared[cluster, 0]
        aligned = np.einsum("pa,ab,pb->p", beside, other.between, beside)
        plain = own * (theirs + aligned) + along * theirs
        M = np.zeros((segments, self.shared.shape[2], beside.shape[1]))
        np.add.at(M, self.parts.segment, self.shared[:, 0, :, None] * beside[:, None, :])
        turned = self.between @ M @ other.between
        sums = np.bincount(self.parts.segment, plain, segments)
        return np.asarray(sums + (turned * M).sum(axis=(1, 2)))


def equality_df(
    parts: ClusterParts, reduced: Sequence[BiasReduced], gradient: Floats, variance: Floats
) -> float:
    """Return the degrees of freedom of a test that sums are the same in all segments.

    As `BiasReduced.joint_df` of the differences from the first segment: with Ω the working
    covariance of all sums, block by block, and X the identity of each, it is a function of ``N =
    Ω⁻¹ - Ω⁻¹X(X'Ω⁻¹X)⁻¹X'Ω⁻¹`` and the covariances between clusters.

    Parameters
    ----------
    parts, reduced, gradient
        As in `SharedWorking.of`.
    variance
        Working covariance of the sums, (segments, sums, sums).
    """
    segments, k = gradient.shape[:2]
    unit = np.linalg.inv(np.linalg.cholesky(variance))
    working = SharedWorking.of(parts, reduced, unit @ gradient)
    turn = np.linalg.inv(np.einsum("gij,gik->jk", unit, unit))
    projection = np.eye(k) - unit @ turn @ np.swapaxes(unit, 1, 2)
    values, vectors = np.linalg.eigh(projection)
    root = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    inside, own, along = projection[parts.segment], working.own, working.along
    own_trace = (inside * own).sum(axis=(1, 2))
    trace = (inside * along).sum(axis=(1, 2))
    of_traces = of_products = 0.0
    for pair in parts.pairs(k**2 * working.shared.shape[2] ** 2):
        first, second = pair.first, pair.second
        times = np.where(pair.segment == pair.other, 1.0, 2.0)  # both orders
        sizes = np.diff(np.append(pair.starts, len(first)))
        beside = (pair.segment == pair.other)[:, None, None] * np.eye(k)
        beside = beside - unit[pair.segment] @ turn @ np.swapaxes(unit[pair.other], 1, 2)
        each = np.repeat(beside, sizes, axis=0)
        there = np.swapaxes(each, 1, 2)
        mine, yours = own[first], each @ own[second] @ there
        plain = own_trace[first] * (own_trace[second] + trace[second])
        plain += trace[first] * own_trace[second]
        product = (mine * (yours + each @ along[second] @ there) + along[first] * yours).sum((1, 2))
        outer = np.einsum("pia,pjb->pijab", working.shared[first], working.shared[second])
        M = np.add.reduceat(outer, pair.starts)
        turned = np.einsum("pmi,pnj,pmnab->pijab", root[pair.segment], root[pair.other], M)
        here, other = working.between[pair.segment], working.between[pair.other]
        crossed = here[:, None, None] @ turned @ other[:, None, None]
        around = here[:, None, None] @ M @ other[:, None, None]
        twice = np.einsum("pij,plk,pljab->pikab", beside, beside, around)
        of_traces += times @ (
            np.add.reduceat(plain, pair.starts) + (crossed * turned).sum(axis=(1, 2, 3, 4))
        )
        of_products += times @ (
            np.add.reduceat(product, pair.starts) + (twice * M).sum(axis=(1, 2, 3, 4))
        )
    count = k * (segments - 1)
    return float(count * (count + 1) / (of_traces + of_products))
