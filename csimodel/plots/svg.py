"""Figures as SVG text, for pages that hold several of them."""

from __future__ import annotations

import hashlib
import io
import re
import threading
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from csimodel.arguments import checked
from csimodel.characters import printable
from csimodel.errors import OptionError
from csimodel.floats import own_errstate
from csimodel.quiet import quiet

_SETTINGS: Any = {
    "svg.fonttype": "path",
    "svg.hashsalt": "csimodel",
    "savefig.bbox": "standard",
    "savefig.facecolor": "auto",
    "savefig.edgecolor": "auto",
    "savefig.transparent": False,
}
_LOCK = threading.Lock()  # rc_context is one for all threads
_REFERENCE = re.compile(r'(\bid="|url\(#|href="#)')


@own_errstate
@checked
def to_svg(figure: Figure, *, title: str | None = None, editable: bool = False) -> str:
    """Return `figure` as one ``<svg>`` element, ready to be put inside an HTML page.

    Text is drawn as outlines, so no font is needed where it is shown. The same figure
    gives the same characters every time: no date, no random names. Names inside the
    element carry a prefix of their own, so that several figures share a page.

    Parameters
    ----------
    figure
        A matplotlib figure.
    title
        What the figure shows, in words, for people who do not see it.
    editable
        Whether text stays text, to be searched and edited in Inkscape or PowerPoint; the fonts are
        then those of whoever looks at it. Names carry no prefix, so that ``path-Image-Loyalty`` of
        a path diagram is found by that name; such an element is for a file of its own.

    Raises
    ------
    OptionError
        When `figure` is not a matplotlib figure.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> text = to_svg(Figure(figsize=(2, 1)), title="A < B")
    >>> text.startswith("<svg"), 'aria-label="A &lt; B"' in text, "dc:date" in text
    (True, True, False)
    """
    if not isinstance(figure, Figure):
        raise OptionError(
            f"figure is a {type(figure).__name__}; "
            "pass the matplotlib Figure that a function of csimodel.plots returns."
        )
    buffer = io.StringIO()
    settings = _SETTINGS | ({"svg.fonttype": "none"} if editable else {})
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with _LOCK, quiet(), mpl.rc_context(settings):  # characters without a font are told before
        figure.savefig(buffer, format="svg", metadata=nothing)
    text = buffer.getvalue()
    text = printable(text[text.index("<svg") :].strip())
    if not editable:
        prefix = "f" + hashlib.sha256(text.encode()).hexdigest()[:8] + "-"
        text = _REFERENCE.sub(lambda match: match.group(1) + prefix, text)
    label = f' aria-label="{escape(printable(title))}"' if title is not None else ""
    return text.replace("<svg", f'<svg role="img"{label}', 1)
