"""Scores of a driver and the target, with the ceilings of necessary condition analysis."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csimodel.arguments import checked
from csimodel.assessment.necessity import NecessaryConditions
from csimodel.findings import text
from csimodel.floats import own_errstate
from csimodel.formatting import told_p
from csimodel.plots import fonts, style


@own_errstate
@checked
def necessary_conditions(
    conditions: NecessaryConditions,
    driver: str,
    *,
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the scores of a driver and of the target, and the ceilings over them.

    Steps are the ceiling that no respondent is above (CE-FDH), dashes the line through their
    corners (CR-FDH). Where the corner above them at the left is large, high outcomes were not seen
    with a low driver.

    Parameters
    ----------
    conditions
        The result of ``csi.assessment.necessary_conditions(…)``.
    driver
        One of its drivers.
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
        When `conditions` is not such a result, or the driver none of its drivers.

    Warns
    -----
    CsimodelWarning
        When no installed font has the characters of a name.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> conditions = csi.assessment.necessary_conditions(fit, "Loyalty", 99, rng=1)
    >>> figure = necessary_conditions(conditions, "Image")
    >>> figure.axes[0].get_xlabel()
    'Image, standardised score'
    """
    steps, line = (conditions.ceiling_of(driver, kind) for kind in ("ce_fdh", "cr_fdh"))
    target = conditions.target
    x, y = (
        text("{construct}, standardised score", construct=driver),
        text("{construct}, standardised score", construct=target),
    )
    own = conditions.table.xs(conditions.ceiling, level="ceiling")
    size, p = (float(own[name].to_dict()[driver]) for name in ("effect_size", "p"))
    judged = f"{conditions.ceiling.upper().replace('_', '-')}: d = {size:.2f}"
    words = judged if np.isnan(p) else f"{judged}, {told_p(p)}"
    family = fonts.families([x, y, title or ""])
    figure, ax = style.take_axes(ax, (6.0, 4.6), (0.75, 0.25, 0.6, 0.45 if title else 0.2))
    style.dress(ax, family, grid="none")
    scores = conditions.scores
    ax.plot(
        scores[driver].to_numpy(),
        scores[target].to_numpy(),
        linestyle="none",
        marker="o",
        markersize=4.5,
        color=style.BLUE,
        alpha=0.45,
        markeredgewidth=0,
        zorder=2,
    )
    ax.step(
        steps[driver].to_numpy(),
        steps[target].to_numpy(),
        where="post",
        color=style.VERMILLION,
        linewidth=1.6,
        linestyle="-",
        zorder=3,
    )
    ax.plot(
        line[driver].to_numpy(),
        line[target].to_numpy(),
        color=style.INK,
        linewidth=1.1,
        linestyle=(0, (5, 3)),
        marker="",
        zorder=3,
    )
    style.write(
        ax,
        0.985,
        0.02,
        words,
        family=family,
        size=style.SMALL_SIZE,
        color=style.MUTED,
        transform=ax.transAxes,
        ha="right",
        va="bottom",
        halo=True,
    )
    style.title_axes(ax, family, x=x, y=y, title=title)
    return figure
