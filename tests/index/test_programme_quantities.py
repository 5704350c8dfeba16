"""Paths, loadings, effects and impacts of a programme, and differences of any two scores."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from statsmodels.stats.multitest import multipletests

import csimodel as csi
from csimodel.errors import InferenceError, ModelError, OptionError


def _survey(model, data, **design):
    return csi.read_survey(data, scale=dict.fromkeys(model.items, (1, 10)), **design)


@pytest.fixture(scope="module")
def data(mobi):
    place = np.arange(250)
    firm = np.array(["a", "b", "c"])[place % 3]
    return mobi.data.assign(
        firm=firm,
        industry=np.where(firm == "c", "y", "x"),
        wave=place // 3 % 2 + 1,
        person=place // 6,
    )


@pytest.fixture(scope="module")
def clustered(ecsi, data):
    """Clusters that all firms and periods share, so that everything covaries."""
    return csi.programme(ecsi, _survey(ecsi, data, cluster="person"), ["industry", "firm"], "wave")


@pytest.fixture(scope="module")
def fits(ecsi, data):
    return csi.fit_groups(ecsi, _survey(ecsi, data, cluster="person"), ["firm", "wave"])


@pytest.mark.parametrize("quantity", ["paths", "loadings", "total_effects", "impacts"])
def test_differences_are_those_of_linearised_fits(clustered, fits, quantity):
    theirs = csi.linearize(fits).difference((quantity, ("a", 2)), (quantity, ("b", 1)))
    tables = clustered.of(quantity)
    ours = tables.difference(("firm", "a", 2), ("firm", "b", 1))
    assert_allclose(ours["estimate"], theirs["estimate"], atol=1e-12)
    assert_allclose(ours["se"], theirs["se"], rtol=1e-6, atol=1e-9)
    assert (ours["df"] <= theirs["df"].max()).all()
    change = tables.changes.loc[("firm", "a", 2, 1)]
    theirs = csi.linearize(fits).difference((quantity, ("a", 2)), (quantity, ("a", 1)))
    assert_allclose(change["se"], theirs["se"], rtol=1e-6, atol=1e-9)


def test_a_unit_differs_from_the_whole_that_contains_it_by_what_is_not_shared(ecsi, data):
    found = csi.programme(ecsi, _survey(ecsi, data), "firm", "wave").of("paths")
    scores = found.scores.xs(2, level="period")
    ours = found.difference(("firm", "a", 2), ("all", "all", 2))
    variance = {unit: scores.loc[("firm", unit), "se"] ** 2 for unit in "abc"}
    by_hand = (2 / 3) ** 2 * variance["a"] + (variance["b"] + variance["c"]) / 9
    assert_allclose(ours["se"], np.sqrt(by_hand))
    whole = sum(scores.loc[("firm", unit), "estimate"] for unit in "abc") / 3
    assert_allclose(ours["estimate"], scores.loc[("firm", "a"), "estimate"] - whole)
    assert_allclose(found.scores.loc[("all", "all", 2), "estimate"], whole)


def test_differences_of_all_units_are_adjusted_over_their_pairs(clustered):
    paths = clustered.of("paths")
    table = paths.differences(against="pairs")
    row = table.loc[("firm", "a", 2, "b")]
    alone = paths.difference(("firm", "a", 2), ("firm", "b", 2))
    assert_allclose(row[["estimate", "se"]], alone[["estimate", "se"]])
    own = table.xs(("Loyalty", "Satisfaction"), level=("target", "source"))
    assert_allclose(own["p_adjusted"], multipletests(own["p"], method="holm")[1])
    above = clustered.differences(period=1, against="industry")
    assert above.index.get_level_values("from").unique().tolist() == ["x", "y"]
    assert above.loc[("firm", "c"), "estimate"].eq(0).all()
    assert len(clustered.differences("industry")) == 2 * len(clustered.constructs)


def test_what_no_answer_moves_is_the_same_in_every_sample(clustered):
    loading = clustered.table("loadings").loc[("all", "all", 2, "CUSCO", "Complaints")]
    assert_allclose(loading[["estimate", "se"]].tolist(), [1.0, 0.0], atol=1e-12)
    assert loading["reason"] == "the same in every sample, by construction"
    assert clustered.of("index") is clustered.tables


def test_impacts_are_what_if_of_each_unit(ecsi, data, clustered, fits):
    moved = clustered.impacts({"Quality": 5, "Value": -2}).scores
    own = csi.what_if(fits[("b", 1)], {"Quality": 5, "Value": -2}).table
    ours = moved.loc[("firm", "b", 1)]
    assert_allclose(ours["estimate"], own["estimate"])
    assert_allclose(
        moved.loc[("all", "all", 1, "Loyalty"), "estimate"],
        np.average([moved.loc[("industry", k, 1, "Loyalty"), "estimate"] for k in "xy"]),
    )
    one = _survey(ecsi, data[data["firm"] == "b"])
    alone = csi.programme(ecsi, one, "firm", "wave").impacts({"Quality": 5}).scores
    single = csi.fit_groups(ecsi, one, "wave")[1]
    assert_allclose(
        alone.loc[("firm", "b", 1), "se"], csi.what_if(single, {"Quality": 5}).table["se"],
        rtol=1e-5, atol=1e-9,
    )  # fmt: skip


def test_a_cell_that_cannot_be_fitted_has_no_paths_nor_what_contains_it(ecsi, data):
    few = data[(data["firm"] != "b") | (data["wave"] == 1) | (np.arange(250) < 20)]
    found = csi.programme(ecsi, _survey(ecsi, few), "firm", "wave", item_weights="pooled")
    assert np.isfinite(found.scores.loc[("firm", "b", 2), "estimate"]).all()
    paths = found.of("paths")
    assert paths.scores.loc[("firm", "b", 2), "estimate"].isna().all()
    whole = paths.scores.loc[("all", "all", 2)]
    assert whole[["estimate", "se"]].isna().all(axis=None)
    assert set(whole["reason"]) == {"no estimate"}
    assert paths.scores.loc[("all", "all", 1), "se"].gt(0).all()
    assert paths.trend.empty


def test_misuse_is_refused_in_one_sentence(clustered):
    def refusal(call, kind=OptionError):
        with pytest.raises(kind) as caught:
            call()
        return str(caught.value)

    whole = ("all", "all", 2)
    assert refusal(lambda: clustered.difference("a", whole)) == (
        "a='a' names no score; give the level, the unit and the period, as ('firm', 'a', 2)."
    )
    assert refusal(lambda: clustered.difference(("firm", "d", 2), whole)) == (
        "a names unit 'd', which is not of level firm; its units are a, b and c."
    )
    assert refusal(lambda: clustered.difference(whole, ("frm", "a", 2))) == (
        "b='frm' is not known (did you mean 'firm'?); use one of 'all', 'industry', 'firm'."
    )
    assert refusal(lambda: clustered.difference(whole, ("firm", "a", 3))) == (
        "b=3 is not among the periods, 1 to 2."
    )
    assert refusal(lambda: clustered.differences("all")).startswith("level='all' is not known")
    assert refusal(lambda: clustered.differences(period=7)) == (
        "period=7 is not among the periods, 1 to 2."
    )
    assert refusal(lambda: clustered.differences("industry", against="firm")).startswith(
        "against='firm' is not known; use one of 'pairs', 'all'."
    )
    assert refusal(lambda: clustered.of("pats")).startswith("There is no quantity 'pats'")
    assert refusal(lambda: clustered.of("srmr"), InferenceError).startswith(
        "'srmr' has no error from influence values"
    )
    assert refusal(lambda: clustered.impacts({"Qualty": 5}), ModelError) == (
        "changes names construct 'Qualty', which is not in the model (did you mean 'Quality'?)."
    )
    assert refusal(lambda: clustered.impacts({})).startswith("changes={} names no construct")


def test_a_unit_that_is_gone_has_no_difference(ecsi, data):
    gone = data[(data["firm"] != "b") | (data["wave"] == 1)]
    found = csi.programme(ecsi, _survey(ecsi, gone), "firm", "wave")
    with pytest.raises(OptionError, match="a names b in 2, when it has no score"):
        found.difference(("firm", "b", 2), ("all", "all", 2))
    assert found.differences().index.get_level_values("unit").unique().tolist() == ["a", "c"]
    assert isinstance(found.differences("firm", 1), pd.DataFrame)
