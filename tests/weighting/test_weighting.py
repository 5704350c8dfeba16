"""Weights: margins, trimming, nonresponse; R's survey (`scripts/mobi_survey_weights.R`)."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import EstimationError, OptionError, SurveyError
from csimodel.weighting import (
    adjust_for_nonresponse,
    calibrate,
    describe_weights,
    post_stratify,
    response_rates,
    trim,
)

REFERENCE = Path(__file__).parents[1] / "reference"
R = json.loads((REFERENCE / "mobi_survey_weights.json").read_text(encoding="utf-8"))
CALIBRATED = json.loads((REFERENCE / "mobi_calibrated_regressions.json").read_text("utf-8"))[
    "designs"
]
DATA = pd.read_csv(REFERENCE / "mobi_survey_data.csv")
SEX = {"f": 5200, "m": 4800}
AGE = pd.Series({"18-34": 2900, "35-54": 3700, "55+": 3400})
CELLS = dict(
    zip(
        [(sex, age) for age in AGE.index for sex in SEX],
        (1500, 1400, 1900, 1800, 1800, 1600),
        strict=True,
    )
)
ITEMS = ["CUSA1", "CUSA2", "CUSA3"]


def survey(**options):
    design = {"weights": "weight", "strata": "stratum", "cluster": "psu"} | options
    return csi.read_survey(DATA, scale=(1, 10), items=ITEMS, **design)


ADJUSTED = {
    "poststrat_sex": lambda s: post_stratify(s, {"sex": SEX}),
    "poststrat_cells": lambda s: post_stratify(s, {("sex", "age"): CELLS}),
    "raking": lambda s: csi.rake(s, {"sex": SEX, "age": AGE}),
    "linear": lambda s: calibrate(s, {"sex": SEX, "age": AGE}),
    "linear_number": lambda s: calibrate(s, {"sex": SEX, "age": AGE, "CUSA1": 78_000}),
    "logit": lambda s: calibrate(s, {"sex": SEX, "age": AGE}, method="logit", bounds=(0.3, 3)),
}


@pytest.mark.parametrize("name", ADJUSTED)
def test_weights_equal_r(name):
    adjusted = ADJUSTED[name](survey())
    weights = adjusted.data[adjusted.weights]
    np.testing.assert_allclose(weights, R["designs"][name]["weights"], rtol=1e-10)


def single_items(adjusted):
    """A model whose indexes are the means of single items, on 0 to 100."""
    constructs = [csi.reflective(item, [item]) for item in ITEMS]
    model = csi.Model(tuple(constructs), [("CUSA1", "CUSA2"), ("CUSA2", "CUSA3")])
    return csi.fit(model, adjusted)


@pytest.mark.parametrize("name", ADJUSTED)
def test_errors_allow_for_margins_as_in_r(name):
    fit = single_items(ADJUSTED[name](survey()))
    theirs, points = R["designs"][name], 100 / 9
    scores = csi.index_scores(fit).rename(columns={"mean": "estimate"})
    for indexes in (scores, csi.linearize(fit).table("index")):
        table = indexes.loc[ITEMS]
        np.testing.assert_allclose(table["estimate"], (np.array(theirs["mean"]) - 1) * points)
        rtol, atol = 1e-7, 1e-9  # an item calibrated to its total has no error
        np.testing.assert_allclose(table["se"], np.array(theirs["se"]) * points, rtol, atol)
        assert (table["df"] == 21).all()


@pytest.mark.parametrize("name", ADJUSTED)
def test_errors_of_groups_allow_for_margins_as_in_r(name):
    fit = single_items(ADJUSTED[name](survey()))
    theirs = R["designs"][name]
    table = csi.linearize(fit).table("index", by="region").xs("CUSA1", level="construct")
    order = [theirs["region"].index(str(region)) for region in table.index]
    np.testing.assert_allclose(
        table["se"], np.array(theirs["by_region_se"])[order] * 100 / 9, rtol=1e-7
    )


def test_r_regresses_raked_residuals_without_weights():
    """R's `rake` has other errors than its raking by `calibrate`; ours are the latter."""
    ours = np.array(R["designs"]["raking"]["se"])
    assert np.allclose(R["rake"]["weights"], R["designs"]["raking"]["weights"], rtol=1e-9)
    assert (np.abs(np.array(R["rake"]["se"]) / ours - 1) > 1e-4).all()


def test_paths_of_calibrated_weights_by_jackknife_with_margins():
    """What is left once margins are met: the jackknife that rakes anew comes to the same."""
    rng = np.random.default_rng(3)
    quality = rng.normal(size=400)
    group = np.where(quality + rng.normal(size=400) > 0, "high", "low")
    frame = pd.DataFrame(
        {
            "a": quality,
            "b": 0.5 * quality + rng.normal(size=400),
            "group": group,
        }
    )
    model = csi.Model((csi.reflective("A", ["a"]), csi.reflective("B", ["b"])), [("A", "B")])
    margins = {"group": {"high": 0.4, "low": 0.6}}

    def mean_of(part):
        adjusted = csi.rake(csi.read_survey(part, scale=(-9, 9), items=["a", "b"]), margins)
        weights = adjusted.data[adjusted.weights].to_numpy()
        return weights @ part["a"] / weights.sum()

    left = np.array([mean_of(frame.drop(index=row)) for row in frame.index])
    jackknife = np.sqrt(399 / 400 * ((left - left.mean()) ** 2).sum()) * 100 / 18
    fit = csi.fit(model, csi.rake(csi.read_survey(frame, scale=(-9, 9), items=["a", "b"]), margins))
    calibrated = csi.linearize(fit).table("index").loc["A", "se"]
    assert calibrated == pytest.approx(jackknife, rel=0.01)
    plain = csi.read_survey(fit.survey, weights=None)
    again = csi.read_survey(
        plain.data.assign(w=plain.data["weight_raked"]),
        weights="w",
        scale=(-9, 9),
        items=["a", "b"],
    )
    ignored = csi.linearize(csi.fit(model, again)).table("index").loc["A", "se"]
    assert ignored > 1.15 * calibrated


@pytest.mark.parametrize("name", ["full", "finite", "weights_only", "linear_number"])
def test_respondents_who_are_left_out_are_the_rest_of_a_domain(name):
    """The index of those who answered, where margins are of all, as R has it of a subset."""
    frame = DATA.assign(gap=np.arange(250.0), CUSA2=DATA["CUSA2"].where(DATA["id"] > 20))
    options = {"cluster": None, "strata": None} if name == "weights_only" else {}
    read = csi.read_survey(
        survey(**options), population="fpc" if name == "finite" else None, missing="listwise"
    )
    margins = {"sex": SEX, "age": AGE}
    if name == "linear_number":
        adjusted = calibrate(read, margins | {"CUSA1": 78_000})
    else:
        adjusted = csi.rake(read, margins)
    gaps = dataclasses.replace(adjusted, data=adjusted.data.assign(CUSA2=frame["CUSA2"]))
    fit = single_items(gaps)
    theirs = CALIBRATED[name]["mean_of_answered"]
    scores = csi.index_scores(fit).rename(columns={"mean": "estimate"}).loc[ITEMS]
    for table in (csi.linearize(fit).table("index").loc[ITEMS], scores):
        np.testing.assert_allclose(table["estimate"], (np.array(theirs["mean"]) - 1) * 100 / 9)
        np.testing.assert_allclose(table["se"], np.array(theirs["se"]) * 100 / 9, rtol=1e-7)
        assert (table["df"] == theirs["degf"]).all()
    assert "calibration-not-used" not in [own.code for own in fit.diagnostics]


def test_replicates_are_raked_too():
    replicated = csi.replicate_weights(survey(), "jkn")
    fit = single_items(csi.rake(replicated, {"sex": SEX, "age": AGE}))
    table, theirs = csi.replicate(fit, progress=False).table("index").loc[ITEMS], R["replicates"]
    np.testing.assert_allclose(table["estimate"], (np.array(theirs["mean"]) - 1) * 100 / 9)
    np.testing.assert_allclose(table["se"], np.array(theirs["se"]) * 100 / 9, rtol=1e-8)
    factors = csi.read_survey(
        replicated.data.assign(
            **{c: replicated.data[c] / DATA["weight"] for c in replicated.replicate_weights}
        ),
        scale=(1, 10), items=ITEMS, weights="weight",
        replicate_weights=list(replicated.replicate_weights),
        replicate_method=dataclasses.replace(replicated.replicate_method, combined=False),
    )  # fmt: skip
    again = csi.rake(factors, {"sex": SEX, "age": AGE})
    np.testing.assert_allclose(
        again.data[list(again.replicate_weights)], fit.survey.data[list(again.replicate_weights)]
    )
    alone = DATA.assign(psu=np.arange(250), alone=np.where(np.arange(250) < 1, "a", "b"))
    read = csi.read_survey(alone, scale=(1, 10), items=ITEMS, cluster="psu", weights="weight")
    made = csi.replicate_weights(read, "jk1")
    with pytest.raises(EstimationError, match="No weights meet all margins in replicate 1:"):
        csi.rake(made, {"alone": {"a": 10, "b": 9990}})


def test_effects_of_a_calibrated_survey():
    fit = single_items(csi.rake(survey(), {"sex": SEX, "age": AGE}))
    effect = csi.linearize(fit).deff("index")
    assert ((effect > 0) & (effect < 2.5)).all()
    boot = csi.bootstrap(fit, 200, 1, progress=False)
    assert "calibration-not-used" in {finding.code for finding in boot.findings}


def test_bounds_hold():
    frame = pd.DataFrame(
        {"q": np.arange(1.0, 11.0), "g": list("aaaaabbbcc"), "h": list("xyxyxyxyxy")}
    )
    plain = csi.read_survey(frame, scale=(1, 10), items=["q"])
    margins = {"g": {"a": 3, "b": 4, "c": 3}, "h": {"x": 6, "y": 4}}
    for method in ("linear", "raking", "logit"):
        weights = calibrate(plain, margins, method=method, bounds=(0.5, 2.0)).data[
            "weight_calibrated"
        ]
        assert weights.between(0.5, 2.0).all()
        for column, sizes in margins.items():
            assert weights.groupby(frame[column]).sum().to_dict() == pytest.approx(sizes)


def test_shares_keep_the_sum_of_the_weights():
    half = csi.rake(survey(), {"sex": {"f": 0.5, "m": 0.5}})
    percent = csi.rake(survey(), {"sex": {"f": 50, "m": 50}})
    weights = half.data["weight_raked"]
    assert weights.sum() == pytest.approx(DATA["weight"].sum())
    assert weights.groupby(DATA["sex"]).sum().to_dict() == pytest.approx(
        dict.fromkeys("fm", DATA["weight"].sum() / 2)
    )
    np.testing.assert_allclose(percent.data["weight_raked"], weights)


def test_zero_weights_stay_zero_and_are_not_counted():
    frame = DATA.assign(weight=DATA["weight"].where(DATA["id"] > 10, 0.0))
    adjusted = csi.rake(
        csi.read_survey(frame, scale=(1, 10), items=ITEMS, weights="weight"), {"sex": SEX}
    )
    weights = adjusted.data["weight_raked"]
    assert (weights[:10] == 0).all()
    assert (weights[10:] > 0).all()
    finding = next(own for own in adjusted.findings if own.code == "weights-raked")
    assert finding.values["rows"] == 240
    assert finding.values["lowest"] < 1 < finding.values["highest"]
    assert finding.values["after"] < finding.values["before"] < 240


def test_categories_by_value_label_and_by_text_of_a_number():
    coded = DATA.assign(sex=DATA["sex"].map({"f": 1.0, "m": 2.0}))
    labelled = csi.read_survey(coded, scale=(1, 10), items=ITEMS, weights="weight")
    object.__setattr__(labelled, "value_labels", {"sex": {1.0: "female", 2.0: "male"}})
    expected = csi.rake(survey(strata=None, cluster=None), {"sex": SEX}).data["weight_raked"]
    for sizes in ({"female": 5200, "male": 4800}, {"1": 5200, "2": 4800}, {1: 5200, 2: 4800}):
        weights = csi.rake(labelled, {"sex": sizes}).data["weight_raked"]
        np.testing.assert_allclose(weights, expected)


def test_other_weights_are_not_calibrated():
    adjusted = csi.rake(survey(), {"sex": SEX})
    assert adjusted.calibration is not None
    assert csi.read_survey(adjusted, weights="weight").calibration is None
    assert csi.read_survey(adjusted, missing="listwise").calibration is adjusted.calibration


@pytest.mark.parametrize("name", R["bounds"])
def test_trimmed_weights_equal_r(name):
    lower, upper = R["bounds"][name]
    raked = csi.rake(survey(), {"sex": SEX, "age": AGE})
    trimmed = trim(raked, lower=lower or None, upper=upper)
    weights = trimmed.data["weight_raked_trimmed"]
    np.testing.assert_allclose(weights, R["trimmed"][name], rtol=1e-10)
    assert weights.sum() == pytest.approx(10_000)
    assert trimmed.calibration is None
    finding = trimmed.findings[-1]
    assert finding.code == "weights-trimmed-margins"
    assert (
        finding.values["count"]
        == np.isclose(weights, upper).sum() + np.isclose(weights, lower).sum()
    )
    assert trim(survey(), upper=40).findings[-1].code == "weights-trimmed"


def test_weights_report():
    report = describe_weights(survey())
    weights = DATA["weight"]
    row = report.table.iloc[0]
    assert row["effective_n"] == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    assert row["design_effect"] == pytest.approx(1 + weights.var(ddof=0) / weights.mean() ** 2)
    assert row["share_of_top_hundredth"] == pytest.approx(weights.nlargest(2).sum() / weights.sum())
    assert row["share_of_largest"] == pytest.approx(weights.max() / weights.sum())
    assert row["ratio"] == pytest.approx(weights.max() / weights.min())
    assert (row["n"], row["median"]) == (250, weights.median())
    assert not report.findings
    assert "192" in report.page.headline


def test_unequal_weights_are_warned_of():
    frame = pd.DataFrame({"q": np.arange(100.0) % 10 + 1, "w": [30.0] + [1.0] * 99})
    read = csi.read_survey(frame, scale=(1, 10), items=["q"], weights="w")
    codes = {own.code: own for own in describe_weights(read).findings}
    assert set(codes) == {"unequal-weights", "heavy-weight"}
    assert codes["heavy-weight"].values["share"] == pytest.approx(30 / 129)
    assert codes["unequal-weights"].values["effective"] == pytest.approx(129**2 / 999)


def test_response_rates_by_hand():
    rates = response_rates(
        complete=400, partial=50, refusal=200, non_contact=100, other=50,
        unknown=150, unknown_other=50, ineligible=200,
    )  # fmt: skip
    assert rates.eligible == 0.8
    expected = {
        "RR1": 400 / 1000, "RR2": 450 / 1000, "RR3": 400 / 960, "RR4": 450 / 960,
        "RR5": 400 / 800, "RR6": 450 / 800, "COOP1": 400 / 700, "COOP2": 450 / 700,
        "COOP3": 400 / 650, "COOP4": 450 / 650, "REF1": 200 / 1000, "REF2": 200 / 960,
        "REF3": 200 / 800, "CON1": 700 / 1000, "CON2": 700 / 960, "CON3": 700 / 800,
    }  # fmt: skip
    assert rates.table["rate"].to_dict() == pytest.approx(expected)
    assert response_rates(complete=10, unknown=10).table["rate"]["RR3"] == 0.5
    assert response_rates(complete=10, unknown=10, e=0.0).table["rate"]["RR3"] == 1.0


def test_counts_of_response_rates_speak_the_language():
    rates = response_rates(complete=40, refusal=60)
    assert rates.table["counts"]["RR1"] == "40 of 100"
    assert "100中的40" in str(rates.summary("zh"))


def test_nonresponse_by_hand():
    frame = pd.DataFrame(
        {
            "q": [3, np.nan, 9, 8, np.nan, 2],
            "answered": [1, 0, 1, 1, 0, 1],
            "region": list("nnnsss"),
            "w": [1.0, 3.0, 2.0, 1.0, 1.0, 2.0],
        }
    )
    read = csi.read_survey(frame, scale=(1, 10), items=["q"], weights="w")
    adjusted = adjust_for_nonresponse(read, "answered", "region")
    np.testing.assert_allclose(adjusted.data["w_response"], [2, 0, 4, 4 / 3, 0, 8 / 3])
    first, few = adjusted.findings
    assert (first.code, few.code) == ("nonresponse", "few-in-class")
    assert first.values["share"] == pytest.approx(0.6)
    assert (first.values["lowest"], first.values["highest"]) == pytest.approx((4 / 3, 2.0))
    assert few.count == 2


BAD = {
    "no dict": (lambda s: csi.rake(s, "sex"), OptionError, "must be a dict"),
    "empty": (lambda s: csi.rake(s, {}), OptionError, "must be a dict"),
    "no column": (lambda s: csi.rake(s, {"gender": SEX}), SurveyError, "'gender'"),
    "no sizes": (lambda s: csi.rake(s, {"sex": 5}), OptionError, "size of each"),
    "negative": (lambda s: csi.rake(s, {"sex": {"f": -1, "m": 2}}), OptionError, "none below 0"),
    "uncovered": (
        lambda s: csi.rake(s, {"age": {"18-34": 1, "35-54": 2}}),
        SurveyError,
        r"does not cover '55\+' of 'age' \(\d+ respondents\)",
    ),
    "nobody": (
        lambda s: csi.rake(s, {"sex": SEX | {"other": 10}}),
        SurveyError,
        "No respondent is in 'other' of 'sex'",
    ),
    "sums": (
        lambda s: csi.rake(s, {"sex": SEX, "age": AGE + 10}),
        OptionError,
        "sum to 10000 and those of 'age' to 10030",
    ),
    "shares and counts": (
        lambda s: csi.rake(s, {"sex": {"f": 0.5, "m": 0.5}, "age": AGE}),
        OptionError,
        "counts of all, or shares of all",
    ),
    "bounds": (lambda s: csi.rake(s, {"sex": SEX}, bounds=(0.5, 0.9)), OptionError, "above"),
    "room": (
        lambda s: csi.rake(s, {"sex": SEX}, bounds=(0.5, 2.0)),
        OptionError,
        "is 2.074 times the sum of the weights",
    ),
    "not met": (
        lambda s: csi.rake(s, {"sex": {"f": 0.95, "m": 0.05}}, bounds=(0.9, 1.1)),
        EstimationError,
        "is missed by",
    ),
    "below zero": (
        lambda s: calibrate(s, {"sex": SEX, "CUSA1": 15_000}),
        EstimationError,
        "not above 0",
    ),
    "logit": (lambda s: calibrate(s, {"sex": SEX}, method="logit"), OptionError, "needs bounds"),
    "method": (lambda s: calibrate(s, {"sex": SEX}, method="ipf"), OptionError, "'ipf'"),
    "several": (
        lambda s: post_stratify(s, {"sex": SEX, "age": AGE}),
        OptionError,
        "csi.rake takes several",
    ),
    "parts": (lambda s: csi.rake(s, {("sex", "age"): SEX}), OptionError, "needs 2 parts"),
    "there": (lambda s: csi.rake(s, {"sex": SEX}, into="CUSA1"), OptionError, "a column already"),
    "all zero": (lambda s: csi.rake(s, {"sex": {"f": 0, "m": 0}}), OptionError, "the size 0"),
    "no bound": (lambda s: trim(s), OptionError, "lower=, upper= or both"),
    "no mean": (lambda s: trim(s, upper=10), OptionError, "mean weight is 19.29"),
    "no weights": (lambda s: trim(csi.load_mobi(), upper=10), OptionError, "no weights to trim"),
    "described": (lambda s: describe_weights(csi.load_mobi()), OptionError, "has no weights"),
    "no case": (lambda s: response_rates(complete=0, unknown=3), OptionError, "no eligible case"),
    "negative case": (lambda s: response_rates(complete=-1), OptionError, "complete=-1"),
    "e": (lambda s: response_rates(complete=1, e=1.5), OptionError, "e=1.5"),
    "both": (lambda s: response_rates(complete=1, e=1, ineligible=2), OptionError, "not both"),
    "coded": (
        lambda s: adjust_for_nonresponse(s, "CUSA1", "sex"),
        SurveyError,
        "must be 1 for those who answered",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(name):
    work, error, message = BAD[name]
    with pytest.raises(error, match=message):
        work(survey())


def test_missing_margins_and_silent_classes_are_named():
    holes = DATA.assign(sex=DATA["sex"].where(DATA["id"] != 3))
    read = csi.read_survey(holes, scale=(1, 10), items=ITEMS, weights="weight")
    with pytest.raises(SurveyError, match="'sex' is missing for 1 respondent \\(first in row 3\\)"):
        csi.rake(read, {"sex": SEX})
    with pytest.raises(SurveyError, match="sex is missing for 1 row"):
        adjust_for_nonresponse(read, "high", "sex")
    silent = csi.read_survey(DATA.assign(high=(DATA["sex"] == "f") * 1), scale=(1, 10), items=ITEMS)
    with pytest.raises(SurveyError, match="Nobody answered in 1 class of sex \\(first: m\\)"):
        adjust_for_nonresponse(silent, "high", "sex")


def test_wide_surveys_get_their_weights_without_a_warning():
    """Of many columns read one by one, as replicate weights are; warnings are errors here."""
    columns = {f"rw{k}": DATA["weight"] * (1 + k % 3) for k in range(120)}
    wide = pd.concat([DATA, *(own.rename(name) for name, own in columns.items())], axis=1)
    read = csi.read_survey(wide, scale=(1, 10), items=ITEMS, weights="weight")
    trim(csi.rake(read, {"sex": {"f": 0.5, "m": 0.5}}), upper=60)
    adjust_for_nonresponse(read, "high", "sex")
