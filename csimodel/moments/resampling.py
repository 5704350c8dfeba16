"""Resampling designs, expressed as how often each respondent is drawn.

Every eight draws have a random stream of their own: a place in the sequence of one generator, far
from that of any others. So a draw depends on the seed and its number alone, not on how many are
made together or by whom, and can be made again whenever it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.limits import free_bytes
from csimodel.moments.copies import Copies, Urns, poisson, tally
from csimodel.shared_arrays import shared_zeros
from csimodel.survey.domain_design import DomainDesign
from csimodel.survey.sampling import Lonely, SurveyDesign

Kind = Literal["multinomial", "stratified", "cluster", "poisson", "given", "weighted"]

_STREAM = 8  # draws of one random stream
_DISTANCE = 0x9E3779B97F4A7C15F39CC0605CEDC835  # between streams: 2¹²⁸ over the golden ratio, odd
_CELLS = 2**23  # counts of a block
_BYTES = 2**29  # copies made together for products of items
_KEPT = 2**26  # numbers of copies that are kept, a byte each
_SHARE = 8  # they take at most this part of the memory that is free
_LARGEST_BLOCK = 512
_MANY_ROWS = 4096  # rows from which on a block of draws takes long
_TOGETHER = 2**17  # copies summed by group at once, so that they stay in cache


class _Kept(NamedTuple):
    """Draws that are kept: how often each unit is drawn, (draws, units), and in which streams."""

    numbers: NDArray[np.uint8]
    known: NDArray[np.bool_]


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
        ``"given"``: the rows listed in `indices`;
        ``"weighted"``: all rows, each times its entry of `factors`.
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
    factors
        What each row counts in each of the draws, (draws, rows), for ``"weighted"``.
    domain
        All units, where the respondents are a part of a sample and units without one of them are
        drawn, too; or None.
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
    factors: NDArray[np.float64] | None = None
    domain: DomainDesign | None = None

    @classmethod
    def of_design(cls, design: SurveyDesign, draws: int, seed: int) -> Resampling:
        """Return the draws that repeat a sampling design."""
        rows = len(design.unit)
        if isinstance(design, DomainDesign):
            return cls("cluster", rows, draws, seed, cluster=design.unit, domain=design)
        whole = design.population is not None
        if design.kind == "respondent" and design.strata == 1 and not whole:
            return cls("multinomial", rows, draws, seed)
        stratum = design.stratum[design.unit]
        return cls(
            "stratified" if design.kind == "respondent" else "cluster",
            rows,
            draws,
            seed,
            None if design.strata == 1 else stratum,
            None if design.kind == "respondent" else design.unit,
            lonely=design.lonely,
            population=None if design.population is None else design.population[stratum],
        )

    @property
    def block_size(self) -> int:
        """Draws whose counts are made together."""
        return self._fitting(_CELLS, _STREAM)

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-self.draws // self.block_size)

    def span(self, block: int) -> slice:
        """Positions of the draws of a block."""
        return slice(block * self.block_size, min((block + 1) * self.block_size, self.draws))

    def spans(self, together: int = _LARGEST_BLOCK) -> list[slice]:
        """Return positions of draws that go together where their copies are held, a byte each.

        Where a draw takes long, a small first part shows how long the others will.

        Parameters
        ----------
        together
            How many draws go together where there are few rows, a multiple of 8.
        """
        size = min(self._fitting(_BYTES, 8 * _STREAM), together)
        slow = self.rows > _MANY_ROWS or together < _LARGEST_BLOCK
        first = max(size // 8 // _STREAM, 1) * _STREAM
        starts = [0, *range(first if slow else size, self.draws, size)]
        return [slice(a, b) for a, b in zip(starts, [*starts[1:], self.draws], strict=True)]

    def _fitting(self, cells: int, fewest: int) -> int:
        held = self.rows if self.domain is None else max(self.rows, self.domain.units)
        size = cells // max(held, 1) // _STREAM * _STREAM
        return max(fewest, min(size, _LARGEST_BLOCK))

    def counts(self, block: int) -> NDArray[np.float64]:
        """Return how often each respondent is drawn in each draw of a block, (draws, rows)."""
        return self.copies(self.span(block)).counts

    def copies(self, span: slice) -> Copies:
        """Return the same for any draws in a row, as whole numbers and what each copy counts."""
        if self.kind == "given":
            assert self.indices is not None
            return Copies(tally(self.indices[span], self.rows))
        if self.kind == "weighted":
            assert self.factors is not None
            return Copies(self.factors[span], np.ones(self.rows))
        drawn, unit = self._drawn(span), self._units.unit
        base, factor = self._base_and_factor
        if self.cluster is None:
            return Copies(drawn, factor, base)
        return Copies(
            drawn[:, unit],
            None if factor is None else factor[unit],
            None if base is None else base[unit],
        )

    def grouped(self, block: int, group: NDArray[np.intp], groups: int) -> NDArray[np.float64]:
        """Return how often members of each group are drawn in each draw of a block.

        The same as `counts` summed by group, faster.

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
        copies = self.copies(self.span(block))
        together = max(1, _TOGETHER // self.rows)
        sums = np.empty((len(copies.numbers), groups))
        for first in range(0, len(sums), together):
            numbers = copies.numbers[first : first + together]
            plain = copies.factor is None and copies.base is None
            weights = numbers if plain else Copies(numbers, copies.factor, copies.base).counts
            place = (group + np.arange(len(numbers))[:, None] * groups).ravel()
            total = np.bincount(place, weights.ravel(), len(numbers) * groups)
            sums[first : first + together] = total.reshape(-1, groups)
        return sums

    def _drawn(self, span: slice) -> NDArray[np.uint8]:
        """Return how often each unit is drawn, (draws, units)."""
        first, last = span.start // _STREAM, -(-span.stop // _STREAM)
        bits = np.random.PCG64(np.random.SeedSequence(self.seed))
        start, rng = bits.state, np.random.Generator(bits)
        if self._keeps:
            drawn = self._kept.numbers[first * _STREAM : last * _STREAM]
            missing = first + np.flatnonzero(~self._kept.known[first:last])
        else:
            drawn = np.empty(((last - first) * _STREAM, self._units.units), dtype=np.uint8)
            missing = np.arange(first, last)
        for stream in missing.tolist():
            bits.state = start
            bits.advance(stream * _DISTANCE % 2**128)
            self._fill(rng, drawn[(stream - first) * _STREAM :][:_STREAM])
        if self._keeps:
            self._kept.known[first:last] = True
        drawn = drawn[span.start - first * _STREAM :][: span.stop - span.start]
        drawn.flags.writeable = False
        return drawn

    @cached_property
    def _keeps(self) -> bool:
        """Whether numbers of copies are few enough to be kept."""
        return self.draws * self._units.units <= min(_KEPT, free_bytes() / _SHARE)

    @cached_property
    def _kept(self) -> _Kept:
        """What was drawn so far, by this process or one begun later."""
        streams = -(-self.draws // _STREAM)
        return _Kept(
            shared_zeros((streams * _STREAM, self._units.units), np.uint8),
            shared_zeros((streams,), np.bool_),
        )

    def _fill(self, rng: np.random.Generator, drawn: NDArray[np.uint8]) -> None:
        """Fill in how often each unit is drawn in the draws of one stream."""
        units = self._units
        if self.kind == "poisson":
            poisson(rng, 1.0, drawn.reshape(-1))
        elif units.strata == 1:
            self._urns.draw(rng, drawn)
        else:
            by_stratum = np.empty_like(drawn)
            self._urns.draw(rng, by_stratum)
            drawn[:, self._order] = by_stratum
            if units.lonely == "adjust" and units.lonely_units.any():
                alone = np.flatnonzero(units.lonely_units)
                drawn[:, alone] = rng.poisson(1.0, (len(drawn), len(alone)))

    @cached_property
    def _units(self) -> SurveyDesign:
        if self.domain is not None:
            return self.domain
        if self.kind == "multinomial":
            return SurveyDesign.of(self.rows)
        return SurveyDesign.of(
            self.rows,
            self.strata,
            self.cluster,
            lonely=self.lonely,
            population=self.population,
        )

    @cached_property
    def _order(self) -> NDArray[np.intp]:
        """Units by stratum."""
        return np.argsort(self._units.stratum, kind="stable")

    @cached_property
    def _urns(self) -> Urns:
        sizes = self._units.sizes
        return Urns(sizes, sizes if self.kind == "multinomial" else np.maximum(sizes - 1, 1))

    @cached_property
    def _base_and_factor(self) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
        """What each unit counts besides its copies, and what a copy of it counts, (units,) each."""
        units, factor, base = self._units, None, None
        if self.kind not in ("multinomial", "poisson"):
            size = units.sizes[units.stratum].astype(np.float64)
            factor = np.where(size > 1, size / np.maximum(size - 1.0, 1.0), 1.0)
        if units.population is not None:
            share = np.sqrt(units.remainder)[units.stratum]
            base, factor = 1.0 - share, share if factor is None else share * factor
        return base, factor

    def __iter__(self) -> Iterator[NDArray[np.float64]]:
        return (self.counts(block) for block in range(self.blocks))
