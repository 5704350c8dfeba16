"""What an analysis computed: the numbers that tables, sentences and figures of a report show."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from csimodel.assessment import Assessment, MissingPolicies
from csimodel.bounds import THRESHOLDS
from csimodel.estimators import Fit
from csimodel.findings import Finding, gravest_first
from csimodel.floats import own_errstate_in
from csimodel.grid import columns_of
from csimodel.index import LeadingGroup, design_effects, leading_driver
from csimodel.index.programme import Programme
from csimodel.inference import Bootstrap
from csimodel.measures.description import Description
from csimodel.outcomes import Repurchase
from csimodel.outcomes.measurement_error import CorrectedSlopes
from csimodel.outcomes.models.segments import Segments
from csimodel.outcomes.money import Money
from csimodel.survey.missing_answers import missing_answers
from csimodel.weighting import ResponseRates, WeightsReport, describe_weights

_SHORT = 40  # columns of a terminal that a wording in a heading takes at most


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False)
class AnalysisResults:
    """Everything a report says, computed.

    Attributes
    ----------
    fit
        The fitted model.
    bootstrap
        The resamples behind every interval.
    index
        Index of each construct, 0-100 points: mean, se, lower, upper, n.
    importance
        Effects on the target: importance (points per point), performance (index), se, lower,
        upper.
    assessment
        Reliability, validity and fit, with verdicts.
    repurchase
        The regression of repurchase on the index, or None.
    slopes
        The slope of repurchase as measured and corrected for measurement error, or None.
    segments
        The curve of repurchase in every group, or None.
    money
        By driver, strongest first, the profit of one point more of it; empty without economics.
    group_index
        Index of each (group, construct), or None.
    leading
        The group with the highest index of the target, tested against all others, or None.
    target
        The construct the report is about.
    level
        Coverage of the intervals.
    contrast
        Two index levels whose repurchase is compared, points.
    response
        Response rates of the survey, or None.
    policies
        Results under each treatment of missing answers, or None where nothing is missing.
    description
        The items and how carefully they were answered, or None.
    programme
        The index over levels and periods, or None.
    warned
        What was told on the way and belongs to no result of its own.
    """

    fit: Fit
    bootstrap: Bootstrap
    index: pd.DataFrame
    importance: pd.DataFrame
    assessment: Assessment
    repurchase: Repurchase | None
    slopes: CorrectedSlopes | None
    segments: Segments | None
    money: dict[str, Money]
    group_index: pd.DataFrame | None
    leading: LeadingGroup | None
    target: str
    level: float
    contrast: tuple[float, float]
    response: ResponseRates | None = None
    policies: MissingPolicies | None = None
    description: Description | None = None
    programme: Programme | None = None
    warned: tuple[Finding, ...] = ()

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Everything a reader must know before trusting the numbers, gravest first."""
        survey = self.fit.survey
        told = [
            *(survey.findings if survey is not None else ()),
            *self.fit.diagnostics,
            *self.bootstrap.findings,
            *(self.repurchase.findings if self.repurchase is not None else ()),
            *(finding for result in self.money.values() for finding in result.findings),
            *(self.weighting.findings if self.weighting is not None else ()),
            *(own for own in self.quality if _many(own)),
            *(self.programme.findings if self.programme is not None else ()),
            *self.warned,
        ]
        return gravest_first(told)

    @cached_property
    def quality(self) -> tuple[Finding, ...]:
        """What was noticed of how carefully respondents answered, be they few or many."""
        if self.description is None:
            return ()
        survey = self.fit.survey
        known = () if survey is None else survey.findings
        return tuple(finding for finding in self.description.findings if finding not in known)

    @cached_property
    def leading_driver(self) -> LeadingGroup | None:
        """The driver with the largest effect on the target, tested against all others."""
        return leading_driver(self.bootstrap, self.target, self.level)

    @cached_property
    def design_effect(self) -> tuple[float, float]:
        """The design effect of the target's index, and how many respondents it is as sure as."""
        row = design_effects(self.fit).loc[[self.target]].iloc[0]
        return float(row["design_effect"]), float(row["effective_n"])

    @cached_property
    def weighting(self) -> WeightsReport | None:
        """How unequal the survey's weights are, or None where it has none."""
        survey = self.fit.survey
        return None if survey is None or survey.weights is None else describe_weights(survey)

    @cached_property
    def missing(self) -> pd.DataFrame:
        """Missing answers of each item by reason, before anything was done about them."""
        survey = self.fit.survey
        return pd.DataFrame() if survey is None else missing_answers(survey, self.fit.model.items)

    @property
    def outcome_wording(self) -> str:
        """What the survey says of the outcome's column: its wording or label; empty where nothing.

        Empty, too, without an outcome.
        """
        survey, valued = self.fit.survey, self.repurchase
        if survey is None or valued is None:
            return ""
        item = survey.items.get(valued.outcome)
        wording = None if item is None else item.wording
        return wording or survey.column_labels.get(valued.outcome) or ""

    @property
    def outcome_title(self) -> str:
        """What headings call the outcome: its wording where it is short, or else its column."""
        wording = " ".join(self.outcome_wording.split())
        if wording and columns_of(wording) <= _SHORT:
            return f"“{wording}”"
        return "" if self.repurchase is None else self.repurchase.outcome

    @property
    def headline(self) -> pd.Series:
        """The target's row of the index: mean, se, lower, upper, n."""
        return self.index.loc[[self.target]].iloc[0]


def _many(finding: Finding) -> bool:
    """Return whether so many respondents are concerned that all results are."""
    rows = finding.values.get("rows")
    line = THRESHOLDS["share of careless respondents"].value
    return isinstance(rows, int) and finding.count is not None and finding.count >= line * rows
