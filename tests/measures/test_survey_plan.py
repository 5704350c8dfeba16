"""The survey plan as a document, and questionnaires as documents to print."""

from __future__ import annotations

import os
import re
import sys

import pytest

import csimodel as csi
from csimodel.errors import OptionError, SurveyError
from csimodel.measures import survey_plan, write_questionnaire
from csimodel.measures.plan_texts import TEXTS

BOOK = csi.Codebook.from_toml(
    """
    [survey]
    title = "Customers | 2027"
    strata = "region"
    cluster = "firm"
    [items]
    A1 = { construct = "S", wording = "Satisfied *overall*?", scale = [1, 5], missing_codes = [9] }
    B1 = { construct = "Q", scale = [1, 10], labels = { 1 = "bad", 10 = "good" } }
    A2 = { construct = "S", wording = "As expected?", scale = [1, 5], missing = ["DK"] }
    [columns]
    again = { wording = "Would buy again", labels = { 0 = "no", 1 = "yes" } }
    """
)
SAMPLE = csi.sample_plan(
    3.0, strata={"north": 3000, "south": 1000}, allocation="equal", response_rate=0.5, cost=10,
    cluster_size=5, icc=0.1,
)  # fmt: skip


def words_of(path) -> tuple[list[str], list[list[list[str]]]]:
    """Return the paragraphs and the tables of a Word document."""
    from docx import Document

    document = Document(str(path))
    tables = [
        [[cell.text for cell in row.cells] for row in table.rows] for table in document.tables
    ]
    return [paragraph.text for paragraph in document.paragraphs], tables


def test_the_plan_says_whom_how_many_what_and_how_weighted(tmp_path):
    plan = survey_plan(BOOK, SAMPLE, who="All customers of 2026.", schedule={"fieldwork": "March"})
    paragraphs, tables = words_of(plan.write(tmp_path / "plan.docx"))
    assert paragraphs[0] == "Customers | 2027"
    assert "All customers of 2026." in paragraphs
    sample, steps, questions, calls = tables
    half = SAMPLE.total // 2
    assert sample == [
        ["Stratum", "Share of the population", "To interview", "To invite", "Cost"],
        ["north", "75.0%", f"{half}", f"{2 * half}", f"{10 * half:,}"],
        ["south", "25.0%", f"{half}", f"{2 * half}", f"{10 * half:,}"],
    ]
    assert [row[2] for row in steps[1:]] == [
        "to be set", "to be set", "March", "to be set", "to be set", "to be set",
    ]  # fmt: skip
    assert questions[1:] == [
        ["S", "A1", "Satisfied *overall*?", "1 to 5", "9"],
        ["S", "A2", "As expected?", "1 to 5", "DK"],
        ["Q", "B1", "", "1 (bad) to 10 (good)", ""],
        ["", "again", "Would buy again", "no; yes", ""],
    ]
    assert all(hasattr(csi, row[1].removeprefix("csi.")) for row in calls[1:])
    text = "\n".join(paragraphs)
    assert "over its share of the sample: north 1.5, south 0.5." in text  # .75/.5 and .25/.5
    assert "Strata are in the column region." in text
    assert "the design effect is 1.40" in text  # 1 + 4 × .1


def test_a_plan_without_strata_weighs_alike_and_invents_nothing():
    page = str(survey_plan(BOOK, csi.sample_plan(2.0, target="difference")).page)
    assert "every respondent counts alike" in page
    assert "To be set: which customers" in page
    assert "The numbers are for each of the two groups." in page
    assert "Cost" not in page


def test_markdown_and_html_hold_the_same(tmp_path):
    plan = survey_plan(BOOK, SAMPLE, title="Plan <1>")
    markdown = plan.write(tmp_path / "plan.md").read_text(encoding="utf-8")
    assert markdown.startswith("# Plan \\<1\\>\n\n**")
    assert "| S | A1 | Satisfied \\*overall\\*? | 1 to 5 | 9 |" in markdown
    page = plan.write(tmp_path / "plan.html").read_text(encoding="utf-8")
    assert page.startswith('<!doctype html><html lang="en">')
    assert "<title>Plan &lt;1&gt;</title>" in page
    assert "Satisfied *overall*?" in page


def test_a_chinese_page_says_that_it_is_chinese(tmp_path):
    plan = survey_plan(BOOK, SAMPLE, language="zh")
    page = plan.write(tmp_path / "plan.html").read_text(encoding="utf-8")
    assert set(re.findall(r'lang="(\w+)"', page)) == {"zh"}


def test_both_languages_say_the_same_things():
    assert TEXTS["en"].keys() == TEXTS["zh"].keys()
    for model in csi.models.PUBLISHED.values():
        book = csi.models.template(model(), "zh")
        page = survey_plan(book, SAMPLE, language="zh").page
        assert "待定" in str(page)
        assert len(page.sections[3].grid.rows) == len(book.items)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"schedule": {"field": "May"}},
            "schedule names the step 'field' (did you mean 'fieldwork'?); steps are explore, "
            "pretest, fieldwork, cleaning, analysis and report.",
        ),
        ({"language": "de"}, "language='de' is not known; use one of 'en', 'zh'."),
    ],
)
def test_refusals(options, message):
    with pytest.raises(OptionError) as caught:
        survey_plan(BOOK, SAMPLE, **options)
    assert str(caught.value) == message


def test_a_codebook_without_items_is_refused():
    with pytest.raises(SurveyError) as caught:
        survey_plan(csi.Codebook(), SAMPLE)
    assert str(caught.value) == "The codebook has no items, so there is nothing to plan."


def test_files_that_cannot_be(tmp_path, monkeypatch):
    plan = survey_plan(BOOK, SAMPLE)
    with pytest.raises(OptionError, match=r"must end in \.md, \.html or \.docx \(Word\)\.$"):
        plan.write(tmp_path / "plan.pdf")
    with pytest.raises(OptionError, match=r"cannot be written .* choose another folder"):
        plan.write(tmp_path / "none" / "plan.md")
    (tmp_path / "own.md").mkdir()
    for path, message in (
        (tmp_path / "own.md", "is a folder"),
        ("a\0.md", "no path"),
        ("", "no p"),
    ):
        for write in (plan.write, lambda path: write_questionnaire(BOOK, path)):
            with pytest.raises(OptionError, match=f"^path=.* is {message.removeprefix('is ')}"):
                write(path)
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.raises(OptionError) as caught:
        plan.write(tmp_path / "plan.docx")
    assert str(caught.value) == (
        "Writing a Word document needs the package python-docx; install it with pip install "
        '"csimodel[word]".'
    )


def test_an_interrupted_document_leaves_the_old_file(tmp_path, monkeypatch):
    plan = survey_plan(BOOK, SAMPLE)
    writers = {"plan.md": plan.write, "q.html": lambda path: write_questionnaire(BOOK, path)}
    before = {name: write(tmp_path / name).read_bytes() for name, write in writers.items()}

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    for name, write in writers.items():
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path / name)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_questionnaire_to_print_in_word_and_markdown(tmp_path):
    paragraphs, _ = words_of(write_questionnaire(BOOK, tmp_path / "q.docx", language="zh"))
    assert paragraphs[:3] == ["Customers | 2027", "1. Satisfied *overall*?",
                              "□ 1   □ 2   □ 3   □ 4   □ 5   □ 未回答"]  # fmt: skip
    assert "□ 1   □ 2   □ 3   □ 4   □ 5   □ DK" in paragraphs
    assert "□ no   □ yes" in paragraphs
    text = write_questionnaire(BOOK, tmp_path / "q.md").read_text(encoding="utf-8")
    assert "## 3. As expected?\n\n□ 1   □ 2" in text or "## 3. As expected?\n\n□ 1 □ 2" in text


def test_every_missing_code_has_words_of_its_own(tmp_path):
    book = csi.Codebook.from_toml("[items.q]\nscale = [1, 2]\nmissing_codes = [8, 9]")
    paragraphs, _ = words_of(write_questionnaire(book, tmp_path / "q.docx"))
    assert paragraphs[2] == "□ 1   □ 2   □ No answer   □ No answer (9)"
