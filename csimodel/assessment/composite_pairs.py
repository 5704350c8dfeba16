"""Two groups of respondents: whether their composites are the same, by permutation.

All of it follows from moments: with R the correlations of the items over both groups and weights
of standardised items, ``c = w¹'Rw² / √(w¹'Rw¹ w²'Rw²)``; a group's mean and variance of scores
follow from its item means and covariances.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.assessment.group_permutations import about_losses, without_permutations
from csimodel.assessment.grouped_sample import GroupedSample, PermutedStatistics
from csimodel.estimators import Solution
from csimodel.findings import Finding
from csimodel.inference.intervals import quantiles
from csimodel.moments.label_permutations import LabelPermutations
from csimodel.significance import permutation_pvalue

Floats = NDArray[np.float64]

STATISTICS = ("c", "mean_difference", "variance_ratio")


@dataclass(frozen=True, eq=False)
class CompositePair:
    """The composites of two groups, and permutations of the groups.

    Attributes
    ----------
    sample
        The respondents of the two groups.
    permutations
        Which group each of them is in.
    progress
        Show a bar when the permutations take longer than a second.
    """

    sample: GroupedSample
    permutations: LabelPermutations
    progress: bool = False

    @cached_property
    def reason(self) -> str:
        """Why composites formed alike cannot be tested, empty where they can."""
        return without_permutations(self.sample, self.permutations) or self._permuted.reason

    @cached_property
    def _permuted(self) -> PermutedStatistics:
        """The statistics side by side, of no permutations where these test nothing."""
        if without_permutations(self.sample, self.permutations):
            entries = len(STATISTICS) * len(self.sample.model.constructs)
            return PermutedStatistics(np.full((0, entries), np.nan), np.zeros(0, dtype=np.bool_))
        return self.sample.over(self.permutations, self._statistics, self.progress)

    @property
    def permuted(self) -> Mapping[str, Floats]:
        """Each statistic in every permutation, (permutations, constructs); none without tests."""
        return dict(zip(STATISTICS, np.split(self._permuted.values, 3, axis=1), strict=True))

    def losses(self) -> Iterator[Finding]:
        """Count permutations without a solution."""
        return about_losses(self.sample, self._permuted)

    def table(self, level: float) -> pd.DataFrame:
        """Return the statistics with limits of their permutations and p-values, by construct."""
        observed = np.split(self._statistics(self.sample.observed)[0], 3)
        c, mean, variance = observed
        permuted = self.permuted
        alike = permuted["c"][:0] if self.reason else permuted["c"]
        columns = {
            "c": c,
            "c_lower": quantiles(alike, np.array([[1.0 - level]]))[0],
            "p": permutation_pvalue(c, alike, "lower"),
        }
        tails = np.array([[(1.0 - level) / 2.0], [(1.0 + level) / 2.0]])
        for own, value in (("mean_difference", mean), ("variance_ratio", variance)):
            name = own.partition("_")[0]
            lower, upper = quantiles(permuted[own], tails)
            columns |= {own: value, f"{name}_lower": lower, f"{name}_upper": upper}
            columns[f"{name}_p"] = permutation_pvalue(value, permuted[own])
        return pd.DataFrame(columns).assign(reason=self.reason)

    def _statistics(self, solution: Solution) -> Floats:
        """Return c, differences of means and log ratios of variances, (permutations, entries)."""
        pooled, model = self.sample.pooled, self.sample.model
        weights = solution.estimates.weights.reshape(2, -1, len(model.items))
        done = self.sample.converged(solution)
        points = pooled.estimates.weights / pooled.moments.sd
        mean = (solution.moments.mean * points).reshape(2, -1, len(model.items))
        cov = solution.moments.cov
        parts = []
        for block in model.slices:
            first, second = weights[..., block]
            cor = pooled.item_cor[block, block]
            both = np.einsum("pi,ij,pj->p", first, cor, second)
            spread = [np.einsum("pi,ij,pj->p", own, cor, own) for own in (first, second)]
            c = np.where(done, both / np.sqrt(spread[0] * spread[1]), np.nan)
            difference = (mean[0] - mean[1])[:, block].sum(axis=1)
            own = points[block]
            variances = np.einsum("i,pij,j->p", own, cov[:, block, block], own).reshape(2, -1)
            parts.append((c, difference, np.log(variances[0] / variances[1])))
        return np.concatenate([np.stack(own, axis=1) for own in zip(*parts, strict=True)], axis=1)
