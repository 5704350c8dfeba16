"""Readers: each kind of file and frame, and what they say when it cannot be read."""

from __future__ import annotations

import builtins
import sys

import numpy as np
import pandas as pd
import pytest

from csimodel.errors import SurveyError
from csimodel.survey import read_survey

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
