"""Criteria of PLS models: another program, definitions, and what cannot be."""

import numpy as np
import pytest

import csimodel as csi
from csimodel.assessment import criterion_weights, model_selection
from csimodel.errors import ModelError, OptionError

M = csi.Model.from_syntax
COLUMNS = {"AIC": "aic", "AICc": "aicc", "AICu": "aicu", "BIC": "bic", "FPE": "fpe", "GM": "gm",
           "HQ": "hq", "HQc": "hqc", "Mallows_Cp": "mallows_cp"}  # fmt: skip


def test_criteria_of_another_program(reference, mobi, ecsi):
    told = reference("mobi_selection.json")["by_equation"]
    own = model_selection(csi.fit(ecsi, mobi, csi.PLS(tolerance=1e-13)))
    for name, column in COLUMNS.items():
        for construct, value in told[name].items():
            assert own.loc[construct, column] == pytest.approx(value, abs=1e-9), (name, construct)
    assert own.loc["Satisfaction", "parameters"] == 5


def test_gm_is_not_of_scores_that_are_kept(mobi, ecsi):
    """The saturated model weighs the items anew: a regression on the same scores gives another."""
    fit = csi.fit(ecsi, mobi)
    own = model_selection(fit).loc["Expectation"]
    kept = own["sse"] / (own["sse"] / 249) + 2 * np.log(250)
    assert abs(own["gm"] - kept) > 0.1


def test_weights_of_models(reference, mobi, ecsi):
    told = reference("mobi_selection.json")["weights"]
    own = criterion_weights(told["BIC"])
    np.testing.assert_allclose(own, list(told["akaike_weights"].values()), atol=1e-12)
    left = tuple(p for p in ecsi.paths if (p.source, p.target) != ("Image", "Loyalty"))
    without = csi.fit(csi.Model(ecsi.constructs, left), mobi, csi.PLS(tolerance=1e-13))
    bic = model_selection(without).loc["Loyalty", "bic"]
    assert bic == pytest.approx(told["BIC"]["no_image"], abs=1e-9)


def test_too_few_respondents_have_no_correction(mobi):
    fit = csi.fit(M("S =~ CUSA1\nQ =~ PERQ1\nS ~ Q"), mobi.data.iloc[:4])
    table = model_selection(fit)
    assert np.isnan(table.loc["S", "aicc"])
    assert np.isfinite(table.loc["S", "aic"])


def test_what_cannot_be_is_named(mobi, fit):
    with pytest.raises(OptionError, match="fit_measures"):
        model_selection(csi.fit(M("S =~ CUSA1 + CUSA2\nQ =~ PERQ1 + PERQ3\nS ~ Q"), mobi, csi.ML()))
    with pytest.raises(ModelError, match="model_selection"):
        model_selection(csi.fit(M("S =~ CUSA1\nQ =~ PERQ1\nS ~ Q + Q^2"), mobi))
    for values in ({}, {"a": float("nan")}, {"a": "x"}, [1.0], None):
        with pytest.raises(OptionError, match="values"):
            criterion_weights(values)
