"""Regressions among constructs, effects, and what they imply."""

import numpy as np
from numpy.testing import assert_allclose

from csimodel.estimators.structural import (
    causal_order,
    implied_construct_cor,
    pivots_last,
    regress,
    solve_last,
    total_effects,
)

RNG = np.random.default_rng(0)


def random_cor(size, draws):
    data = RNG.standard_normal((draws, 40, size))
    return np.moveaxis(np.stack([np.corrcoef(x.T) for x in data]), 0, -1)


def test_elimination_equals_lapack_for_few_and_for_many():
    for draws in (1, 3, 50):
        cor, right = random_cor(5, draws), RNG.standard_normal((5, draws))
        found = solve_last(cor, right)
        for d in range(draws):
            assert_allclose(found[:, d], np.linalg.solve(cor[..., d], right[:, d]), rtol=1e-9)


def test_a_singular_system_is_not_a_number_and_spoils_no_other():
    systems = np.stack([np.eye(2)] * 9 + [np.ones((2, 2))], axis=-1)
    with np.errstate(all="ignore"):
        found = solve_last(systems, np.stack([np.arange(2.0)] * 10, axis=-1))
    assert_allclose(found[:, :9], np.array([[0.0], [1.0]]) * np.ones(9))
    assert not np.isfinite(found[:, 9]).all()


def test_pivots_tell_definiteness():
    good, bad = random_cor(4, 1), 0.9 * np.ones((4, 4, 1)) - 0.5 * np.eye(4)[..., None]
    assert (pivots_last(good) > 0).all()
    assert not (pivots_last(bad) > 0).all()


def test_regressions_equal_least_squares(ecsi, fit):
    scores = fit.scores
    for target in ecsi.endogenous:
        sources = list(ecsi.sources_of(target))
        slope = np.linalg.lstsq(scores[sources], scores[target], rcond=None)[0]
        assert_allclose(fit.paths.loc[target, sources], slope, atol=1e-10)


def test_total_effects_equal_the_inverse_and_the_power_series_with_negative_paths(ecsi):
    paths = regress(ecsi, random_cor(7, 20))
    assert (paths < 0).any()
    found = total_effects(ecsi, paths)
    for d in range(20):
        b = paths[..., d]
        assert_allclose(found[..., d], np.linalg.inv(np.eye(7) - b) - np.eye(7), atol=1e-12)
        series = sum(np.linalg.matrix_power(b, k) for k in range(1, 8))
        assert_allclose(found[..., d], series, atol=1e-12)


def test_order_puts_causes_first(ecsi):
    order = causal_order(ecsi)
    for source, target in ecsi.paths:
        names = ecsi.construct_names
        assert order.index(names.index(source)) < order.index(names.index(target))


def test_implied_correlations_of_a_saturated_recursive_model_are_the_observed_ones():
    import csimodel as csi

    model = csi.Model(
        tuple(csi.reflective(n, n.lower()) for n in "ABCD"),
        tuple((s, t) for i, t in enumerate("ABCD") for s in "ABCD"[:i]),
    )
    cor = random_cor(4, 6)
    assert_allclose(implied_construct_cor(model, regress(model, cor), cor), cor, atol=1e-12)


def test_effects_reach_along_a_long_chain():
    import csimodel as csi
    from csimodel.estimators.quantities import reachable

    size = 300
    model = csi.Model(
        tuple(csi.reflective(f"C{i}", f"i{i}") for i in range(size)),
        tuple((f"C{i}", f"C{i + 1}") for i in range(size - 1)),
    )
    assert causal_order(model) == tuple(range(size))
    assert np.array_equal(reachable(model), np.tri(size, k=-1, dtype=bool))
