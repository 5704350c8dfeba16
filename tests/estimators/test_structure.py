"""Derivatives of covariance structures against numerical differentiation."""

import numpy as np
import pytest

import csimodel as csi
from csimodel.estimators.covariance.discrepancy import NormalTheory, WeightedSquares
from csimodel.estimators.covariance.layouts import layouts_of
from csimodel.estimators.covariance.starting_values import start
from csimodel.estimators.covariance.structure import implied, moment_slopes, moments_vector


@pytest.fixture(scope="module", params=["marker", "variance", "means", "restricted"])
def case(request):
    """A model with every kind of parameter, at a point that is no solution."""
    text = (
        "A =~ a1 + a2 + a3\nB =~ b1 + b2\nS =~ s\nC =~ c1 + c2\nD =~ d1 + d2\n"
        "S ~ A + B\nC ~ A + S\nD ~ B + S + C"
    )
    if request.param == "restricted":
        text += (
            "\nA =~ k*a2 + k*a3\nC ~ 0.3*A\na1 ~~ b1\nd1 ~~ r*d1\nd2 ~~ r*d2\ns ~~ 0.2*s"
            "\nS ~~ D\nA ~ 1\na1 ~ 0*1"
        )
    model = csi.Model.from_syntax(text)
    scaling = "variance" if request.param == "variance" else "marker"
    (layout,) = layouts_of(model, scaling, request.param == "means")
    rng = np.random.default_rng(3)
    cov = np.cov(rng.standard_normal((40, len(model.items))) @ np.diag(range(1, 11)), rowvar=False)
    mean = rng.normal(5, 1, len(model.items))
    begin = start(model, layout, cov, mean)
    noise = rng.uniform(0.9, 1.1, len(begin))
    return layout, begin * noise + 0.05, cov, mean if layout.mean_structure else None


def central(function, at, step=1e-6):
    """Differentiate by central differences, the parameter on the last axis."""
    columns = []
    for k in range(len(at)):
        move = np.zeros_like(at)
        move[k] = step * max(1.0, abs(at[k]))
        columns.append((function(at + move) - function(at - move)) / (2 * move[k]))
    return np.stack(columns, axis=-1)


ONE = np.arange(1)


def distance(kind, cov, mean):
    """Return a discrepancy of one sample."""
    means = None if mean is None else mean[None]
    if kind == "normal":
        return NormalTheory(cov[None], means)
    size = len(moments_vector(cov, mean))
    weight = np.random.default_rng(5).uniform(0.5, 2, (1, size))
    used = np.ones(size, dtype=bool)
    used[-1] = False
    weight = weight[:, used]
    if kind == "full":
        root = np.random.default_rng(6).normal(size=(weight.shape[1],) * 2) / 30
        weight = (root @ root.T + np.diag(weight[0]))[None]
    return WeightedSquares(cov[None], means, weight, used)


def value(part, layout, p):
    return part.value(implied(layout, p[None]), ONE)[0]


def local(part, layout, p, observed=False):
    gradient, hessian = part.local(layout, implied(layout, p[None]), ONE, observed)
    return gradient[0], hessian[0]


def test_every_parameter_is_laid_out(case):
    layout, at, _, _ = case
    assert layout.size == len(at)
    assert np.isfinite(at).all()
    assert set(layout.target.tolist()) == set(range(layout.size))
    values = np.arange(1.0, layout.size + 1) / 1000
    found = np.concatenate([matrix.ravel() for matrix in implied(layout, values)[:1]])
    for place in layout.target[layout.spans[0]]:
        assert (found == values[place]).sum() == (layout.target == place).sum()


def test_moment_slopes_are_derivatives(case):
    layout, at, _, _ = case

    def vector(p):
        here = implied(layout, p)
        return moments_vector(here.sigma, here.mean if layout.mean_structure else None)

    analytic = moment_slopes(layout, implied(layout, at))
    np.testing.assert_allclose(analytic, central(vector, at), atol=1e-6)


@pytest.mark.parametrize("kind", ["normal", "diagonal", "full"])
def test_gradient(case, kind):
    layout, at, cov, mean = case
    part = distance(kind, cov, mean)
    slope, _ = local(part, layout, at)
    numeric = central(lambda p: value(part, layout, p), at)
    np.testing.assert_allclose(slope, numeric, rtol=1e-5, atol=1e-6 * np.abs(numeric).max())


@pytest.mark.parametrize("kind", ["normal", "diagonal", "full"])
def test_observed_hessian(case, kind):
    layout, at, cov, mean = case
    part = distance(kind, cov, mean)
    _, hessian = local(part, layout, at, observed=True)
    numeric = central(lambda p: local(part, layout, p)[0], at)
    np.testing.assert_allclose(hessian, numeric, atol=1e-6 * np.abs(numeric).max())
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-12 * np.abs(hessian).max())


@pytest.mark.parametrize("kind", ["normal", "diagonal", "full"])
def test_expected_hessian_is_the_observed_one_at_the_population(case, kind):
    layout, at, _, mean = case
    here = implied(layout, at)
    part = distance(kind, here.sigma, None if mean is None else here.mean)
    _, expected = local(part, layout, at)
    _, observed = local(part, layout, at, observed=True)
    np.testing.assert_allclose(expected, observed, atol=1e-9 * np.abs(expected).max())


def test_a_batch_is_its_members(case):
    layout, at, cov, mean = case
    both = np.stack([at, 1.05 * at])
    means = None if mean is None else np.stack([mean, mean + 1])
    part = NormalTheory(np.stack([cov, 2 * cov]), means)
    batch = part.local(layout, implied(layout, both), np.arange(2), True)
    for k in range(2):
        alone = NormalTheory(part.cov[k : k + 1], None if means is None else means[k : k + 1])
        for together, one in zip(batch, local(alone, layout, both[k], True), strict=True):
            np.testing.assert_allclose(together[k], one, rtol=1e-10, atol=1e-10)


def test_discrepancy_is_infinite_where_sigma_is_not_positive_definite(case):
    layout, at, _, _ = case
    here = implied(layout, np.stack([at] * 3))
    size = here.sigma.shape[-1]
    bad = np.eye(size)
    bad[0, 1] = bad[1, 0] = 2.0
    here = here._replace(sigma=np.stack([np.eye(size), bad, np.full((size, size), np.nan)]))
    found = NormalTheory(np.stack([np.eye(size)] * 3)).value(here, np.arange(3))
    np.testing.assert_array_equal(found, [size, np.inf, np.inf])
