"""Tables as a page shows them: few columns, numbers already written out."""

from __future__ import annotations

from csimodel.assessment.verdicts import Verdict
from csimodel.findings import text
from csimodel.formatting import amounts, label, number, p_value, percent, share, span
from csimodel.grid import Grid, grid
from csimodel.report.analysis_results import AnalysisResults
from csimodel.report.grouping import Grouping
from csimodel.report.outcome_sections import money_table
from csimodel.report.tables import effect_sizes, items, pair, target_by_group
from csimodel.translation import gettext, shown_message

_CHECKS = {
    "alpha": "Alpha",
    "rho_a": "ρA",
    "rho_c": "ρC",
    "ave": "AVE",
    "reliability": "Reliability",
    "loading": "Loading",
    "htmt": "HTMT",
    "htmt interval": "HTMT interval",
    "fornell_larcker": "Fornell–Larcker",
    "item_vif": "VIF of a question",
    "antecedent_vif": "VIF of a source",
    "f2": "f²",
    "r2": "R²",
    "srmr": "SRMR",
}


def index_grid(analysis: AnalysisResults) -> Grid:
    """Show the index of every construct."""
    blocks = analysis.fit.model.blocks
    return grid(
        text("Index of each part of the model, 0 to 100"),
        ("", text("Index"), _interval(analysis), text("Questions")),
        (
            (
                str(name),
                number(row["mean"]),
                span(row["lower"], row["upper"]),
                str(len(blocks[str(name)])),
            )
            for name, row in analysis.index.iterrows()
        ),
    )


def groups_grid(analysis: AnalysisResults, grouping: Grouping) -> Grid:
    """Show the target's index in every group."""
    return grid(
        text(
            "{target} by {columns}, 0 to 100",
            target=analysis.target,
            columns=analysis.title_of_groups(grouping),
        ),
        (text("Group"), text("Index"), _interval(analysis), text("Respondents")),
        (
            (
                label(tuple(key)[:-1] if isinstance(key, tuple) else key),
                number(row["mean"]),
                span(row["lower"], row["upper"]),
                f"{int(row['n']):,}",
            )
            for key, row in target_by_group(analysis, grouping).iterrows()
        ),
    )


def drivers_grid(analysis: AnalysisResults) -> Grid:
    """Show the effects on the target, largest first."""
    return grid(
        text(
            "Points of {target} that go with one point more on a driver's index",
            target=analysis.target,
        ),
        (
            text("Driver"),
            text("Points of {target}", target=analysis.target),
            _interval(analysis),
            text("Index of the driver"),
        ),
        (
            (
                str(name),
                number(row["importance"], 2),
                span(row["lower"], row["upper"], 2),
                number(row["performance"]),
            )
            for name, row in analysis.importance.iterrows()
        ),
    )


def contrast_grid(analysis: AnalysisResults) -> Grid:
    """Show repurchase at two levels of the index, and the difference."""
    valued = analysis.repurchase
    assert valued is not None
    low, high = analysis.contrast
    table = valued.contrast(low, high)
    names = (
        text("At an index of {low:g}", low=low),
        text("At an index of {high:g}", high=high),
        text("Difference"),
    )
    return grid(
        text(
            "{outcome}, per cent; the difference in percentage points",
            outcome=analysis.outcome_title,
        ),
        ("", analysis.outcome_title, _interval(analysis)),
        (
            (
                name,
                number(100 * row["probability"]),
                span(100 * row["lower"], 100 * row["upper"]),
            )
            for name, (_, row) in zip(names, table.iterrows(), strict=True)
        ),
    )


def segments_grid(analysis: AnalysisResults, grouping: Grouping) -> Grid | None:
    """Show what goes with a point in every group; None without a curve of the outcome."""
    segments = grouping.segments
    if segments is None:
        return None
    return grid(
        text(
            "{outcome} by {columns}; the effect of one point in percentage points",
            outcome=analysis.outcome_title,
            columns=analysis.title_of_groups(grouping),
        ),
        (
            text("Group"),
            text("Respondents"),
            text("Index"),
            analysis.outcome_title,
            text("One point"),
            _interval(analysis),
        ),
        (
            (
                label(name),
                f"{int(row['n']):,}",
                number(row["index"]),
                share(row["outcome"]),
                number(100 * row["effect"], 2),
                span(100 * row["lower"], 100 * row["upper"], 2),
            )
            for name, row in segments.table.iterrows()
        ),
    )


def money_grid(analysis: AnalysisResults) -> Grid:
    """Show what one point of each driver is worth, and what may be spent on it."""
    first = next(iter(analysis.money.values()))
    everyone = text("all customers") if first.economics.customers != 1 else text("each customer")
    return grid(
        text(
            "Worth of one point more of each driver, {currency} for {everyone}",
            currency=first.currency,
            everyone=everyone,
        ),
        (
            text("Driver"),
            text("Worth"),
            _interval(analysis),
            text("Break-even, each {period}", period=first.period),
        ),
        (
            (
                str(row["driver"]),
                number(row["value"], 2 if abs(row["value"]) < 1000 else 0),
                amounts(row["lower"], row["upper"]),
                number(row["spending_every_period"], 2 if abs(row["value"]) < 1000 else 0),
            )
            for _, row in money_table(analysis.money).iterrows()
        ),
    )


def coefficients_grid(analysis: AnalysisResults) -> Grid:
    """Show the coefficients of the repurchase regression."""
    valued = analysis.repurchase
    assert valued is not None
    return grid(
        text(
            "Coefficients of the {label} regression of {outcome} ({scale} per index point)",
            label=valued.family.label,
            outcome=analysis.outcome_title,
            scale=valued.family.scale,
        ),
        (text("Term"), text("Estimate"), _interval(analysis), text("Standard error")),
        (
            (
                text("Constant") if name == "const" else str(name),
                number(row["estimate"], 4),
                span(row["lower"], row["upper"], 4),
                number(row["se"], 4),
            )
            for name, row in valued.coefficients.iterrows()
        ),
    )


def paths_grid(analysis: AnalysisResults) -> Grid:
    """Show the standardised effects between constructs."""
    table = analysis.bootstrap.table("paths", level=analysis.level)
    sizes = effect_sizes(analysis)["f2"]
    return grid(
        text("Standardised direct effects; f² is the effect's size beside the other sources"),
        (text("From"), text("To"), text("Effect"), _interval(analysis), "p", "f²"),
        (
            (
                pair(key)[1],
                pair(key)[0],
                number(row["estimate"], 3),
                span(row["lower"], row["upper"], 3),
                p_value(row["p"]),
                number(size, 3),
            )
            for (key, row), size in zip(table.iterrows(), sizes, strict=True)
        ),
        words=(0, 1),
    )


def explained_grid(analysis: AnalysisResults) -> Grid:
    """Show how much of each construct the model explains."""
    table = analysis.bootstrap.table("r2", level=analysis.level)
    adjusted = analysis.fit.r2_adjusted.loc[table.index]
    return grid(
        text("R²: share of the differences between respondents that the model explains"),
        ("", "R²", _interval(analysis), text("Adjusted R²")),
        (
            (
                str(name),
                number(row["estimate"], 3),
                span(row["lower"], row["upper"], 3),
                number(value, 3),
            )
            for (name, row), value in zip(table.iterrows(), adjusted, strict=True)
        ),
    )


def items_grid(analysis: AnalysisResults) -> Grid:
    """Show the questions: what they ask, their mean answer, and their part in the index."""
    table = items(analysis)
    return grid(
        text("Questions: mean answer, loading, and share in the index of their construct"),
        (
            text("Question"),
            text("Asks about"),
            text("Measures"),
            text("Mean"),
            text("Loading"),
            _interval(analysis),
            text("Share"),
        ),
        (
            (
                str(row["item"]),
                str(row["wording"] or "–"),
                str(row["construct"]),
                number(row["mean"], 2),
                number(row["loading"], 3),
                span(row["lower"], row["upper"], 3),
                share(row["index_weight"]),
            )
            for _, row in table.iterrows()
        ),
        words=(0, 1, 2),
    )


def reliability_grid(analysis: AnalysisResults) -> Grid:
    """Show reliability and shared variance of every construct."""
    table = analysis.assessment.reliability
    single = {c.name for c in analysis.fit.model.constructs if c.kind == "single"}
    return grid(
        text("Reliability (alpha, ρA, ρC) and shared variance (AVE); a single question has none"),
        ("", text("Alpha"), "ρA", "ρC", "AVE"),
        (
            (str(name), *("–" if name in single else number(value, 3) for value in row))
            for name, row in table.iterrows()
        ),
    )


def verdicts_grid(analysis: AnalysisResults) -> Grid:
    """Show every check with its threshold."""
    return grid(
        text("Every check, with what the literature asks for"),
        (text("Check"), text("Of"), text("Value"), text("Asked for"), text("Verdict")),
        (
            (
                _name(judgement.measure),
                _subject(judgement),
                number(judgement.value, 3),
                judgement.threshold,
                gettext(judgement.verdict),
            )
            for judgement in analysis.assessment.judgements
        ),
        words=(0, 1, 3, 4),
    )


def _name(measure: str) -> str:
    return text(_CHECKS[measure]) if measure in _CHECKS else measure


def _subject(judgement: Verdict) -> str:
    """Return what a check is of: a pair of constructs is enumerated, other names stay."""
    names = [str(judgement.values.get(name)) for name in ("second", "first")]
    if judgement.subject == " and ".join(names):
        return text("{names}", names=names)
    return shown_message(judgement.subject)


def _interval(analysis: AnalysisResults) -> str:
    return text("{level} interval", level=percent(analysis.level))
