"""The sample of a report: how it was drawn and weighted, who answered, and what was missing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from csimodel.assessment import MissingPolicies
from csimodel.findings import listed
from csimodel.formatting import number, plural, share, span
from csimodel.grid import Grid, grid
from csimodel.measures.description import Description
from csimodel.page import Section
from csimodel.report.analysis_results import AnalysisResults
from csimodel.report.sentences import data_used
from csimodel.report.tables import margins_table
from csimodel.survey import Survey
from csimodel.survey.sampling import SurveyDesign

_SHOWN = 10  # questions with missing answers that a table names
_MET = 1e-6  # relative gap to a known size that is rounding
_RATES = {
    "RR1": "answered wholly, of all who may have been customers",
    "RR3": "answered wholly, of those taken as customers",
    "COOP3": "answered wholly, of those who were reached and could answer",
    "REF1": "refused, of all who may have been customers",
}
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
    yield Section("Rows used", notes=tuple(data_used(analysis)))
    design = analysis.fit.require_answers("A report").design
    yield Section("How it was drawn", notes=tuple(_drawn(survey, design)))
    if analysis.weighting is not None:
        yield Section(
            "How answers are weighted", _margins_grid(analysis), tuple(_weighted(analysis, survey))
        )
    yield Section("Asked and answered", _rates_grid(analysis), tuple(_asked(analysis)))
    if analysis.description is not None:
        yield Section("How carefully it was answered", _quality_grid(analysis.description),
                      tuple(_quality(analysis, analysis.description)))  # fmt: skip
    missing = analysis.missing
    if not missing.empty and missing["missing"].any():
        yield Section(
            "What was not answered", _missing_grid(missing), tuple(_missing(analysis, survey))
        )
    if analysis.policies is not None and not analysis.policies.table.empty:
        notes = tuple(_compared(analysis.policies, analysis.target))
        table = _policies_grid(analysis.policies, analysis.target)
        yield Section("What other treatments of missing answers give", table, notes)


def _quality_grid(description: Description) -> Grid:
    """Return what answers to each item look like, with a small picture of them."""
    rows = [
        [str(name), f"{int(row['n']):,}", f"{int(row['missing']):,}", number(row["mean"], 2),
         number(row["sd"], 2), share(row["floor"]), share(row["ceiling"]), str(picture)]
        for (name, row), picture in zip(
            description.items.iterrows(), description.pictures, strict=True
        )
    ]  # fmt: skip
    head = ["", "Answers", "Missing", "Mean", "SD", "Lowest answer", "Highest answer", "Lowest to "
            "highest"]  # fmt: skip
    return grid("Answers to each question", head, rows, (0, 7))


def _quality(analysis: AnalysisResults, description: Description) -> Iterator[str]:
    """Say what was looked for, and what was noticed."""
    if "duration" in description.respondents:
        yield (
            "It was looked at whether respondents gave one answer to all questions, took less than "
            "a third of the median time, or have exactly the answers of another."
        )
    else:
        yield (
            "It was looked at whether respondents gave one answer to all questions, or have "
            "exactly the answers of another; how long they took is not named in the data."
        )
    for finding in analysis.quality:
        yield finding.message
    if not analysis.quality:
        yield "Nothing of it was noticed."


def _drawn(survey: Survey, design: SurveyDesign) -> Iterator[str]:
    """Say what units were drawn, in which strata, from how large a population."""
    unit, strata, cluster = design.kind, survey.strata, survey.cluster
    sizes = _range(design.sizes)
    rows = _range(np.bincount(design.unit))
    if strata is None and cluster is None:
        if survey.replicate_weights:
            yield (
                "The strata and clusters of the sample are not named in the data; they are in the "
                "replicate weights, from which errors are learnt."
            )
        else:
            yield (
                "Nothing in the data says how respondents were drawn, so errors take them as drawn "
                "one by one from a large population."
            )
    elif cluster is None:
        yield (
            f"Respondents were drawn apart in each of {design.strata:,} strata (column {strata}), "
            f"{sizes} in each."
        )
    elif strata is None:
        yield (
            f"Not respondents one by one but {design.units:,} clusters were drawn (column "
            f"{cluster}), with {rows} respondents in each; answers of one cluster may be alike, "
            "and errors allow for it."
        )
    else:
        yield (
            f"{design.units:,} clusters of respondents were drawn (column {cluster}), apart in "
            f"each of {design.strata:,} strata (column {strata}): {sizes} clusters in each "
            f"stratum, and {rows} respondents in each cluster. Answers of one cluster may be "
            "alike, and errors allow for it."
        )
    alone = int(design.lonely_units.sum())
    if alone and design.lonely in _LONELY:
        verb = "stratum holds" if alone == 1 else "strata hold"
        yield (
            f"{alone:,} {verb} a single {unit}, which shows no spread of its own: "
            f"{_LONELY[design.lonely]}."
        )
    if survey.subcluster is not None:
        yield f"Within each cluster a part was drawn (column {survey.subcluster})."
    if design.population is not None:
        whole = float(design.population.sum())
        yield (
            f"They are {design.units:,} of the {whole:,.0f} {unit}s in the population "
            f"({share(design.units / whole)}); errors are about this population, not about "
            "customers to come."
        )


def _range(counts: np.ndarray) -> str:
    low, high = int(counts.min()), int(counts.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _weighted(analysis: AnalysisResults, survey: Survey) -> Iterator[str]:
    """Say how unequal weights are, what that costs, and what they were brought to."""
    report = analysis.weighting
    assert report is not None
    row = report.table.iloc[0]
    yield (
        f"Respondents count by the column {report.name}: the highest weight is "
        f"{number(row['ratio'])} times the lowest, and the respondent who counts most has "
        f"{share(row['share_of_largest'], 2)} of all weight. By their weights alone "
        f"{plural(int(row['n']), 'respondent')} say as much as "
        f"{number(row['effective_n'], 0)} of equal weight (Kish's effective sample size)."
    )
    calibration = survey.calibration
    if calibration is None or not calibration.names:
        return
    table = margins_table(analysis)
    gap = (table["after"] - table["population"]).abs()
    missed = int((gap > _MET * table["population"].abs()).sum())
    yield (
        "The weights were brought to what is known of the population, and the sample agrees with "
        f"it in all {len(table)} numbers of the table."
        if not missed
        else "The weights were brought to what is known of the population; in "
        f"{missed} of {len(table)} numbers of the table the sample does not agree with it."
    )


def _margins_grid(analysis: AnalysisResults) -> Grid | None:
    table = margins_table(analysis)
    if table.empty:
        return None
    rows = []
    for name, row in table.iterrows():
        write = share if " = " in str(name) else number
        rows.append((str(name), *(write(float(value)) for value in row)))
    head = ("Group", "Population", "Sample before", "Sample after")
    return grid("Shares of the population and of the sample", head, rows)


def _asked(analysis: AnalysisResults) -> Iterator[str]:
    """Say how many were asked and answered."""
    response = analysis.response
    if response is None:
        yield (
            "How many were asked is not known here, so there is no response rate; customers who "
            "did not answer may think otherwise."
        )
        return
    rate, e = response.table["rate"], response.eligible
    yield (
        f"{share(rate['RR1'])} of the cases that may have been customers answered wholly (response "
        "rate RR1)."
    )
    if rate["RR3"] != rate["RR1"]:
        yield (
            f"With {share(e)} of the cases of unknown standing taken as customers the rate is "
            f"{share(rate['RR3'])} (RR3)."
        )
    yield (
        "Customers who did not answer may think otherwise; a low rate alone does not show that "
        "they do."
    )


def _rates_grid(analysis: AnalysisResults) -> Grid | None:
    response = analysis.response
    if response is None:
        return None
    table = response.table
    return grid(
        "Outcome rates by the Standard Definitions of the AAPOR",
        ("Rate", "", "Cases", "What it is"),
        (
            (name, share(float(table["rate"][name])), str(table["counts"][name]), meaning)
            for name, meaning in _RATES.items()
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
        f"{plural(cells, 'answer')} of {asked:,} ({share(cells / asked)}) are not there, in "
        f"{questions} of {plural(len(table), 'question')}."
    )
    coded, unasked = int(table["coded"].sum()), int(table["not_asked"].sum())
    reasons = [
        f"{coded:,} with a code for no answer, such as “don't know”" if coded else "",
        f"{unasked:,} of customers who were not asked" if unasked else "",
        f"{cells - coded - unasked:,} left empty" if cells > coded + unasked else "",
    ]
    yield f"They are: {listed([text for text in reasons if text])}."
    yield _POLICIES.get(str(survey.missing), _POLICIES["construct-minimum"])


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
    reasons = {"coded": "Code", "not_asked": "Not asked", "empty": "Empty"}
    used = [name for name in reasons if worst[name].any()]
    more = len(worst) - _SHOWN
    rest = f" ({more} more have fewer)" if more > 0 else ""
    return grid(
        f"Missing answers by question{rest}",
        ("Question", "Missing", "Share", *(reasons[name] for name in used)),
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
            f"Between {len(own)} treatments the index of {target} goes from {number(low)} to "
            f"{number(high)}; its standard error is {number(own['se'].max(), 2)} at most. Listwise "
            "deletion and pairwise moments are right where answers are missing by chance alone "
            "(means put in place then keep the index and draw paths towards zero); EM, full "
            "information and imputation also where it depends on what else was answered. None is "
            "right where it depends on the missing answer itself, which no data show."
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
        rows.append((_TREATMENTS[str(policy)], f"{used:,}", *cells, *own))
    sources = [name.removeprefix(f"{target} <- ") for name in tables]
    caption = f"{target} under each treatment: index, and paths to it with their standard errors"
    return grid(caption, ("", "Respondents", "Index", "Interval", *sources), rows)


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
