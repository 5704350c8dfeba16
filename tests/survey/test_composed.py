"""Items composed of questions of which each respondent is asked one."""

import numpy as np
import pandas as pd
import pytest
from test_datasets import needs_acsi

import csimodel as csi
from csimodel.survey.missing_answers import missing_answers

BOOK = """
[columns]
up = { missing_codes = [98] }
[composed.price]
construct = "Loyalty"
wording = "price tolerance"
scale = [-26, 26]
censored = [26]
missing_codes = [101]
[[composed.price.parts]]
column = "up"
asked = { again = [6, 10] }
[[composed.price.parts]]
column = "down"
sign = -1
asked = { again = [1, 5] }
"""
NAN = np.nan
FRAME = pd.DataFrame(
    {
        "again": [6, 10, 7, 5, 1, 3, NAN, 8, 9],
        "up": [10, 26, 98, NAN, NAN, NAN, NAN, 101, NAN],
        "down": [NAN, NAN, NAN, 5, 26, NAN, NAN, NAN, 4],
    }
)
PRICE = [10, 26, NAN, -5, -26, NAN, NAN, NAN, NAN]


def test_the_answer_to_the_question_asked_with_its_sign():
    survey = csi.read_survey(FRAME, codebook=csi.Codebook.from_toml(BOOK))
    np.testing.assert_array_equal(survey.data["price"], PRICE)
    item = survey.items["price"]
    assert (item.construct, item.wording) == ("Loyalty", "price tolerance")
    assert (item.minimum, item.maximum) == (-26, 26)
    told = {finding.code: finding for finding in survey.findings}
    assert told["item-composed"].values == {
        "item": "price", "columns": ("up", "down"), "asked": 8, "answered": 4,
    }  # fmt: skip
    assert told["answers-censored"].values == {"item": "price", "censored": 2, "answered": 4}
    assert told["answers-outside-rule"].count == 1
    assert told["answers-outside-rule"].severity == "warning"
    missing = missing_answers(survey, ["price"]).loc["price"]
    assert missing.tolist() == [9, 5, 1, 2, 2]  # rows, missing, not asked, coded, empty


def test_a_codebook_writes_it_again():
    book = csi.Codebook.from_toml(BOOK)
    assert csi.Codebook.from_toml(book.to_toml()) == book
    single = BOOK.replace("[1, 5]", "1")
    assert csi.Codebook.from_toml(single).composed["price"].parts[1].lowest == 1
    assert csi.Codebook.from_toml(csi.Codebook.from_toml(single).to_toml()).composed == (
        csi.Codebook.from_toml(single).composed
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[1, 5]", "[1, 6]", "Row 1 was asked two questions of the composed item 'price'"),
        ("sign = -1", "sign = 2", "a part with sign = 2; write 1 or -1"),
        ("sign = -1", "sign = true", "a part with sign = True; write 1 or -1"),
        ("sign = -1", "sing = -1", "unknown key 'sing' (did you mean 'sign'?)"),
        ("asked = { again = [1, 5] }", "", "part asked is None; write keys and values"),
        ("asked = { again = [1, 5] }", "asked = {}", "name the one column by which it is asked"),
        ("{ again = [1, 5] }", "{ again = [5, 1] }", "has the scale [5, 1]"),
        ("{ again = [1, 5] }", "{ agian = [1, 5] }", "'agian'"),
        ("scale = [-26, 26]", "", "has the scale None"),
        ('column = "down"', "", "column is None; write text in quotes"),
        ('column = "down"', 'column = "dwon"', "'dwon'"),
        ("[composed.price]", "[composed.up]", "'up' is a column of the data already"),
        ("censored = [26]", "censord = [26]", "(did you mean 'censored'?)"),
        ("censored = [26]", "censored = 'x'", "give numbers"),
    ],
)
def test_what_cannot_be_is_named(old, new, message):
    text = BOOK.replace(old, new)
    if "composed.up" in new:
        text = text.replace("composed.price", "composed.up")
    with pytest.raises(csi.errors.SurveyError) as caught:
        csi.read_survey(FRAME, codebook=csi.Codebook.from_toml(text, "book"))
    assert message in str(caught.value)


@pytest.mark.parametrize("parts", ["parts = 3", "parts = []", "parts = [1]", ""])
def test_parts_are_a_list_of_questions(parts):
    with pytest.raises(csi.errors.SurveyError):
        csi.Codebook.from_toml(f"[composed.price]\nscale = [0, 1]\n{parts}")


def test_text_where_numbers_belong_is_named():
    with pytest.raises(csi.errors.SurveyError):
        csi.read_survey(
            FRAME.assign(down="much"), codebook=csi.Codebook.from_toml(BOOK)
        )  # fmt: skip


@needs_acsi
def test_price_tolerance_of_acsi():
    acsi = csi.load_acsi2015(missing="pairwise")
    data = acsi.data
    up, down = data["HIGHPTOL"], data["LOWPTOL"]
    by_hand = up.where(up <= 26).fillna(-down.where(down <= 26))
    pd.testing.assert_series_equal(data["TOLERANCE"], by_hand, check_names=False)
    assert data["TOLERANCE"].notna().sum() == 5278 - 422 + 1072 - 180
    told = next(own for own in acsi.findings if own.code == "answers-censored")
    assert told.values["censored"] == 1274 + 490
    missing = missing_answers(acsi, ["TOLERANCE"]).loc["TOLERANCE"]
    assert missing["not_asked"] == data["REPUR"].isna().sum()
    assert missing["coded"] == 1265 + 212 + 422 + 180
    assert missing["empty"] == 0
    fit = csi.fit(csi.models.acsi({"Loyalty": ["REPUR", "TOLERANCE"]}), acsi)
    assert fit.converged
    assert (fit.loadings.loc[["REPUR", "TOLERANCE"], "Loyalty"] > 0.5).all()
