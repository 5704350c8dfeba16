"""Rows of a regression: the same answers, however they are given."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import csimodel as csi
from csimodel.errors import ModelError, OptionError, SurveyError
from csimodel.outcomes import repurchase
from csimodel.outcomes.rows.rows import Rows

EXACT = {"rtol": 1e-12, "atol": 0}


@pytest.fixture(scope="module")
def designed(mobi):
    """The survey with an index of its own, weights, strata and clusters."""
    number = np.arange(250)
    columns = {
        "points": np.linspace(5, 95, 250) + 3.0 * (number % 7),
        "w": 1.0 + number % 3,
        "region": np.where(number < 125, "n", "s"),
        "shop": number // 5,
        "age": 20.0 + number % 41,
    }
    data = mobi.data.assign(**columns)
    return replace(mobi, data=data, weights="w", strata="region", cluster="shop")


def same(found, own):
    """Compare coefficients and errors of regressions."""
    assert found.coefficients.index.equals(own.coefficients.index)
    one, other = (rep.coefficients.select_dtypes("number") for rep in (found, own))
    assert_allclose(one, other, **EXACT)


def test_an_index_gives_the_same_from_a_fit_and_as_values(fit, mobi):
    index = csi.respondent_index(fit)["Satisfaction"]
    own = csi.repurchase(fit, "CUSL1", controls="CUSL2")
    shuffled = index.sample(frac=1, random_state=1)
    for found in (
        csi.repurchase(fit, "CUSL1", index=index, controls="CUSL2"),
        csi.repurchase(fit, "CUSL1", index=shuffled, controls=mobi.data[["CUSL2"]]),
        csi.repurchase(
            index=index, outcome=mobi.data["CUSL1"], controls=mobi.data["CUSL2"], scale=(1, 10)
        ),
        csi.repurchase(
            mobi.data.assign(Satisfaction=index), "CUSL1", controls=["CUSL2"], scale=(1, 10)
        ),
    ):
        same(found, own)
        assert found.fit is None
    assert own.fit is fit


def test_a_survey_brings_its_scales_weights_and_design(designed):
    found = csi.repurchase(designed, "CUSL1", index="points")
    sample = found.regression.sample
    assert found.errors == "linearized"
    assert_allclose(sample.weights, designed.data["w"] / designed.data["w"].mean())
    assert sample.strata.max() == 1
    assert sample.cluster.max() == 49
    assert sample.outcome.max() == 1.0
    fit = csi.fit(csi.models.ecsi(), designed)
    by_fit = csi.repurchase(fit, "CUSL1", index=designed.data["points"])
    same(by_fit, found)
    plain = replace(designed, strata=None)
    other = csi.repurchase(plain, "CUSL1", index="points", weights="age", cluster="age")
    assert_allclose(other.regression.sample.weights.mean(), 1.0)
    assert other.errors == "CR2"
    assert other.regression.sample.cluster.max() == 40
    with pytest.raises(OptionError, match="cluster='age' names other clusters than the survey's"):
        csi.repurchase(designed, "CUSL1", index="points", cluster="age")


def test_rows_a_fit_left_out_need_no_values(ecsi, mobi):
    data = mobi.data.astype(float)
    data.iloc[3, data.columns.get_loc("IMAG1")] = np.nan
    fit = csi.fit(ecsi, csi.read_survey(data, scale=(1, 10), missing="listwise"))
    index = csi.respondent_index(fit)["Satisfaction"]
    assert len(index) == 249
    own = csi.repurchase(fit, "CUSL1")
    for values in (index, index.reindex(data.index)):
        same(csi.repurchase(fit, "CUSL1", index=values), own)
    found = csi.repurchase(fit, "CUSL1", index=index.to_numpy())
    assert found.indexes == ("index",)
    assert_allclose(found.slope, own.slope, **EXACT)


def test_a_formula_may_name_what_is_given_as_values(fit, mobi):
    group = pd.Series(np.where(np.arange(250) % 2, "a", "b"), mobi.data.index, name="group")
    text = "index * C(group)"
    found = csi.repurchase(fit, "CUSL1", formula=text, controls=group)
    frame = mobi.data.assign(group=group)
    again = csi.repurchase(csi.fit(fit.model, replace(mobi, data=frame)), "CUSL1", formula=text)
    same(found, again)


def test_other_models_take_an_index_as_values(fit, mobi):
    index = csi.respondent_index(fit)["Satisfaction"]
    y, firm = mobi.data["CUSL1"], np.arange(250) % 25
    own = csi.outcomes.repurchase_mixed(fit, "CUSL1", by=firm)
    found = csi.outcomes.repurchase_mixed(index=index, outcome=y, by=firm, scale=(1, 10))
    assert_allclose(float(found.within), float(own.within), **EXACT)
    time = {"duration": np.arange(1.0, 251), "event": np.arange(250) % 3 > 0}
    own = csi.outcomes.repurchase_time(fit, **time)
    found = csi.outcomes.repurchase_time(index=index, **time)
    assert_allclose(float(found.hazard_ratio), float(own.hazard_ratio), **EXACT)
    pair = csi.respondent_index(fit)[["Quality", "Expectation"]]
    own = csi.outcomes.repurchase_asymmetry(fit)
    found = csi.outcomes.repurchase_asymmetry(
        quality=pair["Quality"], expectations=pair["Expectation"], outcome=index
    )
    assert_allclose(found.table["estimate"], own.table["estimate"], rtol=1e-9)
    own = csi.outcomes.corrected_slopes(fit, "CUSL1", methods="eiv", reliability=0.8)
    found = csi.outcomes.corrected_slopes(fit, "CUSL1", "eiv", index=index, reliability=0.8)
    assert_allclose(found.table["slope"], own.table["slope"], **EXACT)


def test_asymmetry_has_errors_by_strata(designed):
    fit = csi.fit(csi.models.ecsi(), designed)
    assert csi.outcomes.repurchase_asymmetry(fit).regression.errors == "linearized"


def test_standard_errors_of_means_are_aligned():
    rng = np.random.default_rng(2)
    true = 70 + 8 * rng.standard_normal(60)
    frame = pd.DataFrame({"se": rng.uniform(2, 6, 60), "share": 0.4 + 0.005 * (true - 70)})
    frame["points"] = true + frame["se"] * rng.standard_normal(60)
    given = {"index": frame["points"], "outcome": frame["share"], "scale": (0, 1), "methods": "eiv"}
    one = csi.outcomes.corrected_slopes(index_se=frame["se"], **given)
    other = csi.outcomes.corrected_slopes(index_se=frame["se"][::-1], **given)
    named = csi.outcomes.corrected_slopes(
        frame, "share", "eiv", index="points", index_se="se", scale=(0, 1)
    )
    for found in (other, named):
        assert_allclose(found.table["slope"], one.table["slope"], **EXACT)


def test_drops_take_weights_as_a_column_or_as_values():
    frame = pd.DataFrame({"happy": [5, 4] * 40, "again": [1, 1, 1, 0] * 20})
    frame = frame.assign(w=1.0 + np.arange(80) % 4, shop=np.arange(80) // 4)
    given = {"satisfaction": "happy", "repurchase": "again"}
    one = csi.outcomes.repurchase_top_drop(frame, weights="w", cluster="shop", **given).table
    other = csi.outcomes.repurchase_top_drop(
        frame, weights=frame["w"], cluster=frame["shop"], **given
    ).table
    assert_array_equal(one[["drop", "se"]], other[["drop", "se"]])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, OptionError, "repurchase wants a fit and fit is None; make one with csi.fit(model, "
         "survey), or, where the index was computed elsewhere, name its column or give its points "
         "as values."),
        ({"fit": "frame"}, OptionError, "repurchase wants a fit and fit is a DataFrame; make one with "
         "csi.fit(model, survey), or, where the index was computed elsewhere, name its column "
         "('Satisfaction' is none) or give its points as values."),
        ({"fit": "frame", "index": []}, OptionError, "index=[] must name one column, or several "
         "different ones; use 'points' and 'again'."),
        ({"index": np.arange(250.0), "outcome": "CUSL1"}, OptionError, "Outcome 'CUSL1' names a "
         "column, and there is no table to take it from; give a fit, a survey or a data frame "
         "first, or a value for each row."),
        ({"fit": "fit", "weights": np.ones(250)}, OptionError, "weights= does not go with a fit, "
         "whose survey has its own design; name it with csi.read_survey(..., weights=) and fit "
         "again."),
        ({"fit": "fit", "index": np.arange(250.0), "bootstrap": "boot"}, OptionError, "bootstrap= "
         "estimates an index again in every draw, and this one was computed elsewhere; leave "
         "bootstrap= out, or give a fit and name its construct."),
        ({"fit": "fit", "index": np.arange(9.0)}, SurveyError, "Index 'index' has the shape (9,), "
         "but there are 250 respondents; give one value for each."),
        ({"fit": "fit", "controls": np.ones((250, 2))}, OptionError, "controls is a ndarray, and "
         "must be names of columns, or a Series or data frame of them."),
        ({"fit": "fit", "index": pd.DataFrame(index=range(250))}, OptionError, "index= holds no column; "
         "give one of points from 0 to 100 for each index."),
        ({"index": [[1.0], [1.0, 2.0]], "outcome": [0, 1]}, SurveyError, "Index 'index' has rows of "
         "different lengths; give one value for each respondent."),
        ({"fit": "fit", "index": "Satisfacton"}, ModelError, "index='Satisfacton' is not a "
         "construct of the model (did you mean 'Satisfaction'?); use index= with one of 'Image', "
         "'Expectation', 'Quality', 'Value', 'Satisfaction', 'Complaints', 'Loyalty'."),
        ({"fit": [1, 2]}, OptionError, "repurchase wants a fit and fit is [1, 2]; make one with "
         "csi.fit(model, survey)."),
    ],
)  # fmt: skip
def test_messages(fit, boot, options, error, message):
    frame = pd.DataFrame({"points": np.arange(250.0), "again": 1})
    known = {"fit": fit, "boot": boot, "frame": frame}
    given = {
        name: known[value] if isinstance(value, str) and value in known else value
        for name, value in options.items()
    }
    with pytest.raises(error) as raised:
        csi.repurchase(**{"outcome": "CUSL1", **given})
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"index_se": np.ones(250)}, "index_se= is for an index computed elsewhere"),
        (
            {"draws": 5},
            r"draws=5 is for an index computed elsewhere; .*csi.bootstrap\(fit, draws=5",
        ),
        ({"by": "CUSL1", "index": np.arange(250.0)}, "by= makes groups of a fit's respondents"),
    ],
)
def test_messages_of_corrected_slopes(fit, options, message):
    with pytest.raises(OptionError, match=message):
        csi.outcomes.corrected_slopes(fit, "CUSL1", **options)


def test_segments_want_to_be_named(fit):
    with pytest.raises(OptionError, match="There are no segments; name the column"):
        csi.outcomes.repurchase_segments(fit, "CUSL1")
    with pytest.raises(OptionError, match="takes one index, and 2 were given"):
        csi.outcomes.repurchase_segments(fit, "CUSL1", "CUSL2", index=["Satisfaction", "Image"])


def test_labels_and_scales_of_rows(designed):
    rows = Rows.of(designed, "a test")
    name, codes, labels = rows.labels("region", "Region")
    assert (name, labels) == ("region", ["n", "s"])
    assert_array_equal(codes, np.arange(250) >= 125)
    cusl = designed.data["CUSL1"]
    assert rows.scale("CUSL1", "CUSL1", cusl.to_numpy()) == (1.0, 10.0)
    assert rows.scale(cusl > 5, "CUSL1", (cusl > 5).to_numpy()) is None
    assert rows.bounds(cusl > 5, "CUSL1", (cusl > 5).to_numpy()) == (0.0, 1.0)
    assert not replace(rows, weights=np.r_[0.0, np.nan, np.ones(248)]).usable[:2].any()


def test_complaints_say_what_their_design_lacks(designed):
    number = np.arange(250)
    data = designed.data.assign(spoke=number % 2, shop=number // 63, half=number // 126)
    survey = replace(designed, data=data, strata="half")
    found = csi.outcomes.complaint_repurchase(
        survey, complained="spoke", handling="CUSCO", repurchase="CUSL1"
    )
    assert "few-units" in [finding.code for finding in found.findings]


@pytest.mark.parametrize("weighted", [False, True])
def test_weights_of_cells_are_how_often_their_respondents_were_drawn(mobi, ecsi, weighted):
    data = mobi.data.assign(w=1.0 + np.arange(250) % 3)
    survey = csi.read_survey(data, scale=(1, 10), weights="w" if weighted else None)
    fit = csi.fit(ecsi, survey)
    boot = csi.bootstrap(fit, draws=30, rng=2, progress=False)
    rep = repurchase(fit, "CUSL1", index="Loyalty", bootstrap=boot)
    cells, sample = rep.draws.cells, rep.regression.sample
    assert len(cells.starts) < 250
    times = boot.design.counts(0) * (sample.weights if weighted else 1.0)
    of_cell = np.searchsorted(cells.starts, np.arange(250), side="right") - 1
    expected = np.zeros((30, len(cells.starts)))
    for place, row in enumerate(cells.order):
        expected[:, of_cell[place]] += times[:, row]
    assert_allclose(cells.tally(boot.design, 0, np.arange(30)), expected)


def test_a_named_index_without_a_column_is_named_where_there_are_columns():
    frame = pd.DataFrame({"points": np.arange(20.0), "again": np.arange(20) % 2})
    with pytest.raises(OptionError, match=r"name its column \('score' is none\) or give"):
        repurchase(frame, "again", index="score")
    for data, index in ((None, "score"), (frame, None)):
        with pytest.raises(OptionError, match=r"name its column or give"):
            repurchase(data, np.arange(20) % 2, index=index)
