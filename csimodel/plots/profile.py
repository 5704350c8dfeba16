"""Profiles of brands over attributes: the snake plot."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csimodel.arguments import checked
from csimodel.errors import OptionError
from csimodel.floats import own_errstate
from csimodel.formatting import label
from csimodel.plots import fonts, style
from csimodel.plots.charts import check_table
from csimodel.plots.direct_labels import PALETTE
from csimodel.plots.rows import finish_rows, row_axes
from csimodel.translation import message, shown_message

_KEY = 0.2  # inches of a line of the key


@own_errstate
@checked
def profile(
    table: pd.DataFrame,
    *,
    x: str = message("Mean rating"),
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the profile of each group over the attributes, a line from row to row (snake plot).

    Parameters
    ----------
    table
        Column estimate and rows (group, attribute), as the table of `csi.measures.comparison` or
        the ``attributes`` of `csi.measures.satisfaction_level`; of one group rows attributes.
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
        When `table` is not such a table, or there are more groups than can be told apart.

    Examples
    --------
    >>> import csimodel as csi
    >>> frame = pd.DataFrame({"brand": ["a", "a", "b"], "taste": [7, 8, 4], "look": [5, 6, 7]})
    >>> compared = csi.measures.comparison(frame, ["taste", "look"], by="brand")
    >>> [text.get_text() for text in profile(compared.table).axes[0].texts]
    ['a', 'b']
    """
    x = shown_message(x)
    check_table(table, "table", ["estimate"], "csimodel.measures.comparison(data, items, by=…)")
    items = [label(key[-1] if isinstance(key, tuple) else key) for key in table.index]
    groups = [label(key[:-1]) if isinstance(key, tuple) else "" for key in table.index]
    rows, names = list(dict.fromkeys(items)), list(dict.fromkeys(groups))
    if len(names) > len(PALETTE):
        raise OptionError(
            f"table has {len(names)} groups, and no more than {len(PALETTE)} can be told apart; "
            "draw fewer of them at a time."
        )
    family = fonts.families([*rows, *names, x, title or ""])
    room = [*rows, *[""] * (len(names) - len(rows))]
    figure, ax = row_axes(ax, room, family, title, right=1.75)
    style.dress(ax, family, grid="x")
    estimate = table["estimate"].to_numpy(dtype=float)
    at = np.array([rows.index(item) for item in items], dtype=float)
    for place, name in enumerate(names):
        own = np.array([group == name for group in groups])
        color, dashes = PALETTE[place]
        ax.plot(
            estimate[own],
            at[own],
            color=color,
            linestyle=dashes,
            linewidth=1.6,
            marker="o",
            markersize=5,
            markeredgecolor=style.PAPER,
            zorder=3,
        )
    finish_rows(ax, rows, [], family)
    height = ax.get_position().height * figure.get_size_inches()[1]
    for place, name in enumerate(names):
        style.write(
            ax,
            1.03,
            1.0 - (place + 0.5) * _KEY / height,
            name,
            family=family,
            size=style.SMALL_SIZE,
            weight="bold",
            color=PALETTE[place][0],
            transform=ax.transAxes,
            va="center_baseline",
            ha="left",
        )
    style.title_axes(ax, family, x=x, title=title)
    return figure
