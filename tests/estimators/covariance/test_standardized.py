"""Standardised solutions with errors, against lavaan and their laws."""

import numpy as np
import pytest

import csimodel as csi
from csimodel.errors import OptionError


@pytest.fixture(scope="module")
def lavaan(reference):
    return reference("mobi_standardized.json")


@pytest.fixture(scope="module")
def reduced(reference):
    model = csi.Model.from_syntax(reference("mobi_lavaan.json")["reduced_syntax"])
    return csi.fit(model, csi.load_mobi(), csi.ML())


@pytest.mark.parametrize("kind", ["all", "latent"])
def test_values_and_errors_equal_lavaan(reduced, lavaan, kind):
    ours = reduced.standardized(kind).set_index(["lhs", "op", "rhs"])
    theirs = lavaan[kind]
    rows = list(zip(theirs["lhs"], theirs["op"], theirs["rhs"], strict=True))
    assert len(rows) == len(ours) > 50
    assert ours.loc[rows, "std"].to_numpy() == pytest.approx(
        theirs["std"], rel=1e-4, abs=1e-7
    )  # lavaan's stop
    assert ours.loc[rows, "se"].to_numpy() == pytest.approx(theirs["se"], rel=2e-4, abs=1e-6)


def test_latent_loadings_are_correlations_in_units_of_the_item(reduced):
    latent = reduced.standardized("latent")
    loadings = latent[latent["op"] == "=~"].set_index("rhs")["std"]
    own = reduced.loadings.sum(axis=1) * np.sqrt(np.diag(reduced.implied_cov))
    assert loadings[own.index].to_numpy() == pytest.approx(own.to_numpy(), rel=1e-10)


def test_all_is_what_the_parameters_say(reduced):
    assert reduced.standardized()["std"].tolist() == reduced.parameters["std"].tolist()
    narrow = reduced.standardized(level=0.5)
    wide = reduced.standardized(level=0.99)
    free = narrow["se"] > 0
    assert (narrow["lower"] > wide["lower"])[free].all()


def test_pls_and_other_kinds_are_refused(reduced, fit):
    with pytest.raises(OptionError, match="kind='std' is not known"):
        reduced.standardized("std")
    with pytest.raises(OptionError):
        fit.standardized()
