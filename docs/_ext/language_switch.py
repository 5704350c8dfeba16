"""The link from a page to the same page in the other language, or to its start page."""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx


def _add_link(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    chinese = app.config.language == "zh_CN"
    sources = Path(app.srcdir)
    others = sources.parent if chinese else sources / "zh"
    target = pagename if (others / f"{pagename}.md").exists() else "index"
    up = "../" * (pagename.count("/") + chinese)
    context["other_language"] = "English" if chinese else "中文"
    context["other_language_code"] = "en" if chinese else "zh-CN"
    context["other_language_link"] = f"{up}{'' if chinese else 'zh/'}{target}.html"


def setup(app: Sphinx) -> dict[str, bool]:
    """Give every page its link."""
    app.connect("html-page-context", _add_link)
    return {"parallel_read_safe": True}
