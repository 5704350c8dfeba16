"""A table of indexes as colours: units by constructs."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from csimodel.arguments import checked
from csimodel.errors import choose
from csimodel.floats import own_errstate
from csimodel.formatting import label
from csimodel.index.programme import Programme
from csimodel.index.programme.differences import period_place
from csimodel.options import require_count
from csimodel.plots import fonts, style, text_metrics
from csimodel.plots.top_and_bottom import first_and_last

_COLUMN, _ROW = 0.72, 0.21  # inches
_LIGHT, _DARK = "#F3F7FA", style.BLUE
_LABEL_WIDTH = 150.0  # points


@own_errstate
@checked
def heat_map(
    programme: Programme,
    level: str | None = None,
    period: object = None,
    *,
    most: int = 40,
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the indexes of all units and constructs, the darker the higher, with their numbers.

    Units are in the order of the programme's construct, the highest first.

    Parameters
    ----------
    programme
        From `csi.programme`.
    level
        Whose units; the lowest by default.
    period
        When; the last by default.
    most
        Of more units the first and the last half are drawn, and those between counted.
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
        For an unknown level or period.

    Examples
    --------
    >>> import csimodel as csi
    >>> drawn = csi.simulate.programme(2, 2, 40, rng=1, industries=1, sectors=1)
    >>> waves = csi.programme(drawn.model, drawn.survey, "firm", "period")
    >>> [tick.get_text() for tick in heat_map(waves).axes[0].get_yticklabels()]
    ['Firm 002', 'Firm 001']
    """
    hierarchy = programme.hierarchy
    chosen = hierarchy.levels[-1] if level is None else level
    choose("level", chosen, hierarchy.levels)
    when = hierarchy.periods[period_place(hierarchy, "period", period)]
    scores = programme.scores["estimate"].loc[chosen].xs(when, level="period")
    table = scores.unstack("construct")[list(programme.constructs)]
    table = table.sort_values(programme.construct, ascending=False, kind="stable")
    most = require_count("most", most, least=2)
    places = first_and_last(list(range(len(table))), most // 2, len(table) <= most)
    names = [own if isinstance(own, str) else label(table.index[own]) for own in places]
    family = fonts.families([*names, *programme.constructs, title or ""])
    shape = (style.SMALL_SIZE, family)
    wrapped = [text_metrics.wrap(name, _LABEL_WIDTH, *shape) for name in names]
    heads = [text_metrics.wrap(name, 72 * _COLUMN - 4, *shape) for name in programme.constructs]
    left = (max(text_metrics.measure(name, *shape)[0] for name in wrapped) + 14) / 72
    above = (max(text_metrics.measure(name, *shape)[1] for name in heads) + 10) / 72
    lines = max(name.count("\n") + 1 for name in wrapped)
    width, height = _COLUMN * len(heads), max(_ROW, 0.14 * lines + 0.06) * len(names)
    top = above + 0.1 + (0.3 if title else 0.0)
    figure, ax = style.take_axes(
        ax, (left + width + 0.15, height + top + 0.12), (left, 0.15, 0.12, top)
    )
    _draw_cells(ax, table.to_numpy(dtype=float), places, family)
    style.dress(ax, family, grid="none")
    ax.xaxis.tick_top()
    ax.set_xticks(range(len(heads)), heads, parse_math=False, usetex=False)
    ax.set_yticks(range(len(names)), wrapped, parse_math=False, usetex=False)
    ax.tick_params(axis="both", length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    for tick in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        tick.set_fontproperties(text_metrics.font(family, style.SMALL_SIZE))
    style.title_axes(ax, family, title=title)
    if title:
        ax.title.set_position((0.0, 1.0))
    return figure


def _draw_cells(ax: Axes, values: np.ndarray, places: list[int | str], family: list[str]) -> None:
    """Draw the cells with their numbers; nothing where units are left out."""
    shades = LinearSegmentedColormap.from_list("csi", [_LIGHT, _DARK])
    nothing = np.full(values.shape[1], np.nan)
    shown = np.array([nothing if isinstance(own, str) else values[own] for own in places])
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 100.0)
    scale = Normalize(low, high if high > low else low + 1.0)
    ax.imshow(np.ma.masked_invalid(shown), cmap=shades, norm=scale, aspect="auto")
    for row, column in np.argwhere(np.isfinite(shown)).tolist():
        value = float(shown[row, column])
        style.write(
            ax,
            column,
            row,
            f"{value:.1f}",
            family=family,
            size=style.SMALL_SIZE,
            color=style.PAPER if scale(value) > 0.55 else style.INK,
            ha="center",
            va="center_baseline",
        )
