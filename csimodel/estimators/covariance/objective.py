"""What is minimised: a discrepancy, or the sum of those of several groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.discrepancy import Discrepancy
from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.estimators.covariance.structure import Implied, implied
from csimodel.moments.forms import Weight

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Objective:
    """The discrepancies of the groups, each weighted by its share of the rows.

    Attributes
    ----------
    layouts, parts
        One a group.
    shares
        (samples, groups), or None for one group.
    """

    layouts: tuple[ParameterLayout, ...]
    parts: tuple[Discrepancy, ...]
    shares: Floats | None = None

    @property
    def floor(self) -> Floats:
        """Value of a perfect fit, (samples,)."""
        floors = np.stack([part.floor for part in self.parts], axis=-1)
        return np.asarray(floors[:, 0] if self.shares is None else (floors * self.shares).sum(-1))

    def units(self, samples: int) -> Floats:
        """Return what √F is in the units of, (samples,); 1 where F has none."""
        units = [np.ones(samples) if part.unit is None else part.unit for part in self.parts]
        if self.shares is None:
            return units[0]
        return np.asarray(np.sqrt((np.stack(units, axis=-1) ** 2 * self.shares).sum(axis=-1)))

    def repeated(self, samples: Indices) -> Objective:
        """Return the objective of a batch in which samples repeat, (batch,)."""
        shares = None if self.shares is None else self.shares[samples]
        return Objective(self.layouts, tuple(_Repeated(p, samples) for p in self.parts), shares)

    def implied(self, parameters: Floats) -> tuple[Implied, ...]:
        """Return the matrices of every group for parameters (samples, size)."""
        pairs = zip(self.parts, self.layouts, strict=True)
        return tuple(part.prepared(implied(layout, parameters)) for part, layout in pairs)

    def value(self, at: tuple[Implied, ...], who: Indices) -> Floats:
        """Return the objective of the samples `who`."""
        values = [part.value(own, who) for part, own in zip(self.parts, at, strict=True)]
        if self.shares is None:
            return values[0]
        return np.asarray((np.stack(values, axis=-1) * self.shares[who]).sum(axis=-1))

    def local(self, at: tuple[Implied, ...], who: Indices, observed: bool) -> tuple[Floats, Floats]:
        """Return gradient, (samples, size), and Hessian, (samples, size, size)."""
        parts = [
            part.local(layout, own, who, observed)
            for layout, part, own in zip(self.layouts, self.parts, at, strict=True)
        ]
        if self.shares is None and self.layouts[0].alone:
            return parts[0]
        size = self.layouts[0].size
        gradient, hessian = np.zeros((len(who), size)), np.zeros((len(who), size, size))
        shares = np.ones((1, len(who))) if self.shares is None else self.shares[who].T
        for share, layout, (slope, curvature) in zip(shares, self.layouts, parts, strict=True):
            own = layout.own
            gradient[:, own] += share[:, None] * slope
            hessian[:, own[:, None], own] += share[:, None, None] * curvature
        return gradient, hessian


@dataclass(frozen=True, eq=False)
class _Repeated:
    """A discrepancy of a batch in which samples repeat."""

    part: Discrepancy
    samples: Indices

    @property
    def floor(self) -> Floats:
        """Value when moments and model agree, (batch,)."""
        return np.asarray(self.part.floor[self.samples])

    @property
    def unit(self) -> Floats | None:
        """What √F is in the units of, (batch,); None where F has none."""
        unit = self.part.unit
        return None if unit is None else np.asarray(unit[self.samples])

    def prepared(self, at: Implied) -> Implied:
        """Return the matrices with what both value and slopes need."""
        return self.part.prepared(at)

    def value(self, at: Implied, who: Indices) -> Floats:
        """Return F, (batch,)."""
        return self.part.value(at, self.samples[who])

    def local(
        self, layout: ParameterLayout, at: Implied, who: Indices, observed: bool
    ) -> tuple[Floats, Floats]:
        """Return gradient and Hessian."""
        return self.part.local(layout, at, self.samples[who], observed)

    def moment_slope(self, at: Implied) -> tuple[Floats, Floats | None]:
        """Return the slopes of F of one sample by its moments."""
        return self.part.moment_slope(at)

    def moment_weight(self, at: Implied) -> Weight:
        """Return half the expected curvature of F of one sample by its moments."""
        return self.part.moment_weight(at)
