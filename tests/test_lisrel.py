"""Derivatives of covariance structures against numerical differentiation."""

import numpy as np
import pytest

import csimodel as csi
from csimodel.estimators import lisrel


@pytest.fixture(scope="module", params=["marker", "variance"])
def case(request):
    """A model with every kind of parameter, at a point that is no solution."""
    model = csi.Model.from_syntax(
        "A =~ a1 + a2 + a3\nB =~ b1 + b2\nS =~ s\nC =~ c1 + c2\nD =~ d1 + d2\n"
        "S ~ A + B\nC ~ A + S\nD ~ B + S + C"
    )
    layout = lisrel.layout_of(model, request.param)
    rng = np.random.default_rng(3)
    cov = np.cov(rng.standard_normal((40, len(model.items))) @ np.diag(range(1, 11)), rowvar=False)
    start = lisrel.start(model, layout, cov)
    return layout, start * rng.uniform(0.9, 1.1, len(start)), cov


def central(function, at, step=1e-6):
    """Differentiate by central differences, the parameter on the last axis."""
    columns = []
    for k in range(len(at)):
        move = np.zeros_like(at)
        move[k] = step * max(1.0, abs(at[k]))
        columns.append((function(at + move) - function(at - move)) / (2 * move[k]))
    return np.stack(columns, axis=-1)


def discrepancy(layout, cov):
    return lambda p: lisrel.discrepancy(lisrel.implied(layout, p).sigma, cov)


def test_every_parameter_is_laid_out_once(case):
    layout, at, _ = case
    values = np.arange(1.0, layout.size + 1) / 1000
    filled = lisrel.implied(layout, values)
    assert layout.size == len(at)
    found = np.concatenate([filled.loadings.ravel(), filled.paths.ravel(), filled.errors])
    for value in values[np.r_[layout.spans[0], layout.spans[1], layout.spans[3]]]:
        assert (found == value).sum() == 1


def test_directions_are_the_derivatives_of_sigma(case):
    layout, at, _ = case
    u, v = lisrel.directions(layout, lisrel.implied(layout, at))
    analytic = np.einsum("ik,jk->ijk", u, v) + np.einsum("ik,jk->ijk", v, u)
    numeric = central(lambda p: lisrel.implied(layout, p).sigma, at)
    np.testing.assert_allclose(analytic, numeric, atol=1e-6)


def test_gradient(case):
    layout, at, cov = case
    slope, _ = lisrel.slope_and_curvature(layout, lisrel.implied(layout, at), cov)
    np.testing.assert_allclose(slope, central(discrepancy(layout, cov), at), atol=1e-6)


def test_observed_hessian(case):
    layout, at, cov = case
    _, hessian = lisrel.slope_and_curvature(layout, lisrel.implied(layout, at), cov, observed=True)

    def slope(p):
        return lisrel.slope_and_curvature(layout, lisrel.implied(layout, p), cov)[0]

    numeric = central(slope, at)
    np.testing.assert_allclose(hessian, numeric, atol=1e-6 * np.abs(numeric).max())
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-12 * np.abs(hessian).max())


def test_expected_hessian_is_the_observed_one_at_the_population(case):
    layout, at, _ = case
    here = lisrel.implied(layout, at)
    _, expected = lisrel.slope_and_curvature(layout, here, here.sigma)
    _, observed = lisrel.slope_and_curvature(layout, here, here.sigma, observed=True)
    np.testing.assert_allclose(expected, observed, atol=1e-9 * np.abs(expected).max())


def test_a_batch_is_its_members(case):
    layout, at, cov = case
    both = np.stack([at, 1.05 * at])
    covs = np.stack([cov, 2 * cov])
    batch = lisrel.slope_and_curvature(layout, lisrel.implied(layout, both), covs, observed=True)
    for k in range(2):
        one = lisrel.slope_and_curvature(
            layout, lisrel.implied(layout, both[k]), covs[k], observed=True
        )
        for together, alone in zip(batch, one, strict=True):
            np.testing.assert_allclose(together[k], alone, rtol=1e-10, atol=1e-10)


def test_discrepancy_is_infinite_where_sigma_is_not_positive_definite():
    good, bad = np.eye(2), np.array([[1.0, 2.0], [2.0, 1.0]])
    found = lisrel.discrepancy(np.stack([good, bad, np.full((2, 2), np.nan)]), np.stack([good] * 3))
    np.testing.assert_array_equal(found, [2.0, np.inf, np.inf])
