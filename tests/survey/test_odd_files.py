"""Files as people keep them: what is read right, what is refused, and the way out."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from wordings import row_of

import csimodel as csi
from csimodel.errors import OptionError, SurveyError
from csimodel.survey import Codebook, read_survey
from csimodel.survey.cells import whole
from csimodel.survey.encodings import _usual

openpyxl = pytest.importorskip("openpyxl")


def csv(tmp_path, text: str, written="utf-8", **options):
    file = tmp_path / "a.csv"
    file.write_bytes(text.encode(written))
    return read_survey(file, **options)


def workbook(tmp_path, sheets: dict[str, list[list[object]]], hidden=(), **options):
    file = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        if name in hidden:
            sheet.sheet_state = "hidden"
    book.active = next(place for place, name in enumerate(sheets) if name not in hidden)
    book.save(file)
    return read_survey(file, **options)


def refusal(call, *arguments, error=SurveyError, **options) -> str:
    with pytest.raises(error) as caught:
        call(*arguments, **options)
    return str(caught.value)


def told(survey) -> list[str]:
    return [finding.code for finding in survey.findings]


ANSWERS = [
    ["id", "firm", "q1", "q2"],
    [1, "NA", 3, 4],
    [2, "None", 5, 6],
    [3, "null", "NA", 7],
    [4, "Alba", 7, None],
]


# --- words for missing, labels, forms of numbers ---------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_na_is_a_name_among_labels_and_missing_among_numbers(tmp_path, kind):
    if kind == "csv":
        text = "\n".join(",".join("" if c is None else str(c) for c in row) for row in ANSWERS)
        survey = csv(tmp_path, text + "\n")
    else:
        survey = workbook(tmp_path, {"a": ANSWERS})
    assert survey.data["firm"].tolist() == ["NA", "None", "null", "Alba"]
    np.testing.assert_array_equal(survey.data["q1"], [3, 5, np.nan, 7])
    np.testing.assert_array_equal(survey.data["q2"], [4, 6, 7, np.nan])
    assert survey.findings[0].code == "words-for-missing"
    assert survey.findings[0].values == {"cells": 1, "columns": ("q1 (1)",)}
    assert row_of(survey.findings[0]).values["cells"] == 1


@pytest.mark.parametrize(
    ("cells", "decimal", "values"),
    [
        (["3,5", "4,25", "1"], None, [3.5, 4.25, 1]),
        (["1.234,5", "2.000", "7"], None, [1234.5, 2000, 7]),
        (["1,234.5", "2,000", "7"], None, [1234.5, 2000, 7]),
        (["1,234,567", "2,000", "7"], None, [1234567, 2000, 7]),
        (["1 234", "12 000", "7"], None, [1234, 12000, 7]),
        (["1'234.5", "2'000", "7"], None, [1234.5, 2000, 7]),
        (["1,234", "2,500", "7"], ".", [1234, 2500, 7]),
        (["1,234", "2,500", "7"], ",", [1.234, 2.5, 7]),
        (["３", " 4 ", "\xa05\xa0"], None, [3, 4, 5]),
        (["\u22123", "4", "-5"], None, [-3, 4, -5]),
        (["3", "", "#DIV/0!"], None, [3, np.nan, np.nan]),
        (["3", "-", "n/a"], None, [3, np.nan, np.nan]),
    ],
)
def test_numbers_in_the_forms_that_people_write(tmp_path, cells, decimal, values):
    text = "id;x\n" + "".join(f"{row};{cell}\n" for row, cell in enumerate(cells))
    np.testing.assert_array_equal(csv(tmp_path, text, decimal=decimal).data["x"], values)
    rows = [["id", "x"], *([row, cell or None] for row, cell in enumerate(cells))]
    survey = workbook(tmp_path, {"a": rows}, decimal=decimal)
    np.testing.assert_array_equal(survey.data["x"], values)


def test_a_comma_that_may_be_either_sign_is_asked_about(tmp_path):
    survey = csv(tmp_path, 'id,spend\n1,"1,234"\n2,"2,345"\n')
    assert survey.data["spend"].tolist() == ["1,234", "2,345"]
    assert survey.findings[0].code == "doubtful-numbers"
    assert survey.findings[0].values == {"columns": ("spend ('1,234')",)}
    other = csv(tmp_path, "id;q;spend\n1;3,5;1.234\n2;4,0;2.345\n")
    assert other.data["spend"].tolist() == [1234, 2345]


def test_labels_lose_outer_blanks_and_have_one_form(tmp_path):
    survey = csv(tmp_path, "q,firm\n1,Alba\n2,Alba \n3,\u3000Alba\n4,Cafe\u0301\n5,Café\n")
    assert survey.data["firm"].tolist() == ["Alba", "Alba", "Alba", "Café", "Café"]
    assert survey.findings[0].count == 3


def test_numbers_among_labels_are_labels(tmp_path):
    survey = workbook(tmp_path, {"a": [["firm", "q"], [7, 1], ["Alba", 2], [7.5, 3]]})
    assert survey.data["firm"].tolist() == ["7", "Alba", "7.5"]


# --- rows around the table -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "semicolons", "xlsx"])
def test_titles_above_and_notes_below_are_left_out(tmp_path, kind):
    rows = [
        ["Survey, wave 2"], [], ["id", "q1", "q2"], [1, 2, 3], [2, 4, 5], [3, 4, 4], ["Source: us"],
    ]  # fmt: skip
    if kind == "xlsx":
        survey = workbook(tmp_path, {"a": rows})
    else:
        comma = "," if kind == "csv" else ";"
        text = "\n".join(comma.join(map(str, row)) for row in rows)
        survey = csv(tmp_path, text.replace("Survey, wave", "Survey wave") + comma * 2 + "\n")
    assert survey.data.to_dict("list") == {"id": [1, 2, 3], "q1": [2, 4, 4], "q2": [3, 5, 4]}
    assert told(survey) == ["rows-above", "rows-below"]
    assert survey.findings[1].values["texts"] == ("'Source: us'",)


def test_rows_of_wordings_become_labels_of_the_columns(tmp_path):
    text = (
        'id,q1,q2\nResponse,"How satisfied\nare you?",Again?\n"{""a"":1}","{""a"":2}","{""a"":3}"\n'
        "R1,3,4\nR2,5,6\nR3,7,8\n"
    )
    survey = csv(tmp_path, text)
    assert survey.data["q1"].tolist() == [3, 5, 7]
    assert survey.column_labels["q2"] == "Again?"
    assert told(survey) == ["rows-of-wordings"]


@pytest.mark.parametrize(
    "last", ["Total,9,11", "TOTAL:,,", "Mean,3,3.67", "平均,3,3.67", "Summe,9,11"]
)
def test_a_row_of_totals_is_refused(tmp_path, last):
    message = refusal(csv, tmp_path, f"firm,q1,q2\na,2,3\nb,3,4\nc,4,4\n{last}\n")
    assert message.startswith("Row 4 of 'a.csv' looks like a row of totals: it holds ")
    assert message.endswith("read the file with pandas and pass the data frame.")


def test_sums_without_a_word_are_totals_too(tmp_path):
    rows = "".join(f"{row},{row % 5 + 1},{row % 4 + 2}\n" for row in range(8))
    sums = f",{sum(row % 5 + 1 for row in range(8))},{sum(row % 4 + 2 for row in range(8))}\n"
    assert "the sums of the rows above in q1 and q2" in refusal(
        csv, tmp_path, f"id,q1,q2\n{rows}{sums}"
    )


def test_a_firm_called_total_is_no_row_of_totals(tmp_path):
    survey = csv(tmp_path, "firm,q1,q2\nShell,2,3\nBP,3,4\nEni,4,4\nTotal,5,6\n")
    assert len(survey.data) == 4


# --- names of columns --------------------------------------------------------------------------------


def test_names_are_cleaned_wherever_they_come_from(tmp_path):
    header = ["overall\nquality", " q2 ", "qualite\u0301", None]
    survey = workbook(tmp_path, {"a": [header, [1, 2, 3, 4], [5, 6, 7, 8]]})
    expected = ["overall quality", "q2", "qualité", "column 4"]
    assert survey.data.columns.tolist() == expected
    assert told(survey) == ["names-cleaned", "column-without-name"]
    frame = pd.DataFrame([[1, 2, 3, 4], [5, 6, 7, 8]], columns=[*header[:3], ""])
    assert read_survey(frame).data.columns.tolist() == expected
    again = read_survey(frame, scale={"qualite\u0301": (1, 10)}, weights="overall\nquality")
    assert again.items["qualité"].maximum == 10
    assert again.weights == "overall quality"


def test_a_model_finds_a_column_in_the_other_unicode_form(mobi):
    data = mobi.data.rename(columns={"CUSA1": "qualite\u0301", "CUSA2": "ok\nso"})
    text = 'Q =~ PERQ1 + PERQ2\nS =~ "qualité" + "ok so" + CUSA3\nS ~ Q'
    fit = csi.fit(csi.Model.from_syntax(text), data)
    plain = csi.fit(
        csi.Model.from_syntax("Q =~ PERQ1 + PERQ2\nS =~ CUSA1 + CUSA2 + CUSA3\nS ~ Q"), mobi
    )
    np.testing.assert_array_equal(fit.paths, plain.paths)
    assert csi.Model.from_syntax(text.replace("é", "e\u0301")) == csi.Model.from_syntax(text)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["q1", "q1 "], "The data frame has more than one column named 'q1'; rename or remove the duplicates."),
        (["q1", "q\ud800"], "The data frame has the name 'q\\ud800' in column 2, which holds a half of a character and cannot be written; rename the column."),
        (["q1", "x" * 3000], "The data frame has a name of 3,000 characters in column 2 ('xxxxxxxxxxxxxxxxxxxx' …), and at most 2,000 are allowed; is the first row the names of the columns?"),
    ],
)  # fmt: skip
def test_names_that_cannot_be(names, message):
    frame = pd.DataFrame([[1, 2]], columns=pd.Index(names, dtype=object))
    assert refusal(read_survey, frame) == message


# --- encodings, separators -----------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "shift_jis", "utf-16", "utf-16-le"])
def test_a_declared_encoding_is_read_and_told(tmp_path, encoding):
    survey = csv(tmp_path, "id,上海\n1,3\n2,4\n", encoding, encoding=encoding)
    assert survey.data["上海"].tolist() == [3, 4]
    assert told(survey) == ([] if encoding == "utf-16" else ["encoding-declared"])


def test_a_mark_is_enough(tmp_path):
    assert csv(tmp_path, "id,上海\n1,3\n2,4\n", "utf-16").data.columns[1] == "上海"


@pytest.mark.parametrize(
    ("bytes_in", "declared", "message"),
    [
        ("utf-8", "latin-1", "The file 'a.csv' is UTF-8 by all its bytes, and read as 'latin-1' it would hold wrong characters; leave encoding out."),
        ("utf-16", "gb18030", "The file 'a.csv' begins with the mark of utf-16, and encoding='gb18030' was given; leave encoding out."),
        ("utf-16-le", None, "The file 'a.csv' holds NUL characters (first in line 1), as UTF-16 without a mark and damaged files do; give encoding='utf-16-le' or 'utf-16-be', or save it as UTF-8."),
        ("utf-8", "gb1803", "encoding='gb1803' is not known (did you mean 'gb18030'?); use one of 'utf-8', 'utf-16', 'gb18030', 'big5', 'shift_jis', 'euc_kr', 'cp1252', 'cp1251' and 'latin-1'."),
    ],
)  # fmt: skip
def test_encodings_that_contradict_the_bytes(tmp_path, bytes_in, declared, message):
    text = "id,q1\n1,3\n" if declared is None else "id,上海\n1,3\n2,4\n"
    assert refusal(csv, tmp_path, text, bytes_in, encoding=declared) == message


def test_a_doubtful_encoding_is_told_with_the_other_reading(tmp_path):
    text = "id,满意,firm\n1,3,北京公司\n2,4,上海服务\n"
    (finding,) = csv(tmp_path, text, "gbk", encoding="cp1252").findings
    assert (finding.code, finding.severity) == ("encoding-doubtful", "warning")
    assert finding.values == {
        "file": "a.csv", "encoding": "cp1252", "text": "'ÂúÒâ'", "other": "gb18030", "reading": "'满意'",
    }  # fmt: skip


def test_signs_that_texts_of_east_asia_hold():
    """The first levels of GB 2312 (to D7) and Big5 (to C6), kana and hangul."""
    assert _usual("".join("\u3040ゖ一あん가힣啊爱装专座籲") + "abc") == 1.0
    assert _usual("乂丌亍Âúéя") == 0.0
    assert _usual("满Â") == 0.5
    assert _usual("abc") == 0.0


@pytest.mark.parametrize("text", ["id,q\n1,\ufffd\n", "id,qualitÃ©\n1,3\n"])
def test_texts_damaged_before_are_told(tmp_path, text):
    assert told(csv(tmp_path, text)) == ["damaged-text"]


def test_a_separator_said_in_the_first_line(tmp_path):
    survey = csv(tmp_path, "sep=|\nid|q, so\n1|3\n2|4\n")
    assert survey.data.columns.tolist() == ["id", "q, so"]
    assert survey.data["id"].tolist() == [1, 2]


def test_a_quotation_mark_left_open_behind_a_separator_that_is_none(tmp_path):
    survey = csv(tmp_path, 'id,q\n1,a;"b\n' + "2,c\n" * 40_000)
    assert survey.data.shape == (40_001, 2)
    assert survey.data["q"].iloc[0] == 'a;"b'


def test_a_file_cut_off_is_told(tmp_path):
    assert told(csv(tmp_path, "id,q1,q2\n1,2,3\n2,3")) == ["file-cut-off"]


# --- workbooks -------------------------------------------------------------------------------------------

OLD = [["id", "q1", "q2"], [1, 9, 9], [2, 8, 8]]
NOTES = [["Notes"], ["Answers from 1 to 10"]]
CODES = [["variable", "code", "label"], ["q1", 1, "low"], ["q1", 10, "high"]]


@pytest.mark.parametrize(
    ("sheets", "hidden", "others"),
    [
        ({"old": OLD, "answers": ANSWERS}, ["old"], ()),
        ({"readme": NOTES, "answers": ANSWERS, "codes": CODES}, [], ("'readme'", "'codes'")),
        ({"old": OLD, "readme": NOTES, "answers": ANSWERS}, ["old"], ("'readme'",)),
    ],
)
def test_the_sheet_of_answers_is_read_and_told(tmp_path, sheets, hidden, others):
    survey = workbook(tmp_path, sheets, hidden)
    assert len(survey.data) == 4
    finding = survey.findings[0]
    assert (finding.code, finding.severity) == ("sheet-read", "note")
    assert finding.values == {
        "count": len(sheets), "sheet": "'answers'", "others": others, "hidden": tuple(map(repr, hidden)),
    }  # fmt: skip
    told = {"others": bool(others), "hidden": bool(hidden)}
    assert {name: name in row_of(finding).values for name in told} == told


def test_several_sheets_of_answers_are_asked_about(tmp_path):
    sheets = {"north": OLD, "south": OLD, "readme": NOTES}
    assert refusal(workbook, tmp_path, sheets) == (
        "The workbook 'a.xlsx' has 2 sheets that may hold the answers, 'north' and 'south'; say "
        "which with sheet='north'."
    )
    survey = workbook(tmp_path, sheets, sheet="south")
    assert survey.data["q1"].tolist() == [9, 8]
    assert refusal(workbook, tmp_path, sheets, sheet="soth") == (
        "sheet='soth' is not a sheet of 'a.xlsx' (did you mean 'south'?); use one of 'north', "
        "'south' and 'readme'."
    )


def test_formulas_never_computed_are_refused(tmp_path):
    rows = [["x", "y"], [1, "=A2*2"], [2, "=A3*2"]]
    assert refusal(workbook, tmp_path, {"a": rows}) == (
        "Sheet 'a' of 'a.xlsx' holds 2 formulas never computed (the first in B2), so the values "
        "are not in the file; open and save it in a spreadsheet program, or put values in their "
        "place."
    )


def test_merged_cells_hidden_rows_errors_and_dates(tmp_path):
    file = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    day = dt.date(2024, 1, 2)
    for row in (["firm", "q", "self"], ["A", "#DIV/0!", day], [None, 4, day], ["B", 5, None]):
        book.active.append(row)
    book.active.merge_cells("A2:A3")
    book.active.row_dimensions[4].hidden = True
    book.save(file)
    survey = read_survey(file)
    assert told(survey) == ["merged-cells", "hidden-rows", "error-cells"]
    np.testing.assert_array_equal(survey.data["q"], [np.nan, 4, 5])
    assert survey.data["self"].dtype.kind == "M"


# --- options of the form -----------------------------------------------------------------------------------


def test_options_of_the_form_that_do_not_belong(tmp_path):
    (tmp_path / "a.csv").write_text("q\n1\n2\n")
    frame = pd.DataFrame({"q": [1, 2]})
    for data, options, message in (
        (tmp_path / "a.csv", {"sheet": "x"}, "sheet='x' is not for CSV; leave it out."),
        (frame, {"encoding": "gbk"}, "encoding='gbk' is not for a data frame; leave it out."),
        (read_survey(frame), {"decimal": ","}, "decimal=',' is not for a survey, which is read already; leave it out."),
        (tmp_path / "a.csv", {"decimal": ";"}, "decimal=';' is not known; use one of '.', ','."),
        (tmp_path / "a.csv", {"encoding": 8}, "encoding=8 must be text, written in quotes."),
    ):  # fmt: skip
        assert refusal(read_survey, data, error=OptionError, **options) == message


# --- SPSS and Stata ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sav", "dta"])
def test_dates_that_cannot_be_are_missing_and_named(tmp_path, kind):
    import pyreadstat

    file = tmp_path / f"a.{kind}"
    frame = pd.DataFrame({"q": [1.0, 2.0, 3.0], "day": [100.0, 1e13, np.nan]})
    if kind == "sav":
        pyreadstat.write_sav(frame, str(file), variable_format={"day": "DATE11"})
    else:
        frame["day"] = [100.0, 9e9, np.nan]
        pyreadstat.write_dta(frame, str(file), variable_format={"day": "%td"})
    survey = read_survey(file)
    start = dt.date(1582, 10, 14) if kind == "sav" else dt.date(1960, 4, 10)
    assert survey.data["day"].tolist() == [start, None, None]
    assert survey.data["q"].tolist() == [1, 2, 3]
    finding = survey.findings[0]
    assert (finding.code, finding.severity) == ("impossible-dates", "warning")
    assert finding.values == {"count": 1, "columns": ("day (1)",), "row": 2, "first": "day"}
    assert row_of(finding).values["count"] == 1


LABELS = {1: "very poor", 5: "very good", 6: "No opinion", 98: "Don't know", 99: "拒答"}


def test_codes_labelled_as_no_answer_are_refused_until_declared(tmp_path):
    import pyreadstat

    rng = np.random.default_rng(3)
    latent = rng.normal(size=80)
    frame = pd.DataFrame(
        {name: np.clip(np.round(3 + latent + 0.6 * rng.normal(size=80)), 1, 5) for name in "abcd"}
    )
    frame.loc[[1, 2, 3], "a"] = [6.0, 98.0, 99.0]
    file = tmp_path / "a.sav"
    pyreadstat.write_sav(frame, str(file), variable_value_labels={"a": LABELS, "b": {1: "poor"}})
    model = csi.Model.from_syntax("A =~ a + b\nB =~ c + d\nB ~ A")
    assert refusal(csi.fit, model, read_survey(file)) == (
        "Column 'a' holds 6 ('No opinion'), 98 (\"Don't know\") and 99 ('拒答') in 3 cells, which "
        "their labels say are no answer; declare them with csi.read_survey(…, missing_codes={'a': "
        "(6, 98, 99)}), or, if they are answers, give the scale that holds them, as in "
        "scale={'a': (lowest, highest)}."
    )
    codes = {"a": (6, 98, 99)}
    assert csi.fit(model, read_survey(file, missing_codes=codes, missing="listwise")).n == 77
    assert csi.fit(model, read_survey(file, scale={"a": (1, 99)})).n == 80
    book = Codebook(value_labels={"a": LABELS})
    assert "no answer" in refusal(csi.fit, model, read_survey(frame, codebook=book))


@pytest.mark.parametrize("column", [[1.0, -2.0], [0.0], [2.0**53 - 1], []])
def test_whole_numbers_become_integers(column):
    assert whole(pd.Series(column, dtype=float)).dtype == np.int64


@pytest.mark.parametrize("column", [[1.0, 2.5], [0.0, 0.5], [1.0, np.nan], [2.0**53], [np.inf]])
def test_other_numbers_stay_as_they_are(column):
    assert whole(pd.Series(column)).dtype == np.float64
