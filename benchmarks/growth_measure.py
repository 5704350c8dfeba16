"""Time and memory of one call in a process of its own, and how they grow.

A measuring process is forked when the data are there, and its peak (`ru_maxrss`) is set back to
what it holds when the call begins. Its processor time and its memory are bounded; what goes beyond
a bound is a result, too.
"""

import ctypes
import gc
import json
import math
import os
import resource
import select
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
AT_LEAST_MEGABYTES = 8.0


@dataclass(frozen=True)
class Cost:
    """What one call took.

    Attributes
    ----------
    seconds
        Processor time, NaN where there is none.
    megabytes
        Peak memory above the data.
    end
        "" when the call ended; else ``"time"``, ``"memory"``, ``"build"`` (making its data took too
        long) or the sentence of an error.
    """

    seconds: float = math.nan
    megabytes: float = math.nan
    end: str = ""


@dataclass(frozen=True)
class Bounds:
    """What a call may take: seconds of processor time, and megabytes above the data."""

    seconds: float = 60.0
    megabytes: float = 6_000.0


@dataclass(frozen=True)
class Growth:
    """Costs along a ladder of sizes."""

    steps: tuple[int, ...] = ()
    costs: tuple[Cost, ...] = field(default=())

    def with_step(self, step: int, cost: Cost) -> "Growth":
        """Return this with one more step."""
        return Growth((*self.steps, step), (*self.costs, cost))

    @property
    def ended(self) -> list[tuple[int, Cost]]:
        """Steps whose call ended."""
        return [(s, c) for s, c in zip(self.steps, self.costs, strict=True) if not c.end]

    @property
    def time_exponent(self) -> float:
        """Of processor time."""
        return exponent([(step, cost.seconds) for step, cost in self.ended])

    @property
    def memory_exponent(self) -> float:
        """Of memory, from steps that take more than a few megabytes; NaN when there are none."""
        return exponent(
            [(step, c.megabytes) for step, c in self.ended if c.megabytes > AT_LEAST_MEGABYTES]
        )


def exponent(costs: Sequence[tuple[float, float]]) -> float:
    """Return the slope of log cost on log size over the larger half of the sizes, two or more.

    Over the larger half, because costs that do not grow hide the growth of the others where sizes
    are small.

    Examples
    --------
    >>> round(exponent([(1, 1.0), (10, 2.0), (100, 200.0), (1000, 20000.0)]), 3)
    2.0
    """
    larger = sorted(costs)[-max(2, math.ceil(len(costs) / 2)) :]
    if len(larger) < 2:
        return math.nan
    x = [math.log(size) for size, _ in larger]
    y = [math.log(max(cost, 1e-9)) for _, cost in larger]
    middle, height = sum(x) / len(x), sum(y) / len(y)
    return sum((a - middle) * (b - height) for a, b in zip(x, y, strict=True)) / sum(
        (a - middle) ** 2 for a in x
    )


def memory_bytes() -> tuple[int, int]:
    """Return the bytes this process has reserved, and has in memory."""
    reserved, resident = Path("/proc/self/statm").read_text(encoding="ascii").split()[:2]
    return int(reserved) * PAGE, int(resident) * PAGE


def processor_time() -> float:
    """Return the seconds of all threads of this process.

    Not by `time.process_time`, which moves in ticks of 4 ms where the processor time is bounded.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def limit_time(seconds: float) -> None:
    """End this process when its processor time passes some seconds."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(seconds), resource.RLIM_INFINITY))


def in_fork(work: Callable[[], Cost], seconds: float, lost: Cost) -> Cost:
    """Do `work` in a forked process and return its cost; `lost` after too many seconds."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        cost = work()
        os.write(writing, json.dumps([cost.seconds, cost.megabytes, cost.end[:4000]]).encode())
        os._exit(0)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], seconds)
    message = os.read(reading, 2**16) if ready else b""
    if not ready:
        os.kill(child, signal.SIGKILL)
    os.close(reading)
    _, status = os.waitpid(child, 0)
    if message:
        return Cost(*json.loads(message))
    if not ready or os.WTERMSIG(status) == signal.SIGXCPU:
        return lost
    return Cost(end=f"The process ended with signal {os.WTERMSIG(status)}.")


def ending(work: Callable[[], object]) -> str:
    """Do the work; return how it ended, as `Cost.end`."""
    try:
        work()
    except MemoryError:
        return "memory"
    except Exception as failure:
        return f"{type(failure).__name__}: {failure}"
    return ""


def measure(call: Callable[[], object], warm: Callable[[], object], bounds: Bounds) -> Cost:
    """Return the cost of one call, in a process of its own, after `warm` has loaded its code."""

    def work() -> Cost:
        ending(warm)
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts here
        reserved, before = memory_bytes()
        room = reserved + int(bounds.megabytes * 2**20)
        resource.setrlimit(resource.RLIMIT_AS, (room, room))
        start = processor_time()
        limit_time(start + bounds.seconds)
        end = ending(call)
        seconds = processor_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return Cost(seconds, max(peak - before / 2**20, 0.0), end)

    return in_fork(work, 30 * bounds.seconds + 60, Cost(end="time"))


def measure_after(
    build: Callable[[], object],
    call: Callable[[], object],
    warm: Callable[[], object],
    bounds: Bounds,
    repeats: int,
) -> Cost:
    """Make what a call needs in one process, and return the least of some costs of the call.

    The call is made once, and again while all together take less than a second. What it needs may
    take twice the bound of the call.
    """

    def work() -> Cost:
        limit_time(2 * bounds.seconds)
        if end := ending(build):
            return Cost(end=f"build: {end}")
        costs = [measure(call, warm, bounds)]
        while len(costs) < repeats and not costs[-1].end and sum(c.seconds for c in costs) < 1.0:
            costs.append(measure(call, warm, bounds))
        return min(costs, key=lambda cost: cost.seconds)

    return in_fork(work, 200 * bounds.seconds + 300, Cost(end="build"))
