"""Commands of instruments: describe, draft-codebook, questionnaire, plan."""

import pytest
from typer.testing import CliRunner

import csimodel as csi
from csimodel.cli import app


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def answers(tmp_path):
    path = tmp_path / "answers.csv"
    csi.load_mobi().data.to_csv(path, index=False)
    return path


def test_describe_prints_the_page(answers):
    result = run("describe", answers, "--items", "CUSA1", "--items", "CUSA2")
    assert result.exit_code == 0
    assert "Description of a survey" in result.stdout
    assert "CUSA2" in result.stdout
    wrong = run("describe", answers, "--items", "CUSA9")
    assert (wrong.exit_code, "'CUSA9'" in wrong.stderr) == (2, True)


def test_a_draft_is_printed_or_written_and_read_back(answers, tmp_path):
    printed = run("draft-codebook", answers)
    assert csi.Codebook.from_toml(printed.stdout).items["CUSA1"].construct == "CUSA"
    out = tmp_path / "book.toml"
    assert run("draft-codebook", answers, "--out", out).exit_code == 0
    assert csi.read_codebook(out).items["CUSA1"].maximum == 10
    assert run("draft-codebook", tmp_path / "none.csv").exit_code == 2
    assert run("draft-codebook", answers, "--out", tmp_path / "no" / "b.toml").exit_code == 2


def test_a_questionnaire_of_a_model_or_a_codebook(tmp_path):
    page = tmp_path / "q.html"
    assert run("questionnaire", "ccsi", "--out", page, "--language", "zh").exit_code == 0
    assert "总体满意程度" in page.read_text(encoding="utf-8")
    book = tmp_path / "book.toml"
    book.write_text("[items.q1]\nscale = [1, 5]", encoding="utf-8")
    assert run("questionnaire", book, "--out", tmp_path / "q.xlsx").exit_code == 0
    wrong = run("questionnaire", book, "--out", tmp_path / "q.pdf")
    assert (wrong.exit_code, "must end in .xlsx" in wrong.stderr) == (2, True)
    assert run("questionnaire", "ccsi", "--out", page, "--language", "de").exit_code == 2


def test_a_plan_with_strata():
    result = run("plan", "2", "--strata", "north=5000", "--strata", "south=900", "--cost", "5")
    assert result.exit_code == 0
    assert "respondents for an interval of ±2" in result.stdout
    assert "south" in result.stdout
    for wrong in (("0",), ("2", "--strata", "north"), ("2", "--strata", "north=many")):
        assert run("plan", *wrong).exit_code == 2


def test_a_survey_plan_from_a_codebook(tmp_path):
    out = tmp_path / "plan.md"
    options = ("plan", "2", "--codebook", "ccsi", "--language", "zh")
    done = run(*options, "--out", out, "--who", "全体顾客", "--when", "fieldwork=三月")
    assert done.exit_code == 0, done.output
    text = out.read_text(encoding="utf-8")
    assert "全体顾客" in text
    assert "三月" in text
    assert "总体满意程度" in text
    assert "调查对象" in run(*options).stdout
    for wrong, message in (
        (("plan", "2", "--out", out), "--out is of a survey plan, which needs the questions"),
        ((*options, "--when", "May"), "--when May is no step with its time, as fieldwork=March."),
        ((*options, "--when", "x=May"), "schedule names the step 'x'"),
        ((*options, "--out", tmp_path / "p.pdf"), "must end in .md, .html or .docx"),
        (("plan", "2", "--codebook", tmp_path / "no.toml"), "There is no codebook"),
    ):
        done = run(*wrong)
        assert (done.exit_code, message in done.stderr) == (2, True), done.stderr
