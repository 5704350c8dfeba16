"""Shapes of the satisfaction-repurchase relation: other programs, closed forms, known truth."""

from dataclasses import replace
from html import escape
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from patsy import dmatrix
from scipy.stats import f

import csimodel as csi
from csimodel.errors import EstimationError, ModelError, OptionError, SurveyError
from csimodel.outcomes import (
    repurchase,
    repurchase_asymmetry,
    repurchase_shape,
)
from csimodel.outcomes.design.basis import KNOTS, Basis, quantiles_of, restricted_cubic
from csimodel.outcomes.kernels.wald import fieller
from csimodel.outcomes.models.shape.findings import _edge
from csimodel.outcomes.models.shape.hinge import _grid, likelihood
from csimodel.outcomes.models.shape.isotonic import Steps, isotonic
from csimodel.outcomes.models.shape.resamples import Resamples
from csimodel.outcomes.models.shape.threshold_scores import multiplier_test
from csimodel.survey import datasets


@pytest.fixture(scope="module")
def acsi():
    try:
        datasets._acsi_file(None)
    except SurveyError:
        pytest.skip("the public ACSI 2015 file is not on this computer; name it in CSIMODEL_DATA")
    return csi.load_acsi2015().data


@pytest.fixture(scope="module")
def rep(fit):
    return repurchase(fit, "CUSL1")


@pytest.fixture(scope="module")
def whole(fit):
    return repurchase(fit, "CUSL1", bootstrap=csi.bootstrap(fit, 150, rng=3))


def sampled(n, seed, knot=60.0, change=0.0, family="logit", noise=0.08):
    """Return a regression on simulated respondents whose effect changes by `change` at `knot`."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(10, 100, n)
    if family == "ols":
        y = 0.2 + 0.006 * x + change * np.maximum(x - knot, 0) + noise * rng.normal(size=n)
        y = np.clip(y, 0, 1)
    else:
        eta = -2.0 + 0.04 * x + change * np.maximum(x - knot, 0)
        y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    return repurchase(index=pd.Series(x, name="index"), outcome=y, family=family, scale=(0, 1))


# --- quadratic -----------------------------------------------------------------------------------


@pytest.mark.parametrize("errors", ["HC1", "cluster"])
def test_a_quadratic_is_statsmodels_on_the_same_columns(errors, mobi, fit):
    x = csi.respondent_index(fit)["Satisfaction"].to_numpy()
    y, groups = (mobi.data["CUSL1"].to_numpy() - 1) / 9, np.arange(250) % 25
    rep = repurchase(
        index=pd.Series(x, name="index"),
        outcome=mobi.data["CUSL1"].to_numpy(),
        family="ols",
        scale=(1, 10),
        cluster=groups if errors == "cluster" else None,
        errors=errors,
    )
    found = repurchase_shape(rep, "quadratic")
    kinds = {"groups": groups} if errors == "cluster" else {}
    theirs = sm.OLS(y, np.column_stack([np.ones(250), x, x**2])).fit(
        cov_type=errors, cov_kwds=kinds, use_t=True
    )
    table = found.table.loc[["index", "index²"]]
    assert_allclose(table["estimate"], theirs.params[1:], rtol=1e-8)
    assert_allclose(table["se"], theirs.bse[1:], rtol=1e-6)
    joint = theirs.f_test(np.eye(3)[1:])
    share = 23 / 24 if errors == "cluster" else 1.0  # Hotelling's T² of 25 clusters
    p = f.sf(joint.fvalue * share, 2, 23) if errors == "cluster" else joint.pvalue
    assert_allclose(found.tests.loc["no effect", "statistic"], joint.fvalue * share, rtol=1e-6)
    assert_allclose(found.tests.loc["no effect", "p"], p, rtol=1e-5)
    assert_allclose(found.p, theirs.pvalues[2], rtol=1e-6)
    assert found.table.loc["turning point", "estimate"] == pytest.approx(
        -theirs.params[1] / (2 * theirs.params[2])
    )


def test_a_fractional_quadratic_is_statsmodels(mobi, fit):
    rep = repurchase(fit, "CUSL1", errors="HC0")
    x = csi.respondent_index(fit)["Satisfaction"].to_numpy()
    design = np.column_stack([np.ones(250), x, x**2])
    y = (mobi.data["CUSL1"].to_numpy() - 1) / 9
    theirs = sm.GLM(y, design, family=sm.families.Binomial()).fit(cov_type="HC0")
    found = repurchase_shape(rep, "quadratic")
    assert_allclose(found.table["estimate"].iloc[:2], theirs.params[1:], rtol=1e-6)
    assert_allclose(found.table["se"].iloc[:2], theirs.bse[1:], rtol=1e-6)
    at = np.array([[1.0, 40.0, 1600.0], [1.0, 80.0, 6400.0]])
    assert_allclose(found.curve([40, 80])["probability"], theirs.predict(at), rtol=1e-8)
    ours = theirs.get_prediction(at).summary_frame()
    assert_allclose(found.curve([40, 80])[["lower", "upper"]], ours.iloc[:, 2:], rtol=1e-6)


def test_a_turning_point_is_found_where_it_is():
    rng = np.random.default_rng(4)
    x = rng.uniform(0, 100, 3000)
    y = np.clip(0.9 - 0.00012 * (x - 62) ** 2 + 0.05 * rng.normal(size=3000), 0, 1)
    rep = repurchase(index=pd.Series(x, name="index"), outcome=y, family="ols", scale=(0, 1))
    found = repurchase_shape(rep, "quadratic")
    point = found.table.loc["turning point"]
    assert point["lower"] < 62 < point["upper"]
    assert point["upper"] - point["lower"] < 3
    assert found.p < 1e-10
    assert found.findings == ()
    assert found.headline == "The effect of index is not straight (p < .001); see the curve."


def test_turning_points_outside_and_not_located_are_findings(rep):
    codes = [finding.code for finding in repurchase_shape(rep, "quadratic").findings]
    assert codes == ["turning-point-outside", "turning-point-not-located"]


def test_fieller_covers_the_ratio():
    rng = np.random.default_rng(1)
    V = np.array([[0.04, 0.01], [0.01, 0.02]])
    drawn = rng.multivariate_normal([2.0, 1.0], V, 1000)
    limits = [fieller(top, bottom, V, 0.9)[1:] for top, bottom in drawn]
    assert np.mean([low <= 2.0 <= high for low, high in limits]) == pytest.approx(0.9, abs=0.03)


# --- splines -------------------------------------------------------------------------------------


def test_spline_columns_span_the_natural_spline_of_patsy():
    knots = (20.0, 45.0, 70.0, 95.0)
    x = np.linspace(20, 95, 200)
    ours = np.column_stack([np.ones(200), *Basis("spline", knots).columns(x)])
    call = "cr(x, knots=inner, lower_bound=20, upper_bound=95) - 1"
    theirs = np.asarray(dmatrix(call, {"x": x, "inner": [45.0, 70.0]}))
    assert theirs.shape == ours.shape
    for y in (np.sin(x / 9), np.log(x)):
        one, other = (X @ np.linalg.lstsq(X, y, rcond=None)[0] for X in (ours, theirs))
        assert_allclose(one, other, atol=1e-9)


def test_spline_tails_are_straight_and_the_middle_is_harrells_formula():
    knots = (10.0, 40.0, 60.0, 90.0)
    for tail in (np.array([-9.0, 0.0, 9.0]), np.array([91.0, 100.0, 109.0])):
        for column in restricted_cubic(tail, knots):
            assert np.diff(column, n=2)[0] == pytest.approx(0.0, abs=1e-9)
    first, second = (float(c[0]) for c in restricted_cubic(np.array([70.0]), knots))
    assert first == pytest.approx((60**3 - 10**3 * 80 / 30) / 80**2)
    assert second == pytest.approx((30**3 - 10**3 * 50 / 30) / 80**2)


def test_knots_lie_at_harrells_quantiles(rep):
    x = rep.regression.sample.regressors[:, 0]
    for number in (3, 5):
        knots = repurchase_shape(rep, "spline", knots=number).fitted.basis.knots
        assert_allclose(knots, np.quantile(x, KNOTS[number]))
    weights = np.array([1.0, 1.0, 6.0, 2.0]) / 10
    assert quantiles_of(np.array([1.0, 2, 3, 4]), weights, (0.1, 0.5, 0.9)).tolist() == [1, 3, 4]


def test_a_spline_finds_a_bend_and_nothing_where_there_is_none():
    assert repurchase_shape(sampled(1500, 1, change=-0.05), "spline").p < 0.001
    straight = repurchase_shape(sampled(1500, 1), "spline")
    assert straight.p > 0.05
    assert straight.headline.startswith("Nothing speaks against a straight effect of index")


def test_knots_outside_the_observed_index_are_a_finding():
    rep = sampled(300, 2)
    (found,) = repurchase_shape(rep, "spline", knots=[2, 50, 70, 90]).findings
    index = rep.regression.sample.regressors
    assert (found.code, found.count) == ("knots-outside", 1)
    assert found.values == {
        "outside": ("2",), "index": "index", "low": index.min(), "high": index.max(),
    }  # fmt: skip
    with pytest.raises(EstimationError) as raised:
        repurchase_shape(rep, "hinge", knots=5)
    assert str(raised.value) == (
        f"The index of 'index', observed from {rep.regression.sample.regressors.min():.1f} to "
        f"{rep.regression.sample.regressors.max():.1f}, cannot bend at 5: too few values lie "
        "between or beyond; choose knots inside what was observed."
    )


# --- hinges --------------------------------------------------------------------------------------


def test_draws_of_a_hinge_see_each_value_of_the_regressors_once(mobi):
    """Answers of ten kinds at the same index are one cell with their mean, without a chain, too."""
    index = pd.Series(np.repeat([30.0, 45, 60, 75, 90], 50), name="index")
    outcome = mobi.data["CUSL1"].reset_index(drop=True)
    rep = repurchase(index=index, outcome=outcome, scale=(1, 10), family="fractional-logit")
    resamples = Resamples.of(rep, 0, 40, 1, progress=False)
    every = np.concatenate([b.weights for b in resamples.batches("test")])
    means = np.concatenate([b.outcome for b in resamples.batches("test")])
    assert every.shape == means.shape == (40, 5)
    counts = next(iter(resamples.resampling))
    at = (index == 60).to_numpy()
    y = rep.regression.sample.outcome
    assert_allclose(every[:, 2], counts[:, at].sum(axis=1))
    assert_allclose(means[:, 2], counts[:, at] @ y[at] / counts[:, at].sum(axis=1))


def test_draws_of_the_chain_see_each_pattern_of_answers_once(whole):
    """With the mean outcome of the respondents who gave it in the draw."""
    cells = whole.draws.cells
    batch = next(iter(Resamples.of(whole, 0, 150, 1, progress=False).batches("test")))
    assert batch.weights.shape[1] == len(cells.merged.starts) < len(cells.starts)
    counts = next(iter(whole.draws.bootstrap.design))[batch.draws]
    y = whole.regression.sample.outcome
    assert_allclose(batch.weights.sum(axis=1), 250)
    assert_allclose((batch.weights * batch.outcome).sum(axis=1), counts @ y)


def test_a_hinge_at_60_is_found():
    found = repurchase_shape(
        sampled(1200, 5, change=-0.0055, family="ols"), "hinge", draws=199, rng=1
    )
    threshold = found.table.loc["threshold"]
    assert threshold["estimate"] == pytest.approx(60, abs=3)
    assert threshold["lower"] < 60 < threshold["upper"]
    assert found.table.loc["slope below", "estimate"] == pytest.approx(0.006, abs=5e-4)
    assert found.table.loc["slope above", "estimate"] == pytest.approx(0.0005, abs=5e-4)
    assert found.p == pytest.approx(1 / 200)
    assert found.findings == ()
    assert found.headline.startswith("A point of index counts less above 59 than below")


def test_a_hinge_of_a_logit_is_found():
    found = repurchase_shape(sampled(2500, 6, change=-0.08), "hinge", draws=49, rng=1)
    assert found.table.loc["threshold", "estimate"] == pytest.approx(60, abs=5)
    assert found.table.loc["change", "estimate"] == pytest.approx(-0.08, abs=0.03)


@pytest.mark.parametrize("family", ["ols", "logit"])
def test_the_threshold_is_the_best_of_a_fine_grid(family):
    rep = sampled(300, 7, change=-0.004 if family == "ols" else 0.06, family=family)
    found = repurchase_shape(rep, "hinge", draws=20, rng=1)
    x, y = rep.regression.sample.regressors[:, 0], rep.regression.sample.outcome
    best = found.fitted.bend.regression
    top = likelihood(rep.family, best.eta, y).sum()
    for knot in np.linspace(found.fitted.grid[0], found.fitted.grid[-1], 60):
        X = np.column_stack([np.ones(300), x, np.maximum(x - knot, 0)])
        model = sm.OLS(y, X) if family == "ols" else sm.GLM(y, X, family=sm.families.Binomial())
        eta = X @ model.fit().params
        assert likelihood(rep.family, eta, y).sum() <= top + 1e-3 * abs(top)


def test_a_given_threshold_is_an_ordinary_regression(mobi, fit):
    rep = repurchase(fit, "CUSL1", errors="HC0")
    x = csi.respondent_index(fit)["Satisfaction"].to_numpy()
    design = np.column_stack([np.ones(250), x, np.maximum(x - 70, 0)])
    y = (mobi.data["CUSL1"].to_numpy() - 1) / 9
    theirs = sm.GLM(y, design, family=sm.families.Binomial()).fit(cov_type="HC0")
    found = repurchase_shape(rep, "hinge", knots=70)
    above = theirs.t_test([[0, 1, 1]])
    assert found.table.index.tolist() == ["threshold", "slope below", "slope above", "change"]
    assert_allclose(found.table.loc["slope above", "estimate"], above.effect, rtol=1e-6)
    assert_allclose(found.table.loc["slope above", "se"], above.sd.item(), rtol=1e-6)
    assert_allclose(found.p, theirs.pvalues[2], rtol=1e-6)


def test_a_hinge_does_not_depend_on_the_origin_and_unit_of_a_control():
    rng = np.random.default_rng(3)
    x, age = pd.Series(rng.uniform(10, 100, 300), name="index"), rng.normal(40, 10, 300)
    y = (rng.random(300) < 1 / (1 + np.exp(2 - 0.05 * x + 0.03 * np.maximum(x - 60, 0)
                                           - 0.02 * (age - 40)))).astype(float)  # fmt: skip
    tables, curves, draws = [], [], []
    for control in (age, age + 100, age / 7 - 1000):
        rep = repurchase(
            index=x,
            outcome=y,
            controls=pd.DataFrame({"age": control}),
            family="logit",
            scale=(0, 1),
        )
        found = repurchase_shape(rep, "hinge", draws=30, rng=1)
        tables.append(found.table[["estimate", "se", "lower", "upper"]])
        curves.append(found.curve([30, 60, 90]).drop(columns="reason"))
        own = found.fitted.draws
        draws.append(own[:, 1] + own[:, 4] * control.mean())  # the constant at the mean age
    for table, curve, own in zip(tables[1:], curves[1:], draws[1:], strict=True):
        assert_allclose(table, tables[0], rtol=1e-5, atol=1e-8)
        assert_allclose(curve, curves[0], rtol=1e-5)
        assert_allclose(own, draws[0], rtol=1e-5)


def test_draws_of_respondents_do_not_depend_on_merging_or_batches(monkeypatch):
    from csimodel.inference import draws

    rng = np.random.default_rng(8)
    x = rng.integers(1, 30, 200) * 3.0
    y = (rng.random(200) < x / 100).astype(float)
    rep = repurchase(index=pd.Series(x, name="index"), outcome=y, family="logit")
    one = repurchase_shape(rep, "hinge", draws=40, rng=1)
    monkeypatch.setattr(draws, "_TOGETHER", 300)
    other = repurchase_shape(rep, "hinge", draws=40, rng=1)
    pd.testing.assert_frame_equal(one.table, other.table)
    (batch, *_) = one.fitted.bend.resamples.batches("test")
    assert batch.weights.shape[1] < 60
    assert_allclose(batch.weights.sum(axis=1), 200)


def test_the_multiplier_test_keeps_its_size_and_has_power():
    """Hansen's test at 5 %: about 10 of 200 straight samples, most of the bent ones."""
    rejected = bent = 0
    for seed in range(200):
        rep = sampled(150, seed)
        rejected += multiplier_test(rep.regression, 0, _grid(rep, 0), 99, seed)["p"] <= 0.05
    for seed in range(20):
        rep = sampled(150, seed, change=-0.006, family="ols")
        bent += multiplier_test(rep.regression, 0, _grid(rep, 0), 99, seed)["p"] <= 0.05
    assert 3 <= rejected <= 19
    assert bent >= 18


def test_the_multiplier_test_draws_signs_by_cluster():
    rep = sampled(200, 3)
    x, y = rep.regression.sample.regressors[:, 0], rep.regression.sample.outcome
    twice = repurchase(
        index=np.tile(x, 2),
        outcome=np.tile(y, 2),
        family="logit",
        cluster=np.tile(np.arange(200), 2),
    )
    grid = _grid(rep, 0)
    one = multiplier_test(rep.regression, 0, grid, 199, 1)
    two = multiplier_test(twice.regression, 0, grid, 199, 1)
    assert one["p"] == two["p"]
    assert two["statistic"] == pytest.approx(2 * one["statistic"])


def test_a_threshold_that_is_not_there_is_said(rep):
    found = repurchase_shape(rep, "hinge", draws=50, rng=1)
    values = {finding.code: finding.values for finding in found.findings}
    assert "threshold-not-shown" in values
    assert values["threshold-at-edge"]["index"] == "Satisfaction"
    assert values["threshold-at-edge"]["threshold"] == pytest.approx(53.0, abs=0.05)


# --- isotonic ------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_isotonic_is_the_largest_of_the_smallest_means(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 12))
    y, w = rng.normal(size=n).round(1), rng.uniform(0.5, 3, n)
    mean = [
        [np.average(y[a : b + 1], weights=w[a : b + 1]) if b >= a else np.inf for b in range(n)]
        for a in range(n)
    ]
    brute = [max(min(mean[a][b] for b in range(i, n)) for a in range(i + 1)) for i in range(n)]
    assert_allclose(isotonic(y, w), brute, atol=1e-12)
    assert_allclose(isotonic(y, w, rising=False), -isotonic(-y, w), atol=1e-12)


def test_the_distance_of_steps_is_a_root_mean_square_over_respondents():
    fitted, parametric = np.array([0.1, 0.5, 0.6]), np.array([0.2, 0.2, 0.7])
    share = np.array([0.2, 0.3, 0.5])
    own = Steps(None, np.array([10.0, 40.0, 90.0]), fitted, parametric, share, None, True)
    expected = np.sqrt(0.2 * 0.01 + 0.3 * 0.09 + 0.5 * 0.01)
    assert_allclose(own.distance, expected, rtol=1e-12)
    assert_allclose(own.largest, (0.3, 40.0), rtol=1e-12)
    assert_allclose(replace(own, fitted=parametric - 0.2).largest, (-0.2, 10.0))


def test_isotonic_knows_a_straight_effect_from_a_bent_one():
    straight = repurchase_shape(sampled(800, 2), "isotonic", draws=99, rng=1)
    bent = repurchase_shape(sampled(800, 2, knot=50, change=-0.09), "isotonic", draws=99, rng=1)
    assert straight.p > 0.05
    assert bent.p == pytest.approx(0.01)
    curve = straight.curve([5, 30, 60, 90])
    assert np.isnan(curve["probability"][0])
    assert curve["probability"].iloc[1:].is_monotonic_increasing
    assert (curve["lower"] <= curve["probability"])[1:].all()


def test_isotonic_says_what_it_leaves_out(fit):
    rep = repurchase(fit, "CUSL1", controls="CUSCO")
    (found,) = repurchase_shape(rep, "isotonic", draws=20, rng=1).findings
    assert (found.code, found.severity) == ("others-ignored", "note")
    assert found.values == {"index": "Satisfaction", "names": ("'CUSCO'",)}


# --- all shapes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["quadratic", "spline", "hinge", "isotonic"])
def test_shapes_with_the_whole_chain(whole, kind):
    found = repurchase_shape(whole, kind, draws=50, rng=1)
    again = repurchase_shape(whole, kind, draws=50, rng=1)
    pd.testing.assert_frame_equal(found.table, again.table)
    curve = found.curve([40, 70, 95])
    assert curve.columns.tolist() == [
        "index", "probability", "se", "df", "lower", "upper", "reason",
    ]  # fmt: skip
    assert ((curve["lower"] <= curve["probability"]) & (curve["se"] > 0)).all()
    assert 0 < found.p <= 1
    assert found.statistic > 0
    assert repr(found).startswith(f"<Shape {kind}: ")
    page = found._repr_html_()
    assert escape(found.headline) in page
    assert "<li>" in page or "No findings" in page
    assert str(found.summary()).startswith(f"CUSL1 on the index of Satisfaction: {kind}")


def test_chain_draws_of_a_bend_are_regressions_of_every_draw(fit, mobi, ecsi):
    rows = np.random.default_rng(2).integers(0, 250, (25, 250))
    rep = repurchase(fit, "CUSL1", controls="CUSCO", bootstrap=csi.bootstrap(fit, resamples=rows))
    found = repurchase_shape(rep, "quadratic")
    levels = np.array([50.0, 90.0])
    frame = mobi.data.iloc[rows[7]].reset_index(drop=True)
    part = csi.fit(ecsi, csi.read_survey(frame, scale=(1, 10)), csi.PLS())
    x = csi.respondent_index(part)["Satisfaction"].to_numpy()
    X = np.column_stack([np.ones(250), x, x**2, frame["CUSCO"]])
    model = sm.GLM((frame["CUSL1"] - 1) / 9, X, family=sm.families.Binomial()).fit(tol=1e-12)
    assert_allclose(found.fitted.draws[7], model.params, rtol=1e-6)
    from csimodel.outcomes.models.shape.curved_fit import predictions_of_draws

    ours = predictions_of_draws(
        found.fitted.resamples, rep.family, found.fitted.draws, found.fitted._columns, levels
    )
    for place, level in enumerate(levels):
        X[:, 1:3] = level, level**2
        assert ours[7, place] == pytest.approx(model.predict(X).mean(), rel=1e-7)


@pytest.mark.parametrize("kind", ["quadratic", "spline"])
def test_weights_of_two_are_rows_twice(kind):
    rep = sampled(120, 9)
    x, y = rep.regression.sample.regressors[:, 0], rep.regression.sample.outcome
    w = np.random.default_rng(1).integers(1, 4, 120)
    knots = [20, 50, 80] if kind == "spline" else None
    one = repurchase_shape(
        repurchase(index=x, outcome=y, family="logit", weights=w), kind, knots=knots
    )
    order = np.repeat(np.arange(120), w)
    many = repurchase_shape(
        repurchase(index=x[order], outcome=y[order], family="logit"), kind, knots=knots
    )
    assert_allclose(one.table["estimate"], many.table["estimate"], rtol=1e-6)


def test_curves_average_over_other_regressors(fit):
    rep = repurchase(fit, "CUSL1", index=["Satisfaction", "Image"], controls="CUSCO")
    found = repurchase_shape(rep, "quadratic", index="Image")
    bent = found.fitted.regression
    X = np.column_stack([np.ones(250), bent.sample.regressors])
    X[:, 1:3] = 60.0, 3600.0
    mean = rep.family.mean(X @ bent.coefficients).mean()
    assert found.curve([60])["probability"][0] == pytest.approx(mean)
    assert bent.sample.names == ("Image", "Image²", "Satisfaction", "CUSCO")


@pytest.mark.parametrize("family", ["probit", "cloglog", "fractional-probit", "beta"])
def test_other_families_bend_too(fit, mobi, family):
    again = (mobi.data["CUSL1"] >= 8).astype(float)
    share = (mobi.data["CUSL1"] - 0.5) / 10
    outcome = again if family in ("probit", "cloglog") else share.rename("share")
    found = repurchase_shape(repurchase(fit, outcome, family=family, scale=(0, 1)), "spline")
    assert found.curve([40, 80])["probability"].between(0, 1).all()
    told = [finding.code for finding in found.findings]
    assert told == (["mean-only"] if family == "beta" else [])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"kind": "cubic"},
            "kind='cubic' is not known; use one of 'quadratic', 'spline', 'hinge', 'isotonic'.",
        ),
        (
            {"kind": "quadratic", "knots": 4},
            "knots=4 has no meaning for kind='quadratic'; leave it out, or use kind='spline'.",
        ),
        (
            {"kind": "spline", "knots": 9},
            "knots=9 must be from 3 to 7, or a list of at least 3 index points.",
        ),
        (
            {"kind": "spline", "knots": [50, 40, 60]},
            "knots=[50, 40, 60] must be at least 3 index points in rising order.",
        ),
        (
            {"kind": "hinge", "knots": 120},
            "knots=120 must be one threshold between 0 and 100 for kind='hinge'; leave it out to "
            "have it estimated.",
        ),
        (
            {"index": "Satisfacton"},
            "index='Satisfacton' is not in this regression (did you mean 'Satisfaction'?); use one "
            "of 'Satisfaction'.",
        ),
        (
            {"kind": "hinge", "draws": 0},
            "draws=0 must be a whole number of at least 1, and some hundreds for tests.",
        ),
        (
            {"kind": "hinge", "rng": -1},
            "rng=-1 must be a whole number from 0, a numpy.random.Generator, or None.",
        ),
    ],
)
def test_errors_of_options(rep, options, message):
    with pytest.raises(OptionError) as raised:
        repurchase_shape(rep, **options)
    assert str(raised.value) == message


def test_errors_of_data(rep):
    with pytest.raises(OptionError) as raised:
        repurchase_shape(rep, "spline").curve([50, 101])
    assert str(raised.value) == (
        "Level 101 is not on the index, which goes from 0 to 100; choose a level between them."
    )
    y = np.tile([0.0, 1.0, 1.0, 0.0], 25)
    two = repurchase(index=pd.Series(np.repeat([20.0, 70.0], 50), name="index"), outcome=y)
    with pytest.raises(EstimationError) as raised:
        repurchase_shape(two, "quadratic")
    assert str(raised.value) == (
        "The index of 'index' has only 2 different values among 100 respondents, and this shape "
        "needs at least 3; use a simpler shape."
    )
    x = np.r_[np.full(96, 100.0), 10, 20, 30, 40]
    heaped = repurchase(index=pd.Series(x, name="index"), outcome=y)
    with pytest.raises(EstimationError) as raised:
        repurchase_shape(heaped, "spline")
    assert str(raised.value) == (
        "The index of 'index' is heaped so that 4 knots at its quantiles fall on 1 values; give at "
        "least 3 index points as knots=[…]."
    )
    with pytest.raises(EstimationError, match=r"^The index of 'index' has no room for a threshold"):
        repurchase_shape(heaped, "hinge")
    apart = repurchase(index=np.arange(100.0), outcome=(np.arange(100) >= 50).astype(float))
    with pytest.raises(EstimationError) as raised:
        repurchase_shape(apart, "spline")
    assert str(raised.value) == (
        "The regression of 'outcome' has no solution (outcomes separated by the regressors), so "
        "there is no shape to look at; use family='ols' or fewer regressors."
    )


# --- below and above expectations ----------------------------------------------------------------


def test_asymmetry_in_the_acsi_2015(acsi):
    """As recorded of statsmodels: .926 Q + .022 min(Q-E,0) - .230 max(Q-E,0) on three-item means."""
    quality, expected, index = (
        acsi[columns].mean(axis=1).rename(name)
        for name, columns in {
            "Quality": ["OVERALLQ", "CUSTOMQ", "WRONGQ"],
            "Expectations": ["OVERALLX", "CUSTOMX", "WRONGX"],
            "Satisfaction": ["SATIS", "CONFIRM", "IDEAL"],
        }.items()
    )
    found = repurchase_asymmetry(quality=quality, expectations=expected, outcome=index)
    assert found.table["estimate"].iloc[:3].round(3).tolist() == [0.926, 0.022, -0.230]
    assert round(found.table.loc["effect below", "estimate"], 3) == 0.948
    # .696 is .926 less .230; without rounding in between it is .6967
    assert found.table.loc["effect above", "estimate"] == pytest.approx(0.696, abs=1e-3)
    assert found.n == 8027
    assert found.p < 1e-15
    ceilings = {f.subjects[0]: f.count for f in found.findings if f.code == "ceiling"}
    assert ceilings == {"Quality": 1518, "Expectations": 1285}


def test_asymmetry_is_least_squares_on_the_same_columns(fit):
    found = repurchase_asymmetry(fit)
    scores = csi.respondent_index(fit)
    q, gap = scores["Quality"], scores["Quality"] - scores["Expectation"]
    X = np.column_stack([np.ones(250), q, np.minimum(gap, 0), np.maximum(gap, 0)])
    theirs = sm.OLS(scores["Satisfaction"].to_numpy(), X).fit(cov_type="HC1", use_t=True)
    rows = ["quality", "shortfall", "surplus"]
    assert_allclose(found.table.loc[rows, "estimate"], theirs.params[1:], rtol=1e-8)
    assert_allclose(found.table.loc[rows, "se"], theirs.bse[1:], rtol=1e-6)
    test = theirs.f_test([[0, 0, 1, -1]])
    assert_allclose([found.statistic, found.p], [test.fvalue, test.pvalue], rtol=1e-6)
    at = X.mean(axis=0)
    mean = float((q - gap).mean())
    at[1:] = 60, min(60 - mean, 0), max(60 - mean, 0)
    assert found.curve([60])["probability"][0] == pytest.approx(at @ theirs.params)


def test_who_gives_one_answer_throughout_is_at_expectations(fit):
    """Three of mobi's customers do; both indexes are then that answer, whatever the weights."""
    found = repurchase_asymmetry(fit)
    asked = {c.name: list(c.items) for c in fit.model.constructs}
    same = csi.load_mobi().data[asked["Quality"] + asked["Expectation"]].nunique(axis=1) == 1
    assert found.shares["at"] == pytest.approx(same.mean())
    assert same.sum() == 3


def test_asymmetry_has_no_curve_at_infinity(fit):
    with pytest.raises(OptionError, match="has a level that is not finite; choose levels of the"):
        repurchase_asymmetry(fit).curve([50, np.inf])


@pytest.mark.parametrize("outcome", ["Satisfaction", "CUSL1"])
def test_asymmetry_in_every_draw(fit, mobi, ecsi, outcome):
    from csimodel.outcomes.models.asymmetry.draws import coefficients_of_draws

    rows = np.random.default_rng(2).integers(0, 250, (25, 250))
    boot = csi.bootstrap(fit, resamples=rows)
    found = repurchase_asymmetry(fit, outcome, bootstrap=boot)
    names = ("Quality", "Expectation", outcome if outcome == "Satisfaction" else None)
    draws = coefficients_of_draws(boot, found.regression, names, False)
    frame = mobi.data.iloc[rows[11]].reset_index(drop=True)
    part = csi.fit(ecsi, csi.read_survey(frame, scale=(1, 10)), csi.PLS())
    scores = csi.respondent_index(part)
    q, gap = scores["Quality"], scores["Quality"] - scores["Expectation"]
    X = np.column_stack([np.ones(250), q, np.minimum(gap, 0), np.maximum(gap, 0)])
    model = (
        sm.OLS(scores["Satisfaction"].to_numpy(), X).fit()
        if outcome == "Satisfaction"
        else sm.GLM((frame["CUSL1"] - 1) / 9, X, family=sm.families.Binomial()).fit(tol=1e-12)
    )
    assert_allclose(draws[11], model.params, rtol=1e-6)
    assert_allclose(found.table["se"].iloc[0], draws[:, 1].std(ddof=1))


@pytest.mark.parametrize("outcome", ["Satisfaction", "CUSL1"])
def test_asymmetry_in_a_draw_with_missing_answers_is_that_of_who_was_drawn(mobi, ecsi, outcome):
    """A missing answer counts as its item's mean among those drawn, not among all."""
    from csimodel.outcomes.models.asymmetry.draws import coefficients_of_draws

    data = mobi.data.astype(float)
    for place, item in enumerate(["PERQ1", "PERQ4", "CUEX2", "CUSA1"]):
        data.loc[data.index[place::9], item] = np.nan
    rows = np.random.default_rng(2).integers(0, 250, (25, 250))
    survey = csi.read_survey(data, scale=(1, 10), missing="mean")
    whole = csi.fit(ecsi, survey, csi.PLS(tolerance=1e-12))
    boot = csi.bootstrap(whole, resamples=rows, progress=False)
    names = ("Quality", "Expectation", outcome if outcome == "Satisfaction" else None)
    found = repurchase_asymmetry(whole, outcome, progress=False)
    draws = coefficients_of_draws(boot, found.regression, names, False)
    for draw in (3, 11):
        frame = data.iloc[rows[draw]].reset_index(drop=True)
        frame = frame.fillna(frame.mean())
        again = csi.read_survey(frame, scale=(1, 10))
        scores = csi.respondent_index(csi.fit(ecsi, again, csi.PLS(tolerance=1e-12)))
        q, gap = scores["Quality"], scores["Quality"] - scores["Expectation"]
        X = np.column_stack([np.ones(250), q, np.minimum(gap, 0), np.maximum(gap, 0)])
        model = (
            sm.OLS(scores["Satisfaction"].to_numpy(), X).fit()
            if outcome == "Satisfaction"
            else sm.GLM((frame["CUSL1"] - 1) / 9, X, family=sm.families.Binomial()).fit(tol=1e-12)
        )
        assert_allclose(draws[draw], model.params, rtol=1e-5)


def test_asymmetry_recovers_a_known_ratio():
    rng = np.random.default_rng(3)
    expected = rng.uniform(20, 80, 3000)
    quality = expected + rng.normal(0, 12, 3000)
    gap = quality - expected
    y = 10 + 0.5 * quality + 0.5 * np.minimum(gap, 0) + rng.normal(0, 5, 3000)
    found = repurchase_asymmetry(quality=quality, expectations=expected, outcome=y)
    assert found.table.loc["ratio", "lower"] < 2 < found.table.loc["ratio", "upper"]
    assert found.headline.startswith("A point of quality counts more below expectations than above")
    assert found.shares.sum() == pytest.approx(1)
    assert escape(found.headline) in found._repr_html_()


def test_errors_of_asymmetry(fit, boot, mobi, ecsi):
    with pytest.raises(ModelError) as raised:
        repurchase_asymmetry(fit, quality="Qualty")
    assert str(raised.value) == (
        "quality='Qualty' is not a construct of the model (did you mean 'Quality'?); use quality= with one of "
        "'Image', 'Expectation', 'Quality', 'Value', 'Satisfaction', 'Complaints', 'Loyalty'."
    )
    with pytest.raises(OptionError) as raised:
        repurchase_asymmetry(fit, family="logit")
    assert str(raised.value) == (
        "family='logit' does not fit an index of 0 to 100; leave it out, or take repurchase as the "
        "outcome."
    )
    with pytest.raises(OptionError, match=r"^The bootstrap was made from another fit"):
        repurchase_asymmetry(csi.fit(ecsi, mobi, csi.PLS(scheme="centroid")), bootstrap=boot)
    with pytest.raises(EstimationError) as raised:
        repurchase_asymmetry(
            quality=[5.0, 6, 7, 8], expectations=[1.0, 2, 3, 5], outcome=[1.0, 2, 2, 3]
        )
    assert str(raised.value) == (
        "No respondent rates 'quality' below 'expectations', so its effect there cannot be "
        "estimated; look whether both are on the same scale."
    )
    with pytest.raises(SurveyError, match="Weights 'weights' hold 1 negative values"):
        repurchase_asymmetry(
            quality=np.arange(9.0),
            expectations=np.full(9, 4.0),
            outcome=np.arange(9.0) ** 2,
            weights=np.r_[-1.0, np.ones(8)],
        )


# --- thresholds without a solution ---------------------------------------------------------------


@pytest.fixture(scope="module")
def sure_above(fit):
    """Respondents who all buy again above a high index, so that a late hinge has no solution."""
    index = csi.respondent_index(fit)["Satisfaction"]
    chance = 1 / (1 + np.exp(3 - 0.05 * index.to_numpy()))
    y = (np.random.default_rng(3).random(len(index)) < chance) * 1.0
    y[index > index.quantile(0.84)] = 1.0
    return pd.Series(y, index.index, name="buys")


def test_a_hinge_of_the_whole_chain_is_tested_where_it_has_a_solution(fit, sure_above):
    boot = csi.bootstrap(fit, 150, rng=1)
    rep = repurchase(fit, sure_above, family="logit", bootstrap=boot)
    found = repurchase_shape(rep, kind="hinge", draws=99, rng=1)
    lost = ~np.isfinite(found.fitted.changes)
    assert 0 < lost.sum() < 13
    assert np.isfinite(found.statistic)
    assert found.p < 0.5
    told = next(f for f in found.findings if f.code == "thresholds-without-solution")
    assert told.count == lost.sum()
    assert told.values["lowest"] == found.fitted.grid[lost][0]


def test_a_hinge_with_too_few_solutions_is_tested_by_scores(fit, sure_above):
    boot = csi.bootstrap(fit, 40, rng=1)
    rep = repurchase(fit, sure_above, family="logit", bootstrap=boot)
    found = repurchase_shape(rep, kind="hinge", draws=99, rng=1).fitted
    nowhere = replace(found, changes=np.full_like(found.changes, np.nan))
    assert nowhere.existence(99, 1)["distribution"] == "multiplier bootstrap (99 draws)"
    assert np.isfinite(nowhere.existence(99, 1)["statistic"])


def test_a_headline_does_not_say_what_was_not_tested(rep):
    bent = repurchase_shape(rep, kind="quadratic")
    unknown = replace(bent, tests=bent.tests.assign(p=np.nan))
    assert unknown.headline == (
        "Whether the effect of Satisfaction is straight could not be tested."
    )


def test_no_difference_shown_is_not_called_none(fit):
    found = repurchase_asymmetry(fit)
    assert found.p > 0.05
    assert "is not shown to count differently" in found.headline


def test_a_given_threshold_keeps_the_rows_of_controls(mobi, fit):
    age = np.random.default_rng(1).normal(40, 10, 250)
    rep = repurchase(fit, "CUSL1", errors="HC0", controls=pd.DataFrame({"age": age}))
    x = csi.respondent_index(fit)["Satisfaction"].to_numpy()
    design = np.column_stack([np.ones(250), x, np.maximum(x - 70, 0), age])
    y = (mobi.data["CUSL1"].to_numpy() - 1) / 9
    theirs = sm.GLM(y, design, family=sm.families.Binomial()).fit(cov_type="HC0")
    table = repurchase_shape(rep, "hinge", knots=70).table
    assert table.index.tolist() == ["threshold", "slope below", "slope above", "change", "age"]
    ours = table.loc[["slope below", "change", "age"]]
    assert_allclose(ours["estimate"], theirs.params[1:], rtol=1e-6)
    assert_allclose(ours["se"], theirs.bse[1:], rtol=1e-6)


@pytest.mark.parametrize(
    ("threshold", "told"), [(10.9, True), (11.1, False), (88.9, False), (89.1, True)]
)
def test_a_threshold_less_than_half_a_step_from_an_end_is_at_the_edge(threshold, told):
    fitted = SimpleNamespace(grid=np.arange(10.0, 91.0, 2.0), threshold=threshold)
    assert [f.code for f in _edge(fitted, "S")] == ["threshold-at-edge"] * told


def test_a_hinge_of_the_index_turned_round_swaps_below_and_above():
    rng = np.random.default_rng(5)
    x = rng.uniform(0, 100, 200)
    y = 0.3 + 0.006 * x - 0.0055 * np.maximum(x - 60, 0) + rng.normal(0, 0.1, 200)
    own, turned = (
        repurchase_shape(
            repurchase(index=index, outcome=y, family="ols", scale=(-1, 2)),
            "hinge",
            draws=40,
            rng=1,
        ).table
        for index in (x, 100 - x)
    )
    columns = ["estimate", "se"]
    for one, other in (("slope below", "slope above"), ("slope above", "slope below")):
        expected = turned.loc[other, columns].to_numpy(float) * [-1, 1]
        assert_allclose(own.loc[one, columns].to_numpy(float), expected, rtol=2e-3)
    assert_allclose(own.loc["threshold", "estimate"], 100 - turned.loc["threshold", "estimate"],
                    atol=0.1)  # fmt: skip
