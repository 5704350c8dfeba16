"""Options of the path diagram: labels, a font, colours and places, held to the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np
from matplotlib import colors as mpl_colors
from matplotlib.font_manager import FontProperties, fontManager

from csimodel.errors import OptionError, choose, suggest
from csimodel.options import number_of, shown
from csimodel.plots.drawing import Palette
from csimodel.plots.labels import Array
from csimodel.plots.layout import Placement, lay_out, stand
from csimodel.plots.layout_cost import Graph


def labels_of(
    labels: Mapping[str, str] | None, constructs: Sequence[str], items: Sequence[str]
) -> dict[str, str]:
    """Return what is written for each construct and item.

    Raises
    ------
    OptionError
        For the label of what is not in the model.
    """
    written = {name: name for name in (*items, *constructs)}
    for name, text in (labels or {}).items():
        if name not in written:
            raise OptionError(
                f"labels= names {name!r}, which is no construct or item of the model"
                f"{suggest(name, written)}."
            )
        written[name] = text
    return written


def family_of(font: str | None) -> tuple[str, ...]:
    """Return the family that is asked for, which must be installed."""
    if font is None:
        return ()
    try:
        fontManager.findfont(FontProperties(family=[font]), fallback_to_default=False)
    except ValueError:
        known = {entry.name for entry in fontManager.ttflist}
        raise OptionError(
            f"font={font!r} is not installed here{suggest(font, known)}; install it, or leave font "
            "out."
        ) from None
    return (font,)


def palette_of(colors: Mapping[str, str] | None) -> Palette:
    """Return the colours, those given in the place of the usual ones."""
    given = {} if colors is None else dict(colors)
    allowed = [field.name for field in fields(Palette)]
    for name, color in given.items():
        choose("colors", name, allowed)
        if not mpl_colors.is_color_like(color):
            raise OptionError(
                f"colors[{name!r}]={shown(color)} is no colour; write 'tab:blue' or '#0072B2'."
            )
    return Palette(**given)


def placement_of(
    graph: Graph,
    names: Sequence[str],
    positions: Mapping[str, Sequence[float]] | None,
    items: bool,
) -> Placement:
    """Return where constructs stand: as laid out, or in the columns and rows given."""
    if positions is None:
        return lay_out(graph)
    for name in positions:
        if name not in names:
            raise OptionError(
                f"positions= names {name!r}, which is no construct of the model"
                f"{suggest(name, names)}."
            )
    if absent := [name for name in names if name not in positions]:
        raise OptionError(
            f"positions= has no place for {absent[0]!r}; give one for each construct, such as "
            f"{{{absent[0]!r}: (0, 1)}}."
        )
    width, height = graph.sizes.max(axis=0)
    step = np.array([width + (90.0 if items else 60.0), height + (80.0 if items else 30.0)])
    centres = np.array([_point(name, positions[name]) for name in names]) * step
    apart = np.abs(centres[:, None] - centres[None]) / graph.sizes[:, None]
    near = np.argwhere(np.triu((apart < 1).all(axis=-1), 1))
    if len(near):
        first, second = (names[int(k)] for k in near[0])
        raise OptionError(
            f"positions= puts {first!r} and {second!r} on the same place; put them a column or "
            "a row apart."
        )
    return stand(graph, centres)


def _point(name: str, place: object) -> Array:
    """Return a place as two numbers."""
    values = [number_of(value) for value in place] if isinstance(place, list | tuple) else []
    if len(values) != 2 or any(value is None or not np.isfinite(value) for value in values):
        raise OptionError(
            f"positions[{name!r}]={shown(place)} must be two finite numbers, the column and the "
            "row, such as (0, 1)."
        )
    return np.array(values, dtype=float)
