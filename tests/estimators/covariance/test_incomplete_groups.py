"""Incomplete answers in groups, with weights and with clusters, against lavaan."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import EstimationError

REFERENCE = Path(__file__).parents[2] / "reference"
LEVELS = {"configural": (), "metric": ("loadings",), "scalar": ("loadings", "intercepts")}
MEASURES = {
    "chisq": "chisq",
    "df": "df",
    "chisq_scaled": "chisq.scaled",
    "scaling_factor": "chisq.scaling.factor",
    "cfi": "cfi",
    "cfi_robust": "cfi.robust",
    "rmsea_robust": "rmsea.robust",
    "srmr": "srmr",
    "logl": "logl",
}


@pytest.fixture(scope="module")
def lavaan(reference):
    return reference("mobi_gaps_design.json")


@pytest.fixture(scope="module")
def model(lavaan):
    return csi.Model.from_syntax(lavaan["syntax"])


@pytest.fixture(scope="module")
def gaps(mobi):
    mask = pd.read_csv(REFERENCE / "mobi_missing_mask.csv")[list(mobi.data.columns)]
    row = np.arange(1, 251)
    frame = mobi.data.astype(float).mask(mask == 1)
    group = pd.read_csv(REFERENCE / "mobi_group.csv")["group"].to_numpy()
    return frame.assign(w=0.3 + (37 * row % 100) / 50, firm=13 * row % 41, group=group)


def compare(ours, theirs, rel):
    for own, key in MEASURES.items():
        assert ours[own] == pytest.approx(theirs["fit_measures"][key], rel=rel), own


def compare_errors(table, theirs, rel, group=None):
    known = table.set_index(["lhs", "op", "rhs"])
    keys = ("lhs", "op", "rhs", "est", "se", *(["group"] if group else []))
    compared = 0
    for lhs, op, rhs, estimate, se, *own in zip(
        *(theirs["estimates"][k] for k in keys), strict=True
    ):
        if own and own[0] != group:
            continue
        ours = known.loc[(lhs, op, rhs)]
        assert ours["estimate"] == pytest.approx(estimate, rel=rel, abs=1e-4)
        if se:
            assert ours["se"] == pytest.approx(se, rel=rel)
            compared += 1
    return compared


@pytest.mark.parametrize("name", ["plain", "weighted", "clustered"])
def test_full_information_of_a_survey_equals_lavaan(name, model, gaps, lavaan):
    roles = {"weighted": {"weights": "w"}, "clustered": {"cluster": "firm"}}.get(name, {})
    survey = csi.read_survey(gaps, **roles)
    fit = csi.fit(model, survey, csi.ML(missing="fiml", se="robust"))
    assert compare_errors(fit.parameters, lavaan[name], 2e-4) == 30
    compare(fit.fit_measures, lavaan[name], 2e-4)
    assert not [f for f in fit.diagnostics if f.code.startswith("errors-ignore")]


@pytest.mark.parametrize("level", list(LEVELS))
def test_groups_with_gaps_equal_lavaan(level, model, gaps, lavaan):
    estimator = csi.ML(missing="fiml", se="robust")
    fit = csi.fit_multigroup(model, gaps, "group", estimator, equal=LEVELS[level])
    compare(fit.fit_measures, lavaan[level], 2e-4)
    if level == "configural":
        order = list(dict.fromkeys(gaps["group"]))  # lavaan's first group is the file's first
        for number, label in enumerate(order, 1):
            assert compare_errors(fit[label].parameters, lavaan[level], 5e-4, number) == 30


def test_invariance_with_gaps(model, gaps):
    found = csi.invariance(
        model, gaps, "group", csi.ML(missing="two-stage", se="robust"), levels=list(LEVELS)
    )
    assert found.table["df"].tolist() == [48, 54, 60]
    assert found.table["p_diff"].iloc[1:].between(0, 1).all()


@pytest.mark.parametrize(
    "estimator",
    [
        csi.ML(missing="fiml"),
        csi.ML(missing="two-stage", se="robust"),
    ],
    ids=lambda one: one.label,
)
def test_groups_apart_are_their_own_fits(estimator, model, gaps):
    groups = csi.fit_groups(model, gaps, "group", estimator)
    for label in groups:
        alone = csi.fit(model, gaps[gaps["group"] == label], estimator)
        pd.testing.assert_frame_equal(groups[label].parameters, alone.parameters, rtol=1e-5)
    (cells,) = [finding for finding in groups.findings if finding.code == "cells-missing"]
    assert cells.values["estimator"] == estimator.label


def test_least_squares_by_group(model, mobi):
    frame = mobi.data.assign(g=["a", "b"] * 125)
    estimator = csi.LeastSquares("dwls")
    groups = csi.fit_groups(model, frame, "g", estimator)
    alone = csi.fit(model, frame[frame["g"] == "b"], estimator)
    pd.testing.assert_frame_equal(groups["b"].parameters, alone.parameters, rtol=1e-5)
    joint = csi.fit_multigroup(model, frame, "g", estimator)
    assert joint["b"].paths.loc["Value", "Quality"] == pytest.approx(
        alone.paths.loc["Value", "Quality"], rel=1e-4
    )


def test_a_group_whose_answers_determine_nothing_says_so(model, gaps):
    frame = gaps.assign(group=np.where(np.arange(250) < 8, "few", "many"))
    groups = csi.fit_groups(model, frame, "group", csi.ML(missing="fiml"))
    assert groups.converged.to_dict() == {"few": False, "many": True}
    codes = {finding.code for finding in groups["few"].diagnostics}
    assert codes & {"singular-items", "constant-item", "unpaired-items"}
    with pytest.raises(EstimationError, match=r"^Group few: Nothing was estimated because"):
        csi.fit_multigroup(model, frame, "group", csi.ML(missing="fiml"))
