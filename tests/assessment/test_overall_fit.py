"""The test of overall fit: other programs, laws, and what cannot be."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from wordings import row_of

import csimodel as csi
from csimodel.assessment import d_g, nfi, rms_theta, srmr
from csimodel.assessment.global_fit import distances
from csimodel.errors import CsimodelError, InferenceError, ModelError, OptionError, SurveyError

M = csi.Model.from_syntax
NAMES = {"SRMR": "srmr", "dL": "d_uls", "dG": "d_g"}
LN10 = np.log(10.0) ** 2
SMALL = "Q =~ PERQ1 + PERQ3 + PERQ5\nS =~ CUSA1 + CUSA2 + CUSA3\nS ~ Q"


def composites():
    return M(csi.models.ecsi().to_syntax().replace("=~", "<~"))


@pytest.fixture(scope="module")
def rows():
    path = "tests/reference/mobi_overall_fit_rows.csv"
    return np.loadtxt(path, delimiter=",", dtype=int) - 1


@pytest.fixture(scope="module")
def small(mobi):
    return csi.fit(M(SMALL), mobi, csi.PLS(consistent=True))


@pytest.fixture(scope="module")
def mode_a(mobi, rows):
    fit = csi.fit(composites(), mobi, csi.PLS(modes="A", tolerance=1e-12))
    return csi.overall_fit(fit, resamples=rows, progress=False)


@pytest.mark.parametrize("model", ["estimated", "saturated"])
def test_natural_logarithms_and_unit_variances_on_given_resamples(reference, mode_a, model):
    told = reference("mobi_overall_fit.json")["unit_variances"][model]
    quantiles = mode_a.quantiles(told["quantiles"]["probs"])
    for name, own in NAMES.items():
        row = mode_a.table.loc[(model, own)]
        assert row["estimate"] == pytest.approx(told["statistic"][name], abs=1e-12)
        np.testing.assert_allclose(quantiles[model, own], told["quantiles"][name], atol=1e-12)
        assert row["critical"] == pytest.approx(told["quantiles"][name][2], abs=1e-12)
        assert (row["share"], row["p"], row["draws"]) == (0.0, 1 / 500, 499)


def test_another_program_takes_variances_that_are_not_one(reference, mode_a):
    """cSEM's SRMR of the paths as drawn, which `srmr` gives, and its logarithm to base 10."""
    told = reference("mobi_overall_fit.json")["composite_modeA_estimated"]["statistic"]
    own = mode_a.table["estimate"]["estimated"]
    assert srmr(mode_a.fit.solution) == pytest.approx(told["SRMR"], abs=1e-12)
    assert own["srmr"] != pytest.approx(told["SRMR"], abs=1e-4)
    assert d_g(mode_a.fit.solution) == pytest.approx(told["dG"] * LN10, abs=1e-10)
    assert own["d_g"] != pytest.approx(told["dG"], abs=1e-2)
    saturated = distances(mode_a.fit.solution, saturated=True)
    assert saturated["srmr"] == pytest.approx(srmr(mode_a.fit.solution, saturated=True))


@pytest.mark.parametrize(
    ("key", "consistent", "modes"),
    [("composite_modeB", False, "B"), ("factor_plsc", True, None)],
)
def test_saturated_draws_of_another_program(reference, mobi, rows, key, consistent, modes):
    told = reference("mobi_overall_fit.json")[f"{key}_saturated"]
    model = csi.models.ecsi() if consistent else composites()
    estimator = csi.PLS(consistent=consistent, modes=modes, tolerance=1e-12)
    test = csi.overall_fit(csi.fit(model, mobi, estimator), resamples=rows[:50], progress=False)
    own = test.draws["saturated"]
    np.testing.assert_allclose(own["srmr"], told["draws"]["SRMR"], atol=1e-11)
    np.testing.assert_allclose(own["d_g"], np.array(told["draws"]["dG"]) * LN10, atol=1e-9)
    row = test.table.loc[("saturated", "srmr")]
    assert row["estimate"] == pytest.approx(told["statistic"]["SRMR"], abs=1e-11)


def test_implied_variances_are_one(mode_a):
    """And the paths lead to the correlations implied: regressions on them give the paths back."""
    solution = mode_a.fit.solution
    implied = solution.unit_construct_cor
    np.testing.assert_allclose(np.diag(implied), 1.0)
    for target in np.flatnonzero(solution.model.adjacency.any(axis=1)):
        sources = np.flatnonzero(solution.model.adjacency[target])
        own = np.linalg.solve(implied[np.ix_(sources, sources)], implied[sources, target])
        np.testing.assert_allclose(own, solution.estimates.paths[target, sources], atol=1e-12)


def test_answers_are_turned_until_the_model_holds(small, mobi):
    """The sample itself as a resample has no distance, where the estimator is consistent."""
    once = np.tile(np.arange(250), (20, 1))
    test = csi.overall_fit(small, resamples=once, progress=False)
    np.testing.assert_allclose(test.draws, 0.0, atol=1e-7)
    assert (test.table["verdict"] == "rejected").all()
    assert (test.table["p"] == 1 / 21).all()


def test_the_measurement_alone_where_all_paths_are_drawn(small):
    test = csi.overall_fit(small, 40, rng=3, progress=False)
    estimated, saturated = (test.draws[model] for model in ("estimated", "saturated"))
    np.testing.assert_allclose(estimated, saturated, atol=1e-12)
    again = csi.overall_fit(small, 40, rng=3, progress=False)
    pd.testing.assert_frame_equal(test.draws, again.draws)


def test_weights_and_clusters_are_drawn_as_by_the_bootstrap(mobi):
    frame = mobi.data.assign(w=1.0, firm=np.arange(250) % 25)
    plain = csi.fit(M(SMALL), csi.read_survey(frame))
    weighted = csi.fit(M(SMALL), csi.read_survey(frame, weights="w"))
    first, second = (csi.overall_fit(f, 20, 1, progress=False).draws for f in (plain, weighted))
    np.testing.assert_allclose(first, second, atol=1e-9)
    clustered = csi.fit(M(SMALL), csi.read_survey(frame, cluster="firm"))
    test = csi.overall_fit(clustered, 20, 1, progress=False)
    assert test.design.kind == "cluster"
    assert np.isfinite(test.draws).all(axis=None)


def test_what_is_said(mode_a, small):
    codes = {finding.code for finding in mode_a.findings}
    assert codes == {"model-rejected"}
    easy = csi.overall_fit(small, 30, 1, level=0.99, progress=False)
    assert {finding.code for finding in easy.findings} <= {"model-not-rejected", "model-rejected"}
    for finding in (*mode_a.findings, *easy.findings):
        assert row_of(finding)
    assert "Distances" in str(mode_a)
    assert "<table" in mode_a._repr_html_()


def test_a_model_that_no_answers_obey(mobi):
    fit = csi.fit(M(SMALL), mobi, csi.PLS(consistent=True))
    beyond = replace(fit.estimates, loadings=fit.estimates.loadings * 1.4)
    impossible = replace(fit, solution=replace(fit.solution, estimates=beyond))
    test = csi.overall_fit(impossible, 20, progress=False)
    assert test.table["p"].isna().all()
    assert (test.table["verdict"] == "not judged").all()
    assert test.table["reason"].str.contains("not positive definite").all()
    finding = test.findings[0]
    assert (finding.code, finding.severity) == ("no-test-of-fit", "warning")
    assert row_of(finding)


@pytest.mark.parametrize(
    ("text", "rows", "reason"),
    [("Q =~ PERQ1\nS =~ CUSA1\nS ~ Q", 250, "reproduces any"), (SMALL, 6, "of the items are not")],
)
def test_what_cannot_be_tested_is_not_judged(mobi, text, rows, reason):
    fit = csi.fit(M(text), mobi.data.iloc[:rows], csi.PLS())
    test = csi.overall_fit(fit, 30, 1, progress=False)
    assert test.table[["critical", "p", "share"]].isna().all(axis=None)
    assert (test.table["verdict"] == "not judged").all()
    assert test.table["reason"].str.contains(reason).all()
    findings = [finding for finding in test.findings if finding.code == "no-test-of-fit"]
    assert [finding.subjects for finding in findings] == [("estimated",), ("saturated",)]
    assert all(row_of(finding) and reason in str(finding) for finding in findings)


def test_refits_without_a_solution_are_counted(mobi, ecsi):
    enough = csi.fit(ecsi, mobi).iterations + 1
    fit = csi.fit(ecsi, mobi, csi.PLS(max_iterations=enough))
    test = csi.overall_fit(fit, 200, 1, progress=False)
    lost = int(test.failed.sum())
    assert lost == test.draws.xs("srmr", axis=1, level=1).isna().sum().sum() > 0
    (finding,) = (own for own in test.findings if own.code == "lost-draws")
    assert finding.values["lost"] == lost
    assert row_of(finding)
    assert (test.table["draws"].unstack()["srmr"].sum() + lost) == 400
    with pytest.raises(InferenceError, match="a p-value needs at least 20"):
        csi.overall_fit(fit, 20, 1, progress=False)


def test_many_refits_without_a_solution_leave_nothing_to_judge(mobi, ecsi):
    enough = csi.fit(ecsi, mobi).iterations
    test = csi.overall_fit(
        csi.fit(ecsi, mobi, csi.PLS(max_iterations=enough)), 100, 1, progress=False
    )
    assert (test.table["verdict"] == "not judged").all()
    assert test.table["p"].isna().all()
    assert (test.table["reason"] == "too few refits with a solution").all()
    assert [(own.code, own.severity) for own in test.findings] == [
        ("no-test-of-fit", "warning"), ("no-test-of-fit", "warning"), ("lost-draws", "failure"),
    ]  # fmt: skip
    assert all(row_of(finding) for finding in test.findings)


@pytest.mark.parametrize("which", ["path_modeA", "path_plsc"])
def test_fit_indices_of_another_program(mobi, which):
    """cSEM's NFI and RMS theta, from the run whose values are in mobi_assessment.json."""
    told = {
        "path_modeA": (0.634498859039741, 0.0646732341513443),
        "path_plsc": (0.785797325881779, 0.099446278633767),
    }[which]
    estimator = csi.PLS(consistent=which == "path_plsc", tolerance=1e-13)
    solution = csi.fit(csi.models.ecsi(), mobi, estimator).solution
    assert nfi(solution) == pytest.approx(told[0], abs=1e-10)
    assert rms_theta(solution) == pytest.approx(told[1], abs=1e-10)


def test_what_cannot_be_is_named(mobi, small):
    cases = [
        (csi.fit(M(SMALL), mobi, csi.ML()), OptionError, "bollen_stine"),
        (csi.fit(M(SMALL), small.moments), SurveyError, "overall_fit"),
        (csi.fit(M(f"{SMALL}\nS ~ Q^2"), mobi), ModelError, "overall_fit"),
        ("mobi.csv", OptionError, "overall_fit"),
    ]
    for fit, error, words in cases:
        with pytest.raises(error, match=words):
            csi.overall_fit(fit, 20, progress=False)
    frame = mobi.data.copy()
    frame.loc[:9, "PERQ1"] = np.nan
    filled = csi.fit(M(SMALL), csi.read_survey(frame, missing="mean"))
    with pytest.raises(SurveyError, match="needs complete answers"):
        csi.overall_fit(filled, 20)
    for option in ({"draws": 0}, {"level": 95}, {"resamples": [[300]]}, {"rng": "a"}):
        with pytest.raises(CsimodelError):
            csi.overall_fit(small, **option)
    with pytest.raises(InferenceError, match="at least 20"):
        csi.overall_fit(small, 5, progress=False)
