"""Resampling designs as counts."""

import numpy as np
import pytest
from scipy.stats import binom, chi2
from scipy.stats import poisson as poisson_law

from csimodel.moments import Resampling, copies, resampling
from csimodel.moments.copies import _table, poisson

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


DESIGNS = [
    Resampling("multinomial", 60, 700, seed=1),
    Resampling("multinomial", 9_001, 700, seed=1),
    Resampling("stratified", 60, 700, seed=1, strata=STRATA),
    Resampling("cluster", 60, 700, seed=1, cluster=CLUSTER),
    Resampling("poisson", 60, 700, seed=1),
]


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: f"{design.kind}{design.rows}")
def test_a_draw_depends_on_its_number_alone(design, monkeypatch):
    some = design.counts(1)[5]
    number = design.span(1).start + 5
    assert np.array_equal(design.copies(slice(number, number + 1)).counts[0], some)
    monkeypatch.setattr(resampling, "_LARGEST_BLOCK", 16)
    assert design.span(number // 16).start != design.span(1).start or design.block_size == 16
    assert np.array_equal(design.counts(number // 16)[number % 16], some)
    monkeypatch.undo()
    parts = design.spans(64)
    assert [part.start for part in parts[:4]] == [0, 8, 72, 136]
    assert [part.stop for part in parts] == [*(part.start for part in parts[1:]), design.draws]


def test_streams_do_not_repeat():
    counts = Resampling("multinomial", 60, 4_000, seed=1).copies(slice(0, 4_000)).numbers
    assert len(np.unique(counts, axis=0)) == 4_000


def test_many_units_have_multinomial_counts():
    """Counts binomial, any two of them correlated by -1/(units - 1), totals exact."""
    units, draws = 5_000, 400
    counts = Resampling("multinomial", units, draws, seed=2).copies(slice(0, draws)).numbers
    assert (counts.sum(axis=1) == units).all()
    seen = np.bincount(counts.ravel(), minlength=7)[:7]
    expected = binom.pmf(np.arange(7), units, 1.0 / units) * counts.size
    assert chi2.sf(((seen - expected) ** 2 / expected).sum(), 6) > 0.001
    half = counts[:, : units // 2].sum(axis=1, dtype=float)
    assert abs(half.var(ddof=1) / (units / 4) - 1) < 4 * np.sqrt(2 / draws)
    by_unit = counts.sum(axis=0, dtype=float)
    assert chi2.sf(((by_unit - draws) ** 2 / draws).sum(), units - 1) > 0.001


def test_large_and_small_strata_together():
    strata = np.repeat([1, 0, 2], [6_000, 40, 1])[np.random.default_rng(1).permutation(6_041)]
    design = Resampling("stratified", 6_041, 16, seed=1, strata=strata, lonely="certainty")
    copies = design.copies(slice(0, 16))
    for stratum, size in ((1, 6_000), (0, 40)):
        own = copies.numbers[:, strata == stratum]
        assert (own.sum(axis=1) == size - 1).all()
        assert own.std() > 0.8
        assert np.allclose(copies.factor[strata == stratum], size / (size - 1))
    assert (copies.counts[:, strata == 2] == 1).all()


@pytest.mark.parametrize("rate", [1.0, 0.9])
def test_poisson_numbers_are_the_inverse_of_their_chances(rate):
    table, cumulative = _table(rate)
    low, high = ((np.arange(2**16) + end) / 2**16 for end in (0.0, 1.0))
    number = poisson_law.ppf(np.nextafter(low, 1.0), rate)
    decided = table != 255
    assert np.array_equal(table[decided], number[decided])
    assert np.array_equal(poisson_law.ppf(np.nextafter(high, 0.0), rate)[decided], number[decided])
    assert 5 < (~decided).sum() < 12
    assert np.allclose(cumulative[:12], poisson_law.cdf(np.arange(12), rate), rtol=1e-14)


class Words:
    """A generator that gives the words and uniform numbers of a test."""

    def __init__(self, words, chance):
        self.bit_generator, self.words, self.chance = self, words, chance

    def random_raw(self, size):
        return np.resize(self.words, 4 * size).astype(np.uint16).view(np.uint64)

    def random(self, size):
        return np.full(size, self.chance)


@pytest.mark.parametrize(("chance", "number"), [(0.0, 0), (0.999, 1)])
def test_a_word_on_a_border_is_decided_by_more_bits(chance, number):
    word = int(np.exp(-1.0) * 2**16)
    numbers = np.empty(4, dtype=np.uint8)
    poisson(Words([word], chance), 1.0, numbers)
    assert (numbers == number).all()


def test_a_row_given_hundreds_of_times_is_counted():
    design = Resampling("given", 4, 1, indices=np.full((1, 1_000), 2))
    assert np.array_equal(design.counts(0), [[0, 0, 1_000, 0]])


def test_draws_are_made_once_where_they_are_few_and_are_the_same(monkeypatch):
    """In any order, and where they are too many to be kept."""
    streams, fill = [], Resampling._fill

    def counted(design, rng, drawn):
        streams.append(len(drawn))
        fill(design, rng, drawn)

    monkeypatch.setattr(Resampling, "_fill", counted)
    for kind in ({"kind": "stratified", "strata": STRATA}, {"kind": "poisson", "cluster": CLUSTER}):
        streams.clear()
        kept = Resampling(rows=60, draws=100, seed=2, **kind)
        late = kept.copies(slice(33, 70)).counts
        late += 1.0  # a user's own array
        numbers = kept.copies(slice(0, 100)).numbers
        assert len(streams) == 13
        again = kept.copies(slice(0, 100))
        assert len(streams) == 13
        with monkeypatch.context() as few:
            few.setattr(resampling, "_KEPT", 0)
            other = Resampling(rows=60, draws=100, seed=2, **kind)
            assert np.array_equal(other.copies(slice(0, 100)).counts, again.counts)
            assert np.array_equal(other.copies(slice(0, 100)).numbers, numbers)
        assert len(streams) == 39


@pytest.mark.parametrize("few", [4, 5])
def test_as_many_units_are_drawn_as_are_there_in_both_ways(few, monkeypatch):
    monkeypatch.setattr(copies, "_FEW", few)
    numbers = np.zeros((7, 11), dtype=np.uint8)
    copies.Urns(np.array([5, 6]), np.array([5, 6])).draw(np.random.default_rng(1), numbers)
    assert (numbers[:, :5].sum(axis=1) == 5).all()
    assert (numbers[:, 5:].sum(axis=1) == 6).all()
