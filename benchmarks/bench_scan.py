"""What a scan costs: rows a second and peak memory, beside its floor and reading into memory.

    python benchmarks/bench_scan.py [rows …]     # 1,000,000 and 5,000,000 by default; 24 items
    python benchmarks/bench_scan.py --write 5000000     # the table of docs/scanning.md, too
    python benchmarks/bench_scan.py --equal 5000000     # the largest difference from memory
    python benchmarks/bench_scan.py --linear            # the index by firm, clusters growing

Files of a million rows are written to a temporary folder. They and each line are made by processes
of their own, so that its peak is its own. The floor reads the same batches by Arrow and multiplies
them. Seconds of processor and of the clock; on a loaded computer the first say more. They hold what
is loaded when a function is first called; those of Spark are of all its processes, after a first
small job on both workers, and its peak is of this process alone; its start is a line of its own.
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
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

import csimodel as csi
from csimodel.survey.scanning.buckets import bucket_codes

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
        columns["household"] = (place * FILE + np.arange(n)) // 5
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


def of_relation(folder: Path) -> None:
    """Fit what DuckDB reads."""
    import duckdb

    relation = duckdb.sql(f"SELECT * FROM '{folder}/*.parquet'")
    csi.fit(MODEL, csi.scan(relation, scale=dict.fromkeys(ITEMS, (1, 10))))


def by_sql(folder: Path) -> None:
    """Let DuckDB add up the products itself."""
    import duckdb

    sums = [f"sum({a} - 5.5)" for a in ITEMS]
    sums += [f"sum(({a} - 5.5) * ({b} - 5.5))" for k, a in enumerate(ITEMS) for b in ITEMS[k:]]
    duckdb.sql(f"SELECT count(*), {', '.join(sums)} FROM '{folder}/*.parquet'").fetchall()


def by_database(folder: Path) -> None:
    """Fit what DuckDB adds up."""
    import duckdb

    relation = duckdb.sql(f"SELECT * FROM '{folder}/*.parquet'")
    csi.fit(MODEL, csi.scan(relation, scale=dict.fromkeys(ITEMS, (1, 10)), engine="sql"))


def by_bucket(folder: Path, chain: bool = False) -> None:
    """Fit by 200 buckets of respondents, with 1,000 draws, and the whole chain."""
    fit = csi.fit(MODEL, scanned(folder, buckets=200))
    boot = csi.bootstrap(fit, 1_000, rng=1, progress=False)
    boot.table("index")
    if chain:
        csi.repurchase(fit, "again", index="D", family="logit", bootstrap=boot, progress=False)


def processor_seconds() -> float:
    """Return what this process and all that it began, workers of Spark too, have computed."""
    parents, seconds = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            cells = path.read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        except OSError:  # it ended
            continue
        own = int(path.parent.name)
        parents[own] = int(cells[1])
        seconds[own] = sum(map(int, cells[11:15])) / os.sysconf("SC_CLK_TCK")
    family = {os.getpid()}
    while more := {own for own, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(seconds.get(own, 0.0) for own in family)


def on_spark(folder: Path, start: bool = False) -> tuple[float, float]:
    """Fit what two workers of Spark count, after they counted a little; or time that `start`."""
    begun = time.perf_counter(), processor_seconds()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    from pyspark.sql import SparkSession

    own = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = own.config("spark.ui.showConsoleProgress", "false").getOrCreate()
    frame = session.read.parquet(str(folder))
    scale = dict.fromkeys(ITEMS, (1, 10))
    csi.fit(MODEL, csi.scan(frame.limit(1000).repartition(2), scale=scale))
    if not start:
        scan = csi.scan(frame, scale=scale)
        begun = time.perf_counter(), processor_seconds()
        csi.fit(MODEL, scan)
    return time.perf_counter() - begun[0], processor_seconds() - begun[1]


def by_household(folder: Path) -> None:
    """Make the index by firm, households of five rows being drawn."""
    csi.index_scores(csi.fit(MODEL, scanned(folder, cluster="household")), by="firm")


TASKS = {
    "floor: Arrow and BLAS": floor,
    "fit": lambda folder: csi.fit(MODEL, scanned(folder)),
    "fit_groups, 200 firms": lambda folder: csi.fit_groups(MODEL, scanned(folder), "firm"),
    "fit, index with errors": lambda folder: csi.index_scores(csi.fit(MODEL, scanned(folder))),
    "fit, index by firm with errors": lambda folder: csi.index_scores(
        csi.fit(MODEL, scanned(folder)), by="firm"
    ),
    "fit, index by firm, households drawn": by_household,
    "fit, logit with errors by firm": regressed,
    "fit, indexes written to a file": written,
    "fit, 1,000 draws of 200 buckets": by_bucket,
    "the same, logit with the whole chain": lambda folder: by_bucket(folder, True),
    "fit, through DuckDB": of_relation,
    "fit, added up by DuckDB (engine='sql')": by_database,
    "DuckDB's own SQL: sums of products": by_sql,
    "start of Spark and a first small fit": lambda folder: on_spark(folder, True),
    "fit, by two workers of Spark": on_spark,
    "fit in memory (pandas)": in_memory,
}


DOCS = Path(__file__).parents[1] / "docs" / "scanning.md"
BEGIN, END = "<!-- made by benchmarks/bench_scan.py -->", "<!-- end -->"
LARGEST_IN_MEMORY = 5 * FILE


def main(sizes: list[int], to_docs: bool) -> None:
    """Print a table, and write it to the docs."""
    lines = [
        "| task | rows | seconds | processor seconds | million rows a processor second | peak MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    print(f"{'task':38}{'rows':>12}{'clock s':>9}{'cpu s':>8}{'M rows/cpu s':>14}{'peak MB':>9}")
    for rows in sizes:
        with tempfile.TemporaryDirectory() as name:
            subprocess.run([sys.executable, __file__, "--make", str(rows), name], check=True)
            for task in TASKS:
                if "memory" in task and rows > LARGEST_IN_MEMORY:
                    continue
                own = [sys.executable, __file__, "--task", task, name]
                told = subprocess.run(own, capture_output=True, text=True)
                if told.returncode:
                    sys.exit(f"{task} with {rows:,} rows failed:\n{told.stderr[-3000:]}")
                clock, cpu, peak = map(float, told.stdout.split())
                rate = rows / cpu / 1e6
                print(
                    f"{task:38}{rows:12,}{clock:9.2f}{cpu:8.2f}{rate:14.2f}{peak:9.0f}", flush=True
                )
                lines.append(
                    f"| {task} | {rows:,} | {clock:.1f} | {cpu:.1f} | {rate:.2f} | {peak:,.0f} |"
                )
    load = f"Load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores."
    print(load)
    if to_docs:
        text = DOCS.read_text(encoding="utf-8")
        before, after = text.split(BEGIN)[0], text.split(END)[1]
        table = "\n".join([*lines, "", load])
        DOCS.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def equal(rows: int) -> None:
    """Print the largest relative differences of a scan from the same rows in memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, __file__, "--make", str(rows), name], check=True)
        frame = parquet.read_table(folder).to_pandas()
        frame["bucket"] = bucket_codes(frame["household"], 200)
        options = {"items": ITEMS, "scale": (1, 10)}
        there = csi.fit(MODEL, scanned(folder, cluster="household"))
        here = csi.fit(MODEL, csi.read_survey(frame, cluster="household", **options))
        tables = [csi.index_scores(fit, by="firm")[["mean", "se"]] for fit in (there, here)]
        print(f"{rows:,} rows, index by firm with errors by household: {difference(*tables):.1e}")
        there = csi.fit(MODEL, scanned(folder, cluster="household", buckets=200))
        here = csi.fit(MODEL, csi.read_survey(frame, cluster="bucket", **options))
        tables = []
        for fit in (there, here):
            boot = csi.bootstrap(fit, 200, rng=1, progress=False)
            rep = csi.repurchase(
                fit, "again", index="D", family="logit", bootstrap=boot, progress=False
            )
            tables.append(rep.coefficients[["estimate", "se"]])
        print(f"{rows:,} rows, logit with errors of the whole chain: {difference(*tables):.1e}")


def difference(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """Return the largest relative difference of two tables."""
    return float((abs(one - other) / abs(other)).to_numpy().max())


def linear(sizes: list[int]) -> None:
    """Print what the index by firm costs where households grow with the rows."""
    for rows in sizes:
        with tempfile.TemporaryDirectory() as name:
            subprocess.run([sys.executable, __file__, "--make", str(rows), name], check=True)
            own = [sys.executable, __file__, "--task", "fit, index by firm, households drawn", name]
            told = subprocess.run(own, capture_output=True, text=True, check=True)
            clock, cpu, peak = map(float, told.stdout.split())
            line = (
                f"{rows:12,} rows {clock:8.2f} s {cpu:8.2f} cpu s {1e6 * cpu / rows:6.2f} us a row"
            )
            print(f"{line} {peak:7.0f} MB", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--make"]:
        write(Path(sys.argv[3]), int(sys.argv[2]))
    elif sys.argv[1:2] == ["--task"]:
        begun = time.perf_counter(), time.process_time()
        own = TASKS[sys.argv[2]](Path(sys.argv[3]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        spent = time.perf_counter() - begun[0], time.process_time() - begun[1]
        print(*(own if isinstance(own, tuple) else spent), peak)
    elif sys.argv[1:2] == ["--equal"]:
        equal(int(sys.argv[2]))
    elif sys.argv[1:2] == ["--linear"]:
        linear([FILE // 2, FILE, 2 * FILE, 4 * FILE])
    else:
        to_docs = sys.argv[1:2] == ["--write"]
        sizes = [int(size) for size in sys.argv[1 + to_docs :]]
        main(sizes or [FILE, 5 * FILE], to_docs)
