"""Findings of outcomes from both sides of their lines: code, severity, count and values."""

from types import SimpleNamespace as Stub

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from csimodel.bounds import THRESHOLDS
from csimodel.errors import OptionError, SurveyError
from csimodel.inference import loss_severity
from csimodel.outcomes.complaints import entry as of_complaints
from csimodel.outcomes.complaints.result import Complaints
from csimodel.outcomes.kernels.kernel import Ending
from csimodel.outcomes.measurement_error import findings as of_error
from csimodel.outcomes.models import findings as of_regression
from csimodel.outcomes.models.clusters import few_clusters, unused_design
from csimodel.outcomes.models.draws import about_losses
from csimodel.outcomes.models.duration import findings as of_duration
from csimodel.outcomes.models.panel import findings as of_panel
from csimodel.outcomes.models.segments import entry as of_segments
from csimodel.outcomes.models.shape import findings as of_shape
from csimodel.outcomes.money import findings as of_money
from csimodel.outcomes.money import measurement as of_measurement
from csimodel.outcomes.prediction import calibrate as of_calibration

NAN = np.nan


def codes(findings):
    return [finding.code for finding in findings]


def counts(findings):
    return [(finding.severity, finding.count) for finding in findings]


# --- draws and clusters --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("errors", "clusters", "severity"),
    [
        ("cluster", 39, "warning"),
        ("cluster", 40, None),
        ("two-way", 39, "warning"),
        ("two-way", 40, None),
        ("CR2", 19, "note"),
        ("CR2", 20, None),
    ],
)
def test_few_clusters(errors, clusters, severity):
    findings = list(few_clusters(clusters, errors))
    assert counts(findings) == [(severity, clusters)] * (severity is not None)
    assert all(f.values == {"clusters": clusters, "fewest": 40} for f in findings)
    if severity == "warning":
        (other,) = few_clusters(clusters, errors, reducible=False)
        assert "CR2" not in other.template
        assert "CR2" in findings[0].template


@pytest.mark.parametrize(
    ("strata", "population", "told"),
    [(1, None, 0), (2, None, 1), (1, "population", 1), (2, "population", 1)],
)
def test_a_design_that_errors_do_not_use(strata, population, told):
    design = Stub(stratum_count=strata, population=population)
    findings = list(unused_design(design, "firm"))
    assert codes(findings) == ["design-unused"] * told
    assert all(f.values == {"by": "firm", "strata": strata} for f in findings)


def test_lost_draws_are_counted_and_other_findings_of_the_draws_passed_on():
    known = [Stub(code="lost-draws"), Stub(code="inadmissible-draws")]
    usable = np.repeat([True, False], [9, 1])
    lost = pd.Series({"no solution": 1})
    draws = Stub(usable=usable, lost=lost, bootstrap=Stub(findings=known))
    first, second = about_losses(draws)
    assert (first.code, first.severity, first.count) == ("lost-draws", "warning", 1)
    assert first.values == {"count": 1, "total": 10, "reasons": ("1 no solution",)}
    assert second is known[1]
    usable[0] = False
    assert next(about_losses(draws)).severity == "failure"
    usable[:] = True
    assert list(about_losses(draws)) == [known[1]]
    assert (loss_severity(50, 500), loss_severity(51, 500)) == ("warning", "failure")


# --- measurement error ---------------------------------------------------------------------------

SOUND, UNSOUND = Stub(usable=True), Stub(usable=False)


@pytest.mark.parametrize(
    ("naive", "effect", "told"),
    [
        (2**-9, 3 * 2**-9, False),  # three times the naive slope is still believed
        (2**-9, 3.001 * 2**-9, True),
        (-(2**-9), -3 * 2**-9, False),
        (-(2**-9), -3.001 * 2**-9, True),
        (0.01, 0.015, False),  # 1.5 over the whole index is, too
        (0.01, 0.0151, True),
        (-0.01, -0.0151, True),
        (0.002, -0.0001, True),  # another direction is not
        (0.002, 0.0, False),
    ],
)
def test_a_corrected_slope_that_is_hard_to_believe(naive, effect, told):
    findings = list(of_error.about_slopes({"naive": naive, "eiv": effect}, "S", "y", SOUND))
    assert codes(findings) == ["implausible-slope"] * told
    for finding in findings:
        assert finding.subjects == ("eiv", "S")
        assert_allclose(finding.values["corrected"], 100 * effect)
        assert_allclose(finding.values["measured"], 100 * naive)


@pytest.mark.parametrize("reliability", [SOUND, UNSOUND])
@pytest.mark.parametrize("method", ["simex", "croon", "sem", "eiv"])
def test_a_method_without_a_slope(method, reliability):
    (finding,) = of_error.about_slopes({"naive": 0.01, method: NAN}, "S", "y", reliability)
    assert (finding.code, finding.severity) == ("no-corrected-slope", "failure")
    assert finding.subjects == (method, "S")
    case = {"eiv": "explained"}.get(method, method) if reliability.usable else "unusable"
    assert finding.template == of_error._NO_SLOPE[case]


@pytest.mark.parametrize(
    ("rational", "quadratic", "told"),
    [
        (0.01, 0.01099, False),
        (0.01, 0.01101, True),
        (0.01, 0.00901, False),
        (0.01, 0.00899, True),
        (-0.01, -0.01099, False),
        (-0.01, -0.01101, True),
        (-0.01, -0.00899, True),
        (NAN, 0.01, False),
    ],
)
def test_extrapolations_apart(rational, quadratic, told):
    findings = list(of_error.about_simex(rational, quadratic, "S"))
    assert codes(findings) == ["shaky-extrapolation"] * told
    for finding in findings:
        values = [finding.values["hyperbola"], finding.values["parabola"]]
        assert_allclose(values, [100 * rational, 100 * quadratic])


def test_draws_without_a_corrected_slope_and_with_an_impossible_one():
    draws = {"eiv": np.array([[1.0, NAN], [NAN, NAN], [1, 1]]), "simex": np.ones((3, 2))}
    lost, few, many = of_error.about_draws(draws, {"croon": 4, "sem": 5, "eiv": 0}, 10)
    assert (lost.code, lost.severity, lost.count) == ("lost-draws", "failure", 2)
    assert lost.values == {"count": 2, "draws": 3, "method": "eiv"}
    assert codes([few, many]) == ["inadmissible-draws"] * 2
    assert counts([few, many]) == [("warning", 4), ("failure", 5)]
    assert few.values == {"count": 4, "total": 10, "method": "croon"}
    (lost,) = of_error.about_draws(
        {"eiv": np.append(np.full(1, NAN), np.ones(19))[:, None]}, {}, 20
    )
    assert lost.severity == "warning"


# --- panels --------------------------------------------------------------------------------------


@pytest.mark.parametrize("tell", [lambda *a: of_panel.left_out("rows", *a), of_panel.singletons])
def test_rows_of_a_panel_left_out(tell):
    assert list(tell(0, 10)) == []
    (few,), (half,) = tell(4, 10), tell(5, 10)
    assert counts([few, half]) == [("note", 4), ("warning", 5)]
    assert half.values == {"count": 5, "total": 10}


def test_what_is_left_out_is_called_by_its_unit():
    (rows,), (people,) = (of_panel.left_out(unit, 1, 10) for unit in ("rows", "respondents"))
    assert rows.template != people.template


def test_thin_cells_of_a_panel():
    assert list(of_panel.thin_cells(0, 10, 5)) == []
    (finding,) = of_panel.thin_cells(2, 10, 5)
    assert finding.values == {"count": 2, "total": 10, "fewest": 5}


@pytest.mark.parametrize(
    ("errors", "mended", "slope", "told"),
    [
        ("cluster", True, 0.1, []),
        ("two-way", False, 0.1, ["few-clusters"]),
        ("two-way", True, 0.1, ["few-clusters", "covariance-mended"]),
        ("cluster", False, -0.1, ["negative-slope"]),
        ("cluster", False, 0.0, []),
    ],
)
def test_clusters_errors_and_direction_of_a_panel(errors, mended, slope, told):
    firm, period = np.divmod(np.arange(120), 3)  # 40 firms, 3 periods
    panel = Stub(
        firm=firm,
        period=period,
        coefficients=np.array([-1.0, slope]),
        covariance=lambda _: (np.eye(2), mended),
    )
    findings = list(of_panel.about(panel, errors, "S"))
    assert codes(findings) == told
    assert all(f.count == 3 for f in findings if f.code == "few-clusters")


@pytest.mark.parametrize(("effects", "groups"), [("two-way", 4), ("firm", 4), ("period", 1)])
@pytest.mark.parametrize(
    ("share", "told", "sloped"),
    [(0.0999, 0, 0), (0.1001, 1, 1), (0.8999, 1, 1), (0.9001, 1, 0), (1.2, 1, 0)],
)
def test_sampling_error_in_the_movement_of_a_panel(effects, groups, share, told, sloped):
    """By hand: 12 cells of one weight, a constant, and what effects take away of S."""
    rng = np.random.default_rng(4)
    x, y = rng.uniform(size=(2, 12))
    free = 1.0 - groups / 12
    moved = np.cov(x, y, ddof=0)
    error = np.array([[share * moved[0, 0], 0.01], [0.01, 9.0]]) / free
    sampling = np.stack([error * scale for scale in (0.5, 1.5)] * 6)
    sampling[:2] = NAN
    panel = Stub(
        weights=np.full(12, 2.0),
        design=np.column_stack([np.ones(12), x]),
        response=y,
        firm=np.repeat(np.arange(4), 3),
        effects=effects,
        n=12,
    )
    findings = list(of_panel.sampling_error(panel, sampling, "S"))
    assert codes(findings) == ["sampling-error"] * told
    for finding in findings:
        assert_allclose(finding.values["percent"], min(100 * share, 100.0), rtol=1e-10)
        slope = (moved[0, 1] - 0.01) / ((1 - share) * moved[0, 0]) if sloped else NAN
        assert_allclose(finding.values["slope"], slope, rtol=1e-10)
        little = of_panel._LITTLE_BUT_SAMPLING_ERROR
        assert finding.template == (of_panel._SAMPLING_ERROR if sloped else little)
    assert list(of_panel.sampling_error(panel, np.full((12, 2, 2), NAN), "S")) == []


@pytest.mark.parametrize(
    ("cluster", "told"),
    [
        (None, True),
        ([0, 0, 1, 1, 2], False),
        ([0, 0, 0, 0, 0], False),
        ([0, 3, 1, 1, 2], True),
        ([3, 3, 1, 1, 9], False),
    ],
)
def test_draws_of_respondents_say_nothing_of_other_firms(cluster, told):
    firm = np.array([0, 0, 1, 1, -1])
    design = Stub(cluster=None if cluster is None else np.array(cluster))
    bootstrap = Stub(design=design, findings=())
    losses = Stub(bootstrap=bootstrap, usable=np.ones(3, dtype=bool), lost={})
    findings = list(of_panel.about_draws(losses, firm))
    assert codes(findings) == ["respondents-draws"] * told


# --- durations -----------------------------------------------------------------------------------


def hazard(events=20, n=100, counted=100, names=("S", "age"), points=None, **more):
    sample = Stub(
        n=n,
        names=names,
        indexes=names[:1],
        points=np.full((n, 1), 50.0) if points is None else np.array(points)[:, None],
        cluster=more.pop("cluster", None),
        findings=(),
    )
    return Stub(
        sample=sample,
        risk=Stub(events=np.arange(events), counted=counted),
        errors=more.pop("errors", "robust"),
        **more,
    )


def test_few_events_of_a_hazard():
    assert list(of_duration._rows(hazard(20), "left")) == []
    (finding,) = of_duration._rows(hazard(19), "left")
    assert (finding.code, finding.count) == ("few-events", 19)
    assert finding.values == {"count": 19, "n": 100, "event": "left", "needed": 20, "names": 2}


def test_respondents_never_at_risk():
    (few,), (half,) = (of_duration._rows(hazard(counted=c), "left") for c in (51, 50))
    assert codes([few, half]) == ["never-at-risk"] * 2
    assert counts([few, half]) == [("note", 49), ("warning", 50)]


@pytest.mark.parametrize(("errors", "clusters", "told"), [("cluster", 39, 1), ("cluster", 40, 0),
                                                         ("robust", 39, 0)])  # fmt: skip
def test_few_clusters_of_a_hazard(errors, clusters, told):
    own = hazard(errors=errors, cluster=np.arange(100) % clusters)
    findings = list(of_duration._rows(own, "left"))
    assert findings == (list(few_clusters(clusters, errors, False)) if told else [])
    assert len(findings) == told


def test_indexes_of_a_hazard_outside_the_scale():
    inside = [0.0, -5e-10, 100.0, 100 + 5e-10] * 25
    assert list(of_duration._rows(hazard(points=inside), "left")) == []
    outside = [-2e-9, 100 + 2e-9, 50.0, 50.0] * 25
    (finding,) = of_duration._rows(hazard(points=outside), "left")
    assert (finding.code, finding.count) == ("index-outside-0-100", 50)
    assert finding.values == {"name": "S", "count": 50, "n": 100}


@pytest.mark.parametrize(
    ("sizes", "grown"),
    [((5.1, -0.2), ("S",)), ((0.3, -5.1), ("age",)), ((5.0, 1.0), ("S", "age"))],
)
def test_who_separates_a_hazard(sizes, grown):
    spread = np.array([20.0, 0.5])  # of the regressors: sizes are in standard units
    solution = Stub(coefficients=np.array([sizes]) / spread)
    own = hazard(ending=Ending.SEPARATED, solution=solution, spread=spread)
    (finding,) = of_duration._ending(own, "left")
    assert (finding.code, finding.severity) == ("separation", "failure")
    assert finding.subjects == finding.values["grown"] == grown


def test_a_hazard_without_solution():
    for ending, message in of_duration._NO_HAZARD.items():
        (finding,) = of_duration._ending(hazard(ending=ending), "left")
        assert (finding.code, finding.severity) == ("not-converged", "failure")
        assert finding.template == message
    assert list(of_duration._ending(hazard(ending=Ending.CONVERGED), "left")) == []


@pytest.mark.parametrize("kind", ["churn", "repurchase"])
@pytest.mark.parametrize("slope", [-0.1, 0.0, 0.1])
def test_direction_of_a_hazard(kind, slope):
    own = hazard(coefficients=np.array([slope, 5.0]))
    wrong = slope > 0 if kind == "churn" else slope < 0
    findings = list(of_duration._direction(own, kind, "left"))
    assert [f.subjects for f in findings] == [("S", "left")] * wrong
    words = of_duration._LEAVE_SOONER if kind == "churn" else of_duration._BUY_LATER
    assert all(f.template == words for f in findings)


@pytest.mark.parametrize(("p", "told"), [(0.0499, True), (0.05, False), (NAN, False)])
def test_hazards_that_are_not_proportional(monkeypatch, p, told):
    table = pd.DataFrame({"p": [p, 0.0]}, ["S", "age"])
    monkeypatch.setattr(of_duration, "proportional_hazards", lambda _: table)
    findings = list(of_duration._proportional(hazard()))
    assert [f.values for f in findings] == [{"name": "S", "p": p}] * told


# --- shapes --------------------------------------------------------------------------------------


def test_knots_outside_what_was_observed():
    for knots, kind, told in (
        ((20.0, 90.0), "spline", ()),
        ((19.0, 50.0, 91.0), "spline", ("19", "91")),
        ((19.0,), "quadratic", ()),
    ):
        base = Stub(basis=Stub(knots=knots, kind=kind))
        findings = list(of_shape._knots(base, "S", 20.0, 90.0))
        assert [f.values["outside"] for f in findings] == [told] * bool(told)
        assert [f.count for f in findings] == [len(told)] * bool(told)
        assert all((f.values["low"], f.values["high"]) == (20.0, 90.0) for f in findings)


@pytest.mark.parametrize(
    ("point", "lower", "upper", "told"),
    [
        (20.0, 10.0, 30.0, []),
        (90.0, 10.0, 30.0, []),
        (19.9, 10.0, 30.0, ["turning-point-outside"]),
        (90.1, 10.0, 30.0, ["turning-point-outside"]),
        (50.0, -np.inf, 30.0, ["turning-point-not-located"]),
        (50.0, 30.0, np.inf, ["turning-point-not-located"]),
        (19.0, -np.inf, np.inf, ["turning-point-outside", "turning-point-not-located"]),
    ],
)
def test_turning_points(point, lower, upper, told):
    columns = {"estimate": [1.0, point], "lower": [1.0, lower], "upper": [1.0, upper]}
    table = pd.DataFrame(columns, ["other", "turning point"])
    findings = list(of_shape._turning(table, "S", 20.0, 90.0))
    assert codes(findings) == told
    assert all(f.severity == "note" for f in findings)


def test_thresholds_without_a_solution():
    solved = np.array([True, False, True, False])
    hinge = Stub(grid=np.array([10.0, 20, 30, 40]), solved=solved)
    (finding,) = of_shape._unsolved(hinge, "S")
    expected = {"count": 2, "grid": 4, "lowest": 20.0, "highest": 40.0, "index": "S"}
    assert finding.values == expected
    assert list(of_shape._unsolved(Stub(grid=hinge.grid, solved=solved | True), "S")) == []


def test_lost_draws_of_a_shape():
    assert list(of_shape._lost(0, 10)) == []
    (few,), (many,) = of_shape._lost(1, 10), of_shape._lost(2, 10)
    assert counts([few, many]) == [("warning", 1), ("failure", 2)]


@pytest.mark.parametrize("rising", [True, False])
@pytest.mark.parametrize("names", [("S",), ("S", "age", "price")])
def test_isotonic_steps(rising, names):
    steps = Stub(repurchase=Stub(regression=Stub(sample=Stub(names=names))), rising=rising)
    findings = {f.code: f for f in of_shape._steps(steps, "S")}
    assert ("others-ignored" in findings, "falling" in findings) == (len(names) > 1, not rising)
    if len(names) > 1:
        assert findings["others-ignored"].subjects == names[1:]
        assert findings["others-ignored"].severity == "note"


@pytest.mark.parametrize(("p", "told"), [(0.0999, []), (0.1001, ["threshold-not-shown"])])
def test_a_threshold_that_is_not_shown(monkeypatch, p, told):
    monkeypatch.setattr(of_shape, "Hinge", Stub)
    regression = Stub(sample=Stub(regressors=np.column_stack([np.zeros(3), [20.0, 50, 90]])))
    bend = Stub(
        repurchase=Stub(regression=regression, level=0.9),
        resamples=Stub(moved=1),
        basis=Stub(knots=(10.0,), kind="spline"),
    )
    hinge = Stub(
        bend=bend,
        solved=np.ones(3, dtype=bool),
        grid=np.array([20.0, 40, 60]),
        threshold=40.0,
        usable=np.array([True, False]),
    )
    tests = pd.DataFrame({"p": [p, 0.5]})
    findings = {f.code: f for f in of_shape.about(hinge, None, tests, "S")}
    assert set(findings) == {"knots-outside", "lost-draws", *told}
    assert (findings["lost-draws"].count, findings["lost-draws"].values["total"]) == (1, 2)
    knots = findings["knots-outside"].values
    assert (knots["low"], knots["high"]) == (20.0, 90.0)


@pytest.mark.parametrize("kind", ["quadratic", "spline"])
@pytest.mark.parametrize("lost", [0, 1, None])
def test_a_bend_has_turning_points_and_lost_draws(kind, lost):
    regression = Stub(sample=Stub(regressors=np.array([[20.0], [90.0]])))
    draws = None
    if lost is not None:
        draws = np.ones((5, 2))
        draws[:lost, 1] = NAN
    bend = Stub(
        repurchase=Stub(regression=regression, level=0.9),
        resamples=Stub(moved=0),
        basis=Stub(knots=(), kind=kind),
        draws=draws,
    )
    table = pd.DataFrame({"estimate": 95.0, "lower": 91.0, "upper": 99.0}, ["turning point"])
    findings = list(of_shape.about(bend, table, None, "S"))
    turned = ["turning-point-outside"] * (kind == "quadratic")
    assert codes(findings) == turned + ["lost-draws"] * bool(lost)
    assert all((f.count, f.values["total"]) == (1, 5) for f in findings if f.code == "lost-draws")


# --- regressions ---------------------------------------------------------------------------------


def sampled(n=40, outcome=None, regressors=None, names=("S",), **more):
    return Stub(
        n=n,
        outcome=np.arange(n) / n if outcome is None else np.asarray(outcome, float),
        regressors=np.full((n, 1), 50.0) if regressors is None else np.asarray(regressors, float),
        names=names,
        indexes=names[:1],
        label="y",
        ordering=more.pop("ordering", None),
        formula_layout=more.pop("formula_layout", None),
        number=lambda rows: int(rows.sum()),
    )


def test_few_rows_of_a_regression():
    for n, told in ((29, ["few-rows"]), (30, [])):
        findings = list(of_regression._rows(Stub(sample=sampled(n), cluster=None)))
        assert codes(findings) == told
        assert all(f.count == f.values["count"] == n for f in findings)


@pytest.mark.parametrize(
    ("ones", "ordering", "told"),
    [(19, None, 19), (20, None, None), (21, None, 19), (5, "answers", None)],
)
def test_few_events_of_a_regression(ones, ordering, told):
    outcome = np.arange(40) < ones
    table = np.linspace(0, 100, 80).reshape(40, 2)
    sample = sampled(40, outcome, table, ("S", "age"), ordering=ordering)
    findings = list(of_regression._rows(Stub(sample=sample, cluster=None)))
    assert [f.count for f in findings] == ([] if told is None else [told])
    for finding in findings:
        expected = {"count": told, "n": 40, "label": "y", "needed": 20, "names": 2}
        assert finding.values == expected


@pytest.mark.parametrize(("ones", "told"), [(9, 9), (10, None), (30, None), (31, 9)])
@pytest.mark.parametrize("formula", [None, "layout"])
def test_few_respondents_of_a_category(ones, told, formula):
    column = np.arange(40) < ones
    table = np.column_stack([np.linspace(0, 100, 40), column, np.where(column, 2.0, 0.0)])
    sample = sampled(40, None, table, ("S", "new", "twice"), formula_layout=formula)
    findings = list(of_regression._rows(Stub(sample=sample, cluster=None)))
    assert [f.values for f in findings] == [
        {"name": "new", "count": told, "n": 40, "few_alike": 10}
    ] * (told is not None and formula is None)


def test_indexes_of_a_regression_outside_the_scale():
    at = np.tile([0.0, -5e-10, 100.0, 100 + 5e-10], 10)[:, None]
    assert list(of_regression._index(Stub(sample=sampled(40, None, at)))) == []
    at = np.tile([-1.0, 50, 100 + 2e-9, 50.0], 10)[:, None]
    (finding,) = of_regression._index(Stub(sample=sampled(40, None, at)))
    assert finding.count == 20
    expected = {"name": "S", "count": 20, "n": 40, "lowest": -1.0, "highest": 100 + 2e-9}
    assert finding.values == expected


@pytest.mark.parametrize(
    ("outside", "bounded", "severity"),
    [(0, False, None), (4, False, "note"), (5, False, "warning"), (5, True, None)],
)
def test_predictions_of_a_line_outside_0_to_1(outside, bounded, severity):
    eta = np.linspace(0.0, 1.0, 40)
    eta[:outside] = -0.1
    eta[: outside // 2] = 1.1
    own = Stub(
        sample=sampled(),
        family=Stub(bounded=bounded),
        eta=eta,
        index_slopes=lambda: np.array([0.0]),
    )
    findings = list(of_regression._shape(own))
    assert counts(findings) == [(severity, outside)] * (severity is not None)
    for finding in findings:
        assert finding.values == {"count": outside, "n": 40, "lowest": -0.1, "highest": 1.1}


@pytest.mark.parametrize("names", [("S",), ("S", "age")])
def test_a_negative_slope_of_a_regression(names):
    table = np.ones((40, len(names)))
    own = Stub(sample=sampled(40, None, table, names), family=Stub(bounded=True))
    own.index_slopes = lambda: np.array([-0.1])
    (finding,) = of_regression._shape(own)
    assert finding.values == {"index": "S", "outcome": "y"}
    alone = len(names) == 1
    words = of_regression._NEGATIVE if alone else of_regression._NEGATIVE_AT_EQUAL_OTHERS
    assert finding.template == words


def test_endings_of_a_regression():
    sample = sampled(names=("S", "age"))
    for ending, told in (
        (Ending.NOT_CONVERGED, [("not-converged", "failure", ())]),
        (Ending.SINGULAR, [("no-information", "failure", ("y", "S", "age"))]),
        (Ending.CONVERGED, []),
    ):
        findings = list(of_regression._ending(Stub(sample=sample, ending=ending)))
        assert [(f.code, f.severity, f.subjects) for f in findings] == told


@pytest.mark.parametrize("perfect", [True, False])
@pytest.mark.parametrize("names", [["S"], ["S", "age"]])
def test_what_separates_is_named(monkeypatch, perfect, names):
    monkeypatch.setattr(of_regression, "_separating", lambda _: (names, perfect))
    family = Stub(label="logit")
    own = Stub(sample=sampled(), family=family, ending=Ending.SEPARATED)
    (finding,) = of_regression._ending(own)
    code = "separation" if perfect else "quasi-separation"
    assert (finding.code, finding.severity, finding.subjects) == (code, "failure", tuple(names))
    assert finding.template == of_regression._SEPARATED[code, len(names) == 1]


@pytest.mark.parametrize(
    ("coefficients", "outcome", "told"),
    [
        ((0.0, 5.001, 0.0), (0, 0, 1, 1), (["S"], True)),
        ((0.0, -5.001, 0.0), (1, 1, 0, 0), (["S"], True)),
        ((0.0, 5.0, 3.9), (0, 0, 1, 1), (["S", "age"], True)),  # none beyond 5: all are named
        ((0.0, 5.0, 4.0), (0, 0, 1, 1), (["S", "age"], False)),
        ((0.0, 0.0, 6.0), (0, 1, 0, 1), (["age"], True)),
        ((0.0, 1.001, 0.0), (0, 0, 1, 1), (["S", "age"], True)),  # a linear predictor beyond 1
        ((0.0, 0.999, 0.0), (0, 0, 1, 1), (["S", "age"], False)),
        ((4.5, 6.0, 0.0), (0, 0, 1, 1), (["S"], True)),
        ((5.5, 6.0, 0.0), (0, 0, 1, 1), (["S"], False)),
        ((0.0, 6.0, 0.0), (0, 1, 1, 1), (["S"], False)),
        ((0.0, 6.0, 0.0), (0.1, 0, 1, 1), (["S"], False)),
    ],
)
def test_regressors_that_separate(monkeypatch, coefficients, outcome, told):
    """By hand: both regressors are -1 and 1 in standard units."""
    seen = {}

    def fitted(family, y, regressors, weights, start):
        seen.update(y=y, x=np.stack(regressors), weights=weights, start=start)
        return Stub(coefficients=np.array([coefficients]))

    monkeypatch.setattr(of_regression, "regress_draws", fitted)
    table = [[40.0, 3], [40, 7], [60, 3], [60, 7]]
    sample = sampled(4, outcome, table, ("S", "age"))
    assert of_regression._separating(Stub(sample=sample, family=None)) == told
    assert_allclose(seen["x"], [[-1, -1, 1, 1], [-1, 1, -1, 1]])
    assert (seen["weights"].shape, seen["start"].tolist()) == ((1, 4), [0.0, 0.0, 0.0])


def test_clusters_of_a_regression_are_counted():
    own = Stub(sample=sampled(), cluster=np.arange(40) % 39, errors="cluster")
    assert counts(of_regression._rows(own)) == [("warning", 39)]
    own.cluster = np.arange(40)
    assert list(of_regression._rows(own)) == []


def test_lines_are_those_of_the_table():
    """What is tested above by number stands in one table."""
    values = {name: threshold.value for name, threshold in THRESHOLDS.items()}
    assert values["few rows"] == 30
    assert values["few rows of a category"] == values["events for each regressor"] == 10
    assert values["draws lost"] == values["error in the movement of the index"] == 0.1


# --- segments ------------------------------------------------------------------------------------


def test_segments_left_out_are_counted():
    """Of a, b, c and d there are 3, 1, 2 and 2, and 2 belong to none."""
    codes_of = np.array([0, 1, -1, 2, 0, 3, 2, 0, -1, 3])
    new, names, findings = of_segments._large_enough(codes_of, list("abcd"), 2)
    assert names == ("a", "c", "d")
    assert new[codes_of].tolist() == [0, -1, -1, 1, 0, 2, 1, 0, -1, 2]
    without, small = findings
    assert (without.code, without.severity, without.count) == ("no-segment", "note", 2)
    assert without.values == {"count": 2, "total": 10}
    assert (small.code, small.severity, small.count) == ("small-segments", "warning", 1)
    assert small.values == {"count": 1, "total": 4, "fewest": 2, "segments": ("b (1)",)}
    new, names, findings = of_segments._large_enough(codes_of[codes_of >= 0], list("abcd"), 1)
    assert (new.tolist(), names, findings) == ([0, 1, 2, 3, -1], ("a", "b", "c", "d"), ())
    with pytest.raises(SurveyError, match=r"^Only 1 of 4 segments have at least 3"):
        of_segments._large_enough(codes_of, list("abcd"), 3)


@pytest.mark.parametrize(("clusters", "told"), [(9, True), (10, False)])
@pytest.mark.parametrize("errors", ["cluster", "CR2"])
def test_segments_of_few_clusters(errors, clusters, told):
    place = np.repeat([0, 1], 20)
    sample = Stub(cluster=np.append(np.arange(20) % clusters, np.arange(20)))
    findings = of_segments._clusters_within(sample, place, ("a", "b"), errors)
    severity = "note" if errors == "CR2" else "warning"
    assert counts(findings) == [(severity, 1)] * told
    for finding in findings:
        assert finding.subjects == ("a",)
        assert finding.values == {"fewest": 10, "segments": ["a (9)"]}
        words = of_segments._FEW_REDUCED if errors == "CR2" else of_segments._FEW_PLAIN
        assert finding.template == words
    sample.cluster[:20] = 3
    with pytest.raises(OptionError, match=r"^Segments of a single cluster \('a'\)"):
        of_segments._clusters_within(sample, place, ("a", "b"), errors)
    sample.cluster[0] = 4
    assert len(of_segments._clusters_within(sample, place, ("a", "b"), errors)) == 1


@pytest.mark.parametrize(("apart", "fails"), [(0.9e-9, True), (1.1e-9, False)])
@pytest.mark.parametrize("what", ["index", "outcome"])
def test_a_segment_without_variation_of_its_own(what, apart, fails):
    columns = {"index": np.linspace(0, 1, 6), "outcome": np.linspace(0, 1, 6)}
    columns[what][3:] = [0.0, 0.0, apart]
    sample = Stub(regressors=columns["index"][:, None], outcome=columns["outcome"], label="y")
    place, names = np.repeat([0, 1], 3), ("a", "b")
    if fails:
        with pytest.raises(SurveyError, match=rf"^The {what}.* all 3 respondents of segment 'b'"):
            of_segments._require_own_variation(sample, place, names)
    else:
        of_segments._require_own_variation(sample, place, names)


# --- complaints ----------------------------------------------------------------------------------


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("outside", [0, 3])
def test_draws_of_a_group_of_complainers(binary, power, outside):
    own = Stub(binary=binary, label="again")
    findings = Complaints._about_draws(own, "handled well", outside, 100, power)
    assert codes(findings) == (
        ["rating-as-probability"] * (not binary)
        + ["customers-alike"] * (power != 1)
        + ["draws-outside-0-1"] * bool(outside)
    )
    for finding in findings:
        if finding.code == "customers-alike":
            assert finding.values == {"group": "handled well", "power": power}
            assert finding.template.endswith("it is more." if power > 1 else "it is less.")
        if finding.code == "draws-outside-0-1":
            assert finding.count == outside
            assert finding.values == {"outside": 3, "draws": 100, "group": "handled well"}


def test_complaints_left_out_and_handled_oddly():
    whole = np.array([True, True, True, True, False])
    used = np.array([True, False, True, True, False])
    rows = Stub(usable=np.array([True, True, True, True, False]), __len__=None)
    assert of_complaints._left_out(rows, used | True, used | True, "again") == []
    (finding,) = of_complaints._left_out(np.arange(5), whole, used, "again")
    assert (finding.severity, finding.count) == ("note", 2)
    assert finding.values == {"out": 2, "all": 5, "lost": 1, "without": 1, "label": "again"}
    spoke = np.array([1.0, 1, 0, 0, 0])
    how = np.array([NAN, 3, 4, NAN, 5])
    spoken = np.array([True, True, False, False, False])
    rated = np.array([False, True, False, False, False])
    silent, odd = of_complaints._handling(rows, spoken, rated, spoke, how)
    assert counts([silent, odd]) == [("note", 1), ("warning", 1)]
    assert silent.values == {"silent": 1, "complainers": 2}
    assert of_complaints._handling(rows, rated, rated, spoke, how * NAN) == []


def test_few_respondents_of_a_group_of_complainers():
    masks = {"a": np.arange(40) < 29, "b": np.arange(40) < 30, "c": np.arange(40) < 2}
    (finding,) = of_complaints._small(masks)
    assert (finding.severity, finding.count, finding.subjects) == ("note", 2, ("a", "c"))
    assert finding.values == {"few": 30, "groups": ("a (29)", "c (2)")}
    assert of_complaints._small({"b": masks["b"]}) == []


def test_8_on_1_to_10_is_well_handled_and_5_and_a_half_its_middle():
    high, middle = (
        of_complaints._bound("well_from", None, "how", (1.0, 10.0), share)
        for share in (of_complaints._HIGH, of_complaints._MIDDLE)
    )
    assert_allclose([high, middle], [8.0 - 1e-9, 5.5], rtol=0, atol=1e-12)
    assert of_complaints._bound("well_from", 3.0, "how", (1.0, 10.0), 0.5) == 3.0


# --- money ---------------------------------------------------------------------------------------


def average_of(estimate=0.5, drawn=(0.4, 0.5, 0.6), outside=0.0):
    return Stub(probability=(estimate, np.array(drawn)), outside=(outside, None))


def source_of(low=20.0, high=90.0):
    sample = Stub(regressors=np.array([[1.0, low], [1.0, high]]))
    rep = Stub(
        family=Stub(label="least squares"), indexes=("A", "S"), regression=Stub(sample=sample)
    )
    return Stub(rep=rep)


@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("points", [0.0, 5.0])
@pytest.mark.parametrize("estimate", [-2e-9, 1 + 2e-9, -5e-10, 1 + 5e-10])
def test_average_probabilities_outside_0_to_1_are_refused(alike, points, estimate):
    place = Stub(points=(points,), alike=alike)
    findings = of_money.about_place(source_of(0.0), 1, place, average_of(estimate))
    if -1e-9 < estimate < 1 + 1e-9:
        assert list(findings) == []
        return
    where = rf"at an index of {points:g}," if alike else (
        r"after 5 points," if points else "for customers as they are,"
    )  # fmt: skip
    with pytest.raises(OptionError, match=where):
        list(findings)


@pytest.mark.parametrize("alike", [True, False])
def test_draws_of_a_probability_outside_0_to_1(alike):
    place = Stub(points=(50.0,), alike=alike)
    drawn = (-0.1, 0.0, 1.0, 1.1, NAN)
    (finding,) = of_money.about_place(source_of(), 1, place, average_of(0.5, drawn))
    assert (finding.code, finding.count, finding.subjects) == ("draws-outside-0-1", 2, ("S",))
    assert finding.values == {"points": 50.0, "outside": 2, "draws": 5}
    assert finding.template.startswith("At an index" if alike else "After ")


@pytest.mark.parametrize(
    ("alike", "share", "told"),
    [
        (True, 0.0, 0),
        (True, 0.3, 1),
        (True, 1.0, 0),
        (False, 0.0, 0),
        (False, 0.3, 1),
        (False, 1, 1),
    ],
)
def test_customers_outside_0_to_1(alike, share, told):
    place = Stub(points=(50.0,), alike=alike)
    findings = list(of_money.about_place(source_of(), 1, place, average_of(outside=share)))
    assert codes(findings) == ["customers-outside-0-1"] * told
    expected = {"percent": 100 * share, "family": "least squares"}
    assert all(f.values == expected for f in findings)


@pytest.mark.parametrize(
    ("level", "told"),
    [(20 - 5e-10, 0), (20 - 2e-9, 1), (90 + 5e-10, 0), (90 + 2e-9, 1), (50.0, 0)],
)
def test_levels_that_nobody_was_seen_at(level, told):
    findings = list(of_money._extrapolated(source_of().rep, 1, level))
    assert [f.values for f in findings] == [{"level": level, "low": 20.0, "high": 90.0}] * told
    place = Stub(points=(level,), alike=True)
    assert codes(of_money.about_place(source_of(), 1, place, average_of())) == codes(findings)


@pytest.mark.parametrize(("lost", "severity"), [(0, None), (1, "warning"), (2, "failure")])
def test_draws_of_money_without_a_value(lost, severity):
    drawn = np.append(np.full(lost, NAN), np.full(10 - lost, 0.5))
    findings = list(of_money.about_draws(average_of(drawn=drawn)))
    assert counts(findings) == [(severity, lost)] * bool(lost)
    assert all(f.values == {"lost": lost, "draws": 10} for f in findings)


@pytest.mark.parametrize(
    ("outcome", "ordering", "rating"),
    [((0, 1, 1), None, 0), ((0, 0.5, 1), None, 1), ((0, 2, 1), None, 1), ((0, 1, 1), "some", 1)],
)
@pytest.mark.parametrize("drawn", [True, False])
def test_ratings_and_failures_that_money_rests_on(outcome, ordering, rating, drawn):
    failure, note = Stub(code="separation", severity="failure"), Stub(code="x", severity="note")
    of_design = Stub(code="few-firms", severity="note")
    fit = Stub(require_answers=lambda _: Stub(design=Stub(findings=(of_design,))))
    rep = Stub(
        regression=Stub(sample=Stub(outcome=np.array(outcome, float), ordering=ordering)),
        outcome="y",
        draws=Stub(bootstrap=Stub(fit=fit)) if drawn else None,
        findings=(note, failure),
    )
    expected = ["rating-as-probability"] * rating + ["few-firms"] * drawn + ["separation"]
    assert codes(of_money.about_outcome(rep)) == expected


# --- calibration ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p", "errors", "census", "groups", "folds", "drawn", "told"),
    [
        (0.0999, "HC1", False, 3, 10, False, ["form-does-not-fit"]),
        (0.1001, "HC1", False, 3, 10, False, []),
        (0.5, "HC1", False, 4, 0, False, ["own-predictions", "groups-tied"]),
        (0.5, "HC1", False, 3, 10, True, ["index-known"]),
        (NAN, "cluster", False, 3, 10, False, ["no-fit-test"]),
        (NAN, "cluster", True, 3, 10, False, []),
        (NAN, "HC1", False, 3, 10, False, []),
        (0.5, "cluster", False, 3, 10, False, []),
    ],
)
def test_what_is_said_of_a_calibration(p, errors, census, groups, folds, drawn, told):
    rep = Stub(
        regression=Stub(design_of_sample=Stub(census=census, df=7)),
        errors=errors,
        level=0.9,
        outcome="y",
        draws="draws" if drawn else None,
    )
    table = pd.DataFrame({"observed": [0.2, 0.5, 0.7], "predicted": [0.25, 0.5, 0.6]})
    tests = pd.DataFrame({"p": [0.0, p]}, ["calibrated", "fit by groups"])
    findings = {f.code: f for f in of_calibration._about(rep, table, tests, groups, folds)}
    assert list(findings) == told
    if "form-does-not-fit" in told:
        assert_allclose(findings["form-does-not-fit"].values["gap"], 10.0)
    if "groups-tied" in told:
        assert findings["groups-tied"].values == {"count": 3, "groups": 4}
    if "no-fit-test" in told:
        assert findings["no-fit-test"].values == {"df": 7, "groups": 3}


# --- measurement error on the way to money -------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "power", "finite", "told"),
    [
        ([0.0, 0.9], 1, True, "impossible-reliability"),
        ([0.8, -0.1], 1, True, "impossible-reliability"),
        ([0.8, 1 + 2e-12], 1, True, "impossible-reliability"),
        ([0.8, NAN], 1, True, "impossible-reliability"),
        ([0.8, 1 + 5e-13], 1, True, None),
        ([0.8, 0.9], 2, True, "bend-not-corrected"),
        ([0.8, 0.9], 1, False, "curve-not-corrected"),
        ([1.0, 1.0], 1, False, None),
        ([1.0, 0.9], 1, False, "curve-not-corrected"),
        (None, 1, True, "reliability-unknown"),
    ],
)
def test_measurement_error_that_cannot_be_taken_off(monkeypatch, own, power, finite, told):
    pair = None if own is None else (np.array(own), np.array([own]))
    monkeypatch.setattr(of_measurement, "_reliabilities", lambda *_: pair)
    curve = np.array([1.0, 1.0 if finite else NAN])
    turned = Stub(curve=lambda: curve)
    monkeypatch.setattr(
        of_measurement, "replace", lambda *_, **given: vars(turned).update(given) or turned
    )
    column = (Stub(powers=(1,)), Stub(powers=(0, power)))
    sample = Stub(layout=Stub(columns=((Stub(powers=(1,)),), column)))
    source = Stub(rep=Stub(indexes=("S", "A"), regression=Stub(sample=sample)))
    result, finding = of_measurement.corrected(source, None, of_measurement.Given(True, {}))
    if told is None:
        assert finding is None
        assert result is (source if own == [1.0, 1.0] else turned)
        if result is turned:
            assert_allclose(turned.reliability[0], own)
        return
    assert (result, finding.code) == (source, told)
    if told == "impossible-reliability":
        place = 0 if own[0] == 0 else 1
        assert finding.subjects == ("SA"[place],)
        np.testing.assert_equal(finding.values["value"], own[place])
    elif own is not None:
        assert_allclose(finding.values["percent"], 100 * (1 - own[0]))


@pytest.mark.parametrize(
    ("reliability", "percent", "known"),
    [(0.8, 20, True), (1.0, 0, True), (0.0, 100, False), (1.2, -20, False), (-0.1, 110, False)],
)
def test_an_effect_left_as_measured(reliability, percent, known):
    effects = Stub(reliability=np.array([0.5, reliability]))
    finding = of_measurement.inadmissible_effect(effects, "D", "S", 1)
    assert_allclose(finding.values["percent"], percent, atol=1e-12)
    assert ("{percent" in finding.template) == known


def test_indexes_that_count_as_without_error():
    assert of_measurement.error_free(()) is None
    one, two = of_measurement.error_free(("a",)), of_measurement.error_free(("a", "b"))
    assert (one.subjects, two.subjects) == (("a",), ("a", "b"))
    assert one.template.startswith("The index of")
    assert two.template.startswith("The indexes of")


@pytest.mark.parametrize(
    ("value", "fails"),
    [(0.0, True), (1e-9, False), (1.0, False), (1.001, True), (True, True), ("x", True)],
)
def test_reliabilities_that_are_a_share(value, fails):
    if fails:
        with pytest.raises(OptionError, match=r"is no share of variance"):
            of_measurement.Given.of("corrected", value, "S", None)
        return
    given = of_measurement.Given.of("corrected", value, "S", None)
    assert (given.wanted, given.reliability) == (True, {"S": value})
    ignored = of_measurement.Given.of("ignored", {"S": None}, "S", None)
    assert (ignored.wanted, ignored.reliability) == (False, {})
    with pytest.raises(OptionError, match=r"names 'T', which is no index"):
        of_measurement.Given.of("corrected", {"T": 0.8}, "S", None)
