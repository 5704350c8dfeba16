"""Designs that cannot be are named: what was written, what was seen, the way out."""

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import EstimationError, OptionError, SurveyError
from csimodel.weighting import calibrate, post_stratify

N = 60
ITEMS = ["q1", "q2", "q3", "q4"]
MODEL = csi.Model.from_syntax("A =~ q1 + q2\nB =~ q3 + q4\nB ~ A")


def frame(**columns):
    rng = np.random.default_rng(1)
    table = pd.DataFrame({name: rng.integers(1, 11, N).astype(float) for name in ITEMS})
    table = table.assign(
        w=rng.uniform(0.5, 2, N), s=np.repeat(["a", "b", "c"], 20), c=np.repeat(np.arange(12), 5),
        sex=np.where(np.arange(N) % 2, "f", "m"),
        **{f"rw{k}": rng.uniform(0.5, 2, N) for k in range(6)},
    )  # fmt: skip
    return table.assign(both=table["sex"], **columns)


def read(table=None, **options):
    known = {"scale": (1, 10), "items": ITEMS, "missing": "pairwise"}
    return csi.read_survey(frame() if table is None else table, **(known | options))


def fit(table=None, **options):
    return csi.fit(MODEL, read(table, **options))


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ([-1.0, *[1.0] * (N - 1)], r"'w' holds 1 negative value \(first -1 in row 1\)"),
        ([0.0] * N, r"^Weight column 'w' has no value above 0 in 60 rows, so nobody counts; name"),
        ([np.nan] * N, r"^Weight column 'w' has no value above 0 in 60 rows"),
        ([np.inf, *[1.0] * (N - 1)], r"'w' holds 1 infinite value \(first in row 1\)"),
        (["x"] * N, r"^Column 'w' holds the text 'x' in row 1"),
        (pd.array([pd.NA] * N, dtype="Float64"), r"'w' has no value above 0 in 60 rows"),
        ([[1]] * N, r"^Column 'w' holds the text '\[1\]' in row 1"),
    ],
)
def test_weights(weights, told):
    with pytest.raises(SurveyError, match=told):
        fit(frame(w=weights), weights="w")
    with pytest.raises(SurveyError, match=told):
        csi.rake(read(frame(w=weights), weights="w"), {"sex": {"f": 1, "m": 1}})


@pytest.mark.parametrize("option", ["strata", "cluster"])
@pytest.mark.parametrize("cells", [[["a"]] * N, [{}] * N])
def test_cells_that_are_no_labels(option, cells):
    kind = type(cells[0]).__name__
    told = f"^Column 'x', given as {option}, holds cells of kind {kind}, which are no labels; give"
    with pytest.raises(SurveyError, match=told):
        fit(frame(x=cells), **{option: "x"})
    with pytest.raises(SurveyError, match=f"^Group column 'x' holds cells of kind {kind}"):
        csi.fit_groups(MODEL, read(frame(x=cells)), "x")
    with pytest.raises(SurveyError, match=r"^Column 'x', named in margins, holds cells of kind"):
        csi.rake(read(frame(x=cells)), {"x": {"a": 1}})


def test_a_stratum_of_one_cluster():
    table = frame(s=np.repeat(["a", "b", "c"], [5, 20, 35]))
    told = csi.linearize(fit(table, strata="s", cluster="c")).findings
    lonely = next(own for own in told if own.code == "lonely-strata")
    assert (lonely.values["alone"], lonely.values["strata"]) == (1, 3)
    with pytest.raises(SurveyError, match=r"^1 of 3 strata of 's' hold a single"):
        fit(table, strata="s", cluster="c", lonely="fail")


def test_strata_that_all_hold_one_cluster_have_no_error():
    linear = csi.linearize(fit(frame(s=np.arange(N) // 5), strata="s", cluster="c"))
    assert linear.table("index")["se"].isna().all()
    assert linear.table("index")["reason"].str.contains("no degrees of freedom").all()
    assert "no-degrees-of-freedom" in [own.code for own in linear.findings]


def test_a_cluster_in_two_strata_is_one_in_each():
    own = fit(frame(c=np.arange(N) % 10), strata="s", cluster="c")
    nested = next(told for told in own.diagnostics if told.code == "nested-clusters")
    assert (nested.count, nested.values["cluster"]) == (10, "c")
    assert own.answers.design.units == 30


def test_items():
    with pytest.raises(SurveyError, match=r"^Column 'q1' has all 60 cells missing"):
        fit(frame(q1=np.nan))
    weights = np.r_[np.zeros(5), np.ones(N - 5)]
    answered = np.where(np.arange(N) < 5, np.arange(N) + 1.0, np.nan)
    with pytest.raises(SurveyError, match=r"^Column 'q1' has all 55 cells missing"):
        fit(frame(q1=answered, w=weights), weights="w")
    with pytest.raises(SurveyError, match=r"'q1' holds 1 value outside its scale 1-10: 11 \(1\)"):
        fit(frame(q1=[11.0, *np.arange(1.0, N) % 10 + 1]))


@pytest.mark.parametrize(
    ("margins", "error", "told"),
    [
        ({"sex": {"f": 1}}, SurveyError, r"does not cover 'm' of 'sex' \(30 respondents\)"),
        ({"sex": {"f": 40, "m": 50, "x": 9}}, SurveyError, r"^No respondent is in 'x' of 'sex'"),
        ({"sex": {"f": 0, "m": 1}}, SurveyError, r"does not cover 'f' of 'sex'"),
        ({"sex": {"f": -1, "m": 2}}, OptionError, r"has -1 for 'f' of 'sex'; sizes are counts"),
        ({"sex": {"f": 0.4, "m": 0.4}}, OptionError, r"^The shares of 'sex' in margins sum to 0.8"),
        ({"sex": pd.Series([1, 2, 3], list("ffm"))}, OptionError, r"'f' of 'sex' more than once"),
        ({"c": {"0": 1, 0: 2}}, OptionError, r"has '0' of 'c' more than once"),
        (
            {"sex": {"f": 0.4, "m": 0.6}, "both": {"f": 0.5, "m": 0.5}},
            EstimationError,
            r"^No weights meet all margins: 'both = f' is missed by \d",
        ),
        ({"sex": {"f": 4, "m": 6}, "s": {"a": 1, "b": 2, "c": 3}}, OptionError, r"sum to 10 and"),
        ({}, OptionError, r"^margins=\{\} must be a dict"),
    ],
)
def test_margins(margins, error, told):
    for adjust in (csi.rake, calibrate):
        with pytest.raises(error, match=told):
            adjust(read(weights="w"), margins)
    if len(margins) == 1:
        with pytest.raises(error, match=told):
            post_stratify(read(weights="w"), margins)


def test_shares_that_are_rounded_are_met():
    shares = {"a": 0.333, "b": 0.333, "c": 0.333}
    raked = csi.rake(read(weights="w"), {"s": shares})
    sums = raked.data["w_raked"].groupby(raked.data["s"]).sum()
    np.testing.assert_allclose(sums / sums.sum(), 1 / 3)


@pytest.mark.parametrize("total", [np.nan, np.inf])
def test_totals_that_are_no_numbers(total):
    with pytest.raises(OptionError, match=r"for 'q1'; the total of a column of numbers is a"):
        calibrate(read(weights="w"), {"q1": total})


def test_three_bounds():
    with pytest.raises(OptionError, match=r"^bounds=\(0.5, 2, 3\) must be the lowest and the high"):
        csi.rake(read(weights="w"), {"sex": {"f": 1, "m": 1}}, bounds=(0.5, 2, 3))


def test_replicate_weights():
    method = csi.survey.ReplicateMethod
    with pytest.raises(SurveyError, match=r"^There are 6 columns of replicate weights and 2 rscal"):
        fit(weights="w", replicate_weights="rw*", replicate_method=method("jk1", rscales=(1, 1)))
    with pytest.raises(SurveyError, match=r"^replicate_weights names 1 column; give a pattern"):
        fit(weights="w", replicate_weights=["rw0"], replicate_method="jk1")
    with pytest.raises(SurveyError, match=r"fits 0 columns of the data"):
        fit(weights="w", replicate_weights="zz*", replicate_method="jk1")
    with pytest.raises(SurveyError, match=r"^Replicate weight 'rw0' has 60 negative values"):
        fit(frame(rw0=-1.0), weights="w", replicate_weights="rw*", replicate_method="jk1")
    with pytest.raises(SurveyError, match=r"^Replicate weight 'rw0' is 0 in all rows"):
        fit(frame(rw0=0.0), weights="w", replicate_weights="rw*", replicate_method="jk1")
    for option in ("mse", "combined"):
        with pytest.raises(OptionError, match=f"^{option}='no' must be True or False"):
            method("jk1", **{option: "no"})
