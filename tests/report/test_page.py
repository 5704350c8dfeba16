"""A page of results: one form of text, of HTML and of numbers for everything that is shown."""

import ast
import textwrap
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.findings import Finding
from csimodel.formatting import bracketed, figures, number, p_value, told_p
from csimodel.grid import Grid, columns_of
from csimodel.page import MARKS, HasHeadline, HasPage, Page, Section, _Lines, sections

PACKAGE = Path(csi.__file__).parent

FINDINGS = (
    Finding("a", "One is counted.", severity="note"),
    Finding("b", "Two is doubtful."),
    Finding("c", "Three is wrong.", severity="failure"),
    Finding("b", "Two is doubtful."),
)
TABLE = pd.DataFrame(
    {
        "estimate": [0.51234, -1234.5, np.nan],
        "df": [249.0, np.inf, 3.25],
        "p": [1e-9, 0.0312, np.nan],
        "n": [250, 1250, 3],
        "holds": [True, False, True],
        "reason": ["", "", "no error"],
    },
    pd.MultiIndex.from_tuples([("a", 1), ("b", 2.0), ("满意度", "x")], names=["target", None]),
)


def test_a_page_as_text():
    page = Page("Title", "It is so.", ("250 rows",), FINDINGS, sections({"Table": TABLE}, 3))
    assert str(page) == (
        "Title\n=====\nIt is so.\n250 rows\n\n"
        "DO NOT USE: Three is wrong.\nWARNING: Two is doubtful.\nnote: One is counted.\n\n"
        "Table\n-----\n"
        "target       estimate   df       p      n  holds  reason\n"
        "a       1       0.512  249  < .001    250  yes\n"
        "b       2  −1,234.500    ∞    .031  1,250  no\n"
        "满意度  x              3.2              3  yes    no error"
    )


def test_a_page_as_html_escapes_every_text():
    bad = "<b>x</b>\x00"
    table = pd.DataFrame({bad: [bad]}, pd.Index([bad], name=bad))
    page = Page(
        bad, bad, (bad,), (Finding("a", bad),), (Section(bad, table, (bad,)),), points=((bad, bad),)
    )
    html = page.html()
    assert html.count("&lt;b&gt;x&lt;/b&gt;\ufffd") == 12
    assert "<b>x" not in html
    assert "\x00" not in html + str(page)
    assert page._repr_html_() == html
    assert "<li><b>WARNING</b>: " in html


def test_what_is_said_without_findings():
    assert str(Page("T")).endswith("\n\nNo findings.")
    assert "<p>Fine.</p>" in Page("T", clean="Fine.").html()
    assert str(Page("T", clean="")) == "T\n="


def test_sentences_break_at_the_width_only_where_one_is_given():
    page = Page("T", "word " * 40, findings=(Finding("a", "some " * 40),))
    assert max(map(len, page.text(60).splitlines())) <= 60
    assert max(map(len, str(page).splitlines())) > 150


def test_a_control_character_does_not_reach_the_terminal():
    assert str(Page("a\x1b[2J", clean="")) == "a?[2J\n====="


def test_columns_that_tell_nothing_are_left_out():
    table = pd.DataFrame({"se": [1.0], "df": [np.inf], "reason": [""]})
    assert Grid.of(table).head == ("", "se")
    assert "df" in Grid.of(table.assign(df=5.0)).head
    assert "reason" in Grid.of(table.assign(reason="none")).head


def test_columns_of_several_levels_are_joined():
    columns = pd.MultiIndex.from_tuples([("PLS", "estimate"), ("PLS", "p")])
    grid = Grid.of(pd.DataFrame([[0.5, 1e-6]], columns=columns), 2)
    assert grid.head == ("", "PLS · estimate", "PLS · p")
    assert grid.rows == (("0", "0.50", "< .001"),)


def test_numbers_are_written_in_one_way():
    assert [p_value(p) for p in (0.0, 0.00099, 0.001, 0.05, 1.0)] == [
        "< .001", "< .001", ".001", ".050", "1.000",
    ]  # fmt: skip
    assert told_p(np.nan) == "no test was possible"
    assert figures(-1e-5) == "−1e-05"
    assert number(np.inf) == "∞"
    assert number(-np.inf) == "−∞"
    assert number(np.nan, missing="") == ""
    assert bracketed(1.0, 1.0, 1.0, 2) == "1.00"
    assert bracketed(1.0, -np.inf, 1.0) == "1.0"
    assert columns_of("满e\u0301") == 3


def test_a_class_needs_only_its_page():
    class Plain(HasPage):
        @property
        def page(self):
            return Page("Plain", clean="")

    class Line(HasHeadline):
        headline = "It is so."
        page = Page("Line")

    assert repr(Plain()) == "Plain\n====="
    assert Plain()._repr_html_() == Plain().page.html()
    assert str(Line().summary()) == str(Line().page)
    assert repr(Line()) == "<Line: It is so.>"
    for part in (lambda: HasPage().page, lambda: HasHeadline().headline):
        with pytest.raises(NotImplementedError):
            part()
    assert set(MARKS) == {"failure", "warning", "note"}
    assert replace(Page("a"), title="b").title == "b"


def test_everything_that_is_computed_has_a_page(mobi):
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ3 + PERQ5\nV =~ PERV1 + PERV2\nV ~ Q")
    frame = mobi.data.assign(half=["a", "b"] * 125)
    survey = csi.read_survey(frame, scale=dict.fromkeys(model.items, (1, 10)))
    fit, ml = csi.fit(model, survey), csi.fit(model, survey, csi.ML())
    results = {
        "Model by PLS, path scheme": fit,
        "30 multinomial draws, 30 of them used": csi.bootstrap(fit, 30, 1, progress=False),
        "250 respondents left out in turn": csi.jackknife(fit),
        "Bollen-Stine test of the model by ML": csi.inference.bollen_stine(
            ml, 30, 1, progress=False
        ),
        "2 groups by PLS, path scheme": csi.fit_groups(model, survey, by="half"),
        "a: 125 respondents": csi.fit_multigroup(model, survey, by="half"),
        "Satisfaction": csi.assess(csi.fit(csi.models.ecsi(), mobi)),
        "Survey of 250 rows": survey,
    }
    for words, result in results.items():
        assert isinstance(result, HasPage), words
        assert words in str(result.summary())
        assert words in result._repr_html_()
        assert result._repr_html_().startswith('<div class="csimodel" lang="en">')


def test_of_many_groups_the_first_are_shown(mobi):
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ3\nV =~ PERV1 + PERV2\nV ~ Q")
    fits = csi.fit_groups(model, mobi.data.assign(firm=np.arange(250) // 4), by="firm")
    text = str(fits.summary())
    assert "13 more groups are in `table`." in text
    assert text.count("\n49 ") == 2
    assert "\n50 " not in text


def test_nothing_else_lays_out_results():
    """Tables and marks are written by `page` and `grid` only; a class has a page, not a form."""
    own_forms, writers = set(), set()
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                methods = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
                own_forms |= {node.name} if "_repr_html_" in methods else set()
            if isinstance(node, ast.Attribute) and node.attr in ("to_html", "to_string"):
                writers.add(name)
            if isinstance(node, ast.Constant) and node.value == "DO NOT USE":
                writers.add(name)
    assert own_forms == {"Page", "HasPage", "Analysis"}
    assert writers == {"page.py"}


def test_a_result_of_a_doubtful_fit_says_so(ecsi, mobi):
    fit = csi.fit(ecsi, mobi, csi.PLS(consistent=True))
    mark = "DO NOT USE: The construct correlations contradict each other"
    drawn = csi.bootstrap(fit, draws=20, rng=1, progress=False)
    for result in (fit, drawn, csi.jackknife(fit), csi.assess(fit)):
        assert mark in str(result.summary())
    table = csi.compare(csi.fit(ecsi, mobi), fit, bootstraps=[None, drawn]).page.sections[2].grid
    assert table.head[2:] == ("PLS, path scheme", "PLSc, path scheme (!)")


@pytest.mark.parametrize("width", range(12, 40))
def test_chinese_lines_end_beside_words_and_marks(width):
    sentence = "对Satisfaction的估计效应最大的是Quality，但（按HTMT）无法将其与Satisfaction区分。"
    lines = _Lines(width).wrap(sentence)
    assert "".join(lines) == sentence
    assert all(len(line) <= width for line in lines)
    assert not any(line[0] in "，。）" or line[-1] == "（" for line in lines)
    joints = [first[-1] + second[0] for first, second in pairwise(lines)]
    assert not any(joint.isascii() for joint in joints)


@pytest.mark.parametrize("width", [20, 40, 79])
def test_english_lines_are_those_of_the_library(width):
    sentence = (
        "The index (“would choose again”) stands at 72.5: well-known, 95 % interval 70.7 to 74.2."
    )
    assert _Lines(width).wrap(sentence) == textwrap.wrap(sentence, width)
