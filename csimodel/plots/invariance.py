"""Composites of groups among their permutations: the compositional step of MICOM."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csimodel.arguments import checked
from csimodel.assessment.micom import Micom
from csimodel.estimators.groups import shown_label
from csimodel.findings import text
from csimodel.floats import own_errstate
from csimodel.formatting import told_p
from csimodel.plots import fonts, style
from csimodel.plots.rows import finish_rows, row_axes


@own_errstate
@checked
def micom(result: Micom, *, title: str | None = None, ax: Axes | None = None) -> Figure:
    """Draw how alike composites of groups are, and where permutations of the groups lie.

    A bar spans the permutations from their lower quantile on; a mark left of it, hollow, is a
    composite that is not formed alike.

    Parameters
    ----------
    result
        The result of ``csi.micom(…)``.
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
        When `result` is not such a result.

    Warns
    -----
    CsimodelWarning
        When no installed font has the characters of a name.

    Examples
    --------
    >>> import csimodel as csi
    >>> survey = csi.load_mobi(design=True)
    >>> result = csi.micom(csi.models.ecsi(), survey.data, by="sex", permutations=49, rng=1)
    >>> figure = micom(result)
    >>> figure.axes[0].get_xlabel()
    'Correlation of composites by the weights of either group (c)'
    """
    table = result.table
    names = [_row_name(key) for key in table.index]
    x = text("Correlation of composites by the weights of either group (c)")
    family = fonts.families([*names, x, title or ""])
    figure, ax = row_axes(ax, names, family, title, 1.5)
    style.dress(ax, family, grid="x")
    c, lower, p = (table[name].to_numpy(dtype=float) for name in ("c", "c_lower", "p"))
    at = np.arange(len(table), dtype=float)
    ax.hlines(at, lower, np.ones(len(at)), color=style.GRID, linewidth=7.0, zorder=2)
    apart = c < lower
    for hollow in (False, True):
        rows = apart == hollow
        color = style.VERMILLION if hollow else style.BLUE
        ax.plot(
            c[rows],
            at[rows],
            linestyle="none",
            marker="o",
            markersize=6.0,
            markerfacecolor=style.PAPER if hollow else color,
            markeredgecolor=color,
            markeredgewidth=1.4,
            zorder=3,
        )
    texts = [
        f"{value:.3f}" if np.isnan(own) else f"{value:.3f}, {told_p(own)}"
        for value, own in zip(c, p.tolist(), strict=True)
    ]
    finish_rows(ax, names, texts, family)
    known = [value for value in (*c, *lower) if np.isfinite(value)]
    least = min(known, default=0.99)
    room = max(1.0 - least, 0.002) * 0.08
    ax.set_xlim(least - room, 1.0 + room)
    style.title_axes(ax, family, x=x, title=title)
    return figure


def _row_name(key: object) -> str:
    if isinstance(key, tuple):
        return f"{key[2]} ({shown_label(key[0])}, {shown_label(key[1])})"
    return str(key)
