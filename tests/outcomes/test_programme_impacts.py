"""What changes of drivers do to repurchase and money, for every unit of a programme."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.errors import ModelError, OptionError, SurveyError

TERMS = csi.money.Economics(margin=120, currency="EUR", period="year", discount_rate=0.08)
CHAIN = ["index of Satisfaction", "probability of repurchase", "retention",
         "lifetime value of a customer"]  # fmt: skip
impacts = csi.outcomes.programme_impacts


def _survey(model, data, **design):
    return csi.read_survey(data, scale=dict.fromkeys(model.items, (1, 10)), **design)


@pytest.fixture(scope="module")
def data(mobi):
    place = np.arange(250)
    return mobi.data.assign(
        firm=np.array(["a", "b"])[place % 2],
        wave=place // 2 % 2 + 1,
        person=place // 8,
        batch=place // 25,
        heavy=1.0 + place % 3,
        again=(place * 7 % 11 > 4).astype(float),
    )


@pytest.mark.parametrize("design", [{}, {"weights": "heavy"}, {"cluster": "person"}])
@pytest.mark.parametrize("family", ["fractional-logit", "logit"])
def test_a_unit_has_the_chain_of_its_own_fit(ecsi, data, design, family):
    """Errors are those of 250 refits along each respondent, by another piece of code."""
    outcome = "CUSL1" if family.startswith("fractional") else "again"
    own = data[:248].query("firm == 'a'")  # all clusters are in both waves
    waves = csi.programme(ecsi, _survey(ecsi, own, **design), "firm", "wave")
    ours = impacts(waves, {"Quality": 5}, outcome, TERMS, family=family).scores
    ours = ours.loc[("firm", "a", 2)].loc[CHAIN]
    fit = csi.fit(ecsi, _survey(ecsi, own[own["wave"] == 2], **design))
    chain = csi.repurchase(fit, outcome, family=family, bootstrap=csi.linearize(fit))
    theirs = csi.money.profit_of_driver(
        chain.draws.bootstrap, chain, "Quality", TERMS, points=5, measurement_error="ignored"
    ).table.loc[CHAIN]
    assert_allclose(ours["estimate"], theirs["estimate"], rtol=1e-8)
    assert_allclose(ours["se"], theirs["se"], rtol=1e-5)


def test_probit_is_near_its_chain_by_refits(ecsi, data):
    """Regressions take the expected information, and refits the one observed."""
    own = data[data["firm"] == "a"]
    waves = csi.programme(ecsi, _survey(ecsi, own), "firm", "wave")
    ours = impacts(waves, {"Image": 3}, "again", family="probit").scores
    fit = csi.fit(ecsi, _survey(ecsi, own[own["wave"] == 1]))
    chain = csi.repurchase(fit, "again", family="probit", bootstrap=csi.linearize(fit))
    theirs = csi.money.profit_of_driver(
        chain.draws.bootstrap, chain, "Image", TERMS, points=3, measurement_error="ignored"
    ).table.loc["probability of repurchase"]
    row = ours.loc[("firm", "a", 1, "probability of repurchase")]
    assert_allclose(row["estimate"], theirs["estimate"], rtol=1e-8)
    assert_allclose(row["se"], theirs["se"], rtol=0.05)


def test_levels_above_have_weighted_means_and_what_clusters_share(data):
    """The whole's influence values are those of a weight moved for one cluster, everywhere."""
    model = csi.Model.from_syntax(
        "Quality =~ PERQ1 + PERQ2 + PERQ3\nSatisfaction =~ CUSA1 + CUSA2 + CUSA3\n"
        "Satisfaction ~ Quality"
    )

    def moved(heavy):
        survey = _survey(model, data.assign(heavy=heavy), weights="heavy", cluster="batch")
        waves = csi.programme(model, survey, "firm", "wave", estimator=csi.PLS(tolerance=1e-12))
        return impacts(waves, {"Quality": 5}, "CUSL1", TERMS, scale=(1, 10))

    tables = moved(np.ones(250))
    scores = tables.scores
    whole = scores.loc[("all", "all", 2)].loc[CHAIN]
    firms = [scores.loc[("firm", name, 2), "estimate"].loc[CHAIN] for name in "ab"]
    assert_allclose(whole["estimate"], (firms[0] + firms[1]) / 2)
    step, pulls = 1e-4, []
    for batch in range(10):
        own = (data["batch"] == batch).to_numpy()
        ends = [
            moved(1.0 + way * step * own).scores.loc[("all", "all", 2), "estimate"].loc[CHAIN]
            for way in (1.0, -1.0)
        ]
        pulls.append((ends[0] - ends[1]).to_numpy() / (2 * step))
    pulls = np.array(pulls)
    by_hand = np.sqrt(10 / 9 * ((pulls - pulls.mean(axis=0)) ** 2).sum(axis=0))
    assert_allclose(whole["se"], by_hand, rtol=1e-4)
    change = tables.changes.loc[("all", "all", 2, 1)].loc[CHAIN]
    earlier = scores.loc[("all", "all", 1), "se"].loc[CHAIN]
    apart = np.sqrt(whole["se"] ** 2 + earlier**2)
    assert (abs(change["se"] / apart - 1) > 1e-3).all()  # what periods share counts


def test_indexes_are_those_of_impacts(ecsi, data):
    waves = csi.programme(ecsi, _survey(ecsi, data), "firm", "wave")
    ours = impacts(waves, {"Quality": 5, "Value": -2}, "CUSL1").scores
    theirs = waves.impacts({"Quality": 5, "Value": -2}).scores
    for name in ecsi.construct_names:
        own = ours.xs(f"index of {name}", level="impact")
        assert_allclose(
            own[["estimate", "se"]], theirs.xs(name, level="construct")[["estimate", "se"]]
        )
    assert ours.index.get_level_values("impact").unique().tolist() == [
        *(f"index of {name}" for name in ecsi.construct_names), "probability of repurchase",
    ]  # fmt: skip
    # a construct behind repurchase's index does not move it
    after = impacts(waves, {"Loyalty": 5}, "CUSL1").scores.xs(CHAIN[1], level="impact")
    assert (after["estimate"] == 0).all()
    assert (after["se"] == 0).all()
    assert set(after["reason"]) == {"the same in every sample, by construction"}


def test_another_index_and_an_outcome_given_as_values(ecsi, data):
    waves = csi.programme(ecsi, _survey(ecsi, data), "firm", "wave")
    named = impacts(waves, {"Quality": 5}, "again", index="Loyalty").scores
    given = impacts(waves, {"Quality": 5}, data["again"], index="Loyalty").scores
    pd.testing.assert_frame_equal(named, given)
    assert not np.isclose(
        named["estimate"], impacts(waves, {"Quality": 5}, "again").scores["estimate"]
    ).all()


def test_respondents_without_an_outcome_are_left_out_of_the_regression_alone(ecsi, data):
    gaps = data.assign(again=data["again"].where(data["person"] > 5))
    waves = csi.programme(ecsi, _survey(ecsi, gaps), "firm", "wave")
    ours = impacts(waves, {"Quality": 5}, "again").scores.loc[("firm", "b", 1)].loc[CHAIN[:2]]
    fit = csi.fit(ecsi, _survey(ecsi, gaps[(gaps["firm"] == "b") & (gaps["wave"] == 1)]))
    chain = csi.repurchase(fit, "again", bootstrap=csi.linearize(fit))
    theirs = csi.money.profit_of_driver(
        chain.draws.bootstrap, chain, "Quality", TERMS, points=5, measurement_error="ignored"
    ).table.loc[CHAIN[:2]]
    assert_allclose(ours["estimate"], theirs["estimate"], rtol=1e-8)
    assert_allclose(ours["se"] ** 2 * 63 / 62, theirs["se"] ** 2 * 63 / 62, rtol=1e-4)


def test_what_a_reader_must_know(ecsi, data):
    always = data.assign(again=data["again"].where(data["firm"] == "a", 1.0))
    waves = csi.programme(ecsi, _survey(ecsi, always), "firm", "wave")
    tables = impacts(waves, {"Quality": 5}, "again", TERMS)
    found = {finding.code: finding for finding in tables.findings}
    assert list(found) == ["impacts-as-measured", "units-without-regression"]
    assert found["impacts-as-measured"].severity == "note"
    lost = found["units-without-regression"]
    assert lost.count == 2
    assert lost.values["total"] == 4
    assert lost.severity == "warning"
    assert lost.subjects == ("b · 1 (every outcome the same)", "b · 2 (every outcome the same)")
    scores = tables.scores
    assert scores.loc[("firm", "b", 1)].loc[CHAIN[1:], "estimate"].isna().all()
    assert scores.loc[("all", "all", 1)].loc[CHAIN[1:], "estimate"].isna().all()
    assert set(scores.loc[("all", "all", 1)].loc[CHAIN[1:], "reason"]) == {"no estimate"}
    assert scores.loc[("all", "all", 1, CHAIN[0]), "se"] > 0  # what there is keeps its error
    assert scores.loc[("firm", "a", 1), "se"].notna().all()
    assert "every outcome the same" in str(tables.summary())
    rated = impacts(csi.programme(ecsi, _survey(ecsi, data), "firm", "wave"), {"Image": 1}, "CUSA1")
    assert [finding.code for finding in rated.findings] == [
        "outcome-in-index", "rating-as-probability", "impacts-as-measured",
    ]  # fmt: skip


def test_misuse_is_refused_in_one_sentence(ecsi, data):
    waves = csi.programme(ecsi, _survey(ecsi, data.assign(text="yes")), "firm", "wave")

    def refusal(kind, *arguments, **options):
        with pytest.raises(kind) as caught:
            impacts(waves, *arguments, **options)
        return str(caught.value)

    change = {"Quality": 5}
    assert refusal(OptionError, change, "CUSL1", TERMS, family="ols") == (
        "family='ols' predicts probabilities outside 0 to 1, of which there is no money; use "
        "family='fractional-logit', or leave economics= out."
    )
    many = csi.money.Economics(
        margin=1, currency="EUR", period="year", discount_rate=0.1, customers=5000
    )
    assert refusal(OptionError, change, "CUSL1", many) == (
        "economics has customers=5000, and impacts of a programme are of one customer, as units "
        "differ in how many they have; leave customers out, and multiply by those of a unit."
    )
    assert refusal(OptionError, change, "CUSL1", family="beta").startswith("family='beta' is not")
    assert refusal(SurveyError, change, "agian").startswith("Outcome 'agian' is not a column")
    assert refusal(SurveyError, change, "text").startswith("Outcome 'text' holds 'yes' in row 1")
    assert refusal(SurveyError, change, "person").startswith("The scale of outcome 'person'")
    assert refusal(ModelError, change, "CUSL1", index="Satisfction").startswith(
        "Construct 'Satisfction' is not in the model"
    )
    assert refusal(ModelError, {"Qualty": 5}, "CUSL1").startswith("changes names construct")


@pytest.mark.parametrize("margin", [1e11, 1e16])
def test_money_of_any_size_leaves_the_errors_of_the_other_impacts(ecsi, data, margin):
    waves = csi.programme(ecsi, _survey(ecsi, data), "firm", "wave")
    terms = csi.money.Economics(margin=margin, currency="EUR", period="year", discount_rate=0.08)
    ours = impacts(waves, {"Quality": 5}, "CUSL1", terms).scores.drop(index=CHAIN[-1], level=-1)
    theirs = impacts(waves, {"Quality": 5}, "CUSL1", TERMS).scores.drop(index=CHAIN[-1], level=-1)
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-12)
