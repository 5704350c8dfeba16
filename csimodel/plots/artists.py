"""Draw a path diagram that is laid out; one unit of the axes is one point on paper."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from csimodel.plots import style, text_metrics
from csimodel.plots.blocks import ItemBlock
from csimodel.plots.drawing import (
    Bubble,
    Drawing,
    draw_legend,
    identifier,
    legend_of,
    pen_of,
    write,
)
from csimodel.plots.labels import Array, place
from csimodel.plots.routes import border, label_of

_MARGIN = 12.0
_LEGEND = 24.0  # height of the line that explains the arrows, and of the title
_ON_ARROW = 0.62  # where along an item's arrow its loading stands


def draw(drawing: Drawing, ax: Axes | None = None) -> Figure:
    """Draw it on axes, made smaller where they are, or on a new figure of just its size."""
    legend = legend_of(drawing)
    low, high = _bounds(drawing)
    low[1] -= _LEGEND
    high[0] = max(high[0], low[0] + max(sum(width for *_, width in legend), _title_width(drawing)))
    low, high = low - _MARGIN, high + _MARGIN
    if drawing.title:
        high[1] += _LEGEND
    corner = low + _MARGIN
    heading = np.array([corner[0], high[1] - (_LEGEND + _MARGIN) / 2])
    width, height = (high - low) / 72
    if ax is None:
        figure: Figure = style.new_figure(float(width), float(height))
        ax = figure.add_axes((0, 0, 1, 1))
    else:
        figure, ax = style.take_axes(ax, (1.0, 1.0), (0.0, 0.0, 0.0, 0.0))
        extent = ax.get_window_extent()
        room = np.array([extent.width, extent.height]) / figure.dpi
        drawing = replace(drawing, scale=min(float((room / [width, height]).min()), 1.0))
        spare = (room * 72 / drawing.scale - (high - low)) / 2
        low, high = low - spare, high + spare
    ax.set_axis_off()
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    if drawing.title:
        large: dict[str, Any] = {"size": style.TITLE_SIZE, "weight": "bold"}
        write(ax, drawing, heading, drawing.title, name="title", va="center_baseline", **large)
    occupied, strokes = [], []
    for i, bubble in enumerate(drawing.bubbles):
        occupied.append(_draw_construct(ax, drawing, bubble, drawing.centres[i]))
        taken, along = _draw_items(ax, drawing, bubble, drawing.centres[i], drawing.blocks[i])
        occupied += taken
        strokes += along
    _draw_paths(ax, drawing, np.array(occupied), strokes)
    draw_legend(ax, drawing, legend, corner)
    return figure


def _title_width(drawing: Drawing) -> float:
    width, _ = text_metrics.measure(drawing.title, style.TITLE_SIZE, drawing.family, "bold")
    return width if drawing.title else 0.0


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
            facecolor=drawing.palette.construct,
            edgecolor=drawing.palette.text,
            linewidth=drawing.size_of(1.1),
            zorder=3,
            gid=identifier("construct", bubble.name),
        )
    )
    shared: dict[str, Any] = {"ha": "center", "va": "center_baseline", "zorder": 6}
    tall = text_metrics.measure(bubble.lines, style.TEXT_SIZE, drawing.family, "bold")[1]
    lift = (style.SMALL_SIZE + 3) / 2 if bubble.note else 0.0
    name = identifier("name", bubble.name)
    write(ax, drawing, (x, y + lift), bubble.lines, name=name, weight="bold", **shared)
    if bubble.note:
        below = y + lift - tall / 2 - style.SMALL_SIZE / 2 - 2
        name = identifier("r2", bubble.name)
        write(ax, drawing, (x, below), bubble.note, name=name, size=style.SMALL_SIZE, **shared)
    return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])


def _draw_items(
    ax: Axes, drawing: Drawing, bubble: Bubble, centre: Array, block: ItemBlock
) -> tuple[list[Array], list[Array]]:
    """Draw boxes, arrows and loadings; return the rectangles they fill and their strokes."""
    taken, strokes = [], []
    palette = drawing.palette
    for i, text in enumerate(bubble.boxes):
        item = bubble.items[i]
        box = block.boxes[i] + np.tile(centre, 2)
        ax.add_artist(
            FancyBboxPatch(
                (box[0], box[1]),
                box[2] - box[0],
                box[3] - box[1],
                boxstyle="round,pad=0,rounding_size=1.5",
                facecolor=palette.item,
                edgecolor=palette.line,
                linewidth=drawing.size_of(0.7),
                zorder=3,
                gid=identifier("item", item),
            )
        )
        shared: dict[str, Any] = {"ha": "center", "size": style.SMALL_SIZE, "zorder": 6}
        shared["va"] = "center_baseline" if "\n" not in text else "center"
        write(ax, drawing, (box[:2] + box[2:]) / 2, text, name=identifier("label", item), **shared)
        outer = block.anchors[i] + centre
        inner = border(centre, np.asarray(drawing.size), outer, 1.0)
        ends = [outer, inner] if bubble.inwards else [inner, outer]
        line = np.array([ends[0], (inner + outer) / 2, ends[1]])
        _stroke(ax, drawing, line, (palette.line, 0.7, 5.5), name=identifier("arrow", item))
        spot = inner + (outer - inner) * _ON_ARROW
        label = bubble.loadings[i]
        shared |= {"va": "center_baseline", "size": style.TINY_SIZE, "zorder": 5}
        write(ax, drawing, spot, label, name=identifier("loading", item), halo=True, **shared)
        half = np.array(text_metrics.measure(label, style.TINY_SIZE, drawing.family)) / 2
        taken += [box, np.concatenate([spot - half, spot + half])]
        strokes.append(inner + (outer - inner) * np.linspace(0, 1, 12)[:, None])
    return taken, strokes


def _draw_paths(ax: Axes, drawing: Drawing, occupied: Array, strokes: list[Array]) -> None:
    lines = [route.strokes() for route in drawing.routes]
    labels = []
    for i, arrow in enumerate(drawing.arrows):
        control, pen = drawing.routes[i].control, pen_of(arrow, drawing.palette)
        _stroke(ax, drawing, control, pen, name=identifier("path", arrow.name), dashed=arrow.dashed)
        others = np.concatenate([*strokes, *lines[:i], *lines[i + 1 :], np.zeros((0, 2))])
        size = text_metrics.measure(arrow.text, style.TEXT_SIZE, drawing.family, "bold")
        labels.append(label_of(drawing.routes[i], size, others))
    for i, chosen in enumerate(place(labels, obstacles=occupied, pad=3.0)):
        arrow = drawing.arrows[i]
        write(
            ax,
            drawing,
            labels[i].centres[chosen],
            arrow.text,
            name=identifier("coefficient", arrow.name),
            weight="bold",
            color=pen_of(arrow, drawing.palette)[0],
            halo=True,
            ha="center",
            va="center_baseline" if "\n" not in arrow.text else "center",
            zorder=7,
        )


def _stroke(
    ax: Axes,
    drawing: Drawing,
    control: Array,
    pen: tuple[str, float, float],
    *,
    name: str,
    dashed: bool = False,
) -> None:
    color, width, head = pen
    ax.add_artist(
        FancyArrowPatch(
            path=Path(control, [Path.MOVETO, Path.CURVE3, Path.CURVE3]),
            arrowstyle="-|>",
            mutation_scale=drawing.size_of(head),
            color=color,
            linewidth=drawing.size_of(width),
            linestyle=(0, (4, 2.2)) if dashed else "-",
            capstyle="butt",
            joinstyle="miter",
            zorder=2,
            gid=name,
        )
    )
