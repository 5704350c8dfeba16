"""Blocks of work shared among forked processes, which see all that the caller has.

A forked process begins with the caller's memory, so nothing is sent to it but numbers of blocks,
and large answers are written to arrays that are shared (`csimodel.shared_arrays`).
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, TypeVar

from csimodel.errors import CsimodelError, InferenceError
from csimodel.findings import Finding, collected, tell

Answer = TypeVar("Answer")
Message = tuple[int, Any, list[Finding], BaseException | None]


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def can_fork() -> bool:
    """Tell whether processes can be forked here, and safely.

    A fork copies one thread; what others hold at that moment would stay locked for ever. So it is
    done in the main thread of a program whose other threads, if any, are services (daemons, as
    those of a notebook or a progress bar). The frameworks of macOS do not allow it at all.
    """
    return (
        "fork" in multiprocessing.get_all_start_methods()
        and sys.platform != "darwin"
        and not multiprocessing.current_process().daemon
        and threading.current_thread() is threading.main_thread()
        and all(own.daemon for own in threading.enumerate() if own is not threading.main_thread())
    )


def by_processes(
    work: Callable[[int], Answer], numbers: Iterable[int], workers: int
) -> Generator[Answer, None, None]:
    """Yield ``work(number)`` of each number in order, made by forked processes.

    What they tell (`csimodel.findings.tell`) is told by the caller. They end with the generator,
    also when it is closed or the caller is interrupted, and when the caller ends without a word.

    Parameters
    ----------
    work
        What makes the block of a number; small answers, which are sent.
    numbers
        Of the blocks, each once.
    workers
        Number of processes.

    Raises
    ------
    InferenceError
        When a process ends before its work is done.
    Exception
        What `work` raised, at its block's turn.
    """
    todo = list(numbers)
    waiting, messages = iter(todo), dict[int, Message]()
    with _team(work, min(workers, len(todo))) as team:
        for worker in team:
            worker.give(waiting)
        for number in todo:
            while number not in messages:
                for connection in wait([worker.connection for worker in team]):
                    worker = next(own for own in team if own.connection is connection)
                    message = worker.take(len(team))
                    messages[message[0]] = message
                    worker.give(waiting)
            _, answer, findings, error = messages.pop(number)
            if findings:
                tell(findings)
            if error is not None:
                raise error
            yield answer


class _Worker(NamedTuple):
    """A process, and the caller's end of the pipe to it."""

    process: BaseProcess
    connection: Connection

    def give(self, waiting: Iterator[int]) -> None:
        """Send the next number, if there is one left."""
        number = next(waiting, None)
        if number is not None:
            with suppress(OSError):  # its end is seen where its answer is taken
                self.connection.send(number)

    def take(self, workers: int) -> Message:
        """Receive an answer."""
        try:
            message: Message = self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            code = self.process.exitcode or 0
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            raise InferenceError(
                f"One of workers={workers} processes ended before its draws were made ({how}), as "
                "happens when memory runs out; use workers=1, or take fewer draws."
            ) from None
        return message


@contextmanager
def _team(work: Callable[[int], Any], workers: int) -> Iterator[list[_Worker]]:
    """Start processes that make blocks, and end them with the context."""
    context, team = multiprocessing.get_context("fork"), list[_Worker]()
    try:
        with _interrupts_held(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside other threads
            for _ in range(workers):
                ours, theirs = context.Pipe()
                others = [*(worker.connection for worker in team), ours]
                process = context.Process(target=_serve, args=(work, theirs, others), daemon=True)
                process.start()
                theirs.close()
                team.append(_Worker(process, ours))
        yield team
    finally:
        for worker in team:
            worker.process.terminate()
            worker.connection.close()
        for worker in team:
            worker.process.join()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let Ctrl-C wait."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _serve(
    work: Callable[[int], Any], connection: Connection, others: Iterable[Connection]
) -> None:
    """Make blocks as long as numbers come: the life of a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller ends it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.freeze()  # what was there before is never collected, so its memory stays the caller's
    for other in others:
        other.close()
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), suppress(EOFError, OSError):
        while True:
            number: int = connection.recv()
            connection.send_bytes(_message(work, number))


def _message(work: Callable[[int], Any], number: int) -> bytes:
    answer, error = None, None
    with collected() as findings:
        try:
            answer = work(number)
        except Exception as raised:
            error = _portable(raised)
    return pickle.dumps((number, answer, findings, error))


def _portable(error: Exception) -> Exception:
    """Return an error that can be sent, with where it was raised if nobody meant to raise it."""
    if not isinstance(error, CsimodelError):
        error.add_note("".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return InferenceError(f"{type(error).__name__} in a worker process: {error}")
    return error
