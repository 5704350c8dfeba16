"""Tables that a spreadsheet opens and names that no file can hold: read back as they were."""

import csv
import io
import json
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.characters import encodable, printable
from csimodel.report import provenance
from csimodel.report.spreadsheet import spreadsheet

PLAIN = ["a,b", 'say "no"', "two\nlines", "a\r=1+1", "a\r\n=1+1", "a;b", "-", "-12 %", " padded "]
RUN = [
    "=1+1", "+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠x", "﹦1", "⁼1",
    " =1", "\xa0=1", "\u200b=1", "\ufeff=1", "\u2028=1", "-12 %", "-",
]  # fmt: skip


def cells(text):
    """Read a file as a spreadsheet does."""
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline=""), strict=True))


@pytest.mark.parametrize("value", sorted({*PLAIN, *RUN}))
@pytest.mark.parametrize("where", ["cell", "head"])
def test_text_stays_in_its_cell_and_runs_nothing(value, where):
    table = pd.DataFrame({"first": [1.5, 2.0], "text": [value, "plain"], "last": [3, 4]})
    if where == "head":
        table = table.rename(columns={"text": value})
    read = cells(spreadsheet(table))
    assert [len(row) for row in read] == [3, 3, 3]
    found = read[0][1] if where == "head" else read[1][1]
    assert found == ("'" + value if value in RUN else value)
    assert read[2] == ["2", "plain", "4"]
    again = pd.read_csv(io.StringIO(spreadsheet(table)[1:], newline=""), dtype=str)
    assert again.shape == (2, 3)
    assert (again.columns[1] if where == "head" else again.iloc[0, 1]) == found


def test_numbers_keep_ten_digits_and_gaps_are_empty():
    table = pd.DataFrame(
        {
            "x": [1 / 3, np.nan, -np.inf],
            "n": pd.array([1, None, 3], dtype="Int64"),
            "b": [True, False, True],
            "o": [None, 1e-20, "x"],
        }
    )
    assert cells(spreadsheet(table))[1:] == [
        ["0.3333333333", "1", "True", ""],
        ["", "", "False", "1e-20"],
        ["-inf", "3", "True", "x"],
    ]


def test_no_cell_holds_what_a_file_cannot():
    read = cells(spreadsheet(pd.DataFrame({"x": ["a\0b", "\x1b[31m", "\ufffe"]})))
    assert [row[0] for row in read[1:]] == ["a�b", "�[31m", "�"]


@pytest.mark.parametrize("text", ["満意 ‏עברית", "می‌خواهم", "👩‍💻", "a\tb\nc", "e\u0301"])
def test_scripts_and_breaks_of_line_are_printable(text):
    assert printable(text) == encodable(text) == text


NAMES = {
    "break": "overall\nquality",
    "quotes": "5\" o'clock",
    "null": "a\0b",
    "escape": "\x1b[31mred",
    "reordered": "x\u202egnp.exe",
    "no character": "x\uffff",
    "markup": "</svg>--><script>",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_a_report_with_odd_names_is_written_and_reads_back(name, tmp_path):
    columns = pd.Index([name if one == "PERQ1" else one for one in csi.load_mobi().data])
    data = csi.load_mobi().data.set_axis(columns, axis=1).assign(firm=[name, "b"] * 125)
    survey = csi.read_survey(data)
    item = survey.data.columns[columns.get_loc(name)]  # as the survey reads it
    model = csi.Model(
        [csi.reflective("Q " + name, [item, "PERQ2"]), csi.reflective("S", ["CUSA1", "CUSA2"])],
        [("Q " + name, "S")],
    )
    survey = csi.read_survey(survey.data, scale=dict.fromkeys(model.items, (1, 10)))
    found = csi.analyze(survey, model, target="S", draws=25, by="firm", progress=False)
    csi.write_report(found, tmp_path, title=name + "\udce9", date="caf\udce9", progress=False)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<title>" + printable(name)[:3].replace("<", "&lt;") in page.replace("&#34;", '"')
    assert printable(page) == page
    for svg in tmp_path.glob("figures/*.svg"):
        ET.fromstring(svg.read_bytes())
    facts = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert facts["tables"]["items"][0]["item"] == item
    table = pd.read_csv(tmp_path / "tables" / "items.csv", encoding="utf-8-sig")
    assert table["item"].tolist()[0] == printable(item)
    found.summary().encode()
    space = {}
    exec(
        "import csimodel as csi\nmodel = " + provenance._model(model).replace("...", "None"), space
    )
    assert space["model"] == model


def test_a_name_with_half_a_character_is_refused_at_once():
    with pytest.raises(csi.errors.ModelError, match="has half a character in it"):
        csi.reflective("caf\udce9", ["a", "b"])
