"""The distance of thresholds and correlations of ordered answers from those of a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.estimators.covariance.response_moments import response_slopes, response_vector
from csimodel.estimators.covariance.structure import Implied
from csimodel.moments.forms import DiagonalWeight, Weight

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class ResponseSquares:
    """``F = Σ v (s - σ)²``, s the sample's moments of `response_moments` and σ the model's.

    Attributes
    ----------
    layout
        Of the group.
    sample
        s, (samples, moments).
    weight
        v, (samples, moments); 0 for what is known, as the variances of ordered items.
    """

    layout: ParameterLayout
    sample: Floats
    weight: Floats

    @property
    def floor(self) -> Floats:
        """Return 0."""
        return np.zeros(len(self.sample))

    @property
    def unit(self) -> Floats | None:
        """Return None: v takes out units."""
        return None

    @property
    def fixed_weight(self) -> Weight:
        """V of one sample over all moments."""
        return DiagonalWeight(self.weight[0])

    def prepared(self, at: Implied) -> Implied:
        """Return the matrices as they are."""
        return at

    def value(self, at: Implied, who: Indices) -> Floats:
        """Return F; infinite where the variance of a response is not positive."""
        with np.errstate(all="ignore"):
            squares = (self.weight[who] * self._gap(at, who) ** 2).sum(axis=-1)
        return np.where(np.isfinite(squares), squares, np.inf)

    def local(
        self, layout: ParameterLayout, at: Implied, who: Indices, observed: bool
    ) -> tuple[Floats, Floats]:
        """Return ``-2 Δ'V(s - σ)`` and ``2 Δ'VΔ``.

        The bend of σ is left out near the minimum too: the steps of Gauss and Newton end there as
        well, after a few more of them, because residuals of correlations are small.
        """
        slopes = response_slopes(layout, at)[..., layout.own]
        weighted = self.weight[who][..., None] * slopes
        gap = self._gap(at, who)[..., None]
        gradient = -2.0 * (np.swapaxes(weighted, -1, -2) @ gap)[..., 0]
        return np.asarray(gradient), np.asarray(2.0 * np.swapaxes(slopes, -1, -2) @ weighted)

    def moment_weight(self, at: Implied) -> Weight:
        """Return V."""
        return self.fixed_weight

    def moment_slope(self, at: Implied) -> tuple[Floats, Floats | None]:
        """Refuse: the moments are not means and covariances alone."""
        raise NotImplementedError

    def _gap(self, at: Implied, who: Indices) -> Floats:
        return np.asarray(self.sample[who] - response_vector(self.layout, at))
