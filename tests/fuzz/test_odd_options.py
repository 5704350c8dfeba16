"""Odd values of arguments are taken or refused in a sentence."""

import inspect
import time

import pytest
from public_names import functions

import csimodel as csi
from fuzz.judge import Judge
from fuzz.odd_options import plain_calls, variants

EVERY = 31  # so that all arguments and all values occur, not each with each


def _judged(chosen, record):
    judge, begun = Judge(), time.perf_counter()
    for name, function, arguments in chosen:
        judge(name, function, **arguments)
    record("calls", judge.calls)
    record("failures", len(judge.failures))
    record("seconds", round(time.perf_counter() - begun, 1))
    assert not judge.failures, "\n".join(f"{f.call}: {f.cause}: {f.detail}" for f in judge.failures)
    return judge.calls


def test_a_sample_of_odd_options(record_property):
    assert _judged(list(variants())[::EVERY], record_property) > 400


@pytest.mark.fuzz_long
def test_every_odd_option(record_property):
    assert _judged(variants(), record_property) > 15_000


@pytest.mark.fuzz_long
def test_plain_calls_answer():
    for name, (function, arguments) in plain_calls().items():
        try:
            function(**arguments)
        except csi.CsimodelError as error:
            pytest.fail(f"{name}: {error}")


def test_every_public_callable_has_a_plain_call():
    called = {inspect.unwrap(function) for function, _ in plain_calls().values()}
    called |= {getattr(function, "__func__", function) for function in called}
    apart = {"compare", "load_acsi2015", "write_report"}  # see `calls`; a file that is not shipped
    absent = [
        name
        for name, function in functions().items()
        if name not in apart and inspect.unwrap(function) not in called
    ]
    assert absent == []
