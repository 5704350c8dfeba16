"""The page for a terminal: the same sentences as the report, and its first tables."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from csimodel.report import display_tables, sentences
from csimodel.report.display_tables import Grid
from csimodel.report.formatting import plural
from csimodel.report.tables import target_by_group

if TYPE_CHECKING:
    from csimodel.report.analysis import Analysis

_WIDTH = 80
_BAR = 20
_MARKS = {"failure": "DO NOT USE", "warning": "WARNING", "note": "note"}


def page(analysis: Analysis) -> str:
    """Return the results as text: index, groups, drivers, repurchase and what was noticed."""
    return "\n".join(map(_harmless, _lines(analysis)))


def _lines(analysis: Analysis) -> Iterator[str]:
    fit, target = analysis.fit, analysis.target
    name = fit.model.name or "Model"
    yield f"{name} by {fit.estimator.label}, {plural(fit.n, 'respondent')}"
    for found in analysis.findings:
        yield from _wrapped(f"{_MARKS[found.severity]}: {found}")
    yield from _section("Index, 0 to 100")
    scores = analysis.index["mean"]
    bars = [_bar(float(value)) for value in scores]
    yield from _table(display_tables.index_grid(analysis), bars)
    yield ""
    yield from _wrapped(sentences.headline(analysis)[0])
    groups = target_by_group(analysis)
    if groups is not None:
        yield from _section(f"{target} by group")
        yield from _table(display_tables.groups_grid(analysis, groups))
        yield ""
        for said in sentences.by_group(analysis, groups):
            yield from _wrapped(said)
    yield from _section(f"Drivers of {target}")
    yield from _table(display_tables.drivers_grid(analysis))
    yield ""
    for said in sentences.drivers(analysis):
        yield from _wrapped(said)
    if analysis.repurchase is not None:
        yield from _section("The index and repurchase")
        for said in [*sentences.repurchase(analysis), *sentences.slopes(analysis)]:
            yield from _wrapped(said)
    if analysis.segments is not None:
        yield from _section("Repurchase by group")
        yield from _table(display_tables.segments_grid(analysis))
        yield ""
        for said in sentences.segments(analysis):
            yield from _wrapped(said)
    if analysis.money:
        yield from _section("From a point of the index to money")
        yield from _table(display_tables.money_grid(analysis))
        yield ""
        for said in sentences.money(analysis):
            yield from _wrapped(said)
    yield from _section("How far to trust it")
    for said in [*sentences.data_used(analysis), sentences.trust(analysis)]:
        yield from _wrapped(said)
    yield from _wrapped(sentences.checks(analysis))


def _harmless(line: str) -> str:
    """Replace control characters, which a name could use to rewrite the terminal."""
    return "".join("?" if unicodedata.category(x)[0] == "C" else x for x in line)


def _section(title: str) -> list[str]:
    return ["", title, "-" * _columns(title)]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH)


def _bar(value: float) -> str:
    full = round(max(0.0, min(value, 100.0)) / 100 * _BAR)
    return "█" * full + "░" * (_BAR - full)


def _table(grid: Grid, bars: Sequence[str] | None = None) -> Iterator[str]:
    rows = [grid.head, *grid.rows]
    widths = [max(_columns(row[j]) for row in rows) for j in range(len(grid.head))]
    for position, row in enumerate(rows):
        cells = (
            _padded(cell, width, left=j in grid.words)
            for j, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        drawn = f"   {bars[position - 1]}" if bars is not None and position else ""
        yield ("  " + "   ".join(cells) + drawn).rstrip()


def _padded(text: str, width: int, *, left: bool) -> str:
    space = " " * (width - _columns(text))
    return text + space if left else space + text


def _columns(text: str) -> int:
    """Return how many columns of a terminal a text takes; Chinese characters take two."""
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
