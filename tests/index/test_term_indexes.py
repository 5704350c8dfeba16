"""Indexes of models with products and constructs of constructs."""

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import ModelError

M = csi.Model.from_syntax
ECSI = csi.models.ecsi().to_syntax()
WHOLE = "Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7"
PARTS = "QB =~ PERQ4 + PERQ5 + PERQ6 + PERQ7\nQA =~ PERQ1 + PERQ2 + PERQ3\nQuality =~ QA + QB"
TIGHT = csi.PLS(tolerance=1e-12)


@pytest.fixture(scope="module")
def survey(mobi):
    rng = np.random.default_rng(5)
    frame = mobi.data.assign(
        again=rng.integers(0, 2, 250), firm=np.arange(250) % 5, weight=rng.uniform(0.5, 1.5, 250)
    )
    return csi.read_survey(frame, scale=dict.fromkeys(mobi.items, (1, 10)), weights="weight")


@pytest.fixture(scope="module")
def plain(survey):
    return csi.fit(M(ECSI), survey, TIGHT)


@pytest.fixture(scope="module")
def moderated(survey):
    return csi.fit(M(f"{ECSI}\nLoyalty ~ Image:Satisfaction"), survey, TIGHT)


@pytest.fixture(scope="module")
def second_order(survey):
    return csi.fit(M(ECSI.replace(WHOLE, PARTS)), survey, TIGHT)


def alike(ours, theirs):
    left, right = (table.select_dtypes("number") for table in (ours, theirs))
    pd.testing.assert_frame_equal(left, right, rtol=1e-7, atol=1e-9)


def test_products_change_no_index(plain, moderated):
    alike(csi.index_scores(moderated), csi.index_scores(plain))
    alike(csi.index_scores(moderated, by="firm"), csi.index_scores(plain, by="firm"))
    alike(csi.respondent_index(moderated), csi.respondent_index(plain))
    ours, theirs = (csi.linearize(fit) for fit in (moderated, plain))
    alike(ours.table("index", by="firm"), theirs.table("index", by="firm"))
    ours, theirs = (
        csi.bootstrap(fit, draws=60, rng=1, progress=False) for fit in (moderated, plain)
    )
    for more in ({}, {"by": "firm"}, {"interval": "bca"}):
        alike(
            csi.index_scores(moderated, bootstrap=ours, **more),
            csi.index_scores(plain, bootstrap=theirs, **more),
        )
    for errors in ((ours, theirs), (csi.linearize(moderated), csi.linearize(plain))):
        first, second = (
            csi.repurchase(fit, "again", family="logit", bootstrap=own, progress=False)
            for fit, own in zip((moderated, plain), errors, strict=True)
        )
        alike(first.coefficients, second.coefficients)


def test_products_of_few_items_change_no_index(survey):
    # more respondents than sums of products of items
    paths = "Q =~ PERQ1 + PERQ2 + PERQ3\nV =~ PERV1 + PERV2\nS =~ CUSA1 + CUSA2\nS ~ Q + V"
    plain, moderated = (csi.fit(M(text), survey, TIGHT) for text in (paths, f"{paths} + Q:V"))
    ours, theirs = map(csi.index_scores, (moderated, plain))
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-5)
    assert ours["se"].gt(0).all()


def test_regressions_on_the_index_of_a_whole_count_incomplete_answers(survey):
    frame = survey.data.copy()
    frame.loc[::10, "PERQ1"] = np.nan
    scale = dict.fromkeys(survey.items, (1, 10))
    fit = csi.fit(
        M(ECSI.replace(WHOLE, PARTS)), csi.read_survey(frame, scale=scale, missing="pairwise")
    )
    for name, count in (("Quality", 225), ("Loyalty", 250)):
        rep = csi.repurchase(fit, "again", index=name, family="logit")
        assert rep.regression.sample.n == count
    with pytest.raises(ModelError, match="index='QA' is a product or a part of another construct"):
        csi.repurchase(fit, "again", index="QA")


def test_the_index_of_a_whole_is_a_mean_of_those_of_its_parts(survey, second_order):
    first = csi.fit(second_order.model.stages[0], survey, TIGHT)
    ours, parts = csi.respondent_index(second_order), csi.respondent_index(first)
    weights = second_order.weights.loc[["QA", "QB"], "Quality"]
    row_weights = survey.data["weight"]
    spread = {
        name: np.sqrt(np.cov(parts[name], aweights=row_weights, ddof=0)) for name in ("QA", "QB")
    }
    share = pd.Series({name: weights[name] / spread[name] for name in spread})
    share /= share.sum()
    expected = share["QA"] * parts["QA"] + share["QB"] * parts["QB"]
    np.testing.assert_allclose(ours["Quality"], expected, atol=1e-9)
    np.testing.assert_allclose(ours["Image"], parts["Image"], atol=1e-12)
    scores, own = second_order.scores["Quality"], ours["Quality"]
    assert abs(np.corrcoef(scores, own)[0, 1]) == pytest.approx(1.0, abs=1e-12)
    table = csi.index_scores(second_order)
    assert "QA" not in table.index
    mean = np.average(expected, weights=row_weights)
    assert table.loc["Quality", "mean"] == pytest.approx(mean, abs=1e-9)


def test_draws_of_a_whole_are_those_of_their_files(survey, second_order):
    rows = np.random.default_rng(2).integers(250, size=(20, 250))
    boot = csi.bootstrap(second_order, resamples=rows, progress=False)
    data = survey.data.iloc[rows[4]].reset_index(drop=True)
    scale = dict.fromkeys(second_order.model.answered, (1, 10))
    again = csi.read_survey(data, scale=scale, weights="weight")
    alone = csi.fit(second_order.model, again, TIGHT)
    for quantity in ("index", "impacts"):
        expected = csi.estimators.find(quantity).values(alone.solution)
        np.testing.assert_allclose(boot.values(quantity)[4], expected, rtol=1e-6)


def test_impacts_are_total_effects_in_points(second_order):
    table = csi.importance_performance(second_order, "Loyalty")
    points = csi.respondent_index(second_order)
    weights = second_order.answers.weights
    spread = {
        name: np.sqrt(np.cov(points[name], aweights=weights, ddof=0))
        for name in ("Quality", "Loyalty")
    }
    effect = second_order.total_effects.loc["Loyalty", "Quality"]
    expected = effect * spread["Loyalty"] / spread["Quality"]
    assert table.loc["Quality", "importance"] == pytest.approx(expected, abs=1e-9)
    assert csi.linearize(second_order).table("impacts")["se"].gt(0).all()


def test_errors_of_a_whole_agree(second_order):
    linear = csi.index_scores(second_order).loc["Quality", "se"]
    boot = csi.bootstrap(second_order, draws=1000, rng=1, progress=False)
    drawn = csi.index_scores(second_order, bootstrap=boot)
    assert drawn.loc["Quality", "se"] == pytest.approx(linear, rel=0.1)
    jack = csi.jackknife(second_order, progress=False).table("index").loc["Quality", "se"]
    assert jack == pytest.approx(linear, rel=0.02)
    rep = csi.repurchase(
        second_order, "again", index="Quality", family="logit", bootstrap=boot, progress=False
    )
    assert rep.coefficients["se"].gt(0).all()


def test_what_needs_one_stage_says_so(survey, second_order, moderated):
    with pytest.raises(ModelError, match="analyze reports constructs of items"):
        csi.analyze(survey, moderated.model, draws=20, progress=False)
    fits = csi.fit_groups(second_order.model, survey, by="firm")
    with pytest.raises(ModelError, match="Indexes are of constructs of items"):
        csi.index_scores(fits)
    with pytest.raises(
        ModelError, match="'Quality' is made of other constructs, and the reliability"
    ):
        csi.outcomes.corrected_slopes(second_order, "again", index="Quality", family="logit")
    for fit, term in ((second_order, "Quality"), (moderated, "Image:Satisfaction")):
        for verb, act in (
            ("what_if moves", lambda fit: csi.what_if(fit, {"Image": 5})),
            ("goal_seek moves", lambda fit: csi.goal_seek(fit, "Loyalty", at=75)),
            ("programme scores", lambda fit: csi.programme(fit.model, survey, "firm", "again")),
        ):
            with pytest.raises(ModelError, match=f"csi.{verb} constructs of items .*'{term}'"):
                act(fit)
