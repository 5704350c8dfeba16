"""Missing answers: every policy, counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from csimodel.errors import OptionError
from csimodel.survey import ConstructMinimum, read_survey

BLOCKS = {"Q": ["q1", "q2", "q3"], "S": ["s1"]}
NA = np.nan


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "q1": [1.0, NA, 9.0, 4.0, NA, 5.0],
            "q2": [3.0, 4.0, NA, NA, NA, 6.0],
            "q3": [2.0, 6.0, 3.0, NA, NA, 7.0],
            "s1": [5.0, 6.0, 7.0, 8.0, NA, NA],
        }
    )


def test_listwise_keeps_complete_rows(frame):
    frame.loc[5, "s1"] = 1.0
    answers = read_survey(frame, missing="listwise").answers(BLOCKS)
    np.testing.assert_array_equal(answers.rows, [0, 5])
    assert answers.missing == "complete"
    (finding,) = answers.findings
    assert (finding.code, finding.count) == ("rows-dropped", 4)
    assert finding.values == {
        "dropped": 4, "rows": 6, "items": ("q1 (2)", "q2 (3)", "q3 (2)", "s1 (1)"),
    }  # fmt: skip


def test_listwise_looks_at_the_items_of_the_model_only(frame):
    answers = read_survey(frame, missing="listwise").answers({"Q": ["q1"]})
    np.testing.assert_array_equal(answers.rows, [0, 2, 3, 5])


@pytest.mark.parametrize(
    ("policy", "code"), [("pairwise", "cells-missing"), ("mean", "cells-filled")]
)
def test_pairwise_and_mean_keep_the_gaps_for_the_moments(frame, policy, code):
    answers = read_survey(frame, missing=policy).answers(BLOCKS)
    np.testing.assert_array_equal(answers.rows, [0, 1, 2, 3, 5])
    assert answers.missing == policy
    assert np.isnan(answers.values).sum() == 5
    empty, cells = answers.findings
    assert (empty.code, empty.subjects) == ("rows-dropped", ())
    assert empty.values == {"dropped": 1, "rows": 6}
    assert (cells.code, cells.count) == (code, 5)
    assert cells.values == {"cells": 5, "items": ("q1 (1)", "q2 (2)", "q3 (1)", "s1 (1)")}


@pytest.mark.parametrize("policy", ["listwise", "pairwise", "mean", "construct-minimum"])
def test_every_policy_is_silent_on_complete_data(frame, policy):
    complete = pd.concat([frame.head(1), frame.head(1) + 1])
    answers = read_survey(complete, missing=policy).answers(BLOCKS)
    assert answers.missing == "complete"
    assert answers.findings == ()


def test_rows_empty_in_all_items_alone_leave_complete_data():
    frame = pd.DataFrame({"q1": [1, NA, 3], "q2": [4, NA, 2]})
    answers = read_survey(frame, missing="pairwise").answers({"Q": ["q1", "q2"]})
    assert answers.missing == "complete"
    np.testing.assert_array_equal(answers.rows, [0, 2])


def test_half_of_each_construct_is_filled_with_the_persons_mean(frame):
    answers = read_survey(frame, missing="construct-minimum").answers(BLOCKS)
    np.testing.assert_array_equal(answers.rows, [0, 1, 2])
    np.testing.assert_array_equal(answers.values, [[1, 3, 2, 5], [5, 4, 6, 6], [9, 6, 3, 7]])
    assert answers.missing == "complete"
    rows, cells = answers.findings
    assert (rows.code, rows.count, rows.subjects) == ("rows-dropped", 3, ("Q", "S"))
    assert rows.values == {"dropped": 3, "rows": 6, "constructs": ("Q", "S")}
    assert (cells.code, cells.count) == ("cells-filled", 2)
    assert cells.values == {"cells": 2, "items": ("q1 (1)", "q2 (1)")}


def test_number_of_answers_asked_for(frame):
    one = read_survey(frame, missing=ConstructMinimum(answered=1)).answers(BLOCKS)
    np.testing.assert_array_equal(one.rows, [0, 1, 2, 3])
    np.testing.assert_array_equal(one.values[3], [4, 4, 4, 8])
    three = read_survey(frame.assign(s1=range(6)), missing=ConstructMinimum(answered=3))
    np.testing.assert_array_equal(three.answers(BLOCKS).rows, [0, 5])


def test_filling_respects_scales_that_differ():
    frame = pd.DataFrame({"q1": [1.0, 5.0, NA], "q2": [0.0, 50.0, 100.0], "q3": [2, 8, 5.5]})
    scale = {"q1": (1, 5), "q2": (0, 100), "q3": (1, 10)}
    survey = read_survey(frame, scale=scale, missing=ConstructMinimum(answered=2))
    answers = survey.answers({"Q": ["q1", "q2", "q3"]})
    assert answers.values[2, 0] == pytest.approx(1 + (1.0 + 0.5) / 2 * 4)


def test_answered_must_be_a_positive_whole_number():
    for value in (0, -1, 1.5, True, "2"):
        with pytest.raises(OptionError) as caught:
            ConstructMinimum(answered=value)
        assert str(caught.value) == (
            f"answered={value!r} is not allowed in ConstructMinimum; give a whole number of at "
            "least 1, or None for half of each construct's items."
        )


@pytest.mark.parametrize(
    ("answered", "needed"), [(None, [1, 1, 2, 2, 3, 3]), (1, [1] * 6), (3, [1, 2, 3, 3, 3, 3])]
)
def test_answers_needed_of_a_construct_of_one_to_six_items(answered, needed):
    policy = ConstructMinimum(answered=answered)
    assert [policy.needed(items) for items in range(1, 7)] == needed
