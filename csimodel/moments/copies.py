"""How often units are drawn: whole numbers, made quickly and with exact chances.

Units drawn one by one with replacement have multinomial counts. For few of them places are drawn
and tallied. For many, each unit is first drawn a Poisson number of times, with a rate a little too
low, and the draws still missing are placed one by one: given their total, Poisson counts are
multinomial, and so are the sums of two multinomial counts with the same chances. A Poisson number
costs a look into a table of 65,536 entries; where an entry holds the border between two numbers,
more bits decide. So a resample of n units takes n/4 random words and no sorting.

References
----------
Devroye, L. (1986). Non-Uniform Random Variate Generation, chapters II.2, III.3 and XI.1.
https://doi.org/10.1007/978-1-4613-8643-8
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Numbers = NDArray[np.uint8]
Whole = NDArray[np.uint8] | NDArray[np.intp] | Floats  # of whole numbers, but for given factors

_FEW = 4096  # units up to which places are drawn and tallied
_BORDER = 255  # entry of the table that does not decide
_WORDS = 2**16
_MOST = 40  # no Poisson number is larger
_SIDES = 255 // _MOST  # so many of them have a sum that fits into a byte
_TOGETHER = 2**15  # Poisson numbers made at once, so that they stay in cache


@dataclass(frozen=True, eq=False)
class Copies:
    """How often each row is present in each draw.

    Attributes
    ----------
    numbers
        Whole numbers of copies, (draws, rows).
    factor
        What a copy of each row counts, (rows,); once where None.
    base
        What each row counts besides its copies, (rows,); nothing where None.
    """

    numbers: Whole
    factor: Floats | None = None
    base: Floats | None = None

    @property
    def counts(self) -> Floats:
        """What each row counts in each draw, (draws, rows)."""
        counts = self.numbers.astype(np.float64)
        if self.factor is not None:
            counts *= self.factor
        if self.base is not None:
            counts += self.base
        return counts


@dataclass(frozen=True, eq=False)
class Urns:
    """Strata of units that lie side by side, and how many are drawn from each, with replacement.

    Attributes
    ----------
    sizes
        Number of units of each stratum, (strata,).
    taken
        Number of units drawn from it, (strata,).

    Examples
    --------
    >>> urns = Urns(np.array([3, 2]), np.array([2, 1]))
    >>> numbers = np.empty((4, 5), dtype=np.uint8)
    >>> urns.draw(np.random.default_rng(1), numbers)
    >>> numbers[:, :3].sum(axis=1).tolist(), numbers[:, 3:].sum(axis=1).tolist()
    ([2, 2, 2, 2], [1, 1, 1, 1])
    """

    sizes: Codes
    taken: Codes

    def draw(self, rng: np.random.Generator, numbers: Numbers) -> None:
        """Fill in how often each unit is drawn, (draws, units)."""
        first, size = self._places
        if len(first):
            drawn = first + (rng.random((len(numbers), len(first))) * size).astype(np.intp)
            numbers[:] = tally(drawn, numbers.shape[1])
        for stratum in np.flatnonzero(self.taken > _FEW):
            own = slice(self._ends[stratum] - self.sizes[stratum], self._ends[stratum])
            for row in numbers:
                _multinomial(rng, int(self.taken[stratum]), row[own])

    @cached_property
    def _ends(self) -> Codes:
        return np.cumsum(self.sizes)

    @cached_property
    def _places(self) -> tuple[Codes, Floats]:
        """First unit and number of units of the stratum of each draw from small strata."""
        small = self.taken <= _FEW
        taken = self.taken[small]
        starts = (self._ends - self.sizes)[small]
        return np.repeat(starts, taken), np.repeat(self.sizes[small], taken).astype(np.float64)


def poisson(rng: np.random.Generator, rate: float, numbers: Numbers) -> None:
    """Fill `numbers` with independent Poisson numbers, of a rate of at most 1.

    >>> numbers = np.empty(100_000, dtype=np.uint8)
    >>> poisson(np.random.default_rng(1), 1.0, numbers)
    >>> bool(abs(numbers.mean() - 1.0) < 0.01 and abs(numbers.var() - 1.0) < 0.02)
    True
    """
    table, cumulative = _table(rate)
    words_of = rng.bit_generator.random_raw
    places, chances = [], []
    for start in range(0, len(numbers), _TOGETHER):
        part = numbers[start : start + _TOGETHER]
        words = words_of(-(-len(part) // 4)).view(np.uint16)[: len(part)]
        table.take(words, out=part, mode="clip")
        border = (part == _BORDER).nonzero()[0]
        places.append(border + start)
        chances.append(words[border] + rng.random(len(border)))
    if places:
        chance = np.concatenate(chances) / _WORDS
        numbers[np.concatenate(places)] = cumulative.searchsorted(chance, side="right")


@lru_cache(maxsize=64)
def _table(rate: float) -> tuple[Numbers, Floats]:
    """Return the Poisson number of each word, `_BORDER` where it is open, and the chances."""
    terms = [float(np.exp(-rate))]
    while len(terms) < _MOST:
        terms.append(terms[-1] * rate / len(terms))
    cumulative = np.cumsum(terms)
    edges = np.searchsorted(cumulative, np.arange(_WORDS + 1) / _WORDS, side="right")
    table = edges[:-1].astype(np.uint8)
    table[edges[:-1] != edges[1:]] = _BORDER
    return table, cumulative


def _multinomial(rng: np.random.Generator, taken: int, numbers: Numbers) -> None:
    """Fill `numbers` with how often each of many units is drawn."""
    units, aim = len(numbers), taken - 4.0 * taken**0.5
    missing = -1
    while missing < 0:
        poisson(rng, aim / units, numbers)
        missing = taken - _total(numbers)
    np.add.at(numbers, rng.integers(0, units, missing), np.uint8(1))


def _total(numbers: Numbers) -> int:
    """Return the sum of Poisson numbers: of parts beside each other first, in bytes.

    >>> _total(np.arange(40, dtype=np.uint8))
    780
    """
    size = len(numbers) // _SIDES
    sides = numbers[: _SIDES * size].reshape(_SIDES, size).sum(axis=0, dtype=np.uint8)
    rest = numbers[_SIDES * size :]
    return int(sides.sum(dtype=np.uint32)) + int(rest.sum(dtype=np.uint32))


def tally(places: Codes, units: int) -> Codes:
    """Count places draw by draw: (draws, any) to (draws, units).

    >>> tally(np.array([[0, 0, 2]]), 3)
    array([[2, 0, 1]])
    """
    draws = len(places)
    flat = (places + np.arange(draws)[:, None] * units).ravel()
    return np.bincount(flat, minlength=draws * units).reshape(draws, units)
