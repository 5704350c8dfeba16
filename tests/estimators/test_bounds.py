"""What numbers can be: both sides of every bound, in findings and in verdicts."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

import csimodel as csi
from csimodel.assessment.judge_measurement import judge_loadings, judge_reliability
from csimodel.bounds import BOUNDS, THRESHOLDS

ITEMS = ["a1", "a2", "b1", "b2", "c1", "c2"]
MODEL = csi.Model.from_syntax("A =~ a1 + a2\nB =~ b1 + b2\nC =~ c1 + c2\nC ~ A + B")


def fit_of(
    within: tuple[float, float, float], between: tuple[float, float, float]
) -> csi.estimators.Fit:
    """Fit by PLSc where items of a block correlate `within`, those of A-B, A-C, B-C `between`."""
    r = np.zeros((6, 6))
    for j, value in enumerate(within):
        r[2 * j : 2 * j + 2, 2 * j : 2 * j + 2] = value
    for (i, j), value in zip(((0, 1), (0, 2), (1, 2)), between, strict=True):
        r[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = r[2 * j : 2 * j + 2, 2 * i : 2 * i + 2] = value
    np.fill_diagonal(r, 1.0)
    moments = csi.Moments.from_cov(r, n=200, items=ITEMS)
    return csi.fit(MODEL, moments, csi.PLS(consistent=True))


def codes(fit) -> set[str]:
    return {finding.code for finding in fit.diagnostics if finding.severity == "failure"}


def sentences(fit, measure: str) -> dict[str, tuple[str, str]]:
    table = csi.assess(fit).verdicts.query("measure == @measure")
    return {row.subject: (row.verdict, row.sentence) for row in table.itertuples()}


def test_r2_below_0_is_impossible():
    fit = fit_of((0.30, 0.30, 0.30), (0.32, 0.20, 0.12))
    # By hand: correlations 16/15, 2/3 and 2/5 after correction.
    r = np.array([[1, 16 / 15], [16 / 15, 1]])
    toward = np.array([2 / 3, 2 / 5])
    assert fit.r2["C"] == pytest.approx(toward @ np.linalg.solve(r, toward))
    assert fit.r2["C"] == pytest.approx(-0.2580645, abs=1e-6)
    assert {"explained-variance-below-0", "construct-correlation-beyond-1"} <= codes(fit)
    verdict, sentence = sentences(fit, "r2")["C"]
    assert verdict == "impossible"
    assert "cannot be" in sentence
    assert "-26 %" not in sentence


def test_r2_above_1_is_impossible():
    fit = fit_of((0.5, 0.5, 0.3), (-0.3, 0.25, 0.25))
    assert fit.r2["C"] > 1
    assert "explained-variance-above-1" in codes(fit)
    verdict, sentence = sentences(fit, "r2")["C"]
    assert (verdict, "cannot be" in sentence) == ("impossible", True)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_correlation_beyond_1_on_either_side_is_impossible(sign):
    fit = fit_of((0.30, 0.30, 0.30), (sign * 0.32, 0.05, sign * 0.05))
    assert "construct-correlation-beyond-1" in codes(fit)
    assert sentences(fit, "fornell_larcker")["A"][0] == "impossible"


def test_a_reliability_below_0_is_impossible_and_a_reversed_loading_is_named():
    data = csi.load_mobi().data[["PERQ1", "PERQ2", "PERV1", "PERV2"]].astype(float)
    data["PERQ2"] = 11 - data["PERQ2"]
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ2\nV =~ PERV1 + PERV2\nV ~ Q")
    fit = csi.fit(model, data, csi.ML())
    assert csi.assess(fit).reliability.loc["Q", "alpha"] < 0
    found = {(v.measure, v.subject): v for v in judge_reliability(fit)}
    assert found["alpha", "Q"].verdict == "impossible"
    assert "other way round" in found["alpha", "Q"].sentence
    loading = {v.subject: v for v in judge_loadings(fit)}["PERQ2"]
    assert loading.value < -0.4
    assert (loading.verdict, "opposite" in loading.sentence) == ("poor", True)


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds_hold_on_both_sides_and_spare_rounding_and_nan(name):
    bounds = BOUNDS[name]
    for end, side in ((bounds.lower, -1.0), (bounds.upper, 1.0)):
        if np.isfinite(end):
            assert bounds.beyond(end + side * 1e-3)
            assert not bounds.beyond(end)
            assert not bounds.beyond(end + side * 1e-12)
    assert not bounds.beyond(np.nan)
    assert bounds.reason


def test_thresholds_have_sources():
    assert all(threshold.source for threshold in THRESHOLDS.values())
    for name in ("reliability", "loading", "vif", "srmr"):
        assert THRESHOLDS[f"{name} good"].source.startswith(("Hair", "Nunnally", "Hu"))


def test_reliability_counts_covariances_of_errors(reference):
    case = reference("democracy_reliability.json")
    moments = csi.Moments.from_cov(np.array(case["cov"]), n=case["n"], items=case["items"])
    fit = csi.fit(csi.Model.from_syntax(case["model"]), moments, csi.ML())
    assert fit.fit_measures["chisq"] == pytest.approx(case["chisq"], rel=1e-5)
    np.testing.assert_allclose(csi.assess(fit).reliability["rho_c"], case["rho_c"], atol=1e-5)
    np.testing.assert_allclose(case["rho_c"], [0.832, 0.8505], atol=5e-4)


def test_reliability_of_a_factor_analysis_is_that_of_semtools(mobi, reference):
    """Omega of semTools, which stops where lavaan's default rule does."""
    theirs = reference("mobi_assessment.json")["semtools"]["reliability"]
    omega = dict(zip(theirs["cols"], theirs["data"][theirs["rows"].index("omega")], strict=True))
    constructs = csi.models.ecsi().constructs
    fit = csi.fit(csi.Model(constructs, ()), mobi, csi.ML())
    found = csi.assess(fit).reliability["rho_c"]
    np.testing.assert_allclose(found[list(omega)], list(omega.values()), atol=1e-5)
    assert found["Complaints"] == 1.0


@pytest.mark.parametrize("estimator", [csi.ML(), csi.LeastSquares("gls"), csi.WLSMV()])
def test_reliability_moves_without_a_jump_as_errors_begin_to_covary(estimator, mobi):
    text = "Q =~ PERQ1 + PERQ2 + PERQ3\nS =~ CUSA1 + CUSA2 + CUSA3\nS ~ Q\n"
    plain, alike = (
        csi.assess(csi.fit(csi.Model.from_syntax(text + more), mobi, estimator)).reliability
        for more in ("", "PERQ1 ~~ 1e-8*PERQ2")
    )
    np.testing.assert_allclose(alike["rho_c"], plain["rho_c"], atol=1e-7)


def assignments(text):
    """Yield names and values that are assigned at the level of a module."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from ((one.id, node.value) for one in targets if isinstance(one, ast.Name))


def test_every_threshold_is_read_and_findings_have_none_of_their_own():
    package = Path(csi.__file__).parent
    own, texts = [], []
    for path in package.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        texts.append("" if path.name == "bounds.py" else text)
        if "Finding(" not in text:
            continue
        own += [
            f"{path.name}: {name}"
            for name, value in assignments(text)
            if isinstance(value, ast.Constant | ast.UnaryOp)
            and not isinstance(getattr(value, "value", 0), str)
            and re.match("_?(FEW|SMALL|LARGE_|LOW|FAR|APART|CEILING|TAILS|NOTABLE)", name)
        ]
    assert not own
    code = "\n".join(texts)
    written = {name for name in THRESHOLDS if f'"{name}"' in code}
    for first, words in re.findall(
        r'limit\(f"(\w+) \{word\}"\), word\) for word in \(([^)]*)\)', code
    ):
        written |= {f"{first} {word}" for word in re.findall(r'"(\w+)"', words)}
    unread = set(THRESHOLDS) - written
    assert unread == {"degrees of freedom for percentiles"}, "read as FEW_DEGREES"
