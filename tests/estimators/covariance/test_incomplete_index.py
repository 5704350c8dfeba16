"""The index, its groups and regressions on it after full information: one estimator, and said."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.index.expected import Expected

MODEL = """
    Image =~ IMAG1 + IMAG2 + IMAG3
    Satisfaction =~ CUSA1 + CUSA2 + CUSA3
    Satisfaction ~ Image
"""


@pytest.fixture(scope="module")
def gaps(mobi):
    """Answers to Image that are missing the more often the less satisfied a respondent is."""
    rng = np.random.default_rng(0)
    data = mobi.data[[*(f"IMAG{i}" for i in (1, 2, 3)), *(f"CUSA{i}" for i in (1, 2, 3))]].copy()
    low = 1 / (1 + np.exp(data["CUSA1"] - 6))
    for item in ("IMAG1", "IMAG2"):
        data.loc[rng.random(250) < 0.7 * low, item] = np.nan
    data = data.assign(whole="all", half=np.where(np.arange(250) % 2, "a", "b"))
    return csi.read_survey(data, scale=(1, 10), missing="pairwise")


@pytest.fixture(scope="module", params=["fiml", "two-stage"])
def fit(request, gaps):
    return csi.fit(csi.Model.from_syntax(MODEL), gaps, csi.ML(missing=request.param))


def test_a_group_that_holds_everybody_has_the_index_of_all(fit):
    whole = csi.index_scores(fit)["mean"]
    group = csi.index_scores(fit, by="whole").loc["all", "mean"]
    assert_allclose(group, whole, rtol=1e-7)
    halves = csi.index_scores(fit, by="half")["mean"].unstack()
    assert_allclose(halves.mean(), whole[halves.columns], rtol=1e-7)


def test_expected_answers_are_the_regression_on_those_given(fit, gaps):
    values, moments = fit.answers.values, fit.moments
    expected = Expected.of(fit.answers, moments)
    row = int(np.flatnonzero(np.isnan(values).sum(axis=1) == 2)[0])
    o, m = ~np.isnan(values[row]), np.isnan(values[row])
    slope = np.linalg.solve(moments.cov[np.ix_(o, o)], moments.cov[np.ix_(o, m)])
    guess = values[row].copy()
    guess[m] = moments.mean[m] + (values[row, o] - moments.mean[o]) @ slope
    whole = int(np.flatnonzero(~np.isnan(values).any(axis=1))[0])
    found = expected.points(np.array([row, whole]), np.array([[1.0, 1.0]]), moments)[0]
    assert_allclose(found, ((guess + values[whole]) / 2 - 1) / 9 * 100, rtol=1e-12)
    alone = expected.points(np.array([row]), np.ones((1, 1)), moments)[0]
    assert np.isnan(alone[m]).all()


def test_a_group_that_holds_everybody_has_the_draws_of_all(gaps):
    fit = csi.fit(csi.Model.from_syntax(MODEL), gaps, csi.ML(missing="fiml"))
    boot = csi.bootstrap(fit, draws=30, rng=1, progress=False)
    whole = csi.index_scores(fit, bootstrap=boot)
    group = csi.index_scores(fit, by="whole", bootstrap=boot).loc["all"]
    for column in ("mean", "se", "lower", "upper"):
        assert_allclose(group[column], whole[column], rtol=1e-4)


def test_pairwise_answers_are_not_filled(gaps):
    fit = csi.fit(csi.Model.from_syntax(MODEL), gaps, csi.PLS())
    assert Expected.of(fit.answers, fit.moments) is None
    group = csi.index_scores(fit, by="whole").loc["all", "mean"]
    assert_allclose(group, csi.index_scores(fit)["mean"], rtol=1e-12)


def test_a_regression_after_full_information_says_whom_it_looks_at(fit, mobi):
    again = mobi.data["CUSL1"]
    found = csi.repurchase(fit, again, index="Image", scale=(1, 10))
    (finding,) = [f for f in found.findings if f.code == "complete-cases"]
    assert finding.values["used"] == found.n < 250
    assert finding.values["total"] == 250
    sure = csi.repurchase(fit, again, index="Satisfaction", scale=(1, 10))
    assert "complete-cases" not in [f.code for f in sure.findings]
