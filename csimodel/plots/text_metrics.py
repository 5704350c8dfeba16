"""Text as it will be seen: its font, its size on paper, its line breaks, its numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties

from csimodel.characters import printable

_BREAKS = re.compile("[\t\v\f\r\x1c-\x1f\x85\u2028\u2029]")
_MEASURE_DPI = 288
_renderer: Any = RendererAgg
_RULER: Any = _renderer(1, 1, _MEASURE_DPI)


def font(family: Sequence[str], size: float, weight: str = "normal") -> FontProperties:
    """Return the font for a piece of text; `family` is a fallback list.

    Examples
    --------
    >>> font(["DejaVu Sans"], 9).get_size_in_points()
    9.0
    """
    return FontProperties(
        family=list(family), size=size, weight=weight, style="normal", stretch="normal"
    )


def drawable(text: str) -> str:
    r"""Return `text` without what has no shape: other breaks than line feeds become spaces.

    Examples
    --------
    >>> drawable("a\tb\r\nc\x00") == "a b\nc\ufffd"
    True
    """
    return printable(_BREAKS.sub(" ", text.replace("\r\n", "\n")))


def measure(
    text: str, size: float, family: Sequence[str], weight: str = "normal"
) -> tuple[float, float]:
    r"""Return the width and height of `text` in points, lines counted.

    Examples
    --------
    >>> one = measure("Loyalty", 9, ["DejaVu Sans"])
    >>> two = measure("Loyalty\nLoyalty", 9, ["DejaVu Sans"])
    >>> one[0] == two[0], two[1] > 2 * one[1]
    (True, True)
    """
    lines = drawable(text).split("\n")
    widths = [_width(line or " ", size, tuple(family), weight) for line in lines]
    # Text spaces lines by 1.2 times the height of "lp"; one line needs about its size.
    height = size * (1.0 + 1.25 * (len(lines) - 1))
    return max(widths) * 72 / _MEASURE_DPI, height


@lru_cache(maxsize=4096)
def _width(line: str, size: float, family: tuple[str, ...], weight: str) -> float:
    width: float = _RULER.get_text_width_height_descent(line, font(family, size, weight), False)[0]
    return width


def wrap(
    text: str, width: float, size: float, family: Sequence[str], weight: str = "normal"
) -> str:
    """Break `text` into lines no wider than `width` points, after spaces, marks or CJK characters.

    A piece that has no place to break and is still too wide is cut where it must be.
    Nothing is left out.

    Examples
    --------
    >>> print(wrap("perceived quality of service", 60, 9, ["DejaVu Sans"]))
    perceived
    quality of
    service
    """
    lines = _fill(text, width, size, family, weight)
    # The same number of lines, of more equal length, reads better.
    narrower = width
    widest = max(measure(piece.strip(), size, family, weight)[0] for piece in _pieces(text) or [""])
    while len(lines) > 1 and 0.94 * narrower > widest:
        narrower *= 0.94
        tighter = _fill(text, narrower, size, family, weight)
        if len(tighter) > len(lines):
            break
        lines = tighter
    return "\n".join(lines)


def _fill(text: str, width: float, size: float, family: Sequence[str], weight: str) -> list[str]:
    lines = [""]
    for piece in _pieces(text):
        for part in _cut(piece, width, size, family, weight):
            joined = lines[-1] + part
            if lines[-1] and measure(joined.rstrip(), size, family, weight)[0] > width:
                lines.append(part)
            else:
                lines[-1] = joined
    return [line.strip() for line in lines]


def _pieces(text: str) -> list[str]:
    pieces = [""]
    for character in drawable(text).replace("\n", " "):
        pieces[-1] += character
        if character in " _-./:·" or ord(character) >= 0x2E80:
            pieces.append("")
    return [piece for piece in pieces if piece]


def _cut(piece: str, width: float, size: float, family: Sequence[str], weight: str) -> list[str]:
    if measure(piece.rstrip(), size, family, weight)[0] <= width:
        return [piece]
    parts = [""]
    for character in piece:
        longer = parts[-1] + character
        if parts[-1] and measure(longer.rstrip(), size, family, weight)[0] > width:
            parts.append(character)
        else:
            parts[-1] = longer
    return parts
