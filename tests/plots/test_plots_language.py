"""Pictures speak the language of the moment: of the package's own words none stays English."""

import re
import sys
from pathlib import Path

import pytest
from matplotlib.text import Text

import csimodel as csi

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS / "_ext"))

from blocks import blocks, run  # noqa: E402

NAMES = {  # constructs and units of the gallery, a row of a table, methods, criteria, money
    *csi.models.ecsi().construct_names,
    *csi.models.ecsi().items,
    *["Firm", "Industry", "Sector", "Retention", "Cost", "Net", "EUR per customer", "year"],
    "all items",
    *["speed", "price", "look", "range"],
    *["EUR", "PLS", "PLSc", "AIC", "BIC", "CAIC", "FDH", "SIMEX", "Gini", "Croon"],
}


@pytest.mark.filterwarnings("ignore:No installed font")
def test_no_picture_of_the_gallery_has_english_words_in_chinese():
    own, names, words = blocks((DOCS / "gallery.md").read_text(encoding="utf-8")), {}, []
    with csi.language("zh"):
        for block in own:
            figure = run(block, names, "gallery").value
            if block.kind == "picture":
                figure.canvas.draw()
                words += [(block.title, word) for word in _english(figure)]
    assert not words


def test_the_words_of_a_diagram_are_those_of_the_moment():
    fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    shown = {"show": ["path", "stars"], "bootstrap": csi.linearize(fit)}
    english = {text.get_text() for text in csi.plots.path_diagram(fit, **shown).findobj(Text)}
    with csi.language("zh"):
        chinese = {text.get_text() for text in csi.plots.path_diagram(fit, **shown).findobj(Text)}
    assert {"positive path", "interval covers 0", "loading of an item"} <= english - chinese
    assert {"正向路径", "置信区间包含0", "题项的载荷"} <= chinese


def _english(figure):
    for text in figure.findobj(Text):
        rest = text.get_text()
        for name in sorted(NAMES, key=len, reverse=True):
            rest = rest.replace(name, "")
        if re.search(r"[A-Za-z]{3,}", rest):
            yield text.get_text()
