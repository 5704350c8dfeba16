"""Pictures of the satisfaction–repurchase relation: curves, corrections, money, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from csimodel.errors import OptionError
from csimodel.plots import fonts, lettering, style
from csimodel.plots.charts import bounds, check_table, estimate_text
from csimodel.plots.curve import repurchase_curve
from csimodel.plots.repurchase_marks import PALETTE, name_lines, whole_decimals

_ROW = 0.34  # inches per row
_LABEL_WIDTH = 170.0  # widest line of a row's label, points


@runtime_checkable
class HasCurve(Protocol):
    """A result that knows its curve."""

    def curve(self) -> pd.DataFrame:
        """Return columns index, probability, and lower and upper where there is a band."""


def repurchase_curves(
    curves: Mapping[Any, pd.DataFrame | HasCurve],
    *,
    bands: bool = True,
    rug: Any = None,
    x: str = "Satisfaction index (0–100)",
    y: str = "Probability of repurchase",
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw several repurchase curves over each other: segments, or shapes of one relation.

    Parameters
    ----------
    curves
        Name of each and its curve: a table as for `repurchase_curve`, or a result with a
        ``curve()``, such as ``csi.repurchase(…)`` of a segment or ``csi.repurchase_shape(…)``; or
        ``csi.compare_shapes(…).curve()`` as it is. At most 8.
    bands
        Whether to draw confidence bands.
    rug
        Index values of respondents, as in `repurchase_curve`.
    x, y
        Titles of the axes.
    title
        Title of the chart.
    ax
        Axes to draw on; left out, a new figure is made.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    OptionError
        When there is no curve, one is not such a table, or there are more than 8.

    Warns
    -----
    CsimodelWarning
        When no installed font has the characters of a name.

    Examples
    --------
    >>> import pandas as pd
    >>> curve = pd.DataFrame({"index": [0.0, 100], "probability": [0.1, 0.9]})
    >>> other = curve.assign(probability=[0.3, 0.7])
    >>> figure = repurchase_curves({"Banks": curve, "Airlines": other})
    >>> sorted(text.get_text() for text in figure.axes[0].texts)
    ['Airlines', 'Banks']
    """
    tables = _tables(curves)
    names = [str(name) for name in tables]
    family = fonts.families([*names, x, y, title or ""])
    widest = max(lettering.measure(name, style.SMALL_SIZE, family, "bold")[0] for name in names)
    right = min(widest, 150.0) / 72 + 0.35
    figure, ax = style.take_axes(ax, (5.6 + right, 4.2), (0.75, right, 0.6, 0.45 if title else 0.2))
    spans, ends = [], []
    for place, table in enumerate(tables.values()):
        color, dashes = PALETTE[place]
        line = table.sort_values("index")
        drawn = line if bands else line[["index", "probability"]]
        before = len(ax.collections)
        repurchase_curve(drawn, rug=None if place else rug, x=x, y=y, title=title, ax=ax)
        ax.lines[-1].set(color=color, linestyle=dashes, linewidth=1.9)
        if {"lower", "upper"} <= set(drawn.columns):
            ax.collections[before].set(color=color, alpha=0.12, linewidth=0)
        spans.append(ax.get_xlim())
        ends.append(line[["index", "probability"]].dropna().to_numpy(dtype=float)[-1])
    ax.set_xlim(min(low for low, _ in spans), max(high for _, high in spans))
    colors = [color for color, _ in PALETTE[: len(names)]]
    name_lines(ax, names, np.array(ends), colors, family)
    return figure


def _tables(curves: Any) -> dict[Any, pd.DataFrame]:
    if not isinstance(curves, Mapping) or not curves:
        raise OptionError(
            "curves must name each curve, such as {'Banks': banks, 'Airlines': airlines}."
        )
    if len(curves) > len(PALETTE):
        raise OptionError(
            f"curves has {len(curves)} curves, and no more than {len(PALETTE)} can be told apart; "
            "draw some of them, or one figure each."
        )
    tables = {}
    for name, curve in curves.items():
        own = getattr(curve, "curve", None)
        table = curve if own is None or isinstance(curve, pd.DataFrame) else own()
        check_table(table, f"curves[{name!r}]", ["index", "probability"], "a result's curve()")
        tables[name] = table
    return tables


def slopes(
    table: pd.DataFrame,
    *,
    x: str = "Percentage points per index point",
    scale: float = 100.0,
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the same slope by several methods, such as naive against corrected.

    A line through the first makes it easy to see how far the others move it.

    Parameters
    ----------
    table
        Columns method, slope, and lower and upper where there are intervals.
    x
        Title of the axis.
    scale
        What slopes are multiplied by; 100 turns probabilities into percentage points.
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
        When `table` is not such a table.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {
    ...         "method": ["naive", "corrected"],
    ...         "slope": [0.0098, 0.0107],
    ...         "lower": [0.0096, 0.0103],
    ...         "upper": [0.0100, 0.0111],
    ...     }
    ... )
    >>> [text.get_text() for text in slopes(table).axes[0].texts]
    ['0.98 [0.96, 1.00]', '1.07 [1.03, 1.11]']
    """
    check_table(table, "table", ["method", "slope"], "methods, with columns method and slope")
    names = [str(name) for name in table["method"]]
    value = scale * table["slope"].to_numpy(dtype=float)
    lower, upper = (scale * end for end in bounds(table))
    family = fonts.families([*names, x, title or ""])
    figure, ax = _row_axes(ax, names, family, title, right=1.75)
    at = np.arange(len(names), dtype=float)
    style.dress(ax, family, grid="x")
    if np.nanmin([*value, *lower]) <= 0 <= np.nanmax([*value, *upper]):
        ax.axvline(0, color=style.MUTED, linewidth=1.0, linestyle="-", marker="", zorder=1)
    ax.axvline(
        float(value[0]), color=style.BLUE, linewidth=0.9, linestyle=(0, (3, 2)), marker="", zorder=1
    )
    for place in range(len(names)):
        color = style.BLUE if place == 0 else style.VERMILLION
        ax.hlines(at[place], lower[place], upper[place], color=color, linewidth=1.7, zorder=2)
        ax.plot(
            value[place],
            at[place],
            linestyle="none",
            marker="o",
            markersize=6,
            color=color,
            markeredgecolor=style.PAPER,
            zorder=3,
        )
    decimals = whole_decimals(np.concatenate([value, lower, upper]))
    texts = [estimate_text(*ends, decimals) for ends in zip(value, lower, upper, strict=True)]
    _finish_rows(ax, names, texts, family)
    style.title_axes(ax, family, x=x, title=title)
    return figure


def waterfall(
    table: pd.DataFrame,
    *,
    y: str = "",
    totals: Sequence[Any] = (),
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw steps that add up, from a driver to money; every bar starts where the last ended.

    Parameters
    ----------
    table
        Columns step, value (what the step adds), and lower and upper (of the value) where there
        are intervals.
    y
        Title of the axis the values are on, such as a currency.
    totals
        Steps whose value is the sum so far rather than an addition; they stand on zero.
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
        When `table` is not such a table, or a total is not one of its steps.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"step": ["Retention", "Cost", "Net"], "value": [120.0, -45, 75]})
    >>> figure = waterfall(table, totals=["Net"])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['120', '−45', '75']
    """
    check_table(table, "table", ["step", "value"], "steps, with columns step and value")
    names = [str(name) for name in table["step"]]
    unknown = [name for name in map(str, totals) if name not in names]
    if unknown:
        raise OptionError(
            f"totals has {unknown[0]!r}, which is not a step of the table ({', '.join(names)})."
        )
    value = table["value"].to_numpy(dtype=float)
    lower, upper = bounds(table)
    family = fonts.families([*names, y, title or ""])
    figure, ax = _row_axes(ax, names, family, title, right=1.9)
    style.dress(ax, family, grid="x")
    whole = np.array([name in set(map(str, totals)) for name in names])
    start = np.concatenate([[0.0], np.cumsum(np.where(whole, 0.0, value))[:-1]])
    start = np.where(whole, 0.0, start)
    at = np.arange(len(names), dtype=float)
    colors = [
        style.INK if total else style.BLUE if step >= 0 else style.VERMILLION
        for total, step in zip(whole, value, strict=True)
    ]
    ax.barh(at, value, left=start, height=0.6, color=colors, alpha=0.8, linewidth=0, zorder=2)
    ends = start + value
    ax.vlines(ends[:-1], at[:-1] + 0.3, at[1:] - 0.3, color=style.MUTED, linewidth=0.9, zorder=1)
    ax.hlines(at, start + lower, start + upper, color=style.INK, linewidth=1.2, zorder=3)
    ax.axvline(0, color=style.MUTED, linewidth=1.0, linestyle="-", marker="", zorder=1)
    decimals = whole_decimals(value)
    texts = [estimate_text(*cells, decimals) for cells in zip(value, lower, upper, strict=True)]
    _finish_rows(ax, names, texts, family)
    style.title_axes(ax, family, x=y, title=title)
    return figure


def calibration_plot(
    calibration: Any,
    *,
    x: str = "Predicted probability",
    y: str = "Observed share",
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw what happened over what was predicted; on the diagonal, predictions come true.

    Parameters
    ----------
    calibration
        The result of ``csi.calibration(…)``: its groups are drawn as marks with intervals, its
        smooth curve with a band; or its `table` alone (columns predicted and observed, and lower
        and upper where there are intervals).
    x, y
        Titles of the axes.
    title
        Title of the chart.
    ax
        Axes to draw on; left out, a new figure is made.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    OptionError
        When it is not such a result or table.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"predicted": [0.2, 0.5, 0.8], "observed": [0.25, 0.5, 0.75]})
    >>> len(calibration_plot(table).axes[0].lines)
    2
    """
    alone = isinstance(calibration, pd.DataFrame)
    table = calibration if alone else getattr(calibration, "table", calibration)
    check_table(table, "calibration", ["predicted", "observed"], "csi.calibration(rep), or it")
    family = fonts.families([x, y, title or ""])
    figure, ax = style.take_axes(ax, (4.6, 4.5), (0.75, 0.2, 0.6, 0.45 if title else 0.2))
    style.dress(ax, family, grid="y")
    ax.plot([0, 1], [0, 1], color=style.MUTED, linewidth=1.0, linestyle=(0, (4, 3)), marker="")
    if table is not calibration:
        curve = calibration.curve().astype(float)
        at, low, high = (curve[name].to_numpy() for name in ("predicted", "lower", "upper"))
        ax.fill_between(at, low, high, color=style.BLUE, alpha=0.15, linewidth=0, zorder=1)
        observed = curve["observed"].to_numpy()
        ax.plot(at, observed, color=style.BLUE, linewidth=1.8, linestyle="-", marker="", zorder=2)
    predicted, happened = (table[name].to_numpy(dtype=float) for name in ("predicted", "observed"))
    ax.vlines(predicted, *bounds(table), color=style.VERMILLION, linewidth=1.2, zorder=3)
    ax.plot(
        predicted,
        happened,
        linestyle="none",
        marker="o",
        markersize=5.5,
        color=style.VERMILLION,
        markeredgecolor=style.PAPER,
        zorder=4,
    )
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(0.0, 1.0)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    style.title_axes(ax, family, x=x, y=y, title=title)
    return figure


def _row_axes(
    ax: Axes | None, names: Sequence[str], family: Sequence[str], title: str | None, right: float
) -> tuple[Figure, Axes]:
    """Return axes with a row for each name and room beside them."""
    shape = (style.SMALL_SIZE, family)
    wrapped = [lettering.wrap(name, _LABEL_WIDTH, *shape) for name in names]
    sizes = [lettering.measure(name, *shape) for name in wrapped]
    left = (max(width for width, _ in sizes) + 16) / 72
    each = max(_ROW, (max(height for _, height in sizes) + 8) / 72)
    top = 0.2 + (0.3 if title else 0.0)
    height = each * len(names) + 0.55 + top
    return style.take_axes(ax, (left + 3.6 + right, height), (left, right, 0.55, top))


def _finish_rows(
    ax: Axes, names: Sequence[str], texts: Sequence[str], family: Sequence[str]
) -> None:
    """Name the rows from top to bottom, with their numbers at the right."""
    shape = (style.SMALL_SIZE, family)
    ax.set_ylim(len(names) - 0.4, -0.6)
    wrapped = [lettering.wrap(name, _LABEL_WIDTH, *shape) for name in names]
    ax.set_yticks(range(len(names)), wrapped, parse_math=False, usetex=False)
    ax.tick_params(axis="y", length=0)
    for tick in ax.get_yticklabels():
        tick.set_fontproperties(lettering.font(family, style.SMALL_SIZE))
    for place, text in enumerate(texts):
        style.write(
            ax,
            1.02,
            place,
            text,
            family=family,
            size=style.SMALL_SIZE,
            transform=ax.get_yaxis_transform(),
            va="center_baseline",
            ha="left",
        )
