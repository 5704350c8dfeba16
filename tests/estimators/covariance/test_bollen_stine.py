"""The Bollen-Stine bootstrap against lavaan, and its laws."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import EstimationError, InferenceError, OptionError, SurveyError
from csimodel.inference.bollen_stine import BollenStine, bollen_stine

REFERENCE = Path(__file__).parents[2] / "reference"


@pytest.fixture(scope="module")
def reduced(reference):
    return csi.Model.from_syntax(reference("mobi_lavaan.json")["reduced_syntax"])


@pytest.fixture(scope="module")
def ml(reduced, mobi):
    return csi.fit(reduced, mobi, csi.ML())


@pytest.fixture(scope="module")
def rows():
    path = REFERENCE / "mobi_boot_indices_500x250_1based.csv"
    return np.loadtxt(path, delimiter=",", dtype=int, max_rows=30) - 1


def test_given_resamples_equal_lavaan(ml, rows, reference):
    ours = bollen_stine(ml, resamples=rows, progress=False)
    theirs = reference("mobi_bollen_stine.json")
    np.testing.assert_allclose(ours.draws, theirs["chisq"], rtol=2e-6)
    assert ours.chisq == pytest.approx(ml.fit_measures["chisq"])
    assert ours.failed.empty
    assert ours.findings == ()


def test_the_distribution_is_that_of_lavaan(ml, reference):
    ours = bollen_stine(ml, 300, 3, progress=False)
    theirs = reference("mobi_bollen_stine.json")["draws"]
    at = np.quantile(ours.draws, [0.05, 0.25, 0.5, 0.75, 0.95])
    np.testing.assert_allclose(at, theirs, rtol=0.06)
    assert ours.pvalue <= 3 / 301
    # Skewed answers make χ² larger than its degrees of freedom say.
    assert ours.draws.mean() > 1.3 * ml.fit_measures["df"]


def test_the_model_holds_in_moved_answers(ml, mobi, reduced):
    """The whole sample as its own resample has χ² 0; another's is that of moved answers."""
    once = np.tile(np.arange(250), (20, 1))
    np.testing.assert_allclose(bollen_stine(ml, resamples=once).draws, 0.0, atol=1e-8)
    values = mobi.data[list(reduced.items)].to_numpy(dtype=float)
    centred = values - values.mean(axis=0)
    low, high = np.linalg.eigh(centred.T @ centred / 250), np.linalg.eigh(ml.implied_cov.to_numpy())
    root = high[1] * np.sqrt(high[0]) @ high[1].T @ (low[1] / np.sqrt(low[0])) @ low[1].T
    chosen = np.random.default_rng(5).integers(250, size=250)
    moved = pd.DataFrame((centred @ root.T)[chosen], columns=list(reduced.items))
    found = bollen_stine(ml, resamples=np.tile(chosen, (20, 1)))
    alone = csi.fit(reduced, moved, csi.ML()).fit_measures["chisq"]
    np.testing.assert_allclose(found.draws, alone, rtol=1e-7)


@pytest.mark.parametrize("means", [False, True])
def test_a_true_model_is_kept_and_a_wrong_one_refused(chain, population, means):
    frame = population(400, seed=2)
    kept = bollen_stine(csi.fit(chain, frame, csi.ML(means=means)), 200, 1)
    assert kept.pvalue > 0.02
    assert abs(np.log(kept.draws.mean() / kept.fit.fit_measures["df"])) < 0.15
    wrong = csi.Model.from_syntax("A =~ a1 + a2 + b1\nB =~ a3 + b2 + b3\nB ~ A")
    assert bollen_stine(csi.fit(wrong, frame, csi.ML()), 100, 1).pvalue == pytest.approx(1 / 101)


def test_draws_do_not_depend_on_the_bar_and_follow_rng(ml):
    one = bollen_stine(ml, 25, 7, progress=False)
    np.testing.assert_array_equal(one.draws, bollen_stine(ml, 25, 7).draws)
    assert not np.array_equal(one.draws, bollen_stine(ml, 25, 8).draws)
    assert repr(one) == f"<Bollen-Stine: χ² 482.10, p {one.pvalue:.4f}, 25 draws>"


def test_lost_draws_are_counted_and_bound_the_pvalue(ml):
    found = bollen_stine(ml, 25, 7)
    draws = np.where(np.arange(25) < 2, np.nan, np.arange(25) * 30.0)
    failed = pd.Series({"no minimum found": 2})
    lost = BollenStine(ml, found.design, 482.1, draws, failed)
    assert lost.pvalue == pytest.approx((1 + 8) / (1 + 23))
    assert lost.bounds == pytest.approx((9 / 26, 11 / 26))
    (finding,) = lost.findings
    assert (finding.code, finding.count, finding.severity) == ("lost-draws", 2, "warning")
    low, high = lost.bounds
    assert finding.values == {
        "lost": 2, "total": 25, "reasons": ("2 no minimum found",), "low": low, "high": high,
    }  # fmt: skip


def test_refusals(ml, fit, mobi, reduced, ecsi):
    with pytest.raises(OptionError) as told:
        bollen_stine(fit)
    assert str(told.value) == (
        "bollen_stine tests χ² of a covariance structure and this fit is by PLS, path scheme; fit "
        "with csi.ML()."
    )
    with pytest.raises(SurveyError, match="bollen_stine needs the respondents, but this fit was"):
        bollen_stine(csi.fit(reduced, csi.moments.moments_of(mobi, reduced.items), csi.ML()))
    gaps = mobi.data.mask(np.random.default_rng(0).random(mobi.data.shape) < 0.02)
    survey = csi.read_survey(gaps, missing="mean")
    with pytest.raises(SurveyError) as told:
        bollen_stine(csi.fit(reduced, survey, csi.ML()))
    assert str(told.value) == (
        "bollen_stine needs complete answers and cells are missing; use a survey with "
        "missing='listwise'."
    )
    with pytest.raises(EstimationError, match="there is no solution"):
        bollen_stine(csi.fit(ecsi, mobi, csi.ML(max_iterations=3)))
    with pytest.raises(InferenceError) as told:
        bollen_stine(ml, 5)
    assert str(told.value) == (
        "Only 5 of 5 draws have a solution (too few asked for), and a p-value needs at least 20; "
        "take more (draws=, or rows of resamples=) or a simpler model."
    )
    frame = mobi.data.assign(half=["a", "b"] * 125)
    small = csi.Model.from_syntax("Quality =~ PERQ1 + PERQ3 + PERQ5 + PERQ7")
    with pytest.raises(OptionError) as told:
        bollen_stine(csi.fit_multigroup(small, frame, "half")["a"])
    assert str(told.value) == (
        "bollen_stine is for one sample and this is one group of a joint fit; fit the group alone "
        "with csi.fit_groups."
    )
