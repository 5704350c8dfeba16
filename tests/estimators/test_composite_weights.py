"""Weights by criteria and given ones: cSEM, NumPy to machine precision, laws, refusals."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.errors import EstimationError, InferenceError, ModelError, OptionError
from csimodel.estimators.composite_weights import composite_weights, weight_turns
from csimodel.findings import collected

TIGHT = {"tolerance": 1e-13, "max_iterations": 3000}
CRITERIA = ["sumcorr", "maxvar", "ssqcorr", "minvar", "genvar", "gsca", "pca"]
OWN = {"sumcorr": "SUMCORR", "ssqcorr": "SSQCORR", "genvar": "GENVAR"}


@pytest.fixture(scope="module")
def composites(ecsi):
    return csi.Model.from_syntax(str(ecsi).replace("=~", "<~"))


@pytest.fixture(scope="module")
def theirs(reference):
    return reference("mobi_weights.json")


def blocks(model):
    return [list(construct.items) for construct in model.constructs]


def turned(ours, other, model):
    """Return how each construct's scores must be turned to point as theirs do."""
    return np.array([np.sign(ours[items] @ other[items]) for items in blocks(model)])


def summed(table, model):
    return table.T.loc[list(model.items)].sum(axis=1)


@pytest.mark.parametrize(
    ("criterion", "key"),
    [("maxvar", "MAXVAR"), ("minvar", "MINVAR"), ("gsca", "GSCA_canonical")],
)
def test_csem(frame, composites, mobi, theirs, criterion, key):
    found = csi.fit(composites, mobi, csi.PLS(weights=criterion, **TIGHT))
    ours, other = found.weights.sum(axis=1), summed(frame(theirs[key]["weights"]), composites)
    sign = turned(ours, other, composites)
    assert_allclose(ours * sign[composites.owner], other, atol=1e-10)
    names = list(composites.construct_names)
    paths = frame(theirs[key]["paths"]).loc[names, names]
    assert_allclose(found.paths * sign * sign[:, None], paths, atol=1e-10)
    loadings = summed(frame(theirs[key]["loadings"]), composites)
    assert_allclose(found.loadings.sum(axis=1) * sign[composites.owner], loadings, atol=1e-10)
    assert_allclose(found.r2, pd.Series(theirs[key]["R2"])[found.r2.index], atol=1e-10)


def test_gsca_of_reflective_constructs_keeps_the_errors_of_items(frame, ecsi, mobi, theirs):
    found = csi.fit(ecsi, mobi, csi.PLS(weights="gsca", **TIGHT))
    other = summed(frame(theirs["GSCA_nomological"]["weights"]), ecsi)
    assert_allclose(found.weights.sum(axis=1), other, atol=1e-10)
    paths = frame(theirs["GSCA_nomological"]["paths"]).loc[found.paths.index, found.paths.columns]
    assert_allclose(found.paths, paths, atol=1e-10)


@pytest.mark.parametrize("criterion", OWN)
def test_numpy_to_machine_precision(frame, composites, mobi, reference, criterion):
    own = reference("mobi_weights_own.json")[OWN[criterion]]
    found = csi.fit(composites, mobi, csi.PLS(weights=criterion, **TIGHT))
    ours, other = found.weights.sum(axis=1), summed(frame(own["weights"]), composites)
    assert_allclose(ours * turned(ours, other, composites)[composites.owner], other, atol=1e-12)
    cor = found.construct_cor.to_numpy()
    values = {"sumcorr": cor.sum(), "ssqcorr": (cor**2).sum(), "genvar": np.linalg.det(cor)}
    assert_allclose(values[criterion], own["criterion"][criterion], rtol=1e-12)


def test_csem_stops_short_of_these_optima(frame, composites, mobi, theirs):
    for criterion, key, better in (
        ("sumcorr", "SUMCORR", lambda own, other: own.sum() > other.sum()),
        ("ssqcorr", "SSQCORR", lambda own, other: (own**2).sum() > (other**2).sum() + 4),
        ("genvar", "GENVAR", lambda own, other: np.linalg.det(own) < np.linalg.det(other)),
    ):
        found = csi.fit(composites, mobi, csi.PLS(weights=criterion, **TIGHT))
        weights = summed(frame(theirs[key]["weights"]), composites)
        cor = csi.fit(composites, mobi, csi.PLS(weights=weights.to_dict())).construct_cor
        assert better(found.construct_cor.to_numpy(), cor.to_numpy())


def test_components(frame, mobi, theirs):
    entry = theirs["PCA"]
    names, items = frame(entry["weights"]).index, frame(entry["weights"]).columns
    table = frame(entry["weights"])
    lines = [f"{name} <~ {' + '.join(items[table.loc[name] != 0])}" for name in names]
    paths = frame(entry["paths"])
    lines += [f"{t} ~ {s}" for t in names for s in names if paths.loc[t, s] != 0]
    model = csi.Model.from_syntax("\n".join(lines))
    found = csi.fit(model, mobi, csi.PLS(weights="pca"))
    ours, other = found.weights.sum(axis=1), summed(table, model)
    sign = turned(ours, other, model)
    assert_allclose(ours * sign[model.owner], other, atol=1e-12)
    assert_allclose(
        found.paths * sign * sign[:, None],
        paths.loc[found.paths.index, found.paths.columns],
        atol=1e-12,
    )


@pytest.mark.parametrize("criterion", CRITERIA)
def test_two_constructs_have_the_first_canonical_correlation(population, criterion):
    data = population(300)[["a1", "a2", "a3", "b1", "b2", "b3"]]
    model = csi.Model.from_syntax("A <~ a1 + a2 + a3\nB <~ b1 + b2 + b3\nB ~ A")
    found = csi.fit(model, data, csi.PLS(weights=criterion, **TIGHT))
    canonical = csi.fit(model, data, csi.PLS(modes="B", **TIGHT)).paths.loc["B", "A"]
    if criterion == "pca":
        for block in blocks(model):
            values, vectors = np.linalg.eigh(data[block].corr())
            first = vectors[:, -1] * np.sign(vectors[:, -1].sum()) / np.sqrt(values[-1])
            assert_allclose(found.weights.loc[block].sum(axis=1), first, atol=1e-12)
    else:
        assert_allclose(abs(found.paths.loc["B", "A"]), canonical, atol=1e-10)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_draws_are_fits_of_their_rows(composites, mobi, criterion):
    fit = csi.fit(composites, mobi, csi.PLS(weights=criterion))
    rows = np.random.default_rng(2).integers(0, 250, size=(30, 250))
    boot = csi.bootstrap(fit, resamples=rows, progress=False)
    for draw in (0, 29):
        alone = csi.fit(composites, mobi.data.iloc[rows[draw]], fit.estimator)
        sign = np.sign(alone.estimates.weights * boot.solution.estimates.weights[draw])
        ours = boot.solution.estimates.weights[draw] * sign
        assert_allclose(np.abs(ours), np.abs(alone.estimates.weights), atol=1e-8)
        assert alone.iterations == boot.solution.estimates.iterations[draw]
    if not fit.estimator.turning(fit.solution):  # MINVAR's weights jump
        by_influence = csi.linearize(fit).table("r2")["se"]
        assert_allclose(by_influence, csi.jackknife(fit).table("r2")["se"], rtol=0.25)


@pytest.mark.parametrize("criterion", ["minvar", "maxvar", "pca"])
def test_turns_of_weights_are_below_their_formula(criterion, mobi):
    """The formula is of covariances; correlations, of which the diagonal is fixed, turn less."""
    model = csi.Model.from_syntax(
        "A <~ IMAG1 + IMAG2 + IMAG3\nB <~ PERV1 + PERV2\nC <~ CUSA1 + CUSA2\nB ~ A\nC ~ B"
    )
    cor = mobi.data[list(model.items)].corr().to_numpy()
    root, rng = np.linalg.cholesky(cor), np.random.default_rng(0)
    samples = np.stack(
        [np.corrcoef(root @ rng.normal(size=(len(cor), 1000))) for _ in range(200)], axis=-1
    )
    every = np.concatenate([cor[..., None], samples], axis=-1)
    weights, _, _ = composite_weights(every, model, criterion, 1e-10, 300)
    formula = weight_turns(cor, model, criterion, 1000.0)
    for block, most in zip(model.slices, formula, strict=True):
        inner = np.eye(block.stop - block.start) if criterion == "pca" else cor[block, block]
        own = weights[block]
        own = own / np.sqrt(np.einsum("id,ij,jd->d", own, inner, own))
        cosine = np.minimum(np.abs(own[:, 0] @ inner @ own[:, 1:]), 1.0)
        assert np.sqrt((np.arccos(cosine) ** 2).mean()) < most


def test_weights_that_jump_have_no_errors_by_influence_values(ecsi, mobi):
    """Draws have a 16th of the error of a path that derivatives give, and half as much again."""
    fit = csi.fit(ecsi, mobi, csi.PLS(weights="minvar"))
    assert fit.estimator.turning(fit.solution) == ("Value",)
    index = csi.index_scores(fit)
    assert index["se"].isna().all()
    assert set(index["reason"]) == {
        "weights jump between samples; give the draws of csi.bootstrap(fit)"
    }
    with pytest.raises(InferenceError, match=r"^Influence values .* MINVAR composites .*\(Value\)"):
        csi.linearize(fit)
    draws = csi.bootstrap(fit, 50, rng=1, progress=False)
    with collected() as findings:
        assert csi.index_scores(fit, bootstrap=draws)["se"].notna().all()
    assert {finding.code for finding in findings} == {"draws-beyond-bounds"}
    small = csi.Model.from_syntax("Q =~ PERQ1 + PERQ2 + PERQ3\nS =~ CUSA1 + CUSA2\nS ~ Q")
    for model, criterion in ((small, "minvar"), (ecsi, "maxvar"), (ecsi, "pca"), (ecsi, "gsca")):
        other = csi.fit(model, mobi, csi.PLS(weights=criterion))
        assert other.estimator.turning(other.solution) == ()
        assert csi.linearize(other).table("paths")["se"].notna().all()


def test_given_weights_are_kept_in_proportion(ecsi, mobi, fit):
    weights = dict.fromkeys(ecsi.items, 2.0)
    given = csi.fit(ecsi, mobi, csi.PLS(weights=weights))
    unit = csi.fit(ecsi, mobi, csi.PLS(modes="unit"))
    assert_allclose(given.weights, unit.weights, atol=1e-12)
    again = csi.fit(ecsi, mobi, csi.PLS(weights=fit.weights.sum(axis=1).to_dict()))
    assert_allclose(again.paths, fit.paths, atol=1e-10)
    assert_allclose(again.scores, fit.scores, atol=1e-10)
    assert again.estimator.modes_of(ecsi) == ("given",) * 5 + ("A",) + ("given",)


def test_constructs_that_are_not_named_are_weighed_beside_them(ecsi, mobi):
    weights = {"CUSA1": 1.0, "CUSA2": 0.0, "CUSA3": 2.0}
    found = csi.fit(ecsi, mobi, csi.PLS(weights=weights))
    own = found.weights["Satisfaction"][list(weights)]
    assert_allclose(own / own["CUSA1"], [1.0, 0.0, 2.0], atol=1e-12)
    # The others' weights are a fixed point of PLS beside these scores.
    scores = found.scores.assign(CUSA=found.scores["Satisfaction"])
    data = pd.concat([mobi.data, scores[["CUSA"]]], axis=1)
    lines = str(ecsi).replace("CUSA1 + CUSA2 + CUSA3", "CUSA")
    beside = csi.fit(csi.Model.from_syntax(lines), data)
    assert_allclose(
        found.paths, beside.paths.loc[found.paths.index, found.paths.columns], atol=1e-8
    )


def test_everything_that_follows_has_an_answer(composites, mobi):
    for weights in ("gsca", {"CUSA1": 1.0, "CUSA2": 1.0, "CUSA3": 1.0}):
        fit = csi.fit(composites, mobi, csi.PLS(weights=weights))
        assert csi.index_scores(fit)["se"].notna().all()
        assert repr(csi.assess(fit))
        assert str(fit.summary())
        assert csi.predict(fit, folds=5, repetitions=1, rng=1).table is not None
    assert "GSCA" in repr(csi.fit(composites, mobi, csi.PLS(weights="gsca")))


def test_saved_and_read_again(tmp_path, ecsi, mobi):
    fit = csi.fit(ecsi, mobi, csi.PLS(weights={"CUSA1": 1, "CUSA2": 1, "CUSA3": 1}))
    again = csi.load(csi.save(fit, tmp_path / "fit.csimodel"))
    assert again.estimator == fit.estimator
    assert hash(again.estimator) == hash(fit.estimator)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"weights": "horst"}, "weights='horst' is not known"),
        ({"weights": {}}, "nor a mapping of item names to numbers"),
        ({"weights": None}, "weights=None is neither a criterion"),
        ({"weights": 3}, "weights=3 is neither a criterion"),
        ({"weights": {1: 1.0}}, r"weights= holds \(1, 1.0\)"),
        ({"weights": {"CUSA1": "much"}}, "The weight of 'CUSA1' is 'much'"),
        ({"weights": {"CUSA1": float("nan")}}, "The weight of 'CUSA1' is nan"),
        ({"weights": {"CUSA1": True}}, "The weight of 'CUSA1' is True"),
        ({"weights": "maxvar", "consistent": True}, "corrects weights by PLS in mode A"),
        ({"weights": "maxvar", "scheme": "centroid"}, "scheme= is of weights by PLS"),
        ({"weights": "gsca", "modes": "B"}, "modes= is of weights by PLS"),
    ],
)
def test_options_that_are_none(options, words):
    with pytest.raises(OptionError, match=words):
        csi.PLS(**options)


def test_what_does_not_fit_the_model_is_named(ecsi, mobi):
    for weights, words in (
        ({"CUSA9": 1.0}, r"'CUSA9', which is no item of the model \(did you mean"),
        ({"CUSA1": 1.0}, "some items of 'Satisfaction' and not CUSA2 and CUSA3"),
        (dict.fromkeys(["CUSA1", "CUSA2", "CUSA3"], 0.0), "All weights of 'Satisfaction' are 0"),
    ):
        with pytest.raises(ModelError, match=words):
            csi.fit(ecsi, mobi, csi.PLS(weights=weights))
    moderated = csi.Model.from_syntax(f"{ecsi}\nLoyalty ~ Value + Image:Value")
    with pytest.raises(ModelError, match="weighs constructs of items, and 'Image:Value'"):
        csi.fit(moderated, mobi, csi.PLS(weights="sumcorr"))
    kept = {"CUSA1": 1.0, "CUSA2": 1.0, "CUSA3": 1.0}
    found = csi.fit(moderated, mobi, csi.PLS(weights=kept)).unstandardized_weights["Satisfaction"]
    sd = mobi.data[list(kept)].std()
    assert_allclose(found[list(kept)] * sd, (found[list(kept)] * sd).mean(), atol=1e-12)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_tied_items_have_no_solution(composites, mobi, criterion):
    copied = mobi.data.assign(CUSA1=mobi.data["CUSA2"] + mobi.data["CUSA3"])
    with pytest.raises(EstimationError, match="CUSA1"):
        csi.fit(composites, copied, csi.PLS(weights=criterion))
