"""Γ, the sampling covariance of means and covariances, used through products.

``n cov(m, vech S)`` of p items has (p + p*)² cells, p* = p (p + 1) / 2: a gigabyte at 150 items.
What errors and tests need of it are products with the derivatives of a model, and two traces. They
come from the rows themselves (`RowGamma`), from a root with one row a respondent or cluster
(`RootGamma`), or from the matrix where that is smaller or all there is (`DenseGamma`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csimodel.limits import require_memory
from csimodel.moments.additive import Block, Memory, products_about
from csimodel.moments.forms import Columns, Forms, NormalWeight, Weight, functions_of
from csimodel.moments.fourth import (
    Rows,
    Weighting,
    checked_rows,
    cluster_codes,
    fourth_moments,
    outer_products,
    stretches,
)
from csimodel.moments.vech import vech_indices

Floats = NDArray[np.float64]
Key = int | slice | NDArray[np.bool_] | NDArray[np.intp]

_BLOCK = 2**22  # products of pairs of rows held at once


class Traces(NamedTuple):
    """``tr VΓ``, ``tr (VΓ)²`` and ``P'ΓVΓP`` of columns P, (columns, columns)."""

    first: float
    second: float
    outer: Floats


class Gamma(Protocol):
    """Γ of means and covariances in the order (means, vech) of `fourth_moments`.

    Columns without rows for means are about the covariances alone.
    """

    @property
    def matrix(self) -> Floats:
        """Γ itself, (..., moments, moments)."""

    @property
    def diagonal(self) -> Floats:
        """Its diagonal, (..., moments)."""

    @property
    def rank(self) -> int:
        """The most directions it can know."""

    def quadratic(self, columns: Columns) -> Floats:
        """Return ``P'ΓP`` of columns P, functions of the moments, (columns, columns)."""

    def times(self, columns: Columns) -> Floats:
        """Return ``ΓP``, (moments, columns), over all moments or the covariances alone."""

    def trace(self, weight: Weight) -> float:
        """Return ``tr VΓ``."""

    def traces(self, weight: Weight, columns: Columns) -> Traces:
        """Return what the distribution of χ² needs: `Traces` of V and P."""

    def __getitem__(self, key: Key) -> Gamma:
        """Return Γ of one sample, or of several, of a batch; that of a single sample stays."""


@dataclass(frozen=True, eq=False)
class DenseGamma:
    """Γ as a matrix, of one sample or a batch, (..., moments, moments)."""

    matrix: Floats

    @property
    def diagonal(self) -> Floats:
        """Its diagonal, (..., moments)."""
        return np.asarray(np.diagonal(self.matrix, axis1=-2, axis2=-1))

    @property
    def rank(self) -> int:
        """The most directions it can know."""
        return int(self.matrix.shape[-1])

    def part(self, size: int) -> Floats:
        """Return Γ of the last `size` moments."""
        return self.matrix[..., -size:, -size:]

    def quadratic(self, columns: Columns) -> Floats:
        """Return ``P'ΓP``, (columns, columns)."""
        own = functions_of(columns)
        return np.asarray(own.T @ self.part(len(own)) @ own)

    def times(self, columns: Columns) -> Floats:
        """Return ``ΓP``, (moments, columns)."""
        own = functions_of(columns)
        return np.asarray(self.part(len(own)) @ own)

    def trace(self, weight: Weight) -> float:
        """Return ``tr VΓ``."""
        own = weight.matrix
        return float((own * self.part(len(own))).sum())

    def traces(self, weight: Weight, columns: Columns) -> Traces:
        """Return `Traces` of V and P."""
        own, pulled = weight.matrix, functions_of(columns)
        gamma = self.part(len(own))
        product, pushed = own @ gamma, gamma @ pulled
        second = float((product * product.T).sum())
        return Traces(float(np.trace(product)), second, pushed.T @ own @ pushed)

    def __getitem__(self, key: Key) -> DenseGamma:
        """Return Γ of one sample, or of several, of a batch."""
        return self if self.matrix.ndim == 2 else DenseGamma(self.matrix[key])


@dataclass(frozen=True, eq=False)
class RootGamma:
    """``Γ = R'R`` by a root R of fewer rows than moments, (rows, moments)."""

    root: Floats

    @property
    def matrix(self) -> Floats:
        """Γ itself, (moments, moments)."""
        return np.asarray(self.root.T @ self.root)

    @property
    def diagonal(self) -> Floats:
        """Its diagonal, (moments,)."""
        return np.asarray(np.einsum("rm,rm->m", self.root, self.root))

    @property
    def rank(self) -> int:
        """The most directions it can know: means of rows are taken off, which costs one."""
        return len(self.root) - 1

    def quadratic(self, columns: Columns) -> Floats:
        """Return ``P'ΓP``, (columns, columns)."""
        own = functions_of(columns)
        scores = self.root[:, -len(own) :] @ own
        return np.asarray(scores.T @ scores)

    def times(self, columns: Columns) -> Floats:
        """Return ``ΓP``, (moments, columns)."""
        own = functions_of(columns)
        part = self.root[:, -len(own) :]
        return np.asarray(part.T @ (part @ own))

    def trace(self, weight: Weight) -> float:
        """Return ``tr VΓ``."""
        parts = self._parts(weight.size)
        return float(sum((part * weight.applied(part.T).T).sum() for part in parts))

    def traces(self, weight: Weight, columns: Columns) -> Traces:
        """Return `Traces` of V and P, from the products of all pairs of rows of the root."""
        own = functions_of(columns)
        scores = self.root[:, -len(own) :] @ own
        whole = self.root[:, -weight.size :]
        first, second, outer = 0.0, 0.0, np.zeros((own.shape[1], own.shape[1]))
        at = 0
        for part in self._parts(weight.size):
            pairs = weight.applied(part.T).T @ whole.T
            here = np.arange(len(part))
            first += float(pairs[here, at + here].sum())
            second += float(np.einsum("rs,rs->", pairs, pairs))
            outer += scores[at : at + len(part)].T @ (pairs @ scores)
            at += len(part)
        return Traces(first, second, outer)

    def _parts(self, size: int) -> list[Floats]:
        step = max(1, _BLOCK // self.root.shape[1])
        return [self.root[at : at + step, -size:] for at in range(0, len(self.root), step)]

    def __getitem__(self, key: Key) -> RootGamma:
        """Return Γ of a single sample, which it is."""
        return self


@dataclass(frozen=True, eq=False)
class RowGamma:
    """Γ of complete answers from the answers, as `fourth_moments` defines it.

    With x the answers about their mean, a row's deviation is ``d = (x ; vech(xx' - S))``, and
    ``Γ = Σ w² dd' / n`` (by sums within clusters). A function ``l'Er + m'e`` of it is
    ``(l'x)(r'x) - l'Sr + m'x``, and ``d'Vd`` of two rows needs their product ``x'Wx`` only.

    Attributes
    ----------
    values
        Answers, (rows, items).
    weights
        Weights of mean 1, (rows,), or None.
    cluster
        Codes of clusters, (rows,), or None.
    mean, cov
        Weighted means and covariances with denominator n.
    weighting
        As in `fourth_moments`; ``"frequency"`` has w in place of w².

    Examples
    --------
    >>> gamma = RowGamma.of(np.array([[0.0], [0.0], [3.0]]))
    >>> gamma.matrix.tolist(), gamma.quadratic(np.eye(2)).tolist()
    ([[2.0, 2.0], [2.0, 2.0]], [[2.0, 2.0], [2.0, 2.0]])
    """

    values: Floats
    weights: Floats | None
    cluster: NDArray[np.intp] | None
    mean: Floats
    cov: Floats
    weighting: Weighting = "probability"

    @classmethod
    def of(
        cls,
        values: Floats,
        weights: ArrayLike | None = None,
        cluster: ArrayLike | None = None,
        weighting: Weighting = "probability",
    ) -> RowGamma:
        """Return Γ of answers, (rows, items); the answers are kept, not copied.

        Raises
        ------
        SurveyError
            As `fourth_moments`.
        """
        rows, items = values.shape
        scaled = checked_rows(values, weights)
        codes = None if cluster is None else cluster_codes(cluster, rows)
        parts = stretches(rows)
        sample = Memory().accumulate(Block(values[part], scaled[part]) for part in parts)
        cov = np.empty((items, items))
        row, column = vech_indices(items)
        cov[row, column] = cov[column, row] = sample.spread
        own = None if weights is None else scaled
        return cls(values, own, codes, sample.mean, cov, weighting)

    @cached_property
    def _factors(self) -> Floats | None:
        """What deviations are multiplied with, (rows,); None for 1."""
        if self.weights is None or self.weighting == "probability":
            return self.weights
        return np.sqrt(self.weights)

    @property
    def size(self) -> int:
        """Number of means and covariances."""
        items = len(self.mean)
        return items + items * (items + 1) // 2

    @property
    def rank(self) -> int:
        """The most directions it can know: rows, or clusters, less one."""
        units = len(self.values) if self.cluster is None else int(self.cluster.max()) + 1
        return min(units - 1, self.size)

    @cached_property
    def matrix(self) -> Floats:
        """Γ itself, (moments, moments)."""
        require_gamma(self.size)
        return fourth_moments(
            self.values, self.weights, cluster=self.cluster, weighting=self.weighting
        )

    @property
    def diagonal(self) -> Floats:
        """Its diagonal, (moments,)."""
        if self.cluster is not None:
            return np.diagonal(self.matrix)
        squares = np.zeros(self.size)
        for part in self._stretches():
            deviations = self._deviations(part)
            squares += np.einsum("mr,mr->m", deviations, deviations)
        return squares / len(self.values)

    def quadratic(self, columns: Columns) -> Floats:
        """Return ``P'ΓP``, (columns, columns)."""
        return outer_products(
            lambda part: self._scores(columns, part).T,
            len(self.values),
            columns.shape[1],
            self.cluster,
        ) / len(self.values)

    def times(self, columns: Columns) -> Floats:
        """Return ``ΓP``, (moments, columns)."""
        if self.cluster is not None:
            return self._other.times(columns)
        size = columns.shape[0]
        total = np.zeros((size, columns.shape[1]))
        for part in self._stretches():
            total += self._deviations(part)[-size:] @ self._scores(columns, part)
        return total / len(self.values)

    def trace(self, weight: Weight) -> float:
        """Return ``tr VΓ``."""
        if self.cluster is not None or not isinstance(weight, NormalWeight):
            return self._other.trace(weight)
        total = 0.0
        root, expected, constant = self._whitened(weight)
        for part in stretches(len(self.values)):
            z = (self.values[part] - self.mean) @ root
            length = np.einsum("ri,ri->r", z, z)
            products = 0.5 * length**2 - np.einsum("ri,ri->r", z, z @ expected) + constant
            if weight.means:
                products += length
            if self._factors is not None:
                products *= self._factors[part] ** 2
            total += float(products.sum())
        return total / len(self.values)

    def traces(self, weight: Weight, columns: Columns) -> Traces:
        """Return `Traces` of V and P, from pairs of rows where that is less than the matrix."""
        rows, items = self.values.shape
        width = columns.shape[1]
        by_rows = rows**2 * (items + width) < rows * self.size**2 + 2 * self.size**3
        if self.cluster is not None or not isinstance(weight, NormalWeight) or not by_rows:
            return self._other.traces(weight, columns)
        scores = np.concatenate([self._scores(columns, part) for part in stretches(rows)])
        root, expected, constant = self._whitened(weight)
        z = (self.values - self.mean) @ root
        length = np.einsum("ri,ri->r", z, z @ expected)
        scale = np.ones(rows) if self._factors is None else self._factors
        first, second, outer = 0.0, 0.0, np.zeros((width, width))
        step = max(1, _BLOCK // rows)
        for start in range(0, rows, step):
            part = slice(start, min(start + step, rows))
            products = z[part] @ z.T
            pairs = 0.5 * products**2
            pairs -= 0.5 * length
            pairs += (constant - 0.5 * length[part])[:, None]
            if weight.means:
                pairs += products
            pairs *= scale[part, None]
            pairs *= scale
            first += float(np.einsum("rr->", pairs[:, part]))
            second += float(np.einsum("rs,rs->", pairs, pairs))
            outer += scores[part].T @ (pairs @ scores)
        return Traces(first / rows, second / rows**2, outer / rows**2)

    def __getitem__(self, key: Key) -> RowGamma:
        """Return Γ of a single sample, which it is."""
        return self

    @cached_property
    def _other(self) -> Gamma:
        """Γ as a root of sums within clusters, or as a matrix where those are more."""
        if self.cluster is None or self.rank >= self.size:
            return DenseGamma(self.matrix)
        groups = int(self.cluster.max()) + 1
        sums = np.zeros((groups, self.size))
        for part in self._stretches():
            np.add.at(sums, self.cluster[part], self._deviations(part).T)
        return RootGamma(sums * np.sqrt(groups / (groups - 1.0) / len(self.values)))

    def _stretches(self) -> list[slice]:
        """Return stretches of rows whose deviations are held at once."""
        return stretches(len(self.values), max(1, _BLOCK // self.size))

    def _deviations(self, part: Rows) -> Floats:
        """Return the weighted deviations of some rows, (moments, rows)."""
        own = self.values[part]
        row, column = vech_indices(len(self.mean))
        deviations = np.empty((self.size, len(own)))
        products_about(own, self.mean, self.cov[row, column], deviations)
        if self._factors is not None:
            deviations *= self._factors[part]
        return deviations

    def _scores(self, columns: Columns, part: Rows) -> Floats:
        """Return ``P'd`` of some rows, (rows, columns)."""
        if not isinstance(columns, Forms):
            return np.asarray(self._deviations(part)[-len(columns) :].T @ columns)
        scores = columns.of_rows(self.values[part] - self.mean, columns.values(self.cov))
        if self._factors is not None:
            scores *= self._factors[part][:, None]
        return scores

    def _whitened(self, weight: NormalWeight) -> tuple[Floats, Floats, float]:
        """Return a root L of W, ``L'SL``, and half the sum of squares of that."""
        root = np.asarray(np.linalg.cholesky(weight.inverse), dtype=np.float64)
        expected = root.T @ self.cov @ root
        return root, expected, 0.5 * float((expected**2).sum())


def require_gamma(moments: int) -> None:
    """Refuse Γ as a matrix where memory does not hold it and what is computed beside it.

    Raises
    ------
    OptionError
        Saying how much is needed.
    """
    what = f"Γ of {moments:,} means and covariances as a matrix"
    require_memory(what, 16.0 * moments**2, "use fewer items, or errors from csi.bootstrap")
