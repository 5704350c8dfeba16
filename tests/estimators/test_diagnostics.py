"""Bad input and bad solutions: each a sentence that names the culprit."""

from types import SimpleNamespace as Stub

import numpy as np
import pandas as pd
import pytest
from wordings import row_of

import csimodel as csi
from csimodel.errors import EstimationError, ModelError, SurveyError
from csimodel.estimators import Status, diagnostics
from csimodel.estimators.estimates import Inadmissible

ALL = ["a1", "a2", "a3", "b1", "b2", "b3", "c1", "c2", "c3"]


def codes(fit):
    return [finding.code for finding in fit.diagnostics]


def broken(data, **columns):
    return data.assign(**columns)


def test_nothing_is_said_when_all_is_well(fit):
    assert fit.diagnostics == ()


@pytest.fixture(scope="module")
def data(population):
    return population(80)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: d.mask(d.index.to_numpy()[:, None] * np.ones(9) == 3),
         "9 cells are missing, in a1 (1), a2 (1), a3 (1), b1 (1), b2 (1) and 4 more, and missing='error' "
         "allows none; choose missing='listwise', 'pairwise', 'mean' or 'construct-minimum' in read_survey."),
        (lambda d: d.assign(b2=np.nan),
         "Column 'b2' has all 80 cells missing; leave the item out of the model or mend the data."),
        (lambda d: d.assign(b2=4.0),
         "Column 'b2' has the same value, 4, in every row used; an item without variation carries no "
         "information, so leave it out of the model."),
        (lambda d: d.rename(columns={"b2": "b_2"}),
         "Item 'b2' of construct 'B' is not a column of the data (did you mean 'b_2'?)."),
        (lambda d: d.assign(b2=["x"] * 80),
         "Column 'b2' holds the text 'x' in row 1 (80 such cells); numbers are needed here, so recode the "
         "text or make the cells empty."),
        (lambda d: d.assign(b2=[np.inf, *[4.0] * 79]),
         "Column 'b2' holds 1 infinite value (first in row 1); make such cells empty or mend them."),
        (lambda d: d.iloc[:0], "The data frame has no rows; give one row per respondent."),
        (lambda d: pd.concat([d, d[["b2"]]], axis=1),
         "The data frame has more than one column named 'b2'; rename or remove the duplicates."),
        (lambda d: pd.DataFrame(), "The data frame has no columns; give one column per item."),
    ],
)  # fmt: skip
def test_data_that_cannot_be_used_raise_and_name_the_column(chain, data, damage, message):
    with pytest.raises(SurveyError) as caught:
        csi.fit(chain, damage(data))
    assert str(caught.value) == message


def test_fewer_rows_than_items(population):
    model = csi.Model.from_syntax(
        "A =~ "
        + " + ".join(f"a{i}" for i in range(8))
        + "\nB =~ "
        + " + ".join(f"b{i}" for i in range(8))
        + "\nB ~ A"
    )
    rng = np.random.default_rng(1)
    common = rng.standard_normal((12, 1))
    data = pd.DataFrame(common + rng.standard_normal((12, 16)), columns=list(model.items))
    found = csi.fit(model, data)
    finding = found.diagnostics[0]
    assert (finding.code, finding.count) == ("fewer-rows-than-items", 12)
    assert finding.values == {"rows": 12, "items": 16}
    assert "12 rows for 16 items" in str(found.summary())


def test_few_rows(chain, population):
    found = csi.fit(chain, population(14, seed=4))
    assert ("few-rows", {"rows": 14}) in [(f.code, dict(f.values)) for f in found.diagnostics]


def test_two_rows_cannot_be_fitted(chain, population):
    with pytest.raises(EstimationError) as caught:
        csi.fit(chain, population(2))
    assert str(caught.value) == (
        "Nothing was estimated because there are only 2 rows and at least 3 are needed; "
        "check the missing-data policy and the weights."
    )


def test_duplicated_item(chain, data):
    found = csi.fit(chain, data.assign(a3=data["a2"] * 2 + 1))
    (finding,) = found.diagnostics
    assert (finding.code, finding.subjects) == ("duplicated-item", ("a2", "a3"))
    assert finding.values == {"first": "a2", "second": "a3"}


def test_an_item_that_is_the_sum_of_two_others(chain, data):
    found = csi.fit(chain, data.assign(c3=data["a1"] + data["b2"]))
    (finding,) = found.diagnostics
    assert (finding.code, finding.subjects) == ("collinear-items", ("a1", "b2", "c3"))
    assert finding.values == {"items": ("a1", "b2", "c3")}


def test_mode_b_with_collinear_items_is_refused(chain, data):
    with pytest.raises(EstimationError) as caught:
        csi.fit(chain, data.assign(a3=data["a1"] + data["a2"]), csi.PLS(modes={"A": "B"}))
    assert str(caught.value) == (
        "The equations have no unique solution because a1, a2 and a3 carry the same information; "
        "drop one of them, or use mode A for a block of such items."
    )


def test_antecedents_that_coincide_are_refused(data):
    model = csi.Model.from_syntax("A =~ a1\nD =~ d1\nC =~ c1 + c2\nC ~ A + D")
    with pytest.raises(EstimationError, match="because A and D carry the same information"):
        csi.fit(model, data.assign(d1=3 * data["a1"]))


def test_negative_weight(chain, population):
    data = population(200)
    found = csi.fit(chain, data.assign(b3=11 - data["b3"]))
    (finding,) = found.diagnostics
    assert finding.code == "negative-weight"
    assert finding.subjects == ("b3", "B")
    assert finding.values["weight"] < 0
    assert "heywood" not in row_of(finding).values


def test_inadmissible_reliability_and_loadings_are_named():
    cov = np.array(
        [[1, 0.05, 0.6, 0.6], [0.05, 1, 0.6, 0.6], [0.6, 0.6, 1, 0.8], [0.6, 0.6, 0.8, 1]]
    )
    moments = csi.Moments.from_cov(cov, 300, ["x1", "x2", "y1", "y2"])
    model = csi.Model.from_syntax("X =~ x1 + x2\nY =~ y1 + y2\nY ~ X")
    found = csi.fit(model, moments, csi.PLS(consistent=True))
    assert "construct-correlations-not-positive-definite" in codes(found)
    assert "construct-correlation-beyond-1" in codes(found)
    assert "path-beyond-1" not in codes(found)  # with one antecedent it is the same number
    cov = np.array([[1, 0.9, 0.3, 0.3], [0.9, 1, 0.9, 0.3], [0.3, 0.9, 1, 0.9], [0.3, 0.3, 0.9, 1]])
    cov = np.array(
        [[1, 0.2, 0.7, 0.7], [0.2, 1, 0.05, 0.05], [0.7, 0.05, 1, 0.9], [0.7, 0.05, 0.9, 1]]
    )
    found = csi.fit(
        model, csi.Moments.from_cov(cov, 300, ["x1", "x2", "y1", "y2"]), csi.PLS(consistent=True)
    )
    assert "loading-above-1" in codes(found)
    loading = next(f for f in found.diagnostics if f.code == "loading-above-1")
    assert loading.subjects == ("x1",)
    with pytest.raises(EstimationError, match="The loading of 'x1' is estimated at"):
        csi.fit(
            model,
            csi.Moments.from_cov(cov, 300, ["x1", "x2", "y1", "y2"]),
            csi.PLS(consistent=True),
            strict=True,
        )


def test_constant_item_in_moments():
    cov = np.eye(4)
    cov[2, 2] = 0
    model = csi.Model.from_syntax("X =~ x1 + x2\nY =~ y1 + y2\nY ~ X")
    with pytest.raises(EstimationError) as caught:
        csi.fit(model, csi.Moments.from_cov(cov, 300, ["x1", "x2", "y1", "y2"]))
    assert str(caught.value) == (
        "Nothing was estimated because y1 does not vary over the 300 rows; "
        "leave it out or take more rows."
    )


def test_uneven_weights(chain, data):
    weights = np.where(np.arange(80) < 2, 100.0, 1.0)
    found = csi.fit(chain, csi.read_survey(data.assign(w=weights), weights="w"))
    assert any(f.code == "uneven-weights" for f in found.diagnostics)
    assert "The survey weights are so uneven that 80 rows count for about 4." in map(
        str, found.diagnostics
    )


def test_alike_constructs(population):
    rng = np.random.default_rng(0)
    data = population(300, path=0.5)
    data[["b1", "b2", "b3"]] = data[["a1", "a2", "a3"]] + 0.2 * rng.standard_normal((300, 3))
    model = csi.Model.from_syntax(
        "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ A\nC ~ B"
    )
    (finding,) = csi.fit(model, data).diagnostics
    assert finding.code == "constructs-alike"
    assert finding.values["pairs"][0].startswith("'A' – 'B' (0.9")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "A =~ a1 + a2\nB =~ b1\nB ~ Aa",
            "names construct 'Aa', which has no items (did you mean 'A'?)",
        ),
        ("A =~ a1\nB =~ b1\nB ~ A\nA ~ B", "The paths form a cycle, A → B → A"),
        (
            "A =~ a1\nB =~ b1\nC =~ c1\nB ~ A",
            "Construct 'C' has no path to or from another construct",
        ),
    ],
)
def test_models_that_contradict_themselves(text, message):
    with pytest.raises(ModelError) as caught:
        csi.Model.from_syntax(text)
    assert message in str(caught.value)


def test_missing_cells_are_counted_in_the_result(chain, data):
    holes = data.mask(np.random.default_rng(0).random(data.shape) < 0.02)
    cells = int(holes.isna().to_numpy().sum())
    rows = int(holes.isna().any(axis=1).sum())
    listwise = csi.fit(chain, csi.read_survey(holes, missing="listwise"))
    assert listwise.n == 80 - rows
    dropped = listwise.diagnostics[0]
    assert (dropped.code, dropped.values["dropped"], dropped.values["rows"]) == (
        "rows-dropped", rows, 80,
    )  # fmt: skip
    mean = csi.fit(chain, csi.read_survey(holes, missing="mean"))
    assert (mean.diagnostics[0].code, mean.diagnostics[0].values["cells"]) == (
        "cells-filled",
        cells,
    )
    assert "No findings" not in str(mean.summary())


def test_constructs_measured_by_copies_are_named_under_every_scheme(data):
    model = csi.Model.from_syntax(
        "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nC ~ A + B"
    )
    same = data.assign(b1=data["a1"], b2=data["a2"], b3=data["a3"])
    for scheme in ("path", "factorial", "centroid"):
        with pytest.raises(EstimationError, match="because A and B carry the same information"):
            csi.fit(model, same, csi.PLS(scheme))


def test_a_copied_construct_has_no_path_beyond_1(data):
    model = csi.Model.from_syntax("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A")
    same = data.assign(b1=data["a1"], b2=data["a2"], b3=data["a3"])
    assert set(codes(csi.fit(model, same))) == {"duplicated-item", "constructs-alike"}


@pytest.mark.parametrize("modes", ["A", "B", "unit"])
def test_an_item_that_is_almost_the_sum_of_others_is_named(chain, data, modes):
    noise = 1e-4 * np.random.default_rng(0).standard_normal(80)
    found = csi.fit(chain, data.assign(a3=data["a1"] + data["a2"] + noise), csi.PLS(modes=modes))
    (finding,) = (f for f in found.diagnostics if f.code == "nearly-collinear-items")
    assert finding.values == {"items": ("a1", "a2", "a3")}


def sparse(population, together):
    """Return answers of which two items share a few rows only."""
    data = population(60, seed=3)
    return data.assign(
        a1=data["a1"].mask(data.index < 30), b1=data["b1"].mask(data.index >= 30 + together)
    )


def test_two_items_never_answered_together_are_named(chain, population):
    survey = csi.read_survey(sparse(population, 0), missing="pairwise")
    with pytest.raises(EstimationError) as caught:
        csi.fit(chain, survey)
    assert str(caught.value) == (
        "Items 'a1' and 'b1' have no correlation, because no or too few respondents answered both; "
        "use another missing-data policy or drop one of them."
    )


def test_items_that_share_two_rows_contradict_others_and_are_no_copies(chain, population):
    survey = csi.read_survey(sparse(population, 2), missing="pairwise")
    found = csi.fit(chain, survey)
    assert abs(found.moments.cor[0, 3]) == pytest.approx(1)
    assert "duplicated-item" not in codes(found)
    (finding,) = (f for f in found.diagnostics if f.code.startswith("item-correlations"))
    assert finding.severity == "failure"
    with pytest.raises(EstimationError, match="The item correlations contradict each other"):
        csi.fit(chain, survey, strict=True)


def test_correlations_beyond_1_are_failures():
    items = ["a1", "a2", "b1", "b2", "c1", "c2"]
    cov = np.full((6, 6), 0.3) + 0.7 * np.eye(6)
    cov[[0, 2], [2, 0]] = 2.2
    chain = "A =~ a1 + a2\nB =~ b1 + b2\nC =~ c1 + c2\nB ~ A\nC ~ B"
    found = csi.fit(csi.Model.from_syntax(chain), csi.Moments.from_cov(cov, 100, items))
    failures = {finding.code for finding in found.diagnostics if finding.severity == "failure"}
    assert failures == {"item-correlations-not-positive-definite", "construct-correlation-beyond-1"}
    cov = np.full((3, 3), 0.8) + 0.2 * np.eye(3)
    cov[[0, 1], [1, 0]] = 0.1
    explained = csi.Model.from_syntax("A =~ a1\nB =~ b1\nC =~ c1\nC ~ A + B")
    found = csi.fit(explained, csi.Moments.from_cov(cov, 100, ["a1", "b1", "c1"]))
    (finding,) = (f for f in found.diagnostics if f.code == "explained-variance-above-1")
    assert finding.severity == "failure"
    assert finding.values["name"] == "C"
    assert finding.values["value"] == pytest.approx(1.164, abs=5e-4)


def test_as_many_antecedents_as_rows_allow_are_a_failure(population):
    model = csi.Model.from_syntax(
        "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nC ~ A + B"
    )
    three, four = (csi.fit(model, population(rows)) for rows in (3, 4))
    assert three.r2["C"] == pytest.approx(1)
    (finding,) = (f for f in three.diagnostics if f.code == "no-rows-to-spare")
    assert finding.severity == "failure"
    assert finding.values == {"name": "C", "sources": 2, "count": 3}
    assert "no-rows-to-spare" not in codes(four)


def test_regression_weights_of_as_many_items_as_rows_allow_are_a_failure(population):
    model = csi.Model.from_syntax("A <~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A")
    four, five = (csi.fit(model, population(rows)) for rows in (4, 5))
    scores = four.scores.corr().loc["A", "B"]
    assert abs(scores) == pytest.approx(1)
    (finding,) = (f for f in four.diagnostics if f.code == "no-rows-to-spare")
    assert finding.severity == "failure"
    assert finding.values == {"name": "A", "items": 3, "count": 4}
    assert "no-rows-to-spare" not in codes(five)


# --- lines of findings, from both sides ----------------------------------------------------------


def solution_of(
    n=100, cor=None, effective=None, weights=None, reliability=None, loadings=None, **more
):
    """A solution of two constructs of two items each, C of A and B, with what is asked about."""
    model = csi.Model.from_syntax("A =~ a1 + a2\nB =~ b1 + b2\nC =~ c1 + c2\nC ~ A + B")
    cor = np.eye(6) if cor is None else cor
    names = ["n", "effective_n", "cor"]
    moments = Stub(**dict(zip(names, (n, n if effective is None else effective, cor), strict=True)))
    estimates = Stub(
        outcome=more.pop("outcome", Status.CONVERGED),
        iterations=7,
        weights=np.full(6, 0.5) if weights is None else np.array(weights),
        reliability=np.array(reliability or [0.5] * 3),
        loadings=np.array(loadings or [0.5] * 6),
        construct_cor=more.pop("construct_cor", np.eye(3)),
        inadmissible=more.pop("inadmissible", 0),
    )
    more.setdefault("standardized_paths", more.pop("paths", np.zeros((3, 3))))
    return Stub(model=model, moments=moments, estimates=estimates, **more)


@pytest.mark.parametrize(
    ("n", "effective", "told"),
    [
        (5, 5, [("fewer-rows-than-items", 5)]),
        (6, 6, [("few-rows", 6)]),
        (29, 15, [("few-rows", 29)]),
        (30, 15, []),
        (30, 14.9, [("uneven-weights", 30)]),
    ],
)
def test_rows_from_both_sides(n, effective, told):
    findings = list(diagnostics._rows(solution_of(n, effective=effective)))
    assert [(f.code, f.count) for f in findings] == told
    if told and told[0][0] == "fewer-rows-than-items":
        assert findings[0].values == {"rows": 5, "items": 6}
    if told and told[0][0] == "uneven-weights":
        assert findings[0].values == {"rows": 30, "effective": 14.9}


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(
    ("one", "elsewhere", "told"),
    [(1.0 - 2e-10, 0.0, False), (1.0, 0.0, True), (1.0, 0.9e-4, True), (1.0, 1.1e-4, False)],
)
def test_copies_of_an_item_correlate_alike_with_all_others(sign, one, elsewhere, told):
    cor = np.eye(6)
    cor[0, 1] = cor[1, 0] = sign * one
    cor[0, 4] = cor[4, 0] = 0.5
    cor[1, 4] = cor[4, 1] = sign * (0.5 - elsewhere)
    findings = list(diagnostics._items(solution_of(6, cor=cor)))
    copies = [f.subjects for f in findings if f.code == "duplicated-item"]
    assert copies == [("a1", "a2")] * told


@pytest.mark.parametrize(
    ("smallest", "n", "told"),
    [
        (-1.1e-6, 6, "item-correlations-not-positive-definite"),
        (-0.9e-6, 6, None),  # fewer rows leave zeros of their own
        (0.0, 7, "collinear-items"),
        (0.9e-12, 7, "collinear-items"),
        (1.1e-12, 7, "nearly-collinear-items"),
        (0.9e-6, 7, "nearly-collinear-items"),
        (1.1e-6, 7, None),
        (0.0, 6, None),
    ],
)
def test_items_tied_by_a_formula_from_both_sides(smallest, n, told):
    """Three items whose sum has the variance asked for, and three that hang on nothing."""
    cor = np.eye(6)
    cor[:3, :3] = -0.5 + 1.5 * np.eye(3)
    cor[:3, :3] += smallest * (np.ones((3, 3)) - np.eye(3)) / 2  # eigenvalue of (1, 1, 1)
    findings = list(diagnostics._items(solution_of(n, cor=cor)))
    assert [f.code for f in findings] == [told] * (told is not None)
    for finding in findings:
        if told.startswith("item-"):
            assert finding.values["smallest"] == pytest.approx(smallest, abs=1e-14)
            assert finding.severity == "failure"
        else:
            assert finding.subjects == ("a1", "a2", "b1")


def test_negative_weights_name_item_and_construct(monkeypatch):
    monkeypatch.setattr(diagnostics, "heywood_items", lambda _: ("b2", "c1"))
    solution = solution_of(weights=[0.5, 0.0, -0.1, 0.5, np.nan, -0.2])
    first, second = diagnostics._weights(solution)
    assert first.subjects == ("b1", "B")
    assert first.values == {"item": "b1", "weight": -0.1, "construct": "B", "heywood": ("b2",)}
    assert second.values == {"item": "c2", "weight": -0.2, "construct": "C", "heywood": ("c1",)}
    monkeypatch.setattr(diagnostics, "heywood_items", lambda _: ())
    plain, _ = diagnostics._weights(solution)
    assert plain.values["heywood"] == ()
    assert plain.template != first.template


def test_reliabilities_and_loadings_beyond_their_bounds():
    inside = solution_of(reliability=[0.0, 1.0, 1 + 9e-9], loadings=[1, -1, 0, 0, 0, -1 - 9e-9])
    assert list(diagnostics._admissible(inside)) == []
    beyond = solution_of(reliability=[-0.1, 1.1, 0.5], loadings=[0.5, 1.2, 0.5, 0.5, -1.3, 0.5])
    findings = list(diagnostics._admissible(beyond))
    told = [(f.code, f.subjects, f.values["value"], f.severity) for f in findings]
    assert told == [
        ("reliability-below-0", ("A",), -0.1, "failure"),
        ("reliability-above-1", ("B",), 1.1, "failure"),
        ("loading-above-1", ("a2",), 1.2, "failure"),
        ("loading-above-1", ("c1",), -1.3, "failure"),
    ]


@pytest.mark.parametrize(
    ("flag", "lost", "told"),
    [
        (Inadmissible.NOT_POSITIVE_DEFINITE, False, 1),
        (Inadmissible.NOT_POSITIVE_DEFINITE | Inadmissible.LOADING, False, 1),
        (Inadmissible.NOT_POSITIVE_DEFINITE, True, 0),
        (Inadmissible.LOADING, False, 0),
    ],
)
def test_constructs_whose_correlations_contradict_each_other(flag, lost, told):
    cor = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])
    cor[0, 1] = np.nan if lost else 0.9
    solution = solution_of(construct_cor=cor, inadmissible=int(flag))
    findings = list(diagnostics._admissible(solution))
    assert [f.code for f in findings] == ["construct-correlations-not-positive-definite"] * told
    for finding in findings:
        assert finding.severity == "failure"
        assert finding.values["smallest"] == pytest.approx(1 - 2 * 0.9)


def test_constructs_alike_and_beyond_1():
    cor = np.eye(3)
    cor[1, 0], cor[2, 0], cor[2, 1] = 0.9501, -0.9501, 0.95
    (alike,) = diagnostics._constructs(solution_of(construct_cor=cor, r2=np.zeros(3)))
    assert (alike.code, alike.count, alike.severity) == ("constructs-alike", 2, "warning")
    assert alike.subjects == ("A", "B", "C")
    cor[1, 0], cor[2, 0], cor[2, 1] = 1.1, -1.2, 1 + 9e-9
    findings = list(diagnostics._constructs(solution_of(construct_cor=cor, r2=np.zeros(3))))
    beyond = [(f.subjects, f.values["value"], f.severity) for f in findings[:2]]
    assert beyond == [(("A", "B"), 1.1, "failure"), (("A", "C"), -1.2, "failure")]
    assert [f.code for f in findings[2:]] == ["constructs-alike"]


@pytest.mark.parametrize(
    ("r2", "told"),
    [(1.1, "above-1"), (-0.1, "below-0"), (1 + 9e-9, None), (-9e-9, None), (0.5, None)],
)
def test_explained_variances_beyond_their_bounds(r2, told):
    """Those of one antecedent are said of its correlation."""
    solution = solution_of(r2=np.array([2.0, -2.0, r2]))
    findings = list(diagnostics._constructs(solution))
    assert [(f.code, f.subjects) for f in findings] == [(f"explained-variance-{told}", ("C",))] * (
        told is not None
    )
    assert all(f.values["value"] == r2 for f in findings)


@pytest.mark.parametrize(
    ("first", "second", "sources"),
    [(1.0, -1.0, ()), (1.1, 0.2, ("A",)), (0.2, -1.1, ("B",)), (-1.1, 1.2, ("A", "B"))],
)
def test_paths_beyond_1_where_antecedents_overlap(first, second, sources):
    paths = np.zeros((3, 3))
    paths[2, :2], paths[0, 1] = (first, second), 3.0  # a path of one antecedent is said already
    findings = list(diagnostics._constructs(solution_of(paths=paths, r2=np.zeros(3))))
    assert [(f.code, f.subjects, f.count) for f in findings] == [
        ("path-beyond-1", ("C", *sources), len(sources))
    ] * bool(sources)
    for finding in findings:
        values = {"A": first, "B": second}
        told = tuple(f"{name!r} ({values[name]:.2f})" for name in sources)
        assert finding.values == {"target": "C", "paths": told}
        assert finding.template.startswith("Standardised paths ") == (len(sources) == 2)


@pytest.mark.parametrize("outcome", list(Status))
def test_how_a_fit_ended(outcome):
    findings = list(diagnostics._convergence(solution_of(), outcome))
    if outcome == Status.CONVERGED:
        assert findings == []
        return
    (finding,) = findings
    stopped = outcome == Status.NOT_CONVERGED
    assert (finding.code, finding.severity) == (
        ("not-converged" if stopped else "no-solution"),
        "failure",
    )
    expected = {"iterations": 7} if stopped else {"outcome": outcome.reason}
    assert finding.values == expected
