"""Kernels with one linear predictor: which belongs to a family, and where it starts."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.beta import Beta
from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.kernels.glm import GeneralisedLinear
from csimodel.outcomes.kernels.kernel import Kernel, Standardised
from csimodel.outcomes.kernels.ordered import Ordered

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


class PredictorKernel(Kernel, Protocol):
    """A kernel whose coefficients are of one linear predictor."""

    @property
    def start(self) -> Floats:
        """All that is estimated, where draws start, (parameters,)."""

    def outcomes(self, outcome: Floats) -> list[Floats]:
        """Return what samples have of the outcome, each of its shape."""

    def to_parameters(self, gradient: Floats) -> Floats:
        """Turn a gradient by the coefficients into one by all that is estimated."""


def kernel_of(
    family: Family,
    coefficients: Floats,
    further: Floats | None = None,
    codes: Codes | None = None,
    cut: int = 0,
    *,
    whole: bool = True,
) -> PredictorKernel:
    """Return the kernel of a family.

    Its parameters are the coefficients; coefficients, then the logarithm of the precision;
    or thresholds, then slopes.

    Parameters
    ----------
    family
        What to fit.
    coefficients, further
        Where draws start, (terms,) and (any,) or None.
    codes, cut
        Categories of ordered answers, (cells,), and the first that counts.
    whole
        As in `GeneralisedLinear`.
    """
    if further is None:
        return GeneralisedLinear(family, coefficients, whole)
    if codes is None:
        return Beta(np.append(coefficients, further))
    start = np.concatenate([further, coefficients[1:]])
    return Ordered(family, codes, cut, start, len(further))


def standardised(
    family: Family,
    coefficients: Floats,
    centre: Floats,
    spread: Floats,
    further: Floats | None = None,
    codes: Codes | None = None,
    cut: int = 0,
    *,
    whole: bool = True,
) -> Standardised:
    """Return the kernel of a family that fits draws in standard units, from a fit in own units.

    Parameters
    ----------
    centre, spread
        Of each column, (columns,).
    family, coefficients, further, codes, cut
        As in `kernel_of`; coefficients that are not finite start from zero.
    whole
        As in `GeneralisedLinear`.
    """
    shift = coefficients[1:] @ centre
    standard = np.append(coefficients[0] + shift, coefficients[1:] * spread)
    moved = further if codes is None or further is None else further - shift
    finite = np.isfinite(standard).all() and (moved is None or np.isfinite(moved).all())
    if not finite:
        standard = np.zeros_like(standard)
        moved = None if moved is None else np.zeros_like(moved)
    kernel = kernel_of(family, standard, moved, codes, cut, whole=whole)
    return Standardised(kernel, centre, spread, thresholds=codes is not None)
