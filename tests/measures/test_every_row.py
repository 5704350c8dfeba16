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
# By row of the list: the call, its result of data and options, the key of an estimate, its value by
# hand, the plot or None.
ROWS: dict[str, tuple[Callable, Callable, object, float, Callable | None]] = {
    "satisfaction level": (
        m.satisfaction_level,
        lambda d, **o: m.satisfaction_level(d, ["a", "b"], levels=[-40, -20, 0, 20, 40], **o),
        "Satisfaction level", (40 + 20 + 20 - 20 + 0 + 0 + 40 - 40) / 8, plots.profile,
    ),
    "comparison": (
        m.comparison, lambda d, **o: m.comparison(d, ["a", "b"], **{"by": "brand", **o}),
        ("B", "all items"), (4 + 2 + 5 + 1) / 4, plots.profile,
    ),
    "satisfied share": (
        m.top_box, lambda d, **o: m.top_box(d, "a", boxes=2, **o), "a", 3 / 4, None,
    ),
    "bottom boxes": (
        m.bottom_box, lambda d, **o: m.bottom_box(d, "a", boxes=2, **o), "a", 1 / 4, None,
    ),
    "net score": (m.net_score, lambda d, **o: m.net_score(d, "a", **o), "a", 3 / 4 - 1 / 4, None),
    "shares of answers": (
        m.answer_shares, lambda d, **o: m.answer_shares(d, "a", **o), 4, 2 / 4, None,
    ),
    "net promoter score": (
        m.net_promoter, lambda d, **o: m.net_promoter(d, "nps", **o), "nps", 2 / 4 - 1 / 4, None,
    ),
    "value balance": (
        m.value_balance, lambda d, **o: m.value_balance(d, "felt", "paid", **o), "mean of ratios",
        (180 / 120 + 100 / 120 + 90 / 100 + 110 / 100) / 4, None,
    ),
    "after-use satisfaction": (
        m.after_use_satisfaction, lambda d, **o: m.after_use_satisfaction(d, "felt", "paid", **o),
        "ratio of means", 480 / 440, None,
    ),
    "disconfirmation": (
        m.disconfirmation, lambda d, **o: m.disconfirmation(d, perceived="a", expected="ia", **o),
        "a", (0 - 1 + 0 - 2) / 4, None,
    ),
    "importance weights": (
        m.importance_weights, lambda d, **o: m.importance_weights(d, ["ia", "ib"], **o), "ia",
        5 * 2 / 4 + 4 * 2 / 4, None,
    ),
    "weighted satisfaction": (
        m.weighted_satisfaction,
        lambda d, **o: m.weighted_satisfaction(
            d, satisfaction=["a", "b"], importance=["ia", "ib"], **o
        ),
        "weighted", (4.5 * 3.75 + 2.5 * 3) / (4.5 + 2.5), None,
    ),
    "importance-performance": (
        m.stated_importance,
        lambda d, **o: m.stated_importance(
            d, importance=["ia", "ib"], performance=["a", "b"], **o
        ),
        "a", 100 * (4.5 - 3.75) / 4, plots.importance_performance,
    ),
    "service gap": (
        m.service_gap,
        lambda d, **o: m.service_gap(d, expected=["ia", "ib"], perceived=["a", "b"], **o),
        "all items", (-0.75 + 0.5) / 2, None,
    ),
    "enterprise index": (
        m.enterprise_index, lambda d, **o: m.enterprise_index(d, favourability="praise", **o),
        "favourability", 2 / 4, None,
    ),
    "customer value": (
        m.customer_value, lambda d, **o: m.customer_value(d, value="felt", cost="paid", **o),
        "difference", (480 - 440) / 4, None,
    ),
    "classes of customers": (
        m.abc_classes, lambda d: m.abc_classes(d, "sales", shares=(0.4, 0.3)), "A",
        90 / 100, plots.lorenz,
    ),
    "internal customers": (
        m.branch_regression,
        lambda d: m.branch_regression(BRANCHES.assign(estimate=[2.0, 4.0, 6.0, 9.0]), BRANCHES),
        "slope", 11.5 / 5, None,
    ),
}  # fmt: skip
GROUPED = [row for row in ROWS if row not in ("classes of customers", "internal customers")]
"""Classes are groups themselves (by_class), and branches are the rows of a regression."""


@pytest.mark.parametrize("row", ROWS)
def test_a_measure_has_its_value_by_hand(row):
    _, result, key, value, _ = ROWS[row]
    table = result(SURVEY).table
    assert {"estimate", "se", "df", "lower", "upper", "n", "reason"} <= set(table.columns)
    assert table["estimate"].loc[key] == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("row", ROWS)
def test_a_measure_is_public_and_has_an_example(row):
    call = ROWS[row][0]
    assert getattr(m, call.__name__) is call
    assert doctest.DocTestParser().get_examples(call.__doc__)


def test_the_four_brands():
    level = m.satisfaction_level(BRAND_A, by="brand").table["estimate"]
    assert level["A"] == pytest.approx(140 / 6, abs=1e-12)


@pytest.mark.parametrize("row", GROUPED)
def test_groups_of_a_measure_differ_by_what_their_estimates_do(row):
    result = ROWS[row][1](SURVEY, by="brand")
    estimate, differences = result.table["estimate"], result.differences
    assert {"estimate", "se", "df", "lower", "upper", "p", "p_holm", "reason"} <= set(differences)
    for key, row in differences.iterrows():
        *entry, first, second = key if isinstance(key, tuple) else (key,)
        at = [(first, *entry), (second, *entry)] if entry else [first, second]
        assert row["estimate"] == pytest.approx(estimate.loc[at[0]] - estimate.loc[at[1]])


@pytest.mark.parametrize("row", [own for own in ROWS if own != "internal customers"])
def test_a_weight_of_two_is_a_respondent_twice(row):
    options = {"items": RATED, "scale": dict.fromkeys(RATED, (1, 5))}
    weighted = csi.read_survey(FRAME.assign(w=[2.0, 1, 1, 1]), weights="w", **options)
    twice = csi.read_survey(pd.concat([FRAME[:1], FRAME], ignore_index=True), **options)
    result = ROWS[row][1]
    once, other = (result(data).table["estimate"] for data in (weighted, twice))
    assert once.tolist() == pytest.approx(other.tolist(), abs=1e-12)


@pytest.mark.parametrize("row", [own for own in ROWS if own != "internal customers"])
def test_one_cluster_has_no_error_and_says_why(row):
    options = {"items": RATED, "scale": dict.fromkeys(RATED, (1, 5))}
    one = csi.read_survey(FRAME.assign(c=1), cluster="c", **options)
    table = ROWS[row][1](one).table
    known = table["estimate"].notna()
    assert table.loc[known, "se"].isna().all()
    assert (table.loc[known, "reason"] != "").all()


@pytest.mark.parametrize("row", [row for row, entry in ROWS.items() if entry[4] is not None])
def test_a_measure_has_its_plot(row):
    _, result, _, _, plot = ROWS[row]
    own = result(SURVEY)
    drawn = {
        plots.profile: lambda: plots.profile(
            own.attributes if isinstance(own, m.SatisfactionLevel) else own.table
        ),
        plots.importance_performance: lambda: plots.importance_performance(own),
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


# Section 2: from exploration to a measuring instrument, by what it is called.
INSTRUMENTS = {
    "description and data quality": csi.describe,
    "exploratory factors": csi.explore_factors,
    "loadings as a heat map": plots.loadings,
    "item analysis, shorter scales": csi.analyze_items,
    "codebook from a file": csi.draft_codebook,
    "questionnaire": m.write_questionnaire,
    "sample plan": csi.sample_plan,
    "survey plan": m.survey_plan,
}


@pytest.mark.parametrize("row", INSTRUMENTS)
def test_an_instrument_is_public_and_has_an_example(row):
    assert doctest.DocTestParser().get_examples(INSTRUMENTS[row].__doc__)
