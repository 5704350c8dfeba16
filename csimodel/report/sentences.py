"""What the numbers say, in sentences that need no statistics; shared by page and terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from csimodel.findings import listed
from csimodel.report.words import number, percent, plural, span

if TYPE_CHECKING:
    from csimodel.report.analysis import Analysis


def headline(analysis: Analysis) -> list[str]:
    """Say where the target stands and how sure that is."""
    row = analysis.index.loc[analysis.target]
    said = [
        f"On a scale from 0 to 100, {analysis.target} stands at {number(row['mean'])} among "
        f"{plural(analysis.fit.n, 'respondent')}.",
    ]
    if pd.notna(row["lower"]):
        said.append(
            "Other respondents would have given a somewhat different number: values from "
            f"{span(row['lower'], row['upper'])} agree with these answers "
            f"({percent(analysis.level)} interval)."
        )
    return said


def drivers(analysis: Analysis) -> list[str]:
    """Say what moves the target most, how sure the order is, and what is lowest."""
    table, target = analysis.importance, analysis.target
    first = table.iloc[0]
    said = [
        f"{table.index[0]} moves {target} most: one point more on its index goes with "
        f"{_effect(first, analysis.level)} points of {target}.",
    ]
    if len(table) > 1:
        second = table.iloc[1]
        between = f"{table.index[1]} comes next with {number(second['importance'], 2)}"
        if first["lower"] <= second["upper"]:
            between += "; the two intervals overlap, so which of them is first is not certain"
        said.append(between + ".")
        lowest = table["performance"].idxmin()
        said.append(
            f"The driver with the lowest index is {lowest}, at "
            f"{number(table.loc[lowest, 'performance'])}; a point more there goes with "
            f"{number(table.loc[lowest, 'importance'], 2)} points of {target}."
        )
    unclear = table.index[(table["lower"] <= 0) & (table["upper"] >= 0)]
    if len(unclear):
        said.append(
            f"The effect of {listed(unclear, 20)} cannot be told apart from zero with these data."
        )
    return said


def by_group(analysis: Analysis, table: pd.DataFrame) -> list[str]:
    """Say which group stands highest and lowest, and whether their intervals meet."""
    from csimodel.report.words import label

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
    count = {
        severity: sum(found.severity == severity for found in analysis.findings)
        for severity in ("failure", "warning")
    }
    if count["failure"]:
        return f"Do not use these numbers: {plural(count['failure'], 'failure')}."
    if count["warning"]:
        return f"{plural(count['warning'], 'warning')} to read before use."
    return "The estimation found a solution and nothing speaks against using it."


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


def _effect(row: pd.Series, level: float) -> str:
    told = number(row["importance"], 2)
    if pd.notna(row["lower"]):
        told += f" ({percent(level)} interval {span(row['lower'], row['upper'], 2)})"
    return told
