"""The same slope by several methods, such as naive against corrected."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csimodel.arguments import checked
from csimodel.floats import own_errstate
from csimodel.formatting import bracketed
from csimodel.outcomes.measurement_error.result import LABELS, CorrectedSlopes
from csimodel.plots import fonts, style
from csimodel.plots.charts import bounds, check_table
from csimodel.plots.rows import finish_rows, row_axes, whole_decimals
from csimodel.translation import gettext, message, shown_message


@own_errstate
@checked
def slopes(
    table: CorrectedSlopes | pd.DataFrame,
    *,
    x: str = message("Percentage points per index point"),
    scale: float = 100.0,
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the same slope by several methods, such as naive against corrected.

    A line through the first makes it easy to see how far the others move it.

    Parameters
    ----------
    table
        The result of ``csi.outcomes.corrected_slopes(…)``, of which the average marginal effects of
        the first index are drawn; or columns method, slope, and lower and upper where there are
        intervals.
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
    x = shown_message(x)
    if isinstance(table, CorrectedSlopes):
        table = _effects(table)
    check_table(table, "table", ["method", "slope"], "methods, with columns method and slope")
    names = [
        shown_message(name) if isinstance(name, str) else str(name) for name in table["method"]
    ]
    value = scale * table["slope"].to_numpy(dtype=float)
    lower, upper = (scale * end for end in bounds(table))
    family = fonts.families([*names, x, title or ""])
    figure, ax = row_axes(ax, names, family, title, right=1.75)
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
    texts = [bracketed(*ends, decimals) for ends in zip(value, lower, upper, strict=True)]
    finish_rows(ax, names, texts, family)
    style.title_axes(ax, family, x=x, title=title)
    return figure


def _effects(slopes: CorrectedSlopes) -> pd.DataFrame:
    """Return the effects of the first index by method, those without a solution left out."""
    own = slopes.table[slopes.table["index"] == slopes.indexes[0]]
    own = own[np.isfinite(own["average_marginal_effect"])]
    names = [gettext(LABELS[name]) for name in own["method"]]
    return pd.DataFrame(
        {
            "method": names,
            "slope": own["average_marginal_effect"],
            "lower": own["lower"],
            "upper": own["upper"],
        }
    )
