"""What a scan costs: rows a second and peak memory, beside its floor and reading into memory.

    python benchmarks/bench_scan.py [rows …]     # 1,000,000 and 5,000,000 by default; 24 items

Files of a million rows are written to a temporary folder. They and each line are made by processes
of their own, so that its peak is its own. The floor reads the same batches by Arrow and multiplies
them. Seconds of processor and of the clock; on a loaded computer the first say more. They hold what
is loaded when a function is first called.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

import csimodel as csi

ITEMS = [f"q{k}" for k in range(1, 25)]
NAMES = "ABCDEF"
MODEL = csi.Model.from_syntax(
    "\n".join(f"{c} =~ " + " + ".join(ITEMS[4 * k : 4 * k + 4]) for k, c in enumerate(NAMES))
    + "\nB ~ A\nC ~ A + B\nD ~ B + C\nE ~ D\nF ~ D + E"
)
FILE = 1_000_000


def write(folder: Path, rows: int) -> None:
    """Write answers on 1 to 10, a million rows a file."""
    rng = np.random.default_rng(1)
    for place in range(-(-rows // FILE)):
        n = min(FILE, rows - place * FILE)
        latent = rng.standard_normal((6, n)).cumsum(axis=0)
        latent /= latent.std(axis=1, keepdims=True)
        columns = {}
        for k, item in enumerate(ITEMS):
            answer = 6.0 + 1.6 * latent[k // 4] + 1.2 * rng.standard_normal(n)
            columns[item] = np.clip(np.rint(answer), 1, 10).astype(np.int8)
        columns["firm"] = rng.integers(0, 200, n).astype(np.int16)
        chance = 1 / (1 + np.exp(-latent[3] - 0.5))
        columns["again"] = (rng.random(n) < chance).astype(np.int8)
        parquet.write_table(pa.table(columns), folder / f"part{place:03}.parquet")


def floor(folder: Path) -> None:
    """Read batches and multiply them."""
    products = np.zeros((24, 24))
    for path in sorted(folder.glob("*.parquet")):
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1 << 16, columns=ITEMS):
                columns = [column.to_numpy() for column in batch.columns]
                for start in range(0, batch.num_rows, 4096):
                    x = np.stack([own[start : start + 4096] - 5.5 for own in columns])
                    products += x @ x.T


def scanned(folder: Path, **design: str) -> csi.Scan:
    """Return the scan."""
    return csi.scan(folder, scale=dict.fromkeys(ITEMS, (1, 10)), **design)


def regressed(folder: Path) -> None:
    """Regress an outcome on an index, firms being drawn, with average effects."""
    fit = csi.fit(MODEL, scanned(folder, cluster="firm"))
    rep = csi.repurchase(fit, "again", index="D", family="logit")
    print(rep.average_marginal_effect, file=sys.stderr)


def written(folder: Path) -> None:
    """Write the indexes of all respondents."""
    with tempfile.TemporaryDirectory() as own:
        csi.respondent_index(csi.fit(MODEL, scanned(folder)), to=Path(own) / "scores.parquet")


def in_memory(folder: Path) -> None:
    """Read all rows with pandas and fit them."""
    frame = parquet.read_table(folder, columns=ITEMS).to_pandas()
    csi.fit(MODEL, csi.read_survey(frame, items=ITEMS, scale=(1, 10)))


TASKS = {
    "floor: Arrow and BLAS": floor,
    "fit": lambda folder: csi.fit(MODEL, scanned(folder)),
    "fit_groups, 200 firms": lambda folder: csi.fit_groups(MODEL, scanned(folder), "firm"),
    "fit, index with errors": lambda folder: csi.index_scores(csi.fit(MODEL, scanned(folder))),
    "fit, index by firm with errors": lambda folder: csi.index_scores(
        csi.fit(MODEL, scanned(folder)), by="firm"
    ),
    "fit, logit with errors by firm": regressed,
    "fit, indexes written to a file": written,
    "fit in memory (pandas)": in_memory,
}


def main(sizes: list[int]) -> None:
    """Print a table."""
    print(f"{'task':32}{'rows':>12}{'clock s':>9}{'cpu s':>8}{'M rows/cpu s':>14}{'peak MB':>9}")
    for rows in sizes:
        with tempfile.TemporaryDirectory() as name:
            subprocess.run([sys.executable, __file__, "--write", str(rows), name], check=True)
            for task in TASKS:
                own = [sys.executable, __file__, "--task", task, name]
                told = subprocess.run(own, capture_output=True, text=True, check=True).stdout
                clock, cpu, peak = map(float, told.split())
                rate = rows / cpu / 1e6
                print(f"{task:32}{rows:12,}{clock:9.2f}{cpu:8.2f}{rate:14.2f}{peak:9.0f}")
    print(
        "load average of the last minute:", round(os.getloadavg()[0], 1), "cores:", os.cpu_count()
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write(Path(sys.argv[3]), int(sys.argv[2]))
    elif sys.argv[1:2] == ["--task"]:
        begun = time.perf_counter(), time.process_time()
        TASKS[sys.argv[2]](Path(sys.argv[3]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(time.perf_counter() - begun[0], time.process_time() - begun[1], peak)
    else:
        main([int(size) for size in sys.argv[1:]] or [FILE, 5 * FILE])
