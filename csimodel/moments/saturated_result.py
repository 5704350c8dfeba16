"""What maximising the likelihood of answers with gaps found, or why it found nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from csimodel.findings import listed

Floats = NDArray[np.float64]


class Failure(StrEnum):
    """Why there is no saturated solution."""

    UNANSWERED_ITEM = "unanswered-item"
    CONSTANT_ITEM = "constant-item"
    NEVER_TOGETHER = "never-together"
    NOT_POSITIVE_DEFINITE = "not-positive-definite"
    NOT_CONVERGED = "not-converged"


@dataclass(frozen=True, eq=False)
class Saturated:
    """The most likely means and covariances of answers with gaps.

    Attributes
    ----------
    mean, cov
        Estimates, (items,) and (items, items); the covariance has denominator n, as maximum
        likelihood has. NaN when the items or their answers rule a solution out.
    loglik
        Log-likelihood there, with its constant.
    iterations
        EM and Newton steps taken.
    gradient
        Largest absolute derivative of minus twice the log-likelihood per row, for items of unit
        variance.
    failure
        Why the numbers must not be used, or None.
    concerned
        Positions of the items the failure is about.
    """

    mean: Floats
    cov: Floats
    loglik: float
    iterations: int
    gradient: float
    failure: Failure | None = None
    concerned: tuple[int, ...] = ()

    @property
    def converged(self) -> bool:
        """Whether this is a maximum, with a positive definite covariance."""
        return self.failure is None

    def sentence(self, items: Sequence[str]) -> str:
        """Say in one sentence what failed, with the names of the items; empty when nothing did."""
        names = [items[position] for position in self.concerned]
        what = listed(names)
        verb, they = ("is", "it") if len(names) == 1 else ("are", "them")
        match self.failure:
            case None:
                return ""
            case Failure.UNANSWERED_ITEM:
                return f"{what} {verb} never answered; leave {they} out of the model."
            case Failure.CONSTANT_ITEM:
                return (
                    f"{what} {verb} the same in every answer, so there is no covariance with "
                    f"others; leave {they} out of the model."
                )
            case Failure.NEVER_TOGETHER:
                return (
                    f"No respondent answered both {what}, so nothing tells how they vary together; "
                    "leave one out of the model."
                )
            case Failure.NOT_POSITIVE_DEFINITE:
                return (
                    f"The covariances of {what} are not positive definite: one of them is all but "
                    "a sum of the others, because too few respondents answered them together or "
                    "because they say the same; leave one out of the model."
                )
            case _:
                return (
                    f"Means and covariances did not settle in {self.iterations} steps (largest "
                    f"derivative {self.gradient:.1e}): the answers hardly tell how some items vary "
                    "together; leave out the items fewest answered, or allow more iterations."
                )
