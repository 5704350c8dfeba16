"""Money in steps: what adds up, and how a driver becomes money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter

from csimodel.arguments import checked
from csimodel.errors import OptionError
from csimodel.findings import text
from csimodel.floats import own_errstate
from csimodel.formatting import bracketed, percent_sign
from csimodel.outcomes.money.row import row_title, unit_title
from csimodel.plots import fonts, style, text_metrics
from csimodel.plots.charts import bounds, check_table
from csimodel.plots.rows import finish_rows, row_axes, whole_decimals
from csimodel.translation import shown_message


@own_errstate
@checked
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
    figure, ax = row_axes(ax, names, family, title, right=1.9)
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
    texts = [bracketed(*cells, decimals) for cells in zip(value, lower, upper, strict=True)]
    finish_rows(ax, names, texts, family)
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
    ax.xaxis.set_major_locator(MaxNLocator(5))
    style.title_axes(ax, family, x=y, title=title)
    return figure


@own_errstate
@checked
def money_steps(money: Any, *, title: str | None = None, ax: Axes | None = None) -> Figure:
    """Draw how a change becomes money, step by step, and how uncertain each step is.

    Steps have different units, so every bar is its own estimate at the same length, and the mark
    on it is the interval relative to it: it shows how the uncertainty grows from step to step.
    The numbers stand at the right. A step that repeats the one before it is left out.

    Parameters
    ----------
    money
        A change: from ``csi.money.profit_of_driver``, ``profit_of_change`` or
        ``profit_of_retention``.
    title
        Title of the chart; the result's own by default.
    ax
        Axes to draw on; left out, a new figure of fitting height is made.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    OptionError
        When it is no such result.

    Examples
    --------
    >>> import csimodel as csi
    >>> terms = csi.money.Economics(margin=100, currency="EUR", period="year", discount_rate=0.1)
    >>> figure = money_steps(csi.money.profit_of_retention(0.75, 0.80, terms))
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['+5.00 percentage points per year', '+5.00 EUR per year', '+52.4 EUR']
    """
    table = getattr(money, "table", None)
    if not isinstance(table, pd.DataFrame) or not {"start", "end", "unit"} <= set(table.columns):
        raise OptionError(
            "money_steps draws a change, such as csi.money.profit_of_driver(…) or "
            "csi.money.profit_of_change(…)."
        )
    before = table[["estimate", "lower", "upper"]].shift()
    repeated = before.eq(table[before.columns]) | (before.isna() & table[before.columns].isna())
    shown = table[~repeated.all(axis=1) & table["estimate"].ne(0)]
    names = [row_title(str(name)) for name in shown.index]
    value = shown["estimate"].to_numpy(dtype=float)
    lower, upper = (shown[end].to_numpy(dtype=float) for end in ("lower", "upper"))
    texts = [
        _amount(*cells) for cells in zip(value, lower, upper, shown["unit"].map(str), strict=True)
    ]
    title = shown_message(money.title) if title is None else title
    family = fonts.families([*names, *texts, title])
    room = max(text_metrics.measure(text, style.SMALL_SIZE, family)[0] for text in texts) / 72 + 0.3
    figure, ax = row_axes(ax, names, family, title, right=room)
    style.dress(ax, family, grid="x")
    at = np.arange(len(names), dtype=float)
    colors = [style.BLUE] * (len(names) - 1) + [style.VERMILLION]
    ax.barh(at, np.ones(len(at)), height=0.6, color=colors, alpha=0.75, linewidth=0, zorder=2)
    ends = np.sort(np.stack([lower / value, upper / value]), axis=0)
    ax.hlines(at, *ends, color=style.INK, linewidth=1.6, zorder=3)
    for side in ends:
        ax.vlines(side, at - 0.14, at + 0.14, color=style.INK, linewidth=1.6, zorder=3)
    ax.axvline(0, color=style.MUTED, linewidth=1.0, linestyle="-", marker="", zorder=1)
    reach = np.concatenate([[0.0, 1.0], ends[np.isfinite(ends)]])
    ax.set_xlim(reach.min() - 0.02, reach.max() + 0.05)
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, symbol=percent_sign()))
    finish_rows(ax, names, texts, family)
    style.title_axes(ax, family, x=text("Share of the estimate"), title=title)
    return figure


def _amount(value: float, lower: float, upper: float, unit: str) -> str:
    """Return a change with its sign, interval and unit."""
    if unit == "probability" or unit.startswith("share"):
        value, lower, upper = 100 * value, 100 * lower, 100 * upper
        unit = unit.replace("probability", "percentage points").replace(
            "share", "percentage points"
        )
    unit = unit_title(unit)
    decimals = whole_decimals(np.array([value]))
    told = bracketed(value, lower, upper, decimals)
    return f"{'+' if value > 0 else ''}{told} {unit}"
