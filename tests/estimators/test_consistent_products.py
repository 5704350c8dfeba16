"""PLSc of products: population moments give the parameters, other programs, errors in every draw."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import OptionError
from csimodel.estimators.estimates import Inadmissible
from csimodel.estimators.product_covariances import needed_products, product_covariances

M = csi.Model.from_syntax
ECSI = csi.models.ecsi().to_syntax()
TERMS = {
    "interaction1": ("Satisfaction", "Quality:Value"),
    "interaction2": ("Loyalty", "Image:Satisfaction"),
    "quadratic": ("Loyalty", "Satisfaction^2"),
}
TIGHT = csi.PLS(tolerance=1e-13, consistent=True)
TEXT = "Q =~ q1 + q2\nV =~ v1 + v2\nS =~ s1 + s2\nS ~ Q + V"


def normal_nodes(count):
    """Points and probabilities with the moments of a normal variable up to 2 count - 1."""
    points, weights = np.polynomial.hermite_e.hermegauss(count)
    return points, weights / weights.sum()


def population(slope, curved=False):
    """Every answer of a population with its probability, and the parameters.

    Q and V are normal with a correlation, S is linear in them and in a product; each has two items
    with normal errors. Points have the moments that products of scores ask for.
    """
    ends, three = normal_nodes(5 if curved else 3), normal_nodes(3)
    two = (np.array([-1.0, 1.0]), np.array([0.5, 0.5]))
    axes = [ends, three, two, *([three] * 2), *([three] * 2), two, two]
    grid = np.array(list(product(*(points for points, _ in axes))))
    chance = np.array([np.prod(p) for p in product(*(p for _, p in axes))])
    q, v = grid[:, 0], 0.4 * grid[:, 0] + np.sqrt(1 - 0.16) * grid[:, 1]
    term = q**2 if curved else q * v
    mean = (chance * term).sum()
    s = 0.5 * q + 0.3 * v + slope * (term - mean) + 0.5 * grid[:, 2]
    scale = np.sqrt((chance * s**2).sum())
    columns = {}
    for k, (name, own) in enumerate((("q", q), ("v", v), ("s", s / scale))):
        for item, loading in enumerate((0.8, 0.6)):
            error = grid[:, 3 + 2 * k + item]
            columns[f"{name}{item + 1}"] = loading * own + np.sqrt(1 - loading**2) * error
    expected = np.array([0.5, 0.3, slope]) / scale
    return pd.DataFrame({**columns, "chance": chance * len(grid)}), expected


@pytest.mark.parametrize(("text", "curved"), [("Q:V", False), ("Q^2", True)])
def test_population_moments_give_the_parameters(text, curved):
    frame, expected = population(0.25, curved)
    model = M(f"{TEXT} + {text}")
    survey = csi.read_survey(frame, weights="chance")
    fit = csi.fit(model, survey, TIGHT)
    np.testing.assert_allclose(fit.paths.loc["S", ["Q", "V", text]], expected, atol=2e-4)
    np.testing.assert_allclose(fit.loadings.to_numpy().max(axis=1)[:6], [0.8, 0.6] * 3, atol=2e-4)
    attenuated = csi.fit(model, survey, csi.PLS()).paths.loc["S", ["Q", "V", text]]
    assert (np.abs(attenuated - expected) > 0.05).all()
    unexplained = 0.25 * (expected[0] / 0.5) ** 2  # of the disturbance, 0.5 before S was scaled
    assert fit.r2["S"] == pytest.approx(1.0 - unexplained, abs=2e-4)


def test_moments_of_normal_constructs_for_higher_powers():
    """Cubes and products of three, by the moments of independent normal variables."""
    terms = [(0,), (1,), (2,), (0, 0), (0, 0, 0), (0, 1, 2)]
    double_factorials = {0: 1.0, 2: 1.0, 4: 3.0, 6: 15.0}
    normal = {
        powers: np.array([np.prod([double_factorials.get(powers.count(j), 0.0) for j in range(3)])])
        for powers in needed_products(terms)
    }
    reliability = np.array([[0.5], [0.7], [0.9]])
    cov = product_covariances(terms, reliability, {**normal, (): np.array([np.inf])})[..., 0]
    np.testing.assert_allclose(cov[4], [3.0, 0.0, 0.0, 0.0, 15.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(cov[5], [0.0, 0.0, 0.0, 0.0, 0.0, 1.0], atol=1e-12)
    np.testing.assert_allclose(cov[3], [0.0, 0.0, 0.0, 2.0, 0.0, 0.0], atol=1e-12)
    assert np.isnan(cov[:3, :3]).all()


def test_without_error_it_is_the_regression_of_scores(mobi):
    single = "Q =~ PERQ1\nV =~ PERV1\nS =~ CUSA1\nS ~ Q + V + Q:V + Q^2\nV ~ Q"
    plain = csi.fit(M(single), mobi, csi.PLS(tolerance=1e-13))
    corrected = csi.fit(M(single), mobi, TIGHT)
    np.testing.assert_allclose(corrected.paths, plain.paths, atol=1e-10)
    np.testing.assert_allclose(corrected.r2, plain.r2, atol=1e-10)
    np.testing.assert_allclose(corrected.construct_cor, plain.construct_cor, atol=1e-10)


def by_n(fit, target, terms):
    """Paths with means by n of scores that have variance 1 by n - 1, as cSEM takes them."""
    names = list(fit.model.construct_names[: len(fit.model.measured)])
    scores = fit.scores[names].to_numpy()
    reliability = fit.estimates.reliability[: len(names), None]
    own = [(j,) for j in range(len(names))]
    own += [tuple(sorted(map(names.index, factors))) for factors in terms]
    needed = needed_products(own)
    means = {powers: np.array([scores[:, powers].prod(axis=1).mean()]) for powers in needed}
    cov = product_covariances(own, reliability, {**means, (): np.array([np.inf])})[..., 0]
    root = np.sqrt(reliability[:, 0])
    linear = np.corrcoef(scores.T) * (1 - 1 / len(scores)) / np.outer(root, root)
    np.fill_diagonal(linear, 1.0)
    cov[: len(names), : len(names)] = linear
    sources = list(fit.model.sources_of(target))
    places = [names.index(s) if s in names else len(names) + k for k, s in enumerate(sources)]
    first = sum(source in names for source in sources)
    places = [*places[:first], *range(len(names), len(own))]
    return np.linalg.solve(cov[np.ix_(places, places)], cov[places, names.index(target)])


@pytest.mark.parametrize("which", list(TERMS))
def test_beside_csem(reference, frame, mobi, which):
    """cSEM's means by n of scores with variance 1 by n - 1 are not taken over."""
    target, name = TERMS[which]
    fit = csi.fit(M(f"{ECSI}\n{target} ~ {name}"), mobi, TIGHT)
    expected = frame(reference("mobi_moderation.json")["csem"][which]["plsc"]["paths"]).loc[target]
    expected = expected[expected != 0].to_numpy()
    (term,) = fit.model.terms
    np.testing.assert_allclose(by_n(fit, target, [term.factors]), expected, atol=1e-9)
    sources = list(fit.model.sources_of(target))
    ours = fit.paths.loc[target, sources].to_numpy()
    assert np.abs(ours - expected).max() > 5e-3  # near a singular system that 1/n moves far
    assert fit.estimates.inadmissible == Inadmissible.NOT_POSITIVE_DEFINITE


@pytest.fixture(scope="module")
def moderated(mobi):
    text = "Q =~ PERQ1 + PERQ2 + PERQ4\nV =~ PERV1 + PERV2\nS =~ CUSA1 + CUSA2 + CUSA3"
    return csi.fit(M(f"{text}\nS ~ Q + V + Q:V + Q^2"), mobi, TIGHT)


def test_draws_units_left_out_and_groups_are_fits_of_their_files(mobi, moderated):
    rows = np.random.default_rng(4).integers(250, size=(21, 250))
    boot = csi.bootstrap(moderated, resamples=rows, progress=False)
    for quantity in ("paths", "r2", "construct_cor", "f2"):
        alone = csi.fit(moderated.model, mobi.data.iloc[rows[20]].reset_index(drop=True), TIGHT)
        values = csi.estimators.find(quantity).values(alone.solution)
        np.testing.assert_allclose(boot.values(quantity)[20], values, atol=1e-8)
    left = csi.jackknife(moderated, progress=False).values("paths")[7]
    alone = csi.fit(moderated.model, mobi.data.drop(index=mobi.data.index[7]), TIGHT)
    paths = csi.estimators.find("paths")
    np.testing.assert_allclose(left, paths.values(alone.solution), atol=1e-8)
    third = mobi.data.assign(third=np.arange(250) % 3)
    fits = csi.fit_groups(moderated.model, third, by="third", estimator=TIGHT)
    alone = csi.fit(moderated.model, third[third["third"] == 1], TIGHT)
    np.testing.assert_allclose(fits[1].paths, alone.paths, atol=1e-8)


def test_errors_of_all_kinds_agree(mobi):
    label = ("S", "Q:V")
    blocks = "Q =~ PERQ1 + PERQ2 + PERQ3 + PERQ4\nV =~ PERV1 + PERV2\nS =~ CUSA1 + CUSA2 + CUSA3"
    fit = csi.fit(M(f"{blocks}\nS ~ Q + V + Q:V"), mobi, TIGHT)
    drawn = csi.bootstrap(fit, draws=1500, rng=1, progress=False).table("paths").loc[label]
    jack = csi.jackknife(fit, progress=False).table("paths").loc[label]
    linear = csi.linearize(fit).table("paths").loc[label]
    assert linear["se"] == pytest.approx(jack["se"], rel=0.15)
    assert drawn["se"] == pytest.approx(jack["se"], rel=0.25)


def test_slopes_are_of_constructs(moderated):
    slopes = csi.simple_slopes(moderated, "S", "V", at="Q")
    change = moderated.paths.loc["S", "Q:V"]
    expected = moderated.paths.loc["S", "V"] + change * np.array([-1.0, 0.0, 1.0])
    np.testing.assert_allclose(slopes.table["estimate"], expected, atol=1e-12)
    both = slopes.products.loc["Q:V", "estimate"]
    reliability = moderated.estimates.reliability
    places = [moderated.model.construct_names.index(name) for name in ("Q", "V", "Q:V")]
    own = reliability[places]
    score = (moderated.scores["Q"] * moderated.scores["V"]).std()
    sd = score * np.sqrt(own[2] / (own[0] * own[1]))
    assert both["standardized"] == pytest.approx(change * sd, abs=1e-12)


def test_what_is_not_corrected_is_named(mobi):
    moderated = M(f"{ECSI}\nLoyalty ~ Satisfaction^2")
    with pytest.raises(OptionError, match="scores that 'Satisfaction\\^2' is made of"):
        csi.fit(moderated, mobi, csi.PLS(consistent=True, reestimate=True))
