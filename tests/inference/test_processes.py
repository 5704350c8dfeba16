"""Blocks made by forked processes: the same numbers, and nothing left behind."""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from importlib import import_module
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import csimodel as csi
from csimodel.errors import EstimationError, InferenceError
from csimodel.findings import Finding, collected, tell
from csimodel.inference.blocks import in_order
from csimodel.inference.processes import by_processes, can_fork
from csimodel.shared_arrays import shared_zeros

blocks = import_module("csimodel.inference.blocks")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux")

MODEL = csi.Model.from_syntax("Q =~ PERQ1 + PERQ2 + PERQ3\nS =~ CUSA1 + CUSA2 + CUSA3\nS ~ Q")
SOON = 20.0


@pytest.fixture
def eager(monkeypatch):
    """Share whatever is left after the first block between two processes; note how many did."""
    monkeypatch.setattr(blocks, "_SHORT", 0.0)
    monkeypatch.setattr(blocks, "usable_cores", lambda: 2)
    teams = []

    def noted(work, numbers, workers):
        teams.append(workers)
        return by_processes(work, numbers, workers)

    monkeypatch.setattr(blocks, "by_processes", noted)
    return teams


def no_children():
    return multiprocessing.active_children() == []


def test_blocks_come_in_order_from_several_processes():
    def work(number):
        time.sleep(0.01 * (number % 3))
        return number, os.getpid()

    answers = list(by_processes(work, range(3, 15), 3))
    assert [number for number, _ in answers] == list(range(3, 15))
    made_by = {process for _, process in answers}
    assert os.getpid() not in made_by
    assert 1 < len(made_by) <= 3
    assert list(by_processes(work, [], 3)) == []
    assert no_children()


def test_short_work_is_the_callers_own(monkeypatch):
    monkeypatch.setattr(blocks, "usable_cores", lambda: 2)

    def work(number):
        time.sleep(0.05)
        return os.getpid()

    assert set(in_order(work, 4, 2)) == {os.getpid()}
    long = list(in_order(work, 30, 2))
    assert long[0] == os.getpid()
    assert os.getpid() not in long[1:]
    monkeypatch.setattr(blocks, "usable_cores", lambda: 1)
    assert set(in_order(work, 10, 2)) == {os.getpid()}


def test_what_processes_tell_reaches_who_collects():
    def work(number):
        tell(Finding(f"block-{number}", "One."))

    with collected() as findings:
        list(by_processes(work, range(6), 2))
    assert [own.code for own in findings] == [f"block-{number}" for number in range(6)]


class UnsendableError(ValueError):
    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


def test_an_error_comes_at_its_blocks_turn():
    def work(number):
        if number == 2:
            raise EstimationError("no solution")
        if number == 3:
            raise UnsendableError(1, 2)
        return number

    answers = by_processes(work, range(6), 2)
    assert [next(answers), next(answers)] == [0, 1]
    with pytest.raises(EstimationError, match=r"^no solution$"):
        next(answers)
    assert no_children()
    with pytest.raises(InferenceError, match=r"^UnsendableError in a worker process: 1 and 2$"):
        list(by_processes(work, [3, 4], 2))
    with pytest.raises(ZeroDivisionError) as caught:
        list(by_processes(lambda number: 1 // number, [0, 1], 2))
    assert "<lambda>" in caught.value.__notes__[0]


def test_a_process_that_dies_is_told():
    def work(number):
        if number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 9:
            os._exit(7)
        return number

    with pytest.raises(InferenceError) as caught:
        list(by_processes(work, range(6), 2))
    assert str(caught.value) == (
        "One of workers=2 processes ended before its draws were made (SIGKILL), as happens when "
        "memory runs out; use workers=1, or take fewer draws."
    )
    with pytest.raises(InferenceError, match=r"\(exit code 7\)"):
        list(by_processes(work, [8, 9], 2))
    assert no_children()


def test_processes_end_with_the_generator():
    def work(number):
        if number:
            time.sleep(60)
        return number

    start = time.monotonic()
    with closing(by_processes(work, range(50), 2)) as answers:
        assert next(answers) == 0
        assert len(multiprocessing.active_children()) == 2
    assert no_children()
    assert time.monotonic() - start < SOON


def test_a_process_computes_in_one_thread():
    from threadpoolctl import threadpool_info

    def threads(number):
        return [library["num_threads"] for library in threadpool_info()]

    for counts in by_processes(threads, range(2), 2):
        assert counts
        assert set(counts) == {1}


ESTIMATORS = {
    "PLS": (csi.PLS(), 1100),
    "ML": (csi.ML(), 100),
    "FIML": (csi.ML(missing="fiml"), 60),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_numbers_are_those_of_one_worker_bit_by_bit(name, eager):
    estimator, draws = ESTIMATORS[name]
    data = csi.load_mobi().data
    if name == "FIML":
        data = data.assign(PERQ1=data["PERQ1"].where(data.index > 9))
    fit = csi.fit(MODEL, csi.read_survey(data, scale=(1, 10)), estimator)
    one, two = (csi.bootstrap(fit, draws, 5, workers=workers, progress=False) for workers in (1, 2))
    assert eager == [2]
    for quantity in ("paths", "loadings", "index"):
        assert_array_equal(one.draws(quantity), two.draws(quantity))
    assert_array_equal(one.solution.estimates.outcome, two.solution.estimates.outcome)
    assert_array_equal(one.solution.moments.cov, two.solution.moments.cov)
    assert_array_equal(one.design.counts(0), two.design.counts(0))


def test_what_processes_drew_is_kept_for_the_caller(eager):
    fit = csi.fit(MODEL, csi.load_mobi())
    design = csi.bootstrap(fit, 1100, 5, workers=2, progress=False).design
    assert eager == [2]
    assert design._kept.known.all()


def test_memory_shared_with_processes():
    shared = shared_zeros((3, 2), np.int64)

    def work(number):
        shared[number] = number + 1

    list(by_processes(work, range(3), 2))
    assert shared.tolist() == [[1, 1], [2, 2], [3, 3]]
    assert shared_zeros((0, 4), float).shape == (0, 4)


def test_nothing_is_forked_beside_threads_that_work():
    assert can_fork()
    seen, release = [], Event()
    other = Thread(target=lambda: (seen.append(can_fork()), release.wait(60)))
    other.start()
    try:
        assert not can_fork()
    finally:
        release.set()
        other.join()
    assert seen == [False]
    service = Thread(target=release.wait, daemon=True)
    service.start()
    assert can_fork()
    assert list(by_processes(lambda number: can_fork(), range(2), 2)) == [False, False]


SCRIPT = """
import signal, sys
import csimodel as csi
signal.signal(signal.SIGINT, signal.default_int_handler)
from csimodel.inference import blocks
blocks.usable_cores = lambda: 2
fit = csi.fit(csi.models.ecsi(), csi.load_mobi(), csi.ML())
print("begun", flush=True)
csi.bootstrap(fit, 100_000, workers=2, progress=False)
"""


def processes_of(token):
    """Return the processes that were started with a word on their command line."""
    own = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if token.encode() in (folder / "cmdline").read_bytes().split(b"\0"):
                own.append(int(folder.name))
        except OSError:
            continue
    return own


def until(condition):
    end = time.monotonic() + SOON
    while time.monotonic() < end and not condition():
        time.sleep(0.05)
    return condition()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_of_a_script_that_is_ended(how):
    token = f"nothing-left-{os.getpid()}-{how.name}"
    arguments = [sys.executable, "-c", SCRIPT, token]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            process.stdout.readline()
            assert until(lambda: len(processes_of(token)) == 3)
            if how == signal.SIGINT:
                os.killpg(process.pid, how)  # as a terminal does: the workers are told, too
            else:
                process.send_signal(how)
            _, told = process.communicate(timeout=SOON)
            assert until(lambda: processes_of(token) == [])
        finally:
            process.kill()
    assert ("KeyboardInterrupt" in told) == (how == signal.SIGINT)
    assert told.count("Traceback") == (how == signal.SIGINT)


def test_garbage_is_not_looked_for_in_what_the_caller_has():
    frozen = list(by_processes(lambda number: gc.get_freeze_count(), range(2), 2))
    assert min(frozen) > 1000
    assert gc.get_freeze_count() == 0
