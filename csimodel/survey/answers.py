"""Survey columns → arrays: what crosses from tables to numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import SurveyError
from csimodel.findings import Finding
from csimodel.survey.calibrated_design import CalibratedDesign
from csimodel.survey.domain_design import DomainDesign
from csimodel.survey.replicates import ReplicateWeights, unused_replicates
from csimodel.survey.sampling import Lonely, SurveyDesign
from csimodel.survey.two_stages import TwoStageDesign

Floats = NDArray[np.float64]

_ROUNDING = 1e-12  # of weights whose mean is 1


@dataclass(frozen=True, eq=False)
class Answers:
    """Hold the answers to a model's items as arrays, checked, with what was changed on the way.

    Attributes
    ----------
    items
        Names of the items, in the order of the model's blocks.
    values
        Answers, (rows, items), float64, an own copy, read-only. NaN occurs only when `missing` is
        ``"pairwise"`` or ``"mean"``.
    weights
        Positive survey weights, (rows,), scaled to mean 1 over these rows, or None.
    strata, cluster
        Codes 0, 1, … of the stratum and the cluster of each row, (rows,), or None. Every cluster
        lies in one stratum: a cluster label met in several strata is a different cluster in each.
    rows
        Positions in ``survey.data`` of the rows kept, (rows,).
    missing
        ``"complete"`` when no cell is missing, else ``"pairwise"`` or ``"mean"``: how the
        moments have to treat the missing cells.
    findings
        Rows dropped, cells missing or filled, cluster labels split, counted.
    minimum, maximum
        Scale bounds of the items, (items,), NaN where unknown.
    lonely
        How a stratum of one unit is treated, as in `SurveyDesign`.
    population
        Number of units in the population of each row's stratum, (rows,), or None.
    calibrated
        The units of all respondents whose weights were adjusted to margins together, or None.
    subcluster, subpopulation
        Second-stage unit of each row within its cluster, (rows,), and how many units of the row's
        cluster the population holds, (rows,), or None.
    replicates
        What rows count in each replicate that the survey has weights for, or None.
    domain
        The units of all respondents that these are a part of, where units were drawn in strata or
        clusters, or None.

    Examples
    --------
    >>> import pandas as pd
    >>> from csimodel.survey import read_survey
    >>> frame = pd.DataFrame({"q1": [3, 7, 9], "q2": [4, 8, 8]})
    >>> answers = read_survey(frame, scale=(1, 10)).answers({"Quality": ["q1", "q2"]})
    >>> answers.values.shape, answers.missing
    ((3, 2), 'complete')
    """

    items: tuple[str, ...]
    values: np.ndarray
    weights: np.ndarray | None
    strata: np.ndarray | None
    cluster: np.ndarray | None
    rows: np.ndarray
    missing: str
    findings: tuple[Finding, ...]
    minimum: np.ndarray
    maximum: np.ndarray
    lonely: Lonely = "adjust"
    population: np.ndarray | None = None
    calibrated: CalibratedDesign | None = None
    replicates: ReplicateWeights | None = None
    subcluster: np.ndarray | None = None
    subpopulation: np.ndarray | None = None
    domain: DomainDesign | None = None

    @property
    def row_weights(self) -> np.ndarray:
        """Weights of the rows, 1 where none were given, (rows,)."""
        return np.ones(len(self.values)) if self.weights is None else self.weights

    @cached_property
    def design(self) -> SurveyDesign:
        """The units that were drawn, which say how much is known about errors."""
        if self.domain is not None:
            return self.domain.first_stage
        return SurveyDesign.of(
            len(self.values), self.strata, self.cluster, self.weights, self.lonely, self.population
        )

    @property
    def first_stage(self) -> SurveyDesign:
        """The same of all respondents whose weights meet margins together, where they do."""
        return self.design if self.calibrated is None else self.calibrated

    @cached_property
    def stages(self) -> SurveyDesign:
        """The same with a second stage, where units within clusters were drawn."""
        if self.calibrated is not None or self.subcluster is None:
            return self.first_stage
        if self.domain is not None:
            return self.domain
        return TwoStageDesign.within(self.design, self.subcluster, self.subpopulation)

    @property
    def domain_of_stages(self) -> DomainDesign | None:
        """The units of all respondents, where these are a part or errors need two stages."""
        staged = self.subcluster is not None and self.population is not None
        return self._domain if staged else self.domain

    def part(self, own: NDArray[np.intp]) -> Answers:
        """Return the answers of some rows, (rows,), without findings.

        Of respondents drawn one by one a part is a sample of its own; of units in strata or
        clusters, and where weights meet margins, it is a domain of the whole design.
        """

        def codes(values: NDArray[np.intp] | None) -> NDArray[np.intp] | None:
            return None if values is None else np.unique(values[own], return_inverse=True)[1]

        domain = self._domain
        return replace(
            self,
            values=self.values[own],
            rows=self.rows[own],
            weights=None if self.weights is None else self.weights[own],
            strata=codes(self.strata),
            cluster=codes(self.cluster),
            population=self.design.population_of_part(own),
            subcluster=codes(self.subcluster),
            subpopulation=None if self.subpopulation is None else self.subpopulation[own],
            calibrated=None if self.calibrated is None else self.calibrated.part(own),
            replicates=None if self.replicates is None else self.replicates.take(own),
            domain=None if domain is None else domain.part(own),
            findings=(),
        )

    @cached_property
    def _domain(self) -> DomainDesign | None:
        """These respondents among all, where parts of them are domains."""
        if self.domain is not None or not self.in_units:
            return self.domain
        return DomainDesign.within(replace(self, calibrated=None).stages)

    @property
    def equal_weights(self) -> bool:
        """Whether all respondents count alike, but for rounding."""
        return self.weights is None or bool(np.ptp(self.weights) <= _ROUNDING)

    @property
    def in_units(self) -> bool:
        """Whether respondents were drawn in strata or clusters, or units within clusters."""
        known = (self.strata, self.cluster, self.subcluster)
        return any(part is not None for part in known)

    def without_replicates(self, what: str) -> tuple[Finding, ...]:
        """Return what is said where errors use neither replicate weights nor strata or clusters."""
        if self.replicates is None or self.strata is not None or self.cluster is not None:
            return ()
        return unused_replicates(len(self.replicates.factors), what)

    def __repr__(self) -> str:
        rows, items = self.values.shape
        return f"Answers: {rows} rows × {items} items, {self.missing}"


def require_blocks(blocks: Mapping[str, Sequence[str]]) -> None:
    """Refuse blocks without a single item.

    >>> require_blocks({})
    Traceback (most recent call last):
    ...
    csimodel.errors.SurveyError: No item was asked for; give blocks such as {'Satisfaction': ...
    """
    if not any(blocks.values()):
        raise SurveyError(
            "No item was asked for; give blocks such as {'Satisfaction': ['CUSA1', 'CUSA2']}."
        )
