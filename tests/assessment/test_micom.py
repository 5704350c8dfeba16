"""Invariance of composites: another program, laws of permutations, designs, and what cannot be."""

import numpy as np
import pandas as pd
import pytest
from wordings import row_of

import csimodel as csi
from csimodel.errors import CsimodelError, ModelError, OptionError, SurveyError
from csimodel.moments.label_permutations import LabelPermutations
from csimodel.survey.sampling import SurveyDesign

FOLDER = "tests/reference"
SMALL = csi.Model.from_syntax(
    "Image =~ IMAG1 + IMAG2 + IMAG3\nQuality =~ PERQ1 + PERQ2 + PERQ3\nQuality ~ Image"
)


def permutations(step):
    rows = np.genfromtxt(f"{FOLDER}/mobi_permutations_{step}.csv", dtype=str)
    return np.array([[int(digit) for digit in row] for row in rows])


@pytest.fixture(scope="module")
def grouped(mobi):
    groups = pd.read_csv(f"{FOLDER}/mobi_group.csv")["group"].to_numpy()
    return csi.read_survey(mobi.data.assign(g=groups), scale=(1, 10))


@pytest.fixture(scope="module")
def frame(grouped):
    rng = np.random.default_rng(3)
    return grouped.data.assign(
        half=np.where(rng.random(250) < 0.4, "x", "y"),
        third=np.array(["a", "b", "c"])[rng.integers(0, 3, 250)],
        psu=rng.integers(0, 30, 250),
        w=rng.random(250) + 0.5,
    )


def micom(data, by="half", model=SMALL, count=60, **options):
    return csi.micom(model, data, by, count, rng=1, progress=False, **options)


def test_composites_of_another_program_on_its_permutations(reference, grouped):
    """Weights are applied to standardised items: cSEM and openpls apply them to raw ones."""
    told = reference("mobi_group_tests.json")["micom_step2"]
    result = csi.micom(csi.models.ecsi(), grouped, "g", permutations("step2"))
    expected, table = told["standardised_pooled"], result.table
    for column, name in (("c", "c"), ("p", "p_value_plus1"), ("c_lower", "q05")):
        np.testing.assert_allclose(table[column], list(expected[name].values()), atol=1e-9)
    np.testing.assert_allclose(result.draws("c").mean(), list(expected["mean"].values()), atol=1e-9)
    raw = told["raw_pooled"]["c"]
    assert table.loc["Image", "c"] == pytest.approx(0.99826, abs=1e-5)
    assert abs(table.loc["Image", "c"] - raw["Image"]) > 5e-4


def test_means_and_variances_of_another_program_on_its_permutations(reference, grouped):
    """Ties of the single item count: cSEM's strict comparison leaves them to rounding."""
    told = reference("mobi_group_tests.json")["micom_step3"]
    table = csi.micom(csi.models.ecsi(), grouped, "g", permutations("step3")).table
    for name, statistic, key in (
        ("mean", "mean_difference", "mean"),
        ("variance", "variance_ratio", "logvar"),
    ):
        expected = {k: np.array(list(v.values())) for k, v in told[key].items() if k != "note"}
        np.testing.assert_allclose(table[statistic], expected["statistic"], atol=1e-9)
        np.testing.assert_allclose(table[f"{name}_lower"], expected["q025"], atol=1e-9)
        np.testing.assert_allclose(table[f"{name}_upper"], expected["q975"], atol=1e-9)
        share = (table[f"{name}_p"].to_numpy() * 500 - 1) / 499
        np.testing.assert_allclose(share, expected["p_ties_counted"], atol=1e-9)
    assert told["mean"]["p_value"]["Complaints"] < told["mean"]["p_ties_counted"]["Complaints"]


def test_a_picture_shows_composites_and_their_permutations(frame):
    result = micom(frame)
    figure = csi.plots.micom(result, title="Groups")
    alike, apart = figure.axes[0].lines
    assert len(alike.get_xdata()) + len(apart.get_xdata()) == len(result.table)
    (bars,) = figure.axes[0].collections
    starts = [segment[0][0] for segment in bars.get_segments()]
    np.testing.assert_allclose(starts, result.table["c_lower"])
    three = csi.plots.micom(micom(frame, by="third", count=20))
    labels = [label.get_text() for label in three.axes[0].get_yticklabels()]
    assert labels[0] == "Image (a, b)"
    assert len(labels) == 6


def test_the_order_of_rows_and_the_names_of_groups_do_not_matter(grouped):
    labels = permutations("step2")[:30]
    order = np.random.default_rng(2).permutation(250)
    table = csi.micom(SMALL, grouped, "g", labels).table
    moved = csi.micom(SMALL, grouped.data.iloc[order], "g", labels[:, order]).table
    pd.testing.assert_frame_equal(table, moved, atol=1e-10)
    named = np.where(labels == 1, "g1", "g2")
    pd.testing.assert_frame_equal(table, csi.micom(SMALL, grouped, "g", named).table)
    turned = grouped.data.assign(g=grouped.data["g"].map({"g1": "z", "g2": "a"}))
    other = csi.micom(SMALL, turned, "g", 3 - labels).table
    np.testing.assert_allclose(other["c"], table["c"], atol=1e-10)
    np.testing.assert_allclose(other["mean_difference"], -table["mean_difference"], atol=1e-10)
    np.testing.assert_allclose(other["mean_p"], table["mean_p"])


def test_statistics_from_scores(grouped):
    """c is the correlation of two scores of everybody, step 3 is of scores of the pooled fit."""
    table = csi.micom(SMALL, grouped, "g", 20).table
    fits, fit = csi.fit_groups(SMALL, grouped, "g"), csi.fit(SMALL, grouped)
    items = grouped.data[list(SMALL.items)]
    standardised = (items - items.mean()) / items.std()
    for name in SMALL.construct_names:
        first, second = (standardised @ fits[g].weights[name] for g in ("g1", "g2"))
        assert table.loc[name, "c"] == pytest.approx(np.corrcoef(first, second)[0, 1], abs=1e-9)
        groups = fit.scores[name].groupby(grouped.data["g"])
        mean, variance = groups.mean(), groups.var()
        assert table.loc[name, "mean_difference"] == pytest.approx(mean["g1"] - mean["g2"])
        ratio = np.log(variance["g1"] / variance["g2"])
        assert table.loc[name, "variance_ratio"] == pytest.approx(ratio)


def test_numbers_do_not_depend_on_how_many_are_made_together(frame):
    whole, part = micom(frame, count=200).draws("c"), micom(frame, count=70).draws("c")
    pd.testing.assert_frame_equal(whole.iloc[:70], part, atol=1e-12)


def test_a_composite_that_differs_is_told_from_one_that_only_has_another_mean():
    rng = np.random.default_rng(5)
    half = np.repeat(["x", "y"], 400)
    factor = rng.normal(size=(800, 1))
    items = factor + rng.normal(size=(800, 3))
    strength = np.where(half == "x", 1.0, 0.0)[:, None]
    other = factor * np.hstack([strength, np.ones((800, 1)), 1 - strength])
    other += rng.normal(size=(800, 3))
    moved = factor + rng.normal(size=(800, 3)) + strength
    columns = [*"abc", *"def", *"ghi"]
    data = pd.DataFrame(np.hstack([items, other, moved]), columns=columns).assign(half=half)
    model = csi.Model.from_syntax(
        "Same =~ a + b + c\nOther =~ d + e + f\nMoved =~ g + h + i\nOther ~ Same + Moved\nMoved ~ Same"
    )
    result = micom(data, model=model, count=99)
    assert result.table["verdict"].tolist() == ["full", "none", "partial"]
    assert result.verdict == "none"
    found = {f.code: f for f in result.findings}
    assert found["no-invariance"].subjects == ("Other",)
    assert found["no-invariance"].severity == "warning"
    assert found["partial-invariance"].subjects == ("Moved",)
    assert found["full-invariance"].count == 1
    assert [row_of(f).code for f in result.findings] == list(found)


def test_more_than_two_groups_are_compared_in_pairs(frame):
    result = micom(frame, "third")
    assert result.table.index.names == ["group", "other", "construct"]
    pairs = result.table.index.droplevel("construct").unique().tolist()
    assert pairs == [("a", "b"), ("a", "c"), ("b", "c")]
    alone = micom(frame[frame["third"] != "c"], "third").table
    own = result.table.loc[("a", "b")]
    np.testing.assert_allclose(own[alone.columns[:-2]], alone[alone.columns[:-2]], atol=1e-12)
    image = result.table.xs("Image", level="construct")
    np.testing.assert_allclose(image["p_holm"], csi.significance.holm(image["p"]))
    assert result.draws("c").shape == (60, 6)
    assert "Step 2" in result._repr_html_()


@pytest.mark.parametrize("estimator", [None, csi.PLS("factorial"), csi.PLS(modes="B")])
def test_equal_weights_are_the_same_composites(frame, estimator):
    table = micom(frame, estimator=csi.PLS(modes="unit")).table
    np.testing.assert_allclose(table["c"], 1.0)
    assert (table["p"] == 1.0).all()
    assert micom(frame, estimator=estimator).table["c"].between(0, 1).all()


# --- designs ---------------------------------------------------------------------------------------


def exchanged(codes, cluster=None, strata=None, count=200):
    design = SurveyDesign.of(len(codes), strata, cluster)
    own = LabelPermutations.of_design(design, codes, count, seed=1)
    return own, own.labels(slice(0, count))


def test_labels_are_exchanged_within_strata():
    codes, strata = np.array([0, 0, 1, 0, 1, 1]), np.array([0, 0, 0, 1, 1, 1])
    own, labels = exchanged(codes, strata=strata)
    assert (labels[:, :3].sum(axis=1) == 1).all()
    assert len(np.unique(labels, axis=0)) == own.different == 9


def test_clusters_of_one_group_are_exchanged_whole():
    codes, cluster = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 2, 2, 3])
    own, labels = exchanged(codes, cluster)
    assert own.exchange == "clusters"
    assert (labels[:, 0] == labels[:, 1]).all()
    assert len(np.unique(labels, axis=0)) == own.different == 6


def test_respondents_are_exchanged_within_clusters_that_hold_several_groups():
    codes, cluster = np.array([0, 1, 1, 1, 0, 0]), np.array([0, 0, 0, 1, 1, 2])
    own, labels = exchanged(codes, cluster)
    assert own.exchange == "respondents within clusters"
    assert (labels[:, 5] == 0).all()
    assert len(np.unique(labels, axis=0)) == own.different == 6


def test_every_labelling_is_alike_likely():
    _, labels = exchanged(np.array([0, 0, 1, 1]), count=6_000)
    _, counts = np.unique(labels, axis=0, return_counts=True)
    assert len(counts) == 6
    assert np.abs(counts - 1_000).max() < 5 * np.sqrt(1_000 * 5 / 6)


def test_labels_of_any_part_are_those_of_the_whole():
    own, labels = exchanged(np.arange(50) % 2)
    np.testing.assert_array_equal(own.labels(slice(70, 131)), labels[70:131])


def test_clusters_weights_and_finite_populations_are_told(frame):
    whole = frame.assign(half=np.where(frame["psu"] < 15, "x", "y"), size=900)
    for data, codes in (
        (csi.read_survey(whole, scale=(1, 10), cluster="psu"), {"clusters-permuted"}),
        (csi.read_survey(frame, scale=(1, 10), cluster="psu"), {"permuted-within-clusters"}),
        (csi.read_survey(frame, scale=(1, 10), weights="w"), {"weights-permuted"}),
        (csi.read_survey(whole, scale=(1, 10), population=900), {"population-not-permuted"}),
    ):
        found = [f for f in micom(data).findings if "-permuted" in f.code or "permuted-" in f.code]
        assert {f.code for f in found} == codes
        assert all(row_of(f) for f in found)


def test_groups_that_are_strata_cannot_be_permuted(frame):
    survey = csi.read_survey(frame, scale=(1, 10), strata="half")
    result = micom(survey)
    assert set(result.table["reason"]) == {"fewer than 20 ways to permute the groups"}
    assert result.table["p"].isna().all()
    assert result.verdict == "not tested"
    whole = csi.compare_groups(SMALL, survey, "half", "distance", permutations=40, progress=False)
    assert set(whole.table["reason"]) == {"fewer than 20 ways to permute the groups"}
    assert whole.table["p"].isna().all()


def test_weights_travel_with_answers(frame):
    """A weight of 2 in all statistics is the row twice, but for n - 1 in standard deviations."""
    doubled = frame.assign(w=np.where(np.arange(250) < 40, 2.0, 1.0))
    weighted = micom(csi.read_survey(doubled, scale=(1, 10), weights="w")).table
    copies = pd.concat([frame, frame.iloc[:40]], ignore_index=True)
    twice = micom(copies).table
    np.testing.assert_allclose(weighted["c"], twice["c"], atol=1e-9)
    ratio = np.sqrt((290 / 289) / (250 / 249))
    difference = twice["mean_difference"] * ratio
    np.testing.assert_allclose(weighted["mean_difference"], difference, rtol=1e-9)


# --- what cannot be --------------------------------------------------------------------------------


def test_a_group_without_a_solution_is_named(frame):
    constant = frame.assign(IMAG1=frame["IMAG1"].where(frame["third"] != "a", 5.0))
    result = micom(constant, "third")
    reasons = result.table.groupby(["group", "other"])["reason"].first()
    assert reasons["a", "b"] == "no solution in group a: an item without variation"
    assert reasons["b", "c"] == ""
    assert result.table.loc[("a", "b")][["c", "p", "mean_p"]].isna().all(axis=None)
    (untested,) = [f for f in result.findings if f.code == "invariance-not-tested"]
    assert (untested.severity, untested.count) == ("warning", 4)
    assert row_of(untested)
    few = frame.assign(half=["q"] * 2 + ["r"] * 248)
    assert set(micom(few).table["reason"]) == {"no solution in group q: fewer than 3 rows"}


ITEMS = csi.Model.from_syntax("A =~ a + b\nB =~ c + d\nB ~ A")


def rare(rows):
    """Two groups, and an item in which few rows differ, so that some permutations have none."""
    data = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 4)), columns=list("abcd"))
    data["d"] = np.where(np.arange(60) < rows, data["d"], 0.0)
    return data.assign(half=np.where(np.arange(60) % 3 == 0, "x", "y"))


@pytest.mark.parametrize(("rows", "severity"), [(6, "warning"), (4, "failure")])
def test_lost_permutations_are_counted_and_many_leave_nothing_to_judge(rows, severity):
    result = micom(rare(rows), model=ITEMS, count=200)
    (lost,) = [f for f in result.findings if f.code == "lost-permutations"]
    assert lost.severity == severity
    assert 0 < lost.count == result.draws("c")["A"].isna().sum() < 200
    assert result.draws("mean_difference").notna().all(axis=None)
    assert row_of(lost)
    assert result.table[["mean_p", "variance_p"]].notna().all(axis=None)
    unusable = severity == "failure"
    assert (result.verdict == "not tested") == unusable
    assert result.table[["p", "c_lower"]].isna().all(axis=None) == unusable
    reason = "too few permutations with a solution" if unusable else ""
    assert (result.table["reason"] == reason).all()
    codes = {f.code for f in result.findings}
    assert ("invariance-not-tested" in codes) == unusable
    assert ("full-invariance" in codes) != unusable


@pytest.mark.parametrize("method", ["permutation", "chin-dibbern", "distance"])
@pytest.mark.parametrize(("rows", "severity"), [(6, "warning"), (4, "failure")])
def test_comparisons_count_lost_permutations_too(method, rows, severity):
    result = csi.compare_groups(ITEMS, rare(rows), "half", method, permutations=200, progress=False)
    (lost,) = [f for f in result.findings if f.code == "lost-permutations"]
    assert (lost.severity, lost.values["groups"]) == (severity, ("x", "y"))
    assert row_of(lost)
    told = [f.code for f in result.findings if f.code.startswith("groups-")]
    assert result.table["estimate"].notna().all()
    assert result.table["p"].isna().all() == (severity == "failure") == (not told)


@pytest.mark.parametrize("method", ["keil", "henseler", "sarstedt"])
def test_comparisons_of_draws_of_which_many_are_lost_have_no_verdict(method):
    result = csi.compare_groups(
        ITEMS, rare(6), "half", method, permutations=200, draws=200, progress=False
    )
    assert "failure" in [f.severity for f in result.findings if f.code == "lost-draws"]
    assert result.table["p"].isna().all()
    assert set(result.table["reason"]) == {"too few usable draws"}
    assert not [f for f in result.findings if f.code.startswith("groups-")]


def test_rows_without_a_group_are_counted(frame):
    holes = frame.assign(half=frame["half"].where(frame.index > 20))
    result = micom(holes)
    (without,) = [f for f in result.findings if f.code == "rows-without-group"]
    assert without.count == 21
    np.testing.assert_allclose(result.table["c"], micom(frame.iloc[21:]).table["c"], atol=1e-12)


REFUSED = {
    "one group": ((SMALL, "one"), {}, SurveyError, r"by='one' makes a single group .*\(a\)"),
    "no column": ((SMALL, "nope"), {}, SurveyError, "'nope' is not in the data"),
    "no estimator": ((SMALL, "half"), {"estimator": csi.ML()}, OptionError, "csi.invariance"),
    "few": ((SMALL, "half", 5), {}, OptionError, "permutations=5 .* at least 20"),
    "truth": ((SMALL, "half", True), {}, OptionError, "permutations=True"),
    "given few": ((SMALL, "half", np.ones((3, 250))), {}, OptionError, "holds 3 permutations"),
    "shape": ((SMALL, "half", np.ones((30, 7))), {}, OptionError, r"shape \(30, 7\)"),
    "sizes": ((SMALL, "half", np.ones((30, 250))), {}, OptionError, "groups of 250 and 0"),
    "labels": ((SMALL, "half", np.full((30, 250), "q")), {}, OptionError, "holds 'q'"),
    "pairs": ((SMALL, "third", np.ones((30, 250))), {}, OptionError, "each two of which"),
    "level": ((SMALL, "half"), {"level": 95}, OptionError, "level"),
    "terms": (
        (
            csi.Model.from_syntax(csi.models.ecsi().to_syntax() + "\nLoyalty ~ Image:Satisfaction"),
            "half",
        ),
        {},
        ModelError,
        "MICOM is of constructs of items",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_tested_is_refused(frame, name):
    (model, *args), options, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        csi.micom(model, frame.assign(one="a"), *args, **options)
    with pytest.raises(OptionError, match="statistic='p' is not known"):
        micom(frame, count=20).draws("p")


def test_a_scan_is_refused(frame, tmp_path):
    frame.to_csv(tmp_path / "mobi.csv", index=False)
    with pytest.raises(CsimodelError, match="respondents again"):
        micom(csi.scan(tmp_path / "mobi.csv", scale=(1, 10)))
