"""What every kind of regression declares, and the one loop that runs it over many samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from csimodel.endings import CodedEnding
from csimodel.errors import EstimationError
from csimodel.outcomes.kernels.influence import Influence

Floats = NDArray[np.float64]


class Ending(CodedEnding):
    """How the regression of one draw ended; only CONVERGED gives numbers to use."""

    CONVERGED = 0, "converged"
    NOT_CONVERGED = 1, "regression not converged"
    SEPARATED = 2, "outcomes separated by the regressors"
    SINGULAR = 3, "a regressor without variation of its own"
    ONE_OUTCOME = 4, "every outcome the same"
    NO_FIT = 5, "no solution of the model"


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
    information
        About the coefficients, (draws, terms, terms), where the kernel keeps it.
    """

    coefficients: Floats
    mean_slope: Floats
    ending: NDArray[np.int64]
    further: Floats | None = None
    information: Floats | None = None

    @classmethod
    def of_sample(cls, coefficients: Floats, ending: Ending, further: Floats | None) -> Regressions:
        """Return the batch of one sample: (terms,) and (any,)."""
        some = None if further is None else further[None]
        return cls(coefficients[None], np.full(1, np.nan), np.array([int(ending)]), some)

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


class Observations(NamedTuple):
    """One sample, row by row.

    Attributes
    ----------
    design
        What the coefficients multiply, with the constant in front where there is one, (rows,
        terms).
    outcome
        (rows,)
    weights
        Survey weights, (rows,), or None.
    respondents
        How many the rows stand for, where that is more than one each.
    """

    design: Floats
    outcome: Floats
    weights: Floats | None
    respondents: int | None = None


InfluenceOf = Callable[[Observations, Regressions], Influence]
Predict = Callable[[Floats, Floats, Floats | None], Floats]


class Kernel(Protocol):
    """One kind of regression, and what it can: None where it cannot.

    Who needs what a kernel may lack asks `influence_of` or `predict_of`, which refuse.
    """

    @property
    def terms(self) -> int:
        """Number of coefficients."""

    @property
    def extra(self) -> int:
        """Number of parameters besides: thresholds, or a precision."""

    def fit(self, samples: Samples) -> Regressions:
        """Fit each of the samples."""

    @property
    def influence(self) -> InfluenceOf | None:
        """From one sample and its estimates to what its rows add to all that is estimated."""

    @property
    def predict(self) -> Predict | None:
        """From coefficients and design rows to expected outcomes; see `Family.predict`."""


def influence_of(kernel: Kernel, sample: Observations, estimates: Regressions) -> Influence:
    """Return what the rows of one sample add to its estimates, a batch of one.

    Raises
    ------
    EstimationError
        When the kernel fits draws and no more.
    """
    if kernel.influence is None:
        raise EstimationError(_cannot(kernel, "influence values", "errors from a bootstrap"))
    return kernel.influence(sample, estimates)


def predict_of(kernel: Kernel) -> Predict:
    """Return how a kernel predicts.

    Raises
    ------
    EstimationError
        When its outcome has no mean that follows from coefficients alone.
    """
    if kernel.predict is None:
        raise EstimationError(_cannot(kernel, "expected outcomes", "its coefficients"))
    return kernel.predict


def _cannot(kernel: Kernel, what: str, instead: str) -> str:
    return f"{type(kernel).__name__} regressions declare no {what}; use {instead}."


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
    influence: ClassVar[None] = None  # asked of the kernel itself, in the columns' own units
    predict: ClassVar[None] = None

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
        information = standard.information
        if information is not None and not self.constant:
            information = information * np.outer(self.spread, self.spread)
        return Regressions(b, standard.mean_slope, standard.ending, further, information)


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
