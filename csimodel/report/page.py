"""The page: what the template shows, put together; the template escapes every text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from csimodel.assessment.verdicts import ATTENTION, NOT_JUDGED
from csimodel.characters import printable
from csimodel.findings import SEVERITIES, Finding, Severity, counted, text
from csimodel.formatting import number, percent, span
from csimodel.grid import Grid
from csimodel.page import mark_of, marked_sentence
from csimodel.report import display_tables, sentences
from csimodel.report.analysis_results import AnalysisResults
from csimodel.report.figures import Picture
from csimodel.report.grouping import of_grouping
from csimodel.report.method import references, steps
from csimodel.report.programme_sections import programme_sections
from csimodel.report.provenance import code, fingerprint, versions
from csimodel.report.sample_sections import sample_sections
from csimodel.translation import current_language, gettext

if TYPE_CHECKING:
    from jinja2 import Template

_FOLDER = Path(__file__).parent


def render(
    analysis: AnalysisResults,
    pictures: Sequence[Picture],
    files: Sequence[str],
    *,
    title: str | None = None,
    date: str | None = None,
) -> str:
    """Return the report as one HTML page.

    Parameters
    ----------
    analysis
        What to report.
    pictures
        Its figures.
    files
        Files beside the page, to be linked.
    title, date
        To print at the top.
    """
    from markupsafe import Markup

    # Only the style sheet, tables and figures made by csimodel.plots go in as they are.
    figures = {
        picture.name: {"svg": Markup(picture.svg), "picture": picture} for picture in pictures
    }
    style = Markup((_FOLDER / "report.css").read_text(encoding="utf-8"))
    return _template().render(
        style=style,
        figures=figures,
        files=[name for name in files if name != "report.html"],
        date=date,
        **_parts(analysis, title),
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    """Return the page's template, compiled once."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(text=text, counted=counted, mark=mark_of, marked=marked_sentence)
    environment.filters.update(linked=_linked, unquote=unquote)
    environment.filters["html"] = lambda table, kind="": Markup(table.html(kind))
    return environment.get_template("report.html.jinja")


_ADDRESS = re.compile(r"(https?://\S*[^\s.,;:!?)])")  # without the mark that ends a clause


def _linked(words: str) -> str:
    """Return a text as markup in which every address is a link."""
    from markupsafe import Markup

    link = Markup('<a href="{address}" rel="noreferrer">{address}</a>')
    parts = _ADDRESS.split(printable(words))
    return Markup("").join(
        link.format(address=part) if place % 2 else part for place, part in enumerate(parts)
    )


def _shown(value: object) -> object:
    """Replace what no page can hold in a text; style sheet and figures are markup already."""
    return printable(value) if type(value) is str else value


def _parts(analysis: AnalysisResults, title: str | None) -> dict[str, object]:
    """Return the texts and tables of the page by the template's names."""
    survey = analysis.fit.survey
    source = "" if survey is None or survey.source == "frame" else survey.source
    row = analysis.headline
    findings = analysis.findings
    judgements = analysis.assessment.judgements
    asked = [own for own in judgements if own.verdict in (*ATTENTION, NOT_JUDGED)]
    return {
        "title": title
        or text("{target}: where it stands and what goes with it", target=analysis.target),
        "source": source,
        "language": current_language(),
        "analysis": analysis,
        "respondents": counted(analysis.fit.n, "{count:,} respondent", "{count:,} respondents"),
        "index": number(row["mean"]),
        "interval": span(row["lower"], row["upper"]) if isfinite(row["lower"]) else "",
        "level": percent(analysis.level),
        "gauge": _gauge(float(row["mean"]), float(row["lower"]), float(row["upper"])),
        "caveat": analysis.caveat,
        "failures": [finding.message for finding in findings if finding.severity == "failure"],
        "warnings": [finding.message for finding in findings if finding.severity == "warning"],
        "noticed": _noticed(findings),
        "tiles": _tiles(analysis),
        "headline": sentences.headline(analysis),
        "drivers": sentences.drivers(analysis),
        "repurchase": sentences.repurchase(analysis),
        "outcome": analysis.outcome_title,
        "slopes": sentences.slopes(analysis),
        "money": sentences.money(analysis),
        "groupings": _groupings(analysis),
        "programme": () if analysis.programme is None else programme_sections(analysis.programme),
        "trust": sentences.trust(analysis),
        "checks": sentences.checks(analysis),
        "unjudged": sentences.unjudged(analysis),
        "sample": sample_sections(analysis),
        "attention": [
            (
                "grey" if judgement.verdict == NOT_JUDGED else "amber",
                gettext(judgement.verdict),
                judgement.sentence,
                judgement.threshold,
            )
            for judgement in asked
        ],
        "index_grid": display_tables.index_grid(analysis),
        "drivers_grid": display_tables.drivers_grid(analysis),
        "contrast_grid": None
        if analysis.repurchase is None
        else display_tables.contrast_grid(analysis),
        "money_grid": display_tables.money_grid(analysis) if analysis.money else None,
        "appendix": _appendix(analysis),
        "steps": steps(analysis),
        "references": references(analysis),
        "verdict_sources": list(dict.fromkeys(own.source for own in judgements if own.source)),
        "fingerprint": fingerprint(analysis),
        "repetition": _repetition(analysis),
        "versions": ", ".join(f"{name} {number}" for name, number in versions().items()),
        "code": code(analysis),
    }


def _groupings(analysis: AnalysisResults) -> list[dict[str, object]]:
    """Return what the page shows of each grouping."""
    return [
        {
            "columns": analysis.title_of_groups(grouping),
            "sentences": sentences.by_group(analysis, grouping),
            "grid": display_tables.groups_grid(analysis, grouping),
            "figure": of_grouping("index_by_group", place),
            "segments": sentences.segments(analysis, grouping),
            "segments_grid": display_tables.segments_grid(analysis, grouping),
            "segments_figure": of_grouping("repurchase_by_group", place),
        }
        for place, grouping in enumerate(analysis.groupings)
    ]


def _repetition(analysis: AnalysisResults) -> str:
    """Say which samples the errors come from, so that they can be had again."""
    boot = analysis.bootstrap
    if boot.replication is not None:
        return text("{usable:,} sets of replicate weights.", usable=len(boot.usable))
    return text(
        "{usable:,} resamples with seed {seed}.",
        usable=len(boot.usable),
        seed=str(boot.design.seed),
    )


def _noticed(findings: Sequence[Finding]) -> list[tuple[Severity, str, list[str]]]:
    """Return severity, mark and messages of what was noticed, gravest first."""
    messages = {
        severity: [finding.message for finding in findings if finding.severity == severity]
        for severity in SEVERITIES
    }
    return [(severity, mark_of(severity), told) for severity, told in messages.items() if told]


def _appendix(analysis: AnalysisResults) -> list[Grid]:
    grids = [
        display_tables.paths_grid(analysis),
        display_tables.explained_grid(analysis),
        display_tables.items_grid(analysis),
    ]
    grids.append(display_tables.reliability_grid(analysis))
    if analysis.repurchase is not None:
        grids.append(display_tables.coefficients_grid(analysis))
    return [*grids, display_tables.verdicts_grid(analysis)]


def _tiles(analysis: AnalysisResults) -> list[tuple[str, str, str]]:
    """Return the other figures a board asks for: what it is, the number, what it means."""
    first, doubt = analysis.importance.iloc[0], analysis.doubt
    tiles = [
        (
            text("Largest estimated effect"),
            str(analysis.importance.index[0]),
            text(
                _MEANING[(False, False) if doubt is None else doubt.kind],
                importance=number(first["importance"], 2),
                target=analysis.target,
                **({} if doubt is None else doubt.fields),
            ),
        )
    ]
    valued = analysis.repurchase
    if valued is not None and valued.converged:
        step = valued.contrast(*analysis.contrast)["probability"].iloc[2]
        low, high = analysis.contrast
        sign = "+" if step >= 0 else ""
        tiles.append(
            (
                analysis.outcome_title,
                f"{sign}{number(100 * step)}",
                text(
                    "percentage points, at an index of {high:g} against {low:g}",
                    high=high,
                    low=low,
                ),
            )
        )
    return tiles


_MEANING = {  # by what speaks against the driver: the sign of its effect, HTMT
    (False, False): "one point more on its index goes with {importance} points of {target}",
    (True, False): (
        "one point more on its index goes with {importance} points of {target}, although the two "
        "correlate the other way ({correlation})"
    ),
    (False, True): (
        "one point more on its index goes with {importance} points of {target}, from which HTMT "
        "cannot tell it ({htmt})"
    ),
    (True, True): (
        "one point more on its index goes with {importance} points of {target}, although the two "
        "correlate the other way ({correlation}) and HTMT cannot tell them apart ({htmt})"
    ),
}


def _gauge(mean: float, lower: float, upper: float) -> dict[str, str]:
    """Return where the mark and the band lie on a line from 0 to 100, in per cent of it."""
    ends = (lower, upper) if isfinite(lower) and isfinite(upper) else (mean, mean)
    left, right = (min(max(x, 0.0), 100.0) for x in ends)
    mark = min(max(mean, 0.0), 100.0)
    return {"mark": f"{mark:.2f}%", "left": f"{left:.2f}%", "width": f"{right - left:.2f}%"}
