"""The index of groups with weights of their own: errors in one call, suppression, shrinkage."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from statsmodels.stats.meta_analysis import combine_effects

import csimodel as csi
from csimodel.errors import OptionError
from csimodel.estimators.groups import shown_label
from csimodel.estimators.weight_influence import weight_influence
from csimodel.findings import collected
from csimodel.index import leading_group
from csimodel.index.shrinkage import shrunken


@pytest.fixture(scope="module")
def firms(mobi):
    place = np.arange(250)
    return mobi.data.assign(firm=place % 4, w=1.0 + place % 3, c=place // 5)


def _survey(model, data, **design):
    return csi.read_survey(data, scale=dict.fromkeys(model.items, (1, 10)), **design)


@pytest.mark.parametrize(
    "design",
    [{}, {"weights": "w"}, {"cluster": "c"}],
)
@pytest.mark.parametrize(
    "estimator",
    [
        csi.PLS(),
        csi.PLS("factorial", consistent=True),
        csi.PLS("centroid", modes="B"),
        csi.PLS(modes={"Image": "unit", "Quality": "B"}),
    ],
    ids=["path", "consistent", "mode B", "mixed modes"],
)
def test_errors_of_all_groups_are_those_of_each_fit(ecsi, firms, design, estimator):
    fits = csi.fit_groups(ecsi, _survey(ecsi, firms, **design), "firm", estimator)
    table = csi.index_scores(fits)
    for label, fit in fits.items():
        alone = csi.index_scores(fit)
        own = table.loc[label]
        assert_allclose(own["mean"], alone["mean"], atol=1e-9)
        assert_allclose(own[["se", "lower", "upper"]], alone[["se", "lower", "upper"]], rtol=1e-6)
        assert own["df"].tolist() == alone["df"].tolist()
        assert own["n"].tolist() == alone["n"].tolist()


@pytest.mark.parametrize("clusters", [None, "c"])
def test_a_group_is_a_domain_of_the_strata_and_clusters(ecsi, firms, clusters):
    place = np.arange(250)
    data = firms.assign(h=place // 50, firm=np.where((place % 3 < 2) & (place // 5 % 3 > 0), 1, 2))
    survey = _survey(ecsi, data, weights="w", strata="h", cluster=clusters)
    fits = csi.fit_groups(ecsi, survey, "firm")
    table = csi.index_scores(fits)
    whole = csi.linearize(fits).table("index")
    columns = ["se", "df", "lower", "upper"]
    assert_allclose(table[columns], whole[columns], rtol=1e-6)
    twice = replace(fits.answers, subcluster=np.arange(250))
    if clusters:  # of infinitely many clusters, a second stage adds nothing
        in_stages = csi.index_scores(replace(fits, answers=twice))
        assert_allclose(in_stages["se"], table["se"], rtol=1e-9)


def test_errors_of_other_estimators_and_missing_answers_are_those_of_each_fit(firms):
    small = csi.Model.from_syntax(
        "Quality =~ PERQ1 + PERQ2 + PERQ3\nSatisfaction =~ CUSA1 + CUSA2 + CUSA3\n"
        "Satisfaction ~ Quality"
    )
    halves = firms.assign(firm=np.arange(250) % 2)
    holes = halves.assign(CUSA1=halves["CUSA1"].where(halves["w"] > 1))
    cases = (csi.ML(), _survey(small, halves)), (None, _survey(small, holes, missing="mean"))
    for estimator, survey in cases:
        fits = csi.fit_groups(small, survey, "firm", estimator)
        table = csi.index_scores(fits)
        for label, fit in fits.items():
            columns = ["mean", "se", "lower", "upper"]
            assert_allclose(table.loc[label][columns], csi.index_scores(fit)[columns], rtol=1e-9)


@pytest.mark.parametrize("scheme", ["path", "factorial", "centroid"])
def test_what_respondents_add_to_weights_is_the_derivative_of_refits(ecsi, mobi, scheme):
    estimator = csi.PLS(scheme, modes={"Image": "B"}, tolerance=1e-13, max_iterations=3000)
    x = mobi.data[list(ecsi.items)].to_numpy(float)
    x = x - x.mean(axis=0)
    cov, owner = x.T @ x / len(x), ecsi.owner
    counts = np.random.default_rng(1).uniform(-1, 1, len(owner))

    def weights(cov):
        return estimator.estimate(csi.Moments.from_cov(cov, 250, list(ecsi.items)), ecsi).weights

    def value(cov):
        own = weights(cov)
        return counts @ (own / np.bincount(owner, own)[owner])

    own = weights(cov)
    total = np.bincount(owner, own)[owner]
    slope = counts / total - np.bincount(owner, counts * own)[owner] / total**2
    sd = np.sqrt(np.diag(cov))
    linear = weight_influence(
        (cov / np.outer(sd, sd))[None],
        own[None],
        ecsi,
        estimator.modes_of(ecsi),
        scheme,
        slope[None, :, None],
    )
    added = linear.of_rows(0, (x / sd).T, owner)[0]
    assert abs(added.sum()) < 1e-9
    for row in range(5):
        step = 1e-5 * (np.outer(x[row], x[row]) - cov)
        refits = (value(cov + step) - value(cov - step)) / 2e-5
        assert_allclose(added[row], refits, rtol=1e-5, atol=1e-7)


def test_groups_below_the_minimum_are_listed_without_a_number(ecsi, firms):
    data = firms.assign(firm=np.r_[np.arange(240) % 6, [6] * 10])
    survey = _survey(ecsi, data)
    fits = csi.fit_groups(ecsi, survey, "firm", minimum_n=20)
    (finding,) = [own for own in fits.findings if own.code == "groups-suppressed"]
    assert finding.values == {"count": 1, "total": 7, "least": 20, "groups": ("6 (10)",)}
    assert fits.failed.to_dict() == {"suppressed: fewer respondents than the minimum": 1}
    assert fits[6].diagnostics[0].code == "suppressed"
    assert fits[6].diagnostics[0].values == {"count": 10}
    table = csi.index_scores(fits)
    lost = table.loc[6]
    assert lost[["mean", "se", "lower", "upper"]].isna().all(axis=None)
    assert set(lost["reason"]) == {"suppressed: fewer respondents than the minimum"}
    assert fits.table("weights").loc[6].isna().all()
    rest = csi.index_scores(csi.fit_groups(ecsi, _survey(ecsi, data[:240]), "firm"))
    pd.testing.assert_frame_equal(table.iloc[: len(rest)], rest)
    with pytest.raises(OptionError, match="minimum_n=0 must be a whole number of at least 1"):
        csi.fit_groups(ecsi, survey, "firm", minimum_n=0)


def test_the_minimum_holds_for_the_weights_of_all_too(ecsi, firms):
    data = firms.assign(firm=np.r_[np.arange(240) % 6, [6] * 10])
    fit = csi.fit(ecsi, _survey(ecsi, data))
    boot = csi.bootstrap(fit, 40, rng=1, progress=False)
    for errors in (None, boot):
        with collected() as findings:
            table = csi.index_scores(fit, "firm", errors, minimum_n=20)
        (finding,) = findings
        assert finding.code == "groups-suppressed"
        assert finding.values == {"count": 1, "total": 7, "least": 20, "groups": ("6 (10)",)}
        lost = table.loc[6]
        assert lost[["mean", "se", "lower", "upper"]].isna().all(axis=None)
        assert set(lost["reason"]) == {"suppressed: fewer respondents than the minimum"}
        assert (lost["n"] == 10).all()
        with collected():
            whole = csi.index_scores(fit, "firm", errors)
        pd.testing.assert_frame_equal(table.drop(index=6), whole.drop(index=6))
    with collected():
        shrunken = csi.index_scores(fit, "firm", shrink=True, minimum_n=20)
    assert shrunken.loc[6, "shrunken"].isna().all()
    assert shrunken.drop(index=6)["shrunken"].notna().all()
    for fits, by in ((fit, None), (csi.fit_groups(ecsi, fit.survey, "firm"), None)):
        with pytest.raises(OptionError, match=r"^minimum_n= is for groups of one fit; name their"):
            csi.index_scores(fits, by, minimum_n=20)


def test_a_group_without_a_solution_is_named(ecsi, firms):
    data = firms.assign(firm=np.where(np.arange(250) < 2, "tiny", "big"))
    with collected() as findings:
        table = csi.index_scores(csi.fit_groups(ecsi, _survey(ecsi, data), "firm"))
    (lost,) = [own for own in findings if own.code == "groups-without-solution"]
    assert lost.values == {"count": 1, "total": 2, "groups": ("tiny",)}
    assert set(table.loc["tiny", "reason"]) == {"fewer than 3 rows"}
    assert table.loc["big", "se"].notna().all()


def test_groups_of_several_columns_are_named_alike_everywhere(ecsi, firms):
    few = np.arange(250) < 2
    data = firms.assign(firm=np.where(few, "x", "y"), wave=np.where(few, 1.0, 2.0))
    survey = _survey(ecsi, data)
    fit = csi.fit(ecsi, survey)
    with collected() as findings:
        csi.index_scores(csi.fit_groups(ecsi, survey, ["firm", "wave"]))
        csi.index_scores(fit, by=["firm", "wave"])
    subjects = {own.code: own.subjects for own in findings}
    assert subjects["groups-without-solution"] == ("(x, 1)",)
    assert subjects["small-groups"] == ("(x, 1) (2)",)
    leader = leading_group(fit, ["firm", "wave"])
    assert shown_label(leader.group) in leader.headline
    assert str(leader.page.title).startswith(("(x, 1) ", "(y, 2) "))


def test_options_that_are_not_for_fits_of_groups_are_refused(ecsi, firms):
    fits = csi.fit_groups(ecsi, _survey(ecsi, firms), "firm")
    with pytest.raises(OptionError, match="by= is not for fits of groups"):
        csi.index_scores(fits, "firm")
    with pytest.raises(OptionError, match="bootstrap= is not for fits of groups"):
        csi.index_scores(fits, bootstrap=csi.linearize(fits[0]))
    with pytest.raises(OptionError, match="shrink=True draws groups"):
        csi.index_scores(fits[0], shrink=True)


def test_shrinkage_is_that_of_random_effects():
    y, se = np.array([60.0, 70, 72, 74, 80]), np.array([4.0, 1, 1, 1, 4])
    drawn = shrunken(y, se)
    theirs = combine_effects(y, se**2, method_re="iterated", row_names=list("abcde"))
    assert_allclose(drawn.spread**2, theirs.tau2, rtol=1e-6)
    assert_allclose(drawn.mean, theirs.mean_effect_re, rtol=1e-6)
    share = 2.0 / 4.0 * se**2 / (se**2 + drawn.spread**2)
    assert_allclose(drawn.share, share)
    assert_allclose(drawn.values, y + share * (drawn.mean - y))
    alike = shrunken(np.array([70.0, 70.1, 70.2, 69.9]), np.full(4, 2.0))
    assert alike.spread == 0.0
    assert_allclose(alike.share, 1 / 3)
    assert np.isnan(shrunken(y[:3], se[:3]).values).all()
    missing = shrunken(np.append(y, np.nan), np.append(se, 1.0))
    assert_allclose(missing.values[:5], drawn.values)
    assert np.isnan(missing.values[5])


def test_shrunken_errors_cover():
    rng, groups = np.random.default_rng(3), 12
    hits, closer = [], []
    for _ in range(400):
        truth = 70 + 3 * rng.standard_normal(groups)
        se = rng.uniform(1, 5, groups)
        y = truth + se * rng.standard_normal(groups)
        drawn = shrunken(y, se)
        hits.append(abs(drawn.values - truth) < 1.96 * drawn.errors)
        closer.append(((drawn.values - truth) ** 2).mean() < ((y - truth) ** 2).mean())
    assert 0.93 < np.mean(hits) < 0.98
    assert np.mean(closer) > 0.8


def test_shrinkage_is_told(ecsi, firms):
    survey = _survey(ecsi, firms.assign(firm=np.arange(250) % 6))
    with collected() as findings:
        table = csi.index_scores(csi.fit_groups(ecsi, survey, "firm"), shrink=True)
        pooled = csi.index_scores(csi.fit(ecsi, survey), "firm", shrink=True)
    told = [own for own in findings if own.code == "groups-shrunken"]
    assert len(told) == 14
    own = table.xs("Satisfaction", level="construct")
    drawn = shrunken(own["mean"].to_numpy(), own["se"].to_numpy())
    assert_allclose(own["shrunken"], drawn.values)
    (finding,) = [one for one in told[:7] if one.subjects == ("Satisfaction",)]
    assert finding.values["count"] == 6
    assert_allclose(finding.values["mean"], drawn.mean)
    assert pooled["share"].between(0, 1).all()
    with collected() as few:
        short = csi.index_scores(csi.fit_groups(ecsi, _survey(ecsi, firms), "w"), shrink=True)
    assert {own.code for own in few} >= {"shrinkage-not-possible"}
    assert short["shrunken"].isna().all()
