"""Sums of products over resamples: packed or not, they are the sums."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.moments import CrossProducts, Resampling, resample_sums
from csimodel.moments.copies import Copies
from csimodel.moments.resample_sums import Packing

RNG = np.random.default_rng(11)


def products_of(width, missing, rows=3_000, weights=False):
    """Return the products of answers on a scale of 1 … width, or of numbers with digits."""
    shape = (rows, 5)
    frame = pd.DataFrame(RNG.integers(1, width, shape, endpoint=True) * 1.0, columns=list("abcde"))
    if width == 3:
        frame += RNG.random(shape)
    if missing != "error":
        frame = frame.mask(RNG.random(shape) < 0.1)
    frame["w"] = RNG.random(rows) + 0.5
    survey = csi.read_survey(frame, missing=missing, weights="w" if weights else None)
    return CrossProducts.of(survey.answers({"": list("abcde")}))


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("missing", ["error", "pairwise", "mean"])
@pytest.mark.parametrize(("width", "fields"), [(5, 3), (10, 3), (200, 2), (20_000, 1), (3, 1)])
def test_moments_of_resamples_are_those_of_the_rows_drawn(width, fields, missing, weights):
    products = products_of(width, missing, weights=weights)
    answers = products.answers
    assert Packing.of(products._largest_products).fields == fields
    copies = Resampling("multinomial", len(products.answers.values), 9, seed=4).copies(slice(0, 9))
    batch = products.resampled(copies)
    for draw in (0, 8):
        rows = np.repeat(np.arange(copies.numbers.shape[1]), copies.numbers[draw])
        own = products_of_rows(answers, rows).sample()
        assert_allclose(batch.mean[draw], own.mean, rtol=1e-12)
        assert_allclose(batch.cov[draw], own.cov, rtol=1e-10, atol=1e-12)
        assert_allclose(batch.n[draw], own.n)
        assert_allclose(batch.effective_n[draw], own.effective_n, rtol=1e-12)


def products_of_rows(answers, rows):
    return CrossProducts.of(answers.part(rows))


def test_one_answer_far_off_leaves_other_rows_packed(monkeypatch):
    values = RNG.integers(1, 10, (3_000, 5), endpoint=True) * 1.0
    values[1_500, 2] = 400.0
    survey = csi.read_survey(pd.DataFrame(values, columns=list("abcde")))
    products = CrossProducts.of(survey.answers({"": list("abcde")}))
    assert Packing.of(products._largest_products).fields == 3
    copies = Resampling("multinomial", 3_000, 9, seed=4).copies(slice(0, 9))
    plain, starts = resample_sums._PackedSums.add_plain, []

    def noted(sums, own, times, where):
        starts.extend(where)
        plain(sums, own, times, where)

    monkeypatch.setattr(resample_sums._PackedSums, "add_plain", noted)
    packed = products.resampled(copies)
    assert len(starts) == 1
    assert np.array_equal(packed.cov, products.resampled(copies.counts).cov)


def test_clusters_drawn_often_shorten_stretches_instead_of_ending_packing(monkeypatch):
    products = products_of(10, "error", rows=90_000)
    numbers = np.repeat(RNG.poisson(1.0, (9, 180)), 500, axis=1).astype(np.uint8)
    plain, starts = resample_sums._PackedSums.add_plain, []

    def noted(sums, own, times, where):
        starts.extend(where)
        plain(sums, own, times, where)

    monkeypatch.setattr(resample_sums._PackedSums, "add_plain", noted)
    packed = products.resampled(Copies(numbers))
    assert len(starts) < 90_000 / resample_sums._DEPTH / 4
    assert np.array_equal(packed.cov, products.resampled(numbers * 1.0).cov)


@pytest.mark.parametrize("weights", [False, True])
def test_packed_sums_are_exact(weights):
    products = products_of(10, "pairwise", weights=weights)
    copies = Resampling("multinomial", len(products.answers.values), 9, seed=4).copies(slice(0, 9))
    packed, plain = products.resampled(copies), products.resampled(copies.counts)
    if weights:
        assert_allclose(packed.cov, plain.cov, rtol=1e-12)
    else:
        assert np.array_equal(packed.cov, plain.cov)
        assert np.array_equal(packed.mean, plain.mean)


def test_a_stretch_drawn_too_often_to_be_packed_is_not(monkeypatch):
    products = products_of(10, "error")
    numbers = np.zeros((2, 3_000), dtype=np.int64)
    numbers[0, 5:9], numbers[1] = 100_000, 1
    spread = products.resampled(Copies(numbers))
    assert np.array_equal(spread.cov, products.resampled(numbers * 1.0).cov)
    own = np.cov(products.answers.values[5:9].T, ddof=0) * 400_000 / 399_999
    assert_allclose(spread.cov[0], own, rtol=1e-12)
    assert_allclose(spread.cov[1], np.cov(products.answers.values.T), rtol=1e-12)


@pytest.mark.parametrize("rows", ["_STEP", "_DEPTH", "_FILL"])
@pytest.mark.parametrize("step", [64, 1_000])
def test_sums_do_not_depend_on_the_stretch(step, rows, monkeypatch):
    products = products_of(3, "mean", weights=True)
    counts = Resampling("multinomial", len(products.answers.values), 4, seed=1).counts(0)
    whole = products.resampled(counts)
    monkeypatch.setattr(resample_sums, rows, step)
    assert_allclose(products.resampled(counts).cov, whole.cov, rtol=1e-12)


def test_what_a_copy_counts_is_kept_apart():
    products = products_of(10, "error")
    strata = np.arange(3_000) % 7
    copies = Resampling("stratified", 3_000, 8, seed=1, strata=strata).copies(slice(0, 8))
    apart, together = products.resampled(copies), products.resampled(copies.counts)
    assert copies.numbers.dtype == np.uint8
    assert_allclose(apart.cov, together.cov, rtol=1e-12)
    assert_allclose(apart.n, 3_000)


def test_draws_join_as_they_come():
    fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    boot = csi.bootstrap(fit, 600, rng=3, progress=False)
    parts = [boot.solution[:512], boot.solution[512:]]
    for joined in (csi.estimators.Solution.join(parts), boot.solution):
        assert np.array_equal(joined.moments.cov[510:514], boot.solution.moments.cov[510:514])
        assert np.array_equal(joined.estimates.outcome, boot.solution.estimates.outcome)
    assert boot.solution.moments.cov.shape == (600, 24, 24)


@pytest.mark.parametrize("answers", [(1.0, 1.0, 1.6), (1.0, 1.0, 0.6), (1.0, 1.0, 1.4)])
def test_answers_that_are_not_whole_are_not_packed(answers):
    survey = csi.read_survey(pd.DataFrame({"a": answers}))
    products = CrossProducts.of(survey.answers({"": ["a"]}))
    assert products.centre == 1.0
    assert products._largest_products is None
