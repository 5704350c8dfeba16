"""Simple slopes over a moderator, and where they differ from zero."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csimodel.arguments import checked
from csimodel.assessment.simple_slopes import SimpleSlopes
from csimodel.findings import text
from csimodel.floats import own_errstate
from csimodel.plots import fonts, style


@own_errstate
@checked
def moderation(slopes: SimpleSlopes, *, title: str | None = None, ax: Axes | None = None) -> Figure:
    r"""Draw the slope of an effect over its moderator, with limits (Johnson-Neyman).

    The line is thick where its limits leave out zero; points are the levels of the table.

    Parameters
    ----------
    slopes
        The result of ``csi.simple_slopes(…)``.
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
        When `slopes` is not such a result.

    Warns
    -----
    CsimodelWarning
        When no installed font has the characters of a title.

    Examples
    --------
    >>> import csimodel as csi
    >>> text = csi.models.ecsi().to_syntax() + "\nLoyalty ~ Image:Satisfaction"
    >>> fit = csi.fit(csi.Model.from_syntax(text), csi.load_mobi())
    >>> figure = moderation(csi.simple_slopes(fit, "Loyalty", "Image"))
    >>> figure.axes[0].get_ylabel()
    'Effect of Image on Loyalty'
    """
    effect, curve = slopes.effect, slopes.curve
    x = text("{at}, standard deviations from its mean", at=effect.at)
    y = text("Effect of {source} on {target}", source=effect.source, target=effect.target)
    family = fonts.families([x, y, title or ""])
    figure, ax = style.take_axes(ax, (6.2, 4.2), (0.75, 0.25, 0.6, 0.45 if title else 0.2))
    style.dress(ax, family, grid="y")
    at = curve.index.to_numpy(dtype=float)
    estimate, lower, upper = (
        curve[name].to_numpy(dtype=float) for name in ("estimate", "lower", "upper")
    )
    ax.fill_between(at, lower, upper, color=style.BLUE, alpha=0.18, linewidth=0, zorder=1)
    ax.axhline(0.0, color=style.VERMILLION, linewidth=0.9, linestyle=(0, (3, 2)), zorder=2)
    ax.plot(at, estimate, color=style.BLUE, linewidth=1.2, linestyle="-", marker="", zorder=3)
    apart = np.where((lower > 0) | (upper < 0), estimate, np.nan)
    ax.plot(at, apart, color=style.BLUE, linewidth=2.8, linestyle="-", marker="", zorder=4)
    levels = slopes.table.index.to_numpy(dtype=float)
    values = slopes.table["estimate"].to_numpy(dtype=float)
    ax.plot(
        levels,
        values,
        linestyle="none",
        marker="o",
        markersize=6.5,
        color=style.BLUE,
        markeredgecolor=style.PAPER,
        zorder=5,
    )
    ax.set_xlim(float(min(at.min(), levels.min())), float(max(at.max(), levels.max())))
    style.title_axes(ax, family, x=x, y=y, title=title)
    return figure
