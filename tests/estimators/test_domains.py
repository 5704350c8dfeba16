"""A group of a survey is a domain of its design (R's survey: `scripts/mobi_domains.R`)."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import OptionError
from csimodel.estimators.groups import group_codes
from csimodel.index import leading_group
from csimodel.index.by_group import group_draws
from csimodel.outcomes import repurchase_segments
from csimodel.weighting import trim

REFERENCE = Path(__file__).parents[1] / "reference"
R = json.loads((REFERENCE / "mobi_domains.json").read_text(encoding="utf-8"))["designs"]
DATA = pd.read_csv(REFERENCE / "mobi_survey_data.csv")
FEW = ((DATA["stratum"] == 1) & (DATA["psu"] == 4)) | (DATA["stratum"] == 2)
DATA = DATA.assign(
    few=np.where(FEW, "few", np.where(DATA["stratum"] == 3, "third", "rest")),
    all_units=400,
    unit=DATA["stratum"] * 100 + DATA["psu"],
)
ITEMS = ["CUSA1", "CUSA2", "CUSA3"]
SINGLE = csi.Model(
    tuple(csi.reflective(item, [item]) for item in ITEMS),
    [("CUSA1", "CUSA2"), ("CUSA2", "CUSA3")],
)
MARGINS = {"sex": {"f": 5200, "m": 4800}, "age": {"18-34": 2900, "35-54": 3700, "55+": 3400}}
CLUSTERED = {"strata": "stratum", "cluster": "psu"}
DESIGNS = {
    "clustered": CLUSTERED,
    "finite": CLUSTERED | {"population": "fpc"},
    "two": CLUSTERED | {"population": "fpc", "subpopulation": "all_units"},
    "clusters": {"cluster": "unit"},
    "raked": CLUSTERED,
    "raked_finite": CLUSTERED | {"population": "fpc"},
    "raked_weights": {},
}


def survey(name="clustered", data=DATA):
    plain = csi.read_survey(
        data, scale=(1, 10), items=ITEMS, weights="weight", lonely="fail", **DESIGNS[name]
    )
    return csi.rake(plain, MARGINS) if name.startswith("raked") else plain


def means(table):
    return table.rename(columns={"mean": "estimate"}).loc[ITEMS]


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("group", ["few", "rest", "third"])
def test_a_group_alone_has_the_errors_of_a_domain(name, group):
    fits = csi.fit_groups(SINGLE, survey(name), "few")
    theirs = R[name]["domains"][group]
    tables = (
        csi.linearize(fits[group]).table("index"),
        csi.index_scores(fits[group]),
        csi.index_scores(fits).loc[group],
        csi.linearize(fits).table("index").loc[group],
        csi.linearize({group: fits[group]}).table("index").loc[group],
    )
    for table in map(means, tables):
        np.testing.assert_allclose(table["estimate"], (np.array(theirs["mean"]) - 1) * 100 / 9)
        np.testing.assert_allclose(table["se"], np.array(theirs["se"]) * 100 / 9, rtol=2e-8)
        assert (table["df"] == theirs["degf"]).all()
    assert "calibration-not-used" not in {own.code for own in fits.findings}


@pytest.mark.parametrize("name", [name for name in DESIGNS if name not in ("two", "clusters")])
@pytest.mark.parametrize("group", ["few", "rest", "third"])
def test_regressions_of_a_group_alone_are_those_of_a_domain(name, group):
    fit = csi.fit_groups(SINGLE, survey(name), "few")[group]
    rep = csi.repurchase(fit, "rep01", index=DATA["index"], family="ols", scale=(0, 1))
    theirs = R[name]["domains"][group]
    np.testing.assert_allclose(rep.coefficients["estimate"], theirs["coef"], rtol=1e-9)
    np.testing.assert_allclose(rep.coefficients["se"], theirs["coef_se"], rtol=1e-8)
    assert (rep.coefficients["df"] == theirs["degf"]).all()


def test_segments_of_a_group_are_domains_of_the_whole():
    read = survey("clustered", DATA.assign(two=np.where(DATA["few"] == "third", "b", "a")))
    fit = csi.fit_groups(SINGLE, read, "two")["a"]
    options = {"index": DATA["index"], "family": "ols", "scale": (0, 1), "curvature": False}
    segments = repurchase_segments(fit, "rep01", by="few", **options).regression
    errors = np.sqrt(np.diagonal(segments.segment_errors.covariance, axis1=1, axis2=2))
    for own, group in zip(errors, ("few", "rest"), strict=True):
        np.testing.assert_allclose(own, R["clustered"]["domains"][group]["coef_se"], rtol=1e-8)


def test_linearized_differences_of_groups_are_those_of_domains():
    for name in ("clustered", "finite", "two", "clusters", "raked", "raked_weights"):
        fits = csi.fit_groups(SINGLE, survey(name), "few")
        for other, theirs in R[name]["difference"].items():
            pair = other.split("_")
            row = csi.linearize(fits).difference(*(("index", own) for own in pair)).loc["CUSA1"]
            assert row["se"] == pytest.approx(theirs * 100 / 9, rel=2e-8), (name, pair)


@pytest.mark.parametrize("options", [CLUSTERED, {"strata": "stratum"}, {"cluster": "unit"}])
def test_draws_of_a_group_are_those_of_the_whole_sample(options):
    """Units without a member are drawn, too, as where the whole sample is drawn again."""
    read = csi.read_survey(DATA, scale=(1, 10), items=ITEMS, weights="weight", **options)
    fit, fits = csi.fit(SINGLE, read), csi.fit_groups(SINGLE, read, "few")
    whole = csi.bootstrap(fit, 200, rng=1, progress=False)
    codes, labels = group_codes(read, "few", np.arange(len(DATA)))
    expected = group_draws(fit, whole, codes, len(labels), progress=False)
    for place, label in enumerate(labels):
        boot = csi.bootstrap(fits[label], 200, rng=1, progress=False)
        np.testing.assert_allclose(
            boot.draws("index"), expected[boot.usable, place], rtol=1e-9, err_msg=label
        )
        assert boot.survey_design.df == csi.linearize(fits[label]).design.df


def test_the_jackknife_of_a_group_leaves_out_units_of_the_whole():
    """By hand: ``Σ_h (m_h - 1)/m_h Σ_u (θ_hu - θ̄_h)²`` over all units of the strata."""
    fits = csi.fit_groups(SINGLE, survey(), "few")
    table = csi.jackknife(fits["few"], progress=False).table("index")
    variance = np.zeros(3)
    for stratum, sample in DATA.groupby("stratum"):
        psus, values = sample["psu"].unique(), []
        for psu in psus:
            own = DATA["stratum"] == stratum
            weight = DATA["weight"] * np.where(own, len(psus) / (len(psus) - 1), 1.0)
            weight = weight.where(~(own & (DATA["psu"] == psu)), 0.0)[DATA["few"] == "few"]
            answers = DATA.loc[DATA["few"] == "few", ITEMS]
            values.append((np.average(answers, axis=0, weights=weight) - 1) * 100 / 9)
        spread = ((values - np.mean(values, axis=0)) ** 2).sum(axis=0)
        variance += (len(psus) - 1) / len(psus) * spread
    np.testing.assert_allclose(table["se"], np.sqrt(variance), rtol=1e-9)
    assert (table["df"] == 3).all()


def test_a_stratum_with_a_unit_of_the_group_alone_is_not_lonely():
    fits = csi.fit_groups(SINGLE, survey(), "few")
    assert "lonely-strata" not in {own.code for own in fits["few"].diagnostics}
    (finding,) = [own for own in fits["few"].diagnostics if own.code == "few-units"]
    assert finding.values["units"] == 5
    assert finding.values["strata"] == 2
    assert finding.values["df"] == 3
    lonely = DATA[(DATA["stratum"] > 1) | (DATA["psu"] == 4)]
    read = csi.read_survey(lonely, scale=(1, 10), items=ITEMS, weights="weight", **CLUSTERED)
    fits = csi.fit_groups(SINGLE, read, "few")
    lonely = {"few": 1, "rest": 0, "third": 0}
    for name, fit in fits.items():
        counts = [own.count for own in fit.diagnostics if own.code == "lonely-strata"]
        assert counts == [1] * lonely[name]


def test_a_part_of_respondents_drawn_one_by_one_is_a_sample_of_its_own():
    read = csi.read_survey(DATA, scale=(1, 10), items=ITEMS, weights="weight")
    alone = csi.read_survey(DATA[FEW], scale=(1, 10), items=ITEMS, weights="weight")
    part = csi.linearize(csi.fit_groups(SINGLE, read, "few")["few"]).table("paths")
    pd.testing.assert_frame_equal(part, csi.linearize(csi.fit(SINGLE, alone)).table("paths"))


def test_groups_of_respondents_drawn_one_by_one_have_the_errors_of_each_alone():
    read = csi.read_survey(DATA, scale=(1, 10), items=ITEMS)
    fits = csi.fit_groups(SINGLE, read, "few")
    together = csi.linearize(fits)
    for quantity in ("paths", "index"):
        for group in fits:
            alone = csi.linearize(fits[group]).table(quantity)
            pd.testing.assert_frame_equal(
                together.table(quantity).loc[group], alone, check_names=False, rtol=1e-12
            )
    first, second = (together.table("index").loc[own].loc["CUSA1"] for own in ("few", "rest"))
    row = together.difference(("index", "few"), ("index", "rest")).loc["CUSA1"]
    variance, df = (np.array([own[name] for own in (first, second)]) for name in ("se", "df"))
    assert row["se"] == pytest.approx(np.sqrt((variance**2).sum()), rel=1e-12)
    welch = (variance**2).sum() ** 2 / (variance**4 / df).sum()
    assert row["df"] == pytest.approx(welch, rel=1e-12)
    means = csi.measures.comparison(read, "CUSA1", by="few").differences
    own = means.reset_index().query("group == 'few' and other == 'rest'").iloc[0]
    assert own["se"] * 100 / 9 == pytest.approx(row["se"], rel=1e-9)
    assert own["df"] == pytest.approx(welch, rel=1e-9)


def test_fits_that_share_respondents_covary():
    read = csi.read_survey(DATA, scale=(1, 10), items=ITEMS)
    fit, fits = csi.fit(SINGLE, read), csi.fit_groups(SINGLE, read, "few")
    both = csi.linearize({"all": fit, "few": fits["few"]})
    n, own = len(DATA), fits["few"].answers.values[:, 0]
    covariance = both.vcov("index")
    expected = n / (n - 1) * own.var() / n * (100 / 9) ** 2
    found = covariance.loc[("all", "CUSA1"), ("few", "CUSA1")]
    assert found == pytest.approx(expected, rel=1e-9)


def test_margins_that_were_cut_back_are_not_allowed_for():
    fits = csi.fit_groups(SINGLE, trim(survey("raked"), upper=80), "few")
    plain = csi.linearize(fits["few"]).table("index")
    raked = csi.linearize(csi.fit_groups(SINGLE, survey("raked"), "few")["few"]).table("index")
    assert (plain["se"] != raked["se"]).all()


def test_a_group_with_a_scale_of_two_stages_and_clusters_together():
    """Several groups of a survey of two stages have errors together, as domains of one design."""
    fits = csi.fit_groups(SINGLE, survey("two"), "few")
    assert csi.linearize(fits).table("paths")["se"].gt(0).all()


def test_poisson_draws_of_a_group_are_refused():
    fits = csi.fit_groups(SINGLE, survey("clusters"), "few")
    with pytest.raises(OptionError, match="the whole sample"):
        csi.bootstrap(fits["few"], 10, kind="poisson")


@pytest.mark.parametrize("name", ["raked", "raked_finite", "raked_weights"])
@pytest.mark.parametrize("item_weights", ["own", "pooled", "base"])
def test_errors_of_a_programme_allow_for_margins(name, item_weights):
    """Firms are domains, and periods are; R has the means, and one less the other."""
    order = {"few": 1, "rest": 2, "third": 3}
    read = survey(name, DATA.assign(wave=1, firm="a", period=DATA["few"].map(order)))
    options = {"item_weights": item_weights, "construct": "CUSA1"}
    firms = csi.programme(SINGLE, read, "few", "wave", **options)
    for group, theirs in R[name]["domains"].items():
        rows = firms.scores.loc[("few", group, 1)].loc[ITEMS]
        np.testing.assert_allclose(rows["estimate"], (np.array(theirs["mean"]) - 1) * 100 / 9)
        np.testing.assert_allclose(rows["se"], np.array(theirs["se"]) * 100 / 9, rtol=2e-8)
        np.testing.assert_allclose(rows["df"], theirs["degf"])
    waves = csi.programme(SINGLE, read, "firm", "period", **options)
    change = waves.changes.xs("CUSA1", level="construct").loc[("firm", "a")]
    theirs = R[name]["difference"]["few_rest"]
    se = change.loc[change.index.get_level_values("period") == 2, "se"].iloc[0]
    assert se == pytest.approx(theirs * 100 / 9, rel=2e-8)
    told = {own.code for own in (*firms.findings, *waves.findings)}
    assert "calibration-not-used" not in told


def test_item_weights_of_a_programme_allow_for_margins():
    """The error of a firm by weights of its own is that of its fit, by pooled ones of a group."""
    model = csi.Model.from_syntax("Sat =~ CUSA1 + CUSA2 + CUSA3\nLoy =~ CUSL1 + CUSL2\nLoy ~ Sat")
    data = DATA.assign(wave=1)
    read = csi.rake(csi.read_survey(data, scale=(1, 10), weights="weight", **CLUSTERED), MARGINS)
    scores = csi.programme(model, read, "few", "wave", construct="Sat").scores
    fits = csi.fit_groups(model, read, "few")
    expected = csi.linearize(fits).table("index")["se"]
    own = csi.index_scores(fits)["se"]
    for group in fits:
        np.testing.assert_allclose(scores.loc[("few", group, 1), "se"], expected[group], rtol=1e-6)
        np.testing.assert_allclose(own[group], expected[group], rtol=1e-6)
    pooled = csi.programme(model, read, "few", "wave", item_weights="pooled", construct="Sat")
    whole = csi.linearize(csi.fit(model, read)).table("index", by="few")["se"]
    for group in fits:
        np.testing.assert_allclose(
            pooled.scores.loc[("few", group, 1), "se"], whole[group], rtol=1e-6
        )


@pytest.mark.parametrize("few", [3, 5, 10])
def test_a_difference_to_a_group_in_few_clusters_has_its_degrees_of_freedom(few):
    """Satterthwaite's by size; 2,000 samples reject .038, .054 and .046 (all clusters' df: .17)."""
    rng, cluster = np.random.default_rng(1), np.repeat(np.arange(30), 20)
    data = pd.DataFrame(rng.integers(1, 11, (600, 3)), columns=ITEMS).assign(
        c=cluster, g=np.where(cluster < few, "few", "rest"), wave=1
    )
    read = csi.read_survey(data, scale=(1, 10), items=ITEMS, cluster="c")
    pair = ("index", "few"), ("index", "rest")
    tables = (
        csi.linearize(csi.fit_groups(SINGLE, read, "g")).difference(*pair),
        csi.linearize(csi.fit(SINGLE, read)).difference(*pair, by="g"),
        csi.measures.comparison(read, "CUSA1", by="g").differences,
    )
    programme = csi.programme(SINGLE, read, "g", "wave", construct=ITEMS[0])
    tables += (
        programme.difference(("g", "few", 1), ("g", "rest", 1)),
        leading_group(csi.fit(SINGLE, read), "g", ITEMS[0]).table,
    )
    small, large = 1 / few, 1 / (30 - few)
    expected = (small + large) ** 2 / (small**2 / (few - 1) + large**2 / (29 - few))
    for table in tables:
        np.testing.assert_allclose(table["df"].astype(float), expected)
