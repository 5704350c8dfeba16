"""Measures: levels and shares by hand and by R's survey; groups, differences, odd input."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from wordings import row_of

import csimodel as csi
from csimodel.errors import OptionError, SurveyError

HERE = Path(__file__).parents[1] / "reference"
DESIGNS = {
    "plain": None,
    "weights_only": {},
    "strata_only": {"strata": "stratum"},
    "clusters_only": {"cluster": "unit"},
    "full": {"strata": "stratum", "cluster": "psu"},
    "full_fpc": {"strata": "stratum", "cluster": "psu", "population": "fpc"},
}
measures = csi.measures


@pytest.fixture(scope="module")
def data():
    frame = pd.read_csv(HERE / "mobi_survey_data.csv")
    return frame.assign(unit=frame["stratum"] * 100 + frame["psu"])


def survey_of(data, design):
    items = [f"{block}{k}" for block in ("CUSA", "CUSL") for k in (1, 2, 3)]
    weights = {} if design is None else {"weights": "weight", **design}
    return csi.read_survey(data, scale=(1, 10), items=items, **weights)


@pytest.fixture(scope="module")
def brands():
    return pd.DataFrame(
        [["A", 40, 20, 60, -20, 0, 40], ["B", 60, 40, 60, 20, 40, 60],
         ["C", -60, -40, 40, -40, -40, -40], ["D", 40, 0, 20, 40, 20, 0]],
        columns=["brand", "quality", "function", "price", "design", "taste", "packaging"],
    )  # fmt: skip


SCORES = [70 / 3, 140 / 3, -30.0, 20.0]
ENGLISH = ("very dissatisfied", "dissatisfied", "rather dissatisfied", "neutral",
           "rather satisfied", "satisfied", "very satisfied")  # fmt: skip
CHINESE = ("很不满意", "不满意", "不太满意", "一般", "较满意", "满意", "很满意")


def recoded(brands, answers):
    return brands.set_index("brand").map(lambda x: answers[int(x / 20) + 3]).reset_index()


AS_TYPED = [
    [word.upper().replace(" ", "  ") for word in ENGLISH],
    [f"{word}\u3000" for word in CHINESE],
    [word.translate({k: k + 0xFEE0 for k in range(ord("a"), ord("z") + 1)}) for word in ENGLISH],
]


@pytest.mark.parametrize(
    "answers", [ENGLISH, CHINESE, range(1, 8), [f" {k}" for k in range(1, 8)], *AS_TYPED]
)
def test_the_four_brands_by_labels_and_ranks(brands, answers):
    table = measures.satisfaction_level(recoded(brands, answers), by="brand").table
    assert_allclose(table["estimate"], SCORES, rtol=1e-14)


def test_the_four_brands_by_values(brands):
    values = range(-60, 61, 20)
    for levels in (None, values, np.array(values), dict(zip(ENGLISH, values, strict=True))):
        frame = recoded(brands, ENGLISH) if isinstance(levels, dict) else brands
        level = measures.satisfaction_level(frame, by="brand", levels=levels)
        assert_allclose(level.table["estimate"], SCORES, rtol=1e-14)
    assert list(level.table.index) == ["A", "B", "C", "D"]
    assert (level.table["n"] == 1).all()
    assert level.table[["se", "lower", "upper"]].isna().all(axis=None)
    assert level.table["reason"].str.startswith("no degrees of freedom").all()
    by_hand = brands.set_index("brand").stack()
    assert_allclose(level.attributes["estimate"], by_hand)
    (finding,) = [own for own in level.findings if own.code == "small-groups"]
    assert finding.subjects == ("A (1)", "B (1)", "C (1)", "D (1)")
    assert row_of(finding)


def test_types_of_columns_make_no_difference(brands):
    pytest.importorskip("pyarrow")
    plain = measures.satisfaction_level(recoded(brands, ENGLISH), by="brand").table
    ranks = recoded(brands, range(1, 8)).set_index("brand")
    words = recoded(brands, ENGLISH).set_index("brand")
    for frame in (words.astype("category"), words.astype("string"), ranks.astype("Int8"),
                  ranks.astype("float32"), ranks.astype("int64[pyarrow]"),
                  words.astype("string[pyarrow]")):  # fmt: skip
        table = measures.satisfaction_level(frame.reset_index(), by="brand").table
        pd.testing.assert_frame_equal(table, plain, check_index_type=False)


def test_a_level_has_the_error_of_a_ratio_of_means():
    rng = np.random.default_rng(3)
    ranks = pd.DataFrame(rng.integers(1, 8, (60, 3)), columns=list("abc")).astype(float)
    ranks = ranks.mask(rng.random(ranks.shape) < 0.2)
    table = measures.satisfaction_level(ranks).table
    values = ranks * 20 - 80
    score = np.nansum(values) / ranks.notna().sum().sum()
    assert_allclose(table["estimate"], score)
    u = values.sum(axis=1) - score * ranks.notna().sum(axis=1)
    used = ranks.notna().any(axis=1)
    m = used.sum()
    se = np.sqrt((u[used] ** 2).sum() * m / (m - 1)) / ranks.notna().sum().sum()
    assert_allclose(table["se"], se)
    assert list(table["n"]) == [m]


@pytest.mark.parametrize(
    ("frame", "levels", "sentence"),
    [
        ({"q": ["satisfied", "great"]}, None,
         r"^Column 'q' holds 'great' in row 2, which is no level of the scale; levels are 'very d"),
        ({"q": ["satisfied", "satisfid"]}, None, r"scale \(did you mean 'satisfied'\?\); levels"),
        ({"q": [1, 9]}, None, r"^Column 'q' holds 9 in row 2, which is no level of the scale; "),
        ({"q": [1.0, np.inf]}, None, r"^Column 'q' holds inf in row 2, which is no level"),
        ({"q": [True, False]}, None, r"^Column 'q' holds True in row 1, which is no level"),
        ({"q": [1.5, 2]}, (1, 2), r"^Column 'q' holds 1.5 in row 1, .* ranks 1 to 2, or the va"),
        ({"q": ["bad"]}, {"good": 1}, r"^Column 'q' holds 'bad' in row 1, .* levels are 'good', o"),
    ],
)  # fmt: skip
def test_answers_that_are_no_level_are_named(frame, levels, sentence):
    with pytest.raises(SurveyError, match=sentence):
        measures.satisfaction_level(pd.DataFrame(frame), levels=levels)


@pytest.mark.parametrize(
    "levels", [(), (3, 2, 1), (1, np.nan), {}, {"a": None}, "abc", 7, [[1]] * 0]
)
def test_levels_that_are_none_are_refused(levels):
    with pytest.raises(OptionError, match=r"^levels="):
        measures.satisfaction_level(pd.DataFrame({"q": [1, 2]}), levels=levels)


@pytest.mark.parametrize(
    ("data", "error", "sentence"),
    [
        (3, OptionError, r"^data=3 must be a"),
        (None, OptionError, r"^data=None must be a"),
        (pd.DataFrame(), SurveyError, r"^The data frame has no columns"),
        (pd.DataFrame({"q": []}), SurveyError, r"^The data frame has no rows"),
        (pd.DataFrame([[1, 2]], columns=["q", "q"]), SurveyError, r"more than one column named 'q'"),
    ],
)  # fmt: skip
def test_data_that_cannot_be_used_are_refused(data, error, sentence):
    for call in (measures.satisfaction_level, lambda d: measures.top_box(d, "q", scale=(1, 5))):
        with pytest.raises(error, match=sentence):
            call(data)


def test_no_weight_and_no_other_column_are_refused():
    survey = csi.read_survey(pd.DataFrame({"q": [1, 2], "w": [0.0, 0.0]}), weights="w")
    with pytest.raises(SurveyError, match=r"^Weight column 'w' has no value above 0 in 2 rows, so"):
        measures.satisfaction_level(survey)
    with pytest.raises(SurveyError, match=r"^No column is left beside those of groups and design"):
        measures.satisfaction_level(pd.DataFrame({"g": ["a", "b"]}), by="g")


@pytest.mark.parametrize("name", DESIGNS)
def test_shares_are_those_of_r(reference, data, name):
    theirs = reference("mobi_measures.json")["designs"][name]
    survey = survey_of(data, DESIGNS[name])
    row = measures.top_box(survey, "CUSA1").table.loc["CUSA1"]
    assert row["df"] == theirs["degf"]
    assert_allclose(row["estimate"], theirs["top"]["estimate"], rtol=1e-12)
    assert_allclose(row["se"], theirs["top"]["se"], rtol=1e-10)
    if name == "plain":
        interval = stats.binomtest(round(row["estimate"] * 250), 250).proportion_ci(method="wilson")
        assert_allclose(row[["lower", "upper"]].astype(float), [interval.low, interval.high])
    else:
        assert_allclose(row[["lower", "upper"]].astype(float), theirs["top"]["limits"], rtol=1e-8)
    for key, table in {
        "net": measures.net_score(survey, "CUSA1", boxes=4).table,
        "nps": measures.net_promoter(survey, "CUSL1").table,
    }.items():
        assert_allclose(table[["estimate", "se"]].iloc[0], list(theirs[key].values()), rtol=1e-10)


@pytest.mark.parametrize("name", list(DESIGNS)[1:])
def test_shares_of_regions_and_their_differences_are_those_of_r(reference, data, name):
    theirs = reference("mobi_measures.json")["designs"][name]
    top = measures.top_box(survey_of(data, DESIGNS[name]), "CUSA1", by="region")
    assert_allclose(top.table["estimate"], theirs["top_by_region"]["estimate"], rtol=1e-12)
    assert_allclose(top.table["se"], theirs["top_by_region"]["se"], rtol=1e-10)
    assert list(top.table["df"]) == theirs["degf_region"]
    row = top.differences.loc[("CUSA1", "N", "S")]
    assert_allclose(row[["estimate", "se"]].astype(float),
                    list(theirs["top_by_region"]["difference"].values()), rtol=1e-9)  # fmt: skip
    own = top.table.xs("CUSA1", level="item") if "item" in top.table.index.names else top.table
    a, b = (float(own.loc[region, "se"]) ** 2 for region in ("N", "S"))
    m, n = (float(own.loc[region, "df"]) for region in ("N", "S"))
    satterthwaite = (a + b) ** 2 / (a**2 / m + b**2 / n)
    assert_allclose(row["df"], min(theirs["degf_N_S"], satterthwaite), rtol=1e-9)


def test_groups_of_a_plain_sample_are_compared_by_welch(data):
    top = measures.net_promoter(survey_of(data, None), "CUSL1", by="region")
    scores = np.where(data["CUSL1"] >= 9, 1.0, 0.0) - (data["CUSL1"] <= 6)
    groups = {g: scores[data["region"] == g] for g in "ENS"}
    for g in "ENS":
        assert_allclose(top.table.loc[g, "se"], stats.sem(groups[g]))
    p = []
    for a, b in (("E", "N"), ("E", "S"), ("N", "S")):
        test = stats.ttest_ind(groups[a], groups[b], equal_var=False)
        row = top.differences.loc[(a, b)]
        assert_allclose([row["df"], row["p"]], [test.df, test.pvalue])
        assert_allclose(row[["lower", "upper"]].astype(float), test.confidence_interval())
        p.append(test.pvalue)
    order = np.argsort(p)
    holm = np.minimum(np.maximum.accumulate(np.array(p)[order] * [3, 2, 1]), 1.0)
    assert_allclose(top.differences["p_holm"].to_numpy()[order], holm)


def test_replicates_and_calibrated_weights_reach_measures(data):
    full = survey_of(data, DESIGNS["full"])
    linear = measures.net_promoter(full, "CUSL1", by="region")
    jackknife = measures.net_promoter(csi.replicate_weights(full, "jkn"), "CUSL1", by="region")
    assert_allclose(jackknife.table["se"], linear.table["se"], rtol=0.05)
    assert (jackknife.table["se"] != linear.table["se"]).all()
    assert_allclose(jackknife.differences["se"], linear.differences["se"], rtol=0.05)
    margins = {"region": {"E": 1000, "N": 1500, "S": 2000}}
    raked = csi.rake(full, margins)
    row = measures.top_box(raked, "CUSA1").table.loc["CUSA1"]
    frame = data.assign(top=(data["CUSA1"] >= 9) * 1)
    scale = {"top": (0, 1), "CUSL1": (1, 10)}
    survey = csi.read_survey(frame, scale=scale, weights="weight", **DESIGNS["full"])
    model = csi.Model.from_syntax("A =~ top\nB =~ CUSL1\nB ~ A")
    fit = csi.fit(model, csi.rake(survey, margins))
    assert_allclose(row["se"], csi.index_scores(fit).loc["A", "se"] / 100, rtol=1e-6)


def test_where_all_answer_alike_there_are_limits_and_no_error(data):
    frame = data.assign(q=5)
    for design in ({}, {"weights": "weight"}, {"cluster": "unit"}):
        survey = csi.read_survey(frame, scale={"q": (1, 5)}, **design)
        row = measures.top_box(survey, "q").table.loc["q"]
        assert np.isnan(row["se"])
        assert row["reason"].startswith("everybody answers alike")
        w = data["weight"] if "weights" in design else np.ones(250)
        size = data["unit"].nunique() if "cluster" in design else w.sum() ** 2 / (w**2).sum()
        z = stats.norm.ppf(0.975)
        assert_allclose([row["lower"], row["upper"]], [1 / (1 + z**2 / size), 1.0])


def test_parts_of_a_scale():
    frame = pd.DataFrame({"q": [1, 2, 3, 4, 5, 5, None], "NPS": [0, 6, 7, 8, 9, 10, 10]})
    survey = csi.read_survey(frame, scale={"q": (1, 5)})
    assert_allclose(measures.top_box(survey, "q", boxes=1).table["estimate"], 2 / 6)
    assert_allclose(measures.bottom_box(survey, "q", boxes=3).table["estimate"], 3 / 6)
    assert_allclose(measures.net_score(survey, "q").table["estimate"], 3 / 6 - 2 / 6)
    shares = measures.answer_shares(survey, "q")
    assert_allclose(shares.table["estimate"], np.array([1, 1, 1, 1, 2]) / 6)
    assert list(shares.table.index) == [1, 2, 3, 4, 5]
    nps = measures.net_promoter(survey, "NPS")
    assert_allclose(nps.shares["estimate"], [3 / 7, 2 / 7, 2 / 7])
    p, d = 3 / 7, 2 / 7
    assert_allclose(nps.table["se"], np.sqrt((p + d - (p - d) ** 2) / 6))
    (finding,) = [own for own in shares.findings if own.code == "unanswered"]
    assert finding.count == 1
    assert row_of(finding)


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda d: measures.top_box(d, "q"), SurveyError, r"^The scale of 'q' is unknown; give the"),
        (lambda d: measures.top_box(d, "z"), SurveyError, r"^items names the column 'z', which is"),
        (lambda d: measures.top_box(d, "t", scale=(1, 5)), SurveyError, r"^Column 't' holds the text"),
        (lambda d: measures.top_box(d, ["q", "q"], scale=(1, 5)), OptionError, r"names the column 'q' t"),
        (lambda d: measures.top_box(d, "q", scale=(5, 1)), OptionError, r"^scale=\(5, 1\) must be the"),
        (lambda d: measures.top_box(d, "q", scale=(1, 3)), SurveyError, r"^Column 'q' holds 1 value outs"),
        (lambda d: measures.top_box(d, "h", scale=(1, 5)), SurveyError, r"^Column 'h' holds 1.5, which l"),
        (lambda d: measures.top_box(d, "q", boxes=5, scale=(1, 5)), OptionError, r"^boxes=5 must be below 5"),
        (lambda d: measures.net_score(d, "q", boxes=3, scale=(1, 5)), OptionError, r"^boxes=3 of the top and"),
        (lambda d: measures.top_box(d, "q", by="z", scale=(1, 5)), SurveyError, r"^by names the column 'z'"),
        (lambda d: measures.top_box(d, "q", scale=(1, 5)).differences, OptionError, r"^There are no groups"),
        (lambda d: measures.net_promoter(d, "n"), SurveyError, r"^Column 'n' holds 1 value outside its sc"),
        (lambda d: measures.answer_shares(d, "q", scale=(1, 500)), OptionError, r"^The scale of 'q' has 500 "),
        (lambda d: measures.top_box(d, "q", scale=(1, 5), level=95), OptionError, r"^level=95 must lie"),
        (lambda d: measures.top_box(d, "q", scale=(1, 5)).bootstrap(interval="bca"), OptionError, r"^interval="),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(call, error, sentence):
    frame = pd.DataFrame(
        {
            "q": [1, 2, 4],
            "t": ["a", "b", "c"],
            "h": [1, 1.5, 2],
            "n": [0, 5, 11],
            "g": ["a", "a", "b"],
        }
    )
    with pytest.raises(error, match=sentence):
        call(frame)


def test_respondents_without_a_group_are_counted(data):
    frame = data.assign(g=data["region"].where(data.index > 2))
    top = measures.top_box(csi.read_survey(frame, scale=(1, 10), items=["CUSA1"]), "CUSA1", by="g")
    (finding,) = [own for own in top.findings if own.code == "rows-without-group"]
    assert finding.count == 3
    assert row_of(finding)
    assert top.table["n"].sum() == 247


def test_several_columns_make_groups(data):
    top = measures.top_box(survey_of(data, {}), ["CUSA1", "CUSA2"], by=["sex", "region"])
    assert top.table.index.names == ["sex", "region", "item"]
    assert len(top.table) == 12
    assert ("CUSA2", "f · E", "m · S") in top.differences.index
    few = data[(data["sex"] == "f") | (data["region"] != "S") | (data.index < 40)]
    told = measures.top_box(survey_of(few, {}), "CUSA1", by=["sex", "region"]).findings
    (finding,) = [own for own in told if own.code == "small-groups"]
    assert finding.subjects == (f"m · S ({((few['sex'] == 'm') & (few['region'] == 'S')).sum()})",)
    own = data[(data["sex"] == "m") & (data["region"] == "S")]
    share = np.average(own["CUSA2"] >= 9, weights=own["weight"])
    assert_allclose(top.table.loc[("m", "S", "CUSA2"), "estimate"], share)


def test_draws_have_the_error_of_influence_values(data):
    nps = measures.net_promoter(survey_of(data, DESIGNS["full"]), "CUSL1", by="region")
    draws = nps.bootstrap(1500, rng=1)
    assert_allclose(draws["se"], nps.table["se"], rtol=0.1)
    again = nps.bootstrap(1500, rng=1)
    pd.testing.assert_frame_equal(draws, again)


def test_a_measure_is_shown_with_its_tables(data):
    text = str(measures.net_promoter(survey_of(data, {}), "CUSL1", by="region").summary())
    assert "Net promoter score" in text
    assert "Differences" in text
    assert "p_holm" in measures.net_promoter(data, "CUSL1", by="region")._repr_html_()


@pytest.mark.parametrize("name", DESIGNS)
def test_ratios_gaps_and_weighted_satisfaction_are_those_of_r(reference, data, name):
    theirs = reference("mobi_measures.json")["designs"][name]
    survey = survey_of(data, DESIGNS[name])
    s, v = ["CUSA1", "CUSA2", "CUSA3"], ["CUSL1", "CUSL2", "CUSL3"]
    balance = measures.value_balance(survey, "CUSL1", "CUSA1").table
    gap = measures.service_gap(survey, perceived="CUSA2", expected="CUSA3").table
    weighted = measures.weighted_satisfaction(survey, satisfaction=s, importance=v).table
    normal = measures.importance_weights(survey, v, values=range(1, 11)).normalized
    for key, row in {
        "ratio": balance.iloc[0], "each": balance.iloc[1], "gap": gap.loc["CUSA2"],
        "weighted": weighted.loc["weighted"], "normal": normal.loc["CUSL1"],
    }.items():  # fmt: skip
        assert_allclose([row["estimate"], row["se"]], list(theirs[key].values()), rtol=1e-9)
        assert row["df"] == theirs["degf"]
    if name != "plain":
        regions = measures.service_gap(survey, perceived="CUSA2", expected="CUSA3", by="region")
        assert_allclose(regions.table["se"], theirs["gap_by_region"]["se"], rtol=1e-10)
        row = regions.differences.loc[("CUSA2", "N", "S")]
        assert_allclose(row["se"], theirs["gap_by_region"]["difference"]["se"], rtol=1e-9)


def test_the_value_balance_of_the_texts():
    frame = pd.DataFrame({"felt": [180.0, 100.0], "paid": [120.0, 120.0], "who": ["a", "b"]})
    balance = measures.value_balance(frame, "felt", "paid", by="who")
    assert_allclose(balance.table["estimate"], [1.5, 1.5, 100 / 120, 100 / 120])
    assert balance.table["reason"].str.startswith("no degrees").all()
    assert list(balance.shares["estimate"]) == [0, 0, 1, 1, 0, 0]
    several = pd.DataFrame({"felt": [3.0, 1, 4, None], "paid": [2.0, 1, 5, 7]})
    table = measures.value_balance(several, "felt", "paid").table
    assert_allclose(table["estimate"], [8 / 8, (1.5 + 1 + 0.8) / 3])
    with pytest.raises(SurveyError, match=r"^Column 'paid', given as paid, holds 0 in 1 of 2 rows"):
        measures.value_balance(frame.assign(paid=[0, 1]), "felt", "paid")


def test_draws_of_ratios_have_the_error_of_influence_values(data):
    balance = measures.value_balance(survey_of(data, {}), "CUSL1", "CUSA1")
    assert_allclose(balance.bootstrap(2000, 1)["se"], balance.table["se"], rtol=0.06)


def test_gaps_are_paired_tests(data):
    survey = survey_of(data, None)
    gap = measures.service_gap(
        survey, expected=["CUSL1", "CUSL3"], perceived=["CUSA1", "CUSA2"],
        importance=["CUSL2", "CUSA3"], dimensions={"one": ["CUSA2"]},
    )  # fmt: skip
    for p, e in (("CUSA1", "CUSL1"), ("CUSA2", "CUSL3")):
        test = stats.ttest_rel(data[p], data[e])
        assert_allclose(gap.table.loc[p, ["p", "df"]].astype(float), [test.pvalue, test.df])
    assert_allclose(gap.table.loc["one", "se"], gap.table.loc["CUSA2", "se"])
    both = (data["CUSA1"] - data["CUSL1"] + data["CUSA2"] - data["CUSL3"]) / 2
    assert_allclose(gap.table.loc["all items", ["estimate", "se"]].astype(float),
                    [both.mean(), stats.sem(both)])  # fmt: skip
    assert list(gap.ordered["estimate"]) == sorted(gap.table["estimate"])
    means = data.mean(numeric_only=True)
    g = np.array([means["CUSA1"] - means["CUSL1"], means["CUSA2"] - means["CUSL3"]])
    v = np.array([means["CUSL2"], means["CUSA3"]])
    assert_allclose(gap.weighted["estimate"], [g.mean(), g @ v / v.sum()])
    z = both * 0.0
    for k, (p, e, w) in enumerate((("CUSA1", "CUSL1", "CUSL2"), ("CUSA2", "CUSL3", "CUSA3"))):
        z += (
            v[k] * (data[p] - data[e] - g[k]) + (g[k] - g @ v / v.sum()) * (data[w] - v[k])
        ) / v.sum()
    assert_allclose(gap.weighted["se"].iloc[1], stats.sem(z))
    assert_allclose(gap.scores["CUSA1"], data["CUSA1"] - data["CUSL1"])
    shares = gap.shares["estimate"]
    assert_allclose(shares["CUSA1: below"], (data["CUSA1"] < data["CUSL1"]).mean())
    assert_allclose(shares["all items: at"], (both == 0).mean())


def test_weighted_satisfaction_has_the_error_of_the_jackknife(data):
    s, v = ["CUSA1", "CUSA2"], ["CUSL1", "CUSL2"]
    survey = survey_of(data, DESIGNS["full"])
    linear = measures.weighted_satisfaction(survey, satisfaction=s, importance=v).table
    again = csi.replicate_weights(survey, "jkn")
    jackknife = measures.weighted_satisfaction(again, satisfaction=s, importance=v).table
    assert_allclose(jackknife["se"], linear["se"], rtol=0.02)
    assert (jackknife["se"] != linear["se"]).all()


def test_importance_in_words_and_numbers():
    words = pd.DataFrame({"price": ["very important", "重要", "important", "moderately important"],
                          "design": ["不太重要", "slightly important", "not important", "3"]})  # fmt: skip
    numbers = pd.DataFrame({"price": [5, 4, 4, 3], "design": [2, 2, 1, 3]})
    for frame in (words, numbers):
        weights = measures.importance_weights(frame, ["price", "design"])
        assert_allclose(weights.table["estimate"], [4.0, 2.0])
        assert_allclose(weights.normalized["estimate"], [2 / 3, 1 / 3])
    other = measures.importance_weights(numbers, ["price"], values=[0, 1, 2, 4, 8])
    assert_allclose(other.table["estimate"], [(8 + 4 + 4 + 2) / 4])


def test_stated_importance_beside_derived(data):
    mobi = csi.load_mobi()
    model = csi.models.ecsi()
    fit = csi.fit(model, mobi)
    frame = mobi.data.assign(i1=np.arange(250) % 5 + 1, i2=np.arange(250) % 3 + 3)
    survey = csi.read_survey(
        frame, scale={**dict.fromkeys(mobi.items, (1, 10)), "i1": (1, 5), "i2": (1, 5)}
    )
    result = measures.stated_importance(
        survey, importance=["i1", "i2"], performance=["PERQ1", "CUSA1"],
        fit=fit, target="Satisfaction",
    )  # fmt: skip
    derived = csi.importance_performance(fit, "Satisfaction")["importance"]
    assert_allclose(result.standing["derived"], [derived["Quality"], np.nan])
    gaps = (frame["i1"] - 1) * 25 - (frame["PERQ1"] - 1) * 100 / 9
    assert_allclose(result.table.loc["PERQ1", ["estimate", "se"]].astype(float),
                    [gaps.mean(), stats.sem(gaps)])  # fmt: skip
    assert sorted(result.standing["rank"]) == [1, 2]
    with pytest.raises(OptionError, match=r"^fit= and target= go together"):
        measures.stated_importance(survey, importance="i1", performance="PERQ1", fit=fit)


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda d: measures.disconfirmation(d, perceived=["a", "b"], expected="c"), OptionError,
         r"^perceived names 2 columns and expected 1; give as many of each, pair by pair"),
        (lambda d: measures.disconfirmation(d, perceived="a", expected="c", dimensions={"x": "b"}),
         OptionError, r"^Dimension 'x' names 'b', which is no perceived column"),
        (lambda d: measures.disconfirmation(d, perceived="a", expected="c", dimensions=["a"]),
         OptionError, r"^dimensions=\['a'\] must give the perceived columns of each dimension"),
        (lambda d: measures.disconfirmation(d, perceived="a", expected="c", dimensions={"a": "a"}),
         OptionError, r"^Dimension 'a' has the name of another row of the table"),
        (lambda d: measures.service_gap(d, perceived="a", expected="c", importance=["a", "b"]),
         OptionError, r"^importance names 2 columns and perceived 1; give one for each item"),
        (lambda d: measures.service_gap(d, perceived="a", expected="c", importance={"b": 1}),
         OptionError, r"^importance names 'b', which is no perceived column"),
        (lambda d: measures.service_gap(d, perceived="a", expected="c", importance={"a": 0}),
         OptionError, r"^importance has 0 for 'a'; give a number above 0 for each"),
        (lambda d: measures.weighted_satisfaction(d, satisfaction=["a", "b"], importance="c"),
         OptionError, r"^satisfaction names 2 columns and importance 1; give as many of each, attr"),
        (lambda d: measures.weighted_satisfaction(d, satisfaction="a", importance="m"),
         SurveyError, r"^Importance holds numbers below 0; a weight is 0 or more"),
        (lambda d: measures.stated_importance(d, importance="a", performance="b"), SurveyError,
         r"^The scale of 'a' is unknown; give its lowest and highest answer, such as importance_sc"),
        (lambda d: measures.stated_importance(d, importance="a", performance="b",
                                              importance_scale=(1, 2)),
         SurveyError, r"^importance_scale from 1 to 2 does not hold all answers to 'a'"),
    ],
)  # fmt: skip
def test_pairs_that_do_not_fit_are_named(call, error, sentence):
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [2, 2, 1], "c": [3, 3, 2], "m": [-1, 1, 1]})
    with pytest.raises(error, match=sentence):
        call(frame)


def test_profiles_are_drawn(data, brands):
    compared = measures.comparison(survey_of(data, {}), ["CUSA1", "CUSA2"], by="region")
    figure = csi.plots.profile(compared.table, title="Regions")
    assert [text.get_text() for text in figure.axes[0].texts] == ["E", "N", "S"]
    assert len(figure.axes[0].lines) == 3
    level = measures.satisfaction_level(brands, by="brand")
    lines = csi.plots.profile(level.attributes).axes[0].lines
    assert list(lines[0].get_xdata()) == [40, 20, 60, -20, 0, 40]
    many = pd.DataFrame(
        {"estimate": np.arange(30.0)}, pd.MultiIndex.from_product([range(30), ["q"]])
    )
    with pytest.raises(OptionError, match=r"^table has 30 groups, and no more than"):
        csi.plots.profile(many)


def test_customer_value_adds_up(data):
    survey = survey_of(data, {})
    result = measures.customer_value(
        survey, value=["CUSA1", "CUSA2"], cost=["CUSL1", "CUSL3"], by="sex"
    )
    table = result.table["estimate"].unstack()
    assert_allclose(table[["CUSA1", "CUSA2", "CUSL1", "CUSL3"]].sum(axis=1), table["difference"])
    totals = result.totals["estimate"].unstack()
    assert_allclose(totals["total value"] - totals["total cost"], table["difference"])
    assert_allclose(totals["total value"] / totals["total cost"], result.ratio["estimate"])
    shares = result.contributions["estimate"].unstack()
    assert_allclose(shares[["CUSA1", "CUSA2"]].sum(axis=1), 1.0)
    assert_allclose(shares[["CUSL1", "CUSL3"]].sum(axis=1), 1.0)
    ratio = measures.value_balance(
        csi.read_survey(data.assign(v=data["CUSA1"] + data["CUSA2"], c=data["CUSL1"] + data["CUSL3"]),
                        weights="weight"), "v", "c", by="sex"
    )  # fmt: skip
    assert_allclose(result.ratio["se"], ratio.table["se"].xs("ratio of means", level="ratio"))
    with pytest.raises(OptionError, match=r"^Column 'a' is given as a value and as a cost"):
        measures.customer_value(pd.DataFrame({"a": [1, 2]}), value="a", cost="a")


@pytest.fixture(scope="module")
def customers():
    rng = np.random.default_rng(5)
    sales = rng.lognormal(0.0, 1.0, 800).round(3)
    return pd.DataFrame({
        "sales": sales, "happy": rng.integers(1, 11, 800), "again": rng.integers(0, 2, 800),
        "w": rng.uniform(0.5, 2.0, 800),
    })  # fmt: skip


def test_classes_by_hand():
    frame = pd.DataFrame(
        {"sales": [50, 20, 5, 5, 5, 5, 4, 3, 2, 1], "mood": [2, 9, 9, 1, 9, 9, 9, 9, 9, 3]}
    )
    result = measures.abc_classes(frame, "sales", satisfaction="mood", dissatisfied_to=4)
    assert "".join(result.classes) == "AABBBBCCCC"  # equal sales stay together
    assert_allclose(result.table["estimate"], [0.7, 0.2, 0.1])
    assert list(result.customers["customers"]) == [2, 4, 4]
    assert_allclose(result.customers["share_of_customers"], [0.2, 0.4, 0.4])
    assert list(result.customers["sales_at_risk"]) == [50, 5, 1]
    assert list(result.at_risk["sales"]) == [50, 5, 1]
    assert list(result.at_risk["class"]) == ["A", "B", "C"]
    assert_allclose(result.by_class["estimate"], [5.5, 7.0, 7.5])
    x = np.array(frame["sales"], float)
    gini = np.abs(x[:, None] - x).mean() / (2 * x.mean())
    assert_allclose(result.gini["estimate"], gini)
    assert_allclose(result.lorenz["sales"].iloc[[0, 4, -1]], [0, 0.1, 1])
    by_sales = measures.abc_classes(frame, "sales", cut="sales", shares=(0.65, 0.2))
    assert "".join(by_sales.classes) == "AABBBBCCCC"
    assert_allclose(by_sales.table["estimate"], [0.2, 0.4, 0.4])
    shuffled = frame.sample(frac=1.0, random_state=1)
    pd.testing.assert_series_equal(
        measures.abc_classes(shuffled, "sales").classes.sort_index(), result.classes
    )


def test_a_weight_is_so_many_customers(customers):
    whole = customers.assign(w=np.arange(800) % 3 + 1)
    weighted = measures.abc_classes(csi.read_survey(whole, weights="w"), "sales")
    repeated = measures.abc_classes(
        whole.loc[whole.index.repeat(whole["w"])].reset_index(), "sales"
    )
    assert_allclose(weighted.table["estimate"], repeated.table["estimate"])
    assert_allclose(weighted.gini["estimate"], repeated.gini["estimate"])


@pytest.mark.parametrize("cut", ["customers", "sales"])
def test_errors_of_concentration_are_those_of_draws(customers, cut):
    for data in (customers, csi.read_survey(customers, weights="w")):
        result = measures.abc_classes(data, "sales", cut=cut)
        assert_allclose(result.bootstrap(1500, 1)["se"], result.table["se"], rtol=0.15)
        assert_allclose(result.concentration.bootstrap(1500, 1)["se"], result.gini["se"], rtol=0.1)


def test_classes_that_cannot_be_are_refused(customers):
    for call, error, sentence in (
        (lambda: measures.abc_classes(customers.assign(sales=-1), "sales"), SurveyError, "holds 800 negative sales"),
        (lambda: measures.abc_classes(customers.assign(sales=0), "sales"), SurveyError, "holds no sales above 0"),
        (lambda: measures.abc_classes(customers, "sales", shares=(0.6, 0.5)), OptionError, "must leave something for"),
        (lambda: measures.abc_classes(customers, "sales", shares=(0.0, 0.5)), OptionError, r"^shares=0.0 must be a n"),
        (lambda: measures.abc_classes(customers, "sales", dissatisfied_to=3), OptionError, "needs satisfaction="),
        (lambda: measures.abc_classes(customers, "sales", cut="rows"), OptionError, r"^cut='rows' is not known"),
        (lambda: measures.abc_classes(customers, "sales").by_class, OptionError, "^No outcome was named"),
    ):  # fmt: skip
        with pytest.raises(error, match=sentence):
            call()


def test_the_scorecard_of_an_enterprise(data):
    frame = data.assign(
        praise=data["CUSA1"] > 8, loud=(data["CUSA2"] < 4) * 1, mute=(data["CUSA2"] == 4) * 1
    )
    survey = csi.read_survey(frame, weights="weight", strata="stratum", cluster="psu")
    card = measures.enterprise_index(
        survey, favourability="praise", complaints="loud", silent_complaints="mute", by="sex",
        benchmark={"favourability": 0.25}, composite={"favourability": 2, "all complaints": -1},
    )  # fmt: skip
    table = card.table["estimate"].unstack()
    assert_allclose(
        table["complaint rate"] + table["silent complaint rate"], table["all complaints"]
    )
    assert_allclose(card.benchmarks["estimate"], table["favourability"] - 0.25)
    assert_allclose(card.score["estimate"], 2 * table["favourability"] - table["all complaints"])
    top = measures.top_box(csi.read_survey(survey, scale={"CUSA1": (1, 10)}), "CUSA1", by="sex")
    own = card.table.xs("favourability", level="rate")
    assert_allclose(own[["estimate", "se", "lower", "upper"]],
                    top.table[["estimate", "se", "lower", "upper"]])  # fmt: skip
    assert len(card.differences) == 4
    for call, error, sentence in (
        (lambda: measures.enterprise_index(frame), OptionError, "^No rate was named"),
        (lambda: measures.enterprise_index(frame, returns="CUSA1"), SurveyError, "given as return rate, holds"),
        (lambda: measures.enterprise_index(frame, returns="mute", benchmark={"x": 1}), OptionError, "^benchmark names 'x'"),
        (lambda: measures.enterprise_index(frame, returns="mute", composite={"return rate": 0}), OptionError, "^composite gives no rate"),
        (lambda: measures.enterprise_index(frame, returns="mute").score, OptionError, "^No weights were given"),
        (lambda: measures.enterprise_index(frame, returns="mute").benchmarks, OptionError, "^No benchmark was given"),
    ):  # fmt: skip
        with pytest.raises(error, match=sentence):
            call()


def test_the_lorenz_curve_is_drawn(customers):
    figure = csi.plots.lorenz(measures.abc_classes(customers, "sales"), title="Sales")
    curve = figure.axes[0].lines[1]
    assert curve.get_ydata()[-1] == 1.0
    assert len(curve.get_xdata()) == 801


def branches_of(rng, count, slope=0.6, n=(8, 40)):
    truth = rng.normal(65, 5, count)
    customers = 30 + slope * truth + rng.normal(0, 2, count)
    tables = []
    for level in (customers, truth):
        se = 15 / np.sqrt(rng.integers(*n, count))
        tables.append(pd.DataFrame({"estimate": rng.normal(level, se), "se": se}))
    return tables


def test_a_slope_across_branches_is_that_of_the_truth():
    table = measures.branch_regression(*branches_of(np.random.default_rng(1), 20_000)).table
    assert abs(table.loc["slope", "estimate"] - 0.6) < 3 * table.loc["slope", "se"] < 0.05
    assert table.loc["slope, errors ignored", "estimate"] < 0.5
    assert_allclose(table.loc["explained", "estimate"], 9 / 13, atol=0.03)
    rng = np.random.default_rng(2)
    covered = []
    for _ in range(200):
        row = measures.branch_regression(*branches_of(rng, 80)).table.loc["slope"]
        covered.append(row["lower"] < 0.6 < row["upper"])
    assert 0.90 <= np.mean(covered) <= 0.99


def test_a_slope_without_errors_is_least_squares():
    customers, staff = branches_of(np.random.default_rng(3), 30)
    table = measures.branch_regression(customers, staff.assign(se=0.0)).table
    slope = stats.linregress(staff["estimate"], customers["estimate"]).slope
    assert_allclose(table["estimate"].iloc[:2], [slope, slope])


def test_branches_that_do_not_fit_are_named():
    good = pd.DataFrame({"estimate": [1.0, 2, 3, 4], "se": 0.1})
    same = measures.branch_regression(good, good.assign(se=9.0))
    (finding,) = same.findings
    assert row_of(finding).code == "no-difference-of-branches"
    assert np.isnan(same.table.loc["slope", "estimate"])
    for table, error, sentence in (
        (good.drop(columns="se"), OptionError, "^staff must have columns estimate"),
        (good.set_axis([0, 0, 1, 2]), OptionError, "^staff has several rows of one branch"),
        (good.assign(se="a"), OptionError, "^staff has an estimate or se that is no number"),
        (good.assign(se=-1.0), SurveyError, "^staff has an error below 0"),
        (good.set_axis(list("abcd")), SurveyError, "^0 branches are in both tables"),
    ):
        with pytest.raises(error, match=sentence):
            measures.branch_regression(good, table)


def test_word_of_mouth_of_the_dissatisfied():
    frame = pd.DataFrame({
        "spoke": [0, 0, 0, 0, 1, 1, 1, 0], "how": [None] * 4 + [1, 9, 9, None],
        "again": [9, 9, 2, 3, 1, 8, 9, 9], "mood": [9, 9, 2, 1, 2, 9, 8, 9],
        "told": [None, 0, 10, 20, 6, 4, 2, None],
    })  # fmt: skip
    options = {"complained": "spoke", "handling": "how", "repurchase": "again", "scale": (1, 10),
               "well_from": 8, "satisfied_from": 8, "dissatisfied_to": 4}  # fmt: skip
    complaints = csi.outcomes.complaint_repurchase(frame, satisfied="mood", told="told", **options)
    table = complaints.word_of_mouth
    assert_allclose(table["estimate"], [42 / 5, 12 / 3, 30 / 2, 42 / 8])
    assert list(table["n"]) == [5, 3, 2, 8]
    assert_allclose(table["se"].iloc[0], stats.sem([10, 20, 6, 4, 2]))
    assert "Word of mouth" in str(complaints.summary())
    with pytest.raises(OptionError, match=r"^told= is about the dissatisfied"):
        csi.outcomes.complaint_repurchase(frame, told="told", **options)
    with pytest.raises(SurveyError, match=r"^Told 'told' holds 1 numbers below 0"):
        csi.outcomes.complaint_repurchase(
            frame.assign(told=[-1, *frame["told"][1:]]), satisfied="mood", told="told", **options
        )


def test_the_literature_is_complete():
    table = csi.literature.table()
    for name, value in {
        "repurchase_at_70": 0.7674, "persons_told": 10, "worth_of_fully_satisfied": 10,
        "willingness_of_satisfied": 6, "recommended_share": 0.6, "left_for_indifference": 0.7,
        "left_for_price": 0.15, "left_for_product": 0.15,
    }.items():  # fmt: skip
        assert table.loc[name, "value"] == value
        assert getattr(csi.literature, name).caveat
    low, slope = table.loc["repurchase_at_67", "value"], table.loc["repurchase_per_point", "value"]
    assert_allclose(low + 3 * slope, table.loc["repurchase_at_70", "value"])


@pytest.mark.parametrize("design", [{}, {"cluster": "c"}, {"weights": "w"}, "jkn"])
@pytest.mark.parametrize("measure", [measures.net_promoter, measures.top_box])
def test_a_group_without_an_error_has_no_difference_with_one(design, measure):
    rng = np.random.default_rng(3)
    groups = np.repeat(["alike", "alone", "some", "others"], [4, 1, 20, 20])
    frame = pd.DataFrame({"q": rng.integers(0, 11, 45).astype(float), "g": groups})
    frame = frame.assign(c=np.arange(45) // 3, w=rng.uniform(0.5, 2.0, 45))
    frame.loc[:3, "q"] = 10.0
    scale = {"scale": (0, 10), "items": ["q"]}
    if design == "jkn":
        survey = csi.replicate_weights(csi.read_survey(frame, **scale), "jk1")
    else:
        survey = csi.read_survey(frame, **scale, **design)
    own = measure(survey, "q", by="g")
    table = own.differences
    without = [bool({"alike", "alone"} & {str(label) for label in row}) for row in table.index]
    assert sum(without) == 5
    assert table.loc[without, ["lower", "upper", "p"]].isna().all(axis=None)
    assert (table.loc[without, "reason"] != "").all()
    known = table[~np.array(without)]
    assert known[["se", "lower", "upper", "p"]].notna().all(axis=None)
    assert (known["reason"] == "").all()


def test_the_difference_of_a_group_in_few_clusters_has_no_more_df_than_its_error():
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(30), 20)
    y = 5 + rng.normal(0, 1, 30)[cluster] + rng.normal(0, 1, 600)
    rare = (cluster < 3) & (np.arange(600) % 20 < 10)
    frame = pd.DataFrame({"c": cluster, "g": np.where(rare, "C", "A"), "y": y})
    survey = csi.read_survey(frame, cluster="c", items=["y"], scale=(-100, 100))
    result = measures.comparison(survey, "y", by="g")
    own = result.table.droplevel("item") if "item" in result.table.index.names else result.table
    a, b = 1 / 570, 1 / 30  # variances by size: estimated ones of 3 clusters tell nothing
    m, n = own.loc[["A", "C"], "df"].astype(float)
    assert (m, n) == (29, 2)
    assert_allclose(result.differences["df"].iloc[0], (a + b) ** 2 / (a**2 / m + b**2 / n))


@pytest.mark.parametrize("name", ["clusters_only", "full"])
def test_the_difference_of_groups_in_all_clusters_keeps_the_df_of_the_design(data, name):
    both = data.assign(half=np.arange(len(data)) % 2)
    row = measures.top_box(survey_of(both, DESIGNS[name]), "CUSA1", by="half").differences.iloc[0]
    assert row["df"] == survey_of(both, DESIGNS[name]).answers({"S": ["CUSA1"]}).design.df


def test_limits_of_who_is_above_balance_are_those_of_shares(data):
    shares = measures.value_balance(data, "CUSA1", "CUSA2").shares
    count = int((data["CUSA1"] < data["CUSA2"]).sum())
    interval = stats.binomtest(count, len(data)).proportion_ci(method="wilson")
    assert_allclose(shares["estimate"].iloc[0], count / len(data))
    assert_allclose(shares[["lower", "upper"]].iloc[0], [interval.low, interval.high], rtol=1e-10)
