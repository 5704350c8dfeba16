"""Valleys that run to infinity: where a discrepancy has no minimum at finite values.

Where constructs hardly differ, paths from them can grow without end in opposite directions while
the discrepancy falls towards a limit, as ``F∞ + c/s`` with s the size of the largest standardised
estimate. As a function of 1/s the discrepancy then has a slope above 0 down to ``1/s = 0``; where
there is a minimum, the slope is 0 before. Every few steps the slope is taken between three looks
and extended by a straight line to ``1/s = 0``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.structure import Implied

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]

LOOK = 5  # iterations between looks
_APART = 2  # looks between those compared
_LARGE, _GROWTH = (
    5.0,
    1.02,
)  # size of a standardised estimate, and growth between looks, of a valley


class Valleys:
    """What was seen of samples on their way down, one entry a sample.

    Parameters
    ----------
    samples
        Number of samples.
    signs
        Looks in a row that must show a valley.
    """

    def __init__(self, samples: int, signs: int) -> None:
        self.signs = signs
        self.counts = np.zeros(samples, dtype=np.int64)
        self.values: list[Floats] = []
        self.sizes: list[Floats] = []

    def look(self, who: Indices, value: Floats, at: tuple[Implied, ...]) -> Mask:
        """Note where the samples `who` are; tell which walk towards infinity, (those,).

        `value` holds the discrepancies of all samples, `at` what is implied for those `who`.
        """
        size = np.full(len(value), np.nan)
        size[who] = largest_estimate(at)
        self.values = [*self.values[-2 * _APART :], value.copy()]
        self.sizes = [*self.sizes[-2 * _APART :], size]
        if len(self.sizes) <= 2 * _APART:
            return np.zeros(len(who), dtype=bool)
        sizes = [past[who] for past in self.sizes[::_APART]]
        falling = endless(sizes, [past[who] for past in self.values[::_APART]])
        self.counts[who] = np.where(falling, self.counts[who] + 1, 0)
        return np.asarray(self.counts[who] >= self.signs)


def endless(sizes: list[Floats], values: list[Floats]) -> Mask:
    """Tell where a discrepancy, known at three growing sizes, falls as far as the size can grow.

    Examples
    --------
    ``F = 1 + 1/s`` has no minimum, and ``F = (1/s - 1/20)²`` has one at s = 20:

    >>> import numpy as np
    >>> sizes = [np.full(2, size) for size in (6.0, 8.0, 10.0)]
    >>> endless(sizes, [np.array([1 + 1 / s[0], (1 / s[0] - 1 / 20) ** 2]) for s in sizes])
    array([ True, False])
    """
    first, middle, last = sizes
    with np.errstate(divide="ignore", invalid="ignore"):
        u = [1.0 / size for size in sizes]
        before = (values[0] - values[1]) / (u[0] - u[1])
        after = (values[1] - values[2]) / (u[1] - u[2])
        far = after - (before - after) / (u[0] - u[2]) * (u[1] + u[2])
        grown = (last > _LARGE) & (last > _GROWTH * middle) & (middle > _GROWTH * first)
    return np.asarray(grown & (far > 0))


def largest_estimate(at: tuple[Implied, ...]) -> Floats:
    """Return the largest standardised loading or path of any group, (samples,)."""
    largest = np.zeros(len(at[0].sigma))
    with np.errstate(divide="ignore", invalid="ignore"):
        for own in at:
            spread = np.sqrt(np.abs(np.diagonal(own.phi, axis1=-2, axis2=-1)))
            sd = np.sqrt(np.diagonal(own.sigma, axis1=-2, axis2=-1))
            loadings = np.abs(own.loadings) * spread[:, None, :] / sd[:, :, None]
            paths = np.abs(own.paths) * spread[:, None, :] / spread[:, :, None]
            for matrix in (loadings, paths):
                largest = np.fmax(largest, np.fmax.reduce(matrix, axis=(-2, -1)))
    return largest
