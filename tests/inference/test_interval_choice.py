"""The default interval: percentiles of draws, and t where few units were drawn."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import csimodel as csi
from csimodel.bounds import FEW_DEGREES
from csimodel.findings import collected
from csimodel.inference import INTERVALS, interval_name, interval_of
from csimodel.outcomes import corrected_slopes
from csimodel.significance import t_limits


@pytest.fixture(scope="module")
def few(mobi, ecsi):
    data = mobi.data.assign(firm=np.arange(250) % 8)
    return csi.fit(ecsi, csi.read_survey(data, scale=(1, 10), cluster="firm"))


@pytest.fixture(scope="module")
def draws(few):
    return csi.bootstrap(few, 200, rng=1, progress=False)


def test_each_entry_takes_the_form_its_degrees_ask_for():
    drawn = np.random.default_rng(1).gamma(2.0, size=(300, 3))
    estimate, df = np.full(3, 2.0), np.array([5.0, FEW_DEGREES - 1e-9, FEW_DEGREES])
    auto, t, percentile = (
        interval_of(kind, 0.9, estimate, drawn, df=df) for kind in ("auto", "t", "percentile")
    )
    for ours, by_t, by_share in zip(auto, t, percentile, strict=True):
        assert_array_equal(ours[:2], by_t[:2])
        assert_array_equal(ours[2], by_share[2])
    assert_array_equal(interval_of("auto", 0.9, estimate, drawn), percentile)
    assert interval_name("auto", 1) == "t with 1 degree of freedom"
    assert interval_name("auto", 1.5) == "t with 1.5 degrees of freedom"
    assert INTERVALS[0] == "auto"


def test_few_units_have_limits_and_p_by_t_unless_percentiles_are_asked_for(few, draws):
    with collected() as told:
        default = draws.table("paths")
    assert [finding.code for finding in told] == []
    pd.testing.assert_frame_equal(default, draws.table("paths", interval="t"))
    limits = t_limits(default["estimate"].to_numpy(), default["se"].to_numpy(), 7)
    assert_allclose(default[["lower", "upper"]].to_numpy().T, limits)
    with collected() as told:
        percentile = draws.table("paths", interval="percentile")
    ends = np.quantile(draws.values("paths"), [0.025, 0.975], axis=0)
    assert_allclose(percentile[["lower", "upper"]].to_numpy().T, ends)
    (finding,) = told
    assert (finding.code, finding.values["df"]) == ("narrow-intervals", 7)
    assert finding.values["interval"] == "percentile"
    (rough,) = [finding for finding in draws.findings if finding.code == "few-units"]
    assert rough.count == rough.values["df"] == 7


def test_many_units_have_percentiles(boot):
    with collected() as told:
        for quantity in ("paths", "index", "r2"):
            pd.testing.assert_frame_equal(
                boot.table(quantity), boot.table(quantity, interval="percentile")
            )
    assert told == []


def test_groups_take_the_form_of_their_own_degrees(mobi, ecsi):
    data = mobi.data.assign(part=np.repeat(["few", "many"], [12, 238]))
    fit = csi.fit(ecsi, csi.read_survey(data, scale=(1, 10)))
    boot = csi.bootstrap(fit, 100, rng=1, progress=False)
    with collected():
        auto, t, percentile = (
            csi.index_scores(fit, "part", boot, interval=kind)
            for kind in ("auto", "t", "percentile")
        )
    pd.testing.assert_frame_equal(auto.loc[["few"]], t.loc[["few"]])
    pd.testing.assert_frame_equal(auto.loc[["many"]], percentile.loc[["many"]])


def test_regressions_and_their_money_follow(few, draws):
    found = csi.repurchase(few, "CUSL1", bootstrap=draws, scale=(1, 10), progress=False)
    assert "Whole-chain intervals (t with 7 degrees of freedom, 200 boot" in found.interval_kind
    table = found.coefficients
    limits = t_limits(table["estimate"].to_numpy(), table["se"].to_numpy(), 7)
    assert_allclose(table[["lower", "upper"]].to_numpy().T, limits)
    asked = csi.repurchase(
        few, "CUSL1", bootstrap=draws, scale=(1, 10), interval="percentile", progress=False
    )
    assert "Whole-chain intervals (percentile, 200 boot" in asked.interval_kind
    assert "narrow-intervals" in [finding.code for finding in asked.findings]
    assert "narrow-intervals" not in [finding.code for finding in found.findings]
    slopes = corrected_slopes(few, "CUSL1", scale=(1, 10), bootstrap=draws, progress=False)
    table = slopes.table.dropna(subset=["se"])
    limits = t_limits(table["average_marginal_effect"].to_numpy(), table["se"].to_numpy(), 7)
    assert_allclose(table[["lower", "upper"]].to_numpy().T, limits)
    assert "(t with 7 degrees of freedom, 200 bootstrap draws)" in slopes.interval_kind
    economics = csi.money.Economics(margin=100, currency="EUR", period="year", discount_rate=0.1)
    worth = csi.money.profit_of_change(found, 70, 71, economics, measurement_error="ignored").table
    by_t = worth["lower"] - (
        worth["estimate"] - t_limits(np.zeros(1), np.ones(1), 7)[1] * worth["se"]
    )
    assert (by_t.dropna().abs() < 1e-9 * worth["estimate"].abs().max()).all()
