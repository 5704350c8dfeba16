"""Sums of losses over respondents: what RMSE, MAE and Q²predict are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(eq=False)
class LossSums:
    """Weighted sums of squared and absolute errors, by method and variable.

    Attributes
    ----------
    cells
        Number of predictions, (methods, variables).
    weight, squares, absolute
        Of these, (methods, variables).
    average
        Squared errors of the average, of the respondents that the method predicts.

    Examples
    --------
    >>> sums = LossSums.of(1, 2)
    >>> errors = np.array([[[1.0, 2.0]], [[3.0, np.nan]]])
    >>> sums.add(errors, np.full((2, 2), 4.0), np.ones(2))
    >>> sums.rmse.round(3), sums.mae, sums.q2.round(3), sums.cells
    (array([[2.236, 2.   ]]), array([[2., 2.]]), array([[0.688, 0.75 ]]), array([[2., 1.]]))
    """

    cells: Floats
    weight: Floats
    squares: Floats
    absolute: Floats
    average: Floats

    @classmethod
    def of(cls, methods: int, variables: int) -> LossSums:
        """Begin with nothing."""
        return cls(*np.zeros((5, methods, variables)))

    def add(self, errors: Floats, average: Floats, weights: Floats) -> None:
        """Add the errors of some respondents.

        Parameters
        ----------
        errors
            (rows, methods, variables); NaN where there is none.
        average
            Errors of the average, (rows, variables).
        weights
            (rows,)
        """
        shape = self.weight.shape
        flat = errors.reshape(len(errors), -1)
        known = np.isfinite(flat)
        if known.all():
            self.cells += len(flat)
            self.weight += weights.sum()
            self.average += weights @ average**2
        else:
            seen = known.astype(np.float64)
            self.cells += seen.sum(axis=0).reshape(shape)
            self.weight += (weights @ seen).reshape(shape)
            base = np.nan_to_num(average)[:, None] ** 2 * seen.reshape(-1, *shape)
            self.average += np.tensordot(weights, base, 1)
            flat = np.where(known, flat, 0.0)
        self.squares += (weights @ (flat * flat)).reshape(shape)
        self.absolute += (weights @ np.abs(flat)).reshape(shape)

    @property
    def rmse(self) -> Floats:
        """Roots of mean squared errors, (methods, variables); NaN of nobody."""
        return np.asarray(np.sqrt(self._mean(self.squares)))

    @property
    def mae(self) -> Floats:
        """Mean absolute errors, (methods, variables)."""
        return self._mean(self.absolute)

    @property
    def q2(self) -> Floats:
        """``1 - Σ e²/Σ e²`` of the average, (methods, variables)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(1.0 - self.squares / self.average)

    def _mean(self, sums: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(sums / self.weight)
