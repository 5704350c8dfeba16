"""`fit.score`: new respondents by the weights, means and standard deviations of a fit."""

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import EstimationError, SurveyError
from csimodel.findings import collected

PRODUCT = "I =~ IMAG1 + IMAG2\nV =~ PERV1 + PERV2\nS =~ CUSA1 + CUSA2\nS ~ I + V + I:V"
HIGHER = "A =~ IMAG1 + IMAG2\nB =~ PERV1 + PERV2\nH =~ A + B\nS =~ CUSA1 + CUSA2\nS ~ H"


@pytest.fixture(scope="module")
def first(mobi):
    return csi.fit(csi.models.ecsi(), csi.read_survey(mobi.data.iloc[:180], scale=(1, 10)))


def test_new_scores_are_those_of_the_formula(first, mobi):
    new = mobi.data.iloc[180:]
    mean, sd = mobi.data.iloc[:180].mean(), mobi.data.iloc[:180].std()
    by_hand = ((new - mean) / sd)[list(first.model.items)] @ first.weights
    pd.testing.assert_frame_equal(first.score(new), by_hand, rtol=1e-12)
    points = (new[list(first.model.items)] - 1) / 9 * 100
    index = points @ first.unstandardized_weights
    pd.testing.assert_frame_equal(first.score(new, index=True), index, rtol=1e-12)


@pytest.mark.parametrize("estimator", [csi.PLS(), csi.PLS(consistent=True), csi.ML()], ids=str)
def test_scores_of_the_first_respondents_are_their_own(mobi, estimator):
    fit = csi.fit(csi.models.ecsi(), mobi, estimator)
    pd.testing.assert_frame_equal(fit.score(mobi.data), fit.scores, check_exact=True)
    index = csi.respondent_index(fit)
    pd.testing.assert_frame_equal(fit.score(mobi, index=True), index, check_exact=True)


@pytest.mark.parametrize("text", [PRODUCT, HIGHER])
def test_terms_are_scored(mobi, text):
    fit = csi.fit(csi.Model.from_syntax(text), mobi)
    index = csi.respondent_index(fit)
    pd.testing.assert_frame_equal(fit.score(mobi.data, index=True), index, check_exact=True)
    if text == PRODUCT:
        pd.testing.assert_frame_equal(fit.score(mobi.data), fit.scores, check_exact=True)
    else:
        pd.testing.assert_frame_equal(fit.score(mobi.data), fit.scores, rtol=1e-12)


def test_one_respondent_and_further_columns_are_enough(first, mobi):
    alone = mobi.data.iloc[[7]].assign(name="x")[::-1]
    pd.testing.assert_frame_equal(first.score(alone), first.scores.iloc[[7]], rtol=1e-12)


@pytest.mark.parametrize("kind", ["Int64", "float32", "int64[pyarrow]", "category", "str"])
def test_numbers_of_every_type_are_read(first, mobi, kind):
    scores = first.score(mobi.data.astype(kind))
    pd.testing.assert_frame_equal(scores, first.score(mobi.data), check_exact=True)


def test_answers_are_read_as_those_of_the_fit(mobi):
    asked = mobi.data.assign(CUSA1=11 - mobi.data["CUSA1"])
    survey = csi.read_survey(asked, scale=(1, 10), reverse="CUSA1", missing_codes={"IMAG1": 99})
    fit = csi.fit(csi.models.ecsi(), survey)
    asked.loc[4, "IMAG1"] = 99
    with collected() as told:
        scores = fit.score(asked)
    pd.testing.assert_frame_equal(scores.drop(index=4), fit.scores.drop(index=4), rtol=1e-12)
    assert scores.loc[4].isna().to_dict() == {name: name == "Image" for name in scores.columns}
    assert [(own.code, own.subjects, own.severity, own.count) for own in told] == [
        ("rows-without-score", ("IMAG1",), "warning", 1)
    ]
    assert told[0].values == {"rows": 1, "total": 250, "items": ("IMAG1 (1)",)}


@pytest.mark.parametrize("holes", [True, False])
def test_a_fit_that_fills_means_fills_its_own(mobi, holes):
    data = mobi.data.assign(IMAG1=mobi.data["IMAG1"].where(mobi.data.index > 9 * holes - 1))
    fit = csi.fit(csi.models.ecsi(), csi.read_survey(data, scale=(1, 10), missing="mean"))
    new = mobi.data.iloc[20:22].assign(IMAG1=[np.nan, 3.0], CUSA1=[8.0, np.nan])
    with collected() as told:
        scores, index = fit.score(new), fit.score(new, index=True)
    known = new.fillna({"IMAG1": data["IMAG1"].mean(), "CUSA1": data["CUSA1"].mean()})
    pd.testing.assert_frame_equal(scores, fit.score(known), rtol=1e-12)
    pd.testing.assert_frame_equal(index, fit.score(known, index=True), rtol=1e-12)
    assert [(own.code, own.count, own.values["items"]) for own in told] == [
        ("new-cells-filled", 2, ("IMAG1 (1)", "CUSA1 (1)"))
    ] * 2


def test_a_fit_of_moments_scores(mobi):
    model = csi.models.ecsi()
    fit = csi.fit(model, csi.Moments.from_array(mobi.data[list(model.items)], model.items))
    scores = csi.fit(model, mobi).scores
    pd.testing.assert_frame_equal(fit.score(mobi.data), scores, rtol=1e-9)
    with pytest.raises(SurveyError, match="The index needs the scale of IMAG1"):
        fit.score(mobi.data, index=True)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (lambda d: d.drop(columns=["CUSA1", "PERV1"]), "have no column for 'PERV1' and 'CUSA1'"),
        (lambda d: d.drop(columns=["CUSA1"]), "'CUSA1' .did you mean 'CUS"),
        (lambda d: d.assign(CUSA1="good"), "'CUSA1' holds the text 'good'"),
        (lambda d: d.assign(CUSA1=99), "'CUSA1' holds 250 values outside its scale 1-10"),
        (lambda d: d.assign(CUSA1=np.inf), "'CUSA1' holds 250"),
        (lambda d: d.iloc[:0], "has no rows"),
        (lambda d: pd.DataFrame(), "has no columns"),
        (lambda d: pd.concat([d, d["CUSA1"]], axis=1), "CUSA1"),
        (lambda d: None, "of type NoneType"),
        (lambda d: [1, 2], "of type list"),
    ],
)
def test_what_cannot_be_scored_is_refused(first, mobi, data, message):
    with pytest.raises(SurveyError, match=message):
        first.score(data(mobi.data))


def test_answers_that_nobody_gave_have_no_score(first, mobi):
    with collected() as told:
        scores = first.score(mobi.data.assign(CUSA1=np.nan))
    assert scores["Satisfaction"].isna().all()
    assert scores.drop(columns="Satisfaction").notna().all(axis=None)
    assert told[0].count == 250


def test_a_fit_without_a_solution_does_not_score(mobi):
    fit = csi.fit(csi.models.ecsi(), mobi, csi.PLS(max_iterations=1))
    with pytest.raises(EstimationError, match="There is no solution to score new answers by"):
        fit.score(mobi.data)
