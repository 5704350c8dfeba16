"""What estimators declare, and that nobody asks which one it is."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import csimodel as csi
from csimodel.estimators import Estimator
from csimodel.simulate.replicate import solutions

PACKAGE = Path(csi.__file__).parent
SMALL = csi.Model.from_syntax("S =~ CUSA1 + CUSA2 + CUSA3\nL =~ CUSL1 + CUSL3\nL ~ S")
KINDS = {"PLS", "ML", "LeastSquares", "WLSMV", "Semopy"}


@pytest.fixture(scope="module")
def incomplete():
    frame = csi.load_mobi().data.copy()
    frame.iloc[::7, frame.columns.get_loc("CUSA1")] = np.nan
    return frame


def test_nobody_asks_which_estimator_it_is():
    asked = []
    for folder in ("inference", "assessment", "index", "outcomes", "simulate", "estimators"):
        for path in (PACKAGE / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                match node:
                    case ast.Call(ast.Name("isinstance"), [_, kinds]):
                        names = {n.id for n in ast.walk(kinds) if isinstance(n, ast.Name)}
                        asked += [f"{path.name}:{node.lineno}"] if names & KINDS else []
    assert asked == []


def test_an_estimator_of_moments_needs_three_members():
    @dataclass(frozen=True)
    class Sums(Estimator):
        """Equal weights of standardised items."""

        @property
        def label(self):
            return "sums"

        def check(self, model):
            pass

        def estimate(self, moments, model, near=None):
            return csi.PLS(modes="unit").estimate(moments, model, near)

    fit, same = (csi.fit(SMALL, csi.load_mobi(), own) for own in (Sums(), csi.PLS(modes="unit")))
    draws, others = (csi.bootstrap(own, draws=60, rng=1) for own in (fit, same))
    np.testing.assert_array_equal(draws.draws("paths"), others.draws("paths"))
    scores, others = (csi.index_scores(own) for own in (fit, same))
    np.testing.assert_array_equal(scores, others)
    assert len(csi.assess(fit).verdicts)


@pytest.mark.parametrize("missing", ["fiml", "two-stage"])
def test_a_bootstrap_near_no_solution_says_so(incomplete, missing):
    survey = csi.read_survey(incomplete, missing="listwise")
    fit = csi.fit(SMALL, survey, csi.ML(missing=missing, max_iterations=2))
    sentence = r"There is no solution to bootstrap: No minimum was found in 2 iterations"
    with pytest.raises(csi.errors.EstimationError, match=sentence):
        csi.bootstrap(fit, draws=20, rng=1)


def test_resamples_that_moments_do_not_tell_are_refused():
    fit = csi.fit(SMALL, csi.load_mobi(), csi.LeastSquares("dwls"))
    with pytest.raises(
        csi.errors.OptionError, match=re.escape("DWLS needs of each what only the answers")
    ):
        csi.bootstrap(fit, draws=20, rng=1)


def test_incomplete_samples_are_fitted_in_two_stages_too():
    truth = csi.simulate.population(SMALL, paths={"L ~ S": 0.6}, missing=csi.simulate.Missing(0.1))
    found = list(solutions(truth, 1000, 2, csi.ML(missing="two-stage"), 1))
    assert [bool(one.estimates.outcome == 0) for one in found] == [True, True]
