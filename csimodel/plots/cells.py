"""A table as coloured cells with their numbers, rows named at the left and columns above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure

from csimodel.plots import style, text_metrics
from csimodel.plots.labels import Array

_COLUMN, _ROW, _LINE = 0.72, 0.21, 0.14  # inches
_LABEL_WIDTH = 150.0  # points
_DARK = 0.55  # share of a scale from which on numbers are light


@dataclass(frozen=True, eq=False)
class Shades:
    """How some columns are coloured.

    Attributes
    ----------
    columns
        Their places.
    colors
        From the lowest to the highest value.
    ends
        Lowest and highest value.
    middle
        Whether the middle of the colours is the light one, as of values around 0.
    """

    columns: Sequence[int]
    colors: Colormap
    ends: tuple[float, float]
    middle: bool = False


def cell_axes(
    ax: Axes | None,
    rows: Sequence[str],
    heads: Sequence[str],
    family: list[str],
    title: str | None,
    below: str = "",
) -> tuple[Figure, Axes]:
    """Return axes with a cell for each row and column, both named, and a line of text below."""
    shape = (style.SMALL_SIZE, family)
    names = [text_metrics.wrap(name, _LABEL_WIDTH, *shape) for name in rows]
    above = [text_metrics.wrap(name, 72 * _COLUMN - 4, *shape) for name in heads]
    left = (max(text_metrics.measure(name, *shape)[0] for name in names) + 14) / 72
    head = (max(text_metrics.measure(name, *shape)[1] for name in above) + 10) / 72
    lines = max(name.count("\n") + 1 for name in names)
    width, height = _COLUMN * len(heads), max(_ROW, _LINE * lines + 0.06) * len(rows)
    note = text_metrics.wrap(below, 72 * (left + width), *shape) if below else ""
    bottom = 0.12 + (text_metrics.measure(note, *shape)[1] + 8) / 72 if note else 0.12
    top = head + 0.1 + (0.3 if title else 0.0)
    figure, ax = style.take_axes(
        ax, (left + width + 0.15, height + top + bottom), (left, 0.15, bottom, top)
    )
    style.dress(ax, family, grid="none")
    ax.set_xlim(-0.5, len(heads) - 0.5)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.xaxis.tick_top()
    ax.set_xticks(range(len(heads)), above, parse_math=False, usetex=False)
    ax.set_yticks(range(len(rows)), names, parse_math=False, usetex=False)
    ax.tick_params(axis="both", length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    for tick in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        tick.set_fontproperties(text_metrics.font(family, style.SMALL_SIZE))
    style.title_axes(ax, family, title=title)
    if title:
        ax.title.set_position((0.0, 1.0))
    if note:
        ax.set_xlabel(note, loc="left", fontproperties=text_metrics.font(family, style.SMALL_SIZE),
                      labelpad=5, color=style.MUTED, parse_math=False, usetex=False)  # fmt: skip
    return figure, ax


def fill_cells(
    ax: Axes, values: Array, shades: Sequence[Shades], decimals: int, family: list[str]
) -> None:
    """Colour the cells and write their numbers; nothing where a value is not finite."""
    rows, columns = values.shape
    for own in shades:
        shown = np.full(values.shape, np.nan)
        shown[:, list(own.columns)] = values[:, list(own.columns)]
        low, high = own.ends
        scale = Normalize(low, high if high > low else low + 1.0)
        ax.imshow(
            np.ma.masked_invalid(shown),
            cmap=own.colors,
            norm=scale,
            aspect="auto",
            extent=(-0.5, columns - 0.5, rows - 0.5, -0.5),
        )
        for row, column in np.argwhere(np.isfinite(shown)).tolist():
            value = float(shown[row, column])
            depth = abs(2.0 * scale(value) - 1.0) if own.middle else scale(value)
            style.write(
                ax,
                column,
                row,
                f"{value:.{decimals}f}".replace("-", "−"),
                family=family,
                size=style.SMALL_SIZE,
                color=style.PAPER if depth > _DARK else style.INK,
                ha="center",
                va="center_baseline",
            )
