"""Fits side by side."""

import numpy as np
import pytest

import csimodel as csi
from csimodel.errors import ModelError, OptionError


@pytest.fixture(scope="module")
def fits(ecsi, mobi):
    return [csi.fit(ecsi, mobi, by) for by in (csi.PLS(), csi.PLS(consistent=True), csi.ML())]


def test_paths_side_by_side(fits):
    found = csi.compare(*fits, names=["PLS", "PLSc", "ML"])
    assert found.paths.shape == (len(fits[0].model.paths), 4)
    for fit, name in zip(fits, ("PLS", "PLSc", "ML"), strict=True):
        assert found.paths.loc[("Value", "Quality"), name] == fit.paths.loc["Value", "Quality"]
    spread = found.paths[["PLS", "PLSc", "ML"]].max(axis=1) - found.paths[
        ["PLS", "PLSc", "ML"]
    ].min(axis=1)
    np.testing.assert_array_equal(found.paths["spread"], spread)
    assert found.trust.loc["ML", "warnings"] > found.trust.loc["PLS", "warnings"]
    assert "How far to trust them" in repr(found)
    assert "<table" in found._repr_html_()


def test_a_fit_without_a_solution_has_no_numbers(ecsi, mobi, fits):
    lost = csi.fit(ecsi, mobi, csi.ML(max_iterations=2))
    found = csi.compare(fits[0], lost)
    assert found.paths["ML"].isna().all()
    assert found.trust.loc["ML", "outcome"] == "not converged"


def test_the_same_estimator_twice_is_numbered(fits):
    assert csi.compare(fits[2], fits[2]).names == ("ML (1)", "ML (2)")


def test_what_cannot_be_compared(fits, mobi):
    with pytest.raises(OptionError) as told:
        csi.compare(fits[0])
    assert str(told.value) == "compare takes two fits or more, and got 1."
    other = csi.fit(csi.Model.from_syntax("Q =~ PERQ1 + PERQ2\nV =~ PERV1\nV ~ Q"), mobi)
    with pytest.raises(ModelError) as told:
        csi.compare(fits[0], other)
    assert str(told.value) == (
        "The fits are of models with other constructs or paths, which have no common table; "
        "compare fits of one model."
    )
    with pytest.raises(OptionError) as told:
        csi.compare(*fits, names=["a", "a", "b"])
    assert str(told.value) == "names=['a', 'a', 'b'] must name the 3 fits, each differently."
