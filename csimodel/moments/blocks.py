"""Answers as blocks of rows that are added up, and what they add up to as moments."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.additive import AdditiveMoments, Block, Memory
from csimodel.moments.moments import Moments
from csimodel.survey import Answers

_BLOCK = 8192  # rows of a block of additive moments


def blocks_of(answers: Answers, codes: NDArray[np.intp] | None = None) -> Iterator[Block]:
    """Cut complete answers into blocks, by group where there are any; rows of none are left out."""
    whole = Block(answers.values, answers.weights)
    if codes is not None:
        order = np.argsort(codes, kind="stable")[(codes < 0).sum() :]
        by_row = np.ascontiguousarray(answers.values)  # rows are taken three times as fast
        weights = None if answers.weights is None else answers.weights[order]
        whole = Block(by_row.take(order, axis=0), weights, codes[order])
    for start in range(0, len(whole.values), _BLOCK):
        yield whole.part(start, start + _BLOCK)


def complete_moments(answers: Answers) -> Moments:
    """Return the moments of complete answers."""
    return moments_of_sets(Memory().accumulate(blocks_of(answers)), answers)


def moments_of_sets(sums: AdditiveMoments, answers: Answers) -> Moments:
    """Return the moments of a set of rows, or of a batch of sets."""
    return Moments(
        items=answers.items,
        n=sums.rows,
        mean=sums.mean,
        cov=sums.cov,
        minimum=answers.minimum,
        maximum=answers.maximum,
        effective_n=sums.effective_rows,
    )
