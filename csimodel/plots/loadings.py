"""Loadings as colours: items by factors or constructs."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from csimodel.arguments import checked
from csimodel.errors import OptionError
from csimodel.estimators import Fit
from csimodel.findings import text
from csimodel.floats import own_errstate
from csimodel.formatting import label
from csimodel.measures.factors import FactorExploration
from csimodel.options import shown
from csimodel.plots import fonts, style
from csimodel.plots.cells import Shades, cell_axes, fill_cells
from csimodel.plots.labels import Array

_MOST = 200  # rows or columns that a picture can hold


@own_errstate
@checked
def loadings(
    result: FactorExploration | Fit | pd.DataFrame,
    *,
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw loadings as colours with their numbers: blue above 0, orange below, pale near it.

    Parameters
    ----------
    result
        From `csi.explore_factors` (items by the factor they load highest on), a fit (loadings of
        items on all constructs, their own and others), or a table of loadings, items × factors.
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
        When a table holds no numbers, or too many rows or columns for a picture.

    Examples
    --------
    >>> import csimodel as csi
    >>> explored = csi.explore_factors(csi.load_mobi(), [f"PERQ{k}" for k in range(1, 8)], 2)
    >>> axes = loadings(explored).axes[0]
    >>> [tick.get_text() for tick in axes.get_xticklabels()]
    ['F1', 'F2']
    """
    if isinstance(result, FactorExploration):
        table = result.loadings
    elif isinstance(result, Fit):
        table = result.cross_loadings
    else:
        table = result
    values = _numbers(table)
    rows, heads = [label(own) for own in table.index], [label(own) for own in table.columns]
    below = text("Blue: above 0. Orange: below 0.") if (values < 0).any() else ""
    family = fonts.families([*rows, *heads, below, title or ""])
    figure, ax = cell_axes(ax, rows, heads, family, title, below)
    colors = LinearSegmentedColormap.from_list("csi", [style.VERMILLION, style.PAPER, style.BLUE])
    most = max(1.0, float(np.nanmax(np.abs(values), initial=0.0)))
    fill_cells(ax, values, [Shades(range(len(heads)), colors, (-most, most), True)], 2, family)
    return figure


def _numbers(table: pd.DataFrame) -> Array:
    """Return the numbers of a table of loadings; NaN where there is none.

    Raises
    ------
    OptionError
        For text, infinities, an empty table, and one too large.
    """
    way_out = "give loadings, items × factors, as those of csi.explore_factors(survey)"
    if not isinstance(table, pd.DataFrame):
        raise OptionError(f"result is {shown(table)}; {way_out}.")
    if table.empty:
        raise OptionError(f"result has no rows or no columns; {way_out}.")
    if max(table.shape) > _MOST:
        raise OptionError(
            f"result has {table.shape[0]} rows and {table.shape[1]} columns, and a picture holds "
            f"{_MOST} of each; draw a part of it."
        )
    for name, column in table.items():
        if not pd.api.types.is_numeric_dtype(column.dtype) or column.dtype == bool:
            raise OptionError(f"Column {shown(name)} of result holds no numbers; {way_out}.")
    values = table.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(values).any():
        raise OptionError(f"result holds an infinite number; {way_out}.")
    return values
