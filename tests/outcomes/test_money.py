"""Money: closed forms, laws, the example of the literature, uncertainty carried, messages."""

import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats
from wordings import row_of

import csimodel as csi
from csimodel.errors import EstimationError, ModelError, OptionError
from csimodel.index import importance_performance
from csimodel.outcomes import literature, repurchase
from csimodel.outcomes.money import (
    Economics,
    Retention,
    acquisition_or_retention,
    break_even_spending,
    complaint_budget,
    fewer_defections,
    lifetime_value,
    more_complaints,
    net_present_value,
    profit_of_change,
    profit_of_driver,
    profit_of_retention,
    retention_of,
)
from csimodel.outcomes.money.complaints import _shown_to_pay
from csimodel.outcomes.money.draws import Place, drawn
from csimodel.outcomes.money.findings import about_place
from csimodel.outcomes.money.retention import together
from csimodel.outcomes.money.row import AmountRow, Errors
from csimodel.outcomes.money.side_by_side import beside
from csimodel.outcomes.money.value import lifetime_values, payments_value, staying_values
from csimodel.translation import Message

TERMS = Economics(margin=120, currency="EUR", period="year", discount_rate=0.08, customers=10_000)
ALL = "value of all customers"


@pytest.fixture(scope="module")
def rep(fit):
    return repurchase(fit, "CUSL1")


@pytest.fixture(scope="module")
def whole(fit, boot):
    return repurchase(fit, "CUSL1", bootstrap=boot)


@pytest.fixture(scope="module")
def example():
    """The example of the literature, as exact data: .75 at 67, .0058 more with each point."""
    index = pd.Series(np.linspace(40, 90, 101), name="index")
    y = literature.repurchase_at_67.value + literature.repurchase_per_point.value * (index - 67)
    return repurchase(index=index, outcome=y.rename("again"), family="ols", scale=(0, 1))


# --- closed forms --------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.floats(0.0, 0.99), st.floats(0.01, 0.5), st.sampled_from(["end", "now"]))
def test_lifetime_value_is_the_long_sum(r, d, first):
    terms = replace(TERMS, discount_rate=d, first_margin=first)
    t = np.arange(1, 20_000) if first == "end" else np.arange(0, 20_000)
    assert_allclose(lifetime_values(r, terms), (120 * (r / (1 + d)) ** t).sum(), rtol=1e-9)
    closed = r / (1 + d - r) if first == "end" else (1 + d) / (1 + d - r)
    assert_allclose(lifetime_values(r, terms), 120 * closed, rtol=1e-12)


@pytest.mark.parametrize("first", ["end", "now"])
@pytest.mark.parametrize("horizon", [1, 2, 7])
def test_lifetime_value_with_a_horizon(first, horizon):
    for r, d in ((0.7, 0.1), (1.0, 0.0), (0.0, 0.1)):
        terms = replace(TERMS, first_margin=first, horizon=horizon, discount_rate=d)
        t = np.arange(1, horizon + 1) if first == "end" else np.arange(horizon)
        assert_allclose(lifetime_values(r, terms), (120 * (r / (1 + d)) ** t).sum())


@pytest.mark.parametrize("first", ["end", "now"])
@pytest.mark.parametrize("horizon", [None, 5])
def test_staying_is_what_retention_multiplies(first, horizon):
    terms = replace(TERMS, first_margin=first, horizon=horizon)
    r = np.array([0.2, 0.9])
    now = 120.0 if first == "now" else 0.0
    assert_allclose(lifetime_values(r, terms), now + r * staying_values(r, terms))


def test_payments_are_an_annuity():
    assert_allclose(payments_value(TERMS), 1.08 / 0.08)
    assert_allclose(payments_value(replace(TERMS, horizon=3)), 1 + 1 / 1.08 + 1 / 1.08**2)


def test_gupta_and_lehmann_multiples():
    """The margin multiple r/(1 + d - r), from the formula: 90 % and 10 % give 4.5."""
    terms = replace(TERMS, margin=1, discount_rate=0.1)
    assert_allclose(lifetime_values([0.6, 0.7, 0.8, 0.9], terms), [1.2, 1.75, 8 / 3, 4.5])


# --- the example of the literature ---------------------------------------------------------------


def test_the_example_of_the_literature(example):
    found = profit_of_change(example, 67, 70, TERMS)
    probability = found.table.loc["probability of repurchase"]
    assert_allclose(probability[["start", "end"]].astype(float), [0.75, 0.7674], rtol=1e-10)
    assert_allclose(found["customers kept"], 10_000 * 3 * 0.0058, rtol=1e-9)
    assert_allclose(found["profit of a year"], 120 * 174, rtol=1e-9)
    value = 10_000 * 120 * (0.7674 / (1.08 - 0.7674) - 0.75 / (1.08 - 0.75))
    assert_allclose(found.estimate, value, rtol=1e-9)
    assert_allclose(found.estimate.se, 0, atol=1e-6 * value)


def test_reichheld_and_sasser_on_own_numbers():
    """Five points of defection, from 20 to 15 and from 10 to 5 %, lift value within 25 to 85 %."""
    terms = replace(TERMS, discount_rate=0.1)
    for r in (0.8, 0.9):
        found = fewer_defections(r, terms, cut=literature.defections_cut.value)
        lift = lifetime_values(r + 0.05, terms) / lifetime_values(r, terms) - 1
        assert_allclose(found.estimate, lift)
        assert literature.profit_lift.value < found.estimate < literature.profit_lift.upper
        assert_allclose(found.table.loc["stay of a customer", "end"], 1 / (1 - r - 0.05))
    net = fewer_defections(0.8, terms, cut=0.05, acquisition_cost=100)
    before, after = lifetime_values([0.8, 0.85], terms) - 100
    each = net.table.loc["lifetime value of a customer", ["start", "end", "estimate"]]
    assert_allclose(each.astype(float), [before, after, after - before], rtol=1e-12)
    assert_allclose(net.table.loc[ALL, "end"], 10_000 * after, rtol=1e-12)
    assert_allclose(net.estimate, after / before - 1, rtol=1e-12)


def test_winning_costs_five_times_keeping():
    found = acquisition_or_retention(
        0.75, TERMS, acquisition_cost=literature.acquisition_ratio.value * 50, retention_cost=50
    )
    ratio = found["return on keeping"] / found["return on winning"]
    assert_allclose(ratio, 5)  # the same customer, so that only costs differ
    assert_allclose(found.estimate, found["return on keeping"] - found["return on winning"])
    losing = acquisition_or_retention(0.5, TERMS, acquisition_cost=500, retention_cost=50)
    loss = losing.findings[-1]
    assert loss.code == "winning-does-not-pay"
    assert (loss.values["cost"], loss.values["unit"]) == (500, "EUR")
    assert loss.values["worth"] == pytest.approx(206.90, abs=5e-3)


# --- laws ----------------------------------------------------------------------------------------


def test_no_change_no_profit(whole, boot):
    for found in (
        profit_of_change(whole, 70, 70, TERMS),
        profit_of_retention(0.7, 0.7, TERMS),
        profit_of_driver(boot, whole, "Quality", TERMS, points=0),
    ):
        assert found.table["estimate"].tolist() == [0.0] * len(found.table)
        assert (found.draws.to_numpy() == 0).all()


def test_money_is_proportional_to_margin_and_customers(whole):
    one = profit_of_change(whole, 67, 70, TERMS)
    double = profit_of_change(whole, 67, 70, replace(TERMS, margin=240))
    many = profit_of_change(whole, 67, 70, replace(TERMS, customers=30_000))
    for row in ("profit of a year", ALL):
        assert_allclose(double[row], 2 * one[row])
        assert_allclose(double[row].upper, 2 * one[row].upper)
        assert_allclose(many[row], 3 * one[row])
    assert_allclose(double["retention"], one["retention"])


def test_there_and_back(whole):
    there, back = profit_of_change(whole, 67, 75, TERMS), profit_of_change(whole, 75, 67, TERMS)
    assert_allclose(there.draws, -back.draws)
    first, second = profit_of_change(whole, 67, 70, TERMS), profit_of_change(whole, 70, 75, TERMS)
    assert_allclose(first.draws + second.draws, there.draws, rtol=1e-9)


def test_intervals_hold_their_estimates(rep, whole, boot):
    for found in (
        profit_of_change(rep, 67, 70, TERMS),
        profit_of_change(whole, 67, 70, TERMS),
        profit_of_driver(boot, whole, "Image", TERMS, points=2, measurement_error="ignored"),
    ):
        table = found.table
        assert (table["lower"] <= table["estimate"] + 1e-12).all()
        assert (table["estimate"] <= table["upper"] + 1e-12).all()
        assert found.chance() > 0.99


def test_break_even_leaves_nothing(whole, boot):
    change = profit_of_driver(boot, whole, "Quality", TERMS, points=2)
    for paid in ("once", "every period"):
        spending = break_even_spending(change, paid=paid)
        left = net_present_value(change, spending.estimate.estimate, paid=paid)
        assert_allclose(left.estimate, 0, atol=1e-6)
        less = net_present_value(change, 0.9 * spending.estimate.estimate, paid=paid)
        assert less.estimate > 0
    once, every = (break_even_spending(change, paid=p) for p in ("once", "every period"))
    assert_allclose(once.estimate, change.estimate / 2)
    assert_allclose(once.estimate / every.estimate, 1.08 / 0.08)
    assert every.table["unit"].iloc[1] == "EUR per year"


def test_currency_is_a_label(rep):
    odd = replace(TERMS, currency="1000 CHF", period="quarter")
    one, other = profit_of_change(rep, 67, 70, TERMS), profit_of_change(rep, 67, 70, odd)
    assert_allclose(one.estimate, other.estimate)
    assert (other.currency, other.period) == ("1000 CHF", "quarter")
    assert other.table.loc["profit of a quarter", "unit"] == "1000 CHF per quarter"


# --- uncertainty ---------------------------------------------------------------------------------


def test_draws_of_the_chain_come_out(whole):
    found = profit_of_change(whole, 67, 70, TERMS, measurement_error="ignored")
    p = whole.draws.predictions(0, np.array([67.0, 70.0]))
    value = 10_000 * (lifetime_values(p[:, 1], TERMS) - lifetime_values(p[:, 0], TERMS))
    assert_allclose(found.draws[ALL], value)
    assert_allclose(
        [found.estimate.lower, found.estimate.upper], np.quantile(value, [0.025, 0.975])
    )
    contrast = whole.contrast(67, 70).loc["difference"]
    row = found.table.loc["probability of repurchase"]
    ends = ["se", "lower", "upper"]
    assert_allclose(row["estimate"], contrast["probability"])
    assert_allclose(row[ends].astype(float), contrast[ends].astype(float))
    assert found.source == "600 bootstrap draws of the whole chain: weights, index and regression"


@pytest.mark.parametrize("options", [{}, {"index": ["Satisfaction", "Image"]}, {"family": "ols"}])
def test_parametric_draws_agree_with_the_delta_method(fit, options):
    rep = repurchase(fit, "CUSL1", **options)
    found = profit_of_change(
        rep, 67, 70, TERMS, draws=20_000, measurement_error="ignored"
    ).table.loc["probability of repurchase"]
    contrast = rep.contrast(67, 70)["probability"]
    assert_allclose(found["estimate"], contrast["difference"], rtol=1e-10)
    delta = rep.contrast(67, 70).loc["difference"]
    assert_allclose(found["se"], delta["se"], rtol=0.03)
    ends = ["lower", "upper"]
    assert_allclose(found[ends].astype(float), delta[ends].astype(float), atol=0.1 * delta["se"])


def test_draws_of_least_squares_follow_the_t_law_of_few_degrees_of_freedom():
    x = pd.Series([30.0, 40, 55, 65, 80, 90], name="index")
    rep = repurchase(
        index=x, outcome=[0.45, 0.5, 0.48, 0.55, 0.6, 0.58], family="ols", scale=(0, 1)
    )
    assert rep.regression.df == 4
    draws = drawn(rep, 200_000, 1).coefficients
    unit = (draws - rep.regression.coefficients) / np.sqrt(np.diag(rep.regression.covariance))
    shares = [0.005, 0.025, 0.25, 0.5, 0.75, 0.975, 0.995]
    for column in unit.T:
        assert_allclose(np.quantile(column, shares), stats.t.ppf(shares, 4), atol=0.1)
    assert_allclose(unit.var(axis=0), 2.0, rtol=0.05)  # df/(df - 2), where a normal law has 1


def test_parametric_draws_are_said_to_be_and_repeat(rep):
    one, same = (profit_of_change(rep, 67, 70, TERMS, rng=5) for _ in range(2))
    pd.testing.assert_frame_equal(one.draws, same.draws)
    assert one.source == (
        "4000 parametric draws from the covariance of the coefficients (HC1 errors), the index "
        "taken as known"
    )
    other = profit_of_change(rep, 67, 70, TERMS, rng=6)
    assert one.estimate == other.estimate
    assert one.estimate.se != other.estimate.se


def test_retentions_of_one_seed_belong_together(rep):
    ends = [retention_of(rep, at, TERMS, rng=3) for at in (67, 70)]
    apart, together = profit_of_retention(*ends, TERMS), profit_of_change(rep, 67, 70, TERMS, rng=3)
    assert_allclose(apart.draws[ALL], together.draws[ALL])
    assert isinstance(ends[0], Retention)
    assert "4000 parametric draws" in repr(ends[0])
    monthly = retention_of(rep, 70, replace(TERMS, purchases=12), rng=3)
    assert_allclose(monthly.estimate, ends[1].estimate ** 12)
    assert_allclose(monthly.draws, ends[1].draws ** 12)


def test_the_waterfall_of_a_driver(fit, boot, whole):
    asked = {"points": 2, "measurement_error": "ignored"}
    found = profit_of_driver(boot, whole, "Quality", TERMS, **asked)
    effect = importance_performance(fit, "Satisfaction", boot).loc["Quality"]
    row = found.table.loc["index of Satisfaction"]
    assert_allclose(row["estimate"], 2 * effect["importance"])
    assert_allclose(row["se"], 2 * effect["se"])
    assert_allclose([row["lower"], row["upper"]], 2 * effect[["lower", "upper"]].to_numpy(float))
    assert_allclose(row["start"], csi.respondent_index(fit)["Satisfaction"].mean())
    sample, b = whole.regression.sample, whole.regression.coefficients
    eta = b[0] + b[1] * (sample.regressors[:, 0] + np.array([[0], [row["estimate"]]]))
    kept = found.table.loc["probability of repurchase"]
    assert_allclose([kept["start"], kept["end"]], (1 / (1 + np.exp(-eta))).mean(axis=1))
    assert_allclose(kept["start"], sample.outcome.mean())
    everyone = profit_of_driver(boot, whole, "Quality", TERMS, at=row["start"], **asked)
    step = whole.contrast(row["start"], row["end"])["probability"]["difference"]
    assert_allclose(everyone["probability of repurchase"], step)
    assert found.table.index[0] == "index of Quality"
    itself = profit_of_driver(boot, whole, "Satisfaction", TERMS, at=67, points=3)
    assert_allclose(itself.draws[ALL], profit_of_change(whole, 67, 70, TERMS).draws[ALL])


def test_the_waterfall_draw_by_draw(boot, whole):
    found = profit_of_driver(boot, whole, "Quality", TERMS, at=70, measurement_error="ignored")
    draws = boot.draws("impacts")[("Satisfaction", "Quality")].to_numpy()
    now = 70.0
    b = whole.draws.coefficients
    p = [1 / (1 + np.exp(-(b[:, 0] + b[:, 1] * at))) for at in (now, now + draws)]
    assert_allclose(found.draws["probability of repurchase"], p[1] - p[0], rtol=1e-9)


def test_customers_as_they_are_draw_by_draw(boot, whole, rep):
    y, chain = whole.regression.sample.outcome, whole.draws
    counts = np.vstack([boot.design.counts(block) for block in range(boot.design.blocks)])
    shares = (counts @ y / 250)[chain.usable]  # a logit with a constant reproduces its mean
    today = retention_of(whole, None, TERMS)
    assert_allclose(today.estimate, y.mean())
    assert_allclose(today.draws, shares, rtol=1e-6)
    tiny = 1e-4
    asked = {"points": tiny, "measurement_error": "ignored"}
    found = profit_of_driver(boot, whole, "Satisfaction", TERMS, **asked)
    slopes = found.draws["probability of repurchase"] / tiny
    assert_allclose(slopes, chain.average_slopes()[:, 0], rtol=1e-4)
    known = profit_of_driver(boot.fit, rep, "Satisfaction", TERMS, **asked)
    slope = rep.average_marginal_effect
    assert_allclose(known["probability of repurchase"] / tiny, slope, rtol=1e-4)
    assert_allclose(known["probability of repurchase"].se / tiny, slope.se, rtol=0.05)


def test_a_driver_without_bootstrap_is_taken_as_known(fit, rep, boot, whole):
    found = profit_of_driver(fit, rep, "Quality", TERMS)
    assert found["index of Satisfaction"].se < 1e-12
    assert found["probability of repurchase"].se > 0
    assert found.findings[0].code == "driver-effect-taken-as-known"
    assert found.findings[0].values == {"driver": "Quality", "target": "Satisfaction"}
    drawn = profit_of_driver(fit, whole, "Quality", TERMS)
    assert_allclose(drawn.draws, profit_of_driver(boot, whole, "Quality", TERMS).draws)
    assert_allclose(drawn.estimate, found.estimate)


def test_other_regressors_are_averaged_over(fit, boot):
    both = repurchase(fit, "CUSL1", index=["Satisfaction", "Image"], bootstrap=boot)
    found = profit_of_driver(boot, both, "Image", TERMS, at=70, measurement_error="ignored")
    codes = [finding.code for finding in found.findings]
    assert "direct-effect-left-out" in codes
    effect = boot.draws("impacts")[("Satisfaction", "Image")].to_numpy()
    ends = both.draws.predictions(0, np.array([70.0]))[:, 0]
    moved = both.draws.predictions(0, np.array([70.0 + effect[3]]))[3, 0]
    assert_allclose(found.draws["probability of repurchase"].iloc[3], moved - ends[3], rtol=1e-9)


# --- findings ------------------------------------------------------------------------------------


def test_extrapolation_is_said(example):
    found = profit_of_change(example, 67, 95, TERMS, draws=50)
    told = {finding.code: finding.values for finding in found.findings}
    assert told["extrapolation"] == {"level": 95, "low": 40, "high": 90}
    assert told["rating-as-probability"] == {"outcome": "again"}
    assert not [
        f for f in profit_of_change(example, 67, 70, TERMS).findings if f.code == "extrapolation"
    ]


def test_nothing_shown_when_nothing_works():
    rng = np.random.default_rng(3)
    index, again = rng.uniform(0, 100, 200), (rng.random(200) < 0.5) * 1.0
    rep = repurchase(index=index, outcome=again, family="logit")
    found = break_even_spending(profit_of_change(rep, 50, 60, TERMS))
    assert found.findings[-1].code == "break-even-includes-zero"
    assert found.findings[-1].values == {"level": 95}
    assert 0.025 < found.chance() < 0.975


def test_plain_numbers_have_no_intervals():
    found = profit_of_retention(0.7, 0.8, TERMS)
    assert [f.code for f in found.findings] == ["no-uncertainty"]
    assert found.table["se"].isna().all()
    assert np.isnan(found.chance())
    assert np.isnan(found.estimate.p)
    assert repr(found).startswith(
        "<Money: Profit of a change of retention. value of all customers: "
    )
    assert "interval" not in found.headline


def test_the_chance_counts_draws_above_0_that_have_a_value(whole):
    found = profit_of_change(whole, 67, 70, TERMS, measurement_error="ignored")
    draws = found.draws[[found.main]].iloc[:8].copy()
    draws[found.main] = [-1.0, 0.0, 0.0, 1.0, 2.0, 3.0, np.nan, np.inf]
    assert replace(found, draws=draws).chance() == 3 / 6


def test_pages(whole, boot):
    found = profit_of_driver(boot, whole, "Quality", TERMS)
    assert "95\u00a0% interval" in found.headline
    assert "10,000 customers" in str(found.summary())
    assert "<table" in found._repr_html_()
    assert "Margin 120.00 EUR per customer and year" in found._repr_html_()
    with pytest.raises(FrozenInstanceError):
        found.level = 0.9


def test_draws_beyond_one_are_counted():
    rng = np.random.default_rng(1)
    index = rng.uniform(40, 100, 60)
    y = np.clip(0.4 + 0.006 * index + rng.normal(0, 0.1, 60), 0, 1)
    rep = repurchase(index=index, outcome=y, family="ols", scale=(0, 1))
    told = {f.code: f for f in profit_of_change(rep, 70, 97, TERMS).findings}
    assert told["draws-outside-0-1"].count > 0
    assert told["draws-outside-0-1"].values["points"] == 97
    assert row_of(told["draws-outside-0-1"]).case == "level"
    assert told["draws-outside-0-1"].values["outside"] == told["draws-outside-0-1"].count


def test_probabilities_of_draws_beyond_one_are_one():
    rng = np.random.default_rng(1)
    index = rng.uniform(40, 100, 60)
    y = np.clip(0.4 + 0.006 * index + rng.normal(0, 0.1, 60), 0, 1)
    rep = repurchase(index=index, outcome=y, family="ols", scale=(0, 1))
    gain = profit_of_change(rep, 98, 100, TERMS).draws["probability of repurchase"]
    assert (gain[gain < 0.001] == 0.0).any()  # both beyond one


def test_complaints_that_keep_nobody():
    found = complaint_budget(0.3, 0.4, TERMS, retention=0.7, dissatisfied=0.2, complaint_rate=0.1)
    assert found.findings[-1].code == "handling-does-not-pay"
    assert found.estimate < 0


def test_compensation_that_eats_its_gain():
    options = {"retention": 0.7, "dissatisfied": 0.2, "from_": 0.04, "to": 0.2}
    gain = (0.62 - 0.3) * staying_values(0.7, TERMS)
    found = more_complaints(0.62, 0.3, TERMS, compensation=10, **options)
    assert_allclose(found.estimate, 10_000 * 0.2 * 0.16 * (gain - 10))
    budget = complaint_budget(
        0.62, 0.3, TERMS, retention=0.7, dissatisfied=0.2,
        complaint_rate=literature.complaining_share.value,
    )  # fmt: skip
    assert_allclose(budget.estimate, gain)
    assert_allclose(budget["largest budget"], gain * 80)


# --- messages ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": -3}, "margin=-3 must be a number above 0."),
        ({"currency": ""}, "currency='' must be a word, for example 'EUR'."),
        ({"period": 12}, "period=12 must be a word, for example 'year'."),
        (
            {"discount_rate": 8},
            "discount_rate=8 must lie between 0 and 1 per year; write 0.08 for 8 %.",
        ),
        (
            {"horizon": 0},
            "horizon=0 must be a whole number of margins from 1, or None for all there will ever be.",
        ),
        (
            {"first_margin": "later"},
            "first_margin='later' is not known; use one of 'end', 'now'.",
        ),
        ({"customers": True}, "customers=True must be a number above 0."),
    ],
)
def test_terms_that_are_none(options, message):
    with pytest.raises(OptionError) as raised:
        replace(TERMS, **options)
    assert str(raised.value) == message


def test_draws_from_another_process_are_the_same_draws(whole, boot):
    copy = pickle.loads(pickle.dumps(boot))
    ours, theirs = (profit_of_driver(one, whole, "Quality", TERMS) for one in (boot, copy))
    pd.testing.assert_frame_equal(ours.table, theirs.table)


def test_messages(fit, rep, whole, boot, example):
    other = csi.bootstrap(fit, draws=30, rng=1)
    free = replace(TERMS, discount_rate=0.0)
    change = profit_of_retention(0.7, 0.8, TERMS)
    cases = [
        (lambda: lifetime_value(1.0, free), OptionError,
         "Retention 1 is not below 1 + discount_rate = 1, so a customer's value is infinite; give a "
         "discount rate above 0 or a horizon."),
        (lambda: lifetime_value(80, TERMS), OptionError,
         "retention=80 must lie from 0 to 1; write 0.08 for 8 %."),
        (lambda: profit_of_change(example, 67, 100, replace(TERMS)), None, None),
        (lambda: profit_of_change(rep, 67, 120, TERMS), OptionError,
         "Level 120 is not on the index, which goes from 0 to 100; choose a level between them."),
        (lambda: profit_of_driver(other, whole, "Quality", TERMS), OptionError,
         "The regression was not made with this bootstrap; make it with csi.repurchase(fit, ..., "
         "bootstrap=boot), so that every step is drawn together."),
        (lambda: profit_of_driver(3, rep, "Quality", TERMS), OptionError,
         "profit_of_driver wants a fit and source is 3; make one with csi.fit(model, survey)."),
        (lambda: profit_of_driver(fit, rep, "Quallity", TERMS), ModelError,
         "driver 'Quallity' is not in the model (did you mean 'Quality'?); use one of 'Image', "
         "'Expectation', 'Quality', 'Value', 'Satisfaction', 'Complaints' and 'Loyalty'."),
        (lambda: profit_of_driver(fit, rep, "Loyalty", TERMS), ModelError,
         "'Loyalty' does not affect 'Satisfaction' in this model; use one of 'Image', "
         "'Expectation', 'Quality' and 'Value'."),
        (lambda: profit_of_driver(fit, rep, "Quality", TERMS, points=80), OptionError, None),
        (lambda: break_even_spending(lifetime_value(0.7, TERMS)), OptionError,
         "'Lifetime value' is no change that money could bring about; use profit_of_driver, "
         "profit_of_change or profit_of_retention."),
        (lambda: break_even_spending(profit_of_change(rep, 70, 70, TERMS)), OptionError,
         "Nothing was moved (0 points), so there is no spending per point."),
        (lambda: break_even_spending(profit_of_retention(0.7, 0.8, free), paid="every period"),
         OptionError,
         "paid='every period' without an end costs an infinite sum at discount_rate=0; give a "
         "discount rate above 0 or a horizon."),
        (lambda: change["value of customers"], OptionError,
         "There is no row 'value of customers' (did you mean 'value of all customers'?); use one of "
         "'retention', 'customers kept', 'profit of a year', 'lifetime value of a customer' and "
         "'value of all customers'."),
        (lambda: profit_of_retention(retention_of(rep, 60, TERMS, draws=50),
                                     retention_of(rep, 70, TERMS), TERMS), OptionError,
         "The retentions have 50 and 4000 draws; make them with the same draws= and rng=."),
        (lambda: fewer_defections(0.98, TERMS, cut=0.05), OptionError,
         "cut=0.05 is larger than the defection rate of 0.02; nobody can lose fewer than no "
         "customers."),
        (lambda: fewer_defections(0.5, TERMS, cut=0.05, acquisition_cost=500), OptionError,
         "A customer is worth -396.55 EUR net of acquisition_cost=500, so a lift as a share of it "
         "means nothing."),
        (lambda: acquisition_or_retention(0.5, TERMS, acquisition_cost=0, retention_cost=5),
         OptionError, "acquisition_cost=0 must be a number above 0."),
        (lambda: net_present_value(change, float("nan")), OptionError,
         "spending=nan must be a number, in EUR."),
        (lambda: more_complaints(0.8, 0.4, TERMS, retention=0.7, dissatisfied=0.2, from_=0.1, to=0.2,
                                 compensation=-1), OptionError,
         "compensation=-1 must be a number from 0, in EUR."),
    ]  # fmt: skip
    for call, error, message in cases:
        if error is None:
            call()
            continue
        with pytest.raises(error) as raised:
            call()
        assert message is None or str(raised.value) == message


def test_a_line_that_leaves_0_to_1_is_refused():
    index = np.linspace(40, 90, 101)
    y = np.clip(0.75 + 0.012 * (index - 67), 0, 1)
    rep = repurchase(index=index, outcome=y, family="ols", scale=(0, 1))
    with pytest.raises(OptionError) as raised:
        profit_of_change(rep, 67, 100, TERMS)
    p = rep.predict(100)["probability"].iloc[0]
    assert str(raised.value) == (
        f"The least squares regression predicts a probability of {p:.3f} at an index of 100, which "
        "is outside 0 to 1; use family='fractional-logit', or a level nearer to the data."
    )


def test_a_regression_without_solution_gives_no_money():
    index = np.linspace(0, 100, 60)
    rep = repurchase(index=index, outcome=(index > 50) * 1.0, family="logit")
    with pytest.raises(EstimationError) as raised:
        profit_of_change(rep, 67, 70, TERMS)
    assert str(raised.value) == (
        "The regression of 'outcome' has no solution, so it gives no money; read its findings."
    )


def test_an_average_beyond_certainty_is_refused_not_clipped(example):
    with pytest.raises(OptionError, match=r"average probability of 1.* outside 0 to 1.*logit"):
        csi_after(example, 50.0)
    assert_allclose(csi_after(example, 3.0), 0.75 + 0.0058 * (example_mean(example) + 3 - 67))


def csi_after(rep, step):
    """Return the average probability after a step."""
    found, place = drawn(rep, 20, 1), Place((step, np.full(20, step)), alike=False)
    (averages,) = found.averages(0, [place])
    assert list(about_place(found, 0, place, averages)) == []
    return averages.probability[0]


def example_mean(rep):
    """Return the mean index."""
    return rep.regression.sample.regressors[:, 0].mean()


def test_a_lift_of_nothing_is_counted_and_left_out():
    kept = np.append(0.2, np.tile([0.5, 0.6, 0.7], 10))
    given = Retention(0.6, kept, 0.95, "percentile", "made up")
    terms = Economics(margin=100, currency="EUR", period="year", discount_rate=0.1)
    found = fewer_defections(given, terms, cut=0.05, acquisition_cost=50)
    assert [f.count for f in found.findings if f.code == "worthless-before"] == [1]
    lifts = found.draws["lift of the lifetime value"]
    assert lifts.isna().tolist() == [True, *[False] * 30]
    assert (lifts.dropna() > 0).all()
    assert found.estimate.lower > 0


def test_a_change_that_loses_money_is_said():
    terms = Economics(margin=100, currency="EUR", period="year", discount_rate=0.1)
    found = break_even_spending(profit_of_retention(0.8, 0.7, terms))
    assert found.estimate < 0
    assert "no-spending-pays" in [f.code for f in found.findings]


def test_retentions_of_different_customers_are_independent_with_one_seed():
    def of(seed):
        rng = np.random.default_rng(seed)
        x = rng.uniform(20, 100, 200)
        y = (rng.random(200) < 0.2 + 0.006 * x) * 1.0
        return repurchase(index=x, outcome=y, family="logit")

    old, new = of(1), of(2)
    kept = [retention_of(rep, 70, TERMS, rng=0) for rep in (old, new)]
    spread = [float(value.draws.std(ddof=1)) for value in kept]
    change = profit_of_retention(*kept, TERMS)["retention"]
    assert_allclose(change.se, np.hypot(*spread), rtol=0.05)
    same = [retention_of(old, at, TERMS, rng=0) for at in (67, 70)]
    assert profit_of_retention(*same, TERMS)["retention"].se < 0.2 * spread[0]


def test_plain_retentions_have_no_draws_and_say_so():
    own = together(None, before=0.6, after=0.7)
    assert (own.source, own.size, own.level) == ("no draws", 0, 0.95)
    drawn = Retention(0.5, np.array([0.4, 0.6]), 0.9, "auto", "two draws", (), origin=1)
    both = together(None, kept=drawn, won=drawn, lost=0.2)
    assert (both.source, both.size, both.level) == ("two draws", 2, 0.9)
    assert [finding.code for finding in own.findings] == ["no-uncertainty"]
    assert together(0.8, before=0.6).level == 0.8


def test_a_customer_worth_what_he_costs_loses_nothing():
    terms = Economics(
        margin=100, currency="EUR", period="year", discount_rate=0.1, first_margin="now", horizon=1
    )
    codes = [
        [f.code for f in acquisition_or_retention(
            0.7, terms, acquisition_cost=cost, retention_cost=40).findings]
        for cost in (100.0, 100.01)
    ]  # fmt: skip
    assert ["winning-does-not-pay" in each for each in codes] == [False, True]


@pytest.mark.parametrize(("beyond", "told"), [(25, False), (26, True)])
def test_a_fortieth_of_the_draws_without_gain_is_told(beyond, told):
    each = np.where(np.arange(1000) < beyond, 0.0, 1.0)
    findings = _shown_to_pay((0.3, each), (0.3, each))
    assert [f.code for f in findings] == ["break-even-includes-zero"] * told
    if told:
        assert_allclose(findings[0].values["percent"], 2.6)
    keeps_nobody = _shown_to_pay((0.0, each), (0.0, each))
    assert [f.code for f in keeps_nobody] == ["handling-does-not-pay"]


@pytest.mark.parametrize(
    ("corrected", "ignored", "told"),
    [(-10.0, -9.5, 0), (-10.0, -8.5, 1), (10.0, 9.5, 0), (10, 8, 1)],
)
def test_measurement_error_of_a_tenth_is_told_of_losses_too(corrected, ignored, told):
    draws = np.random.default_rng(1).normal(size=200)
    rows = [AmountRow("profit", "EUR", value, value + draws) for value in (corrected, ignored)]
    table, finding = beside(rows, Message("Profit"), True, 0.95, Errors())
    assert table["estimate"].tolist() == [corrected, ignored]
    assert (finding is not None) == bool(told)
