"""Customers within firms: values of lme4, clubSandwich, geepack, laws, recovery, messages."""

import tracemalloc
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import REFERENCE
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.errors import EstimationError, OptionError, SurveyError
from csimodel.outcomes.kernels.kernel import Ending
from csimodel.outcomes.kernels.random_intercept import random_intercept_draws
from csimodel.outcomes.models.mixed.customers import Customers
from csimodel.outcomes.models.mixed.findings import _reliability, about
from csimodel.outcomes.models.mixed.regression import mixed, population_averaged


@pytest.fixture(scope="module")
def r(reference):
    return reference("mixed.json")


@pytest.fixture(scope="module")
def frame():
    return pd.read_csv(REFERENCE / "mixed.csv")


def customers_of(frame, outcome="y", weights=None):
    return Customers(
        outcome=frame[outcome].to_numpy(float),
        index=frame["index"].to_numpy(),
        controls=frame[["age"]].to_numpy(),
        firm=frame["firm"].to_numpy() - 1,
        weights=None if weights is None else frame[weights].to_numpy(),
        rows=np.arange(len(frame)),
    )


def simulated(seed=0, firms=60, people=12, within=0.004, between=0.0058, spread=9.0):
    """Simulate customers of firms; satisfaction items on 0 to 130 and a repurchase share."""
    rng = np.random.default_rng(seed)
    firm = np.repeat(np.arange(firms), people)
    a = rng.normal(0, spread, firms)
    own = 65 + a[firm] + rng.normal(0, 10, len(firm))
    items = {f"q{j}": own + rng.normal(0, 4, len(firm)) for j in range(4)}
    y = 0.2 + between * (65 + a[firm]) + within * (own - 65 - a[firm])
    y = y + rng.normal(0, 0.03, firms)[firm] + rng.normal(0, 0.08, len(firm))
    data = pd.DataFrame({**items}).clip(0, 130)
    return data.assign(again=y.clip(0, 1), firm=firm, w=1.0 + np.arange(len(firm)) % 3)


def fitted(data, **design):
    items = {name: csi.Item(name, minimum=0, maximum=130) for name in ("q0", "q1", "q2", "q3")}
    blocks = [csi.composite("Satisfaction", ["q0", "q1", "q2"]), csi.composite("A", ["q3"])]
    model = csi.Model(blocks, [csi.Path("Satisfaction", "A")])
    return csi.fit(model, csi.Survey(data, items, **design))


def of(fit, **options):
    return csi.outcomes.repurchase_mixed(fit, "again", **{"scale": (0, 1), **options})


# --- values from other programs ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["intercept", "slope"])
def test_mixed_models_of_lme4_with_clustered_errors_of_clubsandwich(frame, r, name):
    theirs, slope = r[name], name == "slope"
    found = mixed(customers_of(frame), slope, "model")
    assert found.converged
    assert_allclose(found.coefficients, theirs["coefficients"], rtol=1e-6)
    assert_allclose(found.covariance, theirs["covariance"], rtol=1e-5, atol=1e-10)
    parts = found.firm_covariance
    ours = [*np.diagonal(parts), *([parts[0, 1]] if slope else []), found.residual]
    assert_allclose(ours, theirs["variances"], rtol=1e-5)
    clustered = mixed(customers_of(frame), slope, "cluster")
    assert_allclose(clustered.covariance, theirs["CR0"], rtol=1e-5, atol=1e-10)


@pytest.mark.parametrize(
    ("name", "outcome", "tolerance"), [("logit", "again", 1e-4), ("identity", "y", 2e-3)]
)
def test_population_averages_of_geepack(frame, r, name, outcome, tolerance):
    """geepack takes the number of coefficients off in the correlation, statsmodels does not."""
    found, theirs = population_averaged(customers_of(frame, outcome), name), r[name]
    assert_allclose(found.coefficients, theirs["coefficients"], rtol=tolerance)
    ours, errors = (
        np.sqrt(np.diagonal(found.covariance)),
        np.sqrt(np.diagonal(theirs["covariance"])),
    )
    assert_allclose(ours, errors, rtol=1e-3)
    assert_allclose(found.correlation, theirs["alpha"], rtol=0.01)


def test_weighted_population_averages_of_geepack(frame, r):
    found = population_averaged(customers_of(frame, "again", "w"), "logit")
    assert_allclose(found.coefficients, r["weighted"]["coefficients"], rtol=1e-9)
    assert_allclose(found.covariance, r["weighted"]["covariance"], rtol=1e-7, atol=1e-12)
    assert np.isnan(found.correlation)


def test_draws_of_random_intercepts_are_those_of_lme4(frame, r):
    customers = customers_of(frame)
    X = customers.design
    centre, spread = np.append([0.0, 0.0], X[:, 2:].mean(axis=0)), X.std(axis=0)
    spread[0] = 1.0
    times = np.ones((1, customers.firms))
    b, _ = random_intercept_draws(
        ((X - centre) / spread)[None], customers.outcome, customers.starts, times
    )
    b = b[0] / spread
    b[0] -= b @ centre
    assert_allclose(b, r["intercept"]["coefficients"], rtol=1e-7)


# --- the restricted likelihood -------------------------------------------------------------------


def dense(customers, covariance, residual):
    """Return -2 times the restricted log likelihood, coefficients and what goes with them."""
    X, y, q = customers.design, customers.outcome, len(covariance)
    same = customers.firm[:, None] == customers.firm
    V = same * (X[:, :q] @ covariance @ X[:, :q].T) + residual * np.eye(len(y))
    inverse = np.linalg.inv(V)
    A = X.T @ inverse @ X
    b = np.linalg.solve(A, X.T @ inverse @ y)
    e = inverse @ (y - X @ b)
    value = np.linalg.slogdet(V)[1] + np.linalg.slogdet(A)[1] + (y - X @ b) @ e
    own = same[customers.starts]  # firms × rows
    score = np.stack([(X * e[:, None])[rows].sum(axis=0) for rows in own])
    information = [X[rows].T @ inverse[np.ix_(rows, rows)] @ X[rows] for rows in own]
    effects = np.stack([covariance @ X[rows][:, :q].T @ e[rows] for rows in own])
    return value, b, A, score, np.stack(information), effects


@pytest.mark.parametrize("slope", [False, True])
@pytest.mark.parametrize("spread", [0.0, 0.1])
def test_variances_are_where_the_restricted_likelihood_is_greatest(slope, spread):
    """Also where firms do not differ: there statsmodels stopped short, at a correlation of 1."""
    rng = np.random.default_rng(4)
    firm = np.sort(rng.integers(0, 10, 200))
    index = rng.normal(70, 15, 200) + 5 * rng.standard_normal(10)[firm]
    y = 0.2 + 0.006 * index + spread * rng.standard_normal(10)[firm] + rng.normal(0, 0.2, 200)
    customers = Customers(y, index, rng.standard_normal((200, 1)), firm, None, np.arange(200))
    found = mixed(customers, slope, "cluster")
    assert found.converged
    value, b, A, score, _, effects = dense(customers, found.firm_covariance, found.residual)
    assert_allclose(found.coefficients, b, rtol=1e-8, atol=1e-12)
    assert_allclose(found.firm_effects, effects, rtol=1e-6, atol=1e-9)
    bread = np.linalg.inv(A)
    assert_allclose(found.covariance, bread @ score.T @ score @ bread, rtol=1e-7, atol=1e-14)
    assert_allclose(mixed(customers, slope, "model").covariance, bread, rtol=1e-8, atol=1e-14)
    units = np.array([1.0, 1.0 / 15.0])[: 1 + slope]
    for _ in range(30):
        turn = rng.normal(0, 1e-2, (len(units), len(units)))
        other = found.firm_covariance + 0.04 * np.outer(units, units) * (turn @ turn.T)
        residual = found.residual * np.exp(rng.normal(0, 1e-2))
        assert dense(customers, other, residual)[0] > value - 1e-9
        root = np.eye(len(units)) + turn * np.divide.outer(units, units)
        other = root @ found.firm_covariance @ root.T
        assert dense(customers, other, residual)[0] > value - 1e-9


def test_large_firms_make_no_matrix_of_their_customers():
    rng = np.random.default_rng(5)
    firm = np.sort(rng.integers(0, 5, 60_000))
    index = rng.normal(70, 15, 60_000)
    y = 0.006 * index + 0.1 * firm + rng.normal(0, 0.2, 60_000)
    customers = Customers(y, index, np.empty((60_000, 0)), firm, None, np.arange(60_000))
    tracemalloc.start()
    found = mixed(customers, True, "CR2")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert_allclose(found.coefficients[1], 0.006, rtol=0.02)
    assert peak < 60_000 * 8 * 60  # a firm's own matrix would be 1.2 GB


# --- laws ----------------------------------------------------------------------------------------


def test_a_firm_drawn_twice_is_two_firms(frame):
    small = frame[frame["firm"] <= 12]
    times = np.array([2.0, 0, 1, 1, 3, 0, 1, 1, 1, 0, 2, 1])
    parts = [small[small["firm"] == f + 1] for f, m in enumerate(times) for _ in range(int(m))]
    double = pd.concat([part.assign(firm=k + 1) for k, part in enumerate(parts)])
    alone = mixed(customers_of(double), False, "model")
    customers = customers_of(small)
    X = customers.design - np.array([0, 0, 68.0, 0])
    X[:, 1:3] /= 10
    b, _ = random_intercept_draws(X[None], customers.outcome, customers.starts, times[None])
    b = b[0] / [1, 10, 10, 1]
    b[0] -= 68.0 * b[2]
    assert_allclose(b, alone.coefficients, rtol=1e-5)


def test_within_slope_is_that_of_firm_effects(frame):
    found = mixed(customers_of(frame).__class__(
        **{**vars(customers_of(frame)), "controls": np.empty((len(frame), 0))}), False, "model")  # fmt: skip
    off = frame[["index", "y"]] - frame.groupby("firm")[["index", "y"]].transform("mean")
    slope = (off["index"] @ off["y"]) / (off["index"] @ off["index"])
    assert_allclose(found.coefficients[1], slope, rtol=1e-9)


def test_contrasts_follow_the_slopes():
    fit = fitted(simulated(firms=25))
    found = of(fit)
    for move, slope in (("between", found.between), ("within", found.within)):
        step = found.contrast(67, 70, move).loc["difference"]
        assert_allclose(step["probability"], 3 * slope, rtol=1e-9)
        assert_allclose(step["se"], 3 * slope.se, rtol=1e-7)
    rows = found.slopes["estimate"]
    assert_allclose(rows["between - within"], rows["between"] - rows["within"], rtol=1e-9)
    assert_allclose(found.coefficients.loc["between", "estimate"], found.between)


def test_logit_slopes_are_derivatives_of_mean_predictions():
    fit = fitted(simulated(seed=3))
    found = of(fit, model="population-averaged")
    customers, step = found.customers, 1e-4
    means = []
    for sign in (1.0, -1.0):
        eta = customers.design @ found.regression.coefficients
        eta = eta + sign * step * found.regression.coefficients[2]
        means.append(customers.share @ found.family.mean(eta))
    assert_allclose(found.between, (means[0] - means[1]) / (2 * step), rtol=1e-6)
    b = found.regression.coefficients
    moved = []
    for sign in (1.0, -1.0):
        other = replace(found.regression, coefficients=b + sign * 1e-6 * np.array([0, 0, 1.0]))
        moved.append(float(replace(found, regression=other).between))
    eta = customers.design @ b
    fall = found.family.slope(eta)
    bend = fall * (1 - 2 * found.family.mean(eta))
    gradient = customers.share @ fall + b[2] * (customers.share * bend) @ customers.design[:, 2]
    assert_allclose((moved[0] - moved[1]) / 2e-6, gradient, rtol=1e-5)
    step = found.contrast(67, 70)["probability"]
    assert 0 < step["at 67"] < step["at 70"] < 1


def test_weights_of_two_are_customers_twice():
    data = simulated(seed=4, firms=20)
    twice = pd.concat([data, data], ignore_index=True)
    heavy = of(fitted(data.assign(w=2.0), weights="w"), model="population-averaged")
    plain = of(fitted(twice.assign(w=1.0), weights="w"), model="population-averaged")
    assert_allclose(heavy.coefficients["estimate"], plain.coefficients["estimate"], rtol=1e-6)


def test_a_draw_is_the_mixed_model_of_the_firms_drawn():
    data = simulated(seed=5, firms=15, people=8)
    fit = fitted(data, cluster="firm")
    boot = csi.bootstrap(fit, draws=30, rng=2, progress=False)
    found = of(fit, bootstrap=boot)
    weights, counts = csi.index.point_weights(boot.solution)[:, :3], boot.design.counts(0)[:, ::8]
    for draw in (0, 11):
        index = data[["q0", "q1", "q2"]].to_numpy() @ weights[draw] / 1.3
        times = np.round(counts[draw] * 14 / 15).astype(int)
        parts = [
            data.assign(index=index)[data["firm"] == f] for f in range(15) for _ in range(times[f])
        ]
        whole = pd.concat([part.assign(firm=k) for k, part in enumerate(parts)])
        alone = mixed(
            Customers(
                whole["again"].to_numpy(), whole["index"].to_numpy(), np.empty((len(whole), 0)),
                whole["firm"].to_numpy(), None, np.arange(len(whole)),
            ), False, "model",
        )  # fmt: skip
        # Weighting 14 firms up to 15 moves the degrees of freedom of the variance a little.
        assert_allclose(found.draws[0][draw, 1], alone.coefficients[1], rtol=1e-6)
        assert_allclose(found.draws[0][draw], alone.coefficients, rtol=0.02)
        assert_allclose(found.draws[1][draw, 2], whole["index"].mean(), rtol=1e-9)
    assert "30 bootstrap draws of whole firms" in found.interval_kind
    step, plain = found.contrast(67, 70, "within"), found.naive.contrast(67, 70, "within")
    assert_allclose(step["probability"], plain["probability"])
    assert (step["lower"] < step["probability"]).all()


@pytest.mark.parametrize("move", ["between", "within"])
def test_contrasts_in_draws_are_their_slopes_times_the_step(move):
    data = simulated(seed=5, firms=15, people=8)
    fit = fitted(data, cluster="firm")
    boot = csi.bootstrap(fit, draws=60, rng=2, progress=False)
    found = of(fit, bootstrap=boot, interval="percentile")
    slope = found.draws[0][:, 2 if move == "between" else 1]
    step = found.contrast(60, 75, move).loc["difference"]
    assert_allclose(step["se"], 15 * slope.std(ddof=1), rtol=1e-9)
    ends = np.quantile(15 * slope, [0.025, 0.975])
    assert_allclose(step[["lower", "upper"]].astype(float), ends, rtol=1e-9)
    b, means = found.draws
    at = b[:, 0] + (b[:, 2] * 75 if move == "between" else b[:, 2] * means[:, 2])
    at = at + (0.0 if move == "between" else b[:, 1] * (75 - means[:, 2]))
    assert_allclose(found.contrast(60, 75, move).loc["at 75", "se"], at.std(ddof=1), rtol=1e-9)


def test_a_share_of_variance_and_a_correlation_are_those_of_lme4(frame, r):
    firms, slopes, joint, residual = r["slope"]["variances"]
    plain = of(fitted(simulated(firms=12)), model="random-slope")
    ours = replace(plain, regression=mixed(customers_of(frame), True, "model")).variances
    theirs = {
        "firms": firms, "slopes": slopes, "correlation": joint / np.sqrt(firms * slopes),
        "customers": residual, "icc": firms / (firms + residual),
    }  # fmt: skip
    assert_allclose(ours, pd.Series(theirs), rtol=1e-5)


def test_reliability_of_unequal_firms_is_the_analysis_of_variance_by_hand():
    """Firms of 2, 3 and 6: harmonic mean 3, ANOVA size (11 - 49/11)/2 = 36/11."""
    index = np.array([60.0, 64, 70, 72, 77, 50, 51, 52, 53, 54, 58])
    firm = np.repeat([0, 1, 2], [2, 3, 6])
    customers = Customers(np.zeros(11), index, np.empty((11, 0)), firm, None, np.arange(11))
    inside = (8 + 26 + 40) / 8  # sums of squares about 62, 73 and 53
    grand = 661 / 11
    outside = (2 * (62 - grand) ** 2 + 3 * (73 - grand) ** 2 + 6 * (53 - grand) ** 2) / 2
    tau = (outside - inside) / (36 / 11)
    assert_allclose(customers.reliability(), [tau / (tau + inside / 3), tau], rtol=1e-12)


# --- recovery ------------------------------------------------------------------------------------


def test_recovers_slopes_within_and_between():
    found = of(fitted(simulated(seed=7, firms=100, people=25)))
    truth = 1.3  # a point of the index is 1.3 units
    assert abs(found.between - 0.0058 * truth) < 3 * found.between.se < 0.003
    assert abs(found.within - 0.004 * truth) < 0.0006  # less by the items' error
    assert found.coefficients.loc["between - within", "p"] < 0.05
    assert_allclose(np.sqrt(found.variances["firms"]), 0.03, rtol=0.25)


def test_unreliable_means_are_told_with_what_is_left():
    between, mended = [], []
    for seed in range(4):
        found = of(fitted(simulated(seed, firms=150, people=4, between=0.009, spread=6.0)))
        finding = next(f for f in found.findings if f.code == "unreliable-means")
        between.append(float(found.between))
        mended.append(finding.values["slope"])
    truth = 0.009 * 1.3
    assert abs(np.mean(mended) - truth) < 0.0015
    assert np.mean(between) < np.mean(mended)


# --- findings, page, messages --------------------------------------------------------------------


def test_findings():
    data = simulated(seed=9, firms=12)
    data.loc[:3, "again"] = np.nan
    data.loc[4, "firm"] = 99
    found = of(fitted(data.assign(again=1 - data["again"])))
    codes = {f.code: f for f in found.findings}
    assert codes["rows-left-out"].count == 4
    assert codes["few-clusters"].count == 13
    assert codes["single-customers"].count == 1
    assert codes["negative-slope"].values["index"] == "Satisfaction"
    steep = of(fitted(simulated(seed=1, firms=20, within=0.02)))
    assert "probability-outside-0-1" in {f.code for f in steep.findings}
    fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    alike = csi.outcomes.repurchase_mixed(fit, "CUSL1", by=np.arange(250) % 25)
    assert "no-firm-variance" in {f.code for f in alike.findings}
    own = csi.outcomes.repurchase_mixed(fit, "CUSA1", by=np.arange(250) % 25)
    assert "outcome-in-index" in {f.code for f in own.findings}


@pytest.mark.parametrize("model", ["random-intercept", "random-slope", "population-averaged"])
def test_what_a_control_adds_is_its_coefficient(model):
    data = simulated(firms=20)
    z = np.random.default_rng(4).random((2, len(data)))
    data = data.assign(again=0.8 * data["again"], first=z[0], second=z[1])
    more = data.assign(again=data["again"] + 0.1 * z[0] + 0.05 * z[1])
    before, after = (
        of(fitted(frame), model=model, controls=["first", "second"], link="identity").coefficients
        for frame in (data, more)
    )
    gain = (after["estimate"] - before["estimate"]).drop(["first", "second"])
    assert_allclose(gain, 0.0, atol=1e-6)
    added = after["estimate"] - before["estimate"]
    assert_allclose(added[["first", "second"]], [0.1, 0.05], atol=1e-6)


def test_page():
    found = of(fitted(simulated(firms=20)), model="random-slope")
    page = str(found.summary())
    assert "random firm constants and slopes, 240 customers of 20 firms" in page
    assert "What is left between and within firms" in page
    assert "Each point of a firm's mean Satisfaction goes with " in repr(found)
    assert "<strong>" in found._repr_html_()
    assert list(found.firm_table.columns) == ["n", "index", "outcome", "effect", "slope_effect"]
    assert list(found.variances.index) == ["firms", "slopes", "correlation", "customers", "icc"]
    averaged = of(fitted(simulated(firms=20)), model="population-averaged", link="identity")
    assert "working correlation" in str(averaged.summary())


@pytest.mark.parametrize(
    ("error", "message", "options"),
    [
        (OptionError, "model='mixed' is not known; use one of 'random-intercept', 'random-slope', "
         "'population-averaged'.", {"model": "mixed"}),
        (OptionError, "link='logit' is not available for model='random-intercept'; use "
         "model='population-averaged', or link='identity'.", {"link": "logit"}),
        (OptionError, "errors='model' is not available for model='population-averaged', whose "
         "working correlation need not be true; use 'cluster'.",
         {"model": "population-averaged", "errors": "model"}),
        (OptionError, "index= must be one index, and 2 were given ('Satisfaction' and 'A'); "
         "take one of them.", {"index": ["Satisfaction", "A"]}),
        (SurveyError, "by 'shop' is not a column of the survey; name one of its columns, or give a "
         "Series with a value for each row.", {"by": "shop"}),
        (EstimationError, "There are 3 groups of 'by' with usable customers, and a slope between "
         "them needs at least 4; use csi.repurchase(..., errors='cluster').",
         {"by": np.arange(720) % 3}),
        (EstimationError, "There are 720 customers in 720 groups of 'by', so hardly any group has "
         "two; nothing can be told apart within groups.", {"by": np.arange(720)}),
    ],
)  # fmt: skip
def test_messages(error, message, options):
    with pytest.raises(error) as raised:
        of(fitted(simulated()), **options)
    assert str(raised.value) == message


def test_messages_of_weights_draws_and_levels():
    data = simulated(firms=10)
    with pytest.raises(SurveyError) as raised:
        of(fitted(data, weights="w"))
    assert str(raised.value) == (
        "The survey has weights, which model='random-intercept' cannot use; take "
        "model='population-averaged', with link='identity' for a straight line."
    )
    fit = fitted(data)
    boot = csi.bootstrap(fit, draws=25, progress=False)
    with pytest.raises(OptionError) as raised:
        of(fit, bootstrap=boot)
    assert str(raised.value) == (
        "Whole-chain intervals of a mixed model need draws of whole groups of 'firm'; make them "
        "from a survey with read_survey(..., cluster='firm')."
    )
    with pytest.raises(
        OptionError, match="Whole-chain intervals are not available for model='random"
    ):
        of(fit, bootstrap=boot, model="random-slope")
    found = of(fit)
    with pytest.raises(OptionError, match="Level 101 is not on the index"):
        found.contrast(67, 101)
    with pytest.raises(OptionError, match="move='firm' is not known"):
        found.contrast(67, 70, "firm")


@pytest.mark.parametrize("move", ["between", "within"])
def test_the_origin_of_a_control_does_not_matter_in_draws(move):
    data = simulated(seed=5, firms=15, people=8)
    rng = np.random.default_rng(4)
    data = data.assign(age=rng.normal(40, 9, len(data)))
    data = data.assign(born=1990.0 - data["age"])
    fit = fitted(data, cluster="firm")
    boot = csi.bootstrap(fit, draws=60, rng=2, progress=False)
    of_age, of_birth = (
        of(fit, bootstrap=boot, controls=[name], interval="percentile").contrast(60, 75, move)
        for name in ("age", "born")
    )
    columns = ["probability", "se", "lower", "upper"]
    assert_allclose(of_age[columns].astype(float), of_birth[columns].astype(float), rtol=1e-5)


@pytest.mark.parametrize(
    ("reliability", "told", "slope"),
    [(0.9, False, None), (0.89, True, (0.02 - 0.11 * 0.01) / 0.89), (0.3, True, 0.013 / 0.3),
     (0.29, True, np.nan)],
)  # fmt: skip
def test_the_lines_of_unreliable_means(reliability, told, slope):
    """The slope of the means is a mixture, by their reliability, of those between and within."""
    result = SimpleNamespace(
        customers=SimpleNamespace(reliability=lambda: (reliability, np.nan)),
        regression=SimpleNamespace(coefficients=np.array([0.2, 0.01, 0.02])),
        family=SimpleNamespace(bounded=False), index="S", by="firm",
    )  # fmt: skip
    findings = list(_reliability(result))
    assert [f.code for f in findings] == ["unreliable-means"] * told
    if told:
        assert_allclose(findings[0].values["slope"], slope, rtol=1e-12)


def test_as_many_customers_as_groups_and_what_is_estimated_are_enough():
    rng = np.random.default_rng(2)
    firm = np.append(np.arange(6), np.zeros(4, dtype=int))  # 10 customers in 6 groups, 4 needed
    index = rng.uniform(20, 90, 10)
    data = pd.DataFrame({"y": rng.random(10), "index": index, "firm": firm})
    found = csi.outcomes.repurchase_mixed(data, "y", by="firm", index="index", scale=(0, 1))
    assert (found.n, found.firms) == (10, 6)
    with pytest.raises(EstimationError, match=r"^There are 9 customers in 6 groups"):
        csi.outcomes.repurchase_mixed(data.iloc[:9], "y", by="firm", index="index", scale=(0, 1))


@pytest.mark.parametrize(
    ("within", "between", "told"),
    [(-0.01, 0.01, ("within",)), (0.01, -0.01, ("between",)),
     (-0.01, -0.01, ("within", "between")), (0.01, 0.01, None)],
)  # fmt: skip
def test_which_slope_is_negative(within, between, told):
    data = simulated(seed=3, firms=40)
    own = data[["q0", "q1", "q2"]].mean(axis=1)
    firm = own.groupby(data["firm"]).transform("mean")
    data["again"] = (0.5 + within * (own - firm) + between * (firm - 65)).clip(0, 1)
    findings = [f for f in of(fitted(data)).findings if f.code == "negative-slope"]
    assert [f.values["slopes"] for f in findings] == ([] if told is None else [told])


@pytest.mark.parametrize(("outside", "severity"), [(2, "note"), (3, "warning"), (0, None)])
def test_a_tenth_of_predictions_beyond_0_to_1_is_a_note(outside, severity):
    eta = np.where(np.arange(20) < outside, 1.2, 0.7)
    customers = SimpleNamespace(
        n=20, firms=50, size=np.full(10, 2), reliability=lambda: (0.95, np.nan),
        design=np.column_stack([eta, np.zeros((20, 2))]),
    )  # fmt: skip
    regression = SimpleNamespace(
        converged=True, firm_covariance=None, coefficients=np.ones(3), residual=1.0
    )
    result = SimpleNamespace(
        customers=customers, regression=regression, errors="model", by="firm", index="S",
        outcome="y", model="random-intercept", family=SimpleNamespace(bounded=False),
    )  # fmt: skip
    findings = list(about(result))
    assert [(f.count, f.severity) for f in findings] == ([(outside, severity)] if outside else [])


def test_lost_draws_say_why_they_were_lost():
    fit = fitted(simulated(3, firms=4, people=20), cluster="firm")
    boot = csi.bootstrap(fit, draws=80, rng=1, progress=False)
    found = of(fit, bootstrap=boot)
    counts = np.concatenate([boot.design.counts(b) for b in range(boot.design.blocks)])
    firms = pd.DataFrame(counts.T > 0).groupby(fit.survey.data["firm"].to_numpy()).any().sum()
    alone = int((firms == 1).sum())  # the mean of one firm does not vary
    assert 0 < alone == 80 - len(found.draws[0])
    (finding,) = [f for f in found.findings if f.code == "lost-draws"]
    assert finding.values["reasons"] == (f"{alone} a regressor without variation of its own",)


def test_draws_of_random_intercepts_do_not_depend_on_the_unit(frame):
    customers = customers_of(frame)
    X, times = customers.design, np.ones((1, customers.firms))
    unit = np.append(1.0, np.full(X.shape[1] - 1, 1e-7))
    (own, _), (small, ending) = (
        random_intercept_draws((X * scale)[None], customers.outcome, customers.starts, times)
        for scale in (np.ones_like(unit), unit)
    )
    assert ending[0] == Ending.CONVERGED
    assert_allclose(small * unit, own, rtol=1e-6)
