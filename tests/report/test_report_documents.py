"""The report as documents: what they hold, that they run nothing, and that they are the same twice."""

import io
import re
import zipfile

import numpy as np
import pandas as pd
import pytest
from docx import Document
from openpyxl import load_workbook

import csimodel as csi
from csimodel.errors import OptionError
from csimodel.report import documents, tables, write
from csimodel.report.folder import MANIFEST

EVERY = ["html", "docx", "xlsx", "tex"]


@pytest.fixture(scope="module")
def analysis():
    model = csi.Model.from_syntax(
        "Value =~ PERV1 + PERV2\nSatisfaction =~ CUSA1 + CUSA2 + CUSA3\nSatisfaction ~ Value"
    )
    return csi.analyze(csi.load_mobi(), model, draws=60, outcome="CUSL1", progress=False)


@pytest.fixture(scope="module")
def folder(analysis, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    page = csi.write_report(analysis, out, formats=EVERY, title="100 % & more", progress=False)
    assert page == out / "report.html"
    return out


def test_every_format_is_a_file_that_the_page_names(folder):
    names = {path.name for path in folder.iterdir()}
    assert {"report.html", "report.docx", "report.xlsx", "report.tex", "results.json"} <= names
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert all(f"report.{name}" in page for name in EVERY[1:])
    assert "report.docx" in (folder / MANIFEST).read_text(encoding="utf-8")


def test_a_word_document_has_the_sentences_and_tables_of_the_summary(analysis, folder):
    document = Document(folder / "report.docx")
    paragraphs = [paragraph.text for paragraph in document.paragraphs]
    assert paragraphs[0] == "100 % & more"
    page = analysis.page
    for section in page.sections:
        assert section.title in paragraphs
        assert set(section.notes) <= set(paragraphs)
    for mark, sentence in page.marked:
        assert f"{mark}: {sentence}" in paragraphs
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    assert f"{analysis.headline['mean']:.1f}" in cells
    assert not any(set("▁▂▃▄▅▆▇█") & set(cell) for cell in cells)


def test_a_workbook_has_every_table_with_its_numbers(analysis, folder):
    book = load_workbook(folder / "report.xlsx")
    by_name = tables.tables(analysis)
    assert book.sheetnames == list(by_name)
    for name, table in by_name.items():
        rows = list(book[name].iter_rows(values_only=True))
        assert list(rows[0]) == [str(column) for column in table.columns]
        assert len(rows) == len(table) + 1
        for column, own in enumerate(table):
            if pd.api.types.is_float_dtype(table[own]):
                seen = [row[column] for row in rows[1:]]
                kept = table[own].to_numpy()
                assert [value is None for value in seen] == np.isnan(kept).tolist()
                np.testing.assert_allclose(
                    [v for v in seen if v is not None], kept[~np.isnan(kept)]
                )


def test_a_workbook_runs_nothing_and_has_no_infinite_numbers():
    table = pd.DataFrame({"=1+1": ["=2+2", None, "@x"], "value": [np.inf, np.nan, True]})
    book = load_workbook(io.BytesIO(documents._workbook({"a" * 40: table})))
    (sheet,) = book.worksheets
    assert len(sheet.title) == 31
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert [cell.value for cell in cells] == ["=1+1", "value", "=2+2", "∞", "@x", "True"]


def test_latex_is_closed_and_takes_no_text_for_commands(analysis, folder):
    text = (folder / "report.tex").read_text(encoding="utf-8")
    assert r"\section*{100 \% \& more}" in text
    opened = re.findall(r"\\begin\{(\w+)\}", text)
    assert sorted(opened) == sorted(re.findall(r"\\end\{(\w+)\}", text))
    assert opened.count("longtable") == sum(s.grid is not None for s in analysis.page.sections)
    for block in re.findall(r"\\begin\{longtable\}\{(\w+)\}(.*?)\\end", text, re.DOTALL):
        lines = [line for line in block[1].splitlines() if line.endswith(r"\\")]
        assert {len(re.findall(r"(?<!\\)&", line)) for line in lines} == {len(block[0]) - 1}
    bare = re.sub(r"\\[%&#_{}$]|\$[^$]*\$", "", text)
    assert not re.search(r"[#$]|(?<!\\)%", bare)


def test_the_same_analysis_gives_the_same_bytes(analysis, folder, tmp_path):
    csi.write_report(analysis, tmp_path, formats=EVERY, title="100 % & more", progress=False)
    for name in ("report.docx", "report.xlsx", "report.tex"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    with zipfile.ZipFile(folder / "report.xlsx") as file:
        assert {entry.date_time[0] for entry in file.infolist()} == {1980}


def test_without_the_page_the_first_document_is_what_is_returned(analysis, tmp_path):
    target = csi.write_report(analysis, tmp_path, formats=["tex", "docx"], progress=False)
    assert target == tmp_path / "report.tex"
    assert not (tmp_path / "report.html").exists()
    csi.write_report(analysis, tmp_path, progress=False)
    assert (tmp_path / "report.html").exists()
    assert not (tmp_path / "report.tex").exists()  # of an earlier report


def test_a_document_of_somebody_else_is_not_touched(analysis, tmp_path):
    (tmp_path / "report.docx").write_text("mine")
    with pytest.raises(OptionError, match=r"'report\.docx' there is not of an earlier report"):
        csi.write_report(analysis, tmp_path, formats="docx", progress=False)
    assert (tmp_path / "report.docx").read_text() == "mine"
    csi.write_report(analysis, tmp_path, progress=False)


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        ("pdf", "formats='pdf'"),
        ([], "formats="),
        (["html", 3], "formats="),
        (None, "formats=None"),
    ],
)
def test_formats_that_are_not_known_are_refused(analysis, tmp_path, formats, message):
    with pytest.raises(OptionError, match=message):
        csi.write_report(analysis, tmp_path / "out", formats=formats, progress=False)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("name", "package"), [("docx", "python-docx"), ("xlsx", "openpyxl")])
def test_a_package_that_is_not_there_is_named(analysis, tmp_path, monkeypatch, name, package):
    monkeypatch.setitem(__import__("sys").modules, {"docx": "docx", "xlsx": "openpyxl"}[name], None)
    with pytest.raises(OptionError, match=rf"needs the package {package}; install it with pip"):
        csi.write_report(analysis, tmp_path / "out", formats=name, progress=False)


def test_a_mark_stands_before_its_sentence_as_the_language_writes_it(analysis, tmp_path):
    csi.write_report(analysis, tmp_path, formats=["docx", "tex"], language="zh", progress=False)
    with csi.language("zh"):
        ((mark, sentence), *_) = analysis.page.marked
    paragraphs = [own.text for own in Document(tmp_path / "report.docx").paragraphs]
    assert f"{mark}：{sentence}" in paragraphs
    assert rf"\item \textbf{{{mark}}}：" in (tmp_path / "report.tex").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", EVERY)
def test_a_file_of_somebody_else_is_refused_before_the_work_by_format(tmp_path, name):
    (tmp_path / f"report.{name}").write_text("mine")
    with pytest.raises(OptionError, match=rf"'report\.{name}' there is not of an earlier report"):
        write.require_report_folder(tmp_path, [name])
    write.require_report_folder(tmp_path, [other for other in EVERY if other != name])
