"""The documentation site; ``python docs/build.py`` makes it, in both languages."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

import csimodel  # noqa: E402

project = "csimodel"
author = copyright = "The csimodel developers"
version = release = csimodel.__version__
language = "en"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "myst_nb",
    "docstrings",
    "notebook_pages",
    "pictures",
    "agreement",
    "finding_pages",
    "reference_pages",
    "name_links",
    "language_switch",
]
exclude_patterns = ["_build", "zh", "words", "agreement", "**/.ipynb_checkpoints"]
templates_path = ["_templates"]

# Docstrings: single backticks name an object, which is linked where it is documented.
default_role = "py:obj"
autosummary_generate = False
autodoc_member_order = "groupwise"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_type_aliases = {"ArrayLike": "ArrayLike", "Floats": "Floats"}
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_custom_sections = [("Attributes", "params_style")]
napoleon_use_rtype = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"
nb_merge_streams = True

html_theme = "pydata_sphinx_theme"
html_title = "csimodel"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "navbar_end": ["language_switch", "theme-switcher"],
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": [], "tutorial": [], "gallery": []}
