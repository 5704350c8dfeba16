"""How unequal weights are, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.bounds import THRESHOLDS
from csimodel.errors import OptionError
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate
from csimodel.page import HasPage, Page, sections
from csimodel.survey import Survey
from csimodel.survey.design import usable_weights

Floats = NDArray[np.float64]


def effective_size(weights: Floats) -> float:
    """Return Kish's effective sample size, ``(Σ w)² / Σ w²``.

    References
    ----------
    Kish, L. (1965). Survey Sampling, section 11.7. Wiley.

    Examples
    --------
    >>> effective_size(np.array([1.0, 1.0, 2.0]))
    2.6666666666666665
    """
    own = weights / weights.max()
    return float(own.sum() ** 2 / (own**2).sum())


@dataclass(frozen=True, eq=False, repr=False)
class WeightsReport(HasPage):
    """What a column of weights looks like.

    Attributes
    ----------
    name
        Of the column.
    table
        One row: respondents with a weight, sum, lowest, median and highest weight, the ratio of
        the highest to the lowest, share of the sum that the largest weight and the largest
        hundredth of them have, Kish's design effect ``n Σ w²/(Σ w)²``, effective sample size.
    findings
        What is unusual.
    """

    name: str
    table: pd.DataFrame
    findings: tuple[Finding, ...]

    @property
    def page(self) -> Page:
        """The weights on a page."""
        row = self.table.iloc[0]
        return Page(
            text("Weights {name}", name=self.name),
            text(
                "{n:,} weighted respondents count as much as {effective_n:,.0f} with "
                "equal weights (design effect {design_effect:.2f}).",
                n=int(row["n"]),
                effective_n=row["effective_n"],
                design_effect=row["design_effect"],
            ),
            findings=self.findings,
            sections=sections({text("Distribution"): self.table.T.rename(columns={0: "value"})}),
        )


@own_errstate
@checked
def describe_weights(survey: Survey) -> WeightsReport:
    """Describe the weights of a survey: their range, the share of the largest, the design effect.

    Parameters
    ----------
    survey
        With weights.

    Returns
    -------
    WeightsReport

    Raises
    ------
    OptionError
        When the survey has no weights.

    References
    ----------
    Kish, L. (1992). Weighting for unequal P_i. Journal of Official Statistics 8, 183-200.

    Examples
    --------
    >>> from csimodel.survey import read_survey
    >>> frame = pd.DataFrame({"q": [3, 7, 9], "w": [1.0, 1.0, 2.0]})
    >>> print(describe_weights(read_survey(frame, scale=(1, 10), weights="w")).page.headline)
    3 weighted respondents count as much as 3 with equal weights (design effect 1.12).
    """
    if survey.weights is None:
        raise OptionError(
            "The survey has no weights; name their column in read_survey(..., weights=...), or "
            "make them with csi.rake(survey, margins)."
        )
    _, weights, findings = usable_weights(survey.data, survey.weights)
    if weights is None or not len(weights):
        raise OptionError(f"No row has a weight above 0 in {survey.weights!r}.")
    n, total = len(weights), float(weights.sum())
    heaviest = np.sort(weights)[::-1][: max(n // 100, 1)]
    effective = effective_size(weights)
    table = pd.DataFrame(
        {
            "n": [n],
            "sum": [total],
            "lowest": [float(weights.min())],
            "median": [float(np.median(weights))],
            "highest": [float(weights.max())],
            "ratio": [float(weights.max() / weights.min())],
            "share_of_largest": [float(weights.max() / total)],
            "share_of_top_hundredth": [float(heaviest.sum() / total)],
            "design_effect": [n / effective],
            "effective_n": [effective],
        }
    )
    return WeightsReport(survey.weights, table, (*findings, *_judged(survey.weights, table)))


def _judged(name: str, table: pd.DataFrame) -> tuple[Finding, ...]:
    row = table.iloc[0]
    findings = []
    values = {
        "name": name,
        "effect": float(row["design_effect"]),
        "n": int(row["n"]),
        "effective": float(row["effective_n"]),
        "share": float(row["share_of_largest"]),
    }
    if row["design_effect"] > THRESHOLDS["design effect of weights"].value:
        findings.append(Finding("unequal-weights", _UNEQUAL, (name,), "warning", None, values))
    heavy = max(THRESHOLDS["share of a single weight"].value, 2.0 / row["n"])
    if row["share_of_largest"] > heavy:
        findings.append(Finding("heavy-weight", _HEAVY, (name,), "warning", None, values))
    return tuple(findings)


_UNEQUAL = (
    "The weights {name!r} are so unequal that {n:,} respondents count as much as {effective:,.0f} "
    "(design effect {effect:.2f}); trim them or join categories of the margins."
)
_HEAVY = (
    "A single respondent has {share:.1%} of all weight in {name!r}; look at that weight, or trim "
    "it."
)
