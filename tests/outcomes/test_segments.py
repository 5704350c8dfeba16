"""Markets: values of statsmodels, laws, recovery of the competition effect, messages."""

import tracemalloc
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from scipy import stats
from scipy.stats import f

import csimodel as csi
from csimodel.errors import OptionError, SurveyError
from csimodel.outcomes import (
    repurchase,
    repurchase_segments,
    repurchase_top_drop,
)
from csimodel.outcomes.kernels import glm, shared_clusters
from csimodel.outcomes.models.draws import regression_draws
from csimodel.outcomes.models.regression import regress
from csimodel.outcomes.models.segments.top_drop import _respondents
from csimodel.survey import datasets


def markets(rows=600, seed=0, slopes=(0.0, 0.06), names=("captive", "contested")):
    """Simulate markets whose log-odds rise with the index by different slopes."""
    rng = np.random.default_rng(seed)
    place = rng.integers(0, len(slopes), rows)
    index = rng.uniform(20, 100, rows)
    eta = 0.5 + np.array(slopes)[place] * (index - 60)
    again = (rng.random(rows) < 1 / (1 + np.exp(-eta))).astype(float)
    return pd.DataFrame({"index": index, "again": again, "market": np.array(list(names))[place]})


def of(frame, **options):
    given = {"family": "logit", **options}
    return repurchase_segments(
        index=frame["index"], outcome=frame["again"], by=frame["market"], **given
    )


@pytest.fixture(scope="module")
def acsi():
    try:
        datasets._acsi_file(None)
    except SurveyError:
        pytest.skip("the public ACSI 2015 file is not on this computer; name it in CSIMODEL_DATA")
    return csi.load_acsi2015()


# --- values from another program -----------------------------------------------------------------


@pytest.mark.parametrize("curvature", [True, False])
@pytest.mark.parametrize("clustered", [True, False])
def test_wald_tests_of_statsmodels(curvature, clustered):
    frame = markets(slopes=(0.0, 0.03, 0.05), names="abc").assign(firm=np.arange(600) % 40)
    ours = {"cluster": frame["firm"], "errors": "cluster"} if clustered else {"errors": "HC0"}
    found = of(frame, curvature=curvature, **ours)
    x = frame["index"] - frame["index"].mean()
    columns = [[x, x**2 / 1e4][: 1 + curvature]]
    for name in "bc":
        own = (frame["market"] == name).astype(float)
        columns.append([own, own * x, own * x**2 / 1e4][: 2 + curvature])
    design = sm.add_constant(np.column_stack([c for part in columns for c in part]))
    model = sm.GLM(frame["again"], design, family=sm.families.Binomial())
    how = (
        {"cov_type": "cluster", "cov_kwds": {"groups": frame["firm"]}}
        if clustered
        else {"cov_type": "HC0"}
    )
    theirs = model.fit(tol=1e-13, tol_criterion="params", **how)
    size = 2 + curvature
    slopes = np.eye(design.shape[1])[[size + 1, 2 * size + 1]]
    names = {"slopes": slopes}
    if curvature:
        bends = np.eye(design.shape[1])[[size + 2, 2 * size + 2]]
        names |= {"bends": bends, "curves (slopes and bends)": np.vstack([slopes, bends])}
    assert found.tests.index.tolist() == list(names)
    for name, matrix in names.items():
        test = theirs.wald_test(matrix, scalar=True, use_f=False)
        k, df = len(matrix), 39.0
        share = (df - k + 1) / (k * df) if clustered else 1.0  # Hotelling's T², 40 firms
        assert_allclose(found.tests.loc[name, "statistic"], test.statistic * share, rtol=1e-6)
        p = f.sf(test.statistic * share, k, df - k + 1) if clustered else test.pvalue
        assert_allclose(found.tests.loc[name, "p"], p, rtol=1e-5)


def test_wald_test_of_least_squares_is_the_f_test_of_statsmodels():
    frame = markets(slopes=(0.0, 0.03, 0.05), names="abc")
    found = of(frame, family="ols", errors="HC1", curvature=False)
    x = frame["index"]
    columns = [x]
    for name in "bc":
        own = (frame["market"] == name).astype(float)
        columns += [own, own * x]
    design = sm.add_constant(np.column_stack(columns))
    theirs = sm.OLS(frame["again"], design).fit(cov_type="HC1", use_t=True)
    test = theirs.f_test(np.eye(6)[[3, 5]])
    assert_allclose(found.tests.loc["slopes", "statistic"], test.fvalue, rtol=1e-7)
    assert_allclose(found.tests.loc["slopes", "p"], test.pvalue, rtol=1e-6)
    assert found.tests.loc["slopes", "distribution"] == "F(2, 594)"


def test_top_drop_is_the_test_of_welch():
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"happy": rng.integers(1, 6, 500), "again": rng.integers(1, 11, 500)})
    row = repurchase_top_drop(frame, satisfaction="happy", repurchase="again").table.loc["all"]
    one, other = (frame.loc[frame["happy"] == k, "again"] for k in (5, 4))
    theirs = ttest_ind(one, other, equal_var=False)
    assert_allclose(row["p"], theirs.pvalue)
    assert_allclose(row[["lower", "upper"]].astype(float), theirs.confidence_interval(), rtol=1e-8)


def test_acsi_2015(acsi, reference):
    data = acsi.data
    index = ((data[["SATIS", "CONFIRM", "IDEAL"]].mean(axis=1) - 1) / 9 * 100).rename("index")
    found = repurchase_segments(
        index=index, outcome=data["REPUR"], by=data["INDUSTRY"], scale=(1, 10), curvature=False
    )
    theirs = reference("acsi2015.json")["groups"]
    slope = found.regression.own(found.regression.coefficients)[:, 1]
    assert [round(b, 5) for b in slope] == [theirs[name]["b"] for name in found.names]
    assert found.tests.loc["slopes", "p"] < 1e-6
    drop = repurchase_top_drop(acsi, satisfaction="SATIS", repurchase="REPUR", by="INDUSTRY_NAME")
    assert (drop.table["lower"] > 0.5).all()
    assert drop.tests.loc["equal drops", "p"] > 0.05


# --- laws ----------------------------------------------------------------------------------------


def test_each_segment_is_its_own_regression():
    frame = markets(slopes=(0.0, 0.03, 0.05), names="abc")
    found = of(frame, curvature=False)
    for g, name in enumerate("abc"):
        own = frame[frame["market"] == name]
        alone = repurchase(index=own["index"], outcome=own["again"], family="logit")
        b = found.regression.own(found.regression.coefficients)[g]
        assert_allclose(b[:2], alone.coefficients["estimate"], rtol=1e-6)
        assert_allclose(
            found.curves([40, 80]).loc[name, "probability"],
            alone.predict([40, 80])["probability"],
            rtol=1e-7,
        )


@pytest.mark.parametrize("family", ["logit", "ols", "probit"])
@pytest.mark.parametrize("curvature", [True, False])
def test_segments_fitted_apart_are_those_of_one_regression(fit, boot, family, curvature):
    """In the sample and in every draw, to rounding or, where scoring is slow, its tolerance."""
    market = pd.Series(np.arange(250) % 3, fit.survey.data.index, name="market")
    again = (fit.survey.data["CUSL1"] > 7) * 1.0
    found = repurchase_segments(
        fit, again, by=market, family=family, curvature=curvature, bootstrap=boot, progress=False
    )
    own = found.regression
    whole = regress(own.whole.sample, own.family, own.errors)
    rounding = 1e-7 if family == "probit" else 1e-10
    assert_allclose(own.coefficients, whole.coefficients, rtol=1e-9, atol=1e-13)
    together, apart = regression_draws(boot, whole), found.repurchase.draws
    assert_allclose(apart.coefficients, together.coefficients, rtol=rounding, atol=rounding)
    assert_allclose(own.whole.index_slopes(), whole.average_slopes().value[:1], rtol=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("errors", "clusters"),
    [("HC0", None), ("HC3", None), ("nonrobust", None), ("cluster", "nested"),
     ("cluster", "crossing"), ("CR2", "nested"), ("CR2", "crossing")],
)  # fmt: skip
def test_errors_of_segments_apart_are_those_of_one_regression(errors, clusters, weighted):
    """All of them, against the matrices of the regression with the columns of all segments."""
    if errors == "nonrobust" and weighted:
        return
    frame = markets(slopes=(0.0, 0.03, 0.05, 0.02), names="abcd")
    rng = np.random.default_rng(3)
    place = frame["market"].map({"a": 0, "b": 1, "c": 2, "d": 3})
    firm = rng.integers(0, 9, 600) + (9 * place if clusters == "nested" else 0)
    found = of(
        frame,
        errors=errors,
        cluster=firm if clusters else None,
        weights=rng.uniform(0.5, 2.0, 600) if weighted else None,
    )
    whole, averages = found.regression.whole, found._effects.averages
    turn = np.zeros((4, 3, 12))  # each segment's own coefficients, from all
    for g in range(4):
        turn[g, :, 3 * g : 3 * g + 3] = turn[g, :, :3] = np.eye(3)
    matrices = {"slopes": [1], "bends": [2], "curves (slopes and bends)": [1, 2]}
    for name, rows in matrices.items():
        test = whole.test(np.concatenate([turn[g, rows] - turn[0, rows] for g in (1, 2, 3)]))
        ours = found.tests.loc[name]
        assert_allclose(ours["statistic"], test["statistic"], rtol=1e-9)
        assert_allclose(ours["p"], test["p"], rtol=1e-8)
        assert ours["distribution"] == test["distribution"]
    told = [found.bends, found.table, found.pairwise]
    gradient = np.einsum("gs,gst->gt", averages.gradient, turn)
    values = averages.function.T[averages.value]
    first, second = np.triu_indices(4, 1)
    dense = [
        whole.errors_of(turn[:, 2]),
        whole.errors_of(gradient, values),
        whole.errors_of(gradient[first] - gradient[second], values[:, first] - values[:, second]),
    ]
    for table, (se, df) in zip(told, dense, strict=True):
        assert_allclose(table["se"], se, rtol=1e-10)
        assert_allclose(table["df"], df, rtol=1e-10)


def test_errors_of_design_apart_are_those_of_one_regression():
    frame = markets(slopes=(0.0, 0.03, 0.05), names="abc")
    rng = np.random.default_rng(3)
    answers = np.clip(np.round(frame[["index", "index"]] / 10 + rng.normal(0, 1, (600, 2))), 1, 10)
    answers.columns = ["one", "two"]
    strata = rng.integers(0, 4, 600)
    frame = frame.join(answers).assign(region=strata, place=strata * 20 + rng.integers(0, 20, 600))
    survey = csi.read_survey(
        frame, items=["one", "two"], scale=(1, 10), strata="region", cluster="place"
    )
    found = repurchase_segments(survey, "again", by="market", index=frame["index"], family="logit")
    assert found.regression.errors == "linearized"
    whole, averages = found.regression.whole, found._effects.averages
    turn = np.zeros((3, 3, 9))
    for g in range(3):
        turn[g, :, 3 * g : 3 * g + 3] = turn[g, :, :3] = np.eye(3)
    test = whole.test(np.concatenate([turn[g, 1:] - turn[0, 1:] for g in (1, 2)]))
    ours = found.tests.iloc[-1]
    assert_allclose(ours["statistic"], test["statistic"], rtol=1e-9)
    assert ours["distribution"] == test["distribution"]
    gradient = np.einsum("gs,gst->gt", averages.gradient, turn)
    values = averages.function.T[averages.value]
    assert_allclose(found.table["se"], whole.errors_of(gradient, values)[0], rtol=1e-10)


def test_errors_take_no_matrix_of_respondents_times_segments():
    rng = np.random.default_rng(1)
    place = np.repeat(np.arange(300), 40)
    index = np.round(rng.uniform(0, 100, len(place)), -1)
    again = (rng.random(len(place)) < 0.3 + 0.004 * index) * 1.0
    firm = place * 8 + rng.integers(0, 8, len(place))
    tracemalloc.start()
    found = repurchase_segments(
        index=index, outcome=again, by=place, family="ols", cluster=firm, errors="CR2"
    )
    assert found.table["se"].notna().all()
    assert np.isfinite(found.tests["statistic"]).all()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.5 * 8 * len(place) * 300 * 3


def test_the_work_grows_with_the_segments_not_with_their_square(fit, boot, monkeypatch):
    """No system of equations is larger than one curve, and each segment has as many."""
    solved = []

    def step(gradient, hessian):
        solved.append(hessian.shape)
        return newton_step(gradient, hessian)

    newton_step = glm.newton_step
    monkeypatch.setattr(glm, "newton_step", step)
    numbers = {}
    for count in (2, 8):
        market = pd.Series(np.arange(250) % count, fit.survey.data.index, name="market")
        solved.clear()
        found = repurchase_segments(
            fit, "CUSL1", by=market, bootstrap=boot, fewest=20, progress=False
        )
        assert len(found.names) == count
        apart = [shape for shape in solved if shape[1:] == (3, 3)]
        assert {shape[1:] for shape in solved} == {(2, 2), (3, 3)}  # the first look, and curves
        numbers[count] = sum(shape[0] for shape in apart)
    assert numbers[8] < 1.5 * 4 * numbers[2]


def test_which_segment_comes_first_does_not_matter():
    frame = markets(slopes=(0.0, 0.03, 0.05), names="abc")
    one, other = (
        of(frame),
        of(frame.assign(market=frame["market"].map({"a": "z", "b": "b", "c": "c"}))),
    )
    pd.testing.assert_frame_equal(one.tests, other.tests, rtol=1e-5)
    pd.testing.assert_frame_equal(
        one.table.drop(index="a"), other.table.drop(index="z"), rtol=1e-5, atol=1e-12
    )
    assert_allclose(
        one.pairwise.loc[("a", "b"), "difference"], -other.pairwise.loc[("b", "z"), "difference"],
        rtol=1e-6,
    )  # fmt: skip


def test_straight_lines_have_their_slopes_as_effects():
    frame = markets()
    found = of(frame, family="ols", curvature=False)
    for name in found.names:
        own = frame[frame["market"] == name]
        slope = np.polyfit(own["index"], own["again"], 1)[0]
        assert_allclose(found.table.loc[name, "effect"], slope, rtol=1e-8)


def test_effects_are_derivatives_of_the_curves():
    found = of(markets())
    seen = found.repurchase.regression.sample.regressors[:, 0]
    step = 1e-4
    up, down = (
        [found.repurchase.family.mean(found._curve(seen + s) @ found.regression.own(found.regression.coefficients)[g]).mean()
         for g in range(2)]
        for s in (step, -step)
    )  # fmt: skip
    assert_allclose(found.table["effect"], (np.array(up) - down) / (2 * step), rtol=1e-6)


def test_competition_is_found_and_its_absence_is_not():
    p = [of(markets(rows=300, seed=s, slopes=(0.03, 0.03)), curvature=False).tests["p"].iloc[0]
         for s in range(60)]  # fmt: skip
    assert np.mean(np.array(p) < 0.05) < 0.15
    assert np.mean(p) > 0.35
    found = of(markets(rows=2_000))
    assert found.tests["p"].iloc[-1] < 1e-6
    assert found.pairwise["p_holm"].iloc[0] < 1e-6
    assert found.table.loc["captive", "lower"] < 0 < found.table.loc["captive", "upper"]
    assert found.table["effect"].idxmax() == "contested"


def test_holm_by_hand():
    found = of(markets(slopes=(0.0, 0.02, 0.05), names="abc")).pairwise
    order = np.sort(found["p"].to_numpy())
    byhand = np.minimum(1, np.maximum.accumulate(order * [3, 2, 1]))
    assert_allclose(np.sort(found["p_holm"]), byhand)


def test_the_whole_chain_by_segment(mobi, ecsi):
    half = pd.Series(np.where(np.arange(250) % 2, "odd", "even"), mobi.data.index, name="half")
    fit = csi.fit(ecsi, mobi)
    boot = csi.bootstrap(fit, draws=60, rng=3)
    found = repurchase_segments(fit, "CUSL1", by=half, bootstrap=boot, curvature=False)
    alone = repurchase(fit, "CUSL1")
    assert "bootstrap" in found.repurchase.interval_kind
    plain = repurchase_segments(fit, "CUSL1", by=half, curvature=False)
    assert_allclose(found.table["effect"], plain.table["effect"])
    assert_allclose(found.table["se"], plain.table["se"], rtol=0.4)
    assert found.table["n"].sum() == alone.n
    curve = found.curves([70])
    assert ((curve["lower"] < curve["probability"]) & (curve["probability"] < curve["upper"])).all()
    assert repurchase_segments(fit, "CUSL1", by=half, bootstrap=boot).tests.shape == (3, 3)


def test_tests_in_the_whole_chain_use_the_covariance_of_the_draws(mobi, ecsi):
    half = pd.Series(np.where(np.arange(250) % 2, "odd", "even"), mobi.data.index, name="half")
    fit = csi.fit(ecsi, mobi)
    boot = csi.bootstrap(fit, draws=60, rng=3, progress=False)
    found = repurchase_segments(fit, "CUSL1", by=half, bootstrap=boot, progress=False)
    b = found.repurchase.regression.coefficients
    draws = found.repurchase.draws.coefficients
    x = csi.respondent_index(fit)["Satisfaction"].mean()
    assert_allclose(found.centre, x, rtol=1e-12)
    # const, slope, bend; then what the second half adds to each
    for name, own in {"slopes": [4], "bends": [5], "curves (slopes and bends)": [4, 5]}.items():
        V = np.atleast_2d(np.cov(draws[:, own], rowvar=False))
        statistic = b[own] @ np.linalg.solve(V, b[own])
        assert_allclose(found.tests.loc[name, "statistic"], statistic, rtol=1e-8)
    z = b[2] / draws[:, 2].std(ddof=1)
    bend = found.bends.iloc[0]
    assert_allclose(bend["p"], 2 * stats.norm.sf(abs(z)), rtol=1e-8)
    reach = stats.norm.isf(0.025) * draws[:, 2].std(ddof=1)
    assert_allclose([bend["lower"], bend["upper"]], [b[2] - reach, b[2] + reach], rtol=1e-8)
    assert found.bends.index.tolist() == list(found.names)
    delta = repurchase_segments(fit, "CUSL1", by=half)
    regression = delta.repurchase.regression
    turn = np.zeros((2, 6))
    turn[:, 2] = turn[1, 5] = 1.0  # the first half's bend, and what the second adds
    assert_allclose(delta.bends["estimate"], turn @ regression.coefficients)
    assert_allclose(delta.bends["se"], regression.errors_of(turn)[0])
    straight = repurchase_segments(fit, "CUSL1", by=half, curvature=False)
    assert straight.bends.empty
    assert "Bends" not in str(straight.summary())


def test_drops_that_differ_are_found():
    rng = np.random.default_rng(2)
    market = np.repeat(["captive", "contested"], 1_000)
    happy = rng.integers(4, 6, 2_000)
    p = np.where((market == "contested") & (happy == 4), 0.4, 0.9)
    frame = pd.DataFrame({"m": market, "happy": happy, "again": (rng.random(2_000) < p) * 1})
    found = repurchase_top_drop(frame, satisfaction="happy", repurchase="again", by="m")
    assert found.tests.loc["equal drops", "p"] < 1e-10
    assert found.table.loc["contested", "lower"] < 0.5 < found.table.loc["contested", "upper"]
    assert found.table.loc["captive", "lower"] < 0 < found.table.loc["captive", "upper"]
    assert_allclose(
        found.pairwise["difference"].iloc[0],
        found.table["drop"].iloc[0] - found.table["drop"].iloc[1],
    )
    same = repurchase_top_drop(
        frame, satisfaction="happy", repurchase="again", by="m", top=(5, 5), below=(4, 4)
    )
    pd.testing.assert_frame_equal(found.table, same.table)
    with pytest.raises(OptionError, match=r"^top=\(4, 5\) leaves no answer of 'happy' below it"):
        repurchase_top_drop(frame, satisfaction="happy", repurchase="again", top=(4, 5))
    with pytest.raises(SurveyError, match=r"^No segment has 30 respondents"):
        repurchase_top_drop(
            frame, satisfaction="happy", repurchase="again", top=(4, 5), below=(1, 3)
        )
    assert "differs between the 2 segments" in repr(found)
    assert "contested" in found._repr_html_()


# --- what is left out, and messages ---------------------------------------------------------------


def test_small_segments_are_named_and_counted():
    frame = markets()
    frame.loc[:9, "market"] = "tiny"
    frame.loc[10:14, "market"] = None
    found = of(frame)
    told = {finding.code: finding for finding in found.findings}
    assert told["small-segments"].values == {
        "count": 1, "total": 3, "fewest": 30, "segments": ("tiny (10)",),
    }  # fmt: skip
    assert told["no-segment"].values == {"count": 5, "total": 600}
    assert found.names == ("captive", "contested")
    assert found.table["n"].sum() == 585
    assert "WARNING" in str(found.summary())
    assert "captive" in found._repr_html_()
    drop = repurchase_top_drop(
        frame.assign(happy=np.where(frame["index"] > 60, 5, 4)), satisfaction="happy",
        repurchase="again", by="market",
    )  # fmt: skip
    small = drop.findings[-1]
    assert small.code == "small-segments"
    assert (small.values["count"], small.values["total"], small.values["fewest"]) == (1, 3, 30)


def test_separated_segments_have_no_curve():
    frame = markets()
    own = frame["market"] == "captive"
    frame.loc[own, "again"] = (frame.loc[own, "index"] > 60).astype(float)
    found = of(frame, curvature=False)
    assert (found.findings[-1].code, found.findings[-1].severity) == ("separation", "failure")
    assert found.table["effect"].isna().all()


def test_segments_without_information_say_so_and_nobody_else_warns():
    frame = markets()
    own = frame["market"] == "captive"
    frame.loc[own, "index"] = np.where(frame.loc[own, "index"] > 60, 70.0, 40.0)  # has no bend
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = of(frame)
    assert found.findings[-1].code == "no-information"
    assert "no finite solution" in found.headline
    with pytest.raises(OptionError, match="No curve has a finite probability"):
        csi.plots.repurchase_curves(found)


@pytest.mark.parametrize("errors", ["HC1", "nonrobust", "cluster"])
def test_as_many_coefficients_as_respondents_leave_no_error(errors):
    index, again = np.array([10.0, 30, 60, 90]), np.array([0.2, 0.9, 0.1, 0.8])
    family = "ols" if errors == "nonrobust" else "fractional-logit"
    found = repurchase_segments(
        index=index, outcome=again, by=["a", "a", "b", "b"], curvature=False, fewest=2, scale=(0, 1), errors=errors,
        family=family, cluster=[1, 2, 3, 4] if errors == "cluster" else None,
    )  # fmt: skip
    assert "2 segments" in repr(found)
    assert found.table["effect"].notna().all()
    assert found.table["se"].isna().all()


def test_drops_that_are_not_known_have_a_headline():
    frame = markets()
    drop = repurchase_top_drop(
        frame.assign(happy=np.where(frame["index"] > 60, 5, 4)), satisfaction="happy",
        repurchase="again", by="market",
    )  # fmt: skip
    unknown = replace(drop, table=drop.table.assign(drop=np.nan))
    assert unknown.headline.endswith("is not known in any of the 2 segments.")


def test_messages(mobi, ecsi, boot):
    frame = markets()
    fit = csi.fit(ecsi, mobi, csi.PLS(scheme="centroid"))
    cases = [
        (lambda: of(frame, fewest=500), SurveyError,
         "Only 0 of 2 segments have at least 500 respondents with an outcome and an index, and 2 "
         "are needed; lower fewest= or take another column."),
        (lambda: of(frame.assign(again=np.where(frame["market"] == "captive", 1.0, frame["again"]))),
         SurveyError,
         f"The outcome 'again' is the same for all {(frame['market'] == 'captive').sum()} respondents "
         "of segment 'captive', so it has no curve; leave it out or merge it with another."),
        (lambda: repurchase_segments(fit, "CUSL1", by="firm"), SurveyError,
         "by 'firm' is not a column of the survey; name one of its columns, or give a Series with a "
         "value for each row."),
        (lambda: repurchase_segments(fit, "CUSL1", by="CUSL2", bootstrap=boot), OptionError,
         "The bootstrap was made from another fit; make it again with csi.bootstrap(fit)."),
        (lambda: of(frame).curves([120]), OptionError,
         "Level 120 is not on the index, which goes from 0 to 100; choose a level between them."),
        (lambda: repurchase_top_drop(frame, satisfaction="index", repurchase="again", top=(80, 100),
                          below=(60, 90)), OptionError,
         "top=(80, 100) and below=(60, 90) must be rising pairs, below under top; write for example "
         "top=(10, 10), below=(8, 9)."),
        (lambda: repurchase_top_drop(frame, satisfaction="index", repurchase="again"), SurveyError,
         "No segment has 30 respondents both at the top and one step below: all (1 at the top, 1 "
         "below); lower fewest= or widen top= and below=."),
    ]  # fmt: skip
    for call, error, message in cases:
        with pytest.raises(error) as raised:
            call()
        assert str(raised.value) == message


# --- clusters and segments -----------------------------------------------------------------------


def in_segments(clusters):
    """Return an index, an outcome and two segments that cut the given number of clusters each."""
    rng = np.random.default_rng(4)
    x = rng.uniform(0, 100, 240)
    y = (rng.random(240) < 0.2 + 0.006 * x) * 1.0
    segment = np.repeat(["a", "b"], 120)
    return x, y, segment, np.repeat([0, 100], 120) + np.arange(240) % clusters


def test_a_segment_that_is_a_cluster_has_no_clustered_errors():
    x, y, segment, cluster = in_segments(1)
    with pytest.raises(OptionError, match=r"of a single cluster \('a' and 'b'\).*errors='HC1'"):
        repurchase_segments(index=x, outcome=y, by=segment, family="logit", cluster=cluster)
    found = repurchase_segments(
        index=x, outcome=y, by=segment, family="logit", cluster=cluster, errors="HC1"
    )
    assert (found.table["se"] > 1e-4).all()


def test_segments_of_few_clusters_are_named():
    def codes(clusters):
        x, y, segment, cluster = in_segments(clusters)
        found = repurchase_segments(
            index=x, outcome=y, by=segment, family="logit", cluster=cluster, curvature=False
        )
        return [f.code for f in found.findings]

    assert "few-clusters-in-segment" in codes(6)
    assert "few-clusters-in-segment" not in codes(30)


def test_drops_in_one_cluster_are_refused_or_without_error():
    frame = pd.DataFrame({"happy": [5, 4] * 40, "again": [1, 1, 1, 0] * 20, "firm": 1})
    with pytest.raises(SurveyError, match=r"All 80 rows are in one cluster.*cluster="):
        repurchase_top_drop(frame, satisfaction="happy", repurchase="again", cluster="firm")
    other = pd.concat([frame, frame.assign(firm=2, happy=1)])
    found = repurchase_top_drop(
        other.reset_index(drop=True), satisfaction="happy", repurchase="again", cluster="firm"
    )
    assert found.table["se"].isna().all()
    assert found.table["drop"].tolist() == [0.5]


@pytest.mark.parametrize("whole_chain", [False, True])
def test_contrasts_are_differences_of_the_curves(whole_chain):
    survey = csi.load_mobi()
    fit = csi.fit(csi.models.ecsi(), survey)
    half = pd.Series(["a", "b"] * 125, survey.data.index, name="half")
    boot = csi.bootstrap(fit, draws=60, rng=1, progress=False) if whole_chain else None
    found = repurchase_segments(fit, "CUSL1", by=half, bootstrap=boot, progress=False)
    table, curves = found.contrast(60, 80), found.curves([60, 80])
    for name in ("a", "b"):
        start, end, step = table.loc[name, "probability"]
        assert_allclose([start, end], curves.loc[name, "probability"])
        assert step == pytest.approx(end - start)
        assert table.loc[(name, "difference"), "lower"] < step
    alone = repurchase(fit, "CUSL1", progress=False)
    assert found.contrast(60, 80).index.names == ["segment", ""]
    with pytest.raises(OptionError, match="Level 120 is not on the index"):
        found.contrast(60, 120)
    assert alone.contrast(60, 80).columns.tolist() == table.columns.tolist()


def test_a_top_that_takes_all_answers_is_refused():
    frame = pd.DataFrame({"happy": [1, 2, 3, 3, 2, 1] * 15, "again": [0, 1, 1, 0, 1, 0] * 15})
    options = {"satisfaction": "happy", "repurchase": "again"}
    with pytest.raises(OptionError, match=r"^top=\(1, 3\) leaves no answer of 'happy' below it"):
        repurchase_top_drop(frame, top=(1, 3), **options)
    below = repurchase_top_drop(frame, top=(3, 3), below=(1, 1), **options)
    assert below.table["drop"].iloc[0] == pytest.approx(0.5 - 0.0)


def test_respondents_of_many_segments_are_sorted_once():
    rng = np.random.default_rng(6)
    codes, answers = rng.integers(-1, 500, 20_000), rng.integers(5, 11, 20_000).astype(float)
    _respondents(codes[:50], answers[:50], (10, 10), (8, 9), 500)  # what is loaded once
    tracemalloc.start()
    parts = _respondents(codes, answers, (10, 10), (8, 9), 500)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(parts) == 1_000
    assert peak < 20_000 * 8 * 10  # a mask for each part would be 20 MB
    for g in (0, 7, 499):
        own = codes == g
        assert_allclose(parts[2 * g], np.flatnonzero(own & (answers == 10)))
        assert_allclose(parts[2 * g + 1], np.flatnonzero(own & (answers >= 8) & (answers <= 9)))


@pytest.mark.parametrize(("errors", "severity"), [("CR2", "note"), ("cluster", "warning")])
def test_few_clusters_within_segments_are_a_warning_where_errors_are_biased(errors, severity):
    rng = np.random.default_rng(4)
    index, place = rng.uniform(0, 100, 400), np.arange(400) % 2
    y = (rng.random(400) < 1 / (1 + np.exp(2 - 0.04 * index))).astype(float)
    found = csi.outcomes.repurchase_segments(
        index=index, outcome=y, by=place, cluster=np.arange(400) % 16 // 2, errors=errors,
        family="logit",
    )  # fmt: skip
    findings = [f for f in found.findings if "segments" in f.values and "fewest" in f.values]
    assert [f.severity for f in findings] == [severity]


def test_errors_do_not_depend_on_how_many_pairs_of_parts_are_handled_at_once(monkeypatch):
    frame = markets(slopes=(0.0, 0.03, 0.05, 0.02), names="abcd")
    firm = np.random.default_rng(3).integers(0, 9, 600)
    whole = of(frame, errors="CR2", cluster=firm)
    monkeypatch.setattr(shared_clusters, "_TOGETHER", 1)
    apart = of(frame, errors="CR2", cluster=firm)
    for ours, theirs in zip(
        (apart.table, apart.bends, apart.pairwise), (whole.table, whole.bends, whole.pairwise),
        strict=True,
    ):  # fmt: skip
        assert_allclose(ours[["se", "df"]], theirs[["se", "df"]], rtol=1e-10)
    assert_allclose(apart.tests["p"], whole.tests["p"], rtol=1e-9)


def test_respondents_of_no_segment_are_counted_among_those_who_answered():
    frame = pd.DataFrame({"m": ["a", "b"] * 100, "happy": [4, 5, 5, 4] * 50, "again": [0, 1] * 100})
    frame.loc[:2, "m"] = None
    frame.loc[[0, 9], "happy"] = np.nan
    found = repurchase_top_drop(frame, satisfaction="happy", repurchase="again", by="m")
    (told,) = [own for own in found.findings if own.code == "no-segment"]
    assert told.values == {"count": 2, "total": 198}
