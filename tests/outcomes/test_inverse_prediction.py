"""The index that a probability needs: Fieller's interval, the draws' own levels, what is beyond."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import t as student

import csimodel as csi
from csimodel.errors import EstimationError, OptionError
from csimodel.outcomes import repurchase
from csimodel.outcomes.kernels.families import FAMILIES


@pytest.fixture(scope="module")
def noise():
    rng = np.random.default_rng(3)
    index = rng.uniform(0, 100, 60)
    return index, (rng.random(60) < 0.5).astype(float)


def test_a_straight_line_has_fiellers_interval(fit):
    found = repurchase(fit, "CUSL1", family="ols", errors="nonrobust")
    (a, b), V = found.regression.coefficients, found.regression.covariance
    crit = student.ppf(0.975, found.regression.df) ** 2
    p = 0.75
    # (p - a - b x)² = t² (V₀₀ + 2 V₀₁ x + V₁₁ x²)
    roots = np.roots(
        [
            b**2 - crit * V[1, 1],
            -2 * b * (p - a) - 2 * crit * V[0, 1],
            (p - a) ** 2 - crit * V[0, 0],
        ]
    )
    needed = found.level_for(p)
    assert_allclose(float(needed), (p - a) / b, rtol=1e-7)
    assert_allclose([needed.lower, needed.upper], np.sort(roots), rtol=1e-6)
    assert needed.reached
    assert not needed.unbounded


def test_draws_give_the_percentiles_of_their_own_levels(fit, boot):
    found = repurchase(fit, "CUSL1", bootstrap=boot)
    b = found.draws.coefficients
    assert (b[:, 1] > 0).all()
    own = (np.log(3.0) - b[:, 0]) / b[:, 1]
    needed = found.level_for(0.75)
    assert_allclose([needed.lower, needed.upper], np.quantile(own, [0.025, 0.975]), rtol=2e-3)
    assert needed.to_series().index.tolist() == ["probability", "estimate", "lower", "upper"]


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "wls"])
def test_the_level_gives_back_the_probability(fit, mobi, family):
    kind = FAMILIES[family].outcome
    outcome = (mobi.data["CUSL1"] >= 8) if kind == "binary" else mobi.data["CUSL1"]
    options = {"scale": (0.5, 10.5)} if kind == "open share" else {}
    found = repurchase(fit, outcome, family=family, index=["Satisfaction", "Image"], **options)
    for index in ("Satisfaction", "Image"):
        needed = found.level_for(0.7, index)
        table = found.predict([needed.estimate, needed.lower], index)
        assert_allclose(table["probability"].iloc[0], 0.7, atol=1e-6)
        assert_allclose(table["upper"].iloc[1], 0.7, atol=1e-6)
        assert needed.index == index


def test_a_bent_curve_is_met_on_its_way_up():
    index = np.linspace(0, 100, 101)
    share = 0.2 + 0.028 * index - 0.00028 * index**2  # .2 at both ends, .9 in the middle
    controls = None
    found = repurchase(
        index=index,
        outcome=share,
        formula="index + I(index ** 2)",
        controls=controls,
        family="ols",
        scale=(0, 1),
    )
    level = float(found.level_for(0.6))
    assert level < 50
    assert_allclose(0.2 + 0.028 * level - 0.00028 * level**2, 0.6, atol=1e-6)


def test_what_lies_beyond_the_index_is_said(fit):
    found = repurchase(fit, "CUSL1")
    high, low, open_end = (found.level_for(p) for p in (0.98, 0.05, 0.9))
    assert float(high) == high.lower == high.upper == np.inf
    assert str(high) == (
        "No level of Satisfaction from 0 to 100 goes with a probability of 0.98, which would lie "
        "above 100 (at 0 it is 0.079, at 100 0.912); nor does any within the 95 % interval."
    )
    assert float(low) == -np.inf
    assert str(low).endswith("at 100 0.912); the data do not rule out levels up to 8.0.")
    assert not low.reached
    assert np.isfinite(open_end.estimate)
    assert open_end.upper == np.inf
    assert "interval 89.4 to beyond 100)." in str(open_end)


def test_a_falling_curve_turns_the_sides(fit):
    found = repurchase(fit, 11 - fit.survey.data["CUSL1"])
    assert found.level_for(0.5).reached
    assert float(found.level_for(0.98)) == -np.inf
    assert float(found.level_for(0.01)) == np.inf


def test_a_slope_that_may_be_zero_bounds_nothing(noise):
    index, y = noise
    found = repurchase(index=pd.Series(index, name="S"), outcome=y, family="ols")
    needed = found.level_for(0.5)
    assert needed.unbounded
    assert (needed.lower, needed.upper) == (-np.inf, np.inf)
    assert str(needed).endswith(
        "interval below 0 to beyond 100); the interval is unbounded, because the slope itself may "
        "be zero."
    )


def test_the_acsi_question_reads_as_a_sentence(fit, boot):
    found = csi.repurchase(fit, outcome="CUSL1", family="fractional-logit", bootstrap=boot)
    assert str(found.level_for(0.75)).startswith(
        "A probability of 0.75 needs 74.1 points of Satisfaction (95 % interval 7"
    )


def test_errors_of_needed_levels(fit):
    found = repurchase(fit, "CUSL1")
    with pytest.raises(OptionError) as raised:
        found.level_for(75)
    assert str(raised.value) == "probability=75 must lie between 0 and 1, for example 0.75."
    with pytest.raises(OptionError, match="index='Image' is not in this regression"):
        found.level_for(0.5, index="Image")
    split = repurchase(index=np.linspace(0, 100, 40), outcome=np.arange(40) > 20, family="logit")
    with pytest.raises(EstimationError) as raised:
        split.level_for(0.5)
    assert str(raised.value) == (
        "The regression has no finite predictions, so no level of the index can be found; read "
        "its findings."
    )


def test_a_curve_that_dips_first_reaches_what_lies_above_beyond_the_index():
    index = np.linspace(0, 100, 101)
    share = 0.3 - 0.004 * index + 0.00008 * index**2  # .3 at 0, .25 at 25, .7 at 100
    found = repurchase(
        index=index, outcome=share, formula="index + I(index ** 2)", family="ols", scale=(0, 1)
    )
    assert float(found.level_for(0.9)) == np.inf
    assert float(found.level_for(0.1)) == -np.inf


def test_a_limit_within_the_first_point_of_the_index_is_fiellers():
    rng = np.random.default_rng(4)
    index = rng.uniform(0, 100, 50)
    y = 0.3 + 0.004 * index + rng.normal(0, 0.05, 50)
    found = repurchase(index=index, outcome=y, family="ols", errors="nonrobust", scale=(0, 1))
    (a, b), V = found.regression.coefficients, found.regression.covariance
    at = np.array([1.0, 0.4])
    p = at @ [a, b] - student.ppf(0.975, found.regression.df) * np.sqrt(at @ V @ at)
    needed = found.level_for(p)
    assert float(needed) == needed.lower == -np.inf
    assert_allclose(needed.upper, 0.4, rtol=1e-5)


@pytest.mark.parametrize("level", [5.0, 37.0, 50.0, 95.0])
def test_the_probability_at_a_whole_point_leads_back_to_it(fit, level):
    found = repurchase(fit, "CUSL1", family="ols")
    probability = float(found.predict([level])["probability"].iloc[0])
    assert_allclose(float(found.level_for(probability)), level, atol=1e-6)
