"""The Lorenz curve of sales over customers."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csimodel.arguments import checked
from csimodel.findings import text
from csimodel.floats import own_errstate
from csimodel.formatting import number
from csimodel.measures.abc_analysis import AbcClasses
from csimodel.plots import fonts, style
from csimodel.translation import message, shown_message


@own_errstate
@checked
def lorenz(
    result: AbcClasses,
    *,
    x: str = message("Share of customers, the smallest first"),
    y: str = message("Share of sales"),
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the Lorenz curve of sales over customers, with the line of equal sales.

    Parameters
    ----------
    result
        From `csi.measures.abc_classes`.
    x, y
        Titles of the axes.
    title
        Title of the chart.
    ax
        Axes to draw on; left out, a new figure is made.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import pandas as pd
    >>> import csimodel as csi
    >>> result = csi.measures.abc_classes(pd.DataFrame({"sales": [1, 3]}), "sales")
    >>> lorenz(result).axes[0].lines[1].get_ydata().tolist()
    [0.0, 0.25, 1.0]
    """
    x, y = shown_message(x), shown_message(y)
    family = fonts.families([x, y, title or ""])
    top = 0.2 + (0.3 if title else 0.0)
    figure, ax = style.take_axes(ax, (4.4, 3.9 + top), (0.7, 0.2, 0.6, top))
    style.dress(ax, family, grid="y")
    ax.plot([0, 1], [0, 1], color=style.MUTED, linewidth=1.0, linestyle="-", marker="", zorder=1)
    curve = result.lorenz
    customers, sales = (curve[name].to_numpy(dtype=float) for name in ("customers", "sales"))
    ax.plot(customers, sales, color=style.BLUE, linewidth=1.8, linestyle="-", marker="", zorder=3)
    ax.fill_between(customers, sales, customers, color=style.BLUE, alpha=0.12, linewidth=0)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    gini = float(result.gini["estimate"].iloc[0])
    style.write(
        ax, 0.06, 0.9, text("Gini {gini}", gini=number(gini, 2)), family=family, weight="bold"
    )
    style.title_axes(ax, family, x=x, y=y, title=title)
    return figure
