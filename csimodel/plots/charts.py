"""Charts with one row per estimate: index bars, and intervals of paths."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csimodel.arguments import checked
from csimodel.errors import OptionError
from csimodel.findings import text
from csimodel.floats import own_errstate
from csimodel.formatting import bracketed
from csimodel.plots import fonts, style, text_metrics
from csimodel.plots.labels import Array
from csimodel.translation import message, shown_message

_ROW = 0.27  # inches per row
_LABEL_WIDTH = 190.0  # widest line of a row's label, points


@own_errstate
@checked
def index_bars(scores: pd.DataFrame, *, title: str | None = None, ax: Axes | None = None) -> Figure:
    """Draw 0–100 indices as bars with their intervals and values.

    With groups there is one block of bars per construct, so that groups are compared.

    Parameters
    ----------
    scores
        The table of `csimodel.index_scores`: column mean, and lower and upper where there are
        intervals; rows are constructs, or (group, construct).
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
        When `scores` is not such a table.

    Warns
    -----
    CsimodelWarning
        When no installed font has the characters of a name.

    Examples
    --------
    >>> import pandas as pd
    >>> scores = pd.DataFrame(
    ...     {"mean": [72.5, 65.0], "lower": [70.1, 62.0], "upper": [74.8, 68.1]},
    ...     index=["Satisfaction", "Loyalty"],
    ... )
    >>> figure = index_bars(scores)
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['72.5 [70.1, 74.8]', '65.0 [62.0, 68.1]']
    """
    check_table(scores, "scores", ["mean"], "csimodel.index_scores(fit)")
    rows = _score_rows(scores)
    labels = [label for label, _ in rows]
    family = fonts.families([*labels, title or ""])
    mean = scores["mean"].to_numpy(dtype=float)
    lower, upper = bounds(scores)
    labels, left, each = _rows(labels, family)
    height = each * len(rows) + 0.75 + (0.3 if title else 0.0)
    figure, ax = style.take_axes(
        ax, (left + 4.6, height), (left, 1.4, 0.55, 0.2 + (0.3 if title else 0.0))
    )
    style.dress(ax, family, grid="x")
    ends = [0.0, 100.0, *(x for x in (*mean, *lower, *upper) if np.isfinite(x))]
    ax.set_xlim(min(ends), max(ends))
    at = np.array([i for i, (_, row) in enumerate(rows) if row is not None], dtype=float)
    order = [row for _, row in rows if row is not None]
    ax.barh(at, mean[order], height=0.62, color=style.BLUE, alpha=0.8, linewidth=0, zorder=2)
    _whiskers(ax, at, mean[order], lower[order], upper[order])
    for y, row in zip(at, order, strict=True):
        _at_right(ax, float(y), bracketed(mean[row], lower[row], upper[row], 1), family)
    _name_rows(ax, labels, family, headings=[i for i, (_, row) in enumerate(rows) if row is None])
    style.title_axes(ax, family, x=text("Index (0–100)"), title=title)
    return figure


def _score_rows(scores: pd.DataFrame) -> list[tuple[str, int | None]]:
    """Return (label, row of the table); a heading of a block of groups has no row."""
    if scores.index.nlevels == 1:
        return [(str(name), row) for row, name in enumerate(scores.index)]
    constructs = [key[-1] for key in scores.index]
    rows: list[tuple[str, int | None]] = []
    for construct in dict.fromkeys(constructs):
        rows.append((str(construct), None))
        rows += [
            (" · ".join(str(part) for part in key[:-1]), row)
            for row, key in enumerate(scores.index)
            if key[-1] == construct
        ]
    return rows


@own_errstate
@checked
def intervals(
    table: pd.DataFrame,
    *,
    title: str | None = None,
    x: str = message("Estimate"),
    ax: Axes | None = None,
) -> Figure:
    """Draw estimates with their intervals, one row each; a hollow mark covers zero.

    Parameters
    ----------
    table
        The table of a bootstrap, such as ``boot.table("paths")``: columns estimate, lower and
        upper; rows are (target, source), (item, construct) or names.
    title
        Title of the chart.
    x
        Title of the axis.
    ax
        Axes to draw on; left out, a new figure of fitting height is made.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    OptionError
        When `table` is not such a table.

    Warns
    -----
    CsimodelWarning
        When no installed font has the characters of a name.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.MultiIndex.from_tuples([("Loyalty", "Image")], names=["target", "source"])
    >>> table = pd.DataFrame({"estimate": [0.2], "lower": [0.05], "upper": [0.33]}, index=rows)
    >>> figure = intervals(table)
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['Image → Loyalty']
    """
    x = shown_message(x)
    check_table(table, "table", ["estimate", "lower", "upper"], 'boot.table("paths")')
    labels = [_row_name(key, table.index.names) for key in table.index]
    family = fonts.families([*labels, title or "", x])
    estimate = table["estimate"].to_numpy(dtype=float)
    lower, upper = bounds(table)
    labels, left, each = _rows(labels, family)
    height = each * len(labels) + 0.75 + (0.3 if title else 0.0)
    figure, ax = style.take_axes(
        ax, (left + 4.8, height), (left, 1.6, 0.55, 0.2 + (0.3 if title else 0.0))
    )
    style.dress(ax, family, grid="x")
    ax.axvline(0, color=style.MUTED, linewidth=1.0, linestyle="-", marker="", zorder=1)
    at = np.arange(len(labels), dtype=float)
    covers = ~((lower > 0) | (upper < 0))
    for hollow in (False, True):
        rows = covers == hollow
        color = style.MUTED if hollow else style.BLUE
        ax.hlines(at[rows], lower[rows], upper[rows], color=color, linewidth=1.6, zorder=2)
        ax.plot(
            estimate[rows],
            at[rows],
            linestyle="none",
            marker="o",
            markersize=5.5,
            markerfacecolor=style.PAPER if hollow else color,
            markeredgecolor=color,
            markeredgewidth=1.4,
            zorder=3,
        )
    for i in range(len(labels)):
        text = bracketed(estimate[i], lower[i], upper[i], 2)
        _at_right(ax, float(at[i]), text, family)
    _name_rows(ax, labels, family, headings=[])
    style.title_axes(ax, family, x=x, title=title)
    return figure


def _row_name(key: Hashable, names: Sequence[Hashable]) -> str:
    if not isinstance(key, tuple):
        return str(key)
    if list(names) == ["target", "source"]:
        return f"{key[1]} → {key[0]}"
    if list(names) == ["item", "construct"]:
        return f"{key[0]} ({key[1]})"
    return " · ".join(str(part) for part in key)


def check_table(table: object, option: str, columns: Iterable[str], source: str) -> None:
    """Refuse what is not a table with rows and these columns.

    Examples
    --------
    >>> check_table(3, "scores", ["mean"], "csimodel.index_scores(fit)")
    Traceback (most recent call last):
    csimodel.errors.OptionError: scores is a int; pass the DataFrame of csimodel.index_scores(fit).
    """
    if not isinstance(table, pd.DataFrame):
        raise OptionError(f"{option} is a {type(table).__name__}; pass the DataFrame of {source}.")
    absent = [column for column in columns if column not in table.columns]
    if absent:
        seen = ", ".join(str(column) for column in table.columns) or "no column"
        raise OptionError(
            f"{option} has no column {absent[0]!r} (it has {seen}); pass the DataFrame of {source}."
        )
    if not len(table):
        raise OptionError(f"{option} has no rows; pass the DataFrame of {source}.")


def bounds(table: pd.DataFrame) -> tuple[Array, Array]:
    """Return the columns lower and upper, NaN where the table has none.

    Examples
    --------
    >>> bounds(pd.DataFrame({"mean": [1.0]}))[0]
    array([nan])
    """
    nothing = np.full(len(table), np.nan)
    lower, upper = (
        table[name].to_numpy(dtype=float) if name in table.columns else nothing
        for name in ("lower", "upper")
    )
    return lower, upper


def _whiskers(ax: Axes, at: Array, value: Array, lower: Array, upper: Array) -> None:
    known = np.isfinite(lower) & np.isfinite(upper) & np.isfinite(value)
    y, low, high = at[known], lower[known], upper[known]
    ax.hlines(y, low, high, color=style.INK, linewidth=1.1, zorder=3)
    for end in (low, high):
        ax.vlines(end, y - 0.13, y + 0.13, color=style.INK, linewidth=1.1, zorder=3)


def _at_right(ax: Axes, y: float, text: str, family: Sequence[str]) -> None:
    """Write in the margin right of the axes, in line with row `y`."""
    style.write(
        ax,
        1.02,
        y,
        text,
        family=family,
        size=style.SMALL_SIZE,
        transform=ax.get_yaxis_transform(),
        va="center_baseline",
        ha="left",
    )


def _name_rows(
    ax: Axes, labels: Sequence[str], family: Sequence[str], headings: Sequence[int]
) -> None:
    """Label the rows from top to bottom; headings in bold."""
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.set_yticks(range(len(labels)), list(labels), parse_math=False, usetex=False)
    ax.tick_params(axis="y", length=0)
    for i, tick in enumerate(ax.get_yticklabels()):
        weight = "bold" if i in headings else "normal"
        tick.set_fontproperties(text_metrics.font(family, style.SMALL_SIZE, weight))


def _rows(labels: Iterable[str], family: Sequence[str]) -> tuple[list[str], float, float]:
    """Return the labels in lines, the inches beside the axes they need, and those per row."""
    shape = (style.SMALL_SIZE, family, "bold")
    wrapped = [text_metrics.wrap(label, _LABEL_WIDTH, *shape) for label in labels]
    sizes = [text_metrics.measure(label, *shape) for label in wrapped]
    widest, tallest = (max(size[k] for size in sizes) for k in (0, 1))
    return wrapped, (widest + 16) / 72, max(_ROW, (tallest + 5) / 72)
