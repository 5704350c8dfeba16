"""Sample plans by hand and by simulation; refusals."""

import numpy as np
import pytest
from scipy import stats

import csimodel as csi


def test_a_plain_sample_by_hand():
    plan = csi.sample_plan(2.0, sd=20)
    for n, enough in ((plan.total, True), (plan.total - 1, False)):
        half = stats.t.ppf(0.975, n - 1) * 20 / np.sqrt(n)
        assert (half <= 2.0) == enough
    assert plan.expected_half_width <= 2.0


def test_a_finite_population_by_hand():
    plan = csi.sample_plan(2.0, sd=20, population=1000)
    n = plan.total
    half = stats.t.ppf(0.975, n - 1) * 20 / np.sqrt(n) * np.sqrt(1 - n / 1000)
    assert half == pytest.approx(plan.expected_half_width)
    assert n < csi.sample_plan(2.0, sd=20).total


def test_allocations_by_hand():
    strata, sd = {"a": 3000, "b": 1000}, {"a": 10, "b": 30}
    plans = {
        name: csi.sample_plan(2.0, sd, strata=strata, allocation=name)
        for name in ("proportional", "neyman", "equal")
    }
    assert plans["proportional"].n[0] / plans["proportional"].n[1] == pytest.approx(3, abs=0.05)
    assert plans["equal"].n[0] == plans["equal"].n[1]
    assert plans["neyman"].n[0] / plans["neyman"].n[1] == pytest.approx(1, abs=0.02)
    assert plans["neyman"].total <= min(plan.total for plan in plans.values())
    plan = plans["neyman"]
    variance = sum(
        (w * s) ** 2 / n * (1 - n / size)
        for w, s, n, size in zip((0.75, 0.25), (10, 30), plan.n, (3000, 1000), strict=True)
    )
    t = stats.t.ppf(0.975, plan.total - 2)
    assert plan.expected_half_width == pytest.approx(t * np.sqrt(variance))


def test_every_firm_by_itself():
    plan = csi.sample_plan(3.0, 20, strata={"a": 500, "b": 100_000}, each=True)
    assert plan.n[0] == csi.sample_plan(3.0, 20, population=500).total
    assert plan.n[1] == csi.sample_plan(3.0, 20, population=100_000).total


@pytest.mark.parametrize(
    "options",
    [
        {"half_width": 2.0},
        {"half_width": 3.0, "target": "difference"},
        {"half_width": 0.004, "target": "slope", "outcome_sd": 0.4},
        {"half_width": 2.5, "cluster_size": 5, "icc": 0.1},
        {"half_width": 2.0, "strata": {"a": 2000, "b": 500}, "sd": {"a": 15, "b": 25},
         "allocation": "neyman"},
        {"half_width": 2.0, "population": 900},
    ],
)  # fmt: skip
def test_formula_and_simulation_agree_within_ten_per_cent(options):
    plan = csi.sample_plan(**options)
    simulated = plan.simulate(400, rng=1)
    assert simulated["n"] == pytest.approx(plan.total, rel=0.1)
    assert 0.91 < simulated["coverage"] < 0.985


def test_response_rate_and_cost():
    plan = csi.sample_plan(2.0, 20, response_rate=0.25, cost=8.0)
    assert plan.table.loc["all", "invited"] == 4 * plan.total
    assert plan.table.loc["all", "cost"] == 8 * plan.total
    assert f"{4 * plan.total:,} to invite" in str(plan.summary())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"half_width": 0}, "half_width=0 must be above 0"),
        ({"half_width": 2, "sd": 0}, "sd=0 must be above 0"),
        ({"half_width": 2, "icc": 2}, "icc=2 must lie between 0 and 1"),
        ({"half_width": 2, "response_rate": 0}, "response_rate=0 must be above 0"),
        ({"half_width": 2, "cost": -1}, "cost=-1 must not be negative"),
        ({"half_width": 2, "strata": {}}, "names no stratum"),
        ({"half_width": 2, "strata": {"a": 0}}, r"strata\['a'\]=0"),
        ({"half_width": 2, "strata": {"a": 9}, "population": 3}, "population= is for a plan"),
        ({"half_width": 2, "strata": {"a": 9}, "sd": {"b": 3}}, "no entry for the stratum 'a'"),
        ({"half_width": 2, "strata": {"a": 9, "b": 9}, "target": "slope"}, "without strata"),
        ({"half_width": 1e-6}, "takes more respondents than there are"),
        ({"half_width": None}, "half_width=None"),
        ({"half_width": 2, "level": 95}, "level=95"),
        ({"half_width": 2, "allocation": "even"}, "allocation='even'"),
    ],
)
def test_what_cannot_be_planned_is_refused(options, message):
    with pytest.raises(csi.errors.OptionError, match=message):
        csi.sample_plan(**options)
    with pytest.raises(csi.errors.OptionError, match="samples=1"):
        csi.sample_plan(5.0).simulate(1)
