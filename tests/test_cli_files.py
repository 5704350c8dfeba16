"""The shell on files as people have them: a result, or one sentence with the way out."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from openpyxl import Workbook
from typer.testing import CliRunner

import csimodel as csi
from csimodel.cli import app

_COMMON = np.random.default_rng(1).normal(6, 1.5, 40)
FRAME = pd.DataFrame(
    {
        name: np.clip(np.round(_COMMON + np.random.default_rng(seed).normal(0, 1, 40)), 1, 10)
        for seed, name in enumerate(("q1", "q2", "q3", "q4"))
    }
).astype(int)
FIRM = FRAME.assign(firm=["north", "south"] * 20)
MODEL = "Quality =~ q1 + q2\nSatisfaction =~ q3 + q4\nSatisfaction ~ Quality"
TEXT = FRAME.to_csv(index=False)


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def commands(folder, file, *options):
    """Run the three commands that read answers."""
    model = folder / "model.txt"
    model.write_text(MODEL, encoding="utf-8")
    own = ("--model", model, "--draws", "20", "--scale", "1,10", "--out", folder / "report")
    return {
        "describe": run("describe", file, *options),
        "draft-codebook": run("draft-codebook", file, *options),
        "analyze": run("analyze", file, *own, *options),
    }


def workbook(path, rows, merged=(), sheets=()):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    for place in merged:
        book.active.merge_cells(place)
    for name in sheets:
        book.create_sheet(name)["A1"] = "see the first sheet"
    book.save(path)


def rows_of(frame):
    return [list(frame.columns), *frame.to_numpy().tolist()]


def spss(path):
    pyreadstat = pytest.importorskip("pyreadstat")
    answers = FRAME.copy()
    answers.loc[0, "q1"] = 99
    labels = {1: "very bad", 10: "very good", 99: "no answer"}
    pyreadstat.write_sav(
        answers,
        str(path),
        column_labels=["Quality overall", "Service", "Satisfied", "Ideal"],
        variable_value_labels=dict.fromkeys(FRAME, labels),
        missing_ranges={name: [99] for name in FRAME},
    )


# By kind of file: its name, how it is made, options of the shell, respondents.
READ = {
    "GBK": (
        "a.csv", lambda path: FIRM.rename(columns={"firm": "公司"}).to_csv(
            path, index=False, encoding="gbk"), ("--encoding", "gb18030"), 40,
    ),
    "mark of UTF-8": (
        "a.csv", lambda path: FIRM.to_csv(path, index=False, encoding="utf-8-sig"), (), 40,
    ),
    "semicolons and decimal commas": (
        "a.csv", lambda path: FRAME.astype(float).to_csv(path, index=False, sep=";", decimal=","),
        ("--decimal", ","), 40,
    ),
    "blank lines": (
        "a.csv", lambda path: path.write_text(TEXT.replace("\n", "\n\n") + "\n\n"), (), 40,
    ),
    "title above the header": (
        "a.xlsx", lambda path: workbook(path, [["Customers of 2024"], [], *rows_of(FIRM)]), (), 40,
    ),
    "several sheets": (
        "a.xlsx", lambda path: workbook(path, rows_of(FIRM), sheets=["notes"]), (), 40,
    ),
    "a sheet by name": (
        "a.xlsx", lambda path: workbook(path, rows_of(FIRM), sheets=["notes"]),
        ("--sheet", "Sheet"), 40,
    ),
    "merged cells": (
        "a.xlsx", lambda path: workbook(path, rows_of(FIRM), merged=["E2:E9"]), (), 40,
    ),
    "dates": (
        "a.xlsx", lambda path: FRAME.assign(day=pd.Timestamp("2024-05-01")).to_excel(
            path, index=False), (), 40,
    ),
    "Parquet": ("a.parquet", lambda path: FIRM.to_parquet(path), (), 40),
}  # fmt: skip


@pytest.mark.parametrize("kind", READ)
def test_files_are_read_by_every_command(tmp_path, kind):
    name, make, options, respondents = READ[kind]
    make(tmp_path / name)
    results = commands(tmp_path, tmp_path / name, *options)
    assert [result.exit_code for result in results.values()] == [0, 0, 0], results
    assert (
        f"{respondents} respondents, 4 items; 0 of 160 cells empty." in results["describe"].stdout
    )
    book = csi.Codebook.from_toml(results["draft-codebook"].stdout)
    assert {item: (own.minimum, own.maximum) for item, own in book.items.items()} == dict.fromkeys(
        FRAME, (1, 10)
    )
    assert f"{respondents} respondents" in results["analyze"].stdout


def test_labels_and_user_missing_of_spss(tmp_path):
    spss(tmp_path / "a.sav")
    described, drafted, analysed = commands(tmp_path, tmp_path / "a.sav").values()
    assert "1 user-missing cell was set missing: q1 (1)." in described.stdout
    item = csi.Codebook.from_toml(drafted.stdout).items["q1"]
    assert (item.wording, item.missing_codes) == ("Quality overall", (99,))
    assert analysed.exit_code == 2
    assert analysed.stderr.endswith(
        "choose --missing 'listwise', 'pairwise', 'mean' or 'construct-minimum'.\n"
    )
    listwise = commands(tmp_path, tmp_path / "a.sav", "--missing", "listwise")["analyze"]
    assert "39 respondents" in listwise.stdout


# By kind of file: its name, its bytes or rows, options, what every command says.
REFUSED = {
    "GBK unsaid": ("a.csv", "公司\n北".encode("gbk"), (), "with --encoding, whichever makes sense: "
                   "'gb18030' reads its first such text as '公司'"),
    "no such encoding": ("a.csv", TEXT, ("--encoding", "klingon"), "--encoding 'klingon' is not"),
    "no such decimal sign": ("a.csv", TEXT, ("--decimal", ";"), "--decimal ; is not known; use . "),
    "duplicate headers": ("a.csv", TEXT.replace("q2", "q1", 1), (),
                          "The file 'a.csv' has more than one column named 'q1'; rename or remove"),
    "no rows": ("a.csv", "q1,q2,q3,q4\n", (), "The file 'a.csv' has no rows; give one row per"),
    "nothing": ("a.csv", "", (), "The file 'a.csv' is empty; it needs a header and one row per"),
    "no such sheet": ("a.xlsx", [["q1"], [3]], ("--sheet", "nix"),
                      "--sheet 'nix' is not a sheet of 'a.xlsx'; use one of 'Sheet'"),
    "a sheet of text": ("a.csv", TEXT, ("--sheet", "nix"), "--sheet 'nix' is not for CSV; leave"),
    "an empty sheet": ("a.xlsx", [], (), "The file 'a.xlsx' has no columns; give one column per"),
    "PDF": ("a.csv", b"%PDF-1.4\n\xbf", (), "The file 'a.csv' begins as a PDF document does, not "
            "as .csv files do; save its table as .csv or .xlsx."),
    "web page": ("a.xlsx", b"\n<HTML><body>", (), "The file 'a.xlsx' begins as a web page (HTML) or "
                 "XML does, not as .xlsx files do; save its table as .csv or .xlsx."),
    "workbook called text": ("a.csv", b"PK\x03\x04\0\0", (), "begins as an Excel workbook or another "
                             "zip archive does, not as .csv files do; rename it to end in .xlsx, or "
                             "save its table as .csv or .xlsx."),
    "SPSS called text": ("a.csv", b"$FL2@(#) SPSS", (), "rename it to end in .sav, or save its"),
    "old workbook": ("a.csv", b"\xd0\xcf\x11\xe0\xa1", (), "begins as an old Excel workbook (.xls) "
                     "does, not as .csv files do; save its table as .csv or .xlsx."),
    "text called workbook": ("a.xlsx", TEXT, (), "The file 'a.xlsx' cannot be read as an Excel"),
    "text called SPSS": ("a.sav", TEXT, (), "The file 'a.sav' cannot be read as an SPSS file; it"),
    "text called Parquet": ("a.parquet", TEXT, (), "cannot be read as a Parquet file; it may be"),
    "other ending": ("a.docx", TEXT, (), "'a.docx' is of a kind not known; use .csv, .tsv, "
                     ".parquet, .xlsx, .sav and .dta.\n"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_files_that_cannot_be_read_end_in_one_sentence(tmp_path, kind):
    name, content, options, message = REFUSED[kind]
    if isinstance(content, list):
        workbook(tmp_path / name, content)
    elif isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    else:
        (tmp_path / name).write_text(content, encoding="utf-8")
    for command, result in commands(tmp_path, tmp_path / name, *options).items():
        assert result.exit_code == 2, command
        assert isinstance(result.exception, SystemExit), command
        assert message in result.stderr, command
        assert result.stderr.count("\n") == 1, command


def test_a_folder_and_no_file_are_told(tmp_path):
    (tmp_path / "responses").mkdir()
    for result in commands(tmp_path, tmp_path / "responses").values():
        assert result.exit_code == 2
        assert result.stderr.endswith("responses' is a folder; give the file in it.\n")
    for result in commands(tmp_path, tmp_path / "no.csv").values():
        assert (result.exit_code, "no.csv'; check the path." in result.stderr) == (2, True)


def coded(folder):
    answers = FRAME.astype(object)
    answers.iloc[0, 0] = answers.iloc[2, 2] = "Blank"
    answers.iloc[1, 1] = 99
    answers.to_csv(folder / "a.csv", index=False)
    return folder / "a.csv"


def test_words_among_numbers_are_told_and_taken_as_no_answer(tmp_path):
    file = coded(tmp_path)
    described, drafted, analysed = commands(tmp_path, file).values()
    assert "40 respondents, 2 items" in described.stdout
    assert "such as 'Blank': q1 (1) and q3 (1);" in described.stdout
    assert csi.Codebook.from_toml(drafted.stdout).items["q1"].missing_words == ("Blank",)
    assert "Column 'q1' holds the text 'Blank' in row 1" in analysed.stderr
    taken = run("describe", file, "--missing-codes", "99,Blank")
    assert "40 respondents, 4 items; 3 of 160 cells empty." in taken.stdout
    named = run("describe", file, "--missing-codes", "99,Blank", "--items", "q2", "--items", "q3")
    assert "40 respondents, 2 items; 2 of 80 cells empty." in named.stdout
    codes = ("--missing-codes", "99,Blank", "--missing", "listwise")
    assert "37 respondents" in commands(tmp_path, file, *codes)["analyze"].stdout


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ("0,6,Blank", "as in --missing-codes q1=6, or name the items with --items NAME and their"),
        ("zz=Blank", "--missing-codes names the column 'zz', which is not in the data."),
        ("", "The option --missing-codes has the missing code ''; cells that are empty are"),
    ],
)
def test_missing_codes_that_cannot_be_are_refused_in_words_of_the_shell(tmp_path, codes, message):
    result = run("describe", coded(tmp_path), "--missing-codes", codes)
    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr


def test_dates_among_answers_are_left_out_and_told(tmp_path):
    answers = FRAME.astype(object)
    answers.iloc[3, 1] = datetime(2024, 5, 10)
    workbook(tmp_path / "a.xlsx", rows_of(answers))
    described, _, analysed = commands(tmp_path, tmp_path / "a.xlsx").values()
    assert "such as '2024-05-10 00:00:00': q2 (1);" in described.stdout
    assert "Column 'q2' holds the text '2024-05-10 00:00:00' in row 4" in analysed.stderr


def test_one_column_and_numbers_written_otherwise(tmp_path):
    file = tmp_path / "a.csv"
    FRAME[["q1"]].to_csv(file, index=False)
    described, drafted, analysed = commands(tmp_path, file).values()
    assert "40 respondents, 1 item;" in described.stdout
    assert list(csi.Codebook.from_toml(drafted.stdout).items) == ["q1"]
    assert "Item 'q2' of construct 'Quality' is not a column of the data." in analysed.stderr
    (FRAME + 0.5).to_csv(file, index=False, sep=";", decimal=",")
    described, drafted, _ = commands(tmp_path, file, "--decimal", ".").values()
    first = f"{FRAME.iloc[0, 0]},5"
    assert (
        f"'q1' begins with '{first}'; say how numbers are written with --decimal, "
        in described.stderr
    )
    assert (drafted.exit_code, drafted.stdout.strip()) == (0, "")
    assert "the draft has no items: q1, q2, q3 and q4;" in drafted.stderr


def test_a_draft_says_in_chinese_what_is_to_be_corrected(tmp_path):
    FRAME.to_csv(tmp_path / "a.csv", index=False)
    result = run("draft-codebook", tmp_path / "a.csv", "--language", "zh")
    assert "请对照问卷改正。" in result.stderr


@pytest.mark.parametrize("command", ["questionnaire", "plan"])
def test_codebooks_that_are_something_else(tmp_path, command):
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.toml").write_bytes("公司 = '北'".encode("gbk"))
    (tmp_path / "b.toml").write_text(TEXT, encoding="utf-8")
    for name, message in (
        ("folder", "folder"), ("a.toml", "UTF-8"), ("b.toml", "is not valid TOML"),
        ("no.toml", "There is no codebook"),
    ):  # fmt: skip
        file = Path(tmp_path / name)
        asked = ("plan", "2", "--codebook", file)
        if command == "questionnaire":
            asked = ("questionnaire", file, "--out", tmp_path / "q.xlsx")
        result = run(*asked)
        assert isinstance(result.exception, SystemExit), name
        assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
        assert result.stderr.count("\n") == 1


def test_describe_carries_the_design_and_takes_its_options(tmp_path):
    file = tmp_path / "a.csv"
    FRAME.assign(
        w=[1, 3] * 20, s=["a", "b"] * 20, c=np.arange(40) // 4, took=[60.0] * 39 + [9.0]
    ).to_csv(file, index=False)
    survey = csi.read_survey(file, weights="w", cluster="c", items=list(FRAME), scale=(1, 10))
    own = csi.describe(survey, level=0.9, duration="took")
    options = [text for name in FRAME for text in ("--items", name)]
    result = run(
        "describe", file, *options, "--weights", "w", "--cluster", "c", "--scale", "1,10",
        "--duration", "took", "--level", "0.9",
    )  # fmt: skip
    assert result.stdout.strip() == str(own.summary()).strip()
    weighted = np.average(FRAME["q1"], weights=[1, 3] * 20)
    assert own.items.loc["q1", "mean"] == pytest.approx(weighted)
    assert "1 of 40 respondents took less than 20 in 'took'" in result.stdout
    for option, value, message in (
        ("--strata", "no", "strata names the column 'no', which is not in the data"),
        ("--weights", "q9", "weights names the column 'q9'"),
        ("--scale", "1", "--scale 1 has 1 numbers; give the lowest and the highest answer"),
        ("--level", "2", "--level 2"),
        ("--duration", "no", "duration names the column 'no'"),
    ):
        wrong = run("describe", file, option, value)
        assert (wrong.exit_code, message in wrong.stderr) == (2, True), wrong.stderr
