"""Two-stage estimates from incomplete answers against lavaan, and their laws."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import OptionError

REFERENCE = Path(__file__).parents[2] / "reference"
KINDS = {"expected": "two.stage", "robust": "robust.two.stage"}
MEASURES = {
    "chisq": "chisq",
    "df": "df",
    "chisq_scaled": "chisq.scaled",
    "scaling_factor": "chisq.scaling.factor",
    "baseline_chisq": "baseline.chisq",
    "cfi": "cfi",
    "tli": "tli",
    "rmsea": "rmsea",
    "rmsea_scaled": "rmsea.scaled",
    "rmsea_robust": "rmsea.robust",
    "rmsea_lower_robust": "rmsea.ci.lower.robust",
    "rmsea_upper_robust": "rmsea.ci.upper.robust",
    "srmr": "srmr",
    "gfi": "gfi",
}


@pytest.fixture(scope="module")
def lavaan(reference):
    return reference("mobi_two_stage.json")


@pytest.fixture(scope="module")
def models(reference):
    texts = reference("mobi_lavaan.json")
    measurement = [line for line in texts["full_syntax"].splitlines() if "=~" in line]
    return {
        "reduced": csi.Model.from_syntax(texts["reduced_syntax"]),
        "cfa": csi.Model.from_syntax("\n".join(measurement)),
    }


@pytest.fixture(scope="module")
def gaps(mobi):
    mask = pd.read_csv(REFERENCE / "mobi_missing_mask.csv")[list(mobi.data.columns)]
    return mobi.data.astype(float).mask(mask == 1)


@pytest.mark.parametrize("se", list(KINDS))
@pytest.mark.parametrize("name", ["reduced", "cfa"])
def test_two_stage_equals_lavaan(name, se, models, gaps, lavaan):
    fit = csi.fit(models[name], gaps, csi.ML(missing="two-stage", se=se))
    theirs = lavaan[f"{name}.{KINDS[se]}"]
    table, compared = fit.parameters.set_index(["lhs", "op", "rhs"]), 0
    rows = zip(*(theirs["estimates"][k] for k in ("lhs", "op", "rhs", "est", "se")), strict=True)
    for lhs, op, rhs, estimate, error in rows:
        key = (lhs, op, rhs) if (lhs, op, rhs) in table.index else (rhs, op, lhs)
        assert table.loc[key, "estimate"] == pytest.approx(estimate, rel=1e-4, abs=1e-5)
        if error:
            assert table.loc[key, "se"] == pytest.approx(error, rel=1e-5)
            compared += 1
    assert compared == (69 if name == "reduced" else 92)
    measures = theirs["fit_measures"]
    for own, key in MEASURES.items():
        assert fit.fit_measures[own] == pytest.approx(measures[key], rel=1e-5), own
    assert fit.estimates.gradient < 1e-6
    assert fit.fit_measures[["logl", "aic", "bic"]].isna().all()


def test_only_the_scaled_baseline_differs_from_lavaan(models, gaps, lavaan):
    """With lavaan's scaling of the baseline, which its errors do not enter, CFI is lavaan's."""
    kept = [lavaan[f"reduced.{kind}"]["fit_measures"] for kind in KINDS.values()]
    factors = [one["baseline.chisq.scaling.factor"] for one in kept]
    assert factors[0] == factors[1]
    for se, theirs in zip(KINDS, kept, strict=True):
        found = csi.fit(models["reduced"], gaps, csi.ML(missing="two-stage", se=se)).fit_measures
        excess = found["chisq"] - found["scaling_factor"] * found["df"]
        apart = found["baseline_chisq"] - factors[0] * found["baseline_df"]
        assert 1 - excess / apart == pytest.approx(theirs["cfi.robust"], rel=1e-6)
        assert found["baseline_scaling_factor"] != pytest.approx(factors[0], rel=0.05)


def test_cfi_of_both_ways_with_gaps_agree(models, gaps):
    """Two-stage and full information, corrected for what is missing, measure the same misfit."""
    two, full = (
        csi.fit(models["reduced"], gaps, csi.ML(missing=way, se="robust")).fit_measures
        for way in ("two-stage", "fiml")
    )
    for name in ("cfi_robust", "tli_robust", "rmsea_robust"):
        assert two[name] == pytest.approx(full[name], rel=2e-3)


def test_complete_answers_are_fitted_as_such(models, mobi):
    plain = csi.fit(models["reduced"], mobi, csi.ML(means=True, se="mlm"))
    two = csi.fit(models["reduced"], mobi, csi.ML(missing="two-stage", se="robust"))
    np.testing.assert_allclose(two.parameters["estimate"], plain.parameters["estimate"], atol=1e-7)
    same = ["chisq", "df", "cfi", "rmsea", "srmr", "chisq_residual"]
    np.testing.assert_allclose(two.fit_measures[same], plain.fit_measures[same], rtol=1e-5)
    np.testing.assert_allclose(two.moments.fourth, plain.moments.fourth, atol=1e-6)
    assert "by MLM in two stages" in repr(two)


def test_intervals_cover_where_answers_are_missing_at_random(chain, population):
    """Errors know what is missing: those of listwise deletion's moments would not be right."""
    model, z = chain, []
    for seed in range(60):
        frame = population(300, seed=seed)
        low = frame["a1"] < frame["a1"].quantile(0.4)
        frame.loc[low, ["b1", "b2"]] = np.nan
        table = csi.fit(model, frame, csi.ML(missing="two-stage")).parameters
        row = table[(table["op"] == "=~") & (table["rhs"] == "b3")].iloc[0]
        z.append((row["estimate"], row["se"]))
    estimates, errors = np.array(z).T
    assert np.mean(errors) == pytest.approx(np.std(estimates, ddof=1), rel=0.35)


def test_options_of_two_stages():
    with pytest.raises(OptionError) as told:
        csi.ML(missing="two-stage", se="mlr")
    assert str(told.value) == (
        "se='mlr' is not for missing='two-stage'; use 'expected', 'robust', 'mlmv' or 'mlmvs'."
    )
    with pytest.raises(OptionError) as told:
        csi.ML(missing="two-stage", likelihood="wishart")
    assert str(told.value) == (
        "missing='two-stage' has a normal likelihood only; use likelihood='normal'."
    )
    assert csi.ML(missing="two-stage", se="robust").se == "mlm"


def test_missing_cells_are_said_to_be_allowed_for(models, gaps):
    for way, label in (("two-stage", "ML in two stages"), ("fiml", "ML of incomplete answers")):
        (note,) = (
            finding
            for finding in csi.fit(models["reduced"], gaps, csi.ML(missing=way)).diagnostics
            if finding.code == "cells-missing"
        )
        assert (note.severity, note.values["cells"], note.values["estimator"]) == (
            "note",
            538,
            label,
        )
        own = ("IMAG1 (33)", "IMAG2 (21)", "IMAG3 (28)", "IMAG4 (23)", "IMAG5 (25)")
        assert (note.values["items"][:5], len(note.values["items"])) == (own, 21)


def test_missing_cells_of_an_item_with_braces_in_its_name_are_told(gaps):
    frame = gaps[["CUSA1", "CUSA2", "CUSA3"]].set_axis(["a{1}", "a{2}", "a{3}"], axis=1)
    model = csi.Model((csi.reflective("A", ["a{1}", "a{2}", "a{3}"]),), ())
    fit = csi.fit(model, frame, csi.ML(missing="fiml"))
    (note,) = (finding for finding in fit.diagnostics if finding.code == "cells-missing")
    assert str(note).endswith(": a{1} (28), a{2} (23) and a{3} (24).")


def test_design_enters_robust_errors_only(models, gaps):
    survey = csi.read_survey(gaps.assign(w=np.linspace(0.5, 1.5, 250)), weights="w")
    told = csi.fit(models["reduced"], survey, csi.ML(missing="two-stage")).diagnostics
    assert "errors-ignore-design" in {finding.code for finding in told}
    told = csi.fit(models["reduced"], survey, csi.ML(missing="two-stage", se="robust")).diagnostics
    assert "errors-ignore-design" not in {finding.code for finding in told}


@pytest.mark.parametrize("name", ["one", "means", "groups"])
def test_residual_test_equals_lavaan(name, mobi, reference):
    theirs = reference("mobi_residual_test.json")
    model = csi.Model.from_syntax(theirs["syntax"])
    if name == "groups":
        group = pd.read_csv(REFERENCE / "mobi_group.csv")["group"].to_numpy()
        frame = mobi.data.assign(group=group)
        equal = ["loadings", "intercepts"]
        fit = csi.fit_multigroup(model, frame, "group", csi.ML(se="mlm"), equal=equal)
    else:
        fit = csi.fit(model, mobi, csi.ML(se="mlm", means=name == "means"))
    assert fit.fit_measures["chisq_residual"] == pytest.approx(theirs[name]["stat"], rel=1e-5)
    assert fit.fit_measures["df"] == theirs[name]["df"]
    assert 0 < fit.fit_measures["pvalue_residual"] < 0.05


def test_residual_test_needs_more_rows_than_degrees_of_freedom(models, mobi):
    few = csi.fit(models["reduced"], mobi.data.iloc[:150], csi.ML(se="mlm")).fit_measures
    assert np.isnan(few["chisq_residual"])
