"""What weights were calibrated to, and the variance that calibration leaves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.findings import Finding

Floats = NDArray[np.float64]

_DEPENDENT = 1e-12  # of the largest singular value: below, a total follows from others


@dataclass(frozen=True, eq=False)
class WeightCalibration:
    """What is known of each respondent and the population, and the weights before.

    Attributes
    ----------
    known
        What each respondent adds to the known totals, (rows, totals).
    base
        Weights before calibration, (rows,).
    names
        A name for each total, such as ``"region = north"``.
    totals
        In the population, (totals,).
    size
        Of the population, in the units of the totals.

    Examples
    --------
    >>> groups = WeightCalibration(np.array([[1.0], [1.0], [1.0]]), np.ones(3))
    >>> groups.residuals(np.array([[1.0], [2.0], [6.0]]), np.array([1.0, 1.0, 1.0]))[:, 0]
    array([-2., -1.,  3.])
    """

    known: Floats
    base: Floats
    names: tuple[str, ...] = ()
    totals: Floats = field(default_factory=lambda: np.empty(0))
    size: float = 1.0

    def of_rows(self, rows: NDArray[np.intp]) -> WeightCalibration:
        """Return the calibration of some respondents, (rows,)."""
        return replace(self, known=self.known[rows], base=self.base[rows])

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
        slopes = self.projection(weights, np.arange(len(values))) @ values
        return np.asarray(values - own[:, None] * (self.known @ slopes))

    def projection(self, weights: Floats | None, rows: NDArray[np.intp]) -> Floats:
        """Return what gives B of `residuals` from what some respondents add, (totals, rows).

        Parameters
        ----------
        weights
            Calibrated weights up to a factor of all respondents, (respondents,); None for equal
            ones.
        rows
            Those who add anything, (rows,).
        """
        left, inverse = self._decomposition
        own = np.ones(len(rows)) if weights is None else weights[rows]
        return np.asarray(inverse @ (left[rows] * (self._root[rows] / own)[:, None]).T)

    @property
    def _root(self) -> Floats:
        """Square roots of the weights before, up to a factor, (respondents,)."""
        return np.asarray(np.sqrt(self.base / self.base.max()))

    @cached_property
    def _decomposition(self) -> tuple[Floats, Floats]:
        """Orthogonal columns of what is known, (respondents, rank), and back, (totals, rank)."""
        left, size, right = np.linalg.svd(self.known * self._root[:, None], full_matrices=False)
        used = size > _DEPENDENT * size.max(initial=0.0)
        return left[:, used], (right[used] / size[used, None]).T


def without_calibration(calibrated: object, what: str) -> tuple[Finding, ...]:
    """Return what is said where errors do not allow for calibrated weights: draws, regressions.

    >>> without_calibration(None, "draws")
    ()
    """
    if calibrated is None:
        return ()
    return (Finding("calibration-not-used", _NOT_USED[what], severity="note"),)


_NOT_USED = {
    "draws": "The weights were adjusted to margins, and they were not adjusted anew in each draw, "
    "so errors and intervals of draws are usually a little too wide; csi.linearize(fit) allows for "
    "the margins, and so do replicate weights made before (csi.replicate_weights, then csi.rake).",
    "errors": "The weights were adjusted to margins, which this kind of errors does not allow for, "
    "so they are usually a little too wide; errors='linearized' allow for the margins.",
    "regressions": "The weights were adjusted to margins, which the errors of this regression do "
    "not allow for, so they are usually a little too wide.",
}
