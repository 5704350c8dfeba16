"""The path diagram: what is drawn, how large it is, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csimodel.arguments import checked
from csimodel.estimators import require_fit
from csimodel.floats import own_errstate
from csimodel.formatting import number
from csimodel.options import require_count, require_flag
from csimodel.plots import artists, fonts, style, text_metrics
from csimodel.plots.blocks import fan
from csimodel.plots.diagram_options import family_of, labels_of, palette_of, placement_of
from csimodel.plots.drawing import Arrow, Bubble, Drawing
from csimodel.plots.layout_cost import Graph
from csimodel.plots.path_texts import PathTexts, path_texts
from csimodel.plots.routes import route

_NAME_WIDTH = 92.0  # widest line in an ellipse, points
_ITEM_WIDTH = 62.0  # widest line in an item's box, points
DECIMALS = 6  # more than this are noise


@own_errstate
@checked
def path_diagram(
    fit: Any,
    *,
    bootstrap: Any = None,
    items: bool = True,
    show: str | Sequence[str] = "path",
    decimals: int = 2,
    labels: Mapping[str, str] | None = None,
    positions: Mapping[str, Sequence[float]] | None = None,
    colors: Mapping[str, str] | None = None,
    font: str | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    r"""Draw the model of a fit with its estimates.

    Constructs stand in columns by their longest path from an exogenous construct, with R²
    inside. The width of an arrow grows with the size of its path coefficient; blue is
    positive, vermillion negative, and dashes say that the bootstrap interval covers zero.
    The numbers on the arrows of the items are loadings. The size of the figure follows
    from the model; no Graphviz is needed.

    In an SVG every part has a name to find it by: ``construct-Image``, ``name-Image``,
    ``r2-Image``, ``path-Image-Loyalty``, ``coefficient-Image-Loyalty``, ``item-IMAG1``,
    ``label-IMAG1``, ``arrow-IMAG1`` and ``loading-IMAG1``, spaces in names as ``_``. `to_svg` with
    ``editable=True`` leaves text as text; `to_dot` writes the model for Graphviz.

    Parameters
    ----------
    fit
        A fit of `csimodel.fit`.
    bootstrap
        A bootstrap of that fit, ``csi.linearize(fit)``, or its table of paths (columns lower and
        upper, and what `show` asks for).
    items
        Draw the items too.
    show
        What stands on the arrows, a line each: ``"path"`` (coefficient), ``"t"``, ``"p"``,
        ``"interval"``, and ``"stars"`` beside the first. All but the first need `bootstrap`.
    decimals
        Of coefficients, intervals, loadings and R².
    labels
        What to write for constructs and items, by their names.
    positions
        Where each construct stands, by name, (x, y): columns to the right and rows up. Items go to
        the side that is free.
    colors
        By what they are of: ``"positive"``, ``"negative"``, ``"construct"``, ``"item"``,
        ``"line"`` (arrows of items, legend) and ``"text"``; as matplotlib takes them.
    font
        A family that is installed; characters that it lacks come from another.
    title
        Title of the diagram.
    ax
        Axes to draw on, made smaller as a whole where they are small; left out, a new figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    OptionError
        When `fit` is not a fit, `bootstrap` has no interval for a path or not what `show` asks for,
        or an option is unknown or names what the model has not.

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
    >>> figure = path_diagram(fit, bootstrap=csi.linearize(fit), show=["path", "stars", "interval"])
    >>> "0.50***\n[0.39, 0.62]" in [text.get_text() for text in figure.axes[0].texts]
    True
    """
    require_estimates(fit, "path_diagram")
    items = require_flag("items", items)
    decimals = require_count("decimals", decimals, least=0, most=DECIMALS)
    told = path_texts(fit, bootstrap, show, decimals)
    names = [construct.name for construct in fit.model.constructs]
    answered = [item for construct in fit.model.constructs for item in construct.items]
    written = labels_of(labels, names, answered)
    visible = [written[name] for name in (*names, *(answered if items else ()))]
    family = (*family_of(font), *fonts.families([*visible, title or "", told.note]))
    bubbles = [
        _bubble(fit, construct, family, items, written, decimals)
        for construct in fit.model.constructs
    ]
    spot = {name: i for i, name in enumerate(names)}
    edges = np.array(
        [(spot[path.source], spot[path.target]) for path in fit.model.paths], dtype=np.intp
    ).reshape(-1, 2)
    size = _ellipse(bubbles, family)
    sizes = np.tile(size, (len(bubbles), 1))
    fans = [fan(*size, [_box(text, family) for text in bubble.boxes]) for bubble in bubbles]
    graph = Graph(sizes, fans, edges)
    placement = placement_of(graph, names, positions, items)
    blocks = [choices[side] for choices, side in zip(fans, placement.sides, strict=True)]
    extents = [
        block.extent + np.tile(centre, 2)
        for block, centre in zip(blocks, placement.centres, strict=True)
        if len(block.boxes)
    ]
    taken = np.array(extents).reshape(-1, 4)
    return artists.draw(
        Drawing(
            family=family,
            bubbles=bubbles,
            centres=placement.centres,
            size=size,
            blocks=blocks,
            arrows=[_arrow(path, told) for path in fit.model.paths],
            routes=route(placement.centres, sizes, edges, taken),
            intervals=told.intervals,
            palette=palette_of(colors),
            title=title or "",
            note=told.note,
        ),
        ax,
    )


def require_estimates(fit: Any, function: str) -> None:
    """Refuse what has no model with estimates.

    Raises
    ------
    OptionError
        By the name of the function that was called.
    """
    if not all(hasattr(fit, name) for name in ("model", "paths", "loadings", "r2")):
        require_fit(fit, function)


def _bubble(
    fit: Any,
    construct: Any,
    family: Sequence[str],
    items: bool,
    labels: Mapping[str, str],
    decimals: int,
) -> Bubble:
    name = construct.name
    drawn = tuple(construct.items) if items else ()
    return Bubble(
        name=name,
        items=drawn,
        lines=text_metrics.wrap(labels[name], _NAME_WIDTH, style.TEXT_SIZE, family, "bold"),
        note=f"R² = {number(float(fit.r2[name]), decimals)}" if name in fit.r2.index else "",
        boxes=tuple(
            text_metrics.wrap(labels[item], _ITEM_WIDTH, style.SMALL_SIZE, family) for item in drawn
        ),
        loadings=tuple(number(float(fit.loadings.loc[item, name]), decimals) for item in drawn),
        inwards=construct.kind == "composite",
    )


def _arrow(path: Any, told: PathTexts) -> Arrow:
    key = (path.target, path.source)
    return Arrow(
        value=told.values[key],
        dashed=key in told.uncertain,
        text=told.texts[key],
        name=f"{path.source}-{path.target}",
    )


def _box(text: str, family: Sequence[str]) -> tuple[float, float]:
    width, height = text_metrics.measure(text, style.SMALL_SIZE, family)
    return max(width + 8, 27.0), height + 6.5


def _ellipse(bubbles: Sequence[Bubble], family: Sequence[str]) -> tuple[float, float]:
    """Return the size of the ellipses: one for all, so that none seems more important."""
    names = [text_metrics.measure(b.lines, style.TEXT_SIZE, family, "bold") for b in bubbles]
    note = text_metrics.measure("R² = 0.00", style.SMALL_SIZE, family)
    width = max(note[0], *(w for w, _ in names))
    height = max(h for _, h in names) + note[1] + 4
    return 1.32 * width + 8, 1.5 * height + 2
