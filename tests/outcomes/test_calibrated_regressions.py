"""Errors of outcomes where weights meet margins (R: `scripts/mobi_calibrated_regressions.R`)."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from wordings import row_of

import csimodel as csi
from csimodel.outcomes import (
    corrected_slopes,
    repurchase_asymmetry,
    repurchase_mixed,
    repurchase_panel,
    repurchase_segments,
    repurchase_shape,
    repurchase_time,
)
from csimodel.outcomes.kernels.group_means import group_means
from csimodel.outcomes.rows.rows import Rows
from csimodel.weighting import calibrate

REFERENCE = Path(__file__).parents[1] / "reference"


def read(name):
    return json.loads((REFERENCE / name).read_text(encoding="utf-8"))["designs"]


R, MEANS = read("mobi_calibrated_regressions.json"), read("mobi_survey_weights.json")
DATA = pd.read_csv(REFERENCE / "mobi_survey_data.csv")
DATA = DATA.assign(
    gap=DATA["rep01"].where(DATA["id"] % 7 != 0),
    north=DATA["rep01"].where(DATA["region"] == "N"),
    time=(DATA["id"] * 7) % 41 + 1,
    event=(DATA["id"] % 3 > 0) * 1.0,
)
ITEMS = ["CUSA1", "CUSA2", "CUSA3", "CUSL1", "CUSL2"]
MARGINS = {"sex": {"f": 5200, "m": 4800}, "age": {"18-34": 2900, "35-54": 3700, "55+": 3400}}
CLUSTERED = {"strata": "stratum", "cluster": "psu"}
DESIGNS = {
    "full": CLUSTERED,
    "finite": CLUSTERED | {"population": "fpc"},
    "weights_only": {},
    "linear_number": CLUSTERED,
}


def survey(name="full", data=DATA):
    plain = csi.read_survey(data, scale=(1, 10), items=ITEMS, weights="weight", **DESIGNS[name])
    if name == "linear_number":
        return calibrate(plain, MARGINS | {"CUSA1": 78_000})
    return csi.rake(plain, MARGINS)


def codes(result):
    return [finding.code for finding in result.findings]


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("ols", {"outcome": "rep01", "family": "ols"}),
        ("quasibinomial", {"outcome": "rep01", "family": "fractional-logit"}),
        ("logit", {"outcome": "high", "family": "logit"}),
        ("two", {"outcome": "rep01", "family": "ols", "controls": ["CUSCO"]}),
        ("gap", {"outcome": "gap", "family": "ols"}),
        ("region", {"outcome": "north", "family": "ols"}),
    ],
)
def test_errors_of_regressions_equal_r(name, kind, options):
    scale = None if kind == "logit" else (0, 1)
    rep = csi.repurchase(survey(name), index="index", scale=scale, **options)
    theirs = R[name][kind]
    np.testing.assert_allclose(rep.coefficients["estimate"], theirs["coef"], rtol=1e-9)
    np.testing.assert_allclose(rep.coefficients["se"], theirs["se"], rtol=1e-8)
    assert (rep.coefficients["df"] == theirs["degf"]).all()
    assert rep.errors == "linearized"
    assert "calibration-not-used" not in codes(rep)


@pytest.mark.parametrize("name", DESIGNS)
def test_errors_of_hazards_equal_r(name):
    found = repurchase_time(survey(name), duration="time", event="event", index="index")
    row = found.coefficients.iloc[0]
    np.testing.assert_allclose(row["estimate"], R[name]["cox"]["coef"], rtol=1e-8)
    np.testing.assert_allclose(row["se"], R[name]["cox"]["se"], rtol=1e-8)
    assert "calibration-not-used" not in codes(found)


def test_means_of_groups_equal_r():
    rows = Rows.of(survey(), "means")
    theirs = MEANS["raking"]
    groups = [np.flatnonzero(DATA["region"] == region) for region in theirs["region"]]
    means = group_means(DATA["CUSA1"].to_numpy(float), groups, rows.weights, rows.design)
    np.testing.assert_allclose(means.se, theirs["by_region_se"], rtol=1e-7)


def test_zero_weights_are_not_there():
    """A respondent without a weight is as one who was never read."""
    weightless = pd.concat([DATA, DATA.head(20).assign(weight=0.0, id=0, psu=4)])
    ours, theirs = (
        csi.repurchase(survey(data=data.reset_index(drop=True)), "high", index="index")
        for data in (weightless, DATA)
    )
    pd.testing.assert_frame_equal(ours.coefficients, theirs.coefficients)


def chain(raked):
    model = csi.Model.from_syntax("A =~ CUSA1 + CUSA2\nB =~ CUSL1\nB ~ A")
    return csi.fit(model, csi.read_survey(raked, missing="listwise"))


def test_the_chain_of_items_taken_as_they_are_has_the_errors_of_a_fixed_index():
    model = csi.Model.from_syntax("A =~ CUSA1\nB =~ CUSA2\nB ~ A")
    fit = csi.fit(model, survey())
    fixed = csi.repurchase(fit, "high", index="A", family="logit")
    whole = csi.repurchase(fit, "high", index="A", family="logit", bootstrap=csi.linearize(fit))
    np.testing.assert_allclose(whole.coefficients["se"], fixed.coefficients["se"], rtol=1e-5)
    assert "calibration-not-used" not in codes(whole)


def test_the_chain_agrees_with_replicates_that_are_raked():
    plain = csi.read_survey(DATA, scale=(1, 10), items=ITEMS, weights="weight", **CLUSTERED)
    model = csi.Model.from_syntax("A =~ CUSA1 + CUSA2 + CUSA3\nB =~ CUSL1 + CUSL2\nB ~ A")
    fit = csi.fit(model, csi.rake(csi.replicate_weights(plain, "jkn"), MARGINS))
    linear, replicated = (
        csi.repurchase(fit, "high", index="A", family="logit", bootstrap=errors)
        for errors in (csi.linearize(fit), csi.replicate(fit, progress=False))
    )
    ratio = linear.coefficients["se"] / replicated.coefficients["se"]
    assert ratio.between(0.9, 1.1).all()
    assert "calibration-not-used" not in codes(linear) + codes(replicated)
    drawn = csi.bootstrap(fit, 200, 1, progress=False)
    told = csi.repurchase(fit, "high", index="A", family="logit", bootstrap=drawn)
    assert codes(told).count("calibration-not-used") == 1


def test_other_errors_and_models_say_that_they_do_not_allow_for_margins():
    fit = chain(survey())
    robust = csi.repurchase(fit, "high", index="A", family="logit", errors="HC1")
    options = {"index": "A", "by": "sex", "curvature": False}
    segments = repurchase_segments(fit, "high", errors="HC1", **options)
    shape = repurchase_shape(csi.repurchase(fit, "high", index="A"), "hinge", draws=50)
    for result in (robust, segments, shape):
        assert codes(result).count("calibration-not-used") == 1
    bent = repurchase_shape(csi.repurchase(fit, "high", index="A"), "spline")
    assert "calibration-not-used" not in codes(bent)


@pytest.mark.parametrize("name", DESIGNS)
def test_segments_have_the_errors_of_r(name):
    """`svyglm` with constants and slopes by region, and Wald's test that slopes are equal."""
    found = repurchase_segments(
        survey(name), "high", by="region", index="index", family="logit", curvature=False,
        fewest=20,
    )  # fmt: skip
    theirs = R[name]["segments"]
    assert list(found.names) == theirs["region"]
    covariance = np.array(theirs["vcov"])
    for g in range(3):
        own = found.regression.segment_errors.covariance[g]
        np.testing.assert_allclose(own, covariance[g::3, g::3], rtol=1e-7)
    (df,) = {found.regression.df}
    expected = theirs["wald"] * (df - 1.0) / (2.0 * df)
    np.testing.assert_allclose(found.tests.loc["slopes", "statistic"], expected, rtol=1e-7)
    assert "calibration-not-used" not in codes(found)


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("curvature", [True, False])
def test_averages_of_segments_allow_for_margins(name, curvature):
    """As those of the one regression with the columns of all segments (`ScoreErrors`)."""
    found = repurchase_segments(
        survey(name), "high", by="region", index="index", family="logit", fewest=20,
        curvature=curvature,
    )  # fmt: skip
    whole, averages = found.regression.whole, found._effects.averages
    size = found.regression.size
    turn = np.zeros((3, size, 3 * size))
    for g in range(3):
        turn[g, :, size * g : size * (g + 1)] = turn[g, :, :size] = np.eye(size)
    gradient = np.einsum("gs,gst->gt", averages.gradient, turn)
    values = averages.function.T[averages.value]
    first, second = np.triu_indices(3, 1)
    pairs = gradient[first] - gradient[second], values[:, first] - values[:, second]
    np.testing.assert_allclose(found.table["se"], whole.errors_of(gradient, values)[0], rtol=1e-9)
    np.testing.assert_allclose(found.pairwise["se"], whole.errors_of(*pairs)[0], rtol=1e-9)
    test = whole.test(np.concatenate([turn[g, 1:] - turn[0, 1:] for g in (1, 2)]))
    np.testing.assert_allclose(found.tests["statistic"].iloc[-1], test["statistic"], rtol=1e-8)


def test_segments_by_linearize_allow_for_margins_and_do_not_say_otherwise():
    fit = chain(survey())
    options = {"index": "A", "by": "sex", "curvature": False}
    linear = repurchase_segments(fit, "high", bootstrap=csi.linearize(fit), **options)
    assert "calibration-not-used" not in codes(linear)
    drawn = csi.bootstrap(fit, 30, 1, progress=False)
    draws = repurchase_segments(fit, "high", bootstrap=drawn, **options)
    (told,) = [own for own in draws.findings if own.code == "calibration-not-used"]
    assert row_of(told).case == "draws"


@pytest.mark.parametrize("kind", ["raked", "replicates"])
def test_models_of_firms_say_what_they_leave_aside(kind):
    data = DATA.assign(firm=DATA["psu"] % 10, wave=DATA["id"] % 4)
    plain = csi.read_survey(data, scale=(1, 10), items=ITEMS, weights="weight")
    read = csi.rake(plain, MARGINS) if kind == "raked" else csi.replicate_weights(plain, "jk1")
    fit = chain(read)
    results = (
        repurchase_panel(fit, "rep01", firm="firm", period="wave", index="A", scale=(0, 1)),
        repurchase_mixed(
            fit, "rep01", by="firm", index="A", scale=(0, 1), model="population-averaged",
            link="identity",
        ),
    )  # fmt: skip
    code = "calibration-not-used" if kind == "raked" else "replicates-not-used"
    for result in results:
        (finding,) = [own for own in result.findings if own.code == code]
        if kind == "replicates":
            assert finding.values == {"count": 250, "by": "firm"}


def test_sides_have_the_errors_of_their_regression():
    fit = chain(survey())
    found = repurchase_asymmetry(fit, quality="A", expectations="B", outcome="high", family="ols")
    assert found.regression.errors == "linearized"
    assert "calibration-not-used" not in codes(found)
    robust = repurchase_asymmetry(
        fit, quality="A", expectations="B", outcome="high", family="ols", errors="HC1"
    )
    assert codes(robust).count("calibration-not-used") == 1


def test_corrected_slopes_count_margins_once():
    """A reliability that is known adds nothing: eiv is the slope over it, and so are errors."""
    gaps = survey()
    gaps = dataclasses.replace(
        gaps, data=gaps.data.assign(CUSA2=DATA["CUSA2"].where(DATA["id"] > 20))
    )
    fit = chain(gaps)
    slopes = corrected_slopes(fit, "high", index="A", family="ols", reliability=0.8)
    table = slopes.table.set_index("method")["se"]
    assert table["eiv"] == pytest.approx(table["naive"] / 0.8, rel=1e-6)
    own = corrected_slopes(fit, "high", index="A", family="ols").table
    assert (own["se"] > 0).all()


def test_other_clusters_and_other_weights():
    raked = survey("weights_only")
    units = DATA["stratum"] * 100 + DATA["psu"]
    clustered = csi.read_survey(
        DATA.assign(unit=units), scale=(1, 10), items=ITEMS, weights="weight", cluster="unit"
    )
    same = csi.repurchase(csi.rake(clustered, MARGINS), "high", index="index").coefficients
    given = csi.repurchase(raked, "high", index="index", cluster=units.rename("unit")).coefficients
    pd.testing.assert_frame_equal(given, same)
    other = csi.repurchase(raked, "high", index="index", weights="weight")
    plain = csi.repurchase(DATA, "high", index="index", weights="weight")
    pd.testing.assert_frame_equal(other.coefficients, plain.coefficients)
