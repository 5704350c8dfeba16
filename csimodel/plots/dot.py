"""The path diagram as text for Graphviz."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from csimodel.arguments import checked
from csimodel.characters import printable
from csimodel.floats import own_errstate
from csimodel.formatting import number
from csimodel.options import require_count, require_flag
from csimodel.plots.diagram import DECIMALS, require_estimates
from csimodel.plots.diagram_options import labels_of
from csimodel.plots.drawing import Arrow, Palette, pen_of
from csimodel.plots.path_texts import path_texts


@own_errstate
@checked
def to_dot(
    fit: Any,
    *,
    bootstrap: Any = None,
    items: bool = True,
    show: str | Sequence[str] = "path",
    decimals: int = 2,
    labels: Mapping[str, str] | None = None,
) -> str:
    r"""Return the model of a fit with its estimates in the DOT language of Graphviz.

    Constructs are ellipses with R², items boxes; arrows bear coefficients and loadings, in the
    colours and widths of `path_diagram`. Draw it with ``dot -Tsvg model.dot``, or any program that
    reads DOT.

    Parameters
    ----------
    fit, bootstrap, items, show, decimals, labels
        As in `path_diagram`.

    Raises
    ------
    OptionError
        As in `path_diagram`.

    Examples
    --------
    >>> import csimodel as csi
    >>> model = csi.Model.from_syntax('''
    ...     Value =~ PERV1 + PERV2
    ...     Satisfaction =~ CUSA1 + CUSA2 + CUSA3
    ...     Satisfaction ~ Value
    ... ''')
    >>> print(to_dot(csi.fit(model, csi.load_mobi()), items=False))
    digraph {
      rankdir=LR
      node [fontname="sans-serif", fontsize="11"]
      edge [fontname="sans-serif", fontsize="10"]
      "construct Value" [label="Value", shape="ellipse", style="filled", fillcolor="#EAF3F9"]
      "construct Satisfaction" [label="Satisfaction\nR² = 0.38", shape="ellipse", ...]
      "construct Value" -> "construct Satisfaction" [label="0.61", color="#0072B2", penwidth="2.5"]
    }
    """
    require_estimates(fit, "to_dot")
    items = require_flag("items", items)
    decimals = require_count("decimals", decimals, least=0, most=DECIMALS)
    told = path_texts(fit, bootstrap, show, decimals)
    constructs = fit.model.constructs
    answered = [item for construct in constructs for item in construct.items]
    written = labels_of(labels, [construct.name for construct in constructs], answered)
    palette = Palette()
    lines = [_construct(fit, own.name, written, decimals, palette) for own in constructs]
    for construct in constructs if items else ():
        lines += _items(fit, construct, written, decimals, palette)
    for path in fit.model.paths:
        key = (path.target, path.source)
        color, width, _ = pen_of(Arrow(told.values[key], False), palette)
        options = {"label": told.texts[key], "color": color, "penwidth": f"{width:.1f}"}
        if key in told.uncertain:
            options["style"] = "dashed"
        ends = (_text(f"construct {name}") for name in (path.source, path.target))
        lines.append(f"{' -> '.join(ends)} {_options(options)}")
    if told.note:
        lines.append(f"label={_text(told.note)}")
    plain = {"fontname": "sans-serif"}
    settings = [
        "rankdir=LR",
        f"node {_options(plain | {'fontsize': '11'})}",
        f"edge {_options(plain | {'fontsize': '10'})}",
    ]
    return "\n".join(["digraph {", *(f"  {line}" for line in (*settings, *lines)), "}"])


def _construct(
    fit: Any, name: str, written: Mapping[str, str], decimals: int, palette: Palette
) -> str:
    note = f"\nR² = {number(float(fit.r2[name]), decimals)}" if name in fit.r2.index else ""
    options = {
        "label": written[name] + note,
        "shape": "ellipse",
        "style": "filled",
        "fillcolor": palette.construct,
    }
    return f"{_text(f'construct {name}')} {_options(options)}"


def _items(
    fit: Any, construct: Any, written: Mapping[str, str], decimals: int, palette: Palette
) -> list[str]:
    """Return the items of a construct and their arrows."""
    lines = []
    for item in construct.items:
        name, loading = _text(f"item {item}"), fit.loadings.loc[item, construct.name]
        box = {"label": written[item], "shape": "box", "style": "filled", "fillcolor": palette.item}
        lines.append(f"{name} {_options(box)}")
        ends = [_text(f"construct {construct.name}"), name]
        if construct.kind == "composite":
            ends.reverse()
        arrow = {"label": number(float(loading), decimals), "color": palette.line}
        lines.append(f"{' -> '.join(ends)} {_options(arrow)}")
    return lines


def _options(options: Mapping[str, str]) -> str:
    """Write the options of a node or an edge."""
    return f"[{', '.join(f'{name}={_text(text)}' for name, text in options.items())}]"


def _text(text: str) -> str:
    """Write a text between quotation marks; a backslash of its own is not read as an escape."""
    shown = printable(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{shown}"'
