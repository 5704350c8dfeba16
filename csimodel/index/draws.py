"""The respondents' index in every draw of a bootstrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators import Fit
from csimodel.estimators.points import point_weights, respondent_points, scale_of
from csimodel.index.item_errors import item_draws
from csimodel.inference import Bootstrap

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class IndexDraws:
    """The index of some constructs, of some respondents, in every draw.

    The model of each draw is estimated already (`Bootstrap`): its item weights make each
    respondent's index by one matrix product. A missing answer counts as the draw's item mean.

    Attributes
    ----------
    points
        Answers to the constructs' items on 0 to 100, 0 where missing, (rows, items).
    missing
        1 where an answer is missing, (rows, items); or None where none is.
    items
        Positions of the items among the model's, (items,).
    blocks
        Which of the items belong to each construct.
    weights, means
        What each item counts, and its mean in points, in each draw, (draws, items).
    """

    points: Floats
    missing: Floats | None
    items: Places
    blocks: tuple[slice, ...]
    weights: Floats
    means: Floats

    @classmethod
    def of(cls, bootstrap: Bootstrap, constructs: Sequence[str], rows: Places) -> IndexDraws:
        """Take the index of constructs; `rows` are positions among the fit's respondents.

        Raises
        ------
        SurveyError
            When the fit was made from moments, or scale bounds are unknown.
        """
        fit = item_draws(bootstrap).fit
        answers = fit.require_answers("whole-chain intervals")
        items = np.concatenate([np.arange(own.start, own.stop) for own in _blocks(fit, constructs)])
        points = respondent_points(answers, fit.moments)[np.ix_(rows, items)]
        return cls.of_points(
            bootstrap,
            constructs,
            np.where(np.isnan(answers.values[np.ix_(rows, items)]), np.nan, points),
        )

    @classmethod
    def of_points(
        cls, bootstrap: Bootstrap, constructs: Sequence[str], points: Floats
    ) -> IndexDraws:
        """Take the index of constructs from points of their items, NaN where missing."""
        bootstrap = item_draws(bootstrap)
        fit, solution, seen = bootstrap.fit, bootstrap.solution, ~np.isnan(points)
        own = _blocks(fit, constructs)
        items = np.concatenate([np.arange(block.start, block.stop) for block in own])
        minimum, width = scale_of(fit.moments)
        return cls(
            np.where(seen, points, 0.0),
            None if seen.all() else (~seen).astype(np.float64),
            items,
            side_by_side(own),
            point_weights(solution)[:, items],
            ((solution.moments.mean - minimum) / width * 100.0)[:, items],
        )

    @property
    def key(self) -> Floats:
        """What respondents with the same index in every draw share, (rows, any)."""
        return self.points if self.missing is None else np.hstack([self.points, self.missing])

    def at(self, draws: Places) -> list[Floats]:
        """Return each construct's index in some draws, (draws, rows)."""
        weights, means = self.weights[draws], self.means[draws]
        indexes = []
        for block in self.blocks:
            index = weights[:, block] @ self.points[:, block].T
            if self.missing is not None:
                index += (weights[:, block] * means[:, block]) @ self.missing[:, block].T
            indexes.append(index)
        return indexes

    def take(self, rows: Places) -> IndexDraws:
        """Return the same of some of the rows, in their order."""
        missing = None if self.missing is None else self.missing[rows]
        return replace(self, points=self.points[rows], missing=missing)


def _blocks(fit: Fit, constructs: Sequence[str]) -> list[slice]:
    """Return where the items of constructs lie among the model's."""
    return [fit.model.slices[fit.model.construct_names.index(name)] for name in constructs]


def side_by_side(blocks: Sequence[slice]) -> tuple[slice, ...]:
    """Return where blocks of items lie when put one after another.

    >>> side_by_side([slice(4, 7), slice(0, 2)])
    (slice(0, 3, None), slice(3, 5, None))
    """
    ends = np.cumsum([0, *(block.stop - block.start for block in blocks)]).tolist()
    return tuple(slice(a, b) for a, b in pairwise(ends))
