"""Pictures with a named row for each number, and the number at the right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csimodel.plots import style, text_metrics
from csimodel.plots.labels import Array

_ROW = 0.34  # inches per row
_BELOW = 0.55  # inches, for one line below the numbers of the axis
_LABEL_WIDTH = 170.0  # widest line of a row's label, points


def row_axes(
    ax: Axes | None,
    names: Sequence[str],
    family: Sequence[str],
    title: str | None,
    right: float,
    row: float = _ROW,
    below: float = _BELOW,
) -> tuple[Figure, Axes]:
    """Return axes with a row of some inches for each name, and room beside and below them."""
    shape = (style.SMALL_SIZE, family)
    wrapped = [text_metrics.wrap(name, _LABEL_WIDTH, *shape) for name in names]
    sizes = [text_metrics.measure(name, *shape) for name in wrapped]
    left = (max(width for width, _ in sizes) + 16) / 72
    each = max(row, (max(height for _, height in sizes) + 8) / 72)
    top = 0.2 + (0.3 if title else 0.0)
    height = each * len(names) + below + top
    return style.take_axes(ax, (left + 3.6 + right, height), (left, right, below, top))


def finish_rows(
    ax: Axes, names: Sequence[str], texts: Sequence[str], family: Sequence[str]
) -> None:
    """Name the rows from top to bottom, with their numbers at the right."""
    shape = (style.SMALL_SIZE, family)
    ax.set_ylim(len(names) - 0.4, -0.6)
    wrapped = [text_metrics.wrap(name, _LABEL_WIDTH, *shape) for name in names]
    ax.set_yticks(range(len(names)), wrapped, parse_math=False, usetex=False)
    ax.tick_params(axis="y", length=0)
    for tick in ax.get_yticklabels():
        tick.set_fontproperties(text_metrics.font(family, style.SMALL_SIZE))
    for place, text in enumerate(texts):
        style.write(
            ax,
            1.02,
            place,
            text,
            family=family,
            size=style.SMALL_SIZE,
            transform=ax.get_yaxis_transform(),
            va="center_baseline",
            ha="left",
        )


def whole_decimals(values: Array) -> int:
    """Return the decimals that show three figures of the largest value, 0 to 6.

    Examples
    --------
    >>> whole_decimals(np.array([0.98, -0.1])), whole_decimals(np.array([1250.0]))
    (3, 0)
    """
    largest = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 1.0
    if largest <= 0:
        return 0
    return int(np.clip(2 - np.floor(np.log10(largest)), 0, 6))
