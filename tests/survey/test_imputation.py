"""Multiple imputation: what is drawn, and how it is pooled (R's mice, `scripts/pooling.R`)."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import OptionError, SurveyError
from csimodel.inference import pool, pool_tables
from csimodel.moments.incomplete_likelihood import patterns_of
from csimodel.moments.saturated import saturated
from csimodel.survey.chained_equations import _matched, impute_chain

R = json.loads(
    (Path(__file__).parents[1] / "reference" / "pooling.json").read_text(encoding="utf-8")
)
MODEL = csi.Model.from_syntax("A =~ a1 + a2 + a3\nB =~ b1 + b2\nB ~ A")
ITEMS = ["a1", "a2", "a3", "b1", "b2"]


def sample(n, seed=1, continuous=False):
    """Answers of two constructs; b1 and a3 are missing the more often, the higher a1 is."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    b = 0.6 * a + 0.8 * rng.normal(size=n)
    full = pd.DataFrame(
        {name: 0.8 * (a if name[0] == "a" else b) + 0.6 * rng.normal(size=n) for name in ITEMS}
    )
    if not continuous:
        full = np.clip(np.round(5.5 + 1.6 * full), 1, 10)
    z = (full["a1"] - full["a1"].mean()) / full["a1"].std()
    holes = full.copy()
    for name in ("b1", "a3"):
        holes.loc[rng.random(n) < 1 / (1 + np.exp(1.0 - 1.2 * z)), name] = np.nan
    return full, holes


def read(frame, **options):
    return csi.read_survey(frame, scale=(1, 10), items=ITEMS, **options)


@pytest.mark.parametrize("case", R["cases"], ids=lambda case: f"{case['df']:g}")
def test_rubins_rules_equal_mice(case):
    parts = [
        pd.DataFrame({"estimate": [q], "se": [se], "df": [float(case["df"])]})
        for q, se in zip(R["estimates"], R["errors"], strict=True)
    ]
    row = pool_tables(parts).iloc[0]
    assert row["estimate"] == pytest.approx(case["estimate"], rel=1e-12)
    assert row["se"] ** 2 == pytest.approx(case["variance"], rel=1e-12)
    assert row["df"] == pytest.approx(case["pooled_df"], rel=1e-10)
    assert row["missing_information"] == pytest.approx(case["fmi"], rel=1e-10)
    assert row["lower"] < row["estimate"] < row["upper"]


def test_what_is_imputed_was_answered():
    _, holes = sample(200)
    imputed = csi.impute(read(holes), m=4, rng=3, progress=False)
    for completed in imputed:
        assert not completed.data[ITEMS].isna().any().any()
        for name in ITEMS:
            there = holes[name].notna()
            pd.testing.assert_series_equal(completed.data.loc[there, name], holes.loc[there, name])
            assert set(completed.data[name]) <= set(holes[name].dropna())
    finding = imputed.findings[0]
    assert finding.code == "cells-imputed"
    assert finding.count == holes.isna().sum().sum()
    assert finding.values["rows"] == holes.isna().any(axis=1).sum()
    assert imputed[0].findings[-1] == finding
    counts = imputed.table["missing"]
    assert counts.to_dict() == holes.isna().sum().to_dict()
    assert imputed.table.loc["b1", "mean_answered"] == pytest.approx(holes["b1"].mean())
    means = [own.data.loc[holes["b1"].isna(), "b1"].mean() for own in imputed]
    assert imputed.table.loc["b1", "mean_imputed"] == pytest.approx(np.mean(means))
    assert imputed.table.loc["b1", "sd_of_means"] == pytest.approx(np.std(means, ddof=1))


def test_seeds_give_the_same_and_other_imputations():
    _, holes = sample(100)
    first, again, other = (
        csi.impute(read(holes), m=3, rng=seed, progress=False).cells for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (first[0] != first[1]).any()
    more = csi.impute(read(holes), m=5, rng=1, progress=False).cells
    np.testing.assert_array_equal(more[:3], first)


@pytest.mark.parametrize("weighted", [False, True])
def test_means_under_missing_at_random_are_recovered(weighted):
    full, holes = sample(20_000)
    design = {}
    if weighted:
        for frame in (full, holes):
            frame["w"] = np.where(full["a1"] > 6, 3.0, 1.0)
        design = {"weights": "w"}
    w = full["w"] if weighted else pd.Series(1.0, full.index)
    mean = lambda column: (w * column).sum() / w[column.notna()].sum()  # noqa: E731
    imputed = csi.impute(read(holes, **design), m=10, rng=1, progress=False)  # sd .006 by seed
    for name in ("b1", "a3"):
        ours = np.mean([mean(own.data[name]) for own in imputed])
        assert abs(mean(holes[name]) - mean(full[name])) > 0.1  # what was answered is another mean
        assert ours == pytest.approx(mean(full[name]), abs=0.03)
        together = np.mean([own.data[[name, "b2"]].corr().iloc[0, 1] for own in imputed])
        assert together == pytest.approx(full[[name, "b2"]].corr().iloc[0, 1], abs=0.015)


def test_pooled_estimates_of_normal_answers_are_those_of_full_information():
    _, holes = sample(1_500, seed=5, continuous=True)
    survey = csi.read_survey(holes, scale=(-9, 9), items=ITEMS)
    fiml = csi.fit(MODEL, csi.read_survey(survey, missing="pairwise"), csi.ML(missing="fiml"))
    pooled = pool(
        csi.fit(MODEL, own, csi.ML()) for own in csi.impute(survey, m=30, rng=1, progress=False)
    )
    theirs, ours = csi.linearize(fiml).table("paths"), pooled.table("paths")
    se = theirs["se"]
    assert (abs(ours["estimate"] - theirs["estimate"]) < 0.3 * se).all()
    np.testing.assert_allclose(ours["se"], se, rtol=0.1)
    assert ours["missing_information"].between(0.1, 0.5).all()


def test_donors_are_the_nearest():
    """With one donor and an exact line each row gets the answer of the row next to it."""
    x = np.repeat(np.arange(30.0), 2)
    y = 3.0 * x
    y[::2] = np.nan
    full = impute_chain(
        np.column_stack([x, y]), np.empty((60, 0)), np.ones(60), 3, 1, np.random.default_rng(1)
    )
    np.testing.assert_array_equal(full[:, 1], 3.0 * x)


def test_two_way_by_hand():
    frame = pd.DataFrame(
        {"a1": [2.0, 4.0, 6.0], "a2": [4.0, 6.0, np.nan], "b1": [1.0, 9.0, 2.0], "b2": [3, 9, 1.0]}
    )
    codebook = {"a1": "A", "a2": "A", "b1": "B", "b2": "B"}
    items = [
        csi.Item(name, minimum=1, maximum=10, construct=block) for name, block in codebook.items()
    ]
    survey = csi.read_survey(frame, items=items)
    imputed = csi.impute(survey, m=4, method="two-way", rng=1, progress=False)
    # Person 6, item 5, overall 4.4: 6.6, and held to the highest answer of the item.
    errors = np.array([2 - 2.6, 4 - 3.6, 4 - 4.6, 6 - 5.6, 6 - 5.6])
    assert np.sqrt((errors**2).mean()) < 0.6
    assert set(imputed.cells.ravel()) <= {5.0, 6.0}
    assert imputed.findings[0].code == "cells-imputed"


def test_two_way_draws_where_nothing_of_a_respondent_is_known():
    """An item that is a construct by itself varies as its answers do (it had its mean always)."""
    alone = sample(2_000)[0]["a1"].where(np.arange(2_000) % 2 == 0)
    items = [csi.Item("a1", minimum=1, maximum=10, construct="A")]
    survey = csi.read_survey(pd.DataFrame({"a1": alone}), items=items)
    with pytest.warns(csi.errors.CsimodelWarning):
        imputed = csi.impute(survey, m=2, method="two-way", rng=1, progress=False)
    assert imputed.cells.std() == pytest.approx(alone.std(), rel=0.05)
    assert imputed.cells.mean() == pytest.approx(alone.mean(), abs=0.1)
    assert (imputed.cells[0] != imputed.cells[1]).mean() > 0.5


def test_auxiliaries_and_strata_predict():
    full, holes = sample(4_000)
    group = np.where(full["b1"] > 6, "high", "low")
    holes = holes.assign(group=group, score=full["b1"] + 0.01)
    right = {}
    for name, options in {
        "none": {}, "category": {"auxiliaries": ["group"]}, "number": {"auxiliaries": ["score"]},
    }.items():  # fmt: skip
        imputed = csi.impute(read(holes), m=2, rng=1, progress=False, **options)
        gone = holes["b1"].isna()
        right[name] = (imputed[0].data.loc[gone, "b1"] - full.loc[gone, "b1"]).abs().mean()
    strata = csi.impute(read(holes, strata="group"), m=2, rng=1, progress=False)
    right["strata"] = (strata[0].data.loc[gone, "b1"] - full.loc[gone, "b1"]).abs().mean()
    assert right["category"] < 0.85 * right["none"]
    assert right["strata"] == pytest.approx(right["category"], rel=0.05)
    assert right["number"] < 0.05


def test_where_nobody_was_asked_the_others_predict():
    """Levels that no answer tells are not drawn: else the ends of the scale would be imputed."""
    full, holes = sample(400)
    wave = np.where(np.arange(400) < 80, "first", np.where(np.arange(400) < 240, "b", "c"))
    holes = holes.assign(b1=full["b1"].where(wave != "first"), wave=wave, firm=wave)
    mean = full.loc[wave == "first", "b1"].mean()
    for options in (
        {"strata": "wave"},
        {"cluster": "firm"},
        {"strata": "wave", "cluster": "firm"},
    ):
        read_as = read(holes.assign(firm=np.arange(400) // 20), **options)
        imputed = csi.impute(read_as, m=10, rng=1, progress=False)
        means = [own.data.loc[wave == "first", "b1"].mean() for own in imputed]
        assert np.ptp(means) < 1.5
        assert abs(np.mean(means) - mean) < 0.75


def test_few_large_clusters_have_levels_of_their_own():
    rng = np.random.default_rng(2)
    firm = np.repeat(np.arange(8), 50)
    level = rng.normal(0.0, 2.0, 8)
    q = rng.normal(size=400)
    frame = pd.DataFrame({"a": q, "b": q + level[firm] + 0.5 * rng.normal(size=400)})
    holes = frame.assign(b=frame["b"].where(rng.random(400) > 0.4), firm=firm)
    gone = holes["b"].isna()
    gaps, codes = {}, {}
    for name, cluster in {"levels": firm, "none": np.arange(400) // 4}.items():
        survey = csi.read_survey(
            holes.assign(firm=cluster), items=["a", "b"], scale=(-99, 99), cluster="firm"
        )
        imputed = csi.impute(survey, m=5, rng=1, progress=False)
        filled = sum(own.data["b"] for own in imputed) / 5
        gap = (filled - frame["b"])[gone].groupby(firm[gone]).mean()
        gaps[name] = np.sqrt((gap**2).mean())
        codes[name] = [(own.code, own.count) for own in imputed.findings[1:]]
    assert gaps["levels"] < 0.25
    assert gaps["none"] > 1.0
    assert codes == {
        "levels": [("imputed-with-clusters", 8)],
        "none": [("imputed-without-clusters", None)],
    }
    two_way = csi.impute(
        csi.read_survey(holes, items=["a", "b"], scale=(-99, 99), cluster="firm"),
        m=2, method="two-way", rng=1, progress=False,
    )  # fmt: skip
    assert two_way.findings[-1].code == "imputed-without-clusters"


def test_rows_without_weight_are_left():
    _, holes = sample(100)
    holes["w"] = np.where(np.arange(100) < 10, 0.0, 1.0)
    imputed = csi.impute(read(holes, weights="w"), m=2, rng=1, progress=False)
    completed = imputed[0].data[ITEMS]
    assert not completed.iloc[10:].isna().any().any()
    pd.testing.assert_frame_equal(completed.iloc[:10], holes[ITEMS].iloc[:10])
    assert len(csi.fit(MODEL, imputed[0]).answers.rows) == 90


def test_pooled_page_and_findings():
    _, holes = sample(60)
    holes.iloc[0] = np.nan
    holes["firm"] = np.arange(60) % 6
    with pytest.warns(csi.errors.CsimodelWarning):
        imputed = csi.impute(read(holes, cluster="firm"), m=3, rng=1, progress=False)
    assert [own.code for own in imputed.findings] == [
        "cells-imputed", "no-answer-at-all", "imputed-with-clusters",
    ]  # fmt: skip
    assert imputed.findings[1].count == 1
    pooled = pool(csi.fit(MODEL, own) for own in imputed)
    table = pooled.table("index")
    assert (table["df"] < 5).all()
    assert "3 imputations pooled" in str(pooled.page)
    assert (pooled.table("index", by="firm")["df"] == 0).all()  # one cluster each
    assert [own.code for own in pooled.findings].count("few-units") <= 1


def test_reasons_of_parts_are_kept():
    fit = csi.fit(MODEL, read(sample(100)[0]))
    tables = [csi.linearize(fit).table("loadings")] * 2
    pooled = pool_tables(tables)
    pd.testing.assert_series_equal(pooled["reason"], tables[0]["reason"])
    np.testing.assert_allclose(pooled["se"], tables[0]["se"])
    assert (pooled["df"] == 99).all()
    assert (pooled["missing_information"].dropna() == 0).all()


BAD = {
    "one": (lambda s: csi.impute(s, 1), OptionError, "at least 2"),
    "donors": (lambda s: csi.impute(s, donors=0), OptionError, "donors=0"),
    "sweeps": (lambda s: csi.impute(s, sweeps=0), OptionError, "sweeps=0"),
    "method": (lambda s: csi.impute(s, method="mean"), OptionError, "'mean'"),
    "no item": (lambda s: csi.impute(s, items=["zz"]), SurveyError, "'zz'"),
    "nothing missing": (
        lambda s: csi.impute(s, items=["a1"]), SurveyError, "No cell is missing in a1",
    ),
    "own": (lambda s: csi.impute(s, auxiliaries=["a1"]), OptionError, "an item that is imputed"),
    "names": (lambda s: csi.impute(s, auxiliaries=["name"]), OptionError, "100 categories"),
    "no items": (
        lambda s: csi.impute(csi.Survey(s.data)), OptionError, "declares no items",
    ),
    "one fit": (
        lambda s: pool([csi.fit(MODEL, read(sample(50)[0]))]), OptionError, "there are 1",
    ),
    "no fits": (lambda s: pool(3), OptionError, "fits is 3"),
    "other models": (
        lambda s: pool(
            csi.fit(csi.Model.from_syntax(text), read(sample(50)[0]))
            for text in ("A =~ a1 + a2\nB =~ b1\nB ~ A", "A =~ a1 + a3\nB =~ b1\nB ~ A")
        ),
        OptionError,
        "of one model",
    ),
    "no tables": (lambda s: pool_tables([pd.DataFrame({"x": [1]})] * 2), OptionError, "columns"),
    "other rows": (
        lambda s: pool_tables(
            [pd.DataFrame({"estimate": 1.0, "se": 1.0, "df": 3.0}, index=[k]) for k in (1, 2)]
        ),
        OptionError,
        "the same rows",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(name):
    work, error, message = BAD[name]
    survey = read(sample(100)[1].assign(name=[f"n{k}" for k in range(100)]))
    with pytest.raises(error, match=message):
        work(survey)


def test_items_without_an_answer_are_named():
    _, holes = sample(30)
    with pytest.raises(SurveyError, match="Item 'b1' holds no answer"):
        csi.impute(read(holes.assign(b1=np.nan)))


def test_normal_imputations_have_the_moments_of_full_information():
    _, holes = sample(400, continuous=True)
    survey = csi.read_survey(holes, items=ITEMS)
    imputed = csi.impute(survey, m=300, method="normal", rng=1, sweeps=5, progress=False)
    assert [finding.code for finding in imputed.findings] == ["cells-imputed"]
    em = saturated(patterns_of(holes[ITEMS].to_numpy()))
    parts = np.array([[own.data["b1"].mean(), own.data["b1"].std()] for own in imputed])
    error = parts.std(axis=0, ddof=1) / np.sqrt(len(parts))
    b1 = ITEMS.index("b1")
    full = np.array([em.mean[b1], np.sqrt(em.cov[b1, b1])])
    assert (np.abs(parts.mean(axis=0) - full) < 4 * error + [0.0, 0.005]).all()
    assert (holes["b1"].mean() - em.mean[b1]) < -20 * error[0]  # of those who answered


def test_normal_imputations_follow_an_exact_regression_and_stay_on_the_scale():
    x = np.linspace(1.0, 3.0, 41)
    y = np.where(np.arange(41) % 7 == 3, np.nan, 3.0 * x)
    full = impute_chain(
        np.column_stack([x, y]), np.empty((41, 0)), np.ones(41), 5, None, np.random.default_rng(1)
    )
    np.testing.assert_allclose(full[:, 1], 3.0 * x, atol=0.05)
    _, holes = sample(200)
    cells = csi.impute(read(holes), m=5, method="normal", rng=1, progress=False).cells
    assert cells.min() == 1.0
    assert cells.max() == 10.0
    assert (cells % 1.0 != 0).mean() > 0.8


@pytest.mark.parametrize("method", ["pmm", "normal", "two-way"])
def test_rows_without_a_weight_are_not_counted_as_imputed(method):
    _, holes = sample(200)
    holes["w"] = 1.0
    holes.loc[:49, "w"] = 0.0
    holes.loc[:49, "b1"] = np.nan
    holes.loc[:9, "b2"] = 1.0
    kw = {"items": ITEMS, "scale": (1, 10), "weights": "w"}
    imputed = csi.impute(csi.read_survey(holes, **kw), m=2, method=method, rng=1, progress=False)
    rest = csi.read_survey(holes[50:].reset_index(drop=True), **kw)
    alone = csi.impute(rest, m=2, method=method, rng=1, progress=False)
    np.testing.assert_array_equal(imputed.cells, alone.cells)
    pd.testing.assert_frame_equal(imputed.table, alone.table)
    assert [str(own) for own in imputed.findings] == [str(own) for own in alone.findings]
    assert str(imputed) == str(alone)
    for own, theirs in zip(imputed, alone, strict=True):
        np.testing.assert_array_equal(own.data[ITEMS][50:], theirs.data[ITEMS])
        pd.testing.assert_frame_equal(own.data[ITEMS][:50], holes[ITEMS][:50])


def test_gaps_and_answers_of_rows_without_a_weight_do_not_count():
    frame = pd.DataFrame({"a": [1.0, 2, 3, np.nan], "b": [1.0, 2, 3, 4], "w": [1.0, 1, 1, 0]})
    with pytest.raises(SurveyError, match="missing in the 2 items of rows with a weight above 0"):
        csi.impute(csi.read_survey(frame, items=["a", "b"], weights="w"))
    frame["a"] = [np.nan, np.nan, np.nan, 4]
    with pytest.raises(SurveyError, match="'a' holds no answer of rows with a weight above 0"):
        csi.impute(csi.read_survey(frame, items=["a", "b"], weights="w"))


class _FirstOfAll:
    """Draws in which rows stay in order and the first donor is taken."""

    def permutation(self, size):
        return np.arange(size)

    def integers(self, low, high, size):
        return np.full(size, low)


def test_donors_are_numbered_from_the_nearest_on():
    """Else the same seed gives other answers where NumPy sorts otherwise."""
    predicted = np.sort(np.random.default_rng(1).normal(size=200))
    wanted = np.random.default_rng(2).normal(size=50)
    answers = _matched(predicted, predicted, wanted, 60, _FirstOfAll())
    nearest = np.abs(predicted - wanted[:, None]).argmin(axis=1)
    np.testing.assert_array_equal(answers, predicted[nearest])
