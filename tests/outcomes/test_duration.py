"""Time to repurchase or churn: values of R's survival and statsmodels, laws, recovery, messages."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import REFERENCE
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.errors import EstimationError, ModelError, OptionError, SurveyError
from csimodel.outcomes.kernels.cox import cox_draws
from csimodel.outcomes.kernels.kernel import Ending
from csimodel.outcomes.kernels.risk_sets import RiskSets
from csimodel.outcomes.models.duration.median import log_log
from csimodel.outcomes.models.duration.proportional import proportional_hazards
from csimodel.outcomes.models.duration.regression import cox_regression
from csimodel.outcomes.models.duration.survival import (
    effects,
    survival,
)
from csimodel.outcomes.rows.sample import Sample

AT = np.array([5.0, 12.5, 20.0])


@pytest.fixture(scope="module")
def r(reference):
    return reference("duration.json")


@pytest.fixture(scope="module")
def frame():
    return pd.read_csv(REFERENCE / "duration.csv")


@pytest.fixture(scope="module")
def fit():
    return csi.fit(csi.models.ecsi(), csi.load_mobi())


def sample_from(frame, *, weights=False):
    return Sample(
        outcome=frame["duration"].to_numpy(float),
        regressors=frame[["index", "z"]].to_numpy(),
        names=("index", "z"),
        indexes=("index",),
        label="duration",
        rows=np.arange(len(frame)),
        weights=frame["w"].to_numpy() if weights else None,
        cluster=frame["firm"].to_numpy(),
        findings=(),
    )


def cox(frame, *, weights=False, late=False, efron=True, errors="model"):
    return cox_regression(
        sample_from(frame, weights=weights),
        frame["event"].to_numpy(float),
        frame["entry"].to_numpy(float) if late else None,
        frame["s"].to_numpy() if late else None,
        efron=efron,
        errors=errors,
    )


def churn(fit, frame, **options):
    given = {"duration": frame["exact"], "event": frame["happened"], "kind": "churn", **options}
    return csi.outcomes.repurchase_time(fit, progress=False, **given)


# --- values from other programs ------------------------------------------------------------------

CASES = {
    "efron": {},
    "breslow": {"efron": False},
    "robust": {"errors": "robust"},
    "cluster": {"errors": "cluster"},
    "weighted": {"weights": True, "errors": "robust"},
    "entry_strata": {"late": True},
    "entry_strata_efron": {"late": True, "weights": True, "errors": "cluster"},
    "entry_strata_breslow": {
        "late": True, "weights": True, "errors": "cluster", "efron": False,
    },
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_coefficients_errors_and_score_residuals_of_r(frame, r, case):
    ours, theirs = cox(frame, **CASES[case]), r[case]
    assert_allclose(ours.coefficients, theirs["coefficients"], rtol=1e-9)
    assert_allclose(ours.covariance, theirs["covariance"], rtol=1e-8)
    assert_allclose(ours.loglik, theirs["loglik"], rtol=1e-12)
    assert_allclose(ours.hazard.influence.score, theirs["residuals"], atol=1e-8)


@pytest.mark.parametrize("case", ["efron", "breslow"])
def test_survival_and_its_error_of_r(frame, r, case):
    ours, theirs = cox(frame, **CASES[case]), r[case]["curve"]
    for j, x in enumerate((67.0, 70.0)):
        values = np.array([x, 0.5]) - ours.centre
        one = ours
        hazard = one.cumulative_hazard(AT)[0] * np.exp(values @ one.coefficients)
        gradient = np.zeros((3, 5))
        gradient[:, :2] = -np.exp(-hazard)[:, None] * hazard[:, None] * values
        np.fill_diagonal(gradient[:, 2:], -np.exp(-hazard) * np.exp(values @ one.coefficients))
        se = np.sqrt(np.diagonal(gradient @ one.hazard.model_covariance(AT) @ gradient.T))
        assert_allclose(np.exp(-hazard), np.array(theirs["survival"])[:, j], rtol=1e-10)
        assert_allclose(se, np.array(theirs["se"])[:, j], rtol=1e-9)


def test_survival_in_strata_of_r(frame, r):
    ours, at = cox(frame, late=True), np.array([8.0, 12.5])
    hazard = ours.cumulative_hazard(at)
    ratio = np.exp((np.array([67.0, 0.5]) - ours.centre) @ ours.coefficients)
    joint = ours.hazard.model_covariance(at)
    for s, theirs in enumerate(r["entry_strata"]["curves"]):
        assert_allclose(np.exp(-hazard[s] * ratio), np.ravel(theirs["survival"]), rtol=1e-9)
        values = np.array([67.0, 0.5]) - ours.centre
        for t in range(2):
            gradient = np.zeros(8)
            gradient[:2], gradient[2 + 2 * s + t] = hazard[s, t] * ratio * values, ratio
            se = np.sqrt(gradient @ joint @ gradient) * np.exp(-hazard[s, t] * ratio)
            assert_allclose(se, np.ravel(theirs["se"])[t], rtol=1e-8)


@pytest.mark.parametrize(
    ("case", "transforms"),
    [
        ("efron", ["km", "identity", "log"]),
        ("breslow", ["km", "identity", "log"]),
        ("entry_strata", ["km", "identity"]),
    ],
)
def test_proportional_hazards_of_r(frame, r, case, transforms):
    ours = cox(frame, **CASES[case])
    for transform in transforms:
        found = proportional_hazards(ours, transform)
        assert_allclose(found, r[case][transform], rtol=1e-7)


def test_public_values_of_r(fit, frame, r):
    found, theirs = churn(fit, frame, errors="model"), r["public"]
    assert_allclose(found.coefficients["estimate"], theirs["coefficients"], rtol=1e-8)
    assert_allclose(found.coefficients["se"], np.sqrt(np.ravel(theirs["covariance"])), rtol=1e-8)
    assert_allclose(np.log(found.hazard_ratio), theirs["coefficients"], rtol=1e-8)
    table = found.predict([67, 70], AT)
    for ours, name in (
        ("probability", "survival"),
        ("se", "se"),
        ("lower", "lower"),
        ("upper", "upper"),
    ):
        assert_allclose(table[ours].unstack(), theirs["curve"][name], rtol=1e-7)
    medians = found.median_time([67, 70])[["time", "lower", "upper"]]
    assert_allclose(medians, theirs["median"], rtol=1e-12)
    assert_allclose(found.proportional_hazards, theirs["km"], rtol=1e-7)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_coefficients_of_statsmodels(frame, ties):
    from statsmodels.duration.hazard_regression import PHReg

    # statsmodels counts who enters at t as at risk at t already; half a unit later is as in R.
    theirs = PHReg(
        frame["duration"], frame[["index", "z"]], frame["event"], frame["entry"] + 0.5,
        frame["s"], ties=ties,
    ).fit()  # fmt: skip
    ours = cox(frame, late=True, efron=ties == "efron")
    assert_allclose(ours.coefficients, theirs.params, rtol=1e-6)
    assert_allclose(np.sqrt(np.diagonal(ours.covariance)), theirs.bse, rtol=1e-6)


# --- laws ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("efron", [True, False])
@pytest.mark.parametrize("late", [True, False])
def test_influence_is_the_derivative_by_a_weight(frame, late, efron):
    frame = frame.head(60)
    base = cox(frame, weights=True, late=late, errors="robust", efron=efron)
    at = np.array([8.0, 15.0])
    size = 1e-4
    for row in (0, 3, 7, 20):
        moved = []
        for sign in (1.0, -1.0):
            w = frame["w"].to_numpy(float).copy()
            w[row] += sign * size
            other = cox(frame.assign(w=w), weights=True, late=late, errors="robust", efron=efron)
            shift = (other.centre - base.centre) @ other.coefficients
            assert shift == 0.0
            moved.append(np.append(other.coefficients, other.cumulative_hazard(at).ravel()))
        slope = (moved[0] - moved[1]) / (2 * size) * frame["w"].iloc[row]
        own = base.hazard.values(at)[row]
        assert_allclose(own, slope, atol=2e-6 * np.abs(slope).max() + 1e-9)


def test_breslow_counts_a_weight_of_two_as_two_rows(frame):
    double = pd.concat([frame, frame]).assign(w=1.0)
    twice = cox(double, weights=True, efron=False, errors="robust")
    heavy = cox(frame.assign(w=2.0), weights=True, efron=False, errors="robust")
    assert_allclose(twice.coefficients, heavy.coefficients, rtol=1e-9)
    assert_allclose(twice.cumulative_hazard(AT), heavy.cumulative_hazard(AT), rtol=1e-9)


def test_a_draw_is_a_weighted_regression_of_who_was_drawn(frame):
    rng = np.random.default_rng(3)
    counts = rng.multinomial(250, np.full(250, 1 / 250), 4).astype(float)
    risk = RiskSets.of(
        frame["duration"].to_numpy(float), frame["event"].to_numpy(float),
        frame["entry"].to_numpy(float), frame["s"].to_numpy(),
    )  # fmt: skip
    x = [frame[name].to_numpy()[risk.order] for name in ("index", "z")]
    x = [(column - column.mean()) / column.std() for column in x]
    found = cox_draws(risk, x, counts[:, risk.order], np.zeros(2), True)
    spread = frame[["index", "z"]].std(ddof=0).to_numpy()
    for draw, own in enumerate(counts):
        kept = frame.assign(w=own)[own > 0]
        alone = cox(kept, weights=True, late=True, errors="robust")
        assert_allclose(found.coefficients[draw] / spread, alone.coefficients, rtol=1e-7)


def test_scaling_time_changes_nothing_but_times(fit, frame):
    months, years = churn(fit, frame), churn(fit, frame, duration=frame["exact"] / 12)
    pd.testing.assert_frame_equal(months.coefficients, years.coefficients, rtol=1e-9)
    columns = ["probability", "se", "lower", "upper"]
    own, other = months.predict([67, 70], 12)[columns], years.predict([67, 70], 1)[columns]
    assert_allclose(own, other, rtol=1e-9)
    ends = ["time", "lower", "upper"]
    assert_allclose(months.median_time(67)[ends], 12 * years.median_time(67)[ends], rtol=1e-9)


def test_repurchase_turns_probabilities_round(fit, frame):
    stay, buy = churn(fit, frame), churn(fit, frame, kind="repurchase")
    assert_allclose(buy.predict(70, 10)["probability"], 1 - stay.predict(70, 10)["probability"])
    assert_allclose(buy.predict(70, 10)["lower"], 1 - stay.predict(70, 10)["upper"])
    difference = stay.contrast(67, 70, 10).loc[(10.0, "difference")]
    turned = buy.contrast(67, 70, 10).loc[(10.0, "difference")]
    assert_allclose(turned["probability"], -difference["probability"])
    assert_allclose(turned["lower"], -difference["upper"])
    assert_allclose(
        buy.average_marginal_effects(10)["estimate"], -stay.average_marginal_effects(10)["estimate"]
    )


def test_average_effect_is_the_slope_of_average_survival(frame):
    found = cox(frame, late=True, weights=True, errors="robust")
    level, step = np.array([67.0]), 1e-4
    above, *_ = survival(found, 0, level + step, AT)
    below, *_ = survival(found, 0, level - step, AT)
    value, gradient, _ = survival(found, 0, level, AT)
    assert gradient.shape == (3, 2 + 3 * 3)
    assert_allclose(value, (above + below) / 2, rtol=1e-8)
    assert ((above - below) / (2 * step) > 0).all()


def test_gradients_are_derivatives(frame):
    """By finite differences in the coefficients and the cumulative hazards."""
    from csimodel.outcomes.models.duration import survival as module

    base = cox(frame, late=True, weights=True, errors="robust")
    at, level = np.array([8.0, 15.0]), np.array([67.0, 70.0])

    class Moved:
        def __init__(self, parameters):
            self.coefficients = parameters[:2]
            self.cumulative = parameters[2:].reshape(3, 2)
            for name in ("sample", "risk", "hazard", "centre", "covariance"):
                setattr(self, name, getattr(base, name))

        def cumulative_hazard(self, times):
            return self.cumulative

    start = np.append(base.coefficients, base.cumulative_hazard(at).ravel())
    for function in (
        lambda r: module.survival(r, 0, level, at),
        lambda r: module.effects(r, 0, at),
    ):
        gradient = function(base).gradient
        for j in range(len(start)):
            step = np.zeros(len(start))
            step[j] = 1e-6 * max(abs(start[j]), 1e-2)
            rise = function(Moved(start + step))[0] - function(Moved(start - step))[0]
            assert_allclose(gradient[:, j], rise / (2 * step[j]), rtol=1e-5, atol=1e-7)


# --- the whole chain -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def boot(fit):
    return csi.bootstrap(fit, draws=120, rng=4, progress=False)


@pytest.mark.parametrize("alone", [False, True])
def test_every_draw_uses_its_own_index(fit, frame, boot, alone):
    others = {} if alone else {"controls": ["CUSL1"], "strata": frame["s"]}
    found = churn(fit, frame, bootstrap=boot, **others)
    chain, counts = found.draws, boot.design.counts(0)
    from csimodel.estimators.points import point_weights, respondent_points

    points = respondent_points(fit.answers, fit.moments)
    block = fit.model.slices[fit.model.construct_names.index("Satisfaction")]
    when = np.array([6.0, 12.0])
    draws = found.draws.survival(0, np.array([67.0, 70.0]), when)
    effects, medians = chain.effects(0, when), chain.medians(0, np.array([67.0]))
    for draw in (0, 5, 50):
        index = points[:, block] @ point_weights(boot.solution)[draw, block]
        own = counts[draw]
        data = frame.assign(index=index, z=csi.load_mobi().data["CUSL1"].to_numpy(), w=own)[own > 0]
        sample = replace(
            sample_from(data, weights=True), outcome=data["exact"].to_numpy(), cluster=None
        )
        if alone:
            sample = replace(sample, regressors=sample.regressors[:, :1], names=("index",))
        strata = np.zeros(len(data), dtype=int) if alone else data["s"].to_numpy()
        single = cox_regression(
            sample, data["happened"].to_numpy(float), None, strata, efron=True, errors="robust"
        )
        assert_allclose(chain.coefficients[draw], single.coefficients, rtol=1e-7)
        value, *_ = survival(single, 0, np.array([67.0, 70.0]), when)
        assert_allclose(draws[draw], value, rtol=1e-7)
        from csimodel.outcomes.models.duration.survival import effects as mean_effects

        assert_allclose(effects[draw], mean_effects(single, 0, when)[0], rtol=1e-7)
        times = np.unique(single.risk.time)
        curve, *_ = survival(single, 0, np.array([67.0]), times)
        assert medians[draw, 0] == times[curve <= 0.5][0]


def test_whole_chain_tables(fit, frame, boot):
    found = churn(fit, frame, bootstrap=boot)
    naive = found.naive
    assert "Whole-chain intervals (percentile, 120 bootstrap draws)" in found.interval_kind
    assert naive.draws is None
    ratio = found.coefficients["se"] / naive.coefficients["se"]
    assert 0.7 < ratio.iloc[0] < 1.4
    assert_allclose(found.contrast(67, 70)["probability"], naive.contrast(67, 70)["probability"])
    median = found.median_time([67, 70])
    assert (median["lower"] <= median["time"]).all()
    assert (median["time"] <= median["upper"]).all()


@pytest.mark.parametrize("kind", ["churn", "repurchase"])
def test_average_effects_in_draws_are_the_effects_of_every_draw(fit, frame, boot, kind):
    found = churn(fit, frame, bootstrap=boot, kind=kind)
    when = np.array([6.0, 12.0])
    every = (1.0 if kind == "churn" else -1.0) * found.draws.effects(0, when)
    table = found.average_marginal_effects(when)
    step = 1e-4
    near = [found.draws.survival(0, found.regression.centre + k * step, when) for k in (1.0, -1.0)]
    sign = 1.0 if kind == "churn" else -1.0
    # with one regressor, survival at the mean index: the derivative there, by differences
    assert np.sign(np.median(every)) == np.sign(sign * np.median(near[0] - near[1]))
    assert_allclose(table["se"], every.std(axis=0, ddof=1), rtol=1e-9)
    ends = np.quantile(every, [0.025, 0.975], axis=0).T
    assert_allclose(table[["lower", "upper"]], ends, rtol=1e-9)
    assert_allclose(table["estimate"], found.naive.average_marginal_effects(when)["estimate"])


def test_lost_draws_are_told_where_there_are_and_only_there(fit, frame, boot):
    found = churn(fit, frame, bootstrap=boot)
    assert found.draws.usable.all()
    assert "lost-draws" not in {f.code for f in found.findings}
    alike = np.zeros((30, 250), dtype=int) + np.arange(250)
    alike[0] = 5  # one respondent 250 times: no item varies
    lossy = csi.bootstrap(fit, resamples=alike, progress=False)
    told = [f for f in churn(fit, frame, bootstrap=lossy).findings if f.code == "lost-draws"]
    assert [f.count for f in told] == [1]
    assert told[0].values["reasons"][0].startswith("1 ")


def test_missing_answers_and_clusters_in_the_chain(frame):
    data = csi.load_mobi().data.copy()
    data.loc[3, "CUSA1"] = np.nan
    data["firm"] = frame["firm"].to_numpy()
    data["w"] = frame["w"].to_numpy()
    survey = csi.read_survey(
        data, codebook=None, scale=(1, 10), missing="mean", cluster="firm", weights="w"
    )
    fit = csi.fit(csi.models.ecsi(), survey)
    boot = csi.bootstrap(fit, draws=60, rng=1, progress=False)
    found = churn(fit, frame.set_axis(data.index), bootstrap=boot, interval="normal")
    assert found.regression.errors == "cluster"
    assert "few-clusters" in {f.code for f in found.findings}
    assert np.isfinite(found.contrast(67, 70, 6).drop(columns="reason")).all(axis=None)


# --- recovery ------------------------------------------------------------------------------------


def test_recovers_a_known_hazard_ratio():
    rng = np.random.default_rng(8)
    n = 4000
    x, firm = rng.uniform(20, 100, n), rng.integers(0, 80, n)
    life = rng.exponential(10 * np.exp(0.02 * (x - 60)))
    sample = Sample(
        np.minimum(life, 15.0), x[:, None], ("x",), ("x",), "t", np.arange(n), None, firm, ()
    )
    found = cox_regression(
        sample, (life < 15).astype(float), None, None, efron=True, errors="robust"
    )
    se = float(np.sqrt(found.covariance[0, 0]))
    assert abs(found.coefficients[0] + 0.02) < 3 * se < 0.005
    value, *_ = survival(found, 0, np.array([67.0, 70.0]), np.array([10.0]))
    truth = np.exp(-np.exp(-0.02 * (np.array([67.0, 70.0]) - 60)))
    assert_allclose(value, truth, atol=0.02)


@pytest.mark.slow
def test_robust_intervals_cover():
    rng, inside = np.random.default_rng(1), []
    for _ in range(300):
        x = rng.uniform(20, 100, 300)
        life = rng.exponential(10 * np.exp(0.02 * (x - 60)))
        sample = Sample(
            np.minimum(life, 15), x[:, None], ("x",), ("x",), "t", np.arange(300), None, None, ()
        )
        found = cox_regression(
            sample, (life < 15).astype(float), None, None, efron=True, errors="robust"
        )
        inside.append(abs(found.coefficients[0] + 0.02) < 1.96 * found.covariance[0, 0] ** 0.5)
    assert abs(np.mean(inside) - 0.95) < 3.5 * np.sqrt(0.95 * 0.05 / 300)


def test_a_fading_effect_is_told(fit):
    rng = np.random.default_rng(2)
    index = csi.respondent_index(fit)["Satisfaction"].to_numpy()
    early = rng.exponential(4 * np.exp(0.08 * (index - 70)))
    life = np.where(early < 4, early, 4 + rng.exponential(8 * np.exp(-0.08 * (index - 70))))
    found = csi.outcomes.repurchase_time(fit, duration=life, event=np.ones(250), kind="churn")
    finding = next(f for f in found.findings if f.code == "not-proportional")
    assert 0.0 <= finding.values["p"] < 0.001


# --- findings, page, messages --------------------------------------------------------------------


def test_rows_left_out_are_counted(fit, frame):
    gaps = frame.copy()
    gaps.loc[:9, "exact"] = np.nan
    gaps.loc[5:14, "happened"] = np.nan
    found = churn(fit, gaps)
    assert found.n == 235
    assert found.findings[0].values["columns"] == ("exact (10)", "happened (10)")


def test_monotone_likelihood_gives_no_ratio(fit):
    index = csi.respondent_index(fit)["Satisfaction"].to_numpy()
    found = csi.outcomes.repurchase_time(fit, duration=101 - index, event=np.ones(250))
    assert not found.converged
    assert np.isnan(found.hazard_ratio)
    finding = next(f for f in found.findings if f.code == "separation")
    assert finding.severity == "failure"
    assert str(finding) in str(found.summary())


def test_wrong_direction_and_few_events(fit, frame):
    few = frame["happened"].where(frame.index < 12, 0.0)
    codes = {f.code for f in churn(fit, frame, event=few).findings}
    assert "few-events" in codes
    codes = {f.code for f in churn(fit, frame, kind="repurchase").findings}
    assert "wrong-direction" in codes


def test_without_an_error_the_median_time_has_no_limits(frame):
    data = csi.load_mobi().data.assign(unit=np.arange(250) % 2)
    alone = csi.read_survey(data, scale=(1, 10), cluster="unit", strata="unit")
    found = churn(csi.fit(csi.models.ecsi(), alone), frame)
    table = found.median_time([60, 70])
    assert table["time"].notna().all()
    assert table[["lower", "upper"]].isna().all(axis=None)
    assert (table["reason"] == found.coefficients["reason"].iloc[0]).all()


def test_page(fit, frame):
    found = churn(fit, frame)
    page = str(found.summary())
    assert "Hazard ratios" in page
    assert "intervals" in page.lower()
    assert "<strong>" in found._repr_html_()
    assert repr(found).startswith("<RepurchaseTime: Each point of Satisfaction goes with ")


@pytest.mark.parametrize(
    ("error", "message", "change"),
    [
        (SurveyError, "Event 'happened' must hold 0 (not seen) and 1 (happened), and holds 2; give "
         "a column such as survey.data['happened'] == 2.", {"event": lambda d: d["happened"] * 2}),
        (SurveyError, "Duration 'exact' holds 250 negative values; count time from the beginning "
         "of the observation, or make such cells empty.", {"duration": lambda d: -d["exact"]}),
        (EstimationError, "None of the 250 respondents used had the event 'happened', so its "
         "hazard cannot be estimated; check what 1 means, or follow respondents for longer.",
         {"event": lambda d: d["happened"] * 0}),
        (EstimationError, "Duration 'exact' is 0 for everybody, so only whether the event happened "
         "is known; regress that with csi.repurchase(fit, outcome).",
         {"duration": lambda d: d["exact"] * 0}),
        (SurveyError, "250 respondents enter at or after the end of their duration 'exact'; count "
         "both from the same moment, and leave out who was never followed.",
         {"entry": lambda d: d["exact"] + 1}),
        (OptionError, "kind='leave' is not known; use one of 'repurchase', 'churn'.",
         {"kind": lambda d: "leave"}),
        (OptionError, "errors='cluster' needs clusters; name their column as "
         "read_survey(..., cluster='firm').", {"errors": lambda d: "cluster"}),
        (SurveyError, "Duration 'month' is not a column of the survey; name one of its columns, or "
         "give a Series with a value for each row.", {"duration": lambda d: "month"}),
        (ModelError, "index='Satisfactio' is not a construct of the model (did you mean "
         "'Satisfaction'?); use index= with one of 'Image', 'Expectation', 'Quality', 'Value', "
         "'Satisfaction', 'Complaints', 'Loyalty'.", {"index": lambda d: "Satisfactio"}),
    ],
)  # fmt: skip
def test_messages(fit, frame, error, message, change):
    with pytest.raises(error) as raised:
        churn(fit, frame, **{name: value(frame) for name, value in change.items()})
    assert str(raised.value) == message


def test_messages_of_the_result(fit, frame):
    found = churn(fit, frame)
    with pytest.raises(OptionError, match="Level 120 is not on the index"):
        found.predict(120)
    with pytest.raises(OptionError, match="Time 900 is outside what was seen, 0 to "):
        found.contrast(67, 70, 900)
    with pytest.raises(OptionError, match="index='Image' is not in this regression"):
        found.predict(70, index="Image")
    with pytest.raises(OptionError, match="transform='rank' is not known"):
        proportional_hazards(found.regression, "rank")


def test_model_errors_and_weights_exclude_each_other(frame):
    data = csi.load_mobi().data.assign(w=frame["w"].to_numpy())
    fit = csi.fit(csi.models.ecsi(), csi.read_survey(data, scale=(1, 10), weights="w"))
    with pytest.raises(OptionError, match="errors='model' is wrong for a survey with weights"):
        churn(fit, frame.set_axis(data.index), errors="model")


def test_one_cluster_gives_no_error_of_zero(fit, frame):
    survey = csi.load_mobi()
    one = csi.fit(
        csi.models.ecsi(),
        csi.read_survey(survey.data.assign(firm=1), scale=(1, 10), cluster="firm"),
    )
    stay = 1.0 + np.arange(250) % 17
    with pytest.raises(OptionError, match=r"at least 2 clusters.*errors='robust'"):
        csi.outcomes.repurchase_time(one, duration=stay, event=np.arange(250) % 3 > 0, kind="churn")


# --- errors of averages, and of few clusters -----------------------------------------------------


def lives(rows=150, firms=10):
    rng = np.random.default_rng(7)
    firm = np.arange(rows) % firms
    x = np.column_stack([rng.uniform(20, 100, rows), rng.normal(0, 1, rows)])
    life = rng.exponential(10 * np.exp(0.03 * (x[:, 0] - 60) + 0.5 * x[:, 1]))
    return x, np.minimum(life, 12.0), (life < 12) * 1.0, firm


def hazard_of(x, time, event, firm, errors="robust"):
    names = ("x", "c")
    rows = np.arange(len(time))
    sample = Sample(time, x, names, ("x",), "t", rows, None, firm, ())
    return cox_regression(sample, event, None, None, efron=True, errors=errors)


def test_average_effects_have_the_error_of_leaving_respondents_out():
    x, time, event, firm = lives()
    when, level = np.array([6.0]), np.array([70.0])

    def averages(keep):
        one = hazard_of(x[keep], time[keep], event[keep], np.zeros(keep.sum(), dtype=np.intp))
        return effects(one, 0, when)[0][0], survival(one, 0, level, when)[0][0]

    rows = np.arange(150)
    left = np.array([averages(rows != row) for row in rows])
    jackknife = np.sqrt(149 / 150 * ((left - left.mean(axis=0)) ** 2).sum(axis=0))
    found = hazard_of(x, time, event, firm)
    own = effects(found, 0, when).individual
    assert_allclose(own.mean(), effects(found, 0, when)[0][0])
    se = found.errors_of(effects(found, 0, when)[1], when, own)
    assert_allclose(se, jackknife[0], rtol=0.06)
    own = survival(found, 0, level, when).individual
    assert_allclose(own.mean(), survival(found, 0, level, when)[0][0])
    se = found.errors_of(survival(found, 0, level, when)[1], when, own)
    assert_allclose(se, jackknife[1], rtol=0.06)
    fixed = found.errors_of(survival(found, 0, level, when)[1], when)
    assert se > 1.02 * fixed


def test_clustered_limits_go_by_t():
    x, time, event, firm = lives()
    assert hazard_of(x, time, event, firm, "cluster").df == 9
    assert hazard_of(x, time, event, firm).df == np.inf
    lower, upper = log_log(np.array([0.5]), np.array([0.05]), 0.95, 9)
    z, t9 = 1.959964, 2.262157
    wide = np.exp(t9 * 0.05 / (0.5 * np.log(2.0)))
    assert_allclose([lower[0], upper[0]], [0.5**wide, 0.5 ** (1 / wide)], rtol=1e-6)
    assert lower[0] < 0.5 ** np.exp(z * 0.05 / (0.5 * np.log(2.0)))


def test_events_that_leave_a_regressor_no_spread_test_nothing(fit):
    """Before the only event but one everybody left, so nothing varies among those at risk."""
    from csimodel.outcomes.models.duration.proportional import _score_tests

    rep = csi.outcomes.repurchase_time(
        fit, duration=np.arange(1.0, 251.0), event=np.ones(250), kind="churn"
    )
    hazard = rep.regression.hazard
    still = replace(hazard, columns=np.zeros_like(hazard.columns))
    chi2, df, p = _score_tests(still, np.arange(250.0))
    assert np.isnan(chi2).all()
    assert np.isnan(p).all()
    assert list(df) == [1.0, 1.0]


def test_limits_of_what_is_no_share_are_the_value_itself():
    value = np.array([-0.1, 0.0, 1.0, 1.5])
    for limit in log_log(value, np.full(4, 0.1), 0.95):
        assert_allclose(limit, value)


def test_names_of_strata_change_nothing_where_the_last_has_one_event():
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"x": rng.uniform(0, 100, 40), "t": rng.exponential(10, 40) + 0.1})
    frame["event"] = np.where(np.arange(40) < 30, 1.0, 0.0)
    frame.loc[39, "event"] = 1.0
    first = np.where(np.arange(40) < 30, "a", "b")  # "b" has one event
    other = np.where(np.arange(40) < 30, "b", "a")
    options = {"duration": "t", "event": "event", "index": "x", "kind": "churn"}
    tables = [
        csi.outcomes.repurchase_time(frame.assign(s=s), strata="s", **options)
        for s in (first, other)
    ]
    one, two = (found.coefficients[["estimate", "se"]] for found in tables)
    assert_allclose(one, two, rtol=1e-9)
    one, two = (found.predict([40, 60], [2, 8])["probability"] for found in tables)
    assert_allclose(one, two, rtol=1e-9)


def test_a_draw_whose_regressor_does_not_differ_is_singular():
    rng = np.random.default_rng(2)
    risk = RiskSets.of(rng.exponential(5, 30), np.ones(30), None, None)
    x = np.where(np.arange(30) < 15, 1.0, rng.normal(size=30))[risk.order]
    weights = np.stack([np.ones(30), np.where(np.arange(30) < 15, 2.0, 0.0)])[:, risk.order]
    found = cox_draws(risk, [x], weights, np.zeros(1), True)
    assert found.ending.tolist() == [Ending.CONVERGED, Ending.SINGULAR]


@pytest.mark.parametrize(("events", "told"), [(9, True), (10, False)])
def test_ten_events_for_a_regressor_are_enough(events, told):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"x": rng.uniform(0, 100, 60), "t": rng.exponential(10, 60) + 0.1})
    frame["event"] = (np.arange(60) < events) * 1.0
    found = csi.outcomes.repurchase_time(
        frame, duration="t", event="event", index="x", kind="churn"
    )
    findings = [f for f in found.findings if f.code == "few-events"]
    assert [(f.count, f.values["needed"]) for f in findings] == [(events, 10)] * told


def test_an_index_beyond_0_and_100_is_counted():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"x": rng.uniform(0, 100, 60), "t": rng.exponential(10, 60) + 0.1})
    frame["event"] = 1.0
    frame.loc[:2, "x"] = [-5.0, 105.0, 110.0]
    found = csi.outcomes.repurchase_time(
        frame, duration="t", event="event", index="x", kind="churn"
    )
    (finding,) = [f for f in found.findings if f.code == "index-outside-0-100"]
    assert (finding.count, finding.values["n"]) == (3, 60)
