"""The path diagram: what is drawn, how large it is, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from csimodel.arguments import checked
from csimodel.errors import OptionError
from csimodel.estimators import require_fit
from csimodel.floats import own_errstate
from csimodel.formatting import number
from csimodel.plots import artists, fonts, style, text_metrics
from csimodel.plots.blocks import fan
from csimodel.plots.layout import lay_out
from csimodel.plots.layout_cost import Graph
from csimodel.plots.routes import route

_NAME_WIDTH = 92.0  # widest line in an ellipse, points
_ITEM_WIDTH = 62.0  # widest line in an item's box, points


@own_errstate
@checked
def path_diagram(fit: Any, *, bootstrap: Any = None, items: bool = True) -> Figure:
    """Draw the model of a fit with its estimates.

    Constructs stand in columns by their longest path from an exogenous construct, with R²
    inside. The width of an arrow grows with the size of its path coefficient; blue is
    positive, vermillion negative, and dashes say that the bootstrap interval covers zero.
    The numbers on the arrows of the items are loadings. The size of the figure follows
    from the model; no Graphviz is needed.

    Parameters
    ----------
    fit
        A fit of `csimodel.fit`.
    bootstrap
        A bootstrap of that fit, or its table of paths (columns lower and upper).
    items
        Draw the items too.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    OptionError
        When `fit` is not a fit, or `bootstrap` has no interval for a path.

    Warns
    -----
    CsimodelWarning
        When no installed font has the characters of a name.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi(), csi.PLS())
    >>> figure = path_diagram(fit)
    >>> "R² = 0.68" in [text.get_text() for text in figure.axes[0].texts]
    True
    """
    if not all(hasattr(fit, name) for name in ("model", "paths", "loadings", "r2")):
        require_fit(fit, "path_diagram")
    uncertain = _uncertain(fit, bootstrap)
    names = [construct.name for construct in fit.model.constructs]
    answered = [item for construct in fit.model.constructs for item in construct.items]
    family = tuple(fonts.families([*names, *(answered if items else ())]))
    bubbles = [_bubble(fit, construct, family, items) for construct in fit.model.constructs]
    spot = {name: i for i, name in enumerate(names)}
    edges = np.array(
        [(spot[path.source], spot[path.target]) for path in fit.model.paths], dtype=np.intp
    ).reshape(-1, 2)
    size = _ellipse(bubbles, family)
    sizes = np.tile(size, (len(bubbles), 1))
    fans = [fan(*size, [_box(text, family) for text in bubble.boxes]) for bubble in bubbles]
    placement = lay_out(Graph(sizes, fans, edges))
    blocks = [choices[side] for choices, side in zip(fans, placement.sides, strict=True)]
    extents = [
        block.extent + np.tile(centre, 2)
        for block, centre in zip(blocks, placement.centres, strict=True)
        if len(block.boxes)
    ]
    taken = np.array(extents).reshape(-1, 4)
    arrows = [_arrow(fit, path, uncertain) for path in fit.model.paths]
    routes = route(placement.centres, sizes, edges, taken)
    return artists.draw(
        artists.Drawing(
            family=family,
            bubbles=bubbles,
            centres=placement.centres,
            size=size,
            blocks=blocks,
            arrows=arrows,
            routes=routes,
            intervals=bootstrap is not None,
        )
    )


def _uncertain(fit: Any, bootstrap: Any) -> set[tuple[str, str]]:
    """Return the (target, source) pairs whose interval covers zero."""
    if bootstrap is None:
        return set()
    if not isinstance(bootstrap, pd.DataFrame) and not callable(getattr(bootstrap, "table", None)):
        raise OptionError(
            f"bootstrap is a {type(bootstrap).__name__}; "
            'pass the bootstrap of csimodel.bootstrap, or its table("paths").'
        )
    table = bootstrap if isinstance(bootstrap, pd.DataFrame) else bootstrap.table("paths")
    absent = [column for column in ("lower", "upper") if column not in table.columns]
    if absent:
        raise OptionError(
            f"bootstrap has no column {absent[0]!r} (it has {', '.join(map(str, table.columns))}); "
            'pass the table("paths") of a bootstrap.'
        )
    covered = set()
    for path in fit.model.paths:
        key = (path.target, path.source)
        if key not in table.index:
            raise OptionError(
                f"bootstrap has no interval for the path {path.source} → {path.target}; "
                "pass the bootstrap of this very fit."
            )
        lower, upper = (float(table.loc[key, column]) for column in ("lower", "upper"))
        if not (lower > 0 or upper < 0):
            covered.add(key)
    return covered


def _bubble(fit: Any, construct: Any, family: Sequence[str], items: bool) -> artists.Bubble:
    name = construct.name
    shown = tuple(construct.items) if items else ()
    return artists.Bubble(
        lines=text_metrics.wrap(name, _NAME_WIDTH, style.TEXT_SIZE, family, "bold"),
        note=f"R² = {number(float(fit.r2[name]), 2)}" if name in fit.r2.index else "",
        boxes=tuple(
            text_metrics.wrap(item, _ITEM_WIDTH, style.SMALL_SIZE, family) for item in shown
        ),
        loadings=tuple(float(fit.loadings.loc[item, name]) for item in shown),
        inwards=construct.kind == "composite",
    )


def _arrow(fit: Any, path: Any, uncertain: set[tuple[str, str]]) -> artists.Arrow:
    return artists.Arrow(
        value=float(fit.paths.loc[path.target, path.source]),
        dashed=(path.target, path.source) in uncertain,
    )


def _box(text: str, family: Sequence[str]) -> tuple[float, float]:
    width, height = text_metrics.measure(text, style.SMALL_SIZE, family)
    return max(width + 8, 27.0), height + 6.5


def _ellipse(bubbles: Sequence[artists.Bubble], family: Sequence[str]) -> tuple[float, float]:
    """Return the size of the ellipses: one for all, so that none seems more important."""
    names = [text_metrics.measure(b.lines, style.TEXT_SIZE, family, "bold") for b in bubbles]
    note = text_metrics.measure("R² = 0.00", style.SMALL_SIZE, family)
    width = max(note[0], *(w for w, _ in names))
    height = max(h for _, h in names) + note[1] + 4
    return 1.32 * width + 8, 1.5 * height + 2
