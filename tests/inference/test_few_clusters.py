"""Errors of few clusters: hand-made values, the definitions in full matrices, tests and limits."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from cluster_errors import by_definition
from conftest import REFERENCE
from numpy.testing import assert_allclose
from scipy.stats import norm, t

import csimodel as csi
from csimodel.outcomes import repurchase, repurchase_segments
from csimodel.outcomes.kernels.bias_reduced import BiasReduced
from csimodel.outcomes.kernels.families import family_of
from csimodel.outcomes.kernels.group_means import group_means
from csimodel.outcomes.models.mixed.customers import Customers
from csimodel.outcomes.models.mixed.regression import population_averaged
from csimodel.outcomes.models.regression import regress
from csimodel.outcomes.rows.sample import sample_of
from csimodel.survey.sampling import SurveyDesign


def sampled(seed=0, rows=90, clusters=7):
    rng = np.random.default_rng(seed)
    cluster = np.sort(rng.integers(0, clusters, rows))
    x = rng.uniform(0, 100, rows) + 2.0 * cluster
    eta = 0.03 * (x - 60) + rng.normal(0, 0.5, clusters)[cluster]
    y = (rng.random(rows) < 1 / (1 + np.exp(-eta))) * 1.0
    return x.clip(0, 100), y, cluster


def test_the_mean_of_unequal_clusters_by_hand():
    # clusters of 1, 2 and 3: leverages 1/6, 1/3, 1/2; residuals sum to s = 2, -4, 2
    sizes, sums = np.array([1.0, 2.0, 3.0]), np.array([2.0, -4.0, 2.0])
    errors = BiasReduced.of(sums[None, :, None], sizes[None, :, None, None])
    by_hand = (4 / (5 / 6) + 16 / (2 / 3) + 4 / (1 / 2)) / 36
    assert_allclose(errors.pulls.T @ errors.pulls, [[by_hand]])
    # P_gg = n_g, P_gh = -n_g n_h/(6 √(1 - n_g/6) √(1 - n_h/6)) in units of 1/36
    left = np.sqrt(1 - sizes / 6)
    P = -np.outer(sizes / left, sizes / left) / 6
    np.fill_diagonal(P, sizes)
    assert_allclose(errors.working(np.eye(1)).df, [36 / (P**2).sum()])
    assert_allclose(errors.joint_df(np.eye(1)), 36 / (P**2).sum())


def test_equal_clusters_of_one_mean_have_clusters_less_one():
    errors = BiasReduced.of(np.arange(-3.0, 4.0)[None, :, None], np.full((1, 7, 1, 1), 5.0))
    assert_allclose(errors.working(np.eye(1)).df, [6.0])
    assert_allclose(errors.pulls.T @ errors.pulls, [[28 / 35**2 * 7 / 6]])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("family", ["ols", "logit"])
def test_cr2_is_its_definition_in_full_matrices(weighted, family):
    x, y, cluster = sampled()
    w = np.random.default_rng(1).uniform(0.3, 2.0, len(x)) if weighted else np.ones(len(x))
    w = w / w.mean()
    controls = pd.DataFrame({"even": cluster % 2 * 1.0})
    found = repurchase(
        index=x,
        outcome=y,
        family=family,
        controls=controls,
        cluster=cluster,
        weights=w if weighted else None,
    )
    assert found.errors == "CR2"
    regression = found.regression
    score, information, _ = regression.family.working(regression.eta, y)
    root = np.sqrt(information)
    C = np.eye(3)[1:]
    V, df, joint = by_definition(regression.design * root[:, None], score / root, w, cluster, C)
    assert_allclose(regression.covariance, V, rtol=1e-9)
    assert_allclose(found.coefficients["df"].iloc[1:], df, rtol=1e-9)
    assert_allclose(regression.score_errors.joint_df(C), joint, rtol=1e-9)
    half = t.ppf(0.975, df) * np.sqrt(np.diag(V))[1:]
    table = found.coefficients.iloc[1:]
    assert_allclose(table["upper"] - table["estimate"], half, rtol=1e-9)


def test_a_cluster_for_each_row_is_hc2_of_statsmodels():
    x, y, _ = sampled()
    theirs = sm.OLS(y, sm.add_constant(x)).fit(cov_type="HC2").bse
    found = repurchase(index=x, outcome=y, family="ols", cluster=np.arange(len(x)))
    assert_allclose(found.coefficients["se"], theirs, rtol=1e-9)


def test_what_a_cluster_alone_determines_is_left_out():
    x, y, cluster = sampled()
    controls = pd.DataFrame({"first": (cluster == 0) * 1.0})
    found = repurchase(index=x, outcome=y, family="ols", controls=controls, cluster=cluster)
    X = found.regression.design
    V, df, _ = by_definition(X, y - X @ found.regression.coefficients, np.ones(90), cluster,
                             np.eye(3)[1:2])  # fmt: skip
    assert_allclose(found.coefficients["se"].iloc[1], np.sqrt(V[1, 1]), rtol=1e-8)
    assert_allclose(found.coefficients["df"].iloc[1], df[0], rtol=1e-8)


def test_the_order_of_rows_and_names_of_clusters_do_not_matter():
    x, y, cluster = sampled()
    order = np.random.default_rng(5).permutation(len(x))
    answer = np.round(5 * y + x / 30)
    for family in ("logit", "ordered-logit"):
        outcome = y if family == "logit" else answer
        options = {"family": family, "scale": (outcome.min(), outcome.max())}
        one = repurchase(index=x, outcome=outcome, cluster=cluster, **options)
        other = repurchase(
            index=x[order], outcome=outcome[order], cluster=9 - cluster[order], **options
        )
        pd.testing.assert_frame_equal(one.coefficients, other.coefficients, rtol=1e-6)
        pd.testing.assert_frame_equal(
            one.average_marginal_effects, other.average_marginal_effects, rtol=1e-6
        )


def test_clustered_limits_are_those_of_t_whatever_the_family():
    x, y, cluster = sampled()
    found = repurchase(index=x, outcome=y, family="logit", cluster=cluster, errors="cluster")
    table = found.coefficients
    assert (table["df"] == 6).all()
    assert_allclose(table["upper"], table["estimate"] + t.ppf(0.975, 6) * table["se"])
    assert_allclose(table["p"], 2 * t.sf(np.abs(table["estimate"] / table["se"]), 6))


# --- averages over a sample that was drawn -------------------------------------------------------


@pytest.mark.parametrize("family", ["logit", "fractional-logit", "ordered-logit", "ols"])
def test_average_effects_have_the_error_of_leaving_respondents_out(family):
    x, y, _ = sampled(rows=120)
    answer = np.clip(np.round(1 + 4 * (0.4 * y + x / 170)), 1, 5)
    outcome = answer if family in ("ordered-logit", "fractional-logit") else y
    options = {"family": family, "scale": (1, 5) if outcome is answer else (0, 1)}
    controls = pd.DataFrame({"c": np.cos(np.arange(120.0))})

    def effect(keep):
        found = repurchase(
            index=x[keep],
            outcome=outcome[keep],
            controls=controls[keep].reset_index(drop=True),
            **options,
        )
        contrast = found.contrast(67, 70).loc["difference", "probability"]
        return float(found.average_marginal_effect), float(contrast)

    whole = np.ones(120, dtype=bool)
    left = np.array([effect(np.arange(120) != row) for row in range(120)])
    jackknife = np.sqrt(119 / 120 * ((left - left.mean(axis=0)) ** 2).sum(axis=0))
    errors = "HC1" if family == "ordered-logit" else "HC3"
    found = repurchase(index=x, outcome=outcome, controls=controls, errors=errors, **options)
    assert_allclose(found.average_marginal_effect.se, jackknife[0], rtol=0.06)
    assert_allclose(found.contrast(67, 70).loc["difference", "se"], jackknife[1], rtol=0.06)
    assert effect(whole)[0] == pytest.approx(float(found.average_marginal_effect))


def test_clustered_average_effects_have_the_error_of_leaving_clusters_out():
    x, y, cluster = sampled(rows=900, clusters=30)

    def effect(keep):
        return float(
            repurchase(index=x[keep], outcome=y[keep], family="logit").average_marginal_effect
        )

    left = np.array([effect(cluster != g) for g in range(30)])
    jackknife = np.sqrt(29 / 30 * ((left - left.mean()) ** 2).sum())
    found = repurchase(index=x, outcome=y, family="logit", cluster=cluster)
    assert_allclose(found.average_marginal_effect.se, jackknife, rtol=0.04)
    fixed = found.regression.errors_of(found.regression.average_slopes().gradient)[0]
    assert abs(found.average_marginal_effect.se - fixed) > 0.02 * fixed


def test_one_table_has_one_error_for_one_number():
    x, y, _ = sampled(rows=200)
    both = repurchase(index=x, outcome=y, family="logit")
    segment = np.where(np.arange(200) % 2 == 0, "a", "b")
    found = repurchase_segments(index=x, outcome=y, by=segment, family="logit", curvature=False)
    one = found.pairwise.loc[("a", "b")]
    step = found.table["effect"]
    assert one["difference"] == pytest.approx(step["a"] - step["b"])
    assert both.predict(60)["se"].iloc[0] == pytest.approx(both.contrast(60, 70).loc["at 60", "se"])


def test_means_of_groups_are_a_regression_on_the_groups():
    _, y, cluster = sampled()
    group = np.where(np.arange(90) % 3 == 0, 0, 1)
    groups = [np.flatnonzero(group == g) for g in (0, 1)]
    means = group_means(y, groups, None, SurveyDesign.of(90, cluster=cluster))
    X = np.eye(2)[group]
    V, df, _ = by_definition(X, y - X @ means.mean, np.ones(90), cluster, np.array([[1.0, -1.0]]))
    assert_allclose(means.covariance, V, rtol=1e-9)
    contrast = means.contrasts(np.array([[1.0, -1.0]]), ["difference"], 0.95)
    assert_allclose(contrast["df"], df[:1], rtol=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_firms_of_a_population_average_are_cr2_too(weighted):
    x, y, firm = sampled(rows=120, clusters=6)
    w = np.random.default_rng(2).uniform(0.5, 2.0, 120) if weighted else None
    w = None if w is None else w / w.mean()
    customers = Customers(y, x, np.empty((120, 0)), firm, w, np.arange(120))
    found = population_averaged(customers, "identity", "CR2")
    if weighted:  # independent: least squares with these weights
        X = customers.design
        V, df, _ = by_definition(X, y - X @ found.coefficients, w, firm, np.eye(3)[1:])
        assert_allclose(found.covariance, V, rtol=1e-6)
        assert_allclose(found.score_errors.of(np.eye(3)[1:])[1], df, rtol=1e-6)
    plain = population_averaged(customers, "identity", "cluster")
    theirs = sm.GEE(
        y, customers.design, firm, weights=w,
        cov_struct=sm.cov_struct.Independence() if weighted else sm.cov_struct.Exchangeable(),
    ).fit(ctol=1e-10, maxiter=200)  # fmt: skip
    assert_allclose(np.sqrt(np.diag(plain.covariance)), theirs.bse, rtol=1e-6)
    assert (np.diag(found.covariance) > np.diag(plain.covariance)).all()


def test_a_mixed_model_of_few_firms_has_its_own_errors(mobi, ecsi):
    fit = csi.fit(ecsi, mobi)
    few = csi.outcomes.repurchase_mixed(fit, "CUSL1", by=np.arange(250) % 8)
    many = csi.outcomes.repurchase_mixed(fit, "CUSL1", by=np.arange(250) % 25)
    assert (few.errors, many.errors) == ("model", "CR2")
    assert (few.coefficients["df"] == 6).all()
    assert (many.coefficients["df"] < 23).all()
    assert "few-clusters" in [f.code for f in few.findings]


def test_intervals_of_draws_by_t(mobi, ecsi):
    survey = csi.read_survey(
        mobi.data.assign(firm=np.arange(250) % 12), scale=(1, 10), cluster="firm"
    )
    fit = csi.fit(ecsi, survey)
    boot = csi.bootstrap(fit, draws=60, rng=1, progress=False)
    found = csi.repurchase(fit, "CUSL1", scale=(1, 10), bootstrap=boot, interval="t")
    row = found.coefficients.loc["Satisfaction"]
    assert row["df"] == 11
    assert row["upper"] == pytest.approx(row["estimate"] + t.ppf(0.975, 11) * row["se"])


@pytest.mark.slow
def test_intervals_of_six_clusters_hold_the_truth():
    """They held it in 88 % of samples with normal limits; docs/few_clusters.md has the table."""
    held, slope = [], 0.03
    for seed in range(200):
        rng = np.random.default_rng(seed)
        cluster = np.arange(240) % 6
        z, v = (
            np.sqrt(0.1) * rng.normal(size=6)[cluster] + np.sqrt(0.9) * rng.normal(size=240)
            for _ in range(2)
        )
        x = 100 / (1 + np.exp(-0.4 - 0.9 * z))
        y = (norm.cdf(v) < 1 / (1 + np.exp(-slope * (x - 60)))) * 1.0
        found = repurchase(index=x, outcome=y, family="logit", cluster=cluster).slope
        held.append(found.lower <= slope <= found.upper)
    assert 0.91 <= np.mean(held) <= 0.99


@pytest.mark.parametrize("design", ["full", "clusters_only", "strata_only"])
@pytest.mark.parametrize(
    ("name", "family", "outcome"),
    [
        ("ols", "ols", "rep01"),
        ("quasibinomial", "fractional-logit", "rep01"),
        ("logit_high", "logit", "high"),
        ("probit_high", "probit", "high"),
    ],
)
def test_linearized_errors_are_those_of_survey_in_r(reference, design, name, family, outcome):
    theirs = reference("mobi_survey_regressions.json")["linearised"][design]
    frame = pd.read_csv(REFERENCE / "mobi_survey_data.csv")
    units = pd.factorize(frame["stratum"].astype(str) + frame["psu"].astype(str))[0]
    sample = sample_of(
        frame[outcome].to_numpy(dtype=float), {"index": frame["index"].to_numpy()}, {}, label="y",
        weights=frame["weight"].to_numpy(dtype=float),
        cluster=None if design == "strata_only" else units,
        strata=None if design == "clusters_only" else pd.factorize(frame["stratum"])[0],
    )  # fmt: skip
    found = regress(sample, family_of(family), None if sample.strata is not None else "linearized")
    assert found.errors == "linearized"
    se, df = found.errors_of(np.eye(2))
    assert_allclose(found.coefficients, list(theirs[name]["coef"].values()), rtol=1e-7)
    assert_allclose(se, list(theirs[name]["se"].values()), rtol=1e-7)
    assert (df == theirs["degf"]).all()


def test_strata_of_one_cluster_have_no_error(mobi, ecsi):
    place = np.arange(250) % 10
    survey = csi.read_survey(
        mobi.data.assign(firm=place, place=place), scale=(1, 10), cluster="firm", strata="place"
    )
    found = csi.repurchase(csi.fit(ecsi, survey), "CUSL1", scale=(1, 10))
    assert found.errors == "linearized"
    assert found.coefficients[["se", "lower", "upper", "p"]].isna().all(axis=None)
    assert found.coefficients["reason"].str.contains("no degrees of freedom").all()


@pytest.mark.parametrize(("errors", "told"), [("cluster", True), ("CR2", True), ("HC1", False)])
def test_few_clusters_are_told_where_errors_are_clustered(errors, told):
    x, y, cluster = sampled(rows=120, clusters=8)
    found = repurchase(index=x, outcome=y, family="logit", cluster=cluster, errors=errors)
    findings = [f for f in found.findings if f.code == "few-clusters"]
    assert [f.count for f in findings] == [8] * told


def test_the_error_of_an_elasticity_is_made_of_derivatives_by_weights():
    """What a respondent adds is the derivative by his weight, who is averaged over included."""
    x, y, _ = sampled(rows=40)
    controls = pd.DataFrame({"c": np.cos(np.arange(40.0))})
    options = {"index": x, "outcome": y, "controls": controls, "family": "logit", "errors": "HC0"}

    def elasticity(moved):
        weights = np.ones(40)
        weights[moved[0]] += moved[1]
        return float(repurchase(weights=weights, **options).elasticity(60))

    step = 1e-4
    pulls = [elasticity((row, step)) - elasticity((row, -step)) for row in range(40)]
    found = repurchase(**options).elasticity(60)
    assert_allclose(found.se, np.sqrt(np.square(pulls).sum()) / (2 * step), rtol=1e-5)


def test_the_effective_number_of_a_group_is_that_of_its_weights():
    y, w = np.arange(6.0), np.array([1.0, 2.0, 3.0, 1.0, 1.0, 1.0])
    means = group_means(y, [np.arange(3), np.arange(3, 6)], w, None)
    assert_allclose(means.effective, [36 / 14, 3.0])


def test_effective_sizes_of_weighted_groups():
    w = np.array([1.0, 2.0, 3.0, 1.0, 5.0])
    y = np.array([1.0, 4.0, 2.0, 8.0, 3.0])
    design = SurveyDesign.of(5, strata=np.array([0, 0, 0, 1, 1]))
    for own in (None, design):
        means = group_means(y, [np.arange(3), np.arange(3, 5)], w, own)
        assert_allclose(means.effective, [36 / 14, 36 / 26])
        assert_allclose(means.mean, [15 / 6, 23 / 6])


def test_weighted_means_of_groups_are_a_weighted_regression_on_the_groups():
    _, y, cluster = sampled()
    group = np.where(np.arange(90) % 3 == 0, 0, 1)
    groups = [np.flatnonzero(group == g) for g in (0, 1)]
    w = np.random.default_rng(4).uniform(0.5, 3.0, 90)
    means = group_means(y, groups, w, SurveyDesign.of(90, cluster=cluster))
    X, C = np.eye(2)[group], np.array([[1.0, -1.0]])
    V, df, _ = by_definition(X, y - X @ means.mean, w / w.mean(), cluster, C)
    assert_allclose(means.covariance, V, rtol=1e-9)
    assert_allclose(means.contrasts(C, ["difference"], 0.95)["df"], df[:1], rtol=1e-9)
