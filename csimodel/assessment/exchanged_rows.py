"""Permutations of respondents, made or given, within the strata or clusters of a design."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csimodel.assessment.group_permutations import (
    LEAST_PERMUTATIONS,
    require_given,
    require_permutations,
)
from csimodel.errors import OptionError
from csimodel.moments.label_permutations import Exchange, LabelPermutations
from csimodel.survey.sampling import SurveyDesign

Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class ExchangedRows:
    """Orders of the respondents, in which one variable stays and another follows the order.

    Attributes
    ----------
    permutations
        With a label of its own for every respondent.
    clusters
        Within how many clusters respondents are exchanged; 0 where they are not.

    Examples
    --------
    >>> design = SurveyDesign.of(5)
    >>> orders = ExchangedRows.of(design, np.ones(5, dtype=bool), 20, 1)
    >>> np.sort(orders.rows(slice(0, 2)), axis=1).tolist()
    [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]]
    """

    permutations: LabelPermutations
    clusters: int

    @classmethod
    def of(
        cls,
        design: SurveyDesign,
        used: NDArray[np.bool_],
        permutations: int | ArrayLike,
        seed: int,
    ) -> ExchangedRows:
        """Return a number of permutations of the respondents used, or those that somebody made.

        Raises
        ------
        OptionError
            For fewer than 20 permutations, or rows that are no permutations.
        """
        permutations = require_permutations(permutations, ", and a thousand for p-values")
        rows = np.arange(int(used.sum()))
        alone = design.kind == "respondent"
        within = design.stratum[design.unit] if alone else design.unit
        block = np.unique(within[used], return_inverse=True)[1].reshape(-1)
        kind: Exchange = "respondents" if alone else "respondents within clusters"
        counted = isinstance(permutations, int)
        count = permutations if isinstance(permutations, int) else 0
        own = LabelPermutations(rows, rows, block, kind, count, seed)
        if not counted:
            own = own.with_labels(_given(permutations, len(rows)))
        return cls(own, int(block.max(initial=-1)) + 1 if counted and not alone else 0)

    @property
    def count(self) -> int:
        """Number of permutations."""
        return self.permutations.count

    @property
    def enough(self) -> bool:
        """Whether there are as many ways to exchange respondents as a p-value needs."""
        from scipy.special import gammaln

        sizes = np.bincount(self.permutations.block)
        ways = float(gammaln(sizes + 1.0).sum())
        return self.permutations.given is not None or ways >= np.log(LEAST_PERMUTATIONS) - 1e-9

    def rows(self, span: slice) -> Codes:
        """Return the row whose value each respondent gets, (permutations, respondents)."""
        return np.asarray(self.permutations.labels(span), dtype=np.intp)

    def spans(self, together: int) -> Iterator[slice]:
        """Yield permutations that go together."""
        return self.permutations.spans(together)


def _given(permutations: object, rows: int) -> Codes:
    """Return orders that somebody made, (permutations, respondents)."""
    orders = np.atleast_2d(np.asarray(permutations))
    whole = np.issubdtype(orders.dtype, np.integer) and orders.ndim == 2
    if not whole or orders.shape[1] != rows or not len(orders):
        raise OptionError(
            f"permutations= holds an array of shape {orders.shape}; give one row for each "
            f"permutation, with the numbers 0 to {rows - 1} of the {rows} respondents in it."
        )
    require_given(len(orders))
    wrong = (np.sort(orders, axis=1) != np.arange(rows)).any(axis=1)
    if wrong.any():
        raise OptionError(
            f"Row {int(np.flatnonzero(wrong)[0])} of permutations= does not hold each of the "
            f"numbers 0 to {rows - 1} once."
        )
    return orders.astype(np.intp)
