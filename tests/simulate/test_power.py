"""Replications and power: batches equal single fits, intervals cover, failures are counted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

import csimodel as csi
from csimodel.estimators import Solution
from csimodel.estimators.covariance.vcov import vcov
from csimodel.moments.fourth import fourth_moments, fourth_moments_of_samples
from csimodel.simulate import Firms, HeavyTailed, Missing, Skewed, population, power, replicate
from csimodel.simulate.replicate import parameter_rows, solutions

MODEL = csi.Model.from_syntax(
    """
    Quality =~ q1 + q2 + q3
    Value =~ v1 + v2 + v3
    Loyalty =~ l1 + l2 + l3
    Value ~ Quality
    Loyalty ~ Quality + Value
    """
)
PATHS = {"Value ~ Quality": 0.6, "Loyalty ~ Quality": 0.3, "Loyalty ~ Value": 0.4}


@pytest.fixture(scope="module")
def truth():
    return population(MODEL, paths=PATHS, loadings=0.8)


ROBUST = [csi.ML(se="mlr"), csi.ML(se="mlm"), csi.ML(se="mlr", means=True), csi.ML(se="mlr", likelihood="wishart")]  # fmt: skip


@pytest.mark.parametrize("estimator", ROBUST, ids=repr)
def test_robust_errors_of_a_batch_are_those_of_each_sample(truth, estimator):
    skewed = replace(truth, shape=Skewed(-1.5, 4.0))
    values = np.concatenate(list(skewed.answers(150, samples=40, rng=3)))
    moments = skewed.moments(150, samples=40, rng=3, fourth=True)
    batch = Solution(MODEL, estimator, moments, estimator.estimate(moments, MODEL))
    found = vcov(batch)
    for k in (0, 17, 39):
        fit = csi.fit(MODEL, pd.DataFrame(values[k], columns=MODEL.items), estimator)
        np.testing.assert_allclose(found[k], vcov(fit.solution), rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(
            parameter_rows(batch).std_se[k], fit.parameters["std_se"], rtol=1e-5, atol=1e-9
        )


def test_robust_errors_of_a_batch_need_fourth_moments(truth):
    moments = truth.moments(150, samples=3, rng=3)
    estimator = csi.ML(se="mlr")
    batch = Solution(MODEL, estimator, moments, estimator.estimate(moments, MODEL))
    with pytest.raises(csi.errors.EstimationError, match="se='mlr' needs the answers"):
        vcov(batch)


def test_samples_without_a_solution_have_no_errors(truth):
    moments = truth.moments(150, samples=5, rng=3)
    moments.cov[2, :, 0] = moments.cov[2, 0, :] = 0.0
    estimator = csi.ML()
    batch = Solution(MODEL, estimator, moments, estimator.estimate(moments, MODEL))
    rows = parameter_rows(batch)
    assert np.isnan(rows.std[2]).all()
    assert np.isnan(rows.raw_se[2]).all()
    assert np.isfinite(rows.std[[0, 1, 3, 4]]).all()


def test_fourth_moments_of_clusters_are_those_of_each_sample(truth):
    own = replace(truth, firms=Firms(12, between=0.3))
    values = np.concatenate(list(own.answers(100, samples=3, rng=1)))
    codes = own.firms.codes(100)
    found = fourth_moments_of_samples(values, codes)
    for k in range(3):
        expected = fourth_moments(values[k], cluster=codes)
        np.testing.assert_allclose(found[k], expected, rtol=1e-10, atol=1e-10)


def test_replications_are_the_fits_of_the_same_samples(truth):
    found = replicate(truth, 120, 6, csi.ML(), rng=4)["paths"]
    moments = truth.moments(120, 6, rng=4)
    for k in range(6):
        table = csi.fit(MODEL, moments[k], csi.ML()).parameters
        paths = table[table["op"] == "~"]
        np.testing.assert_allclose(found.estimate[k], paths["std"], rtol=1e-6)
        np.testing.assert_allclose(found.se[k], paths["std_se"], rtol=1e-6)
        reach = t.ppf(0.975, 119) * found.se[k]
        np.testing.assert_allclose(found.upper[k], found.estimate[k] + reach, rtol=1e-12)


def test_full_information_takes_samples_one_by_one(truth):
    own = replace(truth, missing=Missing(0.2, given="q1"))
    estimator = csi.ML(missing="fiml")
    parts = list(solutions(own, 120, 2, estimator, rng=4))
    fit = csi.fit(MODEL, own.survey(120, rng=4), estimator)
    np.testing.assert_allclose(parts[0].estimates.paths, fit.estimates.paths, atol=1e-8)
    np.testing.assert_allclose(
        parameter_rows(parts[0]).raw_se[0], fit.parameters["se"], rtol=1e-6, atol=1e-9
    )


def test_resampled_replications_are_bootstraps_of_the_same_samples():
    truth = population(MODEL, paths=PATHS, loadings=0.8, scale=(1, 10), mean=7.0, sd=1.5)
    found = replicate(truth, 100, 3, csi.PLS(), rng=4, quantities=["paths", "index"], resamples=60)
    fit = csi.fit(MODEL, truth.survey(100, rng=4))
    stream = int(np.random.SeedSequence(4, spawn_key=(1, 0)).generate_state(1)[0])
    table = csi.bootstrap(fit, 60, rng=stream).table("paths")
    np.testing.assert_allclose(found["paths"].estimate[0], table["estimate"], rtol=1e-9)
    np.testing.assert_allclose(found["paths"].lower[0], table["lower"], rtol=1e-9)
    assert found["index"].table["mean"].between(60, 73).all()
    assert found["index"].truth == pytest.approx(np.full(3, 200 / 3))


def test_power_rises_with_the_sample_and_falls_with_the_path(truth):
    study = power(truth, n=[60, 240], estimator=csi.ML(), draws=300, rng=1)
    table = study.table["power"].unstack("n")
    assert (table[240] > table[60]).all()
    assert table.loc[("Value", "Quality"), 60] > table.loc[("Loyalty", "Quality"), 60]
    assert study.failed.empty
    assert study.findings == ()
    assert repr(study).startswith("Power by ML, 300 samples each of n = 60, 240\n")
    assert study.table.index.names == ["n", "target", "source"]
    assert "<table" in study._repr_html_()
    assert study._repr_html_().count("Power by ML, 300 samples") == 1


def test_power_is_the_level_where_nothing_is_there():
    truth = population(MODEL, paths={**PATHS, "Loyalty ~ Quality": 0.0}, loadings=0.8)
    table = power(truth, n=400, estimator=csi.ML(), draws=1000, rng=2).table
    row = table.loc[(400, "Loyalty", "Quality")]
    assert row["power"] == pytest.approx(0.05, abs=0.025)
    assert row["power"] == pytest.approx(1.0 - row["coverage"])


def test_columns_say_what_they_say(truth):
    own = replicate(truth, 100, 200, csi.ML(), rng=1)["paths"]
    table = own.table
    np.testing.assert_allclose(table["mean"], own.estimate.mean(axis=0))
    np.testing.assert_allclose(table["sd"], own.estimate.std(axis=0, ddof=1))
    np.testing.assert_allclose(table["bias"], table["mean"] - table["truth"])
    np.testing.assert_allclose(table["se_error"], own.se.mean(axis=0) / table["sd"] - 1)
    inside = (own.lower <= own.truth) & (own.truth <= own.upper)
    np.testing.assert_allclose(table["coverage"], inside.mean(axis=0))
    assert table["samples"].tolist() == [200, 200, 200]


def test_samples_without_a_solution_are_counted_and_left_out():
    truth = population(MODEL, paths=PATHS, loadings=0.35)
    study = power(truth, n=25, estimator=csi.PLS(consistent=True), draws=40, rng=1, resamples=20)
    own = study.replications[25]
    lost = int(own.failed.sum())
    assert lost > 5
    assert own.table["samples"].tolist() == [40 - lost] * 3
    assert int(study.failed.sum()) == lost
    (finding,) = study.findings
    assert (finding.values["count"], finding.values["samples"]) == (lost, 40)
    assert finding.severity == "failure"
    assert str(finding) in repr(study)


def test_empty_cells_are_left_out_pairwise_by_resampling(truth):
    own = replace(truth, missing=Missing(0.15))
    found = replicate(own, 300, 4, csi.PLS(consistent=True), rng=2, resamples=40)["paths"]
    fit = csi.fit(MODEL, own.survey(300, rng=2), csi.PLS(consistent=True))
    paths = [fit.paths.loc[target, source] for target, source in found.labels]
    np.testing.assert_allclose(found.estimate[0], paths, atol=1e-10)


def test_firms_need_clusters_in_the_errors():
    truth = population(MODEL, paths=PATHS, loadings=0.8, firms=Firms(30, between=0.3))
    plain, robust = (
        replicate(truth, 600, 200, estimator, rng=3, quantities=["loadings", "paths"])
        for estimator in (csi.ML(), csi.ML(se="mlr"))
    )
    ratio = robust["paths"].table["se"] / plain["paths"].table["se"]
    assert (ratio > 1.2).all()
    assert abs(robust["paths"].table["se_error"]).max() < 0.15
    boot = replicate(truth, 600, 20, csi.PLS(consistent=True), rng=3, resamples=60)["paths"]
    assert boot.table["se"].to_numpy() == pytest.approx(
        robust["paths"].table["se"].to_numpy(), rel=0.2
    )


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda t: power(t, [], csi.ML()), "n=[] holds no sample size; give at least one, such as n=[200, 400]."),
        (lambda t: power(t, [0], csi.ML()), "n=0 must be a whole number of at least 1 respondent."),
        (lambda t: power(t, 100, csi.ML(), draws=0), "draws=0 must be a whole number of at least 1, and some hundreds for shares."),
        (lambda t: power(t, 100, csi.PLS(), resamples=0), "resamples=0 must be a whole number of at least 1, and some hundreds for intervals."),
        (lambda t: power(t, 100, csi.ML(), level=95), "level=95 must lie between 0 and 1, for example 0.95."),
        (lambda t: power(t, 100, csi.ML(), quantity="r2"), "quantity='r2' has no errors by formula from ML; use 'paths' or 'loadings', or PLS, which is resampled."),
        (lambda t: power(t, 100, csi.LeastSquares("uls")), "The errors ULS has by formula do not hold; use csi.ML(se='mlr'), or csi.LeastSquares('gls')."),
        (lambda t: power(replace(t, missing=Missing(0.1)), 100, csi.ML()), "The population's answers have empty cells, which ML does not take; use csi.ML(missing='fiml'), or a population without missing=."),
        (lambda t: power(replace(t, missing=Missing(0.1), firms=Firms(5)), 100, csi.ML(missing="fiml")), "Errors of incomplete answers do not allow for firms; use a population with missing= or with firms=, not both, or csi.PLS(), which resamples whole firms."),
    ],
)  # fmt: skip
def test_refusals_name_what_was_written(truth, call, sentence):
    with pytest.raises(csi.errors.OptionError) as error:
        call(truth)
    assert str(error.value) == sentence


# 200 samples: a coverage of .95 has a Monte Carlo error of .015, an average over correlated
# parameters less. The full table is made by benchmarks/coverage_covariance.py.


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "estimator", "least", "most"),
    [
        (None, csi.ML(), 0.925, 0.975),
        (None, csi.LeastSquares("gls"), 0.91, 0.975),
        (HeavyTailed(12.0), csi.ML(se="mlr"), 0.92, 0.975),
        (Skewed(-1.5, 4.0), csi.ML(se="mlr"), 0.91, 0.975),
        (Skewed(-1.5, 4.0), csi.ML(), 0.80, 0.925),
    ],
)
def test_intervals_cover(truth, shape, estimator, least, most):
    own = truth if shape is None else replace(truth, shape=shape)
    found = replicate(own, 500, 200, estimator, rng=8, quantities=["paths", "loadings"])
    for quantity in found.values():
        assert least < quantity.table["coverage"].mean() < most
        assert quantity.failed.empty


@pytest.mark.slow
def test_intervals_of_full_information_cover(truth):
    missing = Missing(0.25, items=("v1", "v2", "l2"), given="q1", slope=-1.5)
    own = replace(truth, missing=missing)
    kinds = {se: csi.ML(missing="fiml", se=se) for se in ("observed", "mlr")}
    found = {se: [] for se in kinds}
    for solution in solutions(own, 300, 60, kinds["mlr"], rng=8):
        for se, estimator in kinds.items():
            found[se].append(parameter_rows(replace(solution, estimator=estimator)))
    rows = kinds["mlr"].layout(MODEL).rows
    paths = [r for r, row in enumerate(rows) if row.kind in ("paths", "loadings")]
    true = np.array(
        [
            PATHS[row.name] if row.kind == "paths" else 0.8
            for row in rows
            if row.kind in ("paths", "loadings")
        ]
    )
    for parts in found.values():
        estimate = np.concatenate([part.std[:, paths] for part in parts])
        se = np.concatenate([part.std_se[:, paths] for part in parts])
        assert 0.91 < (np.abs(estimate - true) < 1.96 * se).mean() < 0.985
        assert np.abs((estimate.mean(axis=0) - true) / estimate.std(axis=0)).max() < 0.45


@pytest.mark.slow
def test_bootstrap_intervals_cover():
    composites = csi.Model.from_syntax(str(MODEL).replace("=~", "<~"))
    options = {"paths": PATHS, "mean": 7.0, "scale": (1, 10), "rounded": False}
    weights = {"Quality": [1, 2, 3], "Value": 1, "Loyalty": 1}
    cases = [
        (population(composites, weights=weights, within=0.5, **options), csi.PLS()),
        (population(MODEL, loadings=0.8, **options), csi.PLS(consistent=True)),
    ]
    for truth, estimator in cases:
        found = replicate(
            truth, 200, 80, estimator, rng=8, quantities=["paths", "index"], resamples=120
        )
        for quantity in found.values():
            assert 0.88 < quantity.table["coverage"].mean() < 0.99


def test_a_model_without_paths_has_no_power_of_paths():
    model = csi.Model.from_syntax("A =~ a1 + a2 + a3")
    truth = csi.simulate.population(model, loadings=0.8, scale=(1, 10), mean=6.0, sd=2.0)
    found = csi.simulate.power(truth, 80, csi.ML(), draws=4, rng=1)
    assert len(found.table) == 0
