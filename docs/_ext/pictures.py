"""Pictures of a page are made by the code that stands above them, when the site is built."""

import os
import tempfile
from pathlib import Path
from typing import Any

from blocks import BLOCK, blocks, run
from sphinx.application import Sphinx

import csimodel as csi


def _draw(app: Sphinx, page: str, content: list[str]) -> None:
    text = content[0]
    own = blocks(text)
    if not any(block.kind == "picture" for block in own):
        return
    folder = Path(app.srcdir) / "pictures"
    folder.mkdir(exist_ok=True)
    names: dict[str, Any] = {}
    drawn = {}
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        try:
            for number, block in enumerate(own):
                if block.kind == "shell":
                    continue
                figure = run(block, names, page).value
                if block.kind == "picture":
                    file = folder / f"{page.replace('/', '-')}-{number}.svg"
                    file.write_text(csi.plots.to_svg(figure, title=block.title), encoding="utf-8")
                    drawn[block.line] = (
                        f"```python\n{block.code}```\n\n![{block.title}](/pictures/{file.name})"
                    )
        finally:
            os.chdir(before)
    content[0] = BLOCK.sub(
        lambda match: drawn.get(text.count("\n", 0, match.start()) + 1, match[0]), text
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Draw them when a page is read."""
    app.connect("source-read", _draw)
    return {"parallel_read_safe": True}
