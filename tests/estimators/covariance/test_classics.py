"""The examples of lavaan's manual, from the moments of its data: MIMIC, path analysis, mediation, …"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import ModelError, SurveyError

M = csi.Model.from_syntax
LAVAAN = json.loads((Path(__file__).parents[2] / "reference" / "lavaan_classics.json").read_text())
CASES, GROUPS = LAVAAN["cases"], LAVAAN["groups"]


def moments_of(name):
    own = LAVAAN["moments"][name]
    return csi.Moments.from_cov(own["cov"], n=own["n"], mean=own["mean"], items=own["items"])


def rows_of(own, seed=1):
    """Return rows with exactly these means and covariances."""
    n, cov = own["n"], np.array(own["cov"])
    noise = np.random.default_rng(seed).normal(size=(n, len(cov)))
    basis = np.linalg.qr(noise - noise.mean(axis=0))[0] * np.sqrt(n - 1)
    return pd.DataFrame(basis @ np.linalg.cholesky(cov).T + own["mean"], columns=own["items"])


@pytest.fixture(scope="module")
def schools():
    parts = {name: rows_of(own) for name, own in LAVAAN["moments"]["schools"].items()}
    frame = pd.concat(parts, names=["school"]).reset_index("school")
    return frame.assign(school=pd.Categorical(frame["school"], ["Pasteur", "Grant-White"]))


def compare(tables, defined, theirs, labels=(1,)):
    """Compare estimates and errors, by group; return how many were compared."""
    known = {
        group: table.set_index(["lhs", "op", "rhs"])
        for group, table in zip(labels, tables, strict=True)
    }
    compared = 0
    for lhs, op, rhs, group, est, se in zip(*theirs.values(), strict=True):
        if op == ":=":
            ours = defined.loc[lhs]
        else:
            keys = [(lhs, op, rhs or ""), (rhs, op, lhs)]
            table = known[int(group)]
            ours = table.loc[next((key for key in keys if key in table.index), None) or keys[0]]
        assert ours["estimate"] == pytest.approx(est, rel=1e-7, abs=1e-9), (lhs, op, rhs)
        if se:
            assert ours["se"] == pytest.approx(se, rel=1e-7), (lhs, op, rhs)
        compared += 1
    return compared


@pytest.mark.parametrize("name", CASES)
def test_examples_equal_lavaan(name):
    theirs = CASES[name]
    fit = csi.fit(M(theirs["text"]), moments_of(theirs["data"]), csi.ML(means=theirs["means"]))
    assert fit.converged
    assert fit.fit_measures["chisq"] == pytest.approx(theirs["chisq"], rel=1e-9, abs=1e-9)
    assert fit.fit_measures["df"] == theirs["df"]
    assert compare([fit.parameters], fit.defined, theirs["estimates"]) >= 6


@pytest.mark.parametrize("case", range(len(GROUPS)))
def test_examples_with_groups_equal_lavaan(schools, case):
    theirs = GROUPS[case]
    equal = [kind for kind in theirs["equal"] if kind != "none"]
    fit = csi.fit_multigroup(M(theirs["text"]), schools, "school", equal=equal)
    assert fit.fit_measures["chisq"] == pytest.approx(theirs["chisq"], rel=1e-9)
    assert fit.fit_measures["df"] == theirs["df"]
    order = ["Pasteur", "Grant-White"]
    tables = [fit[school].parameters for school in order]
    assert compare(tables, None, theirs["estimates"], (1, 2)) >= 50


def test_observed_variables_are_columns_in_paths(mobi):
    model = M("Q =~ PERQ1 + PERQ2 + PERQ3\nQ ~ IMAG1\nCUSA1 ~ Q + IMAG1")
    assert model.blocks["IMAG1"] == ("IMAG1",)
    assert sorted(model.observed) == ["CUSA1", "IMAG1"]
    assert model.to_syntax() == "Q =~ PERQ1 + PERQ2 + PERQ3\nQ ~ IMAG1\nCUSA1 ~ Q + IMAG1"
    assert M(model.to_syntax()) == model
    table = csi.fit(model, mobi, csi.ML(means=True)).parameters
    assert not table.duplicated(["lhs", "op", "rhs"]).any()
    assert not (table["lhs"] + table["op"]).isin(["IMAG1=~", "CUSA1=~"]).any()


def test_observed_variables_elsewhere_among_the_constructs_are_written_down():
    constructs = (
        csi.reflective("x", "x"),
        csi.reflective("Q", ["q1", "q2"]),
        csi.reflective("y", "y"),
    )
    model = csi.Model(constructs, [("Q", "y"), ("x", "y")])
    assert "x =~ x" in model.to_syntax()
    assert M(model.to_syntax()) == model


def test_pls_and_ordinary_least_squares_agree_on_observed_variables(mobi):
    fit = csi.fit(M("PERV1 ~ IMAG1 + IMAG2\nCUSA1 ~ PERV1 + IMAG1"), mobi)
    z = (mobi.data - mobi.data.mean()) / mobi.data.std()
    slopes = np.linalg.lstsq(z[["IMAG1", "PERV1"]], z["CUSA1"], rcond=None)[0]
    np.testing.assert_allclose(fit.paths.loc["CUSA1", ["IMAG1", "PERV1"]], slopes, rtol=1e-10)


@pytest.mark.parametrize(
    "given",
    [csi.LeastSquares("gls"), csi.LeastSquares("uls"), csi.ML(se="mlr"), csi.ML(missing="fiml")],
    ids=lambda one: one.label,
)
def test_observed_and_single_item_constructs_are_the_same(mobi, given):
    text = "Q =~ PERQ1 + PERQ2 + PERQ3\nQ ~ IMAG1 + IMAG2\nCUSA1 ~ Q"
    single = "Q =~ PERQ1 + PERQ2 + PERQ3\nA =~ IMAG1\nB =~ IMAG2\nC =~ CUSA1\nQ ~ A + B\nC ~ Q"
    one, other = (csi.fit(M(t), mobi, given) for t in (text, single))
    for name in ("chisq", "df", "cfi"):
        assert one.fit_measures[name] == pytest.approx(other.fit_measures[name], rel=1e-9)
    np.testing.assert_allclose(one.paths.loc["CUSA1", "Q"], other.paths.loc["C", "Q"], rtol=1e-8)


def test_the_text_for_lavaan_says_what_sem_would_take_otherwise():
    text = "A =~ a1 + a2\nB =~ b1 + b2\nB ~ A + age\ny ~ A\nB ~~ 0.1*y"
    assert M(text).to_lavaan().splitlines()[-2:] == ["B ~~ 0.1*y", "A ~~ age"]
    plain = M("A =~ a1 + a2\nx ~ A\ny ~ A").to_lavaan()
    assert plain == "A =~ a1 + a2\nx ~ A\ny ~ A\nx ~~ 0*y"


def test_a_construct_without_paths_may_covary(mobi):
    text = (
        "Q =~ PERQ1 + PERQ2 + PERQ3\nV =~ PERV1 + PERV2\nS =~ CUSA1 + CUSA2 + CUSA3\nS ~ Q\nV ~~ Q"
    )
    fit = csi.fit(M(text), mobi, csi.ML())
    free = csi.fit(M(text.replace("S ~ Q", "S ~ Q + V")), mobi, csi.ML())
    assert fit.fit_measures["df"] == free.fit_measures["df"] + 1


def test_misspelt_names_are_not_taken_for_columns(mobi):
    with pytest.raises(
        ModelError, match=r"names construct 'Qualty', which has no items .did you mean"
    ):
        M("Quality =~ PERQ1 + PERQ2\nValue =~ PERV1\nValue ~ Qualty")
    with pytest.raises(SurveyError) as told:
        csi.fit(M("Quality =~ PERQ1 + PERQ2\nPERV11 ~ Quality"), mobi)
    assert str(told.value) == (
        "'PERV11' has no items in the model and is not a column of the data (did you mean "
        "'PERV1'?); give it items with =~, or name a column."
    )


def test_an_item_in_a_path_is_refused():
    with pytest.raises(ModelError) as told:
        M("Q =~ q1 + q2 + q3\nQ ~ age\nq1 ~ age")
    assert str(told.value) == (
        "The path from 'age' to 'q1' has 'q1' in it, an item of 'Q'; paths join constructs and "
        "columns that are no items, so take 'q1' out of 'Q', or use 'Q' in the path."
    )
    with pytest.raises(ModelError, match="'q1 ~~ age' joins a construct and an item"):
        M("Q =~ q1 + q2 + q3\nQ ~ age\nq1 ~~ age")


def test_semopy_refuses_columns_in_paths(mobi):
    model = M("Q =~ PERQ1 + PERQ2 + PERQ3\nQ ~ IMAG1")
    assert model.to_semopy() == "Q =~ PERQ1 + PERQ2 + PERQ3\nQ ~ IMAG1"
    with pytest.raises(
        ModelError, match=r"csi.Semopy\(\) fits constructs with items, and 'IMAG1' is"
    ):
        csi.fit(model, mobi, csi.Semopy())


CROSS = CASES["cross"]["text"]


@pytest.fixture(scope="module")
def crossed():
    survey = csi.read_survey(rows_of(LAVAAN["moments"]["hs"]), scale=(-20, 30))
    return csi.fit(M(CROSS), survey, csi.ML())


def test_an_item_of_several_constructs_has_several_loadings(crossed):
    model = crossed.model
    assert model.shared_items == {"x9": ("visual", "speed")}
    assert M(model.to_syntax()) == model
    assert sorted(model.items) == [f"x{i}" for i in range(1, 10)]
    theirs = crossed.standardized().query("op == '=~'")
    for lhs, rhs, std in zip(theirs["lhs"], theirs["rhs"], theirs["std"], strict=True):
        assert crossed.loadings.loc[rhs, lhs] == pytest.approx(std, rel=1e-10)
    assert (crossed.loadings != 0).sum().sum() == 10
    draws = csi.bootstrap(crossed, 40, rng=1, progress=False).table("loadings")
    assert draws.loc[("x9", "speed"), "estimate"] == crossed.loadings.loc["x9", "speed"]
    assert "0.447" in str(crossed.summary())
    assert csi.factor_scores(crossed).scores.shape == (301, 3)


def test_what_is_made_of_own_items_refuses_items_of_several_constructs(crossed):
    for call in (
        csi.index_scores,
        csi.respondent_index,
        csi.assess,
        lambda fit: fit.scores,
        lambda fit: fit.weights,
        lambda fit: fit.unstandardized_weights,
        lambda fit: fit.cross_loadings,
        lambda fit: csi.simulate.population(fit.model, loadings=0.5, correlations=0.3),
    ):
        with pytest.raises(ModelError) as told:
            call(crossed)
        assert str(told.value).endswith(
            "each construct's own items, and 'x9' measures visual and speed; take "
            "csi.factor_scores(fit), or give each item one construct."
        )


def test_pls_refuses_cross_loadings(crossed):
    with pytest.raises(ModelError) as told:
        csi.fit(M(CROSS + "\nspeed ~ visual + textual"), crossed.survey)
    assert str(told.value) == (
        "Item 'x9' measures both 'visual' and 'speed', and PLS weighs each item in one construct "
        "only (no cross-loadings); give it one construct, or fit with csi.ML()."
    )


@pytest.mark.parametrize("scaling", ["marker", "variance"])
def test_cross_loadings_by_any_scaling_and_program(crossed, scaling):
    other = csi.fit(M(CROSS), crossed.survey, csi.ML(scaling=scaling, se="mlr"))
    assert other.fit_measures["chisq"] == pytest.approx(CASES["cross"]["chisq"], rel=1e-7)
    semopy = csi.fit(M(CROSS), crossed.survey, csi.Semopy())
    assert semopy.fit_measures["chisq"] == pytest.approx(CASES["cross"]["chisq"], rel=1e-5)


def test_population_covariances_give_back_cross_loadings_by_every_discrepancy():
    loadings = np.array([[1, 0], [0.8, 0], [0.7, 0.4], [0, 1], [0.3, 0.9], [0, 0.6]])
    cov = loadings @ np.array([[1.0, 0.3], [0.3, 1.2]]) @ loadings.T + 0.5 * np.eye(6)
    known = csi.Moments.from_cov(cov, n=500, items=list("abcdef"))
    for given in (csi.ML(likelihood="wishart"), csi.LeastSquares("gls"), csi.LeastSquares("uls")):
        fit = csi.fit(M("F =~ a + b + c + e\nG =~ d + e + f + c"), known, given)
        table = fit.parameters.set_index(["lhs", "rhs"])["estimate"]
        assert table["F", "e"] == pytest.approx(0.3, abs=1e-6)
        assert table["G", "c"] == pytest.approx(0.4, abs=1e-6)


def test_ordered_items_may_have_several_constructs(mobi):
    text = "Q =~ PERQ1 + PERQ2 + PERQ3 + CUSA1\nS =~ CUSA1 + CUSA2 + CUSA3"
    fit = csi.fit(M(text), mobi, csi.WLSMV())
    assert fit.converged
    assert fit.fit_measures["df"] == 7
