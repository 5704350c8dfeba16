"""What a path diagram is made of, in points, and the line that explains its arrows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from csimodel.findings import text
from csimodel.plots import style, text_metrics
from csimodel.plots.blocks import ItemBlock
from csimodel.plots.labels import Array
from csimodel.plots.routes import Route

_SAMPLE = 24.0  # length of an arrow in the line that explains them


@dataclass(frozen=True)
class Bubble:
    """A construct: its name in lines, its R², its items in lines, and their loadings.

    `inwards` says that the arrows of the items point at the construct; in an SVG it is found by
    `name`, and its items by `items`.
    """

    name: str
    items: tuple[str, ...]
    lines: str
    note: str
    boxes: tuple[str, ...]
    loadings: tuple[str, ...]
    inwards: bool


@dataclass(frozen=True)
class Arrow:
    """A path: its coefficient, whether its interval covers zero, what stands on it, its name."""

    value: float
    dashed: bool
    text: str = ""
    name: str = ""


@dataclass(frozen=True)
class Palette:
    """Colours of positive and negative paths, constructs, items, item arrows and text."""

    positive: str = style.BLUE
    negative: str = style.VERMILLION
    construct: str = style.CONSTRUCT_FILL
    item: str = style.ITEM_FILL
    line: str = style.MUTED
    text: str = style.INK


@dataclass(frozen=True)
class Drawing:
    """All there is to draw, in points."""

    family: Sequence[str]
    bubbles: Sequence[Bubble]
    centres: Array
    size: tuple[float, float]
    blocks: Sequence[ItemBlock]
    arrows: Sequence[Arrow]
    routes: Sequence[Route]
    intervals: bool
    palette: Palette = Palette()
    title: str = ""
    note: str = ""
    scale: float = 1.0

    def size_of(self, points: float) -> float:
        """Return a size of text or width of a line on paper, points."""
        return self.scale * points


def identifier(kind: str, name: str) -> str:
    """Return the name of a part in an SVG: what it is and whose, without spaces.

    >>> identifier("construct", "Perceived quality")
    'construct-Perceived_quality'
    """
    return "-".join([kind, "_".join(name.split())])


def write(
    ax: Axes,
    drawing: Drawing,
    at: Sequence[float] | Array,
    text: str,
    *,
    size: float = style.TEXT_SIZE,
    name: str | None = None,
    color: str | None = None,
    **properties: Any,
) -> None:
    """Write text at a point, with a name in an SVG."""
    style.write(
        ax,
        float(at[0]),
        float(at[1]),
        text,
        family=drawing.family,
        size=drawing.size_of(size),
        color=drawing.palette.text if color is None else color,
        gid=name,
        **properties,
    )


def pen_of(arrow: Arrow, palette: Palette) -> tuple[str, float, float]:
    """Return colour, width and head size of an arrow."""
    if not np.isfinite(arrow.value):
        return palette.line, 0.9, 9.0
    strength = min(abs(arrow.value), 1.0)
    color = palette.negative if arrow.value < 0 else palette.positive
    return color, 0.9 + 2.6 * strength, 9.0 + 5.0 * strength


def legend_of(drawing: Drawing) -> list[tuple[str, Arrow, float]]:
    """Return the entries that explain the arrows: text, a sample, width in points."""
    entries = [(text("positive path"), Arrow(0.4, False))]
    if any(arrow.value < 0 for arrow in drawing.arrows):
        entries.append((text("negative path"), Arrow(-0.4, False)))
    if drawing.intervals:
        entries.append((text("interval covers 0"), Arrow(float("nan"), True)))
    if any(bubble.boxes for bubble in drawing.bubbles):
        entries.append((text("loading of an item"), Arrow(0.0, False)))
    if drawing.note:
        entries.append((drawing.note, Arrow(0.0, False, name="note")))
    return [
        (
            entry,
            arrow,
            _SAMPLE + 20 + text_metrics.measure(entry, style.SMALL_SIZE, drawing.family)[0],
        )
        for entry, arrow in entries
    ]


def draw_legend(
    ax: Axes, drawing: Drawing, legend: list[tuple[str, Arrow, float]], corner: Array
) -> None:
    """Write the entries in a line that begins at a corner."""
    x, y = corner[0], corner[1] + style.SMALL_SIZE / 2
    palette = drawing.palette
    for entry, arrow, width in legend:
        color, line, _ = pen_of(arrow, palette) if arrow.value != 0 else (palette.line, 0.7, 0.0)
        if arrow.name != "note":
            sample = Line2D([x, x + _SAMPLE], [y, y], color=color, marker="")
            sample.set_linewidth(drawing.size_of(line))
            sample.set_linestyle((0, (4, 2.2)) if arrow.dashed else "-")
            ax.add_line(sample)
        at = (x + _SAMPLE + 5, y)
        write(ax, drawing, at, entry, size=style.SMALL_SIZE, color=palette.line,
               va="center_baseline")  # fmt: skip
        x += width
