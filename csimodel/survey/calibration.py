"""What weights were calibrated to, and the variance that calibration leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Calibration:
    """What is known of each respondent and the population, and the weights before.

    Attributes
    ----------
    known
        What each respondent adds to the known totals, (rows, totals).
    base
        Weights before calibration, (rows,).

    Examples
    --------
    >>> groups = Calibration(np.array([[1.0], [1.0], [1.0]]), np.ones(3))
    >>> groups.residuals(np.array([[1.0], [2.0], [6.0]]), np.array([1.0, 1.0, 1.0]))[:, 0]
    array([-2., -1.,  3.])
    """

    known: Floats
    base: Floats

    def of_rows(self, rows: NDArray[np.intp]) -> Calibration:
        """Return the calibration of some respondents, (rows,)."""
        return Calibration(self.known[rows], self.base[rows])

    def residuals(self, values: Floats, weights: Floats | None) -> Floats:
        """Return what respondents add to an estimate once the known totals are met.

        ``w (z - x'B)`` with ``B`` of the weighted regression of ``z`` on ``x`` by the weights
        before, for values ``w z``.

        Parameters
        ----------
        values
            What each respondent adds, weight included, (rows, any).
        weights
            Calibrated weights w up to a factor, (rows,); None for equal ones.

        References
        ----------
        Deville and Särndal (1992), eq. 3.4. https://doi.org/10.1080/01621459.1992.10475217
        """
        own = np.ones(len(values)) if weights is None else weights
        share = values / own[:, None]
        root = np.sqrt(self.base / self.base.max())[:, None]
        slopes = np.linalg.lstsq(self.known * root, share * root, rcond=1e-12)[0]
        return np.asarray(values - own[:, None] * (self.known @ slopes))
