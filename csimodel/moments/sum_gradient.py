"""Derivatives by the sums of products of items: moments with sums moved, and sums of each unit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.cross_products import CrossProducts
from csimodel.moments.moments import Moments
from csimodel.moments.sums import products_of
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]

_CELLS = 2**17  # products of items made together, so that they stay in cache


@dataclass(frozen=True, eq=False)
class SumGradient:
    """Derivatives by the sums of products of items.

    Attributes
    ----------
    products
        What the sums are of.
    """

    products: CrossProducts

    def moved(self, sums: NDArray[np.intp], steps: Floats) -> Moments:
        """Return the moments with some of the sums moved by `steps`, one sample for each."""
        everything = np.repeat(self.products.totals[:, None], len(sums), axis=1)
        everything[sums, np.arange(len(sums))] += steps
        return self.products.of_totals(everything.T)

    def unit_totals(self, units: SurveyDesign, gradient: Floats) -> Floats:
        """Return the sums of each unit times a gradient by them, (units, entries).

        Parameters
        ----------
        units
            Which unit each row belongs to.
        gradient
            By the sums, and last by the sum of weights, (pieces + 1, entries).
        """
        totals = np.zeros((units.units, gradient.shape[1]))
        answers, weights = self.products.answers, self.products.weights
        together = max(1, _CELLS // self.products.pieces)
        for start in range(0, len(weights), together):
            part = slice(start, start + together)
            x = answers.values[part] - self.products.centre
            values = products_of(answers, x) @ gradient[:-1] + gradient[-1]
            values *= weights[part, None]
            if units.kind == "respondent":
                totals[part] = values
            else:
                np.add.at(totals, units.unit[part], values)
        return totals

    @cached_property
    def scales(self) -> Floats:
        """The size that a move of each sum by the whole sample would have, (pieces,)."""
        products, size = self.products, len(self.products.centre)
        total = products.totals[products.pieces]
        sample = products.sample()
        sd = np.sqrt(np.diagonal(sample.cov))
        if products.answers.missing == "complete":
            row, column = np.triu_indices(size)
            pieces = np.concatenate([sd, sd[row] * sd[column]])
        else:
            pairs = np.broadcast_arrays(sd[:, None], np.outer(sd, sd), (sd**2)[:, None], 1.0)
            pieces = np.stack(pairs).ravel()
        return np.asarray(total * pieces)

    @property
    def shares(self) -> Floats:
        """Each sum over the sum of weights, (pieces,)."""
        pieces = self.products.pieces
        return np.asarray(self.products.totals[:pieces] / self.products.totals[pieces])
