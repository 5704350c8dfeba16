"""Batches of samples put one after another, into memory that is taken once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


@dataclass(eq=False)
class BatchBuffer:
    """Arrays of a batch that is filled part by part; samples lie last in memory.

    Attributes
    ----------
    total
        Number of samples when it is full.
    arrays
        By name, (total, ...); those that every part so far has.
    filled
        Number of samples so far.

    Examples
    --------
    >>> buffer = BatchBuffer(3)
    >>> buffer.add({"n": np.array([5.0])})
    >>> buffer.add({"n": np.array([6.0, 7.0]), "fourth": np.zeros((2, 9, 9))})
    >>> buffer.arrays
    {'n': array([5., 6., 7.])}
    """

    total: int
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    filled: int = 0

    def add(self, part: Arrays) -> None:
        """Put a part after those before it; what it lacks is left out of all."""
        if not self.filled:
            for name, values in part.items():
                empty = np.empty((*values.shape[1:], self.total), dtype=values.dtype)
                self.arrays[name] = np.moveaxis(empty, -1, 0)
        for name in [name for name in self.arrays if name not in part]:
            del self.arrays[name]
        size = 0
        for name, own in self.arrays.items():
            size = len(part[name])
            own[self.filled : self.filled + size] = part[name]
        self.filled += size
