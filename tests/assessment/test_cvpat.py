"""Predictive ability: other programs, laws, designs, and what cannot be."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from wordings import row_of

import csimodel as csi
from csimodel.errors import OptionError, SurveyError

M = csi.Model.from_syntax
SMALL = "Q =~ PERQ1 + PERQ3 + PERQ5\nS =~ CUSA1 + CUSA2 + CUSA3\nC =~ CUSCO\nS ~ Q\nC ~ S"
CASES = {
    "DA_vs_LM_direct": {"benchmark": "lm"},
    "EA_vs_LM_exogenous": {"benchmark": "lm", "technique": "earliest"},
    "DA_vs_IA_training": {},
    "EA_vs_IA_training": {"technique": "earliest"},
    "DA_vs_alternative_DA": {},
    "EA_vs_alternative_EA": {"technique": "earliest"},
}
COLUMNS = {
    "loss_1": "loss",
    "loss_2": "benchmark_loss",
    "difference": "estimate",
    "t": "t",
    "p_two_sided": "p",
}


@pytest.fixture(scope="module")
def folds():
    return pd.read_csv("tests/reference/mobi_folds10.csv")["rep1"]


@pytest.fixture(scope="module")
def fits(mobi, ecsi):
    left = [p for p in ecsi.paths if p.source != "Image" or p.target == "Expectation"]
    tight = csi.PLS(tolerance=1e-13)
    return csi.fit(ecsi, mobi, tight), csi.fit(csi.Model(ecsi.constructs, tuple(left)), mobi, tight)


@pytest.fixture(scope="module")
def small(mobi):
    return csi.fit(M(SMALL), mobi)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("overall", ["items", "constructs"])
def test_losses_and_tests_of_other_programs(reference, fits, folds, case, overall):
    told = reference("mobi_predict.json")["cvpat"][case]
    other = fits[1] if "alternative" in case else None
    table = csi.cvpat(fits[0], other, folds, overall=overall, **CASES[case]).table
    for key, column in COLUMNS.items():
        expected = pd.Series(told[key])
        expected["Overall"] = expected[f"Overall_mean_of_{overall}"]
        np.testing.assert_allclose(table[column], expected[table.index], atol=1e-10)
    assert (table["df"] == 249).all()


def test_conventions_that_are_not_ours(reference, fits, folds):
    told = reference("mobi_predict.json")["cvpat"]
    linear = csi.cvpat(fits[0], folds=folds, benchmark="lm").table.loc["Overall"]
    constructs = told["DA_vs_LM_direct"]["t"]["Overall_mean_of_constructs"]
    assert linear["t"] == pytest.approx(told["DA_vs_LM_direct"]["t"]["Overall_mean_of_items"])
    assert abs(linear["t"] - constructs) > 0.5
    extras = reference("mobi_predict.json")["seminrExtras_bootstrap_cvpat_overall_DA_vs_LM_direct"]
    assert extras["Std. T value"] == pytest.approx(-constructs)  # their t has the other sign
    average = csi.cvpat(fits[0], folds=folds).table.loc["Overall", "benchmark_loss"]
    inside = told["DA_vs_IA_full"]["loss_2"]["Overall_mean_of_items"]
    assert average > inside + 0.01  # their averages know the respondents held out


def test_the_table_is_a_paired_test_of_losses(small):
    comparison = csi.cvpat(small, folds=5, repetitions=2, rng=4)
    for construct in ("S", "C", "Overall"):
        test = stats.ttest_rel(comparison.losses[construct], comparison.benchmark_losses[construct])
        row = comparison.table.loc[construct]
        assert row["t"] == pytest.approx(test.statistic)
        assert row["p"] == pytest.approx(test.pvalue)
    prediction = csi.predict(small, 5, 2, rng=4).table
    squares = prediction["rmse"] ** 2
    assert comparison.table.loc["S", "loss"] == pytest.approx(squares.iloc[:3].mean())
    assert comparison.table.loc["Overall", "loss"] == pytest.approx(squares.mean())


def test_an_equal_fit_is_no_better_and_an_exchanged_one_turns_the_sign(mobi, small):
    other = csi.fit(M(SMALL.replace("S ~ Q", "S ~ Q + I") + "\nI =~ IMAG1 + IMAG2"), mobi)
    first = csi.cvpat(small, other, rng=2).table
    second = csi.cvpat(other, small, rng=2).table
    np.testing.assert_allclose(first["t"], -second["t"], rtol=1e-9)
    same = csi.cvpat(small, small, rng=2)
    assert (same.table["estimate"] == 0).all()
    assert same.table["p"].isna().all()
    assert (same.verdicts == "not judged").all()
    assert (same.table["reason"] != "").all()


def test_errors_are_of_the_design(mobi):
    frame = mobi.data.assign(firm=np.arange(250) % 25, w=1.0 + np.arange(250) % 4)
    clustered = csi.fit(M(SMALL), csi.read_survey(frame, cluster="firm", weights="w"))
    comparison = csi.cvpat(clustered, folds=5)
    difference = (comparison.losses - comparison.benchmark_losses)["S"]
    assert comparison.table.loc["S", "df"] == 24
    w = frame["w"] / frame["w"].sum()
    mean = (w * difference).sum()
    total = (w * (difference - mean)).groupby(frame["firm"]).sum()
    assert comparison.table.loc["S", "estimate"] == pytest.approx(mean)
    assert comparison.table.loc["S", "se"] == pytest.approx(np.sqrt(25 / 24 * (total**2).sum()))


def test_what_is_said(fits, folds, mobi):
    words = set()
    for comparison in (
        csi.cvpat(fits[0], folds=folds),
        csi.cvpat(fits[0], folds=folds, benchmark="lm"),
        csi.cvpat(fits[0], fits[1], folds, technique="earliest"),
        csi.cvpat(fits[1], fits[0], folds, technique="earliest"),
    ):
        for finding in comparison.findings:
            words.add(finding.code)
            assert row_of(finding)
            assert finding.severity == "note"
        assert len(comparison.findings) == 7
        assert "Differences of losses" in str(comparison)
    assert words == {"prediction-better", "prediction-worse", "prediction-not-told-apart"}


def test_missing_answers_leave_respondents_out_of_a_row(mobi):
    frame = mobi.data.copy()
    frame.loc[:29, "CUSA1"] = np.nan
    comparison = csi.cvpat(csi.fit(M(SMALL), csi.read_survey(frame, missing="mean")))
    assert comparison.losses["S"].isna().sum() == 30
    assert comparison.table.loc[["S", "C"], "df"].tolist() == [219, 249]


def test_what_cannot_be_is_named(mobi, small):
    with pytest.raises(OptionError, match="of the same respondents"):
        csi.cvpat(small, csi.fit(M(SMALL), mobi.data.iloc[:200]))
    with pytest.raises(OptionError, match="items that both fits predict"):
        csi.cvpat(small, csi.fit(M("S =~ CUSA1 + CUSA2\nL =~ CUSL1\nL ~ S"), mobi))
    with pytest.raises(SurveyError, match="cvpat"):
        csi.cvpat(csi.fit(M(SMALL), small.moments))
    with pytest.raises(OptionError, match=r"cvpat .*csi\.PLS"):
        csi.cvpat(small, csi.fit(M(SMALL), mobi, csi.ML()))
    with pytest.raises(OptionError, match="other"):
        csi.cvpat(small, "other")
    for option in ({"benchmark": "b"}, {"overall": "b"}, {"level": 95}, {"technique": "b"}):
        with pytest.raises(OptionError):
            csi.cvpat(small, **option)
