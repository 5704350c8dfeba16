"""What a programme says of data and weights that are odd, message by message."""

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import CsimodelError

LEVELS = ["industry", "firm"]
WAY = "give one row for each level, unit and period, with columns level, unit, period and weight"


@pytest.fixture(scope="module")
def data(mobi):
    place = np.arange(250)
    firm = np.array(["a", "b", "c"])[place % 3]
    return mobi.data.assign(
        firm=firm, industry=np.where(firm == "c", "y", "x"), wave=place // 3 % 2 + 1, person=1
    )


@pytest.fixture(scope="module")
def weights():
    rows = [("industry", "x", 3.0), ("industry", "y", 1.0), ("firm", "a", 1.0), ("firm", "b", 4.0), ("firm", "c", 9.0)]  # fmt: skip
    return pd.DataFrame(
        [(level, unit, wave, own) for level, unit, own in rows for wave in (1, 2)],
        columns=["level", "unit", "period", "weight"],
    )


def _survey(model, data, **options):
    return csi.read_survey(data, scale=dict.fromkeys(model.items, (1, 10)), **options)


def _told(programme):
    return {finding.code: str(finding) for finding in programme.findings}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"weights": lambda w: w[w["level"] != "industry"]},
            "weights= has no weight of level industry for x (1), x (2), y (1) and y (2); "
            f"{WAY}, or leave these answers out.",
        ),
        (
            {"weights": lambda w: w[w["period"] == 1]},
            f"weights= has no weight of level industry for x (2) and y (2); {WAY}, or leave these "
            "answers out.",
        ),
        (
            {"weights": lambda w: w.assign(period=w["period"].astype(str))},
            "No period of weights= ('1' and '2') is one of the survey's (1 and 2); write them in "
            "the same way.",
        ),
        (
            {
                "weights": lambda w: w.assign(unit=[f" {unit}" for unit in w["unit"]]),
            },
            f"weights= has no weight of level industry for x (1), x (2), y (1) and y (2); {WAY}, or "
            "leave these answers out.",
        ),
        (
            {"weights": lambda w: w.assign(weight=np.nan)},
            "The weight of x (level industry) is nan; weights are numbers of at least 0.",
        ),
        (
            {"levels": ["industry", "frim"]},
            "Group column 'frim' is not in the data (did you mean 'firm'?).",
        ),
        ({"levels": []}, "levels=[] must be a name, or several in a list."),
        ({"levels": ["firm", "firm"]}, "levels=['firm', 'firm'] names the column 'firm' twice."),
        ({"period": "quarter"}, "Group column 'quarter' is not in the data."),
        ({"others": "zz"}, "others names 'zz', which is not a unit of level firm."),
        (
            {"data": lambda d: d[:1]},
            "Only 1 row is left, and a covariance needs at least 2; choose another missing= policy "
            "or give more rows.",
        ),
        (
            {"data": lambda d: d.assign(wave=np.nan)},
            "No row has a value in ['industry', 'firm', 'wave']; choose a column that is filled.",
        ),
    ],
)
def test_what_cannot_be_is_refused(ecsi, data, weights, change, message):
    survey = _survey(ecsi, change.get("data", lambda own: own)(data))
    table = change["weights"](weights) if "weights" in change else None
    options = {"others": change["others"]} if "others" in change else {}
    levels, period = change.get("levels", LEVELS), change.get("period", "wave")
    with pytest.raises(CsimodelError) as refused:
        csi.programme(ecsi, survey, levels, period, table, **options)
    assert str(refused.value) == message


def test_a_scale_that_is_not_declared_is_asked_for(ecsi, data):
    with pytest.raises(CsimodelError, match="The index needs the scale of IMAG1, IMAG2"):
        csi.programme(ecsi, csi.read_survey(data), LEVELS, "wave")


def test_a_period_without_answers_is_told(ecsi, data):
    gone = data.copy()
    gone[list(ecsi.items)] = gone[list(ecsi.items)].where(gone["wave"] == 1)
    found = csi.programme(ecsi, _survey(ecsi, gone, missing="listwise"), LEVELS, "wave")
    assert found.scores.index.get_level_values("period").unique().tolist() == [1]
    assert _told(found)["units-not-in-all-periods"].startswith(
        "3 units of level firm have no score in some periods (how many): a (1), b (1) and c (1)"
    )
    assert "groups-without-solution" in _told(found)


def test_a_firm_without_answers_and_with_a_weight_is_told(ecsi, data, weights):
    gone = data.copy()
    gone[list(ecsi.items)] = gone[list(ecsi.items)].where(gone["firm"] != "b")
    found = csi.programme(ecsi, _survey(ecsi, gone, missing="listwise"), LEVELS, "wave", weights)
    assert "b" not in found.scores.index.get_level_values("unit")
    assert _told(found)["weights-without-scores"].startswith(
        "1 unit has a weight and no score in any period: b (firm)"
    )


def test_shares_that_do_not_sum_are_told_and_count_by_their_ratios(ecsi, data, weights):
    survey = _survey(ecsi, data)
    plain = csi.programme(ecsi, survey, LEVELS, "wave", weights)
    shares = weights.assign(weight=weights["weight"] / 10)
    found = csi.programme(ecsi, survey, LEVELS, "wave", shares)
    assert np.allclose(found.scores["estimate"], plain.scores["estimate"])
    assert _told(found)["weights-not-to-one"].startswith(
        "Weights of industry in 1, industry in 2, firm in 1 and firm in 2 lie between 0 and 1"
    )
    within = weights.assign(weight=[0.75, 0.75, 0.25, 0.25, 0.2, 0.2, 0.8, 0.8, 1.0, 1.0])
    for table in (weights, within):
        own = csi.programme(ecsi, survey, LEVELS, "wave", table)
        assert "weights-not-to-one" not in _told(own)


def test_one_cluster_has_no_error_anywhere(ecsi, data):
    found = csi.programme(ecsi, _survey(ecsi, data, cluster="person"), "firm", "wave")
    for table in (found.scores, found.changes, found.local_level, found.trend):
        assert table["se"].isna().all()
        assert (table["reason"] != "").all()
    assert found.scores["estimate"].notna().all()
    assert found.rank().headline == (
        "No unit has an index of Satisfaction with an error, so none is first."
    )
    moved = found.impacts({"Quality": 5}).scores
    assert moved.loc[moved["estimate"] != 5, "se"].dropna().eq(0).all()


def test_one_respondent_has_no_index_of_its_own_weights(ecsi, data):
    more = pd.concat([data, data.head(1).assign(firm="z", wave=2)], ignore_index=True)
    found = csi.programme(ecsi, _survey(ecsi, more), LEVELS, "wave")
    assert "z" not in found.scores.index.get_level_values("unit")
    assert _told(found)["groups-without-solution"].startswith("1 of 7 groups has no solution")


@pytest.mark.parametrize("cost", [0, -1, np.nan, np.inf, True, "a"])
def test_a_cost_is_above_zero(ecsi, mobi, cost):
    fit = csi.fit(ecsi, mobi)
    with pytest.raises(CsimodelError) as refused:
        csi.goal_seek(fit, "Satisfaction", 80, cost={"Quality": cost})
    shown = "'a'" if cost == "a" else str(cost)
    assert str(refused.value) == f"cost['Quality']={shown} must be a number above 0."


def test_one_cluster_moves_nothing_for_sure(ecsi, data):
    fit = csi.fit(ecsi, _survey(ecsi, data, cluster="person"))
    row = csi.what_if(fit, {"Quality": 5}).table.loc["Satisfaction"]
    assert row[["se", "lower", "upper", "p"]].isna().all()
    assert row["reason"] == "no degrees of freedom: not more sampled units than strata"
    goal = csi.goal_seek(fit, "Satisfaction", 80)
    assert goal.reached
    assert np.isnan(goal.share)
    assert goal.table[["lower", "upper"]].isna().all(axis=None)


def test_units_that_weights_write_in_another_way_are_named(ecsi, mobi):
    frame = mobi.data.assign(firm=np.arange(250) % 2 + 100, wave=1)
    survey = csi.read_survey(frame, scale=dict.fromkeys(ecsi.items, (1, 10)))
    weights = pd.DataFrame({"level": "firm", "unit": ["100", "101"], "weight": [1.0, 2.0]})
    with pytest.raises(CsimodelError) as caught:
        csi.programme(ecsi, survey, "firm", "wave", weights)
    assert str(caught.value) == (
        "weights= has unit '100' of level firm where the survey has 100; write them in the same "
        "way."
    )
    alike = weights.assign(unit=[100.0, 101.0])
    assert csi.programme(ecsi, survey, "firm", "wave", alike).scores["se"].notna().all()
