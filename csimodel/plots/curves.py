"""Several repurchase curves over each other: segments, or shapes of one relation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csimodel.arguments import checked
from csimodel.errors import OptionError
from csimodel.findings import Finding, tell
from csimodel.floats import own_errstate
from csimodel.plots import fonts, style, text_metrics
from csimodel.plots.charts import check_table
from csimodel.plots.curve import repurchase_curve
from csimodel.plots.direct_labels import PALETTE, name_lines
from csimodel.translation import message, shown_message

_ONE_ABSENT = "The curve of {names} has no finite probability and is not drawn."
_ABSENT = "The curves of {names:20} have no finite probability and are not drawn."


@runtime_checkable
class HasCurve(Protocol):
    """A result that knows its curve."""

    def curve(self) -> pd.DataFrame:
        """Return columns index, probability, and lower and upper where there is a band."""


@runtime_checkable
class HasCurves(Protocol):
    """A result that knows several curves."""

    def curves(self) -> pd.DataFrame:
        """Return rows (name, index), and columns as of one curve."""


@own_errstate
@checked
def repurchase_curves(
    curves: HasCurves | Mapping[Any, pd.DataFrame | HasCurve],
    *,
    bands: bool = True,
    rug: Any = None,
    x: str = message("Satisfaction index (0–100)"),
    y: str = message("Probability of repurchase"),
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw several repurchase curves over each other: segments, or shapes of one relation.

    Parameters
    ----------
    curves
        The result of ``csi.outcomes.repurchase_segments(…)`` or
        ``csi.outcomes.compare_shapes(…)``; or the name of each curve and its table as for
        `repurchase_curve`, or a result with a ``curve()``, such as ``csi.repurchase(…)``. At
        most 8. Where a segment has nobody its curve is not drawn.
    bands
        Whether to draw confidence bands.
    rug
        Index values of respondents, as in `repurchase_curve`.
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
        When there is no curve, none with a finite probability, one is not such a table, or there
        are more than 8.

    Warns
    -----
    CsimodelWarning
        When no installed font has the characters of a name, or a curve has no finite probability.

    Examples
    --------
    >>> import pandas as pd
    >>> curve = pd.DataFrame({"index": [0.0, 100], "probability": [0.1, 0.9]})
    >>> other = curve.assign(probability=[0.3, 0.7])
    >>> figure = repurchase_curves({"Banks": curve, "Airlines": other})
    >>> sorted(text.get_text() for text in figure.axes[0].texts)
    ['Airlines', 'Banks']
    """
    x, y = shown_message(x), shown_message(y)
    tables = _with_points(_tables(curves))
    names = [str(name) for name in tables]
    family = fonts.families([*names, x, y, title or ""])
    widest = max(text_metrics.measure(name, style.SMALL_SIZE, family, "bold")[0] for name in names)
    right = min(widest, 150.0) / 72 + 0.35
    figure, ax = style.take_axes(ax, (5.6 + right, 4.2), (0.75, right, 0.6, 0.45 if title else 0.2))
    spans, ends = [], []
    for place, table in enumerate(tables.values()):
        color, dashes = PALETTE[place]
        line = table.sort_values("index")
        drawn = line if bands else line[["index", "probability"]]
        before = len(ax.collections)
        repurchase_curve(drawn, rug=None if place else rug, x=x, y=y, title=title, ax=ax)
        ax.lines[-1].set(color=color, linestyle=dashes, linewidth=1.9)
        if {"lower", "upper"} <= set(drawn.columns):
            ax.collections[before].set(color=color, alpha=0.12, linewidth=0)
        spans.append(ax.get_xlim())
        ends.append(line[["index", "probability"]].to_numpy(dtype=float))
        ends[-1] = ends[-1][np.isfinite(ends[-1]).all(axis=1)][-1]
    ax.set_xlim(min(low for low, _ in spans), max(high for _, high in spans))
    colors = [color for color, _ in PALETTE[: len(names)]]
    name_lines(ax, names, np.array(ends), colors, family)
    return figure


def _tables(curves: Any) -> dict[Any, pd.DataFrame]:
    if isinstance(curves, HasCurves):
        every = curves.curves()
        if "observed" in every:
            every = every[every["observed"]]
        groups = every.groupby(level=0, sort=False)
        curves = {name: table.droplevel(0).reset_index() for name, table in groups}
    if not isinstance(curves, Mapping) or not curves:
        raise OptionError(
            "curves must name each curve, such as {'Banks': banks, 'Airlines': airlines}."
        )
    if len(curves) > len(PALETTE):
        raise OptionError(
            f"curves has {len(curves)} curves, and no more than {len(PALETTE)} can be told apart; "
            "draw some of them, or one figure each."
        )
    tables = {}
    for name, curve in curves.items():
        table = curve.curve() if isinstance(curve, HasCurve) else curve
        check_table(table, f"curves[{name!r}]", ["index", "probability"], "a result's curve()")
        tables[name] = table
    return tables


def _with_points(tables: dict[Any, pd.DataFrame]) -> dict[Any, pd.DataFrame]:
    """Leave out curves without a finite point, and say which."""
    kept = {
        name: table
        for name, table in tables.items()
        if np.isfinite(table[["index", "probability"]].to_numpy(dtype=float)).all(axis=1).any()
    }
    if not kept:
        raise OptionError(
            "No curve has a finite probability, so there is nothing to draw; the findings of "
            "the regression say why."
        )
    absent = tuple(str(name) for name in tables if name not in kept)
    if absent:
        sentence = _ONE_ABSENT if len(absent) == 1 else _ABSENT
        tell(Finding("no-curve", sentence, absent, "warning", len(absent), {"names": absent}))
    return kept
