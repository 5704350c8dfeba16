"""Maximum likelihood against lavaan, its laws, and what it says of bad solutions."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from wordings import row_of

import csimodel as csi
from csimodel.errors import EstimationError, ModelError, OptionError
from csimodel.estimators.covariance import findings as covariance_findings
from csimodel.estimators.covariance import scoring
from csimodel.estimators.covariance.layouts import layouts_of
from csimodel.estimators.covariance.parameters import standardised
from csimodel.estimators.covariance.structure import implied
from csimodel.estimators.covariance.vcov import vcov

MEASURES = {
    "npar": "npar",
    "fmin": "fmin",
    "chisq": "chisq",
    "df": "df",
    "baseline_chisq": "baseline.chisq",
    "baseline_df": "baseline.df",
    "cfi": "cfi",
    "tli": "tli",
    "nfi": "nfi",
    "rmsea": "rmsea",
    "rmsea_lower": "rmsea.ci.lower",
    "rmsea_upper": "rmsea.ci.upper",
    "srmr": "srmr",
    "gfi": "gfi",
    "logl": "logl",
    "unrestricted_logl": "unrestricted.logl",
    "aic": "aic",
    "bic": "bic",
    "bic_adjusted": "bic2",
    "n": "ntotal",
}


@pytest.fixture(scope="module")
def lavaan(reference):
    return reference("mobi_lavaan.json")


@pytest.fixture(scope="module")
def models(lavaan):
    full = lavaan["full_syntax"]
    measurement = "\n".join(line for line in full.splitlines() if "=~" in line)
    return {
        "reduced_ml": csi.Model.from_syntax(lavaan["reduced_syntax"]),
        "cfa_ml": csi.Model.from_syntax(measurement),
        "sem_ml": csi.Model.from_syntax(full),
        "sem_ml_wishart": csi.Model.from_syntax(full),
    }


@pytest.fixture(scope="module")
def fits(models, mobi):
    return {
        name: csi.fit(model, mobi, csi.ML(likelihood="wishart" if "wishart" in name else "normal"))
        for name, model in models.items()
    }


@pytest.fixture(scope="module")
def reduced(fits):
    return fits["reduced_ml"]


@pytest.fixture(scope="module")
def ecsi_ml(fits):
    return fits["sem_ml"]


def rows_like(table, entry):
    """Return our rows in the order of a table of lavaan's; a covariance has no direction."""
    own = {
        key: k for k, key in enumerate(zip(table["lhs"], table["op"], table["rhs"], strict=True))
    }
    keys = zip(entry["lhs"], entry["op"], entry["rhs"], strict=True)
    return table.iloc[[own.get((a, op, b), own.get((b, op, a))) for a, op, b in keys]]


@pytest.mark.parametrize("name", ["reduced_ml", "cfa_ml"])
def test_parameters_equal_lavaan(fits, lavaan, name):
    table, theirs = fits[name].parameters, lavaan[name]["estimates"]
    ours = rows_like(table, theirs)
    assert len(ours) == len(table)
    fixed = np.array(theirs["se"]) == 0
    assert ours.loc[fixed, ["se", "z", "p", "lower", "upper"]].isna().all().all()
    pairs = {"estimate": "est", "se": "se", "z": "z", "lower": "ci.lower", "upper": "ci.upper"}
    for column, key in pairs.items():
        expected = np.array(theirs[key], dtype=float)[~fixed]
        np.testing.assert_allclose(ours[column][~fixed], expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours["std"], theirs["std.all"], rtol=1e-9)


@pytest.mark.parametrize("name", ["reduced_ml", "cfa_ml"])
def test_standardised_errors_equal_lavaan(fits, lavaan, name):
    theirs = lavaan[name]["standardized"]
    ours = rows_like(fits[name].parameters, theirs)
    np.testing.assert_allclose(ours["std"], theirs["est.std"], rtol=1e-9)
    # lavaan differentiates numerically: 1e-7.
    np.testing.assert_allclose(ours["std_se"], theirs["se"], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["reduced_ml", "cfa_ml", "sem_ml", "sem_ml_wishart"])
def test_fit_measures_equal_lavaan(fits, lavaan, name):
    ours, theirs = fits[name].fit_measures, lavaan[name]["fit_measures"]
    for measure, key in MEASURES.items():
        assert ours[measure] == pytest.approx(theirs[key], rel=1e-6), measure
    # Beyond 1e-16 lavaan subtracts from 1.
    assert ours["pvalue"] == pytest.approx(theirs["pvalue"], abs=1e-15)
    assert ours["rmsea_pvalue"] == pytest.approx(theirs["rmsea.pvalue"], abs=1e-12)


def test_the_full_model_has_a_finite_baseline(ecsi_ml):
    found = ecsi_ml.fit_measures
    assert found["chisq"] == pytest.approx(575.5713, abs=5e-5)
    assert found["df"] == 241
    assert found["cfi"] == pytest.approx(0.876544, abs=5e-7)


@pytest.mark.parametrize("name", ["reduced_ml", "cfa_ml", "sem_ml"])
def test_implied_covariances_equal_lavaan(fits, lavaan, frame, name):
    theirs = frame(lavaan[name]["implied_cov"])
    ours = fits[name].implied_cov.loc[theirs.index, theirs.columns]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


def test_gradient_is_zero_at_every_solution(fits):
    for fit in fits.values():
        assert fit.converged
        assert fit.estimates.gradient < 1e-6


def test_resamples_of_a_nearly_unidentified_model_end(ecsi_ml):
    boot = csi.bootstrap(ecsi_ml, 16, 7, progress=False)
    refits = boot.solution.estimates
    assert boot.failed.sum() <= 8
    assert refits.iterations.max() <= 200
    assert (refits.gradient[refits.outcome == 0] < 1e-6).all()
    assert (refits.gradient[refits.outcome == 1] > 1e-7).all()


def test_observed_information_on_the_reduced_model(models, mobi, reduced):
    observed = csi.fit(models["reduced_ml"], mobi, csi.ML(se="observed"))
    layout = observed.estimates.layout
    part = observed.estimator.discrepancy(observed.moments.lifted(), layout)

    def slope(parameters):
        at = implied(layout, parameters[None])
        return part.local(layout, at, np.arange(1), False)[0][0]

    at, step = observed.estimates.parameters, 1e-5
    moves = step * np.eye(layout.size)
    numeric = np.stack([(slope(at + m) - slope(at - m)) / (2 * step) for m in moves])
    np.testing.assert_allclose(
        vcov(observed.solution), 2 / 250 * np.linalg.inv(numeric), rtol=1e-5, atol=1e-7
    )
    assert not np.allclose(observed.parameters["se"][1:5], reduced.parameters["se"][1:5], rtol=1e-3)


def test_standardised_jacobian_equals_numerical_differentiation(reduced):
    layout, at, step = reduced.estimates.layout, reduced.estimates.parameters, 1e-6
    _, jacobian = standardised(layout, at)

    def shifted(move):
        return standardised(layout, at + move)[0]

    moves = step * np.eye(len(at))
    numeric = np.stack([(shifted(m) - shifted(-m)) / (2 * step) for m in moves], axis=1)
    np.testing.assert_allclose(jacobian, numeric, atol=1e-8)


@pytest.mark.parametrize("scaling", ["marker", "variance"])
def test_population_moments_in_parameters_out(models, mobi, scaling):
    model = models["reduced_ml"]
    (layout,) = layouts_of(model, scaling)
    truth = csi.fit(model, mobi, csi.ML(scaling=scaling)).estimates.parameters
    truth = truth * np.random.default_rng(1).uniform(0.8, 1.2, layout.size)
    sigma = implied(layout, truth).sigma
    moments = csi.Moments.from_cov(sigma, 500, model.items)
    found = csi.fit(model, moments, csi.ML(scaling=scaling, likelihood="wishart"))
    np.testing.assert_allclose(found.estimates.parameters, truth, rtol=0, atol=1e-8)
    assert found.fit_measures["chisq"] == pytest.approx(0, abs=1e-9)
    assert found.fit_measures["cfi"] == 1.0
    assert found.fit_measures["rmsea_upper"] == 0.0


def standard(fit):
    """Standardised values and errors by row name."""
    table = fit.parameters
    index = pd.MultiIndex.from_frame(table[["lhs", "op", "rhs"]])
    return table.set_index(index)[["std", "std_se"]].sort_index()


def test_the_scaling_changes_nothing_standardised(models, mobi, reduced):
    other = csi.fit(models["reduced_ml"], mobi, csi.ML(scaling="variance"))
    pd.testing.assert_frame_equal(standard(other), standard(reduced), rtol=1e-8, atol=1e-8)
    pd.testing.assert_series_equal(other.fit_measures, reduced.fit_measures, rtol=1e-10)
    pd.testing.assert_frame_equal(other.paths, reduced.paths, rtol=1e-8)


def test_rescaling_items_changes_nothing_standardised(models, mobi, reduced):
    model = models["reduced_ml"]
    factors = np.random.default_rng(2).uniform(0.01, 100, len(model.items))
    other = csi.fit(model, mobi.data[list(model.items)] * factors, csi.ML())
    pd.testing.assert_frame_equal(standard(other), standard(reduced), rtol=1e-7, atol=1e-8)
    assert other.fit_measures["chisq"] == pytest.approx(reduced.fit_measures["chisq"], rel=1e-10)


def test_a_batch_of_one_is_a_single_fit(models, reduced):
    batch = csi.ML().estimate(reduced.moments.lifted(), models["reduced_ml"])
    for name in ("parameters", "discrepancy", "gradient", "paths", "weights", "iterations"):
        np.testing.assert_array_equal(getattr(batch, name)[0], getattr(reduced.estimates, name))


def test_groups_keep_parameters_and_measures(models, mobi):
    frame = mobi.data.assign(half=np.arange(250) % 2)
    groups = csi.fit_groups(models["reduced_ml"], frame, "half", csi.ML())
    alone = csi.fit(models["reduced_ml"], frame[frame["half"] == 1], csi.ML())
    pd.testing.assert_series_equal(groups[1].fit_measures, alone.fit_measures, rtol=1e-9)


def test_saturated_model(mobi):
    fit = csi.fit(csi.Model.from_syntax("A =~ PERQ1 + PERQ3 + PERQ7"), mobi, csi.ML())
    found = fit.fit_measures
    assert (found["df"], found["rmsea"], found["cfi"]) == (0, 0, 1)
    assert found[["pvalue", "tli", "rmsea_pvalue"]].isna().all()
    cov = fit.moments.cov * 249 / 250
    np.testing.assert_allclose(fit.implied_cov, cov, rtol=1e-8)


def test_everything_downstream_takes_the_fit(reduced):
    boot = csi.bootstrap(reduced, 100, 7, progress=False)
    refits = boot.solution.estimates
    assert boot.failed.sum() < 5
    assert (refits.gradient[refits.outcome == 0] < 1e-6).all()
    theirs = reduced.parameters.query("op == '~'")["std_se"].to_numpy()
    ours = boot.table("paths")["se"].to_numpy()
    assert (np.abs(np.log(ours / theirs)) < 1.2).all()
    scores = csi.index_scores(reduced)
    assert scores["mean"].between(0, 100).all()
    drivers = csi.importance_performance(reduced, "Satisfaction")
    assert set(drivers.index) == {"Image", "Quality", "Value"}
    checked = csi.assess(reduced)
    assert checked.global_fit.loc["srmr", "estimated"] == pytest.approx(
        reduced.fit_measures["srmr"], rel=1e-6
    )
    assert "ML" in str(reduced.summary())


def codes(fit):
    return {finding.code for finding in fit.diagnostics}


def said(fit, code):
    return next(finding for finding in fit.diagnostics if finding.code == code)


def test_the_ecsi_on_mobi_draws_several(ecsi_ml, reduced):
    assert codes(ecsi_ml) == {
        "few-rows-per-parameter",
        "exploding-errors",
        "constructs-alike",
        "path-beyond-1",
    }
    assert "Value ~ Quality" in said(ecsi_ml, "exploding-errors").values["parameters"]
    assert reduced.diagnostics == ()


def test_measurement_whose_constructs_contradict_each_other(fits):
    assert "construct-correlations-not-positive-definite" in codes(fits["cfa_ml"])


def test_not_identified_names_what_is_tied():
    cor = np.eye(5)
    cor[:3, :3], cor[3:, 3:] = 0.64, 0.5
    np.fill_diagonal(cor, 1.0)
    model = csi.Model.from_syntax("F =~ a + b + c\nG =~ d + e\nG ~ F")
    fit = csi.fit(model, csi.Moments.from_cov(cor, 200, list("abcde")), csi.ML())
    assert not fit.converged
    finding = said(fit, "not-identified")
    assert set(finding.subjects) == {"G =~ e", "d ~~ d", "e ~~ e", "G ~~ G"}
    assert finding.severity == "failure"
    assert fit.parameters["se"].isna().all()
    with pytest.raises(EstimationError, match="no solution \\(not identified\\)"):
        fit.fit_measures  # noqa: B018


def test_stopped_early_is_not_converged(models, mobi):
    fit = csi.fit(models["sem_ml"], mobi, csi.ML(max_iterations=3))
    finding = said(fit, "not-converged")
    assert not fit.converged
    assert fit.iterations == 3
    assert finding.count == finding.values["iterations"] == finding.values["most"] == 3
    assert finding.values["gradient"] == float(fit.estimates.gradient)
    assert "most" in row_of(finding).values
    with pytest.raises(EstimationError, match="No minimum was found in 3 iterations"):
        csi.fit(models["sem_ml"], mobi, csi.ML(max_iterations=3), strict=True)


def test_heywood_case_names_the_item():
    cor = np.array([[1, 0.9, 0.5, 0.4], [0.9, 1, 0.3, 0.3], [0.5, 0.3, 1, 0.8], [0.4, 0.3, 0.8, 1]])
    model = csi.Model.from_syntax("F =~ a + b\nG =~ c + d\nG ~ F")
    fit = csi.fit(model, csi.Moments.from_cov(cor, 200, list("abcd")), csi.ML())
    finding = said(fit, "negative-error-variance")
    assert finding.subjects == ("a", "F")
    assert finding.values["variance"] == pytest.approx(-0.62, abs=5e-3)
    assert finding.severity == "failure"


def test_negative_disturbance_names_the_construct(chain):
    (layout,) = layouts_of(chain)
    population = csi.fit(chain, _chain_moments(), csi.ML()).estimates.parameters.copy()
    population[layout.spans[2].start + 1] = -0.05
    sigma = implied(layout, population).sigma
    fit = csi.fit(chain, csi.Moments.from_cov(sigma, 300, chain.items), csi.ML())
    finding = said(fit, "negative-disturbance-variance")
    assert finding.subjects == ("B",)
    assert finding.severity == "failure"


def _chain_moments():
    cor = np.full((9, 9), 0.3)
    for block in (slice(0, 3), slice(3, 6), slice(6, 9)):
        cor[block, block] = 0.5
    np.fill_diagonal(cor, 1.0)
    return csi.Moments.from_cov(cor, 300, [f"{x}{k}" for x in "abc" for k in (1, 2, 3)])


def test_twelve_rows_for_sixteen_items(mobi, ecsi):
    names = ("Image", "Quality", "Satisfaction")
    model = csi.Model(tuple(c for c in ecsi.constructs if c.name in names), ())
    model = csi.Model((*model.constructs, csi.reflective("Single", "CUSCO")), ())
    fit = csi.fit(model, mobi.data.iloc[:12], csi.ML())
    assert not fit.converged
    assert said(fit, "singular-items").values == {"rows": 12, "items": 16}
    assert "few-rows-per-parameter" in codes(fit)


def test_repeated_items_are_singular(mobi, models):
    data = mobi.data.assign(PERQ2=mobi.data["PERQ1"])
    fit = csi.fit(models["reduced_ml"], data, csi.ML())
    assert not fit.converged
    assert {"singular-items", "duplicated-item"} <= codes(fit)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scaling": "markers"}, "did you mean 'marker'"),
        ({"se": "sandwich"}, "use one of 'expected', 'observed', 'mlm'"),
        ({"likelihood": "t"}, "use one of 'normal', 'wishart'"),
        ({"tolerance": 0.0}, "tolerance=0.0 must be a number above 0"),
        ({"max_iterations": 0}, "max_iterations=0 must be a whole number of at least 1"),
    ],
)
def test_options_are_refused(options, message):
    with pytest.raises(OptionError, match=message):
        csi.ML(**options)


def test_models_are_refused(mobi):
    composite = csi.Model.from_syntax("A <~ PERQ1 + PERQ2\nB =~ CUSA1 + CUSA2\nB ~ A")
    with pytest.raises(ModelError, match="'A' is a composite; define it with =~, or use PLS"):
        csi.fit(composite, mobi, csi.LeastSquares())
    with pytest.raises(ModelError, match="4 free parameters and 2 items give only 3"):
        csi.fit(csi.Model.from_syntax("A =~ PERQ1 + PERQ2"), mobi, csi.ML())


def test_pls_has_neither_parameters_nor_fit_measures(fit):
    with pytest.raises(OptionError, match=r"fit with csi.ML\(\), or take errors for PLS from"):
        fit.parameters  # noqa: B018
    with pytest.raises(OptionError, match=r"see csi.assess\(fit\).global_fit"):
        fit.fit_measures  # noqa: B018


@pytest.mark.parametrize("estimator", [csi.ML(), csi.ML(missing="fiml"), csi.LeastSquares("gls")])
def test_units_of_items_do_not_matter(estimator):
    rng = np.random.default_rng(1)
    first, second = rng.standard_normal((2, 200))
    second = 0.6 * first + 0.8 * second
    names = ["a1", "a2", "a3", "b1", "b2", "b3"]
    factors = np.repeat([first, second], 3, axis=0).T
    frame = pd.DataFrame(0.8 * factors + 0.6 * rng.standard_normal((200, 6)), columns=names)
    model = csi.Model.from_syntax("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A")
    plain = csi.fit(model, frame, estimator)
    other = csi.fit(model, frame * [1e-5, 1.0, 1.0, 1e5, 1.0, 1e-3], estimator)
    assert other.converged
    assert other.iterations < plain.iterations + 10
    pd.testing.assert_frame_equal(other.paths, plain.paths, rtol=1e-7)
    pd.testing.assert_frame_equal(other.loadings, plain.loadings, rtol=1e-7)


def test_what_hardly_can_be_told_apart_is_named_where_there_is_any(models, mobi, monkeypatch):
    monkeypatch.setattr(covariance_findings, "_ENOUGH", 0)  # more iterations would not help
    finding = said(csi.fit(models["sem_ml"], mobi, csi.ML(max_iterations=3)), "not-converged")
    assert finding.values["parameters"] == finding.subjects
    assert ("parameters" in row_of(finding).values) == bool(finding.subjects)


def test_an_error_variance_fixed_to_zero_is_not_negative(mobi):
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ3 + PERQ5\nC =~ CUSCO\nC ~ Q")
    assert int(csi.fit(model, mobi, csi.ML()).estimates.inadmissible) == 0


def test_steps_along_negative_curvature_are_by_the_size_of_eigenvalues():
    """p = -Σ u (u'g) / (|v| + d) over eigenvectors u, and what the quadratic expects of it."""
    rng = np.random.default_rng(3)
    root = rng.normal(size=(6, 5, 5))
    bends = root + root.transpose(0, 2, 1)
    bends[:2] = root[:2] @ root[:2].transpose(0, 2, 1)  # positive definite
    slope, who = rng.normal(size=(6, 5)), np.array([0, 2, 3, 5])
    damping = np.array([0.0, 0.5, 1e-4, 2.0])
    step, drop = scoring._bent(bends, slope)(who, damping)
    for own, d, p, expected in zip(who, damping, step, drop, strict=True):
        values, vectors = np.linalg.eigh(bends[own])
        by_size = -vectors @ ((vectors.T @ slope[own]) / (np.abs(values) + d))
        assert_allclose(p, by_size, rtol=1e-9)
        assert_allclose(expected, -slope[own] @ p - 0.5 * p @ bends[own] @ p, rtol=1e-9)
    assert (np.linalg.eigvalsh(bends)[2:, 0] < 0).all()


def test_steps_are_damped_until_they_lead_down():
    """Where the curvature is not positive, that of the damping takes over."""
    slope = np.array([[1.0, -2.0], [1.0, -2.0]])
    propose = scoring._damped(np.stack([np.eye(2), -np.eye(2)]), slope)
    step, drop = propose(np.arange(2), np.zeros(2))
    assert_allclose(step[0], -slope[0])
    assert ((step * slope).sum(axis=1) < 0).all()
    assert (drop > 0).all()


@pytest.mark.parametrize("estimator", [csi.ML(), csi.LeastSquares("uls"), csi.LeastSquares("gls")])
def test_units_of_all_items_change_no_path(estimator, mobi):
    model = csi.Model.from_syntax("S =~ CUSA1 + CUSA2 + CUSA3\nL =~ CUSL1 + CUSL3\nL ~ S")
    frame = mobi.data[list(model.items)].astype(float)
    paths = csi.fit(model, frame, estimator).paths
    for unit in (1e-7, 1e-3, 1e6):
        fit = csi.fit(model, frame * unit, estimator)
        assert fit.converged
        assert_allclose(fit.paths, paths, rtol=1e-9)
