"""Errors from influence values: R's survey, the bootstrap, algebra of designs, and refusals."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.estimators import find
from csimodel.estimators.quantities import by_item
from csimodel.inference import influence, influence_values
from csimodel.outcomes import repurchase_segments
from csimodel.outcomes.kernels.group_means import group_means
from csimodel.outcomes.rows.rows import Rows
from csimodel.significance import BY_CONSTRUCTION

HERE = Path(__file__).parents[1] / "reference"
MODEL = csi.Model.from_syntax("A =~ CUSA1\nB =~ CUSL1\nC =~ index\nB ~ A\nC ~ A")
MEANS = csi.Quantity("item_means", by_item, lambda s: s.moments.mean, null=None)
VARIANCE = csi.Quantity(
    "variance",
    lambda model: pd.Index(["index"]),
    lambda s: s.moments.cov[..., 2:3, 2],
    null=None,
)
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


def fit_of(data, **design):
    scale = {"CUSA1": (1, 10), "CUSL1": (1, 10), "index": (0, 100)}
    survey = csi.read_survey(data, scale=scale, items=list(scale), weights="weight", **design)
    return csi.fit(MODEL, survey)


@pytest.mark.parametrize("name", DESIGNS)
def test_means_ratios_and_their_covariances_are_those_of_r(reference, data, name):
    theirs = reference("mobi_survey_design.json")["linearised"][name]
    lin = csi.linearize(fit_of(data, **DESIGNS[name]))
    table = lin.table(MEANS)
    order = [theirs["mean"]["names"].index(item) for item in ("CUSA1", "CUSL1", "index")]
    assert_allclose(table["estimate"], np.array(theirs["mean"]["estimate"])[order], rtol=1e-12)
    assert_allclose(table["se"], np.array(theirs["mean"]["se"])[order], rtol=1e-9)
    assert (table["df"] == theirs["degf"]).all()
    assert_allclose(
        lin.vcov(MEANS), np.array(theirs["mean"]["vcov"])[np.ix_(order, order)], rtol=1e-8
    )
    ratio = lin.ratio((MEANS, "CUSL1"), (MEANS, "CUSA1")).iloc[0]
    assert_allclose(ratio["estimate"], theirs["ratio"]["estimate"], rtol=1e-12)
    assert_allclose(ratio["se"], theirs["ratio"]["se"], rtol=1e-9)
    variance = lin.table(VARIANCE).loc["index"]
    assert_allclose(variance["estimate"], theirs["variance"]["estimate"], rtol=1e-10)
    assert_allclose(variance["se"], theirs["variance"]["se"], rtol=1e-8)


@pytest.mark.parametrize("name", DESIGNS)
def test_a_regression_of_single_items_has_the_errors_of_r(reference, data, name):
    """The path between two single items, times their standard deviations, is a slope."""
    slope = csi.Quantity(
        "slope",
        lambda model: pd.Index(["slope"]),
        lambda s: (s.moments.cov[..., 0, 1] / s.moments.cov[..., 1, 1])[..., None],
    )
    model = csi.Model.from_syntax("L =~ CUSL1\nS =~ index\nL ~ S")
    scale = {"CUSL1": (1, 10), "index": (0, 100)}
    survey = csi.read_survey(
        data, scale=scale, items=list(scale), weights="weight", **DESIGNS[name]
    )
    row = csi.linearize(csi.fit(model, survey)).table(slope).loc["slope"]
    theirs = reference("mobi_survey_design.json")["linearised"][name]["ols"]  # of (CUSL1 - 1)/9
    assert_allclose(row["estimate"] / 9, theirs["coef"][1], rtol=1e-10)
    assert_allclose(row["se"] / 9, theirs["se"][1], rtol=1e-8)


@pytest.mark.parametrize("name", DESIGNS)
def test_ratios_of_groups_are_those_of_r(reference, data, name):
    theirs = reference("mobi_survey_design.json")["linearised"][name]
    survey = fit_of(data, **DESIGNS[name]).survey
    lin = csi.linearize(csi.fit_groups(MODEL, survey, "region"))
    for k, region in enumerate(theirs["by_region"]["region"]):
        pair = [(MEANS, (region, item)) for item in ("CUSL1", "CUSA1")]
        row = lin.ratio(*pair).iloc[0]
        assert_allclose(row["estimate"], theirs["ratio_by_region"]["estimate"][k], rtol=1e-12)
        assert_allclose(row["se"], theirs["ratio_by_region"]["se"][k], rtol=1e-8)


@pytest.mark.parametrize("name", [name for name in DESIGNS if name != "clusters_only"])  # CR2
def test_a_regression_with_controls_has_the_errors_of_r(reference, data, name):
    theirs = reference("mobi_survey_design.json")["linearised"][name]
    frame = data.assign(male=(data["sex"] == "m") * 1.0)
    rep = csi.repurchase(
        fit_of(frame, **DESIGNS[name]), "rep01", index="C", family="ols", scale=(0, 1),
        controls=["CUSCO", "male"],
    )  # fmt: skip
    assert_allclose(rep.coefficients["estimate"], theirs["controls"]["coef"], rtol=1e-9)
    rows, columns = len(frame), len(rep.coefficients)
    alone = np.sqrt((rows - 1) / (rows - columns)) if name == "weights_only" else 1.0  # HC1's
    assert_allclose(rep.coefficients["se"], alone * np.array(theirs["controls"]["se"]), rtol=1e-8)
    fewer = columns - 1 if name == "weights_only" else 0
    assert (rep.coefficients["df"] == theirs["degf"] - fewer).all()


@pytest.mark.parametrize("name", DESIGNS)
def test_groups_and_their_difference_are_those_of_r(reference, data, name):
    theirs = reference("mobi_survey_design.json")["linearised"][name]
    fit = fit_of(data, **DESIGNS[name])
    lin = csi.linearize(fit)
    table = lin.table("index", by="region").xs("C", level="construct")
    assert_allclose(table["estimate"], theirs["by_region"]["mean"], rtol=1e-12)
    assert_allclose(table["se"], theirs["by_region"]["se"], rtol=1e-8)
    scores = csi.index_scores(fit, by="region", bootstrap=lin).xs("C", level="construct")
    assert_allclose(scores["se"], table["se"], rtol=1e-12)
    pair = [("index", (region, "C")) for region in ("N", "S")]
    for row in (
        lin.difference(*pair, by="region").iloc[0],
        csi.linearize(csi.fit_groups(MODEL, fit.survey, "region")).difference(*pair).iloc[0],
    ):
        assert_allclose(row["estimate"], theirs["contrast"]["estimate"], rtol=1e-10)
        assert_allclose(row["se"], theirs["contrast"]["se"], rtol=1e-8)


def test_design_effects_are_those_of_r(reference, data):
    for name in ("weights_only", "full"):
        theirs = reference("mobi_survey_means.json")["linearised"][name]["mean"]
        effects = csi.linearize(fit_of(data, **DESIGNS[name])).deff(MEANS)
        share = 1.0 - len(data) / data["weight"].sum()  # R draws from the sum of weights
        assert_allclose(effects.loc[["index", "CUSA1", "CUSL1"]] / share, theirs["deff"], rtol=1e-8)


@pytest.fixture(scope="module")
def pls(mobi, ecsi):
    return csi.fit(ecsi, mobi)


@pytest.mark.parametrize("survey", ["mobi", pytest.param("acsi2015", marks=pytest.mark.slow)])
def test_errors_are_those_of_10000_draws(mobi, ecsi, survey):
    if survey == "mobi":
        fit = csi.fit(ecsi, mobi)
    else:
        try:
            answers = csi.read_survey(csi.load_acsi2015(), missing="listwise")
        except csi.errors.SurveyError:
            pytest.skip("the public ACSI 2015 file is not on this computer")
        fit = csi.fit(csi.models.acsi(), answers)
    lin, boot = csi.linearize(fit), csi.bootstrap(fit, 10_000, rng=1, progress=False)
    for quantity, bar in (("paths", 0.05), ("total_effects", 0.05), ("index", 0.05)):
        ours, drawn = (errors.table(quantity)["se"] for errors in (lin, boot))
        assert_allclose(ours, drawn, rtol=bar, err_msg=quantity)
    ours, drawn = (errors.table("loadings") for errors in (lin, boot))
    several = ours["se"] > 0
    assert (ours.loc[~several, "reason"] == BY_CONSTRUCTION).all()
    assert_allclose(ours["se"][several], drawn["se"][several], rtol=0.10)


@pytest.mark.parametrize(
    "quantity", ["paths", "index", "loadings", "weights", "r2", "impacts", "htmt", "rho_a"]
)
def test_influence_values_have_six_digits(pls, quantity, monkeypatch):
    """Along units and by the gradient, and against differences that two steps extrapolate."""
    refits = influence._Refits(pls, find(quantity))
    products, design = pls.estimator.samples_of(pls.answers), pls.answers.design
    along = influence._along_units(refits, products, design)
    by_sums = influence._by_gradient(refits, products, design)
    steps = []
    for step in (2e-3, 1e-3):
        monkeypatch.setattr(influence, "_STEP", step)
        steps.append(influence._by_gradient(refits, products, design))
    exact = (4 * steps[1] - steps[0]) / 3
    size = np.abs(exact).max()
    assert np.abs(along - exact).max() < 1e-6 * size
    assert np.abs(by_sums - exact).max() < 1e-6 * size


def test_influence_of_a_mean_is_exact(data):
    fit = fit_of(data)
    w, x = (data[name].to_numpy() for name in ("weight", "CUSA1"))
    exact = w * (x - np.average(x, weights=w)) / w.sum()
    assert_allclose(influence_values(fit, MEANS)[:, 0], exact, rtol=1e-8, atol=1e-11)


def test_differences_follow_from_covariances(pls):
    lin = csi.linearize(pls)
    a, b = ("paths", ("Loyalty", "Satisfaction")), ("index", "Image")
    both = [("paths", "Loyalty", "Satisfaction"), ("index", "Image", "")]
    V = lin.vcov("paths", "index").loc[both, both].to_numpy()
    (x, _), (y, _) = (lin.table(name).loc[own, ["estimate", "se"]] for name, own in (a, b))
    row, ratio = lin.difference(a, b).iloc[0], lin.ratio(b, a).iloc[0]
    assert_allclose([row["estimate"], ratio["estimate"]], [x - y, y / x])
    assert_allclose(row["se"] ** 2, V[0, 0] + V[1, 1] - 2 * V[0, 1], rtol=1e-8)
    g = np.array([-y / x, 1.0]) / x
    assert_allclose(ratio["se"] ** 2, g @ V @ g, rtol=1e-8)
    assert_allclose(np.diag(lin.vcov("r2")), lin.table("r2")["se"] ** 2, rtol=1e-10)


def waves(population, shared, seed=0, clusters=20, size=12):
    """Two waves of a chain; answers of a cluster go up together, in both waves where shared."""
    rng = np.random.default_rng(seed)
    common, frames = rng.normal(0, 6, clusters), []
    for wave in (0, 1):
        firm = np.repeat(np.arange(clusters), size)
        frame = population(len(firm), seed=int(rng.integers(2**31))) * 8 + 50
        lift = common if shared else rng.normal(0, 6, clusters)
        frames.append(
            (frame + lift[firm][:, None]).assign(firm=firm + (0 if shared else 99 * wave))
        )
    return frames


def test_waves_that_share_clusters(population, chain):
    def fits(frames):
        return {
            f"wave {k}": csi.fit(
                chain, csi.read_survey(f, scale=(-99, 199), items=list(chain.items), cluster="firm")
            )
            for k, f in enumerate(frames, 1)
        }

    pair = (("index", "wave 2"), ("index", "wave 1"))
    shared = csi.linearize(fits(waves(population, True)))
    alone = csi.linearize(fits(waves(population, False)))
    change, apart = shared.difference(*pair), alone.difference(*pair)
    assert (change["df"] == 19).all()
    assert_allclose(apart["df"], 38)  # Welch's of two samples of 20 clusters each
    assert shared.design.units == 20
    assert alone.design.units == 40
    # The clusters' own level cancels where both waves have it.
    assert (change["se"] < 0.6 * apart["se"]).all()
    for wave, fit in zip(("wave 1", "wave 2"), shared.fits, strict=True):
        own = csi.linearize(fit).table("index")["se"]
        assert_allclose(shared.table("index").xs(wave)["se"], own, rtol=1e-10)
    # By hand: clusters' sums of influence values of both waves, centred.
    totals = [influence_values(fit, "index") for fit in shared.fits]
    step = totals[1] - totals[0]
    by_hand = np.sqrt(20 / 19 * ((step - step.mean(axis=0)) ** 2).sum(axis=0))
    assert_allclose(change["se"], by_hand, rtol=1e-10)


def test_quantities_of_fitted_groups(mobi, ecsi):
    survey = csi.read_survey(
        mobi.data.assign(half=np.arange(250) % 2, firm=np.arange(250) % 10), scale=(1, 10),
        cluster="firm",
    )  # fmt: skip
    fit = csi.fit(ecsi, survey)
    table = csi.linearize(fit).table("paths", by="half")
    group = csi.linearize(csi.fit_groups(ecsi, survey, "half")[1]).table("paths")
    assert_allclose(table.xs(1)["se"], group["se"])
    half = csi.read_survey(survey.data[survey.data["half"] == 1], scale=(1, 10), cluster="firm")
    alone = csi.linearize(csi.fit(ecsi, half)).table("paths")
    assert_allclose(table.xs(1)["estimate"], alone["estimate"])
    # In a group of 5 clusters of 10 the others add 0: m/(m - 1) of all units.
    assert_allclose(table.xs(1)["se"], alone["se"] * np.sqrt(10 / 9 * 4 / 5), rtol=1e-6)
    assert (table["df"] == 4).all()


def test_it_is_the_default_where_the_survey_has_a_design(mobi, ecsi):
    weighted = csi.read_survey(
        mobi.data.assign(w=1.0 + np.arange(250) % 3), scale=(1, 10), weights="w"
    )
    fit = csi.fit(ecsi, weighted)
    lin = csi.linearize(fit)
    table = csi.importance_performance(fit)
    theirs = lin.table("impacts").xs("Satisfaction")["se"]
    assert_allclose(table["se"], theirs[table.index])
    assert_allclose(csi.assess(fit).htmt["se"], lin.table("htmt")["se"])
    assert "se" not in csi.importance_performance(csi.fit(ecsi, mobi))
    assert "se" not in csi.assess(csi.fit(ecsi, mobi)).htmt
    comparison = csi.compare(fit, fit, bootstraps=[lin, None], names=["a", "b"])
    assert comparison.bootstraps == (lin, None)


def test_few_units_and_none(mobi, ecsi):
    survey = csi.read_survey(mobi.data.assign(firm=0), scale=(1, 10), cluster="firm")
    table = csi.linearize(csi.fit(ecsi, survey)).table("paths")
    assert table["se"].isna().all()
    assert (table["reason"] == "no degrees of freedom: not more sampled units than strata").all()


def test_what_has_no_influence_values_is_refused(mobi, ecsi, pls):
    with pytest.raises(
        csi.errors.SurveyError, match=r"needs the respondents, but this fit was mad"
    ):
        csi.linearize(csi.fit(ecsi, csi.moments.moments_of(mobi, ecsi.items)))
    with pytest.raises(csi.errors.OptionError, match=r"^linearize wants a fit and fit='x'; make"):
        csi.linearize("x")
    lin = csi.linearize(pls)
    with pytest.raises(
        csi.errors.InferenceError, match=r"^'srmr' has no error from influence valu"
    ):
        lin.table("srmr")
    with pytest.raises(csi.errors.OptionError, match=r"^interval='bca' needs draws, and influence"):
        lin.table("paths", "bca")
    with pytest.raises(csi.errors.OptionError, match=r"^interval='percentile' needs draws, and in"):
        csi.index_scores(pls, bootstrap=lin, interval="percentile")
    with pytest.raises(csi.errors.OptionError, match=r"^'index' has no entry 'Imge'; its labels "):
        lin.difference(("index", "Imge"), ("index", "Image"))
    with pytest.raises(csi.errors.OptionError, match=r"^'paths' has 12 entries and 'r2' has 6; co"):
        lin.difference("paths", "r2")
    with pytest.raises(csi.errors.OptionError, match=r"^vcov needs a quantity, such as 'paths'"):
        lin.vcov()
    other = csi.fit(ecsi, mobi, csi.PLS(scheme="centroid"))
    with pytest.raises(csi.errors.OptionError, match=r"^The bootstrap was made from another fit"):
        csi.index_scores(other, bootstrap=lin)
    with pytest.raises(csi.errors.OptionError, match=r"^These are errors of 2 fits together; mak"):
        _ = csi.linearize({"a": pls, "b": other}).fit


def test_page(pls, mobi, ecsi):
    page = str(csi.linearize(pls).summary())
    assert page.startswith("Linearised errors of ECSI by PLS")
    assert "250 respondents, 249 degrees of freedom" in page
    single = csi.linearize(csi.fit(ecsi, mobi, csi.PLS(consistent=True)))
    for errors, own in ((single, True), (csi.linearize({"a": single.fit}), False)):
        told = {finding.code for finding in errors.page.findings}
        assert ({finding.code for finding in single.fit.diagnostics} <= told) == own


def test_regressions_have_the_error_of_the_whole_chain(mobi, ecsi, pls):
    lin, boot = csi.linearize(pls), csi.bootstrap(pls, 4000, rng=3, progress=False)
    for family in ("fractional-logit", "ols"):
        ours, drawn = (
            csi.repurchase(pls, "CUSL1", family=family, bootstrap=errors, progress=False)
            for errors in (lin, boot)
        )
        for table in ("coefficients", "average_marginal_effects"):
            mine, theirs = getattr(ours, table), getattr(drawn, table)
            assert_allclose(mine["estimate"], theirs["estimate"], rtol=1e-10)
            assert_allclose(mine["se"], theirs["se"], rtol=0.06)
            assert (mine["df"] == 249).all()
        assert_allclose(ours.contrast(60, 80)["se"], drawn.contrast(60, 80)["se"], rtol=0.06)
    assert "moved weights" in ours.interval_kind
    with pytest.raises(csi.errors.OptionError, match=r"^interval='bc' needs draws, and influence"):
        csi.repurchase(pls, "CUSL1", bootstrap=lin, interval="bc")
    with pytest.raises(
        csi.errors.OptionError, match=r"^bootstrap is a Linearized, which holds no "
    ):
        csi.index.leading_driver(lin)


@pytest.mark.parametrize("name", ["weights_only", "full", "full_fpc", "brr_design"])
def test_a_regression_on_a_known_index_has_the_errors_of_r(reference, data, name):
    """The index of a single item is known, so that the chain adds nothing to svyglm's errors."""
    fit = fit_of(data, **DESIGNS[name])
    for family, key in (("ols", "ols"), ("fractional-logit", "quasibinomial")):
        rep = csi.repurchase(
            fit, "rep01", index="C", family=family, scale=(0, 1), bootstrap=csi.linearize(fit)
        )
        theirs = reference("mobi_survey_design.json")["linearised"][name][key]
        assert_allclose(rep.coefficients["estimate"], theirs["coef"], rtol=1e-8)
        assert_allclose(rep.coefficients["se"], theirs["se"], rtol=1e-6)


def two_stage_frame(data, reference):
    own = reference("mobi_survey_design.json")["data"]
    return data.assign(**{name: own[name] for name in ("house", "houses", "persons")})


@pytest.mark.parametrize("name", ["two_stages", "households"])
def test_means_and_segments_of_two_stages_count_both(reference, data, name):
    """Means of regions as R has them; segments as the one regression with all columns has them."""
    theirs = reference("mobi_survey_design.json")["linearised"][name]["by_region"]
    frame = two_stage_frame(data, reference)
    survey = fit_of(frame, strata="stratum", cluster="psu", **TWO_STAGES[name]).survey
    rows = Rows.of(survey, "means")
    groups = [np.flatnonzero(data["region"] == region) for region in theirs["region"]]
    means = group_means(data["index"].to_numpy(float), groups, rows.weights, rows.design)
    assert_allclose(means.se, np.array(theirs["se"]), rtol=1e-8)
    assert (
        means.df(np.array([1.0, 0.0, 0.0]))
        == csi.index_scores(csi.fit(MODEL, survey), by="region")
        .xs("C", level="construct")["df"]
        .loc["E"]
    )
    found = repurchase_segments(
        survey, "high", by="region", index="index", family="logit", curvature=False, fewest=20
    )
    whole = found.regression.whole
    turn = np.zeros((3, 2, 6))
    for g in range(3):
        turn[g, :, 2 * g : 2 * g + 2] = turn[g, :, :2] = np.eye(2)
    own = found.regression.segment_errors.of(np.stack([np.eye(2)] * 3))[0]
    assert_allclose(own, [whole.errors_of(turn[g])[0] for g in range(3)], rtol=1e-9)
    averages = found._effects.averages
    gradient = np.einsum("gs,gst->gt", averages.gradient, turn)
    se = whole.errors_of(gradient, averages.function.T[averages.value])[0]
    assert_allclose(found.table["se"], se, rtol=1e-9)


TWO_STAGES = {
    "two_stages": {"population": "fpc", "subpopulation": "persons"},
    "households": {"population": "fpc", "subcluster": "house", "subpopulation": "houses"},
    "households_all": {"subcluster": "house"},
}


@pytest.mark.parametrize("name", TWO_STAGES)
def test_two_stages_are_those_of_r(reference, data, name):
    theirs = reference("mobi_survey_design.json")["linearised"][name]
    frame = two_stage_frame(data, reference)
    fit = fit_of(frame, strata="stratum", cluster="psu", **TWO_STAGES[name])
    lin = csi.linearize(fit)
    table = lin.table(MEANS)
    order = [theirs["mean"]["names"].index(item) for item in ("CUSA1", "CUSL1", "index")]
    assert_allclose(table["se"], np.array(theirs["mean"]["se"])[order], rtol=1e-9)
    assert (table["df"] == 21).all()
    theirs_vcov = np.array(theirs["mean"]["vcov"])[np.ix_(order, order)]
    assert_allclose(lin.vcov(MEANS), theirs_vcov, rtol=1e-8)
    ratio = lin.ratio((MEANS, "CUSL1"), (MEANS, "CUSA1")).iloc[0]
    assert_allclose(ratio["se"], theirs["ratio"]["se"], rtol=1e-9)
    for source, index in ((fit, "C"), (fit.survey, "index")):
        rep = csi.repurchase(source, "rep01", index=index, family="fractional-logit", scale=(0, 1))
        assert_allclose(rep.coefficients["se"], theirs["quasibinomial"]["se"], rtol=1e-8)
    for errors in (lin, None):
        groups = csi.index_scores(fit, by="region", bootstrap=errors).xs("C", level="construct")
        assert_allclose(groups["se"], theirs["by_region"]["se"], rtol=1e-8)
    pair = [("index", (region, "C")) for region in ("N", "S")]
    row = lin.difference(*pair, by="region").iloc[0]
    assert_allclose(row["se"], theirs["contrast"]["se"], rtol=1e-8)
    rep = csi.repurchase(fit, "rep01", index="C", family="ols", scale=(0, 1), bootstrap=lin)
    assert_allclose(rep.coefficients["se"], theirs["ols"]["se"], rtol=1e-6)
    assert csi.index_scores(fit)["df"].eq(21).all()
    told = [f.code for f in csi.bootstrap(fit, 20, rng=1).findings]
    assert "second-stage-not-used" in told


def test_two_stages_that_cannot_be(reference, data):
    frame = two_stage_frame(data, reference)
    design = {"strata": "stratum", "cluster": "psu", "population": "fpc"}
    with pytest.raises(csi.errors.OptionError, match=r"^subcluster and subpopulation are of a sec"):
        fit_of(frame, subcluster="house")
    few = frame.assign(persons=1)
    told = r"^Column 'persons', given as subpopulation, has 1 in a cluster with \d+ units in the da"
    with pytest.raises(csi.errors.SurveyError, match=told):
        fit_of(few, subpopulation="persons", **design)
    several = frame.assign(persons=np.arange(250) + 99)
    with pytest.raises(csi.errors.SurveyError, match=r"has \d+ to \d+ in a cluster with"):
        fit_of(several, subpopulation="persons", **design)
    gap = frame.assign(persons=frame["persons"].where(frame.index > 0))
    with pytest.raises(
        csi.errors.SurveyError, match=r"^Column 'persons', .* has 1 missing cell; ev"
    ):
        fit_of(gap, subpopulation="persons", **design)
    gap = frame.assign(house=frame["house"].where(frame.index > 1))
    with pytest.raises(
        csi.errors.SurveyError, match=r"^Column 'house', .* has 2 missing cells; fi"
    ):
        fit_of(gap, subcluster="house", **design)
    fit = fit_of(frame, subcluster="house", **design)
    with pytest.raises(
        csi.errors.InferenceError, match=r"^Errors of several fits together are of "
    ):
        csi.linearize({"a": fit, "b": fit_of(frame, subcluster="house", **design)}).table("paths")


@pytest.mark.slow
def test_coverage_in_clusters_and_of_changes_between_waves():
    """Ten clusters, intra-class correlation .1; 500 samples gave .93, .76 and .95, .99."""
    model = csi.Model.from_syntax("Q =~ q1 + q2 + q3\nS =~ s1 + s2 + s3\nS ~ Q")
    rng, cluster, samples = np.random.default_rng(1), np.repeat(np.arange(10), 20), 150

    def fit(lift, label):
        n = len(cluster)
        q = np.sqrt(0.9) * rng.normal(size=n) + lift[cluster, 0]
        s = 0.6 * q + 0.8 * (np.sqrt(0.9) * rng.normal(size=n) + lift[cluster, 1])
        noise = 0.6 * rng.normal(size=(n, 6))
        answers = 0.8 * np.column_stack([q, q, q, s, s, s]) + noise
        frame = pd.DataFrame(10 * answers + 50, columns=list(model.items)).assign(c=label)
        options = {"scale": (-99, 199), "items": list(model.items)}
        return [csi.fit(model, csi.read_survey(frame, cluster=c, **options)) for c in ("c", None)]

    def covers(table, true):
        row = table.iloc[-1]
        return row["lower"] <= true <= row["upper"]

    counts = np.zeros(4)
    for _ in range(samples):
        lift = np.sqrt(0.1) * rng.normal(size=(10, 2))
        (one, alone), (two, _) = fit(lift, cluster), fit(lift, cluster)
        relabelled = csi.fit(
            model,
            csi.read_survey(
                two.survey.data.assign(c=cluster + 99), cluster="c", scale=(-99, 199),
                items=list(model.items),
            ),
        )  # fmt: skip
        pair = ("index", 2), ("index", 1)
        counts += [
            covers(csi.linearize(one).table("index"), 50.0),
            covers(csi.linearize(alone).table("index"), 50.0),
            covers(csi.linearize({1: one, 2: two}).difference(*pair), 0.0),
            covers(csi.linearize({1: one, 2: relabelled}).difference(*pair), 0.0),
        ]
    design, ignored, shared, apart = counts / samples
    assert 0.88 < design < 0.98
    assert ignored < 0.87
    assert 0.90 < shared < 0.99
    assert apart > shared


@pytest.mark.parametrize("entry", [3, ("paths",), ("paths", "Loyalty", 1), (3, "Loyalty"), None])
def test_what_is_no_entry_is_named(entry):
    linear = csi.linearize(csi.fit(csi.models.ecsi(), csi.load_mobi()))
    with pytest.raises(csi.errors.OptionError, match=r"^An entry is a quantity, such as 'paths'"):
        linear.difference(entry, "paths")


def test_a_quantity_without_entries_has_an_empty_table():
    model = csi.Model.from_syntax("A <~ CUSA1 + CUSA3\nB <~ CUSA2\nB ~ A")
    assert len(csi.linearize(csi.fit(model, csi.load_mobi())).table("indirect_effects")) == 0


def test_one_unit_alone_has_no_design_effect(mobi, chain):
    survey = csi.read_survey(mobi.data.assign(unit=1), scale=(1, 10), cluster="unit")
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ3\nV =~ PERV1 + PERV2\nV ~ Q")
    assert csi.linearize(csi.fit(model, survey)).deff("index").isna().all()


@pytest.mark.filterwarnings("ignore:1 of 3 groups has fewer than 10 respondents")
@pytest.mark.parametrize("design", [{}, {"cluster": "five"}])
def test_a_group_without_an_error_has_no_difference_with_one(mobi, ecsi, design):
    group = np.repeat(["alone", "some", "others"], [1, 124, 125])
    frame = mobi.data.assign(group=group, five=np.arange(250) // 5)
    survey = csi.read_survey(frame, scale=(1, 10), items=list(ecsi.items), **design)
    lin = csi.linearize(csi.fit(ecsi, survey))
    index = {name: ("index", (name, "Satisfaction")) for name in np.unique(group).tolist()}
    for compared in (lin.difference, lin.ratio):
        row = compared(index["alone"], index["some"], by="group").iloc[0]
        assert np.isfinite(row["estimate"])
        assert row[["lower", "upper", "p"]].isna().all()
        assert row["reason"] == lin.table("index", by="group").loc["alone", "reason"].iloc[0]
        assert 0 < compared(index["some"], index["others"], by="group")["p"].iloc[0] < 1
