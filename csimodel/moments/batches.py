"""Batches of samples put one after another, into memory that is taken once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csimodel.shared_arrays import shared_zeros

Arrays = Mapping[str, NDArray[Any]]


@dataclass(eq=False)
class BatchBuffer:
    """Arrays of a batch that is filled part by part; samples lie last in memory.

    Attributes
    ----------
    total
        Number of samples when it is full.
    shared
        Whether processes begun after the first part may fill it, too.
    arrays
        By name, (total, ...); those that every part so far has.
    filled
        Number of samples added so far.
    begun
        Whether there was a part.

    Examples
    --------
    >>> buffer = BatchBuffer(3)
    >>> buffer.add({"n": np.array([5.0])})
    >>> buffer.add({"n": np.array([6.0, 7.0]), "fourth": np.zeros((2, 9, 9))})
    >>> buffer.arrays
    {'n': array([5., 6., 7.])}
    """

    total: int
    shared: bool = False
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    filled: int = 0
    begun: bool = False

    def add(self, part: Arrays) -> None:
        """Put a part after those before it; what it lacks is left out of all."""
        self.leave_out(self.put(part, self.filled))
        self.filled += max((len(part[name]) for name in self.arrays), default=0)

    def put(self, part: Arrays, first: int) -> tuple[str, ...]:
        """Put a part where its first sample belongs; return the names of what it lacks."""
        if not self.begun:
            self.begun = True
            for name, values in part.items():
                shape = (*values.shape[1:], self.total)
                make = shared_zeros if self.shared else np.empty
                self.arrays[name] = np.moveaxis(make(shape, values.dtype), -1, 0)
        for name, own in self.arrays.items():
            if name in part:
                own[first : first + len(part[name])] = part[name]
        return tuple(name for name in self.arrays if name not in part)

    def leave_out(self, names: tuple[str, ...]) -> None:
        """Leave arrays out of all samples."""
        for name in names:
            self.arrays.pop(name, None)
