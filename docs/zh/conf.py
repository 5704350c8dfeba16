"""The pages in Chinese, beside those in English, to which they link."""

import os
import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parents[1]))
from conf import *  # noqa: F403

intersphinx_mapping = {"english": ("..", f"{os.environ['CSIMODEL_SITE']}/objects.inv")}
language = "zh_CN"
extensions = [
    "sphinx.ext.intersphinx",
    "sphinx_copybutton",
    "myst_nb",
    "pictures",
    "language_switch",
]
exclude_patterns = []
templates_path = ["../_templates"]
html_static_path = ["../_static"]
html_sidebars = {"**": []}


def _join_lines(app: Sphinx, page: str, content: list[str]) -> None:
    """Join lines within a Chinese sentence, where a line's end would be shown as a blank."""
    signs = "\u2018-\u201d\u3000-\u9fff\uff00-\uffef"
    content[0] = re.sub(f"(?<=[{signs}])\n(?=[{signs}])", "", content[0])


def setup(app: Sphinx) -> None:
    """Do so before a page is read."""
    app.connect("source-read", _join_lines)
