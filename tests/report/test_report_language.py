"""The report in Chinese: nothing of the package's own words is English in it."""

import re
from html.parser import HTMLParser

import pytest

import csimodel as csi
from csimodel.report.method import references

NAMES = {  # of methods, measures, programs, forms of files and quantities, as Chinese texts write them
    "PLS", "PLSc", "consistent", "True", "HTMT", "AVE", "VIF", "SRMR", "AAPOR", "RR", "EUR", "CSV",
    "UTF", "Excel", "Python", "python", "csimodel", "numpy", "scipy", "pandas", "matplotlib", "sha",
    "Logit", "exp", "min", "max", "Jones", "Sasser", "alpha", "rho", "item", "vif", "doi", "http",
    "https", "org", "ECSI", "mobi", "csv", "log", "odds", "json", "results", "figures", "tables",
    "svg",
}  # fmt: skip


class _Visible(HTMLParser):
    """Collects what a reader sees or is read out: texts and labels, not code, styles or scripts."""

    def __init__(self):
        super().__init__()
        self.texts, self.hidden, self.language = [], 0, ""

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.language = named.get("lang", self.language) if tag == "html" else self.language
        self.texts += [named[name] for name in ("aria-label", "title", "alt") if named.get(name)]
        self.hidden += tag in ("style", "code", "metadata")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("style", "code", "metadata")

    def handle_data(self, data):
        if not self.hidden:
            self.texts.append(data)


@pytest.fixture(scope="module")
def analysis():
    terms = csi.money.Economics(
        margin=120, currency="EUR", period="年", discount_rate=0.1, customers=1_000
    )
    return csi.analyze(
        csi.load_mobi(), csi.models.ecsi(), draws=200, outcome="CUSL1", family="fractional-logit",
        economics=terms, progress=False,
    )  # fmt: skip


def english(texts, analysis, files=()):
    """Words of three letters and more that are neither the user's, nor names, nor references."""
    fit = analysis.fit
    wordings = [item.wording or "" for item in fit.survey.items.values()]
    own = [*wordings, *fit.model.construct_names, *fit.model.items, *files]
    cited = [*(part for work in references(analysis) for part in work)]
    sources = [judgement.source for judgement in analysis.assessment.judgements]
    cited += [part.strip(" ,;") for source in sources for part in re.split(r"https?://\S+", source)]
    whole = re.sub(r"\b10\.\d{4,}/\S+", " ", "\n".join(texts))  # DOIs
    for known in sorted({*own, *cited}, key=len, reverse=True):
        whole = whole.replace(known, " ") if known else whole
    whole = re.sub(r"https?://\S+|[\w/]+\.(?:csv|svg|json)", " ", whole)
    return {word for word in re.findall(r"[A-Za-z]{3,}", whole) if word not in NAMES}


def test_no_english_is_left_on_the_page(analysis, tmp_path):
    file = csi.write_report(analysis, tmp_path, language="zh", progress=False)
    page = _Visible()
    page.feed(file.read_text(encoding="utf-8"))
    assert page.language == "zh"
    assert english(page.texts, analysis) == set()
    assert sum("\u4e00" <= sign <= "\u9fff" for text in page.texts for sign in text) > 3_000


def test_no_english_is_left_on_the_terminal(analysis):
    assert english([analysis.summary("zh")], analysis) == set()


def test_files_for_machines_are_the_same_in_both_languages(analysis, tmp_path):
    folders = [
        csi.write_report(analysis, tmp_path / name, language=name, progress=False).parent
        for name in ("en", "zh")
    ]
    for file in folders[0].rglob("*"):
        if file.suffix in (".csv", ".json") and "manifest" not in file.name:
            assert file.read_bytes() == (folders[1] / file.relative_to(folders[0])).read_bytes()
    assert 'lang="en"' in (folders[0] / "report.html").read_text(encoding="utf-8")
