"""Robust errors with survey weights and clusters against lavaan, and what is said without them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from wordings import row_of

import csimodel as csi
from csimodel.errors import EstimationError
from csimodel.estimators import Status
from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.robust import sandwich
from csimodel.estimators.covariance.tests_of_fit import about_model
from csimodel.moments.fourth import fourth_moments
from csimodel.moments.gamma import DenseGamma

ML = {"MLR": "mlr", "MLM": "mlm", "MLMV": "mlmv", "MLMVS": "mlmvs"}


@pytest.fixture(scope="module")
def lavaan(reference):
    return reference("mobi_scaled.json")


@pytest.fixture(scope="module")
def reduced(reference):
    return csi.Model.from_syntax(reference("mobi_lavaan.json")["reduced_syntax"])


@pytest.fixture(scope="module")
def frame(mobi):
    row = np.arange(1, 251)
    return mobi.data.assign(w=0.3 + (37 * row % 100) / 50, firm=13 * row % 41)


@pytest.fixture(scope="module")
def surveys(mobi, frame):
    return {
        "weighted": csi.read_survey(frame, weights="w"),
        "clustered": csi.read_survey(frame, cluster="firm"),
        "both": csi.read_survey(frame, weights="w", cluster="firm"),
    }


def compare_errors(fit, theirs, rel):
    table = fit.parameters.set_index(["lhs", "op", "rhs"])
    standard = zip(*(theirs["standardized"][k] for k in ("lhs", "op", "rhs", "se")), strict=True)
    rows = zip(*(theirs["estimates"][k] for k in ("lhs", "op", "rhs", "est", "se")), strict=True)
    compared = 0
    for lhs, op, rhs, estimate, se in rows:
        ours = table.loc[(lhs, op, rhs)]
        assert ours["estimate"] == pytest.approx(estimate, rel=rel, abs=1e-9)
        if se:
            assert ours["se"] == pytest.approx(se, rel=rel)
            compared += 1
    for lhs, op, rhs, se in standard:
        # lavaan differentiates numerically.
        assert table.loc[(lhs, op, rhs), "std_se"] == pytest.approx(se, rel=1e-5, abs=1e-7)
    return compared


@pytest.mark.parametrize("name", [*ML, "MLR_means", "MLM_means"])
def test_robust_errors_equal_lavaan(reduced, mobi, lavaan, name):
    kind, *means = name.split("_")
    fit = csi.fit(reduced, mobi, csi.ML(se=ML[kind], means=bool(means)))
    assert compare_errors(fit, lavaan[name], 1e-8) == (69 if means else 48)


@pytest.mark.parametrize("name", ["weighted", "clustered", "both"])
def test_errors_of_a_survey_equal_lavaan(reduced, surveys, lavaan, name):
    fit = csi.fit(reduced, surveys[name], csi.ML(se="robust", means=True))
    assert compare_errors(fit, lavaan[name], 1e-8) == 69
    ours, theirs = fit.fit_measures, lavaan[name]["fit_measures"]
    pairs = {"chisq": "chisq", "chisq_scaled": "chisq.scaled", "logl": "logl", "cfi": "cfi"}
    pairs |= {"cfi_robust": "cfi.robust", "rmsea_robust": "rmsea.robust"}
    pairs |= {"rmsea_upper_robust": "rmsea.ci.upper.robust", "srmr": "srmr"}
    for own, key in pairs.items():
        assert ours[own] == pytest.approx(theirs[key], rel=1e-7), own
    assert not [f for f in fit.diagnostics if f.code.startswith("errors-ignore")]


def test_errors_without_means_are_those_with_them(reduced, surveys):
    plain, means = (
        csi.fit(reduced, surveys["both"], csi.ML(se="mlr", means=m)).parameters
        for m in (False, True)
    )
    means = means[means["op"] != "~1"].reset_index(drop=True)
    pd.testing.assert_frame_equal(plain, means, rtol=1e-6, atol=1e-9)


def test_a_weight_of_2_is_a_row_twice_for_estimates(reduced, frame):
    double = frame.assign(w=1.0 + (np.arange(250) % 2))
    rows = np.repeat(np.arange(250), 1 + np.arange(250) % 2)
    weighted = csi.fit(reduced, csi.read_survey(double, weights="w"), csi.ML(se="robust"))
    twice = csi.fit(reduced, frame.iloc[rows].reset_index(drop=True), csi.ML())
    np.testing.assert_allclose(
        weighted.parameters["estimate"], twice.parameters["estimate"], atol=1e-8
    )
    # Rows that are copies tell nothing new: errors are those of clusters of copies.
    copies = frame.iloc[rows].assign(copy=rows).reset_index(drop=True)
    clustered = csi.fit(reduced, csi.read_survey(copies, cluster="copy"), csi.ML(se="robust"))
    ratio = clustered.parameters["se"] / weighted.parameters["se"]
    np.testing.assert_allclose(ratio.dropna(), np.sqrt(250 / 249), rtol=1e-6)


def test_equal_weights_and_lone_clusters_change_nothing(reduced, mobi, frame):
    plain = csi.fit(reduced, mobi, csi.ML(se="mlr"))
    even = frame.assign(w=3.0, firm=np.arange(250))
    weighted = csi.fit(reduced, csi.read_survey(even, weights="w"), csi.ML(se="mlr"))
    pd.testing.assert_frame_equal(weighted.parameters, plain.parameters, rtol=1e-7, atol=1e-9)
    alone = csi.fit(reduced, csi.read_survey(even, cluster="firm"), csi.ML(se="mlr"))
    ratio = (alone.parameters["se"] / plain.parameters["se"]).dropna()
    np.testing.assert_allclose(ratio, np.sqrt(250 / 249), rtol=1e-9)


def test_errors_that_ignore_the_design_are_said(reduced, surveys, frame):
    fit = csi.fit(reduced, surveys["both"], csi.ML())
    (finding,) = [f for f in fit.diagnostics if f.code == "errors-ignore-design"]
    assert (finding.subjects, finding.severity) == (("weights", "clusters"), "warning")
    assert (finding.values["rows"], finding.values["others"]) == (250, ("clusters",))
    assert f"{finding.values['effective']:.0f}" == "208"
    assert {"others", "effective"} <= set(row_of(finding).values)
    half = frame.assign(region=np.arange(250) % 2)
    strata = csi.read_survey(half, strata="region")
    (note,) = csi.fit(reduced, strata, csi.ML(se="mlr")).diagnostics
    assert (note.code, note.severity) == ("errors-ignore-strata", "note")
    assert note.values == {"estimator": "MLR"}
    codes = {f.code for f in csi.fit(reduced, strata, csi.LeastSquares("gls")).diagnostics}
    assert "errors-ignore-design" in codes
    assert "errors-ignore-design" not in {f.code for f in csi.fit(reduced, strata).diagnostics}


def test_moments_alone_are_refused_at_once(reduced, mobi):
    moments = csi.moments.moments_of(mobi, reduced.items)
    for se in ("mlr", "mlm"):
        with pytest.raises(EstimationError) as told:
            csi.fit(reduced, moments, csi.ML(se=se))
        assert str(told.value) == (
            f"se={se!r} needs the answers, and this fit was made from moments; fit a survey or a "
            "data frame, or use se='expected'."
        )


def test_resamples_of_a_robust_fit_need_no_fourth_moments(reduced, mobi):
    boot = csi.bootstrap(csi.fit(reduced, mobi, csi.ML(se="robust")), 25, 1, progress=False)
    plain = csi.bootstrap(csi.fit(reduced, mobi, csi.ML()), 25, 1, progress=False)
    np.testing.assert_array_equal(boot.draws("paths"), plain.draws("paths"))


def test_gamma_about_the_model_is_that_of_moved_answers():
    rng = np.random.default_rng(3)
    values = rng.exponential(1.0, (400, 3)) @ rng.normal(size=(3, 3))
    mean, cov = values.mean(axis=0), np.cov(values.T, bias=True)
    gap, residual = np.array([0.3, -0.2, 0.1]), np.diag([0.4, -0.1, 0.2])
    off = values - (mean - gap)
    row, column = np.array([0, 1, 2, 1, 2, 2]), np.array([0, 0, 0, 1, 1, 2])
    moments = np.hstack([off, off[:, row] * off[:, column] - (cov - residual)[row, column]])
    expected = moments.T @ moments / 400
    found = about_model(fourth_moments(values), gap, residual, 1.0)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    low = about_model(fourth_moments(values)[3:, 3:], None, residual, 1.0)
    centred = values - mean
    products = centred[:, row] * centred[:, column] - (cov - residual)[row, column]
    np.testing.assert_allclose(low, products.T @ products / 400, atol=1e-12)


def test_intervals_cover_under_skewed_answers():
    """95 % intervals of MLR cover in 300 samples of skewed answers; those of normal theory miss."""
    model = csi.Model.from_syntax("F =~ a + b + c\nG =~ d + e + f\nG ~ F")
    rng = np.random.default_rng(11)
    samples, rows, truth = 300, 400, {"F ~~ F": 1.0, "G ~ F": 0.5, "F =~ b": 1.0}
    factor = rng.exponential(1, (samples, rows, 1)) - 1
    other = 0.5 * factor + 0.8 * (rng.exponential(1, (samples, rows, 1)) - 1)
    noise = 0.6 * (rng.exponential(1, (samples, rows, 6)) - 1)
    answers = np.concatenate([factor] * 3 + [other] * 3, axis=-1) + noise
    moments = csi.Moments.from_array(answers, list("abcdef"))
    batch = csi.ML(se="mlr").estimate(moments, model)
    assert (batch.outcome == 0).all()
    names = list(batch.layout.names)
    places = [names.index(name) for name in truth]
    covered = {"mlr": [], "expected": []}
    for k in range(samples):
        own = replace(moments[k], gamma=DenseGamma(fourth_moments(answers[k])))
        for se, found in covered.items():
            at = batch.parameters[k]
            one = Fitted(model, csi.ML(se=se), (batch.layout,), (own,), at, 0.0, Status.CONVERGED)
            covariance = sandwich(one) if se == "mlr" else one.inverse()
            far = 1.96 * np.sqrt(np.diag(covariance))[places]
            found.append(np.abs(batch.parameters[k, places] - list(truth.values())) < far)
    robust, normal = (np.mean(covered[se], axis=0) for se in covered)
    # Monte Carlo error .013; errors from fourth moments are a little small at 400 rows.
    assert (robust > 0.89).all()
    assert (robust < 0.98).all()
    assert normal[0] < 0.8
