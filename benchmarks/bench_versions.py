"""What the other benchmarks time of ours, by two versions of csimodel in turns.

    python benchmarks/bench_versions.py PATH_TO_THE_OTHER_VERSION [PAIRS]

Each version runs in a process of its own, one thread. Both stay up and take turns at every
operation, run by run after one to warm up, so that whatever else the machine does meets both alike;
a pair is two fresh processes. Printed are the medians of processor time over the pairs and the
median of the ratios, this version over the other: above 1 it has become slower.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

WORK = """
import json, sys, time
start = time.process_time()
import csimodel as csi
csi.fit, csi.load_mobi
print(json.dumps([time.process_time() - start, csi.__file__]), flush=True)
import numpy as np, pandas as pd
from csimodel.moments import moments_of
from csimodel.moments.ordinal import ordinal_moments

def timed(name, work, repeats):
    work()
    print(json.dumps([name, repeats]), flush=True)
    for _ in range(repeats):
        sys.stdin.readline()
        start = time.process_time()
        work()
        print(time.process_time() - start, flush=True)

rng = np.random.default_rng(0)
model, survey = csi.models.ecsi(), csi.load_mobi()
data = survey.data[list(model.items)].copy()
fit = csi.fit(model, survey)
timed("fit, 250 rows", lambda: csi.fit(model, data), 15)
large = pd.concat([data] * 400, ignore_index=True)
timed("fit, 100,000 rows", lambda: csi.fit(model, large), 5)
answers = csi.read_survey(large, scale=(1, 10))
timed("moments, 100,000 rows", lambda: moments_of(answers, list(model.items)), 5)
timed("bootstrap, 10,000 draws", lambda: csi.bootstrap(fit, 10_000, 7, progress=False), 3)
of_large = csi.fit(model, csi.read_survey(large[:25_000], scale=(1, 10)))
timed("bootstrap, 25,000 rows, 200 draws",
      lambda: csi.bootstrap(of_large, 200, 7, progress=False), 3)
rows = rng.integers(0, 250, 2_000 * 250)
firms = csi.read_survey(pd.DataFrame(data.to_numpy()[rows], columns=data.columns).assign(
    firm=np.repeat(np.arange(2_000), 250)), scale=(1, 10), items=list(model.items))
timed("fit_groups, 2,000 of 250", lambda: csi.fit_groups(model, firms, by="firm"), 3)
small = csi.read_survey(firms.data[:100_000].assign(firm=np.arange(100_000) // 10),
                        scale=(1, 10), items=list(model.items))
timed("fit_groups, 10,000 of 10", lambda: csi.fit_groups(model, small, by="firm"), 3)

def judged(estimator, answers, of=model):
    def work():
        found = csi.fit(of, answers, estimator)
        found.parameters, found.fit_measures
    return work

timed("ML", judged(csi.ML(), data), 11)
kept = tuple(c for c in model.constructs if c.name != "Expectation")
links = [("Image", "Quality"), ("Quality", "Value"), ("Quality", "Satisfaction"),
         ("Value", "Satisfaction"), ("Satisfaction", "Complaints"), ("Satisfaction", "Loyalty"),
         ("Complaints", "Loyalty")]
reduced = csi.Model(kept, links)
by_ml = csi.fit(reduced, survey, csi.ML())
timed("ML bootstrap, 200 draws", lambda: csi.bootstrap(by_ml, 200, 7, progress=False), 3)
many = large[list(reduced.items)] + rng.normal(0, 0.5, (100_000, len(reduced.items)))
timed("MLR, 100,000 rows", judged(csi.ML(se="robust"), many, reduced), 2)
five = np.searchsorted([4, 6, 7, 8], data.to_numpy()) + 1
names = list(data.columns)
timed("polychoric, 24 items", lambda: ordinal_moments(five, names, names), 7)
without = csi.Model(tuple(c for c in model.constructs if c.name != "Complaints"),
                    [p for p in model.paths if "Complaints" not in p])
ordered = pd.DataFrame(five, columns=names)[list(without.items)]
timed("WLSMV with a variance below 0", judged(csi.WLSMV(), ordered, without), 3)
names = ("Quality", "Value", "Satisfaction")
proper = csi.Model(tuple(c for c in model.constructs if c.name in names),
                   [p for p in model.paths if set(p) <= set(names)])
timed("WLSMV", judged(csi.WLSMV(), ordered[list(proper.items)], proper), 7)
acsi = csi.models.acsi().with_items({"Complaints": "COMP", "Loyalty": ["REPUR"]})
latent = rng.standard_normal(8_239)
chain = pd.DataFrame({item: np.clip(np.round(
    7.5 + 1.8 * (0.8 * latent + 0.6 * rng.standard_normal(8_239))), 1, 10) for item in acsi.items})
chain["again"] = (rng.random(8_239) < 1 / (1 + np.exp(-(0.5 + latent)))).astype(float)
of_chain = csi.fit(acsi, csi.read_survey(chain, scale=(1, 10), items=list(acsi.items)))

def whole_chain():
    boot = csi.bootstrap(of_chain, 500, 7, progress=False)
    csi.repurchase(of_chain, "again", family="logit", bootstrap=boot, progress=False)

timed("whole chain, 8,239 rows, 500 draws", whole_chain, 2)
timed("repurchase, 8,239 rows", lambda: csi.repurchase(of_chain, "again", family="logit"), 5)
print("null", flush=True)
"""


class Version:
    """One version, loaded in a process of its own, that runs an operation when it is told to."""

    def __init__(self, path: str) -> None:
        one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-c", WORK],
            env={**os.environ, **one_thread, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.imported, loaded = self.answer()
        if not Path(loaded).is_relative_to(Path(path).resolve()):
            raise SystemExit(f"{loaded} was loaded instead of the version in {path}.")

    def answer(self) -> Any:
        """Return the next line of what the process prints."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"a version ended with status {self._process.wait()}.")
        return json.loads(line)

    def run(self) -> float:
        """Run the operation once and return its processor time."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self.answer())


def pair(here: str, other: str) -> dict[str, tuple[float, float]]:
    """Return the processor time of each operation by both versions, loaded afresh."""
    before, now = Version(other), Version(here)
    times = {"import with fit": (now.imported, before.imported)}
    while (operation := now.answer()) is not None:
        assert operation == before.answer()
        name, repeats = operation
        taken = [(now.run(), before.run()) for _ in range(repeats)]
        times[name] = (
            statistics.median(a for a, _ in taken),
            statistics.median(b for _, b in taken),
        )
    before.answer()
    return times


def main(other: str, pairs: int) -> None:
    """Print a line for each operation."""
    here = str(Path(__file__).resolve().parents[1])
    taken = [pair(here, other) for _ in range(pairs)]
    for name in taken[0]:
        now, before = ([one[name][k] for one in taken] for k in range(2))
        ratio = statistics.median(a / b for a, b in zip(now, before, strict=True))
        print(
            f"{name:36} now {statistics.median(now) * 1e3:9.2f} ms  "
            f"before {statistics.median(before) * 1e3:9.2f}  ratio {ratio:5.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 7)
