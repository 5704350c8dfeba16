"""The repurchase curve: the probability of repurchase over the index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from csimodel.arguments import checked
from csimodel.errors import OptionError
from csimodel.findings import text
from csimodel.floats import own_errstate
from csimodel.formatting import number, percent_sign
from csimodel.options import require_numbers
from csimodel.plots import fonts, style
from csimodel.plots.charts import check_table
from csimodel.plots.labels import Array
from csimodel.plots.points import name_points, on_paper
from csimodel.translation import message, shown_message


@own_errstate
@checked
def repurchase_curve(
    curve: pd.DataFrame,
    *,
    points: Iterable[float] | Mapping[float, float] | None = None,
    rug: Any = None,
    x: str = message("Satisfaction index (0–100)"),
    y: str = message("Probability of repurchase"),
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the probability of repurchase over the index, with its confidence band.

    Parameters
    ----------
    curve
        Columns index (0–100), probability, and lower and upper where there is a band.
    points
        Index values to mark, such as ``(67, 70)``, read off the curve; or a Series or dict
        of their probabilities.
    rug
        Index values of respondents, drawn as ticks at the bottom; darker where there are more.
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
        When `curve` is not such a table, or a point lies outside the curve.

    Warns
    -----
    CsimodelWarning
        When no installed font has the characters of a title.

    Examples
    --------
    >>> import pandas as pd
    >>> curve = pd.DataFrame({"index": [0.0, 50, 100], "probability": [0.1, 0.4, 0.9]})
    >>> figure = repurchase_curve(curve, points=[50])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['50: 40.0 %']
    """
    x, y = shown_message(x), shown_message(y)
    check_table(curve, "curve", ["index", "probability"], "the curve of csimodel.repurchase(…)")
    line = curve.sort_values("index")
    index = line["index"].to_numpy(dtype=float)
    probability = line["probability"].to_numpy(dtype=float)
    marked = _marked(points, index, probability)
    family = fonts.families([x, y, title or ""])
    figure, ax = style.take_axes(ax, (6.2, 4.2), (0.75, 0.25, 0.6, 0.45 if title else 0.2))
    style.dress(ax, family, grid="y")
    if {"lower", "upper"} <= set(line.columns):
        lower, upper = (line[name].to_numpy(dtype=float) for name in ("lower", "upper"))
        ax.fill_between(index, lower, upper, color=style.BLUE, alpha=0.18, linewidth=0, zorder=1)
    ax.plot(index, probability, color=style.BLUE, linewidth=2.0, linestyle="-", marker="", zorder=3)
    ax.set_xlim(float(index.min()), float(index.max()))
    ax.set_ylim(0, 1)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=percent_sign()))
    if rug is not None:
        _draw_rug(ax, rug)
    style.title_axes(ax, family, x=x, y=y, title=title)
    _mark(ax, marked, np.column_stack([index, probability]), family)
    return figure


def _marked(points: Any, index: Array, probability: Array) -> Array:
    """Return the points to mark, (points, 2): index and probability."""
    if points is None:
        return np.zeros((0, 2))
    known = isinstance(points, (Mapping, pd.Series))
    what = "levels of the index"
    where = require_numbers("points", list(points.keys()) if known else points, what)
    outside = where[~((where >= index.min()) & (where <= index.max()))]
    if len(outside):
        raise OptionError(
            f"points has {outside[0]:g}, which the curve does not reach "
            f"(it goes from {index.min():g} to {index.max():g}); choose a point on it."
        )
    if known:
        values = require_numbers("points", [points[key] for key in points.keys()], what)  # noqa: SIM118
    else:
        values = np.interp(where, index, probability)
    return np.column_stack([where, values])


def _draw_rug(ax: Axes, rug: Any) -> None:
    values = require_numbers("rug", rug, "the index of respondents, 0–100")
    values = values[np.isfinite(values)]
    if not len(values):
        raise OptionError("rug has no finite value; pass the index of respondents, 0–100.")
    # Ticks closer than a tenth of a point print as one; its opacity says how many they are.
    spots, counts = np.unique(np.round(values, 1), return_counts=True)
    ticks = [[(float(spot), 0.0), (float(spot), 0.03)] for spot in spots]
    opacity = 0.2 + 0.7 * np.sqrt(counts / counts.max())
    colors = [(0.12, 0.16, 0.2, float(alpha)) for alpha in opacity]
    lines = LineCollection(
        ticks, colors=colors, linewidths=0.8, transform=ax.get_xaxis_transform(), zorder=2
    )
    ax.add_collection(lines, autolim=False)


def _mark(ax: Axes, marked: Array, curve: Array, family: list[str]) -> None:
    """Mark points on the curve, with thin lines to the axis and labels off the curve."""
    if not len(marked):
        return
    ax.vlines(
        marked[:, 0], 0, marked[:, 1], color=style.VERMILLION, linewidth=0.9, linestyle=(0, (3, 2))
    )
    ax.plot(
        marked[:, 0],
        marked[:, 1],
        linestyle="none",
        marker="o",
        markersize=6.5,
        color=style.VERMILLION,
        markeredgecolor=style.PAPER,
        zorder=5,
    )
    names = [
        text("{place:g}: {share}", place=where, share=f"{number(100 * value)}{percent_sign()}")
        for where, value in marked
    ]
    grid = np.linspace(curve[0, 0], curve[-1, 0], 200)
    drawn = np.column_stack([grid, np.interp(grid, curve[:, 0], curve[:, 1])])
    along = on_paper(ax, drawn)
    marks, axis = on_paper(ax, marked), on_paper(ax, marked * np.array([1.0, 0.0]))
    drops = np.concatenate([axis - 1.5, marks + 1.5], axis=1)
    taken = np.concatenate([along - 1.5, along + 1.5], axis=1)
    name_points(ax, marked, names, family, np.concatenate([taken, drops]))
