"""Groups with equal parameters, invariance, score tests and modification indices."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2
from wordings import row_of

import csimodel as csi
from csimodel.errors import EstimationError, ModelError, OptionError
from csimodel.estimators.covariance.invariance import difference

REFERENCE = Path(__file__).parents[2] / "reference"
LEVELS = ("configural", "metric", "scalar", "strict")


@pytest.fixture(scope="module")
def lavaan(reference):
    return reference("mobi_groups.json")


@pytest.fixture(scope="module")
def score(reference):
    return reference("mobi_score.json")


@pytest.fixture(scope="module")
def frame(mobi):
    groups = pd.read_csv(REFERENCE / "mobi_group.csv")["group"].to_numpy()
    return mobi.data.assign(group=groups)


@pytest.fixture(scope="module")
def cfa(reference):
    text = reference("mobi_lavaan.json")["full_syntax"]
    return csi.Model.from_syntax("\n".join(line for line in text.splitlines() if "=~" in line))


@pytest.fixture(scope="module")
def found(cfa, frame):
    return csi.invariance(cfa, frame, "group")


@pytest.fixture(scope="module")
def reduced(reference):
    return csi.Model.from_syntax(reference("mobi_lavaan.json")["reduced_syntax"])


@pytest.fixture(scope="module")
def equal(reduced, frame):
    return csi.fit_multigroup(reduced, frame, "group", equal=["loadings", "paths"])


@pytest.mark.parametrize("level", LEVELS)
def test_fit_measures_of_every_level_equal_lavaan(found, lavaan, level):
    ours, theirs = found.fits[level].fit_measures, lavaan[level]["fit_measures"]
    names = {"baseline_chisq": "baseline.chisq", "rmsea_lower": "rmsea.ci.lower"}
    same = ("chisq", "df", "npar", "cfi", "tli", "rmsea", "aic", "bic", "logl")
    for name in (*same, *names):
        # lavaan stops at a gradient of some 1e-5
        assert ours[name] == pytest.approx(theirs[names.get(name, name)], rel=1e-7)
    assert ours["srmr"] == pytest.approx(theirs["srmr"], rel=2e-5)


@pytest.mark.parametrize("level", LEVELS)
def test_estimates_of_every_level_equal_lavaan(found, lavaan, level):
    table = found.fits[level].parameters
    keys = zip(table["lhs"], table["op"], table["rhs"], table["group"], strict=True)
    own = {(a, op, b, g): k for k, (a, op, b, g) in enumerate(keys)}
    own |= {(b, op, a, g): k for (a, op, b, g), k in own.items() if op == "~~"}
    theirs = lavaan[level]["estimates"]
    order = lavaan["group_label"]
    compared = 0
    for row in zip(*(theirs[c] for c in ("lhs", "op", "rhs", "group", "est", "se")), strict=True):
        lhs, op, rhs, group, estimate, se = row
        if op == "~1" and level in ("scalar", "strict"):  # lavaan's first group is our second
            compared += 1
            continue
        ours = table.iloc[own[lhs, op, rhs, order[int(group) - 1]]]
        assert ours["estimate"] == pytest.approx(estimate, rel=2e-3, abs=2e-3)
        if se:
            assert ours["se"] == pytest.approx(se, rel=2e-3)
        compared += 1
    assert compared == len(table)


def test_differences_equal_lavaan(found, lavaan):
    table, theirs = found.table, lavaan["lrt"]
    np.testing.assert_allclose(table["chisq_diff"][1:], theirs["Chisq diff"][1:], rtol=1e-6)
    np.testing.assert_array_equal(table["df_diff"][1:], theirs["Df diff"][1:])
    np.testing.assert_allclose(table["p_diff"][1:], theirs["Pr(>Chisq)"][1:], rtol=1e-5)
    assert table["holds"].tolist()[1:] == [True, True, True]
    assert "configural" in repr(found)


def test_equal_paths_equal_lavaan(equal, score):
    assert equal.fit_measures["chisq"] == pytest.approx(score["chisq"], rel=1e-8)
    assert equal.fit_measures["df"] == score["df"]
    paths = equal.parameters.query("op == '~'")
    one, other = (paths[paths["group"] == g]["estimate"].to_numpy() for g in ("g1", "g2"))
    np.testing.assert_array_equal(one, other)


def test_score_tests_equal_lavaan(equal, score):
    ours = equal.score_tests()
    np.testing.assert_allclose(ours["chisq"], score["score"]["X2"], rtol=1e-4)
    assert ours["parameter"].iloc[0] == "Image =~ IMAG2"
    # What a score test promises, freeing the parameter keeps (nearly).
    freed = csi.fit_multigroup(
        equal.fitted.model,
        pd.concat([fit.survey.data.loc[fit.respondents] for fit in equal.fits]),
        "group",
        equal=["loadings", "paths"],
        free="Quality =~ PERQ2",
    )
    step = difference(freed, equal)
    promised = ours.set_index("parameter")["chisq"]["Quality =~ PERQ2"]
    assert step["df_diff"] == 1
    assert step["chisq_diff"] == pytest.approx(promised, rel=0.05)


def test_modification_indices_of_groups_equal_lavaan(equal, score):
    ours, theirs = equal.modification_indices(), pd.DataFrame(score["modindices"])
    top = ours.head(len(theirs))
    assert top["lhs"].tolist() == theirs["lhs"].tolist()
    assert top["rhs"].tolist() == theirs["rhs"].tolist()
    np.testing.assert_allclose(top["mi"], theirs["mi"], rtol=1e-4)
    np.testing.assert_allclose(top["epc"], theirs["epc"], rtol=1e-4)


def test_modification_indices_equal_lavaan(reduced, mobi, reference):
    theirs = pd.DataFrame(reference("mobi_score.json")["reduced_modindices"])
    fit = csi.fit(reduced, mobi, csi.ML())
    top = fit.modification_indices().head(len(theirs))
    assert (
        top[["lhs", "op", "rhs"]].to_numpy().tolist()
        == theirs[["lhs", "op", "rhs"]].to_numpy().tolist()
    )
    for ours, name in (("mi", "mi"), ("epc", "epc"), ("std_epc", "sepc.all")):
        np.testing.assert_allclose(top[ours], theirs[name], rtol=1e-6)


@pytest.mark.parametrize("name", ["cfa", "apart", "targets", "single", "fixed"])
def test_every_modification_index_equals_lavaan(name, mobi, reference):
    case = reference("mobi_modindices.json")[name]
    fit = csi.fit(csi.Model.from_syntax(case["model"]), mobi, csi.ML())
    assert fit.fit_measures["chisq"] == pytest.approx(case["chisq"], abs=1e-6)
    theirs = {
        (op, *(sorted((lhs, rhs)) if op == "~~" else (lhs, rhs))): np.array(values, dtype=float)
        for lhs, op, rhs, *values in zip(
            *(case[key] for key in ("lhs", "op", "rhs", "mi", "epc", "sepc.all")), strict=True
        )
    }
    ours = fit.modification_indices()
    assert len(ours) > 0.9 * len(theirs)  # lavaan's others close a cycle or free a marker
    for row in ours.itertuples():
        key = (row.op, *(sorted((row.lhs, row.rhs)) if row.op == "~~" else (row.lhs, row.rhs)))
        values = [row.mi, row.epc, row.std_epc]
        np.testing.assert_allclose(values, theirs[key], rtol=2e-3, atol=5e-4, err_msg=str(key))


def test_modification_indices_of_groups_without_a_chain_between_constructs(frame):
    model = csi.Model.from_syntax(
        "I =~ IMAG1 + IMAG2 + IMAG3\nE =~ CUEX1 + CUEX2 + CUEX3\nS =~ CUSA1 + CUSA2 + CUSA3\n"
        "S ~ I + E"
    )
    table = csi.fit_multigroup(model, frame, "group").modification_indices()
    assert set(table["group"]) == {"g1", "g2"}
    assert table["mi"].is_monotonic_decreasing


def test_configural_is_every_group_alone(found, cfa, frame):
    fit = found.fits["configural"]
    alone = csi.fit_groups(cfa, frame, "group", csi.ML(means=True))
    for label in ("g1", "g2"):
        np.testing.assert_allclose(
            fit[label].parameters["estimate"],
            alone[label].parameters["estimate"],
            rtol=1e-4,
            atol=1e-5,
        )
    total = sum(alone[label].fit_measures["chisq"] for label in alone)
    assert fit.fit_measures["chisq"] == pytest.approx(total, rel=1e-9)


def test_equal_groups_differ_in_nothing(reduced, mobi):
    frame = pd.concat([mobi.data.assign(g="a"), mobi.data.assign(g="b")], ignore_index=True)
    fit = csi.fit_multigroup(reduced, frame, "g", equal=["loadings", "paths", "intercepts"])
    alone = csi.fit(reduced, mobi, csi.ML())
    np.testing.assert_allclose(fit["a"].paths, alone.paths, atol=1e-7)
    np.testing.assert_allclose(fit["b"].paths, alone.paths, atol=1e-7)
    assert fit.score_tests()["chisq"].max() < 1e-6
    means = fit.parameters.query("op == '~1' and group == 'b'").set_index("lhs")["estimate"]
    np.testing.assert_allclose(means[list(reduced.construct_names)], 0.0, atol=1e-7)


def test_a_fit_of_one_group_has_no_measures_of_its_own(equal):
    with pytest.raises(OptionError) as told:
        equal["g1"].fit_measures  # noqa: B018
    assert str(told.value) == (
        "χ² and what follows from it belong to all groups together; see fit_measures of the "
        "multi-group fit."
    )
    assert "g1" in list(equal)
    with pytest.raises(KeyError, match="There is no group 'g3'; groups are g1 and g2"):
        equal["g3"]
    assert equal.paths.shape == (len(equal.fitted.model.paths), 2)
    assert repr(equal) == (
        "<Fit of 2 groups (g1 and g2) by ML, equal loadings and paths: 250 rows, converged, "
        "2 findings>"
    )


def test_wrong_requests(reduced, frame):
    with pytest.raises(OptionError) as told:
        csi.fit_multigroup(reduced, frame, "group", csi.PLS())
    assert str(told.value) == (
        "Parameters are made equal between groups in covariance structures only, and the "
        "estimator is PLS, path scheme; use csi.ML(), or csi.fit_groups for separate fits."
    )
    with pytest.raises(ModelError) as told:
        csi.fit_multigroup(reduced, frame, "group", equal="loadings", free="Image =~ IMAG22")
    assert str(told.value) == (
        "free='Image =~ IMAG22' is not a parameter of the model (did you mean "
        "'Image =~ IMAG2'?); write it as in the table of parameters, for example "
        "'Image =~ IMAG2'."
    )
    with pytest.raises(OptionError, match="makes one group only; name a column with several"):
        csi.fit_multigroup(reduced, frame.assign(one=1), "one")
    with pytest.raises(OptionError, match="so there is nothing to test"):
        csi.fit_multigroup(reduced, frame, "group").score_tests()
    small = frame.assign(small=np.where(np.arange(250) < 12, "few", "many"))
    with pytest.raises(EstimationError, match="Group few: Nothing was estimated because 12 rows"):
        csi.fit_multigroup(reduced, small, "small")


def test_groups_with_few_rows_are_named(frame):
    model = csi.Model.from_syntax("Quality =~ PERQ1 + PERQ3 + PERQ7")
    small = frame.assign(small=np.where(np.arange(250) < 25, "few", "many"))
    fit = csi.fit_multigroup(model, small, "small")
    (finding,) = (f for f in fit.diagnostics if f.code == "groups-with-few-rows")
    assert finding.values == {"groups": ("few",), "least": 30}
    assert len(row_of(finding).values["groups"]) == 1


@pytest.mark.parametrize("estimator", [csi.ML(), csi.ML(se="mlr"), csi.LeastSquares("uls")])
def test_a_group_of_one_row_is_named(estimator):
    frame = csi.load_mobi().data.assign(g=["x"] * 249 + ["y"])
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ3\nC =~ CUSCO\nS =~ CUSA1 + CUSA2\nS ~ Q + C")
    with pytest.raises(EstimationError, match=r"^Group y: .* there is only 1 row and at least 3"):
        csi.invariance(model, frame, "g", estimator)


def test_a_joint_fit_by_dwls_that_stopped_says_so_of_every_group():
    """A group's findings rest on the moments of the joint fit, fourth-order ones included."""
    survey = csi.load_mobi().data.assign(half=["a", "b"] * 125)
    model = csi.models.ecsi()
    fit = csi.fit_multigroup(model, survey, "half", csi.LeastSquares("dwls", max_iterations=2))
    for group in fit.values():
        assert not group.converged
        assert "not-converged" in [finding.code for finding in group.diagnostics]


def test_score_tests_have_the_p_value_and_the_change_of_one_parameter(equal, frame):
    ours = equal.score_tests()
    np.testing.assert_allclose(ours["p"], chi2.sf(ours["chisq"], 1), rtol=1e-10)
    row = ours.set_index("parameter").loc["Quality =~ PERQ2"]
    freed = csi.fit_multigroup(
        equal.fitted.model,
        pd.concat([fit.survey.data.loc[fit.respondents] for fit in equal.fits]),
        "group",
        equal=["loadings", "paths"],
        free="Quality =~ PERQ2",
    )
    own = f"lhs == 'Quality' and rhs == 'PERQ2' and group == {row['group']!r}"
    before, after = (fit.parameters.query(own) for fit in (equal, freed))
    change = after["estimate"].item() - before["estimate"].item()
    assert row["epc"] == pytest.approx(change, rel=0.1)
