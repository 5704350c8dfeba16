"""Every measure of satisfaction management has a public call, its value by hand, an example, a plot.

The values are of the frame below, with the formula beside each. Values of other programs are in
`test_measures.py`.
"""

from __future__ import annotations

import doctest
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import csimodel as csi

m, plots = csi.measures, csi.plots
FRAME = pd.DataFrame(
    {
        "a": [5, 4, 4, 2], "b": [3, 3, 5, 1], "ia": [5, 5, 4, 4], "ib": [2, 3, 3, 2],
        "nps": [10, 9, 7, 3], "sales": [70.0, 20.0, 6.0, 4.0], "praise": [1, 1, 0, 0],
        "felt": [180.0, 100.0, 90.0, 110.0], "paid": [120.0, 120.0, 100.0, 100.0],
        "brand": ["A", "A", "B", "B"],
    }
)  # fmt: skip
RATED = ["a", "b", "ia", "ib"]
SURVEY = csi.read_survey(FRAME, items=RATED, scale=dict.fromkeys(RATED, (1, 5)))
BRAND_A = pd.DataFrame([[40, 20, 60, -20, 0, 40]], columns=list("qfpdtk")).assign(brand="A")
BRANCHES = pd.DataFrame({"estimate": [1.0, 2.0, 3.0, 4.0], "se": 0.0})
COMPLAINTS = pd.DataFrame(
    {"c": [1, 1, 1, 0, 0], "h": [5, 1, 5, np.nan, np.nan], "again": [1, 0, 1, 0, 1],
     "sat": [1, 1, 1, 1, 5], "told": [10, 20, 10, 5, 0]}
)  # fmt: skip
# By row of the list: the call, its result, the key of an estimate, its value, the plot or None.
ROWS: dict[str, tuple[Callable, Callable, object, float, Callable | None]] = {
    "satisfaction level": (
        m.satisfaction_level, lambda: m.satisfaction_level(BRAND_A, by="brand"), "A",
        140 / 6, plots.profile,
    ),
    "comparison": (
        m.comparison, lambda: m.comparison(SURVEY, ["a", "b"], by="brand"), ("B", "all items"),
        (4 + 2 + 5 + 1) / 4, plots.profile,
    ),
    "satisfied share": (m.top_box, lambda: m.top_box(SURVEY, "a", boxes=2), "a", 3 / 4, None),
    "bottom boxes": (m.bottom_box, lambda: m.bottom_box(SURVEY, "a", boxes=2), "a", 1 / 4, None),
    "net score": (m.net_score, lambda: m.net_score(SURVEY, "a"), "a", 3 / 4 - 1 / 4, None),
    "net promoter score": (
        m.net_promoter, lambda: m.net_promoter(FRAME, "nps"), "nps", 2 / 4 - 1 / 4, None,
    ),
    "value balance": (
        m.value_balance, lambda: m.value_balance(FRAME, "felt", "paid"), "mean of ratios",
        (180 / 120 + 100 / 120 + 90 / 100 + 110 / 100) / 4, None,
    ),
    "after-use satisfaction": (
        m.after_use_satisfaction, lambda: m.after_use_satisfaction(FRAME, "felt", "paid"),
        "ratio of means", 480 / 440, None,
    ),
    "disconfirmation": (
        m.disconfirmation, lambda: m.disconfirmation(SURVEY, perceived="a", expected="ia"), "a",
        (0 - 1 + 0 - 2) / 4, None,
    ),
    "importance weights": (
        m.importance_weights, lambda: m.importance_weights(SURVEY, ["ia", "ib"]), "ia",
        5 * 2 / 4 + 4 * 2 / 4, None,
    ),
    "weighted satisfaction": (
        m.weighted_satisfaction,
        lambda: m.weighted_satisfaction(SURVEY, satisfaction=["a", "b"], importance=["ia", "ib"]),
        "weighted", (4.5 * 3.75 + 2.5 * 3) / (4.5 + 2.5), None,
    ),
    "importance-performance": (
        m.stated_importance,
        lambda: m.stated_importance(SURVEY, importance=["ia", "ib"], performance=["a", "b"]),
        "a", 100 * (4.5 - 3.75) / 4, plots.importance_performance,
    ),
    "service gap": (
        m.service_gap, lambda: m.service_gap(SURVEY, expected=["ia", "ib"], perceived=["a", "b"]),
        "all items", (-0.75 + 0.5) / 2, None,
    ),
    "enterprise index": (
        m.enterprise_index, lambda: m.enterprise_index(FRAME, favourability="praise"),
        "favourability", 2 / 4, None,
    ),
    "customer value": (
        m.customer_value, lambda: m.customer_value(FRAME, value="felt", cost="paid"),
        "difference", (480 - 440) / 4, None,
    ),
    "classes of customers": (
        m.abc_classes, lambda: m.abc_classes(FRAME, "sales"), "A", 70 / 100, plots.lorenz,
    ),
    "internal customers": (
        m.branch_regression,
        lambda: m.branch_regression(BRANCHES.assign(estimate=[2.0, 4.0, 6.0, 9.0]), BRANCHES),
        "slope", 11.5 / 5, None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_a_measure_has_its_value_by_hand(row):
    _, result, key, value, _ = ROWS[row]
    table = result().table
    assert {"estimate", "se", "df", "lower", "upper", "n", "reason"} <= set(table.columns)
    assert table["estimate"].loc[key] == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("row", ROWS)
def test_a_measure_is_public_and_has_an_example(row):
    call = ROWS[row][0]
    assert getattr(m, call.__name__) is call
    assert doctest.DocTestParser().get_examples(call.__doc__)


@pytest.mark.parametrize("row", [row for row, entry in ROWS.items() if entry[4] is not None])
def test_a_measure_has_its_plot(row):
    _, result, _, _, plot = ROWS[row]
    own = result()
    drawn = {
        plots.profile: lambda: plots.profile(
            own.attributes if isinstance(own, m.SatisfactionLevel) else own.table
        ),
        plots.importance_performance: lambda: plots.importance_performance(
            own.standing, target="satisfaction"
        ),
        plots.lorenz: lambda: plots.lorenz(own),
    }[plot]()
    assert drawn.axes[0].has_data()


def test_word_of_mouth_by_hand():
    """Four were dissatisfied and told 45 people; three of them spoke, one kept silent."""
    call = csi.outcomes.complaint_repurchase
    options = {"satisfied_from": 4, "dissatisfied_to": 2, "well_from": 4}
    table = call(
        COMPLAINTS, complained="c", handling="h", repurchase="again", satisfied="sat", told="told",
        **options,
    ).word_of_mouth  # fmt: skip
    by_hand = [45 / 4, 40 / 3, 5 / 1, 45 / 5]
    assert table["estimate"].tolist() == pytest.approx(by_hand, abs=1e-12)
    assert doctest.DocTestParser().get_examples(call.__doc__)


def test_a_cost_of_zero_and_a_group_without_answers_have_no_estimate():
    free = FRAME.assign(cost=0, by=["x", "x", "y", "y"], got=[3.0, 4.0, np.nan, np.nan])
    value = m.customer_value(free, value="felt", cost="cost")
    assert value.table["estimate"].tolist() == [120.0, 0.0, 120.0]
    assert not np.signbit(value.table.loc["cost", "estimate"])
    row = value.ratio.loc["value / cost"]
    assert np.isnan(row["estimate"])
    assert row["reason"] == "no estimate"
    survey = csi.read_survey(free, items=["got"], scale=(1, 5))
    shares = m.top_box(survey, "got", by="by")
    assert np.isnan(shares.table.loc["y", "estimate"]).all()
    assert set(shares.table.loc["y", "reason"]) == {"no estimate"}
    assert "unanswered" in [own.code for own in shares.findings]


@pytest.mark.parametrize("name", ["service_index", "customer_value", "service_gap",
                                  "service_profit_chain"])  # fmt: skip
def test_a_row_that_is_a_model_is_in_the_catalogue(name):
    build = getattr(csi.models, name)
    assert build().paths
    assert doctest.DocTestParser().get_examples(build.__doc__)
