"""What an analysis computed: the numbers that tables, sentences and figures of a report show."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from csimodel.assessment import Assessment, MissingPolicies
from csimodel.bounds import THRESHOLDS
from csimodel.estimators import Fit
from csimodel.findings import SEVERITIES, Finding, gravest_first
from csimodel.floats import own_errstate_in
from csimodel.index import LeadingDriver, LeadingGroup, design_effects, leading_driver
from csimodel.index.driver_doubts import DriverDoubt, driver_doubts
from csimodel.index.programme import Programme
from csimodel.inference import Bootstrap
from csimodel.measures.description import Description
from csimodel.outcomes import Repurchase
from csimodel.outcomes.measurement_error import CorrectedSlopes
from csimodel.outcomes.models.segments import Segments
from csimodel.outcomes.money import Money
from csimodel.report.driver_findings import driver_findings
from csimodel.report.grouping import Grouping
from csimodel.survey.missing_answers import missing_answers
from csimodel.survey.titles import crossed_title, title_of, wording_of
from csimodel.weighting import ResponseRates, WeightsReport, describe_weights

_CAVEATS = (
    "index-outside-scale",
    "draws-beyond-bounds",
    "negative-weight",
    "driver-not-told-apart",
    "effect-against-correlation",
    "fewer-rows-than-items",
    "few-rows",
    "few-units",
    "few-clusters",
)
"""What is said of the numbers read first, gravest first; other warnings come after these."""


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
    groupings
        The groups by each column, or by several crossed: index, leading group, and the curve of
        repurchase in every group.
    money
        By driver, strongest first, the profit of one point more of it; empty without economics.
    target
        The construct the report is about.
    level
        Coverage of the intervals.
    contrast
        Two index levels whose repurchase is compared, points.
    response
        Response rates of the survey, or None.
    minimum_n
        Of how many respondents a group must be to have a number, or None.
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
    groupings: tuple[Grouping, ...]
    money: dict[str, Money]
    target: str
    level: float
    contrast: tuple[float, float]
    response: ResponseRates | None = None
    policies: MissingPolicies | None = None
    minimum_n: int | None = None
    description: Description | None = None
    programme: Programme | None = None
    warned: tuple[Finding, ...] = ()

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Everything a reader must know before trusting the numbers, gravest first."""
        told = [
            *self._of_index,
            *(self.repurchase.findings if self.repurchase is not None else ()),
            *(finding for result in self.money.values() for finding in result.findings),
            *(own for own in self.quality if _many(own)),
            *(self.programme.findings if self.programme is not None else ()),
            *self.warned,
        ]
        return gravest_first(told)

    @cached_property
    def _of_index(self) -> tuple[Finding, ...]:
        """What was noticed of the index and its drivers."""
        survey = self.fit.survey
        return (
            *(survey.findings if survey is not None else ()),
            *self.fit.diagnostics,
            *self.bootstrap.findings,
            *(self.weighting.findings if self.weighting is not None else ()),
            *driver_findings(self.fit, self.importance, self.assessment, self.target),
        )

    @cached_property
    def caveat(self) -> Finding | None:
        """The gravest that was noticed of the numbers a reader sees first, or None.

        A failure, of whatever is shown, before a warning, a warning before a note; within these
        what is said of the index, then of its drivers, then of how much it rests on.
        """
        known = {code: place for place, code in enumerate(_CAVEATS)}
        own = [f for f in self.findings if f.severity == "failure"]
        own += [f for f in self._of_index if f.severity == "warning" or f.code in known]
        return min(
            own,
            key=lambda f: (SEVERITIES.index(f.severity), known.get(f.code, len(known))),
            default=None,
        )

    @cached_property
    def quality(self) -> tuple[Finding, ...]:
        """What was noticed of how carefully respondents answered, be they few or many."""
        if self.description is None:
            return ()
        survey = self.fit.survey
        known = () if survey is None else survey.findings
        return tuple(finding for finding in self.description.findings if finding not in known)

    @property
    def group_index(self) -> pd.DataFrame | None:
        """Index of each (group, construct) of the first grouping, or None."""
        return self.groupings[0].index if self.groupings else None

    @property
    def leading(self) -> LeadingGroup | None:
        """The leading group of the first grouping, or None."""
        return self.groupings[0].leading if self.groupings else None

    @property
    def segments(self) -> Segments | None:
        """The curve of repurchase in every group of the first grouping, or None."""
        return self.groupings[0].segments if self.groupings else None

    @cached_property
    def leading_driver(self) -> LeadingDriver | None:
        """The driver with the largest effect on the target, tested against all others."""
        return leading_driver(self.bootstrap, self.target, self.level)

    @cached_property
    def doubt(self) -> DriverDoubt | None:
        """What speaks against the driver with the largest effect on the target, or None."""
        doubts = driver_doubts(self.fit, self.target, self.assessment.htmt)
        return next((own for own in doubts if own.driver == self.importance.index[0]), None)

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
        return "" if survey is None or valued is None else wording_of(survey, valued.outcome)

    @property
    def outcome_title(self) -> str:
        """What headings call the outcome: its wording where it is short, or else its column."""
        valued = self.repurchase
        return "" if valued is None else title_of(self.fit.survey, valued.outcome)

    def title_of_groups(self, grouping: Grouping) -> str:
        """Return what headings call the columns that make groups."""
        return crossed_title(self.fit.survey, grouping.columns)

    @property
    def headline(self) -> pd.Series:
        """The target's row of the index: mean, se, lower, upper, n."""
        return self.index.loc[[self.target]].iloc[0]


def _many(finding: Finding) -> bool:
    """Return whether so many respondents are concerned that all results are."""
    rows = finding.values.get("rows")
    line = THRESHOLDS["share of careless respondents"].value
    return isinstance(rows, int) and finding.count is not None and finding.count >= line * rows
