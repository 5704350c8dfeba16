"""What changes of drivers do, and the cheapest that reach a goal."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import linprog

import csimodel as csi
from csimodel.errors import InferenceError, ModelError, OptionError
from csimodel.index.what_if import _cheapest


@pytest.fixture(scope="module")
def fit(ecsi, mobi):
    return csi.fit(ecsi, mobi)


def test_changes_add_up_by_impacts(fit):
    table = csi.what_if(fit, {"Quality": 5, "Value": -2}).table
    lin = csi.linearize(fit)
    impact = lin.table("impacts")
    for name, own in (("Satisfaction", 0), ("Loyalty", 0), ("Value", -2), ("Quality", 5)):
        parts = [
            impact["estimate"].get((name, driver), 0.0) * points
            for driver, points in (("Quality", 5), ("Value", -2))
        ]
        assert_allclose(table.loc[name, "estimate"], own + sum(parts))
    cov = lin.vcov("impacts")
    both = [("Satisfaction", "Quality"), ("Satisfaction", "Value")]
    counts = np.array([5.0, -2.0])
    block = cov.loc[both, both].to_numpy()
    assert_allclose(table.loc["Satisfaction", "se"], np.sqrt(counts @ block @ counts), rtol=1e-6)
    assert table.loc["Quality", "se"] == 0
    assert table.loc["Quality", "reason"] == "the same in every sample, by construction"
    assert_allclose(table["after"], table["today"] + table["estimate"])
    assert_allclose(table["today"], csi.index_scores(fit)["mean"])


def test_draws_give_the_errors_of_changes(fit):
    boot = csi.bootstrap(fit, 200, rng=1, progress=False)
    table = csi.what_if(fit, {"Quality": 5}, boot).table
    drawn = boot.draws("impacts")[("Satisfaction", "Quality")]
    assert_allclose(table.loc["Satisfaction", "se"], 5 * drawn.std(ddof=1))


def test_an_index_beyond_the_scale_is_told(fit):
    found = csi.what_if(fit, {"Quality": 40})
    finding = found.findings[0]
    assert finding.code == "what-if-outside-scale"
    assert [own.code for own in found.findings[1:]] == ["driver-not-told-apart"]
    assert "Quality" in finding.values["names"]
    assert "What if: Quality +40" in str(found.summary())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"Qualty": 5}, r"changes names construct 'Qualty'.*did you mean 'Quality'"),
        ({}, r"changes=\{\} names no construct"),
        ({"Quality": "5"}, r"changes\['Quality'\]='5' must be a number"),
        ({"Quality": float("nan")}, r"changes\['Quality'\]=nan must be a number"),
        ([("Quality", 5)], "must be a dict; give changes as"),
    ],
)
def test_changes_that_are_none_are_refused(fit, changes, sentence):
    with pytest.raises((ModelError, OptionError), match=sentence):
        csi.what_if(fit, changes)


def test_the_cheapest_changes_are_those_of_linear_programming():
    rng = np.random.default_rng(4)
    for _ in range(50):
        impact = rng.uniform(-0.2, 1.0, 5)
        price, bound = rng.uniform(0.5, 3.0, 5), rng.uniform(2.0, 20.0, 5)
        need = rng.uniform(-1.0, 25.0)
        change, reached = _cheapest(impact[None], price, bound, np.array([need]))
        theirs = linprog(price, A_ub=-impact[None], b_ub=[-need], bounds=[(0, b) for b in bound])
        assert reached[0] == (theirs.status == 0)
        if reached[0]:
            assert_allclose(price @ change[0], theirs.fun, atol=1e-9)
            assert impact @ change[0] >= need - 1e-9
        else:
            assert_allclose(change[0], np.where(impact > 0, bound, 0.0))


def test_a_goal_is_reached_by_what_if(fit):
    goal = csi.goal_seek(
        fit, "Loyalty", at=80, drivers=["Quality", "Image"], cost={"Image": 3}, most={"Quality": 4}
    )
    assert goal.reached
    assert goal.table.loc["Quality", "change"] == 4
    after = csi.what_if(fit, goal.table["change"].to_dict()).table.loc["Loyalty", "after"]
    assert_allclose(after, 80)
    assert_allclose(goal.cost, goal.table["change"] @ [1, 3])
    assert goal.share > 0.5
    assert f"Reached in {100 * goal.share:.0f} % of the draws" in str(goal.summary())
    assert (goal.table["lower"] <= goal.table["change"] + 1e-9).all()
    assert csi.goal_seek(fit, "Loyalty", at=10).cost == 0
    assert csi.goal_seek(fit, "Loyalty", at=10).reached


def test_a_goal_out_of_reach_is_said_to_be(fit):
    goal = csi.goal_seek(fit, "Satisfaction", at=99, drivers="Value", most={"Value": 1})
    assert not goal.reached
    (finding,) = goal.findings
    assert (finding.code, finding.severity) == ("goal-not-reached", "failure")
    assert_allclose(finding.values["highest"], goal.today + goal.table.loc["Value", "impact"])
    assert goal.share == 0
    assert goal.table[["lower", "upper"]].isna().all(axis=None)
    assert "DO NOT USE" in str(goal.summary())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"cost": {"Quality": 0}}, r"cost\['Quality'\]=0 must be a number above 0"),
        ({"cost": {"Qualty": 1}}, "cost names 'Qualty', which is not among the drivers"),
        ({"most": {"Quality": -1}}, r"most\['Quality'\]=-1 must be a number of at least 0"),
        ({"cost": 3}, r"cost=3 must be a dict; give cost as \{'Image': 2\}"),
        ({"at": 101}, "at=101 must be a number of at least 0 and at most 100"),
        ({"target": "Image"}, "No construct affects 'Image'"),
        ({"drivers": "Loyalty"}, "'Loyalty' does not affect 'Satisfaction'"),
        ({"draws": 0}, "draws=0 must be a whole number of at least 1"),
    ],
)
def test_goals_that_cannot_be_are_refused(fit, options, sentence):
    with pytest.raises((ModelError, OptionError), match=sentence):
        csi.goal_seek(fit, **{"target": "Satisfaction", "at": 80, **options})


def test_without_a_solution_or_degrees_of_freedom_nothing_is_made_up(ecsi, mobi):
    halves = mobi.data.assign(half=["a"] * 2 + ["b"] * 248)
    survey = csi.read_survey(halves, scale=dict.fromkeys(ecsi.items, (1, 10)))
    nothing = csi.fit_groups(ecsi, survey, "half")["a"]
    with pytest.raises(InferenceError, match="because the fit is no solution"):
        csi.goal_seek(nothing, "Satisfaction", at=80)
    alone = csi.read_survey(
        mobi.data.assign(c=1), scale=dict.fromkeys(ecsi.items, (1, 10)), cluster="c"
    )
    goal = csi.goal_seek(csi.fit(ecsi, alone), "Satisfaction", at=80)
    assert goal.reached
    assert np.isnan(goal.share)
    assert goal.table[["lower", "upper"]].isna().all(axis=None)
