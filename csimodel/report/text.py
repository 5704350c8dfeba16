"""The page for a terminal: the same sentences as the report, and its first tables."""

from __future__ import annotations

from collections.abc import Iterator

from csimodel.findings import counted, text
from csimodel.page import Page, Section, mark_of, marked_sentence
from csimodel.report import display_tables, sentences
from csimodel.report.analysis_results import AnalysisResults
from csimodel.report.programme_sections import programme_sections
from csimodel.report.sample_sections import sample_sections

_BAR = 20


def page_of(analysis: AnalysisResults) -> Page:
    """Return the results on a page: index, groups, drivers, repurchase and what was noticed."""
    fit = analysis.fit
    title = text(
        "{name} by {label}, {respondents}",
        name=fit.model.name or "Model",
        label=fit.estimator.label,
        respondents=counted(fit.n, "{count:,} respondent", "{count:,} respondents"),
    )
    parts = tuple(_sections(analysis))
    return Page(title, findings=analysis.findings, sections=parts, clean="")


def _sections(analysis: AnalysisResults) -> Iterator[Section]:
    target = analysis.target
    bars = [_bar(float(value)) for value in analysis.index["mean"]]
    index = display_tables.index_grid(analysis).beside("", bars)
    caveat = analysis.caveat
    told = (
        [] if caveat is None else [marked_sentence("", mark_of(caveat.severity), "", str(caveat))]
    )
    yield Section(text("Index, 0 to 100"), index, (*sentences.headline(analysis)[:1], *told))
    for grouping in analysis.groupings:
        columns = analysis.title_of_groups(grouping)
        yield Section(
            text("{target} by {columns}", target=target, columns=columns),
            display_tables.groups_grid(analysis, grouping),
            tuple(sentences.by_group(analysis, grouping)),
        )
    drivers = display_tables.drivers_grid(analysis)
    yield Section(
        text("Drivers of {target}", target=target), drivers, tuple(sentences.drivers(analysis))
    )
    if analysis.repurchase is not None:
        notes = (*sentences.repurchase(analysis), *sentences.slopes(analysis))
        title = text("The index and {outcome}", outcome=analysis.outcome_title)
        yield Section(title, notes=notes)
    for grouping in analysis.groupings:
        if grouping.segments is not None:
            columns = analysis.title_of_groups(grouping)
            yield Section(
                text("{target} by {columns}", target=analysis.outcome_title, columns=columns),
                display_tables.segments_grid(analysis, grouping),
                tuple(sentences.segments(analysis, grouping)),
            )
    if analysis.money:
        table = display_tables.money_grid(analysis)
        yield Section(
            text("From a point of the index to money"), table, tuple(sentences.money(analysis))
        )
    if analysis.programme is not None:
        yield from programme_sections(analysis.programme)
    yield from sample_sections(analysis)
    trust = (
        sentences.trust(analysis), sentences.checks(analysis), sentences.unjudged(analysis)
    )  # fmt: skip
    yield Section(text("How far to trust it"), notes=tuple(filter(None, trust)))


def _bar(value: float) -> str:
    full = round(max(0.0, min(value, 100.0)) / 100 * _BAR)
    return "█" * full + "░" * (_BAR - full)
