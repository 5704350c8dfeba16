"""Replicate weights: errors of R's survey from given weights, weights made here, bad input."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.estimators.quantities import by_item
from csimodel.survey import ReplicateMethod

HERE = Path(__file__).parents[1] / "reference"
MODEL = csi.Model.from_syntax("A =~ CUSA1\nB =~ CUSL1\nC =~ index\nB ~ A\nC ~ A")
SCALE = {"CUSA1": (1, 10), "CUSL1": (1, 10), "index": (0, 100)}
MEANS = csi.Quantity("item_means", by_item, lambda s: s.moments.mean, null=None)
RATIO = csi.Quantity(
    "ratio",
    lambda model: pd.Index(["ratio"]),
    lambda s: s.moments.mean[..., 1:2] / s.moments.mean[..., :1],
)
NAMES = ("jk1", "jkn", "jkn_fpc", "jkn_mse", "brr", "brr_mse", "fay", "rescaled", "canty", "mrb")
DESIGN = {"jkn": {"strata": "stratum", "cluster": "psu"}, "jk1": {"cluster": "psu"}}


@pytest.fixture(scope="module")
def data():
    own = pd.read_csv(HERE / "mobi_survey_data.csv")
    return own.assign(male=(own["sex"] == "m") * 1.0)


@pytest.fixture(scope="module")
def given(data):
    return pd.concat([data, pd.read_csv(HERE / "mobi_survey_replicates.csv")], axis=1)


def method_of(theirs, name):
    scheme = "bootstrap" if name in ("rescaled", "canty", "mrb") else name.split("_")[0]
    rscales = theirs["rscales"] if isinstance(theirs["rscales"], list) else None
    fay = 0.5 if scheme == "fay" else 0.0
    scale = theirs["scale"] if scheme == "bootstrap" else None
    return ReplicateMethod(
        scheme, fay, scale, rscales if scheme in ("jkn", "bootstrap") else None, theirs["mse"]
    )


def read(frame, **options):
    return csi.read_survey(frame, scale=SCALE, items=list(SCALE), weights="weight", **options)


@pytest.mark.parametrize("name", NAMES)
def test_errors_from_given_weights_are_those_of_r(reference, given, name):
    theirs = reference("mobi_survey_design.json")["replicates"][name]
    survey = read(given, replicate_weights=f"{name}.*", replicate_method=method_of(theirs, name))
    fit = csi.fit(MODEL, survey)
    errors = csi.replicate(fit, progress=False)
    order = [theirs["mean"]["names"].index(item) for item in ("CUSA1", "CUSL1", "index")]
    table = errors.table(MEANS)
    assert_allclose(table["estimate"], np.array(theirs["mean"]["estimate"])[order], rtol=1e-10)
    assert_allclose(table["se"], np.array(theirs["mean"]["se"])[order], rtol=1e-8)
    assert (table["df"] == theirs["degf"]).all()
    ratio = errors.table(RATIO).loc["ratio"]
    assert_allclose(ratio["se"], theirs["ratio"]["se"], rtol=1e-8)
    groups = csi.index_scores(fit, by="region", bootstrap=errors).xs("C", level="construct")
    assert_allclose(groups["se"], theirs["by_region"]["se"], rtol=1e-8)
    draws = errors.draws(MEANS)
    assert len(draws) == theirs["n"]
    for family, key in (("ols", "ols"), ("fractional-logit", "quasibinomial")):
        rep = csi.repurchase(
            fit, "rep01", index="C", family=family, scale=(0, 1), bootstrap=errors, progress=False
        )
        coefficients = rep.coefficients
        assert_allclose(coefficients["estimate"], theirs[key]["coef"], rtol=1e-8)
        assert_allclose(coefficients["se"], theirs[key]["se"], rtol=1e-8)
        assert (coefficients["df"] == theirs["degf"]).all()
        assert rep.interval_kind.startswith("Whole-chain intervals (t with")
    rep = csi.repurchase(
        fit, "rep01", index="C", family="ols", scale=(0, 1), controls=["CUSCO", "male"],
        bootstrap=errors, progress=False,
    )  # fmt: skip
    assert_allclose(rep.coefficients["se"], theirs["controls"]["se"], rtol=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_replicates_without_a_method_are_told_what_they_look_like(given, name):
    """Each kind of R's weights is told from the others, in a file of seven digits."""
    kind = "bootstrap" if name in ("rescaled", "canty", "mrb") else name.split("_")[0]
    likely = f"'{kind}' with fay=0.5 is likely" if kind == "fay" else f"'{kind}' is likely, as"
    with pytest.raises(
        csi.errors.OptionError, match=r"^Replicate weights need the method"
    ) as refusal:
        read(given, replicate_weights=f"{name}.*")
    assert f"({likely}" in str(refusal.value)


def test_raked_replicates_do_not_tell_their_method(given):
    raked = given[[f"jkn.{k}" for k in range(1, 30)]] * np.linspace(0.9, 1.1, 250)[:, None]
    raked *= 1.0 + 1e-3 * np.random.default_rng(1).random(raked.shape)
    with pytest.raises(csi.errors.OptionError, match=r"\(the weights do not tell which\)\.$"):
        read(given.assign(**raked), replicate_weights="jkn.*")


@pytest.mark.parametrize("method", ["jk1", "jkn", "jkn_fpc"])
def test_jackknife_weights_are_those_of_r(reference, given, method):
    """Each of our replicates is one of theirs, and the errors are equal."""
    theirs = reference("mobi_survey_design.json")["replicates"][method]
    scheme, _, whole = method.partition("_")
    design = DESIGN[scheme] | ({"population": "fpc"} if whole else {})
    survey = csi.replicate_weights(read(given, **design), scheme)
    ours = survey.data[list(survey.replicate_weights)].to_numpy()
    columns = given[[name for name in given if name.startswith(f"{method}.")]].to_numpy()
    for own in ours.T:
        assert np.abs(columns - own[:, None]).max(axis=0).min() < 1e-3  # 7 digits in the file
    table = csi.replicate(csi.fit(MODEL, survey)).table(MEANS)
    order = [theirs["mean"]["names"].index(item) for item in ("CUSA1", "CUSL1", "index")]
    assert_allclose(table["se"], np.array(theirs["mean"]["se"])[order], rtol=1e-6)
    assert (table["df"] == theirs["degf"]).all()


@pytest.mark.parametrize("method", ["brr", "fay"])
def test_balanced_halves(reference, data, method):
    """Full balance: the error of a linear estimate is the linearised one, which R gives."""
    survey = read(data, strata="stratum2", cluster="psu2")
    made = csi.replicate_weights(survey, method)
    total = csi.Quantity("total", by_item, lambda s: s.moments.mean - [[8.0, 7.5, 72.0]], null=None)
    weights = made.data[list(made.replicate_weights)].to_numpy()
    assert weights.shape == (250, 16)
    factors = weights / data["weight"].to_numpy()[:, None]
    expected = {0.0, 2.0} if method == "brr" else {0.5, 1.5}
    assert set(np.unique(factors.round(9))) == expected
    # Sums over clusters: c Σ (θ_r - θ)² of a weighted total is Σ_h (T_h1 - T_h2)².
    x = data["weight"] * data["index"]
    replicates = (factors * x.to_numpy()[:, None]).sum(axis=0)
    by_unit = x.groupby([data["stratum2"], data["psu2"]]).sum()
    exact = sum(np.diff(own.to_numpy())[0] ** 2 for _, own in by_unit.groupby(level=0))
    scale = made.replicate_method.scales(16)
    assert_allclose((scale * (replicates - x.sum()) ** 2).sum(), exact, rtol=1e-10)
    table = csi.replicate(csi.fit(MODEL, made)).table(MEANS)
    theirs = reference("mobi_survey_design.json")["linearised"]["brr_design"]["mean"]
    order = [theirs["names"].index(item) for item in ("CUSA1", "CUSL1", "index")]
    assert_allclose(table["se"], np.array(theirs["se"])[order], rtol=0.03)
    assert (table["df"] == 12).all()
    assert total.name == "total"


def test_bootstrap_replicates(data, reference):
    survey = csi.replicate_weights(
        read(data, strata="stratum", cluster="psu"), "bootstrap", replicates=2000, rng=1
    )
    table = csi.replicate(csi.fit(MODEL, survey)).table(MEANS)
    theirs = reference("mobi_survey_design.json")["linearised"]["full"]["mean"]
    order = [theirs["names"].index(item) for item in ("CUSA1", "CUSL1", "index")]
    assert_allclose(table["se"], np.array(theirs["se"])[order], rtol=0.06)
    again = csi.replicate_weights(survey, "bootstrap", replicates=2000, rng=1)
    pd.testing.assert_frame_equal(again.data, survey.data)


def test_jackknife_replicates_are_the_jackknife(mobi, ecsi):
    """Of respondents without a design the replicates are the refits of `csi.jackknife`."""
    fit = csi.fit(ecsi, csi.replicate_weights(mobi, "jk1"))
    ours = csi.replicate(fit, progress=False).table("paths")
    theirs = csi.jackknife(csi.fit(ecsi, mobi)).table("paths")
    assert_allclose(ours["se"], theirs["se"], rtol=1e-6)
    assert_allclose(ours["df"], theirs["df"])


def test_replicates_are_the_default_and_go_through_the_chain(given):
    survey = read(given, replicate_weights="brr.*", replicate_method="brr")
    fit = csi.fit(MODEL, survey)
    errors = csi.replicate(fit)
    assert_allclose(csi.index_scores(fit)["se"], errors.table("index")["se"])
    assert_allclose(
        csi.index_scores(fit, by="region")["se"],
        csi.index_scores(fit, by="region", bootstrap=errors)["se"],
    )
    rep = csi.repurchase(fit, "rep01", index="C", scale=(0, 1), bootstrap=errors)
    effect = rep.average_marginal_effect
    by_hand = np.sqrt(
        ((rep.draws.average_slopes() - rep.draws.average_slopes().mean()) ** 2).mean()
    )
    assert_allclose(effect.se, by_hand, rtol=1e-10)
    assert effect.df == 12
    (finding,) = [f for f in errors.findings if f.code == "few-units"]
    assert finding.values["df"] == 12
    assert "replicate weights with 12 degrees of freedom" in str(finding)
    page = str(errors.summary())
    assert "16 replicates by brr, 16 of them used" in page


def test_a_lost_replicate_leaves_no_error(data):
    """A replicate in which an item does not vary has no solution."""
    frame = data.assign(r1=data["weight"], r2=np.where(data.index < 1, data["weight"], 0.0))
    survey = read(frame, replicate_weights=["r1", "r2"], replicate_method="bootstrap")
    errors = csi.replicate(csi.fit(MODEL, survey), progress=False)
    table = errors.table("paths")
    assert table["se"].isna().all()
    assert (table["reason"] == "in one of the replicates there is no solution").all()
    assert "lost-draws" in [f.code for f in errors.findings]


def refused(error, told, function, *args, **options):
    with pytest.raises(error) as raised:
        function(*args, **options)
    assert str(raised.value).startswith(told), str(raised.value)


def test_replicates_that_are_all_the_weights_leave_no_error(data):
    frame = data.assign(**{f"rw{k}": data["weight"] for k in range(4)})
    survey = csi.read_survey(
        frame, scale=(1, 10), items=["CUSA1", "CUSL1"], weights="weight", replicate_weights="rw*",
        replicate_method="jk1",
    )  # fmt: skip
    fit = csi.fit(csi.Model.from_syntax("A =~ CUSA1\nB =~ CUSL1\nB ~ A"), survey)
    for table in (csi.index_scores(fit), csi.replicate(fit, progress=False).table("paths")):
        assert table["se"].isna().all()
        assert table["reason"].str.startswith("no degrees of freedom").all()


def test_bad_weights_are_named(data):
    survey_error, option_error = csi.errors.SurveyError, csi.errors.OptionError
    frame = data.assign(r1=data["weight"], r2=2.0 * data["weight"], r3=data["weight"])

    def fit(columns=("r1", "r2", "r3"), method="bootstrap", frame=frame, **design):
        return csi.fit(
            MODEL, read(frame, replicate_weights=columns, replicate_method=method, **design)
        )

    negative, none, gap = frame.copy(), frame.assign(r2=0.0), frame.copy()
    negative.loc[4, "r2"], gap.loc[6, "r3"] = -1.5, np.nan
    refused(
        survey_error, "Replicate weight 'r2' has 1 negative value (first -1.5 in row 5); replicate",
        fit, frame=negative,
    )  # fmt: skip
    refused(
        survey_error, "Replicate weight 'r3' has 1 missing value (first in row 7)", fit, frame=gap
    )
    refused(survey_error, "Replicate weight 'r2' is 0 in all rows, so that", fit, frame=none)
    refused(survey_error, "replicate_weights='z*' fits 0 columns of the data; give", fit, "z*")
    refused(survey_error, "replicate_weights names 1 column; give a pattern", fit, ["r1"])
    refused(
        option_error,
        "Replicate weights need the method that made them; give replicate_method= as one of 'jk1'",
        fit,
        method=None,
    )
    refused(
        option_error,
        "replicate_method='brrr' is not known (did you mean 'brr'?)",
        fit,
        method="brrr",
    )
    refused(option_error, "replicate_method='jkn' needs the factor (m - 1)/m", fit, method="jkn")
    refused(
        survey_error, "There are 3 columns of replicate weights and 2 rscales; give one for each",
        fit, method=ReplicateMethod("jkn", rscales=(0.5, 0.5)),
    )  # fmt: skip
    refused(
        survey_error,
        "There are 3 columns of replicate weights, and the method 'jk1' makes 29 of 29 clusters",
        fit, method="jk1", cluster="psu",
    )  # fmt: skip
    refused(
        survey_error,
        "There are 3 columns of replicate weights, and the method 'brr' makes at least 12 of 24",
        fit, method="brr", cluster="psu2", strata="stratum2",
    )  # fmt: skip
    refused(
        survey_error, "Replicate weights are whole weights, and the survey has none of its own",
        lambda: csi.fit(MODEL, csi.read_survey(frame, scale=SCALE, replicate_weights="r?", replicate_method="bootstrap")),
    )  # fmt: skip
    refused(
        option_error, "replicate_method says how replicate weights were made; name their columns",
        read, frame, replicate_method="brr",
    )  # fmt: skip
    refused(
        csi.errors.InferenceError, "The survey of this fit has no replicate weights; name their",
        csi.replicate, csi.fit(MODEL, read(frame)),
    )  # fmt: skip
    refused(option_error, "fay=1.0 must be from 0 to below 1", ReplicateMethod, "fay", 1.0)
    refused(option_error, "fay=0.5 must be from 0 to below 1", ReplicateMethod, "brr", 0.5)
    refused(option_error, "scale=-1 must be a number above 0", ReplicateMethod, "brr", scale=-1)
    refused(option_error, "rscales has -1; its", ReplicateMethod, "jkn", rscales=(1, -1))
    refused(option_error, "interval='bca' needs draws", csi.replicate(fit()).table, "paths", "bca")


def test_designs_that_a_method_cannot_use(data):
    error = csi.errors.OptionError
    survey = read(data, strata="stratum", cluster="psu")
    make = csi.replicate_weights
    refused(
        error,
        "method='jk1' leaves out units without regard to strata, and the survey has 8",
        make,
        survey,
        "jk1",
    )
    refused(
        error,
        "method='brr' takes one of two clusters in each stratum, and 8 of 8 strata have another "
        "number (the first has 5); use",
        make, survey, "brr",
    )  # fmt: skip
    alone = data[
        (data["stratum"] != 8) | (data["psu"] == data.loc[data["stratum"] == 8, "psu"].min())
    ]
    one = read(alone.reset_index(drop=True), strata="stratum", cluster="psu")
    refused(
        error, "method='jkn' compares clusters of a stratum, and 1 of 8 strata hold a single one",
        make, one, "jkn",
    )  # fmt: skip
    certain = read(
        alone.reset_index(drop=True), strata="stratum", cluster="psu", lonely="certainty"
    )
    assert len(make(certain, "jkn").replicate_weights) == 26
    refused(error, "replicates=9 is for method='bootstrap'", make, survey, "jkn", replicates=9)
    refused(error, "fay=0.3 is for method='fay'", make, survey, "jkn", fay=0.3)
    halves = read(data.assign(N=10), strata="stratum2", cluster="psu2", population="N")
    refused(error, "method='brr' cannot allow for the survey's population=", make, halves, "brr")


def test_a_cluster_in_two_strata_is_one_in_each_and_told(data):
    frame = data.assign(psu=np.where(data["stratum"] == 2, 1, data["psu"]))
    fit = csi.fit(MODEL, read(frame, strata="stratum", cluster="psu"))
    (finding,) = [f for f in fit.diagnostics if f.code == "nested-clusters"]
    assert finding.values == {"count": 1, "strata": "stratum", "cluster": "psu"}


def test_what_draws_units_refuses_replicates(given):
    fit = csi.fit(MODEL, read(given, replicate_weights="brr.*", replicate_method="brr"))
    errors = csi.replicate(fit)
    refused(
        csi.errors.OptionError,
        "repurchase_panel takes draws of units, and bootstrap= holds none; use",
        csi.outcomes.repurchase_panel, fit, "rep01", index="C", firm="region", period="sex",
        scale=(0, 1), bootstrap=errors,
    )  # fmt: skip


def test_money_has_the_errors_of_replicates_and_no_chance(given):
    fit = csi.fit(MODEL, read(given, replicate_weights="brr.*", replicate_method="brr"))
    errors = csi.replicate(fit)
    rep = csi.repurchase(fit, "rep01", index="C", scale=(0, 1), bootstrap=errors)
    terms = csi.money.Economics(margin=100, currency="EUR", period="year", discount_rate=0.1)
    worth = csi.money.profit_of_change(rep, 70, 72, terms)
    drawn = worth.draws[worth.main].to_numpy()
    assert_allclose(worth.estimate.se, np.sqrt(((drawn - drawn.mean()) ** 2).mean()), rtol=1e-10)
    assert worth.estimate.df == 12
    assert np.isnan(worth.chance())
    assert "16 replicates of the whole chain" in worth.source


def test_replicates_belong_to_the_weights_they_vary(given, data):
    survey = read(given, replicate_weights="brr.*", replicate_method="brr")
    other = csi.weighting.trim(survey, upper=40)  # raking adjusts replicates too, trimming does not
    told = f"The replicate weights vary the weights 'weight', and now they are '{other.weights}'"
    refused(csi.errors.SurveyError, told, lambda: csi.fit(MODEL, other))
    again = csi.replicate_weights(csi.read_survey(other, strata="stratum", cluster="psu"), "jkn")
    assert csi.replicate(csi.fit(MODEL, again)).table(MEANS)["se"].gt(0).all()


def test_errors_that_leave_replicate_weights_aside_say_so():
    rng = np.random.default_rng(5)
    firm = np.repeat(np.arange(30), 10)
    level = np.repeat(rng.normal(size=30), 10) + 0.7 * rng.normal(size=300)
    answers = {
        f"{block}{j}": np.clip(np.round(5.5 + 1.5 * level + rng.normal(size=300)), 1, 10)
        for block in "qs"
        for j in (1, 2, 3)
    }
    model = csi.Model.from_syntax("Q =~ q1 + q2 + q3\nS =~ s1 + s2 + s3\nS ~ Q")
    items = list(answers)
    frame = pd.DataFrame(answers).assign(
        firm=firm, w=1.0, rep=(level > 0) * 1.0, unit=firm // 10, wave=np.tile([1, 2], 150)
    )
    options = {"scale": dict.fromkeys(items, (1, 10)), "items": items, "weights": "w"}
    made = csi.replicate_weights(csi.read_survey(frame, cluster="firm", **options), "jkn")
    public = csi.read_survey(
        made.data.drop(columns="firm"),
        replicate_weights=made.replicate_weights,
        replicate_method=made.replicate_method,
        **options,
    )
    fit, known = csi.fit(model, public), csi.fit(model, made)
    errors = csi.replicate(fit, progress=False)

    def told(result):
        return [own.code for own in result.findings].count("replicates-not-used")

    def results(own):
        yield csi.linearize(own)
        yield csi.bootstrap(own, 30, progress=False)
        yield csi.jackknife(own)
        yield csi.repurchase(own, "rep", index="S")
        yield csi.repurchase(own, "rep", index="S", bootstrap=csi.linearize(own))
        yield csi.programme(model, own.survey, "unit", "wave", construct="S")
        yield csi.goal_seek(own, "S", 60, bootstrap=csi.linearize(own))

    assert [told(own) for own in results(fit)] == [1] * 7
    assert [told(own) for own in results(known)] == [0] * 7
    assert told(csi.repurchase(fit, "rep", index="S", bootstrap=errors)) == 0
    goal, given = csi.goal_seek(fit, "S", 60), csi.goal_seek(fit, "S", 60, bootstrap=errors)
    clustered = csi.goal_seek(known, "S", 60, bootstrap=csi.linearize(known))
    assert told(goal) == told(given) == 0
    pd.testing.assert_frame_equal(goal.table, given.table)
    width, right = ((own.table["upper"] - own.table["lower"]).item() for own in (goal, clustered))
    assert 0.85 < width / right < 1.15
