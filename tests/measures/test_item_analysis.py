"""Item analysis against R's psych, by hand, and laws; the shorter scale; refusals."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.findings import collected

R = json.loads((Path(__file__).parents[1] / "reference" / "mobi_items.json").read_text())
MOBI = csi.load_mobi()
ANALYSIS = csi.analyze_items(MOBI, csi.models.ecsi())


@pytest.mark.parametrize("construct", list(R["alpha"]))
def test_item_totals_and_alphas_are_those_of_psych(construct):
    theirs = R["alpha"][construct]
    ours = ANALYSIS.items.loc[construct].loc[theirs["items"]]
    assert ANALYSIS.scales.loc[construct, "alpha"] == pytest.approx(theirs["raw_alpha"], abs=1e-12)
    standardised = ANALYSIS.scales.loc[construct, "alpha_standardized"]
    assert standardised == pytest.approx(theirs["std_alpha"], abs=1e-12)
    assert ours["item_total"].to_numpy() == pytest.approx(theirs["r_drop"], abs=1e-12)
    if len(theirs["items"]) > 2:
        drop = ours["alpha_if_deleted"].to_numpy()
        assert drop == pytest.approx(theirs["alpha_drop"], abs=1e-12)
    else:  # of a single item that is left there is no alpha; psych gives something else
        assert ours["alpha_if_deleted"].isna().all()


@pytest.mark.parametrize("construct", list(R["omega"]))
def test_omega_is_that_of_one_minres_factor_in_psych(construct):
    """Of Loyalty one item has no unique variance, of which psych keeps .004."""
    tolerance = 1e-3 if construct == "Loyalty" else 1e-5
    omega = ANALYSIS.scales.loc[construct, "omega"]
    assert omega == pytest.approx(R["omega"][construct], abs=tolerance)


def test_difficulty_and_discrimination_by_hand():
    frame = pd.DataFrame({"a": [1, 1, 2, 4, 5, 5, 3, 2, 4, 3], "b": [1, 2, 2, 4, 5, 4, 3, 3, 5, 3]})
    survey = csi.read_survey(frame, scale=(1, 5))
    items = csi.analyze_items(survey, {"Q": ["a", "b"]}).items.loc["Q"]
    total = frame.sum(axis=1)
    top = frame[total >= np.quantile(total, 0.73)].mean()
    bottom = frame[total <= np.quantile(total, 0.27)].mean()
    assert items["discrimination"].to_numpy() == pytest.approx(((top - bottom) / 4).to_numpy())
    assert items["difficulty"].to_numpy() == pytest.approx(((frame.mean() - 1) / 4).to_numpy())
    assert items["full_marks"].to_numpy() == pytest.approx((frame == 5).mean().to_numpy())
    assert items["closest"].tolist() == ["b", "a"]
    assert items["smc"].to_numpy() == pytest.approx([frame.corr().iloc[0, 1] ** 2] * 2)


def test_shorter_scales_by_hand():
    row = ANALYSIS.shorter.loc[("Loyalty", 2)]
    assert row["kept"] == "CUSL1 CUSL3"
    points = (MOBI.data[["CUSL1", "CUSL2", "CUSL3"]] - 1) / 9 * 100
    short, every = points[["CUSL1", "CUSL3"]].mean(axis=1), points.mean(axis=1)
    assert row["index"] == pytest.approx(short.mean())
    assert row["index_se"] == pytest.approx(short.std() / np.sqrt(250))
    assert row["difference"] == pytest.approx((short - every).mean())
    assert row["se"] == pytest.approx((short - every).std() / np.sqrt(250))
    assert row["correlation"] == pytest.approx(np.corrcoef(short, every)[0, 1])
    assert row["se_ratio"] == pytest.approx(short.std() / every.std())
    assert ANALYSIS.suggested["Loyalty"] == ("CUSL1", "CUSL3")
    assert ANALYSIS.shorter.groupby("construct")["suggested"].sum().max() == 1


def test_halves_choose_and_try():
    table = ANALYSIS.confirm(rng=1)
    pd.testing.assert_frame_equal(table, ANALYSIS.confirm(rng=1))
    assert (table["alpha_second"].dropna() < 1).all()
    assert table.loc["Quality", "alpha_whole"] == pytest.approx(0.87, abs=0.04)
    assert table["correlation"].between(0.5, 1.0000001).all()


def test_the_second_half_tells_what_the_shorter_scale_does_to_the_index():
    """The paired difference of two means by hand, on 0 to 100."""
    row = ANALYSIS.confirm(rng=1).loc["Quality"]
    order = np.random.default_rng(1).permutation(250)[125:]
    points = (MOBI.data.iloc[np.sort(order)] - 1) / 9 * 100
    whole = points[[f"PERQ{k}" for k in range(1, 8)]].mean(axis=1)
    gap = points[row["kept"].split()].mean(axis=1) - whole
    assert row["index_whole"] == pytest.approx(whole.mean())
    assert row["difference"] == pytest.approx(gap.mean())
    assert row["index"] == pytest.approx(whole.mean() + gap.mean())
    assert row["se"] == pytest.approx(gap.std(ddof=1) / np.sqrt(125))
    assert row["df"] == 124


def test_scales_are_confirmed_as_factors_in_the_second_half(reference):
    analysis = csi.analyze_items(MOBI, {"Q": [f"PERQ{k}" for k in range(1, 8)],
                                        "S": ["CUSA1", "CUSA2", "CUSA3"]})  # fmt: skip
    table = analysis.confirm_factors(rng=1)
    theirs = reference("mobi_confirmation.json")
    assert list(table.index) == ["all items", "shorter"]
    kept = " ".join(analysis.confirm(rng=1)["kept"])
    assert kept == theirs["kept"]
    for row in table.index:
        for name, value in theirs[row].items():
            assert table.loc[row, name] == pytest.approx(value, abs=1e-6), (row, name)
    assert (table["n"] == 125).all()
    one = csi.analyze_items(MOBI, {"L": ["CUSL1", "CUSL3"]}).confirm_factors(rng=1)
    assert one["chisq"].isna().all()
    assert (one["reason"] != "").all()


def test_intervals_come_from_draws():
    analysis = csi.analyze_items(MOBI, {"Q": ["PERQ1", "PERQ2", "PERQ3"]}, draws=300, rng=2)
    for name in ("item_total", "alpha_if_deleted"):
        table = analysis.table(name)
        assert ((table["lower"] < table["estimate"]) & (table["estimate"] < table["upper"])).all()
        assert ANALYSIS.table(name)["reason"].str.startswith("no draws").any()
    r = analysis.table("item_total").loc[("Q", "PERQ1")]
    assert r["se"] == pytest.approx((1 - r["estimate"] ** 2) / np.sqrt(250), rel=0.4)


def test_weak_and_redundant_items_are_named():
    frame = MOBI.data[["PERQ1", "PERQ3", "CUSL2"]].copy()
    frame["copy"] = frame["PERQ1"] + 0.001 * np.arange(250)
    analysis = csi.analyze_items(frame, {"Q": ["PERQ1", "PERQ3", "CUSL2", "copy"]})
    found = {finding.code: finding for finding in analysis.findings}
    assert found["weak-items"].subjects == ("CUSL2",)
    assert found["redundant-items"].subjects == ("PERQ1 and copy",)
    assert found["no-scale-of-items"].count == 4
    assert analysis.items["difficulty"].isna().all()


def test_a_weight_of_two_is_a_row_twice():
    frame = MOBI.data.head(60)
    weighted = csi.read_survey(frame.assign(w=np.where(np.arange(60) < 20, 2.0, 1.0)), weights="w")
    twice = pd.concat([frame.head(20), frame])
    block = {"Q": ["PERQ1", "PERQ2", "PERQ3", "PERQ4"]}
    ours, rows = csi.analyze_items(weighted, block), csi.analyze_items(twice, block)
    for column in ("item_total", "alpha_if_deleted", "omega_if_deleted"):
        assert ours.items[column].to_numpy() == pytest.approx(rows.items[column].to_numpy())


@pytest.mark.parametrize(
    ("survey", "model", "options", "message"),
    [
        (MOBI.data, None, {}, "No construct has two items"),
        (MOBI, {"Q": ["PERQ1"]}, {}, "No construct has two items"),
        (MOBI, {"Q": 3}, {}, "must hold a list of items"),
        (MOBI, "Q", {}, "must be a csi.Model"),
        (MOBI, {"Q": ["PERQ1", "PERQ9"]}, {}, "'PERQ9'"),
        (MOBI, csi.models.ecsi(), {"reliability": 1.5}, "reliability=1.5 must lie between 0 and 1"),
        (MOBI, csi.models.ecsi(), {"draws": -1}, "draws=-1"),
        (3, None, {}, "survey=3 must be a Survey"),
        (MOBI.data.assign(PERQ1="x"), {"Q": ["PERQ1", "PERQ2"]}, {}, "'PERQ1'"),
    ],
)
def test_what_cannot_be_analysed_is_refused(survey, model, options, message):
    with collected(), pytest.raises(csi.CsimodelError, match=message):
        csi.analyze_items(survey, model, **options)


def test_tables_and_page():
    assert "Shorter scales" in str(ANALYSIS.summary())
    for name in ("items", "scales", "shorter"):
        assert len(ANALYSIS.table(name))
    with pytest.raises(csi.errors.OptionError, match="name='item'"):
        ANALYSIS.table("item")
    two = csi.analyze_items(MOBI, {"V": ["PERV1", "PERV2"]})
    assert len(two.shorter) == 0
    assert two.suggested == {"V": ("PERV1", "PERV2")}
    assert np.isnan(two.scales.loc["V", "omega"])


def test_items_that_make_up_one_another_have_no_squared_multiple_correlation():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        rng.normal(size=(100, 4)) + rng.normal(size=(100, 1)), columns=list("abcd")
    )
    frame["sum"] = frame["a"] + frame["b"]
    analysis = csi.analyze_items(frame, {"Q": list(frame)})
    smc = analysis.items["smc"].droplevel(0)
    assert smc.isna().tolist() == [True, True, False, False, True]
    others = np.column_stack([np.ones(100), frame[["a", "b", "d"]]])
    left = frame["c"] - others @ np.linalg.lstsq(others, frame["c"], rcond=None)[0]
    assert_allclose(smc["c"], 1 - left.var() / frame["c"].var(), rtol=1e-8)
    own = next(finding for finding in analysis.findings if finding.code == "dependent-items")
    assert own.subjects == ("a", "b", "sum")
