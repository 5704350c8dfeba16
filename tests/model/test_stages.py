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
    more = [(name, "Loyalty") for name in ("Value", "Value:Image", "Value^2")]
    paths = (*ecsi.paths, *more)
    products = (Product(("Value", "Image")), Product(("Value", "Value")))
    return csi.Model(ecsi.constructs, paths, terms=products)


@pytest.fixture
def moments(ecsi):
    return csi.fit(ecsi, csi.load_mobi()).moments


def test_a_model_without_terms_is_its_only_stage(ecsi, moments):
    assert ecsi.stages[0] is ecsi
    assert len(ecsi.stages) == 1
    assert ecsi.answered == ecsi.items
    backwards = csi.PLS().solve(moments.select(ecsi.items[::-1]), ecsi)
    assert np.array_equal(backwards.estimates.paths, csi.PLS().estimate(moments, ecsi).paths)


def test_parts_stand_in_for_the_whole_in_the_first_stage(ecsi):
    first, second = higher_order(ecsi).stages
    assert "Quality" not in first.construct_names
    assert first.sources_of("QA") == first.sources_of("QB") == ("Expectation",)
    assert first.sources_of("Value") == ("Expectation", "QA", "QB")
    assert second.blocks["Quality"] == ("QA", "QB")
    assert second.blocks["Value"] == ("PERV1", "PERV2")
    assert set(second.paths) == set(ecsi.paths)
    assert second.derived == ("QA", "QB")
    assert len(first.stages) == 1


def test_products_enter_in_the_second_stage(ecsi):
    first, second = curved(ecsi).stages
    assert first.sources_of("Loyalty") == ("Image", "Value", "Satisfaction", "Complaints")
    assert second.sources_of("Loyalty")[-2:] == ("Value:Image", "Value^2")
    assert second.derived == ("Value:Image", "Value^2")
    assert replace(second, name="again") == second


@pytest.mark.parametrize(("mode", "kind"), [("A", "reflective"), ("B", "composite")])
def test_disjoint_two_stage_of_seminr(ecsi, reference, frame, mode, kind):
    model = higher_order(ecsi, kind)
    answers = csi.load_mobi().answers(model.answered_blocks)
    given = Moments.from_array(answers.values, model.answered)
    estimates = csi.PLS(tolerance=1e-13).estimate(given, model)
    expected = reference("mobi_higher_order.json")[mode]
    names = [name for name in model.construct_names if name not in ("QA", "QB")]
    own = np.array([model.construct_names.index(name) for name in names])
    for what in ("paths", "construct_cor"):
        table = expected[what]
        values = frame(table).loc[names, names].to_numpy()
        values = values.T if what == "paths" else values
        ours = getattr(estimates, what)[np.ix_(own, own)]
        np.testing.assert_allclose(ours, values, atol=1e-10)
    weights = frame(expected["weights"]).loc[["QA_s", "QB_s"], "Quality"]
    np.testing.assert_allclose(estimates.weights[-2:], weights, atol=1e-10)


def test_a_batch_goes_through_all_stages_together(ecsi):
    model = higher_order(ecsi)
    values = csi.load_mobi().answers(model.answered_blocks).values
    rows = np.random.default_rng(3).integers(len(values), size=(6, len(values)))
    batch = Moments.from_array(values[rows], model.answered)
    full = csi.PLS().estimate(Moments.from_array(values, model.answered), model)
    together = csi.PLS().estimate(batch, model, full)
    for draw in range(6):
        alone = csi.PLS().estimate(batch[draw], model, full)
        np.testing.assert_allclose(together.paths[draw], alone.paths, atol=1e-9)


def test_moments_of_scores_are_those_of_the_scores(ecsi):
    fit = csi.fit(higher_order(ecsi), csi.load_mobi())
    scores = fit.scores[["QA", "QB"]]
    np.testing.assert_allclose(fit.moments.cov[-2:, -2:], scores.cov(), atol=1e-12)
    with_items = [fit.survey.data["PERQ1"].cov(scores[name]) for name in scores]
    place = fit.model.items.index("PERQ1")
    np.testing.assert_allclose(fit.moments.cov[place, -2:], with_items, atol=1e-12)
    assert np.allclose(fit.moments.mean[-2:], 0.0)
    assert np.isnan(fit.moments.minimum[-2:]).all()
    own = fit.scores["Quality"].corr(scores["QA"])
    assert fit.loadings.loc["QA", "Quality"] == pytest.approx(own, abs=1e-12)


@pytest.mark.parametrize("estimator", [csi.ML(), csi.WLSMV(), csi.Semopy()])
def test_estimators_refuse_several_stages(ecsi, estimator):
    refused = [(curved(ecsi), "Value:Image")]
    if isinstance(estimator, csi.Semopy):
        refused.append((higher_order(ecsi), "Quality"))
    for model, name in refused:
        with pytest.raises(ModelError, match=f"fits constructs .* {name!r} needs .*csi.PLS"):
            csi.fit(model, csi.load_mobi(), estimator)


def test_what_has_no_terms_refuses_them(ecsi):
    model = higher_order(ecsi)
    for attempt in (
        model.to_lavaan,
        model.to_semopy,
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
        (
            lambda: (HigherOrder("H", ("Value",), "composite"),),
            "'H' of constructs has one part, 'Value'; name at least 2",
        ),
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
        replace(
            fixed,
            paths=(*ecsi.paths, ("Value", "Loyalty"), ("Value:Image", "Loyalty")),
            terms=(product,),
        )


def test_a_circle_of_parts_is_named():
    constructs = [csi.reflective(name, [f"{name}{i}" for i in (1, 2)]) for name in "ABCD"]
    whole = HigherOrder("H", ("A", "B"), "composite")
    with pytest.raises(ModelError, match="form a cycle"):
        csi.Model(constructs, [("H", "C"), ("C", "D"), ("D", "H")], terms=(whole,))


def test_estimates_are_of_the_last_stage(ecsi):
    model = higher_order(ecsi)
    values = csi.load_mobi().answers(model.answered_blocks).values
    estimates = csi.PLS().estimate(Moments.from_array(values, model.answered), model)
    assert isinstance(estimates, Estimates)
    assert estimates.weights.shape == (len(model.items),)
