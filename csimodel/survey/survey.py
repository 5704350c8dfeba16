"""The survey: a table of answers, what is known about its items, and what reading changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from csimodel.arguments import checked_in
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate_in
from csimodel.page import HasPage, Page
from csimodel.survey import checks, codes, design, missing
from csimodel.survey.answers import Answers, require_blocks
from csimodel.survey.calibrated_design import CalibratedDesign
from csimodel.survey.calibration import WeightCalibration
from csimodel.survey.item import Item
from csimodel.survey.labelled import require_no_labelled_codes
from csimodel.survey.missing import Missing
from csimodel.survey.population import PopulationSize, population_of_rows, population_text
from csimodel.survey.replicates import ReplicateMethod, replicates_of_rows, require_same_weights
from csimodel.survey.sampling import Lonely, SurveyDesign
from csimodel.survey.two_stages import TwoStageDesign, second_stage


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Survey(HasPage):
    """Hold respondents' answers with what is known about the items and the sample design.

    Make one with `read_survey`, `load_mobi` or `load_acsi2015`.

    Attributes
    ----------
    data
        Answers and all other columns, one row per respondent; missing codes are NaN and
        reversed items are turned. Treat it as read-only: later changes of the frame you read
        from do not reach it.
    items
        What is known about the items, by name; empty for a bare frame.
    weights, strata, cluster
        Names of the design columns, or None.
    missing
        Policy for missing answers, applied when a model's items are taken, not before.
    source
        ``"frame"``, or the name of the file.
    findings
        What reading changed, counted.
    value_labels
        Labels of answer codes by column, from SPSS, Stata or a codebook.
    column_labels
        Label of each column, from SPSS, Stata or a codebook.
    lonely
        How a stratum with a single cluster (or respondent) is treated in errors.
    population
        How many units the population holds, by stratum: the name of a column, one number, or a
        mapping from stratum to number; as in `read_survey`.
    calibration
        What the weights were adjusted to by `csi.rake` and its kin, which errors allow for.
    subcluster, subpopulation
        Names of the columns of units drawn within clusters, and of how many there are.
    coded
        Positions of the rows that held a missing code, by column.
    unasked
        Positions of the rows that were not asked, by a rule of the codebook, by column.
    replicate_weights, replicate_method
        Names of the columns of replicate weights, and how they were made, or None.
    replicate_base
        Name of the weights that the replicates vary.

    Examples
    --------
    >>> import pandas as pd
    >>> from csimodel.survey import read_survey
    >>> read_survey(pd.DataFrame({"q1": [3, 7, 9], "q2": [4, 8, 8]}), scale=(1, 10))
    Survey of 3 rows and 2 columns (frame)
    ======================================
    items: 2 (q1 and q2)
    missing: 'error'; 0 cells empty in the items
    """

    data: pd.DataFrame
    items: Mapping[str, Item] = field(default_factory=dict)
    weights: str | None = None
    strata: str | None = None
    cluster: str | None = None
    missing: Missing = "error"
    source: str = "frame"
    findings: tuple[Finding, ...] = ()
    value_labels: Mapping[str, Mapping[float | str, str]] = field(default_factory=dict)
    column_labels: Mapping[str, str] = field(default_factory=dict)
    lonely: Lonely = "adjust"
    population: PopulationSize | None = None
    calibration: WeightCalibration | None = None
    replicate_weights: tuple[str, ...] = ()
    replicate_method: ReplicateMethod | None = None
    replicate_base: str | None = None
    subcluster: str | None = None
    subpopulation: str | None = None
    coded: Mapping[str, np.ndarray] = field(default_factory=dict)
    unasked: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def blocks(self) -> dict[str, tuple[str, ...]]:
        """Constructs the codebook names, each with its items, in the codebook's order."""
        blocks: dict[str, list[str]] = {}
        for item in self.items.values():
            if item.construct is not None:
                blocks.setdefault(item.construct, []).append(item.name)
        return {construct: tuple(names) for construct, names in blocks.items()}

    def answers(self, blocks: Mapping[str, Sequence[str]]) -> Answers:
        """Take the items of a model as arrays, checked, with the missing policy applied.

        Parameters
        ----------
        blocks
            Item names by construct.

        Returns
        -------
        Answers
            Values (rows, items), design columns, and findings that count rows dropped and
            cells missing or filled.

        Raises
        ------
        SurveyError
            When an item is not a column, holds text, infinities, values outside its bounds,
            nothing at all or one value only; when cells are missing and the policy is
            ``"error"``; when weights are negative or a stratum or cluster is missing.

        Examples
        --------
        >>> import pandas as pd
        >>> survey = Survey(pd.DataFrame({"q1": [3, 7, None], "q2": [4, 8, 8]}), missing="listwise")
        >>> answers = survey.answers({"Quality": ["q1", "q2"]})
        >>> answers.rows
        array([0, 1])
        >>> print(answers.findings[0])
        1 of 3 rows was dropped because an item is missing (missing='listwise'): q1 (1).
        """
        require_blocks(blocks)
        return collect(self, blocks)

    def bounds(self, items: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the scale bounds of items as two arrays (items,), NaN where unknown.

        Examples
        --------
        >>> import pandas as pd
        >>> survey = Survey(pd.DataFrame({"q": [1]}), {"q": Item("q", minimum=1, maximum=10)})
        >>> survey.bounds(["q", "z"])
        (array([ 1., nan]), array([10., nan]))
        """
        known = [self.items.get(name) for name in items]
        low = [np.nan if item is None or item.minimum is None else item.minimum for item in known]
        high = [np.nan if item is None or item.maximum is None else item.maximum for item in known]
        return np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)

    @property
    def page(self) -> Page:
        """What was read, on a page."""
        rows, columns = self.data.shape
        return Page(
            text(
                (
                    "Survey of {rows} {rows:row|rows} and {columns} {columns:column|columns} "
                    "({source})"
                ),
                rows=rows,
                columns=columns,
                source=self.source,
            ),
            facts=tuple(f"{label}: {text}" for label, text in self._facts()),
            findings=self.findings,
            clean="",
        )

    def _facts(self) -> list[tuple[str, str]]:
        facts = []
        if self.blocks:
            named = [f"{name} {len(items)}" for name, items in self.blocks.items()]
            facts.append(("items", f"{len(self.items)} ({', '.join(named)})"))
        elif self.items:
            names = list(self.items)
            shown = " and ".join(names) if len(names) < 3 else f"{names[0]} … {names[-1]}"
            facts.append(("items", f"{len(names)} ({shown})"))
        else:
            facts.append(("items", text("not declared; a model's items are taken by column name")))
        empty = int(self.data[list(self.items)].isna().to_numpy().sum()) if self.items else 0
        counted = (
            text("; {empty} {empty:cell|cells} empty in the items", empty=empty)
            if self.items
            else ""
        )
        facts.append(("missing", f"{self.missing!r}{counted}"))
        for label in ("weights", "strata", "cluster"):
            column = getattr(self, label)
            if column is not None:
                facts.append((label, column))
        if self.population is not None:
            facts.append(("population", population_text(self.population)))
        if self.replicate_method is not None:
            count = len(self.replicate_weights)
            facts.append(
                (
                    text("replicate weights"),
                    text("{count} by {scheme}", count=count, scheme=self.replicate_method.scheme),
                )
            )
        return facts


def collect(survey: Survey, blocks: Mapping[str, Sequence[str]]) -> Answers:
    """Take the items of `blocks` out of a survey, checked and with its missing policy applied.

    The block of items is copied once, so that nothing written later to the frame or the survey
    reaches the answers; columns are looked at one by one only when something is wrong and the
    culprit has to be named.

    Raises
    ------
    SurveyError
        When an item is not a column, holds text, infinities, values outside its bounds, nothing
        at all or one value only; when cells are missing and the policy is ``"error"``; when
        weights are negative or a stratum or cluster is missing.
    """
    construct_of = {item: name for name, items in blocks.items() for item in items}
    items = tuple(construct_of)
    columns = checks.columns_of_items(survey.data, construct_of)
    values, findings = checks.numeric_block(survey.data, columns)
    minimum, maximum = survey.bounds(columns)

    kept, weights, weight_findings = design.usable_weights(survey.data, survey.weights)
    findings += weight_findings
    if kept is not None:
        values = values[kept]
    low, high, gaps = checks.extremes(values)
    checks.require_answers(values, items, low, high)
    checks.require_finite(values, items, low, high, kept)
    checks.require_bounds(values, items, low, high, minimum, maximum)
    _require_no_labelled_codes(survey, columns, values)
    findings += codes.suspected_codes(values, items, low, high, ~np.isnan(minimum))

    state = "complete"
    if gaps:
        treated = missing.apply(survey.missing, values, blocks, items, minimum, maximum)
        values, state = treated.values, treated.state
        findings += treated.losses.findings(survey.missing, items, list(blocks))
        if treated.kept is not None:
            kept = treated.kept if kept is None else kept[treated.kept]
            weights = None if weights is None else weights[treated.kept]
            low, high, _ = checks.extremes(values)
            checks.require_answers(values, items, low, high)
    checks.require_variation(len(values), items, low, high)

    rows = np.arange(len(survey.data)) if kept is None else kept
    values.flags.writeable = False
    answers = Answers(
        items=items,
        values=values,
        weights=None if weights is None else design.mean_one(weights),
        strata=None,
        cluster=None,
        rows=rows,
        missing=state,
        findings=findings,
        minimum=minimum,
        maximum=maximum,
        lonely=survey.lonely,
    )
    return _with_design(survey, answers)


def respondents(survey: Survey) -> Answers:
    """Take all respondents with a weight and the design they were drawn in, without any item.

    For what is computed of single columns, each of those who answered it.

    Raises
    ------
    SurveyError
        When no row has a weight, weights are negative, or a stratum or cluster is missing.

    Examples
    --------
    >>> survey = Survey(pd.DataFrame({"q": [3, 7, 9], "w": [1.0, 0.0, 2.0]}), weights="w")
    >>> respondents(survey).rows
    array([0, 2])
    """
    kept, weights, findings = design.usable_weights(survey.data, survey.weights)
    rows = np.arange(len(survey.data)) if kept is None else kept
    nothing = np.empty(0)
    answers = Answers(
        items=(),
        values=np.empty((len(rows), 0)),
        weights=None if weights is None else design.mean_one(weights),
        strata=None,
        cluster=None,
        rows=rows,
        missing="complete",
        findings=findings,
        minimum=nothing,
        maximum=nothing,
        lonely=survey.lonely,
    )
    return _with_design(survey, answers)


def _with_design(survey: Survey, answers: Answers) -> Answers:
    """Return answers with the design of their rows: strata, clusters, population, replicates."""
    rows = answers.rows
    strata, cluster, nested = design.strata_and_clusters(
        survey.data, survey.strata, survey.cluster, rows
    )
    everyone = calibrated_design(survey)
    answers = replace(
        answers,
        strata=strata,
        cluster=cluster,
        findings=(*answers.findings, *nested),
        population=population_of_rows(
            survey.data, survey.population, survey.strata, survey.cluster, rows
        ),
        calibrated=None if everyone is None else everyone.at(rows),
    )
    if survey.lonely == "fail":  # else the design would be built for nothing
        design.require_several(answers.design, survey.strata)
    if survey.subcluster is not None or survey.subpopulation is not None:
        second = (survey.subcluster, survey.subpopulation, rows, answers.design.unit)
        unit, whole = second_stage(survey.data, *second)
        answers = replace(answers, subcluster=unit, subpopulation=whole)
    if not survey.replicate_weights:
        return answers
    require_same_weights(survey.replicate_base, survey.weights)
    given = (survey.replicate_weights, survey.replicate_method, survey.weights)
    return replace(
        answers, replicates=replicates_of_rows(survey.data, *given, rows, answers.design)
    )


def calibrated_design(survey: Survey) -> CalibratedDesign | None:
    """Return the units of all respondents whose weights meet margins together; None without."""
    if survey.calibration is None or survey.weights is None:
        return None
    rows = np.flatnonzero(survey.calibration.base)
    frame, names = survey.data, (survey.strata, survey.cluster)
    strata, cluster, _ = design.strata_and_clusters(frame, *names, rows)
    weights = checks.numeric_block(frame, [survey.weights])[0][rows, 0]
    population = population_of_rows(frame, survey.population, *names, rows)
    everyone = SurveyDesign.of(len(rows), strata, cluster, weights, survey.lonely, population)
    everyone = two_stage_design(survey, rows, everyone) or everyone
    return CalibratedDesign.of_margins(everyone, survey.calibration.of_rows(rows), rows)


def two_stage_design(
    survey: Survey, rows: np.ndarray, first: SurveyDesign
) -> TwoStageDesign | None:
    """Return the design of units within the clusters of a first stage; None without a second.

    Parameters
    ----------
    survey
        Whose second stage it is.
    rows
        Positions in its table of those drawn, (rows,).
    first
        Their clusters.
    """
    if survey.subcluster is None and survey.subpopulation is None:
        return None
    names = survey.subcluster, survey.subpopulation
    return TwoStageDesign.within(first, *second_stage(survey.data, *names, rows, first.unit))


def _require_no_labelled_codes(survey: Survey, columns: Sequence[str], values: np.ndarray) -> None:
    """Refuse codes labelled as no answer, unless a scale given for the column holds them."""
    for place, column in enumerate(columns) if survey.value_labels else ():
        item = survey.items.get(column)
        stated = item is not None and item.minimum is not None and not item.assumed
        if column in survey.value_labels and not stated:
            require_no_labelled_codes(values[:, place], column, survey.value_labels[column])
