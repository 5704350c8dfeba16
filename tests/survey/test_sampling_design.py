"""Errors under a sampling design: R's survey, degrees of freedom, and where there is no error."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from wordings import row_of

import csimodel as csi
from csimodel.estimators import find
from csimodel.findings import collected
from csimodel.index import design_effects
from csimodel.inference import influence, influence_values
from csimodel.moments import CrossProducts
from csimodel.survey.sampling import SurveyDesign

HERE = Path(__file__).parents[1] / "reference"
MODEL = csi.Model.from_syntax("A =~ CUSA1\nB =~ CUSL1\nC =~ index\nB ~ A\nC ~ A")
SCALE = {"CUSA1": (0, 1), "CUSL1": (0, 1), "index": (0, 100)}
DESIGNS = {
    "weights_only": {},
    "strata_only": {"strata": "stratum"},
    "clusters_only": {"cluster": "psu"},
    "full": {"strata": "stratum", "cluster": "psu"},
    "full_fpc": {"strata": "stratum", "cluster": "psu", "population": "fpc"},
    "brr_design": {"strata": "stratum2", "cluster": "psu2"},
}


@pytest.fixture(scope="module")
def data():
    return pd.read_csv(HERE / "mobi_survey_data.csv")


def survey_of(data, **design):
    scale = {"CUSA1": (1, 10), "CUSL1": (1, 10), "index": (0, 100)}
    return csi.read_survey(data, scale=scale, items=list(scale), weights="weight", **design)


def means(table):
    """Back from points to answers: the index of a single item is its mean."""
    width = np.array([9.0, 9.0, 100.0])
    return table.loc[["A", "B", "C"]].assign(
        mean=lambda t: t["mean"] * width / 100 + [1, 1, 0], se=lambda t: t["se"] * width / 100
    )


@pytest.mark.parametrize("name", DESIGNS)
def test_means_have_the_errors_of_r(reference, data, name):
    theirs = reference("mobi_survey_means.json")["linearised"][name]
    order = [theirs["mean"]["names"].index(item) for item in ("CUSA1", "CUSL1", "index")]
    fit = csi.fit(MODEL, survey_of(data, **DESIGNS[name]))
    table = csi.index_scores(fit)
    ours = means(table)
    assert_allclose(ours["mean"], np.array(theirs["mean"]["estimate"])[order], rtol=1e-12)
    assert_allclose(ours["se"], np.array(theirs["mean"]["se"])[order], rtol=1e-8)
    assert (table["df"] == theirs["degf"]).all()
    lower = np.array(theirs["mean"]["ci_t_lower"])[order[2]]
    upper = np.array(theirs["mean"]["ci_t_upper"])[order[2]]
    assert_allclose(table.loc["C", ["lower", "upper"]].to_numpy(float), [lower, upper], rtol=1e-8)


@pytest.mark.parametrize("name", DESIGNS)
def test_design_effects_are_those_of_r(reference, data, name):
    theirs = reference("mobi_survey_means.json")["linearised"][name]["mean"]
    effects = design_effects(csi.fit(MODEL, survey_of(data, **DESIGNS[name])))
    # R's simple random sample is without replacement from a population of the sum of weights.
    share = 1.0 - len(data) / data["weight"].sum()
    ours = effects["design_effect"].loc[["C", "A", "B"]] / share
    assert_allclose(ours, theirs["deff"], rtol=1e-8)
    assert_allclose(effects["effective_n"], 250 / effects["design_effect"])


@pytest.mark.parametrize("name", DESIGNS)
def test_means_of_regions_have_the_errors_of_r(reference, data, name):
    theirs = reference("mobi_survey_means.json")["linearised"][name]["by_region"]
    fit = csi.fit(MODEL, survey_of(data, **DESIGNS[name]))
    table = csi.index_scores(fit, by="region").xs("C", level="construct")
    assert list(table.index) == theirs["region"]
    assert_allclose(table["mean"], theirs["mean"], rtol=1e-12)
    assert_allclose(table["se"], theirs["se"], rtol=1e-8)


def test_lonely_strata_are_treated_as_in_r(reference, data):
    theirs = reference("mobi_survey_means.json")["lonely_psu"]
    eighth = data["stratum"] == 8
    kept = data[~eighth | (data["psu"] == data.loc[eighth, "psu"].min())].reset_index(drop=True)
    for lonely in ("adjust", "average", "certainty", "remove"):
        survey = survey_of(kept, strata="stratum", cluster="psu", lonely=lonely)
        fit = csi.fit(MODEL, survey)
        row = csi.index_scores(fit).loc["C"]
        assert_allclose([row["mean"], row["se"]], [theirs[lonely][k] for k in ("mean", "se")], 1e-8)
        jackknife = csi.jackknife(fit).table("index").loc["C", "se"]
        assert_allclose(jackknife, row["se"], rtol=0.03)
        (finding,) = [f for f in fit.diagnostics if f.code == "lonely-strata"]
        assert finding.values["lonely"] == lonely
        assert row_of(finding).case == lonely
        drawn = csi.bootstrap(fit, 1500, rng=1, progress=False).table("index").loc["C", "se"]
        assert_allclose(drawn, row["se"], rtol=0.08)
    with pytest.raises(
        csi.errors.SurveyError,
        match=r"^1 of 8 strata of 'stratum' hold a single cluster or respondent \(lonely='fail'\); ",
    ):
        csi.fit(MODEL, survey_of(kept, strata="stratum", cluster="psu", lonely="fail"))
    with pytest.raises(
        csi.errors.OptionError, match=r"^lonely='carry on' is not known; use one of 'fail',"
    ):
        survey_of(kept, lonely="carry on")


def test_adjusting_a_lonely_stratum_widens_where_certainty_narrows(population, chain):
    """Most strata of one row: as wide as without strata, not as if they did not vary."""
    rows = population(120).assign(s=np.r_[np.arange(100), np.full(20, 200)])
    scale = {"scale": (-20, 20), "items": list(chain.items)}
    plain, adjusted, certain = (
        csi.index_scores(csi.fit(chain, csi.read_survey(rows, **scale, **design)))["se"]
        for design in ({}, {"strata": "s"}, {"strata": "s", "lonely": "certainty"})
    )
    assert_allclose(adjusted, plain, rtol=0.1)
    assert (certain < 0.6 * plain).all()


@pytest.mark.parametrize("source", ["influence", "bootstrap"])
def test_what_lies_in_one_unit_has_no_error(population, chain, source):
    rows = population(60).assign(
        shop=np.repeat(np.arange(6), 10), town=["x"] * 10 + ["y"] * 49 + ["z"]
    )
    scale = {"scale": (-20, 20), "items": list(chain.items)}
    for design in ({"cluster": "shop"}, {}):
        fit = csi.fit(chain, csi.read_survey(rows, **scale, **design))
        draws = csi.bootstrap(fit, 60, rng=1, progress=False) if source == "bootstrap" else None
        with collected() as findings:
            table = csi.index_scores(fit, by="town", bootstrap=draws)
        assert "small-groups" in {finding.code for finding in findings}
        alone = ["z", "x"] if design else ["z"]
        for town in ("x", "y", "z"):
            part = table.loc[town]
            assert part["mean"].notna().all()
            assert part["se"].isna().all() == (town in alone)
            assert part["lower"].isna().all() == (town in alone)
            assert ((part["reason"] != "") == (town in alone)).all()
            assert ((part["df"] == 0) == (town in alone)).all()


def test_one_cluster_has_estimates_and_no_errors(population, chain):
    rows = population(60).assign(shop="only")
    fit = csi.fit(
        chain, csi.read_survey(rows, cluster="shop", scale=(-20, 20), items=list(chain.items))
    )
    boot = csi.bootstrap(fit, 60, rng=1, progress=False)
    tables = [csi.index_scores(fit), csi.index_scores(fit, bootstrap=boot)]
    tables += [
        boot.table("paths", interval=kind)
        for kind in ("percentile", "basic", "normal", "t", "studentized", "bc", "bca")
    ]
    for table in tables:
        assert table[["se", "lower", "upper"]].isna().all(axis=None)
        assert (table["reason"] != "").all()
    assert [f.code for f in boot.findings] == ["no-degrees-of-freedom"]
    assert "no-degrees-of-freedom" in [f.code for f in fit.diagnostics]


def test_a_unit_without_which_nothing_is_left_leaves_no_jackknife_error():
    """One of 80 complained: the index of complaints is a mean, with a mean's error."""
    rng = np.random.default_rng(3)
    u = rng.normal(size=80)
    rows = pd.DataFrame(
        {c: np.clip(np.round(5.5 + 1.2 * u + rng.normal(size=80)), 1, 10) for c in "abcd"}
    ).assign(complained=0)
    rows.loc[5, "complained"] = 1
    model = csi.Model.from_syntax("Q =~ a+b\nS =~ c+d\nK =~ complained\nS ~ Q\nK ~ S")
    fit = csi.fit(
        model,
        csi.read_survey(rows, scale={**dict.fromkeys("abcd", (1, 10)), "complained": (0, 1)}),
    )
    share = 1 / 80
    table = csi.index_scores(fit)
    assert_allclose(table.loc["K", "se"], 100 * np.sqrt(share * (1 - share) / 79), rtol=1e-7)
    jackknife = csi.jackknife(fit)
    left_out = jackknife.table("index")
    assert left_out[["bias", "se", "lower", "upper"]].isna().all(axis=None)
    assert (left_out["reason"] != "").all()
    (finding,) = jackknife.findings
    assert (finding.code, finding.severity, finding.count) == ("lost-units", "failure", 1)


def test_degrees_of_freedom_of_groups_are_units_less_strata():
    design = SurveyDesign.of(
        8, np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.array([0, 0, 1, 2, 3, 3, 4, 5])
    )
    codes = np.array([0, 0, 1, 1, 0, 1, 1, -1])
    assert design.df == 4
    assert design.degrees(codes, 3).tolist() == [0, 2, 0]
    assert SurveyDesign.of(4).degrees(np.array([0, 0, 0, 1]), 2).tolist() == [2, 0]


def test_draws_that_are_alike_for_want_of_clusters_say_nothing():
    """Two clusters, and one of them alone has no solution: every usable draw is the other."""
    rng = np.random.default_rng(1)
    u = rng.normal(size=120)
    rows = pd.DataFrame({c: np.round(5 + u + rng.normal(size=120)) for c in "abcd"})
    rows.loc[:59, "a"] = 5
    rows["firm"] = np.repeat([0, 1], 60)
    survey = csi.read_survey(rows, cluster="firm", items=list("abcd"), scale=(-10, 20))
    fit = csi.fit(csi.Model.from_syntax("A =~ a + b\nB =~ c + d\nB ~ A"), survey)
    boot = csi.bootstrap(fit, 200, rng=1, progress=False)
    assert 0 < boot.usable.sum() < 200
    table = boot.table("paths")
    assert table[["se", "lower", "upper", "p"]].isna().all(axis=None)
    assert table["reason"].tolist() == ["nothing varies, which says nothing of the error"]


def test_what_is_the_same_in_every_sample_is_marked(fit, boot):
    table = boot.table("loadings").xs("Complaints", level="construct")
    assert table[["se", "p"]].fillna(-1).to_numpy(float).tolist() == [[0.0, -1.0]]
    assert table["reason"].tolist() == ["the same in every sample, by construction"]
    assert table["lower"].tolist() == table["estimate"].tolist()


def test_influence_values_are_the_limit_of_leaving_out(ecsi, mobi):
    """Pulls of the jackknife are influence values to order 1/n; all rows eight times."""
    rows = pd.concat([mobi.data] * 8, ignore_index=True)
    fit = csi.fit(ecsi, csi.read_survey(rows, scale=(1, 10)))
    jackknife = csi.jackknife(fit)
    for quantity in ("paths", "r2", "weights", "htmt", "index", "total_effects"):
        values, pulls = influence_values(fit, quantity), jackknife.deviations(quantity)
        size = np.abs(pulls).max()
        assert_allclose(values.sum(axis=0), 0, atol=1e-4 * size)
        assert_allclose(values, pulls, atol=0.015 * size)
        assert_allclose(values.std(axis=0), pulls.std(axis=0), rtol=0.015, atol=1e-9)


@pytest.mark.parametrize(("missing", "share"), [("error", 0.0), ("mean", 0.05), ("pairwise", 0.05)])
def test_both_ways_to_influence_values_agree(ecsi, mobi, missing, share):
    """Along units, and by the gradient of sums; with weights, one of them dominating."""
    rng = np.random.default_rng(0)
    data = mobi.data.astype(float).mask(rng.random(mobi.data.shape) < share)
    data["w"] = np.r_[40.0, rng.uniform(0.5, 2, 249)]
    survey = csi.read_survey(
        data, scale=(1, 10), items=list(ecsi.items), weights="w", missing=missing
    )
    fit = csi.fit(ecsi, survey)
    refits, products = influence._Refits(fit, find("index")), CrossProducts.of(fit.answers)
    along = influence._along_units(refits, products, fit.answers.design)
    by_gradient = influence._by_gradient(refits, products, fit.answers.design)
    assert_allclose(along, by_gradient, atol=2e-6 * np.abs(along).max())
