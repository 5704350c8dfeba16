"""Scores over the periods with their intervals, and the level behind them with its band."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from csimodel.arguments import checked
from csimodel.errors import OptionError, choose, suggest
from csimodel.findings import counted, listed, text
from csimodel.floats import own_errstate
from csimodel.formatting import label
from csimodel.index.programme import Programme
from csimodel.options import require_count, require_names
from csimodel.plots import fonts, style, text_metrics
from csimodel.plots.direct_labels import PALETTE, name_lines
from csimodel.plots.labels import Array

_PANEL = (1.75, 1.3)  # inches of a small panel


@own_errstate
@checked
def trend(
    programme: Programme,
    level: str = "all",
    units: str | Sequence[str] | None = None,
    *,
    construct: str | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw units over the periods: dots with intervals, and the level behind them with its band.

    A ring marks a score that is further from those before it than usual moves and errors explain.

    Parameters
    ----------
    programme
        From `csi.programme`.
    level
        Whose units; the whole by default.
    units
        Names of up to 8 of them; by default the first.
    construct
        Whose index; that of the programme by default.
    title
        Title of the chart.
    ax
        Axes to draw on.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    OptionError
        For an unknown level or unit, or more units than can be told apart.

    Examples
    --------
    >>> import csimodel as csi
    >>> drawn = csi.simulate.programme(2, 4, 40, rng=1, industries=1, sectors=1)
    >>> waves = csi.programme(drawn.model, drawn.survey, "firm", "period")
    >>> trend(waves, "firm").axes[0].get_ylabel()
    'Satisfaction (0–100)'
    """
    name = programme.chosen_construct(construct)
    every = _units_of(programme, level)
    given = require_names("units", units, "unit") if units is not None else every[: len(PALETTE)]
    unknown = [unit for unit in given if unit not in every]
    if unknown:
        raise OptionError(
            f"units names {unknown[0]!r}, which is not of level {level}"
            f"{suggest(unknown[0], every)}; its units are {listed(every)}."
        )
    if len(given) > len(PALETTE):
        raise OptionError(
            f"units names {len(given)} units, and no more than {len(PALETTE)} can be told apart; "
            "draw fewer of them, or csi.plots.small_multiples(programme, level)."
        )
    label_of_axis = f"{name} (0–100)"
    family = fonts.families([*given, label_of_axis, title or "", *_periods(programme)])
    room = 0.3 if len(given) == 1 else 1.7
    top = 0.2 + (0.3 if title else 0.0)
    figure, ax = style.take_axes(ax, (3.9 + room, 3.0 + top), (0.65, room, 0.6, top))
    style.dress(ax, family, grid="y")
    ends = []
    for unit, (color, dashes) in zip(given, PALETTE, strict=False):
        ends.append(_draw_unit(ax, programme, (level, unit, name), color, dashes))
    _name_periods(ax, programme, family)
    if len(given) > 1:
        colors = [PALETTE[place][0] for place in range(len(given))]
        name_lines(ax, given, np.array(ends), colors, family)
    style.title_axes(ax, family, y=label_of_axis, title=title)
    return figure


@own_errstate
@checked
def small_multiples(
    programme: Programme,
    level: str | None = None,
    *,
    construct: str | None = None,
    most: int = 24,
    title: str | None = None,
) -> Figure:
    """Draw a small panel for each unit of a level, with the whole in grey, all on one scale.

    Parameters
    ----------
    programme
        From `csi.programme`.
    level
        Whose units; by default the level above the lowest, as industries.
    construct
        Whose index; that of the programme by default.
    most
        Of more units the first half and the last half by their last score are drawn, and those
        between counted.
    title
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    OptionError
        For an unknown level.

    Examples
    --------
    >>> import csimodel as csi
    >>> drawn = csi.simulate.programme(4, 3, 40, rng=1, industries=2, sectors=1)
    >>> waves = csi.programme(drawn.model, drawn.survey, ["industry", "firm"], "period")
    >>> [ax.get_title(loc="left") for ax in small_multiples(waves).axes]
    ['Industry 02', 'Industry 01']
    """
    name = programme.chosen_construct(construct)
    levels = programme.hierarchy.levels
    chosen = (levels[-2] if len(levels) > 1 else levels[-1]) if level is None else level
    units = _by_last_score(programme, chosen, name)
    most = require_count("most", most, least=2)
    left_out = max(0, len(units) - most)
    if left_out:
        units = [*units[: most - most // 2], *units[len(units) - most // 2 :]]
    heading = title or name
    if left_out:
        heading = counted(
            left_out,
            "{heading} (highest and lowest; {count:,} unit between left out)",
            "{heading} (highest and lowest; {count:,} units between left out)",
            heading=heading,
        )
    family = fonts.families([*units, heading, *_periods(programme)])
    columns = int(min(len(units), max(2, np.ceil(np.sqrt(1.4 * len(units))))))
    rows = int(np.ceil(len(units) / columns))
    wide, tall = columns * (_PANEL[0] + 0.25) + 0.7, rows * (_PANEL[1] + 0.45) + 0.75
    figure = style.new_figure(wide, tall)
    low, high = _scale(programme, chosen, name, units)
    for place, unit in enumerate(units):
        row, column = divmod(place, columns)
        left = 0.5 + column * (_PANEL[0] + 0.25)
        bottom = tall - 0.55 - (row + 1) * (_PANEL[1] + 0.45) + 0.2
        ax = figure.add_axes((left / wide, bottom / tall, _PANEL[0] / wide, _PANEL[1] / tall))
        style.dress(ax, family, grid="y")
        _draw_whole(ax, programme, name)
        _draw_unit(ax, programme, (chosen, unit, name), *PALETTE[0])
        ax.set_ylim(low, high)
        ax.yaxis.set_major_locator(MaxNLocator(4))
        _name_periods(ax, programme, family)
        if column:
            ax.tick_params(labelleft=False)
        style.title_axes(ax, family)
        short = text_metrics.wrap(unit, 72 * _PANEL[0], style.SMALL_SIZE, family, "bold")
        ax.set_title(
            text_metrics.drawable(short.split("\n")[0] + ("…" if "\n" in short else "")),
            loc="left",
            pad=4,
            fontproperties=text_metrics.font(family, style.SMALL_SIZE, "bold"),
            color=style.INK,
            parse_math=False,
            usetex=False,
        )
    figure.text(
        1 - 0.25 / wide,
        1 - 0.22 / tall,
        text("grey line: the whole"),
        ha="right",
        va="top",
        fontproperties=text_metrics.font(family, style.SMALL_SIZE),
        color=style.MUTED,
    )
    figure.text(
        0.5 / wide,
        1 - 0.2 / tall,
        text_metrics.drawable(heading),
        va="top",
        fontproperties=text_metrics.font(family, style.TITLE_SIZE, "bold"),
        color=style.INK,
        parse_math=False,
        usetex=False,
    )
    return figure


def _units_of(programme: Programme, level: str) -> list[str]:
    """Return the names of the units of a level."""
    hierarchy = programme.hierarchy
    choose("level", level, ("all", *hierarchy.levels))
    pairs = zip(hierarchy.names, hierarchy.level_names, strict=True)
    return [name for name, own in pairs if own == level]


def _by_last_score(programme: Programme, level: str, construct: str) -> list[str]:
    """Return the units of a level, the highest last score first."""
    _units_of(programme, level)
    scores = programme.scores["estimate"].xs(construct, level="construct").loc[level]
    last = scores.groupby(level="unit", sort=False).last()
    return [str(name) for name in last.sort_values(ascending=False, kind="stable").index]


def _periods(programme: Programme) -> list[str]:
    return [label(period) for period in programme.hierarchy.periods]


def _places(programme: Programme, table: pd.DataFrame) -> Array:
    """Return when the rows of a unit are, in steps of time."""
    where = programme.hierarchy.periods.get_indexer(table.index)
    return np.asarray(programme.hierarchy.times.steps[where])


def _row(table: pd.DataFrame, key: tuple[str, str, str]) -> pd.DataFrame:
    level, unit, construct = key
    names = [table.index.get_level_values(name) for name in ("level", "unit", "construct")]
    own = (names[0] == level) & (names[1] == unit) & (names[2] == construct)
    return table[own].droplevel(["level", "unit", "construct"])


def _draw_unit(
    ax: Axes, programme: Programme, key: tuple[str, str, str], color: str, dashes: Any
) -> tuple[float, float]:
    """Draw scores and level of a unit; return where its line ends."""
    scores, level = _row(programme.scores, key), _row(programme.local_level, key)
    at = _places(programme, scores)
    value = scores["estimate"].to_numpy(dtype=float)
    line = level["estimate"].to_numpy(dtype=float)
    ax.fill_between(at, level["lower"], level["upper"], color=color, alpha=0.16, linewidth=0)
    shown = np.isfinite(line)
    ax.plot(at[shown], line[shown], color=color, linestyle=dashes, linewidth=1.7, zorder=3)
    ax.vlines(at, scores["lower"], scores["upper"], color=color, linewidth=0.9, zorder=2)
    marks: dict[str, Any] = {"linestyle": "none", "marker": "o", "color": color, "zorder": 4}
    ax.plot(at, value, markersize=3.5, **marks)
    large = level["large"].to_numpy(dtype=bool)
    ax.plot(at[large], value[large], markersize=9, markerfacecolor="none", **marks)
    ends = line if shown.any() and shown[-1] else value
    return float(at[-1]), float(ends[-1])


def _draw_whole(ax: Axes, programme: Programme, construct: str) -> None:
    whole = _row(programme.scores, ("all", "all", construct))
    at = _places(programme, whole)
    ax.plot(at, whole["estimate"], color=style.MUTED, linewidth=0.9, marker="", zorder=1)


def _scale(
    programme: Programme, level: str, construct: str, units: list[str]
) -> tuple[float, float]:
    """Return the lowest and highest value that any panel shows."""
    scores = programme.scores.xs(construct, level="construct")
    own = pd.concat([scores.loc[level].loc[units], scores.loc["all"]])
    values = own[["estimate", "lower", "upper"]].to_numpy(dtype=float)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    edge = 0.05 * (high - low) or 1.0
    return low - edge, high + edge


def _name_periods(ax: Axes, programme: Programme, family: Sequence[str]) -> None:
    """Name the periods on the axis, the last always, as many as there is room for."""
    names, steps = _periods(programme), programme.hierarchy.times.steps
    width = 72 * ax.get_window_extent().width / ax.figure.dpi
    widest = max(text_metrics.measure(name, style.SMALL_SIZE, family)[0] for name in names)
    room = max(1, int(width // (widest + 8)))
    every = max(1, int(np.ceil(len(names) / room)))
    places = np.arange(len(names))[::-every][::-1]
    edge = 0.04 * max(float(steps[-1] - steps[0]), 1.0)
    ax.set_xlim(float(steps[0]) - edge, float(steps[-1]) + edge)
    ax.set_xticks(steps[places], [names[place] for place in places], parse_math=False, usetex=False)
    for tick in ax.get_xticklabels():
        tick.set_fontproperties(text_metrics.font(family, style.SMALL_SIZE))
        if room == 1:
            tick.set_horizontalalignment("right")
