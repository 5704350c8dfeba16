"""10,000 groups of 250 with the errors of their indexes, and 300 firms over 8 quarters.

Run ``python benchmarks/bench_programme.py``: seconds of processor time from the survey on (one
thread), and the memory that was held at most.
"""

import resource
import time
from collections.abc import Callable

import common
import numpy as np
import pandas as pd

import csimodel as csi

GROUPS, REPEATS = 10_000, 3
TABLES = ("scores", "changes", "ranking", "trend", "contributions")


def seconds(work: Callable[[], object]) -> float:
    """Return the median processor time of some runs."""
    taken = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return float(np.median(taken))


def groups() -> None:
    """Fit 10,000 groups of resampled ECSI answers, and make the table of their indexes."""
    data = common.mobi()
    rows = np.random.default_rng(0).integers(0, len(data), GROUPS * len(data))
    frame = pd.DataFrame(data.to_numpy(np.float64)[rows], columns=data.columns)
    frame["firm"] = np.repeat(np.arange(GROUPS), len(data))
    survey = csi.read_survey(frame, scale=(1, 10))
    fits = csi.fit_groups(common.MODEL, survey, by="firm")
    fitted = seconds(lambda: csi.fit_groups(common.MODEL, survey, by="firm"))
    table = seconds(lambda: csi.index_scores(fits))
    print(
        f"{GROUPS:,} groups of {len(data)} ({len(frame):,} rows, {len(common.MODEL.items)} items): "
        f"fits {fitted:.2f} s, indexes with errors {table:.2f} s, together {fitted + table:.2f} s"
    )


def programme() -> None:
    """Make all tables of 300 firms, 30 industries and 6 sectors over 8 quarters."""
    drawn = csi.simulate.programme(300, 8, 250, rng=1, industries=30, sectors=6)
    levels = ["sector", "industry", "firm"]

    def tables() -> None:
        found = csi.programme(drawn.model, drawn.survey, levels, "period", drawn.weights)
        for name in TABLES:
            getattr(found, name)

    print(
        f"300 firms × 8 quarters × 250 respondents, ACSI, all tables: {seconds(tables):.2f} s, "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB at most so far"
    )


if __name__ == "__main__":
    programme()
    groups()
