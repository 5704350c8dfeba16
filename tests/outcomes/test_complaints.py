"""Complaints: values of R and of public data, laws, recovery on simulated truth, messages."""

from html import escape

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.errors import OptionError, SurveyError
from csimodel.outcomes import complaint_repurchase, literature
from csimodel.outcomes.kernels.group_means import group_means, share_interval
from csimodel.outcomes.money import Economics, buying_rates, complaint_budget, more_complaints
from csimodel.survey import datasets
from csimodel.survey.sampling import SurveyDesign

TERMS = Economics(margin=100, currency="EUR", period="year", discount_rate=0.1, customers=1_000)


def asked(data, **options):
    """Take the columns of the ACSI survey where no others are named."""
    named = {"complained": "COMP", "handling": "HANDLE", "repurchase": "REPUR"}
    return complaint_repurchase(data, **named | options)


@pytest.fixture(scope="module")
def acsi():
    try:
        datasets._acsi_file(None)
    except SurveyError:
        pytest.skip("the public ACSI 2015 file is not on this computer; name it in CSIMODEL_DATA")
    return csi.load_acsi2015()


@pytest.fixture(scope="module")
def found(acsi):
    return asked(acsi, satisfied="SATIS")


@pytest.fixture(scope="module")
def r(reference):
    return reference("complaints_survey.json")


@pytest.fixture(scope="module")
def lines(mobi):
    i = np.arange(250)
    return mobi.data[["CUSL1", "CUSCO", "CUSA1"]].assign(
        spoke=(i % 3 == 0).astype(int), w=1 + (i % 5) / 2, firm=i % 25
    )


def simulated(rows=400, seed=0):
    rng = np.random.default_rng(seed)
    spoke = (rng.random(rows) < 0.4).astype(float)
    how = np.where(spoke == 1, rng.integers(1, 11, rows), np.nan)
    again = np.where(spoke == 1, how, 8) + rng.integers(-1, 2, rows)
    glad = rng.integers(1, 11, rows)
    return pd.DataFrame(
        {"COMP": spoke, "HANDLE": how, "REPUR": np.clip(again, 1, 10), "glad": glad}
    )


# --- values from other programs and published data ----------------------------------------------


def test_acsi_2015_repurchase_by_handling(found):
    mean = found.table["mean"].round(2)
    published = [2.43, 2.96, 3.21, 4.18, 4.30, 5.25, 6.15, 7.32, 8.31, 9.22]
    assert mean[[f"handled {k}" for k in range(1, 11)]].tolist() == published
    assert mean["no complaint"] == 8.20
    assert (found.findings[0].code, found.findings[0].severity) == ("rows-left-out", "note")
    assert found.findings[0].values == {
        "out": 506, "all": 8239, "lost": 277, "without": 229, "label": "REPUR",
    }  # fmt: skip
    assert found.table["n"]["complained"] == 1357


def test_acsi_2015_shares(found, acsi):
    silent = found.rates.loc["silent share of those still dissatisfied"]
    unhappy = acsi.data[(acsi.data["SATIS"] <= 5) & acsi.data["COMP"].notna()]
    assert silent["n"] == len(unhappy)
    assert_allclose(silent["share"], (unhappy["COMP"] == 0).mean())
    beside = found.against(literature.silent_share, "silent share of the dissatisfied")
    assert beside.loc["yours", "upper"] < beside.loc["published", "value"] == 0.96
    against = found.against(literature.recovered_if_resolved, "handled well")
    ends = against.loc["published", ["value", "lower", "upper"]]
    assert ends.tolist() == [0.54, 0.54, 0.70]


def test_recovery_paradox_depends_on_how_well(acsi):
    eight = asked(acsi, satisfied="SATIS").paradox
    ten = asked(acsi, satisfied="SATIS", well_from=10).paradox
    assert eight["p"].iloc[0] > 0.05
    assert ten["p"].iloc[0] < 1e-6
    assert ten["p"].iloc[1] < 0.1
    assert eight["p"].iloc[1] > 0.99  # the satisfied who never complained are ahead


def test_group_means_of_the_survey_package(r, lines):
    found = complaint_repurchase(
        lines, complained="spoke", handling="CUSCO", repurchase="CUSL1", well_from=8,
        scale=(1, 10), weights="w", cluster="firm",
    )  # fmt: skip
    groups = [found.names.index(name) for name in r["groups"]]
    assert_allclose(found.means.mean[groups], r["mean"], rtol=1e-10)
    assert_allclose(found.means.se[groups], r["se"], rtol=1e-10)
    covariance = found.means.covariance[np.ix_(groups, groups)]
    assert_allclose(covariance, r["covariance"], rtol=1e-9)


def test_paradox_is_the_one_sided_test_of_welch(r, lines):
    found = complaint_repurchase(
        lines, complained="spoke", handling="CUSCO", repurchase="CUSL1", well_from=8, scale=(1, 10)
    ).paradox.iloc[0]
    for name, value in r["welch"].items():
        assert_allclose(found[name], value, rtol=1e-8)


def test_silent_share_is_wilsons(r, lines):
    found = complaint_repurchase(
        lines, complained="spoke", handling="CUSCO", repurchase="CUSL1", well_from=8,
        scale=(1, 10), satisfied="CUSA1", satisfied_from=8, dissatisfied_to=6,
    ).rates.loc["silent share of those still dissatisfied"]  # fmt: skip
    assert (found["n"] * found["share"], found["n"]) == tuple(r["wilson"]["silent"])
    assert_allclose(
        found[["lower", "upper"]].astype(float), [r["wilson"][k] for k in ("lower", "upper")]
    )


# --- laws ----------------------------------------------------------------------------------------


def test_weights_of_one_and_clusters_of_one_change_nothing():
    frame = simulated().assign(w=2.5, own=np.arange(400))
    plain = asked(frame, well_from=8, scale=(1, 10)).table
    weighted = asked(frame, well_from=8, scale=(1, 10), weights="w").table
    assert_allclose(plain.drop(columns="reason"), weighted.drop(columns="reason"))
    alone = asked(frame, well_from=8, scale=(1, 10), cluster="own").table
    assert_allclose(plain["mean"], alone["mean"])
    ratio = (plain["n"] - 1) / plain["n"] * 400 / 399  # n/(n - 1) of a group, C/(C - 1) of all
    assert_allclose(alone["se"] ** 2, plain["se"] ** 2 * ratio)


def test_rows_in_any_order():
    frame = simulated()
    one = asked(frame, well_from=8, scale=(1, 10), satisfied="glad", satisfied_from=8,
                     dissatisfied_to=5)  # fmt: skip
    other = asked(frame.sample(frac=1, random_state=1), well_from=8, scale=(1, 10),
                       satisfied="glad", satisfied_from=8, dissatisfied_to=5)  # fmt: skip
    pd.testing.assert_frame_equal(one.table, other.table)
    pd.testing.assert_frame_equal(one.rates, other.rates)
    assert repr(one) == repr(other)
    assert escape(one.headline) in one._repr_html_()
    assert "Recovery paradox" in str(one.summary())


def test_shares_are_covered_where_clusters_agree():
    rng = np.random.default_rng(4)
    firm, inside, naive = np.repeat(np.arange(30), 10), 0, 0
    firms = SurveyDesign.of(300, cluster=firm)
    for _ in range(300):
        y = (rng.random(300) < rng.beta(1.8, 0.2, 30)[firm]).astype(float)
        low, high = share_interval(group_means(y, [np.arange(300)], None, firms), 0, 0.95)
        inside += low <= 0.9 <= high
        low, high = share_interval(group_means(y, [np.arange(300)], None, None), 0, 0.95)
        naive += low <= 0.9 <= high
    assert 0.91 < inside / 300 < 0.98
    assert naive / 300 < 0.8


def test_draws_of_a_group_are_about_its_mean(found):
    well = found.retention("handled well", draws=4_000, rng=1)
    row = found.table.loc["handled well"]
    assert_allclose(well.estimate, row["probability"])
    assert_allclose(well.draws.std(), row["se"] / 9, rtol=0.05)
    again = found.retention("handled badly", draws=4_000, rng=1)
    assert abs(np.corrcoef(well.draws, again.draws)[0, 1]) < 0.05  # disjoint rows, no clusters
    whole = found.retention("complained", draws=4_000, rng=1)
    assert np.corrcoef(whole.draws, again.draws)[0, 1] > 0.3
    assert well.findings[0].code == "rating-as-probability"


def test_from_complaints_to_money(found):
    parts = {name: found.retention(name, rng=2) for name in found.names}
    budget = complaint_budget(
        parts["handled well"], parts["handled badly"], TERMS, retention=parts["no complaint"],
        dissatisfied=0.13, complaint_rate=0.48,
    )  # fmt: skip
    gain = found.gain / 9
    assert_allclose(budget["retention won by handling"], gain["difference"])
    assert_allclose(budget["retention won by handling"].se, gain["se"], rtol=0.05)
    assert budget.estimate.lower < budget.estimate < budget.estimate.upper
    assert_allclose(budget["complaints"], 62.4)
    pays = more_complaints(
        parts["handled well"], parts["dissatisfied, no complaint"], TERMS,
        retention=parts["no complaint"], dissatisfied=0.13, from_=0.48, to=0.6, compensation=0,
    )  # fmt: skip
    at_limit = more_complaints(
        parts["handled well"], parts["dissatisfied, no complaint"], TERMS,
        retention=parts["no complaint"], dissatisfied=0.13, from_=0.48, to=0.6,
        compensation=pays["largest cost of a further complaint"].estimate,
    )  # fmt: skip
    assert pays.chance() == 1
    assert_allclose(at_limit.estimate.estimate, 0, atol=1e-9)


def answers(groups):
    """Return rows of (how many, complained, handled, satisfied, answers again in turn)."""
    rows = [
        (spoke, how, glad, again[k % len(again)])
        for many, spoke, how, glad, again in groups
        for k in range(many)
    ]
    return pd.DataFrame(rows, columns=["COMP", "HANDLE", "glad", "REPUR"])


MOOD = {"satisfied": "glad", "satisfied_from": 8, "dissatisfied_to": 5, "well_from": 8}


def test_recovered_complainers_were_dissatisfied_too():
    """21 dissatisfied keep silent, 11 complain and still are, 10 complain and are won back."""
    frame = answers(
        [(60, 0, np.nan, 9, [9, 8]), (21, 0, np.nan, 3, [4, 5]), (11, 1, 2, 3, [2, 3]),
         (10, 1, 9, 9, [9, 10])]
    )  # fmt: skip
    found = asked(frame, scale=(1, 10), **MOOD)
    rates = found.rates["share"]
    assert rates["silent share of the dissatisfied"] == 0.5
    assert rates["complaint rate of the dissatisfied"] == 0.5
    assert_allclose(rates["silent share of those still dissatisfied"], 21 / 32)
    assert found.rates.loc["silent share of the dissatisfied", "n"] == 42
    assert found.headline.endswith(
        "Of the dissatisfied, those whose complaint was put right among them, 50 % did not complain."
    )


def test_the_paradox_is_against_the_satisfied_who_did_not_complain():
    """The well handled are ahead of all who kept silent, and behind the satisfied among them."""
    frame = answers(
        [(80, 0, np.nan, 9, [10, 9]), (80, 0, np.nan, 2, [2, 3]), (40, 1, 9, 8, [8, 9]),
         (40, 1, 2, 2, [1, 2])]
    )  # fmt: skip
    found = asked(frame, scale=(1, 10), **MOOD)
    p = found.paradox["p"]
    assert p["handled well - no complaint"] < 1e-6
    assert p["handled well - satisfied, no complaint"] > 0.99
    assert found.headline.startswith(
        "Mean REPUR is 9.50 among the satisfied who did not complain (glad of 8 or more), 1.50 "
        "where a complaint was handled badly and 8.50 where it was handled well (HANDLE of 8 or "
        "more): no sign of a recovery paradox (one-sided p = 1.000)."
    )
    better = frame.assign(REPUR=frame["REPUR"].where(frame["HANDLE"] != 9, 10))
    better.loc[better.index[better["HANDLE"] == 9][0], "REPUR"] = 9
    assert (
        ": a recovery paradox (one-sided p < .001)."
        in asked(better, scale=(1, 10), **MOOD).headline
    )
    alone = asked(frame, scale=(1, 10), well_from=8)
    assert "a recovery paradox (" not in alone.headline
    assert alone.headline.endswith(
        "as the dissatisfied who kept silent count among the first, whether that is a recovery "
        "paradox could not be tested."
    )


def test_several_purchases_of_a_group_are_said_to_take_customers_as_alike(simulated_groups):
    kept = simulated_groups.retention("complained", Economics(
        margin=100, currency="EUR", period="year", discount_rate=0.1, purchases=4
    ))  # fmt: skip
    assert "customers-alike" in [finding.code for finding in kept.findings]
    one = simulated_groups.retention("complained", TERMS)
    assert_allclose(kept.estimate, one.estimate**4)
    assert "customers-alike" not in [finding.code for finding in one.findings]


@pytest.fixture(scope="module")
def simulated_groups():
    return asked(simulated(), scale=(1, 10), well_from=8)


def test_handling_without_complaint_is_counted():
    frame = simulated()
    frame.loc[frame["COMP"] == 0, "HANDLE"] = 5.0
    frame.loc[frame.index[frame["COMP"] == 1][:3], "HANDLE"] = np.nan
    found = asked(frame, well_from=8, scale=(1, 10))
    told = {finding.code: finding for finding in found.findings}
    assert told["handling-without-complaint"].count == (frame["COMP"] == 0).sum()
    assert told["handling-missing"].count == 3


def test_who_buys():
    rng = np.random.default_rng(0)
    old = np.repeat([1, 0], 4_000)
    sold = rng.random(8_000) < np.where(
        old, literature.existing_buys.value, literature.new_buys.value
    )
    found = buying_rates(pd.DataFrame({"old": old, "sold": sold}), bought="sold", existing="old")
    for row, truth in (("existing", 0.5), ("new", 0.15), ("difference", 0.35)):
        assert found.loc[row, "lower"] < truth < found.loc[row, "upper"]


def test_who_buys_leaves_out_whoever_is_not_known():
    """By hand: 2 of 3 existing and 1 of 4 new customers bought; one of each is not known."""
    nan = np.nan
    frame = pd.DataFrame(
        {"old": [1, 1, 1, 0, 0, 0, 0, nan, 1], "sold": [1, 1, 0, 1, 0, 0, 0, 1, nan]}
    )
    found = buying_rates(frame, bought="sold", existing="old")
    assert found["n"].tolist() == [3, 4, 7]
    assert_allclose(found["share"], [2 / 3, 1 / 4, 2 / 3 - 1 / 4])
    spread = np.sqrt((2 / 9) / 2 + (3 / 16) / 3)  # p (1 - p) / (n - 1) of each
    assert_allclose(found.loc["difference", "se"], spread)


def test_who_buys_says_why_there_is_no_error():
    frame = pd.DataFrame({"old": [1, 1, 0, 0], "sold": [1, 0, 1, 0], "shop": [1, 1, 2, 2]})
    found = buying_rates(frame, bought="sold", existing="old", cluster="shop")
    assert found["se"].isna().all()
    assert found["reason"].str.len().gt(0).all()
    assert (buying_rates(frame, bought="sold", existing="old")["reason"] == "").all()


def test_literature_is_documented():
    table = literature.table()
    assert table.loc["repurchase_per_point", "value"] == 0.0058
    example = literature.repurchase_at_67.value + (70 - 67) * literature.repurchase_per_point.value
    assert_allclose(example, 0.7674)
    assert table.loc["acquisition_ratio", "value"] == 5
    assert table.loc["profit_lift", ["value", "upper"]].tolist() == [0.25, 0.85]
    assert table[["unit", "source", "caveat", "standing"]].map(len).gt(5).all().all()
    assert (table["standing"] == "unsourced").equals(table["year"].isna())
    with pytest.raises(AttributeError):
        literature.silent_share.value = 1.0


@pytest.mark.parametrize(
    ("scale", "well", "unhappy"),
    [((1, 10), 8, 5), ((0, 10), 8, 5), ((1, 7), 6, 4), ((1, 5), 5, 3), ((0, 0.9), 0.7, 0.4)],
)
def test_bounds_lie_seven_ninths_and_half_way_up_the_scale(scale, well, unhappy):
    low, high = scale
    answers = np.arange(10) / 10 if high < 1 else np.arange(low, high + 1)
    frame = pd.DataFrame(
        {
            "COMP": np.repeat([1.0, 0.0], len(answers)),
            "HANDLE": np.r_[answers, np.full(len(answers), np.nan)],
            "REPUR": np.tile(answers, 2)[::-1],
            "glad": np.tile(answers, 2),
        }
    )
    items = {
        name: csi.Item(name, minimum=low, maximum=high) for name in ("HANDLE", "REPUR", "glad")
    }
    found = asked(csi.Survey(frame, items), satisfied="glad")
    n = found.table["n"]
    assert n["handled well"] == (answers >= well).sum()
    assert n["handled badly"] == (answers < well).sum()
    assert n["satisfied, no complaint"] == (answers >= well).sum()
    assert n["dissatisfied, no complaint"] == (answers <= unhappy).sum()
    given = asked(
        csi.Survey(frame, items), satisfied="glad", well_from=well, satisfied_from=well,
        dissatisfied_to=unhappy,
    )  # fmt: skip
    pd.testing.assert_frame_equal(found.table, given.table)


def test_draws_outside_0_to_1_are_counted_and_only_where_there_are():
    frame = pd.DataFrame(
        {
            "COMP": [0.0] * 40 + [1.0] * 40,
            "HANDLE": [np.nan] * 40 + [9.0] * 20 + [2.0] * 20,
            "REPUR": [5.0, 6.0] * 20 + [10.0] * 19 + [1.0] + [4.0, 7.0] * 10,
        }
    )
    found = asked(frame, well_from=8, scale=(1, 10))
    assert [f.code for f in found.retention("no complaint").findings] == ["rating-as-probability"]
    kept = found.retention("handled well", draws=1_000, rng=3)
    noise = np.random.default_rng(3).multivariate_normal(
        np.zeros(len(found.names)), np.nan_to_num(found.means.covariance), 1_000, "ignore",
        method="eigh",
    )[:, found.names.index("handled well")]  # fmt: skip
    outside = int((np.abs(kept.estimate + noise / 9 - 0.5) > 0.5).sum())
    assert outside > 50
    (finding,) = (f for f in kept.findings if f.code == "draws-outside-0-1")
    assert finding.count == outside
    assert finding.values == {"outside": outside, "draws": 1000, "group": "handled well"}
    assert kept.draws.max() == 1.0


# --- messages ------------------------------------------------------------------------------------


def fails(error, message, frame=None, **options):
    with pytest.raises(error) as raised:
        asked(simulated() if frame is None else frame, **options)
    assert str(raised.value) == message


def test_messages():
    frame = simulated()
    fails(
        SurveyError, "Complained 'COMPL' is not a column of the data frame (did you mean 'COMP'?); "
        "name one of its columns, or give a Series with a value for each row.", complained="COMPL",
    )  # fmt: skip
    fails(
        SurveyError, "complained='REPUR' must hold 0 and 1 only, and holds 10 different values from "
        "1 to 10; give a column such as data['REPUR'] == 10.", complained="REPUR",
    )  # fmt: skip
    fails(
        SurveyError, "The scale of 'REPUR' is unknown (values from 1 to 10 were seen); give its own "
        "lowest and highest answer, such as scale=(1, 10).", well_from=8,
    )  # fmt: skip
    fails(
        SurveyError, "Repurchase 'REPUR' goes from 1 to 10, which does not fit the scale 1 to 7; "
        "give its own lowest and highest answer.", well_from=8, scale=(1, 7),
    )  # fmt: skip
    fails(
        OptionError, "The scale of 'HANDLE' is unknown, so well_from= must be given: the answer "
        "that divides it.", scale=(1, 10),
    )  # fmt: skip
    fails(
        SurveyError, "No complaint counts as handled well with the bound 11 on 'HANDLE'; choose "
        "another well_from=.", scale=(1, 10), well_from=11,
    )  # fmt: skip
    fails(
        SurveyError, "There is nobody in the group 'complained' with an answer on repurchase, so "
        "there is nothing to compare.", frame.assign(COMP=0), scale=(1, 10), well_from=8,
    )  # fmt: skip
    fails(
        OptionError, "dissatisfied_to=8 must be below satisfied_from=8; nobody can be both.",
        scale=(1, 10), well_from=8, satisfied="glad", satisfied_from=8, dissatisfied_to=8,
    )  # fmt: skip
    fails(
        SurveyError, "Weights 'w' hold 1 negative values; weights must be positive, or zero "
        "to leave a row out.", frame.assign(w=np.r_[-1.0, np.ones(399)]), weights="w",
    )  # fmt: skip
    found = asked(frame, scale=(1, 10), well_from=8)
    with pytest.raises(OptionError) as raised:
        found.retention("handled very well")
    assert str(raised.value).startswith(
        "There is no row 'handled very well' (did you mean 'handled well'?); use one of "
    )
    with pytest.raises(OptionError) as raised:
        asked([1, 2])
    assert str(raised.value) == "The data are a list; give a survey or a pandas DataFrame."
    with pytest.raises(SurveyError) as raised:
        buying_rates(pd.DataFrame({"a": [1, 1], "b": [1, 0]}), bought="b", existing="a")
    assert str(raised.value) == (
        "There are 2 existing and 0 new customers with an answer, and at least 2 of each are needed."
    )


def test_a_group_of_one_has_no_error():
    frame = simulated()
    frame.loc[frame["HANDLE"] == 10, "HANDLE"] = 9.0
    first = frame.index[frame["HANDLE"] == 9][0]
    frame.loc[first, "HANDLE"] = 10.0
    found = asked(frame, scale=(1, 10), well_from=8)
    assert np.isnan(found.table.loc["handled 10", "se"])
    with pytest.raises(SurveyError) as raised:
        found.retention("handled 10")
    assert str(raised.value) == (
        "Group 'handled 10' has too few respondents for an error; put answers together."
    )


def test_a_paradox_that_could_not_be_tested_is_not_denied():
    frame = pd.DataFrame(
        {"spoke": [0] * 6 + [1] * 4, "how": [np.nan] * 6 + [9, 1, 2, 3], "again": [1, 0] * 5}
    )
    found = complaint_repurchase(
        frame, complained="spoke", handling="how", repurchase="again", well_from=8
    )
    assert found.headline.endswith("whether that is a recovery paradox could not be tested.")


def test_a_group_of_several_purchases_is_kept_by_all_of_them(simulated_groups):
    options = {"margin": 1, "currency": "EUR", "period": "year", "discount_rate": 0.1}
    once, thrice = (
        simulated_groups.retention("complained", Economics(purchases=k, **options), rng=3)
        for k in (1, 3)
    )
    assert_allclose(thrice.estimate, once.estimate**3)
    assert_allclose(thrice.draws, once.draws**3)


def test_a_mean_beside_a_published_share_is_a_part_of_its_scale():
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({
        "spoke": rng.integers(0, 2, 200), "how": rng.integers(1, 11, 200).astype(float),
        "again": rng.integers(1, 11, 200),
    })  # fmt: skip
    frame.loc[frame["spoke"] == 0, "how"] = np.nan
    found = complaint_repurchase(
        frame, complained="spoke", handling="how", repurchase="again", well_from=8, scale=(1, 10)
    )
    ours = found.against(literature.recovered_if_resolved, "handled well").loc["yours"]
    mean = frame.loc[frame["how"] >= 8, "again"].mean()
    assert ours["value"] == pytest.approx((mean - 1) / 9)
    assert ours["lower"] < ours["value"] < ours["upper"] < 1
