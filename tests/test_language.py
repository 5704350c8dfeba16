"""Two languages: every message has a translation, and what is shown speaks the language of the moment."""

import re
import threading
from string import Formatter

import pytest
from babel.lists import format_list
from babel.numbers import format_percent
from catalogue import CATALOGUES, read

import csimodel as csi
from csimodel.findings import Finding, counted, text
from csimodel.formatting import p_value, percent, share, span
from csimodel.translation import current_language


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.parts[-3])
def test_a_translation_has_the_fields_of_its_message(file):
    wrong = []
    for entry in read(file):
        single = entry.id if isinstance(entry.id, str) else entry.id[-1]
        strings = entry.string if isinstance(entry.string, tuple) else (entry.string,)
        wrong += [single for string in strings if string and _fields(string) != _fields(single)]
    assert not wrong


def _fields(template):
    try:
        return {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError:
        return {template.count("{")}


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.parts[-3])
def test_a_translation_is_punctuated_as_its_language(file):
    wrong = []
    for entry in read(file):
        single = entry.id if isinstance(entry.id, str) else entry.id[0]
        string = entry.string if isinstance(entry.string, str) else entry.string[0]
        if not string or not entry.id:
            continue
        whole = single.rstrip("”").endswith(".") and len(single) > 20
        if whole and not string.rstrip("”").endswith(("。", "！")):
            wrong.append(f"no full stop: {string}")
        outside = re.sub(r"\{[^}]*\}|csi\.[\w.]+\([^)]*\)|[\w.]+=\S+", "", string)
        if re.search(r"[\u4e00-\u9fff][,;:!?]|[,;!?][\u4e00-\u9fff]", outside):
            wrong.append(f"western punctuation: {string}")
    assert not wrong, "\n".join(wrong)


def test_a_language_holds_to_the_end_of_its_block_and_in_its_thread():
    seen = []
    with csi.language("zh"):
        thread = threading.Thread(target=lambda: seen.append(current_language()))
        thread.start()
        thread.join()
        with csi.language("en"):
            seen.append(current_language())
        seen.append(current_language())
    assert [*seen, current_language()] == ["en", "en", "zh", "en"]
    before = csi.language("zh")
    assert current_language() == "zh"
    with before:
        pass
    assert current_language() == "en"


def test_a_block_that_fails_gives_the_language_back():
    with pytest.raises(csi.CsimodelError), csi.language("zh"):
        csi.language("fr")
    assert current_language() == "en"


@pytest.mark.parametrize("name", ["fr", "ZH", "", None, 3, float("nan"), ["zh"]])
def test_other_languages_are_refused_by_name(name):
    with pytest.raises(csi.CsimodelError, match=r"'en', 'zh'|must be|takes"):
        csi.language(name)
    assert current_language() == "en"


def test_lists_and_numbers_are_those_of_the_unicode_locale_data():
    names = ["质量", "形象", "价值"]
    with csi.language("zh"):
        for count in range(4):
            assert text("{names}", names=names[:count]) == format_list(names[:count], locale="zh")
        assert text("{names:2}", names=names).startswith("质量、形象")
        assert percent(0.95) == format_percent(0.95, locale="zh")
        assert share(0.6806) == format_percent(0.6806, "0.0%", locale="zh")
        assert span(1.0, 2.0) == "1.0至2.0"
        assert (p_value(0.0312), p_value(1e-9)) == ("0.031", "< 0.001")
    assert (text("{names}", names=names), p_value(0.0312)) == ("质量, 形象 and 价值", ".031")


def test_a_finding_is_said_in_the_language_of_the_moment():
    finding = Finding("x", "No findings.").within("Group {group}", group="甲").within("Model")
    assert finding.scope == "Model: Group 甲"
    assert str(finding) == "Model: Group 甲: No findings."
    with csi.language("zh"):
        assert str(finding) == "模型：组甲：没有需要说明之处。"


def test_one_and_several():
    assert counted(1, "{count:,} respondent", "{count:,} respondents") == "1 respondent"
    with csi.language("zh"):
        assert counted(1200, "{count:,} respondent", "{count:,} respondents") == "1,200名受访者"


def test_a_page_keeps_the_language_it_was_made_in():
    fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    chinese, english = fit.summary("zh"), fit.summary()
    with csi.language("zh"):
        assert str(fit.summary()) == str(chinese)
        assert 'lang="zh"' in fit._repr_html_()
        assert str(english) == str(fit.summary("en"))
    assert str(english) != str(chinese)
    with pytest.raises(
        csi.CsimodelError, match=r"language='fr' is not known; use one of 'en', 'zh'"
    ):
        fit.summary("fr")
