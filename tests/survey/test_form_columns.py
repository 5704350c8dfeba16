"""Answers as a form exports them, read back by the codebook it was written from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import SurveyError
from csimodel.measures import write_questionnaire

BOOK = csi.Codebook.from_toml(
    """
    [items]
    SAT1 = { construct = "S", wording = "总体满意吗？", scale = [1, 3], missing_codes = [9], labels = { 1 = "很不满意", 2 = "一般", 3 = "很满意" } }
    SAT2 = { construct = "S", wording = "Satisfied overall?", scale = [1, 3], missing_codes = [8, 9], labels = { 1 = "very dissatisfied", 2 = "neutral", 3 = "very satisfied" } }
    HANDLE = { construct = "H", wording = "Handled well (0 to 100)", scale = [0, 100] }
    [columns]
    COMP = { wording = "Complained?", labels = { 0 = "no", 1 = "yes" }, answers = { no = 0, yes = 1 } }
    city = { wording = "City, or region/area" }
    """
)
CODES = pd.DataFrame(
    {
        "SAT1": [3, 9, 1, 2],
        "SAT2": [1, 3, 9, 8],
        "HANDLE": [None, 55.5, 100, None],
        "COMP": [0, 1, 1, 0],
        "city": ["北京", "Paris", None, "Rome"],
    }
)
ANSWERS = CODES.assign(
    SAT1=[3, np.nan, 1, 2], SAT2=[1, 3, np.nan, np.nan], HANDLE=CODES["HANDLE"].astype(float)
)
SYSTEM = {
    "_id": [101, 102, 103, 104],
    "_uuid": ["a", "b", "c", "d"],
    "_submission_time": ["2026-05-01T10:00:00"] * 4,
    "_validation_status": [None] * 4,
    "_notes": [None] * 4,
    "_status": ["submitted_via_web"] * 4,
    "_submitted_by": [None] * 4,
    "__version__": ["vX"] * 4,
    "_tags": [None] * 4,
    "_index": [1, 2, 3, 4],
}


def labels_of(path) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return the label of each question, and of each of its choices, from an XLSForm."""
    survey = pd.read_excel(path, "survey", dtype=str)
    choices = pd.read_excel(path, "choices", dtype=str)
    label = next(name for name in survey.columns if name.startswith("label::"))
    texts = {own: dict(zip(part["name"], part[label], strict=True))
             for own, part in choices.groupby("list_name")}  # fmt: skip
    kinds = survey["type"].str.split().str[-1]
    lists = {name: texts.get(kind, {}) for name, kind in zip(survey["name"], kinds, strict=True)}
    return dict(zip(survey["name"], survey[label], strict=True)), lists


def exported(folder, language: str, headers: str, values: str, group: str):
    """Write the answers as KoboToolbox exports them: separated by ``;``, everything in quotes."""
    form = write_questionnaire(BOOK, folder / "form.xlsx", language=language)
    wordings, choices = labels_of(form)
    table = {"start": ["2026-05-01T09:55:00.000+02:00"] * 4, "end": ["2026-05-01T09:59:00"] * 4}
    for name, cells in CODES.items():
        texts = ["" if pd.isna(cell) else cell if isinstance(cell, str) else f"{cell:g}"
                 for cell in cells]  # fmt: skip
        if values == "labels":
            texts = [choices[name].get(text, text) for text in texts]
        table[f"{group}{wordings[name] if headers == 'labels' else name}"] = texts
    path = folder / "answers.csv"
    frame = pd.DataFrame({**table, **SYSTEM})
    frame.to_csv(path, sep=";", index=False, quoting=1, encoding="utf-8-sig")
    return path


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("headers", ["names", "labels"])
@pytest.mark.parametrize("values", ["names", "labels"])
@pytest.mark.parametrize("group", ["", "About you/"])
def test_what_the_form_exports_is_read_back(tmp_path, language, headers, values, group):
    survey = csi.read_survey(exported(tmp_path, language, headers, values, group), codebook=BOOK)
    own = survey.data[list(CODES)]
    without = [table.astype(object).where(table.notna(), None) for table in (own, ANSWERS)]
    pd.testing.assert_frame_equal(*without)
    assert {name: rows.tolist() for name, rows in survey.coded.items()} == {
        "SAT1": [1], "SAT2": [2, 3],
    }  # fmt: skip
    told = [finding.count for finding in survey.findings if finding.code == "form-columns"]
    assert told == ([] if headers == "names" and not group else [5])
    assert csi.describe(survey).item_names == ("SAT1", "SAT2", "HANDLE")


def test_the_shell_reads_what_the_form_exports(tmp_path):
    from typer.testing import CliRunner

    from csimodel.cli import app

    mobi = csi.load_mobi().data[["PERQ1", "PERQ2", "CUSA1", "CUSA2"]]
    mobi.add_prefix("mobile/").to_csv(tmp_path / "a.csv", sep=";", index=False)
    lines = "\n".join(f"{name} = {{ scale = [1, 10] }}" for name in mobi)
    (tmp_path / "b.toml").write_text(f"[items]\n{lines}")
    (tmp_path / "m.txt").write_text("Q =~ PERQ1 + PERQ2\nS =~ CUSA1 + CUSA2\nS ~ Q")
    done = CliRunner().invoke(
        app,
        ["analyze", str(tmp_path / "a.csv"), "--codebook", str(tmp_path / "b.toml"), "--model",
         str(tmp_path / "m.txt"), "--target", "S", "--draws", "30", "--out", str(tmp_path / "o")],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "'mobile/PERQ1' is PERQ1" in done.output


def test_a_scan_finds_the_columns_of_a_form(tmp_path):
    mobi = csi.load_mobi()
    mobi.data.add_prefix("g/").to_csv(tmp_path / "a.csv", index=False)
    book = csi.Codebook(items=mobi.items)
    scan = csi.scan(tmp_path / "a.csv", codebook=book)
    assert [finding.code for finding in scan.findings] == ["form-columns"]
    ecsi = csi.models.ecsi()
    pd.testing.assert_frame_equal(csi.fit(ecsi, scan).paths, csi.fit(ecsi, mobi).paths)


def test_a_name_that_may_be_two_columns_is_refused():
    frame = pd.DataFrame({"before/q": [1, 2], "after/q": [2, 3]})
    with pytest.raises(SurveyError) as caught:
        csi.read_survey(frame, codebook=csi.Codebook.from_toml("[items.q]\nscale = [1, 5]"))
    assert str(caught.value) == (
        "The codebook's 'q' may be 'before/q' and 'after/q'; rename the column that it is."
    )


def test_columns_with_the_codebooks_name_are_never_renamed():
    frame = pd.DataFrame({"g/q": [1, 2], "q": [2, 3]})
    book = csi.Codebook.from_toml("[items.q]\nscale = [1, 5]\nwording = 'g/q'")
    survey = csi.read_survey(frame, codebook=book)
    assert survey.data.columns.tolist() == ["g/q", "q"]
    assert survey.findings == ()
