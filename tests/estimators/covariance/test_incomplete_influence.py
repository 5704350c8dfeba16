"""Influence values after full information and two stages: MLR, complete data, units left out."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.robust import sandwich
from csimodel.findings import collected
from csimodel.index import design_effects, leading_group
from csimodel.inference import influence_values
from csimodel.inference.incomplete_influence import IncompleteInfluence

TEXT = """
    Image =~ IMAG1 + IMAG2 + IMAG3
    Satisfaction =~ CUSA1 + CUSA2 + CUSA3
    Satisfaction ~ Image
"""
MODEL = csi.Model.from_syntax(TEXT)
ITEMS = list(MODEL.items)
WAYS = ["fiml", "two-stage"]


@pytest.fixture(scope="module")
def incomplete(mobi):
    """Answers to Image that are missing the more often the less satisfied a respondent is."""
    rng = np.random.default_rng(0)
    data = mobi.data[ITEMS].astype(float)
    low = 1 / (1 + np.exp(data["CUSA1"] - 6))
    for item in ("IMAG1", "IMAG2"):
        data.loc[rng.random(250) < 0.7 * low, item] = np.nan
    firm, weight = np.arange(250) % 30, rng.uniform(0.5, 2.0, 250)
    half = np.where(np.arange(250) % 2, "a", "b")
    return data.assign(firm=firm, weight=weight, whole="all", half=half)


def fit_of(data, missing, model=MODEL, **design):
    survey = csi.read_survey(data, scale=(1, 10), items=ITEMS, missing="pairwise", **design)
    return csi.fit(model, survey, csi.ML(missing=missing))


DESIGNS = [{}, {"weights": "weight"}, {"weights": "weight", "cluster": "firm"}]


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("text", [TEXT, TEXT.replace("IMAG2 + IMAG3", "a*IMAG2 + a*IMAG3")])
def test_parameters_have_the_errors_of_mlr(incomplete, design, text):
    survey = csi.read_survey(incomplete, scale=(1, 10), items=ITEMS, missing="pairwise", **design)
    model = csi.Model.from_syntax(text)
    fit = csi.fit(model, survey, csi.ML(missing="fiml", se="robust"))
    pulls = fit.answers.design.totals(IncompleteInfluence.of(fit).parameters)
    ours = fit.answers.design.covariance(pulls) if "cluster" in design else pulls.T @ pulls
    theirs = sandwich(Fitted.of(fit.solution))
    assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8 * np.abs(theirs).max())


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("missing", WAYS)
@pytest.mark.parametrize(
    "quantity", ["index", "paths", "total_effects", "loadings", "r2", "weights"]
)
def test_complete_answers_have_the_values_of_complete_answers(
    mobi, incomplete, missing, design, quantity
):
    data = incomplete.assign(**{item: mobi.data[item].astype(float) for item in ITEMS})
    ours = influence_values(fit_of(data, missing, **design), quantity)
    theirs = influence_values(fit_of(data, "survey", **design), quantity)
    assert_allclose(ours, theirs, atol=2e-5 * max(1e-6, np.abs(theirs).max()))


@pytest.mark.parametrize("missing", WAYS)
def test_values_are_the_limit_of_leaving_out(incomplete, missing):
    """All rows twelve times: a row left out moves an estimate by its value, to order 1/n."""
    rows = pd.concat([incomplete] * 12, ignore_index=True)
    whole = fit_of(rows, missing)
    for quantity in ("index", "paths", "r2"):
        values = influence_values(whole, quantity)
        entries = csi.estimators.find(quantity)
        for row in (0, 17, 101):
            without = fit_of(rows.drop(index=row), missing)
            moved = entries.values(whole.solution) - entries.values(without.solution)
            assert_allclose(values[row], moved, atol=0.02 * np.abs(values).max())


@pytest.mark.parametrize("missing", WAYS)
def test_the_index_has_errors_like_those_of_draws(incomplete, missing):
    for design in ({}, {"cluster": "firm"}):
        fit = fit_of(incomplete, missing, **design)
        boot = csi.bootstrap(fit, 400, rng=1, progress=False)
        for by in (None, "half"):
            ours, theirs = (
                csi.index_scores(fit, by=by),
                csi.index_scores(fit, by=by, bootstrap=boot),
            )
            assert (ours["reason"] == "").all()
            assert_allclose(ours["se"], theirs["se"], rtol=0.15)
        assert design_effects(fit).notna().all(axis=None)
        assert leading_group(fit, "half", "Image").table["se"].notna().all()


@pytest.mark.parametrize("missing", WAYS)
def test_a_group_that_holds_everybody_has_the_error_of_all(incomplete, missing):
    fit = fit_of(incomplete, missing)
    whole, group = csi.index_scores(fit), csi.index_scores(fit, by="whole").loc["all"]
    assert_allclose(group["se"], whole["se"], rtol=1e-5)


def test_a_fit_without_a_solution_has_no_errors(incomplete):
    survey = csi.read_survey(incomplete, scale=(1, 10), items=ITEMS, missing="pairwise")
    fit = csi.fit(MODEL, survey, csi.ML(missing="fiml", max_iterations=1))
    assert not fit.converged
    with collected() as findings:
        table = csi.index_scores(fit)
    assert [finding.code for finding in findings] == ["index-without-solution"]
    assert table["se"].isna().all()
    assert (table["reason"] != "").all()
