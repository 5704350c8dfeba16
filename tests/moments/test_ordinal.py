"""Statistics of ordered items against lavaan, closed forms, laws and simulated truth."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

import csimodel as csi
from csimodel.errors import SurveyError
from csimodel.moments import pairs
from csimodel.moments.bivariate import FAR, bivariate_cdf, bivariate_pdf
from csimodel.moments.fourth import fourth_moments
from csimodel.moments.margins import margins_of
from csimodel.moments.ordinal import ordinal_moments
from csimodel.moments.polychoric import polychoric_pairs
from csimodel.moments.polyserial import polyserial_correlations, polyserial_scores
from csimodel.moments.responses import Responses, covariance_gamma

LAVAAN = json.loads(
    (Path(__file__).parents[1] / "reference" / "mobi_ordinal.json").read_text(encoding="utf-8")
)
MOBI = csi.load_mobi().data
FEW = LAVAAN["ordinal_six"]["items"]
FIVE = MOBI.apply(lambda column: np.searchsorted([4, 6, 7, 8], column) + 1)
MIXED = MOBI.assign(**{name: FIVE[name] for name in FEW})
WEIGHTS = 0.5 + (np.arange(1, 251) % 7) / 4
MISSED_BY_LAVAAN = "CUSA2~~PERQ6"  # its search stops at .550, where the likelihood is lower


def two_by_two(counts):
    return np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], counts, axis=0)


def with_turns(counts):
    turns = np.column_stack([np.tile([0, 1], 50), np.tile([0, 0, 1, 1, 0], 20)])
    return np.hstack([two_by_two(counts), turns])


def sample(n, cuts, rng, cor=0.5, items=3, continuous=()):
    values = rng.multivariate_normal(
        np.zeros(items), cor + (1 - cor) * np.eye(items), n, method="cholesky"
    )
    names = [f"q{i}" for i in range(items)]
    for i in set(range(items)) - set(continuous):
        values[:, i] = np.digitize(values[:, i], cuts)
    return values, names, [name for i, name in enumerate(names) if i not in continuous]


CASES = {
    "ordinal_six": (FIVE, None),
    "ordinal_all": (FIVE, None),
    "ordinal_two_answers": ((MOBI > 7).astype(int), None),
    "mixed": (MIXED, None),
    "mixed_all": (MIXED, None),
    "ten_answers": (MOBI, None),
    "weighted_mixed": (MIXED, WEIGHTS),
    "weighted_six": (FIVE, WEIGHTS),
    "corner": (with_turns([40, 0, 25, 35]), None),
    "opposite": (with_turns([0, 30, 45, 25]), None),
}


def moments_of_case(name):
    data, weights = CASES[name]
    items, ordered = LAVAAN[name]["items"], LAVAAN[name]["ordered"]
    values = data if isinstance(data, np.ndarray) else data[items].to_numpy(float)
    return ordinal_moments(values, items, ordered, weights, normal=True)


@pytest.mark.parametrize("name", CASES)
def test_statistics_and_gamma_are_lavaans(name):
    theirs, ours = LAVAAN[name], moments_of_case(name)
    assert list(ours.labels) == theirs["gamma_names"]
    sign = np.where([label.endswith("~1") for label in ours.labels], -1.0, 1.0)
    missed = {MISSED_BY_LAVAAN} if name in {"mixed_all", "ten_answers"} else set()
    keep = np.array([label not in missed for label in ours.labels])
    assert_allclose(ours.statistics[keep], (sign * theirs["observed"])[keep], rtol=5e-6, atol=5e-7)
    diagonal = np.array(theirs["gamma_diagonal"])
    assert_allclose(np.diag(ours.gamma)[keep], diagonal[keep], rtol=2e-6)
    if "gamma" in theirs:
        scale = np.sqrt(np.outer(diagonal, diagonal))
        gamma = np.array(theirs["gamma"]) * np.outer(sign, sign)
        assert_allclose(ours.gamma / scale, gamma / scale, atol=1e-6)
    assert ours.n == theirs["n"]


@pytest.mark.parametrize("data", [MIXED, MOBI])
def test_where_lavaan_differs_its_likelihood_is_lower(data):
    name = "mixed_all" if data is MIXED else "ten_answers"
    answer, value = data["CUSA2"].to_numpy(), data["PERQ6"].to_numpy(float)
    codes = np.unique(answer, return_inverse=True)[1]
    inner = norm.ppf(np.cumsum(np.bincount(codes))[:-1] / 250)
    tau, sd = np.concatenate([[-np.inf], inner, [np.inf]]), value.std()
    z = (value - value.mean()) / sd

    def likelihood(rho):
        low, high = ((tau[codes + e] - rho * z) / np.sqrt(1 - rho**2) for e in (0, 1))
        return np.log(norm.cdf(high) - norm.cdf(low)).sum()

    ours = moments_of_case(name)
    at = ours.labels.index(MISSED_BY_LAVAAN)
    rho = ours.statistics[at] / sd
    assert likelihood(rho) > likelihood(LAVAAN[name]["observed"][at] / sd) + 0.5
    assert likelihood(rho) > max(likelihood(rho - 1e-4), likelihood(rho + 1e-4))


@pytest.mark.parametrize("table", LAVAAN["two_by_two"], ids=lambda t: str(t["counts"]))
def test_tables_of_two_by_two_are_filled_as_lavaan_does(table):
    moments = ordinal_moments(two_by_two(table["counts"]), ["a", "b"], ["a", "b"])
    assert_allclose(moments.cov[0, 1], table["correlation"], atol=2e-5)


def test_bivariate_cdf_is_scipys():
    rng = np.random.default_rng(1)
    for rho in (-0.97, -0.5, 0.0, 0.3, 0.92, 0.93, 0.99):
        points = rng.normal(0, 1.5, (40, 2))
        theirs = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf(points)
        assert_allclose(bivariate_cdf(*points.T, rho), theirs, atol=1e-12)


@pytest.mark.parametrize("rho", [0.999, -0.99999, 0.9999999])
def test_bivariate_cdf_near_the_edge_is_the_integral(rho):
    root = np.sqrt(1 - rho**2)
    for h, shift in ((0.7, 0.0), (-1.2, 1e-3), (0.0, -1e-4), (2.5, 0.3)):
        k = np.sign(rho) * h + shift

        def inner(x, k=k):
            return norm.pdf(x) * norm.cdf((k - rho * x) / root)

        turns = sorted({-9.0, h, *(t for t in k / rho + root * np.arange(-8, 9, 4) if -9 < t < h)})
        parts = [quad(inner, *ends, epsabs=1e-15)[0] for ends in pairwise(turns)]
        assert_allclose(bivariate_cdf(h, k, rho), sum(parts), atol=1e-13)


def test_bivariate_cdf_has_its_closed_forms():
    rho = np.linspace(-1, 1, 41)
    assert_allclose(bivariate_cdf(0, 0, rho), 0.25 + np.arcsin(rho) / (2 * np.pi), atol=1e-15)
    h, k = np.random.default_rng(2).normal(0, 1.5, (2, 50))
    assert_allclose(bivariate_cdf(h, k, 0), norm.cdf(h) * norm.cdf(k), atol=1e-15)
    assert_allclose(bivariate_cdf(h, k, 1), norm.cdf(np.minimum(h, k)), atol=1e-15)
    below = np.maximum(norm.cdf(h) + norm.cdf(k) - 1, 0)
    assert_allclose(bivariate_cdf(h, k, -1), below, atol=1e-15)
    assert_allclose(bivariate_cdf(h, np.inf, 0.7), norm.cdf(h), atol=1e-15)
    assert_allclose(bivariate_cdf(h, -np.inf, 0.7), 0, atol=1e-15)
    turned = norm.cdf(h) - bivariate_cdf(h, -k, -0.6)
    assert_allclose(bivariate_cdf(h, k, 0.6), turned, atol=1e-15)


def test_the_density_is_the_slope_in_the_correlation():
    h, k = np.random.default_rng(3).normal(0, 1, (2, 50))
    slope = (bivariate_cdf(h, k, 0.6 + 1e-5) - bivariate_cdf(h, k, 0.6 - 1e-5)) / 2e-5
    assert_allclose(bivariate_pdf(h, k, 0.6), slope, atol=1e-9)
    theirs = multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]]).pdf(np.column_stack([h, k]))
    assert_allclose(bivariate_pdf(h, k, 0.6), theirs, rtol=1e-12)


def test_scores_vanish_at_the_solution():
    tables = np.random.default_rng(4).integers(1, 30, (50, 4, 3)).astype(float)
    tables /= tables.sum(axis=(1, 2), keepdims=True)
    h = norm.ppf(np.cumsum(tables.sum(axis=2), axis=1)[:, :-1])
    k = norm.ppf(np.cumsum(tables.sum(axis=1), axis=1)[:, :-1])
    found = polychoric_pairs(tables, h, k, tables)
    assert np.abs((tables * found.scores).sum(axis=(1, 2))).max() < 1e-12
    share = np.full((200, 1), 1 / 200)
    z = np.random.default_rng(5).normal(0, 1, (200, 1))
    low = np.where(z + np.roll(z, 1) > 0, 0.0, -FAR)
    high = np.where(low == 0, FAR, 0.0)
    rho = polyserial_correlations(z, low, high, share)
    assert abs((share * polyserial_scores(rho, z, low, high).rho).sum()) < 1e-12


@pytest.mark.parametrize("bread", ["mixed", "products", "curvature"])
def test_polyserial_pairs_from_rows_are_those_from_tables(bread):
    values = MIXED[[*FEW[:2], "IMAG1", "IMAG2"]].to_numpy(float)
    ordered, share = np.array([True, True, False, False]), WEIGHTS / WEIGHTS.sum()
    margins = margins_of(values, list("abcd"), ordered, share, bread)
    at, ordinal, continuous = np.arange(4), np.array([0, 0, 1, 1]), np.array([2, 3, 2, 3])
    table, rows = (
        solve(margins, at, ordinal, continuous) for solve in (pairs._from_tables, pairs._from_rows)
    )
    assert_allclose(rows.rho, table.rho, rtol=1e-6)
    assert_allclose(rows.information, table.information, rtol=1e-6)
    assert_allclose(rows.cross, table.cross, rtol=1e-6, atol=1e-7)
    some = slice(17, 90)
    assert_allclose(rows.scores(some), table.scores(some), rtol=1e-6, atol=1e-7)
    assert_allclose(share @ rows.scores(slice(None)), 0, atol=1e-6)


def test_scores_of_rows_are_the_slope_of_the_likelihood_of_a_pair():
    """Of a continuous item with as many values as rows, by differences of the log-likelihood."""
    rng = np.random.default_rng(5)
    data, *_ = sample(120, [-0.5, 0.6], rng, items=2, continuous=(1,))
    margins = margins_of(data, ["x", "y"], np.array([True, False]), np.full(120, 1 / 120))
    found = pairs._from_rows(margins, *(np.array([k]) for k in (0, 0, 1)))
    z, code, edges = margins.z[:, 1], margins.codes[:, 0], margins.edges[0]

    def likelihood(rho):
        root = np.sqrt(1 - rho**2)
        upper, lower = ((edges[code + k] - rho * z) / root for k in (1, 0))
        return np.log(norm.cdf(upper) - norm.cdf(lower))

    step = 1e-6
    slope = (likelihood(found.rho[0] + step) - likelihood(found.rho[0] - step)) / (2 * step)
    assert_allclose(found.scores(slice(None))[:, 0], slope, rtol=1e-5, atol=1e-6)


def test_simulated_correlations_are_found():
    values, names, ordered = sample(
        20_000, [-1, 0, 0.5, 1.5], np.random.default_rng(6), 0.6, 4, continuous=(1, 3)
    )
    moments = ordinal_moments(values * [1, 3, 1, 1], names, ordered)
    assert_allclose(moments.cor, 0.6 + 0.4 * np.eye(4), atol=0.02)
    assert_allclose(moments.thresholds, [-1, 0, 0.5, 1.5] * 2, atol=0.03)
    assert_allclose(moments.sd, [1, 3, 1, 1], rtol=0.02)
    assert_allclose(moments.cov[1, 1], np.var(3 * values[:, 1]))


def test_gamma_is_the_spread_over_samples():
    rng = np.random.default_rng(7)
    draws = [ordinal_moments(*sample(400, [-0.5, 0.7], rng, continuous=(1,))) for _ in range(400)]
    spread = 400 * np.cov([draw.statistics for draw in draws], rowvar=False)
    gamma = np.mean([draw.gamma for draw in draws], axis=0)
    scale = np.sqrt(np.outer(np.diag(spread), np.diag(spread)))
    assert_allclose(gamma / scale, spread / scale, atol=0.2)


def test_gamma_is_the_spread_over_samples_with_long_tails_where_that_of_normal_items_is_not():
    rng = np.random.default_rng(12)
    spread, found = [], {False: [], True: []}
    for _ in range(200):
        values, names, ordered = sample(500, [-0.5, 0.7], rng, continuous=(1, 2))
        values[:, 1:] = np.sinh(0.8 * values[:, 1:])
        for normal in found:
            moments = ordinal_moments(values, names, ordered, normal=normal)
            found[normal].append(np.diag(moments.gamma))
        spread.append(moments.statistics)
    truth = 500 * np.var(spread, axis=0)
    assert_allclose(np.mean(found[False], axis=0), truth, rtol=0.3)
    at = moments.labels.index("q1~~q1")
    assert np.mean(found[True], axis=0)[at] < 0.2 * truth[at]


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_gamma_of_continuous_items_is_that_of_fourth_moments(weights):
    values = MOBI[["IMAG1", "PERQ1", "PERV2"]].to_numpy(float)
    moments = ordinal_moments(values, ["a", "b", "c"], [], weights)
    assert_allclose(covariance_gamma(moments).matrix, fourth_moments(values, weights), rtol=1e-10)


def test_answers_correlate_with_their_responses_by_clarity():
    response = np.random.default_rng(13).normal(size=(50_000, 2))
    answer = np.digitize(response, [-1.5, 0, 0.4])
    moments = ordinal_moments(np.where([True, False], answer, response), ["a", "x"], ["a"])
    clarity = Responses.of(moments).clarity
    assert_allclose(clarity[0], np.corrcoef(response[:, 0], answer[:, 0])[0, 1], atol=0.005)
    assert clarity[1] == 1


def test_gamma_of_thresholds_and_normal_items_has_its_closed_form():
    values, names, ordered = sample(500, [0.0], np.random.default_rng(8), items=2)
    moments = ordinal_moments(values, names, ordered)
    share = norm.cdf(moments.thresholds)
    expected = share * (1 - share) / norm.pdf(moments.thresholds) ** 2
    assert_allclose(np.diag(moments.gamma)[:2], expected, rtol=1e-10)


def test_names_of_categories_do_not_matter_but_their_order_does():
    plain = moments_of_case("ordinal_six")
    values = FIVE[FEW].to_numpy(float)
    renamed = ordinal_moments(np.exp(values), FEW, FEW)
    assert_allclose(renamed.gamma, plain.gamma, rtol=1e-12)
    turned = ordinal_moments(values * np.array([-1, 1, 1, 1, 1, 1]), FEW, FEW)
    sign = np.array([-1, 1, 1, 1, 1, 1])
    assert_allclose(turned.cov, plain.cov * np.outer(sign, sign), atol=1e-12)
    assert_allclose(turned.thresholds[:4], -plain.thresholds[3::-1], atol=1e-12)


def test_the_order_of_items_does_not_matter():
    names = LAVAAN["mixed"]["items"]
    plain = moments_of_case("mixed")
    again = ordinal_moments(
        MIXED[names[::-1]].to_numpy(float), names[::-1], LAVAAN["mixed"]["ordered"], normal=True
    )
    assert_allclose(again.cov[::-1, ::-1], plain.cov, atol=1e-12)
    to = {label: i for i, label in enumerate(again.labels)}
    turned = {"~~".join(reversed(label.split("~~"))): i for label, i in to.items()}
    at = [to.get(label, turned.get(label)) for label in plain.labels]
    assert_allclose(again.gamma[np.ix_(at, at)], plain.gamma, atol=1e-9)
    assert_allclose(again.statistics[at], plain.statistics, atol=1e-12)


def test_rescaling_a_continuous_item_rescales_its_statistics():
    values = MIXED[["CUEX1", "IMAG1", "CUSA1"]].to_numpy(float)
    names, ordered = ["a", "x", "b"], ["a", "b"]
    plain = ordinal_moments(values, names, ordered)
    scaled = ordinal_moments(values * [1, 10, 1] + [0, 5, 0], names, ordered)
    power = {"x~1": 10, "x~~x": 100, "a~~x": 10, "x~~b": 10}
    factor = np.array([power.get(label, 1) for label in plain.labels])
    assert_allclose(scaled.cor, plain.cor, atol=1e-12)
    assert_allclose(scaled.gamma, plain.gamma * np.outer(factor, factor), rtol=1e-8, atol=1e-8)


def test_weights_count_as_repeated_rows_in_the_statistics_and_squared_in_gamma():
    values, names, ordered = sample(150, [-0.5, 0.5], np.random.default_rng(9), continuous=(0,))
    twice = np.arange(150) % 3 == 0
    weighted = ordinal_moments(values, names, ordered, 1.0 + twice)
    repeated = ordinal_moments(np.vstack([values, values[twice]]), names, ordered)
    assert_allclose(weighted.statistics, repeated.statistics, atol=1e-12)
    assert (np.diag(weighted.gamma) / 150 > np.diag(repeated.gamma) / 200).all()
    again = ordinal_moments(values, names, ordered, 7.0 + 7.0 * twice)
    assert_allclose(again.gamma, weighted.gamma, rtol=1e-10, atol=1e-10)


def test_all_continuous_items_have_the_ordinary_moments():
    values = MOBI[["IMAG1", "PERQ1", "PERV2"]].to_numpy(float)
    moments = ordinal_moments(values, ["a", "b", "c"], [])
    assert_allclose(moments.cov, np.cov(values.T, bias=True))
    assert_allclose(moments.mean, values.mean(axis=0))
    assert moments.thresholds.size == 0


@pytest.mark.parametrize("normal", [True, False])
def test_results_do_not_depend_on_stretches(monkeypatch, normal):
    case = LAVAAN["mixed"]
    given = MIXED[case["items"]].to_numpy(float), case["items"], case["ordered"]
    plain = ordinal_moments(*given, normal=normal)
    monkeypatch.setattr("csimodel.moments.fourth._STRETCH", 17)
    monkeypatch.setattr(pairs, "_CELLS", 1)
    monkeypatch.setattr("csimodel.moments.polychoric._CELLS", 1)
    again = ordinal_moments(*given, normal=normal)
    assert_allclose(again.gamma, plain.gamma, rtol=1e-9, atol=1e-9)


def test_unused_categories_collapse_and_are_told():
    values = FIVE[FEW[:2]].to_numpy(float)
    gap = np.where(values == 3, 2, values)
    moments = ordinal_moments(gap, ["a", "b"], ["a", "b"])
    assert list(moments.categories[0]) == [1, 2, 4, 5]
    assert moments.thresholds.size == 6
    assert [(finding.code, dict(finding.values)) for finding in moments.findings] == [
        ("unused-category", {"names": ("3",), "item": "a"}),
        ("unused-category", {"names": ("3",), "item": "b"}),
    ]


def test_a_filled_cell_is_told():
    (finding,) = moments_of_case("corner").findings
    assert (finding.code, finding.severity, finding.count) == ("filled-cell", "note", 1)
    assert finding.values == {"names": ("a – b",)}


def test_a_correlation_at_the_edge_fails_in_words():
    values = np.hstack([two_by_two([40, 0, 0, 60]), np.tile([[0], [1]], (50, 1))])
    moments = ordinal_moments(values, ["a", "b", "c"], ["a", "b", "c"])
    (finding,) = moments.findings
    assert (finding.code, finding.severity) == ("correlation-at-edge", "failure")
    assert (finding.values["item"], finding.values["other"]) == ("a", "b")
    assert finding.values["rho"] == pytest.approx(1, abs=5e-4)
    lost = np.isnan(moments.gamma)
    at = moments.labels.index("a~~b")
    assert lost[at].all()
    assert lost.sum() == 2 * len(lost) - 1


def test_continuous_items_that_are_one_line_are_at_the_edge():
    x = np.random.default_rng(10).normal(size=100)
    moments = ordinal_moments(np.column_stack([x, 2 * x + 1]), ["x", "y"], [])
    assert [finding.code for finding in moments.findings] == ["correlation-at-edge"]


def test_many_categories_are_told():
    values = np.random.default_rng(11).permutation(np.arange(200) % 40)[:, None] * [1, -1]
    (first, *_) = ordinal_moments(values, ["a", "b"], ["a"]).findings
    assert first.code == "many-categories"
    assert first.values == {"item": "a", "count": 40, "many": 30}


ANSWERS = np.column_stack([np.arange(12) % 3, np.arange(12) % 4, np.ones(12)])


@pytest.mark.parametrize(
    ("values", "items", "ordered", "weights", "sentence"),
    [
        (ANSWERS, "aac", "a", None, "An item name is given twice; name every item differently."),
        (
            ANSWERS,
            "ab",
            "a",
            None,
            "Values of shape (12, 3) do not fit 2 item names; give (rows, items).",
        ),
        (ANSWERS[:1], "abc", "a", None, "There are 1 rows; thresholds need at least 2."),
        (
            np.where(ANSWERS == 2, np.nan, ANSWERS),
            "abc",
            "a",
            None,
            "Item 'a' has missing or infinite values; thresholds and polychoric correlations need "
            "complete rows, so drop or fill them first.",
        ),
        (ANSWERS, "abc", "A", None, "Ordered item 'A' is not among the items (did you mean 'a'?)."),
        (
            ANSWERS,
            "abc",
            "c",
            None,
            "Ordered item 'c' has one category only (1); an ordered item needs at least two "
            "answers in use, so leave it out of the model.",
        ),
        (
            ANSWERS,
            "abc",
            "a",
            None,
            "Item 'c' has the same value in every row; leave it out of the model.",
        ),
        (
            ANSWERS[:, [0, 1, 1]] > 1,
            "abc",
            "a",
            None,
            "Item 'b' takes two values only and cannot be treated as continuous; name it among "
            "the ordered items.",
        ),
        (
            ANSWERS,
            "abc",
            "a",
            np.ones(3),
            "Weights of shape (3,) do not fit 12 rows; give one a row.",
        ),
        (
            ANSWERS,
            "abc",
            "a",
            np.arange(12),
            "A weight is missing, infinite or not above 0; leave those rows out first.",
        ),
    ],
)
def test_what_cannot_be_used_is_said(values, items, ordered, weights, sentence):
    with pytest.raises(SurveyError) as error:
        ordinal_moments(values, items, ordered, weights)
    assert str(error.value) == sentence
