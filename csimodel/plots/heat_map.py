"""A table of indexes as colours: units by constructs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from csimodel.arguments import checked
from csimodel.errors import choose, require_construct
from csimodel.findings import text
from csimodel.floats import own_errstate
from csimodel.formatting import label
from csimodel.index.programme import Programme
from csimodel.index.programme.differences import period_place
from csimodel.options import require_count, require_names
from csimodel.plots import fonts, style
from csimodel.plots.cells import Shades, cell_axes, fill_cells
from csimodel.plots.labels import Array
from csimodel.plots.top_and_bottom import first_and_last

_LIGHT = "#F7F8F9"

Names = str | Sequence[str]


@own_errstate
@checked
def heat_map(
    programme: Programme,
    level: str | None = None,
    period: object = None,
    *,
    most: int = 40,
    reverse: Names | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the indexes of all units and constructs, the darker the higher, with their numbers.

    Units are in the order of the programme's construct, the highest first. Constructs that fall
    where it rises, as complaints do, are orange, where darker is worse; a line below says so.

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
    reverse
        Constructs of which more is worse, [] for none; by default those that correlate negatively
        with the programme's construct (``programme.falling``).
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
    ModelError
        For a construct that is not in the model.

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
    rows = [own if isinstance(own, str) else label(table.index[own]) for own in places]
    falling = programme.falling if reverse is None else _constructs(programme, reverse)
    below = text(_ORANGE, constructs=list(falling)) if falling else ""
    family = fonts.families([*rows, *programme.constructs, below, title or ""])
    figure, ax = cell_axes(ax, rows, programme.constructs, family, title, below)
    nothing = np.full(len(programme.constructs), np.nan)
    values = table.to_numpy(dtype=float)
    shown = np.array([nothing if isinstance(own, str) else values[own] for own in places])
    fill_cells(ax, shown, _shades(programme.constructs, falling, values), 1, family)
    return figure


def _constructs(programme: Programme, reverse: Names) -> tuple[str, ...]:
    """Return constructs that the user names, each of which is in the model."""
    nothing = isinstance(reverse, list | tuple) and not reverse
    names = () if nothing else require_names("reverse", reverse, "construct")
    return tuple(require_construct(name, programme.constructs) for name in names)


def _shades(constructs: Sequence[str], falling: Sequence[str], values: Array) -> list[Shades]:
    """Return the colours of constructs of which more is better, and of those of which it is not."""
    kinds = []
    for dark, bad in ((style.BLUE, False), (style.VERMILLION, True)):
        columns = [place for place, name in enumerate(constructs) if (name in falling) == bad]
        own = values[:, columns]
        known = own[np.isfinite(own)]
        ends = (float(known.min()), float(known.max())) if known.size else (0.0, 100.0)
        colors = LinearSegmentedColormap.from_list("csi", [_LIGHT, dark])
        if columns:
            kinds.append(Shades(columns, colors, ends))
    return kinds


_ORANGE = "Blue: the darker, the better. Orange: the darker, the worse ({constructs:10})."
