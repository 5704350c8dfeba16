"""Names of points on a chart, where nothing is in their way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from csimodel.plots import style, text_metrics
from csimodel.plots.labels import Array, Label, place

_DOT = 5.5  # room a mark takes to each side, points
_NEAR = 16.0  # a name farther off than this gets a line to its mark, points
_RINGS = (
    8.0,
    14.0,
    22.0,
    32.0,
    46.0,
    64.0,
    86.0,
    112.0,
    140.0,
)  # distances of a name from its mark, points
_DIRECTIONS = (
    *((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)),
    *((1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)),
    *((0.5, 1.0), (0.5, -1.0), (-0.5, 1.0), (-0.5, -1.0)),
)


def on_paper(ax: Axes, positions: Array) -> Array:
    """Return data positions (…, 2) of `ax` as points on the figure, (…, 2).

    Examples
    --------
    >>> _, ax = style.take_axes(None, (2, 1), (0, 0, 0, 0))
    >>> on_paper(ax, np.array([[0.5, 0.5]])).tolist()
    [[72.0, 36.0]]
    """
    figure: Any = ax.figure
    pixels = np.asarray(ax.transData.transform(positions), dtype=float)
    scaled: Array = pixels * (72.0 / figure.dpi)
    return scaled


def frame(ax: Axes) -> tuple[Array, Array]:
    """Return the lower left and upper right corner of `ax`, points on the figure.

    Examples
    --------
    >>> _, ax = style.take_axes(None, (2, 1), (0, 0, 0, 0))
    >>> frame(ax)[1].tolist()
    [144.0, 72.0]
    """
    x, y = sorted(ax.get_xlim()), sorted(ax.get_ylim())
    low, high = on_paper(ax, np.array([[x[0], y[0]], [x[1], y[1]]]))
    return low, high


def name_points(
    ax: Axes, points: Array, names: Sequence[str], family: Sequence[str], obstacles: Array
) -> None:
    """Write the name of every point where no other name, point or obstacle is in the way.

    Parameters
    ----------
    ax
        Axes whose limits are final.
    points
        Data positions, (points, 2).
    names
        One for each point.
    family
        Font families.
    obstacles
        Rectangles to keep free, points on the figure, (obstacles, 4).

    Examples
    --------
    >>> _, ax = style.take_axes(None, (3, 3), (0, 0, 0, 0))
    >>> name_points(ax, np.array([[0.5, 0.5]]), ["Value"], ["DejaVu Sans"], np.zeros((0, 4)))
    >>> [text.get_text() for text in ax.texts]
    ['Value']
    """
    at = on_paper(ax, points)
    low, high = frame(ax)
    labels = []
    for spot, name in zip(at, names, strict=True):
        size = text_metrics.measure(name, style.TEXT_SIZE, family)
        centres, costs = _around(spot, size)
        half = np.asarray(size) / 2
        outside = np.clip(low + 2 - (centres - half), 0, None).sum(axis=1)
        outside += np.clip(centres + half - (high - 2), 0, None).sum(axis=1)
        labels.append(Label(size, centres, costs + 50.0 * outside))
    dots = np.concatenate([at - _DOT, at + _DOT], axis=1)
    for i, chosen in enumerate(place(labels, obstacles=np.concatenate([dots, obstacles]))):
        dx, dy = labels[i].centres[chosen] - at[i]
        far = abs(dy) > _NEAR or abs(dx) > labels[i].size[0] / 2 + _NEAR
        line = {"arrowstyle": "-", "color": style.MUTED, "linewidth": 0.6}
        ax.annotate(
            text_metrics.drawable(names[i]),
            xy=(float(points[i, 0]), float(points[i, 1])),
            xytext=(float(dx), float(dy)),
            textcoords="offset points",
            ha="center",
            va="center_baseline",
            fontproperties=text_metrics.font(family, style.TEXT_SIZE),
            color=style.INK,
            parse_math=False,
            usetex=False,
            zorder=5,
            arrowprops=line if far else None,
        )


def _around(spot: Array, size: tuple[float, float]) -> tuple[Array, Array]:
    """Return places for a name around its mark: beside, above, below, then farther off."""
    centres, costs = [], []
    half = np.asarray(size) / 2
    for ring, gap in enumerate(_RINGS):
        for rank, direction in enumerate(_DIRECTIONS):
            slant = 0.75 if all(direction) else 1.0
            centres.append(spot + np.array(direction) * (half + gap * slant))
            costs.append(12.0 * ring + rank)
    return np.array(centres), np.array(costs)
