"""Codebooks: the format, what it does to a survey, and its error messages."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from csimodel.errors import SurveyError
from csimodel.survey import Codebook, Item, ReplicateMethod, read_codebook, read_survey

TEXT = """
[survey]
title = "A survey"
doi = "10.1/x"
weights = "w"
cluster = "firm"

[defaults]
scale = [1, 10]
missing_codes = [98, 99]

[items]
q1 = { construct = "Quality", wording = "overall" }
"质量2" = { construct = "质量", scale = [0, 5], missing_codes = [], labels = { 0 = "差", 5 = "好" } }

[items.q3]
reversed = true

[columns]
age = { wording = "age in years", missing_codes = [999] }
firm = { labels = { 1 = "Alpha", 2 = "Beta", other = "Other" } }
"""


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "q1": [1, 99, 10],
            "质量2": [0, 5, 3],
            "q3": [1, 98, 9],
            "age": [20, 98, 999],
            "firm": [1, 2, 2],
            "w": [1.0, 1.0, 2.0],
            "rest": ["a", "b", "c"],
        }
    )


def test_items_with_their_defaults():
    book = Codebook.from_toml(TEXT)
    assert book.items["q1"] == Item("q1", "Quality", "overall", 1, 10, (98, 99))
    assert book.items["质量2"] == Item("质量2", "质量", None, 0, 5)
    assert book.items["q3"].reversed
    assert (book.title, book.doi, book.source) == ("A survey", "10.1/x", None)
    assert book.value_labels == {
        "质量2": {0.0: "差", 5.0: "好"},
        "firm": {1.0: "Alpha", 2.0: "Beta", "other": "Other"},
    }
    assert book.column_labels == {"q1": "overall", "age": "age in years"}


def test_a_codebook_is_applied(frame):
    survey = read_survey(frame, codebook=Codebook.from_toml(TEXT))
    assert (survey.weights, survey.strata, survey.cluster) == ("w", None, "firm")
    np.testing.assert_array_equal(survey.data["q1"], [1, np.nan, 10])
    np.testing.assert_array_equal(survey.data["q3"], [10, np.nan, 2])
    np.testing.assert_array_equal(survey.data["age"], [20, 98, np.nan])
    assert survey.data["rest"].tolist() == ["a", "b", "c"]
    assert survey.blocks == {"Quality": ("q1",), "质量": ("质量2",)}
    assert survey.value_labels["firm"][1] == "Alpha"
    assert [(finding.code, dict(finding.values)) for finding in survey.findings] == [
        ("missing-codes", {"cells": 1, "columns": ("age (1)",)}),
        ("missing-codes", {"cells": 2, "columns": ("q1 (1)", "q3 (1)")}),
        ("reversed", {"items": ("q3",)}),
    ]


def test_options_take_precedence(frame):
    survey = read_survey(
        frame, codebook=Codebook.from_toml(TEXT), scale={"q1": (0, 99)}, missing_codes={"q1": ()}
    )
    assert survey.items["q1"] == Item("q1", "Quality", "overall", 0, 99)
    assert survey.data["q1"].tolist() == [1, 99, 10]


def test_a_codebook_laid_over_a_survey_turns_items_once(frame):
    book = Codebook.from_toml(TEXT)
    survey = read_survey(frame, codebook=book)
    again = read_survey(survey, codebook=book)
    pd.testing.assert_frame_equal(again.data, survey.data)


def test_declared_items_are_checked_at_reading(frame):
    frame["质量2"] = [0, 7, 7]
    with pytest.raises(SurveyError) as caught:
        read_survey(frame, codebook=Codebook.from_toml(TEXT))
    assert str(caught.value) == (
        "Column '质量2' holds 2 values outside its scale 0-5: 7 (2); declare them in missing_codes "
        "or correct the scale."
    )


def test_a_column_of_the_codebook_that_is_not_there(frame):
    with pytest.raises(SurveyError) as caught:
        read_survey(frame.rename(columns={"q1": "q1a"}), codebook=Codebook.from_toml(TEXT))
    assert str(caught.value) == (
        "The codebook names the column 'q1', which is not in the data (did you mean 'q1a'?)."
    )


def test_files(tmp_path, frame):
    file = tmp_path / "码.toml"
    file.write_text(TEXT, encoding="utf-8-sig")
    assert read_codebook(file) == Codebook.from_toml(TEXT)
    assert read_survey(frame, codebook=str(file)).cluster == "firm"
    file.write_bytes(TEXT.encode("gb18030"))
    for path, message in [
        (file, "The codebook '码.toml' is not UTF-8; save it as UTF-8."),
        (tmp_path / "no.toml", f"There is no codebook {str(tmp_path / 'no.toml')!r}; check the path."),
        (tmp_path, f"The codebook {str(tmp_path)!r} is a folder; give a TOML file."),
    ]:  # fmt: skip
        with pytest.raises(SurveyError) as caught:
            read_codebook(path)
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = [", "b.toml is not valid TOML: Invalid value (at end of document)."),
        ("[item]", "b.toml: the file has the unknown section 'item' (did you mean 'items'?)."),
        ("[zzz]", "b.toml: the file has the unknown section 'zzz'; use survey, defaults, items, columns and composed."),
        ("items = 3", "b.toml: section [items] is 3; write keys and values, such as { … = … }."),
        ("[survey]\nwieghts = 'w'", "b.toml: [survey] has the unknown key 'wieghts' (did you mean 'weights'?)."),
        ("[survey]\ntitle = 3", "b.toml: [survey] title is 3; write text in quotes."),
        ("[defaults]\nscales = [1, 2]", "b.toml: [defaults] has the unknown key 'scales' (did you mean 'scale'?)."),
        ("[items]\nq1 = 'Quality'", "b.toml: item 'q1' is 'Quality'; write keys and values, such as { … = … }."),
        ("[items.q1]\nreverse = true", "b.toml: item 'q1' has the unknown key 'reverse' (did you mean 'reversed'?)."),
        ("[items.q1]\nreversed = 'yes'", "b.toml: item 'q1' has reversed = 'yes'; write true or false."),
        ("[items.q1]\nreversed = true", "b.toml: item 'q1' is reversed but has no scale; add scale = [lowest, highest]."),
        ("[items.q1]\nscale = [10, 1]", "b.toml: item 'q1' has the scale [10, 1]; give the lowest and the highest answer, such as (1, 10)."),
        ("[items.q1]\nscale = 10", "b.toml: item 'q1' has the scale 10; give the lowest and the highest answer, such as (1, 10)."),
        ("[items.q1]\nmissing_codes = ['x']", "b.toml: item 'q1' has the missing codes ['x']; give numbers, such as (98, 99)."),
        ("[items.q1]\nmissing = ['DK', '']", "b.toml: item 'q1' has the missing code ''; cells that are empty are missing anyway, so leave it out."),
        ("[items.q1]\nmissing = [true, 'DK']", "b.toml: item 'q1' has the missing codes (True,); give numbers, such as (98, 99)."),
        ("[items.q1]\nanswers = ['good']", "b.toml: item 'q1' has answers = ['good']; give the code of each wording, such as { bad = 1, good = 2 }."),
        ("[items.q1]\nanswers = { good = 'x' }", "b.toml: item 'q1' has answers with 'good' = 'x'; give the code of each wording, a number, such as { bad = 1, good = 2 }."),
        ("[items.q1]\nconstruct = 1", "b.toml: item 'q1' construct is 1; write text in quotes."),
        ("[items.q1]\nlabels = {1 = 2}", "b.toml: item 'q1' label '1' is 2; write text in quotes."),
        ("[items.q1]\n[columns.q1]", "b.toml: column 'q1' is also an item; describe it in one of the two sections."),
        ("[columns.c]\nscale = [1, 2]", "b.toml: column 'c' has the unknown key 'scale'; use wording, missing_codes, labels, missing and answers."),
    ],
)  # fmt: skip
def test_messages(text, message):
    with pytest.raises(SurveyError) as caught:
        Codebook.from_toml(text, "b.toml")
    assert str(caught.value) == message


REPLICATES = """
[survey]
weights = "w"
replicate_weights = "r*"
replicate_method = { scheme = "fay", fay = 0.3, mse = true }
[defaults]
scale = [1, 10]
[items]
q1 = {}
"""


def test_replicate_weights_and_their_method():
    book = Codebook.from_toml(REPLICATES)
    method = ReplicateMethod("fay", fay=0.3, mse=True)
    assert (book.replicate_weights, book.replicate_method) == ("r*", method)
    frame = pd.DataFrame({"q1": [1, 5, 9, 2], "w": 1.0, "r1": [2, 2, 0, 0], "r2": [0, 0, 2, 2]})
    survey = read_survey(frame, codebook=book)
    assert survey.replicate_weights == ("r1", "r2")
    assert survey.replicate_method == method
    other = read_survey(frame, codebook=book, replicate_method="brr")  # options come first
    assert other.replicate_method == ReplicateMethod("brr")
    listed = Codebook.from_toml(
        '[survey]\nreplicate_weights = ["r2", "r1"]\n'
        'replicate_method = { scheme = "jkn", rscales = [0.5, 0.5], combined = false }'
    )
    assert read_survey(frame, codebook=listed).replicate_weights == ("r2", "r1")
    assert listed.replicate_method == ReplicateMethod("jkn", rscales=(0.5, 0.5), combined=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("replicate_weights = 3", "replicate_weights is 3; write text in quotes"),
        ("replicate_weights = [1]", "replicate_weights is 1; write text in quotes"),
        ("replicate_method = 3", "replicate_method is 3; write text in quotes"),
        ("replicate_method = {fay = 0.3}", "replicate_method scheme is None; write text"),
        ("replicate_method = {scheme = 'fey'}", "(did you mean 'fay'?)"),
        ("replicate_method = {scheme = 'fay', fai = 1}", "key 'fai' (did you mean 'fay'?)"),
        ("replicate_method = {scheme = 'fay', fay = 'a'}", "fay='a' must be from 0 to below 1"),
        ("replicate_method = {scheme = 'brr', scale = -1}", "scale=-1 must be a number above 0"),
        ("replicate_method = {scheme = 'brr', rscales = 1}", "rscales = 1; write a list"),
        ("replicate_method = {scheme = 'brr', mse = 1}", "mse = 1; write true or false"),
    ],
)
def test_replicates_that_are_none_are_named(text, message):
    with pytest.raises(SurveyError) as caught:
        Codebook.from_toml(f"[survey]\n{text}", "book.toml")
    assert str(caught.value).startswith("book.toml: [survey] replicate_")
    assert message in str(caught.value)
    assert str(caught.value).endswith(".")
