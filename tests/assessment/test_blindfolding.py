"""Blindfolding: by hand, by regressions of single items, other programs' values, refusals."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.errors import OptionError, SurveyError
from csimodel.findings import collected

blindfold = csi.assessment.blindfold
PLS = csi.PLS(tolerance=1e-12)


def by_hand(model, data, name, distance):
    """Return Q² of one construct: holes one after another, fits of filled frames."""
    items, labels = list(model.blocks[name]), list(data.index)
    cells = [(row, item) for item in items for row in labels]
    sse = sso = 0.0
    for start in range(distance):
        holes, filled = cells[start::distance], data.astype(float)
        for item in items:
            rows = [row for row, own in holes if own == item]
            filled.loc[rows, item] = data[item].drop(rows).mean()
        fit = csi.fit(model, filled, PLS)
        expected = (fit.scores * fit.paths.loc[name]).sum(axis=1)
        for row, item in holes:
            mean, sd = filled.loc[row, item], data[item].std()
            slope = filled[item].std() * fit.loadings.loc[item, name]
            sse += ((data.loc[row, item] - mean - slope * expected[row]) / sd) ** 2
            sso += ((data.loc[row, item] - mean) / sd) ** 2
    return 1 - sse / sso


@pytest.mark.parametrize("distance", [7, 9])
def test_by_hand(ecsi, mobi, distance):
    table = blindfold(csi.fit(ecsi, mobi, PLS), distance)
    for name in ("Satisfaction", "Complaints"):
        q2 = by_hand(ecsi, mobi.data, name, distance)
        assert_allclose(table.loc[name, "q2"], q2, atol=1e-9)
    assert table.loc["Satisfaction", "answers"] == 750
    assert table["size"].to_dict()["Quality"] == "small"
    # Other programs number answers otherwise: near, not equal.
    assert_allclose(table.loc["Satisfaction", "q2"], 0.4523, atol=0.01)
    assert abs(table.loc["Satisfaction", "q2"] - 0.4523) > 1e-3


def test_single_items_are_regressions_on_filled_answers():
    rng = np.random.default_rng(1)
    x = rng.normal(size=40)
    y = 0.7 * x + rng.normal(size=40)
    sse = sso = 0.0
    for start in range(7):
        hole = np.arange(40) % 7 == start
        filled = np.where(hole, y[~hole].mean(), y)
        slope = np.polyfit(x, filled, 1)
        sse += ((y - np.polyval(slope, x))[hole] ** 2).sum()
        sso += ((y - filled)[hole] ** 2).sum()
    model = csi.Model.from_syntax("X =~ x\nY =~ y\nY ~ X")
    table = blindfold(csi.fit(model, pd.DataFrame({"x": x, "y": y})))
    assert_allclose(table.loc["Y", "q2"], 1 - sse / sso, atol=1e-12)


def test_units_of_answers_do_not_matter_and_noise_predicts_nothing(ecsi, mobi):
    table = blindfold(csi.fit(ecsi, mobi, PLS))
    other = blindfold(csi.fit(ecsi, mobi.data * np.linspace(0.1, 9, 24), PLS))
    assert_allclose(other["q2"], table["q2"], atol=1e-9)
    unrelated = pd.DataFrame({"a": [1, -1] * 20, "b": [1, 1, -1, -1] * 10})
    model = csi.Model.from_syntax("A =~ a\nB =~ b\nB ~ A")
    assert blindfold(csi.fit(model, unrelated), 7)["size"].tolist() == ["none"]


def test_weights_are_rows_repeated_in_every_mean(mobi, ecsi):
    equal = csi.read_survey(mobi.data.assign(w=3.0), weights="w")
    ours = blindfold(csi.fit(ecsi, equal, PLS))["q2"]
    assert_allclose(ours, blindfold(csi.fit(ecsi, mobi, PLS))["q2"], atol=1e-12)
    uneven = csi.read_survey(mobi.data.assign(w=[1.0] * 100 + [3.0] * 150), weights="w")
    assert (blindfold(csi.fit(ecsi, uneven, PLS))["q2"] - ours).abs().max() > 1e-3


def test_rounds_without_a_solution_are_counted():
    data = pd.DataFrame({"a": [1.0, 2, 3, 4, 5, 7, 6, 8, 9], "b": [0.0] * 8 + [1.0]})
    model = csi.Model.from_syntax("A =~ a\nB =~ b\nB ~ A")
    fit = csi.fit(model, data)
    with collected() as findings:
        table = blindfold(fit, 2)
    assert table.loc["B", ["q2", "sse"]].isna().all()
    assert table.loc["B", "size"] == "not judged"
    (lost,) = [own for own in findings if own.code == "lost-rounds"]
    assert (lost.count, lost.subjects, lost.values["total"]) == (1, ("B",), 2)


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (5, r"distance=5 divides the number of respondents \(250\)"),
        (250, "distance=250 is not below the number of respondents"),
        (1, "distance"),
        (2.5, "distance"),
        (True, "distance"),
        (None, "distance"),
    ],
)
def test_distances_that_are_none(fit, distance, words):
    with pytest.raises(OptionError, match=words):
        blindfold(fit, distance)


def test_fits_without_scores_or_with_gaps_are_refused(ecsi, mobi):
    small = csi.Model.from_syntax("Q =~ PERQ1 + PERQ2 + PERQ3\nS =~ CUSA1 + CUSA2\nS ~ Q")
    with pytest.raises(OptionError, match="blindfold predicts items from scores"):
        blindfold(csi.fit(small, mobi, csi.ML()))
    gaps = csi.read_survey(mobi.data.mask(mobi.data == 1), missing="pairwise")
    with pytest.raises(SurveyError, match="blindfold needs complete answers"):
        blindfold(csi.fit(ecsi, gaps))
    with pytest.raises(OptionError, match="blindfold wants a fit"):
        blindfold(mobi)
