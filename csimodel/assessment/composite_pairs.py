"""Two groups of respondents: whether their composites are the same, by permutation.

All of it follows from moments: with R the correlations of the items over both groups and weights
of standardised items, ``c = w¹'Rw² / √(w¹'Rw¹ w²'Rw²)``; a group's mean and variance of scores
follow from its item means and covariances.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.assessment.grouped_sample import (
    LEAST_PERMUTATIONS,
    GroupedSample,
    without_solution,
)
from csimodel.estimators import Solution
from csimodel.estimators.groups import shown_label
from csimodel.inference.draws import FEWEST_DRAWS
from csimodel.inference.intervals import quantiles
from csimodel.moments.label_permutations import LabelPermutations
from csimodel.significance import permutation_pvalue

Floats = NDArray[np.float64]

STATISTICS = ("c", "mean_difference", "variance_ratio")
FEW_LABELLINGS = "fewer than 20 ways to permute the groups"
FEW_PERMUTATIONS = "too few permutations with a solution"


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

    @property
    def names(self) -> tuple[str, str]:
        """What the two groups are called."""
        first, second = map(shown_label, self.sample.labels)
        return first, second

    @cached_property
    def reason(self) -> str:
        """Why nothing can be tested, empty where it can."""
        unsolved = without_solution(self.sample)
        if unsolved:
            return unsolved
        if self.permutations.different < LEAST_PERMUTATIONS:
            return FEW_LABELLINGS
        usable = len(self._permuted) - self.lost
        return FEW_PERMUTATIONS if usable < min(FEWEST_DRAWS, len(self._permuted)) else ""

    @cached_property
    def _permuted(self) -> Floats:
        return self.sample.over(self.permutations, self._statistics, self.progress)

    @property
    def permuted(self) -> Mapping[str, Floats]:
        """Each statistic in every permutation, (permutations, constructs); none without tests."""
        size = len(self.sample.model.constructs)
        values = np.full((0, 3 * size), np.nan) if self.reason else self._permuted
        return dict(zip(STATISTICS, np.split(values, 3, axis=1), strict=True))

    @property
    def lost(self) -> int:
        """Number of permutations in which a group has no solution."""
        return int((~np.isfinite(self._permuted[:, 0])).sum())

    def table(self, level: float) -> pd.DataFrame:
        """Return the statistics with limits of their permutations and p-values, by construct."""
        observed = np.split(self._statistics(self.sample.observed)[0], 3)
        c, mean, variance = observed
        permuted = self.permuted
        columns = {
            "c": c,
            "c_lower": quantiles(permuted["c"], np.array([[1.0 - level]]))[0],
            "p": permutation_pvalue(c, permuted["c"], "lower"),
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
            cor = pooled.moments.cor[block, block]
            both = np.einsum("pi,ij,pj->p", first, cor, second)
            spread = [np.einsum("pi,ij,pj->p", own, cor, own) for own in (first, second)]
            c = np.where(done, both / np.sqrt(spread[0] * spread[1]), np.nan)
            difference = (mean[0] - mean[1])[:, block].sum(axis=1)
            own = points[block]
            variances = np.einsum("i,pij,j->p", own, cov[:, block, block], own).reshape(2, -1)
            parts.append((c, difference, np.log(variances[0] / variances[1])))
        return np.concatenate([np.stack(own, axis=1) for own in zip(*parts, strict=True)], axis=1)
