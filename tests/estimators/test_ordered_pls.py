"""PLS of the responses behind ordered answers: cSEM, matrixpls, laws, and what follows from it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.errors import EstimationError, ModelError, OptionError, SurveyError
from csimodel.estimators import Status
from csimodel.index.importance import estimated_reliability
from csimodel.moments import CrossProducts

FOLDER = Path(__file__).parents[1] / "reference"
TIGHT = {"tolerance": 1e-13, "max_iterations": 3000}


@pytest.fixture(scope="module")
def theirs(reference):
    return reference("mobi_ordinal_pls.json")


@pytest.fixture(scope="module")
def five(ecsi):
    return {
        name: pd.read_csv(FOLDER / f"mobi_{name}.csv")[list(ecsi.items)]
        for name in ("all5", "ordinal5")
    }


def ordered_in(name, theirs):
    return "all" if name == "all5" else theirs["ordered"]


@pytest.fixture(scope="module")
def survey(five):
    return csi.read_survey(five["all5"].assign(half=["a", "b"] * 125), scale=(1, 5))


@pytest.fixture(scope="module")
def ordered_fit(ecsi, survey):
    return csi.fit(ecsi, survey, csi.PLS(correlations="polychoric"))


@pytest.mark.parametrize("name", ["all5", "ordinal5"])
@pytest.mark.parametrize("consistent", [False, True])
def test_csem_and_matrixpls_on_the_same_correlations(frame, ecsi, five, theirs, name, consistent):
    pls = csi.PLS(
        consistent=consistent, correlations="polychoric", ordered=ordered_in(name, theirs), **TIGHT
    )
    own = csi.fit(ecsi, five[name], pls)
    items = list(ecsi.items)
    cor = frame(theirs[f"correlations_{name}"]).loc[items, items].to_numpy()
    responses = replace(own.moments.responses, cov=cor)
    found = pls.solve(replace(own.moments, responses=responses), ecsi)
    csem = theirs[f"csem_{name}_{'plsc' if consistent else 'modeA'}"]
    names = list(ecsi.construct_names)
    for values, key in (
        (found.estimates.paths, "paths"),
        (found.estimates.construct_cor, "construct_vcv"),
    ):
        assert_allclose(values, frame(csem[key]).loc[names, names], atol=1e-10)
    for values, key in (
        (found.estimates.weights, "weights"),
        (found.estimates.loadings, "loadings"),
    ):
        assert_allclose(values, frame(csem[key]).T.loc[items, names].sum(axis=1), atol=1e-10)
    assert_allclose(
        found.estimates.reliability, pd.Series(csem["reliabilities_Q2"])[names], atol=1e-10
    )
    if consistent:
        matrixpls = frame(theirs[f"matrixpls_{name}_plsc"]["inner"]).loc[names, names]
        assert_allclose(found.estimates.paths, matrixpls, atol=1e-8)


def test_from_the_answers_as_far_as_their_correlations_go(frame, ecsi, five, theirs):
    items, names = list(ecsi.items), list(ecsi.construct_names)
    found = csi.fit(ecsi, five["all5"], csi.PLS(correlations="polychoric", **TIGHT))
    cor = frame(theirs["correlations_all5"]).loc[items, items]
    assert_allclose(found.moments.response_cor, cor, atol=3e-5)  # their optimiser's tolerance
    assert_allclose(
        found.paths, frame(theirs["csem_all5_modeA"]["paths"]).loc[names, names], atol=4e-5
    )
    mixed = csi.PLS(correlations="polychoric", ordered=theirs["ordered"])
    cor = frame(theirs["lavaan_ordinal5"]).loc[items, items]
    own = csi.fit(ecsi, five["ordinal5"], mixed).moments.response_cor
    apart = np.abs(own - cor.to_numpy())
    apart[items.index("CUSA2"), items.index("PERQ6")] = 0  # lavaan stops short of its maximum
    apart[items.index("PERQ6"), items.index("CUSA2")] = 0
    assert apart.max() < 2e-5
    other = frame(theirs["correlations_ordinal5"]).loc[items, items]  # polycor's approximation
    assert np.abs(own - other.to_numpy()).max() > 0.02


def test_scores_weigh_the_answers_and_have_variance_1(frame, ecsi, five, theirs):
    own = csi.fit(ecsi, five["all5"], csi.PLS(correlations="polychoric", **TIGHT)).scores
    assert_allclose(own.std(), 1.0, rtol=1e-12)
    head = theirs["scores_all5"]
    csem = pd.DataFrame(head["data"], columns=head["cols"]).astype(float)[list(own.columns)]
    ratio = own.iloc[:5].to_numpy() / csem.to_numpy()
    assert_allclose(ratio, np.tile(ratio[0], (5, 1)), rtol=5e-4)  # cSEM's variance is below 1
    assert (ratio[0] > 1 - 1e-6).all()
    assert ratio[0].max() > 1.03


def test_halved_questions_by_hand():
    """Of two halved answers ρ is sin(2π (p₁₁ - 1/4)), and the path of two single items is ρ."""
    rows = [[1, 1]] * 3 + [[1, 2]] * 2 + [[2, 1]] * 2 + [[2, 2]] * 3
    data = pd.DataFrame(rows, columns=["a", "b"])
    model = csi.Model.from_syntax("A =~ a\nB =~ b\nB ~ A")
    found = csi.fit(model, data, csi.PLS(correlations="polychoric"))
    assert_allclose(found.paths.loc["B", "A"], np.sin(2 * np.pi * 0.05), atol=1e-12)
    assert_allclose(csi.fit(model, data).paths.loc["B", "A"], 0.2, atol=1e-12)
    assert found.thresholds.to_dict() == {("a", 1): 0.0, ("b", 1): 0.0}


def test_a_population_of_factors_seen_through_thresholds(chain):
    """PLSc of polychoric correlations finds what PLSc of the answers as numbers does not."""
    rng = np.random.default_rng(3)
    n, loading, path = 20_000, 0.8, 0.6
    a = rng.normal(size=n)
    b = path * a + np.sqrt(1 - path**2) * rng.normal(size=n)
    c = path * b + np.sqrt(1 - path**2) * rng.normal(size=n)
    errors = rng.normal(size=(n, 9)) * np.sqrt(1 - loading**2)
    responses = loading * np.repeat(np.stack([a, b, c], axis=1), 3, axis=1) + errors
    answers = 1.0 + (responses > 0.3) + (responses > 1.2)
    data = pd.DataFrame(answers, columns=list(chain.items))
    ordered = csi.fit(chain, data, csi.PLS(consistent=True, correlations="polychoric"))
    plain = csi.fit(chain, data, csi.PLS(consistent=True))
    assert_allclose(ordered.loadings.to_numpy().max(axis=1), loading, atol=0.04)
    assert_allclose(ordered.paths.loc["B", "A"], path, atol=0.04)
    assert (plain.loadings.to_numpy().max(axis=1) < 0.76).all()
    assert_allclose(ordered.thresholds.xs(1, level="threshold"), 0.3, atol=0.03)
    # The reliability of an index is the squared correlation with what it measures.
    index = csi.fit(chain, csi.read_survey(data, scale=(1, 3)), ordered.estimator)
    scores = index.scores.to_numpy()
    truth = [
        np.corrcoef(score, own)[0, 1] ** 2 for score, own in zip(scores.T, (a, b, c), strict=True)
    ]
    assert_allclose(estimated_reliability(index.solution), truth, atol=0.015)
    assert (index.estimates.reliability > np.array(truth) + 0.05).all()  # of responses' scores


def test_names_of_categories_do_not_matter(ecsi, five, ordered_fit):
    other = five["all5"].replace({1: 10, 2: 20, 3: 21, 4: 40, 5: 100})
    found = csi.fit(ecsi, other, csi.PLS(correlations="polychoric"))
    assert_allclose(found.paths, ordered_fit.paths, atol=1e-10)
    assert_allclose(found.weights, ordered_fit.weights, atol=1e-10)


def test_draws_repeat_the_whole_chain(ecsi, survey, ordered_fit):
    rows = np.random.default_rng(5).integers(0, 250, size=(20, 250))
    boot = csi.bootstrap(ordered_fit, resamples=rows, progress=False)
    for draw in (0, 19):
        alone = csi.fit(ecsi, survey.data.iloc[rows[draw]], ordered_fit.estimator)
        assert_allclose(boot.solution.estimates.paths[draw], alone.paths, atol=1e-8)
        assert_allclose(boot.solution.index_weights[draw], alone.solution.index_weights, atol=1e-8)


def test_errors_by_influence_are_those_of_leaving_out(ordered_fit):
    by_influence = csi.linearize(ordered_fit).table("paths")["se"]
    by_jackknife = csi.jackknife(ordered_fit).table("paths")["se"]
    assert_allclose(by_influence, by_jackknife, rtol=0.05)


def test_a_weight_of_2_is_a_row_twice(ecsi, five):
    data = five["all5"]
    twice = pd.concat([data, data.iloc[:100]])
    weighted = csi.read_survey(data.assign(w=[2.0] * 100 + [1.0] * 150), weights="w")
    pls = csi.PLS(correlations="polychoric")
    assert_allclose(csi.fit(ecsi, weighted, pls).paths, csi.fit(ecsi, twice, pls).paths, atol=1e-8)


def test_groups_are_fitted_each_with_thresholds_of_its_own(ecsi, survey, ordered_fit):
    data = survey.data.assign(half=["a"] * 120 + ["b"] * 128 + ["c"] * 2)
    fits = csi.fit_groups(ecsi, data, "half", ordered_fit.estimator)
    alone = csi.fit(ecsi, data.iloc[:120], ordered_fit.estimator)
    assert_allclose(fits["a"].paths, alone.paths, atol=1e-10)
    assert fits["a"].thresholds.equals(alone.thresholds)
    assert fits.solution.estimates.outcome.tolist() == [0, 0, Status.TOO_FEW_ROWS]


def test_measures_of_items_are_those_of_responses(ordered_fit):
    assessed = csi.assess(ordered_fit)
    cor = ordered_fit.moments.response_cor[:5, :5]  # Image
    size = 5 / 4 * (1 - 5 / cor.sum())
    assert_allclose(assessed.reliability.loc["Image", "alpha"], size, atol=1e-12)
    single = ordered_fit.moments.response_cor[20]  # Complaints
    crossed = ordered_fit.cross_loadings["Complaints"]
    assert_allclose(crossed, single, atol=1e-12)


def test_plain_correlations_are_as_ever(ecsi, survey, fit):
    assert csi.fit(ecsi, survey).thresholds.empty
    assert fit.moments.responses is None
    assert csi.PLS() == csi.PLS(correlations="pearson", ordered="all")
    assert isinstance(csi.PLS().samples_of(fit.answers), CrossProducts)


def test_saved_and_read_again(tmp_path, ordered_fit):
    again = csi.load(csi.save(ordered_fit, tmp_path / "fit.csimodel"))
    assert again.estimator == ordered_fit.estimator
    assert again.thresholds.equals(ordered_fit.thresholds)
    assert_allclose(again.paths, ordered_fit.paths, atol=0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"correlations": "kendall"}, "correlations='kendall' is not known"),
        ({"ordered": ["CUSA1"]}, "correlations is 'pearson'"),
        ({"correlations": "polychoric", "ordered": []}, r"ordered=\[\] must be 'all' or a list"),
        ({"correlations": "polychoric", "ordered": "CUSA1"}, "must be 'all' or a list"),
        ({"correlations": "polychoric", "ordered": [1]}, "must be 'all' or a list"),
    ],
)
def test_options_that_are_none(options, words):
    with pytest.raises(OptionError, match=words):
        csi.PLS(**options)


def test_what_cannot_be_fitted_is_refused_by_name(ecsi, five):
    pls, data = csi.PLS(correlations="polychoric"), five["all5"]
    with pytest.raises(ModelError, match=r"'CUSA9' is not in the model \(did you mean"):
        csi.fit(ecsi, data, csi.PLS(correlations="polychoric", ordered=["CUSA9"]))
    with pytest.raises(ModelError, match="take it out of the model"):
        csi.fit(csi.Model.from_syntax(f"{ecsi}\nLoyalty ~ Value + Image:Value"), data, pls)
    with pytest.raises(EstimationError, match="give a matrix of polychoric"):
        csi.fit(ecsi, csi.Moments.from_cov(data.cov(), 250, list(ecsi.items)), pls)
    with pytest.raises(EstimationError, match="needs complete answers"):
        csi.fit(ecsi, csi.read_survey(data.where(data > 1), missing="pairwise"), pls)
    with pytest.raises(EstimationError, match="CUSA1 with CUSA2 is at the edge"):
        csi.fit(ecsi, data.assign(CUSA1=data["CUSA2"]), pls)
    with pytest.raises(SurveyError, match="'CUSA1' has the same value"):
        csi.fit(ecsi, data.assign(CUSA1=3), pls)


def test_what_predicts_answers_is_refused(ordered_fit, survey):
    for call in (
        lambda: csi.predict(ordered_fit, rng=1),
        lambda: ordered_fit.predict(survey),
    ):
        with pytest.raises(OptionError, match="predicts answers, and loadings by PLS"):
            call()
    with pytest.raises(OptionError, match="ordered answers cannot be turned"):
        csi.overall_fit(ordered_fit, rng=1)
    with pytest.raises(OptionError, match="of the responses behind"):
        csi.outcomes.index_reliability(ordered_fit, kind="alpha")


def test_importance_by_wlsmv_counts_loadings_of_answers(ecsi, survey):
    model = csi.Model.from_syntax(
        "Quality =~ PERQ1 + PERQ3 + PERQ7\nSatisfaction =~ CUSA1 + CUSA2 + CUSA3\n"
        "Satisfaction ~ Quality"
    )
    own = csi.fit(model, survey, csi.WLSMV()).solution
    w, loading = own.estimates.weights, own.estimates.loadings * own.moments.responses.clarity
    cor = own.moments.cor[:3, :3]
    expected = (w[:3] @ loading[:3]) ** 2 / (w[:3] @ cor @ w[:3])
    assert_allclose(estimated_reliability(own)[0], expected, rtol=1e-12)
    assert expected < (w[:3] @ own.estimates.loadings[:3]) ** 2


@pytest.mark.parametrize("consistent", [False, True])
@pytest.mark.parametrize("name", ["all5", "ordinal5"])
def test_distances_and_adjusted_r2_of_csem(reference, ecsi, five, theirs, name, consistent):
    """To the precision of its correlations: polyserial ones are approximate there."""
    told = reference("mobi_ordinal_fit.json")[f"csem_{name}_{'plsc' if consistent else 'modeA'}"]
    pls = csi.PLS(
        consistent=consistent, correlations="polychoric", ordered=ordered_in(name, theirs), **TIGHT
    )
    fit = csi.fit(ecsi, five[name], pls)
    close = 2e-3 if name == "all5" else 0.05
    distances = csi.assess(fit).global_fit["estimated"]
    assert_allclose(distances["srmr"], told["SRMR"], rtol=close)
    assert_allclose(distances["d_uls"], told["dL"], rtol=2 * close)
    assert_allclose(distances["d_g"] / np.log(10) ** 2, told["dG"], rtol=2 * close)
    for construct, value in told["R2adj"].items():
        own = 1 - (1 - fit.r2[construct]) * 249 / (249 - len(ecsi.sources_of(construct)))
        assert_allclose(own, value, atol=close)


@pytest.mark.parametrize("name", ["all5_as_numeric", "raw"])
def test_distances_of_answers_as_numbers(reference, mobi, ecsi, five, name):
    told = reference("mobi_ordinal_fit.json")[f"csem_{name}_plsc"]
    data = mobi if name == "raw" else five["all5"]
    fit = csi.fit(ecsi, data, csi.PLS(consistent=True, **TIGHT))
    distances = csi.assess(fit).global_fit["estimated"]
    assert_allclose(distances["srmr"], told["SRMR"], rtol=1e-8)
    assert_allclose(distances["d_uls"], told["dL"], rtol=1e-8)
    assert_allclose(distances["d_g"] / np.log(10) ** 2, told["dG"], rtol=1e-8)
