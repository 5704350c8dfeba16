"""Intervals against cSEM and SciPy, and the laws they obey."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import csimodel as csi
from csimodel.errors import OptionError
from csimodel.inference import INTERVALS, interval_of, quantiles, spread_of, tail_probability
from csimodel.inference.intervals import acceleration, bias_correction

RNG = np.random.default_rng(11)


@pytest.fixture(scope="module")
def csem(reference):
    entry = reference("mobi_bootstrap.json")["csem"]["csem_infer_modeA"]
    draws = np.array(entry["path_resamples"]["data"], dtype=float)
    return draws, np.array(list(entry["path_original"].values())), entry["infer_paths"]


def test_bias_correction_counts_draws_that_have_a_value_and_ties_half():
    nan = np.nan
    draws = np.array([[-1, -1, nan], [0, nan, nan], [1, nan, nan], [-2, nan, nan], [nan] * 3])
    expected = [stats.norm.ppf(2.5 / 4), np.inf, -np.inf]
    assert_allclose(bias_correction(np.zeros(3), draws), expected)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("percentile", "CI_percentile"), ("normal", "CI_standard_z"), ("bc", "CI_bc")],
)
def test_intervals_from_the_draws_of_csem(csem, kind, name):
    draws, estimate, theirs = csem
    low, high = interval_of(kind, 0.95, estimate, draws)
    assert_allclose([low, high], theirs[name]["data"], atol=1e-12)


def test_basic_differs_from_csem_by_twice_the_bias(csem):
    draws, estimate, theirs = csem
    bias = draws.mean(axis=0) - estimate
    low, high = interval_of("basic", 0.95, estimate, draws)
    assert_allclose([low - 2 * bias, high - 2 * bias], theirs["CI_basic"]["data"], atol=1e-12)


def test_standard_deviation_and_mean_as_csem(csem):
    draws, _, theirs = csem
    assert_allclose(spread_of(draws), list(theirs["sd"].values()), atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "method"), [("percentile", "percentile"), ("basic", "basic"), ("bca", "BCa")]
)
def test_scipy_on_a_mean(kind, method):
    sample = RNG.exponential(size=60)
    found = stats.bootstrap(
        (sample,), np.mean, n_resamples=3000, method=method, random_state=np.random.default_rng(2)
    )
    left_out = (sample.sum() - sample)[:, None] / 59
    pulls = left_out.mean() - left_out
    draws = found.bootstrap_distribution[:, None]
    low, high = interval_of(kind, 0.95, np.array([sample.mean()]), draws, pulls=pulls)
    assert_allclose([low[0], high[0]], found.confidence_interval, rtol=1e-10)


def test_bca_on_a_vector_equals_bca_on_each_element():
    draws, left_out = RNG.gamma(2, size=(500, 3)), (RNG.gamma(2, size=(40, 3)) - 2) * [1, 5, 0.1]
    estimate = np.array([1.8, 2.0, 2.4])
    together = interval_of("bca", 0.9, estimate, draws, pulls=left_out)
    for k in range(3):
        alone = interval_of("bca", 0.9, estimate[[k]], draws[:, [k]], pulls=left_out[:, [k]])
        assert_allclose([end[k] for end in together], [end[0] for end in alone])


def test_bc_equals_percentile_at_zero_bias():
    draws = RNG.standard_normal((401, 1))
    median = np.median(draws, axis=0)
    assert bias_correction(median, draws) == pytest.approx(0, abs=1e-12)
    assert_allclose(
        interval_of("bc", 0.9, median, draws), interval_of("percentile", 0.9, median, draws)
    )


def test_bca_without_skewness_is_bc():
    draws = RNG.standard_normal((400, 1)) + 0.3
    symmetric = np.concatenate([-np.arange(5.0), np.arange(5.0)])[:, None]
    assert acceleration(symmetric) == pytest.approx(0)
    both = [interval_of(k, 0.9, np.zeros(1), draws, pulls=symmetric) for k in ("bc", "bca")]
    assert_allclose(both[0], both[1])


@pytest.mark.parametrize("kind", [k for k in INTERVALS if k != "studentized"])
def test_a_constant_has_a_point_for_an_interval(kind):
    low, high = interval_of(kind, 0.95, np.ones(1), np.ones((50, 1)), pulls=np.zeros((9, 1)))
    assert (low, high) == (1.0, 1.0)


def test_higher_level_is_wider():
    draws = RNG.standard_normal((2000, 1))
    for kind in ("percentile", "basic", "normal", "bc"):
        narrow, wide = (interval_of(kind, level, np.zeros(1), draws) for level in (0.8, 0.95))
        assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_quantiles_leave_out_what_is_no_number():
    draws = np.array([[1.0, np.nan], [2.0, 5.0], [3.0, np.nan], [4.0, 7.0]])
    assert_allclose(quantiles(draws, np.array([[0.5]])), [[2.5, 6.0]])
    assert_allclose(spread_of(draws), [np.std([1, 2, 3, 4], ddof=1), np.std([5, 7], ddof=1)])


def test_p_values_are_never_zero_and_symmetric():
    draws = np.concatenate([np.full(30, 1.0), np.full(969, -1.0)])[:, None]
    assert tail_probability(draws, 0.0)[0] == pytest.approx(2 * 31 / 1000)
    assert tail_probability(-draws, 0.0)[0] == pytest.approx(2 * 31 / 1000)
    assert tail_probability(np.ones((999, 1)), 0.0)[0] == pytest.approx(0.002)


def test_level_and_kind_are_checked():
    with pytest.raises(
        OptionError, match=r"^level=95 must lie between 0 and 1, for example 0\.95\.$"
    ):
        interval_of("percentile", 95, np.zeros(1), np.zeros((5, 1)))
    with pytest.raises(OptionError, match=r"interval='bcs' is not known \(did you mean 'bc'\?\)"):
        interval_of("bcs", 0.95, np.zeros(1), np.zeros((5, 1)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["percentile", "bca", "studentized"])
def test_intervals_of_a_path_cover(chain, population, kind):
    """In short form: 95 % intervals of the PLSc path must cover in 85 % of the samples or more."""
    truth, covered, samples = 0.6, 0, 20 if kind == "studentized" else 60
    for seed in range(samples):
        found = csi.fit(chain, population(150, seed=seed, path=truth), csi.PLS(consistent=True))
        boot = csi.bootstrap(found, 150 if kind == "studentized" else 400, seed, progress=False)
        row = boot.table("paths", interval=kind).loc[("B", "A")]
        covered += row["lower"] <= truth <= row["upper"]
    assert covered >= 0.85 * samples
