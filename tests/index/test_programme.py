"""The index programme: roll-up, changes, ranks, trends and contributions, by hand and from fits."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose
from statsmodels.stats.multitest import multipletests

import csimodel as csi
from csimodel.errors import ModelError, OptionError, SurveyError
from csimodel.index import leading_group
from csimodel.index.programme.times import Times
from csimodel.significance import adjusted_pvalues

LEVELS = ["industry", "firm"]


def _survey(model, data, **design):
    return csi.read_survey(data, scale=dict.fromkeys(model.items, (1, 10)), **design)


@pytest.fixture(scope="module")
def data(mobi):
    place = np.arange(250)
    firm = np.array(["a", "b", "c"])[place % 3]
    return mobi.data.assign(
        firm=firm,
        industry=np.where(firm == "c", "y", "x"),
        wave=place // 3 % 2 + 1,
        w=1.0 + place % 2,
        person=place % 3 * 50 + place // 6,
    )


@pytest.fixture(scope="module")
def weights():
    rows = [
        ("industry", "x", 3.0, 2.0), ("industry", "y", 1.0, 2.0),
        ("firm", "a", 1.0, 3.0), ("firm", "b", 4.0, 2.0), ("firm", "c", 9.0, 9.0),
    ]  # fmt: skip
    return pd.DataFrame(
        [
            (level, unit, wave, own)
            for level, unit, *both in rows
            for wave, own in enumerate(both, 1)
        ],
        columns=["level", "unit", "period", "weight"],
    )


def test_roll_up_by_hand(ecsi, data, weights):
    survey = _survey(ecsi, data)
    found = csi.programme(ecsi, survey, LEVELS, "wave", weights)
    firms = csi.index_scores(csi.fit_groups(ecsi, survey, [*LEVELS, "wave"]))
    own = firms.xs("Satisfaction", level="construct")
    score = found.scores.xs("Satisfaction", level="construct")
    shares = {1: {"a": 0.75 / 5, "b": 0.75 * 4 / 5, "c": 0.25}, 2: {"a": 0.3, "b": 0.2, "c": 0.5}}
    industry = {"a": "x", "b": "x", "c": "y"}
    for wave, share in shares.items():
        cells = {firm: own.loc[(industry[firm], firm, wave)] for firm in share}
        for firm, cell in cells.items():
            row = score.loc[("firm", firm, wave)]
            assert_allclose(row["estimate"], cell["mean"], rtol=1e-12)
            assert_allclose(row[["se", "lower", "upper"]].tolist(), cell[["se", "lower", "upper"]].tolist(), rtol=1e-9)  # fmt: skip
            assert (row["n"], row["df"]) == (cell["n"], cell["df"])
        whole = score.loc[("all", "all", wave)]
        assert_allclose(whole["estimate"], sum(share[f] * cells[f]["mean"] for f in share))
        variances = [(share[f] * cells[f]["se"]) ** 2 for f in share]
        assert_allclose(whole["se"], np.sqrt(sum(variances)))
        degrees = sum(variances) ** 2 / sum(
            v**2 / cells[f]["df"] for f, v in zip(share, variances, strict=True)
        )
        assert_allclose(whole["df"], degrees)
        assert whole["n"] == sum(cells[f]["n"] for f in share)
        effective = 1 / sum(share[f] ** 2 / cells[f]["n"] for f in share)
        assert_allclose(whole["effective_n"], effective)
        x = score.loc[("industry", "x", wave), "estimate"]
        within = {f: share[f] / (share["a"] + share["b"]) for f in "ab"}
        assert_allclose(x, sum(within[f] * cells[f]["mean"] for f in within))


def test_changes_are_differences_with_both_errors(ecsi, data, weights):
    found = csi.programme(ecsi, _survey(ecsi, data), LEVELS, "wave", weights, adjust="bh")
    score = found.scores.xs("Satisfaction", level="construct")
    change = found.changes.xs("Satisfaction", level="construct")
    for level, unit in [("all", "all"), ("industry", "x"), ("firm", "c")]:
        one, two = (score.loc[(level, unit, wave)] for wave in (1, 2))
        row = change.loc[(level, unit, 2, 1)]
        assert_allclose(row["estimate"], two["estimate"] - one["estimate"])
        assert_allclose(row["se"], np.hypot(one["se"], two["se"]))
    firms = change.loc["firm"]
    adjusted = multipletests(firms["p"], method="fdr_bh")[1]
    assert_allclose(firms["p_adjusted"], adjusted)


def test_periods_that_share_persons_covary(ecsi, data):
    survey = _survey(ecsi, data.assign(industry="x"), cluster="person")
    found = csi.programme(ecsi, survey, ["firm"], "wave")
    for firm in "abc":
        part = _survey(ecsi, data[data["firm"] == firm].drop(columns="firm"), cluster="person")
        waves = csi.linearize(csi.fit_groups(ecsi, part, "wave"))
        theirs = waves.difference(("index", 2), ("index", 1))
        ours = found.changes.loc[("firm", firm, 2, 1)]
        assert_allclose(ours[["estimate", "se"]], theirs[["estimate", "se"]], rtol=1e-6)
        assert ours["df"].max() <= theirs["df"].iloc[0]
    alone = csi.programme(ecsi, _survey(ecsi, data), ["firm"], "wave")
    assert not np.allclose(alone.changes["se"], found.changes["se"], rtol=1e-3)


def test_pooled_weights_are_those_of_groups_of_one_fit(ecsi, data):
    designed = data.assign(cell=data["firm"] + data["wave"].astype(str))
    survey = _survey(ecsi, designed, weights="w", strata="cell")
    found = csi.programme(ecsi, survey, "firm", "wave", item_weights="pooled")
    theirs = csi.index_scores(csi.fit(ecsi, survey), ["firm", "wave"])
    ours = found.scores.loc["firm"]
    assert_allclose(ours["estimate"], theirs["mean"], rtol=1e-10)
    assert_allclose(ours["se"], theirs["se"], rtol=1e-7)
    effective = data.groupby(["firm", "wave"])["w"].agg(lambda w: w.sum() ** 2 / (w**2).sum())
    own = ours["effective_n"].xs("Value", level="construct")
    assert_allclose(own, effective)
    lin = csi.linearize(csi.fit(ecsi, survey)).difference(
        ("index", ("a", 2)), ("index", ("a", 1)), by=["firm", "wave"]
    )
    change = found.changes.loc[("firm", "a", 2, 1)]
    assert_allclose(change[["estimate", "se"]], lin[["estimate", "se"]], rtol=1e-7)


def test_base_weights_are_those_of_the_first_period(ecsi, data):
    survey = _survey(ecsi, data, weights="w")
    found = csi.programme(ecsi, survey, "firm", "wave", item_weights="base")
    own = csi.programme(ecsi, survey, "firm", "wave")
    first = ("firm", "b", 1)
    assert_allclose(
        found.scores.loc[first, ["estimate", "se"]], own.scores.loc[first, ["estimate", "se"]],
        rtol=1e-6,
    )  # fmt: skip
    assert not np.allclose(found.scores["estimate"], own.scores["estimate"], rtol=1e-5)
    row = int(np.flatnonzero((data["firm"] == "b") & (data["wave"] == 1))[3])

    def refit(step):
        moved = data.assign(w=data["w"] + step * (np.arange(250) == row))
        sharp = csi.PLS(tolerance=1e-13)
        refits = csi.programme(
            ecsi, _survey(ecsi, moved, weights="w"), "firm", "wave", item_weights="base",
            estimator=sharp,
        )  # fmt: skip
        return refits.cells.estimate

    slope = (refit(1e-4) - refit(-1e-4)) / 2e-4 * data["w"].iloc[row]
    added = np.stack([part[[row]].toarray()[0] for part in found.cells.added], axis=1)
    assert_allclose(added, slope, atol=1e-6)
    assert np.count_nonzero(np.abs(added).max(axis=1)) == 2


def test_contributions_add_up_when_units_come_and_go(ecsi, data, weights):
    gone = data[~((data["firm"] == "b") & (data["wave"] == 2))]
    again = gone.assign(wave=3 - gone["wave"])
    swapped = weights.assign(period=3 - weights["period"])
    for part, table in ((gone, weights), (again, swapped)):
        found = csi.programme(ecsi, _survey(ecsi, part), LEVELS, "wave", table)
        change = found.changes.loc[("all", "all", 2, 1), "estimate"]
        for level in LEVELS:
            total = found.contributions.loc[level].groupby(level="construct", sort=False)["total"]
            assert_allclose(total.sum(), change, atol=1e-10)
        lost = found.contributions.loc[("firm", "b", 2)]
        assert (lost["scores"] == 0).all()
        assert (lost["weights"] != 0).any()
        (told,) = [own for own in found.findings if own.code == "units-not-in-all-periods"]
        assert told.values == {"count": 1, "level": "firm", "units": ("b (1)",)}


def test_contributions_by_hand():
    drawn = csi.simulate.programme(4, 2, 40, rng=2, industries=2, sectors=1)
    found = csi.programme(
        drawn.model, drawn.survey, ["sector", "industry", "firm"], "period", drawn.weights
    )
    score = found.scores["estimate"].xs("Value", level="construct").loc["industry"].unstack()
    weight = drawn.weights[drawn.weights["level"] == "industry"].pivot(
        index="unit", columns="period", values="weight"
    )
    share = weight / weight.sum()
    whole = (share * score).sum()
    part = found.contributions.xs("Value", level="construct").loc["industry"].droplevel("period")
    assert_allclose(part["scores"], (share[1] + share[2]) / 2 * (score[2] - score[1]))
    middle = (score[1] + score[2]) / 2 - whole.mean()
    assert_allclose(part["weights"], (share[2] - share[1]) * middle)


def test_a_score_is_carried_until_the_unit_is_measured_again(ecsi, data):
    frame = pd.concat([data, data.assign(wave=data["wave"] + 2)])
    frame = frame[(frame["firm"] != "a") | (frame["wave"] == 1)].reset_index(drop=True)
    survey = _survey(ecsi, frame)
    plain = csi.programme(ecsi, survey, "firm", "wave").scores["estimate"]
    assert plain.loc[("firm", "a")].index.get_level_values(0).unique().tolist() == [1]
    found = csi.programme(ecsi, survey, "firm", "wave", rolling=3)
    carried = found.scores["estimate"].loc[("firm", "a")].unstack("construct")
    assert carried.index.tolist() == [1, 2, 3]
    assert_allclose(carried.loc[3], carried.loc[1])
    still = found.changes.loc[("firm", "a", 2, 1)]
    assert (still["estimate"] == 0).all()
    assert still["se"].isna().all()
    assert set(still["reason"]) == {"the same score, carried on"}


def test_scores_are_carried_by_the_distances_of_uneven_periods(ecsi, data):
    frame = pd.concat([data, data.assign(wave=5)])
    frame = frame[(frame["firm"] != "a") | (frame["wave"] < 3)].reset_index(drop=True)
    survey = _survey(ecsi, frame)
    for rolling, periods in ((3, [1, 2]), (4, [1, 2, 5])):
        scores = csi.programme(ecsi, survey, "firm", "wave", rolling=rolling).scores
        own = scores.loc[("firm", "a")].index.get_level_values("period").unique()
        assert own.tolist() == periods


def test_ranks_by_hand(ecsi, data):
    high = data.copy()
    items = list(ecsi.items)
    high.loc[high["firm"] == "c", items] = np.minimum(high[items] + 2, 10)[high["firm"] == "c"]
    found = csi.programme(ecsi, _survey(ecsi, high), LEVELS, "wave")
    ranking = found.rank(within="all", top=2)
    table = ranking.table.droplevel(0)
    assert table["rank"].to_dict() == {"c": 1.0, "a": 2.0, "b": 3.0} or table.index[0] == "c"
    assert (table.loc["c", ["rank_lower", "rank_upper", "tie"]] == 1).all()
    assert ranking.headline == "c is first in Satisfaction."
    assert table.loc[["a", "b"], "rank_lower"].tolist() == [2, 2]
    assert table.loc[["a", "b"], "rank_upper"].tolist() == [3, 3]
    assert table.loc["a", "tie"] == table.loc["b", "tie"] == 2
    assert_allclose(table["first"].sum(), 1)
    assert_allclose(table["top"].sum(), 2)
    score = found.scores["estimate"].xs("Satisfaction", level="construct").xs(2, level="period")
    assert_allclose(table.loc["a", "gap"], score["firm", "a"] - score["all", "all"])
    assert_allclose(table.loc["c", "behind"], score["firm", "c"] - max(score["firm", "a"], score["firm", "b"]))  # fmt: skip
    se = found.scores["se"].xs("Satisfaction", level="construct").xs(2, level="period")
    share = {"a": 0.25, "b": 0.25, "c": 0.5}
    gap = sum(((unit == "a") - part) ** 2 * se["firm", unit] ** 2 for unit, part in share.items())
    assert_allclose(table.loc["a", "gap_se"], np.sqrt(gap))
    default = found.ranking
    assert default.index.tolist()[-1] == ("y", "c")
    assert default.loc[("y", "c"), "rank"] == 1
    none = csi.programme(ecsi, _survey(ecsi, high), LEVELS, "wave", others="c").rank(within="all")
    assert "c" not in none.table.index.get_level_values("firm")
    assert none.headline.endswith("and is not shown to be first.")


def test_a_trend_is_the_line_of_least_squares():
    drawn = csi.simulate.programme(3, 4, 40, rng=5, industries=1, sectors=1)
    found = csi.programme(drawn.model, drawn.survey, "firm", "period")
    own = found.scores.xs("Satisfaction", level="construct").loc[("firm", "Firm 002")]
    time = np.array([1, 2, 3, 4.0])
    row = found.trend.loc[("firm", "Firm 002", "Satisfaction")]
    assert_allclose(row["estimate"], np.polyfit(time, own["estimate"], 1)[0])
    counts = (time - 2.5) / 5
    assert_allclose(row["se"], np.sqrt((counts**2 * own["se"] ** 2).sum()))
    assert row["periods"] == 4


def test_one_period_and_suppressed_units(ecsi, data):
    one = data[data["wave"] == 1].assign(firm=np.where(np.arange(126) < 5, "d", data["firm"][data["wave"] == 1]))  # fmt: skip
    found = csi.programme(ecsi, _survey(ecsi, one), "firm", "wave", minimum_n=10)
    assert len(found.changes) == len(found.trend) == len(found.contributions) == 0
    assert "d" not in found.scores.index.get_level_values("unit")
    assert {own.code for own in found.findings} == {
        "groups-suppressed", "equal-level-weights", "units-not-in-all-periods",
    }  # fmt: skip
    assert "The whole" in str(found.summary())
    assert repr(found) == "<Programme: 4 of level firm, 1 period, 7 constructs>"
    assert found.page.title == "Index programme: 4 of level firm, 1 period"
    with pytest.raises(SurveyError, match="No unit has an index in any period"):
        csi.programme(ecsi, _survey(ecsi, one), "firm", "wave", minimum_n=1000)


def test_a_unit_of_one_cluster_has_no_error_nor_what_contains_it(ecsi, data):
    lonely = data.assign(person=np.where(data["firm"] == "c", 1000, data["person"]))
    found = csi.programme(ecsi, _survey(ecsi, lonely, cluster="person"), LEVELS, "wave")
    score = found.scores.xs("Satisfaction", level="construct")
    assert score.loc[("firm", "a", 1), "se"] > 0
    alone, whole = score.loc[("firm", "c", 1)], score.loc[("all", "all", 1)]
    assert np.isnan(alone["se"])
    assert alone["reason"].startswith("no degrees of freedom")
    assert np.isnan(whole["se"])
    assert whole["reason"] == "a part of it has no error"
    assert found.rank(within="industry").table.loc[("y", "c"), ["rank_lower", "first"]].isna().all()
    assert found.rank(within="industry").headline.startswith(("a has", "b has"))


def test_weights_that_cannot_be_are_refused(ecsi, data, weights):
    survey = _survey(ecsi, data)

    def refusal(table, levels=LEVELS, **options):
        with pytest.raises((OptionError, SurveyError, ModelError)) as caught:
            csi.programme(ecsi, survey, levels, "wave", table, **options)
        return str(caught.value)

    way = (
        "give one row for each level, unit and period, with columns level, unit, period and weight"
    )
    lacking = weights[~((weights["unit"] == "b") & (weights["period"] == 2))]
    assert refusal(lacking) == (
        f"weights= has no weight of level firm for b (2); {way}, or leave these answers out."
    )
    zero = weights.assign(weight=weights["weight"] * (weights["unit"] != "c"))
    assert refusal(zero) == "All weights of level firm in y are 0 in 1; give one above 0."
    below = weights.assign(weight=-1.0)
    assert refusal(below).startswith("The weight of x (level industry) is -1.0; weights are")
    assert refusal(weights.assign(weight="a lot")).startswith("The weight of x (level industry)")
    assert refusal(weights.assign(weight=True)).startswith("The weight of x (level industry) is")
    assert "has two rows of firm / a / 1" in refusal(pd.concat([weights, weights[4:5]]))
    assert refusal(weights.replace("firm", "frm")) == (
        "weights= has level 'frm', which is not among the levels industry and firm (did you mean "
        "'firm'?)."
    )
    assert refusal(weights.drop(columns="unit")).startswith("weights= needs the column 'unit' once")
    assert "has None in column 'unit'" in refusal(weights.replace({"unit": {"a": None}}).astype({"unit": object}))  # fmt: skip
    assert refusal(3).startswith("weights=3 must be a DataFrame; give one row for each level")
    assert refusal(None, ["industry", "frim"]).startswith("Group column 'frim' is not in the data")
    assert refusal(None, ["wave"]).startswith("period='wave' is among the levels, too")
    assert refusal(None, construct="Satisfction").endswith("(did you mean 'Satisfaction'?).")
    assert refusal(None, adjust="bonferroni").startswith("adjust='bonferroni'")
    assert refusal(None, rolling=0).startswith("rolling=0 must be a whole number of at least 1")
    found = csi.programme(ecsi, survey, LEVELS, "wave", weights)
    with pytest.raises(OptionError, match="period=7 is not among the periods, 1 to 2"):
        found.rank(period=7)


def test_units_with_a_weight_and_no_score_are_told(ecsi, data, weights):
    more = [("firm", "d", 1, 5.0), ("firm", "d", 2, 5.0), ("industry", "z", 1, 1.0)]
    table = pd.concat([weights, pd.DataFrame(more, columns=weights.columns)])
    found = csi.programme(ecsi, _survey(ecsi, data), LEVELS, "wave", table)
    (told,) = [own for own in found.findings if own.code == "weights-without-scores"]
    assert told.values == {"count": 2, "units": ("d (firm)", "z (industry)")}
    plain = csi.programme(ecsi, _survey(ecsi, data), LEVELS, "wave", weights)
    assert_allclose(found.scores["estimate"], plain.scores["estimate"])
    assert "weights-without-scores" not in {own.code for own in plain.findings}


def test_units_of_one_name_are_told_apart_by_the_levels_above(ecsi, data):
    frame = data.assign(firm=data["firm"].replace("c", "a"))
    table = pd.DataFrame(
        [("firm", "a", "x", 1.0), ("firm", "b", "x", 3.0), ("firm", "a", "y", 2.0),
         ("industry", "x", None, 1.0), ("industry", "y", None, 1.0)],
        columns=["level", "unit", "industry", "weight"],
    )  # fmt: skip
    found = csi.programme(ecsi, _survey(ecsi, frame), LEVELS, "wave", table)
    units = found.scores.loc["firm"].index.get_level_values("unit").unique()
    assert units.tolist() == ["x / a", "b", "y / a"]
    share = found.hierarchy.whole_share[found.hierarchy.place[("x", "b")]]
    assert_allclose(share, 0.375)


@pytest.mark.parametrize(("method", "theirs"), [("holm", "holm"), ("bh", "fdr_bh")])
def test_adjusted_pvalues_as_statsmodels(method, theirs):
    p = np.random.default_rng(2).uniform(0, 0.2, 30)
    p[7] = p[3]
    assert_allclose(adjusted_pvalues(p, method), multipletests(p, method=theirs)[1])
    assert np.isnan(adjusted_pvalues([np.nan], method)).all()


def test_the_truth_of_a_simulated_programme_is_what_large_samples_have():
    drawn = csi.simulate.programme(2, 2, 20_000, rng=3, industries=1, sectors=1)
    again = csi.simulate.programme(2, 2, 20_000, rng=3, industries=1, sectors=1)
    pd.testing.assert_frame_equal(drawn.survey.data, again.survey.data)
    levels = ["sector", "industry", "firm"]
    found = csi.programme(drawn.model, drawn.survey, levels, "period", drawn.weights)
    score = found.scores
    z = (score["estimate"] - drawn.truth.loc[score.index]) / score["se"]
    assert z.abs().max() < 4
    assert (score["se"] < 0.2).all()
    with pytest.raises(OptionError, match="There are 2 firms, 6 industries and 2 sectors"):
        csi.simulate.programme(2)


@pytest.mark.slow
def test_intervals_of_levels_and_changes_cover():
    inside = {"scores": [], "changes": []}
    for seed in range(24):
        drawn = csi.simulate.programme(6, 3, 60, rng=seed, industries=2, sectors=1)
        found = csi.programme(
            drawn.model, drawn.survey, ["sector", "industry", "firm"], "period", drawn.weights
        )
        score = found.scores
        truth = drawn.truth.loc[score.index]
        inside["scores"].append(((score["lower"] <= truth) & (truth <= score["upper"])).mean())
        change = found.changes
        frame = change.index.to_frame(index=False)
        now, before = (
            drawn.truth.loc[pd.MultiIndex.from_frame(frame[["level", "unit", when, "construct"]])]
            for when in ("period", "since")
        )
        moved = now.to_numpy() - before.to_numpy()
        inside["changes"].append(((change["lower"] <= moved) & (moved <= change["upper"])).mean())
    assert 0.92 < np.mean(inside["scores"]) < 0.98
    assert 0.92 < np.mean(inside["changes"]) < 0.98


def test_a_gap_to_a_parent_with_a_part_without_an_error_has_none(ecsi, data):
    lonely = pd.concat([data, data.head(1).assign(firm="z", wave=2)], ignore_index=True)
    found = csi.programme(ecsi, _survey(ecsi, lonely), LEVELS, "wave", item_weights="pooled")
    table = found.rank().table
    assert np.isnan(found.scores.loc[("industry", "x", 2, "Satisfaction"), "se"])
    assert table.loc["x", "gap"].notna().all()
    assert table.loc["x", "gap_se"].isna().all()
    assert table.loc[("y", "c"), "gap_se"] == 0
    assert found.rank(within="all").table["gap_se"].isna().all()


def test_the_headline_of_a_ranking_names_the_first_of_one_group(ecsi, data):
    survey = _survey(ecsi, data)
    assert csi.programme(ecsi, survey, LEVELS, "wave").rank().headline == (
        "Units are ranked by Satisfaction within each industry, not across them."
    )
    single = csi.programme(ecsi, survey, LEVELS, "wave", others=["a", "b"]).rank()
    assert single.headline == "c is first in Satisfaction within y."
    none = csi.programme(ecsi, survey, LEVELS, "wave", others=list("abc"))
    assert none.rank().headline.startswith("No unit has an index of Satisfaction with an error")
    assert not len(none.ranking)
    assert str(none.rank().page)
    assert str(none.page)


def test_a_first_unit_without_an_error_leads_no_headline(ecsi, data):
    best = data.head(1).assign(firm="z", wave=2, **dict.fromkeys(ecsi.items, 10))
    survey = _survey(ecsi, pd.concat([data, best], ignore_index=True))
    found = csi.programme(ecsi, survey, "firm", "wave", item_weights="pooled").rank()
    assert np.isnan(found.table.loc[("all", "z"), "se"])
    leading = found.table.loc["all"].drop("z")["estimate"].idxmax()
    assert found.headline == (
        f"{leading} has the highest index of Satisfaction of the units with an error; "
        "higher ones that have none: 1."
    )


def test_a_unit_whose_answers_are_all_alike_has_no_error(ecsi, data):
    alike = data.copy()
    alike.loc[alike["firm"] == "c", ["CUSA1", "CUSA2", "CUSA3"]] = 10
    survey = _survey(ecsi, alike)
    found = csi.programme(ecsi, survey, "firm", "wave", item_weights="pooled")
    unit = found.scores.loc[("firm", "c", 2, "Satisfaction")]
    assert unit["estimate"] == pytest.approx(100)
    assert np.isnan(unit["se"])
    assert unit["reason"] == "nothing varies, which says nothing of the error"
    assert np.isnan(found.rank().table.loc[("all", "c"), "first"])
    fit = csi.fit(ecsi, survey)
    row = csi.index_scores(fit, by="firm").loc[("c", "Satisfaction")]
    assert np.isnan(row["se"])


@pytest.mark.parametrize("design", [{}, {"weights": "w"}, {"cluster": "person"}])
def test_a_group_of_a_scan_whose_answers_are_all_alike_has_no_error(ecsi, data, design):
    alike = data.assign(
        w=np.random.default_rng(1).uniform(0.5, 2.0, 250), person=np.arange(250) // 6
    )
    alike.loc[alike["firm"] != "a", ["CUSA1", "CUSA2", "CUSA3"]] = 10
    bounds = dict.fromkeys(ecsi.items, (1, 10))
    scan = csi.scan(pa.Table.from_pandas(alike), scale=bounds, **design)
    table = csi.index_scores(csi.fit(ecsi, scan), by="firm").xs("Satisfaction", level="construct")
    assert np.isnan(table.loc["c", "se"])
    assert table.loc["c", "reason"] == "nothing varies, which says nothing of the error"
    assert table.loc["a", "se"] > 0
    survey = csi.read_survey(alike, scale=bounds, **design)
    leader = leading_group(csi.fit(ecsi, survey), "firm")
    assert leader.table[["se", "p", "p_adjusted"]].isna().all(axis=None)
    assert set(leader.table["reason"]) == {"nothing varies, which says nothing of the error"}
    assert leader.headline == (
        f"Whether {leader.group} differs from all others in Satisfaction is not known."
    )


def test_base_weights_with_missing_answers(ecsi, data):
    gaps = data.copy()
    gaps["CUSA1"] = gaps["CUSA1"].where(np.arange(250) % 17 > 0)
    survey = _survey(ecsi, gaps, missing="pairwise")
    found = csi.programme(ecsi, survey, "firm", "wave", item_weights="base")
    own = csi.programme(ecsi, survey, "firm", "wave")
    first = [one.scores.loc[("firm", "a", 1, "Satisfaction")] for one in (found, own)]
    assert_allclose(first[0]["estimate"], first[1]["estimate"])
    assert_allclose(first[0]["se"], first[1]["se"], rtol=1e-5)


def test_a_unit_without_a_score_takes_no_error_from_others_of_its_cluster(ecsi, data):
    def scores(frame):
        survey = _survey(ecsi, frame, cluster="person")
        whole = csi.programme(ecsi, survey, "firm", "wave", item_weights="base").scores
        return whole.loc[whole.index.get_level_values("unit") != "z", "se"]

    more = pd.concat([data, data.head(1).assign(firm="z", wave=2)], ignore_index=True)
    before, after = scores(data), scores(more)
    assert after.notna().equals(before.notna())


def _waves(ecsi, data, labels, **options):
    survey = _survey(ecsi, data.assign(wave=np.array(labels)[np.arange(250) // 3 % len(labels)]))
    return csi.programme(ecsi, survey, "firm", "wave", item_weights="pooled", **options)


def test_periods_count_by_the_distances_of_their_values(ecsi, data):
    found = _waves(ecsi, data, [1, 2, 5], year=3)
    own = found.scores.loc["all"].xs("Satisfaction", level="construct")["estimate"].to_numpy()
    slope = found.trend.loc[("all", "all", "Satisfaction"), "estimate"]
    assert_allclose(slope, np.polyfit([1, 2, 5], own, 1)[0])
    pairs = found.changes.loc["all"].index.droplevel(["unit", "construct"]).unique().tolist()
    assert pairs == [(2, 1), (5, 2)]
    assert "periods-uneven" in {finding.code for finding in found.findings}
    four = _waves(ecsi, data, [1, 2, 5], year=4).changes.loc["all"]
    assert (5, 1) in four.index.droplevel(["unit", "construct"]).tolist()
    even = _waves(ecsi, data, [2010, 2012, 2014])
    assert not {"periods-uneven", "periods-by-position"} & {one.code for one in even.findings}


@pytest.mark.parametrize(
    ("labels", "steps"),
    [
        (pd.PeriodIndex(["2020Q1", "2020Q2", "2021Q1"], freq="Q"), [0, 1, 4]),
        (pd.to_datetime(["2020-01-31", "2020-04-30", "2021-01-31"]), [0, 1, 4]),
        (pd.Index([2010, 2012, 2016]), [0, 1, 3]),
        (pd.Index([1.0, 1.5, 3.0]), [0, 0.5, 2.0]),
        (pd.Index(["a", "b", "c"]), [0, 1, 2]),
    ],
)
def test_times_of_periods(labels, steps):
    times = Times.of(labels)
    assert_allclose(times.steps, steps)
    assert times.known == (labels[0] != "a")


def test_text_periods_count_by_position_and_say_so(ecsi, data):
    found = _waves(ecsi, data, ["a", "b", "c"])
    assert "periods-by-position" in {finding.code for finding in found.findings}


@pytest.mark.parametrize("wave", [1, 2])
def test_what_others_contribute_while_the_first_unit_is_not_measured(ecsi, data, weights, wave):
    part = data[~((data["industry"] == "x") & (data["wave"] == wave))]
    found = csi.programme(ecsi, _survey(ecsi, part), LEVELS, "wave", weights)
    change = found.changes.loc[("all", "all", 2, 1), "estimate"]
    for level, units in (("industry", {"x", "y"}), ("firm", {"a", "b", "c"})):
        own = found.contributions.loc[level]
        assert set(own.index.get_level_values(0)) == units
        assert_allclose(
            own.groupby(level="construct", sort=False)["total"].sum(), change, atol=1e-10
        )
