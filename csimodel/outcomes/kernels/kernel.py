"""What every kind of regression declares, and the one loop that runs it over many samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Ending(IntEnum):
    """How the regression of one draw ended; only CONVERGED gives numbers to use."""

    CONVERGED = 0
    NOT_CONVERGED = 1
    SEPARATED = 2
    SINGULAR = 3
    ONE_OUTCOME = 4
    NO_FIT = 5

    @property
    def reason(self) -> str:
        """The ending in words."""
        return {
            Ending.CONVERGED: "converged",
            Ending.NOT_CONVERGED: "regression not converged",
            Ending.SEPARATED: "outcomes separated by the regressors",
            Ending.SINGULAR: "a regressor without variation of its own",
            Ending.ONE_OUTCOME: "every outcome the same",
            Ending.NO_FIT: "no solution of the model",
        }[self]


@dataclass(frozen=True, eq=False)
class Regressions:
    """Coefficients of a batch of regressions.

    Attributes
    ----------
    coefficients
        (draws, 1 + regressors), the constant first.
    mean_slope
        Mean of μ'(η) over the draw's respondents, (draws,): times a coefficient, the average
        marginal effect.
    ending
        An `Ending` for each draw, (draws,).
    further
        Thresholds, or the logarithm of the precision, (draws, any), where the family has them.
    """

    coefficients: Floats
    mean_slope: Floats
    ending: NDArray[np.int64]
    further: Floats | None = None

    @property
    def solved(self) -> Floats:
        """Coefficients, NaN where a draw has no solution, (draws, 1 + regressors)."""
        return np.where((self.ending == Ending.CONVERGED)[:, None], self.coefficients, np.nan)


class Samples(NamedTuple):
    """Some weighted samples of the same cells: bootstrap draws, or one sample alone.

    Attributes
    ----------
    draws
        Their numbers, (samples,).
    columns
        Regressors without the constant, each (samples, cells) or (cells,).
    weights
        How much each cell counts, (samples, cells).
    outcomes
        What the kernel asks for of the outcome, each (samples, cells) or (cells,).
    """

    draws: NDArray[np.intp]
    columns: Sequence[Floats]
    weights: Floats
    outcomes: Sequence[Floats]


class Kernel(Protocol):
    """One kind of regression: how many numbers it has, and their fit to many samples at once."""

    @property
    def terms(self) -> int:
        """Number of coefficients."""

    @property
    def extra(self) -> int:
        """Number of parameters besides: thresholds, or a precision."""

    def fit(self, samples: Samples) -> Regressions:
        """Fit each of the samples."""


@dataclass(frozen=True, eq=False)
class Standardised:
    """A kernel on columns in standard units, its answers in the columns' own.

    Attributes
    ----------
    kernel
        What is fitted.
    centre, spread
        Taken off each column, and divided by, (columns,).
    constant
        Whether the first coefficient is a constant.
    thresholds
        Whether the further parameters move with the constant, as thresholds do.
    """

    kernel: Kernel
    centre: Floats
    spread: Floats
    constant: bool = True
    thresholds: bool = False

    @property
    def terms(self) -> int:
        """Number of coefficients."""
        return self.kernel.terms

    @property
    def extra(self) -> int:
        """Number of parameters besides."""
        return self.kernel.extra

    def fit(self, samples: Samples) -> Regressions:
        """Fit each of the samples."""
        columns = [
            (x - m) / s for x, m, s in zip(samples.columns, self.centre, self.spread, strict=True)
        ]
        standard = self.kernel.fit(samples._replace(columns=columns))
        first = int(self.constant)
        b, further = standard.coefficients.copy(), standard.further
        b[:, first:] /= self.spread
        if self.constant:
            shift = b[:, 1:] @ self.centre
            b[:, 0] -= shift
            if further is not None and self.thresholds:
                further = further + shift[:, None]
        return Regressions(b, standard.mean_slope, standard.ending, further)


def fit_samples(kernel: Kernel, samples: Iterable[Samples], total: int) -> Regressions:
    """Fit a kernel to samples that come a few at a time.

    Parameters
    ----------
    kernel
        What is fitted.
    samples
        From a loop over draws.
    total
        Number of draws; those that never come have no numbers, and end as without a model.
    """
    coefficients = np.full((total, kernel.terms), np.nan)
    further = np.full((total, kernel.extra), np.nan)
    mean_slope = np.full(total, np.nan)
    ending = np.full(total, int(Ending.NO_FIT))
    for some in samples:
        part = kernel.fit(some)
        coefficients[some.draws], ending[some.draws] = part.coefficients, part.ending
        mean_slope[some.draws] = part.mean_slope
        if part.further is not None:
            further[some.draws] = part.further
    return Regressions(coefficients, mean_slope, ending, further if kernel.extra else None)
