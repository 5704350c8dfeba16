"""Values that only rounding parts are one value."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

import csimodel as csi
from csimodel.outcomes import complaint_repurchase, repurchase_shape, repurchase_top_drop
from csimodel.outcomes.models.shape.isotonic import fit_steps
from csimodel.outcomes.prediction.recalibration import groups_of
from csimodel.outcomes.rows.ties import settled

LEVELS = np.array([20.0, 100 / 3, 200 / 3, 75.0, 100.0])


@pytest.fixture(scope="module")
def parted():
    """Five levels of an index, 60 times each, the last digits at random."""
    rng = np.random.default_rng(1)
    place = np.repeat(np.arange(5), 60)
    index = LEVELS[place] * (1.0 + rng.integers(-40, 41, 300) * np.finfo(float).eps)
    outcome = (rng.random(300) < 0.1 + 0.15 * place).astype(float)
    return place, index, outcome


def test_ties_are_settled(parted):
    place, index, _ = parted
    assert len(np.unique(index)) > 100
    values, again = np.unique(settled(index), return_inverse=True)
    assert len(values) == 5
    assert_array_equal(again, place)
    assert_array_equal(settled(LEVELS), LEVELS)
    assert_array_equal(settled(np.array([])), [])
    gaps = np.array([np.nan, 1.0, np.inf, 1.0 + 1e-15, np.nan])
    assert_array_equal(settled(gaps), [np.nan, 1.0, np.inf, 1.0, np.nan])
    assert_array_equal(settled(index, (100 / 3,))[place == 1], np.full(60, 100 / 3))


def test_steps_are_those_of_the_levels(parted):
    place, index, outcome = parted
    values, means = fit_steps(index, outcome, np.ones(300), True)
    exact, expected = fit_steps(LEVELS[place], outcome, np.ones(300), True)
    assert len(values) == len(exact) == 5
    assert_array_equal(means, expected)


def test_tenths_keep_ties_together(parted):
    place, index, _ = parted
    share = np.full(300, 1 / 300)
    assert_array_equal(groups_of(index, share, 4), groups_of(LEVELS[place], share, 4))


def test_shapes_count_levels_once(parted):
    """Four levels that rounding makes hundreds have no room for a hinge, which needs five."""
    place, index, outcome = parted
    few = place < 4
    rep = csi.repurchase(index=index[few], outcome=outcome[few])
    with pytest.raises(csi.errors.EstimationError, match="only 4 different values"):
        repurchase_shape(rep, "hinge", draws=20)


@pytest.mark.parametrize("given", [{}, {"top": (100, 100), "below": (200 / 3, 75)}])
def test_the_drop_below_the_top_is_that_of_the_levels(parted, given):
    place, index, outcome = parted
    found, exact = (
        repurchase_top_drop(
            pd.DataFrame({"happy": happy, "again": outcome}),
            satisfaction="happy", repurchase="again", **given,
        ).table
        for happy in (index, LEVELS[place])
    )  # fmt: skip
    pd.testing.assert_frame_equal(found, exact)


def test_who_is_satisfied_is_a_matter_of_the_levels(parted):
    place, index, outcome = parted
    spoke = np.arange(300) % 3 == 0
    rest = {"complained": spoke.astype(float), "handled": LEVELS[(place * 2) % 5], "again": outcome}
    bounds = {"satisfied_from": 200 / 3, "dissatisfied_to": 100 / 3, "well_from": 200 / 3}
    found, exact = (
        complaint_repurchase(
            pd.DataFrame({"happy": happy, **rest}), complained="complained", handling="handled",
            repurchase="again", satisfied="happy", **bounds,
        )
        for happy in (index, LEVELS[place])
    )  # fmt: skip
    pd.testing.assert_frame_equal(found.table, exact.table)
    pd.testing.assert_frame_equal(found.rates, exact.rates)
