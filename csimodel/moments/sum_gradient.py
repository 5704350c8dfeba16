"""Derivatives by the sums of products of items: moments with sums moved, and sums of each unit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.cross_products import CrossProducts
from csimodel.moments.moments import Moments
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]

_QUADRATIC = 1024  # rows whose quadratic forms are made together, so that they stay in cache


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
        weights = self.products.weights
        for start in range(0, len(weights), _QUADRATIC):
            part = slice(start, start + _QUADRATIC)
            values = self._weighed(part, gradient)
            values *= weights[part, None]
            if units.kind == "respondent":
                totals[part] = values
            else:
                np.add.at(totals, units.unit[part], values)
        return totals

    def _weighed(self, part: slice, gradient: Floats) -> Floats:
        """Return the products of items of some rows times a gradient, (rows, entries).

        As quadratic forms ``x'(Qx + g)``, so that no product is made by itself.
        """
        x = self.products.answers.values[part] - self.products.centre
        size, entries = x.shape[1], gradient.shape[1]
        shape = len(x), entries, size

        def form(matrix: Floats, right: Floats) -> Floats:
            """Return a matrix for each entry, (left, right, entries), times rows of the right."""
            return np.asarray(right @ matrix.transpose(1, 2, 0).reshape(size, -1))

        if self.products.answers.missing == "complete":
            square = np.zeros((size, size, entries))
            square[np.triu_indices(size)] = gradient[size:-1]
            inner = form(square, x) + gradient[:size].T.ravel()
            return np.asarray(np.einsum("rek,rk->re", inner.reshape(shape), x) + gradient[-1])
        seen = (~np.isnan(x)).astype(np.float64)
        x = np.nan_to_num(x, nan=0.0)
        first, product, squared, weight = gradient[:-1].reshape(4, size, size, entries)
        by_answer = form(first, seen) + form(product, x)
        by_seen = form(squared.swapaxes(0, 1), x**2) + form(weight, seen)
        values = np.einsum("rek,rk->re", by_answer.reshape(shape), x)
        values += np.einsum("rek,rk->re", by_seen.reshape(shape), seen)
        return np.asarray(values + gradient[-1])

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
            one = np.ones((size, size))
            pairs = [sd[:, None] * one, np.outer(sd, sd), (sd**2)[:, None] * one, one]
            pieces = np.stack(pairs).ravel()
        return np.asarray(total * pieces)

    @property
    def shares(self) -> Floats:
        """Each sum over the sum of weights, (pieces,)."""
        pieces = self.products.pieces
        return np.asarray(self.products.totals[:pieces] / self.products.totals[pieces])
