"""Codebooks drafted from data."""

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.findings import collected
from csimodel.survey import drafting

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


LEVELS = ["很不满意", "不满意", "一般", "满意", "很满意"]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_words_become_codes_labels_and_words_for_no_answer(tmp_path, ending):
    """Seven kinds of columns as users have them; what is drafted reads the file again."""
    frame = pd.DataFrame(
        {
            "质量1": [*LEVELS, "不知道"],
            "质量2": ["满意", "满意", "一般", "满意", "非常满意", "很满意"],
            "again": ["Very likely", "unlikely", "very unlikely", "likely", "LIKELY", "likely"],
            "nps": ["10 - surely", "8", "0 - never", "7", "9", "99 - don't know"],
            "q": ["1", "5", "DK", "3", "2", "4"],
            "city": ["北京", "上海", "北京", "上海", "北京", "上海"],
            "yes": ["是", "否", "是", "否", "是", "是"],
        }
    )
    path = tmp_path / f"file.{ending}"
    frame.to_csv(path, index=False) if ending == "csv" else frame.to_excel(path, index=False)
    with collected() as findings:
        book = csi.draft_codebook(path)
    assert list(book.items) == ["质量1", "质量2", "again", "nps", "q"]
    told = {finding.code: finding for finding in findings}
    assert told["wordings-drafted"].subjects == ("质量1", "质量2", "again")
    assert (
        told["wordings-drafted"].values["scales"][0] == "很不满意 < 不满意 < 一般 < 满意 < 很满意"
    )
    assert told["scales-drafted"].subjects == ("nps", "q")
    first, second, _, nps, plain = book.items.values()
    assert (first.minimum, first.maximum, first.missing_words) == (1, 5, ("不知道",))
    assert first.construct == second.construct == "质量"
    assert second.answers == {"很满意": 5}  # another wording of a level that has one
    assert book.value_labels["质量2"][5] == "非常满意"
    # a level that nobody chose is worded as usual; "neither" may be missing from the scale
    assert book.value_labels["again"] == {
        1: "very unlikely", 2: "unlikely", 3: "likely", 4: "Very likely",
    }  # fmt: skip
    assert (nps.minimum, nps.maximum, nps.missing_codes) == (0, 10, (99,))
    assert book.value_labels["nps"] == {0: "never", 10: "surely", 99: "don't know"}
    assert (plain.minimum, plain.maximum, plain.missing_words) == (1, 5, ("DK",))
    again_read = csi.Codebook.from_toml(book.to_toml())
    assert again_read == book
    data = csi.read_survey(path, codebook=again_read).data
    np.testing.assert_array_equal(data["质量1"], [1, 2, 3, 4, 5, np.nan])
    np.testing.assert_array_equal(data["质量2"], [4, 4, 3, 4, 5, 5])
    np.testing.assert_array_equal(data["again"], [4, 2, 1, 3, 3, 3])
    np.testing.assert_array_equal(data["nps"], [10, 8, 0, 7, 9, np.nan])
    np.testing.assert_array_equal(data["q"], [1, 5, np.nan, 3, 2, 4])


def test_seven_levels_are_told_from_five_by_the_words_of_all_columns():
    frame = pd.DataFrame(
        {"a": ["满意", "不满意", "很满意"], "b": ["较满意", "不太满意", "很不满意"]}
    )
    with collected():
        book = csi.draft_codebook(frame)
        alone = csi.draft_codebook(frame[["a"]])
    assert (book.items["a"].maximum, book.items["b"].maximum) == (6, 6)
    assert alone.items["a"].maximum == 4
    assert list(alone.value_labels["a"].values()) == ["很不满意", "不满意", "满意", "很满意"]


@pytest.mark.parametrize(
    "cells",
    [
        ["满意", "不满意", "满意"],  # two levels may be yes and no
        ["satisfied", "very satisfied", "so so"],  # a word that no scale has
        ["12 Main street", "5 Oak lane", "70 Elm street"],
        ["18-25", "26-35", "36-45"],
    ],
)
def test_words_that_are_no_levels_are_left(cells):
    with collected():
        assert not csi.draft_codebook(pd.DataFrame({"a": cells})).items


def test_one_word_for_several_numbers_is_no_label():
    with collected():
        book = csi.draft_codebook(pd.DataFrame({"a": ["1 - point", "3 - point", "5 - point"]}))
    assert book.items["a"].maximum == 5
    assert not book.value_labels.get("a")


@pytest.mark.parametrize(
    ("values", "named", "scale"),
    [
        ([1.0, 2, 3], None, (1, 5)),
        ([1.0, 2.5, 3], None, None),
        ([], None, None),
        ([1.0, 2], None, None),
        ([1.0, 2, 11], None, None),
        ([2.0, 3], (1.0, 4.0), (1, 4)),
        ([0.0, 3], (1.0, 4.0), None),
        ([2.0, 5], (1.0, 4.0), None),
        ([1.0, 2, 3, 9], None, (1, 5)),
    ],
)
def test_scales_by_the_answers_and_the_names(values, named, scale):
    """9 is a code of no answer; a name's scale counts only where all answers lie on it."""
    assert drafting._scale(np.array(values), (9.0,), named) == scale
