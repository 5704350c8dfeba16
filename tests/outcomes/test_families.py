"""Families of repurchase regressions: values of other programs, ordered answers, what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from scipy.special import expit
from scipy.stats import beta as beta_law
from scipy.stats import norm
from statsmodels.miscmodels.ordinal_model import OrderedModel
from statsmodels.othermod.betareg import BetaModel

import csimodel as csi
from csimodel.errors import EstimationError, OptionError, SurveyError
from csimodel.outcomes import repurchase
from csimodel.outcomes.kernels.families import FAMILIES, LOGIT
from csimodel.outcomes.kernels.glm import newton_step, regress_draws
from csimodel.outcomes.kernels.kernel import Ending
from csimodel.outcomes.kernels.ordered import ordered_draws
from csimodel.outcomes.models.categories import reached, shares_matrix

REFERENCE = Path(__file__).parents[1] / "reference"
DRIVERS = ["Image", "Quality", "Value", "Satisfaction", "Complaints"]


@pytest.fixture(scope="module")
def r(reference):
    return reference("mobi_repurchase.json")


@pytest.fixture(scope="module")
def lines():
    return pd.read_csv(REFERENCE / "mobi_index_scores.csv")


@pytest.fixture(scope="module")
def answers(mobi):
    return mobi.data["CUSL1"]


@pytest.fixture(scope="module")
def ordered(fit, boot):
    return {
        name: repurchase(fit, "CUSL1", family=name, index=["Satisfaction", "Image"], bootstrap=boot)
        for name in ("ordered-logit", "ordered-probit")
    }


# --- values from other programs -----------------------------------------------------------------


@pytest.mark.parametrize("family", ["probit", "cloglog"])
def test_binary_families_of_r(r, lines, answers, family):
    found = repurchase(
        index=lines[DRIVERS], outcome=answers >= 8, family=family, errors="nonrobust"
    )
    assert_allclose(found.coefficients["estimate"], r[family]["Estimate"], atol=1e-6)
    assert_allclose(found.coefficients["se"], r[family]["Std. Error"], atol=1e-6)


def test_weighted_probit_of_r(r, lines, answers):
    weights = 1 + np.arange(1, 251) % 3
    found = repurchase(index=lines[DRIVERS], outcome=answers >= 8, family="probit", weights=weights)
    assert_allclose(found.coefficients["estimate"], r["probit_weighted"]["Estimate"], atol=1e-6)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_ordered_families_of_r(r, lines, answers, link):
    found = repurchase(
        index=lines[DRIVERS],
        outcome=answers,
        scale=(1, 10),
        family=f"ordered-{link}",
        errors="nonrobust",
    )
    theirs = r[f"polr_{link}"]
    slopes, thresholds = found.coefficients.iloc[1:], found.thresholds
    assert_allclose(slopes["estimate"], [theirs["coef"][name] for name in DRIVERS], atol=1e-4)
    assert_allclose(slopes["se"], [theirs["se"][name] for name in DRIVERS], atol=1e-4)
    assert thresholds.index.tolist() == list(theirs["zeta"])
    assert_allclose(thresholds["estimate"], list(theirs["zeta"].values()), atol=1e-4)
    assert_allclose(thresholds["se"], [theirs["se"][name] for name in theirs["zeta"]], atol=1e-4)


@pytest.mark.parametrize("errors", ["nonrobust", "HC0"])
def test_beta_regression_of_statsmodels(lines, answers, errors):
    design = sm.add_constant(lines[["Satisfaction", "Image"]].to_numpy() / 20.0)
    theirs = BetaModel((answers.to_numpy() - 0.5) / 10, design)
    theirs = theirs.fit(method="newton", disp=0, cov_type=errors)
    found = repurchase(
        index=lines[["Satisfaction", "Image"]],
        outcome=answers,
        scale=(0.5, 10.5),
        family="beta",
        errors=errors,
    )
    units = np.array([1.0, 20.0, 20.0])
    assert_allclose(found.coefficients["estimate"] * units, theirs.params[:3], rtol=1e-8)
    assert_allclose(found.coefficients["se"] * units, theirs.bse[:3], rtol=1e-8)
    assert_allclose(found.precision, np.exp(theirs.params[3]), rtol=1e-8)
    assert_allclose(found.precision.se, found.precision * theirs.bse[3], rtol=1e-8)
    assert found.precision.lower < found.precision < found.precision.upper


def test_robust_errors_of_ordered_answers_of_statsmodels(lines, answers):
    spread = lines["Satisfaction"].std()
    model = OrderedModel(answers.to_numpy(), lines[["Satisfaction"]] / spread, distr="logit")
    theirs = model.fit(method="newton", disp=0, cov_type="HC0")
    found = repurchase(
        index=lines["Satisfaction"],
        outcome=answers,
        scale=(1, 10),
        family="ordered-logit",
        errors="HC0",
    )
    assert_allclose(found.slope.se * spread, theirs.bse.iloc[0], rtol=1e-4)


def beta_logit(parameters, x, y):
    """Log-likelihood of each share: constant, slope, logarithm of the precision."""
    mean, precision = expit(parameters[0] + parameters[1] * x), np.exp(parameters[2])
    return beta_law.logpdf(y, mean * precision, (1.0 - mean) * precision)


def derivatives(value, at, step=1e-4):
    """Score and Hessian of each respondent by differences, (rows, k) and (rows, k, k)."""
    moves = step * np.eye(len(at))
    score = [(value(at + a) - value(at - a)) / (2 * step) for a in moves]
    second = [
        [
            value(at + a + b) - value(at + a - b) - value(at - a + b) + value(at - a - b)
            for b in moves
        ]
        for a in moves
    ]
    return np.stack(score, -1), np.moveaxis(np.array(second), -1, 0) / (4 * step**2)


def test_hc3_of_beta_leaves_each_respondent_out_of_the_information():
    rng = np.random.default_rng(8)
    index, weights = rng.uniform(20, 90, 60), rng.uniform(0.5, 1.5, 60)
    share = expit(0.04 * (index - 55) + rng.logistic(size=60))
    rep = repurchase(
        index=index, outcome=share, scale=(0, 1), family="beta", weights=weights, errors="HC3"
    )
    at = np.array([*rep.coefficients["estimate"], np.log(rep.precision)])
    score, hessian = derivatives(lambda b: beta_logit(b, index, share), at)
    weights /= weights.mean()
    score, pieces = score * weights[:, None], -hessian * weights[:, None, None]
    assert_allclose(score.sum(axis=0), 0.0, atol=1e-4 * abs(score).sum(axis=0).max())
    pulls = np.linalg.solve(pieces.sum(axis=0) - pieces, score[:, :, None])[:, :, 0]
    assert_allclose(rep.coefficients["se"], np.sqrt((pulls[:, :2] ** 2).sum(axis=0)), rtol=1e-4)


@pytest.mark.parametrize("family", ["probit", "cloglog", "fractional-probit"])
@pytest.mark.parametrize("errors", ["HC0", "cluster"])
def test_robust_errors_of_statsmodels(lines, answers, family, errors):
    links = sm.families.links
    link = links.CLogLog() if family == "cloglog" else links.Probit()
    y = (answers - 1) / 9 if family == "fractional-probit" else (answers >= 8) * 1.0
    groups = np.arange(250) % 30
    model = sm.GLM(y, sm.add_constant(lines["Satisfaction"]), family=sm.families.Binomial(link))
    b = np.asarray(model.fit(tol=1e-13, tol_criterion="params").params)
    scores, bread = model.score_obs(b), np.linalg.inv(-model.hessian(b, observed=False))
    if errors == "cluster":
        scores = pd.DataFrame(scores).groupby(groups).sum().to_numpy()
        bread = bread * np.sqrt(30 / 29 * 249 / 248)
    theirs = np.sqrt(np.diag(bread @ scores.T @ scores @ bread))
    found = repurchase(
        index=lines["Satisfaction"],
        outcome=y,
        family=family,
        scale=(0, 1),
        errors=errors,
        cluster=groups if errors == "cluster" else None,
    )
    assert_allclose(found.coefficients["se"], theirs, rtol=1e-6)


@pytest.mark.parametrize("family", ["logit", "probit", "cloglog"])
def test_elasticity_of_statsmodels(lines, answers, family):
    y, x = (answers >= 8) * 1.0, lines["Satisfaction"]
    found = repurchase(index=x, outcome=y, family=family, errors="nonrobust")
    kinds = {"logit": sm.Logit, "probit": sm.Probit}
    if family in kinds:
        theirs = kinds[family](y, sm.add_constant(x)).fit(disp=0).get_margeff("mean", "eyex")
        assert_allclose(found.elasticity(), theirs.margeff[0], rtol=1e-6)
        # of a probit it takes the observed information, we the expected
        close = 1e-6 if family == "logit" else 1e-2
        assert_allclose(found.elasticity().se, theirs.margeff_se[0], rtol=close)
    step = np.log(found.predict([70.001, 69.999])["probability"]).to_numpy()
    assert_allclose(found.elasticity(70), (step[0] - step[1]) / np.log(70.001 / 69.999), rtol=1e-5)


def test_weighted_least_squares(lines, answers):
    weights = np.random.default_rng(1).uniform(0.3, 3, 250)
    x = lines["Satisfaction"]
    theirs = sm.WLS((answers - 1) / 9, sm.add_constant(x), weights=weights).fit()
    for family in ("wls", "ols"):
        found = repurchase(index=x, outcome=answers, family=family, scale=(1, 10), weights=weights)
        assert_allclose(found.coefficients["estimate"], theirs.params, rtol=1e-10)
        assert_allclose(found.coefficients["se"], theirs.get_robustcov_results("HC1").bse)
    with pytest.raises(OptionError) as raised:
        repurchase(index=x, outcome=answers, family="wls", scale=(1, 10))
    assert str(raised.value) == (
        "family='wls' needs weights; name their column as read_survey(..., weights='w'), or use "
        "family='ols'."
    )


# --- ordered answers ----------------------------------------------------------------------------


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_two_ordered_answers_are_yes_and_no(lines, answers, link):
    again = (answers >= 8) * 1.0
    two = repurchase(index=lines["Image"], outcome=again, family=f"ordered-{link}", scale=(0, 1))
    one = repurchase(index=lines["Image"], outcome=again, family=link, errors="nonrobust")
    assert_allclose(two.coefficients["estimate"], one.coefficients["estimate"], rtol=1e-7)
    for column in ("probability", "se", "lower", "upper"):
        assert_allclose(two.predict([30, 60])[column], one.predict([30, 60])[column], rtol=0.1)


def test_the_cut_changes_what_is_told_and_not_what_is_fitted(fit):
    found = {
        cut: repurchase(fit, "CUSL1", family="ordered-logit", cut=cut) for cut in (2, 6, 9, 10)
    }
    categories = found[6].categories([55, 80])
    for cut, rep in found.items():
        assert rep.cut == cut
        assert_allclose(rep.slope, found[6].slope, rtol=1e-12)
        pd.testing.assert_frame_equal(rep.thresholds, found[6].thresholds, rtol=1e-12)
        reached = categories[categories["answer"] >= cut].groupby("index")["probability"].sum()
        assert_allclose(rep.predict([55, 80])["probability"], reached, rtol=1e-12)
    assert repurchase(fit, "CUSL1", family="ordered-logit").cut == 6
    assert found[6].findings == ()


def test_categories_and_expected_answers_agree(ordered):
    for rep in ordered.values():
        for one in (rep, rep.naive):
            table = one.categories([40, 60, 80], index="Image")
            assert table.columns.tolist() == [
                "index", "answer", "probability", "se", "df", "lower", "upper", "reason",
            ]  # fmt: skip
            assert ((table["lower"] >= 0) & (table["upper"] <= 1)).all()
            by = table.groupby("index")
            assert_allclose(by["probability"].sum(), 1.0)
            mean = by.apply(lambda t: t["answer"] @ t["probability"], include_groups=False)
            expected = one.expected_answer([40, 60, 80], index="Image")
            assert_allclose(expected["answer"], mean)
            assert (expected["lower"] < expected["answer"]).all()
            assert (expected["upper"] > expected["answer"]).all()


@pytest.mark.parametrize("family", ["ordered-logit", "ordered-probit"])
def test_ordered_gradients_are_numerical_ones(ordered, family):
    rep = ordered[family].naive
    base = rep.regression
    covariance, size = base.joint_covariance, len(base.further)

    def moved(step):
        return replace(
            rep,
            regression=replace(
                base,
                further=base.further + step[:size],
                coefficients=base.coefficients + np.r_[0.0, step[size:]],
            ),
        )

    for name in ("categories", "expected_answer"):
        column = "probability" if name == "categories" else "answer"
        gradient = []
        for step in np.eye(len(covariance)) * 1e-6:
            up, down = (getattr(moved(s), name)([50, 75])[column] for s in (step, -step))
            gradient.append((up.to_numpy() - down.to_numpy()) / 2e-6)
        gradient = np.array(gradient)
        up = reached(base, 0, np.array([50.0, 75.0]))
        bounds = len(base.further)
        turn = shares_matrix(bounds) if name == "categories" else np.ones((1, bounds))
        found = up.turned(np.kron(np.eye(2), turn)).gradient
        assert_allclose(found, gradient.T, rtol=1e-4, atol=1e-7)


def test_categories_of_draws_are_those_of_each_draw(fit, ordered):
    for name, rep in ordered.items():
        drawn = rep.draws.further
        alone = repurchase(fit, "CUSL1", family=name, bootstrap=rep.draws.bootstrap)
        from csimodel.outcomes.models.categories import reached_in_draws

        found = reached_in_draws(alone.draws, 0, np.array([60.0, 80.0]))
        mean = FAMILIES[name].mean
        for j in (0, 4, 8):
            eta = alone.draws.coefficients[:, 1:] * np.array([60.0, 80.0])
            assert_allclose(found[:, :, j], mean(eta - alone.draws.further[:, [j]]), rtol=1e-10)
        assert_allclose(
            rep.draws.predictions(0, np.array([60.0])),
            reached_in_draws(rep.draws, 0, np.array([60.0]))[:, :, 4],
            rtol=1e-10,
        )
        assert drawn.shape[1] == 9


def test_a_draw_without_an_answer_is_fitted_without_it(chain):
    """Only one respondent gave the lowest answer: a third of the draws are without it."""
    rng = np.random.default_rng(4)
    latent = rng.normal(size=80)
    frame = pd.DataFrame(
        {
            f"{block}{k}": np.clip(np.round(6 + 1.5 * latent + rng.normal(size=80)), 1, 10)
            for block in "abc"
            for k in (1, 2, 3)
        }
    )
    answer = np.clip(np.round(3.5 + latent + 0.7 * rng.normal(size=80)), 2, 5)
    answer[np.argmin(latent)] = 1.0
    survey = csi.read_survey(frame.assign(answer=answer), scale=(1, 10))
    fit = csi.fit(chain, survey)
    boot = csi.bootstrap(fit, 60, rng=1)
    found = repurchase(
        fit, "answer", index="B", family="ordered-logit", scale=(1, 5), bootstrap=boot
    )
    without = np.isinf(found.draws.further[:, 0])
    assert 5 < without.sum() < 40
    counts = boot.design.counts(0)
    assert np.array_equal(without, counts[found.draws.usable][:, answer == 1].sum(axis=1) == 0)
    draw = int(np.flatnonzero(found.draws.usable)[np.flatnonzero(without)[0]])
    rows = np.repeat(np.arange(80), counts[draw].astype(int))
    points = (frame[["b1", "b2", "b3"]].to_numpy() - 1) / 9 * 100
    x = points @ boot.solution.index_weights[draw, fit.model.slices[1]]
    own = repurchase(index=x[rows], outcome=answer[rows], family="ordered-logit", cut=4)
    place = np.flatnonzero(without)[0]
    assert_allclose(found.draws.coefficients[place, 1], own.slope, rtol=1e-6)
    assert_allclose(found.draws.further[place, 1:], own.thresholds["estimate"], rtol=1e-6)
    assert np.isnan(found.thresholds["se"].iloc[0])
    assert np.isfinite(found.thresholds["se"].iloc[1:]).all()
    table = found.categories(50)
    assert np.isfinite(table.drop(columns="reason").to_numpy()).all()


def test_summary_of_ordered_answers_says_which_count(ordered):
    text = str(ordered["ordered-logit"].summary())
    assert "more of CUSL1 of 6 or more (95 % interval" in text
    assert "CUSL1 of 6 or more counts as yes (cut=6)" in text
    assert "Thresholds (log-odds)" in text
    assert "Expected answer at the quartiles of the index" in text


# --- what is refused or told -----------------------------------------------------------------------


def test_beta_regression_takes_no_ends(fit, answers):
    with pytest.raises(SurveyError) as raised:
        repurchase(fit, "CUSL1", family="beta")
    count = int(answers.isin([1, 10]).sum())
    assert str(raised.value) == (
        "family='beta' needs an outcome strictly between 0 and 1, and "
        f"{count} of 250 answers of 'CUSL1' are exactly 1 or 10, the ends of its scale; use "
        "family='fractional-logit', which takes them, or read whole answers as middles of equal "
        "steps with scale=(0.5, 10.5)."
    )
    assert repurchase(fit, "CUSL1", family="beta", scale=(0.5, 10.5)).converged
    with pytest.raises(SurveyError, match=r"exactly 0 or 1, the ends .*, which takes them\.$"):
        repurchase(fit, answers >= 8, family="beta")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"family": "logit", "cut": 8},
            OptionError,
            "cut=8 is for ordered families, and family='logit' is none; for a yes or no give the "
            "outcome as survey.data['CUSL1'] >= 8.",
        ),
        (
            {"family": "ordered-logit", "cut": 1},
            OptionError,
            "cut=1 must lie above the lowest answer of 'CUSL1' and not above its highest (1 to 10 "
            "were seen), so that some answers count as repurchase and some do not.",
        ),
        (
            {"outcome": "intention", "family": "ordered-probit"},
            SurveyError,
            "The scale of outcome 'intention' is unknown (values from 1 to 10 were seen), so it "
            "cannot be told which answers count as repurchase; give the lowest of them as cut=, "
            "or the scale's ends, such as scale=(1, 10), for those above its middle.",
        ),
        (
            {"outcome": "fine", "family": "ordered-probit", "cut": 0.5},
            SurveyError,
            "family='ordered-probit' needs answers in a few categories, and 'fine' holds 250 "
            "different values (at most 25 are allowed); use family='fractional-logit', or group "
            "the values.",
        ),
        (
            {"family": "ordered-logit", "scale": (1, 9)},
            SurveyError,
            "Outcome 'CUSL1' holds 81 values outside its scale 1 to 9 (the first is 10); give its "
            "own lowest and highest answer, or declare missing codes.",
        ),
        (
            {"family": "ordered-logit", "errors": "HC3"},
            OptionError,
            "errors='HC3' is not defined for family='ordered-logit', where leaving out a "
            "respondent may leave a threshold without data; use 'HC1', 'HC0' or 'cluster'.",
        ),
        (
            {"outcome": "low", "family": "ordered-logit", "scale": (1, 10)},
            EstimationError,
            "None of the 250 respondents used answered 'low' at or above the lowest answer that "
            "counts as repurchase; give another one as cut=, above 1 and up to 3.",
        ),
        (
            {"outcome": "same", "family": "ordered-logit", "scale": (1, 10)},
            EstimationError,
            "Outcome 'same' is the same for all 250 respondents used (4), so nothing can be "
            "explained; choose an outcome that differs between customers.",
        ),
        (
            {"outcome": None},
            OptionError,
            "There is no outcome; name the column that says who buys again.",
        ),
    ],
)
def test_errors_of_families(mobi, ecsi, options, error, message):
    frame = mobi.data.assign(
        intention=mobi.data["CUSL1"],
        fine=np.linspace(0.01, 0.99, 250),
        low=1 + np.arange(250) % 3,
        same=4,
    )
    fit = csi.fit(ecsi, replace(mobi, data=frame))
    with pytest.raises(error) as raised:
        repurchase(fit, **{"outcome": "CUSL1", **options})
    assert str(raised.value) == message


def test_answers_that_a_family_does_not_have(fit):
    found = repurchase(fit, "CUSL1")
    assert found.cut is None
    for ask in (lambda: found.thresholds, lambda: found.categories(50)):
        with pytest.raises(OptionError) as raised:
            ask()
        assert str(raised.value) == (
            "family='fractional-logit' does not tell answers apart; use family='ordered-logit' or "
            "'ordered-probit'."
        )
    with pytest.raises(OptionError, match=r"has no precision; it belongs to family='beta'\.$"):
        _ = found.precision


def test_a_line_below_zero_has_no_elasticity():
    index = np.linspace(0, 100, 60)
    line = repurchase(index=index, outcome=index > 60, family="ols")
    with pytest.raises(OptionError, match=r"predicts a probability of -0\.\d+ at an index of 5, "):
        line.elasticity(5)
    assert line.elasticity(80) > 0


@pytest.mark.parametrize(
    "family", [name for name in FAMILIES if name not in ("ols", "wls", "beta")]
)
def test_separation_gives_no_numbers_in_any_family(family):
    index = pd.Series(np.linspace(5, 95, 60), name="S")
    answer = (index > 60) * 1.0
    options = {}
    if FAMILIES[family].outcome == "ordered":
        answer, options = 1.0 + (index > 30) + (index > 60), {"cut": 3}
    found = repurchase(index=index, outcome=answer.rename("again"), family=family, **options)
    assert not found.converged
    assert np.isnan(found.slope)
    contrast = found.contrast(67, 70)
    assert contrast[["probability", "se", "lower", "upper"]].isna().all().all()
    finding = found.findings[0]
    assert finding.severity == "failure"
    assert (finding.code, finding.subjects) == ("separation", ("S",))
    assert finding.values["names"] == ("'S'",)
    assert finding.values["outcome"] == "again"
    assert finding.values["family"] == FAMILIES[family].label


def test_a_category_of_few_is_told(fit, mobi, ecsi):
    place = np.where(np.arange(250) < 4, "island", np.where(np.arange(250) % 2, "north", "south"))
    other = csi.fit(ecsi, replace(mobi, data=mobi.data.assign(place=place)))
    found = repurchase(other, formula="CUSL1 ~ index + place")
    (finding,) = found.findings
    assert (finding.code, finding.subjects) == ("few-in-category", ("place",))
    assert finding.values == {
        "name": "place", "fewest": 10, "rows": 250, "categories": ("island (4)",),
    }  # fmt: skip
    numbered = repurchase(other, formula="CUSL1 ~ index + C(CUSCO)").findings
    assert [f.code for f in numbered] == ["few-in-category"]
    vip = repurchase(
        index=np.linspace(0, 100, 90),
        outcome=np.arange(90) % 2,
        controls=pd.DataFrame({"vip": np.arange(90) < 5}),
    )
    assert vip.findings[0].code == "few-in-category"
    assert vip.findings[0].values == {"name": "vip", "count": 5, "n": 90, "few_alike": 10}


# --- kernels -----------------------------------------------------------------------------------------


def test_many_parameters_are_not_taken_for_singular():
    """A determinant of 1e-14 with 15 parameters is far from singular; a copy of a column is not."""
    k = 15
    matrix = 0.86 * np.ones((k, k)) + 0.14 * np.eye(k)
    copied = np.ones((k, k))
    step, solved = newton_step(np.ones((2, k)), np.stack([matrix, copied]))
    assert np.linalg.det(matrix) < 1e-10
    assert solved.tolist() == [True, False]
    assert_allclose(step[0], np.linalg.solve(matrix, np.ones(k)))
    assert (step[1] == 0).all()


@pytest.mark.parametrize("family", ["probit", "cloglog"])
def test_working_values_far_out_stay_finite(family):
    eta = np.array([-300.0, -40.0, -9.0, 9.0, 40.0, 300.0])
    for y in (0.0, 1.0):
        for values in FAMILIES[family].working(eta, np.full(6, y)):
            assert np.isfinite(values).all()
    score, _, _ = FAMILIES["probit"].working(np.array([-9.0]), np.array([1.0]))
    assert_allclose(score, norm.pdf(9) / norm.sf(9), rtol=1e-10)


def test_beta_regression_from_a_bad_start():
    from csimodel.outcomes.kernels.beta import beta_draws, beta_statistics

    rng = np.random.default_rng(5)
    x = rng.normal(size=400)
    mean = LOGIT.mean(0.5 + 0.8 * x)
    y = np.clip(rng.beta(mean * 6, (1 - mean) * 6), 1e-6, 1 - 1e-6)
    found = beta_draws(beta_statistics(y), [x], np.ones((1, 400)), np.array([-2.0, 3.0, 4.0]))
    assert found.ending[0] == Ending.CONVERGED
    assert_allclose(found.coefficients[0], [0.5, 0.8], atol=0.15)
    assert_allclose(np.exp(found.further[0, 0]), 6, rtol=0.2)


@pytest.mark.parametrize("family", ["probit", "cloglog"])
def test_kernels_of_draws_are_statsmodels(family):
    rng = np.random.default_rng(2)
    x = rng.normal(size=300)
    y = (rng.random(300) < FAMILIES[family].mean(0.2 + 0.9 * x)) * 1.0
    found = regress_draws(FAMILIES[family], y, [x], np.ones((1, 300)), np.array([3.0, -2.0]))
    links = sm.families.links
    link = links.CLogLog() if family == "cloglog" else links.Probit()
    theirs = sm.GLM(y, sm.add_constant(x), family=sm.families.Binomial(link)).fit()
    assert_allclose(found.coefficients[0], theirs.params, rtol=1e-6)


# --- recovery ----------------------------------------------------------------------------------------


def drawn(family, index, rng):
    """Draw outcomes whose linear predictor is -1.5 + .03 · index, and options to fit them."""
    eta = -1.5 + 0.03 * index
    mean = FAMILIES[family].mean(eta)
    if family in ("ols", "wls"):
        return np.clip(0.2 + 0.006 * index + rng.normal(0, 0.05, len(index)), 0, 1), {}
    if FAMILIES[family].outcome == "ordered":
        noise = rng.logistic(size=len(index)) if "logit" in family else rng.normal(size=len(index))
        return 1.0 + np.searchsorted([-1.0, 0.0, 0.7], eta + noise), {"cut": 3}
    if family == "beta":
        return rng.beta(8 * mean, 8 * (1 - mean)), {"scale": (0, 1)}
    if FAMILIES[family].outcome == "share":
        return rng.binomial(9, mean, len(index)) / 9, {"scale": (0, 1)}
    return (rng.random(len(index)) < mean) * 1.0, {}


@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in ("ols", "wls")])
def test_recovery_of_a_known_slope(family):
    rng = np.random.default_rng(11)
    index = rng.uniform(0, 100, 20_000)
    y, options = drawn(family, index, rng)
    found = repurchase(index=index, outcome=y, family=family, **options)
    assert abs(found.slope - 0.03) < 3.5 * found.slope.se
    assert found.slope.se < 0.002
    truth = FAMILIES[family].mean(-1.5 + 0.03 * np.array([67.0, 70.0]))
    table = found.contrast(67, 70)
    assert_allclose(table["probability"].iloc[:2], truth, atol=0.02)
    eta = np.log(3.0) if "logit" in family or family == "beta" else norm.ppf(0.75)
    eta = np.log(-np.log(0.25)) if family == "cloglog" else eta
    assert abs(float(found.level_for(0.75)) - (eta + 1.5) / 0.03) < 2.0


@pytest.mark.slow
@pytest.mark.parametrize("family", ["fractional-probit", "cloglog", "beta", "ordered-logit"])
def test_coverage_of_intervals(family):
    """In short form: 95 % intervals of slope, effect and prediction cover in 88 % or more."""
    kind, covered, samples = FAMILIES[family], np.zeros(3), 80
    truth = 0.03, 0.03 * float(kind.slope(np.array([0.6]))[0]), float(kind.mean(np.array([0.3]))[0])
    for seed in range(samples):
        rng = np.random.default_rng(seed)
        index = rng.uniform(0, 100, 400)
        y, options = drawn(family, index, rng)
        found = repurchase(index=index, outcome=y, family=family, **options)
        level = found.predict(60).iloc[0]  # `level_for` holds 60 where this holds the truth
        ends = [(e.lower, e.upper) for e in (found.slope, found.effect_at(70), level)]
        covered += [low <= value <= high for (low, high), value in zip(ends, truth, strict=True)]
    assert (covered >= 0.88 * samples).all()
    assert (covered < samples).any()


def test_a_curvature_without_a_value_gives_no_step():
    from csimodel.outcomes.kernels.glm import newton_step

    hessian = np.repeat(np.eye(4)[None], 2, axis=0)
    hessian[1, 0, 1] = hessian[1, 1, 0] = np.nan
    step, solved = newton_step(np.ones((2, 4)), hessian)
    assert solved.tolist() == [True, False]
    assert step.tolist() == [[1.0] * 4, [0.0] * 4]


def test_three_ordered_answers_are_fitted_from_thresholds_far_apart():
    """Without an effect the thresholds are the logits of the shares below."""
    codes = np.repeat([0, 1, 2], [190, 20, 190])
    x = np.tile([-1.0, 1.0], 200)
    start = np.array([-6.0, 6.0, 0.0])
    found = ordered_draws(FAMILIES["ordered-logit"], codes, [x], np.ones((1, 400)), start, 1)
    assert found.ending[0] == Ending.CONVERGED
    shares = np.array([190, 210]) / 400
    assert_allclose(found.further[0], np.log(shares / (1 - shares)), atol=1e-8)


@pytest.mark.parametrize("slope", [0.004, 0.012])
def test_predictions_of_a_line_beyond_0_and_1_are_counted(slope):
    rng = np.random.default_rng(5)
    index = rng.uniform(0, 100, 200)
    y = np.clip(0.75 + slope * (index - 50) + rng.normal(0, 0.05, 200), 0, 1)
    rep = repurchase(index=index, outcome=y, family="ols", scale=(0, 1))
    eta = sm.OLS(y, sm.add_constant(index)).fit().fittedvalues
    count = int(((eta < 0) | (eta > 1)).sum())
    (finding,) = [f for f in rep.findings if f.code == "probability-outside-0-1"] or (None,)
    assert (count > 0) == (finding is not None)
    if count:
        assert finding.count == count
        assert finding.severity == ("warning" if count > 20 else "note")
        assert_allclose(
            [finding.values["lowest"], finding.values["highest"]], [eta.min(), eta.max()]
        )
    bounded = repurchase(index=index, outcome=y, scale=(0, 1))
    assert "probability-outside-0-1" not in [f.code for f in bounded.findings]
