"""Populations: what they imply, that estimators find it, and that samples come from them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kurtosis, skew

import csimodel as csi
from csimodel.moments.fourth import fourth_moments, fourth_moments_of_samples
from csimodel.simulate import Firms, HeavyTailed, Missing, Normal, Outcome, Skewed, population

MODEL = csi.Model.from_syntax(
    """
    Image =~ i1 + i2 + i3
    Quality =~ q1 + q2 + q3
    Satisfaction =~ s1 + s2 + s3
    Loyalty =~ l1 + l2
    Quality ~ Image
    Satisfaction ~ Image + Quality
    Loyalty ~ Image + Satisfaction
    """
)
PATHS = {
    "Quality ~ Image": 0.5,
    "Satisfaction ~ Image": 0.3,
    "Satisfaction ~ Quality": 0.5,
    "Loyalty ~ Image": 0.2,
    "Loyalty ~ Satisfaction": 0.6,
}
LOADINGS = {
    "Image": [0.8, 0.7, 0.75],
    "Quality": [0.85, 0.8, 0.75],
    "Satisfaction": [0.9, 0.85, 0.8],
    "l1": 0.9,
    "l2": 0.6,
}
COMPOSITES = csi.Model.from_syntax(str(MODEL).replace("=~", "<~"))


@pytest.fixture(scope="module")
def truth():
    return population(MODEL, paths=PATHS, loadings=LOADINGS)


@pytest.fixture(scope="module")
def composites():
    weights = {"Image": [0.6, 0.3, 0.4], "Quality": [1, 2, 3], "Satisfaction": 1, "Loyalty": [1, 2]}
    return population(COMPOSITES, paths=PATHS, weights=weights, within=0.4)


def test_implied_moments_are_those_of_lavaan(truth, reference, frame):
    expected = reference("population.json")
    pd.testing.assert_frame_equal(truth.cov, frame(expected["cov"]), rtol=1e-12)
    pd.testing.assert_frame_equal(truth.construct_cor, frame(expected["construct_cor"]), rtol=1e-12)


@pytest.mark.parametrize(
    ("estimator", "within"),
    [
        (csi.ML(), 1e-8),
        (csi.ML(scaling="variance"), 1e-8),
        (csi.LeastSquares("gls"), 1e-7),
        (csi.LeastSquares("uls"), 1e-7),
        (csi.PLS(consistent=True), 1e-8),
    ],
)
def test_population_in_parameters_out(truth, estimator, within):
    fit = csi.fit(MODEL, truth.population_moments(), estimator)
    assert fit.converged
    for quantity in ("paths", "loadings", "total_effects", "indirect_effects", "r2"):
        found = csi.estimators.find(quantity).values(fit.solution)
        np.testing.assert_allclose(found, truth.table(quantity), atol=within)


def test_scale_units_come_out_too():
    truth = population(
        MODEL,
        paths=PATHS,
        loadings=LOADINGS,
        sd={"Image": 2.0, **dict.fromkeys(MODEL.items[3:], 1.5)},
    )
    moments = truth.population_moments()
    fit = csi.fit(MODEL, moments, csi.ML(likelihood="wishart"))
    table = fit.parameters.set_index(["lhs", "op", "rhs"])["estimate"]
    assert table["Image", "=~", "i2"] == pytest.approx(0.7 / 0.8, abs=1e-8)
    assert table["Quality", "~", "Image"] == pytest.approx(0.5 * 0.85 * 1.5 / (0.8 * 2.0), abs=1e-8)
    assert table["i3", "~~", "i3"] == pytest.approx(4.0 * (1 - 0.75**2), abs=1e-8)


def test_composites_come_out_of_pls(composites):
    fit = csi.fit(COMPOSITES, composites.population_moments(), csi.PLS())
    for quantity in ("paths", "weights", "loadings", "total_effects", "r2"):
        found = csi.estimators.find(quantity).values(fit.solution)
        np.testing.assert_allclose(found, composites.table(quantity), atol=1e-8)


def test_a_fit_can_be_the_truth(truth):
    fit = csi.fit(MODEL, truth.survey(300, rng=3), csi.ML())
    again = population(
        MODEL, paths=fit.paths, loadings=fit.loadings, correlations=fit.construct_cor
    )
    back = csi.fit(MODEL, again.population_moments(), csi.ML())
    pd.testing.assert_frame_equal(back.paths, fit.paths, atol=1e-8)
    pd.testing.assert_frame_equal(again.construct_cor, fit.construct_cor, atol=1e-8)


def test_a_composite_fit_can_be_the_truth(mobi):
    model = csi.Model.from_syntax(
        "Quality <~ PERQ1 + PERQ2 + PERQ3\nSatisfaction <~ CUSA1 + CUSA2 + CUSA3\nSatisfaction ~ Quality"
    )
    fit = csi.fit(model, mobi)
    truth = population(
        model,
        paths=fit.paths,
        weights=fit.weights,
        within=pd.DataFrame(fit.moments.cor, model.items, model.items),
    )
    again = csi.fit(model, truth.population_moments())
    pd.testing.assert_frame_equal(again.weights, fit.weights, atol=1e-8)
    pd.testing.assert_frame_equal(again.paths, fit.paths, atol=1e-8)


def test_a_factor_analysis_without_paths():
    model = csi.Model.from_syntax("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3")
    truth = population(model, loadings=0.7, correlations={"B~~A": 0.4})
    fit = csi.fit(model, truth.population_moments(), csi.ML())
    assert fit.construct_cor.loc["A", "B"] == pytest.approx(0.4, abs=1e-8)


SHAPES = [Normal(), Skewed(-1.5, 4.0), HeavyTailed(12.0)]


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_samples_come_from_the_population(truth, shape):
    drawn = replace(truth, shape=shape).moments(200, samples=600, rng=5)
    # A covariance of standardised answers varies by less than √(2 + kurtosis) / √n.
    error = 4.5 * np.sqrt(7.0 / (200 * 600))
    np.testing.assert_allclose(drawn.cov.mean(axis=0), truth.cov, atol=error)
    np.testing.assert_allclose(drawn.mean.mean(axis=0), 0.0, atol=4.5 / np.sqrt(200 * 600))


def test_wishart_moments_vary_as_those_of_drawn_rows(truth):
    direct = truth.moments(100, samples=3000, rng=1)
    rows = truth.moments(100, samples=3000, rng=2, fourth=True)
    assert direct.fourth is None
    for of in ("cov", "mean"):
        one, other = (getattr(own, of).reshape(3000, -1).std(axis=0) for own in (direct, rows))
        np.testing.assert_allclose(one / other, 1.0, atol=6.0 / np.sqrt(2 * 3000) * np.sqrt(2))
    between = [np.corrcoef(own.cov[:, 0, 1], own.cov[:, 0, 2])[0, 1] for own in (direct, rows)]
    assert between[0] == pytest.approx(between[1], abs=0.1)


@pytest.mark.parametrize(("skewness", "excess"), [(-1.5, 4.0), (1.0, 1.5), (0.0, 3.0), (2.0, 7.0)])
def test_skewed_answers_have_the_moments_asked_for(skewness, excess):
    shape = Skewed(skewness, excess)
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    x = shape.answers(nodes)
    powers = [float(weights @ x**power) for power in range(1, 5)]
    assert powers == pytest.approx([0.0, 1.0, skewness, excess + 3.0], abs=1e-9)


def test_skewed_answers_correlate_as_asked():
    shape = Skewed(-2.0, 6.5)
    cor = np.array([[1.0, 0.6, -0.3], [0.6, 1.0, 0.1], [-0.3, 0.1, 1.0]])
    normal = shape.normal_cor(cor)
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    both = np.outer(weights, weights) / weights.sum() ** 2
    for i, j in ((0, 1), (0, 2), (1, 2)):
        r = normal[i, j]
        other = r * nodes[:, None] + np.sqrt(1 - r * r) * nodes
        product = shape.answers(nodes)[:, None] * shape.answers(other)
        assert float((both * product).sum()) == pytest.approx(cor[i, j], abs=1e-10)


def test_drawn_answers_are_skewed_or_heavy_tailed(truth):
    skewed = next(replace(truth, shape=Skewed(-1.5, 4.0)).answers(40_000, 1, rng=2))[0]
    assert skew(skewed).mean() == pytest.approx(-1.5, abs=0.1)
    assert kurtosis(skewed).mean() == pytest.approx(4.0, abs=0.8)
    heavy = next(replace(truth, shape=HeavyTailed(12.0)).answers(40_000, 1, rng=2))[0]
    assert kurtosis(heavy).mean() == pytest.approx(6.0 / 8.0, abs=0.15)


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_a_longer_run_begins_with_a_shorter_one(truth, shape):
    own = replace(truth, shape=shape)
    longer = np.concatenate(list(own.answers(50, samples=700, rng=9)))
    shorter = np.concatenate(list(own.answers(50, samples=3, rng=9)))
    np.testing.assert_array_equal(longer[:3], shorter)
    np.testing.assert_array_equal(own.survey(50, rng=9).data[list(MODEL.items)], longer[0])
    few, many = own.moments(50, 5, rng=9), own.moments(50, 1500, rng=9)
    np.testing.assert_array_equal(many.cov[:5], few.cov)
    assert len(many.n) == 1500


def test_samples_differ_and_seeds_repeat(truth):
    one, again, other = (truth.moments(50, 4, rng=seed).cov for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.isclose(one, other).any(axis=(1, 2)).all()
    assert len({float(cov[0, 1]) for cov in one}) == 4
    generator = np.random.default_rng(1)
    assert not np.array_equal(
        truth.moments(50, 4, generator).cov, truth.moments(50, 4, generator).cov
    )


def test_moments_of_drawn_rows_are_those_of_the_answers(truth):
    skewed = replace(truth, shape=Skewed(-1.0, 2.0))
    values = np.concatenate(list(skewed.answers(80, samples=40, rng=4)))
    moments = skewed.moments(80, samples=40, rng=4, fourth=True)
    np.testing.assert_allclose(moments.cov[7], np.cov(values[7].T), rtol=1e-12)
    np.testing.assert_allclose(moments.fourth[7], fourth_moments(values[7]), atol=1e-12)
    np.testing.assert_allclose(moments[7].fourth, moments.fourth[7])
    np.testing.assert_allclose(
        fourth_moments_of_samples(values)[3:5],
        [fourth_moments(own) for own in values[3:5]],
        atol=1e-12,
    )


def test_rounded_answers_are_whole_numbers_of_the_scale():
    truth = population(MODEL, paths=PATHS, loadings=LOADINGS, scale=(1, 10), mean=8.0, sd=2.5)
    survey = truth.survey(2000, rng=1)
    values = survey.data.to_numpy()
    assert set(np.unique(values)) == set(range(1, 11))
    fit = csi.fit(MODEL, survey, csi.PLS(consistent=True))
    np.testing.assert_allclose(fit.paths, truth.paths, atol=0.12)
    assert csi.index_scores(fit).loc["Satisfaction", "mean"] == pytest.approx(75.0, abs=3.0)
    moments = truth.moments(100, 3, rng=2)
    assert csi.fit(MODEL, moments[0]).solution.moments.maximum.tolist() == [10.0] * 11


def test_true_index_is_that_of_the_means():
    truth = population(
        MODEL,
        paths=PATHS,
        loadings=LOADINGS,
        scale=(1, 10),
        mean={"Image": 7, "Quality": 8, "Satisfaction": 5.5, "Loyalty": 10},
    )
    assert truth.table("index").round(8).tolist() == [66.66666667, 77.77777778, 50.0, 100.0]


def test_cells_are_missing_completely_at_random(truth):
    survey = replace(truth, missing=Missing(0.2, items=("q1", "s1"))).survey(20_000, rng=1)
    gaps = survey.data.isna()
    assert gaps[["q1", "s1"]].mean().tolist() == pytest.approx([0.2, 0.2], abs=0.012)
    assert not gaps.drop(columns=["q1", "s1"]).to_numpy().any()
    assert abs(np.corrcoef(gaps["q1"], survey.data["i1"])[0, 1]) < 0.03
    assert abs(np.corrcoef(gaps["q1"], gaps["s1"])[0, 1]) < 0.03


def test_cells_are_missing_at_random_given_an_answer(truth):
    survey = replace(truth, missing=Missing(0.3, given="i1", slope=1.0)).survey(20_000, rng=1)
    gaps, given = survey.data.isna(), survey.data["i1"]
    assert not gaps["i1"].any()
    assert gaps.drop(columns="i1").to_numpy().mean() == pytest.approx(0.3, abs=0.01)
    high = given > given.median()
    assert gaps.loc[high, "s1"].mean() > 2 * gaps.loc[~high, "s1"].mean()
    residual = survey.data["q1"] - truth.cov.loc["i1", "q1"] * given
    assert residual.mean() == pytest.approx(0.0, abs=0.03)


def test_full_information_finds_the_truth_where_complete_rows_do_not(truth):
    missing = Missing(0.35, items=("s1", "s2", "s3"), given="q1", slope=2.0)
    survey = replace(truth, missing=missing).survey(4000, rng=2)
    full = csi.fit(MODEL, survey, csi.ML(missing="fiml"))
    rows = csi.fit(MODEL, survey.data.dropna(), csi.ML(means=True))

    def level(fit):
        table = fit.parameters
        own = (table["lhs"] == "s1") & (table["op"] == "~1")
        return float(table.loc[own, "estimate"].iloc[0])

    assert level(full) == pytest.approx(0.0, abs=0.05)
    assert abs(level(rows)) > 0.2


def test_firms_differ_by_the_share_asked_for(truth):
    own = replace(truth, firms=Firms(2000, between=0.3))
    survey = own.survey(20_000, rng=3)
    assert survey.cluster == "firm"
    assert survey.data["firm"].value_counts().tolist() == [10] * 2000
    groups = survey.data.groupby("firm")["s1"]
    within = groups.var().mean()
    between = groups.mean().var() - within / 10
    # The error of an intraclass correlation of .24 with 2,000 firms of 10 is about .01.
    assert between / (between + within) == pytest.approx(0.3 * 0.9**2, abs=0.03)
    np.testing.assert_allclose(survey.data[list(MODEL.items)].cov(), truth.cov, atol=0.07)


@pytest.mark.parametrize("kind", ["binary", "share"])
def test_outcome_rises_with_the_index_as_asked(kind):
    truth = population(
        MODEL, paths=PATHS, loadings=0.8, scale=(1, 10), sd=2.0, rounded=False,
        outcome=Outcome(0.0058, mean=0.7, kind=kind),
    )  # fmt: skip
    data = truth.survey(60_000, rng=5).data
    assert data["repurchase"].mean() == pytest.approx(0.7, abs=0.01)
    assert data["repurchase"].between(0, 1).all()
    assert (set(data["repurchase"]) == {0.0, 1.0}) == (kind == "binary")
    index = (data[["s1", "s2", "s3"]].mean(axis=1) - 1) / 9 * 100
    slope = np.cov(index, data["repurchase"])[0, 1] / index.var()
    reliability = truth.index_reliability("Satisfaction")
    assert reliability == pytest.approx(3 * 0.64 / (1 + 2 * 0.64), abs=1e-12)
    assert slope == pytest.approx(0.0058 * reliability, abs=4 * 0.46 / 20 / np.sqrt(60_000))


def test_outcome_coefficients_give_mean_and_average_marginal_effect():
    level, slope = Outcome(-0.004, mean=0.3).coefficients(sd=15.0)
    t = np.random.default_rng(1).standard_normal(400_000) * 15.0
    chance = 1 / (1 + np.exp(-(level + slope * t)))
    assert chance.mean() == pytest.approx(0.3, abs=1e-3)
    assert (chance * (1 - chance) * slope).mean() == pytest.approx(-0.004, abs=2e-5)
    assert Outcome(0.0, mean=0.5).coefficients(sd=15.0) == (0.0, 0.0)


def test_representation_tells_how_answers_are_taken(truth):
    assert repr(truth) == "<Population of 4 constructs, 11 items: Normal()>"
    own = replace(truth, missing=Missing(0.1), firms=Firms(5))
    assert "Missing(share=0.1" in repr(own)
    assert "Firms(count=5" in repr(own)


def make(**options):
    return lambda: population(MODEL, **{"paths": PATHS, "loadings": LOADINGS, **options})


REFUSALS = [
    (make(paths={"Loyalty ~ Image": 0.2}), "paths has no value for 'Quality ~ Image'; give every one of them."),
    (make(paths={**PATHS, "Image ~ Loyalty": 0.2}), "paths names 'Image ~ Loyalty', which is not in the model; write 'target ~ source' for a path the model has."),
    (make(paths="strong"), "paths='strong' is not known; give one number, a table, or a mapping such as {'Loyalty ~ Satisfaction': 0.5}."),
    (make(paths=pd.DataFrame()), "has no row and column"),
    (make(paths=0.9), "The paths to 'Satisfaction' explain 3.078 of its variance, which cannot be 1 or more; use smaller coefficients."),
    (make(loadings={"Image": 0.8}), "loadings has no value for 'q1'; name it or its construct 'Quality', or give one value for all."),
    (make(loadings={**LOADINGS, "Imge": 0.8}), "loadings names 'Imge', which is neither a construct nor an item of the model (did you mean 'Image'?)."),
    (make(loadings={**LOADINGS, "Image": [0.8, 0.7]}), "loadings['Image']=[0.8, 0.7] does not fit its 3 items; give one value, or one for each."),
    (make(loadings=1.2), "The loading of 'i1' is 1.2; a standardised loading lies between -1 and 1 and is not 0."),
    (make(loadings=pd.DataFrame()), "The table loadings has no row 'i1'; give every item one."),
    (make(loadings="high"), "loadings='high' is not known; give one number, or a mapping from item."),
    (make(sd=0.0), "sd=0 must be positive."),
    (make(scale=(10, 1)), "scale=(10, 1) must be (lowest, highest), for example (1, 10)."),
    (make(rounded=True), "rounded=True needs the answers' scale; give population(..., scale=(1, 10))."),
    (make(missing=Missing(0.1, items=("x9",))), "Missing names item 'x9', which is not in the model; it has i1, "),
    (make(shape=Skewed(), firms=Firms(5)), "firms needs construct scores, which Skewed(skewness=-1.5, kurtosis=4.0) does not draw; use Normal() or HeavyTailed()."),
    (make(scale=(1, 10), outcome=Outcome(0.0058, construct="Joy")), "Construct 'Joy' is not in the model; it has Image, Quality, Satisfaction, Loyalty."),
    (make(outcome=Outcome(0.0058)), "The index needs the scale of"),
    (make(scale=(1, 10), outcome=Outcome(0.5)), "slope=0.5 per index point is too steep for an index with standard deviation"),
    (lambda: population(csi.Model.from_syntax("A =~ a1 + a2\nB =~ b1 + b2\nC =~ c1 + c2\nC ~ A + B"), paths=0.2, correlations={"A ~~ C": 0.2}), "correlations names 'A ~~ C', which is not a pair of exogenous constructs"),
    (lambda: population(csi.Model.from_syntax("A =~ a1 + a2\nB =~ b1 + b2\nC =~ c1 + c2"), correlations={"A ~~ B": 0.9, "A ~~ C": 0.9, "B ~~ C": -0.9}), "The correlations of the exogenous constructs are not positive definite; use weaker ones."),
    (lambda: population(COMPOSITES, paths=PATHS, weights=0.0), "The weights of composite 'Image' give it no variance; make one of them differ from 0, or the correlations within it a correlation matrix."),
    (lambda: population(COMPOSITES, paths=PATHS, within=1.0), "No answers have these parameters: the items' correlations are not positive definite; use smaller loadings, weights of one sign or weaker correlations."),
    (lambda: population(COMPOSITES, paths=PATHS, within=pd.DataFrame()), "within has no correlations of item 'i1'; give a table of all items of composites."),
    (lambda: population(csi.Model.from_syntax("A =~ a1 + a2\nB =~ b1 + b2\nB ~ 0.5*A")), "The population's parameters are given as paths=, loadings= and correlations=, and the model says "),
    (lambda: Missing(1.0), "share=1.0 must be a number of at least 0 and below 1."),
    (lambda: Missing(0.1, items=("a",), given="a"), "Item 'a' decides who answers and must be answered itself; take it out of items."),
    (lambda: Firms(1), "count=1 must be a whole number of at least 2 firms."),
    (lambda: Firms(5, between=1.5), "between=1.5 must be a number of at least 0 and at most 1."),
    (lambda: Outcome(0.01, mean=75), "mean=75 must be a number above 0 and below 1, because it is a probability."),
    (lambda: Outcome(0.01, precision=0), "precision=0 must be a number above 0."),
    (lambda: Outcome(0.01, kind="shares"), "kind='shares' is not known (did you mean 'share'?); use one of 'binary', 'share'."),
    (lambda: HeavyTailed(4), "df=4 is too small: kurtosis needs more than 4 degrees of freedom, and robust errors more than 8."),
    (lambda: Skewed(2.0, 1.0), "No polynomial of a normal number was found that has skewness 2 and kurtosis 1; with this skewness take a kurtosis somewhat above 5.4."),
    (lambda: Skewed(2.0, 7.0).normal_cor(np.array([[1.0, -0.95], [-0.95, 1.0]])), "Items with skewness 2 and kurtosis 7 cannot correlate -0.95; use a milder shape or weaker negative paths."),
]  # fmt: skip


@pytest.mark.parametrize(("make_it", "sentence"), REFUSALS)
def test_refusals_name_what_was_written(make_it, sentence):
    with pytest.raises(csi.CsimodelError) as error:
        make_it()
    assert sentence in str(error.value)


def test_intermediate_correlations_must_exist():
    cor = np.array([[1.0, 0.75, -0.25], [0.75, 1.0, 0.4], [-0.25, 0.4, 1.0]])
    assert np.linalg.eigvalsh(cor)[0] > 0
    with pytest.raises(csi.errors.OptionError, match="cannot have the correlations of this model"):
        Skewed(2.5, 10.0).normal_cor(cor)


def test_moments_of_incomplete_samples_are_refused(truth):
    with pytest.raises(csi.errors.OptionError, match="depend on what is done with the cells"):
        replace(truth, missing=Missing(0.1)).moments(100, 2)
    for call in (truth.survey, truth.answers, truth.moments):
        with pytest.raises(
            csi.errors.OptionError, match="n=0 must be a whole number of at least 1"
        ):
            call(0, 1)
