"""Resamples of incomplete answers are refitted as samples of their own would be."""

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import InferenceError
from csimodel.estimators.covariance import incomplete_draws
from csimodel.moments.accelerated_em import saturated_near
from csimodel.moments.incomplete_likelihood import patterns_of
from csimodel.moments.saturated import saturated

WAYS = pytest.mark.parametrize("way", ["fiml", "two-stage"])


@pytest.fixture(scope="module")
def frame(population):
    frame = population(250, 3)
    return frame.mask(np.random.default_rng(5).random(frame.shape) < 0.08)


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(6).integers(250, size=(4, 250))


@WAYS
def test_a_draw_is_the_fit_of_the_rows_drawn(way, chain, frame, rows):
    estimator = csi.ML(missing=way)
    boot = csi.bootstrap(csi.fit(chain, frame, estimator), resamples=rows, progress=False)
    assert boot.failed.empty
    for number, chosen in enumerate(rows):
        alone = csi.fit(chain, frame.iloc[chosen].reset_index(drop=True), estimator)
        ours = boot.solution[number]
        np.testing.assert_allclose(
            ours.estimates.parameters, alone.estimates.parameters, rtol=1e-5, atol=1e-6
        )
        np.testing.assert_allclose(ours.moments.cov, alone.moments.cov, atol=1e-5)
        np.testing.assert_allclose(ours.moments.mean, alone.moments.mean, atol=1e-5)
        assert ours.estimates.discrepancy == pytest.approx(alone.estimates.discrepancy, abs=1e-6)
        np.testing.assert_allclose(ours.index_weights, alone.solution.index_weights, atol=1e-5)


@WAYS
def test_weights_count_in_draws(way, chain, frame, rows):
    weighted = frame.assign(w=1.0 + np.arange(250) % 2)
    fit = csi.fit(chain, csi.read_survey(weighted, weights="w"), csi.ML(missing=way))
    boot = csi.bootstrap(fit, resamples=rows[:1], progress=False)
    again = csi.read_survey(weighted.iloc[rows[0]].reset_index(drop=True), weights="w")
    alone = csi.fit(chain, again, csi.ML(missing=way))
    np.testing.assert_allclose(
        boot.solution[0].estimates.parameters, alone.estimates.parameters, rtol=1e-5, atol=1e-6
    )


def test_complete_answers_give_the_draws_of_complete_data(chain, population, rows):
    frame = population(250, 3)
    plain = csi.bootstrap(csi.fit(chain, frame, csi.ML(means=True)), resamples=rows)
    for way in ("fiml", "two-stage"):
        boot = csi.bootstrap(csi.fit(chain, frame, csi.ML(missing=way)), resamples=rows)
        np.testing.assert_allclose(boot.draws("paths"), plain.draws("paths"), atol=1e-6)


def test_bootstrap_errors_are_those_of_the_likelihood(chain, frame):
    fit = csi.fit(chain, frame, csi.ML(missing="fiml"))
    table = csi.bootstrap(fit, draws=100, rng=1, progress=False).table("paths")
    errors = fit.parameters.query("op == '~'").set_index(["lhs", "rhs"])["std_se"]
    for (target, source), row in table.iterrows():
        assert row["se"] == pytest.approx(errors[(target, source)], rel=0.35)
    assert (table["lower"] < table["estimate"]).all()
    assert (table["estimate"] < table["upper"]).all()


def test_draws_do_not_depend_on_workers(chain, frame):
    fit = csi.fit(chain, frame, csi.ML(missing="fiml"))
    one = csi.bootstrap(fit, draws=20, rng=2, progress=False).draws("paths")
    two = csi.bootstrap(fit, draws=20, rng=2, workers=2, progress=False).draws("paths")
    pd.testing.assert_frame_equal(one, two)


@WAYS
def test_draws_that_determine_nothing_are_counted(way, chain, frame, rows):
    few = np.repeat(np.arange(5), 50)[None]
    given = np.concatenate([few, rows[:1]])
    boot = csi.bootstrap(csi.fit(chain, frame, csi.ML(missing=way)), resamples=given)
    assert boot.usable.tolist() == [False, True]
    assert boot.failed.sum() == 1


@WAYS
def test_what_refits_moments_is_refused(way, chain, frame):
    fit = csi.fit(chain, frame, csi.ML(missing=way))
    with pytest.raises(InferenceError) as told:
        csi.jackknife(fit)
    assert str(told.value) == (
        f"The jackknife refits moments, and {fit.estimator.label} needs the answers; take "
        "percentile intervals from csi.bootstrap(fit)."
    )


def test_accelerated_steps_find_the_saturated_moments(frame):
    values = frame.to_numpy()
    patterns = patterns_of(values)
    start = saturated(patterns)
    counts = np.bincount(np.random.default_rng(0).integers(250, size=250), minlength=250)
    drawn = patterns.reweighted(counts)
    fast, sure = saturated_near(drawn, start.mean, start.cov), saturated(drawn)
    np.testing.assert_allclose(fast.cov, sure.cov, atol=1e-6)
    np.testing.assert_allclose(fast.mean, sure.mean, atol=1e-6)
    assert fast.loglik == pytest.approx(sure.loglik, abs=1e-8)
    assert fast.gradient < 1e-7


def test_draws_of_few_parameters_are_fitted_to_the_end():
    """With one free parameter the likelihood falls one way only, from half of the draws."""
    rng = np.random.default_rng(9)
    common = rng.normal(size=200)
    frame = pd.DataFrame({name: common + rng.normal(size=200) for name in "abc"})
    frame = frame.mask(rng.random(frame.shape) < 0.1)
    model = csi.Model.from_syntax(
        "A =~ 1*a + 1*b + 1*c\nA ~~ 1*A\na ~~ t*a\nb ~~ t*b\nc ~~ t*c\na ~ 0*1\nb ~ 0*1\nc ~ 0*1"
    )
    fit = csi.fit(model, frame, csi.ML(missing="fiml"))
    rows = rng.integers(200, size=(20, 200))
    boot = csi.bootstrap(fit, resamples=rows, progress=False)
    for number, chosen in enumerate(rows):
        alone = csi.fit(model, frame.iloc[chosen].reset_index(drop=True), csi.ML(missing="fiml"))
        ours = boot.solution[number].estimates.parameters
        np.testing.assert_allclose(ours, alone.estimates.parameters, rtol=1e-5)


def test_a_step_is_shortened_until_the_value_falls(monkeypatch):
    """Of x²: from 1 the step -5.6 leads to 4.6², shortened to 1.24², and again to .104²."""
    monkeypatch.setattr(
        incomplete_draws,
        "_value_and_slope",
        lambda layout, samples, at, who: ((at**2).sum(axis=1), 2.0 * at),
    )
    at = np.array([[1.0], [1.0]])
    moved, value, slope, taken = incomplete_draws._searched(
        None, [], np.arange(2), at, np.ones(2), 2.0 * at, np.array([[-5.6], [5.6]]), np.ones(1)
    )
    np.testing.assert_allclose(moved[0], -5.6 * 0.4**2)
    np.testing.assert_allclose([value[0], slope[0, 0]], [0.104**2, 0.208])
    assert taken.tolist() == [True, False]  # the other goes up


@WAYS
def test_the_effective_number_of_incomplete_answers_is_that_of_their_weights(way, chain, frame):
    w = np.random.default_rng(2).uniform(0.5, 3.0, 250)
    survey = csi.read_survey(frame.assign(w=w), weights="w")
    moments = csi.fit(chain, survey, csi.ML(missing=way)).moments
    answered = w[frame.notna().any(axis=1)]
    effective = answered.sum() ** 2 / (answered**2).sum()
    np.testing.assert_allclose(moments.effective_n, effective, rtol=1e-12)
