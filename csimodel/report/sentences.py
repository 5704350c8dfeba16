"""What the numbers say, in sentences that need no statistics; shared by page and terminal."""

from __future__ import annotations

from collections import Counter
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from csimodel.assessment.verdicts import ATTENTION
from csimodel.findings import listed
from csimodel.report.words import amount, amounts, label, number, percent, plural, share, span
from csimodel.report.worth import money_table

if TYPE_CHECKING:
    from csimodel.report.analysis import Analysis
    from csimodel.repurchase import Repurchase


def headline(analysis: Analysis) -> list[str]:
    """Say where the target stands and how sure that is."""
    row = analysis.headline
    said = [
        f"On a scale from 0 to 100, {analysis.target} stands at {number(row['mean'])} among "
        f"{plural(analysis.fit.n, 'respondent')}.",
    ]
    if pd.notna(row["lower"]):
        said.append(
            "Asking others would have given a somewhat different number: the "
            f"{percent(analysis.level)} interval, {span(row['lower'], row['upper'])}, holds the "
            "values that agree with these answers."
        )
    return said


def drivers(analysis: Analysis) -> list[str]:
    """Say what moves the target most, how sure the order is, and what is lowest."""
    table, target = analysis.importance, analysis.target
    first = table.iloc[0]
    said = [
        f"{table.index[0]} moves {target} most: one point more on its index goes with "
        f"{number(first['importance'], 2)} points of {target}{_interval(first, analysis.level)}.",
    ]
    if len(table) > 1:
        second = table.iloc[1]
        between = f"{table.index[1]} comes next with {number(second['importance'], 2)}"
        if first["lower"] <= second["upper"]:
            between += "; the two intervals overlap, so which of them is first is not certain"
        said.append(between + ".")
        lowest = int(table["performance"].argmin())
        row = table.iloc[lowest]
        said.append(
            f"The driver with the lowest index is {table.index[lowest]}, at "
            f"{number(row['performance'])}; a point more there goes with "
            f"{number(row['importance'], 2)} points of {target}."
        )
    unclear = table.index[(table["lower"] <= 0) & (table["upper"] >= 0)]
    if len(unclear):
        said.append(
            f"The effect of {listed(unclear, 20)} cannot be told apart from zero with these data."
        )
    return said


def repurchase(analysis: Analysis) -> list[str]:
    """Say how repurchase was measured and what a point of the index is worth in it."""
    valued = analysis.repurchase
    if valued is None:
        return []
    level, index = percent(analysis.level), valued.indexes[0]
    said = [_measured(analysis, valued)]
    effect = valued.average_marginal_effect
    if not isfinite(effect):
        return [*said, f"There is no finite effect of {index} on it, so nothing is given here."]
    noun = _noun(valued)
    said.append(
        f"One point more of {index} goes with {_points(effect, 2)} of {noun}, on average over the "
        f"respondents ({level} interval {span(100 * effect.lower, 100 * effect.upper, 2)})."
    )
    table = valued.contrast(*analysis.contrast)
    start, end, step = (table.iloc[row] for row in range(3))
    low, high = analysis.contrast
    said.append(
        f"From an index of {low:g} to {high:g}, {noun} goes from "
        f"{share(start['probability'])} to {share(end['probability'])}: "
        f"{_points(step['probability'], 1)} ({level} interval "
        f"{span(100 * step['lower'], 100 * step['upper'])})."
    )
    if effect.lower <= 0 <= effect.upper:
        said.append("This effect cannot be told apart from zero with these data.")
    return said


def slopes(analysis: Analysis) -> list[str]:
    """Say what a point is worth once the measurement error of the index is taken off."""
    found = analysis.slopes
    if found is None:
        return []
    part = found.reliability[found.indexes[0]]
    said = [
        "Answers to a few questions measure satisfaction with error, which makes its effect look "
        f"smaller than it is; the reliability of the index is {number(float(part.value), 2)}, 1 "
        "being without error."
    ]
    naive, method = found.effect("naive"), str(found.table["method"].iloc[-1])
    corrected = found.effect(method)
    if not isfinite(corrected):
        return [*said, "The effect could not be corrected for it with these data."]
    said.append(
        f"Corrected for it, one point more of the true {found.indexes[0]} goes with "
        f"{_points(corrected, 2)} ({percent(analysis.level)} interval "
        f"{span(100 * corrected.lower, 100 * corrected.upper, 2)}), against "
        f"{number(100 * float(naive), 2)} as measured. Predictions at an index that is measured, "
        "such as those above, need no correction."
    )
    return said


def segments(analysis: Analysis) -> list[str]:
    """Say whether the curve of repurchase is the same in every group."""
    found = analysis.segments
    if found is None:
        return []
    effect = 100 * found.table["effect"]
    p = float(found.tests["p"].iloc[-1])
    if not isfinite(p):
        return ["Whether the curves differ between the groups cannot be tested with these data."]
    differ = p < 1 - analysis.level
    shown = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
    return [
        f"The curves of the groups {'differ' if differ else 'are not shown to differ'} ({shown}).",
        f"One point more is worth from {number(effect.min(), 2)} percentage points "
        f"({label(effect.idxmin())}) to {number(effect.max(), 2)} ({label(effect.idxmax())}), "
        "compared at the same distribution of the index.",
    ]


def money(analysis: Analysis) -> list[str]:
    """Say what a point of the strongest driver is worth, and what may be spent on it."""
    if not analysis.money:
        return []
    driver, found = next(iter(analysis.money.items()))
    value, terms = found.estimate, found.economics
    whose = "for all customers together" if terms.customers != 1 else "for each customer"
    said = [] if found.shortfall is None else [found.shortfall.message]
    said += [
        f"Terms given for this report, not estimated: {found.terms[0].lower()}{found.terms[1:]}",
        f"One point more of {driver} is worth {amount(float(value), found.currency)} {whose}, "
        f"through {analysis.target}, repurchase and the time a customer stays, the mean of what "
        f"each customer's change is worth ({percent(analysis.level)} interval "
        f"{amounts(value.lower, value.upper)}).",
    ]
    if found.shortfall is None and found.side_by_side is not None:
        ignored = float(found.side_by_side["estimate"].loc["ignored"])
        said.append(
            "The measurement error of the answers is taken off; left in, the same point would be "
            f"put at {amount(ignored, found.currency)}."
        )
    if value.lower <= 0 <= value.upper:
        return [*said, "This worth cannot be told apart from zero, so no spending is shown to pay."]
    repeated = float(money_table({driver: found})["spending_every_period"].iloc[0])
    said.append(
        f"Spent once, up to {amount(float(value), found.currency)} for each point would pay for "
        "itself"
        + (
            f"; if the point lasts only while the spending goes on, up to "
            f"{amount(repeated, found.currency)} each {terms.period}."
            if isfinite(repeated)
            else "."
        )
    )
    return said


def _measured(analysis: Analysis, valued: Repurchase) -> str:
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


def by_group(analysis: Analysis, table: pd.DataFrame) -> list[str]:
    """Say which group stands highest and lowest, and whether their intervals meet."""
    names = [key[:-1] if len(key) > 2 else key[0] for key in table.index]
    high, low = int(table["mean"].argmax()), int(table["mean"].argmin())
    if high == low:
        return []
    best, worst = table.iloc[high], table.iloc[low]
    said = (
        f"{analysis.target} is highest in {label(names[high])} ({number(best['mean'])}) and lowest "
        f"in {label(names[low])} ({number(worst['mean'])})"
    )
    meet = best["lower"] <= worst["upper"]
    end = "; their intervals overlap, so the difference may be chance." if meet else "."
    return [said + end]


def trust(analysis: Analysis) -> str:
    """Say in one sentence whether the numbers can be used."""
    count = Counter(found.severity for found in analysis.findings)
    if count["failure"]:
        return f"Do not use these numbers: there {_are(count['failure'], 'failure')}."
    if count["warning"]:
        return (
            f"The estimation found a solution; there {_are(count['warning'], 'warning')} to read."
        )
    return "The estimation found a solution and gave no warning."


def _are(count: int, noun: str) -> str:
    return f"{'is' if count == 1 else 'are'} {plural(count, noun)}"


def checks(analysis: Analysis) -> str:
    """Say how many checks of the questionnaire and the model ask for attention."""
    verdicts = analysis.assessment.verdicts["verdict"]
    poor = int(verdicts.isin(ATTENTION).sum())
    asked = "none asks" if not poor else f"{poor} ask{'s' if poor == 1 else ''}"
    return f"Of {len(verdicts)} checks of the questionnaire and the model, {asked} for attention."


def data_used(analysis: Analysis) -> list[str]:
    """Say how many rows and answers were used, dropped and filled."""
    fit = analysis.fit
    survey = fit.survey
    rows = len(survey.data) if survey is not None else fit.n
    items = plural(len(fit.model.items), "question")
    if rows == fit.n:
        said = [f"All {plural(rows, 'row')} of the data were used, with {items}."]
    else:
        dropped = rows - fit.n
        verb = "was" if dropped == 1 else "were"
        said = [
            f"{fit.n:,} of {plural(rows, 'row')} of the data were used, with {items}; "
            f"{dropped:,} {verb} left out."
        ]
    effective = float(fit.moments.effective_n)
    if abs(effective - fit.n) > 0.5:
        said.append(
            f"Survey weights were applied; the sample is as informative as {number(effective, 0)} "
            "respondents of equal weight."
        )
    boot = analysis.bootstrap
    lost = len(boot.usable) - int(boot.usable.sum())
    told = f"{lost:,} of them were lost" if lost else "none of them was lost"
    said.append(f"Intervals rest on {len(boot.usable):,} resamples of the respondents; {told}.")
    return said


def _interval(row: pd.Series, level: float) -> str:
    if pd.isna(row["lower"]):
        return ""
    return f" ({percent(level)} interval {span(row['lower'], row['upper'], 2)})"
