"""Residual moments with their errors against lavaan, and their laws."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import EstimationError, OptionError

REFERENCE = Path(__file__).parents[2] / "reference"


@pytest.fixture(scope="module")
def reduced(reference):
    return csi.Model.from_syntax(reference("mobi_lavaan.json")["reduced_syntax"])


@pytest.fixture(scope="module")
def gaps(mobi):
    mask = pd.read_csv(REFERENCE / "mobi_missing_mask.csv")[list(mobi.data.columns)]
    return mobi.data.astype(float).mask(mask == 1)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ml", {}),
        ("mlm", {"se": "mlm"}),
        ("fiml", {"missing": "fiml"}),
        ("fiml_mlr", {"missing": "fiml", "se": "mlr"}),
    ],
)
def test_residuals_and_errors_equal_lavaan(name, options, reduced, mobi, gaps, reference):
    fit = csi.fit(reduced, gaps if "fiml" in name else mobi, csi.ML(**options))
    table = fit.residual_table
    table = table[table.index.get_level_values("other") != ""]
    rel = 5e-5 if "fiml" in name else 1e-7
    for kind, own, se in (("raw", "residual", "se"), ("cor.bollen", "cor_residual", "cor_se")):
        theirs = reference("mobi_residuals.json")[name][kind]
        assert list(reduced.items) == theirs["items"]
        residual = np.array(theirs["cov"])
        # lavaan's saturated moments of incomplete answers stop at 1e-5.
        np.testing.assert_allclose(table[own], residual, atol=5e-5 if "fiml" in name else 2e-6)
        # lavaan writes 0 for the error of what is fitted exactly, up to rounding.
        errors = np.array(theirs["se"], dtype=float)
        some = (errors > 1e-3) & table[se].notna().to_numpy()
        assert some.sum() >= 205
        np.testing.assert_allclose(table[se][some], errors[some], rtol=rel)
        assert some.all() or errors[~some].max() < 1e-3 or kind != "raw"


def test_standardized_residuals_are_a_table(reduced, mobi):
    fit = csi.fit(reduced, mobi, csi.ML(means=True))
    z = fit.standardized_residuals
    assert list(z.index) == list(z.columns) == list(reduced.items)
    np.testing.assert_array_equal(z, z.T)
    assert z.loc["IMAG3", "IMAG4"] == pytest.approx(2.6972, abs=1e-4)
    assert fit.residual_table.loc[("IMAG3", "IMAG4"), "z"] == z.loc["IMAG3", "IMAG4"]
    assert np.isnan(np.diag(z)).all()
    assert (z.abs() > 1.96).to_numpy().mean() > 0.05
    means = fit.residual_table.xs("", level="other")
    assert list(means.index) == list(reduced.items)
    np.testing.assert_allclose(means["observed"], fit.moments.mean)
    assert means[["z", "cor_residual"]].isna().all(axis=None)
    corr = fit.residual_table["cor_residual"].dropna()
    assert corr.loc[("IMAG3", "IMAG4")] == pytest.approx(fit.residuals.loc["IMAG3", "IMAG4"])


def test_errors_are_those_of_repeated_samples(chain, population):
    found = [csi.fit(chain, population(200, seed), csi.ML()) for seed in range(80)]
    residuals = np.array([fit.residual_table["residual"] for fit in found])
    errors = np.array([fit.residual_table["se"] for fit in found])
    some = ~np.isnan(errors).any(axis=0)
    ratio = residuals.std(axis=0, ddof=1)[some] / errors.mean(axis=0)[some]
    assert np.mean(ratio) == pytest.approx(1.0, abs=0.08)
    assert ((ratio > 0.7) & (ratio < 1.4)).all()


@pytest.mark.parametrize("se", ["observed", "mlr"])
def test_errors_rest_on_the_derivative_of_the_fit(se, chain, population):
    """Refits of slightly moved covariances give P, and P the errors, also where the fit is bad."""
    frame = population(150, 4)
    frame["c3"] += 0.8 * frame["a3"]
    fit = csi.fit(chain, frame, csi.ML(se=se))
    items, cov = list(chain.items), fit.moments.cov
    row, column = np.triu_indices(len(items))
    slopes, step = [], 1e-5
    for i, k in zip(row, column, strict=True):
        ends = []
        for sign in (1, -1):
            moved = cov.copy()
            moved[i, k] = moved[k, i] = moved[i, k] + sign * step
            moments = csi.Moments.from_cov(moved, 150, items)
            ends.append(csi.fit(chain, moments, csi.ML(tolerance=1e-10)).implied_cov.to_numpy())
        slopes.append(((ends[0] - ends[1]) / (2 * step))[row, column])
    share = 149 / 150
    left = np.eye(len(row)) - np.array(slopes).T / share
    sample = cov * share
    if se == "mlr":
        gamma = fit.moments.fourth[len(items) :, len(items) :]
    else:
        gamma = sample[row[:, None], row] * sample[column[:, None], column]
        gamma = gamma + sample[row[:, None], column] * sample[column[:, None], row]
    errors = np.sqrt(np.maximum(np.diag(left @ gamma @ left.T) / 150, 0))
    ours = fit.residual_table["se"].to_numpy()
    assert np.isnan(ours[row == column]).all()
    np.testing.assert_allclose(ours[row != column], errors[row != column], rtol=1e-4)


def test_groups_fitted_apart_have_their_own_residuals(chain, population):
    """Jointly without equal parameters each group has the residuals and errors of its own fit."""
    frame = pd.concat([population(200, 1).assign(g="a"), population(300, 2).assign(g="b")])
    joint = csi.fit_multigroup(chain, frame, "g")
    table = joint.residual_table
    for label in ("a", "b"):
        own = csi.fit(chain, frame[frame["g"] == label].drop(columns="g"), csi.ML(means=True))
        pd.testing.assert_frame_equal(table.loc[label], own.residual_table, rtol=1e-5, atol=1e-6)
    equal = csi.fit_multigroup(chain, frame, "g", equal=["loadings", "intercepts"]).residual_table
    # Equal intercepts leave means unexplained, with errors.
    assert equal.xs("", level="other")["z"].notna().sum() > 8
    with pytest.raises(OptionError) as told:
        joint["a"].residual_table  # noqa: B018
    assert str(told.value) == (
        "Errors of residuals belong to all groups together; see residual_table of the "
        "multi-group fit."
    )


def test_least_squares_have_residuals_with_errors(chain, population):
    frame = population(400, 3)
    ml = csi.fit(chain, frame, csi.ML()).residual_table
    gls = csi.fit(chain, frame, csi.LeastSquares("gls")).residual_table
    both = ml["cor_se"] > 0.02  # smaller ones hang on how well the items of one construct fit
    assert both.sum() >= 24
    np.testing.assert_allclose(gls["cor_se"][both], ml["cor_se"][both], rtol=0.15)


def test_no_errors_of_residuals_for_other_fits(chain, population, ecsi, mobi):
    with pytest.raises(
        OptionError, match=r"Errors of residuals need .* fit\.residuals, or fit with csi\.ML"
    ):
        csi.fit(chain, population(100)).residual_table  # noqa: B018
    with pytest.raises(EstimationError, match="there is no solution"):
        csi.fit(ecsi, mobi, csi.ML(max_iterations=3)).residual_table  # noqa: B018


@pytest.mark.parametrize(
    "estimator", [csi.ML(), csi.ML(se="robust"), csi.LeastSquares("dwls"), csi.LeastSquares("uls")]
)
def test_what_is_fitted_exactly_has_no_error_made_of_rounding(estimator):
    """Variances, and the covariance of the two items of a block (with least squares)."""
    model = csi.Model.from_syntax(
        "Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 \n Value =~ PERV1 + PERV2 \n"
        "Satisfaction =~ CUSA1 + CUSA2 + CUSA3 \n Value ~ Quality \n Satisfaction ~ Quality + Value"
    )
    fit = csi.fit(model, csi.load_mobi(), estimator)
    table = fit.residual_table
    exact = table["residual"].abs() < 1e-8 * table["observed"].abs()
    assert exact.sum() == 10
    assert table.loc[exact, ["se", "z"]].isna().all(axis=None)
    assert table.loc[~exact, "se"].notna().all()
