"""Constructs of constructs in covariance SEM: lavaan, other ways to write them, refusals."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.errors import ModelError

FIVE = pd.read_csv(Path(__file__).parents[2] / "reference" / "mobi_all5.csv")
CASES = {
    "structural": csi.ML(),
    "robust": csi.ML(se="mlr"),
    "alone": csi.ML(),
    "alone_variance": csi.ML(scaling="variance"),
    "ordered": csi.WLSMV(),
}


@pytest.fixture(scope="module")
def theirs(reference):
    return reference("mobi_second_order.json")


@pytest.mark.parametrize("name", CASES)
def test_lavaan(mobi, theirs, name):
    case = theirs[name]
    model = csi.Model.from_syntax(case["syntax"])
    fit = csi.fit(model, FIVE if name == "ordered" else mobi, CASES[name])
    rtol = 1e-4 if name == "ordered" else 1e-6
    for measure, value in case["measures"].items():
        assert_allclose(fit.fit_measures[measure], value, rtol=rtol, atol=1e-5, err_msg=measure)
    rows = {(row.lhs, row.op, row.rhs): row for row in fit.parameters.itertuples()}
    (whole,) = [own.name for own in model.terms]
    compared = 0
    for lhs, op, rhs, est, se, std in zip(
        *(case["estimates"][key] for key in ("lhs", "op", "rhs", "est", "se")),
        case["standardized"],
        strict=True,
    ):
        key = (rhs, "~", lhs) if (lhs, op) == (whole, "=~") else (lhs, op, rhs)
        own = rows.get(key) or rows.get((key[2], key[1], key[0]))
        if own is None:
            continue
        assert_allclose(own.estimate, est, rtol=1e-3, atol=2e-4, err_msg=str(key))
        if name != "ordered" or op != "~~" or lhs != rhs:  # of which lavaan gives no error
            assert_allclose(np.nan_to_num(own.se), se, rtol=2e-3, atol=2e-4, err_msg=str(key))
        if key[1] == "~":
            assert_allclose(fit.paths.loc[key[0], key[2]], std, atol=2e-4)
        compared += 1
    assert compared >= len(fit.parameters) - 2 - (name == "ordered") * len(model.answered)


def test_three_parts_are_correlated_parts(mobi, theirs):
    """With three parts and no other path a second-order factor fits as free correlations do."""
    model = csi.Model.from_syntax(theirs["alone"]["syntax"])
    parts = csi.Model(model.measured)
    fits = [csi.fit(own, mobi, csi.ML()).fit_measures for own in (model, parts)]
    assert_allclose(fits[0][["chisq", "df"]], fits[1][["chisq", "df"]], rtol=1e-8)


def test_draws_and_groups_take_it(mobi, theirs):
    model = csi.Model.from_syntax(theirs["alone"]["syntax"])
    fit = csi.fit(model, mobi, csi.ML())
    boot = csi.bootstrap(fit, draws=40, rng=1, progress=False)
    assert boot.table("paths").loc[("Value", "Standing"), "se"] > 0
    data = mobi.data.assign(half=["a", "b"] * 125)
    fits = csi.fit_groups(model, data, "half", csi.ML())
    alone = csi.fit(model, data[data["half"] == "a"], csi.ML())
    assert_allclose(fits["a"].paths, alone.paths, atol=1e-6)
    joint = csi.fit_multigroup(model, data, "half", equal=["loadings"])
    assert joint.converged


def test_what_it_cannot_be_is_refused(mobi):
    parts = "A =~ IMAG1 + IMAG2\nB =~ PERV1 + PERV2\nS =~ CUSA1 + CUSA2\nS ~ Q\n"
    with pytest.raises(ModelError, match="as common factors, and 'Q' is a composite"):
        csi.fit(csi.Model.from_syntax(parts + "Q <~ A + B"), mobi, csi.ML())
    single = "A =~ IMAG1\nB =~ PERV1\nS =~ CUSA1\nQ =~ A + B\nS ~ Q"
    with pytest.raises(ModelError, match="'Q' is made of constructs of one item each"):
        csi.fit(csi.Model.from_syntax(single), mobi, csi.ML())
    with pytest.raises(ModelError, match="'Q' needs a stage of its own"):
        csi.fit(csi.Model.from_syntax(parts + "Q =~ A + B"), mobi, csi.Semopy())
    product = parts + "Q =~ A + B\nC =~ CUSL1 + CUSL3\nD =~ CUEX1 + CUEX2\nS ~ C + D + C:D"
    with pytest.raises(ModelError, match="needs a stage of its own"):
        csi.fit(csi.Model.from_syntax(product), mobi, csi.ML())
    fit = csi.fit(csi.Model.from_syntax(parts + "Q =~ A + B"), mobi, csi.ML())
    with pytest.raises(ModelError, match="factor_scores"):
        csi.index_scores(fit)
    assert list(csi.factor_scores(fit).scores.columns) == ["A", "B", "S", "Q"]
