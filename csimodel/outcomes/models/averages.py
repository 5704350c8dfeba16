"""Averages over respondents of what depends on coefficients, and their derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.inference.sources import gradient_of

Floats = NDArray[np.float64]
OfRows = Callable[[Floats], Floats]  # from parameters, (any, terms), to values, (any, rows)

_TOGETHER = 2**22  # values of respondents handled at once


class Averages(NamedTuple):
    """Averages over a sample.

    Attributes
    ----------
    value
        (averages,)
    gradient
        By the parameters, (averages, terms).
    individual
        Values of the respondents, (rows, averages); None where all have the same whoever they are.
    """

    value: Floats
    gradient: Floats
    individual: Floats | None

    @classmethod
    def of(
        cls, functions: Sequence[OfRows], parameters: Floats, variances: Floats, share: Floats
    ) -> Averages:
        """Average functions of the parameters over respondents with these shares, (rows,).

        Parameters
        ----------
        functions
            One an average; values alone in their last axis are the same for everybody.
        parameters, variances
            The estimates and their variances, (terms,).
        share
            Summing to 1, (rows,).

        Examples
        --------
        >>> x = np.array([1.0, 3.0])
        >>> share = np.array([0.5, 0.5])
        >>> found = Averages.of([lambda b: b[:, :1] * x], np.array([2.0]), np.ones(1), share)
        >>> found.value, found.gradient.round(8), found.individual
        (array([4.]), array([[2.]]), array([[2.],
               [6.]]))
        """
        own = [function(parameters[None, :])[0] for function in functions]
        alone = all(len(values) == 1 for values in own)
        together = max(1, _TOGETHER // len(share))

        def average(b: Floats) -> Floats:
            averages = np.empty((len(b), len(functions)))
            for place, function in enumerate(functions):
                for first in range(0, len(b), together):
                    span = slice(first, first + together)
                    values = function(b[span])
                    averages[span, place] = values[:, 0] if values.shape[1] == 1 else values @ share
            return averages

        value = average(parameters[None, :])[0]
        gradient = gradient_of(average, parameters, variances)
        individual = None if alone else np.stack(np.broadcast_arrays(share, *own)[1:], axis=1)
        return cls(value, gradient, individual)

    def turned(self, matrix: Floats) -> Averages:
        """Return weighted sums of the averages, the weights in rows, (sums, averages)."""
        individual = None if self.individual is None else self.individual @ matrix.T
        return Averages(matrix @ self.value, matrix @ self.gradient, individual)
