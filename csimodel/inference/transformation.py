"""Answers turned so that a model holds in them, and the moments of their resamples.

``y = μ + A (x - x̄)`` with ``A = Σ^½ S^-½`` has mean μ and covariances Σ where x has x̄ and S.
Moments of a resample of y follow from those of the same resample of x, so only they are turned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from csimodel.inference.draws import draws_of
from csimodel.moments import CrossProducts, Moments, Resampling
from csimodel.survey import Answers

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Transformation:
    """What turns answers into some that obey a model.

    Attributes
    ----------
    matrix
        A, (items, items).
    centre, level
        x̄ and μ, (items,).
    """

    matrix: Floats
    centre: Floats
    level: Floats

    def moments(self, moments: Moments) -> Moments:
        """Return the moments of resamples of the turned answers from those of the answers."""
        return replace(
            moments,
            mean=self.level + (moments.mean - self.centre) @ self.matrix.T,
            cov=self.matrix @ moments.cov @ self.matrix.T,
            rows=None,
        )


def root_ratio(implied: Floats, cov: Floats) -> Floats:
    """Return ``Σ^½ S^-½`` with symmetric roots, (items, items).

    >>> root_ratio(np.diag([4.0, 1.0]), np.diag([1.0, 4.0])).round(6)
    array([[2. , 0. ],
           [0. , 0.5]])
    """
    return np.asarray(_power(implied, 0.5) @ _power(cov, -0.5))


def _power(matrix: Floats, power: float) -> Floats:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * values**power @ vectors.T)


def resampled_moments(
    answers: Answers, design: Resampling, what: str, progress: bool
) -> Iterator[Moments]:
    """Yield the moments of the resamples of a design, a block of draws at a time.

    Parameters
    ----------
    answers, design
        What is drawn, and how.
    what, progress
        As in `draws_of`.
    """
    products = CrossProducts.of(answers)
    for _, counts in draws_of(design, what=what, progress=progress):
        yield products.resampled(counts)
