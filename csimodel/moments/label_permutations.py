"""Permutations of group labels among the units that could have been in another group.

A permutation test supposes that, were the groups alike, any of these labellings could have been
seen. Respondents drawn one by one exchange their labels within strata. Clusters that lie wholly in
one group exchange theirs, whole, within strata; where groups run through clusters, respondents
exchange them within their cluster. Weights and answers stay together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from csimodel.survey.sampling import SurveyDesign

Codes = NDArray[np.intp]
Labels = NDArray[np.integer]

Exchange = Literal["respondents", "clusters", "respondents within clusters"]

_STREAM = 64  # permutations of one random stream


@dataclass(frozen=True, eq=False)
class LabelPermutations:
    """Which group each respondent is in, in every permutation.

    Attributes
    ----------
    codes
        Group of each respondent, 0, 1, …, (rows,).
    unit
        What exchanges its label as a whole: codes 0, 1, … of each respondent, (rows,).
    block
        Within what units exchange labels, codes 0, 1, …, (units,).
    exchange
        What a unit is called.
    count
        Number of permutations.
    seed
        Entropy of the random streams.
    given
        The groups of each respondent in every permutation, (count, rows), where they are given.

    References
    ----------
    Winkler, A. M., Ridgway, G. R., Webster, M. A., Smith, S. M., Nichols, T. E. (2014). Permutation
    inference for the general linear model. NeuroImage 92, 381-397.
    https://doi.org/10.1016/j.neuroimage.2014.01.060

    Gail, M. H., Mark, S. D., Carroll, R. J., Green, S. B., Pee, D. (1996). On design considerations
    and randomization-based inference for community intervention trials. Statistics in Medicine 15,
    1069-1092. https://doi.org/10.1002/(SICI)1097-0258(19960615)15:11<1069::AID-SIM220>3.0.CO;2-Q

    Examples
    --------
    >>> design = SurveyDesign.of(4)
    >>> permutations = LabelPermutations.of_design(design, np.array([0, 0, 1, 1]), 3, seed=1)
    >>> permutations.labels(slice(0, 3)).sum(axis=1).tolist()
    [2, 2, 2]
    """

    codes: Codes
    unit: Codes
    block: Codes
    exchange: Exchange
    count: int
    seed: int = 0
    given: Labels | None = None

    @classmethod
    def of_design(
        cls, design: SurveyDesign, codes: Codes, count: int, seed: int
    ) -> LabelPermutations:
        """Return the permutations that a sampling design allows.

        Parameters
        ----------
        design
            The units that were drawn.
        codes
            Group of each respondent, (rows,).
        count, seed
            How many permutations, and of which random streams.
        """
        rows = np.arange(len(codes))
        if design.kind == "respondent":
            return cls(codes, rows, design.stratum[design.unit], "respondents", count, seed)
        first = np.zeros(design.units, dtype=np.intp)
        first[design.unit] = codes
        if (first[design.unit] == codes).all():
            return cls(codes, design.unit, design.stratum, "clusters", count, seed)
        return cls(codes, rows, design.unit, "respondents within clusters", count, seed)

    def with_labels(self, given: Labels) -> LabelPermutations:
        """Return permutations that somebody else made, (count, rows)."""
        return replace(self, given=given, count=len(given))

    def labels(self, span: slice) -> Labels:
        """Return the group of each respondent in some permutations, (permutations, rows)."""
        if self.given is not None:
            return self.given[span]
        streams = range(span.start // _STREAM, -(-span.stop // _STREAM))
        parts: list[Labels] = []
        for stream in streams:
            first = stream * _STREAM
            own = slice(max(span.start - first, 0), span.stop - first)
            parts.append(self._stream(stream)[own, self.unit])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def spans(self, together: int) -> Iterator[slice]:
        """Yield permutations that go together."""
        for start in range(0, self.count, together):
            yield slice(start, min(start + together, self.count))

    @property
    def different(self) -> float:
        """How many labellings there are, by chance all alike likely."""
        from scipy.special import gammaln

        counts = np.zeros((int(self.block.max(initial=-1)) + 1, int(self.codes.max()) + 1))
        np.add.at(counts, (self.block, self._labels), 1.0)
        logarithm = gammaln(counts.sum(axis=1) + 1.0) - gammaln(counts + 1.0).sum(axis=1)
        return float(np.rint(np.exp(min(float(logarithm.sum()), 700.0))))

    @cached_property
    def _labels(self) -> Labels:
        """Group of each unit in as few bytes as hold it, (units,)."""
        labels = np.zeros(len(self.block), dtype=np.min_scalar_type(int(self.codes.max(initial=0))))
        labels[self.unit] = self.codes
        return labels

    @cached_property
    def _order(self) -> Codes:
        """Units by block."""
        return np.argsort(self.block, kind="stable")

    @cached_property
    def _latest(self) -> dict[int, Labels]:
        """The stream made last, by its number: spans of fewer permutations share it."""
        return {}

    def _stream(self, stream: int) -> Labels:
        """Return the groups of units in the permutations of one stream, (permutations, units)."""
        kept = self._latest.get(stream)
        if kept is None:
            kept = self._permuted(stream)
            self._latest.clear()
            self._latest[stream] = kept
        return kept

    def _permuted(self, stream: int) -> Labels:
        """Make them."""
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, stream]))
        tiled = np.tile(self._labels, (_STREAM, 1))
        if not self.block.any():
            return np.asarray(rng.permuted(tiled, axis=1))
        keys = rng.random(tiled.shape)
        order = np.lexsort((keys, np.broadcast_to(self.block, tiled.shape)), axis=1)
        exchanged = np.empty_like(tiled)
        exchanged[:, self._order] = np.take_along_axis(tiled, order, axis=1)
        return exchanged
