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
    return csi.repurchase_time(
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
    found = csi.repurchase_asymmetry(
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
    found = csi.corrected_slopes(fit, "CUSL1", ["eiv"], index="Q", reliability=0.8).table
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
        rows.append(csi.corrected_slopes(fit, "CUSL1", ["eiv"], index="Q").table.iloc[1])
    # where half of each stratum was drawn, half the variance is left
    assert_allclose(rows[1]["se"], rows[0]["se"] / np.sqrt(2.0), rtol=1e-6)


def test_a_census_has_no_error(data):
    fit = fit_of(data, population=len(data))
    slopes = csi.corrected_slopes(fit, "CUSL1", ["eiv"], index="Q", reliability=0.8).table
    for table in (by_time(data, population=len(data)).coefficients, slopes):
        assert (table["se"] == 0).all()
        assert (table["reason"] == CENSUS).all()
