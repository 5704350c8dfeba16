"""Puts the notebooks, with the outputs that are stored in them, beside the pages."""

from pathlib import Path

from sphinx.application import Sphinx
from written import write


def _copy(app: Sphinx) -> None:
    sources = (Path(app.srcdir).parent / "notebooks").glob("*.ipynb")
    texts = {path.name: path.read_text(encoding="utf-8") for path in sources}
    write(Path(app.srcdir) / "notebooks", texts)


def setup(app: Sphinx) -> dict[str, bool]:
    """Copy them before anything is read."""
    app.connect("builder-inited", _copy)
    return {"parallel_read_safe": True}
