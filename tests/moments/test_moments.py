"""Moments against pandas and against themselves by other routes."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.errors import SurveyError
from csimodel.moments import (
    CrossProducts,
    Moments,
    blocks,
    cross_products,
    group_moments,
    moments_of,
)
from csimodel.moments.sum_gradient import SumGradient
from csimodel.survey.sampling import SurveyDesign

RNG = np.random.default_rng(3)
FRAME = pd.DataFrame(RNG.integers(1, 11, (60, 4)).astype(float), columns=list("abcd"))
GAPS = FRAME.mask(RNG.random(FRAME.shape) < 0.15)
BLOCKS = {"": list("abcd")}


def answers(frame, **options):
    return csi.read_survey(frame, **options).answers(BLOCKS)


def test_complete_data_give_the_sample_moments():
    moments = moments_of(answers(FRAME))
    assert_allclose(moments.mean, FRAME.mean())
    assert_allclose(moments.cov, FRAME.cov())
    assert_allclose(moments.cor, FRAME.corr())
    assert moments.n == 60


def test_large_offsets_cost_no_accuracy():
    shifted = CrossProducts.of(answers(FRAME + 1e7)).resampled(np.ones((1, 60)))[0]
    assert_allclose(shifted.cov, FRAME.cov(), rtol=1e-7)
    assert_allclose(moments_of(answers(FRAME + 1e7)).cov, FRAME.cov(), rtol=1e-7)


def test_pairwise_uses_the_rows_that_answered_both():
    moments = moments_of(answers(GAPS, missing="pairwise"))
    assert_allclose(moments.mean, GAPS.mean())
    assert_allclose(moments.cor, GAPS.corr())
    assert_allclose(np.diag(moments.cov), GAPS.var())


def test_pairwise_correlations_stay_within_one():
    rng = np.random.default_rng(5)
    for _ in range(30):
        common = rng.standard_normal((30, 1))
        data = pd.DataFrame(common + 0.1 * rng.standard_normal((30, 4)), columns=list("abcd"))
        cor = moments_of(answers(data.mask(rng.random((30, 4)) < 0.4), missing="pairwise")).cor
        assert np.abs(cor).max() <= 1 + 1e-12


def test_a_few_light_rows_do_not_turn_a_pairwise_covariance():
    data = FRAME.astype(float).assign(w=1.0)
    data.loc[:29, "a"] = np.nan
    data.loc[35:, "b"] = np.nan
    data.loc[30:34, "w"] = 0.01
    moments = moments_of(answers(data, weights="w", missing="pairwise"))
    assert np.sign(moments.cov[0, 1]) == np.sign(data[["a", "b"]].corr().iloc[0, 1])


def test_mean_replacement_equals_filling_first():
    moments = moments_of(answers(GAPS, missing="mean"))
    assert_allclose(moments.cov, GAPS.fillna(GAPS.mean()).cov())


def test_mean_replacement_is_repeated_in_every_resample():
    rows = RNG.integers(0, 60, 60)
    counts = np.bincount(rows, minlength=60).astype(float)[None]
    batch = CrossProducts.of(answers(GAPS, missing="mean")).resampled(counts)
    again = GAPS.iloc[rows]
    assert_allclose(batch.cov[0], again.fillna(again.mean()).cov())
    assert_allclose(batch.mean[0], again.mean())


def test_counts_equal_repeated_rows():
    rows = RNG.integers(0, 60, (5, 60))
    counts = np.stack([np.bincount(r, minlength=60) for r in rows]).astype(float)
    batch = CrossProducts.of(answers(FRAME)).resampled(counts)
    for draw, chosen in enumerate(rows):
        assert_allclose(batch.cov[draw], FRAME.iloc[chosen].cov())
        assert_allclose(batch[draw].mean, FRAME.iloc[chosen].mean())


@pytest.mark.parametrize("missing", ["listwise", "pairwise", "mean"])
def test_a_weight_of_two_equals_a_row_twice(missing):
    weights = np.where(np.arange(60) % 3 == 0, 2.0, 1.0)
    weighted = moments_of(answers(GAPS.assign(w=weights), weights="w", missing=missing))
    twice = moments_of(
        answers(
            GAPS.loc[np.repeat(GAPS.index, weights.astype(int))].reset_index(drop=True),
            missing=missing,
        )
    )
    assert_allclose(weighted.mean, twice.mean)
    assert_allclose(weighted.cor, twice.cor)


def test_the_scale_of_the_weights_does_not_matter():
    weights = RNG.random(60) + 0.5
    one = moments_of(answers(FRAME.assign(w=weights), weights="w"))
    other = moments_of(answers(FRAME.assign(w=1000 * weights), weights="w"))
    assert_allclose(one.cov, other.cov)
    assert_allclose(one.effective_n, weights.sum() ** 2 / (weights**2).sum())


@pytest.mark.parametrize("missing", ["listwise", "pairwise", "mean"])
@pytest.mark.parametrize("weights", [None, "w"])
def test_leaving_out_equals_refitting_without(missing, weights):
    data = GAPS.assign(w=RNG.random(60) + 0.5)
    kept = answers(data, missing=missing, weights=weights)
    units = SurveyDesign.of(len(kept.values), None, None)
    batch = CrossProducts.of(kept).leave_out(units)(np.arange(3, 6))
    for sample, row in enumerate(kept.rows[3:6]):
        direct = moments_of(answers(data.drop(index=row), missing=missing, weights=weights))
        assert_allclose(batch[sample].cov, direct.cov)
        assert_allclose(batch[sample].mean, direct.mean)
        assert batch[sample].n == direct.n


def test_leaving_out_clusters():
    cluster = np.repeat(np.arange(12), 5)
    cluster = np.random.default_rng(3).permutation(cluster)
    leave_out = CrossProducts.of(answers(FRAME)).leave_out(SurveyDesign.of(60, None, cluster))
    batch = leave_out(np.array([7, 4]))
    assert_allclose(batch.cov[1], FRAME[cluster != 4].cov())
    assert_allclose(batch.cov[0], FRAME[cluster != 7].cov())


@pytest.mark.parametrize("missing", ["listwise", "pairwise", "mean"])
@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("cells", [2**20, 2**10])
def test_without_each_fold_of_several_divisions(missing, weights, cells, monkeypatch):
    monkeypatch.setattr(cross_products, "_CELLS", cells)
    data = pd.concat([GAPS] * 4, ignore_index=True).assign(w=RNG.random(240) + 0.5)
    kept = answers(data, missing=missing, weights=weights)
    rows = len(kept.values)
    folds = np.stack([np.arange(rows) % 3, np.sqrt(np.arange(rows)).astype(int)])
    batch = CrossProducts.of(kept).without_folds(folds)
    samples = [(codes, fold) for codes in folds for fold in range(codes.max() + 1)]
    assert len(batch.n) == len(samples)
    for sample, (codes, fold) in enumerate(samples):
        out = data.index.isin(kept.rows[codes == fold])
        direct = moments_of(answers(data.loc[~out], missing=missing, weights=weights))
        assert_allclose(batch[sample].cov, direct.cov, rtol=1e-12, atol=1e-12)
        assert_allclose(batch[sample].mean, direct.mean, rtol=1e-12)
        assert_allclose(batch[sample].effective_n, direct.effective_n, rtol=1e-12)


def test_groups_in_one_pass():
    codes = np.arange(60) % 3
    codes[:5] = -1
    batch = group_moments(answers(FRAME), codes, 4)
    for g in range(3):
        assert_allclose(batch.cov[g], FRAME[codes == g].cov())
    assert batch.n[3] == 0
    assert np.isnan(batch.cov[3]).all()


def test_groups_with_gaps_and_weights():
    data = GAPS.assign(w=RNG.random(60) + 0.5)
    kept = answers(data, weights="w", missing="pairwise")
    codes = np.arange(60) % 2
    batch = group_moments(kept, codes, 2)
    direct = moments_of(answers(data[codes == 1], weights="w", missing="pairwise"))
    assert_allclose(batch.cov[1], direct.cov)


def test_selecting_items_reorders():
    moments = Moments.from_array(FRAME.to_numpy(), list("abcd"))
    part = moments.select(["d", "a"])
    assert_allclose(part.cov, FRAME[["d", "a"]].cov())
    with pytest.raises(SurveyError, match=r"^Item 'z' is not among the items of the moments\.$"):
        moments.select(["z"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Moments.from_cov(np.eye(3), 10, ["a", "b"]),
         "A covariance of shape (3, 3) does not fit 2 item names; give (2, 2)."),
        (lambda: Moments.from_cov([[1, 0.2], [0.3, 1]], 10, ["a", "b"]),
         "The covariance matrix is not symmetric; give both triangles alike."),
        (lambda: Moments.from_cov([[1, np.nan], [np.nan, 1]], 10, ["a", "b"]),
         "The covariance matrix holds missing or infinite cells; fill or drop them."),
        (lambda: Moments.from_cov(np.eye(2), 1, ["a", "b"]),
         "n=1 is too small for a covariance matrix; it needs at least 2 rows."),
        (lambda: Moments.from_cov(np.eye(2), 9, ["a", "b"], mean=[1, 2, 3]),
         "Means of shape (3,) do not fit a covariance of shape (2, 2)."),
        (lambda: Moments.from_array([[1, 2], [3, np.inf]], ["a", "b"]),
         "Values hold missing or infinite cells; use read_survey with a missing-data policy."),
        (lambda: Moments.from_array([[1, 2, 3]], ["a", "b"]),
         "Values of shape (1, 3) do not fit 2 item names; give (rows, items) or (batch, rows, items)."),
    ],
)  # fmt: skip
def test_moments_that_cannot_be_are_refused(make, message):
    with pytest.raises(SurveyError) as caught:
        make()
    assert str(caught.value) == message


@pytest.mark.parametrize("missing", ["complete", "pairwise", "mean"])
@pytest.mark.parametrize("weights", [None, "w"])
def test_sums_by_matrix_products_are_those_of_the_products_of_each_respondent(
    missing, weights, mobi
):
    rng = np.random.default_rng(0)
    frame = mobi.data[list(mobi.items)].astype(float)
    if missing != "complete":
        frame = frame.mask(rng.random(frame.shape) < 0.1)
    frame["w"] = rng.uniform(0.5, 2.0, len(frame))
    policy = "error" if missing == "complete" else missing
    survey = csi.read_survey(frame, missing=policy, weights=weights)
    answers = survey.answers(csi.models.ecsi().blocks)
    products = CrossProducts.of(answers)
    gradient = rng.normal(size=(products.pieces + 1, 3))
    units = SurveyDesign.of(len(frame))
    own = np.ones(len(frame)) if weights is None else answers.weights
    x = answers.values - products.centre
    if missing == "complete":
        row, column = np.triu_indices(x.shape[1])
        pieces = np.hstack([x, x[:, row] * x[:, column]])
    else:
        seen, x = (~np.isnan(x)) * 1.0, np.nan_to_num(x)
        pairs = ((x, seen), (x, x), (x**2, seen), (seen, seen))
        parts = [(left[:, :, None] * right[:, None]).reshape(len(x), -1) for left, right in pairs]
        pieces = np.hstack(parts)
    expected = own[:, None] * (pieces @ gradient[:-1] + gradient[-1])
    sums = SumGradient(products)
    np.testing.assert_allclose(sums.unit_totals(units, gradient), expected, rtol=1e-9)
    np.testing.assert_allclose(sums.moved(np.arange(1), np.zeros(1)).cov[0], products.sample().cov)


def test_two_rows_have_moments_and_one_has_no_spread():
    two = Moments.from_array([[1.0, 2.0], [3.0, 8.0]], ["a", "b"])
    np.testing.assert_allclose(two.cov, [[2, 6], [6, 18]])
    np.testing.assert_allclose(two.mean, [2, 5])
    one = Moments.from_array([[1.0, 2.0]], ["a", "b"])
    np.testing.assert_array_equal(one.cov, np.zeros((2, 2)))
    assert Moments.from_cov(np.eye(2), 2, ["a", "b"]).n == 2


def test_blocks_end_between_groups_or_within_one_that_is_larger(monkeypatch):
    monkeypatch.setattr(blocks, "_BLOCK", 3)
    codes = np.array([0, 0, 1, 1, 1, 1, 1, 2])
    frame = pd.DataFrame({"a": np.arange(8.0)})
    for order in (np.arange(8), np.array([7, 2, 0, 3, 4, 1, 5, 6])):
        answers = csi.read_survey(frame.iloc[order]).answers({"": ["a"]})
        parts = list(blocks.blocks_of(answers, codes[order]))
        assert [part.group.tolist() for part in parts] == [[0, 0], [1, 1, 1], [1, 1, 2]]
        assert np.concatenate([part.values[:, 0] for part in parts]).tolist() == list(range(8))
