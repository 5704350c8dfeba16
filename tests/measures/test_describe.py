"""The description of a survey against R's psych; patterns of careless answers; refusals."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.findings import collected

R = json.loads((Path(__file__).parents[1] / "reference" / "mobi_items.json").read_text())[
    "describe"
]
MOBI = csi.load_mobi()


def codes(description):
    return {finding.code: finding for finding in description.findings}


def test_moments_are_those_of_psych():
    items = csi.describe(MOBI).items.loc[R["item"]]
    assert items["mean"].to_numpy() == pytest.approx(R["mean"], abs=1e-12)
    assert items["sd"].to_numpy() == pytest.approx(R["sd"], abs=1e-12)
    assert items["skewness"].to_numpy() == pytest.approx(R["skew"], abs=1e-10)
    assert items["kurtosis"].to_numpy() == pytest.approx(R["kurtosis"], abs=1e-10)
    se = MOBI.data["CUSA1"].std() / np.sqrt(250)
    assert items.loc["CUSA1", "se"] == pytest.approx(se, rel=1e-12)
    assert items.loc["CUSA1", "ceiling"] == (MOBI.data["CUSA1"] == 10).mean()
    assert items.loc["CUSA1", "floor"] == (MOBI.data["CUSA1"] == 1).mean()


def test_weights_count_like_rows():
    frame = pd.DataFrame({"q": [1.0, 2, 5, 5, 3], "w": [1.0, 2, 1, 1, 3]})
    weighted = csi.describe(csi.read_survey(frame, scale=(1, 5), weights="w"), "q").items
    repeated = pd.DataFrame({"q": np.repeat(frame["q"], frame["w"].astype(int)).to_numpy()})
    plain = csi.describe(csi.read_survey(repeated, scale=(1, 5)), "q").items
    for column in ("mean", "floor", "ceiling"):
        assert weighted.loc["q", column] == pytest.approx(plain.loc["q", column])
    n = len(repeated)
    assert weighted.loc["q", "sd"] ** 2 / (5 / 4) == pytest.approx(
        plain.loc["q", "sd"] ** 2 / (n / (n - 1))
    )


def test_distribution_and_pictures():
    frame = pd.DataFrame({"q": [1, 1, 2, 5], "r": [5, 5, 5, np.nan]})
    description = csi.describe(csi.read_survey(frame, scale=(1, 5)))
    shares = description.distribution
    assert shares.loc["q"].tolist() == [0.5, 0.25, 0.25]
    assert shares.loc["r"].tolist() == [0, 0, 1]
    assert description.pictures.loc["q"] == "█▄▄"
    long = csi.describe(pd.DataFrame({"money": np.arange(100.0)}), "money").distribution
    assert long.shape == (1, 10)
    assert long.to_numpy().sum() == pytest.approx(1)
    assert description.frame("respondents")["answered"].tolist() == [2, 2, 2, 1]
    with pytest.raises(csi.errors.OptionError, match="name='item'"):
        description.frame("item")


def test_careless_answers_are_counted():
    generator = np.random.default_rng(1)
    frame = pd.DataFrame(generator.integers(1, 8, (60, 9)), columns=[f"q{k}" for k in range(9)])
    frame.iloc[3] = 4  # one answer to everything
    frame.iloc[4, :5] = 4
    frame.iloc[7] = frame.iloc[8]
    frame["seconds"] = 300.0
    frame.loc[:2, "seconds"] = 80
    description = csi.describe(frame, duration="seconds")
    found = codes(description)
    assert found["straight-lining"].count == 1
    assert found["duplicate-answers"].count == 2
    assert found["speeders"].count == 3
    assert found["speeders"].values["limit"] == pytest.approx(100, abs=0.5)
    respondents = description.respondents
    assert respondents.index[respondents["straight"]].tolist() == [3]
    assert respondents.loc[4, "longest_run"] >= 5
    assert respondents.index[respondents["duplicate"]].tolist() == [7, 8]
    assert (
        codes(csi.describe(MOBI))["straight-lining"].count == (MOBI.data.nunique(axis=1) == 1).sum()
    )
    few = csi.describe(frame[["q0", "q1"]])
    assert not {"straight-lining", "duplicate-answers"} & set(codes(few))


def test_impossible_patterns_missing_answers_and_items_without_any():
    frame = pd.DataFrame(
        {"COMP": [1, 0, 0, 1], "HANDLE": [5, 4, np.nan, np.nan], "same": 3, "none": np.nan}
    )
    description = csi.describe(frame, asked_if={"HANDLE": ("COMP", 1)})
    found = codes(description)
    assert (found["impossible-pattern"].count, found["impossible-pattern"].subjects) == (
        1, ("HANDLE", "COMP"),
    )  # fmt: skip
    assert found["same-answer-always"].subjects == ("same",)
    assert found["item-without-answers"].subjects == ("none",)
    assert found["many-missing"].subjects == ("HANDLE",)
    assert np.isnan(description.items.loc["none", "mean"])
    empty = csi.describe(pd.DataFrame({"a": [1, np.nan, 3], "b": [1, np.nan, 2]}))
    assert codes(empty)["no-answer-of-rows"].count == 1


def test_what_has_no_error_says_why():
    clusters = pd.DataFrame({"q": [1, 2, 3, 4], "firm": ["a"] * 4})
    items = csi.describe(csi.read_survey(clusters, cluster="firm"), "q").items
    assert np.isnan(items.loc["q", "se"])
    assert items.loc["q", "reason"] != ""


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        (pd.DataFrame({"a": ["x", "y"]}), {}, "No column of the data holds numbers"),
        (pd.DataFrame({"a": ["x", "y"]}), {"items": "a"}, "'a'"),
        (pd.DataFrame({"a": [1, 2]}), {"items": "b"}, "items names the column 'b'"),
        (pd.DataFrame({"a": [1, 2]}), {"duration": "b"}, "duration names the column 'b'"),
        (pd.DataFrame({"a": [1, 2]}), {"asked_if": {"a": ("z", 1)}}, "names the column 'z'"),
        (pd.DataFrame({"a": [1, 2]}), {"asked_if": {"a": "z"}}, "asked_if"),
        (pd.DataFrame({"a": [1, np.inf]}), {}, "inf"),
        (pd.DataFrame({"a": []}), {}, "no rows"),
        (None, {}, "survey=None must be a Survey"),
    ],
)
def test_what_cannot_be_described_is_refused(frame, options, message):
    with collected(), pytest.raises(csi.CsimodelError, match=message):
        csi.describe(frame, **options)


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "boolean", "category", "int64[pyarrow]"])
def test_kinds_of_columns(dtype):
    frame = pd.DataFrame({"a": pd.array([1, 0, 1], dtype="Int64").astype(dtype)})
    items = csi.describe(frame).items
    assert items.loc["a", "mean"] == pytest.approx(2 / 3)


def test_the_page_has_a_row_for_every_item():
    text = str(csi.describe(MOBI).summary())
    assert all(item in text for item in MOBI.items)
    assert "250 respondents, 24 items" in text
