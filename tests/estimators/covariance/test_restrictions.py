"""Fixed, equal, bounded and defined parameters of covariance structures."""

import numpy as np
import pytest

import csimodel as csi
from csimodel.errors import ModelError

BASE = """
Quality =~ PERQ1 + PERQ3 + PERQ5 + PERQ7
Value =~ PERV1 + PERV2
Satisfaction =~ CUSA1 + CUSA2 + CUSA3
Value ~ qv*Quality
Satisfaction ~ qs*Quality + vs*Value
"""


@pytest.fixture(scope="module")
def lavaan(reference):
    return reference("mobi_restrictions.json")


@pytest.fixture(scope="module")
def fits(mobi, lavaan):
    return {
        name: csi.fit(csi.Model.from_syntax(text), mobi, csi.ML())
        for name, text in lavaan["syntax"].items()
    }


NAMES = ["defined", "equal", "fixed", "error_covariance", "means", "bounded", "reliability"]


@pytest.mark.parametrize("name", NAMES)
def test_restricted_fits_equal_lavaan(fits, lavaan, name):
    fit, theirs = fits[name], lavaan[name]
    assert fit.converged
    assert fit.fit_measures["chisq"] == pytest.approx(theirs["chisq"], rel=1e-6)
    assert fit.fit_measures["df"] == theirs["df"]
    table = fit.parameters.set_index(["lhs", "op", "rhs"])
    compared = 0
    for lhs, op, rhs, estimate, se in zip(
        *(theirs["estimates"][k] for k in ("lhs", "op", "rhs", "est", "se")), strict=True
    ):
        if op == ":=":
            ours = fit.defined.loc[lhs]
        else:
            keys = [(lhs, op, rhs or ""), (rhs, op, lhs)]
            ours = table.loc[next(key for key in keys if key in table.index)]
        assert ours["estimate"] == pytest.approx(estimate, rel=2e-4, abs=2e-4)
        if se and name != "bounded":
            assert ours["se"] == pytest.approx(se, rel=2e-4)
        compared += 1
    assert compared >= 20


def test_equal_parameters_are_equal_and_fixed_ones_have_no_error(fits):
    table = fits["equal"].parameters
    same = table[table["label"] == "k"]
    assert same["estimate"].nunique() == 1
    assert len(same) == 2
    fixed = fits["fixed"].parameters.set_index(["lhs", "op", "rhs"]).loc[("Value", "~", "Quality")]
    assert fixed["estimate"] == 0.5
    assert np.isnan(fixed["se"])


def test_a_bound_holds_and_the_fit_is_that_of_fixing_there(mobi, fits):
    table = fits["bounded"].parameters.set_index(["lhs", "op", "rhs"])
    assert table.loc[("Value", "~", "Quality"), "estimate"] == pytest.approx(0.4, abs=1e-12)
    fixed = csi.fit(csi.Model.from_syntax(BASE.replace("qv*", "0.4*")), mobi, csi.ML())
    assert fits["bounded"].estimates.discrepancy == pytest.approx(
        fixed.estimates.discrepancy, rel=1e-10
    )


def test_starting_values_change_nothing(mobi, fits):
    text = BASE.replace("qv*Quality", "qv*start(2)*Quality").replace(
        "+ PERQ3", "+ start(0.2)*PERQ3"
    )
    fit = csi.fit(csi.Model.from_syntax(text), mobi, csi.ML())
    plain = csi.fit(csi.Model.from_syntax(BASE), mobi, csi.ML())
    np.testing.assert_allclose(fit.estimates.parameters, plain.estimates.parameters, rtol=1e-7)


def test_defined_parameters_have_bootstrap_errors(fits):
    fit = fits["defined"]
    table = csi.bootstrap(fit, draws=200, rng=3, progress=False).table("defined")
    assert table.loc["indirect", "estimate"] == pytest.approx(
        fit.defined.loc["indirect", "estimate"]
    )
    assert table.loc["indirect", "se"] == pytest.approx(fit.defined.loc["indirect", "se"], rel=0.6)


def test_indirect_effect_defined_is_the_products(fits):
    table = fits["defined"].parameters.query("op == '~'").set_index("label")["estimate"]
    found = fits["defined"].defined["estimate"]
    assert found["indirect"] == pytest.approx(table["qv"] * table["vs"], rel=1e-12)
    assert found["total"] == pytest.approx(table["qs"] + found["indirect"], rel=1e-12)


def test_pls_refuses_parameters(mobi):
    with pytest.raises(ModelError) as told:
        csi.fit(csi.Model.from_syntax(BASE), mobi)
    assert str(told.value) == (
        "PLS cannot keep 'Value ~ qv*Quality': it knows no fixed, equal or bounded parameters and "
        "no covariances of its own; fit with csi.ML(), or take them out with "
        "model.without_parameters()."
    )
