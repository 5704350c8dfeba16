"""Readers: each kind of file and frame, and what they say when it cannot be read."""

from __future__ import annotations

import builtins
import sys

import numpy as np
import pandas as pd
import pytest

from csimodel.errors import SurveyError
from csimodel.survey import edges, encodings, read_survey
from csimodel.survey.headers import clean

FRAME = pd.DataFrame({"q1": [3, 7, 9], "满意": [4.5, 8.0, np.nan], "firm": ["甲", "乙", "甲"]})


def refused(path, **options) -> str:
    with pytest.raises(SurveyError) as caught:
        read_survey(path, **options)
    return str(caught.value)


def check(survey, source):
    assert survey.source == source
    assert survey.data["q1"].tolist() == [3, 7, 9]
    np.testing.assert_array_equal(survey.data["满意"], [4.5, 8.0, np.nan])
    assert survey.data["firm"].tolist() == ["甲", "乙", "甲"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("sep", [",", ";", "\t"])
def test_csv(tmp_path, encoding, sep):
    file = tmp_path / "a.CSV"
    FRAME.to_csv(file, index=False, encoding=encoding, sep=sep)
    check(read_survey(file), "a.CSV")
    check(read_survey(str(file)), "a.CSV")


def test_csv_separators_inside_quotes_do_not_count(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text('"a, b, c";q\n1;2\n3;4\n', encoding="utf-8")
    assert list(read_survey(file).data.columns) == ["a, b, c", "q"]


def test_parquet(tmp_path):
    file = tmp_path / "a.parquet"
    FRAME.to_parquet(file)
    check(read_survey(file), "a.parquet")


def test_excel(tmp_path):
    file = tmp_path / "a.xlsx"
    FRAME.to_excel(file, index=False)
    check(read_survey(file), "a.xlsx")


def test_spss_labels_and_user_missing(tmp_path):
    import pyreadstat

    file = tmp_path / "a.sav"
    frame = pd.DataFrame({"q1": [3.0, 98.0, 99.0, 7.0], "q2": [1.0, 5.0, -1.0, np.nan]})
    pyreadstat.write_sav(
        frame,
        str(file),
        column_labels=["Quality overall", "质量"],
        variable_value_labels={"q1": {98: "don't know", 99: "refused"}},
        missing_ranges={"q1": [98, 99], "q2": [{"lo": -9, "hi": -1}]},
    )
    survey = read_survey(file)
    np.testing.assert_array_equal(survey.data["q1"], [3, np.nan, np.nan, 7])
    np.testing.assert_array_equal(survey.data["q2"], [1, 5, np.nan, np.nan])
    assert survey.value_labels == {"q1": {98.0: "don't know", 99.0: "refused"}}
    assert survey.column_labels == {"q1": "Quality overall", "q2": "质量"}
    (finding,) = survey.findings
    assert finding.count == 3
    assert finding.code == "user-missing"
    assert finding.values == {"cells": 3, "columns": ("q1 (2)", "q2 (1)")}


def test_stata_labels_and_user_missing(tmp_path):
    import pyreadstat

    file = tmp_path / "a.dta"
    frame = pd.DataFrame({"q1": [3.0, "a", "b", 7.0], "q2": [1.0, 5.0, 2.0, np.nan]})
    pyreadstat.write_dta(
        frame,
        str(file),
        column_labels=["Quality overall", None],
        variable_value_labels={"q2": {1: "low", 5: "high"}},
        missing_user_values={"q1": ["a", "b"]},
    )
    survey = read_survey(file)
    assert survey.data["q1"].dtype == np.float64
    np.testing.assert_array_equal(survey.data["q1"], [3, np.nan, np.nan, 7])
    assert survey.value_labels == {"q2": {1: "low", 5: "high"}}
    assert survey.column_labels == {"q1": "Quality overall"}
    assert survey.findings[0].code == "user-missing"
    assert survey.findings[0].values == {"cells": 2, "columns": ("q1 (2)",)}


def test_polars_and_arrow():
    import polars as pl
    import pyarrow as pa

    data = {"q1": [3, 7, 9], "满意": [4.5, 8.0, None], "firm": ["甲", "乙", "甲"]}
    check(read_survey(pl.DataFrame(data)), "frame")
    check(read_survey(pa.table(data)), "frame")
    decimals = pl.DataFrame({"q1": [3, 99]}).cast(pl.Decimal(4, 1))
    assert read_survey(decimals, missing_codes=99).data["q1"].isna().tolist() == [False, True]
    assert refused(pl.LazyFrame(data)) == (
        "The data are of type LazyFrame; give a path, a pandas or polars data frame or an Arrow "
        "table (collect a lazy frame first)."
    )
    twice = pa.table([[1], [2]], names=["q", "q"])
    assert refused(twice) == (
        "The data frame has more than one column named 'q'; rename or remove the duplicates."
    )


def test_duplicated_header_names_are_seen_before_pandas_renames_them(tmp_path):
    import pyarrow as pa
    from openpyxl import Workbook
    from pyarrow import parquet

    (tmp_path / "a.csv").write_text("q1,q2,q1\n1,2,3\n4,5,6\n")
    book = Workbook()
    for row in (["q1", "q2", "q1"], [1, 2, 3], [4, 5, 6]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    parquet.write_table(pa.table([[1], [2], [3]], names=["q1", "q2", "q1"]), tmp_path / "a.parquet")
    for name in ("a.csv", "a.xlsx", "a.parquet"):
        assert refused(tmp_path / name) == (
            f"The file {name!r} has more than one column named 'q1'; rename or remove the "
            "duplicates."
        )


def test_wrong_encoding(tmp_path):
    file = tmp_path / "a.csv"
    FRAME.to_csv(file, index=False, encoding="gb18030")
    message = refused(file)
    assert message.startswith(
        "The file 'a.csv' is not UTF-8 (byte 0xc2 in line 1); give its encoding with encoding=, "
        "whichever makes sense: 'gb18030' reads its first such text as '满意', 'big5' reads its "
        "first such text as '雛砩', "
    )
    assert message.endswith(" 'cp1251' reads its first such text as 'ВъТв'; or save it as UTF-8.")
    assert refused(file, encoding="utf-8") == message
    check(read_survey(file, encoding="gb18030"), "a.csv")


def test_wrong_encoding_after_the_header(tmp_path):
    file = tmp_path / "a.csv"
    file.write_bytes(b"q1,name\n" + b"1,a\n" * 20_000 + "2,né\n".encode("latin-1"))
    assert refused(file) == (
        "The file 'a.csv' is not UTF-8 (byte 0xe9 in line 20002); give its encoding with encoding=, "
        "whichever makes sense: 'cp1252' reads its first such text as 'né' and 'cp1251' reads its "
        "first such text as 'nй'; or save it as UTF-8."
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "The file 'a.csv' is empty; it needs a header and one row per respondent."),
        ("q1,q2\n", "The file 'a.csv' has no rows; give one row per respondent."),
        (
            "q1,q2\n1,2\n1,2,3\n",
            "The file 'a.csv' cannot be read as CSV (Error tokenizing data. C error: Expected 2 "
            "fields in line 3, saw 3); every row needs as many fields as the header.",
        ),
        (
            "q1,q2\n1,2,3\n4,5,6\n",
            "The file 'a.csv' has more fields in its rows than names in its header; every column "
            "needs a name.",
        ),
    ],
)
def test_csv_that_is_not_a_table(tmp_path, content, message):
    file = tmp_path / "a.csv"
    file.write_text(content)
    assert refused(file) == message


def test_paths(tmp_path):
    assert refused(tmp_path / "no.csv") == (
        f"There is no file {str(tmp_path / 'no.csv')!r}; check the path."
    )
    assert refused("a.docx") == (
        "The file 'a.docx' is of a kind not known; use .csv, .tsv, .parquet, .xlsx, .sav and .dta, "
        "or pass a data frame."
    )
    (tmp_path / "d.csv").mkdir()
    assert refused(tmp_path / "d.csv") == (
        f"{str(tmp_path / 'd.csv')!r} is a folder; give the file in it."
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.xlsx", "an Excel workbook (.xlsx)"),
        ("a.parquet", "a Parquet file"),
        ("a.sav", "an SPSS file"),
        ("a.dta", "a Stata file"),
    ],
)
def test_damaged_files(tmp_path, name, kind):
    (tmp_path / name).write_bytes(b"not what the name says")
    assert refused(tmp_path / name) == (
        f"The file {name!r} cannot be read as {kind}; it may be damaged or misnamed."
    )


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("a.xlsx", "openpyxl", "excel"),
        ("a.parquet", "pyarrow", "parquet"),
        ("a.sav", "pyreadstat", "spss"),
        ("a.dta", "pyreadstat", "spss"),
    ],
)
def test_optional_packages(tmp_path, monkeypatch, name, package, extra):
    (tmp_path / name).write_bytes(b"")
    real = builtins.__import__

    def without(wanted, *args, **options):
        if wanted.partition(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
        return real(wanted, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    kind = name[1:]
    assert refused(tmp_path / name) == (
        f"Reading {kind} files needs the package {package}; install it with "
        f'pip install "csimodel[{extra}]".'
    )


def test_reading_a_frame_needs_no_optional_package():
    import subprocess

    code = (
        "import sys, pandas as pd\n"
        "before = set(sys.modules)\n"
        "from csimodel.survey import read_survey\n"
        "read_survey(pd.DataFrame({'q': [1, 2]})).answers({'Q': ['q']})\n"
        "heavy = {'narwhals', 'openpyxl', 'pyreadstat', 'scipy', 'statsmodels', 'matplotlib'}\n"
        "assert not heavy & (set(sys.modules) - before)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- small parts of reading, from both sides -----------------------------------------------------


@pytest.mark.parametrize(
    ("values", "last", "told"),
    [
        ([2, 4, 9], 15.0, "sum"),
        ([-2, -4, -9], -15.0, "sum"),
        ([2, np.nan, 4], 6.0, "sum"),
        ([2, 4, 9], 5.0, "mean"),
        ([2, 4, 9], 3.0, "count"),
        ([2, 4, 9], 3.6, "standard deviation"),  # 3.6056, written with one decimal
        ([2, 4, 9], 3.61, "standard deviation"),
        ([2, 4, 9], 3.62, ""),
        ([2, 4, 9], 4.0, ""),
        ([5e8, 5e8 + 1], 1e9 + 2, "sum"),  # a billionth of it is rounding
        ([5e8, 5e8 + 1], 1e9 + 3, ""),
        ([2, np.nan], 2.0, ""),
    ],
)
def test_what_a_last_row_sums_up(values, last, told):
    assert edges._summary(np.array(values, dtype=float), last) == told


@pytest.mark.parametrize(("others", "told"), [([], True), ([77], True), ([77, 78], False)])
def test_a_row_of_totals_sums_up_half_of_the_columns(others, told):
    columns = {f"x{k}": [1.0, 2.0, 4.0, last] for k, last in enumerate(others)}
    frame = pd.DataFrame({"who": ["a", "b", "c", "Total"], "y": [1.0, 2.0, 4.0, 7.0], **columns})
    assert bool(edges._sign_of_totals(frame, False)) == told


def test_the_first_row_of_answers_is_below_names_and_wordings():
    for wordings in ((), (("a",),), (("a",), ("b",))):
        assert edges.TableLayout(2, ("q",), wordings, ()).first == 3 + len(wordings)


@pytest.mark.parametrize(("first", "told"), [("word", False), ("5", False)])
def test_numbers_follow_within_the_last_three_rows(first, told):
    rows = [["q"], [first], ["a"], ["b"], ["c"]]
    assert edges._numbers_follow(rows, 0) == told
    assert edges._numbers_follow([["q"], ["a"], ["5"], ["b"], [""], ["c"]], 0)


@pytest.mark.parametrize(
    ("name", "tidy"),
    [("a  b", "a b"), (" a", "a"), ("a\tb", "a b"), ("Qualite\u0301", "Qualité"), ("a b", "a b")],
)
def test_names_in_one_form(name, tidy):
    assert clean(name) == tidy


@pytest.mark.parametrize(
    ("sign", "usual"),
    [("あ", True), ("가", True), ("中", True), ("國", True), ("é", False), ("龘", False)],
)
def test_usual_signs(sign, usual):
    assert encodings._is_usual(sign) == usual
    assert encodings._usual(f"ab{sign}é") == usual / 2


@pytest.mark.parametrize(
    ("content", "fails"),
    [
        ("a\nbcdefghijk\nl", False),  # in blocks of 4: the line goes on over two of them
        ("a\nbcdefghijklmno\np", True),
        ("abcd\nefghijklmn", False),
        ("abcd\nefghijklmno", True),
    ],
)
def test_a_line_longer_than_the_limit_is_none_of_answers(tmp_path, monkeypatch, content, fails):
    monkeypatch.setattr(encodings, "_BLOCK", 4)
    monkeypatch.setattr(encodings.limits, "LINE_BYTES", 10)
    path = tmp_path / "table.csv"
    path.write_text(content, encoding="utf-8")
    text = encodings._Text()
    if fails:
        with pytest.raises(SurveyError, match=r"has a line of more than 10 characters"):
            encodings._first_wrong(path, "utf-8", text)
    else:
        assert encodings._first_wrong(path, "utf-8", text) is None
        assert text.ascii
