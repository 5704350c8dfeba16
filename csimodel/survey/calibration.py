"""What weights were calibrated to, and the variance that calibration leaves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from csimodel.findings import Finding

Floats = NDArray[np.float64]


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
        share = values / own[:, None]
        root = np.sqrt(self.base / self.base.max())[:, None]
        slopes = np.linalg.lstsq(self.known * root, share * root, rcond=1e-12)[0]
        return np.asarray(values - own[:, None] * (self.known @ slopes))


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
    "groups": "The weights were adjusted to margins of all respondents, which errors of a fit to "
    "one group do not allow for; they are usually a little too wide.",
    "errors": "The weights were adjusted to margins, which this kind of errors does not allow for, "
    "so they are usually a little too wide; errors='linearized' allow for the margins.",
    "regressions": "The weights were adjusted to margins, which the errors of this regression do "
    "not allow for, so they are usually a little too wide.",
}
