"""Criteria by number of hidden segments."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csimodel.arguments import checked
from csimodel.assessment.segments import HiddenSegments
from csimodel.findings import text
from csimodel.floats import own_errstate
from csimodel.plots import fonts, style
from csimodel.plots.direct_labels import name_lines

_CRITERIA = {"aic3": "AIC3", "bic": "BIC", "caic": "CAIC"}


@own_errstate
@checked
def segments(hidden: HiddenSegments, *, title: str | None = None, ax: Axes | None = None) -> Figure:
    """Draw criteria by number of hidden segments; the smallest of each has a mark.

    Parameters
    ----------
    hidden
        The result of ``csi.assessment.fimix(…)``.
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
        When `hidden` is not such a result.

    Warns
    -----
    CsimodelWarning
        When no installed font has the characters of a title.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> figure = segments(csi.assessment.fimix(fit, segments=[2], starts=2, rng=1))
    >>> figure.axes[0].get_xlabel()
    'Segments'
    """
    table = hidden.table
    x, y = text("Segments"), text("Criterion (smaller is better)")
    family = fonts.families([x, y, title or ""])
    figure, ax = style.take_axes(ax, (5.6, 3.8), (0.85, 0.8, 0.6, 0.45 if title else 0.2))
    style.dress(ax, family, grid="y")
    at = table.index.to_numpy(dtype=float)
    colors = (style.BLUE, style.INK, style.VERMILLION)
    ends = []
    for color, name in zip(colors, _CRITERIA, strict=True):
        values = table[name].to_numpy(dtype=float)
        least = int(np.argmin(values))
        ax.plot(
            at,
            values,
            color=color,
            linewidth=1.5,
            linestyle="-",
            marker="o",
            markersize=7,
            markevery=[least],
            zorder=3,
        )
        ends.append(values[-1])
    ax.set_xticks(at, [f"{k:g}" for k in at])
    ax.set_xlim(at[0] - 0.2, at[-1] + 0.2)
    places = np.column_stack([np.full(len(ends), at[-1]), ends])
    name_lines(ax, list(_CRITERIA.values()), places, colors, family)
    style.title_axes(ax, family, x=x, y=y, title=title)
    return figure
