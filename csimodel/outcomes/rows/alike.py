"""Respondents that are alike as one row of a regression, as a pass over a scan makes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from csimodel.outcomes.rows.sample import Sample
from csimodel.survey.alike_design import AlikeMembers, AlikeRespondents
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False, kw_only=True)
class AlikeSample(Sample):
    """Respondents of a regression, those that are alike as one row.

    Weights are sums, and clusters are codes of clusters, not of rows.

    Attributes
    ----------
    counts, squares
        Respondents of each row, and the sum of their squared weights, (rows,).
    surveyed
        Whether the survey has weights.
    members
        As in `AlikeMembers`, or empty for respondents.
    unit_strata
        Stratum of each cluster, (clusters,).
    unit_codes
        Which unit of the scan each cluster is, (clusters,).
    points_of_items
        Points of the items of the indexes, (rows, items).
    """

    counts: Floats
    squares: Floats
    surveyed: bool
    members: tuple[csr_array, ...]
    unit_strata: Codes
    unit_codes: Codes
    points_of_items: Floats

    @property
    def n(self) -> int:
        """Number of respondents."""
        return int(self.counts.sum())

    @property
    def weighted(self) -> bool:
        """Whether respondents have survey weights."""
        return self.surveyed

    @property
    def respondents(self) -> int:
        """How many the rows stand for."""
        return self.n

    def each(self, values: Floats) -> Floats:
        """Return values of rows once for each respondent."""
        return np.repeat(values, self.counts.astype(np.intp))

    def number(self, rows: NDArray[np.bool_]) -> int:
        """Return the number of respondents in some rows, (rows,)."""
        return int(self.counts[rows].sum())

    def design_of(self, errors: str, clustered: bool) -> SurveyDesign:
        """Return the units of a kind of errors, clusters or respondents; see `design_of`."""
        weight = self.row_weights
        if clustered and self.members:
            stratum = self.unit_strata if errors == "linearized" else 0 * self.unit_strata
            return AlikeMembers(
                np.zeros(0, dtype=np.intp), stratum, None, self.lonely, "cluster",
                counts=self.counts, weight=weight, members=self.members,
            )  # fmt: skip
        stratum = np.zeros(len(self.outcome), dtype=np.intp)
        if errors == "linearized" and self.strata is not None:
            stratum = self.strata
        return AlikeRespondents(
            np.arange(len(stratum)), stratum, None, self.lonely,
            counts=self.counts, weight=weight, squares=self.squares,
        )  # fmt: skip
