"""The importance–performance map: how large effects are, and how much room is left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csimodel.arguments import checked
from csimodel.errors import OptionError
from csimodel.findings import text
from csimodel.floats import own_errstate
from csimodel.measures.importance import StatedImportance
from csimodel.plots import fonts, style, text_metrics
from csimodel.plots.charts import check_table
from csimodel.plots.labels import Array
from csimodel.plots.points import frame, name_points, on_paper
from csimodel.translation import gettext, message

_QUADRANTS = {
    (1, 0): message("Larger effect, lower index"),
    (1, 1): message("Larger effect, higher index"),
    (0, 0): message("Smaller effect, lower index"),
    (0, 1): message("Smaller effect, higher index"),
}

_STATED_QUADRANTS = {
    (1, 0): message("Concentrate here"),
    (1, 1): message("Keep up the good work"),
    (0, 0): message("Low priority"),
    (0, 1): message("Possible overkill"),
}

_LEAST_SPAN = 10.0  # index points shown, so that a small difference looks small


@own_errstate
@checked
def importance_performance(
    importance: pd.DataFrame | pd.Series[float] | StatedImportance,
    performance: pd.Series[float] | None = None,
    *,
    target: str | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the importance–performance map of a target construct, or of stated importance.

    Right means that a point more there gains more of the target (or that customers call it more
    important); up means that customers are more content with it already. The lines are at the
    means of the points shown.

    Parameters
    ----------
    importance
        Unstandardised total effects on the target, index points per index point, by
        construct; or the table of `csimodel.importance_performance` with the columns
        importance and performance; or what customers state, from
        `csimodel.measures.stated_importance`.
    performance
        Index of each construct, 0–100; left out when `importance` is the table or what is stated.
    target
        The target construct of the effects, for the title of the axis; none of what is stated.
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
        When the two do not belong together, or effects have no target.

    Warns
    -----
    CsimodelWarning
        When no installed font has the characters of a name.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {"importance": [0.6, 0.2], "performance": [70.0, 62.0]}, index=["Quality", "Value"]
    ... )
    >>> figure = importance_performance(table, target="Satisfaction")
    >>> figure.axes[0].get_ylabel()
    'Index now (0–100)'
    """
    table = _stated(importance, performance, target)
    stated = table is not None
    if table is None:
        table = _map_table(importance, performance)
        if target is None:
            raise OptionError(
                "target=None does not say whose effects these are; name the construct, as in "
                "target='Satisfaction'."
            )
    names = [str(name) for name in table.index]
    family = fonts.families([*names, target or "", title or ""])
    figure, ax = style.take_axes(ax, (6.4, 4.8), (0.7, 0.25, 0.75, 0.45 if title else 0.2))
    style.dress(ax, family, grid="none")
    x, y = table["importance"].to_numpy(dtype=float), table["performance"].to_numpy(dtype=float)
    ax.set_xlim(*_padded(x, 0.16))
    ax.set_ylim(*_padded(y, 0.2, _LEAST_SPAN))
    mean = np.array([x.mean(), y.mean()])
    dashes: dict[str, Any] = {"linestyle": (0, (4, 3)), "linewidth": 0.9, "marker": ""}
    dashes["color"] = style.MUTED
    ax.axvline(float(mean[0]), zorder=1, **dashes)
    ax.axhline(float(mean[1]), zorder=1, **dashes)
    ax.plot(
        x,
        y,
        linestyle="none",
        marker="o",
        markersize=8,
        color=style.BLUE,
        markeredgecolor=style.PAPER,
        zorder=4,
    )
    (left, bottom), (right, top) = frame(ax)
    across, up = on_paper(ax, mean)
    cross = np.array([[across - 1, bottom, across + 1, top], [left, up - 1, right, up + 1]])
    quadrants = _STATED_QUADRANTS if stated else _QUADRANTS
    taken = np.concatenate([_name_quadrants(ax, family, quadrants), cross])
    name_points(ax, np.column_stack([x, y]), names, family, taken)
    words = (
        text("Importance that customers state (0–100)")
        if stated
        else text(
            "Estimated effect: points of {target} that go with 1 point more of the construct's "
            "index",
            target=target,
        )
    )
    style.title_axes(
        ax,
        family,
        x=text_metrics.wrap(words, float(right - left), style.TEXT_SIZE, family),
        y=text("Performance now (0–100)") if stated else text("Index now (0–100)"),
        title=title,
    )
    return figure


def _stated(importance: object, performance: object, target: str | None) -> pd.DataFrame | None:
    """Return importance and performance that customers state, or None of estimated effects.

    Raises
    ------
    OptionError
        When effects are named beside what is stated, there are groups, or nobody answered.
    """
    if not isinstance(importance, StatedImportance):
        return None
    if performance is not None or target is not None:
        raise OptionError(
            "What customers state holds importance and performance, and has no target; leave "
            "performance= and target= out."
        )
    if importance.groups is not None:
        raise OptionError(
            "A map is of one group, and importance is of several; make it without by=, of the "
            "group's rows."
        )
    table = importance.standing[["importance", "performance"]].dropna()
    if not len(table):
        raise OptionError("No attribute has a stated importance and a performance.")
    return table


def _map_table(importance: object, performance: object) -> pd.DataFrame:
    source = "csimodel.importance_performance(fit, target)"
    if performance is None:
        check_table(importance, "importance", ["importance", "performance"], source)
        assert isinstance(importance, pd.DataFrame)
        table = importance[["importance", "performance"]]
    else:
        for option, given in (("importance", importance), ("performance", performance)):
            if not isinstance(given, pd.Series):
                raise OptionError(
                    f"{option} is a {type(given).__name__}; pass two Series by construct, "
                    f"or the one DataFrame of {source}."
                )
        assert isinstance(importance, pd.Series)
        assert isinstance(performance, pd.Series)
        unknown = [str(name) for name in importance.index if name not in performance.index]
        if unknown:
            raise OptionError(
                f"performance has no value for {unknown[0]!r}; "
                "give it the constructs that importance has."
            )
        table = pd.DataFrame(
            {"importance": importance, "performance": performance.loc[importance.index]}
        )
        check_table(table, "importance", [], source)
    unusable = table.index[~np.isfinite(table.to_numpy(dtype=float)).all(axis=1)]
    if len(unusable):
        raise OptionError(
            f"{unusable[0]!r} has an importance or performance that is not a finite number; "
            "leave it out of the map."
        )
    return table


def _padded(values: Array, share: float, least: float = 0.0) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    short = max(least - (high - low), 0.0) / 2.0
    low, high = low - short, high + short
    room = (high - low or max(abs(high), 1.0) * 0.2) * share
    return low - room, high + room


def _name_quadrants(ax: Axes, family: list[str], quadrants: Mapping[tuple[int, int], str]) -> Array:
    """Write what each corner means; return the rectangles, in points."""
    boxes = []
    low, high = frame(ax)
    for (right, top), corner in quadrants.items():
        words = gettext(corner).replace(": ", ":\n")
        x, y = (0.985 if right else 0.015), (0.98 if top else 0.02)
        style.write(
            ax,
            x,
            y,
            words,
            family=family,
            size=style.TINY_SIZE,
            color=style.MUTED,
            transform=ax.transAxes,
            ha="right" if right else "left",
            va="top" if top else "bottom",
            zorder=2,
        )
        width, height = text_metrics.measure(words, style.TINY_SIZE, family)
        corner = low + (high - low) * np.array([x, y])
        start = corner - np.array([width if right else 0.0, height if top else 0.0])
        boxes.append(np.concatenate([start, start + np.array([width, height])]))
    return np.array(boxes)
