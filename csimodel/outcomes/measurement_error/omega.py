"""Omega of indexes with any weights, and a kind of reliability as a quantity of one construct."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.estimators import Quantity, Solution, find
from csimodel.estimators.quantities import by_construct
from csimodel.model import Model
from csimodel.outcomes.measurement_error.one_factor import one_factor

Floats = NDArray[np.float64]


def index_omega(solution: Solution, constructs: Sequence[int] | None = None) -> Floats:
    """Return the reliability of constructs' indexes, (..., constructs); 1 for a single item.

    ``1 - Σ wᵢ² θᵢ / w'Rw`` with R the items' correlations, w the weights of standardised items and
    θᵢ = 1 - λᵢ² from one common factor; NaN where that factor has no solution.

    Parameters
    ----------
    solution
        One sample or a batch.
    constructs
        Places of those wanted in the model, as each may need a search; None for all.
    """
    weights, moments, slices = solution.estimates.weights, solution.moments, solution.model.slices
    wanted = range(len(slices)) if constructs is None else constructs
    result = np.ones((*weights.shape[:-1], len(wanted)))
    for j, place in enumerate(wanted):
        block = slices[place]
        if block.stop - block.start > 1:
            w, cor = weights[..., block], moments.cor[..., block, block]
            variance = np.einsum("...i,...ik,...k->...", w, cor, w)
            error = (w**2 * (1.0 - one_factor(cor) ** 2)).sum(axis=-1)
            with np.errstate(invalid="ignore", divide="ignore"):
                result[..., j] = 1.0 - error / variance
    return result


@dataclass(frozen=True)
class ReliabilityOf:
    """A kind of reliability, of the construct at one place of the model."""

    kind: str
    place: int

    def labels(self, model: Model) -> pd.Index:
        """Label its one entry by the construct."""
        return by_construct(model)[[self.place]]

    def values(self, solution: Solution) -> Floats:
        """Return it, (..., 1)."""
        if self.kind == "omega":
            return index_omega(solution, [self.place])
        return np.asarray(find(self.kind).values(solution)[..., [self.place]])

    @property
    def quantity(self) -> Quantity:
        """The same for draws and left-out units."""
        return Quantity(f"reliability ({self.kind})", self.labels, self.values, null=None)
