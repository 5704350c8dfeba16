"""Rankings: a dot with its interval for each unit, coloured by groups that are not told apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csimodel.arguments import checked
from csimodel.floats import own_errstate
from csimodel.formatting import bracketed
from csimodel.options import require_count
from csimodel.plots import fonts, style, text_metrics
from csimodel.plots.charts import bounds, check_table
from csimodel.plots.labels import Array
from csimodel.plots.rows import finish_rows, row_axes
from csimodel.plots.top_and_bottom import RowOfUnits, rows_of_blocks
from csimodel.translation import gettext, message, shown_message

_COLOURS = message("New colour: told apart from the first of the one above")
_TIES = (style.BLUE, style.VERMILLION)  # in turn


@own_errstate
@checked
def ranking(
    ranks: pd.DataFrame,
    *,
    most: int = 40,
    x: str = message("Index (0–100)"),
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw units by their index with intervals; units of one colour in a row are not told apart.

    Parameters
    ----------
    ranks
        The table of a ranking, as ``programme.rank().table``: rows (group within which units are
        ranked, unit); columns estimate, tie, and lower and upper where there are intervals. A
        hollow dot has no error.
    most
        Of more units the first and the last of each group are drawn, and those between counted.
    x
        Title of the axis.
    title
        Title of the chart.
    ax
        Axes to draw on; left out, a new figure of fitting height is made.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    OptionError
        When `ranks` is not such a table.

    Examples
    --------
    >>> rows = pd.MultiIndex.from_tuples([("all", "b"), ("all", "a")], names=["within", "firm"])
    >>> limits = {"lower": [70.0, 66], "upper": [74.0, 70]}
    >>> ranks = pd.DataFrame({"estimate": [72.0, 68], **limits, "tie": [1.0, 2]}, rows)
    >>> [text.get_text() for text in ranking(ranks).axes[0].texts]
    ['72.0 [70.0, 74.0]', '68.0 [66.0, 70.0]']
    """
    x = shown_message(x)
    check_table(ranks, "ranks", ["estimate", "tie"], "csimodel.programme(…).rank().table")
    most = require_count("most", most, least=2)
    rows = rows_of_blocks(ranks.index, most)
    names = [row.name for row in rows]
    colours = gettext(_COLOURS)
    family = fonts.families([*names, x, colours, title or ""])
    figure, ax = row_axes(ax, names, family, title, right=1.5, row=0.24, below=0.8)
    style.dress(ax, family, grid="x")
    value, tie = (ranks[name].to_numpy(dtype=float) for name in ("estimate", "tie"))
    lower, upper = bounds(ranks)
    colors = _colors_of(rows, tie)
    for at, row in enumerate(rows):
        if row.place is not None:
            ends = (lower[row.place], upper[row.place])
            _dot(ax, at, value[row.place], ends, colors[at])
    texts = [
        ""
        if row.place is None
        else bracketed(value[row.place], lower[row.place], upper[row.place], 1)
        for row in rows
    ]
    finish_rows(ax, names, texts, family)
    _mark_headings(ax, rows, family)
    style.title_axes(ax, family, x=f"{x}\n{colours}", title=title)
    return figure


def _colors_of(rows: Sequence[RowOfUnits], tie: Array) -> list[str]:
    """Return the colour of each row: another one where the group that is not told apart ends."""
    colors, turn, last = [], 0, np.nan
    for row in rows:
        number = np.nan if row.place is None else tie[row.place]
        if row.heading:
            turn, last = 0, np.nan
        elif np.isfinite(number):
            turn += int(np.isfinite(last) and number != last)
            last = number
        colors.append(_TIES[turn % len(_TIES)] if np.isfinite(number) else style.MUTED)
    return colors


def _dot(ax: Axes, at: int, value: float, ends: tuple[float, float], color: str) -> None:
    """Draw one unit."""
    if np.isfinite(ends).all():
        ax.hlines(at, *ends, color=color, linewidth=1.6, zorder=2)
    ax.plot(
        [value],
        [at],
        linestyle="none",
        marker="o",
        markersize=5,
        markerfacecolor=color if np.isfinite(ends).all() else style.PAPER,
        markeredgecolor=color,
        zorder=3,
    )


def _mark_headings(ax: Axes, rows: Sequence[RowOfUnits], family: Sequence[str]) -> None:
    """Write headings bold, and counts of units left out in grey."""
    for tick, row in zip(ax.get_yticklabels(), rows, strict=True):
        if row.place is None:
            weight = "bold" if row.heading else "normal"
            tick.set_fontproperties(text_metrics.font(family, style.SMALL_SIZE, weight))
            tick.set_color(style.INK if row.heading else style.MUTED)
