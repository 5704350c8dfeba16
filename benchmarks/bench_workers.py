"""Bootstrap draws by one and by two workers, in turns: wall clock, and what processors did.

    python benchmarks/bench_workers.py [TURNS]

Printed are the least of the turns, and one over two: above 1 the second worker gains. Other work on
the machine takes the second core away, so its load is printed first; the figures say something on a
quiet machine with two cores or more. The processor time does not depend on that: of one worker over
the caller's and half of what two made is the gain that cores of their own would give. The last
column is what the machine allows: two processes that know nothing of each other make all the draws
each, and do twice the work in so much less than twice the time of one (cores share caches and
memory).
"""

import multiprocessing
import os
import resource
import sys
import time

from common import MODEL, mobi

import csimodel as csi
from csimodel.estimators import Fit

ROWS = 25_000


def processor(whose: int) -> float:
    """Return seconds of processor time so far, of this process or of those it began."""
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


def seconds(fit: Fit, draws: int, workers: int) -> tuple[float, float]:
    """Return the seconds that some draws take: by the clock, and with a core for each worker."""
    start, own = time.perf_counter(), processor(resource.RUSAGE_SELF)
    others = processor(resource.RUSAGE_CHILDREN)
    csi.bootstrap(fit, draws, 7, workers=workers, progress=False)
    clock, own = time.perf_counter() - start, processor(resource.RUSAGE_SELF) - own
    return clock, own + (processor(resource.RUSAGE_CHILDREN) - others) / workers


def ceiling(fit: Fit, draws: int) -> float:
    """Return the seconds that two processes take, each for all the draws."""
    start = time.perf_counter()
    fork = multiprocessing.get_context("fork")
    both = [fork.Process(target=seconds, args=(fit, draws, 1)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    return time.perf_counter() - start


def main(turns: int) -> None:
    """Print a line for each estimator and number of rows."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    many = mobi().sample(ROWS, replace=True, random_state=1).reset_index(drop=True)
    most = mobi().sample(10 * ROWS, replace=True, random_state=1).reset_index(drop=True)
    by_pls = csi.fit(MODEL, csi.load_mobi())
    cases = {
        "PLS, 250 rows, 50,000 draws": (by_pls, 50_000),
        f"PLS, {ROWS:,} rows, 5,000 draws": (csi.fit(MODEL, many), 5_000),
        "PLS, 250,000 rows, 1,500 draws": (csi.fit(MODEL, most), 1_500),
        "ML, 250 rows, 200 draws": (csi.fit(MODEL, csi.load_mobi(), csi.ML()), 200),
    }
    for name, (fit, draws) in cases.items():
        seconds(fit, 64, 1)
        taken: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
        apart: list[float] = []
        for _ in range(turns):
            for workers, times in taken.items():
                times.append(seconds(fit, draws, workers))
            apart.append(ceiling(fit, draws))
        (one, alone), (two, together) = (
            [min(kind) for kind in zip(*taken[workers], strict=True)] for workers in (1, 2)
        )
        print(
            f"{name:32} one {one:7.2f} s  two {two:7.2f} s  {one / two:5.2f} times"
            f"  by processor time {alone / together:5.2f}"
            f"  the machine allows {2 * one / min(apart):5.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
