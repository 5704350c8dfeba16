"""Robust errors, scaled tests and full information against lavaan, and their laws."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from wordings import row_of

import csimodel as csi
from csimodel.errors import EstimationError, OptionError
from csimodel.estimators.covariance.tests_of_fit import ChiSquare, Scaled, robust_relative

REFERENCE = Path(__file__).parents[2] / "reference"
SCALED = {
    "chisq": "chisq",
    "chisq_scaled": "chisq.scaled",
    "df_scaled": "df.scaled",
    "scaling_factor": "chisq.scaling.factor",
    "shift": "chisq.shift.parameter",
    "baseline_chisq_scaled": "baseline.chisq.scaled",
    "cfi_scaled": "cfi.scaled",
    "tli_scaled": "tli.scaled",
    "rmsea_scaled": "rmsea.scaled",
    "rmsea_lower_scaled": "rmsea.ci.lower.scaled",
    "rmsea_upper_scaled": "rmsea.ci.upper.scaled",
    "cfi_robust": "cfi.robust",
    "tli_robust": "tli.robust",
    "rmsea_robust": "rmsea.robust",
    "rmsea_lower_robust": "rmsea.ci.lower.robust",
    "rmsea_upper_robust": "rmsea.ci.upper.robust",
}
PLAIN = {"chisq": "chisq", "df": "df", "cfi": "cfi", "tli": "tli", "rmsea": "rmsea"}
PLAIN |= {"srmr": "srmr", "logl": "logl", "unrestricted_logl": "unrestricted.logl", "npar": "npar"}
PLAIN |= {"aic": "aic", "bic": "bic", "baseline_chisq": "baseline.chisq"}


@pytest.fixture(scope="module")
def lavaan(reference):
    return reference("mobi_lavaan_robust.json")


@pytest.fixture(scope="module")
def models(reference, ecsi):
    texts = reference("mobi_lavaan.json")
    measurement = [line for line in texts["full_syntax"].splitlines() if "=~" in line]
    return {
        "reduced": csi.Model.from_syntax(texts["reduced_syntax"]),
        "cfa": csi.Model.from_syntax("\n".join(measurement)),
        "sem": ecsi,
    }


@pytest.fixture(scope="module")
def gaps(mobi):
    """The answers with the mask of the reference runs, 10 % missing."""
    mask = pd.read_csv(REFERENCE / "mobi_missing_mask.csv")[list(mobi.data.columns)]
    return mobi.data.astype(float).mask(mask == 1)


def fitted(name, models, mobi, gaps):
    model, *kinds = name.split("_")
    se = next((kind for kind in kinds if kind in ("mlr", "mlm", "mlmv")), "expected")
    if "fiml" in kinds:
        return csi.fit(models[model], gaps, csi.ML(se=se, missing="fiml"))
    return csi.fit(models[model], mobi, csi.ML(se=se))


@pytest.mark.parametrize(
    "name",
    ["cfa_mlr", "cfa_mlm", "sem_mlr", "sem_mlm", "sem_mlmv", "reduced_mlr", "reduced_mlm"],
)
def test_scaled_tests_equal_lavaan(name, models, mobi, gaps, lavaan):
    ours, theirs = fitted(name, models, mobi, gaps).fit_measures, lavaan[name]["fit_measures"]
    compared = 0
    for own, key in SCALED.items():
        if theirs.get(key) is None or (name == "sem_mlmv" and "er_robust" in own):
            continue
        assert ours[own] == pytest.approx(theirs[key], rel=1e-4), own
        compared += 1
    assert compared >= 8


@pytest.mark.parametrize("name", ["reduced_mlr", "reduced_mlm", "cfa_mlr", "cfa_mlm"])
def test_robust_errors_equal_lavaan(name, models, mobi, gaps, lavaan):
    fit = fitted(name, models, mobi, gaps)
    _compare(fit, lavaan[name]["estimates"], 1e-7 if "reduced" in name else 1e-4)


@pytest.mark.parametrize("name", ["sem_fiml", "sem_fiml_mlr", "reduced_fiml", "reduced_fiml_mlr"])
def test_full_information_equals_lavaan(name, models, mobi, gaps, lavaan):
    fit, theirs = fitted(name, models, mobi, gaps), lavaan[name]
    measures = theirs["fit_measures"]
    for own, key in PLAIN.items():
        assert fit.fit_measures[own] == pytest.approx(measures[key], rel=1e-5), own
    if "mlr" in name:
        for own in ("chisq_scaled", "scaling_factor", "cfi_scaled", "rmsea_scaled"):
            assert fit.fit_measures[own] == pytest.approx(measures[SCALED[own]], rel=1e-4), own
    for own in [name for name in SCALED if name.endswith("_robust")]:
        assert fit.fit_measures[own] == pytest.approx(measures[SCALED[own]], rel=1e-5), own
    if "reduced" in name:
        _compare(fit, theirs["estimates"], 1e-4)
    assert fit.estimates.gradient < 1e-6


def _compare(fit, theirs, rel):
    table = fit.parameters.set_index(["lhs", "op", "rhs"])
    rows = zip(*(theirs[k] for k in ("lhs", "op", "rhs", "est", "se")), strict=True)
    for lhs, op, rhs, estimate, se in rows:
        key = (lhs, op, rhs) if (lhs, op, rhs) in table.index else (rhs, op, lhs)
        assert table.loc[key, "estimate"] == pytest.approx(estimate, rel=rel, abs=1e-4)
        if se:
            assert table.loc[key, "se"] == pytest.approx(se, rel=rel)


def test_mean_structure_changes_no_covariance(models, mobi, lavaan):
    plain = csi.fit(models["reduced"], mobi, csi.ML())
    means = csi.fit(models["reduced"], mobi, csi.ML(means=True))
    np.testing.assert_allclose(means.paths, plain.paths, atol=1e-8)
    assert means.fit_measures["chisq"] == pytest.approx(plain.fit_measures["chisq"], rel=1e-10)
    full = csi.fit(models["sem"], mobi, csi.ML(means=True)).fit_measures
    theirs = lavaan["sem_ml_meanstructure"]["fit_measures"]
    for own, key in PLAIN.items():
        assert full[own] == pytest.approx(theirs[key], rel=1e-5), own
    intercepts = means.parameters.query("op == '~1' and se > 0")
    np.testing.assert_allclose(intercepts["estimate"], means.moments.mean, atol=1e-8)


def test_complete_answers_need_no_full_information(models, mobi):
    fit = csi.fit(models["reduced"], mobi, csi.ML(missing="fiml"))
    plain = csi.fit(models["reduced"], mobi, csi.ML(means=True, se="observed"))
    np.testing.assert_allclose(fit.parameters["estimate"], plain.parameters["estimate"], atol=1e-7)
    np.testing.assert_allclose(
        fit.parameters["se"].fillna(0), plain.parameters["se"].fillna(0), atol=1e-7
    )
    assert fit.fit_measures["logl"] == pytest.approx(plain.fit_measures["logl"], rel=1e-12)


def test_scaling_is_one_for_normal_answers(models, mobi):
    sigma = csi.fit(models["reduced"], mobi, csi.ML()).implied_cov
    draws = np.random.default_rng(4).multivariate_normal(np.zeros(len(sigma)), sigma, 20000)
    frame = pd.DataFrame(draws, columns=sigma.columns)
    for se in ("mlm", "mlr", "mlmv"):
        fit = csi.fit(models["reduced"], frame, csi.ML(se=se))
        plain = csi.fit(models["reduced"], frame, csi.ML())
        # Γ of 20,000 rows is off by some per cent here and there.
        ratio = fit.parameters["se"].dropna() / plain.parameters["se"].dropna()
        assert ratio.between(0.93, 1.07).all()
        if se != "mlmv":
            assert fit.fit_measures["scaling_factor"] == pytest.approx(1.0, abs=0.02)


def test_groups_with_robust_errors_equal_lavaan(models, mobi, lavaan):
    groups = pd.read_csv(REFERENCE / "mobi_group.csv")["group"].to_numpy()
    found = csi.invariance(
        models["cfa"],
        mobi.data.assign(group=groups),
        "group",
        csi.ML(se="mlr"),
        levels=("configural", "metric", "scalar"),
    )
    for level, fit in found.fits.items():
        theirs = lavaan["groups"][level]
        for own in ("chisq", "chisq_scaled", "scaling_factor", "cfi_robust"):
            assert fit.fit_measures[own] == pytest.approx(theirs[SCALED[own]], rel=1e-4)
    theirs = lavaan["groups"]["lrt"]
    np.testing.assert_allclose(found.table["chisq_diff"][1:], theirs["Chisq diff"][1:], rtol=1e-3)
    np.testing.assert_allclose(found.table["p_diff"][1:], theirs["Pr(>Chisq)"][1:], rtol=1e-3)


def test_skewed_answers_get_right_errors():
    """MLR's errors are those of repeated samples; those of normal theory are too small."""
    model = csi.Model.from_syntax("F =~ a + b + c\nG =~ d + e + f\nG ~ F")
    rng = np.random.default_rng(8)
    robust, normal, estimates = [], [], []
    for _ in range(60):
        factor = rng.exponential(1, (400, 1)) - 1
        other = 0.5 * factor + 0.8 * (rng.exponential(1, (400, 1)) - 1)
        noise = 0.6 * (rng.exponential(1, (400, 6)) - 1)
        frame = pd.DataFrame(np.hstack([factor] * 3 + [other] * 3) + noise, columns=list("abcdef"))
        fit = csi.fit(model, frame, csi.ML(se="robust"))
        row = fit.parameters.query("op == '~~' and lhs == 'F'").iloc[0]
        plain = csi.fit(model, frame, csi.ML()).parameters.query("op == '~~' and lhs == 'F'")
        robust.append(row["se"])
        estimates.append(row["estimate"])
        normal.append(plain["se"].iloc[0])
    spread = np.std(estimates, ddof=1)
    assert np.mean(robust) == pytest.approx(spread, rel=0.3)
    assert np.mean(normal) < 0.75 * np.mean(robust)


def test_what_robust_errors_need(models, mobi, gaps):
    moments = csi.moments.moments_of(mobi, models["reduced"].items)
    with pytest.raises(EstimationError) as told:
        csi.fit(models["reduced"], moments, csi.ML(se="mlr")).parameters  # noqa: B018
    assert str(told.value) == (
        "se='mlr' needs the answers, and this fit was made from moments; fit a survey or a data "
        "frame, or use se='expected'."
    )
    with pytest.raises(EstimationError) as told:
        csi.fit(models["reduced"], csi.read_survey(gaps, missing="mean"), csi.ML(se="robust"))
    assert str(told.value) == (
        "se='mlr' needs complete answers and cells are missing; use missing='fiml', or a survey "
        "with missing='listwise'."
    )
    with pytest.raises(OptionError) as told:
        csi.ML(se="mlm", missing="fiml")
    assert str(told.value) == "se='mlm' needs complete answers; use se='mlr' with missing='fiml'."
    with pytest.raises(OptionError) as told:
        csi.ML(likelihood="wishart", missing="fiml")
    assert str(told.value) == (
        "missing='fiml' has a normal likelihood only; use likelihood='normal'."
    )
    for way in ("fiml", "two-stage"):
        with pytest.raises(EstimationError) as told:
            csi.fit(models["reduced"], moments, csi.ML(missing=way, se="expected"))
        assert str(told.value) == (
            f"missing={way!r} needs the answers of one sample, and these are moments or resamples; "
            "fit a survey, or use the survey's missing-data policy with missing='survey'."
        )


def test_weights_need_robust_errors(models, mobi):
    rng = np.random.default_rng(2)
    survey = csi.read_survey(mobi.data.assign(w=rng.uniform(0.2, 3, 250)), weights="w")
    plain = csi.fit(models["reduced"], survey, csi.ML())
    effective = float(survey.data["w"].sum() ** 2 / (survey.data["w"] ** 2).sum())
    (finding,) = (one for one in plain.diagnostics if one.code == "errors-ignore-design")
    assert (finding.subjects, finding.values["others"]) == (("weights",), ())
    assert finding.values["rows"] == 250
    assert finding.values["effective"] == pytest.approx(effective, rel=1e-12)
    assert set(row_of(finding).values) == {"rows", "effective"}
    moments = csi.moments.moments_of(survey, models["reduced"].items)
    told = csi.fit(models["reduced"], moments, csi.ML()).diagnostics
    assert told[0].template == finding.template
    assert told[0].values["effective"] == pytest.approx(effective, rel=1e-12)
    robust = csi.fit(models["reduced"], survey, csi.ML(se="robust"))
    assert "errors-ignore-design" not in {one.code for one in robust.diagnostics}
    np.testing.assert_allclose(robust.paths, plain.paths, atol=1e-9)
    equal = csi.read_survey(mobi.data.assign(w=2.0), weights="w")
    np.testing.assert_allclose(
        csi.fit(models["reduced"], equal, csi.ML(se="robust")).parameters["se"].fillna(0),
        csi.fit(models["reduced"], mobi, csi.ML(se="robust")).parameters["se"].fillna(0),
        rtol=1e-8,
    )


def test_clusters_enter_robust_errors(models, mobi):
    """Every row four times in a cluster of its own kind gives the errors of the single rows."""
    one = csi.fit(models["reduced"], mobi, csi.ML(se="mlm")).parameters["se"].dropna()
    frame = pd.concat([mobi.data.assign(c=np.arange(250))] * 4, ignore_index=True)
    survey = csi.read_survey(frame, cluster="c")
    four = csi.fit(models["reduced"], survey, csi.ML(se="mlm")).parameters["se"].dropna()
    np.testing.assert_allclose(four, one * np.sqrt(250 / 249), rtol=1e-6)


def test_groups_fitted_apart_have_robust_errors(models, mobi):
    frame = mobi.data.assign(half=np.arange(250) % 2)
    groups = csi.fit_groups(models["reduced"], frame, "half", csi.ML(se="robust"))
    alone = csi.fit(models["reduced"], frame[frame["half"] == 1], csi.ML(se="robust"))
    np.testing.assert_allclose(
        groups[1].parameters["se"].fillna(0), alone.parameters["se"].fillna(0), rtol=1e-6
    )
    assert "by MLR" in repr(groups[1])


def test_scaled_differences_rest_on_the_mean_scaling(mobi):
    """MLM, MLMV and MLMVS scale single tests differently and the difference of two alike."""
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ3 + PERQ5 + PERQ7")
    frame = mobi.data.assign(half=["a", "b"] * 125)
    levels = ("configural", "metric")
    found = [
        csi.invariance(model, frame, "half", csi.ML(se=se), levels=levels).table
        for se in ("mlm", "mlmv", "mlmvs")
    ]
    for other in found[1:]:
        np.testing.assert_allclose(other["chisq_diff"], found[0]["chisq_diff"], rtol=1e-7)


def test_robust_fit_of_little_misfit_by_hand():
    """χ² beyond its degrees of freedom: 0.2 of the model, 0.7 of the baseline."""
    own, base = ChiSquare(1.2, 1.0), ChiSquare(3.7, 3.0)
    model, baseline = Scaled(own, own, 1.0, 0.0, 1.0), Scaled(base, base, 1.0, 0.0, 1.0)
    found = robust_relative(model, baseline)
    assert found["cfi"] == pytest.approx(1 - 0.2 / 0.7)
    assert found["tli"] == pytest.approx(1 - (0.2 / 1) / (0.7 / 3))
