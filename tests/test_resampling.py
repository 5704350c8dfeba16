"""Resampling designs as counts."""

import numpy as np
import pytest

from csimodel.moments import Resampling

STRATA = np.repeat([0, 1, 2], [10, 20, 30])
CLUSTER = np.repeat(np.arange(12), 5)


def all_counts(design):
    return np.concatenate(list(design))


def test_every_draw_has_as_many_rows_as_the_sample():
    counts = all_counts(Resampling("multinomial", 60, 700, seed=1))
    assert counts.shape == (700, 60)
    assert (counts.sum(axis=1) == 60).all()
    assert abs(counts.mean() - 1) < 1e-12
    assert abs(counts.var() - (1 - 1 / 60)) < 0.02


def test_strata_keep_their_size():
    counts = all_counts(Resampling("stratified", 60, 50, seed=1, strata=STRATA))
    for stratum, size in enumerate([10, 20, 30]):
        part = counts[:, stratum == STRATA]
        assert np.allclose(part.sum(axis=1), size)
        assert set(np.round(np.unique(part * (size - 1) / size), 9)) <= set(range(size))


def test_clusters_are_drawn_whole():
    counts = all_counts(Resampling("cluster", 60, 50, seed=1, cluster=CLUSTER))
    by_cluster = counts.reshape(50, 12, 5)
    assert (by_cluster == by_cluster[:, :, :1]).all()
    assert np.allclose(by_cluster[:, :, 0].sum(axis=1), 12)


def test_clusters_within_strata():
    strata = np.repeat([0, 1], 30)
    counts = all_counts(Resampling("cluster", 60, 50, seed=1, strata=strata, cluster=CLUSTER))
    assert np.allclose(counts[:, :30].sum(axis=1), 30)


def test_poisson_counts_are_independent():
    counts = all_counts(Resampling("poisson", 60, 400, seed=1))
    assert abs(counts.mean() - 1) < 0.03
    assert counts.sum(axis=1).std() > 5


def test_a_block_can_be_made_again_and_streams_differ():
    design = Resampling("multinomial", 60, 2000, seed=5)
    assert np.array_equal(design.counts(2), design.counts(2))
    assert not np.array_equal(design.counts(0), design.counts(1))


@pytest.mark.parametrize("rows", [3, 250, 100_000])
def test_blocks_cover_all_draws_once(rows):
    design = Resampling("multinomial", rows, 1300, seed=0)
    covered = np.concatenate([np.arange(1300)[design.span(b)] for b in range(design.blocks)])
    assert np.array_equal(covered, np.arange(1300))


def test_given_rows_are_counted():
    design = Resampling("given", 4, 2, indices=np.array([[0, 0, 3], [1, 2, 2]]))
    assert np.array_equal(design.counts(0), [[2, 0, 0, 1], [0, 1, 2, 0]])


def test_a_lonely_unit_stays():
    strata = np.array([0, 0, 0, 1, 0])
    counts = all_counts(Resampling("stratified", 5, 30, seed=1, strata=strata, lonely="certainty"))
    assert (counts[:, 3] == 1).all()


def test_poisson_draws_whole_clusters():
    counts = all_counts(Resampling("poisson", 60, 50, seed=1, cluster=CLUSTER)).reshape(50, 12, 5)
    assert (counts == counts[:, :, :1]).all()


@pytest.mark.parametrize("kind", ["stratified", "cluster"])
def test_the_variance_of_a_total_is_the_design_variance(kind):
    """Σ_h m_h/(m_h - 1) Σ (z - z̄_h)² over units of each stratum."""
    strata, z = np.repeat([0, 1, 2], [2, 3, 5]), np.arange(10.0) ** 2
    given = {"strata": strata, "cluster": np.arange(10) if kind == "cluster" else None}
    totals = all_counts(Resampling(kind, 10, 60_000, seed=1, **given)) @ z
    expected = sum(z[strata == h].var(ddof=1) * (strata == h).sum() for h in range(3))
    assert abs(totals.var() / expected - 1) < 0.03
    assert abs(totals.mean() / z.sum() - 1) < 0.01


@pytest.mark.parametrize("kind", ["multinomial", "poisson"])
def test_counts_by_group_are_counts_summed(kind):
    design = Resampling(kind, 9_001, 40, seed=3)
    group = np.arange(9_001) % 7
    sums = np.stack([design.counts(0)[:, group == g].sum(axis=1) for g in range(7)], axis=1)
    assert np.array_equal(design.grouped(0, group, 7), sums)


def test_plain_draws_are_one_stream_however_they_are_made(monkeypatch):
    from csimodel.moments import resampling

    whole = Resampling("multinomial", 999, 30, seed=3).counts(0)
    monkeypatch.setattr(resampling, "_TOGETHER", 1_998)
    assert np.array_equal(Resampling("multinomial", 999, 30, seed=3).counts(0), whole)
