"""The look of every figure: palette, sizes, axes, and the figure itself.

Figures are made with matplotlib's object interface and every property is set on
the artist, so neither ``pyplot`` nor the global ``rcParams`` are read or changed
in a way a user could notice, and threads do not meet.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from csimodel.errors import OptionError
from csimodel.plots.text_metrics import drawable, font

# Okabe and Ito's palette: told apart with any of the common colour deficiencies.
BLUE = "#0072B2"
VERMILLION = "#D55E00"
INK = "#1F2933"
MUTED = "#5F6B76"
GRID = "#DDE2E7"
PAPER = "#FFFFFF"
CONSTRUCT_FILL = "#EAF3F9"
ITEM_FILL = "#F6F7F8"

BASE_FAMILY = "DejaVu Sans"  # ships with matplotlib, so measures are equal everywhere
TITLE_SIZE = 10.5
TEXT_SIZE = 9.0
SMALL_SIZE = 7.5
TINY_SIZE = 6.8

_CSS_DPI = 96


class CsiFigure(Figure):
    r"""Make a matplotlib figure that a notebook shows although ``pyplot`` never saw it.

    IPython learns to draw figures only when ``pyplot`` is imported under its
    inline backend; this class carries its own picture instead. It is a
    `matplotlib.figure.Figure` in every other respect.

    Examples
    --------
    >>> CsiFigure(figsize=(1, 1))._repr_png_()[0][:4]
    b'\x89PNG'
    """

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        buffer = io.BytesIO()
        whole: Any = {"bbox_inches": self.bbox_inches, "facecolor": "auto", "edgecolor": "auto"}
        self.savefig(buffer, format="png", dpi=2 * _CSS_DPI, **whole)
        width, height = self.get_size_inches()
        shown = {"width": round(width * _CSS_DPI), "height": round(height * _CSS_DPI)}
        return buffer.getvalue(), shown


def new_figure(width: float, height: float) -> CsiFigure:
    """Return an empty white figure of `width` × `height` inches.

    Examples
    --------
    >>> new_figure(4, 3).get_size_inches().tolist()
    [4.0, 3.0]
    """
    settings: Any = {"layout": "none"}  # the user's settings for layout are not for this figure
    figure = CsiFigure(
        figsize=(width, height), dpi=100, facecolor=PAPER, edgecolor=PAPER, **settings
    )
    FigureCanvasAgg(figure)
    return figure


def take_axes(
    ax: Axes | None,
    size: tuple[float, float],
    margins: tuple[float, float, float, float],
) -> tuple[Figure, Axes]:
    """Return the figure and axes to draw on: the user's `ax`, or new ones.

    Parameters
    ----------
    ax
        The user's axes, or ``None``.
    size
        Width and height of a new figure, inches.
    margins
        Left, right, bottom and top margins of a new figure, inches.

    Raises
    ------
    OptionError
        When `ax` is not a matplotlib axes.

    Examples
    --------
    >>> figure, ax = take_axes(None, (4, 2), (1, 1, 0.5, 0.5))
    >>> ax.get_position().get_points().tolist()
    [[0.25, 0.25], [0.75, 0.75]]
    """
    if ax is None:
        width, height = size
        left, right, bottom, top = margins
        figure = new_figure(width, height)
        box = (
            left / width,
            bottom / height,
            1 - (left + right) / width,
            1 - (bottom + top) / height,
        )
        return figure, figure.add_axes(box)
    if not isinstance(ax, Axes):
        raise OptionError(
            f"ax={ax!r} is a {type(ax).__name__}; "
            "pass a matplotlib Axes, or leave ax out to get a new figure."
        )
    owner: Any = ax.figure
    while not isinstance(owner, Figure):  # a subfigure: climb to the figure that is saved
        owner = owner.figure
    return owner, ax


def write(
    ax: Axes,
    x: float,
    y: float,
    text: str,
    *,
    family: Sequence[str],
    size: float = TEXT_SIZE,
    weight: str = "normal",
    color: str = INK,
    halo: bool = False,
    **properties: Any,
) -> Text:
    """Write `text` literally (a ``$`` stays a dollar sign) at data position (`x`, `y`).

    Examples
    --------
    >>> _, ax = take_axes(None, (2, 2), (0, 0, 0, 0))
    >>> write(ax, 0.5, 0.5, "$", family=["DejaVu Sans"]).get_text()
    '$'
    """
    written = ax.text(
        x,
        y,
        drawable(text),
        fontproperties=font(family, size, weight),
        color=color,
        parse_math=False,
        usetex=False,
        **properties,
    )
    if halo:
        written.set_path_effects([withStroke(linewidth=2.6, foreground=PAPER)])
        written.set_bbox({"boxstyle": "square,pad=0.06", "facecolor": PAPER, "linewidth": 0})
    return written


def dress(ax: Axes, family: Sequence[str], *, grid: str = "x") -> None:
    """Give `ax` the frame, ticks and grid lines of the house; `grid` is "x", "y" or "none".

    Examples
    --------
    >>> _, ax = take_axes(None, (2, 2), (0.2, 0.2, 0.2, 0.2))
    >>> dress(ax, ["DejaVu Sans"])
    >>> ax.spines["top"].get_visible()
    False
    """
    ax.set_facecolor(PAPER)
    ax.set_axisbelow(True)
    ax.grid(False)
    if grid != "none":
        ax.grid(True, axis="x" if grid == "x" else "y", color=GRID, linewidth=0.7, linestyle="-")
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(MUTED)
        spine.set_linewidth(0.8)
    ax.tick_params(
        axis="both",
        which="major",
        direction="out",
        length=3,
        width=0.8,
        color=MUTED,
        labelcolor=INK,
        labelsize=SMALL_SIZE,
        labelfontfamily=list(family),
        top=False,
        right=False,
    )


def title_axes(
    ax: Axes, family: Sequence[str], *, x: str = "", y: str = "", title: str | None = None
) -> None:
    """Set the axis titles and, when given, the title of `ax`, all taken literally.

    Examples
    --------
    >>> _, ax = take_axes(None, (2, 2), (0.2, 0.2, 0.2, 0.2))
    >>> title_axes(ax, ["DejaVu Sans"], x="US$")
    >>> ax.get_xlabel()
    'US$'
    """
    shared: dict[str, Any] = {"parse_math": False, "usetex": False, "color": INK}
    ax.set_xlabel(drawable(x), fontproperties=font(family, TEXT_SIZE), labelpad=5, **shared)
    ax.set_ylabel(drawable(y), fontproperties=font(family, TEXT_SIZE), labelpad=5, **shared)
    if title is not None:
        ax.set_title(
            drawable(title),
            loc="left",
            pad=8,
            fontproperties=font(family, TITLE_SIZE, "bold"),
            **shared,
        )
