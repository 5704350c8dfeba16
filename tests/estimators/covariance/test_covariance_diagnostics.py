"""Every covariance estimator names what is wrong with a degenerate solution."""

from types import SimpleNamespace as Stub

import numpy as np
import pandas as pd
import pytest
from wordings import row_of

import csimodel as csi
from csimodel.errors import EstimationError
from csimodel.estimators.covariance import estimator, findings
from csimodel.estimators.estimates import Inadmissible

COMPLETE = [
    csi.ML(),
    csi.ML(se="mlr"),
    csi.LeastSquares("uls"),
    csi.LeastSquares("gls"),
    csi.LeastSquares("dwls"),
]
GAPS = [csi.ML(missing="fiml"), csi.ML(missing="two-stage")]
EVERY = pytest.mark.parametrize("estimator", [*COMPLETE, *GAPS], ids=lambda one: one.label)
SIXTEEN = (
    "I =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5\n"
    "Q =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6\n"
    "V =~ PERV1 + PERV2\nS =~ CUSA1 + CUSA2 + CUSA3\nQ ~ I\nV ~ Q\nS ~ Q + V"
)
LONELY = "A =~ PERQ1 + PERQ2\nB =~ PERV1 + PERV2\nB ~ 0*A"


@pytest.fixture(scope="module")
def heywood():
    """Correlations .8, .8 and .5 of three items: the first would load 1.13."""
    cor = np.array([[1.0, 0.8, 0.8], [0.8, 1.0, 0.5], [0.8, 0.5, 1.0]])
    draws = np.random.default_rng(1).standard_normal((300, 3)) @ np.linalg.cholesky(cor).T
    return pd.DataFrame(draws, columns=list("abc"))


def data_for(estimator, frame):
    """Take some cells away for the estimators of incomplete answers."""
    frame = frame.astype(float)
    if estimator not in GAPS:
        return frame
    return frame.mask(np.random.default_rng(0).random(frame.shape) < 0.02)


def told(fit):
    return {finding.code: finding for finding in fit.diagnostics}


@EVERY
def test_what_is_not_identified_is_named_by_what_hangs_together(estimator, mobi):
    fit = csi.fit(csi.Model.from_syntax(LONELY), data_for(estimator, mobi.data), estimator)
    assert not fit.converged
    finding = told(fit)["not-identified"]
    assert finding.severity == "failure"
    assert finding.values["sets"] == (
        "(A =~ PERQ2, A ~~ A, PERQ1 ~~ PERQ1, PERQ2 ~~ PERQ2)",
        "(B =~ PERV2, B ~~ B, PERV1 ~~ PERV1, PERV2 ~~ PERV2)",
    )
    assert "NOT CONVERGED" in repr(fit)


@EVERY
def test_a_free_error_of_a_single_item_is_named(estimator, mobi):
    model = csi.Model.from_syntax(
        "Q =~ PERQ1 + PERQ2 + PERQ3\nV =~ PERV1\nS =~ CUSA1\nPERV1 ~~ PERV1\nV ~ Q\nS ~ V + Q"
    )
    finding = told(csi.fit(model, data_for(estimator, mobi.data), estimator))["not-identified"]
    # S ~ V takes part as far as the estimated effect is not zero.
    assert set(finding.subjects) - {"S ~ V"} == {"V ~~ V", "PERV1 ~~ PERV1"}
    assert finding.values["first"] == finding.subjects


@pytest.mark.parametrize("estimator", COMPLETE, ids=lambda one: one.label)
def test_items_tied_by_a_formula_are_named(estimator, mobi):
    frame = mobi.data.assign(PERQ7=mobi.data["PERQ1"] + mobi.data["PERQ2"])
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ2 + PERQ3 + PERQ7\nV =~ PERV1 + PERV2\nV ~ Q")
    fit = csi.fit(model, frame, estimator)
    assert not fit.converged
    found = told(fit)
    assert found["singular-items"].severity == "failure"
    assert found["collinear-items"].subjects == ("PERQ1", "PERQ2", "PERQ7")


@pytest.mark.parametrize("estimator", GAPS, ids=lambda one: one.label)
def test_incomplete_items_tied_by_a_formula_are_named(estimator, mobi):
    frame = mobi.data.astype(float).assign(PERQ7=mobi.data["PERQ1"] + mobi.data["PERQ2"])
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ2 + PERQ3 + PERQ7\nV =~ PERV1 + PERV2\nV ~ Q")
    frame = frame.mask(np.random.default_rng(0).random(frame.shape) < 0.02)
    with pytest.raises(EstimationError, match="covariances of PERQ1, PERQ2 and PERQ7 are not pos"):
        csi.fit(model, frame, estimator)


@EVERY
def test_twelve_rows_for_sixteen_items_estimate_nothing(estimator, mobi):
    model, frame = csi.Model.from_syntax(SIXTEEN), data_for(estimator, mobi.data.iloc[:12])
    if estimator in GAPS:
        with pytest.raises(EstimationError) as refused:
            csi.fit(model, frame, estimator)
        assert str(refused.value) == (
            "Nothing was estimated because 12 rows for 16 items leave the covariances of the items "
            "singular; collect more rows, use fewer items, or PLS."
        )
        return
    fit = csi.fit(model, frame, estimator)
    assert not fit.converged
    finding = told(fit)["singular-items"]
    assert finding.severity == "failure"
    assert finding.values == {"rows": 12, "items": 16}
    with pytest.raises(EstimationError, match="Nothing was estimated because 12 rows"):
        csi.fit(model, frame, estimator, strict=True)


@EVERY
def test_an_error_variance_driven_negative_is_a_failure(estimator, heywood):
    model = csi.Model.from_syntax("F =~ a + b + c")
    fit = csi.fit(model, data_for(estimator, heywood), estimator)
    found = told(fit)
    assert found["negative-error-variance"].severity == "failure"
    assert found["negative-error-variance"].subjects == ("a", "F")
    assert found["negative-error-variance"].values["variance"] < 0
    # Not a question asked the other way round: the items correlate as they should.
    assert found["negative-weight"].values["heywood"] == ("a",)
    assert "heywood" in row_of(found["negative-weight"]).values
    assert "converged, " in repr(fit)  # never alone
    with pytest.raises(EstimationError, match="Heywood"):
        csi.fit(model, data_for(estimator, heywood), estimator, strict=True)


@pytest.mark.parametrize("estimator", COMPLETE, ids=lambda one: one.label)
def test_the_ecsi_on_mobi_draws_several_findings(estimator, ecsi, mobi):
    fit = csi.fit(ecsi, mobi, estimator)
    found = told(fit)
    assert {"few-rows-per-parameter", "exploding-errors", "constructs-alike", "path-beyond-1"} <= (
        set(found)
    )
    assert found["exploding-errors"].values["largest"] > 1
    assert "findings>" in repr(fit)
    if isinstance(estimator, csi.LeastSquares) and estimator.weights != "uls":
        assert "negative-disturbance-variance" in found
        assert found["construct-correlations-not-positive-definite"].severity == "failure"


def groups_of(mobi, few):
    return mobi.data.assign(g=np.where(np.arange(250) < few, "few", "many"))


def test_a_group_with_too_few_rows_is_named(mobi):
    model = csi.Model.from_syntax(SIXTEEN)
    with pytest.raises(EstimationError) as refused:
        csi.fit_multigroup(model, groups_of(mobi, 12), "g")
    assert str(refused.value) == (
        "Group few: Nothing was estimated because 12 rows for 16 items leave the covariances of "
        "the items singular; collect more rows, use fewer items, or PLS."
    )
    with pytest.raises(EstimationError, match=r"Group few: .* only 2 rows and at least 3"):
        csi.fit_multigroup(model, groups_of(mobi, 2), "g")
    apart = csi.fit_groups(model, groups_of(mobi, 12), "g", csi.ML())
    assert not apart["few"].converged
    assert told(apart["few"])["singular-items"].severity == "failure"
    assert apart["many"].converged


def test_a_small_group_is_told_of_in_the_joint_fit(mobi):
    fit = csi.fit_multigroup(csi.Model.from_syntax(SIXTEEN), groups_of(mobi, 25), "g")
    rough, small, *others = fit.diagnostics
    assert rough.code == "few-rows-per-parameter"
    assert rough.values == {"rows": 250, "parameters": 104, "least": 5}
    assert small.code == "groups-with-few-rows"
    assert small.values == {"groups": ("few",), "least": 30}
    assert ("Group few", "negative-error-variance", "PERV2") in {
        (finding.scope, finding.code, *finding.subjects[:1]) for finding in others
    }
    assert repr(fit).endswith(f"converged, {len(fit.diagnostics)} findings>")


def test_groups_not_identified_name_the_parameters_and_the_group(mobi):
    frame = mobi.data.assign(g=["a", "b"] * 125)
    fit = csi.fit_multigroup(csi.Model.from_syntax(LONELY), frame, "g", equal="loadings")
    assert not fit.converged
    (finding,) = [one for one in fit.diagnostics if one.code == "not-identified"]
    assert finding.values["sets"][0].startswith("(A =~ PERQ2, A ~~ A of a, PERQ1 ~~ PERQ1 of a, ")
    assert "B ~~ B of b" in finding.subjects
    assert "NOT CONVERGED" in repr(fit)


@pytest.mark.parametrize("said", ["PERQ1 ~~ -50*PERQ1", "B ~ start(1000000000000)*A"])
def test_a_start_that_is_not_positive_definite_is_not_called_converged(mobi, said):
    text = f"A =~ PERQ1 + PERQ2 + PERQ3\nB =~ CUSA1 + CUSA2 + CUSA3\nB ~ A\n{said}"
    fit = csi.fit(csi.Model.from_syntax(text), mobi, csi.ML())
    assert not fit.converged
    finding = fit.diagnostics[-1]
    assert (finding.code, finding.severity) == ("not-converged", "failure")
    assert finding.subjects == (said,)
    assert finding.values == {"parameters": (repr(said),)}


def test_a_definition_without_a_value_has_no_error(mobi):
    text = "A =~ PERQ1 + PERQ2 + PERQ3\nB =~ CUSA1 + CUSA2 + CUSA3\nB ~ q*A\nx := q/0\ny := 2*q"
    defined = csi.fit(csi.Model.from_syntax(text), mobi, csi.ML()).defined
    assert np.isnan(defined.loc["x", "se"])
    assert np.isfinite(defined.loc["y", "se"])


def test_one_item_has_fit_measures_without_correlations(mobi):
    fit = csi.fit(csi.Model.from_syntax("A =~ PERQ1"), mobi, csi.ML())
    assert fit.fit_measures["df"] == 0


# --- lines of findings, from both sides ----------------------------------------------------------


def stub_of(monkeypatch, **more):
    """Let the findings see these estimates of a covariance structure."""
    values = {"label": "ML", "design_based": False, "max_iterations": 100}
    estimator = Stub(**{name: more.pop(name, value) for name, value in values.items()})
    moments = Stub(n=more.pop("n", 100), effective_n=more.pop("effective_n", 100.0))
    model = csi.Model.from_syntax("A =~ a1 + a2\nB =~ b1 + b2\nB ~ A")
    layout = Stub(size=more.pop("size", 9), names=more.pop("names", ()))
    estimates = Stub(layout=layout, **more)
    monkeypatch.setattr(findings, "covariance_structure", lambda _: (estimator, estimates))
    monkeypatch.setattr(findings, "of_covariance_structure", lambda _: True)
    return Stub(moments=moments, model=model, estimates=estimates)


@pytest.mark.parametrize(
    ("other", "rows", "told"),
    [(1.0001, 100, False), (1.000101, 100, True), (np.nan, 100, False), (np.inf, 100, False)],
)
def test_minima_that_differ_by_a_hundredth_of_chi_square(other, rows, told):
    minima = list(findings.several_minima(other, 1.0 + 1e-9, rows))
    assert [f.code for f in minima] == ["several-minima"] * told
    for finding in minima:
        assert finding.values["lowest"] == pytest.approx(100, rel=1e-6)
        assert finding.values["other"] == pytest.approx(100.0101)


@pytest.mark.parametrize(("n", "told"), [(44, True), (45, False)])
def test_five_rows_for_each_parameter(monkeypatch, n, told):
    told_of = list(findings._few_rows(stub_of(monkeypatch, n=n)))
    assert [f.values for f in told_of] == [{"rows": n, "parameters": 9, "least": 5}] * told


@pytest.mark.parametrize(("n", "few"), [(4, True), (5, False)])
def test_why_items_are_singular(monkeypatch, n, few):
    finding = findings._singular_items(stub_of(monkeypatch, n=n))
    assert (finding.severity, len(finding.subjects)) == ("failure", 4)
    assert finding.values == ({"rows": n, "items": 4} if few else {})


@pytest.mark.parametrize("most", [99, 100])
@pytest.mark.parametrize(("eigenvalue", "tied"), [(0.9e-6, True), (1.1e-6, False)])
def test_what_is_said_of_a_search_that_ended_nowhere(monkeypatch, most, eigenvalue, tied):
    solution = stub_of(
        monkeypatch, max_iterations=most, iterations=80, gradient=0.02, names=("x", "y", "z")
    )
    matrix = np.diag([4.0, 9.0, 1.0])  # scaled: 1 on the diagonal, x and y tied
    matrix[0, 1] = matrix[1, 0] = 6.0 * (1.0 - eigenvalue)
    monkeypatch.setattr(findings, "sample_information", lambda _: matrix)
    finding = findings._not_converged(solution)
    names = ("x", "y") if tied else ()
    assert (finding.subjects, finding.severity, finding.count) == (names, "failure", 80)
    expected = {"iterations": 80, "gradient": 0.02, "parameters": names, "most": most}
    assert finding.values == expected
    assert ("{most}" in finding.template) == (most < 100)
    assert ("{parameters}" in finding.template) == (most >= 100 and tied)
    solution.estimates.gradient = np.nan
    assert findings._not_converged(solution).values == {}


def test_parameters_tied_by_their_information():
    """By hand: an eigenvalue of 0 moves x and y together, another z alone; w is known."""
    matrix = np.diag([4.0, 9.0, 0.0, 2.0])
    matrix[0, 1] = matrix[1, 0] = 6.0
    names = ("x", "y", "z", "w")
    assert findings.tied_parameters(matrix, names, 1e-10) == (("x", "y"), ("z",))
    assert findings.tied_parameters(np.eye(4), names, 1e-10) == ()
    matrix[3, 3] = np.nan
    assert findings.tied_parameters(matrix, names, 1e-10) == ()


@pytest.mark.parametrize(("part", "named"), [(0.0495, ()), (0.0505, ("z",))])
def test_a_part_of_a_twentieth_in_a_flat_direction_is_named(part, named):
    """The flat direction of the scaled matrix is (1, 1, part), but for its length."""
    direction = np.array([1.0, 1.0, part * np.sqrt(0.5)])
    direction /= np.linalg.norm(direction)
    matrix = np.eye(3) - np.outer(direction, direction)
    (tie,) = findings.tied_parameters(matrix, ("x", "y", "z"), 1e-10)
    assert tie == ("x", "y", *named)


@pytest.mark.parametrize(
    ("zeros", "ties", "fields"),
    [
        ((), (), set()),
        ((2,), (("z",),), {"first"}),
        ((0,), (("x", "y"),), {"first"}),
        ((0, 2), (("x", "y"), ("z",)), {"sets"}),
    ],
)
def test_what_is_not_identified(zeros, ties, fields):
    matrix = np.diag([4.0, 9.0, 1.0])
    if 0 in zeros:
        matrix[0, 1] = matrix[1, 0] = 6.0
    if 2 in zeros:
        matrix[2, 2] = 0.0
    finding = findings.not_identified(matrix, ("x", "y", "z"))
    assert (finding.code, finding.severity) == ("not-identified", "failure")
    assert finding.subjects == tuple(name for tie in ties for name in tie)
    assert finding.values["first"] == (ties[0] if ties else ())
    assert finding.values["sets"] == tuple(f"({', '.join(tie)})" for tie in ties)
    named = {name for name in ("first", "sets") if f"{{{name}}}" in finding.template}
    assert named == fields


@pytest.mark.parametrize("based", [True, False])
@pytest.mark.parametrize(
    ("effective", "given", "ignored"),
    [
        (100.0, {}, ()),
        (100.0 * (1 - 9e-10), {}, ()),
        (99.9, {}, ("weights",)),
        (100.0, {"cluster": 1}, ("clusters",)),
        (100.0, {"strata": 1}, ("strata",)),
        (100.0, {"population": 1}, ("finite population",)),
        (50.0, {"strata": 1, "cluster": 1}, ("weights", "clusters", "strata")),
    ],
)
def test_what_errors_ignore_of_a_design(monkeypatch, based, effective, given, ignored):
    solution = stub_of(monkeypatch, effective_n=effective, design_based=based)
    answers = Stub(**({"cluster": None, "strata": None, "population": None} | given))
    told_of = list(findings.design_findings(solution, answers))
    if based:
        assert [(f.code, f.severity) for f in told_of] == [("errors-ignore-strata", "note")] * (
            "strata" in given
        )
        return
    assert [f.subjects for f in told_of] == [ignored] * bool(ignored)
    others = tuple(name for name in ignored if name != "weights")
    for finding in told_of:
        assert finding.values == {"others": others, "rows": 100.0, "effective": effective}
        assert ("{effective" in finding.template) == ("weights" in ignored)
        assert ("{others}" in finding.template) == bool(others)
    assert bool(list(findings.design_findings(solution, None))) == ("weights" in ignored)


def test_variances_below_0(monkeypatch):
    at = Stub(
        errors=np.diag([0.2, -0.3, 0.0, 0.1]),
        psi=np.diag([-0.1, -0.5]),
        sigma=np.diag([1.0, 1.2, 1, 1]),
        phi=np.diag([0.0, 2.0]),
    )
    monkeypatch.setattr(findings, "implied", lambda *_: at)
    solution = stub_of(monkeypatch, parameters=None)
    error, construct, disturbance = findings._negative_variances(solution)
    assert (error.code, error.subjects) == ("negative-error-variance", ("a2", "A"))
    assert error.values == {"item": "a2", "variance": -0.3, "share": -0.25, "construct": "A"}
    assert construct.code == "negative-construct-variance"
    assert construct.values == {"construct": "A", "variance": 0.0}
    assert disturbance.code == "negative-disturbance-variance"
    assert disturbance.values == {"construct": "B", "variance": -0.5, "share": -0.25}
    assert {f.severity for f in (error, construct, disturbance)} == {"failure"}


@pytest.mark.parametrize(
    ("errors", "named"),
    [
        ([0.5, 1.0, np.nan], ()),
        ([0.5, 1.001, np.nan], ("y",)),
        ([1.5, 0.2, 3.0], ("z", "x")),
        ([0.5, np.inf, 2.0], ("y", "z")),
    ],
)
def test_standardised_errors_beyond_1(monkeypatch, errors, named):
    solution = stub_of(monkeypatch, parameters=None)
    solution.estimates.layout.rows = [Stub(name=name) for name in "xyz"]
    monkeypatch.setattr(findings, "standardised", lambda *_: (None, None))
    monkeypatch.setattr(findings, "vcov", lambda _: None)
    monkeypatch.setattr(findings, "errors_of", lambda *_: np.array(errors))
    told_of = list(findings._large_errors(solution))
    assert [(f.subjects, f.count) for f in told_of] == [(named, len(named))] * bool(named)
    assert all(f.values["largest"] == np.nanmax(errors) for f in told_of)


@pytest.mark.parametrize(("start", "fixed"), [((), ()), ((0.5,), ()), ((), (0.5,)), ((0.0,), ())])
def test_starting_values_that_lead_nowhere(start, fixed):
    parameters = (Stub(fixed=fixed, start=start), Stub(fixed=(0.0,), start=()))
    finding = findings._no_way_in(Stub(model=Stub(parameters=parameters)))
    assert (finding.code, finding.severity) == ("not-converged", "failure")
    assert len(finding.subjects) == any((*start, *fixed))


@pytest.mark.parametrize(
    ("error", "left", "cor", "flags"),
    [
        (0.0, 0.0, 0.9, Inadmissible.NONE),  # of single items, and of what is fixed
        (-1e-9, 0.1, 0.9, Inadmissible.NEGATIVE_VARIANCE),
        (0.1, -1e-9, 0.9, Inadmissible.NEGATIVE_VARIANCE),
        (0.1, 0.1, 1.1, Inadmissible.NOT_POSITIVE_DEFINITE),
        (0.1, 0.1, np.nan, Inadmissible.NOT_POSITIVE_DEFINITE),
        (-0.1, 0.1, 1.1, Inadmissible.NOT_POSITIVE_DEFINITE | Inadmissible.NEGATIVE_VARIANCE),
    ],
)
def test_flags_of_inadmissible_samples_of_a_batch(error, left, cor, flags):
    errors, psi = np.stack([np.eye(3)] * 2), np.stack([np.eye(2)] * 2)
    construct_cor = np.stack([np.eye(2)] * 2)
    errors[1, 2, 2], psi[1, 0, 0] = error, left
    construct_cor[1] += cor * (1 - np.eye(2))
    got = estimator._inadmissible(Stub(errors=errors, psi=psi), construct_cor)
    assert got.tolist() == [0, int(flags)]
