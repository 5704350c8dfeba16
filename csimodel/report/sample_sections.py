"""The sample of a report: how it was drawn and weighted, who answered, and what was missing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from csimodel.assessment import MissingPolicies
from csimodel.findings import counted, text
from csimodel.formatting import number, share, span
from csimodel.grid import Grid, grid
from csimodel.measures.description import Description
from csimodel.page import Section
from csimodel.report.analysis_results import AnalysisResults
from csimodel.report.sentences import data_used
from csimodel.report.tables import margins_table
from csimodel.survey import Survey
from csimodel.survey.sampling import SurveyDesign
from csimodel.translation import shown_message

_SHOWN = 10  # questions with missing answers that a table names
_MET = 1e-6  # relative gap to a known size that is rounding
_RATES = {
    "RR1": "answered wholly, of all who may have been customers",
    "RR3": "answered wholly, of those taken as customers",
    "COOP3": "answered wholly, of those who were reached and could answer",
    "REF1": "refused, of all who may have been customers",
    "CON1": "were reached, of all who may have been customers",
}
_UNITS = {"respondent": "respondent", "cluster": "cluster"}
_SEVERAL = {"respondent": "respondents", "cluster": "clusters"}
_LONELY = {
    "adjust": "its distance from the mean of all is taken for that, which is cautious",
    "average": "the mean of the other strata is taken for it",
    "certainty": "it is taken as certain to be drawn, and adds nothing to errors",
    "remove": "it is left out of the errors, which may be too small",
}


def sample_sections(analysis: AnalysisResults) -> tuple[Section, ...]:
    """Return the parts that say what the sample is: sentences for a manager, and their tables."""
    return tuple(_sections(analysis))


def _sections(analysis: AnalysisResults) -> Iterator[Section]:
    survey = analysis.fit.survey
    if survey is None:
        return
    yield Section(text("Rows used"), notes=tuple(data_used(analysis)))
    design = analysis.fit.require_answers("A report").design
    yield Section(text("How it was drawn"), notes=tuple(_drawn(survey, design)))
    if analysis.weighting is not None:
        yield Section(
            text("How answers are weighted"),
            _margins_grid(analysis),
            tuple(_weighted(analysis, survey)),
        )
    yield Section(text("Asked and answered"), _rates_grid(analysis), tuple(_asked(analysis)))
    if analysis.description is not None:
        yield Section(text("How carefully it was answered"), _quality_grid(analysis.description),
                      tuple(_quality(analysis, analysis.description)))  # fmt: skip
    missing = analysis.missing
    if not missing.empty and missing["missing"].any():
        yield Section(
            text("What was not answered"), _missing_grid(missing), tuple(_missing(analysis, survey))
        )
    if analysis.policies is not None and not analysis.policies.table.empty:
        notes = tuple(_compared(analysis.policies, analysis.target))
        table = _policies_grid(analysis.policies, analysis.target)
        yield Section(text("What other treatments of missing answers give"), table, notes)


def _quality_grid(description: Description) -> Grid:
    """Return what answers to each item look like, with a small picture of them."""
    rows = [
        [str(name), f"{int(row['n']):,}", f"{int(row['missing']):,}", number(row["mean"], 2),
         number(row["sd"], 2), share(row["floor"]), share(row["ceiling"]), str(picture)]
        for (name, row), picture in zip(
            description.items.iterrows(), description.pictures, strict=True
        )
    ]  # fmt: skip
    head = ["", text("Answers"), text("Missing"), text("Mean"), text("SD"), text("Lowest answer"),
            text("Highest answer"), text("Lowest to highest")]  # fmt: skip
    return grid(text("Answers to each question"), head, rows, (0, 7))


def _quality(analysis: AnalysisResults, description: Description) -> Iterator[str]:
    """Say what was looked for, and what was noticed."""
    if "duration" in description.respondents:
        yield (
            text(
                "It was looked at whether respondents gave one answer to all "
                "questions, took less than a third of the median time, or have "
                "exactly the answers of another."
            )
        )
    else:
        yield (
            text(
                "It was looked at whether respondents gave one answer to all "
                "questions, or have exactly the answers of another; how long they "
                "took is not named in the data."
            )
        )
    for finding in analysis.quality:
        yield finding.message
    if not analysis.quality:
        yield text("Nothing of it was noticed.")


def _drawn(survey: Survey, design: SurveyDesign) -> Iterator[str]:
    """Say what units were drawn, in which strata, from how large a population."""
    unit, strata, cluster = design.kind, survey.strata, survey.cluster
    sizes = _range(design.sizes)
    rows = _range(np.bincount(design.unit))
    if strata is None and cluster is None:
        if survey.replicate_weights:
            yield (
                text(
                    "The strata and clusters of the sample are not named in the data; "
                    "they are in the replicate weights, from which errors are learnt."
                )
            )
        else:
            yield (
                text(
                    "Nothing in the data says how respondents were drawn, so errors take "
                    "them as drawn one by one from a large population."
                )
            )
    elif cluster is None:
        yield (
            text(
                "Respondents were drawn apart in each of {strata:,} strata (column "
                "{column}), {sizes} in each.",
                strata=design.strata,
                column=strata,
                sizes=sizes,
            )
        )
    elif strata is None:
        yield (
            text(
                "Not respondents one by one but {units:,} clusters were drawn "
                "(column {cluster}), with {rows} respondents in each; answers of one "
                "cluster may be alike, and errors allow for it.",
                units=design.units,
                cluster=cluster,
                rows=rows,
            )
        )
    else:
        yield (
            text(
                "{units:,} clusters of respondents were drawn (column {cluster}), "
                "apart in each of {strata:,} strata (column {column}): {sizes} "
                "clusters in each stratum, and {rows} respondents in each cluster. "
                "Answers of one cluster may be alike, and errors allow for it.",
                units=design.units,
                cluster=cluster,
                strata=design.strata,
                column=strata,
                sizes=sizes,
                rows=rows,
            )
        )
    alone = int(design.lonely_units.sum())
    if alone and design.lonely in _LONELY:
        yield counted(
            alone,
            "{count:,} stratum holds a single {unit}, which shows no spread of its own: {rule}.",
            "{count:,} strata hold a single {unit}, which shows no spread of its own: {rule}.",
            unit=text(_UNITS[unit]),
            rule=text(_LONELY[design.lonely]),
        )
    if survey.subcluster is not None:
        yield text(
            "Within each cluster a part was drawn (column {subcluster}).",
            subcluster=survey.subcluster,
        )
    if design.population is not None:
        whole = float(design.population.sum())
        yield (
            text(
                "They are {units:,} of the {whole:,.0f} {kind} in the population "
                "({share}); errors are about this population, not about customers "
                "to come.",
                units=design.units,
                whole=whole,
                kind=text(_SEVERAL[unit]),
                share=share(design.units / whole),
            )
        )


def _range(counts: np.ndarray) -> str:
    low, high = int(counts.min()), int(counts.max())
    return f"{low:,}" if low == high else text("{low:,} to {high:,}", low=low, high=high)


def _weighted(analysis: AnalysisResults, survey: Survey) -> Iterator[str]:
    """Say how unequal weights are, what that costs, and what they were brought to."""
    report = analysis.weighting
    assert report is not None
    row = report.table.iloc[0]
    yield (
        text(
            "Respondents count by the column {name}: the highest weight is "
            "{ratio} times the lowest, and the respondent who counts most has "
            "{share_of_largest} of all weight. By their weights alone "
            "{respondents} say as much as {effective_n} of equal weight (Kish's "
            "effective sample size).",
            name=report.name,
            ratio=number(row["ratio"]),
            share_of_largest=share(row["share_of_largest"], 2),
            respondents=counted(int(row["n"]), "{count:,} respondent", "{count:,} respondents"),
            effective_n=number(row["effective_n"], 0),
        )
    )
    calibration = survey.calibration
    if calibration is None or not calibration.names:
        return
    table = margins_table(analysis)
    gap = (table["after"] - table["population"]).abs()
    missed = int((gap > _MET * table["population"].abs()).sum())
    yield (
        text(
            "The weights were brought to what is known of the population, and "
            "the sample agrees with it in all {table} numbers of the table.",
            table=len(table),
        )
        if not missed
        else text(
            "The weights were brought to what is known of the population; in "
            "{missed} of {table} numbers of the table the sample does not agree "
            "with it.",
            missed=missed,
            table=len(table),
        )
    )


def _margins_grid(analysis: AnalysisResults) -> Grid | None:
    table = margins_table(analysis)
    if table.empty:
        return None
    rows = []
    for name, row in table.iterrows():
        write = share if " = " in str(name) else number
        rows.append((str(name), *(write(float(value)) for value in row)))
    head = (text("Group"), text("Population"), text("Sample before"), text("Sample after"))
    return grid(text("Shares of the population and of the sample"), head, rows)


def _asked(analysis: AnalysisResults) -> Iterator[str]:
    """Say how many were asked and answered."""
    response = analysis.response
    if response is None:
        yield (
            text(
                "How many were asked is not known here, so there is no response "
                "rate; customers who did not answer may think otherwise."
            )
        )
        return
    rate, e = response.table["rate"], response.eligible
    yield (
        text(
            "{rr1} of the cases that may have been customers answered wholly (response rate RR1).",
            rr1=share(rate["RR1"]),
        )
    )
    if rate["RR3"] != rate["RR1"]:
        yield (
            text(
                "With {e} of the cases of unknown standing taken as customers the "
                "rate is {rr3} (RR3).",
                e=share(e),
                rr3=share(rate["RR3"]),
            )
        )
    yield (
        text(
            "Customers who did not answer may think otherwise; a low rate alone "
            "does not show that they do."
        )
    )


def _rates_grid(analysis: AnalysisResults) -> Grid | None:
    response = analysis.response
    if response is None:
        return None
    table = response.table
    return grid(
        text("Outcome rates by the Standard Definitions of the AAPOR"),
        (text("Rate"), "", text("Cases"), text("What it is")),
        (
            (
                name,
                share(float(table["rate"][name])),
                shown_message(table["counts"][name]),
                text(_RATES[name]),
            )
            for name in _RATES
            if np.isfinite(table["rate"][name])
        ),
        words={0, 2, 3},
    )


def _missing(analysis: AnalysisResults, survey: Survey) -> Iterator[str]:
    """Say how many answers are missing, in how many rows, and what was done."""
    table = analysis.missing
    cells, asked = int(table["missing"].sum()), int(table["rows"].sum())
    questions = int((table["missing"] > 0).sum())
    yield (
        text(
            "{answers} of {asked:,} ({share}) are not there, in {some} of {questions}.",
            answers=counted(cells, "{count:,} answer", "{count:,} answers"),
            asked=asked,
            share=share(cells / asked),
            some=questions,
            questions=counted(len(table), "{count:,} question", "{count:,} questions"),
        )
    )
    coded, unasked = int(table["coded"].sum()), int(table["not_asked"].sum())
    reasons = [
        text("{coded:,} with a code for no answer, such as “don't know”", coded=coded)
        if coded
        else "",
        text("{unasked:,} of customers who were not asked", unasked=unasked) if unasked else "",
        text("{unasked:,} left empty", unasked=cells - coded - unasked)
        if cells > coded + unasked
        else "",
    ]
    yield text("They are: {reasons}.", reasons=[told for told in reasons if told])
    policy = str(survey.missing)
    yield text(_POLICIES[policy if policy in _POLICIES else "construct-minimum"])


_POLICIES = {
    "error": "Nothing was done about them, as none belongs to a customer who was used.",
    "listwise": "Customers with a missing answer were left out, which is right if they do not "
    "differ from the others.",
    "pairwise": "Each number rests on the customers who answered what it needs, which is right if "
    "answers are missing by chance.",
    "mean": "A missing answer counts as the question's mean, which draws effects towards zero.",
    "construct-minimum": "Customers with too few answers were left out, and their other missing "
    "answers count as the customer's mean of the same construct.",
}


def _missing_grid(table: pd.DataFrame) -> Grid:
    worst = table[table["missing"] > 0].sort_values("missing", ascending=False, kind="stable")
    reasons = {"coded": text("Code"), "not_asked": text("Not asked"), "empty": text("Empty")}
    used = [name for name in reasons if worst[name].any()]
    more = len(worst) - _SHOWN
    rest = text(" ({more} more have fewer)", more=more) if more > 0 else ""
    return grid(
        text("Missing answers by question{rest}", rest=rest),
        (text("Question"), text("Missing"), text("Share"), *(reasons[name] for name in used)),
        (
            (
                str(item),
                f"{int(row['missing']):,}",
                share(row["missing"] / row["rows"]),
                *(f"{int(row[name]):,}" for name in used),
            )
            for item, row in worst.head(_SHOWN).iterrows()
        ),
    )


def _compared(policies: MissingPolicies, target: str) -> Iterator[str]:
    """Say how far the target's index and paths move between treatments, and which gave none."""
    own = _of(policies, "index", target)
    if len(own) > 1:
        low, high = own["estimate"].min(), own["estimate"].max()
        yield (
            text(
                "Between {own} treatments the index of {target} goes from {low} to "
                "{high}; its standard error is {most} at most. Listwise deletion and "
                "pairwise moments are right where answers are missing by chance "
                "alone (means put in place then keep the index and draw paths "
                "towards zero); EM, full information and imputation also where it "
                "depends on what else was answered. None is right where it depends "
                "on the missing answer itself, which no data show.",
                own=len(own),
                target=target,
                low=number(low),
                high=number(high),
                most=number(own["se"].max(), 2),
            )
        )
    for finding in policies.findings:
        if finding.code.startswith("policy-without"):
            yield finding.message


def _policies_grid(policies: MissingPolicies, target: str) -> Grid:
    """Show the target's index and the paths that reach it under each treatment."""
    paths = [
        str(name)
        for name in dict.fromkeys(policies.table.index.get_level_values("name"))
        if str(name).startswith(f"{target} <- ")
    ]
    index = _of(policies, "index", target)
    tables = {name: _of(policies, "paths", name) for name in paths[:_PATHS]}
    rows = []
    for policy in dict.fromkeys(policies.table.index.get_level_values("policy")):
        used = int(policies.table["n"].xs(policy, level="policy").iloc[0])
        level = index.loc[policy] if policy in index.index else None
        cells = ["–", "–"]
        if level is not None:
            cells = [number(level["estimate"]), span(level["lower"], level["upper"])]
        own = [
            f"{number(part.loc[policy, 'estimate'], 2)} ({number(part.loc[policy, 'se'], 3)})"
            if policy in part.index
            else "–"
            for part in tables.values()
        ]
        rows.append((text(_TREATMENTS[str(policy)]), f"{used:,}", *cells, *own))
    sources = [name.removeprefix(f"{target} <- ") for name in tables]
    caption = text(
        "{target} under each treatment: index, and paths to it with their standard errors",
        target=target,
    )
    return grid(caption, ("", text("Respondents"), text("Index"), text("Interval"), *sources), rows)


def _of(policies: MissingPolicies, quantity: str, name: str) -> pd.DataFrame:
    """Return one entry under each policy."""
    keys = policies.table.index
    own = (keys.get_level_values("quantity") == quantity) & (keys.get_level_values("name") == name)
    return policies.table[own].droplevel(["quantity", "name"])


_PATHS = 4  # paths that a table shows beside the index
_TREATMENTS = {
    "listwise": "Left out (listwise)",
    "pairwise": "Pair by pair",
    "mean": "Question's mean",
    "construct-minimum": "Respondent's mean",
    "em": "EM moments",
    "fiml": "Full information",
    "imputation": "Multiple imputation",
    "two-way": "Two-way imputation",
}
