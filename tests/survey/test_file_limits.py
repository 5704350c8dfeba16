"""Sizes that are refused before memory is taken, and files of any bytes: an answer or a sentence."""

from __future__ import annotations

import tracemalloc
import zipfile
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel import limits
from csimodel.errors import CsimodelError, ModelError, SurveyError
from csimodel.survey import Codebook, read_codebook, read_survey

openpyxl = pytest.importorskip("openpyxl")
pyreadstat = pytest.importorskip("pyreadstat")

NAMES = {"満": [1.5] * 30, "q1": list(range(30)), "firm": ["甲", "NA", "c"] * 10}


def refusal(call, *arguments, error=SurveyError) -> str:
    with pytest.raises(error) as caught:
        call(*arguments)
    return str(caught.value)


def megabytes(call) -> float:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


@pytest.fixture
def small(tmp_path):
    book = openpyxl.Workbook()
    for row in (["q1", "q2"], [1, 2], [3, 4]):
        book.active.append(row)
    book.save(tmp_path / "small.xlsx")
    return tmp_path / "small.xlsx"


def rewritten(small, change):
    """Write the workbook anew with another sheet, whatever it says of its dimensions."""
    other = small.with_name("other.xlsx")
    with zipfile.ZipFile(small) as old, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry.filename)
            new.writestr(entry.filename, change(content) if "sheet1" in entry.filename else content)
    return other


def test_a_cell_far_from_the_table_takes_no_memory(small):
    far = rewritten(
        small,
        lambda text: text.replace(
            b"</sheetData>",
            b'<row r="60000"><c r="XFD60000"><v>1</v></c></row></sheetData>',
        ),
    )
    messages = []
    assert megabytes(lambda: messages.append(refusal(read_survey, far))) < 60
    assert messages == [
        "Sheet 'Sheet' of 'other.xlsx' reaches to row 60,000 and column 16,384, and at most "
        "30,000,000 cells are read; delete what stands far from the table, or save the table as "
        "CSV or Parquet."
    ]


def test_a_workbook_packed_as_no_survey_is_refused_unread(small):
    bomb = rewritten(
        small, lambda text: text.replace(b"<sheetData>", b"<sheetData>" + b" " * 10**8)
    )
    messages = []
    assert megabytes(lambda: messages.append(refusal(read_survey, bomb))) < 10
    assert "times its size" in messages[0]
    assert "and at most 100 times are read" in messages[0]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a" * 200_000 + ",b\n1,2\n", "a cell at its beginning has more than 131,072 characters"),
        ("a" * 3_000 + ",b\n1,2\n", "has a name of 3,000 characters in column 1"),
        (",".join(f"c{place}" for place in range(20_001)) + "\n", "has 20,001 columns, and at most 20,000"),
        ('a,b\n1,"2\n' + "3,4\n" * 60_000, "is a quotation mark left open?"),
    ],
)  # fmt: skip
def test_headers_and_cells_without_end(tmp_path, text, part):
    (tmp_path / "a.csv").write_text(text)
    assert part in refusal(read_survey, tmp_path / "a.csv")


def test_a_line_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "LINE_BYTES", 2_000_000)
    (tmp_path / "a.csv").write_text("q1,q2\n1,2\n" + "1," * 2_000_000)
    assert "has a line of more than 2,000,000 characters" in refusal(
        read_survey, tmp_path / "a.csv"
    )


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[items]\nq = { scale = [1, 1" + "0" * 400 + "] }", "give the lowest and the highest answer"),
        ("[items]\nq = { scale = [1, 1" + "0" * 5_000 + "] }", "a number of thousands of digits"),
        ("a = " + "[" * 100_000, "in each other too deeply"),
        ("[items." + "a." * 50_000 + "b]\nx = 1", "a key of more than 100 parts"),
        ("# " + "x" * limits.CODEBOOK_CHARACTERS, "has more than 5,000,000 characters"),
    ],
)  # fmt: skip
def test_codebooks_without_end(text, part):
    message = refusal(Codebook.from_toml, text)
    assert part in message
    assert len(message) < 300


def test_model_text_without_end():
    text = "A =~ " + " + ".join(f"x{place}" for place in range(60_000))
    for read in (csi.Model.from_syntax, csi.Model.from_semopy):
        assert refusal(read, text, error=ModelError) == (
            f"The model text has {len(text):,} characters, and at most 300,000 are read; is it a "
            "model?"
        )


def test_counts_that_a_damaged_file_states(tmp_path):
    file = tmp_path / "a.dta"
    pyreadstat.write_dta(pd.DataFrame({"q": [1.0, 2.0]}), str(file), version=14)
    content = file.read_bytes()
    place = content.index(b"<N>") + 3
    file.write_bytes(content[:place] + (10**12).to_bytes(8, "little") + content[place + 8 :])
    assert "it may be damaged" in refusal(read_survey, file)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\x04\x00\x00\x00\x01\x00\x00\x00\x02", b"\x04\x00\x00\x00\x01\x00\x00\x00\x9e"),
        (b"\x02\x00\x00\x00\x00\x00\x00\x00", b"\x02\x00\x00\x00\x4f\x00\x00\x00"),
    ],
    ids=["labels of a variable that is not there", "a string wider than its variables"],
)
def test_an_spss_dictionary_that_would_end_the_process_is_refused_first(tmp_path, before, after):
    originals(tmp_path)
    content = (tmp_path / "a.sav").read_bytes()
    assert before in content
    (tmp_path / "b.sav").write_bytes(content.replace(before, after, 1))
    assert refusal(read_survey, tmp_path / "b.sav") == (
        "The file 'b.sav' cannot be read as an SPSS file; it may be damaged or misnamed."
    )


def test_what_is_no_file(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.csv")
    assert "is no file but a device or pipe" in refusal(read_survey, tmp_path / "pipe.csv")
    (tmp_path / "locked.toml").mkdir()
    assert "is a folder" in refusal(read_codebook, tmp_path / "locked.toml")


def originals(folder):
    frame = pd.DataFrame(NAMES)
    plain = frame.rename(columns={"満": "m"})
    frame.to_csv(folder / "a.csv", index=False)
    frame.to_excel(folder / "a.xlsx", index=False)
    frame.to_parquet(folder / "a.parquet")
    labels = {"q1": {1: "low"}}
    pyreadstat.write_sav(plain, str(folder / "a.sav"), variable_value_labels=labels)
    pyreadstat.write_dta(plain, str(folder / "a.dta"), variable_value_labels=labels)
    (folder / "a.toml").write_text('[defaults]\nscale = [1, 10]\n[items]\nq = { wording = "x" }\n')


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Cut off, overwrite, take out or put in some bytes."""
    place, other = int(rng.integers(len(content))), int(rng.integers(1, 40))
    noise = rng.integers(0, 256, other, dtype=np.uint8).tobytes()
    kind = rng.integers(5)
    if kind == 0:
        return content[:place]
    if kind == 1:
        return content[:place] + noise[:1] + content[place + 1 :]
    if kind == 2:
        return content[:place] + content[place + other :]
    if kind == 3:
        return content[:place] + noise + content[place:]
    return content[:place] + b"\xff" * 8 + content[place + 8 :]


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet", "sav", "dta", "toml"])
def test_any_bytes_give_an_answer_or_a_sentence(tmp_path, kind):
    originals(tmp_path)
    content = (tmp_path / f"a.{kind}").read_bytes()
    rng = np.random.default_rng(11)
    file = tmp_path / f"b.{kind}"
    for _ in range(60):
        file.write_bytes(damaged(content, rng))
        with suppress(CsimodelError):
            (read_codebook if kind == "toml" else read_survey)(file)


def test_two_columns_with_a_lone_quotation_mark_in_a_text(tmp_path):
    """By commas the mark would begin a cell without an end; by semicolons it stands in a text."""
    lines = [f"{k};plain" for k in range(20_000)]
    (tmp_path / "two.csv").write_text('a;b\n1;x,"y\n' + "\n".join(lines), encoding="utf-8")
    frame = csi.read_survey(tmp_path / "two.csv").data
    assert list(frame.columns) == ["a", "b"]
    assert (len(frame), frame["b"].iloc[0]) == (20_001, 'x,"y')
