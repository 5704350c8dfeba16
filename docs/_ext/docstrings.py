"""What Sphinx is told of docstrings as the package writes them."""

import inspect
import re

from sphinx.application import Sphinx


def _arguments_are_no_links(
    app: Sphinx, what: str, name: str, value: object, options: object, lines: list[str]
) -> None:
    """Keep arguments of a function, which may be called like a module, from being linked."""
    try:
        names = set(inspect.signature(value).parameters) if callable(value) else set()
    except ValueError:  # a type of C
        return
    for at, line in enumerate(lines):
        lines[at] = re.sub(
            r"(?<![`:])`(\w+)`(?!`)", lambda m: f"*{m[1]}*" if m[1] in names else m[0], line
        )


def setup(app: Sphinx) -> dict[str, bool]:
    """Read docstrings so before napoleon does."""
    app.connect("autodoc-process-docstring", _arguments_are_no_links, priority=400)
    return {"parallel_read_safe": True}
