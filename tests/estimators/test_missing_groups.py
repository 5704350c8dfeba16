"""Moments of incomplete answers by group: lavaan's (`scripts/mobi_missing_groups.R`), and laws."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csimodel as csi

REFERENCE = Path(__file__).parents[1] / "reference"
LAVAAN = json.loads((REFERENCE / "mobi_missing_groups.json").read_text(encoding="utf-8"))
ITEMS = LAVAAN["items"]
MODEL = csi.Model.from_syntax("A =~ CUSA1 + CUSA2 + CUSA3\nL =~ CUSL1 + CUSL3 + CUSCO\nL ~ A")
FULL, TWO_STAGE = csi.ML(missing="fiml"), csi.ML(missing="two-stage")


def survey(rows=slice(None), **options):
    mask = pd.read_csv(REFERENCE / "mobi_missing_mask.csv")[ITEMS].to_numpy() == 1
    frame = pd.read_csv(REFERENCE / "mobi_survey_data.csv")
    frame = frame.assign(**frame[ITEMS].astype(float).mask(mask))
    frame = frame.assign(group=pd.read_csv(REFERENCE / "mobi_group.csv")["group"], everybody="all")
    return csi.read_survey(
        frame[rows].reset_index(drop=True), scale=(1, 10), items=ITEMS, missing="pairwise",
        **options,
    )  # fmt: skip


def assert_saturated(moments, theirs):
    """Covariances are those of a sample, n - 1 below, as of complete answers."""
    n = float(moments.n)
    np.testing.assert_allclose(moments.mean, theirs["mean"], atol=1e-9)
    np.testing.assert_allclose(moments.cov * (n - 1) / n, theirs["cov"], atol=1e-7)


def test_all_respondents_have_lavaans_saturated_moments():
    assert_saturated(csi.fit(MODEL, survey(), FULL).moments, LAVAAN["all"])


@pytest.mark.parametrize("estimator", [FULL, TWO_STAGE], ids=["full", "two-stage"])
def test_groups_have_lavaans_saturated_moments(estimator):
    fits = csi.fit_groups(MODEL, survey(), "group", estimator)
    for name, theirs in LAVAAN["groups"].items():
        assert_saturated(fits[name].moments, theirs)


def test_groups_of_a_joint_fit_have_lavaans_saturated_moments():
    joint = csi.fit_multigroup(MODEL, survey(), "group", FULL)
    for name, theirs in LAVAAN["groups"].items():
        assert_saturated(joint[name].moments, theirs)


@pytest.mark.parametrize("weights", [None, "weight"])
@pytest.mark.parametrize(
    "estimator",
    [csi.PLS(), csi.ML(), FULL, TWO_STAGE],
    ids=["PLS", "ML", "full", "two-stage"],
)
def test_a_group_is_its_rows_and_one_of_all_is_all(estimator, weights):
    read = survey(weights=weights)
    pairs = [
        (csi.fit_groups(MODEL, read, "everybody", estimator)["all"], read),
        (
            csi.fit_groups(MODEL, read, "group", estimator)["g1"],
            survey(read.data["group"] == "g1", weights=weights),
        ),
    ]
    for group, rows in pairs:
        alone = csi.fit(MODEL, rows, estimator)
        for name in ("n", "mean", "cov", "effective_n"):
            ours, theirs = (np.squeeze(getattr(own.moments, name)) for own in (group, alone))
            np.testing.assert_allclose(ours, theirs, rtol=1e-12)
        pd.testing.assert_frame_equal(group.paths, alone.paths)


def test_indexes_of_groups_have_that_of_all_as_their_mean():
    """By full information a member is expected to have answered as all do, given his answers."""
    fit = csi.fit(MODEL, survey(weights="weight"), FULL)
    groups = csi.index_scores(fit, by="group")["mean"].unstack("construct")
    share = fit.survey.data.groupby("group")["weight"].sum() / fit.survey.data["weight"].sum()
    whole = csi.index_scores(fit)["mean"]
    for name in whole.index:
        assert groups[name] @ share == pytest.approx(whole[name], abs=1e-8)
