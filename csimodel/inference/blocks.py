"""Blocks of draws shared among threads: answers in order, and an interrupt that does not wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, wait
from contextvars import copy_context
from threading import Thread
from typing import TypeVar

from csimodel.floats import own_errstate

Answer = TypeVar("Answer")

_LOOK = 0.2  # seconds between two looks at an interrupt, where a wait cannot be interrupted


def in_order(
    work: Callable[[int], Answer], blocks: int, workers: int
) -> Generator[Answer, None, None]:
    """Yield ``work(0)``, ``work(1)``, …, made by several threads.

    Threads work in the caller's context: what they tell (`csimodel.findings.tell`) reaches
    whoever collects there. When the caller is interrupted, or closes the generator, blocks not
    begun are cancelled, and nobody waits for those begun: their threads end with them, and keep no
    program from ending.

    Parameters
    ----------
    work
        What makes the block of a number.
    blocks
        Number of blocks.
    workers
        Number of threads; with 1, the caller's own.

    Raises
    ------
    Exception
        What `work` raised, at its block's turn.

    Examples
    --------
    >>> list(in_order(lambda number: number**2, 4, workers=2))
    [0, 1, 4, 9]
    """
    if min(workers, blocks) <= 1:
        yield from map(work, range(blocks))
        return
    answers: list[Future[Answer]] = [Future() for _ in range(blocks)]
    pending = deque(enumerate(answers))

    def take() -> None:
        while pending:
            try:
                number, answer = pending.popleft()
            except IndexError:  # another thread took the last
                return
            if answer.set_running_or_notify_cancel():
                _fill(answer, work, number)

    for _ in range(min(workers, blocks)):
        Thread(target=copy_context().run, args=(take,), daemon=True).start()
    try:
        for answer in answers:
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
