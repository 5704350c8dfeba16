"""Resampling designs as counts."""

import numpy as np
import pytest

from csimodel.moments import Design

STRATA = np.repeat([0, 1, 2], [10, 20, 30])
CLUSTER = np.repeat(np.arange(12), 5)


def all_counts(design):
    return np.concatenate(list(design))


def test_every_draw_has_as_many_rows_as_the_sample():
    counts = all_counts(Design("multinomial", 60, 700, seed=1))
    assert counts.shape == (700, 60)
    assert (counts.sum(axis=1) == 60).all()
    assert abs(counts.mean() - 1) < 1e-12
    assert abs(counts.var() - (1 - 1 / 60)) < 0.02


def test_strata_keep_their_size():
    counts = all_counts(Design("stratified", 60, 50, seed=1, strata=STRATA))
    for stratum, size in enumerate([10, 20, 30]):
        assert (counts[:, STRATA == stratum].sum(axis=1) == size).all()


def test_clusters_are_drawn_whole():
    counts = all_counts(Design("cluster", 60, 50, seed=1, cluster=CLUSTER))
    by_cluster = counts.reshape(50, 12, 5)
    assert (by_cluster == by_cluster[:, :, :1]).all()
    assert (by_cluster[:, :, 0].sum(axis=1) == 12).all()


def test_clusters_within_strata():
    strata = np.repeat([0, 1], 30)
    counts = all_counts(Design("cluster", 60, 50, seed=1, strata=strata, cluster=CLUSTER))
    assert (counts[:, :30].sum(axis=1) == 30).all()


def test_poisson_counts_are_independent():
    counts = all_counts(Design("poisson", 60, 400, seed=1))
    assert abs(counts.mean() - 1) < 0.03
    assert counts.sum(axis=1).std() > 5


def test_a_block_can_be_made_again_and_streams_differ():
    design = Design("multinomial", 60, 2000, seed=5)
    assert np.array_equal(design.counts(2), design.counts(2))
    assert not np.array_equal(design.counts(0), design.counts(1))


@pytest.mark.parametrize("rows", [3, 250, 100_000])
def test_blocks_cover_all_draws_once(rows):
    design = Design("multinomial", rows, 1300, seed=0)
    covered = np.concatenate([np.arange(1300)[design.span(b)] for b in range(design.blocks)])
    assert np.array_equal(covered, np.arange(1300))


def test_given_rows_are_counted():
    design = Design("given", 4, 2, indices=np.array([[0, 0, 3], [1, 2, 2]]))
    assert np.array_equal(design.counts(0), [[2, 0, 0, 1], [0, 1, 2, 0]])
