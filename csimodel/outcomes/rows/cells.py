"""Respondents merged where they are alike, so that a draw is a short row of counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.index import respondent_points
from csimodel.inference import Bootstrap
from csimodel.moments import Resampling
from csimodel.outcomes.rows.sample import Sample

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Cells:
    """Respondents of a regression, merged where answers, outcome and controls are alike.

    Cells that differ in the outcome alone follow each other, but ordered answers come first.

    Attributes
    ----------
    points
        Answers to the index's items on 0 to 100, 0 where missing, (cells, items).
    gaps
        1 where an answer is missing and counts as the item's mean, (cells, items); or None.
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
    blocks
        Which of the items belong to each index.
    items
        Their positions among the model's items, (items,).
    codes
        Category of the ordered answer, (cells,), or None.
    """

    points: Floats
    gaps: Floats | None
    outcome: Floats
    controls: Floats
    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    weights: Floats | None
    blocks: tuple[slice, ...]
    items: NDArray[np.intp]
    codes: NDArray[np.intp] | None = None

    @classmethod
    def of(cls, bootstrap: Bootstrap, sample: Sample) -> Cells:
        """Merge the respondents of a sample that was drawn from the bootstrap's fit."""
        fit = bootstrap.fit
        answers = fit.require_answers("whole-chain intervals")
        own = [fit.model.slices[fit.model.construct_names.index(name)] for name in sample.indexes]
        items = np.concatenate([np.arange(block.start, block.stop) for block in own])
        ends = np.cumsum([block.stop - block.start for block in own])
        blocks = tuple(
            slice(int(end) - (block.stop - block.start), int(end))
            for block, end in zip(own, ends, strict=True)
        )
        seen = ~np.isnan(answers.values[np.ix_(sample.rows, items)])
        points = respondent_points(answers, fit.moments)[np.ix_(sample.rows, items)]
        points = np.where(seen, points, 0.0)
        controls, codes = sample.factors, None
        key = [points, seen, controls, sample.outcome]
        if sample.ordering is not None:
            codes = sample.ordering.codes
            key = [codes, *key]
        _, first, cell = np.unique(
            np.column_stack(key), axis=0, return_index=True, return_inverse=True
        )
        cell = cell.reshape(-1)
        sorting = np.argsort(cell, kind="stable")
        return cls(
            points=points[first],
            gaps=None if seen.all() else (~seen[first]).astype(np.float64),
            outcome=sample.outcome[first],
            controls=controls[first],
            order=sample.rows[sorting],
            starts=np.searchsorted(cell[sorting], np.arange(len(first))),
            weights=None if sample.weights is None else sample.weights[sorting],
            blocks=blocks,
            items=items,
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

    def regressors(self, weights: Floats, means: Floats) -> list[Floats]:
        """Return each draw's indexes, (draws, cells), and the controls, (cells,).

        `weights` are the draws' item weights and `means` their item means in points,
        (draws, items).
        """
        found = []
        for block in self.blocks:
            index = weights[:, block] @ self.points[:, block].T
            if self.gaps is not None:
                index += (weights[:, block] * means[:, block]) @ self.gaps[:, block].T
            found.append(index)
        return [*found, *self.controls.T]

    @cached_property
    def groups(self) -> NDArray[np.intp]:
        """Where cells begin that differ from the one before in more than the outcome."""
        if self.codes is not None:
            return np.arange(len(self.starts))
        key = [self.points, self.controls, *([] if self.gaps is None else [self.gaps])]
        known = np.column_stack(key)
        differs = (known[1:] != known[:-1]).any(axis=1)
        return np.flatnonzero(np.append(True, differs))

    @cached_property
    def merged(self) -> Cells:
        """The same with cells that differ in the outcome alone as one; its outcome is the first's.

        Enough for every likelihood that is linear in functions of the outcome.
        """
        first = self.groups
        return Cells(
            points=self.points[first],
            gaps=None if self.gaps is None else self.gaps[first],
            outcome=self.outcome[first],
            controls=self.controls[first],
            order=self.order,
            starts=self.starts[first],
            weights=self.weights,
            blocks=self.blocks,
            items=self.items,
            codes=None if self.codes is None else self.codes[first],
        )

    def pooled(self, weights: Floats, statistics: Sequence[Floats]) -> tuple[Floats, list[Floats]]:
        """Return the merged cells' weights, (draws, merged), and means of functions of the outcome.

        The means are (draws, merged), or (cells,) as given where nothing merges.
        """
        if len(self.groups) == len(self.starts):
            return weights, list(statistics)
        total = _summed(weights, self.groups)
        safe = np.where(total > 0, total, 1.0)
        means = []
        for values in statistics:
            mean = _summed(weights * values, self.groups) / safe
            means.append(np.where(total > 0, mean, values[self.groups]))
        return total, means


def _summed(values: Floats, starts: NDArray[np.intp]) -> Floats:
    if len(starts) == values.shape[1]:
        return values
    return np.asarray(np.add.reduceat(values, starts, axis=1))
