"""Sums over the respondents of sampled units in groups, or in rows of alike respondents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_PAIRS = 500_000  # members that wait until they are added up together
_BITS = 32  # of a key that holds a unit and a group
_LOW = (1 << _BITS) - 1


@dataclass
class PairSums:
    """Sums over the members of units in groups, of the pairs met so far.

    Members wait until there are a quarter as many as pairs, so that all of them together cost a
    sort of each and some passes over the pairs, however many batches they come in.

    Attributes
    ----------
    width
        How many numbers are added up.
    keys
        Unit and group of each pair as one number, ascending, (pairs,).
    sums
        The sums, an array of (pairs,) for each number.

    Examples
    --------
    >>> pairs = PairSums(1)
    >>> pairs.add(np.array([1, 0, 1]), np.array([2, 5, 2]), [np.ones(3)])
    >>> unit, group, sums = pairs.totals()
    >>> unit.tolist(), group.tolist(), [own.tolist() for own in sums]
    ([0, 1], [5, 2], [[1.0, 2.0]])
    """

    width: int
    keys: Codes = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    sums: list[Floats] = field(init=False)
    waiting: list[tuple[Codes, list[Floats]]] = field(default_factory=list)
    held: int = 0

    def __post_init__(self) -> None:
        self.sums = [np.zeros(0) for _ in range(self.width)]

    def add(self, unit: Codes, group: Codes, values: Sequence[Floats]) -> None:
        """Add members: unit and group of each, (members,), and numbers, (members,) each."""
        self.waiting.append(_summed(unit.astype(np.int64) << _BITS | group, values))
        self.held += len(self.waiting[-1][0])
        if self.held > max(len(self.keys) // 4, _PAIRS):
            self._merge()

    def totals(self) -> tuple[Codes, Codes, list[Floats]]:
        """Return unit and group of each pair, (pairs,), and its sums, (pairs,) each."""
        self._merge()
        return self.keys >> _BITS, self.keys & _LOW, self.sums

    def matrices(self, groups: int) -> tuple[tuple[csr_array, ...], Codes]:
        """Return the sums as sparse matrices, (units, groups), and the units that have members.

        >>> pairs = PairSums(1)
        >>> pairs.add(np.array([3, 0, 3]), np.array([1, 0, 1]), [np.ones(3)])
        >>> (own,), units = pairs.matrices(2)
        >>> own.toarray().tolist(), units.tolist()
        ([[1.0, 0.0], [0.0, 2.0]], [0, 3])
        """
        self._merge()
        last = int(self.keys[-1] >> _BITS) if len(self.keys) else -1
        starts = np.searchsorted(self.keys, np.arange(last + 2, dtype=np.int64) << _BITS)
        units = np.flatnonzero(np.diff(starts))
        bounds = np.append(starts[units], len(self.keys))
        columns = (self.keys & _LOW).astype(np.int32)
        shape = (len(units), groups)
        return tuple(csr_array((own, columns, bounds), shape) for own in self.sums), units

    def _merge(self) -> None:
        """Add up what waits; one array after another takes the place of the one before."""
        if not self.waiting:
            return
        every = np.concatenate([own for own, _ in self.waiting])
        values = [np.concatenate(own) for own in zip(*(o for _, o in self.waiting), strict=True)]
        self.waiting, self.held = [], 0
        keys, values = _summed(every, values)
        place = np.searchsorted(self.keys, keys)
        met = place < len(self.keys)
        met[met] = self.keys[place[met]] == keys[met]
        fresh = ~met
        self.keys = np.insert(self.keys, place[fresh], keys[fresh])
        for k, more in enumerate(values):
            self.sums[k][place[met]] += more[met]
            self.sums[k] = np.insert(self.sums[k], place[fresh], more[fresh])


def _summed(keys: Codes, values: Sequence[Floats]) -> tuple[Codes, list[Floats]]:
    """Return keys that differ, ascending, and sums over each, (keys,) for each number."""
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    if not len(starts):
        return keys, [np.zeros(0) for _ in values]
    return keys[starts], [np.add.reduceat(own[order], starts) for own in values]
