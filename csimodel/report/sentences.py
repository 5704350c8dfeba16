"""What the numbers say, in sentences that need no statistics; shared by page and terminal."""

from __future__ import annotations

from collections import Counter
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from csimodel.assessment.verdicts import ATTENTION
from csimodel.bounds import THRESHOLDS
from csimodel.findings import listed
from csimodel.formatting import (
    amount,
    amounts,
    label,
    number,
    percent,
    plural,
    share,
    span,
    told_p,
)
from csimodel.report.analysis_results import AnalysisResults
from csimodel.report.outcome_sections import money_table
from csimodel.survey.replicates import label_of_scheme

if TYPE_CHECKING:
    from csimodel.index import LeadingGroup
    from csimodel.outcomes import Repurchase


_ENOUGH = THRESHOLDS["degrees of freedom for design effects"].value


def headline(analysis: AnalysisResults) -> list[str]:
    """Say where the target stands and how sure that is."""
    row = analysis.headline
    sentences = [
        f"On a scale from 0 to 100, {analysis.target} stands at {number(row['mean'])} among "
        f"{plural(analysis.fit.n, 'respondent')}.",
    ]
    if pd.notna(row["lower"]):
        sentences.append(
            "Asking others would have given a somewhat different number: the "
            f"{percent(analysis.level)} interval, {span(row['lower'], row['upper'])}, holds the "
            "values that agree with these answers."
        )
    else:
        sentences.append(f"How sure it is cannot be told: {row['reason'] or 'there is no error'}.")
    return sentences


def drivers(analysis: AnalysisResults) -> list[str]:
    """Say which effect on the target is largest, how sure the order is, and what is lowest."""
    table, target = analysis.importance, analysis.target
    first = table.iloc[0]
    sentences = [
        f"The largest estimated effect on {target} is that of {table.index[0]}: under the model, "
        f"one point more on its index goes with {number(first['importance'], 2)} points of "
        f"{target}{_interval(first, analysis.level)}.",
    ]
    if len(table) > 1:
        second = table.iloc[1]
        sentences.append(
            f"{table.index[1]} comes next with {number(second['importance'], 2)}. "
            f"{_told_apart(analysis.leading_driver, str(table.index[0]), 'driver')}"
        )
        lowest = int(table["performance"].argmin())
        row = table.iloc[lowest]
        sentences.append(
            f"The driver with the lowest index is {table.index[lowest]}, at "
            f"{number(row['performance'])}; a point more there goes with "
            f"{number(row['importance'], 2)} points of {target}."
        )
    unclear = table.index[(table["lower"] <= 0) & (table["upper"] >= 0)]
    if len(unclear):
        sentences.append(
            f"The effect of {listed(unclear, 20)} cannot be told apart from zero with these data."
        )
    return sentences


def repurchase(analysis: AnalysisResults) -> list[str]:
    """Say how repurchase was measured and what goes with a point of the index."""
    valued = analysis.repurchase
    if valued is None:
        return []
    level, index = percent(analysis.level), valued.indexes[0]
    sentences = [_measured(analysis, valued)]
    effect = valued.average_marginal_effect
    if not isfinite(effect):
        return [
            *sentences,
            f"There is no finite effect of {index} on it, so nothing is given here.",
        ]
    noun = _noun(valued)
    sentences.append(
        f"One point more of {index} goes with {_points(effect, 2)} of {noun}, on average over the "
        f"respondents ({level} interval {span(100 * effect.lower, 100 * effect.upper, 2)})."
    )
    table = valued.contrast(*analysis.contrast)
    start, end, step = (table.iloc[row] for row in range(3))
    low, high = analysis.contrast
    sentences.append(
        f"At an index of {low:g} the regression expects {noun} to be "
        f"{share(start['probability'])}, and {share(end['probability'])} at {high:g}: "
        f"{_points(step['probability'], 1)} ({level} interval "
        f"{span(100 * step['lower'], 100 * step['upper'])})."
    )
    if effect.lower <= 0 <= effect.upper:
        sentences.append("This effect cannot be told apart from zero with these data.")
    return sentences


def slopes(analysis: AnalysisResults) -> list[str]:
    """Say what goes with a point once the measurement error of the index is taken off."""
    result = analysis.slopes
    if result is None:
        return []
    part = result.reliability[result.indexes[0]]
    sentences = [
        "Answers to a few questions measure satisfaction with error, which draws the slope of "
        f"repurchase towards zero; the reliability of the index is {number(float(part.value), 2)}, "
        "1 being without error."
    ]
    naive, method = result.effect("naive"), str(result.table["method"].iloc[-1])
    corrected = result.effect(method)
    if not isfinite(corrected):
        return [*sentences, "The effect could not be corrected for it with these data."]
    sentences.append(
        f"Corrected for it, one point more of the true {result.indexes[0]} goes with "
        f"{_points(corrected, 2)} ({percent(analysis.level)} interval "
        f"{span(100 * corrected.lower, 100 * corrected.upper, 2)}), against "
        f"{number(100 * float(naive), 2)} as measured. Predictions at an index that is measured, "
        "such as those above, need no correction."
    )
    return sentences


def segments(analysis: AnalysisResults) -> list[str]:
    """Say whether the curve of repurchase is the same in every group."""
    groups = analysis.segments
    if groups is None:
        return []
    effect = 100 * groups.table["effect"].dropna()
    p = float(groups.tests["p"].iloc[-1])
    if not isfinite(p) or effect.empty:
        return ["Whether the curves differ between the groups cannot be tested with these data."]
    differ = p < 1 - analysis.level
    return [
        f"A joint test {'finds that' if differ else 'does not show that'} the curves of the groups "
        f"differ ({told_p(p)}).",
        f"One point more goes with {number(effect.min(), 2)} percentage points "
        f"({label(effect.idxmin())}) to {number(effect.max(), 2)} ({label(effect.idxmax())}), "
        "at the same distribution of the index; which two groups differ was not tested.",
    ]


def money(analysis: AnalysisResults) -> list[str]:
    """Say what a point of the strongest driver is worth, and what may be spent on it."""
    if not analysis.money:
        return []
    driver, profit = next(iter(analysis.money.items()))
    value, terms = profit.estimate, profit.economics
    whose = "for all customers together" if terms.customers != 1 else "for each customer"
    sentences = [] if profit.shortfall is None else [profit.shortfall.message]
    sentences += [
        f"Terms given for this report, not estimated: {profit.terms[0].lower()}{profit.terms[1:]}",
        f"One point more of {driver} is worth {amount(float(value), profit.currency)} {whose}, "
        f"through {analysis.target}, repurchase and the time a customer stays, the mean of what "
        f"each customer's change is worth ({percent(analysis.level)} interval "
        f"{amounts(value.lower, value.upper)}).",
    ]
    if profit.shortfall is None and profit.side_by_side is not None:
        ignored = float(profit.side_by_side["estimate"].loc["ignored"])
        sentences.append(
            "The measurement error of the answers is taken off; left in, the same point would be "
            f"put at {amount(ignored, profit.currency)}."
        )
    if value.lower <= 0 <= value.upper:
        return [
            *sentences,
            "This worth cannot be told apart from zero, so no spending is shown to pay.",
        ]
    repeated = float(money_table({driver: profit})["spending_every_period"].iloc[0])
    sentences.append(
        f"Spent once, up to {amount(float(value), profit.currency)} for each point would pay for "
        "itself"
        + (
            f"; if the point lasts only while the spending goes on, up to "
            f"{amount(repeated, profit.currency)} each {terms.period}."
            if isfinite(repeated)
            else "."
        )
    )
    return sentences


def _measured(analysis: AnalysisResults, valued: Repurchase) -> str:
    survey = analysis.fit.survey
    item = survey.items.get(valued.outcome) if survey is not None else None
    wording = item.wording if item is not None else None
    if wording is None and survey is not None:
        wording = survey.column_labels.get(valued.outcome)
    told = f" (“{wording}”)" if wording else ""
    if valued.cut is not None:
        scale = f"answers of {valued.cut:g} or more count as repurchase"
    elif bool(np.isin(valued.regression.sample.outcome, (0.0, 1.0)).all()):
        scale = "1 stands for yes and 0 for no"
    elif item is not None and item.minimum is not None and item.maximum is not None:
        scale = f"answers from {item.minimum:g} to {item.maximum:g} are read as 0 to 100\u00a0%"
    else:
        scale = "its answers are read as 0 to 100\u00a0%"
    return f"Repurchase is measured by the column {valued.outcome}{told}; {scale}."


def _noun(valued: Repurchase) -> str:
    binary = bool(np.isin(valued.regression.sample.outcome, (0.0, 1.0)).all())
    return "the probability of repurchase" if binary else "the stated likelihood of repurchase"


def _points(change: float, decimals: int) -> str:
    direction = "more" if change >= 0 else "less"
    return f"{number(abs(100 * change), decimals)} percentage points {direction}"


def by_group(analysis: AnalysisResults, table: pd.DataFrame) -> list[str]:
    """Say which group stands highest and lowest, and whether that was shown."""
    table = table[table["mean"].notna()]
    if len(table) < 2:
        return []
    names = [label(key[:-1] if len(key) > 2 else key[0]) for key in table.index]
    high, low = int(table["mean"].argmax()), int(table["mean"].argmin())
    best, worst = number(table["mean"].iloc[high]), number(table["mean"].iloc[low])
    leading = analysis.leading
    if leading is not None and leading.distinct:
        return [
            f"{analysis.target} is highest in {names[high]} ({best}): it differs from every other "
            f"group in a test of all differences at once ({percent(leading.level)}). The lowest "
            f"estimate is that of {names[low]} ({worst})."
        ]
    return [
        f"The highest estimate of {analysis.target} is that of {names[high]} ({best}), the lowest "
        f"that of {names[low]} ({worst}). {_told_apart(leading, names[high], 'group')}"
    ]


def _told_apart(leading: LeadingGroup | None, first: str, noun: str) -> str:
    """Say whether the first differs from every other, and from how many it does."""
    if leading is None or leading.table["p_adjusted"].isna().any():
        return f"Whether {first} differs from every other {noun} cannot be tested with these data."
    others = len(leading.table)
    differ = int((leading.table["p_adjusted"] < 1 - leading.level).sum())
    test = f"in a test of all differences at once ({percent(leading.level)})"
    if leading.distinct:
        return f"{first} differs from every other {noun} {test}."
    if others == 1:
        return f"The difference is not shown to be more than chance {test}."
    if not differ:
        return f"{first} is not shown to differ from any other {noun} {test}."
    return (
        f"{first} differs from {differ} of {others} other {noun}s {test}; that it is the highest "
        "is not shown."
    )


def trust(analysis: AnalysisResults) -> str:
    """Say in one sentence whether the numbers can be used."""
    count = Counter(finding.severity for finding in analysis.findings)
    if count["failure"]:
        return f"Do not use these numbers: there {_are(count['failure'], 'failure')}."
    if count["warning"]:
        return (
            f"The estimation found a solution; there {_are(count['warning'], 'warning')} to read."
        )
    return "The estimation found a solution and gave no warning."


def _are(count: int, noun: str) -> str:
    return f"{'is' if count == 1 else 'are'} {plural(count, noun)}"


def checks(analysis: AnalysisResults) -> str:
    """Say how many checks of the questionnaire and the model ask for attention."""
    verdicts = analysis.assessment.verdicts["verdict"]
    poor = int(verdicts.isin(ATTENTION).sum())
    asked = "none asks" if not poor else f"{poor} ask{'s' if poor == 1 else ''}"
    return f"Of {len(verdicts)} checks of the questionnaire and the model, {asked} for attention."


def data_used(analysis: AnalysisResults) -> list[str]:
    """Say how many rows and answers were used, dropped and filled."""
    fit = analysis.fit
    survey = fit.survey
    rows = len(survey.data) if survey is not None else fit.n
    items = plural(len(fit.model.items), "question")
    if rows == fit.n:
        sentences = [f"All {plural(rows, 'row')} of the data were used, with {items}."]
    else:
        dropped = rows - fit.n
        verb = "was" if dropped == 1 else "were"
        sentences = [
            f"{fit.n:,} of {plural(rows, 'row')} of the data were used, with {items}; "
            f"{dropped:,} {verb} left out."
        ]
    sentences.extend(_design(analysis))
    return [*sentences, resamples(analysis)]


def resamples(analysis: AnalysisResults) -> str:
    """Say what intervals rest on."""
    boot = analysis.bootstrap
    lost = len(boot.usable) - int(boot.usable.sum())
    if boot.replication is not None:
        told = f"{lost:,} of them gave no result" if lost else "each gave a result"
        method = label_of_scheme(boot.replication.method)
        return (
            f"Intervals rest on {len(boot.usable):,} sets of replicate weights ({method}); {told}."
        )
    told = f"{lost:,} of them were lost" if lost else "none of them was lost"
    units = "clusters" if boot.design.kind == "cluster" else "respondents"
    return f"Intervals rest on {len(boot.usable):,} resamples of the {units}; {told}."


def _design(analysis: AnalysisResults) -> list[str]:
    """Say how much weights, strata and clusters leave the index to be sure of."""
    fit, survey = analysis.fit, analysis.fit.survey
    if survey is None:
        return []
    used = {
        "weights": survey.weights,
        "strata": survey.strata,
        "clusters": survey.cluster,
        "finite population": survey.population,
    }
    parts = [name for name, column in used.items() if column is not None]
    effect, equal = analysis.design_effect
    if not parts or effect == 0.0:
        return []
    enough = fit.require_answers("A report").design.df >= _ENOUGH
    if isfinite(effect) and enough:
        return [
            f"With its {listed(parts)} this survey says as much about the index of "
            f"{analysis.target} as {number(equal, 0)} respondents drawn one by one with equal "
            f"weights would (design effect {number(effect, 2)})."
        ]
    sentences = [
        f"How much the {listed(parts)} of this survey take from what its respondents say about the "
        f"index of {analysis.target} cannot be told from so few units."
    ]
    kish = float(fit.moments.effective_n)
    if survey.weights is not None and abs(kish - fit.n) > 0.5:
        sentences.append(
            f"By their unequal weights alone they count as {number(kish, 0)} of equal weight."
        )
    return sentences


def _interval(row: pd.Series, level: float) -> str:
    if pd.isna(row["lower"]):
        return ""
    return f" ({percent(level)} interval {span(row['lower'], row['upper'], 2)})"
