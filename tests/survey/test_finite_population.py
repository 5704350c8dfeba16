"""Samples of a finite population: R's survey, the two limits, and what is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from wordings import row_of

import csimodel as csi
from csimodel.index import leading_group
from csimodel.inference.sources import CENSUS
from csimodel.moments import Resampling
from csimodel.report.provenance import code
from csimodel.survey.sampling import SurveyDesign

HERE = Path(__file__).parents[1] / "reference"
MODEL = csi.Model.from_syntax("A =~ CUSA1\nB =~ CUSL1\nC =~ index\nB ~ A\nC ~ A")
SCALE = {"CUSA1": (1, 10), "CUSL1": (1, 10), "index": (0, 100)}
UNITS = {"strata": "stratum", "cluster": "psu"}


@pytest.fixture(scope="module")
def data():
    frame = pd.read_csv(HERE / "mobi_survey_data.csv")
    drawn = frame.groupby("stratum")["psu"].transform("nunique")
    return frame.assign(share=drawn / frame["fpc"], endless=1e15, drawn=drawn)


def survey_of(data, **design):
    return csi.read_survey(data, scale=SCALE, items=list(SCALE), weights="weight", **design)


def fit_of(data, **design):
    return csi.fit(MODEL, survey_of(data, **design))


DESIGNS = {
    "full": {**UNITS, "population": "fpc"},
    "shares": {**UNITS, "population": "share"},
    "rows_of_400": {"population": 400},
    "clusters_of_400": {"cluster": "psu", "population": 400},
}


@pytest.mark.parametrize("name", DESIGNS)
def test_errors_are_those_of_r(reference, data, name):
    theirs = reference("mobi_finite_population.json")[name]
    fit = fit_of(data, **DESIGNS[name])
    row = csi.index_scores(fit).loc["C"]
    assert_allclose([row["mean"], row["se"]], [theirs["mean"], theirs["se"]], rtol=1e-8)
    assert row["df"] == theirs["degf"]
    region = csi.index_scores(fit, by="region").xs("C", level="construct")
    assert_allclose(region[["mean", "se"]].to_numpy().T, list(theirs["region"].values()), rtol=1e-8)
    found = csi.repurchase(fit, "rep01", index="C", scale=(0, 1))
    assert found.errors == "linearized"
    assert_allclose(found.coefficients["estimate"], theirs["quasibinomial"]["b"], rtol=1e-8)
    assert_allclose(found.coefficients["se"], theirs["quasibinomial"]["se"], rtol=1e-8)


def test_jackknife_is_that_of_r_and_draws_come_near(reference, data):
    theirs = reference("mobi_finite_population.json")
    fit = fit_of(data, **DESIGNS["full"])
    found = csi.jackknife(fit).table("index").loc["C", "se"]
    assert_allclose(found, theirs["jackknife"]["within"], rtol=1e-8)
    assert_allclose(found, theirs["jackknife"]["of_r"], rtol=1e-4)
    for name, design in DESIGNS.items():
        fit = fit_of(data, **design)
        drawn = csi.bootstrap(fit, 3000, rng=1, progress=False).table("index").loc["C", "se"]
        assert_allclose(drawn, theirs[name]["se"], rtol=0.05)


def test_lonely_and_certain_strata_are_treated_as_in_r(reference, data):
    theirs = reference("mobi_finite_population.json")
    eighth = data["stratum"] == 8
    kept = data[~eighth | (data["psu"] == data.loc[eighth, "psu"].min())].reset_index(drop=True)
    for lonely, own in theirs["lonely"].items():
        row = csi.index_scores(fit_of(kept, **DESIGNS["full"], lonely=lonely)).loc["C"]
        assert_allclose([row["mean"], row["se"]], [own["mean"], own["se"]], rtol=1e-8)
    kept.loc[kept["stratum"] == 8, "fpc"] = 1
    fit = fit_of(kept, **DESIGNS["full"], lonely="fail")
    row = csi.index_scores(fit).loc["C"]
    assert_allclose([row["mean"], row["se"]], list(theirs["certain"].values()), rtol=1e-8)
    assert "lonely-strata" not in [finding.code for finding in fit.diagnostics]


def test_an_endless_population_is_as_none(data):
    for units in ({}, {"cluster": "psu"}, {"strata": "stratum"}, UNITS):
        plain, endless = fit_of(data, **units), fit_of(data, **units, population="endless")
        for by in (None, "region"):
            ours, theirs = (csi.index_scores(fit, by=by) for fit in (endless, plain))
            pd.testing.assert_frame_equal(ours, theirs, rtol=1e-9)
        ours, theirs = (csi.jackknife(fit).table("paths") for fit in (endless, plain))
        pd.testing.assert_frame_equal(ours, theirs, rtol=1e-9)
        if units:
            ours, theirs = (csi.bootstrap(f, 100, progress=False) for f in (endless, plain))
            assert_allclose(ours.values("paths"), theirs.values("paths"), rtol=1e-6)


def test_a_census_has_errors_of_zero_and_says_why(data):
    census = data.assign(one=1.0)
    for units in ({}, {"cluster": "psu"}, {"strata": "stratum"}, UNITS):
        fit = fit_of(census, **units, population="one" if units else 1)
        boot = csi.bootstrap(fit, 60, progress=False)
        tables = [csi.index_scores(fit), csi.index_scores(fit, bootstrap=boot)]
        tables += [boot.table("paths", interval=kind) for kind in ("percentile", "t", "bca")]
        tables += [csi.jackknife(fit).table("paths"), csi.index_scores(fit, by="region")]
        tables += [csi.index_scores(fit, by="region", bootstrap=boot)]
        tables += [csi.repurchase(fit, "rep01", index="C", scale=(0, 1)).coefficients]
        for table in tables:
            assert (table["se"] == 0).all()
            assert (table["reason"] == CENSUS).all()
            value = table["mean" if "mean" in table else "estimate"]
            assert_allclose(table["lower"], value, rtol=1e-12)
        assert "census" in [finding.code for finding in fit.diagnostics]


def test_strata_that_were_asked_whole_add_nothing(data):
    """Of two regions one was asked whole: its single-item indexes have no error."""
    frame = data.assign(half=np.where(data["region"] == "S", "S", "rest"))
    sizes = {"S": int((frame["half"] == "S").sum()), "rest": 5000}
    fit = fit_of(frame, strata="half", population=sizes)
    boot = csi.bootstrap(fit, 100, progress=False)
    for draws in (None, boot):
        table = csi.index_scores(fit, by="half", bootstrap=draws).xs("C", level="construct")
        assert table.loc["S", ["se", "reason"]].tolist() == [0.0, CENSUS]
        assert table.loc["rest", "se"] > 0.5
    assert leading_group(fit, "half", "C").table["se"].iloc[0] > 0


def test_counts_have_the_variance_of_drawing_without_replacement():
    """E c = 1 and Var Σ c x = (1 - m/N) m/(m - 1) Σ (x - x̄)² in each stratum (Rao, Wu 1988)."""
    stratum = np.repeat([0, 1], [5, 8])
    population = np.where(stratum == 0, 8.0, 40.0)
    x = np.random.default_rng(3).normal(size=13)
    drawn = Resampling("stratified", 13, 200_000, 1, stratum, population=population)
    sums = np.concatenate([counts @ x for counts in drawn])
    design = SurveyDesign.of(13, stratum, population=population)
    parts = [np.sum((x[stratum == h] - x[stratum == h].mean()) ** 2) for h in (0, 1)]
    exact = (1 - 5 / 8) * 5 / 4 * parts[0] + (1 - 8 / 40) * 8 / 7 * parts[1]
    assert_allclose(design.variance(x[:, None])[0], exact, rtol=1e-12)
    assert_allclose(sums.var(), exact, rtol=0.02)
    assert_allclose(sums.mean(), x.sum(), atol=5 * np.sqrt(exact / 200_000))


def test_a_part_is_as_large_a_share_as_its_strata(data):
    fit = fit_of(data, **DESIGNS["full"])
    part = fit.answers.part(np.flatnonzero(fit.answers.strata < 3))
    whole = fit.answers.design
    assert_allclose(part.design.remainder, whole.remainder)
    assert_allclose(np.unique(part.population), np.unique(whole.population[:3]))
    rows = np.flatnonzero(data["psu"].to_numpy() % 2 == 0)
    shared = fit.answers.part(rows)
    drawn = [len(np.unique(own)) for own in (shared.cluster, fit.answers.cluster)]
    assert drawn[0] < drawn[1]
    sizes = np.bincount(shared.strata[np.unique(shared.cluster, return_index=True)[1]])
    assert_allclose(
        sizes / shared.population[np.unique(shared.strata, return_index=True)[1]],
        1 - whole.remainder[np.unique(fit.answers.strata[rows])],
    )


def test_rows_without_an_answer_count_as_not_observed(data):
    frame = data.copy()
    frame.loc[:24, "index"] = np.nan
    fit = fit_of(frame, population=250, missing="listwise")
    assert_allclose(fit.answers.design.remainder, [0.1])


@pytest.mark.parametrize(
    ("design", "sentence"),
    [
        ({**UNITS, "population": "drawn", "drop": 4},
         r"^Stratum 3 of 'stratum' has 4 clusters in the data and 3 in the population \(column "
         r"'drawn'\); population counts clusters, and cannot be smaller than the sample\.$"),
        ({"population": 200},
         r"^The survey has 250 respondents in the data and 200 in the population \(option "),
        ({**UNITS, "population": "gaps"}, r"^Column 'gaps', given as population, has 2 missing cel"),
        ({**UNITS, "population": "uneven"},
         r"^Column 'uneven', given as population, holds \d+ and 77 in stratum 1 of 'stratum'; it"),
        ({**UNITS, "population": 500},
         r"^population=500 is one number, and the survey has strata in 'stratum'; give the number"),
        ({"population": {1: 500}}, r"^population gives a number for each stratum, and the survey"),
        ({"strata": "region", "population": {"E": 500, "N": 900}},
         r"^population has no number for 'S' of 'region'; give one for every stratum\.$"),
        ({"strata": "region", "population": {"E": 500, "N": 900, "S": 90, "W": 9}},
         r"^population names 'W', which 'region' does not hold; its strata are 'E', 'N' and 'S'"),
        ({"strata": "region", "population": {"E": 500, "N": 0.5, "S": 900}},
         r"^The population of stratum 'N' of 'region' is 0\.5 \(option population\); others are "),
        ({"population": -3}, r"^The population of the survey is -3 \(option population\); give the"),
        ({"population": "nothing"}, r"^population names the column 'nothing', which is not in the"),
    ],
)  # fmt: skip
def test_populations_that_cannot_be_are_refused(data, design, sentence):
    frame = data.assign(gaps=data["fpc"].mask(data.index < 2), uneven=data["fpc"])
    frame.loc[frame.index[frame["stratum"] == 1][0], "uneven"] = 77
    options = dict(design)
    if options.pop("drop", None):
        frame["drawn"] = frame["drawn"].mask(frame["stratum"] == 3, 3)
    with pytest.raises(csi.errors.SurveyError, match=sentence):
        fit_of(frame, **options)


@pytest.mark.parametrize("population", [True, [3, 4], {"E": "many"}])
def test_populations_of_another_kind_are_refused(data, population):
    with pytest.raises(csi.errors.OptionError, match=r"^population(=| has )"):
        survey_of(data, strata="region", population=population)


def test_draws_of_another_program_are_refused_beside_a_population(data):
    fit = fit_of(data, population=400)
    with pytest.raises(
        csi.errors.OptionError, match=r"^resamples= repeats draws of rows with replacem"
    ):
        csi.bootstrap(fit, resamples=np.zeros((30, 250), int), progress=False)
    with pytest.raises(csi.errors.OptionError, match="of an unlimited population"):
        csi.bootstrap(fit, 30, progress=False).table("paths", interval="studentized")


def test_a_population_is_said(data):
    fit = fit_of(data, **DESIGNS["full"])
    (finding,) = [f for f in fit.diagnostics if f.code == "finite-population"]
    assert (finding.severity, finding.count) == ("note", 29)
    assert finding.values == {"units": 29, "total": 176, "share": 29 / 176}
    assert row_of(finding).case == "clusters"
    assert "population: fpc" in repr(fit.survey)
    text = "[survey]\npopulation = 'fpc'\nstrata = 'stratum'\n"
    assert survey_of(data, codebook=csi.Codebook.from_toml(text)).population == "fpc"


def test_the_code_of_a_report_repeats_the_population(data):
    for population in (400, {"E": 900, "N": 800, "S": 700}):
        strata = "region" if isinstance(population, dict) else None
        survey = survey_of(data, strata=strata, population=population)
        analysis = csi.analyze(survey, MODEL, target="C", draws=25, progress=False)
        assert f"    population={survey.population!r},\n" in code(analysis)
