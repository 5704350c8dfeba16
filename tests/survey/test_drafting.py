"""Codebooks drafted from data."""

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.findings import collected

FRAME = pd.DataFrame(
    {
        "SAT1": [1, 5, 3, 99, 4], "SAT2": [2, 5, 3, 1, 4], "image": [1, 7, 3, 6, 2],
        "income": [1200.5, 900, 3000, 100, 2500], "sex": [1, 2, 1, 2, 1], "city": list("abcab"),
        "empty": np.nan,
    }
)  # fmt: skip


def test_answers_suggest_scales_missing_codes_and_constructs():
    with collected() as findings:
        book = csi.draft_codebook(FRAME)
    assert list(book.items) == ["SAT1", "SAT2", "image"]
    first = book.items["SAT1"]
    assert (first.minimum, first.maximum, first.missing_codes) == (1, 5, (99,))
    assert (book.items["image"].maximum, book.items["image"].construct) == (7, None)
    assert first.construct == "SAT"
    assert [finding.code for finding in findings] == ["scales-drafted"]
    assert findings[0].subjects == ("SAT1", "SAT2", "image")
    assert csi.Codebook.from_toml(book.to_toml()) == book
    survey = csi.read_survey(FRAME, codebook=book)
    assert survey.data["SAT1"].isna().sum() == 1


@pytest.mark.parametrize("ending", ["sav", "dta"])
def test_labels_of_a_file_become_wordings_scales_and_missing_codes(tmp_path, ending):
    pyreadstat = pytest.importorskip("pyreadstat")
    path = tmp_path / f"file.{ending}"
    frame = pd.DataFrame({"q1": [1.0, 2.0, 4.0, 9.0], "q2": [3.0, 2.0, 5.0, 1.0]})
    labels = {1: "很不满意", 2: "不满意", 3: "一般", 4: "满意", 5: "很满意", 9: "不知道"}
    write = pyreadstat.write_sav if ending == "sav" else pyreadstat.write_dta
    write(
        frame, str(path), column_labels=["Overall", "Again"], variable_value_labels={"q1": labels}
    )
    with collected() as findings:
        book = csi.draft_codebook(path)
    item = book.items["q1"]
    assert (item.wording, item.minimum, item.maximum, item.missing_codes) == (
        "Overall", 1, 5, (9,),
    )  # fmt: skip
    assert book.value_labels["q1"][4.0] == "满意"
    assert findings[0].subjects == ("q2",)
    again = csi.Codebook.from_toml(book.to_toml())
    assert again.items == book.items
    survey = csi.read_survey(path, codebook=again)
    assert survey.data["q1"].isna().sum() == 1


def test_what_is_known_stays():
    mobi = csi.load_mobi()
    with collected() as findings:
        book = csi.draft_codebook(mobi)
    assert book.items == mobi.items
    assert findings == []


@pytest.mark.parametrize(
    ("data", "message"),
    [("nowhere.sav", "nowhere.sav"), (None, "data"), (pd.DataFrame(), "no columns")],
)
def test_data_that_cannot_be_read_are_refused(data, message):
    with pytest.raises(csi.CsimodelError, match=message):
        csi.draft_codebook(data)
