"""Γ, weights and information as operators: equal to the matrices they stand for, and as small."""

import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel import limits
from csimodel.errors import OptionError
from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.modification import _candidates, _extended, _gains
from csimodel.estimators.covariance.objective import Objective
from csimodel.moments import incomplete_information, incomplete_products
from csimodel.moments.forms import DenseWeight, DiagonalWeight, Forms, MixedWeight, NormalWeight
from csimodel.moments.fourth import fourth_moments
from csimodel.moments.gamma import DenseGamma, RootGamma, RowGamma
from csimodel.moments.incomplete_information import first_order, information
from csimodel.moments.incomplete_products import Factor, between, saturated_trace, score_products
from csimodel.moments.missing_patterns import patterns_of
from csimodel.moments.saturated import saturated
from csimodel.moments.vech import vech_indices

ITEMS, ROWS = 7, 60
RNG = np.random.default_rng(11)
VALUES = RNG.exponential(size=(ROWS, ITEMS)) @ RNG.normal(size=(ITEMS, ITEMS))
WEIGHTS = RNG.uniform(0.5, 2.0, ROWS)
CLUSTERS = {"none": None, "few": RNG.integers(0, 9, ROWS), "many": np.arange(ROWS) // 2 * 7}
INVERSE = np.linalg.inv(np.cov(VALUES.T) + 0.1 * np.eye(ITEMS))


def forms(columns, means, seed=1):
    rng = np.random.default_rng(seed)
    left, right, level = rng.normal(size=(3, ITEMS, columns))
    return Forms(left, right, level if means else None)


def duplication(items):
    row, column = vech_indices(items)
    matrix = np.zeros((items * items, len(row)))
    matrix[row * items + column, np.arange(len(row))] = 1.0
    matrix[column * items + row, np.arange(len(row))] = 1.0
    return matrix


def dense_weight(means):
    double = duplication(ITEMS)
    weight = 0.5 * double.T @ np.kron(INVERSE, INVERSE) @ double
    if not means:
        return weight
    none = np.zeros((ITEMS, len(weight)))
    return np.block([[INVERSE, none], [none.T, weight]])


@pytest.mark.parametrize("means", [False, True])
def test_the_normal_weight_is_half_a_kronecker_product(means):
    weight, dense = NormalWeight(INVERSE, means), dense_weight(means)
    one, other = forms(5, means), forms(4, means, 2)
    np.testing.assert_allclose(weight.matrix, dense, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(np.vstack(list(weight.parts())), dense, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(weight.applied(one.directions), dense @ one.directions, rtol=1e-10)
    np.testing.assert_allclose(weight.of(one).functions, dense @ one.directions, rtol=1e-10)
    product = one.directions.T @ dense @ other.directions
    np.testing.assert_allclose(weight.between(one, other), product, rtol=1e-10)
    own = np.diag(one.directions.T @ dense @ one.directions)
    mixed = MixedWeight((weight, weight), np.array([0.3, 0.7]))
    diagonal = DiagonalWeight(np.diag(dense))
    for same in (weight, DenseWeight(dense), mixed):
        np.testing.assert_allclose(same.squares(one), own, rtol=1e-10)
        np.testing.assert_allclose(same.between(one, other), product, rtol=1e-10)
        assert same.size == len(dense)
    expected = one.directions.T @ np.diag(np.diag(dense)) @ other.directions
    np.testing.assert_allclose(diagonal.between(one, other), expected, rtol=1e-10)


@pytest.mark.parametrize("means", [False, True])
@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("rows", [ROWS, 14])
def test_products_with_rows_are_those_with_the_matrix(means, cluster, weights, rows):
    codes = None if CLUSTERS[cluster] is None else CLUSTERS[cluster][:rows]
    own = None if weights is None else weights[:rows]
    gamma = RowGamma.of(VALUES[:rows], own, codes)
    dense = fourth_moments(VALUES[:rows], own, cluster=codes)
    part = dense if means else dense[ITEMS:, ITEMS:]
    weight, columns = NormalWeight(INVERSE, means), NormalWeight(INVERSE, means).of(forms(5, means))
    matrix, pulled = weight.matrix, columns.functions
    product = matrix @ part
    outer = (part @ pulled).T @ matrix @ (part @ pulled)
    expected = (np.trace(product), np.trace(product @ product), outer)
    for same in (gamma, DenseGamma(dense)):
        found = same.traces(weight, columns)
        np.testing.assert_allclose(found.first, expected[0], rtol=1e-10)
        np.testing.assert_allclose(found.second, expected[1], rtol=1e-10)
        scale = np.abs(expected[2]).max()
        np.testing.assert_allclose(found.outer / scale, expected[2] / scale, atol=1e-11)
        np.testing.assert_allclose(same.trace(weight), expected[0], rtol=1e-10)
        inner = pulled.T @ part @ pulled
        for one in (columns, pulled):
            found = same.quadratic(one) / np.abs(inner).max()
            np.testing.assert_allclose(found, inner / np.abs(inner).max(), atol=1e-11)
            pushed = part @ pulled
            found = same.times(one) / np.abs(pushed).max()
            np.testing.assert_allclose(found, pushed / np.abs(pushed).max(), atol=1e-11)
        np.testing.assert_allclose(same.diagonal, np.diag(dense), rtol=1e-10)
        np.testing.assert_allclose(same.matrix, dense, rtol=1e-9, atol=1e-12)
    assert np.linalg.matrix_rank(dense) <= gamma.rank


def test_a_root_is_its_square():
    root = RNG.normal(size=(6, ITEMS + ITEMS * (ITEMS + 1) // 2))
    gamma, dense = RootGamma(root), DenseGamma(root.T @ root)
    weight = DiagonalWeight(RNG.uniform(1.0, 2.0, root.shape[1] - ITEMS))
    columns = weight.of(forms(5, False))
    for one, other in zip(
        gamma.traces(weight, columns), dense.traces(weight, columns), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(gamma.times(columns), dense.times(columns), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(gamma.trace(weight), dense.trace(weight), rtol=1e-10)
    np.testing.assert_allclose(gamma.diagonal, dense.diagonal, rtol=1e-10)
    assert gamma[0] is gamma


@pytest.mark.parametrize("cluster", [None, np.arange(400) // 5])
@pytest.mark.parametrize("weights", [None, np.linspace(0.5, 1.5, 400)])
def test_information_of_answers_with_gaps_is_multiplied_pattern_by_pattern(
    weights, cluster, monkeypatch
):
    rng = np.random.default_rng(4)
    values = rng.exponential(size=(400, ITEMS)) @ rng.normal(size=(ITEMS, ITEMS))
    values[rng.random(values.shape) < 0.1] = np.nan
    patterns = patterns_of(values, weights, cluster)
    free = saturated(patterns)
    mean, cov = free.mean, free.cov
    one, other = forms(5, True), forms(4, True, 2)
    for observed in (True, False):
        whole = information(patterns, mean, cov, observed)
        dense = one.directions.T @ whole @ other.directions
        with monkeypatch.context() as patch:
            patch.setattr(incomplete_information, "SMALL", 0)
            patch.setattr(incomplete_products, "SMALL", 0)
            again = information(patterns, mean, cov, observed)
            found = between(patterns, mean, cov, one, other, observed)
        scale = np.abs(dense).max()
        np.testing.assert_allclose(found / scale, dense / scale, atol=1e-11)
        np.testing.assert_allclose(again, whole, atol=1e-11 * np.abs(whole).max())
    scores = first_order(patterns, mean, cov)
    dense = one.directions.T @ scores @ one.directions
    found = score_products(patterns, mean, cov, one)
    np.testing.assert_allclose(found / np.abs(dense).max(), dense / np.abs(dense).max(), atol=1e-11)
    known = information(patterns, mean, cov)
    trace = np.trace(np.linalg.solve(known, scores))
    np.testing.assert_allclose(saturated_trace(patterns, mean, cov), trace, rtol=1e-9)
    weight = NormalWeight(np.linalg.inv(cov), True)
    trace = np.trace(weight.matrix @ np.linalg.inv(known))
    np.testing.assert_allclose(Factor.of(known).trace(weight), trace, rtol=1e-9)
    assert Factor.of(-np.eye(3)) is None


@pytest.mark.parametrize(
    "estimator",
    [
        csi.ML(),
        csi.ML(means=True),
        csi.ML(missing="fiml"),
        csi.LeastSquares("gls"),
        csi.LeastSquares("dwls"),
    ],
)
def test_indices_are_those_of_the_whole_information(estimator, mobi):
    model = csi.Model.from_syntax(
        "Q =~ PERQ1 + a*PERQ3 + PERQ7\nV =~ PERV1 + a*PERV2\nS =~ CUSA1 + CUSA2 + CUSA3\n"
        "V ~ b*Q\nS ~ c*V + Q\nb + c == 1"
    )
    data = mobi.data[[item for c in model.constructs for item in c.items]]
    if estimator.label.endswith("answers"):
        data = data.mask(np.random.default_rng(0).random(data.shape) < 0.1)
    fitted = Fitted.of(csi.fit(model, data, estimator).solution)
    candidates = list(
        _candidates(fitted, fitted.layouts[0], ("cross-loadings", "paths", "covariances"))
    )
    wide, parameters = _extended(fitted, 0, candidates)
    objective = Objective(wide, fitted.objective.parts, fitted.objective.shares)
    gradient, hessian = objective.local(objective.implied(parameters[None]), np.arange(1), False)
    rows, size = float(fitted.sizes.sum()), fitted.npar
    score, whole = -0.5 * rows * gradient[0], 0.5 * rows * hessian[0]
    solved = np.linalg.solve(whole[:size, :size], whole[:size, size:])
    left = np.diag(whole)[size:] - (whole[:size, size:] * solved).sum(axis=0)
    pull = score[size:] - solved.T @ score[:size]
    mi, _, change = _gains(fitted, wide, parameters)
    known = np.isfinite(mi)
    assert known.any()
    np.testing.assert_allclose(mi[known], pull[known] ** 2 / left[known], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(change[known], pull[known] / left[known], rtol=1e-6, atol=1e-8)


def test_full_information_by_patterns_is_that_by_moments(monkeypatch, mobi):
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ3 + PERQ7\nV =~ PERV1 + PERV2\nV ~ Q\nQ ~ 1")
    data = mobi.data[list(model.items)].mask(np.random.default_rng(0).random((250, 5)) < 0.1)
    fitted = Fitted.of(csi.fit(model, data, csi.ML(missing="fiml")).solution)
    (part,), (layout,) = fitted.objective.parts, fitted.layouts
    at = fitted.objective.implied(fitted.parameters[None] * 1.05)
    for observed in (False, True):
        ways = []
        for way in (False, True):
            monkeypatch.setattr(type(part), "_by_moments", lambda self, layout, way=way: way)
            ways.append(part.local(layout, at[0], np.arange(1), observed))
        for one, other in zip(*ways, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9 * np.abs(other).max())


def chain(items, rows):
    rng = np.random.default_rng(3)
    factors = np.zeros((rows, items // 5))
    factors[:, 0] = rng.normal(size=rows)
    for j in range(1, items // 5):
        factors[:, j] = 0.6 * factors[:, j - 1] + 0.8 * rng.normal(size=rows)
    values = 0.8 * np.repeat(factors, 5, axis=1) + 0.6 * rng.standard_t(8, size=(rows, items))
    names = [f"x{i}" for i in range(items)]
    frame = pd.DataFrame(values, columns=names)
    lines = [f"F{j} =~ {' + '.join(names[5 * j : 5 * j + 5])}" for j in range(items // 5)]
    lines += [f"F{j} ~ F{j - 1}" for j in range(1, items // 5)]
    return csi.Model.from_syntax("\n".join(lines)), frame


@pytest.mark.parametrize("kind", ["mlr", "mlmv", "indices"])
def test_no_array_is_as_large_as_all_pairs_of_covariances(kind):
    """With 100 items a matrix over pairs of covariances is 204 MB; nothing needs a third of it."""
    model, frame = chain(100, 300)
    tracemalloc.start()
    fit = csi.fit(model, frame, csi.ML() if kind == "indices" else csi.ML(se=kind))
    if kind == "indices":
        fit.modification_indices()
    else:
        assert np.isfinite(fit.parameters["se"]).any()
        assert np.isfinite(fit.fit_measures["chisq_scaled"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < (8 * 5050**2) / 3


def test_what_memory_does_not_hold_is_refused(monkeypatch):
    monkeypatch.setattr(limits, "free_bytes", lambda: 1e3)
    gamma = RowGamma.of(VALUES)
    with pytest.raises(OptionError) as caught:
        gamma.matrix  # noqa: B018
    assert str(caught.value) == (
        "Γ of 35 means and covariances as a matrix would hold some 0.0 GB, and 0.0 GB of memory are "
        "free; use fewer items, or errors from csi.bootstrap."
    )


@pytest.fixture(scope="module")
def many(reference):
    theirs = reference("many_items.json")
    frame = pd.read_csv(Path(__file__).parents[2] / "reference" / "many_items.csv")
    return theirs, csi.Model.from_syntax(theirs["syntax"]), frame


OURS = {
    "chisq": "chisq",
    "chisq.scaled": "chisq_scaled",
    "chisq.scaling.factor": "scaling_factor",
    "baseline.chisq.scaled": "baseline_chisq_scaled",
    "cfi": "cfi",
    "cfi.robust": "cfi_robust",
    "rmsea.robust": "rmsea_robust",
}


@pytest.mark.parametrize(
    ("name", "estimator"),
    [
        ("mlr", csi.ML(se="mlr")),
        ("mlmv", csi.ML(se="mlmv")),
        ("fiml", csi.ML(missing="fiml")),
        ("fiml_mlr", csi.ML(missing="fiml", se="mlr")),
    ],
)
def test_thirty_items_are_lavaans(many, name, estimator):
    theirs, model, frame = many
    data = frame if name.startswith("fiml") else frame.dropna()
    fit = csi.fit(model, data, estimator)
    for their_name, value in theirs[name]["fit"].items():
        assert fit.fit_measures[OURS[their_name]] == pytest.approx(value, rel=1e-4), their_name
    table = fit.parameters.set_index(["lhs", "op", "rhs"])
    for row in theirs[name]["table"]:
        if row["op"] == "~1":
            continue
        ours = table.loc[(row["lhs"], row["op"], row["rhs"])]
        assert ours["estimate"] == pytest.approx(row["est"], rel=1e-3, abs=1e-4)
        if row["se"] > 0:
            assert ours["se"] == pytest.approx(row["se"], rel=2e-3)


def test_thirty_items_have_lavaans_indices(many):
    theirs, model, frame = many
    table = csi.fit(model, frame.dropna(), csi.ML()).modification_indices()
    ours = {(r.lhs, r.op, r.rhs): r for r in table.itertuples()}
    for row in theirs["modindices"]:
        key = (row["lhs"], row["op"], row["rhs"])
        known = ours.get(key)
        if known is None and row["op"] == "~~":
            known = ours.get(key[::-1])
        if known is not None:
            assert known.mi == pytest.approx(row["mi"], rel=1e-3)
            assert known.epc == pytest.approx(row["epc"], rel=1e-3)
    shared = [r for r in theirs["modindices"] if (r["lhs"], r["op"], r["rhs"]) in ours]
    assert len(shared) > 20
