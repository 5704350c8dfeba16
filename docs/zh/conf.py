"""The pages in Chinese, beside those in English, to which they link."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from conf import *  # noqa: F403

intersphinx_mapping = {"english": ("..", f"{os.environ['CSIMODEL_SITE']}/objects.inv")}
language = "zh_CN"
extensions = ["sphinx.ext.intersphinx", "sphinx_copybutton", "myst_nb", "language_switch"]
exclude_patterns = []
templates_path = ["../_templates"]
html_static_path = ["../_static"]
html_sidebars = {"**": []}
