"""The fuzzer in a short form; `pytest -m fuzz_long` or `python tests/fuzz/run.py` for more."""

import inspect

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from public_names import functions

import csimodel as csi
from csimodel import floats
from fuzz import laws
from fuzz.calls import COVERED, parts_of, play
from fuzz.judge import Judge
from fuzz.run import cases
from fuzz.surveys import make, recipes

# What other calls raise, and modules whose functions are looked at one by one.
VALUES = {"CsimodelError", *csi._MODULES}
# Results, which the calls look at as they come.
RESULTS = {
    "Analysis", "Assessment", "BollenStine", "Bootstrap", "Comparison", "CorrectedSlopes",
    "FactorScores", "Fit", "GroupFits", "Invariance", "Jackknife", "MultiGroupFit", "Reliability",
    "Repurchase",
}  # fmt: skip


def test_every_public_name_has_a_call():
    missing = ({*csi.__all__} | RESULTS) - COVERED - VALUES
    assert not missing, f"register {sorted(missing)} in tests/fuzz/calls.py"
    text = inspect.getsource(__import__("fuzz.calls", fromlist=["calls"]))
    beside = [name for name in functions() if "." in name and not name.startswith("models.")]
    absent = [name for name in beside if f".{name.rpartition('.')[2]}" not in text]
    assert not absent, f"call {absent} in tests/fuzz/calls.py"


@pytest.fixture(autouse=True)
def _as_users_have_it(monkeypatch):
    """Numbers without a value are NaN without a warning of NumPy's, as outside the tests."""
    for kind in floats.STATE:
        monkeypatch.setitem(floats.STATE, kind, "ignore")


def _judged(recipe, parts):
    judge = Judge(recipe.floats)
    case = judge("make", make, recipe)
    if case is not None:
        play(case, judge, parts_of(recipe, parts))
    told = [f"{f.call}: {f.cause}: {f.detail}" for f in judge.failures]
    assert not told, "\n".join([str(recipe), *told])


@settings(
    phases=[Phase.generate], derandomize=True, database=None, deadline=None, max_examples=12,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(recipes())
def test_a_few_cases(recipe):
    _judged(recipe, 3)


@pytest.mark.fuzz_long
@pytest.mark.parametrize("seed", range(20))
def test_many_cases(seed):
    for recipe in cases(25, 100 + seed):
        _judged(recipe, 5)


def _laws_hold(recipe, name):
    for law, table, distance in laws.differences(recipe, name):
        assert distance < laws.TOLERANCE, f"{name}: {law} moves {table} by {distance:.2g}: {recipe}"


@settings(
    phases=[Phase.generate], derandomize=True, database=None, deadline=None, max_examples=3,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(recipes())
def test_what_may_not_matter_does_not(recipe):
    for name in ("PLS", "PLSc"):
        _laws_hold(recipe, name)


@pytest.mark.fuzz_long
@pytest.mark.parametrize("name", list(laws.ESTIMATORS))
def test_what_may_not_matter_does_not_in_many_cases(name):
    for recipe in cases(60, 9):
        _laws_hold(recipe, name)
