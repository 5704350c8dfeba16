"""Hidden segments: another program from the same starts, laws of mixtures, and what cannot be."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from wordings import row_of

import csimodel as csi
from csimodel.assessment import fimix
from csimodel.assessment.mixture import SegmentRegressions
from csimodel.assessment.segments import HiddenSegments, SegmentSolution
from csimodel.errors import EstimationError, OptionError, SurveyError

TEXT = "Q =~ PERQ1 + PERQ3 + PERQ5\nS =~ CUSA1 + CUSA2 + CUSA3\nS ~ Q"
CALM = {"rng": 1, "progress": False}


@pytest.fixture(scope="module")
def exact(mobi):
    return csi.fit(csi.models.ecsi(), mobi, csi.PLS(tolerance=1e-13))


@pytest.fixture(scope="module")
def small(mobi):
    return csi.fit(csi.Model.from_syntax(TEXT), mobi)


@pytest.fixture(scope="module")
def mixed():
    """Two segments of 150 whose path is .9 and -.9."""
    rng = np.random.default_rng(4)
    quality = rng.normal(size=300)
    slope = np.repeat([0.9, -0.9], 150)
    satisfaction = slope * quality + np.sqrt(0.19) * rng.normal(size=300)
    frame = pd.DataFrame({"q": quality, "s": satisfaction})
    return csi.fit(csi.Model.from_syntax("Q =~ q\nS =~ s\nS ~ Q"), frame)


@pytest.mark.parametrize("segments", [2, 3, 4])
def test_solutions_of_another_program_from_the_same_starts(reference, exact, segments):
    told = reference("mobi_structure.json")[f"fimix_K{segments}"]
    path = f"tests/reference/mobi_fimix_start_K{segments}.csv"
    start = np.loadtxt(path, delimiter=",", skiprows=1)
    hidden = fimix(exact, starts=start, progress=False)
    own = hidden.solutions[segments]
    order = np.argsort(-np.array(told["proportions"]), kind="stable")
    assert own.log_likelihood == pytest.approx(told["lnL"], abs=1e-9)
    assert own.parameters == told["n_par"]
    np.testing.assert_allclose(own.shares, np.array(told["proportions"])[order], atol=1e-9)
    head = np.array(told["posterior_head"]["data"])[:, order]
    np.testing.assert_allclose(own.members[:5], head, atol=1e-9)
    paths = hidden.paths(segments)
    for target, parts in told["params"].items():
        expected = np.array([part["coef"] for part in parts])[order].T
        np.testing.assert_allclose(paths.loc[target].drop(columns="all"), expected, atol=1e-8)
        place = list(exact.model.endogenous).index(target)
        variances = np.array([part["variance"] for part in parts])[order]
        np.testing.assert_allclose(own.variances[:, place], variances, atol=1e-8)
    sizes = hidden.assigned(segments).value_counts().sort_index().tolist()
    assert sizes == np.array(told["hard_sizes"])[order].tolist()


@pytest.mark.parametrize("segments", [2, 3, 4])
def test_criteria_of_another_program_but_for_mdl5(reference, exact, segments):
    """MDL5 is -2 lnL + 5 Q ln n; seminrExtras has Q ln n / 2."""
    told = reference("mobi_structure.json")[f"fimix_K{segments}"]
    path = f"tests/reference/mobi_fimix_start_K{segments}.csv"
    start = np.loadtxt(path, delimiter=",", skiprows=1)
    row = fimix(exact, starts=start, progress=False).table.loc[segments]
    for name in ("AIC", "AIC3", "AIC4", "BIC", "CAIC", "HQ", "EN"):
        assert row[name.lower()] == pytest.approx(told["criteria"][name], abs=1e-8)
    assert row["mdl5"] == pytest.approx(-2 * told["lnL"] + 5 * told["n_par"] * np.log(250))
    assert abs(row["mdl5"] - told["criteria"]["MDL5"]) > 1000


def test_random_starts_reach_the_best_of_ten_of_another_program(reference, exact):
    hidden = fimix(exact, (2, 3), 30, **CALM)
    for segments in (2, 3):
        told = reference("mobi_structure.json")[f"fimix_best10_K{segments}"]
        assert hidden.table.loc[segments, "lnl"] > told["lnL"] - 1e-6


def test_one_segment_is_the_regressions_themselves(exact):
    hidden = fimix(exact, 1, **CALM)
    paths = hidden.paths(1)[1]
    for (target, source), value in paths.items():
        expected = 0.0 if source == "(constant)" else exact.paths.loc[target, source]
        assert value == pytest.approx(expected, abs=1e-9)
    np.testing.assert_allclose(hidden.r2(1)[1], exact.r2, atol=1e-9)
    n, unexplained = 250, (1.0 - exact.r2) * 249 / 250
    likelihood = -0.5 * n * (np.log(2 * np.pi * unexplained) + 1.0).sum()
    assert hidden.table.loc[1, "lnl"] == pytest.approx(likelihood, abs=1e-8)
    assert hidden.findings == ()


def test_known_segments_are_seen(mixed):
    hidden = fimix(mixed, (2, 3), 5, **CALM)
    assert hidden.preferred["aic3"] == hidden.preferred["caic"] == 2
    paths = np.sort(hidden.paths(2).loc[("S", "Q")].drop("all"))
    np.testing.assert_allclose(paths, [-0.9, 0.9], atol=0.12)
    truth = np.repeat([1, 2], 150)
    agreement = (hidden.assigned(2).to_numpy(int) == truth).mean()
    assert max(agreement, 1 - agreement) > 0.8
    finding = hidden.findings[0]
    assert (finding.code, finding.severity) == ("several-segments", "warning")
    assert all(row_of(own) for own in hidden.findings)


def test_no_segments_where_there_are_none():
    rng = np.random.default_rng(2)
    q = rng.normal(size=400)
    frame = pd.DataFrame({"q": q, "s": 0.5 * q + rng.normal(size=400)})
    fit = csi.fit(csi.Model.from_syntax("Q =~ q\nS =~ s\nS ~ Q"), frame)
    hidden = fimix(fit, (2, 3), 5, **CALM)
    finding = hidden.findings[0]
    assert finding.code == "one-segment"
    assert row_of(finding)


def test_the_likelihood_never_falls(exact):
    start = np.random.default_rng(3).dirichlet(np.ones(3), 250)
    values = [
        fimix(exact, starts=start, iterations=steps, progress=False).table.loc[3, "lnl"]
        for steps in (1, 2, 5, 20, 60)
    ]
    assert (np.diff(values) > 0).all()


def test_starts_are_the_same_whatever_their_number(small):
    few, more = (fimix(small, [2], count, **CALM) for count in (3, 6))
    assert more.table.loc[2, "lnl"] >= few.table.loc[2, "lnl"] - 1e-9
    again = fimix(small, [2], 3, **CALM)
    pd.testing.assert_frame_equal(few.table, again.table)
    named = fimix(small, 2, 3, **CALM)
    pd.testing.assert_frame_equal(few.table, named.table)


def test_equal_weights_change_nothing_and_others_are_told(mobi, small):
    weighted = csi.fit(small.model, csi.read_survey(mobi.data.assign(w=2.0), weights="w"))
    first, second = (fimix(fit, [2], 3, **CALM) for fit in (small, weighted))
    np.testing.assert_allclose(first.table, second.table, atol=1e-6)
    (finding,) = [f for f in second.findings if f.code == "weighted-likelihood"]
    assert row_of(finding)


def test_memberships_are_probabilities_and_respondents_without_scores_have_none(mobi):
    data = mobi.data.assign(PERQ1=mobi.data["PERQ1"].where(mobi.data.index > 9))
    fit = csi.fit(csi.Model.from_syntax(TEXT), csi.read_survey(data, missing="pairwise"))
    hidden = fimix(fit, [2], 3, **CALM)
    membership = hidden.membership(2)
    assert membership.isna().all(axis=1).sum() == 10
    np.testing.assert_allclose(membership.dropna().sum(axis=1), 1.0)
    assert hidden.assigned(2).isna().sum() == 10
    (finding,) = [f for f in hidden.findings if f.code == "left-out-of-segments"]
    assert finding.count == 10
    assert row_of(finding)


def test_a_segment_on_a_line_is_no_solution():
    x = np.linspace(-1.0, 1.0, 60)
    own = SegmentRegressions(np.column_stack([x, x]), np.ones(60), ((1, (0,)),))
    mixture = own.mixture(np.full((1, 60, 2), 0.5), 1e-10, 50)
    assert np.isnan(mixture.log_likelihood).all()


def test_what_starts_come_to_is_said(exact):
    hidden = fimix(exact, [4], 4, iterations=3, **CALM)
    codes = {finding.code for finding in hidden.findings}
    assert codes >= {"start-not-converged", "start-reached-once"}
    assert all(row_of(finding) for finding in hidden.findings)
    assert "Criteria by number of segments" in str(hidden)
    assert "<table" in hidden._repr_html_()


def test_a_picture_of_the_criteria(exact):
    figure = csi.plots.segments(fimix(exact, (2, 3), 3, **CALM), title="Segments")
    ax = figure.axes[0]
    assert len(ax.lines) == 3
    assert ax.lines[0].get_xdata().tolist() == [1, 2, 3]


def test_a_number_of_segments_with_more_parameters_than_respondents_is_left_out(mobi):
    fit = csi.fit(csi.models.ecsi(), mobi.data.iloc[:100])
    hidden = fimix(fit, (2, 5), 2, **CALM)
    assert list(hidden.table.index) == [1, 2]
    pd.testing.assert_frame_equal(hidden.table, fimix(fit, 2, 2, **CALM).table)
    (finding,) = [f for f in hidden.findings if f.code == "segments-left-out"]
    assert finding.values == {"segments": 5, "parameters": 124, "rows": 100}
    assert row_of(finding)


def test_a_number_of_segments_without_a_solution_is_left_out():
    rng = np.random.default_rng(4)
    quality = rng.normal(size=60)
    slope = np.repeat([0.95, -0.95], 30)
    frame = pd.DataFrame({"q": quality, "s": slope * quality + 0.2 * rng.normal(size=60)})
    fit = csi.fit(csi.Model.from_syntax("Q =~ q\nS =~ s\nS ~ Q"), frame)
    hidden = fimix(fit, (2, 12), 1, **CALM)
    assert list(hidden.table.index) == [1, 2]
    (finding,) = [f for f in hidden.findings if f.code == "segments-left-out"]
    assert (finding.severity, finding.values) == ("warning", {"segments": 12, "total": 1})
    assert row_of(finding)
    with pytest.raises(EstimationError, match=r"^No start of 12 segments has a solution \(1 tried"):
        fimix(fit, 12, 1, **CALM)


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"segments": 0}, OptionError, r"^segments=0 must be whole numbers from 1 to 20"),
        ({"segments": [2.5]}, OptionError, r"^segments=\[2.5\] must be whole"),
        ({"segments": []}, OptionError, r"^segments=\[\] must be whole"),
        ({"segments": 20}, SurveyError, r"^20 segments have 79 parameters and there are 60"),
        ({"starts": 0}, OptionError, r"^starts=0 must be a whole number"),
        ({"starts": np.ones((1, 3, 2))}, OptionError, r"array of shape \(1, 3, 2\); give prob"),
        ({"starts": np.ones((60, 2))}, OptionError, r"must sum to 1"),
        ({"tolerance": 0.0}, OptionError, r"^tolerance=0.0 must be a number"),
        ({"iterations": 0}, OptionError, r"^iterations=0 must be a whole number"),
        ({"iterations": 1_500_000}, OptionError, r"^iterations=1500000 must be at most"),
    ],
)
def test_what_is_refused(mobi, small, options, error, sentence):
    fit = csi.fit(small.model, mobi.data.iloc[:60])
    with pytest.raises(error, match=sentence):
        fimix(fit, **{"progress": False, **options})


def test_twenty_respondents_and_other_models_are_refused(mobi, small):
    with pytest.raises(SurveyError, match=r"at least 30 respondents .* there are 20"):
        fimix(csi.fit(small.model, mobi.data.iloc[:20]), progress=False)
    with pytest.raises(SurveyError, match=r"^5 segments have 124 parameters and there are 100"):
        fimix(csi.fit(csi.models.ecsi(), mobi.data.iloc[:100]), [5, 6], progress=False)
    for estimator in (csi.ML(), csi.PLS(consistent=True)):
        with pytest.raises(OptionError, match="fimix regresses scores"):
            fimix(csi.fit(small.model, mobi, estimator))
    hidden = fimix(small, [2], 2, **CALM)
    with pytest.raises(
        OptionError, match="segments=3 was not asked for or has no solution; there are 1"
    ):
        hidden.paths(3)
    twice = mobi.data.assign(COPY=2 * mobi.data["PERV1"])
    model = csi.Model.from_syntax("V =~ PERV1\nW =~ COPY\nS =~ CUSA1\nS ~ V\nS ~ W")
    with pytest.raises((EstimationError, SurveyError)):
        fimix(csi.fit(model, twice[["PERV1", "COPY", "CUSA1"]]), progress=False)


def test_the_normed_fuzzy_index_by_hand():
    """Of two respondents with squares .25 + .25 and .81 + .01 the mean is .68 (Roubens 1978)."""
    members = np.array([[0.5, 0.5], [0.9, 0.1]])
    own = SegmentSolution(
        -10.0, 5, members, members.mean(axis=0), (), np.ones((2, 0)), np.ones(2), 1, 0, 1, True
    )
    squares = (0.5 + 0.82) / 2
    assert own.criteria(-12.0)["nfi"] == pytest.approx((2 * squares - 1) / (2 - 1))
    three = np.array([[0.5, 0.25, 0.25], [0.8, 0.1, 0.1]])
    own = replace(own, members=three)
    squares = (0.375 + 0.66) / 2
    assert own.criteria(-12.0)["nfi"] == pytest.approx((3 * squares - 1) / (3 - 1))


def test_a_small_segment_is_told_by_its_share(small):
    """Of 40 respondents a tenth are 4."""
    members = np.tile([0.9, 0.1], (40, 1))
    own = SegmentSolution(
        -10.0, 5, members, np.array([0.9, 0.1]), (), np.ones((2, 0)), np.ones(40), 1, 0, 1, True
    )
    alone = replace(
        own, log_likelihood=-300.0, parameters=3, members=np.ones((40, 1)), shares=np.ones(1)
    )
    hidden = HiddenSegments(small, np.ones(40, dtype=bool), {1: alone, 2: own}, ())
    told = {finding.code: finding for finding in hidden.findings}
    values = told["small-segment"].values
    assert (values["segments"], values["percent"], values["count"]) == (2, 10.0, 4.0)
