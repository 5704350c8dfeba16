"""Sources of error and their derivatives, against closed forms and other fits."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.estimators.requirements import same_fit
from csimodel.inference.infer import infer
from csimodel.inference.intervals import INTERVALS
from csimodel.inference.sources import FEW_DRAWS, Coefficients, Draws, gradient_of


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_steps_of_derivatives_follow_the_error_where_a_parameter_is_zero(scale):
    """The sine of x / scale at 0, where x has an error of scale / 100: its slope is 1 / scale."""
    slope = gradient_of(lambda x: np.sin(x / scale), np.zeros(1), np.array([(scale / 100) ** 2]))
    assert_allclose(slope, [[1 / scale]], rtol=1e-13)


def test_derivatives_are_those_of_every_entry_by_every_parameter():
    at = np.array([0.5, -2.0, 30.0])

    def functional(x):
        return np.stack([x[:, 0] * x[:, 1], x[:, 2] ** 2, np.exp(x[:, 0])], axis=1)

    slope = gradient_of(functional, at, np.array([0.1, np.nan, -1.0]))
    expected = [[-2, 0.5, 0], [0, 0, 60], [np.exp(0.5), 0, 0]]
    assert_allclose(slope, expected, rtol=1e-8, atol=1e-8)


def changed(fit, **answers):
    return replace(fit, answers=replace(fit.answers, **answers))


def test_fits_are_the_same_when_all_they_rest_on_is(ecsi, mobi, fit):
    again = csi.fit(ecsi, mobi, csi.PLS())
    assert same_fit(fit, again)
    assert same_fit(fit, fit)
    assert not same_fit(fit, csi.fit(ecsi, mobi, csi.PLS(scheme="centroid")))
    paths = [path for path in ecsi.paths if path != ecsi.paths[0]]
    assert not same_fit(fit, csi.fit(csi.Model(ecsi.constructs, paths), mobi, csi.PLS()))
    values = fit.answers.values.copy()
    values[3, 4] += 1.0
    turns = np.arange(250) % 2
    for other in (
        {"values": values},
        {"rows": fit.answers.rows[::-1]},
        {"weights": np.ones(250)},
        {"strata": turns},
        {"cluster": turns},
        {"minimum": fit.answers.minimum - 1},
        {"maximum": fit.answers.maximum + 1},
        {"missing": "pairwise"},
    ):
        assert not same_fit(fit, changed(again, **other)), other


def test_fits_of_moments_are_the_same_when_their_covariances_are(ecsi, fit):
    of_moments = csi.fit(ecsi, fit.moments, csi.PLS())
    assert same_fit(of_moments, csi.fit(ecsi, fit.moments, csi.PLS()))
    assert not same_fit(of_moments, fit)
    assert not same_fit(fit, of_moments)
    halved = replace(fit.moments, cov=fit.moments.cov / 2)
    assert not same_fit(of_moments, csi.fit(ecsi, halved, csi.PLS()))


@pytest.mark.parametrize("kind", INTERVALS)
@pytest.mark.parametrize("draws", [np.empty((0, 2)), np.full((19, 2), np.nan)])
def test_without_a_usable_draw_every_kind_of_interval_has_a_reason(kind, draws):
    value = np.array([1.0, 2.0])
    source = Draws(
        value, draws, np.full(2, 5.0), kind, pulls=np.zeros((3, 2)), own_se=value, draw_se=draws
    )
    table = infer(pd.Index(["a", "b"]), value, source, 0.95)
    assert (table["reason"] == FEW_DRAWS).all()
    assert table[["se", "lower", "upper", "p"]].isna().all(axis=None)


def test_what_does_not_depend_on_coefficients_has_an_error_of_0():
    at = np.array([2.0, 3.0])
    still = Coefficients(at, np.eye(2), lambda b: b[..., :1] * 0.0 + 1.0)
    assert still.se == 0.0
    assert np.isnan(Coefficients(at, -np.eye(2), lambda b: b).se).all()
