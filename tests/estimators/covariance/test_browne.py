"""Browne's tests of residual moments: lavaan, means, what has none."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.errors import OptionError

NAMES = {
    "normal, sample": "browne.residual.nt",
    "normal, model": "browne.residual.nt.model",
    "distribution-free, sample": "browne.residual.adf",
    "distribution-free, model": "browne.residual.adf.model",
}
SCALED = {
    "mlm": "satorra.bentler",
    "mlmv": "scaled.shifted",
    "mlmvs": "mean.var.adjusted",
}
SMALL = csi.Model.from_syntax("Q =~ PERQ1 + PERQ2 + PERQ3\nS =~ CUSA1 + CUSA2 + CUSA3\nS ~ Q")


@pytest.mark.parametrize("name", ["cfa", "sem"])
def test_lavaan(mobi, reference, name):
    case = reference("mobi_browne.json")[name]
    model = csi.Model.from_syntax(case["syntax"])
    fit = csi.fit(model, mobi, csi.ML())
    for own, theirs in NAMES.items():  # lavaan stopped at gradients of 1e-5
        row = fit.residual_tests.loc[own]
        assert_allclose(row["chisq"], case[theirs]["stat"], rtol=5e-6, err_msg=own)
        assert row["df"] == case[theirs]["df"]
        assert_allclose(row["p"], case[theirs]["pvalue"], rtol=1e-4, atol=1e-14)
    for measure, value in case["measures"].items():
        assert_allclose(fit.fit_measures[measure], value, rtol=1e-6, err_msg=measure)
    for se, theirs in SCALED.items():
        measures = csi.fit(model, mobi, csi.ML(se=se)).fit_measures
        assert_allclose(measures["chisq_scaled"], case[theirs]["stat"], rtol=5e-6, err_msg=se)
        assert_allclose(measures["df_scaled"], case[theirs]["df"], rtol=5e-6)


def test_means_that_are_fitted_change_nothing(mobi):
    plain, means = (csi.fit(SMALL, mobi, csi.ML(means=m)).residual_tests for m in (False, True))
    assert_allclose(means["chisq"], plain["chisq"], rtol=1e-7)
    assert (means["df"] == plain["df"]).all()


def test_any_consistent_fit_has_them(mobi):
    by_ml = csi.fit(SMALL, mobi, csi.ML()).residual_tests
    by_squares = csi.fit(SMALL, mobi, csi.LeastSquares()).residual_tests
    assert_allclose(by_squares["chisq"], by_ml["chisq"], rtol=0.2)


def test_where_there_are_none_a_reason_is_given(mobi):
    moments = csi.Moments.from_array(mobi.data[list(SMALL.items)].to_numpy(float), SMALL.items)
    table = csi.fit(SMALL, moments, csi.ML()).residual_tests
    assert np.isfinite(table["chisq"]).tolist() == [True, True, False, False]
    assert table["reason"].tolist() == ["", "", *["needs complete answers, not moments"] * 2]
    few = csi.fit(SMALL, mobi.data.iloc[:8], csi.ML())
    if few.converged:
        assert few.residual_tests["reason"].iloc[2] == "fewer rows than degrees of freedom"
    five = mobi.data.apply(lambda column: np.searchsorted([4, 6, 7, 8], column) + 1)
    with pytest.raises(OptionError, match="Residual tests are of complete answers as numbers"):
        csi.fit(SMALL, five, csi.WLSMV()).residual_tests  # noqa: B018
    joint = csi.fit_multigroup(SMALL, mobi.data.assign(half=["a", "b"] * 125), "half")
    with pytest.raises(OptionError, match="Residual tests belong to all groups together"):
        joint["a"].residual_tests  # noqa: B018
    composite = csi.Model.from_syntax("Q <~ PERQ1 + PERQ2\nS =~ CUSA1 + CUSA2 + CUSA3\nS ~ Q")
    with pytest.raises(OptionError, match="which tests of residuals would take as known"):
        csi.fit(composite, mobi, csi.ML()).residual_tests  # noqa: B018
