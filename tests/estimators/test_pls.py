"""PLS against cSEM, seminr, semPLS and matrixpls, and the laws it must obey."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import csimodel as csi
from csimodel.errors import ModelError, OptionError
from csimodel.estimators import Inadmissible, Status, pls

TIGHT = {"tolerance": 1e-13, "max_iterations": 3000}
SCHEMES = ["path", "factorial", "centroid"]


def aligned(frame, table, transpose=False):
    table = table.T if transpose else table
    return table.loc[frame.index, frame.columns]


@pytest.mark.parametrize("consistent", [False, True])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_csem_to_ten_digits(reference, frame, ecsi, mobi, scheme, consistent):
    theirs = reference("mobi_pls.json")["csem"][f"{scheme}_{'plsc' if consistent else 'modeA'}"]
    ours = csi.fit(ecsi, mobi, csi.PLS(scheme, consistent, **TIGHT))
    assert_allclose(ours.paths, aligned(ours.paths, frame(theirs["paths"])), atol=1e-10)
    assert_allclose(ours.weights, aligned(ours.weights, frame(theirs["weights"]), True), atol=1e-10)
    assert_allclose(
        ours.loadings, aligned(ours.loadings, frame(theirs["loadings"]), True), atol=1e-10
    )
    vcv = frame(theirs["construct_vcv"])
    assert_allclose(ours.construct_cor, aligned(ours.construct_cor, vcv), atol=1e-10)
    assert_allclose(ours.r2, pd.Series(theirs["R2"])[ours.r2.index], atol=1e-10)
    assert_allclose(ours.r2_adjusted, pd.Series(theirs["R2adj"])[ours.r2.index], atol=1e-10)


@pytest.mark.parametrize("scheme", ["path", "factorial"])
@pytest.mark.parametrize("kind", ["modeA", "plsc"])
def test_seminr_to_eight_digits(reference, frame, ecsi, mobi, scheme, kind):
    theirs = reference("mobi_pls.json")["seminr"][f"{scheme}_{kind}"]
    ours = csi.fit(ecsi, mobi, csi.PLS(scheme, kind == "plsc", **TIGHT))
    assert_allclose(ours.paths, aligned(ours.paths, frame(theirs["paths"]).T), atol=1e-8)
    assert_allclose(ours.weights, aligned(ours.weights, frame(theirs["weights"])), atol=1e-8)
    assert_allclose(ours.loadings, aligned(ours.loadings, frame(theirs["loadings"])), atol=1e-8)
    total = frame(theirs["total_effects"]).T
    assert_allclose(ours.total_effects, aligned(ours.total_effects, total), atol=1e-8)
    if kind == "modeA":
        crossed = frame(theirs["cross_loadings"])
        assert_allclose(ours.cross_loadings, aligned(ours.cross_loadings, crossed), atol=1e-8)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_sempls_and_matrixpls_to_eight_digits(reference, frame, ecsi, mobi, scheme):
    every = reference("mobi_pls.json")
    ours = csi.fit(ecsi, mobi, csi.PLS(scheme, **TIGHT))
    sempls, matrixpls = every["sempls"][scheme], every["matrixpls"][f"{scheme}_modeA"]
    assert_allclose(ours.loadings, aligned(ours.loadings, frame(sempls["loadings"])), atol=1e-8)
    assert_allclose(ours.paths, aligned(ours.paths, frame(sempls["paths"]).T), atol=1e-8)
    assert_allclose(ours.paths, aligned(ours.paths, frame(matrixpls["inner"])), atol=1e-8)
    weights = frame(matrixpls["W"])
    assert_allclose(ours.weights, aligned(ours.weights, weights, True), atol=1e-8)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_smartpls_to_its_stopping_rule(reference, frame, ecsi, mobi, scheme):
    theirs = reference("mobi_smartpls.json")[scheme]
    ours = csi.fit(ecsi, mobi, csi.PLS(scheme, **TIGHT))
    for name in ("paths", "total_effects"):
        own = getattr(ours, name)
        assert_allclose(own, aligned(own, frame(theirs[name]).T), atol=2e-6)
    crossed = frame(theirs["cross_loadings"])
    assert_allclose(ours.cross_loadings, aligned(ours.cross_loadings, crossed), atol=2e-6)
    weights = aligned(ours.weights, frame(theirs["weights"]))
    assert_allclose(ours.weights / ours.weights.sum(), weights / weights.sum(), atol=2e-6)


def test_matrixpls_plsc(reference, frame, ecsi, mobi):
    theirs = reference("mobi_pls.json")["matrixpls"]["path_plsc"]
    ours = csi.fit(ecsi, mobi, csi.PLS("path", True, **TIGHT))
    assert_allclose(ours.paths, aligned(ours.paths, frame(theirs["inner"])), atol=1e-8)
    reliability = pd.Series(theirs["Q"])[list(ecsi.construct_names)]
    assert_allclose(ours.estimates.reliability, reliability, atol=1e-8)


@pytest.mark.parametrize(("modes", "key"), [("B", "path_modeB"), ("unit", "path_unit")])
def test_csem_mode_b_and_unit_weights(reference, frame, ecsi, mobi, modes, key):
    theirs = reference("mobi_pls.json")["csem"][key]
    ours = csi.fit(ecsi, mobi, csi.PLS(modes=modes, **TIGHT))
    assert_allclose(ours.paths, aligned(ours.paths, frame(theirs["paths"])), atol=1e-10)
    assert_allclose(ours.weights, aligned(ours.weights, frame(theirs["weights"]), True), atol=1e-10)
    assert_allclose(
        ours.loadings, aligned(ours.loadings, frame(theirs["loadings"]), True), atol=1e-10
    )


def test_headline_values_at_the_default_tolerance(ecsi, mobi):
    paths = csi.fit(ecsi, mobi, csi.PLS(scheme="centroid")).paths
    assert_allclose(paths.loc["Expectation", "Image"], 0.50470564, atol=1e-8)
    assert_allclose(paths.loc["Satisfaction", "Quality"], 0.51254524, atol=1e-8)
    assert_allclose(paths.loc["Loyalty", "Satisfaction"], 0.48347472, atol=1e-8)


def test_composites_take_mode_b_unless_told(population):
    data = population(200)
    text = "A <~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A"
    model = csi.Model.from_syntax(text)
    assert csi.PLS().modes_of(model) == ("B", "A")
    assert csi.PLS(modes={"A": "A"}).modes_of(model) == ("A", "A")
    by_default = csi.fit(model, data)
    as_said = csi.fit(model, data, csi.PLS(modes={"A": "B"}))
    assert_allclose(by_default.weights, as_said.weights)


def test_mode_b_with_two_blocks_is_the_first_canonical_correlation(population):
    data = population(300)[["a1", "a2", "a3", "b1", "b2", "b3"]]
    model = csi.Model.from_syntax("A <~ a1 + a2 + a3\nB <~ b1 + b2 + b3\nB ~ A")
    found = csi.fit(model, data, csi.PLS(tolerance=1e-13)).paths.loc["B", "A"]
    cor = data.corr().to_numpy()
    within_a, within_b, between = cor[:3, :3], cor[3:, 3:], cor[:3, 3:]
    product = np.linalg.solve(within_a, between) @ np.linalg.solve(within_b, between.T)
    assert_allclose(found, np.sqrt(np.linalg.eigvals(product).real.max()), atol=1e-10)


def test_plsc_recovers_population_parameters_exactly(chain):
    loadings = np.array([0.9, 0.8, 0.7])
    cor_constructs = np.array([[1, 0.6, 0.36], [0.6, 1, 0.6], [0.36, 0.6, 1]])
    cov = np.kron(cor_constructs, np.outer(loadings, loadings))
    np.fill_diagonal(cov, 1.0)
    moments = csi.Moments.from_cov(cov, 500, list(chain.items))
    found = csi.fit(chain, moments, csi.PLS(consistent=True, tolerance=1e-14))
    assert_allclose(found.loadings.to_numpy().max(axis=1), np.tile(loadings, 3), atol=1e-10)
    assert_allclose(found.construct_cor, cor_constructs, atol=1e-10)
    assert_allclose(found.paths.loc["B", "A"], 0.6, atol=1e-10)
    assert found.diagnostics == ()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), scheme=st.sampled_from(SCHEMES), consistent=st.booleans())
def test_rescaling_and_permuting_change_nothing(population, chain, seed, scheme, consistent):
    data = population(150, seed=seed)
    rng = np.random.default_rng(seed)
    estimator = csi.PLS(scheme, consistent)
    before = csi.fit(chain, data, estimator)
    changed = (data * rng.uniform(0.1, 9, 9) + rng.uniform(-5, 5, 9)).sample(
        frac=1, random_state=seed
    )
    mixed = csi.Model(
        tuple(
            csi.reflective(c.name, rng.permutation(c.items).tolist())
            for c in reversed(chain.constructs)
        ),
        chain.paths,
    )
    after = csi.fit(mixed, changed, estimator)
    assert_allclose(
        after.paths.loc[before.paths.index, before.paths.columns], before.paths, atol=1e-8
    )
    assert_allclose(
        after.loadings.loc[before.loadings.index, before.loadings.columns],
        before.loadings,
        atol=1e-7,
    )


def test_duplicating_all_rows_changes_only_n(fit, ecsi, mobi):
    twice = csi.fit(ecsi, pd.concat([mobi.data, mobi.data], ignore_index=True))
    assert_allclose(twice.paths, fit.paths, atol=1e-12)
    assert twice.n == 500


def test_moments_give_what_data_give(fit, ecsi, mobi):
    items = list(ecsi.items)
    cov = mobi.data[items].cov().to_numpy()
    moments = csi.Moments.from_cov(cov, 250, items)
    assert_allclose(csi.fit(ecsi, moments).paths, fit.paths, atol=1e-12)


@pytest.mark.parametrize(
    "estimator", [csi.PLS(), csi.PLS(consistent=True), csi.PLS("centroid", modes="B")]
)
def test_a_batch_of_one_and_any_batch_equal_single_fits(boot, ecsi, estimator):
    batch = boot.solution.moments[:30]
    together = estimator.estimate(batch, ecsi)
    for draw in (0, 7, 29):
        alone = estimator.estimate(batch[draw], ecsi)
        one = estimator.estimate(batch[draw : draw + 1], ecsi)
        assert_allclose(one.paths[0], alone.paths, atol=1e-13)
        assert_allclose(together.paths[draw], alone.paths, atol=1e-9)
        assert_allclose(together.weights[draw], alone.weights, atol=1e-10)
        assert together.iterations[draw] == alone.iterations


def test_a_reversed_item_gets_a_negative_weight_and_the_construct_keeps_its_direction(
    population, chain
):
    data = population(400)
    data["b3"] = 11 - data["b3"]
    found = csi.fit(chain, data)
    assert found.loadings.loc["b3", "B"] < 0 < found.loadings.loc["b1", "B"]
    assert found.paths.loc["B", "A"] > 0


def test_draws_keep_the_direction_of_the_full_sample(chain, population):
    data = population(60, path=0.3)
    found = csi.fit(chain, data)
    draws = csi.bootstrap(found, 400, 1).draws("loadings")
    assert (draws.to_numpy() @ found.estimates.loadings > 0).all()


def test_too_few_iterations_are_said(ecsi, mobi):
    found = csi.fit(ecsi, mobi, csi.PLS(max_iterations=2))
    assert not found.converged
    finding = found.diagnostics[0]
    assert (finding.code, finding.severity, finding.count) == ("not-converged", "failure", 2)
    assert finding.values == {"iterations": 2}
    with pytest.raises(csi.errors.EstimationError, match="still moved after 2 iterations"):
        csi.fit(ecsi, mobi, csi.PLS(max_iterations=2), strict=True)


def test_plsc_on_mobi_is_flagged(ecsi, mobi):
    found = csi.fit(ecsi, mobi, csi.PLS(consistent=True))
    assert found.converged
    assert Inadmissible(int(found.estimates.inadmissible)) == Inadmissible.NOT_POSITIVE_DEFINITE
    assert {f.code for f in found.diagnostics} == {
        "construct-correlations-not-positive-definite",
        "constructs-alike",
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scheme": "centriod"}, "scheme='centriod' is not known (did you mean 'centroid'?); "
         "use one of 'path', 'factorial', 'centroid'."),
        ({"modes": "C"}, "modes='C' is not known; use one of 'A', 'B', 'unit'."),
        ({"modes": ""}, "modes='' is not known; use one of 'A', 'B', 'unit'."),
        ({"modes": 0}, "modes=0 is not known; use one of 'A', 'B', 'unit'."),
        ({"modes": ("A", "B")}, "modes=('A', 'B') is not known; use one of 'A', 'B', 'unit'."),
        ({"consistent": "no"}, "consistent='no' must be True or False."),
        *(({"tolerance": value}, f"tolerance={value!r} must be a number above 0 and at most 0.001, "
           "for example 1e-10.") for value in (0, 10, float("inf"), float("nan"), "a", None)),
        *(({"max_iterations": value}, f"max_iterations={value!r} must be a whole number of at least 1.")
          for value in (0, 2.5, "9")),
    ],
)  # fmt: skip
def test_options_out_of_range_are_named(options, message):
    with pytest.raises(OptionError) as caught:
        csi.PLS(**options)
    assert str(caught.value) == message


def test_modes_that_do_not_fit_the_model_are_named(ecsi, mobi):
    with pytest.raises(OptionError) as caught:
        csi.fit(ecsi, mobi, csi.PLS(modes={"Imge": "B"}))
    assert (
        str(caught.value)
        == "modes names construct 'Imge', which is not in the model (did you mean 'Image'?)."
    )
    with pytest.raises(OptionError) as caught:
        csi.fit(ecsi, mobi, csi.PLS(consistent=True, modes={"Value": "B"}))
    assert str(caught.value) == (
        "consistent=True needs mode A for reflective construct 'Value', not 'B'; "
        "use mode A, or define it as a composite with <~."
    )
    with pytest.raises(ModelError) as caught:
        csi.fit(csi.Model((ecsi.constructs[0],)), mobi)
    assert str(caught.value) == (
        "PLS needs at least one path between constructs; add one, as in 'Loyalty ~ Satisfaction'."
    )


def test_an_estimator_with_modes_is_a_value():
    one = csi.PLS(modes={"B": "A", "A": "B"})
    other = csi.PLS(modes={"A": "B", "B": "A"})
    assert one == other != csi.PLS(modes={"A": "B"})
    assert hash(one) == hash(other)
    assert replace(one, scheme="centroid").modes == one.modes


def test_the_unit_of_an_item_does_not_matter_however_large(chain, population):
    data = population(100)
    before = csi.fit(chain, data).paths
    for factor in (1e9, 1e-9):
        changed = csi.fit(chain, data.assign(b2=factor * data["b2"]))
        assert_allclose(changed.paths, before, atol=1e-9)
        assert changed.diagnostics == ()


def test_draws_without_variation_are_lost_in_any_unit(chain, population):
    rows = population(40)
    for value in (0.1, 1e9):
        data = rows.assign(b2=np.where(np.arange(40) == 0, value, 0.0))
        boot = csi.bootstrap(csi.fit(chain, data), 400, 1, progress=False)
        absent = sum(int((counts[:, 0] == 0).sum()) for counts in boot.design)
        assert boot.failed.to_dict() == {"an item without variation": absent}


DISAGREEING = np.array(
    [[1, -0.3, 0.6, 0.6], [-0.3, 1, 0.5, 0.5], [0.6, 0.5, 1, 0.8], [0.6, 0.5, 0.8, 1]]
)


def test_a_negative_reliability_is_named_raised_and_counted():
    model = csi.Model.from_syntax("X =~ x1 + x2\nY =~ y1 + y2\nY ~ X")
    plsc = csi.PLS(consistent=True)

    with pytest.raises(csi.errors.EstimationError) as caught:
        csi.fit(model, csi.Moments.from_cov(DISAGREEING, 300, model.items), plsc)
    assert str(caught.value) == (
        "The reliability of 'X' is estimated at −0.865, so its scores cannot be corrected for "
        "measurement error; use PLS without consistent=True or drop items that disagree."
    )

    def exactly(cor):
        noise = np.random.default_rng(0).standard_normal((60, 4))
        noise = np.linalg.qr(noise - noise.mean(axis=0))[0]
        return pd.DataFrame(noise @ np.linalg.cholesky(cor).T, columns=list(model.items))

    bad = exactly(DISAGREEING).assign(g="bad")
    good = exactly(0.4 * np.eye(4) + 0.3 * np.kron(np.eye(2), np.ones((2, 2))) + 0.3).assign(
        g="good"
    )
    data = pd.concat([bad, good], ignore_index=True)
    fits = csi.fit_groups(model, data, "g", plsc)
    assert fits.failed.to_dict() == {"negative reliability": 1}
    finding = fits["bad"].diagnostics[-1]
    assert (finding.code, finding.severity) == ("negative-reliability", "failure")
    assert finding.values["name"] == "X"
    assert finding.values["reliability"] == pytest.approx(-0.865, abs=5e-4)
    assert fits["good"].diagnostics == ()

    weak = np.array(
        [[1, 0.05, 0.4, 0.4], [0.05, 1, 0.4, 0.4], [0.4, 0.4, 1, 0.6], [0.4, 0.4, 0.6, 1]]
    )
    boot = csi.bootstrap(csi.fit(model, exactly(weak), plsc), 200, 1, progress=False)
    outcome = boot.solution.estimates.outcome
    negative = outcome == Status.NEGATIVE_RELIABILITY
    assert boot.failed["negative reliability"] == negative.sum() > 0
    assert_array_equal((boot.solution.estimates.reliability <= 0).any(axis=1), negative)


def test_the_direction_is_that_of_the_sum_of_products_with_given_loadings(chain, population):
    """A small loading of the other sign does not turn a construct, however small it is."""
    batch = csi.fit(chain, population(200)).moments
    own = csi.PLS().estimate(batch, chain)
    near = replace(own, loadings=np.tile([1.0, -0.1, 0.5], 3))
    kept = csi.PLS().estimate(batch, chain, near)
    np.testing.assert_array_equal(kept.loadings, own.loadings)
    turned = csi.PLS().estimate(batch, chain, replace(near, loadings=np.tile([0.5, -1.0, 0.1], 3)))
    np.testing.assert_array_equal(turned.loadings, -own.loadings)
    np.testing.assert_array_equal(turned.weights, -own.weights)
    np.testing.assert_array_equal(turned.paths, own.paths)


@pytest.mark.parametrize("together", [5, 12, 100])
def test_samples_fitted_together_do_not_matter(ecsi, mobi, monkeypatch, together):
    """24 samples in five parts, in two, or in one."""
    rows = np.random.default_rng(1).integers(0, 250, (4, 250))
    alone = [csi.fit(ecsi, mobi.data.iloc[own]).paths.to_numpy() for own in rows]
    fit = csi.fit(ecsi, mobi)
    monkeypatch.setattr(pls, "_CHUNK", together)
    draws = csi.bootstrap(fit, resamples=np.tile(rows, (6, 1)), progress=False)
    paths = draws.solution.estimates.paths
    assert len(paths) == 24
    for k, own in enumerate(paths):
        np.testing.assert_allclose(own, alone[k % 4], atol=1e-6)
