"""Tests of groups: other programs on their draws, laws, designs, and what cannot be."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from wordings import row_of

import csimodel as csi
from csimodel.assessment.global_fit import geodesic
from csimodel.assessment.group_tests import order_probability, variance_ratio
from csimodel.errors import InferenceError, ModelError, OptionError, SurveyError

FOLDER = "tests/reference"
SMALL = csi.Model.from_syntax(
    "Image =~ IMAG1 + IMAG2 + IMAG3\nQuality =~ PERQ1 + PERQ2 + PERQ3\nQuality ~ Image"
)


@pytest.fixture(scope="module")
def grouped(mobi):
    groups = pd.read_csv(f"{FOLDER}/mobi_group.csv")["group"].to_numpy()
    return csi.read_survey(mobi.data.assign(g=groups), scale=(1, 10))


@pytest.fixture(scope="module")
def told(reference):
    return reference("mobi_group_tests.json")


@pytest.fixture(scope="module")
def labels():
    rows = np.genfromtxt(f"{FOLDER}/mobi_permutations_step2.csv", dtype=str)
    return np.array([[int(digit) for digit in row] for row in rows])


@pytest.fixture(scope="module")
def resamples():
    files = {g: f"{FOLDER}/mobi_boot_group{g[1]}_1based.csv" for g in ("g1", "g2")}
    return {g: np.loadtxt(file, delimiter=",", dtype=int) - 1 for g, file in files.items()}


@pytest.fixture(scope="module")
def frame(grouped):
    rng = np.random.default_rng(3)
    return grouped.data.assign(
        half=np.where(rng.random(250) < 0.4, "x", "y"),
        third=np.array(["a", "b", "c"])[rng.integers(0, 3, 250)],
        psu=rng.integers(0, 30, 250),
    )


def compared(data, by="half", method="permutation", model=SMALL, **options):
    few = {"permutations": 60, "draws": 60, "rng": 1, "progress": False}
    return csi.compare_groups(model, data, by, method, **{**few, **options})


def by_name(table):
    return table.set_axis([f"{target} ~ {source}" for target, source in table.index])


def close(values, expected, atol=1e-9):
    for name, value in expected.items():
        assert values[name] == pytest.approx(value, abs=atol), name


def test_permutations_of_another_program(grouped, told, labels):
    """Raw rows are permuted; cSEM's Chin permutes rows standardised within their group."""
    expected = told["permutation_mga"]
    result = csi.compare_groups(csi.models.ecsi(), grouped, "g", permutations=labels)
    table = by_name(result.table)
    close(table["estimate"], expected["original_difference"])
    close(table["p"], expected["p_two_abs_plus1"])
    close(table["null_lower"], expected["q025"])
    close(table["null_upper"], expected["q975"])
    other = told["csem_testMGD"]["Chin_group_standardised_data"]
    assert (
        abs(table.loc["Complaints ~ Satisfaction", "p"] - other["Complaints ~ Satisfaction"]) > 1e-3
    )
    chin = csi.compare_groups(csi.models.ecsi(), grouped, "g", "chin-dibbern", permutations=labels)
    for name, p in by_name(chin.table)["p"].items():
        smaller = min(expected["p_upper"][name], expected["p_lower"][name])
        assert p == pytest.approx(min(1.0, 2 * (smaller * 499 + 1) / 500)), name


@pytest.mark.parametrize(
    ("method", "t", "columns"),
    [
        ("parametric", "simple_t", {"df": "satterthwaite_df"}),
        ("welch", "welch_t", {"df": "welch_df", "p": "welch_p"}),
        ("nitzl", "welch_t", {"p": "welch_p_rounded_df"}),
        ("keil", "keil_t", {"p": "keil_p"}),
    ],
)
def test_tests_by_t_on_the_draws_of_another_program(grouped, told, resamples, method, t, columns):
    """With groups of one size Keil's and Welch's t are alike; cSEM rounds Nitzl's df."""
    expected = told["formulas_on_saved_bootstrap"]
    tight = csi.PLS(tolerance=1e-12)
    result = csi.compare_groups(
        csi.models.ecsi(), grouped, "g", method, resamples=resamples, estimator=tight
    )
    table = by_name(result.table)
    close(table["estimate"] / table["se"], expected[t])
    for column, key in columns.items():
        close(table[column], expected[key])
    if method in ("keil", "nitzl"):
        close(table["p"], told["csem_testMGD"][method.title()])
    if method == "welch":
        assert abs(table.loc["Loyalty ~ Complaints", "df"] - 246) > 0.1


def test_henselers_probability_is_of_reflected_draws(grouped, told, resamples):
    """Not of draws moved to the estimate, as cSEM's, nor of other draws, as seminr's."""
    result = csi.compare_groups(csi.models.ecsi(), grouped, "g", "henseler", resamples=resamples)
    table = by_name(result.table)
    close(table["p_one_sided"], told["formulas_on_saved_bootstrap"]["henseler_reflected"])
    one = table["p_one_sided"]
    np.testing.assert_allclose(table["p"], 2 * np.minimum(one, 1 - one))
    name = "Loyalty ~ Complaints"
    assert abs(one[name] - told["csem_testMGD"]["Henseler"][name]) > 5e-3


def test_f_over_draws_is_that_of_another_program_and_warned_of(grouped, told, resamples):
    result = csi.compare_groups(
        csi.models.ecsi(), grouped, "g", "sarstedt", resamples=resamples, permutations=99
    )
    expected = told["mgd_Sarstedt"]["F"]
    table = by_name(result.table)
    np.testing.assert_allclose(table["estimate"], [expected[k] for k in table.index], rtol=1e-7)
    (warning,) = [f for f in result.findings if f.severity == "warning"]
    assert (warning.code, warning.values["draws"]) == ("draws-as-observations", 499)


def test_f_is_that_of_an_analysis_of_variance():
    rng = np.random.default_rng(1)
    draws, codes = rng.normal(size=(50, 2)), np.repeat([0, 1, 2], [10, 15, 25])
    values = variance_ratio(draws, codes[None], 3)[0]
    parts = [draws[codes == g] for g in range(3)]
    np.testing.assert_allclose(values, stats.f_oneway(*parts).statistic)


def test_distances_between_constructs_are_those_of_another_program(grouped, told, labels):
    """cSEM takes logarithms to base 10, so its geodesic distance is not ours."""
    result = csi.compare_groups(csi.models.ecsi(), grouped, "g", "distance", permutations=labels)
    expected = told["omnibus_distance_dist_con"]
    table = result.table.loc["constructs"]
    own = expected["statistic"]
    assert table.loc["geodesic", "estimate"] == pytest.approx(own["dG"] * np.log(10) ** 2, abs=1e-9)
    assert abs(table.loc["geodesic", "estimate"] - own["dG"]) > 0.1
    assert table.loc["squared Euclidean", "estimate"] == pytest.approx(own["dL"], abs=1e-9)
    for row, key in (("geodesic", "dG"), ("squared Euclidean", "dL")):
        assert (table.loc[row, "p"] * 500 - 1) / 499 == pytest.approx(expected["p_value"][key])


def test_distances_between_items_are_those_of_another_program(grouped, told, labels):
    """Of composites, whose items are as observed within each, in mode A."""
    text = csi.models.ecsi().to_syntax().replace("=~", "<~")
    model, estimator = csi.Model.from_syntax(text), csi.PLS(modes="A")
    result = compared(grouped, "g", "distance", model, estimator=estimator, permutations=labels)
    expected, table = told["omnibus_distance_dist_ind"], result.table.loc["items"]
    for row, key, base in (("geodesic", "dG", np.log(10) ** 2), ("squared Euclidean", "dL", 1.0)):
        own = expected["statistic"][key] * base
        assert table.loc[row, "estimate"] == pytest.approx(own, abs=1e-9)
        assert (table.loc[row, "p"] * 500 - 1) / 499 == pytest.approx(expected["p_value"][key])


def test_laws_of_the_kernels():
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=(40, 1)), rng.normal(0.5, 1, size=(30, 1))
    reflected = 2 * first.mean() - first, 2 * second.mean() - second
    pairs = (reflected[0] > reflected[1].T).mean()
    assert order_probability(first, second)[0] == pytest.approx(1 - pairs)
    assert order_probability(second, first)[0] == pytest.approx(pairs)
    cor = np.corrcoef(rng.normal(size=(30, 4)).T)
    assert geodesic(cor, cor) == pytest.approx(0)
    assert geodesic(cor, np.eye(4)) == pytest.approx(float(geodesic(np.eye(4), cor)))
    assert np.isnan(geodesic(np.ones((2, 2)), np.eye(2)))


def test_a_path_that_differs_is_told_and_corrected_for_the_number_of_tests():
    rng = np.random.default_rng(6)
    half = np.repeat(["x", "y"], 300)
    a, b = rng.normal(size=(2, 600))
    c = np.where(half == "x", 0.8, 0.0) * a + 0.4 * b + rng.normal(size=600)
    noise = 0.5 * rng.normal(size=(600, 6))
    data = pd.DataFrame(np.repeat(np.stack([a, b, c], axis=1), 2, axis=1) + noise)
    data.columns = ["a1", "a2", "b1", "b2", "c1", "c2"]
    model = csi.Model.from_syntax("A =~ a1 + a2\nB =~ b1 + b2\nC =~ c1 + c2\nC ~ A + B")
    for method in ("permutation", "parametric", "henseler", "keil"):
        result = compared(
            data.assign(half=half), "half", method, model, permutations=199, draws=200
        )
        table = result.table
        differ = next(f for f in result.findings if f.code == "groups-differ")
        assert differ.subjects == ("(C, A)",)
        assert row_of(differ)
        np.testing.assert_allclose(table["p_holm"].min(), 2 * table["p"].min())
        np.testing.assert_allclose(table["estimate"], table["first"] - table["second"])
    assert compared(data.assign(half=half), method="distance", model=model).table["p"].max() < 0.05


@pytest.mark.parametrize("quantity", ["loadings", "total_effects", "index", "r2"])
@pytest.mark.parametrize("method", ["permutation", "parametric"])
def test_other_quantities(grouped, frame, method, quantity):
    survey = csi.read_survey(frame, scale=(1, 10))
    table = compared(survey, method=method, quantity=quantity).table
    fits = csi.fit_groups(SMALL, survey, "half").table(quantity)
    np.testing.assert_allclose(table["first"], fits.loc["x"], atol=1e-9)
    np.testing.assert_allclose(table["second"], fits.loc["y"], atol=1e-9)
    assert table["p"].between(0, 1).all()
    assert table.index.equals(fits.columns)


def test_more_than_two_groups_and_a_page(frame):
    result = compared(frame, "third", "keil")
    assert result.table.index.names == ["group", "other", "target", "source"]
    alone = compared(frame[frame["third"] != "c"], "third", "keil").table
    np.testing.assert_allclose(result.table.iloc[0]["p"], alone.iloc[0]["p"])
    assert compared(frame, "third", "distance").table["p"].notna().all()
    assert "Differences" in result._repr_html_()
    supposed = [f for f in result.findings if f.code == "invariance-supposed"]
    assert len(supposed) == 1
    codes = [f.code for f in compared(frame, "half", estimator=csi.ML(), permutations=20).findings]
    assert "invariance-supposed" not in codes


def test_clusters_go_through_permutations_and_the_design(frame):
    survey = csi.read_survey(frame, scale=(1, 10), cluster="psu")
    assert "permuted-within-clusters" in {f.code for f in compared(survey).findings}
    table = compared(survey, method="parametric").table
    fits = csi.fit_groups(SMALL, survey, "half")
    own = csi.linearize(fits).difference(("paths", "x"), ("paths", "y"))
    np.testing.assert_allclose(
        table[["estimate", "se", "df", "p"]], own[["estimate", "se", "df", "p"]]
    )
    for method in ("henseler", "welch", "keil", "nitzl", "sarstedt"):
        with pytest.raises(OptionError, match=f"method='{method}' is published for respondents"):
            compared(survey, method=method)


@pytest.mark.parametrize("method", ["permutation", "keil", "henseler", "sarstedt", "distance"])
def test_a_group_without_a_solution_is_named(frame, method):
    constant = frame.assign(IMAG1=frame["IMAG1"].where(frame["third"] != "a", 5.0))
    table = compared(constant, "third", method).table
    reason = "no solution in group a: an item without variation"
    if method in ("sarstedt", "distance"):
        assert (table["reason"] == reason).all()
        assert table["p"].isna().all()
        return
    assert (table.loc["a", "reason"] == reason).all()
    assert table.loc["a"][["first", "p"]].isna().all(axis=None)
    assert table.loc["b", "p"].notna().all()


REFUSED = {
    "method": ("half", {"method": "t"}, OptionError, "method='t'"),
    "one group": ("one", {}, SurveyError, "single group"),
    "quantity": ("half", {"quantity": "nope"}, OptionError, "no quantity 'nope'"),
    "distance": ("half", {"quantity": "srmr"}, InferenceError, "method='distance'"),
    "few": ("half", {"permutations": 5}, OptionError, "permutations=5 .* at least 20"),
    "few draws": ("half", {"method": "keil", "draws": 5}, InferenceError, "Only 5 of 5 draws"),
    "resamples": (
        "half",
        {"method": "keil", "resamples": 5},
        OptionError,
        "resamples=5 must be a dict",
    ),
    "group": (
        "half",
        {"method": "keil", "resamples": {"x": [[1]]}},
        OptionError,
        r"holds rows of \['x'\]",
    ),
    "labels": ("third", {"permutations": np.ones((30, 250))}, OptionError, "each two of which"),
    "of draws": (
        "half",
        {"method": "sarstedt", "permutations": np.ones((30, 7))},
        OptionError,
        "of the 120 draws",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_compared_is_refused(frame, name):
    by, options, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        compared(frame.assign(one="a"), by, **options)


def test_distances_are_of_constructs_of_items(frame):
    text = csi.models.ecsi().to_syntax() + "\nLoyalty ~ Image:Satisfaction"
    with pytest.raises(ModelError, match="Distances between groups"):
        compared(frame, method="distance", model=csi.Model.from_syntax(text))
    table = compared(frame, model=csi.Model.from_syntax(text), permutations=20).table
    assert ("Loyalty", "Image:Satisfaction") in table.index
