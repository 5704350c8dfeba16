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

from csimodel.survey.sampling import Lonely, SurveyDesign

Kind = Literal["multinomial", "stratified", "cluster", "poisson", "given"]

_BLOCK_CELLS = 2**23
_LARGEST_BLOCK = 512
_TOGETHER = 2**17  # row numbers drawn at once, so that they stay in cache


@dataclass(frozen=True, eq=False)
class Resampling:
    """How respondents are drawn again.

    Attributes
    ----------
    kind
        ``"multinomial"``: rows with replacement, as many as there are;
        ``"stratified"``: within each stratum (or all), one row fewer than it has, weighted up;
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
    lonely
        What is done with a stratum of one unit, as in `SurveyDesign`: under ``"adjust"`` it is
        drawn a Poisson(1) number of times, so that it varies about the whole sample; else it
        stands once in every draw, and under ``"average"`` tables widen the spread of the draws.
    population
        Number of units in the population of each respondent's stratum, (rows,), or None.

    Notes
    -----
    Drawing m units out of m with replacement gives a variance too small by (m - 1)/m, which
    matters when strata have few units or there are few clusters. So strata and clusters are
    resampled with m - 1 units that each count m/(m - 1) times. Where they come from a population
    of N, counts c become ``1 + √(1 - m/N) (c - 1)``, which has the variance of drawing without
    replacement.

    References
    ----------
    Efron, B., Tibshirani, R. (1993). An Introduction to the Bootstrap.
    https://doi.org/10.1201/9780429246593

    Rao, J. N. K., Wu, C. F. J. (1988). Resampling inference with complex survey data. Journal of
    the American Statistical Association 83, 231-241.
    https://doi.org/10.1080/01621459.1988.10478591

    Rao, J. N. K., Wu, C. F. J., Yue, K. (1992). Some recent work on resampling methods for complex
    surveys. Survey Methodology 18, 209-217.

    Examples
    --------
    >>> design = Resampling("multinomial", rows=4, draws=3, seed=1)
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
    lonely: Lonely = "adjust"
    population: NDArray[np.float64] | None = None

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
        units = SurveyDesign.of(
            self.rows,
            self.strata,
            self.cluster,
            lonely=self.lonely,
            population=self.population,
        )
        if self.kind == "poisson":
            drawn = rng.poisson(1.0, (draws, len(units.stratum))).astype(np.float64)
        else:
            drawn = _within(rng, units, draws)
        if units.population is not None:
            drawn = 1.0 + np.sqrt(units.remainder)[units.stratum] * (drawn - 1.0)
        return np.asarray(drawn[:, units.unit])

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


def _within(rng: np.random.Generator, units: SurveyDesign, draws: int) -> NDArray[np.float64]:
    """Draw one unit fewer than each stratum has, with replacement, weighted up, (draws, units)."""
    counts = np.ones((draws, len(units.stratum)))
    for stratum, size in enumerate(units.sizes):
        if size > 1:
            members = np.flatnonzero(units.stratum == stratum)
            drawn = _tally(rng.integers(0, size, (draws, size - 1)), size)
            counts[:, members] = drawn * (size / (size - 1.0))
    if units.lonely == "adjust" and units.lonely_units.any():
        counts[:, units.lonely_units] = rng.poisson(1.0, (draws, int(units.lonely_units.sum())))
    return counts
