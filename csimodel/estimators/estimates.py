"""What every estimator returns: arrays with the batch axis in front, and how each sample ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import Field, dataclass, fields, replace
from enum import IntFlag
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from csimodel.endings import CodedEnding
from csimodel.moments import Moments
from csimodel.moments.batches import BatchBuffer
from csimodel.translation import message

Floats = NDArray[np.float64]

_ROUNDING = 64.0 * np.finfo(np.float64).eps


class Status(CodedEnding):
    """How the estimation of one sample ended; only CONVERGED gives numbers to use.

    What comes after NOT_CONVERGED has no numbers, or none of PLS.
    """

    CONVERGED = 0, message("converged")
    NOT_CONVERGED = 1, message("not converged")
    CONSTANT_ITEM = 2, message("an item without variation")
    SINGULAR = 3, message("singular equations")
    TOO_FEW_ROWS = 4, message("fewer than 3 rows")
    NOT_IDENTIFIED = 5, message("not identified")
    ITEMS_SINGULAR = 6, message("singular item covariances")
    NEGATIVE_RELIABILITY = 7, message("negative reliability")
    UNPAIRED_ITEMS = 8, message("items never answered together")
    SUPPRESSED = 9, message("suppressed: fewer respondents than the minimum")


class Inadmissible(IntFlag):
    """Why a converged solution cannot be what the model says."""

    NONE = 0
    RELIABILITY = 1
    LOADING = 2
    NOT_POSITIVE_DEFINITE = 4
    NEGATIVE_VARIANCE = 8

    @property
    def reason(self) -> str:
        """The reason in words (for a single flag)."""
        return {
            Inadmissible.RELIABILITY: "reliability above 1",
            Inadmissible.LOADING: "loading above 1",
            Inadmissible.NEGATIVE_VARIANCE: "negative variance",
            Inadmissible.NOT_POSITIVE_DEFINITE: "construct correlations not positive definite",
        }.get(self, "none")


@dataclass(frozen=True, eq=False)
class Estimates:
    """Standardised estimates of one sample, or of a batch of them.

    Attributes
    ----------
    weights, loadings
        Of each item on its own construct, (..., items).
    reliability
        Of each construct's scores, (..., constructs); 1 where nothing was corrected. Below 0 only
        where the outcome says so.
    construct_cor
        Correlations of the constructs, (..., constructs, constructs).
    paths
        Path coefficients, (..., targets, sources).
    iterations
        Until the stopping rule held, (...,).
    outcome
        A `Status` for each sample, (...,).
    inadmissible
        `Inadmissible` flags for each sample, (...,).
    """

    weights: Floats
    loadings: Floats
    reliability: Floats
    construct_cor: Floats
    paths: Floats
    iterations: NDArray[np.int64]
    outcome: NDArray[np.int64]
    inadmissible: NDArray[np.int64]

    def __getitem__(self, key: int | slice | NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        """Return one sample, or several, of a batch."""
        return replace(self, **{name: values[key] for name, values in self.arrays.items()})

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """What each sample of a batch has of its own, by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if not _shared(f)}

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Put batches one after another."""
        if len(parts) == 1:
            return parts[0]
        buffer = BatchBuffer(sum(len(part.outcome) for part in parts))
        for part in parts:
            buffer.add(part.arrays)
        return replace(parts[0], **buffer.arrays)


def _shared(entry: Field[Any]) -> bool:
    """Tell whether a field is one for the whole batch."""
    return bool(entry.metadata.get("shared", False))


def still_items(moments: Moments) -> NDArray[np.bool_]:
    """Mark items that vary no more than rounding of their means does, (..., items)."""
    rounding = _ROUNDING * np.fmax(np.abs(moments.mean), 0.0)
    return np.asarray(~(np.diagonal(moments.cov, axis1=-2, axis2=-1) > rounding**2))
