"""Least squares of an outcome that differs from draw to draw, as another index does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.families import OLS
from csimodel.outcomes.kernels.glm import REGULAR
from csimodel.outcomes.kernels.kernel import Ending, Regressions, Samples

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WeightedLeastSquares:
    """Weighted least squares: a `Kernel`. A draw whose columns are tied has no solution.

    Attributes
    ----------
    terms
        Number of coefficients.
    """

    terms: int
    extra: int = 0
    influence: ClassVar[None] = None  # of draws alone; the sample is a `GeneralisedLinear`

    def predict(self, b: Floats, design: Floats, along: Floats | None = None) -> Floats:
        """Return expected outcomes; see `Family.predict`."""
        return OLS.predict(b, design, along)

    def fit(self, samples: Samples) -> Regressions:
        """Fit each of the samples; the outcome is each sample's own, (samples, cells)."""
        _, columns, weights, (outcome,) = samples
        X = np.stack([np.ones(weights.shape), *columns], axis=2)
        weighted = X * weights[:, :, None]
        normal = np.einsum("dci,dcj->dij", weighted, X)
        right = np.einsum("dci,dc->di", weighted, outcome)
        scale = np.sqrt(np.diagonal(normal, axis1=1, axis2=2))
        with np.errstate(divide="ignore", invalid="ignore"):
            unit = normal / (scale[:, :, None] * scale[:, None, :])
        regular = np.isfinite(unit).all(axis=(1, 2))
        regular[regular] = np.linalg.det(unit[regular]) > REGULAR
        b = np.full(right.shape, np.nan)
        solved = np.linalg.solve(unit[regular], (right[regular] / scale[regular])[:, :, None])
        b[regular] = solved[:, :, 0] / scale[regular]
        ending = np.where(regular, int(Ending.CONVERGED), int(Ending.SINGULAR))
        return Regressions(b, np.ones(len(b)), ending)
