"""Survey columns → arrays: what crosses from tables to numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from csimodel.errors import SurveyError
from csimodel.findings import Finding
from csimodel.survey import checks, codes, design, missing
from csimodel.survey.labelled import require_no_labelled_codes
from csimodel.survey.sampling import Lonely, SurveyDesign

if TYPE_CHECKING:
    from csimodel.survey.survey import Survey


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

    @cached_property
    def design(self) -> SurveyDesign:
        """The units that were drawn, which say how much is known about errors."""
        return SurveyDesign.of(
            len(self.values), self.strata, self.cluster, self.weights, self.lonely
        )

    def __repr__(self) -> str:
        rows, items = self.values.shape
        return f"Answers: {rows} rows × {items} items, {self.missing}"


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
        findings += treated.findings
        if treated.kept is not None:
            kept = treated.kept if kept is None else kept[treated.kept]
            weights = None if weights is None else weights[treated.kept]
            low, high, _ = checks.extremes(values)
            checks.require_answers(values, items, low, high)
    checks.require_variation(len(values), items, low, high)

    rows = np.arange(len(survey.data)) if kept is None else kept
    strata, cluster, nested = design.strata_and_clusters(
        survey.data, survey.strata, survey.cluster, rows
    )
    values.flags.writeable = False
    answers = Answers(
        items=items,
        values=values,
        weights=None if weights is None else design.mean_one(weights),
        strata=strata,
        cluster=cluster,
        rows=rows,
        missing=state,
        findings=findings + nested,
        minimum=minimum,
        maximum=maximum,
        lonely=survey.lonely,
    )
    if survey.lonely == "fail" and answers.design.lonely_units.any():
        alone = int(answers.design.lonely_units.sum())
        raise SurveyError(
            f"{alone} of {answers.design.strata} strata of {survey.strata!r} hold a single "
            "cluster or respondent (lonely='fail'); merge them with similar strata, or choose "
            "lonely='adjust', 'average', 'certainty' or 'remove'."
        )
    return answers


def _require_no_labelled_codes(survey: Survey, columns: Sequence[str], values: np.ndarray) -> None:
    """Refuse codes labelled as no answer, unless a scale given for the column holds them."""
    for place, column in enumerate(columns):
        item = survey.items.get(column)
        stated = item is not None and item.minimum is not None and not item.assumed
        if column in survey.value_labels and not stated:
            require_no_labelled_codes(values[:, place], column, survey.value_labels[column])


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
