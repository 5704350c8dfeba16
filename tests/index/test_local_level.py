"""The level behind the scores of a programme: against statsmodels, by hand, and by simulation."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize_scalar
from statsmodels.tsa.statespace.initialization import Initialization
from statsmodels.tsa.statespace.mlemodel import MLEModel

import csimodel as csi
from csimodel.index.programme.local_level import SeriesOfScores, local_levels

STEPS = np.array([0.0, 1, 2, 4, 5, 6, 7])


class _LocalLevel(MLEModel):
    """A local level with known variances of the observations, by statsmodels."""

    def __init__(self, scores, variances):
        start = Initialization(1, "diffuse")
        super().__init__(scores, k_states=1, k_posdef=1, initialization=start)
        for name in ("design", "transition", "selection"):
            self.ssm[name] = np.ones((1, 1))
        self.ssm["obs_cov"] = variances.reshape(1, 1, -1)

    def update(self, params, **_):
        self.ssm["state_cov"] = (np.real(params[0]) * np.append(np.diff(STEPS), 1.0))[None, None]


def _series(scores, variances):
    units, periods = scores.shape
    covariance = variances[:, :, None, None] * np.eye(periods)[:, :, None]
    return SeriesOfScores(
        scores[..., None], covariance, np.isfinite(scores), np.ones((units, 1), bool), STEPS,
        np.zeros(units, int),
    )  # fmt: skip


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(3)
    variances = rng.uniform(0.5, 2.0, (2, len(STEPS)))
    moves = rng.normal(0, 1.5, (2, len(STEPS))).cumsum(axis=1)
    return 60 + moves + rng.normal(0, np.sqrt(variances)), variances


def test_innovations_and_the_variance_of_moves_are_those_of_statsmodels(drawn):
    scores, variances = drawn
    levels = local_levels(_series(scores, variances))
    models = [_LocalLevel(*own) for own in zip(scores, variances, strict=True)]
    best = minimize_scalar(
        lambda q: -sum(model.loglike([q]) for model in models),
        bounds=(0, 50), method="bounded", options={"xatol": 1e-10},
    )  # fmt: skip
    assert_allclose(levels.move[0, 0], best.x, rtol=1e-6)
    assert levels.changes[0, 0] == 12
    for unit, model in enumerate(models):
        filtered = model.filter([levels.move[0, 0]]).filter_results
        assert_allclose(levels.innovation[unit, 1:, 0], filtered.forecasts_error[0, 1:])
        error = np.sqrt(filtered.forecasts_error_cov[0, 0, 1:])
        assert_allclose(levels.innovation_error[unit, 1:, 0], error)
    assert np.isnan(levels.innovation[:, 0]).all()


def test_levels_are_those_of_statsmodels_averaged_over_the_likelihood(drawn):
    scores, variances = drawn
    levels = local_levels(_series(scores, variances))
    models = [_LocalLevel(*own) for own in zip(scores, variances, strict=True)]
    sd = np.linspace(0.005, 12, 300)
    weight = np.array([sum(model.loglike([s**2]) for model in models) for s in sd])
    weight = np.exp(weight - weight.max())
    weight /= weight.sum()
    for unit, model in enumerate(models):
        smooth = [model.smooth([s**2]).smoother_results for s in sd]
        level = np.array([own.smoothed_state[0] for own in smooth])
        variance = np.array([own.smoothed_state_cov[0, 0] for own in smooth])
        mean = weight @ level
        error = np.sqrt(weight @ variance + weight @ (level - mean) ** 2)
        assert_allclose(levels.level[unit, :, 0], mean, atol=0.02)
        assert_allclose(levels.error[unit, :, 0], error, rtol=0.02)


def test_periods_that_covary_count_together():
    """Errors that all periods share are not told from the level: its changes have none of it."""
    scores, own = np.array([[60.0, 61.0, 59.5, 60.2]]), 0.25
    steps, shared = np.arange(4.0), 9.0
    plain, covarying = (
        local_levels(
            SeriesOfScores(
                scores[..., None],
                (own * np.eye(4) + both)[None, :, :, None],
                np.ones((1, 4), bool), np.ones((1, 1), bool), steps, np.zeros(1, int),
            )
        )
        for both in (0.0, shared)
    )  # fmt: skip
    assert_allclose(covarying.move, plain.move)
    assert_allclose(covarying.innovation, plain.innovation)
    assert_allclose(covarying.level, plain.level)
    assert_allclose(covarying.error**2, plain.error**2 + shared)


def test_units_not_measured_in_all_periods_have_their_own_levels(drawn):
    scores, variances = drawn
    gone = scores.copy()
    gone[0, 2], gone[1, 4] = np.nan, np.nan
    whole = local_levels(_series(gone, variances))
    assert np.isnan(whole.level[0, 2, 0])
    assert np.isfinite(whole.level[0, [0, 1, 3]]).all()
    assert whole.changes[0, 0] == 10


@pytest.fixture(scope="module")
def programme():
    drawn = csi.simulate.programme(12, 5, 80, rng=4, industries=3, sectors=1, change_sd=0.5)
    data = drawn.survey.data
    jump = (data["firm"] == "Firm 003") & (data["period"] == 4)
    items = list(drawn.model.items)
    data.loc[jump, items] = np.minimum(data.loc[jump, items] + 1.2, 10)
    survey = csi.read_survey(data, scale=dict.fromkeys(items, (1, 10)))
    return csi.programme(drawn.model, survey, ["industry", "firm"], "period")


def test_a_jump_is_told_and_stands_in_the_trend(programme):
    table = programme.local_level.xs("Satisfaction", level="construct")
    large = table[table["large"]].loc["firm"]
    assert ("Firm 003", 4) in large.index
    told = [own for own in programme.findings if own.code == "large-moves"]
    assert "Firm 003 (4)" in next(own for own in told if own.values["level"] == "firm").subjects
    trend = programme.trend.xs("Satisfaction", level="construct").loc["firm"]
    assert trend.loc["Firm 003", "large_moves"] >= 1
    assert trend["move_sd"].nunique() == 1
    scores = programme.scores.loc["firm"]["se"]
    assert (programme.local_level.loc["firm"]["se"] / scores).mean() < 0.95


def test_a_score_carried_on_has_no_level_and_no_move(programme):
    survey = programme.groups.survey
    data = survey.data[(survey.data["firm"] != "Firm 001") | (survey.data["period"] != 3)]
    again = csi.read_survey(data, scale=dict.fromkeys(programme.model.items, (1, 10)))
    found = csi.programme(programme.model, again, "firm", "period", rolling=2)
    row = found.local_level.loc[("firm", "Firm 001", 3, "Value")]
    assert row[["estimate", "se", "innovation"]].isna().all()
    assert row["reason"] == "the same score, carried on"
    assert np.isfinite(found.local_level.loc[("firm", "Firm 001", 4, "Value"), "innovation"])


def test_units_without_an_error_have_no_level(programme):
    data = programme.groups.survey.data
    alone = data.assign(shop=np.where(data["firm"] == "Firm 002", -1, np.arange(len(data)) // 4))
    bounds = dict.fromkeys(programme.model.items, (1, 10))
    survey = csi.read_survey(alone, scale=bounds, cluster="shop")
    found = csi.programme(programme.model, survey, ["industry", "firm"], "period")
    own = found.local_level.loc[("firm", "Firm 002")]
    assert own[["estimate", "se", "p"]].isna().all(axis=None)
    assert set(own["reason"]) == {"a score without an error among its periods"}
    assert found.local_level.loc[("firm", "Firm 001"), "se"].gt(0).all()
    (told,) = [own for own in found.findings if own.code == "periods-share-clusters"]
    assert told.values["count"] == told.count >= 1


def test_one_period_has_scores_alone():
    drawn = csi.simulate.programme(3, 1, 40, rng=5, industries=1, sectors=1)
    found = csi.programme(drawn.model, drawn.survey, "firm", "period")
    table = found.local_level
    assert_allclose(table["estimate"], found.scores["estimate"])
    assert_allclose(table["se"], found.scores["se"])
    assert table["innovation"].isna().all()
    assert not table["large"].any()


@pytest.mark.slow
def test_intervals_of_levels_cover():
    inside = []
    for seed in range(30):
        drawn = csi.simulate.programme(12, 5, 60, rng=seed, industries=3, sectors=1)
        found = csi.programme(
            drawn.model, drawn.survey, ["sector", "industry", "firm"], "period", drawn.weights
        )
        table = found.local_level
        truth = drawn.truth.loc[table.index]
        held = (table["lower"] <= truth) & (truth <= table["upper"])
        inside.append(held.groupby(level="level").mean())
    share = pd.DataFrame(inside).mean()
    assert share.between(0.90, 0.99).all()
    assert 0.93 < share["firm"] < 0.97
