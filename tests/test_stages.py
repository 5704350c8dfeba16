"""Terms of a model and the stages it is estimated in."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

import csimodel as csi
from csimodel.errors import ModelError
from csimodel.estimators.estimates import Estimates
from csimodel.model.terms import HigherOrder, Product
from csimodel.moments import Moments


def higher_order(ecsi, kind="reflective"):
    """Quality as a construct of two constructs."""
    parts = (
        csi.reflective("QA", [f"PERQ{i}" for i in (1, 2, 3)]),
        csi.reflective("QB", [f"PERQ{i}" for i in (4, 5, 6, 7)]),
    )
    constructs = (*(c for c in ecsi.constructs if c.name != "Quality"), *parts)
    return csi.Model(constructs, ecsi.paths, terms=(HigherOrder("Quality", ("QA", "QB"), kind),))


def curved(ecsi):
    paths = (*ecsi.paths, ("Value:Image", "Loyalty"), ("Value^2", "Loyalty"))
    products = (Product(("Value", "Image")), Product(("Value", "Value")))
    return csi.Model(ecsi.constructs, paths, terms=products)


@pytest.fixture
def moments(ecsi):
    return csi.fit(ecsi, csi.load_mobi()).moments


def test_a_model_without_terms_is_its_only_stage(ecsi, moments):
    (stage,) = ecsi.stages
    assert stage.model is ecsi
    assert stage.sources == tuple((item,) for item in ecsi.items)
    assert stage.moments(moments) is moments
    backwards = stage.moments(moments.select(ecsi.items[::-1]))
    assert backwards.items == ecsi.items
    assert np.array_equal(backwards.cov, moments.cov)


def test_parts_stand_in_for_the_whole_in_the_first_stage(ecsi):
    first, second = higher_order(ecsi).stages
    assert "Quality" not in first.model.construct_names
    assert first.model.sources_of("QA") == first.model.sources_of("QB") == ("Expectation",)
    assert first.model.sources_of("Value") == ("Expectation", "QA", "QB")
    assert second.model.blocks["Quality"] == ("QA", "QB")
    assert second.model.blocks["Value"] == ("Value",)
    assert second.model.paths == csi.Model(second.model.constructs, ecsi.paths).paths
    sources = dict(zip(second.model.items, second.sources, strict=True))
    assert sources["QB"] == ("PERQ4", "PERQ5", "PERQ6", "PERQ7")
    assert sources["Value"] == ("PERV1", "PERV2")
    assert [len(stage.model.stages) for stage in (first, second)] == [1, 1]


def test_products_enter_in_the_second_stage(ecsi):
    first, second = curved(ecsi).stages
    assert first.model == ecsi
    assert second.model.sources_of("Loyalty")[-2:] == ("Value:Image", "Value^2")
    assert second.sources[second.model.items.index("Value^2")] == ()


@pytest.mark.parametrize(("mode", "kind"), [("A", "reflective"), ("B", "composite")])
def test_disjoint_two_stage_of_seminr(ecsi, reference, frame, mode, kind):
    model = higher_order(ecsi, kind)
    answers = csi.load_mobi().answers(model.stages[0].model.own_blocks)
    given = Moments.from_array(answers.values, model.items)
    estimates = csi.PLS(tolerance=1e-13).estimate(given, model)
    expected = reference("mobi_higher_order.json")[mode]
    names = list(model.stages[1].model.construct_names)
    for what in ("paths", "construct_cor"):
        table = expected[what]
        values = frame(table).loc[names, names].to_numpy()
        values = values.T if what == "paths" else values
        np.testing.assert_allclose(getattr(estimates, what), values, atol=1e-10)
    rows = [f"{name}_s" for name in model.stages[1].model.items]
    weights = frame(expected["weights"]).loc[rows].sum(axis=1)
    np.testing.assert_allclose(estimates.weights, weights, atol=1e-10)


def test_a_batch_goes_through_all_stages_together(ecsi):
    model = higher_order(ecsi)
    values = csi.load_mobi().answers(model.stages[0].model.own_blocks).values
    rows = np.random.default_rng(3).integers(len(values), size=(6, len(values)))
    batch = Moments.from_array(values[rows], model.items)
    full = csi.PLS().estimate(Moments.from_array(values, model.items), model)
    together = csi.PLS().estimate(batch, model, full)
    for draw in range(6):
        alone = csi.PLS().estimate(batch[draw], model, full)
        np.testing.assert_allclose(together.paths[draw], alone.paths, atol=1e-9)


def test_moments_of_scores_are_those_of_the_scores(ecsi):
    survey = csi.load_mobi()
    first, second = higher_order(ecsi).stages
    fit = csi.fit(first.model, survey)
    scores = second.moments(fit.moments, fit.estimates.weights / fit.moments.sd)
    values = fit.scores[list(second.model.items)].cov().to_numpy()
    np.testing.assert_allclose(scores.cov, values, atol=1e-12)
    weighted = fit.solution.index_weights
    means = second.moments(fit.moments, weighted)
    points = survey.data[list(first.model.items)].to_numpy() * weighted
    by_construct = [
        points[:, first.model.slices[first.model.construct_names.index(name)]].sum(axis=1).mean()
        for name in second.model.items
    ]
    np.testing.assert_allclose(means.mean, by_construct, rtol=1e-12)
    assert means.n == fit.moments.n
    assert np.isnan(means.minimum).all()


def test_moments_of_a_product_need_more_than_means_and_covariances(ecsi, moments):
    with pytest.raises(ModelError, match="The moments of the product 'Value:Image' do not follow"):
        csi.PLS().estimate(moments, curved(ecsi))


@pytest.mark.parametrize("estimator", [csi.PLS(), csi.ML(), csi.WLSMV(), csi.Semopy()])
def test_estimators_refuse_several_stages(ecsi, estimator):
    for model, name in ((higher_order(ecsi), "Quality"), (curved(ecsi), "Value:Image")):
        with pytest.raises(ModelError, match=f"fits constructs of items .* {name!r} needs a stage"):
            csi.fit(model, csi.load_mobi(), estimator)


def test_what_has_no_terms_refuses_them(ecsi):
    model = higher_order(ecsi)
    for attempt in (
        model.to_syntax,
        model.to_lavaan,
        model.to_semopy,
        lambda: model.adjacency,
        lambda: csi.simulate.population(model, paths=0.1, loadings=0.8),
    ):
        with pytest.raises(ModelError, match="'Quality' needs a stage of its own"):
            attempt()


def test_terms_are_values(ecsi):
    model = higher_order(ecsi)
    assert model == higher_order(ecsi) == pickle.loads(pickle.dumps(model))
    assert hash(model) == hash(higher_order(ecsi)) != hash(higher_order(ecsi, "composite"))
    assert model.with_items({"Value": ["a", "b"]}).terms == model.terms
    assert Product(["Value", "Value", "Image"]).name == "Value^2:Image"


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        (lambda: (Product(("Value",)),), "A product has factors .*name at least 2"),
        (lambda: (Product("Value"),), "A product has factors .*name at least 2"),
        (lambda: (Product(("Value", 3)),), "3 is no name"),
        (lambda: (HigherOrder(" ", ("Value", "Image"), "composite"),), "' ' is no name"),
        (lambda: (HigherOrder("H", ("Value",), "composite"),), "'H' has parts .*at least 2"),
        (lambda: (HigherOrder("H", ("Value", "Value"), "composite"),), "part 'Value' twice"),
        (lambda: (HigherOrder("H", ("Value", "Image"), "single"),), "is of kind 'single'"),
        (lambda: ("Value:Image",), "'Value:Image' is no term"),
        (
            lambda: (HigherOrder("Value", ("Image", "Loyalty"), "composite"),),
            "has the name of another",
        ),
        (lambda: (Product(("Value", "Image")),) * 2, "has the name of another"),
        (lambda: (Product(("Value", "Imag")),), "'Imag', which is no construct of items.*'Image'"),
        (
            lambda: (HigherOrder("H", ("Value", "Image"), "composite"),),
            "'Image', which is a part of",
        ),
        (lambda: (Product(("Value", "Image")),), "'Value:Image' has no path"),
    ],
)
def test_terms_that_make_no_sense_are_named(ecsi, terms, message):
    with pytest.raises(ModelError, match=message):
        replace(ecsi, terms=terms())


def test_paths_and_parameters_that_do_not_fit_terms_are_named(ecsi):
    product = Product(("Value", "Image"))
    with pytest.raises(ModelError, match="leads to the product 'Value:Image'"):
        replace(ecsi, paths=(*ecsi.paths, ("Loyalty", "Value:Image")), terms=(product,))
    model = higher_order(ecsi)
    whole = model.terms[0]
    with pytest.raises(ModelError, match="factor 'QA', which is a part of"):
        replace(model, terms=(whole, Product(("QA", "Value"))))
    text = csi.models.ecsi().to_syntax().replace("Loyalty ~ Image", "Loyalty ~ 0.1*Image")
    fixed = csi.Model.from_syntax(text)
    assert fixed.parameters
    with pytest.raises(ModelError, match="says something of single parameters"):
        replace(fixed, paths=(*ecsi.paths, ("Value:Image", "Loyalty")), terms=(product,))


def test_a_circle_of_parts_is_named():
    constructs = [csi.reflective(name, [f"{name}{i}" for i in (1, 2)]) for name in "ABCD"]
    whole = HigherOrder("H", ("A", "B"), "composite")
    with pytest.raises(ModelError, match="form a cycle"):
        csi.Model(constructs, [("H", "C"), ("C", "D"), ("D", "H")], terms=(whole,))


def test_estimates_are_of_the_last_stage(ecsi):
    model = higher_order(ecsi)
    values = csi.load_mobi().answers(model.stages[0].model.own_blocks).values
    estimates = csi.PLS().estimate(Moments.from_array(values, model.items), model)
    assert isinstance(estimates, Estimates)
    assert estimates.weights.shape == (len(model.stages[1].model.items),)
