"""Models fitted by semopy, judged by our own discrepancy."""

import logging
import warnings

import numpy as np
import pytest
from wordings import row_of

import csimodel as csi
from csimodel.errors import ModelError, OptionError

# lavaan 0.6-14 on the full ECSI, polished to a zero gradient (mobi_lavaan.json).
ECSI_CHISQ, ECSI_CFI = 575.571282, 0.876544


@pytest.fixture(scope="module")
def model():
    return csi.Model.from_syntax("""
        Value =~ PERV1 + PERV2
        Complaints =~ CUSCO
        Satisfaction =~ CUSA1 + CUSA2 + CUSA3
        Satisfaction ~ Value
        Complaints ~ Satisfaction
    """)


@pytest.mark.parametrize(
    ("objective", "own"),
    [
        ("MLW", csi.ML()),
        ("GLS", csi.LeastSquares("gls")),
        ("DWLS", csi.LeastSquares("dwls")),
    ],
)
def test_with_a_sharp_stop_semopy_reaches_our_solution(objective, own, model, mobi):
    theirs = csi.fit(model, mobi, csi.Semopy(objective, ftol=1e-14))
    ours = csi.fit(model, mobi, own)
    assert theirs.converged
    assert theirs.diagnostics == ()
    assert float(theirs.estimates.gradient) < 1e-6
    np.testing.assert_allclose(theirs.paths, ours.paths, atol=1e-6)
    np.testing.assert_allclose(theirs.loadings, ours.loadings, atol=1e-6)
    np.testing.assert_allclose(
        theirs.parameters[["estimate", "se"]], ours.parameters[["estimate", "se"]], atol=1e-5
    )
    np.testing.assert_allclose(theirs.fit_measures, ours.fit_measures, rtol=1e-6, atol=1e-8)


@pytest.mark.filterwarnings("ignore")
def test_semopy_alone_stops_at_the_same_place(model, mobi):
    import semopy

    alone = semopy.Model(model.to_semopy())
    objective = alone.fit(mobi.data).fun
    fit = csi.fit(model, mobi, csi.Semopy())
    assert fit.fit_measures["chisq"] == pytest.approx(250 * objective, abs=1e-3)
    assert alone.mx_theta.sum() == pytest.approx(
        fit.parameters.query("op == '~~' and lhs in @mobi.data")["estimate"].sum(), rel=1e-3
    )


def test_uls_counts_covariances_twice(model, mobi):
    fit = csi.fit(model, mobi, csi.Semopy("ULS", ftol=1e-14))
    assert fit.converged
    gap = fit.moments.cov - fit.implied_cov.to_numpy()
    assert fit.fit_measures["chisq"] == pytest.approx(249 * (gap**2).sum(), rel=1e-9)
    apart = fit.moments.cov - np.diag(np.diag(fit.moments.cov))
    assert fit.fit_measures["baseline_chisq"] == pytest.approx(249 * (apart**2).sum(), rel=1e-9)
    assert np.isnan(fit.fit_measures["aic"])


def test_uls_of_semopy_and_ours_part_where_variances_are_restricted(mobi):
    model = csi.Model.from_syntax(
        "V =~ PERV1 + PERV2\nS =~ CUSA1 + CUSA2 + CUSA3\nS ~ V\n"
        "CUSA1 ~~ e*CUSA1\nCUSA2 ~~ e*CUSA2\nCUSA3 ~~ e*CUSA3"
    )
    theirs = csi.fit(model, mobi, csi.Semopy("ULS", ftol=1e-14))
    ours = csi.fit(model, mobi, csi.LeastSquares("uls"))
    assert theirs.converged
    assert abs(theirs.loadings - ours.loadings).to_numpy().max() > 1e-4


def test_where_it_stopped_short_the_fit_says_so(ecsi, mobi):
    fit = csi.fit(ecsi, mobi, csi.Semopy())
    assert not fit.converged
    missed = fit.fit_measures["chisq"] - ECSI_CHISQ
    assert 0.01 < missed < 2.0  # 575.96; where in the flat valley hangs on rounding
    assert fit.fit_measures["cfi"] == pytest.approx(ECSI_CFI, abs=1e-3)  # and not 1.000
    (finding,) = (one for one in fit.diagnostics if one.code == "stopped-short")
    assert finding.severity == "failure"
    assert finding.values["here"] == pytest.approx(fit.fit_measures["chisq"])
    assert finding.values["gap"] == pytest.approx(missed, abs=1e-4)
    assert finding.values["lowest"] == pytest.approx(575.571, abs=5e-4)
    assert fit.estimates.lowest_is_minimum
    assert fit.parameters["se"].isna().all()  # there are no errors away from a minimum
    assert "NOT CONVERGED" in repr(fit)
    with pytest.raises(csi.errors.EstimationError, match="no solution"):
        fit.modification_indices()


def test_a_sharper_stop_finds_the_minimum_of_the_ecsi(ecsi, mobi):
    fit = csi.fit(ecsi, mobi, csi.Semopy(ftol=1e-14))
    assert fit.fit_measures["chisq"] == pytest.approx(ECSI_CHISQ, abs=1e-6)
    assert fit.fit_measures["cfi"] == pytest.approx(ECSI_CFI, abs=1e-6)


def test_a_small_miss_is_a_warning(model, mobi):
    fit = csi.fit(model, mobi, csi.Semopy())
    (finding,) = fit.diagnostics
    assert finding.severity == "warning"
    assert finding.values["here"] == pytest.approx(15.9144, abs=5e-5)
    assert finding.values["lowest"] == pytest.approx(15.91424, abs=5e-6)
    assert finding.values["gradient"] == float(fit.estimates.gradient)
    assert (finding.values["bound"], finding.values["ftol"]) == ((), csi.Semopy().ftol)


def test_at_its_bound_semopy_is_not_at_a_minimum(mobi):
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ3 + PERQ5\nV =~ PERV1 + PERV2\nV ~ 0.5*Q")
    fit = csi.fit(model, mobi, csi.Semopy(ftol=1e-14))
    ours = csi.fit(model, mobi, csi.ML()).fit_measures["chisq"]
    (finding,) = (one for one in fit.diagnostics if one.code == "stopped-short")
    assert not fit.converged
    assert finding.subjects == ("PERV2",)
    assert finding.values["bound"] == ("PERV2",)
    assert finding.values["lowest"] == pytest.approx(ours, abs=5e-4)
    assert "bound" in row_of(finding).values


def test_moments_are_enough_and_restrictions_hold(mobi):
    model = csi.Model.from_syntax(
        "Q =~ PERQ1 + k*PERQ2 + k*PERQ3\nV =~ PERV1 + PERV2 + CUSA1\nV ~ Q\nPERQ1 ~~ PERQ2"
    )
    sharp = csi.Semopy(ftol=1e-14)
    fit = csi.fit(model, csi.fit(model, mobi, csi.ML()).moments, sharp)
    np.testing.assert_array_equal(fit.estimates.paths, csi.fit(model, mobi, sharp).estimates.paths)
    loading = fit.parameters.query("op == '=~'").set_index("rhs")["estimate"]
    assert loading["PERQ2"] == loading["PERQ3"]


def test_nothing_is_printed_logged_or_warned(ecsi, mobi, capfd, caplog):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        csi.fit(ecsi, mobi, csi.Semopy())
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
    assert logging.root.manager.disable == logging.NOTSET


def test_unusable_answers_are_named_as_for_ml(model, mobi):
    copied = mobi.data.assign(CUSA2=mobi.data["CUSA1"])
    ours, theirs = (csi.fit(model, copied, by) for by in (csi.ML(), csi.Semopy()))
    assert not theirs.converged
    assert list(map(str, theirs.diagnostics)) == list(map(str, ours.diagnostics))
    with pytest.raises(csi.errors.EstimationError, match="no solution"):
        theirs.fit_measures  # noqa: B018


def test_what_semopy_cannot_do_is_refused(model, mobi):
    fit = csi.fit(model, mobi, csi.Semopy())
    grouped = mobi.data.assign(half=["a", "b"] * 125)
    one_at_a_time = (
        "csi.Semopy() fits one sample at a time, so it has no bootstrap, jackknife or groups; fit "
        "with csi.ML(), which has the same solution, and take them from there."
    )
    for refused in (
        lambda: csi.bootstrap(fit, draws=10),
        lambda: csi.jackknife(fit).table("paths"),
        lambda: csi.fit_groups(model, grouped, by="half", estimator=csi.Semopy()),
    ):
        with pytest.raises(OptionError) as told:
            refused()
        assert str(told.value) == one_at_a_time
    with pytest.raises(OptionError) as told:
        csi.fit_multigroup(model, grouped, "half", csi.Semopy())
    assert str(told.value) == (
        "means=True is not for csi.Semopy(), which fits covariances with each construct's first "
        "loading fixed; use csi.ML()."
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objective": "FIML"}, "objective='FIML' is not offered, because semopy's likelihood of "
         "incomplete answers leaves out their means; use csi.ML(missing='fiml')."),
        ({"objective": "WLS"}, "objective='WLS' is not known (did you mean 'DWLS'?); use one of "
         "'MLW', 'ULS', 'GLS', 'DWLS'."),
        ({"ftol": 0.0}, "ftol=0.0 must be a number above 0, for example 1e-14."),
        ({"scaling": "variance"}, "scaling='variance' is not for csi.Semopy(), which fits covariances "
         "with each construct's first loading fixed; use csi.ML()."),
    ],
)  # fmt: skip
def test_options_that_are_refused(options, message):
    with pytest.raises(OptionError) as told:
        csi.Semopy(**options)
    assert str(told.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A <~ PERQ1 + PERQ2\nB =~ PERV1 + PERV2\nB ~ A", "semopy takes constructs as common factors, and "
         "'A' is a composite; define it with =~, or use PLS or csi.ML()."),
        ("A =~ PERQ1 + PERQ2 + PERQ3\nPERQ1 ~ 0*1", "The model speaks of intercepts, and csi.Semopy() fits "
         "covariances only; take them out or estimate with csi.ML()."),
        ("A =~ PERQ1 + k*PERQ2 + PERQ3\nt := 2*k", "semopy cannot be told 't := 2*k': it knows no "
         "definitions, take them out or estimate with csi.ML()."),
    ],
)  # fmt: skip
def test_models_that_are_refused(text, message, mobi):
    with pytest.raises(ModelError) as told:
        csi.fit(csi.Model.from_syntax(text), mobi, csi.Semopy())
    assert str(told.value) == message


def test_a_curvature_without_a_value_is_no_minimum():
    from csimodel.estimators.covariance.semopy import _judged

    class Nowhere:
        def implied(self, parameters):
            return parameters

        def local(self, at, who, observed):
            return np.zeros((1, 5)), np.full((1, 5, 5), np.nan)

        def value(self, at, who):
            return np.zeros(1)

    assert not _judged(Nowhere(), np.zeros(5), 5).settled.any()
