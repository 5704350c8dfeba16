"""Fits of one model side by side: a row for each path, a mark for each fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from csimodel.arguments import checked
from csimodel.errors import OptionError
from csimodel.estimators import Comparison
from csimodel.findings import text
from csimodel.floats import own_errstate
from csimodel.plots import fonts, style, text_metrics
from csimodel.translation import message, shown_message

_COLOURS = (style.BLUE, style.VERMILLION, "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_MARKS = ("o", "s", "D", "^", "v", "P")
_STEP = 0.17  # inches from fit to fit within a row
_LINE = 0.19  # inches for a line of the legend
_WIDE = 4.8  # inches of the axes
_AXES = {"paths": message("Standardised path")}
_LABEL_WIDTH = 190.0  # widest line of a row's label, points


@own_errstate
@checked
def compare(
    comparison: Comparison,
    quantity: str = "paths",
    *,
    title: str | None = None,
    x: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    r"""Draw a quantity of every fit side by side, with intervals where there are bootstraps.

    Fits that are not to be trusted have hollow marks, and the legend says why.

    Parameters
    ----------
    comparison
        From `csimodel.compare`, of six fits at most.
    quantity
        ``"paths"``, ``"loadings"``, ``"r2"`` or another quantity of all fits.
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
        When it is no comparison, or has more than six fits.

    Warns
    -----
    CsimodelWarning
        When no installed font has the characters of a name.

    Examples
    --------
    >>> import csimodel as csi
    >>> model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ3 + PERQ5\nV =~ PERV1 + PERV2\nV ~ Q")
    >>> fits = [csi.fit(model, csi.load_mobi(), by) for by in (csi.PLS(), csi.ML())]
    >>> figure = compare(csi.compare(*fits))
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
    ['Q → V']
    """
    if not isinstance(comparison, Comparison):
        raise OptionError(
            f"comparison is a {type(comparison).__name__}; pass the result of "
            "csi.compare(fit, other, …)."
        )
    count = len(comparison.names)
    if count > len(_MARKS):
        raise OptionError(
            f"The comparison has {count} fits and a picture holds {len(_MARKS)}; compare fewer."
        )
    table = comparison.intervals(quantity)
    if not len(table):
        raise OptionError(
            f"The model has no entries of {quantity!r}, so there is nothing to draw; choose "
            "another quantity, such as 'loadings'."
        )
    labels = [_row_name(key, list(table.index.names)) for key in table.index]
    legend = [_reason(name, comparison.doubts[name]) for name in comparison.names]
    axis = _AXES.get(quantity, quantity) if x is None else x
    axis = shown_message(axis)
    family = fonts.families([*labels, *legend, title or "", axis])
    shape = (style.SMALL_SIZE, family)
    labels = [text_metrics.wrap(label, _LABEL_WIDTH, *shape) for label in labels]
    left = (max(text_metrics.measure(label, *shape)[0] for label in labels) + 16) / 72
    legend = [text_metrics.wrap(entry, 72 * (left + _WIDE) - 40, *shape) for entry in legend]
    lines = sum(entry.count("\n") + 1 for entry in legend)
    above = _LINE * lines + 0.1 + (0.3 if title else 0.0)
    each = _STEP * count + 0.16
    height = each * len(labels) + 0.55 + above
    figure, ax = style.take_axes(ax, (left + _WIDE + 0.2, height), (left, 0.2, 0.55, above))
    style.dress(ax, family, grid="x")
    ax.axvline(0, color=style.MUTED, linewidth=1.0, linestyle="-", marker="", zorder=1)
    for edge in range(1, len(labels)):
        ax.axhline(edge - 0.5, color=style.GRID, linewidth=0.7, linestyle="-", marker="", zorder=0)
    for k, name in enumerate(comparison.names):
        at = np.arange(len(labels)) + (k - (count - 1) / 2) * _STEP / each
        own = table[name]
        color = _COLOURS[k]
        ax.hlines(at, own["lower"], own["upper"], color=color, linewidth=1.3, zorder=2)
        hollow = bool(comparison.doubts[name])
        ax.add_line(_mark(k, hollow, own["estimate"].to_numpy(dtype=float), at))
    ends = np.concatenate([table.to_numpy(dtype=float).ravel(), [0.0]])
    low, high = np.nanmin(ends), np.nanmax(ends)
    room = 0.05 * max(high - low, 0.1)
    ax.set_xlim(low - room, high + room)
    _name_rows(ax, labels, family)
    _explain(ax, legend, [bool(comparison.doubts[name]) for name in comparison.names], family, left)
    style.title_axes(ax, family, x=axis)
    if title:
        ax.set_title(
            text_metrics.drawable(title),
            loc="left",
            x=-left / _WIDE,
            pad=72 * (above - 0.28),
            fontproperties=text_metrics.font(family, style.TITLE_SIZE, "bold"),
            parse_math=False,
            usetex=False,
            color=style.INK,
        )
    return figure


def _mark(k: int, hollow: bool, x: np.ndarray, y: np.ndarray) -> Line2D:
    return Line2D(
        x,
        y,
        linestyle="none",
        marker=_MARKS[k],
        markersize=5.5,
        markerfacecolor=style.PAPER if hollow else _COLOURS[k],
        markeredgecolor=_COLOURS[k],
        markeredgewidth=1.4,
        zorder=3,
    )


def _reason(name: str, doubts: tuple[str, ...]) -> str:
    if not doubts:
        return shown_message(name)
    return text("{fit} (hollow, not to be trusted: {reasons})", fit=name, reasons=", ".join(doubts))


def _row_name(key: object, names: list[object]) -> str:
    if not isinstance(key, tuple):
        return str(key)
    if names == ["target", "source"]:
        return f"{key[1]} → {key[0]}"
    if names == ["item", "construct"]:
        return f"{key[0]} ({key[1]})"
    return " · ".join(str(part) for part in key)


def _name_rows(ax: Axes, labels: Sequence[str], family: Sequence[str]) -> None:
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.set_yticks(range(len(labels)), list(labels), parse_math=False, usetex=False)
    ax.tick_params(axis="y", length=0)
    for tick in ax.get_yticklabels():
        tick.set_fontproperties(text_metrics.font(family, style.SMALL_SIZE))


def _explain(
    ax: Axes, texts: Sequence[str], hollow: Sequence[bool], family: Sequence[str], left: float
) -> None:
    """Write the legend above the axes, from the left edge of the figure."""
    nothing = np.array([])
    legend = ax.legend(
        [_mark(k, is_hollow, nothing, nothing) for k, is_hollow in enumerate(hollow)],
        list(texts),
        loc="lower left",
        bbox_to_anchor=(-left / _WIDE, 1.0),
        ncols=1,
        frameon=False,
        borderaxespad=0.3,
        handletextpad=0.3,
        labelspacing=0.35,
        prop=text_metrics.font(family, style.SMALL_SIZE),
        labelcolor=style.INK,
    )
    for entry in legend.get_texts():
        entry.set_parse_math(False)
        entry.set_usetex(False)
