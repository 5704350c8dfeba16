"""Tetrads, full collinearity and redundancy: other programs, laws, and what cannot be."""

import numpy as np
import pandas as pd
import pytest
from wordings import row_of

import csimodel as csi
from csimodel.assessment import full_collinearity, full_vif, redundancy, tetrads
from csimodel.assessment.tetrads import tetrads_of, vanishing
from csimodel.errors import CsimodelError, ModelError, OptionError, SurveyError
from csimodel.findings import collected

TAU = {1: lambda i, j, k, m: (i, j, k, m), 2: lambda i, j, k, m: (i, j, m, k)}


def name(i, j, k, m):
    return f"{i} {j} × {k} {m} - {i} {k} × {j} {m}"


def told_by_name(told):
    """Tetrads of another program by the names of ours: s_ij s_kl - s_ik s_jl, - s_il s_jk."""
    own = told["tetrads"]
    parts = zip(own["i"], own["j"], own["k"], own["l"], own["tetrad_id"], strict=True)
    return [name(*TAU[kind](i, j, k, m)) for i, j, k, m, kind in parts]


@pytest.fixture(scope="module")
def boot(fit):
    path = "tests/reference/mobi_boot_indices_500x250_1based.csv"
    rows = np.loadtxt(path, delimiter=",", dtype=int) - 1
    return csi.bootstrap(fit, resamples=rows, progress=False)


@pytest.mark.parametrize("construct", ["Image", "Quality"])
def test_tetrads_of_another_program_on_given_resamples(reference, fit, boot, construct):
    told = reference("mobi_structure.json")["cta"][construct]
    names = told_by_name(told)
    own = len(tetrads(fit).table.loc[construct])
    level = 1.0 - 0.05 * own / len(names)  # the other program corrects for all, implied ones too
    table = tetrads(fit, boot, level).table.loc[construct]
    places = [names.index(tetrad) for tetrad in table.index]
    for column, values in (
        ("estimate", told["estimate"]), ("se", told["boot_sd"]),
        ("lower", told["bias_corrected_ci"]["lower"]), ("upper", told["bias_corrected_ci"]["upper"]),
    ):  # fmt: skip
        np.testing.assert_allclose(table[column], np.array(values)[places], atol=1e-9)
    share = (table["p"] * 501 / 2 - 1) / 500 * 2
    np.testing.assert_allclose(share, np.array(told["p_boot"])[places], atol=1e-9)
    np.testing.assert_allclose(table["p_bonferroni"], np.minimum(own * table["p"], 1.0))


def test_borrowed_items_of_another_program(reference, fit):
    told = reference("mobi_structure.json")["seminrExtras_assess_cta"]["estimates"]["Expectation"]
    own = tetrads(fit, borrow={"Expectation": ["PERQ1"], "Value": ["PERQ1", "PERQ2"]})
    np.testing.assert_allclose(own.table.loc["Expectation", "estimate"], told["Estimate"])
    assert own.verdicts[["Expectation", "Satisfaction"]].tolist() == ["rejected", "not tested"]
    cov = fit.moments.cov
    place = [fit.model.items.index(item) for item in ("PERV1", "PERV2", "PERQ1", "PERQ2")]
    a, b, c, d = place
    expected = cov[a, c] * cov[b, d] - cov[a, d] * cov[b, c]
    assert own.table.loc["Value", "estimate"].tolist() == pytest.approx([expected])


@pytest.mark.parametrize("p", [4, 5, 7, 10])
def test_the_tetrads_imply_all_and_none_is_implied(p):
    """Their derivatives at a one-factor model have the rank that covariances less loadings have."""
    own = vanishing(range(p), p)
    assert len(own) == p * (p - 3) // 2
    loadings = np.random.default_rng(p).uniform(0.4, 0.9, p)
    cov = np.outer(loadings, loadings)
    np.testing.assert_allclose(tetrads_of(cov, own), 0.0, atol=1e-15)
    rows, columns = np.tril_indices(p, -1)
    step = 1e-6
    moved = np.repeat(cov[None], len(rows), axis=0)
    moved[np.arange(len(rows)), rows, columns] += step
    moved[np.arange(len(rows)), columns, rows] += step
    jacobian = tetrads_of(moved, own) / step
    assert np.linalg.matrix_rank(jacobian, tol=1e-8) == len(own)


def test_errors_by_influence_values_are_those_of_many_draws(fit):
    drawn = tetrads(fit, csi.bootstrap(fit, 1_000, rng=1, progress=False)).table
    linear = tetrads(fit).table
    np.testing.assert_allclose(drawn["se"], linear["se"], rtol=0.12)
    assert (linear["df"] == 249).all()


def test_two_factors_are_seen():
    rng = np.random.default_rng(3)
    first, second = rng.normal(size=(2, 500, 1))
    items = np.hstack([0.8 * first + 0.6 * rng.normal(size=(500, 2)),
                       0.8 * second + 0.6 * rng.normal(size=(500, 2))])  # fmt: skip
    other = first + rng.normal(size=(500, 1))
    frame = pd.DataFrame(np.hstack([items, other]), columns=["a", "b", "c", "d", "y"])
    model = csi.Model.from_syntax("F =~ a + b + c + d\nY =~ y\nY ~ F")
    own = tetrads(csi.fit(model, frame))
    assert own.verdicts["F"] == "rejected"
    assert own.findings[0].code == "tetrads-differ"
    assert all(row_of(finding) for finding in own.findings)
    assert "Bonferroni" in str(own)
    assert "<table" in own._repr_html_()


def test_ordered_answers_of_one_factor():
    """As numbers they differ from it, since their categories have different shapes."""
    rng = np.random.default_rng(8)
    factor = rng.normal(size=(2_000, 1))
    response = 0.8 * factor + 0.6 * rng.normal(size=(2_000, 5))
    cuts = [-1.5, -0.5], [0.5, 1.5], [-0.2, 1.2], [-1.0, 0.1], [-0.5, 0.5]
    answers = np.column_stack([np.digitize(response[:, i], cut) for i, cut in enumerate(cuts)])
    frame = pd.DataFrame(answers + 1.0, columns=["a", "b", "c", "d", "y"])
    model = csi.Model.from_syntax("F =~ a + b + c + d\nY =~ y\nY ~ F")
    ordinal = csi.fit(model, frame, csi.PLS(correlations="polychoric"))
    own = tetrads(ordinal)
    places = vanishing([0, 1, 2, 3], 4)
    expected = tetrads_of(ordinal.solution.item_cor, places)
    np.testing.assert_allclose(own.table["estimate"], expected, atol=1e-15)
    drawn = tetrads(ordinal, csi.bootstrap(ordinal, 100, rng=1, progress=False))
    np.testing.assert_allclose(drawn.table["se"], own.table["se"], rtol=0.2)
    assert own.verdicts["F"] == drawn.verdicts["F"] == "not rejected"
    assert tetrads(csi.fit(model, frame)).verdicts["F"] == "rejected"


def test_full_collinearity_of_other_programs(reference, fit, mobi):
    """And by PLSc none, where the others invert correlations that are not positive definite."""
    told = reference("mobi_structure.json")["full_collinearity_vif"]
    expected = list(told["modeA"].values())
    exact = csi.fit(fit.model, mobi, csi.PLS(tolerance=1e-12))
    np.testing.assert_allclose(full_vif(exact.solution), expected, atol=1e-9)
    table = full_collinearity(fit)
    assert table.query("verdict == 'poor'")["subject"].tolist() == ["Quality", "Satisfaction"]
    consistent = csi.fit(fit.model, mobi, csi.PLS(consistent=True))
    assert told["plsc"]["Image"] < 0
    assert np.isnan(full_vif(consistent.solution)).all()
    assert set(full_collinearity(consistent)["verdict"]) == {"not judged"}


def test_full_collinearity_is_that_of_regressions(fit):
    scores = fit.scores
    others = scores.drop(columns="Quality").to_numpy()
    predicted = others @ np.linalg.lstsq(others, scores["Quality"].to_numpy(), rcond=None)[0]
    inflation = 1 / (1 - np.corrcoef(predicted, scores["Quality"])[0, 1] ** 2)
    assert full_vif(fit.solution)[2] == pytest.approx(inflation)


def test_redundancy_of_another_program(reference, ecsi, mobi):
    told = reference("mobi_structure.json")["redundancy"]
    table = redundancy(ecsi, mobi, {"Quality": "PERQ1"})
    row = table.loc["Quality"]
    assert row["estimate"] == pytest.approx(told["path"]["data"][0][1], abs=1e-8)
    assert row["r2"] == pytest.approx(told["R2"]["data"][0][0], abs=1e-8)
    assert row["lower"] < row["estimate"] < row["upper"]
    assert row["verdict"] == "good"


def test_an_overall_item_coded_the_other_way_says_as_much(ecsi, mobi):
    turned = mobi.data.assign(PERQ1=11 - mobi.data["PERQ1"])
    row, own = (redundancy(ecsi, data, {"Quality": "PERQ1"}).loc["Quality"]
                for data in (turned, mobi))  # fmt: skip
    assert row["estimate"] == pytest.approx(-own["estimate"])
    assert row["verdict"] == own["verdict"] == "good"
    assert "p" not in row


def test_a_poor_overall_item_is_told(ecsi, mobi):
    with collected() as findings:
        table = redundancy(ecsi, mobi, {"Value": "CUSCO", "Image": ["CUEX1", "CUEX2"]})
    assert table["verdict"].tolist() == ["poor", "poor"]
    told = [finding for finding in findings if finding.code == "overall-not-said"]
    assert [finding.subjects for finding in told] == [("Value",), ("Image",)]
    assert all(row_of(finding) for finding in told)


def test_so_few_rows_that_any_answers_are_fitted_say_nothing():
    frame = pd.DataFrame(np.random.default_rng(1).normal(size=(6, 7)), columns=list("abcdefo"))
    model = csi.Model.from_syntax("A =~ a + b + c + d\nB =~ e + f\nB ~ A")
    with collected() as findings:
        few, more = (redundancy(model, frame.iloc[:n], {"A": "o"}).loc["A"] for n in (5, 6))
    assert few["r2"] == pytest.approx(1)
    assert few["verdict"] == "not judged"
    assert few["reason"] == "so few rows that any answers are fitted"
    assert np.isnan(few["se"])
    assert more["verdict"] == "good"
    assert more["se"] > 0
    assert [finding.code for finding in findings] == ["no-rows-to-spare"]
    assert row_of(findings[0])


@pytest.mark.parametrize(
    ("borrow", "sentence"),
    [
        ({"X": ["PERQ1"]}, "borrow= names 'X', which is no construct"),
        ({"Value": ["X", "Y"]}, "borrow= names 'X', which is no item"),
        ({"Value": ["PERQ1"]}, "gives 'Value' with 2 items 1 more"),
        ({"Value": ["PERQ1", "CUSA1"]}, "all of one other construct"),
        ({"Image": ["PERQ1"]}, "gives 'Image' with 5 items 1 more"),
        ({"Value": ["PERV1", "PERV2"]}, "items of its own"),
    ],
)
def test_borrowing_that_is_refused(fit, borrow, sentence):
    with pytest.raises(OptionError, match=sentence):
        tetrads(fit, borrow=borrow)


def test_what_is_refused(fit, ecsi, mobi):
    small = csi.Model.from_syntax("S =~ CUSA1 + CUSA2 + CUSA3\nL =~ CUSL1 + CUSL2\nL ~ S")
    with pytest.raises(ModelError, match="No construct has four items"):
        tetrads(csi.fit(small, mobi))
    for overall, sentence in (
        ({}, "names none"), ({"X": "CUSA1"}, "names 'X', which has no items"),
        ({"Complaints": "CUSA1"}, "leaves 'Complaints' 1 items"), ({"Value": []}, "overall"),
    ):  # fmt: skip
        with pytest.raises(OptionError, match=sentence):
            redundancy(ecsi, mobi, overall)
    with pytest.raises(CsimodelError):
        redundancy(ecsi, mobi, {"Value": "NOWHERE"})
    with pytest.raises(OptionError, match="model="):
        redundancy("ecsi", mobi, {"Value": "CUSA1"})
    with pytest.raises((OptionError, SurveyError)):
        redundancy(ecsi, 3, {"Value": "CUSA1"})
