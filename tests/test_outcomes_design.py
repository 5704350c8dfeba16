"""Strata, lonely strata and finite populations in models of repurchase: values of R's survey."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.inference.sources import CENSUS
from tests.conftest import REFERENCE

MODEL = csi.Model.from_syntax("Q =~ CUSA1\nE =~ CUSA2\nC =~ CUSCO\nC ~ Q\nQ ~ E")
SCALE = dict.fromkeys(("CUSA1", "CUSA2", "CUSCO", "CUSL1"), (1, 10))
UNITS = {"strata": "stratum", "cluster": "psu"}
DESIGNS = {
    "strata": UNITS,
    "full": {**UNITS, "population": "fpc"},
    "rows_of_400": {"population": 400},
}


@pytest.fixture(scope="module")
def data():
    frame = pd.read_csv(REFERENCE / "mobi_survey_data.csv")
    return frame.assign(
        months=1 + frame["id"] * 7 % 23,
        left=((frame["id"] % 5 < 2) | (frame["CUSA1"] < 6)).astype(int),
        spoke=(frame["id"] % 3 == 0).astype(int),
        old=(frame["age"] == "55+").astype(int),
    )


def survey_of(data, **design):
    return csi.read_survey(data, scale=SCALE, items=list(SCALE), weights="weight", **design)


def fit_of(data, **design):
    return csi.fit(MODEL, survey_of(data, **design))


def by_time(data, **design):
    return csi.outcomes.repurchase_time(
        fit_of(data, **design), duration="months", event="left", kind="churn", index="Q"
    )


@pytest.mark.parametrize("name", DESIGNS)
def test_hazards_have_the_errors_of_the_design(reference, data, name):
    theirs = reference("outcomes_design.json")[name]
    found = by_time(data, **DESIGNS[name])
    row = found.coefficients.loc["Q"]
    assert_allclose([row["estimate"], row["se"]], list(theirs["cox"].values()), rtol=1e-7)
    assert row["df"] == theirs["degf"]
    assert "errors of the sampling design, linearized" in found.interval_kind
    assert (found.predict([60.0], [6.0, 12.0])["df"] == theirs["degf"]).all()


@pytest.mark.parametrize("name", DESIGNS)
def test_sides_of_expectations_have_the_errors_of_the_design(reference, data, name):
    theirs = reference("outcomes_design.json")[name]["sides"]
    found = csi.outcomes.repurchase_asymmetry(
        fit_of(data, **DESIGNS[name]), "C", quality="Q", expectations="E"
    )
    of_points = 100.0 / 9.0  # the index of a single item counts its answers so
    table = found.table.loc[["quality", "shortfall", "surplus"]]
    assert_allclose(table["estimate"], of_points * np.array(theirs["b"][1:]), rtol=1e-7)
    assert_allclose(table["se"], of_points * np.array(theirs["se"][1:]), rtol=1e-7)
    assert found.regression.errors == "linearized"


@pytest.mark.parametrize("name", DESIGNS)
def test_corrected_slopes_have_the_errors_of_the_design(reference, data, name):
    theirs = reference("outcomes_design.json")[name]
    fit = fit_of(data, **DESIGNS[name])
    found = csi.outcomes.corrected_slopes(fit, "CUSL1", ["eiv"], index="Q", reliability=0.8).table
    se, degf = theirs["slope"]["se"], theirs["degf"]
    # a reliability that is known divides slope and error
    assert_allclose(found["slope"], theirs["slope"]["b"] / np.array([1.0, 0.8]), rtol=1e-7)
    assert_allclose(found["se"], se / np.array([1.0, 0.8]), rtol=1e-7)
    assert found["df"].tolist() == [degf, degf]


def test_a_reliability_of_its_own_error_moves_with_the_strata(data):
    model = csi.Model.from_syntax("Q =~ CUSA1 + CUSA2 + CUSA3\nC =~ CUSCO\nC ~ Q")
    scale = {**SCALE, "CUSA3": (1, 10)}
    units = data.groupby("stratum")["psu"].nunique()
    rows = []
    for size in (1e12 * units, 2.0 * units):
        survey = csi.read_survey(data, scale=scale, items=list(scale), **UNITS,
                                 population=size.to_dict())  # fmt: skip
        fit = csi.fit(model, survey, csi.PLS(modes="unit"))
        rows.append(csi.outcomes.corrected_slopes(fit, "CUSL1", ["eiv"], index="Q").table.iloc[1])
    # where half of each stratum was drawn, half the variance is left
    assert_allclose(rows[1]["se"], rows[0]["se"] / np.sqrt(2.0), rtol=1e-6)


def test_a_census_has_no_error(data):
    fit = fit_of(data, population=len(data))
    slopes = csi.outcomes.corrected_slopes(fit, "CUSL1", ["eiv"], index="Q", reliability=0.8).table
    for table in (by_time(data, population=len(data)).coefficients, slopes):
        assert (table["se"] == 0).all()
        assert (table["reason"] == CENSUS).all()


@pytest.mark.parametrize("name", DESIGNS)
def test_groups_have_the_errors_of_the_design(reference, data, name):
    theirs = reference("outcomes_design.json")[name]
    survey = survey_of(data, **DESIGNS[name])
    found = csi.outcomes.complaint_repurchase(
        survey, complained="spoke", handling="CUSCO", repurchase="CUSL1", satisfied="CUSA1"
    )
    table = found.table.loc[theirs["groups"]["names"]]
    assert_allclose(table["mean"], theirs["groups"]["mean"], rtol=1e-9)
    assert_allclose(table["se"], theirs["groups"]["se"], rtol=1e-9)
    assert (table["df"] <= theirs["degf"]).all()
    apart = found.paradox.loc["handled well - no complaint"]
    assert_allclose(apart["difference"], theirs["groups"]["difference"], rtol=1e-8)
    assert_allclose(apart["se"], theirs["groups"]["difference_se"], rtol=1e-9)
    rate = found.rates.loc["complaint rate"]
    assert_allclose([rate["share"], rate["se"]], list(theirs["rate"].values()), rtol=1e-9)
    assert rate["df"] == theirs["degf"]
    drop = csi.outcomes.repurchase_top_drop(
        survey, satisfaction="CUSA1", repurchase="CUSL1", top=(9, 10), below=(7, 8)
    ).table.loc["all"]
    assert_allclose([drop["drop"], drop["se"]], list(theirs["drop"].values()), rtol=1e-8)
    rates = csi.outcomes.money.buying_rates(survey, bought="high", existing="old")
    shares = [*theirs["buying"]["share"], theirs["buying"]["difference"]]
    assert_allclose(rates["share"], shares, rtol=1e-8)
    errors = [*theirs["buying"]["se"], theirs["buying"]["difference_se"]]
    assert_allclose(rates["se"], errors, rtol=1e-8)


def test_domains_have_the_units_they_touch(data):
    survey = survey_of(data, **DESIGNS["strata"])
    rates = csi.outcomes.money.buying_rates(survey, bought="high", existing="old")
    for old, label in ((1, "existing"), (0, "new")):
        part = data[data["old"] == old]
        units = part.groupby("stratum")["psu"].nunique()
        assert rates.loc[label, "df"] == units.sum() - len(units)
    markets = csi.outcomes.repurchase_top_drop(
        survey, satisfaction="CUSA1", repurchase="CUSL1", by="sex", top=(9, 10), below=(7, 8),
        fewest=5,
    )  # fmt: skip
    (p,), (of_pair,) = markets.tests["p"], markets.pairwise["p"]
    assert_allclose(p, of_pair, rtol=1e-9)  # of two markets F(1, d) is the square of t


def test_shares_of_a_census_are_known(data):
    survey = survey_of(data, population=len(data))
    rates = csi.outcomes.money.buying_rates(survey, bought="high", existing="old")
    assert (rates["se"] == 0).all()
    assert (rates["reason"] == CENSUS).all()
    assert_allclose(rates[["lower", "upper"]], rates[["share", "share"]])


def test_rows_without_a_weight_are_no_units(data):
    half = data["id"] % 2 == 0
    light = data.assign(weight=data["weight"].where(half, 0.0))
    whole = csi.outcomes.money.buying_rates(
        survey_of(light, strata="stratum"), bought="high", existing="old"
    )
    kept = csi.outcomes.money.buying_rates(
        survey_of(data[half], strata="stratum"), bought="high", existing="old"
    )
    pd.testing.assert_frame_equal(whole, kept)


def test_clusters_of_ones_own_beside_strata_are_refused(data):
    survey = survey_of(data, **UNITS)
    with pytest.raises(
        csi.errors.OptionError, match=r"^cluster='psu2' names other clusters than the surv"
    ):
        csi.outcomes.money.buying_rates(survey, bought="high", existing="old", cluster="psu2")
    alone = data.assign(stratum=data["stratum"].where(data["psu"] != data["psu"].iloc[0], 99))
    survey = survey_of(alone, strata="stratum", cluster="psu", lonely="fail")
    with pytest.raises(
        csi.errors.SurveyError, match=r"hold a single cluster or respondent \(lonely='fail'"
    ):
        csi.outcomes.money.buying_rates(survey, bought="high", existing="old")


def test_slopes_between_groups_say_what_they_leave_out(data):
    fit = fit_of(data, **DESIGNS["full"])
    found = csi.outcomes.corrected_slopes(fit, "CUSL1", index="Q", by="psu2")
    (finding,) = [f for f in found.diagnostics if f.code == "design-unused"]
    assert str(finding).startswith("The survey's strata and finite population do not enter")
    given = {"firm": "psu2", "period": "sex", "index": "Q", "scale": (1, 10), "effects": "firm"}
    panel = csi.outcomes.repurchase_panel(fit, "CUSL1", **given)
    mixed = csi.outcomes.repurchase_mixed(
        fit, "CUSL1", by="psu2", index="Q", scale=(1, 10), model="population-averaged"
    )
    for other in (panel, mixed):
        assert finding in other.diagnostics
    plain = csi.outcomes.corrected_slopes(
        fit_of(data, cluster="psu2"), "CUSL1", index="Q", by="psu2"
    )
    assert "design-unused" not in {f.code for f in plain.diagnostics}
