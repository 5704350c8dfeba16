"""Valleys that run to infinity: resamples are given up there, and only there."""

import numpy as np
import pytest

import csimodel as csi
from csimodel.estimators import Status
from csimodel.estimators.covariance.objective import Objective
from csimodel.estimators.covariance.scoring import _bent, minimise
from csimodel.estimators.covariance.starting_values import start
from csimodel.estimators.covariance.structure import implied
from csimodel.estimators.covariance.valleys import endless, largest_estimate

DRAWS = 64


@pytest.fixture(scope="module")
def draws(mobi):
    """Refits of the whole ECSI on resamples, given up and walked to the end."""
    fit = csi.fit(csi.models.ecsi(), mobi, csi.ML())
    boot = csi.bootstrap(fit, DRAWS, 7, progress=False)
    layout, moments = fit.estimates.layout, boot.solution.moments
    objective = Objective((layout,), (fit.estimator.discrepancy(moments, layout),))

    def own():
        return start(fit.model, layout, fit.estimator.sample_cov(moments), moments.mean)

    first = np.tile(fit.estimates.parameters, (DRAWS, 1))
    return boot, minimise(objective, first, own, 1e-9, 200)


def test_draws_that_settle_are_those_that_settled_with_all_patience(draws):
    boot, patient = draws
    estimates = boot.solution.estimates
    kept = estimates.outcome == Status.CONVERGED
    assert kept.sum() >= 40
    assert patient.settled[kept].all()
    np.testing.assert_allclose(
        estimates.parameters[kept], patient.parameters[kept], rtol=1e-7, atol=1e-7
    )
    given_up = patient.settled & ~kept
    assert given_up.mean() < 0.05
    at = implied(estimates.layout, patient.parameters[given_up])
    assert (largest_estimate((at,)) > 5).all()


def test_draws_without_a_minimum_end_early_and_are_counted_by_reason(draws):
    boot, patient = draws
    estimates = boot.solution.estimates
    endless_draws = estimates.outcome == Status.NO_MINIMUM
    assert endless_draws.sum() >= 10
    assert boot.failed["estimates growing without end"] == endless_draws.sum()
    assert (patient.iterations[endless_draws] == 200).mean() > 0.8
    assert np.median(estimates.iterations[endless_draws]) < 120
    at = implied(estimates.layout, estimates.parameters[endless_draws])
    assert (largest_estimate((at,)) > 5).all()


def test_a_single_fit_is_walked_to_the_end(draws):
    """One sample is worth all the steps it is allowed: nothing of it is given up."""
    boot, _ = draws
    lost = int(np.flatnonzero(boot.solution.estimates.outcome == Status.NO_MINIMUM)[0])
    alone = boot.fit.estimator.estimate(boot.solution.moments[lost], boot.fit.model)
    assert alone.outcome in (Status.CONVERGED, Status.NOT_CONVERGED)


def test_the_limit_of_a_valley_is_told_from_a_minimum():
    sizes = [np.array([6.0, 6.0, 3.0, 8.0]), np.array([8.0, 8.0, 3.5, 8.0]), np.full(4, 10.0)]
    sizes[2][2] = 4.0
    falls = [1.0 + 1.0 / size for size in sizes]
    falls[0][1], falls[1][1], falls[2][1] = ((1.0 / size[1] - 0.05) ** 2 for size in sizes)
    assert endless(sizes, falls).tolist() == [True, False, False, False]


def test_steps_without_negative_curvature_need_no_eigenvalues():
    rng = np.random.default_rng(1)
    square = rng.normal(size=(6, 5, 5))
    curvature = square @ np.swapaxes(square, 1, 2) + 0.1 * np.eye(5)
    curvature[::2] -= 3.0 * np.eye(5)
    slope, damping = rng.normal(size=(6, 5)), np.full(6, 0.3)
    who = np.array([3, 0, 1, 4])
    step, drop = _bent(curvature, slope)(who, damping[who])
    values, vectors = np.linalg.eigh(curvature[who])
    along = np.einsum("sij,si->sj", vectors, slope[who]) / (np.abs(values) + 0.3)
    expected = -np.einsum("sij,sj->si", vectors, along)
    np.testing.assert_allclose(step, expected, rtol=1e-9, atol=1e-12)
    whole = np.einsum("si,sij,sj->s", step, curvature[who], step)
    np.testing.assert_allclose(drop, -(slope[who] * step).sum(1) - 0.5 * whole, rtol=1e-9)


def test_statuses_have_reasons():
    assert len({status.reason for status in Status}) == len(Status)
