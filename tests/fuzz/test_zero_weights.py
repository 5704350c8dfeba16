"""A weight of 0 is a row that was never read, whatever is called."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel import floats
from fuzz.surveys import Recipe
from fuzz.zero_weights import differences

PLAIN = Recipe(
    seed=11, rows=90, blocks=(2, 3, 2), paths="dense", kinds="reflective", names="plain",
    answers="1-10", strength=0.7, oddity="", missing="", policy="listwise", weights="random",
    design="", groups="two", dtype="float64", scale="known", outcome="related",
    estimators=("PLS",), floats="warn",
)  # fmt: skip
DESIGN = {"design": "both", "missing": "some"}
ESTIMATORS = ("PLS B", "PLSc", "GSCA", "PLS ordered", "ML", "MLR", "FIML", "DWLS", "WLSMV")
# Together every part of tests/fuzz/calls.py that is given a survey.
CASES = {
    "estimators": ({"estimators": ESTIMATORS}, ["fits", "changes", "chi_square", "journal_tables"]),
    "alike": ({}, [
        "inference", "of_design", "instruments", "judgement", "index", "moderated", "predictions",
        "necessity", "hidden_segments", "further_assessments", "groups_compared", "complaints",
        "models_of_outcomes", "programme", "report", "measured", "money", "files", "languages",
    ]),
    "strata and clusters": (DESIGN, [
        "inference", "of_design", "weights", "imputations", "index", "predictions", "groups",
        "regressions", "of_index", "measured", "reading", "complaints",
    ]),
    "pair by pair": (DESIGN | {"policy": "pairwise", "estimators": ("PLS", "FIML")}, [
        "fits", "inference", "of_design", "index", "weights",
    ]),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _as_users_have_it(monkeypatch):
    """Numbers without a value are NaN without a warning of NumPy's, as outside the tests."""
    for kind in floats.STATE:
        monkeypatch.setitem(floats.STATE, kind, "ignore")


@pytest.mark.parametrize("name", CASES)
def test_every_answer_is_that_without_the_rows(name):
    changed, parts = CASES[name]
    for part in parts:
        told = [
            f"{part}: {call}: {what}"
            for call, what in differences(replace(PLAIN, **changed), [part])
        ]
        assert not told, "\n".join(told)


def with_and_without(**columns):
    """Return mobi with 30 rows of weight 0 at its head that hold other cells, and without them."""
    frame = csi.load_mobi().data.astype(float)
    frame = frame.assign(
        w=1.0 + np.arange(250) % 3,
        half=np.where(np.arange(250) % 2, "a", "b"),
        again=np.arange(250) % 7 > 2,
    )
    light = frame.head(30).assign(w=0.0, **columns)
    return pd.concat([light, frame], ignore_index=True), frame


def segments(frame, outcome, family):
    model = csi.Model.from_syntax("A =~ CUSA1 + CUSA2\nB =~ CUSL1\nB ~ A")
    survey = csi.read_survey(frame, scale=(1, 10), items=list(model.items), weights="w")
    index = frame["CUSA3"] * 10
    return csi.outcomes.repurchase_segments(
        survey, outcome, "half", index=index, family=family, progress=False
    )


@pytest.mark.parametrize(
    ("outcome", "family", "cells"),
    [
        ("again", "logit", {"again": 99.0}),
        ("again", "logit", {"half": "nobody"}),
        ("again", "logit", {"CUSA3": np.nan}),
    ],
)
def test_cells_of_rows_without_weight_are_not_looked_at(outcome, family, cells):
    """Codes outside the scale, a segment of its own, missing cells."""
    found, alone = (segments(frame, outcome, family) for frame in with_and_without(**cells))
    assert list(found.table.index) == list(alone.table.index)
    for name in ("effect", "se", "lower", "upper", "p"):
        assert_allclose(found.table[name], alone.table[name], rtol=1e-8)
    (left,) = [own for own in found.findings if own.code == "rows-left-out"]
    assert (left.count, left.values["total"], left.subjects) == (30, 280, ("weight",))


def test_replicates_given_with_the_data_take_no_row_without_a_weight():
    """Not even where a replicate counts it, as one made before the weight was cut may."""
    model = csi.Model.from_syntax("A =~ CUSA1 + CUSA2\nB =~ CUSL1\nB ~ A")
    tables = []
    for frame in with_and_without():
        halves = (
            np.random.default_rng(3).integers(0, 2, (250, 8))
            * 2.0
            * frame["w"].to_numpy()[-250:, None]
        )
        halves = np.vstack([np.ones((len(frame) - 250, 8)), halves])
        frame = frame.join(pd.DataFrame(halves, columns=[f"r{k}" for k in range(8)]))
        survey = csi.read_survey(
            frame, scale=(1, 10), items=list(model.items), weights="w", replicate_weights="r*",
            replicate_method="brr",
        )  # fmt: skip
        fit = csi.fit(model, survey)
        tables += [csi.index_scores(fit), csi.replicate(fit, progress=False).table("paths")]
    for found, alone in (tables[::2], tables[1::2]):
        numbers = found.select_dtypes("number").columns
        assert_allclose(found[numbers], alone[numbers], rtol=1e-8)


def test_a_firm_without_any_weight_is_named_and_counts_nowhere():
    frame, alone = with_and_without(half="nobody")
    model = csi.Model.from_syntax("A =~ CUSA1 + CUSA2\nB =~ CUSL1\nB ~ A")
    made, plain = (
        csi.programme(
            model, csi.read_survey(own.assign(wave=1), scale=(1, 10), items=list(model.items), weights="w"),
            "half", "wave",
        )
        for own in (frame, alone)
    )  # fmt: skip
    (empty,) = [own for own in made.findings if own.code == "groups-without-rows"]
    assert empty.count == 1
    scores = made.scores.loc[plain.scores.index]
    numbers = scores.select_dtypes("number").columns
    assert_allclose(scores[numbers], plain.scores[numbers], rtol=1e-8)
