"""The fuzzer in a short form; `pytest -m fuzz_long` or `python tests/fuzz/run.py` for more."""

import inspect

import csimodel as csi
from fuzz.calls import COVERED

# Errors and values that other calls return or raise.
VALUES = {
    "CsimodelError", "CsimodelWarning", "EstimationError", "Finding", "InferenceError",
    "ModelError", "OptionError", "SurveyError",
}  # fmt: skip


def test_every_public_name_has_a_call():
    missing = set(csi.__all__) - COVERED - VALUES
    assert not missing, f"register {sorted(missing)} in tests/fuzz/calls.py"
    for module in (csi.plots, csi.money, csi.simulate):
        text = inspect.getsource(__import__("fuzz.calls", fromlist=["calls"]))
        own = [name for name in module.__all__ if inspect.isfunction(getattr(module, name))]
        absent = [name for name in own if f".{name}" not in text]
        assert not absent, f"call {absent} of {module.__name__} in tests/fuzz/calls.py"
