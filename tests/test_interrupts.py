"""Ctrl-C: a long call ends at once, whatever its processes or threads are doing."""

import signal
import subprocess
import sys
import time
from contextlib import closing, suppress
from threading import Event

import pytest

import csimodel as csi
from csimodel.findings import Finding, collected, tell
from csimodel.inference.blocks import by_threads, in_order

SOON = 20.0  # seconds, of minutes of work


def test_blocks_come_in_order_and_each_once():
    made = []

    def work(number):
        time.sleep(0.01 * (number % 3))
        made.append(number)
        return number * 10

    for workers in (1, 3, 50):
        made.clear()
        assert list(by_threads(work, range(20), workers)) == list(range(0, 200, 10))
        assert sorted(made) == list(range(20))
    assert list(by_threads(work, [], 4)) == []
    assert list(in_order(work, 0, 4)) == []


@pytest.mark.parametrize("workers", [1, 4])
def test_an_error_comes_at_its_blocks_turn(workers):
    def work(number):
        if number == 2:
            raise csi.errors.EstimationError("no solution")
        return number

    solved = by_threads(work, range(6), workers)
    assert [next(solved), next(solved)] == [0, 1]
    with pytest.raises(csi.errors.EstimationError, match="no solution"):
        next(solved)


def test_what_threads_tell_reaches_who_collects():
    def work(number):
        tell(Finding(f"block-{number}", "One."))

    with collected() as findings:
        list(by_threads(work, range(8), 3))
    assert sorted(one.code for one in findings) == [f"block-{number}" for number in range(8)]


def test_blocks_not_begun_are_cancelled_and_those_begun_not_waited_for():
    begun, release = [], Event()

    def work(number):
        begun.append(number)
        if number:
            release.wait(60)
        return number

    start = time.monotonic()

    def interrupted():
        with closing(by_threads(work, range(500), 2)) as solved:
            for _ in solved:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert time.monotonic() - start < SOON
    release.set()
    time.sleep(0.2)
    assert len(begun) <= 4


def test_a_script_that_resamples_with_workers_ends_at_once():
    code = (
        "import signal\n"
        "import csimodel as csi\n"
        # A run in the background has children that ignore interrupts.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "fit = csi.fit(csi.models.ecsi(), csi.load_mobi(), csi.ML(missing='fiml'))\n"
        "print('begun', flush=True)\n"
        "csi.bootstrap(fit, 100_000, workers=2, progress=False)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()
        time.sleep(1.0)
        told = ""
        try:
            for _ in range(12):  # of some 20 minutes of work
                process.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    _, told = process.communicate(timeout=5)
                    break
        finally:
            process.kill()
    assert "KeyboardInterrupt" in told


def chain():
    return csi.Model.from_syntax("Q =~ PERQ1 + PERQ2 + PERQ3\nS =~ CUSA1 + CUSA2 + CUSA3\nS ~ Q")


def truth():
    return csi.simulate.population(
        chain(), paths={"S ~ Q": 0.5}, loadings=0.8, scale=(1, 10), mean=7.0, sd=1.5
    )


def groups():
    data = csi.load_mobi().data
    return csi.invariance(chain(), data.assign(half=["a", "b"] * (len(data) // 2)), "half")


WAIT = 1.4  # seconds; bars appear after 1

LONG = {
    "bollen_stine": lambda fit: csi.inference.bollen_stine(fit, draws=200_000, progress=False),
    "bootstrap": lambda fit: csi.bootstrap(fit, 200_000, progress=False),
    "studentized": lambda fit: csi.bootstrap(fit, 1000, progress=False).table(
        "paths", interval="studentized"
    ),
    "power": lambda fit: csi.simulate.power(truth(), 300, csi.PLS(), draws=20_000),
    "invariance": lambda fit: [groups() for _ in range(1000)],
}


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer to interrupt with")
@pytest.mark.parametrize("name", LONG)
def test_every_long_loop_can_be_interrupted(name):
    def interrupt(*_):
        raise KeyboardInterrupt

    fit = csi.fit(chain(), csi.load_mobi(), csi.ML())
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, WAIT)
    start = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            LONG[name](fit)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - start < WAIT + SOON
