"""What happened over what was predicted."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from csimodel.arguments import checked
from csimodel.floats import own_errstate
from csimodel.formatting import percent_sign
from csimodel.plots import fonts, style
from csimodel.plots.charts import bounds, check_table
from csimodel.translation import message, shown_message


@own_errstate
@checked
def calibration(
    result: Any,
    *,
    x: str = message("Predicted probability"),
    y: str = message("Observed share"),
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw what happened over what was predicted; on the diagonal, predictions come true.

    Parameters
    ----------
    result
        The result of ``csi.outcomes.calibration(…)``: its groups are drawn as marks with intervals,
        its smooth curve with a band; or its `table` alone (columns predicted and observed, and
        lower and upper where there are intervals).
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
    >>> len(calibration(table).axes[0].lines)
    2
    """
    x, y = shown_message(x), shown_message(y)
    alone = isinstance(result, pd.DataFrame)
    table = result if alone else getattr(result, "table", result)
    check_table(table, "result", ["predicted", "observed"], "csi.outcomes.calibration(rep), or it")
    family = fonts.families([x, y, title or ""])
    figure, ax = style.take_axes(ax, (4.6, 4.5), (0.75, 0.2, 0.6, 0.45 if title else 0.2))
    style.dress(ax, family, grid="y")
    ax.plot([0, 1], [0, 1], color=style.MUTED, linewidth=1.0, linestyle=(0, (4, 3)), marker="")
    if table is not result:
        curve = result.curve()[["predicted", "observed", "lower", "upper"]].astype(float)
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
        axis.set_major_formatter(PercentFormatter(1.0, symbol=percent_sign()))
    style.title_axes(ax, family, x=x, y=y, title=title)
    return figure
