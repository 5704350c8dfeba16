"""Additive moments: however rows are cut and merged, they are the moments of all rows."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.moments import group_moments, moments_of
from csimodel.moments.additive import AdditiveMoments, Block, Memory
from csimodel.moments.fourth import fourth_moments

RNG = np.random.default_rng(5)
ROWS, ITEMS = 240, 4
NEAR = RNG.exponential(size=(ROWS, ITEMS)) @ np.triu(np.ones((ITEMS, ITEMS)))
FAR = np.round(NEAR, 6) + 1e8
WEIGHTS = RNG.random(ROWS) + 0.2


def close(found, expected):
    """Hold to 1e-12 of the largest entry."""
    assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())


def direct(x, w):
    """Return mean, covariances and both Γ by their formulas, about the exact origin of `FAR`."""
    share = w / w.sum()
    mean = share @ x
    d = x - mean
    row, column = np.tril_indices(ITEMS)
    order = np.lexsort((row, column))
    v = np.hstack([d, d[:, row[order]] * d[:, column[order]]])
    v = v - share @ v
    scaled = w * len(x) / w.sum()
    gammas = {
        "probability": (v * scaled[:, None] ** 2).T @ v / len(x),
        "frequency": (v * scaled[:, None]).T @ v / len(x),
    }
    return mean, (d * share[:, None]).T @ d * len(x) / (len(x) - 1.0), gammas


@settings(max_examples=40, deadline=None)
@given(
    cuts=st.sets(st.integers(1, ROWS - 1), max_size=9),
    seed=st.integers(0, 10**6),
    far=st.booleans(),
    weighted=st.booleans(),
    weighting=st.sampled_from(["probability", "frequency"]),
)
def test_any_split_and_any_order_of_merging_gives_the_same(cuts, seed, far, weighted, weighting):
    order = np.random.default_rng(seed)
    values = FAR if far else NEAR
    weights = WEIGHTS if weighted else None
    edges = [0, *sorted(cuts), ROWS]
    parts = [
        AdditiveMoments.of(Block(values[a:b], None if weights is None else weights[a:b]), weighting)
        for a, b in pairwise(edges)
    ]
    while len(parts) > 1:
        first, second = order.choice(len(parts), 2, replace=False)
        merged = parts[first] + parts[second]
        parts = [part for k, part in enumerate(parts) if k not in (first, second)] + [merged]
    (whole,) = parts
    origin = 1e8 if far else 0.0
    mean, cov, gammas = direct(values - origin, WEIGHTS if weighted else np.ones(ROWS))
    close((whole.centre - origin) + whole.shift, mean)
    close(whole.cov, cov)
    close(whole.gamma(weighting), gammas[weighting])
    assert whole.rows == ROWS
    sums = (WEIGHTS.sum(), (WEIGHTS**2).sum()) if weighted else (ROWS, ROWS)
    close(np.array([whole.weight, whole.squared_weight]), np.array(sums))


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_what_is_taken_away_leaves_the_others(weights):
    first, last = (
        AdditiveMoments.of(Block(FAR[own], None if weights is None else weights[own]), "frequency")
        for own in (slice(0, 200), slice(200, ROWS))
    )
    left = first + last - last
    close(left.cov, first.cov)
    close(left.gamma("frequency"), first.gamma("frequency"))
    close((left.centre - 1e8) + left.shift, (first.centre - 1e8) + first.shift)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("step", [7, ROWS])
def test_groups_are_kept_apart_and_add_up(weights, step):
    group = np.sort(RNG.integers(0, 9, ROWS))
    group[group == 4] = 5  # group 4 has no row
    blocks = [
        Block(
            FAR[a : a + step],
            None if weights is None else weights[a : a + step],
            group[a : a + step],
        )
        for a in range(0, ROWS, step)
    ]
    sets = Memory().accumulate(blocks, 9, "probability")
    for code in np.unique(group):
        own = group == code
        alone = Block(FAR[own], None if weights is None else weights[own])
        expected = AdditiveMoments.of(alone, "probability")
        close(sets[int(code)].cov, expected.cov)
        close(sets[int(code)].gamma(), expected.gamma())
    assert sets.rows[4] == 0
    assert np.isnan(sets.cov[4]).all()
    whole = Memory().accumulate(blocks, fourth="probability")
    close(sets.total().cov, whole.cov)
    close(sets.total().gamma(), whole.gamma())


def test_gamma_of_blocks_is_that_of_all_rows():
    blocks = [Block(NEAR[a : a + 50], WEIGHTS[a : a + 50]) for a in range(0, ROWS, 50)]
    whole = Memory().accumulate(blocks, fourth="probability")
    close(whole.gamma(), fourth_moments(NEAR, WEIGHTS))
    frequency = Memory().accumulate(blocks, fourth="frequency")
    close(frequency.gamma("frequency"), fourth_moments(NEAR, WEIGHTS, weighting="frequency"))


def test_items_that_do_not_vary_have_variance_0():
    values = np.hstack([np.full((ROWS, 1), 7.3), NEAR])
    whole = Memory().accumulate([Block(values[:100]), Block(values[100:])])
    assert (whole.cov[0] == 0).all()
    assert whole.mean[0] == 7.3


def test_merged_groups_fit_as_the_whole():
    survey, model = csi.load_mobi(), csi.models.ecsi()
    answers = survey.answers({"": list(model.items)})
    codes = np.arange(250) % 3
    order = np.argsort(codes, kind="stable")
    sets = Memory().accumulate([Block(answers.values[order], None, codes[order])], 3)
    merged = sets.total()
    moments = csi.Moments.from_cov(merged.cov, 250, model.items, merged.mean)
    paths, whole = (csi.fit(model, source).estimates.paths for source in (moments, survey))
    assert_allclose(paths, whole, rtol=1e-11, atol=1e-12)


def test_moments_of_a_sample_and_of_groups_are_additive_moments():
    survey = csi.load_mobi()
    answers = survey.answers({"": list(survey.items)[:6]})
    own = answers.values
    assert_allclose(moments_of(answers).cov, np.cov(own.T), rtol=1e-12)
    codes = np.arange(250) % 4 - 1
    groups = group_moments(answers, codes, 4)
    for code in range(3):
        assert_allclose(groups.cov[code], np.cov(own[codes == code].T), rtol=1e-12)
    assert groups.n[3] == 0
    assert np.isnan(groups.mean[3]).all()


def test_rows_of_several_strides_are_summed():
    """Sums about a centre that is not the mean, over more rows than are multiplied together."""
    values = RNG.normal(3.0, 1.0, (10_000, 2))
    values[:4096] += 5.0
    for weights in (None, RNG.uniform(1.0, 2.0, len(values))):
        own = AdditiveMoments.of(Block(values, weights), None)
        cov = np.cov(values.T, aweights=weights, bias=True)
        close(own.mean, np.average(values, axis=0, weights=weights))
        close(own.cov / own.cov[0, 0], cov / cov[0, 0])
        assert_allclose(own.cov, cov, rtol=1e-3)
