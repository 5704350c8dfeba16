"""Answers as blocks of rows that are added up, and what they add up to as moments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.additive import AdditiveMoments, Block, Memory
from csimodel.moments.moments import Moments
from csimodel.moments.sample_rows import WholeSample
from csimodel.survey import Answers

_BLOCK = 8192  # rows of a block of groups


def blocks_of(answers: Answers, codes: NDArray[np.intp] | None = None) -> Iterator[Block]:
    """Cut complete answers into blocks by group, without rows of none; one block without groups."""
    if codes is None:
        yield Block(answers.values, answers.weights)
        return
    values, order = answers.values, None
    if (np.diff(codes) < 0).any() or (codes < 0).any():
        order = np.argsort(codes, kind="stable")[(codes < 0).sum() :]
        codes = codes[order]
        values = np.ascontiguousarray(values)  # rows are taken three times as fast
    start = 0
    while start < len(codes):
        stop = _end_of_block(codes, start)
        rows = slice(start, stop) if order is None else order[start:stop]
        weights = None if answers.weights is None else answers.weights[rows]
        yield Block(np.ascontiguousarray(values[rows]), weights, codes[start:stop])
        start = stop


def _end_of_block(codes: NDArray[np.intp], start: int) -> int:
    """Return where a block ends: between two groups, or within one that is larger than a block."""
    stop = start + _BLOCK
    if stop >= len(codes):
        return len(codes)
    first = int(np.searchsorted(codes, codes[stop]))
    return first if first > start else stop


def complete_moments(answers: Answers) -> Moments:
    """Return the moments of complete answers."""
    moments = moments_of_sets(Memory().accumulate(blocks_of(answers)), answers)
    return replace(moments, rows=WholeSample(answers))


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
