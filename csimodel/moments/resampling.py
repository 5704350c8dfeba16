"""Resampling designs, expressed as how often each respondent is drawn.

Draws are made in blocks of a size that depends on the number of respondents only, each
block from a random stream of its own. So the counts do not depend on how the blocks are
shared among workers, and can be made again whenever they are needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["multinomial", "stratified", "cluster", "poisson", "given"]

_BLOCK_CELLS = 2**23
_LARGEST_BLOCK = 512
_TOGETHER = 2**17  # row numbers drawn at once, so that they stay in cache


@dataclass(frozen=True, eq=False)
class Design:
    """How respondents are drawn again.

    Attributes
    ----------
    kind
        ``"multinomial"``: rows with replacement, as many as there are;
        ``"stratified"``: within each stratum, one row fewer than it has, weighted up;
        ``"cluster"``: whole clusters, one fewer than there are (in each stratum), weighted up;
        ``"poisson"``: each row, or whole cluster, an independent Poisson(1) number of times;
        ``"given"``: the rows listed in `indices`.
    rows
        Number of respondents.
    draws
        Number of resamples.
    seed
        Entropy of the random streams.
    strata, cluster
        Codes 0, 1, … of each respondent, (rows,); a cluster lies in one stratum.
    indices
        Row numbers of each resample, (draws, any), for ``"given"``.

    Notes
    -----
    Drawing m units out of m with replacement gives a variance too small by (m - 1)/m, which
    matters when strata have few units or there are few clusters. So strata and clusters are
    resampled with m - 1 units that each count m/(m - 1) times; a stratum with one unit keeps it.

    References
    ----------
    Efron, B., Tibshirani, R. (1993). An Introduction to the Bootstrap.
    https://doi.org/10.1201/9780429246593

    Rao, J. N. K., Wu, C. F. J., Yue, K. (1992). Some recent work on resampling methods for complex
    surveys. Survey Methodology 18, 209-217.

    Examples
    --------
    >>> design = Design("multinomial", rows=4, draws=3, seed=1)
    >>> design.counts(0).sum(axis=1)
    array([4., 4., 4.])
    """

    kind: Kind
    rows: int
    draws: int
    seed: int = 0
    strata: NDArray[np.intp] | None = None
    cluster: NDArray[np.intp] | None = None
    indices: NDArray[np.intp] | None = None

    @property
    def block_size(self) -> int:
        """Draws made together."""
        return int(np.clip(_BLOCK_CELLS // max(self.rows, 1), 8, _LARGEST_BLOCK))

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-self.draws // self.block_size)

    def span(self, block: int) -> slice:
        """Positions of the draws of a block."""
        return slice(block * self.block_size, min((block + 1) * self.block_size, self.draws))

    def counts(self, block: int) -> NDArray[np.float64]:
        """Return how often each respondent is drawn in each draw of a block, (draws, rows)."""
        span = self.span(block)
        draws = span.stop - span.start
        if self.kind == "given":
            assert self.indices is not None
            return _tally(self.indices[span], self.rows)
        if self.kind == "multinomial":
            return self._counted(block, None, self.rows)
        rng = self._stream(block)
        units = units_of(self.rows, self.strata, self.cluster)
        if self.kind == "poisson":
            drawn = rng.poisson(1.0, (draws, len(units.stratum))).astype(np.float64)
        else:
            drawn = _within(rng, units, draws)
        return np.asarray(drawn[:, units.of_row])

    def grouped(self, block: int, group: NDArray[np.intp], groups: int) -> NDArray[np.float64]:
        """Return how often members of each group are drawn in each draw of a block.

        The same as `counts` summed by group, faster for plain draws.

        Parameters
        ----------
        block
            Number of the block.
        group
            Group of each respondent, codes 0, 1, …, (rows,).
        groups
            How many there are.

        Returns
        -------
        (draws, groups)
        """
        if self.kind == "multinomial":
            return self._counted(block, group, groups)
        member = np.zeros((self.rows, groups))
        member[np.arange(self.rows), group] = 1.0
        return self.counts(block) @ member

    def _counted(
        self, block: int, group: NDArray[np.intp] | None, groups: int
    ) -> NDArray[np.float64]:
        """Count plain draws of a block, a few at a time."""
        span, rng = self.span(block), self._stream(block)
        draws, together = span.stop - span.start, max(1, _TOGETHER // self.rows)
        found = np.empty((draws, groups))
        for first in range(0, draws, together):
            part = found[first : first + together]
            drawn = rng.integers(0, self.rows, (len(part), self.rows))
            part[:] = _tally(drawn if group is None else group[drawn], groups)
        return found

    def _stream(self, block: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(block,)))

    def __iter__(self) -> Iterator[NDArray[np.float64]]:
        return (self.counts(block) for block in range(self.blocks))


def _tally(indices: NDArray[np.intp], rows: int) -> NDArray[np.float64]:
    """Count row numbers draw by draw: (draws, any) to (draws, rows)."""
    draws = len(indices)
    flat = (indices + np.arange(draws)[:, None] * rows).ravel()
    return np.bincount(flat, minlength=draws * rows).reshape(draws, rows).astype(np.float64)


def _within(rng: np.random.Generator, units: Units, draws: int) -> NDArray[np.float64]:
    """Draw one unit fewer than each stratum has, with replacement, weighted up, (draws, units)."""
    counts = np.ones((draws, len(units.stratum)))
    for stratum, size in enumerate(units.sizes):
        if size > 1:
            members = np.flatnonzero(units.stratum == stratum)
            drawn = _tally(rng.integers(0, size, (draws, size - 1)), size)
            counts[:, members] = drawn * (size / (size - 1.0))
    return counts


@dataclass(frozen=True, eq=False)
class Units:
    """The units a sample was drawn in: respondents, or clusters, within strata.

    Attributes
    ----------
    of_row
        Unit of each row, codes 0, 1, …, (rows,).
    stratum
        Stratum of each unit, codes 0, 1, …, (units,).
    """

    of_row: NDArray[np.intp]
    stratum: NDArray[np.intp]

    @property
    def strata(self) -> int:
        """Number of strata."""
        return int(self.stratum.max()) + 1

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Number of units of each stratum, (strata,)."""
        return np.bincount(self.stratum)

    def leave_out(
        self,
        parts: NDArray[np.float64],
        whole: NDArray[np.float64],
        chosen: NDArray[np.intp],
    ) -> NDArray[np.float64]:
        """Return totals over all units with each chosen one left out, (chosen, any).

        Parameters
        ----------
        parts, whole
            Totals of each chosen unit, (chosen, any), and of each stratum, (strata, any).
        chosen
            Numbers of the units.
        """
        everything, own = whole.sum(axis=0), self.stratum[chosen]
        if self.strata == 1:
            return np.asarray(everything - parts)
        m = self.sizes[own][:, None].astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            kept = everything + whole[own] / (m - 1.0) - parts * (m / (m - 1.0))
        return np.asarray(np.where(m > 1, kept, everything))


def units_of(rows: int, strata: NDArray[np.intp] | None, cluster: NDArray[np.intp] | None) -> Units:
    """Return the units of a design; a cluster lies in one stratum."""
    of_row = np.arange(rows) if cluster is None else cluster
    stratum = np.zeros(int(of_row.max()) + 1, dtype=np.intp)
    if strata is not None:
        stratum[of_row] = strata
    return Units(of_row, stratum)
