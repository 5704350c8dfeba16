"""Factor scores of covariance structures, and the index from them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from wordings import row_of

import csimodel as csi
from csimodel.errors import EstimationError, OptionError, SurveyError
from csimodel.estimators.covariance.structure import implied
from csimodel.estimators.factor_scores import score_slopes
from csimodel.findings import collected

REFERENCE = Path(__file__).parents[1] / "reference"
HEYWOOD = "Q =~ PERQ1 + PERQ3 + PERQ5\nV =~ PERV1 + PERV2\nV ~ 0.5*Q"


@pytest.fixture(scope="module")
def lavaan():
    return json.loads((REFERENCE / "mobi_factor_scores.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def holes(mobi):
    mask = pd.read_csv(REFERENCE / "mobi_missing_mask.csv")[list(mobi.data.columns)]
    return mobi.data.mask(mask.to_numpy(bool))


@pytest.fixture(scope="module")
def fits(lavaan, mobi, holes):
    model = csi.Model.from_syntax(lavaan["model"])
    return {
        "complete": csi.fit(model, mobi, csi.ML()),
        "single": csi.fit(csi.Model.from_syntax(lavaan["single_model"]), mobi, csi.ML()),
        "means": csi.fit(model, mobi, csi.ML(means=True)),
        "fiml": csi.fit(model, holes, csi.ML(missing="fiml")),
    }


@pytest.mark.parametrize("method", ["regression", "bartlett"])
@pytest.mark.parametrize("kind", ["complete", "single", "means", "fiml"])
def test_scores_are_those_of_lavaan(kind, method, fits, lavaan):
    assert fits[kind].fit_measures["chisq"] == pytest.approx(lavaan[kind]["chisq"], rel=1e-8)
    theirs = np.array(lavaan[kind][method], dtype=float)
    ours = csi.factor_scores(fits[kind], method, "scale").scores.to_numpy()[: len(theirs)]
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def _at(fit):
    return implied(fit.estimates.layout, fit.estimates.parameters)


def test_bartlett_scores_are_unbiased_given_the_construct(fits):
    at = _at(fits["single"])
    seen = np.ones(len(at.sigma), dtype=bool)
    slopes = score_slopes(at, "bartlett", seen)
    np.testing.assert_allclose(slopes @ at.loadings, np.eye(4), atol=1e-10)
    pulled = np.diag(score_slopes(at, "regression", seen) @ at.loadings)
    assert (pulled[:3] < 0.999).all()
    assert pulled[3] == pytest.approx(1.0)  # a single item without error


def test_bartlett_is_the_published_formula_where_errors_allow_it(fits):
    at = _at(fits["complete"])
    inverse = np.linalg.inv(at.errors)
    published = np.linalg.solve(at.loadings.T @ inverse @ at.loadings, at.loadings.T @ inverse)
    seen = np.ones(len(at.sigma), dtype=bool)
    np.testing.assert_allclose(score_slopes(at, "bartlett", seen), published, atol=1e-10)


def test_determinacy_is_the_correlation_with_the_construct(fits, mobi):
    fit = fits["complete"]
    at = _at(fit)
    rng = np.random.default_rng(3)
    constructs = rng.multivariate_normal(np.zeros(3), at.phi, 20_000)
    errors = rng.multivariate_normal(np.zeros(10), at.errors, 20_000)
    answers = constructs @ at.loadings.T + errors
    for method in ("regression", "bartlett"):
        slopes = score_slopes(at, method, np.ones(10, dtype=bool))
        scores = answers @ slopes.T
        found = [np.corrcoef(scores[:, j], constructs[:, j])[0, 1] for j in range(3)]
        np.testing.assert_allclose(
            csi.factor_scores(fit, method).determinacy, found, atol=0.005, rtol=0
        )
    regression = answers @ score_slopes(at, "regression", np.ones(10, dtype=bool)).T
    covariance = at.phi @ at.loadings.T @ np.linalg.solve(at.sigma, at.loadings @ at.phi)
    np.testing.assert_allclose(np.cov(regression.T), covariance, rtol=0.04)


def test_standardised_scores_are_in_construct_standard_deviations(fits):
    fit = fits["means"]
    spread = np.sqrt(np.diag(_at(fit).phi))
    scale = csi.factor_scores(fit, units="scale").scores
    np.testing.assert_allclose(csi.factor_scores(fit).scores * spread, scale, atol=1e-12)
    rescaled = csi.fit(fit.model, fit.survey, csi.ML(scaling="variance"))
    np.testing.assert_allclose(
        csi.factor_scores(rescaled).scores, csi.factor_scores(fit).scores, atol=1e-6
    )


def test_an_answer_that_is_missing_is_left_out_of_its_rows_alone(fits, holes):
    fit = fits["fiml"]
    scores = csi.factor_scores(fit, "regression", "scale").scores
    at = _at(fit)
    for row in (0, 5, 17):
        y = holes[list(fit.model.items)].to_numpy()[row]
        seen = ~np.isnan(y)
        sigma, loadings = at.sigma[np.ix_(seen, seen)], at.loadings[seen]
        by_hand = at.phi @ loadings.T @ np.linalg.inv(sigma) @ (y - at.mean)[seen]
        np.testing.assert_allclose(scores.iloc[row], by_hand, atol=1e-10)


def test_gaps_are_counted(fits):
    found = csi.factor_scores(fits["fiml"], "bartlett")
    assert [(one.code, one.severity, one.values["count"]) for one in found.findings] == [
        ("scores-of-incomplete-answers", "note", 164),
        ("construct-not-answered", "warning", 4),
    ]
    assert int(found.scores.isna().any(axis=1).sum()) == 4
    again = csi.factor_scores(fits["fiml"], "regression")
    assert not again.scores.isna().any(axis=None)
    assert again.findings[1].severity == "note"
    assert again.findings[1].values == found.findings[1].values
    cases = [row_of(one.findings[1]).case for one in (found, again)]
    assert cases == ["no score", "scored by others"]


def test_what_is_printed(fits):
    found = csi.factor_scores(fits["complete"])
    assert repr(found).splitlines()[0] == "Regression scores of 250 respondents, standardised units"
    assert "determinacy" in repr(found)
    assert "<table" in found._repr_html_()
    assert list(found.scores.index) == list(fits["complete"].respondents)


def test_badly_determined_scores_say_so(population):
    frame = population(400, seed=2, loadings=(0.5, 0.4, 0.4))[["a1", "a2", "a3"]]
    fit = csi.fit(csi.Model.from_syntax("A =~ a1 + a2 + a3"), frame, csi.ML())
    found = csi.factor_scores(fit)
    assert found.determinacy["A"] < 0.8
    assert found.findings[0].code == "low-determinacy"
    assert found.findings[0].values == {"low": ("A",), "enough": 0.8}


def test_a_heywood_case_says_so(mobi):
    fit = csi.fit(csi.Model.from_syntax(HEYWOOD), mobi, csi.ML())
    found = csi.factor_scores(fit)
    assert found.findings[0].severity == "failure"
    assert found.findings[0].code == "scores-of-heywood-case"
    assert found.findings[0].values == {"wrong": ("PERV2",)}
    assert np.isnan(found.determinacy["V"])


def test_what_has_no_factor_scores(fit, fits, ecsi, mobi):
    with pytest.raises(OptionError) as told:
        csi.factor_scores(fit)
    assert str(told.value) == (
        f"Factor scores need a covariance structure and this fit is by {fit.estimator.label}; its "
        "scores are in fit.scores, or fit with csi.ML()."
    )
    ordered = csi.fit(
        csi.Model.from_syntax("S =~ CUSA1 + CUSA2 + CUSA3"),
        mobi.data[["CUSA1", "CUSA2", "CUSA3"]].clip(6, 9) - 5,
        csi.WLSMV(),
    )
    with pytest.raises(OptionError) as told:
        csi.factor_scores(ordered)
    assert str(told.value) == (
        "Factor scores of ordered answers are not linear in them and are not offered; use "
        "fit.scores, or fit with csi.ML(), which takes the answers as numbers."
    )
    with pytest.raises(EstimationError) as told:
        csi.factor_scores(csi.fit(ecsi, mobi, csi.ML(max_iterations=2)))
    assert str(told.value) == (
        "There are no factor scores because there is no solution (not converged); fit.diagnostics "
        "says what to do."
    )
    with pytest.raises(SurveyError, match="factor_scores needs the respondents"):
        csi.factor_scores(csi.fit(fits["complete"].model, fits["complete"].moments, csi.ML()))
    with pytest.raises(OptionError, match="method='mean'"):
        csi.factor_scores(fits["complete"], "mean")
    with pytest.raises(OptionError, match="units='z'"):
        csi.factor_scores(fits["complete"], units="z")


def test_the_index_of_a_covariance_structure_is_built_from_its_own_formula(fits):
    fit = fits["single"]
    at = _at(fit)
    table = csi.index_scores(fit)
    for j, block in enumerate(fit.model.slices):
        weights = np.linalg.solve(at.sigma[block, block], at.loadings[block, j])
        points = (fit.moments.mean[block] - 1) / 9 * 100
        assert table["mean"].iloc[j] == pytest.approx(weights @ points / weights.sum(), rel=1e-10)


def test_index_errors_by_jackknife_and_bootstrap_agree(fits):
    fit = fits["single"]
    boot = csi.bootstrap(fit, draws=400, rng=5, progress=False)
    near, drawn = csi.index_scores(fit), csi.index_scores(fit, bootstrap=boot)
    np.testing.assert_array_equal(near["mean"], drawn["mean"])
    np.testing.assert_allclose(near["se"], drawn["se"], rtol=0.15)
    assert ((drawn["lower"] < near["mean"]) & (near["mean"] < drawn["upper"])).all()


def test_alone_regression_scores_and_the_index_order_respondents_alike(mobi):
    fit = csi.fit(csi.Model.from_syntax("S =~ CUSA1 + CUSA2 + CUSA3"), mobi, csi.ML())
    scores, index = csi.factor_scores(fit).scores["S"], csi.respondent_index(fit)["S"]
    assert np.corrcoef(scores, index)[0, 1] == pytest.approx(1.0, abs=1e-12)


def test_an_index_of_a_heywood_case_or_of_no_solution_warns(ecsi, mobi):
    fit = csi.fit(csi.Model.from_syntax(HEYWOOD), mobi, csi.ML())
    with collected() as told:
        csi.index_scores(fit)
    assert (told[0].code, told[0].severity) == ("index-of-negative-error-variance", "warning")
    assert told[0].values == {"items": ("PERV2",), "names": ("V",)}
    (weight,) = (one for one in fit.diagnostics if one.code == "negative-weight")
    assert (weight.values["construct"], weight.values["heywood"]) == ("V", ("PERV2",))
    assert "heywood" in row_of(weight).values
    with collected() as told:
        csi.index_scores(csi.fit(ecsi, mobi, csi.ML(max_iterations=2)))
    assert (told[0].code, told[0].severity) == ("index-without-solution", "failure")
