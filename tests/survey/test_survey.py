"""The survey: what reading changes, what a model gets, and one test per bad input."""

from __future__ import annotations

import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from wordings import row_of

import csimodel as csi
from csimodel.errors import OptionError, SurveyError, suggest
from csimodel.survey import Item, Survey, read_survey

BLOCKS = {"Quality": ["q1", "q2"], "Satisfaction": ["s1"]}


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "q1": [3, 7, 9, 5],
            "q2": [4, 8, 8, 6],
            "s1": [2, 10, 7, 5],
            "w": [1.0, 2.0, 0.5, 1.5],
            "region": ["n", "s", "n", "s"],
            "firm": [30, 10, 10, 20],
        }
    )


def refuses(message: str, call, *args, error=SurveyError, **options) -> None:
    with pytest.raises(error) as caught:
        call(*args, **options)
    assert str(caught.value) == message


def test_bare_frame_gives_answers_in_model_order(frame):
    answers = read_survey(frame).answers({"S": ["s1"], "Q": ["q2", "q1"]})
    assert answers.items == ("s1", "q2", "q1")
    assert answers.values.dtype == np.float64
    np.testing.assert_array_equal(answers.values, frame[["s1", "q2", "q1"]].to_numpy(float))
    np.testing.assert_array_equal(answers.rows, [0, 1, 2, 3])
    assert answers.missing == "complete"
    assert answers.findings == ()
    assert np.isnan(answers.minimum).all()
    assert answers.weights is answers.strata is answers.cluster is None


def test_answers_cannot_be_written_to(frame):
    answers = read_survey(frame[["q1", "q2", "s1"]].astype(float)).answers(BLOCKS)
    with pytest.raises(ValueError, match="read-only"):
        answers.values[0, 0] = 1.0


def test_nothing_written_later_reaches_the_answers(frame):
    items = frame[["q1", "q2", "s1"]].astype(float)
    mine, array = items.copy(), items.to_numpy(copy=True)
    alias = pd.DataFrame(array, columns=items.columns, copy=False)
    survey = read_survey(items)
    every = [read_survey(table).answers(BLOCKS) for table in (mine, alias)]  # surveys gone by now
    every.append(survey.answers(BLOCKS))
    mine.iloc[0, 0] = array[0, 0] = survey.data.iloc[0, 0] = 77
    for answers in every:
        np.testing.assert_array_equal(answers.values[:, 0], [3, 7, 9, 5])
        assert answers.values.flags.c_contiguous or answers.values.flags.f_contiguous


def test_later_changes_of_the_frame_do_not_reach_the_survey(frame):
    survey = read_survey(frame)
    frame.loc[0, "q1"] = 1
    frame["q2"] = 0
    assert survey.data.loc[0, "q1"] == 3
    assert survey.data["q2"].tolist() == [4, 8, 8, 6]


def test_reading_does_not_change_the_frame(frame):
    before = frame.copy(deep=True)
    read_survey(frame, scale=(1, 10), missing_codes=(99,), reverse=["s1"], items=["q1", "q2", "s1"])
    pd.testing.assert_frame_equal(frame, before)


def test_scale_of_all_items_and_of_single_ones(frame):
    survey = read_survey(frame, scale=(1, 10), weights="w", cluster="firm")
    assert list(survey.items) == ["q1", "q2", "s1"]
    low, high = survey.bounds(["q1", "region"])
    np.testing.assert_array_equal(low, [1, np.nan])
    np.testing.assert_array_equal(high, [10, np.nan])
    single = read_survey(frame, scale={"q1": (0, 10)})
    assert single.items == {"q1": Item("q1", minimum=0, maximum=10)}


def test_design_columns_come_as_arrays(frame):
    frame["firm"] = [30, 10, 20, 10]
    survey = read_survey(frame, weights="w", strata="region", cluster="firm")
    answers = survey.answers(BLOCKS)
    np.testing.assert_allclose(answers.weights, [0.8, 1.6, 0.4, 1.2])
    np.testing.assert_array_equal(answers.strata, [0, 1, 0, 1])
    np.testing.assert_array_equal(answers.cluster, [2, 0, 1, 0])
    assert answers.findings == ()


def test_cluster_labels_met_in_several_strata_are_different_clusters(frame):
    answers = read_survey(frame, strata="region", cluster="firm").answers(BLOCKS)
    np.testing.assert_array_equal(answers.cluster, [3, 1, 0, 2])
    (finding,) = answers.findings
    assert (finding.code, finding.severity, finding.count) == ("nested-clusters", "note", 1)
    assert finding.values == {"count": 1, "strata": "region", "cluster": "firm"}
    assert row_of(finding).values["count"] == 1
    frame["firm"] = [1, 1, 2, 2]
    answers = read_survey(frame, strata="region", cluster="firm").answers(BLOCKS)
    assert len(set(answers.cluster)) == 4
    assert answers.findings[0].values == {"count": 2, "strata": "region", "cluster": "firm"}
    assert row_of(answers.findings[0]).values["count"] > 1


@pytest.mark.parametrize("factor", [1e160, 1e-323, 1e308])
def test_weights_of_any_size_come_with_mean_one(frame, factor):
    frame["w"] = np.array([1.0, 1.0, 0.5, 1.5]) * factor
    answers = read_survey(frame, weights="w").answers(BLOCKS)
    assert answers.weights.mean() == pytest.approx(1)
    assert np.isfinite(answers.weights**2).all()
    assert (answers.weights > 0).all()


def test_a_weight_of_no_size_beside_the_largest_counts_as_zero(frame):
    frame["w"] = [1e160, 1e160, 5e-324, 1e160]
    answers = read_survey(frame, weights="w").answers(BLOCKS)
    np.testing.assert_array_equal(answers.rows, [0, 1, 3])
    np.testing.assert_array_equal(answers.weights, [1, 1, 1])
    assert answers.findings[0].code == "weight-dropped"
    assert answers.findings[0].values == {"dropped": 1, "rows": 4, "column": "w"}


def test_rows_without_weight_are_dropped_and_counted(frame):
    frame["w"] = [0.0, 2.0, np.nan, 1.5]
    survey = read_survey(frame, weights="w", strata="region", cluster="firm")
    answers = survey.answers(BLOCKS)
    np.testing.assert_array_equal(answers.rows, [1, 3])
    np.testing.assert_allclose(answers.weights, [8 / 7, 6 / 7])
    np.testing.assert_array_equal(answers.strata, [0, 0])
    np.testing.assert_array_equal(answers.cluster, [0, 1])
    (finding,) = answers.findings
    assert finding.code == "weight-dropped"
    assert finding.count == 2
    assert finding.values == {"dropped": 2, "rows": 4, "column": "w"}


def test_dropping_by_weight_and_by_missing_keeps_rows_and_weights_together(frame):
    frame["w"] = [0.0, 2.0, 0.5, 1.5]
    frame["q1"] = [3.0, np.nan, 9.0, 5.0]
    answers = read_survey(frame, weights="w", missing="listwise").answers(BLOCKS)
    np.testing.assert_array_equal(answers.rows, [2, 3])
    np.testing.assert_allclose(answers.weights, [0.5, 1.5])
    assert [finding.count for finding in answers.findings] == [1, 1]


def test_missing_codes_become_nan_and_are_counted(frame):
    frame.loc[0, "q1"] = 99
    frame.loc[1, "q1"] = 98
    frame.loc[1, "s1"] = 99
    survey = read_survey(frame, scale=(1, 10), missing_codes=(98, 99), items=["q1", "q2", "s1"])
    assert survey.data["q1"].isna().tolist() == [True, True, False, False]
    assert survey.data["q2"].dtype == frame["q2"].dtype
    (finding,) = survey.findings
    assert finding.count == 3
    assert finding.subjects == ("q1", "s1")
    assert finding.code == "missing-codes"
    assert finding.values == {"cells": 3, "columns": ("q1 (2)", "s1 (1)")}
    assert row_of(finding).values["cells"] > 1


@pytest.mark.parametrize(
    "column",
    [
        pd.Categorical([3, 99, 9, 5]),
        pd.Categorical(["3", "99", "9", "5"]),
        pd.Series([3, 99, 9.0, None], dtype=object),
        [Decimal(3), Decimal(99), Decimal(9), Decimal(5)],
        ["3", " 99", "9.0", None],
        pd.array([3, 99, 9, None], dtype="Int64"),
        pd.array(["3", "99", "9", None], dtype="string"),
    ],
    ids=["categorical", "text categorical", "object", "Decimal", "text", "Int64", "string"],
)
def test_options_for_all_items_reach_every_column_of_numbers(frame, column):
    frame["q1"] = column
    frame["region"] = pd.Categorical(frame["region"])
    options = {"scale": (1, 10), "missing_codes": 99}
    survey = read_survey(frame, **options, weights="w", cluster="firm")
    assert list(survey.items) == ["q1", "q2", "s1"]
    assert survey.data["q1"].isna()[1]
    finding = survey.findings[-1]
    assert finding.code == "missing-codes"
    assert finding.values == {"cells": 1, "columns": ("q1 (1)",)}
    assert row_of(finding).values["cells"] == 1
    values = read_survey(survey, missing="pairwise").answers(BLOCKS).values
    np.testing.assert_array_equal(values[:3, 0], [3, np.nan, 9])
    with pytest.raises(SurveyError, match=r"holds 1 value outside its scale 1-10: 99 \(1\)"):
        read_survey(frame, scale=(1, 10), missing="pairwise").answers(BLOCKS)


def test_text_columns_without_a_missing_code_stay_as_they_are(frame):
    frame["firm"] = ["01", "02", "01", "03"]
    survey = read_survey(frame, missing_codes=99)
    assert survey.data["firm"].tolist() == ["01", "02", "01", "03"]
    assert survey.findings == ()


def test_columns_that_are_not_numbers_are_left_alone_by_options_for_all():
    odd = {
        "words": ["a", "b", "c"],
        "mixed": ["1", "2", "n/a"],
        "dates": pd.to_datetime(["2024-01-01"] * 3),
        "lists": [[1], [2, 3], []],
        "complex": np.array([1j, 2, 3]),
        "complex objects": pd.Series([1j, 2, 3], dtype=object),
        "long": pd.Series([10**400, 1, 2], dtype=object),
        "late": ["1"] * 2 + ["x"],
    }
    survey = read_survey(pd.DataFrame({"q1": [1, 2, 99], **odd}), missing_codes=99)
    assert list(survey.items) == ["q1"]
    with pytest.raises(SurveyError, match="'long' holds values that cannot be turned into numbers"):
        survey.answers({"Q": ["long"]})


def test_columns_may_have_any_name():
    frame = pd.DataFrame({"self": [3, 99, 9, 5], "data": [4, 8, 8, 6]})
    survey = read_survey(frame, scale=(1, 10), missing_codes=99, reverse=["self", "data"])
    np.testing.assert_array_equal(survey.data["self"], [8, np.nan, 2, 6])
    np.testing.assert_array_equal(survey.data["data"], [7, 3, 3, 5])
    assert frame["self"].tolist() == [3, 99, 9, 5]


def test_missing_codes_of_a_single_item(frame):
    survey = read_survey(frame, missing_codes={"q1": 9, "s1": (7, 5)})
    assert survey.data["q1"].isna().sum() == 1
    assert survey.data["s1"].isna().sum() == 2
    assert survey.data["q2"].isna().sum() == 0
    assert survey.items["q1"].missing_codes == (9.0,)


def test_reversed_items_are_turned_once_after_missing_codes(frame):
    frame.loc[0, "s1"] = 99
    survey = read_survey(frame, scale=(1, 10), missing_codes=99, reverse="s1")
    np.testing.assert_array_equal(survey.data["s1"], [np.nan, 1, 4, 6])
    assert survey.items["s1"].reversed
    assert survey.items["s1"].maximum == 10
    assert (survey.findings[-1].code, survey.findings[-1].values) == (
        "reversed",
        {"items": ("s1",)},
    )
    again = read_survey(survey, missing="listwise")
    np.testing.assert_array_equal(again.data["s1"], [np.nan, 1, 4, 6])
    refuses(
        "Item 's1' is already turned in this survey; leave it out of reverse.",
        read_survey,
        survey,
        reverse=["s1"],
    )
    refuses(
        "Item 's1' was turned when the survey was read, so its scale, missing codes and direction "
        "cannot change now; read the data again with all options.",
        read_survey,
        survey,
        scale={"s1": (0, 10)},
    )


def test_a_survey_keeps_what_is_not_given_anew(frame):
    survey = read_survey(frame, scale=(1, 10), missing="listwise", weights="w")
    again = read_survey(survey, cluster="firm")
    assert again.missing == "listwise"
    assert again.weights == "w"
    assert again.cluster == "firm"
    assert again.items == survey.items
    assert read_survey(survey, missing="mean").missing == "mean"
    assert read_survey(survey, items=["q1"]).items == survey.items


def test_booleans_nullable_categorical_and_arrow_columns_are_numbers():
    frame = pd.DataFrame(
        {
            "q1": pd.Series([True, False, True]),
            "q2": pd.array([1, None, 3], dtype="Int64"),
            "q3": pd.Categorical([3, 1, 2]),
            "q4": pd.Series([1.5, 2.5, None], dtype="double[pyarrow]"),
            "q5": pd.Series([1, 0, True], dtype=object),
            "q6": np.array([1, 2, 3], dtype=np.uint8),
        }
    )
    answers = read_survey(frame, missing="pairwise").answers({"Q": list(frame.columns)})
    expected = [
        [1, 1, 3, 1.5, 1, 1],
        [0, np.nan, 1, 2.5, 0, 2],
        [1, 3, 2, np.nan, 1, 3],
    ]
    np.testing.assert_array_equal(answers.values, expected)


def test_numbers_stored_as_text_are_read_and_reported():
    frame = pd.DataFrame({"q1": ["3", "99", None], "q2": [1, 2, 3]})
    answers = read_survey(frame, missing="listwise").answers({"Q": ["q1", "q2"]})
    np.testing.assert_array_equal(answers.values, [[3, 1], [99, 2]])
    assert answers.findings[0].code == "text-numbers"
    assert answers.findings[0].values == {"columns": ("q1",)}
    survey = read_survey(frame, items=["q1", "q2"], missing_codes=99)
    assert [finding.code for finding in survey.findings] == ["text-numbers", "missing-codes"]
    np.testing.assert_array_equal(survey.data["q1"], [3, np.nan, np.nan])


def test_chinese_names_work():
    frame = pd.DataFrame({"满意1": [1, 5, 9], "满意2": [2, 4, 8]})
    answers = read_survey(frame, scale=(1, 10)).answers({"满意度": ["满意1", "满意2"]})
    assert answers.items == ("满意1", "满意2")
    refuses(
        "Item '满意3' of construct '满意度' is not a column of the data (did you mean '满意2'?).",
        read_survey(frame).answers,
        {"满意度": ["满意3"]},
    )


def test_survey_is_a_value_that_pickles(frame):
    survey = read_survey(frame, scale=(1, 10), weights="w")
    copy = pickle.loads(pickle.dumps(survey))
    pd.testing.assert_frame_equal(copy.data, survey.data)
    assert copy.items == survey.items
    with pytest.raises(AttributeError):
        survey.weights = "q1"


def test_text_and_html_forms(frame):
    frame = frame.rename(columns={"region": "<b>"})
    survey = read_survey(frame, scale=(1, 10), strata="<b>", items=["q1", "q2"], missing="mean")
    assert repr(survey) == (
        "Survey of 4 rows and 6 columns (frame)\n"
        "======================================\n"
        "items: 2 (q1 and q2)\n"
        "missing: 'mean'; 0 cells empty in the items\n"
        "strata: <b>"
    )
    html = survey._repr_html_()
    assert "&lt;b&gt;" in html
    assert "strata: <b>" not in html
    assert repr(survey.answers({"Q": ["q1"]})) == "Answers: 4 rows × 1 items, complete"


def test_blocks_are_those_of_the_codebook():
    items = {name: Item(name, construct="Q") for name in ("q1", "q2")}
    survey = Survey(pd.DataFrame({"q1": [1], "q2": [2], "z": [3]}), {**items, "z": Item("z")})
    assert survey.blocks == {"Q": ("q1", "q2")}


# Bad input, message by message.


def test_misspelt_item(frame):
    refuses(
        "Item 'Q1' of construct 'Quality' is not a column of the data (did you mean 'q1'?).",
        read_survey(frame).answers,
        {"Quality": ["Q1"]},
    )
    refuses(
        "Item 'zzzz' of construct 'Quality' is not a column of the data.",
        read_survey(frame).answers,
        {"Quality": ["zzzz"]},
    )


def test_names_that_are_not_text(frame):
    refuses(
        "blocks={1: [5]} must be a dict by name with values that are each a name, or several in a "
        "list.",
        read_survey(frame).answers,
        {1: [5]},
        error=OptionError,
    )
    assert suggest(5, [51, "x"]) == " (did you mean 51?)"


def test_no_items(frame):
    refuses(
        "No item was asked for; give blocks such as {'Satisfaction': ['CUSA1', 'CUSA2']}.",
        read_survey(frame).answers,
        {},
    )


def test_missing_cells_under_the_default_policy(frame):
    frame["q1"] = [np.nan, 7, np.nan, 5]
    frame["s1"] = [2, 10, 7, None]
    refuses(
        "3 cells are missing, in q1 (2) and s1 (1), and missing='error' allows none; choose "
        "missing='listwise', 'pairwise', 'mean' or 'construct-minimum' in read_survey.",
        read_survey(frame).answers,
        BLOCKS,
    )


def test_column_all_missing(frame):
    frame["q2"] = np.nan
    for missing in ("error", "listwise", "pairwise", "mean", "construct-minimum"):
        refuses(
            "Column 'q2' has all 4 cells missing; leave the item out of the model or mend the data.",
            read_survey(frame, missing=missing).answers,
            BLOCKS,
        )


def test_constant_column(frame):
    frame["q2"] = 7
    refuses(
        "Column 'q2' has the same value, 7, in every row used; an item without variation carries "
        "no information, so leave it out of the model.",
        read_survey(frame).answers,
        BLOCKS,
    )
    frame["s1"] = 2.5
    refuses(
        "Columns 'q2' and 's1' have the same value, 7 in the first of them, in every row used; an "
        "item without variation carries no information, so leave it out of the model.",
        read_survey(frame).answers,
        BLOCKS,
    )


def test_column_constant_once_rows_are_dropped(frame):
    frame["q1"] = [np.nan, 7, 7, np.nan]
    frame["q2"] = [1, 2, 3, 4]
    refuses(
        "Column 'q1' has the same value, 7, in every row used; an item without variation carries "
        "no information, so leave it out of the model.",
        read_survey(frame, missing="listwise").answers,
        BLOCKS,
    )


def test_text_in_a_column(frame):
    frame["q2"] = ["4", "8", "don't know", "n/a"]
    message = (
        "Column 'q2' holds the text \"don't know\" in row 3 (2 such cells); numbers are needed here, "
        "so recode the text or make the cells empty."
    )
    refuses(message, read_survey(frame).answers, BLOCKS)
    refuses(message, read_survey, frame, items=["q1", "q2"])
    frame["q2"] = pd.Categorical([4, 8, 4, "x"])
    refuses(
        "Column 'q2' holds the text 'x' in row 4 (1 such cell); numbers are needed here, so recode "
        "the text or make the cells empty.",
        read_survey(frame).answers,
        BLOCKS,
    )


def test_dates_in_a_column(frame):
    frame["q2"] = pd.to_datetime(["2024-01-01"] * 4).astype("datetime64[ns]")
    refuses(
        "Column 'q2' holds datetime64[ns] values; numbers are needed here, so leave the column out "
        "or recode it.",
        read_survey(frame).answers,
        BLOCKS,
    )


def test_infinities(frame):
    frame["q2"] = [4, np.inf, -np.inf, 6]
    refuses(
        "Column 'q2' holds 2 infinite values (first in row 2); make such cells empty or mend them.",
        read_survey(frame).answers,
        BLOCKS,
    )
    frame["w"] = [0, 1, 1, 1]
    frame["q2"] = [4, 5, -np.inf, 6]
    refuses(
        "Column 'q2' holds 1 infinite value (first in row 3); make such cells empty or mend them.",
        read_survey(frame, weights="w").answers,
        BLOCKS,
    )


def test_values_outside_the_scale(frame):
    frame["q2"] = [99, 98, 99, 0]
    message = (
        "Column 'q2' holds 4 values outside its scale 1-10: 0 (1), 98 (1) and 99 (2); declare "
        "them in missing_codes or correct the scale."
    )
    refuses(message, read_survey(frame, scale=(1, 10)).answers, BLOCKS)
    refuses(message, read_survey, frame, scale=(1, 10), items=["q1", "q2"])
    assert read_survey(frame, scale=(1, 10)).answers({"Q": ["q1"]}).values.shape == (4, 1)


def test_a_single_row(frame):
    refuses(
        "Only 1 row is left, and a covariance needs at least 2; choose another missing= policy or "
        "give more rows.",
        read_survey(frame.head(1)).answers,
        BLOCKS,
    )


def test_no_row_left(frame):
    frame["q1"] = [1, 2, np.nan, np.nan]
    frame["q2"] = [np.nan, np.nan, 1, 2]
    refuses(
        "No row is left after dropping rows with missing items or without a weight; choose another "
        "missing= policy, such as 'pairwise', or mend the data.",
        read_survey(frame, missing="listwise").answers,
        BLOCKS,
    )


def test_duplicated_column_names(frame):
    frame.columns = ["q1", "q1", "s1", "w", "w", "firm"]
    refuses(
        "The data frame has more than one column named 'q1' and 'w'; rename or remove the "
        "duplicates.",
        read_survey,
        frame,
    )


def test_empty_frames(frame):
    refuses("The data frame has no columns; give one column per item.", read_survey, pd.DataFrame())
    refuses("The data frame has no rows; give one row per respondent.", read_survey, frame.head(0))


def test_column_names_that_are_not_text():
    several = pd.MultiIndex.from_product([["q"], [1, 2]])
    for columns, name in (([0, 1], "0"), (several, "('q', 1)")):
        frame = pd.DataFrame(np.ones((2, 2)), columns=columns)
        refuses(
            f"The data frame has the column name {name}, which is not text; rename the columns, "
            "for instance with frame.columns = list(map(str, frame.columns)).",
            read_survey,
            frame,
        )
        frame.columns = list(map(str, frame.columns))
        assert name in read_survey(frame).data.columns


def test_negative_and_infinite_weights(frame):
    frame["w"] = [1, -2, 1, -3]
    refuses(
        "Weight column 'w' holds 2 negative values (first -2 in row 2); weights must be positive, "
        "or zero to leave a row out.",
        read_survey(frame, weights="w").answers,
        BLOCKS,
    )
    frame["w"] = [1, 1, np.inf, 1]
    refuses(
        "Weight column 'w' holds 1 infinite value (first in row 3); give finite weights, or zero "
        "to leave a row out.",
        read_survey(frame, weights="w").answers,
        BLOCKS,
    )


def test_no_positive_weight(frame):
    frame["w"] = 0
    refuses(
        "Weight column 'w' has no value above 0 in 4 rows, so nobody counts; name the column of "
        "weights, or leave weights= out.",
        read_survey(frame, weights="w").answers,
        BLOCKS,
    )


def test_missing_stratum_and_cluster(frame):
    frame["region"] = ["n", None, "n", None]
    refuses(
        "Column 'region', given as strata, has 2 missing cells; fill them, or drop those rows "
        "before reading.",
        read_survey(frame, strata="region").answers,
        BLOCKS,
    )
    frame["firm"] = [1, 2, np.nan, 2]
    refuses(
        "Column 'firm', given as cluster, has 1 missing cell; fill them, or drop those rows "
        "before reading.",
        read_survey(frame, cluster="firm").answers,
        BLOCKS,
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": "W"}, "weights names the column 'W', which is not in the data (did you mean 'w'?)."),
        ({"strata": "regio"}, "strata names the column 'regio', which is not in the data (did you mean 'region'?)."),
        ({"cluster": "xyz"}, "cluster names the column 'xyz', which is not in the data."),
        ({"items": ["q11"]}, "items names the column 'q11', which is not in the data (did you mean 'q1'?)."),
        ({"scale": {"q9x": (1, 2)}}, "scale names the column 'q9x', which is not in the data."),
        ({"missing_codes": {"frm": 9}}, "missing_codes names the column 'frm', which is not in the data (did you mean 'firm'?)."),
        ({"reverse": ["s11"]}, "reverse names the column 's11', which is not in the data (did you mean 's1'?)."),
        ({"reverse": ["s1"]}, "Item 's1' is to be turned but its scale is not known; give scale=(lowest, highest)."),
        ({"weights": pd.Series([1.0, 2.0])}, "weights must be the name of a column, such as 'q1', not a Series."),
        ({"weights": 5}, "weights must be the name of a column, such as 'q1', not an int."),
        ({"strata": ["region"]}, "strata must be the name of a column, such as 'q1', not a list."),
        ({"cluster": ""}, "cluster names the column '', which is not in the data."),
        ({"missing_codes": {5: 9}}, "missing_codes must be the name of a column, such as 'q1', not an int."),
        ({"items": "q1"}, "items='q1' is one text; give a list of names, such as ['q1']."),
        ({"scale": (10, 1)}, "The option scale has the scale (10, 1); give the lowest and the highest answer, such as (1, 10)."),
        ({"scale": {"q1": 5}}, "The option scale for 'q1' has the scale 5; give the lowest and the highest answer, such as (1, 10)."),
        ({"missing_codes": (None,)}, "The option missing_codes has the missing codes (None,); give numbers, such as (98, 99)."),
    ],
)  # fmt: skip
def test_options_that_name_what_is_not_there(frame, options, message):
    refuses(message, read_survey, frame, **options)


def test_unknown_policy(frame):
    refuses(
        "missing='pairwize' is not known (did you mean 'pairwise'?); use one of 'error', "
        "'listwise', 'pairwise', 'mean', 'construct-minimum'.",
        read_survey,
        frame,
        missing="pairwize",
        error=OptionError,
    )


def test_data_of_an_unknown_type():
    refuses(
        "The data are of type list; give a path, a pandas or polars data frame or an Arrow table "
        "(collect a lazy frame first).",
        read_survey,
        [[1, 2]],
    )


def test_codes_for_no_answer_that_nobody_declared_are_suspected(mobi, ecsi):
    data = mobi.data.astype(float)
    data.iloc[3:7, 0] = 99
    data.iloc[9, 3], data.iloc[2, 8] = 98, -9
    (found,) = [
        finding
        for finding in csi.fit(ecsi, data).diagnostics
        if finding.code == "suspected-missing-codes"
    ]
    assert found.values == {
        "codes": "-9, 98, 99", "columns": ("CUEX1 (4)", "CUSA1 (1)", "CUSL2 (1)"), "given": "(-9, 98, 99)",
    }  # fmt: skip
    assert found.count == 6


def test_percentages_and_scores_below_zero_are_not_suspected(mobi, ecsi):
    percent = mobi.data * 9.9
    percent.iloc[0, 0] = 99
    assert csi.fit(ecsi, percent).diagnostics == ()
    standard = (mobi.data - mobi.data.mean()) / mobi.data.std()
    standard.iloc[0, 0] = -9
    assert "suspected-missing-codes" not in {f.code for f in csi.fit(ecsi, standard).diagnostics}
