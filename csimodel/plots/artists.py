"""Draw a path diagram that is laid out; one unit of the axes is one point on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from csimodel.formatting import number
from csimodel.plots import style, text_metrics
from csimodel.plots.blocks import ItemBlock
from csimodel.plots.labels import Array, place
from csimodel.plots.routes import Route, border, label_of

_MARGIN = 12.0
_LEGEND = 24.0  # height of the line that explains the arrows
_SAMPLE = 24.0  # length of an arrow in it
_ON_ARROW = 0.62  # where along an item's arrow its loading stands


@dataclass(frozen=True)
class Bubble:
    """A construct: its name in lines, its R², its items in lines, and their loadings.

    `inwards` says that the arrows of the items point at the construct.
    """

    lines: str
    note: str
    boxes: tuple[str, ...]
    loadings: tuple[float, ...]
    inwards: bool


@dataclass(frozen=True)
class Arrow:
    """A path: its coefficient, and whether its interval covers zero."""

    value: float
    dashed: bool


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


def draw(drawing: Drawing) -> style.CsiFigure:
    """Draw it on a new figure of just the size it needs."""
    legend = _legend(drawing)
    low, high = _bounds(drawing)
    low[1] -= _LEGEND
    high[0] = max(high[0], low[0] + sum(width for *_, width in legend))
    low, high = low - _MARGIN, high + _MARGIN
    width, height = (high - low) / 72
    figure = style.new_figure(float(width), float(height))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_axis_off()
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    occupied, strokes = [], []
    for i, bubble in enumerate(drawing.bubbles):
        occupied.append(_draw_construct(ax, drawing, bubble, drawing.centres[i]))
        taken, along = _draw_items(ax, drawing, bubble, drawing.centres[i], drawing.blocks[i])
        occupied += taken
        strokes += along
    _draw_paths(ax, drawing, np.array(occupied), strokes)
    _draw_legend(ax, drawing, legend, low + _MARGIN)
    return figure


def _bounds(drawing: Drawing) -> tuple[Array, Array]:
    half = np.asarray(drawing.size) / 2
    points = [drawing.centres - half, drawing.centres + half]
    for block, centre in zip(drawing.blocks, drawing.centres, strict=True):
        points += [block.extent[None, :2] + centre, block.extent[None, 2:] + centre]
    points += [route.points(np.linspace(0, 1, 20)) for route in drawing.routes]
    every = np.concatenate(points)
    return every.min(axis=0), every.max(axis=0)


def _draw_construct(ax: Axes, drawing: Drawing, bubble: Bubble, centre: Array) -> Array:
    x, y = (float(coordinate) for coordinate in centre)
    width, height = drawing.size
    ax.add_artist(
        Ellipse(
            (x, y),
            width,
            height,
            facecolor=style.CONSTRUCT_FILL,
            edgecolor=style.INK,
            linewidth=1.1,
            zorder=3,
        )
    )
    shared: dict[str, Any] = {"family": drawing.family, "ha": "center", "zorder": 6}
    tall = text_metrics.measure(bubble.lines, style.TEXT_SIZE, drawing.family, "bold")[1]
    lift = (style.SMALL_SIZE + 3) / 2 if bubble.note else 0.0
    style.write(ax, x, y + lift, bubble.lines, weight="bold", va="center_baseline", **shared)
    if bubble.note:
        below = y + lift - tall / 2 - style.SMALL_SIZE / 2 - 2
        style.write(
            ax, x, below, bubble.note, size=style.SMALL_SIZE, va="center_baseline", **shared
        )
    return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])


def _draw_items(
    ax: Axes, drawing: Drawing, bubble: Bubble, centre: Array, block: ItemBlock
) -> tuple[list[Array], list[Array]]:
    """Draw boxes, arrows and loadings; return the rectangles they fill and their strokes."""
    taken, strokes = [], []
    for i, text in enumerate(bubble.boxes):
        box = block.boxes[i] + np.tile(centre, 2)
        middle = (box[:2] + box[2:]) / 2
        ax.add_artist(
            FancyBboxPatch(
                (box[0], box[1]),
                box[2] - box[0],
                box[3] - box[1],
                boxstyle="round,pad=0,rounding_size=1.5",
                facecolor=style.ITEM_FILL,
                edgecolor=style.MUTED,
                linewidth=0.7,
                zorder=3,
            )
        )
        shared: dict[str, Any] = {"family": drawing.family, "ha": "center"}
        shared["va"] = "center_baseline" if "\n" not in text else "center"
        style.write(
            ax, float(middle[0]), float(middle[1]), text, size=style.SMALL_SIZE, zorder=6, **shared
        )
        outer = block.anchors[i] + centre
        inner = border(centre, np.asarray(drawing.size), outer, 1.0)
        ends = [outer, inner] if bubble.inwards else [inner, outer]
        _stroke(ax, np.array([ends[0], (inner + outer) / 2, ends[1]]), style.MUTED, 0.7, 5.5)
        spot = inner + (outer - inner) * _ON_ARROW
        label = number(bubble.loadings[i], 2)
        shared["va"] = "center_baseline"
        style.write(
            ax,
            float(spot[0]),
            float(spot[1]),
            label,
            size=style.TINY_SIZE,
            halo=True,
            zorder=5,
            **shared,
        )
        half = np.array(text_metrics.measure(label, style.TINY_SIZE, drawing.family)) / 2
        taken += [box, np.concatenate([spot - half, spot + half])]
        strokes.append(inner + (outer - inner) * np.linspace(0, 1, 12)[:, None])
    return taken, strokes


def _draw_paths(ax: Axes, drawing: Drawing, occupied: Array, strokes: list[Array]) -> None:
    lines = [route.strokes() for route in drawing.routes]
    texts = [number(arrow.value, 2) for arrow in drawing.arrows]
    labels = []
    for i, arrow in enumerate(drawing.arrows):
        _stroke(ax, drawing.routes[i].control, *_pen(arrow), dashed=arrow.dashed)
        others = np.concatenate([*strokes, *lines[:i], *lines[i + 1 :], np.zeros((0, 2))])
        size = text_metrics.measure(texts[i], style.TEXT_SIZE, drawing.family, "bold")
        labels.append(label_of(drawing.routes[i], size, others))
    for i, chosen in enumerate(place(labels, obstacles=occupied, pad=3.0)):
        x, y = labels[i].centres[chosen]
        style.write(
            ax,
            float(x),
            float(y),
            texts[i],
            family=drawing.family,
            weight="bold",
            color=_pen(drawing.arrows[i])[0],
            halo=True,
            ha="center",
            va="center_baseline",
            zorder=7,
        )


def _pen(arrow: Arrow) -> tuple[str, float, float]:
    """Return colour, width and head size of an arrow."""
    if not np.isfinite(arrow.value):
        return style.MUTED, 0.9, 9.0
    strength = min(abs(arrow.value), 1.0)
    color = style.VERMILLION if arrow.value < 0 else style.BLUE
    return color, 0.9 + 2.6 * strength, 9.0 + 5.0 * strength


def _stroke(
    ax: Axes, control: Array, color: str, width: float, head: float, *, dashed: bool = False
) -> None:
    ax.add_artist(
        FancyArrowPatch(
            path=Path(control, [Path.MOVETO, Path.CURVE3, Path.CURVE3]),
            arrowstyle="-|>",
            mutation_scale=head,
            color=color,
            linewidth=width,
            linestyle=(0, (4, 2.2)) if dashed else "-",
            capstyle="butt",
            joinstyle="miter",
            zorder=2,
        )
    )


def _legend(drawing: Drawing) -> list[tuple[str, Arrow, float]]:
    entries = [("positive path", Arrow(0.4, False))]
    if any(arrow.value < 0 for arrow in drawing.arrows):
        entries.append(("negative path", Arrow(-0.4, False)))
    if drawing.intervals:
        entries.append(("interval covers 0", Arrow(float("nan"), True)))
    if any(bubble.boxes for bubble in drawing.bubbles):
        entries.append(("loading of an item", Arrow(0.0, False)))
    return [
        (
            text,
            arrow,
            _SAMPLE + 20 + text_metrics.measure(text, style.SMALL_SIZE, drawing.family)[0],
        )
        for text, arrow in entries
    ]


def _draw_legend(
    ax: Axes, drawing: Drawing, legend: list[tuple[str, Arrow, float]], corner: Array
) -> None:
    x, y = corner[0], corner[1] + style.SMALL_SIZE / 2
    for text, arrow, width in legend:
        color, line, _ = _pen(arrow) if arrow.value != 0 else (style.MUTED, 0.7, 0.0)
        sample = Line2D([x, x + _SAMPLE], [y, y], color=color, linewidth=line, marker="")
        sample.set_linestyle((0, (4, 2.2)) if arrow.dashed else "-")
        ax.add_line(sample)
        style.write(
            ax,
            x + _SAMPLE + 5,
            y,
            text,
            family=drawing.family,
            size=style.SMALL_SIZE,
            color=style.MUTED,
            va="center_baseline",
        )
        x += width
