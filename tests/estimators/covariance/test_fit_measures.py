"""Fit measures, scaled and robust ones too, against lavaan and by their laws."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal, ncx2

import csimodel as csi
from csimodel.errors import EstimationError
from csimodel.estimators.covariance.fit_measures import measures_of
from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.residual_measures import residual_measures
from csimodel.estimators.covariance.tests_of_fit import ChiSquare, rmsea, scaled

REFERENCE = Path(__file__).parents[2] / "reference"
KINDS = ("MLR", "MLM", "MLMV", "MLMVS", "MLR_means", "MLM_means")
THEIRS = {
    "rmsea_lower": "rmsea.ci.lower",
    "rmsea_upper": "rmsea.ci.upper",
    "rmsea_notclose_pvalue": "rmsea.notclose.pvalue",
    "rmsea_pvalue": "rmsea.pvalue",
    "baseline_chisq": "baseline.chisq",
    "baseline_df": "baseline.df",
    "baseline_pvalue": "baseline.pvalue",
    "unrestricted_logl": "unrestricted.logl",
    "bic_adjusted": "bic2",
    "scaling_factor": "chisq.scaling.factor",
    "baseline_scaling_factor": "baseline.chisq.scaling.factor",
    "n": "ntotal",
    "srmr_nomean": "srmr_bentler_nomean",
}
OURS_ONLY = (
    "shift",
    "baseline_shift",
    "scaling_mean",
    "chisq_residual",
    "pvalue_residual",
)  # lavaan 0.6-14 does not report them


def their_name(ours):
    """Return lavaan's name of a measure."""
    for end in ("_scaled", "_robust"):
        if ours.endswith(end):
            return f"{their_name(ours.removesuffix(end))}.{end[1:]}"
    return THEIRS.get(ours, ours)


@pytest.fixture(scope="module")
def lavaan(reference):
    return reference("mobi_scaled.json")


@pytest.fixture(scope="module")
def reduced(reference):
    return csi.Model.from_syntax(reference("mobi_lavaan.json")["reduced_syntax"])


@pytest.fixture(scope="module")
def fitted(reduced, mobi):
    def fit(name):
        kind, *means = name.split("_")
        se = "expected" if kind == "ML" else kind.lower()
        return csi.fit(reduced, mobi, csi.ML(se=se, means=bool(means)))

    return fit


def compare(ours, theirs, rel, absent=()):
    """Compare every measure of ours that lavaan has; return how many."""
    compared = 0
    for name, value in ours.items():
        expected = theirs.get(their_name(name), "NA")
        if expected == "NA":
            assert name in OURS_ONLY or name.startswith(tuple(absent)), name
            continue
        # lavaan subtracts p-values from 1.
        assert value == pytest.approx(expected, rel=rel, abs=1e-10), name
        compared += 1
    return compared


def test_every_measure_equals_lavaan(fitted, lavaan):
    assert compare(fitted("ML").fit_measures, lavaan["ML"]["fit_measures"], 1e-8) == 33


@pytest.mark.parametrize("name", KINDS)
def test_every_scaled_measure_equals_lavaan(fitted, lavaan, name):
    # Baselines are of fits at the default stopping rule; MLMVS has no robust measures there.
    absent = ("cfi_r", "tli_r", "rmsea", "nfi_s", "rfi_s") if name == "MLMVS" else ()
    ours = fitted(name).fit_measures
    assert compare(ours, lavaan[name]["fit_measures"], 4e-6, absent) >= 50
    for measure in ("chisq_scaled", "scaling_factor", "rmsea_scaled", "baseline_chisq_scaled"):
        expected = lavaan[name]["fit_measures"][their_name(measure)]
        assert ours[measure] == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("kind", ["ML", "MLR", "MLM", "MLMV"])
def test_measures_of_groups_equal_lavaan(reduced, mobi, reference, lavaan, kind):
    groups = pd.read_csv(REFERENCE / "mobi_group.csv")["group"].to_numpy()
    fit = csi.fit_multigroup(
        reduced,
        mobi.data.assign(group=groups),
        "group",
        csi.ML(se="expected" if kind == "ML" else kind.lower()),
        equal=["loadings", "intercepts"],
    )
    # lavaan's default stopping rule, which p-values show most.
    ours = fit.fit_measures.drop(["pvalue_scaled", "rmsea_pvalue_robust"], errors="ignore")
    assert compare(ours, lavaan[f"groups_{kind}"]["fit_measures"], 1e-4) >= 32


@pytest.mark.parametrize("level", ["configural", "metric", "scalar", "strict"])
def test_residual_measures_of_invariance_levels_equal_lavaan(mobi, reference, level):
    theirs = reference("mobi_groups.json")[level]["fit_measures"]
    text = reference("mobi_lavaan.json")["full_syntax"]
    model = csi.Model.from_syntax("\n".join(x for x in text.splitlines() if "=~" in x))
    groups = pd.read_csv(REFERENCE / "mobi_group.csv")["group"].to_numpy()
    kinds = ("loadings", "intercepts", "errors")
    fit = csi.fit_multigroup(
        model,
        mobi.data.assign(group=groups),
        "group",
        equal=kinds[: ("configural", "metric", "scalar", "strict").index(level)],
    )
    names = [name for name in fit.fit_measures.index if their_name(name) in theirs]
    assert {"srmr", "rmsea"} <= set(names)
    for name in names:
        expected = theirs[their_name(name)]
        assert fit.fit_measures[name] == pytest.approx(expected, rel=2e-4, abs=1e-9), name


def test_a_single_item_leaves_the_baseline_alone(mobi):
    """χ² of the baseline is that of the correlations, whatever is fixed in the model."""
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ3 + PERQ5\nC =~ CUSCO\nC ~ Q")
    fit = csi.fit(model, mobi, csi.ML())
    logdet = np.linalg.slogdet(fit.moments.cor)[1]
    assert fit.fit_measures["baseline_chisq"] == pytest.approx(-250 * logdet, rel=1e-10)
    assert fit.fit_measures["baseline_df"] == 6


def test_means_enter_the_measures(fitted):
    plain, means = fitted("ML").fit_measures, fitted("ML_means").fit_measures
    same = ["chisq", "df", "cfi", "rmsea", "baseline_chisq", "logl", "srmr_nomean", "crmr_nomean"]
    np.testing.assert_allclose(means[same], plain[same], rtol=1e-10)
    # The means fit exactly and count in the denominator: 21 of them beside 231 covariances.
    assert means["srmr"] == pytest.approx(plain["srmr"] * np.sqrt(231 / 252), rel=1e-10)
    assert means["gfi"] > plain["gfi"]


def test_residual_measures_by_hand(mobi):
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ3\nV =~ PERV1 + PERV2")
    fit = csi.fit(model, mobi, csi.ML())
    cov = fit.moments.cov * 249 / 250
    sigma, lower = fit.implied_cov.to_numpy(), np.tril_indices(4)
    sd = np.sqrt(np.diag(cov))
    found = residual_measures(Fitted.of(fit.solution))
    assert found["rmr"] == pytest.approx(np.sqrt(((cov - sigma)[lower] ** 2).mean()))
    standard = ((cov - sigma) / np.outer(sd, sd))[lower]
    assert found["srmr"] == pytest.approx(np.sqrt((standard**2).mean()))
    ratio = np.linalg.solve(sigma, cov)
    gfi = 1 - np.trace((ratio - np.eye(4)) @ (ratio - np.eye(4))) / np.trace(ratio @ ratio)
    assert found["gfi"] == pytest.approx(gfi)
    assert found["agfi"] == pytest.approx(1 - 10 / 1 * (1 - gfi))


def test_one_group_twice_is_the_group(mobi):
    """Two equal groups fitted apart have twice χ² and the measures of one."""
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ3 + PERQ5 + PERQ7\nV =~ PERV1 + PERV2\nV ~ Q")
    twice = pd.concat([mobi.data.assign(g="a"), mobi.data.assign(g="b")], ignore_index=True)
    one = csi.fit(model, mobi, csi.ML(means=True, se="mlr")).fit_measures
    both = csi.fit_multigroup(model, twice, "g", csi.ML(se="mlr")).fit_measures
    for name in ("chisq", "df", "chisq_scaled", "baseline_chisq_scaled", "logl", "n", "npar"):
        assert both[name] == pytest.approx(2 * one[name], rel=1e-8), name
    for name in ("cfi", "tli", "srmr", "crmr", "gfi", "agfi", "scaling_factor", "cfi_robust"):
        assert both[name] == pytest.approx(one[name], rel=1e-8), name
    assert both["rmsea"] == pytest.approx(one["rmsea"], rel=1e-8)
    assert both["rmsea_robust"] == pytest.approx(one["rmsea_robust"], rel=1e-8)


def test_a_saturated_model_has_no_scaled_test(mobi):
    model = csi.Model.from_syntax("A =~ PERQ1 + PERQ3 + PERQ7")
    for se in ("mlr", "mlm", "mlmv", "mlmvs"):
        found = csi.fit(model, mobi, csi.ML(se=se)).fit_measures
        assert (found["df_scaled"], found["rmsea_scaled"], found["rmsea_robust"]) == (0, 0, 0)
        assert (found["cfi_scaled"], found["cfi_robust"]) == (1, 1)
        assert found[["scaling_factor", "pvalue_scaled", "tli_robust", "agfi"]].isna().all()


def test_scaled_tests_keep_what_they_promise():
    """A weighted sum of χ² with these traces has the mean (and variance) of the scaled test."""
    weights = np.array([0.5, 1.0, 1.5, 3.0, 4.0])
    rng = np.random.default_rng(1)
    draws = (weights * rng.chisquare(1, (200_000, 5))).sum(axis=1)
    trace, squares = weights.sum(), (weights**2).sum()

    def test_of(kind):
        at = [scaled(kind, ChiSquare(x, 5), trace, squares).test for x in (0.0, 1.0)]
        values = at[0].chisq + draws * (at[1].chisq - at[0].chisq)
        return values, at[0].df

    for kind in ("mlm", "mlr", "mlmv", "mlmvs"):
        values, df = test_of(kind)
        assert values.mean() == pytest.approx(df, rel=0.01)
        if kind in ("mlmv", "mlmvs"):
            assert values.var() == pytest.approx(2 * df, rel=0.02)


def test_rmsea_interval_is_that_of_the_noncentral_chi_square():
    found = rmsea(ChiSquare(80.0, 40), 500)
    low, high = (found[f"rmsea_{end}"] ** 2 * 500 * 40 for end in ("lower", "upper"))
    assert ncx2.cdf(80, 40, low) == pytest.approx(0.95, rel=1e-8)
    assert ncx2.cdf(80, 40, high) == pytest.approx(0.05, rel=1e-8)
    assert found["rmsea"] == pytest.approx(np.sqrt(40 / (500 * 40)))
    good = rmsea(ChiSquare(20.0, 40), 500)
    assert (good["rmsea"], good["rmsea_lower"]) == (0.0, 0.0)
    assert good["rmsea_pvalue"] > 0.99
    assert good["rmsea_notclose_pvalue"] < 1e-6


def test_measures_are_a_plain_series(fitted):
    found = fitted("MLR").fit_measures
    assert found.dtype == np.float64
    assert found.index.is_unique
    assert json.loads(found.to_json())["df"] == 183


def test_no_solution_has_no_measures(fitted):
    own = Fitted.of(fitted("ML").solution)
    lost = dataclasses.replace(own, outcome=csi.estimators.Status.NOT_CONVERGED)
    with pytest.raises(EstimationError, match="There are no fit measures because there is no"):
        measures_of(lost)


def test_the_summary_says_how_well_a_covariance_structure_fits(ecsi, mobi):
    plain = str(csi.fit(ecsi, mobi, csi.ML(se="mlr")).summary()).splitlines()
    assert plain[3] == (
        "χ² 575.57 on 241 degrees of freedom (p < .001), CFI 0.877, TLI 0.859, "
        "RMSEA 0.075 (90 % 0.067 to 0.082), SRMR 0.056"
    )
    assert plain[4].startswith("scaled χ² 444.87 on 241 degrees of freedom")
    assert "robust CFI 0.899" in plain[4]


@pytest.mark.parametrize("means", [False, True])
def test_the_log_likelihood_is_that_of_the_normal_density(mobi, means):
    """Of a model that fits the data exactly, and of one that nearly does."""
    for text in ("S =~ CUSA1 + CUSA2 + CUSA3", "S =~ CUSA1 + CUSA2 + CUSA3 + PERQ1"):
        fit = csi.fit(csi.Model.from_syntax(text), mobi, csi.ML(means=means))
        values = mobi.data[list(fit.model.items)].to_numpy(float)
        density = multivariate_normal(values.mean(0), fit.implied_cov).logpdf(values).sum()
        assert fit.fit_measures["chisq"] < 30
        assert fit.fit_measures["logl"] == pytest.approx(density, rel=1e-9)
        whole = multivariate_normal(values.mean(0), np.cov(values.T, ddof=0))
        unrestricted = whole.logpdf(values).sum()
        assert fit.fit_measures["unrestricted_logl"] == pytest.approx(unrestricted, rel=1e-9)
        assert fit.fit_measures["chisq"] == pytest.approx(2 * (unrestricted - density), abs=1e-6)


@pytest.mark.parametrize("kind", ["mlm", "mlr", "mlmv", "mlmvs"])
def test_a_scaled_test_is_what_its_factor_and_shift_make(kind):
    measures = scaled(kind, ChiSquare(30.0, 8.0), 12.0, 24.0)
    assert measures.test.chisq == pytest.approx(30.0 / measures.factor + measures.shift, rel=1e-14)
    assert measures.ratio == 1.5
    assert measures.test.df == (6.0 if kind == "mlmvs" else 8.0)
