"""Codes for no answer: where a declared one applies, where it is refused, what is suspected."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from wordings import row_of

import csimodel as csi
from csimodel.errors import SurveyError
from csimodel.findings import collected
from csimodel.survey import Codebook, Item, read_survey
from csimodel.survey.codes import suspected_codes

ITEMS = ["a", "b", "c", "d"]
BY_COLUMN = dict.fromkeys(ITEMS, (1, 10))


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    latent = rng.normal(size=300)
    answers = {
        name: np.clip(np.round(5.5 + 1.5 * (0.8 * latent + 0.6 * rng.normal(size=300))), 1, 10)
        for name in ITEMS
    }
    return pd.DataFrame(answers).assign(
        nps=np.arange(300) % 11,
        region=np.arange(300) % 7,
        age=18 + np.arange(300) % 82,
        visits=1 + np.arange(300) % 9,
    )


def refusal(frame, **options) -> str:
    with pytest.raises(SurveyError) as caught:
        read_survey(frame, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"scale": BY_COLUMN},
        {"scale": (1, 10), "items": ITEMS},
        {"scale": (1, 10), "items": [Item(name) for name in ITEMS]},
        {"items": ITEMS},
        {"codebook": Codebook(items={name: Item(name) for name in ITEMS}), "scale": (1, 10)},
    ],
)
def test_codes_for_all_reach_the_items_only(frame, options):
    frame.loc[[3, 4], "a"] = [0, 98]
    survey = read_survey(frame, missing_codes=(0, 98, 99), **options)
    assert survey.data.isna().sum().to_dict() == dict.fromkeys(frame.columns, 0) | {"a": 2}
    finding = next(one for one in survey.findings if one.code == "missing-codes")
    assert finding.values["columns"] == ("a (2)",)
    assert survey.items["a"].missing_codes == (0, 98, 99)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"scale": BY_COLUMN, "missing_codes": (0, 6)},
            "The missing code 6 lies inside the scale 1-10 of a, b, c and d, where it is an answer; "
            "leave it out of missing_codes, or correct the scale.",
        ),
        (
            {"scale": {"nps": (0, 10)}, "missing_codes": {"nps": 0}},
            "The missing code 0 lies inside the scale 0-10 of nps, where it is an answer; leave it "
            "out of missing_codes, or correct the scale.",
        ),
        (
            {"scale": (1, 10), "missing_codes": 6},
            "The missing code 6 was given for all columns, and in a, b, c, d and visits it stands "
            "among the answers or next to them, so it may be one; say where it applies, as in "
            "missing_codes={'a': 6}, or name the items with items=[…] and their scale.",
        ),
        (
            {"scale": (1, 10), "missing_codes": 0},
            "The missing code 0 was given for all columns, and in nps and region it stands among "
            "the answers or next to them, so it may be one; say where it applies, as in "
            "missing_codes={'nps': 0}, or name the items with items=[…] and their scale.",
        ),
        (
            {"missing_codes": (98, 99)},
            "The missing code 98 was given for all columns, and in age it stands among the answers "
            "or next to them, so it may be one; say where it applies, as in "
            "missing_codes={'age': 98}, or name the items with items=[…] and their scale.",
        ),
    ],
)
def test_a_code_that_may_be_an_answer_is_refused(frame, options, message):
    assert refusal(frame, **options) == message


def test_a_code_inside_a_scale_of_the_codebook_is_refused(frame):
    text = "[defaults]\nscale = [0, 100]\nmissing_codes = [98, 99]\n[items]\nage = {}"
    assert refusal(frame, codebook=Codebook.from_toml(text)) == (
        "The missing code 98 lies inside the scale 0-100 of age, where it is an answer; leave it "
        "out of missing_codes, or correct the scale."
    )


def test_codes_for_all_columns_leave_those_that_are_not_on_the_scale(frame):
    frame.loc[5, "b"] = 99
    survey = read_survey(frame, scale=(1, 10), missing_codes=(98, 99))
    assert survey.data.isna().sum().to_dict() == dict.fromkeys(frame.columns, 0) | {"b": 1}
    left, taken = survey.findings
    ages = int(frame.age.isin([98, 99]).sum())
    assert str(left) == (
        f"Missing codes were left as they are in age ({ages}), where other values are off the scale "
        "given for all columns; if they mean no answer there too, declare them by column, as in "
        "missing_codes={'age': (98, 99)}."
    )
    assert str(taken) == "1 cell with a missing code was set missing: b (1)."
    assert survey.items["age"].missing_codes == ()


def test_codes_and_scale_may_come_one_after_the_other(frame):
    frame.loc[5, "b"] = 99
    survey = read_survey(read_survey(frame, scale=(1, 10)), missing_codes=(98, 99))
    assert survey.data["b"].isna().sum() == 1
    assert survey.data["age"].isna().sum() == 0


def test_a_column_of_its_own_takes_its_codes(frame):
    survey = read_survey(frame, scale=BY_COLUMN, missing_codes={"age": [98, 99], "region": 6})
    assert survey.data["age"].isna().sum() == frame.age.isin([98, 99]).sum()
    assert survey.data["region"].isna().sum() == (frame.region == 6).sum()


@pytest.mark.parametrize(
    "codes", [np.array([98, 99]), {98, 99}, range(98, 100), pd.Series([98.0, 99.0]), [np.int64(98), 99]]
)  # fmt: skip
def test_codes_may_be_any_numbers(frame, codes):
    frame.loc[3, "a"] = 99
    survey = read_survey(frame, scale={"a": np.array([1, 10])}, missing_codes=codes)
    assert survey.items["a"] == Item("a", None, None, 1, 10, (98, 99))
    assert survey.data["a"].isna().sum() == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"items": {"a"}}, "items is a set, which has no order; give a list of names, such as ['a']."),
        ({"items": {"a": 1}}, "items is a dict; give a list of names, such as ['a']."),
        ({"items": 5}, "items=5 is no list; give names, such as ['q1', 'q2']."),
        ({"reverse": {"a"}}, "reverse is a set, which has no order; give a list of names, such as ['a']."),
        ({"scale": {1, 10}}, "The option scale has the scale {1, 10}; give the lowest and the highest answer, such as (1, 10)."),
        ({"scale": (1, 10**400)}, "The option scale has the scale (1, 100000000000000000...0000000000000000000); give the lowest and the highest answer, such as (1, 10)."),
        ({"scale": "1,10"}, "The option scale has the scale '1,10'; give the lowest and the highest answer, such as (1, 10)."),
        ({"missing_codes": (True,)}, "The option missing_codes has the missing codes (True,); give numbers, such as (98, 99)."),
    ],
)  # fmt: skip
def test_options_without_order_or_numbers_are_refused(frame, options, message):
    assert refusal(frame, **options) == message


TWO = csi.Model.from_syntax("A =~ a + b\nB =~ c + d\nB ~ A")


@pytest.mark.parametrize("cell", [999_999_999, 99_999, 9_999, 77, 555, 1e15, -99_999])
def test_a_cell_far_from_all_answers_is_suspected(frame, cell):
    frame.loc[3, "a"] = cell
    diagnostics = csi.fit(TWO, frame).diagnostics
    (finding,) = [one for one in diagnostics if one.code == "suspected-missing-codes"]
    assert finding.subjects == ("a",)
    assert finding.count == 1
    assert finding.values["codes"] == f"{cell:.12g}"
    assert finding.values["columns"] == ("a (1)",)
    assert "," not in row_of(finding).values["codes"]


def test_counts_and_amounts_are_not_suspected():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"a": rng.lognormal(3, 1.5, 400), "b": rng.poisson(2, 400)})
    frame["c"], frame["d"] = frame.a + rng.normal(size=400), frame.b + rng.normal(size=400)
    assert not [finding for finding in csi.fit(TWO, frame).diagnostics if "codes" in finding.code]


def test_codes_in_an_outcome_are_told_with_the_way_to_declare_them(frame):
    frame["again"] = np.clip(frame.c + 1, 1, 10)
    frame.loc[[1, 2], "again"] = [98, 99]
    fit = csi.fit(TWO, read_survey(frame, scale=BY_COLUMN, missing_codes=(98, 99)))
    way_out = "csi.read_survey(…, missing_codes={'again': (98, 99)})"
    for options in ({}, {"family": "ordered-logit", "cut": 8}, {"scale": (1, 10)}):
        with pytest.raises(SurveyError) as caught:
            csi.repurchase(fit, outcome="again", index="B", **options)
        assert way_out in str(caught.value)
    codes = dict.fromkeys([*ITEMS, "again"], (98, 99))
    declared = csi.fit(TWO, read_survey(frame, scale=BY_COLUMN, missing_codes=codes))
    assert csi.repurchase(declared, outcome="again", index="B", scale=(1, 10)).n == 298
    assert csi.repurchase(fit, outcome="again", index="B", scale=(0, 100)).n == 300


def test_codes_in_a_control_are_told(frame):
    frame.loc[[1, 2], "region"] = 99
    frame["again"] = (frame.c > 5).astype(int)
    fit = csi.fit(TWO, read_survey(frame, scale=BY_COLUMN))
    with collected() as findings:
        csi.repurchase(fit, outcome="again", index="B", family="logit", controls=["region"])
    (finding,) = [one for one in findings if one.code == "suspected-missing-codes"]
    assert (finding.values["name"], finding.values["codes"]) == ("region", ("99",))
    assert finding.values["way_out"] == "csi.read_survey(…, missing_codes={'region': (99,)})"


def test_a_column_of_a_known_scale_is_not_suspected():
    cells = np.array([[1.0, 1.0], [7.0, 7.0], [9.0, 9.0], [999999.0, 999999.0]])
    told = suspected_codes(cells, ["a", "b"], cells[0], cells[3], np.array([True, False]))
    assert [finding.subjects for finding in told] == [("b",)]
    assert suspected_codes(cells, ["a", "b"], cells[0], cells[3], np.array([True, True])) == ()
