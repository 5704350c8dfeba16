"""The figures of a report, each with words for those who do not see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from csimodel.report.words import label, number, percent, span

if TYPE_CHECKING:
    from csimodel.report.analysis import Analysis

MOST_GROUPS = 40  # more bars than these are a table, not a picture


@dataclass(frozen=True)
class Picture:
    """A figure as SVG text.

    Attributes
    ----------
    name
        File name without ending.
    svg
        One ``<svg>`` element.
    caption
        How to read it, plain text.
    wide
        Whether a narrow screen must scroll to read it.
    """

    name: str
    svg: str
    caption: str
    wide: bool = False


def pictures(analysis: Analysis) -> Iterator[Picture]:
    """Draw the figures of an analysis, in the order of the report."""
    from csimodel import plots

    level = percent(analysis.level)
    yield Picture(
        "index",
        plots.to_svg(plots.index_bars(analysis.index), title=_bars(analysis.index)),
        f"Bars are indexes, thin lines their {level} intervals. 0: everybody gave the lowest "
        "answer; 100: everybody gave the highest.",
    )
    groups = target_by_group(analysis)
    if groups is not None and len(groups) <= MOST_GROUPS:
        yield Picture(
            "index_by_group",
            plots.to_svg(plots.index_bars(groups), title=_bars(groups)),
            f"{analysis.target} by group, with {level} intervals.",
        )
    drivers = analysis.importance
    told = "; ".join(
        f"{name}: effect {number(row['importance'], 2)}, index {number(row['performance'])}"
        for name, row in drivers.iterrows()
    )
    yield Picture(
        "drivers",
        plots.to_svg(
            plots.importance_performance(drivers, target=analysis.target),
            title=f"Map of what drives {analysis.target}. {told}.",
        ),
        "Further right: a stronger effect. Further up: customers are content already. Bottom right "
        "is where effort pays most. The dashed lines are the averages of the points shown.",
    )
    if analysis.repurchase is not None:
        yield _curve(analysis)
    paths = analysis.bootstrap.table("paths", level=analysis.level)
    told = "; ".join(f"{p.source} to {p.target} {number(_path(paths, p))}" for p in _paths(analysis))
    yield Picture(
        "model",
        plots.to_svg(
            plots.path_diagram(analysis.fit, bootstrap=paths),
            title=f"Path diagram. Standardised effects: {told}.",
        ),
        "Ellipses are what the model is about, boxes the questions that measure it. The number on "
        "an arrow says how many standard deviations the target moves with one of the source; a "
        f"dashed arrow cannot be told apart from zero ({level} interval). R² is the share of "
        "the differences between customers that the arrows explain.",
        wide=True,
    )
