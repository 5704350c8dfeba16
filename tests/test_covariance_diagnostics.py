"""Every covariance estimator names what is wrong with a degenerate solution."""

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import EstimationError

COMPLETE = [
    csi.ML(),
    csi.ML(se="mlr"),
    csi.LeastSquares("uls"),
    csi.LeastSquares("gls"),
    csi.LeastSquares("dwls"),
]
GAPS = [csi.ML(missing="fiml"), csi.ML(missing="two-stage")]
EVERY = pytest.mark.parametrize("estimator", [*COMPLETE, *GAPS], ids=lambda one: one.label)
SIXTEEN = (
    "I =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5\n"
    "Q =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6\n"
    "V =~ PERV1 + PERV2\nS =~ CUSA1 + CUSA2 + CUSA3\nQ ~ I\nV ~ Q\nS ~ Q + V"
)
LONELY = "A =~ PERQ1 + PERQ2\nB =~ PERV1 + PERV2\nB ~ 0*A"


@pytest.fixture(scope="module")
def heywood():
    """Correlations .8, .8 and .5 of three items: the first would load 1.13."""
    cor = np.array([[1.0, 0.8, 0.8], [0.8, 1.0, 0.5], [0.8, 0.5, 1.0]])
    draws = np.random.default_rng(1).standard_normal((300, 3)) @ np.linalg.cholesky(cor).T
    return pd.DataFrame(draws, columns=list("abc"))


def data_for(estimator, frame):
    """Take some cells away for the estimators of incomplete answers."""
    frame = frame.astype(float)
    if estimator not in GAPS:
        return frame
    return frame.mask(np.random.default_rng(0).random(frame.shape) < 0.02)


def told(fit):
    return {finding.code: finding for finding in fit.diagnostics}


@EVERY
def test_what_is_not_identified_is_named_by_what_hangs_together(estimator, mobi):
    fit = csi.fit(csi.Model.from_syntax(LONELY), data_for(estimator, mobi.data), estimator)
    assert not fit.converged
    finding = told(fit)["not-identified"]
    assert finding.severity == "failure"
    assert finding.values["sets"] == (
        "(A =~ PERQ2, A ~~ A, PERQ1 ~~ PERQ1, PERQ2 ~~ PERQ2)",
        "(B =~ PERV2, B ~~ B, PERV1 ~~ PERV1, PERV2 ~~ PERV2)",
    )
    assert "NOT CONVERGED" in repr(fit)


@EVERY
def test_a_free_error_of_a_single_item_is_named(estimator, mobi):
    model = csi.Model.from_syntax(
        "Q =~ PERQ1 + PERQ2 + PERQ3\nV =~ PERV1\nS =~ CUSA1\nPERV1 ~~ PERV1\nV ~ Q\nS ~ V + Q"
    )
    finding = told(csi.fit(model, data_for(estimator, mobi.data), estimator))["not-identified"]
    # S ~ V takes part as far as the estimated effect is not zero.
    assert set(finding.subjects) - {"S ~ V"} == {"V ~~ V", "PERV1 ~~ PERV1"}
    assert "V ~~ V and PERV1 ~~ PERV1 cannot be told apart, so" in str(finding)


@pytest.mark.parametrize("estimator", COMPLETE, ids=lambda one: one.label)
def test_items_tied_by_a_formula_are_named(estimator, mobi):
    frame = mobi.data.assign(PERQ7=mobi.data["PERQ1"] + mobi.data["PERQ2"])
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ2 + PERQ3 + PERQ7\nV =~ PERV1 + PERV2\nV ~ Q")
    fit = csi.fit(model, frame, estimator)
    assert not fit.converged
    found = told(fit)
    assert found["singular-items"].severity == "failure"
    assert found["collinear-items"].subjects == ("PERQ1", "PERQ2", "PERQ7")


@pytest.mark.parametrize("estimator", GAPS, ids=lambda one: one.label)
def test_incomplete_items_tied_by_a_formula_are_named(estimator, mobi):
    frame = mobi.data.astype(float).assign(PERQ7=mobi.data["PERQ1"] + mobi.data["PERQ2"])
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ2 + PERQ3 + PERQ7\nV =~ PERV1 + PERV2\nV ~ Q")
    frame = frame.mask(np.random.default_rng(0).random(frame.shape) < 0.02)
    with pytest.raises(EstimationError, match="covariances of PERQ1, PERQ2 and PERQ7 are not pos"):
        csi.fit(model, frame, estimator)


@EVERY
def test_twelve_rows_for_sixteen_items_estimate_nothing(estimator, mobi):
    model, frame = csi.Model.from_syntax(SIXTEEN), data_for(estimator, mobi.data.iloc[:12])
    sentence = (
        "Nothing was estimated because 12 rows for 16 items leave the covariances of the items "
        "singular; collect more rows, use fewer items, or PLS."
    )
    if estimator in GAPS:
        with pytest.raises(EstimationError) as refused:
            csi.fit(model, frame, estimator)
        assert str(refused.value) == sentence
        return
    fit = csi.fit(model, frame, estimator)
    assert not fit.converged
    assert str(told(fit)["singular-items"]) == sentence
    with pytest.raises(EstimationError, match="Nothing was estimated because 12 rows"):
        csi.fit(model, frame, estimator, strict=True)


@EVERY
def test_an_error_variance_driven_negative_is_a_failure(estimator, heywood):
    model = csi.Model.from_syntax("F =~ a + b + c")
    fit = csi.fit(model, data_for(estimator, heywood), estimator)
    found = told(fit)
    assert found["negative-error-variance"].severity == "failure"
    assert found["negative-error-variance"].subjects == ("a", "F")
    assert "below 0, which cannot be (a Heywood case)" in str(found["negative-error-variance"])
    # Not a question asked the other way round: the items correlate as they should.
    assert str(found["negative-weight"]).endswith(
        "it comes from the error variance of a below 0, so do not use the index of 'F', or take "
        "its weights from PLS."
    )
    assert "converged, " in repr(fit)  # never alone
    with pytest.raises(EstimationError, match="Heywood"):
        csi.fit(model, data_for(estimator, heywood), estimator, strict=True)


@pytest.mark.parametrize("estimator", COMPLETE, ids=lambda one: one.label)
def test_the_ecsi_on_mobi_draws_several_findings(estimator, ecsi, mobi):
    fit = csi.fit(ecsi, mobi, estimator)
    found = told(fit)
    assert {"few-rows-per-parameter", "exploding-errors", "constructs-alike", "path-beyond-1"} <= (
        set(found)
    )
    assert "the model is nearly unidentified in these data" in str(found["exploding-errors"])
    assert "findings>" in repr(fit)
    if isinstance(estimator, csi.LeastSquares) and estimator.weights != "uls":
        assert "negative-disturbance-variance" in found
        assert found["construct-correlations-not-positive-definite"].severity == "failure"


def groups_of(mobi, few):
    return mobi.data.assign(g=np.where(np.arange(250) < few, "few", "many"))


def test_a_group_with_too_few_rows_is_named(mobi):
    model = csi.Model.from_syntax(SIXTEEN)
    with pytest.raises(EstimationError) as refused:
        csi.fit_multigroup(model, groups_of(mobi, 12), "g")
    assert str(refused.value) == (
        "Group few: Nothing was estimated because 12 rows for 16 items leave the covariances of "
        "the items singular; collect more rows, use fewer items, or PLS."
    )
    with pytest.raises(EstimationError, match=r"Group few: .* only 2 rows and at least 3"):
        csi.fit_multigroup(model, groups_of(mobi, 2), "g")
    apart = csi.fit_groups(model, groups_of(mobi, 12), "g", csi.ML())
    assert not apart["few"].converged
    assert told(apart["few"])["singular-items"].severity == "failure"
    assert apart["many"].converged


def test_a_small_group_is_told_of_in_the_joint_fit(mobi):
    fit = csi.fit_multigroup(csi.Model.from_syntax(SIXTEEN), groups_of(mobi, 25), "g")
    found = [str(finding) for finding in fit.diagnostics]
    assert found[0] == (
        "There are 250 rows for 104 parameters of all groups, fewer than 5 for each, so errors and "
        "χ² are rough; set more parameters equal, join groups, or use a smaller model."
    )
    assert found[1] == (
        "Group few has fewer than 30 respondents, too few to compare groups by χ²; join groups or "
        "leave them out."
    )
    assert any(one.startswith("Group few: The error variance of 'PERV2'") for one in found)
    assert repr(fit).endswith(f"converged, {len(found)} findings>")


def test_groups_not_identified_name_the_parameters_and_the_group(mobi):
    frame = mobi.data.assign(g=["a", "b"] * 125)
    fit = csi.fit_multigroup(csi.Model.from_syntax(LONELY), frame, "g", equal="loadings")
    assert not fit.converged
    (finding,) = [one for one in fit.diagnostics if one.code == "not-identified"]
    assert finding.values["sets"][0].startswith("(A =~ PERQ2, A ~~ A of a, PERQ1 ~~ PERQ1 of a, ")
    assert "B ~~ B of b" in finding.subjects
    assert "NOT CONVERGED" in repr(fit)


@pytest.mark.parametrize("said", ["PERQ1 ~~ -50*PERQ1", "B ~ start(1000000000000)*A"])
def test_a_start_that_is_not_positive_definite_is_not_called_converged(mobi, said):
    text = f"A =~ PERQ1 + PERQ2 + PERQ3\nB =~ CUSA1 + CUSA2 + CUSA3\nB ~ A\n{said}"
    fit = csi.fit(csi.Model.from_syntax(text), mobi, csi.ML())
    assert not fit.converged
    assert str(fit.diagnostics[-1]) == (
        "Nothing was estimated because the values to start from imply covariances that cannot be "
        f"(not positive definite); change the values given in {said!r}."
    )
    assert fit.diagnostics[-1].severity == "failure"


def test_a_definition_without_a_value_has_no_error(mobi):
    text = "A =~ PERQ1 + PERQ2 + PERQ3\nB =~ CUSA1 + CUSA2 + CUSA3\nB ~ q*A\nx := q/0\ny := 2*q"
    defined = csi.fit(csi.Model.from_syntax(text), mobi, csi.ML()).defined
    assert np.isnan(defined.loc["x", "se"])
    assert np.isfinite(defined.loc["y", "se"])


def test_one_item_has_fit_measures_without_correlations(mobi):
    fit = csi.fit(csi.Model.from_syntax("A =~ PERQ1"), mobi, csi.ML())
    assert fit.fit_measures["df"] == 0
