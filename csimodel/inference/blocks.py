"""Blocks of work shared among processes or threads: answers in order, interrupts at once."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, wait
from contextvars import copy_context
from threading import Thread
from typing import TypeVar

from csimodel.floats import own_errstate
from csimodel.inference.processes import by_processes, can_fork, usable_cores

Answer = TypeVar("Answer")

_LOOK = 0.2  # seconds between two looks at an interrupt, where a wait cannot be interrupted
_SHORT = 0.25  # seconds of work left, some ten times what it takes to start processes


def in_order(
    work: Callable[[int], Answer], blocks: int, workers: int, *, long_calls: bool = False
) -> Generator[Answer, None, None]:
    """Yield ``work(0)``, ``work(1)``, …, the caller's own and then, of long work, of several.

    The caller makes blocks until the time they took says that those left are worth the start of
    processes (`csimodel.inference.processes`). Where these cannot be had, threads share them if
    they gain. What is told (`csimodel.findings.tell`) reaches whoever collects here.

    Parameters
    ----------
    work
        What makes the block of a number; it answers with little, and writes much to
        `csimodel.shared_arrays`.
    blocks
        Number of blocks.
    workers
        How many make them at once, at most; no more than there are cores.
    long_calls
        Whether threads gain, as in long array operations; else they wait for each other.

    Raises
    ------
    InferenceError
        When a process ends before its work is done.
    Exception
        What `work` raised, at its block's turn.

    Examples
    --------
    >>> list(in_order(lambda number: number**2, 4, workers=2))
    [0, 1, 4, 9]
    """
    workers, spent = min(workers, usable_cores()), 0.0
    for number in range(blocks):
        left = range(number, blocks)
        if min(workers, len(left)) > 1 and number and spent / number * len(left) > _SHORT:
            if can_fork():
                yield from by_processes(work, left, workers)
                return
            if long_calls:
                yield from by_threads(work, left, workers)
                return
            workers = 1
        start = time.perf_counter()
        answer = work(number)
        spent += time.perf_counter() - start
        yield answer


def by_threads(
    work: Callable[[int], Answer], numbers: Iterable[int], workers: int
) -> Generator[Answer, None, None]:
    """Yield ``work(number)`` of each number in order, made by threads in the caller's context.

    When the caller is interrupted, or closes the generator, blocks not begun are cancelled, and
    nobody waits for those begun: their threads end with them, and keep no program from ending.
    """
    answers: dict[int, Future[Answer]] = {number: Future() for number in numbers}
    pending = deque(answers.items())

    def take() -> None:
        while pending:
            try:
                number, answer = pending.popleft()
            except IndexError:  # another thread took the last
                return
            if answer.set_running_or_notify_cancel():
                _fill(answer, work, number)

    for _ in range(min(workers, len(answers))):
        Thread(target=copy_context().run, args=(take,), daemon=True).start()
    try:
        for answer in answers.values():
            while not answer.done():
                wait([answer], timeout=_LOOK)
            yield answer.result()
    finally:
        pending.clear()


@own_errstate
def _fill(answer: Future[Answer], work: Callable[[int], Answer], number: int) -> None:
    try:
        answer.set_result(work(number))
    except BaseException as error:  # raised again where the answer is read
        answer.set_exception(error)
