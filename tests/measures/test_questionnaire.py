"""Questionnaires: accepted as XLSForm, answers read back, print, refusals."""

import pandas as pd
import pytest

import csimodel as csi
from csimodel.measures import write_questionnaire

MOBI = csi.models.ecsi()
EXTRA = """
[items]
SAT = { construct = "S", wording = "满意吗？", scale = [1, 5], missing_codes = [9], labels = { 1 = "很不满意", 5 = "很满意", 9 = "不知道" } }
HANDLE = { construct = "S", wording = "Handled well", scale = [0, 100] }
[columns]
COMP = { wording = "Complained", labels = { 0 = "no", 1 = "yes" } }
city = { wording = "City" }
"""


def converted(path, folder):
    from pyxform.xls2xform import xls2xform_convert

    form = folder / "form.xml"
    assert xls2xform_convert(str(path), str(form), validate=False) == []
    return form.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_form_is_accepted_without_a_warning(tmp_path, language):
    book = csi.models.template(MOBI, language)
    form = converted(write_questionnaire(book, tmp_path / "q.xlsx", language=language), tmp_path)
    for name, item in book.items.items():
        assert f"/{name}" in form
        assert item.wording in form
    assert form.count("<select1") == 24


def test_labels_codes_of_no_answer_and_skip_rules_are_in_the_form(tmp_path):
    book = csi.Codebook.from_toml(EXTRA)
    path = write_questionnaire(book, tmp_path / "q.xlsx", asked_if={"HANDLE": ("COMP", 1)})
    form = converted(path, tmp_path)
    assert "很满意" in form
    assert "不知道" in form
    assert "/COMP  = '1'" in form.replace("/questionnaire", "") or "COMP" in form
    choices = pd.read_excel(path, "choices", dtype=str)
    assert choices.loc[choices["list_name"] == "answers1", "name"].tolist() == [
        "1", "2", "3", "4", "5", "9",
    ]  # fmt: skip
    survey = pd.read_excel(path, "survey", dtype=str).set_index("name")
    assert survey.loc["HANDLE", "relevant"] == "${COMP} = '1'"
    assert survey.loc["HANDLE", "constraint"] == ". >= 0 and . <= 100"


def test_answers_of_the_field_are_read_back(tmp_path):
    book = csi.Codebook.from_toml(EXTRA)
    write_questionnaire(book, tmp_path / "q.xlsx")
    answers = tmp_path / "answers.csv"
    answers.write_text(
        '"start";"end";"SAT";"HANDLE";"COMP";"city";"_id";"_uuid";"_submission_time"\n'
        '"2024-05-01T10:00:00";"2024-05-01T10:05:00";"5";"";"0";"北京";"1";"u1";"2024-05-01"\n'
        '"2024-05-01T11:00:00";"2024-05-01T11:05:00";"9";"80";"1";"上海";"2";"u2";"2024-05-01"\n'
        '"2024-05-01T12:00:00";"2024-05-01T12:05:00";"2";"30.5";"1";"a;b";"3";"u3";"2024-05-01"\n',
        encoding="utf-8",
    )
    survey = csi.read_survey(answers, codebook=book)
    assert survey.data["SAT"].tolist()[::2] == [5, 2]
    assert survey.data["SAT"].isna().sum() == 1
    assert survey.data["HANDLE"].iloc[2] == 30.5
    assert survey.data["city"].iloc[2] == "a;b"


@pytest.mark.parametrize("sign", ["\ud800", "\x07", "\x00", "\ufffe"])
@pytest.mark.parametrize("ending", ["html", "xlsx", "docx", "md"])
def test_a_character_that_no_file_holds_is_replaced_in_every_form(tmp_path, ending, sign):
    words = f"How{sign} good?"
    book = csi.Codebook(items={"q": csi.Item("q", wording=words, minimum=1, maximum=3)})
    path = write_questionnaire(book, tmp_path / f"q.{ending}", title=f"Asked{sign}")
    if ending in ("html", "md"):
        page = path.read_text(encoding="utf-8")
        assert "How\ufffd good?" in page
        assert "Asked\ufffd" in page
    if ending == "xlsx":
        labels = pd.read_excel(path, sheet_name="survey")["label::English (en)"]
        assert labels.tolist() == ["How\ufffd good?"]


def test_a_page_to_print(tmp_path):
    book = csi.Codebook.from_toml(EXTRA)
    path = write_questionnaire(book, tmp_path / "q.html", language="zh", title="<问卷>")
    page = path.read_text(encoding="utf-8")
    assert "&lt;问卷&gt;" in page
    assert "0 至 100" in page
    assert page.count("□") == 6 + 2


@pytest.mark.parametrize(
    ("text", "path", "options", "message"),
    [
        ("", "q.xlsx", {}, "has no items"),
        ('[items]\n"a b" = {}', "q.xlsx", {}, "'a b' cannot be those of fields"),
        ("[items.a]", "q.pdf", {}, "must end in .xlsx"),
        ("[items.a]", "no/q.html", {}, "cannot be written"),
        ("[items.a]", "no/q.xlsx", {}, "cannot be written"),
        ("[items.a]", "q.html", {"asked_if": {"a": ("b", 1)}}, "asked_if names 'b'"),
        ("[items.a]", "q.html", {"language": "de"}, "language='de'"),
    ],
)
def test_what_cannot_be_asked_is_refused(tmp_path, text, path, options, message):
    with pytest.raises(csi.CsimodelError, match=message):
        write_questionnaire(csi.Codebook.from_toml(text), tmp_path / path, **options)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"COMP": ("COMP", 1)}, r"asks 'COMP' by an answer .* \(COMP < COMP\), so it is never"),
        ({"SAT": ("COMP", 1), "COMP": ("SAT", 5)}, r"\(SAT < COMP < SAT\)"),
        ({"HANDLE": ("COMP", 7)}, "the answer 7 to 'COMP', which offers 0 and 1;"),
        ({"SAT": ("HANDLE", 101)}, "the answer 101 to 'HANDLE', which offers 0 to 100;"),
    ],
)
@pytest.mark.parametrize("name", ["q.xlsx", "q.html"])
def test_rules_by_which_nobody_is_asked_are_refused(tmp_path, rules, message, name):
    book = csi.Codebook.from_toml(EXTRA)
    with pytest.raises(csi.errors.OptionError, match=message):
        write_questionnaire(book, tmp_path / name, asked_if=rules)
    assert not (tmp_path / name).exists()
    write_questionnaire(book, tmp_path / name, asked_if={"HANDLE": ("COMP", 1), "COMP": ("SAT", 9)})


@pytest.mark.parametrize("old", ["Handled well", "yes"])
def test_a_wording_that_a_form_takes_for_an_answer_is_refused(tmp_path, old):
    book = csi.Codebook.from_toml(EXTRA.replace(old, "Pay ${price}"))
    with pytest.raises(csi.errors.SurveyError, match=r"'Pay \$\{price\}' of '(HANDLE|COMP)' holds"):
        write_questionnaire(book, tmp_path / "q.xlsx")
    assert "${price}" in write_questionnaire(book, tmp_path / "q.html").read_text("utf-8")
