"""A weight of 2 is a row twice and a weight of 0 none, for the estimates of every estimator."""

import numpy as np
import pandas as pd
import pytest
from fuzz.surveys import ESTIMATORS
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.findings import collected

MODEL = csi.Model.from_syntax(
    "Quality =~ PERQ1 + PERQ2 + PERQ3\nValue =~ PERV1 + PERV2\n"
    "Satisfaction =~ CUSA1 + CUSA2 + CUSA3\nValue ~ Quality\nSatisfaction ~ Quality + Value"
)
ITEMS = list(MODEL.items)
RNG = np.random.default_rng(5)
TIMES = RNG.integers(0, 4, 250)
ANSWERS = csi.load_mobi().data[ITEMS].astype(float)
HOLES = ANSWERS.mask(RNG.random(ANSWERS.shape) < 0.06)
FIVE = ANSWERS.apply(lambda own: pd.cut(own, [0, 4, 6, 8, 9, 10], labels=False) + 1.0)
MIXED = {"PLSc mixed": csi.PLS(consistent=True, correlations="polychoric", ordered=ITEMS[:3]),
         "WLSMV mixed": csi.WLSMV(ordered=ITEMS[:3])}  # fmt: skip
ALL = ESTIMATORS | MIXED
INCOMPLETE = ("PLS", "PLSc", "FIML", "two-stage")
QUANTITIES = ("paths", "loadings", "weights", "r2", "total_effects", "construct_cor")


def read(frame, **options):
    return csi.read_survey(frame, scale=(1, 10), items=ITEMS, **options)


def both(frame, **options):
    rows = np.repeat(np.arange(len(frame)), TIMES)
    weighted = read(frame.assign(w=TIMES), weights="w", **options)
    return weighted, read(frame.iloc[rows].reset_index(drop=True), **options)


def assert_alike(surveys, estimator, points=1e-7):
    weighted, repeated = (csi.fit(MODEL, own, estimator) for own in surveys)
    assert weighted.converged == repeated.converged
    for name in QUANTITIES:
        ours, theirs = getattr(weighted, name), getattr(repeated, name)
        assert_allclose(ours, theirs, rtol=1e-7, atol=1e-7, err_msg=name)
    if isinstance(estimator, csi.Semopy):  # which index_scores refuses
        return
    with collected():  # of fits that are no solution, too
        ours, theirs = (csi.index_scores(own)["mean"] for own in (weighted, repeated))
    assert_allclose(ours, theirs, rtol=points)


@pytest.mark.parametrize("name", ALL)
def test_estimates_of_weights_are_those_of_repeated_rows(name):
    ordered = name.startswith(("WLSMV", "PLS ordered", "PLSc mixed"))
    assert_alike(both(FIVE if ordered else ANSWERS), ALL[name])


@pytest.mark.parametrize("name", INCOMPLETE)
def test_so_they_are_where_answers_are_missing(name):
    """Pair by pair each variance has its own n - 1 of rows, which moves item weights a little."""
    by_pairs = name.startswith("PLS")
    assert_alike(both(HOLES, missing="pairwise"), ALL[name], 1e-5 if by_pairs else 1e-7)
