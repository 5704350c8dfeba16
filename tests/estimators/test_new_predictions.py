"""`fit.predict`: new respondents by the weights, means and paths of a fit."""

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import CsimodelError, ModelError, OptionError, SurveyError
from csimodel.findings import collected

M = csi.Model.from_syntax
SMALL = "Q =~ PERQ1 + PERQ3 + PERQ5\nS =~ CUSA1 + CUSA2 + CUSA3\nC =~ CUSCO\nS ~ Q\nC ~ S"


@pytest.fixture(scope="module")
def first(mobi):
    return csi.fit(csi.models.ecsi(), csi.read_survey(mobi.data.iloc[:200], scale=(1, 10)))


@pytest.mark.parametrize("technique", ["direct", "earliest"])
def test_predictions_are_those_of_a_fold_held_out(mobi, technique):
    fold = np.where(np.arange(250) < 200, "fitted", "new")
    fit = csi.fit(csi.models.ecsi(), mobi)
    held_out = csi.predict(fit, fold, technique=technique).predictions().iloc[200:]
    part = csi.fit(csi.models.ecsi(), mobi.data.iloc[:200])
    own = part.predict(mobi.data.iloc[200:], technique=technique)
    assert own.index.equals(held_out.index)
    np.testing.assert_allclose(own, held_out[own.columns], atol=1e-8)


def test_another_program(mobi):
    folds = pd.read_csv("tests/reference/mobi_folds10.csv")["rep1"]
    told = pd.read_csv("tests/reference/mobi_predict_DA.csv")
    fit = csi.fit(csi.models.ecsi(), mobi.data[folds != 3], csi.PLS(tolerance=1e-13))
    new = mobi.data[folds == 3]
    np.testing.assert_allclose(fit.predict(new)[told.columns], told[folds == 3], atol=1e-11)


def test_scores_and_index(mobi, first):
    new = mobi.data.iloc[200:]
    scores = first.predict(new, of="scores")
    z = first.score(new)
    by_hand = z.to_numpy() @ first.paths.loc["Satisfaction"].to_numpy()
    np.testing.assert_allclose(scores["Satisfaction"], by_hand)
    items = first.predict(new)
    points = (items[["CUSA1", "CUSA2", "CUSA3"]] - 1) / 9 * 100
    weights = first.unstandardized_weights["Satisfaction"].loc[points.columns]
    index = first.predict(new, of="index")
    np.testing.assert_allclose(index["Satisfaction"], points @ weights)
    assert list(index) == list(scores)


def test_what_is_predicted_need_not_be_answered(mobi, first):
    new = mobi.data.iloc[200:]
    image = [f"IMAG{k}" for k in range(1, 6)]
    only = first.predict(new[image], technique="earliest")
    pd.testing.assert_frame_equal(only, first.predict(new, technique="earliest"))
    with pytest.raises(SurveyError, match="'CUEX1'"):
        first.predict(new[image])


def test_missing_answers(mobi):
    new = mobi.data.iloc[200:].copy()
    new.iloc[0, new.columns.get_loc("PERQ1")] = np.nan
    strict = csi.fit(M(SMALL), mobi.data.iloc[:200])
    with collected() as findings:
        items = strict.predict(new)
    assert [finding.code for finding in findings] == ["rows-without-score"]
    assert items.iloc[0].isna().tolist() == [True, True, True, False]
    assert np.isfinite(items.iloc[1:]).all(axis=None)
    survey = csi.read_survey(mobi.data.iloc[:200], missing="mean")
    filled = csi.fit(M(SMALL), survey)
    with collected() as findings:
        own = filled.predict(new)
    assert [finding.code for finding in findings] == ["new-cells-filled"]
    mean = new.assign(PERQ1=new["PERQ1"].fillna(mobi.data["PERQ1"].iloc[:200].mean()))
    np.testing.assert_allclose(own, filled.predict(mean))


def test_a_fit_of_moments_predicts(mobi, first):
    fit = csi.fit(csi.models.ecsi(), first.moments)
    new = mobi.data.iloc[200:]
    np.testing.assert_allclose(fit.predict(new), first.predict(new))


def test_what_cannot_be_is_named(mobi, first):
    new = mobi.data.iloc[200:]
    with pytest.raises(OptionError, match=r"csi\.PLS"):
        csi.fit(M(SMALL), mobi, csi.ML()).predict(new)
    with pytest.raises(ModelError, match="predict"):
        csi.fit(M(f"{SMALL}\nS ~ Q^2"), mobi).predict(new)
    for option in ({"of": "points"}, {"technique": "late"}):
        with pytest.raises(OptionError):
            first.predict(new, **option)
    unknown = csi.fit(M(SMALL), csi.read_survey(mobi.data.iloc[:200]))
    with pytest.raises(SurveyError, match="scale"):
        unknown.predict(new, of="index")
    for data in (None, 5, "nowhere.csv", new.iloc[:0], new.assign(PERQ1="a"), new[["PERQ1", "PERQ1"]],
                 new.assign(PERQ1=99.0), new.assign(PERQ1=np.inf)):  # fmt: skip
        with pytest.raises(CsimodelError):
            first.predict(data)
