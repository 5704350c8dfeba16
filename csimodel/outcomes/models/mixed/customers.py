"""Customers of firms as arrays, the index split into what is within and between firms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Customers:
    """Customers sorted by firm.

    Attributes
    ----------
    outcome
        From 0 to 1, (rows,).
    index
        In points, (rows,).
    controls
        (rows, controls)
    firm
        Codes 0, 1, …, rising, (rows,).
    weights
        Survey weights with a mean of 1, (rows,), or None.
    rows
        Positions among the respondents of the fit, (rows,).
    """

    outcome: Floats
    index: Floats
    controls: Floats
    firm: Codes
    weights: Floats | None
    rows: Codes

    @property
    def n(self) -> int:
        """Number of customers."""
        return len(self.outcome)

    @property
    def firms(self) -> int:
        """Number of firms."""
        return int(self.firm.max()) + 1

    @property
    def df(self) -> int:
        """Degrees of freedom between firms: firms less two (constant and firms' mean index)."""
        return max(self.firms - 2, 1)

    @property
    def starts(self) -> Codes:
        """Where each firm begins, (firms,)."""
        return np.searchsorted(self.firm, np.arange(self.firms))

    @property
    def size(self) -> Codes:
        """Customers of each firm, (firms,)."""
        return np.bincount(self.firm)

    @property
    def share(self) -> Floats:
        """How much each customer counts in an average, summing to 1, (rows,)."""
        weights = np.ones(self.n) if self.weights is None else self.weights
        return np.asarray(weights / weights.sum())

    def mean_of(self, values: Floats) -> Floats:
        """Return each firm's mean, with survey weights, (firms,)."""
        return np.asarray(
            np.bincount(self.firm, self.share * values) / np.bincount(self.firm, self.share)
        )

    @property
    def between(self) -> Floats:
        """Mean index of the own firm, (rows,)."""
        return np.asarray(self.mean_of(self.index)[self.firm])

    @property
    def design(self) -> Floats:
        """Constant, index less the firm's mean, the firm's mean, controls, (rows, terms).

        References
        ----------
        Mundlak, Y. (1978). On the pooling of time series and cross section data. Econometrica 46,
        69-85. https://doi.org/10.2307/1913646
        """
        between = self.between
        columns = [np.ones(self.n), self.index - between, between, self.controls]
        return np.column_stack(columns)

    def reliability(self) -> tuple[float, float]:
        """Return how reliable the firms' mean index is, and the variance between firms.

        ``τ²/(τ² + σ²/k)`` with k the harmonic mean size of firms, τ² and σ² from the analysis of
        variance; 0 when firms differ less than chance.

        References
        ----------
        Snijders, T. A. B., Bosker, R. J. (2012). Multilevel Analysis, 2nd ed., sections 3.3-3.5.
        """
        size, means = self.size, np.bincount(self.firm, self.index) / self.size
        inside = ((self.index - means[self.firm]) ** 2).sum() / (self.n - self.firms)
        grand = self.index.mean()
        outside = (size * (means - grand) ** 2).sum() / (self.firms - 1)
        k = (self.n - (size**2).sum() / self.n) / (self.firms - 1)
        tau = max((outside - inside) / k, 0.0)
        harmonic = self.firms / (1.0 / size).sum()
        return float(tau / (tau + inside / harmonic)) if tau > 0 else 0.0, float(tau)
