"""Several lines in one picture: their colours, and their names beside their ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from csimodel.plots import style, text_metrics
from csimodel.plots.labels import Array
from csimodel.plots.points import on_paper

# Okabe and Ito's colours, with dashes so that they are told apart in grey too.
PALETTE: tuple[tuple[str, Any], ...] = (
    (style.BLUE, "-"),
    (style.VERMILLION, (0, (6, 2))),
    ("#009E73", (0, (2, 1.5))),
    ("#CC79A7", (0, (7, 2, 1.5, 2))),
    ("#B8860B", "-"),
    ("#56B4E9", (0, (6, 2))),
    (style.INK, (0, (2, 1.5))),
    (style.MUTED, (0, (7, 2, 1.5, 2))),
)

_APART = 11.0  # least distance of two names, points


def name_lines(
    ax: Axes, names: Sequence[str], ends: Array, colors: Sequence[str], family: Sequence[str]
) -> None:
    """Write the name of each line right of where it ends, none over another.

    Parameters
    ----------
    ax
        Axes whose limits are final.
    names, colors
        One for each line.
    ends
        Data positions of the lines' ends, (lines, 2).
    family
        Font families.

    Examples
    --------
    >>> _, ax = style.take_axes(None, (3, 3), (0, 1, 0, 0))
    >>> name_lines(ax, ["a", "b"], np.array([[1, 0.5], [1, 0.5]]), ["k", "k"], ["DejaVu Sans"])
    >>> len({text.get_position()[1] for text in ax.texts})
    2
    """
    at = on_paper(ax, ends)
    right = float(on_paper(ax, np.array([[max(ax.get_xlim()), 0.0]]))[0, 0])
    corners = on_paper(ax, np.array([[0.0, end] for end in sorted(ax.get_ylim())]))
    heights = spread_out(np.clip(at[:, 1], *corners[:, 1]), _APART)
    heights -= max(0.0, heights.max() - corners[1, 1])  # the title stands above
    for row, (name, color) in enumerate(zip(names, colors, strict=True)):
        spot, height = at[row], float(heights[row])
        label = text_metrics.wrap(name, 150.0, style.SMALL_SIZE, family, "bold")
        bent = abs(height - spot[1]) > 3.0 or right - spot[0] > 3.0
        line = {
            "arrowstyle": "-",
            "color": color,
            "linewidth": 0.7,
            "shrinkA": 2,
            "shrinkB": 0,
            "relpos": (0.0, 0.5),
        }
        ax.annotate(
            label,
            xy=(float(ends[row, 0]), float(ends[row, 1])),
            xytext=(float(right - spot[0] + 12), height - float(spot[1])),
            textcoords="offset points",
            ha="left",
            va="center_baseline",
            fontproperties=text_metrics.font(family, style.SMALL_SIZE, "bold"),
            color=color,
            parse_math=False,
            usetex=False,
            annotation_clip=False,
            arrowprops=line if bent else None,
        )


def spread_out(wanted: Array, apart: float) -> Array:
    """Return heights at least `apart` from each other, in the same order, near those wanted.

    Examples
    --------
    >>> spread_out(np.array([10.0, 10.0, 50.0]), 10.0).tolist()
    [5.0, 15.0, 50.0]
    """
    order = np.argsort(wanted, kind="stable")
    blocks: list[list[float]] = []  # sum of wanted heights less ranks, and size, pooled like PAVA
    for rank, place in enumerate(order):
        blocks.append([float(wanted[place]) - apart * rank, 1.0])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, size = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += size
    fitted = np.repeat([total / size for total, size in blocks], [int(size) for _, size in blocks])
    places = np.empty(len(wanted))
    places[order] = fitted + apart * np.arange(len(wanted))
    return places
