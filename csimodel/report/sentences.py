"""What the numbers say, in sentences that need no statistics; shared by page and terminal."""

from __future__ import annotations

from collections import Counter
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from csimodel.assessment.verdicts import ATTENTION, NOT_JUDGED
from csimodel.bounds import THRESHOLDS
from csimodel.findings import counted, text
from csimodel.formatting import (
    amount,
    amounts,
    label,
    number,
    percent,
    share,
    span,
    told_p,
)
from csimodel.report.analysis_results import AnalysisResults
from csimodel.report.grouping import Grouping
from csimodel.report.outcome_sections import money_table
from csimodel.report.tables import target_by_group
from csimodel.survey.replicates import label_of_scheme
from csimodel.translation import gettext

if TYPE_CHECKING:
    from csimodel.index import LeadingGroup
    from csimodel.outcomes import Repurchase


_ENOUGH = THRESHOLDS["degrees of freedom for design effects"].value


def headline(analysis: AnalysisResults) -> list[str]:
    """Say where the target stands and how sure that is."""
    row = analysis.headline
    sentences = [
        text(
            "On a scale from 0 to 100, {target} stands at {mean} among {respondents}.",
            target=analysis.target,
            mean=number(row["mean"]),
            respondents=counted(analysis.fit.n, "{count:,} respondent", "{count:,} respondents"),
        ),
    ]
    if pd.notna(row["lower"]):
        sentences.append(
            text(
                "Asking others would have given a somewhat different number: the "
                "{level} interval, {interval}, holds the values that agree with "
                "these answers.",
                level=percent(analysis.level),
                interval=span(row["lower"], row["upper"]),
            )
        )
    else:
        sentences.append(
            text(
                "How sure it is cannot be told: {reason}.",
                reason=gettext(str(row["reason"])) or text("there is no error"),
            )
        )
    return sentences


def drivers(analysis: AnalysisResults) -> list[str]:
    """Say which effect on the target is largest, how sure the order is, and what is lowest."""
    table, target, doubt = analysis.importance, analysis.target, analysis.doubt
    first = table.iloc[0]
    sentences = [
        text(
            _LARGEST[(False, False) if doubt is None else doubt.kind],
            target=target,
            index=table.index[0],
            importance=number(first["importance"], 2),
            interval=_interval(first, analysis.level),
            **({} if doubt is None else doubt.fields),
        ),
    ]
    if len(table) > 1:
        second = table.iloc[1]
        sentences.append(
            text(
                "{index} comes next with {importance}. {told_apart}",
                index=table.index[1],
                importance=number(second["importance"], 2),
                told_apart=_told_apart(
                    analysis.leading_driver,
                    str(table.index[0]),
                    "driver" if doubt is None else "doubtful driver",
                ),
            )
        )
        lowest = int(table["performance"].argmin())
        row = table.iloc[lowest]
        sentences.append(
            text(
                "The driver with the lowest index is {index}, at {performance}; a "
                "point more there goes with {importance} points of {target}.",
                index=table.index[lowest],
                performance=number(row["performance"]),
                importance=number(row["importance"], 2),
                target=target,
            )
        )
    unclear = table.index[(table["lower"] <= 0) & (table["upper"] >= 0)]
    if len(unclear):
        sentences.append(
            text(
                "The effect of {unclear:20} cannot be told apart from zero with these data.",
                unclear=list(unclear),
            )
        )
    return sentences


_LARGEST = {  # by what speaks against the driver: the sign of its effect, HTMT
    (False, False): (
        "The largest estimated effect on {target} is that of {index}: under the model, one point "
        "more on its index goes with {importance} points of {target}{interval}."
    ),
    (True, False): (
        "The largest estimated effect on {target} is that of {index}, although the two correlate "
        "the other way ({correlation}), so that it is what the other drivers leave: under the "
        "model, one point more on its index goes with {importance} points of {target}{interval}."
    ),
    (False, True): (
        "The largest estimated effect on {target} is that of {index}, which HTMT cannot tell from "
        "{target} itself ({htmt}): under the model, one point more on its index goes with "
        "{importance} points of {target}{interval}."
    ),
    (True, True): (
        "The largest estimated effect on {target} is that of {index}, although the two correlate "
        "the other way ({correlation}) and HTMT cannot tell them apart ({htmt}): under the model, "
        "one point more on its index goes with {importance} points of {target}{interval}."
    ),
}


def repurchase(analysis: AnalysisResults) -> list[str]:
    """Say how the outcome was measured and what goes with a point of the index."""
    valued = analysis.repurchase
    if valued is None:
        return []
    level, index = percent(analysis.level), valued.indexes[0]
    sentences = [_measured(analysis, valued)]
    effect = valued.average_marginal_effect
    if not isfinite(effect):
        return [
            *sentences,
            text(
                "There is no finite effect of {index} on it, so nothing is given here.", index=index
            ),
        ]
    noun = _noun(valued)
    sentences.append(
        text(
            "One point more of {index} goes with {points} of {noun}, on average "
            "over the respondents ({level} interval {interval}).",
            index=index,
            points=_points(effect, 2),
            noun=noun,
            level=level,
            interval=span(100 * effect.lower, 100 * effect.upper, 2),
        )
    )
    table = valued.contrast(*analysis.contrast)
    start, end, step = (table.iloc[row] for row in range(3))
    low, high = analysis.contrast
    sentences.append(
        text(
            "At an index of {low:g} the regression expects {noun} to be "
            "{probability}, and {higher} at {high:g}: {points} ({level} "
            "interval {interval}).",
            low=low,
            noun=noun,
            probability=share(start["probability"]),
            higher=share(end["probability"]),
            high=high,
            points=_points(step["probability"], 1),
            level=level,
            interval=span(100 * step["lower"], 100 * step["upper"]),
        )
    )
    if effect.lower <= 0 <= effect.upper:
        sentences.append(text("This effect cannot be told apart from zero with these data."))
    return sentences


def slopes(analysis: AnalysisResults) -> list[str]:
    """Say what goes with a point once the measurement error of the index is taken off."""
    result = analysis.slopes
    if result is None:
        return []
    part = result.reliability[result.indexes[0]]
    sentences = [
        text(
            "Answers to a few questions measure satisfaction with error, which "
            "draws the slope of {outcome} towards zero; the reliability of the "
            "index is {value}, 1 being without error.",
            outcome=result.outcome,
            value=number(float(part.value), 2),
        )
    ]
    naive, method = result.effect("naive"), str(result.table["method"].iloc[-1])
    corrected = result.effect(method)
    if not isfinite(corrected):
        return [*sentences, text("The effect could not be corrected for it with these data.")]
    sentences.append(
        text(
            "Corrected for it, one point more of the true {index} goes with "
            "{points} ({level} interval {interval}), against {naive} as "
            "measured. Predictions at an index that is measured, such as those "
            "above, need no correction.",
            index=result.indexes[0],
            points=_points(corrected, 2),
            level=percent(analysis.level),
            interval=span(100 * corrected.lower, 100 * corrected.upper, 2),
            naive=number(100 * float(naive), 2),
        )
    )
    return sentences


def segments(analysis: AnalysisResults, grouping: Grouping) -> list[str]:
    """Say whether the curve of the outcome is the same in every group."""
    groups = grouping.segments
    if groups is None:
        return []
    effect = 100 * groups.table["effect"].dropna()
    p = float(groups.tests["p"].iloc[-1])
    if not isfinite(p) or effect.empty:
        return [
            text("Whether the curves differ between the groups cannot be tested with these data.")
        ]
    differ = p < 1 - analysis.level
    return [
        text("A joint test finds that the curves of the groups differ ({p}).", p=told_p(p))
        if differ
        else text(
            "A joint test does not show that the curves of the groups differ ({p}).", p=told_p(p)
        ),
        text(
            "One point more goes with {least} percentage points ({first}) to "
            "{most} ({last}), at the same distribution of the index; which two "
            "groups differ was not tested.",
            least=number(effect.min(), 2),
            first=label(effect.idxmin()),
            most=number(effect.max(), 2),
            last=label(effect.idxmax()),
        ),
    ]


def money(analysis: AnalysisResults) -> list[str]:
    """Say what a point of the strongest driver is worth, and what may be spent on it."""
    if not analysis.money:
        return []
    driver, profit = next(iter(analysis.money.items()))
    value, terms = profit.estimate, profit.economics
    whose = (
        text("for all customers together") if terms.customers != 1 else text("for each customer")
    )
    sentences = [] if profit.shortfall is None else [profit.shortfall.message]
    sentences += [
        text(
            "Terms given for this report, not estimated: {terms}",
            terms=profit.terms[0].lower() + profit.terms[1:],
        ),
        text(
            "One point more of {driver} is worth {value} {whose}, through "
            "{target}, repurchase and the time a customer stays, the mean of "
            "what each customer's change is worth ({level} interval {interval}).",
            driver=driver,
            value=amount(float(value), profit.currency),
            whose=whose,
            target=analysis.target,
            level=percent(analysis.level),
            interval=amounts(value.lower, value.upper),
        ),
    ]
    if profit.shortfall is None and profit.side_by_side is not None:
        ignored = float(profit.side_by_side["estimate"].loc["ignored"])
        sentences.append(
            text(
                "The measurement error of the answers is taken off; left in, the "
                "same point would be put at {ignored}.",
                ignored=amount(ignored, profit.currency),
            )
        )
    if value.lower <= 0 <= value.upper:
        return [
            *sentences,
            text("This worth cannot be told apart from zero, so no spending is shown to pay."),
        ]
    repeated = float(money_table({driver: profit})["spending_every_period"].iloc[0])
    once = amount(float(value), profit.currency)
    sentences.append(
        text(
            "Spent once, up to {value} for each point would pay for itself; if the point lasts "
            "only while the spending goes on, up to {repeated} each {period}.",
            value=once,
            repeated=amount(repeated, profit.currency),
            period=gettext(terms.period),
        )
        if isfinite(repeated)
        else text("Spent once, up to {value} for each point would pay for itself.", value=once)
    )
    return sentences


def _measured(analysis: AnalysisResults, valued: Repurchase) -> str:
    survey = analysis.fit.survey
    item = survey.items.get(valued.outcome) if survey is not None else None
    wording = analysis.outcome_wording
    told = text(" (“{wording}”)", wording=wording) if wording else ""
    if valued.cut is not None:
        scale = text("answers of {cut:g} or more count as yes", cut=valued.cut)
    elif bool(np.isin(valued.regression.sample.outcome, (0.0, 1.0)).all()):
        scale = text("1 stands for yes and 0 for no")
    elif item is not None and item.minimum is not None and item.maximum is not None:
        scale = text(
            "answers from {minimum:g} to {maximum:g} are read as 0 to 100\u00a0%",
            minimum=item.minimum,
            maximum=item.maximum,
        )
    else:
        scale = text("its answers are read as 0 to 100\u00a0%")
    return text(
        "The outcome is the column {outcome}{told}; {scale}.",
        outcome=valued.outcome,
        told=told,
        scale=scale,
    )


def _noun(valued: Repurchase) -> str:
    binary = bool(np.isin(valued.regression.sample.outcome, (0.0, 1.0)).all())
    return (
        text("the probability of {outcome}", outcome=valued.outcome)
        if binary
        else text("the mean answer to {outcome}", outcome=valued.outcome)
    )


def _points(change: float, decimals: int) -> str:
    points = number(abs(100 * change), decimals)
    if change >= 0:
        return text("{points} percentage points more", points=points)
    return text("{points} percentage points less", points=points)


def by_group(analysis: AnalysisResults, grouping: Grouping) -> list[str]:
    """Say which group stands highest and lowest of those with an error, and whether it is shown."""
    table = target_by_group(analysis, grouping)
    table = table[table["mean"].notna()]
    if len(table) < 2:
        return []
    unknown = int(table["se"].isna().sum())
    aside = [] if not unknown else [counted(unknown, _ONE_WITHOUT, _WITHOUT)]
    table = table[table["se"].notna()]
    if len(table) < 2:
        return [text(_NO_GROUPS, target=analysis.target), *aside]
    names = [label(key[:-1] if len(key) > 2 else key[0]) for key in table.index]
    high, low = int(table["mean"].argmax()), int(table["mean"].argmin())
    best, worst = number(table["mean"].iloc[high]), number(table["mean"].iloc[low])
    leading = grouping.leading
    if leading is not None and leading.distinct:
        return [
            text(
                "{target} is highest in {highest} ({best}): it differs from every "
                "other group in a test of all differences at once ({level}). The "
                "lowest estimate is that of {lowest} ({worst}).",
                target=analysis.target,
                highest=names[high],
                best=best,
                level=percent(leading.level),
                lowest=names[low],
                worst=worst,
            ),
            *aside,
        ]
    return [
        text(
            "The highest estimate of {target} is that of {highest} ({best}), the "
            "lowest that of {lowest} ({worst}). {told_apart}",
            target=analysis.target,
            highest=names[high],
            best=best,
            lowest=names[low],
            worst=worst,
            told_apart=_told_apart(leading, names[high], "group"),
        ),
        *aside,
    ]


_NO_GROUPS = (
    "Fewer than two groups have an index of {target} with an error, so none is named as the "
    "highest."
)
_ONE_WITHOUT = (
    "{count:,} group without an error (a single respondent or cluster, or answers that are all "
    "alike) is not compared."
)
_WITHOUT = (
    "{count:,} groups without an error (a single respondent or cluster, or answers that are all "
    "alike) are not compared."
)


def _told_apart(leading: LeadingGroup | None, first: str, kind: str) -> str:
    """Say whether the first differs from every other, and from how many it does."""
    untested = 0 if leading is None else len(leading.table) - len(leading.compared)
    if leading is None or not len(leading.compared) or (untested and kind != "group"):
        return text(_TOLD_APART[kind, "untested"], first=first)
    others, level = len(leading.compared), percent(leading.level)
    differ = int((leading.compared["p_adjusted"] < 1 - leading.level).sum())
    if leading.distinct:
        return text(_TOLD_APART[kind, "all"], first=first, level=level)
    if others == 1:
        return text(
            "The difference is not shown to be more than chance in a test of all differences at "
            "once ({level}).",
            level=level,
        )
    if not differ:
        return text(_TOLD_APART[kind, "none"], first=first, level=level)
    sentence = _TOLD_APART[kind, "some"]
    return text(sentence, first=first, differ=differ, others=others, level=level)


_TOLD_APART = {
    ("driver", "untested"): (
        "Whether {first} differs from every other driver cannot be tested with these data."
    ),
    ("driver", "all"): (
        "{first} differs from every other driver in a test of all differences at once ({level})."
    ),
    ("driver", "none"): (
        "{first} is not shown to differ from any other driver in a test of all differences at "
        "once ({level})."
    ),
    ("driver", "some"): (
        "{first} differs from {differ} of {others} other drivers in a test of all differences at "
        "once ({level}); that it is the highest is not shown."
    ),
    ("doubtful driver", "untested"): (
        "Whether {first} differs from every other driver cannot be tested with these data."
    ),
    ("doubtful driver", "all"): (
        "That {first} differs from every other driver in a test of all differences at once "
        "({level}) does not lift this reservation."
    ),
    ("doubtful driver", "none"): (
        "{first} is not shown to differ from any other driver in a test of all differences at "
        "once ({level})."
    ),
    ("doubtful driver", "some"): (
        "{first} differs from {differ} of {others} other drivers in a test of all differences at "
        "once ({level}); that it is the highest is not shown."
    ),
    ("group", "untested"): (
        "Whether {first} differs from every other group cannot be tested with these data."
    ),
    ("group", "all"): (
        "{first} differs from every other group in a test of all differences at once ({level})."
    ),
    ("group", "none"): (
        "{first} is not shown to differ from any other group in a test of all differences at "
        "once ({level})."
    ),
    ("group", "some"): (
        "{first} differs from {differ} of {others} other groups in a test of all differences at "
        "once ({level}); that it is the highest is not shown."
    ),
}


def trust(analysis: AnalysisResults) -> str:
    """Say in one sentence whether the numbers can be used."""
    count = Counter(finding.severity for finding in analysis.findings)
    if count["failure"]:
        return counted(
            count["failure"],
            "Do not use these numbers: there is {count:,} failure.",
            "Do not use these numbers: there are {count:,} failures.",
        )
    if count["warning"]:
        return counted(
            count["warning"],
            "The estimation found a solution; there is {count:,} warning to read.",
            "The estimation found a solution; there are {count:,} warnings to read.",
        )
    return text("The estimation found a solution and gave no warning.")


def checks(analysis: AnalysisResults) -> str:
    """Say how many checks of the questionnaire and the model ask for attention."""
    verdicts = [verdict.verdict for verdict in analysis.assessment.judgements]
    judged = [verdict for verdict in verdicts if verdict != NOT_JUDGED]
    poor = sum(verdict in ATTENTION for verdict in judged)
    if not poor:
        return text(
            "Of {checks} checks of the questionnaire and the model, none asks for attention.",
            checks=len(judged),
        )
    return counted(
        poor,
        "Of {checks} checks of the questionnaire and the model, {count} asks for attention.",
        "Of {checks} checks of the questionnaire and the model, {count} ask for attention.",
        checks=len(judged),
    )


def unjudged(analysis: AnalysisResults) -> str:
    """Say how many checks could not be made; nothing where all could."""
    count = sum(own.verdict == NOT_JUDGED for own in analysis.assessment.judgements)
    if not count:
        return ""
    return counted(
        count,
        "{count:,} further check could not be judged with these data.",
        "{count:,} further checks could not be judged with these data.",
    )


def data_used(analysis: AnalysisResults) -> list[str]:
    """Say how many rows and answers were used, dropped and filled."""
    fit = analysis.fit
    survey = fit.survey
    rows = len(survey.data) if survey is not None else fit.n
    items = counted(len(fit.model.items), "{count:,} question", "{count:,} questions")
    told = counted(rows, "{count:,} row", "{count:,} rows")
    if rows == fit.n:
        sentences = [
            text("All {rows} of the data were used, with {items}.", rows=told, items=items)
        ]
    else:
        sentences = [
            counted(
                rows - fit.n,
                "{used:,} of {rows} of the data were used, with {items}; {count:,} was left out.",
                "{used:,} of {rows} of the data were used, with {items}; {count:,} were left out.",
                used=fit.n,
                rows=told,
                items=items,
            )
        ]
    sentences.extend(_design(analysis))
    return [*sentences, resamples(analysis)]


def resamples(analysis: AnalysisResults) -> str:
    """Say what intervals rest on."""
    boot = analysis.bootstrap
    lost = len(boot.usable) - int(boot.usable.sum())
    values: dict[str, object] = {"draws": len(boot.usable), "lost": lost}
    if boot.replication is not None:
        values["method"] = label_of_scheme(boot.replication.method)
        return text(_RESTS_ON["replicates", bool(lost)], **values)
    kind = "clusters" if boot.design.kind == "cluster" else "respondents"
    return text(_RESTS_ON[kind, bool(lost)], **values)


_RESTS_ON = {
    ("replicates", True): (
        "Intervals rest on {draws:,} sets of replicate weights ({method}); {lost:,} of them gave "
        "no result."
    ),
    ("replicates", False): (
        "Intervals rest on {draws:,} sets of replicate weights ({method}); each gave a result."
    ),
    ("clusters", True): (
        "Intervals rest on {draws:,} resamples of the clusters; {lost:,} of them {lost:was|were} "
        "lost."
    ),
    ("clusters", False): (
        "Intervals rest on {draws:,} resamples of the clusters; none of them was lost."
    ),
    ("respondents", True): (
        "Intervals rest on {draws:,} resamples of the respondents; {lost:,} of them "
        "{lost:was|were} lost."
    ),
    ("respondents", False): (
        "Intervals rest on {draws:,} resamples of the respondents; none of them was lost."
    ),
}


def _design(analysis: AnalysisResults) -> list[str]:
    """Say how much weights, strata and clusters leave the index to be sure of."""
    fit, survey = analysis.fit, analysis.fit.survey
    if survey is None:
        return []
    used = {
        text("weights"): survey.weights,
        text("strata"): survey.strata,
        text("clusters"): survey.cluster,
        text("finite population"): survey.population,
    }
    parts = [name for name, column in used.items() if column is not None]
    effect, equal = analysis.design_effect
    if not parts or effect == 0.0:
        return []
    enough = fit.require_answers("A report").design.df >= _ENOUGH
    if isfinite(effect) and enough:
        return [
            text(
                "With its {parts} this survey says as much about the index of "
                "{target} as {equal} respondents drawn one by one with equal weights "
                "would (design effect {effect}).",
                parts=list(parts),
                target=analysis.target,
                equal=number(equal, 0),
                effect=number(effect, 2),
            )
        ]
    sentences = [
        text(
            "How much the {parts} of this survey take from what its respondents "
            "say about the index of {target} cannot be told from so few units.",
            parts=list(parts),
            target=analysis.target,
        )
    ]
    kish = float(fit.moments.effective_n)
    if survey.weights is not None and abs(kish - fit.n) > 0.5:
        sentences.append(
            text(
                "By their unequal weights alone they count as {kish} of equal weight.",
                kish=number(kish, 0),
            )
        )
    return sentences


def _interval(row: pd.Series, level: float) -> str:
    if pd.isna(row["lower"]):
        return ""
    return text(
        " ({level} interval {interval})",
        level=percent(level),
        interval=span(row["lower"], row["upper"], 2),
    )
