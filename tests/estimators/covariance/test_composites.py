"""Composites in covariance SEM: lavaan 0.7, laws of the specification, refusals."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.errors import ModelError, OptionError
from csimodel.estimators.covariance.fitted import Fitted

REFERENCE = Path(__file__).parents[2] / "reference"
THEIRS = json.loads((REFERENCE / "mobi_composites.json").read_text(encoding="utf-8"))
CASES = {
    "composites_full": csi.ML(),
    "composites_full_std_lv": csi.ML(scaling="variance"),
    "composites_reduced": csi.ML(),
    "composites_reduced_wishart": csi.ML(likelihood="wishart"),
    "composites_reduced_mlr": csi.ML(se="mlr"),
    "composites_reduced_covfree": csi.ML(composite_covariances="free"),
    "composites_saturated": csi.ML(),
    "mixed_reduced": csi.ML(),
}
MEASURES = {
    "npar": "npar", "chisq": "chisq", "df": "df", "cfi": "cfi", "tli": "tli", "nfi": "nfi",
    "rfi": "rfi", "ifi": "ifi", "rni": "rni", "logl": "logl", "aic": "aic", "bic": "bic",
    "bic2": "bic_adjusted", "baseline.chisq": "baseline_chisq", "baseline.df": "baseline_df",
    "rmsea": "rmsea", "rmsea.ci.lower": "rmsea_lower", "rmsea.ci.upper": "rmsea_upper",
    "rmsea.pvalue": "rmsea_pvalue", "rmsea.notclose.pvalue": "rmsea_notclose_pvalue",
    "rmr": "rmr", "srmr": "srmr", "crmr": "crmr", "gfi_lisrel": "gfi", "agfi_lisrel": "agfi",
}  # fmt: skip
FREE = csi.ML(composite_covariances="free")
SMALL = "Quality <~ PERQ1 + PERQ2 + PERQ3\nSat =~ CUSA1 + CUSA2 + CUSA3\nSat ~ Quality"


def fitted(name, mobi):
    lines = THEIRS[name]["syntax"].split("\n")
    if name == "composites_saturated":  # constructs without paths covary anyway
        lines = [line for line in lines if "~~" not in line] + ["Complaints =~ CUSCO"]
    return csi.fit(csi.Model.from_syntax("\n".join(lines)), mobi, CASES[name])


def compared(fit, theirs):
    """Own and lavaan's estimates, errors and standardised values, a row a parameter."""
    own = {}
    for row in fit.parameters.itertuples():
        lhs, rhs = (end.replace("Complaints", "CUSCO") for end in (row.lhs, row.rhs))
        own[lhs, row.op, rhs] = row
    names = ("lhs", "op", "rhs", "est", "se", "std.lv", "std.all")
    rows = []
    for lhs, op, rhs, *values in zip(*(theirs["estimates"][name] for name in names), strict=True):
        row = own.get((lhs, op, rhs)) or own[rhs, op, lhs]
        rows.append((f"{lhs} {op} {rhs}", row.estimate, row.se, row.std, *values))
    columns = ["name", "estimate", "se", "std", "est", "their_se", "std_lv", "std_all"]
    return pd.DataFrame(rows, columns=columns).set_index("name")


@pytest.mark.parametrize("name", CASES)
def test_fit_is_lavaans(mobi, name):
    fit, theirs = fitted(name, mobi), THEIRS[name]
    assert fit.converged
    for measure, own in MEASURES.items():
        assert_allclose(
            fit.fit_measures[own], theirs["measures"][measure], rtol=1e-6, atol=1e-6,
            err_msg=measure,
        )  # fmt: skip
    implied = pd.DataFrame(
        theirs["implied"]["data"], theirs["implied"]["rows"], theirs["implied"]["cols"]
    )
    assert_allclose(
        fit.implied_cov.loc[implied.index, implied.columns],
        implied,
        atol=2e-5 * implied.max().max(),
    )


@pytest.mark.parametrize("name", CASES)
def test_estimates_and_errors_are_lavaans(mobi, name):
    fit = fitted(name, mobi)
    table = compared(fit, THEIRS[name])
    # lavaan stopped at gradients of 1e-6 to 3e-5, the file says.
    scale = table["their_se"].where(table["their_se"] > 0, table["est"].abs())
    assert (((table["estimate"] - table["est"]) / scale).abs() < 1.2e-4).all()
    assert_allclose(table["std"], table["std_all"], atol=1e-5)
    known = table["their_se"] > 0
    assert known.sum() >= fit.fit_measures["npar"]
    assert_allclose(table["se"][known], table["their_se"][known], rtol=5e-5)


def test_robust_test_is_lavaans(mobi):
    measures = fitted("composites_reduced_mlr", mobi).fit_measures
    theirs = THEIRS["composites_reduced_mlr"]["measures"]
    pairs = {
        "chisq.scaled": "chisq_scaled", "chisq.scaling.factor": "scaling_factor",
        "baseline.chisq.scaled": "baseline_chisq_scaled", "cfi.robust": "cfi_robust",
        "rmsea.robust": "rmsea_robust",
    }  # fmt: skip
    for name, own in pairs.items():
        assert_allclose(measures[own], theirs[name], rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("estimator", [csi.ML(), FREE], ids=["sample", "free"])
def test_derivatives_are_those_of_differences(mobi, estimator):
    """Away from the solution, where composites explain each other and disturbances covary."""
    text = (
        "Image <~ IMAG1 + IMAG2 + IMAG3\nQuality <~ PERQ1 + PERQ2 + PERQ3\nValue <~ PERV1 + PERV2\n"
        "Sat =~ CUSA1 + CUSA2 + CUSA3\nQuality ~ Image\nValue ~ Quality\nSat ~ Value + Image\n"
        "Quality ~~ Sat"
    )
    whole = Fitted.of(csi.fit(csi.Model.from_syntax(text), mobi, estimator).solution)
    objective, size, one = whole.objective, whole.npar, np.arange(1)
    shift = 1 + 0.03 * np.random.default_rng(1).standard_normal(size)
    here = whole.parameters * np.append(shift, np.ones(len(whole.parameters) - size))

    def at(step, k):
        moved = here.copy()
        moved[k] += step
        matrices = objective.implied(moved[None])
        slope, _ = objective.local(matrices, one, True)
        return objective.value(matrices, one)[0], slope[0]

    slope, curvature = (
        part[0] for part in objective.local(objective.implied(here[None]), one, True)
    )
    for k in range(size):
        step = 1e-5 * max(1.0, abs(here[k]))
        (high, above), (low, below) = at(step, k), at(-step, k)
        assert_allclose((high - low) / (2 * step), slope[k], atol=1e-6)
        assert_allclose((above - below) / (2 * step), curvature[k], atol=1e-4)


def test_two_composites_are_those_of_canonical_correlation(mobi):
    model = csi.Model.from_syntax("A <~ PERQ1 + PERQ2 + PERQ3\nB <~ CUSA1 + CUSA2 + CUSA3\nB ~ A")
    cov = mobi.data[list(model.items)].cov().to_numpy()
    roots = [np.linalg.cholesky(block) for block in (cov[:3, :3], cov[3:, 3:])]
    across = np.linalg.solve(roots[0], np.linalg.solve(roots[1], cov[3:, :3]).T)
    left, correlations, right = np.linalg.svd(across)
    weights = [np.linalg.solve(roots[0].T, left[:, 0]), np.linalg.solve(roots[1].T, right[0])]
    for estimator in (csi.ML(), FREE):
        fit = csi.fit(model, mobi, estimator)
        assert_allclose(fit.paths.loc["B", "A"], correlations[0], atol=1e-8)
        table = fit.parameters
        own = table.loc[table["op"] == "<~", "estimate"].to_numpy()
        assert_allclose(own[:3], weights[0] / weights[0][0], rtol=1e-6)
        assert_allclose(own[3:], weights[1] / weights[1][0], rtol=1e-6)


def test_neither_order_nor_units_of_items_count(mobi):
    model = csi.Model.from_syntax(SMALL)
    turned = csi.Model.from_syntax(SMALL.replace("PERQ1 + PERQ2 + PERQ3", "PERQ3 + PERQ1 + PERQ2"))
    fit, other = (csi.fit(own, mobi, csi.ML()) for own in (model, turned))
    scaled = csi.fit(model, mobi.data.assign(PERQ2=100 * mobi.data["PERQ2"]), csi.ML())
    for again in (other, scaled):
        assert_allclose(again.fit_measures["chisq"], fit.fit_measures["chisq"], rtol=1e-9)
        assert_allclose(again.paths, fit.paths, atol=1e-8)
        assert_allclose(again.weights.loc[fit.weights.index], fit.weights, atol=1e-7)


def test_scores_and_index_are_the_weighted_sum(mobi):
    fit = csi.fit(csi.Model.from_syntax(SMALL), mobi, csi.ML())
    table = fit.parameters
    own = table.loc[table["op"] == "<~", ["rhs", "estimate"]]
    weighted = mobi.data[own["rhs"]].to_numpy(dtype=float) @ own["estimate"].to_numpy()
    assert np.corrcoef(fit.scores["Quality"], weighted)[0, 1] == pytest.approx(1.0, abs=1e-12)
    found = csi.factor_scores(fit)
    assert found.determinacy["Quality"] == pytest.approx(1.0, abs=1e-9)
    survey = csi.read_survey(mobi.data, scale=(1, 10))
    index = csi.respondent_index(csi.fit(fit.model, survey, csi.ML()))
    assert np.corrcoef(index["Quality"], weighted)[0, 1] == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("estimator", [csi.ML(), FREE], ids=["sample", "free"])
def test_draws_are_fits_and_agree_with_errors(mobi, estimator):
    fit = csi.fit(csi.Model.from_syntax(SMALL), mobi, estimator)
    rows = np.random.default_rng(4).integers(250, size=(200, 250))
    boot = csi.bootstrap(fit, resamples=rows, progress=False)
    data = mobi.data.iloc[rows[3]].reset_index(drop=True)
    assert_allclose(boot.values("paths")[3], csi.fit(fit.model, data, estimator).paths.loc["Sat", "Quality"], atol=1e-7)  # fmt: skip
    by_model = fit.standardized().set_index(["lhs", "op", "rhs"]).loc[("Sat", "~", "Quality"), "se"]
    assert boot.table("paths")["se"].iloc[0] == pytest.approx(by_model, rel=0.3)
    groups = csi.fit_groups(fit.model, mobi.data.assign(half=["a", "b"] * 125), "half", estimator)
    alone = csi.fit(fit.model, mobi.data.iloc[::2].reset_index(drop=True), estimator)
    assert_allclose(groups["a"].paths, alone.paths, atol=1e-7)
    assert csi.linearize(fit).table("paths")["se"].iloc[0] == pytest.approx(by_model, rel=0.3)


def test_what_composites_cannot_be_is_refused(mobi):
    model = csi.Model.from_syntax(SMALL)
    refusals = [
        (model, csi.LeastSquares(), "'Quality' is a composite; define it with =~, or use PLS or"),
        (model, csi.WLSMV(), "'Quality' is a composite; define it with =~, or use PLS or"),
        (model, csi.ML(missing="fiml"), r"missing='fiml'\) takes no composites, and 'Quality'"),
        (model, csi.ML(missing="two-stage"), r"missing='two-stage'\) takes no composites"),
        (model, csi.ML(means=True), "Means and intercepts are modelled, and 'Quality'"),
    ]
    for line, sentence in {
        "PERQ1 ~ 1": "Means and intercepts are modelled",
        "Quality ~~ Quality": "the variance of a composite, or of its disturbance, follows",
        "PERQ1 ~~ CUSA1": "'PERQ1' is an item of the composite 'Quality' and has no error",
        "PERQ1 ~~ PERQ2": "'PERQ1' is an item of the composite 'Quality' and has no error",
    }.items():
        refusals.append((csi.Model.from_syntax(f"{SMALL}\n{line}"), csi.ML(), sentence))
    labelled = csi.model.Parameter("Quality", "=~", "PERQ2", label="b")
    refusals.append(
        (replace(model, parameters=(labelled,)), csi.ML(), "weights are estimated with")
    )
    for own, estimator, sentence in refusals:
        with pytest.raises(ModelError, match=sentence):
            csi.fit(own, mobi, estimator)
    halves = mobi.data.assign(half=["a", "b"] * 125)
    with pytest.raises(ModelError, match="Groups are fitted together with means, and 'Quality'"):
        csi.fit_multigroup(model, halves, "half")
    with pytest.raises(OptionError, match="'fixed' is not known"):
        csi.ML(composite_covariances="fixed")
    fit = csi.fit(model, mobi, csi.ML())
    with pytest.raises(OptionError, match="models of common factors, and 'Quality' is a composite"):
        fit.modification_indices()
    with pytest.raises(OptionError, match="The items of 'Quality' covary as in the sample"):
        fit.residual_table  # noqa: B018
    table = csi.fit(model, mobi, FREE).residual_table
    within = [(a, b) in {("PERQ1", "PERQ2"), ("PERQ1", "PERQ1")} for a, b in table.index]
    assert table.loc[within, "residual"].abs().max() < 0.05


def test_a_result_is_kept(mobi, tmp_path):
    fit = csi.fit(csi.Model.from_syntax(SMALL), mobi, csi.ML())
    csi.save(fit, tmp_path / "fit.csimodel")
    again = csi.load(tmp_path / "fit.csimodel")
    assert_allclose(again.parameters["estimate"], fit.parameters["estimate"])
    assert str(csi.assess(fit).page)
    assert str(fit.summary())


def test_a_result_with_a_sum_of_labels_is_kept(mobi, tmp_path):
    text = "Sat =~ CUSA1 + b*CUSA2 + c*CUSA3\nQuality =~ PERQ1 + PERQ2\nSat ~ Quality\nb + c == 2"
    fit = csi.fit(csi.Model.from_syntax(text), mobi, csi.ML())
    csi.save(fit, tmp_path / "fit.csimodel")
    again = csi.load(tmp_path / "fit.csimodel")
    assert_allclose(again.parameters["estimate"], fit.parameters["estimate"])
