"""Respondents merged where they are alike, so that a draw is a short row of counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.index import IndexDraws
from csimodel.inference import Bootstrap, draws_of
from csimodel.moments import Resampling
from csimodel.outcomes.rows.sample import Sample

Floats = NDArray[np.float64]

_PARTS = 16  # runs of cells that count when draws come together, which bounds the memory


@dataclass(frozen=True, eq=False)
class Cells:
    """Respondents of a regression, merged where answers, outcome and controls are alike.

    Cells that differ in the outcome alone follow each other, but ordered answers come first.

    Attributes
    ----------
    index
        The indexes of the cells in every draw.
    outcome
        (cells,)
    controls
        What a design has besides the indexes, (cells, factors).
    order
        Positions, among all respondents of the fit, of those used, sorted by cell, (rows,).
    starts
        Where each cell begins in `order`, (cells,).
    weights
        Survey weights in that order, (rows,), or None.
    codes
        Category of the ordered answer, (cells,), or None.
    """

    index: IndexDraws
    outcome: Floats
    controls: Floats
    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    weights: Floats | None
    codes: NDArray[np.intp] | None = None

    @classmethod
    def of(
        cls, bootstrap: Bootstrap, sample: Sample, place: NDArray[np.intp] | None = None
    ) -> Cells:
        """Merge the respondents of a sample that was drawn from the bootstrap's fit.

        Parameters
        ----------
        bootstrap, sample
            The draws, and respondents of their fit.
        place
            Codes that the factors of the design are made of, (rows,), by which cells are then
            sorted first.
        """
        index = IndexDraws.of(bootstrap, sample.indexes, sample.rows)
        controls, codes = sample.factors, None
        seen = np.ones((sample.n, 0)) if index.missing is None else 1.0 - index.missing
        known = [index.points, seen, controls] if place is None else [place, index.points, seen]
        key = np.column_stack([*known, sample.outcome])
        if sample.ordering is not None:
            codes = sample.ordering.codes
            key = np.column_stack([codes, key])
        _, first, cell = np.unique(key, axis=0, return_index=True, return_inverse=True)
        cell = cell.reshape(-1)
        sorting = np.argsort(cell, kind="stable")
        return cls(
            index=index.take(first),
            outcome=sample.outcome[first],
            controls=controls[first],
            order=sample.rows[sorting],
            starts=np.searchsorted(cell[sorting], np.arange(len(first))),
            weights=None if sample.weights is None else sample.weights[sorting],
            codes=None if codes is None else codes[first],
        )

    def drawn(self, counts: Floats) -> Floats:
        """Turn how often each respondent was drawn, (draws, all rows), into cells' weights."""
        taken = counts[:, self.order]
        if self.weights is not None:
            taken *= self.weights
        return _summed(taken, self.starts)

    def tally(self, design: Resampling, block: int, wanted: NDArray[np.intp]) -> Floats:
        """Return the cells' weights in some draws of a block, (draws, cells).

        The same as `drawn` of the design's counts. Plain draws are counted by cell at once,
        without a count for every respondent.
        """
        if design.kind != "multinomial" or self.weights is not None:
            return self.drawn(design.counts(block)[wanted])
        cells = len(self.starts)
        place = np.full(design.rows, cells)  # the last for respondents that are not used
        lengths = np.diff(np.append(self.starts, len(self.order)))
        place[self.order] = np.repeat(np.arange(cells), lengths)
        return design.grouped(block, place, cells + 1)[wanted, :-1]

    def draws(
        self,
        design: Resampling,
        wanted: NDArray[np.bool_],
        what: str = "draws",
        progress: bool = False,
        parts: int = 1,
    ) -> Iterator[tuple[NDArray[np.intp], Floats]]:
        """Yield the wanted draws a few at a time: numbers, and the cells' weights in them.

        Where cells are used in `parts`, one after another, more draws come together.
        """

        def count(block: int, own: NDArray[np.intp]) -> Floats:
            return self.tally(design, block, own)

        cells = len(self.starts) // min(parts, _PARTS)
        return draws_of(design, wanted, cells=cells, count=count, what=what, progress=progress)

    def regressors(self, draws: NDArray[np.intp]) -> list[Floats]:
        """Return the indexes in some draws, (draws, cells), and the controls, (cells,)."""
        return [*self.index.at(draws), *self.controls.T]

    def take(self, cells: NDArray[np.intp], starts: NDArray[np.intp]) -> Cells:
        """Return some of the cells, in their order, with other beginnings among the rows."""
        return Cells(
            index=self.index.take(cells),
            outcome=self.outcome[cells],
            controls=self.controls[cells],
            order=self.order,
            starts=starts,
            weights=self.weights,
            codes=None if self.codes is None else self.codes[cells],
        )

    @property
    def each(self) -> Cells:
        """The same with every respondent in a cell of his own."""
        sizes = np.diff(np.append(self.starts, len(self.order)))
        cell = np.repeat(np.arange(len(self.starts)), sizes)
        return self.take(cell, np.arange(len(cell)))

    @cached_property
    def groups(self) -> NDArray[np.intp]:
        """Where cells begin that differ from the one before in more than the outcome."""
        if self.codes is not None:
            return np.arange(len(self.starts))
        known = np.column_stack([self.index.key, self.controls])
        differs = (known[1:] != known[:-1]).any(axis=1)
        return np.flatnonzero(np.append(True, differs))

    @cached_property
    def merged(self) -> Cells:
        """The same with cells that differ in the outcome alone as one; its outcome is the first's.

        Enough for every likelihood that is linear in functions of the outcome.
        """
        return self.take(self.groups, self.starts[self.groups])

    def pooled(self, weights: Floats, statistics: Sequence[Floats]) -> tuple[Floats, list[Floats]]:
        """Return the merged cells' weights, (draws, merged), and means of functions of the outcome.

        The means are (draws, merged), or (cells,) as given where nothing merges.
        """
        if len(self.groups) == len(self.starts):
            return weights, list(statistics)
        means = [pooled(weights, values, self.groups)[1] for values in statistics]
        return _summed(weights, self.groups), means


def pooled(weights: Floats, values: Floats, starts: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return sums of weights over runs of cells, and weighted means of values in them.

    Parameters
    ----------
    weights, values
        (draws, cells) and (cells,).
    starts
        Where each run begins, (runs,).

    Returns
    -------
    (draws, runs) twice; the means are the values as given, (cells,), where no run has two cells.
    Runs without weight have the first one's.

    Examples
    --------
    >>> pooled(np.array([[1.0, 3.0, 0.0]]), np.array([0.0, 1.0, 0.5]), np.array([0, 2]))
    (array([[4., 0.]]), array([[0.75, 0.5 ]]))
    """
    if len(starts) == weights.shape[1]:
        return weights, values
    total = _summed(weights, starts)
    mean = _summed(weights * values, starts) / np.where(total > 0, total, 1.0)
    return total, np.where(total > 0, mean, values[starts])


def _summed(values: Floats, starts: NDArray[np.intp]) -> Floats:
    if len(starts) == values.shape[1]:
        return values
    return np.asarray(np.add.reduceat(values, starts, axis=1))
