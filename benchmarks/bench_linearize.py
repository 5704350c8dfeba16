"""Errors from influence values: one call on the mobile phone survey, and 500,000 rows by group.

Run ``python benchmarks/bench_linearize.py``: processor time (one thread; the median of some calls)
and the memory that was held at most above the data and the fit. Bars: 50 ms on the survey of 250;
3 s and 1 GB for the index of 2,000 groups of 250, drawn one by one and in a design of strata,
clusters and weights.
"""

import resource
import time
from collections.abc import Callable

import common
import numpy as np
import pandas as pd

import csimodel as csi

ROWS, GROUPS = 500_000, 2_000
DESIGN = {"strata": "stratum", "cluster": "place", "weights": "w"}


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the median processor time of some calls."""
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return float(np.median(taken))


def peak() -> float:
    """Return the memory that was held at most so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def small() -> None:
    """Make the table of paths of the survey of 250."""
    fit = csi.fit(common.MODEL, csi.load_mobi())
    taken = seconds(lambda: csi.linearize(fit).table("paths"), 5)
    print(f"paths of the ECSI, 250 respondents: {1e3 * taken:.0f} ms (bar 50)")


def large() -> None:
    """Make the table of the index by group of half a million respondents."""
    data, rng = common.mobi(), np.random.default_rng(0)
    frame = pd.DataFrame(
        data.to_numpy(np.float64)[rng.integers(0, len(data), ROWS)], columns=data.columns
    )
    place = np.arange(ROWS) // 25
    frame = frame.assign(
        firm=np.arange(ROWS) % GROUPS,
        place=place,
        stratum=place // 100,
        w=rng.uniform(0.5, 2, ROWS),
    )
    for name, design in (("drawn one by one", {}), ("strata, clusters, weights", DESIGN)):
        survey = csi.read_survey(frame, items=common.MODEL.items, scale=(1, 10), **design)
        fit = csi.fit(common.MODEL, survey)
        held = peak()
        taken = seconds(lambda fit=fit: csi.linearize(fit).table("index", by="firm"), 1)
        more = peak() - held
        again = seconds(lambda fit=fit: csi.linearize(fit).table("index", by="firm"), 2)
        print(
            f"index of {GROUPS:,} groups, {ROWS:,} respondents, {name}: {taken:.2f} s "
            f"(again {again:.2f}; bar 3), {more:.2f} GB more at most (bar 1)"
        )


small()
large()
