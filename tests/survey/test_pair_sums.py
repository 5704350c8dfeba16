"""Sums of pairs: those of all members at once, at a cost in proportion to the members."""

import numpy as np
from numpy.testing import assert_allclose

from csimodel.survey.scanning import pair_sums
from csimodel.survey.scanning.pair_sums import PairSums


def members(rng, rows, units, groups):
    return rng.integers(0, units, rows), rng.integers(0, groups, rows), rng.normal(size=(2, rows))


def test_sums_are_those_of_all_members_at_once(monkeypatch):
    monkeypatch.setattr(pair_sums, "_PAIRS", 50)
    rng = np.random.default_rng(1)
    parts = [members(rng, 90, 2 + k, 7) for k in range(40)] + [members(rng, 0, 1, 1)]
    pairs, dense = PairSums(2), np.zeros((2, 50, 7))
    for unit, group, values in parts:
        pairs.add(unit, group, list(values))
        np.add.at(dense, (slice(None), unit, group), values)
    unit, group, sums = pairs.totals()
    assert (np.diff(unit * 7 + group) > 0).all()
    assert_allclose(np.stack(sums), dense[:, unit, group], atol=1e-12)
    matrices, units = pairs.matrices(7)
    assert_allclose([own.toarray() for own in matrices], dense[:, units], atol=1e-12)
    assert_allclose(abs(dense).sum(), abs(dense[:, units]).sum(), rtol=1e-14)


def test_nothing_met_is_no_pair():
    (own,), units = PairSums(1).matrices(3)
    assert own.shape == (0, 3)
    assert len(units) == 0


def test_the_cost_of_members_does_not_grow_with_the_pairs_before_them(monkeypatch):
    monkeypatch.setattr(pair_sums, "_PAIRS", 50)
    passed = []
    summed, merge = pair_sums._summed, PairSums._merge

    def counted(keys, values):
        passed.append(len(keys))
        return summed(keys, values)

    def merged(self):
        passed.append(len(self.keys))
        merge(self)

    monkeypatch.setattr(pair_sums, "_summed", counted)
    monkeypatch.setattr(PairSums, "_merge", merged)
    costs = []
    for batches in (100, 400):
        passed.clear()
        pairs, rng = PairSums(2), np.random.default_rng(1)
        for k in range(batches):
            unit, group, values = members(rng, 100, 20, 3)
            pairs.add(unit + 20 * k, group, list(values))
        costs.append(sum(passed) / (batches * 100))
    assert costs[1] < 1.2 * costs[0]
    assert costs[1] < 10
