"""Products of constructs: moderation and curves, against other programs, by hand, in every draw."""

import warnings

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import InferenceError, ModelError, OptionError, SurveyError
from csimodel.moments import Moments

M = csi.Model.from_syntax
TERMS = {
    "interaction1": ("Satisfaction", "Quality:Value"),
    "interaction2": ("Loyalty", "Image:Satisfaction"),
    "quadratic": ("Loyalty", "Satisfaction^2"),
}
NAMES = {
    "Quality*Value": "Quality:Value",
    "Image*Satisfaction": "Image:Satisfaction",
    "Satisfaction*Satisfaction": "Satisfaction^2",
}
TIGHT = csi.PLS(tolerance=1e-13)


def with_products(*chosen):
    """The ECSI model with some of the products of `TERMS`."""
    text = csi.models.ecsi().to_syntax()
    return M(text + "".join(f"\n{target} ~ {name}" for target, name in map(TERMS.get, chosen)))


@pytest.fixture(scope="module")
def moderated(mobi):
    return csi.fit(with_products(*TERMS), mobi, TIGHT)


def renamed(table):
    return table.rename(index=NAMES, columns=NAMES)


@pytest.mark.parametrize("which", [*TERMS, "all"])
def test_fixed_scores(reference, mobi, which):
    model = with_products(*(TERMS if which == "all" else [which]))
    fit = csi.fit(model, mobi, TIGHT)
    for target, expected in reference("mobi_moderation.json")["fixed_scores"][which].items():
        for unit in ("unstandardised", "standardised"):
            paths = fit.paths if unit == "unstandardised" else fit.standardized_paths
            told = expected[f"{unit}_product"]["coef"]
            for source in list(told)[1:]:
                own = paths.loc[target, NAMES.get(source, source)]
                assert own == pytest.approx(told[source], abs=1e-12)
        assert fit.r2[target] == pytest.approx(expected["unstandardised_product"]["R2"], abs=1e-12)
    assert fit.converged
    assert fit.diagnostics == ()


@pytest.mark.parametrize("which", [*TERMS, "all"])
def test_all_weights_again_as_seminr_does(reference, frame, mobi, which):
    model = with_products(*(TERMS if which == "all" else [which]))
    fit = csi.fit(model, mobi, csi.PLS(tolerance=1e-13, reestimate=True))
    expected = reference("mobi_moderation.json")["seminr"][which]["two_stage_modeA"]
    paths = renamed(frame(expected["paths"])).T
    ours = fit.paths.loc[paths.index, paths.columns]
    np.testing.assert_allclose(ours, paths, atol=1e-10)
    r2 = frame(expected["R2"]).loc["Rsq"]
    np.testing.assert_allclose(fit.r2[r2.index], r2, atol=1e-10)
    fixed = csi.fit(model, mobi, TIGHT)
    assert abs(fixed.paths.loc[paths.index, paths.columns] - paths).max().max() > 1e-5


@pytest.mark.parametrize("which", [*TERMS, "all"])
@pytest.mark.parametrize(
    ("way", "name"), [("product-indicator", "product_indicator"), ("orthogonalizing", "orthogonal")]
)
def test_products_of_items_as_seminr_does(reference, frame, mobi, which, way, name):
    model = with_products(*(TERMS if which == "all" else [which]))
    fit = csi.fit(model, mobi, csi.PLS(tolerance=1e-13, products=way))
    expected = reference("mobi_moderation.json")["seminr"][which][f"{name}_modeA"]
    paths = renamed(frame(expected["paths"])).T
    np.testing.assert_allclose(fit.paths.loc[paths.index, paths.columns], paths, atol=1e-10)
    cor = renamed(frame(expected["construct_cor"]))
    np.testing.assert_allclose(fit.construct_cor.loc[cor.index, cor.columns], cor, atol=1e-10)
    r2 = frame(expected["R2"]).loc["Rsq"]
    np.testing.assert_allclose(fit.r2[r2.index], r2, atol=1e-10)
    np.testing.assert_allclose(fit.scores.corr(), fit.construct_cor, atol=1e-12)
    np.testing.assert_allclose(fit.scores.std(), 1.0, atol=1e-12)


@pytest.fixture(scope="module")
def measured(mobi):
    """Products measured by items, as they are and as residuals, with weights of rows."""
    frame = mobi.data.assign(weight=np.random.default_rng(1).uniform(0.5, 1.5, 250))
    survey = csi.read_survey(frame, weights="weight")
    model = with_products("interaction2", "quadratic")
    return {
        way: csi.fit(model, survey, csi.PLS(tolerance=1e-13, products=way))
        for way in ("product-indicator", "orthogonalizing")
    }


@pytest.mark.parametrize("way", ["product-indicator", "orthogonalizing"])
def test_products_of_items_in_draws_and_scores(mobi, measured, way):
    fit = measured[way]
    weights = fit.answers.weights
    centred = fit.scores - np.average(fit.scores, axis=0, weights=weights)
    np.testing.assert_allclose(centred, fit.scores, atol=1e-10)
    cov = (centred * weights[:, None]).T @ centred / weights.sum()
    sd = np.sqrt(np.diag(cov))
    np.testing.assert_allclose(cov / np.outer(sd, sd), fit.construct_cor, atol=1e-10)
    rows = np.random.default_rng(4).integers(250, size=(21, 250))
    boot = csi.bootstrap(fit, resamples=rows, progress=False)
    frame = fit.survey.data.iloc[rows[20]].reset_index(drop=True)
    alone = csi.fit(
        with_products("interaction2", "quadratic"),
        csi.read_survey(frame, weights="weight"),
        fit.estimator,
    )
    for quantity in ("paths", "r2", "loadings", "f2"):
        values = csi.estimators.find(quantity).values(alone.solution)
        np.testing.assert_allclose(boot.values(quantity)[20], values, atol=1e-8)
    slopes = csi.simple_slopes(fit, "Loyalty", "Image").table["estimate"]
    change = fit.paths.loc["Loyalty", "Image:Satisfaction"]
    assert slopes.iloc[2] - slopes.iloc[0] == pytest.approx(2.0 * change, abs=1e-12)


@pytest.mark.parametrize("way", ["two-stage", "product-indicator", "orthogonalizing"])
def test_new_respondents_are_scored_by_the_slopes_of_the_fit(mobi, way):
    fit = csi.fit(with_products("interaction2", "quadratic"), mobi, csi.PLS(products=way))
    part = fit.score(mobi.data.iloc[10:15])
    np.testing.assert_allclose(part, fit.scores.iloc[10:15], atol=1e-10)


def test_residuals_of_products_owe_nothing_to_their_factors(measured):
    fit = measured["orthogonalizing"]
    for product, items in fit.model.predictors.items():
        places = [fit.model.items.index(item) for item in fit.model.blocks[product]]
        own = [fit.model.items.index(item) for item in items]
        np.testing.assert_allclose(fit.moments.cov[np.ix_(places, own)], 0.0, atol=1e-10)


def test_products_of_items_change_no_index_and_groups(mobi, measured):
    plain = csi.fit(csi.models.ecsi(), mobi)
    frame = mobi.data.assign(half=np.arange(250) % 2)
    for way in measured:
        estimator = csi.PLS(products=way)
        fits = csi.fit_groups(with_products("quadratic"), frame, by="half", estimator=estimator)
        alone = csi.fit(with_products("quadratic"), frame[frame["half"] == 1], estimator)
        np.testing.assert_allclose(fits[1].paths, alone.paths, atol=1e-8)
        index = csi.index_scores(csi.fit(with_products("quadratic"), mobi, estimator))["mean"]
        assert abs(index - csi.index_scores(plain)["mean"]).max() < 1.0


def test_ways_with_products_that_cannot_be_are_named(mobi):
    with pytest.raises(OptionError, match=r"products='interaction' .* 'product-indicator'"):
        csi.PLS(products="interaction")
    corrected = csi.PLS(consistent=True, products="orthogonalizing")
    with pytest.raises(OptionError, match="products='orthogonalizing' measures them by items"):
        csi.fit(with_products("quadratic"), mobi, corrected)
    frame = mobi.data.rename(columns={"CUSCO": "CUSA1:CUSA1"})
    text = csi.models.ecsi().to_syntax().replace("CUSCO", "'CUSA1:CUSA1'")
    model = M(f"{text}\nLoyalty ~ Satisfaction^2")
    with pytest.raises(ModelError, match="makes a variable 'CUSA1:CUSA1' of the items"):
        csi.fit(model, frame, csi.PLS(products="product-indicator"))


def test_cross_check_with_the_moments_of_csem(reference, frame, mobi):
    """cSEM's own paths differ by the order of 1/n, since its score products are 1/n means."""
    fit = csi.fit(with_products("interaction1"), mobi, TIGHT)
    expected = frame(reference("mobi_moderation.json")["csem"]["interaction1"]["modeA"]["paths"])
    told = expected.loc["Satisfaction", "Quality.Value"]
    ours = fit.paths.loc["Satisfaction", "Quality:Value"]
    assert 1e-4 < abs(ours - told) < 0.005


def test_draws_of_seminr_row_by_row(mobi):
    folder = "tests/reference"
    rows = np.loadtxt(f"{folder}/mobi_boot_indices_500x250_1based.csv", delimiter=",", dtype=int)
    expected = pd.read_csv(f"{folder}/mobi_moderation_draws.csv")
    fit = csi.fit(with_products("interaction1"), mobi, csi.PLS(tolerance=1e-12, reestimate=True))
    boot = csi.bootstrap(fit, resamples=rows[: len(expected)] - 1, progress=False)
    draws = boot.draws("paths")["Satisfaction"][["Quality", "Value", "Quality:Value"]]
    np.testing.assert_allclose(draws, expected, atol=1e-8)


def test_a_draw_is_the_fit_of_its_file(mobi, moderated):
    rows = np.random.default_rng(4).integers(250, size=(21, 250))
    boot = csi.bootstrap(moderated, resamples=rows, progress=False)
    for draw in (0, 20):
        alone = csi.fit(moderated.model, mobi.data.iloc[rows[draw]].reset_index(drop=True), TIGHT)
        for quantity in ("paths", "r2", "total_effects", "loadings", "construct_cor"):
            values = csi.estimators.find(quantity).values(alone.solution)
            np.testing.assert_allclose(boot.values(quantity)[draw], values, atol=1e-9)


def test_a_row_left_out_and_a_group_are_fits_of_their_files(mobi, moderated):
    values = csi.jackknife(moderated, progress=False).values("paths")
    paths = csi.estimators.find("paths")
    alone = csi.fit(moderated.model, mobi.data.drop(index=mobi.data.index[7]), TIGHT)
    np.testing.assert_allclose(values[7], paths.values(alone.solution), atol=1e-9)
    frame = mobi.data.assign(third=np.arange(250) % 3)
    fits = csi.fit_groups(moderated.model, frame, by="third", estimator=TIGHT)
    for group in range(3):
        alone = csi.fit(moderated.model, frame[frame["third"] == group], TIGHT)
        np.testing.assert_allclose(fits[group].paths, alone.paths, atol=1e-9)
        np.testing.assert_allclose(
            fits.table("paths").loc[group], paths.values(alone.solution), atol=1e-9
        )


def test_strata_raise_the_others_of_a_unit_left_out(mobi):
    """A unit of a stratum of m left out is the fit with the others weighted m / (m - 1)."""
    frame = mobi.data.assign(part=np.repeat([0, 1], [100, 150]), weight=1.0)
    model = with_products("quadratic")
    survey = csi.read_survey(frame, scale=(1, 10), strata="part", weights="weight")
    values = csi.jackknife(csi.fit(model, survey, TIGHT), progress=False).values("paths")
    left = frame.assign(weight=np.where(frame["part"] == 0, 100 / 99, 1.0)).drop(index=3)
    alone = csi.fit(model, csi.read_survey(left, scale=(1, 10), weights="weight"), TIGHT)
    expected = csi.estimators.find("paths").values(alone.solution)
    np.testing.assert_allclose(values[3], expected, rtol=2e-5)  # n is 250 there, 249 here


def test_influence_values_are_changes_with_weights(mobi):
    """What a respondent adds is the derivative by his weight, by differences of whole fits."""
    frame = mobi.data.assign(weight=np.random.default_rng(1).uniform(0.5, 1.5, 250))
    model = with_products("interaction1", "quadratic")
    paths = csi.estimators.find("paths")

    def fitted(table):
        return csi.fit(model, csi.read_survey(table, weights="weight"), TIGHT)

    values = csi.linearize(fitted(frame)).influence("paths").to_numpy()
    for row in (0, 99):
        ahead, behind = (frame.copy(), frame.copy())
        ahead.loc[row, "weight"] *= 1 + 1e-4
        behind.loc[row, "weight"] *= 1 - 1e-4
        slope = (
            paths.values(fitted(ahead).solution) - paths.values(fitted(behind).solution)
        ) / 2e-4
        np.testing.assert_allclose(values[row], slope, atol=1e-6)


def test_errors_of_all_kinds_agree(moderated):
    label = ("Loyalty", "Satisfaction^2")
    drawn = csi.bootstrap(moderated, draws=2000, rng=1, progress=False).table("paths").loc[label]
    jack = csi.jackknife(moderated, progress=False).table("paths").loc[label]
    linear = csi.linearize(moderated).table("paths").loc[label]
    assert drawn["se"] == pytest.approx(jack["se"], rel=0.15)
    assert linear["se"] == pytest.approx(jack["se"], rel=0.15)


def test_missing_answers_count_as_the_mean_of_the_draw(mobi):
    rng = np.random.default_rng(2)
    holes = mobi.data.mask(rng.random(mobi.data.shape) < 0.03)
    model = with_products("interaction1")
    survey = csi.read_survey(holes, missing="mean")
    fit = csi.fit(model, survey, TIGHT)
    filled = csi.fit(model, holes.fillna(holes.mean()), TIGHT)
    np.testing.assert_allclose(fit.paths, filled.paths, atol=1e-9)
    np.testing.assert_allclose(fit.scores, filled.scores, atol=1e-9)
    rows = rng.integers(250, size=(20, 250))
    boot = csi.bootstrap(fit, resamples=rows, progress=False)
    again = holes.iloc[rows[3]].reset_index(drop=True)
    alone = csi.fit(model, again.fillna(again.mean()), TIGHT)
    expected = csi.estimators.find("paths").values(alone.solution)
    np.testing.assert_allclose(boot.values("paths")[3], expected, atol=1e-9)
    with pytest.raises(SurveyError, match="'Quality:Value' needs a score of every respondent"):
        csi.fit(model, csi.read_survey(holes, missing="pairwise"))


def test_weights_of_two_are_rows_twice(mobi):
    frame = mobi.data.assign(weight=np.where(np.arange(250) < 60, 2.0, 1.0))
    twice = pd.concat([mobi.data, mobi.data.iloc[:60]], ignore_index=True)
    model = with_products("interaction1", "quadratic")
    weighted = csi.fit(model, csi.read_survey(frame, weights="weight"), TIGHT)
    np.testing.assert_allclose(weighted.paths, csi.fit(model, twice, TIGHT).paths, atol=2e-3)
    np.testing.assert_allclose(
        weighted.standardized_paths, csi.fit(model, twice, TIGHT).standardized_paths, atol=1e-9
    )


def test_scores_give_the_same_regression(moderated):
    scores = moderated.scores
    np.testing.assert_allclose(scores.mean(), 0.0, atol=1e-12)
    np.testing.assert_allclose(scores.std(), 1.0, atol=1e-12)
    product = scores["Quality"] * scores["Value"]
    own = scores["Quality:Value"]
    np.testing.assert_allclose(own, (product - product.mean()) / product.std(), atol=1e-12)
    sources = list(moderated.model.sources_of("Loyalty"))
    slopes = np.linalg.lstsq(scores[sources], scores["Loyalty"], rcond=None)[0]
    np.testing.assert_allclose(moderated.standardized_paths.loc["Loyalty", sources], slopes)


def test_total_effects_are_slopes_at_the_means(moderated):
    linear = moderated.paths.copy()
    linear[list(moderated.model.products)] = 0.0
    total = np.linalg.inv(np.eye(len(linear)) - moderated.paths) - np.eye(len(linear))
    np.testing.assert_allclose(moderated.total_effects, total, atol=1e-12)
    unmoderated = np.linalg.inv(np.eye(len(linear)) - linear) - np.eye(len(linear))
    others = [name for name in linear if name not in moderated.model.products]
    np.testing.assert_allclose(
        moderated.total_effects.loc[others, others],
        pd.DataFrame(unmoderated, linear.index, linear.columns).loc[others, others],
        atol=1e-12,
    )


def test_effect_size_of_a_product(reference, mobi):
    for which, (target, product) in TERMS.items():
        fit = csi.fit(with_products(which), mobi, TIGHT)
        expected = reference("mobi_moderation.json")["fixed_scores"][which][target]
        told = expected["f2_of_first_term"]
        assert csi.assess(fit).f2.loc[target, product] == pytest.approx(told, abs=1e-10)


def test_assessment_judges_constructs_and_says_what_it_cannot(moderated):
    checked = csi.assess(moderated)
    told = checked.verdicts
    assert not told["subject"].str.contains(":").where(told["measure"] == "reliability").any()
    assert len(checked.htmt) == 21
    fit = told[told["measure"] == "srmr"].iloc[0]
    assert fit["verdict"] == "not judged"
    assert "the term 'Image:Satisfaction' implies no correlations" in fit["sentence"]
    with pytest.raises(ModelError, match="Implied correlations are those of constructs of items"):
        _ = moderated.residuals


@pytest.mark.parametrize(
    ("right", "names"),
    [
        ("Q + V + Q:V", ["Q:V"]),
        ("Q + V + V:Q", ["V:Q"]),
        ("Q + V + Q : V", ["Q:V"]),
        ("Q + Q:Q", ["Q^2"]),
        ("Q + Q^2", ["Q^2"]),
        ("Q + Q ^ 3 + Q^2", ["Q^2", "Q^3"]),
        ("Q + V + W + Q:V:W + V:W + Q:V + Q:W", ["Q:V", "Q:W", "V:W", "Q:V:W"]),
        ("Q + V + Q^2:V", ["Q^2:V"]),
        ("Q + \"perceived price\" + Q:'perceived price'", ["Q:perceived price"]),
        ("Q + age + age:Q", ["age:Q"]),
        ("'a:b' + Q + 'a:b':Q", ["a:b:Q"]),
    ],
)
def test_text_and_back(right, names):
    sources = {part.strip() for part in right.split("+")}
    blocks = [f"{name} =~ {name}1 + {name}2" for name in "QVWS" if name in {*"QS", *sources}]
    if "'a:b'" in sources:
        blocks.append("'a:b' =~ y1 + y2")
    if '"perceived price"' in sources:
        blocks.append('"perceived price" =~ x1 + x2')
    model = M("\n".join([*blocks, f"S ~ {right}"]))
    assert list(model.products) == names
    assert M(model.to_syntax()) == model
    assert M(M(model.to_syntax()).to_syntax()).construct_names == model.construct_names
    first, second = model.stages
    assert second is model
    assert not first.terms
    assert first.items == model.answered == model.items[: len(first.items)]


BLOCKS = "Q =~ q1 + q2\nV =~ v1 + v2\nS =~ s1 + s2\nL =~ l1 + l2\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("S ~ Q + V + Q:Vv", "'Q:Vv' names 'Vv', which is no construct of items"),
        ("S ~ Q + Q:V", "'Q:V' leads to 'S', and 'V' has no path there, .* 'S ~ V \\+ Q:V'"),
        ("S ~ V + Q^2\nL ~ Q", "'Q\\^2' leads to 'S', and 'Q' has no path there"),
        (
            "S ~ Q + V\nL ~ S + Q\nV ~ L:Q + Q",
            "'L:Q' leads to 'V', from which its factor 'L' follows, so the paths form a cycle",
        ),
        ("S ~ Q + V + S:Q\nL ~ S", "'S:Q' leads to 'S', from which its factor 'S' follows"),
        ("Q:V ~ S", "explains the product Q:V, and nothing explains a product"),
        ("S ~ Q + V + Q:V + V:Q", "'Q:V' and 'V:Q' are one product"),
        ("S ~ Q + V + Q:V + Q:V", "is given 2 times"),
        ("S ~ Q + Q^0", "has the power 'Q\\^0'; write a whole number from 2 to 4, as in Q\\^2"),
        ("S ~ Q + Q^1", "has the power 'Q\\^1'"),
        ("S ~ Q + Q^1.5", "has the power 'Q\\^1.5'"),
        ("S ~ Q + Q^-2", "has the power"),
        ("S ~ Q + Q^2^2", "has the power"),
        ("S ~ Q + Q^9999999", "has the power"),
        ("S ~ Q + Q:", "where a name is expected"),
        ("S ~ Q + :Q", "where a name is expected"),
        ("S =~ q1:q2", "':' after 'q1'"),
        ("S ~ Q + V + b*Q:V\nL ~ S", "says something of single parameters"),
    ],
)
def test_products_that_cannot_be_are_named(text, message):
    with pytest.raises(ModelError, match=message):
        M(BLOCKS + text)


def test_moments_alone_have_no_products(mobi, moderated):
    base = csi.fit(csi.models.ecsi(), mobi)
    given = Moments.from_cov(base.moments.cov, 250, base.moments.items)
    with pytest.raises(SurveyError, match="'Satisfaction\\^2' is made of the answers of each"):
        csi.fit(moderated.model, given)


def test_estimators_that_have_no_products_say_so(mobi, moderated):
    for estimator in (csi.ML(), csi.WLSMV(), csi.Semopy()):
        with pytest.raises(ModelError, match="'Image:Satisfaction' needs a stage of its own"):
            csi.fit(moderated.model, mobi, estimator)
    for write in (moderated.model.to_lavaan, moderated.model.to_semopy):
        with pytest.raises(ModelError, match=r"is given constructs of items .* 'Image:Sat"):
            write()
    with pytest.raises(OptionError, match="reestimate"):
        csi.PLS(reestimate="yes")


def test_a_product_without_variation_is_named():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.integers(1, 11, (40, 2)), columns=["s1", "s2"])
    frame["half"] = np.repeat([0, 1], 20)
    with pytest.raises(csi.errors.EstimationError, match="because half\\^2 does not vary"):
        csi.fit(M("S =~ s1 + s2\nS ~ half + half^2"), frame)


def test_draws_without_a_solution_are_counted_with_their_reason(mobi):
    frame = mobi.data.iloc[:40].copy()
    frame["few"] = [1] * 38 + [2, 3]
    model = M("S =~ CUSA1 + CUSA2\nQ =~ PERQ1 + PERQ2\nS ~ Q + few + few:Q")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        boot = csi.bootstrap(csi.fit(model, frame), draws=200, rng=1, progress=False)
        table = boot.table("paths")
    assert boot.failed["an item without variation"] > 5
    assert table["se"].notna().all()


def test_a_large_sample_by_unit_is_refused_in_a_sentence(mobi, monkeypatch):
    monkeypatch.setattr("csimodel.inference.influence._PAIRS", 250 * 249)
    with pytest.raises(InferenceError, match="pass over 250 rows for each of 250 units"):
        csi.linearize(csi.fit(with_products("quadratic"), mobi)).table("paths")


def test_one_thread_or_two_and_pickles(moderated):
    import pickle

    one = csi.bootstrap(moderated, draws=600, rng=3, progress=False)
    two = csi.bootstrap(moderated, draws=600, rng=3, workers=2, progress=False)
    assert np.array_equal(one.values("paths"), two.values("paths"))
    again = pickle.loads(pickle.dumps(moderated))
    assert again.model == moderated.model
    assert np.array_equal(
        csi.bootstrap(again, draws=600, rng=3, progress=False).values("paths"), one.values("paths")
    )
