"""Fourth-order moments against lavaan and R's survey, and against themselves."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from csimodel.errors import OptionError, SurveyError
from csimodel.moments import fourth
from csimodel.moments.fourth import fourth_moments
from csimodel.moments.vech import vech_indices

RNG = np.random.default_rng(5)
VALUES = RNG.integers(1, 11, (90, 3)).astype(float)
WEIGHTS = RNG.integers(1, 4, 90).astype(float)
CLUSTER = RNG.integers(0, 12, 90)


@pytest.fixture(scope="module")
def lavaan(reference):
    return reference("mobi_gamma.json")


@pytest.fixture(scope="module")
def five(mobi, lavaan):
    return mobi.data[lavaan["items"]].to_numpy(float)


def naive(values, weights):
    """Deviations of (x - mean; vech of products), one row at a time."""
    w = weights / weights.mean()
    centred = values - np.average(values, axis=0, weights=w)
    size = values.shape[1]
    rows = []
    for x in centred:
        product = np.outer(x, x)
        stacked = [product[i, j] for j in range(size) for i in range(j, size)]
        rows.append(np.concatenate([x, stacked]))
    v = np.array(rows)
    return w, v - np.average(v, axis=0, weights=w)


def test_vech_is_the_lower_triangle_by_columns():
    rows, columns = vech_indices(4)
    assert (rows >= columns).all()
    assert_array_equal(columns, np.sort(columns))
    matrix = np.arange(16).reshape(4, 4)
    symmetric = matrix + matrix.T
    assert_array_equal(symmetric[rows, columns], symmetric[np.triu_indices(4)])


def test_gamma_is_lavaans(five, lavaan):
    assert_allclose(fourth_moments(five), lavaan["gamma"], rtol=0, atol=1e-10)


def test_weighted_and_clustered_gamma_are_those_of_rs_survey(five, lavaan):
    row = np.arange(len(five))
    weights, cluster = 1 + row % 7 / 2, 13 * row % 37
    found = fourth_moments(five, weights)
    assert_allclose(found, lavaan["weighted"], rtol=0, atol=1e-10)
    found = fourth_moments(five, weights, cluster=cluster)
    assert_allclose(found, lavaan["clustered"], rtol=0, atol=1e-10)


def test_the_formulas_row_by_row():
    w, d = naive(VALUES, WEIGHTS)
    assert_allclose(fourth_moments(VALUES, WEIGHTS), (d * w[:, None] ** 2).T @ d / 90)
    sums = np.array([(w[:, None] * d)[g == CLUSTER].sum(axis=0) for g in range(12)])
    expected = 12 / 11 * sums.T @ sums / 90
    assert_allclose(fourth_moments(VALUES, WEIGHTS, cluster=CLUSTER), expected, atol=1e-10)


def test_a_frequency_weight_of_two_is_a_row_twice():
    twice = np.repeat(VALUES, WEIGHTS.astype(int), axis=0)
    found = fourth_moments(VALUES, WEIGHTS, weighting="frequency")
    assert_allclose(found, fourth_moments(twice))


@pytest.mark.parametrize("cluster", [None, CLUSTER])
def test_the_scale_of_the_weights_and_names_of_clusters_do_not_matter(cluster):
    names = None if cluster is None else np.array([f"firm {code}" for code in cluster])
    one = fourth_moments(VALUES, WEIGHTS, cluster=cluster)
    assert_allclose(fourth_moments(VALUES, 7 * WEIGHTS, cluster=names), one, atol=1e-10)


def test_clusters_of_one_row_differ_by_their_correction_only():
    found = fourth_moments(VALUES, cluster=np.arange(90))
    assert_allclose(found, fourth_moments(VALUES) * 90 / 89)


@pytest.mark.parametrize("stretch", [1, 7, 89])
@pytest.mark.parametrize("cluster", [None, CLUSTER])
def test_the_stretch_does_not_matter(monkeypatch, stretch, cluster):
    whole = fourth_moments(VALUES, WEIGHTS, cluster=cluster)
    monkeypatch.setattr(fourth, "_STRETCH", stretch)
    assert_allclose(fourth_moments(VALUES, WEIGHTS, cluster=cluster), whole, atol=1e-10)


def test_large_offsets_cost_no_accuracy():
    assert_allclose(fourth_moments(VALUES + 1e6), fourth_moments(VALUES), rtol=1e-7, atol=1e-7)


def test_another_centre_is_a_linear_change_of_the_vectors():
    centre = VALUES.mean(axis=0) + np.array([0.5, -1.0, 2.0])
    shift = VALUES.mean(axis=0) - centre
    rows, columns = vech_indices(3)
    change = np.eye(9)
    for k, (i, j) in enumerate(zip(rows, columns, strict=True), start=3):
        change[k, i] += shift[j]
        change[k, j] += shift[i]
    expected = change @ fourth_moments(VALUES) @ change.T
    assert_allclose(fourth_moments(VALUES, mean=centre), expected, atol=1e-9)


def test_means_and_covariances_of_simulated_samples_vary_as_gamma_says():
    rng = np.random.default_rng(8)
    skewed = rng.exponential(size=(4000, 300, 2)) @ np.array([[1.0, 0.6], [0.0, 0.8]])
    mean = skewed.mean(axis=1)
    centred = skewed - mean[:, None]
    cov = np.einsum("rni,rnj->rij", centred, centred) / 300
    estimates = np.hstack([mean, cov[:, [0, 1, 1], [0, 0, 1]]])
    gamma = fourth_moments(rng.exponential(size=(400_000, 2)) @ [[1.0, 0.6], [0.0, 0.8]])
    spread = np.sqrt(np.diag(gamma))
    assert_allclose(300 * np.cov(estimates.T) / np.outer(spread, spread),
                    gamma / np.outer(spread, spread), atol=0.08)  # fmt: skip


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fourth_moments([[1.0, np.nan]]),
         "Fourth-order moments need complete answers, one row per respondent; drop rows with "
         "missing cells, or use the patterns of missing answers."),
        (lambda: fourth_moments(VALUES, [1.0, 2.0]),
         "Weights of shape (2,) do not fit 90 rows; give one each."),
        (lambda: fourth_moments(VALUES, -WEIGHTS),
         "Weights must be finite, not negative and not all zero."),
        (lambda: fourth_moments(VALUES, cluster=[1, 2]),
         "Cluster codes of shape (2,) do not fit 90 rows; give one each."),
        (lambda: fourth_moments(VALUES, cluster=np.ones(90)),
         "All rows lie in one cluster, and errors by clusters need at least 2; leave the clusters "
         "out."),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(SurveyError) as caught:
        make()
    assert str(caught.value) == message


def test_an_unknown_weighting_is_refused():
    with pytest.raises(OptionError) as caught:
        fourth_moments(VALUES, WEIGHTS, weighting="probabilty")
    assert str(caught.value) == (
        "weighting='probabilty' is not known (did you mean 'probability'?); "
        "use one of 'probability', 'frequency'."
    )
