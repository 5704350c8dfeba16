"""Bootstrap draws by one and by two workers: wall clock, in turns.

    python benchmarks/bench_workers.py [TURNS]

Printed are the least of the turns, and one over two: above 1 the second worker gains. Other work on
the machine takes the second core away, so its load is printed first; the figures say something on a
quiet machine with two cores or more.
"""

import os
import sys
import time

from common import MODEL, mobi

import csimodel as csi
from csimodel.estimators import Fit

ROWS = 25_000


def seconds(fit: Fit, draws: int, workers: int) -> float:
    """Return what some draws take."""
    start = time.perf_counter()
    csi.bootstrap(fit, draws, 7, workers=workers, progress=False)
    return time.perf_counter() - start


def main(turns: int) -> None:
    """Print a line for each estimator and number of rows."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    many = mobi().sample(ROWS, replace=True, random_state=1).reset_index(drop=True)
    by_pls = csi.fit(MODEL, csi.load_mobi())
    cases = {
        "PLS, 250 rows, 50,000 draws": (by_pls, 50_000),
        f"PLS, {ROWS:,} rows, 5,000 draws": (csi.fit(MODEL, many), 5_000),
        "ML, 250 rows, 200 draws": (csi.fit(MODEL, csi.load_mobi(), csi.ML()), 200),
    }
    for name, (fit, draws) in cases.items():
        seconds(fit, 64, 1)
        taken: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(turns):
            for workers, times in taken.items():
                times.append(seconds(fit, draws, workers))
        one, two = min(taken[1]), min(taken[2])
        print(f"{name:32} one {one:7.2f} s  two {two:7.2f} s  {one / two:5.2f} times", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
