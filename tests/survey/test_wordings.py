"""Answers in words and words for no answer, read as a codebook says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import SurveyError
from csimodel.survey import Codebook, Item
from csimodel.survey.missing_answers import missing_answers

BOOK = Codebook.from_toml(
    """
    [defaults]
    scale = [1, 10]
    missing = ["Blank", "DK"]
    [items]
    q1 = { labels = { 1 = "very bad", 10 = "very good" }, answers = { "非常满意" = 10, good = 8 } }
    q2 = {}
    q3 = { missing_codes = [99] }
    [columns]
    again = { answers = { yes = 1, no = 0 } }
    income = { missing = ["refused"] }
    """
)
FRAME = pd.DataFrame(
    {
        "q1": ["8 - Good", "VERY GOOD", "非常满意", "Blank", "3"],
        "q2": ["10非常满意", "7", "dk", "非常满意（9）", "1 = bad"],
        "q3": [1, 2, 99, 4, 5],
        "again": ["Yes", "no", None, "yes", "NO"],
        "income": ["1,200", "1300.5", "refused", "2000", "4"],
    }
)
NUMBERS = pd.DataFrame(
    {
        "q1": [8, 10, 10, np.nan, 3],
        "q2": [10, 7, np.nan, 9, 1],
        "q3": [1, 2, np.nan, 4, 5],
        "again": [1, 0, np.nan, 1, 0],
        "income": [1200, 1300.5, np.nan, 2000, 4],
    }
)


def refusal(frame: pd.DataFrame, **options: object) -> str:
    with pytest.raises(SurveyError) as caught:
        csi.read_survey(frame, **options)
    return str(caught.value)


def values_of(survey: csi.Survey, code: str) -> list[dict[str, object]]:
    return [dict(own.values) for own in survey.findings if own.code == code]


@pytest.mark.parametrize(
    "typed",
    [
        lambda frame: frame,
        lambda frame: frame.astype({"q1": "category", "again": "category"}),
        lambda frame: frame.convert_dtypes(),
        lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
        lambda frame: frame.set_axis([7, 7, 1, 1, 1], axis=0),
    ],
)
def test_words_become_the_codes_of_the_codebook(typed):
    frame = typed(FRAME)
    survey = csi.read_survey(frame, codebook=BOOK)
    expected = NUMBERS.set_axis(frame.index, axis=0)
    pd.testing.assert_frame_equal(survey.data.astype(float), expected)
    recoded, of_items = values_of(survey, "answers-recoded")
    assert (recoded["cells"], of_items["cells"]) == (4, 6)
    assert of_items["columns"] == ("q1 (3)", "q2 (3)")
    assert "'10非常满意' is 10" in of_items["wordings"]
    assert [own["columns"] for own in values_of(survey, "missing-words")] == [
        ("income (1)",),
        ("q1 (1)", "q2 (1)"),
    ]
    coded = missing_answers(survey, ["q1", "q2", "q3"])["coded"]
    assert coded.tolist() == [1, 1, 1]


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_files_with_words_are_read_as_the_frame(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    {"csv": FRAME.to_csv, "xlsx": FRAME.to_excel, "parquet": FRAME.to_parquet}[ending](
        path, index=False
    )
    survey = csi.read_survey(path, codebook=BOOK)
    pd.testing.assert_frame_equal(survey.data.astype(float), NUMBERS)


def test_a_survey_that_was_read_takes_the_codebook_later():
    survey = csi.read_survey(csi.read_survey(FRAME), codebook=BOOK)
    pd.testing.assert_frame_equal(survey.data.astype(float), NUMBERS)
    again = csi.read_survey(survey, codebook=BOOK)
    pd.testing.assert_frame_equal(again.data, survey.data)
    assert again.findings == survey.findings


@pytest.mark.parametrize(
    "section",
    [
        "[items.q]\nscale = [1, 5]\nlabels = { 1 = 'Not AT  all', 5 = 'VERY' }",
        "[items.q]\nscale = [1, 5]\nanswers = { 'Not AT  all' = 1, 'VERY' = 5 }",
        "[columns.q]\nanswers = { 'Not AT  all' = 1, 'VERY' = 5 }",
    ],
)
def test_wordings_are_named_as_the_codebook_writes_them(section):
    frame = pd.DataFrame({"q": ["verry", "not at all"]})
    message = r"mean 'VERY'\?.* known are 'Not AT  all' and 'VERY'; give the code"
    with pytest.raises(SurveyError, match=message):
        csi.read_survey(frame, codebook=Codebook.from_toml(section))
    if "items" in section:
        frame = pd.DataFrame({"q": ["4 - very", "not at all"]})
        with pytest.raises(SurveyError, match=r"codebook gives 'VERY' the code 5, not 4;"):
            csi.read_survey(frame, codebook=Codebook.from_toml(section))


def test_worded_answers_are_turned_after_they_are_coded():
    book = Codebook.from_toml(
        "[items.q]\nscale = [1, 5]\nreversed = true\nlabels = { 1 = 'never', 5 = 'always' }"
    )
    survey = csi.read_survey(pd.DataFrame({"q": ["never", "Always", "2"]}), codebook=book)
    assert survey.data["q"].tolist() == [5, 1, 4]


def test_decimal_commas_stand_beside_words():
    frame = pd.DataFrame({"spend": ["3,5", "DK", "1,25"]})
    book = Codebook.from_toml("[columns.spend]\nmissing = ['DK']")
    assert csi.read_survey(frame, codebook=book).data["spend"].tolist()[::2] == [3.5, 1.25]


def test_labels_of_a_column_that_is_no_item_stay():
    book = Codebook.from_toml("[columns.firm]\nlabels = { 1 = 'Alba' }\nmissing = ['none']")
    survey = csi.read_survey(pd.DataFrame({"firm": ["Alba", "none", "9 to 5"]}), codebook=book)
    assert survey.data["firm"].tolist()[::2] == ["Alba", "9 to 5"]
    assert survey.data["firm"].isna().sum() == 1


def test_the_way_a_questionnaire_words_no_answer_is_the_missing_code():
    book = Codebook.from_toml("[items.q]\nscale = [1, 5]\nmissing_codes = [99]")
    frame = pd.DataFrame({"q": ["No answer", "未回答", "4"]})
    survey = csi.read_survey(frame, codebook=book)
    assert survey.data["q"].isna().tolist() == [True, True, False]
    assert survey.coded["q"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"q1": ["goood", "1", "goood", "zz", "2"]},
            "Column 'q1' holds 'goood' in row 1 (did you mean 'good'?) and 'zz' in row 4 (3 cells),"
            " whose code is not known; known are 'very bad', 'very good', '非常满意' and 'good'; "
            "give the code in the codebook, as in answers = { 'goood' = 1 }, or, if it is no "
            "answer, missing = ['goood'].",
        ),
        (
            {"q1": ["7 - good", "1", "2", "3", "4"]},
            "Column 'q1' holds '7 - good', and the codebook gives 'good' the code 8, not 7; "
            "correct one of the two.",
        ),
        (
            {"q2": ["8 - x", "11 - good", "1", "1-3 times", "12 - y"]},
            "Column 'q2' holds '11 - good' in row 2, '1-3 times' in row 4 and '12 - y' in row 5 (3 "
            "cells), whose code is not known; known are those that begin or end with a number of "
            "the scale; give the code in the codebook, as in answers = { '11 - good' = 1 }, or, if "
            "it is no answer, missing = ['11 - good'].",
        ),
        (
            {"q2": ["a", "b", "1", "2", "3"]},
            "Column 'q2' holds the text 'a' in row 1 (2 such cells); numbers are needed here, so "
            "recode the text or make the cells empty.",
        ),
        (
            {"again": ["yes", "maybe", "no", "no", "no"]},
            "Column 'again' holds 'maybe' in row 2 (1 cell), whose code is not known; known are "
            "'yes' and 'no'; give the code in the codebook, as in answers = { 'maybe' = 1 }, or, "
            "if it is no answer, missing = ['maybe'].",
        ),
    ],
)
def test_wordings_that_are_not_known(changes, message):
    assert refusal(FRAME.assign(**changes), codebook=BOOK) == message


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            "labels = { 1 = 'bad', 2 = 'Bad' }",
            "The codebook labels the codes 1 and 2 of 'q' both 'Bad'; say which is meant, as in "
            "answers = { 'Bad' = 2 }.",
        ),
        (
            "answers = { bad = 1, BAD = 2 }",
            "The codebook gives 'BAD' of 'q' the codes 1 and 2; keep one of the two.",
        ),
        (
            "answers = { dk = 1 }\nmissing = ['DK']",
            "'DK' of 'q' has the code 1, and is named as missing; keep one of the two.",
        ),
    ],
)
def test_wordings_that_mean_two_things(entry, message):
    book = Codebook.from_toml(f"[items.q]\nscale = [1, 5]\n{entry}")
    assert refusal(pd.DataFrame({"q": ["bad", "3"]}), codebook=book) == message


def test_labels_of_both_codes_are_settled_by_answers():
    book = Codebook.from_toml(
        "[items.q]\nscale = [1, 5]\nlabels = { 1 = 'bad', 2 = 'Bad' }\nanswers = { bad = 2 }"
    )
    survey = csi.read_survey(pd.DataFrame({"q": ["bad", "3"]}), codebook=book)
    assert survey.data["q"].tolist() == [2, 3]


def test_missing_words_as_an_option():
    frame = pd.DataFrame({"a": ["1", "Blank", "3"], "b": ["x", "Blank", "z"], "c": [1, 2, 3]})
    everywhere = csi.read_survey(frame, missing_codes="Blank")
    assert everywhere.data["a"].isna().tolist() == [False, True, False]
    assert everywhere.data["b"].tolist() == ["x", "Blank", "z"]  # a column of labels
    both = csi.read_survey(frame.replace("3", "99"), missing_codes=(99, "blank"), scale=(1, 10))
    assert both.data["a"].isna().tolist() == [False, True, True]
    assert both.items["a"].missing_words == ("blank",)
    own = csi.read_survey(frame, missing_codes={"b": "Blank"})
    assert own.data["b"].isna().tolist() == [False, True, False]
    assert own.data["a"].tolist() == ["1", "Blank", "3"]
    named = csi.read_survey(frame, items=["a"], missing_codes=["Blank", "0"], scale=(1, 10))
    assert named.data["c"].tolist() == [1, 2, 3]
    assert named.items["a"].missing_codes == (0.0,)


def test_items_given_as_values_have_wordings():
    item = Item("q", minimum=1, maximum=5, answers={"fine": 5}, missing_words=("?",))
    survey = csi.read_survey(pd.DataFrame({"q": ["fine", "?", "2"]}), items=[item])
    assert survey.data["q"].tolist()[::2] == [5, 2]


def test_a_codebook_with_wordings_goes_to_text_and_back():
    assert Codebook.from_toml(BOOK.to_toml()) == BOOK


def test_a_scan_refuses_words(tmp_path):
    FRAME[["q1", "q2"]].to_csv(tmp_path / "a.csv", index=False)
    book = Codebook(items={name: BOOK.items[name] for name in ("q1", "q2")})
    with pytest.raises(SurveyError) as caught:
        csi.scan(tmp_path / "a.csv", codebook=book)
    assert str(caught.value) == (
        "A scan reads numbers, and the codebook or missing_codes gives words for 'q1', which holds "
        "text; read it with csi.read_survey, which turns words into codes."
    )
