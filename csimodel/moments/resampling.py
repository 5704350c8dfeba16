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


@dataclass(frozen=True, eq=False)
class Design:
    """How respondents are drawn again.

    Attributes
    ----------
    kind
        ``"multinomial"``: rows with replacement, as many as there are;
        ``"stratified"``: the same within each stratum;
        ``"cluster"``: whole clusters with replacement, within strata when there are any;
        ``"poisson"``: each row an independent Poisson(1) number of times;
        ``"given"``: the rows listed in `indices`.
    rows
        Number of respondents.
    draws
        Number of resamples.
    seed
        Entropy of the random streams.
    strata, cluster
        Codes 0, 1, … of each respondent, (rows,).
    indices
        Row numbers of each resample, (draws, any), for ``"given"``.

    References
    ----------
    Efron, B., Tibshirani, R. (1993). An Introduction to the Bootstrap.
    https://doi.org/10.1201/9780429246593

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
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(block,)))
        if self.kind == "poisson":
            return rng.poisson(1.0, (draws, self.rows)).astype(np.float64)
        if self.kind == "multinomial":
            return _tally(rng.integers(0, self.rows, (draws, self.rows)), self.rows)
        if self.kind == "stratified":
            assert self.strata is not None
            return _within(rng, self.strata, draws)
        assert self.cluster is not None
        strata = None if self.strata is None else _strata_of_clusters(self.strata, self.cluster)
        chosen = _within(
            rng, strata if strata is not None else np.zeros(self.cluster.max() + 1, np.intp), draws
        )
        return chosen[:, self.cluster]

    def jackknife_units(self) -> NDArray[np.intp]:
        """Return the unit each respondent leaves with, (rows,): its cluster, or itself."""
        return np.arange(self.rows) if self.cluster is None else self.cluster

    def __iter__(self) -> Iterator[NDArray[np.float64]]:
        return (self.counts(block) for block in range(self.blocks))


def _tally(indices: NDArray[np.intp], rows: int) -> NDArray[np.float64]:
    """Count row numbers draw by draw: (draws, any) to (draws, rows)."""
    draws = len(indices)
    flat = (indices + np.arange(draws)[:, None] * rows).ravel()
    return np.bincount(flat, minlength=draws * rows).reshape(draws, rows).astype(np.float64)


def _within(rng: np.random.Generator, strata: NDArray[np.intp], draws: int) -> NDArray[np.float64]:
    """Draw units with replacement inside each stratum, (draws, units)."""
    counts = np.empty((draws, len(strata)))
    for stratum in range(int(strata.max()) + 1):
        members = np.flatnonzero(strata == stratum)
        size = len(members)
        counts[:, members] = _tally(rng.integers(0, size, (draws, size)), size)
    return counts


def _strata_of_clusters(strata: NDArray[np.intp], cluster: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return each cluster's stratum (checked to be one at the boundary)."""
    of_cluster = np.zeros(int(cluster.max()) + 1, dtype=np.intp)
    of_cluster[cluster] = strata
    return of_cluster
