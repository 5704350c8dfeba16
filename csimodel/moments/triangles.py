"""Covariances of many samples, kept by their triangle: half the memory of whole matrices."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.moments import Moments

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Triangle:
    """Symmetric matrices by their entries on and above the diagonal, row by row.

    Attributes
    ----------
    entries
        In the order of `vech_indices`, (..., size (size + 1) / 2).
    size
        Rows of a matrix.

    Examples
    --------
    >>> triangle = Triangle.of(np.array([[4.0, 6.0], [6.0, 12.0]]))
    >>> triangle.entries, triangle.diagonal
    (array([ 4.,  6., 12.]), array([ 4., 12.]))
    >>> triangle.matrices
    array([[ 4.,  6.],
           [ 6., 12.]])
    """

    entries: Floats
    size: int

    @classmethod
    def of(cls, matrices: Floats) -> Triangle:
        """Take the triangle of symmetric matrices, (..., size, size)."""
        size = matrices.shape[-1]
        entries = np.empty((size * (size + 1) // 2, *matrices.shape[:-2]))
        for i, own in enumerate(_rows_of(size)):
            entries[own] = np.moveaxis(matrices[..., i, i:], -1, 0)
        return cls(np.moveaxis(entries, 0, -1), size)

    @property
    def matrices(self) -> Floats:
        """The matrices, made anew, (..., size, size); samples lie last in memory."""
        matrices = np.empty((self.size, self.size, *self.entries.shape[:-1]))
        for i, own in enumerate(_rows_of(self.size)):
            matrices[i, i:] = np.moveaxis(self.entries[..., own], -1, 0)
            matrices[i + 1 :, i] = matrices[i, i + 1 :]
        return np.moveaxis(matrices, (0, 1), (-2, -1))

    @property
    def diagonal(self) -> Floats:
        """The entries on the diagonal, (..., size)."""
        return self.entries[..., [own.start for own in _rows_of(self.size)]]


def _rows_of(size: int) -> list[slice]:
    """Return where the rows of the triangle lie, each from its diagonal on."""
    ends = np.cumsum(np.arange(size, 0, -1)).tolist()
    return [slice(a, b) for a, b in zip([0, *ends], ends, strict=False)]


class PackedMoments(Moments):
    """Moments of many samples, their covariances kept by the triangle.

    Whole ones are made each time they are asked for. Given to the constructor, or to
    `dataclasses.replace`, covariances are whole, (..., items, items), or packed already.

    Attributes
    ----------
    triangle
        What is kept of the covariances.

    Examples
    --------
    >>> packed = PackedMoments.of(Moments.from_array([[[1, 2], [3, 2], [5, 8]]], ["a", "b"]))
    >>> packed.kept_covariances
    array([[ 4.,  6., 12.]])
    >>> packed.cov[0, 1]
    array([ 6., 12.])
    """

    triangle: Triangle

    @classmethod
    def of(cls, moments: Moments) -> PackedMoments:
        """Pack moments; packed ones stay as they are."""
        if isinstance(moments, cls):
            return moments
        own = {entry.name: getattr(moments, entry.name) for entry in fields(Moments)}
        return cls(**own | {"rows": None})

    @property
    def cov(self) -> Floats:
        """Covariances with denominator n - 1, (..., items, items), made anew."""
        return self.triangle.matrices

    @cov.setter
    def cov(self, given: Floats) -> None:
        packed = given.ndim == self.mean.ndim
        vars(self)["triangle"] = Triangle(given, len(self.items)) if packed else Triangle.of(given)

    @property
    def kept_covariances(self) -> Floats:
        """Covariances as they are kept, (..., items (items + 1) / 2)."""
        return self.triangle.entries

    @property
    def variances(self) -> Floats:
        """Variances, (..., items)."""
        return self.triangle.diagonal
