"""Least squares for covariance structures against lavaan, and their laws."""

import numpy as np
import pytest

import csimodel as csi
from csimodel.errors import EstimationError
from csimodel.estimators.covariance.findings import _SMALL, several_minima
from csimodel.estimators.covariance.least_squares import normal_weight


@pytest.fixture(scope="module")
def lavaan(reference):
    return reference("mobi_least_squares.json")


@pytest.fixture(scope="module")
def reduced(reference):
    return csi.Model.from_syntax(reference("mobi_lavaan.json")["reduced_syntax"])


@pytest.fixture(scope="module", params=["gls", "uls", "dwls"])
def case(request, reduced, mobi, lavaan):
    return csi.fit(reduced, mobi, csi.LeastSquares(request.param)), lavaan[request.param.upper()]


def test_fit_measures_equal_lavaan(case):
    fit, theirs = case
    assert theirs["converged"]
    assert fit.estimates.gradient < 1e-6
    names = {"chisq": "chisq", "df": "df", "baseline_chisq": "baseline.chisq", "cfi": "cfi"}
    for ours, name in (names | {"tli": "tli", "rmsea": "rmsea", "srmr": "srmr"}).items():
        assert fit.fit_measures[ours] == pytest.approx(theirs["fit_measures"][name], rel=1e-5)
    assert np.isnan(fit.fit_measures["aic"])


def test_estimates_and_errors_equal_lavaan(case):
    fit, theirs = case
    table = fit.parameters.set_index(["lhs", "op", "rhs"])
    keys = zip(*(theirs["estimates"][k] for k in ("lhs", "op", "rhs", "est", "se")), strict=True)
    for lhs, op, rhs, estimate, se in keys:
        ours = table.loc[(lhs, op, rhs)]
        assert ours["estimate"] == pytest.approx(estimate, rel=1e-3, abs=1e-3)
        if se:
            assert ours["se"] == pytest.approx(se, rel=1e-3)


@pytest.mark.parametrize(("weights", "name"), [("uls", "sem_uls"), ("dwls", "sem_dwls")])
def test_the_full_model_equals_lavaan(ecsi, mobi, weights, name, lavaan):
    fit, theirs = csi.fit(ecsi, mobi, csi.LeastSquares(weights)), lavaan[name]
    assert fit.fit_measures["chisq"] == pytest.approx(theirs["chisq"], rel=1e-4)
    assert fit.fit_measures["chisq"] < theirs["chisq"] + 1e-4
    for ours, key in (("cfi", "cfi"), ("tli", "tli"), ("srmr", "srmr")):
        assert fit.fit_measures[ours] == pytest.approx(theirs[key], rel=1e-4)


@pytest.mark.parametrize("weights", ["gls", "uls"])
def test_population_moments_in_parameters_out(reduced, mobi, weights):
    estimator = csi.LeastSquares(weights)
    truth = csi.fit(reduced, mobi, csi.ML())
    moments = csi.Moments.from_cov(truth.implied_cov.to_numpy(), 500, reduced.items)
    found = csi.fit(reduced, moments, estimator)
    np.testing.assert_allclose(found.estimates.parameters, truth.estimates.parameters, atol=1e-7)
    assert found.fit_measures["chisq"] == pytest.approx(0, abs=1e-9)


def test_gls_weight_is_the_curvature_of_normal_theory():
    cov = np.array([[2.0, 0.5, 0.3], [0.5, 1.0, 0.2], [0.3, 0.2, 1.5]])
    inverse = np.linalg.inv(cov)
    move = np.array([[0.3, 0.1, -0.2], [0.1, -0.4, 0.05], [-0.2, 0.05, 0.2]])
    vector = np.array([0.3, 0.1, -0.2, -0.4, 0.05, 0.2])
    expected = 0.5 * np.trace(inverse @ move @ inverse @ move)
    assert vector @ normal_weight(cov, False) @ vector == pytest.approx(expected, rel=1e-12)


def test_dwls_needs_answers(reduced, mobi):
    with pytest.raises(EstimationError) as told:
        csi.fit(reduced, csi.moments.moments_of(mobi, reduced.items), csi.LeastSquares("dwls"))
    assert str(told.value) == (
        "DWLS weighs every covariance by its own sampling error, which needs the answers and these "
        "are moments; fit a survey, one group at a time, or use csi.ML()."
    )


@pytest.mark.parametrize("weights", ["uls", "dwls", "gls"])
def test_p_values_of_fit_are_given_only_where_the_distribution_is_known(weights, reduced, mobi):
    fit = csi.fit(reduced, mobi, csi.LeastSquares(weights))
    values = fit.fit_measures.filter(regex="pvalue$")
    assert values.notna().all() if weights == "gls" else values.isna().all()
    assert ("p < .001" in str(fit.summary())) == (weights == "gls")
    assert np.isfinite(fit.fit_measures[["chisq", "cfi", "rmsea", "srmr"]]).all()


@pytest.mark.parametrize(("apart", "told"), [(0.9, False), (1.1, True), (np.nan, False)])
def test_minima_that_differ_by_less_than_rounding_are_one(apart, told):
    other = 0.5 + apart * _SMALL / 250
    findings = list(several_minima(other, 0.5, 250.0))
    assert [f.code for f in findings] == ["several-minima"] * told
    if told:
        assert findings[0].values == {"lowest": 125.0, "other": pytest.approx(250 * other)}
