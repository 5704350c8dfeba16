"""Which group is said to be highest: not one of equal groups, and the best where there is one."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal, norm

import csimodel as csi
from csimodel.index import leading_group
from csimodel.index.leading_group import _SAMPLES, simultaneous

MODEL = csi.Model.from_syntax("A =~ a + b\nB =~ c + d\nB ~ A")


def sample(groups, size, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), size)
    u = rng.normal(size=len(g)) + shift * (g == 2)
    items = {
        name: np.clip(np.round(5.5 + 1.6 * u + 1.1 * rng.normal(size=len(g))), 1, 10)
        for name in "abcd"
    }
    return csi.read_survey(pd.DataFrame({**items, "g": g}), scale=(1, 10), items=list("abcd"))


@pytest.mark.parametrize("groups", [2, 5, 20])
def test_equal_groups_are_seldom_told_apart(groups):
    claims = [
        leading_group(csi.fit(MODEL, sample(groups, 40, seed)), "g", "B").distinct
        for seed in range(60)
    ]
    assert np.mean(claims) <= 0.12  # at most 5 % are expected


def test_a_group_that_stands_out_is_told():
    fit = csi.fit(MODEL, sample(5, 60, 1, shift=2.0))
    boot = csi.bootstrap(fit, 300, rng=1, progress=False)
    for draws in (None, boot):
        leader = leading_group(fit, "g", "B", draws)
        assert (leader.group, leader.distinct) == (2, True)
        assert (leader.table["p_adjusted"] >= leader.table["p"]).all()
        assert leader.table["difference"].is_monotonic_increasing
        assert leader.headline == "2 differs from all others in B."
        surer = replace(leader, level=1.0 - 1e-15)
        assert (surer.distinct, surer.headline.startswith("2 is not shown to")) == (False, True)


def test_an_error_below_one_point_is_one():
    leader = leading_group(csi.fit(MODEL, sample(2, 1500, 1)), "g", "B")
    assert 0.0 < leader.table["se"].iloc[0] < 1.0
    assert leader.table["p_adjusted"].notna().all()


def test_two_groups_are_compared_by_welch(population, chain):
    """The index of a single item is a mean, so its difference is Welch's."""
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(5)
    g = np.repeat(["x", "y"], [30, 50])
    rows = pd.DataFrame({"q": rng.normal(5, 1, 80), "r": rng.normal(5, 1, 80) + (g == "x")})
    survey = csi.read_survey(rows.assign(g=g), scale=(0, 10), items=["q", "r"])
    fit = csi.fit(csi.Model.from_syntax("Q =~ q\nR =~ r\nR ~ Q"), survey)
    leader = leading_group(fit, "g", "R")
    x, y = (rows["r"][g == name] for name in "xy")
    welch = ttest_ind(x, y, equal_var=False)
    row = leader.table.loc["y"]
    # Influence values take a group's variance with n, not n - 1, and n/(n - 1) of the sample.
    assert row["difference"] / row["se"] == pytest.approx(welch.statistic, rel=0.02)
    assert row["df"] == pytest.approx(welch.df, rel=0.05)
    assert row["p_adjusted"] == pytest.approx(row["p"], rel=0.05, abs=1e-4)


def test_groups_without_an_error_are_not_told_apart():
    survey = sample(3, 30, 2)
    rows = survey.data.assign(g=["one"] + ["two"] * 44 + ["three"] * 45)
    fit = csi.fit(MODEL, csi.read_survey(rows, scale=(1, 10), items=list("abcd")))
    leader = leading_group(fit, "g", "B")
    assert leader.group != "one"
    assert not leader.distinct
    assert leader.table["p"].isna().tolist() == [False, True]
    alone = replace(leader, table=leader.table.loc[["one"]])
    assert (alone.distinct, alone.headline.endswith(" is not known.")) == (False, True)
    surer = replace(leader, table=leader.table.assign(p_adjusted=[1e-9, np.nan]))
    assert surer.headline == f"{leader.group} differs from all others that have an error in B."
    with pytest.raises(csi.errors.ModelError, match=r"^Construct 'C' is not in the model"):
        leading_group(fit, "g", "C")


def test_no_p_value_is_below_what_the_draws_can_tell():
    alone = simultaneous(np.array([1e-9, 0.5]), 0, np.array([1, 2]), np.diag([1.0, 1.0, 1.0]))
    assert alone[0] == pytest.approx(1.0 / (_SAMPLES + 1.0), rel=1e-12)
    # the larger of two |z| with correlation 1/2, at the median of one
    z = norm.ppf(0.75)
    both = multivariate_normal(cov=[[1, 0.5], [0.5, 1]])
    inside = both.cdf([z, z], lower_limit=[-z, -z])
    assert alone[1] == pytest.approx(1.0 - inside, abs=0.01)


def test_groups_of_a_whole_population_differ_without_an_error():
    rows = sample(3, 30, 2).data.assign(size=90)
    survey = csi.read_survey(rows, scale=(1, 10), items=list("abcd"), population="size")
    table = leading_group(csi.fit(MODEL, survey), "g", "B").table
    assert table["se"].eq(0).all()
    assert set(table["reason"]) == {"all units of the population are in the sample"}
